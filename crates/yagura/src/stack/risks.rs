//! Findings in context: fills a report's risks and changes.

use anyhow::{Result, anyhow, bail};
use yagura_assess::access::defaults;
use yagura_assess::access::powers::powers;
use yagura_assess::graph::{Sources, StackGraph};
use yagura_assess::paths::Rules;
use yagura_assess::risks::Assessment;
use yagura_model::Report;
use yagura_model::graph::Graph;

use super::{Stack, patches};

/// Ranks the findings of a report by what the stack says.
pub fn rank(report: &mut Report, stack: &Stack, from: &[String]) -> Result<()> {
    report.skipped.extend(stack.skipped.iter().cloned());
    if report.findings.is_empty() && stack.cluster.workloads.is_empty() && stack.cloud.resources.is_empty() {
        return Ok(());
    }
    let rules = Rules::built_in().map_err(|error| anyhow!(error))?;
    let powers = powers().map_err(|error| anyhow!(error))?;
    let default_roles = defaults();
    let sources = Sources {
        cluster: &stack.cluster,
        default_roles: &default_roles,
        powers: &powers,
        cloud: &stack.cloud,
        targets: &report.targets,
        findings: &report.findings,
        runtime: &stack.runtime,
        from,
    };
    let assessment = Assessment::new(sources, &rules);
    if let Some(name) = assessment.unknown_starts.first() {
        bail!("--from {name}: nothing in the stack is called so; `yagura graph export` lists what there is");
    }
    let (risks, mut changes) = assessment.risks();
    patches::fill(&mut changes, &stack.cluster);
    let notices = assessment.stack.notices;
    report.risks = risks;
    report.changes = changes;
    report.notices.extend(notices);
    Ok(())
}

/// The whole graph of a report and its stack.
pub fn graph(report: &Report, stack: &Stack) -> Result<Graph> {
    let powers = powers().map_err(|error| anyhow!(error))?;
    let default_roles = defaults();
    let sources = Sources {
        cluster: &stack.cluster,
        default_roles: &default_roles,
        powers: &powers,
        cloud: &stack.cloud,
        targets: &report.targets,
        findings: &report.findings,
        runtime: &stack.runtime,
        from: &[],
    };
    Ok(StackGraph::new(&sources).graph)
}
