//! Whole configurations through parser, evaluation and tables.

use yagura_formats::document::{Node, Value};

use super::{mapping, symbol};
use crate::{Parsed, Resource, SourceFile};

/// A node as compact text; unknown values show what they refer to.
pub(crate) fn shown(node: &Node<'_>) -> String {
    match &node.value {
        Value::Unknown => format!("?{}", node.tag.as_deref().unwrap_or_default()),
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(text) => text.to_string(),
        Value::String(text) => format!("{text:?}"),
        Value::Sequence(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Mapping(entries) => {
            let entries = entries
                .iter()
                .map(|entry| format!("{}: {}", entry.key.scalar().unwrap_or_default(), shown(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

pub(crate) fn terraform(files: &[(&str, &str)]) -> (Vec<Resource<'static>>, Vec<String>) {
    let files: Vec<SourceFile<'_>> = files.iter().map(|(path, text)| SourceFile { path, text }).collect();
    let mut parsed = Parsed::default();
    (crate::terraform::SOURCE.parse)(&files, &mut parsed);
    let problems = parsed.problems.iter().map(|problem| {
        let path = files.get(problem.source as usize).map_or("", |file| file.path);
        format!("{path}:{}: {}", problem.line, problem.detail)
    });
    let problems = problems.collect();
    let resources = parsed.resources.into_iter().map(|resource| Resource {
        kind: resource.kind,
        name: resource.name,
        node: resource.node.into_owned(),
    });
    (resources.collect(), problems)
}

#[track_caller]
fn resource<'r>(resources: &'r [Resource<'static>], name: &str) -> &'r Resource<'static> {
    let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
    resources
        .iter()
        .find(|resource| resource.name == name)
        .unwrap_or_else(|| panic!("{name} is not in {names:?}"))
}

#[track_caller]
pub(crate) fn field(resources: &[Resource<'static>], name: &str, path: &[&str]) -> String {
    let node = &resource(resources, name).node;
    node.at(path).map_or_else(|| "absent".to_owned(), shown)
}

#[test]
fn every_table_is_well_formed() {
    for file in yagura_rules::family("mappings") {
        let sections = mapping::parse(file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        assert!(!sections.is_empty(), "{}", file.path);
        for section in sections {
            assert!(section.kind.contains('/'), "{}", section.kind);
            assert!(!section.types.is_empty() && !section.fields.is_empty(), "{}", section.kind);
        }
    }
}

#[test]
fn parts_of_a_bucket_join_it_through_references_names_and_modules() {
    let (resources, problems) = terraform(&[
        (
            "main.tf",
            r#"
variable "prefix" {}
resource "aws_s3_bucket" "a" { bucket = "logs" }
resource "aws_s3_bucket" "b" { bucket = "${var.prefix}-b" }
resource "aws_s3_bucket" "c" {}
resource "aws_s3_bucket_public_access_block" "a" {
  bucket            = "logs"
  block_public_acls = true
}
resource "aws_s3_bucket_versioning" "b" {
  bucket = "${var.prefix}-b"
  versioning_configuration { status = "Enabled" }
}
module "policy" {
  source = "./policy"
  bucket = aws_s3_bucket.c.id
  arn    = aws_s3_bucket.c.arn
}
resource "aws_s3_bucket_logging" "c" {
  bucket        = aws_s3_bucket.c.bucket
  target_bucket = aws_s3_bucket.a.id
  target_prefix = ""
}
"#,
        ),
        (
            "policy/main.tf",
            r#"
variable "bucket" {}
variable "arn" {}
data "aws_iam_policy_document" "this" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${var.arn}/*"]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
  }
}
resource "aws_s3_bucket_policy" "this" {
  bucket = var.bucket
  policy = data.aws_iam_policy_document.this.json
}
"#,
        ),
    ]);
    assert_eq!(problems, [] as [&str; 0]);
    let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
    assert_eq!(names, ["aws_s3_bucket.a", "aws_s3_bucket.b", "aws_s3_bucket.c"]);
    assert_eq!(field(&resources, "aws_s3_bucket.a", &["publicAccess", "blockAcls"]), "true");
    assert_eq!(field(&resources, "aws_s3_bucket.a", &["publicAccess", "restrict"]), "false");
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["versioning", "enabled"]), "true");
    assert_eq!(field(&resources, "aws_s3_bucket.b", &["name"]), "?${var.prefix}-b");
    assert_eq!(field(&resources, "aws_s3_bucket.c", &["logging"]), "\"aws_s3_bucket.a\"");
    assert_eq!(
        field(&resources, "aws_s3_bucket.c", &["policy", "statements"]),
        "[{effect: \"Allow\", actions: [\"s3:GetObject\"], notActions: [], resources: [?${aws_s3_bucket.c.arn}/*], \
         notResources: [], principals: [{type: \"*\", id: \"*\"}], notPrincipals: [], conditions: []}]"
    );
    let bucket = resource(&resources, "aws_s3_bucket.c");
    let action = bucket.node.at(&["policy", "statements"]).unwrap().items()[0].get("actions").unwrap();
    assert_eq!((action.span.source, action.span.line), (1, 6), "the place that states it");
}

#[test]
fn rules_of_a_security_group_are_gathered() {
    let (resources, _) = terraform(&[(
        "main.tf",
        r#"
resource "aws_security_group" "web" {
  ingress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_security_group" "app" {}
resource "aws_security_group_rule" "app" {
  type                     = "ingress"
  from_port                = 8080
  to_port                  = 8081
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.web.id
  security_group_id        = aws_security_group.app.id
}
resource "aws_vpc_security_group_ingress_rule" "elsewhere" {
  security_group_id = "sg-1"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv6         = "::/0"
}
"#,
    )]);
    let rules = |name: &str| field(&resources, name, &["rules"]);
    assert_eq!(
        rules("aws_security_group.web"),
        "[{direction: \"ingress\", protocol: \"all\", cidrs: [\"0.0.0.0/0\"], groups: [], prefixLists: [], \
         self: false, fromPort: 0, toPort: 65535}]"
    );
    assert_eq!(
        rules("aws_security_group.app"),
        "[{direction: \"ingress\", protocol: \"tcp\", fromPort: 8080, toPort: 8081, \
         groups: [\"aws_security_group.web\"], cidrs: [], prefixLists: [], self: false}]"
    );
    // A rule of a group that is not here stands for it.
    assert!(rules("aws_vpc_security_group_ingress_rule.elsewhere").contains("\"::/0\""));
    assert_eq!(field(&resources, "aws_vpc_security_group_ingress_rule.elsewhere", &["description"]), "?");
}

#[test]
fn references_of_an_unknown_value_can_be_read() {
    let node = symbol::unknown(Default::default(), &format!("{}/*", symbol::mark("aws_s3_bucket.a.arn")));
    assert_eq!(symbol::references(&node).collect::<Vec<_>>(), ["aws_s3_bucket.a.arn"]);
}

/// docs/resources.md lists every shape, type and field of the tables.
#[test]
fn shapes_are_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/resources.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once("<!-- shapes -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /shapes -->").unwrap();
    let mut list = String::from("| shape | from | fields |\n|---|---|---|\n");
    for shape in mapping::reference() {
        let quoted =
            |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let types: Vec<String> = shape.types.iter().map(|name| (*name).to_owned()).collect();
        list.push_str(&format!("| `{}` | {} | {} |\n", shape.kind, quoted(&types), quoted(&shape.fields)));
    }
    let expected = format!("{before}<!-- shapes -->\n{list}<!-- /shapes -->{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert!(
        text == expected || std::env::var_os("UPDATE").is_some(),
        "docs/resources.md is out of date: UPDATE=1"
    );
}
