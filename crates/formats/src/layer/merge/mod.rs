//! Layers laid over one another: one inventory of what a container would see.
//!
//! What upper layers hide is gone; what they merely rewrite stays with the layer that introduced it. Packages get
//! what only the whole can tell: their distribution, their owner, their licences, and which of them is meant by a
//! dependency. Directory and host scans are images of one layer.

mod aliases;
mod attribution;
mod code;
mod declared;
mod duplicates;
mod overlay;
mod ownership;
mod relations;
mod systems;

use std::collections::{HashMap, HashSet};

use yagura_model::image::Image;
use yagura_model::inventory::FileDigest;
use yagura_model::observation::Fate;
use yagura_model::package::SourcePackage;
use yagura_model::{Digest, Ecosystem, Inventory, Observation, Package, SkipReason, Skipped};

use self::attribution::Versions;
use self::overlay::{Overlay, PathFate};
use self::systems::Systems;
pub(crate) use self::systems::namespace;
use super::{Evidence, LayerFacts, PathKey};

/// A package on its way into the inventory.
struct Found {
    package: Package,
    /// The files that prove it, the primary one first.
    keys: Vec<PathKey>,
}

/// A visible piece of evidence and the layer it is in.
#[derive(Clone, Copy)]
struct Visible<'a> {
    layer: usize,
    evidence: &'a Evidence,
}

/// Merges the facts of `layers`, lowest first. `image` names the layers and tells which are the base's.
pub fn merge(layers: &[LayerFacts], image: Option<&Image>) -> Inventory {
    let names = LayerNames { layers, image };
    let mut overlay = Overlay::new(layers);
    let visible = visible_evidence(layers, &mut overlay);
    let systems = Systems::of(visible.iter().map(|visible| visible.evidence));

    let mut found = introduced_packages(layers, &visible, &overlay, &names);
    for item in &mut found {
        systems.place(&mut item.package);
    }
    add_licenses(&mut found, &visible);
    share_licenses(&mut found);
    let mut found = duplicates::fold(found, &systems);
    declared::leave_out(&mut found, image.is_some());

    let mut file_digests = visible_digests(layers, &mut overlay, &names);
    let mut observations = observations(layers, &mut overlay, &names);
    ownership::assign(&mut found, &mut file_digests, &mut observations, &visible);
    declared::leave_out_owned(&mut found);
    code::assign(&mut found, layers, &visible);

    found.sort_by(|a, b| order(&a.package).cmp(&order(&b.package)));
    let packages: Vec<Package> = found.into_iter().map(|item| item.package).collect();
    let relations = relations::resolve(&packages);
    Inventory {
        system: systems.primary(),
        packages,
        relations,
        skipped: skipped(layers, &names),
        files: layers.iter().map(|layer| layer.counts.files).sum(),
        file_digests,
        observations,
    }
}

/// Who installed what: packages and the files among `paths` that they installed, by what package managers wrote down
/// and later layers do not hide. A package whose manager keeps no list of files is in `listed` not.
pub fn owners<'p>(layers: &[LayerFacts], paths: impl Iterator<Item = &'p str>) -> FileOwners {
    let mut overlay = Overlay::new(layers);
    let visible = visible_evidence(layers, &mut overlay);
    let listed = visible.iter().flat_map(|visible| &visible.evidence.facts.ownership);
    let listed = listed.map(|owned| (owned.ecosystem, owned.package.clone())).collect();
    let files = ownership::of_paths(paths, &visible);
    let files = files.into_iter().map(|(path, ecosystem, package)| FileOwner {
        path: path.to_owned(),
        ecosystem,
        package,
    });
    FileOwners { listed, files: files.collect() }
}

/// Which packages installed which of the files that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileOwners {
    /// Packages of whose files a list was read.
    pub listed: HashSet<(Ecosystem, String)>,
    pub files: Vec<FileOwner>,
}

/// A file and a package that installed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOwner {
    /// As it was asked for.
    pub path: String,
    pub ecosystem: Ecosystem,
    pub package: String,
}

/// How packages are sorted.
fn order(package: &Package) -> impl Ord + '_ {
    let location = package.locations.first();
    (
        package.ecosystem,
        &package.name,
        &package.version,
        location.map(|location| (&location.path, location.start_line)),
        &package.architecture,
        location.map(|location| &location.layer),
    )
}

/// What the layers are called.
struct LayerNames<'a> {
    layers: &'a [LayerFacts],
    image: Option<&'a Image>,
}

impl LayerNames<'_> {
    fn digest(&self, layer: usize) -> Option<Digest> {
        let named = self.image.and_then(|image| image.layers.get(layer)).map(|layer| &layer.diff_id);
        named.or_else(|| self.layers.get(layer)?.diff_id.as_ref()).cloned()
    }

    fn is_base(&self, layer: usize) -> Option<bool> {
        self.image?.layers.get(layer)?.from_base_image
    }
}

fn visible_evidence<'a>(layers: &'a [LayerFacts], overlay: &mut Overlay<'_>) -> Vec<Visible<'a>> {
    let all = layers.iter().enumerate();
    let all =
        all.flat_map(|(layer, facts)| facts.evidence.iter().map(move |evidence| Visible { layer, evidence }));
    all.filter(|item| overlay.is_visible(item.layer, item.evidence.key, &item.evidence.path)).collect()
}

