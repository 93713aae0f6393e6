//! What NuGet resolved: `packages.lock.json` (versions 1 and 2) and `obj/project.assets.json`. Both list packages for
//! each target framework; a package counts once.

use std::collections::HashSet;

use yagura_model::Ecosystem;
use yagura_model::digest::Algorithm;

use super::split_identity;
use crate::catalogue::structured::{declared, depend, dependency, json, resolve_dependencies};
use crate::catalogue::{EvidenceFile, Facts, integrity};
use crate::document::{self, Node};

pub(super) fn read_lock(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let start = facts.packages.len();
    let mut seen: HashSet<(&str, &str)> = HashSet::new();
    let frameworks = root.get("dependencies").map(Node::entries).unwrap_or_default();
    for entry in frameworks.iter().flat_map(|framework| framework.value.entries()) {
        let (Some(name), Some(version)) = (entry.key.string(), entry.value.text_of("resolved")) else {
            continue;
        };
        let own = entry.value.text_of("type").is_some_and(|kind| kind.eq_ignore_ascii_case("project"));
        if own || name.is_empty() || version.is_empty() || !seen.insert((name, version)) {
            continue;
        }
        let mut package = declared(file, Ecosystem::Nuget, name, version, entry.key.span.line);
        for wish in entry.value.get("dependencies").map(Node::entries).unwrap_or_default() {
            if let Some(name) = wish.key.string() {
                depend(&mut package, dependency(name, None));
            }
        }
        facts.packages.push(package);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

pub(super) fn read_assets(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let start = facts.packages.len();
    let libraries = root.get("libraries").map(Node::entries).unwrap_or_default();
    let targets = root.get("targets").map(Node::entries).unwrap_or_default();
    let mut wishes: std::collections::HashMap<&str, Vec<&str>> = std::collections::HashMap::new();
    for entry in targets.iter().flat_map(|target| target.value.entries()) {
        let wanted = entry.value.get("dependencies").map(Node::entries).unwrap_or_default();
        let names = wanted.iter().filter_map(|wish| wish.key.string());
        wishes.entry(entry.key.string().unwrap_or_default()).or_default().extend(names);
    }
    for library in libraries {
        let Some(identity) = library.key.string() else { continue };
        let Some((name, version)) = split_identity(identity) else { continue };
        if library.value.text_of("type") != Some("package") {
            continue;
        }
        let mut package = declared(file, Ecosystem::Nuget, name, version, library.key.span.line);
        let checksum = library.value.text_of("sha512");
        package.digests.extend(checksum.and_then(|text| integrity::digest(Algorithm::Sha512, text)));
        for name in wishes.get(identity).into_iter().flatten() {
            depend(&mut package, dependency(*name, None));
        }
        facts.packages.push(package);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(EvidenceFile<'_>, &[u8], &mut Facts);

    fn found(read: Read, text: &str) -> Vec<(String, Option<u32>, usize, usize)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "x.json", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let packages = facts.packages.iter();
        packages
            .map(|p| {
                let name = p.purl().unwrap().to_string();
                (name, p.locations[0].start_line, p.digests.len(), p.dependencies.len())
            })
            .collect()
    }

    #[test]
    fn a_package_counts_once_for_all_frameworks() {
        let lock = r#"{"version": 1, "dependencies": {"net6.0": {
"A": {"type": "Direct", "requested": "[1.0.0, )", "resolved": "1.0.0", "contentHash": "x", "dependencies": {"B": "2.0.0"}},
"B": {"type": "Transitive", "resolved": "2.0.0"}, "own": {"type": "Project"}},
"net8.0": {"A": {"type": "Direct", "resolved": "1.0.0"}, "B": {"type": "CentralTransitive", "resolved": "2.1.0"}}}}"#;
        assert_eq!(
            found(read_lock, lock),
            [
                ("pkg:nuget/A@1.0.0".into(), Some(2), 0, 1),
                ("pkg:nuget/B@2.0.0".into(), Some(3), 0, 0),
                ("pkg:nuget/B@2.1.0".into(), Some(4), 0, 0)
            ]
        );
    }

    #[test]
    fn restored_assets() {
        let assets = r#"{"version": 3, "targets": {"net6.0": {"A/1.0.0": {"type": "package", "dependencies": {"B": "2"}}}},
"libraries": {"A/1.0.0": {"type": "package",
"sha512": "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="},
"own/1.0.0": {"type": "project"}}}"#;
        assert_eq!(found(read_assets, assets), [("pkg:nuget/A@1.0.0".into(), Some(2), 1, 1)]);
    }
}
