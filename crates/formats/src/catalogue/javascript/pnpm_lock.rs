//! `pnpm-lock.yaml`, lockfile versions 5, 6 and 9.
//!
//! A package's key changed with each: `/name/1.0.0_peers`, `/name@1.0.0(peers)`, `name@1.0.0` with the peers in
//! `snapshots` only. Versions 5 and 6 mark what is for development; in version 9 it follows from the importers.

use std::collections::HashMap;

use yagura_model::package::Scope;
use yagura_model::{Ecosystem, SkipReason};

use super::specifier::{is_name, split};
use crate::catalogue::structured::{declared, depend, dependency, yaml};
use crate::catalogue::{EvidenceFile, Facts, integrity, reach};
use crate::document::{self, Entry, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = yaml(file, &text, facts) else { return };
    let format =
        root.text_of("lockfileVersion").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    let Some(format) = format else {
        return facts.skip(file.path, SkipReason::Malformed, "no lockfileVersion");
    };
    let packages = root.get("packages").map(Node::entries).unwrap_or_default();
    let snapshots = root.get("snapshots").map(Node::entries).unwrap_or_default();
    let identities: Vec<Option<(&str, &str)>> =
        packages.iter().map(|entry| identity(entry, format)).collect();
    // Where each identity is listed; several snapshots may share one.
    let mut listed: HashMap<(&str, &str), usize> = HashMap::new();
    for (index, identity) in identities.iter().enumerate() {
        if let Some(identity) = identity {
            listed.entry(*identity).or_insert(index);
        }
    }
    let find = |name: &str, reference: &str| -> Option<usize> {
        let (name, version) = target(name, reference, format);
        listed.get(&(name, version)).copied()
    };
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); packages.len()];
    let sources = if format >= 9 { snapshots } else { packages };
    for source in sources {
        let Some(from) = identity(source, format).and_then(|identity| listed.get(&identity)) else {
            continue;
        };
        let Some(edges) = edges.get_mut(*from) else { continue };
        for (name, reference) in wishes(&source.value, &["dependencies", "optionalDependencies"]) {
            edges.extend(find(name, reference));
        }
    }
    let scopes = if format >= 9 {
        // A file with a single project has its wishes at the root.
        let importers = root.get("importers").map(Node::entries).unwrap_or_default();
        let projects = || importers.iter().map(|importer| &importer.value).chain([&root]);
        let wanted = |section: &str| -> Vec<usize> {
            projects()
                .flat_map(|project| wishes(project, &[section]))
                .filter_map(|(name, reference)| find(name, reference))
                .collect()
        };
        reach::scopes(
            &edges,
            [
                (Scope::Runtime, wanted("dependencies")),
                (Scope::Optional, wanted("optionalDependencies")),
                (Scope::Development, wanted("devDependencies")),
            ],
        )
    } else {
        packages.iter().map(|entry| stated_scope(&entry.value)).collect()
    };
    let mut done: std::collections::HashSet<(&str, &str)> = std::collections::HashSet::new();
    for ((index, entry), scope) in packages.iter().enumerate().zip(scopes) {
        let Some(Some((name, version))) = identities.get(index).copied() else { continue };
        let resolution = entry.value.get("resolution");
        if !is_name(name) || resolution.is_some_and(|from| from.text_of("type") == Some("directory")) {
            continue;
        }
        // The same package once for each set of peers it met.
        if !done.insert((name, version)) {
            continue;
        }
        let mut package = declared(file, Ecosystem::Npm, name, version, entry.key.span.line);
        package.scope = scope.unwrap_or_default();
        if let Some(resolution) = resolution {
            package.digests = resolution.text_of("integrity").map(integrity::digests).unwrap_or_default();
            if let Some(repository) = resolution.text_of("repo") {
                let commit =
                    resolution.text_of("commit").map(|commit| format!("@{commit}")).unwrap_or_default();
                let scheme = if repository.starts_with("git+") { "" } else { "git+" };
                package.qualifiers.insert("vcs_url".to_owned(), format!("{scheme}{repository}{commit}"));
            } else if let Some(archive) = resolution.text_of("tarball").filter(|_| package.digests.is_empty())
            {
                package.qualifiers.insert("download_url".to_owned(), archive.to_owned());
            }
        }
        for to in edges.get(index).into_iter().flatten() {
            if let Some(Some((name, version))) = identities.get(*to) {
                depend(&mut package, dependency(*name, Some(version)));
            }
        }
        facts.packages.push(package);
    }
}

/// Versions 5 and 6 say of each package whether it is for development or optional.
fn stated_scope(package: &Node<'_>) -> Option<Scope> {
    Some(match (package.flag("dev"), package.flag("optional")) {
        (true, _) => Scope::Development,
        (false, true) => Scope::Optional,
        (false, false) => Scope::Runtime,
    })
}

/// Name and version of an entry of `packages` or `snapshots`.
fn identity<'n>(entry: &'n Entry<'_>, format: u32) -> Option<(&'n str, &'n str)> {
    // Packages from elsewhere than the registry state both.
    if let (Some(name), Some(version)) = (entry.value.text_of("name"), entry.value.text_of("version")) {
        return Some((name, version));
    }
    let key = entry.key.string()?;
    let (name, version) = split_key(key, format)?;
    // In version 9 a package from a link has it for a version in its key.
    Some((name, entry.value.text_of("version").unwrap_or(version)))
}

