//! What follows a keyword: flags, words, pairs, JSON lists, here-document names.

use std::ops::Range;

use yagura_formats::document::{Value, json};

use super::{Flag, Pair, Word};
use crate::spliced::Spliced;

/// The flags from `at` on, and where the arguments start.
pub(super) fn flags(line: &Spliced, at: usize, escape: char) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    let mut rest = skip_blank(line.text(), at);
    while line.text().get(rest..).is_some_and(|text| text.starts_with("--")) {
        let Some(range) = next_word(line.text(), rest, escape) else { break };
        let text = line.text().get(range.clone()).unwrap_or_default();
        rest = skip_blank(line.text(), range.end);
        let body = text.strip_prefix("--").unwrap_or_default();
        if body.is_empty() {
            break;
        }
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        flags.push(Flag { name: name.to_ascii_lowercase(), value, range: line.range(range) });
    }
    (flags, rest)
}

fn skip_blank(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + (rest.len() - rest.trim_start().len())
}

/// The word at or after `at`: quotes and escaped characters do not end it.
fn next_word(text: &str, at: usize, escape: char) -> Option<Range<usize>> {
    let start = skip_blank(text, at);
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let mut quote = None;
    let mut characters = rest.char_indices();
    while let Some((offset, character)) = characters.next() {
        if quote.is_none() && character.is_whitespace() {
            return Some(start..start + offset);
        }
        match quote {
            // Nothing is escaped between single quotes.
            Some('\'') if character != '\'' => {}
            _ if character == escape => {
                characters.next();
            }
            Some(open) if character == open => quote = None,
            None if matches!(character, '\'' | '"') => quote = Some(character),
            _ => {}
        }
    }
    Some(start..text.len())
}

fn word(line: &Spliced, range: Range<usize>) -> Word {
    let text = line.text().get(range.clone()).unwrap_or_default().to_owned();
    Word { text, range: line.range(range) }
}

/// Words between white space; quotes mean nothing here.
pub(super) fn words(line: &Spliced, at: usize) -> Vec<Word> {
    let text = line.text();
    let mut words = Vec::new();
    let mut start = skip_blank(text, at);
    while let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) {
        let end = start + rest.find(char::is_whitespace).unwrap_or(rest.len());
        words.push(word(line, start..end));
        start = skip_blank(text, end);
    }
    words
}

/// `NAME=value` pairs; with `alone`, a name may stand without a value. `ENV NAME the rest` is the old form.
pub(super) fn pairs(line: &Spliced, at: usize, escape: char, alone: bool) -> Result<Vec<Pair>, String> {
    let text = line.text();
    let mut pairs = Vec::new();
    let mut at = at;
    while let Some(range) = next_word(text, at, escape) {
        at = range.end;
        let content = text.get(range.clone()).unwrap_or_default();
        if let Some(equals) = content.find('=') {
            let middle = range.start + equals;
            pairs.push(Pair {
                name: word(line, range.start..middle),
                value: Some(word(line, middle + 1..range.end)),
            });
        } else if alone {
            pairs.push(Pair { name: word(line, range), value: None });
        } else if pairs.is_empty() {
            let start = skip_blank(text, at);
            if start >= text.len() {
                return Err(format!("`{content}` has no value"));
            }
            let end = text.trim_end().len().max(start);
            pairs.push(Pair { name: word(line, range), value: Some(word(line, start..end)) });
            return Ok(pairs);
        } else {
            return Err(format!("`{content}` is not of the form NAME=value"));
        }
    }
    Ok(pairs)
}

/// A JSON list of strings that takes up the rest of the line.
pub(super) fn exec_form(line: &Spliced, at: usize) -> Option<Vec<Word>> {
    let rest = line.text().get(at..)?;
    if !rest.starts_with('[') {
        return None;
    }
    let tree = json::parse(rest, json::Dialect::Json);
    let Value::Sequence(items) = &tree.root()?.value else { return None };
    items
        .iter()
        .map(|item| {
            let text = item.string()?.to_owned();
            let range = at + item.span.start as usize..at + item.span.end as usize;
            Some(Word { text, range: line.range(range) })
        })
        .collect()
}

/// A here-document that a line announces.
pub(super) struct Declared {
    pub name: String,
    pub expands: bool,
    /// `<<-`: leading tabs are cut.
    pub tabs: bool,
}

/// The here-documents of a line, in order.
pub(super) fn heredoc_words(line: &Spliced, escape: char) -> Vec<Declared> {
    let text = line.text();
    if !text.contains("<<") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(range) = next_word(text, at, escape) {
        at = range.end;
        let word = text.get(range).unwrap_or_default();
        let Some(after) = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<") else {
            continue;
        };
        let (tabs, raw) = match after.strip_prefix('-') {
            Some(raw) => (true, raw),
            None => (false, after),
        };
        if raw.is_empty() || raw.contains('<') {
            continue;
        }
        let name: String = raw.chars().filter(|c| !matches!(c, '\'' | '"') && *c != escape).collect();
        found.push(Declared { expands: name == raw, name, tabs });
    }
    found
}
