//! What the readers of lockfiles share: text to a tree, its problems to facts, an entry to a package.

use std::collections::HashMap;

use yagura_model::package::{Dependency, Presence};
use yagura_model::{Ecosystem, Location, Package};

use super::{EvidenceFile, Facts};
use crate::document::{Node, Tree, json, toml, yaml};

/// Bound of lockfiles and other generated lists, in bytes.
pub(super) const MAX_LOCKFILE: u64 = 64 << 20;
/// Bound of one package's own metadata, in bytes.
pub(super) const MAX_METADATA: u64 = 8 << 20;

pub(super) fn json<'a>(file: EvidenceFile<'_>, text: &'a str, facts: &mut Facts) -> Option<Node<'a>> {
    first(file, json::parse(text, json::Dialect::Json), facts)
}

pub(super) fn json_with_comments<'a>(
    file: EvidenceFile<'_>,
    text: &'a str,
    facts: &mut Facts,
) -> Option<Node<'a>> {
    first(file, json::parse(text, json::Dialect::Commented), facts)
}

pub(super) fn toml<'a>(file: EvidenceFile<'_>, text: &'a str, facts: &mut Facts) -> Option<Node<'a>> {
    first(file, toml::parse(text), facts)
}

/// The first document only.
pub(super) fn yaml<'a>(file: EvidenceFile<'_>, text: &'a str, facts: &mut Facts) -> Option<Node<'a>> {
    first(file, yaml::parse(text), facts)
}

fn first<'a>(file: EvidenceFile<'_>, tree: Tree<'a>, facts: &mut Facts) -> Option<Node<'a>> {
    for problem in &tree.problems {
        if let Some(reason) = problem.reason {
            facts.skip(file.path, reason, problem.to_string());
        }
    }
    tree.documents.into_iter().next()
}

/// A package that a lockfile or manifest asks for, with the line that does.
pub(super) fn declared(
    file: EvidenceFile<'_>,
    ecosystem: Ecosystem,
    name: &str,
    version: &str,
    line: u32,
) -> Package {
    let mut package = Package::new(ecosystem, name, version);
    package.presence = Presence::Declared;
    package.locations.push(Location::line(file.path, line));
    package
}

pub(super) fn dependency(name: impl Into<String>, version: Option<&str>) -> Dependency {
    Dependency { name: name.into(), version: version.map(str::to_owned) }
}

/// Adds a dependency unless it is there.
pub(super) fn depend(package: &mut Package, dependency: Dependency) {
    if !package.dependencies.contains(&dependency) {
        package.dependencies.push(dependency);
    }
}

/// Gives each dependency without a version the one version that the same lockfile locks for its name, where there is
/// just one.
pub(super) fn resolve_dependencies(packages: &mut [Package]) {
    let mut versions: HashMap<String, Option<String>> = HashMap::with_capacity(packages.len());
    for package in packages.iter() {
        versions
            .entry(package.name.clone())
            .and_modify(|known| {
                if known.as_ref() != Some(&package.version) {
                    *known = None;
                }
            })
            .or_insert_with(|| Some(package.version.clone()));
    }
    for dependency in packages.iter_mut().flat_map(|package| &mut package.dependencies) {
        if dependency.version.is_none()
            && let Some(Some(version)) = versions.get(&dependency.name)
        {
            dependency.version = Some(version.clone());
        }
    }
}
