//! Fields that records of every source have: `evt.*` and `json.*`, and the older names of the latter.

use yagura_model::field::{ArgumentRule, Field, FieldType, FieldValue, TimeStyle};

use super::{AuditEvent, Row, values};

const SECOND: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Generic {
    Number,
    Time(TimeStyle),
    Seconds,
    Nanoseconds,
    Since,
    SinceSeconds,
    SinceNanoseconds,
    Source,
    IsAsynchronous,
    TypeName,
    PluginName,
    /// The source's own summary.
    Information,
    /// What a JSON pointer leads to.
    Pointer,
    Object,
    RawTime,
}

const fn row(
    name: &'static str,
    kind: FieldType,
    argument: ArgumentRule,
    how: Generic,
    description: &'static str,
) -> Row<Generic> {
    Row { name, kind, list: false, argument, how, description }
}

const NONE: ArgumentRule = ArgumentRule::None;

#[rustfmt::skip]
pub(crate) const ROWS: &[Row<Generic>] = &[
    row("evt.num", FieldType::Unsigned, NONE, Generic::Number, "number of the event, from 1"),
    row("evt.time", FieldType::Text, NONE, Generic::Time(TimeStyle::Clock), "time of day with nanoseconds"),
    row("evt.time.s", FieldType::Text, NONE, Generic::Time(TimeStyle::ClockSeconds), "time of day"),
    row("evt.time.iso8601", FieldType::Text, NONE, Generic::Time(TimeStyle::Iso8601), "date and time as ISO 8601"),
    row("evt.datetime", FieldType::Text, NONE, Generic::Time(TimeStyle::DateAndTime), "date and time"),
    row("evt.rawtime", FieldType::Time, NONE, Generic::Time(TimeStyle::Number), "nanoseconds since 1970"),
    row("evt.rawtime.s", FieldType::Time, NONE, Generic::Seconds, "seconds since 1970"),
    row("evt.rawtime.ns", FieldType::Time, NONE, Generic::Nanoseconds, "fraction of the second, in nanoseconds"),
    row("evt.reltime", FieldType::Duration, NONE, Generic::Since, "nanoseconds since the first event"),
    row("evt.reltime.s", FieldType::Duration, NONE, Generic::SinceSeconds, "seconds since the first event"),
    row("evt.reltime.ns", FieldType::Duration, NONE, Generic::SinceNanoseconds, "fraction of that second"),
    row("evt.type", FieldType::Text, NONE, Generic::TypeName, "`pluginevent` for every audit record"),
    row("evt.source", FieldType::Text, NONE, Generic::Source, "name of the event's source"),
    row("evt.is_async", FieldType::Boolean, NONE, Generic::IsAsynchronous, "false for every audit record"),
    row("evt.pluginname", FieldType::Text, NONE, Generic::PluginName, "name of Falco's plugin for the source"),
    row("evt.plugininfo", FieldType::Text, NONE, Generic::Information, "summary of the event"),
    row("json.value", FieldType::Text, ArgumentRule::RequiredKey, Generic::Pointer, "what a JSON pointer leads to, as in json.value[/a/b/0]"),
    row("json.obj", FieldType::Text, NONE, Generic::Object, "the whole record"),
    row("json.rawtime", FieldType::Text, NONE, Generic::RawTime, "nanoseconds since 1970, as text"),
    row("jevt.value", FieldType::Text, ArgumentRule::RequiredKey, Generic::Pointer, "as json.value"),
    row("jevt.obj", FieldType::Text, NONE, Generic::Object, "as json.obj"),
    row("jevt.rawtime", FieldType::Text, NONE, Generic::RawTime, "as json.rawtime"),
];

pub(crate) fn extract<'e>(
    event: &'e AuditEvent<'_>,
    how: Generic,
    field: &Field,
    plugin: &'static str,
    information: impl FnOnce() -> String,
) -> Option<FieldValue<'e>> {
    let since = event.time.saturating_sub(event.first_time);
    Some(match how {
        Generic::Number => FieldValue::Unsigned(event.number),
        Generic::Time(style) => FieldValue::Time { nanoseconds: event.time, style },
        Generic::Seconds => FieldValue::Unsigned(event.time / SECOND),
        Generic::Nanoseconds => FieldValue::Unsigned(event.time % SECOND),
        Generic::Since => FieldValue::Unsigned(since),
        Generic::SinceSeconds => FieldValue::Unsigned(since / SECOND),
        Generic::SinceNanoseconds => FieldValue::Unsigned(since % SECOND),
        Generic::Source => FieldValue::text(event.source.name()),
        Generic::IsAsynchronous => FieldValue::Boolean(false),
        Generic::TypeName => FieldValue::text("pluginevent"),
        Generic::PluginName => FieldValue::text(plugin),
        Generic::Information => FieldValue::owned_text(information()),
        Generic::Pointer => match field.argument.key().unwrap_or_default() {
            "" => FieldValue::text(event.text),
            pointer => values::text(values::point(&event.root, pointer)?),
        },
        Generic::Object => FieldValue::text(event.text),
        Generic::RawTime => FieldValue::owned_text(event.time.to_string()),
    })
}
