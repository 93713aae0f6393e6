//! Debian package versions: `[epoch:]upstream[-revision]` (Debian Policy 5.6.12, deb-version(7)).
//!
//! Shared by every distribution that uses dpkg. The algorithm is defined for any bytes, so a version dpkg would
//! refuse still has the place its characters give it; an epoch that is not a number is part of the upstream version.

use std::cmp::Ordering;

use super::digits::{self, take_digits};

/// dpkg's order: epoch, upstream version, revision; a missing revision equals `0`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (split(a), split(b));
    digits::compare(a.epoch, b.epoch)
        .then_with(|| compare_part(a.upstream, b.upstream))
        .then_with(|| compare_part(a.revision, b.revision))
}

/// What `dpkg --validate-version` accepts.
pub(super) fn is_valid(version: &str) -> bool {
    /// dpkg keeps epochs in a C `int`.
    const MAX_EPOCH: &[u8] = b"2147483647";
    let trimmed = trim(version);
    let version = split(version);
    let upstream_ok = |byte: &u8| byte.is_ascii_alphanumeric() || b".-+~:".contains(byte);
    let revision_ok = |byte: &u8| byte.is_ascii_alphanumeric() || b".+~".contains(byte);
    let epoch_stated = trimmed.contains(':');
    version.upstream.first().is_some_and(u8::is_ascii_digit)
        && version.upstream.iter().all(upstream_ok)
        && version.revision.iter().all(revision_ok)
        && !trimmed.ends_with('-')
        && (!epoch_stated
            || !version.epoch.is_empty() && digits::compare(version.epoch, MAX_EPOCH) != Ordering::Greater)
}

struct Version<'a> {
    epoch: &'a [u8],
    upstream: &'a [u8],
    revision: &'a [u8],
}

fn trim(version: &str) -> &str {
    version.trim_matches(|c: char| c.is_ascii_whitespace())
}

fn split(version: &str) -> Version<'_> {
    let version = trim(version);
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) if digits::is_number(epoch.as_bytes()) => (epoch, rest),
        _ => ("", version),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    Version { epoch: epoch.as_bytes(), upstream: upstream.as_bytes(), revision: revision.as_bytes() }
}

/// Alternately compares a run of non-digits by character weight and a run of digits by value.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let order = compare_non_digits(&mut a, &mut b);
        if order.is_ne() {
            return order;
        }
        let (digits_a, rest_a) = take_digits(a);
        let (digits_b, rest_b) = take_digits(b);
        let order = digits::compare(digits_a, digits_b);
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// Consumes the non-digits both start with.
fn compare_non_digits(a: &mut &[u8], b: &mut &[u8]) -> Ordering {
    loop {
        let (x, y) = (weight(a.first()), weight(b.first()));
        if x != y {
            return x.cmp(&y);
        }
        if x == END {
            return Ordering::Equal;
        }
        *a = a.get(1..).unwrap_or_default();
        *b = b.get(1..).unwrap_or_default();
    }
}

const END: i16 = 0;

/// `~` before the end of the part, the end (or a digit) before letters, letters before everything else.
fn weight(byte: Option<&u8>) -> i16 {
    match byte {
        None => END,
        Some(byte) if byte.is_ascii_digit() => END,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i16::from(*byte),
        Some(byte) => i16::from(*byte) + 256,
    }
}
