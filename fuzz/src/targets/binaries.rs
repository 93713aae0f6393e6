//! Evidence in binaries and archives, each through its cataloguer.

use super::catalogue;

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
