//! One unit and one number of decimals for a whole column of numbers.
//!
//! Numbers under each other are compared by eye, so a column has its unit once, in its head, and the same decimals in every row.
//! Single numbers in running text choose their own unit: see [`human`](super::human).

use super::unit::{COUNT, MEMORY, TIME, Unit};

/// How the numbers of one column are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Values are divided by this before they are written.
    divisor: f64,
    /// The unit for the head of the column: `s`, `MiB`, `%`; empty for plain counts.
    unit: String,
    decimals: usize,
}

impl Scale {
    /// The scale in which `largest`, the largest absolute value of a column in `unit`, has three to five digits. `step` is the
    /// smallest difference that values can have: decimals below it are not written; 0 = any.
    pub fn fitting(largest: f64, unit: &str, step: f64) -> Self {
        Self::beside(largest, largest, unit, step)
    }

    /// The scale of the marks of an axis up to `largest`: counts have a letter as soon as they have four digits, as marks are round.
    pub fn of_axis(largest: f64, unit: &str) -> Self {
        match Unit::parse(unit) {
            Unit::Count | Unit::Other(_) => Self::beside(largest, largest * 1000.0, unit, 0.0),
            Unit::Time(_) | Unit::Memory(_) => Self::fitting(largest, unit, 0.0),
        }
    }

    /// The same beside another column whose largest value is `other`: both have the unit of the larger one, so that a row's numbers compare too,
    /// each with its own decimals.
    pub fn beside(largest: f64, other: f64, unit: &str, step: f64) -> Self {
        let (factor, sizes, base) = match Unit::parse(unit) {
            Unit::Time(factor) => (factor, &TIME[..], "ns".to_owned()),
            Unit::Memory(factor) => (factor, &MEMORY[..], "B".to_owned()),
            Unit::Count => (1.0, &COUNT[..], String::new()),
            Unit::Other(name) => (1.0, &COUNT[..], name),
        };
        let is_count = sizes.len() == COUNT.len();
        let value = largest.abs().max(other.abs()) * factor;
        let fits = |size: f64| match size {
            // Minutes and hours start late, so that common captures compare in seconds; counts stay whole up to six digits.
            size if is_count => value >= 1000.0 * size,
            60e9 => value >= 600e9,
            3600e9 => value >= 6000e9,
            size => value >= size,
        };
        let chosen = sizes.iter().find(|(size, _)| fits(*size));
        let (divisor, unit) = match chosen {
            Some((size, name)) if is_count && !base.is_empty() => (*size, format!("{name} {base}")),
            Some((size, name)) => (*size, (*name).to_owned()),
            None => (1.0, base),
        };
        let largest = largest.abs() * factor / divisor;
        let wanted = if largest >= 1000.0 {
            0
        } else if largest >= 100.0 {
            1
        } else if largest >= 1.0 || largest == 0.0 {
            2
        } else {
            // Small ratios (events per second) keep three digits.
            (2.0 - largest.log10().floor()).clamp(3.0, 9.0) as usize
        };
        let step = step * factor / divisor;
        let useful = if step > 0.0 { (-step.log10()).ceil().max(0.0) as usize } else { usize::MAX };
        Self { divisor: divisor / factor, unit, decimals: wanted.min(useful) }
    }

    /// The one scale of two columns whose numbers are held against each other, as self and total are: the unit of the larger one and the decimals
    /// of the smaller one, so that no part reads larger than its whole; at most three decimals more than the larger one alone would have.
    pub fn of_both(first: f64, second: f64, unit: &str, step: f64) -> Self {
        let [one, two] = [(first, second), (second, first)].map(|(own, other)| Self::beside(own, other, unit, step));
        let (fewest, most) = (one.decimals.min(two.decimals), one.decimals.max(two.decimals));
        Self { decimals: most.min(fewest + 3), ..one }
    }

    /// Shares of 1 as percent with two decimals.
    pub fn percent() -> Self {
        Self { divisor: 0.01, unit: "%".to_owned(), decimals: 2 }
    }

    /// The same numbers, as a rate; `what` is written after the unit: `/s`, `/request`.
    pub fn per(mut self, what: &str) -> Self {
        self.unit = if self.unit.is_empty() { format!("per {}", what.trim_start_matches('/')) } else { format!("{}{what}", self.unit) };
        self
    }

