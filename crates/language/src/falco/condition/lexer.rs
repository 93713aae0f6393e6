//! Tokens of a condition. What a token is depends on where it stands, so the parser asks for the kind it wants.

use super::syntax::{Comparison, Modifier, Position, TransformerName};

/// A place in a text, and the questions that can be asked of what follows.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: Position,
    /// The token before, for error messages.
    pub last: &'a str,
}

const NUMBER_OPERATORS: &[(&str, Comparison)] = &[
    ("<=", Comparison::LessOrEqual),
    ("<", Comparison::Less),
    (">=", Comparison::GreaterOrEqual),
    (">", Comparison::Greater),
];

const SYMBOLS: &[(&str, Comparison)] =
    &[("==", Comparison::Equal), ("=", Comparison::Equal), ("!=", Comparison::NotEqual)];

/// These want a blank behind them.
const WORDS: &[(&str, Comparison)] = &[
    ("glob", Comparison::Glob),
    ("iglob", Comparison::GlobIgnoringCase),
    ("contains", Comparison::Contains),
    ("icontains", Comparison::ContainsIgnoringCase),
    ("bcontains", Comparison::ContainsBytes),
    ("startswith", Comparison::StartsWith),
    ("bstartswith", Comparison::StartsWithBytes),
    ("endswith", Comparison::EndsWith),
    ("regex", Comparison::Regex),
];

const LIST_OPERATORS: &[(&str, Comparison)] =
    &[("intersects", Comparison::Intersects), ("in", Comparison::In), ("pmatch", Comparison::PathMatch)];

const MODIFIERS: &[(&str, Modifier)] =
    &[("oneof", Modifier::OneOf), ("anyof", Modifier::AnyOf), ("allof", Modifier::AllOf)];

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: Position { offset: 0, line: 1, column: 1 }, last: "" }
    }

    pub fn position(&self) -> Position {
        self.at
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at.offset as usize..).unwrap_or_default()
    }

    pub fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// Goes back to a place where this lexer has been.
    pub fn reset(&mut self, at: Position, last: &'a str) {
        (self.at, self.last) = (at, last);
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let token = self.rest().get(..length).unwrap_or_default();
        for byte in token.bytes() {
            self.at.column += 1;
            if matches!(byte, b'\r' | b'\n') {
                self.at.column = 1;
                self.at.line += 1;
            }
        }
        // Texts are shorter than 4 GiB; the parser sees to that.
        self.at.offset += u32::try_from(token.len()).unwrap_or_default();
        token
    }

    fn token(&mut self, length: usize) -> Option<&'a str> {
        if length == 0 {
            return None;
        }
        self.last = self.take(length);
        Some(self.last)
    }

    /// Takes as many bytes as `wanted` wants.
    fn while_bytes(&self, wanted: impl Fn(u8) -> bool) -> usize {
        self.rest().bytes().position(|byte| !wanted(byte)).unwrap_or(self.rest().len())
    }

    pub fn blank(&mut self) -> bool {
        let length = self.while_bytes(|byte| matches!(byte, b' ' | b'\t' | 0x08 | b'\r' | b'\n'));
        self.take(length);
        length > 0
    }

    pub fn literal(&mut self, token: &str) -> bool {
        self.rest().starts_with(token) && self.token(token.len()).is_some()
    }

    /// `not` and the white space that must follow it.
    pub fn not(&mut self) -> bool {
        let Some(rest) = self.rest().strip_prefix("not") else { return false };
        let blanks = rest.bytes().position(|byte| !is_space(byte)).unwrap_or(rest.len());
        blanks > 0 && self.token("not".len() + blanks).is_some()
    }

    pub fn identifier(&mut self) -> Option<&'a str> {
        self.token(identifier(self.rest()))
    }

    /// Identifiers joined by dots, at least two.
    pub fn field_name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let mut length = identifier(rest);
        let mut parts = usize::from(length > 0);
        while parts > 0 {
            let more = match rest.get(length..).and_then(|rest| rest.strip_prefix('.')) {
                Some(after) => identifier(after),
                None => 0,
            };
            if more == 0 {
                break;
            }
            length += 1 + more;
            parts += 1;
        }
        if parts < 2 { None } else { self.token(length) }
    }

    pub fn bare_argument(&mut self) -> Option<&'a str> {
        let length = self.while_bytes(|byte| !matches!(byte, b'[' | b']' | b'"' | b'\'') && !is_space(byte));
        self.token(length)
    }

    pub fn bare_text(&mut self) -> Option<&'a str> {
        let length = self
            .while_bytes(|byte| !matches!(byte, b'(' | b')' | b'"' | b'\'' | b'=' | b',') && !is_space(byte));
        self.token(length)
    }

    pub fn number(&mut self) -> Option<&'a str> {
        let length = number(self.rest());
        self.token(length)
    }

    /// A text in single or double quotes, unescaped; an error when an escape is wrong, none when there is no text.
    pub fn quoted(&mut self) -> Result<Option<Vec<u8>>, String> {
        let rest = self.rest();
        let Some(quote) = rest.bytes().next().filter(|byte| matches!(byte, b'"' | b'\'')) else {
            return Ok(None);
        };
        let mut previous = b'\\';
        for (at, byte) in rest.bytes().enumerate() {
            // A quote behind a backslash does not end the text, whatever stands before that backslash.
            if at > 0 && byte == quote && previous != b'\\' {
                let inner = rest.get(1..at).unwrap_or_default();
                let value = unescape(inner, quote)?;
                self.token(at + 1);
                return Ok(Some(value));
            }
            previous = if at == 0 { 0 } else { byte };
        }
        Ok(None)
    }

    pub fn transformer(&mut self) -> Option<TransformerName> {
        TransformerName::ALL
            .into_iter()
            .find(|name| *name != TransformerName::Value && self.call(name.name()))
    }

    /// `val(`
    pub fn value_of(&mut self) -> bool {
        self.call(TransformerName::Value.name())
    }

    fn call(&mut self, name: &str) -> bool {
        let follows = self.rest().strip_prefix(name).is_some_and(|rest| rest.starts_with('('));
        follows && self.token(name.len() + 1).is_some()
    }

    pub fn exists(&mut self) -> bool {
        self.literal("exists")
    }

    pub fn number_operator(&mut self) -> Option<Comparison> {
        self.first_of(NUMBER_OPERATORS)
    }

    /// A text operator, and whether a blank follows it.
    pub fn text_operator(&mut self) -> Option<(Comparison, bool)> {
        if let Some(comparison) = self.first_of(SYMBOLS) {
            return Some((comparison, self.blank()));
        }
        self.word_of(WORDS).map(|comparison| (comparison, true))
    }

    pub fn list_operator(&mut self) -> Option<Comparison> {
        self.first_of(LIST_OPERATORS)
    }

    /// A modifier with a list behind it; otherwise the word is a text like any other.
    pub fn modifier(&mut self) -> Option<Modifier> {
        let before = (self.at, self.last);
        let modifier = self.word_of(MODIFIERS)?;
        let rest = self.rest();
        let list_follows = rest.starts_with('(') || identifier(rest) > 0;
        let keyword_follows = ["and", "or", "not"].iter().any(|word| {
            rest.strip_prefix(word)
                .is_some_and(|after| !after.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()))
        });
        if list_follows && !keyword_follows {
            return Some(modifier);
        }
        self.reset(before.0, before.1);
        None
    }

    fn first_of<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        table.iter().find(|(token, _)| self.literal(token)).map(|(_, value)| *value)
    }

    fn word_of<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        for (word, value) in table {
            let before = (self.at, self.last);
            if self.literal(word) {
                if self.blank() {
                    return Some(*value);
                }
                self.reset(before.0, before.1);
            }
        }
        None
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r')
}

