//! Edits of YAML and JSON, by the spans of their nodes: block and flow style, indentation and comments stay.

use yagura_detect::policies::Proposal;
use yagura_detect::policies::patch::{Action, Anchor};
use yagura_formats::document::json::{self, Dialect};
use yagura_formats::document::{Entry, Node, Span, Tree, Value, yaml};

use crate::patch::{NoPatch, refuse};

/// Spaces of one more level.
const STEP: usize = 2;

/// One replacement of bytes.
struct Splice {
    start: usize,
    end: usize,
    with: String,
}

pub fn apply(text: &str, proposal: &Proposal) -> Result<String, NoPatch> {
    let is_json = proposal.path.ends_with(".json");
    let mut text = text.to_owned();
    // After the first edit the nodes after it have moved; that they begin where they did holds for what encloses it.
    for edit in &proposal.edits {
        let span = match edit.on {
            Anchor::Subject => Some(proposal.subject),
            Anchor::Pod => proposal.pod,
            Anchor::Object => Some(proposal.object),
        };
        let Some(span) = span else { return refuse("the rule's patch speaks of a pod, and there is none") };
        let tree = parse(&text, is_json);
        let anchor = if proposal.source == "cloudformation" {
            let id = proposal.resource.rsplit(['/', '.']).next().unwrap_or_default();
            tree.documents.iter().find_map(|document| document.at(&["Resources", id]))
        } else {
            tree.documents.iter().find_map(|document| beginning_at(document, span))
        };
        let Some(anchor) = anchor else {
            return refuse("the place is written through an alias or a template");
        };
        let editor = Editor { text: &text, json: is_json };
        if let Some(splice) = editor.splice(anchor, &edit.action)? {
            text = format!(
                "{}{}{}",
                text.get(..splice.start).unwrap_or_default(),
                splice.with,
                text.get(splice.end..).unwrap_or_default()
            );
        }
    }
    if parse(&text, is_json).problems.iter().any(|problem| problem.reason.is_some()) {
        return refuse("the patched text would not parse");
    }
    Ok(text)
}

fn parse(text: &str, is_json: bool) -> Tree<'_> {
    if is_json { json::parse(text, Dialect::Json) } else { yaml::parse(text) }
}

/// The outermost node that begins where a span does, and is a mapping.
fn beginning_at<'n, 'a>(node: &'n Node<'a>, span: Span) -> Option<&'n Node<'a>> {
    if node.span.start == span.start && matches!(node.value, Value::Mapping(_)) {
        return Some(node);
    }
    if node.span.start > span.start || node.span.end < span.start {
        return None;
    }
    match &node.value {
        Value::Sequence(items) => items.iter().find_map(|item| beginning_at(item, span)),
        Value::Mapping(entries) => entries.iter().find_map(|entry| beginning_at(&entry.value, span)),
        _ => None,
    }
}

struct Editor<'t> {
    text: &'t str,
    json: bool,
}

