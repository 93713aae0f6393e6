//! Semantic versions (semver.org 2.0.0), read as leniently as advisory data writes them.
//!
//! Accepted beside the strict form: a leading `v` or `=`, missing or additional numeric components (missing ones are
//! zero), leading zeros, and a pre-release without its hyphen (`1.2.3beta`). Build metadata has no weight.
//! What does not begin with a number is older than everything that does.

use std::cmp::Ordering;

use super::{digits, generic};

/// The order of semver 2.0.0, section 11.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (parse(a), parse(b)) {
        (Some(x), Some(y)) => x.compare(&y),
        (x, y) => x.is_some().cmp(&y.is_some()).then_with(|| generic::compare(a, b)),
    }
}

/// A strict semantic version, a leading `v` allowed.
pub(super) fn is_valid(version: &str) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let (version, build) = match version.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (version, None),
    };
    let (core, pre) = match version.split_once('-') {
        Some((core, pre)) => (core, Some(pre)),
        None => (version, None),
    };
    let identifier = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let no_leading_zero =
        |text: &str| !(text.len() > 1 && text.starts_with('0') && digits::is_number(text.as_bytes()));
    core.split('.').count() == 3
        && core.split('.').all(|part| digits::is_number(part.as_bytes()) && no_leading_zero(part))
        && pre.is_none_or(|pre| pre.split('.').all(|part| identifier(part) && no_leading_zero(part)))
        && build.is_none_or(|build| build.split('.').all(identifier))
}

/// A version cut into the parts that orders built on semver share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    /// `1.2.3`, without anything before or after.
    pub(super) numbers: &'a str,
    /// Without its hyphen; empty for a release.
    pub(super) pre: &'a str,
    /// Without its plus; `None` where there is no plus. Only some orders weigh it.
    pub(super) build: Option<&'a str>,
}

/// `None` when the version does not begin with a number.
pub(super) fn parse(version: &str) -> Option<Parts<'_>> {
    let version = version.trim().trim_start_matches(['=', 'v', 'V', ' ']);
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (version, build) = match version.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (version, None),
    };
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let (numbers, pre) = version.split_at(end);
    let numbers = numbers.trim_end_matches('.');
    Some(Parts { numbers, pre: pre.strip_prefix('-').unwrap_or(pre), build })
}

impl Parts<'_> {
    /// Numbers, then pre-release.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.compare_numbers(other).then_with(|| compare_pre_releases(self.pre, other.pre))
    }

    pub(super) fn compare_numbers(&self, other: &Self) -> Ordering {
        digits::compare_padded(
            self.numbers.split('.').map(str::as_bytes),
            other.numbers.split('.').map(str::as_bytes),
        )
    }
}

/// A release (an empty pre-release) is newer than any pre-release of it.
pub(super) fn compare_pre_releases(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => compare_identifiers(a, b),
    }
}

/// Dot-separated identifiers: numbers by value and before words, words by ASCII, fewer before more.
pub(super) fn compare_identifiers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => compare_identifier(x.as_bytes(), y.as_bytes()),
        };
        if order.is_ne() {
            return order;
        }
    }
}

pub(super) fn compare_identifier(a: &[u8], b: &[u8]) -> Ordering {
    match (digits::is_number(a), digits::is_number(b)) {
        (true, true) => digits::compare(a, b),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}
