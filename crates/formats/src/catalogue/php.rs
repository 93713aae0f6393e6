//! PHP: what Composer locked (`composer.lock`) and what it installed (`vendor/composer/installed.json`).

use yagura_model::digest::Algorithm;
use yagura_model::package::{Presence, Scope};
use yagura_model::{Digest, Ecosystem};

use super::structured::{MAX_LOCKFILE, declared, depend, dependency, json, resolve_dependencies};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, license};
use crate::document::{self, Node, Value};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "php-composer-lock",
        selects: &[Select::Name("composer.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(read_lock),
    },
    Cataloguer {
        name: "php-composer-installed",
        selects: &[Select::Path("composer/installed.json")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(read_installed),
    },
];

fn read_lock(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let start = facts.packages.len();
    for (section, scope) in [("packages", Scope::Runtime), ("packages-dev", Scope::Development)] {
        for entry in root.get(section).map(Node::items).unwrap_or_default() {
            add(file, entry, Presence::Declared, scope, facts);
        }
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// Composer 1 wrote a list, Composer 2 writes an object that also names the packages for development.
fn read_installed(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let start = facts.packages.len();
    let development: std::collections::HashSet<&str> = root
        .get("dev-package-names")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Node::string)
        .collect();
    let entries = root.get("packages").map_or_else(|| root.items(), Node::items);
    for entry in entries {
        let for_development = entry.text_of("name").is_some_and(|name| development.contains(name));
        let scope = if for_development { Scope::Development } else { Scope::Runtime };
        add(file, entry, Presence::Installed, scope, facts);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

fn add(file: EvidenceFile<'_>, entry: &Node<'_>, presence: Presence, scope: Scope, facts: &mut Facts) {
    let (Some(name), Some(version)) = (entry.get("name"), entry.text_of("version")) else { return };
    // Packages of the project's own directories have no registry.
    let own = entry.at(&["dist", "type"]).and_then(Node::string) == Some("path");
    let Some(text) = name.string().filter(|text| !text.is_empty() && !version.is_empty() && !own) else {
        return;
    };
    let mut package = declared(file, Ecosystem::Composer, text, version, name.span.line);
    package.presence = presence;
    package.scope = scope;
    if let Some(value) = entry.get("license") {
        let statements: Vec<&str> = match &value.value {
            Value::Sequence(items) => items.iter().filter_map(Node::string).collect(),
            _ => value.string().into_iter().collect(),
        };
        package.licenses = license::normalise_all(statements);
    }
    let author = entry.get("authors").and_then(|authors| authors.items().first()?.text_of("name"));
    package.supplier = author.unwrap_or_default().to_owned();
    let checksum = entry.at(&["dist", "shasum"]).and_then(Node::string);
    package.digests.extend(checksum.and_then(|hex| Digest::from_hex(Algorithm::Sha1, hex).ok()));
    for wish in entry.get("require").map(Node::entries).unwrap_or_default() {
        // Names without a vendor are PHP itself and its extensions.
        if let Some(name) = wish.key.string().filter(|name| name.contains('/')) {
            depend(&mut package, dependency(name, None));
        }
    }
    facts.packages.push(package);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = r#"{"name": "psr/log", "version": "v3.0.0", "license": ["MIT"], "type": "library",
        "dist": {"type": "zip", "shasum": "0bfbd751f34d68b711c8bf20b82956cafd111605"},
        "require": {"php": ">=8", "ext-json": "*", "a/b": "^1"}, "authors": [{"name": "PHP-FIG"}]}"#;

    fn found(read: fn(EvidenceFile<'_>, &[u8], &mut Facts), text: &str) -> Vec<(String, Presence, Scope)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "x", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.packages[0].licenses, ["MIT"]);
        assert_eq!(facts.packages[0].dependencies, [dependency("a/b", Some("1.2"))]);
        assert_eq!(facts.packages[0].digests.len(), 1);
        let packages = facts.packages.iter();
        packages.map(|p| (p.purl().unwrap().to_string(), p.presence, p.scope)).collect()
    }

    #[test]
    fn locked_and_installed_in_both_shapes() {
        let other = r#"{"name": "a/b", "version": "1.2"}"#;
        let own = r#"{"name": "own/lib", "version": "dev-main", "dist": {"type": "path"}}"#;
        let expected = |presence| {
            [
                ("pkg:composer/psr/log@v3.0.0".to_owned(), presence, Scope::Runtime),
                ("pkg:composer/a/b@1.2".to_owned(), presence, Scope::Development),
            ]
        };
        let lock = format!(r#"{{"packages": [{PACKAGE}, {own}], "packages-dev": [{other}]}}"#);
        assert_eq!(found(read_lock, &lock), expected(Presence::Declared));
        let two =
            format!(r#"{{"packages": [{PACKAGE}, {other}], "dev": true, "dev-package-names": ["a/b"]}}"#);
        assert_eq!(found(read_installed, &two), expected(Presence::Installed));
        let one = format!("[{PACKAGE}, {other}]");
        assert_eq!(found(read_installed, &one).len(), 2);
    }
}
