//! Swift and Objective-C: `Package.resolved` of the Swift package manager and `Podfile.lock` of CocoaPods.

mod package_resolved;
mod podfile_lock;

use super::structured::MAX_LOCKFILE;
use super::{Cataloguer, Reads, Select};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "swift-package-resolved",
        selects: &[Select::Name("Package.resolved"), Select::Name(".package.resolved")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(package_resolved::read),
    },
    Cataloguer {
        name: "cocoapods-podfile-lock",
        selects: &[Select::Name("Podfile.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(podfile_lock::read),
    },
];
