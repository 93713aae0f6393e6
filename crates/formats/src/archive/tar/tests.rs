use std::io::Read;
use std::process::Command;

use super::*;

/// An entry as a test sees it.
#[derive(Debug, PartialEq)]
struct Seen {
    path: String,
    kind: String,
    size: u64,
    content: Vec<u8>,
}

fn read_all(bytes: &[u8]) -> (Vec<Seen>, Option<Problem>, Vec<Problem>) {
    let mut reader = TarReader::new(bytes);
    let mut seen = Vec::new();
    let mut problems = Vec::new();
    loop {
        match reader.next_entry() {
            Ok(Some(mut entry)) => {
                problems.extend_from_slice(entry.problems);
                let mut content = Vec::new();
                if let Err(error) = entry.content.read_to_end(&mut content) {
                    problems.push(Problem::of(&error));
                }
                seen.push(Seen {
                    path: String::from_utf8_lossy(entry.header.path).into_owned(),
                    kind: match entry.header.kind {
                        EntryKind::Symlink(to) => format!("-> {}", String::from_utf8_lossy(to)),
                        EntryKind::Hardlink(to) => format!("== {}", String::from_utf8_lossy(to)),
                        other => format!("{other:?}"),
                    },
                    size: entry.header.size,
                    content,
                });
            }
            Ok(None) => return (seen, None, problems),
            Err(problem) => return (seen, Some(problem), problems),
        }
    }
}

fn paths(bytes: &[u8]) -> Vec<String> {
    read_all(bytes).0.into_iter().map(|seen| seen.path).collect()
}

/// A header block with a right checksum; `edit` changes it before that.
fn block(name: &str, kind: u8, size: u64, edit: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    edit(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = block(name, kind, content.len() as u64, |_| {});
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length.to_string().len() + rest.len() != length {
        length += 1;
    }
    format!("{length}{rest}")
}

const END: [u8; 1024] = [0; 1024];

/// What GNU tar writes of a directory that holds one of everything, in each of its formats.
#[test]
fn reads_what_gnu_tar_writes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let long = "d".repeat(90) + "/" + &"e".repeat(120);
    std::fs::create_dir_all(root.join(&long)).unwrap();
    std::fs::write(root.join("plain"), b"content").unwrap();
    std::fs::write(root.join("empty"), b"").unwrap();
    std::fs::write(root.join(&long).join("deep"), vec![7; 5000]).unwrap();
    std::fs::hard_link(root.join("plain"), root.join("second")).unwrap();
    std::os::unix::fs::symlink(format!("../{long}"), root.join("link")).unwrap();
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        let tar = Command::new("tar")
            .args(["--sort=name", "--format", format, "-C"])
            .arg(&root)
            .args(["-cf", "-", "."])
            .output()
            .unwrap();
        assert!(tar.status.success(), "{tar:?}");
        let (seen, error, problems) = read_all(&tar.stdout);
        assert_eq!((error, problems), (None, vec![]), "{format}");
        let find = |path: &str| {
            seen.iter().find(|seen| seen.path == path).unwrap_or_else(|| panic!("{path} {format}"))
        };
        assert_eq!(find("./plain").content, b"content");
        assert_eq!(find(&format!("./{long}/deep")).content, vec![7; 5000]);
        assert_eq!(find(&format!("./{long}/")).kind, "Directory");
        assert_eq!(find("./second").kind, "== ./plain");
        assert_eq!(find("./link").kind, format!("-> ../{long}"));
        assert_eq!(seen.len(), 8, "{format}");
    }
}

#[test]
fn reads_the_sparse_forms_of_gnu_tar() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sparse");
    let mut expected = vec![0; 3 << 20];
    // More than four parts, so that old GNU needs continuation blocks.
    for part in 0..40usize {
        expected[part * 65_536..part * 65_536 + 4096].fill(part as u8 + 1);
    }
    {
        use std::os::unix::fs::FileExt;
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(expected.len() as u64).unwrap();
        for part in 0..40usize {
            let start = part * 65_536;
            file.write_all_at(&expected[start..start + 4096], start as u64).unwrap();
        }
    }
    std::fs::write(folder.path().join("zlast"), b"after").unwrap();
    let forms: [&[&str]; 5] = [
        &["--format=gnu"],
        &["--format=oldgnu"],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ];
    for form in forms {
        let tar = Command::new("tar")
            .args(["--sparse", "--hole-detection=raw", "-C"])
            .arg(folder.path())
            .args(form)
            .args(["-cf", "-", "sparse", "zlast"])
            .output()
            .unwrap();
        assert!(tar.status.success(), "{tar:?}");
        assert!(tar.stdout.len() < 1 << 20, "{form:?} is not sparse");
        let (seen, error, problems) = read_all(&tar.stdout);
        assert_eq!((error, problems), (None, vec![]), "{form:?}");
        assert_eq!(seen[0].path, "sparse", "{form:?}");
        assert_eq!(seen[0].size, expected.len() as u64, "{form:?}");
        assert!(seen[0].content == expected, "{form:?}");
        assert_eq!(seen[1].content, b"after", "{form:?}");
    }
}

