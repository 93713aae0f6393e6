//! What upper layers hide of lower ones (OCI image layer specification, "Applying Changesets").

use std::collections::HashMap;

use super::aliases::{Alias, Aliases};
use crate::layer::{LayerFacts, PathKey};

/// What the layers above one do to a path of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathFate {
    Visible,
    /// This layer has another file there.
    Replaced(usize),
    /// This layer takes it away, itself or with a directory above it; not known which one where the path was named
    /// through a symbolic link.
    Removed(Option<usize>),
}

/// Answers whether a path of a layer is still there with all layers above it applied.
pub(super) struct Overlay<'a> {
    layers: &'a [LayerFacts],
    /// Directories already asked for, with the highest layer that hides what lower layers have below them.
    below: HashMap<String, Option<usize>>,
    aliases: Aliases<'a>,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(layers: &'a [LayerFacts]) -> Self {
        Self { layers, below: HashMap::new(), aliases: Aliases::of(layers) }
    }

    /// Whether `path` of `layer` can be seen from the top.
    pub(super) fn is_visible(&mut self, layer: usize, key: PathKey, path: &str) -> bool {
        if layer + 1 >= self.layers.len() {
            return true;
        }
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let hidden_from = self.replaces(layer, key).max(self.hides_below(directory));
        hidden_from.is_none_or(|highest| highest <= layer) && !self.is_hidden_by_another_name(layer, path)
    }

    /// What happens first to `path` of `layer`.
    pub(super) fn fate(&mut self, layer: usize, key: PathKey, path: &str) -> PathFate {
        if self.is_visible(layer, key, path) {
            return PathFate::Visible;
        }
        let ancestors = ancestors(path);
        let first = (layer + 1..self.layers.len()).find_map(|index| {
            let facts = self.layers.get(index)?;
            if has(&facts.non_directories, key) {
                return Some(PathFate::Replaced(index));
            }
            (has_any(facts, key) || ancestors.iter().any(|ancestor| hides(facts, *ancestor)))
                .then_some(PathFate::Removed(Some(index)))
        });
        first.unwrap_or(PathFate::Removed(None))
    }

    /// Whether a layer above `layer` hides `path` by naming it through a symbolic link to one of its directories.
    fn is_hidden_by_another_name(&self, layer: usize, path: &str) -> bool {
        if self.aliases.is_empty() {
            return false;
        }
        path.match_indices('/').any(|(end, _)| {
            let (directory, rest) =
                (path.get(..end).unwrap_or_default(), path.get(end + 1..).unwrap_or_default());
            let mut names = self.aliases.of_directory(directory).iter();
            names.any(|alias| self.is_hidden_through(layer, *alias, rest))
        })
    }

    fn is_hidden_through(&self, layer: usize, alias: Alias<'_>, rest: &str) -> bool {
        let name = |part: &str| PathKey::of(format!("{}/{part}", alias.name).as_bytes());
        let key = name(rest);
        // The link itself is no directory; only what is named below it says something.
        let between: Vec<_> =
            rest.match_indices('/').filter_map(|(end, _)| rest.get(..end)).map(name).collect();
        (alias.layer.max(layer + 1)..self.layers.len())
            .filter_map(|index| self.layers.get(index))
            .any(|facts| has_any(facts, key) || between.iter().any(|directory| hides(facts, *directory)))
    }

    /// Whether what `lower` has at `path` was taken away by a layer up to and with `upper`; being written anew at the
    /// same path does not count.
    pub(super) fn is_removed_between(&self, lower: usize, upper: usize, key: PathKey, path: &str) -> bool {
        let keys = ancestors(path);
        (lower + 1..=upper).filter_map(|index| self.layers.get(index)).any(|facts| {
            has(&facts.whiteouts, key)
                || has(&facts.directories, key)
                || keys.iter().any(|ancestor| hides(facts, *ancestor))
        })
    }

    /// The highest layer above `layer` that has something of its own, or a whiteout, at this path.
    fn replaces(&self, layer: usize, key: PathKey) -> Option<usize> {
        (layer + 1..self.layers.len())
            .rev()
            .find(|index| self.layers.get(*index).is_some_and(|facts| has_any(facts, key)))
    }

    /// The highest layer that hides everything lower layers have below `directory`: because it removes the
    /// directory or one above it, makes one of them opaque, or has something in its place that is no directory.
    fn hides_below(&mut self, directory: &str) -> Option<usize> {
        if let Some(known) = self.below.get(directory) {
            return *known;
        }
        let mut highest = self.hides_at("");
        let ends = directory.match_indices('/').map(|(end, _)| end);
        for end in ends.chain((!directory.is_empty()).then_some(directory.len())) {
            let Some(ancestor) = directory.get(..end) else { continue };
            highest = match self.below.get(ancestor) {
                Some(known) => *known,
                None => highest.max(self.hides_at(ancestor)),
            };
            if end < directory.len() && !self.below.contains_key(ancestor) {
                self.below.insert(ancestor.to_owned(), highest);
            }
        }
        self.below.insert(directory.to_owned(), highest);
        highest
    }

    fn hides_at(&self, directory: &str) -> Option<usize> {
        let key = PathKey::of(directory.as_bytes());
        (0..self.layers.len())
            .rev()
            .find(|index| self.layers.get(*index).is_some_and(|facts| hides(facts, key)))
    }
}

/// The keys of the directories above a path, the root's among them.
fn ancestors(path: &str) -> Vec<PathKey> {
    let above = path.match_indices('/').filter_map(|(end, _)| path.get(..end)).chain([""]);
    above.map(|ancestor| PathKey::of(ancestor.as_bytes())).collect()
}

/// Whether a layer has something of its own, or a whiteout, at a path.
fn has_any(facts: &LayerFacts, key: PathKey) -> bool {
    has(&facts.non_directories, key) || has(&facts.directories, key) || has(&facts.whiteouts, key)
}

/// Whether a layer hides what lower layers have below the directory of this key.
fn hides(facts: &LayerFacts, directory: PathKey) -> bool {
    has(&facts.opaque, directory)
        || has(&facts.whiteouts, directory)
        || has(&facts.non_directories, directory)
}

fn has(sorted: &[PathKey], key: PathKey) -> bool {
    sorted.binary_search(&key).is_ok()
}
