//! From items to compiled rules, with the warnings that only the whole shows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use yagura_model::field::FieldCatalogue;

use super::collect::Collector;
use super::exceptions;
use super::items::{MacroItem, Rule, RuleItem};
use super::lists::{self, List};
use super::loader::AppendOutput;
use super::macros::{Macro, Resolver};
use super::read::{Done, SYSCALL};
use super::result::{Context, ErrorCode, LoadResult, Problem, WarningCode};
use crate::falco::condition::{self, Check, Comparison, Expression, Position, Right, Term};
use crate::falco::output::Format;
use crate::falco::predicate::{Compiler, NodeId, Program};

/// A rule that sees more event types than this costs much; Falco's bound is 100 of its codes, which are two a type.
const MANY_EVENT_TYPES: usize = 50;

/// Old fields, and why rules should not use them.
const DEPRECATED_FIELDS: &[(&str, &str)] = &[
    (
        "evt.dir",
        "due to the drop of enter events, 'evt.dir = <' always evaluates to true, and 'evt.dir = >' always evaluates to \
         false. The rule expression can be simplified by removing the condition on 'evt.dir'",
    ),
    ("evt.latency", NO_LATENCY),
    ("evt.latency.s", NO_LATENCY),
    ("evt.latency.ns", NO_LATENCY),
    ("evt.latency.human", NO_LATENCY),
    ("evt.wait_latency", NO_LATENCY),
];
const NO_LATENCY: &str = "field is not available due to the drop of enter events.";

/// What old outputs name and newer ones get by themselves.
const CONTAINER_INFO: &str = "%container.info";

/// A rule that can be asked of events.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    pub rule: Arc<Rule>,
    /// Its condition in the program of its source.
    pub condition: NodeId,
    pub output: Format,
    /// Further fields of its JSON, by their key: formats, or (when raw) single fields.
    pub extra_fields: Vec<(String, Format, bool)>,
}

/// The rules of one source, in the order of their definition.
#[derive(Clone, Debug)]
pub struct SourceRules {
    pub source: &'static str,
    pub program: Program,
    pub rules: Vec<CompiledRule>,
}

fn fail<T>(code: ErrorCode, message: impl Into<String>, context: Context) -> Done<T> {
    Err(Box::new(Problem { code, message: message.into(), context }))
}

pub(super) fn compile(
    collector: &Collector<'_>,
    append: &[AppendOutput],
    result: &mut LoadResult,
) -> Done<Vec<SourceRules>> {
    let mut lists = lists::resolve(&collector.lists);
    let mut macros = compile_macros(&collector.macros, &mut lists)?;
    let by_name = macros.iter().enumerate().map(|(at, item)| (item.name.clone(), at)).collect();
    let mut sources = Vec::new();
    for catalogue in collector.sources {
        let mut compilation = Compilation {
            catalogue: *catalogue,
            compiler: Compiler::new(*catalogue),
            source: SourceRules {
                source: catalogue.source(),
                program: Program::default(),
                rules: Vec::new(),
            },
            lists: &mut lists,
            macros: &mut macros,
            by_name: &by_name,
            append,
            result,
        };
        let rules = collector.rules.iter();
        for item in rules.filter(|item| !item.unknown_source && item.rule.source == catalogue.source()) {
            compilation.rule(item)?;
        }
        sources.push(compilation.source);
    }
    for (item, compiled) in collector.macros.iter().zip(&macros) {
        if !compiled.used {
            let message = "Macro not referred to by any other rule/macro";
            result.warn(WarningCode::UnusedMacro, message, &item.context);
        }
    }
    for (item, list) in collector.lists.iter().zip(&lists) {
        if !list.used {
            result.warn(
                WarningCode::UnusedList,
                "List not referred to by any other rule/macro",
                &item.context,
            );
        }
    }
    Ok(sources)
}

fn parse(condition: &str, lists: &mut [List], context: &Context) -> Done<(String, Expression)> {
    let text = match lists::substitute(condition, lists) {
        Ok(text) => text,
        Err(message) => return fail(ErrorCode::CompileCondition, message, context.clone()),
    };
    match condition::parse(&text) {
        Ok(expression) => Ok((text, expression)),
        Err(error) => fail(ErrorCode::CompileCondition, error.message, context.in_condition(&text, error.at)),
    }
}

