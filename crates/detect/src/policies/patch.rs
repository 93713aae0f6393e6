//! The edits a rule proposes, as data. Who applies them to a text is not this crate's business.

use yagura_formats::document::{Node, Value};

use super::text::{Fields, Mistake, Read, text};

/// One edit of a file's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub on: Anchor,
    pub action: Action,
}

/// Where a path starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    #[default]
    Subject,
    Pod,
    Object,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Makes the value what is said, with all mappings on the way.
    Set { path: Vec<String>, value: Node<'static> },
    /// Takes a key away.
    Remove { path: Vec<String> },
    /// Adds an item to a list that has it not yet.
    Append { path: Vec<String>, value: Node<'static> },
    /// Takes an item away from a list.
    Drop { path: Vec<String>, value: Node<'static> },
    /// Dockerfile: an instruction at the end of the stage, before CMD and ENTRYPOINT.
    Instruction(String),
    /// Dockerfile: rewrites the lines of the evidence.
    Replace { pattern: String, with: String },
}

const KEYS: [&str; 9] = ["on", "set", "remove", "append", "drop", "value", "instruction", "replace", "with"];

pub(super) fn edits(node: &Node<'_>) -> Read<Vec<Edit>> {
    if node.items().is_empty() {
        return Err(Mistake::at(node, "a patch is a list of edits"));
    }
    node.items().iter().map(edit).collect()
}

fn edit(node: &Node<'_>) -> Read<Edit> {
    let fields = Fields::of(node, "an edit", &KEYS)?;
    let on = match fields.get("on") {
        None => Anchor::Subject,
        Some(on) => match on.string() {
            Some("self") => Anchor::Subject,
            Some("pod") => Anchor::Pod,
            Some("object") => Anchor::Object,
            _ => return Err(Mistake::at(on, "`on` is self, pod or object")),
        },
    };
    let has = |key: &str| node.get(key).is_some();
    let value = || match node.get("value") {
        Some(value) => Ok(value.clone().into_owned()),
        None => Err(Mistake::at(node, "the edit needs a `value`")),
    };
    let verbs = ["set", "remove", "append", "drop", "instruction", "replace"];
    if verbs.iter().filter(|verb| has(verb)).count() != 1 {
        return Err(Mistake::at(node, format!("an edit does one of {}", verbs.join(", "))));
    }
    let takes_value = has("set") || has("append") || has("drop");
    if has("value") && !takes_value || has("with") && !has("replace") {
        return Err(Mistake::at(node, "`value` goes with set, append and drop, `with` with replace"));
    }
    let path = |key: &str| path(fields.need(key)?);
    let action = if has("set") {
        Action::Set { path: path("set")?, value: value()? }
    } else if has("remove") {
        Action::Remove { path: path("remove")? }
    } else if has("append") {
        Action::Append { path: path("append")?, value: value()? }
    } else if has("drop") {
        Action::Drop { path: path("drop")?, value: value()? }
    } else if has("instruction") {
        Action::Instruction(text(fields.need("instruction")?, "an instruction")?)
    } else {
        let with = fields.need("with")?;
        let with = with.string().ok_or_else(|| Mistake::at(with, "`with` is text"))?.to_owned();
        Action::Replace { pattern: text(fields.need("replace")?, "a pattern")?, with }
    };
    Ok(Edit { on, action })
}

/// `a.b`, `a["x.y/z"].b`.
fn path(node: &Node<'_>) -> Read<Vec<String>> {
    let wrong = || Mistake::at(node, "a path is dotted keys, such as a.b or a[\"x.y/z\"]");
    if !matches!(node.value, Value::String(_) | Value::Number(_)) {
        return Err(wrong());
    }
    let mut rest = text(node, "a path")?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, left) = if let Some(quoted) = rest.strip_prefix("[\"") {
            let (key, left) = quoted.split_once("\"]").ok_or_else(wrong)?;
            (key.to_owned(), left.to_owned())
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            (rest[..end].to_owned(), rest[end..].to_owned())
        };
        if key.is_empty() || left == "." {
            return Err(wrong());
        }
        keys.push(key);
        rest = left.strip_prefix('.').map_or(left.clone(), str::to_owned);
    }
    Ok(keys)
}
