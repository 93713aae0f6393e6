//! `bun.lock`: JSON with comments whose `packages` map a place in the tree to `[name@version, …, integrity]`.

use std::collections::HashMap;

use yagura_model::Ecosystem;
use yagura_model::package::Scope;

use super::specifier::{is_local_directory, is_name, set_source, split};
use crate::catalogue::structured::{declared, depend, dependency, json_with_comments};
use crate::catalogue::{EvidenceFile, Facts, integrity, reach};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json_with_comments(file, &text, facts) else { return };
    let entries = root.get("packages").map(Node::entries).unwrap_or_default();
    let places: HashMap<&str, usize> =
        entries.iter().enumerate().filter_map(|(index, entry)| Some((entry.key.string()?, index))).collect();
    let edges: Vec<Vec<usize>> = entries
        .iter()
        .map(|entry| {
            let place = entry.key.string().unwrap_or_default();
            let about = entry.value.items().iter().find(|item| !item.entries().is_empty());
            let sections = ["dependencies", "optionalDependencies", "peerDependencies"];
            let wishes = about.map(|about| names(about, &sections)).unwrap_or_default();
            wishes.into_iter().filter_map(|wish| nearest(&places, place, wish)).collect()
        })
        .collect();
    let wanted = |sections: &[&str]| -> Vec<usize> {
        let workspaces = root.get("workspaces").map(Node::entries).unwrap_or_default();
        workspaces
            .iter()
            .flat_map(|workspace| {
                let place = workspace.value.text_of("name").unwrap_or_default();
                names(&workspace.value, sections).into_iter().map(move |wish| (place, wish))
            })
            .filter_map(|(place, wish)| nearest(&places, place, wish))
            .collect()
    };
    let scopes = reach::scopes(
        &edges,
        [
            (Scope::Runtime, wanted(&["dependencies", "peerDependencies"])),
            (Scope::Optional, wanted(&["optionalDependencies"])),
            (Scope::Development, wanted(&["devDependencies"])),
        ],
    );
    let identities: Vec<Option<(&str, &str)>> =
        entries.iter().map(|entry| split(entry.value.items().first()?.string()?)).collect();
    for ((index, entry), scope) in entries.iter().enumerate().zip(scopes) {
        let Some(Some((name, version))) = identities.get(index).copied() else { continue };
        if !is_name(name) || is_local_directory(version) || version.starts_with("root:") {
            continue;
        }
        // A repository is named by its commit, an archive by its link.
        let plain = match version.rsplit_once('#') {
            Some((_, commit)) if version.contains(':') => commit,
            _ => version,
        };
        let mut package = declared(file, Ecosystem::Npm, name, plain, entry.key.span.line);
        package.scope = scope.unwrap_or_default();
        set_source(&mut package, version);
        let last = entry.value.items().last().and_then(Node::string).unwrap_or_default();
        package.digests = integrity::digests(last);
        for to in edges.get(index).into_iter().flatten() {
            if let Some(Some((name, version))) = identities.get(*to) {
                depend(&mut package, dependency(*name, Some(version)));
            }
        }
        facts.packages.push(package);
    }
}

fn names<'n>(node: &'n Node<'_>, sections: &[&str]) -> Vec<&'n str> {
    let sections = sections.iter().filter_map(|section| node.get(section));
    sections.flat_map(Node::entries).filter_map(|wish| wish.key.string()).collect()
}

/// A place is `name` at the top and `parent/name` below; the nearest on the way up counts.
fn nearest(places: &HashMap<&str, usize>, place: &str, wish: &str) -> Option<usize> {
    let mut above = place;
    while !above.is_empty() {
        if let Some(found) = places.get(format!("{above}/{wish}").as_str()) {
            return Some(*found);
        }
        above = above.rsplit_once('/').map_or("", |(above, _)| above);
    }
    places.get(wish).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_packages_with_scopes() {
        let text = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": { "name": "demo", "dependencies": { "lod": "npm:lodash@4.17.20", "debug": "2" },
      "devDependencies": { "mocha": "^10" }, },
    "packages/a": { "name": "@demo/a", "dependencies": { "ms": "2.1.2" }, },
  },
  "packages": {
    "@demo/a": ["@demo/a@workspace:packages/a"],

    "debug": ["debug@2.6.9", "", { "dependencies": { "ms": "2.0.0" } }, "sha1-C/vXUfNNaLcRyL8guClWyv0RFgU="],

    "lod": ["lodash@4.17.20", "", {}, "sha1-C/vXUfNNaLcRyL8guClWyv0RFgU="],

    "mocha": ["mocha@github:u/mocha#0123abc", { "dependencies": { "debug": "*", "he": "1" } }, "u-mocha-0123abc"],

    "he": ["he@1.2.0", "", {}, ""],

    "ms": ["ms@2.1.2", "", {}, ""],

    "debug/ms": ["ms@2.0.0", "", {}, ""],
  }
}
"#;
        let mut facts = Facts::default();
        read(EvidenceFile { path: "bun.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.skipped, []);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| {
                (format!("{}@{}", p.name, p.version), p.scope, p.locations[0].start_line, p.digests.len())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("debug@2.6.9".into(), Scope::Runtime, Some(11), 1),
                ("lodash@4.17.20".into(), Scope::Runtime, Some(13), 1),
                ("mocha@0123abc".into(), Scope::Development, Some(15), 0),
                ("he@1.2.0".into(), Scope::Development, Some(17), 0),
                ("ms@2.1.2".into(), Scope::Runtime, Some(19), 0),
                ("ms@2.0.0".into(), Scope::Runtime, Some(21), 0),
            ]
        );
        assert_eq!(facts.packages[0].dependencies, [dependency("ms", Some("2.0.0"))]);
    }
}
