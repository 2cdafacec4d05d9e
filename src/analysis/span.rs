//! A range of a capture's time, as people write it, and the clock that runs only inside of it.
//!
//! Deliberately absent: which samples a range chooses, see [`filter`](super::filter). Start reading at [`Span`].

use crate::model::{Profile, Unit, parse_human};

/// A range of time in nanoseconds since the capture's first sample, with its beginning and without its end; `None` = up to the end of the
/// capture on that side. Ranges that meet share no sample, and captures with different clocks have the same ranges.
///
/// Written as `1.2s..2.85s`, `..500ms`, `1min..`; an exclamation mark before it means the rest: `!1.2s..2.85s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    /// Where it begins.
    pub from: Option<i64>,
    /// Where it ends.
    pub to: Option<i64>,
    /// True for everything but the time from `from` to `to`.
    pub is_rest: bool,
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.text()
    }
}

impl Span {
    /// The time from `from` up to `to`, in nanoseconds since the first sample; `None` = up to the end of the capture on that side.
    pub const fn new(from: Option<i64>, to: Option<i64>) -> Self {
        Self { from, to, is_rest: false }
    }

    /// All of the time that this range is not. The rest of a range that reaches an end of the capture is a range.
    pub const fn rest(self) -> Self {
        match self {
            Self { from: None | Some(0), to: Some(to), is_rest: false } => Self::new(Some(to), None),
            Self { from: Some(from), to: None, is_rest: false } => Self::new(None, Some(from)),
            Self { from, to, is_rest } => Self { from, to, is_rest: !is_rest },
        }
    }

    /// The range that a text means; the error says what was wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = || format!("wanted a time range such as 0s..10s, ..500ms or 1m.., found `{text}`");
        let (range, is_rest) = match text.trim().strip_prefix('!') {
            Some(range) => (range, true),
            None => (text, false),
        };
        let (from, to) = range.split_once("..").ok_or_else(wanted)?;
        let end = |text: &str| match text.trim() {
            "" => Ok(None),
            text => nanos(text).map(Some).ok_or_else(wanted),
        };
        let span = Self { from: end(from)?, to: end(to)?, is_rest };
        match (span.from, span.to) {
            (Some(from), Some(to)) if from >= to => Err(format!("the time range {text} ends before it begins")),
            (None, None) if is_rest => Err(format!("the time range {text} holds nothing")),
            _ => Ok(span),
        }
    }

    /// As it is parsed, exact to the nanosecond: `0s..10s`, `!1.2s..2.85s`.
    pub fn text(self) -> String {
        let end = |nanos: Option<i64>| nanos.map(exact).unwrap_or_default();
        format!("{}{}..{}", if self.is_rest { "!" } else { "" }, end(self.from), end(self.to))
    }

    /// For people, with as many digits as its length asks for: `1.2 s to 2.85 s`, `from 10 s`, `all but 1.2 s to 2.85 s`.
    pub fn words(self) -> String {
        let words = match (self.from, self.to) {
            (Some(from), Some(to)) => {
                let step = to.saturating_sub(from);
                format!("{} to {}", rounded(from, step, to), rounded(to, step, to))
            }
            (Some(from), None) => format!("from {}", rounded(from, from, from)),
            (None, Some(to)) => format!("up to {}", rounded(to, to, to)),
            (None, None) => "all of the time".to_owned(),
        };
        if self.is_rest { format!("all but {words}") } else { words }
    }

    /// The beginning and the end inside a capture of so many nanoseconds; of the rest, those of the hole.
    pub fn ends(self, length: i64) -> [i64; 2] {
        let from = self.from.unwrap_or(0).clamp(0, length.max(0));
        [from, self.to.unwrap_or(length).clamp(from, length.max(from))]
    }

    /// Its own length within a capture of so many nanoseconds.
    pub fn length_in(self, length: i64) -> i64 {
        let [from, to] = self.ends(length);
        if self.is_rest { length - (to - from) } else { to - from }
    }

    /// Its length within a capture of so many nanoseconds, for people: `1.65 s`.
    pub fn length_words(self, length: i64) -> String {
        let nanos = self.length_in(length);
        rounded(nanos, nanos, nanos)
    }

    /// True where the time of a sample, in nanoseconds since the first one, is in it.
    pub fn has(self, since_first: i64) -> bool {
        let is_inside = self.from.is_none_or(|from| since_first >= from) && self.to.is_none_or(|to| since_first < to);
        is_inside != self.is_rest
    }

    /// Whether a capture has this time; the error says how long its samples go on.
    pub fn check(self, profile: &Profile) -> Result<(), String> {
        let (first, last) = profile.samples.time_range().ok_or("the capture's samples have no times, so it has no time ranges")?;
        let length = last.saturating_sub(first);
        let is_outside = match self {
            // The hole may lie anywhere; something has to be left.
            Self { is_rest: true, .. } => self.has(0) == self.has(length) && !self.has(0),
            Self { from, to, .. } => from.is_some_and(|from| from > length) || to.is_some_and(|to| to < 0),
        };
        if is_outside {
            let end = exact(length);
            return Err(format!("the time range {} lies outside of the capture, whose samples end after {end}", self.text()));
        }
        Ok(())
    }
}

