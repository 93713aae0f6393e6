//! Paths of entries brought to one form.

/// A path that would leave its root (`../../etc/passwd`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeavesRoot;

/// Longest path that is kept; Linux takes 4096 bytes from programs, archives may hold more.
pub const MAX_PATH_BYTES: usize = 16 << 10;

/// Writes `path` to `out`, relative to the root: no leading or trailing `/`, no empty, `.` or `..` components.
/// The root itself becomes empty.
pub fn normalise(path: &[u8], out: &mut Vec<u8>) -> Result<(), LeavesRoot> {
    out.clear();
    if is_plain(path) {
        out.extend_from_slice(path);
        return Ok(());
    }
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => {
                if out.is_empty() {
                    return Err(LeavesRoot);
                }
                out.truncate(memchr::memrchr(b'/', out).unwrap_or(0));
            }
            name => {
                if !out.is_empty() {
                    out.push(b'/');
                }
                out.extend_from_slice(name);
            }
        }
    }
    Ok(())
}

/// Whether a path is in normal form already, as nearly all are.
fn is_plain(path: &[u8]) -> bool {
    let mut start = true;
    for byte in path {
        match byte {
            b'/' if start => return false,
            // May be a hidden file and may be `.` or `..`.
            b'.' if start => return false,
            _ => start = *byte == b'/',
        }
    }
    !start
}

/// The path as text; bytes that are not UTF-8 become U+FFFD.
pub fn text(path: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brings_every_spelling_to_one_form() {
        for (path, expected) in [
            ("etc/passwd", Some("etc/passwd")),
            ("./etc/passwd", Some("etc/passwd")),
            ("/etc//passwd/", Some("etc/passwd")),
            ("/", Some("")),
            ("./", Some("")),
            ("", Some("")),
            ("a/../b/./c", Some("b/c")),
            ("a/b/../../c", Some("c")),
            (".hidden/..data/...", Some(".hidden/..data/...")),
            ("..", None),
            ("a/../../b", None),
            ("/../etc", None),
        ] {
            let mut out = Vec::new();
            let result = normalise(path.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap());
            assert_eq!(result.ok().as_deref(), expected, "{path:?}");
        }
    }
}
