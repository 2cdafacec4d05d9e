//! A part of a capture, compared as if it were a capture of its own: a time range, threads, label values, stacks with a frame.
//!
//! Written the same way on the command line, in scripts and in the window: `time=0s..10s`, `thread=worker`, `label=endpoint:/a`. A part
//! names things and not rows, so one part fits all captures of a side. Deliberately absent: the filters of the view, which hold on both
//! sides alike. Start reading at [`Part`].

use super::filter::{Filter, of_expression, parse_expression, texts, thread_label};
pub use super::span::Span;
use crate::model::Profile;

/// A choice of a capture's samples; the default is the whole capture. All conditions must hold; several threads, and several values of one
/// label key, are alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Part {
    /// Time range.
    pub time: Option<Span>,
    /// Threads by name, number or display name.
    pub threads: Vec<String>,
    /// Labels as (key, value); an empty value means samples without the label.
    pub labels: Vec<(String, String)>,
    /// Only samples with a frame that matches, see [`Filter::focus`].
    pub focus: Option<String>,
    /// Only samples without a frame that matches.
    pub ignore: Option<String>,
}

/// The whole capture, to point to.
pub static WHOLE: Part = Part::WHOLE;

/// The text form: one condition, or a list of them.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Written {
    One(String),
    All(Vec<String>),
}

impl TryFrom<Written> for Part {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::One(text) => Self::parse_line(&text),
            Written::All(texts) => Self::parse(&texts),
        }
    }
}

impl From<Part> for Written {
    fn from(part: Part) -> Self {
        Self::All(part.conditions())
    }
}

/// What separates conditions on one line.
const SEPARATOR: &str = "; ";

/// How many names an error lists.
const NAMED: usize = 20;

impl Part {
    /// The whole capture.
    pub const WHOLE: Self = Self { time: None, threads: Vec::new(), labels: Vec::new(), focus: None, ignore: None };

    /// A range of time.
    pub fn of_time(span: Span) -> Self {
        Self { time: Some(span), ..Self::WHOLE }
    }

