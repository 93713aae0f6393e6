//! Findings that another engine makes in a file: they get the same excerpts, and the same comments excuse them.

use yagura_formats::document::{Lines, Span};
use yagura_model::report::Suppressed;
use yagura_model::{Finding, Skipped};

use super::check::{Checker, MAX_FINDINGS};
use super::{finding, suppression};

/// What another engine says of one file.
#[derive(Debug, Default)]
pub struct Elsewhere {
    /// Each with the line at which what holds it begins.
    pub findings: Vec<(Finding, u32)>,
    /// Taken out by the engine's own means: the finding, who says so, and why.
    pub excused: Vec<(Finding, String, String)>,
    /// Rules that gave no verdict: their id, the line, and what they met.
    pub undecided: Vec<(String, u32, String)>,
    pub skipped: Vec<Skipped>,
    pub judged: u64,
}

impl Checker<'_> {
    /// Takes in what another engine says of a file.
    pub fn elsewhere(&mut self, path: &str, text: &str, told: Elsewhere) {
        self.checked.judged += told.judged;
        self.checked.skipped.extend(told.skipped);
        if !told.findings.is_empty() && !self.comments.contains_key(path) {
            let comments = suppression::read(text);
            if !comments.is_empty() {
                self.comments.insert(path.to_owned(), comments);
            }
        }
        let lines = (!told.findings.is_empty()).then(|| Lines::of(text));
        for (mut finding, document_line) in told.findings {
            let first = finding.location.start_line.unwrap_or(1);
            if finding.location.path == path {
                let start = lines.as_ref().map_or(0, |lines| lines.start_of(first));
                let start = u32::try_from(start).unwrap_or(0);
                let end_line = finding.location.end_line.unwrap_or(first);
                let span = Span { start, line: first, end_line, ..Span::default() };
                finding.evidence.notes.extend(finding::excerpt(text, span));
            }
            if self.checked.findings.len() >= MAX_FINDINGS {
                let reason = yagura_model::SkipReason::TooMany;
                self.checked.skipped.push(Skipped::new(path, reason, "more findings than are listed"));
                return;
            }
            self.found(finding, &[(path, first), (path, document_line)]);
        }
        let excused = told.excused.into_iter();
        self.checked.suppressed.extend(excused.map(|(finding, source, reason)| Suppressed {
            by: "policy".to_owned(),
            source,
            reason,
            finding,
        }));
        for (rule, line, error) in told.undecided {
            let span = Span { line, ..Span::default() };
            self.undecided(&rule, path, span, Some(error));
        }
    }
}
