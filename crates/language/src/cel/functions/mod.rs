//! The function library: the specification's own, its extensions and those of Kubernetes. One file a family; a function
//! is a row in its family's table.

mod conversions;
mod encoders;
mod format;
mod lists;
mod math;
mod named_formats;
mod network;
mod optionals;
mod quantities;
pub(super) mod regex;
mod semver;
mod sets;
mod strings;
mod times;
mod urls;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::error::Fault;
use super::evaluation::Budget;
use super::value::{Outcome, Value};

pub(super) use named_formats::NamedFormat;
pub(super) use network::{Address, Network};
pub(super) use quantities::Quantity;
pub(super) use semver::Version;
pub(super) use urls::Url;

/// A function; a method gets what stands before the dot as its first argument.
pub struct Function {
    pub name: &'static str,
    pub form: Form,
    /// Fewest and most arguments, the target of a method counted.
    pub arguments: (usize, usize),
    pub body: for<'a> fn(&mut Budget, &[Value<'a>]) -> Outcome<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Global,
    Method,
    Either,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A row of a table.
const fn global(
    name: &'static str,
    fewest: usize,
    most: usize,
    body: for<'a> fn(&mut Budget, &[Value<'a>]) -> Outcome<'a>,
) -> Function {
    Function { name, form: Form::Global, arguments: (fewest, most), body }
}

/// A row of a table; the target is not counted here.
const fn method(
    name: &'static str,
    fewest: usize,
    most: usize,
    body: for<'a> fn(&mut Budget, &[Value<'a>]) -> Outcome<'a>,
) -> Function {
    Function { name, form: Form::Method, arguments: (fewest + 1, most + 1), body }
}

/// A row of a table: `f(a, b)` and `a.f(b)` alike; the target is counted.
const fn either(
    name: &'static str,
    arguments: usize,
    body: for<'a> fn(&mut Budget, &[Value<'a>]) -> Outcome<'a>,
) -> Function {
    Function { name, form: Form::Either, arguments: (arguments, arguments), body }
}

static TABLES: [&[Function]; 14] = [
    conversions::TABLE,
    encoders::TABLE,
    lists::TABLE,
    math::TABLE,
    named_formats::TABLE,
    network::TABLE,
    optionals::TABLE,
    quantities::TABLE,
    regex::TABLE,
    semver::TABLE,
    sets::TABLE,
    strings::TABLE,
    times::TABLE,
    urls::TABLE,
];

fn index() -> &'static HashMap<&'static str, Vec<&'static Function>> {
    static INDEX: OnceLock<HashMap<&'static str, Vec<&'static Function>>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut index: HashMap<&'static str, Vec<&'static Function>> = HashMap::new();
        for function in TABLES.iter().flat_map(|table| table.iter()) {
            index.entry(function.name).or_default().push(function);
        }
        index
    })
}

/// The function a call means.
pub fn find(name: &str, method: bool, arguments: usize) -> Option<&'static Function> {
    let unfit = if method { Form::Global } else { Form::Method };
    let functions = index().get(name)?;
    let fits = |function: &&&'static Function| {
        function.form != unfit && (function.arguments.0..=function.arguments.1).contains(&arguments)
    };
    functions.iter().find(fits).copied()
}

/// Whether there is a function of this name that needs no target.
pub fn exists(name: &str) -> bool {
    index().get(name).is_some_and(|functions| functions.iter().any(|function| function.form != Form::Method))
}

/// Whether there is a method of this name.
pub fn is_method(name: &str) -> bool {
    index().get(name).is_some_and(|functions| functions.iter().any(|function| function.form != Form::Global))
}

/// The error of a function that knows no values of these types.
fn mismatch(name: &str, arguments: &[Value<'_>]) -> Fault {
    let types: Vec<&str> = arguments.iter().map(|argument| argument.type_of().0).collect();
    Fault::no_overload(&format!("{name}({})", types.join(", ")))
}
