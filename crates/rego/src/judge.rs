//! Checks run over files.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, LimitError, Value};
use sha2::{Digest, Sha256};
use yagura_model::finding::Evidence;
use yagura_model::{Finding, FindingKind, Location, SkipReason, Skipped};

use crate::check::{Check, Query, Shape, exception_name};
use crate::error::message;
use crate::functions::get;
use crate::input::{self, Document};
use crate::outcome::{self, Said};
use crate::pack::Pack;
use crate::syntax;

/// Longest time for one check over one document.
pub const MAX_TIME: Duration = Duration::from_secs(2);
/// Steps of the interpreter between two looks at the clock.
const STEPS: u32 = 256;
/// Stack for the interpreter, which recurses with the policies: reserved, and used as far as it is needed.
pub(crate) const STACK_BYTES: usize = 256 << 20;

/// Runs the checks of a pack. Each thread has its own.
pub struct Judge<'p> {
    pack: &'p Pack,
    engine: Engine,
}

/// What the checks say of a file.
#[derive(Debug, Default)]
pub struct Judged {
    pub found: Vec<Found>,
    pub failures: Vec<Failure>,
    pub skipped: Vec<Skipped>,
    /// Judgements: a check over a document.
    pub judged: u64,
}

/// A finding, and the line at which what holds it begins.
#[derive(Debug)]
pub struct Found {
    pub finding: Finding,
    pub document_line: u32,
    /// Set where the policies themselves make an exception.
    pub excuse: Option<Excuse>,
}

/// An `exception` of the policies that names the rule.
#[derive(Clone, Debug)]
pub struct Excuse {
    pub source: String,
    pub reason: String,
}

/// A check that gave no verdict.
#[derive(Debug)]
pub struct Failure {
    pub check: String,
    pub line: u32,
    pub error: String,
}

/// Runs something on a thread with a large stack of its own; none where it could not, or panicked.
pub(crate) fn with_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, run).ok()?.join().ok()
    })
}

/// Bounds every evaluation.
pub(crate) fn limit(engine: &mut Engine) {
    let check_interval = NonZeroU32::new(STEPS).unwrap_or(NonZeroU32::MIN);
    // As in OPA: a call that cannot be made is undefined.
    engine.set_strict_builtin_errors(false);
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: MAX_TIME, check_interval });
}

impl<'p> Judge<'p> {
    pub fn new(pack: &'p Pack) -> Self {
        let mut engine = pack.engine.clone();
        limit(&mut engine);
        Self { pack, engine }
    }

    /// Judges one file; `path` is relative to the target's root. `told` says whether somebody else tells what of it
    /// cannot be read.
    pub fn file(&mut self, target: &str, path: &str, text: &str, told: bool) -> Judged {
        let mut judged = Judged::default();
        if !self.pack.wants(path) {
            return judged;
        }
        let pack = self.pack;
        let read = input::read(path, text);
        if !told {
            judged.skipped.extend(read.problems().iter().filter_map(|problem| {
                let detail = format!("line {}: {}", problem.line, problem.detail);
                Some(Skipped::new(path, problem.reason?, detail))
            }));
        }
        for shape in [Shape::Plain, Shape::Placed] {
            if !pack.checks().iter().any(|check| check.shape == shape) {
                continue;
            }
            for document in read.documents(shape) {
                let wanted: Vec<&Check> = pack
                    .checks()
                    .iter()
                    .filter(|check| check.shape == shape && wants(check, &document))
                    .collect();
                if wanted.is_empty() {
                    continue;
                }
                let engine = &mut self.engine;
                let run = || {
                    catch_unwind(AssertUnwindSafe(|| {
                        let mut of_document = Judged::default();
                        engine.set_input(document.value.clone());
                        wanted.iter().for_each(|check| {
                            judge(pack, engine, check, &document, target, path, &mut of_document);
                        });
                        of_document
                    }))
                    .ok()
                };
                match with_stack(run).flatten() {
                    Some(of_document) => {
                        judged.found.extend(of_document.found);
                        judged.failures.extend(of_document.failures);
                        judged.judged += of_document.judged;
                    }
                    None => {
                        // What state the interpreter is in nobody knows.
                        *self = Self::new(pack);
                        let detail = "the interpreter of policies failed on it";
                        judged.skipped.push(Skipped::new(path, SkipReason::Unsupported, detail));
                    }
                }
            }
        }
        judged
    }
}

fn wants(check: &Check, document: &Document) -> bool {
    check.selectors.is_empty()
        || check.selectors.iter().any(|selector| {
            document.kinds.contains(&selector.kind.as_str())
                && (selector.subtypes.is_empty()
                    || document.subtypes.is_empty()
                    || selector.subtypes.iter().any(|wanted| document.subtypes.contains(wanted)))
        })
}

