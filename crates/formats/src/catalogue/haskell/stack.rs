//! Packages that Stack takes besides its snapshot: `name-1.2.3@sha256:…,size`, in `stack.yaml` under `extra-deps`, in
//! `stack.yaml.lock` under `packages`. The snapshot's own packages are in neither file.

use yagura_model::Ecosystem;

use crate::catalogue::structured::{declared, yaml};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document::{self, Node};

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = yaml(file, &text, facts) else { return };
    let locked = root.get("packages").map(Node::items).unwrap_or_default();
    let locked = locked.iter().filter_map(|package| package.at(&["completed", "hackage"]));
    let wanted = root.get("extra-deps").map(Node::items).unwrap_or_default();
    for node in locked.chain(wanted) {
        if let Some((name, version)) = node.string().and_then(identity) {
            facts.packages.push(declared(file, Ecosystem::Hackage, name, version, node.span.line));
        }
    }
}

/// `name-with-dashes-1.2.3@…` as name and version.
fn identity(text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.split('@').next()?.rsplit_once('-')?;
    let exact = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (exact && !name.is_empty() && !name.contains(['/', ':', '.'])).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_and_project() {
        for text in [
            "packages:\n- completed:\n    hackage: http-client-0.7.13@sha256:abc,5291\n  original:\n    hackage: http-client-0.7.13\n\
             snapshots:\n- original: lts-20.0\n",
            "resolver: lts-20.0\npackages:\n- extra-deps:\n- .\nextra-deps:\n- http-client-0.7.13@sha256:abc,5291\n- ./own-1.0\n\
             - git: https://example.org/x.git\n  commit: abc\n",
        ] {
            let mut facts = Facts::default();
            read(EvidenceFile { path: "stack.yaml", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
            let found: Vec<_> = facts.packages.iter().map(|p| p.purl().unwrap().to_string()).collect();
            assert_eq!(found, ["pkg:hackage/http-client@0.7.13"]);
        }
    }
}
