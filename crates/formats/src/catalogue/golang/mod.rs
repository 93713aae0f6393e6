//! Go: build information in programs, module files and vendored modules.

pub(super) mod binary;
mod go_mod;
mod vendor;

use yagura_model::{Ecosystem, Package};

use super::{Cataloguer, Reads, Select};

const MAX_TEXT: u64 = 16 << 20;

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "go-mod",
        selects: &[Select::Name("go.mod")],
        max_bytes: MAX_TEXT,
        reads: Reads::Whole(go_mod::catalogue),
    },
    Cataloguer {
        name: "go-vendor",
        selects: &[Select::Path("vendor/modules.txt")],
        max_bytes: MAX_TEXT,
        reads: Reads::Whole(vendor::catalogue),
    },
];

/// The version that Go gives a module built from a working tree.
const DEVELOPMENT: &str = "(devel)";

/// A module, or the standard library as the package `stdlib`; a version that says nothing is left empty.
fn module(path: &str, version: &str) -> Package {
    let version = if version == DEVELOPMENT { "" } else { version };
    Package::new(Ecosystem::Golang, path, version)
}

/// Whether a replacement names a directory rather than a module (`go.mod` reference, `replace`).
fn is_directory(path: &str) -> bool {
    path.starts_with("./")
        || path.starts_with("../")
        || path.starts_with('/')
        || path == "."
        || path == ".."
        || path.starts_with(".\\")
        || path.starts_with("..\\")
        || path.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/")
}

/// A module after its replacement: another module stands in its place; a directory's content has no version.
fn replaced(path: &str, replacement: Option<(&str, &str)>, version: &str) -> Package {
    match replacement {
        None => module(path, version),
        Some((target, _)) if is_directory(target) => module(path, ""),
        Some((target, version)) => module(target, version),
    }
}

/// The standard library of a toolchain named as `go version` names it; none where no release can be told.
fn standard_library(toolchain: &str) -> Option<Package> {
    let mut words = toolchain.split_whitespace();
    let first = words.next()?;
    let version = match first.strip_prefix("go") {
        Some(version) => version.to_owned(),
        // `devel go1.22-4f3a6a3 Tue …`: before 1.22 in order, as a pre-release is.
        None if first == "devel" => words.next()?.strip_prefix("go")?.replacen('-', "-devel-", 1),
        None => return None,
    };
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| Package::new(Ecosystem::Golang, "stdlib", version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_standard_library() {
        for (toolchain, version) in [
            ("go1.21.0", Some("1.21.0")),
            ("go1.21.0 X:boringcrypto", Some("1.21.0")),
            ("go1.20.10 (Red Hat 1.20.10-1.el9)", Some("1.20.10")),
            ("go1.22rc1", Some("1.22rc1")),
            ("devel go1.22-4f3a6a3 Tue Nov 7 12:00:00 2023 +0000", Some("1.22-devel-4f3a6a3")),
            ("devel +4f3a6a3 Tue Nov 7", None),
            ("", None),
        ] {
            assert_eq!(standard_library(toolchain).map(|p| p.version).as_deref(), version, "{toolchain}");
        }
        let purl = standard_library("go1.21.0").and_then(|p| p.purl()).map(|p| p.to_string());
        assert_eq!(purl.as_deref(), Some("pkg:golang/stdlib@1.21.0"));
    }
}