/// The time of a part of a capture, as if the rest of it had not passed: what is cut into slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    first: i64,
    /// Where the part begins, in nanoseconds since the first sample.
    start: i64,
    /// What is left out inside, in nanoseconds since the first sample.
    hole: [i64; 2],
    /// Its length in nanoseconds, at least 1.
    pub length: i64,
}

impl Clock {
    /// The clock of the times of samples in a range; `None` where there are none. What a capture says of its own length does not count.
    pub fn of(profile: &Profile, span: Option<Span>) -> Option<Self> {
        let (first, last) = profile.samples.time_range()?;
        let whole = last.saturating_sub(first).saturating_add(1);
        let span = span.unwrap_or_default();
        let [from, to] = span.ends(whole);
        let length = span.length_in(whole);
        let (start, hole) = if span.is_rest { (0, [from, to]) } else { (from, [whole, whole]) };
        (length > 0).then_some(Self { first, start, hole, length })
    }

    /// Where a sample's time stands on this clock, 0 to `length − 1`; times outside of the part are moved to its next end.
    pub fn at(&self, time: i64) -> i64 {
        let since = time.saturating_sub(self.first);
        let [from, to] = self.hole;
        let past = if since >= to { since - (to - from) } else { since.min(from) };
        (past - self.start).clamp(0, self.length - 1)
    }

    /// The same point in nanoseconds since the capture's first sample.
    pub fn since_first(&self, at: i64) -> i64 {
        let since = self.start.saturating_add(at);
        let [from, to] = self.hole;
        if since >= from { since + (to - from) } else { since }
    }
}

const SIZES: [(i64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];

/// Nanoseconds as exact text in the unit that a person would choose: `10s`, `2.846390222s`.
fn exact(nanos: i64) -> String {
    match SIZES.into_iter().find(|(size, _)| nanos % size == 0 || nanos >= *size) {
        Some((size, name)) => {
            let fraction = format!("{:0width$}", nanos % size, width = size.ilog10() as usize);
            let digits = fraction.trim_end_matches('0');
            let point = if digits.is_empty() { "" } else { "." };
            format!("{}{point}{digits}{name}", nanos / size)
        }
        None => format!("{nanos}ns"),
    }
}

/// Nanoseconds in the unit in which a person would write `largest`, so finely that four digits of `step` show: lengths agree with ends.
fn rounded(nanos: i64, step: i64, largest: i64) -> String {
    if nanos == 0 {
        return "0 s".to_owned();
    }
    let (size, name) = SIZES.into_iter().find(|(size, _)| largest >= *size).unwrap_or((1, "ns"));
    let decimals = 3 - (step.max(1) as f64 / size as f64).log10().floor() as i64;
    let text = format!("{:.*}", decimals.clamp(0, i64::from(size.ilog10())) as usize, nanos as f64 / size as f64);
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short} {}", if name == "us" { "µs" } else { name })
}

