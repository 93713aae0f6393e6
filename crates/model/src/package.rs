//! Packages: what is installed, declared or built in, and the evidence for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::purl::{Purl, PurlParts};
use crate::{Digest, Ecosystem, Location};

/// How a package is present.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Its files are there and a package manager or its own metadata says so.
    #[default]
    Installed,
    /// A lockfile or manifest asks for it; nothing proves that it is there.
    Declared,
    /// Linked into a binary or bundled in an archive.
    Embedded,
}

/// What the package is needed for, where the source says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    #[default]
    Runtime,
    Optional,
    Development,
    Test,
    Build,
}

/// The source package a binary package was built from; distributions write advisories for these.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourcePackage {
    pub name: String,
    /// Full version, epoch included where it is not zero.
    pub version: String,
}

/// A wish for another package, as the evidence file states it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// The name within the same ecosystem (for OS packages also a virtual name or capability).
    pub name: String,
    /// The exact version, where a lockfile resolved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// One package of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    pub ecosystem: Ecosystem,
    /// As its ecosystem spells it: `@scope/name` (npm), `group:artifact` (Maven), module path (Go),
    /// `vendor/name` (Composer, and Generic where it has a namespace), PEP 503 normalised (PyPI), binary package name (OS packages).
    pub name: String,
    /// As its ecosystem spells it; `epoch:version-release` for OS packages, the epoch left out when absent
    /// or zero; Go versions keep their `v`, the Go standard library and toolchain do not.
    pub version: String,
    /// Processor architecture as the package manager names it; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// purl namespace of an OS package (`debian`, `almalinux`, `alpine`), from the target's os-release.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub distribution: String,
    /// purl `distro` qualifier of an OS package, such as `debian-12`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub distro: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourcePackage>,
    /// RPM modularity label (`name:stream:version:context`), where the package came from a module.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub module: String,
    /// Further purl qualifiers (`type`, `classifier`, `repository_url`, `vcs_url`, …).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub qualifiers: BTreeMap<String, String>,
    /// Licences as declared, each an SPDX expression where it could be read as one, else the raw text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<String>,
    /// Maintainer, author or vendor.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub supplier: String,
    /// Digests of the package's own archive, as a lockfile or database states them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<Digest>,
    #[serde(default)]
    pub presence: Presence,
    #[serde(default)]
    pub scope: Scope,
    /// The files that prove the package; the first is the primary evidence.
    pub locations: Vec<Location>,
    /// What it asks for. [`crate::Inventory::relations`] has these resolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Names it also answers to (Debian `Provides`, RPM capabilities without versions).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<String>,
    /// Name of the cataloguer that found it.
    pub found_by: String,
    /// Where an OS package owns this package's evidence file: that package's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where another language's package manager installed this package's evidence file: the package it did it for,
    /// such as the wheel that bundles this one or the conda package that is this one. It is there for itself all the
    /// same, and judged for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<String>,
    /// Of a package of the operating system, whether any of its files holds code that could run or be built; known only
    /// where every file of the package was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_code: Option<bool>,
    /// Whether it came with the base image, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_base_image: Option<bool>,
}

impl Package {
    /// A package with nothing but its identity; fill the rest by field.
    pub fn new(ecosystem: Ecosystem, name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            ecosystem,
            name: name.into(),
            version: version.into(),
            architecture: String::new(),
            distribution: String::new(),
            distro: String::new(),
            source: None,
            module: String::new(),
            qualifiers: BTreeMap::new(),
            licenses: Vec::new(),
            supplier: String::new(),
            digests: Vec::new(),
            presence: Presence::default(),
            scope: Scope::default(),
            locations: Vec::new(),
            dependencies: Vec::new(),
            provides: Vec::new(),
            found_by: String::new(),
            owner: None,
            part_of: None,
            holds_code: None,
            from_base_image: None,
        }
    }

    /// The package URL; `None` when the name cannot stand in one.
    pub fn purl(&self) -> Option<Purl> {
        let (namespace, name) = self.namespace_and_name();
        // The purl-spec puts an RPM's epoch in a qualifier; Debian keeps it in the version.
        let (epoch, version) = match (self.ecosystem, self.version.split_once(':')) {
            (Ecosystem::Rpm, Some((epoch, rest))) => (epoch, rest),
            _ => ("", self.version.as_str()),
        };
        let mut qualifiers: Vec<(&str, &str)> =
            self.qualifiers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        qualifiers.push(("arch", &self.architecture));
        qualifiers.push(("distro", &self.distro));
        qualifiers.push(("epoch", epoch));
        qualifiers.push(("rpmmod", &self.module));
        let upstream = self.upstream();
        qualifiers.push(("upstream", &upstream));
        Purl::new(
            self.ecosystem,
            PurlParts { namespace, name, version: Some(version), qualifiers: &qualifiers, subpath: None },
        )
        .ok()
    }

    /// The `upstream` qualifier: the source package where it differs, with its version where that differs.
    fn upstream(&self) -> String {
        match &self.source {
            Some(source) if source.version != self.version => format!("{}@{}", source.name, source.version),
            Some(source) if source.name != self.name => source.name.clone(),
            _ => String::new(),
        }
    }

    fn namespace_and_name(&self) -> (Option<&str>, &str) {
        let split = match self.ecosystem {
            Ecosystem::Maven => self.name.split_once(':'),
            Ecosystem::Npm
            | Ecosystem::Golang
            | Ecosystem::Composer
            | Ecosystem::Swift
            | Ecosystem::Generic
            | Ecosystem::Github => self.name.rsplit_once('/'),
            _ if !self.distribution.is_empty() => Some((self.distribution.as_str(), self.name.as_str())),
            _ => None,
        };
        match split {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, &self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(package: &Package) -> String {
        package.purl().unwrap().to_string()
    }

    #[test]
    fn writes_the_purl_of_each_family() {
        assert_eq!(
            purl(&Package::new(Ecosystem::Npm, "@babel/core", "7.0.0")),
            "pkg:npm/%40babel/core@7.0.0"
        );
        assert_eq!(
            purl(&Package::new(Ecosystem::Maven, "org.apache:commons", "1")),
            "pkg:maven/org.apache/commons@1"
        );
        assert_eq!(
            purl(&Package::new(Ecosystem::Golang, "golang.org/x/net", "v0.1.0")),
            "pkg:golang/golang.org/x/net@v0.1.0"
        );
        let mut deb = Package::new(Ecosystem::Deb, "libssl3", "1:3.0.11-1");
        deb.distribution = "debian".into();
        deb.distro = "debian-12".into();
        deb.architecture = "amd64".into();
        deb.source = Some(SourcePackage { name: "openssl".into(), version: "1:3.0.11-1".into() });
        assert_eq!(
            purl(&deb),
            "pkg:deb/debian/libssl3@1:3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl"
        );
        let mut rpm = Package::new(Ecosystem::Rpm, "bind", "32:9.16-1.el9");
        rpm.distribution = "almalinux".into();
        assert_eq!(purl(&rpm), "pkg:rpm/almalinux/bind@9.16-1.el9?epoch=32");
    }
}
