//! One fuzz target for each parser.
//!
//! A target is a name, seeds that are valid input, and a function that must neither panic, hang nor grow without
//! bound whatever bytes it is given. `tests/brief.rs` mutates the seeds for a moment on stable; `cargo xtask fuzz`
//! runs the same loop for as long as asked. Adding a target is one row in its area's table.

pub mod mutate;
mod targets;

/// A parser under attack.
#[derive(Clone, Copy)]
pub struct Target {
    /// `area/format`, such as `catalogue/dpkg-status`.
    pub name: &'static str,
    /// Valid (or nearly valid) inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    pub run: fn(&[u8]),
}

/// Every target.
pub fn all() -> Vec<Target> {
    targets::AREAS.iter().flat_map(|area| area.iter().copied()).collect()
}
