//! IAM: what roles and users may do to the account, to data and to each other; who acts as them.
//!
//! Verdicts are those of [`crate::iam`]. What hangs on a condition that nothing decides is an edge whose fact says so:
//! unknown is not no.

mod data;
mod escalation;
mod identities;
mod trust;

use yagura_configuration::Resource;
use yagura_model::graph::{Builder, NodeId, NodeKind};

use super::super::Sources;
use super::{Resources, label};
use crate::iam::{Truth, Verdict};
pub use escalation::{Escalation, Gives, Need, Subject, escalations};
use identities::Identities;
pub(super) use trust::web_identity;

pub(super) fn add(
    aws: &Resources<'_>,
    sources: &Sources<'_>,
    builder: &mut Builder,
    notices: &mut Vec<String>,
) {
    let account = builder.node(NodeKind::CloudAccount, "aws", "the AWS account");
    let mut identities = Identities::of(aws, sources);
    for one in &mut identities.all {
        one.node = Some(identity_node(sources, one.resource, builder));
    }
    data::nodes(aws, builder);
    escalation::edges(aws, &identities, account, builder, notices);
    data::edges(aws, &identities, builder);
    trust::assumed_by_roles(aws, &identities, builder);
    trust::assumed_by_machines(aws, &identities, builder);
    data::public(aws, &identities, builder);
    notices.append(&mut identities.notices);
}

/// The node of a role: the ARN under which a service account names it, where one does.
fn identity_node(sources: &Sources<'_>, role: &Resource<'_>, builder: &mut Builder) -> NodeId {
    let name = label(role);
    let identities = sources.cluster.service_accounts.iter().flat_map(|account| &account.cloud_identities);
    let named = identities.map(|(_, arn)| arn.as_str()).find(|arn| is_arn_of(arn, name));
    if role.kind == "aws/iam-user" {
        return builder.node(NodeKind::Identity, &role.name, &format!("user {name}"));
    }
    builder.node(NodeKind::Role, named.unwrap_or(&role.name), &format!("role {name}"))
}

fn is_arn_of(arn: &str, role: &str) -> bool {
    arn.starts_with("arn:aws") && arn.contains(":role/") && arn.rsplit('/').next() == Some(role)
}

/// The fact with what it hangs on; none where it is not so.
fn fact(verdict: &Verdict, fact: String) -> Option<String> {
    match verdict.allowed {
        Truth::No => None,
        Truth::Yes => Some(fact),
        Truth::Unknown => {
            let conditions: Vec<&str> = verdict.hangs_on.iter().take(3).map(String::as_str).collect();
            Some(format!("{fact}, if {}: not known", conditions.join("; ")))
        }
    }
}

fn place(verdict: &Verdict) -> &str {
    verdict.by.iter().find(|place| !place.is_empty()).map(String::as_str).unwrap_or_default()
}
