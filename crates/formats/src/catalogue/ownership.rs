//! From the file lists of package databases to path keys.

use yagura_model::Ecosystem;

use super::Ownership;
use crate::layer::PathKey;

/// Most files one package may own; the largest of Debian has a tenth of this.
const MAX_FILES: usize = 1_000_000;

/// The first is where a package says a file is, the second where a distribution with merged directories keeps it.
const MERGED_DIRECTORIES: &[(&[u8], &[u8])] = &[
    (b"bin/", b"usr/bin/"),
    (b"sbin/", b"usr/sbin/"),
    (b"lib/", b"usr/lib/"),
    (b"lib32/", b"usr/lib32/"),
    (b"lib64/", b"usr/lib64/"),
    (b"usr/sbin/", b"usr/bin/"),
];

/// The ownership of one package, from the paths its database lists.
pub(super) fn of<P: AsRef<[u8]>>(
    ecosystem: Ecosystem,
    package: &str,
    paths: impl Iterator<Item = P>,
) -> Ownership {
    let mut files = Vec::new();
    for path in paths.filter(|path| !path.as_ref().is_empty()).take(MAX_FILES) {
        push(&mut files, path.as_ref());
    }
    Ownership { ecosystem, package: package.to_owned(), files }
}

fn push(files: &mut Vec<PathKey>, path: &[u8]) {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    files.push(PathKey::of(path));
    for (listed, kept) in MERGED_DIRECTORIES {
        if let Some(rest) = path.strip_prefix(*listed) {
            files.push(PathKey::of(&[*kept, rest].concat()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_owned_under_both_its_names() {
        let listed = [b"/lib/x86_64-linux-gnu/libc.so.6".as_slice(), b"/etc/passwd", b""];
        let ownership = of(Ecosystem::Deb, "libc6", listed.into_iter());
        assert_eq!(
            ownership.files,
            [
                PathKey::of(b"lib/x86_64-linux-gnu/libc.so.6"),
                PathKey::of(b"usr/lib/x86_64-linux-gnu/libc.so.6"),
                PathKey::of(b"etc/passwd")
            ]
        );
    }
}
