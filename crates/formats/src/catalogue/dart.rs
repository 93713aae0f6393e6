//! Dart and Flutter: `pubspec.lock`.

use yagura_model::package::Scope;
use yagura_model::{Digest, Ecosystem};

use super::structured::{MAX_LOCKFILE, declared, yaml};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};
use crate::document::{self, Node};

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "dart-pubspec-lock",
    selects: &[Select::Name("pubspec.lock")],
    max_bytes: MAX_LOCKFILE,
    reads: Reads::Whole(read),
}];

/// Packages of the SDK and of the project's own directories have no version of their own and are left out.
fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    const REGISTRIES: [&str; 3] = ["https://pub.dev", "https://pub.dartlang.org", "http://pub.dartlang.org"];
    let text = document::decode(bytes);
    let Some(root) = yaml(file, &text, facts) else { return };
    for entry in root.get("packages").map(Node::entries).unwrap_or_default() {
        let (Some(name), Some(version)) = (entry.key.string(), entry.value.text_of("version")) else {
            continue;
        };
        let source = entry.value.text_of("source").unwrap_or("hosted");
        if name.is_empty() || version.is_empty() || matches!(source, "sdk" | "path") {
            continue;
        }
        let mut package = declared(file, Ecosystem::Pub, name, version, entry.key.span.line);
        if entry.value.text_of("dependency").is_some_and(|kind| kind.contains("dev")) {
            package.scope = Scope::Development;
        }
        if let Some(description) = entry.value.get("description") {
            let checksum = description.text_of("sha256").map(|hex| format!("sha256:{hex}"));
            package.digests.extend(checksum.and_then(|text| text.parse::<Digest>().ok()));
            let url = description.text_of("url").unwrap_or_default();
            if source == "git" {
                let commit = description.text_of("resolved-ref").unwrap_or_default();
                package.qualifiers.insert("vcs_url".to_owned(), format!("git+{url}@{commit}"));
            } else if !url.is_empty() && !REGISTRIES.contains(&url) {
                package.qualifiers.insert("repository_url".to_owned(), url.to_owned());
            }
        }
        facts.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosted_and_git_packages() {
        let hash = "ab".repeat(32);
        let text = format!(
            "packages:\n  async:\n    dependency: transitive\n    description:\n      name: async\n      sha256: \"{hash}\"\n      \
             url: \"https://pub.dev\"\n    source: hosted\n    version: \"2.11.0\"\n  lints:\n    dependency: \"direct dev\"\n    \
             description:\n      name: lints\n      url: \"https://pub.example.org\"\n    source: hosted\n    version: \"3.0.0\"\n  \
             own:\n    dependency: \"direct main\"\n    description:\n      path: \"../own\"\n    source: path\n    version: \"1.0.0\"\n  \
             flutter:\n    dependency: \"direct main\"\n    description: flutter\n    source: sdk\n    version: \"0.0.0\"\n\
             sdks:\n  dart: \">=3.0.0 <4.0.0\"\n"
        );
        let mut facts = Facts::default();
        read(EvidenceFile { path: "pubspec.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| {
                (format!("{}@{}", p.name, p.version), p.scope, p.locations[0].start_line, p.digests.len())
            })
            .collect();
        assert_eq!(
            found,
            [
                ("async@2.11.0".into(), Scope::Runtime, Some(2), 1),
                ("lints@3.0.0".into(), Scope::Development, Some(10), 0),
            ]
        );
        assert_eq!(facts.packages[1].qualifiers["repository_url"], "https://pub.example.org");
    }
}
