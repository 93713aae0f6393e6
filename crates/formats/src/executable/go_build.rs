//! What the Go linker writes into a program: the toolchain's version and the modules linked.
//!
//! Format: Go's `debug/buildinfo` package. A 32-byte header starts with [`MAGIC`]; since Go 1.18 the version follows
//! it as text with a varint length, before that the header points at a string header that points at the text. The
//! module table is text between two fixed 16-byte marks in both forms.

use std::collections::VecDeque;
use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::{Regex, RegexBuilder};

use super::layout::Layout;
use super::window::Window;

pub(super) const MAGIC: &[u8] = b"\xff Go buildinf:";
pub(super) const MODULES_START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const MODULES_END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

const HEADER_LENGTH: usize = 32;
/// Longest version text; development toolchains carry a date and experiments.
const MAX_VERSION: usize = 256;
/// Longest module table; Kubernetes' is 30 kB.
const MAX_MODULES: usize = 4 << 20;
/// Places where a version text may start, kept in case the header points there.
const MAX_VERSION_TEXTS: usize = 4096;
/// Bytes kept of each such place.
const VERSION_TEXT: usize = 64;

const MAX_RELEASES: usize = 64;
/// Windows kept of a Go program until its build information has been seen: 4 MiB.
const MAX_RECENT: usize = 16;
/// The linker's build id comes before the code.
const BUILD_ID_WITHIN: usize = 64 * 1024;

static RELEASE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    RegexBuilder::new(r"\x00(v?[0-9]{1,4}\.[0-9]{1,5}\.[0-9]{1,6}(?:[-~+][0-9A-Za-z.+~-]{1,64})?)\x00")
        .unicode(false)
        .build()
        .ok()
});

/// What a Go program says of its making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoBuild {
    /// As the toolchain names itself: `go1.21.0`, `go1.21.0 X:boringcrypto`, `devel go1.22-4f3a6a3 …`; empty when the
    /// pointer to it could not be followed.
    pub version: String,
    /// The module table, a line each: `path`, `mod`, `dep`, `=>` and `build` records with tab-separated fields;
    /// empty when the program was built without modules.
    pub modules: String,
    /// Release numbers that stand alone between zeros, in order, each once. The linker puts the values of `-X` there,
    /// also where `-trimpath` keeps them out of the module table; ordinary Go strings are not ended by a zero.
    pub releases: Vec<String>,
}

/// Bytes of the stream from a known offset on, gathered over several windows.
struct Capture {
    start: u64,
    bytes: Vec<u8>,
    limit: usize,
}

impl Capture {
    fn new(start: u64, limit: usize) -> Self {
        Self { start, bytes: Vec::new(), limit }
    }

    fn feed(&mut self, window: &Window<'_>) {
        let missing = self.limit.saturating_sub(self.bytes.len());
        let next = self.start.saturating_add(self.bytes.len() as u64);
        if let Some(rest) = window.rest_at(next).filter(|_| missing > 0) {
            self.bytes.extend_from_slice(rest.get(..missing).unwrap_or(rest));
        }
    }
}

/// A string header of the old form, to be read when the stream gets there.
struct Pointer {
    header: Capture,
    size: usize,
    big_endian: bool,
}

#[derive(Default)]
pub(super) struct GoBuildSearch {
    version: Option<String>,
    pointer: Option<Pointer>,
    /// Offsets and beginnings of texts that start with `go1.`.
    version_texts: Vec<(u64, Vec<u8>)>,
    modules: Option<String>,
    open_modules: Option<Capture>,
    releases: Vec<String>,
    /// The windows before this one: where C is linked in, the string header comes before the build information.
    recent: VecDeque<(u64, Vec<u8>)>,
    /// Whether the file starts as the Go linker's files do; nothing else is searched for releases.
    is_go: Option<bool>,
}

impl GoBuildSearch {
    /// Takes what a new window adds to what is being gathered.
    pub(super) fn feed(&mut self, window: &Window<'_>) {
        if *self.is_go.get_or_insert_with(|| starts_as_go(window.bytes())) {
            self.collect_releases(window.bytes());
            if self.version.is_none() && self.pointer.is_none() {
                if self.recent.len() >= MAX_RECENT {
                    self.recent.pop_front();
                }
                self.recent.push_back((window.base(), window.bytes().to_vec()));
            }
        }
        if let Some(pointer) = &mut self.pointer {
            pointer.header.feed(window);
        }
        if let Some(open) = &mut self.open_modules {
            open.feed(window);
            self.close_modules();
        }
    }

