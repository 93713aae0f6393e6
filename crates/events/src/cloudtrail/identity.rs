//! Who called.

use yagura_formats::document::Node;
use yagura_model::field::FieldValue;

use super::present;
use crate::audit::text;

pub(super) fn user<'n>(root: &'n Node<'_>) -> Option<FieldValue<'n>> {
    let name = |keys: &[&str]| present(root, keys).map(text);
    match present(root, &["userIdentity", "type"])?.scalar()? {
        "Root" | "IAMUser" => name(&["userIdentity", "userName"]),
        "AWSService" => name(&["userIdentity", "invokedBy"]),
        "AssumedRole" => {
            let role = name(&["userIdentity", "sessionContext", "sessionIssuer", "userName"]);
            Some(role.unwrap_or(FieldValue::text("AssumedRole")))
        }
        "AWSAccount" => Some(FieldValue::text("AWSAccount")),
        "FederatedUser" => Some(FieldValue::text("FederatedUser")),
        _ => None,
    }
}

/// The name that CloudTrail shows: of an assumed role the session's.
pub(super) fn original_user<'n>(root: &'n Node<'_>) -> Option<FieldValue<'n>> {
    if present(root, &["userIdentity", "type"]).and_then(Node::scalar) != Some("AssumedRole") {
        return present(root, &["userIdentity", "userName"]).map(text);
    }
    let part = |key: &str, separator: char, parts: usize| {
        let whole = present(root, &["userIdentity", key])?.scalar()?;
        (whole.split(separator).count() == parts).then(|| whole.rsplit(separator).next())?
    };
    let session = part("arn", '/', 3).or_else(|| part("principalId", ':', 2))?;
    Some(FieldValue::text(session))
}
