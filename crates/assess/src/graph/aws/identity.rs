//! IAM: what roles may do to the account, to data and to each other; who acts as them.
//!
//! An action is allowed where a statement allows it and none denies it, on resources matched as IAM matches them.
//! Conditions, boundaries and organisation policies are not evaluated: a statement with conditions counts, and a
//! notice says so.

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, EdgeKind, NodeId, NodeKind};

use super::super::{INTERNET, Sources, any_node};
use super::{Aws, label, node, texts};

/// Actions with which an identity gives itself every other one.
const GIVES_ITSELF_ALL: [&str; 8] = [
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:PutUserPolicy",
    "iam:AttachUserPolicy",
    "iam:CreatePolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:CreateAccessKey",
    "iam:AddUserToGroup",
];

/// Kinds of data, the actions that read them, and what stands before their name in an ARN.
const READS: [(&str, NodeKind, &[&str], &str); 5] = [
    ("aws/s3-bucket", NodeKind::Bucket, &["s3:GetObject"], "arn:aws:s3:::"),
    (
        "aws/dynamodb-table",
        NodeKind::Database,
        &["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query"],
        "table/",
    ),
    ("aws/secret", NodeKind::Secret, &["secretsmanager:GetSecretValue"], "secret:"),
    ("aws/ssm-parameter", NodeKind::Secret, &["ssm:GetParameter", "ssm:GetParameters"], "parameter"),
    ("aws/rds-instance", NodeKind::Database, &["rds-data:ExecuteStatement", "rds-db:connect"], "db:"),
];

/// AWS's own policies that matter here, as actions on everything.
const MANAGED: [(&str, &[&str]); 9] = [
    ("AdministratorAccess", &["*"]),
    ("IAMFullAccess", &["iam:*"]),
    (
        "PowerUserAccess",
        &["s3:*", "dynamodb:*", "secretsmanager:*", "ssm:*", "lambda:*", "ec2:*", "rds-data:*"],
    ),
    ("AmazonS3FullAccess", &["s3:*"]),
    ("AmazonS3ReadOnlyAccess", &["s3:Get*", "s3:List*"]),
    ("AmazonDynamoDBFullAccess", &["dynamodb:*"]),
    ("AmazonDynamoDBReadOnlyAccess", &["dynamodb:Get*", "dynamodb:Scan", "dynamodb:Query"]),
    ("SecretsManagerReadWrite", &["secretsmanager:*"]),
    ("AmazonSSMFullAccess", &["ssm:*"]),
];

/// What one role or user may do.
#[derive(Default)]
struct Permissions<'a> {
    statements: Vec<Statement<'a>>,
    conditional: bool,
}

struct Statement<'a> {
    allow: bool,
    actions: Vec<&'a str>,
    not_actions: Vec<&'a str>,
    resources: Vec<&'a str>,
    /// Resources that were not known, or all but some.
    some_unknown: bool,
    place: String,
}

pub(super) fn add(aws: &Aws<'_>, sources: &Sources<'_>, builder: &mut Builder, notices: &mut Vec<String>) {
    let account = builder.node(NodeKind::CloudAccount, "aws", "the AWS account");
    for kind in READS {
        for data in aws.of(kind.0) {
            node(builder, kind.1, data);
        }
    }
    let mut conditional = 0;
    for role in aws.of("aws/iam-role").chain(aws.of("aws/iam-user")) {
        let identity = role_node(sources, role, builder);
        let permissions = Permissions::of(aws, role);
        conditional += usize::from(permissions.conditional);
        edges(aws, role, identity, account, &permissions, builder);
    }
    if conditional > 0 {
        notices.push(format!(
            "{conditional} AWS roles have permissions under conditions, which are taken to hold"
        ));
    }
    assumed(aws, sources, builder);
    public_buckets(aws, builder);
}

