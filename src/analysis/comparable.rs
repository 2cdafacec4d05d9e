//! What differs between the captures of two sides, and what that does to their comparison.
//!
//! No tool of the field says it: a capture at another rate, of another machine or with lost samples is drawn like any other. Here each
//! difference is a row with both values and what follows. Deliberately absent: the refusal of sides without a common sample type (see
//! [`CompareError`](super::comparison::CompareError)), and the test whether a change is real. Start reading at [`check`].

mod identity;

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::comparison::percent;
use super::matching::{Class, Tally};
use super::normalize::{Normalization, ran_to_its_end};
use super::part::Part;
use crate::model::{Profile, human, human_duration, kind};

/// How much a difference matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// Good to know; the numbers stay comparable.
    Info,
    /// The normalisation in effect takes it out of the numbers.
    Scaled,
    /// The numbers differ for this reason too.
    Warning,
}

impl Concern {
    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Scaled => "scaled",
            Self::Warning => "warning",
        }
    }
}

/// One thing in which two sides differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `duration`, `kernel`.
    pub what: &'static str,
    /// Its value before; several captures that disagree are listed with commas.
    pub before: String,
    /// Its value after.
    pub after: String,
    /// How much it matters.
    pub concern: Concern,
    /// What follows, as a clause without a period.
    pub text: String,
}

/// Durations closer than this part of the longer one are called equal.
const SAME_DURATION: f64 = 0.02;

/// Part of the samples that may be lost or cut before it is worth a warning.
const FEW: f64 = 0.01;

/// Facts of the recording machine and tool by the key of the readers, their name here, and what a difference means.
const FACTS: [(&str, &str, Concern, &str); 9] = [
    ("hostname", "host", Concern::Info, "taken on different machines"),
    ("osrelease", "kernel", Concern::Warning, "another kernel has other costs in system calls, scheduling and memory"),
    ("arch", "architecture", Concern::Warning, "another processor architecture runs other code"),
    ("cpudesc", "processor", Concern::Warning, "another processor has another speed"),
    ("cpuid", "processor id", Concern::Warning, "another processor has another speed"),
    ("nrcpus", "processors", Concern::Warning, "another number of processors changes scheduling and contention"),
    ("total memory", "memory", Concern::Info, "another amount of memory"),
    ("perf version", "perf version", Concern::Info, "another version of perf may unwind and count differently"),
    ("cmdline", "command", Concern::Info, "recorded with another command line"),
];

/// One side: its captures, and what part of them it is.
#[derive(Clone, Copy, Debug)]
pub struct Compared<'a> {
    /// The captures.
    pub captures: &'a [Arc<Profile>],
    /// The part of each of them.
    pub part: &'a Part,
}

/// All differences between two sides that matter for `sample_type` (name, unit) under `normalization`, the gravest first.
pub fn check(before: &Compared<'_>, after: &Compared<'_>, sample_type: (&str, &str), normalization: &Normalization) -> Vec<Difference> {
    let mut found = Found { before: before.captures, after: after.captures, parts: [before.part, after.part], rows: Vec::new() };
    found.parts();
    found.same_captures();
    found.compare("format", Concern::Warning, "different tools collect stacks and names in different ways", |profile| {
        profile.info.format.clone()
    });
    found.compare("sample types", Concern::Info, "only common ones can be compared", |profile| {
        let names: Vec<String> = profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)).collect();
        names.join(", ")
    });
    found.units(sample_type);
    found.periods(sample_type);
    found.durations(sample_type.0, normalization);
    found.counters(sample_type.0);
    for (key, what, concern, text) in FACTS {
        found.fact(key, what, concern, text);
    }
    let text = "another Go version inlines and names functions differently";
    found.compare("Go", Concern::Warning, text, identity::go_version);
    found.compare("GOMAXPROCS", Concern::Warning, "another number of processors changes scheduling and contention", identity::go_max_procs);
    if found.parts.iter().all(|part| part.threads.is_empty()) {
        found.compare("threads", Concern::Info, "another number of threads ran", identity::threads);
    }
    found.libraries();
    found.compare(
        "events",
        Concern::Warning,
        "an event that is recorded as well costs time itself, and another rate another amount",
        events,
    );
    found.compare("stacks", Concern::Warning, "stacks that were unwound in another way end elsewhere: compare self values", unwinding);
    found.compare(
        "contention",
        Concern::Warning,
        "a mutex profile has the time that others waited for a lock at its Unlock, a block profile all waiting where it happens",
        identity::contention,
    );
    found.differences(sample_type);
    found.depths();
    found.losses();
    found.compare("dropped frames", Concern::Warning, "other frames were left out by the capture's tool", |profile| {
        let part = |pattern: &Option<String>| pattern.clone().unwrap_or_default();
        format!("{}{}", part(&profile.info.drop_frames), part(&profile.info.keep_frames))
    });
    found.compare("program", Concern::Info, "another build: functions are matched by name", program);
    found.rows.sort_by_key(|row| std::cmp::Reverse(row.concern));
    found.rows
}

