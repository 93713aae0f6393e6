//! Python versions (PEP 440 and the version specifiers specification that replaced it).
//!
//! Spelling variants the specification normalises (`1.0-ALPHA_1` for `1.0a1`, `1.0-1` for `1.0.post1`) are read as
//! what they mean. Versions outside of it are older than every version within it and keep, among themselves, the
//! order setuptools gave such versions before the specification.

use std::cmp::Ordering;

use super::digits::{self, compare_ignoring_case, take_digits};
use super::pep440_legacy;

/// The specification's order, legacy versions first.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (None, None) => pep440_legacy::compare(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Whether the version has the form of the specification's appendix B.
pub(super) fn is_valid(version: &str) -> bool {
    Version::parse(version).is_some()
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Alpha,
    Beta,
    Candidate,
}

/// All numbers are kept as digits: they may be of any length. An absent number is zero.
struct Version<'a> {
    epoch: &'a [u8],
    release: &'a [u8],
    pre: Option<(Phase, &'a [u8])>,
    post: Option<&'a [u8]>,
    dev: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
}

const PRE_WORDS: [(&[u8], Phase); 8] = [
    (b"alpha", Phase::Alpha),
    (b"a", Phase::Alpha),
    (b"beta", Phase::Beta),
    (b"b", Phase::Beta),
    (b"preview", Phase::Candidate),
    (b"pre", Phase::Candidate),
    (b"c", Phase::Candidate),
    (b"rc", Phase::Candidate),
];
const POST_WORDS: [(&[u8], ()); 3] = [(b"post", ()), (b"rev", ()), (b"r", ())];
const DEV_WORDS: [(&[u8], ()); 1] = [(b"dev", ())];

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim().as_bytes();
        let text = text.strip_prefix(b"v").or_else(|| text.strip_prefix(b"V")).unwrap_or(text);
        let (first, rest) = take_digits(text);
        let (epoch, text) = match rest.strip_prefix(b"!") {
            Some(rest) if !first.is_empty() => (first, rest),
            _ => (&text[..0], text),
        };
        let (release, text) = take_release(text)?;
        let (pre, text) = take_marker(text, &PRE_WORDS);
        let (post, text) = match take_implicit_post(text) {
            Some((number, rest)) => (Some(((), number)), rest),
            None => take_marker(text, &POST_WORDS),
        };
        let (dev, text) = take_marker(text, &DEV_WORDS);
        let local = match text.strip_prefix(b"+") {
            Some(local) if is_local(local) => Some(local),
            None if text.is_empty() => None,
            _ => return None,
        };
        Some(Self {
            epoch,
            release,
            pre,
            post: post.map(|(_, number)| number),
            dev: dev.map(|(_, number)| number),
            local,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        digits::compare(self.epoch, other.epoch)
            .then_with(|| digits::compare_padded(dotted(self.release), dotted(other.release)))
            .then_with(|| self.compare_pre(other))
            .then_with(|| compare_options(self.post, other.post, Ordering::Less))
            .then_with(|| compare_options(self.dev, other.dev, Ordering::Greater))
            .then_with(|| self.compare_local(other))
    }

    /// A development release of the bare version precedes its pre-releases; the final release follows them.
    fn compare_pre(&self, other: &Self) -> Ordering {
        let rank = |version: &Self| match (version.pre, version.post, version.dev) {
            (None, None, Some(_)) => 0,
            (Some(_), _, _) => 1,
            (None, _, _) => 2,
        };
        rank(self).cmp(&rank(other)).then_with(|| match (self.pre, other.pre) {
            (Some((phase_a, a)), Some((phase_b, b))) => {
                phase_a.cmp(&phase_b).then_with(|| digits::compare(a, b))
            }
            _ => Ordering::Equal,
        })
    }

    fn compare_local(&self, other: &Self) -> Ordering {
        let (Some(a), Some(b)) = (self.local, other.local) else {
            return self.local.is_some().cmp(&other.local.is_some());
        };
        let (mut a, mut b) = (segments(a), segments(b));
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(x), Some(y)) => match (digits::is_number(x), digits::is_number(y)) {
                    (true, true) => digits::compare(x, y),
                    (false, false) => compare_ignoring_case(x, y),
                    (x, y) => x.cmp(&y),
                },
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

/// Compares numbers by value; `absent` is how "none" compares with "some".
fn compare_options(a: Option<&[u8]>, b: Option<&[u8]>, absent: Ordering) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => absent,
        (Some(_), None) => absent.reverse(),
        (Some(a), Some(b)) => digits::compare(a, b),
    }
}

fn dotted(release: &[u8]) -> impl Iterator<Item = &[u8]> {
    release.split(|byte| *byte == b'.')
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

fn segments(local: &[u8]) -> impl Iterator<Item = &[u8]> {
    local.split(|byte| is_separator(*byte))
}

fn is_local(text: &[u8]) -> bool {
    segments(text).all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric))
}

/// `N(.N)*`
fn take_release(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = text;
    loop {
        let (number, after) = take_digits(rest);
        if number.is_empty() {
            return None;
        }
        match after.split_first() {
            Some((b'.', next)) if next.first().is_some_and(u8::is_ascii_digit) => rest = next,
            _ => return Some(text.split_at(text.len() - after.len())),
        }
    }
}

type Marker<'a, T> = (Option<(T, &'a [u8])>, &'a [u8]);

/// An optional separator, one of the words in any case, an optional separator, an optional number.
fn take_marker<'a, T: Copy>(text: &'a [u8], words: &[(&[u8], T)]) -> Marker<'a, T> {
    let skip_separator = |text: &'a [u8]| match text.split_first() {
        Some((first, rest)) if is_separator(*first) => rest,
        _ => text,
    };
    let start = skip_separator(text);
    for (word, meaning) in words {
        if let Some((head, rest)) = start.split_at_checked(word.len())
            && head.eq_ignore_ascii_case(word)
        {
            let (number, rest) = take_digits(skip_separator(rest));
            return (Some((*meaning, number)), rest);
        }
    }
    (None, text)
}

/// `-N` without a word.
fn take_implicit_post(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (number, rest) = take_digits(text.strip_prefix(b"-")?);
    (!number.is_empty()).then_some((number, rest))
}
