//! Documents as others write them, cut to what matters; the shapes are those of Syft 1.18 and Trivy 0.76.

use yagura_model::inventory::RelationKind;
use yagura_model::report::TargetKind;
use yagura_model::{Ecosystem, Inventory, SkipReason};

use super::{NotAnSbom, Sbom, read};

const SYFT_CYCLONEDX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
 "metadata": {"component": {"bom-ref": "1", "type": "container", "name": "shop", "version": "sha256:1111111111111111111111111111111111111111111111111111111111111111",
   "properties": [{"name": "syft:image:labels:maintainer", "value": "us"}]}},
 "components": [
  {"bom-ref": "a", "type": "library", "name": "libssl3", "version": "3.0.22-1", "publisher": "Debian",
   "licenses": [{"license": {"id": "Apache-2.0"}}, {"license": {"name": "Artistic"}}],
   "purl": "pkg:deb/debian/libssl3@3.0.22-1?arch=amd64&distro=debian-12&upstream=openssl",
   "properties": [{"name": "syft:package:foundBy", "value": "dpkg-db-cataloger"},
    {"name": "syft:location:1:path", "value": "/var/lib/dpkg/status"},
    {"name": "syft:location:0:path", "value": "/usr/share/doc/libssl3/copyright"},
    {"name": "syft:location:0:layerID", "value": "sha256:2222222222222222222222222222222222222222222222222222222222222222"}]},
  {"bom-ref": "b", "type": "library", "name": "libc6", "version": "2.36-9", "purl": "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12&upstream=glibc"},
  {"bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12", "description": "Debian GNU/Linux 12 (bookworm)",
   "properties": [{"name": "syft:distro:versionCodename", "value": "bookworm"}]},
  {"bom-ref": "f", "type": "file", "name": "/bin/sh", "hashes": [{"alg": "SHA-256", "content": "00"}]}],
 "dependencies": [{"ref": "a", "dependsOn": ["b"]}, {"ref": "nowhere", "dependsOn": ["a"]}]}"#;

const TRIVY_CYCLONEDX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.7", "version": 1,
 "metadata": {"component": {"bom-ref": "root", "type": "container", "name": "shop:1", "properties": [
   {"name": "aquasecurity:trivy:ImageID", "value": "sha256:3333333333333333333333333333333333333333333333333333333333333333"},
   {"name": "aquasecurity:trivy:DiffID", "value": "sha256:4444444444444444444444444444444444444444444444444444444444444444"},
   {"name": "aquasecurity:trivy:RepoTag", "value": "shop:1"}]}},
 "components": [
  {"bom-ref": "os", "type": "operating-system", "name": "debian", "version": "12.15",
   "properties": [{"name": "aquasecurity:trivy:Class", "value": "os-pkgs"}]},
  {"bom-ref": "lock", "type": "application", "name": "app/package-lock.json",
   "properties": [{"name": "aquasecurity:trivy:Class", "value": "lang-pkgs"}, {"name": "aquasecurity:trivy:Type", "value": "npm"}]},
  {"bom-ref": "login", "type": "library", "name": "login", "version": "1:4.13+dfsg1-1", "supplier": {"name": "Shadow"},
   "purl": "pkg:deb/debian/login@4.13%2Bdfsg1-1?arch=amd64&distro=debian-12.15&epoch=1", "properties": [
    {"name": "aquasecurity:trivy:LayerDiffID", "value": "sha256:4444444444444444444444444444444444444444444444444444444444444444"},
    {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"}, {"name": "aquasecurity:trivy:SrcName", "value": "shadow"},
    {"name": "aquasecurity:trivy:SrcRelease", "value": "1"}, {"name": "aquasecurity:trivy:SrcVersion", "value": "4.13+dfsg1"}]},
  {"bom-ref": "babel", "type": "library", "group": "@babel", "name": "core", "version": "7.24.1", "purl": "pkg:npm/%40babel/core@7.24.1"}],
 "dependencies": [{"ref": "root", "dependsOn": ["os", "lock"]}, {"ref": "lock", "dependsOn": ["babel"]}, {"ref": "os", "dependsOn": ["login"]}],
 "vulnerabilities": []}"#;

