//! Core metadata of installed distributions (packaging.python.org, "Core metadata specifications" 2.4): `METADATA` in
//! a `.dist-info`, `PKG-INFO` in an `.egg-info` or `EGG-INFO` directory, and the flat `.egg-info` file of distutils.

use yagura_model::{Ecosystem, Package, SkipReason};

use super::normalise_name;
use super::requirement::Requirement;
use crate::catalogue::structured::depend;
use crate::catalogue::{EvidenceFile, Facts, license, path};
use crate::document;

/// Most headers read of one file.
const MAX_HEADERS: usize = 10_000;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    if !is_metadata(file.path) {
        return;
    }
    let text = document::decode(bytes);
    let headers = headers(&text);
    let first =
        |name: &str| headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| &**v);
    let (Some(name), Some(version)) = (first("Name"), first("Version")) else {
        facts.skip(file.path, SkipReason::Malformed, "metadata without a name and a version");
        return;
    };
    let name = normalise_name(name);
    if name.is_empty() || version.is_empty() || name == "unknown" {
        facts.skip(file.path, SkipReason::Malformed, "metadata without a name and a version");
        return;
    }
    let mut package = Package::new(Ecosystem::Pypi, name, version);
    let classifiers = headers
        .iter()
        .filter(|(key, value)| key.eq_ignore_ascii_case("Classifier") && value.starts_with("License ::"))
        .map(|(_, value)| value.as_str());
    package.licenses = licenses(first("License-Expression"), first("License"), classifiers);
    package.supplier = ["Author", "Author-email", "Maintainer", "Maintainer-email"]
        .into_iter()
        .filter_map(first)
        .find(|text| !text.is_empty() && !text.eq_ignore_ascii_case("UNKNOWN"))
        .unwrap_or_default()
        .to_owned();
    for (_, wish) in headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("Requires-Dist")) {
        // What only an extra asks for is not asked for by the package as installed.
        if let Some(wish) = Requirement::parse(wish).filter(|wish| !wish.marker.contains("extra")) {
            depend(&mut package, wish.dependency());
        }
    }
    facts.packages.push(package);
}

fn is_metadata(file: &str) -> bool {
    let ends_with = |text: &str, suffix: &str| {
        text.len() >= suffix.len()
            && text.get(text.len() - suffix.len()..).is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
    };
    let directory = path::name(path::parent(file));
    match path::name(file) {
        "METADATA" => ends_with(directory, ".dist-info"),
        "PKG-INFO" => ends_with(directory, ".egg-info") || directory.eq_ignore_ascii_case("EGG-INFO"),
        name => ends_with(name, ".egg-info"),
    }
}

/// The headers before the first empty line, folded lines joined by line breaks.
fn headers(text: &str) -> Vec<(&str, String)> {
    let mut headers: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if line.is_empty() || headers.len() >= MAX_HEADERS {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            headers.push((key.trim(), value.trim().to_owned()));
        }
    }
    headers
}

/// An expression settles it; then a licence field that names known licences; then classifiers; then any text.
fn licenses<'a>(
    expression: Option<&str>,
    field: Option<&str>,
    classifiers: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    if let Some(known) = expression.into_iter().chain(field).find_map(license::to_expression) {
        return vec![known];
    }
    let classified = license::normalise_all(classifiers.filter(|text| *text != "License :: OSI Approved"));
    if classified.is_empty() {
        license::normalise_all(expression.into_iter().chain(field))
    } else {
        classified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> EvidenceFile<'_> {
        EvidenceFile { path, mode: 0o644, size: 0 }
    }

    fn package(path: &str, text: &str) -> Package {
        let mut facts = Facts::default();
        read(file(path), text.as_bytes(), &mut facts);
        assert_eq!(facts.skipped, []);
        facts.packages.remove(0)
    }

    #[test]
    fn a_wheel_states_name_licence_and_wishes() {
        let package = package(
            "usr/lib/python3/site-packages/Demo_Pack-1.2.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: Demo.Pack\nVersion: 1.2\nAuthor-email: A <a@b.c>\n\
             License-Expression: MIT OR Apache-2.0\nClassifier: License :: OSI Approved :: BSD License\n\
             Requires-Dist: Idna>=2.5\nRequires-Dist: colorama ; sys_platform == \"win32\"\n\
             Requires-Dist: pytest ; extra == 'test'\n\nName: not-me\n",
        );
        assert_eq!((package.name.as_str(), package.version.as_str()), ("demo-pack", "1.2"));
        assert_eq!(package.licenses, ["MIT OR Apache-2.0"]);
        assert_eq!(package.supplier, "A <a@b.c>");
        let wishes: Vec<_> = package.dependencies.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(wishes, ["idna", "colorama"]);
    }

    #[test]
    fn licence_field_and_classifiers() {
        let license = |lines: &str| package("a.egg-info", &format!("Name: a\nVersion: 1\n{lines}")).licenses;
        assert_eq!(license("License: MIT\nClassifier: License :: OSI Approved :: BSD License\n"), ["MIT"]);
        assert_eq!(
            license("License: see file\nClassifier: License :: OSI Approved :: MIT License\n"),
            ["MIT"]
        );
        assert_eq!(license("License: see file\n"), ["see file"]);
        assert_eq!(license("License: UNKNOWN\n"), [""; 0]);
    }

    #[test]
    fn only_the_metadata_of_installed_distributions_counts() {
        for (path, expected) in [
            ("a/x-1.dist-info/METADATA", true),
            ("a/x.egg-info/PKG-INFO", true),
            ("a/x-1-py3.11.egg/EGG-INFO/PKG-INFO", true),
            ("usr/lib/python3/dist-packages/x-1.egg-info", true),
            ("src/x-1/PKG-INFO", false),
            ("METADATA", false),
        ] {
            assert_eq!(is_metadata(path), expected, "{path}");
        }
        let mut facts = Facts::default();
        read(file("x.egg-info/PKG-INFO"), b"Metadata-Version: 1.0\n", &mut facts);
        assert_eq!(facts.skipped[0].reason, SkipReason::Malformed);
    }
}
