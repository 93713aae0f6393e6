//! Functions over text that the interpreter does not have.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Result, bail};
use regex::{Regex, RegexBuilder};
use regorus::Value;
use sha2::{Digest, Sha256};

use super::text;

/// Largest compiled pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4 << 20;

/// Most compiled patterns kept: they are few, and asked of every document.
const MAX_KEPT: usize = 2_000;

/// A compiled pattern.
fn compiled(pattern: &str) -> Result<Regex> {
    static KEPT: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept().get(pattern) {
        return Ok(known.clone());
    }
    let compiled = RegexBuilder::new(pattern).size_limit(MAX_PATTERN_BYTES).build()?;
    let mut kept = kept();
    if kept.len() >= MAX_KEPT {
        kept.clear();
    }
    kept.insert(pattern.to_owned(), compiled.clone());
    Ok(compiled)
}

pub fn matches(arguments: &[Value]) -> Result<Value> {
    const NAME: &str = "regex.match";
    let value = text(arguments, 1, NAME)?;
    Ok(Value::from(compiled(text(arguments, 0, NAME)?)?.is_match(value)))
}

/// Every match of a pattern with its groups; a negative number asks for all.
pub fn find_all_submatches(arguments: &[Value]) -> Result<Value> {
    const NAME: &str = "regex.find_all_string_submatch_n";
    let value = text(arguments, 1, NAME)?;
    let Some(most) = arguments.get(2) else { bail!("{NAME} takes a pattern, a text and a number") };
    let most = usize::try_from(most.as_i64()?).unwrap_or(usize::MAX);
    let pattern = compiled(text(arguments, 0, NAME)?)?;
    let matches = pattern.captures_iter(value).take(most).map(|found| {
        let groups = found.iter().map(|group| Value::from(group.map_or("", |group| group.as_str())));
        Value::from(groups.collect::<Vec<_>>())
    });
    Ok(Value::from(matches.collect::<Vec<_>>()))
}

pub fn sha256(arguments: &[Value]) -> Result<Value> {
    let digest = Sha256::digest(text(arguments, 0, "crypto.sha256")?.as_bytes());
    Ok(Value::from(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}
