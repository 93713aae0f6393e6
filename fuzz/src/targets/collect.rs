//! What comes from registries, archives and the command line before any content is read.

use std::io::Write;

use yagura_collect::ImageReference;
use yagura_collect::image::open_archive;
use yagura_collect::registry::challenge;
use yagura_collect::walk::Pattern;

use super::archive::tar_entry;
use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target { name: "collect/image-archive", seeds: archives, run: open_image },
    Target { name: "collect/reference", seeds: references, run: read_reference },
    Target { name: "collect/challenge", seeds: challenges, run: read_challenge },
    Target { name: "collect/pattern", seeds: patterns, run: match_pattern },
];

const CONFIG: &[u8] = br#"{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":
["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]}}"#;

fn archives() -> Vec<Vec<u8>> {
    let docker = [
        tar_entry(
            "manifest.json",
            b'0',
            "",
            br#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l/layer.tar"]}]"#,
        ),
        tar_entry("c.json", b'0', "", CONFIG),
        tar_entry("l/layer.tar", b'2', "../l.tar", b""),
        tar_entry("l.tar", b'0', "", b""),
    ];
    let legacy = [
        tar_entry("repositories", b'0', "", br#"{"a":{"1":"x"}}"#),
        tar_entry("x/json", b'0', "", br#"{"os":"linux","parent":"","container_config":{"Cmd":["sh"]}}"#),
        tar_entry("x/layer.tar", b'0', "", b"layer"),
    ];
    let oci = [
        tar_entry("oci-layout", b'0', "", br#"{"imageLayoutVersion":"1.0.0"}"#),
        tar_entry(
            "index.json",
            b'0',
            "",
            br#"{"schemaVersion":2,"manifests":[{"digest":
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}]}"#,
        ),
        tar_entry("././@LongLink", b'L', "", b"blobs/sha256/long"),
        tar_entry("pax", b'x', "", b"18 path=blobs/abc\n14 size=00005\n"),
        tar_entry("blob", b'0', "", b"bytes"),
    ];
    vec![docker.concat(), legacy.concat(), oci.concat()]
}

/// A wrong checksum would end every run at its first header, so those of whole blocks are put right.
fn open_image(bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    let Ok(mut file) = tempfile::NamedTempFile::new() else { return };
    if file.write_all(&bytes).is_err() {
        return;
    }
    if let Ok(image) = open_archive(file.path(), None, None, None, &std::env::temp_dir()) {
        for index in 0..image.layer_count() {
            if let Ok(mut layer) = image.layer(index) {
                let _ = std::io::copy(&mut layer, &mut std::io::sink());
            }
        }
    }
}

fn references() -> Vec<Vec<u8>> {
    vec![
        b"registry.example:5000/team/app:v1.2@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            .to_vec(),
        b"[::1]:5000/a__b/c-d".to_vec(),
        b"debian".to_vec(),
    ]
}

fn read_reference(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(reference) = ImageReference::parse(&text) {
        // What is printed means the same when it is read again.
        let again = ImageReference::parse(&reference.to_string());
        assert_eq!(again.as_ref(), Ok(&reference));
    }
}

fn challenges() -> Vec<Vec<u8>> {
    vec![
        br#"Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull""#
            .to_vec(),
        br#"Negotiate, Basic realm="a \"b\" c""#.to_vec(),
    ]
}

fn read_challenge(bytes: &[u8]) {
    challenge::parse(&String::from_utf8_lossy(bytes));
}

fn patterns() -> Vec<Vec<u8>> {
    vec![b"**/a*b/[!a-z]?\nx/aXb/1c".to_vec(), b"*a*a*a*a\naaaaaaaaaaaaaaaaab".to_vec()]
}

/// The first line is the pattern, the rest a path.
fn match_pattern(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (pattern, path) = text.split_once('\n').unwrap_or((&text, ""));
    Pattern::new(pattern).matches(path.as_bytes());
}
