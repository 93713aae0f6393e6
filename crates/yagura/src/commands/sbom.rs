//! `yagura sbom`: what is inside, without judging it.

use anyhow::Result;
use yagura_report::View;

use super::Outcome;
use crate::arguments::{Everywhere, Sbom};
use crate::output::Outputs;
use crate::progress::Progress;
use crate::scan::{self, Request};
use crate::summary;

pub fn run(arguments: &Sbom, everywhere: &Everywhere) -> Result<Outcome> {
    let outputs = Outputs::open(&arguments.output, everywhere, View::Inventory)?;
    let progress = Progress::new(everywhere.quiet);
    let request = Request {
        targets: &arguments.targets.targets,
        access: &arguments.targets.access,
        everywhere,
        analysers: Vec::new(),
        later: &[],
        secrets: None,
        context: None,
        policies: None,
    };
    let scanned = scan::read(&request, &scan::cache(everywhere)?, &progress)?;
    outputs.write(&summary::report(scanned, None))?;
    Ok(Outcome::Fine)
}
