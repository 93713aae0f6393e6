//! Ignore entries applied: what somebody has judged moves to `suppressed`, with the reason, never out of sight.

use yagura_formats::ignore::{IgnoreEntry, IgnoreFile};
use yagura_formats::sbom::ForeignPurl;
use yagura_model::report::Suppressed;
use yagura_model::{Finding, Report};

mod glob;

use glob::Pattern;

/// Moves the findings that entries speak of to [`Report::suppressed`], and tells in [`Report::notices`] of entries
/// that have expired or fit nothing. `name` is the file's name for people, `today` is `YYYY-MM-DD`.
pub fn apply(report: &mut Report, file: &IgnoreFile, name: &str, today: &str) {
    let mut entries: Vec<Prepared<'_>> = file.entries.iter().map(Prepared::of).collect();
    let is_expired = |entry: &IgnoreEntry| entry.until.as_deref().is_some_and(|until| until < today);
    let findings = std::mem::take(&mut report.findings);
    for finding in findings {
        let mut excuse = None;
        for prepared in &mut entries {
            if !prepared.fits(&finding) {
                continue;
            }
            prepared.used = true;
            if excuse.is_none() && !is_expired(prepared.entry) {
                excuse = Some(prepared.entry);
            }
        }
        match excuse {
            Some(entry) => report.suppressed.push(Suppressed {
                finding,
                by: "ignore-file".to_owned(),
                source: format!("{name}:{}", entry.line),
                reason: entry.reason.clone(),
            }),
            None => report.findings.push(finding),
        }
    }
    for Prepared { entry, used, .. } in &entries {
        let place = format!("{name}:{}", entry.line);
        match &entry.until {
            Some(until) if until.as_str() < today => report
                .notices
                .push(format!("The ignore entry at {place} expired after {until} and no longer applies")),
            _ if !used => {
                report.notices.push(format!("The ignore entry at {place} fits no finding and can go"));
            }
            _ => {}
        }
    }
}

/// An entry with its patterns ready.
struct Prepared<'a> {
    entry: &'a IgnoreEntry,
    ids: Vec<Pattern>,
    package: Package,
    path: Option<Pattern>,
    target: Option<Pattern>,
    used: bool,
}

enum Package {
    Any,
    Name(Pattern),
    Purl(ForeignPurl),
}

impl<'a> Prepared<'a> {
    fn of(entry: &'a IgnoreEntry) -> Self {
        let pattern = |text: &str| (!text.is_empty()).then(|| Pattern::path(text));
        Self {
            entry,
            ids: entry.ids.iter().map(|id| Pattern::name(&id.to_ascii_lowercase())).collect(),
            package: match (entry.package.as_str(), ForeignPurl::parse(&entry.package)) {
                ("", _) => Package::Any,
                (_, Some(purl)) => Package::Purl(purl),
                (name, None) => Package::Name(Pattern::name(name)),
            },
            path: pattern(entry.path.trim_start_matches('/')),
            // A target's `/` divides nothing that a reader would think of as folders.
            target: (!entry.target.is_empty()).then(|| Pattern::name(&entry.target)),
            used: false,
        }
    }

    fn fits(&self, finding: &Finding) -> bool {
        self.fits_id(finding)
            && self.fits_package(finding)
            && self.path.as_ref().is_none_or(|pattern| pattern.fits(&finding.location.path))
            && self.target.as_ref().is_none_or(|pattern| pattern.fits(&finding.target))
    }

    fn fits_id(&self, finding: &Finding) -> bool {
        let mut names =
            std::iter::once(&finding.rule).chain(&finding.aliases).map(|name| name.to_ascii_lowercase());
        self.ids.is_empty() || names.any(|name| self.ids.iter().any(|pattern| pattern.fits(&name)))
    }

    fn fits_package(&self, finding: &Finding) -> bool {
        match (&self.package, &finding.package) {
            (Package::Any, _) => true,
            (_, None) => false,
            (Package::Name(pattern), Some(package)) => {
                pattern.fits(&package.name) || pattern.fits(&finding.evidence.matched_name)
            }
            (Package::Purl(wanted), Some(package)) => {
                let purl = package.purl.as_ref().and_then(|purl| ForeignPurl::parse(purl.as_str()));
                purl.is_some_and(|purl| covers(wanted, &purl))
            }
        }
    }
}

