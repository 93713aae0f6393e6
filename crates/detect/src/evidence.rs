//! Statements that need no author: the kind of package proves that a flaw cannot bite.
//!
//! Only what holds for every package of its kind stands here. A distribution writes its advisories for source packages,
//! and each of these packages was built from a source whose flaws are in code it does not carry: kernel headers hold no
//! kernel, manuals and translations no program.

use std::collections::HashSet;

use yagura_model::report::{Suppressed, Target, TargetKind};
use yagura_model::{Ecosystem, Finding, FindingKind};

/// One kind of package that carries none of its source's code.
struct Rule {
    name: &'static str,
    ecosystems: &'static [Ecosystem],
    package: Pattern,
    source: Source,
    /// Whether a host's own kernel is another matter.
    except_on_hosts: bool,
    reason: &'static str,
}

/// Names, by their whole, beginning or end.
enum Pattern {
    OneOf(&'static [&'static str]),
    Begins(&'static [&'static str]),
    Ends(&'static [&'static str]),
}

impl Pattern {
    fn fits(&self, name: &str) -> bool {
        match self {
            Self::OneOf(names) => names.contains(&name),
            Self::Begins(starts) => starts.iter().any(|start| name.starts_with(start)),
            Self::Ends(ends) => ends.iter().any(|end| name.len() > end.len() && name.ends_with(end)),
        }
    }
}

/// What the advisory must speak of.
enum Source {
    /// Another package than this one: an advisory by its own name may mean its own content.
    Another,
    /// A name that begins so. Some feeds list the headers among the packages a kernel's flaw was fixed in.
    Begins(&'static [&'static str]),
}

impl Source {
    fn fits(&self, source: &str, package: &str) -> bool {
        match self {
            Self::Another => source != package,
            Self::Begins(starts) => starts.iter().any(|start| source.starts_with(start)),
        }
    }
}

const HEADERS: &str =
    "kernel headers: the package holds declarations for compilers, and a container runs its host's kernel";

const RULES: &[Rule] = &[
    Rule {
        name: "kernel-headers",
        ecosystems: &[Ecosystem::Deb],
        package: Pattern::OneOf(&[
            "linux-libc-dev",
            "linux-libc-dev-arm64-cross",
            "linux-libc-dev-amd64-cross",
        ]),
        source: Source::Begins(&["linux"]),
        except_on_hosts: true,
        reason: HEADERS,
    },
    Rule {
        name: "kernel-headers",
        ecosystems: &[Ecosystem::Deb],
        package: Pattern::Begins(&["linux-headers-"]),
        source: Source::Begins(&["linux"]),
        except_on_hosts: true,
        reason: HEADERS,
    },
    Rule {
        name: "kernel-headers",
        ecosystems: &[Ecosystem::Rpm],
        package: Pattern::OneOf(&[
            "kernel-headers",
            "kernel-cross-headers",
            "glibc-kernheaders",
            "linux-glibc-devel",
            "linux-api-headers",
        ]),
        source: Source::Begins(&["kernel", "linux"]),
        except_on_hosts: true,
        reason: HEADERS,
    },
    Rule {
        name: "kernel-headers",
        ecosystems: &[Ecosystem::Apk, Ecosystem::Alpm],
        package: Pattern::OneOf(&["linux-headers", "linux-api-headers"]),
        source: Source::Begins(&["linux"]),
        except_on_hosts: true,
        reason: HEADERS,
    },
    Rule {
        name: "documentation-only",
        ecosystems: &[Ecosystem::Deb, Ecosystem::Rpm, Ecosystem::Apk],
        package: Pattern::Ends(&["-doc", "-docs", "-man-pages", "-manpages"]),
        source: Source::Another,
        except_on_hosts: false,
        reason: "documentation only: the package holds manuals and no program",
    },
    Rule {
        name: "translations-only",
        ecosystems: &[Ecosystem::Apk],
        package: Pattern::Ends(&["-lang"]),
        source: Source::Another,
        except_on_hosts: false,
        reason: "translations only: the package holds message catalogues and no program",
    },
];

