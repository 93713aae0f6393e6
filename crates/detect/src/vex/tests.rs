use yagura_model::finding::{Evidence, FindingKind, PackageReference};
use yagura_model::image::Image;
use yagura_model::inventory::{Relation, RelationKind};
use yagura_model::report::TargetKind;
use yagura_model::vex::{VexComponent, VexProduct, VexStatus};
use yagura_model::{Digest, Ecosystem, Inventory, Location, OperatingSystem, Package, Severity};

use super::*;

const IMAGE: &str = "registry:registry.example.org/team/app:1.0";

fn digest(byte: &str) -> Digest {
    format!("sha256:{}", byte.repeat(32)).parse().unwrap()
}

/// An image with libssl3 of Debian and a jar that holds another.
fn target() -> Target {
    let mut ssl = Package::new(Ecosystem::Deb, "libssl3", "3.0.11-1");
    ssl.distribution = "debian".into();
    ssl.distro = "debian-12".into();
    ssl.architecture = "amd64".into();
    ssl.locations = vec![Location::file("var/lib/dpkg/status")];
    let mut app = Package::new(Ecosystem::Maven, "org.example:app", "2.0");
    app.locations = vec![Location::file("app.jar")];
    let mut lib = Package::new(Ecosystem::Maven, "org.example:lib", "1.0");
    lib.locations = vec![Location::file("app.jar!/lib.jar")];
    lib.digests = vec![digest("ee")];
    Target {
        name: IMAGE.into(),
        kind: TargetKind::Image,
        image: Some(Image {
            manifest_digest: Some(digest("a1")),
            config_digest: Some(digest("b2")),
            tags: vec!["registry.example.org/team/app:1.0".into()],
            ..Image::default()
        }),
        inventory: Inventory {
            system: Some(OperatingSystem {
                id: "rhel".into(),
                cpe: "cpe:/o:redhat:enterprise_linux:9.4::baseos".into(),
                ..OperatingSystem::default()
            }),
            packages: vec![ssl, app, lib],
            ..Inventory::default()
        },
    }
}

fn finding(rule: &str, package: &Package) -> Finding {
    Finding {
        id: rule.into(),
        rule: rule.into(),
        kind: FindingKind::Vulnerability,
        severity: Severity::High,
        title: String::new(),
        target: IMAGE.into(),
        location: package.locations[0].clone(),
        package: Some(PackageReference {
            name: package.name.clone(),
            version: package.version.clone(),
            purl: package.purl(),
            scope: package.scope,
        }),
        fixed_version: None,
        aliases: vec!["GHSA-xxxx".into()],
        controls: Vec::new(),
        vulnerability: None,
        evidence: Evidence::default(),
        fix: String::new(),
        created_by: String::new(),
        from_base_image: None,
    }
}

fn component(identifier: &str) -> VexComponent {
    let mut component = VexComponent::default();
    if let Ok(digest) = identifier.parse() {
        component.digests.push(digest);
    } else if identifier.starts_with("cpe:") {
        component.cpes.push(identifier.into());
    } else if identifier.starts_with("pkg:") {
        component.purls.push(identifier.parse().unwrap());
    } else {
        component.name = identifier.into();
    }
    component
}

fn statement(flaw: &str, status: VexStatus, product: &str, subcomponents: &[&str]) -> VexStatement {
    VexStatement {
        vulnerability: flaw.into(),
        aliases: Vec::new(),
        status,
        products: vec![VexProduct {
            component: component(product),
            subcomponents: subcomponents.iter().map(|text| component(text)).collect(),
        }],
        justification: "vulnerable_code_not_present".into(),
        impact: "built without it".into(),
        action: "update".into(),
        timestamp: "2026-01-01T00:00:00Z".into(),
        author: "Example".into(),
        source: VexSource { file: "vex.json".into(), index: 2, id: String::new() },
    }
}

/// Applies one statement to a finding of CVE-1 in libssl3 (0) or the library in the jar (2).
fn judge(package: usize, product: &str, subcomponents: &[&str]) -> Result<(), String> {
    let target = target();
    let finding = finding("CVE-1", &target.inventory.packages[package]);
    let statement = statement("CVE-1", VexStatus::NotAffected, product, subcomponents);
    let applied = apply(vec![finding], &[target], &[statement]);
    match applied.suppressed.as_slice() {
        [_] => Ok(()),
        _ => Err(applied.unused[0].nearest.clone()),
    }
}

