//! `pmatch`: whether one of many paths is a prefix of another, component by component.

use std::collections::HashMap;

use super::glob::Glob;

/// Paths to look for, as a tree of their components. A component may be a glob.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    root: Level,
}

#[derive(Clone, Debug, Default)]
struct Level {
    /// A path ends here, so everything below it matches.
    ends: bool,
    plain: HashMap<Box<[u8]>, Level>,
    globs: Vec<(Box<[u8]>, Glob, Level)>,
}

impl PathSet {
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut set = Self::default();
        for path in paths {
            let mut level = &mut set.root;
            for component in components(path) {
                level = level.enter(component);
            }
            level.ends = true;
        }
        set
    }

    pub fn matches(&self, path: &[u8]) -> bool {
        self.root.matches(path)
    }
}

impl Level {
    fn enter(&mut self, component: &[u8]) -> &mut Level {
        if !Glob::is_pattern(component) {
            return self.plain.entry(component.into()).or_default();
        }
        let known = self.globs.iter().position(|(text, ..)| text.as_ref() == component);
        let at = known.unwrap_or_else(|| {
            self.globs.push((component.into(), Glob::new(component, false), Level::default()));
            self.globs.len() - 1
        });
        &mut self.globs[at].2
    }

    /// Recursion goes as deep as the paths of the set do.
    fn matches(&self, path: &[u8]) -> bool {
        if self.ends {
            return true;
        }
        let Some((component, rest)) = next(path) else { return false };
        if self.plain.get(component).is_some_and(|level| level.matches(rest)) {
            return true;
        }
        self.globs.iter().any(|(_, glob, level)| glob.matches(component) && level.matches(rest))
    }
}

/// The next component that is not empty, and what follows it.
fn next(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = path.iter().position(|byte| *byte != b'/')?;
    let path = path.get(start..)?;
    let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
    path.split_at_checked(end)
}

fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|component| !component.is_empty())
}

#[cfg(test)]
mod tests {
    use super::PathSet;

    #[test]
    fn a_path_matches_itself_and_what_is_below() {
        let set = PathSet::new([&b"/var/run"[..], b"/etc", b"/lib/*/modules", b"/usr/lib", b"/usr"]);
        for (path, expected) in [
            ("/var/run/docker", true),
            ("/var/run", true),
            ("/var", false),
            ("/var/runner", false),
            ("/boot", false),
            ("/etc//passwd", true),
            ("/lib/x/modules/y", true),
            ("/lib/x", false),
            ("/usr/bin", true),
            ("", false),
        ] {
            assert_eq!(set.matches(path.as_bytes()), expected, "{path}");
        }
        assert!(PathSet::new([&b"/"[..]]).matches(b"/anything"));
        assert!(!PathSet::new([]).matches(b"/anything"));
    }
}