/// Packages all of whose files are known, and none of which holds code.
const NO_CODE: (&str, &str) =
    ("no-code", "data only: none of the package's files is a program, a library, a script or source");

/// Findings that stand, and those the package's kind excuses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Excused {
    pub findings: Vec<Finding>,
    pub suppressed: Vec<Suppressed>,
}

/// Takes out the findings that the kind of their package excuses.
pub fn apply(findings: Vec<Finding>, targets: &[Target]) -> Excused {
    let without_code: HashSet<(&str, &str, &str)> = targets.iter().flat_map(without_code).collect();
    let mut findings = findings;
    let mut why = Vec::new();
    // In place: there may be hundreds of thousands, and few are excused.
    let taken: Vec<Finding> = findings
        .extract_if(.., |finding| {
            let target = targets.iter().find(|target| target.name == finding.target);
            let excuse = target.and_then(|target| excuse(finding, target)).or_else(|| {
                let package = finding.package.as_ref()?;
                let key = (finding.target.as_str(), package.name.as_str(), package.version.as_str());
                (finding.kind == FindingKind::Vulnerability && without_code.contains(&key)).then_some(NO_CODE)
            });
            why.extend(excuse);
            excuse.is_some()
        })
        .collect();
    let suppressed = taken.into_iter().zip(why).map(|(finding, (name, reason))| Suppressed {
        finding,
        by: "evidence".to_owned(),
        source: name.to_owned(),
        reason: reason.to_owned(),
    });
    Excused { suppressed: suppressed.collect(), findings }
}

/// Target, name and version of the packages of the operating system without code. An advisory by a package's own name
/// may mean its data, so only those built from a source of another name count.
fn without_code(target: &Target) -> impl Iterator<Item = (&str, &str, &str)> {
    let packages = target.inventory.packages.iter();
    let packages = packages.filter(|package| {
        package.holds_code == Some(false)
            && package.source.as_ref().is_some_and(|source| source.name != package.name)
    });
    packages.map(|package| (target.name.as_str(), package.name.as_str(), package.version.as_str()))
}

fn excuse(finding: &Finding, target: &Target) -> Option<(&'static str, &'static str)> {
    if finding.kind != FindingKind::Vulnerability {
        return None;
    }
    let package = finding.package.as_ref()?;
    let ecosystem = package.purl.as_ref()?.ecosystem()?;
    let source = finding.evidence.matched_name.as_str();
    if source.is_empty() {
        return None;
    }
    // Where executables were listed, one of the package's own speaks against any excuse.
    let has_program =
        target.inventory.file_digests.iter().any(|file| file.owner.as_deref() == Some(package.name.as_str()));
    if has_program {
        return None;
    }
    let rule = RULES.iter().find(|rule| {
        rule.ecosystems.contains(&ecosystem)
            && rule.package.fits(&package.name)
            && rule.source.fits(source, &package.name)
            && !(rule.except_on_hosts && target.kind == TargetKind::Host)
    })?;
    Some((rule.name, rule.reason))
}

#[cfg(test)]
mod tests {
    use yagura_model::finding::{Evidence, PackageReference};
    use yagura_model::inventory::FileDigest;
    use yagura_model::package::SourcePackage;
    use yagura_model::{Inventory, Location, Package, Severity};

    use super::*;

    fn finding(purl: &str, name: &str, source: &str) -> Finding {
        Finding {
            id: "1".into(),
            rule: "CVE-2026-1".into(),
            kind: FindingKind::Vulnerability,
            severity: Severity::High,
            title: String::new(),
            target: "image".into(),
            location: Location::file("var/lib/dpkg/status"),
            package: Some(PackageReference {
                name: name.into(),
                version: "1".into(),
                purl: Some(purl.parse().unwrap()),
                scope: Default::default(),
            }),
            fixed_version: None,
            aliases: Vec::new(),
            controls: Vec::new(),
            vulnerability: None,
            evidence: Evidence { matched_name: source.into(), ..Evidence::default() },
            fix: String::new(),
            created_by: String::new(),
            from_base_image: None,
        }
    }

