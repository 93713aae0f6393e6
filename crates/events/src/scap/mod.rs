//! Captures in the `.scap` format of sysdig and Falco: read and written.
//!
//! A capture is a list of blocks as in pcapng: type, total length, body padded to four bytes, total length again. It
//! begins with a section header; machine, processes, descriptors, interfaces and users as they were at the start
//! follow; then events. Everything is little-endian. Source: falcosecurity/libs,
//! userspace/libscap/{scap_savefile.h,scap_savefile.c,engine/savefile/scap_savefile.c}.

mod blocks;
mod convert;
mod entries;
mod parse;
mod reader;
mod rotation;
mod window;
mod writer;

pub use convert::{Converted, Converter};
pub use entries::{Descriptor, DescriptorDetail, Group, Interface, Machine, Thread, User};
pub use reader::{CaptureProblem, CaptureReader, Counts, Item};
pub use rotation::{Limits, Rotation, Segments};
pub use writer::{CaptureWriter, STATE_ONLY};

#[cfg(test)]
mod tests;
