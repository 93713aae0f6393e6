//! The modules linked into a Go program.

use std::sync::LazyLock;

use regex::Regex;
use yagura_model::package::{Dependency, Presence};
use yagura_model::{Location, Package, SkipReason};

use super::super::Facts;
use super::{DEVELOPMENT, replaced, standard_library};
use crate::executable::GoBuild;

const FOUND_BY: &str = "go-binary";
/// Modules of one program.
const MAX_MODULES: usize = 20_000;

/// `-X import/path.variable=value`, alone or in quotes (`go tool link`).
static VERSION_FLAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"-X[ =]+['"]?(?<path>[^\s'"=]+)\.(?<variable>[A-Za-z0-9_]+)=['"]?(?<value>[^\s'"]+)"#).ok()
});

/// A release number at the end of a value such as `v1.4.2`, `release-12.3.1` or `refs/tags/1.4.2-rc.1`.
static RELEASE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[/_-])v?(?<release>[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?)$").ok()
});

struct Module<'a> {
    path: &'a str,
    version: &'a str,
    replacement: Option<(&'a str, &'a str)>,
}

/// Adds what a program's build information proves. The program's own module has an empty version where nothing
/// tells it.
pub(crate) fn packages(build: &GoBuild, path: &str, facts: &mut Facts) {
    let mut main_path = "";
    let mut main: Option<Module<'_>> = None;
    let mut modules: Vec<Module<'_>> = Vec::new();
    let mut settings: Vec<(&str, String)> = Vec::new();
    let mut last_is_main = false;
    for line in build.modules.lines() {
        let mut fields = line.split('\t');
        let (kind, first, second) = (fields.next(), fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        match kind {
            Some("path") => main_path = first,
            Some("mod") => {
                main = Some(Module { path: first, version: second, replacement: None });
                last_is_main = true;
            }
            Some("dep") if modules.len() >= MAX_MODULES => {
                facts.skip(path, SkipReason::TooMany, format!("more than {MAX_MODULES} modules"));
                break;
            }
            Some("dep") => {
                modules.push(Module { path: first, version: second, replacement: None });
                last_is_main = false;
            }
            Some("=>") => {
                let replaced = if last_is_main { main.as_mut() } else { modules.last_mut() };
                if let Some(module) = replaced {
                    module.replacement = Some((first, second));
                }
            }
            Some("build") => {
                if let Some((key, value)) = first.split_once('=') {
                    settings.push((key, unquoted(value)));
                }
            }
            _ => {}
        }
    }
    // `go build FILE.go` calls the program `command-line-arguments`; its module is then among the dependencies.
    if main.as_ref().is_none_or(|main| main.path == "command-line-arguments") {
        let developed: Vec<usize> =
            modules.iter().enumerate().filter(|(_, m)| m.version == DEVELOPMENT).map(|(i, _)| i).collect();
        main = match developed.as_slice() {
            [only] => Some(modules.remove(*only)),
            _ if main_path == "command-line-arguments" => None,
            _ => module_of(main_path).map(|path| Module { path, version: DEVELOPMENT, replacement: None }),
        };
    }
    let location = Location::file(path);
    let mut add = |mut package: Package| {
        package.presence = Presence::Embedded;
        package.found_by = FOUND_BY.into();
        package.locations = vec![location.clone()];
        facts.packages.push(package);
    };
    let dependencies: Vec<Package> =
        modules.iter().map(|module| replaced(module.path, module.replacement, module.version)).collect();
    let library = standard_library(&build.version);
    if let Some(main) = main.filter(|main| !main.path.is_empty()) {
        let mut package = replaced(main.path, main.replacement, main.version);
        if package.version.is_empty() {
            package.version = main_version(main.path, &settings, &build.releases);
        }
        package.dependencies = dependencies
            .iter()
            .chain(&library)
            .map(|package| Dependency {
                name: package.name.clone(),
                version: Some(package.version.clone()).filter(|version| !version.is_empty()),
            })
            .collect();
        add(package);
    }
    dependencies.into_iter().filter(|package| !package.name.is_empty()).for_each(&mut add);
    library.into_iter().for_each(add);
}

/// The version of a program built from a working tree: the one its builders set with `-ldflags -X`, else the
/// one release number that the program holds, else the pseudo-version of the commit; empty when nothing is recorded.
fn main_version(path: &str, settings: &[(&str, String)], releases: &[String]) -> String {
    let setting =
        |name: &str| settings.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value.as_str());
    linked_version(path, setting("-ldflags"))
        .or_else(|| agreed_release(releases))
        .or_else(|| pseudo_version(setting("vcs.revision"), setting("vcs.time")))
        .unwrap_or_default()
}

