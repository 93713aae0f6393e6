//! From properties of a language to shapes: read, join parts to what they are parts of, fill in defaults, link.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use yagura_formats::document::{Entry, Node, Span, Value};

use super::convert::{convert, follow};
use super::links::{Index, resolved};
use super::mapping::{Conversion, Default, Field, Form, Section, Tables, tables};
use super::policy::{entry, is_one};
use super::{Language, Raw, security_group};
use crate::Resource;

/// A resource on its way.
struct Draft {
    kind: &'static str,
    language: Language,
    name: String,
    span: Span,
    fields: Vec<Entry<'static>>,
}

/// Something that is part of another resource.
struct Part<'t> {
    section: &'t Section,
    owner: Node<'static>,
    language: Language,
    name: String,
    span: Span,
    fields: Vec<Entry<'static>>,
}

/// All resources of a configuration in their shapes. Types that no table knows keep their properties and are called
/// after their language: `terraform/aws_new_thing`.
pub fn normalise(raws: Vec<Raw>) -> Vec<Resource<'static>> {
    let tables = tables();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut unknown: Vec<Resource<'static>> = Vec::new();
    let mut index = Index::default();
    for raw in raws {
        let mut known = false;
        let first = drafts.len();
        for (section, owner) in tables.of(&raw.kind) {
            known = true;
            let mut fields = read(&section.fields, &raw.body, raw.language);
            match owner {
                Some(owner) => {
                    // What a resource does not name it is no part of: a policy names roles, users or groups.
                    let Some(owner) = follow(owner, &raw.body) else { continue };
                    let (span, name) = (raw.body.span, raw.name.clone());
                    parts.push(Part { section, owner, language: raw.language, name, span, fields });
                }
                // A type may have what is its own in a section besides the one it shares with others.
                None if drafts.get(first).is_some_and(|draft| draft.kind == section.kind) => {
                    drafts.get_mut(first).into_iter().for_each(|draft| draft.fields.append(&mut fields));
                }
                None => {
                    provided(&mut fields, &raw);
                    let stated = fields.iter().find(|entry| entry.key.string() == Some("name"));
                    index.add(
                        drafts.len(),
                        &raw.name,
                        section.kind,
                        stated.map(|entry| &entry.value),
                        &raw.body,
                    );
                    let (span, name) = (raw.body.span, raw.name.clone());
                    drafts.push(Draft { kind: section.kind, language: raw.language, name, span, fields });
                }
            }
        }
        if !known {
            let kind = Cow::Owned(format!("{}/{}", raw.language.name(), raw.kind));
            unknown.push(Resource { kind, name: raw.name, node: raw.body });
        }
    }
    join(tables, &mut drafts, parts, &index);
    let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
    let finished = drafts.into_iter().map(|mut draft| {
        defaults(tables, &mut draft);
        let mut node = Node::new(draft.span, Value::Mapping(draft.fields));
        let fields: Vec<&Field> = tables.fields(draft.kind).collect();
        link(&fields, &mut node, &index, &names);
        if draft.kind == "aws/security-group" {
            security_group::tidy(&mut node);
        }
        Resource { kind: Cow::Borrowed(draft.kind), name: draft.name, node }
    });
    finished.chain(unknown).collect()
}

/// Region, project and default tags of the provider.
fn provided(fields: &mut Vec<Entry<'static>>, raw: &Raw) {
    for (name, value) in [("region", &raw.region), ("project", &raw.project)] {
        let stated = fields.iter().any(|entry| entry.key.string() == Some(name));
        if let (false, Some(value)) = (stated, value) {
            fields.push(entry(name, value.clone()));
        }
    }
    let Some(Value::Mapping(defaults)) = raw.default_tags.as_ref().map(|tags| &tags.value) else { return };
    match fields.iter_mut().find(|entry| entry.key.string() == Some("tags")).map(|entry| &mut entry.value) {
        Some(Node { value: Value::Mapping(own), .. }) => {
            for tag in defaults {
                if !own.iter().any(|own| own.key.scalar() == tag.key.scalar()) {
                    own.push(tag.clone());
                }
            }
        }
        Some(_) => {}
        None => fields.extend(raw.default_tags.as_ref().map(|tags| entry("tags", tags.clone()))),
    }
}

