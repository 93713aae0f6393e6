//! Prints what the configuration of a directory says: `cargo run --release -p yagura-configuration --example resources DIR`.
//!
//! With `--count` it prints only how many resources and problems there are, which is what benches run.

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use yagura_configuration::{Parsed, Reach, SOURCES, SourceFile};
use yagura_formats::document::{Node, Value};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let count = arguments.iter().any(|argument| argument == "--count");
    let root = arguments.iter().find(|argument| !argument.starts_with("--")).map_or(".", String::as_str);
    let mut paths = Vec::new();
    walk(Path::new(root), &mut paths)?;
    paths.sort();
    let texts: Vec<(String, String)> = paths
        .iter()
        .filter_map(|path| {
            let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
            Some((relative, fs::read_to_string(path).ok()?))
        })
        .collect();
    for source in SOURCES {
        let files: Vec<SourceFile<'_>> = texts
            .iter()
            .filter(|(path, text)| (source.wants)(path) && (source.recognises)(path, text))
            .map(|(path, text)| SourceFile { path, text })
            .collect();
        let sets: Vec<&[SourceFile<'_>]> = match source.reach {
            Reach::File => files.chunks(1).collect(),
            Reach::Tree => vec![&files],
        };
        for files in sets.into_iter().filter(|files| !files.is_empty()) {
            let mut parsed = Parsed::default();
            (source.parse)(files, &mut parsed);
            if count {
                let (resources, problems) = (parsed.resources.len(), parsed.problems.len());
                println!(
                    "{}: {} files, {resources} resources, {problems} problems",
                    source.name,
                    files.len()
                );
                continue;
            }
            for resource in &parsed.resources {
                println!("{} {} {}", resource.kind, resource.name, at(files, &resource.node));
                show(files, &resource.node, 1);
            }
            for problem in &parsed.problems {
                let path = files.get(problem.source as usize).map_or("", |file| file.path);
                println!("problem: {path}:{}: {}", problem.line, problem.detail);
            }
        }
    }
    Ok(())
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with(".git") {
            walk(&path, paths)?;
        } else if path.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn at(files: &[SourceFile<'_>], node: &Node<'_>) -> String {
    let path = files.get(node.span.source as usize).map_or("", |file| file.path);
    format!("{path}:{}", node.span.line)
}

fn show(files: &[SourceFile<'_>], node: &Node<'_>, depth: usize) {
    let pad = "  ".repeat(depth);
    for entry in node.entries() {
        let name = entry.key.scalar().unwrap_or_default();
        match &entry.value.value {
            Value::Mapping(_) => {
                println!("{pad}{name}:");
                show(files, &entry.value, depth + 1);
            }
            Value::Sequence(items) => {
                println!("{pad}{name}: {} items", items.len());
                for item in items {
                    println!("{pad}- {} {}", scalar(item), at(files, item));
                    show(files, item, depth + 1);
                }
            }
            _ => println!("{pad}{name}: {} {}", scalar(&entry.value), at(files, &entry.value)),
        }
    }
}

fn scalar(node: &Node<'_>) -> String {
    match &node.value {
        Value::Unknown => format!("? {}", node.tag.as_deref().unwrap_or_default()),
        Value::String(text) => format!("{text:?}"),
        _ => node.scalar().unwrap_or_default().to_owned(),
    }
}