    pub(super) fn build_info_at(&mut self, at: usize, window: &Window<'_>, layout: &Layout) {
        if self.version.is_some() || self.pointer.is_some() {
            return;
        }
        let Some(bytes) = window.bytes().get(at..) else { return };
        let (Some(header), Some(rest)) = (bytes.get(..HEADER_LENGTH), bytes.get(HEADER_LENGTH..)) else {
            return;
        };
        let (size, flags) = (usize::from(header[14]), header[15]);
        if flags & 2 != 0 {
            self.version = inline_text(rest).filter(|text| is_toolchain(text));
        } else if matches!(size, 4 | 8) && flags < 2 {
            let big_endian = flags & 1 != 0;
            let target = header.get(16..16 + size).and_then(|bytes| pointer(bytes, big_endian));
            if let Some(offset) = target.and_then(|address| layout.file_offset(address)) {
                let mut header = Capture::new(offset, size * 2);
                header.feed(window);
                if header.bytes.is_empty() {
                    header.bytes = self.recent_bytes(offset, size * 2).unwrap_or_default();
                }
                self.recent.clear();
                self.pointer = Some(Pointer { header, size, big_endian });
            }
        }
    }

    pub(super) fn modules_at(&mut self, at: usize, window: &Window<'_>) {
        if self.modules.is_some() || self.open_modules.is_some() {
            return;
        }
        let start = window.base().saturating_add((at + MODULES_START.len()) as u64);
        let mut capture = Capture::new(start, MAX_MODULES);
        capture.feed(window);
        self.open_modules = Some(capture);
        self.close_modules();
    }

    pub(super) fn version_at(&mut self, at: usize, window: &Window<'_>) {
        if self.version_texts.len() < MAX_VERSION_TEXTS && self.version.is_none() {
            let text = window.bytes().get(at..).unwrap_or_default();
            let text = text.get(..VERSION_TEXT).unwrap_or(text);
            self.version_texts.push((window.base().saturating_add(at as u64), text.to_vec()));
        }
    }

    pub(super) fn finish(mut self, layout: &Layout) -> Option<GoBuild> {
        let version = self.version.take().or_else(|| self.follow_pointer(layout));
        if version.is_none() && self.modules.is_none() {
            return None;
        }
        let modules = self.modules.unwrap_or_default();
        Some(GoBuild { version: version.unwrap_or_default(), modules, releases: self.releases })
    }

    fn recent_bytes(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        self.recent.iter().find_map(|(base, bytes)| {
            let start = usize::try_from(offset.checked_sub(*base)?).ok()?;
            bytes.get(start..start.checked_add(length)?).map(<[u8]>::to_vec)
        })
    }

    fn collect_releases(&mut self, bytes: &[u8]) {
        let Some(pattern) = RELEASE.as_ref() else { return };
        for found in pattern.captures_iter(bytes).filter_map(|found| found.get(1)) {
            let Ok(text) = std::str::from_utf8(found.as_bytes()) else { continue };
            if self.releases.len() < MAX_RELEASES && !self.releases.iter().any(|known| known == text) {
                self.releases.push(text.to_owned());
            }
        }
    }

    /// Ends the gathering of the module table when its end mark is there, or cannot come any more.
    fn close_modules(&mut self) {
        let Some(open) = &self.open_modules else { return };
        match memmem::find(&open.bytes, MODULES_END) {
            Some(end) => {
                let text = String::from_utf8_lossy(open.bytes.get(..end).unwrap_or_default());
                if text.starts_with("path\t") || text.starts_with("mod\t") {
                    self.modules = Some(text.trim_end_matches('\n').to_owned());
                }
                self.open_modules = None;
            }
            None if open.bytes.len() >= open.limit => self.open_modules = None,
            None => {}
        }
    }

    fn follow_pointer(&self, layout: &Layout) -> Option<String> {
        let Pointer { header, size, big_endian } = self.pointer.as_ref()?;
        let address = pointer(header.bytes.get(..*size)?, *big_endian)?;
        let length = usize::try_from(pointer(header.bytes.get(*size..size * 2)?, *big_endian)?).ok()?;
        let offset = layout.file_offset(address)?;
        let (_, text) = self.version_texts.iter().find(|(at, _)| *at == offset)?;
        let text = std::str::from_utf8(text.get(..length)?).ok()?;
        is_toolchain(text).then(|| text.to_owned())
    }
}

/// The note of ELF files is called `Go`; other formats have the id as text before the code.
fn starts_as_go(bytes: &[u8]) -> bool {
    let head = bytes.get(..BUILD_ID_WITHIN).unwrap_or(bytes);
    memmem::find(head, b"\x04Go\0\0").is_some()
        || memmem::find(head, b"\x04\0\0\0Go\0\0").is_some()
        || memmem::find(head, b" Go build ID: \"").is_some()
}

fn is_toolchain(text: &str) -> bool {
    text.starts_with("go") || text.starts_with("devel")
}