/// The node of a role: the ARN under which a service account names it, where one does.
fn role_node(sources: &Sources<'_>, role: &Resource<'_>, builder: &mut Builder) -> NodeId {
    let name = label(role);
    let identities = sources.cluster.service_accounts.iter().flat_map(|account| &account.cloud_identities);
    let named = identities.map(|(_, arn)| arn.as_str()).find(|arn| {
        arn.starts_with("arn:aws") && arn.contains(":role/") && arn.rsplit('/').next() == Some(name)
    });
    let kind = if role.kind == "aws/iam-user" { NodeKind::Identity } else { NodeKind::Role };
    builder.node(kind, named.unwrap_or(&role.name), &format!("role {name}"))
}

impl<'a> Permissions<'a> {
    fn of(aws: &Aws<'a>, role: &'a Resource<'static>) -> Self {
        let mut all = Self::default();
        for own in role.node.get("policies").map(Node::items).unwrap_or_default() {
            if let Some(policy) = own.get("policy") {
                all.read(aws, policy);
            }
        }
        for link in role.node.get("managedPolicies").map(Node::items).unwrap_or_default() {
            let Some(text) = link.scalar() else { continue };
            if let Some(policy) = aws.linked(text).and_then(|policy| policy.node.get("policy")) {
                all.read(aws, policy);
                continue;
            }
            let known = MANAGED.iter().find(|(name, _)| text.rsplit('/').next() == Some(name));
            if let Some((_, actions)) = known {
                all.statements.push(Statement {
                    allow: true,
                    actions: actions.to_vec(),
                    not_actions: Vec::new(),
                    resources: vec!["*"],
                    some_unknown: false,
                    place: aws.place(link),
                });
            }
        }
        all
    }

    fn read(&mut self, aws: &Aws<'_>, policy: &'a Node<'static>) {
        for statement in policy.get("statements").map(Node::items).unwrap_or_default() {
            let resources = statement.get("resources");
            let unknown =
                resources.is_some_and(|list| list.is_unknown() || list.items().iter().any(Node::is_unknown));
            let conditions = statement.get("conditions").is_some_and(|list| !list.items().is_empty());
            let allow = statement.text_of("effect") == Some("Allow");
            self.conditional |= conditions && allow;
            // A denial under conditions may not hold.
            if conditions && !allow {
                continue;
            }
            let references = resources.map(Node::items).unwrap_or_default();
            let mut named = texts(statement, "resources");
            for unknown in references.iter().filter(|one| one.is_unknown()) {
                named.extend(unknown.tag.as_deref());
            }
            self.statements.push(Statement {
                allow,
                actions: texts(statement, "actions"),
                not_actions: texts(statement, "notActions"),
                resources: named,
                some_unknown: unknown
                    || statement
                        .get("notResources")
                        .is_some_and(|list| list.is_unknown() || !list.items().is_empty()),
                place: aws.place(statement),
            });
        }
    }

    /// The place of the statement that allows an action on a resource, where none denies it.
    fn allows(&self, action: &str, on: &dyn Fn(&str) -> bool) -> Option<&str> {
        let meets = |statement: &&Statement<'_>| {
            statement.means(action) && statement.resources.iter().any(|one| on(one))
        };
        if self
            .statements
            .iter()
            .filter(|statement| !statement.allow && !statement.some_unknown)
            .any(|statement| meets(&statement))
        {
            return None;
        }
        self.statements
            .iter()
            .filter(|statement| statement.allow)
            .find(meets)
            .map(|statement| statement.place.as_str())
    }
}

impl Statement<'_> {
    fn means(&self, action: &str) -> bool {
        if !self.not_actions.is_empty() {
            return !self.not_actions.iter().any(|pattern| glob(pattern, action));
        }
        self.actions.iter().any(|pattern| glob(pattern, action))
    }
}

/// IAM's patterns: `*` any text, `?` one character, case ignored.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, t));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