    /// What stands at a mark of an axis with marks every `step`: in the unit of the column, with the decimals of the step.
    pub fn mark(&self, value: f64, step: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let whole = |decimals: &usize| {
            let scaled = step / self.divisor * 10_f64.powi(*decimals as i32);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0)
        };
        let decimals = (0..9).find(whole).unwrap_or(9);
        let text = Self { decimals, ..self.clone() }.text(value);
        if self.unit.is_empty() { text } else { format!("{text} {}", self.unit) }
    }

    /// The unit for the head of the column; empty for plain counts.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// A value without its unit: `24.31`, `−0.50`; `<0.01` where the decimals would hide that there is something.
    pub fn text(&self, value: f64) -> String {
        let scaled = value / self.divisor;
        let text = format!("{:.*}", self.decimals, scaled.abs());
        let vanishes = scaled != 0.0 && !text.contains(|c: char| matches!(c, '1'..='9'));
        let sign = if scaled < 0.0 { "−" } else { "" };
        if vanishes { format!("{sign}<{}", self.least()) } else { format!("{sign}{text}") }
    }

    /// The same, where small percents keep three digits: of 0.02 and 0.03 nobody can tell what the ratio is.
    pub fn fine(&self, value: f64) -> String {
        let scaled = (value / self.divisor).abs();
        if self.unit != "%" || !(1e-5..0.1).contains(&scaled) {
            return self.text(value);
        }
        let decimals = (2.0 - scaled.log10().floor()).clamp(2.0, 7.0) as usize;
        Self { decimals: decimals.max(self.decimals), ..self.clone() }.text(value)
    }

    /// A difference, always with its sign: `+1.27`, `−0.34`, `±0`.
    pub fn delta(&self, value: f64) -> String {
        if value > 0.0 {
            format!("+{}", self.fine(value))
        } else if value < 0.0 {
            self.fine(value)
        } else {
            "±0".to_owned()
        }
    }

    /// The smallest number that can be written.
    fn least(&self) -> String {
        format!("{:.*}", self.decimals, 10_f64.powi(-(self.decimals as i32)))
    }
}

