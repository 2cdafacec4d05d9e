//! Samples by what their labels say: pprof's `-tagfocus` and `-tagignore`.
//!
//! A condition is `key=regex,regex` (some value of the key matches one of them), `regex,regex` (each matches some label, written `key:value`), or a range of
//! numbers with or without a key: `bytes=64kb`, `:64kb`, `4mb:`, `12kb:64mb`, both ends included. The grammar is that of pprof's `driver_focus.go`, case-sensitive.
//! Two things are kinder than there: a number without a unit in a condition is compared with numbers as they are recorded (`bytes=48`), and expressions with a key
//! match numbers too, as text. Deliberately absent: exact labels, as lists have them (`Filter::labels`). Start reading at [`Tags::parse`].

use regex::{Regex, escape};

use super::filter::{expression, texts};
use crate::model::{Label, LabelValue, Profile, Unit};

/// One condition on labels.
#[derive(Clone, Debug)]
pub struct Tags {
    /// Labels of this key alone.
    key: Option<String>,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    /// Numbers from the one to the other.
    Range(Option<Bound>, Option<Bound>),
    Text(Vec<Regex>),
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
struct Bound {
    number: i64,
    unit: String,
}

impl Bound {
    /// `64kb`, `-3`; `None` for anything else.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = text.len() - digits.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, unit) = text.split_at_checked(end)?;
        let is_unit = unit.chars().all(char::is_alphabetic) && digits.starts_with(|letter: char| letter.is_ascii_digit());
        // A number beyond 64 bits is a text.
        Some(Self { number: number.parse().ok().filter(|_| is_unit)?, unit: unit.to_owned() })
    }

    /// How `number` of a unit compares with the end; `None` where the units have nothing in common.
    fn compare(&self, number: i64, unit: &str) -> Option<std::cmp::Ordering> {
        if self.unit.is_empty() {
            return Some(number.cmp(&self.number));
        }
        let base = |number: i64, unit: &Unit| match unit {
            // Factors are whole numbers.
            Unit::Time(factor) | Unit::Memory(factor) => i128::from(number) * *factor as i128,
            Unit::Count | Unit::Other(_) => i128::from(number),
        };
        let (own, other) = (Unit::parse(&self.unit), Unit::parse(unit));
        other.per(&own)?;
        Some(base(number, &other).cmp(&base(self.number, &own)))
    }
}

/// Both ends of a range; `Ok(None)` where the text is none.
fn range(text: &str) -> Result<Option<Values>, String> {
    let one = |text: &str| Bound::parse(text);
    let Some((low, high)) = text.split_once(':') else {
        return Ok(one(text).map(|bound| Values::Range(Some(bound.clone()), Some(bound))));
    };
    match (one(low), one(high)) {
        (Some(low), Some(high)) => match Unit::parse(&low.unit).per(&Unit::parse(&high.unit)) {
            Some(_) => Ok(Some(Values::Range(Some(low), Some(high)))),
            None => Err(format!("the ends of `{text}` have units that do not fit together")),
        },
        (Some(low), None) if high.is_empty() => Ok(Some(Values::Range(Some(low), None))),
        (None, Some(high)) if low.is_empty() => Ok(Some(Values::Range(None, Some(high)))),
        _ => Ok(None),
    }
}

impl Tags {
    /// Reads a condition; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, values) = text.split_once('=').map_or((None, text), |(key, values)| (Some(key.to_owned()), values));
        if let Some(values) = range(values)? {
            return Ok(Self { key, values });
        }
        Ok(Self { key, values: Values::Text(values.split(',').map(expression).collect::<Result<_, _>>()?) })
    }

    /// The condition that nothing fulfils.
    pub(super) const fn nothing() -> Self {
        Self { key: Some(String::new()), values: Values::Text(Vec::new()) }
    }

    /// The condition that one value of a key fulfils and no other.
    pub fn exactly(key: &str, value: &str) -> String {
        // Commas separate expressions.
        format!("{key}=^{}$", escape(value).replace(',', "\\x2c"))
    }

    /// The condition that every value of a key fulfils.
    pub fn any_of(key: &str) -> String {
        format!("{key}=")
    }

    /// True where the labels of one sample fulfil the condition.
    pub fn has(&self, profile: &Profile, labels: &[Label]) -> bool {
        let of_key = |label: &&Label| self.key.as_deref().is_none_or(|key| &profile.strings[label.key] == key);
        match &self.values {
            Values::Range(low, high) => labels.iter().filter(of_key).any(|label| {
                let LabelValue::Number(number, unit) = label.value else { return false };
                let unit = unit.map_or_else(|| unit_of(&profile.strings[label.key]), |unit| &profile.strings[unit]);
                let is = |bound: &Option<Bound>, is: fn(std::cmp::Ordering) -> bool| {
                    bound.as_ref().is_none_or(|bound| bound.compare(number, unit).is_some_and(is))
                };
                is(low, std::cmp::Ordering::is_ge) && is(high, std::cmp::Ordering::is_le)
            }),
            Values::Text(expressions) if self.key.is_some() => {
                let labels: Vec<Label> = labels.iter().filter(of_key).copied().collect();
                texts(profile, &labels).iter().any(|(_, text)| expressions.iter().any(|expression| expression.is_match(text)))
            }
            Values::Text(expressions) => {
                let written: Vec<String> = labels
                    .iter()
                    .filter_map(|label| match label.value {
                        LabelValue::Text(text) => Some(format!("{}:{}", &profile.strings[label.key], &profile.strings[text])),
                        LabelValue::Number(..) => None,
                    })
                    .collect();
                expressions.iter().all(|expression| written.iter().any(|text| expression.is_match(text)))
            }
        }
    }
}

