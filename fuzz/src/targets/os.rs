//! Operating-system inventory: package databases, os-release, kernels, licence statements.

use yagura_formats::catalogue::license;

use super::catalogue;
use crate::Target;

pub(super) const TARGETS: &[Target] = &[
    Target { name: "catalogue/license", seeds: licenses, run: normalise },
    Target {
        name: "catalogue/dpkg",
        seeds: || {
            vec![
                b"Package: bash\nStatus: install ok installed\nArchitecture: amd64\nSource: bash (5.2)\n\
                  Version: 1:5.2-2+b2\nDepends: base-files (>= 2), a | b:any\nProvides: sh (= 1)\n\n\
                  Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("dpkg", "var/lib/dpkg/status", bytes),
    },
    Target {
        name: "catalogue/dpkg-md5sums",
        seeds: || vec![b"d41d8cd98f00b204e9800998ecf8427e  usr/share/zoneinfo/UTC\n".to_vec()],
        run: |bytes| catalogue("dpkg", "var/lib/dpkg/status.d/tzdata.md5sums", bytes),
    },
    Target {
        name: "catalogue/dpkg-files",
        seeds: || vec![b"/.\n/usr\n/usr/bin/ldd\n/lib/x\n".to_vec()],
        run: |bytes| catalogue("dpkg-files", "var/lib/dpkg/info/libc6:amd64.list", bytes),
    },
    Target {
        name: "catalogue/dpkg-copyright",
        seeds: || {
            vec![
                b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n\
                  License: GPL-2+ or Artistic\n\nLicense: Expat\n Permission\n"
                    .to_vec(),
                b"under the GNU General Public License, version 2 or (at your option) any later version, see\n\
                  /usr/share/common-licenses/GPL-2 and SPDX-License-Identifier: MIT\n"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("dpkg-copyright", "usr/share/doc/bash/copyright", bytes),
    },
    Target {
        name: "catalogue/apk",
        seeds: || {
            vec![
                b"C:Q1p78yvTLG094tHE1+dToJGbmYzQE=\nP:musl\nV:1.2-r0\nA:x86_64\no:musl\nL:MIT\n\
                  D:so:libc.so=1 !x a>=2\np:so:libc.musl.so.1=1\nF:lib\nR:ld.so\nZ:Q1XmduVVNURHQ27TvYp1Lr5TMtFcA=\n\n"
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("apk", "lib/apk/db/installed", bytes),
    },
    Target {
        name: "catalogue/pacman",
        seeds: || {
            vec![
                b"%NAME%\na\n\n%VERSION%\n1:2-3\n\n%BASE%\nb\n\n%LICENSE%\nMIT\n\n%DEPENDS%\nc>=1\n".to_vec(),
            ]
        },
        run: |bytes| catalogue("pacman", "var/lib/pacman/local/a-2-3/desc", bytes),
    },
    Target {
        name: "catalogue/pacman-files",
        seeds: || vec![b"%FILES%\nusr/\nusr/bin/a\n\n%BACKUP%\netc/a\tmd5\n".to_vec()],
        run: |bytes| catalogue("pacman-files", "var/lib/pacman/local/a-2-3/files", bytes),
    },
    Target {
        name: "catalogue/os-release",
        seeds: || {
            vec![b"# c\nID=debian\nID_LIKE='a b'\nVERSION_ID=\"12\"\nPRETTY_NAME=\"D \\\"x\\\"\"\n".to_vec()]
        },
        run: |bytes| catalogue("os-release", "etc/os-release", bytes),
    },
    Target {
        name: "catalogue/redhat-release",
        seeds: || vec![b"CentOS Linux release 7.9.2009 (Core)\n".to_vec()],
        run: |bytes| catalogue("os-release", "etc/redhat-release", bytes),
    },
    Target {
        name: "catalogue/linux-kernel-image",
        seeds: || {
            let mut image = vec![0; 0x300];
            image[0x202..0x206].copy_from_slice(b"HdrS");
            image[0x20e] = 0x80;
            image[0x280..0x288].copy_from_slice(b"6.1.0-1 ");
            vec![image]
        },
        run: |bytes| catalogue("linux-kernel-image", "boot/vmlinuz-6.1.0", bytes),
    },
    Target {
        name: "catalogue/rpm-sqlite",
        seeds: || vec![packed(include_bytes!("../../../crates/formats/tests/fixtures/rpm/small.sqlite.zst"))],
        run: |bytes| catalogue("rpm-sqlite", "var/lib/rpm/rpmdb.sqlite", bytes),
    },
    Target {
        name: "catalogue/rpm-ndb",
        seeds: || vec![packed(include_bytes!("../../../crates/formats/tests/fixtures/rpm/Packages.db.zst"))],
        run: |bytes| catalogue("rpm-ndb", "var/lib/rpm/Packages.db", bytes),
    },
    Target {
        name: "catalogue/rpm-berkeley-db",
        seeds: || vec![packed(include_bytes!("../../../crates/formats/tests/fixtures/rpm/Packages.zst"))],
        run: |bytes| catalogue("rpm-berkeley-db", "var/lib/rpm/Packages", bytes),
    },
    Target {
        name: "catalogue/rpm-manifest",
        seeds: || vec![b"bind\t9.16-1.cm2\t1\t1\tV\t32\t7\tx86_64\t32\tbind-9.16-1.cm2.src.rpm\n".to_vec()],
        run: |bytes| catalogue("rpm-manifest", "var/lib/rpmmanifest/container-manifest-2", bytes),
    },
    Target {
        name: "catalogue/bitnami",
        seeds: || {
            vec![
                br#"{"packages":[{"name":"a","versionInfo":"1","licenseDeclared":"MIT","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:bitnami/a@1?arch=amd64"}]}]}"#
                    .to_vec(),
            ]
        },
        run: |bytes| catalogue("bitnami", "opt/bitnami/a/.spdx-a.spdx", bytes),
    },
    Target {
        name: "catalogue/chisel",
        seeds: || {
            let text = b"{\"jsonwall\":\"1.0\"}\n{\"kind\":\"package\",\"name\":\"a\",\"version\":\"1\"}\n\
                         {\"kind\":\"path\",\"path\":\"/a\",\"slices\":[\"a_b\"]}\n";
            vec![zstd::encode_all(text.as_slice(), 1).unwrap_or_default()]
        },
        run: |bytes| catalogue("chisel", "var/lib/chisel/manifest.wall", bytes),
    },
    Target {
        name: "catalogue/snap",
        seeds: || vec![b"name: a\nversion: '1'\nlicense: MIT\n".to_vec()],
        run: |bytes| catalogue("snap", "meta/snap.yaml", bytes),
    },
    Target {
        name: "catalogue/snap-manifest",
        seeds: || {
            vec![b"snapcraft-os-release-id: ubuntu\nprimed-stage-packages:\n- libc6:i386=2.35\n".to_vec()]
        },
        run: |bytes| catalogue("snap-manifest", "snap/manifest.yaml", bytes),
    },
];

/// A fixture kept compressed.
fn packed(zstandard: &[u8]) -> Vec<u8> {
    zstd::decode_all(zstandard).unwrap_or_default()
}

fn licenses() -> Vec<Vec<u8>> {
    [
        "GPL-2+ or (MIT and Apache-2.0 with LLVM-exception), and BSD",
        "GNU General Public License v3 or later (GPLv3+)",
        "GPL (>= 2) | MIT + file LICENSE",
        "https://www.apache.org/licenses/LICENSE-2.0.txt",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn normalise(bytes: &[u8]) {
    let statement = String::from_utf8_lossy(bytes);
    let once = license::normalise(&statement);
    if license::to_expression(&statement).is_some() {
        assert_eq!(license::normalise(&once), once, "an expression reads as itself");
    }
}
