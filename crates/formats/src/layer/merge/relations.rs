//! Dependencies resolved to the packages they mean, and owners to what they own.

use std::collections::HashMap;

use yagura_model::inventory::{Relation, RelationKind};
use yagura_model::{Ecosystem, Package};

/// Packages of one name that are weighed for one dependency.
const MAX_CANDIDATES: usize = 256;

type ByName<'a> = HashMap<(Ecosystem, &'a str), Vec<usize>>;

/// Every relation between `packages`, sorted, each once.
pub(super) fn resolve(packages: &[Package]) -> Vec<Relation> {
    let mut by_name: ByName<'_> = HashMap::new();
    let mut by_provision: ByName<'_> = HashMap::new();
    for (index, package) in packages.iter().enumerate() {
        by_name.entry((package.ecosystem, &package.name)).or_default().push(index);
        for provided in &package.provides {
            by_provision.entry((package.ecosystem, provided)).or_default().push(index);
        }
    }
    let mut relations = Vec::new();
    for (from, package) in packages.iter().enumerate() {
        for dependency in &package.dependencies {
            let key = (package.ecosystem, dependency.name.as_str());
            let version = dependency.version.as_deref();
            let named = by_name.get(&key).and_then(|named| nearest(packages, from, named, version));
            let to = named.or_else(|| nearest(packages, from, by_provision.get(&key)?, None));
            if let Some(to) = to.filter(|to| *to != from) {
                relations.push(Relation { from, to, kind: RelationKind::DependsOn });
            }
        }
        if let Some(owner) = &package.owner {
            let systems = Ecosystem::ALL.into_iter().filter(|ecosystem| ecosystem.is_operating_system());
            let mut owners =
                systems.filter_map(|ecosystem| by_name.get(&(ecosystem, owner.as_str()))?.first());
            if let Some(owner) = owners.next() {
                relations.push(Relation { from: *owner, to: from, kind: RelationKind::Owns });
            }
        }
    }
    relations.sort_unstable();
    relations.dedup();
    relations
}

/// Which of `candidates` is meant by package `from`: the one nearest to it. For OS packages that is one of the same
/// architecture, for others the one whose evidence shares the longest way from the root; a shorter path then is
/// nearer than one inside a third package.
fn nearest(packages: &[Package], from: usize, candidates: &[usize], version: Option<&str>) -> Option<usize> {
    let asking = packages.get(from)?;
    let place = path(asking);
    candidates
        .iter()
        .copied()
        .filter_map(|index| Some((index, packages.get(index)?)))
        .filter(|(_, candidate)| version.is_none_or(|version| candidate.version == version))
        .take(MAX_CANDIDATES)
        .min_by_key(|(index, candidate)| {
            let fits = candidate.architecture == asking.architecture
                || matches!(candidate.architecture.as_str(), "" | "all" | "noarch" | "any");
            let shared = shared_directories(place, path(candidate));
            (!fits, std::cmp::Reverse(shared), path(candidate).len(), *index)
        })
        .map(|(index, _)| index)
}

fn path(package: &Package) -> &str {
    package.locations.first().map_or("", |location| location.path.as_str())
}

/// How many directories two paths share from the root; one file shares all of its own and one more.
fn shared_directories(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count()
}
