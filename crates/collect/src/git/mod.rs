//! The history of a git repository: every version of every file that any reference reaches, each once.
//!
//! Objects and packs are read by ourselves: no program is started, no hook, no filter and nothing of the repository's
//! configuration is heeded. It may come from anybody.

mod history;
mod store;

pub use history::{Introduced, scan_history};
pub use store::Repository;
