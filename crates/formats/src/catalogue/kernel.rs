//! Linux kernels: boot images and module directories, each naming the release that `uname -r` would show.
//!
//! Format of x86 boot images: Documentation/arch/x86/boot.rst of Linux ("The Real-Mode Kernel Header").

use std::io::Read;

use yagura_model::{Ecosystem, Package, SkipReason};

use super::{Cataloguer, EvidenceFile, Facts, Reads, Select};

/// The header and the version string lie in the first 32 KiB (the real-mode part of the image).
const HEADER: u64 = 64 << 10;

/// Longest release string that is believed.
const MAX_RELEASE: usize = 128;

/// What the kernel is called, as other inventories call it.
const NAME: &str = "linux-kernel";

pub(super) const CATALOGUERS: &[Cataloguer] = &[
    Cataloguer {
        name: "linux-kernel-image",
        selects: &[Select::NameAround("vmlinuz", "")],
        max_bytes: 0,
        reads: Reads::Stream(image),
    },
    Cataloguer {
        name: "linux-kernel-modules",
        selects: &[Select::Name("modules.builtin")],
        max_bytes: 0,
        reads: Reads::Stream(modules),
    },
];

fn image(file: EvidenceFile<'_>, reader: &mut dyn Read, facts: &mut Facts) {
    let mut header = Vec::new();
    if let Err(error) = reader.take(HEADER).read_to_end(&mut header) {
        facts.skip(file.path, SkipReason::Truncated, error.to_string());
        return;
    }
    match boot_header_release(&header) {
        Some(release) => found(facts, &release),
        // Not an x86 image (arm64's are compressed throughout): the name has the release.
        None => match file.name().strip_prefix("vmlinuz-").filter(|name| is_release(name)) {
            Some(release) => found(facts, release),
            None if is_boot_directory(file.directory()) => {
                facts.skip(
                    file.path,
                    SkipReason::Unsupported,
                    "a kernel image that does not state its release",
                );
            }
            None => {}
        },
    }
}

/// Offset 0x202 has `HdrS`, 0x20e the distance of the version string from 0x200.
fn boot_header_release(header: &[u8]) -> Option<String> {
    if header.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let distance = u16::from_le_bytes(header.get(0x20e..0x210)?.try_into().ok()?);
    let text = header.get(usize::from(distance).checked_add(0x200)?..)?;
    let end = text.iter().position(|b| *b == 0 || *b == b' ')?;
    let release = std::str::from_utf8(text.get(..end)?).ok()?;
    is_release(release).then(|| release.to_owned())
}

/// `lib/modules/RELEASE/modules.…`.
fn modules(file: EvidenceFile<'_>, _: &mut dyn Read, facts: &mut Facts) {
    let release = file
        .directory()
        .rsplit_once('/')
        .filter(|(parent, _)| *parent == "lib/modules" || parent.ends_with("/lib/modules"))
        .map(|(_, release)| release);
    if let Some(release) = release.filter(|release| is_release(release)) {
        found(facts, release);
    }
}

fn found(facts: &mut Facts, release: &str) {
    facts.packages.push(Package::new(Ecosystem::Kernel, NAME, release));
}

/// `6.1.0-18-amd64`: a number, a dot, a number, and no blanks.
fn is_release(text: &str) -> bool {
    let starts_right = text.split_once('.').is_some_and(|(major, rest)| {
        !major.is_empty()
            && major.bytes().all(|b| b.is_ascii_digit())
            && rest.starts_with(|c: char| c.is_ascii_digit())
    });
    starts_right && text.len() <= MAX_RELEASE && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/')
}

fn is_boot_directory(directory: &str) -> bool {
    directory == "boot" || directory.ends_with("/boot") || directory.contains("lib/modules/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(function: fn(EvidenceFile<'_>, &mut dyn Read, &mut Facts), path: &str, bytes: &[u8]) -> Facts {
        let mut facts = Facts::default();
        function(EvidenceFile { path, mode: 0o644, size: bytes.len() as u64 }, &mut &*bytes, &mut facts);
        facts
    }

    fn boot_image(version: &str) -> Vec<u8> {
        let mut image = vec![0; 0x3000];
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x20e..0x210].copy_from_slice(&0x2000_u16.to_le_bytes());
        image[0x2200..0x2200 + version.len()].copy_from_slice(version.as_bytes());
        image
    }

    #[test]
    fn the_header_outranks_the_name() {
        let image = boot_image("6.1.0-18-amd64 (debian-kernel@lists.debian.org) #1 SMP");
        let facts = read(super::image, "boot/vmlinuz-renamed", &image);
        assert_eq!(facts.packages[0].version, "6.1.0-18-amd64");
        let facts = read(super::image, "boot/vmlinuz-6.6.1-arm64", b"\x1f\x8b");
        assert_eq!(facts.packages[0].version, "6.6.1-arm64");
        let facts = read(super::image, "boot/vmlinuz", b"MZ");
        assert_eq!(facts.skipped[0].reason, SkipReason::Unsupported);
        assert_eq!(read(super::image, "home/me/vmlinuz.png", b"MZ"), Facts::default());
    }

    #[test]
    fn module_directories_name_their_release() {
        let facts = read(modules, "usr/lib/modules/5.14.0-427.el9.x86_64/modules.builtin", b"");
        assert_eq!(facts.packages[0].version, "5.14.0-427.el9.x86_64");
        assert_eq!(read(modules, "lib/modules/not a release/modules.builtin", b""), Facts::default());
        assert_eq!(read(modules, "srv/6.1/modules.builtin", b""), Facts::default());
    }
}