/// Less of a side's cost than this in functions of both sides, and they are two programs.
const MATCHED: f64 = 0.01;

/// What differs where hardly any function of one side is on the other.
pub const NAMES: &str = "names";

/// A row where hardly any function of one side is on the other; `None` otherwise, and where a side holds nothing.
pub fn unmatched(tally: &Tally) -> Option<Difference> {
    let sum = |pick: fn(Class) -> bool| {
        let picked = tally.classes.iter().filter(|sum| pick(sum.class));
        picked.fold([0.0; 2], |share, sum| [share[0] + sum.share[0].abs(), share[1] + sum.share[1].abs()])
    };
    let (all, common) = (sum(|_| true), sum(|class| !matches!(class, Class::OnlyBefore | Class::OnlyAfter)));
    let is_little = all.iter().zip(common).any(|(all, common)| common < MATCHED * all);
    (is_little && all.iter().all(|all| *all > 0.0)).then(|| {
        let [before, after] = common.map(|share| format!("{} of the cost", percent(share)));
        let text = "so little is in functions that both sides have: two programs, or names that were not found on one side";
        Difference { what: NAMES, before, after, concern: Concern::Warning, text: text.to_owned() }
    })
}

struct Found<'a> {
    before: &'a [Arc<Profile>],
    after: &'a [Arc<Profile>],
    parts: [&'a Part; 2],
    rows: Vec<Difference>,
}

