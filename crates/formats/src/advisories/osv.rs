//! OSV records (Open Source Vulnerability schema 1.7, one JSON document each).
//!
//! The schema is one, the feeds are many: members are missing or `null`, distributors put the flaws a bulletin
//! answers under `related` instead of `upstream`, and what a severity word or a module stream is differs by feed.
//! Those differences end here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use yagura_model::{Severity, SkipReason};

use super::json::{Bounded, null_as_default, texts};
use super::{
    Advisory, AdvisoryKind, Affected, Day, Event, FixState, MAX_AFFECTED, MAX_ALIASES, MAX_EVENTS,
    MAX_NAME_BYTES, MAX_RANGES, MAX_VERSIONS, Problem, Range, Rating, cvss,
};

/// Largest record that is read, in bytes. The largest public ones (kernel bulletins) stay under 4 MB.
pub const MAX_RECORD_BYTES: u64 = 8 << 20;
/// Vectors one record or package may carry.
const MAX_SEVERITIES: usize = 16;
/// Weaknesses one record may name.
const MAX_WEAKNESSES: usize = 64;

/// A record and what of it was left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub advisory: Advisory,
    /// Packages that only have ranges of commits, which no package version can be compared with.
    pub git_only: u64,
    pub problems: Vec<Problem>,
}

/// Reads one record. The error says why nothing of it can be used.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Problem> {
    if bytes.len() as u64 > MAX_RECORD_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let record: Record<'_> =
        serde_json::from_slice(bytes).map_err(|error| Problem::malformed(error.to_string()))?;
    let mut reading = Reading::default();
    let id = reading.name(record.id).ok_or_else(|| Problem::malformed("has no usable id"))?;
    let affected = reading.list("affected", record.affected);
    let distribution = affected
        .iter()
        .filter_map(|a| a.package.as_ref())
        .any(|package| package.ecosystem.as_deref().is_some_and(is_distribution));
    let summary = record.summary.as_deref().unwrap_or_default();
    let own = record.database_specific.unwrap_or_default();
    let mut advisory = Advisory {
        published: record.published.as_deref().and_then(Day::parse),
        modified: record.modified.as_deref().and_then(Day::parse),
        withdrawn: record.withdrawn.is_some(),
        aliases: reading.names("aliases", record.aliases),
        upstream: reading.names("upstream", record.upstream),
        related: reading.names("related", record.related),
        kind: if id.starts_with("MAL-") { AdvisoryKind::Malicious } else { AdvisoryKind::Vulnerability },
        rating: rating(record.severity.items, &own, distribution),
        weaknesses: weaknesses(&own),
        module: if distribution { module_stream(summary).unwrap_or_default() } else { String::new() },
        affected: Vec::with_capacity(affected.len()),
        id,
    };
    if distribution && advisory.rating.vendor.is_none() {
        // `Important: openssl security update` is how bulletins of the RHEL family carry their rating.
        advisory.rating.vendor = summary.split_once(':').and_then(|(word, _)| word.parse().ok());
    }
    for entry in affected {
        let informational = entry.database_specific.as_ref().and_then(|d| d.get("informational"));
        match informational.and_then(Value::as_str) {
            Some("unmaintained") => advisory.kind = AdvisoryKind::Unmaintained,
            Some("unsound") => advisory.kind = AdvisoryKind::Unsound,
            Some(_) => advisory.kind = AdvisoryKind::Notice,
            None => {}
        }
        advisory.affected.extend(reading.affected(entry));
    }
    Ok(Parsed { advisory, git_only: reading.git_only, problems: reading.problems })
}

pub(super) fn too_large(bytes: u64) -> Problem {
    Problem::new(SkipReason::TooLarge, format!("{bytes} bytes, and a record may have {MAX_RECORD_BYTES}"))
}

