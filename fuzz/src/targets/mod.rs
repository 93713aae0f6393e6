//! The targets by area, one table a file.

mod archive;
mod binaries;
mod document;
mod os;

use crate::Target;

pub(crate) const AREAS: &[&[Target]] = &[archive::TARGETS, binaries::TARGETS, document::TARGETS, os::TARGETS];
