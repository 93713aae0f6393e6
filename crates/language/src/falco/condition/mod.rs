//! Conditions as syntax trees.
//!
//! The grammar (<https://falco.org/docs/reference/rules/grammar/>), with `_` for optional blanks:
//!
//! ```text
//! or     = and ( "or" and )*            and   = not ( "and" not )*
//! not    = ( "not " )* check            check = "(" or ")" | term test | macro
//! term   = field | transformer "(" argument ("," argument)* ")" [ "[" key "]" ]
//! field  = name ("." name)+ [ "[" key "]" ]
//! test   = "exists" | number-operator number | text-operator text
//!        | text-operator modifier list | list-operator list
//! list   = "(" [ text ("," text)* ] ")" | name
//! ```
//!
//! Where a right-hand side is wanted, a transformer or `val(field)` may stand.

mod lexer;
mod parser;
mod syntax;

pub use parser::{MAX_DEPTH, ParseError, parse, parse_term};
pub use syntax::{Check, Comparison, Expression, Modifier, Operator, Position, Right, Term, TransformerName};
