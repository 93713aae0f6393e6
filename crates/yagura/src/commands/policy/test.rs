//! `yagura policy test`: the examples of rules, run through the real parsers.

use anyhow::Result;
use yagura_detect::policies::{CompiledRule, Rule, examples};
use yagura_rego::{Outcome as TestOutcome, Pack};
use yagura_report::terminal::escape;

use super::Outcome;
use crate::arguments::policies::PolicyTest;
use crate::{output, policies};

pub fn run(arguments: &PolicyTest) -> Result<Outcome> {
    let mut files: Vec<(String, String)> = Vec::new();
    for path in &arguments.paths {
        let found = policies::files(path, &["yaml", "yml"])?;
        files.extend(found.into_iter().filter(|(_, text)| policies::is_rule(text)));
    }
    if arguments.paths.is_empty() {
        let carried = yagura_rules::family("policies");
        files.extend(carried.iter().map(|file| (file.path.to_owned(), file.text.to_owned())));
    }
    let mut text = String::new();
    let (mut rules, mut failures) = (0_usize, 0_usize);
    for (path, file) in &files {
        rules += 1;
        let told = match Rule::read(path, file).and_then(CompiledRule::of) {
            Ok(compiled) => examples::failures(&compiled.rule, file),
            Err(error) => vec![error.to_string()],
        };
        failures += told.len();
        told.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    }
    let pack = policies::rego::load_for_tests(&arguments.paths, &arguments.policy_data)?;
    if rules > 0 || pack.is_none() {
        text.push_str(&format!("{rules} rules, {failures} failures\n"));
    }
    if let Some(pack) = &pack {
        failures += tests(pack, &mut text);
    }
    output::print(&text)?;
    Ok(if failures > 0 { Outcome::Findings } else { Outcome::Fine })
}

/// Runs the tests of policies in Rego; how many do not hold.
fn tests(pack: &Pack, text: &mut String) -> usize {
    let results = pack.test();
    let mut failed = 0;
    for result in &results {
        if let TestOutcome::Failed(told) = &result.outcome {
            failed += 1;
            text.push_str(&format!("{}:{}: {} fails\n", result.path, result.line, result.name));
            told.iter().for_each(|line| text.push_str(&format!("    {}\n", escape(line))));
        }
    }
    let skipped = results.iter().filter(|result| result.outcome == TestOutcome::Skipped).count();
    let passed = results.len() - failed - skipped;
    text.push_str(&format!(
        "{} modules, {} checks, {} tests: {passed} passed, {failed} failed, {skipped} skipped\n",
        pack.modules(),
        pack.checks().len(),
        results.len()
    ));
    failed
}
