//! `yagura replay`: rules, a format or a summary over events that were recorded.

mod audit;
mod capture;
mod copy;
mod inputs;
mod printing;
mod summary;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use yagura_collect::sandbox;
use yagura_report::alerts::AlertFormat;

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::threats::{ListFormat, Replay, RulesCheck};
use crate::output;
use crate::progress::{Progress, complain};
use crate::threats::{self, Session, Sinks};
use capture::Captures;
use inputs::Input;
pub use printing::Printer;
use summary::Summary;

/// What is done with each event.
pub struct Work {
    /// None when events are printed and not judged.
    session: Option<Session>,
    printer: Printer,
    summary: Summary,
    /// What captures build, from the first to the last.
    captures: Option<Captures>,
    quiet: bool,
}

pub fn run(arguments: &Replay, everywhere: &Everywhere) -> Result<Outcome> {
    if arguments.list_fields {
        threats::print_fields(None, ListFormat::Text)?;
        return Ok(Outcome::Fine);
    }
    if arguments.validate {
        let files = arguments.judgement.rules.clone();
        let files = if files.is_empty() { vec![PathBuf::from("default")] } else { files };
        let check = RulesCheck { files, output: ListFormat::Text, verbose: true };
        return super::rules::check(&check);
    }
    let printer = Printer::new(arguments.print.as_deref(), arguments.filter.as_deref())?;
    let inputs = inputs::list(&arguments.files)?;
    // A summary alone prints no alerts; a format, a copy or a profile alone judges nothing.
    let gathers = arguments.print.is_some() || arguments.write.is_some() || arguments.profile.is_some();
    let quiet = gathers || arguments.summary;
    let default = (!quiet).then_some(AlertFormat::Text);
    let sinks = Sinks::open(&arguments.alerts, default, everywhere.offline)?;
    let summary_to_output = !sinks.use_output() && arguments.print.is_none();
    let confined = !sinks.need_network();
    let judges = !gathers || arguments.summary || !arguments.alerts.output.is_empty();
    let session = if judges {
        let hostname = threats::hostname(&arguments.alerts);
        Some(Session::new(threats::load(&arguments.judgement)?, &arguments.judgement, &hostname, sinks)?)
    } else {
        None
    };
    let captures = Captures::new(arguments.write.as_deref(), arguments.profile.is_some())?;
    let mut profile = match &arguments.profile {
        Some(path) => Some(File::create(path).with_context(|| format!("creating {}", path.display()))?),
        None => None,
    };
    if confined {
        let readable: Vec<&Path> = arguments.files.iter().map(PathBuf::as_path).collect();
        // A copy gets its name when it is whole: that is a change of its directory.
        let copied_to = arguments.write.as_deref().map(output::directory_of);
        sandbox::restrict(&readable, copied_to.as_slice());
    }
    let mut work = Work {
        session,
        printer,
        summary: Summary::default(),
        captures: Some(captures),
        quiet: everywhere.quiet,
    };
    match replay(inputs, &mut work) {
        Err(error) if is_closed_output(&error) => return Ok(Outcome::Fine),
        other => other?,
    }
    if let Some(captures) = work.captures.take() {
        captures.finish(profile.as_mut())?;
    }
    if arguments.summary {
        let text = work.summary.text(work.session.as_ref());
        if summary_to_output { crate::output::print(&text)? } else { complain(text.trim_end()) }
    }
    let worst = work.session.as_ref().and_then(Session::worst);
    let over = arguments.fail_on.is_some_and(|least| worst.is_some_and(|worst| worst <= least));
    Ok(if over { Outcome::Findings } else { Outcome::Fine })
}

fn replay(inputs: Vec<Input>, work: &mut Work) -> Result<()> {
    let progress = Progress::new(work.quiet);
    for input in inputs {
        input.read(work, &progress).with_context(|| format!("reading {}", input.name()))?;
    }
    progress.finish();
    work.printer.finish()?;
    if let Some(session) = &mut work.session {
        session.finish()?;
    }
    Ok(())
}

/// A reader that has seen enough is no error.
fn is_closed_output(error: &anyhow::Error) -> bool {
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(broken)
}