/// The fields that a body states.
fn read(fields: &[Field], body: &Node<'static>, language: Language) -> Vec<Entry<'static>> {
    let mut entries: Vec<Entry<'static>> = Vec::new();
    for field in fields {
        if let Some(value) = value(field, body, language) {
            put(&mut entries, field, value);
        }
    }
    entries
}

/// Adds a field; lists that are stated in several places grow, of other values the first counts.
fn put(entries: &mut Vec<Entry<'static>>, field: &Field, value: Node<'static>) {
    let known =
        entries.iter_mut().find(|entry| entry.key.string() == Some(field.name)).map(|entry| &mut entry.value);
    match (known, field.form) {
        (None, _) => entries.push(entry(field.name, value)),
        (Some(Node { value: Value::Sequence(items), .. }), Form::Each) => match value.value {
            Value::Sequence(more) => items.extend(more),
            _ => items.push(value),
        },
        (Some(Node { value: Value::Mapping(own), .. }), Form::Object) => {
            let Value::Mapping(more) = value.value else { return };
            for part in more {
                if !own.iter().any(|own| own.key.scalar() == part.key.scalar()) {
                    own.push(part);
                }
            }
        }
        _ => {}
    }
}

fn value(field: &Field, body: &Node<'static>, language: Language) -> Option<Node<'static>> {
    let found = follow(field.path(language), body);
    match field.form {
        Form::Value => {
            // A path that this language has not says nothing, not even that something is absent.
            if field.path(language).is_empty() {
                return None;
            }
            field.conversions.iter().try_fold(found?, |value, conversion| convert(conversion, value))
        }
        Form::Object => {
            let mut found = found?;
            if let Value::Sequence(items) = found.value {
                found = items.into_iter().next()?;
            }
            Some(object(field, &found, language))
        }
        Form::Each => {
            let found = found?;
            let span = found.span;
            let items = match found.value {
                Value::Unknown if !(field.fields.is_empty() && is_one(&found)) => return Some(found),
                Value::Sequence(items) => items,
                _ => vec![found],
            };
            let items = items.into_iter().filter_map(|item| each(field, item, language)).collect();
            Some(Node::new(span, Value::Sequence(items)))
        }
    }
}

fn each(field: &Field, item: Node<'static>, language: Language) -> Option<Node<'static>> {
    if !field.fields.is_empty() {
        return Some(object(field, &item, language));
    }
    field.conversions.iter().try_fold(item, |item, conversion| convert(conversion, item))
}

fn object(field: &Field, node: &Node<'static>, language: Language) -> Node<'static> {
    if node.is_unknown() {
        return Node::new(node.span, Value::Unknown);
    }
    let mut fields = read(&field.fields, node, language);
    for inner in &field.fields {
        fill(inner, &mut fields, node.span, language);
    }
    Node::new(node.span, Value::Mapping(fields))
}

/// Gives each part to what it is part of. A part of something that is not here stands for it; one whose owner is
/// unknown makes its fields unknown wherever they are not stated.
fn join(tables: &Tables, drafts: &mut Vec<Draft>, parts: Vec<Part<'_>>, index: &Index) {
    let mut undecided: BTreeMap<&'static str, BTreeSet<&'static str>> = BTreeMap::new();
    for part in parts {
        let single = std::slice::from_ref(&part.owner);
        let owners = match &part.owner.value {
            Value::Sequence(items) => items,
            _ => single,
        };
        let mut homeless = false;
        for owner in owners {
            let target = index.target(owner, &[part.section.kind]);
            match target.and_then(|at| drafts.get_mut(at)).filter(|draft| draft.kind == part.section.kind) {
                Some(draft) => {
                    for given in &part.fields {
                        let Some(name) = given.key.string() else { continue };
                        let field = part.section.fields.iter().find(|field| field.name == name);
                        if let Some(field) = field {
                            put(&mut draft.fields, field, given.value.clone());
                        }
                    }
                }
                None => {
                    homeless = true;
                    if owner.is_unknown() {
                        let names = part.section.fields.iter().map(|field| field.name);
                        undecided.entry(part.section.kind).or_default().extend(names);
                    }
                }
            }
        }
        if homeless {
            drafts.push(stand_in(tables, part));
        }
    }
    for draft in drafts {
        for name in undecided.get(draft.kind).into_iter().flatten() {
            if !draft.fields.iter().any(|entry| entry.key.string() == Some(name)) {
                draft.fields.push(entry(name, Node::new(draft.span, Value::Unknown)));
            }
        }
    }
}

/// A resource of which nothing is known but a part.
fn stand_in(tables: &Tables, part: Part<'_>) -> Draft {
    let mut fields = part.fields;
    for field in tables.fields(part.section.kind) {
        if !fields.iter().any(|entry| entry.key.string() == Some(field.name)) {
            fields.push(entry(field.name, Node::new(part.span, Value::Unknown)));
        }
    }
    Draft { kind: part.section.kind, language: part.language, name: part.name, span: part.span, fields }
}

/// What the provider does where nothing is stated.
fn defaults(tables: &Tables, draft: &mut Draft) {
    for field in tables.fields(draft.kind) {
        fill(field, &mut draft.fields, draft.span, draft.language);
    }
}

fn fill(field: &Field, fields: &mut Vec<Entry<'static>>, span: Span, language: Language) {
    let Some(default) = field.default(language) else { return };
    if fields.iter().any(|entry| entry.key.string() == Some(field.name)) {
        return;
    }
    let value = match default {
        Default::Known(value) => value.clone(),
        Default::Unknown => Value::Unknown,
    };
    let mut node = Node::new(span, value);
    if field.form == Form::Object && matches!(node.value, Value::Mapping(_)) {
        node = object(field, &node, language);
    }
    fields.push(entry(field.name, node));
}

/// Turns references into names, wherever a field is a link.
fn link(fields: &[&Field], node: &mut Node<'static>, index: &Index, names: &[String]) {
    if let Value::Sequence(items) = &mut node.value {
        items.iter_mut().for_each(|item| link(fields, item, index, names));
        return;
    }
    let Value::Mapping(entries) = &mut node.value else { return };
    for entry in entries {
        let Some(name) = entry.key.string() else { continue };
        for field in fields.iter().filter(|field| field.name == name) {
            let kinds = field.conversions.iter().find_map(|conversion| match conversion {
                Conversion::Link(kinds) => Some(kinds),
                _ => None,
            });
            if let Some(kinds) = kinds {
                let value = std::mem::replace(&mut entry.value, Node::new(entry.key.span, Value::Null));
                entry.value = resolved(value, kinds, index, names);
            }
            if !field.fields.is_empty() {
                let inner: Vec<&Field> = field.fields.iter().collect();
                link(&inner, &mut entry.value, index, names);
            }
        }
    }
}