fn pointer(bytes: &[u8], big_endian: bool) -> Option<u64> {
    match bytes.len() {
        4 => {
            let bytes: [u8; 4] = bytes.try_into().ok()?;
            Some(u64::from(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }))
        }
        8 => {
            let bytes: [u8; 8] = bytes.try_into().ok()?;
            Some(if big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
        }
        _ => None,
    }
}

/// A text whose length goes before it as a base-128 varint.
fn inline_text(bytes: &[u8]) -> Option<String> {
    let mut length = 0_usize;
    for (index, byte) in bytes.iter().take(3).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let start = index + 1;
            let text = bytes.get(start..start.checked_add(length).filter(|_| length <= MAX_VERSION)?)?;
            return String::from_utf8(text.to_vec()).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULES: &str = "path\texample.org/app\nmod\texample.org/app\tv1.0.0\t\n";
    const BASE: u64 = 0x40_0000;

    /// A 64-bit little-endian ELF program whose one segment maps the whole file at [`BASE`].
    fn program(length: usize) -> Vec<u8> {
        let mut file = vec![0; length];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[16] = 2;
        file[32] = 64;
        file[54] = 56;
        file[56] = 1;
        file[64] = 1;
        file[80..88].copy_from_slice(&BASE.to_le_bytes());
        file[96..104].copy_from_slice(&(length as u64).to_le_bytes());
        file
    }

    fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
        file[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_modules(file: &mut [u8], at: usize) {
        put(file, at, &[MODULES_START, MODULES.as_bytes(), MODULES_END].concat());
    }

    fn read(file: &[u8]) -> Option<GoBuild> {
        let mut reader = file;
        super::super::read(&mut reader, &mut |_| ()).unwrap().unwrap().go
    }

    #[test]
    fn reads_the_inline_form_wherever_it_is() {
        for at in [4096, 256 * 1024 - 16, 256 * 1024 - 16 * 1024, 700 * 1024] {
            let mut file = program(1024 * 1024);
            // An earlier mention of the magic, such as a scanner carries, is passed over.
            put(&mut file, 1024, MAGIC);
            put(&mut file, at, MAGIC);
            put(&mut file, at + 14, &[8, 2]);
            put(&mut file, at + 32, b"\x08go1.21.0");
            put_modules(&mut file, at + 64);
            put(&mut file, 2000, b"\0v9.9.9\0");
            assert!(read(&file).unwrap().releases.is_empty());
            put(&mut file, 600, b"\x04\0\0\0Go\0\0");
            let build = read(&file).unwrap();
            assert_eq!(build.releases, ["v9.9.9"]);
            assert_eq!(
                (build.version.as_str(), build.modules.as_str()),
                ("go1.21.0", MODULES.trim_end_matches('\n')),
                "{at}"
            );
        }
    }

    #[test]
    fn follows_the_pointers_of_older_toolchains() {
        let mut file = program(2 * 1024 * 1024);
        put(&mut file, 1000, b"go1.17.3go1.9");
        put(&mut file, 1_500_000, MAGIC);
        put(&mut file, 1_500_014, &[8, 0]);
        put(&mut file, 1_500_016, &(BASE + 2_000_000).to_le_bytes());
        put(&mut file, 2_000_000, &(BASE + 1000).to_le_bytes());
        put(&mut file, 2_000_008, &8_u64.to_le_bytes());
        put_modules(&mut file, 300_000);
        assert_eq!(
            read(&file),
            Some(GoBuild {
                version: "go1.17.3".into(),
                modules: MODULES.trim_end_matches('\n').into(),
                ..GoBuild::default()
            })
        );
        // With C linked in, the string header is before the build information.
        put(&mut file, 600, b"\x04\0\0\0Go\0\0");
        put(&mut file, 1_500_016, &(BASE + 900_000).to_le_bytes());
        put(&mut file, 900_000, &(BASE + 1000).to_le_bytes());
        put(&mut file, 900_008, &8_u64.to_le_bytes());
        assert_eq!(read(&file).map(|build| build.version).as_deref(), Some("go1.17.3"));
        put(&mut file, 1_500_016, &(BASE + 2_000_000).to_le_bytes());
        // A pointer to nowhere leaves the version unknown.
        put(&mut file, 2_000_000, &u64::MAX.to_le_bytes());
        assert_eq!(read(&file).map(|build| build.version), Some(String::new()));
    }

    #[test]
    fn a_scanner_that_carries_the_marks_is_not_a_go_program() {
        let mut file = program(100_000);
        put(&mut file, 5000, MAGIC);
        put(&mut file, 6000, MODULES_START);
        put(&mut file, 6016, MODULES_END);
        assert_eq!(read(&file), None);
    }
}
