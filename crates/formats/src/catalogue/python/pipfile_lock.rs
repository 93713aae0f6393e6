//! `Pipfile.lock` of Pipenv (pipfile-spec 6).

use yagura_model::Ecosystem;
use yagura_model::package::Scope;

use super::normalise_name;
use super::requirements::digest;
use crate::catalogue::structured::{declared, json};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    for section in root.entries() {
        // Besides `default` and `develop` every category of the Pipfile has its own section.
        let scope = match section.key.string() {
            Some("_meta") | None => continue,
            Some("default") => Scope::Runtime,
            Some("develop") => Scope::Development,
            Some(_) => Scope::Optional,
        };
        for entry in section.value.entries() {
            let (Some(name), Some(version)) = (entry.key.string(), entry.value.text_of("version")) else {
                continue;
            };
            let version = version.trim_start_matches('=');
            let line = entry.key.span.line;
            let mut package = declared(file, Ecosystem::Pypi, &normalise_name(name), version, line);
            package.scope = scope;
            let hashes = entry.value.get("hashes").map(|node| node.items()).unwrap_or_default();
            package.digests = hashes.iter().filter_map(|hash| digest(hash.string()?)).collect();
            facts.packages.push(package);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_give_the_scope() {
        let mut facts = Facts::default();
        let hash = "cd".repeat(32);
        let text = format!(
            r#"{{"_meta": {{"pipfile-spec": 6}},
"default": {{"Requests": {{"hashes": ["sha256:{hash}"], "version": "==2.31.0"}},
  "local": {{"path": "."}}}},
"develop": {{"pytest": {{"version": "==8.0"}}}}}}"#
        );
        read(EvidenceFile { path: "Pipfile.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| {
                (p.name.as_str(), p.version.as_str(), p.scope, p.digests.len(), p.locations[0].start_line)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("requests", "2.31.0", Scope::Runtime, 1, Some(2)),
                ("pytest", "8.0", Scope::Development, 0, Some(4))
            ]
        );
    }
}
