//! `ebin/<name>.app`: the resource file of an installed application, `{application, name, [{vsn, "1.0"}, …]}`. Both
//! OTP's own applications and the dependencies of a release have one.

use yagura_model::{Ecosystem, Package};

use super::term::{Word, words};
use crate::catalogue::structured::{depend, dependency};
use crate::catalogue::{EvidenceFile, Facts};
use crate::document;

pub(super) fn read(_: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let text = document::decode(bytes);
    let words: Vec<Word<'_>> = words(&text, '%').into_iter().map(|(_, word)| word).collect();
    let Some(name) = words.windows(3).find_map(|window| match window {
        [Word::Atom("application"), Word::Sign(','), Word::Atom(name)] => Some(*name),
        _ => None,
    }) else {
        return;
    };
    let Some(version) = words.windows(3).find_map(|window| match window {
        [Word::Atom("vsn"), Word::Sign(','), Word::Text(version)] => Some(*version),
        _ => None,
    }) else {
        return;
    };
    if name.is_empty() || version.is_empty() {
        return;
    }
    let mut package = Package::new(Ecosystem::Otp, name, version);
    let wishes = words.iter().position(|word| *word == Word::Atom("applications"));
    for word in wishes.and_then(|at| words.get(at + 1..)).unwrap_or_default() {
        match word {
            Word::Atom(name) => depend(&mut package, dependency(*name, None)),
            Word::Sign(']') => break,
            _ => {}
        }
    }
    facts.packages.push(package);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_has_a_version() {
        let mut facts = Facts::default();
        let text = "%% generated\n{application,plug,\n  [{description,\"A, b\"},\n   {vsn,\"1.11.0\"},\n   \
                    {applications,[kernel,stdlib,mime]},\n   {mod,{'Elixir.Plug',[]}}]}.\n";
        read(EvidenceFile { path: "lib/plug/ebin/plug.app", mode: 0, size: 0 }, text.as_bytes(), &mut facts);
        assert_eq!(facts.packages[0].purl().unwrap().as_str(), "pkg:otp/plug@1.11.0");
        assert_eq!(facts.packages[0].dependencies.len(), 3);
    }
}
