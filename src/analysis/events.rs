//! How many raw events stand behind the values of a capture.
//!
//! A value says what something costs; how sure the value is depends on how many events were seen. Each kind of profile hides that
//! number differently (Go multiplies heap values up, contention counts by a fraction it does not store). Start reading at [`events`].

use super::call_tree::{CallTree, StackNodes, node_of};
use super::filter::Chosen;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::model::{LabelValue, Profile, SampleType, Unit};

/// Where the number of events was taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// A column of the capture counts its samples.
    Samples,
    /// Value over the sampling period.
    Period,
    /// Each record is one event.
    Records,
    /// Heap objects, brought back to what the sampling saw: objects × (1 − e^(−size / rate)).
    HeapObjects,
    /// Contentions over the fraction by which Go multiplied them: their greatest common divisor.
    Contentions,
    /// Everything that exists was counted: nothing was sampled. What is counted of one moment (goroutines, threads) is another number at another moment
    /// all the same. One capture a side says nothing of how much, so it is taken to come and go one by one, as requests in flight do: their number at a
    /// moment is Poisson's, as a sampled count's. Repeats say of each place what it varies by; then that is taken, and nothing for sampling.
    Census,
    /// The values are counts themselves, or whole multiples of a period.
    Counts,
    /// Not known; each record counts as one event, which understates the evidence.
    #[default]
    Unknown,
}

impl Basis {
    /// What a person reads beside a number of events.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Samples => "samples, as the capture counts them",
            Self::Period => "samples: value over sampling period",
            Self::Records => "recorded samples",
            Self::HeapObjects => "sampled allocations, recovered from sizes and sampling rate",
            Self::Contentions => "recorded contentions; the sampling fraction is taken as their greatest common divisor",
            Self::Census => {
                "a complete count: nothing was sampled; from moment to moment it varies as its repeats do, or without repeats as what comes and goes one by one"
            }
            Self::Counts => "the counts themselves",
            Self::Unknown => "unknown; each record counts as one event",
        }
    }

    /// How much more than its parts let expect the whole varies from run to run, as a coefficient of variation, where single captures are all that is known:
    /// time spent waiting in one Go service under one load was 1 to 144 ms a second.
    pub const fn whole_noise(self) -> f64 {
        match self {
            Self::Contentions => 1.0,
            _ => 0.0,
        }
    }

    /// How much the cost of unchanged code varies from run to run beyond sampling, as a coefficient of variation, before the captures
    /// themselves say anything. Contention and live heap come in bursts and phases; CPU time hardly varies.
    pub const fn run_noise(self, sample_type_is_in_use: bool) -> f64 {
        match self {
            Self::Contentions => 0.15,
            Self::HeapObjects if sample_type_is_in_use => 0.15,
            Self::Census => 0.10,
            _ => 0.05,
        }
    }
}

/// Raw events behind each sample of one sample type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// One entry per sample; 0 where it has no value of the type.
    pub per_sample: Vec<f64>,
    /// Where they were taken from.
    pub basis: Basis,
    /// Squared coefficient of variation of the cost of single events of one sample: 0 where every event costs the same.
    pub spread: f64,
}

