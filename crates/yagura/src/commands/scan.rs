//! `yagura scan`: what is wrong, most severe first.

use anyhow::Result;
use yagura_report::View;

use super::Outcome;
use crate::arguments::{Everywhere, Scan};
use crate::judgement::{self, Judge};
use crate::output::{self, Outputs};
use crate::progress::Progress;
use crate::scan::{self, Request};
use crate::stack;
use crate::summary;
use crate::{advisories, analysers};

pub fn run(arguments: &Scan, everywhere: &Everywhere) -> Result<Outcome> {
    // All that can be wrong with the request is found before any work is done.
    let outputs = Outputs::open(&arguments.output, everywhere, View::Findings)?;
    let cache = scan::cache(everywhere)?;
    let advisories = advisories::open(everywhere, cache.root())?;
    let mut judge = Judge::new(&arguments.judgement, output::language(everywhere))?;

    let access = &arguments.targets.access;
    let looking = analysers::wanted(&arguments.judgement.only, &arguments.malware, scan::jobs(access))?;
    let progress = Progress::new(everywhere.quiet);
    let request =
        Request { targets: &arguments.targets.targets, access, everywhere, analysers: looking.analysers };
    let mut scanned = scan::read(&request, &cache, &progress)?;
    let stack = std::mem::take(&mut scanned.stack);
    for document in &scanned.attached {
        judge.read_document(&document.name, &document.bytes);
    }
    let mut report = summary::report(scanned, Some(advisories.described()));
    report.notices.extend(advisories.notice.clone());
    report.notices.extend(looking.notices);
    report.skipped.extend(looking.skipped);
    progress.stage("judging");
    judge.judge(&mut report, &advisories.database)?;
    progress.stage("ranking");
    stack::risks::rank(&mut report, &stack)?;
    progress.finish();

    let reached = judgement::reaches(&report, arguments.judgement.fail_on);
    outputs.write(&report)?;
    Ok(if reached { Outcome::Findings } else { Outcome::Fine })
}
