//! A rule's patch applied to a file.

use yagura_detect::policies::Proposal;

use crate::{dockerfile, hcl, tree};

/// Why a patch cannot be applied; for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPatch(pub String);

impl std::fmt::Display for NoPatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn refuse<T>(reason: impl Into<String>) -> Result<T, NoPatch> {
    Err(NoPatch(reason.into()))
}

/// The text with all edits of a proposal made, in order. The proposal's spans are those of this very text.
pub fn apply(text: &str, proposal: &Proposal) -> Result<String, NoPatch> {
    if proposal.edits.is_empty() {
        return refuse("the rule has no patch for this kind of file");
    }
    match proposal.source.as_str() {
        "dockerfile" => dockerfile::apply(text, proposal),
        "terraform" if proposal.path.ends_with(".json") => refuse("Terraform in JSON cannot be patched yet"),
        "terraform" => hcl::apply(text, proposal),
        _ => tree::apply(text, proposal),
    }
}
