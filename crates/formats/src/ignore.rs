//! The ignore file: findings somebody has judged, each with a reason.
//!
//! ```yaml
//! ignore:
//!   - id: CVE-2024-5535             # the finding's rule or one of its aliases; a list, or a pattern with `*`
//!     package: openssl              # a package or source package by name, or a purl
//!     path: usr/lib/**              # a glob over the evidence's path: `*`, `?`, `**`
//!     target: registry.example/*    # a glob over the target's name
//!     reason: only TLS clients use it and they never call SSL_select_next_proto
//!     until: 2026-12-31             # the last day on which the entry applies
//! ```
//!
//! An entry applies where all it names fits; it names at least one of `id`, `package` and `path`, and always a
//! `reason`. A file with a mistake is refused whole: an entry that means something else than its author thinks would
//! hide what it should not.

use crate::document::{self, Node, Value, yaml};

/// The name by which the file is looked for in the working directory.
pub const FILE_NAME: &str = ".yagura-ignore.yaml";

/// Bounds of a file written by hand.
pub const MAX_BYTES: usize = 4 << 20;
const MAX_ENTRIES: usize = 20_000;
const MAX_PATTERN: usize = 1000;

const KEYS: [&str; 6] = ["id", "package", "path", "target", "reason", "until"];

/// What to ignore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreFile {
    pub entries: Vec<IgnoreEntry>,
}

/// One judgement. Empty fields fit everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreEntry {
    /// First line of the entry, from 1.
    pub line: u32,
    pub ids: Vec<String>,
    pub package: String,
    pub path: String,
    pub target: String,
    pub reason: String,
    /// The last day on which it applies, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// A mistake in an ignore file, at its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct InvalidIgnoreFile {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// Reads an ignore file; the first mistake refuses it.
