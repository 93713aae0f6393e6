//! What AWS identities may do and become, as edges of the graph.

mod support;

use yagura_assess::graph::aws::identity::{Gives, Subject, escalations};

/// `from kind to: fact` of every edge that starts at a role or user.
fn edges(hcl: &str) -> Vec<String> {
    graph(hcl, "").0
}

fn graph(hcl: &str, manifests: &str) -> (Vec<String>, Vec<String>) {
    let stack = support::graph(manifests, hcl);
    let graph = &stack.graph;
    let show = |edge| {
        let kind = graph.edge_kind(edge).unwrap().name();
        format!(
            "{} {kind} {}: {}",
            graph.label(graph.from(edge)),
            graph.label(graph.to(edge)),
            graph.fact(edge)
        )
    };
    (graph.edges().map(show).collect(), stack.notices)
}

fn has(edges: &[String], start: &str) -> bool {
    edges.iter().any(|edge| edge.starts_with(start))
}

fn role(name: &str, service: &str, statements: &str) -> String {
    format!(
        r#"
resource "aws_iam_role" "{name}" {{
  name = "{name}"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "{service}" }} }}] }})
}}
resource "aws_iam_role_policy" "{name}" {{
  role   = aws_iam_role.{name}.id
  policy = jsonencode({{ Version = "2012-10-17", Statement = [{statements}] }})
}}
"#
    )
}

