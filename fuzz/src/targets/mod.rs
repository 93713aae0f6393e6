//! The targets by area, one table a file.

mod binaries;
mod document;
mod os;

use crate::Target;

pub(crate) const AREAS: &[&[Target]] = &[binaries::TARGETS, document::TARGETS, os::TARGETS];
