//! A rule as its file says it. docs/policies.md is the reference of the format.

use std::collections::BTreeMap;

use yagura_configuration::source;
use yagura_formats::document::{self, Node, Value, yaml};
use yagura_model::{FindingKind, Severity};

use super::patch::{Edit, edits};
use super::text::{Fields, InvalidRule, Mistake, Read, Words, flag, text, texts, words};

/// Largest rule file, in bytes.
pub const MAX_RULE_BYTES: usize = 256 << 10;

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file it was read from, for people.
    pub path: String,
    pub id: String,
    pub title: Words,
    pub severity: Severity,
    pub kind: FindingKind,
    pub applies: Vec<String>,
    /// In the order of the file.
    pub variables: Vec<(String, Expression)>,
    pub when: Expression,
    pub evidence: Option<Expression>,
    pub why: Words,
    pub fix: Words,
    /// Whether a person must look at the patch before it is applied.
    pub review: bool,
    /// By source.
    pub patch: BTreeMap<String, Vec<Edit>>,
    /// Framework to control ids.
    pub controls: BTreeMap<String, Vec<String>>,
    pub references: Vec<String>,
    pub examples: Examples,
}

/// CEL text and where it stands in the rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    pub text: String,
    /// Line of its first character.
    pub line: u32,
    pub column: u32,
    /// A block scalar begins one line below, indented: columns within it are not the file's.
    pub block: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Examples {
    pub bad: Vec<Example>,
    pub good: Vec<Example>,
    pub unknown: Vec<Example>,
}

/// Files of one source.
#[derive(Clone, Debug)]
pub struct Example {
    /// Name of the source.
    pub source: String,
    /// Path and text.
    pub files: Vec<(String, String)>,
    /// Line in the rule file.
    pub line: u32,
}

const KEYS: [&str; 13] = [
    "id",
    "title",
    "severity",
    "kind",
    "applies",
    "variables",
    "when",
    "evidence",
    "why",
    "fix",
    "controls",
    "references",
    "examples",
];

impl Rule {
    /// Reads a rule file; the first mistake refuses it.
    pub fn read(path: &str, file: &str) -> Result<Self, InvalidRule> {
        read(path, file).map_err(|mistake| mistake.in_file(path))
    }

    /// `framework:control` of every control.
    pub fn control_ids(&self) -> Vec<String> {
        let of = |(framework, ids): (&String, &Vec<String>)| -> Vec<String> {
            ids.iter().map(|id| format!("{framework}:{id}")).collect()
        };
        self.controls.iter().flat_map(of).collect()
    }
}

/// The kinds a rule file applies to, without reading the rest of it: the line that begins with `applies:`, which the
/// format wants to be one.
pub fn peek_applies(file: &str) -> Option<Vec<&str>> {
    let line = file.lines().find_map(|line| line.strip_prefix("applies:"))?;
    let line = line.split(" #").next().unwrap_or_default().trim();
    let list = line.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(line);
    let unquoted = |kind: &'_ str| -> bool { !kind.is_empty() };
    Some(
        list.split(',')
            .map(|kind| kind.trim().trim_matches(['"', '\'']))
            .filter(|kind| unquoted(kind))
            .collect(),
    )
}

/// Whether a pattern of `applies` takes a kind; `*` stands for anything.
pub fn takes(pattern: &str, kind: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == kind,
        Some((start, rest)) => {
            let Some(left) = kind.strip_prefix(start) else { return false };
            rest.is_empty() || (0..=left.len()).any(|at| left.get(at..).is_some_and(|left| takes(rest, left)))
        }
    }
}

fn read(path: &str, file: &str) -> Read<Rule> {
    let start = |message: String| Mistake { line: 1, column: 1, message };
    if file.len() > MAX_RULE_BYTES {
        return Err(start(format!("the file is larger than {} KiB", MAX_RULE_BYTES >> 10)));
    }
    let tree = yaml::parse(file);
    if let Some(problem) = tree.problems.first() {
        return Err(Mistake { line: problem.line, column: 1, message: problem.detail.clone() });
    }
    let [root] = tree.documents.as_slice() else {
        return Err(start("a rule file holds one rule".to_owned()));
    };
    let fields = Fields::of(root, "a rule", &KEYS)?;
    let id = fields.need("id")?;
    let severity = fields.need("severity")?;
    let applies = fields.need("applies")?;
    let why = fields.need("why")?;
    let fix = Fields::of(fields.need("fix")?, "`fix`", &["text", "review", "patch"])?;
    let rule = Rule {
        path: path.to_owned(),
        id: identifier(id)?,
        title: words(fields.need("title")?, "`title`")?,
        severity: text(severity, "`severity`")?.parse().map_err(
            |error: yagura_model::severity::InvalidSeverity| Mistake::at(severity, error.to_string()),
        )?,
        kind: fields.get("kind").map_or(Ok(FindingKind::Misconfiguration), kind)?,
        applies: texts(applies, "`applies`")?,
        variables: fields.get("variables").map_or(Ok(Vec::new()), |node| variables(node, file))?,
        when: expression(fields.need("when")?, file)?,
        evidence: fields.get("evidence").map(|node| expression(node, file)).transpose()?,
        why: words(why, "`why`")?,
        fix: words(fix.need("text")?, "`fix.text`")?,
        review: fix.get("review").map_or(Ok(false), |node| flag(node, "`fix.review`"))?,
        patch: fix.get("patch").map_or(Ok(BTreeMap::new()), patch)?,
        controls: fields.get("controls").map_or(Ok(BTreeMap::new()), controls)?,
        references: fields.get("references").map_or(Ok(Vec::new()), |node| texts(node, "`references`"))?,
        examples: examples(fields.need("examples")?)?,
    };
    let peeked = peek_applies(file).unwrap_or_default();
    if peeked != rule.applies {
        return Err(Mistake::at(applies, "write `applies` on one line: a kind, or [a, b]"));
    }
    Ok(rule)
}

