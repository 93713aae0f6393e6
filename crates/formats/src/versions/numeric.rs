//! Versions that are nothing but numbers, and longer ones newer: R's `package_version` (CRAN) and Haskell's
//! `Data.Version` (Hackage, the Package Versioning Policy).
//!
//! `1.0 < 1.0.0`. Text that is no such version is older than every one that is.

use std::cmp::Ordering;

use super::{digits, generic};

/// CRAN: numbers between dots or hyphens, which weigh the same.
pub(super) mod cran {
    use super::*;

    pub(in super::super) fn compare(a: &str, b: &str) -> Ordering {
        super::compare(a, b, &['.', '-'])
    }

    pub(in super::super) fn is_valid(version: &str) -> bool {
        super::is_valid(version, &['.', '-'])
    }
}

/// Hackage: numbers between dots.
pub(super) mod hackage {
    use super::*;

    pub(in super::super) fn compare(a: &str, b: &str) -> Ordering {
        super::compare(a, b, &['.'])
    }

    pub(in super::super) fn is_valid(version: &str) -> bool {
        super::is_valid(version, &['.'])
    }
}

fn is_valid(version: &str, separators: &[char]) -> bool {
    version.trim().split(separators).all(|part| digits::is_number(part.as_bytes()))
}

fn compare(a: &str, b: &str, separators: &[char]) -> Ordering {
    match (is_valid(a, separators), is_valid(b, separators)) {
        (true, true) => {}
        (false, false) => return generic::compare(a, b),
        (x, y) => return x.cmp(&y),
    }
    let (mut a, mut b) = (a.trim().split(separators), b.trim().split(separators));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(x), Some(y)) => digits::compare(x.as_bytes(), y.as_bytes()),
        };
        if order.is_ne() {
            return order;
        }
    }
}
