//! Git's objects as they are stored (Documentation/gitformat-pack, gitrepository-layout): trees, commits, loose
//! objects, pack indexes, entries of packs and deltas.
//!
//! A repository may come from anybody: everything here takes any bytes within bounds. Nothing knows where objects are
//! kept, and nothing of a repository's configuration is ever read.

mod delta;
mod object;
mod pack;

pub use delta::apply as apply_delta;
pub use object::{Commit, ObjectId, ObjectKind, TreeEntry, commit, loose, tag_target, tree};
pub use pack::{EntryBase, PackEntry, PackIndex, entry_header};

/// Largest object that is read, inflated.
pub const MAX_OBJECT_BYTES: usize = 64 << 20;

/// Bytes that are no object of git, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidObject(pub &'static str);
