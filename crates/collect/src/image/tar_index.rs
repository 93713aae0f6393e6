//! Where the members of a tar file lie, so that they can be read by position and from several threads.
//!
//! Only headers are read: the walk seeks over contents. Formats: ustar, GNU long names, PAX records `path`,
//! `linkpath` and `size` (POSIX.1-2017 `pax`, GNU tar manual "Basic Tar Format"). A member named twice counts as
//! its last occurrence, as unpacking would leave it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::target::ArchiveFormat;

pub(crate) const BLOCK: usize = 512;
/// Most members indexed: an image archive has a few per layer.
const MAX_MEMBERS: usize = 100_000;
/// Longest GNU name or PAX record block read, in bytes.
const MAX_EXTENSION: u64 = 64 << 10;
/// Longest chain of links followed.
const MAX_LINKS: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    File {
        offset: u64,
        size: u64,
    },
    /// Path from the archive's root that the link means.
    Link(String),
}

/// The members by name, without `./` and leading `/`.
#[derive(Debug, Default)]
pub(crate) struct TarIndex {
    members: HashMap<String, Member>,
}

impl TarIndex {
    pub(crate) fn read(file: &File) -> Result<Self> {
        let length = file.metadata().map_err(|error| broken(0, &error.to_string()))?.len();
        let mut index = Self::default();
        let mut offset = 0_u64;
        let mut long_name: Option<String> = None;
        let mut long_link: Option<String> = None;
        let mut pax = PaxRecords::default();
        let mut headers = 0_usize;
        loop {
            let mut header = [0; BLOCK];
            match file.read_exact_at(&mut header, offset) {
                Ok(()) => {}
                // Some writers leave the closing zero blocks out.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && offset >= length => break,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let what = if offset == 0 { "it is not a tar archive" } else { "the archive is cut off" };
                    return Err(broken(offset, what));
                }
                Err(error) => return Err(broken(offset, &error.to_string())),
            }
            if header.iter().all(|byte| *byte == 0) {
                break;
            }
            if !is_tar_header(&header) {
                return Err(broken(offset, "the header's checksum is wrong"));
            }
            headers += 1;
            if headers > MAX_MEMBERS {
                return Err(Error::new(
                    ErrorKind::TooLarge,
                    format!("the archive has over {MAX_MEMBERS} members"),
                ));
            }
            let kind = header[156];
            let stated = number(&header[124..136]).ok_or_else(|| broken(offset, "the size is malformed"))?;
            let extension = matches!(kind, b'L' | b'K' | b'x' | b'X' | b'g');
            let size = if extension { stated } else { pax.size.unwrap_or(stated) };
            // Links and directories carry no content whatever they state.
            let size = if matches!(kind, b'1'..=b'6') { 0 } else { size };
            let content = offset + BLOCK as u64;
            let next = size
                .checked_next_multiple_of(BLOCK as u64)
                .and_then(|padded| content.checked_add(padded))
                .ok_or_else(|| broken(offset, "the size is malformed"))?;
            if extension {
                let block = extension_block(file, content, size).map_err(|why| broken(offset, &why))?;
                match kind {
                    b'L' => long_name = Some(text_of(&block)),
                    b'K' => long_link = Some(text_of(&block)),
                    b'x' | b'X' => pax = PaxRecords::parse(&block),
                    _ => {}
                }
                offset = next;
                continue;
            }
            let records = std::mem::take(&mut pax);
            // GNU names win over PAX ones, as for the runtimes.
            let name = long_name.take().or(records.path).or_else(|| member_name(&header));
            let link = long_link.take().or(records.link).unwrap_or_else(|| text_of(&header[157..257]));
            if let Some(name) = name.as_deref().and_then(|name| inside("", name)) {
                match kind {
                    b'0' | 0 | b'7' => {
                        if content.checked_add(size).is_none_or(|end| end > length) {
                            return Err(broken(offset, &format!("{name} is cut off")));
                        }
                        index.members.insert(name, Member::File { offset: content, size });
                    }
                    // A hard link names a member, a symbolic link a path from its own directory.
                    b'1' => {
                        if let Some(target) = inside("", &link) {
                            index.members.insert(name, Member::Link(target));
                        }
                    }
                    b'2' => {
                        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
                        if let Some(target) = inside(directory, &link) {
                            index.members.insert(name, Member::Link(target));
                        }
                    }
                    _ => {}
                }
            }
            offset = next;
        }
        Ok(index)
    }

    /// Which kind of image the archive holds. `docker save` of today writes both descriptions; its own has the tags.
    pub(crate) fn image_format(&self) -> Option<ArchiveFormat> {
        if self.contains("manifest.json") || self.contains("repositories") {
            Some(ArchiveFormat::Docker)
        } else if self.contains("index.json") {
            Some(ArchiveFormat::Oci)
        } else {
            None
        }
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Offset and size of a member, links followed.
    pub(crate) fn find(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = inside("", name)?;
        for _ in 0..=MAX_LINKS {
            match self.members.get(&name)? {
                Member::File { offset, size } => return Some((*offset, *size)),
                Member::Link(target) => name.clone_from(target),
            }
        }
        None
    }
}

/// A part of a file, read by position: any number of them can be read at the same time.
#[derive(Debug)]
pub(crate) struct Section {
    file: Arc<File>,
    offset: u64,
    left: u64,
}

