//! A rule for one kind of secret, and how it is read from `rules/secrets/*.yaml`.
//!
//! ```yaml
//! rules:
//!   - id: YGR-SECRET-example-token
//!     title: Example API token
//!     severity: high               # by what the key opens
//!     confidence: high             # how sure a match is by its shape alone: high, medium, low
//!     opens: What whoever has it can do.
//!     revoke: How it is made worthless.
//!     keywords: [ext_]             # literal text that every match holds; looked for without regard to case
//!     pattern: 'ext_[0-9a-f]{40}'  # begins at the keyword, unless `behind` says how many bytes before it may
//!     entropy: 3                   # bits a character, at least
//!     checks: [github-checksum]    # see `check`
//!     binary: true                 # looked for in binary files, too
//!     files: ['*.ini']             # only in files with such names
//!     examples:
//!       match: ['ext¦_0123…']      # `¦` is taken out: it keeps examples from looking like secrets
//!       clean: ['ext_short']
//! ```
//!
//! In place of `pattern`, `value` is the whole value assigned to a name that holds a keyword (`heroku_key = "…"`), and
//! `structure: kubernetes-secret` is any value of a Secret in a manifest. A `generic` rule gives way to every other.

use std::sync::OnceLock;

use regex::bytes::Regex;
use yagura_formats::document::{Node, Value};
use yagura_model::Severity;
use yagura_model::finding::Confidence;

use super::InvalidRules;
use super::check::Check;
use super::keywords;

/// Bytes after a keyword in which a pattern may end, unless its rule says otherwise.
const DEFAULT_AHEAD: usize = 512;
/// Bound for `behind` and `ahead`.
pub(super) const MAX_REACH: usize = 16 << 10;
/// Memory of one compiled pattern.
const MAX_PATTERN_MEMORY: usize = 4 << 20;

/// One kind of secret.
#[derive(Debug)]
pub struct Rule {
    /// `YGR-SECRET-…`.
    pub id: String,
    pub title: String,
    pub severity: Severity,
    pub confidence: Confidence,
    /// What whoever has it can do.
    pub opens: String,
    /// How it is made worthless.
    pub revoke: String,
    pub keywords: Vec<String>,
    pub(super) shape: Shape,
    pub entropy: f64,
    pub(super) checks: Vec<Check>,
    pub binary: bool,
    /// Globs over the file's name.
    pub files: Vec<String>,
    /// Gives way to any other rule that speaks of the same bytes.
    pub generic: bool,
    /// A request that tells whether the secret is still valid.
    pub verify: Option<Verify>,
    pub examples: Examples,
}

/// Where the secret is, seen from the keyword.
#[derive(Debug)]
pub(super) enum Shape {
    /// A pattern around the keyword. Begins at the keyword when `behind` is 0.
    Pattern { regex: LazyRegex, behind: usize, ahead: usize },
    /// The whole value assigned to a name with the keyword in it.
    Assigned(LazyRegex),
    /// What a reader of structured files finds; no keyword leads to it.
    Structure,
}

/// Text that must and must not match.
#[derive(Debug, Default)]
pub struct Examples {
    pub matching: Vec<Example>,
    pub clean: Vec<Example>,
}

/// A file's content, and its name where that matters.
#[derive(Debug)]
pub struct Example {
    pub file: String,
    pub text: String,
}

/// How a provider is asked; `{secret}` stands for the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    pub method: String,
    pub url: String,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// Statuses that mean the secret is valid.
    pub valid: Vec<u16>,
}

/// A pattern compiled when it is first needed: most scans need few.
#[derive(Debug)]
pub(super) struct LazyRegex {
    source: String,
    compiled: OnceLock<Option<Regex>>,
}

