//! Who may read data: by their own policies and by the data's.

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, EdgeKind, NodeKind};

use super::super::super::INTERNET;
use super::super::{Resources, label, node};
use super::identities::{Identities, Identity};
use super::{fact, place};
use crate::iam::{Context, Layers, Policy, Principal, Request, Verdict, evaluate};

/// A kind of resource that holds data, and the actions that read it.
struct Data {
    kind: &'static str,
    node: NodeKind,
    actions: &'static [&'static str],
}

const DATA: [Data; 10] = [
    Data { kind: "aws/s3-bucket", node: NodeKind::Bucket, actions: &["s3:GetObject"] },
    Data {
        kind: "aws/dynamodb-table",
        node: NodeKind::Database,
        actions: &["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem"],
    },
    Data {
        kind: "aws/rds-instance",
        node: NodeKind::Database,
        actions: &["rds-data:ExecuteStatement", "rds-db:connect"],
    },
    Data {
        kind: "aws/redshift-cluster",
        node: NodeKind::Database,
        actions: &["redshift:GetClusterCredentials"],
    },
    Data { kind: "aws/secret", node: NodeKind::Secret, actions: &["secretsmanager:GetSecretValue"] },
    Data {
        kind: "aws/ssm-parameter",
        node: NodeKind::Secret,
        actions: &["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
    },
    Data { kind: "aws/kms-key", node: NodeKind::Key, actions: &["kms:Decrypt"] },
    Data { kind: "aws/sqs-queue", node: NodeKind::Database, actions: &["sqs:ReceiveMessage"] },
    Data { kind: "aws/sns-topic", node: NodeKind::Database, actions: &["sns:Subscribe"] },
    Data { kind: "aws/ecr-repository", node: NodeKind::Registry, actions: &["ecr:BatchGetImage"] },
];

/// Objects of a bucket that are tried, one identity.
const MAX_OBJECTS: usize = 16;

pub(super) fn nodes(aws: &Resources<'_>, builder: &mut Builder) {
    for data in &DATA {
        for resource in aws.of(data.kind) {
            node(builder, data.node, resource);
        }
    }
}

pub(super) fn edges(aws: &Resources<'_>, identities: &Identities<'_>, builder: &mut Builder) {
    for data in &DATA {
        for resource in aws.of(data.kind) {
            let Some(arn) = aws.arn(resource) else { continue };
            let policy = policy_of(aws, resource);
            let to = node(builder, data.node, resource);
            for who in &identities.all {
                let Some(from) = who.node else { continue };
                let best = best(identities, who, data, &arn, policy.as_ref());
                let Some((action, verdict)) = best else { continue };
                let words = format!("{} may read {} ({action})", label(who.resource), label(resource));
                if let Some(fact) = fact(&verdict, words) {
                    builder.edge(from, EdgeKind::Reads, to, &fact, place(&verdict));
                }
            }
        }
    }
}

fn policy_of(aws: &Resources<'_>, resource: &Resource<'static>) -> Option<Policy> {
    let policy = resource.node.get("policy").filter(|policy| !policy.is_null())?;
    Some(aws.policy(policy))
}

/// The surest of the actions that read.
fn best(
    identities: &Identities<'_>,
    who: &Identity<'_>,
    data: &Data,
    arn: &str,
    policy: Option<&Policy>,
) -> Option<(&'static str, Verdict)> {
    let mut best: Option<(&'static str, Verdict)> = None;
    for action in data.actions {
        for resource in things(who, data, arn) {
            // A key whose policy was read opens by it alone; one without has the default, which trusts the account.
            let verdict = match policy.filter(|_| data.kind == "aws/kms-key") {
                Some(policy) => identities.may_with_consent(who, action, &resource, policy),
                None => identities.may(who, action, &resource, policy),
            };
            if best.as_ref().is_none_or(|(_, known)| verdict.allowed > known.allowed) {
                best = Some((action, verdict));
            }
        }
    }
    best
}

/// What of it is asked about: some object of a bucket, of those that policies speak of; a secret with the end of its ARN.
fn things(who: &Identity<'_>, data: &Data, arn: &str) -> Vec<String> {
    match data.kind {
        "aws/s3-bucket" => {
            let inside = format!("{arn}/");
            let named = Identities::named_by(who, &inside).take(MAX_OBJECTS);
            let named = named.map(|text| text.replace(['*', '?'], "x"));
            named.chain([format!("{inside}x")]).collect()
        }
        "aws/secret" => vec![format!("{arn}-xxxxxx")],
        "aws/rds-instance" => {
            vec![arn.to_owned(), arn.replacen(":rds:", ":rds-db:", 1).replacen(":db:", ":dbuser:", 1) + "/x"]
        }
        _ => vec![arn.to_owned()],
    }
}

/// What everybody may read, by its policy or its access list, unless access is blocked.
pub(super) fn public(aws: &Resources<'_>, _: &Identities<'_>, builder: &mut Builder) {
    let internet = builder.node(INTERNET.0, INTERNET.1, "");
    let anybody = Principal {
        arn: "arn:aws:iam::000000000000:user/anybody".into(),
        account: "000000000000".into(),
        ..Principal::default()
    };
    // A stranger belongs to no organisation and comes from no network of ours.
    let context = Context::default()
        .with("aws:SecureTransport", &["true"])
        .with("aws:PrincipalOrgID", &["o-stranger"])
        .with("aws:PrincipalAccount", &["000000000000"])
        .with("aws:SourceVpce", &[])
        .with("aws:SourceVpc", &[])
        .with("aws:SourceArn", &[])
        .with("aws:SourceAccount", &[])
        .with("aws:PrincipalArn", &[&anybody.arn]);
    for data in &DATA {
        for resource in aws.of(data.kind) {
            let Some(arn) = aws.arn(resource) else { continue };
            let blocked =
                |key: &str| resource.node.at(&["publicAccess", key]).and_then(Node::boolean) == Some(true);
            let to = node(builder, data.node, resource);
            if let Some(policy) =
                policy_of(aws, resource).filter(|_| !blocked("restrict") && !blocked("blockPolicy"))
            {
                let thing = match data.kind {
                    "aws/s3-bucket" => format!("{arn}/x"),
                    "aws/secret" => format!("{arn}-xxxxxx"),
                    _ => arn,
                };
                let verdicts = data.actions.iter().map(|action| {
                    let request =
                        Request { action, resource: &thing, principal: &anybody, context: &context };
                    evaluate(&Layers { resource: Some(&policy), ..Layers::default() }, &request)
                });
                let best = verdicts.max_by_key(|verdict| verdict.allowed);
                let words = format!("the policy of {} lets everybody read it", label(resource));
                if let Some((verdict, fact)) =
                    best.and_then(|verdict| fact(&verdict, words).map(|fact| (verdict, fact)))
                {
                    builder.edge(internet, EdgeKind::Reads, to, &fact, place(&verdict));
                    continue;
                }
            }
            let by_list = matches!(resource.node.text_of("acl"), Some("public-read" | "public-read-write"));
            if by_list && !blocked("ignoreAcls") && !blocked("blockAcls") {
                let fact = format!("the access list of bucket {} lets everybody read it", label(resource));
                builder.edge(internet, EdgeKind::Reads, to, &fact, &aws.place(&resource.node));
            }
        }
    }
}
