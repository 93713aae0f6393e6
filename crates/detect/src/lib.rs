//! Facts to findings.
//!
//! Each kind of finding has its module. This crate must not read files or sockets, know the time (callers pass it
//! in) or print.

pub mod evidence;
pub mod ignore;
pub mod malware;
pub mod policies;
pub mod secrets;
pub mod threats;
pub mod vex;
pub mod vulnerabilities;