/// Macros in the order of their first definition, each resolved among those that it sees.
fn compile_macros(items: &[MacroItem], lists: &mut [List]) -> Done<Vec<Macro>> {
    let mut macros = Vec::with_capacity(items.len());
    for item in items {
        let (_, expression) = parse(&item.condition, lists, &item.condition_context)?;
        macros.push(Macro {
            name: item.name.clone(),
            expression: Arc::new(expression),
            depth: 0,
            resolved: false,
            used: false,
            index: item.index,
        });
    }
    let by_name: HashMap<String, usize> =
        macros.iter().enumerate().map(|(at, item)| (item.name.clone(), at)).collect();
    for (at, item) in items.iter().enumerate() {
        let Some(expression) = macros.get(at).map(|known| Arc::clone(&known.expression)) else { continue };
        let mut resolver = Resolver::new(&macros, &by_name, item.visibility);
        let (expression, depth) = match resolver.resolve(&expression) {
            Ok(resolved) => resolved,
            Err(error) => {
                let context = item.context.in_condition(&item.condition, error.at);
                return fail(ErrorCode::Validate, error.message, context);
            }
        };
        let used: Vec<usize> = resolver.used().collect();
        for index in used {
            if let Some(used) = macros.get_mut(index) {
                used.used = true;
            }
        }
        if let Some(known) = macros.get_mut(at) {
            known.expression = Arc::new(expression);
            (known.depth, known.resolved) = (depth, true);
        }
    }
    Ok(macros)
}

/// The rules of one source being compiled.
struct Compilation<'a> {
    catalogue: &'a dyn FieldCatalogue,
    compiler: Compiler<'a>,
    source: SourceRules,
    lists: &'a mut [List],
    macros: &'a mut [Macro],
    by_name: &'a HashMap<String, usize>,
    append: &'a [AppendOutput],
    result: &'a mut LoadResult,
}