    /// True for the whole capture.
    pub fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }

    /// The part that all conditions name; the error says what was wanted.
    pub fn parse<T: AsRef<str>>(conditions: &[T]) -> Result<Self, String> {
        let mut part = Self::default();
        for text in conditions {
            part.add(text.as_ref())?;
        }
        Ok(part)
    }

    /// The part of conditions on one line, separated by `; `. Nothing is the whole capture.
    pub fn parse_line(line: &str) -> Result<Self, String> {
        Self::parse(&line.split(SEPARATOR).map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>())
    }

    /// Its conditions on one line, for [`parse_line`](Self::parse_line).
    pub fn line(&self) -> String {
        self.conditions().join(SEPARATOR)
    }

    fn add(&mut self, condition: &str) -> Result<(), String> {
        let wanted = || {
            format!(
                "wanted time=FROM..TO (such as 0s..10s), thread=NAME, label=KEY:VALUE, focus=REGEX or ignore=REGEX, found `{condition}`"
            )
        };
        let (what, value) = condition.split_once('=').ok_or_else(wanted)?;
        let once = |known: &mut Option<String>| match known.replace(value.to_owned()) {
            Some(_) => Err(format!("{what} was given twice")),
            None => Ok(()),
        };
        match what.trim() {
            "time" if self.time.is_some() => return Err("a side has one time range".to_owned()),
            "time" => self.time = Some(Span::parse(value)?),
            "thread" => self.threads.push(value.to_owned()),
            "label" => {
                let label = split_label(value).ok_or_else(|| format!("wanted label=KEY:VALUE, found `{condition}`"))?;
                self.labels.push(label);
            }
            "focus" => parse_expression(value).and_then(|_| once(&mut self.focus))?,
            "ignore" => parse_expression(value).and_then(|_| once(&mut self.ignore))?,
            _ => return Err(wanted()),
        }
        Ok(())
    }

    /// The conditions as [`parse`](Self::parse) reads them; none for the whole capture.
    pub fn conditions(&self) -> Vec<String> {
        let time = self.time.map(|span| format!("time={}", span.text()));
        let threads = self.threads.iter().map(|name| format!("thread={name}"));
        let labels = self.labels.iter().map(|(key, value)| {
            // A colon of the key would be taken for the one before the value.
            let colon = if split_label(&format!("{key}:{value}")).is_some_and(|(other, _)| other == *key) { ':' } else { '=' };
            format!("label={key}{colon}{value}")
        });
        let patterns = [("focus", &self.focus), ("ignore", &self.ignore)];
        let patterns = patterns.into_iter().filter_map(|(what, pattern)| Some(format!("{what}={}", pattern.as_ref()?)));
        time.into_iter().chain(threads).chain(labels).chain(patterns).collect()
    }

    /// A few words for a chip: `0 s to 10 s`, `endpoint: /a`; empty for the whole capture.
    pub fn words(&self) -> String {
        let time = self.time.map(Span::words);
        let threads = (!self.threads.is_empty()).then(|| format!("thread {}", self.threads.join(" or ")));
        let labels = self.labels.iter().map(|(key, value)| if value.is_empty() { format!("no {key}") } else { format!("{key}: {value}") });
        let focus = self.focus.as_ref().map(|pattern| format!("with /{pattern}/"));
        let ignore = self.ignore.as_ref().map(|pattern| format!("without /{pattern}/"));
        time.into_iter().chain(threads).chain(labels).chain(focus).chain(ignore).collect::<Vec<_>>().join(", ")
    }

    /// The filter that lets exactly this part of a capture through. The error says what the capture lacks and what it has.
    pub fn filter(&self, profile: &Profile) -> Result<Filter, String> {
        Ok(Filter {
            time: self.time.map(|span| span.check(profile).map(|()| span)).transpose()?,
            threads: threads_of(profile, &self.threads)?,
            labels: self.known_labels(profile)?,
            focus: self.focus.as_deref().map(of_expression),
            ignore: self.ignore.as_deref().map(of_expression),
            ..Filter::default()
        })
    }

    /// How long the part of a capture is, in nanoseconds: a time range its own length as far as the capture goes; threads, labels and
    /// frames as long as the capture.
    pub fn duration_nanos(&self, profile: &Profile) -> Option<i64> {
        let Some(span) = self.time else { return profile.info.duration_nanos };
        let (first, last) = profile.samples.time_range()?;
        let whole = last.saturating_sub(first).max(profile.info.duration_nanos.unwrap_or(0));
        Some(span.length_in(whole)).filter(|&length| length > 0)
    }

    fn known_labels(&self, profile: &Profile) -> Result<Vec<(String, String)>, String> {
        for (key, value) in &self.labels {
            let mut values: Vec<String> = Vec::new();
            let mut keys: Vec<String> = Vec::new();
            for (other, text) in profile.label_sets.iter().flat_map(|set| texts(profile, set)) {
                if other == *key {
                    values.push(text);
                } else {
                    keys.push(other);
                }
            }
            if values.is_empty() {
                return Err(format!("no sample has a label {key}; {}", list("the labels are", keys, "the capture has no labels")));
            }
            if !value.is_empty() && !values.contains(value) {
                return Err(format!("no sample has the label {key}: {value}; {}", list("the values are", values, "there are none")));
            }
        }
        Ok(self.labels.clone())
    }
}

/// Key and value: at the first colon or equals sign, whichever comes first; a double colon belongs to the key (`pprof::base`).
fn split_label(text: &str) -> Option<(String, String)> {
    let bytes = text.as_bytes();
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let at = (1..bytes.len()).find(|&at| is(at, b'=') || is(at, b':') && !is(at + 1, b':') && !is(at - 1, b':'))?;
    Some((text.get(..at)?.to_owned(), text.get(at + 1..)?.trim_start().to_owned()))
}

/// The display names of the threads that somebody named by name, number or display name. The error says which there are.
pub fn threads_of(profile: &Profile, wanted: &[String]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for name in wanted {
        let before = found.len();
        for id in profile.threads.ids() {
            let (thread, label) = (profile.threads[id], thread_label(profile, id));
            let number = thread.tid.or(thread.pid).is_some_and(|number| number.to_string() == *name);
            if label == *name || number || profile.strings.get(thread.name) == name {
                found.push(label);
            }
        }
        if found.len() == before {
            let known = profile.threads.ids().map(|id| thread_label(profile, id)).collect();
            return Err(format!("there is no thread {name}; {}", list("the threads are", known, "the capture names no threads")));
        }
    }
    Ok(found)
}

