//! Quantities such as `1.5Gi` or `250m` (Kubernetes, "resource.Quantity").

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Function, global, method, mismatch};
use crate::cel::error::Fault;
use crate::cel::extension::Extension;
use crate::cel::value::{Outcome, Value};

/// An exact number of billionths; what is larger in magnitude than 2^63 is held at that, as Kubernetes does.
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    nanos: i128,
}

const NANO: i128 = 1_000_000_000;
/// Kubernetes caps magnitudes here.
const CAP: i128 = (1 << 63) - 1;

pub static TABLE: &[Function] = &[
    global("isQuantity", 1, 1, |_, a| {
        let text = a[0].as_str().ok_or_else(|| mismatch("isQuantity", a))?;
        Ok(Value::Bool(Quantity::parse(text).is_some()))
    }),
    global("quantity", 1, 1, |_, a| {
        let text = a[0].as_str().ok_or_else(|| mismatch("quantity", a))?;
        let quantity = Quantity::parse(text);
        quantity.map(value).ok_or_else(|| Fault::error("a text that is no quantity such as 250m or 1.5Gi"))
    }),
    method("isInteger", 0, 0, |_, a| Ok(Value::Bool(first("isInteger", a)?.integer().is_some()))),
    method("asInteger", 0, 0, |_, a| {
        let integer = first("asInteger", a)?.integer();
        integer.map(Value::Int).ok_or_else(|| Fault::error("a quantity that is no int"))
    }),
    method("asApproximateFloat", 0, 0, |_, a| {
        Ok(Value::Double(first("asApproximateFloat", a)?.nanos as f64 / NANO as f64))
    }),
    method("sign", 0, 0, |_, a| Ok(Value::Int(first("sign", a)?.nanos.signum() as i64))),
    method("add", 1, 1, |_, a| arithmetic("add", a, 1)),
    method("sub", 1, 1, |_, a| arithmetic("sub", a, -1)),
    method("isLessThan", 1, 1, |_, a| Ok(Value::Bool(compared("isLessThan", a)?.is_lt()))),
    method("isGreaterThan", 1, 1, |_, a| Ok(Value::Bool(compared("isGreaterThan", a)?.is_gt()))),
    method("compareTo", 1, 1, |_, a| Ok(Value::Int(compared("compareTo", a)? as i64))),
];

fn value<'a>(quantity: Quantity) -> Value<'a> {
    Value::Extension(Arc::new(Extension::Quantity(quantity)))
}

fn as_quantity(value: &Value<'_>) -> Option<Quantity> {
    match value {
        Value::Extension(extension) => match **extension {
            Extension::Quantity(quantity) => Some(quantity),
            _ => None,
        },
        _ => None,
    }
}

fn first(name: &str, arguments: &[Value<'_>]) -> Result<Quantity, Fault> {
    as_quantity(&arguments[0]).ok_or_else(|| mismatch(name, arguments))
}

fn arithmetic<'a>(name: &str, arguments: &[Value<'a>], sign: i128) -> Outcome<'a> {
    let left = first(name, arguments)?;
    let right = match &arguments[1] {
        Value::Int(value) => Quantity { nanos: i128::from(*value) * NANO },
        other => as_quantity(other).ok_or_else(|| mismatch(name, arguments))?,
    };
    Ok(value(Quantity { nanos: left.nanos + sign * right.nanos }.capped()))
}

/// Quantities and versions have their comparisons in common.
fn compared(name: &str, arguments: &[Value<'_>]) -> Result<Ordering, Fault> {
    if let (Value::Extension(left), Value::Extension(right)) = (&arguments[0], &arguments[1]) {
        match (&**left, &**right) {
            (Extension::Quantity(left), Extension::Quantity(right)) => return Ok(left.order(right)),
            (Extension::Version(left), Extension::Version(right)) => return Ok(left.order(right)),
            _ => {}
        }
    }
    Err(mismatch(name, arguments))
}

impl Quantity {
    pub fn order(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }

    fn capped(self) -> Self {
        Self { nanos: self.nanos.clamp(-CAP * NANO, CAP * NANO) }
    }

    fn integer(&self) -> Option<i64> {
        if self.nanos % NANO == 0 { i64::try_from(self.nanos / NANO).ok() } else { None }
    }

    /// A signed decimal with a suffix: binary (`Ki` … `Ei`), decimal (`n` … `E`) or an exponent (`e3`, `E-2`).
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let length = unsigned.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, suffix) = unsigned.split_at(length);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') || number.len() > 40 {
            return None;
        }
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let places = i32::try_from(fraction.len()).ok()?;
        let (multiplier, exponent): (i128, i32) = match suffix {
            "" => (1, 0),
            "n" => (1, -9),
            "u" => (1, -6),
            "m" => (1, -3),
            "k" => (1, 3),
            "M" => (1, 6),
            "G" => (1, 9),
            "T" => (1, 12),
            "P" => (1, 15),
            "E" => (1, 18),
            "Ki" => (1 << 10, 0),
            "Mi" => (1 << 20, 0),
            "Gi" => (1 << 30, 0),
            "Ti" => (1 << 40, 0),
            "Pi" => (1 << 50, 0),
            "Ei" => (1 << 60, 0),
            _ => {
                let exponent = suffix.strip_prefix(['e', 'E'])?;
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                (1, exponent.parse().ok().filter(|_| plain)?)
            }
        };
        let scaled = digits.checked_mul(multiplier)?;
        let power = exponent.saturating_add(9).saturating_sub(places);
        let nanos = if power >= 0 {
            // Anything this large is capped below.
            10_i128
                .checked_pow(power.unsigned_abs())
                .and_then(|factor| scaled.checked_mul(factor))
                .unwrap_or(if scaled == 0 { 0 } else { CAP * NANO })
        } else {
            // What is smaller than a billionth is rounded away from zero.
            match 10_i128.checked_pow(power.unsigned_abs()) {
                Some(divisor) => scaled / divisor + i128::from(scaled % divisor != 0),
                None => i128::from(scaled != 0),
            }
        };
        let quantity = Self { nanos: if negative { nanos.checked_neg()? } else { nanos } };
        Some(quantity.capped())
    }
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_exact() {
        for (text, nanos) in [
            ("1", Some(1_000_000_000)),
            ("250m", Some(250_000_000)),
            ("1.5Gi", Some(1_610_612_736_000_000_000)),
            ("-2k", Some(-2_000_000_000_000)),
            ("1e3", Some(1_000_000_000_000)),
            (".5", Some(500_000_000)),
            ("1E", Some(1_000_000_000_000_000_000_000_000_000)),
            ("Ki", None),
            ("1Kb", None),
            ("1.2.3", None),
            ("", None),
        ] {
            assert_eq!(Quantity::parse(text).map(|quantity| quantity.nanos), nanos, "{text}");
        }
        assert!(Quantity::parse("9999E").is_some());
    }
}
