//! When a package URL of a statement means a package (OpenVEX specification, "Product matching" and purl-spec).
//!
//! Type, namespace and name must be the same. A version and qualifiers the statement leaves out match all; those it
//! states must be the package's.

use yagura_model::Purl;

use super::product::Miss;

/// Whether the statement's `pattern` means the package `purl`.
pub(super) fn matches(pattern: &Purl, purl: &Purl) -> Result<(), Miss> {
    if pattern == purl {
        return Ok(());
    }
    let (Some(wanted), Some(found)) = (pattern.parse(), purl.parse()) else {
        return Err(Miss::new(0, "a package URL that cannot be read"));
    };
    if wanted.ty() != found.ty() || wanted.name() != found.name() {
        return Err(Miss::new(0, "another package"));
    }
    if wanted.namespace() != found.namespace() {
        let namespace = |namespace: Option<&str>| namespace.unwrap_or("none").to_owned();
        return Err(Miss::new(
            1,
            format!(
                "the namespace is {}, the statement says {}",
                namespace(found.namespace()),
                namespace(wanted.namespace())
            ),
        ));
    }
    if let Some(version) = wanted.version() {
        let qualifier = |key: &str| found.qualifiers().get(key).map(|value| value.as_ref());
        let found_version = found.version().unwrap_or_default();
        // The epoch of an RPM stands in a qualifier, though some write it before the version.
        let with_epoch = qualifier("epoch").map(|epoch: &str| format!("{epoch}:{found_version}"));
        let same = version == found_version
            || with_epoch.as_deref() == Some(version)
            || wanted.ty() == "golang"
                && version.trim_start_matches('v') == found_version.trim_start_matches('v');
        if !same {
            return Err(Miss::new(
                2,
                format!("the version is {found_version}, the statement says {version}"),
            ));
        }
    }
    for (key, value) in wanted.qualifiers() {
        let found = found.qualifiers().get(key.as_ref());
        if found.is_none_or(|found| found != value) {
            let found = found.map_or("none", |found| found.as_ref());
            return Err(Miss::new(3, format!("{key} is {found}, the statement says {value}")));
        }
    }
    if let Some(subpath) = wanted.subpath()
        && found.subpath() != Some(subpath)
    {
        return Err(Miss::new(3, format!("the statement speaks of {subpath} alone")));
    }
    Ok(())
}