/// The first names in order, or the words for none.
fn list(head: &str, mut names: Vec<String>, none: &str) -> String {
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match (names.is_empty(), more) {
        (true, _) => none.to_owned(),
        (_, 0) => format!("{head} {}", names.join(", ")),
        (_, more) => format!("{head} {} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Label, LabelValue, Sample};

    const SECOND: i64 = 1_000_000_000;

    /// Ten samples, one a second from 100 s on, in turn of `/a` and `/b`.
    fn capture() -> Profile {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        let (key, a, b) = (builder.string("endpoint"), builder.string("/a"), builder.string("/b"));
        let label = |text| Label { key, value: LabelValue::Text(text) };
        let sets = [builder.rows.label_set(&[label(a)]), builder.rows.label_set(&[label(b)])];
        for at in 0..10 {
            let labels = sets[at as usize % 2];
            builder.rows.sample(Sample { labels, time: Some((100 + at) * SECOND), ..Sample::default() }, &[1]);
        }
        builder.finish()
    }

    fn rows(part: &str) -> Result<Vec<usize>, String> {
        let profile = capture();
        let filter = Part::parse_line(part)?.filter(&profile)?;
        let passes = filter.samples(&profile);
        Ok((0..profile.samples.len()).filter(|&row| passes(row)).collect())
    }

    #[test]
    fn parts_choose_samples_by_time_and_label() {
        for (part, expected) in [
            ("", (0..10).collect::<Vec<_>>()),
            ("time=0s..3s", vec![0, 1, 2]),
            ("time=3s..", (3..10).collect()),
            ("time=..1500ms", vec![0, 1]),
            ("time=!2s..6s", vec![0, 1, 6, 7, 8, 9]),
            ("label=endpoint:/b; time=2..6", vec![3, 5]),
            ("label=endpoint=/a; label=endpoint:/b", (0..10).collect()),
        ] {
            assert_eq!(rows(part), Ok(expected), "{part}");
        }
    }

    #[test]
    fn ranges_that_meet_share_no_sample_and_lose_none() {
        for cut in [1, 4, 9] {
            let (first, second) = (rows(&format!("time=0s..{cut}s")).unwrap(), rows(&format!("time={cut}s..")).unwrap());
            assert_eq!([first, second].concat(), (0..10).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_range_is_as_long_as_it_lies_in_the_capture() {
        let mut profile = capture();
        let length = |profile: &Profile, part: &str| Part::parse_line(part).unwrap().duration_nanos(profile);
        for (part, seconds) in
            [("", 9), ("time=0s..3s", 3), ("time=6s..", 3), ("time=8s..20s", 1), ("time=!2s..5s", 6), ("label=endpoint:/a", 9)]
        {
            assert_eq!(length(&profile, part), Some(seconds * SECOND), "{part}");
        }
        profile.info.duration_nanos = Some(12 * SECOND);
        assert_eq!(length(&profile, "time=6s.."), Some(6 * SECOND), "the capture goes on without samples");
    }

    #[test]
    fn what_a_capture_does_not_have_is_said_with_what_it_has() {
        for (part, words) in [
            ("label=endpoint:/c", "the values are /a, /b"),
            ("label=route:/a", "the labels are endpoint"),
            ("thread=main", "names no threads"),
            ("time=20s..30s", "end after 9s"),
            ("time=5s..5s", "ends before it begins"),
            ("time=5s", "0s..10s"),
            ("time=1kg..2kg", "0s..10s"),
            ("color=red", "label=KEY:VALUE"),
            ("label=endpoint", "KEY:VALUE"),
        ] {
            let error = rows(part).unwrap_err();
            assert!(error.contains(words), "{part}: {error}");
        }
        let mut timeless = Builder::new([("cpu", "nanoseconds")]);
        timeless.rows.sample(Sample::default(), &[1]);
        let error = Part::parse_line("time=0s..1s").unwrap().filter(&timeless.finish()).unwrap_err();
        assert!(error.contains("no times"), "{error}");
    }

    #[test]
    fn conditions_round_trip() {
        for line in [
            "time=0s..1500ms",
            "time=!1s..2s",
            "time=1ns..",
            "thread=worker 3",
            "label=pprof::base:true",
            "label=a:b=c:d",
            "focus=^main$; ignore=gc",
        ] {
            let part = Part::parse_line(line).unwrap();
            assert_eq!(Part::parse(&part.conditions()), Ok(part.clone()), "{line}");
            let json = serde_json::to_string(&part).unwrap();
            assert_eq!(serde_json::from_str::<Part>(&json).unwrap(), part, "{json}");
        }
        assert_eq!(serde_json::from_str::<Part>("\"time=0s..1s\"").unwrap().line(), "time=0s..1s");
        assert_eq!(Part::parse_line("label=pprof::base:true").unwrap().labels, [("pprof::base".to_owned(), "true".to_owned())]);
    }
}
