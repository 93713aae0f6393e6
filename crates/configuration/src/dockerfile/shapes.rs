//! The shapes of what a file says: users, ports, mounts, and what a stage leaves behind.

use yagura_formats::document::{Node, Span};

use super::stages::{Stage, User};
use crate::fields::{Fields, perhaps, text};

/// What the instructions of a stage leave behind.
#[derive(Clone, Default)]
pub(super) struct Effects {
    pub user: Option<Node<'static>>,
    pub cmd: Option<Node<'static>>,
    pub entrypoint: Option<Node<'static>>,
    pub healthcheck: Option<Node<'static>>,
    pub workdir: Option<Node<'static>>,
    pub stopsignal: Option<Node<'static>>,
    pub ports: Vec<Node<'static>>,
    pub volumes: Vec<Node<'static>>,
    /// Variables and labels, the last value of each name.
    pub environment: Vec<(String, Node<'static>)>,
    pub labels: Vec<(String, Node<'static>)>,
}

/// Most ports, volumes, variables or labels of a stage that are kept.
const MAX_EFFECTS: usize = 1000;

/// What an instruction says of the stage it stands in.
pub(super) fn summary(stage: &Stage, stages: usize, span: Span) -> Node<'static> {
    Fields::at(span)
        .number("index", stage.index)
        .maybe("name", stage.name.as_ref().map(|name| text(name.clone(), span)))
        .flag("final", stage.index + 1 == stages)
        .flag("shipped", stage.shipped)
        .flag("windows", stage.windows)
        .node()
}

/// `{text, name, group}`.
pub(super) fn user_node(value: &str, span: Span) -> Node<'static> {
    let (name, group) = match value.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (value, None),
    };
    Fields::at(span)
        .text("text", value)
        .text("name", name)
        .maybe("group", group.map(|group| text(group, span)))
        .node()
}

pub(super) fn user_in_effect(stage: &Stage, span: Span) -> Option<Node<'static>> {
    match &stage.user {
        User::Base => None,
        User::Nobody => Some(user_node("root", span)),
        User::Named(user) => Some(user_node(user, span)),
        User::Unknown => Some(perhaps(None, span)),
    }
}

pub(super) fn inherited_user(stage: &Stage, span: Span) -> Option<Node<'static>> {
    match &stage.user {
        // Nobody said anything: the image runs as whatever its base says.
        User::Base | User::Nobody => None,
        _ => user_in_effect(stage, span),
    }
}

/// `{text, first, last, protocol}` of `80`, `80/udp`, `8000-8010`.
pub(super) fn port(value: &str, span: Span) -> Node<'static> {
    let (range, protocol) = value.split_once('/').unwrap_or((value, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let mut fields = Fields::at(span).text("text", value).text("protocol", protocol.to_ascii_lowercase());
    if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
        fields = fields.number("first", first).number("last", last);
    }
    fields.node()
}

/// `type=secret,id=x,target=/y` as a mapping.
pub(super) fn mount(value: Option<&str>, span: Span) -> Node<'static> {
    let Some(value) = value else { return perhaps(None, span) };
    let mut fields = Fields::at(span);
    let mut typed = false;
    for part in value.split(',').take(64) {
        let (name, value) = part.split_once('=').unwrap_or((part, "true"));
        let name = match name {
            "src" => "source",
            "dst" | "destination" => "target",
            other => other,
        };
        typed |= name == "type";
        fields.push(name.to_owned(), text(value, span));
    }
    if !typed {
        fields.push("type", text("bind", span));
    }
    fields.node()
}

pub(super) fn keep(kept: &mut Vec<Node<'static>>, more: &[Node<'static>]) {
    let room = MAX_EFFECTS.saturating_sub(kept.len());
    kept.extend(more.iter().take(room).cloned());
}

pub(super) fn put_last(values: &mut Vec<(String, Node<'static>)>, name: String, value: Node<'static>) {
    if let Some((_, known)) = values.iter_mut().find(|(known, _)| *known == name) {
        *known = value;
    } else if values.len() < MAX_EFFECTS {
        values.push((name, value));
    }
}
