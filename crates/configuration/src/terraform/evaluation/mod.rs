//! A configuration evaluated as far as its text allows.
//!
//! Values are evaluated when they are asked for and kept, so each costs its work once; what asks for itself is a
//! cycle, which is told and unknown. What Terraform would refuse is told and unknown as well, and everything else goes
//! on. Nothing here knows what a resource means.

mod expression;
mod files;
mod modules;
mod operators;
mod policy_document;
mod reference;
mod resources;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use yagura_formats::document::Span;
use yagura_model::SkipReason;

use super::configuration::{Files, Module, problem_at, roots};
use super::value::{Failed, Outcome, Value};
use crate::Problem;
use crate::cloud::Raw;

/// Most steps of one configuration: expressions evaluated, and elements that functions walk over.
const MAX_STEPS: u64 = 20_000_000;
/// Deepest chain of expressions that ask for one another.
const MAX_CHAIN: u32 = 300;
/// Most instances of one `count` or `for_each`.
const MAX_INSTANCES: usize = 1_000;
/// Most instances of modules together, and how deep they may nest.
const MAX_MODULES: usize = 5_000;
const MAX_MODULE_DEPTH: usize = 32;
/// Most problems told of one configuration.
const MAX_PROBLEMS: usize = 200;
/// Most values in all resources together.
const MAX_NODES: usize = 10_000_000;

/// Evaluates every module nobody calls, and whatever those call.
pub fn evaluate<'a>(files: &Files<'a>, problems: &mut Vec<Problem>) -> Vec<Raw> {
    let modules = files.modules();
    let roots = roots(&modules);
    let mut evaluation = Evaluation {
        files,
        modules: &modules,
        instances: Vec::new(),
        steps: MAX_STEPS,
        chain: 0,
        templates: 0,
        nodes: MAX_NODES,
        told: HashSet::new(),
        problems: Vec::new(),
    };
    let mut resources = Vec::new();
    for root in roots {
        evaluation.root(root, &mut resources);
    }
    problems.append(&mut evaluation.problems);
    resources
}

struct Evaluation<'c, 'a> {
    files: &'c Files<'a>,
    modules: &'c BTreeMap<&'a str, Module<'c, 'a>>,
    instances: Vec<Instance<'c, 'a>>,
    steps: u64,
    chain: u32,
    /// Templates being rendered within one another.
    templates: usize,
    nodes: usize,
    /// Where something was told already: a value is asked for by many.
    told: HashSet<(u32, u32, SkipReason)>,
    problems: Vec<Problem>,
}

/// A value that is kept; none while it is being evaluated.
type Slot = Option<Outcome>;

/// One instance of a module.
struct Instance<'c, 'a> {
    module: &'c Module<'c, 'a>,
    /// `module.network[0].`, empty for a root.
    prefix: Arc<str>,
    /// `network.subnets`: the names of the calls, as the manifest of installed modules has them.
    path: String,
    /// The directory of the root it belongs to.
    root: &'a str,
    depth: usize,
    caller: Option<Caller<'c, 'a>>,
    variables: HashMap<&'c str, Slot>,
    locals: HashMap<&'c str, Slot>,
    outputs: HashMap<&'c str, Slot>,
    /// How often each resource is there; none while that is being evaluated.
    expansions: HashMap<usize, Option<Rc<Expansion>>>,
    /// By resource, instance and name.
    attributes: HashMap<(usize, usize, String), Slot>,
    /// The instances of each called module.
    children: HashMap<&'c str, Option<Rc<Children>>>,
    providers: HashMap<String, Rc<Provider>>,
}

/// What called a module instance.
struct Caller<'c, 'a> {
    instance: usize,
    call: super::configuration::Call<'c, 'a>,
    /// `each` and `count` of the call.
    bindings: Bindings,
}

/// How often a resource or module is there.
enum Expansion {
    Single,
    Count(usize),
    Each(Vec<(Arc<str>, Value)>),
    /// One stands for as many as there will be.
    UnknownCount,
    UnknownEach,
}

enum Children {
    Known(Expansion, Vec<usize>),
    /// The module is not here.
    Unknown,
}

/// What a provider says of all its resources.
#[derive(Default)]
struct Provider {
    region: Option<Value>,
    tags: Option<Value>,
    project: Option<Value>,
}

/// `each`, `count`, `self` of one instance.
type Bindings = Vec<(&'static str, Value)>;

/// The names an expression sees besides those of its module.
#[derive(Clone, Copy)]
struct Scope<'s> {
    instance: usize,
    names: Option<&'s Name<'s>>,
}

struct Name<'s> {
    name: &'s str,
    value: &'s Value,
    outer: Option<&'s Name<'s>>,
}

impl<'s> Scope<'s> {
    fn of(instance: usize) -> Self {
        Self { instance, names: None }
    }

    fn lookup(&self, name: &str) -> Option<&'s Value> {
        let mut at = self.names;
        while let Some(bound) = at {
            if bound.name == name {
                return Some(bound.value);
            }
            at = bound.outer;
        }
        None
    }
}

/// Runs with `bindings` added to a scope.
fn bound<T>(scope: Scope<'_>, bindings: &[(&'static str, Value)], run: &mut dyn FnMut(Scope<'_>) -> T) -> T {
    match bindings.split_first() {
        None => run(scope),
        Some(((name, value), rest)) => {
            let names = Name { name, value, outer: scope.names };
            bound(Scope { names: Some(&names), ..scope }, rest, run)
        }
    }
}

impl<'c, 'a> Evaluation<'c, 'a> {
    fn tell(&mut self, span: Span, reason: SkipReason, detail: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS && self.told.insert((span.source, span.line, reason)) {
            self.problems.push(problem_at(span, reason, detail));
        }
    }

    /// A value, or an unknown one where Terraform would refuse; that is told.
    fn settle(&mut self, span: Span, outcome: Outcome) -> Value {
        outcome.unwrap_or_else(|detail| {
            self.tell(span, SkipReason::Malformed, detail);
            Value::unknown(span)
        })
    }

    fn instance(&self, at: usize) -> Option<&Instance<'c, 'a>> {
        self.instances.get(at)
    }

    /// Takes steps; false when none are left.
    fn spend(&mut self, steps: u64, span: Span) -> bool {
        if self.steps == 0 {
            return false;
        }
        self.steps = self.steps.saturating_sub(steps);
        if self.steps == 0 {
            self.tell(span, SkipReason::TooMany, format!("evaluation takes more than {MAX_STEPS} steps"));
        }
        self.steps > 0
    }
}

fn cycle<T>(what: &str) -> Result<T, Failed> {
    Err(format!("{what} depends on itself"))
}
