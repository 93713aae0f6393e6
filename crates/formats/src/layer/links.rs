//! Files whose bytes had passed before something made them evidence: a further name of theirs (a hard link), or a
//! symbolic link under which a package manager finds its database. They are read in a second pass over their layer,
//! which few layers need.

use std::collections::HashMap;

use super::path::text;
use super::{LayerFacts, PathKey, Selection, SkipLog};
use crate::catalogue::Select;
use yagura_model::SkipReason;

/// Bound for the paths that are remembered.
const MAX_BYTES: usize = 64 << 20;
/// Symbolic links that are followed one after the other.
const MAX_HOPS: usize = 8;

/// A file to be read under another name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnreadLink {
    /// The name that makes it evidence.
    pub path: String,
    /// The name under which the layer stores its bytes.
    pub target: PathKey,
}

/// What a first pass could not read.
#[derive(Default)]
pub(super) struct UnreadLinks {
    by_path: HashMap<PathKey, UnreadLink>,
    bytes: usize,
}

impl UnreadLinks {
    /// Remembers a hard link.
    pub(super) fn add(&mut self, path: &[u8], target: &[u8], skips: &mut SkipLog) {
        let path_text = text(path).into_owned();
        self.bytes = self.bytes.saturating_add(path_text.len() + size_of::<UnreadLink>());
        if self.bytes > MAX_BYTES {
            let detail = "hard link to a file whose bytes had passed under another name; too many of them";
            skips.add(&path_text, SkipReason::TooMany, detail);
            return;
        }
        let link = UnreadLink { path: path_text, target: PathKey::of(target) };
        self.by_path.insert(PathKey::of(path), link);
    }

    /// The path has become something else.
    pub(super) fn forget(&mut self, path: PathKey) {
        if !self.by_path.is_empty() {
            self.by_path.remove(&path);
        }
    }

    /// All of them, with the package databases that symbolic links of the layer lead to.
    pub(super) fn finish(self, facts: &LayerFacts, selection: &Selection) -> Vec<UnreadLink> {
        let mut links: Vec<UnreadLink> = self.by_path.into_values().collect();
        links.extend(databases(facts, selection));
        links.sort();
        links
    }
}

/// Databases at well-known paths that the layer stores under names nobody looks for.
fn databases(facts: &LayerFacts, selection: &Selection) -> Vec<UnreadLink> {
    let targets: HashMap<&str, &str> =
        facts.symlinks.iter().map(|link| (link.path.as_str(), link.target.as_str())).collect();
    let mut found = Vec::new();
    if targets.is_empty() {
        return found;
    }
    for cataloguer in selection.cataloguers() {
        for select in cataloguer.selects {
            let Select::Path(path) = select else { continue };
            let Some(stored) = resolve(path, &targets).filter(|stored| stored != path) else { continue };
            let mut chosen = Vec::new();
            selection.by_path(stored.as_bytes(), &mut chosen);
            let known = chosen.iter().filter_map(|index| selection.cataloguer(*index));
            let key = PathKey::of(stored.as_bytes());
            if known.into_iter().all(|known| known.name != cataloguer.name)
                && facts.non_directories.contains(&key)
            {
                found.push(UnreadLink { path: (*path).to_owned(), target: key });
            }
        }
    }
    found.dedup();
    found
}

/// Where a path leads; `None` when it leaves the root or never ends.
fn resolve(path: &str, links: &HashMap<&str, &str>) -> Option<String> {
    let mut path = path.to_owned();
    for _ in 0..MAX_HOPS {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        let link = ends
            .filter_map(|end| path.split_at_checked(end))
            .find_map(|(start, rest)| Some((start, *links.get(start)?, rest)));
        let Some((start, target, rest)) = link else { return Some(path) };
        let above = start.rsplit_once('/').map_or("", |(above, _)| above);
        let joined = match target.strip_prefix('/') {
            Some(absolute) => format!("{absolute}{rest}"),
            None => format!("{above}/{target}{rest}"),
        };
        let mut normal = Vec::new();
        super::path::normalise(joined.as_bytes(), &mut normal).ok()?;
        path = String::from_utf8(normal).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_links_are_followed_within_the_root() {
        let links = HashMap::from([
            ("var/lib/rpm", "../../usr/lib/elsewhere"),
            ("usr/lib/elsewhere", "/opt/db"),
            ("a", "b"),
            ("b", "a"),
            ("out", "../../etc"),
        ]);
        assert_eq!(resolve("var/lib/rpm/Packages", &links).as_deref(), Some("opt/db/Packages"));
        assert_eq!(resolve("etc/os-release", &links).as_deref(), Some("etc/os-release"));
        assert_eq!(resolve("a/x", &links), None);
        assert_eq!(resolve("out/x", &links), None);
    }
}
