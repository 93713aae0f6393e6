//! Configuration rules: CEL in YAML over resources.
//!
//! Rules are data (docs/policies.md); this part reads them, runs them over what [`yagura_configuration`] read and makes
//! findings. It must not open files, know today's date or any rule by name.

pub mod framework;
pub mod patch;
pub mod rule;
mod text;

pub use framework::Framework;
pub use rule::Rule;
pub use text::{InvalidRule, Words};