fn edges(
    aws: &Aws<'_>,
    role: &Resource<'_>,
    identity: NodeId,
    account: NodeId,
    permissions: &Permissions<'_>,
    builder: &mut Builder,
) {
    let everything = |resource: &str| resource == "*";
    let name = label(role);
    let all = permissions.allows("nothing:AtAll", &everything);
    if let Some(place) = all.filter(|_| permissions.allows("iam:PutRolePolicy", &everything).is_some()) {
        builder.edge(identity, EdgeKind::Administers, account, &format!("{name} may do everything"), place);
    }
    let own_role =
        |resource: &str| resource == "*" || resource.contains(":role/") || resource.contains(&role.name);
    if let Some((action, place)) =
        GIVES_ITSELF_ALL.iter().find_map(|action| Some((action, permissions.allows(action, &own_role)?)))
    {
        let fact = format!("{name} may give itself everything ({action})");
        builder.edge(identity, EdgeKind::Administers, account, &fact, place);
    }
    for (kind, of, actions, prefix) in READS {
        for data in aws.of(kind) {
            let means = |resource: &str| {
                resource == "*"
                    || resource.contains(&format!("${{{}.", data.name))
                    || resource == data.name
                    || names(resource, prefix, label(data))
            };
            let allowed =
                actions.iter().find_map(|action| Some((action, permissions.allows(action, &means)?)));
            if let Some((action, place)) = allowed {
                let to = node(builder, of, data);
                let fact = format!("{name} may read {} ({action})", label(data));
                builder.edge(identity, EdgeKind::Reads, to, &fact, place);
            }
        }
    }
    for other in aws.of("aws/iam-role").filter(|other| other.name != role.name) {
        let means = |resource: &str| {
            resource == "*"
                || resource == other.name
                || resource.contains(&format!("${{{}.", other.name))
                || resource.rsplit_once(":role/").is_some_and(|(_, pattern)| glob(pattern, label(other)))
        };
        if let Some(place) = permissions.allows("sts:AssumeRole", &means)
            && trusts(other, role)
        {
            let to = builder.find(NodeKind::Role, &other.name).unwrap_or_else(|| {
                builder.node(NodeKind::Role, &other.name, &format!("role {}", label(other)))
            });
            let fact = format!("{name} may take role {} and is trusted by it", label(other));
            builder.edge(identity, EdgeKind::Becomes, to, &fact, place);
        }
    }
}

/// Whether an ARN, which may hold wildcards, names something.
fn names(arn: &str, prefix: &str, name: &str) -> bool {
    let Some((_, rest)) = arn.split_once(prefix) else { return false };
    let pattern = rest.trim_start_matches([':', '/']);
    let pattern = pattern.split('/').next().unwrap_or_default();
    glob(pattern, name)
}

/// Whether a role's trust policy names another role, or the whole account.
fn trusts(role: &Resource<'_>, who: &Resource<'_>) -> bool {
    let statements = role.node.at(&["trust", "statements"]).map(Node::items).unwrap_or_default();
    statements.iter().filter(|statement| statement.text_of("effect") == Some("Allow")).any(|statement| {
        let principals = statement.get("principals").map(Node::items).unwrap_or_default();
        principals.iter().any(|principal| {
            let Some(id) = principal.get("id") else { return false };
            let text = id.scalar().or(id.tag.as_deref()).unwrap_or_default();
            text == "*"
                || text.ends_with(":root")
                || text == who.name
                || text.contains(&format!("${{{}.", who.name))
                || text.rsplit('/').next() == Some(label(who))
        })
    })
}

