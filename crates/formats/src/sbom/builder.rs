//! The inventory an SBOM is read into: packages by their name in the document, relations by those names.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::de::DeserializeOwned;
use yagura_model::digest::Algorithm;
use yagura_model::image::Image;
use yagura_model::inventory::{FileDigest, Relation, RelationKind};
use yagura_model::report::TargetKind;
use yagura_model::{Digest, Inventory, OperatingSystem, Package, SkipReason, Skipped};

use super::Sbom;
use super::purl::{normal_distro, system_id};
use crate::layer::namespace;

/// Packages, relations and kinds of problems kept of one document.
const MAX_PACKAGES: usize = 500_000;
const MAX_RELATIONS: usize = 4_000_000;
const MAX_PROBLEMS: usize = 200;

#[derive(Default)]
pub(super) struct Builder {
    pub system: Option<OperatingSystem>,
    pub image: Option<Image>,
    pub kind: Option<TargetKind>,
    pub files: u64,
    pub skipped: Vec<Skipped>,
    packages: Vec<Package>,
    by_name: HashMap<String, usize>,
    relations: Vec<(String, String, RelationKind)>,
    file_digests: Vec<FileDigest>,
    problems: BTreeMap<(u8, String), Skipped>,
    too_many: u64,
}

/// A file as our own SBOMs describe it, without its digest.
pub(super) struct OurFile {
    pub path: String,
    pub size: u64,
    pub mode: u32,
    pub owner: Option<String>,
    pub layer: Option<Digest>,
}

impl Builder {
    /// Adds a package under its name in the document.
    pub fn package(&mut self, name: &str, package: Package) {
        if self.packages.len() >= MAX_PACKAGES {
            self.too_many = self.too_many.saturating_add(1);
            return;
        }
        if !name.is_empty() {
            self.by_name.entry(name.to_owned()).or_insert(self.packages.len());
        }
        self.packages.push(package);
    }

