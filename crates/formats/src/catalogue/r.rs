//! R: installed packages (`DESCRIPTION` with a `Built` field) and `renv.lock`.

use yagura_model::{Ecosystem, Package};

use super::structured::{
    MAX_LOCKFILE, MAX_METADATA, declared, depend, dependency, json, resolve_dependencies,
};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, license};
use crate::document::{self, Node};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "r-description",
        selects: &[Select::Name("DESCRIPTION")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(read_description),
    },
    Cataloguer {
        name: "r-renv-lock",
        selects: &[Select::Name("renv.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(read_renv),
    },
];

/// A file in Debian control format. R adds `Built` when it installs a package; without it the file is a source tree's.
fn read_description(_: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name, value.trim().to_owned()));
        }
    }
    let field =
        |wanted: &str| fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
    let (Some(name), Some(version), Some(_)) = (field("Package"), field("Version"), field("Built")) else {
        return;
    };
    if name.is_empty() || version.is_empty() {
        return;
    }
    let mut package = Package::new(Ecosystem::Cran, name, version);
    package.licenses = license::normalise_all(field("License"));
    package.supplier = field("Maintainer").or_else(|| field("Author")).unwrap_or_default().to_owned();
    for wish in
        ["Depends", "Imports", "LinkingTo"].into_iter().filter_map(field).flat_map(|list| list.split(','))
    {
        let name = wish.split('(').next().unwrap_or(wish).trim();
        if !name.is_empty() && name != "R" {
            depend(&mut package, dependency(name, None));
        }
    }
    facts.packages.push(package);
}

fn read_renv(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let start = facts.packages.len();
    for entry in root.get("Packages").map(Node::entries).unwrap_or_default() {
        let name = entry.value.text_of("Package").or(entry.key.string()).unwrap_or_default();
        let version = entry.value.text_of("Version").unwrap_or_default();
        if name.is_empty() || version.is_empty() {
            continue;
        }
        let mut package = declared(file, Ecosystem::Cran, name, version, entry.key.span.line);
        if let (Some(host), Some(user), Some(repository)) = (
            entry.value.text_of("RemoteHost"),
            entry.value.text_of("RemoteUsername"),
            entry.value.text_of("RemoteRepo"),
        ) {
            let host = if host == "api.github.com" { "github.com" } else { host };
            let commit = entry.value.text_of("RemoteSha").map(|sha| format!("@{sha}")).unwrap_or_default();
            let url = format!("git+https://{host}/{user}/{repository}{commit}");
            package.qualifiers.insert("vcs_url".to_owned(), url);
        }
        for wish in entry.value.get("Requirements").map(Node::items).unwrap_or_default() {
            if let Some(name) = wish.string().filter(|name| *name != "R") {
                depend(&mut package, dependency(name, None));
            }
        }
        facts.packages.push(package);
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
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
    fn only_installed_descriptions_count() {
        let text = "Package: jsonlite\nVersion: 1.8.8\nLicense: MIT + file LICENSE\nDepends: R (>= 3), methods\n\
                    Imports: a,\n    b (>= 1)\nMaintainer: J <j@example.org>\n";
        assert_eq!(facts(read_description, text).packages, []);
        let found =
            facts(read_description, &format!("{text}Built: R 4.3.1; x86_64-pc-linux-gnu; 2024; unix\n"));
        let package = &found.packages[0];
        assert_eq!(package.purl().unwrap().as_str(), "pkg:cran/jsonlite@1.8.8");
        assert_eq!(package.dependencies.len(), 3);
        assert_eq!(package.licenses, ["MIT"]);
    }

    #[test]
    fn renv_packages() {
        let text = r#"{"R": {"Version": "4.3.1"}, "Packages": {
"jsonlite": {"Package": "jsonlite", "Version": "1.8.8", "Source": "Repository", "Requirements": ["R", "b"]},
"b": {"Package": "b", "Version": "0.1", "Source": "GitHub", "RemoteHost": "api.github.com", "RemoteUsername": "u",
  "RemoteRepo": "b", "RemoteSha": "abc"}}}"#;
        let found = facts(read_renv, text);
        assert_eq!(found.packages[0].dependencies, [dependency("b", Some("0.1"))]);
        assert_eq!(found.packages[1].qualifiers["vcs_url"], "git+https://github.com/u/b@abc");
        assert_eq!(found.packages[1].locations[0].start_line, Some(3));
    }
}
