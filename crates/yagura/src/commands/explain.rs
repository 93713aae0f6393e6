//! `yagura explain`: all that is known of a flaw, and why it matches a target or does not.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use yagura_detect::vulnerabilities::{Explanation, explain};
use yagura_model::vulnerability::ExploitPrediction;
use yagura_report::terminal::escape;

use super::{Outcome, policy};
use crate::advisories;
use crate::arguments::policies::PolicyChoice;
use crate::arguments::{Everywhere, Explain};
use crate::progress::Progress;
use crate::scan::{self, Request};
use crate::{output, policies, secrets};

/// Package lines shown without a target; distributions repeat a flaw for every release and binary.
const MAX_PACKAGES: usize = 40;

pub fn run(arguments: &Explain, everywhere: &Everywhere) -> Result<Outcome> {
    let choice = PolicyChoice { policy: arguments.policy.clone(), ..PolicyChoice::default() };
    let chosen = policies::chosen(&choice, everywhere)?;
    if let Some(rule) = chosen.rules.find(&arguments.id) {
        let text = policy::describe(&rule?.rule, chosen.language, &policies::frameworks()?);
        output::print(&text)?;
        return Ok(Outcome::Fine);
    }
    if let Some((pack, check)) = chosen.pack.as_ref().and_then(|pack| Some((pack, pack.find(&arguments.id)?)))
    {
        output::print(&policy::describe_check(pack, check, chosen.language))?;
        return Ok(Outcome::Fine);
    }
    if let Some(text) = secrets::explain(&arguments.id)? {
        output::print(&text)?;
        return Ok(Outcome::Fine);
    }
    let cache = scan::cache(everywhere)?;
    let advisories = advisories::open(everywhere, cache.root())?;
    let inventory = match &arguments.target {
        Some(target) => {
            let targets = std::slice::from_ref(target);
            let request = Request {
                targets,
                access: &arguments.access,
                everywhere,
                analysers: Vec::new(),
                secrets: None,
                later: &[],
                context: None,
                policies: None,
            };
            let scanned = scan::read(&request, &cache, &Progress::new(everywhere.quiet))?;
            scanned.targets.into_iter().next().map(|target| target.inventory)
        }
        None => None,
    };
    let explanations = explain(&arguments.id, inventory.as_ref(), &advisories.database)?;
    if explanations.is_empty() {
        bail!(
            "`{}` is not in the database ({}); `yagura db search` finds ids and packages by their beginning",
            arguments.id,
            advisories.source
        );
    }
    let mut text = String::new();
    for explanation in &explanations {
        describe(&mut text, explanation, inventory.is_some());
    }
    output::print(&text)?;
    Ok(Outcome::Fine)
}

fn describe(text: &mut String, explanation: &Explanation, with_target: bool) {
    let mut line = |label: &str, value: String| {
        if !value.is_empty() {
            let _ = writeln!(text, "{label:13} {}", escape(&value));
        }
    };
    line("flaw", explanation.name.clone());
    line("also known as", explanation.aliases.join(", "));
    let score = explanation.score.map(|score| format!(" {score:.1}")).unwrap_or_default();
    let source = match explanation.severity_source.as_str() {
        "" => String::new(),
        source => format!(" (by {source})"),
    };
    line("severity", format!("{}{score}{source}", explanation.severity));
    line("vectors", explanation.vectors.join(", "));
    line(
        "weaknesses",
        explanation.weaknesses.iter().map(|cwe| format!("CWE-{cwe}")).collect::<Vec<_>>().join(", "),
    );
    if let Some(known) = &explanation.known_exploited {
        let ransomware = if known.ransomware { ", used by ransomware" } else { "" };
        line("exploited", format!("since {} (KEV), due {}{ransomware}", known.date_added, known.due_date));
    }
    if let Some(ExploitPrediction { probability, percentile }) = explanation.exploit_prediction {
        line(
            "EPSS",
            format!("{:.2}% in 30 days, above {:.0}% of all", probability * 100.0, percentile * 100.0),
        );
    }
    for advisory in &explanation.advisories {
        let dates = format!("published {}, changed {}", advisory.published, advisory.modified);
        line("advisory", format!("{} from {} ({dates})", advisory.id, advisory.feed));
    }
    if with_target {
        for judgement in &explanation.judgements {
            let verdict = if judgement.affected { "AFFECTED" } else { "not affected" };
            let subject = format!("{} {} ({})", judgement.package, judgement.version, judgement.location);
            line(verdict, format!("{subject}: {} [{}]", judgement.reason, judgement.advisory));
        }
        if explanation.judgements.is_empty() {
            line("target", "has no package that any advisory of this flaw speaks of".to_owned());
        }
    } else {
        for package in explanation.packages.iter().take(MAX_PACKAGES) {
            let ranges = package.ranges.join(" or ");
            let subject = format!("{} {}", package.ecosystem, package.name);
            line("affects", format!("{subject} {ranges} ({}) [{}]", package.fix_state, package.advisory));
        }
        if let Some(more) = explanation.packages.len().checked_sub(MAX_PACKAGES).filter(|more| *more > 0) {
            line("", format!("… and {more} more"));
        }
    }
    text.push('\n');
}
