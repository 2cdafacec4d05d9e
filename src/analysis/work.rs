//! How much work each side did: numbers that the user knows, or a count of something in the captures themselves.
//!
//! Of all normalisations the work is the best: it alone tells "everything got slower" from "there was more to do". Start reading at
//! [`Work`], then [`Marker`].

use std::collections::BTreeSet;

use super::events::events;
use super::filter::{Chosen, compile, frames_matching, of_expression, parse_expression, texts};
use super::part::Part;
use crate::model::{Profile, Unit};

/// Where the amounts of work of before and after come from. Only their ratio and their unit matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Work {
    /// The user knows them, as numbers of requests.
    Given(Amounts),
    /// The user knows them per second of capture.
    Throughput {
        /// Requests per second.
        throughput: Amounts,
    },
    /// Counted in the captures.
    Counted {
        /// What stands for one unit of work.
        count: Marker,
    },
}

impl Work {
    /// Work of before and after; `None` unless both are finite and above 0.
    pub fn new(before: f64, after: f64) -> Option<Self> {
        Amounts::new(before, after).map(Self::Given)
    }

    /// Work per second of before and after; `None` unless both are finite and above 0.
    pub fn throughput(before: f64, after: f64) -> Option<Self> {
        Amounts::new(before, after).map(|throughput| Self::Throughput { throughput })
    }
}

/// Two finite numbers above 0: before and after.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct Amounts {
    before: f64,
    after: f64,
}

impl Amounts {
    /// `None` unless both are finite and above 0.
    pub fn new(before: f64, after: f64) -> Option<Self> {
        let sound = |number: f64| number.is_finite() && number > 0.0;
        (sound(before) && sound(after)).then_some(Self { before, after })
    }

    /// Before and after.
    pub const fn sides(self) -> [f64; 2] {
        [self.before, self.after]
    }
}

impl TryFrom<[f64; 2]> for Amounts {
    type Error = &'static str;

    fn try_from([before, after]: [f64; 2]) -> Result<Self, Self::Error> {
        Self::new(before, after).ok_or("wanted two numbers above 0")
    }
}

impl From<Amounts> for [f64; 2] {
    fn from(amounts: Amounts) -> Self {
        amounts.sides()
    }
}

// Keys of results hold it: its numbers are finite, so equal bits are equal numbers.
impl PartialEq for Amounts {
    fn eq(&self, other: &Self) -> bool {
        self.sides().map(f64::to_bits) == other.sides().map(f64::to_bits)
    }
}

impl Eq for Amounts {}

impl std::hash::Hash for Amounts {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sides().map(f64::to_bits).hash(state);
    }
}

/// What stands for one unit of work in a capture. Its text form is `event=NAME`, `frame=REGEX`, `label=KEY` or `comment=KEY`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Marker {
    /// Occurrences of another event of the capture, such as a tracepoint that each request passes once: the sum of that sample type.
    Event(String),
    /// Occurrences of stacks with a frame that matches: allocations, contentions or samples, whichever the capture counts.
    Frame(String),
    /// Distinct values of a label, such as a request's id. Only requests that were seen count.
    Label(String),
    /// A number in the capture's comments or facts: `requests=12345` or `requests: 12345`.
    Comment(String),
}

/// An amount of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amount {
    /// How much.
    pub amount: f64,
    /// Sampled events behind it; infinite where nothing was sampled.
    pub events: f64,
}

impl Amount {
    /// Adds the work of another capture of the same side.
    pub(super) fn add(&mut self, other: Self) {
        // Where one capture was counted exactly and the other was sampled, the sampled one's events are fewer than both deserve.
        let sampled = [self.events, other.events].into_iter().filter(|events| events.is_finite()).sum::<f64>();
        *self = Self { amount: self.amount + other.amount, events: if sampled > 0.0 { sampled } else { f64::INFINITY } };
    }

    /// Variance of the logarithm of the amount.
    pub(super) fn variance(self) -> f64 {
        1.0 / self.events
    }
}

