//! `yagura graph export`: the whole graph of a stack for other programs.

use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};
use yagura_report::graph::{GraphFormat, write};

use super::Outcome;
use crate::arguments::{self, Everywhere, GraphExport};
use crate::commands::scan;
use crate::stack::risks;

pub fn run(arguments: &GraphExport, everywhere: &Everywhere) -> Result<Outcome> {
    let format = match arguments.output {
        arguments::GraphFormat::Dot => GraphFormat::Dot,
        arguments::GraphFormat::Graphml => GraphFormat::GraphMl,
        arguments::GraphFormat::Json => GraphFormat::Json,
    };
    let (report, stack) =
        scan::read(&arguments.targets, &arguments.judgement, &arguments.malware, everywhere)?;
    let graph = risks::graph(&report, &stack)?;
    let mut out = BufWriter::new(io::stdout().lock());
    match write(format, &graph, &mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Fine),
        other => other.map(|()| Outcome::Fine).context("writing the graph"),
    }
}
