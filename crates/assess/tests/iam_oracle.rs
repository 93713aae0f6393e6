//! Verdicts on generated policies, held against those of the `iam-rs` crate.

use iam_rs::{
    Arn, Context as TheirContext, ContextValue, Decision, IAMPolicy, IAMRequest, Principal as Theirs,
    PrincipalId, evaluate_policies,
};
use serde_json::{Map, Value, json};
use yagura_assess::iam::{Context, Layers, Policy, Principal, Request, Truth, evaluate};
use yagura_configuration::cloud::policy;
use yagura_formats::document::json as tree;

/// A small generator of numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn one_of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.roll(all.len())]
    }

    fn some_of(&mut self, all: &[&str]) -> Value {
        match self.roll(3) {
            0 => json!(self.one_of(all)),
            _ => (0..=self.roll(3)).map(|_| json!(self.one_of(all))).collect(),
        }
    }
}

const ACTIONS: [&str; 8] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:GetBucketPolicy",
    "sts:AssumeRole",
    "iam:PassRole",
    "kms:Decrypt",
    "S3:getobject",
    "sqs:SendMessage",
];
const ACTION_PATTERNS: [&str; 10] = [
    "*",
    "s3:*",
    "s3:Get*",
    "S3:GetObject",
    "sts:AssumeRole",
    "iam:*Role",
    "kms:Decrypt",
    "s3:?etObject",
    "*:*",
    "sqs:Send*",
];
const RESOURCES: [&str; 5] = [
    "arn:aws:s3:::orders/2026/a.csv",
    "arn:aws:s3:::orders",
    "arn:aws:iam::111122223333:role/app/reader",
    "arn:aws:kms:eu-west-1:111122223333:key/abc",
    "arn:aws:sqs:eu-west-1:444455556666:jobs",
];
const RESOURCE_PATTERNS: [&str; 11] = [
    "*",
    "arn:aws:s3:::orders/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::ord?rs",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::*:role/app/reader",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:sqs:eu-west-1:444455556666:jobs",
    "arn:aws:s3:::orders/*/a.csv",
    "arn:aws:s3:::orders/${aws:username}/*",
    "arn:aws:sqs:us-*:*:*",
];

/// Keys, and values that policies and requests may have for them, by family of operators.
const TEXT: [&str; 5] = ["prod", "Prod", "pre", "dev", "p*"];
const NUMBERS: [&str; 4] = ["1", "5", "10", "10.5"];
const DATES: [&str; 3] = ["2026-01-01T00:00:00Z", "2026-06-01T12:30:00Z", "2020-02-29T23:59:59Z"];
const ADDRESSES: [&str; 4] = ["10.1.2.3", "192.168.0.9", "2001:db8::1", "10.200.0.1"];
const RANGES: [&str; 4] = ["10.0.0.0/8", "192.168.0.0/24", "2001:db8::/32", "10.1.2.3/32"];
const ARNS: [&str; 3] = [
    "arn:aws:iam::111122223333:role/app/reader",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:lambda:eu-west-1:111122223333:function:f",
];
const ARN_PATTERNS: [&str; 4] = [
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:*:*:*:*",
    "arn:aws:lambda:eu-west-1:111122223333:function:?",
];

fn condition(dice: &mut Dice) -> (String, String, Value) {
    let (names, key, values): (&[&str], &str, &[&str]) = match dice.roll(10) {
        8 | 9 => {
            let set = dice.one_of(&["ForAllValues", "ForAnyValue"]);
            let name = dice.one_of(&["StringEquals", "StringLike", "StringEqualsIgnoreCase"]);
            return (format!("{set}:{name}"), "aws:TagKeys".into(), dice.some_of(&TEXT));
        }
        0 | 1 => (
            &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLike",
                "StringNotLike",
            ],
            "aws:PrincipalTag/stage",
            &TEXT,
        ),
        2 => (
            &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            "s3:max-keys",
            &NUMBERS,
        ),
        3 => (
            &[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ],
            "aws:CurrentTime",
            &DATES,
        ),
        4 => (&["Bool"], "aws:SecureTransport", &["true", "false"]),
        5 => (&["IpAddress", "NotIpAddress"], "aws:SourceIp", &RANGES),
        // The guide says that these two pairs are the same; theirs knows wildcards in one of them alone.
        6 if dice.roll(2) == 0 => (&["ArnEquals", "ArnNotEquals"], "aws:SourceArn", &ARNS),
        6 => (&["ArnLike", "ArnNotLike"], "aws:SourceArn", &ARN_PATTERNS),
        _ => return ("Null".into(), "aws:PrincipalTag/stage".into(), json!(dice.one_of(&["true", "false"]))),
    };
    let mut operator = dice.one_of(names).to_owned();
    if dice.roll(4) == 0 {
        operator.push_str("IfExists");
    }
    (operator, key.to_owned(), dice.some_of(values))
}

