//! Rust: Cargo's lockfile and the dependency list of cargo-auditable.

pub(super) mod auditable;
mod cargo_lock;

use super::{Cataloguer, Reads, Select};

/// The largest lockfiles in the open have about 2 MB.
const MAX_LOCKFILE: u64 = 8 << 20;

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "cargo-lock",
    selects: &[Select::Name("Cargo.lock")],
    max_bytes: MAX_LOCKFILE,
    reads: Reads::Whole(cargo_lock::catalogue),
}];
