//! Package URLs in canonical form (purl-spec 1.0).

use std::fmt;
use std::str::FromStr;

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

use crate::Ecosystem;

/// A package URL known to parse, kept as its canonical text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purl(String);

/// Why a text is not a package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {reason}")]
pub struct InvalidPurl {
    text: String,
    reason: String,
}

/// The parts a package URL is made of, before canonicalisation.
#[derive(Clone, Copy, Debug, Default)]
pub struct PurlParts<'a> {
    pub namespace: Option<&'a str>,
    pub name: &'a str,
    pub version: Option<&'a str>,
    /// Pairs whose value is empty are left out.
    pub qualifiers: &'a [(&'a str, &'a str)],
    pub subpath: Option<&'a str>,
}

impl Purl {
    /// Builds the canonical text; an error when a part cannot stand in a purl (an empty name, say).
    pub fn new(ecosystem: Ecosystem, parts: PurlParts<'_>) -> Result<Self, InvalidPurl> {
        let invalid = |reason: &dyn fmt::Display| InvalidPurl {
            text: format!("pkg:{}/{}", ecosystem.purl_type(), parts.name),
            reason: reason.to_string(),
        };
        let mut url = PackageUrl::new(ecosystem.purl_type(), parts.name).map_err(|e| invalid(&e))?;
        if let Some(namespace) = parts.namespace.filter(|n| !n.is_empty()) {
            url.with_namespace(namespace).map_err(|e| invalid(&e))?;
        }
        if let Some(version) = parts.version.filter(|v| !v.is_empty()) {
            url.with_version(version).map_err(|e| invalid(&e))?;
        }
        for (key, value) in parts.qualifiers.iter().filter(|(_, value)| !value.is_empty()) {
            url.add_qualifier(*key, *value).map_err(|e| invalid(&e))?;
        }
        if let Some(subpath) = parts.subpath.filter(|s| !s.is_empty()) {
            url.with_subpath(subpath).map_err(|e| invalid(&e))?;
        }
        Ok(Self(url.to_string()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parsed form, for reading its parts.
    pub fn parse(&self) -> Option<PackageUrl<'_>> {
        PackageUrl::from_str(&self.0).ok()
    }

    pub fn ecosystem(&self) -> Option<Ecosystem> {
        let rest = self.0.strip_prefix("pkg:")?;
        Ecosystem::from_purl_type(rest.split('/').next()?)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Purl {
    type Err = InvalidPurl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = PackageUrl::from_str(text).map_err(|error| InvalidPurl {
            text: text.chars().take(200).collect(),
            reason: error.to_string(),
        })?;
        Ok(Self(url.to_string()))
    }
}

impl TryFrom<String> for Purl {
    type Error = InvalidPurl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Purl> for String {
    fn from(purl: Purl) -> Self {
        purl.0
    }
}
