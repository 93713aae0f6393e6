//! Package URLs as others write them, and the packages they mean.
//!
//! Format: purl-spec, ECMA-427. Reading is tolerant where writing is strict: real documents hold purls that break
//! their type's rules and are clear all the same. What Syft and Trivy put where is noted at each rule.

use std::borrow::Cow;
use std::collections::BTreeMap;

use yagura_model::package::SourcePackage;
use yagura_model::{Ecosystem, Package};

use crate::layer::namespace;

/// Longest purl read, in bytes.
const MAX_BYTES: usize = 8 << 10;

/// A package URL in its parts, percent-decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignPurl {
    /// Lower case.
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub qualifiers: BTreeMap<String, String>,
    pub subpath: String,
}

impl ForeignPurl {
    /// The parts of a purl; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("pkg:").filter(|rest| rest.len() <= MAX_BYTES)?;
        let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.trim_start_matches('/').split_once('/')?;
        let rest = rest.trim_matches('/');
        // An `@` that starts a namespace (`@babel/core`, not encoded as it should be) is no version.
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !path.is_empty() && !version.contains('/') => (path, version),
            Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, version),
            _ => (rest, ""),
        };
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        if kind.is_empty() || name.is_empty() {
            return None;
        }
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: decode(namespace.trim_matches('/')).into_owned(),
            name: decode(name).into_owned(),
            version: decode(version).into_owned(),
            qualifiers: qualifiers
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key.to_ascii_lowercase(), decode(value).into_owned()))
                .collect(),
            subpath: decode(subpath.trim_matches('/')).into_owned(),
        })
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// The package a purl means. `stated` are the names the document gives besides, best first: purls lose the case of
/// some names. `None` for types of which we know no packages (`oci`, `docker`, and what is newer than we are).
pub fn package_of(purl: &ForeignPurl, stated: &[String]) -> Option<Package> {
    let ecosystem = match purl.kind.as_str() {
        // Types of before purl-spec settled.
        "alpine" => Ecosystem::Apk,
        "arch" | "archlinux" => Ecosystem::Alpm,
        "dart" => Ecosystem::Pub,
        kind => Ecosystem::from_purl_type(kind)?,
    };
    let mut package = Package::new(ecosystem, name(ecosystem, purl, stated), "");
    let mut qualifiers = purl.qualifiers.clone();
    let mut take = |key: &str| qualifiers.remove(key).unwrap_or_default();
    let epoch = take("epoch");
    package.version = version(ecosystem, &package.name, &purl.version, &epoch);
    package.architecture = take("arch");
    package.module = match take("rpmmod") {
        module if module.is_empty() => take("modularitylabel"),
        module => module,
    };
    let (upstream, distro) = (take("upstream"), take("distro"));
    // Syft's mark to tell two packages with one purl apart.
    take("package-id");
    if keeps_namespace_apart(ecosystem) {
        package.distribution = purl.namespace.clone();
        package.distro = distro;
    } else if !distro.is_empty() {
        qualifiers.insert("distro".to_owned(), distro);
    }
    if ecosystem.is_operating_system() {
        let id = system_id(&purl.namespace);
        package.distro = normal_distro(&id, &package.distro);
        package.distribution = namespace(&id);
    }
    package.source = source(&package, &upstream, &epoch);
    package.qualifiers = qualifiers;
    Some(package)
}

/// Whether the namespace is not part of the package's name.
fn keeps_namespace_apart(ecosystem: Ecosystem) -> bool {
    !matches!(
        ecosystem,
        Ecosystem::Maven
            | Ecosystem::Npm
            | Ecosystem::Golang
            | Ecosystem::Composer
            | Ecosystem::Swift
            | Ecosystem::Github
    )
}

fn name(ecosystem: Ecosystem, purl: &ForeignPurl, stated: &[String]) -> String {
    let separator = if ecosystem == Ecosystem::Maven { ":" } else { "/" };
    let plain = match (keeps_namespace_apart(ecosystem), purl.namespace.is_empty()) {
        (false, false) => format!("{}{separator}{}", purl.namespace, purl.name),
        _ => purl.name.clone(),
    };
    if ecosystem == Ecosystem::Pypi {
        return normal_pypi(&plain);
    }
    // Syft puts what comes after the third component of a Go module's path in the subpath; by the purl-spec a
    // subpath is a package inside the module. The stated name tells.
    let with_subpath = (ecosystem == Ecosystem::Golang && !purl.subpath.is_empty())
        .then(|| format!("{plain}/{}", purl.subpath));
    let known = |name: &&String| {
        name.eq_ignore_ascii_case(&plain)
            || with_subpath.as_ref().is_some_and(|long| name.eq_ignore_ascii_case(long))
    };
    match stated.iter().find(known) {
        Some(name) => name.clone(),
        None => plain,
    }
}

/// PEP 503: runs of `-`, `_` and `.` are one `-`, all in lower case.
fn normal_pypi(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normal.ends_with('-') {
                normal.push('-');
            }
        } else {
            normal.extend(c.to_lowercase());
        }
    }
    normal
}

