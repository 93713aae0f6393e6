//! A target as statements name it: an image by digest or reference, an operating system by CPE, packages by purl.

use std::collections::{HashMap, HashSet, VecDeque};

use yagura_model::report::Target;
use yagura_model::vex::VexComponent;
use yagura_model::{Digest, Finding, Package, Purl};

use super::product::{Miss, first_or_nearest};
use super::purl;

/// Packages that are visited in search of what holds a package.
const MAX_VISITED: usize = 100_000;

pub(super) struct Scanned<'a> {
    target: &'a Target,
    /// Every reference under which the image is known.
    references: Vec<Reference<'a>>,
    digests: Vec<Digest>,
    purls: Vec<Option<Purl>>,
    /// Package URLs to packages.
    places: HashMap<String, Vec<usize>>,
}

/// `registry/path/name:tag`
struct Reference<'a> {
    repository: String,
    tag: &'a str,
}

impl<'a> Reference<'a> {
    /// A reference without a registry is Docker Hub's, and one without a path the library's (Docker's own rule).
    fn parse(text: &'a str) -> Self {
        let text = text.split('@').next().unwrap_or_default();
        let (repository, tag) = match text.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (text, ""),
        };
        Self { repository: full_repository(repository), tag }
    }

    fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }
}

fn full_repository(repository: &str) -> String {
    let repository = repository
        .strip_prefix("index.docker.io/")
        .map_or(repository.to_owned(), |r| format!("docker.io/{r}"));
    match repository.split_once('/') {
        None => format!("docker.io/library/{repository}"),
        Some((registry, rest)) if registry.contains(['.', ':']) || registry == "localhost" => {
            if registry == "docker.io" && !rest.contains('/') {
                format!("docker.io/library/{rest}")
            } else {
                repository
            }
        }
        Some(_) => format!("docker.io/{repository}"),
    }
}

/// Prefixes of a target's name that say how it is reached.
const SCHEMES: [&str; 4] = ["registry:", "docker:", "podman:", "containerd:"];

impl<'a> Scanned<'a> {
    pub(super) fn of(target: &'a Target) -> Self {
        let purls: Vec<Option<Purl>> = target.inventory.packages.iter().map(Package::purl).collect();
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, purl) in purls.iter().enumerate() {
            if let Some(purl) = purl {
                places.entry(purl.as_str().to_owned()).or_default().push(place);
            }
        }
        let mut references = Vec::new();
        let mut digests = Vec::new();
        if let Some(image) = &target.image {
            let named = SCHEMES.iter().find_map(|scheme| target.name.strip_prefix(scheme));
            let names = image.tags.iter().map(String::as_str).chain(named);
            for name in names {
                digests.extend(name.split_once('@').and_then(|(_, digest)| digest.parse().ok()));
                references.push(Reference::parse(name));
            }
            digests.extend(image.manifest_digest.iter().chain(&image.config_digest).cloned());
        }
        Self { target, references, digests, purls, places }
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = &Purl> {
        self.purls.iter().flatten()
    }

    /// Whether the component is the target itself: its image, or its operating system.
    pub(super) fn is(&self, component: &VexComponent) -> Result<(), Miss> {
        if component.digests.iter().any(|digest| self.digests.contains(digest)) {
            return Ok(());
        }
        let named = !component.name.is_empty() && component.name == self.target.name;
        if named && component.purls.is_empty() && component.cpes.is_empty() && component.digests.is_empty() {
            return Ok(());
        }
        let by_purl = component.purls.iter().map(|purl| self.is_image(purl));
        let by_cpe = component.cpes.iter().map(|cpe| self.is_system(cpe));
        first_or_nearest(by_purl.chain(by_cpe))
    }

    /// `pkg:oci/name@sha256:…?repository_url=…&tag=…` and `pkg:docker/path/name@TAG-OR-DIGEST`.
    fn is_image(&self, purl: &Purl) -> Result<(), Miss> {
        let Some(parsed) = purl.parse() else {
            return Err(Miss::new(0, "a package URL that cannot be read"));
        };
        if !matches!(parsed.ty(), "oci" | "docker") {
            return Err(Miss::new(0, "it is no image"));
        }
        if self.target.image.is_none() {
            return Err(Miss::new(0, "the target is no image"));
        }
        let digest = parsed.version().and_then(|version| version.parse::<Digest>().ok());
        if let Some(digest) = digest {
            let known = self.digests.contains(&digest);
            return if known {
                Ok(())
            } else {
                Err(Miss::new(4, format!("the image has not the digest {digest}")))
            };
        }
        let qualifier = |key: &str| parsed.qualifiers().get(key).map(|value| value.as_ref().to_owned());
        let repository =
            qualifier("repository_url").map(|url| full_repository(url.trim_end_matches('/'))).or_else(|| {
                let path = parsed.namespace().map(|namespace| format!("{namespace}/{}", parsed.name()));
                (parsed.ty() == "docker")
                    .then(|| full_repository(&path.unwrap_or_else(|| parsed.name().to_owned())))
            });
        let tag = qualifier("tag").or_else(|| parsed.version().map(str::to_owned));
        let known = self.references.iter().any(|reference| {
            let repository_fits = match &repository {
                // Some name the registry's path without the image's name.
                Some(repository) => {
                    reference.repository == *repository
                        || reference.repository == format!("{repository}/{}", parsed.name())
                }
                None => reference.name().eq_ignore_ascii_case(parsed.name()),
            };
            repository_fits && tag.as_ref().is_none_or(|tag| reference.tag == *tag)
        });
        if known { Ok(()) } else { Err(Miss::new(4, "the image has other names")) }
    }

