//! Packs loaded and run, as users have them.

use std::collections::BTreeMap;

use yagura_model::Severity;

use crate::{Judge, Judged, Outcome, Pack, PolicyFile};

fn file(path: &str, text: &str) -> PolicyFile {
    PolicyFile { path: path.to_owned(), text: text.to_owned() }
}

fn pack(text: &str) -> Pack {
    Pack::load(&[file("policy/a.rego", text)], &[], BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str) -> String {
    match Pack::load(&[file("policy/a.rego", text)], &[], BTreeMap::new()) {
        Ok(_) => panic!("it is taken"),
        Err(error) => error.to_string(),
    }
}

fn judge(pack: &Pack, path: &str, text: &str) -> Judged {
    Judge::new(pack).file("t", path, text, false)
}

/// `rule line severity title`.
fn found(pack: &Pack, path: &str, text: &str) -> Vec<String> {
    let judged = judge(pack, path, text);
    assert!(judged.failures.is_empty(), "{:?}", judged.failures);
    let shown = judged.found.iter().map(|found| {
        let it = &found.finding;
        format!("{} {} {} {}", it.rule, it.location.start_line.unwrap_or(0), it.severity, it.title)
    });
    shown.collect()
}

#[test]
fn rules_of_conftest_give_findings_of_their_own() {
    let pack = pack(
        r#"
package main
import rego.v1
deny contains msg if {
    input.kind == "Deployment"
    not input.spec.replicas
    msg := sprintf("%s has no replicas: %q %v", [input.metadata.name, "a\"b", {"x": [1, "y"]}])
}
warn_labels contains {"msg": "no owner", "team": "core", "severity": "medium", "_loc": {"file": "a", "line": 3}} if {
    not input.metadata.labels.owner
}
violation[{"msg": "named bad"}] { input.metadata.name == "bad" }
denyx contains "never" if { true }
"#
        .replace("violation[{\"msg\": \"named bad\"}] {", "violation contains {\"msg\": \"named bad\"} if {")
        .as_str(),
    );
    let manifest = "---\nkind: Service\nmetadata: {name: s, labels: {owner: me}}\n---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: bad, labels: {owner: me}}\n";
    let found = found(&pack, "a.yaml", manifest);
    assert_eq!(
        found,
        [
            "main.deny 5 high bad has no replicas: \"a\\\"b\" {\"x\": [1, \"y\"]}",
            "main.violation 5 high named bad",
        ]
    );
    let json = judge(&pack, "a.json", "{\"kind\": \"x\"}");
    let first = json.found.first().map(|found| &found.finding).expect("a finding");
    assert_eq!((first.severity, first.location.start_line), (Severity::Medium, Some(3)));
    assert_eq!(first.evidence.notes, ["team: core"]);
}

#[test]
fn rego_before_one_is_read_too() {
    let pack = pack(
        "package main\ndeny[msg] {\n  input[i].Cmd == \"user\"\n  input[i].Value[0] == \"root\"\n  msg = \"root\"\n}\n",
    );
    assert_eq!(found(&pack, "Dockerfile", "FROM a\nUSER root\n"), ["main.deny 1 high root"]);
}

#[test]
fn exceptions_excuse() {
    let pack = pack(
        r#"
package main
import rego.v1
deny_root contains "root" if { true }
exception contains rules if {
    input.name == "fine"
    rules := ["root"]
}
"#,
    );
    let excused = |text: &str| judge(&pack, "a.yaml", text).found.first().map(|found| found.excuse.is_some());
    assert_eq!(excused("name: fine\n"), Some(true));
    assert_eq!(excused("name: other\n"), Some(false));
}

#[test]
fn annotations_tell_of_rules_one_by_one() {
    let pack = pack(
        r#"
# METADATA
# title: Package
# custom: {severity: low}
package main
import rego.v1

# METADATA
# title: First
# description: Because.
# related_resources:
# - https://example.org/1
# custom:
#   id: ACME-1
#   severity: CRITICAL
#   recommended_action: Do it.
deny contains rego.metadata.rule().title if { true }

# METADATA
# custom: {id: ACME-2, frameworks: {cis: ["1.1"]}}
deny contains "second" if { true }
"#,
    );
    assert_eq!(found(&pack, "a.yaml", "a: 1\n"), ["ACME-1 1 critical First", "ACME-2 1 low Package"]);
    let first = pack.find("acme-1").expect("it is there");
    assert_eq!((first.action.as_str(), first.references.len()), ("Do it.", 1));
    assert!(first.text(&pack).starts_with("deny contains"), "{}", first.text(&pack));
    let second = pack.find("ACME-2").expect("it is there");
    assert_eq!(second.controls, ["cis:1.1"]);
}

#[test]
fn checks_of_trivy_point_at_their_cause() {
    let pack = pack(
        r#"
# METADATA
# title: No latest
# custom:
#   id: USER-1
#   severity: HIGH
#   input:
#     selector:
#     - type: dockerfile
package user.dockerfile

import rego.v1

import data.lib.docker

deny contains res if {
    some command in docker.from
    endswith(command.Value[0], ":latest")
    res := result.new(sprintf("stage %s", [input.Stages[command.Stage].Name]), command)
}
"#,
    );
    let judged = judge(&pack, "Dockerfile", "ARG A=1\nFROM a:1 AS x\nRUN a && \\\n  b\nFROM b:latest\n");
    let finding = &judged.found.first().expect("a finding").finding;
    assert_eq!((finding.rule.as_str(), finding.location.start_line), ("USER-1", Some(5)));
    assert!(judge(&pack, "a.yaml", "apiVersion: v1\nkind: Pod\n").found.is_empty());
}

#[test]
fn checks_of_trivy_see_containers_with_their_lines() {
    let pack = pack(
        r#"
package user.kubernetes.ID001

import rego.v1

import data.lib.kubernetes

__rego_metadata__ := {"id": "ID001", "title": "Privileged", "severity": "MEDIUM"}

__rego_input__ := {"selector": [{"type": "kubernetes", "subtypes": [{"kind": "deployment"}]}]}

deny contains res if {
    some container in kubernetes.containers
    container.securityContext.privileged
    res := result.new(container.name, container)
}
"#,
    );
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n      - name: good\n      - name: bad\n        securityContext: {privileged: true}\n";
    assert_eq!(found(&pack, "a.yaml", deployment), ["ID001 9 medium Privileged"]);
    let other = deployment.replace("Deployment", "DaemonSet");
    assert!(found(&pack, "a.yaml", &other).is_empty());
}

#[test]
fn what_a_negation_needs_is_asked_before_it() {
    let pack = pack(
        r#"
package main
import rego.v1
deny contains "prefix" if not startswith(input.name, "a")
deny contains "equal" if not input.name == "a"
deny contains "element" if { not has(input.list[_]) }
has(it) if it.ok
"#,
    );
    let titles = |text: &str| {
        let found = found(&pack, "a.yaml", text);
        found.iter().filter_map(|line| line.rsplit(' ').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(titles("other: 1\n"), ["equal"]);
    assert_eq!(titles("name: b\n"), ["equal", "prefix"]);
    assert_eq!(titles("name: a\nlist: [{ok: true}, {ok: false}]\n"), ["element"]);
}

#[test]
fn hcl_has_the_shape_that_policies_know() {
    let pack = pack(
        r#"
package main
import rego.v1
deny contains sprintf("%s %v", [name, bucket]) if some name, bucket in input.resource.aws_s3_bucket
deny contains input.locals[0].joined if true
"#,
    );
    let text = "locals {\n  joined = \"${var.a}-${upper(\"x\")}-1\"\n}\nresource \"aws_s3_bucket\" \"b\" {\n  acl = var.acl\n  n = 2\n  tags = { a = \"b\" }\n  versioning { enabled = true }\n}\n";
    let found = found(&pack, "main.tf", text);
    assert_eq!(
        found,
        [
            "main.deny 1 high ${var.a}-${upper(\"x\")}-1",
            "main.deny 1 high b [{\"acl\": \"${var.acl}\", \"n\": 2, \"tags\": {\"a\": \"b\"}, \"versioning\": [{\"enabled\": true}]}]",
        ]
    );
}

#[test]
fn network_and_unknown_functions_are_refused_by_line() {
    let rule =
        |body: &str| format!("package main\nimport rego.v1\n\ndeny contains \"a\" if {{\n    {body}\n}}\n");
    for (body, told) in [
        (
            "http.send({\"url\": \"http://a\", \"method\": \"get\"})",
            "policy/a.rego:5:5: `http.send` is refused",
        ),
        ("net.lookup_ip_addr(\"a\")", "`net.lookup_ip_addr` is refused"),
        ("opa.runtime().env", "`opa.runtime` is refused"),
        ("nothing.there(1)", "policy/a.rego:5:5: there is no function `nothing.there`"),
        ("missing(1)", "there is no function `missing`"),
        ("x := ", "policy/a.rego:5:"),
    ] {
        let error = refused(&rule(body));
        assert!(error.contains(told), "{body}: {error}");
    }
    assert!(refused("package a\nf(x) := g(x)\ng(x) := f(x)\n").contains("calls itself"));
}

#[test]
fn a_runaway_policy_is_told_and_asked_no_more() {
    let pack = pack(
        "package main\nimport rego.v1\n\ndeny contains x if {\n  some a in numbers.range(1, 100000)\n  some b in numbers.range(1, 100000)\n  a * b == -1\n  x := \"a\"\n}\n\nwarn contains \"fine\" if { true }\n",
    );
    let first = judge(&pack, "a.yaml", "a: 1\n");
    assert_eq!(first.failures.len(), 1);
    assert!(first.failures[0].error.contains("took longer"), "{:?}", first.failures);
    assert_eq!(first.found.len(), 1, "the other rule is asked");
    assert!(judge(&pack, "b.yaml", "a: 1\n").failures.is_empty());
    let large =
        "package main\nimport rego.v1\ndeny contains \"a\" if count(numbers.range(1, 100000000)) > 1\n";
    let failures = judge(&super::tests::pack(large), "a.yaml", "a: 1\n").failures;
    assert!(failures[0].error.contains("numbers.range of more than"), "{failures:?}");
}

#[test]
fn tests_of_policies_run() {
    let policy = "package main\nimport rego.v1\nimport data.allowed\ndeny contains \"x\" if not input.kind in allowed.kinds\n";
    let tests = r#"
package main
import rego.v1
test_good if { count(deny) == 0 with input as {"kind": "a"} }
test_bad if { count(deny) == 0 with input as {"kind": "b"} }
test_file if { parse_config_file("../beside/a.yaml").kind == "a" }
test_cases[name] if {
    some name, case in {"one": {"kind": "a", "count": 0}, "two": {"kind": "c", "count": 0}}
    count(deny) == case.count with input as case
}
todo_test_later if { false }
"#;
    let beside = BTreeMap::from([("policy/beside/a.yaml".to_owned(), "kind: a\n".to_owned())]);
    let data = [(vec!["allowed".to_owned()], file("policy/allowed/data.yaml", "kinds: [a]\n"))];
    let files = [file("policy/a.rego", policy), file("policy/t/a_test.rego", tests)];
    let pack = Pack::load(&files, &data, beside).unwrap_or_else(|error| panic!("{error}"));
    let results: Vec<_> = pack.test().into_iter().map(|result| result.outcome).collect();
    let failed = |told: &[&str]| Outcome::Failed(told.iter().map(|line| (*line).to_owned()).collect());
    assert_eq!(
        results,
        [
            Outcome::Passed,
            failed(&[]),
            Outcome::Passed,
            failed(&["case `two` does not hold"]),
            Outcome::Skipped
        ]
    );
}

#[test]
fn imports_may_stand_below_rules() {
    let pack = pack(
        "package main # here\n\nx := 1\n\nimport rego.v1\nimport data.lib.utils\n\ndeny contains \"key\" if utils.has_key(input, \"a\")\n",
    );
    assert_eq!(found(&pack, "a.toml", "a = 1\n"), ["main.deny 1 high key"]);
}

#[test]
fn input_that_is_not_made_is_told() {
    let pack = pack(
        "# METADATA\n# custom: {input: {selector: [{type: cloud}]}}\npackage user.a\nimport rego.v1\ndeny contains \"a\" if true\n",
    );
    assert!(pack.is_empty());
    assert!(pack.notices()[0].contains("`cloud`"), "{:?}", pack.notices());
}
