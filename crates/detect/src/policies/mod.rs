//! Configuration rules: CEL in YAML over resources.
//!
//! Rules are data (docs/policies.md); this part reads them, runs them over what [`yagura_configuration`] read and makes
//! findings. It must not open files, know today's date or any rule by name.

pub mod admission;
mod check;
mod compiled;
mod elsewhere;
pub mod examples;
mod finding;
pub mod framework;
pub mod patch;
mod proposal;
pub mod rule;
mod set;
mod suppression;
mod text;

pub use check::{Checked, Checker, MAX_FINDINGS, Settings, Undecided};
pub use compiled::{CompiledRule, Seen, Verdict};
pub use elsewhere::Elsewhere;
pub use framework::Framework;
pub use proposal::Proposal;
pub use rule::Rule;
pub use set::{Crossing, RuleSet, asked};
pub use text::{InvalidRule, Words};
