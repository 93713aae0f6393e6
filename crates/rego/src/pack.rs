//! A pack: the modules of one or several directories, read and checked before any of them runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use regorus::unstable::{Module, Ref};
use regorus::{Engine, PolicyLengthConfig, Value};
use serde_json::Value as Json;
use yagura_formats::document::{json, yaml};
use yagura_model::Severity;

use crate::annotations::{self, Annotation, Scope};
use crate::check::{About, Check, Query, Selector, Shape, is_check};
use crate::error::InvalidPolicy;
use crate::functions::{self, Files};
use crate::input;
use crate::{judge, negation, rewrite, syntax};

/// Largest module, in bytes, and longest line and most lines of one.
pub const MAX_MODULE_BYTES: usize = 1 << 20;
const MAX_COLUMNS: u32 = 64 << 10;
const MAX_LINES: usize = 50_000;
/// Most modules of a pack.
pub const MAX_MODULES: usize = 20_000;
/// Longest time to read and check a pack.
const MAX_LOAD: Duration = Duration::from_secs(60);
/// Longest chain of functions that call one another: the interpreter recurses with them.
const MAX_CALLS: usize = 200;

/// Kinds of documents that selectors may ask for and that are made here.
const KINDS: [&str; 6] = ["kubernetes", "rbac", "dockerfile", "yaml", "json", "toml"];

/// A file of a pack.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// For people, and what `parse_config_file` counts from.
    pub path: String,
    pub text: String,
}

/// Modules ready to run, and the checks in them.
pub struct Pack {
    /// Never evaluated itself: judges have copies.
    pub(crate) engine: Engine,
    pub(crate) modules: Vec<Ref<Module>>,
    pub(crate) files: Arc<Mutex<Files>>,
    /// Paths of the modules that the user gave.
    given: Vec<String>,
    checks: Vec<Check>,
    notices: Vec<String>,
}

/// A module with what its text says besides rules.
struct Source {
    path: String,
    package: Vec<String>,
    annotations: Vec<Annotation>,
    /// One of ours.
    library: bool,
}

impl Pack {
    /// Reads a pack. `data` are documents that policies see below `data`, each with the path it stands at; the first
    /// mistake refuses the whole.
    pub fn load(
        policies: &[PolicyFile],
        data: &[(Vec<String>, PolicyFile)],
        beside: BTreeMap<String, String>,
    ) -> Result<Self, InvalidPolicy> {
        let (policies, data) = (policies.to_vec(), data.to_vec());
        let path = policies.first().map(|policy| policy.path.clone()).unwrap_or_default();
        let (sender, receiver) = mpsc::channel();
        // The interpreter recurses with what policies nest, and its parser does not know a clock.
        let thread = std::thread::Builder::new().stack_size(judge::STACK_BYTES);
        let started = thread.spawn(move || drop(sender.send(load(&policies, &data, beside))));
        let gave_up = |why: &str| {
            InvalidPolicy::at(&path, 1, 1, format!("the interpreter gave up reading policies: {why}"))
        };
        started.map_err(|error| gave_up(&error.to_string()))?;
        match receiver.recv_timeout(MAX_LOAD) {
            Ok(loaded) => loaded,
            Err(RecvTimeoutError::Timeout) => Err(gave_up(&format!("more than {} s", MAX_LOAD.as_secs()))),
            Err(RecvTimeoutError::Disconnected) => Err(gave_up("it failed")),
        }
    }

    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// A check by its id, in any case.
    pub fn find(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id.eq_ignore_ascii_case(id))
    }

    /// What is to be told of the pack as a whole.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// How many modules the user gave.
    pub fn modules(&self) -> usize {
        self.given.len()
    }

    /// Keeps only checks with a control of one of some frameworks.
    pub fn restrict(&mut self, frameworks: &[String]) {
        let of = |control: &String| control.split_once(':').map_or("", |(framework, _)| framework).to_owned();
        self.checks.retain(|check| check.controls.iter().any(|control| frameworks.contains(&of(control))));
    }

    /// Whether a check may want a file; asked before it is read.
    pub fn wants(&self, path: &str) -> bool {
        !self.checks.is_empty() && input::wants(path)
    }
}