fn statement(dice: &mut Dice) -> Value {
    let mut statement = Map::new();
    statement.insert("Effect".into(), json!(if dice.roll(3) == 0 { "Deny" } else { "Allow" }));
    let action = if dice.roll(5) == 0 { "NotAction" } else { "Action" };
    statement.insert(action.into(), dice.some_of(&ACTION_PATTERNS));
    let resource = if dice.roll(6) == 0 { "NotResource" } else { "Resource" };
    statement.insert(resource.into(), dice.some_of(&RESOURCE_PATTERNS));
    let mut conditions = Map::new();
    for _ in 0..dice.roll(3) {
        let (operator, key, values) = condition(dice);
        conditions.insert(operator, json!({key: values}));
    }
    if !conditions.is_empty() {
        statement.insert("Condition".into(), conditions.into());
    }
    statement.into()
}

fn contexts(dice: &mut Dice) -> (Context, TheirContext) {
    let mut ours = Context::complete().with("aws:username", &["2026"]);
    let mut theirs = TheirContext::new().with_string("aws:username", "2026");
    for (key, values) in [
        ("aws:PrincipalTag/stage", &TEXT[..4]),
        ("aws:SourceIp", &ADDRESSES),
        ("aws:SourceArn", &ARNS),
        ("aws:CurrentTime", &DATES),
    ] {
        if dice.roll(4) > 0 {
            let value = dice.one_of(values);
            ours = ours.with(key, &[value]);
            theirs = theirs.with_string(key, value);
        }
    }
    if dice.roll(3) > 0 {
        let values: Vec<&str> = (0..=dice.roll(3)).map(|_| dice.one_of(&TEXT[..4])).collect();
        ours = ours.with("aws:TagKeys", &values);
        let list = values.iter().map(|value| (*value).to_owned()).collect();
        theirs.insert("aws:TagKeys".into(), ContextValue::StringList(list));
    }
    if dice.roll(4) > 0 {
        let value = dice.one_of(&NUMBERS);
        ours = ours.with("s3:max-keys", &[value]);
        theirs.insert("s3:max-keys".into(), ContextValue::Number(value.parse().unwrap()));
    }
    if dice.roll(4) > 0 {
        let value = dice.one_of(&["true", "false"]);
        ours = ours.with("aws:SecureTransport", &[value]);
        theirs.insert("aws:SecureTransport".into(), ContextValue::Boolean(value == "true"));
    }
    (ours, theirs)
}

fn read(document: &Value) -> Policy {
    let text = document.to_string();
    let parsed = tree::parse(&text, tree::Dialect::Json);
    let node = policy::document(parsed.root().unwrap().clone().into_owned());
    Policy::read(&node, &|text| text.to_owned(), &|node| node.span.line.to_string())
}

#[test]
fn thousands_of_generated_policies_are_judged_alike() {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let arn = "arn:aws:iam::111122223333:user/2026";
    let principal = Principal { arn: arn.into(), account: "111122223333".into(), ..Principal::default() };
    let (mut allowed, mut denied, mut neither) = (0, 0, 0);
    for round in 0..6000 {
        let documents: Vec<Value> = (0..=dice.roll(2))
            .map(|_| {
                let statements: Vec<Value> = (0..=dice.roll(3)).map(|_| statement(&mut dice)).collect();
                json!({"Version": "2012-10-17", "Statement": statements})
            })
            .collect();
        let ours: Vec<Policy> = documents.iter().map(read).collect();
        let theirs: Vec<IAMPolicy> =
            documents.iter().map(|one| serde_json::from_value(one.clone()).unwrap()).collect();
        for _ in 0..3 {
            let (action, resource) = (dice.one_of(&ACTIONS), dice.one_of(&RESOURCES));
            let (context, their_context) = contexts(&mut dice);
            let request = Request { action, resource, principal: &principal, context: &context };
            let verdict = evaluate(&Layers { identity: &ours, ..Layers::default() }, &request);
            let asked = IAMRequest::new_with_context(
                Theirs::Aws(PrincipalId::String(arn.into())),
                action,
                Arn::parse(resource).unwrap(),
                their_context,
            );
            let expected = evaluate_policies(&theirs, &asked).unwrap();
            let (truth, explicit) = match expected {
                Decision::Allow => (Truth::Yes, false),
                Decision::Deny => (Truth::No, true),
                Decision::NotApplicable => (Truth::No, false),
            };
            assert_eq!(
                (verdict.allowed, verdict.denied.is_some()),
                (truth, explicit),
                "round {round}: {action} on {resource} with {context:?}\n{documents:#?}"
            );
            match expected {
                Decision::Allow => allowed += 1,
                Decision::Deny => denied += 1,
                Decision::NotApplicable => neither += 1,
            }
        }
    }
    assert!(allowed > 1000 && denied > 1000 && neither > 1000, "{allowed} {denied} {neither}");
}
