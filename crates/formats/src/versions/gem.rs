//! RubyGems versions (`Gem::Version`).
//!
//! A version is its runs of digits and of letters; a hyphen means `.pre.`, and a letter makes a pre-release. Text
//! RubyGems would refuse has the place its runs give it.

use std::cmp::Ordering;

use super::digits::{self, take_digits, take_while};

/// RubyGems' order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (canonical_segments(a), canonical_segments(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => a.unwrap_or(ZERO).compare(b.unwrap_or(ZERO)),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// `Gem::Version.correct?`
pub(super) fn is_valid(version: &str) -> bool {
    let version = version.trim();
    let (release, pre) = match version.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (version, None),
    };
    let mut parts = release.split('.');
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let word_or_hyphen = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    version.is_empty()
        || parts.next().is_some_and(|first| digits::is_number(first.as_bytes()))
            && parts.all(word)
            && pre.is_none_or(|pre| pre.split('.').all(word_or_hyphen))
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Word(&'a [u8]),
    /// Without leading zeros.
    Number(&'a [u8]),
}

const ZERO: Segment<'static> = Segment::Number(b"");

impl Segment<'_> {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Segment::Word(a), Segment::Word(b)) => a.cmp(b),
            (Segment::Number(a), Segment::Number(b)) => digits::compare(a, b),
            (Segment::Word(_), Segment::Number(_)) => Ordering::Less,
            (Segment::Number(_), Segment::Word(_)) => Ordering::Greater,
        }
    }
}

/// All segments, without the zeros right before the first word: `1.0.a` is `1.a`.
fn canonical_segments(version: &str) -> impl Iterator<Item = Segment<'_>> {
    let (mut numbers, mut significant) = (0, 0);
    for segment in Segments(version.as_bytes()) {
        match segment {
            Segment::Word(_) => break,
            Segment::Number(digits) => {
                numbers += 1;
                if !digits.is_empty() {
                    significant = numbers;
                }
            }
        }
    }
    Segments(version.as_bytes()).take(significant).chain(Segments(version.as_bytes()).skip(numbers))
}

struct Segments<'a>(&'a [u8]);

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let (_, rest) = take_while(self.0, |byte| !byte.is_ascii_alphanumeric() && byte != b'-');
        let (first, after) = rest.split_first()?;
        if *first == b'-' {
            self.0 = after;
            return Some(Segment::Word(b"pre"));
        }
        if first.is_ascii_digit() {
            let (number, after) = take_digits(rest);
            self.0 = after;
            return Some(Segment::Number(digits::significant(number)));
        }
        let (word, after) = take_while(rest, |byte| byte.is_ascii_alphabetic());
        self.0 = after;
        Some(Segment::Word(word))
    }
}