impl Section {
    pub(crate) fn new(file: Arc<File>, offset: u64, size: u64) -> Self {
        Self { file, offset, left: size }
    }
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.file.read_at(&mut buffer[..wanted], self.offset)?;
        if read == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the archive was cut off while it was read",
            ));
        }
        self.offset += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// Whether a block is a tar header: its checksum holds (all bytes summed, the checksum's own taken as spaces).
pub(crate) fn is_tar_header(block: &[u8]) -> bool {
    let (Some(stated), true) = (block.get(148..156).and_then(number), block.len() == BLOCK) else {
        return false;
    };
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) })
        .sum();
    stated == sum && block.first() != Some(&0)
}

/// The name a header states, with the ustar prefix.
pub(crate) fn member_name(header: &[u8; BLOCK]) -> Option<String> {
    let name = text_of(&header[..100]);
    let name = match &header[257..263] {
        b"ustar\0" if header[345] != 0 => format!("{}/{name}", text_of(&header[345..500])),
        _ => name,
    };
    inside("", &name)
}

/// A path from the archive's root, or `None` when it leaves it or is empty.
fn inside(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> =
        if path.starts_with('/') { Vec::new() } else { directory.split('/').collect() };
    parts.retain(|part| !part.is_empty());
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// An octal number, or base 256 where the first bit is set (GNU).
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let mut value = u64::from(field.first()? & 0x7f);
        for byte in field.get(1..)? {
            value = value.checked_mul(256)?.checked_add(u64::from(*byte))?;
        }
        return Some(value);
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn text_of(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn extension_block(file: &File, offset: u64, size: u64) -> std::result::Result<Vec<u8>, String> {
    if size > MAX_EXTENSION {
        return Err(format!("a name of {size} bytes is over the bound of {MAX_EXTENSION}"));
    }
    let mut block = vec![0; size as usize];
    file.read_exact_at(&mut block, offset).map_err(|_| "the archive is cut off".to_owned())?;
    Ok(block)
}

/// The PAX records that matter here.
#[derive(Default)]
struct PaxRecords {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

impl PaxRecords {
    /// Records are `LENGTH KEY=VALUE\n`, the length counting itself.
    fn parse(mut block: &[u8]) -> Self {
        let mut records = Self::default();
        while let Some(space) = block.iter().position(|byte| *byte == b' ') {
            let length =
                std::str::from_utf8(&block[..space]).ok().and_then(|text| text.parse::<usize>().ok());
            let Some(record) =
                length.filter(|length| *length > space + 1).and_then(|length| block.get(..length))
            else {
                break;
            };
            let body = record[space + 1..].strip_suffix(b"\n").unwrap_or(&record[space + 1..]);
            let body = String::from_utf8_lossy(body);
            match body.split_once('=') {
                Some(("path", value)) => records.path = Some(value.to_owned()),
                Some(("linkpath", value)) => records.link = Some(value.to_owned()),
                Some(("size", value)) => records.size = value.parse().ok(),
                _ => {}
            }
            block = &block[record.len()..];
        }
        records
    }
}

fn broken(offset: u64, why: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("broken tar archive at byte {offset}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::Path;
    use std::process::Command;

    fn tar(directory: &Path, format: &str, names: &[&str]) -> File {
        let archive = directory.join(format!("{format}.tar"));
        let status = Command::new("tar")
            .args(["--format", format, "-C"])
            .arg(directory)
            .arg("-cf")
            .arg(&archive)
            .args(names)
            .status()
            .unwrap();
        assert!(status.success());
        File::open(archive).unwrap()
    }

    fn content(file: &File, index: &TarIndex, name: &str) -> String {
        let (offset, size) = index.find(name).unwrap_or_else(|| panic!("no {name}"));
        let mut text = String::new();
        Section::new(Arc::new(file.try_clone().unwrap()), offset, size).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn finds_what_gnu_tar_writes_in_each_format() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let long = format!("{}/{}.json", "d".repeat(120), "f".repeat(130));
        std::fs::create_dir_all(root.join(&long).parent().unwrap()).unwrap();
        std::fs::write(root.join(&long), "deep").unwrap();
        std::fs::write(root.join("manifest.json"), "[]").unwrap();
        std::fs::create_dir(root.join("layer")).unwrap();
        std::os::unix::fs::symlink("../manifest.json", root.join("layer/layer.tar")).unwrap();
        std::os::unix::fs::symlink("../../../etc/passwd", root.join("layer/out")).unwrap();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        std::fs::hard_link(root.join("manifest.json"), root.join("zz-hard")).unwrap();

        for format in ["gnu", "pax"] {
            let file = tar(root, format, &["./manifest.json", &long, "layer", "loop", "zz-hard"]);
            let index = TarIndex::read(&file).unwrap();
            assert_eq!(content(&file, &index, "manifest.json"), "[]");
            assert_eq!(content(&file, &index, &long), "deep");
            assert_eq!(content(&file, &index, "layer/layer.tar"), "[]");
            assert_eq!(content(&file, &index, "zz-hard"), "[]");
            assert_eq!(index.find("layer/out"), None);
            assert_eq!(index.find("loop"), None);
            assert_eq!(index.image_format(), Some(ArchiveFormat::Docker));
        }
    }

    #[test]
    fn cut_archives_are_told_not_guessed_at() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("blob"), vec![b'x'; 5000]).unwrap();
        let whole = tar(scratch.path(), "ustar", &["blob"]);
        let mut bytes = Vec::new();
        (&whole).read_to_end(&mut bytes).unwrap();
        for cut in [700, 3000] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes[..cut]).unwrap();
            assert_eq!(TarIndex::read(&file).unwrap_err().kind, ErrorKind::Malformed, "{cut}");
        }
    }
}
