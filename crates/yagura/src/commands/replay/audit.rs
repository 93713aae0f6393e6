//! Audit logs: records in, events out.

use std::io::Read;

use anyhow::{Context, Result};
use yagura_events::audit::{AuditEvent, AuditSource, Record, Records};
use yagura_events::cloudtrail::CloudTrailEvent;
use yagura_events::kubernetes_audit::KubernetesAuditEvent;
use yagura_model::SkipReason;
use yagura_model::field::Fields;

use super::Work;
use crate::progress::complain;

/// Complaints of one log; the rest is counted.
const MAX_COMPLAINTS: u64 = 5;

pub fn read(name: &str, stream: Box<dyn Read + Send>, work: &mut Work) -> Result<()> {
    let mut records = Records::open(stream).context("opening the log")?;
    let mut skipped = 0;
    while let Some(record) = records.next_record()? {
        let problem = match record {
            Record::Skipped { reason, line, detail } => Some((reason, format!("line {line}: {detail}"))),
            Record::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => self::record(text, work)?,
                Err(_) => self::record(&String::from_utf8_lossy(bytes), work)?,
            },
        };
        if let Some((_, detail)) = problem {
            skipped += 1;
            work.summary.skipped += 1;
            if skipped <= MAX_COMPLAINTS && !work.quiet {
                complain(&format!("warning: {name}: a record was passed over: {detail}"));
            }
        }
    }
    if skipped > MAX_COMPLAINTS && !work.quiet {
        complain(&format!("warning: {name}: {skipped} records were passed over in all"));
    }
    Ok(())
}

/// One record; what it lacks to be an event.
fn record(text: &str, work: &mut Work) -> Result<Option<(SkipReason, String)>> {
    let mut event = match AuditEvent::parse(text) {
        Ok(event) => event,
        Err(problem) => return Ok(Some(problem)),
    };
    event.number = work.summary.next_number();
    event.first_time = work.summary.first_time(event.time);
    match event.source {
        AuditSource::Kubernetes => handle("k8s_audit", &KubernetesAuditEvent(&event), work)?,
        AuditSource::CloudTrail => handle("aws_cloudtrail", &CloudTrailEvent(&event), work)?,
    }
    Ok(None)
}

/// Filters, prints, judges and counts an event.
pub fn handle<E: Fields + ?Sized>(source: &'static str, event: &E, work: &mut Work) -> Result<()> {
    if !work.printer.heeds(source, event)? {
        return Ok(());
    }
    work.printer.print(source, event)?;
    let mut alerts = 0;
    if let Some(session) = &mut work.session
        && let Some(id) = session.source(source)
    {
        alerts = session.judge(id, event)?;
    }
    work.summary.count(source, event, alerts);
    Ok(())
}
