//! `package.json`: an installed package's own manifest, or the project's.
//!
//! Most files of that name are no packages: markers such as `{"type": "module"}`, entry points of sub-directories,
//! test data. A package has a name and a version. Directly under `node_modules` it is installed; deeper inside
//! another package it is embedded there, unless it says `private` or lies among tests and examples, which are never
//! loaded.

use yagura_model::package::Presence;
use yagura_model::{Ecosystem, Package};

use super::specifier::{alias_target, clean_version, is_name, set_source};
use crate::catalogue::structured::{depend, dependency, json};
use crate::catalogue::{EvidenceFile, Facts, integrity, license, path};
use crate::document::{self, Node, Value};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    // Cheap enough to spare most markers the parsing.
    if memchr::memmem::find(bytes, b"\"version\"").is_none() {
        return;
    }
    let Some(place) = place(file.path) else { return };
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let (Some(name), Some(version)) = (root.get("name").and_then(Node::string), root.text_of("version"))
    else {
        return;
    };
    let (name, version) = (name.trim(), clean_version(version));
    if !is_name(name) || version.is_empty() || (place == Place::Nested && root.flag("private")) {
        return;
    }
    let mut package = Package::new(Ecosystem::Npm, name, version);
    if place == Place::Nested {
        package.presence = Presence::Embedded;
    }
    package.licenses = license::normalise_all(licenses(&root));
    package.supplier = supplier(&root);
    // Written by npm before version 7.
    package.digests = root.text_of("_integrity").map(integrity::digests).unwrap_or_default();
    if let Some(source) = root.text_of("_resolved") {
        set_source(&mut package, source);
    }
    for section in ["dependencies", "optionalDependencies"] {
        for wish in root.get(section).map(Node::entries).unwrap_or_default() {
            let range = wish.value.string().unwrap_or_default();
            if let Some(name) = alias_target(range).or(wish.key.string()) {
                depend(&mut package, dependency(name, None));
            }
        }
    }
    facts.packages.push(package);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `…/node_modules/name/package.json`, `…/node_modules/@scope/name/package.json`
    Installed,
    /// Not under `node_modules`.
    Project,
    /// Inside a package.
    Nested,
}

/// `None` for test data.
fn place(file: &str) -> Option<Place> {
    const NEVER_LOADED: [&str; 13] = [
        "__fixtures__",
        "__mocks__",
        "__testfixtures__",
        "__tests__",
        "benchmark",
        "benchmarks",
        "example",
        "examples",
        "fixture",
        "fixtures",
        "test",
        "testdata",
        "tests",
    ];
    let directory = path::parent(file);
    let (inside, beyond) = match directory.rfind("node_modules/") {
        Some(at) if at == 0 || directory.get(..at).is_some_and(|before| before.ends_with('/')) => {
            (true, directory.get(at + "node_modules/".len()..).unwrap_or_default())
        }
        _ => (false, directory),
    };
    if !inside {
        let data = directory.split('/').any(|component| NEVER_LOADED.contains(&component));
        return (!data).then_some(Place::Project);
    }
    let mut components = beyond.split('/');
    if components.next().is_some_and(|first| first.starts_with('@')) {
        components.next();
    }
    let mut rest = components.peekable();
    if rest.peek().is_none() {
        return Some(Place::Installed);
    }
    (!rest.any(|component| NEVER_LOADED.contains(&component))).then_some(Place::Nested)
}

/// `license` as text or `{type}`, `licenses` as a list of either.
fn licenses<'n>(root: &'n Node<'_>) -> impl Iterator<Item = &'n str> {
    let values = root.get("license").into_iter().chain(root.get("licenses"));
    values
        .flat_map(|value| match &value.value {
            Value::Sequence(items) => items.iter().collect(),
            _ => vec![value],
        })
        .filter_map(|value| {
            value.string().or_else(|| value.text_of("type")).or_else(|| value.text_of("name"))
        })
}

/// The author, else the first maintainer or contributor.
fn supplier(root: &Node<'_>) -> String {
    let person = |node: &Node<'_>| -> Option<String> {
        let Some(name) = node.text_of("name") else { return node.string().map(str::to_owned) };
        Some(node.text_of("email").map_or_else(|| name.to_owned(), |email| format!("{name} <{email}>")))
    };
    let first = |key: &str| {
        let node = root.get(key)?;
        person(node.items().first().unwrap_or(node))
    };
    ["author", "maintainers", "contributors"].into_iter().find_map(first).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(path: &str, text: &str) -> Vec<Package> {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: 0 }, text.as_bytes(), &mut facts);
        facts.packages
    }

    #[test]
    fn every_old_way_to_state_licence_and_author() {
        for (fields, licenses, supplier) in [
            (r#""license": "MIT", "author": "A <a@b> (c)""#, vec!["MIT"], "A <a@b> (c)"),
            (
                r#""license": {"type": "ISC", "url": "u"}, "author": {"name": "A", "email": "a@b"}"#,
                vec!["ISC"],
                "A <a@b>",
            ),
            (r#""licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]"#, vec!["MIT", "Apache-2.0"], ""),
            (r#""license": ["MIT", "ISC"], "contributors": [{"name": "B"}]"#, vec!["MIT", "ISC"], "B"),
        ] {
            let found = packages(
                "node_modules/x/package.json",
                &format!(r#"{{"name": "x", "version": "v1.0.0", {fields}}}"#),
            );
            assert_eq!(found[0].version, "1.0.0");
            assert_eq!(
                (&found[0].licenses[..], found[0].supplier.as_str()),
                (&licenses.map_strings()[..], supplier)
            );
        }
    }

    trait MapStrings {
        fn map_strings(self) -> Vec<String>;
    }

    impl MapStrings for Vec<&str> {
        fn map_strings(self) -> Vec<String> {
            self.into_iter().map(str::to_owned).collect()
        }
    }

    #[test]
    fn the_place_tells_packages_from_markers_and_test_data() {
        for (path, expected) in [
            ("usr/lib/node_modules/npm/package.json", Some(Place::Installed)),
            ("app/node_modules/@babel/core/package.json", Some(Place::Installed)),
            ("node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", Some(Place::Installed)),
            ("node_modules/test/package.json", Some(Place::Installed)),
            ("node_modules/next/dist/compiled/x/package.json", Some(Place::Nested)),
            ("node_modules/resolve/test/resolver/multirepo/package.json", None),
            ("opt/yarn-v1.22.22/package.json", Some(Place::Project)),
            ("package.json", Some(Place::Project)),
            ("src/__tests__/a/package.json", None),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }

    #[test]
    fn a_package_has_a_name_and_a_version() {
        for text in [
            r#"{"type": "module"}"#,
            r#"{"name": "x"}"#,
            r#"{"version": "1.0.0"}"#,
            r#"{"name": "a/b/c", "version": "1.0.0"}"#,
            r#"{"name": "", "version": "1.0.0"}"#,
        ] {
            assert_eq!(packages("node_modules/x/package.json", text), [], "{text}");
        }
        let private = r#"{"name": "x", "version": "1.0.0", "private": true}"#;
        assert_eq!(packages("node_modules/x/lib/y/package.json", private), []);
        assert_eq!(packages("node_modules/x/package.json", private).len(), 1);
    }

    #[test]
    fn wishes_are_named_for_what_they_mean() {
        let found = packages(
            "package.json",
            r#"{"name": "x", "version": "1.0.0", "dependencies": {"lod": "npm:lodash@4", "ms": "2"},
                "devDependencies": {"mocha": "1"}}"#,
        );
        assert_eq!(found[0].dependencies, [dependency("lodash", None), dependency("ms", None)]);
    }
}
