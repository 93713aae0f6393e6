//! Executable files (ELF, PE, Mach-O): what linkers and compilers leave in them that names packages.
//!
//! A file is read once, front to back, in constant memory whatever its size: everything looked for carries a mark
//! of its own, so no section table (it comes last in ELF, and may be stripped) is needed. This module must not know
//! what the evidence means; the cataloguers of each language read it.

mod compressed;
mod go_build;
mod layout;
mod window;

use std::io::{self, Read};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use compressed::CompressedDocuments;
use go_build::GoBuildSearch;
use layout::Layout;
use window::Window;

pub use go_build::GoBuild;

/// Bytes of one executable that are searched; the rest is reported.
const MAX_BYTES: u64 = 4 << 30;

/// What an executable carries.
#[derive(Debug, Default, PartialEq)]
pub struct Evidence {
    /// What the Go linker wrote.
    pub go: Option<GoBuild>,
    /// The JSON of cargo-auditable's `.dep-v0` section, inflated.
    pub rust_audit: Option<Vec<u8>>,
    /// The CycloneDX document that GraalVM puts into a native image, inflated.
    pub native_image_sbom: Option<Vec<u8>>,
    /// Why the evidence may be incomplete, where it may.
    pub incomplete: Option<String>,
}

/// The marks, in the order of [`Mark`].
const MARKS: [&[u8]; 8] = [
    go_build::MAGIC,
    go_build::MODULES_START,
    b"go1.",
    // zlib at its four levels (RFC 1950), then gzip with deflate (RFC 1952).
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"\x1f\x8b\x08",
];

#[derive(Clone, Copy)]
enum Mark {
    GoBuildInfo,
    GoModules,
    GoVersion,
    Zlib,
    Gzip,
}

impl Mark {
    fn of(pattern: usize) -> Self {
        match pattern {
            0 => Self::GoBuildInfo,
            1 => Self::GoModules,
            2 => Self::GoVersion,
            3..=6 => Self::Zlib,
            _ => Self::Gzip,
        }
    }
}

/// `None` only if the constant patterns were too large to compile, which a test rules out.
static SEARCHER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::Standard).build(MARKS).ok());

/// Reads an executable to its end; `None` when it is not one, or one that cannot be run or loaded.
///
/// `each_window` sees every byte of the file, in pieces that overlap by 16 KiB.
pub fn read(reader: &mut dyn Read, each_window: &mut dyn FnMut(&[u8])) -> io::Result<Option<Evidence>> {
    let mut limited = reader.take(MAX_BYTES);
    let mut window = Window::new(&mut limited);
    if !window.advance()? {
        return Ok(None);
    }
    let Some(layout) = Layout::read(window.bytes()).filter(|layout| layout.loadable) else {
        return Ok(None);
    };
    let Some(searcher) = SEARCHER.as_ref() else { return Ok(None) };
    let mut go = GoBuildSearch::default();
    let mut documents = CompressedDocuments::default();
    loop {
        go.feed(&window);
        documents.feed(&window);
        let starts = window.starts();
        for found in searcher.find_iter(window.bytes()) {
            if found.start() >= starts.end {
                break;
            }
            let at = found.start();
            match Mark::of(found.pattern().as_usize()) {
                Mark::GoBuildInfo => go.build_info_at(at, &window, &layout),
                Mark::GoModules => go.modules_at(at, &window),
                Mark::GoVersion => go.version_at(at, &window),
                Mark::Zlib => documents.zlib_at(at, &window),
                Mark::Gzip => documents.gzip_at(at, &window),
            }
        }
        each_window(window.bytes());
        if !window.advance()? {
            break;
        }
    }
    let read = window.end();
    let mut incomplete = documents.problem();
    if read >= MAX_BYTES {
        incomplete = Some(format!("only the first {MAX_BYTES} bytes were searched"));
    }
    Ok(Some(Evidence {
        go: go.finish(&layout),
        rust_audit: documents.rust_audit.take(),
        native_image_sbom: documents.native_image_sbom.take(),
        incomplete,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(file: &[u8]) -> Option<Evidence> {
        let mut reader = file;
        read(&mut reader, &mut |_| ()).unwrap()
    }

    #[test]
    fn the_marks_compile() {
        assert!(SEARCHER.is_some());
    }

    #[test]
    fn passes_over_what_is_not_a_program() {
        assert_eq!(evidence(b""), None);
        assert_eq!(evidence(b"#!/bin/sh\n"), None);
        assert_eq!(evidence(b"\x7fELF"), None);
        // A Java class of version 52 has the magic of a universal Mach-O file.
        assert_eq!(evidence(b"\xca\xfe\xba\xbe\0\0\0\x34"), None);
    }
}
