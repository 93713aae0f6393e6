//! Findings in context.
//!
//! Facts of every source become one graph; reachability, identities and attack paths are evaluated over it, and
//! findings become risks in the order in which they matter. This crate must not open files, know the time or print.

pub mod access;
pub mod connectivity;
pub mod graph;
pub mod iam;
pub mod kubernetes;
pub mod paths;
pub mod profiles;
pub mod risks;
