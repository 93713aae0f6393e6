//! `Podfile.lock`: YAML whose `PODS` are `Name/Subspec (1.0)`, alone or as the key of what they need. Subspecs are
//! parts of one pod.

use std::collections::HashSet;

use yagura_model::Ecosystem;

use crate::catalogue::structured::{declared, depend, dependency, resolve_dependencies, yaml};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = yaml(file, &text, facts) else { return };
    // Pods that lie in the project itself.
    let own: HashSet<&str> = root
        .get("EXTERNAL SOURCES")
        .map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter(|entry| entry.value.entries().iter().any(|source| source.key.string() == Some(":path")))
        .filter_map(|entry| entry.key.string())
        .collect();
    let start = facts.packages.len();
    for item in root.get("PODS").map(Node::items).unwrap_or_default() {
        let (stated, wishes) = match item.entries().first() {
            Some(entry) => (&entry.key, entry.value.items()),
            None => (item, &[][..]),
        };
        let Some((name, version)) = stated.string().and_then(|text| text.split_once(" (")) else { continue };
        let name = name.split('/').next().unwrap_or(name);
        let version = version.trim_end_matches(')');
        if name.is_empty() || version.is_empty() || own.contains(name) {
            continue;
        }
        let known = facts.packages.get_mut(start..).unwrap_or_default();
        let at = match known.iter().position(|known| known.name == name) {
            Some(at) => start + at,
            None => {
                facts.packages.push(declared(file, Ecosystem::Cocoapods, name, version, stated.span.line));
                facts.packages.len() - 1
            }
        };
        let Some(package) = facts.packages.get_mut(at) else { continue };
        for wish in wishes.iter().filter_map(Node::string) {
            let wish = wish.split([' ', '/']).next().unwrap_or(wish);
            if wish != name {
                depend(package, dependency(wish, None));
            }
        }
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subspecs_are_one_pod() {
        let text = "PODS:\n  - AFNetworking (4.0.1):\n    - AFNetworking/NSURLSession (= 4.0.1)\n    - Other (~> 1)\n  \
                    - AFNetworking/NSURLSession (4.0.1)\n  - Other (1.2.0)\n  - Own (0.1.0)\n\nDEPENDENCIES:\n  - AFNetworking\n\n\
                    EXTERNAL SOURCES:\n  Own:\n    :path: \"../Own\"\n\nCOCOAPODS: 1.12.0\n";
        let mut facts = Facts::default();
        read(EvidenceFile { path: "Podfile.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (p.purl().unwrap().to_string(), p.locations[0].start_line))
            .collect();
        assert_eq!(
            found,
            [
                ("pkg:cocoapods/AFNetworking@4.0.1".into(), Some(2)),
                ("pkg:cocoapods/Other@1.2.0".into(), Some(6))
            ]
        );
        assert_eq!(facts.packages[0].dependencies, [dependency("Other", Some("1.2.0"))]);
    }
}
