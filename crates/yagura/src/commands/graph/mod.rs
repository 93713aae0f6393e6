//! `yagura graph`: what the graph of a stack says by itself.

mod connectivity;

use anyhow::Result;

use super::Outcome;
use crate::arguments::{Everywhere, Graph};

pub fn run(arguments: &Graph, everywhere: &Everywhere) -> Result<Outcome> {
    match arguments {
        Graph::Connectivity(arguments) => connectivity::run(arguments, everywhere),
    }
}
