//! Which feed speaks for the packages of an operating system.
//!
//! os-release names the system; feeds name their releases in as many ways as there are distributors. One row of the
//! table below says how the two meet.

use yagura_formats::database::{Database, EcosystemId};
use yagura_model::OperatingSystem;
use yagura_model::finding::Confidence;

/// The package name a distributor writes advisories for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The source package, with the source's version.
    Source,
    /// The package as installed.
    Binary,
    /// The source package's name with the installed package's version (these feeds leave epochs out).
    SourceName,
    /// Either; the feed is not consistent.
    Both,
}

/// A feed that speaks for a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    pub ecosystem: EcosystemId,
    pub naming: Naming,
    pub confidence: Confidence,
    /// Fixes of this feed come with a subscription (Ubuntu Pro).
    pub subscription: bool,
}

/// How a feed writes its release behind the family's name.
#[derive(Clone, Copy)]
enum Release {
    /// `Debian:12`
    Major,
    /// `Alpine:v3.20`, `Alpine:edge`
    AlpineBranch,
    /// `Ubuntu:22.04:LTS`, `Ubuntu:Pro:18.04:LTS`
    Ubuntu,
    /// `Red Hat:enterprise_linux:9::baseos`
    RedHat,
    /// `SUSE:Linux Enterprise Server 15 SP5`
    Suse,
    /// `openSUSE:Leap 15.5`, `openSUSE:Tumbleweed`
    OpenSuse,
    /// `openEuler:24.03-LTS-SP1`
    OpenEuler,
    /// The whole version, its major or nothing at all.
    Any,
}

struct Distribution {
    /// `ID` of os-release.
    ids: &'static [&'static str],
    /// The OSV family; several where feeds disagree on the name.
    families: &'static [&'static str],
    release: Release,
    naming: Naming,
}

const fn row(
    ids: &'static [&'static str],
    families: &'static [&'static str],
    release: Release,
    naming: Naming,
) -> Distribution {
    Distribution { ids, families, release, naming }
}

const DISTRIBUTIONS: &[Distribution] = &[
    row(&["debian"], &["Debian"], Release::Major, Naming::Source),
    row(&["ubuntu"], &["Ubuntu"], Release::Ubuntu, Naming::Source),
    row(&["alpine"], &["Alpine"], Release::AlpineBranch, Naming::Source),
    row(&["almalinux"], &["AlmaLinux"], Release::Major, Naming::Binary),
    row(&["rocky"], &["Rocky Linux"], Release::Major, Naming::Both),
    row(&["rhel"], &["Red Hat"], Release::RedHat, Naming::Binary),
    row(&["ol"], &["Oracle Linux"], Release::Major, Naming::Binary),
    row(
        &["sles", "sled", "sles_sap", "sle_hpc", "sle-micro", "sl-micro", "suse-microos"],
        &["SUSE"],
        Release::Suse,
        Naming::SourceName,
    ),
    row(
        &["opensuse-leap", "opensuse-tumbleweed", "opensuse"],
        &["openSUSE"],
        Release::OpenSuse,
        Naming::SourceName,
    ),
    row(&["amzn"], &["Amazon Linux", "Amazon"], Release::Any, Naming::Binary),
    row(&["photon"], &["Photon OS"], Release::Any, Naming::Both),
    row(&["openEuler", "openeuler"], &["openEuler"], Release::OpenEuler, Naming::SourceName),
    row(
        &["azurelinux", "mariner"],
        &["Azure Linux", "CBL-Mariner", "Mariner"],
        Release::Any,
        Naming::SourceName,
    ),
    row(&["mageia"], &["Mageia"], Release::Major, Naming::SourceName),
    row(&["fedora"], &["Fedora"], Release::Major, Naming::Binary),
    row(&["wolfi"], &["Wolfi"], Release::Any, Naming::Source),
    row(&["chainguard"], &["Chainguard"], Release::Any, Naming::Source),
    row(&["minimos"], &["MinimOS"], Release::Any, Naming::Source),
    row(&["cleanstart"], &["CleanStart"], Release::Any, Naming::Source),
    row(&["echo"], &["Echo"], Release::Any, Naming::Source),
    row(&["alpaquita"], &["Alpaquita"], Release::Any, Naming::Source),
    row(&["bellsoft-hardened-containers"], &["BellSoft Hardened Containers"], Release::Any, Naming::Source),
    row(&["arch", "archarm"], &["Arch Linux"], Release::Any, Naming::Binary),
];

/// Systems built from another's packages with the same release numbers, nearest relative first. Their findings are
/// by name only: a rebuild may number its packages differently.
const REBUILDS: &[(&str, &[&str])] = &[
    ("rhel", &["almalinux", "rocky"]),
    ("centos", &["rhel", "almalinux", "rocky"]),
    ("ol", &["rhel", "almalinux", "rocky"]),
    ("rocky", &["rhel", "almalinux"]),
    ("almalinux", &["rhel", "rocky"]),
    ("eurolinux", &["rhel", "almalinux"]),
    ("scientific", &["rhel", "almalinux"]),
    ("raspbian", &["debian"]),
    ("chainguard", &["wolfi"]),
    ("wolfi", &["chainguard"]),
];

/// Releases by codename, for derivatives that keep it and number themselves otherwise.
const CODENAMES: &[(&str, &str, &str)] = &[
    ("buster", "debian", "10"),
    ("bullseye", "debian", "11"),
    ("bookworm", "debian", "12"),
    ("trixie", "debian", "13"),
    ("forky", "debian", "14"),
    ("xenial", "ubuntu", "16.04"),
    ("bionic", "ubuntu", "18.04"),
    ("focal", "ubuntu", "20.04"),
    ("jammy", "ubuntu", "22.04"),
    ("noble", "ubuntu", "24.04"),
];

