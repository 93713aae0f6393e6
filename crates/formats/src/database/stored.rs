//! What the compiled file holds, as it is encoded (postcard 1, its own stable wire format).

use serde::{Deserialize, Serialize};
use yagura_model::Severity;

use super::interval::Interval;
use crate::advisories::{AdvisoryKind, Day, FixState};
use crate::versions::Order;

/// The place of a record in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordId(pub u32);

/// The place of a flaw in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlawId(pub u32);

/// The place of an ecosystem in [`Info::ecosystems`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EcosystemId(pub u16);

/// What one record says of one package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub record: RecordId,
    /// The intervals' versions are Semantic Versions, whatever the ecosystem's own order is.
    pub semver: bool,
    pub intervals: Vec<Interval>,
    /// Affected versions that lie in no interval.
    pub versions: Vec<String>,
    /// Intervals that replace the others for tagged releases (see [`crate::advisories::Affected::tagged`]).
    pub tagged: Option<Vec<Interval>>,
    pub state: FixState,
    /// The vendor's rating for this very package.
    #[serde(with = "severity_code")]
    pub vendor: Option<Severity>,
}

/// One advisory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub id: String,
    /// Index into [`Info::sources`].
    pub source: u16,
    pub kind: AdvisoryKind,
    pub withdrawn: bool,
    pub published: Option<Day>,
    pub modified: Option<Day>,
    #[serde(with = "severity_code")]
    pub vendor: Option<Severity>,
    #[serde(with = "severity_code")]
    pub database: Option<Severity>,
    /// Vectors of a record that speaks of several flaws; those of a single flaw are with the flaw.
    pub vectors: Vec<String>,
    /// `name:stream` of the rpm module it is about.
    pub module: String,
    /// The flaws it speaks of, ascending.
    pub flaws: Vec<FlawId>,
}

/// One flaw under all its names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flaw {
    /// The name to show: the CVE where there is one.
    pub name: String,
    /// Names that are not records of this database.
    pub other_names: Vec<String>,
    /// Records that are this flaw under another name (not bulletins that answer it).
    pub records: Vec<RecordId>,
    /// At most one vector of each CVSS version, best version first.
    pub vectors: Vec<String>,
    #[serde(with = "severity_code")]
    pub database: Option<Severity>,
    pub weaknesses: Vec<u32>,
    pub exploited: Option<Exploited>,
    pub prediction: Option<Prediction>,
}

/// From the KEV catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exploited {
    pub added: Day,
    pub due: Option<Day>,
    pub ransomware: bool,
}

/// From EPSS, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    pub probability: u32,
    pub percentile: u32,
}

/// What the database says of itself; read without touching any block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Info {
    /// The newest day in the input; the database's date. It never comes from a clock.
    pub newest: Option<Day>,
    pub sources: Vec<Source>,
    pub ecosystems: Vec<EcosystemRow>,
    pub records: u32,
    pub flaws: u32,
    /// (package, record) pairs.
    pub entries: u64,
    pub exploited: u32,
    pub predictions: u32,
    pub products: u32,
}

/// Where advisories came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Such as `Debian`, `KEV`, `EPSS`.
    pub name: String,
    /// SPDX expression, or the terms' name; empty when unknown.
    pub licence: String,
    /// Newest change in it.
    pub newest: Option<Day>,
    /// Records read.
    pub records: u64,
    /// Records that could not be read.
    pub broken: u64,
    pub withdrawn: u64,
    /// Packages with nothing but commit ranges, which package versions cannot be compared with.
    pub git_only: u64,
    /// Notices of bug fixes and new packages, which name no flaw.
    pub not_security: u64,
}

/// One ecosystem of the package index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EcosystemRow {
    /// As OSV spells it, release included.
    pub name: String,
    pub packages: u32,
}

impl EcosystemRow {
    /// The order of the ecosystem's own versions.
    pub fn order(&self) -> Order {
        order_of(&self.name, false)
    }
}

/// The order for an ecosystem's ranges; versions of unknown making compare by numbers and words.
pub fn order_of(ecosystem: &str, semver: bool) -> Order {
    let range =
        if semver { crate::versions::RangeType::Semver } else { crate::versions::RangeType::Ecosystem };
    Order::for_osv_range(ecosystem, range).unwrap_or(Order::Generic)
}

/// Severities as one stable byte: the enum's order may grow, the file's codes may not.
mod severity_code {
    use serde::{Deserialize, Deserializer, Serializer};
    use yagura_model::Severity;

    const CODES: [Severity; 6] = [
        Severity::Unknown,
        Severity::Negligible,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];

    pub fn serialize<S: Serializer>(severity: &Option<Severity>, serializer: S) -> Result<S::Ok, S::Error> {
        let place = severity.and_then(|severity| CODES.iter().position(|code| *code == severity));
        serializer.serialize_u8(place.map_or(0, |place| place as u8 + 1))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
        let code = u8::deserialize(deserializer)?;
        Ok(code.checked_sub(1).and_then(|place| CODES.get(usize::from(place)).copied()))
    }
}
