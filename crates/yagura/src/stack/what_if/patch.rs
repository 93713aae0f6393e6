//! Unified diffs, applied exactly: a hunk whose lines are not where it says is an error, never a guess.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Changes of one file.
#[derive(Debug, PartialEq, Eq)]
pub struct FilePatch {
    /// As the diff names it; `/dev/null` for a file that is new or goes.
    before: String,
    after: String,
    hunks: Vec<Hunk>,
}

#[derive(Debug, PartialEq, Eq)]
struct Hunk {
    /// First line before, from 1.
    start: usize,
    before: Vec<String>,
    after: Vec<String>,
}

const NOTHING: &str = "/dev/null";

/// Reads a diff of any number of files.
pub fn read(text: &str) -> Result<Vec<FilePatch>> {
    let mut files: Vec<FilePatch> = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if let Some(before) = line.strip_prefix("--- ") {
            let Some((_, next)) = lines.next() else { bail!("line {}: ends after `---`", at + 1) };
            let Some(after) = next.strip_prefix("+++ ") else {
                bail!("line {}: no `+++` after `---`", at + 2)
            };
            let name = |text: &str| text.split('\t').next().unwrap_or_default().trim().to_owned();
            files.push(FilePatch { before: name(before), after: name(after), hunks: Vec::new() });
        } else if line.starts_with("@@ ") {
            let Some(file) = files.last_mut() else { bail!("line {}: a hunk of no file", at + 1) };
            let (start, mut removed, mut added) = range(line).with_context(|| format!("line {}", at + 1))?;
            let mut hunk = Hunk { start, before: Vec::new(), after: Vec::new() };
            while removed > 0 || added > 0 {
                let Some((at, line)) = lines.next() else { bail!("line {}: the hunk ends early", at + 1) };
                let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
                let owned = rest.to_owned();
                match sign {
                    " " if removed > 0 && added > 0 => {
                        hunk.before.push(owned.clone());
                        hunk.after.push(owned);
                        removed -= 1;
                        added -= 1;
                    }
                    "-" if removed > 0 => {
                        hunk.before.push(owned);
                        removed -= 1;
                    }
                    "+" if added > 0 => {
                        hunk.after.push(owned);
                        added -= 1;
                    }
                    "\\" => {}
                    _ => bail!("line {}: not what the hunk's head announces", at + 1),
                }
            }
            file.hunks.push(hunk);
        }
    }
    if files.is_empty() {
        bail!("no unified diff: there is no line that starts with `--- `");
    }
    Ok(files)
}

/// `@@ -1,2 +1,3 @@`: first line before, lines before, lines after.
fn range(line: &str) -> Result<(usize, usize, usize)> {
    let mut words = line.split(' ').skip(1);
    let mut pair = |sign: char| -> Option<(usize, usize)> {
        let text = words.next()?.strip_prefix(sign)?;
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let (before, after) = (pair('-'), pair('+'));
    let (Some((start, removed)), Some((_, added))) = (before, after) else {
        bail!("`{line}` is no hunk's head")
    };
    Ok((start, removed, added))
}

/// Applies the changes whose files lie below `root`, a copy of `original`; says how many did.
pub fn apply(patches: &[FilePatch], root: &Path, original: &Path) -> Result<usize> {
    let mut applied = 0;
    for patch in patches {
        let named = if patch.after == NOTHING { &patch.before } else { &patch.after };
        let is_new = patch.before == NOTHING;
        let Some(path) = place(named, root, original, is_new) else { continue };
        let text =
            if is_new { String::new() } else { fs::read_to_string(&path).with_context(|| named.clone())? };
        if patch.after == NOTHING {
            fs::remove_file(&path).with_context(|| named.clone())?;
        } else {
            let changed = changed(&text, &patch.hunks).with_context(|| named.clone())?;
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, changed).with_context(|| named.clone())?;
        }
        applied += 1;
    }
    Ok(applied)
}

/// The file in the copy that a diff means: its name as it stands, without its first part (`a/`, `b/`), or below the
/// original's own name. Never outside the copy.
fn place(named: &str, root: &Path, original: &Path, is_new: bool) -> Option<PathBuf> {
    let name = Path::new(named);
    let stripped: PathBuf = name.components().skip(1).collect();
    let candidates = [name.to_path_buf(), stripped];
    let inside = candidates.iter().map(|candidate| {
        // Without its first part an absolute path has no root.
        let rootless = original.strip_prefix("/").unwrap_or(original);
        let below = candidate.strip_prefix(original).or_else(|_| candidate.strip_prefix(rootless));
        let below = below.unwrap_or(candidate);
        below.to_path_buf()
    });
    let safe = |path: &PathBuf| {
        !path.as_os_str().is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    let mut safe = inside.filter(safe).map(|path| (root.join(&path), path));
    if is_new {
        // The shorter name is the one without the prefix that tools write.
        return safe.next_back().map(|(path, _)| path);
    }
    safe.find(|(path, _)| path.is_file()).map(|(path, _)| path)
}

fn changed(text: &str, hunks: &[Hunk]) -> Result<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    let mut at = 0;
    for hunk in hunks {
        // An empty "before" stands after the line it names.
        let start = if hunk.before.is_empty() { hunk.start } else { hunk.start.saturating_sub(1) };
        let end = start.saturating_add(hunk.before.len());
        if start < at || lines.get(start..end).is_none_or(|there| there != hunk.before) {
            bail!(
                "the hunk at line {} does not fit: the file has changed since the patch was made",
                hunk.start
            );
        }
        out.extend(lines.get(at..start).unwrap_or_default());
        out.extend(hunk.after.iter().map(String::as_str));
        at = end;
    }
    out.extend(lines.get(at..).unwrap_or_default());
    let mut text = out.join("\n");
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{apply, read};
    use std::fs;
    use std::path::Path;

    #[test]
    fn a_patch_applies_exactly_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.yaml"), "one\ntwo\nthree\nfour\n").unwrap();
        let patch = "--- a/a.yaml\n+++ b/a.yaml\n@@ -2,2 +2,3 @@\n two\n-three\n+3\n+3.5\n--- /dev/null\n+++ b/sub/new.yaml\n@@ -0,0 +1 @@\n+new\n";
        let original = Path::new("/elsewhere/stack");
        assert_eq!(apply(&read(patch).unwrap(), root.path(), original).unwrap(), 2);
        assert_eq!(fs::read_to_string(root.path().join("a.yaml")).unwrap(), "one\ntwo\n3\n3.5\nfour\n");
        assert_eq!(fs::read_to_string(root.path().join("sub/new.yaml")).unwrap(), "new\n");
        let error = apply(&read(patch).unwrap(), root.path(), original).unwrap_err();
        assert!(format!("{error:#}").contains("does not fit"));
    }

    #[test]
    fn no_patch_leaves_its_directory() {
        let root = tempfile::tempdir().unwrap();
        for name in ["../../x", "/etc/x", "b/../../x"] {
            let patch = format!("--- /dev/null\n+++ {name}\n@@ -0,0 +1 @@\n+x\n");
            let applied = apply(&read(&patch).unwrap(), root.path(), Path::new("/s")).unwrap();
            let inside = root.path().join("etc/x").exists() || root.path().join("x").exists();
            assert!(applied == 0 || inside, "{name}");
        }
        assert!(!root.path().parent().unwrap().join("x").exists());
        assert!(read("hello\n").is_err() && read("@@ -1 +1 @@\n").is_err());
    }
}
