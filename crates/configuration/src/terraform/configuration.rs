//! The files of a tree as modules: which blocks each directory holds, and which directories nobody calls.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use yagura_formats::document::json::{self, Dialect};
use yagura_formats::document::{Problem as Broken, Span};
use yagura_model::SkipReason;

use super::syntax::{Attribute, Block, Body, File, parse, parse_json};
use crate::{Problem, SourceFile};

/// Every file of a tree, parsed.
#[derive(Default)]
pub struct Files<'a> {
    /// Bodies of configuration files by directory, in the order of their names.
    directories: BTreeMap<&'a str, Vec<Body<'a>>>,
    /// Bodies of tfvars files by directory, in the order in which they count.
    variables: BTreeMap<&'a str, Vec<Body<'a>>>,
    /// Values that the caller names; they count before all others.
    asked: Vec<Body<'a>>,
    /// Where `terraform init` put modules: the key of a call to the directory.
    installed: HashMap<String, String>,
    /// What `file()` may read.
    pub texts: HashMap<&'a str, (u32, &'a str)>,
}

/// One directory as a module.
pub struct Module<'c, 'a> {
    pub directory: &'a str,
    pub variables: HashMap<&'c str, &'c Block<'a>>,
    pub locals: HashMap<&'c str, &'c Attribute<'a>>,
    pub outputs: HashMap<&'c str, &'c Block<'a>>,
    pub calls: Vec<Call<'c, 'a>>,
    pub resources: Vec<Resource<'c, 'a>>,
    /// By `type.name`, `data.` before it for data sources.
    pub by_name: HashMap<(bool, &'c str, &'c str), usize>,
    pub providers: Vec<(&'c str, &'c Block<'a>)>,
    /// Values from tfvars files; the last that names a variable counts.
    pub given: HashMap<&'c str, &'c Attribute<'a>>,
}

/// A `module` block.
#[derive(Clone, Copy)]
pub struct Call<'c, 'a> {
    pub name: &'c str,
    pub block: &'c Block<'a>,
}

/// A `resource` or `data` block.
#[derive(Clone, Copy)]
pub struct Resource<'c, 'a> {
    pub data: bool,
    pub kind: &'c str,
    pub name: &'c str,
    pub block: &'c Block<'a>,
}

/// What kind of file a path names; none for those that are only there for `file()`.
fn role(path: &str) -> Option<Role> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let automatic = |ending: &str| {
        name.strip_suffix(ending)
            .is_some_and(|stem| stem == "terraform.tfvars" || stem.ends_with(".auto.tfvars"))
    };
    match name {
        _ if name.ends_with(".tf.json") => Some(Role::Configuration { json: true }),
        _ if name.ends_with(".tf") || name.ends_with(".tofu") => Some(Role::Configuration { json: false }),
        _ if automatic("") => Some(Role::Variables { json: false }),
        _ if automatic(".json") => Some(Role::Variables { json: true }),
        "modules.json" if path.ends_with(".terraform/modules/modules.json") => Some(Role::Manifest),
        _ => None,
    }
}

enum Role {
    Configuration { json: bool },
    Variables { json: bool },
    Manifest,
}