fn load(
    policies: &[PolicyFile],
    data: &[(Vec<String>, PolicyFile)],
    beside: BTreeMap<String, String>,
) -> Result<Pack, InvalidPolicy> {
    if policies.len() > MAX_MODULES {
        let path = policies.last().map_or("", |policy| policy.path.as_str());
        return Err(InvalidPolicy::at(path, 1, 1, format!("more than {MAX_MODULES} modules")));
    }
    let mut parser = new_engine();
    let mut sources = Vec::with_capacity(policies.len());
    for policy in policies {
        if policy.text.len() > MAX_MODULE_BYTES {
            let message = format!("a module of more than {} KiB", MAX_MODULE_BYTES >> 10);
            return Err(InvalidPolicy::at(&policy.path, 1, 1, message));
        }
        let annotations = annotations::read(&policy.path, &policy.text)?;
        let package = package_line(&policy.text);
        match rewrite::metadata(&policy.text, &package, &annotations) {
            Some(text) => add(&mut parser, &PolicyFile { path: policy.path.clone(), text })?,
            None => add(&mut parser, policy)?,
        }
        sources.push(Source { path: policy.path.clone(), package, annotations, library: false });
    }
    for (source, module) in sources.iter_mut().zip(parser.get_modules()) {
        source.package = syntax::package(module);
    }
    for file in yagura_rules::family("rego") {
        let path = format!("yagura:{}", file.path);
        let package = package_line(file.text);
        // Whoever brings the library themselves means that one.
        if sources.iter().all(|source| source.package != package) {
            add(&mut parser, &PolicyFile { path: path.clone(), text: file.text.to_owned() })?;
            sources.push(Source { path, package, annotations: Vec::new(), library: true });
        }
    }
    let parsed = negated(parser.get_modules(), &sources)?;
    let calls = calls(&parsed, &sources)?;

    let mut engine = new_engine();
    let files = Arc::new(Mutex::new(Files { by_path: beside, directory: String::new() }));
    let internal = |error: anyhow::Error| InvalidPolicy::of(&error, "policies");
    functions::register(&mut engine, &files).map_err(internal)?;
    for (module, edits) in parsed.iter().zip(&calls) {
        let source = &module.package.span.source;
        engine.set_rego_v0(!module.rego_v1);
        let text = rewrite::replaced(source.get_contents(), edits);
        engine.add_policy(source.get_path().clone(), text).map_err(internal)?;
    }
    for (at, file) in data {
        add_data(&mut engine, at, file)?;
    }
    // Analyses all modules; there is no such rule.
    if let Err(error) = engine.eval_rule("data.yagura.none".to_owned())
        && !error.to_string().contains("not a valid rule path")
    {
        return Err(internal(error));
    }
    let modules = engine.get_modules().clone();
    let given = sources.iter().filter(|source| !source.library).map(|source| source.path.clone()).collect();
    let mut pack = Pack { engine, modules, files, given, checks: Vec::new(), notices: Vec::new() };
    find_checks(&mut pack, &sources)?;
    Ok(pack)
}

/// The modules with their negations as OPA reads them.
fn negated(modules: &[Ref<Module>], sources: &[Source]) -> Result<Vec<Ref<Module>>, InvalidPolicy> {
    let mut globals: HashMap<&[String], BTreeSet<String>> = HashMap::new();
    for (module, source) in modules.iter().zip(sources) {
        let names = globals.entry(&source.package).or_default();
        names.extend(module.policy.iter().map(|rule| syntax::rule_name(rule)));
    }
    let mut engine = new_engine();
    for (module, source) in modules.iter().zip(sources) {
        let own = &module.package.span.source;
        let mut names = globals.get(source.package.as_slice()).cloned().unwrap_or_default();
        names.extend(syntax::imports(module).map(|(name, _)| name));
        let edits = negation::edits(module, own.get_contents(), &names);
        engine.set_rego_v0(!module.rego_v1);
        let written = rewrite::replaced(own.get_contents(), &edits);
        if engine.add_policy(own.get_path().clone(), written).is_err() {
            let text = own.get_contents().clone();
            engine
                .add_policy(own.get_path().clone(), text)
                .map_err(|error| InvalidPolicy::of(&error, own.get_path()))?;
        }
    }
    Ok(engine.get_modules().clone())
}

fn new_engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_policy_length_config(PolicyLengthConfig {
        max_col: NonZeroU32::new(MAX_COLUMNS).unwrap_or(NonZeroU32::MAX),
        max_file_bytes: NonZeroUsize::new(2 * MAX_MODULE_BYTES).unwrap_or(NonZeroUsize::MAX),
        max_lines: NonZeroUsize::new(MAX_LINES).unwrap_or(NonZeroUsize::MAX),
    });
    judge::limit(&mut engine);
    engine
}

