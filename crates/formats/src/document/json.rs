//! JSON (RFC 8259) and JSON with comments as a span tree.
//!
//! A YAML parser reads most JSON, but not all of it (tabs, surrogate pairs, long keys), and slower.

use std::borrow::Cow;

use yagura_model::SkipReason;

use super::{Entry, MAX_DEPTH, MAX_NODES, Node, Span, Tree, Value, column_after};

/// Which extensions of the grammar are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 8259. Control characters in strings are let through.
    Json,
    /// With `//` and `/* */` comments and trailing commas, as in `tsconfig.json` or `bun.lock`.
    Commented,
}

/// Reads one JSON text. When it breaks, there is a problem and no document.
pub fn parse(text: &str, dialect: Dialect) -> Tree<'_> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        nodes: 0,
        dialect,
        tree: Tree::default(),
    };
    match parser.document() {
        Ok(node) => parser.tree.documents.push(node),
        Err((reason, detail)) => parser.tree.problem(reason, parser.line, detail),
    }
    parser.tree
}

type Failure = (SkipReason, String);

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    nodes: usize,
    dialect: Dialect,
    tree: Tree<'a>,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Node<'a>, Failure> {
        if u32::try_from(self.bytes.len()).is_err() {
            return Err((SkipReason::TooLarge, "text of 4 GiB or more".to_owned()));
        }
        self.blank()?;
        let node = self.node(0)?;
        self.blank()?;
        match self.peek() {
            None => Ok(node),
            Some(_) => Err(malformed("text after the end of the document")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes white space and, where allowed, comments.
    fn blank(&mut self) -> Result<(), Failure> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                    self.line_start = self.at;
                }
                b'/' if self.dialect == Dialect::Commented => self.comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Failure> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(b"//") {
            self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            Ok(())
        } else if rest.starts_with(b"/*") {
            let body = rest.get(2..).unwrap_or_default();
            let length =
                memchr::memmem::find(body, b"*/").ok_or_else(|| malformed("comment without an end"))?;
            self.pass(length.saturating_add(4));
            Ok(())
        } else {
            Err(malformed("`/` that starts no comment"))
        }
    }

    /// Moves on by `length` bytes that may hold line breaks.
    fn pass(&mut self, length: usize) {
        let passed = self.bytes.get(self.at..self.at.saturating_add(length)).unwrap_or_default();
        for offset in memchr::memchr_iter(b'\n', passed) {
            self.line = self.line.saturating_add(1);
            self.line_start = self.at + offset + 1;
        }
        self.at += passed.len();
    }

    fn start(&self) -> Span {
        let before = self.text.get(self.line_start..self.at).unwrap_or_default();
        Span {
            start: as_u32(self.at),
            end: as_u32(self.at),
            line: self.line,
            column: column_after(before),
            end_line: self.line,
            source: 0,
        }
    }

    fn finish(&self, span: Span, value: Value<'a>) -> Node<'a> {
        Node::new(Span { end: as_u32(self.at), end_line: self.line, ..span }, value)
    }

    fn node(&mut self, depth: u32) -> Result<Node<'a>, Failure> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err((SkipReason::TooMany, format!("more than {MAX_NODES} values")));
        }
        if depth > MAX_DEPTH {
            return Err((SkipReason::TooDeep, format!("nested deeper than {MAX_DEPTH}")));
        }
        let span = self.start();
        let value = match self.peek() {
            Some(b'{') => Value::Mapping(self.mapping(depth)?),
            Some(b'[') => Value::Sequence(self.sequence(depth)?),
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => Value::Number(self.number()?),
            Some(b't') => self.literal("true", Value::Bool(true))?,
            Some(b'f') => self.literal("false", Value::Bool(false))?,
            Some(b'n') => self.literal("null", Value::Null)?,
            Some(_) => return Err(malformed("a character that starts no value")),
            None => return Err((SkipReason::Truncated, "ends where a value should be".to_owned())),
        };
        Ok(self.finish(span, value))
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Failure> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(word.as_bytes()) {
            return Err(malformed("a word that is no value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn mapping(&mut self, depth: u32) -> Result<Vec<Entry<'a>>, Failure> {
        let mut entries = Vec::new();
        self.at += 1;
        self.blank()?;
        while self.peek() != Some(b'}') {
            if !entries.is_empty() && self.separator(b'}')? {
                break;
            }
            let span = self.start();
            if self.peek() != Some(b'"') {
                return Err(self.expected("a key"));
            }
            let key = self.string()?;
            let key = self.finish(span, Value::String(key));
            self.blank()?;
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            self.blank()?;
            let value = self.node(depth + 1)?;
            entries.push(Entry { key, value });
            self.blank()?;
        }
        self.at += 1;
        self.tree.note_duplicates(&entries);
        Ok(entries)
    }

    fn sequence(&mut self, depth: u32) -> Result<Vec<Node<'a>>, Failure> {
        let mut items = Vec::new();
        self.at += 1;
        self.blank()?;
        while self.peek() != Some(b']') {
            if !items.is_empty() && self.separator(b']')? {
                break;
            }
            items.push(self.node(depth + 1)?);
            self.blank()?;
        }
        self.at += 1;
        Ok(items)
    }

    /// Passes a comma; true when it was a trailing one and `close` follows.
    fn separator(&mut self, close: u8) -> Result<bool, Failure> {
        if self.peek() != Some(b',') {
            return Err(self.expected("`,`"));
        }
        self.at += 1;
        self.blank()?;
        Ok(self.dialect == Dialect::Commented && self.peek() == Some(close))
    }

    fn number(&mut self) -> Result<Cow<'a, str>, Failure> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .bytes()
            .position(|byte| !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
            .unwrap_or(rest.len());
        let number = rest.get(..length).unwrap_or_default();
        if number.parse::<f64>().is_err() {
            return Err(malformed("a number that is none"));
        }
        self.at += length;
        Ok(Cow::Borrowed(number))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Failure> {
        self.at += 1;
        let begin = self.at;
        let mut owned: Option<String> = None;
        let mut copied = begin;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(offset) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                return Err((SkipReason::Truncated, "string without an end".to_owned()));
            };
            self.at += offset;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\n') => {
                    self.at += 1;
                    self.line = self.line.saturating_add(1);
                    self.line_start = self.at;
                }
                _ => {
                    let text = owned.get_or_insert_default();
                    text.push_str(self.text.get(copied..self.at).unwrap_or_default());
                    self.at += 1;
                    let character = self.escape()?;
                    owned.get_or_insert_default().push(character);
                    copied = self.at;
                }
            }
        }
        let tail = self.text.get(copied..self.at).unwrap_or_default();
        self.at += 1;
        Ok(match owned {
            None => Cow::Borrowed(tail),
            Some(mut text) => {
                text.push_str(tail);
                Cow::Owned(text)
            }
        })
    }

    /// The character of an escape whose backslash has been passed. Half a surrogate pair gives U+FFFD.
    fn escape(&mut self) -> Result<char, Failure> {
        let byte = self.peek().ok_or((SkipReason::Truncated, "ends within an escape".to_owned()))?;
        let character = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(malformed("an unknown escape")),
        };
        self.at += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, Failure> {
        let first = self.hex4()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let followed = self.bytes.get(self.at..).unwrap_or_default().starts_with(b"\\u");
        if !followed {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let after_first = self.at;
        self.at += 2;
        let second = self.hex4()?;
        if !(0xdc00..0xe000).contains(&second) {
            self.at = after_first;
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex4(&mut self) -> Result<u32, Failure> {
        let digits = self.text.get(self.at..self.at.saturating_add(4)).unwrap_or_default();
        let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !valid {
            return Err(malformed("an escape without four hexadecimal digits"));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| malformed("an escape without four hexadecimal digits"))
    }

    fn expected(&self, what: &str) -> Failure {
        match self.peek() {
            None => (SkipReason::Truncated, format!("ends where {what} should be")),
            Some(_) => malformed(&format!("{what} is missing")),
        }
    }
}

fn malformed(detail: &str) -> Failure {
    (SkipReason::Malformed, detail.to_owned())
}

fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let tree = parse(text, Dialect::Json);
        assert!(tree.documents.is_empty(), "{text}");
        tree.problems[0].to_string()
    }

    #[test]
    fn every_node_knows_its_place() {
        let tree = parse("{\n  \"a\": [1,\n    \"é\"],\n\t\"b\": null }", Dialect::Json);
        let root = tree.root().unwrap();
        assert_eq!(root.span, Span { start: 0, end: 36, line: 1, column: 1, end_line: 4, source: 0 });
        let a = root.get("a").unwrap();
        assert_eq!((a.span.line, a.span.column, a.span.end_line), (2, 8, 3));
        assert_eq!(a.items()[1].string(), Some("é"));
        let key = &root.entries()[1].key;
        assert_eq!((key.span.line, key.span.column), (4, 2));
        assert!(root.get("b").unwrap().is_null());
    }

    #[test]
    fn escapes_are_undone() {
        let tree = parse(r#""a\u00e9\n\ud83d\ude00\ud83d!\/""#, Dialect::Json);
        assert_eq!(tree.root().unwrap().string(), Some("aé\n😀\u{fffd}!/"));
    }

    #[test]
    fn agrees_with_another_parser() {
        let text = r#" {"s": "x", "n": -1.5e3, "t": true, "l": [[], {}, [0]], "o": {"k": {"k": false}}} "#;
        let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
        fn convert(node: &Node<'_>) -> serde_json::Value {
            match &node.value {
                Value::Null | Value::Unknown => serde_json::Value::Null,
                Value::Bool(value) => (*value).into(),
                Value::Number(text) => serde_json::from_str(text).unwrap(),
                Value::String(text) => text.as_ref().into(),
                Value::Sequence(items) => items.iter().map(convert).collect(),
                Value::Mapping(entries) => {
                    entries.iter().map(|e| (e.key.string().unwrap().to_owned(), convert(&e.value))).collect()
                }
            }
        }
        assert_eq!(convert(parse(text, Dialect::Json).root().unwrap()), theirs);
    }

    #[test]
    fn says_where_and_why_it_broke() {
        for (text, expected) in [
            ("", "line 1: ends where a value should be"),
            ("{\"a\": 1\n,}", "line 2: a key is missing"),
            ("[1 2]", "line 1: `,` is missing"),
            ("\n\"abc", "line 2: string without an end"),
            ("[] []", "line 1: text after the end of the document"),
            ("[-]", "line 1: a number that is none"),
            ("// no\n[]", "line 1: a character that starts no value"),
        ] {
            assert_eq!(problem(text), expected, "{text}");
        }
        assert!(problem(&"[".repeat(200)).contains("nested deeper than 128"));
        assert!(problem(&format!("[{}0]", "0,".repeat(MAX_NODES))).contains("more than 1000000 values"));
    }

    #[test]
    fn comments_and_trailing_commas_where_allowed() {
        let tree = parse("{ // one\n \"a\": [1, /* two\n */ 2,], }", Dialect::Commented);
        let a = tree.root().unwrap().get("a").unwrap();
        assert_eq!(a.items().len(), 2);
        assert_eq!(a.items()[1].span.line, 3);
    }

    #[test]
    fn the_last_of_two_alike_keys_counts_and_is_reported() {
        let tree = parse(r#"{"version": "1", "version": "2"}"#, Dialect::Json);
        assert_eq!(tree.root().unwrap().text_of("version"), Some("2"));
        assert!(tree.problems[0].detail.contains("`version` is given twice"));
    }
}
