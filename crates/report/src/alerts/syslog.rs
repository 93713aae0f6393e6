//! A text as a syslog message, RFC 5424 or the older RFC 3164.

use yagura_model::alert::Alert;

use super::values;

/// Which standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rfc {
    /// What `/dev/log` takes.
    Rfc3164,
    Rfc5424,
}

/// Where a message belongs, as syslog numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(pub u8);

impl Facility {
    /// Daemons without a facility of their own.
    pub const DAEMON: Self = Self(3);
}

/// Longest host name of RFC 5424.
const MAX_HOSTNAME: usize = 255;

/// The message that carries `body`, an alert in some form, on one line.
pub fn message(alert: &Alert, body: &str, rfc: Rfc, facility: Facility, process: u32) -> String {
    let priority = u32::from(facility.0) * 8 + u32::from(alert.priority.number());
    let hostname: String = alert.hostname.chars().filter(char::is_ascii_graphic).take(MAX_HOSTNAME).collect();
    let hostname = if hostname.is_empty() { "-" } else { &hostname };
    match rfc {
        Rfc::Rfc3164 => {
            let time = values::time(alert.time, "%b %e %H:%M:%S");
            format!("<{priority}>{time} {hostname} yagura[{process}]: {body}")
        }
        Rfc::Rfc5424 => {
            let time = values::time(alert.time, "%Y-%m-%dT%H:%M:%S.%6fZ");
            format!("<{priority}>1 {time} {hostname} yagura {process} alert - {body}")
        }
    }
}
