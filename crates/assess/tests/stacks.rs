//! Whole stacks: the order of risks, their paths and reasons, and what edits change of them.

mod support;

use support::{cluster, finding, image, terraform};
use yagura_assess::access::defaults;
use yagura_assess::access::powers::powers;
use yagura_assess::graph::{Cloud, Sources};
use yagura_assess::paths::Rules;
use yagura_assess::profiles::{Observed, Runtime};
use yagura_assess::risks::Assessment;
use yagura_model::profile::{Endpoint, FileUse, Profile, Subject};
use yagura_model::risk::{Change, Risk, TermName, Urgency};
use yagura_model::{Ecosystem, Finding, Location, Package, Severity};

/// Risks and changes of a stack: manifests, Terraform, findings (each image is named as its target).
fn assess(
    manifests: &str,
    terraform: &Cloud,
    findings: &[Finding],
    runtime: &Runtime,
) -> (Vec<Risk>, Vec<Change>) {
    assess_from(manifests, terraform, findings, runtime, &[])
}

fn assess_from(
    manifests: &str,
    terraform: &Cloud,
    findings: &[Finding],
    runtime: &Runtime,
    from: &[String],
) -> (Vec<Risk>, Vec<Change>) {
    let (cluster, defaults) = (cluster(manifests), defaults());
    let (powers, rules) = (powers().unwrap(), Rules::built_in().unwrap());
    let mut names: Vec<&str> = findings.iter().map(|finding| finding.target.as_str()).collect();
    names.dedup();
    let mut targets: Vec<_> = names.into_iter().map(image).collect();
    for target in &mut targets {
        let own = findings.iter().filter(|finding| finding.target == target.name);
        let packages = own.filter_map(|finding| finding.package.as_ref()).map(|package| Package {
            locations: vec![Location::file(format!("srv/node_modules/{}/package.json", package.name))],
            ..Package::new(Ecosystem::Npm, &package.name, &package.version)
        });
        target.inventory.packages = packages.collect();
    }
    let sources = Sources {
        cluster: &cluster,
        default_roles: &defaults,
        powers: &powers,
        cloud: terraform,
        targets: &targets,
        findings,
        runtime,
        from,
    };
    Assessment::new(sources, &rules).risks()
}

/// The path as labels.
fn path(risk: &Risk) -> Vec<&str> {
    let mut labels: Vec<&str> = risk.path.iter().take(1).map(|hop| hop.from.label.as_str()).collect();
    labels.extend(risk.path.iter().map(|hop| hop.to.label.as_str()));
    labels.dedup();
    labels
}

fn about<'r>(risks: &'r [Risk], package: &str) -> &'r Risk {
    risks
        .iter()
        .find(|risk| risk.title.contains(package))
        .unwrap_or_else(|| panic!("no risk about {package}"))
}

fn deployment(namespace: &str, name: &str, image: &str, more: &str) -> String {
    format!(
        "
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {more}
      containers: [{{name: {name}, image: '{image}', ports: [{{name: http, containerPort: 8080}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80, targetPort: http}}]}}
"
    )
}

fn ingress(namespace: &str, service: &str) -> String {
    format!(
        "
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {service}, namespace: {namespace}}}
spec: {{ingressClassName: nginx, defaultBackend: {{service: {{name: {service}, port: {{number: 80}}}}}}}}
"
    )
}

