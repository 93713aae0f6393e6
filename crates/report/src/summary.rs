//! The numbers at the top of every report for people.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use yagura_model::report::Target;
use yagura_model::{Finding, Report, Severity};

/// Findings counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub total: usize,
    /// Findings a newer version would end.
    pub fixable: usize,
    pub known_exploited: usize,
    by_severity: [usize; Severity::ALL.len()],
    /// Distinct packages with findings.
    pub packages: usize,
    pub from_base: usize,
    pub yours: usize,
}

impl Summary {
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut summary = Self::default();
        let mut packages = BTreeSet::new();
        for finding in findings {
            summary.total += 1;
            if let Some(at) = Severity::ALL.iter().position(|severity| *severity == finding.severity) {
                summary.by_severity[at] += 1;
            }
            summary.fixable += usize::from(finding.fixed_version.is_some());
            summary.known_exploited += usize::from(is_known_exploited(finding));
            match finding.from_base_image {
                Some(true) => summary.from_base += 1,
                Some(false) => summary.yours += 1,
                None => {}
            }
            if let Some(package) = &finding.package {
                packages.insert((finding.target.as_str(), package.name.as_str(), package.version.as_str()));
            }
        }
        summary.packages = packages.len();
        summary
    }

    pub fn severity(&self, severity: Severity) -> usize {
        Severity::ALL
            .iter()
            .position(|s| *s == severity)
            .and_then(|at| self.by_severity.get(at).copied())
            .unwrap_or_default()
    }
}

pub fn is_known_exploited(finding: &Finding) -> bool {
    finding.vulnerability.as_ref().is_some_and(|vulnerability| vulnerability.known_exploited.is_some())
}

/// The EPSS probability of a finding's flaw.
pub fn exploit_probability(finding: &Finding) -> Option<f64> {
    finding.vulnerability.as_ref()?.exploit_prediction.map(|prediction| prediction.probability)
}

/// Packages of a target by ecosystem, most numerous first.
pub fn packages_by_ecosystem(target: &Target) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for package in &target.inventory.packages {
        *counts.entry(package.ecosystem.purl_type()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts
}

/// Whole days from the database's newest advisory to the run; `None` when either time cannot be read.
pub fn database_age_days(report: &Report) -> Option<i64> {
    let updated = date(&report.database.as_ref()?.updated)?;
    let created = date(&report.created)?;
    Some(i64::from(created.since(updated).ok()?.get_days()).max(0))
}

/// Whether the target's operating system no longer gets free security updates at the time of the run.
pub fn is_past_end_of_life(report: &Report, end_of_life: &str) -> bool {
    matches!((date(end_of_life), date(&report.created)), (Some(end), Some(now)) if end < now)
}

/// The date of an RFC 3339 time or a `YYYY-MM-DD`.
fn date(text: &str) -> Option<Date> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.to_zoned(jiff::tz::TimeZone::UTC).date());
    }
    text.parse().ok()
}
