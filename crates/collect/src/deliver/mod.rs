//! The other direction: messages to those who wait for them. What they say is decided elsewhere.

mod syslog;
mod webhook;

pub use syslog::{SyslogSender, SyslogServer};
pub use webhook::{WebhookKey, WebhookSender};