/// Whether a purl with parts left out speaks of another.
fn covers(wanted: &ForeignPurl, purl: &ForeignPurl) -> bool {
    wanted.kind == purl.kind
        && wanted.name == purl.name
        && (wanted.namespace.is_empty() || wanted.namespace == purl.namespace)
        && (wanted.version.is_empty() || wanted.version == purl.version)
        && wanted.qualifiers.iter().all(|(key, value)| purl.qualifiers.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Report {
        let finding = |rule: &str, name: &str, path: &str| {
            json!({"id": rule, "rule": rule, "kind": "vulnerability", "severity": "high", "title": "t",
                "target": "registry.example/shop:1", "location": {"path": path}, "aliases": ["GHSA-aaaa"],
                "package": {"name": name, "version": "3.0", "purl": format!("pkg:deb/debian/{name}@3.0?arch=amd64"), "scope": "runtime"},
                "evidence": {"matchedName": "openssl"}})
        };
        serde_json::from_value(json!({"schemaVersion": "1.0", "tool": {"name": "Yagura", "version": "0", "sandbox": ""},
            "created": "2026-11-20T00:00:00Z", "targets": [], "skipped": [],
            "findings": [finding("CVE-2024-1", "libssl3", "var/lib/dpkg/status"), finding("CVE-2024-2", "curl", "usr/lib/x/y.json")]}))
        .unwrap()
    }

    /// Rules still open and notices after applying one entry.
    fn after(entry: &str) -> (Vec<String>, Vec<String>) {
        let text = format!("ignore:\n- {{{entry}, reason: judged}}\n");
        let file = yagura_formats::ignore::read(text.as_bytes()).unwrap();
        let mut report = report();
        apply(&mut report, &file, "ignore.yaml", "2026-11-22");
        assert_eq!(report.findings.len() + report.suppressed.len(), 2);
        for suppressed in &report.suppressed {
            assert_eq!(
                (suppressed.by.as_str(), suppressed.source.as_str()),
                ("ignore-file", "ignore.yaml:2")
            );
            assert_eq!(suppressed.reason, "judged");
        }
        (report.findings.into_iter().map(|finding| finding.rule).collect(), report.notices)
    }

    #[test]
    fn an_entry_fits_where_all_it_names_fits() {
        for (entry, open) in [
            ("id: CVE-2024-1", &["CVE-2024-2"][..]),
            ("id: cve-2024-1", &["CVE-2024-2"]),
            ("id: [CVE-2024-1, CVE-2024-2]", &[]),
            ("id: 'CVE-2024-*'", &[]),
            ("id: GHSA-aaaa", &[]),
            ("package: libssl3", &["CVE-2024-2"]),
            ("package: openssl", &[]),
            ("package: pkg:deb/debian/curl", &["CVE-2024-1"]),
            ("package: pkg:deb/curl@3.0", &["CVE-2024-1"]),
            ("package: 'pkg:deb/debian/curl@3.0?arch=amd64'", &["CVE-2024-1"]),
            ("package: pkg:deb/debian/curl@4.0", &["CVE-2024-1", "CVE-2024-2"]),
            ("package: pkg:npm/curl", &["CVE-2024-1", "CVE-2024-2"]),
            ("path: 'usr/lib/**'", &["CVE-2024-1"]),
            ("path: '/usr/lib/*'", &["CVE-2024-1", "CVE-2024-2"]),
            ("path: '**/status'", &["CVE-2024-2"]),
            ("id: CVE-2024-1, target: 'registry.example/*'", &["CVE-2024-2"]),
            ("id: CVE-2024-1, target: 'other/*'", &["CVE-2024-1", "CVE-2024-2"]),
            ("id: CVE-2024-1, package: curl", &["CVE-2024-1", "CVE-2024-2"]),
        ] {
            assert_eq!(after(entry).0, open, "{entry}");
        }
    }

    #[test]
    fn expired_and_idle_entries_are_told() {
        let (open, notices) = after("id: CVE-2024-1, until: 2026-11-21");
        assert_eq!((open.len(), notices.len()), (2, 1));
        assert!(notices[0].contains("ignore.yaml:2 expired after 2026-11-21"), "{notices:?}");
        let (open, notices) = after("id: CVE-2024-1, until: 2026-11-22");
        assert_eq!((open.len(), notices.len()), (1, 0));
        let (open, notices) = after("id: CVE-1999-1");
        assert_eq!(open.len(), 2);
        assert!(notices[0].contains("fits no finding"), "{notices:?}");
    }
}