/// A flaw that gives control over a network, exploited or not.
fn flaw(target: &str, package: &str, severity: Severity, exploited: bool) -> Finding {
    finding(target, package, severity, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", exploited)
}

#[test]
fn internal_only_nothing_is_urgent_until_a_door_opens() {
    let manifests =
        deployment("erp", "ledger", "erp/ledger:1", "") + &deployment("erp", "portal", "erp/portal:1", "");
    let findings = [
        flaw("erp/ledger:1", "old-ledger", Severity::Critical, true),
        flaw("erp/portal:1", "old-portal", Severity::High, false),
    ];
    let (risks, _) = assess(&manifests, &Cloud::default(), &findings, &Runtime::default());
    assert!(about(&risks, "old-ledger").score > about(&risks, "old-portal").score);
    for risk in &risks {
        assert!(risk.reason.contains("only from within the cluster"), "{}", risk.reason);
        assert_ne!(risk.path.first().map(|hop| hop.from.label.as_str()), Some("the internet"));
    }
    // A door for the portal makes it, and through it the ledger, reachable from the internet.
    let (opened, _) =
        assess(&(manifests + &ingress("erp", "portal")), &Cloud::default(), &findings, &Runtime::default());
    let (portal, ledger) = (about(&opened, "old-portal"), about(&opened, "old-ledger"));
    assert_eq!(
        path(portal)[..4],
        ["the internet", "Ingress erp/portal", "service erp/portal", "erp/portal[Deployment]"]
    );
    assert!(portal.score > about(&risks, "old-portal").score);
    assert!(ledger.reason.contains("once another flaw was used"), "{}", ledger.reason);
    assert!(path(ledger).starts_with(&["the internet"]) && path(ledger).contains(&"erp/portal[Deployment]"));
}

#[test]
fn a_foothold_is_where_ranking_begins() {
    let manifests =
        deployment("erp", "ledger", "erp/ledger:1", "") + &deployment("erp", "portal", "erp/portal:1", "");
    let findings = [flaw("erp/ledger:1", "old-ledger", Severity::Critical, true)];
    for from in ["erp/portal", "workload:erp/Deployment/portal", "erp/portal:1"] {
        let (risks, _) =
            assess_from(&manifests, &Cloud::default(), &findings, &Runtime::default(), &[from.to_owned()]);
        let risk = about(&risks, "old-ledger");
        assert_eq!(path(risk).first(), Some(&"erp/portal[Deployment]"));
        assert!(risk.reason.contains("is reached from erp/portal[Deployment]"), "{}", risk.reason);
    }
}

#[test]
fn default_deny_a_policy_decides_what_can_wait() {
    let open = deployment("web", "front", "web/front:1", "")
        + &ingress("web", "front")
        + &deployment("back", "api", "back/api:1", "serviceAccountName: api")
        + "
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: api-admin}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: api, namespace: back}]
";
    let findings = [
        flaw("web/front:1", "front-lib", Severity::High, true),
        flaw("back/api:1", "api-lib", Severity::Critical, true),
    ];
    let (before, changes) = assess(&open, &Cloud::default(), &findings, &Runtime::default());
    let api = about(&before, "api-lib");
    assert_eq!(path(api).last(), Some(&"the cluster"));
    assert!(api.urgency == Urgency::Now && api.reason.contains("once another flaw was used"));
    // The front's own path goes on over the unprotected api to the whole cluster.
    assert_eq!(path(about(&before, "front-lib")).last(), Some(&"the cluster"));
    assert!(
        changes
            .iter()
            .any(|change| change.title.contains("NetworkPolicy") && change.title.contains("back/api"))
    );
    let denied = format!(
        "{open}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: deny, namespace: back}}
spec: {{podSelector: {{}}, policyTypes: [Ingress]}}
"
    );
    let (after, _) = assess(&denied, &Cloud::default(), &findings, &Runtime::default());
    let api = about(&after, "api-lib");
    assert!(api.reason.starts_with("Can wait: nothing that was read reaches"), "{}", api.reason);
    assert!(api.path.is_empty() && api.urgency == Urgency::Later);
    assert!(about(&after, "front-lib").score < about(&before, "front-lib").score);
    // Without the binding the api is one workload among others.
    let unbound = open.replace("kind: ServiceAccount, name: api", "kind: ServiceAccount, name: nobody");
    let (unbound, _) = assess(&unbound, &Cloud::default(), &findings, &Runtime::default());
    assert!(about(&unbound, "api-lib").score < about(&before, "api-lib").score);
    assert_ne!(path(about(&unbound, "api-lib")).last(), Some(&"the cluster"));
}

