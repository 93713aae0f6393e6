//! `mix.lock`: one line a dependency, `"name": {:hex, :name, "1.0.0", checksum, managers, [wishes], repo, checksum}`
//! or `"name": {:git, url, commit, options}`.

use yagura_model::{Digest, Ecosystem};

use super::term::{Word, words};
use crate::catalogue::structured::{declared, depend, dependency, resolve_dependencies};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let words = words(&text, '#');
    let start = facts.packages.len();
    // An entry is a text, a colon and a tuple one level below the map.
    let mut depth = 0_u32;
    for (at, (line, word)) in words.iter().enumerate() {
        match word {
            Word::Sign('{' | '[') => depth = depth.saturating_add(1),
            Word::Sign('}' | ']') => depth = depth.saturating_sub(1),
            Word::Text(key) if depth == 1 => {
                if let Some([(_, Word::Sign(':')), (_, Word::Sign('{')), rest @ ..]) = words.get(at + 1..) {
                    entry(file, key, *line, tuple(rest), facts);
                }
            }
            _ => {}
        }
    }
    resolve_dependencies(facts.packages.get_mut(start..).unwrap_or_default());
}

/// The words up to the end of the tuple that has just been opened.
fn tuple<'w, 'a>(words: &'w [(u32, Word<'a>)]) -> &'w [(u32, Word<'a>)] {
    let mut depth = 1_u32;
    let end = words.iter().position(|(_, word)| {
        match word {
            Word::Sign('{' | '[') => depth = depth.saturating_add(1),
            Word::Sign('}' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    words.get(..end.unwrap_or(words.len())).unwrap_or_default()
}

fn entry(file: EvidenceFile<'_>, key: &str, line: u32, tuple: &[(u32, Word<'_>)], facts: &mut Facts) {
    let kind =
        tuple.iter().find_map(|(_, word)| if let Word::Atom(kind) = word { Some(*kind) } else { None });
    let texts: Vec<&str> = tuple
        .iter()
        .filter_map(|(_, word)| if let Word::Text(text) = word { Some(*text) } else { None })
        .collect();
    match (kind, texts.as_slice()) {
        (Some("hex"), [version, ..]) => {
            // The second atom is the package's name; the key is the application's.
            let atoms: Vec<&str> = tuple
                .iter()
                .filter_map(|(_, word)| if let Word::Atom(atom) = word { Some(*atom) } else { None })
                .collect();
            let name = atoms.get(1).copied().unwrap_or(key);
            if name.is_empty() || version.is_empty() {
                return;
            }
            let mut package = declared(file, Ecosystem::Hex, name, version, line);
            // The last text is the checksum of the archive as the registry serves it.
            let outer = texts.last().filter(|text| text.len() == 64);
            package.digests.extend(outer.and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok()));
            for window in tuple.windows(3) {
                if let [(_, Word::Sign('{')), (_, Word::Sign(':')), (_, Word::Atom(name))] = window {
                    depend(&mut package, dependency(*name, None));
                }
            }
            facts.packages.push(package);
        }
        (Some("git"), [url, commit, ..]) if !key.is_empty() && !commit.is_empty() => {
            let mut package = declared(file, Ecosystem::Hex, key, commit, line);
            package.qualifiers.insert("vcs_url".to_owned(), format!("git+{url}@{commit}"));
            facts.packages.push(package);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_and_git_entries() {
        let hash = "ab".repeat(32);
        let text = format!(
            "%{{\n  \"plug\": {{:hex, :plug, \"1.11.0\", \"{hash}\", [:mix], [{{:mime, \"~> 1.0\", [hex: :mime, repo: \"hexpm\", optional: false]}}], \"hexpm\", \"{hash}\"}},\n  \
             \"app\": {{:hex, :mime, \"1.6.0\", \"{hash}\", [:mix], [], \"hexpm\", \"{hash}\"}},\n  \
             \"repo\": {{:git, \"https://example.org/r.git\", \"0123abc\", [branch: \"main\"]}},\n}}\n"
        );
        let mut facts = Facts::default();
        read(EvidenceFile { path: "mix.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (format!("{}@{}", p.name, p.version), p.locations[0].start_line, p.digests.len()))
            .collect();
        assert_eq!(
            found,
            [
                ("plug@1.11.0".into(), Some(2), 1),
                ("mime@1.6.0".into(), Some(3), 1),
                ("repo@0123abc".into(), Some(4), 0),
            ]
        );
        assert_eq!(facts.packages[2].qualifiers["vcs_url"], "git+https://example.org/r.git@0123abc");
        assert_eq!(facts.packages[0].dependencies, [dependency("mime", Some("1.6.0"))]);
    }
}
