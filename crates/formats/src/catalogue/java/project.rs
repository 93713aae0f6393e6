//! Java projects: `pom.xml`, Gradle's lockfiles and verification metadata, and the lockfile of sbt's plugin.

use std::collections::BTreeSet;

use roxmltree::{Document, ParsingOptions};
use serde::Deserialize;
use yagura_model::digest::Algorithm;
use yagura_model::package::{Presence, Scope};
use yagura_model::{Digest, Ecosystem, Location, Package, SkipReason};

use super::super::{EvidenceFile, Facts};
use super::pom;

const MAX_PACKAGES: usize = 50_000;
const MAX_NODES: u32 = 2_000_000;

fn declared(group: &str, artifact: &str, version: &str, location: Location) -> Package {
    let mut package = Package::new(Ecosystem::Maven, format!("{group}:{artifact}"), version);
    package.presence = Presence::Declared;
    package.locations = vec![location];
    package
}

/// Adds a package; `false`, with a note, when there are too many.
fn add(file: EvidenceFile<'_>, package: Package, facts: &mut Facts) -> bool {
    if facts.packages.len() >= MAX_PACKAGES {
        facts.skip(file.path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
        return false;
    }
    facts.packages.push(package);
    true
}

/// The direct dependencies of a Maven project. Versions that another file decides are empty.
pub(super) fn maven(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let project = match pom::parse(bytes) {
        Ok(project) => project,
        Err(error) => return facts.skip(file.path, SkipReason::Malformed, error),
    };
    for wish in project.dependencies {
        let location = Location::line(file.path, wish.line);
        let mut package = declared(&wish.group, &wish.artifact, &wish.version, location);
        package.scope = match wish.scope.as_str() {
            "test" => Scope::Test,
            "provided" | "system" => Scope::Build,
            _ if wish.optional => Scope::Optional,
            _ => Scope::Runtime,
        };
        if !wish.classifier.is_empty() {
            package.qualifiers.insert("classifier".into(), wish.classifier);
        }
        if !add(file, package, facts) {
            return;
        }
    }
}

/// `gradle.lockfile` and the older `gradle/dependency-locks/CONFIGURATION.lockfile` (Gradle manual, "Locking
/// versions"): `group:artifact:version=configuration,…`, the older form without configurations.
pub(super) fn gradle_lockfile(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let build_script = file.name().starts_with("buildscript-") || file.name().starts_with("settings-");
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (coordinates, configurations) = line.split_once('=').unwrap_or((line, ""));
        let parts: Vec<&str> = coordinates.split(':').collect();
        let [group, artifact, version] = parts.as_slice() else { continue };
        let mut package = declared(group, artifact, version, Location::line(file.path, number));
        let only = |holds: fn(&str) -> bool| {
            !configurations.is_empty()
                && configurations.split(',').all(|name| holds(&name.to_ascii_lowercase()))
        };
        package.scope = if only(|name| name.contains("test")) {
            Scope::Test
        } else if build_script
            || only(|name| name.contains("annotationprocessor") || name.contains("classpathcopy"))
        {
            Scope::Build
        } else {
            Scope::Runtime
        };
        if !add(file, package, facts) {
            return;
        }
    }
}

/// `gradle/verification-metadata.xml` (Gradle manual, "Verifying dependencies"): everything a build may load, plugins
/// included, with digests.
pub(super) fn gradle_verification(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let text = String::from_utf8_lossy(bytes);
    let document = match Document::parse_with_options(&text, options) {
        Ok(document) => document,
        Err(error) => return facts.skip(file.path, SkipReason::Malformed, error.to_string()),
    };
    for component in
        document.root_element().descendants().filter(|node| node.tag_name().name() == "component")
    {
        let attribute = |name: &str| component.attribute(name).unwrap_or_default();
        let (group, artifact, version) = (attribute("group"), attribute("name"), attribute("version"));
        if group.is_empty() || artifact.is_empty() {
            continue;
        }
        let line = document.text_pos_at(component.range().start).row;
        let mut package = declared(group, artifact, version, Location::line(file.path, line));
        package.scope = Scope::Build;
        let jar = format!("{artifact}-{version}.jar");
        package.digests = component
            .descendants()
            .filter(|node| node.parent().and_then(|parent| parent.attribute("name")) == Some(&jar))
            .filter_map(|node| {
                let algorithm = match node.tag_name().name() {
                    "md5" => Algorithm::Md5,
                    "sha1" => Algorithm::Sha1,
                    "sha256" => Algorithm::Sha256,
                    "sha512" => Algorithm::Sha512,
                    _ => return None,
                };
                Digest::from_hex(algorithm, node.attribute("value")?).ok()
            })
            .collect();
        if !add(file, package, facts) {
            return;
        }
    }
}

