//! Which order an ecosystem of the OSV schema uses (OSV schema, "affected[].package" and "affected[].ranges").

use super::Order;

/// How the events of an OSV range are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeType {
    /// Semantic versions.
    Semver,
    /// Versions in the ecosystem's own order.
    Ecosystem,
    /// Commits; these have no order without the repository.
    Git,
}

impl RangeType {
    /// From the schema's `SEMVER`, `ECOSYSTEM` and `GIT`.
    pub fn from_osv_name(name: &str) -> Option<Self> {
        match name {
            "SEMVER" => Some(Self::Semver),
            "ECOSYSTEM" => Some(Self::Ecosystem),
            "GIT" => Some(Self::Git),
            _ => None,
        }
    }
}

/// The schema's ecosystem names. Distributions put their release behind a colon (`Debian:12`).
const ECOSYSTEMS: &[(&str, Order)] = &[
    ("AlmaLinux", Order::Rpm),
    ("Alpaquita", Order::Apk),
    ("Alpine", Order::Apk),
    ("Amazon Linux", Order::Rpm),
    ("Android", Order::Generic),
    ("Arch Linux", Order::Alpm),
    ("Azure Linux", Order::Rpm),
    ("BellSoft Hardened Containers", Order::Apk),
    ("Bioconductor", Order::Semver),
    ("Bitnami", Order::Bitnami),
    ("CBL-Mariner", Order::Rpm),
    ("CentOS", Order::Rpm),
    ("Chainguard", Order::Apk),
    ("CleanStart", Order::Apk),
    ("ConanCenter", Order::Conan),
    ("CRAN", Order::Cran),
    ("crates.io", Order::Semver),
    ("Debian", Order::Dpkg),
    ("Docker Hardened Images", Order::Dpkg),
    ("Echo", Order::Dpkg),
    ("Fedora", Order::Rpm),
    ("FreeBSD", Order::Generic),
    ("GHC", Order::Semver),
    ("GitHub Actions", Order::Semver),
    ("Go", Order::Go),
    ("Hackage", Order::Hackage),
    ("Hex", Order::Semver),
    ("Julia", Order::Julia),
    ("Kubernetes", Order::Semver),
    ("Linux", Order::Generic),
    ("Mageia", Order::Rpm),
    ("Maven", Order::Maven),
    ("MinimOS", Order::Apk),
    ("npm", Order::Semver),
    ("NuGet", Order::Nuget),
    ("opam", Order::Dpkg),
    ("openEuler", Order::Rpm),
    ("openSUSE", Order::Rpm),
    ("Oracle Linux", Order::Rpm),
    ("OSS-Fuzz", Order::Generic),
    ("Packagist", Order::Composer),
    ("Photon OS", Order::Rpm),
    ("Pub", Order::Pub),
    ("PyPI", Order::Pep440),
    ("Red Hat", Order::Rpm),
    ("Rocky Linux", Order::Rpm),
    ("Root", Order::Generic),
    ("RubyGems", Order::Gem),
    ("SUSE", Order::Rpm),
    ("SwiftURL", Order::Semver),
    ("TuxCare", Order::Rpm),
    ("Ubuntu", Order::Dpkg),
    ("VSCode", Order::Semver),
    ("Wolfi", Order::Apk),
];

impl Order {
    /// The order of an OSV ecosystem, release suffixes (`Debian:12`, `Ubuntu:Pro:18.04:LTS`) ignored; `None` for
    /// ecosystems we do not know.
    pub fn for_osv_ecosystem(ecosystem: &str) -> Option<Self> {
        let name = ecosystem.split(':').next().unwrap_or_default().trim();
        ECOSYSTEMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, order)| *order)
    }

    /// The order in which the events of a range are to be read; `None` for commits, and for an unknown ecosystem's
    /// own order.
    ///
    /// A SEMVER range of an ecosystem whose versions only look like semantic ones keeps the ecosystem's order.
    pub fn for_osv_range(ecosystem: &str, range: RangeType) -> Option<Self> {
        match range {
            RangeType::Git => None,
            RangeType::Ecosystem => Self::for_osv_ecosystem(ecosystem),
            RangeType::Semver => match Self::for_osv_ecosystem(ecosystem) {
                None | Some(Self::Generic) => Some(Self::Semver),
                order => order,
            },
        }
    }
}
