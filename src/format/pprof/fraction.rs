//! Values with decimals in a format of integers: the unit says of what the integers are parts.
//!
//! A smaller unit of time is named by its own name, and `tenths`, `thousandths of watts` and the like stand for all others: `go tool pprof`
//! prints a unit that it does not know right behind the number, so it has to begin with a word. What is written is read back the same.
//! Start reading at [`unit_of`].

use crate::model::Unit;

/// What 1, 2 … decimals are parts of one by.
const PARTS: [&str; 9] = [
    "tenths",
    "hundredths",
    "thousandths",
    "ten-thousandths",
    "hundred-thousandths",
    "millionths",
    "ten-millionths",
    "hundred-millionths",
    "billionths",
];

/// The unit of counts, which goes without saying.
const COUNT: &str = "count";

/// The unit of integers that stand for values with so many decimals in `unit`.
pub(super) fn unit_of(unit: &str, decimals: u8) -> String {
    let Some(at) = usize::from(decimals).checked_sub(1) else { return unit.to_owned() };
    let smaller = match Unit::parse(unit) {
        Unit::Time(factor) => factor / 10_f64.powi(i32::from(decimals)),
        _ => 0.0,
    };
    let names = [(1e6, "milliseconds"), (1e3, "microseconds"), (1.0, "nanoseconds")];
    if let Some((_, name)) = names.iter().find(|(size, _)| (smaller / size - 1.0).abs() < 1e-9) {
        return (*name).to_owned();
    }
    match PARTS.get(at) {
        Some(parts) if unit == COUNT => (*parts).to_owned(),
        Some(parts) => format!("{parts} of {unit}"),
        None => format!("10^-{decimals} {unit}"),
    }
}

/// The unit and the decimals that were written as this unit.
pub(super) fn read_unit(written: &str) -> (&str, u8) {
    let parts = |name: &str| PARTS.iter().zip(1_u8..).find(|(parts, _)| **parts == name).map(|(_, decimals)| decimals);
    let (name, unit) = written.split_once(" of ").unwrap_or((written, COUNT));
    parts(name).map_or((written, 0), |decimals| (unit, decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_go_into_the_unit_and_come_back() {
        for (unit, decimals, written) in [
            ("count", 0, "count"),
            ("count", 1, "tenths"),
            ("count", 6, "millionths"),
            ("watts", 3, "thousandths of watts"),
            ("", 2, "hundredths of "),
            ("bytes", 1, "tenths of bytes"),
            ("ms", 1, "tenths of ms"),
            ("parts of a whole", 9, "billionths of parts of a whole"),
        ] {
            assert_eq!(unit_of(unit, decimals), written);
            assert_eq!(read_unit(written), (unit, decimals));
        }
        // The same times under another name.
        for (unit, decimals, written) in [("ms", 3, "microseconds"), ("seconds", 9, "nanoseconds")] {
            assert_eq!(unit_of(unit, decimals), written);
            assert_eq!(read_unit(written), (written, 0));
        }
        assert_eq!(read_unit("sheets of paper"), ("sheets of paper", 0));
    }
}
