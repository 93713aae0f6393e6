//! Rule files: lists, macros, rules, exceptions and overrides, to compiled rules.
//!
//! [`Loader`] takes files one after another, as Falco does: each may change what earlier ones defined, and each is
//! answered by a [`LoadResult`] with Falco's codes (<https://falco.org/docs/concepts/rules/>). What a loader holds after
//! the last file becomes a [`RuleSet`].

mod collect;
mod compile;
mod exceptions;
mod indentation;
mod items;
mod lists;
mod loader;
mod macros;
mod read;
mod result;
mod versions;

pub use compile::{CompiledRule, SourceRules};
pub use items::Rule;
pub use loader::{AppendOutput, Loader, Options, Plugin, RuleSet};
pub use result::{Context, ErrorCode, LoadResult, Location, Problem, WarningCode};
pub use versions::{ENGINE_VERSION, Version};
