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

use memchr::memmem::Finder;

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

/// Searches for what names itself at length, which is quickest one after the other.
struct Finders {
    go_build_info: Finder<'static>,
    go_modules: Finder<'static>,
    go_version: Finder<'static>,
}

static FINDERS: LazyLock<Finders> = LazyLock::new(|| Finders {
    go_build_info: Finder::new(go_build::MAGIC),
    go_modules: Finder::new(go_build::MODULES_START),
    go_version: Finder::new(b"go1."),
});

/// First bytes of zlib (RFC 1950, with the largest window) and gzip (RFC 1952).
const ZLIB: u8 = 0x78;
const GZIP: u8 = 0x1f;

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
    let finders = &*FINDERS;
    let mut go = GoBuildSearch::default();
    let mut documents = CompressedDocuments::default();
    loop {
        go.feed(&window);
        documents.feed(&window);
        let end = window.starts().end;
        let starting_here = |length: usize| window.bytes().get(..end + length - 1).unwrap_or(window.bytes());
        for at in finders.go_build_info.find_iter(starting_here(go_build::MAGIC.len())) {
            go.build_info_at(at, &window, &layout);
        }
        for at in finders.go_modules.find_iter(starting_here(go_build::MODULES_START.len())) {
            go.modules_at(at, &window);
        }
        for at in finders.go_version.find_iter(starting_here(4)) {
            go.version_at(at, &window);
        }
        for at in memchr::memchr2_iter(ZLIB, GZIP, starting_here(1)) {
            match window.bytes().get(at..) {
                // Its four levels.
                Some([ZLIB, 0x01 | 0x5e | 0x9c | 0xda, ..]) => documents.zlib_at(at, &window),
                Some([GZIP, 0x8b, 8, ..]) => documents.gzip_at(at, &window),
                _ => {}
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
    fn passes_over_what_is_not_a_program() {
        assert_eq!(evidence(b""), None);
        assert_eq!(evidence(b"#!/bin/sh\n"), None);
        assert_eq!(evidence(b"\x7fELF"), None);
        // A Java class of version 52 has the magic of a universal Mach-O file.
        assert_eq!(evidence(b"\xca\xfe\xba\xbe\0\0\0\x34"), None);
    }
}
