//! The `release` file at the root of a Java runtime, which every OpenJDK build since 7 writes.

use std::collections::HashMap;

use yagura_model::{Ecosystem, Location, Package};

use super::super::{EvidenceFile, Facts};

/// Adds the runtime; other files called `release` are passed over.
pub(super) fn catalogue(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = String::from_utf8_lossy(bytes);
    let fields: HashMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')))
        .collect();
    let field = |name: &str| fields.get(name).copied().filter(|value| !value.is_empty());
    let Some(version) = version(field) else { return };
    let vendor = field("IMPLEMENTOR").unwrap_or_default();
    let maker = vendor.to_ascii_lowercase().replace(' ', "");
    let path = file.path.to_ascii_lowercase();
    let kit =
        field("IMAGE_TYPE").map_or_else(|| !path.contains("jre"), |image| image.eq_ignore_ascii_case("jdk"));
    let edition = if kit { "jdk" } else { "jre" };
    let commercial = field("BUILD_TYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("commercial"));
    let name = if maker.contains("azul") || path.contains("zulu") {
        "azul/zulu".to_owned()
    } else if maker.starts_with("sun") {
        format!("sun/{edition}")
    } else if maker.starts_with("ibm") || maker.contains("international") {
        format!("ibm/{}", if kit { "java_sdk" } else { "java" })
    } else if maker.contains("oracle") || commercial {
        format!("oracle/{edition}")
    } else {
        "oracle/openjdk".to_owned()
    };
    let mut package = Package::new(Ecosystem::Generic, name, version);
    package.supplier = vendor.to_owned();
    package.architecture = field("OS_ARCH").unwrap_or_default().to_owned();
    if let Some(repository) = field("SOURCE_REPO").or_else(|| field("BUILD_SOURCE_REPO")) {
        package.qualifiers.insert("repository_url".into(), repository.to_owned());
    }
    package.locations = vec![Location::file(file.path)];
    facts.packages.push(package);
}

/// The fullest version stated: with the build number where the file has it.
fn version<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    let java = field("JAVA_VERSION");
    let first = |version: &'a str| version.split(['.', '+', '_']).next();
    // Some vendors put their product's version into FULL_VERSION.
    let full = field("FULL_VERSION").filter(|full| java.is_none_or(|java| first(full) == first(java)));
    field("JAVA_RUNTIME_VERSION").filter(|_| java.is_some()).or(full.filter(|_| java.is_some())).or(java)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_runtimes() {
        for (path, text, expected) in [
            (
                "opt/java/openjdk/release",
                "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_RUNTIME_VERSION=\"21.0.4+7-LTS\"\nJAVA_VERSION=\"21.0.4\"\nIMAGE_TYPE=\"JDK\"\n",
                Some("oracle/openjdk@21.0.4+7-LTS"),
            ),
            (
                "usr/lib/jvm/java-8/release",
                "JAVA_VERSION=\"1.8.0_422\"\nFULL_VERSION=\"1.8.0_422-b05\"\nIMPLEMENTOR=\"Temurin\"\n",
                Some("oracle/openjdk@1.8.0_422-b05"),
            ),
            ("usr/lib/jvm/zulu17/release", "JAVA_VERSION=\"17.0.9\"\n", Some("azul/zulu@17.0.9")),
            (
                "usr/java/jdk-22-oracle-x64/release",
                "IMPLEMENTOR=\"Oracle Corporation\"\nJAVA_RUNTIME_VERSION=\"22.0.2+9-70\"\nJAVA_VERSION=\"22.0.2\"\n",
                Some("oracle/jdk@22.0.2+9-70"),
            ),
            ("etc/release", "DISTRIB_ID=Ubuntu\nFULL_VERSION=22.04\n", None),
        ] {
            let mut facts = Facts::default();
            catalogue(EvidenceFile { path, mode: 0o644, size: 0 }, text.as_bytes(), &mut facts);
            let found = facts.packages.first().map(|p| format!("{}@{}", p.name, p.version));
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }
}
