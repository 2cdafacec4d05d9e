//! One shape with the weights of one or two sides: what every view is drawn from.
//!
//! A side is one capture or several repeats added up. Normalisation never changes the weights: it is a factor per side, and always
//! comes with the words that say what a normalised number is a part of.

use std::sync::Arc;

use super::call_tree::{self, CallTree, Direction, NodeId, StackNodes};
use super::events::{Evidence, evidence};
use super::filter::Filter;
use super::place::{Granularity, Places};
use super::prune;
use super::top::by_place;
use super::weigh::{Weights, weigh};
use crate::base::ticket::{Cancelled, Ticket};
use crate::model::{Profile, Scale, Unit, base_name, human};

/// The shape over some captures: everything that does not depend on sample type, time, threads or labels.
#[derive(Debug, Default)]
pub struct Shape {
    /// The places, in name order.
    pub places: Places,
    /// The tree.
    pub tree: CallTree,
    /// Per capture, the node of each stack row.
    pub nodes: Vec<StackNodes>,
    /// Per capture, how many samples stand here without frames that the capture asks to drop, see [`prune`].
    pub dropped_samples: Vec<u64>,
}

impl Shape {
    /// Puts the stacks of all captures into one shape.
    pub fn build(
        captures: &[Arc<Profile>],
        granularity: Granularity,
        direction: Direction,
        filter: &Filter,
        ticket: &Ticket,
    ) -> Result<Self, Cancelled> {
        let profiles: Vec<&Profile> = captures.iter().map(AsRef::as_ref).collect();
        let (places, frames) = Places::build(&profiles, granularity);
        let inputs: Vec<_> = profiles.iter().copied().zip(&frames).collect();
        let step = filter.step(&places);
        let dropped: Vec<Option<Vec<bool>>> =
            profiles.iter().map(|profile| if filter.all_frames { None } else { prune::hidden(profile) }).collect();
        let (tree, nodes) = call_tree::build_without(&inputs, &dropped, direction, &step, ticket)?;
        let lost = |(profile, dropped): (&&Profile, &Option<Vec<bool>>)| {
            dropped.as_ref().map_or(0, |dropped| prune::samples_with_hidden(profile, dropped))
        };
        let dropped_samples = profiles.iter().zip(&dropped).map(lost).collect();
        Ok(Self { places, tree, nodes, dropped_samples })
    }
}

/// Work done on the two sides, such as numbers of requests or requests per second: only their ratio and their unit matter.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "[f64; 2]", into = "[f64; 2]")]
pub struct Work {
    before: f64,
    after: f64,
}

impl Work {
    /// Work of before and after; `None` unless both are finite and above 0.
    pub fn new(before: f64, after: f64) -> Option<Self> {
        let sound = |number: f64| number.is_finite() && number > 0.0;
        (sound(before) && sound(after)).then_some(Self { before, after })
    }

    /// Work before and after.
    pub const fn sides(self) -> [f64; 2] {
        [self.before, self.after]
    }
}

impl TryFrom<[f64; 2]> for Work {
    type Error = &'static str;

    fn try_from([before, after]: [f64; 2]) -> Result<Self, Self::Error> {
        Self::new(before, after).ok_or("wanted two numbers above 0")
    }
}

impl From<Work> for [f64; 2] {
    fn from(work: Work) -> Self {
        work.sides()
    }
}

// Keys of results hold it: its numbers are finite, so equal bits are equal numbers.
impl PartialEq for Work {
    fn eq(&self, other: &Self) -> bool {
        self.sides().map(f64::to_bits) == other.sides().map(f64::to_bits)
    }
}

impl Eq for Work {}

impl std::hash::Hash for Work {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.sides().map(f64::to_bits).hash(state);
    }
}

/// How the numbers of two sides are made comparable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Part of each side's total.
    #[default]
    Share,
    /// Value per second of capture.
    PerSecond,
    /// Value per second of processor time of the same capture.
    PerCpuSecond,
    /// Value per request (or other unit of work), as many as the user says.
    PerRequest(Work),
    /// Values as they are.
    Absolute,
}

impl Normalization {
    /// All that need no numbers from the user, in the order of menus.
    pub const ALL: [Self; 4] = [Self::Share, Self::PerSecond, Self::PerCpuSecond, Self::Absolute];

