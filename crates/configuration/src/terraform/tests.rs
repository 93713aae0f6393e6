//! Configurations evaluated: what is known, what is unknown, where it stands, and what is bounded.

use crate::cloud::tests::{field, shown, terraform};

/// A local's value as a resource without a table shows it.
#[track_caller]
fn value(expression: &str) -> String {
    let text =
        format!("variable \"unset\" {{}}\nresource \"null_thing\" \"x\" {{\n  value = {expression}\n}}\n");
    let (resources, problems) = terraform(&[("main.tf", &text)]);
    match resources[0].node.get("value") {
        Some(node) if problems.is_empty() => shown(node),
        Some(node) => format!("{} !{}", shown(node), problems.join("; ")),
        None => "absent".to_owned(),
    }
}

#[test]
fn expressions_give_what_the_language_says() {
    for (expression, expected) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 / 4", "2.5"),
        ("7 % 4", "3"),
        ("-2 - -3", "1"),
        ("0.1 + 0.2", "0.3"),
        ("1 < 2 && !(2 >= 3) || false", "true"),
        ("\"a\" == \"a\" ? 1 : 2", "1"),
        ("1 == \"1\"", "false"),
        ("[1, 2][1]", "2"),
        ("{a = 1, \"b\" : 2}[\"b\"]", "2"),
        ("{(\"a${1}\") = 1}", "{a1: 1}"),
        ("[for s in [\"a\", \"b\"] : upper(s)]", "[\"A\", \"B\"]"),
        ("[for i, s in [\"a\", \"b\"] : i if s != \"a\"]", "[1]"),
        ("{for k, v in {a = 1, b = 2} : v => k}", "{1: \"a\", 2: \"b\"}"),
        ("{for s in [\"ab\", \"ac\", \"b\"] : substr(s, 0, 1) => s...}", "{a: [\"ab\", \"ac\"], b: [\"b\"]}"),
        ("[{a = 1}, {a = 2}][*].a", "[1, 2]"),
        ("[{a = [1]}, {a = [2]}].*.a", "[[1], [2]]"),
        ("{a = 1}[*].a", "[1]"),
        ("null[*]", "[]"),
        ("\"a${1 + 1}b${true}\"", "\"a2btrue\""),
        ("\"$${a} %%{b}\"", "\"${a} %{b}\""),
        ("\"%{ if true }yes%{ else }no%{ endif }\"", "\"yes\""),
        ("\"%{ for s in [1, 2] }<${s}>%{ endfor }\"", "\"<1><2>\""),
        ("\"a %{ if true ~} b %{~ endif } c\"", "\"a b c\""),
        ("<<EOT\n  a\n    b\nEOT\n", "\"  a\\n    b\\n\""),
        ("<<-EOT\n    a\n      b ${1}\n    EOT\n", "\"a\\n  b 1\\n\""),
        ("\"tab\\tquote\\\" \\u00e9\"", "\"tab\\tquote\\\" é\""),
        ("var.unset", "?${var.unset}"),
        ("\"x-${var.unset}\"", "?x-${var.unset}"),
        ("var.unset == \"a\" ? 1 : 2", "?"),
        ("var.unset == \"a\" ? 1 : 1", "1"),
        ("false && var.unset", "false"),
        ("true || var.unset", "true"),
        ("true && var.unset", "?"),
        ("var.unset[0].name", "?${var.unset[0].name}"),
        ("[for s in var.unset : s]", "?"),
        ("merge({a = 1}, {b = var.unset})", "{a: 1, b: ?${var.unset}}"),
        ("try(local.none, {a = 1}.b, 3)", "3"),
        ("can({a = 1}.b)", "false"),
        ("can(var.unset.b)", "?"),
        ("timestamp()", "?"),
        ("null_other.y.id", "?${null_other.y.id}"),
        ("terraform.workspace", "?${terraform.workspace}"),
        ("path.module", "\".\""),
        ("none(1)", "? !main.tf:3: there is no function none()"),
        ("1 + true", "? !main.tf:3: a number is required, but the value is a bool"),
        ("[\n  1, # one\n  2, /* two */\n]", "[1, 2]"),
        ("true ?\n  1 :\n  2", "1"),
        ("max([1, 3, 2]...)", "3"),
        ("jsonencode({b = [1, true, null], a = \"<\"})", "{a: \"<\", b: [1, true, null]}"),
        ("length(jsonencode({a = 1}))", "?"),
        ("\"${jsonencode({a = 1})} \"", "\"{\\\"a\\\":1} \""),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn counts_keys_and_dynamic_blocks_are_expanded() {
    let (resources, problems) = terraform(&[(
        "main.tf",
        r#"
variable "n" {}
locals { ports = { web = 80, tls = 443 } }
resource "aws_eip" "two" { count = 2 }
resource "null_thing" "each" {
  for_each = toset(["a", "b"])
  name     = "${each.key}-${each.value}"
}
resource "null_thing" "none" { count = false ? 1 : 0 }
resource "null_thing" "some" {
  count = var.n
  index = count.index
}
resource "null_thing" "blocks" {
  dynamic "rule" {
    for_each = local.ports
    iterator = port
    content {
      name = port.key
      dynamic "inner" {
        for_each = [port.value, 1]
        content { number = inner.value }
      }
    }
  }
  dynamic "maybe" {
    for_each = var.n
    content { value = maybe.value.x }
  }
  others = null_thing.each["a"].name
  all    = [for k, v in null_thing.each : v.name]
  ids    = aws_eip.two[*].id
}
"#,
    )]);
    assert_eq!(problems, [] as [&str; 0]);
    assert_eq!(field(&resources, "null_thing.each[\"b\"]", &["name"]), "\"b-b\"");
    assert_eq!(field(&resources, "null_thing.some[0]", &["index"]), "0");
    assert!(!resources.iter().any(|resource| resource.name.starts_with("null_thing.none")));
    let blocks = |path: &[&str]| field(&resources, "null_thing.blocks", path);
    assert_eq!(
        blocks(&["rule"]),
        "[{inner: [{number: 443}, {number: 1}], name: \"tls\"}, {inner: [{number: 80}, {number: 1}], name: \"web\"}]"
    );
    assert_eq!(blocks(&["maybe"]), "[{value: ?${maybe.value.x}}]");
    assert_eq!(blocks(&["others"]), "\"a-a\"");
    assert_eq!(blocks(&["all"]), "[\"a-a\", \"b-b\"]");
    assert_eq!(blocks(&["ids"]), "[?${aws_eip.two[0].id}, ?${aws_eip.two[1].id}]");
}

#[test]
fn modules_variables_and_files_count_in_their_order() {
    let (resources, problems) = terraform(&[
        (
            "env/main.tf",
            r#"
variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
module "m" {
  source   = "../modules/m"
  for_each = { x = var.a, y = var.b }
  value    = each.value
  settings = { name = "n" }
  providers = { aws = aws.west }
}
provider "aws" {
  alias  = "west"
  region = "us-west-1"
  default_tags { tags = { Owner = "me" } }
}
module "far" { source = "terraform-aws-modules/vpc/aws" }
resource "null_thing" "x" {
  a    = var.a
  b    = var.b
  c    = var.c
  out  = module.m["x"].out
  far  = module.far.vpc_id
  file = file("${path.module}/policy.json")
  text = templatefile("t.tpl", { name = "w", n = 2 })
  bad  = file("../../etc/passwd")
}
"#,
        ),
        ("env/terraform.tfvars", "a = \"tfvars\"\nb = \"tfvars\"\n"),
        ("env/z.auto.tfvars.json", "{\"b\": \"auto\"}"),
        ("--tf-vars/prod.tfvars", "c = \"asked\"\n"),
        ("env/policy.json", "{\"Statement\": []}"),
        ("env/t.tpl", "%{ for i in range(n) }${name}${i}%{ endfor }"),
        (
            "modules/m/main.tf",
            r#"
variable "value" {}
variable "settings" { type = object({ name = string, size = optional(number, 3), on = optional(bool) }) }
output "out" { value = aws_vpc.v.cidr_block }
resource "aws_vpc" "v" {
  cidr_block = var.value
  tags       = { Name = "${var.settings.name}-${var.settings.size}" }
}
"#,
        ),
    ]);
    assert_eq!(
        problems,
        [
            "env/main.tf:17: module far is unknown: its source terraform-aws-modules/vpc/aws is not on this machine",
            "env/main.tf:26: file() reads outside of the root",
        ]
    );
    let x = |name: &str| field(&resources, "null_thing.x", &[name]);
    assert_eq!((x("a"), x("b"), x("c")), ("\"tfvars\"".into(), "\"auto\"".into(), "\"asked\"".into()));
    assert_eq!(x("out"), "\"tfvars\"");
    assert_eq!(x("far"), "?${module.far.vpc_id}");
    assert_eq!(x("file"), "\"{\\\"Statement\\\": []}\"");
    assert_eq!(x("text"), "\"w0w1\"");
    assert_eq!(x("bad"), "?");
    let vpc = "module.m[\"y\"].aws_vpc.v";
    assert_eq!(field(&resources, vpc, &["cidr"]), "\"auto\"");
    assert_eq!(field(&resources, vpc, &["region"]), "\"us-west-1\"");
    assert_eq!(field(&resources, vpc, &["tags"]), "{Name: \"n-3\", Owner: \"me\"}");
    let node = &resources.iter().find(|resource| resource.name == vpc).unwrap().node;
    let cidr = node.get("cidr").unwrap().span;
    assert_eq!((cidr.source, cidr.line), (2, 1), "the tfvars file states it");
}

#[test]
fn the_json_syntax_says_the_same() {
    let (resources, problems) = terraform(&[(
        "main.tf.json",
        r#"{"variable": {"n": {"default": "logs"}},
 "locals": [{"tags": {"a": "${var.n}"}}],
 "resource": {"aws_s3_bucket": {"b": {"bucket": "${var.n}-\u00e9", "tags": "${local.tags}",
   "//": "a comment"}},
  "aws_s3_bucket_versioning": {"b": {"bucket": "${aws_s3_bucket.b.id}",
   "versioning_configuration": {"status": "Enabled"}}},
  "aws_security_group": {"g": {"dynamic": {"ingress": {"for_each": [22], "content": {
    "from_port": "${ingress.value}", "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}}}}}}}"#,
    )]);
    assert_eq!(problems, [] as [&str; 0]);
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["name"]), "\"logs-é\"");
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["tags"]), "{a: \"logs\"}");
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["versioning", "enabled"]), "true");
    assert!(field(&resources, "aws_security_group.g", &["rules"]).contains("fromPort: 22"));
}

#[test]
fn plans_and_states_are_resources_too() {
    let plan = r#"{"format_version": "1.2", "terraform_version": "1.9.0",
 "planned_values": {"root_module": {
  "resources": [{"address": "aws_s3_bucket.b", "mode": "managed", "type": "aws_s3_bucket", "name": "b",
    "values": {"bucket": "data", "tags": null}}],
  "child_modules": [{"address": "module.m", "resources": [
   {"address": "module.m.aws_kms_key.k[0]", "mode": "managed", "type": "aws_kms_key", "name": "k", "index": 0,
    "values": {"enable_key_rotation": true}},
   {"address": "module.m.aws_ebs_volume.v", "mode": "managed", "type": "aws_ebs_volume", "name": "v",
    "values": {"encrypted": true}}]}]}},
 "resource_changes": [
  {"address": "aws_s3_bucket.b", "change": {"after_unknown": {"id": true, "acl": true, "tags": false}}},
  {"address": "module.m.aws_ebs_volume.v", "change": {"after_unknown": {"kms_key_id": true, "snapshot_id": true}}}],
 "configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [
  {"address": "aws_ebs_volume.v", "expressions": {"kms_key_id": {"references": ["aws_kms_key.k[0].arn", "aws_kms_key.k"]}}}]}}}}}}"#;
    let (resources, problems) = terraform(&[("plan.json", plan)]);
    assert_eq!(problems, [] as [&str; 0]);
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["name"]), "\"data\"");
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["acl"]), "?");
    assert_eq!(field(&resources, "module.m.aws_ebs_volume.v", &["kmsKey"]), "\"module.m.aws_kms_key.k[0]\"");
    assert_eq!(field(&resources, "module.m.aws_ebs_volume.v", &["snapshot"]), "?");

    let state = r#"{"version": 4, "terraform_version": "1.9.0", "lineage": "x", "resources": [
 {"mode": "managed", "type": "aws_s3_bucket", "name": "b", "instances": [
  {"index_key": "k", "attributes": {"bucket": "data", "id": "data", "arn": "arn:aws:s3:::data"}}]},
 {"module": "module.m", "mode": "managed", "type": "aws_s3_bucket_public_access_block", "name": "p", "instances": [
  {"attributes": {"bucket": "data", "block_public_acls": true}}]}]}"#;
    let (resources, _) = terraform(&[("terraform.tfstate", state)]);
    assert_eq!(field(&resources, "aws_s3_bucket.b[\"k\"]", &["publicAccess", "blockAcls"]), "true");
}

