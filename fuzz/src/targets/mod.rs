//! The targets by area, one table a file.

mod document;
mod os;

use crate::Target;

pub(crate) const AREAS: &[&[Target]] = &[document::TARGETS, os::TARGETS];