/// What stands at a mark of an axis of time that is `longest` nanoseconds long, with marks every `step`: all of an axis in one unit with the decimals of
/// the step, so that `0.5 s` comes before `1.0 s`. Seconds are the largest unit: round ones are no round minutes.
pub fn time_mark(nanos: f64, longest: f64, step: f64) -> String {
    let (size, unit) = TIME.into_iter().filter(|(size, _)| *size <= 1e9).find(|(size, _)| longest >= *size).unwrap_or((1.0, "ns"));
    if nanos == 0.0 {
        return format!("0 {unit}");
    }
    // A step of ten to a power comes out a hair beside it.
    let decimals = if step > 0.0 { (-(step / size).log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize } else { 0 };
    format!("{:.decimals$} {unit}", nanos / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_unit_and_decimals_of_its_largest_value() {
        for (largest, unit, step, value, expected) in [
            (24.31e9, "nanoseconds", 1.0, 340e6, ("s", "0.34")),
            (24.31e9, "nanoseconds", 1.0, 1e6, ("s", "<0.01")),
            (240.0, "ns", 1.0, 7.0, ("ns", "7")),
            (240.0, "milliseconds", 1.0, 240.0, ("ms", "240")),
            (24.0, "microseconds", 1.0, 24.0, ("µs", "24")),
            (1_363_148_800.0, "bytes", 1.0, -5_242_880.0, ("GiB", "−<0.01")),
            (123_456.0, "count", 1.0, 99.0, ("", "99")),
            (12_345_678.0, "count", 1.0, 345_678.0, ("k", "346")),
            (334.618, "samples", 0.001, 31.23, ("", "31.2")),
            (0.02, "count", 0.0, 0.015, ("", "0.0150")),
            (2e7, "widgets", 1.0, 1e7, ("k widgets", "10000")),
            (0.0, "bytes", 1.0, 0.0, ("B", "0")),
        ] {
            let scale = Scale::fitting(largest, unit, step);
            assert_eq!((scale.unit(), scale.text(value).as_str()), expected, "{value} of {largest} {unit}");
        }
    }

    #[test]
    fn small_percents_keep_three_digits() {
        let scale = Scale::percent();
        let texts = [0.4567, 0.000_184_6, 0.000_34, 0.000_004_12, 0.0, 1e-9].map(|value| scale.fine(value));
        assert_eq!(texts, ["45.67", "0.0185", "0.0340", "0.000412", "0.00", "<0.01"]);
        assert_eq!(scale.delta(-0.000_155_4), "−0.0155");
        assert_eq!(Scale::fitting(24.31e9, "ns", 1.0).fine(1e6), "<0.01", "of units there are smaller ones");
    }

    #[test]
    fn neighbours_have_one_unit_and_their_own_decimals() {
        for (largest, other, expected) in [
            (340e6, 24.31e9, ("s", "0.340")),
            (24.31e9, 340e6, ("s", "24.31")),
            (0.0, 24.31e9, ("s", "0.00")),
            (-2e6, 24.31e9, ("s", "−0.00200")),
        ] {
            let scale = Scale::beside(largest, other, "ns", 1.0);
            assert_eq!((scale.unit(), scale.text(largest).as_str()), expected, "{largest} beside {other}");
        }
    }

    #[test]
    fn a_part_reads_no_larger_than_its_whole() {
        let text = |self_: f64, total: f64, value: f64| Scale::of_both(self_, total, "ns", 1.0).text(value);
        assert_eq!([text(231e6, 1.2e9, 231e6), text(231e6, 1.2e9, 234e6)], ["0.231", "0.234"]);
        assert_eq!(text(1200.0, 500e9, 1200.0), "<0.0001", "not nine decimals beside hundreds of seconds");
    }

    #[test]
    fn differences_have_a_sign_and_zero_has_both() {
        let scale = Scale::percent();
        assert_eq!((scale.delta(0.0127), scale.delta(-0.5), scale.delta(0.0)), ("+1.27".to_owned(), "−50.00".to_owned(), "±0".to_owned()));
        assert_eq!(scale.delta(-1e-9), "−<0.01");
    }

    #[test]
    fn marks_of_an_axis_have_one_unit_and_one_number_of_decimals() {
        let marks = |longest: f64, step: f64| [0.0, 1.0, 2.0, 3.0].map(|at| time_mark(at * step, longest, step)).join(", ");
        assert_eq!(marks(5.7e9, 5e8), "0 s, 0.5 s, 1.0 s, 1.5 s");
        assert_eq!(marks(24e9, 2e9), "0 s, 2 s, 4 s, 6 s");
        assert_eq!(marks(8e8, 1e8), "0 ms, 100 ms, 200 ms, 300 ms");
        assert_eq!(marks(1.2e9, 1e8), "0 s, 0.1 s, 0.2 s, 0.3 s");
        assert_eq!(marks(3600e9, 5e11), "0 s, 500 s, 1000 s, 1500 s");
        assert_eq!(marks(40.0, 5.0), "0 ns, 5 ns, 10 ns, 15 ns");
    }

    #[test]
    fn marks_of_values_have_the_unit_of_their_axis() {
        let rate = |largest: f64, at: f64| Scale::of_axis(largest, "count").per("/s").mark(at, 0.5 * at);
        assert_eq!([rate(28_400.0, 20_000.0), rate(284.0, 200.0), rate(1e7, 5e6)], ["20 k/s", "200 per s", "5.0 M/s"]);
        assert_eq!(Scale::of_axis(2.5e9, "nanoseconds").mark(1e9, 1e9), "1 s");
        let marks = |scale: &Scale, step: f64| [0.0, 1.0, 2.0, 3.0].map(|at| scale.mark(at * step, step)).join(", ");
        assert_eq!(marks(&Scale::fitting(1.3e9, "ns", 0.0).per("/s"), 5e8), "0, 0.5 s/s, 1.0 s/s, 1.5 s/s");
        assert_eq!(marks(&Scale::fitting(1.3e9, "ns", 0.0), 1e8), "0, 0.1 s, 0.2 s, 0.3 s");
        assert_eq!(marks(&Scale::fitting(900_000.0, "bytes", 1.0), 262_144.0), "0, 256 KiB, 512 KiB, 768 KiB");
        assert_eq!(marks(&Scale::fitting(1_500_000.0, "bytes", 1.0), 262_144.0), "0, 0.25 MiB, 0.50 MiB, 0.75 MiB");
        assert_eq!(marks(&Scale::percent(), 0.1), "0, 10 %, 20 %, 30 %");
        assert_eq!(marks(&Scale::fitting(4.0, "count", 1.0), 1.0), "0, 1, 2, 3");
    }

    #[test]
    fn rates_say_so() {
        assert_eq!(Scale::fitting(2e9, "ns", 0.0).per("/s").unit(), "s/s");
        assert_eq!(Scale::fitting(2.0, "count", 0.0).per("/s").unit(), "per s");
    }
}
