//! What cabal froze (`any.name ==1.2`) and what it planned to build (`plan.json`).

use yagura_model::{Digest, Ecosystem};

use crate::catalogue::structured::{declared, depend, dependency, json};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

pub(super) fn read_freeze(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    for (number, line) in (1_u32..).zip(text.lines()) {
        let content = line.split("--").next().unwrap_or(line).trim().trim_start_matches("constraints:");
        for constraint in content.split(',') {
            let Some((name, version)) = constraint.split_once("==") else { continue };
            let (name, version) = (name.trim(), version.trim());
            let name = name.strip_prefix("any.").unwrap_or(name);
            let exact =
                !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            if exact && !name.is_empty() && !name.contains(' ') {
                facts.packages.push(declared(file, Ecosystem::Hackage, name, version, number));
            }
        }
    }
}

pub(super) fn read_plan(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let units = root.get("install-plan").map(Node::items).unwrap_or_default();
    let identity = |unit: &Node<'_>| -> Option<(String, String)> {
        Some((unit.text_of("pkg-name")?.to_owned(), unit.text_of("pkg-version")?.to_owned()))
    };
    let by_id: std::collections::HashMap<&str, (String, String)> =
        units.iter().filter_map(|unit| Some((unit.text_of("id")?, identity(unit)?))).collect();
    for unit in units {
        // `local` units are the project's own packages.
        if unit.text_of("style") == Some("local") {
            continue;
        }
        let (Some((name, version)), Some(line)) = (identity(unit), unit.get("pkg-name").map(|n| n.span.line))
        else {
            continue;
        };
        if name.is_empty() || version.is_empty() {
            continue;
        }
        let mut package = declared(file, Ecosystem::Hackage, &name, &version, line);
        let checksum = unit.text_of("pkg-src-sha256").map(|hex| format!("sha256:{hex}"));
        package.digests.extend(checksum.and_then(|text| text.parse::<Digest>().ok()));
        for wish in unit.get("depends").map(Node::items).unwrap_or_default() {
            if let Some((name, version)) = wish.string().and_then(|id| by_id.get(id)) {
                depend(&mut package, dependency(name, Some(version)));
            }
        }
        facts.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(read: fn(EvidenceFile<'_>, &[u8], &mut Facts), text: &str) -> Facts {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "x", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        facts
    }

    #[test]
    fn frozen_versions() {
        let text = "active-repositories: hackage.haskell.org:merge\nconstraints: any.aeson ==2.0.3.0,\n             \
                    aeson -bytestring-builder,\n             any.base ==4.15.1.0\nindex-state: 2022-01-01T00:00:00Z\n";
        let found: Vec<_> = facts(read_freeze, text)
            .packages
            .iter()
            .map(|p| (p.purl().unwrap().to_string(), p.locations[0].start_line))
            .collect();
        assert_eq!(
            found,
            [("pkg:hackage/aeson@2.0.3.0".into(), Some(2)), ("pkg:hackage/base@4.15.1.0".into(), Some(4))]
        );
    }

    #[test]
    fn planned_units() {
        let text = r#"{"install-plan": [
            {"type": "pre-existing", "id": "base-4.15", "pkg-name": "base", "pkg-version": "4.15", "depends": []},
            {"type": "configured", "id": "x-1", "style": "global", "pkg-name": "x", "pkg-version": "1", "depends": ["base-4.15"]},
            {"type": "configured", "id": "own", "style": "local", "pkg-name": "own", "pkg-version": "0.1"}]}"#;
        let found = facts(read_plan, text).packages;
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].dependencies, [dependency("base", Some("4.15"))]);
    }
}
