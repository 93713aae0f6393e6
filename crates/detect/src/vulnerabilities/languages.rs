//! Which feed speaks for a package of a language or an application registry.

use std::borrow::Cow;

use yagura_model::finding::Confidence;
use yagura_model::{Ecosystem, Package};

/// The OSV ecosystem of a package that no operating system owns, the name and version to look up there, and how sure
/// that is.
pub struct Address<'a> {
    pub ecosystem: &'static str,
    pub name: Cow<'a, str>,
    pub version: Cow<'a, str>,
    pub confidence: Confidence,
}

/// Where advisories for a package would be; none for kinds of package that have no public feed.
pub fn address(package: &Package) -> Option<Address<'_>> {
    let ecosystem = match package.ecosystem {
        Ecosystem::Bitnami => "Bitnami",
        Ecosystem::Cargo => "crates.io",
        Ecosystem::Composer => "Packagist",
        Ecosystem::Conan => "ConanCenter",
        Ecosystem::Cran => "CRAN",
        Ecosystem::Gem => "RubyGems",
        Ecosystem::Github => "GitHub Actions",
        Ecosystem::Golang => "Go",
        Ecosystem::Hackage => "Hackage",
        Ecosystem::Hex => "Hex",
        Ecosystem::Julia => "Julia",
        Ecosystem::Maven => "Maven",
        Ecosystem::Npm => "npm",
        Ecosystem::Nuget => "NuGet",
        Ecosystem::Pub => "Pub",
        Ecosystem::Pypi => "PyPI",
        Ecosystem::Swift => "SwiftURL",
        // Programs known by their own version strings: Bitnami's feed has the upstream products' versions.
        Ecosystem::Generic => "Bitnami",
        Ecosystem::Alpm
        | Ecosystem::Apk
        | Ecosystem::Cocoapods
        | Ecosystem::Conda
        | Ecosystem::Deb
        | Ecosystem::Kernel
        | Ecosystem::Otp
        | Ecosystem::Rpm => return None,
    };
    let (name, version, confidence) = match package.ecosystem {
        Ecosystem::Generic => (
            Cow::Borrowed(product(&package.name)?),
            Cow::Borrowed(package.version.as_str()),
            Confidence::NameOnly,
        ),
        Ecosystem::Bitnami => (
            Cow::Borrowed(package.name.as_str()),
            Cow::Borrowed(without_revision(&package.version)),
            Confidence::ExactPurl,
        ),
        _ => (
            Cow::Borrowed(package.name.as_str()),
            Cow::Borrowed(package.version.as_str()),
            Confidence::ExactPurl,
        ),
    };
    Some(Address { ecosystem, name, version, confidence })
}

/// Bitnami's name of a program.
fn product(name: &str) -> Option<&str> {
    match name {
        "httpd" | "apache" => Some("apache"),
        "nodejs" | "node" => Some("node"),
        "go" | "golang" => Some("golang"),
        "postgres" | "postgresql" => Some("postgresql"),
        "java" | "jdk" | "jre" | "openjdk" => Some("java"),
        "" => None,
        other => Some(other),
    }
}

/// Bitnami counts its own builds behind the product's version: `2.4.53-7`.
fn without_revision(version: &str) -> &str {
    match version.rsplit_once('-') {
        Some((product, revision))
            if !revision.is_empty()
                && revision.bytes().all(|b| b.is_ascii_digit())
                && !product.is_empty() =>
        {
            product
        }
        _ => version,
    }
}
