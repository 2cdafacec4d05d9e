//! Units as tools write them, and numbers as people read them.
//!
//! Names of units follow `profile.proto` writers (pprof `internal/measurement`): time from nanoseconds to hours, memory with a base
//! of 1,024. Everything else is shown as it is written.

/// What a value column counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Unit {
    /// Time; the factor gives nanoseconds.
    Time(f64),
    /// Memory; the factor gives bytes.
    Memory(f64),
    /// Things without a unit: samples, objects, contentions, events.
    Count,
    /// Any other unit, as written.
    Other(String),
}

impl Unit {
    /// The unit of that name; never fails.
    pub fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "ns" | "nanosecond" | "nanoseconds" => Self::Time(1.0),
            "us" | "µs" | "microsecond" | "microseconds" => Self::Time(1e3),
            "ms" | "millisecond" | "milliseconds" => Self::Time(1e6),
            "s" | "sec" | "second" | "seconds" => Self::Time(1e9),
            "min" | "mins" | "minute" | "minutes" => Self::Time(60e9),
            "hr" | "hrs" | "hour" | "hours" => Self::Time(3600e9),
            "b" | "byte" | "bytes" => Self::Memory(1.0),
            "kb" | "kib" | "kilobyte" | "kilobytes" => Self::Memory(1024.0),
            "mb" | "mib" | "megabyte" | "megabytes" => Self::Memory(1024.0 * 1024.0),
            "gb" | "gib" | "gigabyte" | "gigabytes" => Self::Memory(1024.0 * 1024.0 * 1024.0),
            "" | "count" | "counts" | "sample" | "samples" | "unit" | "objects" | "events" => Self::Count,
            _ => Self::Other(name.to_owned()),
        }
    }

    /// How many of `other` one of this is: 1000 for milliseconds in microseconds. `None` where the one does not turn into the other.
    pub fn per(&self, other: &Self) -> Option<f64> {
        match (self, other) {
            (Self::Time(own), Self::Time(other)) | (Self::Memory(own), Self::Memory(other)) => Some(own / other),
            _ => (self == other).then_some(1.0),
        }
    }
}

pub(super) const TIME: [(f64, &str); 5] = [(3600e9, "h"), (60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "µs")];
pub(super) const MEMORY: [(f64, &str); 5] =
    [(1_125_899_906_842_624.0, "PiB"), (1_099_511_627_776.0, "TiB"), (1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1024.0, "KiB")];
pub(super) const COUNT: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

/// A value with three significant digits and the scale a person would choose: `24.3 s`, `1.27 GiB`, `12.3 k`.
///
/// Minutes and hours start at 100 s and 100 min, so that common captures compare in seconds.
pub fn human(value: f64, unit: &str) -> String {
    match Unit::parse(unit) {
        Unit::Time(factor) => {
            let nanos = value * factor;
            let scale = TIME.iter().find(|(size, _)| match *size {
                60e9 => nanos.abs() >= 600e9,
                3600e9 => nanos.abs() >= 6000.0 * 1e9,
                size => reaches(nanos, size),
            });
            scaled(nanos, scale, "ns")
        }
        Unit::Memory(factor) => scaled(value * factor, MEMORY.iter().find(|(size, _)| reaches(value * factor, *size)), "B"),
        Unit::Count => {
            let text = scaled(value, count_scale(value), "");
            text.trim_end().to_owned()
        }
        Unit::Other(name) => format!("{} {name}", scaled(value, count_scale(value), "").trim_end()),
    }
}

/// Counts are written out up to four digits; beyond the thousands they have three digits like all values.
fn count_scale(value: f64) -> Option<&'static (f64, &'static str)> {
    COUNT.iter().find(|(size, _)| if *size > 1e3 { reaches(value, *size) } else { value.abs() >= 10.0 * size })
}

/// True where a value is a whole unit of this size in the three digits that are written: 999.9 µs is 1 ms.
fn reaches(value: f64, size: f64) -> bool {
    value.abs() >= 0.9995 * size
}

/// A count with a comma every three digits: `12,345`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`, `1,234 rows`: a count with what is counted.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// What a sample type is called in sentences: its name, or `values` where the capture gives it none.
pub fn type_name(name: &str) -> &str {
    match name {
        "" => "values",
        // Go names these two by what one of them is.
        "goroutine" => "goroutines",
        "threadcreate" => "created threads",
        name => name,
    }
}

