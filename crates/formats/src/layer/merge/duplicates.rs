//! One thing said twice is one package; two copies in two places stay two.
//!
//! A lockfile and the installed copy below it, two lockfiles side by side, a database in two formats: each is one
//! package with two locations. The same library in two virtual environments, or inside two binaries, is two.

use std::collections::HashMap;
use std::mem;

use yagura_model::package::Presence;
use yagura_model::{Ecosystem, Package};

use super::Found;
use super::attribution::Identity;
use super::systems::Systems;

/// Installed copies that are compared with one declaration.
const MAX_COMPARED: usize = 256;

/// Folds what is one thing.
pub(super) fn fold(mut found: Vec<Found>, systems: &Systems) -> Vec<Found> {
    // The installed first, so that they take in what merely declares them; within that, by path.
    found.sort_by(|a, b| (a.package.presence, path(&a.package)).cmp(&(b.package.presence, path(&b.package))));
    let targets = targets(&found, systems);
    let mut kept: Vec<Option<Found>> = found.into_iter().map(Some).collect();
    for (index, target) in targets.into_iter().enumerate() {
        if target == index {
            continue;
        }
        let other = kept.get_mut(index).and_then(Option::take);
        if let (Some(other), Some(Some(into))) = (other, kept.get_mut(target)) {
            absorb(into, other);
        }
    }
    kept.into_iter().flatten().collect()
}

/// For each package the one it is the same thing as: itself, or an earlier one that is its own target.
fn targets(found: &[Found], systems: &Systems) -> Vec<usize> {
    let mut by_place: HashMap<(Identity<'_>, &str), usize> = HashMap::new();
    let mut installed: HashMap<Identity<'_>, Vec<usize>> = HashMap::new();
    let mut targets = Vec::with_capacity(found.len());
    for (index, Found { package, .. }) in found.iter().enumerate() {
        let identity = Identity::of(package);
        let place = place(package, systems);
        let mut target = by_place.get(&(identity, place)).copied();
        if target.is_none() && package.presence == Presence::Declared {
            let copies = installed.get(&identity).map(Vec::as_slice).unwrap_or_default();
            target = copies.iter().copied().take(MAX_COMPARED).find(|copy| {
                found.get(*copy).is_some_and(|copy| is_installed_for(place, package, path(&copy.package)))
            });
        }
        let target = target.unwrap_or(index);
        by_place.entry((identity, place)).or_insert(target);
        if target == index && package.presence == Presence::Installed {
            installed.entry(identity).or_default().push(index);
        }
        targets.push(target);
    }
    targets
}

fn path(package: &Package) -> &str {
    package.locations.first().map_or("", |location| location.path.as_str())
}

/// Where a package is, for telling copies apart.
fn place<'a>(package: &'a Package, systems: &'a Systems) -> &'a str {
    let path = path(package);
    if package.ecosystem.is_operating_system() {
        return systems.root_of(path);
    }
    if package.presence == Presence::Embedded {
        return path;
    }
    let directory = parent(path);
    // Python's metadata directories stand beside one another in one place.
    let name = directory.rsplit('/').next().unwrap_or_default();
    let metadata = [".dist-info", ".egg-info"].iter().any(|end| name.ends_with(end));
    if package.ecosystem == Ecosystem::Pypi && metadata { parent(directory) } else { directory }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Whether a copy at `copy` is what a file in `directory` asks for: it lies below, and where it is clear where
/// the ecosystem puts copies, just there.
fn is_installed_for(directory: &str, package: &Package, copy: &str) -> bool {
    let below = match directory {
        "" => Some(copy),
        _ => copy.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/')),
    };
    let Some(below) = below else { return false };
    match package.ecosystem {
        // npm keeps a lockfile in `node_modules` itself.
        Ecosystem::Npm => below.starts_with("node_modules/") || directory.ends_with("node_modules"),
        Ecosystem::Composer => below.ends_with("vendor/composer/installed.json"),
        _ => !directory.is_empty(),
    }
}

/// Adds what `other` knows to `into`.
fn absorb(into: &mut Found, mut other: Found) {
    let package = &mut into.package;
    let more = &mut other.package;
    // A copy does not know what it is needed for; the declaration does.
    if package.presence != Presence::Declared && more.presence == Presence::Declared {
        package.scope = more.scope;
    } else if package.presence == more.presence {
        package.scope = package.scope.min(more.scope);
    }
    append(&mut package.locations, mem::take(&mut more.locations));
    append(&mut package.licenses, mem::take(&mut more.licenses));
    append(&mut package.digests, mem::take(&mut more.digests));
    append(&mut package.dependencies, mem::take(&mut more.dependencies));
    append(&mut package.provides, mem::take(&mut more.provides));
    for (key, value) in mem::take(&mut more.qualifiers) {
        package.qualifiers.entry(key).or_insert(value);
    }
    if package.supplier.is_empty() {
        package.supplier = mem::take(&mut more.supplier);
    }
    if package.source.is_none() {
        package.source = more.source.take();
    }
    into.keys.extend(other.keys);
}

/// Appends what is not there yet, keeping the order.
fn append<T: PartialEq + Eq + std::hash::Hash + Clone>(list: &mut Vec<T>, more: Vec<T>) {
    let mut known: std::collections::HashSet<T> = list.iter().cloned().collect();
    list.extend(more.into_iter().filter(|item| known.insert(item.clone())));
}
