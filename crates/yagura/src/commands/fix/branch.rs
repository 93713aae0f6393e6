//! A commit on a new branch, by git's own plumbing: neither the working tree nor the index is touched.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Commits the changed files on top of HEAD as a new branch; gives the commit.
pub fn commit(
    root: &Path,
    name: &str,
    changed: &BTreeMap<&String, &String>,
    message: &str,
) -> Result<String> {
    let directory = if root.is_dir() {
        root
    } else {
        root.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."))
    };
    let git = Git { directory };
    git.run(&["check-ref-format", "--branch", name], None).with_context(|| format!("--branch {name}"))?;
    if git.run(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}")], None).is_ok() {
        bail!("--branch {name}: there is such a branch already");
    }
    let head = git.run(&["rev-parse", "HEAD"], None)?;
    let prefix = git.run(&["rev-parse", "--show-prefix"], None)?;
    let index = tempfile_name(&git)?;
    let environment = ("GIT_INDEX_FILE", index.as_os_str());
    let result = (|| {
        git.with(&["read-tree", "HEAD"], None, Some(environment))?;
        for (path, text) in changed {
            let path = if root.is_dir() {
                (*path).clone()
            } else {
                root.file_name().unwrap_or_default().to_string_lossy().into_owned()
            };
            let full = format!("{prefix}{path}");
            let entry = git.run(&["ls-tree", "HEAD", "--", &path], None)?;
            let Some(mode) = entry.split_whitespace().next().map(str::to_owned) else {
                bail!("{full} is not in the last commit: commit it first");
            };
            if git.run(&["diff", "--quiet", "HEAD", "--", &path], None).is_err() {
                bail!("{full} has changes that are not committed: commit or stash them first");
            }
            let blob = git.run(&["hash-object", "-w", "--stdin"], Some(text.as_bytes()))?;
            let info = format!("{mode},{blob},{full}");
            git.with(&["update-index", "--cacheinfo", &info], None, Some(environment))?;
        }
        let tree = git.with(&["write-tree"], None, Some(environment))?;
        let commit = git.run(&["commit-tree", &tree, "-p", &head], Some(message.as_bytes()))?;
        git.run(&["branch", name, &commit], None)?;
        Ok(commit)
    })();
    // The index of our own is of no more use; git makes no other files beside it.
    let _ = std::fs::remove_file(&index);
    result
}

/// A name for an index of our own, in git's directory.
fn tempfile_name(git: &Git<'_>) -> Result<std::path::PathBuf> {
    let directory = git.run(&["rev-parse", "--absolute-git-dir"], None)?;
    Ok(Path::new(&directory).join(format!("yagura-index-{}", std::process::id())))
}

struct Git<'d> {
    directory: &'d Path,
}

impl Git<'_> {
    fn run(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<String> {
        self.with(arguments, input, None)
    }

    fn with(
        &self,
        arguments: &[&str],
        input: Option<&[u8]>,
        variable: Option<(&str, &OsStr)>,
    ) -> Result<String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.directory).args(arguments).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some((name, value)) = variable {
            command.env(name, value);
        }
        let mut child = command.spawn().context("git cannot be run")?;
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            pipe.write_all(input).context("writing to git")?;
        }
        let output = child.wait_with_output().context("waiting for git")?;
        if !output.status.success() {
            bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}
