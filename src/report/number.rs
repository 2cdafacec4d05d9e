//! Values on their way into JSON and tables: integers stay integers.

use serde::{Serialize, Serializer};

/// A value in its sample type's unit: a whole number where the capture stores whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Number {
    /// A whole number, exact.
    Whole(i64),
    /// A fraction, as the format wrote it.
    Fraction(f64),
}

impl Number {
    /// A stored integer of a sample type with that many decimals (see [`SampleType::decimals`](crate::model::SampleType)).
    pub fn new(stored: i64, decimals: u8) -> Self {
        if decimals == 0 {
            Self::Whole(stored)
        } else {
            // Dividing gives the double nearest to the number as it was written; multiplying by 0.001 would not.
            Self::Fraction(stored as f64 / 10_f64.powi(i32::from(decimals)))
        }
    }

    /// The value, rounded to a double.
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Fraction(value) => value,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Fraction(value) => value.fmt(f),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Whole(value) => serializer.serialize_i64(*value),
            Self::Fraction(value) => serializer.serialize_f64(*value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back_as_written() {
        assert_eq!(Number::new(334_618, 3).to_string(), "334.618");
        assert_eq!(Number::new(i64::MAX, 0).to_string(), "9223372036854775807");
        assert_eq!(serde_json::to_string(&[Number::new(7, 0), Number::new(75, 1)]).unwrap(), "[7,7.5]");
    }
}
