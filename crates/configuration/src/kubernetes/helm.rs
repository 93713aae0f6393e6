//! Helm templates, which are no YAML until Helm has rendered them.

use std::borrow::Cow;

use yagura_formats::document::{Node, Value};

/// Whether a text has what only Helm's templates have.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{")
        && [
            ".Values",
            ".Release",
            ".Chart",
            ".Capabilities",
            "{{- ",
            "{{ include",
            "{{ template",
            "{{ if",
            "{{ range",
        ]
        .iter()
        .any(|mark| text.contains(mark))
}

/// Makes every value that a template writes unknown. A template without control structures may well be YAML: its
/// placeholders are read as mappings of mappings, or stand within strings.
pub(super) fn forget_placeholders(node: &mut Node<'_>, text: &str) {
    let placeholder = match &node.value {
        Value::String(value) => value.contains("{{"),
        Value::Mapping(_) => text.get(node.span.start as usize..).is_some_and(|rest| rest.starts_with("{{")),
        _ => false,
    };
    if placeholder {
        node.value = Value::Unknown;
        return;
    }
    match &mut node.value {
        Value::Sequence(items) => items.iter_mut().for_each(|item| forget_placeholders(item, text)),
        Value::Mapping(entries) => {
            for entry in entries {
                if entry.key.string().is_none() {
                    entry.key.value = Value::String(Cow::Borrowed("{{ }}"));
                }
                forget_placeholders(&mut entry.value, text);
            }
        }
        _ => {}
    }
}
