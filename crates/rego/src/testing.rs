//! Tests of policies: rules named `test_…`, as `opa test` and `conftest verify` run them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use regorus::Value;

use crate::error::message;
use crate::functions::get;
use crate::judge;
use crate::pack::Pack;
use crate::syntax;

/// How a test came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// With what it printed, and the cases that did not hold.
    Failed(Vec<String>),
    /// `todo_test_…`.
    Skipped,
}

#[derive(Clone, Debug)]
pub struct TestResult {
    /// `data.main.test_labels`.
    pub name: String,
    pub path: String,
    pub line: u32,
    pub outcome: Outcome,
}

impl Pack {
    /// Runs every test, in the order of the files.
    pub fn test(&self) -> Vec<TestResult> {
        let mut results = Vec::new();
        for (module_at, module) in self.modules.iter().enumerate() {
            for (rule_at, rule) in module.policy.iter().enumerate() {
                let name = syntax::rule_name(rule);
                let todo = name.starts_with("todo_test_");
                if !todo && !name.starts_with("test_") || syntax::function_name(rule).is_some() {
                    continue;
                }
                let outcome = if todo { Outcome::Skipped } else { self.run(module_at, rule_at, &name) };
                results.push(TestResult {
                    name: format!("data.{}.{name}", syntax::package(module).join(".")),
                    path: rule.span().source.get_path().clone(),
                    line: rule.span().line,
                    outcome,
                });
            }
        }
        results
    }

    fn run(&self, module_at: usize, rule_at: usize, name: &str) -> Outcome {
        let run = || {
            catch_unwind(AssertUnwindSafe(|| {
                let found = self.modules.get(module_at).and_then(|it| Some((it, it.policy.get(rule_at)?)));
                let Some((module, rule)) = found else { return Outcome::Skipped };
                let path = rule.span().source.get_path();
                if let Ok(mut files) = self.files.lock() {
                    files.directory =
                        path.rsplit_once('/').map_or(".", |(directory, _)| directory).to_owned();
                }
                let mut engine = self.engine.clone();
                judge::limit(&mut engine);
                engine.set_gather_prints(true);
                let data = engine.eval_rule_in_module(module, rule, false);
                let mut told = engine.take_prints().unwrap_or_default();
                let data = match data {
                    Ok(data) => data,
                    Err(error) => {
                        told.push(message(&error.to_string()));
                        return Outcome::Failed(told);
                    }
                };
                let package = syntax::package(module);
                let names = package.iter().map(String::as_str).chain([name]);
                let value = names.into_iter().try_fold(&data, |value, name| get(value, name));
                let missing = missing(value, &syntax::test_cases(rule));
                match (value, missing) {
                    (Some(value), missing) if holds(value) && missing.is_empty() => Outcome::Passed,
                    (_, missing) => {
                        told.extend(missing.into_iter().map(|case| format!("case `{case}` does not hold")));
                        Outcome::Failed(told)
                    }
                }
            }))
            .ok()
        };
        let failed = || Outcome::Failed(vec!["the interpreter failed on it".to_owned()]);
        judge::with_stack(run).flatten().unwrap_or_else(failed)
    }
}

/// A test holds where its value is anything but false, and for tests over cases where none is.
fn holds(value: &Value) -> bool {
    match value {
        Value::Undefined => false,
        Value::Bool(value) => *value,
        Value::Object(cases) => cases.iter().all(|(_, held)| *held != Value::from(false)),
        _ => true,
    }
}

/// The cases that a test names and that did not hold.
fn missing(value: Option<&Value>, cases: &[String]) -> Vec<String> {
    let has = |case: &String| match value {
        Some(value @ Value::Object(_)) => get(value, case).is_some(),
        Some(Value::Set(held)) => held.contains(&Value::from(case.as_str())),
        _ => false,
    };
    cases.iter().filter(|case| !has(case)).cloned().collect()
}