impl LazyRegex {
    fn new(source: String) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// None where the pattern does not compile, which the tests of the rules exclude.
    pub(super) fn get(&self) -> Option<&Regex> {
        let compile = || {
            let mut builder = regex::bytes::RegexBuilder::new(&self.source);
            builder.unicode(false).size_limit(MAX_PATTERN_MEMORY).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

impl Rule {
    /// Whether every pattern of the rule compiles.
    pub fn compiles(&self) -> bool {
        match &self.shape {
            Shape::Pattern { regex, .. } | Shape::Assigned(regex) => regex.get().is_some(),
            Shape::Structure => true,
        }
    }
}

const KEYS: [&str; 19] = [
    "id",
    "title",
    "severity",
    "confidence",
    "opens",
    "revoke",
    "keywords",
    "pattern",
    "value",
    "behind",
    "ahead",
    "entropy",
    "checks",
    "binary",
    "files",
    "verify",
    "examples",
    "generic",
    "structure",
];

/// Reads one rule.
pub(super) fn read(node: &Node<'_>) -> Result<Rule, InvalidRules> {
    let wrong = |node: &Node<'_>, message: String| InvalidRules { line: node.span.line, message };
    for entry in node.entries() {
        let key = entry.key.scalar().unwrap_or_default();
        if !KEYS.contains(&key) {
            return Err(wrong(&entry.key, format!("unknown key `{key}`; a rule has {}", KEYS.join(", "))));
        }
    }
    let text = |key: &str| -> Result<String, InvalidRules> {
        let text = node.text_of(key).map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| wrong(node, format!("a rule needs `{key}`")))
    };
    let number = |key: &str| -> Result<Option<f64>, InvalidRules> {
        let Some(value) = node.get(key) else { return Ok(None) };
        let number = value.scalar().and_then(|text| text.parse::<f64>().ok());
        number.map(Some).ok_or_else(|| wrong(value, format!("`{key}` must be a number")))
    };
    let id = text("id")?;
    let keywords = texts(node, "keywords");
    let structured = node.text_of("structure").is_some();
    if (keywords.is_empty() && !structured) || keywords.iter().any(|keyword| keyword.len() < keywords::PREFIX)
    {
        return Err(wrong(node, format!("{id} needs keywords of at least three bytes")));
    }
    let shape = match (node.text_of("pattern"), node.text_of("value")) {
        (None, None) if node.text_of("structure") == Some("kubernetes-secret") => Shape::Structure,
        (Some(pattern), None) => {
            let behind = number("behind")?.map_or(0, |bytes| bytes as usize).min(MAX_REACH);
            let ahead = number("ahead")?.map_or(DEFAULT_AHEAD, |bytes| bytes as usize).min(MAX_REACH);
            let anchored = if behind == 0 { format!(r"\A(?:{pattern})") } else { pattern.to_owned() };
            Shape::Pattern { regex: LazyRegex::new(anchored), behind, ahead }
        }
        (None, Some(value)) => Shape::Assigned(LazyRegex::new(format!(r"\A(?:{value})\z"))),
        _ => return Err(wrong(node, format!("{id} needs either `pattern` or `value`"))),
    };
    let checks = texts(node, "checks").into_iter().map(|name| Check::named(&name).ok_or(name));
    let checks: Result<Vec<Check>, String> = checks.collect();
    Ok(Rule {
        title: text("title")?,
        severity: text("severity")?.parse().map_err(|_| wrong(node, format!("{id}: not a severity")))?,
        confidence: confidence(&text("confidence")?)
            .ok_or_else(|| wrong(node, format!("{id}: confidence is high, medium or low")))?,
        opens: text("opens")?,
        revoke: text("revoke")?,
        entropy: number("entropy")?.unwrap_or(0.0),
        checks: checks.map_err(|name| wrong(node, format!("{id}: there is no check `{name}`")))?,
        binary: node.flag("binary"),
        files: texts(node, "files"),
        generic: node.flag("generic"),
        verify: node.get("verify").map(verify).transpose()?,
        examples: Examples { matching: examples(node, "match"), clean: examples(node, "clean") },
        keywords,
        shape,
        id,
    })
}

fn confidence(name: &str) -> Option<Confidence> {
    match name {
        "high" => Some(Confidence::High),
        "medium" => Some(Confidence::Medium),
        "low" => Some(Confidence::Low),
        _ => None,
    }
}

/// A list of texts, or a single one.
pub(super) fn texts(node: &Node<'_>, key: &str) -> Vec<String> {
    let Some(value) = node.get(key) else { return Vec::new() };
    match &value.value {
        Value::Sequence(items) => items.iter().filter_map(Node::scalar).map(str::to_owned).collect(),
        _ => value.scalar().map(str::to_owned).into_iter().collect(),
    }
}

fn examples(node: &Node<'_>, key: &str) -> Vec<Example> {
    let items = node.at(&["examples", key]).map_or(&[][..], Node::items);
    let example = |item: &Node<'_>| {
        let file = item.text_of("file").unwrap_or("example.txt").to_owned();
        let text = item.scalar().or_else(|| item.text_of("text")).unwrap_or_default();
        Example { file, text: text.replace('¦', "") }
    };
    items.iter().map(example).collect()
}

fn verify(node: &Node<'_>) -> Result<Verify, InvalidRules> {
    let wrong = |message: &str| InvalidRules { line: node.span.line, message: message.to_owned() };
    let url = node.text_of("url").ok_or_else(|| wrong("`verify` needs a `url`"))?;
    if !url.starts_with("https://") {
        return Err(wrong("secrets are only sent over https"));
    }
    let headers = node.get("headers").map_or(&[][..], Node::entries).iter();
    let headers =
        headers.filter_map(|entry| Some((entry.key.scalar()?.to_owned(), entry.value.scalar()?.to_owned())));
    let valid: Vec<u16> = texts(node, "valid").iter().filter_map(|status| status.parse().ok()).collect();
    if valid.is_empty() {
        return Err(wrong("`verify` needs the `valid` statuses"));
    }
    let method = node.text_of("method").unwrap_or("GET").to_owned();
    Ok(Verify { method, url: url.to_owned(), headers: headers.collect(), valid })
}