/// Recovers the events behind the values of a sample type.
pub fn events(profile: &Profile, sample_type: usize) -> Events {
    let Some(kind) = profile.sample_types.get(sample_type) else { return Events::default() };
    let values = profile.samples.values(sample_type);
    let column = |name: &str| profile.sample_types.iter().position(|kind| kind.name == name);
    let of = |per_sample: Vec<f64>, basis| Events { per_sample, basis, spread: 0.0 };
    let sizes = |value: &i64| value.unsigned_abs() as f64;
    match kind.name.as_str() {
        "goroutine" | "threadcreate" | "goroutineleak" => return of(values.iter().checked().map(sizes).collect(), Basis::Census),
        "contentions" | "delay" => {
            if let Some(contentions) = column("contentions") {
                let counts = profile.samples.values(contentions);
                let fraction = divisor(counts).max(1) as f64;
                let per_sample =
                    counts.iter().zip(values).checked().map(|(count, value)| if *value == 0 { 0.0 } else { sizes(count) / fraction });
                // Delays of single events are not kept; exponential ones have the square of their variation at 1.
                let spread = if kind.name == "delay" { 1.0 } else { 0.0 };
                return Events { per_sample: per_sample.collect(), basis: Basis::Contentions, spread };
            }
        }
        _ => {}
    }
    if let Some(per_sample) = heap(profile, kind, sample_type) {
        return of(per_sample, Basis::HeapObjects);
    }
    // Every instruction, cache miss or branch was counted.
    if profile.info.format == "callgrind" {
        return of(values.iter().checked().map(sizes).collect(), Basis::Census);
    }
    if profile.info.format.starts_with("perf") || profile.info.format == "jfr" {
        return of(values.iter().checked().map(|value| f64::from(*value != 0)).collect(), Basis::Records);
    }
    let is_count = |kind: &SampleType| Unit::parse(&kind.unit) == Unit::Count;
    if let Some(samples) = column("samples").filter(|&row| row != sample_type && profile.sample_types.get(row).is_some_and(is_count)) {
        let counts = profile.samples.values(samples);
        let per_sample = counts.iter().zip(values).checked().map(|(count, value)| if *value == 0 { 0.0 } else { sizes(count).max(1.0) });
        return of(per_sample.collect(), Basis::Samples);
    }
    if let Some((_, _, period)) = profile.info.period.as_ref().filter(|(_, unit, period)| *period > 1 && *unit == kind.unit) {
        let scale = *period as f64;
        return of(values.iter().checked().map(|value| (sizes(value) / scale).max(f64::from(*value != 0))).collect(), Basis::Period);
    }
    if is_count(kind) || profile.info.format == "folded" {
        if kind.decimals > 0 {
            return of(values.iter().checked().map(|value| kind.in_unit(sizes(value))).collect(), Basis::Counts);
        }
        // A period divides all values; that a few small counts have a common divisor is chance.
        let common = Some(divisor(values)).filter(|&common| common >= 1000).unwrap_or(1) as f64;
        let counts: Vec<f64> = values.iter().checked().map(|value| sizes(value) / common).collect();
        // Times and cycles written as plain numbers have millions of units per record.
        let records = values.iter().checked().filter(|value| **value != 0).count().max(1) as f64;
        if kind.name == "samples" && profile.info.format != "folded" || counts.iter().sum::<f64>() / records <= 1e6 {
            return of(counts, Basis::Counts);
        }
    }
    of(values.iter().checked().map(|value| f64::from(*value != 0)).collect(), Basis::Unknown)
}

/// Greatest common divisor of all values; 0 where all are 0.
fn divisor(values: &[i64]) -> u64 {
    let mut common = 0_u64;
    for value in values {
        let (mut a, mut b) = (common, value.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        common = a;
        if common == 1 {
            break;
        }
    }
    common
}

/// Go's heap profiles: values were divided by the probability that an object of this size is sampled at all (`runtime/pprof`,
/// `scaleHeapSample`), so the sampled number comes back by multiplying with it.
fn heap(profile: &Profile, kind: &SampleType, sample_type: usize) -> Option<Vec<f64>> {
    let (space, objects) = match kind.name.as_str() {
        "alloc_space" | "alloc_objects" => ("alloc_space", "alloc_objects"),
        "inuse_space" | "inuse_objects" => ("inuse_space", "inuse_objects"),
        "space" | "objects" => ("space", "objects"),
        _ => return None,
    };
    let column = |name: &str| profile.sample_types.iter().position(|kind| kind.name == name);
    let (space, objects) = (profile.samples.values(column(space)?), profile.samples.values(column(objects)?));
    let rate = heap_rate(profile);
    let sizes = sizes_of_label_sets(profile);
    let values = profile.samples.values(sample_type);
    let rows = values.iter().zip(objects).zip(space).zip(profile.samples.labels()).checked();
    Some(
        rows.map(|(((value, objects), space), labels)| {
            let (objects, space) = (objects.unsigned_abs() as f64, space.unsigned_abs() as f64);
            if *value == 0 || objects <= 0.0 {
                return f64::from(*value != 0);
            }
            let labelled = labels.and_then(|set| sizes.get(set.row()).copied().flatten());
            let size = labelled.unwrap_or(space / objects);
            let seen = if rate > 1.0 { -(-size / rate).exp_m1() } else { 1.0 };
            // A row is in the file because it was seen at least once.
            (objects * seen).max(1.0)
        })
        .collect(),
    )
}

/// Bytes between two sampled allocations; 0 where the profile does not say.
fn heap_rate(profile: &Profile) -> f64 {
    profile.info.period.as_ref().filter(|(kind, _, _)| kind == "space").map_or(0.0, |&(_, _, rate)| rate as f64)
}

/// Object size of each label set: the numeric label `bytes`.
fn sizes_of_label_sets(profile: &Profile) -> Vec<Option<f64>> {
    let size = |label: &crate::model::Label| match label.value {
        LabelValue::Number(number, _) if &profile.strings[label.key] == "bytes" && number > 0 => Some(number as f64),
        _ => None,
    };
    profile.label_sets.iter().checked().map(|set| set.iter().find_map(size)).collect()
}

/// What stands behind the self values of the nodes of one tree: enough for the variance of any sum of nodes.
///
/// A group of nodes with value V (the sum of their self values) and squares Q has V² / Q effective events (Kish): its sum varies as
/// if it had been counted in that many events of equal cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Raw events per node, self.
    pub events: Vec<f64>,
    /// Sum over the events of their squared cost, per node, self.
    pub squares: Vec<f64>,
    /// All events, filtered.
    pub total_events: f64,
    /// Where the events were taken from.
    pub basis: Basis,
    /// Bytes between two sampled allocations, where heap objects are the events; 0 where that is not known.
    pub heap_rate: f64,
}

