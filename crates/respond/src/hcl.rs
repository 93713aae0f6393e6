//! Edits of Terraform's native syntax: attributes and nested blocks of the block that a resource is.

use std::ops::Range;

use yagura_detect::policies::Proposal;
use yagura_detect::policies::patch::Action;
use yagura_formats::document::{Node, Value};

use crate::patch::{NoPatch, refuse};

pub fn apply(text: &str, proposal: &Proposal) -> Result<String, NoPatch> {
    let mut text = text.to_owned();
    for edit in &proposal.edits {
        let at = proposal.object.start as usize;
        let Some(body) = top_block(&text, at) else { return refuse("the resource's block was not found") };
        let (range, with) = match &edit.action {
            Action::Set { path, value } => set(&text, body, path, value)?,
            Action::Remove { path } => match remove(&text, body, path)? {
                Some(range) => (range, String::new()),
                None => continue,
            },
            _ => return refuse("only set and remove are edits of Terraform"),
        };
        text.replace_range(range, &with);
    }
    Ok(text)
}

/// What stands in a body.
#[derive(Debug)]
struct Item {
    name: String,
    /// The whole of it.
    whole: Range<usize>,
    /// An attribute's expression, or what a block's braces hold.
    content: Range<usize>,
    is_block: bool,
}

/// Attributes and blocks directly in a range of the text.
fn items(text: &str, body: Range<usize>) -> Vec<Item> {
    let mut items = Vec::new();
    let mut at = body.start;
    while at < body.end {
        at = blank(text, at, body.end);
        let start = at;
        let rest = text.get(at..body.end).unwrap_or_default();
        let length =
            rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default().to_owned();
        if name.is_empty() {
            // Nothing we know: the next line may be.
            at = next_line(text, at, body.end);
            continue;
        }
        at += length;
        let line = text.get(at..body.end).unwrap_or_default();
        let after = line.trim_start_matches([' ', '\t']);
        at += line.len() - after.len();
        if after.starts_with('=') && !after.starts_with("==") {
            let value = at
                + 1
                + text
                    .get(at + 1..body.end)
                    .map_or(0, |rest| rest.len() - rest.trim_start_matches([' ', '\t']).len());
            let end = expression_end(text, value, body.end);
            items.push(Item { name, whole: start..end, content: value..end, is_block: false });
            at = end;
        } else if let Some(open) = block_open(text, at, body.end) {
            let close = closing(text, open, body.end);
            items.push(Item {
                name,
                whole: start..(close + 1).min(body.end),
                content: open + 1..close,
                is_block: true,
            });
            at = (close + 1).min(body.end);
        } else {
            at = next_line(text, at, body.end);
        }
    }
    items
}

/// Passes white space and comments.
fn blank(text: &str, mut at: usize, end: usize) -> usize {
    loop {
        let rest = text.get(at..end).unwrap_or_default();
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        if trimmed.starts_with('#') || trimmed.starts_with("//") {
            at = next_line(text, at, end);
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map_or(trimmed.len(), |at| at + 2);
        } else {
            return at;
        }
    }
}

fn next_line(text: &str, at: usize, end: usize) -> usize {
    text.get(at..end).and_then(|rest| rest.find('\n')).map_or(end, |line| at + line + 1)
}

/// The brace that opens a block whose labels begin here.
fn block_open(text: &str, at: usize, end: usize) -> Option<usize> {
    let rest = text.get(at..end)?;
    let mut quoted = false;
    for (offset, character) in rest.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '{' if !quoted => return Some(at + offset),
            '\n' | '}' | '=' if !quoted => return None,
            _ => {}
        }
    }
    None
}

/// The brace that closes the one at `open`.
fn closing(text: &str, open: usize, end: usize) -> usize {
    let mut depth = 0_u32;
    let mut at = open;
    while at < end {
        at = match skip_literal(text, at, end) {
            Some(after) => after,
            None => {
                match text.as_bytes().get(at) {
                    Some(b'{') => depth += 1,
                    Some(b'}') => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return at;
                        }
                    }
                    _ => {}
                }
                at + 1
            }
        };
    }
    end
}

