//! Templates through functions and tables.

use crate::cloud::tests::{field, shown};
use crate::{Parsed, Resource, SourceFile};

fn cloudformation(files: &[(&str, &str)]) -> (Vec<Resource<'static>>, Vec<String>) {
    let files: Vec<SourceFile<'_>> = files.iter().map(|(path, text)| SourceFile { path, text }).collect();
    let mut parsed = Parsed::default();
    (super::SOURCE.parse)(&files, &mut parsed);
    let problems = parsed.problems.iter().map(|problem| {
        let path = files.get(problem.source as usize).map_or("", |file| file.path);
        format!("{path}:{}: {}", problem.line, problem.detail)
    });
    let problems = problems.collect();
    let own = |resource: Resource<'_>| Resource {
        kind: resource.kind,
        name: resource.name,
        node: resource.node.into_owned(),
    };
    (parsed.resources.into_iter().map(own).collect(), problems)
}

/// What an expression gives as a property of a resource without a table.
fn value(expression: &str) -> String {
    let text = format!(
        "
Parameters:
  Name: {{Type: String, Default: web}}
  Zones: {{Type: CommaDelimitedList, Default: 'a, b'}}
  Open: {{Type: String}}
  Secret: {{Type: 'AWS::SSM::Parameter::Value<String>', Default: /key}}
Mappings:
  Sizes: {{small: {{type: t3.nano}}, large: {{type: m5.large}}}}
Conditions:
  IsWeb: !Equals [!Ref Name, web]
  IsOpen: !Equals [!Ref Open, 'yes']
  Both: !And [!Condition IsWeb, !Condition IsOpen]
  Either: !Or [!Condition IsWeb, !Condition IsOpen]
  NotWeb: !Not [!Condition IsWeb]
  Loop: !Not [!Condition Loop]
Resources:
  Key: {{Type: 'AWS::New::Thing'}}
  X:
    Type: AWS::New::Thing
    Properties:
      Value: {expression}
"
    );
    let (resources, _) = cloudformation(&[("t.yaml", &text)]);
    let found = resources.iter().find(|resource| resource.name == "X").unwrap();
    found.node.get("Value").map_or_else(|| "absent".to_owned(), shown)
}

