//! What AWS resources say: networks decide what the internet reaches, policies what an identity may do.
//!
//! Resources are those of Terraform and CloudFormation (docs/resources.md). What is unknown neither opens nor closes
//! anything silently: it becomes a way from "somebody outside" or a notice.

pub mod identity;
mod network;
mod reach;

use yagura_configuration::Resource;
use yagura_formats::document::Node;
use yagura_model::graph::{Builder, NodeId};

use super::Sources;
use super::resources::{Resources, label, node, texts};
use crate::iam::{Policy, Truth};

/// `pods` are workloads of a cluster that may open connections to private addresses.
pub(super) fn add(
    aws: &Resources<'_>,
    sources: &Sources<'_>,
    pods: &[(NodeId, String)],
    builder: &mut Builder,
    notices: &mut Vec<String>,
) {
    if !sources.cloud.resources.iter().any(|one| one.kind.starts_with("aws/")) {
        return;
    }
    network::add(aws, sources, builder);
    reach::add(aws, pods, builder);
    identity::add(aws, sources, builder, notices);
}

impl<'a> Resources<'a> {
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
}
