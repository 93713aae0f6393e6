//! `rebar.lock`: `{<<"name">>,{pkg,<<"name">>,<<"1.0.0">>},0}` or `{<<"name">>,{git,"url",{ref,"commit"}},0}`, then
//! the checksums by name.

use yagura_model::{Digest, Ecosystem};

use super::term::{Word, words};
use crate::catalogue::structured::declared;
use crate::catalogue::{EvidenceFile, Facts};
use crate::document;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    // `<<"a">>` is the text `a`; separators say nothing here.
    let mut words = words(&text, '%');
    words.retain(|(_, word)| !matches!(word, Word::Sign('<' | '>' | ',')));
    let start = facts.packages.len();
    let mut archive_checksums = false;
    for (at, (line, word)) in words.iter().enumerate() {
        match (word, words.get(at + 1..)) {
            (
                Word::Text(_),
                Some(
                    [
                        (_, Word::Sign('{')),
                        (_, Word::Atom("pkg")),
                        (_, Word::Text(name)),
                        (_, Word::Text(version)),
                        ..,
                    ],
                ),
            ) if !name.is_empty() && !version.is_empty() => {
                facts.packages.push(declared(file, Ecosystem::Hex, name, version, *line));
            }
            (
                Word::Text(name),
                Some(
                    [
                        (_, Word::Sign('{')),
                        (_, Word::Atom("git")),
                        (_, Word::Text(url)),
                        (_, Word::Sign('{')),
                        (_, Word::Atom(_)),
                        (_, Word::Text(commit)),
                        ..,
                    ],
                ),
            ) if !name.is_empty() && !commit.is_empty() => {
                let mut package = declared(file, Ecosystem::Hex, name, commit, *line);
                package.qualifiers.insert("vcs_url".to_owned(), format!("git+{url}@{commit}"));
                facts.packages.push(package);
            }
            // `pkg_hash_ext` is of the archive as served, `pkg_hash` of its content.
            (Word::Atom(atom), _) => {
                archive_checksums = match *atom {
                    "pkg_hash_ext" => true,
                    "pkg_hash" => false,
                    _ => archive_checksums,
                };
            }
            (Word::Text(name), Some([(_, Word::Text(hex)), ..])) if archive_checksums && hex.len() == 64 => {
                let known = facts.packages.get_mut(start..).unwrap_or_default();
                let digest = format!("sha256:{hex}").parse::<Digest>();
                if let (Some(package), Ok(digest)) =
                    (known.iter_mut().find(|known| known.name == *name), digest)
                {
                    package.digests.push(digest);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_repositories_and_checksums() {
        let hash = "AB".repeat(32);
        let text = format!(
            "{{\"1.2.0\",\n[{{<<\"certifi\">>,{{pkg,<<\"certifi\">>,<<\"2.5.1\">>}},1}},\n \
             {{<<\"lager\">>,\n  {{git,\"https://example.org/lager.git\",\n       {{ref,\"0123abc\"}}}},\n  0}}]}}.\n[\n\
             {{pkg_hash,[\n {{<<\"certifi\">>, <<\"{hash}\">>}}]}},\n{{pkg_hash_ext,[\n {{<<\"certifi\">>, <<\"{hash}\">>}}]}}\n].\n"
        );
        let mut facts = Facts::default();
        read(EvidenceFile { path: "rebar.lock", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        let found: Vec<_> = facts
            .packages
            .iter()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.locations[0].start_line, p.digests.len()))
            .collect();
        assert_eq!(found, [("certifi", "2.5.1", Some(2), 1), ("lager", "0123abc", Some(3), 0)]);
    }
}
