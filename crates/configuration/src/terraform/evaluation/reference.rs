//! Names to values: variables, locals, resources, modules and what is within them.

use std::sync::Arc;

use yagura_formats::document::Span;

use super::{Children, Evaluation, Expansion, Scope, cycle};
use crate::cloud::symbol;
use crate::terraform::functions::{constrain, number};
use crate::terraform::syntax::{Expression, Kind as Syntax};
use crate::terraform::value::{Kind, Map, Outcome, ResourceReference, Value};

impl<'c, 'a> Evaluation<'c, 'a> {
    /// A name that stands alone: bound by a `for`, an iterator, `each`, `count` or `self`.
    pub(super) fn name(&mut self, scope: Scope<'_>, span: Span, name: &str) -> Outcome {
        Ok(scope.lookup(name).cloned().unwrap_or_else(|| Value::reference(span, name)))
    }

    pub(super) fn attribute_of(
        &mut self,
        scope: Scope<'_>,
        span: Span,
        inner: &Expression<'_>,
        name: &str,
    ) -> Outcome {
        match &inner.kind {
            Syntax::Variable(root) if scope.lookup(root).is_none() => {
                self.rooted(scope.instance, span, root, name)
            }
            Syntax::Attribute(data, kind) if matches!(&data.kind, Syntax::Variable(root) if root == "data" && scope.lookup(root).is_none()) => {
                Ok(self.resource(scope.instance, span, true, kind, name))
            }
            _ => {
                let value = self.value(scope, inner)?;
                self.attribute(&value, name, span)
            }
        }
    }

    fn rooted(&mut self, instance: usize, span: Span, root: &str, name: &str) -> Outcome {
        match root {
            "var" => self.variable(instance, name, span),
            "local" => self.local(instance, name, span),
            "module" => Ok(self.module(instance, name, span)),
            "path" => Ok(self.path(instance, name, span)),
            "data" | "terraform" | "each" | "count" | "self" => {
                Ok(Value::reference(span, &format!("{root}.{name}")))
            }
            kind => Ok(self.resource(instance, span, false, kind, name)),
        }
    }

    fn variable(&mut self, at: usize, name: &str, span: Span) -> Outcome {
        let Some(instance) = self.instance(at) else { return Ok(Value::unknown(span)) };
        let Some((name, block)) = instance.module.variables.get_key_value(name) else {
            return Ok(Value::reference(span, &format!("{}var.{name}", instance.prefix)));
        };
        match instance.variables.get(name) {
            Some(Some(known)) => return known.clone(),
            Some(None) => return cycle(&format!("var.{name}")),
            None => {}
        }
        let (name, block) = (*name, *block);
        let text = format!("{}var.{name}", instance.prefix);
        self.slots(at, |instance| instance.variables.insert(name, None));
        let outcome = self.given(at, name).and_then(|given| {
            let keeps_null = !matches!(
                block.attribute("nullable").map(|nullable| &nullable.value.kind),
                Some(Syntax::Bool(false))
            );
            let value = match given {
                Some(value) if !value.is_null() || keeps_null => value,
                _ => match block.attribute("default") {
                    Some(default) => self.value(Scope::of(at), &default.value)?,
                    None => return Ok(Value::reference(block.span, &text)),
                },
            };
            match block.attribute("type") {
                Some(constraint) => constrain(value, &constraint.value, &mut |default| {
                    self.value(Scope::of(at), default).ok()
                }),
                None => Ok(value),
            }
        });
        let outcome = outcome.map(|value| named(value, &text));
        self.slots(at, |instance| instance.variables.insert(name, Some(outcome.clone())));
        outcome
    }

    /// What the caller of a module, or a tfvars file, gives a variable.
    fn given(&mut self, at: usize, name: &str) -> Result<Option<Value>, String> {
        let Some(instance) = self.instance(at) else { return Ok(None) };
        let Some(caller) = &instance.caller else {
            return match instance.module.given.get(name) {
                Some(given) => self.value(Scope::of(at), &given.value).map(Some),
                None => Ok(None),
            };
        };
        let Some(argument) = caller.call.block.attribute(name) else { return Ok(None) };
        let (outer, bindings) = (caller.instance, caller.bindings.clone());
        super::bound(Scope::of(outer), &bindings, &mut |scope| self.value(scope, &argument.value)).map(Some)
    }

