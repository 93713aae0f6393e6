//! .NET: what a published program carries (`*.deps.json`), what NuGet locked or restored, and what projects ask for.

mod deps_json;
mod nuget_json;
mod project_xml;

use super::structured::{MAX_LOCKFILE, MAX_METADATA};
use super::{Cataloguer, Reads, Select};

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "dotnet-deps",
        selects: &[Select::Suffix(".deps.json")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(deps_json::read),
    },
    Cataloguer {
        name: "dotnet-packages-lock",
        selects: &[Select::Name("packages.lock.json"), Select::NameAround("packages.", ".lock.json")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(nuget_json::read_lock),
    },
    Cataloguer {
        name: "dotnet-project-assets",
        selects: &[Select::Name("project.assets.json")],
        max_bytes: MAX_LOCKFILE,
        reads: Reads::Whole(nuget_json::read_assets),
    },
    Cataloguer {
        name: "dotnet-project",
        selects: &[
            Select::Name("packages.config"),
            Select::NameAround("packages.", ".config"),
            Select::Suffix(".csproj"),
            Select::Suffix(".fsproj"),
            Select::Suffix(".vbproj"),
            Select::Name("Directory.Packages.props"),
        ],
        max_bytes: MAX_METADATA,
        reads: Reads::Whole(project_xml::read),
    },
];

/// `Name/1.2.3` as name and version.
fn split_identity(identity: &str) -> Option<(&str, &str)> {
    identity.split_once('/').filter(|(name, version)| !name.is_empty() && !version.is_empty())
}
