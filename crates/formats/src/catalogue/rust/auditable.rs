//! The dependency list that cargo-auditable links into programs (its PARSING.md and JSON schema).

use serde::Deserialize;
use yagura_model::package::{Dependency, Presence};
use yagura_model::{Ecosystem, Location, Package, SkipReason};

use super::super::Facts;

const FOUND_BY: &str = "rust-auditable";
const MAX_PACKAGES: usize = 50_000;

#[derive(Deserialize)]
struct Audit {
    packages: Vec<AuditPackage>,
}

#[derive(Deserialize)]
struct AuditPackage {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    /// `build` for what ran at build time only and is not in the program.
    #[serde(default)]
    kind: String,
    #[serde(default)]
    dependencies: Vec<usize>,
}

/// Adds the packages linked into a program.
pub(crate) fn packages(json: &[u8], path: &str, facts: &mut Facts) {
    let audit: Audit = match serde_json::from_slice(json) {
        Ok(audit) => audit,
        Err(error) => return facts.skip(path, SkipReason::Malformed, format!("dependency list: {error}")),
    };
    if audit.packages.len() > MAX_PACKAGES {
        return facts.skip(path, SkipReason::TooMany, format!("more than {MAX_PACKAGES} packages"));
    }
    let linked = |package: &AuditPackage| package.kind != "build";
    for entry in audit.packages.iter().filter(|package| linked(package)) {
        let mut package = Package::new(Ecosystem::Cargo, &*entry.name, &*entry.version);
        package.presence = Presence::Embedded;
        package.found_by = FOUND_BY.into();
        package.locations = vec![Location::file(path)];
        if !matches!(entry.source.as_str(), "" | "crates.io" | "registry" | "local" | "git") {
            package.qualifiers.insert("repository_url".into(), entry.source.clone());
        }
        package.dependencies = entry
            .dependencies
            .iter()
            .filter_map(|index| audit.packages.get(*index))
            .filter(|package| linked(package))
            .map(|package| Dependency { name: package.name.clone(), version: Some(package.version.clone()) })
            .collect();
        facts.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_linked() {
        let json = br#"{"packages":[
            {"name":"app","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},
            {"name":"cc","version":"1.0.83","source":"crates.io","kind":"build"},
            {"name":"log","version":"0.4.20","source":"crates.io"}]}"#;
        let mut facts = Facts::default();
        packages(json, "usr/bin/app", &mut facts);
        let found: Vec<_> = facts.packages.iter().map(|p| (p.name.as_str(), p.version.as_str())).collect();
        assert_eq!(found, [("app", "0.1.0"), ("log", "0.4.20")]);
        assert_eq!(facts.packages[0].dependencies.len(), 1);
    }
}