    /// A CPE of an operating system, whose version may stop early: `…:enterprise_linux:9` is any 9.
    fn is_system(&self, cpe: &str) -> Result<(), Miss> {
        let Some(system) = &self.target.inventory.system else {
            return Err(Miss::new(0, "the target has no operating system"));
        };
        if system.cpe.is_empty() {
            return Err(Miss::new(1, "the target's operating system states no CPE"));
        }
        let (wanted, found) = (cpe_parts(cpe), cpe_parts(&system.cpe));
        let same = |part: usize| {
            wanted.get(part).is_some_and(|text| !text.is_empty()) && wanted.get(part) == found.get(part)
        };
        let version = wanted.get(3).map_or("", String::as_str);
        let found_version = found.get(3).map_or("", String::as_str);
        let version_fits = matches!(version, "" | "*" | "-")
            || found_version == version
            || found_version.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'));
        if wanted.first().map(String::as_str) == Some("o") && same(1) && same(2) && version_fits {
            Ok(())
        } else {
            Err(Miss::new(1, format!("the operating system is {}", system.cpe)))
        }
    }

    /// The packages a finding's purl stands for, those at its location first.
    fn places(&self, finding: &Finding) -> &[usize] {
        let purl = finding.package.as_ref().and_then(|package| package.purl.as_ref());
        purl.and_then(|purl| self.places.get(purl.as_str())).map_or(&[], Vec::as_slice)
    }

    /// Whether the finding's package, or the file that proves it, has one of the digests.
    pub(super) fn has_digest(&self, finding: &Finding, digests: &[Digest]) -> bool {
        if digests.is_empty() {
            return false;
        }
        let of_package = self
            .places(finding)
            .iter()
            .filter_map(|place| self.target.inventory.packages.get(*place))
            .any(|package| package.digests.iter().any(|digest| digests.contains(digest)));
        of_package
            || self
                .target
                .inventory
                .file_digests
                .iter()
                .any(|file| file.path == finding.location.path && digests.contains(&file.digest))
    }

    /// Whether a package of the target is the component and holds or needs the finding's package.
    pub(super) fn has_within(&self, component: &VexComponent, finding: &Finding) -> bool {
        let outer: HashSet<usize> = (0..self.purls.len())
            .filter(|place| {
                let purl = self.purls.get(*place).and_then(Option::as_ref);
                purl.is_some_and(|purl| {
                    component.purls.iter().any(|wanted| purl::matches(wanted, purl).is_ok())
                })
            })
            .collect();
        if outer.is_empty() {
            return false;
        }
        let inner = self.places(finding);
        let path = |place: usize| {
            let package = self.target.inventory.packages.get(place)?;
            package.locations.first().map(|location| location.path.as_str())
        };
        let in_one_file = outer.iter().filter_map(|place| path(*place)).any(|outer| {
            finding.location.path == outer
                || finding.location.path.strip_prefix(outer).is_some_and(|rest| rest.starts_with("!/"))
        });
        in_one_file || self.reaches(&outer, inner)
    }

    fn reaches(&self, outer: &HashSet<usize>, inner: &[usize]) -> bool {
        let mut needs: HashMap<usize, Vec<usize>> = HashMap::new();
        for relation in &self.target.inventory.relations {
            needs.entry(relation.from).or_default().push(relation.to);
        }
        let mut seen: HashSet<usize> = outer.clone();
        let mut open: VecDeque<usize> = outer.iter().copied().collect();
        while let Some(place) = open.pop_front() {
            if inner.contains(&place) {
                return true;
            }
            if seen.len() > MAX_VISITED {
                return false;
            }
            for next in needs.get(&place).into_iter().flatten() {
                if seen.insert(*next) {
                    open.push_back(*next);
                }
            }
        }
        false
    }
}

/// Part, vendor, product and version of a CPE 2.2 URI or 2.3 string, in lower case.
fn cpe_parts(cpe: &str) -> Vec<String> {
    let rest = cpe.strip_prefix("cpe:2.3:").or_else(|| cpe.strip_prefix("cpe:/")).unwrap_or(cpe);
    rest.split(':').take(4).map(str::to_ascii_lowercase).collect()
}