/// Whether an OSV ecosystem is an operating system's packages.
pub fn is_distribution(ecosystem: &str) -> bool {
    const DISTRIBUTIONS: [&str; 26] = [
        "AlmaLinux",
        "Alpaquita",
        "Alpine",
        "Amazon Linux",
        "Azure Linux",
        "BellSoft Hardened Containers",
        "Chainguard",
        "CleanStart",
        "Debian",
        "Docker Hardened Images",
        "Echo",
        "Fedora",
        "FreeBSD",
        "Mageia",
        "Mariner",
        "MinimOS",
        "openEuler",
        "openSUSE",
        "Oracle Linux",
        "Photon OS",
        "Red Hat",
        "Rocky Linux",
        "Root",
        "SUSE",
        "Ubuntu",
        "Wolfi",
    ];
    let family = ecosystem.split(':').next().unwrap_or_default();
    DISTRIBUTIONS.contains(&family)
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    modified: Option<Cow<'a, str>>,
    #[serde(borrow)]
    published: Option<Cow<'a, str>>,
    #[serde(borrow)]
    withdrawn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    summary: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    aliases: Bounded<Cow<'a, str>, MAX_ALIASES>,
    #[serde(borrow, default)]
    upstream: Bounded<Cow<'a, str>, MAX_ALIASES>,
    #[serde(borrow, default)]
    related: Bounded<Cow<'a, str>, MAX_ALIASES>,
    #[serde(borrow, default)]
    severity: Bounded<RawSeverity<'a>, MAX_SEVERITIES>,
    #[serde(borrow, default)]
    affected: Bounded<RawAffected<'a>, MAX_AFFECTED>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct RawSeverity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    score: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawAffected<'a> {
    #[serde(borrow)]
    package: Option<RawPackage<'a>>,
    #[serde(borrow, default)]
    severity: Bounded<RawSeverity<'a>, MAX_SEVERITIES>,
    #[serde(borrow, default)]
    ranges: Bounded<RawRange<'a>, MAX_RANGES>,
    #[serde(borrow, default)]
    versions: Bounded<Cow<'a, str>, MAX_VERSIONS>,
    ecosystem_specific: Option<Value>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct RawPackage<'a> {
    #[serde(borrow)]
    ecosystem: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawRange<'a> {
    #[serde(borrow, rename = "type", default, deserialize_with = "null_as_default")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    events: Bounded<RawEvent<'a>, MAX_EVENTS>,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(borrow)]
    introduced: Option<Cow<'a, str>>,
    #[serde(borrow)]
    fixed: Option<Cow<'a, str>>,
    #[serde(borrow)]
    last_affected: Option<Cow<'a, str>>,
    #[serde(borrow)]
    limit: Option<Cow<'a, str>>,
}

/// Gathers what is left out on the way.
#[derive(Default)]
struct Reading {
    git_only: u64,
    problems: Vec<Problem>,
}

impl Reading {
    fn name(&mut self, text: Option<Cow<'_, str>>) -> Option<String> {
        let text = text?;
        let trimmed = text.trim();
        if trimmed.len() > MAX_NAME_BYTES {
            let start: String = trimmed.chars().take(40).collect();
            self.problems.push(Problem::new(
                SkipReason::TooLarge,
                format!(
                    "`{start}…` has {} bytes, and a name or version may have {MAX_NAME_BYTES}",
                    trimmed.len()
                ),
            ));
            return None;
        }
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    fn list<T, const MAX: usize>(&mut self, what: &str, list: Bounded<T, MAX>) -> Vec<T> {
        if list.turned_away > 0 {
            self.problems.push(Problem::new(
                SkipReason::TooMany,
                format!("`{what}` has {} items over the {MAX} that are read", list.turned_away),
            ));
        }
        list.items
    }

    fn names<const MAX: usize>(&mut self, what: &str, list: Bounded<Cow<'_, str>, MAX>) -> Vec<String> {
        self.list(what, list).into_iter().filter_map(|name| self.name(Some(name))).collect()
    }

    fn affected(&mut self, entry: RawAffected<'_>) -> Option<Affected> {
        let Some((ecosystem, name)) = entry.package.and_then(|p| Some((p.ecosystem?, p.name?))) else {
            self.git_only += 1;
            return None;
        };
        let ecosystem = self.name(Some(ecosystem))?;
        let name = self.name(Some(name))?;
        let versions = self.names("versions", entry.versions);
        let ranges = self.list("ranges", entry.ranges);
        let git = !ranges.is_empty() && ranges.iter().all(|range| range.kind == "GIT");
        let ranges: Vec<Range> = ranges.into_iter().filter_map(|range| self.range(range)).collect();
        if git && versions.is_empty() {
            self.git_only += 1;
            return None;
        }
        if ranges.is_empty() && versions.is_empty() {
            self.problems.push(Problem::malformed(format!("names {name} without a range or version")));
            return None;
        }
        let own = entry.database_specific.unwrap_or_default();
        let ecosystem_own = entry.ecosystem_specific.unwrap_or_default();
        let distribution = is_distribution(&ecosystem);
        let mut rating = rating(entry.severity.items, &own, distribution);
        if distribution && rating.vendor.is_none() {
            rating.vendor = ["ubuntu_priority", "urgency", "severity"]
                .iter()
                .filter_map(|key| ecosystem_own.get(*key).and_then(Value::as_str))
                .find_map(vendor_word);
        }
        Some(Affected {
            tagged: self.tagged(ecosystem_own.get("custom_ranges")),
            state: FixState::Unstated,
            ecosystem,
            name,
            ranges,
            versions,
            rating,
        })
    }

    fn range(&mut self, range: RawRange<'_>) -> Option<Range> {
        let semver = match range.kind.as_ref() {
            "SEMVER" => true,
            "ECOSYSTEM" => false,
            "GIT" => return None,
            other => {
                let kind: String = other.chars().take(40).collect();
                self.problems.push(Problem::new(SkipReason::Unsupported, format!("range of type `{kind}`")));
                return None;
            }
        };
        let mut events = Vec::new();
        for event in self.list("events", range.events) {
            let RawEvent { introduced, fixed, last_affected, limit } = event;
            events.extend(self.name(introduced).map(Event::Introduced));
            events.extend(self.name(fixed).map(Event::Fixed));
            events.extend(self.name(last_affected).map(Event::LastAffected));
            events.extend(self.name(limit).filter(|limit| limit != "*").map(Event::Limit));
        }
        if !events.iter().any(|event| matches!(event, Event::Introduced(_))) {
            self.problems.push(Problem::malformed("a range without an `introduced` event"));
            return None;
        }
        Some(Range { semver, events })
    }

    /// The Go database's `custom_ranges`: same shape as `ranges`, for releases tagged outside Go's numbering.
    fn tagged(&mut self, value: Option<&Value>) -> Vec<Range> {
        let ranges: Vec<RawRange<'_>> = value.and_then(|v| Vec::deserialize(v).ok()).unwrap_or_default();
        ranges.into_iter().take(MAX_RANGES).filter_map(|range| self.range(range)).collect()
    }
}

fn rating(severities: Vec<RawSeverity<'_>>, own: &Value, distribution: bool) -> Rating {
    let mut rating = Rating::default();
    for severity in severities {
        let (Some(kind), Some(score)) = (severity.kind, severity.score) else { continue };
        if kind.starts_with("CVSS") {
            if score.len() <= cvss::MAX_VECTOR_BYTES && !rating.vectors.iter().any(|v| *v == *score) {
                rating.vectors.push(score.into_owned());
            }
        } else {
            // Ubuntu states its own priority as a severity type.
            rating.vendor = rating.vendor.or_else(|| vendor_word(&score));
        }
    }
    let word = own.get("severity").and_then(Value::as_str).and_then(|word| word.parse().ok());
    let score = own.get("cvss_v3_score").and_then(Value::as_f64).map(Severity::from_score);
    if distribution {
        rating.vendor = rating.vendor.or(word);
    } else {
        rating.database = word.or(score);
    }
    rating
}

/// Debian's and Ubuntu's words beside the common ones.
fn vendor_word(word: &str) -> Option<Severity> {
    match word.trim_end_matches('*') {
        "unimportant" => Some(Severity::Negligible),
        "untriaged" | "not yet assigned" | "end-of-life" => None,
        other => other.parse().ok().filter(|severity| *severity != Severity::Unknown),
    }
}

fn weaknesses(own: &Value) -> Vec<u32> {
    let ids = texts(own.get("cwe_ids"));
    let nested = own.get("cwes").and_then(Value::as_array).into_iter().flatten();
    let nested = nested.filter_map(|cwe| cwe.get("cweId").and_then(Value::as_str));
    let mut numbers: Vec<u32> = ids.chain(nested).filter_map(weakness).take(MAX_WEAKNESSES).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The number of `CWE-79`.
pub(super) fn weakness(text: &str) -> Option<u32> {
    text.strip_prefix("CWE-")?.parse().ok()
}

/// The `name:stream` in a bulletin's title, such as `Important: nodejs:18 security update`.
fn module_stream(summary: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let stream = summary.split_ascii_whitespace().find(|word| {
        word.split_once(':').is_some_and(|(name, stream)| {
            !name.is_empty() && !stream.is_empty() && name.chars().chain(stream.chars()).all(allowed)
        })
    })?;
    (stream.len() <= MAX_NAME_BYTES).then(|| stream.to_owned())
}

#[cfg(test)]
#[path = "osv_tests.rs"]
mod tests;
