//! Bytes to facts: pure parsers of hostile input.
//!
//! A parser returns facts and problems and never fails a scan: whatever cannot be read becomes a
//! [`yagura_model::Skipped`]. This crate must not open files or sockets, read the clock, print, or decide what a
//! fact means; callers hand it readers and byte slices and it hands back values of `yagura-model`.

pub mod advisories;
pub mod archive;
pub mod catalogue;
pub mod database;
pub mod document;
pub mod executable;
pub mod git;
pub mod ignore;
pub mod image;
pub mod layer;
pub mod sbom;
pub mod versions;
pub mod vex;