#[test]
fn functions_give_what_is_documented() {
    for (expression, expected) in [
        ("!Ref Name", "\"web\""),
        ("{Ref: Zones}", "[\"a\", \"b\"]"),
        ("!Ref Open", "?${Open}"),
        ("!Ref Secret", "?${Secret}"),
        ("!Ref AWS::Region", "?${AWS::Region}"),
        ("!Ref AWS::NoValue", "absent"),
        ("!Ref Key", "?${Key}"),
        ("!GetAtt Key.Arn", "?${Key.Arn}"),
        ("{'Fn::GetAtt': [Key, Arn]}", "?${Key.Arn}"),
        ("!Sub 'a-${Name}-${!Name}'", "\"a-web-${Name}\""),
        ("!Sub '${Key.Arn}/*'", "?${Key.Arn}/*"),
        ("!Sub ['${A}-${Name}', {A: !Select [1, !Ref Zones]}]", "\"b-web\""),
        ("!Join ['-', [a, !Ref Name, c]]", "\"a-web-c\""),
        ("!Join ['', ['arn:', !GetAtt Key.Arn]]", "?arn:${Key.Arn}"),
        ("!Join [',', !Ref Zones]", "\"a,b\""),
        ("!Split ['|', 'a|b']", "[\"a\", \"b\"]"),
        ("!Select ['0', !Split ['.', 'x.y']]", "\"x\""),
        ("!FindInMap [Sizes, small, type]", "\"t3.nano\""),
        ("!FindInMap [Sizes, !Ref Open, type]", "?"),
        ("!FindInMap [Sizes, none, type, {DefaultValue: d}]", "\"d\""),
        ("!If [IsWeb, 1, 2]", "1"),
        ("!If [NotWeb, 1, 2]", "2"),
        ("!If [IsOpen, 1, 2]", "?"),
        ("!If [IsOpen, same, same]", "\"same\""),
        ("!If [Both, 1, 2]", "?"),
        ("!If [Either, 1, 2]", "1"),
        ("!If [Loop, 1, 2]", "?"),
        ("!If [NotWeb, 1, !Ref AWS::NoValue]", "absent"),
        ("!Cidr ['10.0.0.0/16', 2, 8]", "[\"10.0.0.0/24\", \"10.0.1.0/24\"]"),
        ("!ImportValue net", "?${ImportValue:net}"),
        ("!Base64 text", "\"text\""),
        ("{'Fn::Length': !Ref Zones}", "2"),
        ("{'Fn::ToJsonString': {a: !Ref Name}}", "{a: \"web\"}"),
        ("{'Fn::Transform': {Name: 'AWS::Include'}}", "?"),
        ("{Condition: {StringEquals: {a: b}}}", "{Condition: {StringEquals: {a: \"b\"}}}"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn nested_stacks_are_followed_and_loops_are_told() {
    let (resources, problems) = cloudformation(&[
        (
            "main.yaml",
            "
Resources:
  Logs: {Type: AWS::S3::Bucket}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./inner/bucket.json
      Parameters: {Target: !Ref Logs, On: 'false'}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !GetAtt Inner.Outputs.Name
      PolicyDocument: {Statement: [{Effect: Deny, Principal: '*', Action: '*', Resource: '*'}]}
  Far:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: 'https://example.com/x.yaml'}
",
        ),
        (
            "inner/bucket.json",
            r#"{"AWSTemplateFormatVersion": "2010-09-09",
 "Parameters": {"Target": {"Type": "String"}, "On": {"Type": "String", "Default": "true"}},
 "Conditions": {"On": {"Fn::Equals": [{"Ref": "On"}, "true"]}},
 "Resources": {
  "Data": {"Type": "AWS::S3::Bucket", "Properties": {
    "LoggingConfiguration": {"DestinationBucketName": {"Ref": "Target"}}}},
  "Off": {"Type": "AWS::S3::Bucket", "Condition": "On"},
  "Self": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "bucket.json"}}},
 "Outputs": {"Name": {"Value": {"Ref": "Data"}}}}"#,
        ),
    ]);
    assert_eq!(field(&resources, "Inner/Data", &["logging"]), "\"Logs\"");
    assert!(field(&resources, "Inner/Data", &["policy"]).contains("Deny"));
    assert!(!resources.iter().any(|resource| resource.name == "Inner/Off"));
    assert_eq!(
        problems,
        [
            "main.yaml:14: the stack Far/ is unknown: its template is not in this configuration",
            "inner/bucket.json:8: the stack Inner/Self/ is unknown: its template nests itself",
        ]
    );
}

#[test]
fn a_serverless_function_gets_its_role_and_url() {
    let (resources, _) = cloudformation(&[(
        "t.yaml",
        "
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Environment: {Variables: {A: b}}}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionUrlConfig: {AuthType: NONE}
      Environment: {Variables: {C: d}}
      Policies:
      - AmazonS3FullAccess
      - Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]
",
    )]);
    assert_eq!(field(&resources, "F", &["role"]), "\"FRole\"");
    assert_eq!(field(&resources, "F", &["runtime"]), "\"python3.12\"");
    assert_eq!(field(&resources, "F", &["environment"]), "{C: \"d\", A: \"b\"}");
    assert_eq!(field(&resources, "F", &["urls"]), "[{authorization: \"NONE\", origins: []}]");
    assert!(field(&resources, "FRole", &["policies"]).contains("s3:*"));
    assert_eq!(field(&resources, "FRole", &["managedPolicies"]), "[\"AmazonS3FullAccess\"]");
}