impl Found<'_> {
    fn add(&mut self, what: &'static str, sides: [String; 2], concern: Concern, text: impl Into<String>) {
        let [before, after] = sides;
        self.rows.push(Difference { what, before, after, concern, text: text.into() });
    }

    /// A row where the texts of the sides differ. A capture that does not say (empty text) is no difference.
    fn compare(&mut self, what: &'static str, concern: Concern, text: &str, of: impl Fn(&Profile) -> String) {
        let sides = [self.before, self.after].map(|side| distinct(side, &of));
        if sides.iter().all(|side| !side.is_empty()) && sides[0] != sides[1] {
            self.add(what, sides, concern, text);
        }
    }

    fn libraries(&mut self) {
        let (before, after) = (self.before.iter().map(AsRef::as_ref), self.after.iter().map(AsRef::as_ref));
        if let Some(sides) = identity::other_builds(before, after) {
            self.add("libraries", sides, Concern::Info, "other builds of libraries: their own cost may differ for that");
        }
    }

    fn fact(&mut self, key: &str, what: &'static str, concern: Concern, text: &str) {
        self.compare(what, concern, text, |profile| profile.info.fact(key).unwrap_or_default().to_owned());
    }

    /// Writers of pprof choose the units of their values; and a capture's own first choice may be on one side only.
    fn units(&mut self, (name, unit): (&str, &str)) {
        let text = format!("values are converted to {unit}, exactly");
        self.compare("unit", Concern::Scaled, &text, |profile| {
            let kind = profile.comparable_column(name, unit).and_then(|row| profile.sample_types.get(row));
            kind.map(|kind| kind.unit.clone()).unwrap_or_default()
        });
        let sides = [(self.before, self.after), (self.after, self.before)].map(|(side, other)| {
            distinct(side, &|profile| {
                let kind = profile.sample_types.get(profile.default_sample_type);
                let alone = kind.filter(|kind| other.iter().any(|profile| profile.comparable_column(&kind.name, &kind.unit).is_none()));
                alone.map(|kind| format!("{}/{}", kind.name, kind.unit)).unwrap_or_default()
            })
        });
        if sides.iter().any(|side| !side.is_empty()) {
            let sides = sides.map(|side| if side.is_empty() { format!("{name}/{unit}") } else { side });
            let text = format!("{name}/{unit} is compared: what a capture shows by itself is not on both sides");
            self.add("sample type", sides, Concern::Warning, text);
        }
    }

    /// Values are events times period, so they stay comparable; counts of events do not.
    fn periods(&mut self, (name, unit): (&str, &str)) {
        let of = |profile: &Profile| {
            let period = profile.info.period.as_ref().filter(|(_, _, period)| *period > 0);
            period.map(|(_, unit, period)| human(*period as f64, unit)).unwrap_or_default()
        };
        let counts_events = unit == "count" && matches!(name, "samples" | "sample");
        if counts_events {
            let text = "events were taken at another rate: their numbers do not compare, their values do (choose another sample type)";
            self.compare("period", Concern::Warning, text, of);
            let event = |profile: &Profile| profile.info.period.as_ref().map(|(name, ..)| name.clone()).unwrap_or_default();
            self.compare("event", Concern::Warning, "events of different things were counted: their numbers do not compare", event);
        } else {
            self.compare("period", Concern::Scaled, "each event counts with its own period; fewer events make wider intervals", of);
        }
    }

    /// What holds differences (a delta profile, a saved comparison) is no capture of events: verdicts are made for those.
    fn differences(&mut self, (name, unit): (&str, &str)) {
        let sides = [self.before, self.after].map(|side| {
            let sums = side.iter().filter_map(|profile| {
                let column = profile.comparable_column(name, unit)?;
                Some((profile.total(column) as f64, profile.gross_total(column) as f64))
            });
            let (net, gross) = sums.fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
            if gross > net { format!("{} of all", percent((gross - net) / 2.0 / gross)) } else { "none".to_owned() }
        });
        if sides.iter().any(|side| side != "none") {
            let text = "values below zero are differences and no events: how sure a change is cannot be said of them";
            self.add("values below zero", sides, Concern::Warning, text);
        }
    }

    /// Parts are what the user wants to compare: named, and no defect.
    fn parts(&mut self) {
        let sides = self.parts.map(|part| if part.is_whole() { "whole capture".to_owned() } else { part.line() });
        if sides[0] != sides[1] {
            self.add("part", sides, Concern::Info, "parts of captures are compared, as chosen");
        }
    }

    /// One capture on both sides, or twice on one: nothing can differ there, and it is no repeat.
    fn same_captures(&mut self) {
        let same = |a: &Arc<Profile>, b: &Arc<Profile>| Arc::ptr_eq(a, b) || a == b;
        for (name, side) in [("before", self.before), ("after", self.after)] {
            let twice = side.iter().enumerate().any(|(at, one)| side.iter().take(at).any(|other| same(one, other)));
            if twice {
                let sides = ["before", "after"].map(|own| if own == name { "a capture twice" } else { "each once" }.to_owned());
                self.add("repeats", sides, Concern::Warning, "a capture that stands there twice is no repeat: the noise seems too small");
            }
        }
        let shared: Vec<&Arc<Profile>> = self.before.iter().filter(|one| self.after.iter().any(|other| same(one, other))).collect();
        let Some(one) = shared.first() else { return };
        if self.parts[0] == self.parts[1] {
            let sides = [self.before, self.after].map(|side| format!("{} of {}", shared.len(), side.len()));
            self.add("same capture", sides, Concern::Warning, "one capture stands on both sides: what it holds cannot differ");
            return;
        }
        let [Ok(before), Ok(after)] = self.parts.map(|part| part.filter(one)) else { return };
        let (before, after) = (before.samples(one), after.samples(one));
        let rows = 0..one.samples.len();
        let (mut sizes, mut both) = ([0_usize; 2], 0_usize);
        for row in rows {
            let on = [before(row), after(row)];
            sizes.iter_mut().zip(on).for_each(|(size, on)| *size += usize::from(on));
            both += usize::from(on == [true, true]);
        }
        if both > 0 {
            let sides = sizes.map(|size| format!("{both} of {size} samples"));
            self.add("overlap", sides, Concern::Warning, "these samples of one capture are in both parts: what they show cannot differ");
        }
    }

    fn durations(&mut self, name: &str, normalization: &Normalization) {
        let length = |side: &[Arc<Profile>], part: &Part| {
            let nanos: Option<Vec<i64>> = side.iter().map(|profile| part.duration_nanos(profile)).collect();
            nanos.filter(|nanos| !nanos.is_empty()).map(|nanos| nanos.iter().map(|&nanos| nanos as f64).sum::<f64>())
        };
        let lengths = [length(self.before, self.parts[0]), length(self.after, self.parts[1])];
        let [Some(before), Some(after)] = lengths else {
            let sides = lengths.map(|length| length.map_or_else(|| "unknown".to_owned(), |nanos| human_duration(nanos as i64)));
            if sides[0] != sides[1] {
                self.add("duration", sides, Concern::Warning, "a side does not say how long it is: no rate can be compared");
            }
            return;
        };
        if (before - after).abs() <= SAME_DURATION * before.max(after) {
            return;
        }
        let sides = [before, after].map(|nanos| human_duration(nanos as i64));
        let snapshot = name.starts_with("inuse") || matches!(name, "goroutine" | "threadcreate" | "goroutineleak");
        let (concern, text) = match normalization {
            _ if snapshot => (Concern::Info, "a snapshot does not grow with the length of a capture"),
            Normalization::PerSecond => (Concern::Scaled, "values are divided by the duration"),
            Normalization::Share => (Concern::Scaled, "shares do not depend on the duration"),
            Normalization::PerCpuSecond => (Concern::Scaled, "values are divided by processor time, not by the duration"),
            Normalization::PerRequest(_) => (Concern::Scaled, "values are divided by the work done, not by the duration"),
            Normalization::Absolute if self.are_whole_runs() => (Concern::Info, "both are whole runs: the longer one is the slower one"),
            Normalization::Absolute => {
                (Concern::Warning, "absolute values grow with the duration: compare per second, unless both did the same work")
            }
        };
        self.add("duration", sides, concern, text);
    }

    fn are_whole_runs(&self) -> bool {
        self.parts.iter().all(|part| part.time.is_none()) && self.before.iter().chain(self.after).all(|profile| ran_to_its_end(profile))
    }

    /// Go's counters run from the start of the process: two of them compare only over equal times.
    fn counters(&mut self, name: &str) {
        let counts = matches!(name, "alloc_space" | "alloc_objects" | "contentions" | "delay");
        let pprof = |profile: &Arc<Profile>| profile.info.format == "pprof" && profile.info.duration_nanos.is_none();
        if counts && self.before.iter().chain(self.after).any(pprof) {
            let start = |side: &[Arc<Profile>]| {
                distinct(side, &|profile: &Profile| {
                    if profile.info.duration_nanos.is_some() { "for a time" } else { "since its start" }.to_owned()
                })
            };
            let sides = [start(self.before), start(self.after)];
            let text = "a process that ran longer has more; take both with ?seconds=N";
            self.add("counted", sides, Concern::Warning, text);
        }
    }

    /// Go cut stacks at 32 frames before 1.23 and cuts at 128 since; perf at 127. What is cut hangs at a wrong root.
    fn depths(&mut self) {
        let depths = [self.before, self.after].map(|side| side.iter().map(|profile| deepest(profile)).max().unwrap_or(0));
        let limits = [32, 64, 127, 128, 130];
        let [before, after] = depths;
        if before != after && (limits.contains(&before) || limits.contains(&after)) && before.max(after) > before.min(after) + 8 {
            let text = "one side's stacks were cut at a limit: cut ones hang under other roots";
            self.add("deepest stack", depths.map(|depth| format!("{depth} frames")), Concern::Warning, text);
        }
    }

    fn losses(&mut self) {
        for (what, kinds, text) in [
            ("lost events", &[kind::LOST_EVENTS][..], "lost events are missing from all numbers"),
            ("throttled", &[kind::THROTTLED], "while sampling was throttled, busy times are missing"),
            (
                "skipped",
                &[kind::NOT_UNDERSTOOD, kind::TRUNCATED, kind::CONTAINER_DAMAGED],
                "what could not be read is missing from all numbers",
            ),
            ("cut stacks", &[kind::CUT_STACKS], "cut stacks hang under other roots: compare self values"),
        ] {
            let count = |side: &[Arc<Profile>]| {
                let lost: u64 = side.iter().flat_map(|profile| kinds.iter().map(|kind| profile.notes.count(kind))).sum();
                let samples: usize = side.iter().map(|profile| profile.samples.len()).sum();
                (lost, lost as f64 > FEW * samples as f64)
            };
            let sides = [count(self.before), count(self.after)];
            if sides.iter().any(|(lost, _)| *lost > 0) {
                let concern = if sides.iter().any(|(_, many)| *many) { Concern::Warning } else { Concern::Info };
                self.add(what, sides.map(|(lost, _)| lost.to_string()), concern, text);
            }
        }
    }
}

