//! The targets by area, one table a file.

mod os;

use crate::Target;

pub(crate) const AREAS: &[&[Target]] = &[os::TARGETS];