const SYFT_SPDX: &str = r#"{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "shop",
 "packages": [
  {"name": "libssl3", "SPDXID": "SPDXRef-a", "versionInfo": "3.0.22-1", "supplier": "Organization: Debian",
   "sourceInfo": "acquired package info from DPKG DB: /usr/share/doc/libssl3/copyright, /var/lib/dpkg/status",
   "licenseDeclared": "LicenseRef-x", "externalRefs": [
    {"referenceCategory": "SECURITY", "referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a:x:x:1:*:*:*:*:*:*:*"},
    {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libssl3@3.0.22-1?arch=amd64&distro=debian-12&upstream=openssl"}]},
  {"name": "libc6", "SPDXID": "SPDXRef-b", "versionInfo": "2.36-9", "sourceInfo": "built package from: glibc 2.36-9", "externalRefs": [
    {"referenceCategory": "PACKAGE_MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12"}]},
  {"name": "shop", "SPDXID": "SPDXRef-root", "versionInfo": "1", "primaryPackagePurpose": "CONTAINER"}],
 "hasExtractedLicensingInfos": [{"licenseId": "LicenseRef-x", "extractedText": "Artistic"}],
 "relationships": [
  {"spdxElementId": "SPDXRef-b", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "DEPENDENCY_OF"},
  {"spdxElementId": "SPDXRef-root", "relatedSpdxElement": "SPDXRef-a", "relationshipType": "CONTAINS"},
  {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-root", "relationshipType": "DESCRIBES"}]}"#;

const SYFT_JSON: &str = r#"{"artifacts": [
  {"id": "a", "name": "libssl3", "version": "3.0.22-1", "type": "deb", "foundBy": "dpkg-db-cataloger",
   "locations": [{"path": "/usr/share/doc/libssl3/copyright", "annotations": {"evidence": "supporting"}},
    {"path": "/var/lib/dpkg/status", "layerID": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "annotations": {"evidence": "primary"}}],
   "licenses": [{"value": "GPL-1+", "spdxExpression": "GPL-1.0-or-later"}, {"value": "Artistic", "spdxExpression": ""}],
   "purl": "pkg:deb/debian/libssl3@3.0.22-1?arch=amd64&distro=debian-12&upstream=openssl", "metadata": {"maintainer": "Debian"}},
  {"id": "b", "name": "libc6", "version": "2.36-9", "type": "deb", "licenses": ["LGPL-2.1"], "purl": "pkg:deb/debian/libc6@2.36-9?upstream=glibc"},
  {"id": "c", "name": "x.rpm", "version": "1", "type": "unheard-of", "purl": ""}],
 "artifactRelationships": [{"parent": "b", "child": "a", "type": "dependency-of"}, {"parent": "a", "child": "zzz", "type": "contains"}],
 "distro": {"id": "debian", "versionID": "12", "versionCodename": "bookworm", "prettyName": "Debian GNU/Linux 12 (bookworm)"},
 "source": {"name": "shop", "type": "image", "metadata": {"imageID": "sha256:3333333333333333333333333333333333333333333333333333333333333333",
   "tags": ["shop:1"], "os": "linux", "architecture": "amd64", "layers": [{"digest": "sha256:2222222222222222222222222222222222222222222222222222222222222222", "size": 5}]}},
 "schema": {"version": "16.0.18"}}"#;

const TAG_VALUE: &str = "SPDXVersion: SPDX-2.3\nDocumentName: shop\n# a comment: no tag\n\nPackageName: libssl3\nSPDXID: SPDXRef-a\nPackageVersion: 3.0.22-1\nPackageSupplier: Organization: Debian\nPackageLicenseDeclared: LicenseRef-x\nPackageComment: <text>several\nPackageName: not a package\nlines</text>\nExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libssl3@3.0.22-1?arch=amd64&distro=debian-12&upstream=openssl\n\nPackageName: libc6\nSPDXID: SPDXRef-b\nPackageVersion: 2.36-9\nExternalRef: PACKAGE-MANAGER purl pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc\n\nFileName: ./x\nSPDXID: SPDXRef-f\n\nLicenseID: LicenseRef-x\nExtractedText: <text>Artistic</text>\nRelationship: SPDXRef-a DEPENDS_ON SPDXRef-b\n";

const SPDX3: &str = r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
  {"type": "SpdxDocument", "spdxId": "doc", "name": "shop", "rootElement": ["root"]},
  {"type": "software_Package", "spdxId": "a", "name": "libssl3", "software_packageVersion": "3.0.22-1",
   "software_packageUrl": "pkg:deb/debian/libssl3@3.0.22-1?arch=amd64&distro=debian-12&upstream=openssl"},
  {"type": "software_Package", "spdxId": "b", "name": "libc6", "software_packageVersion": "2.36-9",
   "externalIdentifier": [{"type": "ExternalIdentifier", "externalIdentifierType": "packageUrl", "identifier": "pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc"}]},
  {"type": "simplelicensing_LicenseExpression", "spdxId": "l", "simplelicensing_licenseExpression": "Artistic"},
  {"type": "Relationship", "spdxId": "r", "from": "a", "to": ["b"], "relationshipType": "dependsOn"},
  {"type": "Relationship", "spdxId": "s", "from": "a", "to": ["l"], "relationshipType": "hasDeclaredLicense"}]}"#;

fn inventory(text: &str) -> Inventory {
    read(text.as_bytes()).unwrap().inventory
}

#[test]
fn the_same_packages_come_from_every_format() {
    for (text, format) in [
        (SYFT_CYCLONEDX, "CycloneDX 1.6"),
        (SYFT_SPDX, "SPDX 2.3"),
        (SYFT_JSON, "Syft JSON 16.0.18"),
        (TAG_VALUE, "SPDX 2.3 tag-value"),
        (SPDX3, "SPDX 3.0"),
    ] {
        let sbom = read(text.as_bytes()).unwrap();
        assert_eq!((sbom.format.as_str(), sbom.subject.as_str()), (format, "shop"));
        let [libc, ssl] = &sbom.inventory.packages[..] else {
            panic!("{format}: {:?}", sbom.inventory.packages)
        };
        assert_eq!((libc.name.as_str(), libc.version.as_str()), ("libc6", "2.36-9"), "{format}");
        let source = libc.source.as_ref().unwrap();
        assert_eq!((source.name.as_str(), source.version.as_str()), ("glibc", "2.36-9"), "{format}");
        assert_eq!(
            (ssl.name.as_str(), ssl.source.as_ref().unwrap().name.as_str()),
            ("libssl3", "openssl"),
            "{format}"
        );
        assert_eq!((ssl.ecosystem, ssl.architecture.as_str()), (Ecosystem::Deb, "amd64"), "{format}");
        for package in [libc, ssl] {
            assert_eq!(
                (package.distribution.as_str(), package.distro.as_str()),
                ("debian", "debian-12"),
                "{format}"
            );
        }
        let [relation] = &sbom.inventory.relations[..] else {
            panic!("{format}: {:?}", sbom.inventory.relations)
        };
        assert_eq!((relation.from, relation.to, relation.kind), (1, 0, RelationKind::DependsOn), "{format}");
        assert!(ssl.licenses.iter().any(|license| license == "Artistic"), "{format}");
        let system = sbom.inventory.system.unwrap();
        assert_eq!((system.id.as_str(), system.version.as_str()), ("debian", "12"), "{format}");
    }
}

#[test]
fn syft_says_where_and_of_what() {
    let sbom = read(SYFT_CYCLONEDX.as_bytes()).unwrap();
    assert_eq!(sbom.kind, Some(TargetKind::Image));
    assert_eq!(sbom.image.unwrap().labels["maintainer"], "us");
    let ssl = &sbom.inventory.packages[1];
    assert_eq!(ssl.locations[0].path, "usr/share/doc/libssl3/copyright");
    assert!(ssl.locations[0].layer.is_some() && ssl.locations[1].layer.is_none());
    assert_eq!((ssl.found_by.as_str(), ssl.supplier.as_str()), ("dpkg-db-cataloger", "Debian"));

    let sbom = read(SYFT_JSON.as_bytes()).unwrap();
    let image = sbom.image.unwrap();
    assert_eq!((image.platform.as_str(), image.layers.len()), ("linux/amd64", 1));
    let ssl = &sbom.inventory.packages[1];
    assert_eq!(ssl.locations[0].path, "var/lib/dpkg/status");
    assert_eq!(ssl.locations[0].layer.as_ref(), Some(&image.layers[0].diff_id));
    let [skipped] = &sbom.inventory.skipped[..] else { panic!() };
    assert_eq!((skipped.reason, skipped.path.as_str()), (SkipReason::Unsupported, "x.rpm"));
}

#[test]
fn trivy_hides_epochs_sources_and_lockfiles_in_properties() {
    let sbom = read(TRIVY_CYCLONEDX.as_bytes()).unwrap();
    let image = sbom.image.unwrap();
    assert_eq!((image.tags, image.layers.len()), (vec!["shop:1".to_owned()], 1));
    let [login, babel] = &sbom.inventory.packages[..] else { panic!() };
    assert_eq!((login.version.as_str(), login.distro.as_str()), ("1:4.13+dfsg1-1", "debian-12"));
    assert_eq!(login.source.as_ref().map(|s| s.version.as_str()), Some("1:4.13+dfsg1-1"));
    assert_eq!(login.locations[0].layer.as_ref(), Some(&image.layers[0].diff_id));
    assert_eq!(
        (babel.name.as_str(), babel.locations[0].path.as_str()),
        ("@babel/core", "app/package-lock.json")
    );
    assert!(sbom.inventory.skipped.is_empty(), "{:?}", sbom.inventory.skipped);
    assert_eq!(sbom.inventory.system.unwrap().version, "12");
}

#[test]
fn one_broken_item_leaves_the_rest() {
    let inventory = inventory(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.4", "components": [
        {"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1", "properties": 7},
        {"type": "library", "name": "b", "version": 2, "purl": "pkg:npm/b"},
        {"type": "library", "name": "c", "version": "1", "purl": "nonsense"},
        {"type": "library", "name": "d", "version": "1", "purl": "pkg:huggingface/x/d@1"},
        {"type": "library", "name": "e", "version": "1"}, "text", null],
        "dependencies": null}"#,
    );
    let names: Vec<&str> = inventory.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["e", "b"]);
    assert_eq!(inventory.packages[1].version, "2");
    let total: u64 = inventory.skipped.iter().map(|skipped| skipped.count).sum();
    assert_eq!(total, 6, "{:?}", inventory.skipped);
}