#[test]
fn a_sparse_file_of_any_size_costs_only_what_is_stored() {
    let huge = 1u64 << 52;
    let records = [
        record("GNU.sparse.major", "1"),
        record("GNU.sparse.minor", "0"),
        record("GNU.sparse.name", "huge"),
        record("GNU.sparse.realsize", &huge.to_string()),
    ]
    .concat();
    let mut map = format!("1\n{}\n4\n", huge - 4).into_bytes();
    map.resize(BLOCK, 0);
    map.extend(b"tail");
    let bytes =
        [entry("PaxHeader", b'x', records.as_bytes()), entry("GNUSparse.1/huge", b'0', &map), END.to_vec()]
            .concat();
    let mut reader = TarReader::new(&bytes[..]);
    let mut entry = reader.next_entry().unwrap().unwrap();
    assert_eq!((entry.header.path, entry.header.size), (&b"huge"[..], huge));
    let mut start = [1; 100];
    entry.content.read_exact(&mut start).unwrap();
    assert_eq!(start, [0; 100]);
    assert!(reader.next_entry().unwrap().is_none());
}

#[test]
fn sparse_maps_that_lie_leave_an_entry_without_content() {
    for map in ["0,9999", "0,4,2,4", "100,8", "0,3", "18446744073709551615,8"] {
        let records = [record("GNU.sparse.map", map), record("GNU.sparse.size", "50")].concat();
        let bytes =
            [entry("p", b'x', records.as_bytes()), entry("f", b'0', &[1; 8]), entry("g", b'0', b"next")]
                .concat();
        let (seen, error, problems) = read_all(&bytes);
        assert_eq!(error, None, "{map}");
        assert!(problems.iter().all(|p| p.reason == SkipReason::Malformed) && !problems.is_empty(), "{map}");
        assert!(seen[0].content.is_empty(), "{map}");
        assert_eq!(seen[1].content, b"next", "{map}");
    }
}

#[test]
fn later_and_longer_names_win_as_in_the_runtimes() {
    let pax = |path: &str| entry("p", b'x', record("path", path).as_bytes());
    let long = entry("././@LongLink", b'L', b"from-gnu\0");
    for (bytes, expected) in [
        ([pax("first"), pax("second"), entry("short", b'0', b"")].concat(), "second"),
        ([pax("from-pax"), long.clone(), entry("short", b'0', b"")].concat(), "from-gnu"),
        (
            [entry("g", b'g', record("path", "global").as_bytes()), entry("short", b'0', b"")].concat(),
            "short",
        ),
        ([pax(""), entry("short", b'0', b"")].concat(), "short"),
        (block("name", b'0', 0, |b| b[345..351].copy_from_slice(b"prefix")), "prefix/name"),
        (
            block("name", b'0', 0, |b| {
                b[257..265].copy_from_slice(b"ustar  \0");
                b[345..351].copy_from_slice(b"prefix");
            }),
            "prefix/name",
        ),
        (
            block("name", b'0', 0, |b| {
                b[257..265].copy_from_slice(b"ustar  \0");
                b[345..357].copy_from_slice(b"14000000000\0");
            }),
            "name",
        ),
    ] {
        assert_eq!(paths(&bytes), [expected]);
    }
}

