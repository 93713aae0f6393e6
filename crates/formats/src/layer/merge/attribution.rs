//! Which layer introduced a package.
//!
//! A package database is one file: the layer that installs a single package writes all the others anew. A package
//! that was there with the same version in the version of the file below belongs to the layer below.

use std::collections::{HashMap, HashSet};

use yagura_model::{Ecosystem, Package};

use super::overlay::Overlay;
use crate::layer::{Evidence, LayerFacts, PathKey};

/// What makes two statements speak of the same package.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity<'a> {
    ecosystem: Ecosystem,
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    module: &'a str,
    classifier: Option<&'a str>,
}

impl<'a> Identity<'a> {
    pub(super) fn of(package: &'a Package) -> Self {
        Self {
            ecosystem: package.ecosystem,
            name: &package.name,
            version: &package.version,
            architecture: &package.architecture,
            module: &package.module,
            classifier: package.qualifiers.get("classifier").map(String::as_str),
        }
    }
}

/// The packages of one file in one layer.
struct Version<'a> {
    layer: usize,
    packages: HashSet<Identity<'a>>,
}

/// Every evidence file in all its versions, lowest first.
pub(super) struct Versions<'a> {
    files: HashMap<(PathKey, &'a str), Vec<Version<'a>>>,
}

/// The versions of one file below a layer, lowest first.
pub(super) struct History<'v, 'a> {
    versions: &'v [Version<'a>],
}

impl<'a> Versions<'a> {
    pub(super) fn of(layers: &'a [LayerFacts]) -> Self {
        let mut counts: HashMap<(PathKey, &str), u32> = HashMap::new();
        for evidence in layers.iter().flat_map(|layer| &layer.evidence) {
            *counts.entry((evidence.key, evidence.cataloguer.as_str())).or_default() += 1;
        }
        let mut files: HashMap<(PathKey, &str), Vec<Version<'_>>> = HashMap::new();
        for (layer, facts) in layers.iter().enumerate() {
            for evidence in &facts.evidence {
                let file = (evidence.key, evidence.cataloguer.as_str());
                // Most files are in one layer only and need no history.
                if counts.get(&file).is_some_and(|count| *count > 1) {
                    let packages = evidence.facts.packages.iter().map(Identity::of).collect();
                    files.entry(file).or_default().push(Version { layer, packages });
                }
            }
        }
        Self { files }
    }

    /// The versions below `layer` up to the place where the file was taken away in between.
    pub(super) fn below(
        &self,
        layer: usize,
        evidence: &'a Evidence,
        overlay: &Overlay<'_>,
    ) -> History<'_, 'a> {
        let versions = self.files.get(&(evidence.key, evidence.cataloguer.as_str()));
        let versions = versions.map(Vec::as_slice).unwrap_or_default();
        let end = versions.partition_point(|version| version.layer < layer);
        let versions = versions.get(..end).unwrap_or_default();
        let mut upper = layer;
        let unbroken = versions.iter().rev().take_while(|version| {
            let removed = overlay.is_removed_between(version.layer, upper, evidence.key, &evidence.path);
            upper = version.layer;
            !removed
        });
        let start = versions.len() - unbroken.count();
        History { versions: versions.get(start..).unwrap_or_default() }
    }
}

impl History<'_, '_> {
    /// The lowest layer from which on the package was always there; `None` when the version just below lacks it.
    pub(super) fn introduction(&self, package: &Package) -> Option<usize> {
        let identity = Identity::of(package);
        let unbroken = self.versions.iter().rev().take_while(|version| version.packages.contains(&identity));
        unbroken.last().map(|version| version.layer)
    }
}
