//! Values of fields.

use std::borrow::Cow;
use std::net::IpAddr;

/// What an event answers. Texts are bytes: a path need not be UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue<'a> {
    Boolean(bool),
    Signed(i64),
    /// Also durations and ports.
    Unsigned(u64),
    Double(f64),
    Text(Cow<'a, [u8]>),
    Bytes(Cow<'a, [u8]>),
    Address(IpAddr),
    /// A point in time: a number where numbers are compared or written as JSON, a text for people.
    Time {
        nanoseconds: u64,
        style: TimeStyle,
    },
}

/// How a point in time is written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeStyle {
    /// Nanoseconds since 1970.
    Number,
    /// Nanoseconds, with zeros before them to nine digits: the part of a second.
    Padded,
    /// `15:04:05.123456789`, UTC.
    Clock,
    /// `15:04:05`, UTC.
    ClockSeconds,
    /// `2026-01-02T15:04:05.123456789+0000`, as Falco writes it.
    Iso8601,
    /// `2026-01-02 15:04:05.123456789`, UTC.
    DateAndTime,
    /// `2026-01-02 15:04:05`, UTC.
    DateAndSeconds,
}

impl<'a> FieldValue<'a> {
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text.as_bytes()))
    }

    pub fn text_bytes(bytes: &'a [u8]) -> Self {
        Self::Text(Cow::Borrowed(bytes))
    }

    /// A text made for this one answer.
    pub fn owned_text(text: String) -> Self {
        Self::Text(Cow::Owned(text.into_bytes()))
    }

    pub fn into_owned(self) -> FieldValue<'static> {
        match self {
            Self::Boolean(value) => FieldValue::Boolean(value),
            Self::Signed(value) => FieldValue::Signed(value),
            Self::Unsigned(value) => FieldValue::Unsigned(value),
            Self::Double(value) => FieldValue::Double(value),
            Self::Text(text) => FieldValue::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => FieldValue::Bytes(Cow::Owned(bytes.into_owned())),
            Self::Address(address) => FieldValue::Address(address),
            Self::Time { nanoseconds, style } => FieldValue::Time { nanoseconds, style },
        }
    }
}
