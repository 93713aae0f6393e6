//! Lockfiles and manifests that prove nothing: what a package brought along from its own development, and what an image
//! was once meant to hold but, by what lies beside it, does not.

use std::collections::BTreeSet;

use yagura_model::Ecosystem;
use yagura_model::package::Presence;

use super::Found;

/// Directories below which package managers put packages. A lockfile inside speaks of how that package was developed.
const INSTALLED_TREES: &[&str] =
    &["node_modules", "site-packages", "dist-packages", "bower_components", "gems", ".cargo", "pkg/mod"];

/// Leaves out declared packages that no reader of the target would take for present.
pub(super) fn leave_out(found: &mut Vec<Found>, in_image: bool) {
    let installed: BTreeSet<String> = match in_image {
        true => found
            .iter()
            .filter(|item| item.package.ecosystem == Ecosystem::Npm)
            .filter(|item| item.package.presence == Presence::Installed)
            .filter_map(|item| Some(project_of(path(item))?.to_owned()))
            .collect(),
        false => BTreeSet::new(),
    };
    found.retain(|item| {
        if item.package.presence != Presence::Declared {
            return true;
        }
        let directory = path(item).rsplit_once('/').map_or("", |(directory, _)| directory);
        let of_another = INSTALLED_TREES.iter().any(|tree| has_component(directory, tree));
        let refuted = item.package.ecosystem == Ecosystem::Npm && installed.contains(directory);
        !of_another && !refuted
    });
}

/// Leaves out what the operating system's own package already says: the version string of a program it installed, a
/// lockfile it ships, a kernel image it put into place.
pub(super) fn leave_out_owned(found: &mut Vec<Found>) {
    found.retain(|item| {
        let package = &item.package;
        let told = matches!(package.ecosystem, Ecosystem::Generic | Ecosystem::Kernel)
            || package.presence == Presence::Declared;
        package.owner.is_none() || !told
    });
}

fn path(item: &Found) -> &str {
    item.package.locations.first().map_or("", |location| location.path.as_str())
}

/// The directory whose `node_modules` holds the file.
fn project_of(path: &str) -> Option<&str> {
    match path.split_once("node_modules/")? {
        ("", _) => Some(""),
        (project, _) => project.strip_suffix('/'),
    }
}

fn has_component(directory: &str, name: &str) -> bool {
    directory.match_indices(name).any(|(start, found)| {
        let before = directory.get(..start).unwrap_or_default();
        let after = directory.get(start + found.len()..).unwrap_or_default();
        (before.is_empty() || before.ends_with('/')) && (after.is_empty() || after.starts_with('/'))
    })
}

#[cfg(test)]
mod tests {
    use yagura_model::{Location, Package};

    use super::*;

    fn found(name: &str, path: &str, presence: Presence) -> Found {
        let mut package = Package::new(Ecosystem::Npm, name, "1.0.0");
        package.locations.push(Location::file(path));
        package.presence = presence;
        Found { package, keys: Vec::new() }
    }

    fn left(in_image: bool) -> Vec<String> {
        let mut all = vec![
            found("inner-dev", "app/node_modules/a/yarn.lock", Presence::Declared),
            found("a", "app/node_modules/a/package.json", Presence::Installed),
            found("dev", "app/package-lock.json", Presence::Declared),
            found("elsewhere", "other/package-lock.json", Presence::Declared),
            found("named-so", "node_modules_backup/package-lock.json", Presence::Declared),
        ];
        leave_out(&mut all, in_image);
        all.into_iter().map(|item| item.package.name).collect()
    }

    #[test]
    fn a_lockfile_beside_what_was_installed_proves_nothing_in_an_image() {
        assert_eq!(left(true), ["a", "elsewhere", "named-so"]);
    }

    #[test]
    fn what_the_operating_system_ships_is_told_by_its_own_package() {
        let owned = |presence| {
            let mut item = found("a", "usr/share/nodejs/a/package.json", presence);
            item.package.owner = Some("node-a".to_owned());
            item
        };
        let mut all = vec![owned(Presence::Installed), owned(Presence::Declared)];
        leave_out_owned(&mut all);
        assert_eq!(all.iter().map(|item| item.package.presence).collect::<Vec<_>>(), [Presence::Installed]);
    }

    #[test]
    fn a_source_tree_keeps_what_its_own_lockfile_asks_for() {
        assert_eq!(left(false), ["a", "dev", "elsewhere", "named-so"]);
    }
}
