//! When an operating system's vendor stops free security updates.

use yagura_formats::advisories::end_of_life::{Cycle, End};
use yagura_formats::database::{Database, DatabaseError};
use yagura_model::OperatingSystem;

/// `ID` of os-release → product of endoflife.date.
const PRODUCTS: &[(&str, &str)] = &[
    ("almalinux", "almalinux"),
    ("alpine", "alpine-linux"),
    ("amzn", "amazon-linux"),
    ("azurelinux", "azure-linux"),
    ("centos", "centos"),
    ("debian", "debian"),
    ("fedora", "fedora"),
    ("mageia", "mageia"),
    ("mariner", "cbl-mariner"),
    ("ol", "oracle-linux"),
    ("openeuler", "openeuler"),
    ("openEuler", "openeuler"),
    ("opensuse-leap", "opensuse"),
    ("photon", "photon"),
    ("raspbian", "debian"),
    ("rhel", "rhel"),
    ("rocky", "rocky-linux"),
    ("sled", "sles"),
    ("sles", "sles"),
    ("ubuntu", "ubuntu"),
];

/// Fills [`OperatingSystem::end_of_life`] where the database knows the release. Returns a notice when that day lies
/// before `today` (`YYYY-MM-DD`; the caller has the clock).
pub fn fill_end_of_life(
    system: &mut OperatingSystem,
    today: &str,
    database: &Database,
) -> Result<Option<String>, DatabaseError> {
    let Some((_, product)) = PRODUCTS.iter().find(|(id, _)| *id == system.id) else { return Ok(None) };
    let stream = system.id == "centos" && system.name.contains("Stream");
    let product = if stream { "centos-stream" } else { product };
    let cycles = database.release_cycles(product)?;
    let Some(cycle) = cycle_of(system, &cycles) else { return Ok(None) };
    match cycle.end {
        End::On(day) => system.end_of_life = Some(day.to_string()),
        End::Past => {
            return Ok(Some(format!("{} gets no security updates any more", system.distro())));
        }
        End::Open => {}
    }
    let over = system.end_of_life.as_deref().is_some_and(|end| end < today);
    Ok(over.then(|| {
        let end = system.end_of_life.as_deref().unwrap_or_default();
        format!("{} gets no free security updates since {end}", system.distro())
    }))
}

/// The cycle whose name is the longest leading part of the version, or whose codename is the system's.
fn cycle_of<'c>(system: &OperatingSystem, cycles: &'c [Cycle]) -> Option<&'c Cycle> {
    let codename = system.codename.to_lowercase();
    let by_version = cycles.iter().filter(|cycle| {
        let rest = system.version.strip_prefix(cycle.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    by_version.max_by_key(|cycle| cycle.name.len()).or_else(|| {
        let named = |cycle: &&Cycle| {
            !codename.is_empty() && cycle.codename.split(' ').next() == Some(codename.as_str())
        };
        cycles.iter().find(named)
    })
}