/// A value with the name of its sample type: `24.3 s cpu`, `3 goroutines`, `1 goroutine`.
pub fn human_of(value: f64, unit: &str, name: &str) -> String {
    let name = if (value - 1.0).abs() < 1e-9 && name == "goroutine" { name } else { type_name(name) };
    format!("{} {name}", human(value, unit))
}

/// Like [`human`], always with a sign: `+1.2 s`, `−340 ms`, `±0`.
pub fn human_delta(value: f64, unit: &str) -> String {
    if value > 0.0 {
        format!("+{}", human(value, unit))
    } else if value < 0.0 {
        format!("−{}", human(-value, unit))
    } else {
        "±0".to_owned()
    }
}

/// A length of time given in nanoseconds.
pub fn human_duration(nanos: i64) -> String {
    human(nanos as f64, "ns")
}

fn scaled(value: f64, scale: Option<&(f64, &str)>, base: &str) -> String {
    let (number, unit) = scale.map_or((value, base), |&(size, name)| (value / size, name));
    format!("{} {unit}", three_digits(number))
}

/// Three significant digits, but never fewer than the whole part.
fn three_digits(number: f64) -> String {
    let size = number.abs();
    let whole = number.fract().abs() < 1e-9;
    if size >= 100.0 || whole {
        format!("{number:.0}")
    } else if size >= 10.0 {
        format!("{number:.1}")
    } else if !(f64::EPSILON..0.1).contains(&size) {
        format!("{number:.2}")
    } else {
        format!("{number:.3}")
    }
}

/// A number with an optional unit, as people type it (`32kb`, `1.5s`, `10`), in the base of its family (bytes, nanoseconds, count).
pub fn parse_human(text: &str) -> Option<(f64, Unit)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+')).unwrap_or(text.len());
    let (number, name) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    Some(match Unit::parse(name.trim()) {
        Unit::Time(factor) => (number * factor, Unit::Time(1.0)),
        Unit::Memory(factor) => (number * factor, Unit::Memory(1.0)),
        other => (number, other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_and_of_several_goroutines_are_told() {
        let texts =
            [(1.0, "goroutine"), (3.0, "goroutine"), (8.0, "threadcreate"), (2.0, "")].map(|(value, name)| human_of(value, "count", name));
        assert_eq!(texts, ["1 goroutine", "3 goroutines", "8 created threads", "2 values"]);
        assert_eq!(human_of(24.3e9, "nanoseconds", "cpu"), "24.3 s cpu");
    }

    #[test]
    fn values_read_as_a_person_would_say_them() {
        for (value, unit, expected) in [
            (24_310_000_000.0, "nanoseconds", "24.3 s"),
            (340_000_000.0, "nanoseconds", "340 ms"),
            (999.0, "ns", "999 ns"),
            (999_999.99, "ns", "1.00 ms"),
            (999_400.0, "ns", "999 µs"),
            (0.0, "nanoseconds", "0 ns"),
            (1.5, "microseconds", "1.50 µs"),
            (720e9, "ns", "12 min"),
            (1_363_148_800.0, "bytes", "1.27 GiB"),
            (512.0, "bytes", "512 B"),
            (9_999.0, "count", "9999"),
            (12_345.0, "count", "12.3 k"),
            (2_061_000.0, "count", "2.06 M"),
            (999_999.0, "count", "1.00 M"),
            (-2048.0, "bytes", "-2 KiB"),
            (7.0, "widgets", "7 widgets"),
        ] {
            assert_eq!(human(value, unit), expected, "{value} {unit}");
        }
    }

    #[test]
    fn deltas_always_have_a_sign() {
        assert_eq!(human_delta(1_200_000_000.0, "ns"), "+1.20 s");
        assert_eq!(human_delta(-512.0, "bytes"), "−512 B");
        assert_eq!(human_delta(0.0, "bytes"), "±0");
    }

    #[test]
    fn typed_numbers_reach_the_base_unit() {
        assert_eq!(parse_human("32kb"), Some((32768.0, Unit::Memory(1.0))));
        assert_eq!(parse_human("1.5 s"), Some((1.5e9, Unit::Time(1.0))));
        assert_eq!(parse_human("12"), Some((12.0, Unit::Count)));
        assert_eq!(parse_human("fast"), None);
    }
}
