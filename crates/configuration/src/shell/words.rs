//! Words: quoting, expansions and the scripts inside them.

use std::ops::Range;

/// A word of a script as its bytes say it.
#[derive(Debug, Default)]
pub(super) struct Lexed {
    pub text: String,
    pub quoted: bool,
    /// Bytes of command and process substitutions, without their brackets.
    pub scripts: Vec<Range<usize>>,
    /// After the word.
    pub end: usize,
}

/// Characters that end a word outside of quotes.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>')
}

/// Reads the word at `at`, which may be empty where none starts there.
pub(super) fn word(script: &str, at: usize) -> Lexed {
    let bytes = script.as_bytes();
    let mut lexed = Lexed { end: at, ..Lexed::default() };
    let mut literal = at;
    let mut position = at;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'\\' => {
                take(script, literal..position, &mut lexed.text);
                // A line break after a backslash is no character at all.
                let next = script.get(position + 1..).and_then(|rest| rest.chars().next());
                let width = next.map_or(0, char::len_utf8);
                if let Some(character) = next.filter(|character| *character != '\n') {
                    lexed.text.push(character);
                    lexed.quoted = true;
                }
                position += 1 + width;
                literal = position;
            }
            b'\'' => {
                take(script, literal..position, &mut lexed.text);
                let end = find(bytes, position + 1, b'\'').unwrap_or(bytes.len());
                take(script, position + 1..end, &mut lexed.text);
                lexed.quoted = true;
                position = (end + 1).min(bytes.len());
                literal = position;
            }
            b'"' => {
                take(script, literal..position, &mut lexed.text);
                lexed.quoted = true;
                position = double_quoted(script, position + 1, &mut lexed);
                literal = position;
            }
            b'$' | b'`' => {
                // Kept as written.
                position = expansion(script, position, &mut lexed.scripts);
            }
            b'<' | b'>' if bytes.get(position + 1) == Some(&b'(') => {
                position = bracketed(script, position + 1, &mut lexed.scripts);
            }
            byte if ends_word(byte) => break,
            _ => position += 1,
        }
    }
    take(script, literal..position, &mut lexed.text);
    lexed.end = position.min(bytes.len());
    lexed
}

fn take(script: &str, range: Range<usize>, into: &mut String) {
    into.push_str(script.get(range).unwrap_or_default());
}

fn find(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    memchr::memchr(wanted, bytes.get(from..)?).map(|at| from + at)
}

/// Reads up to the closing quote; `at` follows the opening one. Returns what follows the closing one.
fn double_quoted(script: &str, at: usize, lexed: &mut Lexed) -> usize {
    let bytes = script.as_bytes();
    let mut position = at;
    let mut literal = at;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'"' => {
                take(script, literal..position, &mut lexed.text);
                return position + 1;
            }
            b'\\' if matches!(bytes.get(position + 1), Some(b'"' | b'\\' | b'$' | b'`' | b'\n')) => {
                take(script, literal..position, &mut lexed.text);
                if bytes.get(position + 1) == Some(&b'\n') {
                    literal = position + 2;
                } else {
                    literal = position + 1;
                }
                position += 2;
            }
            b'$' | b'`' => position = expansion(script, position, &mut lexed.scripts),
            _ => position += 1,
        }
    }
    take(script, literal..bytes.len(), &mut lexed.text);
    bytes.len()
}

/// The end of the expansion that starts at `at` with `$` or a backtick; commands in it are noted.
fn expansion(script: &str, at: usize, scripts: &mut Vec<Range<usize>>) -> usize {
    let bytes = script.as_bytes();
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'`'), _) => {
            let mut position = at + 1;
            while let Some(&byte) = bytes.get(position) {
                match byte {
                    b'`' => {
                        scripts.push(at + 1..position);
                        return position + 1;
                    }
                    b'\\' => position += 2,
                    _ => position += 1,
                }
            }
            scripts.push(at + 1..bytes.len());
            bytes.len()
        }
        (_, Some(b'(')) if bytes.get(at + 2) == Some(&b'(') => bracketed(script, at + 1, &mut Vec::new()),
        (_, Some(b'(')) => bracketed(script, at + 1, scripts),
        (_, Some(b'{')) => {
            let mut depth = 0usize;
            let mut position = at + 1;
            while let Some(&byte) = bytes.get(position) {
                position += 1;
                match byte {
                    b'\\' => position += 1,
                    b'{' => depth += 1,
                    b'}' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            break;
                        }
                    }
                    _ => {}
                }
            }
            position.min(bytes.len())
        }
        _ => at + 1,
    }
}

/// The end of what the bracket at `at` opens, quotes heeded; its inside is noted.
fn bracketed(script: &str, at: usize, scripts: &mut Vec<Range<usize>>) -> usize {
    let bytes = script.as_bytes();
    let mut depth = 0usize;
    let mut position = at;
    while let Some(&byte) = bytes.get(position) {
        match byte {
            b'\\' => position += 1,
            b'(' => depth += 1,
            b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    scripts.push(at + 1..position);
                    return position + 1;
                }
            }
            b'\'' => position = find(bytes, position + 1, b'\'').unwrap_or(bytes.len()),
            b'"' => {
                position += 1;
                while let Some(&byte) = bytes.get(position) {
                    match byte {
                        b'"' => break,
                        b'\\' => position += 2,
                        _ => position += 1,
                    }
                }
            }
            _ => {}
        }
        position += 1;
    }
    scripts.push((at + 1).min(bytes.len())..bytes.len());
    bytes.len()
}