/// Every visible package, located in the layer that introduced it.
fn introduced_packages(
    layers: &[LayerFacts],
    visible: &[Visible<'_>],
    overlay: &Overlay<'_>,
    names: &LayerNames<'_>,
) -> Vec<Found> {
    let versions = Versions::of(layers);
    let mut found = Vec::new();
    for Visible { layer, evidence } in visible {
        let history = versions.below(*layer, evidence, overlay);
        for package in &evidence.facts.packages {
            let origin = history.introduction(package).unwrap_or(*layer);
            let mut package = package.clone();
            for location in &mut package.locations {
                location.layer = names.digest(origin);
            }
            package.from_base_image = names.is_base(origin);
            found.push(Found { package, keys: vec![evidence.key] });
        }
    }
    found
}

/// Joins licences that stand in files of their own.
fn add_licenses(found: &mut [Found], visible: &[Visible<'_>]) {
    let mut stated: HashMap<(Ecosystem, &str), Vec<&str>> = HashMap::new();
    for licenses in visible.iter().flat_map(|visible| &visible.evidence.facts.licenses) {
        let entry = stated.entry((licenses.ecosystem, licenses.package.as_str())).or_default();
        entry.extend(licenses.licenses.iter().map(String::as_str));
    }
    for Found { package, .. } in found {
        let Some(licenses) = stated.get(&(package.ecosystem, package.name.as_str())) else { continue };
        let mut known: HashSet<String> = package.licenses.iter().cloned().collect();
        for license in licenses {
            if known.insert((*license).to_owned()) {
                package.licenses.push((*license).to_owned());
            }
        }
    }
}

/// Gives packages without licences those of a package of the same source: Debian lets one documentation directory be
/// a link to another only between these (Debian Policy, 12.5).
fn share_licenses(found: &mut [Found]) {
    let is_debian = |package: &Package| package.ecosystem == Ecosystem::Deb;
    let mut stated: HashMap<SourcePackage, Vec<String>> = HashMap::new();
    for Found { package, .. } in found.iter().filter(|item| is_debian(&item.package)) {
        if let Some(source) = package.source.clone().filter(|_| !package.licenses.is_empty()) {
            stated.entry(source).or_insert_with(|| package.licenses.clone());
        }
    }
    for Found { package, .. } in found.iter_mut().filter(|item| is_debian(&item.package)) {
        if let Some(licenses) = package.source.as_ref().and_then(|source| stated.get(source))
            && package.licenses.is_empty()
        {
            package.licenses.clone_from(licenses);
        }
    }
}

fn visible_digests(
    layers: &[LayerFacts],
    overlay: &mut Overlay<'_>,
    names: &LayerNames<'_>,
) -> Vec<FileDigest> {
    let mut digests = Vec::new();
    for (layer, facts) in layers.iter().enumerate() {
        let name = names.digest(layer);
        for digest in &facts.file_digests {
            if overlay.is_visible(layer, PathKey::of(digest.path.as_bytes()), &digest.path) {
                digests.push(FileDigest { layer: name.clone(), ..digest.clone() });
            }
        }
    }
    digests.sort_by(|a, b| a.path.cmp(&b.path));
    digests
}

/// What was seen in every layer: what a later layer hides is still in the image, and is told with its fate.
fn observations(
    layers: &[LayerFacts],
    overlay: &mut Overlay<'_>,
    names: &LayerNames<'_>,
) -> Vec<Observation> {
    let mut observations = Vec::new();
    for (layer, facts) in layers.iter().enumerate() {
        for observation in &facts.observations {
            let mut observation = observation.clone();
            let file = file_of(&observation.location.path);
            observation.fate = match overlay.fate(layer, PathKey::of(file.as_bytes()), file) {
                PathFate::Visible => Fate::Present,
                PathFate::Replaced(by) => Fate::Replaced(names.digest(by)),
                PathFate::Removed(by) => Fate::Removed(by.and_then(|by| names.digest(by))),
            };
            observation.location.layer = names.digest(layer);
            observations.push(observation);
        }
    }
    // Stable: one path's observations stay in the order of the layers.
    observations.sort_by(|a, b| a.location.path.cmp(&b.location.path));
    observations
}

/// The file of a path that may go on inside an archive.
fn file_of(path: &str) -> &str {
    path.split_once("!/").map_or(path, |(file, _)| file)
}

fn skipped(layers: &[LayerFacts], names: &LayerNames<'_>) -> Vec<Skipped> {
    let mut all = Vec::new();
    for (layer, facts) in layers.iter().enumerate() {
        let name = names.digest(layer);
        all.extend(facts.skipped.iter().map(|skipped| Skipped { layer: name.clone(), ..skipped.clone() }));
        all.extend(facts.unread_links.iter().map(|link| Skipped {
            layer: name.clone(),
            ..Skipped::new(&link.path, SkipReason::Unsupported, "its bytes had passed under another name")
        }));
    }
    all
}

#[cfg(test)]
mod tests;
