//! Strings, bytes and numbers as they are written.

use super::lexer::Token;
use crate::cel::SyntaxError;

/// How a string begins.
#[derive(Clone, Copy)]
pub struct Quote {
    bytes: bool,
    raw: bool,
    mark: char,
    triple: bool,
    /// Bytes before the content.
    length: usize,
}

impl Quote {
    /// The quote that `rest` begins with, its prefixes `b` and `r` counted.
    pub fn of(rest: &str) -> Option<Self> {
        let (mut bytes, mut raw, mut length) = (false, false, 0);
        let mut left = rest;
        for (prefix, flag) in [(['b', 'B'], &mut bytes), (['r', 'R'], &mut raw)] {
            if let Some(after) = left.strip_prefix(prefix) {
                (*flag, left, length) = (true, after, length + 1);
            }
        }
        // `rb"…"` is as good as `br"…"`.
        if raw
            && !bytes
            && let Some(after) = left.strip_prefix(['b', 'B'])
        {
            (bytes, left, length) = (true, after, length + 1);
        }
        let mark = left.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let triple = left.starts_with(if mark == '"' { "\"\"\"" } else { "'''" });
        length += if triple { 3 } else { 1 };
        Some(Self { bytes, raw, mark, triple, length })
    }
}

/// A string at the start of `rest`, and its length with quotes.
pub fn string(rest: &str, quote: Quote) -> Result<(Token, usize), SyntaxError> {
    let mut content: Vec<u8> = Vec::new();
    let mut at = quote.length;
    let mut buffer = [0; 4];
    loop {
        let left = rest.get(at..).unwrap_or_default();
        let Some(next) = left.chars().next() else {
            return Err(SyntaxError::new(0, "a string without an end"));
        };
        if next == quote.mark {
            let three =
                left.as_bytes().get(..3).is_some_and(|three| three.iter().all(|b| *b == quote.mark as u8));
            if !quote.triple {
                at += 1;
                break;
            }
            if three {
                at += 3;
                break;
            }
        }
        if matches!(next, '\n' | '\r') && !quote.triple {
            return Err(SyntaxError::new(at, "a string without an end in its line"));
        }
        if next == '\\' && !quote.raw {
            let (value, length) = escape(left, quote.bytes).map_err(|error| error.moved(at))?;
            match value {
                Escaped::Byte(byte) => content.push(byte),
                Escaped::Character(character) => {
                    content.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                }
            }
            at += length;
        } else {
            content.extend_from_slice(next.encode_utf8(&mut buffer).as_bytes());
            at += next.len_utf8();
        }
    }
    if quote.bytes {
        return Ok((Token::Bytes(content), at));
    }
    match String::from_utf8(content) {
        Ok(text) => Ok((Token::String(text), at)),
        Err(_) => Err(SyntaxError::new(0, "a string that is not UTF-8")),
    }
}

enum Escaped {
    Byte(u8),
    Character(char),
}

/// An escape at the start of `left`, and its length.
fn escape(left: &str, bytes: bool) -> Result<(Escaped, usize), SyntaxError> {
    let wrong = |message: &str| SyntaxError::new(0, message);
    let kind = left.chars().nth(1).ok_or_else(|| wrong("a string without an end"))?;
    let simple = match kind {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '?' | '"' | '\'' | '`' => kind,
        'x' | 'X' | 'u' | 'U' | '0'..='3' => {
            let (from, digits, radix) = match kind {
                'x' | 'X' => (2, 2, 16),
                'u' => (2, 4, 16),
                'U' => (2, 8, 16),
                _ => (1, 3, 8),
            };
            let text = left.get(from..from + digits).filter(|text| text.chars().all(|c| c.is_digit(radix)));
            let code = text.and_then(|text| u32::from_str_radix(text, radix).ok());
            let code = code.ok_or_else(|| wrong("an escape without its digits"))?;
            if bytes {
                return match u8::try_from(code) {
                    Ok(byte) if !matches!(kind, 'u' | 'U') => Ok((Escaped::Byte(byte), from + digits)),
                    _ => Err(wrong("`\\u` has no meaning in bytes")),
                };
            }
            let character = char::from_u32(code).ok_or_else(|| wrong("an escape of no character"))?;
            return Ok((Escaped::Character(character), from + digits));
        }
        _ => return Err(wrong("an unknown escape; write \\\\ for a backslash")),
    };
    Ok((Escaped::Character(simple), 1 + kind.len_utf8()))
}

/// A number at the start of `rest`, and its length.
pub fn number(rest: &str) -> Result<(Token, usize), SyntaxError> {
    let wrong = || SyntaxError::new(0, "a number that is out of range or none");
    let unsigned = |length: usize| matches!(rest.as_bytes().get(length), Some(b'u' | b'U'));
    if let Some(hex) = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        let digits = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        let length = digits + 2;
        let magnitude = u64::from_str_radix(&hex[..digits], 16).map_err(|_| wrong())?;
        return integer(magnitude, unsigned(length), length).ok_or_else(wrong);
    }
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(rest);
    let mut length = whole;
    let fraction = rest[length..].strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        length += 1 + fraction;
    }
    if let Some(exponent) = rest[length..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let exponent = digits(&exponent[sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let token = if length > whole {
        (Token::Double(rest[..length].parse().map_err(|_| wrong())?), length)
    } else {
        let magnitude = rest[..length].parse().map_err(|_| wrong())?;
        integer(magnitude, unsigned(length), length).ok_or_else(wrong)?
    };
    let glued = rest[token.1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if glued { Err(SyntaxError::new(token.1, "a letter right after a number")) } else { Ok(token) }
}

fn integer(magnitude: u64, unsigned: bool, length: usize) -> Option<(Token, usize)> {
    if unsigned {
        return Some((Token::Uint(magnitude), length + 1));
    }
    match i64::try_from(magnitude) {
        Ok(value) => Some((Token::Int(value), length)),
        Err(_) if magnitude == i64::MIN.unsigned_abs() => Some((Token::SmallestInt, length)),
        Err(_) => None,
    }
}
