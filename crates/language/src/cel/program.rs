//! From a syntax tree to a program: names become places, functions become pointers, patterns are compiled. What does
//! not exist is an error here, not when the first document comes.

use std::sync::Arc;

use regex::Regex;

use super::error::SyntaxError;
use super::functions::{self, Function};
use super::syntax::{self, Binary, Expression, Kind, Literal, Loop, LoopKind, Unary};
use super::value::{Text, Type, Value};

/// Which names an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Names of values; an evaluation gives them in this order. A name may have dots.
    pub variables: Vec<String>,
    /// Functions that whoever evaluates answers itself.
    pub functions: Vec<HostFunction>,
    /// Namespace in which names are looked for first, as messages have one; usually empty.
    pub container: String,
    /// Other expressions, compiled before, by name; each evaluated where it is used.
    pub expressions: Vec<(String, Program)>,
}

/// A function of the host.
#[derive(Clone, Debug)]
pub struct HostFunction {
    pub name: String,
    pub arguments: std::ops::RangeInclusive<usize>,
}

/// A compiled expression. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Program {
    pub(super) code: Arc<Code>,
}

/// What is evaluated. Offsets in the text go with what can fail.
#[derive(Debug)]
pub(super) enum Code {
    Constant(Value<'static>),
    /// A text of the program, borrowed by its values.
    Text(Box<str>),
    Variable(usize),
    /// A macro's variable, counted from the first of the expression.
    Local(usize),
    Shared(Arc<Code>),
    Select {
        operand: Box<Code>,
        field: Box<str>,
        optional: bool,
    },
    Has {
        operand: Box<Code>,
        field: Box<str>,
    },
    Index {
        operand: Box<Code>,
        index: Box<Code>,
        optional: bool,
    },
    Call {
        function: &'static Function,
        arguments: Vec<Code>,
    },
    /// `matches` with a pattern that is a literal.
    Matches {
        text: Box<Code>,
        pattern: Box<Regex>,
    },
    Host {
        function: usize,
        arguments: Vec<Code>,
    },
    List(Vec<(Code, bool)>),
    Map(Vec<(Code, Code, bool)>),
    Not(Box<Code>),
    Negate(Box<Code>),
    Binary(Binary, Box<Code>, Box<Code>),
    /// Membership in a list of texts that are literals.
    InTexts(Box<Code>, Box<[Box<str>]>),
    And(Vec<Code>),
    Or(Vec<Code>),
    Conditional(Box<[Code; 3]>),
    Loop(Box<LoopCode>),
    Bind(Box<[Code; 2]>),
    OptionalMap {
        parts: Box<[Code; 2]>,
        flat: bool,
    },
    /// `optional.orValue(other)` and `optional.or(other)`: the other only where it is needed.
    OrElse {
        parts: Box<[Code; 2]>,
        optional: bool,
    },
}

#[derive(Debug)]
pub(super) struct LoopCode {
    pub kind: LoopKind,
    pub range: Code,
    pub two: bool,
    pub filter: Option<Code>,
    pub body: Code,
}

impl Program {
    /// Compiles a text.
    pub fn compile(text: &str, environment: &Environment) -> Result<Self, SyntaxError> {
        Self::of(&syntax::parse(text)?, environment)
    }

    /// Compiles a syntax tree.
    pub fn of(expression: &Expression, environment: &Environment) -> Result<Self, SyntaxError> {
        let compiler = Compiler { environment };
        Ok(Self { code: Arc::new(compiler.code(expression, &mut Vec::new())?) })
    }

