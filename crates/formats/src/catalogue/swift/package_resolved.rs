//! `Package.resolved`, versions 1 to 3. A package is named by its repository, `github.com/apple/swift-nio`.

use yagura_model::Ecosystem;

use crate::catalogue::structured::{declared, json};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = json(file, &text, facts) else { return };
    let pins = root.get("pins").or_else(|| root.at(&["object", "pins"]));
    for pin in pins.map(Node::items).unwrap_or_default() {
        let Some(location) = pin.get("location").or_else(|| pin.get("repositoryURL")) else { continue };
        // Version 3 also pins packages of registries, which have no repository.
        let identity = pin.text_of("identity").unwrap_or_default();
        let name = location.string().and_then(repository).unwrap_or_else(|| identity.to_owned());
        let Some(state) = pin.get("state") else { continue };
        let Some(version) = state.text_of("version").or_else(|| state.text_of("revision")) else { continue };
        if !name.is_empty() && !version.is_empty() {
            facts.packages.push(declared(file, Ecosystem::Swift, &name, version, location.span.line));
        }
    }
}

/// `https://github.com/apple/swift-nio.git` or `git@github.com:apple/swift-nio.git` as `github.com/apple/swift-nio`.
fn repository(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.rsplit_once('@').map_or(rest, |(_, rest)| rest).to_owned(),
        None => url.rsplit_once('@').map_or(url, |(_, rest)| rest).replacen(':', "/", 1),
    };
    let path = path.trim_end_matches('/').trim_end_matches(".git");
    path.contains('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, Option<u32>)> {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "Package.resolved", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let packages = facts.packages.iter();
        packages.map(|p| (p.purl().unwrap().to_string(), p.locations[0].start_line)).collect()
    }

    #[test]
    fn all_versions() {
        let expected = [("pkg:swift/github.com/apple/swift-nio@2.62.0".to_owned(), Some(2))];
        assert_eq!(
            found(
                "{\"object\": {\"pins\": [{\"package\": \"swift-nio\",\n\"repositoryURL\": \"https://github.com/apple/swift-nio.git\",
                \"state\": {\"branch\": null, \"revision\": \"abc\", \"version\": \"2.62.0\"}}]}, \"version\": 1}"
            ),
            expected
        );
        assert_eq!(
            found(
                "{\"pins\": [{\"identity\": \"swift-nio\", \"kind\": \"remoteSourceControl\",\n\"location\": \"git@github.com:apple/swift-nio.git\",
                \"state\": {\"revision\": \"abc\", \"version\": \"2.62.0\"}},
                {\"identity\": \"b\", \"location\": \"https://example.org/a/b\", \"state\": {\"branch\": \"main\", \"revision\": \"abc\"}}],
                \"version\": 2}"
            ),
            [expected[0].clone(), ("pkg:swift/example.org/a/b@abc".to_owned(), Some(4))]
        );
    }
}
