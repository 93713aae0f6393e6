//! Compressed streams, tars, image documents and whole layers.

use std::io::{self, Read, Write};

use flate2::write::DeflateEncoder;
use yagura_formats::archive::inflate::{Inflate, MIN_ROOM, Progress};
use yagura_formats::archive::tar::TarReader;
use yagura_formats::archive::{InflateLimits, Inflater};
use yagura_formats::image;
use yagura_formats::layer::{LayerDigests, ScanOptions, codec, merge, scan_layer};

use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target { name: "archive/inflate", seeds: compressed, run: inflate },
    Target { name: "archive/deflate", seeds: deflated, run: inflate_beside_zlib },
    Target { name: "archive/tar", seeds: tars, run: walk },
    Target { name: "image/documents", seeds: documents, run: read_documents },
    Target { name: "layer/scan", seeds: layers, run: scan },
    Target { name: "layer/cache", seeds: cached, run: read_cached },
];

/// Far above what the seeds hold, far below what a bomb would reach.
const LIMITS: InflateLimits = InflateLimits { max_bytes: 8 << 20, free_bytes: 1 << 20, max_ratio: 200 };

fn compressed() -> Vec<Vec<u8>> {
    vec![
        // `printf hello | gzip -n`, twice in one stream.
        [HELLO_GZIP, HELLO_GZIP].concat(),
        // `printf hello | zstd`, between two skippable frames.
        [SKIPPABLE, HELLO_ZSTD, SKIPPABLE].concat(),
        b"plain".to_vec(),
    ]
}

const HELLO_GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\0\x86\xa6\x10\x36\x05\0\0\0";
const HELLO_ZSTD: &[u8] = b"\x28\xb5\x2f\xfd\x04\x58\x29\0\0hello\xa3\x6d\x9f\x88";
const SKIPPABLE: &[u8] = b"\x50\x2a\x4d\x18\x02\0\0\0hi";

fn inflate(bytes: &[u8]) {
    if let Ok(mut inflater) = Inflater::new(bytes, LIMITS) {
        let _ = io::copy(&mut inflater, &mut io::sink());
    }
}

/// Streams of each kind of block, of text and of runs.
fn deflated() -> Vec<Vec<u8>> {
    let text: Vec<u8> =
        (0..4000_u32).flat_map(|number| (number * number % 7919).to_string().into_bytes()).collect();
    [0, 1, 6, 9]
        .into_iter()
        .flat_map(|level| {
            [b"hello hello hello".to_vec(), vec![7; 3000], text.clone()].map(|text| (level, text))
        })
        .map(|(level, text)| {
            let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
            encoder.write_all(&text).and_then(|()| encoder.finish()).unwrap_or_default()
        })
        .collect()
}

/// What zlib makes of a stream and what ours makes of it must be the same, whatever the stream.
fn inflate_beside_zlib(stream: &[u8]) {
    const MAX_BYTES: usize = 1 << 20;
    let mut memory = vec![0; MAX_BYTES + MIN_ROOM];
    let step = Inflate::default().step(stream, true, &mut memory, 0);
    if step.written > MAX_BYTES || step.state == Progress::NeedsRoom {
        return;
    }
    let mut expected = vec![0; MAX_BYTES + MIN_ROOM];
    let mut zlib = flate2::Decompress::new(false);
    let status = zlib.decompress(stream, &mut expected, flate2::FlushDecompress::Finish);
    let whole = matches!(status, Ok(flate2::Status::StreamEnd));
    assert_eq!(whole, step.state == Progress::Ended, "{status:?} {step:?}");
    if whole {
        assert_eq!(zlib.total_in(), step.consumed as u64);
        assert_eq!(zlib.total_out(), step.written as u64);
        assert!(expected[..step.written] == memory[..step.written]);
    }
}

/// A header block of 512 bytes with a right checksum, and its content filled up to a block.
pub(super) fn tar_entry(name: &str, kind: u8, link: &str, content: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000755\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    block[148..156].fill(b' ');
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link.as_bytes());
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend(content);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn tars() -> Vec<Vec<u8>> {
    let sparse = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.realsize=100\n";
    let mut map = b"1\n90\n4\n".to_vec();
    map.resize(512, 0);
    map.extend(b"tail");
    vec![
        [
            tar_entry("etc/", b'5', "", b""),
            tar_entry("p", b'x', "", b"15 path=etc/os\n"),
            tar_entry("etc/os", b'0', "", b"ID=debian\n"),
            tar_entry("etc/link", b'2', "os", b""),
            tar_entry("etc/hard", b'1', "etc/os", b""),
            tar_entry("etc/.wh.gone", b'0', "", b""),
            vec![0; 1024],
        ]
        .concat(),
        [tar_entry("p", b'x', "", sparse), tar_entry("hole", b'0', "", &map)].concat(),
        [tar_entry("l", b'L', "", b"a/long/name\0"), tar_entry("short", b'0', "", b"x")].concat(),
    ]
}