    /// The literal arguments of every call of a host function; none for an argument that is no literal.
    pub fn host_calls(&self, function: usize) -> Vec<Vec<Option<String>>> {
        let mut calls = Vec::new();
        find_calls(&self.code, function, &mut calls);
        calls
    }
}

fn find_calls(code: &Code, wanted: usize, calls: &mut Vec<Vec<Option<String>>>) {
    if let Code::Host { function, arguments } = code
        && *function == wanted
    {
        let literal = |argument: &Code| match argument {
            Code::Text(text) => Some(text.to_string()),
            _ => None,
        };
        calls.push(arguments.iter().map(literal).collect());
    }
    code.children(&mut |child| find_calls(child, wanted, calls));
}

impl Code {
    fn children<'c>(&'c self, each: &mut dyn FnMut(&'c Code)) {
        match self {
            Code::Constant(_) | Code::Text(_) | Code::Variable(_) | Code::Local(_) => {}
            Code::Shared(code) => each(code),
            Code::Select { operand, .. } | Code::Has { operand, .. } => each(operand),
            Code::Index { operand, index, .. } => [operand, index].into_iter().for_each(|code| each(code)),
            Code::Call { arguments, .. } | Code::Host { arguments, .. } => arguments.iter().for_each(each),
            Code::Matches { text, .. } => each(text),
            Code::List(items) => items.iter().for_each(|(item, _)| each(item)),
            Code::Map(entries) => entries.iter().for_each(|(key, value, _)| {
                each(key);
                each(value);
            }),
            Code::Not(code) | Code::Negate(code) | Code::InTexts(code, _) => each(code),
            Code::Binary(_, left, right) => [left, right].into_iter().for_each(|code| each(code)),
            Code::And(terms) | Code::Or(terms) => terms.iter().for_each(each),
            Code::Conditional(parts) => parts.iter().for_each(each),
            Code::Loop(of) => {
                [&of.range].into_iter().chain(&of.filter).chain([&of.body]).for_each(each);
            }
            Code::Bind(parts) | Code::OptionalMap { parts, .. } | Code::OrElse { parts, .. } => {
                parts.iter().for_each(each);
            }
        }
    }
}

struct Compiler<'e> {
    environment: &'e Environment,
}

type Compiled<T = Code> = Result<T, SyntaxError>;

