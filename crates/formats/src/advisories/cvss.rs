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
///
/// The score is the base score for v2 and v3.x, whatever temporal or environmental metrics follow, and the score of
/// the whole vector for v4.0, which has only one. Metrics may come in any order. Feeds' own spellings are
/// read as what they mean: lower case, blanks, brackets, a slash at the end, another prefix or none.
pub fn score(vector: &str) -> Option<Scored> {
    if vector.len() > MAX_VECTOR_BYTES {
        return None;
    }
    score_exact(vector).or_else(|| score_exact(&respell(vector)))
}

/// The vector as its specification would write it.
fn respell(vector: &str) -> String {
    let bare = vector.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '/' | '"'));
    let upper = bare.to_ascii_uppercase();
    let (prefix, metrics) = match upper.split_once(['/', '#']) {
        Some((prefix, metrics)) if prefix.starts_with("CVSS") => (prefix, metrics),
        _ => ("", upper.as_str()),
    };
    let stated = |metric: &str| metrics.split('/').any(|part| part.split(':').next() == Some(metric));
    let prefix = match prefix {
        "CVSS:4.0" | "CVSS:3.1" | "CVSS:3.0" => prefix,
        "" if stated("VC") && stated("AT") => "CVSS:4.0",
        "" if stated("PR") && stated("S") => "CVSS:3.1",
        _ => "",
    };
    let mut respelt = String::from(prefix);
    for part in metrics.split('/').map(str::trim) {
        if !respelt.is_empty() {
            respelt.push('/');
        }
        match part.split_once(':') {
            Some(("AU", value)) if prefix.is_empty() => respelt.extend(["Au:", value]),
            // The one metric of v4.0 whose values are words.
            Some(("U", value)) if value.len() > 1 => {
                let (first, rest) = value.split_at_checked(1).unwrap_or((value, ""));
                respelt.extend(["U:", first, &rest.to_ascii_lowercase()]);
            }
            _ => respelt.push_str(part),
        }
    }
    respelt
}

fn score_exact(vector: &str) -> Option<Scored> {
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

    /// The flaws of FIRST's guide to v2 and of its documents of examples for v3.1 and v4.0.
    #[test]
    fn scores_the_specifications_examples() {
        for (expected, vector) in [
            (7.8, "AV:N/AC:L/Au:N/C:N/I:N/A:C"),
            (10.0, "AV:N/AC:L/Au:N/C:C/I:C/A:C"),
            (6.2, "AV:L/AC:H/Au:N/C:C/I:C/A:C"),
            (6.1, "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"),
            (6.4, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N"),
            (3.1, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N"),
            (9.9, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H"),
            (4.2, "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L"),
            (8.8, "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"),
            (7.8, "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"),
            (7.5, "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
            (6.8, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:N/I:H/A:N"),
            (9.3, "CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H"),
            (4.6, "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N"),
            (7.4, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N"),
            (0.0, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"),
            (7.3, "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"),
            (6.3, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U"),
            (7.0, "CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:H/VI:L/VA:L/SC:H/SI:L/SA:L"),
            (8.9, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N/MSI:S/S:P"),
            (0.0, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"),
            (10.0, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"),
        ] {
            assert_eq!(score(vector).map(|scored| scored.score), Some(expected), "{vector}");
        }
    }

    #[test]
    fn the_severity_is_that_of_the_versions_own_scale() {
        let severity = |vector| score(vector).map(|scored| (scored.version.name(), scored.severity));
        assert_eq!(severity("AV:N/AC:L/Au:N/C:C/I:C/A:C"), Some(("cvss-v2", Severity::High)));
        assert_eq!(
            severity("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
            Some(("cvss-v3.1", Severity::Critical))
        );
        assert_eq!(
            severity("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"),
            Some(("cvss-v3.0", Severity::Negligible))
        );
    }

    #[test]
    fn reads_what_feeds_make_of_vectors() {
        for (expected, name, vector) in [
            (7.5, "cvss-v3.1", "cvss:3.1/av:n/ac:l/pr:n/ui:n/s:u/c:h/i:n/a:n"),
            (7.5, "cvss-v3.1", " CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/ "),
            (7.5, "cvss-v3.1", "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"),
            (7.5, "cvss-v3.0", "CVSS:3.0/A:N/I:N/C:H/S:U/UI:N/PR:N/AC:L/AV:N"),
            (7.5, "cvss-v3.1", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/E:U/RL:O/MAV:L"),
            (7.8, "cvss-v2", "(AV:N/AC:L/Au:N/C:N/I:N/A:C)"),
            (7.8, "cvss-v2", "av:n/ac:l/au:n/c:n/i:n/a:c"),
            (7.8, "cvss-v2", "CVSS2#AV:N/AC:L/Au:N/C:N/I:N/A:C"),
            (7.8, "cvss-v2", "CVSS:2.0/AV:N/AC:L/Au:N/C:N/I:N/A:C/E:POC"),
            (7.3, "cvss-v4", "cvss:4.0/sa:n/si:n/sc:n/va:h/vi:h/vc:h/ui:n/pr:l/at:p/ac:l/av:l/u:amber"),
        ] {
            let scored = score(vector).unwrap_or_else(|| panic!("{vector}"));
            assert_eq!((scored.score, scored.version.name()), (expected, name), "{vector}");
        }
    }

    #[test]
    fn what_is_no_vector_has_no_score() {
        for vector in [
            "",
            "7.5",
            "CVSS:3.1/AV:N",
            "CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
            "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
            "CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
            &"A".repeat(1 << 20),
        ] {
            assert_eq!(score(vector), None, "{}", vector.chars().take(80).collect::<String>());
        }
    }
}
