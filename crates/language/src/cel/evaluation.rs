//! Running a program: CEL's logic with errors and unknowns, within a budget, and with a record of the positions that
//! decided the result for whoever asks.

use yagura_formats::document::Node;

use super::error::Fault;
use super::operators::{binary, compare, equal};
use super::program::{Code, LoopCode, Program};
use super::syntax::LoopKind;
use super::value::{List, Map, Outcome, OwnedMap, Text, Value};

/// Steps one evaluation may take: a node of the program, an element or some bytes of text each are one.
pub const MAX_STEPS: u64 = 1_000_000;

/// What an evaluation sees.
pub struct Activation<'v, 'a> {
    /// In the order of the environment; what cannot be known is a fault.
    pub variables: &'v [Outcome<'a>],
    pub host: Option<&'v dyn Host<'a>>,
}

/// Answers the functions that the environment declared.
pub trait Host<'a> {
    fn call(&self, function: usize, arguments: &[Value<'a>]) -> Outcome<'a>;
}

/// A position that a result hangs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Touched<'a> {
    pub node: &'a Node<'a>,
    /// The node is there, and what was looked for in it is not.
    pub lacks: bool,
}

/// What is left to spend.
pub struct Budget(u64);

impl Budget {
    /// Takes steps away.
    pub fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        match self.0.checked_sub(steps as u64) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err(Fault::exhausted())
            }
        }
    }
}

impl Program {
    /// The value of the expression.
    pub fn evaluate<'a>(&'a self, activation: &Activation<'_, 'a>) -> Outcome<'a> {
        Machine::new(activation, None).value(&self.code)
    }

    /// The value, and the positions in documents it hangs on: of `a || b` only those of the operand that made it true,
    /// of `exists` those of the element that was found, and so on.
    pub fn explain<'a>(&'a self, activation: &Activation<'_, 'a>) -> (Outcome<'a>, Vec<Touched<'a>>) {
        let mut machine = Machine::new(activation, Some(Vec::new()));
        let outcome = machine.value(&self.code);
        (outcome, machine.trace.unwrap_or_default())
    }
}

struct Machine<'v, 'a> {
    variables: &'v [Outcome<'a>],
    host: Option<&'v dyn Host<'a>>,
    locals: Vec<Outcome<'a>>,
    /// Where the locals of the expression that is evaluated begin.
    base: usize,
    budget: Budget,
    trace: Option<Vec<Touched<'a>>>,
}

