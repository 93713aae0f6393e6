//! Conditions compiled against a field catalogue, and evaluated.
//!
//! A [`Program`] holds the conditions of all rules of one source as one directed acyclic graph: what two rules ask
//! alike is one node and is answered once an event. Conditions are pure and total (a missing value makes a comparison
//! false), so operands of `and` and `or` are asked in the order of their cost, and a graph can be simplified for one
//! event type before any event comes.

mod compile;
mod event_types;
mod glob;
mod literal;
mod matcher;
mod operand;
mod paths;
mod program;
mod services;
mod text_set;
mod transform;

pub use compile::{CompileError, Compiler, Warning};
pub use event_types::EventTypes;
pub use glob::Glob;
pub use operand::{MAX_VALUES, Operand};
pub use program::{Memory, Node, NodeId, Program};