/// Where an expression ends: at the first line break outside of brackets.
fn expression_end(text: &str, start: usize, end: usize) -> usize {
    let mut depth = 0_u32;
    let mut at = start;
    while at < end {
        if let Some(after) = skip_literal(text, at, end) {
            // A comment to the end of the line is no part of the value.
            if depth == 0 && text.get(at..).is_some_and(|rest| rest.starts_with(['#', '/'])) {
                return trimmed_end(text, start, at);
            }
            at = after;
            continue;
        }
        match text.as_bytes().get(at) {
            Some(b'{' | b'[' | b'(') => depth += 1,
            Some(b'}') if depth == 0 => return trimmed_end(text, start, at),
            Some(b'}' | b']' | b')') => depth = depth.saturating_sub(1),
            Some(b'\n') if depth == 0 => return trimmed_end(text, start, at),
            _ => {}
        }
        at += 1;
    }
    trimmed_end(text, start, end)
}

fn trimmed_end(text: &str, start: usize, end: usize) -> usize {
    start + text.get(start..end).map_or(0, |value| value.trim_end().len())
}

/// The end of a string, comment or here-document that begins here.
fn skip_literal(text: &str, at: usize, end: usize) -> Option<usize> {
    let rest = text.get(at..end)?;
    if let Some(inner) = rest.strip_prefix('"') {
        let mut escaped = false;
        let mut templates = 0_u32;
        for (offset, character) in inner.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '{' if inner.get(..offset).is_some_and(|before| before.ends_with(['$', '%']))
                    || templates > 0 =>
                {
                    templates += 1;
                }
                '}' => templates = templates.saturating_sub(1),
                '"' if templates == 0 => return Some(at + offset + 2),
                '\n' => return Some(at + offset + 1),
                _ => {}
            }
        }
        return Some(end);
    }
    if rest.starts_with('#') || rest.starts_with("//") {
        return Some(at + rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(at + rest.find("*/").map_or(rest.len(), |at| at + 2));
    }
    let here = rest.strip_prefix("<<")?;
    let word: String = here
        .trim_start_matches('-')
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        .collect();
    if word.is_empty() {
        return None;
    }
    let mut line = next_line(text, at, end);
    while line < end {
        let next = next_line(text, line, end);
        if text.get(line..next).is_some_and(|line| line.trim() == word) {
            return Some(line + text.get(line..next).map_or(0, |line| line.trim_end().len()));
        }
        line = next;
    }
    Some(end)
}

/// The body of the outermost block that holds a byte.
fn top_block(text: &str, at: usize) -> Option<Range<usize>> {
    let item = items(text, 0..text.len()).into_iter().find(|item| item.is_block && item.whole.contains(&at));
    item.map(|item| item.content)
}

fn set(
    text: &str,
    body: Range<usize>,
    path: &[String],
    value: &Node<'_>,
) -> Result<(Range<usize>, String), NoPatch> {
    let Some((key, rest)) = path.split_first() else { return refuse("a path without keys") };
    let found = items(text, body.clone()).into_iter().find(|item| item.name == *key);
    match found {
        Some(item) if rest.is_empty() && !item.is_block => Ok((item.content, render(value))),
        Some(item) if rest.is_empty() => refuse(format!("`{}` is a block", item.name)),
        Some(item) if item.is_block => set(text, item.content, rest, value),
        Some(item) => {
            // An object written as an attribute.
            let expression = text.get(item.content.clone()).unwrap_or_default();
            match (expression.starts_with('{'), expression.ends_with('}')) {
                (true, true) => set(text, item.content.start + 1..item.content.end - 1, rest, value),
                _ => refuse(format!("`{}` is an expression", item.name)),
            }
        }
        None => Ok(insert(text, &body, path, value)),
    }
}

