//! The targets by area, one table a file.

use crate::Target;

pub(crate) const AREAS: &[&[Target]] = &[];
