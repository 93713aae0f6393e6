//! `Gemfile.lock` of Bundler: sections of indented lines. Gems under `PATH` are the project's own.

use std::collections::HashMap;

use yagura_model::{Digest, Ecosystem};

use crate::catalogue::structured::{declared, depend, dependency, resolve_dependencies};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let start = facts.packages.len();
    let (mut section, mut remote, mut revision) = ("", "", "");
    // A gem is locked once for each platform; it is one package all the same.
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    let mut current = None;
    for (number, line) in (1_u32..).zip(text.lines()) {
        let indent = line.len() - line.trim_start().len();
        let content = line.trim();
        match (indent, section) {
            _ if content.is_empty() => {}
            (0, _) => (section, remote, revision, current) = (content, "", "", None),
            (2, "GIT" | "GEM" | "PLUGIN SOURCE") => {
                remote = content.strip_prefix("remote: ").unwrap_or(remote);
                revision = content.strip_prefix("revision: ").unwrap_or(revision);
            }
            (2, "CHECKSUMS") => {
                let Some((gem, checksum)) = content.split_once(") sha256=") else { continue };
                let Some((name, version, _)) = name_and_version(&format!("{gem})")) else { continue };
                let package = places.get(&(name, version)).and_then(|index| facts.packages.get_mut(*index));
                if let (Some(package), Ok(digest)) = (package, format!("sha256:{checksum}").parse::<Digest>())
                {
                    package.digests.push(digest);
                }
            }
            (4, "GIT" | "GEM" | "PLUGIN SOURCE") => {
                let Some((name, version, platform)) = name_and_version(content) else { continue };
                let known = places.get(&(name.clone(), version.clone())).copied();
                current = Some(known.unwrap_or(facts.packages.len()));
                if let Some(known) = known {
                    if let Some(package) = facts.packages.get_mut(known) {
                        package.qualifiers.remove("platform");
                    }
                    continue;
                }
                let mut package = declared(file, Ecosystem::Gem, &name, &version, number);
                if let Some(platform) = platform {
                    package.qualifiers.insert("platform".to_owned(), platform);
                }
                if section == "GIT" {
                    package.qualifiers.insert("vcs_url".to_owned(), format!("git+{remote}@{revision}"));
                }
                places.insert((name, version), facts.packages.len());
                facts.packages.push(package);
            }
            (6, "GIT" | "GEM" | "PLUGIN SOURCE") => {
                let name = content.split(' ').next().unwrap_or(content).trim_end_matches('!');
                if let Some(package) = current.and_then(|index: usize| facts.packages.get_mut(index)) {
                    depend(package, dependency(name, None));
                }
            }
            _ => {}
        }
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// `name (1.2.3-x86_64-linux)` as name, version and platform. A version has no `-` in Ruby.
fn name_and_version(content: &str) -> Option<(String, String, Option<String>)> {
    let (name, rest) = content.split_once(" (")?;
    let full = rest.strip_suffix(')')?;
    let (version, platform) = match full.split_once('-') {
        Some((version, platform)) => (version, Some(platform.to_owned())),
        None => (full, None),
    };
    let valid = !name.is_empty() && version.starts_with(|c: char| c.is_ascii_digit());
    valid.then(|| (name.to_owned(), version.to_owned(), platform))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gems_of_every_source() {
        let hash = "ab".repeat(32);
        let text = format!(
            "GIT\n  remote: https://example.org/rack.git\n  revision: 0123abc\n  branch: main\n  specs:\n    rack (3.1.0)\n\n\
             PATH\n  remote: .\n  specs:\n    own (0.1.0)\n      rack\n\n\
             GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.15.4)\n      racc (~> 1.4)\n    \
             nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    racc (1.7.1)\n    sass (1.0-java)\n\n\
             PLATFORMS\n  ruby\n  x86_64-linux\n\nDEPENDENCIES\n  nokogiri\n  own!\n\nCHECKSUMS\n  \
             nokogiri (1.15.4-x86_64-linux) sha256={hash}\n\nBUNDLED WITH\n   2.4.10\n"
        );
        let mut facts = Facts::default();
        read(EvidenceFile { path: "Gemfile.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (format!("{}@{}", p.name, p.version), p.locations[0].start_line, p.digests.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("rack@3.1.0".into(), Some(6), 0),
                ("nokogiri@1.15.4".into(), Some(17), 1),
                ("racc@1.7.1".into(), Some(21), 0),
                ("sass@1.0".into(), Some(22), 0),
            ]
        );
        assert_eq!(facts.packages[0].qualifiers["vcs_url"], "git+https://example.org/rack.git@0123abc");
        assert_eq!(facts.packages[1].qualifiers.len(), 0, "locked for more than one platform");
        assert_eq!(facts.packages[3].qualifiers["platform"], "java");
        assert_eq!(facts.packages[1].dependencies, [dependency("racc", Some("1.7.1"))]);
    }
}
