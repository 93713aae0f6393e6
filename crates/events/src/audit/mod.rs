//! What all audit logs have in common: JSON records, streamed one by one, and the fields that every record has.
//!
//! A log is lines, one document or many; records may stand alone, in a list under `items` (Kubernetes' `EventList`) or
//! under `Records` (CloudTrail). [`Records`] finds them in a stream without holding more than one, [`AuditEvent`] is one
//! that was parsed. What a record's own fields mean is for [`crate::kubernetes_audit`] and [`crate::cloudtrail`].

mod catalogue;
mod generic;
mod records;
mod values;

use yagura_formats::document::{Node, json};
use yagura_model::SkipReason;

pub use records::{MAX_RECORD, Record, Records};

pub(crate) use catalogue::{Catalogue, Row};
pub(crate) use values::{collect, follow, text, written};

/// Where a record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditSource {
    Kubernetes,
    CloudTrail,
}

/// One record.
#[derive(Debug)]
pub struct AuditEvent<'a> {
    pub source: AuditSource,
    /// From 1, in the order of reading.
    pub number: u64,
    /// Nanoseconds since 1970, UTC; 0 when the record does not say.
    pub time: u64,
    /// When the first record happened.
    pub first_time: u64,
    pub(crate) text: &'a str,
    pub(crate) root: Node<'a>,
}

impl<'a> AuditEvent<'a> {
    /// Parses a record. What is JSON but no audit record of a kind we know is an error that says so.
    pub fn parse(record: &'a str) -> Result<Self, (SkipReason, String)> {
        let tree = json::parse(record, json::Dialect::Json);
        let Some(root) = tree.documents.into_iter().next() else {
            let problem = tree.problems.into_iter().next();
            let problem = problem.map(|problem| (problem.reason, problem.detail)).unwrap_or_default();
            return Err((problem.0.unwrap_or(SkipReason::Malformed), problem.1));
        };
        let Some((source, time)) = recognise(&root) else {
            let reason =
                "neither a Kubernetes audit event (no `auditID`) nor a CloudTrail record (no `eventName`)";
            return Err((SkipReason::Unsupported, reason.to_owned()));
        };
        Ok(Self { source, number: 1, time, first_time: time, text: record, root })
    }

    /// The whole record.
    pub fn root(&self) -> &Node<'a> {
        &self.root
    }
}

impl AuditSource {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "k8s_audit",
            Self::CloudTrail => "aws_cloudtrail",
        }
    }
}

fn recognise(root: &Node<'_>) -> Option<(AuditSource, u64)> {
    let (source, keys) = if root.get("auditID").is_some() {
        (AuditSource::Kubernetes, &["stageTimestamp", "requestReceivedTimestamp", "timestamp"][..])
    } else if root.get("eventName").is_some() && root.get("eventSource").is_some() {
        (AuditSource::CloudTrail, &["eventTime"][..])
    } else {
        return None;
    };
    let time = keys.iter().find_map(|key| nanoseconds(root.text_of(key)?));
    Some((source, time.unwrap_or(0)))
}

/// RFC 3339.
fn nanoseconds(text: &str) -> Option<u64> {
    let timestamp: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(timestamp.as_nanosecond()).ok()
}
