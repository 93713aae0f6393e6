//! CloudFormation as a source: templates in YAML and JSON, their functions evaluated, nested local stacks followed.
//!
//! What only the cloud knows (a resource's attributes, the account, exports of other stacks) is unknown and says what it
//! refers to. Macros and transforms that run in the cloud are named as unsupported.

mod conditions;
mod functions;
mod serverless;
mod source;
mod stacks;

pub use source::SOURCE;

#[cfg(test)]
mod tests;
