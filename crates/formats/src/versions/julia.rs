//! Julia versions (`VersionNumber`): semantic versions whose build identifiers count, as binary packages need
//! (`3.0.8+1`). A trailing `-` is older than every pre-release. What does not begin with a number is older than
//! everything that does.

use std::cmp::Ordering;

use super::{generic, semver};

/// Julia's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (semver::parse(a), semver::parse(b)) {
        (Some(x), Some(y)) => x
            .compare_numbers(&y)
            .then_with(|| compare_pre_releases(pre_release(a, x), pre_release(b, y)))
            .then_with(|| match (x.build, y.build) {
                (Some(x), Some(y)) => compare_identifiers(x, y),
                (x, y) => x.is_some().cmp(&y.is_some()),
            }),
        (x, y) => x.is_some().cmp(&y.is_some()).then_with(|| generic::compare(a, b)),
    }
}

/// One to three numbers, then a pre-release with or without its hyphen, then a build.
pub(super) fn is_valid(version: &str) -> bool {
    let identifiers = |text: &str| {
        text.is_empty()
            || text.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    };
    semver::parse(version).is_some_and(|parts| {
        parts.numbers.split('.').count() <= 3
            && parts.numbers.split('.').all(|number| !number.is_empty())
            && identifiers(parts.pre)
            && parts.build.is_none_or(identifiers)
    })
}

/// `Some("")` is the lone hyphen.
fn pre_release<'a>(version: &str, parts: semver::Parts<'a>) -> Option<&'a str> {
    let lone_hyphen = || version.split('+').next().unwrap_or_default().trim_end().ends_with('-');
    (!parts.pre.is_empty() || lone_hyphen()).then_some(parts.pre)
}

fn compare_pre_releases(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare_identifiers(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// As semver's, but the empty identifier precedes numbers too.
fn compare_identifiers(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (false, false) => semver::compare_identifiers(a, b),
        (a, b) => b.cmp(&a),
    }
}
