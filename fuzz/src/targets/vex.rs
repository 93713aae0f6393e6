//! VEX documents.

use yagura_formats::vex;

use crate::Target;

pub(super) const TARGETS: &[Target] = &[Target { name: "vex/document", seeds: documents, run: read }];

fn documents() -> Vec<Vec<u8>> {
    [
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","timestamp":"2026-01-02T03:04:05Z","statements":[{"vulnerability":{"name":"CVE-1","aliases":["A"]},"products":[{"@id":"pkg:oci/app@sha256:00","subcomponents":[{"@id":"pkg:npm/x@1"}]}],"status":"fixed"}]}"#,
        r#"{"document":{"csaf_version":"2.0"},"product_tree":{"branches":[{"product":{"product_id":"p","product_identification_helper":{"purl":"pkg:npm/x@1"}}}],"relationships":[{"product_reference":"p","relates_to_product_reference":"p","full_product_name":{"product_id":"q"}}]},"vulnerabilities":[{"cve":"CVE-1","product_status":{"fixed":["p","q"]},"flags":[{"label":"component_not_present","product_ids":["p"]}]}]}"#,
        r#"{"bomFormat":"CycloneDX","components":[{"bom-ref":"c","purl":"pkg:npm/x"}],"vulnerabilities":[{"id":"CVE-1","affects":[{"ref":"c","versions":[{"version":"1"}]},{"ref":"urn:cdx:a/1#pkg%3Anpm%2Fx"}],"analysis":{"state":"resolved"}}]}"#,
    ]
    .map(|document| document.as_bytes().to_vec())
    .to_vec()
}

fn read(bytes: &[u8]) {
    let _ = vex::read("vex.json", bytes);
}
