//! Expressions to values.

use std::sync::Arc;

use yagura_formats::document::Span;
use yagura_model::SkipReason;

use super::{Evaluation, MAX_CHAIN, Name, Scope};
use crate::cloud::symbol;
use crate::terraform::functions::{self, MAX_ELEMENTS, MAX_TEXT, boolean};
use crate::terraform::number::Number;
use crate::terraform::syntax::{Expression, For, Kind as Syntax, Part, Step};
use crate::terraform::value::{Kind, Map, Outcome, Value, equal};

impl Evaluation<'_, '_> {
    pub(super) fn value(&mut self, scope: Scope<'_>, of: &Expression<'_>) -> Outcome {
        if !self.spend(1, of.span) {
            return Ok(Value::unknown(of.span));
        }
        if self.chain >= MAX_CHAIN {
            let detail = format!("values depend on one another over more than {MAX_CHAIN} levels");
            self.tell(of.span, SkipReason::TooDeep, detail);
            return Ok(Value::unknown(of.span));
        }
        self.chain += 1;
        let result = self.of_kind(scope, of);
        self.chain -= 1;
        result
    }

    fn of_kind(&mut self, scope: Scope<'_>, of: &Expression<'_>) -> Outcome {
        let span = of.span;
        match &of.kind {
            Syntax::Null => Ok(Value::new(span, Kind::Null)),
            Syntax::Bool(value) => Ok(Value::bool(span, *value)),
            Syntax::Number(text) => match Number::parse(text) {
                Some(number) => Ok(Value::new(span, Kind::Number(number))),
                None => Err("a number that is none".to_owned()),
            },
            Syntax::String(text) => Ok(Value::string(span, text.as_ref())),
            Syntax::Template(parts) => self.template(scope, span, parts),
            Syntax::Tuple(items) => {
                let items = items.iter().map(|item| self.value(scope, item)).collect::<Result<_, _>>()?;
                Ok(Value::list(span, items))
            }
            Syntax::Object(items) => self.object(scope, span, items),
            Syntax::Variable(name) => self.name(scope, span, name),
            Syntax::Attribute(inner, name) => self.attribute_of(scope, span, inner, name),
            Syntax::Index(pair) => {
                let value = self.value(scope, &pair.0)?;
                let index = self.value(scope, &pair.1)?;
                self.index(&value, &index, span)
            }
            Syntax::Splat(inner, steps) => self.splat(scope, span, inner, steps),
            Syntax::Call { name, arguments, expand } => self.call(scope, span, name, arguments, *expand),
            Syntax::Not(inner) => {
                let value = self.value(scope, inner)?;
                Ok(boolean(&value)?.map_or(Value::unknown(span), |value| Value::bool(span, !value)))
            }
            Syntax::Negate(inner) => {
                let value = self.value(scope, inner)?;
                if value.is_unknown() {
                    return Ok(Value::unknown(span));
                }
                Ok(Value::new(span, Kind::Number(functions::number(&value)?.negate())))
            }
            Syntax::Binary(operator, pair) => self.binary(scope, span, *operator, &pair.0, &pair.1),
            Syntax::Conditional(parts) => self.conditional(scope, span, parts),
            Syntax::For(of) => self.comprehension(scope, span, of),
        }
    }

    fn object(
        &mut self,
        scope: Scope<'_>,
        span: Span,
        items: &[(Expression<'_>, Expression<'_>)],
    ) -> Outcome {
        let mut entries = Map::new();
        for (key, value) in items {
            let text = self.value(scope, key)?;
            let value = self.value(scope, value)?;
            match text.text()? {
                Some(text) => entries.insert(text, (key.span, value)),
                // An unknown key among known ones: its value is kept under what is known of the key.
                None => entries.insert(symbol::shown(&text.symbolic()).into(), (key.span, value)),
            };
        }
        Ok(Value::map(span, entries))
    }

