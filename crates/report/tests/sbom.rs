//! The SBOMs we write keep to the published schemas, are the same each time, and hold together inside.

use std::collections::BTreeSet;

use jsonschema::{Registry, Resource};
use serde_json::Value;
use yagura_model::Report;
use yagura_report::{Format, Options};

mod sample;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn written(format: Format, report: &Report) -> Value {
    json(&sample::text(format, report, &Options::default()))
}

fn errors(schema: &str, others: &[&str], instance: &Value) -> Vec<String> {
    let mut registry = Registry::new();
    for other in others {
        let other = json(other);
        let id = other["$id"].as_str().unwrap().to_owned();
        registry = registry.add(id, Resource::from_contents(other)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let schema = json(schema);
    let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
    validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn cyclonedx_errors(instance: &Value) -> Vec<String> {
    errors(
        include_str!("schemas/bom-1.6.schema.json"),
        &[include_str!("schemas/jsf-0.82.schema.json"), include_str!("schemas/spdx.schema.json")],
        instance,
    )
}

fn spdx_errors(instance: &Value) -> Vec<String> {
    errors(include_str!("schemas/spdx-2.3.schema.json"), &[], instance)
}

/// One target, two targets, none, and one whose every text is hostile.
fn reports() -> Vec<Report> {
    let one = sample::report();
    let mut two = sample::report();
    let mut other = two.targets[0].clone();
    other.name = "dir:/srv/shop".into();
    other.image = None;
    two.targets.push(other);
    let mut hostile = sample::report();
    for package in &mut hostile.targets[0].inventory.packages {
        package.name.push_str("\u{1b}[2J\n<&>\"\u{202e}");
        package.version.push_str(" \u{0}%@?#");
        package.licenses.push("a\nb".into());
        package.supplier = "x\r\ny".into();
    }
    if let Some(system) = &mut hostile.targets[0].inventory.system {
        system.cpe = "not a cpe".into();
        system.id = String::new();
    }
    hostile.created = "yesterday".into();
    vec![one, two, sample::empty(), hostile]
}

#[test]
fn cyclonedx_keeps_to_its_schema() {
    for report in reports() {
        assert_eq!(cyclonedx_errors(&written(Format::CycloneDxJson, &report)), Vec::<String>::new());
    }
    assert!(!cyclonedx_errors(&serde_json::json!({"bomFormat": "CycloneDX"})).is_empty());
}

#[test]
fn spdx_keeps_to_its_schema() {
    for report in reports() {
        assert_eq!(spdx_errors(&written(Format::SpdxJson, &report)), Vec::<String>::new());
    }
    assert!(!spdx_errors(&serde_json::json!({"SPDXID": 1})).is_empty());
}

#[test]
fn the_same_report_gives_the_same_bytes_and_another_another_identity() {
    let report = sample::report();
    let mut other = report.clone();
    other.targets[0].inventory.packages[0].version = "9".into();
    for format in [Format::CycloneDxJson, Format::SpdxJson] {
        let text = |report| sample::text(format, report, &Options::default());
        assert_eq!(text(&report), text(&report));
        let key = if format == Format::SpdxJson { "documentNamespace" } else { "serialNumber" };
        assert_ne!(json(&text(&report))[key], json(&text(&other))[key]);
        assert!(json(&text(&report))[key].as_str().unwrap().starts_with("urn:uuid:"));
    }
}

/// Every string under a key, anywhere.
fn strings<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if name == key => found.push(text),
                    value => strings(value, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, key, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_name_is_used_once() {
    for report in reports() {
        let document = written(Format::CycloneDxJson, &report);
        let mut defined = Vec::new();
        strings(&document["components"], "bom-ref", &mut defined);
        strings(&document["metadata"], "bom-ref", &mut defined);
        let unique: BTreeSet<&str> = defined.iter().copied().collect();
        assert_eq!(unique.len(), defined.len());
        let mut used = Vec::new();
        strings(&document["dependencies"], "ref", &mut used);
        strings(&document["vulnerabilities"], "ref", &mut used);
        for dependency in document["dependencies"].as_array().unwrap() {
            used.extend(dependency["dependsOn"].as_array().unwrap().iter().filter_map(Value::as_str));
        }
        assert_eq!(
            used.iter().filter(|name| !unique.contains(*name)).collect::<Vec<_>>(),
            Vec::<&&str>::new()
        );

        let document = written(Format::SpdxJson, &report);
        let mut defined = vec!["SPDXRef-DOCUMENT"];
        strings(&document["packages"], "SPDXID", &mut defined);
        let unique: BTreeSet<&str> = defined.iter().copied().collect();
        assert_eq!(unique.len(), defined.len());
        let mut used = Vec::new();
        strings(&document["relationships"], "spdxElementId", &mut used);
        strings(&document["relationships"], "relatedSpdxElement", &mut used);
        assert_eq!(
            used.iter().filter(|name| !unique.contains(*name)).collect::<Vec<_>>(),
            Vec::<&&str>::new()
        );
    }
}

#[test]
fn vulnerabilities_say_what_they_affect_and_what_was_decided() {
    let document = written(Format::CycloneDxJson, &sample::report());
    let flaws = document["vulnerabilities"].as_array().unwrap();
    let log4j = flaws.iter().find(|flaw| flaw["id"] == "CVE-2021-44228").unwrap();
    assert_eq!(log4j["affects"][0]["ref"], "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar");
    assert_eq!(log4j["ratings"][0]["method"], "CVSSv31");
    assert_eq!(log4j["cwes"], serde_json::json!([502, 917]));
    let openssl = flaws.iter().find(|flaw| flaw["id"] == "CVE-2024-5535").unwrap();
    assert_eq!(openssl["affects"].as_array().unwrap().len(), 2);
    assert!(flaws.iter().all(|flaw| flaw["id"] != "YGR-SEC-001"));

    let mut inventory = sample::report();
    inventory.database = None;
    assert!(written(Format::CycloneDxJson, &inventory).get("vulnerabilities").is_none());
}