impl Compiler<'_> {
    /// `locals` are the macros' variables in sight, outermost first.
    fn code(&self, expression: &Expression, locals: &mut Vec<String>) -> Compiled {
        let boxed = |inner: &Expression, locals: &mut Vec<String>| self.code(inner, locals).map(Box::new);
        Ok(match &expression.kind {
            Kind::Literal(Literal::String(text)) => Code::Text(text.as_str().into()),
            Kind::Literal(literal) => Code::Constant(constant(literal)),
            Kind::Identifier { .. } => self.name(expression, locals)?,
            Kind::Select { operand, field, optional } => match self.qualified(expression, locals) {
                Some(code) => code,
                None => Code::Select {
                    operand: boxed(operand, locals)?,
                    field: field.as_str().into(),
                    optional: *optional,
                },
            },
            Kind::Has { operand, field } => {
                Code::Has { operand: boxed(operand, locals)?, field: field.as_str().into() }
            }
            Kind::Index { operand, index, optional } => Code::Index {
                operand: boxed(operand, locals)?,
                index: boxed(index, locals)?,
                optional: *optional,
            },
            Kind::Call { target, name, arguments } => {
                self.call(expression, target.as_deref(), name, arguments, locals)?
            }
            Kind::List(items) => {
                let item = |(item, optional): &(Expression, bool)| Ok((self.code(item, locals)?, *optional));
                Code::List(items.iter().map(item).collect::<Compiled<_>>()?)
            }
            Kind::Map(entries) => {
                let entry = |(key, value, optional): &(Expression, Expression, bool)| {
                    Ok((self.code(key, locals)?, self.code(value, locals)?, *optional))
                };
                Code::Map(entries.iter().map(entry).collect::<Compiled<_>>()?)
            }
            Kind::Struct { name, .. } => {
                return Err(at(expression, format!("there is no message type {name}")));
            }
            Kind::Unary(Unary::Not, operand) => Code::Not(boxed(operand, locals)?),
            Kind::Unary(Unary::Negate, operand) => Code::Negate(boxed(operand, locals)?),
            Kind::Binary(Binary::In, value, list) if texts(list).is_some() => {
                Code::InTexts(boxed(value, locals)?, texts(list).unwrap_or_default())
            }
            Kind::Binary(operator, left, right) => {
                Code::Binary(*operator, boxed(left, locals)?, boxed(right, locals)?)
            }
            Kind::And(terms) => Code::And(self.codes(terms, locals)?),
            Kind::Or(terms) => Code::Or(self.codes(terms, locals)?),
            Kind::Conditional { condition, then, otherwise } => {
                let parts = [condition, then, otherwise].map(|part| self.code(part, locals));
                let [condition, then, otherwise] = parts;
                Code::Conditional(Box::new([condition?, then?, otherwise?]))
            }
            Kind::Loop(of) => self.looped(of, locals)?,
            Kind::Bind { name, value, body } => {
                let value = self.code(value, locals)?;
                let body = self.within(&[name], body, locals)?;
                Code::Bind(Box::new([value, body]))
            }
            Kind::OptionalMap { operand, name, body, flat } => {
                let operand = self.code(operand, locals)?;
                let body = self.within(&[name], body, locals)?;
                Code::OptionalMap { parts: Box::new([operand, body]), flat: *flat }
            }
        })
    }

    fn codes(&self, expressions: &[Expression], locals: &mut Vec<String>) -> Compiled<Vec<Code>> {
        expressions.iter().map(|expression| self.code(expression, locals)).collect()
    }

    fn within(&self, names: &[&String], body: &Expression, locals: &mut Vec<String>) -> Compiled {
        let before = locals.len();
        locals.extend(names.iter().map(|name| (*name).clone()));
        let code = self.code(body, locals);
        locals.truncate(before);
        code
    }

    fn looped(&self, of: &Loop, locals: &mut Vec<String>) -> Compiled {
        let names: Vec<&String> = of.names.iter().collect();
        let range = self.code(&of.range, locals)?;
        let filter = of.filter.as_ref().map(|filter| self.within(&names, filter, locals)).transpose()?;
        let body = self.within(&names, &of.body, locals)?;
        Ok(Code::Loop(Box::new(LoopCode { kind: of.kind, range, two: names.len() == 2, filter, body })))
    }

    fn name(&self, expression: &Expression, locals: &[String]) -> Compiled {
        self.qualified(expression, locals).ok_or_else(|| {
            let name = path(expression).map(|(name, _)| name).unwrap_or_default();
            let mut known: Vec<&str> = self.environment.variables.iter().map(String::as_str).collect();
            known.extend(self.environment.expressions.iter().map(|(name, _)| name.as_str()));
            at(expression, format!("there is no `{name}`; there are {}", known.join(", ")))
        })
    }

    /// A name, dots within it, that stands for a value; the shortest namespace comes last.
    fn qualified(&self, expression: &Expression, locals: &[String]) -> Option<Code> {
        let (name, rooted) = path(expression)?;
        let first = name.split('.').next().unwrap_or_default();
        if !rooted && let Some(local) = locals.iter().rposition(|local| local == first) {
            return (first == name).then_some(Code::Local(local));
        }
        let environment = self.environment;
        let mut namespace = if rooted { "" } else { environment.container.as_str() };
        loop {
            let full = if namespace.is_empty() { name.clone() } else { format!("{namespace}.{name}") };
            if let Some(index) = environment.variables.iter().position(|known| *known == full) {
                return Some(Code::Variable(index));
            }
            if let Some((_, program)) = environment.expressions.iter().find(|(known, _)| *known == full) {
                return Some(Code::Shared(Arc::clone(&program.code)));
            }
            if let Some(kind) = TYPES.iter().find(|known| **known == full) {
                return Some(Code::Constant(Value::Type(Type(kind))));
            }
            if namespace.is_empty() {
                return None;
            }
            namespace = namespace.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }

    fn call(
        &self,
        expression: &Expression,
        target: Option<&Expression>,
        name: &str,
        arguments: &[Expression],
        locals: &mut Vec<String>,
    ) -> Compiled {
        // A namespaced function such as `math.greatest` looks like a call with a target.
        let mut full = name.strip_prefix('.').unwrap_or(name).to_owned();
        let mut target = target;
        if let Some(namespace) = target.and_then(path).map(|(namespace, _)| namespace) {
            let joined = format!("{namespace}.{name}");
            let hidden = locals.contains(&namespace);
            if !hidden && functions::exists(&joined) {
                (full, target) = (joined, None);
            }
        }
        if target.is_none()
            && let Some(index) = self.environment.functions.iter().position(|known| known.name == full)
        {
            let takes = &self.environment.functions[index].arguments;
            if !takes.contains(&arguments.len()) {
                let wanted = format!("{full}() takes {} to {} arguments", takes.start(), takes.end());
                return Err(at(expression, wanted));
            }
            return Ok(Code::Host { function: index, arguments: self.codes(arguments, locals)? });
        }
        if let (Some(optional), "orValue" | "or", [other]) = (target, name, arguments) {
            let parts = Box::new([self.code(optional, locals)?, self.code(other, locals)?]);
            return Ok(Code::OrElse { parts, optional: name == "or" });
        }
        let mut all: Vec<&Expression> = target.into_iter().collect();
        all.extend(arguments);
        if let ("matches", [text, pattern]) = (name, all.as_slice())
            && let Kind::Literal(Literal::String(pattern)) = &pattern.kind
        {
            let compiled = functions::regex::compile(pattern);
            let pattern = compiled.map_err(|message| at(expression, message))?;
            return Ok(Code::Matches {
                text: Box::new(self.code(text, locals)?),
                pattern: Box::new(pattern),
            });
        }
        let function = functions::find(&full, target.is_some(), all.len()).ok_or_else(|| {
            let message = if functions::exists(&full) || functions::is_method(&full) {
                format!("{full}() is not called like this, or with {} arguments", arguments.len())
            } else {
                format!("there is no function {full}()")
            };
            at(expression, message)
        })?;
        let arguments = all.iter().map(|argument| self.code(argument, locals)).collect::<Compiled<_>>()?;
        Ok(Code::Call { function, arguments })
    }
}

