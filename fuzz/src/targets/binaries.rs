//! Evidence in binaries and archives, each through its cataloguer.

use super::{catalogue, catalogue_sized};
use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target {
        name: "catalogue/executable",
        seeds: executables,
        run: |bytes| catalogue("executable", "usr/bin/program", bytes),
    },
    Target {
        name: "catalogue/go-mod",
        seeds: || {
            vec![
                b"module a\ngo 1.21.4\nrequire (\n\tb.org/c v1.0.0 // indirect\n)\nreplace b.org/c => ../c\n"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("go-mod", "src/go.mod", bytes),
    },
    Target {
        name: "catalogue/go-vendor",
        seeds: || vec![b"# b.org/c v1.0.0 => d.org/c v1.0.1\n## explicit\nb.org/c\n".to_vec()],
        run: |bytes| catalogue("go-vendor", "src/vendor/modules.txt", bytes),
    },
    Target {
        name: "catalogue/cargo-lock",
        seeds: || {
            vec![
                b"version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\
                  source = \"git+https://b.org/c?branch=d#e\"\ndependencies = [\"f 1.0.0\"]\n"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("cargo-lock", "src/Cargo.lock", bytes),
    },
    Target {
        name: "catalogue/java-archive",
        seeds: archives,
        run: |bytes| {
            catalogue("java-archive", "app.jar", bytes);
            // Streamed, as when it is too large for memory.
            catalogue_sized("java-archive", "app.jar", bytes, 1 << 40);
        },
    },
    Target {
        name: "catalogue/program",
        seeds: || {
            vec![b"go1.21.0\ntime 2023-08-04T20:14:06Z\n".to_vec(), b"'pretty_version' => '2.5.5'".to_vec()]
        },
        run: |bytes| {
            for path in ["go/VERSION", "bin/composer", "elixir/ebin/elixir.app", "application.ini"] {
                catalogue("program", path, bytes);
            }
            // A program whose name fits a row.
            catalogue("executable", "usr/bin/python3.11", bytes);
        },
    },
    Target {
        name: "catalogue/maven-pom",
        seeds: || {
            vec![
                b"<project><parent><groupId>a</groupId><version>1</version></parent><properties><v>${w}</v><w>1</w>\
                  </properties><dependencies><dependency><groupId>b</groupId><artifactId>c</artifactId>\
                  <version>${v}</version></dependency></dependencies></project>"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("maven-pom", "pom.xml", bytes),
    },
    Target {
        name: "catalogue/gradle-lockfile",
        seeds: || vec![b"a:b:1.0=testCompileClasspath\nempty=x\n".to_vec()],
        run: |bytes| catalogue("gradle-lockfile", "gradle.lockfile", bytes),
    },
    Target {
        name: "catalogue/gradle-verification-metadata",
        seeds: || {
            vec![
                b"<m><components><component group='a' name='b' version='1'><artifact name='b-1.jar'><sha1 value='00'/>\
                  </artifact></component></components></m>"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("gradle-verification-metadata", "gradle/verification-metadata.xml", bytes),
    },
    Target {
        name: "catalogue/sbt-lock",
        seeds: || {
            vec![
                br#"{"dependencies":[{"org":"a","name":"b","version":"1","configurations":["test"]}]}"#
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("sbt-lock", "build.sbt.lock", bytes),
    },
    Target {
        name: "catalogue/java-runtime",
        seeds: || {
            vec![b"IMPLEMENTOR=\"A\"\nJAVA_RUNTIME_VERSION=\"17.0.1+12\"\nJAVA_VERSION=\"17.0.1\"\n".to_vec()]
        },
        run: |bytes| catalogue("java-runtime", "opt/jdk/release", bytes),
    },
];

/// ELF, PE and Mach-O headers with Go's build information behind them, in both its forms.
fn executables() -> Vec<Vec<u8>> {
    const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
    const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
    let modules = [START, b"path\ta\nmod\ta\tv1\ndep\tb\t\n", END].concat();
    let elf = file(&[
        (0, b"\x7fELF\x02\x01\x01"),
        (16, &[2]),
        (32, &[64]),
        (54, &[56, 0, 1]),
        (64, &[1]),
        (96, &[0, 16]),
        (512, b"\xff Go buildinf:\x08\x02"),
        (544, b"\x08go1.21.0"),
        (600, &modules),
    ]);
    let mut pointers = elf.clone();
    put(&mut pointers, 527, &[0, 0, 3]);
    put(&mut pointers, 768, &[0, 4, 0, 0, 0, 0, 0, 0, 8]);
    put(&mut pointers, 1024, b"go1.17.3");
    let pe = file(&[(0, b"MZ"), (60, &[64]), (64, b"PE\0\0"), (70, &[1]), (84, &[112]), (88, &[0x0b, 2])]);
    let macho =
        file(&[(0, b"\xcf\xfa\xed\xfe"), (12, &[2]), (16, &[1]), (20, &[72]), (32, &[0x19]), (36, &[72])]);
    vec![elf, pointers, pe, macho]
}

fn file(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut file = vec![0; 4096];
    for (at, bytes) in parts {
        put(&mut file, *at, bytes);
    }
    file
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

/// An archive in an archive, both stored, so that mutation reaches their headers and contents.
fn archives() -> Vec<Vec<u8>> {
    let inner = zip(&[
        ("META-INF/MANIFEST.MF", b"Bundle-SymbolicName: a.b\nBundle-Version: 1.0\n"),
        ("META-INF/maven/a/b/pom.properties", b"groupId=a\nartifactId=b\nversion=1.0\n"),
    ]);
    let outer = zip(&[("META-INF/MANIFEST.MF", b"Implementation-Version: 2\n"), ("lib/b-1.0.jar", &inner)]);
    vec![inner, outer]
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let size = (content.len() as u32).to_le_bytes();
        let fields = [&[0; 12][..], &size, &size, &[name.len() as u8, 0, 0, 0]].concat();
        let offset = (archive.len() as u32).to_le_bytes();
        archive.extend([b"PK\x03\x04\x14\0\0\0", &fields[2..], name.as_bytes(), content].concat());
        directory.extend(
            [b"PK\x01\x02\x14\0\x14\0\0\0", &fields[2..], &[0; 10], &offset, name.as_bytes()].concat(),
        );
    }
    let start = (archive.len() as u32).to_le_bytes();
    let count = [entries.len() as u8, 0];
    let length = (directory.len() as u32).to_le_bytes();
    [&archive, &directory, &b"PK\x05\x06\0\0\0\0"[..], &count, &count, &length, &start, &[0; 2]].concat()
}
