//! Python versions from before PEP 440, as setuptools' old `parse_version` ordered them.
//!
//! A version is a row of words and numbers; `dev` precedes everything, `pre`, `preview` and `rc` mean `c`, a hyphen
//! stands after what was released, and words from `final` on follow the release.

use std::cmp::Ordering;

use super::digits::{self, take_while};

/// Compares two versions neither of which PEP 440 knows.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    parts(&a).cmp(&parts(&b))
}

/// One word or number; numbers precede words.
#[derive(PartialEq, Eq)]
enum Part<'a> {
    Number(&'a [u8]),
    Word(&'a [u8]),
}

const FINAL: &[u8] = b"final";
const FINAL_HYPHEN: &[u8] = b"final-";

impl Ord for Part<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Part::Number(a), Part::Number(b)) => digits::compare(a, b),
            (Part::Word(a), Part::Word(b)) => a.cmp(b),
            // `*word` sorts before `0…`: the old code compared text.
            (Part::Number(_), Part::Word(_)) => Ordering::Greater,
            (Part::Word(_), Part::Number(_)) => Ordering::Less,
        }
    }
}

impl PartialOrd for Part<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn parts(version: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut rest = version.as_bytes();
    loop {
        let (part, after) = next(rest);
        let end = part.is_none();
        let part = part.unwrap_or(Part::Word(FINAL));
        if let Part::Word(word) = &part {
            if *word < FINAL {
                while parts.last().is_some_and(|p| matches!(p, Part::Word(w) if *w == FINAL_HYPHEN)) {
                    parts.pop();
                }
            }
            while parts
                .last()
                .is_some_and(|p| matches!(p, Part::Number(n) if digits::significant(n).is_empty()))
            {
                parts.pop();
            }
        }
        parts.push(part);
        if end {
            return parts;
        }
        rest = after;
    }
}

/// The next word, number or hyphen; anything else is passed over.
fn next(bytes: &[u8]) -> (Option<Part<'_>>, &[u8]) {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let (_, bytes) = take_while(bytes, |byte| !known(byte));
    match bytes.split_first() {
        None => (None, bytes),
        Some((b'-', rest)) => (Some(Part::Word(FINAL_HYPHEN)), rest),
        Some((first, _)) if first.is_ascii_digit() => {
            let (digits, rest) = digits::take_digits(bytes);
            (Some(Part::Number(digits)), rest)
        }
        Some(_) => {
            let (word, rest) = take_while(bytes, |byte| byte.is_ascii_lowercase());
            let word: &[u8] = match word {
                b"pre" | b"preview" | b"rc" => b"c",
                b"dev" => b"@",
                word => word,
            };
            (Some(Part::Word(word)), rest)
        }
    }
}