#[test]
fn purls_match_by_what_they_state() {
    for product in [
        "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12",
        "pkg:deb/debian/libssl3@3.0.11-1",
        "pkg:deb/debian/libssl3",
        "pkg:deb/debian/libssl3?arch=amd64",
    ] {
        assert_eq!(judge(0, product, &[]), Ok(()), "{product}");
    }
    for (product, why) in [
        ("pkg:deb/debian/libssl3@3.0.12-1", "the version is 3.0.11-1, the statement says 3.0.12-1"),
        ("pkg:deb/ubuntu/libssl3@3.0.11-1", "the namespace is debian, the statement says ubuntu"),
        ("pkg:deb/debian/libssl3@3.0.11-1?arch=arm64", "arch is amd64, the statement says arm64"),
        ("pkg:deb/debian/libssl1", "another package"),
    ] {
        let nearest = judge(0, product, &[]).unwrap_err();
        assert!(
            nearest.contains(why) && nearest.contains("pkg:deb/debian/libssl3@3.0.11-1"),
            "{product}: {nearest}"
        );
    }
}

#[test]
fn an_image_is_known_by_digest_reference_and_name() {
    let ssl = &["pkg:deb/debian/libssl3"];
    for product in [
        digest("a1").to_string(),
        digest("b2").to_string(),
        format!("pkg:oci/app@{}", digest("a1")),
        format!("pkg:oci/app@{}?repository_url=registry.example.org/team/app", digest("a1")),
        "pkg:oci/app?repository_url=registry.example.org/team/app&tag=1.0".into(),
        "pkg:oci/app?repository_url=registry.example.org/team".into(),
        "pkg:oci/app".into(),
        "pkg:docker/app@1.0?repository_url=registry.example.org/team/app".into(),
        IMAGE.into(),
    ] {
        assert_eq!(judge(0, &product, ssl), Ok(()), "{product}");
        assert_eq!(judge(0, &product, &[]), Ok(()), "{product} as a whole");
        assert!(judge(0, &product, &["pkg:deb/debian/zlib1g"]).is_err(), "{product}");
    }
    for product in [
        digest("c3").to_string(),
        format!("pkg:oci/app@{}", digest("c3")),
        "pkg:oci/app?tag=2.0".into(),
        "pkg:oci/other".into(),
        "pkg:oci/app?repository_url=docker.io/team/app".into(),
        "pkg:docker/app@1.0".into(),
        "some product".into(),
    ] {
        let nearest = judge(0, &product, ssl).unwrap_err();
        assert!(nearest.contains("the package is meant, but only within"), "{product}: {nearest}");
    }
}

#[test]
fn a_component_is_excused_only_within_the_package_that_holds_it() {
    let lib = &["pkg:maven/org.example/lib@1.0"];
    assert_eq!(judge(2, "pkg:maven/org.example/app@2.0", lib), Ok(()));
    assert_eq!(judge(2, "pkg:maven/org.example/app", lib), Ok(()));
    assert!(judge(2, "pkg:maven/org.example/app@3.0", lib).is_err());
    assert!(judge(2, "pkg:deb/debian/libssl3", lib).is_err());
    // What a package only needs counts as well.
    let mut target = target();
    target.inventory.relations.push(Relation { from: 0, to: 2, kind: RelationKind::DependsOn });
    let finding = finding("CVE-1", &target.inventory.packages[2]);
    let needed = statement("CVE-1", VexStatus::Fixed, "pkg:deb/debian/libssl3", lib);
    assert_eq!(apply(vec![finding], &[target], &[needed]).suppressed.len(), 1);
}

#[test]
fn archives_and_systems_are_known_by_digest_and_cpe() {
    assert_eq!(judge(2, &digest("ee").to_string(), &[]), Ok(()));
    assert!(judge(0, &digest("ee").to_string(), &[]).is_err());
    let ssl = &["pkg:deb/debian/libssl3"];
    assert_eq!(judge(0, "cpe:/o:redhat:enterprise_linux:9", ssl), Ok(()));
    assert_eq!(judge(0, "cpe:2.3:o:redhat:enterprise_linux:9.4:*:*:*:*:*:*:*", ssl), Ok(()));
    assert!(judge(0, "cpe:/o:redhat:enterprise_linux:8", ssl).is_err());
    assert!(judge(0, "cpe:/a:redhat:enterprise_linux:9", ssl).is_err());
}

