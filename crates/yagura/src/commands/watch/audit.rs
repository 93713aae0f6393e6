//! Kubernetes audit events as the API server's webhook posts them.

use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use yagura_collect::receive::{Bodies, Receiver};
use yagura_events::audit::{AuditEvent, AuditSource, Record, Records};
use yagura_events::cloudtrail::CloudTrailEvent;
use yagura_events::kubernetes_audit::KubernetesAuditEvent;

use crate::arguments::threats::Watch;
use crate::progress::complain;
use crate::threats::Session;

/// How often a run without posts looks whether it is over.
const PATIENCE: Duration = Duration::from_millis(200);
/// Posts judged at one look, between looks at the sensor.
const MAX_AT_ONCE: usize = 64;

/// What was posted and not judged yet.
pub struct Listener {
    bodies: Bodies,
    /// Events judged so far.
    pub number: u64,
}

impl Listener {
    /// Listens where the arguments say; nothing when they say nothing.
    pub fn start(arguments: &Watch, quiet: bool) -> Result<Option<Self>> {
        let Some(address) = &arguments.k8s_audit_listen else { return Ok(None) };
        let certificate = arguments
            .k8s_audit_cert
            .as_deref()
            .map(|certificate| (certificate, arguments.k8s_audit_key.as_deref().unwrap_or(certificate)));
        let receiver = Receiver::bind(address, &arguments.k8s_audit_path, certificate)?;
        let listening = receiver.address().context("asking for the address")?;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        if !quiet {
            complain(&format!("listening on {scheme}://{listening}{}", arguments.k8s_audit_path));
        }
        Ok(Some(Self { bodies: receiver.start(), number: 0 }))
    }

    /// Waits a moment for a post, and judges it.
    pub fn wait(&mut self, session: &mut Session) -> Result<()> {
        match self.bodies.recv_timeout(PATIENCE) {
            Ok(body) => self.judge(&body, session),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => bail!("the listener has ended"),
        }
    }

    /// Judges what was posted in the meantime.
    pub fn look(&mut self, session: &mut Session) -> Result<()> {
        for _ in 0..MAX_AT_ONCE {
            match self.bodies.try_recv() {
                Ok(body) => self.judge(&body, session)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => bail!("the listener has ended"),
            }
        }
        Ok(())
    }

    /// The events of one post: one, or an `EventList`.
    fn judge(&mut self, body: &[u8], session: &mut Session) -> Result<()> {
        let mut records = Records::new(body);
        while let Some(record) = records.next_record()? {
            let problem = match record {
                Record::Skipped { detail, .. } => Some(detail.to_owned()),
                Record::Text(bytes) => match AuditEvent::parse(&String::from_utf8_lossy(bytes)) {
                    Err((_, detail)) => Some(detail),
                    Ok(mut event) => {
                        self.number += 1;
                        event.number = self.number;
                        if let Some(source) = session.source(event.source.name()) {
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
}