impl Compilation<'_> {
    fn rule(&mut self, item: &RuleItem) -> Done {
        let condition = exceptions::apply(&item.rule.condition, &item.exceptions)?;
        let Some((rule, output, extra_fields)) = self.output(item)? else { return Ok(()) };
        let Some(node) = self.condition(item, &condition)? else { return Ok(()) };
        self.source.program.use_node(node);
        self.source.rules.push(CompiledRule { rule: Arc::new(rule), condition: node, output, extra_fields });
        Ok(())
    }

    /// The rule with its whole output, and that output compiled; none when the rule is to be skipped.
    #[expect(clippy::type_complexity, reason = "the three parts of one answer")]
    fn output(&mut self, item: &RuleItem) -> Done<Option<(Rule, Format, Vec<(String, Format, bool)>)>> {
        let mut rule = item.rule.clone();
        let applies: Vec<&AppendOutput> =
            self.append.iter().filter(|append| append.applies_to(&rule)).collect();
        for append in &applies {
            for more in append.texts(self.catalogue) {
                rule.output.push(' ');
                rule.output.push_str(&more);
            }
        }
        if rule.output.contains(CONTAINER_INFO) {
            let message = "%container.info is deprecated and no more useful. The container fields are added to the \
                           output by themselves.";
            self.result.warn(WarningCode::DeprecatedItem, message, &item.context);
            rule.output = rule.output.replace(CONTAINER_INFO, "");
        }
        let text =
            if rule.output.starts_with('*') { rule.output.clone() } else { format!("*{}", rule.output) };
        let format = match Format::compile(&text, self.catalogue) {
            Ok(format) => format,
            Err(message) if item.skip_if_unknown_filter => {
                self.result.warn(WarningCode::UnknownFilter, message, &item.output_context);
                return Ok(None);
            }
            Err(message) => return fail(ErrorCode::CompileOutput, message, item.output_context.clone()),
        };
        for (field, _) in DEPRECATED_FIELDS {
            if rule.output.contains(field) {
                let message =
                    format!("usage of deprecated field '{field}' has been detected in the rule output");
                self.result.warn(WarningCode::DeprecatedItem, message, &item.output_context);
            }
        }
        let mut extra_fields = Vec::new();
        for (key, text, raw) in applies.iter().flat_map(|append| &append.fields) {
            match Format::compile(&format!("*{text}"), self.catalogue) {
                Ok(format) => extra_fields.push((key.clone(), format, *raw)),
                Err(message) => return fail(ErrorCode::CompileOutput, message, item.output_context.clone()),
            }
        }
        Ok(Some((rule, format, extra_fields)))
    }

    /// The condition's node; none when the rule is to be skipped.
    fn condition(&mut self, item: &RuleItem, condition: &str) -> Done<Option<NodeId>> {
        let (text, expression) = parse(condition, self.lists, &item.condition_context)?;
        let mut resolver = Resolver::new(self.macros, self.by_name, u32::MAX);
        let expression = match resolver.resolve(&expression) {
            Ok((expression, _)) => expression,
            Err(error) => {
                let context = item.context.in_condition(condition, error.at);
                return fail(ErrorCode::Validate, error.message, context);
            }
        };
        let used: Vec<usize> = resolver.used().collect();
        for index in used {
            self.mark_used(index);
        }
        self.warn_of_condition(&expression, &text, &item.condition_context);
        let node = match self.compiler.condition(&expression, &mut self.source.program) {
            Ok(node) => node,
            Err(error) => {
                let context = item.condition_context.in_condition(&text, error.at);
                if error.unknown && item.skip_if_unknown_filter {
                    self.result.warn(WarningCode::UnknownFilter, error.message, &context);
                    return Ok(None);
                }
                return fail(ErrorCode::CompileCondition, error.message, context);
            }
        };
        for warning in std::mem::take(&mut self.compiler.warnings) {
            let context = item.condition_context.in_condition(&text, warning.at);
            self.result.warn(WarningCode::CompileCondition, warning.message, &context);
        }
        if item.rule.source == SYSCALL && item.warn_event_types && self.sees_many_types(node) {
            let message =
                "Rule matches too many evt.type values. This has a significant performance penalty.";
            self.result.warn(WarningCode::NoEventType, message, &item.context);
        }
        Ok(Some(node))
    }

    /// A macro that is used marks those it names, too; they were marked when it was resolved.
    fn mark_used(&mut self, index: usize) {
        if let Some(item) = self.macros.get_mut(index) {
            item.used = true;
        }
    }

    fn sees_many_types(&mut self, node: NodeId) -> bool {
        let program = &mut self.source.program;
        let named: Vec<_> = program.named_types().iter().collect();
        let mut seen = 0;
        if program.specialise(node, None, &mut HashMap::new()) != Program::NEVER {
            seen += usize::from(self.catalogue.event_types()).saturating_sub(named.len());
        }
        for event_type in named {
            if seen > MANY_EVENT_TYPES {
                break;
            }
            seen += usize::from(
                program.specialise(node, Some(event_type), &mut HashMap::new()) != Program::NEVER,
            );
        }
        seen > MANY_EVENT_TYPES
    }

    fn warn_of_condition(&mut self, expression: &Expression, text: &str, context: &Context) {
        let mut found = Suspicions::default();
        found.visit(expression);
        let context = context.in_condition(text, Position { offset: 0, line: 0, column: 0 });
        if found.unsafe_na {
            self.result.warn(WarningCode::UnsafeNaCheck, "", &context);
        }
        for (field, why) in DEPRECATED_FIELDS {
            if found.deprecated.contains(field) {
                self.result.warn(WarningCode::DeprecatedItem, *why, &context);
            }
        }
    }
}

/// What a condition does that is seldom meant.
#[derive(Default)]
struct Suspicions {
    unsafe_na: bool,
    deprecated: HashSet<&'static str>,
    seen: HashSet<*const Expression>,
}

impl Suspicions {
    fn visit(&mut self, expression: &Expression) {
        match expression {
            Expression::And(children) | Expression::Or(children) => {
                children.iter().for_each(|child| self.visit(child));
            }
            Expression::Not(child) => self.visit(child),
            Expression::Shared(inner) => {
                if self.seen.insert(Arc::as_ptr(inner)) {
                    self.visit(inner);
                }
            }
            Expression::Check(check) => self.check(check),
            Expression::Macro(..) => {}
        }
    }

    fn check(&mut self, check: &Check) {
        let Term::Field { name, .. } = &check.left else { return };
        if let Some((field, _)) = DEPRECATED_FIELDS.iter().find(|(field, _)| field == name) {
            self.deprecated.insert(field);
        }
        let equality = matches!(
            check.operator.comparison,
            Comparison::Equal
                | Comparison::NotEqual
                | Comparison::In
                | Comparison::Intersects
                | Comparison::PathMatch
        );
        // These sources once gave `<NA>` for what is missing.
        if equality && (name.starts_with("ka.") || name.starts_with("jevt.")) {
            let is_na = |value: &Vec<u8>| value == b"<NA>";
            self.unsafe_na |= match &check.right {
                Right::Value(value) => is_na(value),
                Right::List(values) => values.iter().any(is_na),
                Right::None | Right::Term(_) => false,
            };
        }
    }
}