#[test]
fn the_latest_statement_wins_whatever_the_order() {
    let target = target();
    let ssl = target.inventory.packages[0].clone();
    let at = |time: &str, status| {
        let mut statement = statement("ghsa-XXXX", status, "pkg:deb/debian/libssl3", &[]);
        statement.timestamp = time.into();
        statement
    };
    let excused = |statements: &[VexStatement]| {
        let applied = apply(vec![finding("CVE-1", &ssl)], std::slice::from_ref(&target), statements);
        assert!(applied.unused.is_empty());
        applied.suppressed.len() == 1
    };
    let (old, new) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    assert!(excused(&[at(old, VexStatus::UnderInvestigation), at(new, VexStatus::NotAffected)]));
    assert!(excused(&[at(new, VexStatus::NotAffected), at(old, VexStatus::Affected)]));
    assert!(!excused(&[at(old, VexStatus::NotAffected), at(new, VexStatus::Affected)]));
    assert!(!excused(&[at(new, VexStatus::UnderInvestigation), at(old, VexStatus::Fixed)]));
    // The same time: the one read last.
    assert!(excused(&[at(old, VexStatus::Affected), at(old, VexStatus::Fixed)]));
    assert!(!excused(&[at("", VexStatus::Fixed), at(old, VexStatus::Affected)]));
}

#[test]
fn a_suppression_says_who_and_why_and_a_confirmation_leaves_a_note() {
    let target = target();
    let ssl = target.inventory.packages[0].clone();
    let excused = statement("CVE-1", VexStatus::NotAffected, "pkg:deb/debian/libssl3", &[]);
    let confirmed = statement("CVE-2", VexStatus::Affected, "pkg:deb/debian/libssl3", &[]);
    let applied = apply(
        vec![finding("CVE-1", &ssl), finding("CVE-2", &ssl)],
        std::slice::from_ref(&target),
        &[excused, confirmed],
    );
    let suppressed = &applied.suppressed[0];
    assert_eq!((suppressed.by.as_str(), suppressed.source.as_str()), ("vex", "vex.json, statement 3"));
    assert_eq!(
        suppressed.reason,
        "not_affected: vulnerable_code_not_present: built without it (says Example)"
    );
    assert_eq!(applied.findings.len(), 1);
    assert!(applied.findings[0].evidence.notes[0].starts_with("vex: affected"));
}

#[test]
fn statements_without_effect_name_what_comes_nearest() {
    let target = target();
    let ssl = target.inventory.packages[0].clone();
    let unused = |statement: VexStatement| {
        let applied = apply(vec![finding("CVE-1", &ssl)], std::slice::from_ref(&target), &[statement]);
        assert_eq!(applied.findings.len(), 1);
        applied.notices().remove(0)
    };
    let notice = unused(statement("CVE-9", VexStatus::Fixed, "pkg:deb/debian/libssl3", &[]));
    assert!(
        notice.contains("libssl3@3.0.11-1") && notice.contains("is there, but has no finding of CVE-9"),
        "{notice}"
    );
    let notice = unused(statement("CVE-9", VexStatus::Fixed, "pkg:deb/debian/libssl3@2", &[]));
    assert!(notice.contains("the version is 3.0.11-1, the statement says 2"), "{notice}");
    let notice = unused(statement("CVE-9", VexStatus::Fixed, "pkg:npm/nothing", &[]));
    assert!(notice.contains("no package like pkg:npm/nothing"), "{notice}");
    let many: Vec<VexStatement> = (0..MAX_EXPLAINED + 5)
        .map(|_| statement("CVE-9", VexStatus::Fixed, "pkg:npm/nothing", &[]))
        .collect();
    let applied = apply(Vec::new(), &[], &many);
    assert_eq!((applied.unused.len(), applied.unexplained), (MAX_EXPLAINED, 5));
    assert_eq!(applied.notices().len(), MAX_EXPLAINED + 1);
}

#[test]
fn nothing_to_recognise_a_product_by_excuses_nothing() {
    assert!(judge(0, "", &[]).is_err());
    assert!(judge(0, "", &["pkg:deb/debian/libssl3"]).is_err());
    assert!(judge(0, "CVE-1", &[]).is_err());
}