fn allow(actions: &str, resource: &str) -> String {
    format!(r#"{{ Effect = "Allow", Action = [{actions}], Resource = {resource} }}"#)
}

const BUCKET: &str = "resource \"aws_s3_bucket\" \"vault\" {\n  bucket = \"vault\"\n}\n";

#[test]
fn every_escalation_needs_all_of_its_actions() {
    for way in escalations().unwrap() {
        assert!(way.technique.starts_with('T'), "{}", way.id);
        let service = if way.service.is_empty() { "ec2.amazonaws.com" } else { &way.service };
        let things = role("other", service, &allow("\"sns:Publish\"", "\"*\""))
            + "resource \"aws_iam_user\" \"ann\" {\n  name = \"ann\"\n}\n"
            + "resource \"aws_iam_policy\" \"own\" {\n  name = \"own\"\n  policy = jsonencode({ Version = \"2012-10-17\", Statement = [] })\n}\n"
            + "resource \"aws_iam_role_policy_attachment\" \"own\" {\n  role = aws_iam_role.asker.name\n  policy_arn = aws_iam_policy.own.arn\n}\n"
            + "resource \"aws_iam_user_policy_attachment\" \"own\" {\n  user = aws_iam_user.asker.name\n  policy_arn = aws_iam_policy.own.arn\n}\n"
            + "resource \"aws_lambda_function\" \"f\" {\n  function_name = \"f\"\n}\n"
            + "resource \"aws_instance\" \"m\" {\n  tags = { Name = \"m\" }\n}\n"
            + "resource \"aws_ecs_service\" \"s\" {\n  name = \"s\"\n}\n";
        let user = way.needs.iter().any(|need| need.on == Subject::OneSelf && need.action.contains("User"));
        let with = |without: Option<usize>| {
            let actions: Vec<String> = way
                .needs
                .iter()
                .enumerate()
                .filter(|(at, _)| Some(*at) != without)
                .map(|(_, need)| format!("{:?}", need.action))
                .collect();
            let statements = if actions.is_empty() {
                allow("\"sns:Publish\"", "\"*\"")
            } else {
                allow(&actions.join(", "), "\"*\"")
            };
            let user_policy = format!(
                "resource \"aws_iam_user\" \"asker\" {{\n  name = \"asker\"\n}}\nresource \"aws_iam_user_policy\" \"asker\" {{\n  user = aws_iam_user.asker.name\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{statements}] }})\n}}\n"
            );
            let asker = if user { user_policy } else { role("asker", "ec2.amazonaws.com", &statements) };
            edges(&(things.clone() + &asker))
        };
        let wanted = match way.gives {
            Gives::Account => "administers the AWS account",
            Gives::Identity if way.needs[0].on == Subject::User => "becomes user ann",
            Gives::Identity | Gives::PassedRole => "becomes role other",
            Gives::Function => "enters lambda-function f",
            Gives::Instance => "enters instance m",
            Gives::Task => "enters s[ECS service]",
        };
        let asker = if user { "user asker" } else { "role asker" };
        let start = format!("{asker} {wanted}");
        let found = with(None);
        assert!(
            found.iter().any(|edge| edge.starts_with(&start) && edge.contains(&way.title)),
            "{}: {found:#?}",
            way.id
        );
        for at in 0..way.needs.len() {
            assert!(!has(&with(Some(at)), &start), "{} without {}", way.id, way.needs[at].action);
        }
    }
}

#[test]
fn a_role_is_passed_only_to_a_service_that_it_trusts() {
    let asker = role("asker", "ec2.amazonaws.com", &allow(r#""iam:PassRole", "ec2:RunInstances""#, "\"*\""));
    let trusting = asker.clone() + &role("other", "ec2.amazonaws.com", &allow("\"s3:*\"", "\"*\""));
    assert!(has(&edges(&trusting), "role asker becomes role other"));
    let distrusting = asker + &role("other", "lambda.amazonaws.com", &allow("\"s3:*\"", "\"*\""));
    assert!(!has(&edges(&distrusting), "role asker becomes role other"));
}

#[test]
fn boundaries_denials_and_the_organisation_limit() {
    let reader = BUCKET.to_owned()
        + &role(
            "reader",
            "ec2.amazonaws.com",
            &allow("\"s3:GetObject\"", "\"${aws_s3_bucket.vault.arn}/*\""),
        );
    let reads = "role reader reads s3-bucket vault";
    assert!(has(&edges(&reader), reads));
    let bounded = reader.replace(
        "  name = \"reader\"\n",
        "  name = \"reader\"\n  permissions_boundary = aws_iam_policy.bound.arn\n",
    );
    let bound = |actions: &str| {
        format!(
            "resource \"aws_iam_policy\" \"bound\" {{\n  name = \"bound\"\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{}] }})\n}}\n",
            allow(actions, "\"*\"")
        )
    };
    assert!(has(&edges(&(bounded.clone() + &bound("\"s3:Get*\""))), reads));
    assert!(!has(&edges(&(bounded + &bound("\"sqs:*\""))), reads));
    let organisation = |attached: &str| {
        reader.clone()
            + "resource \"aws_organizations_policy\" \"no\" {\n  name = \"no\"\n  content = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Deny\", Action = \"s3:*\", Resource = \"*\" }] })\n}\n"
            + attached
    };
    let attachment = "resource \"aws_organizations_policy_attachment\" \"no\" {\n  policy_id = aws_organizations_policy.no.id\n  target_id = \"r-root\"\n}\n";
    assert!(has(&edges(&organisation("")), reads), "a policy that is attached to nothing forbids nothing");
    assert!(!has(&edges(&organisation(attachment)), reads));
    let own = BUCKET.to_owned()
        + &role(
            "reader",
            "ec2.amazonaws.com",
            r#"{ Effect = "Allow", NotAction = "iam:*", Resource = "*" }, { Effect = "Deny", Action = "s3:*", NotResource = "arn:aws:s3:::public/*" }"#,
        );
    assert!(!has(&edges(&own), reads));
}

#[test]
fn what_hangs_on_a_condition_is_said() {
    let by_address = r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "*", Condition = { IpAddress = { "aws:SourceIp" = "203.0.113.0/24" } } }"#;
    let found = edges(&(BUCKET.to_owned() + &role("reader", "ec2.amazonaws.com", by_address)));
    let edge = found.iter().find(|edge| edge.starts_with("role reader reads")).unwrap();
    assert!(edge.ends_with("if aws:SourceIp IpAddress 203.0.113.0/24: not known"), "{edge}");
    // A condition that roles can never meet is no way.
    let by_factor = by_address.replace(
        "IpAddress = { \"aws:SourceIp\" = \"203.0.113.0/24\" }",
        "Bool = { \"aws:MultiFactorAuthPresent\" = \"true\" }",
    );
    let found = edges(&(BUCKET.to_owned() + &role("reader", "ec2.amazonaws.com", &by_factor)));
    assert!(!has(&found, "role reader reads"), "{found:?}");
    let (_, notices) = graph(
        &(role("a", "ec2.amazonaws.com", "")
            + "resource \"aws_iam_role_policy_attachment\" \"x\" {\n  role = aws_iam_role.a.name\n  policy_arn = \"arn:aws:iam::aws:policy/SomethingNew\"\n}\n"),
        "",
    );
    assert!(notices.iter().any(|notice| notice.contains("SomethingNew")), "{notices:?}");
}

#[test]
fn across_accounts_both_sides_must_allow() {
    let bucket = |policy: &str| {
        format!(
            "{BUCKET}resource \"aws_s3_bucket_policy\" \"vault\" {{\n  bucket = aws_s3_bucket.vault.id\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{policy}] }})\n}}\n"
        )
    };
    // The bucket's own account is not in its ARN: its policy alone lets a role in.
    let named = bucket(
        r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::vault/*", Principal = { AWS = "arn:aws:iam::111122223333:role/reader" } }"#,
    );
    assert!(has(
        &edges(&(named + &role("reader", "ec2.amazonaws.com", ""))),
        "role reader reads s3-bucket vault"
    ));
    let organisation = bucket(
        r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::vault/*", Principal = "*", Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-ours" } } }"#,
    );
    assert!(!has(&edges(&organisation), "the internet reads"));
    let everybody = bucket(
        r#"{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::vault/*", Principal = "*" }"#,
    );
    assert!(has(&edges(&everybody), "the internet reads s3-bucket vault"));
    let chain = |statement: &str, trust: &str| {
        role("a", "ec2.amazonaws.com", statement)
            + &format!(
                "resource \"aws_iam_role\" \"b\" {{\n  name = \"b\"\n  assume_role_policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = {{ AWS = {trust} }} }}] }})\n}}\n"
            )
    };
    let may = allow("\"sts:AssumeRole\"", "\"*\"");
    let becomes = "role a becomes role b";
    assert!(has(&edges(&chain(&may, "\"arn:aws:iam::111122223333:role/a\"")), becomes));
    assert!(has(&edges(&chain(&may, "\"arn:aws:iam::111122223333:root\"")), becomes));
    assert!(
        !has(&edges(&chain("", "\"arn:aws:iam::111122223333:root\"")), becomes),
        "trust in an account needs a policy, too"
    );
    assert!(!has(&edges(&chain(&may, "\"arn:aws:iam::111122223333:role/c\"")), becomes));
    assert!(has(&edges(&chain("", "\"*\"")), "the internet becomes role b"));
}

#[test]
fn service_accounts_take_roles_that_trust_them() {
    let role = |subject: &str| {
        format!(
            r#"
resource "aws_iam_role" "app" {{
  name = "app"
  assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity",
    Principal = {{ Federated = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A" }},
    Condition = {{ StringLike = {{ "oidc.eks.eu-west-1.amazonaws.com/id/A:sub" = "{subject}" }}, StringEquals = {{ "oidc.eks.eu-west-1.amazonaws.com/id/A:aud" = "sts.amazonaws.com" }} }} }}] }})
}}
"#
        )
    };
    let account = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: api, namespace: shop, annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::111122223333:role/app'}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {serviceAccountName: api, containers: [{name: c, image: 'x:1'}]}
";
    let start = "service account shop/api becomes role app";
    for (subject, expected) in [
        ("system:serviceaccount:shop:api", true),
        ("system:serviceaccount:shop:*", true),
        ("system:serviceaccount:other:api", false),
    ] {
        let (found, _) = graph(&role(subject), account);
        assert_eq!(has(&found, start), expected, "{subject}: {found:?}");
    }
    let identity = "resource \"aws_iam_role\" \"pod\" {\n  name = \"pod\"\n  assume_role_policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = [\"sts:AssumeRole\", \"sts:TagSession\"], Principal = { Service = \"pods.eks.amazonaws.com\" } }] })\n}\nresource \"aws_eks_pod_identity_association\" \"pod\" {\n  cluster_name = \"c\"\n  namespace = \"shop\"\n  service_account = \"api\"\n  role_arn = aws_iam_role.pod.arn\n}\n";
    assert!(has(&graph(identity, account).0, "service account shop/api becomes role pod"));
}
