//! `usr/share/doc/PACKAGE/copyright`: Debian's machine-readable form (copyright-format 1.0, "DEP-5"), and the free
//! form, which names common licences by their path or quotes them.

use yagura_model::Ecosystem;

use super::super::license::{self, MAX_LICENSES};
use super::super::stanza::{Stanza, stanzas};
use super::super::{EvidenceFile, Facts, PackageLicenses};

/// Largest copyright file, in bytes; Boost's has 2 MB.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// Most different wordings of licences in one file.
const MAX_SYNOPSES: usize = 4096;

/// A licence without an SPDX identifier may be called by so many words; more are a remark on the licence.
const MAX_NAME_WORDS: usize = 8;

const COMMON_LICENSES: &str = "/usr/share/common-licenses/";

/// How far before the path of a common licence its "or any later version" may stand, in bytes.
const GRANT_WINDOW: usize = 900;

pub(super) fn read(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    let Some(package) = package_of(file.directory()) else { return };
    let text = String::from_utf8_lossy(bytes);
    let mut licenses = if is_machine_readable(&text) { stated(&text) } else { Vec::new() };
    if licenses.is_empty() {
        licenses = in_free_form(&text);
    }
    if !licenses.is_empty() {
        let package = package.to_owned();
        facts.licenses.push(PackageLicenses { ecosystem: Ecosystem::Deb, package, licenses });
    }
}

/// `…/usr/share/doc/NAME`.
fn package_of(directory: &str) -> Option<&str> {
    let (parent, name) = directory.rsplit_once('/')?;
    (parent == "usr/share/doc" || parent.ends_with("/usr/share/doc")).then_some(name)
}

fn is_machine_readable(text: &str) -> bool {
    let first = stanzas(text).next();
    let format = first.and_then(|s| {
        s.fields().take(4).find(|(name, _)| {
            name.eq_ignore_ascii_case("Format") || name.eq_ignore_ascii_case("Format-Specification")
        })
    });
    format.is_some_and(|(_, value)| {
        let value = value.to_ascii_lowercase();
        value.contains("copyright-format") || value.contains("dep5") || value.contains("dep-5")
    })
}

/// The `License` fields: each synopsis once.
fn stated(text: &str) -> Vec<String> {
    let mut synopses: Vec<&str> = Vec::new();
    let mut licenses: Vec<String> = Vec::new();
    for (name, value) in stanzas(text).flat_map(|stanza: Stanza<'_>| stanza.fields()) {
        if !name.eq_ignore_ascii_case("License") {
            continue;
        }
        let synopsis = value.lines().next().unwrap_or_default().trim();
        if synopsis.is_empty() || synopses.contains(&synopsis) {
            continue;
        }
        if licenses.len() >= MAX_LICENSES || synopses.len() >= MAX_SYNOPSES {
            break;
        }
        synopses.push(synopsis);
        let license = license::normalise(synopsis);
        let is_prose =
            license.split(' ').count() > MAX_NAME_WORDS && license::to_expression(&license).is_none();
        if !is_prose && !license.is_empty() && !licenses.contains(&license) {
            licenses.push(license);
        }
    }
    licenses
}

fn in_free_form(text: &str) -> Vec<String> {
    let mut licenses: Vec<String> = Vec::new();
    let mut add = |license: String| {
        if licenses.len() < MAX_LICENSES && !licenses.contains(&license) {
            licenses.push(license);
        }
    };
    for line in text.lines() {
        if let Some(statement) = line.trim_start().strip_prefix("License:")
            && let Some(expression) = license::to_expression(statement)
        {
            add(expression);
        }
    }
    for expression in common_licenses(text) {
        add(expression);
    }
    for expression in license::of_text(text) {
        add(expression);
    }
    if licenses.is_empty() && text.contains("in the public domain") {
        licenses.push("public-domain".to_owned());
    }
    // A licence that is given "or later" is not also given "only": the latter was read off a bare path or title.
    let later: Vec<String> = licenses
        .iter()
        .filter_map(|id| id.strip_suffix("-or-later"))
        .map(|base| format!("{base}-only"))
        .collect();
    licenses.retain(|id| !later.contains(id));
    licenses
}

/// The licences whose copies in base-files the text points to.
fn common_licenses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(text.as_bytes(), COMMON_LICENSES.as_bytes()) {
        let rest = text.get(at + COMMON_LICENSES.len()..).unwrap_or_default();
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default().trim_end_matches('.');
        let before =
            text.get(text.floor_char_boundary(at.saturating_sub(GRANT_WINDOW))..at).unwrap_or_default();
        let before = before.rsplit(COMMON_LICENSES).next().unwrap_or_default();
        if let Some(id) = common_license(name, before) {
            found.push(id);
        }
    }
    found
}

fn common_license(name: &str, before: &str) -> Option<String> {
    match name {
        "BSD" => Some("BSD-3-Clause".to_owned()),
        // These are links to the newest version; the text before says which one is meant.
        "GPL" | "LGPL" | "GFDL" => None,
        _ => {
            let words: Vec<&str> = before.split_whitespace().collect();
            let before = words.join(" ").to_ascii_lowercase();
            let later =
                ["any later version", "or later", "or newer"].iter().any(|phrase| before.contains(phrase));
            let gnu = ["GPL", "LGPL", "GFDL", "AGPL"].iter().any(|family| name.starts_with(family));
            let name = if gnu && later { format!("{name}+") } else { name.to_owned() };
            license::to_expression(&name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licenses(path: &str, text: &str) -> Vec<String> {
        let mut facts = Facts::default();
        read(EvidenceFile { path, mode: 0o644, size: text.len() as u64 }, text.as_bytes(), &mut facts);
        facts.licenses.into_iter().flat_map(|l| l.licenses).collect()
    }

    #[test]
    fn machine_readable() {
        let text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
                    Upstream-Name: x\n\nFiles: *\nCopyright: 2020 A\nLicense: GPL-2+ or Artistic\n\n\
                    Files: debian/*\nCopyright: B\nLicense: Expat\n\nLicense: Expat\n Permission is\n .\n granted\n\n\
                    License: BSD-variant\n Something else\n\n\
                    License: Different licenses apply to different files in this package. Here\n is a list\n";
        assert_eq!(
            licenses("usr/share/doc/x/copyright", text),
            ["GPL-2.0-or-later OR Artistic-1.0-Perl", "MIT", "BSD-variant"]
        );
    }

    #[test]
    fn free_form() {
        let text = "This package was debianized by A.\n\nLicense:\n\n    This program is free software under the GNU\n    \
                    General Public License as published by the Free Software Foundation; either version 2\n    of the \
                    License, or (at your option) any later version.\n\nSee `/usr/share/common-licenses/GPL-2'. The \
                    manual is under\n/usr/share/common-licenses/Apache-2.0.\n";
        assert_eq!(licenses("usr/share/doc/y/copyright", text), ["GPL-2.0-or-later", "Apache-2.0"]);
        assert_eq!(licenses("usr/share/doc/y/copyright", "License: MIT\n"), ["MIT"]);
        assert_eq!(
            licenses("usr/share/doc/y/copyright", "Copyright: This database is in the public domain.\n"),
            ["public-domain"]
        );
        assert_eq!(licenses("usr/share/doc/y/copyright", "All rights reserved"), Vec::<String>::new());
    }

    #[test]
    fn only_the_documentation_directory_counts() {
        assert_eq!(licenses("srv/app/copyright", "License: MIT\n"), Vec::<String>::new());
        assert_eq!(licenses("rootfs/usr/share/doc/z/copyright", "License: MIT\n"), ["MIT"]);
    }
}
