//! Counts as they are written: decimal numbers, kept as integers with a power of ten.

/// Most decimals that are kept.
pub(super) const MAX_DECIMALS: u8 = 6;

/// A count: `digits` / 10^`decimals`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number {
    digits: i64,
    /// [`Number::decimals`] in the low bits, then the two marks: one byte, because texts have millions of these.
    marks: u8,
}

const CLAMPED: u8 = 0x40;
const ROUNDED: u8 = 0x80;

impl Number {
    /// A whole number.
    pub(super) const fn whole(digits: i64) -> Self {
        Self { digits, marks: 0 }
    }

    /// The digits without the power of ten.
    pub(super) const fn digits(self) -> i64 {
        self.digits
    }

    /// At most [`MAX_DECIMALS`]; as few as the number needs.
    pub(super) const fn decimals(self) -> u8 {
        self.marks & !(CLAMPED | ROUNDED)
    }

    /// The number as written does not fit and was held at the limit.
    pub(super) const fn clamped(self) -> bool {
        self.marks & CLAMPED != 0
    }

    /// The number as written has more decimals.
    pub(super) const fn rounded(self) -> bool {
        self.marks & ROUNDED != 0
    }

    /// True for all but whole numbers that fit.
    pub(super) const fn is_odd(self) -> bool {
        self.marks != 0
    }

    /// The integer to store in a column with `decimals`, and whether it fits 64 bits (held at the limit otherwise).
    pub(super) fn stored(self, decimals: u8) -> (i64, bool) {
        let factor = 10_i64.pow(u32::from(decimals.saturating_sub(self.decimals()).min(MAX_DECIMALS)));
        let product = self.digits.checked_mul(factor);
        (product.unwrap_or(if self.digits < 0 { i64::MIN } else { i64::MAX }), product.is_some())
    }
}

/// The whole number of at most 18 digits after a blank at the end of a line, and what stands before the blank. `None` for everything
/// else, which [`parse`] may understand.
pub(super) fn at_end(line: &[u8]) -> Option<(&[u8], Number)> {
    let (mut digits, mut factor) = (0_i64, 1_i64);
    for (count, &byte) in line.iter().rev().enumerate().take(19) {
        match byte {
            // At most 18 digits, so nothing overflows.
            b'0'..=b'9' if count < 18 => {
                digits += factor * i64::from(byte - b'0');
                factor *= 10;
            }
            b' ' | b'\t' if count > 0 => return Some((line.get(..line.len() - count - 1)?, Number { digits, marks: 0 })),
            _ => return None,
        }
    }
    None
}

/// Reads `12`, `-5`, `31.23`, and `1e+05` as programs write large numbers; nothing else may stand there.
pub(super) fn parse(text: &[u8]) -> Option<Number> {
    if let Some(at) = memchr::memchr2(b'e', b'E', text).filter(|&at| at > 0 && at < 24) {
        let is_number = text.iter().enumerate().all(|(here, byte)| here == at || byte.is_ascii_digit() || b"+-.".contains(byte));
        // What was written from a floating-point number is one; without an exponent it is read as the others are.
        let value = is_number.then_some(text).and_then(|text| std::str::from_utf8(text).ok()?.parse::<f64>().ok())?;
        return parse(value.is_finite().then(|| value.to_string())?.as_bytes());
    }
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let point = memchr::memchr(b'.', text);
    let (whole, fraction) = point.map_or((text, &[][..]), |at| (text.get(..at).unwrap_or(&[]), text.get(at + 1..).unwrap_or(&[])));
    if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let needed = fraction.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    let fraction = fraction.get(..needed).unwrap_or(fraction);
    let kept = fraction.get(..usize::from(MAX_DECIMALS)).unwrap_or(fraction);
    let mut digits = 0_i128;
    for digit in whole.iter().chain(kept) {
        // Saturates far above what fits a column, so that the sum stays right below.
        digits = digits.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
    }
    let next = fraction.get(kept.len());
    digits = digits.saturating_add(i128::from(next.is_some_and(|&digit| digit >= b'5')));
    let digits = if negative { -digits } else { digits };
    let fits = i64::try_from(digits);
    Some(Number {
        digits: fits.unwrap_or(if negative { i64::MIN } else { i64::MAX }),
        // At most MAX_DECIMALS, so it fits.
        marks: if fits.is_ok() { kept.len() as u8 } else { CLAMPED } | if next.is_some() { ROUNDED } else { 0 },
    })
}

/// Writes a stored integer with as many decimals as it needs.
pub(super) fn decimal(stored: i128, decimals: u8) -> String {
    if decimals == 0 {
        return stored.to_string();
    }
    let width = usize::from(decimals);
    let digits = format!("{:0>width$}", stored.unsigned_abs(), width = width + 1);
    let (whole, fraction) = digits.split_at(digits.len() - width);
    let fraction = fraction.trim_end_matches('0');
    let sign = if stored < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_value() {
        for (text, stored_with_six) in [
            ("0", 0),
            ("12", 12_000_000),
            ("-5", -5_000_000),
            ("31.23", 31_230_000),
            ("19.0", 19_000_000),
            (".5", 500_000),
            ("1.0000005", 1_000_001),
            ("-0.25", -250_000),
            ("1e+05", 100_000_000_000),
            ("-2.5E-1", -250_000),
        ] {
            assert_eq!(parse(text.as_bytes()).map(|number| number.stored(6)), Some((stored_with_six, true)), "{text}");
        }
        assert_eq!(parse(b"19.0").map(Number::decimals), Some(0));
        assert!(parse(b"1.0000005").is_some_and(Number::rounded));
    }

    #[test]
    fn the_short_way_reads_the_same() {
        for (line, expected) in [
            ("a;b 12", Some(("a;b", "12"))),
            ("a\t7", Some(("a", "7"))),
            ("a 123456789012345678", Some(("a", "123456789012345678"))),
            ("a 1234567890123456789", None),
            ("a -5", None),
            ("a 1.5", None),
            ("a ", None),
            ("12", None),
            ("", None),
        ] {
            let expected = expected.map(|(stack, number)| (stack.as_bytes(), parse(number.as_bytes()).unwrap()));
            assert_eq!(at_end(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "1e", "e5", "1e5e5", "1e400", "0x1e5", "0x10", "1.2.3", "--1", "12a", "+3", "1,5"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_held_at_the_limit_and_marked() {
        let huge = parse(b"99999999999999999999999").unwrap();
        assert_eq!((huge.stored(0), huge.clamped()), ((i64::MAX, true), true));
        assert_eq!(parse(b"-9223372036854775808").unwrap().stored(0), (i64::MIN, true));
        assert_eq!(parse(b"9223372036854775807").unwrap().stored(1), (i64::MAX, false));
    }

    #[test]
    fn writing_is_the_inverse_of_reading() {
        for text in ["0", "7", "-7", "0.5", "-0.25", "31.23", "1000.000001"] {
            assert_eq!(decimal(parse(text.as_bytes()).unwrap().stored(6).0.into(), 6), text);
        }
    }
}