/// The unit of numbers without one, by their key: pprof's `NumLabelUnits`.
fn unit_of(key: &str) -> &str {
    if matches!(key, "request" | "alignment") { "bytes" } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Builder;

    fn has(condition: &str, labels: &[(&str, LabelText)]) -> bool {
        let mut builder = Builder::new([("samples", "count")]);
        let labels: Vec<Label> = labels
            .iter()
            .map(|(key, value)| Label {
                key: builder.string(key),
                value: match *value {
                    LabelText::Text(text) => LabelValue::Text(builder.string(text)),
                    LabelText::Number(number, unit) => LabelValue::Number(number, unit.map(|unit| builder.string(unit))),
                },
            })
            .collect();
        Tags::parse(condition).expect(condition).has(&builder.finish(), &labels)
    }

    #[derive(Clone, Copy)]
    enum LabelText {
        Text(&'static str),
        Number(i64, Option<&'static str>),
    }
    use LabelText::{Number, Text};

    #[test]
    fn texts_match_as_in_pprof() {
        let labels = [("endpoint", Text("/cart/7")), ("user", Text("ann")), ("bytes", Number(48, Some("bytes")))];
        for (condition, expected) in [
            ("endpoint=/cart", true),
            ("endpoint=^/buy,^/cart", true),
            ("endpoint=^/buy", false),
            ("ann", true),
            ("user:ann,endpoint:", true),
            ("user:ann,missing", false),
            ("endpoint=", true),
            ("missing=", false),
            ("bytes=^48 bytes$", true),
            ("bytes:", false),
            // What looks like a range is one.
            ("7", false),
            ("endpoint=7", false),
        ] {
            assert_eq!(has(condition, &labels), expected, "{condition}");
        }
    }

    #[test]
    fn numbers_are_compared_in_their_units() {
        for (condition, label, expected) in [
            ("64kb", Number(65_536, Some("bytes")), true),
            ("64kb", Number(65_537, Some("bytes")), false),
            (":64kb", Number(65_537, Some("bytes")), false),
            ("n=4mb:", Number(4 << 20, Some("bytes")), true),
            ("12kb:64mb", Number(12 << 10, Some("bytes")), true),
            ("12kb:64mb", Number(1, Some("gb")), false),
            ("1s:", Number(1_000, Some("ms")), true),
            ("1s:", Number(1_000, Some("bytes")), false),
            ("48", Number(48, Some("bytes")), true),
            ("48n", Number(48, None), true),
            ("48x", Number(48, None), false),
            ("-3:3", Number(-3, None), true),
            ("m=48", Number(48, None), false),
            ("9223372036854775807", Number(i64::MAX, None), true),
            ("9223372036854775806", Number(i64::MAX, None), false),
        ] {
            assert_eq!(has(condition, &[("n", label)]), expected, "{condition}");
        }
        assert!(has("1kb", &[("request", Number(1024, None))]));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        assert!(Tags::parse("3kb:4ms").unwrap_err().contains("do not fit"));
        assert!(Tags::parse("key=f(").unwrap_err().starts_with("`f(` is no regular expression: unclosed group"));
    }

    #[test]
    fn one_value_is_found_exactly() {
        for value in ["/a,b|c", "48", "(x)", "1:2"] {
            let (condition, any) = (Tags::exactly("key", value), Tags::any_of("key"));
            assert!(has(&condition, &[("key", Text(value))]) && has(&any, &[("key", Text(value))]), "{condition}");
            assert!(!has(&condition, &[("key", Text("other"))]) && !has(&condition, &[("other", Text(value))]));
            assert!(has(&any, &[("key", Text("other"))]) && !has(&any, &[("other", Text(value))]));
        }
        assert!(has("n=^48 bytes$", &[("n", Number(48, Some("bytes")))]));
    }
}
