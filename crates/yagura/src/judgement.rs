//! From facts to what counts: advisories, then what excuses a finding, then what the user wants to see.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Zoned;
use yagura_detect::vulnerabilities::{self, Options, fill_end_of_life};
use yagura_detect::{evidence, ignore, malware, vex as detect_vex};
use yagura_formats::database::Database;
use yagura_formats::ignore::{self as formats_ignore, IgnoreFile};
use yagura_formats::vex;
use yagura_model::package::Scope;
use yagura_model::report::Target;
use yagura_model::vex::VexStatement;
use yagura_model::{Finding, FindingKind, Report, Severity, Skipped};
use yagura_report::Language;

use crate::arguments::Judgement;
use crate::feeds;

/// Judges a report as the user asked.
pub struct Judge<'a> {
    arguments: &'a Judgement,
    /// Of what people read in findings.
    language: Language,
    /// Today, `YYYY-MM-DD`: decides what is past its end of life and which ignore entries have expired.
    today: String,
    /// VEX documents, by name. Others wrote them, so they are parsed when the process is confined.
    documents: Vec<(String, Vec<u8>)>,
    /// The ignore file's name, and what it says.
    ignore: Option<(String, IgnoreFile)>,
}

impl<'a> Judge<'a> {
    /// Reads the ignore file, and opens the VEX documents; what is missing or wrong is an error before any scan.
    pub fn new(arguments: &'a Judgement, language: Language) -> Result<Self> {
        let mut judge = Self {
            arguments,
            language,
            today: Zoned::now().date().to_string(),
            documents: Vec::new(),
            ignore: read_ignore_file(arguments.ignore_file.as_deref())?,
        };
        for path in &arguments.vex {
            judge.read_vex(path).with_context(|| format!("--vex {}", path.display()))?;
        }
        Ok(judge)
    }

    /// A document, or every JSON file below a directory.
    fn read_vex(&mut self, path: &Path) -> Result<()> {
        let files = if path.is_dir() { feeds::json_files(path)? } else { vec![path.to_owned()] };
        for file in files {
            let mut bytes = Vec::new();
            let limit = vex::MAX_DOCUMENT_BYTES as u64 + 1;
            File::open(&file)?.take(limit).read_to_end(&mut bytes)?;
            self.add_document(&file.display().to_string(), bytes);
        }
        Ok(())
    }

    /// Takes in a VEX document; what cannot be read of it is reported as skipped.
    pub fn add_document(&mut self, name: &str, bytes: Vec<u8>) {
        self.documents.push((name.to_owned(), bytes));
    }

    /// What the documents say.
    fn statements(&self, skipped: &mut Vec<Skipped>) -> Vec<VexStatement> {
        let mut statements = Vec::new();
        for (name, bytes) in &self.documents {
            let document = vex::read(name, bytes);
            statements.extend(document.statements);
            skipped.extend(document.skipped);
        }
        statements
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
            report.findings.extend(matches.findings.into_iter().map(|finding| placed(finding, target)));
            report.notices.extend(matches.notices);
            let malware = malware::findings(target, self.language.tag());
            report.findings.extend(malware.into_iter().map(|finding| placed(finding, target)));
        }
        let statements = self.statements(&mut report.skipped);
        let excused = evidence::apply(std::mem::take(&mut report.findings), &report.targets);
        let applied = detect_vex::apply(excused.findings, &report.targets, &statements);
        report.notices.extend(applied.notices());
        report.findings = applied.findings;
        report.suppressed.extend(excused.suppressed);
        report.suppressed.extend(applied.suppressed);
        if let Some((name, file)) = &self.ignore {
            ignore::apply(report, file, name, &self.today);
        }
        report.findings.retain(|finding| self.wants(finding));
        report.suppressed.retain(|suppressed| self.wants(&suppressed.finding));
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
            && (!arguments.only_fixed
                || finding.fixed_version.is_some()
                || finding.kind != FindingKind::Vulnerability)
            && !(arguments.no_dev && development)
    }
}

/// The file named on the command line, else the one of the working directory where it has one.
fn read_ignore_file(given: Option<&Path>) -> Result<Option<(String, IgnoreFile)>> {
    let path = given.unwrap_or_else(|| Path::new(formats_ignore::FILE_NAME));
    if given.is_none() && !path.is_file() {
        return Ok(None);
    }
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(formats_ignore::MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("ignore file {name}"))?;
    let file = formats_ignore::read(&bytes).with_context(|| format!("ignore file {name}"))?;
    Ok(Some((name, file)))
}

/// The finding with what its layer tells: the instruction that made it, and whose layer it is.
pub fn placed(mut finding: Finding, target: &Target) -> Finding {
    let layers = target.image.iter().flat_map(|image| &image.layers);
    if let Some(layer) =
        layers.into_iter().find(|layer| finding.location.layer.as_ref() == Some(&layer.diff_id))
    {
        finding.created_by.clone_from(&layer.created_by);
        finding.from_base_image = layer.from_base_image;
    }
    finding
}

/// Whether a finding is at or over the threshold.
pub fn reaches(report: &Report, threshold: Option<Severity>) -> bool {
    threshold.is_some_and(|least| report.findings.iter().any(|finding| finding.severity >= least))
}