    pub fn is_package(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn package_mut(&mut self, name: &str) -> Option<&mut Package> {
        self.packages.get_mut(*self.by_name.get(name)?)
    }

    /// Relates two elements of the document; kept when both turn out to be packages.
    pub fn relate(&mut self, from: &str, to: &str, kind: RelationKind) {
        if self.relations.len() < MAX_RELATIONS {
            self.relations.push((from.to_owned(), to.to_owned(), kind));
        } else {
            self.problem("", SkipReason::TooMany, format!("more than {MAX_RELATIONS} relations"));
        }
    }

    pub fn file(&mut self, file: OurFile, digest: Option<Digest>) {
        let OurFile { path, size, mode, owner, layer } = file;
        match digest {
            Some(digest) if self.file_digests.len() < MAX_PACKAGES => {
                self.file_digests.push(FileDigest { path, digest, size, mode, owner, layer });
            }
            Some(_) => self.too_many = self.too_many.saturating_add(1),
            None => self.problem(&path, SkipReason::Malformed, "a file without a digest".to_owned()),
        }
    }

    /// Notes a problem; alike ones are counted, not repeated.
    pub fn problem(&mut self, path: &str, reason: SkipReason, detail: String) {
        let known = self.problems.len();
        let key = (reason as u8, detail);
        match self.problems.get_mut(&key) {
            Some(skipped) => skipped.count = skipped.count.saturating_add(1),
            None if known >= MAX_PROBLEMS => {
                let rest = "further problems".to_owned();
                let skipped = Skipped::new("", SkipReason::TooMany, rest.clone());
                let folded = self.problems.entry((u8::MAX, rest)).or_insert(Skipped { count: 0, ..skipped });
                folded.count = folded.count.saturating_add(1);
            }
            None => {
                let skipped = Skipped::new(path, reason, key.1.clone());
                self.problems.insert(key, skipped);
            }
        }
    }

    /// A model value kept as JSON in a property.
    pub fn json<T: DeserializeOwned>(&mut self, property: &str, json: &str) -> Option<T> {
        match serde_json::from_str(json) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem("", SkipReason::Malformed, format!("property {property}: {error}"));
                None
            }
        }
    }

    /// A digest by an algorithm's name in any spelling (`SHA-256`, `SHA256`, `sha256`); `None` for algorithms not
    /// used for packages.
    pub fn digest(&mut self, algorithm: &str, hex: &str) -> Option<Digest> {
        let plain: String =
            algorithm.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        let algorithm = match plain.as_str() {
            "md5" => Algorithm::Md5,
            "sha1" => Algorithm::Sha1,
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => return None,
        };
        match Digest::from_hex(algorithm, hex) {
            Ok(digest) => Some(digest),
            Err(_) => {
                self.problem("", SkipReason::Malformed, format!("a {plain} digest of the wrong form"));
                None
            }
        }
    }

    /// The inventory, in order, every relation resolved.
    pub fn finish(mut self, format: String, subject: String) -> Sbom {
        if self.too_many > 0 {
            let mut skipped =
                Skipped::new("", SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages or files"));
            skipped.count = self.too_many;
            self.skipped.push(skipped);
        }
        self.settle_system();
        let mut order: Vec<usize> = (0..self.packages.len()).collect();
        order.sort_by(|a, b| {
            let key = |at: usize| {
                self.packages.get(at).map(|p| (p.ecosystem, &p.name, &p.version, p.locations.first()))
            };
            key(*a).cmp(&key(*b))
        });
        let mut place = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(*old) {
                *slot = new;
            }
        }
        let find = |name: &String| self.by_name.get(name).and_then(|at| place.get(*at)).copied();
        let mut seen = HashSet::new();
        let mut relations: Vec<Relation> = self
            .relations
            .iter()
            .filter_map(|(from, to, kind)| Some(Relation { from: find(from)?, to: find(to)?, kind: *kind }))
            .filter(|relation| relation.from != relation.to && seen.insert(*relation))
            .collect();
        relations.sort();
        let mut packages: Vec<Option<Package>> = self.packages.into_iter().map(Some).collect();
        let packages: Vec<Package> =
            order.iter().filter_map(|at| packages.get_mut(*at).and_then(Option::take)).collect();
        self.skipped.extend(self.problems.into_values());
        Sbom {
            format,
            subject,
            kind: self.kind,
            image: self.image,
            inventory: Inventory {
                system: self.system,
                packages,
                relations,
                skipped: self.skipped,
                files: self.files,
                file_digests: self.file_digests,
                observations: Vec::new(),
            },
        }
    }

    /// The operating system and its packages say the same: what one of them leaves out, the other tells.
    fn settle_system(&mut self) {
        if let Some(system) = &mut self.system {
            normalise(system);
        }
        if self.system.is_none() {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for package in self.packages.iter().filter(|p| p.ecosystem.is_operating_system()) {
                if !package.distro.is_empty() {
                    *counts.entry(&package.distro).or_default() += 1;
                }
            }
            let distro = counts.into_iter().max_by_key(|(_, count)| *count).map(|(distro, _)| distro);
            self.system = distro.map(|distro| {
                let (id, version) = match distro.rsplit_once('-') {
                    Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => (id, version),
                    _ => (distro, ""),
                };
                OperatingSystem {
                    id: id.to_owned(),
                    version: version.to_owned(),
                    name: format!("{id} {version}").trim_end().to_owned(),
                    ..OperatingSystem::default()
                }
            });
        }
        let Some(system) = &self.system else { return };
        for package in self.packages.iter_mut().filter(|p| p.ecosystem.is_operating_system()) {
            if package.distribution.is_empty() {
                package.distribution = namespace(&system.id);
            }
            if package.distro.is_empty() {
                package.distro = system.distro();
            }
        }
    }
}

fn normalise(system: &mut OperatingSystem) {
    system.id = system_id(&system.id);
    let distro = normal_distro(&system.id, &system.distro());
    if let Some(version) = distro.strip_prefix(system.id.as_str()).and_then(|rest| rest.strip_prefix('-')) {
        system.version = version.to_owned();
    }
    if system.name.is_empty() {
        system.name = format!("{} {}", system.id, system.version).trim_end().to_owned();
    }
}
