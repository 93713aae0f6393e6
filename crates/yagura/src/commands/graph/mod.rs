//! `yagura graph`: what the graph of a stack says by itself.

mod access;
mod connectivity;
mod export;

use anyhow::Result;

use super::Outcome;
use crate::arguments::{Everywhere, Graph};
use crate::progress::Progress;

/// Most things that are told on standard error.
const MAX_NOTES: usize = 20;

pub fn run(arguments: &Graph, everywhere: &Everywhere) -> Result<Outcome> {
    match arguments {
        Graph::Access(arguments) => access::run(arguments, everywhere),
        Graph::Export(arguments) => export::run(arguments, everywhere),
        Graph::Connectivity(arguments) => connectivity::run(arguments, everywhere),
    }
}

/// Tells what the reader of a result should know.
fn tell(progress: &Progress, notes: &[String]) {
    for note in notes.iter().take(MAX_NOTES) {
        progress.note(note);
    }
    if let Some(more) = notes.len().checked_sub(MAX_NOTES).filter(|more| *more > 0) {
        progress.note(&format!("… and {more} more"));
    }
}