fn judge(
    pack: &Pack,
    engine: &mut Engine,
    check: &Check,
    document: &Document,
    target: &str,
    path: &str,
    judged: &mut Judged,
) {
    if check.stopped.load(Ordering::Relaxed) {
        return;
    }
    judged.judged += 1;
    let value = match evaluate(pack, engine, check) {
        Ok(value) => value,
        Err(error) => {
            let stopped =
                error.downcast_ref::<LimitError>().is_some() || error.to_string().contains("time limit");
            let error = if stopped {
                check.stopped.store(true, Ordering::Relaxed);
                format!("took longer than {} s and is not asked again", MAX_TIME.as_secs())
            } else {
                message(&error.to_string())
            };
            judged.failures.push(Failure { check: check.id.clone(), line: document.lines.0, error });
            return;
        }
    };
    let mut said = outcome::read(&value);
    said.sort();
    said.dedup();
    if said.is_empty() {
        return;
    }
    let excuse = excuse(engine, check);
    for one in said {
        judged.found.push(Found {
            finding: finding(check, document, target, path, one),
            document_line: document.lines.0,
            excuse: excuse.clone(),
        });
    }
}

fn evaluate(pack: &Pack, engine: &mut Engine, check: &Check) -> anyhow::Result<Value> {
    match check.query {
        Query::Name => {
            let path = format!("data.{}.{}", check.package.join("."), check.rule);
            engine.eval_rule(path)
        }
        Query::Rule { module, rule } => {
            let found = pack.modules.get(module).and_then(|module| Some((module, module.policy.get(rule)?)));
            let Some((module, rule)) = found else { return Ok(Value::Undefined) };
            let data = engine.eval_rule_in_module(module, rule, false)?;
            let names = check.package.iter().chain(std::iter::once(&check.rule));
            let value = names.into_iter().try_fold(&data, |value, name| get(value, name));
            Ok(value.cloned().unwrap_or(Value::Undefined))
        }
    }
}

/// What excuses all that a rule says of a document: an `exception` in its package that names it.
fn excuse(engine: &mut Engine, check: &Check) -> Option<Excuse> {
    let path = format!("data.{}.exception", check.package.join("."));
    let value = engine.eval_rule(path.clone()).ok()?;
    let name = Value::from(exception_name(&check.rule));
    let names = |list: &Value| match list {
        Value::Array(items) => items.contains(&name),
        Value::Set(items) => items.contains(&name),
        _ => false,
    };
    let excused = match &value {
        Value::Array(items) => items.iter().any(names),
        Value::Set(items) => items.iter().any(names),
        _ => false,
    };
    excused.then(|| Excuse { source: path, reason: "the policies make an exception".to_owned() })
}

fn finding(check: &Check, document: &Document, target: &str, path: &str, said: Said) -> Finding {
    let (first, last) = said.lines.unwrap_or((document.lines.0, document.lines.0));
    let location = Location {
        path: path.to_owned(),
        start_line: Some(first),
        end_line: Some(last),
        start_column: None,
        layer: None,
    };
    let title = match (check.title.is_empty(), said.message.is_empty()) {
        (false, _) => check.title.clone(),
        (true, false) => said.message.clone(),
        (true, true) => format!("{} is true", check.rule),
    };
    let mut notes = Vec::new();
    if title != said.message && !said.message.is_empty() {
        notes.push(said.message.clone());
    }
    notes.extend(said.facts);
    Finding {
        id: identity(check, target, path, &document.name, &said.message),
        rule: check.id.clone(),
        kind: FindingKind::Misconfiguration,
        severity: said.severity.unwrap_or(check.severity),
        title,
        target: target.to_owned(),
        location,
        package: None,
        fixed_version: None,
        aliases: Vec::new(),
        controls: check.controls.clone(),
        vulnerability: None,
        evidence: Evidence { resource: document.name.clone(), notes, ..Evidence::default() },
        fix: if check.action.is_empty() { check.description.clone() } else { check.action.clone() },
        created_by: String::new(),
        from_base_image: None,
    }
}

/// The same message about the same thing at the same place has the same id, whatever lines moved.
fn identity(check: &Check, target: &str, path: &str, name: &str, message: &str) -> String {
    let mut hash = Sha256::new();
    for part in [check.id.as_str(), target, path, name, message] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hex}", check.id)
}

impl Check {
    /// Its package as it is written.
    pub fn package_name(&self) -> String {
        self.package.join(".")
    }

    /// The text of its rule.
    pub fn text(&self, pack: &Pack) -> String {
        let rules = pack.modules.iter().filter(|module| syntax::package(module) == self.package);
        let own = rules.flat_map(|module| &module.policy).filter(|rule| {
            let span = rule.span();
            syntax::rule_name(rule) == self.rule
                && (matches!(self.query, Query::Name)
                    || span.line == self.line && span.source.get_path().as_str() == self.path)
        });
        own.map(|rule| rule.span().text().trim().to_owned()).collect::<Vec<_>>().join("\n\n")
    }
}
