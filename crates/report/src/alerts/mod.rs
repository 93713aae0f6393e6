//! Alerts as text, one form a file: Falco's line and JSON, OCSF, OpenTelemetry, syslog.

mod falco;
mod ocsf;
mod otel;
mod syslog;
mod values;

use yagura_model::alert::Alert;

pub use syslog::{Facility, Rfc, message as syslog};

/// A form of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertFormat {
    /// Falco's line: `15:04:05.123456789: Warning …`.
    Text,
    /// Falco's JSON, which its consumers read.
    Json,
    /// An OCSF 1.x Detection Finding (class 2004).
    Ocsf,
    /// An OTLP/HTTP logs request (JSON).
    OpenTelemetry,
}

/// What a form may be told.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlertOptions {
    /// Date and time in text as ISO 8601 instead of the time of day.
    pub iso_time: bool,
    /// Falco's JSON also has `message`, which is `output` without time and priority.
    pub message: bool,
}

impl AlertFormat {
    pub const ALL: [Self; 4] = [Self::Text, Self::Json, Self::Ocsf, Self::OpenTelemetry];

    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Ocsf => "ocsf",
            Self::OpenTelemetry => "otel",
        }
    }

    /// Of what is sent by HTTP.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Json | Self::Ocsf | Self::OpenTelemetry => "application/json",
        }
    }

    /// One alert on one line, without its end.
    pub fn write(self, alert: &Alert, options: AlertOptions) -> String {
        match self {
            Self::Text => falco::line(alert, options),
            Self::Json => falco::json(alert, options),
            Self::Ocsf => ocsf::json(alert),
            Self::OpenTelemetry => otel::json(alert),
        }
    }
}
