//! Lists every data file below this directory, so that adding one touches no code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Endings of data files.
const ENDINGS: &[&str] = &["yaml", "yml", "json", "yar", "txt", "rego"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut families: Vec<PathBuf> =
        entries(&root)?.into_iter().filter(|path| path.is_dir() && !path.ends_with("target")).collect();
    families.sort();
    let mut code = String::from("static FAMILIES: &[(&str, &[RuleFile])] = &[\n");
    for family in families {
        let mut files = Vec::new();
        walk(&family, &mut files)?;
        files.sort();
        let name = family.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(code, "({name:?}, &[");
        for file in files {
            let path = file.strip_prefix(&family).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let _ = writeln!(code, "RuleFile {{ path: {path:?}, text: include_str!({file:?}) }},");
        }
        code.push_str("]),\n");
    }
    code.push_str("];\n");
    println!("cargo::rerun-if-changed={}", root.display());
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("families.rs"), code)
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect()
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in entries(directory)? {
        if path.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known)) {
            files.push(path);
        }
    }
    Ok(())
}
