//! Compose files: `compose/service`, one shape whatever notation a file uses.
//!
//! The format is the Compose Specification (<https://github.com/compose-spec/compose-spec>), which versions 2 and 3 of
//! the older files are part of. `extends` is followed within the set of files, short notations become the long ones,
//! and what only the environment of whoever starts it knows is unknown.

mod interpolation;
mod service;

use std::borrow::Cow;
use std::collections::HashSet;

use yagura_formats::document::{Entry, Node, Tree, Value, yaml};
use yagura_model::SkipReason;

use crate::source::extension;
use crate::{Parsed, Problem, Reach, Resource, Source, SourceFile};

pub const SOURCE: Source = Source {
    name: "compose",
    reach: Reach::Tree,
    wants: |path| matches!(extension(path), "yaml" | "yml"),
    recognises,
    max_bytes: 8 << 20,
    parse,
    subjects: crate::source::whole_only,
    example: "compose.yaml",
};

/// Longest chain of `extends`.
const MAX_EXTENDS: u32 = 16;
/// Most nodes that `extends` may add in one set of files.
const MAX_EXTENDED: usize = 1_000_000;

/// A compose file by its name, or by services at the top with an image or a build.
fn recognises(path: &str, text: &str) -> bool {
    let top =
        |key: &str| text.lines().any(|line| line.trim_end() == key || line.starts_with(&format!("{key} ")));
    if !text.contains("services") || top("apiVersion:") || text.starts_with("apiVersion:") {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.contains("compose") {
        return true;
    }
    top("services:") && (text.contains("image:") || text.contains("build:"))
}

fn parse<'a>(files: &[SourceFile<'a>], out: &mut Parsed<'a>) {
    let mut trees: Vec<Tree<'a>> = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let source = u32::try_from(index).unwrap_or(u32::MAX);
        let mut tree = yaml::parse(file.text);
        out.tree_problems(source, &tree.problems);
        tree.documents.iter_mut().for_each(|document| place(document, source));
        trees.push(tree);
    }
    let project = Project { files, trees: &trees };
    let mut budget = MAX_EXTENDED;
    for (index, tree) in trees.iter().enumerate() {
        let Some(services) = tree.root().and_then(|root| root.get("services")) else { continue };
        for entry in services.entries() {
            let Some(name) = entry.key.scalar() else { continue };
            let mut visited = HashSet::new();
            match project.service(index, name, &mut visited, &mut budget) {
                Ok(merged) => {
                    let node = service::normalised(merged, &entry.key);
                    let kind = Cow::Borrowed("compose/service");
                    out.resources.push(Resource { kind, name: name.to_owned(), node });
                }
                Err(detail) => out.problems.push(Problem {
                    source: u32::try_from(index).unwrap_or(u32::MAX),
                    line: entry.key.span.line,
                    reason: SkipReason::Malformed,
                    detail,
                }),
            }
        }
    }
}

/// Says of every node which file it stands in.
fn place(node: &mut Node<'_>, source: u32) {
    node.span.source = source;
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(|item| place(item, source)),
        Value::Mapping(entries) => {
            for entry in entries {
                place(&mut entry.key, source);
                place(&mut entry.value, source);
            }
        }
        _ => {}
    }
}

struct Project<'p, 'a> {
    files: &'p [SourceFile<'a>],
    trees: &'p [Tree<'a>],
}

impl<'a> Project<'_, 'a> {
    /// A service with what it extends merged in.
    fn service(
        &self,
        file: usize,
        name: &str,
        visited: &mut HashSet<(usize, String)>,
        budget: &mut usize,
    ) -> Result<Node<'a>, String> {
        if !visited.insert((file, name.to_owned())) || visited.len() > MAX_EXTENDS as usize {
            return Err(format!(
                "service `{name}` extends itself, or through more than {MAX_EXTENDS} others"
            ));
        }
        let root = self.trees.get(file).and_then(Tree::root);
        let own = root
            .and_then(|root| root.at(&["services", name]))
            .ok_or_else(|| format!("there is no service `{name}` to extend"))?;
        let Some(extends) = own.get("extends") else {
            spend(own, budget)?;
            return Ok(own.clone());
        };
        let target = extends.scalar().or_else(|| extends.text_of("service")).unwrap_or_default();
        let base = match extends.text_of("file") {
            None => self.service(file, target, visited, budget)?,
            Some(path) => match self.find(file, path) {
                Some(other) => self.service(other, target, visited, budget)?,
                // A file that is not among ours: what it says cannot be known.
                None => Node::new(extends.span, Value::Unknown),
            },
        };
        spend(own, budget)?;
        Ok(merge(base, own.clone()))
    }

    /// The file of a path as another file names it.
    fn find(&self, from: usize, path: &str) -> Option<usize> {
        let here = self.files.get(from)?.path;
        let mut parts: Vec<&str> =
            here.rsplit_once('/').map_or("", |(folder, _)| folder).split('/').collect();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop()?;
                }
                part => parts.push(part),
            }
        }
        let wanted = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        self.files.iter().position(|file| file.path == wanted)
    }
}

fn spend(node: &Node<'_>, budget: &mut usize) -> Result<(), String> {
    fn weigh(node: &Node<'_>) -> usize {
        let items: usize = node.items().iter().map(weigh).sum();
        let entries: usize = node.entries().iter().map(|entry| 1 + weigh(&entry.value)).sum();
        1 + items + entries
    }
    *budget = budget
        .checked_sub(weigh(node))
        .ok_or_else(|| format!("`extends` makes more than {MAX_EXTENDED} values"))?;
    Ok(())
}

/// Values of the extending service win; mappings merge, lists are joined, commands are replaced.
fn merge<'a>(base: Node<'a>, own: Node<'a>) -> Node<'a> {
    let (mut kept, new) = match (base.value, own.value) {
        (Value::Mapping(kept), Value::Mapping(new)) => (kept, new),
        (Value::Unknown, Value::Mapping(new)) => {
            // Nobody knows what else it says: rules see that under a key of its own.
            let unknown = Entry {
                key: Node::new(base.span, Value::String(Cow::Borrowed("extends"))),
                value: Node::new(base.span, Value::Unknown),
            };
            (vec![unknown], new)
        }
        (_, value) => return Node { value, ..own },
    };
    for entry in new {
        let Some(key) = entry.key.scalar().map(str::to_owned) else { continue };
        if key == "extends" {
            continue;
        }
        let place = kept.iter().position(|known| known.key.scalar() == Some(key.as_str()));
        let Some(place) = place.and_then(|place| kept.get_mut(place)) else {
            kept.push(entry);
            continue;
        };
        let before = std::mem::replace(&mut place.value, Node::new(entry.value.span, Value::Null));
        place.value = match (before.value, entry.value.value) {
            (Value::Sequence(mut items), Value::Sequence(more))
                if !matches!(key.as_str(), "command" | "entrypoint") =>
            {
                items.extend(more);
                Node::new(entry.value.span, Value::Sequence(items))
            }
            (Value::Mapping(one), Value::Mapping(other)) => merge(
                Node::new(before.span, Value::Mapping(one)),
                Node::new(entry.value.span, Value::Mapping(other)),
            ),
            (_, value) => Node { value, ..entry.value },
        };
        place.key = entry.key;
    }
    Node::new(own.span, Value::Mapping(kept))
}

#[cfg(test)]
mod tests;
