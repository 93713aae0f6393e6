//! Which operating system this is: os-release(5), and what distributions wrote before it.

use yagura_model::{OperatingSystem, SkipReason};

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};

/// Largest such file, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// What a file's text says, if it says anything.
type Reading = fn(&str) -> Option<OperatingSystem>;

/// The files by their paths, the most telling first, each with its reading.
const FILES: &[(&str, Reading)] = &[
    ("etc/os-release", os_release),
    ("usr/lib/os-release", os_release),
    ("etc/lsb-release", lsb_release),
    ("etc/alpine-release", alpine_release),
    ("etc/almalinux-release", release_line),
    ("etc/rocky-release", release_line),
    ("etc/oracle-release", release_line),
    ("etc/centos-release", release_line),
    ("etc/fedora-release", release_line),
    ("etc/redhat-release", release_line),
    ("etc/system-release", release_line),
    ("etc/SuSE-release", suse_release),
    ("etc/gentoo-release", release_line),
    ("etc/slackware-version", slackware_version),
    ("etc/arch-release", arch_release),
    ("etc/debian_version", debian_version),
];

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: "os-release",
    selects: &[
        Select::Path("etc/os-release"),
        Select::Path("usr/lib/os-release"),
        Select::Path("etc/lsb-release"),
        Select::Path("etc/alpine-release"),
        Select::Path("etc/almalinux-release"),
        Select::Path("etc/rocky-release"),
        Select::Path("etc/oracle-release"),
        Select::Path("etc/centos-release"),
        Select::Path("etc/fedora-release"),
        Select::Path("etc/redhat-release"),
        Select::Path("etc/system-release"),
        Select::Path("etc/SuSE-release"),
        Select::Path("etc/gentoo-release"),
        Select::Path("etc/slackware-version"),
        Select::Path("etc/arch-release"),
        Select::Path("etc/debian_version"),
    ],
    max_bytes: MAX_BYTES,
    reads: Reads::Whole(read),
}];

/// Which of several such files speaks for a target: the smallest wins. First how deep the root lies in which the
/// file stands (the target's own is 0), then how telling the file is. `None` for files that are none of these.
pub fn precedence(path: &str) -> Option<(usize, usize)> {
    let (rank, root) = FILES.iter().enumerate().find_map(|(rank, (known, _))| {
        let root = path.strip_suffix(known)?;
        (root.is_empty() || root.ends_with('/')).then_some((rank, root))
    })?;
    Some((root.matches('/').count(), rank))
}

fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let Some((_, rank)) = precedence(file.path) else { return };
    let Some((_, read)) = FILES.get(rank) else { return };
    match read(&String::from_utf8_lossy(bytes)) {
        Some(system) => facts.system = Some(system),
        // Red Hat's lsb-release states only the version of LSB.
        None if file.name() == "lsb-release" => {}
        None => facts.skip(file.path, SkipReason::Malformed, "does not name an operating system"),
    }
}

fn os_release(text: &str) -> Option<OperatingSystem> {
    let mut system = OperatingSystem::default();
    let mut name = String::new();
    for (key, value) in assignments(text) {
        match key {
            "ID" => system.id = value.to_ascii_lowercase(),
            "ID_LIKE" => system.id_like = value.split_whitespace().map(str::to_ascii_lowercase).collect(),
            "VERSION_ID" => system.version = value,
            "VERSION_CODENAME" => system.codename = value,
            "PRETTY_NAME" => system.name = value,
            "NAME" => name = value,
            "CPE_NAME" => system.cpe = value,
            _ => {}
        }
    }
    if system.name.is_empty() {
        system.name = name;
    }
    if system.id.is_empty() && system.name.is_empty() {
        return None;
    }
    if system.id.is_empty() {
        // os-release(5): "If not set, a default of ID=linux may be used."
        "linux".clone_into(&mut system.id);
    }
    Some(system)
}

/// `KEY=value` lines with the quoting of a shell.
fn assignments(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((key.trim_end(), unquote(value.trim())))
    })
}

fn unquote(value: &str) -> String {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let inner = match quote {
        Some(quote) => value.strip_prefix(quote).map_or(value, |v| v.strip_suffix(quote).unwrap_or(v)),
        None => value,
    };
    if quote == Some('\'') || !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        plain.push(if c == '\\' { characters.next().unwrap_or('\\') } else { c });
    }
    plain
}

fn system(id: &str, version: &str, name: &str) -> OperatingSystem {
    OperatingSystem {
        id: id.to_owned(),
        version: version.to_owned(),
        name: name.to_owned(),
        ..OperatingSystem::default()
    }
}

fn lsb_release(text: &str) -> Option<OperatingSystem> {
    let mut found = OperatingSystem::default();
    for (key, value) in assignments(text) {
        match key {
            "DISTRIB_ID" => found.id = value.to_ascii_lowercase().replace(' ', ""),
            "DISTRIB_RELEASE" if value != "rolling" => found.version = value,
            "DISTRIB_CODENAME" if value != "n/a" => found.codename = value,
            "DISTRIB_DESCRIPTION" => found.name = value,
            _ => {}
        }
    }
    (!found.id.is_empty()).then_some(found)
}

fn alpine_release(text: &str) -> Option<OperatingSystem> {
    let version = text.trim();
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| system("alpine", version, &format!("Alpine Linux {version}")))
}

