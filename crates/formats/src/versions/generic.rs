//! An order for versions of unknown making: numbers by value, words before numbers, and the usual words for
//! pre-releases before the release they lead to. Any string has a place.

use std::cmp::Ordering;

use super::digits::{self, compare_ignoring_case, take_digits, take_while};

/// Compares run by run; `1.0-rc1 < 1.0 < 1.0a < 1.0.1`, and `1.0 = 1-0 = v1.0`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let strip = |version: &'_ str| -> usize {
        let spaces = version.len() - version.trim_start().len();
        let rest = version.get(spaces..).unwrap_or_default();
        let marked =
            rest.strip_prefix(['v', 'V']).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        spaces + usize::from(marked)
    };
    compare_bytes(
        a.as_bytes().get(strip(a)..).unwrap_or_default(),
        b.as_bytes().get(strip(b)..).unwrap_or_default(),
    )
}

/// The same for a part of a version.
pub(super) fn compare_bytes(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (run_a, rest_a) = next(a);
        let (run_b, rest_b) = next(b);
        let order = run_a.compare(&run_b);
        if order.is_ne() || matches!(run_a, Run::End) {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// Anything that holds a digit can be told apart.
pub(super) fn is_valid(version: &str) -> bool {
    version.bytes().any(|byte| byte.is_ascii_digit())
}

/// Words that mark what comes before a release, oldest first; words of one row are the same.
const PRE_RELEASE: [&[&[u8]]; 6] = [
    &[b"dev", b"snapshot", b"nightly"],
    &[b"alpha"],
    &[b"beta"],
    &[b"milestone", b"preview", b"pre", b"prerelease"],
    &[b"rc", b"cr", b"candidate"],
    &[b"~"],
];

enum Run<'a> {
    PreRelease(usize),
    End,
    Word(&'a [u8]),
    Number(&'a [u8]),
}

impl Run<'_> {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Run::PreRelease(a), Run::PreRelease(b)) => a.cmp(b),
            (Run::Word(a), Run::Word(b)) => compare_ignoring_case(a, b),
            (Run::Number(a), Run::Number(b)) => digits::compare(a, b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Run::PreRelease(_) => 0,
            Run::End => 1,
            Run::Word(_) => 2,
            Run::Number(_) => 3,
        }
    }
}

fn next(bytes: &[u8]) -> (Run<'_>, &[u8]) {
    let is_word = |byte: u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    let (_, bytes) = take_while(bytes, |byte| !is_word(byte) && !byte.is_ascii_digit() && byte != b'~');
    match bytes.split_first() {
        None => (Run::End, bytes),
        Some((first, _)) if first.is_ascii_digit() => {
            let (digits, rest) = take_digits(bytes);
            (Run::Number(digits), rest)
        }
        Some((first, tail)) => {
            let (word, rest) = if *first == b'~' {
                (bytes.get(..1).unwrap_or_default(), tail)
            } else {
                take_while(bytes, is_word)
            };
            let known =
                PRE_RELEASE.iter().position(|row| row.iter().any(|known| known.eq_ignore_ascii_case(word)));
            (known.map_or(Run::Word(word), Run::PreRelease), rest)
        }
    }
}
