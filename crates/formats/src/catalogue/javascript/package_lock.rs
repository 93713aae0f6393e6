//! `package-lock.json` and `npm-shrinkwrap.json` (lockfile versions 1 to 3), and the one npm keeps inside
//! `node_modules`. Entries are read one at a time, so that the largest cost little more than their packages.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use yagura_model::package::Scope;
use yagura_model::{Ecosystem, Package, SkipReason};

use super::specifier::{alias_target, is_local_directory, is_name, set_source};
use crate::catalogue::structured::{declared, dependency};
use crate::catalogue::{EvidenceFile, Facts, integrity, license};
use crate::document::{self, Lines, Text};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let mut reader = Reader { file, text: &text, lines: Lines::of(&text), locked: Vec::new() };
    let mut json = serde_json::Deserializer::from_str(&text);
    if let Err(error) = json.deserialize_map(Lockfile(&mut reader)) {
        let reason = if error.is_eof() { SkipReason::Truncated } else { SkipReason::Malformed };
        facts.skip(file.path, reason, error.to_string());
    }
    facts.packages.extend(resolve(reader.locked));
}

struct Reader<'t> {
    file: EvidenceFile<'t>,
    text: &'t str,
    lines: Lines,
    locked: Vec<Locked>,
}

/// A package with its place in the tree that npm lays out.
struct Locked {
    place: String,
    package: Package,
    /// Names as the package asks for them, aliases not undone.
    wishes: Vec<String>,
}

/// One entry of either form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    /// The real name, where the entry stands under an alias.
    #[serde(borrow)]
    name: Option<Text<'a>>,
    version: Option<Text<'a>>,
    resolved: Option<Loose<'a>>,
    integrity: Option<Text<'a>>,
    license: Option<Loose<'a>>,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    dev_optional: bool,
    #[serde(default)]
    link: bool,
    /// Version 1: the wishes, or `true` at the root.
    #[serde(default)]
    requires: Wishes<'a>,
    #[serde(default)]
    optional_dependencies: Wishes<'a>,
    #[serde(default)]
    peer_dependencies: Wishes<'a>,
    /// Version 1: what lies below in the tree. Later: the wishes.
    #[serde(default)]
    dependencies: Below<'a>,
}

/// The names of a map of wishes; anything else has none.
#[derive(Default)]
struct Wishes<'a>(Vec<Text<'a>>);

/// What `dependencies` holds: names and, in version 1, the entries below.
#[derive(Default)]
struct Below<'a>(Vec<(Text<'a>, Option<Box<Entry<'a>>>)>);

/// A text, or something else in its place.
struct Loose<'a>(Option<Text<'a>>);

impl Reader<'_> {
    fn line(&self, key: &Text<'_>) -> u32 {
        key.offset_in(self.text).map_or(1, |offset| self.lines.at(offset))
    }

    /// An entry of `packages`, keyed by its place.
    fn placed(&mut self, key: &Text<'_>, entry: Entry<'_>) {
        let Some((_, name)) = key.rsplit_once("node_modules/") else { return };
        if entry.link {
            return;
        }
        let name = entry.name.as_deref().unwrap_or(name).to_owned();
        let line = self.line(key);
        let mut wishes: Vec<String> =
            entry.dependencies.0.iter().map(|(name, _)| name.as_str().to_owned()).collect();
        let others = entry.optional_dependencies.0.iter().chain(&entry.peer_dependencies.0);
        wishes.extend(others.map(|name| name.as_str().to_owned()));
        self.add(key.as_str().to_owned(), &name, line, &entry, wishes);
    }

    /// An entry of version 1's `dependencies`, keyed by its name, with those below it.
    fn nested(&mut self, above: &str, key: &Text<'_>, entry: Entry<'_>) {
        let place = format!("{above}node_modules/{}", key.as_str());
        let version = entry.version.as_deref().unwrap_or_default();
        if !is_local_directory(version) {
            let name = alias_target(version).unwrap_or(key.as_str()).to_owned();
            let wishes = entry.requires.0.iter().map(|name| name.as_str().to_owned()).collect();
            let line = self.line(key);
            self.add(place.clone(), &name, line, &entry, wishes);
        }
        let above = format!("{place}/");
        for (key, entry) in entry.dependencies.0 {
            if let Some(entry) = entry {
                self.nested(&above, &key, *entry);
            }
        }
    }

    fn add(&mut self, place: String, name: &str, line: u32, entry: &Entry<'_>, wishes: Vec<String>) {
        let stated = entry.version.as_deref().unwrap_or_default();
        let source = entry.resolved.as_ref().and_then(|loose| loose.0.as_deref()).unwrap_or(stated);
        // An alias states `npm:real@1.0.0`, a repository its link.
        let version = match stated.strip_prefix("npm:") {
            Some(target) => super::specifier::split(target).map_or(target, |(_, version)| version),
            None => stated,
        };
        let version = if version.contains(':') {
            version.rsplit_once('#').map_or("", |(_, commit)| commit)
        } else {
            version
        };
        if version.is_empty() || !is_name(name) {
            return;
        }
        let mut package = declared(self.file, Ecosystem::Npm, name, version, line);
        package.scope = match (entry.dev, entry.optional || entry.dev_optional) {
            (true, _) => Scope::Development,
            (false, true) => Scope::Optional,
            (false, false) => Scope::Runtime,
        };
        set_source(&mut package, source);
        package.digests = entry.integrity.as_deref().map(integrity::digests).unwrap_or_default();
        let license = entry.license.as_ref().and_then(|loose| loose.0.as_deref());
        package.licenses = license::normalise_all(license);
        self.locked.push(Locked { place, package, wishes });
    }
}