/// Who acts as a role: machines by their profile, functions, tasks, nodes of a cluster.
fn assumed(aws: &Aws<'_>, sources: &Sources<'_>, builder: &mut Builder) {
    let acts = |from: NodeId, link: &str, fact: String, place: String, builder: &mut Builder| {
        if let Some(role) = aws.linked(link).filter(|role| role.kind == "aws/iam-role") {
            let to = role_node(sources, role, builder);
            builder.edge(from, EdgeKind::ActsAs, to, &fact, &place);
        }
    };
    for instance in aws.of("aws/instance") {
        let profile = instance.node.text_of("instanceProfile").and_then(|link| aws.linked(link));
        let Some(role) = profile.and_then(|profile| profile.node.text_of("role")) else { continue };
        let from = node(builder, NodeKind::Instance, instance);
        let fact = format!("instance {} has the role of its profile", label(instance));
        acts(from, role, fact, aws.place(&instance.node), builder);
    }
    for function in aws.of("aws/lambda-function") {
        let Some(role) = function.node.text_of("role") else { continue };
        let from = node(builder, NodeKind::Function, function);
        acts(
            from,
            role,
            format!("function {} has its role", label(function)),
            aws.place(&function.node),
            builder,
        );
    }
    for service in aws.of("aws/ecs-service") {
        let task = service.node.text_of("task").and_then(|link| aws.linked(link));
        let Some(role) = task.and_then(|task| task.node.text_of("taskRole")) else { continue };
        let from = builder.node(NodeKind::Workload, &service.name, "");
        acts(
            from,
            role,
            format!("tasks of {} have their role", label(service)),
            aws.place(&service.node),
            builder,
        );
    }
    for group in aws.of("aws/eks-node-group") {
        let Some(role) = group.node.text_of("role") else { continue };
        let from = any_node(builder);
        let fact = format!("nodes of {} have their role", label(group));
        acts(from, role, fact, aws.place(&group.node), builder);
    }
}

/// Buckets that everybody may read, by their policy or their list, unless access is blocked.
fn public_buckets(aws: &Aws<'_>, builder: &mut Builder) {
    let internet = builder.node(INTERNET.0, INTERNET.1, "");
    for bucket in aws.of("aws/s3-bucket") {
        let blocked =
            |key: &str| bucket.node.at(&["publicAccess", key]).and_then(Node::boolean) == Some(true);
        let statements = bucket.node.at(&["policy", "statements"]).map(Node::items).unwrap_or_default();
        let by_policy = statements.iter().find(|statement| {
            let principals = statement.get("principals").map(Node::items).unwrap_or_default();
            let everybody = principals
                .iter()
                .any(|one| one.text_of("id") == Some("*") || one.text_of("type") == Some("*"));
            let reads = texts(statement, "actions").iter().any(|action| glob(action, "s3:GetObject"));
            let free = statement.get("conditions").is_none_or(|list| list.items().is_empty());
            everybody && reads && free && statement.text_of("effect") == Some("Allow")
        });
        let by_list = matches!(bucket.node.text_of("acl"), Some("public-read" | "public-read-write"));
        let to = node(builder, NodeKind::Bucket, bucket);
        if let Some(statement) = by_policy.filter(|_| !blocked("restrict") && !blocked("blockPolicy")) {
            let fact = format!("the policy of bucket {} lets everybody read it", label(bucket));
            builder.edge(internet, EdgeKind::Reads, to, &fact, &aws.place(statement));
        } else if by_list && !blocked("ignoreAcls") && !blocked("blockAcls") {
            let fact = format!("the access list of bucket {} lets everybody read it", label(bucket));
            builder.edge(internet, EdgeKind::Reads, to, &fact, &aws.place(&bucket.node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{glob, names};

    #[test]
    fn patterns_match_as_iam_matches_them() {
        assert!(
            glob("s3:Get*", "s3:getobject") && glob("*", "") && glob("a?c", "abc") && glob("*:*", "s3:x")
        );
        assert!(!glob("s3:Get", "s3:GetObject") && !glob("s3:Put*", "s3:GetObject") && !glob("a?c", "ac"));
        assert!(names("arn:aws:s3:::shop-orders/*", "arn:aws:s3:::", "shop-orders"));
        assert!(names("arn:aws:s3:::shop-*", "arn:aws:s3:::", "shop-orders"));
        assert!(!names("arn:aws:s3:::other/*", "arn:aws:s3:::", "shop-orders"));
    }
}
