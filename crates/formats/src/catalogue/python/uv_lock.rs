//! `uv.lock`. It does not say what a package is for: that is found by walking from the project's own packages through
//! what they need, what their extras need and what their dependency groups need.

use std::collections::HashMap;

use yagura_model::package::Scope;

use super::normalise_name;
use super::requirements::digest;
use super::toml_locks::{items, package, set_repository};
use crate::catalogue::structured::{depend, dependency, resolve_dependencies, toml};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = toml(file, &text, facts) else { return };
    let entries = items(&root, "package");
    let scopes = scopes(entries);
    let start = facts.packages.len();
    for (entry, scope) in entries.iter().zip(scopes) {
        if is_own(entry) {
            continue;
        }
        let Some(mut package) = package(file, entry) else { continue };
        // What nothing reaches is another platform's or an older uv's: taken as needed.
        package.scope = scope.unwrap_or(Scope::Runtime);
        if let Some((url, revision)) = entry.at(&["source", "git"]).and_then(Node::string).map(split_git) {
            set_repository(&mut package, Some(url), revision);
        }
        let archives = entry.get("sdist").into_iter().chain(items(entry, "wheels"));
        package.digests = archives.filter_map(|archive| digest(archive.text_of("hash")?)).collect();
        for wish in items(entry, "dependencies") {
            if let Some(name) = wish.text_of("name") {
                depend(&mut package, dependency(normalise_name(name), wish.text_of("version")));
            }
        }
        facts.packages.push(package);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// The project itself, a member of its workspace or another local directory.
fn is_own(entry: &Node<'_>) -> bool {
    entry.get("source").is_some_and(|source| {
        ["virtual", "editable", "directory"].iter().any(|kind| source.get(kind).is_some())
    })
}

/// `https://example.org/x.git?rev=main#0123…` as repository and commit.
fn split_git(source: &str) -> (&str, Option<&str>) {
    let (link, commit) = source.split_once('#').map_or((source, None), |(link, commit)| (link, Some(commit)));
    (link.split('?').next().unwrap_or(link), commit)
}

/// For each entry the nearest of runtime, optional and development by which it is reached.
fn scopes(entries: &[Node<'_>]) -> Vec<Option<Scope>> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, entry) in entries.iter().enumerate() {
        by_name.entry(entry.text_of("name").unwrap_or_default()).or_default().push(index);
    }
    let own = || entries.iter().filter(|entry| is_own(entry));
    let extras = own().filter_map(|entry| entry.get("optional-dependencies")).flat_map(Node::entries);
    let groups = own()
        .filter_map(|entry| entry.get("dev-dependencies").or_else(|| entry.get("dependency-groups")))
        .flat_map(Node::entries);
    let wishes: [(Scope, Vec<&Node<'_>>); 3] = [
        (Scope::Runtime, own().flat_map(|entry| items(entry, "dependencies")).collect()),
        (Scope::Optional, extras.flat_map(|extra| extra.value.items()).collect()),
        (Scope::Development, groups.flat_map(|group| group.value.items()).collect()),
    ];
    let mut scopes = vec![None; entries.len()];
    // An entry is visited once for itself and once for each of its extras.
    let mut seen: std::collections::HashSet<(usize, &str)> = std::collections::HashSet::new();
    for (scope, mut waiting) in wishes {
        while let Some(wish) = waiting.pop() {
            let version = wish.text_of("version");
            for index in by_name.get(wish.text_of("name").unwrap_or_default()).into_iter().flatten().copied()
            {
                let Some(entry) = entries.get(index) else { continue };
                if version.is_some() && version != entry.text_of("version") {
                    continue;
                }
                if let Some(slot) = scopes.get_mut(index) {
                    slot.get_or_insert(scope);
                }
                if seen.insert((index, "")) {
                    waiting.extend(items(entry, "dependencies"));
                }
                for extra in items(wish, "extra").iter().filter_map(Node::string) {
                    let Some(needed) = entry.at(&["optional-dependencies", extra]) else { continue };
                    if seen.insert((index, extra)) {
                        waiting.extend(needed.items());
                    }
                }
            }
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_follow_from_the_project() {
        let text = r#"version = 1

[[package]]
name = "demo"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "flask", extra = ["async"] }]
[package.optional-dependencies]
fast = [{ name = "orjson" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]

[[package]]
name = "asgiref"
version = "3.13.0"
source = { registry = "https://example.org/simple" }
sdist = { url = "u", hash = "sha256:034cc8cbf72d00553b4be256703ac545120b4e50af13b49dec99da899aeeecb4" }

[[package]]
name = "flask"
version = "3.1.3"
source = { git = "https://example.org/flask.git?rev=main#abc" }
[package.optional-dependencies]
async = [{ name = "asgiref", version = "3.13.0" }]

[[package]]
name = "orjson"
version = "3.0"
source = { registry = "https://example.org/simple" }

[[package]]
name = "pytest"
version = "8.0"
source = { registry = "https://example.org/simple" }
dependencies = [{ name = "flask" }]
"#;
        let mut facts = Facts::default();
        read(EvidenceFile { path: "uv.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.scope, p.locations[0].start_line, p.digests.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("asgiref", Scope::Runtime, Some(14), 1),
                ("flask", Scope::Runtime, Some(20), 0),
                ("orjson", Scope::Optional, Some(27), 0),
                ("pytest", Scope::Development, Some(32), 0)
            ]
        );
        assert_eq!(facts.packages[1].qualifiers["vcs_url"], "git+https://example.org/flask.git@abc");
        assert_eq!(facts.packages[3].dependencies[0].version.as_deref(), Some("3.1.3"));
    }
}
