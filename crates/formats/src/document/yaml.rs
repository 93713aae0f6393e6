//! YAML 1.2 as a span tree, with the parts of YAML 1.1 that everybody uses: merge keys.
//!
//! Plain scalars become null, booleans and numbers by the core schema. Aliases are expanded in place, each node
//! counted, so that a text cannot grow beyond [`MAX_NODES`] however its anchors nest.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use yagura_model::SkipReason;

use super::{Entry, MAX_DEPTH, MAX_NODES, Node, Span, Tree, Value};

/// Reads all documents of a text. After a problem in the grammar the complete documents before it are kept.
pub fn parse(text: &str) -> Tree<'_> {
    let mut builder = Builder {
        offsets: Offsets::of(text),
        text,
        frames: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        tree: Tree::default(),
    };
    if u32::try_from(text.len()).is_err() {
        builder.tree.problem(SkipReason::TooLarge, 1, "text of 4 GiB or more");
        return builder.tree;
    }
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        match next {
            Err(error) => {
                let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
                builder.tree.problem(SkipReason::Malformed, line, error.info().to_owned());
                break;
            }
            Ok((Event::StreamEnd, _)) => break,
            Ok((event, span)) => {
                if let Err((reason, detail)) = builder.event(event, span) {
                    let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
                    builder.tree.problem(reason, line, detail);
                    break;
                }
            }
        }
    }
    builder.tree
}

type Failure = (SkipReason, String);

/// A node with what its copies would cost.
#[derive(Clone)]
struct Measured<'a> {
    node: Node<'a>,
    /// Nodes in it, itself counted.
    weight: usize,
    /// Nesting below it.
    height: u32,
}

/// A sequence or mapping whose end has not come yet.
struct Frame<'a> {
    span: Span,
    tag: Option<Box<str>>,
    anchor: usize,
    content: Content<'a>,
    weight: usize,
    height: u32,
}

enum Content<'a> {
    Sequence(Vec<Node<'a>>),
    /// The key that waits for its value stands apart.
    Mapping(Vec<Entry<'a>>, Option<Node<'a>>),
}

struct Builder<'a> {
    text: &'a str,
    offsets: Offsets,
    frames: Vec<Frame<'a>>,
    anchors: HashMap<usize, Measured<'a>>,
    nodes: usize,
    tree: Tree<'a>,
}

impl<'a> Builder<'a> {
    fn event(&mut self, event: Event<'a>, at: saphyr_parser::Span) -> Result<(), Failure> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1)?;
                let span = self.scalar_span(at, style);
                let value = resolve(text, style, tag.as_deref());
                let node = Node { span, tag: tag.map(|tag| tag_name(&tag)), value };
                self.complete(Measured { node, weight: 1, height: 0 }, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.open(at, anchor, tag, Content::Sequence(Vec::new())),
            Event::MappingStart(anchor, tag) => {
                self.open(at, anchor, tag, Content::Mapping(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => self.alias(anchor),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), Failure> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err((SkipReason::TooMany, format!("more than {MAX_NODES} values, aliases expanded")));
        }
        Ok(())
    }

    fn depth(&self) -> u32 {
        u32::try_from(self.frames.len()).unwrap_or(u32::MAX)
    }

    fn open(
        &mut self,
        at: saphyr_parser::Span,
        anchor: usize,
        tag: Option<Cow<'_, Tag>>,
        content: Content<'a>,
    ) -> Result<(), Failure> {
        self.count(1)?;
        if self.depth() > MAX_DEPTH {
            return Err((SkipReason::TooDeep, format!("nested deeper than {MAX_DEPTH}")));
        }
        let span = self.span(at);
        let tag = tag.map(|tag| tag_name(&tag));
        self.frames.push(Frame { span, tag, anchor, content, weight: 1, height: 0 });
        Ok(())
    }

    fn close(&mut self, at: saphyr_parser::Span) -> Result<(), Failure> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let mut span = frame.span;
        let last = match &frame.content {
            Content::Sequence(items) => items.last().map(|node| node.span),
            Content::Mapping(entries, _) => entries.last().map(|entry| entry.value.span),
        };
        // A flow collection ends with its bracket; a block collection with its last child, since the parser
        // gives the place of whatever comes next.
        let end = if at.is_empty() { last } else { Some(self.span(at)) };
        if let Some(end) = end.filter(|end| end.end > span.start) {
            (span.end, span.end_line) = (end.end, end.end_line);
        }
        let mut weight = frame.weight;
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping(entries, _) => {
                self.tree.note_duplicates(&entries);
                let before = entries.len();
                let merged = merge(entries);
                let added: usize = merged.iter().skip(before).map(|entry| 1 + weigh(&entry.value)).sum();
                self.count(added)?;
                weight = weight.saturating_add(added);
                Value::Mapping(merged)
            }
        };
        let node = Node { span, tag: frame.tag, value };
        self.complete(Measured { node, weight, height: frame.height }, frame.anchor)
    }