/// Trivy puts the epoch of a deb in a qualifier too; an epoch of zero is none.
fn version(ecosystem: Ecosystem, name: &str, version: &str, epoch: &str) -> String {
    match ecosystem {
        Ecosystem::Deb | Ecosystem::Rpm => {
            let version = version.strip_prefix("0:").unwrap_or(version);
            let has_epoch = version
                .split_once(':')
                .is_some_and(|(epoch, _)| !epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit()));
            if has_epoch || epoch.is_empty() || epoch == "0" || version.is_empty() {
                version.to_owned()
            } else {
                format!("{epoch}:{version}")
            }
        }
        // Trivy writes the standard library with Go's `v`.
        Ecosystem::Golang if matches!(name, "stdlib" | "toolchain") => {
            version.strip_prefix('v').unwrap_or(version).to_owned()
        }
        _ => version.to_owned(),
    }
}

/// Names by which Trivy knows distributions, and the `ID` they have in os-release(5).
const FAMILIES: [(&str, &str); 8] = [
    ("alma", "almalinux"),
    ("amazon", "amzn"),
    ("cbl-mariner", "mariner"),
    ("opensuse.leap", "opensuse-leap"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("oracle", "ol"),
    ("redhat", "rhel"),
    ("suse linux enterprise server", "sles"),
];

/// The os-release `ID` of a distribution by whatever name.
pub(super) fn system_id(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    FAMILIES.iter().find(|(family, _)| *family == name).map_or(name, |(_, id)| (*id).to_owned())
}

/// `id-version` as os-release(5) has them: Trivy leaves the id out for Alpine, has family names elsewhere, and takes
/// Debian's point release from another file.
pub(super) fn normal_distro(id: &str, distro: &str) -> String {
    let distro = match (distro.bytes().next(), distro.rsplit_once('-')) {
        (Some(first), _) if first.is_ascii_digit() && !id.is_empty() => format!("{id}-{distro}"),
        (_, Some((name, version))) => format!("{}-{version}", system_id(name)),
        _ => distro.to_owned(),
    };
    match distro.strip_prefix("debian-") {
        Some(version) => format!("debian-{}", version.split('.').next().unwrap_or(version)),
        None => distro,
    }
}

/// `upstream`: a source package's name, `name@version`, or the name of a source RPM. An OS package without one was
/// built from the source package of its own name.
fn source(package: &Package, upstream: &str, epoch: &str) -> Option<SourcePackage> {
    if upstream.is_empty() {
        let own = || SourcePackage { name: package.name.clone(), version: package.version.clone() };
        return package.ecosystem.is_operating_system().then(own);
    }
    if let Some(stem) = upstream.strip_suffix(".src.rpm").or_else(|| upstream.strip_suffix(".nosrc.rpm")) {
        let (stem, release) = stem.rsplit_once('-')?;
        let (name, version) = stem.rsplit_once('-')?;
        let version = self::version(Ecosystem::Rpm, name, &format!("{version}-{release}"), epoch);
        return Some(SourcePackage { name: name.to_owned(), version });
    }
    Some(match upstream.split_once('@') {
        Some((name, version)) => SourcePackage { name: name.to_owned(), version: version.to_owned() },
        None => SourcePackage { name: upstream.to_owned(), version: package.version.clone() },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, stated: &[&str]) -> Package {
        let stated: Vec<String> = stated.iter().map(|name| (*name).to_owned()).collect();
        package_of(&ForeignPurl::parse(text).unwrap(), &stated).unwrap()
    }

    #[test]
    fn reads_the_purls_of_syft_and_trivy_alike() {
        for (purl, stated, name, version) in [
            ("pkg:npm/%40babel/core@7.24.1", &["@babel/core"][..], "@babel/core", "7.24.1"),
            ("pkg:npm/@babel/core@7.24.1", &[], "@babel/core", "7.24.1"),
            ("pkg:npm/@babel/core", &[], "@babel/core", ""),
            ("pkg:npm/jsonstream@1.0.3", &["JSONStream"], "JSONStream", "1.0.3"),
            (
                "pkg:golang/github.com/burntsushi/toml@v1.3.2",
                &["github.com/BurntSushi/toml"],
                "github.com/BurntSushi/toml",
                "v1.3.2",
            ),
            (
                "pkg:golang/github.com/hashicorp/vault@v1.9.0#api",
                &["github.com/hashicorp/vault/api"],
                "github.com/hashicorp/vault/api",
                "v1.9.0",
            ),
            (
                "pkg:golang/google.golang.org/genproto@v0.1#googleapis/api",
                &["google.golang.org/genproto"],
                "google.golang.org/genproto",
                "v0.1",
            ),
            ("pkg:golang/stdlib@v1.21.0", &["stdlib"], "stdlib", "1.21.0"),
            ("pkg:golang/stdlib@1.21.0", &["stdlib"], "stdlib", "1.21.0"),
            ("pkg:maven/org.apache/log4j-core@2.14.1", &["log4j-core"], "org.apache:log4j-core", "2.14.1"),
            ("pkg:pypi/jinja2@2.11.3", &["Jinja2"], "jinja2", "2.11.3"),
            ("pkg:pypi/Zope.Interface@5", &["zope.interface"], "zope-interface", "5"),
            ("pkg:composer/twig/twig@v2.4.4", &[], "twig/twig", "v2.4.4"),
            (
                "pkg:deb/debian/login@4.13%2Bdfsg1-1?arch=amd64&distro=debian-12.15&epoch=1",
                &["login"],
                "login",
                "1:4.13+dfsg1-1",
            ),
            ("pkg:deb/debian/login@1:4.13%2Bdfsg1-1?arch=amd64", &["login"], "login", "1:4.13+dfsg1-1"),
            (
                "pkg:rpm/almalinux/bind@9.16-1.el9?epoch=32&upstream=bind-9.16-1.el9.src.rpm",
                &[],
                "bind",
                "32:9.16-1.el9",
            ),
            ("pkg:rpm/rocky/bash@5.1.8-6.el9?epoch=0", &[], "bash", "5.1.8-6.el9"),
        ] {
            let package = read(purl, stated);
            assert_eq!((package.name.as_str(), package.version.as_str()), (name, version), "{purl}");
        }
    }

    #[test]
    fn finds_source_distribution_and_module() {
        let deb =
            read("pkg:deb/debian/libssl3@3.0.22-1?arch=amd64&distro=debian-12.15&upstream=openssl", &[]);
        assert_eq!(
            deb.source.as_ref().map(|s| (s.name.as_str(), s.version.as_str())),
            Some(("openssl", "3.0.22-1"))
        );
        assert_eq!(
            (deb.distribution.as_str(), deb.distro.as_str(), deb.architecture.as_str()),
            ("debian", "debian-12", "amd64")
        );
        let binnmu = read("pkg:deb/debian/x@1-1%2Bb1?upstream=y%401-1", &[]);
        assert_eq!(binnmu.source.map(|s| (s.name, s.version)), Some(("y".into(), "1-1".into())));
        let rpm = read(
            "pkg:rpm/alma/bind-libs@9.16-1.el9?epoch=32&upstream=bind-9.16-1.el9.src.rpm&modularitylabel=bind:9.16&distro=alma-9.4",
            &[],
        );
        assert_eq!(rpm.source.map(|s| (s.name, s.version)), Some(("bind".into(), "32:9.16-1.el9".into())));
        assert_eq!((rpm.distribution.as_str(), rpm.module.as_str()), ("almalinux", "bind:9.16"));
        for (purl, distribution, distro) in [
            ("pkg:rpm/redhat/bash@5?distro=redhat-9.4", "redhat", "rhel-9.4"),
            ("pkg:rpm/redhat/bash@5?distro=rhel-9.4", "redhat", "rhel-9.4"),
            ("pkg:rpm/amzn/bash@5?distro=amzn-2", "amazon", "amzn-2"),
            ("pkg:rpm/amazon/bash@5?distro=amazon-2", "amazon", "amzn-2"),
            ("pkg:rpm/opensuse-leap/bash@5?distro=opensuse-leap-15.5", "opensuse", "opensuse-leap-15.5"),
        ] {
            let rpm = read(purl, &[]);
            assert_eq!((rpm.distribution.as_str(), rpm.distro.as_str()), (distribution, distro), "{purl}");
            assert_eq!(rpm.source.unwrap().name, "bash");
        }
        let apk = read("pkg:apk/alpine/busybox@1.36.1-r15?arch=x86_64&distro=3.18.4", &[]);
        assert_eq!(apk.distro, "alpine-3.18.4");
        assert!(apk.qualifiers.is_empty());
    }

    #[test]
    fn what_is_no_package_is_refused() {
        for text in ["", "pkg:", "pkg:npm", "pkg:npm/", "npm/left-pad", "pkg:/x", "https://example.org"] {
            assert_eq!(ForeignPurl::parse(text), None, "{text}");
        }
        let image = ForeignPurl::parse("pkg:oci/debian@sha256%3Aaa?tag=12").unwrap();
        assert_eq!(package_of(&image, &[]), None);
    }

    #[test]
    fn our_own_purls_come_back() {
        let mut rpm = Package::new(Ecosystem::Rpm, "bind", "32:9.16-1.el9");
        rpm.distribution = "almalinux".into();
        rpm.distro = "almalinux-9.4".into();
        rpm.architecture = "x86_64".into();
        rpm.module = "bind:9.16:1:2".into();
        rpm.source = Some(SourcePackage { name: "bind".into(), version: "32:9.16-0.el9".into() });
        let mut maven = Package::new(Ecosystem::Maven, "org.apache:commons +x", "1 ?#@");
        maven.qualifiers.insert("type".into(), "jar".into());
        for package in [rpm, maven] {
            let purl = package.purl().unwrap();
            assert_eq!(read(purl.as_str(), &[]), package, "{purl}");
        }
    }
}