    fn target(kind: TargetKind) -> Target {
        Target { name: "image".into(), kind, image: None, inventory: Inventory::default() }
    }

    fn excused(finding: Finding, target: &Target) -> bool {
        let excused = apply(vec![finding], std::slice::from_ref(target));
        assert_eq!(excused.findings.len() + excused.suppressed.len(), 1);
        excused.suppressed.iter().all(|suppressed| suppressed.by == "evidence") && excused.findings.is_empty()
    }

    #[test]
    fn headers_hold_no_kernel_except_on_the_host_that_runs_it() {
        let image = target(TargetKind::Image);
        let rows = [
            ("pkg:deb/debian/linux-libc-dev@6.1", "linux-libc-dev", "linux", true),
            ("pkg:deb/ubuntu/linux-headers-6.8.0-1@6.8", "linux-headers-6.8.0-1", "linux-aws", true),
            ("pkg:rpm/almalinux/kernel-headers@5.14", "kernel-headers", "kernel-headers", true),
            ("pkg:apk/alpine/linux-headers@6.1", "linux-headers", "linux-headers", true),
            ("pkg:deb/debian/linux-image-6.1.0@6.1", "linux-image-6.1.0", "linux", false),
            ("pkg:rpm/almalinux/kernel-core@5.14", "kernel-core", "kernel", false),
            ("pkg:npm/linux-headers@1", "linux-headers", "linux", false),
            ("pkg:deb/debian/linux-libc-dev@6.1", "linux-libc-dev", "glibc", false),
        ];
        for (purl, name, source, expected) in rows {
            assert_eq!(excused(finding(purl, name, source), &image), expected, "{purl} for {source}");
        }
        let host = target(TargetKind::Host);
        assert!(!excused(finding("pkg:deb/debian/linux-libc-dev@6.1", "linux-libc-dev", "linux"), &host));
    }

    #[test]
    fn manuals_are_excused_from_their_sources_flaws_alone() {
        let image = target(TargetKind::Image);
        let doc = |source| finding("pkg:deb/debian/openssl-doc@3", "openssl-doc", source);
        assert!(excused(doc("openssl"), &image));
        assert!(!excused(doc("openssl-doc"), &image));
        assert!(!excused(doc(""), &image));
        assert!(!excused(finding("pkg:deb/debian/openssl@3", "openssl", "openssl"), &image));
        let mut with_program = target(TargetKind::Image);
        with_program.inventory.file_digests.push(FileDigest {
            path: "usr/share/doc/openssl/demo".into(),
            digest: format!("sha256:{}", "00".repeat(32)).parse().unwrap(),
            size: 1,
            mode: 0o755,
            owner: Some("openssl-doc".into()),
            layer: None,
        });
        assert!(!excused(doc("openssl"), &with_program));
    }

    #[test]
    fn packages_without_code_are_excused_from_their_sources_flaws() {
        let excused_with = |holds_code, source: &str| {
            let mut package = Package::new(Ecosystem::Deb, "vim-data", "1");
            package.source = Some(SourcePackage { name: source.into(), version: "1".into() });
            package.holds_code = holds_code;
            let mut image = target(TargetKind::Image);
            image.inventory.packages.push(package);
            excused(finding("pkg:deb/debian/vim-data@1", "vim-data", "vim"), &image)
        };
        assert!(excused_with(Some(false), "vim"));
        assert!(!excused_with(Some(true), "vim"));
        assert!(!excused_with(None, "vim"));
        assert!(!excused_with(Some(false), "vim-data"));
    }
}
