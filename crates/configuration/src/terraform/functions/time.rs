//! Dates that a configuration states. None of them asks what time it is.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{Call, Function, row};
use crate::terraform::number::Number;
use crate::terraform::value::{Failed, Outcome};

pub(super) const FUNCTIONS: &[Function] = &[
    row("formatdate", 2, 2, formatdate),
    row("timeadd", 2, 2, |call| {
        let time = zoned(&call.text(0)?)?;
        let sum = time.checked_add(duration(&call.text(1)?)?).map_err(|_| "the date is out of range")?;
        call.give_text(rfc3339(&sum))
    }),
    row("timecmp", 2, 2, |call| {
        let order = zoned(&call.text(0)?)?.timestamp().cmp(&zoned(&call.text(1)?)?.timestamp());
        call.give_number(Some(Number::Integer(order as i128)))
    }),
];

/// RFC 3339, its offset kept.
fn zoned(text: &str) -> Result<Zoned, Failed> {
    let wrong = || "not a time as 2026-01-31T12:00:00Z".to_owned();
    let timestamp: Timestamp = text.parse().map_err(|_| wrong())?;
    let offset = match text.get(text.len().saturating_sub(6)..) {
        Some(offset) if offset.starts_with(['+', '-']) => {
            let part = |from, to| offset.get(from..to).and_then(|part: &str| part.parse::<i32>().ok());
            let (Some(hours), Some(minutes)) = (part(1, 3), part(4, 6)) else { return Err(wrong()) };
            let seconds = hours * 3600 + minutes * 60;
            let seconds = if offset.starts_with('-') { -seconds } else { seconds };
            Offset::from_seconds(seconds).map_err(|_| wrong())?
        }
        _ => Offset::UTC,
    };
    Ok(timestamp.to_zoned(offset.to_time_zone()))
}

fn rfc3339(time: &Zoned) -> String {
    let text = time.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    text + &offset(time, true, true)
}

/// `Z`, `+0900` or `+09:00`.
fn offset(time: &Zoned, z: bool, colon: bool) -> String {
    let seconds = time.offset().seconds();
    if seconds == 0 && z {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    let colon = if colon { ":" } else { "" };
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

/// `1h30m`, `-1.5h`: decimal numbers with a unit each.
fn duration(text: &str) -> Result<SignedDuration, Failed> {
    let wrong = || "not a duration as 1h30m".to_owned();
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, tail) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let units =
            [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, seconds) = units.into_iter().find(|(unit, _)| tail.starts_with(unit)).ok_or_else(wrong)?;
        total += number * seconds;
        rest = tail.get(unit.len()..).unwrap_or_default();
    }
    if text.is_empty() {
        return Err(wrong());
    }
    SignedDuration::try_from_secs_f64(if negative { -total } else { total }).map_err(|_| wrong())
}

fn formatdate(call: &Call<'_>) -> Outcome {
    let specification = call.text(0)?;
    let time = zoned(&call.text(1)?)?;
    let mut result = String::new();
    let mut rest = &*specification;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            rest = literal(rest, &mut result)?;
            continue;
        }
        if !first.is_ascii_alphabetic() {
            result.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let length = rest.chars().take_while(|next| *next == first).count();
        let (verb, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = tail;
        let format = match verb {
            "YYYY" => "%Y",
            "YY" => "%y",
            "MMMM" => "%B",
            "MMM" => "%b",
            "MM" => "%m",
            "M" => "%-m",
            "DD" => "%d",
            "D" => "%-d",
            "EEEE" => "%A",
            "EEE" => "%a",
            "hh" => "%H",
            "h" => "%-H",
            "HH" => "%I",
            "H" => "%-I",
            "AA" => "%p",
            "aa" => "%P",
            "mm" => "%M",
            "m" => "%-M",
            "ss" => "%S",
            "s" => "%-S",
            "ZZZZZ" | "ZZZZ" | "ZZZ" | "Z" => {
                result.push_str(&match verb {
                    "ZZZZZ" => offset(&time, false, true),
                    "ZZZZ" => offset(&time, false, false),
                    "ZZZ" if time.offset().seconds() == 0 => "UTC".to_owned(),
                    "ZZZ" => offset(&time, false, false),
                    _ => offset(&time, true, true),
                });
                continue;
            }
            _ => return Err(format!("an unknown verb `{verb}`")),
        };
        result.push_str(&time.strftime(format).to_string());
    }
    call.give_text(result)
}

/// Passes `'text'`, in which `''` is a quote.
fn literal<'t>(quoted: &'t str, result: &mut String) -> Result<&'t str, Failed> {
    let mut rest = quoted.get(1..).unwrap_or_default();
    loop {
        let (text, tail) = rest.split_once('\'').ok_or("a quoted text has no end")?;
        result.push_str(text);
        match tail.strip_prefix('\'') {
            Some(after) => {
                result.push('\'');
                rest = after;
            }
            None => return Ok(tail),
        }
    }
}