/// `/@scope/name/1.0.0_peers`, `/@scope/name@1.0.0(peers)` or `@scope/name@1.0.0(peers)`, the first two perhaps behind
/// a registry's host.
fn split_key(key: &str, format: u32) -> Option<(&str, &str)> {
    let key = match key.strip_prefix('/') {
        Some(key) => key,
        // A version 9 key has no slash in front.
        None if format >= 9 => key,
        None => key.split_once('/').filter(|(host, _)| host.contains('.')).map_or(key, |(_, key)| key),
    };
    let key = key.split('(').next().unwrap_or(key);
    if format >= 6 {
        return split(key);
    }
    let (name, version) = key.rsplit_once('/')?;
    Some((name, version.split('_').next().unwrap_or(version)))
}

/// What a dependency's reference leads to: a bare version of the same name, or a key of its own for an alias.
fn target<'n>(name: &'n str, reference: &'n str, format: u32) -> (&'n str, &'n str) {
    let bare = reference.split('(').next().unwrap_or(reference);
    let is_key =
        bare.starts_with('/') || (format >= 6 && bare.get(1..).is_some_and(|rest| rest.contains('@')));
    if is_key && let Some(identity) = split_key(reference, format) {
        return identity;
    }
    let version = if format < 6 { bare.split('_').next().unwrap_or(bare) } else { bare };
    (name, version)
}

/// Names and references of some sections; importers write `{specifier, version}` since version 6.
fn wishes<'n, 'a>(node: &'n Node<'a>, sections: &[&str]) -> Vec<(&'n str, &'n str)> {
    sections
        .iter()
        .filter_map(|section| node.get(section))
        .flat_map(|section| section.entries())
        .filter_map(|wish| {
            let reference = wish.value.scalar().or_else(|| wish.value.text_of("version"))?;
            Some((wish.key.string()?, reference))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(text: &str) -> Vec<(String, Scope, Option<u32>, Vec<String>)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "pnpm-lock.yaml", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.skipped, []);
        let named = |name: &str, version: &str| format!("{name}@{version}");
        facts
            .packages
            .iter()
            .map(|p| {
                let wishes = p.dependencies.iter();
                let wishes =
                    wishes.map(|d| named(&d.name, d.version.as_deref().unwrap_or_default())).collect();
                (named(&p.name, &p.version), p.scope, p.locations[0].start_line, wishes)
            })
            .collect()
    }

    #[test]
    fn version_9_tells_scope_by_its_importers() {
        let text = "lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      lod:
        specifier: npm:lodash@4.17.20
        version: lodash@4.17.20
      use:
        specifier: ^1
        version: 1.0.0(react@18.3.1)
      a:
        specifier: workspace:*
        version: link:packages/a
    devDependencies:
      '@types/node':
        specifier: ^20
        version: 20.19.43
packages:
  '@types/node@20.19.43':
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
  lodash@4.17.20:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
  react@18.3.1:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
  use@1.0.0:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
snapshots:
  '@types/node@20.19.43':
    dependencies:
      lod: lodash@4.17.20
  lodash@4.17.20: {}
  react@18.3.1: {}
  use@1.0.0(react@18.3.1):
    dependencies:
      react: 18.3.1
";
        assert_eq!(
            summary(text),
            [
                ("@types/node@20.19.43".into(), Scope::Development, Some(19), vec!["lodash@4.17.20".into()]),
                ("lodash@4.17.20".into(), Scope::Runtime, Some(21), vec![]),
                ("react@18.3.1".into(), Scope::Runtime, Some(23), vec![]),
                ("use@1.0.0".into(), Scope::Runtime, Some(25), vec!["react@18.3.1".into()]),
            ]
        );
    }

    #[test]
    fn versions_5_and_6_mark_their_packages() {
        let five = "lockfileVersion: 5.4
packages:
  /@babel/core/7.2.0_react@18.3.1:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
    dependencies:
      lod: /lodash/4.17.20
      ms: 2.1.3
    dev: true
  /lodash/4.17.20:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
    optional: true
  registry.example.org/ms/2.1.3:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
  github.com/u/r/0123abc:
    resolution: {tarball: https://codeload.github.com/u/r/tar.gz/0123abc}
    name: r
    version: 1.10
    dev: false
  file:lib:
    resolution: {directory: lib, type: directory}
    name: lib
    version: 1.0.0
";
        assert_eq!(
            summary(five),
            [
                (
                    "@babel/core@7.2.0".into(),
                    Scope::Development,
                    Some(3),
                    vec!["lodash@4.17.20".into(), "ms@2.1.3".into()]
                ),
                ("lodash@4.17.20".into(), Scope::Optional, Some(9), vec![]),
                ("ms@2.1.3".into(), Scope::Runtime, Some(12), vec![]),
                ("r@1.10".into(), Scope::Runtime, Some(14), vec![]),
            ]
        );
        let six = "lockfileVersion: '6.0'
packages:
  /@babel/core@7.2.0(react@18.3.1):
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
    dependencies:
      lod: /lodash@4.17.20
    dev: true
  /@babel/core@7.2.0(react@17.0.0):
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
    dev: true
  /lodash@4.17.20:
    resolution: {integrity: sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=}
    dev: false
";
        assert_eq!(
            summary(six),
            [
                ("@babel/core@7.2.0".into(), Scope::Development, Some(3), vec!["lodash@4.17.20".into()]),
                ("lodash@4.17.20".into(), Scope::Runtime, Some(11), vec![]),
            ]
        );
    }
}