/// Adds a module: in today's Rego, or in that before 1.0 where it is no such.
fn add(engine: &mut Engine, policy: &PolicyFile) -> Result<(), InvalidPolicy> {
    let path = &policy.path;
    let mut read = |text: &str| -> Result<(), InvalidPolicy> {
        engine.set_rego_v0(false);
        let Err(today) = engine.add_policy(path.clone(), text.to_owned()) else { return Ok(()) };
        engine.set_rego_v0(true);
        let Err(before) = engine.add_policy(path.clone(), text.to_owned()) else { return Ok(()) };
        let (today, before) = (InvalidPolicy::of(&today, path), InvalidPolicy::of(&before, path));
        // The one that got further knows better, where the module does not say what it is.
        let says = text.contains("import rego.v1");
        Err(if !says && (before.line, before.column) > (today.line, today.column) { before } else { today })
    };
    let Err(error) = read(&policy.text) else { return Ok(()) };
    let line = policy.text.lines().nth(error.line.saturating_sub(1) as usize).unwrap_or_default();
    match rewrite::imports_first(&policy.text).filter(|_| line.starts_with("import ")) {
        Some(text) => read(&text),
        None => Err(error),
    }
}

/// The package by its line alone.
fn package_line(text: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.strip_prefix("package ")).unwrap_or_default();
    line.split('#').next().unwrap_or_default().trim().split('.').map(str::to_owned).collect()
}

/// Bytes of a module's text, and what is written there instead.
type Edits = Vec<(Range<usize>, String)>;

/// Holds every call against what there is: functions of the pack, of the interpreter, and those that are refused. The
/// interpreter knows functions of other packages by their whole name alone: for each module, where to write it.
fn calls(modules: &[Ref<Module>], sources: &[Source]) -> Result<Vec<Edits>, InvalidPolicy> {
    let whole = |package: &[String], name: &str| format!("data.{}.{name}", package.join("."));
    let mut defined: BTreeSet<String> = BTreeSet::new();
    for (module, source) in modules.iter().zip(sources) {
        let functions = module.policy.iter().filter_map(|rule| syntax::function_name(rule));
        defined.extend(functions.map(|name| whole(&source.package, &name)));
    }
    let mut called: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut edits = Vec::with_capacity(modules.len());
    for (module, source) in modules.iter().zip(sources) {
        let mut of_module = Edits::new();
        let imports: HashMap<String, Vec<String>> = syntax::imports(module).collect();
        for rule in &module.policy {
            let within = syntax::function_name(rule).map(|name| whole(&source.package, &name));
            let mut mistake = None;
            syntax::calls(rule, &mut |call| {
                let name = call.name.as_str();
                let (root, rest) = name.split_once('.').map_or((name, ""), |(root, rest)| (root, rest));
                let local = whole(&source.package, name);
                let target = if defined.contains(&local) {
                    local
                } else if root == "data" {
                    name.to_owned()
                } else if let Some(path) =
                    imports.get(root).filter(|path| path.first().is_some_and(|it| it == "data"))
                {
                    if rest.is_empty() { path.join(".") } else { format!("{}.{rest}", path.join(".")) }
                } else {
                    let place = |message: String| {
                        InvalidPolicy::at(&source.path, call.span.line, call.span.col, message)
                    };
                    if let Some(why) = functions::refused(name) {
                        mistake.get_or_insert(place(format!("`{name}` is refused: {why}")));
                    } else if !functions::known(name) {
                        mistake.get_or_insert(place(format!("there is no function `{name}`")));
                    }
                    return;
                };
                if !defined.contains(&target) {
                    let message = format!("there is no function `{name}` ({target}) in these policies");
                    mistake.get_or_insert(InvalidPolicy::at(
                        &source.path,
                        call.span.line,
                        call.span.col,
                        message,
                    ));
                } else {
                    if root != "data" && imports.contains_key(root) && target != whole(&source.package, name)
                    {
                        of_module.push((call.range.clone(), target.clone()));
                    }
                    if let Some(within) = &within {
                        called.entry(within.clone()).or_default().insert(target);
                    }
                }
            });
            if let Some(mistake) = mistake {
                return Err(mistake);
            }
        }
        edits.push(of_module);
    }
    let checked = chains(&called).map_err(|function| {
        let path = modules.iter().zip(sources).find(|(module, source)| {
            let names = module.policy.iter().filter_map(|rule| syntax::function_name(rule));
            names.into_iter().any(|name| whole(&source.package, &name) == function)
        });
        let path = path.map_or("", |(_, source)| source.path.as_str());
        let message = format!("{function} calls itself, or calls nest deeper than {MAX_CALLS}");
        InvalidPolicy::at(path, 1, 1, message)
    });
    checked.map(|()| edits)
}