#[test]
fn what_is_not_an_sbom_is_told_what_it_is() {
    let error = |text: &str| read(text.as_bytes()).unwrap_err();
    assert_eq!(error(""), NotAnSbom::Unknown);
    assert_eq!(error("{}"), NotAnSbom::Unknown);
    assert_eq!(error(r#"{"spdxVersion": "SPDX-9"}"#), NotAnSbom::Unsupported("SPDX 9".into()));
    assert_eq!(
        error(r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"/>"#),
        NotAnSbom::Unsupported("CycloneDX XML".into())
    );
    assert!(matches!(error("{"), NotAnSbom::Malformed(_)));
    assert!(matches!(error(&"{\"a\":[".repeat(100_000)), NotAnSbom::Malformed(_)));
}

#[test]
fn nested_components_are_found() {
    let inventory = inventory(
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "application", "name": "outer",
        "components": [{"type": "library", "name": "inner", "purl": "pkg:cargo/inner@1.0.0"}]}]}"#,
    );
    assert_eq!(inventory.packages[0].name, "inner");
}

#[test]
fn a_bom_mark_is_no_obstacle() {
    let Sbom { inventory, .. } = read(format!("\u{feff}{SYFT_SPDX}").as_bytes()).unwrap();
    assert_eq!(inventory.packages.len(), 2);
}
