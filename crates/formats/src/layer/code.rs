//! Which files hold code: whatever a processor, an interpreter or a compiler would take. A package without any of it
//! cannot carry the flaws of its source's code, so in doubt a file counts as code.

/// What follows the last dot of files that hold code, or archives that may hold it.
const EXTENSIONS: &[&str] = &[
    "a", "asm", "awk", "bat", "bin", "c", "cc", "cgi", "cjs", "class", "clj", "cmd", "cpp", "cs", "cxx",
    "deb", "dll", "dylib", "ear", "efi", "egg", "el", "elc", "erl", "ex", "exe", "exs", "f", "f90", "fw",
    "go", "h", "hh", "hpp", "hs", "hxx", "inc", "ipp", "jar", "java", "jmod", "jl", "js", "jsm", "ko", "kt",
    "lua", "m", "mjs", "ml", "nasl", "node", "nse", "o", "out", "php", "phar", "pl", "pm", "pod", "ps1",
    "py", "pyc", "pyo", "pyx", "r", "rb", "rom", "rpm", "rs", "s", "scala", "scm", "sh", "so", "sql",
    "swift", "tcl", "ts", "vim", "war", "wasm", "whl", "xpi", "zip", "zsh",
];

/// Whether a file holds code, by its mode, its name or its first bytes.
pub(super) fn holds_code(path: &[u8], mode: u32, head: &[u8]) -> bool {
    if mode & 0o111 != 0 || head.starts_with(b"#!") {
        return true;
    }
    let magic = [&b"\x7fELF"[..], b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa", b"\xca\xfe\xba\xbe", b"\0asm"];
    if magic.iter().any(|magic| head.starts_with(magic)) {
        return true;
    }
    is_named_as_code(path)
}

/// Whether a file's name alone says that it holds code.
pub fn is_named_as_code(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    // `libz.so.1` and `module.ko.xz` end otherwise; `name.tar.gz` may hold anything.
    let mut parts = name.split(|byte| *byte == b'.').skip(1);
    parts.any(|part| {
        part == b"tar" || EXTENSIONS.iter().any(|known| part.eq_ignore_ascii_case(known.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::holds_code;

    #[test]
    fn in_doubt_it_is_code() {
        for (path, mode, head, expected) in [
            ("usr/bin/tool", 0o755, &b"\x7fELF"[..], true),
            ("usr/lib/libz.so.1.2", 0o644, b"\x7fELF", true),
            ("usr/lib/python3/a.py", 0o644, b"import", true),
            ("lib/modules/a.ko.xz", 0o644, b"\xfd7zXZ", true),
            ("usr/src/a.tar.gz", 0o644, b"\x1f\x8b", true),
            ("usr/share/tool/run", 0o644, b"#!/bin/sh", true),
            ("usr/include/a.H", 0o644, b"", true),
            ("usr/share/doc/a/copyright", 0o644, b"Format", false),
            ("usr/share/locale/de/LC_MESSAGES/a.gmo", 0o644, b"\xde\x12", false),
            ("usr/share/man/man1/a.1.gz", 0o644, b"\x1f\x8b", false),
            ("etc/a.conf", 0o644, b"", false),
        ] {
            assert_eq!(holds_code(path.as_bytes(), mode, head), expected, "{path}");
        }
    }
}