/// The shortest of release numbers that all are of one release: packagers add theirs to the upstream's.
fn agreed_release(releases: &[String]) -> Option<String> {
    let bare = |release: &str| release.trim_start_matches('v').to_owned();
    let shortest = releases.iter().map(|release| bare(release)).min_by_key(String::len)?;
    let continues = |rest: &str| rest.is_empty() || rest.starts_with(['-', '+', '~', '.']);
    let agreed = releases.iter().all(|release| bare(release).strip_prefix(&shortest).is_some_and(continues));
    agreed.then(|| format!("v{}", shortest.replace('~', "-")))
}

/// The module of a package that was built without modules: the repository on hosts whose paths have a fixed form,
/// with its major version, else what comes before `/cmd/`. The toolchain's own commands are in none.
fn module_of(package: &str) -> Option<&str> {
    let host = package.split('/').next().filter(|host| host.contains('.'))?;
    let parts = match host {
        "github.com" | "gitlab.com" | "bitbucket.org" | "golang.org" => 3,
        "k8s.io" | "sigs.k8s.io" | "go.etcd.io" | "gopkg.in" | "google.golang.org" => 2,
        _ => return Some(package.split("/cmd/").next().unwrap_or(package)),
    };
    let ends: Vec<usize> = package.match_indices('/').map(|(at, _)| at).chain([package.len()]).collect();
    let end = *ends.get(parts - 1).or(ends.last())?;
    let major = ends.get(parts).and_then(|next| package.get(end + 1..*next)).filter(|word| {
        word.strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    package.get(..end + major.map_or(0, |major| major.len() + 1))
}

fn linked_version(path: &str, flags: &str) -> Option<String> {
    let (flag, release) = (VERSION_FLAG.as_ref()?, RELEASE.as_ref()?);
    let mut best: Option<(u8, String)> = None;
    for found in flag.captures_iter(flags) {
        let package = &found["path"];
        let own = package == "main"
            || package == path
            || package.strip_prefix(path).is_some_and(|p| p.starts_with('/'));
        let rank = match (own, rank_of_variable(&found["variable"])) {
            (_, None) => continue,
            (true, Some(rank)) => rank,
            // Prometheus and Kubernetes keep their version in a shared module.
            (false, Some(rank)) if package.ends_with("version") => rank + 10,
            (false, Some(_)) => continue,
        };
        let Some(version) = release.captures(&found["value"]).map(|c| format!("v{}", &c["release"])) else {
            continue;
        };
        if best.as_ref().is_none_or(|(best, _)| rank < *best) {
            best = Some((rank, version));
        }
    }
    best.map(|(_, version)| version)
}

/// How likely a variable holds the program's version; lower is likelier.
fn rank_of_variable(variable: &str) -> Option<u8> {
    let variable = variable.to_ascii_lowercase().replace('_', "");
    match variable.as_str() {
        "version" | "ver" | "appversion" | "semver" => Some(0),
        "gitversion" | "buildversion" | "releaseversion" | "gitdescribe" | "fullversion" | "release" => {
            Some(1)
        }
        // Versions of something else than the program.
        _ if variable.contains("api") || variable.contains("go") || variable.contains("schema") => None,
        _ if variable.ends_with("version") || variable.ends_with("ver") => Some(2),
        _ if variable.ends_with("tag") || variable.ends_with("release") => Some(3),
        _ => None,
    }
}

/// `v0.0.0-yyyymmddhhmmss-abcdefabcdef` (Go modules reference, pseudo-versions).
fn pseudo_version(revision: &str, time: &str) -> Option<String> {
    let digits: String = time.chars().filter(char::is_ascii_digit).take(14).collect();
    let commit = revision.get(..12)?;
    (digits.len() == 14 && time.ends_with('Z')).then(|| format!("v0.0.0-{digits}-{commit}"))
}

/// A value as `strconv.Quote` writes it where it has spaces or quotes.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (true, 'n' | 't') => {
                text.push(' ');
                escaped = false;
            }
            _ => {
                text.push(c);
                escaped = false;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as `go version -m` shows them for a program built with Go 1.19, abridged.
    const MODULES: &str = "path\texample.org/app/cmd/app\nmod\texample.org/app\t(devel)\t\n\
        dep\texample.org/lib\tv1.2.3\t\n=>\t../lib\t(devel)\t\n\
        dep\tgolang.org/x/net\tv0.7.0\th1:rJrUqqhjsgNp7KqAIc25s9pZnjU7TUcSY7HcVZjdn1g=\n\
        dep\tgithub.com/old/name\tv1.0.0\n=>\tgithub.com/new/name\tv1.0.1\th1:abc=\n\
        build\t-compiler=gc\nbuild\t-ldflags=\"-s -w -X main.version=1.4.2\"\nbuild\tvcs=git";

    fn read(version: &str, modules: &str) -> Vec<(String, String)> {
        let build = GoBuild { version: version.into(), modules: modules.into(), ..GoBuild::default() };
        let mut facts = Facts::default();
        packages(&build, "usr/bin/app", &mut facts);
        facts.packages.into_iter().map(|package| (package.name, package.version)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
    }

    #[test]
    fn lists_main_module_dependencies_and_library() {
        assert_eq!(
            read("go1.19.8", MODULES),
            pairs(&[
                ("example.org/app", "v1.4.2"),
                ("example.org/lib", ""),
                ("golang.org/x/net", "v0.7.0"),
                ("github.com/new/name", "v1.0.1"),
                ("stdlib", "1.19.8"),
            ])
        );
    }

    #[test]
    fn a_single_file_build_finds_its_module_among_the_dependencies() {
        assert_eq!(
            read(
                "go1.19.8",
                "path\tcommand-line-arguments\ndep\texample.org/app\t(devel)\t\ndep\tgopkg.in/yaml.v3\tv3.0.1\th1:x="
            ),
            pairs(&[("example.org/app", ""), ("gopkg.in/yaml.v3", "v3.0.1"), ("stdlib", "1.19.8")])
        );
        assert_eq!(read("go1.17.3", ""), pairs(&[("stdlib", "1.17.3")]));
    }

    #[test]
    fn finds_the_version_that_builders_set() {
        for (path, flags, version) in [
            (
                "github.com/a/b",
                "-X github.com/a/b/v3/pkg/version.Version=3.0.4 -X main.buildDate=1.2.3",
                Some("v3.0.4"),
            ),
            ("github.com/a/b", "-s -w -X 'github.com/a/b/version.GitDescribe=v1.12.9'", Some("v1.12.9")),
            ("github.com/a/b", "-X=main.Version=v2.0.0-rc.1", Some("v2.0.0-rc.1")),
            ("k8s.io/kubernetes", "-X k8s.io/component-base/version.gitVersion=v1.29.0", Some("v1.29.0")),
            ("github.com/a/b", "-X github.com/prometheus/common/version.Version=2.45.0", Some("v2.45.0")),
            ("github.com/a/b", "-X main.apiVersion=1.0.0 -X main.tag=v7.8.9", Some("v7.8.9")),
            ("github.com/a/b", "-X main.version=dev -X main.goVersion=1.20.1", None),
            ("github.com/a/b", "-X other.org/lib.Version=9.9.9", None),
        ] {
            assert_eq!(linked_version(path, flags).as_deref(), version, "{flags}");
        }
    }

    #[test]
    fn release_numbers_must_agree() {
        for (releases, version) in [
            (&["1.1.5+ds1", "1.1.5+ds1-1+deb12u1"][..], Some("v1.1.5+ds1")),
            (&["v2.6.2"], Some("v2.6.2")),
            (&["1.6.7~rc0"], Some("v1.6.7-rc0")),
            (&["v2.6.2", "3.40.1"], None),
            (&["1.2.1", "1.2.13"], None),
            (&[], None),
        ] {
            let releases: Vec<String> = releases.iter().map(|release| (*release).to_owned()).collect();
            assert_eq!(agreed_release(&releases).as_deref(), version, "{releases:?}");
        }
    }

    #[test]
    fn finds_the_module_of_a_package() {
        for (package, module) in [
            ("github.com/containerd/containerd/cmd/ctr", Some("github.com/containerd/containerd")),
            ("github.com/caddyserver/caddy/v2/cmd/caddy", Some("github.com/caddyserver/caddy/v2")),
            ("github.com/opencontainers/runc", Some("github.com/opencontainers/runc")),
            ("k8s.io/kubernetes/cmd/kubectl", Some("k8s.io/kubernetes")),
            ("golang.org/x/tools/gopls", Some("golang.org/x/tools")),
            ("example.org/a/b/cmd/c", Some("example.org/a/b")),
            ("cmd/go", None),
            ("", None),
        ] {
            assert_eq!(module_of(package), module, "{package}");
        }
    }

    #[test]
    fn falls_back_to_the_commit() {
        let modules = "path\texample.org/app\nmod\texample.org/app\t(devel)\t\nbuild\tvcs=git\n\
            build\tvcs.revision=0123456789abcdef0123456789abcdef01234567\nbuild\tvcs.time=2024-02-03T04:05:06Z";
        assert_eq!(read("", modules), pairs(&[("example.org/app", "v0.0.0-20240203040506-0123456789ab")]));
    }
}
