//! Base64 (CEL's extension "encoders").

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{Function, global, mismatch};
use crate::cel::error::Fault;
use crate::cel::evaluation::Budget;
use crate::cel::value::{Outcome, Value};

pub static TABLE: &[Function] =
    &[global("base64.encode", 1, 1, encode), global("base64.decode", 1, 1, decode)];

fn encode<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Value::Bytes(bytes) = &arguments[0] else { return Err(mismatch("base64.encode", arguments)) };
    budget.spend(bytes.len() / 16)?;
    Ok(Value::text(STANDARD.encode(bytes)))
}

fn decode<'a>(budget: &mut Budget, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Value::String(text) = &arguments[0] else { return Err(mismatch("base64.decode", arguments)) };
    budget.spend(text.as_str().len() / 16)?;
    let bytes = STANDARD.decode(text.as_str()).or_else(|_| STANDARD_NO_PAD.decode(text.as_str()));
    bytes.map(|bytes| Value::Bytes(Arc::from(bytes))).map_err(|_| Fault::error("a text that is not base64"))
}
