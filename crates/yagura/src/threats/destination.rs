//! Where alerts go: standard output, files, syslog, webhooks, collectors.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use yagura_collect::deliver::{SyslogSender, SyslogServer, WebhookKey, WebhookSender};
use yagura_collect::http::HttpSettings;
use yagura_model::alert::Alert;
use yagura_report::alerts::{AlertFormat, AlertOptions, Facility, Rfc, syslog};

use crate::arguments::threats::AlertOutput;
use crate::progress::complain;

/// Largest key file.
const MAX_KEY: u64 = 64 << 10;

/// All sinks of one run. One that fails is complained of once, does not stop the others, and fails the run at its end.
pub struct Sinks {
    sinks: Vec<Sink>,
    options: AlertOptions,
}

struct Sink {
    format: AlertFormat,
    destination: Destination,
    lost: u64,
    last_error: String,
}

enum Destination {
    Output,
    File { path: PathBuf, file: File },
    Syslog { sender: SyslogSender, rfc: Rfc },
    Webhook(Box<WebhookSender>),
}

impl Sinks {
    /// `default` is what is written to when the arguments name nothing; none for nothing.
    pub fn open(arguments: &AlertOutput, default: Option<AlertFormat>, offline: bool) -> Result<Self> {
        let options = AlertOptions { iso_time: arguments.iso_time, message: arguments.json_message };
        let mut sinks = Vec::new();
        for text in &arguments.output {
            let (name, to) = match text.split_once('=') {
                Some((name, to)) => (name, Some(to)),
                None => (text.as_str(), None),
            };
            let Some(format) = AlertFormat::ALL.into_iter().find(|format| format.name() == name) else {
                let names: Vec<&str> = AlertFormat::ALL.iter().map(|format| format.name()).collect();
                bail!("`{name}` is no form of alerts; there are {}", names.join(", "));
            };
            let destination =
                destination(to, arguments, offline).with_context(|| format!("--output {text}"))?;
            sinks.push(Sink { format, destination, lost: 0, last_error: String::new() });
        }
        if let (true, Some(format)) = (sinks.is_empty(), default) {
            sinks.push(Sink { format, destination: Destination::Output, lost: 0, last_error: String::new() });
        }
        Ok(Self { sinks, options })
    }

    /// Whether any sink needs sockets.
    pub fn need_network(&self) -> bool {
        let remote =
            |sink: &Sink| matches!(sink.destination, Destination::Syslog { .. } | Destination::Webhook(_));
        self.sinks.iter().any(remote)
    }

    /// Whether standard output is written to.
    pub fn use_output(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink.destination, Destination::Output))
    }

    /// Sends an alert everywhere. Only standard output that is gone ends the run.
    pub fn send(&mut self, alert: &Alert) -> Result<()> {
        for sink in &mut self.sinks {
            let mut text = sink.format.write(alert, self.options);
            let sent = match &mut sink.destination {
                Destination::Output => {
                    text.push('\n');
                    io::stdout().lock().write_all(text.as_bytes()).context("writing alerts")?;
                    Ok(())
                }
                Destination::File { path, file } => {
                    // One write: a line is whole or not there when the process is killed.
                    text.push('\n');
                    let written = file.write_all(text.as_bytes());
                    written.map_err(|error| format!("{}: {error}", path.display()))
                }
                Destination::Syslog { sender, rfc } => {
                    let message = syslog(alert, &text, *rfc, Facility::DAEMON, std::process::id());
                    sender.send(&message).map_err(|error| error.to_string())
                }
                Destination::Webhook(sender) => sender
                    .send(sink.format.content_type(), text.into_bytes())
                    .map_err(|error| error.to_string()),
            };
            if let Err(error) = sent {
                if sink.lost == 0 {
                    complain(&format!("warning: an alert was lost: {error}"));
                }
                sink.lost += 1;
                sink.last_error = error;
            }
        }
        Ok(())
    }

    /// Fails when alerts were lost.
    pub fn finish(&mut self) -> Result<()> {
        let lost: u64 = self.sinks.iter().map(|sink| sink.lost).sum();
        match self.sinks.iter().find(|sink| sink.lost > 0) {
            Some(sink) => bail!("{lost} alerts could not be delivered, the last one: {}", sink.last_error),
            None => Ok(()),
        }
    }
}

/// The name of this machine in alerts.
pub fn hostname(arguments: &AlertOutput) -> String {
    let own = || yagura_collect::host::facts(std::path::Path::new("/")).name;
    arguments.hostname.clone().unwrap_or_else(own)
}

fn destination(to: Option<&str>, arguments: &AlertOutput, offline: bool) -> Result<Destination> {
    let Some(to) = to else { return Ok(Destination::Output) };
    if to.is_empty() {
        bail!("nothing stands behind `=`");
    }
    if to.starts_with("http://") || to.starts_with("https://") {
        if offline {
            bail!("--offline forbids to post alerts");
        }
        let settings = HttpSettings {
            ca_files: arguments.ca_cert.clone(),
            insecure: arguments.insecure,
            ..HttpSettings::default()
        };
        let key = arguments.webhook_key.as_ref().map(webhook_key).transpose()?;
        return Ok(Destination::Webhook(Box::new(WebhookSender::new(settings, to, key)?)));
    }
    let server = match to.strip_prefix("syslog") {
        Some("") => Some((SyslogServer::Local(PathBuf::from("/dev/log")), Rfc::Rfc3164)),
        Some(rest) => match rest.split_once(':') {
            Some(("+unix", path)) => Some((SyslogServer::Local(path.into()), Rfc::Rfc3164)),
            Some(("+udp", address)) => Some((SyslogServer::Udp(host_and_port(address)?), Rfc::Rfc5424)),
            Some(("+tcp", address)) => Some((SyslogServer::Tcp(host_and_port(address)?), Rfc::Rfc5424)),
            _ => None,
        },
        None => None,
    };
    if let Some((server, rfc)) = server {
        if offline && !matches!(server, SyslogServer::Local(_)) {
            bail!("--offline forbids to send alerts");
        }
        return Ok(Destination::Syslog { sender: SyslogSender::new(server), rfc });
    }
    if let Some((scheme, _)) = to.split_once("://") {
        bail!("alerts cannot go to `{scheme}:`; see --help");
    }
    let path = PathBuf::from(to);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    Ok(Destination::File { path, file })
}

fn host_and_port(text: &str) -> Result<String> {
    let address = text.trim_start_matches("//");
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match has_port {
        _ if address.is_empty() => bail!("a host is wanted, as in syslog+udp://host:514"),
        true => Ok(address.to_owned()),
        false => Ok(format!("{address}:514")),
    }
}

fn webhook_key(path: &PathBuf) -> Result<WebhookKey> {
    let size = std::fs::metadata(path).with_context(|| format!("reading {}", path.display()))?.len();
    if size > MAX_KEY {
        bail!("{} is too large for a key", path.display());
    }
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let key = bytes.trim_ascii();
    if key.is_empty() {
        bail!("{} is empty; a key of 32 random bytes is right", path.display());
    }
    Ok(WebhookKey::new(key))
}