impl Editor<'_> {
    fn splice(&self, anchor: &Node<'_>, action: &Action) -> Result<Option<Splice>, NoPatch> {
        match action {
            Action::Set { path, value } => self.set(anchor, path, value).map(Some),
            Action::Remove { path } => self.remove(anchor, path),
            Action::Append { path, value } => self.append(anchor, path, value),
            Action::Drop { path, value } => self.drop(anchor, path, value),
            Action::Instruction(_) | Action::Replace { .. } => {
                refuse("instruction and replace are edits of Dockerfiles")
            }
        }
    }

    /// The deepest node on a path, the entry that holds it, and what of the path is not there.
    fn reach<'n, 'a, 'p>(
        &self,
        anchor: &'n Node<'a>,
        path: &'p [String],
    ) -> (&'n Node<'a>, Option<&'n Entry<'a>>, &'p [String]) {
        let (mut node, mut entry, mut rest) = (anchor, None, path);
        while let Some((key, after)) = rest.split_first() {
            let found = node.entries().iter().rev().find(|entry| entry.key.scalar() == Some(key));
            let Some(found) = found else { break };
            (node, entry, rest) = (&found.value, Some(found), after);
        }
        (node, entry, rest)
    }

    fn set(&self, anchor: &Node<'_>, path: &[String], value: &Node<'_>) -> Result<Splice, NoPatch> {
        let (node, entry, rest) = self.reach(anchor, path);
        match (&node.value, entry) {
            (Value::Null, Some(entry)) => Ok(self.fill(entry, rest, value)),
            _ if rest.is_empty() => {
                let (start, end) = bytes(node.span);
                Ok(Splice { start, end, with: self.flow(value) })
            }
            (Value::Mapping(_), _) => Ok(self.insert(node, rest, value)),
            _ => refuse(format!("`{}` is no mapping", path.join("."))),
        }
    }

    /// Gives a key without a value one.
    fn fill(&self, entry: &Entry<'_>, rest: &[String], value: &Node<'_>) -> Splice {
        let (_, key_end) = bytes(entry.key.span);
        let after = self.text.get(key_end..).unwrap_or_default();
        let colon = key_end + after.find(':').map_or(0, |at| at + 1);
        let (start, end) = bytes(entry.value.span);
        let written = self.text.get(start..end).is_some_and(|text| !text.trim().is_empty()) && start >= colon;
        let with = if self.json || rest.is_empty() || written {
            self.nested_flow(rest, value)
        } else {
            // Two spaces deeper than the key.
            let indent = column(self.text, bytes(entry.key.span).0) + STEP;
            let block = self.block(rest, value, indent);
            return Splice { start: colon, end: colon, with: format!("{}{block}", self.newline()) };
        };
        match written {
            true => Splice { start, end, with },
            false => Splice { start: colon, end: colon, with: format!(" {with}") },
        }
    }

    /// Adds a key to a mapping, after its last one.
    fn insert(&self, mapping: &Node<'_>, rest: &[String], value: &Node<'_>) -> Splice {
        let (start, end) = bytes(mapping.span);
        let is_flow = self.text.get(start..).is_some_and(|text| text.starts_with('{'));
        let Some(last) =
            mapping.entries().iter().max_by_key(|entry| entry.value.span.end.max(entry.key.span.end))
        else {
            return Splice { start, end, with: format!("{{{}}}", self.entry(rest, value)) };
        };
        let key_start = bytes(last.key.span).0;
        let last_end = bytes(last.value.span).1.max(bytes(last.key.span).1);
        if is_flow {
            let line = line_start(self.text, key_start);
            let own_line = self.text.get(line..key_start).is_some_and(|before| before.trim().is_empty());
            let gap = if own_line && line > start {
                format!("{}{}", self.newline(), self.text.get(line..key_start).unwrap_or_default())
            } else {
                " ".to_owned()
            };
            let with = format!(",{gap}{}", self.entry(rest, value));
            return Splice { start: last_end, end: last_end, with };
        }
        let indent = column(self.text, key_start);
        let at = line_end(self.text, last_end);
        let block = self.block(rest, value, indent);
        Splice { start: at, end: at, with: format!("{}{block}", self.newline()) }
    }

    fn remove(&self, anchor: &Node<'_>, path: &[String]) -> Result<Option<Splice>, NoPatch> {
        let Some((key, above)) = path.split_last() else { return refuse("a path without keys") };
        let (mapping, _, rest) = self.reach(anchor, above);
        let at = mapping.entries().iter().rposition(|entry| entry.key.scalar() == Some(key));
        let (Some(at), true) = (at, rest.is_empty()) else { return Ok(None) };
        let spans: Vec<(usize, usize)> = mapping
            .entries()
            .iter()
            .map(|entry| (bytes(entry.key.span).0, bytes(entry.value.span).1.max(bytes(entry.key.span).1)))
            .collect();
        Ok(Some(self.take_out(mapping, &spans, at, "{}")))
    }

    /// Takes one of several parts of a collection away, with its line or its comma.
    fn take_out(&self, collection: &Node<'_>, spans: &[(usize, usize)], at: usize, empty: &str) -> Splice {
        let (start, end) = spans.get(at).copied().unwrap_or_default();
        let next = spans.get(at + 1).map(|next| next.0);
        let previous = at.checked_sub(1).and_then(|at| spans.get(at)).map(|previous| previous.1);
        let whole = bytes(collection.span);
        let flow = self.text.get(whole.0..).is_some_and(|text| text.starts_with(['{', '[']));
        let splice = |start, end| Splice { start, end, with: String::new() };
        match (flow, next, previous) {
            (_, None, None) => Splice { start: whole.0, end: whole.1, with: empty.to_owned() },
            (true, Some(next), _) => splice(start, next),
            (true, None, Some(previous)) => splice(previous, end),
            (false, next, _) => {
                let line = line_start(self.text, start);
                let before = self.text.get(line..start).unwrap_or_default();
                match next {
                    // The first key of an item shares its line with the dash, which must stay.
                    Some(next) if !before.trim().is_empty() => splice(start, next),
                    _ => splice(line, line_end_with_break(self.text, end)),
                }
            }
        }
    }

    fn append(
        &self,
        anchor: &Node<'_>,
        path: &[String],
        value: &Node<'_>,
    ) -> Result<Option<Splice>, NoPatch> {
        let (node, entry, rest) = self.reach(anchor, path);
        let list = Node::new(Span::default(), Value::Sequence(vec![value.clone()]));
        match (&node.value, entry) {
            (Value::Sequence(items), _) if rest.is_empty() => {
                if items.iter().any(|item| item.scalar().is_some() && item.scalar() == value.scalar()) {
                    return Ok(None);
                }
                let (start, end) = bytes(node.span);
                let is_flow = self.text.get(start..).is_some_and(|text| text.starts_with('['));
                let Some(last) = items.last() else {
                    return Ok(Some(Splice { start, end, with: format!("[{}]", self.flow(value)) }));
                };
                let last_end = bytes(last.span).1;
                if is_flow {
                    let with = format!(", {}", self.flow(value));
                    return Ok(Some(Splice { start: last_end, end: last_end, with }));
                }
                // As deep as the dash of the last item.
                let before = self.text.get(..bytes(last.span).0).unwrap_or_default();
                let indent = column(self.text, before.rfind('-').unwrap_or(start));
                let at = line_end(self.text, last_end);
                let with = format!("{}{}- {}", self.newline(), " ".repeat(indent), self.flow(value));
                Ok(Some(Splice { start: at, end: at, with }))
            }
            (Value::Null, Some(entry)) => Ok(Some(self.fill(entry, rest, &list))),
            (Value::Mapping(_), _) if !rest.is_empty() => Ok(Some(self.insert(node, rest, &list))),
            _ => refuse(format!("`{}` is no list", path.join("."))),
        }
    }

    fn drop(&self, anchor: &Node<'_>, path: &[String], value: &Node<'_>) -> Result<Option<Splice>, NoPatch> {
        let (node, _, rest) = self.reach(anchor, path);
        let at =
            node.items().iter().position(|item| item.scalar().is_some() && item.scalar() == value.scalar());
        let (Some(at), true) = (at, rest.is_empty()) else { return Ok(None) };
        let whole = bytes(node.span);
        let flow = self.text.get(whole.0..).is_some_and(|text| text.starts_with('['));
        let spans: Vec<(usize, usize)> = node
            .items()
            .iter()
            .map(|item| {
                let (start, end) = bytes(item.span);
                // In block style the item's dash goes with it.
                let dash =
                    if flow { None } else { self.text.get(..start).and_then(|before| before.rfind('-')) };
                (dash.unwrap_or(start), end)
            })
            .collect();
        Ok(Some(self.take_out(node, &spans, at, "[]")))
    }

    fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// `a: {b: value}` for a path within flow style.
    fn entry(&self, path: &[String], value: &Node<'_>) -> String {
        let Some((key, rest)) = path.split_first() else { return String::new() };
        format!("{}: {}", self.key(key), self.nested_flow(rest, value))
    }

    fn nested_flow(&self, path: &[String], value: &Node<'_>) -> String {
        match path.is_empty() {
            true => self.flow(value),
            false => format!("{{{}}}", self.entry(path, value)),
        }
    }

    /// Keys on lines of their own, each deeper than the one before; without a break at the end.
    fn block(&self, path: &[String], value: &Node<'_>, indent: usize) -> String {
        let mut lines = Vec::new();
        for (depth, key) in path.iter().enumerate() {
            lines.push(format!("{}{}:", " ".repeat(indent + depth * STEP), self.key(key)));
        }
        let mut block = lines.join(self.newline());
        block.push(' ');
        block.push_str(&self.flow(value));
        block
    }

    fn key(&self, key: &str) -> String {
        if self.json { quoted(key) } else { plain(key) }
    }

    /// A value on one line.
    fn flow(&self, value: &Node<'_>) -> String {
        match &value.value {
            Value::Null | Value::Unknown => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(text) => text.to_string(),
            Value::String(text) if self.json => quoted(text),
            Value::String(text) => plain(text),
            Value::Sequence(items) => {
                format!("[{}]", items.iter().map(|item| self.flow(item)).collect::<Vec<_>>().join(", "))
            }
            Value::Mapping(entries) => {
                let entry = |entry: &Entry<'_>| {
                    format!(
                        "{}: {}",
                        self.key(entry.key.scalar().unwrap_or_default()),
                        self.flow(&entry.value)
                    )
                };
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

fn bytes(span: Span) -> (usize, usize) {
    (span.start as usize, span.end as usize)
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// The end of the line that holds the byte before `at`, its break not counted.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let end = at + rest.find('\n').unwrap_or(rest.len());
    if text.get(..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end }
}

fn line_end_with_break(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find('\n').map_or(rest.len(), |at| at + 1)
}

/// Columns before a byte in its line.
fn column(text: &str, at: usize) -> usize {
    text.get(line_start(text, at)..at).map_or(0, |before| before.chars().count())
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// As plain text where YAML reads that back as the same string, else quoted.
fn plain(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let simple = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && text.chars().all(safe);
    let tree = yaml::parse(text);
    let same = tree.root().and_then(Node::string) == Some(text);
    // Words that YAML 1.1 takes for booleans stay texts only in quotes.
    let word = matches!(text.to_ascii_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off");
    if simple && same && !word { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use yagura_detect::policies::patch::Edit;

    use super::*;

    fn value(text: &str) -> Node<'static> {
        yaml::parse(text).documents.remove(0).into_owned()
    }

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    /// The text after an edit of its first document.
    fn after(file: &str, text: &str, action: Action) -> String {
        let root = parse(text, file.ends_with(".json")).documents.remove(0).span;
        let proposal = Proposal {
            rule: "X-1".to_owned(),
            finding: String::new(),
            source: "kubernetes".to_owned(),
            path: file.to_owned(),
            resource: String::new(),
            edits: vec![Edit { on: Anchor::Subject, action }],
            review: false,
            subject: root,
            pod: None,
            object: root,
            evidence: Vec::new(),
        };
        apply(text, &proposal).unwrap()
    }

    fn set(text: &str, keys: &str, to: &str) -> String {
        after("a.yaml", text, Action::Set { path: path(keys), value: value(to) })
    }

    #[test]
    fn set_changes_nothing_else() {
        assert_eq!(set("a: true # why\nb: 1\n", "a", "false"), "a: false # why\nb: 1\n");
        assert_eq!(
            set("a:\n  b: 1  # one\n# end\n", "a.c.d", "false"),
            "a:\n  b: 1  # one\n  c:\n    d: false\n# end\n"
        );
        assert_eq!(set("a: {b: 1}\n", "a.c.d", "x"), "a: {b: 1, c: {d: x}}\n");
        assert_eq!(set("a: {}\n", "a.c", "[ALL]"), "a: {c: [ALL]}\n");
        assert_eq!(set("a:\nb: 1\n", "a.c", "true"), "a:\n  c: true\nb: 1\n");
        assert_eq!(set("a:\n- n: 1\nb: 2\r\n", "c", "'yes'"), "a:\n- n: 1\nb: 2\r\nc: \"yes\"\r\n");
    }

    #[test]
    fn keys_and_items_go_with_their_lines() {
        let remove = |text: &str, keys: &str| after("a.yaml", text, Action::Remove { path: path(keys) });
        assert_eq!(remove("a: 1\nb: 2 # two\nc: 3\n", "b"), "a: 1\nc: 3\n");
        assert_eq!(remove("a: {b: 1, c: 2}\n", "a.b"), "a: {c: 2}\n");
        assert_eq!(remove("a: {b: 1, c: 2}\n", "a.c"), "a: {b: 1}\n");
        assert_eq!(remove("a: 1\n", "z"), "a: 1\n");
        let drop = |text: &str| after("a.yaml", text, Action::Drop { path: path("l"), value: value("X") });
        assert_eq!(drop("l:\n- X\n- Y\n"), "l:\n- Y\n");
        assert_eq!(drop("l: [Y, X]\n"), "l: [Y]\n");
        assert_eq!(drop("l:\n  - X\n"), "l:\n  []\n");
    }

    #[test]
    fn items_are_appended_once() {
        let append =
            |text: &str| after("a.yaml", text, Action::Append { path: path("c.drop"), value: value("ALL") });
        assert_eq!(append("c:\n  drop:\n  - X # x\n"), "c:\n  drop:\n  - X # x\n  - ALL\n");
        assert_eq!(append("c: {drop: [X]}\n"), "c: {drop: [X, ALL]}\n");
        assert_eq!(append("c:\n  add: []\n"), "c:\n  add: []\n  drop: [ALL]\n");
        assert_eq!(append("c: {drop: [ALL]}\n"), "c: {drop: [ALL]}\n");
    }

    #[test]
    fn json_stays_json() {
        let text = "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n";
        let changed = after("a.json", text, Action::Set { path: path("a.c.d"), value: value("x") });
        assert_eq!(changed, "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": {\"d\": \"x\"}\n  }\n}\n");
    }
}
