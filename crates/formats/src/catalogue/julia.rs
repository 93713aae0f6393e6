//! Julia: `Manifest.toml`, formats 1 and 2. Packages without a version are Julia's own standard library.

use yagura_model::Ecosystem;

use super::structured::{MAX_LOCKFILE, declared, depend, dependency, resolve_dependencies, toml};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};
use crate::document::{self, Node};

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "julia-manifest",
    selects: &[
        Select::Name("Manifest.toml"),
        Select::NameAround("Manifest-v", ".toml"),
        Select::Name("JuliaManifest.toml"),
    ],
    max_bytes: MAX_LOCKFILE,
    reads: Reads::Whole(read),
}];

fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = toml(file, &text, facts) else { return };
    // Format 1 has the packages at the root.
    let packages = if root.get("manifest_format").is_some() { root.get("deps") } else { Some(&root) };
    let start = facts.packages.len();
    for named in packages.map(Node::entries).unwrap_or_default() {
        let Some(name) = named.key.string() else { continue };
        for entry in named.value.items() {
            let (Some(uuid), Some(version)) = (entry.get("uuid"), entry.text_of("version")) else { continue };
            if name.is_empty() || version.is_empty() || entry.get("path").is_some() {
                continue;
            }
            let mut package = declared(file, Ecosystem::Julia, name, version, uuid.span.line);
            // The purl specification demands it: names alone are not unique.
            package.qualifiers.insert("uuid".to_owned(), uuid.scalar().unwrap_or_default().to_owned());
            if let Some(repository) = entry.text_of("repo-url") {
                package.qualifiers.insert("vcs_url".to_owned(), format!("git+{repository}"));
            }
            if let Some(wishes) = entry.get("deps") {
                // A list of names, or names with UUIDs where a name is ambiguous.
                let listed = wishes.items().iter().filter_map(Node::string);
                let keyed = wishes.entries().iter().filter_map(|wish| wish.key.string());
                for wish in listed.chain(keyed) {
                    depend(&mut package, dependency(wish, None));
                }
            }
            facts.packages.push(package);
        }
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "Manifest.toml", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let packages = facts.packages.iter();
        packages.map(|p| (p.purl().unwrap().to_string(), p.dependencies.len())).collect()
    }

    #[test]
    fn both_formats() {
        let expected = [("pkg:julia/JSON@0.21.4?uuid=682c06a0-de6a-54ab-a142-c8b1cf79cde6".to_owned(), 2)];
        let body = "deps = [\"Dates\", \"Mmap\"]\nuuid = \"682c06a0-de6a-54ab-a142-c8b1cf79cde6\"\nversion = \"0.21.4\"\n";
        let library = "uuid = \"ade2ca70-3891-5945-98fb-dc099432e06a\"\n";
        assert_eq!(
            found(&format!(
                "julia_version = \"1.10.0\"\nmanifest_format = \"2.0\"\n[[deps.JSON]]\n{body}[[deps.Dates]]\n{library}"
            )),
            expected
        );
        assert_eq!(found(&format!("[[JSON]]\n{body}[[Dates]]\n{library}")), expected);
    }
}
