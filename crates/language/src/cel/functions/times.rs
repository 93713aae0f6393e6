//! Fields of timestamps and durations.

use super::{Function, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::time::Civil;
use crate::cel::value::{Outcome, Value};

pub static TABLE: &[Function] = &[
    method("getFullYear", 0, 1, |_, a| field("getFullYear", a, |civil| civil.year, None)),
    method("getMonth", 0, 1, |_, a| field("getMonth", a, |civil| civil.month, None)),
    method("getDate", 0, 1, |_, a| field("getDate", a, |civil| civil.day + 1, None)),
    method("getDayOfMonth", 0, 1, |_, a| field("getDayOfMonth", a, |civil| civil.day, None)),
    method("getDayOfWeek", 0, 1, |_, a| field("getDayOfWeek", a, |civil| civil.weekday, None)),
    method("getDayOfYear", 0, 1, |_, a| field("getDayOfYear", a, |civil| civil.day_of_year, None)),
    method("getHours", 0, 1, |_, a| field("getHours", a, |civil| civil.hour, Some(3_600_000_000_000))),
    method("getMinutes", 0, 1, |_, a| field("getMinutes", a, |civil| civil.minute, Some(60_000_000_000))),
    method("getSeconds", 0, 1, |_, a| field("getSeconds", a, |civil| civil.second, Some(1_000_000_000))),
    method("getMilliseconds", 0, 1, |_, arguments| match &arguments[0] {
        // Of a duration only what is left after whole seconds.
        Value::Duration(span) if arguments.len() == 1 => Ok(Value::Int(span.0 % 1_000_000_000 / 1_000_000)),
        _ => field("getMilliseconds", arguments, |civil| civil.millisecond, None),
    }),
];

/// A timestamp's field in a zone, or a duration as a count of a unit (nanoseconds).
fn field<'a>(
    name: &str,
    arguments: &[Value<'a>],
    of_time: fn(Civil) -> i64,
    unit: Option<i64>,
) -> Outcome<'a> {
    match (arguments, unit) {
        ([Value::Timestamp(time)], _) => civil(*time, "UTC").map(|civil| Value::Int(of_time(civil))),
        ([Value::Timestamp(time), Value::String(zone)], _) => {
            civil(*time, zone.as_str()).map(|civil| Value::Int(of_time(civil)))
        }
        ([Value::Duration(span)], Some(unit)) => Ok(Value::Int(span.0 / unit)),
        _ => Err(mismatch(name, arguments)),
    }
}

fn civil(time: crate::cel::time::Timestamp, zone: &str) -> Result<Civil, Fault> {
    time.civil(zone)
        .ok_or_else(|| Fault::error("a time zone other than UTC and fixed offsets such as +02:00"))
}
