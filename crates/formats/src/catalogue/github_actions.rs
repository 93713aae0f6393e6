//! GitHub Actions: what workflows and composite actions call with `uses:`.
//!
//! A pin to a commit names no version, but the custom is to write the version behind it as a comment
//! (`uses: a/b@0123… # v4.1.0`); that is then the version, and the commit stays as a qualifier.

use yagura_model::Ecosystem;
use yagura_model::package::Scope;

use super::structured::{MAX_METADATA, declared, yaml};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};
use crate::document::{self, Node, Value};

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "github-actions",
    selects: &[
        Select::Below(".github/workflows", ".yml"),
        Select::Below(".github/workflows", ".yaml"),
        Select::Name("action.yml"),
        Select::Name("action.yaml"),
    ],
    max_bytes: MAX_METADATA,
    reads: Reads::Whole(read),
}];

fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let Some(root) = yaml(file, &text, facts) else { return };
    let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
    for job in jobs {
        // A job may call a whole workflow.
        call(file, &text, job.value.get("uses"), facts);
        steps(file, &text, job.value.get("steps"), facts);
    }
    steps(file, &text, root.at(&["runs", "steps"]), facts);
}

fn steps(file: EvidenceFile<'_>, text: &str, steps: Option<&Node<'_>>, facts: &mut Facts) {
    for step in steps.map(Node::items).unwrap_or_default() {
        call(file, text, step.get("uses"), facts);
        // Steps may be grouped to run side by side.
        if let Some(Value::Sequence(grouped)) = step.get("parallel").map(|node| &node.value) {
            for step in grouped {
                call(file, text, step.get("uses"), facts);
            }
        }
    }
}

fn call(file: EvidenceFile<'_>, text: &str, uses: Option<&Node<'_>>, facts: &mut Facts) {
    let Some(node) = uses else { return };
    let Some((action, reference)) = node.string().and_then(|uses| uses.trim().split_once('@')) else {
        return;
    };
    // `./here` and `docker://image` are no actions of a repository.
    if action.starts_with('.') || action.contains("://") || action.contains("${{") || reference.is_empty() {
        return;
    }
    let mut parts = action.splitn(3, '/');
    let (Some(owner), Some(repository)) = (parts.next(), parts.next()) else { return };
    if owner.is_empty() || repository.is_empty() {
        return;
    }
    let name = format!("{owner}/{repository}");
    let comment = is_commit(reference).then(|| version_in_comment(text, node)).flatten();
    let mut package = declared(file, Ecosystem::Github, &name, comment.unwrap_or(reference), node.span.line);
    if comment.is_some() {
        let url = format!("git+https://github.com/{name}@{reference}");
        package.qualifiers.insert("vcs_url".to_owned(), url);
    }
    package.scope = Scope::Build;
    facts.packages.push(package);
}

fn is_commit(reference: &str) -> bool {
    matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `v4.1.0` of `# v4.1.0`, `# tag=v4.1.0` or `# ratchet:a/b@v4.1.0` behind a value.
fn version_in_comment<'t>(text: &'t str, node: &Node<'_>) -> Option<&'t str> {
    let rest = text.get(node.span.end as usize..)?.lines().next()?;
    let comment = rest.split_once('#')?.1.trim();
    let word = comment.split_whitespace().next()?;
    let word = word.rsplit(['=', '@']).next()?;
    let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
    digits.starts_with(|c: char| c.is_ascii_digit()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_a_repository_counts() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let text = format!(
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - uses: ./local\n      \
             - uses: docker://alpine:3\n      - run: echo\n      - uses: \"github/codeql-action/init@{commit}\" # v3.24.0 later\n      \
             - uses: a/b@{commit}\n  b:\n    uses: o/r/.github/workflows/w.yml@main\n"
        );
        let mut facts = Facts::default();
        let file = EvidenceFile { path: ".github/workflows/ci.yml", mode: 0, size: 0 };
        read(file, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.locations[0].start_line, p.qualifiers.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("actions/checkout", "v4", Some(6), 0),
                ("github/codeql-action", "v3.24.0", Some(10), 1),
                ("a/b", commit, Some(11), 0),
                ("o/r", "main", Some(13), 0),
            ]
        );
    }

    #[test]
    fn composite_actions() {
        let mut facts = Facts::default();
        let text = "runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v4.0.0\n";
        read(EvidenceFile { path: "action.yml", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.packages[0].purl().unwrap().as_str(), "pkg:github/actions/cache@v4.0.0");
    }
}
