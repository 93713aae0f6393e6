//! From the bytes of a layer to its facts, and from the layers of an image to one inventory.
//!
//! A layer is read once: inflated, hashed, walked, and each file given to everybody who chose it by its path or its
//! first bytes. Directories and hosts feed the same scanner. This module must not know any package format; the
//! cataloguers do.

mod analyser;
pub mod code;
pub mod codec;
mod consumer;
mod dispatch;
mod facts;
mod links;
mod merge;
mod options;
pub(crate) mod path;
mod path_key;
mod pipeline;
mod scan;
mod scanner;
mod selection;
mod skips;

pub use analyser::{Analyser, Analysers};
pub use consumer::{ExecutableDigests, FileConsumer, HEAD_BYTES, Observed, PassingFile};
pub use facts::{Counts, Evidence, LayerFacts, Symlink};
pub use links::UnreadLink;
pub(crate) use merge::namespace;
pub use merge::{FileOwner, FileOwners, merge, owners};
pub use options::ScanOptions;
pub use path_key::PathKey;
pub use scan::{LayerDigests, scan_layer, scan_links};
pub use scanner::LayerScanner;
pub use selection::Selection;
pub use skips::{MAX_NAMED_PER_REASON, SkipLog};

pub use crate::archive::{EntryHeader, EntryKind};

#[cfg(test)]
mod tests;