fn walk(bytes: &[u8]) {
    let mut reader = TarReader::new(bytes);
    while let Ok(Some(entry)) = reader.next_entry() {
        let _ = io::copy(&mut entry.content.take(1 << 20), &mut io::sink());
    }
}

fn documents() -> Vec<Vec<u8>> {
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    vec![
        format!(
            r#"{{"schemaVersion":2,"config":{{"digest":"{digest}","size":1}},"layers":[{{"digest":"{digest}","size":2}}]}}"#
        )
        .into_bytes(),
        format!(
            r#"{{"manifests":[{{"digest":"{digest}","size":1,"platform":{{"os":"linux","architecture":"arm"}}}}]}}"#
        )
        .into_bytes(),
        format!(
            r#"{{"os":"linux","architecture":"amd64","config":{{"Cmd":["sh"],"Labels":null}},
               "rootfs":{{"diff_ids":["{digest}"]}},"history":[{{"created_by":"RUN x"}}]}}"#
        )
        .into_bytes(),
        br#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["l.tar"]}]"#.to_vec(),
    ]
}

fn read_documents(bytes: &[u8]) {
    let _ = image::parse_archive_manifest(bytes);
    if let Ok(image::Document::Index(index)) = image::parse_document(bytes) {
        let _ = index.choose(&image::Platform::new("linux", "arm", "v7"));
    }
    if let Ok(configuration) = image::parse_config(bytes) {
        let _ = image::describe(None, None, &configuration, Vec::new());
    }
}

/// A base and what changes it, as one blob: the input is cut in two at the first end mark.
fn layers() -> Vec<Vec<u8>> {
    let status = b"Package: bash\nStatus: install ok installed\nVersion: 5\nArchitecture: amd64\n";
    let base = [
        tar_entry("etc/os-release", b'0', "", b"ID=debian\nVERSION_ID=12\n"),
        tar_entry("var/lib/dpkg/status", b'0', "", status),
        tar_entry("app/package-lock.json", b'0', "", br#"{"lockfileVersion":3,"packages":{}}"#),
        tar_entry("hard", b'1', "var/lib/dpkg/status", b""),
    ]
    .concat();
    let upper = [
        tar_entry("var/lib/dpkg/.wh.status", b'0', "", b""),
        tar_entry("app/.wh..wh..opq", b'0', "", b""),
        tar_entry("../../etc/passwd", b'0', "", b"x"),
        tar_entry("lib", b'2', "usr/lib", b""),
    ]
    .concat();
    vec![[base.clone(), vec![0; 512], upper.clone()].concat(), [upper, vec![0; 512], base].concat()]
}

fn scan(bytes: &[u8]) {
    thread_local! {
        // The rules are many and the same for every input.
        static OPTIONS: ScanOptions =
            ScanOptions { inflate: LIMITS, max_stream_bytes: 1 << 20, executable_digests: true, ..ScanOptions::default() };
    }
    OPTIONS.with(|options| {
        let end = bytes.chunks(512).position(|block| block.iter().all(|byte| *byte == 0)).unwrap_or(0);
        let (base, upper) = bytes.split_at((end * 512).min(bytes.len()));
        let upper = upper.get(512..).unwrap_or_default();
        let layers = [base, upper].map(|layer| scan_layer(layer, &LayerDigests::default(), options));
        // The scanner survives a cataloguer that panics; here that is a failure.
        let mut skipped = layers.iter().flat_map(|facts| &facts.skipped);
        assert!(!skipped.any(|skipped| skipped.detail.ends_with("a defect of ours")), "{layers:?}");
        let _ = merge(&layers, None);
    });
}

fn tag() -> codec::CacheTag {
    codec::CacheTag::of(&ScanOptions::default(), "fuzz")
}

fn cached() -> Vec<Vec<u8>> {
    let facts = scan_layer(layers().concat().as_slice(), &LayerDigests::default(), &ScanOptions::default());
    codec::encode(&facts, &tag()).into_iter().collect()
}

fn read_cached(bytes: &[u8]) {
    let _ = codec::decode(bytes, &tag());
}
