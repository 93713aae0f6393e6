//! Well-known programs that no package manager installed, by their own version strings.
//!
//! What is recognised is data ([`table`]); this module only matches it: files by name, versions by one pass of
//! regular expressions over the windows of a file that is being read anyway. Whether such a program is reported
//! beside an OS package that owns its file is for the merge to decide.

mod table;

use std::sync::{LazyLock, OnceLock};

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};
use yagura_model::{Ecosystem, Location, Package};

use self::table::{EXECUTABLES, Program, TEXTS};
use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};

pub(super) const FOUND_BY: &str = "program";

/// Archives of scripts (`composer.phar`, `wp`) have up to 8 MB.
const MAX_TEXT: u64 = 16 << 20;

pub(super) const CATALOGUERS: &[Cataloguer] = &[Cataloguer {
    name: FOUND_BY,
    selects: &[
        Select::Name("VERSION"),
        Select::Name("OTP_VERSION"),
        Select::Name("elixir"),
        Select::Path("elixir/ebin/elixir.app"),
        Select::Path("wp-includes/version.php"),
        Select::Name("wp"),
        Select::Name("composer"),
        Select::Name("composer.phar"),
        Select::Path("Composer/Composer.php"),
        Select::Name("application.ini"),
    ],
    max_bytes: MAX_TEXT,
    reads: Reads::Whole(catalogue),
}];

/// The expressions of each row, compiled when a file first fits it.
static COMPILED: LazyLock<Vec<OnceLock<Vec<Regex>>>> =
    LazyLock::new(|| EXECUTABLES.iter().map(|_| OnceLock::new()).collect());

fn compiled(row: usize) -> &'static [Regex] {
    let Some((cell, program)) = COMPILED.get(row).zip(EXECUTABLES.get(row)) else { return &[] };
    cell.get_or_init(|| program.versions.iter().filter_map(|pattern| compile(pattern).ok()).collect())
}

/// Over bytes: versions stand among zeros and machine code.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).dot_matches_new_line(true).build()
}

/// Looks for one file's version while the file passes by.
pub(super) struct Search<'a> {
    path: &'a str,
    rows: Vec<Candidate>,
}

/// A row that fits the file's name, and what it has found.
struct Candidate {
    row: usize,
    program: &'static Program,
    /// Index of the expression and the version; lower indices are better.
    found: Option<(usize, String)>,
    /// Whether what the row also needs was seen.
    complete: bool,
}

impl<'a> Search<'a> {
    /// `None` when no program is filed under this name, which is the common case.
    pub(super) fn for_file(file: EvidenceFile<'a>) -> Option<Self> {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let rows: Vec<Candidate> = EXECUTABLES
            .iter()
            .enumerate()
            .filter(|(_, program)| {
                program.files.iter().any(|pattern| fits(pattern.as_bytes(), name.as_bytes()))
            })
            .map(|(row, program)| Candidate { row, program, found: None, complete: program.needs.is_none() })
            .collect();
        (!rows.is_empty()).then_some(Self { path: file.path, rows })
    }

    /// Takes in the next window.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        let prefix = number_in(self.path.rsplit('/').next().unwrap_or_default());
        for candidate in &mut self.rows {
            if !candidate.complete {
                let needs = candidate.program.needs.unwrap_or_default();
                candidate.complete = memmem::find(bytes, needs.as_bytes()).is_some();
            }
            let best = candidate.found.as_ref().map_or(usize::MAX, |(index, _)| *index);
            for (index, pattern) in
                compiled(candidate.row).iter().enumerate().take_while(|(index, _)| *index < best)
            {
                let version = pattern
                    .captures_iter(bytes)
                    .filter_map(|found| found.get(1))
                    .filter_map(|version| std::str::from_utf8(version.as_bytes()).ok())
                    .find(|version| !candidate.program.named || continues(prefix, version));
                if let Some(version) = version {
                    candidate.found = Some((index, version.to_owned()));
                    break;
                }
            }
        }
    }

    /// The program the file is.
    pub(super) fn finish(self) -> Option<Package> {
        let path = self.path;
        let candidate =
            self.rows.into_iter().find(|candidate| candidate.complete && candidate.found.is_some())?;
        let (_, version) = candidate.found?;
        Some(package(candidate.program.ecosystem, candidate.program.package, version, path))
    }
}

