//! What happened.
//!
//! One model of events, fed by captures, by the live sensor and by audit logs, and the state (threads, files, users,
//! containers) that events build and need to be understood. This crate must not know rules, open files or print.

pub mod audit;
pub mod cloudtrail;
pub mod fields;
mod hashing;
pub mod inspect;
pub mod kubernetes_audit;
pub mod profile;
pub mod scap;
pub mod state;
pub mod table;