    fn conditional(&mut self, scope: Scope<'_>, span: Span, parts: &[Expression<'_>; 3]) -> Outcome {
        let [condition, then, otherwise] = parts;
        let condition = self.value(scope, condition)?;
        match boolean(&condition)? {
            Some(true) => self.value(scope, then),
            Some(false) => self.value(scope, otherwise),
            None => {
                // The same either way is known.
                let (then, otherwise) = (self.value(scope, then), self.value(scope, otherwise));
                match (then, otherwise) {
                    (Ok(then), Ok(otherwise)) if equal(&then, &otherwise) == Some(true) => Ok(then),
                    _ => Ok(Value::unknown(span)),
                }
            }
        }
    }

    pub(super) fn template(&mut self, scope: Scope<'_>, span: Span, parts: &[Part<'_>]) -> Outcome {
        if let [Part::Interpolation(only)] = parts {
            return self.value(scope, only);
        }
        let mut text = String::new();
        let known = self.write_parts(scope, parts, &mut text)?;
        Ok(match known {
            _ if text.len() > MAX_TEXT => Value::unknown(span),
            true => Value::string(span, text),
            false => Value::new(span, Kind::Unknown(Some(text.into()))),
        })
    }

    /// Appends the text of parts; false where some of it is unknown.
    fn write_parts(
        &mut self,
        scope: Scope<'_>,
        parts: &[Part<'_>],
        text: &mut String,
    ) -> Result<bool, String> {
        let mut known = true;
        for part in parts {
            if text.len() > MAX_TEXT {
                return Ok(false);
            }
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Interpolation(expression) => {
                    let value = self.value(scope, expression)?;
                    match value.text()? {
                        Some(value) => text.push_str(&value),
                        None => {
                            known = false;
                            text.push_str(&value.symbolic());
                        }
                    }
                }
                Part::If { condition, then, otherwise } => {
                    let condition = self.value(scope, condition)?;
                    match boolean(&condition)? {
                        Some(true) => known &= self.write_parts(scope, then, text)?,
                        Some(false) => known &= self.write_parts(scope, otherwise, text)?,
                        None => {
                            known = false;
                            text.push_str(&symbol::mark(""));
                        }
                    }
                }
                Part::For { key, value, collection, body } => {
                    let of = self.value(scope, collection)?;
                    let Some(elements) = elements(&of)? else {
                        known = false;
                        text.push_str(&symbol::mark(""));
                        continue;
                    };
                    for (index, element) in &elements {
                        let inner = Name { name: value, value: element, outer: scope.names };
                        let outer =
                            key.as_deref().map(|key| Name { name: key, value: index, outer: Some(&inner) });
                        let names = Some(outer.as_ref().unwrap_or(&inner));
                        known &= self.write_parts(Scope { names, ..scope }, body, text)?;
                        if text.len() > MAX_TEXT {
                            return Ok(false);
                        }
                    }
                }
            }
        }
        Ok(known)
    }

    fn splat(&mut self, scope: Scope<'_>, span: Span, inner: &Expression<'_>, steps: &[Step<'_>]) -> Outcome {
        let value = self.value(scope, inner)?;
        let single = [value.clone()];
        let items: &[Value] = match &value.kind {
            Kind::Null => &[],
            Kind::List(items) | Kind::Set(items) => items,
            Kind::Unknown(_) => {
                return Ok(match &value.kind {
                    Kind::Unknown(Some(text)) => match symbol::single(text) {
                        Some(reference) => {
                            let mut reference = format!("{reference}[*]");
                            for step in steps {
                                match step {
                                    Step::Attribute(name) => reference.push_str(&format!(".{name}")),
                                    Step::Index(_) => reference.push_str("[]"),
                                }
                            }
                            Value::reference(span, &reference)
                        }
                        None => Value::unknown(span),
                    },
                    _ => Value::unknown(span),
                });
            }
            _ => &single,
        };
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            let mut value = item.clone();
            for step in steps {
                value = match step {
                    Step::Attribute(name) => self.attribute(&value, name, span)?,
                    Step::Index(index) => {
                        let index = self.value(scope, index)?;
                        self.index(&value, &index, span)?
                    }
                };
            }
            results.push(value);
        }
        Ok(Value::list(span, results))
    }

    fn comprehension(&mut self, scope: Scope<'_>, span: Span, of: &For<'_>) -> Outcome {
        let collection = self.value(scope, &of.collection)?;
        let Some(elements) = elements(&collection)? else { return Ok(Value::unknown(span)) };
        let mut items: Vec<Value> = Vec::new();
        let mut entries = Map::new();
        let mut groups: std::collections::BTreeMap<Arc<str>, Vec<Value>> = Default::default();
        for (index, element) in &elements {
            let inner = Name { name: &of.value, value: element, outer: scope.names };
            let outer = of.key.as_deref().map(|key| Name { name: key, value: index, outer: Some(&inner) });
            let scope = Scope { names: Some(outer.as_ref().unwrap_or(&inner)), ..scope };
            if let Some(condition) = &of.condition {
                let condition = self.value(scope, condition)?;
                match boolean(&condition)? {
                    Some(true) => {}
                    Some(false) => continue,
                    None => return Ok(Value::unknown(span)),
                }
            }
            let Some(key) = &of.result_key else {
                items.push(self.value(scope, &of.result)?);
                continue;
            };
            let text = self.value(scope, key)?.text()?;
            let result = self.value(scope, &of.result)?;
            match text {
                None => return Ok(Value::unknown(span)),
                Some(text) if of.group => groups.entry(text).or_default().push(result),
                Some(text) => {
                    if entries.insert(text.clone(), (key.span, result)).is_some() {
                        return Err(format!("the key {} is given twice by a `for`", shown(&text)));
                    }
                }
            }
        }
        if of.result_key.is_none() {
            return Ok(Value::list(span, items));
        }
        entries.extend(groups.into_iter().map(|(key, items)| (key, (span, Value::list(span, items)))));
        Ok(Value::map(span, entries))
    }

    fn call(
        &mut self,
        scope: Scope<'_>,
        span: Span,
        name: &str,
        arguments: &[Expression<'_>],
        expand: bool,
    ) -> Outcome {
        match name {
            "try" => {
                for argument in arguments {
                    if let Ok(value) = self.value(scope, argument) {
                        return Ok(value);
                    }
                }
                return Err("try(): no argument has a value".to_owned());
            }
            "can" => {
                let Some(argument) = arguments.first() else {
                    return Err("can(): the argument is missing".to_owned());
                };
                return Ok(match self.value(scope, argument) {
                    Ok(value) if value.is_unknown() => Value::unknown(span),
                    Ok(_) => Value::bool(span, true),
                    Err(_) => Value::bool(span, false),
                });
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.value(scope, argument)?);
        }
        if expand && let Some(last) = values.pop() {
            match last.items() {
                Some(items) => values.extend_from_slice(items),
                None if last.is_unknown() => return Ok(Value::unknown(span)),
                None => return Err(format!("{name}(): `...` needs a list")),
            }
        }
        let walked: u64 = values.iter().map(|value| u64::from(value.size())).sum();
        if !self.spend(walked / 8, span) {
            return Ok(Value::unknown(span));
        }
        if let Some(result) = self.file_function(scope, span, name, &values) {
            return result;
        }
        functions::call(name, span, &values)
            .unwrap_or_else(|| Err(format!("there is no function {}()", shown(name))))
    }
}

/// The keys and elements of a collection; none when they are unknown.
fn elements(of: &Value) -> Result<Option<Vec<(Value, Value)>>, String> {
    match &of.kind {
        Kind::List(items) => Ok((items.len() <= MAX_ELEMENTS).then(|| {
            let number =
                |at: usize, item: &Value| Value::number(item.span, i128::try_from(at).unwrap_or(i128::MAX));
            items.iter().enumerate().map(|(at, item)| (number(at, item), item.clone())).collect()
        })),
        Kind::Set(items) => Ok(Some(items.iter().map(|item| (item.clone(), item.clone())).collect())),
        Kind::Map(entries) => Ok(Some(
            entries
                .iter()
                .map(|(key, (span, value))| (Value::string(*span, key.clone()), value.clone()))
                .collect(),
        )),
        _ if of.is_unknown() => Ok(None),
        _ => Err(format!("a collection is required, but the value is {}", of.type_name())),
    }
}

fn shown(text: &str) -> String {
    crate::terraform::configuration::shown(text)
}
