//! Who takes a role: other roles, machines, functions, tasks, and service accounts of clusters.

use yagura_configuration::Resource;
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::super::super::{any_node, namespaced};
use super::super::{Resources, label, node};
use super::identities::{Identities, Identity};
use super::{fact, is_arn_of, place};
use crate::iam::{Context, Layers, Policy, Principal, Request, Truth, Verdict, evaluate};

/// Chains: both the one who asks and the role's trust must allow.
pub(super) fn assumed_by_roles(aws: &Resources<'_>, identities: &Identities<'_>, builder: &mut Builder) {
    for who in &identities.all {
        for other in identities.all.iter().filter(|other| other.resource.kind == "aws/iam-role") {
            if std::ptr::eq(who, other) {
                continue;
            }
            let (Some(from), Some(to), Some(arn)) = (who.node, other.node, Some(&other.principal.arn)) else {
                continue;
            };
            let verdict = identities.may_with_consent(who, "sts:AssumeRole", arn, &other.trust);
            let words = format!(
                "{} may take role {} and is trusted by it",
                label(who.resource),
                label(other.resource)
            );
            if let Some(fact) = fact(&verdict, words) {
                builder.edge(from, EdgeKind::Becomes, to, &fact, place(&verdict));
            }
        }
    }
    for other in identities.all.iter().filter(|other| other.resource.kind == "aws/iam-role") {
        everybody(aws, other, builder);
    }
}

/// A role that trusts any account lets everybody in who has one.
fn everybody(_: &Resources<'_>, role: &Identity<'_>, builder: &mut Builder) {
    let stranger = Principal {
        arn: "arn:aws:iam::000000000000:user/anybody".into(),
        account: "000000000000".into(),
        ..Principal::default()
    };
    let context = Context::default()
        .with("aws:PrincipalOrgID", &["o-stranger"])
        .with("aws:PrincipalAccount", &["000000000000"]);
    let verdict = trusted(&role.trust, "sts:AssumeRole", &stranger, &context);
    let (Some(to), Some(fact)) =
        (role.node, fact(&verdict, format!("role {} trusts every account", label(role.resource))))
    else {
        return;
    };
    let (kind, key) = super::super::super::INTERNET;
    let internet = builder.node(kind, key, "");
    builder.edge(internet, EdgeKind::Becomes, to, &fact, place(&verdict));
}

/// Whether a trust policy by itself lets somebody in.
pub(super) fn trusted(trust: &Policy, action: &str, who: &Principal, context: &Context) -> Verdict {
    let request = Request { action, resource: "*", principal: who, context };
    evaluate(&Layers { resource: Some(trust), ..Layers::default() }, &request)
}

/// Whether a role that was read lets a service account of a cluster in, and why; none where it was not read.
pub(in super::super) fn web_identity(
    aws: &Resources<'_>,
    namespace: &str,
    name: &str,
    arn: &str,
) -> Option<(Truth, String, String)> {
    let role = aws.of("aws/iam-role").find(|role| is_arn_of(arn, label(role)))?;
    let trust = aws.policy(role.node.get("trust")?);
    let subject = format!("system:serviceaccount:{namespace}:{name}");
    let mut context = Context::default();
    // Each issuer has keys of its own; which one is the cluster's is not said anywhere.
    let keys =
        trust.statements.iter().flat_map(|statement| &statement.conditions).map(|condition| &condition.key);
    for key in keys {
        let lower = key.to_ascii_lowercase();
        if lower.ends_with(":sub") {
            context = context.with(key, &[&subject]);
        } else if lower.ends_with(":aud") {
            context = context.with(key, &["sts.amazonaws.com"]);
        }
    }
    let providers = trust.statements.iter().flat_map(|statement| &statement.principals);
    let provider =
        providers.filter(|named| named.kind == "Federated").map(|named| named.id.text.as_str()).next();
    let federation = provider.filter(|text| !text.is_empty()).unwrap_or("?").to_owned();
    let who = Principal { federation, ..Principal::default() };
    let verdict = trusted(&trust, "sts:AssumeRoleWithWebIdentity", &who, &context);
    let words = match verdict.allowed {
        Truth::No => format!("the trust policy of role {} does not let {subject} in", label(role)),
        _ => fact(&verdict, format!("the trust policy of role {} lets {subject} in", label(role)))?,
    };
    let read_at = place(&verdict).to_owned();
    Some((verdict.allowed, words, read_at))
}