    /// Stable name, as on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::PerSecond => "per-second",
            Self::PerCpuSecond => "per-cpu-second",
            Self::PerRequest(_) => "per-request",
            Self::Absolute => "absolute",
        }
    }

    /// Words for menus.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Share => "Share of total",
            Self::PerSecond => "Per second",
            Self::PerCpuSecond => "Per CPU-second",
            Self::PerRequest(_) => "Per request",
            Self::Absolute => "Absolute",
        }
    }

    /// What a normalised number is counted per: `/s`, `/CPU-s`, `/request`; empty for shares and absolute values.
    pub const fn per(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::PerCpuSecond => "/CPU-s",
            Self::PerRequest(_) => "/request",
            Self::Share | Self::Absolute => "",
        }
    }

    /// A normalised value as text: `12.3 %`, `24.3 ms/s`, `1.27 GiB`.
    pub fn text(self, normalized: f64, unit: &str) -> String {
        match self {
            Self::Share => percent(normalized),
            other => format!("{}{}", human(normalized, unit), other.per()),
        }
    }

    /// The normalisation of that name, of those that need no numbers.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|normalization| normalization.name() == name)
    }

    /// What fits a sample type of these captures best:
    /// - as they are: snapshots (in-use memory, goroutines, threads), and perf's recordings of programs that ran to their end, where the
    ///   work is the same and a longer run is a slower one;
    /// - per second: everything else where every capture has a duration;
    /// - as they are: counters since the start of a process, of which no rate can be had without one;
    /// - as a share of the total: the rest.
    pub fn fitting(sample_type: &str, captures: &[Arc<Profile>]) -> Self {
        let durations_known = captures.iter().all(|profile| profile.info.duration_nanos.is_some());
        match sample_type {
            "inuse_space" | "inuse_objects" | "space" | "objects" | "goroutine" | "threadcreate" | "goroutineleak" => Self::Absolute,
            _ if !captures.is_empty() && captures.iter().all(|profile| ran_to_its_end(profile)) => Self::Absolute,
            _ if durations_known => Self::PerSecond,
            "alloc_space" | "alloc_objects" | "contentions" | "delay" => Self::Absolute,
            _ => Self::Share,
        }
    }
}

/// True for a perf recording that began and ended with a program, as its command line says: perf attached to nothing that ran already,
/// and did not only sleep.
pub(super) fn ran_to_its_end(profile: &Profile) -> bool {
    let Some(line) = profile.info.fact("cmdline") else { return false };
    let mut words = line.split_whitespace().skip_while(|word| *word != "record").skip(1).peekable();
    let attaches = |word: &str| match word.strip_prefix("--") {
        Some(long) => ["all-cpus", "pid", "tid", "cpu", "uid", "all-cgroups"].contains(&long.split('=').next().unwrap_or(long)),
        None => word
            .strip_prefix('-')
            .is_some_and(|short| short.starts_with(['p', 't', 'C', 'u']) || short.chars().all(char::is_alphabetic) && short.contains('a')),
    };
    words.peek().is_some() && words.all(|word| base_name(word) != "sleep" && !attaches(word))
}

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// Sum over the side's captures, filtered.
    pub weights: Weights,
    /// Weights of each capture alone, for repeats; one entry for a single capture.
    pub captures: Vec<Weights>,
    /// Rows of [`Shape::nodes`] and of the profiles given, one per capture.
    pub rows: Vec<usize>,
    /// Total of all samples of the sample type, without any filter: what a share is a share of.
    pub total: i64,
    /// The same with absolute values: differs from `total` where values are negative.
    pub gross: u64,
    /// Length of the captures together, in nanoseconds, where all of them know it.
    pub duration_nanos: Option<i64>,
    /// Processor time of the captures together, in nanoseconds, where all of them have a sample type that says it; see [`cpu_nanos`].
    pub cpu_nanos: Option<f64>,
    /// Work that the user says was done on this side, with [`Normalization::PerRequest`].
    pub work: Option<f64>,
    /// Raw events behind the self values of each node, filtered as `weights`; empty columns where there is no other side to compare
    /// with.
    pub evidence: Evidence,
}

