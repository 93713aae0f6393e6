//! Containers of files: compression and tar, read as bounded streams.
//!
//! Nothing here knows what a file means or which files matter; it turns bytes into entries in constant memory and
//! calls what it cannot read by its reason.

pub mod compression;
mod entry;
mod gzip;
pub mod inflate;
mod problem;
pub mod tar;
pub mod zip;

pub use compression::{Chunk, Compression, InflateLimits, Inflater};
pub use entry::{EntryHeader, EntryKind};
pub use problem::Problem;