/// The function from which calls lead back to itself, or too deep.
fn chains(called: &BTreeMap<String, BTreeSet<String>>) -> Result<(), String> {
    let mut depths: HashMap<&str, usize> = HashMap::new();
    for start in called.keys() {
        // A walk of our own: the graph is as deep as its writer likes.
        let mut path: Vec<(&str, Vec<&str>, usize)> = vec![(start, callees(called, start), 0)];
        while let Some((name, left, deepest)) = path.last_mut() {
            let (name, depth) = (*name, *deepest);
            match left.pop() {
                Some(next) => match depths.get(next) {
                    Some(known) => *deepest = depth.max(known + 1),
                    None if path.len() > MAX_CALLS || path.iter().any(|(on, ..)| *on == next) => {
                        return Err(next.to_owned());
                    }
                    None => path.push((next, callees(called, next), 0)),
                },
                None => {
                    if depth > MAX_CALLS {
                        return Err(name.to_owned());
                    }
                    depths.insert(name, depth);
                    path.pop();
                    if let Some((.., above)) = path.last_mut() {
                        *above = (*above).max(depth + 1);
                    }
                }
            }
        }
    }
    Ok(())
}

fn callees<'c>(called: &'c BTreeMap<String, BTreeSet<String>>, name: &str) -> Vec<&'c str> {
    called.get(name).into_iter().flatten().map(String::as_str).collect()
}

/// Puts a document of YAML or JSON below `data`.
fn add_data(engine: &mut Engine, at: &[String], file: &PolicyFile) -> Result<(), InvalidPolicy> {
    let tree = if file.path.ends_with(".json") {
        json::parse(&file.text, json::Dialect::Json)
    } else {
        yaml::parse(&file.text)
    };
    if let Some(problem) = tree.problems.iter().find(|problem| problem.reason.is_some()) {
        return Err(InvalidPolicy::at(&file.path, problem.line, 1, problem.detail.clone()));
    }
    for document in &tree.documents {
        let mut value = input::value_of(document);
        for key in at.iter().rev() {
            value = Value::from(BTreeMap::from([(Value::from(key.as_str()), value)]));
        }
        let message = |error: anyhow::Error| {
            InvalidPolicy::at(&file.path, 1, 1, crate::error::message(&error.to_string()))
        };
        engine.add_data(value).map_err(message)?;
    }
    Ok(())
}

/// What is written about one rule, or all of its name, the most particular first.
fn about(
    sources: &[Source],
    package: &[String],
    lines: &[(usize, u32)],
    name_lines: &[(usize, u32)],
) -> About {
    let mut about = About::default();
    let mut take = |wanted: Scope, at: &dyn Fn(usize, &Source, &Annotation) -> bool| {
        for (index, source) in sources.iter().enumerate() {
            let fit = source.annotations.iter().filter(|it| it.scope == wanted && at(index, source, it));
            fit.for_each(|annotation| about.add(annotation.content.clone()));
        }
    };
    take(Scope::Rule, &|index, _, annotation| lines.contains(&(index, annotation.of)));
    take(Scope::Document, &|index, _, annotation| name_lines.contains(&(index, annotation.of)));
    take(Scope::Package, &|_, source, _| source.package == package);
    take(Scope::Subpackages, &|_, source, _| package.starts_with(&source.package));
    about
}

/// The rules of a name in a package: the module and the place in it of each.
type Named = BTreeMap<(Vec<String>, String), Vec<(usize, usize)>>;