/// Length of the identifier at the start of a text.
fn identifier(text: &str) -> usize {
    if !text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return 0;
    }
    text.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_').unwrap_or(text.len())
}

/// Length of the hexadecimal or decimal number at the start of a text.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, digit: fn(&u8) -> bool| {
        bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|byte| digit(byte)).count())
    };
    if let [b'0', b'x' | b'X', ..] = bytes {
        let digits = run(2, u8::is_ascii_hexdigit);
        if digits > 0 {
            return 2 + digits;
        }
    }
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits = run(sign, u8::is_ascii_digit);
    if digits == 0 {
        return 0;
    }
    let mut length = sign + digits;
    if bytes.get(length) == Some(&b'.') {
        length += 1 + run(length + 1, u8::is_ascii_digit);
    }
    if let Some([b'e' | b'E', b'+' | b'-']) = bytes.get(length..length + 2) {
        let exponent = run(length + 2, u8::is_ascii_digit);
        if exponent > 0 {
            length += 2 + exponent;
        }
    }
    length
}

fn unescape(text: &str, quote: u8) -> Result<Vec<u8>, String> {
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            value.push(byte);
            continue;
        }
        match bytes.next() {
            None => {}
            Some(b'b') => value.push(0x08),
            Some(b'f') => value.push(0x0c),
            Some(b'n') => value.push(b'\n'),
            Some(b'r') => value.push(b'\r'),
            Some(b't') => value.push(b'\t'),
            // A backslash before a blank stands for the backslash alone; some rules in the field rely on it.
            Some(b' ' | b'\\') => value.push(b'\\'),
            Some(b'/') => value.push(b'/'),
            Some(other @ (b'"' | b'\'')) if other == quote => value.push(other),
            Some(other @ (b'"' | b'\'')) => {
                return Err(format!("invalid \\{} escape in {}-quoted string", other as char, quote as char));
            }
            Some(b'x') => {
                let digits = [bytes.next(), bytes.next()];
                let [Some(high), Some(low)] = digits else {
                    return Err("truncated hex char escape sequence".to_owned());
                };
                let digit = |byte: u8| (byte as char).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err("invalid hex char escape sequence".to_owned());
                };
                value.push(u8::try_from(high * 16 + low).unwrap_or_default());
            }
            Some(other) => {
                return Err(format!("unsupported string escape sequence: \\{}", other.escape_ascii()));
            }
        }
    }
    Ok(value)
}
