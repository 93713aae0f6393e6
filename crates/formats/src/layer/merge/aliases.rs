//! Directories that go by a second name, because a symbolic link leads to them.
//!
//! A layer may write `lib/apk/db/installed` where the base has `lib -> usr/lib`: the runtime follows the link, and
//! what the base has at `usr/lib/apk/db/installed` is replaced.

use std::collections::HashMap;

use crate::layer::{LayerFacts, path};

/// Second names of one directory that are weighed.
const MAX_NAMES: usize = 16;

/// A symbolic link to a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alias<'a> {
    /// Path of the link.
    pub(super) name: &'a str,
    /// The layer it is in.
    pub(super) layer: usize,
}

/// The links of all layers by where they lead. Chains of links are not followed.
pub(super) struct Aliases<'a> {
    by_target: HashMap<String, Vec<Alias<'a>>>,
}

impl<'a> Aliases<'a> {
    pub(super) fn of(layers: &'a [LayerFacts]) -> Self {
        let mut by_target: HashMap<String, Vec<Alias<'_>>> = HashMap::new();
        for (layer, facts) in layers.iter().enumerate() {
            for link in &facts.symlinks {
                let Some(target) = target(&link.path, &link.target) else { continue };
                let names = by_target.entry(target).or_default();
                if names.len() < MAX_NAMES && names.iter().all(|alias| alias.name != link.path) {
                    names.push(Alias { name: &link.path, layer });
                }
            }
        }
        Self { by_target }
    }

    /// The second names of a directory.
    pub(super) fn of_directory(&self, directory: &str) -> &[Alias<'a>] {
        self.by_target.get(directory).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_target.is_empty()
    }
}

/// Where a link leads, from the root; `None` when it leads to the root itself or leaves it.
fn target(link: &str, target: &str) -> Option<String> {
    let directory =
        if target.starts_with('/') { "" } else { link.rsplit_once('/').map_or("", |(parent, _)| parent) };
    let mut out = Vec::new();
    path::normalise(format!("{directory}/{target}").as_bytes(), &mut out).ok()?;
    String::from_utf8(out).ok().filter(|target| !target.is_empty())
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn links_lead_where_the_runtime_would_go() {
        for (link, to, expected) in [
            ("lib", "usr/lib", Some("usr/lib")),
            ("lib", "/usr/lib/", Some("usr/lib")),
            ("var/run", "../run", Some("run")),
            ("a/b/c", "./d/../e", Some("a/b/e")),
            ("a", "..", None),
            ("a/b", "../..", None),
            ("a", ".", None),
        ] {
            assert_eq!(target(link, to).as_deref(), expected, "{link} -> {to}");
        }
    }
}
