//! Resources: how often each is there, and what its body says.

use std::rc::Rc;
use std::sync::Arc;

use yagura_formats::document::{Node, Span};
use yagura_model::SkipReason;

use super::modules::each_of;
use super::reference::suffix;
use super::{Bindings, Evaluation, Expansion, MAX_INSTANCES, Name, Provider, Scope, bound, policy_document};
use crate::cloud::{Language, Raw};
use crate::terraform::functions::number;
use crate::terraform::syntax::{Block, Body};
use crate::terraform::value::{Kind, Map, Outcome, ResourceReference, Value};

/// Arguments and blocks that say how a resource is handled, not what it is.
const META: &[&str] = &["count", "for_each", "provider", "depends_on", "provisioner", "connection"];

impl<'c, 'a> Evaluation<'c, 'a> {
    /// Everything a module instance makes itself.
    pub(super) fn resources(&mut self, at: usize, out: &mut Vec<Raw>) {
        let Some(module) = self.instance(at).map(|instance| instance.module) else { return };
        for (number, resource) in module.resources.iter().enumerate() {
            if resource.data {
                continue;
            }
            let Some(expansion) = self.expansion(at, number) else { continue };
            let provider = self.provider_of(at, resource.kind, resource.block);
            for instance in 0..expansion.len() {
                let prefix = self.instance(at).map(|instance| instance.prefix.clone()).unwrap_or_default();
                let name =
                    format!("{prefix}{}.{}{}", resource.kind, resource.name, suffix(&expansion, instance));
                let reference =
                    ResourceReference { module: at, resource: number, instance, address: name.into() };
                let body = self.resource_body(&reference);
                if self.nodes == 0 {
                    let detail = "the resources hold too many values";
                    self.tell(resource.block.span, SkipReason::TooMany, detail);
                    return;
                }
                let mut node = |value: &Option<Value>| -> Option<Node<'static>> {
                    value.as_ref().map(|value| value.to_node(&mut self.nodes))
                };
                out.push(Raw {
                    language: Language::Terraform,
                    kind: resource.kind.to_owned(),
                    region: node(&provider.region),
                    project: node(&provider.project),
                    default_tags: node(&provider.tags),
                    name: reference.address.to_string(),
                    body: body.to_node(&mut self.nodes),
                });
            }
        }
    }

    pub(super) fn expansion(&mut self, at: usize, resource: usize) -> Option<Rc<Expansion>> {
        let instance = self.instance(at)?;
        let block = instance.module.resources.get(resource)?.block;
        if let Some(known) = instance.expansions.get(&resource).cloned() {
            if known.is_none() {
                self.tell(block.span, SkipReason::Malformed, "the number of instances depends on itself");
            }
            return known;
        }
        self.instances.get_mut(at)?.expansions.insert(resource, None);
        let expansion = Some(Rc::new(self.expand(Scope::of(at), block)));
        self.instances.get_mut(at)?.expansions.insert(resource, expansion.clone());
        expansion
    }

    /// How often a block with `count` or `for_each` is there.
    pub(super) fn expand(&mut self, scope: Scope<'_>, block: &Block<'_>) -> Expansion {
        if let Some(count) = block.attribute("count") {
            let span = count.value.span;
            let value = self.value(scope, &count.value);
            let value = self.settle(span, value);
            if value.is_unknown() {
                return Expansion::UnknownCount;
            }
            let wanted = match &value.kind {
                Kind::Bool(flag) => Some(usize::from(*flag)),
                _ => number(&value).ok().and_then(|number| number.index()),
            };
            return match wanted {
                Some(wanted) => Expansion::Count(self.at_most(wanted, span)),
                None => {
                    self.tell(span, SkipReason::Malformed, "count is no whole number");
                    Expansion::UnknownCount
                }
            };
        }
        let Some(each) = block.attribute("for_each") else { return Expansion::Single };
        let span = each.value.span;
        let value = self.value(scope, &each.value);
        let value = self.settle(span, value);
        match each_of(&value) {
            Ok(Some(mut entries)) => {
                let most = self.at_most(entries.len(), span);
                entries.truncate(most);
                Expansion::Each(entries)
            }
            Ok(None) => Expansion::UnknownEach,
            Err(detail) => {
                self.tell(span, SkipReason::Malformed, detail);
                Expansion::UnknownEach
            }
        }
    }

    fn at_most(&mut self, wanted: usize, span: Span) -> usize {
        if wanted > MAX_INSTANCES {
            let detail = format!("{wanted} instances; the first {MAX_INSTANCES} are read");
            self.tell(span, SkipReason::TooMany, detail);
        }
        wanted.min(MAX_INSTANCES)
    }

    fn bindings(&mut self, reference: &ResourceReference) -> Bindings {
        let Some(expansion) = self.expansion(reference.module, reference.resource) else { return Vec::new() };
        let span = self.block(reference).map(|block| block.span).unwrap_or_default();
        expansion.bindings(reference.instance, span)
    }

    fn block(&self, reference: &ResourceReference) -> Option<&'c Block<'a>> {
        Some(self.instance(reference.module)?.module.resources.get(reference.resource)?.block)
    }

    /// Everything a resource's body states.
    fn resource_body(&mut self, reference: &ResourceReference) -> Value {
        let Some(block) = self.block(reference) else { return Value::unknown(Span::default()) };
        let mut entries = Map::new();
        for attribute in &block.body.attributes {
            if META.contains(&attribute.name.as_ref()) {
                continue;
            }
            let value = self.stated(reference, &attribute.name).unwrap_or(Ok(Value::unknown(attribute.span)));
            let value = self.settle(attribute.value.span, value);
            entries.insert(attribute.name.as_ref().into(), (attribute.span, value));
        }
        let bindings = self.bindings(reference);
        let blocks =
            bound(Scope::of(reference.module), &bindings, &mut |scope| self.blocks(scope, &block.body));
        entries.extend(blocks);
        Value::map(block.span, entries)
    }

    /// `.name` of a resource: what is stated, or a reference to what will be.
    pub(super) fn resource_attribute(
        &mut self,
        reference: &ResourceReference,
        name: &str,
        span: Span,
    ) -> Outcome {
        let stated = match self.stated(reference, name) {
            Some(stated) => Some(stated?),
            None => self.computed(reference, name, span),
        };
        let text = || format!("{}.{name}", reference.address);
        Ok(match stated {
            Some(Value { kind: Kind::Unknown(None) | Kind::Null, .. }) | None => {
                Value::reference(span, &text())
            }
            Some(value) => value,
        })
    }

    /// An attribute or the blocks of a name, evaluated once.
    fn stated(&mut self, reference: &ResourceReference, name: &str) -> Option<Outcome> {
        let block = self.block(reference)?;
        let attribute = block.attribute(name);
        let generates = |inner: &Block<'_>| {
            inner.kind == name
                || inner.kind == "dynamic" && inner.labels.first().is_some_and(|label| label == name)
        };
        if attribute.is_none() && !block.body.blocks.iter().any(generates) {
            return None;
        }
        let key = (reference.resource, reference.instance, name.to_owned());
        match self.instance(reference.module)?.attributes.get(&key) {
            Some(Some(known)) => return Some(known.clone()),
            Some(None) => return Some(super::cycle(&format!("{}.{name}", reference.address))),
            None => {}
        }
        self.instances.get_mut(reference.module)?.attributes.insert(key.clone(), None);
        let bindings = self.bindings(reference);
        let outcome = bound(Scope::of(reference.module), &bindings, &mut |scope| match attribute {
            Some(attribute) => self.value(scope, &attribute.value),
            None => {
                let found = self.blocks_of(scope, &block.body, Some(name)).remove(name);
                Ok(found.map_or(Value::unknown(block.span), |(_, value)| value))
            }
        });
        self.instances.get_mut(reference.module)?.attributes.insert(key, Some(outcome.clone()));
        Some(outcome)
    }

    /// What data sources give that follows from the text alone.
    fn computed(&mut self, reference: &ResourceReference, name: &str, span: Span) -> Option<Value> {
        let resource = *self.instance(reference.module)?.module.resources.get(reference.resource)?;
        if !resource.data {
            return None;
        }
        match (resource.kind, name) {
            ("aws_iam_policy_document", "json" | "minified_json") => {
                let body = self.resource_body(reference);
                Some(policy_document::document(&body, span))
            }
            ("aws_region", "name" | "region" | "id") => {
                self.provider_of(reference.module, "aws_region", resource.block).region.clone()
            }
            ("aws_partition", "partition") => {
                let provider = self.provider_of(reference.module, "aws_region", resource.block);
                let region = match &provider.region {
                    Some(region) => region.text().ok().flatten()?,
                    None => Arc::from(""),
                };
                let partition = match region.split('-').next() {
                    Some("cn") => "aws-cn",
                    _ if region.starts_with("us-gov-") => "aws-us-gov",
                    _ => "aws",
                };
                Some(Value::string(span, partition))
            }
            ("template_file", "rendered") => {
                let body = self.resource_body(reference);
                let template = body.get("template")?.clone();
                let variables = body.get("vars").cloned().unwrap_or(Value::map(span, Map::new()));
                self.file_function(
                    Scope::of(reference.module),
                    span,
                    "templatestring",
                    &[template, variables],
                )?
                .ok()
            }
            _ => None,
        }
    }

    fn blocks(&mut self, scope: Scope<'_>, body: &Body<'_>) -> Map {
        self.blocks_of(scope, body, None)
    }

    /// The blocks of a body by kind, `dynamic` ones expanded.
    fn blocks_of(&mut self, scope: Scope<'_>, body: &Body<'_>, only: Option<&str>) -> Map {
        let mut kinds: std::collections::BTreeMap<Arc<str>, (Span, Vec<Value>)> = Default::default();
        for block in &body.blocks {
            let dynamic = block.kind == "dynamic";
            let kind =
                if dynamic { block.labels.first().map(AsRef::as_ref) } else { Some(block.kind.as_ref()) };
            let Some(kind) = kind else { continue };
            if META.contains(&kind) || only.is_some_and(|only| only != kind) {
                continue;
            }
            let made = if dynamic { self.dynamic(scope, block, kind) } else { vec![self.body(scope, block)] };
            kinds.entry(kind.into()).or_insert_with(|| (block.span, Vec::new())).1.extend(made);
        }
        kinds.into_iter().map(|(kind, (span, blocks))| (kind, (span, Value::list(span, blocks)))).collect()
    }

    /// A block's body as an object.
    fn body(&mut self, scope: Scope<'_>, block: &Block<'_>) -> Value {
        let mut entries = Map::new();
        for attribute in &block.body.attributes {
            let value = self.value(scope, &attribute.value);
            let value = self.settle(attribute.value.span, value);
            entries.insert(attribute.name.as_ref().into(), (attribute.span, value));
        }
        entries.extend(self.blocks(scope, &block.body));
        Value::map(block.span, entries)
    }

    fn dynamic(&mut self, scope: Scope<'_>, block: &Block<'_>, kind: &str) -> Vec<Value> {
        let content = block.body.blocks.iter().find(|inner| inner.kind == "content");
        let (Some(content), Some(each)) = (content, block.attribute("for_each")) else { return Vec::new() };
        let iterator = block.attribute("iterator").and_then(|iterator| iterator.value.word()).unwrap_or(kind);
        let span = each.value.span;
        let value = self.value(scope, &each.value);
        let value = self.settle(span, value);
        let rows: Vec<(Value, Value)> = match &value.kind {
            Kind::Map(entries) => entries
                .iter()
                .map(|(key, (span, value))| (Value::string(*span, key.clone()), value.clone()))
                .collect(),
            Kind::List(items) => {
                let row = |(at, item): (usize, &Value)| {
                    (Value::number(item.span, i128::try_from(at).unwrap_or(i128::MAX)), item.clone())
                };
                items.iter().enumerate().map(row).collect()
            }
            Kind::Set(items) => items.iter().map(|item| (item.clone(), item.clone())).collect(),
            Kind::Null => Vec::new(),
            // One block stands for as many as there will be.
            _ => vec![(
                Value::reference(span, &format!("{iterator}.key")),
                Value::reference(span, &format!("{iterator}.value")),
            )],
        };
        let most = self.at_most(rows.len(), span);
        let mut made = Vec::with_capacity(most);
        for (key, value) in rows.into_iter().take(most) {
            let entries = [("key", key), ("value", value)];
            let entries =
                entries.into_iter().map(|(name, value)| (name.into(), (span, value))).collect::<Map>();
            let value = Value::map(span, entries);
            let names = Name { name: iterator, value: &value, outer: scope.names };
            made.push(self.body(Scope { names: Some(&names), ..scope }, content));
        }
        made
    }

    /// The provider of a resource: the one it names, else the default one of its module or a caller.
    pub(super) fn provider_of(&mut self, at: usize, kind: &str, block: &Block<'_>) -> Rc<Provider> {
        let default = kind.split('_').next().unwrap_or(kind).to_owned();
        let named = block
            .attribute("provider")
            .and_then(|provider| provider.value.names().map(|names| names.join(".")));
        let named = named.or_else(|| block.attribute("provider")?.value.word().map(str::to_owned));
        self.provider(at, &named.unwrap_or(default))
    }

    fn provider(&mut self, at: usize, name: &str) -> Rc<Provider> {
        let Some(instance) = self.instance(at) else { return Rc::default() };
        if let Some(known) = instance.providers.get(name) {
            return known.clone();
        }
        let (local, alias) = name.split_once('.').map_or((name, None), |(local, alias)| (local, Some(alias)));
        let module = instance.module;
        let own = module.providers.iter().find(|(kind, block)| {
            let of_block = block.attribute("alias").and_then(|alias| alias.value.word());
            *kind == local && of_block == alias
        });
        let provider = match own {
            Some((_, block)) => Rc::new(self.configured(at, block)),
            None => match &instance.caller {
                Some(caller) => {
                    let passed = caller.call.block.attribute("providers").and_then(|providers| {
                        let crate::terraform::syntax::Kind::Object(items) = &providers.value.kind else {
                            return None;
                        };
                        let of = |key: &crate::terraform::syntax::Expression<'_>| {
                            key.word().map(str::to_owned).or_else(|| key.names().map(|names| names.join(".")))
                        };
                        items
                            .iter()
                            .find(|(key, _)| of(key).as_deref() == Some(name))
                            .and_then(|(_, value)| of(value))
                    });
                    let outer = caller.instance;
                    self.provider(outer, &passed.unwrap_or_else(|| local.to_owned()))
                }
                None => Rc::default(),
            },
        };
        if let Some(instance) = self.instances.get_mut(at) {
            instance.providers.insert(name.to_owned(), provider.clone());
        }
        provider
    }

    fn configured(&mut self, at: usize, block: &Block<'_>) -> Provider {
        let mut of = |block: &Block<'_>, name: &str| {
            let attribute = block.attribute(name)?;
            let value = self.value(Scope::of(at), &attribute.value);
            Some(self.settle(attribute.value.span, value))
        };
        let tags = block.body.blocks.iter().find(|inner| inner.kind == "default_tags");
        Provider {
            region: of(block, "region"),
            project: of(block, "project"),
            tags: tags.and_then(|tags| of(tags, "tags")).or_else(|| of(block, "default_labels")),
        }
    }
}
