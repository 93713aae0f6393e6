//! Values of fields as JSON, and times as text.

use jiff::Timestamp;
use serde_json::Value;
use yagura_model::alert::AlertValue;
use yagura_model::field::FieldValue;

/// As Falco has them: what is missing is null, a list an array, a time a number.
pub(super) fn json(value: &AlertValue) -> Value {
    match value {
        AlertValue::Missing => Value::Null,
        AlertValue::One(value) => one(value),
        AlertValue::List(values) => values.iter().map(one).collect(),
    }
}

fn one(value: &FieldValue<'_>) -> Value {
    match value {
        FieldValue::Boolean(value) => (*value).into(),
        FieldValue::Signed(value) => (*value).into(),
        FieldValue::Unsigned(value) => (*value).into(),
        FieldValue::Double(value) => (*value).into(),
        FieldValue::Text(text) => String::from_utf8_lossy(text).into(),
        FieldValue::Bytes(bytes) => {
            let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { *byte as char } else { '.' };
            bytes.iter().map(shown).collect::<String>().into()
        }
        FieldValue::Address(address) => address.to_string().into(),
        FieldValue::Time { nanoseconds, .. } => (*nanoseconds).into(),
    }
}

/// A value that another schema wants as text; none when it is missing or empty.
pub(super) fn text(value: Option<&AlertValue>) -> Option<String> {
    let text = match json(value?) {
        Value::Null => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    (!text.is_empty() && text != "<NA>").then_some(text)
}

/// In UTC, by a format of strftime; nothing beyond the years that have one.
pub(super) fn time(nanoseconds: u64, format: &str) -> String {
    Timestamp::from_nanosecond(nanoseconds.into())
        .map(|timestamp| timestamp.strftime(format).to_string())
        .unwrap_or_default()
}