/// Distributions whose release line begins with this, and their os-release ids.
const RELEASE_NAMES: &[(&str, &str)] = &[
    ("Red Hat Enterprise", "rhel"),
    ("CentOS", "centos"),
    ("AlmaLinux", "almalinux"),
    ("Rocky", "rocky"),
    ("Oracle", "ol"),
    ("Fedora", "fedora"),
    ("Amazon", "amzn"),
    ("Scientific", "scientific"),
    ("Enterprise Linux Enterprise Linux", "ol"),
    ("CloudLinux", "cloudlinux"),
    ("VMware Photon", "photon"),
    ("Gentoo", "gentoo"),
    ("openEuler", "openEuler"),
    ("Mageia", "mageia"),
    ("Virtuozzo", "virtuozzo"),
];

/// `CentOS Linux release 7.9.2009 (Core)`.
fn release_line(text: &str) -> Option<OperatingSystem> {
    let line = text.lines().next()?.trim();
    let (name, rest) = line.split_once(" release ")?;
    let known =
        RELEASE_NAMES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, id)| (*id).to_owned());
    let id = known.unwrap_or_else(|| name.split(' ').next().unwrap_or_default().to_ascii_lowercase());
    let version = rest.split_whitespace().next().unwrap_or_default();
    // CentOS keeps its date in the release line and not in os-release: `7.9.2009`, `7`.
    let version = if id == "centos" { version.split('.').next().unwrap_or_default() } else { version };
    Some(system(&id, version, line))
}

fn suse_release(text: &str) -> Option<OperatingSystem> {
    let name = text.lines().next()?.trim();
    let value = |wanted: &str| assignments(text).find(|(key, _)| *key == wanted).map(|(_, value)| value);
    let version = value("VERSION")?;
    let version = match value("PATCHLEVEL") {
        Some(level) if level != "0" => format!("{version}.{level}"),
        _ => version,
    };
    let id = if name.to_ascii_lowercase().starts_with("opensuse") { "opensuse" } else { "sles" };
    Some(system(id, &version, name))
}

fn slackware_version(text: &str) -> Option<OperatingSystem> {
    let line = text.trim();
    Some(system("slackware", line.strip_prefix("Slackware ")?, line))
}

/// The file is empty; that it is there is the statement.
fn arch_release(_: &str) -> Option<OperatingSystem> {
    Some(system("arch", "", "Arch Linux"))
}

/// `12.5`, or `trixie/sid` before a release; os-release has the first number only.
fn debian_version(text: &str) -> Option<OperatingSystem> {
    let text = text.trim();
    let number = text.split('.').next().unwrap_or_default();
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Some(system("debian", number, &format!("Debian GNU/Linux {text}")));
    }
    let (codename, _) = text.split_once("/sid")?;
    let mut found = system("debian", "", &format!("Debian GNU/Linux {text}"));
    codename.clone_into(&mut found.codename);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_file(path: &str, text: &str) -> Facts {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: text.len() as u64 }, text.as_bytes(), &mut facts);
        facts
    }

    #[test]
    fn every_file_selected_can_be_read() {
        let selected: Vec<&str> = CATALOGUERS[0]
            .selects
            .iter()
            .filter_map(|select| if let Select::Path(path) = select { Some(*path) } else { None })
            .collect();
        assert_eq!(selected, FILES.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    }

    #[test]
    fn os_release_with_its_quotes() {
        let text = "# a comment\nNAME=\"AlmaLinux\"\nVERSION=\"9.4 (Seafoam Ocelot)\"\nID=\"almalinux\"\n\
                    ID_LIKE=\"rhel centos fedora\"\nVERSION_ID='9.4'\n\
                    PRETTY_NAME=\"Alma \\\"Linux\\\" 9.4 \\$\"\nCPE_NAME=\"cpe:/o:almalinux:almalinux:9::baseos\"\n";
        let system = read_file("etc/os-release", text).system.unwrap();
        assert_eq!((system.id.as_str(), system.version.as_str()), ("almalinux", "9.4"));
        assert_eq!(system.id_like, ["rhel", "centos", "fedora"]);
        assert_eq!(system.name, "Alma \"Linux\" 9.4 $");
        assert_eq!(system.cpe, "cpe:/o:almalinux:almalinux:9::baseos");
        assert_eq!(read_file("usr/lib/os-release", "NAME=Foo\n").system.unwrap().id, "linux");
        assert_eq!(read_file("etc/os-release", "nonsense").skipped[0].reason, SkipReason::Malformed);
    }

    #[test]
    fn what_stood_before_os_release() {
        for (path, text, id, version) in [
            ("etc/alpine-release", "3.4.6\n", "alpine", "3.4.6"),
            ("etc/centos-release", "CentOS release 6.10 (Final)\n", "centos", "6"),
            (
                "etc/redhat-release",
                "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n",
                "rhel",
                "6.10",
            ),
            ("etc/system-release", "Amazon Linux AMI release 2018.03\n", "amzn", "2018.03"),
            ("etc/debian_version", "12.5\n", "debian", "12"),
            ("etc/debian_version", "trixie/sid\n", "debian", ""),
            (
                "etc/SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
                "sles",
                "11.4",
            ),
            ("etc/lsb-release", "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\n", "ubuntu", "14.04"),
            ("etc/arch-release", "", "arch", ""),
        ] {
            let system = read_file(path, text).system.unwrap();
            assert_eq!((system.id.as_str(), system.version.as_str()), (id, version), "{path}: {text}");
        }
    }

    #[test]
    fn the_targets_own_os_release_speaks_first() {
        let mut paths =
            ["srv/root/etc/os-release", "etc/debian_version", "usr/lib/os-release", "etc/os-release"];
        paths.sort_by_key(|path| precedence(path));
        assert_eq!(
            paths,
            ["etc/os-release", "usr/lib/os-release", "etc/debian_version", "srv/root/etc/os-release"]
        );
        assert_eq!(precedence("etc/passwd"), None);
        assert_eq!(precedence("notetc/os-release"), None);
    }
}
