//! Conan (C and C++): `conan.lock` of Conan 1 and 2, and the exact references of `conanfile.txt`.

use yagura_model::package::Scope;
use yagura_model::{Ecosystem, Package};

use super::structured::{MAX_LOCKFILE, declared, depend, dependency, json};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};
use crate::document::{self, Node};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "conan-lock",
        selects: &[Select::Name("conan.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(read_lock),
    },
    Cataloguer {
        name: "conanfile",
        selects: &[Select::Name("conanfile.txt")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(read_conanfile),
    },
];

fn read_lock(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let nodes = root.at(&["graph_lock", "nodes"]).map(Node::entries).unwrap_or_default();
    for node in nodes {
        let Some(stated) = node.value.get("ref") else { continue };
        let build = node.value.text_of("context") == Some("build");
        let scope = if build { Scope::Build } else { Scope::Runtime };
        let Some(mut package) = stated.string().and_then(|text| package(file, text, stated.span.line, scope))
        else {
            continue;
        };
        let wishes = node.value.get("requires").map(Node::items).unwrap_or_default();
        for wish in wishes.iter().filter_map(Node::scalar) {
            let found = nodes.iter().find(|node| node.key.scalar() == Some(wish));
            if let Some(found) = found.and_then(|node| Reference::parse(node.value.text_of("ref")?)) {
                depend(&mut package, dependency(found.name, Some(found.version)));
            }
        }
        facts.packages.push(package);
    }
    let sections =
        [("requires", Scope::Runtime), ("build_requires", Scope::Build), ("python_requires", Scope::Build)];
    for (section, scope) in sections {
        for item in root.get(section).map(Node::items).unwrap_or_default() {
            facts.packages.extend(item.string().and_then(|text| package(file, text, item.span.line, scope)));
        }
    }
}

fn read_conanfile(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let mut scope = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let content = line.split('#').next().unwrap_or(line).trim();
        if content.starts_with('[') && content.ends_with(']') && !content.contains('/') {
            scope = match content {
                "[requires]" => Some(Scope::Runtime),
                "[build_requires]" | "[tool_requires]" => Some(Scope::Build),
                "[test_requires]" => Some(Scope::Test),
                _ => None,
            };
        } else if let Some(scope) = scope {
            // A revision follows `#`, which also starts comments.
            let reference = line.split_whitespace().next().unwrap_or_default();
            facts.packages.extend(package(file, reference, number, scope));
        }
    }
}

fn package(file: EvidenceFile<'_>, text: &str, line: u32, scope: Scope) -> Option<Package> {
    let reference = Reference::parse(text)?;
    let mut package = declared(file, Ecosystem::Conan, reference.name, reference.version, line);
    package.scope = scope;
    for (key, value) in
        [("user", reference.user), ("channel", reference.channel), ("rrev", reference.revision)]
    {
        if !matches!(value, "" | "_") {
            package.qualifiers.insert(key.to_owned(), value.to_owned());
        }
    }
    Some(package)
}

/// `name/version@user/channel#revision%timestamp`, or with `:package#revision` behind.
struct Reference<'a> {
    name: &'a str,
    version: &'a str,
    user: &'a str,
    channel: &'a str,
    revision: &'a str,
}

impl<'a> Reference<'a> {
    /// `None` for version ranges (`[>=1.0]`) and what is no reference.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.split(['%', ':']).next()?.trim();
        let (recipe, revision) = text.split_once('#').unwrap_or((text, ""));
        let (package, place) = recipe.split_once('@').unwrap_or((recipe, ""));
        let (name, version) = package.split_once('/')?;
        let (user, channel) = place.split_once('/').unwrap_or((place, ""));
        let exact = !name.is_empty() && !version.is_empty() && !version.starts_with('[');
        exact.then_some(Self { name, version, user, channel, revision })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(read: fn(EvidenceFile<'_>, &[u8], &mut Facts), text: &str) -> Vec<(String, Scope, Option<u32>)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "conan.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let packages = facts.packages.iter();
        packages.map(|p| (p.purl().unwrap().to_string(), p.scope, p.locations[0].start_line)).collect()
    }

    #[test]
    fn both_locks_and_the_conanfile() {
        let one = "{\"graph_lock\": {\"nodes\": {\n\"0\": {\"ref\": \"app/1.0\", \"requires\": [\"1\"]},\n\
            \"1\": {\"ref\": \"zlib/1.2.11@conan/stable#0123\", \"context\": \"host\"}}}, \"version\": \"0.4\"}";
        assert_eq!(
            found(read_lock, one),
            [
                ("pkg:conan/app@1.0".into(), Scope::Runtime, Some(2)),
                ("pkg:conan/zlib@1.2.11?channel=stable&rrev=0123&user=conan".into(), Scope::Runtime, Some(3)),
            ]
        );
        let two = "{\"version\": \"0.5\", \"requires\": [\n\"zlib/1.2.13#0123%1692.09\"],\n\"build_requires\": [\"cmake/3.27\"]}";
        assert_eq!(
            found(read_lock, two),
            [
                ("pkg:conan/zlib@1.2.13?rrev=0123".into(), Scope::Runtime, Some(2)),
                ("pkg:conan/cmake@3.27".into(), Scope::Build, Some(3)),
            ]
        );
        let file = "# mine\n[requires]\npoco/1.9.4\nfmt/[>9]\nzlib/1.3@ # why\n[tool_requires]\ncmake/3.27#0123\n[options]\na/b\n";
        assert_eq!(
            found(read_conanfile, file),
            [
                ("pkg:conan/poco@1.9.4".into(), Scope::Runtime, Some(3)),
                ("pkg:conan/zlib@1.3".into(), Scope::Runtime, Some(5)),
                ("pkg:conan/cmake@3.27?rrev=0123".into(), Scope::Build, Some(7)),
            ]
        );
    }
}