impl Side {
    /// What 100 % is: the gross total, which is the total where no value is negative.
    pub fn denominator(&self) -> f64 {
        self.gross as f64
    }
}

/// One or two sides over one shape.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Places, tree and the nodes of stacks.
    pub shape: Arc<Shape>,
    /// Before and after; or the one capture.
    pub sides: Vec<Side>,
    /// Sample type by name.
    pub sample_type: String,
    /// Its unit as written.
    pub unit: String,
    /// Decimals of the stored integers, the same on every side; see [`SampleType::decimals`](crate::model::SampleType::decimals).
    pub decimals: u8,
    /// How values are normalised.
    pub normalization: Normalization,
}

/// The captures of one side: rows of the slice of profiles given to [`compare`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SideInput {
    /// Rows of the profiles.
    pub captures: Vec<usize>,
}

/// Two captures that cannot be compared, and what would fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareError {
    /// Stopped by the user.
    Cancelled,
    /// A capture does not have the sample type in that unit: what was wanted, and what it has.
    NoSuchSampleType {
        /// The wanted `type/unit`.
        wanted: String,
        /// What the capture has.
        found: Vec<String>,
    },
}

impl From<Cancelled> for CompareError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl std::fmt::Display for CompareError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cancelled => f.write_str("cancelled"),
            Self::NoSuchSampleType { wanted, found } => {
                write!(f, "a capture has no sample type {wanted}; it has {}; choose one that both sides have", found.join(", "))
            }
        }
    }
}

impl std::error::Error for CompareError {}

/// Sample types that all captures have, by name and unit, in the first one's order.
pub fn common_sample_types(captures: &[Arc<Profile>]) -> Vec<(String, String)> {
    let Some((first, rest)) = captures.split_first() else { return Vec::new() };
    let has = |profile: &Profile, name: &str, unit: &str| profile.sample_types.iter().any(|kind| kind.name == name && kind.unit == unit);
    first
        .sample_types
        .iter()
        .filter(|kind| rest.iter().all(|profile| has(profile, &kind.name, &kind.unit)))
        .map(|kind| (kind.name.clone(), kind.unit.clone()))
        .collect()
}

/// Weighs one or two sides over a shape that was built from the same `captures`.
pub fn compare(
    shape: Arc<Shape>,
    captures: &[Arc<Profile>],
    sides: &[SideInput],
    sample_type: (&str, &str),
    filter: &Filter,
    normalization: Normalization,
    ticket: &Ticket,
) -> Result<Comparison, CompareError> {
    let (name, unit) = sample_type;
    ticket.stage("weighing", captures.len() as u64)?;
    // Text formats give each file as many decimals as it needs: all are brought to the finest, or 31.2 and 31.23 would be 312 and 3123.
    let decimals_of =
        |profile: &Profile| profile.sample_types.iter().find(|kind| kind.name == name && kind.unit == unit).map(|kind| kind.decimals);
    let decimals = captures.iter().filter_map(|profile| decimals_of(profile)).max().unwrap_or(0);
    let mut made = Vec::with_capacity(sides.len());
    for (at, input) in sides.iter().enumerate() {
        let work = match normalization {
            Normalization::PerRequest(work) => work.sides().get(at).copied(),
            _ => None,
        };
        let mut side = Side { rows: input.captures.clone(), duration_nanos: Some(0), cpu_nanos: Some(0.0), work, ..Side::default() };
        for &row in &input.captures {
            let (Some(profile), Some(nodes)) = (captures.get(row), shape.nodes.get(row)) else { continue };
            let column = profile.sample_types.iter().position(|kind| kind.name == name && kind.unit == unit);
            let column = column.ok_or_else(|| CompareError::NoSuchSampleType {
                wanted: format!("{name}/{unit}"),
                found: profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)).collect(),
            })?;
            let mut weights = weigh(&shape.tree, nodes, profile, column, filter, ticket)?;
            ticket.advance(1)?;
            let finer = 10_u32.pow(u32::from(decimals.saturating_sub(decimals_of(profile).unwrap_or(decimals))));
            if finer > 1 {
                weights.multiply(&shape.tree, finer);
            }
            if sides.len() > 1 {
                let mut evidence = evidence(&shape.tree, nodes, profile, column, filter, ticket)?;
                evidence.multiply_values(f64::from(finer));
                side.evidence.add(&evidence);
            }
            side.total = side.total.saturating_add(profile.total(column).saturating_mul(i64::from(finer)));
            side.gross = side.gross.saturating_add(profile.gross_total(column).saturating_mul(u64::from(finer)));
            side.duration_nanos = side.duration_nanos.zip(profile.info.duration_nanos).map(|(sum, nanos)| sum.saturating_add(nanos));
            side.cpu_nanos = side.cpu_nanos.zip(cpu_nanos(profile)).map(|(sum, nanos)| sum + nanos);
            if side.captures.is_empty() {
                side.weights = weights.clone();
            } else {
                side.weights.add(&weights);
            }
            side.captures.push(weights);
        }
        side.duration_nanos = side.duration_nanos.filter(|&nanos| nanos > 0);
        side.cpu_nanos = side.cpu_nanos.filter(|&nanos| nanos > 0.0);
        made.push(side);
    }
    Ok(Comparison { shape, sides: made, sample_type: name.to_owned(), unit: unit.to_owned(), decimals, normalization })
}

