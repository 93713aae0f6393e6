//! Bitnami versions: semantic versions with the revision of the package behind a hyphen.
//!
//! `1.2.3-4` is the fourth revision of 1.2.3 and newer than it, where semver would take it for a pre-release. Labels
//! that begin with a word (`2.6.0-rc5`) still mark pre-releases. Revision 0 equals no revision, because advisories
//! use `1.21.0-0` for the beginning of 1.21.0.

use std::cmp::Ordering;

use super::{digits, generic, semver};

/// Numbers, then pre-release or revision.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (semver::parse(a), semver::parse(b)) {
        (Some(x), Some(y)) => x
            .compare_numbers(&y)
            .then_with(|| Label::new(x.pre).rank().cmp(&Label::new(y.pre).rank()))
            .then_with(|| semver::compare_identifiers(Label::new(x.pre).text(), Label::new(y.pre).text())),
        (x, y) => x.is_some().cmp(&y.is_some()).then_with(|| generic::compare(a, b)),
    }
}

pub(super) use semver::is_valid;

enum Label<'a> {
    PreRelease(&'a str),
    None,
    Revision(&'a str),
}

impl<'a> Label<'a> {
    fn new(label: &'a str) -> Self {
        let revision = label.split(['.', '-']).next().unwrap_or_default().as_bytes();
        if label.bytes().all(|byte| byte == b'0') {
            Self::None
        } else if digits::is_number(revision) {
            Self::Revision(label)
        } else {
            Self::PreRelease(label)
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::PreRelease(_) => 0,
            Self::None => 1,
            Self::Revision(_) => 2,
        }
    }

    fn text(&self) -> &'a str {
        match self {
            Self::PreRelease(label) | Self::Revision(label) => label,
            Self::None => "",
        }
    }
}