/// The different texts of a side's captures, in their order. A capture without one is left out.
fn distinct(side: &[Arc<Profile>], of: &impl Fn(&Profile) -> String) -> String {
    let mut seen: Vec<String> = Vec::new();
    for text in side.iter().map(|profile| of(profile)).filter(|text| !text.is_empty()) {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join(", ")
}

/// perf's events with their rates, as the readers write them.
fn events(profile: &Profile) -> String {
    let facts = profile.info.facts.iter().filter(|(key, _)| key == "event");
    let events: Vec<&str> = facts.map(|(_, text)| text.split(", ").next().unwrap_or(text)).collect();
    events.join("; ")
}

/// How perf found the stacks.
fn unwinding(profile: &Profile) -> String {
    let text = profile.info.facts.iter().filter(|(key, _)| key == "event").map(|(_, text)| text.as_str());
    let ways: FxHashSet<&str> =
        text.flat_map(|text| ["copied user stacks", "call chains", "branch stacks"].into_iter().filter(|way| text.contains(way))).collect();
    let mut ways: Vec<&str> = ways.into_iter().collect();
    ways.sort_unstable();
    ways.join(" and ")
}

/// Build id of the first mapping: of the program itself in all formats that have mappings.
fn program(profile: &Profile) -> String {
    let first = profile.mappings.iter().find_map(|mapping| mapping.build_id);
    first.map(|id| profile.strings.get(id).to_owned()).unwrap_or_default()
}

/// Frames of the deepest stack.
fn deepest(profile: &Profile) -> usize {
    let mut depths: Vec<u32> = Vec::with_capacity(profile.stacks.len());
    for parent in profile.stacks.parents() {
        // A parent stands before its children.
        let above = parent.and_then(|parent| depths.get(parent.row()).copied()).unwrap_or(0);
        depths.push(above.saturating_add(1));
    }
    depths.into_iter().max().unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Sample};

    fn check(before: &[Arc<Profile>], after: &[Arc<Profile>], sample_type: (&str, &str), normalization: &Normalization) -> Vec<Difference> {
        let whole = |captures| Compared { captures, part: &crate::analysis::part::WHOLE };
        super::check(&whole(before), &whole(after), sample_type, normalization)
    }

    fn profile(edit: impl FnOnce(&mut Builder)) -> Vec<Arc<Profile>> {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        "pprof".clone_into(&mut builder.info.format);
        builder.info.duration_nanos = Some(30_000_000_000);
        builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), 10_000_000));
        builder.rows.sample(Sample::default(), &[1]);
        edit(&mut builder);
        vec![Arc::new(builder.finish())]
    }

    #[test]
    fn equal_captures_have_no_difference_but_that_they_are_one() {
        let found = check(&profile(|_| {}), &profile(|_| {}), ("cpu", "nanoseconds"), &Normalization::Absolute);
        assert_eq!(found.iter().map(|row| row.what).collect::<Vec<_>>(), ["same capture"]);
        let other = profile(|builder| builder.info.start_unix_nanos = Some(5));
        assert_eq!(check(&profile(|_| {}), &other, ("cpu", "nanoseconds"), &Normalization::Absolute), []);
        let twice = [profile(|_| {}), profile(|_| {})].concat();
        let found = check(&other, &twice, ("cpu", "nanoseconds"), &Normalization::Share);
        assert_eq!(found.iter().find(|row| row.what == "repeats").map(|row| row.after.as_str()), Some("a capture twice"));
    }

    #[test]
    fn parts_that_overlap_and_profiles_of_other_waiting_are_named() {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        for time in [0, 5, 9] {
            builder.rows.sample(Sample { time: Some(time), ..Sample::default() }, &[1]);
        }
        let one = vec![Arc::new(builder.finish())];
        let found = |before: &str, after: &str| {
            let parts = [before, after].map(|line| Part::parse_line(line).unwrap());
            let [before, after] = parts.each_ref().map(|part| Compared { captures: &one, part });
            let rows = super::check(&before, &after, ("cpu", "nanoseconds"), &Normalization::Share);
            rows.into_iter().find(|row| row.what == "overlap").map(|row| [row.before, row.after])
        };
        assert_eq!(found("time=0ns..6ns", "time=5ns.."), Some(["1 of 2 samples".to_owned(), "1 of 2 samples".to_owned()]));
        assert_eq!(found("time=0ns..5ns", "time=5ns.."), None);
        let waiting = |name: &str| {
            let mut builder = Builder::new([("contentions", "count"), ("delay", "nanoseconds")]);
            let function = Some(builder.function_named(name));
            let frame = builder.frame(crate::model::Frame { function, ..crate::model::Frame::default() });
            let stack = Some(builder.stack(None, frame));
            builder.rows.sample(Sample { stack, ..Sample::default() }, &[1, 1]);
            vec![Arc::new(builder.finish())]
        };
        let rows = check(&waiting("sync.(*Mutex).Unlock"), &waiting("runtime.chanrecv1"), ("delay", "nanoseconds"), &Normalization::Share);
        let row = rows.iter().find(|row| row.what == "contention").map(|row| (row.before.as_str(), row.after.as_str()));
        assert_eq!(row, Some(("a mutex profile", "a block profile")));
    }

    /// What differs, the sample type, the normalisation; the concern wanted for which row.
    #[test]
    fn each_difference_says_what_it_does_to_the_numbers() {
        let longer = |builder: &mut Builder| builder.info.duration_nanos = Some(60_000_000_000);
        let faster = |builder: &mut Builder| builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), 2_000_000));
        let kernel = |release: &str| {
            let fact = ("osrelease".to_owned(), release.to_owned());
            move |builder: &mut Builder| builder.info.facts.push(fact)
        };
        let cases = [
            (profile(longer), "cpu", Normalization::PerSecond, "duration", Concern::Scaled),
            (profile(longer), "cpu", Normalization::Absolute, "duration", Concern::Warning),
            (profile(longer), "inuse_space", Normalization::Absolute, "duration", Concern::Info),
            (profile(faster), "cpu", Normalization::Share, "period", Concern::Scaled),
            (
                profile(|builder| builder.notes.add(kind::LOST_EVENTS, "lost", 5, None)),
                "cpu",
                Normalization::Share,
                "lost events",
                Concern::Warning,
            ),
            (profile(|builder| builder.info.duration_nanos = None), "cpu", Normalization::Share, "duration", Concern::Warning),
        ];
        for (after, name, normalization, what, concern) in cases {
            let rows = check(&profile(|_| {}), &after, (name, "nanoseconds"), &normalization);
            let found: Vec<_> = rows.iter().map(|row| (row.what, row.concern)).collect();
            assert_eq!(found, [(what, concern)], "{name} {normalization:?}");
        }
        let rows = check(&profile(kernel("6.1")), &profile(kernel("6.12")), ("cpu", "nanoseconds"), &Normalization::Share);
        assert_eq!(rows.first().map(|row| (row.what, row.before.as_str(), row.after.as_str())), Some(("kernel", "6.1", "6.12")));
        assert_eq!(
            check(&profile(|_| {}), &profile(kernel("6.1")), ("cpu", "nanoseconds"), &Normalization::Share),
            [],
            "unknown is no difference"
        );
    }

    #[test]
    fn numbers_of_events_at_other_rates_do_not_compare() {
        let other = profile(|builder| builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), 4_000_000)));
        let rows = check(&profile(|_| {}), &other, ("samples", "count"), &Normalization::Share);
        assert_eq!(rows.first().map(|row| (row.what, row.concern)), Some(("period", Concern::Warning)));
    }

    #[test]
    fn swapped_sides_swap_the_columns_and_nothing_else() {
        let a = profile(|builder| builder.info.duration_nanos = Some(1));
        let b = profile(|builder| builder.notes.add(kind::THROTTLED, "throttled", 1, None));
        let forth = check(&a, &b, ("cpu", "nanoseconds"), &Normalization::Absolute);
        let mut back = check(&b, &a, ("cpu", "nanoseconds"), &Normalization::Absolute);
        for row in &mut back {
            std::mem::swap(&mut row.before, &mut row.after);
        }
        assert_eq!(forth, back);
    }
}
