//! `yagura scan`: what is wrong, most urgent first.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use yagura_formats::layer::Analyser;
use yagura_model::{FindingKind, Report};
use yagura_report::View;

use super::Outcome;
use crate::arguments::{Everywhere, Judgement, Malware, Scan, Targets};
use crate::judgement::{self, Judge};
use crate::output::{self, Outputs};
use crate::progress::Progress;
use crate::scan::{self, Request};
use crate::secrets::Search;
use crate::stack::what_if::{self, Changed};
use crate::stack::{self, Stack};
use crate::summary;
use crate::{advisories, analysers, policies};

pub fn run(arguments: &Scan, everywhere: &Everywhere) -> Result<Outcome> {
    // All that can be wrong with the request is found before any work is done.
    let outputs = Outputs::open(&arguments.output, everywhere, View::Findings)?;
    let Scan { targets, judgement, malware, .. } = arguments;
    let report = match &arguments.what_if {
        None => read(targets, judgement, malware, everywhere)?.0,
        Some(change) => {
            let changed = Changed::make(&targets.targets, change)?;
            // The first scan gives up every path but those that it and the second one need.
            let later = [changed.path().to_owned()];
            let (mut report, _) = read_and_later(targets, judgement, malware, everywhere, &later)?;
            let after = Targets { targets: changed.targets().to_vec(), access: targets.access.clone() };
            what_if::tell(&mut report, read(&after, judgement, malware, everywhere)?.0);
            report
        }
    };
    let reached = judgement::reaches(&report, judgement.fail_on);
    outputs.write(&report)?;
    Ok(if reached { Outcome::Findings } else { Outcome::Fine })
}

/// Reads, judges and ranks targets; with the report, what they say of clusters and clouds.
pub fn read(
    targets: &Targets,
    judgement: &Judgement,
    malware: &Malware,
    everywhere: &Everywhere,
) -> Result<(Report, Stack)> {
    read_and_later(targets, judgement, malware, everywhere, &[])
}

/// The same, where more will be read below `later` once this is done.
fn read_and_later(
    targets: &Targets,
    judgement: &Judgement,
    malware: &Malware,
    everywhere: &Everywhere,
    later: &[PathBuf],
) -> Result<(Report, Stack)> {
    let cache = scan::cache(everywhere)?;
    let advisories = advisories::open(everywhere, cache.root())?;
    let mut judge = Judge::new(judgement, output::language(everywhere))?;
    let mut secrets = Search::new(judgement, cache.root(), !targets.access.no_cache)?;

    let of_policies = [FindingKind::Misconfiguration, FindingKind::Permission];
    let wants_policies =
        judgement.only.is_empty() || judgement.only.iter().any(|kind| of_policies.contains(kind));

    let access = &targets.access;
    let looking = analysers::wanted(&judgement.only, malware, scan::jobs(access))?;
    let progress = Progress::new(everywhere.quiet);
    let mut analysers = looking.analysers;
    analysers.extend(secrets.iter().map(|search| Arc::clone(&search.secrets) as Arc<dyn Analyser>));
    let request = Request {
        targets: &targets.targets,
        access,
        everywhere,
        analysers,
        secrets: secrets.as_ref().map(|search| Arc::clone(&search.secrets)),
        later,
        context: Some(&judgement.context),
        policies: wants_policies.then(|| policies::chosen(&judgement.policies, everywhere)).transpose()?,
    };
    let mut scanned = scan::read(&request, &cache, &progress)?;
    let stack = std::mem::take(&mut scanned.stack);
    for document in &scanned.attached {
        judge.add_document(&document.name, document.bytes.clone());
    }
    let mut report = summary::report(scanned, Some(advisories.described()));
    report.notices.extend(advisories.notice.clone());
    report.notices.extend(looking.notices);
    report.skipped.extend(looking.skipped);
    progress.stage("judging");
    if let Some(search) = &secrets {
        search.judge(&mut report);
    }
    judge.judge(&mut report, &advisories.database)?;
    progress.stage("ranking");
    stack::risks::rank(&mut report, &stack, &judgement.context.from)?;
    progress.finish();
    if let Some(search) = &mut secrets {
        search.write_baseline(&report)?;
    }
    Ok((report, stack))
}
