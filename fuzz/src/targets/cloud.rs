//! Infrastructure as code: Terraform's languages and files, CloudFormation's templates.

use yagura_configuration::{Parsed, Source, SourceFile, cloudformation, terraform};
use yagura_formats::document;

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "cloud/terraform",
        seeds: || {
            vec![
                b"variable \"v\" {\n  type = list(object({a = optional(string, \"x\")}))\n  default = [{}]\n}\nlocals {\n  l = { for k, v in var.v : k => \"${v.a}-%{ if true ~} y %{ endif }\"... if v.a != null }\n}\nresource \"aws_security_group\" \"g\" {\n  count = length(local.l) > 0 ? 2 : 0\n  dynamic \"ingress\" {\n    for_each = [22, 80]\n    content {\n      from_port = ingress.value\n    }\n  }\n  x = var.v[*].a\n}\n".to_vec(),
                b"data \"aws_iam_policy_document\" \"d\" {\n  statement {\n    actions = [\"s3:*\"]\n    resources = [\"${aws_s3_bucket.b.arn}/*\"]\n  }\n}\nresource \"aws_s3_bucket\" \"b\" { bucket = format(\"%05.2f %[1]s\", 1.5) }\nresource \"aws_s3_bucket_policy\" \"p\" {\n  bucket = aws_s3_bucket.b.id\n  policy = <<-EOT\n    {\"Statement\": [{\"Resource\": \"${aws_s3_bucket.b.arn}\"}]}\n  EOT\n}\nmodule \"m\" { source = \"./\" }\n".to_vec(),
            ]
        },
        run: |bytes| run(&terraform::SOURCE, "main.tf", bytes),
    },
    Target {
        name: "cloud/terraform-json",
        seeds: || {
            vec![br#"{"locals": {"a": "${upper(\"x\")}"}, "resource": {"aws_vpc": {"v": {"cidr_block": "${cidrsubnet(\"10.0.0.0/8\", 8, 2)}", "dynamic": {"x": {"for_each": [1], "content": {"y": "${x.value}"}}}}}}}"#.to_vec()]
        },
        run: |bytes| run(&terraform::SOURCE, "main.tf.json", bytes),
    },
    Target {
        name: "cloud/terraform-plan",
        seeds: || {
            vec![
                br#"{"terraform_version": "1.9", "planned_values": {"root_module": {"resources": [{"address": "module.a[\"x\"].aws_vpc.v[0]", "type": "aws_vpc", "values": {"tags": {"a": "b"}}}]}}, "resource_changes": [{"address": "module.a[\"x\"].aws_vpc.v[0]", "change": {"after_unknown": {"id": true, "tags": {"a": true}}}}]}"#.to_vec(),
                br#"{"version": 4, "terraform_version": "1.9", "lineage": "l", "resources": [{"mode": "managed", "type": "aws_vpc", "name": "v", "instances": [{"index_key": 0, "attributes": {"id": "vpc-1"}}]}]}"#.to_vec(),
            ]
        },
        run: |bytes| run(&terraform::SOURCE, "plan.json", bytes),
    },
    Target {
        name: "cloud/cloudformation",
        seeds: || {
            vec![
                b"AWSTemplateFormatVersion: '2010-09-09'\nParameters: {P: {Type: CommaDelimitedList, Default: 'a,b'}}\nConditions: {C: !Equals [!Select [0, !Ref P], a]}\nResources:\n  B:\n    Type: AWS::S3::Bucket\n    Condition: C\n    Properties: {BucketName: !Sub '${AWS::Region}-${!x}-${B.Arn}', Tags: !If [C, [], !Ref AWS::NoValue]}\n  F: {Type: AWS::Serverless::Function, Properties: {FunctionUrlConfig: {AuthType: NONE}, Policies: [a]}}\n  S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: template.yaml}}\n".to_vec(),
                br#"{"Resources": {"G": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"SecurityGroupIngress": [{"IpProtocol": -1, "CidrIp": {"Fn::Select": [0, {"Fn::Cidr": ["10.0.0.0/16", 2, 8]}]}}]}}}}"#.to_vec(),
            ]
        },
        run: |bytes| run(&cloudformation::SOURCE, "template.yaml", bytes),
    },
];

fn run(source: &Source, path: &str, bytes: &[u8]) {
    let text = document::decode(bytes);
    let mut parsed = Parsed::default();
    (source.parse)(&[SourceFile { path, text: &text }], &mut parsed);
}