/// The directory of a path; empty for the root.
pub fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Joins paths and takes `.` and `..` out; none where that would leave the root.
pub fn joined(base: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

impl<'a> Files<'a> {
    pub fn parse(files: &[SourceFile<'a>], problems: &mut Vec<Problem>) -> Self {
        let mut all = Self::default();
        let mut order: Vec<usize> = (0..files.len()).collect();
        // `terraform.tfvars` counts less than any `*.auto.tfvars`, and those count in the order of their names.
        let automatic = |path: &str| path.contains(".auto.tfvars");
        // Files asked for by name count in the order in which they were asked for.
        let key =
            |path: &'a str| if path.starts_with(super::ASKED) { (true, "") } else { (automatic(path), path) };
        order.sort_by_key(|at| files.get(*at).map(|file| key(file.path)));
        for at in order {
            let Some(file) = files.get(at) else { continue };
            let source = u32::try_from(at).unwrap_or(u32::MAX);
            all.texts.insert(file.path, (source, file.text));
            let mut keep = |parsed: File<'a>| {
                told(problems, source, parsed.problems);
                parsed.body
            };
            let directory = directory_of(file.path);
            let role = if file.path.starts_with(super::ASKED) { None } else { role(file.path) };
            match role {
                Some(Role::Configuration { json }) => {
                    let body = keep(if json {
                        parse_json(file.text, source, false)
                    } else {
                        parse(file.text, source)
                    });
                    all.directories.entry(directory).or_default().push(body);
                }
                Some(Role::Variables { json }) => {
                    let body = keep(if json {
                        parse_json(file.text, source, true)
                    } else {
                        parse(file.text, source)
                    });
                    all.variables.entry(directory).or_default().push(body);
                }
                Some(Role::Manifest) => all.installed.extend(manifest(file)),
                None if file.path.starts_with(super::ASKED) => {
                    let json = file.path.ends_with(".json");
                    all.asked.push(keep(if json {
                        parse_json(file.text, source, true)
                    } else {
                        parse(file.text, source)
                    }));
                }
                None => {}
            }
        }
        all
    }

    /// Every directory that holds configuration, as a module.
    pub fn modules<'c>(&'c self) -> BTreeMap<&'a str, Module<'c, 'a>> {
        self.directories
            .iter()
            .map(|(directory, bodies)| (*directory, self.module(directory, bodies)))
            .collect()
    }

    fn module<'c>(&'c self, directory: &'a str, bodies: &'c [Body<'a>]) -> Module<'c, 'a> {
        let mut module = Module {
            directory,
            variables: HashMap::new(),
            locals: HashMap::new(),
            outputs: HashMap::new(),
            calls: Vec::new(),
            resources: Vec::new(),
            by_name: HashMap::new(),
            providers: Vec::new(),
            given: HashMap::new(),
        };
        for block in bodies.iter().flat_map(|body| &body.blocks) {
            match (block.kind.as_ref(), block.labels.as_slice()) {
                ("variable", [name, ..]) => {
                    module.variables.insert(name, block);
                }
                ("output", [name, ..]) => {
                    module.outputs.insert(name, block);
                }
                ("locals", _) => {
                    module
                        .locals
                        .extend(block.body.attributes.iter().map(|local| (local.name.as_ref(), local)));
                }
                ("module", [name, ..]) => module.calls.push(Call { name, block }),
                ("provider", [name, ..]) => module.providers.push((name, block)),
                (mode @ ("resource" | "data"), [kind, name, ..]) => {
                    let data = mode == "data";
                    module.by_name.insert((data, kind, name), module.resources.len());
                    module.resources.push(Resource { data, kind, name, block });
                }
                _ => {}
            }
        }
        let given = self.variables.get(directory).into_iter().flatten().chain(&self.asked);
        for body in given {
            module.given.extend(body.attributes.iter().map(|value| (value.name.as_ref(), value)));
        }
        module
    }

    /// Where the module that a call names is: its directory, or why there is none.
    pub fn callee(&self, caller: &str, path: &str, call: &Call<'_, '_>) -> Result<String, String> {
        let source = call.block.attribute("source").and_then(|source| source.value.word());
        let Some(source) = source else { return Err("its source is no plain string".to_owned()) };
        if source.starts_with("./") || source.starts_with("../") {
            return joined(caller, source).ok_or_else(|| format!("its source {source} leaves the root"));
        }
        let key = if path.is_empty() { call.name.to_owned() } else { format!("{path}.{}", call.name) };
        match self.installed.get(&key) {
            Some(directory) => Ok(directory.clone()),
            None => Err(format!("its source {} is not on this machine", shown(source))),
        }
    }
}

impl<'a> Block<'a> {
    pub fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        self.body.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// The directories that no other calls; where all call one another, the first of each circle.
pub fn roots<'a>(modules: &BTreeMap<&'a str, Module<'_, 'a>>) -> Vec<&'a str> {
    let callees = |directory: &str| -> Vec<&'a str> {
        let calls = modules.get(directory).map(|module| module.calls.as_slice()).unwrap_or_default();
        let sources = calls.iter().filter_map(|call| call.block.attribute("source")?.value.word());
        sources
            .filter(|source| source.starts_with('.'))
            .filter_map(|source| joined(directory, source))
            .filter_map(|directory| modules.get_key_value(directory.as_str()).map(|(key, _)| *key))
            .collect()
    };
    let called: BTreeSet<&str> =
        modules.keys().flat_map(|own| callees(own).into_iter().filter(move |callee| callee != own)).collect();
    let own = |directory: &&&str| !directory.split('/').any(|part| part == ".terraform");
    let mut roots: Vec<&'a str> =
        modules.keys().filter(|directory| !called.contains(**directory)).filter(own).copied().collect();
    let mut reached = BTreeSet::new();
    let mut waiting = roots.clone();
    let mut left = modules.keys().filter(own);
    loop {
        while let Some(directory) = waiting.pop() {
            if reached.insert(directory) {
                waiting.extend(callees(directory));
            }
        }
        let Some(next) = left.find(|directory| !reached.contains(**directory)) else { return roots };
        roots.push(next);
        waiting.push(next);
    }
}

/// Reads the list of modules that `terraform init` writes: keys of calls and directories.
fn manifest(file: &SourceFile<'_>) -> Vec<(String, String)> {
    let base = file.path.strip_suffix(".terraform/modules/modules.json").unwrap_or_default();
    let tree = json::parse(file.text, Dialect::Json);
    let modules = tree.root().and_then(|root| root.get("Modules"));
    let modules = modules.map(|modules| modules.items()).unwrap_or_default();
    modules
        .iter()
        .filter_map(|module| {
            let key = module.text_of("Key").filter(|key| !key.is_empty())?;
            Some((key.to_owned(), joined(base, module.text_of("Dir")?)?))
        })
        .collect()
}

fn told(problems: &mut Vec<Problem>, source: u32, broken: Vec<Broken>) {
    problems.extend(broken.into_iter().filter_map(|problem| {
        Some(Problem { source, line: problem.line, reason: problem.reason?, detail: problem.detail })
    }));
}

/// A problem at a place.
pub fn problem_at(span: Span, reason: SkipReason, detail: impl Into<String>) -> Problem {
    Problem { source: span.source, line: span.line, reason, detail: detail.into() }
}

/// Text of a configuration, short enough for a message.
pub fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}
