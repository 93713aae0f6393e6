//! Findings to actions.
//!
//! Today: the patches that policy rules propose, applied to the text of a file so that not a byte changes beside what
//! they speak of, and shown as a unified diff. This crate must not open or write files, and knows no rule by name.

mod diff;
mod dockerfile;
mod hcl;
mod patch;
mod tree;

pub use diff::unified;
pub use patch::{NoPatch, apply};
