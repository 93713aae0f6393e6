//! Files of installed distributions: `RECORD` of a wheel (PEP 376, PEP 427) and `installed-files.txt` of an egg.

use yagura_model::Ecosystem;

use super::normalise_name;
use crate::catalogue::{EvidenceFile, Facts, Ownership, path};
use crate::document;
use crate::layer::PathKey;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let information = path::parent(file.path);
    let directory = path::name(information);
    let stem = match file.name() {
        "RECORD" => directory.strip_suffix(".dist-info"),
        _ => directory.strip_suffix(".egg-info"),
    };
    let Some(package) = stem.map(|stem| normalise_name(stem.split('-').next().unwrap_or(stem))) else {
        return;
    };
    // A wheel names files as seen from site-packages, an egg as seen from its own directory.
    let base = if file.name() == "RECORD" { path::parent(information) } else { information };
    let text = document::decode(bytes);
    let mut files = Vec::new();
    for line in text.lines() {
        let Some(installed) = path::join(base, &first_field(line)) else { continue };
        // The package's own metadata proves it; owning that would make every package its own owner.
        let own = installed.strip_prefix(information).is_some_and(|rest| rest.starts_with('/'));
        if !installed.is_empty() && !own {
            files.push(PathKey::of(installed.as_bytes()));
        }
    }
    if !files.is_empty() {
        facts.ownership.push(Ownership { ecosystem: Ecosystem::Pypi, package, files });
    }
}

/// The first field of a line of comma-separated values.
fn first_field(line: &str) -> String {
    let Some(quoted) = line.strip_prefix('"') else {
        return line.split(',').next().unwrap_or_default().to_owned();
    };
    let mut field = String::new();
    let mut characters = quoted.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '"' && characters.next_if_eq(&'"').is_none() {
            break;
        }
        field.push(character);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_owns_all_but_its_own_metadata() {
        let mut facts = Facts::default();
        let path = "opt/venv/lib/python3.11/site-packages/set_tools-1.0.dist-info/RECORD";
        read(
            EvidenceFile { path, mode: 0o644, size: 0 },
            b"../../../bin/st,sha256=x,1\nset_tools/_vendor/a-1.dist-info/METADATA,,\n\"odd,\"\"name\"\".py\",,\n\
              set_tools-1.0.dist-info/METADATA,,\n../../../../../../../etc/passwd,,\n",
            &mut facts,
        );
        let owned = &facts.ownership[0];
        assert_eq!(owned.package, "set-tools");
        let site = "opt/venv/lib/python3.11/site-packages";
        let expected = [
            "opt/venv/bin/st".to_owned(),
            format!("{site}/set_tools/_vendor/a-1.dist-info/METADATA"),
            format!("{site}/odd,\"name\".py"),
        ];
        assert_eq!(owned.files, expected.map(|path| PathKey::of(path.as_bytes())));
    }

    #[test]
    fn other_files_of_that_name_are_left_alone() {
        let mut facts = Facts::default();
        read(EvidenceFile { path: "var/RECORD", mode: 0o644, size: 0 }, b"a,,\n", &mut facts);
        assert_eq!(facts, Facts::default());
    }
}