/// Machines by their profile, functions, tasks, nodes of a cluster, and EKS Pod Identity.
pub(super) fn assumed_by_machines(aws: &Resources<'_>, identities: &Identities<'_>, builder: &mut Builder) {
    let acts = |from: NodeId,
                link: &str,
                service: &str,
                what: String,
                at: String,
                builder: &mut Builder,
                kind: EdgeKind| {
        let Some(role) = aws.linked(link).filter(|role| role.kind == "aws/iam-role") else { return };
        let Some(identity) = identities.all.iter().find(|one| std::ptr::eq(one.resource, role)) else {
            return;
        };
        let who = Principal { service: service.to_owned(), ..Principal::default() };
        // The service takes it for the account's own: what it says of its source is so.
        let verdict = trusted(&identity.trust, "sts:AssumeRole", &who, &Context::default());
        if let (Some(to), Some(fact)) = (identity.node, fact(&verdict, what)) {
            builder.edge(from, kind, to, &fact, &at);
        }
    };
    for instance in aws.of("aws/instance") {
        let profile = instance.node.text_of("instanceProfile").and_then(|link| profile(aws, link));
        let Some(role) = profile.and_then(|profile| profile.node.text_of("role")) else { continue };
        let from = node(builder, NodeKind::Instance, instance);
        let what = format!("instance {} has the role of its profile", label(instance));
        acts(from, role, "ec2.amazonaws.com", what, aws.place(&instance.node), builder, EdgeKind::ActsAs);
    }
    for function in aws.of("aws/lambda-function") {
        let Some(role) = function.node.text_of("role") else { continue };
        let from = node(builder, NodeKind::Function, function);
        let what = format!("function {} has its role", label(function));
        acts(from, role, "lambda.amazonaws.com", what, aws.place(&function.node), builder, EdgeKind::ActsAs);
    }
    for service in aws.of("aws/ecs-service") {
        let task = service.node.text_of("task").and_then(|link| aws.linked(link));
        let Some(role) = task.and_then(|task| task.node.text_of("taskRole")) else { continue };
        let from = builder.node(NodeKind::Workload, &service.name, "");
        let what = format!("tasks of {} have their role", label(service));
        acts(
            from,
            role,
            "ecs-tasks.amazonaws.com",
            what,
            aws.place(&service.node),
            builder,
            EdgeKind::ActsAs,
        );
    }
    for group in aws.of("aws/eks-node-group") {
        let Some(role) = group.node.text_of("role") else { continue };
        let from = any_node(builder);
        let what = format!("nodes of {} have their role", label(group));
        acts(from, role, "ec2.amazonaws.com", what, aws.place(&group.node), builder, EdgeKind::ActsAs);
    }
    for association in aws.of("aws/eks-pod-identity") {
        let text = |key: &str| association.node.text_of(key);
        let (Some(namespace), Some(name), Some(role)) =
            (text("namespace"), text("serviceAccount"), text("role"))
        else {
            continue;
        };
        let key = namespaced(namespace, name);
        let from = builder.node(NodeKind::ServiceAccount, &key, &format!("service account {key}"));
        let what = format!("service account {key} has a role by EKS Pod Identity");
        acts(
            from,
            role,
            "pods.eks.amazonaws.com",
            what,
            aws.place(&association.node),
            builder,
            EdgeKind::Becomes,
        );
    }
}

fn profile<'a>(aws: &Resources<'a>, link: &str) -> Option<&'a Resource<'static>> {
    aws.linked(link).or_else(|| aws.of("aws/instance-profile").find(|profile| label(profile) == link))
}
