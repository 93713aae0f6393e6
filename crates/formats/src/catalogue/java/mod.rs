//! Java: archives with what is in them, project files, lockfiles, and the runtime itself.

mod archive;
mod coordinates;
mod file_name;
mod manifest;
pub(super) mod native_image;
mod pom;
mod project;
mod properties;
mod runtime;

use super::{Cataloguer, Reads, Select};

/// Zip archives by their names: libraries, applications, plugins of Jenkins, Liferay, NiFi, Karaf, ZAP and others.
const ARCHIVES: &[Select] = &[
    Select::Suffix(".jar"),
    Select::Suffix(".war"),
    Select::Suffix(".ear"),
    Select::Suffix(".par"),
    Select::Suffix(".sar"),
    Select::Suffix(".nar"),
    Select::Suffix(".kar"),
    Select::Suffix(".rar"),
    Select::Suffix(".jpi"),
    Select::Suffix(".hpi"),
    Select::Suffix(".lpkg"),
    Select::Suffix(".zap"),
];

/// Project files; hand-written ones have kilobytes, generated ones seldom a megabyte.
const MAX_PROJECT: u64 = 4 << 20;

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "java-archive",
        selects: ARCHIVES,
        max_bytes: u64::MAX,
        reads: Reads::Stream(archive::catalogue),
    },
    Cataloguer {
        name: "maven-pom",
        selects: &[Select::Name("pom.xml")],
        max_bytes: MAX_PROJECT,
        reads: Reads::Whole(project::maven),
    },
    Cataloguer {
        name: "gradle-lockfile",
        selects: &[Select::Suffix("gradle.lockfile"), Select::Below("gradle/dependency-locks", ".lockfile")],
        max_bytes: MAX_PROJECT,
        reads: Reads::Whole(project::gradle_lockfile),
    },
    Cataloguer {
        name: "gradle-verification-metadata",
        selects: &[Select::Path("gradle/verification-metadata.xml")],
        max_bytes: MAX_PROJECT,
        reads: Reads::Whole(project::gradle_verification),
    },
    Cataloguer {
        name: "sbt-lock",
        selects: &[Select::Name("build.sbt.lock")],
        max_bytes: MAX_PROJECT,
        reads: Reads::Whole(project::sbt_lock),
    },
    Cataloguer {
        name: "java-runtime",
        selects: &[Select::Name("release")],
        max_bytes: 256 << 10,
        reads: Reads::Whole(runtime::catalogue),
    },
];

/// Whether an entry of an archive is an archive itself.
fn is_archive(name: &str) -> bool {
    ARCHIVES.iter().any(|select| match select {
        Select::Suffix(suffix) => {
            let tail = name.len().checked_sub(suffix.len()).and_then(|start| name.get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
        }
        _ => false,
    })
}