fn find_checks(pack: &mut Pack, sources: &[Source]) -> Result<(), InvalidPolicy> {
    // Rules of one name in one package are one thing, in whatever files they stand.
    let mut named = Named::new();
    let mut placed: BTreeSet<Vec<String>> = BTreeSet::new();
    for (at, (module, source)) in
        pack.modules.iter().zip(sources).enumerate().filter(|(_, (_, it))| !it.library)
    {
        for (rule_at, rule) in module.policy.iter().enumerate() {
            let name = syntax::rule_name(rule);
            if name == "__rego_metadata__" || name == "__rego_input__" {
                placed.insert(source.package.clone());
            }
            let is_test = source.path.ends_with("_test.rego");
            if !is_test {
                syntax::calls(rule, &mut |call| {
                    if call.name == "result.new" {
                        placed.insert(source.package.clone());
                    }
                });
            }
            let function = syntax::function_name(rule).is_some();
            if is_check(&name) && !function && !matches!(**rule, regorus::unstable::Rule::Default { .. }) {
                named.entry((source.package.clone(), name)).or_default().push((at, rule_at));
            }
        }
    }
    let mut unmade: BTreeMap<String, usize> = BTreeMap::new();
    let mut checks = Vec::new();
    for ((package, name), rules) in &named {
        let line = |(module, rule): &(usize, usize)| {
            let rule = pack.modules.get(*module).and_then(|module| module.policy.get(*rule));
            (*module, rule.map_or(0, |rule| rule.span().line))
        };
        let lines: Vec<(usize, u32)> = rules.iter().map(line).collect();
        let annotated = |(module, line): &(usize, u32)| {
            let source = sources.get(*module);
            source.is_some_and(|it| it.annotations.iter().any(|it| it.scope == Scope::Rule && it.of == *line))
        };
        // Rules that are annotated one by one are checks one by one.
        let apart = lines.len() > 1 && lines.iter().any(annotated);
        let whole = about(sources, package, &lines, &lines);
        let shape = if placed.contains(package) || whole.selectors().is_some() {
            Shape::Placed
        } else {
            Shape::Plain
        };
        let groups: Vec<(Query, Vec<(usize, u32)>)> = if apart {
            let each = rules.iter().zip(&lines);
            each.map(|((module, rule), line)| (Query::Rule { module: *module, rule: *rule }, vec![*line]))
                .collect()
        } else {
            vec![(Query::Name, lines.clone())]
        };
        let legacy = legacy(pack, package)?;
        for (query, at) in groups {
            let mut of = about(sources, package, &at, &lines);
            legacy.iter().for_each(|layer| of.add(layer.clone()));
            if of.is_library() || of.is_deprecated() {
                continue;
            }
            let selectors = of.selectors().unwrap_or_default();
            if !selectors.is_empty()
                && !selectors.iter().any(|selector| KINDS.contains(&selector.kind.as_str()))
            {
                for Selector { kind, .. } in &selectors {
                    *unmade.entry(kind.clone()).or_default() += 1;
                }
                continue;
            }
            let (module, line) = at.first().copied().unwrap_or_default();
            let own = |id: String| if id.is_empty() { format!("{}.{name}", package.join(".")) } else { id };
            let default = match shape {
                Shape::Placed => Severity::Unknown,
                Shape::Plain if name.starts_with("warn") => Severity::Low,
                Shape::Plain => Severity::High,
            };
            checks.push(Check {
                id: own(of.id()),
                title: of.title(),
                description: of.description(),
                severity: of.severity().unwrap_or(default),
                action: of.action(),
                references: of.references(),
                controls: of.controls(),
                package: package.clone(),
                rule: name.clone(),
                path: sources.get(module).map(|source| source.path.clone()).unwrap_or_default(),
                line,
                shape,
                selectors,
                query,
                stopped: AtomicBool::new(false),
            });
        }
    }
    for (kind, count) in unmade {
        let kinds = KINDS.join(", ");
        pack.notices.push(format!(
            "{count} checks of the policies want input of the kind `{kind}`, which is not made: they do not run \
             (there are {kinds})"
        ));
    }
    pack.checks = checks;
    Ok(())
}

/// What a package says of itself in rules, as it was done before annotations.
fn legacy(pack: &Pack, package: &[String]) -> Result<Vec<Json>, InvalidPolicy> {
    let mut layers = Vec::new();
    for name in ["__rego_metadata__", "__rego_input__"] {
        let path = format!("data.{}.{name}", package.join("."));
        let mut engine = pack.engine.clone();
        judge::limit(&mut engine);
        engine.set_input(Value::new_object());
        let Ok(value) = engine.eval_rule(path) else { continue };
        let Ok(json) = serde_json::to_value(&value) else { continue };
        if value.as_object().is_ok() {
            layers.push(if name == "__rego_input__" { serde_json::json!({ "input": json }) } else { json });
        }
    }
    Ok(layers)
}
