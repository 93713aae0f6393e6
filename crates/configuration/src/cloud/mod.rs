//! Resources of clouds in one shape, whatever language states them.
//!
//! Terraform and CloudFormation (and whoever reads live resources) hand over [`Raw`] resources: a type of their own and
//! its properties. The tables in `rules/mappings/` say what those are in the shapes that docs/resources.md describes, so
//! that a rule is written once and a graph is built once. This module must not know how either language is written.

mod convert;
mod links;
mod mapping;
mod normalise;
pub mod policy;
mod security_group;
pub mod structured;
pub mod symbol;

use yagura_formats::document::Node;

pub use mapping::{Reference, reference};
pub use normalise::normalise;

/// Who states a resource, and so which column of the tables reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Terraform,
    CloudFormation,
}

impl Language {
    /// The first part of the kind of resources that no table knows.
    fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::CloudFormation => "cloudformation",
        }
    }
}

/// A resource as its language states it.
#[derive(Clone, Debug)]
pub struct Raw {
    pub language: Language,
    /// `aws_s3_bucket`, `AWS::S3::Bucket`.
    pub kind: String,
    /// A Terraform address, a logical id.
    pub name: String,
    pub body: Node<'static>,
    /// What the provider says of all its resources.
    pub region: Option<Node<'static>>,
    pub project: Option<Node<'static>>,
    pub default_tags: Option<Node<'static>>,
}

#[cfg(test)]
pub(crate) mod tests;
