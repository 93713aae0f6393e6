//! Control plane components: the flags of static pods, as the benchmarks ask for them.

use std::borrow::Cow;

use yagura_formats::document::{Entry, Node, Span, Value};

use crate::Resource;

/// Programs whose flags are read, wherever they are in a command.
const PROGRAMS: &[&str] =
    &["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kubelet", "kube-proxy"];

/// The component that a container runs, as `kubernetes/<program>` with `{name, flags: {name: value}}`. A flag given
/// twice keeps its last value, one without a value is `true`.
pub(super) fn component<'a>(container: &Node<'a>, owner: &str) -> Option<Resource<'a>> {
    let words = || {
        ["command", "args"]
            .into_iter()
            .flat_map(|key| container.get(key).map(Node::items).unwrap_or_default())
    };
    let file_name =
        |word: &Node<'_>| word.string().map(|word| word.rsplit('/').next().unwrap_or(word).to_owned());
    let program = words().find_map(|word| {
        let name = file_name(word)?;
        PROGRAMS.iter().find(|program| **program == name)
    })?;
    let mut flags: Vec<Entry<'a>> = Vec::new();
    let mut words = words().peekable();
    let mut first = None;
    while let Some(word) = words.next() {
        first = first.or(Some(word.span));
        let Some(text) = word.scalar() else { continue };
        let Some(flag) = text.strip_prefix("--").filter(|flag| !flag.is_empty()) else { continue };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => {
                let next = words.peek().and_then(|next| next.scalar()).filter(|next| !next.starts_with('-'));
                let value = next.map_or_else(|| "true".to_owned(), str::to_owned);
                if next.is_some() {
                    words.next();
                }
                (flag.to_owned(), value)
            }
        };
        let value = text_at(value, word.span);
        match flags.iter_mut().find(|known| known.key.string() == Some(name.as_str())) {
            Some(known) => known.value = value,
            None => flags.push(Entry { key: text_at(name, word.span), value }),
        }
    }
    let at = first.unwrap_or(container.span);
    let entry = |key: &'static str, value: Node<'a>| Entry {
        key: Node::new(value.span, Value::String(Cow::Borrowed(key))),
        value,
    };
    let node = Node::new(
        at,
        Value::Mapping(vec![
            entry("name", text_at((*program).to_owned(), at)),
            entry("flags", Node::new(at, Value::Mapping(flags))),
        ]),
    );
    Some(Resource { kind: Cow::Owned(format!("kubernetes/{program}")), name: owner.to_owned(), node })
}

fn text_at<'a>(text: String, span: Span) -> Node<'a> {
    Node::new(span, Value::String(Cow::Owned(text)))
}
