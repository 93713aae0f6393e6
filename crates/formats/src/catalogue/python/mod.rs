//! Python: distributions installed by pip and its kin, conda environments, lockfiles and pinned requirements.
//!
//! One thing, judged once. A library in a conda environment has two proofs: the `.dist-info` its build left behind
//! and conda's own record. Both are listed, as `pkg:pypi` and `pkg:conda`, and conda's record owns the other's files;
//! advisories exist for PyPI names only, so only the first is ever judged. In the same way a `RECORD` owns every file
//! its wheel installed, which tells libraries bundled inside another one (`setuptools/_vendor/…`) from those that
//! were installed for themselves: both are really there and both are judged.

mod archive;
mod conda;
mod metadata;
mod pipfile_lock;
mod project;
mod record;
mod requirement;
mod requirements;
mod toml_locks;
mod uv_lock;

use super::structured::{MAX_LOCKFILE, MAX_METADATA};
use super::{Cataloguer, Reads, Select};

/// Wheels of machine learning libraries are larger; they are installed, not kept.
const MAX_ARCHIVE: u64 = 64 << 20;

/// The name that PyPI compares by: lower case, runs of `-`, `_` and `.` as one `-` (PEP 503).
pub fn normalise_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    let mut gap = false;
    for character in name.trim().chars() {
        if matches!(character, '-' | '_' | '.') {
            gap = true;
            continue;
        }
        if gap {
            normal.push('-');
            gap = false;
        }
        normal.extend(character.to_lowercase());
    }
    if gap {
        normal.push('-');
    }
    normal
}

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "python-metadata",
        selects: &[Select::Name("METADATA"), Select::Name("PKG-INFO"), Select::Suffix(".egg-info")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(metadata::read),
    },
    Cataloguer {
        name: "python-archive",
        selects: &[Select::Suffix(".whl"), Select::Suffix(".egg")],
        max_bytes: MAX_ARCHIVE,
        reads: Reads::Whole(archive::read),
    },
    Cataloguer {
        name: "python-record",
        selects: &[Select::Name("RECORD"), Select::Name("installed-files.txt")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(record::read),
    },
    Cataloguer {
        name: "conda-meta",
        selects: &[Select::Below("conda-meta", ".json")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(conda::read),
    },
    Cataloguer {
        name: "python-requirements",
        selects: &[
            Select::NameAround("requirements", ".txt"),
            Select::Suffix("requirements.txt"),
            Select::Below("requirements", ".txt"),
        ],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(requirements::read),
    },
    Cataloguer {
        name: "python-pipfile-lock",
        selects: &[Select::Name("Pipfile.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(pipfile_lock::read),
    },
    Cataloguer {
        name: "python-poetry-lock",
        selects: &[Select::Name("poetry.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(toml_locks::read_poetry),
    },
    Cataloguer {
        name: "python-pdm-lock",
        selects: &[Select::Name("pdm.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(toml_locks::read_pdm),
    },
    Cataloguer {
        name: "python-uv-lock",
        selects: &[Select::Name("uv.lock")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(uv_lock::read),
    },
    Cataloguer {
        name: "python-pylock",
        selects: &[Select::Name("pylock.toml"), Select::NameAround("pylock.", ".toml")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(toml_locks::read_pylock),
    },
    Cataloguer {
        name: "python-project",
        selects: &[Select::Name("pyproject.toml"), Select::Name("setup.py"), Select::Name("setup.cfg")],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(project::read),
    },
];

#[cfg(test)]
mod tests {
    use super::normalise_name;

    #[test]
    fn names_compare_as_pypi_does() {
        for (name, normal) in [
            ("Flask", "flask"),
            ("zope.interface", "zope-interface"),
            ("ruamel.yaml.clib", "ruamel-yaml-clib"),
            ("A__b-._c", "a-b-c"),
            ("typing_extensions", "typing-extensions"),
        ] {
            assert_eq!(normalise_name(name), normal);
        }
    }
}