fn identifier(node: &Node<'_>) -> Read<String> {
    let id = text(node, "`id`")?;
    let fits = id.len() <= 80
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    fits.then_some(id)
        .ok_or_else(|| Mistake::at(node, "an `id` is made of letters, digits, `-`, `_` and `.`"))
}

fn kind(node: &Node<'_>) -> Read<FindingKind> {
    match node.string() {
        Some("misconfiguration") => Ok(FindingKind::Misconfiguration),
        Some("permission") => Ok(FindingKind::Permission),
        _ => Err(Mistake::at(node, "`kind` is misconfiguration or permission")),
    }
}

fn expression(node: &Node<'_>, file: &str) -> Read<Expression> {
    let block = file.get(node.span.start as usize..).is_some_and(|rest| rest.starts_with(['|', '>']));
    // A boolean or number is an expression as well.
    let text = text(node, "an expression")?;
    Ok(Expression { text, line: node.span.line, column: node.span.column, block })
}

fn variables(node: &Node<'_>, file: &str) -> Read<Vec<(String, Expression)>> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Err(Mistake::at(node, "`variables` is a mapping of names to expressions"));
    }
    let mut variables: Vec<(String, Expression)> = Vec::new();
    for entry in node.entries() {
        let name = text(&entry.key, "a variable's name")?;
        let fits = name.bytes().enumerate().all(|(at, byte)| {
            byte.is_ascii_alphabetic() || byte == b'_' || (at > 0 && byte.is_ascii_digit())
        });
        if !fits || variables.iter().any(|(known, _)| *known == name) {
            return Err(Mistake::at(&entry.key, format!("`{name}` is no name for a variable, or is taken")));
        }
        variables.push((name, expression(&entry.value, file)?));
    }
    Ok(variables)
}

fn controls(node: &Node<'_>) -> Read<BTreeMap<String, Vec<String>>> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Err(Mistake::at(node, "`controls` is a mapping of frameworks to lists of controls"));
    }
    let one = |entry: &document::Entry<'_>| -> Read<(String, Vec<String>)> {
        Ok((text(&entry.key, "a framework")?, texts(&entry.value, "a control")?))
    };
    node.entries().iter().map(one).collect()
}

fn patch(node: &Node<'_>) -> Read<BTreeMap<String, Vec<Edit>>> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Err(Mistake::at(node, "`fix.patch` is a mapping of sources to lists of edits"));
    }
    let one = |entry: &document::Entry<'_>| -> Read<(String, Vec<Edit>)> {
        Ok((text(&entry.key, "a source")?, edits(&entry.value)?))
    };
    node.entries().iter().map(one).collect()
}

fn examples(node: &Node<'_>) -> Read<Examples> {
    let fields = Fields::of(node, "`examples`", &["bad", "good", "unknown"])?;
    let list = |node: &Node<'_>| -> Read<Vec<Example>> {
        if node.items().is_empty() {
            return Err(Mistake::at(node, "write a list of examples, each `SOURCE: text`"));
        }
        node.items().iter().map(example).collect()
    };
    Ok(Examples {
        bad: list(fields.need("bad")?)?,
        good: list(fields.need("good")?)?,
        unknown: fields.get("unknown").map_or(Ok(Vec::new()), list)?,
    })
}

fn example(node: &Node<'_>) -> Read<Example> {
    let [entry] = node.entries() else {
        return Err(Mistake::at(node, "an example is one `SOURCE: text`, or `SOURCE: {FILE: text}`"));
    };
    let name = text(&entry.key, "a source")?;
    let files = match &entry.value.value {
        Value::Mapping(files) => files
            .iter()
            .map(|file| Ok((text(&file.key, "a file's name")?, content(&file.value)?)))
            .collect::<Read<_>>()?,
        _ => {
            let default = source::named(&name).map_or("example", |source| source.example);
            vec![(default.to_owned(), content(&entry.value)?)]
        }
    };
    Ok(Example { source: name, files, line: entry.key.span.line })
}

/// A file's text as it is.
fn content(node: &Node<'_>) -> Read<String> {
    node.string().map(str::to_owned).ok_or_else(|| Mistake::at(node, "the content of an example is text"))
}
