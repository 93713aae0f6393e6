//! `go.mod` (Go modules reference, "go.mod files").

use std::collections::HashMap;

use yagura_model::package::{Presence, Scope};
use yagura_model::{Location, Package, SkipReason};

use super::super::{EvidenceFile, Facts};
use super::{replaced, standard_library};

const MAX_MODULES: usize = 50_000;

#[derive(Default)]
struct GoMod<'a> {
    requires: Vec<(&'a str, &'a str, u32)>,
    /// By path and version; an empty version stands for every one.
    replaces: HashMap<(&'a str, &'a str), (&'a str, &'a str)>,
    language: Option<(&'a str, u32)>,
    toolchain: Option<(&'a str, u32)>,
}

pub(super) fn catalogue(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return facts.skip(file.path, SkipReason::Malformed, "not UTF-8");
    };
    let module = parse(text);
    if module.requires.len() > MAX_MODULES {
        facts.skip(file.path, SkipReason::TooMany, format!("more than {MAX_MODULES} modules"));
    }
    let mut add = |mut package: Package, line: u32| {
        package.presence = Presence::Declared;
        package.locations = vec![Location::line(file.path, line)];
        facts.packages.push(package);
    };
    for &(path, version, line) in module.requires.iter().take(MAX_MODULES) {
        let replacement = module.replaces.get(&(path, version)).or_else(|| module.replaces.get(&(path, "")));
        add(replaced(path, replacement.copied(), version), line);
    }
    if let Some((toolchain, line)) = declared_toolchain(&module)
        && let Some(mut package) = standard_library(&toolchain)
    {
        package.scope = Scope::Build;
        add(package, line);
    }
}

/// The toolchain the module asks for: the `toolchain` line, else a `go` line that names a release (three parts, as
/// it has to since Go 1.21). A language version such as `1.20` names none.
fn declared_toolchain(module: &GoMod<'_>) -> Option<(String, u32)> {
    if let Some((name, line)) = module.toolchain.filter(|(name, _)| *name != "default") {
        return Some((name.to_owned(), line));
    }
    let (version, line) = module.language?;
    (version.split('.').count() == 3).then(|| (format!("go{version}"), line))
}

fn parse(text: &str) -> GoMod<'_> {
    let mut module = GoMod::default();
    let mut block = "";
    for (number, line) in (1_u32..).zip(text.lines()) {
        let line = line.split("//").next().unwrap_or_default();
        let mut words: Vec<&str> =
            line.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        match (block, words.as_slice()) {
            (_, []) => continue,
            ("", [directive, "("]) => {
                block = directive;
                continue;
            }
            (_, [")"]) => {
                block = "";
                continue;
            }
            _ => {}
        }
        let directive = if block.is_empty() { words.remove(0) } else { block };
        match (directive, words.as_slice()) {
            ("require", [path, version]) => module.requires.push((path, version, number)),
            ("replace", [path, "=>", target]) => _ = module.replaces.insert((path, ""), (target, "")),
            ("replace", [path, "=>", target, version]) => {
                _ = module.replaces.insert((path, ""), (target, version))
            }
            ("replace", [path, version, "=>", target]) => {
                _ = module.replaces.insert((path, version), (target, ""))
            }
            ("replace", [path, version, "=>", target, new]) => {
                module.replaces.insert((path, version), (target, new));
            }
            ("go", [version]) => module.language = Some((version, number)),
            ("toolchain", [name]) => module.toolchain = Some((name, number)),
            _ => {}
        }
    }
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, Option<u32>)> {
        let file = EvidenceFile { path: "src/go.mod", mode: 0o644, size: text.len() as u64 };
        let mut facts = Facts::default();
        catalogue(file, text.as_bytes(), &mut facts);
        facts.packages.into_iter().map(|p| (p.name, p.version, p.locations[0].start_line)).collect()
    }

    #[test]
    fn reads_requirements_after_replacement() {
        let text = "module example.org/app // the app\n\ngo 1.21.4\n\ntoolchain go1.22.1\n\n\
            require github.com/single/line v1.0.0\n\nrequire (\n\tgolang.org/x/net v0.17.0 // indirect\n\
            \tgithub.com/swapped/one v1.1.0\n\texample.org/local v0.0.0\n\t\"github.com/kept/two\" v2.0.0+incompatible\n)\n\
            exclude golang.org/x/net v0.16.0\n\
            replace (\n\tgithub.com/swapped/one v1.1.0 => github.com/fork/one v1.1.1\n\texample.org/local => ./local\n\
            \tgithub.com/kept/two v1.9.9 => github.com/never/used v1.0.0\n)\n\
            retract [v1.0.0, v1.9.9]\n";
        let expected = [
            ("github.com/single/line", "v1.0.0", 7),
            ("golang.org/x/net", "v0.17.0", 10),
            ("github.com/fork/one", "v1.1.1", 11),
            ("example.org/local", "", 12),
            ("github.com/kept/two", "v2.0.0+incompatible", 13),
            ("stdlib", "1.22.1", 5),
        ];
        let expected: Vec<_> = expected.map(|(n, v, l)| (n.to_owned(), v.to_owned(), Some(l))).into();
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_language_version_is_no_toolchain() {
        assert_eq!(read("module a\ngo 1.20\n"), []);
        assert_eq!(read("module a\ngo 1.23.2\n"), [("stdlib".to_owned(), "1.23.2".to_owned(), Some(2))]);
    }
}
