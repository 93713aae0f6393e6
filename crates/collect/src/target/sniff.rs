//! Tells an image archive or an SBOM from any other file by a few of its bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::ArchiveFormat;
use crate::error::{Error, Result};
use crate::image::tar_index::{BLOCK, TarIndex, is_tar_header, member_name};
use crate::image::{inflated, is_compressed};

/// How much of each end of a JSON file is searched for the marks of an SBOM, in bytes.
const SBOM_WINDOW: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The format is unknown where the archive is compressed: it is decided after inflating.
    ImageArchive(Option<ArchiveFormat>),
    Sbom,
    Other,
}

pub(super) fn file(path: &Path) -> Result<Kind> {
    let failed = |error: std::io::Error| Error::io(path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    file.by_ref().take(SBOM_WINDOW).read_to_end(&mut start).map_err(failed)?;

    if let Some(header) = start.get(..BLOCK)
        && is_tar_header(header)
    {
        // Seeking from header to header: cheap whatever the size of the members.
        let format = TarIndex::read(&file).ok().and_then(|index| index.image_format());
        return Ok(format.map_or(Kind::Other, |format| Kind::ImageArchive(Some(format))));
    }
    if is_compressed(&start).unwrap_or(false) {
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut header = [0; BLOCK];
        let read = inflated(file).and_then(|mut reader| reader.read_exact(&mut header));
        let image = read.is_ok()
            && is_tar_header(&header)
            && member_name(&header).is_some_and(|name| belongs_to_image(&name));
        return Ok(if image { Kind::ImageArchive(None) } else { Kind::Other });
    }
    let text = start.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    if text.first() != Some(&b'{') {
        return Ok(Kind::Other);
    }
    let size = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(SBOM_WINDOW))).map_err(failed)?;
    let mut end = Vec::new();
    file.take(SBOM_WINDOW).read_to_end(&mut end).map_err(failed)?;
    Ok(if is_sbom(&start) || is_sbom(&end) { Kind::Sbom } else { Kind::Other })
}

/// CycloneDX names its format, SPDX its version, and Syft the address of its schema.
fn is_sbom(window: &[u8]) -> bool {
    let text = String::from_utf8_lossy(window);
    let quoted = |key: &str| text.contains(&format!("\"{key}\""));
    (quoted("bomFormat") && quoted("CycloneDX"))
        || (quoted("spdxVersion") && text.contains("SPDX-"))
        || (quoted("SPDXID") && quoted("SPDXRef-DOCUMENT"))
        || (quoted("schema") && text.contains("anchore/syft"))
}

/// Whether the first member's name is one that image archives have.
fn belongs_to_image(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    let stem = first.split('.').next().unwrap_or_default();
    let digest = stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
    digest || matches!(first, "oci-layout" | "index.json" | "blobs" | "manifest.json" | "repositories")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sboms_are_known_by_their_marks() {
        let scratch = tempfile::tempdir().unwrap();
        let padding = " ".repeat(200_000);
        for (text, expected) in [
            (r#"{"bomFormat":"CycloneDX","specVersion":"1.6"}"#.to_owned(), Kind::Sbom),
            (format!("\u{feff} {{\"a\":1,{padding}\"spdxVersion\": \"SPDX-2.3\"}}"), Kind::Sbom),
            (
                format!(
                    "{{\"artifacts\":[],{padding}\"schema\":{{\"url\":\"https://x/anchore/syft/main/schema-16.json\"}}}}"
                ),
                Kind::Sbom,
            ),
            (r#"{"name":"left-pad","version":"1.0.0"}"#.to_owned(), Kind::Other),
            ("\"bomFormat\" \"CycloneDX\"".to_owned(), Kind::Other),
            (String::new(), Kind::Other),
        ] {
            let path = scratch.path().join("f");
            std::fs::write(&path, &text).unwrap();
            assert_eq!(file(&path).unwrap(), expected, "{}", text.trim());
        }
    }
}