/// The feeds of the database that speak for a system; empty when none does.
pub fn feeds(system: &OperatingSystem, database: &Database) -> Vec<Feed> {
    let own = feeds_of(&system.id, system, Confidence::OsOwned, database);
    if !own.is_empty() {
        return own;
    }
    let relatives =
        REBUILDS.iter().find(|(id, _)| *id == system.id).map_or(&[][..], |(_, relatives)| relatives);
    for relative in relatives {
        let feeds = feeds_of(relative, system, Confidence::NameOnly, database);
        if !feeds.is_empty() {
            return feeds;
        }
    }
    for relative in &system.id_like {
        let by_codename = CODENAMES.iter().find(|(name, id, _)| *name == system.codename && id == relative);
        let mut ancestor = system.clone();
        match (relative.as_str(), by_codename) {
            (_, Some((_, _, release))) => ancestor.version = (*release).to_owned(),
            // A Debian or Ubuntu derivative under its own numbers: no telling which release it is built from.
            ("debian" | "ubuntu", None) => continue,
            _ => {}
        }
        let feeds = feeds_of(relative, &ancestor, Confidence::NameOnly, database);
        if !feeds.is_empty() {
            return feeds;
        }
    }
    Vec::new()
}

fn feeds_of(id: &str, system: &OperatingSystem, confidence: Confidence, database: &Database) -> Vec<Feed> {
    let Some(distribution) = DISTRIBUTIONS.iter().find(|row| row.ids.contains(&id)) else {
        return Vec::new();
    };
    let mut feeds = Vec::new();
    for (ecosystem, row) in database.ecosystems() {
        let (family, release) = row.name.split_once(':').unwrap_or((&row.name, ""));
        if !distribution.families.contains(&family) {
            continue;
        }
        let subscription = release.starts_with("Pro:");
        if speaks_for(distribution.release, release, system) {
            feeds.push(Feed { ecosystem, naming: distribution.naming, confidence, subscription });
        }
    }
    feeds
}

/// Whether a feed's release (behind the family's colon) is the system's.
fn speaks_for(style: Release, release: &str, system: &OperatingSystem) -> bool {
    let version = system.version.as_str();
    match style {
        Release::Major => release == debian_release(system),
        Release::AlpineBranch => {
            let mut numbers = version.split('.');
            let branch =
                format!("v{}.{}", numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
            // Development versions read `3.23.0_alpha20250612`.
            if version.contains("_alpha") || version.is_empty() {
                release == "edge"
            } else {
                release == branch
            }
        }
        Release::Ubuntu => {
            let parts: Vec<&str> = release.split(':').collect();
            match parts.as_slice() {
                [number] | [number, "LTS"] => *number == version,
                ["Pro", number] | ["Pro", number, "LTS"] => *number == version,
                _ => false,
            }
        }
        Release::RedHat => {
            let mut parts = release.split(':');
            let product = parts.next().unwrap_or_default();
            let number = parts.next().unwrap_or_default();
            match product {
                "enterprise_linux" => number == system.major() || number == version,
                "rhel_eus" | "rhel_aus" | "rhel_e4s" | "rhel_tus" => {
                    !version.is_empty() && number == version && system.cpe.contains(product)
                }
                _ => false,
            }
        }
        Release::Suse => {
            let mut numbers = version.split('.');
            let major = numbers.next().unwrap_or_default();
            let pack = numbers.next().unwrap_or("0");
            let micro = system.id.contains("micro");
            let wanted = match (micro, pack) {
                (true, _) => format!("Micro {version}"),
                (false, "0") => major.to_owned(),
                (false, pack) => format!("{major} SP{pack}"),
            };
            let whole = |text: &str| {
                release
                    .strip_suffix("-LTSS")
                    .unwrap_or(release)
                    .strip_suffix(text)
                    .is_some_and(|before| before.ends_with(' '))
            };
            micro == release.contains("Micro") && (whole(&wanted) || whole(&format!("{major}.{pack}")))
        }
        Release::OpenSuse => {
            release == format!("Leap {version}")
                || (system.id == "opensuse-tumbleweed" && release == "Tumbleweed")
        }
        Release::OpenEuler => {
            // `openEuler 24.03 (LTS-SP1)` is the feed's `24.03-LTS-SP1`.
            let label = system.name.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
            match label {
                Some((label, _)) => release == format!("{version}-{label}"),
                None => release == version,
            }
        }
        Release::Any => {
            let release = release.trim_start_matches('v');
            release.is_empty()
                || release == version
                || release == system.major()
                || release.strip_suffix(".0") == Some(system.major())
                || (version.is_empty() && release == "rolling")
        }
    }
}

/// The number of a Debian-like release; testing and unstable have none, so theirs comes from the codename.
fn debian_release(system: &OperatingSystem) -> &str {
    if system.version.is_empty() {
        let known = CODENAMES.iter().find(|(name, ..)| *name == system.codename);
        return known.map_or("", |(_, _, release)| release);
    }
    system.major()
}

/// The system of a package by its own `distro` (`debian-12`), for inventories that do not state theirs.
pub fn system_of_distro(distro: &str) -> Option<OperatingSystem> {
    let (id, version) = distro.rsplit_once('-').unwrap_or((distro, ""));
    let digits = version.starts_with(|c: char| c.is_ascii_digit());
    let (id, version) = if digits { (id, version) } else { (distro, "") };
    (!id.is_empty()).then(|| OperatingSystem {
        id: id.to_owned(),
        version: version.to_owned(),
        ..OperatingSystem::default()
    })
}
