//! Policies in Rego over configuration files.
//!
//! A [`Pack`] is what `--policy DIR` holds: modules, checked before any of them runs, and the [`Check`]s in them: rules
//! as conftest looks for them (`deny`, `violation`, `warn` with endings of their own) and checks as Trivy reads them
//! (selectors of input, `result.new`). A [`Judge`] runs them over one file after another. The interpreter is `regorus`.
//! This crate must not open files, and no function of a policy reaches the network or the machine.

mod annotations;
mod check;
mod error;
mod functions;
pub mod input;
mod judge;
mod negation;
mod outcome;
mod pack;
mod rewrite;
mod syntax;
mod testing;

pub use check::{Check, Shape};
pub use error::InvalidPolicy;
pub use judge::{Excuse, Failure, Found, Judge, Judged, MAX_TIME};
pub use pack::{MAX_MODULE_BYTES, Pack, PolicyFile};
pub use testing::{Outcome, TestResult};

#[cfg(test)]
mod tests;