/// True for sample types that are processor time: `cpu`, and perf's software clocks with or without modifiers.
pub(crate) fn counts_cpu(sample_type: &str) -> bool {
    matches!(sample_type.split(':').next(), Some("cpu" | "cpu-clock" | "task-clock"))
}

/// True where [`cpu_nanos`] has something to give; looks at no samples.
pub fn has_cpu_time(profile: &Profile) -> bool {
    profile.sample_types.iter().any(|kind| counts_cpu(&kind.name) && matches!(Unit::parse(&kind.unit), Unit::Time(_)) && kind.records > 0)
}

/// Processor time that a capture holds, in nanoseconds: the sum of `cpu` or of perf's software clocks, all samples. `None` for captures
/// without either.
pub fn cpu_nanos(profile: &Profile) -> Option<f64> {
    let (row, factor) = profile.sample_types.iter().enumerate().find_map(|(row, kind)| match Unit::parse(&kind.unit) {
        Unit::Time(factor) if counts_cpu(&kind.name) => Some((row, factor)),
        _ => None,
    })?;
    let kind = profile.sample_types.get(row)?;
    Some(kind.in_unit(profile.total(row) as f64) * factor)
}

impl Comparison {
    /// The tree.
    pub fn tree(&self) -> &CallTree {
        &self.shape.tree
    }

    /// The places.
    pub fn places(&self) -> &Places {
        &self.shape.places
    }

    /// The side shown alone, or after.
    pub fn last(&self) -> Option<&Side> {
        self.sides.last()
    }

    /// Before and after, where there are two sides.
    pub fn pair(&self) -> Option<(&Side, &Side)> {
        match self.sides.as_slice() {
            [before, after] => Some((before, after)),
            _ => None,
        }
    }

    /// The normalisation in effect: the chosen one, or `Absolute`-per-capture rules where a side lacks what it needs (per second
    /// without durations, per CPU-second without processor time: share).
    pub fn effective_normalization(&self) -> Normalization {
        let known = match self.normalization {
            Normalization::PerSecond => self.sides.iter().all(|side| side.duration_nanos.is_some()),
            Normalization::PerCpuSecond => self.sides.iter().all(|side| side.cpu_nanos.is_some()),
            // The work of a lone capture says nothing: two numbers were given for two sides.
            Normalization::PerRequest(_) => self.sides.len() == 2 && self.sides.iter().all(|side| side.work.is_some()),
            Normalization::Share | Normalization::Absolute => true,
        };
        if known { self.normalization } else { Normalization::Share }
    }

    /// What a value of a side is multiplied by: gives shares of 1, units per second, or units per capture.
    pub fn factor(&self, side: &Side) -> f64 {
        let per = match self.effective_normalization() {
            Normalization::Share => side.denominator(),
            Normalization::PerSecond => side.duration_nanos.map_or(0.0, |nanos| nanos as f64 / 1e9) * self.stored_per_unit(),
            Normalization::PerCpuSecond => side.cpu_nanos.map_or(0.0, |nanos| nanos / 1e9) * self.stored_per_unit(),
            Normalization::PerRequest(_) => side.work.unwrap_or(0.0) * self.stored_per_unit(),
            // Repeats are averaged, so that three runs against one do not look like three times the cost.
            Normalization::Absolute => side.captures.len() as f64 * self.stored_per_unit(),
        };
        if per > 0.0 { 1.0 / per } else { 0.0 }
    }