/// A new attribute, in blocks of its own where the path has more keys, before the closing brace.
fn insert(text: &str, body: &Range<usize>, path: &[String], value: &Node<'_>) -> (Range<usize>, String) {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let inner = text.get(body.clone()).unwrap_or_default();
    let line = text.get(..body.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let own: String =
        text.get(line..).unwrap_or_default().chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let mut lines = Vec::new();
    let (blocks, last) = path.split_at(path.len().saturating_sub(1));
    for (depth, block) in blocks.iter().enumerate() {
        lines.push(format!("{own}{}{block} {{", "  ".repeat(depth + 1)));
    }
    let depth = "  ".repeat(blocks.len() + 1);
    lines.push(format!("{own}{depth}{} = {}", last.join(""), render(value)));
    for depth in (0..blocks.len()).rev() {
        lines.push(format!("{own}{}}}", "  ".repeat(depth + 1)));
    }
    let block = lines.join(newline);
    // After the last thing in the body, comments among it.
    let at = body.start + inner.trim_end().len();
    (at..body.end, format!("{newline}{block}{newline}{own}"))
}

fn remove(text: &str, body: Range<usize>, path: &[String]) -> Result<Option<Range<usize>>, NoPatch> {
    let Some((key, rest)) = path.split_first() else { return refuse("a path without keys") };
    let Some(item) = items(text, body).into_iter().find(|item| item.name == *key) else { return Ok(None) };
    if !rest.is_empty() {
        return if item.is_block { remove(text, item.content, rest) } else { refuse("it is an expression") };
    }
    let line = text.get(..item.whole.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let alone = text.get(line..item.whole.start).is_some_and(|before| before.trim().is_empty());
    let start = if alone { line } else { item.whole.start };
    Ok(Some(start..next_line(text, item.whole.end, text.len())))
}

/// A value as an expression.
fn render(value: &Node<'_>) -> String {
    match &value.value {
        Value::Null | Value::Unknown => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.to_string(),
        Value::String(text) => {
            let escaped =
                text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${").replace('\n', "\\n");
            format!("\"{escaped}\"")
        }
        Value::Sequence(items) => format!("[{}]", items.iter().map(render).collect::<Vec<_>>().join(", ")),
        Value::Mapping(entries) => {
            let entry = |entry: &yagura_formats::document::Entry<'_>| {
                format!("{} = {}", entry.key.scalar().unwrap_or_default(), render(&entry.value))
            };
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use yagura_formats::document::{Span, yaml};

    use super::*;

    fn after(text: &str, path: &[&str], to: &str) -> String {
        let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
        let value = yaml::parse(to).documents.remove(0).into_owned();
        let body = top_block(text, text.find("resource").unwrap() + 2).unwrap();
        let (range, with) = set(text, body, &path, &Node { span: Span::default(), ..value }).unwrap();
        let mut text = text.to_owned();
        text.replace_range(range, &with);
        text
    }

    const TEXT: &str = "\
locals { a = 1 }

resource \"aws_x\" \"y\" {
  name    = \"a ${var.b} }\" # the name
  enabled = true
  policy  = <<EOF
{ \"enabled\": 1 }
EOF
  inner {
    level = 1
  }
}
";

    #[test]
    fn attributes_are_replaced_and_added_in_place() {
        assert_eq!(after(TEXT, &["enabled"], "false"), TEXT.replace("enabled = true", "enabled = false"));
        assert_eq!(after(TEXT, &["name"], "x"), TEXT.replace("\"a ${var.b} }\"", "\"x\""));
        assert_eq!(after(TEXT, &["inner", "level"], "2"), TEXT.replace("level = 1", "level = 2"));
        let added = TEXT.replace("    level = 1\n", "    level = 1\n    more = [\"a\"]\n");
        assert_eq!(after(TEXT, &["inner", "more"], "[a]"), added);
        let added = TEXT.replace("  }\n}\n", "  }\n  new {\n    on = true\n  }\n}\n");
        assert_eq!(after(TEXT, &["new", "on"], "true"), added);
        let empty = "resource \"a\" \"b\" {}\n";
        assert_eq!(after(empty, &["on"], "true"), "resource \"a\" \"b\" {\n  on = true\n}\n");
    }

    #[test]
    fn removal_takes_the_line() {
        let body = top_block(TEXT, TEXT.find("resource").unwrap()).unwrap();
        let range = remove(TEXT, body, &["enabled".to_owned()]).unwrap().unwrap();
        assert_eq!(&TEXT[range], "  enabled = true\n");
    }
}