/// Names of types.
const TYPES: [&str; 19] = [
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "optional_type",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "net.IP",
    "net.CIDR",
    "kubernetes.Quantity",
    "kubernetes.URL",
    "kubernetes.Semver",
    "kubernetes.NamedFormat",
];

fn at(expression: &Expression, message: impl Into<String>) -> SyntaxError {
    SyntaxError::new(expression.start as usize, message)
}

/// `a.b.c` as one name, and whether it begins at the root.
fn path(expression: &Expression) -> Option<(String, bool)> {
    match &expression.kind {
        Kind::Identifier { name, rooted } => Some((name.clone(), *rooted)),
        Kind::Select { operand, field, optional: false } => {
            let (name, rooted) = path(operand)?;
            Some((format!("{name}.{field}"), rooted))
        }
        _ => None,
    }
}

fn constant(literal: &Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::String(text) => Value::String(Text::Owned(text.as_str().into())),
        Literal::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
    }
}

/// The texts of a list that holds nothing but literal texts.
fn texts(list: &Expression) -> Option<Box<[Box<str>]>> {
    let Kind::List(items) = &list.kind else { return None };
    let text = |(item, optional): &(Expression, bool)| match &item.kind {
        Kind::Literal(Literal::String(text)) if !optional => Some(text.as_str().into()),
        _ => None,
    };
    if items.is_empty() { None } else { items.iter().map(text).collect() }
}
