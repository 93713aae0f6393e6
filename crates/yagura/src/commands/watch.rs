//! `yagura watch`: rules over events as they happen.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use yagura_collect::receive::Receiver;
use yagura_events::audit::{AuditEvent, AuditSource, Record, Records};
use yagura_events::cloudtrail::CloudTrailEvent;
use yagura_events::kubernetes_audit::KubernetesAuditEvent;
use yagura_report::alerts::AlertFormat;

use super::Outcome;
use crate::arguments::Everywhere;
use crate::arguments::threats::Watch;
use crate::progress::complain;
use crate::threats::{self, Session, Sinks};

/// How often a run without posts looks whether it is over.
const PATIENCE: Duration = Duration::from_millis(200);

pub fn run(arguments: &Watch, everywhere: &Everywhere) -> Result<Outcome> {
    let Some(address) = &arguments.k8s_audit_listen else {
        bail!(
            "nothing to watch: the sensor of this machine is not built in yet; --k8s-audit-listen ADDRESS receives audit events"
        );
    };
    let certificate = match (&arguments.k8s_audit_cert, &arguments.k8s_audit_key) {
        (Some(certificate), key) => {
            Some((certificate.as_path(), key.as_deref().unwrap_or(certificate.as_path())))
        }
        (None, _) => None,
    };
    let sinks = Sinks::open(&arguments.alerts, Some(AlertFormat::Text), everywhere.offline)?;
    let hostname = threats::hostname(&arguments.alerts);
    let mut session =
        Session::new(threats::load(&arguments.judgement)?, &arguments.judgement, &hostname, sinks)?;
    let receiver = Receiver::bind(address, &arguments.k8s_audit_path, certificate)?;
    let listening = receiver.address().context("asking for the address")?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    if !everywhere.quiet {
        complain(&format!("listening on {scheme}://{listening}{}", arguments.k8s_audit_path));
    }
    let bodies = receiver.start();
    let mut number = 0;
    loop {
        match bodies.recv_timeout(PATIENCE) {
            Ok(body) => judge(&body, &mut session, &mut number)?,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => bail!("the listener has ended"),
        }
        if arguments.max_events.is_some_and(|most| number >= most) {
            session.finish()?;
            return Ok(Outcome::Fine);
        }
    }
}

/// The events of one post: one, or an `EventList`.
fn judge(body: &[u8], session: &mut Session, number: &mut u64) -> Result<()> {
    let mut records = Records::new(body);
    while let Some(record) = records.next_record()? {
        let problem = match record {
            Record::Skipped { detail, .. } => Some(detail.to_owned()),
            Record::Text(bytes) => match AuditEvent::parse(&String::from_utf8_lossy(bytes)) {
                Err((_, detail)) => Some(detail),
                Ok(mut event) => {
                    *number += 1;
                    event.number = *number;
                    let source = session.source(event.source.name());
                    if let Some(source) = source {
                        match event.source {
                            AuditSource::Kubernetes => {
                                session.judge(source, &KubernetesAuditEvent(&event))?
                            }
                            AuditSource::CloudTrail => session.judge(source, &CloudTrailEvent(&event))?,
                        };
                    }
                    None
                }
            },
        };
        if let Some(detail) = problem {
            complain(&format!("warning: a posted record was passed over: {detail}"));
        }
    }
    Ok(())
}