pub(super) fn package(ecosystem: Ecosystem, name: &str, version: String, path: &str) -> Package {
    let mut package = Package::new(ecosystem, name, version);
    package.found_by = FOUND_BY.into();
    package.locations = vec![Location::file(path)];
    package
}

/// Text files.
fn catalogue(file: EvidenceFile<'_>, bytes: &[u8], facts: &mut Facts) {
    for program in TEXTS {
        let fits =
            file.path.strip_suffix(program.path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        if !fits {
            continue;
        }
        let version = compile(program.version)
            .ok()
            .and_then(|pattern| pattern.captures(bytes)?.get(1))
            .and_then(|version| std::str::from_utf8(version.as_bytes()).ok());
        if let Some(version) = version {
            facts.packages.push(package(Ecosystem::Generic, program.package, version.to_owned(), file.path));
            return;
        }
    }
}

/// Whether a file name fits a pattern of the table.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            (0..=name.len()).any(|at| name.get(at..).is_some_and(|tail| fits(rest, tail)))
        }
        ([b'#', rest @ ..], [digit, tail @ ..]) => digit.is_ascii_digit() && fits(rest, tail),
        ([b'?', rest @ ..], [_, tail @ ..]) => fits(rest, tail),
        ([literal, rest @ ..], [byte, tail @ ..]) => literal == byte && fits(rest, tail),
        _ => false,
    }
}

/// The first number with dots in a name: `3.11` of `libpython3.11.so.1.0`.
fn number_in(name: &str) -> &str {
    let start = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
    let rest = name.get(start..).unwrap_or_default();
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().trim_end_matches('.')
}

