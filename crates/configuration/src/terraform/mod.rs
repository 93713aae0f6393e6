//! Terraform (and OpenTofu) as a source: configurations in both syntaxes, plans and states as resources of clouds.

mod configuration;
mod evaluation;
pub mod functions;
mod number;
mod plan;
mod source;
pub mod syntax;
pub mod value;

pub(crate) use configuration::joined;
pub use source::{ASKED, SOURCE};

#[cfg(test)]
mod tests;
