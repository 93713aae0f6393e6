//! The operating system of each root in a target, and what its packages are called in a package URL.

use yagura_model::{OperatingSystem, Package};

use crate::catalogue::os_release;
use crate::layer::Evidence;

/// os-release `ID`s whose packages go by another namespace in package URLs. The purl specification asks for the
/// vendor; where it is silent this follows what Trivy and the vendors' own advisories write. Every other `ID` is
/// its own namespace, as Syft has it too (`debian`, `ubuntu`, `alpine`, `almalinux`, `rocky`, `fedora`, `centos`,
/// `wolfi`, `arch`, …).
const NAMESPACES: &[(&str, &str)] = &[
    ("amzn", "amazon"),
    ("archlinux", "arch"),
    ("manjaro-arm", "manjaro"),
    ("mariner", "cbl-mariner"),
    ("ol", "oracle"),
    ("opensuse-leap", "opensuse"),
    ("opensuse-microos", "opensuse"),
    ("opensuse-tumbleweed", "opensuse"),
    ("rhel", "redhat"),
    ("sle-micro", "suse"),
    ("sled", "suse"),
    ("sles", "suse"),
    ("sles_sap", "suse"),
    ("suse", "suse"),
];

/// The purl namespace of the packages of the operating system with this os-release `ID`.
pub(crate) fn namespace(id: &str) -> String {
    let id = id.to_ascii_lowercase();
    let known = NAMESPACES.iter().find(|(name, _)| *name == id);
    known.map_or(id, |(_, namespace)| (*namespace).to_owned())
}

/// One operating system and where its root is.
struct Rooted {
    /// Directory of the root; empty for the target's own.
    root: String,
    precedence: (usize, usize),
    system: OperatingSystem,
}

/// The operating systems of a target: its own, and those of roots kept inside it (a chroot, an unpacked image).
pub(super) struct Systems {
    /// One for each root, by precedence.
    rooted: Vec<Rooted>,
}

impl Systems {
    pub(super) fn of<'a>(evidence: impl Iterator<Item = &'a Evidence>) -> Self {
        let mut rooted: Vec<Rooted> = evidence
            .filter_map(|evidence| {
                let system = evidence.facts.system.clone()?;
                let precedence = os_release::precedence(&evidence.path)?;
                Some(Rooted { root: first_components(&evidence.path, precedence.0), precedence, system })
            })
            .collect();
        rooted.sort_by(|a, b| (a.precedence, &a.root).cmp(&(b.precedence, &b.root)));
        let mut kept: Vec<Rooted> = Vec::new();
        for candidate in rooted {
            match kept.iter_mut().find(|known| known.root == candidate.root) {
                Some(known) => complete(&mut known.system, candidate.system),
                None => kept.push(candidate),
            }
        }
        Self { rooted: kept }
    }

    /// The system of the target itself.
    pub(super) fn primary(&self) -> Option<OperatingSystem> {
        self.rooted.first().map(|rooted| rooted.system.clone())
    }

    /// The root a file belongs to; empty for the target's own.
    pub(super) fn root_of(&self, path: &str) -> &str {
        self.holding(path).map_or("", |rooted| rooted.root.as_str())
    }

    fn holding(&self, path: &str) -> Option<&Rooted> {
        let inside =
            |root: &str| root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
        self.rooted.iter().filter(|rooted| inside(&rooted.root)).max_by_key(|rooted| rooted.root.len())
    }

    /// Gives an OS package the names of its distribution.
    pub(super) fn place(&self, package: &mut Package) {
        if !package.ecosystem.is_operating_system() || !package.distribution.is_empty() {
            return;
        }
        let Some(location) = package.locations.first() else { return };
        let Some(Rooted { system, .. }) = self.holding(&location.path) else { return };
        package.distribution = namespace(&system.id);
        if package.distro.is_empty() {
            package.distro = system.distro();
        }
    }
}

/// Fills in what the better source left empty (Debian's testing has a codename only, CentOS a full version only in
/// its release file), if both speak of one system.
fn complete(system: &mut OperatingSystem, other: OperatingSystem) {
    if system.id != other.id {
        return;
    }
    for (field, value) in [
        (&mut system.version, other.version),
        (&mut system.codename, other.codename),
        (&mut system.name, other.name),
        (&mut system.cpe, other.cpe),
    ] {
        if field.is_empty() {
            *field = value;
        }
    }
}

fn first_components(path: &str, count: usize) -> String {
    path.split('/').take(count).collect::<Vec<_>>().join("/")
}
