//! Arch Linux package versions: `[epoch:]version[-release]` as pacman's vercmp(8) orders them.
//!
//! Two places depart from pacman so that the order is total: a missing release is older than any release (pacman
//! ignores the release of the other side), and separators at the very end stand just before anything that a single
//! separator may lead to.

use std::cmp::Ordering;

use super::digits::{self, take_digits, take_while};
use super::rpm;

/// pacman's order: epoch, version, release.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (epoch_a, version_a, release_a) = rpm::split(a);
    let (epoch_b, version_b, release_b) = rpm::split(b);
    digits::compare(epoch_a.as_bytes(), epoch_b.as_bytes())
        .then_with(|| compare_part(version_a.as_bytes(), version_b.as_bytes()))
        .then_with(|| match (release_a, release_b) {
            (Some(a), Some(b)) => compare_part(a.as_bytes(), b.as_bytes()),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// The characters makepkg allows in `pkgver` and `pkgrel`.
pub(super) fn is_valid(version: &str) -> bool {
    let (_, version, release) = rpm::split(version);
    let forbidden = |c: char| c.is_whitespace() || matches!(c, ':' | '/' | '-');
    !version.is_empty()
        && version.is_ascii()
        && !version.contains(forbidden)
        && release.is_none_or(|release| {
            !release.is_empty() && release.split('.').all(|part| digits::is_number(part.as_bytes()))
        })
}

/// What follows at one place of a version: how many separators, then what.
#[derive(PartialEq, Eq)]
enum Segment<'a> {
    End,
    /// Separators and nothing more.
    TrailingSeparators,
    Letters(usize, &'a [u8]),
    Number(usize, &'a [u8]),
}

impl Segment<'_> {
    /// Letters without a separator make a pre-release (`1.0rc` before `1.0`); more separators are newer.
    fn place(&self) -> (usize, u8) {
        match self {
            Segment::Letters(0, _) => (0, 0),
            Segment::End => (0, 1),
            Segment::Number(0, _) => (0, 2),
            Segment::TrailingSeparators => (1, 1),
            Segment::Letters(separators, _) => (*separators, if *separators == 1 { 0 } else { 1 }),
            Segment::Number(separators, _) => (*separators, 2),
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Segment::Letters(i, a), Segment::Letters(j, b)) if i == j => a.cmp(b),
            (Segment::Number(i, a), Segment::Number(j, b)) if i == j => digits::compare(a, b),
            (a, b) => a.place().cmp(&b.place()),
        }
    }
}

fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (segment_a, rest_a) = next(a);
        let (segment_b, rest_b) = next(b);
        let order = segment_a.cmp(&segment_b);
        if order.is_ne() || matches!(segment_a, Segment::End | Segment::TrailingSeparators) {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn next(bytes: &[u8]) -> (Segment<'_>, &[u8]) {
    let (separators, rest) = take_while(bytes, |byte| !byte.is_ascii_alphanumeric());
    match rest.first() {
        None if separators.is_empty() => (Segment::End, rest),
        None => (Segment::TrailingSeparators, rest),
        Some(first) if first.is_ascii_digit() => {
            let (number, rest) = take_digits(rest);
            (Segment::Number(separators.len(), number), rest)
        }
        Some(_) => {
            let (letters, rest) = take_while(rest, |byte| byte.is_ascii_alphabetic());
            (Segment::Letters(separators.len(), letters), rest)
        }
    }
}
