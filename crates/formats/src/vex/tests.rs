use serde_json::{Value, json};
use yagura_model::vex::VexStatus;

use super::*;

fn read_json(value: &Value) -> VexDocument {
    read("vex.json", value.to_string().as_bytes())
}

fn purls(component: &VexComponent) -> Vec<&str> {
    component.purls.iter().map(Purl::as_str).collect()
}

#[test]
fn openvex_statements_inherit_from_their_document() {
    let digest = format!("sha256:{}", "a1".repeat(32));
    let document = read_json(&json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex-1",
        "author": "Example",
        "timestamp": "2026-01-02T03:04:05.678+09:00",
        "version": 1,
        "statements": [
            {
                "vulnerability": {"name": "CVE-2026-0001", "@id": "https://osv.dev/GHSA-aaaa", "aliases": ["PYSEC-1"]},
                "products": [{
                    "@id": format!("pkg:oci/app@{digest}?repository_url=registry.example.org/team/app"),
                    "hashes": {"sha-256": "a1".repeat(32), "md5": "00".repeat(16)},
                    "subcomponents": [{"@id": "pkg:deb/debian/libssl3@3.0.11-1", "identifiers": {"cpe23": "cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*"}}],
                }],
                "status": "not_affected",
                "justification": "vulnerable_code_not_in_execute_path",
                "impact_statement": "never called",
            },
            {
                "vulnerability": "CVE-2026-0002",
                "timestamp": "2026-02-01T00:00:00Z",
                "last_updated": "2026-03-01T00:00:00Z",
                "products": ["pkg:npm/left-pad"],
                "subcomponents": ["pkg:npm/right-pad@1.0.0"],
                "status": "affected",
                "action_statement": "update",
            },
            {"vulnerability": "CVE-2026-0003", "products": ["pkg:npm/x"], "status": "harmless"},
            {"vulnerability": "CVE-2026-0004", "status": "fixed"},
            {"products": ["pkg:npm/x"], "status": "fixed"},
        ],
    }));
    let [first, second] = document.statements.as_slice() else { panic!("{document:?}") };
    assert_eq!(first.vulnerability, "CVE-2026-0001");
    assert_eq!(first.aliases, ["PYSEC-1", "GHSA-aaaa"]);
    assert_eq!(first.timestamp, "2026-01-01T18:04:06Z");
    assert_eq!((first.author.as_str(), first.source.id.as_str()), ("Example", "https://example.org/vex-1"));
    assert_eq!(first.products[0].component.digests[0].to_string(), digest);
    assert_eq!(first.products[0].component.digests.len(), 1);
    assert_eq!(purls(&first.products[0].subcomponents[0]), ["pkg:deb/debian/libssl3@3.0.11-1"]);
    assert_eq!(first.products[0].subcomponents[0].cpes.len(), 1);
    assert_eq!((second.status, second.timestamp.as_str()), (VexStatus::Affected, "2026-03-01T00:00:00Z"));
    assert_eq!(second.products[0].subcomponents.len(), 1);
    assert_eq!((second.source.index, second.source.to_string().as_str()), (1, "vex.json, statement 2"));
    assert_eq!(document.skipped.len(), 3);
    assert!(document.skipped.iter().all(|skipped| skipped.reason == SkipReason::Malformed));
}

#[test]
fn documents_attached_to_images_are_unwrapped() {
    let document = read_json(&json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://openvex.dev/ns/v0.2.0",
        "predicate": {
            "@context": "https://openvex.dev/ns/v0.2.0",
            "statements": [{"vulnerability": {"name": "CVE-1"}, "products": [{"@id": "pkg:npm/x"}], "status": "fixed"}],
        },
    }));
    assert_eq!(document.statements.len(), 1);
}

