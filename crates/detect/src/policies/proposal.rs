//! What a rule proposes to do about one finding.

use yagura_formats::document::Span;

use super::patch::Edit;

/// A patch with its place. Spans are those of the text that was judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub rule: String,
    /// The finding's id.
    pub finding: String,
    /// Name of the source, which says what paths of edits mean.
    pub source: String,
    /// The file.
    pub path: String,
    /// The resource's name, unique in its source.
    pub resource: String,
    /// Empty where the rule has no patch for this source.
    pub edits: Vec<Edit>,
    /// Whether a person must look before it is applied.
    pub review: bool,
    pub subject: Span,
    pub pod: Option<Span>,
    pub object: Span,
    /// Positions in the file that decided the finding, the most telling one first.
    pub evidence: Vec<Span>,
}