    /// Stored integers to one of `unit`: 1 but for sample types with decimals.
    fn stored_per_unit(&self) -> f64 {
        10_f64.powi(i32::from(self.decimals))
    }

    /// A stored value (or a sum of stored values) in `unit`.
    pub fn in_unit(&self, stored: f64) -> f64 {
        stored / self.stored_per_unit()
    }

    /// A stored value as text, not normalised: `24.3 s`.
    pub fn value_text(&self, stored: i64) -> String {
        human(self.in_unit(stored as f64), &self.unit)
    }

    /// How a column of stored values, not normalised, is written; `largest` is the largest of them.
    pub fn value_scale(&self, largest: i64) -> Scale {
        Scale::fitting(self.in_unit(largest as f64), &self.unit, 1.0 / self.stored_per_unit())
    }

    /// How a column of normalised values is written; `largest` is the largest of them.
    pub fn scale(&self, largest: f64) -> Scale {
        let averaged = self.sides.iter().any(|side| side.captures.len() > 1);
        match self.effective_normalization() {
            Normalization::Share => Scale::percent(),
            rate @ (Normalization::PerSecond | Normalization::PerCpuSecond | Normalization::PerRequest(_)) => {
                Scale::fitting(largest, &self.unit, 0.0).per(rate.per())
            }
            Normalization::Absolute => Scale::fitting(largest, &self.unit, if averaged { 0.0 } else { 1.0 / self.stored_per_unit() }),
        }
    }

    /// What siblings are ordered by and heavy paths follow: the larger of the normalised totals of the sides, without sign.
    pub fn weight_of(&self, node: NodeId) -> f64 {
        self.sides.iter().map(|side| self.total_of(side, node).abs()).fold(0.0, f64::max)
    }

    /// Work of after divided by work of before, as the normalisation sees it: unchanged code has a raw ratio of exactly this.
    pub fn exposure(&self) -> f64 {
        match self.pair() {
            Some((before, after)) if self.factor(after) > 0.0 => self.factor(before) / self.factor(after),
            _ => 1.0,
        }
    }

    /// A normalised value as text: `12.3 %`, `24.3 s/s`, `1.27 GiB`.
    pub fn text(&self, normalized: f64) -> String {
        self.effective_normalization().text(normalized, &self.unit)
    }

    /// What the shown numbers are a part of, for the status line: `100 % = 24.3 s cpu`, `per second of capture (Before 20.0 s, After
    /// 30.0 s)`.
    pub fn denominator_text(&self) -> String {
        let whole = |side: &Side| format!("{} {}", human(self.in_unit(side.denominator()), &self.unit), self.sample_type);
        let length = |side: &Side| side.duration_nanos.map_or_else(|| "unknown".to_owned(), |nanos| human(nanos as f64, "ns"));
        match (self.pair(), self.effective_normalization()) {
            (None, _) => self.last().map_or_else(String::new, |side| format!("100 % = {}", whole(side))),
            (Some((before, after)), Normalization::Share) => format!("100 % = {} of Before, {} of After", whole(before), whole(after)),
            (Some((before, after)), Normalization::PerSecond) => {
                format!("per second of capture (Before {}, After {})", length(before), length(after))
            }
            (Some((before, after)), Normalization::PerCpuSecond) => {
                let time = |side: &Side| side.cpu_nanos.map_or_else(|| "unknown".to_owned(), |nanos| human(nanos, "ns"));
                format!("per second of processor time (Before {}, After {})", time(before), time(after))
            }
            (Some(_), Normalization::PerRequest(work)) => {
                let [before, after] = work.sides();
                format!("per request (Before {before}, After {after}, as entered)")
            }
            (Some((before, after)), Normalization::Absolute) => match (before.captures.len(), after.captures.len()) {
                (1, 1) => "absolute values".to_owned(),
                (before, after) => format!("mean of the captures of a side (Before {before}, After {after})"),
            },
        }
    }

