//! Arch packages: pacman's local database, `var/lib/pacman/local/NAME-VERSION-RELEASE/{desc,files}`.
//!
//! Format: `%FIELD%` on a line, its values on the lines below, a blank line (libalpm's local database, version 9).

use std::io::Read;

use yagura_model::package::{Dependency, SourcePackage};
use yagura_model::{Ecosystem, Package, SkipReason};

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select, license, ownership};

const LOCAL: &str = "var/lib/pacman/local";

/// Largest of these files, in bytes.
const MAX_BYTES: u64 = 32 << 20;

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "pacman",
        selects: &[Select::Name("desc")],
        max_bytes: MAX_BYTES,
        reads: Reads::Stream(description),
    },
    Cataloguer {
        name: "pacman-files",
        selects: &[Select::Name("files")],
        max_bytes: MAX_BYTES,
        reads: Reads::Stream(files),
    },
];

/// The package's directory name when the file lies where pacman keeps it.
fn entry<'a>(file: &EvidenceFile<'a>) -> Option<&'a str> {
    let (directory, _) = file.path.rsplit_once('/')?;
    let (parent, entry) = directory.rsplit_once('/')?;
    let is_local = parent.strip_suffix(LOCAL).is_some_and(|root| root.is_empty() || root.ends_with('/'));
    is_local.then_some(entry)
}

/// The whole file within its bound. Both names are common ones: only those that pacman wrote are read at all.
fn text(file: &EvidenceFile<'_>, reader: &mut dyn Read, facts: &mut Facts) -> Option<String> {
    let mut bytes = Vec::new();
    if let Err(error) = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
        facts.skip(file.path, SkipReason::Truncated, error.to_string());
        return None;
    }
    if bytes.len() as u64 > MAX_BYTES {
        facts.skip(file.path, SkipReason::TooLarge, format!("over {MAX_BYTES} bytes"));
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Each `%FIELD%` with its values.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut field = "";
    text.lines().filter_map(move |line| {
        let line = line.trim_end();
        if let Some(name) = line.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')) {
            field = name;
            return None;
        }
        (!line.is_empty()).then_some((field, line))
    })
}

fn description(file: EvidenceFile<'_>, reader: &mut dyn Read, facts: &mut Facts) {
    if entry(&file).is_none() {
        return;
    }
    let Some(text) = text(&file, reader, facts) else { return };
    let mut package = Package::new(Ecosystem::Alpm, "", "");
    let mut base = "";
    let mut licenses = Vec::new();
    for (field, value) in fields(&text) {
        match field {
            "NAME" => package.name = value.to_owned(),
            "VERSION" => package.version = value.strip_prefix("0:").unwrap_or(value).to_owned(),
            "BASE" => base = value,
            "ARCH" => package.architecture = value.to_owned(),
            "PACKAGER" => package.supplier = value.to_owned(),
            "LICENSE" => licenses.push(value),
            "DEPENDS" => {
                package.dependencies.push(Dependency { name: name(value).to_owned(), version: None });
            }
            "PROVIDES" => package.provides.push(name(value).to_owned()),
            _ => {}
        }
    }
    if package.name.is_empty() || package.version.is_empty() {
        facts.skip(file.path, SkipReason::Malformed, "no %NAME% or %VERSION%");
        return;
    }
    let base = if base.is_empty() { &package.name } else { base };
    package.source = Some(SourcePackage { name: base.to_owned(), version: package.version.clone() });
    package.licenses = license::normalise_all(licenses);
    facts.packages.push(package);
}

/// `libfoo.so=1-64`, `glibc>=2.38` without the version.
fn name(relation: &str) -> &str {
    relation.split(['=', '<', '>']).next().unwrap_or_default()
}

fn files(file: EvidenceFile<'_>, reader: &mut dyn Read, facts: &mut Facts) {
    // `name-version-release`: neither version nor release has a dash.
    let Some(package) = entry(&file).and_then(|entry| entry.rsplitn(3, '-').nth(2)) else { return };
    let Some(text) = text(&file, reader, facts) else { return };
    let paths = fields(&text).filter(|(field, _)| *field == "FILES").map(|(_, path)| path.as_bytes());
    facts.ownership.push(ownership::of(Ecosystem::Alpm, package, paths));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::PathKey;

    fn read(function: fn(EvidenceFile<'_>, &mut dyn Read, &mut Facts), path: &str, text: &str) -> Facts {
        let mut facts = Facts::default();
        let file = EvidenceFile { path, mode: 0o644, size: text.len() as u64 };
        function(file, &mut text.as_bytes(), &mut facts);
        facts
    }

    const DESC: &str = "%NAME%\nlib32-openssl\n\n%VERSION%\n1:3.2.1-1\n\n%BASE%\nopenssl\n\n%ARCH%\nx86_64\n\n\
                        %PACKAGER%\nA <a@archlinux.org>\n\n%LICENSE%\nApache-2.0\ncustom:BSD\n\n\
                        %DEPENDS%\nglibc>=2.38\nlibcrypto.so=3-32\n\n%PROVIDES%\nlibssl.so=3-32\n\n";

    #[test]
    fn description_of_a_package() {
        let facts = read(description, "var/lib/pacman/local/lib32-openssl-1:3.2.1-1/desc", DESC);
        let package = &facts.packages[0];
        assert_eq!((package.name.as_str(), package.version.as_str()), ("lib32-openssl", "1:3.2.1-1"));
        assert_eq!(package.source.as_ref().unwrap().name, "openssl");
        assert_eq!(package.licenses, ["Apache-2.0", "custom:BSD"]);
        let wanted: Vec<_> = package.dependencies.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(wanted, ["glibc", "libcrypto.so"]);
        assert_eq!(package.provides, ["libssl.so"]);
    }

    #[test]
    fn files_of_a_package() {
        let text = "%FILES%\nusr/\nusr/bin/openssl\n\n%BACKUP%\netc/ssl/openssl.cnf\t123\n";
        let facts = read(files, "var/lib/pacman/local/lib32-openssl-1:3.2.1-1/files", text);
        assert_eq!(facts.ownership[0].package, "lib32-openssl");
        assert_eq!(facts.ownership[0].files, [PathKey::of(b"usr"), PathKey::of(b"usr/bin/openssl")]);
    }

    #[test]
    fn other_files_of_these_names_are_left_alone() {
        assert_eq!(read(description, "srv/docs/desc", DESC), Facts::default());
        assert_eq!(read(files, "xvar/lib/pacman/local/a-1-1/files", DESC), Facts::default());
        let cut = read(description, "var/lib/pacman/local/a-1-1/desc", "%NAME%\na\n");
        assert_eq!(cut.skipped[0].reason, SkipReason::Malformed);
    }
}