    fn alias(&mut self, anchor: usize) -> Result<(), Failure> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err((SkipReason::Malformed, "an alias within its own anchor".to_owned()));
        };
        if self.depth().saturating_add(target.height) > MAX_DEPTH {
            return Err((SkipReason::TooDeep, format!("aliases nest deeper than {MAX_DEPTH}")));
        }
        let weight = target.weight;
        self.count(weight)?;
        let Some(copy) = self.anchors.get(&anchor).cloned() else { return Ok(()) };
        self.complete(copy, 0)
    }

    /// Puts a finished node where it belongs.
    fn complete(&mut self, measured: Measured<'a>, anchor: usize) -> Result<(), Failure> {
        if anchor > 0 {
            self.count(measured.weight)?;
            self.anchors.insert(anchor, measured.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.tree.documents.push(measured.node);
            return Ok(());
        };
        frame.weight = frame.weight.saturating_add(measured.weight);
        frame.height = frame.height.max(measured.height.saturating_add(1));
        match &mut frame.content {
            Content::Sequence(items) => items.push(measured.node),
            Content::Mapping(entries, waiting) => match waiting.take() {
                None => *waiting = Some(measured.node),
                Some(key) => entries.push(Entry { key, value: measured.node }),
            },
        }
        Ok(())
    }

    fn span(&self, at: saphyr_parser::Span) -> Span {
        Span {
            start: self.offsets.byte(self.text, at.start.index()),
            end: self.offsets.byte(self.text, at.end.index()),
            line: u32::try_from(at.start.line()).unwrap_or(u32::MAX),
            column: u32::try_from(at.start.col()).unwrap_or(u32::MAX).saturating_add(1),
            end_line: u32::try_from(at.end.line()).unwrap_or(u32::MAX),
            source: 0,
        }
    }

    /// As the parser gives it, without the white space and comments that may follow within.
    fn scalar_span(&self, at: saphyr_parser::Span, style: ScalarStyle) -> Span {
        let mut span = self.span(at);
        let source = self.text.get(span.start as usize..span.end as usize).unwrap_or_default();
        let source = match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => quoted(source),
            _ => source.trim_end(),
        };
        let length = u32::try_from(source.len()).unwrap_or(u32::MAX);
        span.end = span.start.saturating_add(length);
        let breaks = memchr::memchr_iter(b'\n', source.as_bytes()).count();
        span.end_line = span.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        span
    }
}

/// A quoted scalar at the start of `source`, with its quotes.
fn quoted(source: &str) -> &str {
    let mut characters = source.char_indices();
    let Some((_, quote)) = characters.next() else { return source };
    let mut escaped = false;
    for (at, character) in characters {
        let doubled =
            quote == '\'' && character == '\'' && source.get(at + 1..).is_some_and(|r| r.starts_with('\''));
        if escaped {
            escaped = false;
        } else if doubled || (quote == '"' && character == '\\') {
            escaped = true;
        } else if character == quote {
            return source.get(..at + quote.len_utf8()).unwrap_or(source);
        }
    }
    source
}

/// Nodes in a value, itself counted. Values are at most [`MAX_DEPTH`] deep.
fn weigh(node: &Node<'_>) -> usize {
    let below: usize = match &node.value {
        Value::Sequence(items) => items.iter().map(weigh).sum(),
        Value::Mapping(entries) => entries.iter().map(|entry| weigh(&entry.key) + weigh(&entry.value)).sum(),
        _ => 0,
    };
    below + 1
}

/// Replaces each `<<` by the entries of the mappings it names (<https://yaml.org/type/merge.html>): explicit keys
/// win, then earlier mappings of a list.
fn merge(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    if !entries.iter().any(is_merge) {
        return entries;
    }
    let (merges, mut merged): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
    let mut present: std::collections::HashSet<String> =
        merged.iter().filter_map(|entry| entry.key.scalar().map(str::to_owned)).collect();
    for merge in merges {
        let sources = match merge.value.value {
            Value::Sequence(items) => items,
            _ => vec![merge.value],
        };
        for source in sources {
            let Value::Mapping(entries) = source.value else { continue };
            merged.extend(
                entries
                    .into_iter()
                    .filter(|entry| entry.key.scalar().is_some_and(|key| present.insert(key.to_owned()))),
            );
        }
    }
    merged
}

fn is_merge(entry: &Entry<'_>) -> bool {
    entry.key.string() == Some("<<")
        && match &entry.value.value {
            Value::Mapping(_) => true,
            Value::Sequence(items) => items.iter().all(|item| matches!(item.value, Value::Mapping(_))),
            _ => false,
        }
}

const CORE: &str = "tag:yaml.org,2002:";

fn tag_name(tag: &Tag) -> Box<str> {
    format!("{}{}", tag.handle, tag.suffix).into_boxed_str()
}

fn resolve<'a>(text: Cow<'a, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value<'a> {
    match tag {
        // `!!str 1` is a string; other core tags agree with what plain text resolves to.
        Some(tag) if tag.handle != CORE || tag.suffix == "str" => Value::String(text),
        None if style != ScalarStyle::Plain => Value::String(text),
        _ => match text.as_ref() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            plain if is_number(plain) => Value::Number(text),
            _ => Value::String(text),
        },
    }
}

