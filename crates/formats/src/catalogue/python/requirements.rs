//! `requirements.txt` as pip reads it. Only an exact pin names a package; anything looser says what would be
//! installed some day, not what is, and is counted as not judged. Files that `-r` includes are read for themselves
//! where their names say what they are.

use yagura_model::digest::{Algorithm, Digest};
use yagura_model::package::Scope;
use yagura_model::{Ecosystem, SkipReason};

use super::requirement::Requirement;
use crate::catalogue::structured::declared;
use crate::catalogue::{EvidenceFile, Facts, path};
use crate::document;

/// Digests kept of one requirement: pip's tools list one for every platform.
const MAX_DIGESTS: usize = 64;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let scope = scope_of(file.path);
    let mut loose = 0_u64;
    for (line, logical) in logical_lines(&text) {
        let options_at = logical.find(" --").unwrap_or(logical.len());
        let (wish, options) = logical.split_at_checked(options_at).unwrap_or((&logical, ""));
        let Some(requirement) = Requirement::parse(wish) else {
            // Options (`-r`, `--index-url`), local paths and links.
            continue;
        };
        let Some(version) = requirement.exact_version() else {
            loose += 1;
            continue;
        };
        let mut package = declared(file, Ecosystem::Pypi, &requirement.name, version, line);
        package.scope = scope;
        package.digests = options
            .split_whitespace()
            .filter_map(|option| option.strip_prefix("--hash="))
            .filter_map(digest)
            .take(MAX_DIGESTS)
            .collect();
        facts.packages.push(package);
    }
    if loose > 0 {
        facts.skip(file.path, SkipReason::Unsupported, "requirements without an exact version (`==`)");
        if let Some(skipped) = facts.skipped.last_mut() {
            skipped.count = loose;
        }
    }
}

/// `sha256:…` as pip, Pipenv and uv write it.
pub(super) fn digest(text: &str) -> Option<Digest> {
    let (algorithm, hex) = text.split_once([':', '='])?;
    let algorithm = match algorithm {
        "sha256" => Algorithm::Sha256,
        "sha384" => Algorithm::Sha384,
        "sha512" => Algorithm::Sha512,
        "sha1" => Algorithm::Sha1,
        "md5" => Algorithm::Md5,
        _ => return None,
    };
    Digest::from_hex(algorithm, hex).ok()
}

/// Lines with their continuations joined and comments cut, each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut continues = false;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let continued = line.trim_end().strip_suffix('\\');
        let content = without_comment(continued.unwrap_or(line)).trim();
        match lines.last_mut() {
            Some((_, logical)) if continues => {
                logical.push(' ');
                logical.push_str(content);
            }
            _ => lines.push((number, content.to_owned())),
        }
        continues = continued.is_some();
    }
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// A `#` starts a comment at the start of a line or after white space.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        line.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with([' ', '\t']))
    });
    match comment {
        Some((at, _)) => line.get(..at).unwrap_or(line),
        None => line,
    }
}

/// What files such as `requirements-dev.txt` or `requirements/test.txt` are for, by their names.
fn scope_of(file: &str) -> Scope {
    let name = path::name(file).to_ascii_lowercase();
    for word in name.trim_end_matches(".txt").split(['-', '_', '.']) {
        match word {
            "dev" | "develop" | "development" | "lint" | "docs" | "doc" => return Scope::Development,
            "test" | "tests" | "testing" => return Scope::Test,
            "build" => return Scope::Build,
            _ => {}
        }
    }
    Scope::Runtime
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(path: &str, text: &str) -> Facts {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: 0 }, text.as_bytes(), &mut facts);
        facts
    }

    #[test]
    fn pins_with_hashes_markers_and_comments() {
        let hash = "ab".repeat(32);
        let facts = facts(
            "app/requirements.txt",
            &format!(
                "# made by a tool\n--index-url https://example.org/simple\n-r base.txt\n\
                 anyio==4.16.0 ; python_version < '3.11' \\\n    --hash=sha256:{hash} \\\n    --hash=sha256:{hash}\n    \
                 # via httpx\nFlask[async]==3.0.0  # web\nrequests>=2\nfoo @ https://example.org/foo#egg=x\n./local\n"
            ),
        );
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.locations[0].start_line, p.digests.len()))
            .collect();
        assert_eq!(found, [("anyio", "4.16.0", Some(4), 2), ("flask", "3.0.0", Some(8), 0)]);
        assert_eq!((facts.skipped[0].reason, facts.skipped[0].count), (SkipReason::Unsupported, 2));
    }

    #[test]
    fn the_name_of_the_file_gives_the_scope() {
        for (path, scope) in [
            ("requirements.txt", Scope::Runtime),
            ("requirements-dev.txt", Scope::Development),
            ("requirements/test.txt", Scope::Test),
            ("test_requirements.txt", Scope::Test),
        ] {
            assert_eq!(facts(path, "a==1\n").packages[0].scope, scope, "{path}");
        }
    }
}
