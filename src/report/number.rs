//! Values on their way into JSON and tables: integers stay integers.

use serde::{Serialize, Serializer};

use crate::analysis::comparison;

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

/// A change in words: `+31.0 %`, `×4.20`, `new`, `gone`, `±0`.
pub fn change(before: f64, after: f64) -> String {
    match (before == 0.0, after == 0.0) {
        (true, true) => "–".to_owned(),
        (true, false) => "new".to_owned(),
        (false, true) => "gone".to_owned(),
        _ => ratio(after / before),
    }
}

/// A fall in percent from which on it is the rest that counts: a fall of 99.6 % is not that of 100 %.
const MOSTLY_GONE: f64 = -95.0;

/// A ratio of after to before: small changes as percent, large ones as a factor.
pub fn ratio(ratio: f64) -> String {
    if ratio.is_nan() {
        "–".to_owned()
    } else if ratio.is_infinite() {
        "new".to_owned()
    } else if ratio <= 0.0 {
        "gone".to_owned()
    } else if ratio >= 3.0 {
        format!("×{}", if ratio >= 100.0 { format!("{ratio:.0}") } else { format!("{ratio:.1}") })
    } else if (ratio - 1.0).abs() < 5e-5 {
        "±0 %".to_owned()
    } else {
        let percent = (ratio - 1.0) * 100.0;
        if percent < MOSTLY_GONE {
            return comparison::percent(ratio - 1.0);
        }
        let digits = usize::from(percent.abs() < 10.0);
        format!("{}{:.digits$} %", if percent > 0.0 { "+" } else { "−" }, percent.abs())
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