impl Evidence {
    /// Counts costs in a smaller unit, `factor` of which make one of the old: as many events, each of `factor` times the number.
    pub(super) fn multiply_values(&mut self, factor: f64) {
        self.squares.iter_mut().checked().for_each(|square| *square *= factor * factor);
    }

    /// Adds the evidence of another capture over the same tree.
    pub fn add(&mut self, other: Self) {
        if self.events.is_empty() {
            *self = other;
            return;
        }
        let other = Unfinished::new(other);
        self.events.iter_mut().zip(&other.events).checked().for_each(|(mine, theirs)| *mine += theirs);
        self.squares.iter_mut().zip(&other.squares).checked().for_each(|(mine, theirs)| *mine += theirs);
        self.total_events += other.total_events;
        self.heap_rate = self.heap_rate.max(other.heap_rate);
        if self.basis != other.basis {
            self.basis = Basis::Unknown;
        }
    }
}

/// Events of contention that come together, on average.
const BUNCH: f64 = 3.0;

/// Events and squares per node of one capture, over the same samples that [`weigh`](super::weigh::weigh) adds up.
pub fn evidence(
    tree: &CallTree,
    nodes: &StackNodes,
    profile: &Profile,
    sample_type: usize,
    chosen: &Chosen<'_>,
    ticket: &Ticket,
) -> Result<Evidence, Cancelled> {
    ticket.check()?;
    let behind = events(profile, sample_type);
    // Who waits for a lock waits together with others: events of contention come in bunches.
    let bunch = if behind.basis == Basis::Contentions { BUNCH } else { 1.0 };
    let zeros = || vec![0.0; tree.len()];
    let mut made = Unfinished::new(Evidence {
        events: zeros(),
        squares: zeros(),
        total_events: 0.0,
        basis: behind.basis,
        heap_rate: heap_rate(profile),
    });
    let rows = profile.samples.values(sample_type).iter().zip(&behind.per_sample).zip(profile.samples.stacks());
    for (row, ((&value, &count), &stack)) in rows.enumerate().checked() {
        if value == 0 || count <= 0.0 || !chosen.has(row) {
            continue;
        }
        let node = node_of(nodes, stack).row();
        let value = value as f64;
        // Both columns have one entry per node of the tree that `nodes` names.
        made.events[node] += count;
        made.squares[node] += value * value / count * (1.0 + behind.spread) * bunch;
        made.total_events += count;
    }
    Ok(made.keep())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Label, Sample};

    /// A profile without stacks: sample types, period, and per sample its values and `bytes` label.
    fn profile(types: &[(&str, &str)], period: (&str, &str, i64), rows: &[(&[i64], Option<i64>)]) -> Profile {
        let mut builder = Builder::new(types.iter().copied());
        builder.info.period = Some((period.0.to_owned(), period.1.to_owned(), period.2));
        let key = builder.string("bytes");
        for (values, size) in rows {
            let label = size.map(|size| Label { key, value: LabelValue::Number(size, None) });
            let labels = builder.rows.label_set(label.as_slice());
            builder.rows.sample(Sample { labels, ..Sample::default() }, values);
        }
        builder.finish()
    }

    const CPU: [(&str, &str); 2] = [("samples", "count"), ("cpu", "nanoseconds")];
    const HEAP: [(&str, &str); 4] =
        [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    const LOCKS: [(&str, &str); 2] = [("contentions", "count"), ("delay", "nanoseconds")];

    #[test]
    fn cpu_events_are_the_samples_column_or_the_value_over_the_period() {
        let with = profile(&CPU, ("cpu", "nanoseconds", 10_000_000), &[(&[3, 30_000_000], None), (&[0, 0], None)]);
        assert_eq!(events(&with, 1), Events { per_sample: vec![3.0, 0.0], basis: Basis::Samples, spread: 0.0 });
        let without = profile(&[("cpu", "nanoseconds")], ("cpu", "nanoseconds", 10_000_000), &[(&[30_000_000], None)]);
        assert_eq!(events(&without, 0), Events { per_sample: vec![3.0], basis: Basis::Period, spread: 0.0 });
    }

    /// Go's rule written out: objects in the file = sampled objects / (1 − e^(−size / rate)).
    #[test]
    fn heap_events_are_the_sampled_objects() {
        let rate = 524_288.0_f64;
        for (size, sampled) in [(16.0, 2.0), (4096.0, 40.0), (524_288.0, 7.0), (50_000_000.0, 3.0)] {
            let objects = (sampled / (1.0 - (-size / rate).exp())).round();
            let values = [objects as i64, (objects * size) as i64, 0, 0];
            for label in [Some(size as i64), None] {
                let heap = profile(&HEAP, ("space", "bytes", 524_288), &[(&values, label)]);
                for sample_type in 0..2 {
                    let found = events(&heap, sample_type);
                    assert_eq!(found.basis, Basis::HeapObjects);
                    assert!((found.per_sample[0] - sampled).abs() < 0.02 * sampled, "{size} bytes: {:?}", found.per_sample);
                }
                assert!(events(&heap, 3).per_sample[0] < f64::EPSILON, "nothing is in use");
            }
        }
    }

    #[test]
    fn contentions_lose_the_fraction_by_which_they_were_multiplied() {
        let locks = profile(&LOCKS, ("contentions", "count", 1), &[(&[15, 700], None), (&[35, 900], None), (&[5, 0], None)]);
        assert_eq!(events(&locks, 0), Events { per_sample: vec![3.0, 7.0, 1.0], basis: Basis::Contentions, spread: 0.0 });
        assert_eq!(events(&locks, 1), Events { per_sample: vec![3.0, 7.0, 0.0], basis: Basis::Contentions, spread: 1.0 });
    }

    #[test]
    fn counts_are_events_and_times_without_a_count_are_not() {
        let mut folded = profile(&[("samples", "count")], ("", "", 0), &[(&[4], None), (&[6], None)]);
        folded.info.format = "folded".to_owned();
        assert_eq!(events(&folded, 0), Events { per_sample: vec![4.0, 6.0], basis: Basis::Counts, spread: 0.0 });
        let mut periods = profile(&[("samples", "count")], ("", "", 0), &[(&[20_202_020], None), (&[30_303_030], None)]);
        periods.info.format = "folded".to_owned();
        assert_eq!(events(&periods, 0).per_sample, [2.0, 3.0]);
        let times = profile(&[("off_cpu", "microseconds")], ("", "", 0), &[(&[40_001], None), (&[0], None), (&[7], None)]);
        assert_eq!(events(&times, 0), Events { per_sample: vec![1.0, 0.0, 1.0], basis: Basis::Unknown, spread: 0.0 });
        let perf = profile(&[("cycles", "cycles")], ("", "", 0), &[(&[1_000_003], None), (&[7], None)]);
        let perf = Profile { info: crate::model::Info { format: "perf-data".to_owned(), ..perf.info.clone() }, ..perf };
        assert_eq!(events(&perf, 0), Events { per_sample: vec![1.0, 1.0], basis: Basis::Records, spread: 0.0 });
    }

    #[test]
    fn saved_differences_have_events_too() {
        let saved = profile(&CPU, ("cpu", "nanoseconds", 10), &[(&[-3, -30], None)]);
        assert_eq!(events(&saved, 1).per_sample, [3.0]);
    }
}