    /// Normalised self value of a node on a side.
    pub fn self_of(&self, side: &Side, node: NodeId) -> f64 {
        side.weights.self_of(node) as f64 * self.factor(side)
    }

    /// Normalised total of a node on a side.
    pub fn total_of(&self, side: &Side, node: NodeId) -> f64 {
        side.weights.total_of(node) as f64 * self.factor(side)
    }

    /// Raw self and total per place row, one pair per side.
    pub fn by_place(&self) -> Vec<(Vec<i64>, Vec<i64>)> {
        self.sides.iter().map(|side| by_place(self.tree(), self.places(), &side.weights)).collect()
    }
}

/// A share of 1 as text with three significant digits: `12.3 %`, `0.0420 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let size = percent.abs();
    if size >= 99.95 {
        format!("{percent:.0} %")
    } else if size >= 10.0 {
        format!("{percent:.1} %")
    } else if size >= 0.1 || size == 0.0 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.4} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_of_programs_that_ended_are_compared_as_they_are() {
        for (line, fitting) in [
            ("/usr/bin/perf record -g -o x.data -- ./indexer 3500", Normalization::Absolute),
            ("perf record -F 99 ./indexer", Normalization::Absolute),
            ("perf record -F 99 -ag -- sleep 30", Normalization::PerSecond),
            ("perf record -g -p 4711", Normalization::PerSecond),
            ("perf record --pid=4711", Normalization::PerSecond),
            ("perf record -g sleep 5", Normalization::PerSecond),
            ("", Normalization::PerSecond),
        ] {
            let mut profile = Profile::default();
            profile.info.duration_nanos = Some(1);
            profile.info.facts.push(("cmdline".to_owned(), line.to_owned()));
            assert_eq!(Normalization::fitting("cycles", &[Arc::new(profile)]), fitting, "{line}");
        }
    }

    /// 8 s of processor time before and 12 s after, over 10 s and 20 s of capture, for 400 and 500 requests.
    #[test]
    fn each_normalisation_divides_by_what_it_says() {
        let side = |cpu_nanos: i64, duration_nanos| {
            let mut builder = crate::model::Builder::new([("cpu", "nanoseconds")]);
            builder.info.duration_nanos = Some(duration_nanos);
            builder.rows.sample(crate::model::Sample::default(), &[cpu_nanos]);
            Arc::new(builder.finish())
        };
        let captures = [side(8_000_000_000, 10_000_000_000), side(12_000_000_000, 20_000_000_000)];
        let ticket = Ticket::new();
        let none = Filter::default();
        let shape = Arc::new(Shape::build(&captures, Granularity::Function, Direction::TopDown, &none, &ticket).unwrap());
        let sides = [SideInput { captures: vec![0] }, SideInput { captures: vec![1] }];
        let work = Work::new(400.0, 500.0).unwrap();
        for (normalization, expected, words) in [
            (Normalization::Share, [1.0, 1.0], "100 % = 8 s cpu of Before, 12 s cpu of After"),
            (Normalization::PerSecond, [8e8, 6e8], "per second of capture (Before 10 s, After 20 s)"),
            (Normalization::PerCpuSecond, [1e9, 1e9], "per second of processor time (Before 8 s, After 12 s)"),
            (Normalization::PerRequest(work), [2e7, 2.4e7], "per request (Before 400, After 500, as entered)"),
            (Normalization::Absolute, [8e9, 12e9], "absolute values"),
        ] {
            let made = compare(Arc::clone(&shape), &captures, &sides, ("cpu", "nanoseconds"), &none, normalization, &ticket).unwrap();
            let found: Vec<f64> = made.sides.iter().map(|side| made.factor(side) * side.denominator()).collect();
            assert!(
                found.iter().zip(expected).all(|(found, expected)| (found / expected - 1.0).abs() < 1e-12),
                "{normalization:?}: {found:?}"
            );
            assert_eq!(made.denominator_text(), words);
            assert!((made.exposure() - made.factor(&made.sides[0]) / made.factor(&made.sides[1])).abs() < 1e-12);
        }
        assert_eq!((Work::new(0.0, 1.0), Work::new(f64::NAN, 1.0)), (None, None));
    }
}
