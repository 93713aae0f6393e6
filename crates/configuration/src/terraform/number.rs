//! Numbers: exact as integers, floating beyond.

use std::cmp::Ordering;

#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// Reads what the language and JSON write.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('+').unwrap_or(text);
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
            return None;
        }
        Self::of(text.parse().ok()?)
    }

    /// A finite result as the simplest number it is.
    pub fn of(value: f64) -> Option<Self> {
        /// Up to here every integer has a float of its own.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if !value.is_finite() {
            return None;
        }
        Some(if value.fract() == 0.0 && value.abs() <= EXACT {
            Self::Integer(value as i128)
        } else {
            Self::Float(value)
        })
    }

    pub fn float(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// The value as an index or a count; none when it is no whole number from 0.
    pub fn index(self) -> Option<usize> {
        match self {
            Self::Integer(value) => usize::try_from(value).ok(),
            Self::Float(_) => None,
        }
    }

    pub fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(value) => i64::try_from(value).ok(),
            Self::Float(_) => None,
        }
    }

    fn with(
        self,
        other: Self,
        exact: fn(i128, i128) -> Option<i128>,
        float: fn(f64, f64) -> f64,
    ) -> Option<Self> {
        if let (Self::Integer(left), Self::Integer(right)) = (self, other)
            && let Some(result) = exact(left, right)
        {
            return Some(Self::Integer(result));
        }
        Self::of(float(self.float(), other.float()))
    }

    pub fn add(self, other: Self) -> Option<Self> {
        self.with(other, i128::checked_add, |left, right| left + right)
    }

    pub fn subtract(self, other: Self) -> Option<Self> {
        self.with(other, i128::checked_sub, |left, right| left - right)
    }

    pub fn multiply(self, other: Self) -> Option<Self> {
        self.with(other, i128::checked_mul, |left, right| left * right)
    }

    /// None for a division by zero, as for all that has no finite result.
    pub fn divide(self, other: Self) -> Option<Self> {
        let exact = |left: i128, right: i128| {
            (left.checked_rem(right)? == 0).then(|| left.checked_div(right)).flatten()
        };
        self.with(other, exact, |left, right| left / right)
    }

    /// The remainder has the sign of the dividend.
    pub fn modulo(self, other: Self) -> Option<Self> {
        self.with(other, i128::checked_rem, |left, right| left % right)
    }

    pub fn negate(self) -> Self {
        match self {
            Self::Integer(value) => value.checked_neg().map_or(Self::Float(-(value as f64)), Self::Integer),
            Self::Float(value) => Self::Float(-value),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            _ => self.float().partial_cmp(&other.float()),
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) if value.fract() == 0.0 => write!(f, "{value:.0}"),
            Self::Float(value) => {
                /// Digits that a float holds whatever its value: hides that 0.1 + 0.2 is no decimal.
                const DIGITS: usize = 15;
                let rounded = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(*value);
                write!(f, "{rounded}")
            }
        }
    }
}