#[derive(Deserialize)]
struct SbtLock {
    dependencies: Vec<SbtDependency>,
}

#[derive(Deserialize)]
struct SbtDependency {
    org: String,
    name: String,
    version: String,
    #[serde(default)]
    configurations: BTreeSet<String>,
}

/// `build.sbt.lock` of the sbt-dependency-lock plugin.
pub(super) fn sbt_lock(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let lock: SbtLock = match serde_json::from_slice(bytes) {
        Ok(lock) => lock,
        Err(error) => return facts.skip(file.path, SkipReason::Malformed, error.to_string()),
    };
    for dependency in lock.dependencies {
        let SbtDependency { org, name, version, configurations } = dependency;
        let mut package = declared(&org, &name, &version, Location::file(file.path));
        let run = ["compile", "runtime", "compile-internal", "runtime-internal", "default"];
        if !configurations.is_empty() && !configurations.iter().any(|name| run.contains(&name.as_str())) {
            let test = configurations.iter().any(|name| name.starts_with("test"));
            package.scope = if test { Scope::Test } else { Scope::Build };
        }
        if !add(file, package, facts) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        catalogue: fn(EvidenceFile<'_>, &[u8], &mut Facts),
        path: &str,
        text: &str,
    ) -> Vec<(String, Scope)> {
        let mut facts = Facts::default();
        catalogue(EvidenceFile { path, mode: 0o644, size: text.len() as u64 }, text.as_bytes(), &mut facts);
        assert!(facts.skipped.is_empty(), "{:?}", facts.skipped);
        facts.packages.into_iter().map(|p| (format!("{}:{}", p.name, p.version), p.scope)).collect()
    }

    #[test]
    fn reads_gradle_lockfiles() {
        let text = "# This is a Gradle generated file for dependency locking.\n\
            com.google.guava:guava:31.1-jre=compileClasspath,runtimeClasspath\n\
            junit:junit:4.13.2=testCompileClasspath,testRuntimeClasspath\n\
            org.projectlombok:lombok:1.18.24=annotationProcessor\nempty=archives\n";
        assert_eq!(
            read(gradle_lockfile, "app/gradle.lockfile", text),
            [
                ("com.google.guava:guava:31.1-jre".into(), Scope::Runtime),
                ("junit:junit:4.13.2".into(), Scope::Test),
                ("org.projectlombok:lombok:1.18.24".into(), Scope::Build),
            ]
        );
        let old = "com.google.guava:guava:30.0-jre\n";
        let found = read(gradle_lockfile, "gradle/dependency-locks/compileClasspath.lockfile", old);
        assert_eq!(found, [("com.google.guava:guava:30.0-jre".into(), Scope::Runtime)]);
    }

    #[test]
    fn reads_verification_metadata() {
        let text = format!(
            r#"<verification-metadata xmlns="https://schema.gradle.org/dependency-verification"><components>
            <component group="com.google.guava" name="guava" version="31.1-jre">
            <artifact name="guava-31.1-jre.jar"><sha256 value="{}" origin="Generated by Gradle"/></artifact>
            <artifact name="guava-31.1-jre.pom"><sha256 value="{}"/></artifact></component></components></verification-metadata>"#,
            "ab".repeat(32),
            "cd".repeat(32)
        );
        let mut facts = Facts::default();
        let file = EvidenceFile { path: "gradle/verification-metadata.xml", mode: 0o644, size: 0 };
        gradle_verification(file, text.as_bytes(), &mut facts);
        assert_eq!(facts.packages[0].name, "com.google.guava:guava");
        assert_eq!(facts.packages[0].digests.len(), 1);
    }

    #[test]
    fn reads_sbt_locks() {
        let text = r#"{"lockVersion":1,"timestamp":"2022-09-28T20:33:49Z","configurations":["compile","test"],
            "dependencies":[{"org":"org.apache.commons","name":"commons-lang3","version":"3.9",
            "artifacts":[{"name":"commons-lang3.jar","hash":"sha1:0122c7cee69b53ed4a7681c03d4ee4c0e2765da5"}],
            "configurations":["compile","runtime","test"]},
            {"org":"org.scalatest","name":"scalatest_2.13","version":"3.2.0","configurations":["test"]}]}"#;
        assert_eq!(
            read(sbt_lock, "build.sbt.lock", text),
            [
                ("org.apache.commons:commons-lang3:3.9".into(), Scope::Runtime),
                ("org.scalatest:scalatest_2.13:3.2.0".into(), Scope::Test),
            ]
        );
    }
}