    fn local(&mut self, at: usize, name: &str, span: Span) -> Outcome {
        let Some(instance) = self.instance(at) else { return Ok(Value::unknown(span)) };
        let Some((name, local)) = instance.module.locals.get_key_value(name) else {
            return Err(format!("there is no local.{name}"));
        };
        match instance.locals.get(name) {
            Some(Some(known)) => return known.clone(),
            Some(None) => return cycle(&format!("local.{name}")),
            None => {}
        }
        let (name, local) = (*name, *local);
        let text = format!("{}local.{name}", instance.prefix);
        self.slots(at, |instance| instance.locals.insert(name, None));
        let outcome = self.value(Scope::of(at), &local.value).map(|value| named(value, &text));
        self.slots(at, |instance| instance.locals.insert(name, Some(outcome.clone())));
        outcome
    }

    pub(super) fn output(&mut self, at: usize, name: &str, span: Span) -> Outcome {
        let Some(instance) = self.instance(at) else { return Ok(Value::unknown(span)) };
        let Some((name, block)) = instance.module.outputs.get_key_value(name) else {
            return Err(format!("the module has no output {name}"));
        };
        match instance.outputs.get(name) {
            Some(Some(known)) => return known.clone(),
            Some(None) => return cycle(&format!("output.{name}")),
            None => {}
        }
        let (name, block) = (*name, *block);
        self.slots(at, |instance| instance.outputs.insert(name, None));
        let outcome = match block.attribute("value") {
            Some(value) => self.value(Scope::of(at), &value.value),
            None => Ok(Value::unknown(span)),
        };
        self.slots(at, |instance| instance.outputs.insert(name, Some(outcome.clone())));
        outcome
    }

    fn slots<T>(&mut self, at: usize, change: impl FnOnce(&mut super::Instance<'c, 'a>) -> T) {
        if let Some(instance) = self.instances.get_mut(at) {
            change(instance);
        }
    }

    fn module(&mut self, at: usize, name: &str, span: Span) -> Value {
        let reference = |this: &Self| {
            let prefix = this.instance(at).map(|instance| instance.prefix.clone()).unwrap_or_default();
            Value::reference(span, &format!("{prefix}module.{name}"))
        };
        let Some(children) = self.children(at, name) else { return reference(self) };
        let Children::Known(expansion, instances) = &*children else { return reference(self) };
        let each = |at: usize| {
            Value::new(span, instances.get(at).map_or(Kind::Unknown(None), |at| Kind::Module(*at)))
        };
        expanded(span, expansion, each)
    }

    /// A resource or data source as a whole: one, a list or a map of its instances.
    fn resource(&mut self, at: usize, span: Span, data: bool, kind: &str, name: &str) -> Value {
        let Some(instance) = self.instance(at) else { return Value::unknown(span) };
        let prefix = instance.prefix.clone();
        let mode = if data { "data." } else { "" };
        let Some(resource) = instance.module.by_name.get(&(data, kind, name)).copied() else {
            return Value::reference(span, &format!("{prefix}{mode}{kind}.{name}"));
        };
        let Some(expansion) = self.expansion(at, resource) else {
            return Value::reference(span, &format!("{prefix}{mode}{kind}.{name}"));
        };
        let each = |instance: usize| {
            let address = format!("{prefix}{mode}{kind}.{name}{}", suffix(&expansion, instance));
            let address = Arc::from(address);
            Value::new(
                span,
                Kind::Resource(Arc::new(ResourceReference { module: at, resource, instance, address })),
            )
        };
        expanded(span, &expansion, each)
    }

