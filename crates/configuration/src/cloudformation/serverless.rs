//! Resources of the Serverless Application Model as the resources they become, where that is simple.

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Value};

use crate::cloud::{Language, Raw, symbol};

/// What a resource becomes; itself where we do not know.
pub(super) fn expanded(mut raw: Raw, globals: Option<Node<'static>>) -> Vec<Raw> {
    inherit(&mut raw.body, globals);
    match raw.kind.as_str() {
        "AWS::Serverless::Function" => function(raw),
        "AWS::Serverless::SimpleTable" => renamed(raw, "AWS::DynamoDB::Table", &[]),
        "AWS::Serverless::Api" => renamed(raw, "AWS::ApiGateway::Stage", &[]),
        "AWS::Serverless::HttpApi" => {
            renamed(raw, "AWS::ApiGatewayV2::Stage", &[("AccessLogSettings", "AccessLogSettings")])
        }
        _ => vec![raw],
    }
}

/// Properties that the template's Globals give where the resource gives none.
fn inherit(body: &mut Node<'static>, globals: Option<Node<'static>>) {
    let (Value::Mapping(own), Some(Node { value: Value::Mapping(globals), .. })) = (&mut body.value, globals)
    else {
        return;
    };
    for global in globals {
        let known = own.iter_mut().find(|own| own.key.scalar() == global.key.scalar());
        match known.map(|entry| &mut entry.value) {
            None => own.push(global),
            // Objects such as Environment are joined.
            Some(value) if matches!(value.value, Value::Mapping(_)) => inherit(value, Some(global.value)),
            Some(_) => {}
        }
    }
}

fn renamed(mut raw: Raw, kind: &str, names: &[(&'static str, &'static str)]) -> Vec<Raw> {
    raw.kind = kind.to_owned();
    for (from, to) in names {
        rename(&mut raw.body, from, to);
    }
    vec![raw]
}

fn rename(body: &mut Node<'static>, from: &str, to: &'static str) {
    let Value::Mapping(entries) = &mut body.value else { return };
    for entry in entries.iter_mut().filter(|entry| entry.key.scalar() == Some(from)) {
        entry.key.value = Value::String(Cow::Borrowed(to));
    }
}

fn property(name: &'static str, value: Node<'static>) -> Entry<'static> {
    Entry { key: Node::new(value.span, Value::String(Cow::Borrowed(name))), value }
}

/// A function, the role made for it where it names none, and its URL.
fn function(mut raw: Raw) -> Vec<Raw> {
    let span = raw.body.span;
    let reference = |name: &str| symbol::unknown(span, &symbol::mark(name));
    let related = |kind: &str, name: String, entries: Vec<Entry<'static>>| Raw {
        language: Language::CloudFormation,
        kind: kind.to_owned(),
        name,
        body: Node::new(span, Value::Mapping(entries)),
        region: None,
        project: None,
        default_tags: None,
    };
    let mut raws = Vec::new();
    if let Some(url) = raw.body.get("FunctionUrlConfig") {
        let mut entries = url.entries().to_vec();
        entries.push(property("TargetFunctionArn", reference(&raw.name)));
        raws.push(related("AWS::Lambda::Url", format!("{}Url", raw.name), entries));
    }
    if raw.body.get("Role").is_none() {
        let name = format!("{}Role", raw.name);
        let (mut managed, mut inline) = (Vec::new(), Vec::new());
        if let Some(policies) = raw.body.get("Policies") {
            let single = std::slice::from_ref(policies);
            for policy in if policies.items().is_empty() { single } else { policies.items() } {
                if policy.get("Statement").is_some() {
                    let entries = vec![property("PolicyDocument", policy.clone())];
                    inline.push(Node::new(policy.span, Value::Mapping(entries)));
                } else {
                    // A name of a managed policy; templates of SAM are mappings, and what they allow is unknown here.
                    let known = policy.scalar().is_some() || policy.is_unknown();
                    managed.push(if known { policy.clone() } else { Node::new(policy.span, Value::Unknown) });
                }
            }
        }
        let service = "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";
        let entries = vec![
            property("AssumeRolePolicyDocument", Node::new(span, Value::String(Cow::Borrowed(service)))),
            property("ManagedPolicyArns", Node::new(span, Value::Sequence(managed))),
            property("Policies", Node::new(span, Value::Sequence(inline))),
        ];
        raws.push(related("AWS::IAM::Role", name.clone(), entries));
        if let Value::Mapping(entries) = &mut raw.body.value {
            entries.push(property("Role", reference(&name)));
        }
    }
    rename(&mut raw.body, "DeadLetterQueue", "DeadLetterConfig");
    if let Some(tracing) = raw.body.get("Tracing").cloned()
        && let Value::Mapping(entries) = &mut raw.body.value
    {
        let mode = Node::new(tracing.span, Value::Mapping(vec![property("Mode", tracing)]));
        entries.push(property("TracingConfig", mode));
    }
    raw.kind = "AWS::Lambda::Function".to_owned();
    raws.insert(0, raw);
    raws
}
