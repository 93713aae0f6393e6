//! The data source `aws_iam_policy_document`: blocks to the JSON of a policy.

use std::sync::Arc;

use yagura_formats::document::Span;

use crate::terraform::value::{Kind, Map, Value, equal};

/// Its `json` attribute, from the data source's body.
pub fn document(body: &Value, span: Span) -> Value {
    let mut entries = Map::new();
    let version = body.get("version").cloned().unwrap_or_else(|| Value::string(body.span, "2012-10-17"));
    put(&mut entries, "Version", version);
    if let Some(id) = body.get("policy_id") {
        put(&mut entries, "Id", id.clone());
    }
    let mut statements = Vec::new();
    let mut known = true;
    for name in ["source_json", "source_policy_documents"] {
        known &= inherited(body.get(name), &mut statements, false);
    }
    for block in body.get("statement").and_then(Value::items).unwrap_or_default() {
        add(statement(block), &mut statements, true);
    }
    for name in ["override_json", "override_policy_documents"] {
        known &= inherited(body.get(name), &mut statements, true);
    }
    if !known && statements.is_empty() {
        return Value::unknown(span);
    }
    if !known {
        // A document it builds upon is unknown: so is a statement.
        statements.push(Value::unknown(body.span));
    }
    put(&mut entries, "Statement", Value::list(body.span, statements));
    Value::new(span, Kind::Json(Arc::new(Value::map(body.span, entries))))
}

fn put(entries: &mut Map, name: &str, value: Value) {
    entries.insert(name.into(), (value.span, value));
}

/// Adds a statement; one of the same Sid is replaced where it overrides.
fn add(statement: Value, statements: &mut Vec<Value>, replaces: bool) {
    let sid = statement.get("Sid").cloned();
    let same = |other: &&mut Value| match (&sid, other.get("Sid")) {
        (Some(sid), Some(other)) => equal(sid, other) == Some(true),
        _ => false,
    };
    match statements.iter_mut().find(same) {
        Some(other) if replaces => *other = statement,
        _ => statements.push(statement),
    }
}

/// The statements of documents it builds upon; false where one is unknown.
fn inherited(documents: Option<&Value>, statements: &mut Vec<Value>, replaces: bool) -> bool {
    let Some(documents) = documents else { return true };
    let single = std::slice::from_ref(documents);
    let mut known = true;
    for document in documents.items().unwrap_or(single) {
        let parsed = match &document.kind {
            Kind::Json(inner) => Some((**inner).clone()),
            Kind::String(text) => {
                let text = Value::new(document.span, Kind::String(text.clone()));
                crate::terraform::functions::call("jsondecode", document.span, &[text]).and_then(Result::ok)
            }
            Kind::Null => continue,
            _ => None,
        };
        let Some(parsed) = parsed else {
            known = false;
            continue;
        };
        let Some(list) = parsed.get("Statement") else { continue };
        for statement in list.items().unwrap_or(std::slice::from_ref(list)) {
            add(statement.clone(), statements, replaces);
        }
    }
    known
}

fn statement(block: &Value) -> Value {
    let mut entries = Map::new();
    let effect = block.get("effect").cloned().unwrap_or_else(|| Value::string(block.span, "Allow"));
    put(&mut entries, "Effect", effect);
    let copied = [
        ("sid", "Sid"),
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ];
    for (from, to) in copied {
        if let Some(value) = block.get(from).filter(|value| !value.is_null()) {
            put(&mut entries, to, value.clone());
        }
    }
    for (from, to) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        let principals = block.get(from).and_then(Value::items).unwrap_or_default();
        if !principals.is_empty() {
            put(&mut entries, to, principal(principals, block.span));
        }
    }
    let conditions = block.get("condition").and_then(Value::items).unwrap_or_default();
    if !conditions.is_empty() {
        put(&mut entries, "Condition", condition(conditions, block.span));
    }
    Value::map(block.span, entries)
}

/// `*` alone, or identifiers by kind.
fn principal(blocks: &[Value], span: Span) -> Value {
    let mut kinds = Map::new();
    for block in blocks {
        let identifiers = block.get("identifiers").cloned().unwrap_or_else(|| Value::unknown(block.span));
        let kind = block.get("type").and_then(|kind| kind.text().ok().flatten());
        match kind {
            Some(kind) if &*kind == "*" => return Value::string(block.span, "*"),
            Some(kind) => append(&mut kinds, kind, identifiers),
            None => append(&mut kinds, "AWS".into(), Value::unknown(block.span)),
        }
    }
    Value::map(span, kinds)
}

fn condition(blocks: &[Value], span: Span) -> Value {
    let mut tests = Map::new();
    for block in blocks {
        let text = |name: &str| block.get(name).and_then(|value| value.text().ok().flatten());
        let (Some(test), Some(variable)) = (text("test"), text("variable")) else {
            put(&mut tests, "Unknown", Value::unknown(block.span));
            continue;
        };
        let values = block.get("values").cloned().unwrap_or_else(|| Value::unknown(block.span));
        let mut variables =
            tests.get(&test).and_then(|(_, value)| value.entries().cloned()).unwrap_or_default();
        append(&mut variables, variable, values);
        tests.insert(test, (block.span, Value::map(block.span, variables)));
    }
    Value::map(span, tests)
}

/// Adds a list to what a key has already.
fn append(entries: &mut Map, key: Arc<str>, value: Value) {
    let joined = match (entries.get(&key).and_then(|(_, value)| value.items()), value.items()) {
        (Some(earlier), Some(more)) => Value::list(value.span, [earlier, more].concat()),
        (Some(earlier), None) => Value::list(value.span, [earlier, std::slice::from_ref(&value)].concat()),
        _ => value,
    };
    entries.insert(key, (joined.span, joined));
}
