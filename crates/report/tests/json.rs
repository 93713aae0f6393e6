//! `-o json`: the published schema and the model say the same.

use serde_json::Value;
use yagura_model::Report;
use yagura_report::{Format, Options};

mod sample;

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/schema/report-1.0.json")).unwrap()
}

/// The schema with every object closed, so that a field it does not know is an error.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if object.contains_key("properties") {
                    object.insert("additionalProperties".to_owned(), Value::Bool(false));
                }
                object.values_mut().for_each(close);
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

fn errors(schema: &Value, instance: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn written(report: &Report) -> Value {
    serde_json::from_str(&sample::text(Format::Json, report, &Options::default())).unwrap()
}

#[test]
fn what_is_written_keeps_to_the_published_schema() {
    assert_eq!(errors(&closed(schema()), &written(&sample::report())), Vec::<String>::new());
    assert_eq!(errors(&closed(schema()), &written(&sample::empty())), Vec::<String>::new());
}

#[test]
fn the_sample_fills_every_field_of_the_schema() {
    let report = written(&sample::report());
    let mut missing = Vec::new();
    for (name, definition) in schema()["$defs"].as_object().unwrap() {
        for property in definition["properties"].as_object().into_iter().flat_map(|p| p.keys()) {
            if !has_key(&report, property) {
                missing.push(format!("{name}.{property}"));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

fn has_key(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(object) => object.contains_key(key) || object.values().any(|v| has_key(v, key)),
        Value::Array(items) => items.iter().any(|v| has_key(v, key)),
        _ => false,
    }
}

#[test]
fn what_is_written_reads_back_as_the_same_report() {
    let report = sample::report();
    let text = sample::text(Format::Json, &report, &Options::default());
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
    let purl = &written(&report)["targets"][0]["inventory"]["packages"][0]["purl"];
    assert_eq!(purl, "pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl");
}

#[test]
fn a_wrong_report_is_told_from_a_right_one() {
    let mut wrong = written(&sample::report());
    wrong["findings"][0]["severity"] = "dreadful".into();
    assert_eq!(errors(&schema(), &wrong).len(), 1);
}
