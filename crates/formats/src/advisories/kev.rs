//! The Known Exploited Vulnerabilities catalogue of CISA (JSON, schema 1.0).

use std::borrow::Cow;

use serde::Deserialize;
use yagura_model::SkipReason;

use super::json::Bounded;
use super::{Day, MAX_NAME_BYTES, Problem};

/// Largest catalogue that is read, in bytes; the real one has about 1.3 MB.
pub const MAX_BYTES: usize = 64 << 20;
/// Entries that are read; the real one has about 1,500.
const MAX_ENTRIES: usize = 200_000;

/// The catalogue's facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    pub released: Option<Day>,
    pub entries: Vec<Entry>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub cve: String,
    pub added: Day,
    pub due: Option<Day>,
    /// Known to be used by ransomware campaigns.
    pub ransomware: bool,
    pub weaknesses: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCatalogue<'a> {
    #[serde(borrow)]
    date_released: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    vulnerabilities: Bounded<RawEntry<'a>, MAX_ENTRIES>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry<'a> {
    #[serde(borrow, rename = "cveID")]
    cve: Option<Cow<'a, str>>,
    #[serde(borrow)]
    date_added: Option<Cow<'a, str>>,
    #[serde(borrow)]
    due_date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    known_ransomware_campaign_use: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    cwes: Bounded<Cow<'a, str>, 64>,
}

/// Reads the catalogue; entries without a CVE or a date are reported and left out.
pub fn parse(bytes: &[u8]) -> Result<Catalogue, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(Problem::new(
            SkipReason::TooLarge,
            format!("{} bytes, and a catalogue may have {MAX_BYTES}", bytes.len()),
        ));
    }
    let raw: RawCatalogue<'_> =
        serde_json::from_slice(bytes).map_err(|error| Problem::malformed(error.to_string()))?;
    let mut catalogue =
        Catalogue { released: raw.date_released.as_deref().and_then(Day::parse), ..Catalogue::default() };
    if raw.vulnerabilities.turned_away > 0 {
        catalogue
            .problems
            .push(Problem::new(SkipReason::TooMany, format!("more than {MAX_ENTRIES} entries")));
    }
    for entry in raw.vulnerabilities.items {
        let cve =
            entry.cve.as_deref().map(str::trim).filter(|cve| !cve.is_empty() && cve.len() <= MAX_NAME_BYTES);
        let added = entry.date_added.as_deref().and_then(Day::parse);
        let (Some(cve), Some(added)) = (cve, added) else {
            let named: String = cve.unwrap_or("an entry").chars().take(40).collect();
            catalogue.problems.push(Problem::malformed(format!("{named} has no usable cveID or dateAdded")));
            continue;
        };
        let ransomware = entry.known_ransomware_campaign_use.as_deref();
        catalogue.entries.push(Entry {
            cve: cve.to_owned(),
            added,
            due: entry.due_date.as_deref().and_then(Day::parse),
            ransomware: ransomware.is_some_and(|word| word.eq_ignore_ascii_case("known")),
            weaknesses: entry.cwes.items.iter().filter_map(|cwe| super::osv::weakness(cwe)).collect(),
        });
    }
    Ok(catalogue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_entries_and_reports_broken_ones() {
        let json = br#"{"title":"t","catalogVersion":"2025.08.25","dateReleased":"2025-08-25T17:04:19.9796Z","count":2,
        "vulnerabilities":[{"cveID":"CVE-2025-48384","dateAdded":"2025-08-25","dueDate":"2025-09-15",
        "knownRansomwareCampaignUse":"Known","cwes":["CWE-59","CWE-436"]},{"cveID":"CVE-1","dateAdded":"soon"},null]}"#;
        let catalogue = parse(json).unwrap();
        assert_eq!(catalogue.released.map(|day| day.to_string()).as_deref(), Some("2025-08-25"));
        assert_eq!(catalogue.entries.len(), 1);
        assert!(catalogue.entries[0].ransomware);
        assert_eq!(catalogue.entries[0].weaknesses, [59, 436]);
        assert_eq!(catalogue.problems.len(), 1);
        assert!(parse(b"[]").is_err());
    }
}
