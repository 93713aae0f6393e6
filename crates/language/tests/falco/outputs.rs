//! Format strings.

use yagura_language::falco::output::{Format, shown};

use crate::paper::{Event, SYSCALLS};

fn event() -> Event {
    Event::of("execve").with(&[
        ("proc.name", "bash"),
        ("proc.pid", "42"),
        ("proc.aname[2]", "sshd"),
        ("test.arguments", "a|b"),
        ("container.privileged", "true"),
    ])
}

fn text(format: &str) -> Option<String> {
    Format::compile(format, &SYSCALLS).unwrap().text(&event())
}

#[test]
fn values_take_the_place_of_their_fields() {
    assert_eq!(text("*run %proc.name(%proc.pid), gp=%proc.aname[2]!").unwrap(), "run bash(42), gp=sshd!");
    assert_eq!(text("*%proc.name.%proc.pid.").unwrap(), "bash.42.");
    assert_eq!(text("*[%6proc.name][%2proc.name]").unwrap(), "[bash  ][ba]");
    assert_eq!(
        text("*%toupper(proc.name) %test.arguments %container.privileged").unwrap(),
        "BASH (a,b) true"
    );
}

#[test]
fn what_is_missing_is_said_or_nothing_is() {
    assert_eq!(text("*user=%user.name").unwrap(), "user=<NA>");
    assert_eq!(text("user=%user.name"), None);
}

#[test]
fn fields_are_named_once_and_without_transformers() {
    let format =
        Format::compile("*%proc.name %toupper(proc.name) %proc.aname[2] %user.name", &SYSCALLS).unwrap();
    let event = event();
    let names: Vec<String> =
        format.values(&event).map(|(name, value)| format!("{name}={}", shown(&value))).collect();
    assert_eq!(names, ["proc.name=bash", "proc.aname[2]=sshd", "user.name=<NA>"]);
}

#[test]
fn mistakes_are_told() {
    for (format, message) in [
        ("", "empty"),
        ("a %", "cannot end with a %"),
        ("a %10", "cannot end with a number"),
        ("a %nothing.here", "nonexistent field nothing.here"),
        ("a %proc b", "unknown filter"),
        ("%tolower(proc.pid)", "not supported by 'tolower'"),
    ] {
        let error = Format::compile(format, &SYSCALLS).unwrap_err();
        assert!(error.contains(message), "{format}: {error}");
    }
}