pub fn read(bytes: &[u8]) -> Result<IgnoreFile, InvalidIgnoreFile> {
    let start = |message: String| InvalidIgnoreFile { line: 1, column: 1, message };
    if bytes.len() > MAX_BYTES {
        return Err(start(format!("the file is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let text = document::decode(bytes);
    let tree = yaml::parse(&text);
    if let Some(problem) = tree.problems.first() {
        return Err(InvalidIgnoreFile { line: problem.line, column: 1, message: problem.detail.clone() });
    }
    let Some(root) = tree.root() else { return Ok(IgnoreFile::default()) };
    if root.is_null() {
        return Ok(IgnoreFile::default());
    }
    if tree.documents.len() > 1 {
        return Err(start("the file holds several documents; write one".to_owned()));
    }
    for entry in root.entries() {
        if entry.key.scalar() != Some("ignore") {
            return Err(at(&entry.key, "expected the key `ignore` with a list of entries"));
        }
    }
    let Some(list) = root.get("ignore") else {
        return Err(at(root, "expected the key `ignore` with a list of entries"));
    };
    if !matches!(list.value, Value::Sequence(_) | Value::Null) {
        return Err(at(list, "`ignore` must be a list of entries"));
    }
    if list.items().len() > MAX_ENTRIES {
        return Err(at(list, &format!("more than {MAX_ENTRIES} entries")));
    }
    let entries = list.items().iter().map(entry).collect::<Result<_, _>>()?;
    Ok(IgnoreFile { entries })
}

fn at(node: &Node<'_>, message: &str) -> InvalidIgnoreFile {
    InvalidIgnoreFile { line: node.span.line, column: node.span.column, message: message.to_owned() }
}

fn entry(node: &Node<'_>) -> Result<IgnoreEntry, InvalidIgnoreFile> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Err(at(node, "an entry is a mapping with `id`, `package` or `path`, and `reason`"));
    }
    for entry in node.entries() {
        let key = entry.key.scalar().unwrap_or_default();
        if !KEYS.contains(&key) {
            let shown: String = key.chars().take(60).collect();
            return Err(at(&entry.key, &format!("unknown key `{shown}`; an entry has {}", KEYS.join(", "))));
        }
    }
    let ids = match node.get("id") {
        Some(list) if matches!(list.value, Value::Sequence(_)) => {
            list.items().iter().map(|id| text(id, "id")).collect::<Result<Vec<_>, _>>()?
        }
        Some(id) => vec![text(id, "id")?],
        None => Vec::new(),
    };
    let optional = |key: &str| node.get(key).map_or(Ok(String::new()), |value| text(value, key));
    let read = IgnoreEntry {
        line: node.span.line,
        ids,
        package: optional("package")?,
        path: optional("path")?,
        target: optional("target")?,
        reason: optional("reason")?,
        until: node.get("until").map(date).transpose()?,
    };
    if read.ids.is_empty() && read.package.is_empty() && read.path.is_empty() {
        return Err(at(node, "an entry names at least one of `id`, `package` and `path`"));
    }
    if read.reason.is_empty() {
        return Err(at(node, "an entry needs a `reason`: whoever reads it later must know why"));
    }
    Ok(read)
}

/// A text that says something.
fn text(node: &Node<'_>, key: &str) -> Result<String, InvalidIgnoreFile> {
    let text = node.scalar().unwrap_or_default().trim();
    if text.is_empty() {
        return Err(at(node, &format!("`{key}` must be a text that is not empty")));
    }
    if text.len() > MAX_PATTERN {
        return Err(at(node, &format!("`{key}` is longer than {MAX_PATTERN} bytes")));
    }
    Ok(text.to_owned())
}

fn date(node: &Node<'_>) -> Result<String, InvalidIgnoreFile> {
    let text = node.scalar().unwrap_or_default().trim();
    let date: Option<jiff::civil::Date> = (text.len() == 10).then(|| text.parse().ok()).flatten();
    date.map(|date| date.to_string()).ok_or_else(|| at(node, "`until` must be a date such as 2026-12-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_with_their_lines() {
        let file = read(
            b"# judged in review\nignore:\n  - id: CVE-2024-5535\n    package: openssl\n    reason: not reachable\n    until: 2026-12-31\n  - id: [CVE-1, GHSA-2]\n    path: usr/lib/**\n    target: '*:dev'\n    reason: \"test image\"\n",
        )
        .unwrap();
        let [first, second] = &file.entries[..] else { panic!("{file:?}") };
        assert_eq!(
            *first,
            IgnoreEntry {
                line: 3,
                ids: vec!["CVE-2024-5535".into()],
                package: "openssl".into(),
                reason: "not reachable".into(),
                until: Some("2026-12-31".into()),
                ..IgnoreEntry::default()
            }
        );
        assert_eq!((second.line, second.ids.len(), second.target.as_str()), (7, 2, "*:dev"));
        assert_eq!(read(b""), Ok(IgnoreFile::default()));
        assert_eq!(read(b"ignore:\n"), Ok(IgnoreFile::default()));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, line, message) in [
            ("ignore:\n- id: X\n", 2, "needs a `reason`"),
            ("ignore:\n- reason: because\n", 2, "at least one of"),
            ("ignore:\n- id: X\n  reason: r\n  untill: 2026-01-01\n", 4, "unknown key `untill`"),
            ("ignore:\n- id: X\n  reason: r\n  until: 2026-13-01\n", 4, "must be a date"),
            ("ignore:\n- id: X\n  reason: r\n  until: tomorrow\n", 4, "must be a date"),
            ("ignore:\n- CVE-1\n", 2, "is a mapping"),
            ("ignore: CVE-1\n", 1, "must be a list"),
            ("CVE-1: because\n", 1, "expected the key `ignore`"),
            ("- CVE-1\n", 1, "expected the key `ignore`"),
            ("ignore:\n- id: ''\n  reason: r\n", 2, "not empty"),
            ("ignore:\n- id: X\n  id: Y\n  reason: r\n", 3, "given twice"),
            ("ignore: [\n", 0, ""),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(line == 0 || error.line == line, "{text:?}: {error}");
            assert!(error.message.contains(message), "{text:?}: {error}");
        }
    }
}
