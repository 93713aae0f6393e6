//! CVSS: which version a vector is of, and the score the FIRST specifications compute from it.

use std::str::FromStr;

use yagura_model::Severity;

/// Longest vector that is read; a full v4.0 one has under 200 bytes.
pub const MAX_VECTOR_BYTES: usize = 512;

/// The versions in the order in which they are preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    V4,
    V31,
    V30,
    V2,
}

impl Version {
    /// The version a vector claims; a vector without a prefix is v2's.
    pub fn of(vector: &str) -> Self {
        match vector {
            v if v.starts_with("CVSS:4.") => Self::V4,
            v if v.starts_with("CVSS:3.1/") => Self::V31,
            v if v.starts_with("CVSS:3.0/") => Self::V30,
            _ => Self::V2,
        }
    }

    /// The base metrics, without which a vector has no score.
    fn mandatory(self) -> &'static [&'static str] {
        match self {
            Self::V4 => &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
            Self::V31 | Self::V30 => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
            Self::V2 => &["AV", "AC", "Au", "C", "I", "A"],
        }
    }

    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "cvss-v4",
            Self::V31 => "cvss-v3.1",
            Self::V30 => "cvss-v3.0",
            Self::V2 => "cvss-v2",
        }
    }
}

/// A vector that could be scored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    pub version: Version,
    /// 0.0 to 10.0, one decimal.
    pub score: f64,
    pub severity: Severity,
}

/// Scores a vector of any version; none when it is not one.
pub fn score(vector: &str) -> Option<Scored> {
    if vector.len() > MAX_VECTOR_BYTES {
        return None;
    }
    let version = Version::of(vector);
    let stated = |metric: &str| vector.split('/').any(|part| part.split(':').next() == Some(metric));
    if !version.mandatory().iter().all(|metric| stated(metric)) {
        return None;
    }
    let score = ::cvss::Cvss::from_str(vector).ok()?.score();
    let severity = match (version, score) {
        // CVSS v3.x and v4.0 call 0.0 "None": rated, and without effect.
        (_, s) if s <= 0.0 => Severity::Negligible,
        // NVD's reading of v2, which has no scale of its own.
        (Version::V2, s) if s >= 7.0 => Severity::High,
        (_, s) => Severity::from_score(s),
    };
    Some(Scored { version, score, severity })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_the_specifications_examples() {
        // CVE-2013-1937, CVE-2014-0160 and CVE-2021-44228 as FIRST's example documents score them.
        for (vector, name, expected, severity) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "cvss-v3.1", 6.1, Severity::Medium),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "cvss-v3.0", 7.5, Severity::High),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                "cvss-v4",
                10.0,
                Severity::Critical,
            ),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", "cvss-v2", 10.0, Severity::High),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "cvss-v3.1", 0.0, Severity::Negligible),
        ] {
            let scored = score(vector).unwrap_or_else(|| panic!("{vector}"));
            assert_eq!(
                (scored.version.name(), scored.score, scored.severity),
                (name, expected, severity),
                "{vector}"
            );
        }
        assert_eq!(score("CVSS:3.1/AV:N"), None);
        assert_eq!(score(&"A".repeat(1 << 20)), None);
    }
}
