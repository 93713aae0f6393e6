//! The Common Expression Language over span trees.
//!
//! An expression is compiled once against an [`Environment`] and evaluated over documents without copying them. It is
//! CEL as <https://github.com/google/cel-spec> has it, without protocol buffer messages, with its extensions and the
//! Kubernetes libraries, and with two things more: a value that cannot be known stays unknown by CEL's rules for
//! unknowns, and [`Program::explain`] says which positions of a document decided a result. Evaluation is total, bounded
//! in steps, and reads neither clock nor environment. What an expression is for is not known here.

mod error;
mod evaluation;
mod extension;
mod functions;
mod operators;
mod program;
pub mod syntax;
mod time;
mod value;

pub use error::{EvaluationError, Fault, SyntaxError};
pub use evaluation::{Activation, Host, MAX_STEPS, Touched};
pub use operators::equal;
pub use program::{Environment, HostFunction, Program};
pub use time::{Duration, Timestamp};
pub use value::{List, Map, Outcome, OwnedMap, Text, Type, Value};

#[cfg(test)]
mod tests;
