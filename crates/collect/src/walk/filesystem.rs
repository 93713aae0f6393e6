//! Mounted file systems that hold no files to scan, told by the magic number of `statfs(2)` (linux/magic.h).

use std::os::fd::OwnedFd;

use yagura_model::SkipReason;

use super::WalkOptions;

/// Windows the kernel opens on itself: nothing in them was installed by anybody.
const PSEUDO: &[u64] = &[
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x1cd1,      // devpts
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0x6265_6570, // configfs
    0x1980_0202, // mqueue
    0x9584_58f6, // hugetlbfs
    0x6573_5543, // fusectl
    0x4249_4e4d, // binfmt_misc
    0x6759_6969, // rpc_pipefs
    0x0187,      // autofs: entering one would mount it
    0xf97c_ff8c, // selinuxfs
    0x6e73_6673, // nsfs
    0xabba_1974, // xenfs
];

const NETWORK: &[u64] = &[
    0x6969,      // nfs
    0x517b,      // smb
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x5346_414f, // afs
    0x00c3_6400, // ceph
    0x0102_1997, // 9p
    0x7375_7245, // coda
    0x0bd0_0bd0, // lustre
    0x6573_5546, // fuse: sshfs, gluster, object stores
];

const OVERLAY: u64 = 0x794c_7630;
const TMPFS: u64 = 0x0102_1994;

/// Asked at mount points. `Some(None)` passes over in silence, `Some(Some(…))` with a report.
pub(super) fn to_pass_over(
    directory: &OwnedFd,
    path: &[u8],
    options: &WalkOptions,
) -> Option<Option<(SkipReason, &'static str)>> {
    let magic = rustix::fs::fstatfs(directory).ok()?.f_type as u64 & 0xffff_ffff;
    // devtmpfs answers as tmpfs does.
    if PSEUDO.contains(&magic) || (path == b"dev" && magic == TMPFS) {
        return Some(None);
    }
    if NETWORK.contains(&magic) && !options.network_filesystems {
        return Some(Some((SkipReason::Unsupported, "a file system of another machine or of FUSE")));
    }
    if magic == OVERLAY {
        return Some(Some((SkipReason::Unsupported, "a container's file system: scan its image instead")));
    }
    None
}