/// Finds for each wish the package that Node would load: the nearest `node_modules` on the way up.
fn resolve(locked: Vec<Locked>) -> Vec<Package> {
    let places: HashMap<&str, (&str, &str)> = locked
        .iter()
        .map(|locked| (&*locked.place, (&*locked.package.name, &*locked.package.version)))
        .collect();
    let resolved: Vec<Vec<_>> = locked
        .iter()
        .map(|locked| {
            let found = locked.wishes.iter().filter_map(|wish| nearest(&places, &locked.place, wish));
            let mut found: Vec<_> = found.map(|(name, version)| dependency(name, Some(version))).collect();
            found.sort_unstable();
            found.dedup();
            found
        })
        .collect();
    locked
        .into_iter()
        .zip(resolved)
        .map(|(locked, dependencies)| Package { dependencies, ..locked.package })
        .collect()
}

fn nearest<'p>(
    places: &HashMap<&str, (&'p str, &'p str)>,
    place: &str,
    wish: &str,
) -> Option<(&'p str, &'p str)> {
    let mut directory = place;
    loop {
        let separator = if directory.is_empty() { "" } else { "/" };
        if let Some(found) = places.get(format!("{directory}{separator}node_modules/{wish}").as_str()) {
            return Some(*found);
        }
        if directory.is_empty() {
            return None;
        }
        directory = directory
            .rfind("node_modules/")
            .map_or("", |at| directory.get(..at).unwrap_or_default().trim_end_matches('/'));
    }
}

/// The whole file: `packages` where there is one, else version 1's `dependencies`.
struct Lockfile<'r, 't>(&'r mut Reader<'t>);

impl<'de> Visitor<'de> for Lockfile<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a lockfile of npm")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match key.as_str() {
                "packages" => map.next_value_seed(Entries(self.0, Form::Placed))?,
                // Version 2 has both, for the sake of old npm; `packages` comes first and says more.
                "dependencies" if self.0.locked.is_empty() => {
                    map.next_value_seed(Entries(self.0, Form::Nested))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Form {
    Placed,
    Nested,
}

struct Entries<'r, 't>(&'r mut Reader<'t>, Form);

impl<'de> serde::de::DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, entry)) = map.next_entry::<Text<'de>, Entry<'de>>()? {
            match self.1 {
                Form::Placed => self.0.placed(&key, entry),
                Form::Nested => self.0.nested("", &key, entry),
            }
        }
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Wishes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Below::deserialize(deserializer)?.0.into_iter().map(|(name, _)| name).collect()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Below<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Below<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of dependencies")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut below = Vec::new();
                while let Some(key) = map.next_key()? {
                    let entry = match map.next_value()? {
                        RangeOrEntry::Entry(entry) => Some(entry),
                        RangeOrEntry::Range => None,
                    };
                    below.push((key, entry));
                }
                Ok(Below(below))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Below::default())
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Below::default())
            }
        }

        deserializer.deserialize_any(Names)
    }
}

