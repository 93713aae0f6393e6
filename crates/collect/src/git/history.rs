//! From references to the versions of files, each told with the commit that brought it.

use std::collections::{HashMap, HashSet};

use yagura_formats::git::{self, ObjectId, ObjectKind};
use yagura_model::{SkipReason, Skipped};

use super::store::{Object, Repository};

const MAX_COMMITS: usize = 10_000_000;
/// Directories in directories.
const MAX_DEPTH: usize = 128;
/// Most skipped things listed one by one; more are counted together.
const MAX_SKIPPED: u64 = 50;

/// A version of a file.
pub struct Introduced<'a> {
    pub path: &'a str,
    pub mode: u32,
    pub content: &'a [u8],
    /// The first commit that has it.
    pub commit: &'a str,
    /// Name and address.
    pub author: &'a str,
    /// `YYYY-MM-DD`.
    pub date: &'a str,
    /// Whether the commit that is checked out has it.
    pub present: bool,
}

/// Shows every version of every file to `visit`, oldest first, each once. Returns how many there were, and what could
/// not be read.
pub fn scan_history(
    repository: &mut Repository,
    visit: &mut dyn FnMut(&Introduced<'_>),
) -> (u64, Vec<Skipped>) {
    let mut history = History {
        trees: HashSet::new(),
        blobs: HashSet::new(),
        present: HashSet::new(),
        skipped: Vec::new(),
        uncounted: 0,
        files: 0,
    };
    if let Some(head) = repository.head()
        && let Some(commit) = history.commit(repository, head)
    {
        history.list(repository, commit.tree, 0);
        history.trees.clear();
    }
    for id in history.in_order(repository) {
        let Some(commit) = history.commit(repository, id) else { continue };
        let (name, date) = (id.to_string(), date(commit.time));
        let mut show = |path: &str, mode, content: &[u8], present| {
            visit(&Introduced {
                path,
                mode,
                content,
                commit: &name,
                author: &commit.author,
                date: &date,
                present,
            });
        };
        history.walk(repository, commit.tree, &mut String::new(), 0, &mut show);
    }
    let mut skipped = history.skipped;
    if history.uncounted > 0 {
        let mut rest = Skipped::new("", SkipReason::Malformed, "further objects could not be read");
        rest.count = history.uncounted;
        skipped.push(rest);
    }
    (history.files, skipped)
}

struct History {
    /// Trees that were walked; what they hold is known.
    trees: HashSet<ObjectId>,
    blobs: HashSet<ObjectId>,
    /// What the checked-out commit has.
    present: HashSet<ObjectId>,
    skipped: Vec<Skipped>,
    uncounted: u64,
    files: u64,
}

type Show<'s> = dyn FnMut(&str, u32, &[u8], bool) + 's;

impl History {
    fn skip(&mut self, path: &str, reason: SkipReason, detail: String) {
        if (self.skipped.len() as u64) < MAX_SKIPPED {
            self.skipped.push(Skipped::new(path, reason, detail));
        } else {
            self.uncounted += 1;
        }
    }

    fn read(
        &mut self,
        repository: &mut Repository,
        id: ObjectId,
        kind: ObjectKind,
        path: &str,
    ) -> Option<Object> {
        match repository.read(&id) {
            Ok(Some(object)) if object.kind == kind => Some(object),
            Ok(Some(_)) => {
                self.skip(path, SkipReason::Malformed, format!("object {id} is of another kind"));
                None
            }
            Ok(None) => {
                let detail = format!("object {id} is not in the repository (a shallow or partial clone?)");
                self.skip(path, SkipReason::Unreadable, detail);
                None
            }
            Err(error) => {
                self.skip(path, SkipReason::Malformed, format!("object {id}: {error}"));
                None
            }
        }
    }

    fn commit(&mut self, repository: &mut Repository, id: ObjectId) -> Option<git::Commit> {
        let object = self.read(repository, id, ObjectKind::Commit, "")?;
        match git::commit(&object.bytes) {
            Ok(commit) => Some(commit),
            Err(error) => {
                self.skip("", SkipReason::Malformed, format!("commit {id}: {error}"));
                None
            }
        }
    }

    /// Every commit that a reference reaches, parents before their children.
    fn in_order(&mut self, repository: &mut Repository) -> Vec<ObjectId> {
        let mut order = Vec::new();
        let mut state: HashMap<ObjectId, bool> = HashMap::new();
        let mut stack = Vec::new();
        for id in repository.references() {
            stack.extend(self.tip(repository, id).map(|id| (id, false)));
        }
        while let Some((id, parents_done)) = stack.pop() {
            if parents_done {
                if state.insert(id, true) != Some(true) {
                    order.push(id);
                }
                continue;
            }
            if state.contains_key(&id) || state.len() >= MAX_COMMITS {
                continue;
            }
            state.insert(id, false);
            stack.push((id, true));
            // A shallow clone ends somewhere: that is told once a commit is missing.
            let parents = self.commit(repository, id).map(|commit| commit.parents).unwrap_or_default();
            stack.extend(parents.into_iter().rev().map(|parent| (parent, false)));
        }
        order
    }

    /// The commit a reference means, through annotated tags.
    fn tip(&mut self, repository: &mut Repository, mut id: ObjectId) -> Option<ObjectId> {
        for _ in 0..8 {
            let object = repository.read(&id).ok().flatten()?;
            match object.kind {
                ObjectKind::Commit => return Some(id),
                ObjectKind::Tag => id = git::tag_target(&object.bytes)?,
                ObjectKind::Tree | ObjectKind::Blob => return None,
            }
        }
        None
    }

    /// Notes what a tree holds.
    fn list(&mut self, repository: &mut Repository, tree: ObjectId, depth: usize) {
        if depth > MAX_DEPTH || !self.trees.insert(tree) {
            return;
        }
        let Ok(Some(object)) = repository.read(&tree) else { return };
        for entry in git::tree(&object.bytes) {
            if entry.is_tree() {
                self.list(repository, entry.id, depth + 1);
            } else if entry.is_file() {
                self.present.insert(entry.id);
            }
        }
    }

    fn walk(
        &mut self,
        repository: &mut Repository,
        tree: ObjectId,
        path: &mut String,
        depth: usize,
        show: &mut Show<'_>,
    ) {
        if !self.trees.insert(tree) {
            return;
        }
        if depth > MAX_DEPTH {
            self.skip(path, SkipReason::TooDeep, format!("deeper than {MAX_DEPTH} directories"));
            return;
        }
        let Some(object) = self.read(repository, tree, ObjectKind::Tree, path) else { return };
        for entry in git::tree(&object.bytes) {
            let length = path.len();
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&String::from_utf8_lossy(entry.name));
            if entry.is_tree() {
                self.walk(repository, entry.id, path, depth + 1, show);
            } else if entry.is_file() && self.blobs.insert(entry.id) {
                self.files += 1;
                if let Some(blob) = self.read(repository, entry.id, ObjectKind::Blob, path) {
                    show(path, entry.mode & 0o7777, &blob.bytes, self.present.contains(&entry.id));
                }
            }
            path.truncate(length);
        }
    }
}

/// `YYYY-MM-DD` of a number of seconds since 1970; empty where the calendar does not reach.
fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
