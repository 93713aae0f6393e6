//! SBOMs of others, and the package URLs in them.

use yagura_formats::sbom;

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "sbom/document",
        seeds: || {
            [
                r#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","name":"a","version":"sha256:11","properties":[{"name":"yagura:image","value":"{}"}]}},"components":[{"bom-ref":"a","type":"library","name":"a","version":"1","purl":"pkg:npm/a@1","hashes":[{"alg":"SHA-1","content":"00"}],"licenses":[{"expression":"MIT"}],"properties":[{"name":"yagura:location","value":"{\"path\":\"x\"}"},{"name":"syft:location:0:path","value":"/x"}],"components":[{"type":"file","name":"x"}]}],"dependencies":[{"ref":"a","dependsOn":["a"]}]}"#,
                r#"{"spdxVersion":"SPDX-2.3","name":"a","packages":[{"name":"a","SPDXID":"SPDXRef-a","versionInfo":"1","licenseDeclared":"MIT","sourceInfo":"built package from: a 1","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/a@1?epoch=1&upstream=b%401"}],"annotations":[{"comment":"yagura:[[\"found-by\",\"x\"]]"}]}],"relationships":[{"spdxElementId":"SPDXRef-a","relationshipType":"CONTAINS","relatedSpdxElement":"SPDXRef-a"}]}"#,
                r#"{"artifacts":[{"id":"a","name":"a","version":"1","type":"rpm","purl":"pkg:rpm/alma/a@1?upstream=a-1-1.src.rpm","locations":[{"path":"/x"}]}],"artifactRelationships":[{"parent":"a","child":"a","type":"dependency-of"}],"distro":{"id":"x"},"source":{"type":"image","metadata":{"layers":[{"digest":"sha256:00","size":1}]}}}"#,
                r#"{"@context":"https://spdx.org/rdf/3.0.1/x","@graph":[{"type":"software_Package","spdxId":"a","name":"a","software_packageUrl":"pkg:npm/a@1"},{"type":"Relationship","from":"a","to":["a"],"relationshipType":"dependsOn"}]}"#,
                "SPDXVersion: SPDX-2.3\nPackageName: a\nSPDXID: SPDXRef-a\nPackageComment: <text>a\nb</text>\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\nRelationship: SPDXRef-a DEPENDS_ON SPDXRef-a\n",
            ]
            .map(|seed| seed.as_bytes().to_vec())
            .to_vec()
        },
        run: |bytes| {
            if let Ok(read) = sbom::read(bytes) {
                let count = read.inventory.packages.len();
                assert!(read.inventory.relations.iter().all(|r| r.from < count && r.to < count));
            }
        },
    },
    Target {
        name: "sbom/purl",
        seeds: || {
            [
                "pkg:npm/%40babel/core@7.0.0#sub",
                "pkg:deb/debian/a@1%2B1?arch=all&epoch=1&upstream=b@1&distro=debian-12.1",
            ]
            .map(|seed| seed.as_bytes().to_vec())
            .to_vec()
        },
        run: |bytes| {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            if let Some(purl) = sbom::ForeignPurl::parse(text) {
                sbom::package_of(&purl, &[text.to_owned()]);
            }
        },
    },
];
