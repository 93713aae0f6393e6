//! Alerts as OpenTelemetry log records: the JSON body of an OTLP/HTTP logs request
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), one record each.

use serde_json::{Value, json};
use yagura_model::alert::{Alert, Priority};

use super::values;

pub(super) fn json(alert: &Alert) -> String {
    let mut attributes = vec![
        attribute("event.name", &json!("yagura.alert")),
        attribute("rule.name", &json!(&*alert.rule)),
        attribute("rule.source", &json!(&*alert.source)),
        attribute("rule.priority", &json!(alert.priority.name())),
        attribute("rule.tags", &json!(&*alert.tags)),
    ];
    if alert.repeats > 0 {
        attributes.push(attribute("alert.repeats", &json!(alert.repeats)));
    }
    for (name, value) in &alert.fields {
        let value = values::json(value);
        if !value.is_null() {
            attributes.push(attribute(name, &value));
        }
    }
    let (number, text) = severity(alert.priority);
    // 64-bit integers are texts in the JSON form of protocol buffers.
    let time = alert.time.to_string();
    json!({
        "resourceLogs": [{
            "resource": { "attributes": [
                attribute("service.name", &json!("yagura")),
                attribute("service.version", &json!(env!("CARGO_PKG_VERSION"))),
                attribute("host.name", &json!(&*alert.hostname)),
            ] },
            "scopeLogs": [{
                "scope": { "name": "yagura.threats", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": [{
                    "timeUnixNano": time,
                    "observedTimeUnixNano": time,
                    "severityNumber": number,
                    "severityText": text,
                    "body": { "stringValue": alert.message },
                    "attributes": attributes,
                }],
            }],
        }],
    })
    .to_string()
}

fn severity(priority: Priority) -> (u32, &'static str) {
    match priority {
        Priority::Emergency => (24, "EMERGENCY"),
        Priority::Alert => (22, "ALERT"),
        Priority::Critical => (21, "CRITICAL"),
        Priority::Error => (17, "ERROR"),
        Priority::Warning => (13, "WARN"),
        Priority::Notice => (10, "NOTICE"),
        Priority::Informational => (9, "INFO"),
        Priority::Debug => (5, "DEBUG"),
    }
}

fn attribute(key: &str, value: &Value) -> Value {
    json!({ "key": key, "value": any_value(value) })
}

fn any_value(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
        Value::Number(number) => match number.as_i64() {
            Some(number) => json!({ "intValue": number.to_string() }),
            None => json!({ "stringValue": number.to_string() }),
        },
        Value::String(text) => json!({ "stringValue": text }),
        Value::Array(items) => {
            json!({ "arrayValue": { "values": items.iter().map(any_value).collect::<Vec<_>>() } })
        }
        other => json!({ "stringValue": other.to_string() }),
    }
}
