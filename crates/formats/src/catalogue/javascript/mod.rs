//! JavaScript: packages under `node_modules`, and the lockfiles of npm, Yarn, pnpm and Bun.
//!
//! A lockfile's package is what a registry or a repository gave; the project itself, the members of its workspace and
//! linked directories are left out there, because no registry knows them under their version. Their own
//! `package.json` is read all the same.

mod bun_lock;
mod package_json;
mod package_lock;
mod pnpm_lock;
mod specifier;
mod yarn_berry;
mod yarn_classic;

use yagura_model::SkipReason;

use super::structured::{MAX_LOCKFILE, MAX_METADATA};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};
use crate::document;

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "javascript-package",
        selects: &[Select::Name("package.json")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(package_json::read),
    },
    Cataloguer {
        name: "javascript-npm-lock",
        selects: &[
            Select::Name("package-lock.json"),
            Select::Name("npm-shrinkwrap.json"),
            Select::Path("node_modules/.package-lock.json"),
        ],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(package_lock::read),
    },
    Cataloguer {
        name: "javascript-yarn-lock",
        selects: &[Select::Name("yarn.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(read_yarn),
    },
    Cataloguer {
        name: "javascript-pnpm-lock",
        selects: &[Select::Name("pnpm-lock.yaml")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(pnpm_lock::read),
    },
    Cataloguer {
        name: "javascript-bun-lock",
        selects: &[Select::Name("bun.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(bun_lock::read),
    },
    Cataloguer {
        name: "javascript-bun-binary-lock",
        selects: &[Select::Name("bun.lockb")],
        max_bytes: u64::MAX,
        reads: Reads::Stream(|file, _, facts| {
            facts.skip(
                file.path,
                SkipReason::Unsupported,
                "binary lockfile of Bun: `bun install --save-text-lockfile` writes bun.lock beside it",
            );
        }),
    },
];

/// Yarn 1 wrote a format of its own, Yarn 2 and later write YAML.
fn read_yarn(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    if text.lines().any(|line| line.starts_with("__metadata:")) {
        yarn_berry::read(file, &text, facts);
    } else {
        yarn_classic::read(file, &text, facts);
    }
}
