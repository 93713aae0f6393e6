//! Falco's rule language.
//!
//! * [`condition`]: the text of a condition to a syntax tree, with positions.
//! * [`predicate`]: a syntax tree and a field catalogue to a compiled predicate, and its evaluation.
//! * [`output`]: format strings such as `%proc.name opened %fd.name`.
//! * [`rules`]: rule files (lists, macros, rules, exceptions, overrides) to a set of compiled rules, with Falco's own
//!   error and warning codes.
//!
//! What fields exist is a [`FieldCatalogue`](yagura_model::field::FieldCatalogue)'s business, what an event answers that
//! of [`Fields`](yagura_model::field::Fields). The language is that of Falco 0.44 (engine 0.57).

pub mod condition;
pub mod output;
pub mod predicate;
pub mod rules;
