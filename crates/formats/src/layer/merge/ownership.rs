//! Which package installed the file that proves another package. Only the operating system's own package manager owns
//! what it installs; a wheel or a conda package is merely said to hold it.

use std::collections::HashMap;

use yagura_model::inventory::FileDigest;
use yagura_model::{Ecosystem, Observation};

use super::{Found, Visible, file_of};
use crate::layer::PathKey;

/// Directories that merged distributions keep twice, by symbolic links: where a file is, and where a package's list
/// may still say it is.
const MERGED_DIRECTORIES: &[(&str, &str)] = &[
    ("usr/bin/", "bin/"),
    ("usr/sbin/", "sbin/"),
    ("usr/lib/", "lib/"),
    ("usr/lib32/", "lib32/"),
    ("usr/lib64/", "lib64/"),
    ("usr/bin/", "usr/sbin/"),
    ("usr/lib/", "usr/lib64/"),
    ("bin/", "usr/bin/"),
    ("sbin/", "usr/sbin/"),
    ("lib/", "usr/lib/"),
    ("lib64/", "usr/lib64/"),
    ("lib64/", "usr/lib/x86_64-linux-gnu/"),
    ("lib64/", "lib/x86_64-linux-gnu/"),
];

/// Sets [`yagura_model::Package::owner`], [`yagura_model::Package::part_of`], [`FileDigest::owner`] and
/// [`Observation::owner`].
pub(super) fn assign(
    found: &mut [Found],
    digests: &mut [FileDigest],
    observations: &mut [Observation],
    visible: &[Visible<'_>],
) {
    let mut owners = Owners::default();
    for item in found.iter().filter(|item| !item.package.ecosystem.is_operating_system()) {
        let path = item.package.locations.first().map_or("", |location| location.path.as_str());
        let file = file_of(path);
        if let Some(key) = item.keys.first() {
            owners.ask(*key, file);
        }
    }
    for digest in digests.iter() {
        owners.ask(PathKey::of(digest.path.as_bytes()), &digest.path);
    }
    for observation in observations.iter() {
        let file = file_of(&observation.location.path);
        owners.ask(PathKey::of(file.as_bytes()), file);
    }
    owners.answer(visible);
    for item in found.iter_mut().filter(|item| !item.package.ecosystem.is_operating_system()) {
        item.package.owner = item.keys.first().and_then(|key| owners.of(*key));
        item.package.part_of = item.keys.first().and_then(|key| owners.holder_of(*key));
    }
    for digest in digests.iter_mut() {
        digest.owner = owners.of(PathKey::of(digest.path.as_bytes()));
    }
    for observation in observations.iter_mut() {
        observation.owner = owners.of(PathKey::of(file_of(&observation.location.path).as_bytes()));
    }
}

/// Which packages installed these files: the operating system's, then those that another package manager says hold it.
/// Paths are relative to the root or begin with `/`.
pub(super) fn of_paths<'p>(
    paths: impl Iterator<Item = &'p str>,
    visible: &[Visible<'_>],
) -> Vec<(&'p str, Ecosystem, String)> {
    let mut asked: HashMap<PathKey, Vec<&'p str>> = HashMap::new();
    let mut spellings: HashMap<PathKey, Vec<PathKey>> = HashMap::new();
    for path in paths {
        let plain = path.trim_start_matches('/');
        let key = PathKey::of(plain.as_bytes());
        asked.entry(key).or_default().push(path);
        spellings.entry(key).or_default().push(key);
        for (kept, listed) in MERGED_DIRECTORIES {
            if let Some(rest) = plain.strip_prefix(kept) {
                let spelling = PathKey::of(format!("{listed}{rest}").as_bytes());
                spellings.entry(spelling).or_default().push(key);
            }
        }
    }
    let mut owned = Vec::new();
    for ownership in visible.iter().flat_map(|visible| &visible.evidence.facts.ownership) {
        for file in &ownership.files {
            for path in spellings.get(file).into_iter().flatten().filter_map(|key| asked.get(key)).flatten() {
                owned.push((*path, ownership.ecosystem, ownership.package.clone()));
            }
        }
    }
    owned.sort();
    owned.dedup();
    owned
}

/// Asks for few paths and then goes through the many that packages own, once.
#[derive(Default)]
struct Owners<'a> {
    /// Every spelling of the paths asked for, with the key they were asked under.
    spellings: HashMap<PathKey, PathKey>,
    owners: HashMap<PathKey, &'a str>,
    /// The same for what other package managers installed.
    holders: HashMap<PathKey, &'a str>,
}

impl<'a> Owners<'a> {
    fn ask(&mut self, key: PathKey, path: &str) {
        self.spellings.insert(key, key);
        for (kept, listed) in MERGED_DIRECTORIES {
            if let Some(rest) = path.strip_prefix(kept) {
                let spelling = PathKey::of(format!("{listed}{rest}").as_bytes());
                self.spellings.entry(spelling).or_insert(key);
            }
        }
    }

    fn answer(&mut self, visible: &[Visible<'a>]) {
        for ownership in visible.iter().flat_map(|visible| &visible.evidence.facts.ownership) {
            let known =
                if ownership.ecosystem.is_operating_system() { &mut self.owners } else { &mut self.holders };
            for file in &ownership.files {
                if let Some(key) = self.spellings.get(file) {
                    known.entry(*key).or_insert(&ownership.package);
                }
            }
        }
    }

    fn of(&self, key: PathKey) -> Option<String> {
        self.owners.get(&key).map(|owner| (*owner).to_owned())
    }

    fn holder_of(&self, key: PathKey) -> Option<String> {
        self.holders.get(&key).map(|holder| (*holder).to_owned())
    }
}