impl TryFrom<String> for Marker {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Marker> for String {
    fn from(marker: Marker) -> Self {
        marker.text()
    }
}

impl Marker {
    /// The marker of a text; the error says what was wanted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let marker = text.split_once('=').and_then(|(what, name)| {
            let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty())?;
            Some(match what.trim() {
                "event" => Self::Event(name),
                "frame" => Self::Frame(name),
                "label" => Self::Label(name),
                "comment" => Self::Comment(name),
                _ => return None,
            })
        });
        if let Some(Self::Frame(expression)) = &marker {
            parse_expression(expression)?;
        }
        marker.ok_or_else(|| format!("wanted event=NAME, frame=REGEX, label=KEY or comment=KEY, found `{text}`"))
    }

    /// As [`parse`](Self::parse) reads it.
    pub fn text(&self) -> String {
        match self {
            Self::Event(name) => format!("event={name}"),
            Self::Frame(pattern) => format!("frame={pattern}"),
            Self::Label(key) => format!("label={key}"),
            Self::Comment(key) => format!("comment={key}"),
        }
    }

    /// What is counted, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Event(name) => format!("occurrences of {name}"),
            Self::Frame(pattern) => format!("occurrences of /{pattern}/ on a stack"),
            Self::Label(key) => format!("distinct values of {key}"),
            Self::Comment(key) => format!("{key} in the comments"),
        }
    }

    /// Counts in the chosen samples of a capture, which are its `part`; `sample_type` is the row that is compared. The error says what the
    /// capture lacks.
    pub(super) fn count(&self, profile: &Profile, part: &Part, chosen: &Chosen<'_>, sample_type: usize) -> Result<Amount, String> {
        let found = match self {
            Self::Event(name) => {
                let row = profile.find_sample_type(name).ok_or_else(|| {
                    let names: Vec<&str> = profile.sample_types.iter().map(|kind| kind.name.as_str()).collect();
                    format!("there is no event {name}; there are {}", names.join(", "))
                })?;
                sum(profile, row, chosen, |_| true)
            }
            Self::Frame(pattern) => frames(profile, pattern, chosen, sample_type),
            Self::Label(key) => Amount { amount: values(profile, key, chosen) as f64, events: f64::INFINITY },
            Self::Comment(_) if !part.is_whole() => {
                return Err("a comment counts the work of the whole capture, not of a part of it".to_owned());
            }
            Self::Comment(key) => Amount { amount: comment(profile, key).unwrap_or(0.0), events: f64::INFINITY },
        };
        if found.amount > 0.0 { Ok(found) } else { Err(format!("the capture has no {}", self.words())) }
    }
}

/// Sum of a sample type over the chosen rows that pass, with the events behind it.
fn sum(profile: &Profile, sample_type: usize, chosen: &Chosen<'_>, passes: impl Fn(usize) -> bool) -> Amount {
    let (mut amount, mut seen, mut all_ones) = (0.0, 0.0, true);
    let behind = events(profile, sample_type).per_sample;
    for (row, (&value, events)) in profile.samples.values(sample_type).iter().zip(behind).enumerate() {
        if value != 0 && chosen.has(row) && passes(row) {
            amount += value as f64;
            seen += events;
            all_ones &= value == 1;
        }
    }
    let in_unit = profile.sample_types.get(sample_type).map_or(amount, |kind| kind.in_unit(amount));
    // Where every occurrence is a record of its own, none was left out by sampling.
    Amount { amount: in_unit, events: if all_ones && profile.info.format.starts_with("perf") { f64::INFINITY } else { seen } }
}

/// Occurrences of stacks with a frame that matches: of the column that counts what the compared one weighs.
fn frames(profile: &Profile, pattern: &str, chosen: &Chosen<'_>, sample_type: usize) -> Amount {
    let is_count = |row: usize| profile.sample_types.get(row).is_some_and(|kind| Unit::parse(&kind.unit) == Unit::Count);
    let named = |name: &str| profile.sample_types.iter().position(|kind| kind.name == name);
    let compared = profile.sample_types.get(sample_type).map_or("", |kind| kind.name.as_str());
    let counting = match compared {
        "alloc_space" => named("alloc_objects"),
        "inuse_space" => named("inuse_objects"),
        "delay" => named("contentions"),
        _ if is_count(sample_type) => Some(sample_type),
        _ => named("samples"),
    };
    let pattern = compile(&of_expression(pattern));
    let marked: Vec<bool> = frames_matching(profile, &pattern);
    let mut stacks: Vec<bool> = Vec::with_capacity(profile.stacks.len());
    for (parent, frame) in profile.stacks.parents().iter().zip(profile.stacks.frames()) {
        // A parent stands before its children.
        let above = parent.is_some_and(|parent| stacks.get(parent.row()).copied().unwrap_or(false));
        stacks.push(above || marked.get(frame.row()).copied().unwrap_or(false));
    }
    let on_stack = |row: usize| {
        let stack = profile.samples.stacks().get(row).copied().flatten();
        stack.is_some_and(|stack| stacks.get(stack.row()).copied().unwrap_or(false))
    };
    if let Some(counting) = counting.filter(|&row| is_count(row) && !profile.info.format.starts_with("perf")) {
        return sum(profile, counting, chosen, on_stack);
    }
    let seen =
        profile.samples.values(sample_type).iter().enumerate().filter(|&(row, &value)| value != 0 && chosen.has(row) && on_stack(row));
    let seen = seen.count() as f64;
    Amount { amount: seen, events: seen }
}

/// Distinct values of a label in the chosen samples.
fn values(profile: &Profile, key: &str, chosen: &Chosen<'_>) -> usize {
    let sets: Vec<Vec<String>> = profile
        .label_sets
        .iter()
        .map(|set| texts(profile, set).into_iter().filter(|(name, _)| name == key).map(|(_, value)| value).collect())
        .collect();
    let mut seen = vec![false; sets.len()];
    for (row, set) in profile.samples.labels().iter().enumerate() {
        if let Some(seen) = set.and_then(|set| seen.get_mut(set.row()))
            && !*seen
            && chosen.has(row)
        {
            *seen = true;
        }
    }
    let found: BTreeSet<&String> = sets.iter().zip(seen).filter(|(_, seen)| *seen).flat_map(|(values, _)| values).collect();
    found.len()
}

