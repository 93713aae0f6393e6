//! Timestamps and durations of CEL: RFC 3339 texts, civil fields, checked arithmetic. Zones are UTC or fixed offsets:
//! names such as `Europe/Berlin` would need a database that belongs to the machine, not to an expression.

use std::fmt::Write as _;

/// Seconds and nanoseconds since 1970 in UTC; years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

/// Nanoseconds; what fits 64 bits, about 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// A timestamp's fields in some zone.
#[derive(Clone, Copy, Debug)]
pub struct Civil {
    pub year: i64,
    /// From 0.
    pub month: i64,
    /// From 0.
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub millisecond: i64,
    /// 0 is Sunday.
    pub weekday: i64,
    /// From 0.
    pub day_of_year: i64,
}

impl Timestamp {
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        (FIRST..=LAST).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits = |from: usize, length: usize| -> Option<i64> {
            let part = text.get(from..from + length)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let mark = |at: usize, mark: &[u8]| bytes.get(at).is_some_and(|byte| mark.contains(byte));
        let shaped = mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":");
        if !shaped {
            return None;
        }
        let (year, month, day) = (digits(0, 4)?, digits(5, 2)?, digits(8, 2)?);
        let (hour, minute, second) = (digits(11, 2)?, digits(14, 2)?, digits(17, 2)?);
        let in_month = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !in_month || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut nanos = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let kept = fraction.get(..length.min(9))?;
            nanos = kept.parse::<u32>().ok()? * 10_u32.pow(9 - u32::try_from(kept.len()).ok()?);
            rest = fraction.get(length..)?;
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => offset(rest)?,
        };
        let days = days_from_civil(year, month, day);
        Self::new(days * DAY + hour * 3600 + minute * 60 + second - offset, nanos)
    }

    pub fn plus(self, duration: Duration) -> Option<Self> {
        let nanos = i64::from(self.nanos) + duration.0.rem_euclid(SECOND);
        let seconds = self.seconds.checked_add(duration.0.div_euclid(SECOND))?;
        Self::new(seconds + nanos / SECOND, u32::try_from(nanos % SECOND).ok()?)
    }

    pub fn minus(self, other: Self) -> Option<Duration> {
        let seconds = self.seconds.checked_sub(other.seconds)?.checked_mul(SECOND)?;
        seconds.checked_add(i64::from(self.nanos) - i64::from(other.nanos)).map(Duration)
    }

    /// The fields in a zone: `UTC`, `+02:00`, `-05:30`, `02:00`; none for a zone we do not know.
    pub fn civil(self, zone: &str) -> Option<Civil> {
        let local = self.seconds + if matches!(zone, "" | "UTC" | "Z") { 0 } else { offset(zone)? };
        let days = local.div_euclid(DAY);
        let of_day = local.rem_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Some(Civil {
            year,
            month: month - 1,
            day: day - 1,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            millisecond: i64::from(self.nanos / 1_000_000),
            weekday: (days + 4).rem_euclid(7),
            day_of_year: days - days_from_civil(year, 1, 1),
        })
    }

    /// RFC 3339 in UTC, with as many digits of a second as it needs.
    pub fn text(self) -> String {
        let Some(civil) = self.civil("UTC") else { return String::new() };
        let Civil { year, month, day, hour, minute, second, .. } = civil;
        let mut text = format!("{year:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}", month + 1, day + 1);
        text.push_str(&fraction(self.nanos));
        text.push('Z');
        text
    }
}

/// `.5`, `.000000001`; empty for none.
fn fraction(nanos: u32) -> String {
    if nanos == 0 {
        return String::new();
    }
    let digits = format!("{nanos:09}");
    format!(".{}", digits.trim_end_matches('0'))
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |part: &str| -> Option<i64> {
        (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

impl Duration {
    /// Reads texts such as `1h30m`, `-1.5s`, `250ms` (Go's time.ParseDuration).
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        if rest == "0" {
            return Some(Self(0));
        }
        let mut total: i128 = 0;
        while !rest.is_empty() {
            let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, after) = rest.split_at(length);
            let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let (unit, left) = after.split_at(unit);
            let scale: i128 = match unit {
                "h" => 3_600 * SECOND as i128,
                "m" => 60 * SECOND as i128,
                "s" => SECOND as i128,
                "ms" => 1_000_000,
                "us" | "µs" | "μs" => 1_000,
                "ns" => 1,
                _ => return None,
            };
            let (whole, part) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && part.is_empty() || whole.len() > 20 {
                return None;
            }
            let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
            let part = part.get(..part.len().min(15))?;
            let fraction: i128 = if part.is_empty() { 0 } else { part.parse().ok()? };
            total += whole * scale + fraction * scale / 10_i128.pow(u32::try_from(part.len()).ok()?);
            rest = left;
        }
        i64::try_from(if negative { -total } else { total }).ok().map(Self)
    }

    /// Seconds, with as many digits as it needs: `5400s`, `-0.25s`.
    pub fn text(self) -> String {
        let mut text = String::new();
        if self.0 < 0 {
            text.push('-');
        }
        let magnitude = self.0.unsigned_abs();
        let nanos = u32::try_from(magnitude % SECOND.unsigned_abs()).unwrap_or(0);
        let _ = write!(text, "{}{}s", magnitude / SECOND.unsigned_abs(), fraction(nanos));
        text
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day (both from 1).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_and_written() {
        for (text, expected) in [
            ("2009-02-13T23:31:30Z", Some((1_234_567_890, 0))),
            ("1970-01-01T01:00:00.5+01:00", Some((0, 500_000_000))),
            ("0001-01-01T00:00:00Z", Some((FIRST, 0))),
            ("9999-12-31T23:59:59.999999999Z", Some((LAST, 999_999_999))),
            ("2023-02-29T00:00:00Z", None),
            ("2024-02-29T00:00:00Z", Some((1_709_164_800, 0))),
            ("2024-02-29", None),
        ] {
            let read = Timestamp::parse(text);
            assert_eq!(read.map(|time| (time.seconds, time.nanos)), expected, "{text}");
            if let Some(time) = read.filter(|_| text.ends_with('Z')) {
                assert_eq!(time.text(), text);
            }
        }
        let civil = Timestamp::parse("2009-02-13T23:31:30Z").unwrap().civil("+02:00").unwrap();
        assert_eq!((civil.day, civil.hour, civil.weekday, civil.day_of_year), (13, 1, 6, 44));
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, expected) in [
            ("1h30m", Some("5400s")),
            ("-1.5s", Some("-1.5s")),
            ("250ms", Some("0.25s")),
            ("0", Some("0s")),
            ("1h1", None),
            ("s", None),
            ("", None),
            ("99999999h", None),
        ] {
            assert_eq!(Duration::parse(text).map(Duration::text).as_deref(), expected, "{text}");
        }
    }
}
