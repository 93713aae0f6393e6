//! Python lockfiles written in TOML: `poetry.lock`, `pdm.lock` and `pylock.toml` (PEP 751). Packages that are the
//! project's own directories are left out: no registry knows them under their version.

use yagura_model::package::Scope;
use yagura_model::{Digest, Ecosystem, Package};

use super::normalise_name;
use super::requirement::Requirement;
use super::requirements::digest;
use crate::catalogue::structured::{declared, depend, dependency, resolve_dependencies, toml};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

/// Written by Poetry 0.12 to 2.x (lock versions 0 to 2.1).
pub(super) fn read_poetry(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = toml(file, &text, facts) else { return };
    let start = facts.packages.len();
    for entry in items(&root, "package") {
        let source = entry.get("source");
        if source.and_then(|source| source.text_of("type")) == Some("directory") {
            continue;
        }
        let Some(mut package) = package(file, entry) else { continue };
        package.scope = if entry.text_of("category") == Some("dev") {
            Scope::Development
        } else {
            group_scope(items(entry, "groups"), &["main"], entry.flag("optional"))
        };
        if let Some(source) = source.filter(|source| source.text_of("type") == Some("git")) {
            let revision = source.text_of("resolved_reference").or_else(|| source.text_of("reference"));
            set_repository(&mut package, source.text_of("url"), revision);
        }
        package.digests = file_digests(items(entry, "files"));
        if package.digests.is_empty() {
            // Up to lock version 1.1 the files stand in one table at the end.
            let files = root.at(&["metadata", "files"]).and_then(|files| files.get(entry.text_of("name")?));
            package.digests = file_digests(files.map(Node::items).unwrap_or_default());
        }
        for wish in entry.get("dependencies").map(Node::entries).unwrap_or_default() {
            if let Some(name) = wish.key.string() {
                depend(&mut package, dependency(normalise_name(name), None));
            }
        }
        facts.packages.push(package);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// Written by PDM (lock versions 2 to 4.5).
pub(super) fn read_pdm(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = toml(file, &text, facts) else { return };
    let start = facts.packages.len();
    for entry in items(&root, "package") {
        if entry.get("path").is_some() {
            continue;
        }
        let Some(mut package) = package(file, entry) else { continue };
        package.scope = group_scope(items(entry, "groups"), &["default"], false);
        set_repository(&mut package, entry.text_of("git"), entry.text_of("revision"));
        package.digests = file_digests(items(entry, "files"));
        wishes(&mut package, items(entry, "dependencies"));
        // A package with extras stands twice, once for its own sake.
        match facts
            .packages
            .get_mut(start..)
            .unwrap_or_default()
            .iter_mut()
            .find(|known| known.name == package.name && known.version == package.version)
        {
            Some(known) => {
                for wish in package.dependencies.into_iter().filter(|wish| wish.name != package.name) {
                    depend(known, wish);
                }
            }
            None => facts.packages.push(package),
        }
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// PEP 751, lock version 1.0.
pub(super) fn read_pylock(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = toml(file, &text, facts) else { return };
    let start = facts.packages.len();
    for entry in items(&root, "packages") {
        if entry.get("directory").is_some() {
            continue;
        }
        let Some(mut package) = package(file, entry) else { continue };
        let marker = entry.text_of("marker").unwrap_or_default();
        package.scope = if marker.contains("dependency_groups") {
            Scope::Development
        } else if marker.contains("extras") {
            Scope::Optional
        } else {
            Scope::Runtime
        };
        if let Some(vcs) = entry.get("vcs") {
            set_repository(&mut package, vcs.text_of("url"), vcs.text_of("commit-id"));
        }
        let archives =
            entry.get("sdist").into_iter().chain(entry.get("archive")).chain(items(entry, "wheels"));
        for hash in archives.filter_map(|archive| archive.get("hashes")).flat_map(Node::entries) {
            let stated = hash.key.string().zip(hash.value.string());
            package.digests.extend(stated.and_then(|(name, hex)| digest(&format!("{name}:{hex}"))));
        }
        for wish in items(entry, "dependencies") {
            if let Some(name) = wish.text_of("name") {
                depend(&mut package, dependency(normalise_name(name), wish.text_of("version")));
            }
        }
        facts.packages.push(package);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// The package of an entry that has a name and a version.
pub(super) fn package(file: EvidenceFile<'_>, entry: &Node<'_>) -> Option<Package> {
    let name = entry.get("name")?;
    let version = entry.text_of("version").filter(|version| !version.is_empty())?;
    Some(declared(file, Ecosystem::Pypi, &normalise_name(name.string()?), version, name.span.line))
}

pub(super) fn items<'n, 'a>(node: &'n Node<'a>, key: &str) -> &'n [Node<'a>] {
    node.get(key).map(Node::items).unwrap_or_default()
}

/// Notes that a package was taken from a git repository (purl's `vcs_url`, in the form SPDX gives it).
pub(super) fn set_repository(package: &mut Package, url: Option<&str>, revision: Option<&str>) {
    let Some(url) = url else { return };
    let scheme = if url.starts_with("git+") { "" } else { "git+" };
    let revision = revision.map(|revision| format!("@{revision}")).unwrap_or_default();
    package.qualifiers.insert("vcs_url".to_owned(), format!("{scheme}{url}{revision}"));
}

/// Runtime when one of the default groups asks for it, or when no group is named at all.
fn group_scope(groups: &[Node<'_>], default: &[&str], optional: bool) -> Scope {
    let in_default = groups.iter().any(|group| group.string().is_some_and(|group| default.contains(&group)));
    match (groups.is_empty() || in_default, optional) {
        (false, _) => Scope::Development,
        (true, true) => Scope::Optional,
        (true, false) => Scope::Runtime,
    }
}

fn file_digests(files: &[Node<'_>]) -> Vec<Digest> {
    files.iter().filter_map(|file| digest(file.text_of("hash")?)).collect()
}

fn wishes(package: &mut Package, wishes: &[Node<'_>]) {
    for wish in wishes.iter().filter_map(|wish| Requirement::parse(wish.string()?)) {
        depend(package, wish.dependency());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(EvidenceFile<'_>, &[u8], &mut Facts);

    fn packages(read: Read, text: &str) -> Vec<Package> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "x.lock", mode: 0o644, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.skipped, []);
        facts.packages
    }

    fn summary(packages: &[Package]) -> Vec<(String, Scope, Option<u32>, usize)> {
        packages
            .iter()
            .map(|p| {
                (format!("{}@{}", p.name, p.version), p.scope, p.locations[0].start_line, p.digests.len())
            })
            .collect()
    }

    const HASH: &str = "59bb03251907983d1603d27c3087ddb1e93299ea2163adcdba37899a4fb12ffb";

    #[test]
    fn poetry() {
        let found = packages(
            read_poetry,
            &format!(
                "[[package]]\nname = \"Any.IO\"\nversion = \"4.16.0\"\noptional = false\ngroups = [\"main\", \"dev\"]\n\
                 files = [\n    {{file = \"a.whl\", hash = \"sha256:{HASH}\"}},\n]\n\n[package.dependencies]\n\
                 idna = \">=2.8\"\ntyping_extensions = {{version = \">=4\", markers = \"python_version < '3.15'\"}}\n\n\
                 [[package]]\nname = \"idna\"\nversion = \"3.20\"\noptional = true\ngroups = [\"main\"]\n\n\
                 [[package]]\nname = \"pytest\"\nversion = \"8\"\ncategory = \"dev\"\n\n\
                 [[package]]\nname = \"tool\"\nversion = \"1\"\ngroups = [\"lint\"]\n[package.source]\ntype = \"git\"\n\
                 url = \"https://example.org/t.git\"\nresolved_reference = \"abc\"\n\n\
                 [[package]]\nname = \"own\"\nversion = \"1\"\n[package.source]\ntype = \"directory\"\nurl = \"lib\"\n\n\
                 [metadata.files]\nidna = [{{file = \"i.whl\", hash = \"sha256:{HASH}\"}}]\n"
            ),
        );
        assert_eq!(
            summary(&found),
            [
                ("any-io@4.16.0".into(), Scope::Runtime, Some(2), 1),
                ("idna@3.20".into(), Scope::Optional, Some(15), 1),
                ("pytest@8".into(), Scope::Development, Some(21), 0),
                ("tool@1".into(), Scope::Development, Some(26), 0),
            ]
        );
        assert_eq!(
            found[0].dependencies,
            [dependency("idna", Some("3.20")), dependency("typing-extensions", None)]
        );
        assert_eq!(found[3].qualifiers["vcs_url"], "git+https://example.org/t.git@abc");
    }

    #[test]
    fn pdm() {
        let found = packages(
            read_pdm,
            &format!(
                "[metadata]\ngroups = [\"default\", \"dev\"]\nlock_version = \"4.5.0\"\n\n[[package]]\nname = \"coverage\"\n\
                 version = \"7.4\"\ngroups = [\"dev\"]\nfiles = [{{file = \"c.whl\", hash = \"sha256:{HASH}\"}}]\n\n\
                 [[package]]\nname = \"coverage\"\nversion = \"7.4\"\nextras = [\"toml\"]\ngroups = [\"dev\"]\n\
                 dependencies = [\"coverage==7.4\", \"tomli; python_full_version <= '3.11'\"]\n\n\
                 [[package]]\nname = \"tomli\"\nversion = \"2.0\"\ngroups = [\"default\"]\n"
            ),
        );
        assert_eq!(
            summary(&found),
            [
                ("coverage@7.4".into(), Scope::Development, Some(6), 1),
                ("tomli@2.0".into(), Scope::Runtime, Some(19), 0),
            ]
        );
        assert_eq!(found[0].dependencies, [dependency("tomli", Some("2.0"))]);
    }

    #[test]
    fn pylock() {
        let found = packages(
            read_pylock,
            &format!(
                "lock-version = \"1.0\"\n[[packages]]\nname = \"anyio\"\nversion = \"4.16.0\"\n\
                 sdist = {{ url = \"u\", upload-time = 2026-11-01T11:20:07Z, hashes = {{ sha256 = \"{HASH}\" }} }}\n\
                 wheels = [{{ url = \"u\", hashes = {{ sha256 = \"{HASH}\" }} }}]\n\
                 [[packages]]\nname = \"pytest\"\nversion = \"8\"\nmarker = \"'dev' in dependency_groups\"\n\
                 [[packages]]\nname = \"own\"\ndirectory = {{ path = \".\" }}\n"
            ),
        );
        assert_eq!(
            summary(&found),
            [
                ("anyio@4.16.0".into(), Scope::Runtime, Some(3), 2),
                ("pytest@8".into(), Scope::Development, Some(8), 0),
            ]
        );
    }
}
