//! RPM versions: `[epoch:]version[-release]` (rpm-version(7)).
//!
//! Every string has a place: bytes that are neither ASCII letters, digits, `~` nor `^` only separate segments.

use std::cmp::Ordering;

use super::digits::{self, take_while};

/// rpm's order: epoch, version, release. A missing release is older than any release.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (epoch_a, version_a, release_a) = split(a);
    let (epoch_b, version_b, release_b) = split(b);
    digits::compare(epoch_a.as_bytes(), epoch_b.as_bytes())
        .then_with(|| compare_part(version_a.as_bytes(), version_b.as_bytes()))
        .then_with(|| match (release_a, release_b) {
            (Some(a), Some(b)) => compare_part(a.as_bytes(), b.as_bytes()),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
}

/// The characters rpmbuild allows in a version and a release.
pub(super) fn is_valid(version: &str) -> bool {
    let allowed = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+~^".contains(&byte))
    };
    let (_, version, release) = split(version);
    allowed(version) && release.is_none_or(allowed)
}

/// Epoch (digits before a `:`; may be empty), version, and the release after the last `-`.
pub(super) fn split(version: &str) -> (&str, &str, Option<&str>) {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
        _ => ("", version),
    };
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

/// What stands at one place of a version; the order of the variants is rpm's.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Segment<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a [u8]),
    Number(&'a [u8]),
}

/// `rpmvercmp`.
fn compare_part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (segment_a, rest_a) = next(a);
        let (segment_b, rest_b) = next(b);
        let order = match (&segment_a, &segment_b) {
            (Segment::Number(x), Segment::Number(y)) => digits::compare(x, y),
            (x, y) => x.cmp(y),
        };
        if order.is_ne() || segment_a == Segment::End {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn next(bytes: &[u8]) -> (Segment<'_>, &[u8]) {
    let (_, bytes) = take_while(bytes, |byte| !byte.is_ascii_alphanumeric() && byte != b'~' && byte != b'^');
    match bytes.split_first() {
        None => (Segment::End, bytes),
        Some((b'~', rest)) => (Segment::Tilde, rest),
        Some((b'^', rest)) => (Segment::Caret, rest),
        Some((first, _)) if first.is_ascii_digit() => {
            let (digits, rest) = digits::take_digits(bytes);
            (Segment::Number(digits), rest)
        }
        Some(_) => {
            let (letters, rest) = take_while(bytes, |byte| byte.is_ascii_alphabetic());
            (Segment::Letters(letters), rest)
        }
    }
}
