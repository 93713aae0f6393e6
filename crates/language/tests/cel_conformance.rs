//! The conformance cases of the CEL specification, where they are at hand: YAGURA_CEL_SPEC names the directory
//! `tests/simple/testdata` of github.com/google/cel-spec. The cases themselves are not part of this project.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use yagura_language::cel::{
    Activation, Duration, Environment, Fault, List, Map, Outcome, OwnedMap, Program, Text, Timestamp, Type,
    Value, equal,
};

#[path = "support/textproto.rs"]
mod textproto;

use textproto::{Message, read};

/// Files about protocol buffer messages, checking without evaluation, and macros that only optimizers use.
const OTHER_FILES: [&str; 7] =
    ["block_ext", "dynamic", "enums", "proto2", "proto2_ext", "proto3", "wrappers"];

#[test]
fn the_specification_s_cases_hold() {
    let Some(directory) = std::env::var_os("YAGURA_CEL_SPEC").map(PathBuf::from) else {
        println!(
            "SKIPPED the_specification_s_cases_hold: YAGURA_CEL_SPEC names no copy of cel-spec's testdata"
        );
        return;
    };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut passed, mut left_out, mut failures) = (0, 0, String::new());
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "textproto")) {
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        if OTHER_FILES.contains(&file.as_str()) {
            continue;
        }
        let root = read(&std::fs::read_to_string(path).unwrap());
        for section in root.messages("section") {
            for test in section.messages("test") {
                let name = format!("{file}/{}/{}", section.text("name"), test.text("name"));
                match case(test) {
                    None => left_out += 1,
                    Some(Ok(())) => passed += 1,
                    Some(Err(problem)) => {
                        let _ = writeln!(failures, "{name}: {problem}\n    {}", test.text("expr"));
                    }
                }
            }
        }
    }
    println!("{passed} cases hold, {left_out} are about what is not supported");
    assert!(failures.is_empty(), "{} cases hold, but:\n{failures}", passed);
    assert!(passed > 900, "only {passed} cases were found");
}

/// Whether a case holds; `None` when it is about messages or named time zones.
fn case(test: &Message) -> Option<Result<(), String>> {
    let text = test.text("expr");
    let about_messages =
        ["TestAllTypes", "NestedTestAllTypes", "google.protobuf.", "proto.", "GlobalEnum", "NullValue"];
    if test.flag("check_only") || about_messages.iter().any(|word| text.contains(word)) {
        return None;
    }
    let zones = ["US/", "America/", "Asia/", "Australia/", "Europe/"];
    if zones.iter().any(|zone| text.contains(zone)) {
        return None;
    }
    let mut environment = Environment { container: test.text("container"), ..Environment::default() };
    let mut variables: Vec<Outcome<'static>> = Vec::new();
    for binding in test.messages("bindings") {
        environment.variables.push(binding.text("key"));
        variables.push(Ok(value(binding.message("value")?.message("value")?)?));
    }
    // Declared without a binding: cannot be known.
    for declared in test.messages("type_env") {
        if declared.message("ident").is_some() && !environment.variables.contains(&declared.text("name")) {
            environment.variables.push(declared.text("name"));
            variables.push(Err(Fault::of("no such variable")));
        }
        if declared.message("function").is_some() {
            return None;
        }
    }
    let expected = match test.message("typed_result").and_then(|typed| typed.message("result")) {
        Some(result) => Some(value(result)?),
        None => match test.message("value") {
            Some(expected) => Some(value(expected)?),
            None if test.has("eval_error") => None,
            None => Some(Value::Bool(true)),
        },
    };
    let program = match Program::compile(&text, &environment) {
        Ok(program) => program,
        Err(_) if expected.is_none() => return Some(Ok(())),
        // Here a name that does not exist is an error before the first evaluation, and never one within it.
        Err(error) if test.flag("disable_check") && error.message.starts_with("there is no ") => return None,
        Err(error) => return Some(Err(format!("does not compile: {error}"))),
    };
    let outcome = program.evaluate(&Activation { variables: &variables, host: None });
    Some(match (outcome, expected) {
        (Err(_), None) => Ok(()),
        (Ok(value), None) => Err(format!("gives {value:?} and should be an error")),
        (Err(fault), Some(expected)) => Err(format!("gives the error `{fault}` and should be {expected:?}")),
        (Ok(found), Some(expected)) if same(&found, &expected) => Ok(()),
        (Ok(found), Some(expected)) => Err(format!("gives {found:?} and should be {expected:?}")),
    })
}

/// Equal and of the same type; NaN is itself here.
fn same(found: &Value<'_>, expected: &Value<'_>) -> bool {
    match (found, expected) {
        (Value::Double(a), Value::Double(b)) => a == b || a.is_nan() && b.is_nan(),
        _ => found.type_of() == expected.type_of() && equal(found, expected) == Ok(true),
    }
}

/// A value of the case; `None` for messages.
fn value(message: &Message) -> Option<Value<'static>> {
    let (kind, field) = message.fields.first()?;
    Some(match kind.as_str() {
        "null_value" => Value::Null,
        "bool_value" => Value::Bool(field.scalar() == "true"),
        "int64_value" => Value::Int(number(&field.scalar())?),
        "uint64_value" => Value::Uint(field.scalar().parse().ok()?),
        "double_value" => Value::Double(match field.scalar().as_str() {
            "inf" | "infinity" | "Infinity" => f64::INFINITY,
            "-inf" | "-infinity" | "-Infinity" => f64::NEG_INFINITY,
            "nan" | "NaN" => f64::NAN,
            text => text.parse().ok()?,
        }),
        "string_value" => Value::String(Text::Owned(String::from_utf8(field.bytes()).ok()?.into())),
        "bytes_value" => Value::Bytes(field.bytes().into()),
        "type_value" => Value::Type(Type(String::leak(field.scalar()))),
        "list_value" => {
            let items: Option<Vec<_>> = field.as_message()?.messages("values").map(value).collect();
            Value::List(List::Owned(items?.into()))
        }
        "map_value" => {
            let mut map = OwnedMap::default();
            for entry in field.as_message()?.messages("entries") {
                map.insert(value(entry.message("key")?)?, value(entry.message("value")?)?).ok()?;
            }
            Value::Map(Map::Owned(Arc::new(map)))
        }
        "object_value" => {
            let (name, content) = field.as_message()?.fields.first()?;
            let content = content.as_message()?;
            let seconds = number(&content.text("seconds")).unwrap_or(0);
            let nanos = number(&content.text("nanos")).unwrap_or(0);
            match name.rsplit('.').next()?.trim_end_matches(']') {
                "Timestamp" => Value::Timestamp(Timestamp::new(seconds, u32::try_from(nanos).ok()?)?),
                "Duration" => Value::Duration(Duration(seconds * 1_000_000_000 + nanos)),
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok()
}
