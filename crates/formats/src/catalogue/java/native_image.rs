//! The CycloneDX document that GraalVM embeds in a native image (`--enable-sbom`): the Java libraries compiled in.

use serde::Deserialize;
use yagura_model::package::Presence;
use yagura_model::{Ecosystem, Location, Package, SkipReason};

use super::super::Facts;

const FOUND_BY: &str = "graalvm-native-image";
const MAX_PACKAGES: usize = 50_000;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    group: String,
    name: String,
    #[serde(default)]
    version: String,
}

/// Adds the libraries of a native image.
pub(crate) fn packages(json: &[u8], path: &str, facts: &mut Facts) {
    let document: Document = match serde_json::from_slice(json) {
        Ok(document) => document,
        Err(error) => return facts.skip(path, SkipReason::Malformed, format!("embedded CycloneDX: {error}")),
    };
    if document.components.len() > MAX_PACKAGES {
        facts.skip(path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
    }
    for Component { group, name, version } in document.components.into_iter().take(MAX_PACKAGES) {
        if name.is_empty() {
            continue;
        }
        let group = if group.is_empty() { &name } else { &group };
        let mut package = Package::new(Ecosystem::Maven, format!("{group}:{name}"), version);
        package.presence = Presence::Embedded;
        package.found_by = FOUND_BY.into();
        package.locations = vec![Location::file(path)];
        facts.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_compiled_in_libraries() {
        let json = br#"{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,"components":[
            {"type":"library","group":"io.netty","name":"netty-codec-http2","version":"4.1.76.Final",
             "properties":[{"name":"syft:cpe23","value":"cpe:2.3:a:x"}]},{"type":"library","name":"main"}]}"#;
        let mut facts = Facts::default();
        packages(json, "app", &mut facts);
        let found: Vec<_> = facts.packages.iter().map(|p| format!("{}:{}", p.name, p.version)).collect();
        assert_eq!(found, ["io.netty:netty-codec-http2:4.1.76.Final", "main:main:"]);
    }
}
