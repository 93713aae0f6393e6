//! Rule languages, compiled to predicates.
//!
//! CEL judges configuration, Falco's condition language judges events. This crate must not know which rules exist,
//! where facts come from or what a finding is: it takes text and values, and gives compiled expressions, verdicts and
//! errors with positions.

pub mod cel;
pub mod falco;