    /// What stands behind `.name`.
    pub(super) fn attribute(&mut self, of: &Value, name: &str, span: Span) -> Outcome {
        match &of.kind {
            Kind::Map(entries) => match entries.get(name) {
                Some((_, value)) => Ok(value.clone()),
                None => Err(format!("there is no attribute {name}")),
            },
            Kind::Unknown(Some(text)) => Ok(match symbol::single(text) {
                Some(reference) => Value::reference(span, &format!("{reference}.{name}")),
                None => Value::unknown(span),
            }),
            Kind::Unknown(None) => Ok(Value::unknown(span)),
            Kind::Resource(reference) => self.resource_attribute(&reference.clone(), name, span),
            Kind::Module(instance) => self.output(*instance, name, span),
            // Blocks that can only be there once are lists here, whatever a provider's schema says.
            Kind::List(items) if items.len() == 1 => match items.first() {
                Some(only) if only.entries().is_some() => self.attribute(&only.clone(), name, span),
                _ => Err(format!("a list has no attribute {name}")),
            },
            _ => Err(format!("{} has no attribute {name}", of.type_name())),
        }
    }

    /// What stands behind `[index]`.
    pub(super) fn index(&mut self, of: &Value, index: &Value, span: Span) -> Outcome {
        match &of.kind {
            Kind::Unknown(Some(text)) => {
                let index = match &index.kind {
                    Kind::String(key) => format!("{:?}", &**key),
                    _ => index.text()?.unwrap_or_default().to_string(),
                };
                return Ok(match symbol::single(text) {
                    Some(reference) => Value::reference(span, &format!("{reference}[{index}]")),
                    None => Value::unknown(span),
                });
            }
            Kind::Unknown(None) => return Ok(Value::unknown(span)),
            // One instance stands for all of an unknown `for_each`.
            Kind::Resource(reference) => {
                let expansion = self.expansion(reference.module, reference.resource);
                return match (expansion.as_deref(), index.text()?) {
                    (Some(Expansion::UnknownEach), _) => Ok(of.clone()),
                    (_, Some(name)) => self.attribute(of, &name, span),
                    _ => Ok(Value::unknown(span)),
                };
            }
            Kind::Module(_) => {
                return match index.text()? {
                    Some(name) => self.attribute(of, &name, span),
                    None => Ok(Value::unknown(span)),
                };
            }
            Kind::List(items) | Kind::Set(items) if index.is_unknown() => {
                // The only one there is, whichever is asked for.
                return Ok(match items.as_slice() {
                    [only] => only.clone(),
                    _ => Value::unknown(span),
                });
            }
            _ => {}
        }
        match &of.kind {
            _ if index.is_unknown() => Ok(Value::unknown(span)),
            Kind::List(items) => {
                let at = number(index)?.index().ok_or("an index is no whole number")?;
                items.get(at).cloned().ok_or_else(|| "an index is beyond the end of its list".to_owned())
            }
            Kind::Map(entries) => {
                let key = index.text()?.unwrap_or_default();
                let found = entries.get(&key).map(|(_, value)| value.clone());
                found.ok_or_else(|| "a key is not in its map".to_owned())
            }
            _ => Err(format!("{} has no elements", of.type_name())),
        }
    }
}

/// An unknown value that says nothing else says which name it has.
fn named(value: Value, text: &str) -> Value {
    match value.kind {
        Kind::Unknown(None) => Value::reference(value.span, text),
        _ => value,
    }
}

/// The instances of something as one value.
fn expanded(span: Span, expansion: &Expansion, each: impl Fn(usize) -> Value) -> Value {
    match expansion {
        Expansion::Single | Expansion::UnknownEach => each(0),
        Expansion::UnknownCount => Value::list(span, vec![each(0)]),
        Expansion::Count(count) => Value::list(span, (0..*count).map(each).collect()),
        Expansion::Each(entries) => {
            let entries = entries.iter().enumerate();
            Value::map(span, entries.map(|(at, (key, _))| (key.clone(), (span, each(at)))).collect::<Map>())
        }
    }
}

/// `[0]` or `["key"]` of an instance's address.
pub(super) fn suffix(expansion: &Expansion, instance: usize) -> String {
    match expansion {
        Expansion::Single | Expansion::UnknownEach => String::new(),
        Expansion::Count(_) | Expansion::UnknownCount => format!("[{instance}]"),
        Expansion::Each(entries) => match entries.get(instance) {
            Some((key, _)) => format!("[{:?}]", &**key),
            None => String::new(),
        },
    }
}
