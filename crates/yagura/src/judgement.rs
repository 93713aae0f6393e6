//! From facts to what counts: advisories, then what excuses a finding, then what the user wants to see.

use anyhow::Result;
use jiff::Zoned;
use yagura_detect::vulnerabilities::{self, Options, fill_end_of_life};
use yagura_formats::database::Database;
use yagura_model::package::Scope;
use yagura_model::{Finding, Report, Severity};

use crate::arguments::Judgement;

/// Judges a report as the user asked.
pub struct Judge<'a> {
    arguments: &'a Judgement,
    /// Today, `YYYY-MM-DD`: decides what is past its end of life and which ignore entries have expired.
    today: String,
}

impl<'a> Judge<'a> {
    /// Reads the ignore file and the VEX documents; a wrong one is an error before any scan.
    pub fn new(arguments: &'a Judgement) -> Result<Self> {
        Ok(Self { arguments, today: Zoned::now().date().to_string() })
    }

    /// Fills in the report's findings and what was taken out of them.
    pub fn judge(&self, report: &mut Report, database: &Database) -> Result<()> {
        for target in &mut report.targets {
            if let Some(system) = &mut target.inventory.system {
                report.notices.extend(fill_end_of_life(system, &self.today, database)?);
            }
            let matches = vulnerabilities::match_inventory(
                &target.inventory,
                &target.name,
                database,
                Options::default(),
            )?;
            report.findings.extend(matches.findings);
            report.notices.extend(matches.notices);
        }
        report.findings.retain(|finding| self.wants(finding));
        report.findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.target.cmp(&b.target)));
        Ok(())
    }

    /// Whether the user asked to see a finding.
    fn wants(&self, finding: &Finding) -> bool {
        let arguments = self.arguments;
        let scope = finding.package.as_ref().map(|package| package.scope);
        let development = matches!(scope, Some(Scope::Development | Scope::Test));
        (arguments.only.is_empty() || arguments.only.contains(&finding.kind))
            && arguments.severity.is_none_or(|least| finding.severity >= least)
            && (!arguments.only_fixed || finding.fixed_version.is_some())
            && !(arguments.no_dev && development)
    }
}

/// Whether a finding is at or over the threshold.
pub fn reaches(report: &Report, threshold: Option<Severity>) -> bool {
    threshold.is_some_and(|least| report.findings.iter().any(|finding| finding.severity >= least))
}
