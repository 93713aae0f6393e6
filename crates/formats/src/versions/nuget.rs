//! NuGet versions: up to four numbers, then semver 2.0's labels without regard to case (NuGet documentation,
//! "Package versioning"). What does not begin with a number is older than everything that does.

use std::cmp::Ordering;

use super::{digits, generic, semver};

/// NuGet's order.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (semver::parse(a), semver::parse(b)) {
        (Some(x), Some(y)) => {
            x.compare_numbers(&y).then_with(|| match (x.pre.is_empty(), y.pre.is_empty()) {
                (false, false) => compare_labels(x.pre, y.pre),
                (x, y) => x.cmp(&y),
            })
        }
        (x, y) => x.is_some().cmp(&y.is_some()).then_with(|| generic::compare(a, b)),
    }
}

/// One to four numbers of 31 bits, labels and metadata of ASCII letters, digits and hyphens.
pub(super) fn is_valid(version: &str) -> bool {
    let version = version.trim();
    let (version, build) = match version.split_once('+') {
        Some((version, build)) => (version, Some(build)),
        None => (version, None),
    };
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (version, None),
    };
    let label = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    numbers.split('.').count() <= 4
        && numbers.split('.').all(|part| digits::is_number(part.as_bytes()) && part.parse::<i32>().is_ok())
        && pre.is_none_or(|pre| pre.split('.').all(label))
        && build.is_none_or(|build| build.split('.').all(label))
}

fn compare_labels(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            // A label is a number only if it fits 32 bits; a date with a time does not.
            (Some(x), Some(y)) => match (x.parse::<i32>(), y.parse::<i32>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => digits::compare_ignoring_case(x.as_bytes(), y.as_bytes()),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
