//! Configuration as resources.
//!
//! Each source format (manifests, Dockerfiles, compose files, Terraform, CloudFormation, image configuration) is read
//! into [`Resource`]s: typed documents whose every value knows the line that says it. Rules judge resources and need
//! not know the source. This crate must not judge, open files or print.

pub mod cloud;
pub mod cloudformation;
pub mod compose;
pub mod dockerfile;
mod fields;
pub mod image;
pub mod kubernetes;
pub mod reference;
pub mod shell;
pub mod source;
pub mod spliced;
pub mod terraform;

use std::borrow::Cow;

use yagura_formats::document::Node;

pub use source::{Parsed, Problem, Reach, SOURCES, Source, SourceFile, Subject};

/// One configured thing, whatever said so.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource<'a> {
    /// Normalised type: `kubernetes/Deployment`, `aws/s3-bucket`, `docker/image`, `dockerfile/stage`, …
    pub kind: Cow<'static, str>,
    /// Unique within its source: `namespace/name`, a Terraform address, a logical id, a stage.
    pub name: String,
    /// The values; every node's [`yagura_formats::document::Span::source`] is an index into the source's files.
    pub node: Node<'a>,
}