#[test]
fn loops_and_floods_are_bounded_and_told() {
    let (resources, problems) = terraform(&[
        (
            "main.tf",
            r#"
locals {
  a = local.b
  b = local.a
  big = join("", [for i in range(1000) : join("", [for j in range(1000) : "0123456789"])])
}
resource "null_thing" "x" {
  cycle = local.a
  big   = local.big
  self  = null_thing.x.self
}
resource "null_thing" "many" { count = 100000 }
module "self" { source = "./" }
module "other" { source = "./other" }
"#,
        ),
        ("other/main.tf", "module \"back\" { source = \"../other\" }\n"),
    ]);
    assert_eq!(field(&resources, "null_thing.x", &["cycle"]), "?");
    assert_eq!(field(&resources, "null_thing.x", &["big"]), "?${local.big}");
    assert_eq!(resources.len(), 1001);
    for expected in [
        "local.a depends on itself",
        "100000 instances",
        "the module calls itself",
        "x.self depends on itself",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}: {problems:?}");
    }

    // Chains and nests of values.
    let mut text = String::from("locals {\n  l0 = [1, 1]\n");
    for level in 1..2000 {
        text.push_str(&format!("  l{level} = [local.l{}, local.l{}]\n", level - 1, level - 1));
    }
    text.push_str(
        "}\nresource \"null_thing\" \"x\" {\n  value = local.l1999\n  same = local.l60 == local.l59\n}\n",
    );
    let (_, problems) = terraform(&[("main.tf", &text)]);
    assert!(problems.iter().any(|problem| problem.contains("more than 300 levels")), "{problems:?}");
    for nested in [
        "(".repeat(5000),
        "[".repeat(5000),
        "{a={".repeat(5000),
        "-".repeat(5000),
        "!".repeat(5000),
        "\"${".repeat(5000),
    ] {
        let (_, problems) = terraform(&[("main.tf", &format!("resource \"a_b\" \"c\" {{\n  d = {nested}"))]);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
    let chain = format!(
        "resource \"a_b\" \"c\" {{\n  d = 1{}\n  e = x{}\n}}\n",
        " + 1".repeat(5000),
        ".y".repeat(5000)
    );
    let (_, problems) = terraform(&[("main.tf", &chain)]);
    assert!(problems.iter().any(|problem| problem.contains("nested deeper")), "{problems:?}");
}

#[test]
fn what_is_around_a_mistake_is_kept() {
    let (resources, problems) = terraform(&[(
        "main.tf",
        "resource \"null_thing\" \"a\" {\n  x = 1\n}\nresource \"null_thing\" \"b\" {\n  x = = 2\n}\nresource \"null_thing\" \"c\" {\n  x = 3\n}\n",
    )]);
    let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["null_thing.a", "null_thing.c"]);
    assert_eq!(problems, ["main.tf:5: an expression is missing"]);
}
