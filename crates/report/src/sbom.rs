//! What both SBOM formats need: an identity of the document, items written one at a time, and the properties that
//! carry what the standards have no field for ([`yagura_model::sbom`]).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use yagura_model::finding::Finding;
use yagura_model::inventory::{FileDigest, Relation, RelationKind};
use yagura_model::package::{Presence, Scope};
use yagura_model::report::{Target, TargetKind};
use yagura_model::sbom as name;
use yagura_model::{Ecosystem, Package, Report};

/// A sequence made while it is written, so that no document is ever whole in memory.
pub struct Lazy<F>(pub F);

impl<F, I> Serialize for Lazy<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Digests of the targets as they are written, which is what makes two documents the same.
pub fn document_uuid(report: &Report) -> io::Result<String> {
    struct Hasher(Sha256);
    impl Write for Hasher {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hasher = Hasher(Sha256::new());
    serde_json::to_writer(&mut hasher, &(&report.created, &report.tool, &report.targets, &report.findings))?;
    let hash = hasher.0.finalize();
    let mut bytes = [0; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash) {
        *byte = hashed;
    }
    // RFC 9562: version 8 (custom), variant 10.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let groups = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(groups.join("-"))
}

/// RFC 3339 with seconds and `Z`, the one form both standards take; `None` for what is no time.
pub fn timestamp(text: &str) -> Option<String> {
    let time: jiff::Timestamp = match text.parse() {
        Ok(time) => time,
        Err(_) => {
            let date: jiff::civil::Date = text.parse().ok()?;
            date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        }
    };
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The properties of a package: name without prefix, value.
pub fn package_properties(package: &Package) -> Vec<(&'static str, String)> {
    let mut properties = Vec::new();
    let mut add = |name, value: &str| {
        if !value.is_empty() {
            properties.push((name, value.to_owned()));
        }
    };
    let has_purl = package.purl().is_some();
    if !has_purl || package.ecosystem == Ecosystem::Kernel {
        add(name::ECOSYSTEM, ecosystem_name(package.ecosystem));
    }
    if !has_purl {
        add(name::ARCHITECTURE, &package.architecture);
        add(name::DISTRIBUTION, &package.distribution);
        add(name::DISTRO, &package.distro);
        add(name::MODULE, &package.module);
        for (key, value) in &package.qualifiers {
            add(name::QUALIFIER, &format!("{key}={value}"));
        }
    }
    if let Some(source) = &package.source {
        add(name::SOURCE_NAME, &source.name);
        add(name::SOURCE_VERSION, &source.version);
    }
    match package.presence {
        Presence::Installed => {}
        Presence::Declared => add(name::PRESENCE, "declared"),
        Presence::Embedded => add(name::PRESENCE, "embedded"),
    }
    match package.scope {
        Scope::Runtime => {}
        Scope::Optional => add(name::SCOPE, "optional"),
        Scope::Development => add(name::SCOPE, "development"),
        Scope::Test => add(name::SCOPE, "test"),
        Scope::Build => add(name::SCOPE, "build"),
    }
    for location in &package.locations {
        add(name::LOCATION, &json(location));
    }
    add(name::FOUND_BY, &package.found_by);
    add(name::OWNER, package.owner.as_deref().unwrap_or_default());
    if let Some(from_base) = package.from_base_image {
        add(name::FROM_BASE_IMAGE, if from_base { "true" } else { "false" });
    }
    properties
}

/// The properties of the component or package that stands for a target.
pub fn target_properties(target: &Target) -> Vec<(&'static str, String)> {
    let mut properties = vec![(name::TARGET_KIND, kind_name(target.kind).to_owned())];
    if let Some(image) = &target.image {
        properties.push((name::IMAGE, json(image)));
    }
    properties.push((name::FILES, target.inventory.files.to_string()));
    properties.extend(target.inventory.skipped.iter().map(|skipped| (name::SKIPPED, json(skipped))));
    properties
}

/// The properties of a file.
pub fn file_properties(file: &FileDigest) -> Vec<(&'static str, String)> {
    let mut properties =
        vec![(name::FILE_SIZE, file.size.to_string()), (name::FILE_MODE, format!("{:o}", file.mode))];
    properties.extend(file.owner.iter().map(|owner| (name::OWNER, owner.clone())));
    properties.extend(file.layer.iter().map(|layer| (name::FILE_LAYER, layer.to_string())));
    properties
}

/// JSON of a model value; these have no form that could fail to be written.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub fn kind_name(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Image => "image",
        TargetKind::Directory => "directory",
        TargetKind::File => "file",
        TargetKind::Sbom => "sbom",
        TargetKind::Host => "host",
    }
}

fn ecosystem_name(ecosystem: Ecosystem) -> &'static str {
    if ecosystem == Ecosystem::Kernel { "kernel" } else { ecosystem.purl_type() }
}

/// Which packages of a target need which, and which own which.
pub struct Edges {
    pub depends_on: BTreeMap<usize, BTreeSet<usize>>,
    pub owns: BTreeMap<usize, BTreeSet<usize>>,
    /// Packages no other one needs.
    pub roots: Vec<usize>,
}

impl Edges {
    pub fn of(target: &Target) -> Self {
        let count = target.inventory.packages.len();
        let mut edges = Self { depends_on: BTreeMap::new(), owns: BTreeMap::new(), roots: Vec::new() };
        let mut needed = vec![false; count];
        for Relation { from, to, kind } in &target.inventory.relations {
            if *from >= count || *to >= count || from == to {
                continue;
            }
            match kind {
                RelationKind::DependsOn => {
                    edges.depends_on.entry(*from).or_default().insert(*to);
                    if let Some(needed) = needed.get_mut(*to) {
                        *needed = true;
                    }
                }
                RelationKind::Owns => {
                    edges.owns.entry(*from).or_default().insert(*to);
                }
            }
        }
        edges.roots =
            needed.iter().enumerate().filter(|(_, needed)| !**needed).map(|(index, _)| index).collect();
        edges
    }

    /// Who owns each owned package.
    pub fn owners(&self) -> HashMap<usize, usize> {
        self.owns.iter().flat_map(|(owner, owned)| owned.iter().map(|owned| (*owned, *owner))).collect()
    }
}

/// Finds the package a finding speaks of.
pub struct PackageIndex<'a> {
    packages: HashMap<(&'a str, &'a str, &'a str, &'a str), (usize, usize)>,
}

impl<'a> PackageIndex<'a> {
    pub fn of(report: &'a Report) -> Self {
        let mut packages = HashMap::new();
        for (at_target, target) in report.targets.iter().enumerate() {
            for (at, package) in target.inventory.packages.iter().enumerate() {
                let key =
                    |path| (target.name.as_str(), package.name.as_str(), package.version.as_str(), path);
                packages.entry(key("")).or_insert((at_target, at));
                for location in &package.locations {
                    packages.entry(key(location.path.as_str())).or_insert((at_target, at));
                }
            }
        }
        Self { packages }
    }

    /// Indices of the target and of the package in it.
    pub fn find(&self, finding: &'a Finding) -> Option<(usize, usize)> {
        let package = finding.package.as_ref()?;
        let key = |path| (finding.target.as_str(), package.name.as_str(), package.version.as_str(), path);
        self.packages
            .get(&key(finding.location.path.as_str()))
            .or_else(|| self.packages.get(&key("")))
            .copied()
    }
}
