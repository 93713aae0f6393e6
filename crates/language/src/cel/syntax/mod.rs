//! From text to a syntax tree: the grammar of CEL and its macros. Knows no variable and no function.

mod expression;
mod lexer;
mod literal;
mod macros;
mod parser;

pub use expression::{Binary, Expression, Kind, Literal, Loop, LoopKind, Unary};
pub use parser::parse;

/// Longest expression, in bytes.
pub const MAX_BYTES: usize = 64 << 10;
/// Deepest nesting of a syntax tree; what walks one recurses this deep.
pub const MAX_DEPTH: u32 = 200;
