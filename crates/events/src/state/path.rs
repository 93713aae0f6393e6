//! Joining paths as they are asked for into the ones that are meant.

/// Longest path that is built.
const MAX_PATH_BYTES: usize = 1024;
/// What stands for a longer one.
const TOO_LONG: &[u8] = b"/DIR_TOO_LONG/FILENAME_TOO_LONG";

/// `path` seen from `directory`, without `.`, `..` and repeated slashes. Links are not known here.
pub(super) fn join(directory: &[u8], path: &[u8]) -> Vec<u8> {
    if directory.len() + path.len() + 1 > MAX_PATH_BYTES {
        return TOO_LONG.to_vec();
    }
    let absolute = path.first() == Some(&b'/');
    let mut joined: Vec<u8> = Vec::with_capacity(directory.len() + path.len());
    // An empty path means the root of all, as libscap has it.
    if !absolute && !path.is_empty() {
        joined.extend_from_slice(directory);
    }
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'.' if at_component(&joined) => match after {
                [b'.', b'/', after @ ..] => {
                    to_parent(&mut joined);
                    rest = after;
                }
                [b'.'] => {
                    to_parent(&mut joined);
                    rest = &[];
                }
                [b'/', after @ ..] => rest = after,
                [] => rest = after,
                _ => {
                    joined.push(byte);
                    rest = after;
                }
            },
            b'/' => {
                if joined.last() != Some(&b'/') {
                    joined.push(b'/');
                }
                rest = after;
            }
            _ => {
                joined.push(byte);
                rest = after;
            }
        }
    }
    if joined.len() > 1 && joined.last() == Some(&b'/') {
        joined.pop();
    }
    joined
}

/// Whether what comes next begins a component.
fn at_component(joined: &[u8]) -> bool {
    joined.is_empty() || joined.last() == Some(&b'/')
}

/// Takes the last component away; what is left ends in a slash.
fn to_parent(joined: &mut Vec<u8>) {
    if joined.is_empty() {
        return;
    }
    // The slash at the end belongs to the component.
    joined.pop();
    match joined.iter().rposition(|byte| *byte == b'/') {
        Some(at) => joined.truncate(at + 1),
        None => {
            joined.clear();
            joined.push(b'/');
        }
    }
}

/// The same as a directory: with a slash at its end.
pub(super) fn join_directory(directory: &[u8], path: &[u8]) -> Vec<u8> {
    let mut joined = join(directory, path);
    if joined.last() != Some(&b'/') {
        joined.push(b'/');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_cleaned() {
        for (directory, path, expected) in [
            ("/root/", "x", "/root/x"),
            ("/root/", "./x", "/root/x"),
            ("/root/", "../etc/passwd", "/etc/passwd"),
            ("/root/", "../../../etc/passwd", "/etc/passwd"),
            ("/root/", "/etc//./passwd", "/etc/passwd"),
            ("/root/", "/etc/", "/etc"),
            ("/root/", "/", "/"),
            ("/root/", ".", "/root"),
            ("/root/", "..", "/"),
            ("/root/", "a/..b/c.d/.e", "/root/a/..b/c.d/.e"),
            ("", "x", "x"),
        ] {
            let joined = join(directory.as_bytes(), path.as_bytes());
            assert_eq!(String::from_utf8_lossy(&joined), expected, "{directory} {path}");
        }
        assert_eq!(join(&[b'a'; 600], &[b'b'; 600]), TOO_LONG);
        assert_eq!(join_directory(b"/", b"tmp"), b"/tmp/");
    }
}
