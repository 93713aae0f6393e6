//! Conda versions (conda's `VersionOrder`): `[epoch!]version[+local]`, components between dots, underscores and
//! hyphens, each a row of numbers and words.
//!
//! A missing number is zero, words precede numbers, `dev` precedes every word and `post` follows every number. Every
//! string has the place its parts give it.

use std::cmp::Ordering;

use super::digits::{self, compare_ignoring_case, take_digits, take_while};

/// Conda's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    digits::compare(a.epoch, b.epoch)
        .then_with(|| compare_components(a.version, b.version))
        .then_with(|| compare_components(a.local, b.local))
}

/// The characters and the form conda accepts.
pub(super) fn is_valid(version: &str) -> bool {
    let version = version.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"*.+!_-".contains(&byte);
    let once = |mark: u8| version.bytes().filter(|byte| *byte == mark).count() <= 1;
    let parts = split(version);
    let epoch_ok = version.split_once('!').is_none_or(|(epoch, _)| digits::is_number(epoch.as_bytes()));
    let local_ok = !version.contains('+') || components(parts.local).all(|part| !part.is_empty());
    version.bytes().all(allowed)
        && !(version.contains('-') && version.contains('_'))
        && once(b'!')
        && once(b'+')
        && epoch_ok
        && local_ok
        && components(parts.version).all(|part| !part.is_empty())
}

struct Version<'a> {
    epoch: &'a [u8],
    version: &'a [u8],
    local: &'a [u8],
}

fn split(version: &str) -> Version<'_> {
    let version = version.trim();
    let (epoch, rest) = match version.split_once('!') {
        Some((epoch, rest)) if digits::is_number(epoch.as_bytes()) => (epoch, rest),
        _ => ("", version),
    };
    let (version, local) = rest.split_once('+').unwrap_or((rest, ""));
    Version { epoch: epoch.as_bytes(), version: version.as_bytes(), local: local.as_bytes() }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'_' | b'-')
}

/// An underscore or hyphen at the very end belongs to the last component: `1.0.1_ < 1.0.1a`, as openssl needs.
fn components(version: &[u8]) -> impl Iterator<Item = &[u8]> {
    let last = version.len().saturating_sub(1);
    let closing = matches!(version.last(), Some(b'_' | b'-')).then_some(last);
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let rest = version.get(from..)?;
        let end =
            rest.iter().enumerate().position(|(i, byte)| is_separator(*byte) && Some(from + i) != closing);
        start = end.map(|end| from + end + 1);
        Some(end.and_then(|end| rest.get(..end)).unwrap_or(rest))
    })
}

#[derive(Clone, Copy)]
enum Run<'a> {
    Dev,
    Word(&'a [u8]),
    Number(&'a [u8]),
    Post,
}

const ZERO: Run<'static> = Run::Number(b"");

impl Run<'_> {
    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Run::Word(a), Run::Word(b)) => compare_ignoring_case(a, b),
            (Run::Number(a), Run::Number(b)) => digits::compare(a, b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(self) -> u8 {
        match self {
            // `*` is the one word before `dev`.
            Run::Word([b'*', ..]) => 0,
            Run::Dev => 1,
            Run::Word(_) => 2,
            Run::Number(_) => 3,
            Run::Post => 4,
        }
    }
}

fn compare_components(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (components(a), components(b));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => compare_runs(runs(a.unwrap_or_default()), runs(b.unwrap_or_default())),
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn compare_runs<'a>(a: impl Iterator<Item = Run<'a>>, b: impl Iterator<Item = Run<'a>>) -> Ordering {
    let (mut a, mut b) = (a.fuse(), b.fuse());
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

/// Numbers, stars and words; a component that does not begin with a number begins with zero.
fn runs(component: &[u8]) -> impl Iterator<Item = Run<'_>> {
    let leading_zero = component.first().is_some_and(|first| !first.is_ascii_digit()).then_some(ZERO);
    let mut rest = component;
    leading_zero.into_iter().chain(std::iter::from_fn(move || {
        let first = *rest.first()?;
        let (run, after) = if first.is_ascii_digit() {
            let (number, after) = take_digits(rest);
            (Run::Number(number), after)
        } else if first == b'*' {
            let (stars, after) = take_while(rest, |byte| byte == b'*');
            (Run::Word(stars), after)
        } else {
            let (word, after) = take_while(rest, |byte| !byte.is_ascii_digit() && byte != b'*');
            let run = if word.eq_ignore_ascii_case(b"dev") {
                Run::Dev
            } else if word.eq_ignore_ascii_case(b"post") {
                Run::Post
            } else {
                Run::Word(word)
            };
            (run, after)
        };
        rest = after;
        Some(run)
    }))
}