#[test]
fn sizes_come_from_pax_and_base_256_and_links_have_no_content() {
    let pax = entry("p", b'x', record("size", "5").as_bytes());
    let mut lying = block("f", b'0', 0, |_| {});
    lying.extend(b"12345");
    lying.resize(1024, 0);
    let base_256 = block("g", b'0', 0, |b| b[124..136].copy_from_slice(b"\x80\0\0\0\0\0\0\0\0\0\0\x02"));
    let mut padded = b"ab".to_vec();
    padded.resize(BLOCK, 0);
    let link = block("l", b'1', 4096, |b| b[157..158].copy_from_slice(b"f"));
    let bytes = [pax, lying, base_256, padded, link, entry("end", b'0', b"z")].concat();
    let (seen, error, _) = read_all(&bytes);
    assert_eq!(error, None);
    let contents: Vec<_> = seen.iter().map(|seen| (seen.path.as_str(), seen.content.as_slice())).collect();
    assert_eq!(contents, [("f", &b"12345"[..]), ("g", b"ab"), ("l", b""), ("end", b"z")]);
}

#[test]
fn metadata_is_bounded_and_the_archive_goes_on() {
    let filler = record("comment", &"x".repeat(MAX_METADATA_BYTES as usize));
    let records = record("path", "kept") + &filler;
    let bytes =
        [entry("p", b'x', records.as_bytes()), entry("short", b'0', b"one"), entry("b", b'0', b"two")]
            .concat();
    let (seen, error, problems) = read_all(&bytes);
    assert_eq!(error, None);
    assert_eq!(problems.iter().map(|p| p.reason).collect::<Vec<_>>(), [SkipReason::TooLarge]);
    assert_eq!(seen[0].path, "kept");
    assert_eq!(seen[1].content, b"two");

    // A size of 7 GiB in a long name that is not there.
    let bytes = block("././@LongLink", b'L', 7 << 30, |_| {});
    assert_eq!(read_all(&bytes).1.unwrap().reason, SkipReason::Truncated);

    let bytes = entry("p", b'x', record("path", "again").as_bytes()).repeat(100);
    assert_eq!(read_all(&bytes).1.unwrap().reason, SkipReason::Malformed);
}

#[test]
fn capabilities_are_read() {
    let mut body = b"0 SCHILY.xattr.security.capability=\x01\0\0\x02\0\x20\0\0\n".to_vec();
    let length = (body.len() + 1).to_string();
    body.splice(0..1, length.bytes());
    let bytes = [entry("p", b'x', &body), entry("ping", b'0', b""), entry("other", b'0', b"")].concat();
    let mut reader = TarReader::new(&bytes[..]);
    assert_eq!(reader.next_entry().unwrap().unwrap().header.capability, b"\x01\0\0\x02\0\x20\0\0");
    assert_eq!(reader.next_entry().unwrap().unwrap().header.capability, b"");
}

#[test]
fn says_where_an_archive_breaks() {
    let good = [entry("a", b'0', b"one"), entry("b", b'0', &[1; 1500])].concat();
    assert_eq!(paths(&good), ["a", "b"], "without end blocks");
    assert_eq!(paths(&[good.clone(), END.to_vec(), entry("c", b'0', b"")].concat()), ["a", "b"]);
    assert_eq!(paths(&good[..good.len() - 36]), ["a", "b"], "without padding");

    let mut flipped = good.clone();
    flipped[1024] ^= 1;
    let broken = read_all(&flipped);
    assert_eq!(broken.0.len(), 1);
    assert_eq!(broken.1.unwrap().detail, "tar header with a wrong checksum at byte 1024");

    for (cut, reason) in [(1536 + 700, SkipReason::Truncated), (1024 + 100, SkipReason::Truncated)] {
        let mut reader = TarReader::new(&good[..cut]);
        let problem = loop {
            match reader.next_entry() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("no problem at {cut}"),
                Err(problem) => break problem,
            }
        };
        assert_eq!(problem.reason, reason);
        assert!(reader.next_entry().unwrap().is_none(), "ends after a problem");
    }
    assert_eq!(read_all(b"not a tar, but longer than nothing").1.unwrap().reason, SkipReason::Truncated);
    let negative = block("n", b'0', 0, |b| b[124..136].fill(0xff));
    assert_eq!(read_all(&negative).1.unwrap().reason, SkipReason::Malformed);
}

#[test]
fn names_of_any_bytes_pass_through() {
    let bytes =
        [block("x", b'0', 0, |b| b[..3].copy_from_slice(b"\xff\xfe/")), entry("../../etc/passwd", b'0', b"")]
            .concat();
    let mut reader = TarReader::new(&bytes[..]);
    assert_eq!(reader.next_entry().unwrap().unwrap().header.path, b"\xff\xfe/");
    assert_eq!(reader.next_entry().unwrap().unwrap().header.path, b"../../etc/passwd");
}
