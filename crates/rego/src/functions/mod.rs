//! Functions that policies may call beyond those of the interpreter, and those that are refused.

mod documents;
mod format;
mod json_patch;
mod network;
mod objects;
mod patterns;
mod results;
mod secrets;
mod shell;

use std::sync::{Arc, Mutex};

use anyhow::{Result, bail};
use regorus::{Engine, Value};

pub use documents::Files;
pub use results::{PLACE, get};

/// Longest list that `numbers.range` makes: one call must not take all memory.
const MAX_RANGE: i64 = 1_000_000;

/// Functions that reach the network or the machine, or answer otherwise at each call.
const REFUSED: [(&str, &str); 8] = [
    ("http.send", "policies have no network"),
    ("net.lookup_ip_addr", "policies have no network"),
    ("opa.runtime", "policies do not see the machine"),
    ("rego.parse_module", "policies do not make policies"),
    ("rand.intn", "the same file must give the same findings"),
    ("uuid.rfc4122", "the same file must give the same findings"),
    ("test.sleep", "policies do not wait"),
    ("providers.aws.sign_req", "policies have no network"),
];

/// Why a function is refused.
pub fn refused(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why)
}

/// A bound that a call breaks.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Bound(String);

/// A function of ours: its name, how many arguments it takes, what it does.
type Function = (&'static str, u8, fn(&[Value]) -> Result<Value>);

const FUNCTIONS: &[Function] = &[
    ("result.new", 2, results::new),
    ("isManaged", 1, results::is_managed),
    ("json.patch", 2, json_patch::patch),
    ("yaml.unmarshal", 1, documents::yaml),
    ("yaml.is_valid", 1, documents::is_yaml),
    ("yaml.marshal", 1, documents::to_yaml),
    ("object.subset", 2, objects::subset),
    ("regex.match", 2, patterns::matches),
    ("regex.find_all_string_submatch_n", 3, patterns::find_all_submatches),
    ("sh.parse_commands", 1, shell::parse_commands),
    ("squealer.scan_string", 1, secrets::scan_string),
    ("cidr.is_public", 1, network::is_public),
    ("cidr.count_addresses", 1, network::count_addresses),
    ("crypto.sha256", 1, patterns::sha256),
    ("numbers.range", 2, range),
    ("sprintf", 2, format::sprintf),
];

/// Functions that read files beside the policies; only tests have them.
const OF_TESTS: [&str; 2] = ["parse_config_file", "parse_combined_config_files"];

/// Whether a policy may call it.
pub fn known(name: &str) -> bool {
    name == "print"
        || FUNCTIONS.iter().any(|(ours, _, _)| *ours == name)
        || name == "parse_config"
        || OF_TESTS.contains(&name)
        || regorus::unstable::BUILTINS.contains_key(name)
}

/// Gives an interpreter our functions. `files` are what tests may read.
pub fn register(engine: &mut Engine, files: &Arc<Mutex<Files>>) -> Result<()> {
    for (name, arguments, function) in FUNCTIONS {
        let function = *function;
        let call = move |arguments: Vec<Value>| match function(&arguments) {
            // As in OPA, a call that cannot be made is undefined; what breaks a bound is told.
            Err(error) if !error.is::<Bound>() => Ok(Value::Undefined),
            told => told,
        };
        engine.add_extension((*name).to_owned(), *arguments, Box::new(call))?;
    }
    let parse = |arguments: Vec<Value>| documents::parse_config(&arguments);
    engine.add_extension("parse_config".to_owned(), 2, Box::new(parse))?;
    for (at, name) in OF_TESTS.into_iter().enumerate() {
        let files = Arc::clone(files);
        let call = move |arguments: Vec<Value>| match files.lock() {
            Ok(files) if at == 0 => files.parse_one(&arguments),
            Ok(files) => files.parse_many(&arguments),
            Err(_) => bail!("files cannot be read"),
        };
        engine.add_extension(name.to_owned(), 1, Box::new(call))?;
    }
    Ok(())
}

/// All integers from one to another, both included, downwards too.
fn range(arguments: &[Value]) -> Result<Value> {
    let [from, to] = arguments else { bail!("numbers.range takes two numbers") };
    let (from, to) = (from.as_i64()?, to.as_i64()?);
    if to.abs_diff(from) >= MAX_RANGE.unsigned_abs() {
        return Err(Bound(format!("numbers.range of more than {MAX_RANGE} numbers")).into());
    }
    let numbers: Vec<Value> = if from <= to {
        (from..=to).map(Value::from).collect()
    } else {
        (to..=from).rev().map(Value::from).collect()
    };
    Ok(Value::from(numbers))
}

/// The text of an argument.
fn text<'v>(arguments: &'v [Value], at: usize, function: &str) -> Result<&'v str> {
    match arguments.get(at) {
        Some(Value::String(text)) => Ok(text),
        _ => bail!("argument {} of {function} must be a string", at + 1),
    }
}