/// The number that stands with a key in the comments, else in the facts.
fn comment(profile: &Profile, key: &str) -> Option<f64> {
    let number = |text: &str| -> Option<f64> {
        let rest = text.trim_start().strip_prefix(['=', ':'])?.trim_start();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | 'e' | 'E' | '+' | '-'))).unwrap_or(rest.len());
        rest.get(..end)?.trim_end_matches([',', '.']).replace([',', '_'], "").parse().ok()
    };
    let in_text = |text: &String| {
        text.match_indices(key).find_map(|(at, _)| {
            let starts = text.get(..at)?.chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '_');
            starts.then(|| number(text.get(at + key.len()..)?)).flatten()
        })
    };
    let fact = || profile.info.fact(key)?.trim().parse().ok();
    profile.info.comments.iter().find_map(in_text).or_else(fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Frame, Label, LabelValue, Sample};

    fn count(profile: &Profile, part: &str, marker: &str, sample_type: usize) -> Result<Amount, String> {
        let part = Part::parse_line(part).unwrap();
        let filter = part.filter(profile)?;
        Marker::parse(marker)?.count(profile, &part, &Chosen::new(profile, &[&filter]), sample_type)
    }

    /// Two requests with three events each of `main;handle`, one of `main;idle`; the tracepoint was passed 5 times.
    fn capture(format: &str) -> Profile {
        let mut builder = Builder::new([("cycles", "count"), ("net:accept", "count")]);
        format.clone_into(&mut builder.info.format);
        let id = builder.string("request");
        let frames = ["main", "handle", "idle"].map(|name| {
            let function = Some(builder.function_named(name));
            builder.frame(Frame { function, ..Frame::default() })
        });
        let main = builder.stack(None, frames[0]);
        let stacks = [builder.stack(Some(main), frames[1]), builder.stack(Some(main), frames[2])];
        for (request, stack, values) in
            [(1, 0, [700, 0]), (1, 0, [800, 0]), (2, 0, [900, 0]), (2, 1, [950, 0]), (2, 1, [0, 1]), (1, 1, [0, 1]), (1, 1, [0, 1])]
        {
            let value = LabelValue::Number(request, None);
            let labels = builder.rows.label_set(&[Label { key: id, value }]);
            builder.rows.sample(Sample { stack: Some(stacks[stack]), labels, ..Sample::default() }, &values);
        }
        builder.info.comments.push("load: constant, requests=1,250 over 10s".to_owned());
        builder.finish()
    }

    #[test]
    fn work_is_counted_in_the_part_that_is_compared() {
        let perf = capture("perf-data");
        for (part, marker, amount) in [
            ("", "event=net:accept", 3.0),
            ("label=request:1", "event=net:accept", 2.0),
            ("", "frame=^handle$", 3.0),
            ("label=request:2", "frame=handle", 1.0),
            ("", "label=request", 2.0),
            ("label=request:1", "label=request", 1.0),
            ("", "comment=requests", 1250.0),
        ] {
            let found = count(&perf, part, marker, 0).unwrap();
            assert!((found.amount - amount).abs() < 1e-9, "{part} {marker}: {found:?}");
        }
        assert!(count(&perf, "", "event=net:accept", 0).unwrap().events.is_infinite(), "every occurrence was recorded");
        assert!((count(&perf, "", "frame=handle", 0).unwrap().events - 3.0).abs() < 1e-9, "records were sampled");
        // Elsewhere the column counts: 700 + 800 + 900.
        assert!((count(&capture("pprof"), "", "frame=handle", 0).unwrap().amount - 2400.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_counted_is_said() {
        let perf = capture("perf-data");
        for (part, marker, words) in [
            ("", "event=net:close", "there are cycles, net:accept"),
            ("", "frame=nowhere", "no occurrences of /nowhere/"),
            ("", "label=route", "no distinct values of route"),
            ("", "comment=errors", "no errors in the comments"),
            ("label=request:1", "comment=requests", "whole capture"),
            ("", "requests", "wanted event=NAME"),
            ("", "frame=", "wanted event=NAME"),
            ("", "stack=x", "wanted event=NAME"),
        ] {
            let error = count(&perf, part, marker, 0).unwrap_err();
            assert!(error.contains(words), "{marker}: {error}");
        }
    }

    #[test]
    fn work_has_a_short_text_form() {
        for (work, json) in [
            (Work::new(400.0, 500.5).unwrap(), "[400.0,500.5]"),
            (Work::throughput(40.0, 50.0).unwrap(), r#"{"throughput":[40.0,50.0]}"#),
            (Work::Counted { count: Marker::Event("net:accept".to_owned()) }, r#"{"count":"event=net:accept"}"#),
        ] {
            assert_eq!(serde_json::to_string(&work).unwrap(), json);
            assert_eq!(serde_json::from_str::<Work>(json).unwrap(), work);
        }
        assert_eq!((Work::new(0.0, 1.0), Work::throughput(f64::NAN, 1.0)), (None, None));
    }
}
