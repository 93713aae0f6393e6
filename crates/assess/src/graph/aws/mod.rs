//! What AWS resources say: networks decide what the internet reaches, policies what an identity may do.
//!
//! Resources are those of Terraform and CloudFormation (docs/resources.md). What is unknown neither opens nor closes
//! anything silently: it becomes a way from "somebody outside" or a notice.

pub mod identity;
mod network;

use std::collections::{BTreeSet, HashMap};

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, NodeId, NodeKind};

use super::Sources;
use crate::iam::{Policy, Truth};

/// Cloud resources and the files they were read from.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// By [`yagura_formats::document::Span::source`].
    pub files: Vec<String>,
    pub resources: Vec<Resource<'static>>,
}

/// The resources by name, and where things stand.
pub(super) struct Aws<'a> {
    cloud: &'a Cloud,
    by_name: HashMap<&'a str, &'a Resource<'static>>,
    /// ARNs of roles and users that policies write in full.
    stated_arns: BTreeSet<String>,
}

pub(super) fn add(aws: &Aws<'_>, sources: &Sources<'_>, builder: &mut Builder, notices: &mut Vec<String>) {
    if !sources.cloud.resources.iter().any(|one| one.kind.starts_with("aws/")) {
        return;
    }
    network::add(aws, sources, builder);
    identity::add(aws, sources, builder, notices);
}

impl<'a> Aws<'a> {
    /// Whether a role that was read lets a service account in that names it, and why; none where it was not read.
    pub(super) fn web_identity(
        &self,
        namespace: &str,
        name: &str,
        arn: &str,
    ) -> Option<(Truth, String, String)> {
        if !arn.starts_with("arn:aws") {
            return None;
        }
        identity::web_identity(self, namespace, name, arn)
    }

    pub(super) fn new(cloud: &'a Cloud) -> Self {
        let mut stated_arns = BTreeSet::new();
        for one in cloud.resources.iter().filter(|one| one.kind.starts_with("aws/iam-")) {
            arns(&one.node, &mut stated_arns);
        }
        Self {
            cloud,
            by_name: cloud.resources.iter().map(|one| (one.name.as_str(), one)).collect(),
            stated_arns,
        }
    }

    /// The ARN of a resource, with `?` for the parts that configuration does not say; none for kinds that have none here.
    fn arn(&self, resource: &Resource<'_>) -> Option<String> {
        if let Some(arn) = resource.node.text_of("arn").filter(|arn| arn.starts_with("arn:")) {
            return Some(arn.to_owned());
        }
        let name = label(resource);
        Some(match &*resource.kind {
            "aws/s3-bucket" => format!("arn:aws:s3:::{name}"),
            "aws/dynamodb-table" => format!("arn:aws:dynamodb:?:?:table/{name}"),
            "aws/rds-instance" => format!("arn:aws:rds:?:?:db:{name}"),
            "aws/redshift-cluster" => format!("arn:aws:redshift:?:?:dbname:{name}/x"),
            "aws/secret" => format!("arn:aws:secretsmanager:?:?:secret:{name}"),
            "aws/ssm-parameter" => format!("arn:aws:ssm:?:?:parameter/{}", name.trim_start_matches('/')),
            "aws/kms-key" => format!("arn:aws:kms:?:?:key/{}", resource.name),
            "aws/sqs-queue" => format!("arn:aws:sqs:?:?:{name}"),
            "aws/sns-topic" => format!("arn:aws:sns:?:?:{name}"),
            "aws/ecr-repository" => format!("arn:aws:ecr:?:?:repository/{name}"),
            "aws/lambda-function" => format!("arn:aws:lambda:?:?:function:{name}"),
            "aws/instance" => format!("arn:aws:ec2:?:?:instance/{}", resource.name),
            "aws/ecs-service" => format!("arn:aws:ecs:?:?:task/x/{name}"),
            "aws/iam-role" => format!("arn:aws:iam::?:role/{name}"),
            "aws/iam-user" => format!("arn:aws:iam::?:user/{name}"),
            "aws/iam-policy" => format!("arn:aws:iam::?:policy/{name}"),
            _ => return None,
        })
    }

    /// A text of a policy with references to resources that were read replaced by what they stand for.
    fn resolve(&self, text: &str) -> String {
        if let Some(arn) = self.linked(text).and_then(|resource| self.arn(resource)) {
            return arn.replace('?', "*");
        }
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            resolved.push_str(before);
            let Some(end) = from.find('}') else { break };
            let (whole, after) = from.split_at(end + 1);
            let inside = whole.trim_start_matches("${").trim_end_matches('}');
            match self.attribute(inside) {
                Some(value) => resolved.push_str(&value),
                None => resolved.push_str(whole),
            }
            rest = after;
        }
        resolved.push_str(rest);
        resolved
    }

    /// `aws_s3_bucket.a.arn`, `Bucket.Arn`, `Bucket`.
    fn attribute(&self, reference: &str) -> Option<String> {
        let (address, attribute) = match reference.rsplit_once('.') {
            Some((address, attribute)) if self.linked(address).is_some() => (address, attribute),
            _ => (reference, "id"),
        };
        let resource = self.linked(address)?;
        match attribute {
            "arn" | "Arn" => self.arn(resource).map(|arn| arn.replace('?', "*")),
            "id" | "name" | "bucket" | "key_id" | "Name" => resource.node.text_of("name").map(str::to_owned),
            _ => None,
        }
    }

    /// A policy document that a resource has.
    fn policy(&self, node: &Node<'_>) -> Policy {
        Policy::read(node, &|text| self.resolve(text), &|node| self.place(node))
    }

    fn of(&self, kind: &'static str) -> impl Iterator<Item = &'a Resource<'static>> {
        self.cloud.resources.iter().filter(move |one| one.kind == kind)
    }

    /// The resource that a link names.
    fn linked(&self, link: &str) -> Option<&'a Resource<'static>> {
        self.by_name.get(link).copied()
    }

    fn place(&self, node: &Node<'_>) -> String {
        let file = usize::try_from(node.span.source).ok().and_then(|at| self.cloud.files.get(at));
        format!("{}:{}", file.map_or("?", String::as_str), node.span.line)
    }
}

/// Every text of a tree that is the ARN of a role or user in an account.
fn arns(node: &Node<'_>, found: &mut BTreeSet<String>) {
    if let Some(text) = node.scalar().filter(|text| text.starts_with("arn:aws:iam::")) {
        found.insert(text.to_owned());
    }
    node.items().iter().for_each(|item| arns(item, found));
    node.entries().iter().for_each(|entry| arns(&entry.value, found));
}

/// The texts of a list, or the one text that stands for a list.
fn texts<'n>(node: &'n Node<'_>, key: &str) -> Vec<&'n str> {
    match node.get(key) {
        Some(one) if one.scalar().is_some() => one.scalar().into_iter().collect(),
        Some(list) => list.items().iter().filter_map(Node::scalar).collect(),
        None => Vec::new(),
    }
}

/// What people call a resource: its name, else its address.
fn label<'r>(resource: &'r Resource<'_>) -> &'r str {
    resource.node.text_of("name").unwrap_or(&resource.name)
}

/// The node of a resource; its key is its address.
fn node(builder: &mut Builder, kind: NodeKind, resource: &Resource<'_>) -> NodeId {
    let what = resource.kind.rsplit('/').next().unwrap_or_default();
    builder.node(kind, &resource.name, &format!("{what} {}", label(resource)))
}
