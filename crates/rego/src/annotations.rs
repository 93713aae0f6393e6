//! Annotations of OPA: comments that begin with `# METADATA`, YAML that says what a rule or package is about
//! (<https://www.openpolicyagent.org/docs/policy-language#annotations>).

use serde_json::{Map, Value as Json};
use yagura_formats::document::{Node, Value, yaml};

use crate::error::InvalidPolicy;

/// Largest comment that is read, in bytes.
const MAX_BYTES: usize = 256 << 10;

/// What an annotation speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The rule that follows.
    Rule,
    /// All rules of that name in the package.
    Document,
    Package,
    /// The package and those below it.
    Subpackages,
}

#[derive(Clone, Debug)]
pub struct Annotation {
    pub scope: Scope,
    /// The line of what follows it.
    pub of: u32,
    pub content: Json,
}

/// Every annotation of a module's text.
pub fn read(path: &str, text: &str) -> Result<Vec<Annotation>, InvalidPolicy> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if line.trim() != "# METADATA" {
            continue;
        }
        let start = at;
        let mut content = String::new();
        while let Some(comment) = lines.get(at).and_then(|line| line.trim_start().strip_prefix('#')) {
            content.push_str(comment.strip_prefix(' ').unwrap_or(comment));
            content.push('\n');
            at += 1;
        }
        let after = lines.iter().enumerate().skip(at).find(|(_, line)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        let Some((of, statement)) = after else { continue };
        let place = |line: usize| u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1);
        if content.len() > MAX_BYTES {
            return Err(InvalidPolicy::at(path, place(start), 1, "an annotation of more than 256 KiB"));
        }
        let tree = yaml::parse(&content);
        if let Some(problem) = tree.problems.iter().find(|problem| problem.reason.is_some()) {
            let line = place(start).saturating_add(problem.line.saturating_sub(1));
            let message = format!("the annotation is no YAML: {}", problem.detail);
            return Err(InvalidPolicy::at(path, line, 1, message));
        }
        let content = tree.root().map_or(Json::Null, json);
        let is_package = statement.trim_start().starts_with("package");
        let scope = match content.get("scope").and_then(Json::as_str) {
            Some("package") => Scope::Package,
            Some("subpackages") => Scope::Subpackages,
            Some("document") => Scope::Document,
            Some("rule") => Scope::Rule,
            _ if is_package => Scope::Package,
            _ if content.get("entrypoint").and_then(Json::as_bool) == Some(true) => Scope::Document,
            _ => Scope::Rule,
        };
        found.push(Annotation { scope, of: place(of), content });
    }
    Ok(found)
}

/// A tree as plain JSON; keys that are no text are written as text.
pub fn json(node: &Node<'_>) -> Json {
    match &node.value {
        Value::Unknown | Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_string())),
        Value::String(text) => Json::String(text.to_string()),
        Value::Sequence(items) => Json::Array(items.iter().map(json).collect()),
        Value::Mapping(entries) => {
            let pairs = entries
                .iter()
                .map(|entry| (entry.key.scalar().unwrap_or_default().to_owned(), json(&entry.value)));
            Json::Object(pairs.collect::<Map<_, _>>())
        }
    }
}
