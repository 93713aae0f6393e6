//! Binary operators; what is decided by one known side is known.

use yagura_formats::document::Span;

use super::{Evaluation, Scope};
use crate::terraform::functions::{boolean, number};
use crate::terraform::syntax::{Expression, Operator};
use crate::terraform::value::{Kind, Outcome, Value, equal};

impl Evaluation<'_, '_> {
    pub(super) fn binary(
        &mut self,
        scope: Scope<'_>,
        span: Span,
        operator: Operator,
        left: &Expression<'_>,
        right: &Expression<'_>,
    ) -> Outcome {
        let given =
            |value: Option<bool>| Ok(value.map_or(Value::unknown(span), |value| Value::bool(span, value)));
        let left = self.value(scope, left)?;
        if let Operator::And | Operator::Or = operator {
            // `false && x` is false, `true || x` is true, whatever x is.
            let decisive = operator == Operator::Or;
            let first = boolean(&left)?;
            if first == Some(decisive) {
                return given(first);
            }
            let right = self.value(scope, right)?;
            let second = boolean(&right)?;
            return given(match (first, second) {
                (_, Some(second)) if second == decisive => Some(decisive),
                (Some(_), Some(_)) => Some(!decisive),
                _ => None,
            });
        }
        let right = self.value(scope, right)?;
        match operator {
            Operator::Equal => return given(equal(&left, &right)),
            Operator::NotEqual => return given(equal(&left, &right).map(|same| !same)),
            _ => {}
        }
        if left.is_unknown() || right.is_unknown() {
            return Ok(Value::unknown(span));
        }
        let (left, right) = (number(&left)?, number(&right)?);
        let result = match operator {
            Operator::Less => return given(Some(left < right)),
            Operator::LessOrEqual => return given(Some(left <= right)),
            Operator::Greater => return given(Some(left > right)),
            Operator::GreaterOrEqual => return given(Some(left >= right)),
            Operator::Add => left.add(right),
            Operator::Subtract => left.subtract(right),
            Operator::Multiply => left.multiply(right),
            Operator::Divide => left.divide(right),
            Operator::Modulo => left.modulo(right),
            Operator::Or | Operator::And | Operator::Equal | Operator::NotEqual => None,
        };
        match result {
            Some(number) => Ok(Value::new(span, Kind::Number(number))),
            None => Err("a calculation has no result".to_owned()),
        }
    }
}
