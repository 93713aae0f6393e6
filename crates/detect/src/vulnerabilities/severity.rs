//! Which of the ratings known for a flaw is shown: the vendor's own first, then CVSS v4.0, v3.1, v3.0 and v2.0, then
//! the word of a database that collects other people's flaws.

use yagura_formats::advisories::cvss;
use yagura_formats::database::{Entry, Flaw, Record};
use yagura_model::Severity;

/// A rating and where it came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rated {
    pub severity: Severity,
    /// As [`yagura_model::vulnerability::Vulnerability::severity_source`] lists them.
    pub source: &'static str,
    pub score: Option<f64>,
    pub vector: String,
}

/// Rates a flaw as the records that matched and everything known of the flaw allow.
pub fn rate<'a>(matched: impl Iterator<Item = (&'a Entry, &'a Record)> + Clone, flaw: &Flaw) -> Rated {
    let of_records = matched.clone().flat_map(|(_, record)| record.vectors.iter());
    let best = of_records
        .chain(&flaw.vectors)
        .filter_map(|vector| Some((cvss::score(vector)?, vector)))
        .min_by_key(|(scored, _)| scored.version);
    let mut rated = Rated::default();
    if let Some((scored, vector)) = best {
        rated = Rated {
            severity: scored.severity,
            source: scored.version.name(),
            score: Some(scored.score),
            vector: vector.clone(),
        };
    }
    let vendor = matched.clone().filter_map(|(entry, record)| entry.vendor.or(record.vendor)).max();
    let database = matched.filter_map(|(_, record)| record.database).max().max(flaw.database);
    match (vendor, best, database) {
        (Some(vendor), ..) => (rated.severity, rated.source) = (vendor, "vendor"),
        (None, None, Some(database)) => (rated.severity, rated.source) = (database, "database"),
        _ => {}
    }
    rated
}