/// A value that may be the content of an optional one, which then needs no place of its own.
enum Maybe<'a> {
    Plain(Value<'a>),
    Some(Value<'a>),
    None,
}

impl<'v, 'a> Machine<'v, 'a> {
    fn new(activation: &Activation<'v, 'a>, trace: Option<Vec<Touched<'a>>>) -> Self {
        let Activation { variables, host } = *activation;
        Self { variables, host, locals: Vec::new(), base: 0, budget: Budget(MAX_STEPS), trace }
    }

    fn mark(&self) -> usize {
        self.trace.as_ref().map_or(0, Vec::len)
    }

    /// Forgets what was touched between two marks.
    fn forget(&mut self, from: usize, to: usize) {
        if let Some(trace) = &mut self.trace {
            trace.drain(from.min(trace.len())..to.min(trace.len()));
        }
    }

    /// Records a node instead of what was touched on the way to it.
    fn touch(&mut self, mark: usize, node: Option<&'a Node<'a>>, lacks: bool) {
        if let (Some(trace), Some(node)) = (&mut self.trace, node) {
            trace.truncate(mark);
            trace.push(Touched { node, lacks });
        }
    }

    fn value(&mut self, code: &'a Code) -> Outcome<'a> {
        self.budget.spend(1)?;
        match code {
            Code::Constant(value) => Ok(value.clone()),
            Code::Text(text) => Ok(Value::String(Text::Borrowed(text))),
            Code::Variable(index) => {
                self.variables.get(*index).cloned().unwrap_or_else(|| Err(Fault::error("no such variable")))
            }
            Code::Local(index) => {
                let local = self.locals.get(self.base + index).cloned();
                local.unwrap_or_else(|| Err(Fault::error("no such variable")))
            }
            Code::Shared(code) => {
                let before = std::mem::replace(&mut self.base, self.locals.len());
                let value = self.value(code);
                self.base = before;
                value
            }
            Code::Select { .. } | Code::Index { .. } => Ok(match self.maybe(code)? {
                Maybe::Plain(value) => value,
                Maybe::Some(value) => Value::some(value),
                Maybe::None => Value::Optional(None),
            }),
            Code::Has { operand, field } => self.has(operand, field),
            Code::Call { function, arguments } => {
                let mut values = Vec::with_capacity(arguments.len());
                self.arguments(arguments, &mut values)?;
                (function.body)(&mut self.budget, &values)
            }
            Code::Host { function, arguments } => {
                let mut values = Vec::with_capacity(arguments.len());
                self.arguments(arguments, &mut values)?;
                match self.host {
                    Some(host) => host.call(*function, &values),
                    None => Err(Fault::error("the function is not to be had here")),
                }
            }
            Code::Matches { text, pattern } => match self.value(text)? {
                Value::String(text) => {
                    self.budget.spend(text.as_str().len() / 16)?;
                    Ok(Value::Bool(pattern.is_match(text.as_str())))
                }
                other => Err(Fault::no_overload(&format!("matches of {}", other.type_of().0))),
            },
            Code::List(items) => self.list(items),
            Code::Map(entries) => self.map(entries),
            Code::Not(operand) => match self.value(operand)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(Fault::no_overload(&format!("!{}", other.type_of().0))),
            },
            Code::Negate(operand) => match self.value(operand)? {
                Value::Int(value) => {
                    value.checked_neg().map(Value::Int).ok_or_else(|| Fault::error("integer overflow"))
                }
                Value::Double(value) => Ok(Value::Double(-value)),
                other => Err(Fault::no_overload(&format!("-{}", other.type_of().0))),
            },
            Code::Binary(operator, left, right) => {
                let (left, right) = (self.value(left), self.value(right));
                match (left, right) {
                    (Ok(left), Ok(right)) => {
                        self.budget.spend(weight(&left) + weight(&right))?;
                        binary(*operator, &left, &right)
                    }
                    (Err(left), Err(right)) => Err(left.joined(right)),
                    (Err(fault), _) | (_, Err(fault)) => Err(fault),
                }
            }
            Code::InTexts(operand, texts) => {
                let value = self.value(operand)?;
                self.budget.spend(texts.len() / 4)?;
                let Some(text) = value.as_str() else { return Ok(Value::Bool(false)) };
                Ok(Value::Bool(texts.iter().any(|known| **known == *text)))
            }
            Code::And(terms) => self.terms(terms, false),
            Code::Or(terms) => self.terms(terms, true),
            Code::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                match self.value(condition)? {
                    Value::Bool(true) => self.value(then),
                    Value::Bool(false) => self.value(otherwise),
                    other => Err(Fault::no_overload(&format!("{} ? _ : _", other.type_of().0))),
                }
            }
            Code::Loop(of) => self.looped(of),
            Code::Bind(parts) => {
                let [value, body] = &**parts;
                let value = self.value(value);
                self.with(value, body)
            }
            Code::OptionalMap { parts, flat } => {
                let [operand, body] = &**parts;
                match self.maybe(operand)? {
                    Maybe::None => Ok(Value::Optional(None)),
                    Maybe::Plain(value) => {
                        Err(Fault::no_overload(&format!("optMap of {}", value.type_of().0)))
                    }
                    Maybe::Some(value) => match (self.with(Ok(value), body)?, flat) {
                        (value @ Value::Optional(_), true) => Ok(value),
                        (_, true) => Err(Fault::no_overload("optFlatMap whose result is not optional")),
                        (value, false) => Ok(Value::some(value)),
                    },
                }
            }
            Code::OrElse { parts, optional } => {
                let [first, other] = &**parts;
                match (self.maybe(first)?, optional) {
                    (Maybe::Some(value), false) => Ok(value),
                    (Maybe::Some(value), true) => Ok(Value::some(value)),
                    (Maybe::None, false) => self.value(other),
                    (Maybe::None, true) => match self.value(other)? {
                        value @ Value::Optional(_) => Ok(value),
                        value => Err(Fault::no_overload(&format!("or of {}", value.type_of().0))),
                    },
                    (Maybe::Plain(value), _) => {
                        Err(Fault::no_overload(&format!("orValue of {}", value.type_of().0)))
                    }
                }
            }
        }
    }

    /// Evaluates with one more local.
    fn with(&mut self, local: Outcome<'a>, body: &'a Code) -> Outcome<'a> {
        self.locals.push(local);
        let value = self.value(body);
        self.locals.pop();
        value
    }

    /// All arguments; of several faults the most telling one.
    fn arguments(&mut self, arguments: &'a [Code], values: &mut Vec<Value<'a>>) -> Result<(), Fault> {
        let mut fault: Option<Fault> = None;
        for argument in arguments {
            match self.value(argument) {
                Ok(value) => values.push(value),
                Err(new) if new.is_final() => return Err(new),
                Err(new) => fault = Some(fault.map_or(new.clone(), |old| old.joined(new))),
            }
        }
        fault.map_or(Ok(()), Err)
    }

    /// `&&` (which `false` decides) and `||` (which `true` does).
    fn terms(&mut self, terms: &'a [Code], decisive: bool) -> Outcome<'a> {
        let start = self.mark();
        let mut fault: Option<Fault> = None;
        for term in terms {
            let mark = self.mark();
            let new = match self.value(term) {
                Ok(Value::Bool(value)) if value == decisive => {
                    self.forget(start, mark);
                    return Ok(Value::Bool(decisive));
                }
                Ok(Value::Bool(_)) => continue,
                Ok(other) => Fault::no_overload(&format!("a {} where a bool should be", other.type_of().0)),
                Err(fault) if fault.is_final() => return Err(fault),
                Err(fault) => fault,
            };
            fault = Some(fault.map_or(new.clone(), |old| old.joined(new)));
        }
        fault.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    /// A selection or an index, optional or not; any other expression as it is.
    fn maybe(&mut self, code: &'a Code) -> Result<Maybe<'a>, Fault> {
        let mark = self.mark();
        let (operand, optional) = match code {
            Code::Select { operand, optional, .. } | Code::Index { operand, optional, .. } => {
                (operand, *optional)
            }
            _ => {
                return Ok(match self.value(code)? {
                    Value::Optional(None) => Maybe::None,
                    Value::Optional(Some(value)) => Maybe::Some((*value).clone()),
                    value => Maybe::Plain(value),
                });
            }
        };
        self.budget.spend(1)?;
        let (value, chained) = match self.maybe(operand)? {
            Maybe::Plain(value) => (value, optional),
            Maybe::Some(value) => (value, true),
            Maybe::None => return Ok(Maybe::None),
        };
        let (found, node) = match code {
            Code::Select { field, .. } => match &value {
                Value::Map(map @ Map::Node(_)) => match map.field_node(field) {
                    Some(node) => (Some(Value::of(node)), Some(node)),
                    None => (None, None),
                },
                Value::Map(map) => {
                    let found = map.field(field);
                    let node = found.as_ref().and_then(|value| value.as_ref().ok()?.node());
                    (found, node)
                }
                other => {
                    let message = format!("selection of `{field}` from {}", other.type_of().0);
                    return Err(Fault::no_overload(&message));
                }
            },
            Code::Index { index, .. } => {
                let index = self.value(index)?;
                match &value {
                    Value::Map(map) => (map.get(&index)?, map.node_of(&index)),
                    Value::List(list) => {
                        let at = whole_index(&index)?;
                        let at = usize::try_from(at).ok();
                        (at.and_then(|at| list.get(at)), at.and_then(|at| list.node(at)))
                    }
                    other => {
                        return Err(Fault::no_overload(&format!("{}[_]", other.type_of().0)));
                    }
                }
            }
            _ => (None, None),
        };
        match (found, chained) {
            (Some(found), chained) => {
                self.touch(mark, node, false);
                let found = found?;
                Ok(match (found, chained) {
                    (found, true) => Maybe::Some(found),
                    (Value::Optional(None), false) => Maybe::None,
                    (Value::Optional(Some(content)), false) => Maybe::Some((*content).clone()),
                    (found, false) => Maybe::Plain(found),
                })
            }
            (None, true) => {
                self.touch(mark, value.node(), true);
                Ok(Maybe::None)
            }
            (None, false) => {
                self.touch(mark, value.node(), true);
                Err(match (code, &value) {
                    (Code::Select { field, .. }, _) => Fault::error(format!("no such key: {field}")),
                    (_, Value::List(_)) => Fault::error("index out of range"),
                    _ => Fault::error("no such key"),
                })
            }
        }
    }

    fn has(&mut self, operand: &'a Code, field: &str) -> Outcome<'a> {
        let mark = self.mark();
        let value = match self.maybe(operand)? {
            Maybe::Plain(value) | Maybe::Some(value) => value,
            Maybe::None => return Ok(Value::Bool(false)),
        };
        let Value::Map(map) = &value else {
            return Err(Fault::no_overload(&format!("has() on {}", value.type_of().0)));
        };
        match map {
            Map::Node(node) => match map.field_node(field) {
                Some(found) => {
                    self.touch(mark, Some(found), false);
                    // Whether a value that cannot be known is there cannot be known either.
                    if found.is_unknown() { Err(Fault::Unknown) } else { Ok(Value::Bool(true)) }
                }
                None => {
                    self.touch(mark, Some(node), true);
                    Ok(Value::Bool(false))
                }
            },
            Map::Owned(_) => Ok(Value::Bool(map.field(field).is_some())),
        }
    }

    fn list(&mut self, items: &'a [(Code, bool)]) -> Outcome<'a> {
        let mut values = Vec::with_capacity(items.len());
        let mut fault: Option<Fault> = None;
        for (item, optional) in items {
            match self.value(item) {
                Ok(Value::Optional(content)) if *optional => {
                    values.extend(content.map(|value| (*value).clone()))
                }
                Ok(_) if *optional => return Err(Fault::no_overload("`?` before what is not optional")),
                Ok(value) => values.push(value),
                Err(new) => fault = Some(fault.map_or(new.clone(), |old| old.joined(new))),
            }
        }
        fault.map_or(Ok(Value::list(values)), Err)
    }

    fn map(&mut self, entries: &'a [(Code, Code, bool)]) -> Outcome<'a> {
        let mut map = OwnedMap::default();
        for (key, value, optional) in entries {
            let (key, value) = match (self.value(key), self.value(value)) {
                (Ok(key), Ok(value)) => (key, value),
                (Err(key), Err(value)) => return Err(key.joined(value)),
                (Err(fault), _) | (_, Err(fault)) => return Err(fault),
            };
            match (value, optional) {
                (Value::Optional(None), true) => {}
                (Value::Optional(Some(value)), true) => map.insert(key, (*value).clone())?,
                (_, true) => return Err(Fault::no_overload("`?` before what is not optional")),
                (value, false) => map.insert(key, value)?,
            }
        }
        Ok(map.into_value())
    }

    fn looped(&mut self, of: &'a LoopCode) -> Outcome<'a> {
        let range_mark = self.mark();
        let range = self.value(&of.range)?;
        let keeps_nodes = matches!(range, Value::List(_));
        let run = Run { of, range_mark, keeps_nodes };
        match &range {
            Value::List(list) => {
                let count = list.len();
                self.elements(
                    &run,
                    count,
                    &|at| {
                        let value = list.get(at).unwrap_or(Err(Fault::Unknown));
                        let index = i64::try_from(at).unwrap_or(i64::MAX);
                        (Ok(Value::Int(index)), value, list.node(at))
                    },
                    list_first,
                )
            }
            Value::Map(map) => {
                let entries = map.entries();
                self.elements(
                    &run,
                    entries.len(),
                    &|at| match entries.get(at) {
                        Some((key, value)) => {
                            let node = map.node_of(key);
                            (Ok(key.clone()), value.clone(), node)
                        }
                        None => (Err(Fault::Unknown), Err(Fault::Unknown), None),
                    },
                    map_first,
                )
            }
            other => Err(Fault::no_overload(&format!("a macro over {}", other.type_of().0))),
        }
    }

    fn elements(
        &mut self,
        run: &Run<'a>,
        count: usize,
        element: &dyn Fn(usize) -> Element<'a>,
        first: fn(Element<'a>) -> Outcome<'a>,
    ) -> Outcome<'a> {
        let of = run.of;
        let mut made = Made::default();
        let begin = self.mark();
        for at in 0..count {
            let (key, value, node) = element(at);
            let mark = self.mark();
            self.touch(mark, node, false);
            let before = self.locals.len();
            if of.two {
                self.locals.push(key.clone());
                self.locals.push(value.clone());
            } else {
                self.locals.push(first((key.clone(), value.clone(), node)));
            }
            let taken = match &of.filter {
                None => Ok(true),
                Some(filter) => self.condition(filter),
            };
            let result = match taken {
                Ok(true) => Some(self.value(&of.body)),
                Ok(false) => None,
                Err(fault) => Some(Err(fault)),
            };
            self.locals.truncate(before);
            self.sharpen(mark);
            let Some(result) = result else {
                let end = self.mark();
                self.forget(mark, end);
                continue;
            };
            if let Some(decided) = self.element(run, &mut made, result, (key, value, node), mark, first)? {
                return Ok(decided);
            }
        }
        // Where elements tell, the list as a whole says nothing more.
        if self.mark() > begin {
            self.forget(run.range_mark, begin);
        }
        self.finish(run, made)
    }

    /// When something within an element was touched, the element as a whole says nothing more.
    fn sharpen(&mut self, mark: usize) {
        let Some(trace) = &mut self.trace else { return };
        let Some(first) = trace.get(mark).copied() else { return };
        let (start, end, source) = (first.node.span.start, first.node.span.end, first.node.span.source);
        let within = |touched: &Touched<'_>| {
            let span = touched.node.span;
            span.source == source && span.start >= start && span.end <= end
        };
        if trace.iter().skip(mark + 1).any(within) {
            trace.remove(mark);
        }
    }

    fn condition(&mut self, code: &'a Code) -> Result<bool, Fault> {
        match self.value(code)? {
            Value::Bool(value) => Ok(value),
            other => Err(Fault::no_overload(&format!("a {} where a bool should be", other.type_of().0))),
        }
    }

    /// Takes in what the body gave for one element; a value ends the loop.
    fn element(
        &mut self,
        run: &Run<'a>,
        made: &mut Made<'a>,
        result: Outcome<'a>,
        element: Element<'a>,
        mark: usize,
        first: fn(Element<'a>) -> Outcome<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        let result = match (run.of.kind, result) {
            (LoopKind::All | LoopKind::Exists, Err(fault)) if !fault.is_final() => {
                made.fault = Some(made.fault.take().map_or(fault.clone(), |old| old.joined(fault)));
                return Ok(None);
            }
            (_, result) => result?,
        };
        let as_bool = |value: &Value<'a>| match value {
            Value::Bool(value) => Ok(*value),
            other => Err(Fault::no_overload(&format!("a {} where a bool should be", other.type_of().0))),
        };
        match run.of.kind {
            LoopKind::All | LoopKind::Exists => {
                let decisive = run.of.kind == LoopKind::Exists;
                match as_bool(&result) {
                    Ok(value) if value == decisive => {
                        self.forget(run.range_mark, mark);
                        return Ok(Some(Value::Bool(decisive)));
                    }
                    Ok(_) => {}
                    Err(fault) => {
                        made.fault = Some(made.fault.take().map_or(fault.clone(), |old| old.joined(fault)))
                    }
                }
            }
            LoopKind::ExistsOne => made.count += usize::from(as_bool(&result)?),
            LoopKind::Filter => {
                if as_bool(&result)? {
                    made.nodes.extend(element.2.filter(|_| run.keeps_nodes));
                    made.items.push(first(element));
                } else {
                    let end = self.mark();
                    self.forget(mark, end);
                }
            }
            LoopKind::Map => made.items.push(Ok(result)),
            LoopKind::SortBy => {
                made.items.push(first(element));
                made.keys.push(result);
            }
            LoopKind::TransformMap => made.map.insert(element.0?, result)?,
            LoopKind::TransformMapEntry => match &result {
                Value::Map(map) => {
                    for (key, value) in map.entries() {
                        made.map.insert(key, value?)?;
                    }
                }
                other => {
                    return Err(Fault::no_overload(&format!("transformMapEntry to {}", other.type_of().0)));
                }
            },
        }
        self.budget.spend(1)?;
        Ok(None)
    }

    fn finish(&mut self, run: &Run<'a>, made: Made<'a>) -> Outcome<'a> {
        match run.of.kind {
            LoopKind::All | LoopKind::Exists => {
                made.fault.map_or(Ok(Value::Bool(run.of.kind == LoopKind::All)), Err)
            }
            LoopKind::ExistsOne => Ok(Value::Bool(made.count == 1)),
            LoopKind::Filter => made.list(),
            LoopKind::Map => made.items.into_iter().collect::<Result<Vec<_>, _>>().map(Value::list),
            LoopKind::TransformMap | LoopKind::TransformMapEntry => Ok(made.map.into_value()),
            LoopKind::SortBy => {
                let order = sorted(&made.keys)?;
                let pick = |at: &usize| made.items.get(*at).cloned().unwrap_or(Err(Fault::Unknown));
                order.iter().map(pick).collect::<Result<Vec<_>, _>>().map(Value::list)
            }
        }
    }
}

/// Key or index, value, and the value's node.
type Element<'a> = (Outcome<'a>, Outcome<'a>, Option<&'a Node<'a>>);

/// What a macro of one variable sees of a list: the value.
fn list_first(element: Element<'_>) -> Outcome<'_> {
    element.1
}

/// What a macro of one variable sees of a map: the key.
fn map_first(element: Element<'_>) -> Outcome<'_> {
    element.0
}

struct Run<'a> {
    of: &'a LoopCode,
    range_mark: usize,
    /// The elements are a list's items, not a map's keys.
    keeps_nodes: bool,
}

/// What a loop has gathered.
#[derive(Default)]
struct Made<'a> {
    fault: Option<Fault>,
    count: usize,
    items: Vec<Outcome<'a>>,
    nodes: Vec<&'a Node<'a>>,
    keys: Vec<Value<'a>>,
    map: OwnedMap<'a>,
}

impl<'a> Made<'a> {
    /// The items as a list; of nodes where all are some, so that positions are kept.
    fn list(self) -> Outcome<'a> {
        if !self.items.is_empty() && self.nodes.len() == self.items.len() {
            return Ok(Value::List(List::Nodes(self.nodes.into())));
        }
        self.items.into_iter().collect::<Result<Vec<_>, _>>().map(Value::list)
    }
}

/// Indices in the order of their keys.
fn sorted(keys: &[Value<'_>]) -> Result<Vec<usize>, Fault> {
    for pair in keys.windows(2) {
        if let [a, b] = pair {
            compare(a, b)?;
            if a.type_of() != b.type_of() {
                return Err(Fault::no_overload("a sort of different types"));
            }
        }
    }
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let by = |a: &usize, b: &usize| -> std::cmp::Ordering {
        let pair = keys.get(*a).zip(keys.get(*b));
        pair.and_then(|(a, b)| compare(a, b).ok().flatten()).unwrap_or(std::cmp::Ordering::Equal)
    };
    order.sort_by(by);
    Ok(order)
}

/// Steps that taking a value into an operator costs: long texts and lists are paid by length.
fn weight(value: &Value<'_>) -> usize {
    match value {
        Value::String(text) => text.as_str().len() / 64,
        Value::Bytes(bytes) => bytes.len() / 64,
        Value::List(list) => list.len() / 4,
        _ => 0,
    }
}

/// A list's index: an int, or another number that is whole.
fn whole_index(index: &Value<'_>) -> Result<i64, Fault> {
    match index {
        Value::Int(at) => Ok(*at),
        Value::Uint(at) => Ok(i64::try_from(*at).unwrap_or(i64::MAX)),
        Value::Double(at) if at.fract() == 0.0 && at.abs() < 1e15 => Ok(*at as i64),
        other => Err(Fault::no_overload(&format!("list[{}]", other.type_of().0))),
    }
}

/// Whether a value is in a list; for functions.
pub(super) fn holds<'a>(list: &[Value<'a>], wanted: &Value<'a>) -> Result<bool, Fault> {
    for item in list {
        if equal(item, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}