/// A time as people write it, in nanoseconds; a plain number is seconds.
fn nanos(text: &str) -> Option<i64> {
    // Decimals of small units stay exact, whatever a float makes of them.
    let whole = |unit: &str| text.strip_suffix(unit)?.trim().parse::<i64>().ok();
    if let Some(nanos) = whole("ns") {
        return (nanos >= 0).then_some(nanos);
    }
    let nanos = match (text.parse::<f64>(), parse_human(text)?) {
        (Ok(seconds), _) => seconds * 1e9,
        (_, (nanos, Unit::Time(_))) => nanos,
        _ => return None,
    };
    (0.0..9e18).contains(&nanos).then_some(nanos.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Sample};

    const SECOND: i64 = 1_000_000_000;

    /// Ten samples, one a second from 100 s on.
    fn capture() -> Profile {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        for at in 0..10 {
            builder.rows.sample(Sample { time: Some((100 + at) * SECOND), ..Sample::default() }, &[1]);
        }
        builder.finish()
    }

    #[test]
    fn text_is_exact_and_is_read_back() {
        for nanos in [1, 999, 1_000, 1_500_000, 2_846_390_222, 10 * SECOND, 86_399_999_999_999, 3_600 * SECOND + 1] {
            let span = Span::new(Some(nanos), Some(nanos + 7));
            assert_eq!(Span::parse(&span.text()), Ok(span), "{}", span.text());
            assert_eq!(Span::parse(&Span { is_rest: true, ..span }.text()), Ok(Span { is_rest: true, ..span }));
        }
        assert_eq!(Span::new(Some(2_846_390_222), None).text(), "2.846390222s..");
        assert!(Span::parse("!..").is_err() && Span::parse("!2s..1s").is_err());
    }

    #[test]
    fn words_have_the_digits_that_the_length_asks_for() {
        for (text, words) in [
            ("1.2s..2.85s", "1.2 s to 2.85 s"),
            ("0s..2846390222ns", "0 s to 2.846 s"),
            ("12.34s..12.36s", "12.34 s to 12.36 s"),
            ("810ms..1915ms", "0.81 s to 1.915 s"),
            ("2846390222ns..", "from 2.846 s"),
            ("..250us", "up to 250 µs"),
            ("!1.2s..2.85s", "all but 1.2 s to 2.85 s"),
        ] {
            assert_eq!(Span::parse(text).unwrap().words(), words, "{text}");
        }
    }

    #[test]
    fn a_range_and_its_rest_are_the_whole_and_share_nothing() {
        let length = 9 * SECOND + 1;
        for text in ["0s..3s", "3s..", "..500ms", "2.5s..6s", "!2.5s..6s", "8s..20s"] {
            let span = Span::parse(text).unwrap();
            let rest = span.rest();
            assert!((0..10).all(|at| span.has(at * SECOND) != rest.has(at * SECOND)), "{text}");
            assert_eq!(span.length_in(length) + rest.length_in(length), length, "{text}");
            assert_eq!(rest.rest().ends(length), span.ends(length), "{text}");
        }
    }

    #[test]
    fn the_clock_of_a_part_stands_still_outside_of_it() {
        let profile = capture();
        for (text, length) in [("2s..5s", 3 * SECOND), ("!2s..5s", 6 * SECOND + 1), ("7s..", 2 * SECOND + 1)] {
            let span = Span::parse(text).unwrap();
            let clock = Clock::of(&profile, Some(span)).unwrap();
            assert_eq!(clock.length, length, "{text}");
            let inside: Vec<i64> = (0..10).filter(|at| span.has(at * SECOND)).collect();
            for &at in &inside {
                assert_eq!(clock.since_first(clock.at((100 + at) * SECOND)), at * SECOND, "{text} at {at}");
            }
            let places: Vec<i64> = inside.iter().map(|at| clock.at((100 + at) * SECOND) / SECOND).collect();
            assert_eq!(places, (0..inside.len() as i64).collect::<Vec<_>>(), "{text}: no gap is left");
        }
        assert_eq!(Clock::of(&profile, Some(Span::new(Some(20 * SECOND), None))), None);
    }

    #[test]
    fn time_that_a_capture_does_not_have_is_refused() {
        let profile = capture();
        for (text, is_there) in [("20s..30s", false), ("8s..30s", true), ("!0s..30s", false), ("!0s..3s", true)] {
            assert_eq!(Span::parse(text).unwrap().check(&profile).is_ok(), is_there, "{text}");
        }
    }
}