fn continues(prefix: &str, version: &str) -> bool {
    prefix.is_empty()
        || version.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_has_a_version() {
        for pattern in EXECUTABLES.iter().flat_map(|program| program.versions) {
            assert!(compile(pattern).is_ok_and(|regex| regex.captures_len() == 2), "{pattern}");
        }
        for program in TEXTS {
            assert!(
                compile(program.version).is_ok_and(|regex| regex.captures_len() == 2),
                "{}",
                program.version
            );
            let selected = CATALOGUERS[0].selects.iter().any(|select| match select {
                Select::Name(name) | Select::Path(name) => *name == program.path,
                _ => false,
            });
            assert!(selected, "{} is never read", program.path);
        }
    }

    fn version_of(path: &str, content: &[u8]) -> Option<String> {
        let file = EvidenceFile { path, mode: 0o755, size: content.len() as u64 };
        let mut search = Search::for_file(file)?;
        for window in content.chunks(4096) {
            search.look(window);
        }
        search.finish().and_then(|package| package.purl()).map(|purl| purl.to_string())
    }

    /// Bytes as real builds have them around their versions.
    #[test]
    fn reads_versions_where_programs_keep_them() {
        for (path, content, expected) in [
            ("usr/bin/python3.11", &b"\x003.9.1\x00ab\x003.11.2\x00"[..], Some("pkg:generic/python@3.11.2")),
            ("usr/lib/libpython3.11.so.1.0", b"\x003.11.2+\x00", Some("pkg:generic/python@3.11.2%2B")),
            ("usr/lib/libpython3.so", b"\x001.0.0\x00", None),
            ("usr/local/bin/node", b"https://nodejs.org/download/release/v18.20.4/node-v18.20.4.tar.gz\0", Some("pkg:generic/node@18.20.4")),
            ("usr/sbin/nginx", b"\0nginx version: nginx/1.22.1\0", Some("pkg:generic/nginx@1.22.1")),
            ("usr/sbin/nginx", b"\0nginx version: openresty/1.21.4.1\0", Some("pkg:generic/nginx@1.21.4")),
            ("usr/local/bin/redis-server", b"\xdfA7.0.151790282056000000000\0%llx", Some("pkg:generic/redis@7.0.15")),
            ("usr/local/bin/redis-server", b"\0 7.0.14buildkitsandbox-1702957741000000000\0", Some("pkg:generic/redis@7.0.14")),
            ("usr/local/bin/redis-server", b"\0\xff4.0.11841ce7054bd9-1542359302000000000\0", Some("pkg:generic/redis@4.0.11")),
            ("usr/local/bin/valkey-server", b"\0 9.0.0buildkitsandbox-1764887574000000000\0", Some("pkg:generic/valkey@9.0.0")),
            ("usr/bin/openssl", b"\0OpenSSL 3.0.22 25 Aug 2026\0", Some("pkg:generic/openssl@3.0.22")),
            ("usr/lib/libcrypto.so.1.1", b"\0OpenSSL 1.1.1w  11 Sep 2023\0", Some("pkg:generic/openssl@1.1.1w")),
            ("usr/lib/libcrypto.so.10", b"OpenSSL 1.0.2k-fips  26 Jan 2017\0", Some("pkg:generic/openssl@1.0.2k")),
            ("usr/bin/openssl", b"\0OpenSSL 1.1.1 (compatible; AWS-LC 1.69.0)\0", Some("pkg:generic/aws-lc@1.69.0")),
            ("usr/bin/mysql", b"\x0010.11.19-MariaDB\0 \0MARIADB_UNIX_PORT\x0010.11.19\0mysql_native_password\0", Some("pkg:generic/mariadb@10.11.19")),
            ("usr/bin/mysql", b"shutdown\x008.0.37\0\0\0\0mysql_real_escape", Some("pkg:generic/mysql@8.0.37")),
            ("usr/lib/postgresql/15/bin/postgres", b"upgrading to PostgreSQL 9.1.\0\0PostgreSQL 15.20 (Debian 15.20-0+deb12u1) on x86_64-pc-linux-gnu", Some("pkg:generic/postgresql@15.20")),
            ("usr/bin/beam.smp", b"Erlang/OTP 25%s [erts-13.1.5] [source]%s\n\x0025.2.3\0\0\0", Some("pkg:generic/erlang@25.2.3")),
            ("lib/libc.so.6", b"GNU C Library (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36.\n", Some("pkg:generic/glibc@2.36")),
            ("bin/gzip", b"\x001.12\0", None),
            ("bin/gzip", b"\x001.12\0%s: %s: not in gzip format\0", Some("pkg:generic/gzip@1.12")),
            ("opt/fluent-bit/bin/fluent-bit", b"\x002.2.3\0Fluent Bit v%s", Some("pkg:github/fluent/fluent-bit@2.2.3")),
            ("usr/bin/ls", b"\x009.1\0", None),
        ] {
            assert_eq!(version_of(path, content).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn reads_text_programs() {
        for (path, content, expected) in [
            ("usr/local/go/VERSION", "go1.21.0\ntime 2023-08-04T20:14:06Z\n", Some("go@1.21.0")),
            ("usr/lib/go-1.19/VERSION", "go1.19.8", Some("go@1.19.8")),
            ("srv/app/VERSION", "1.2.3\n", None),
            ("usr/lib/erlang/releases/25/OTP_VERSION", "25.2.3\n", Some("erlang@25.2.3")),
            (
                "usr/lib/elixir/bin/elixir",
                "#!/bin/sh\nset -e\n\nELIXIR_VERSION=1.14.0\n",
                Some("elixir@1.14.0"),
            ),
            ("var/www/wp-includes/version.php", "<?php\n$wp_version = '6.1.1';\n", Some("wordpress@6.1.1")),
            ("usr/bin/composer", "'root' => array(\n 'pretty_version' => '2.5.5',\n", Some("composer@2.5.5")),
        ] {
            let mut facts = Facts::default();
            catalogue(EvidenceFile { path, mode: 0o644, size: 0 }, content.as_bytes(), &mut facts);
            let found = facts.packages.first().map(|package| format!("{}@{}", package.name, package.version));
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }
}