const ACCOUNTS: &str = r#"
resource "aws_security_group" "open" {
  name = "open"
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_lambda_function" "public" {
  function_name = "intake"
  role          = aws_iam_role.intake.arn
  package_type  = "Image"
  image_uri     = "lambda/intake:1"
}
resource "aws_lambda_function_url" "public" {
  function_name      = aws_lambda_function.public.function_name
  authorization_type = "NONE"
}
resource "aws_iam_role" "intake" {
  name = "intake"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "intake" {
  role   = aws_iam_role.intake.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Resource = "arn:aws:iam::222222222222:role/archive" }] })
}
resource "aws_iam_role" "archive" {
  name = "archive"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { AWS = "arn:aws:iam::111111111111:role/intake" } }] })
}
resource "aws_iam_role_policy" "archive" {
  role   = aws_iam_role.archive.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:Get*", Resource = "arn:aws:s3:::vault/*" }, { Effect = "Allow", Action = "sts:AssumeRole", Resource = aws_iam_role.intake.arn }] })
}
resource "aws_s3_bucket" "vault" {
  bucket = "vault"
}
"#;

#[test]
fn multi_account_a_role_leads_to_the_other_accounts_bucket_and_back_without_end() {
    let findings = [flaw("lambda/intake:1", "intake-lib", Severity::Medium, true)];
    let (before, _) = assess("", &terraform(ACCOUNTS), &findings, &Runtime::default());
    let risk = about(&before, "intake-lib");
    assert_eq!(
        path(risk),
        ["the internet", "lambda-function intake", "role intake", "role archive", "s3-bucket vault"]
    );
    assert!(risk.path.iter().all(|hop| hop.evidence.iter().all(|proof| !proof.fact.is_empty())));
    assert!(risk.path.iter().any(|hop| hop.evidence.iter().any(|proof| proof.place.starts_with("main.tf:"))));
    // The other account's role no longer trusts it.
    let distrusted = ACCOUNTS.replace("111111111111:role/intake", "111111111111:role/other");
    let (after, _) = assess("", &terraform(&distrusted), &findings, &Runtime::default());
    assert_eq!(path(about(&after, "intake-lib")).last(), Some(&"role intake"));
    assert!(about(&after, "intake-lib").score < risk.score);
    // A denial is stronger than what allows.
    let denied = ACCOUNTS.replace("[{ Effect = \"Allow\", Action = \"s3:Get*\"", "[{ Effect = \"Deny\", Action = \"s3:*\", Resource = \"*\" }, { Effect = \"Allow\", Action = \"s3:Get*\"");
    let (after, _) = assess("", &terraform(&denied), &findings, &Runtime::default());
    assert_ne!(path(about(&after, "intake-lib")).last(), Some(&"s3-bucket vault"));
    // Who must log in is not everybody.
    let closed = ACCOUNTS.replace("authorization_type = \"NONE\"", "authorization_type = \"AWS_IAM\"");
    let (after, _) = assess("", &terraform(&closed), &findings, &Runtime::default());
    assert!(about(&after, "intake-lib").path.is_empty());
}

#[test]
fn what_is_seen_in_use_comes_before_what_merely_lies_there() {
    let manifests = deployment("shop", "web", "shop/web:1", "") + &ingress("shop", "web");
    let findings = [
        flaw("shop/web:1", "listens", Severity::Medium, false),
        flaw("shop/web:1", "sleeps", Severity::Critical, false),
    ];
    let (unknown, _) = assess(&manifests, &Cloud::default(), &findings, &Runtime::default());
    assert!(unknown[0].title.contains("sleeps"));
    let in_use = unknown[0].terms.iter().find(|term| term.name == TermName::InUse).unwrap();
    assert!(!in_use.known && in_use.value > 0.0);
    let mut subject = Subject {
        namespace: "shop".into(),
        pod: "web-6d4cf56db6-x7k2p".into(),
        image: "docker.io/shop/web:1".into(),
        ..Subject::default()
    };
    let node = "/usr/bin/node".to_owned();
    let read = FileUse { read: 1, programs: [node.clone()].into(), ..FileUse::default() };
    subject.files.insert("/srv/node_modules/listens/index.js".into(), read);
    let listens =
        Endpoint { protocol: "tcp".into(), address: "0.0.0.0".into(), port: 8080, program: node, count: 1 };
    subject.listens.push(listens);
    let profile = Profile { until: 90_000_000_000, events: 7, ..Profile::default() };
    let observe = |profile: Profile, subject: Subject| Runtime {
        profiles: vec![Observed {
            name: "used.json".into(),
            profile: Profile { subjects: [("0123456789ab".into(), subject)].into(), ..profile },
        }],
        ..Runtime::default()
    };
    let (known, _) =
        assess(&manifests, &Cloud::default(), &findings, &observe(profile.clone(), subject.clone()));
    assert!(known[0].title.contains("listens") && known[0].reason.contains("the code listens"));
    let fact =
        "/usr/bin/node loaded /srv/node_modules/listens/index.js in 0123456789ab and listens on TCP 8080";
    assert!(
        known[0].terms.iter().any(|term| term.known && term.fact.ends_with(fact)),
        "{:?}",
        known[0].terms
    );
    assert!(known[0].path.iter().any(|hop| hop.evidence.iter().any(|proof| proof.fact == fact)));
    // A profile that lost events proves no absence.
    let lossy = Profile { lost_events: 3, ..profile.clone() };
    let (lossy, _) = assess(&manifests, &Cloud::default(), &findings, &observe(lossy, subject.clone()));
    let in_use = about(&lossy, "sleeps").terms.iter().find(|term| term.name == TermName::InUse).unwrap();
    assert!(!in_use.known && in_use.fact.contains("lost events"));
    // What nobody listens on leads nowhere.
    let mut elsewhere = subject;
    elsewhere.listens[0].port = 9090;
    let (silent, _) = assess(&manifests, &Cloud::default(), &findings, &observe(profile, elsewhere));
    let reason = &about(&silent, "listens").reason;
    assert!(reason.contains("only from within the cluster"), "{reason}");
    assert!(about(&known, "sleeps").reason.starts_with("Can wait"), "{}", about(&known, "sleeps").reason);
}

#[test]
fn a_medium_flaw_on_a_path_outranks_twenty_critical_ones_that_nobody_reaches() {
    let manifests = deployment("shop", "web", "shop/web:1", "")
        + &ingress("shop", "web")
        + &deployment("jobs", "nightly", "jobs/nightly:1", "")
        + "
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nobody, namespace: jobs}
spec: {podSelector: {}}
";
    let mut findings: Vec<Finding> = (0..20)
        .map(|at| flaw("jobs/nightly:1", &format!("critical-{at}"), Severity::Critical, false))
        .collect();
    findings.push(finding(
        "shop/web:1",
        "medium",
        Severity::Medium,
        "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:L/A:N",
        true,
    ));
    let (risks, _) = assess(&manifests, &Cloud::default(), &findings, &Runtime::default());
    assert_eq!(risks.len(), 21);
    assert!(risks[0].title.contains("medium 1.0") && risks[0].score > 5.0 * risks[1].score);
    assert!(risks[1..].iter().all(|risk| risk.reason.starts_with("Can wait") && risk.score > 0.0));
}

#[test]
fn contradictions_and_holes_are_told_and_end_nothing() {
    let broken = "
apiVersion: v1
kind: Service
metadata: {name: s, namespace: a}
spec: {type: LoadBalancer, selector: {app: nobody}, ports: [{port: 0}, {port: 80, targetPort: missing}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: a}
spec: {rules: [{http: {paths: [{backend: {service: {name: gone, port: {number: 80}}}}]}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: a, ownerReferences: [{kind: Pod, name: p}]}
spec: {serviceAccountName: ghost, containers: [{image: 'x:1'}], volumes: [{name: v, hostPath: {}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: a}
roleRef: {kind: Role, name: missing}
subjects: [{kind: ServiceAccount, name: ghost}]
";
    let findings = [flaw("x:1", "lib", Severity::High, true)];
    let loops = "resource \"aws_lb_listener\" \"l\" {\n  load_balancer_arn = aws_lb.gone.arn\n  default_action {\n    type = \"forward\"\n    target_group_arn = aws_lb_target_group.gone.arn\n  }\n}\n";
    let (risks, _) = assess(broken, &terraform(loops), &findings, &Runtime::default());
    assert_eq!(risks.len(), 1);
    assert!(risks[0].score > 0.0 && risks[0].reason.contains("only from within the cluster"));
}
