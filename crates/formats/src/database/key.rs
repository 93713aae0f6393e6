//! One spelling for each package name, so that a feed's and a scan's meet.

use std::borrow::Cow;

/// The name under which packages of an OSV ecosystem are kept and looked up.
///
/// Only what the registries themselves hold equal is made equal: PyPI by PEP 503, NuGet, Packagist and GitHub by
/// case, Swift by the repository's address without scheme and `.git`.
pub fn normalise<'a>(ecosystem: &str, name: &'a str) -> Cow<'a, str> {
    match ecosystem.split(':').next().unwrap_or_default() {
        "PyPI" => pep503(name),
        "NuGet" | "Packagist" | "GitHub Actions" | "Bitnami" | "Hex" | "Pub" => lower(name),
        "SwiftURL" => {
            let name = name.split_once("://").map_or(name, |(_, rest)| rest);
            lower(name.strip_suffix(".git").unwrap_or(name))
        }
        _ => Cow::Borrowed(name),
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// PEP 503: runs of `-`, `_` and `.` are one `-`, letters are lower case.
fn pep503(name: &str) -> Cow<'_, str> {
    let separator = |b: u8| matches!(b, b'-' | b'_' | b'.');
    let plain =
        name.bytes().all(|b| !b.is_ascii_uppercase() && b != b'_' && b != b'.') && !name.contains("--");
    if plain {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match u8::try_from(c) {
            Ok(b) if separator(b) => {
                if !normal.ends_with('-') {
                    normal.push('-');
                }
            }
            _ => normal.push(c.to_ascii_lowercase()),
        }
    }
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn makes_equal_what_the_registries_hold_equal() {
        for (ecosystem, name, expected) in [
            ("PyPI", "Flask_SQLAlchemy", "flask-sqlalchemy"),
            ("PyPI", "a.-_b", "a-b"),
            ("PyPI", "a--b", "a-b"),
            ("npm", "JSONStream", "JSONStream"),
            ("NuGet", "Newtonsoft.Json", "newtonsoft.json"),
            ("Packagist", "Drupal/Core", "drupal/core"),
            ("SwiftURL", "https://github.com/Apple/swift-nio.git", "github.com/apple/swift-nio"),
            ("Go", "github.com/Masterminds/vcs", "github.com/Masterminds/vcs"),
            ("Debian:12", "openssl", "openssl"),
        ] {
            assert_eq!(normalise(ecosystem, name), expected, "{ecosystem} {name}");
        }
    }
}