enum RangeOrEntry<'a> {
    Range,
    Entry(Box<Entry<'a>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for RangeOrEntry<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RangeOrEntry<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a version range or a package")
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(RangeOrEntry::Range)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(RangeOrEntry::Range)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let entry = Entry::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(RangeOrEntry::Entry(Box::new(entry)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Loose<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Loose(Some(Text(text.into()))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Loose(Some(Text(text.to_owned().into()))))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }

            /// The old `{"type": "MIT"}`.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut text = None;
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    let value = map.next_value::<Loose<'de>>()?;
                    if key.as_str() == "type" {
                        text = value.0;
                    }
                }
                Ok(Loose(text))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(text: &str) -> Vec<Package> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "package-lock.json", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.skipped, []);
        facts.packages
    }

    fn summary(packages: &[Package]) -> Vec<(String, Scope, Option<u32>)> {
        let packages = packages.iter();
        packages.map(|p| (format!("{}@{}", p.name, p.version), p.scope, p.locations[0].start_line)).collect()
    }

    #[test]
    fn version_3_places_packages_by_path() {
        let found = packages(
            r#"{"name": "demo", "lockfileVersion": 3, "requires": true, "packages": {
"": {"name": "demo", "version": "1.0.0", "workspaces": ["packages/*"], "dependencies": {"lod": "npm:lodash@4"}},
"node_modules/@demo/a": {"resolved": "packages/a", "link": true},
"packages/a": {"name": "@demo/a", "version": "0.2.0"},
"node_modules/lod": {"name": "lodash", "version": "4.17.20", "license": "MIT",
  "integrity": "sha1-C/vXUfNNaLcRyL8guClWyv0RFgU=", "dependencies": {"ms": "^2"}},
"node_modules/lod/node_modules/ms": {"version": "2.0.0", "dev": true, "license": {"type": "ISC"}},
"node_modules/ms": {"version": "2.1.3", "optional": true, "peerDependencies": {"lod": "*", "gone": "*"}},
"node_modules/repo": {"version": "1.0.0", "resolved": "git+ssh://git@example.org/r.git#abc", "devOptional": true}
}, "dependencies": {"ignored": {"version": "9.9.9"}}}"#,
        );
        assert_eq!(
            summary(&found),
            [
                ("lodash@4.17.20".into(), Scope::Runtime, Some(5)),
                ("ms@2.0.0".into(), Scope::Development, Some(7)),
                ("ms@2.1.3".into(), Scope::Optional, Some(8)),
                ("repo@1.0.0".into(), Scope::Optional, Some(9)),
            ]
        );
        assert_eq!(found[0].dependencies, [dependency("ms", Some("2.0.0"))]);
        assert_eq!(found[2].dependencies, [dependency("lodash", Some("4.17.20"))]);
        assert_eq!((found[0].digests.len(), &found[0].licenses[..]), (1, &["MIT".to_owned()][..]));
        assert_eq!(found[1].licenses, ["ISC"]);
        assert_eq!(found[3].qualifiers["vcs_url"], "git+ssh://git@example.org/r.git@abc");
    }

    #[test]
    fn version_1_nests() {
        let found = packages(
            r#"{"lockfileVersion": 1, "requires": true, "dependencies": {
"@demo/a": {"version": "file:packages/a", "requires": {"ms": "2.1.2"}, "dependencies": {
  "ms": {"version": "2.1.2"}}},
"lod": {"version": "npm:lodash@4.17.20", "dev": true, "requires": {"ms": "2"}},
"ms": {"version": "2.1.3", "bundled": true},
"repo": {"version": "git+https://example.org/r.git#0123abc", "from": "r"}
}}"#,
        );
        assert_eq!(
            summary(&found),
            [
                ("ms@2.1.2".into(), Scope::Runtime, Some(3)),
                ("lodash@4.17.20".into(), Scope::Development, Some(4)),
                ("ms@2.1.3".into(), Scope::Runtime, Some(5)),
                ("repo@0123abc".into(), Scope::Runtime, Some(6)),
            ]
        );
        assert_eq!(found[1].dependencies, [dependency("ms", Some("2.1.3"))]);
    }

    #[test]
    fn what_was_read_before_a_break_stays_and_the_break_is_told() {
        let mut facts = Facts::default();
        let text = br#"{"packages": {"node_modules/a": {"version": "1.0.0"}, "node_modules/b": {"ver"#;
        read(EvidenceFile { path: "package-lock.json", mode: 0, size: 0 }, text, &mut facts);
        assert_eq!(facts.packages.len(), 1);
        assert_eq!(facts.skipped[0].reason, SkipReason::Truncated);
    }
}