/// Numbers of the core schema (YAML 1.2.2, section 10.3.2).
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    }
    let starts = unsigned.starts_with(|c: char| c.is_ascii_digit())
        || unsigned.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    starts
        && unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && unsigned.parse::<f64>().is_ok()
}

/// Byte offsets of characters: the parser counts characters, spans count bytes.
struct Offsets {
    /// The byte offset of every [`Offsets::STEP`]th character; empty when the text is ASCII and both are the same.
    steps: Vec<u32>,
}

impl Offsets {
    const STEP: usize = 128;

    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self { steps: Vec::new() };
        }
        let steps = text
            .char_indices()
            .step_by(Self::STEP)
            .filter_map(|(offset, _)| u32::try_from(offset).ok())
            .collect();
        Self { steps }
    }

    fn byte(&self, text: &str, character: usize) -> u32 {
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if self.steps.is_empty() {
            return u32::try_from(character).unwrap_or(u32::MAX).min(end);
        }
        let Some(step) = self.steps.get(character / Self::STEP) else { return end };
        let rest = text.get(*step as usize..).unwrap_or_default();
        match rest.char_indices().nth(character % Self::STEP) {
            Some((offset, _)) => step.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)),
            None => end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_knows_its_place() {
        let text =
            "# comment\na: é # why\nb:\n  - x\n  - {k: [1, 2]}\nc: |\n  one\n  two\n\nd: \"q\\\"\" # e\n";
        let tree = parse(text);
        assert_eq!(tree.problems, []);
        let root = tree.root().unwrap();
        assert_eq!((root.span.line, root.span.end_line), (2, 10));
        let slice = |node: &Node<'_>| &text[node.span.start as usize..node.span.end as usize];
        assert_eq!(slice(root.get("a").unwrap()), "é");
        let b = root.get("b").unwrap();
        assert_eq!((b.span.line, b.span.column, b.span.end_line), (4, 3, 5));
        assert_eq!(slice(&b.items()[1]), "{k: [1, 2]}");
        let c = root.get("c").unwrap();
        assert_eq!(c.string(), Some("one\ntwo\n"));
        assert_eq!(c.span.end_line, 8);
        assert_eq!(slice(root.get("d").unwrap()), "\"q\\\"\"");
    }

    #[test]
    fn plain_scalars_follow_the_core_schema_and_keep_their_text() {
        let tree = parse("[~, true, 1.10, 0x1F, 1e3, '1', !!str 2, yes, 1.2.3, !Ref x, .inf, 0o17, -7, e1]");
        let root = tree.root().unwrap();
        let kinds: String = root
            .items()
            .iter()
            .map(|node| match node.value {
                Value::Null | Value::Unknown => '~',
                Value::Bool(_) => 'b',
                Value::Number(_) => 'n',
                _ => 's',
            })
            .collect();
        assert_eq!(kinds, "~bnnnsssssnnns");
        assert_eq!(root.items()[2].scalar(), Some("1.10"));
        assert_eq!(root.items()[3].integer(), Some(31));
        assert_eq!(root.items()[11].integer(), Some(15));
        assert_eq!(root.items()[9].tag.as_deref(), Some("!Ref"));
    }

    #[test]
    fn aliases_and_merge_keys_are_expanded() {
        let tree = parse(
            "base: &base {image: a, tag: 1}\nother: &other {tag: 2, extra: y}\njob:\n  <<: [*base, *other]\n  image: b\ncopy: *base\n",
        );
        assert_eq!(tree.problems, []);
        let root = tree.root().unwrap();
        let job = root.get("job").unwrap();
        assert_eq!(
            (job.text_of("image"), job.text_of("tag"), job.text_of("extra"), job.entries().len()),
            (Some("b"), Some("1"), Some("y"), 3)
        );
        assert_eq!(root.at(&["copy", "image"]).unwrap().span.line, 1);
    }

    #[test]
    fn all_documents_before_a_mistake_are_kept() {
        let tree = parse("a: 1\n---\nb: 2\n---\nc: [\n");
        assert_eq!(tree.documents.len(), 2);
        assert_eq!(tree.problems.len(), 1);
        assert_eq!(tree.problems[0].reason, Some(SkipReason::Malformed));
    }

    #[test]
    fn growth_and_depth_are_bounded() {
        let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 10].join(", ")));
        }
        assert_eq!(parse(&laughs).problems[0].reason, Some(SkipReason::TooMany));

        let mut chain = String::from("- &a0 [x]\n");
        for level in 1..300 {
            chain.push_str(&format!("- &a{level} [*a{}]\n", level - 1));
        }
        assert_eq!(parse(&chain).problems[0].reason, Some(SkipReason::TooDeep));
        assert_eq!(parse(&"- ".repeat(4000)).problems[0].reason, Some(SkipReason::TooDeep));
        assert!(!parse("&a [*a]").problems.is_empty());
    }

    #[test]
    fn repeated_keys_are_reported_with_their_line() {
        let tree = parse("a: 1\nb: 2\na: 3\n");
        assert_eq!(tree.root().unwrap().text_of("a"), Some("3"));
        assert_eq!(tree.problems[0].to_string(), "line 3: key `a` is given twice; the last one counts");
    }
}