#[test]
fn csaf_products_come_from_the_tree() {
    let document = read_json(&json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "publisher": {"name": "Example Vendor"},
            "tracking": {"id": "EX-1", "current_release_date": "2026-05-06T07:08:09Z"},
        },
        "product_tree": {
            "branches": [{"category": "vendor", "branches": [
                {"category": "product_name", "product": {
                    "product_id": "OS-9", "name": "Example OS 9",
                    "product_identification_helper": {"cpe": "cpe:/o:example:os:9"},
                }},
                {"category": "product_version", "product": {
                    "product_id": "lib-1", "name": "lib 1.0-1",
                    "product_identification_helper": {"purl": "pkg:rpm/example/lib@1.0-1?arch=x86_64"},
                }},
            ]}],
            "full_product_names": [{
                "product_id": "app", "name": "app",
                "product_identification_helper": {
                    "hashes": [{"filename": "app", "file_hashes": [{"algorithm": "sha256", "value": "b2".repeat(32)}]}],
                },
            }],
            "relationships": [{
                "category": "default_component_of", "product_reference": "lib-1", "relates_to_product_reference": "OS-9",
                "full_product_name": {"product_id": "OS-9:lib-1", "name": "lib as part of Example OS 9"},
            }],
            "product_groups": [{"group_id": "G1", "product_ids": ["OS-9:lib-1"]}],
        },
        "vulnerabilities": [{
            "cve": "CVE-2026-1000",
            "ids": [{"system_name": "Example", "text": "EXB-7"}],
            "product_status": {
                "known_not_affected": ["OS-9:lib-1", "app"],
                "under_investigation": ["nowhere"],
            },
            "flags": [{"label": "vulnerable_code_not_present", "group_ids": ["G1"]}],
            "threats": [{"category": "impact", "details": "built without it", "product_ids": ["OS-9:lib-1"]}],
            "remediations": [{"category": "none_available", "details": "nothing to do"}],
        }],
    }));
    assert_eq!(document.statements.len(), 2, "{document:?}");
    let lib = document.statements.iter().find(|statement| !statement.justification.is_empty()).unwrap();
    assert_eq!(lib.aliases, ["EXB-7"]);
    assert_eq!(lib.justification, "vulnerable_code_not_present");
    assert_eq!(lib.impact, "built without it");
    assert_eq!(lib.action, "nothing to do");
    assert_eq!(lib.products[0].component.cpes, ["cpe:/o:example:os:9"]);
    assert_eq!(purls(&lib.products[0].subcomponents[0]), ["pkg:rpm/example/lib@1.0-1?arch=x86_64"]);
    let app = document.statements.iter().find(|statement| statement.justification.is_empty()).unwrap();
    assert_eq!(app.products[0].component.digests.len(), 1);
    assert_eq!(app.timestamp, "2026-05-06T07:08:09Z");
    assert_eq!(document.skipped.len(), 1);
    assert!(document.skipped[0].detail.contains("nowhere"));
}

#[test]
fn a_product_tree_may_not_be_endless() {
    let mut branch = json!({"product": {"product_id": "deep", "name": "deep"}});
    for _ in 0..100 {
        branch = json!({"branches": [branch]});
    }
    let document = read_json(&json!({
        "document": {"csaf_version": "2.0"},
        "product_tree": {"branches": [branch], "relationships": [
            {"product_reference": "a", "relates_to_product_reference": "b", "full_product_name": {"product_id": "a", "name": "a"}},
            {"product_reference": "a", "relates_to_product_reference": "a", "full_product_name": {"product_id": "b", "name": "b"}},
        ]},
        "vulnerabilities": [{"cve": "CVE-1", "product_status": {"fixed": ["a"]}}],
    }));
    assert!(
        document
            .skipped
            .iter()
            .any(|skipped| skipped.reason == SkipReason::TooDeep || skipped.reason == SkipReason::Malformed),
        "{document:?}"
    );
}

#[test]
fn cyclonedx_analyses_point_at_components() {
    let document = read_json(&json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:1",
        "metadata": {
            "timestamp": "2026-04-01T00:00:00Z",
            "component": {"bom-ref": "image", "type": "container", "name": "app", "purl": format!("pkg:oci/app@sha256:{}", "c3".repeat(32))},
        },
        "components": [{"bom-ref": "outer", "name": "outer", "components": [
            {"bom-ref": "lib", "name": "lib", "purl": "pkg:maven/org.example/lib@1.0", "hashes": [{"alg": "SHA-256", "content": "d4".repeat(32)}]},
        ]}],
        "vulnerabilities": [
            {"id": "CVE-1", "references": [{"id": "GHSA-1"}], "affects": [{"ref": "lib"}],
             "analysis": {"state": "not_affected", "justification": "code_not_reachable", "detail": "never called"}},
            {"id": "CVE-2", "affects": [{"ref": "urn:cdx:other/1#pkg%3Anpm%2Fx%401.0"}],
             "analysis": {"state": "exploitable", "response": ["update"], "lastUpdated": "2026-06-01T00:00:00Z"}},
            {"id": "CVE-3", "affects": [{"ref": "lib"}]},
            {"id": "CVE-4", "affects": [{"ref": "missing"}], "analysis": {"state": "in_triage"}},
        ],
    }));
    let [first, second] = document.statements.as_slice() else { panic!("{document:?}") };
    assert_eq!(first.justification, "vulnerable_code_not_in_execute_path");
    assert_eq!((first.impact.as_str(), first.timestamp.as_str()), ("never called", "2026-04-01T00:00:00Z"));
    assert!(purls(&first.products[0].component)[0].starts_with("pkg:oci/app@sha256:"));
    assert_eq!(purls(&first.products[0].subcomponents[0]), ["pkg:maven/org.example/lib@1.0"]);
    assert_eq!((second.status, second.action.as_str()), (VexStatus::Affected, "update"));
    assert_eq!(purls(&second.products[0].subcomponents[0]), ["pkg:npm/x@1.0"]);
    assert_eq!(document.skipped.len(), 2);
}

#[test]
fn what_is_no_vex_says_so() {
    for (bytes, reason) in [
        (b"{}".as_slice(), SkipReason::Unsupported),
        (b"[1]", SkipReason::Unsupported),
        (b"\xff\xfe", SkipReason::Malformed),
        (b"", SkipReason::Malformed),
    ] {
        let document = read("x", bytes);
        assert_eq!((document.statements.len(), document.skipped[0].reason), (0, reason));
    }
    let deep = "[".repeat(100_000);
    assert_eq!(read("x", deep.as_bytes()).skipped.len(), 1);
}
