//! A record in one line.

use std::fmt::Write as _;

use yagura_formats::document::Node;
use yagura_model::field::FieldValue;

use super::{fields, identity, is_read_only, present};

/// Who, from where, what: `alice via 192.0.2.1 → PutObject Bucket=logs`.
pub(super) fn of(root: &Node<'_>) -> String {
    let Some(user) = identity::user(root).map(shown) else {
        return "<invalid cloudtrail event: userIdentity field missing>".to_owned();
    };
    let Some(address) = root.text_of("sourceIPAddress") else {
        return "<invalid cloudtrail event: sourceIPAddress field missing>".to_owned();
    };
    let name = root.text_of("eventName").unwrap_or_default();
    let failed = if present(root, &["errorCode"]).is_some() { "!" } else { "" };
    let direction = if is_read_only(root) == Some(false) { '→' } else { '←' };
    let via = if user == address { String::new() } else { format!(" via {address}") };
    let mut line = format!("{user}{via} {failed}{direction} {name}");
    if let Some(bytes) = fields::bytes(root, true, true) {
        let _ = write!(line, " Size={bytes}");
    }
    let parameter = |key: &str| present(root, &["requestParameters", key]).and_then(Node::scalar);
    let _ = match (parameter("bucketName"), parameter("key"), parameter("Host")) {
        (Some(bucket), Some(key), _) => write!(line, " URI=s3://{bucket}/{key}"),
        (Some(bucket), None, _) => write!(line, " Bucket={bucket}"),
        (None, Some(key), _) => write!(line, " Key={key}"),
        (None, None, Some(host)) => write!(line, " Host={host}"),
        (None, None, None) => Ok(()),
    };
    line
}

/// The same with region and service before it.
pub(super) fn with_place(root: &Node<'_>) -> String {
    let region = root.text_of("awsRegion").unwrap_or_default();
    let service = root.text_of("eventSource").unwrap_or_default();
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let name = root.text_of("eventName").unwrap_or_default();
    let user = identity::user(root).map(|user| format!(" {}", shown(user))).unwrap_or_default();
    format!("{region}{user} {service} {name} {}", of(root))
}

fn shown(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::Text(text) => String::from_utf8_lossy(&text).into_owned(),
        _ => String::new(),
    }
}
