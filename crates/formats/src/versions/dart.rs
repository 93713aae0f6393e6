//! Dart package versions (`pub_semver`): semantic versions whose build metadata counts. A version with a build is
//! newer than the same without one. What does not begin with a number is older than everything that does.

use std::cmp::Ordering;

use super::{generic, semver};

/// pub's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (semver::parse(a), semver::parse(b)) {
        (Some(x), Some(y)) => x.compare(&y).then_with(|| match (x.build, y.build) {
            (Some(x), Some(y)) => semver::compare_identifiers(x, y),
            (x, y) => x.is_some().cmp(&y.is_some()),
        }),
        (x, y) => x.is_some().cmp(&y.is_some()).then_with(|| generic::compare(a, b)),
    }
}

pub(super) use semver::is_valid;
