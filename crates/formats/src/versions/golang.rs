//! Go module versions (`golang.org/x/mod/semver`) and Go toolchain versions (`go/version`).
//!
//! Module versions are semantic versions; the `v` may be missing, missing numbers are zero, and `+incompatible` has no
//! weight. A toolchain's `go1.21rc2` is the semantic version `1.21.0-rc.2` that advisories write, and a bare `go1.21`
//! (from 1.21 on the name of the language version) precedes its release candidates. Anything else, `(devel)` for one,
//! is older than every version.

use std::cmp::Ordering;

use super::digits::{self, take_digits, take_while};
use super::{generic, semver};

/// Go's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (x, y) => x.is_some().cmp(&y.is_some()).then_with(|| generic::compare(a, b)),
    }
}

/// A module version with or without its `v`, or a toolchain version.
pub(super) fn is_valid(version: &str) -> bool {
    semver::is_valid(version)
        || Version::parse(version).is_some_and(|parsed| {
            let numbers = parsed.numbers.split('.').count();
            numbers <= 3 && matches!(parsed.pre, Pre::None | Pre::Toolchain(..) | Pre::Language)
        })
}

struct Version<'a> {
    numbers: &'a str,
    pre: Pre<'a>,
}

/// What precedes a release.
#[derive(Clone, Copy)]
enum Pre<'a> {
    None,
    /// As semver writes it, `rc.1` or `0.20200101000000-0123456789ab`.
    Semver(&'a str),
    /// As toolchains write it: `rc` and `1`.
    Toolchain(&'a str, &'a str),
    /// `go1.21`, which stands at the semantic version `1.21.0-0`.
    Language,
}

/// The first Go version whose bare form names the language and not a release.
const FIRST_LANGUAGE_MINOR: &[u8] = b"21";

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim().split(' ').next().unwrap_or_default();
        let (toolchain, text) = match text.strip_prefix("go") {
            // `-suffix` marks another vendor's build of the same version.
            Some(rest) => (true, rest.split(['-', '+']).next().unwrap_or_default()),
            None => (false, text.strip_prefix('v').unwrap_or(text)),
        };
        let text = text.split('+').next().unwrap_or_default();
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, rest) = text.split_at(end);
        let numbers = numbers.trim_end_matches('.');
        let pre = match rest.strip_prefix('-') {
            _ if rest.is_empty() && toolchain && is_language(numbers) => Pre::Language,
            _ if rest.is_empty() => Pre::None,
            Some("") => Pre::None,
            Some(pre) => Pre::Semver(pre),
            None => {
                let (word, number) = take_while(rest.as_bytes(), |byte| byte.is_ascii_alphabetic());
                if !word.is_empty() && take_digits(number).1.is_empty() {
                    let (word, number) = rest.split_at(word.len());
                    Pre::Toolchain(word, number)
                } else {
                    Pre::Semver(rest)
                }
            }
        };
        Some(Self { numbers, pre })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| version.numbers.split('.').map(str::as_bytes);
        digits::compare_padded(numbers(self), numbers(other))
            .then_with(|| self.pre.is_release().cmp(&other.pre.is_release()))
            .then_with(|| self.pre.compare(other.pre))
    }
}

fn is_language(numbers: &str) -> bool {
    matches!(numbers.split_once('.'), Some(("1", minor))
        if digits::is_number(minor.as_bytes()) && digits::compare(minor.as_bytes(), FIRST_LANGUAGE_MINOR).is_ge())
}

impl<'a> Pre<'a> {
    fn is_release(self) -> bool {
        matches!(self, Pre::None)
    }

    fn identifiers(self) -> impl Iterator<Item = &'a str> {
        let (first, second) = match self {
            Pre::None => ("", ""),
            Pre::Semver(pre) => (pre, ""),
            Pre::Toolchain(word, number) => (word, number),
            Pre::Language => ("0", ""),
        };
        first.split('.').chain(Some(second).filter(|text| !text.is_empty()))
    }

    fn compare(self, other: Self) -> Ordering {
        let (mut a, mut b) = (self.identifiers(), other.identifiers());
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(x), Some(y)) => semver::compare_identifier(x.as_bytes(), y.as_bytes()),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}
