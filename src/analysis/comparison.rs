//! One shape with the weights of one or two sides: what every view is drawn from.
//!
//! A side is one capture or several repeats added up. Normalisation never changes the weights: it is a factor per side, and always
//! comes with the words that say what a normalised number is a part of.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::call_tree::{self, CallTree, Direction, NodeId, StackNodes};
use super::events::{Evidence, evidence};
use super::filter::{Chosen, Filter};
use super::matching::{self, Matching, Naming};
use super::part::Part;
use super::place::{FramePlaces, Granularity, Places};
use super::prune;
use super::slices::{Slices, slices};
use super::top::by_place;
use super::transform::{Transformed, by_places};
use super::weigh::{Weights, weigh};
use super::work::Amount;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Cancelled, Checked as _, Ticket, both};
use crate::model::{Profile, SampleType, Scale, Unit, human, human_of};

pub use super::normalize::Normalization;
pub use super::work::{Amounts, Marker, Work};

/// The shape over some captures: everything that does not depend on sample type, time, threads or labels.
#[derive(Debug, Default)]
pub struct Shape {
    /// The places, in name order; trees made of this one share them.
    pub places: Arc<Places>,
    /// The tree.
    pub tree: CallTree,
    /// Per capture, the node of each stack row.
    pub nodes: Vec<StackNodes>,
    /// Per capture, the place of each frame row, before transforms.
    pub frames: Vec<Arc<FramePlaces>>,
    /// Per capture, the stack rows whose samples the shape holds, see [`Transformed::samples`]; the samples of the others count nowhere.
    pub samples: Vec<Option<Vec<bool>>>,
    /// Per capture, how many samples stand here without frames that the capture asks to drop, see [`prune`].
    pub dropped_samples: Vec<u64>,
    /// Which names of the two sides were put together.
    pub matching: Arc<Matching>,
}

impl Shape {
    /// The stack rows of a capture whose samples count; `None` = all.
    pub fn samples_of(&self, capture: usize) -> Option<&[bool]> {
        self.samples.get(capture).and_then(|samples| samples.as_deref())
    }

    /// Puts the stacks of all captures into one shape, by equal names.
    pub fn build(
        captures: &[Arc<Profile>],
        granularity: Granularity,
        direction: Direction,
        filter: &Filter,
        ticket: &Ticket,
    ) -> Result<Self, Cancelled> {
        Self::build_matched(captures, &[], &Naming::default(), granularity, direction, filter, ticket)
    }

    /// The same with the names of two sides matched across builds, see [`matching`].
    pub fn build_matched(
        captures: &[Arc<Profile>],
        sides: &[SideInput],
        naming: &Naming,
        granularity: Granularity,
        direction: Direction,
        filter: &Filter,
        ticket: &Ticket,
    ) -> Result<Self, Cancelled> {
        ticket.stage("naming functions", 0)?;
        // Two parts of one capture are two sides with the same stacks.
        let mut profiles: Vec<&Profile> = Vec::with_capacity(captures.len());
        let mut rows = Vec::with_capacity(captures.len());
        for capture in captures {
            let known = profiles.iter().position(|&profile| std::ptr::eq(profile, capture.as_ref()));
            rows.push(known.unwrap_or(profiles.len()));
            if known.is_none() {
                profiles.push(capture);
            }
        }
        let (places, mut frames) = Places::build(&profiles, granularity);
        let of_side = |side: &SideInput| SideInput::whole(side.captures.iter().filter_map(|&row| rows.get(row).copied()));
        let sides: Vec<SideInput> = sides.iter().map(of_side).collect();
        let (places, matching) = matching::join(places, &mut frames, &profiles, &sides, naming, granularity);
        let inputs: Vec<_> = profiles.iter().copied().zip(&frames).collect();
        let dropped: Vec<Option<Vec<bool>>> =
            profiles.iter().map(|profile| if filter.all_frames { None } else { prune::hidden(profile) }).collect();
        let lost = |(profile, dropped): (&&Profile, &Option<Vec<bool>>)| {
            dropped.as_ref().map_or(0, |dropped| prune::samples_with_hidden(profile, dropped))
        };
        let lost: Vec<u64> = profiles.iter().zip(&dropped).map(lost).collect();
        let transformed = inputs.iter().zip(dropped).map(|(&(profile, of), dropped)| by_places(profile, filter, (&places, of), dropped));
        let transformed: Vec<Option<Transformed>> = transformed.collect();
        let (tree, nodes) = call_tree::build_transformed(&inputs, &transformed, direction, ticket)?;
        let (tree, nodes) = (Unfinished::new(tree), Unfinished::new(nodes));
        let samples: Vec<Option<Vec<bool>>> = transformed.into_iter().map(|rows| rows.and_then(|rows| rows.samples)).collect();
        let (places, matching) = (Arc::new(places), Arc::new(matching));
        let frames: Vec<Arc<FramePlaces>> = frames.into_iter().map(Arc::new).collect();
        if rows.len() == profiles.len() {
            return Ok(Self { places, tree: tree.keep(), nodes: nodes.keep(), frames, samples, dropped_samples: lost, matching });
        }
        let frames = rows.iter().map(|&row| frames.get(row).cloned().unwrap_or_default()).collect();
        let samples = rows.iter().map(|&row| samples.get(row).cloned().flatten()).collect();
        let each = |row: usize| (nodes.get(row).cloned().unwrap_or_default(), lost.get(row).copied().unwrap_or_default());
        let (nodes, dropped_samples) = rows.into_iter().map(each).unzip();
        Ok(Self { places, tree: tree.keep(), nodes, frames, samples, dropped_samples, matching })
    }
}

/// What one capture of a side holds in the side's part, whatever the filters of the view say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Sum of the sample type.
    pub total: i64,
    /// Sum of its absolute values; of a whole saved comparison only those of the side before, as pprof has it.
    pub gross: u64,
    /// What 100 % is: `gross`, or that of what the filters leave, see [`Filter::of_filtered`].
    pub whole: u64,
    /// True where `gross` is that of the side before.
    pub is_of_base: bool,
    /// Records with a value; for perf the records of this event.
    pub records: u64,
    /// Length in nanoseconds, where it is known.
    pub duration_nanos: Option<i64>,
    /// Processor time in nanoseconds, where the capture has a sample type that says it; see [`cpu_nanos`].
    pub cpu_nanos: Option<f64>,
}

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// What part of its captures the side is.
    pub part: Part,
    /// What each capture holds in that part, one entry per capture.
    pub measured: Vec<Measured>,
    /// Sum over the side's captures, filtered.
    pub weights: Arc<Weights>,
    /// Weights of each capture alone, for repeats; one entry for a single capture.
    pub captures: Vec<Arc<Weights>>,
    /// Blocks of time of the side's one capture, filtered; where there are repeats, or on another side there are none, `None`.
    pub slices: Option<Arc<Slices>>,
    /// Rows of [`Shape::nodes`] and of the profiles given, one per capture.
    pub rows: Vec<usize>,
    /// Total of all samples of the sample type in the side's part, without the filters of the view: what a share is a share of.
    pub total: i64,
    /// The same with absolute values: differs from `total` where values are negative; see [`Measured::gross`].
    pub gross: u64,
    /// What 100 % is: `gross`, or of what the filters leave, see [`Filter::of_filtered`].
    pub whole: u64,
    /// Length of the parts together, in nanoseconds, where all of them know it.
    pub duration_nanos: Option<i64>,
    /// Processor time of the parts together, in nanoseconds, where all of them have a sample type that says it; see [`cpu_nanos`].
    pub cpu_nanos: Option<f64>,
    /// Work done on this side, with [`Normalization::PerRequest`].
    pub work: Option<Amount>,
    /// Raw events behind the self values of each node, filtered as `weights`; empty columns where there is no other side to compare
    /// with.
    pub evidence: Evidence,
}

impl Side {
    /// What 100 % is: [`Side::whole`], which is the total where no value is negative and percentages are of all.
    pub const fn denominator(&self) -> f64 {
        self.whole as f64
    }

    /// What the side's noise can be seen from: its captures, or the blocks of time of its one capture; and how many of them make up the side.
    pub(super) fn repeats(&self) -> (&[Arc<Weights>], f64) {
        match &self.slices {
            Some(slices) => (&slices.windows, slices.blocks),
            None => (&self.captures, self.captures.len() as f64),
        }
    }

    /// Sums over what was measured in each capture; a duration or processor time that one of them does not know is not known.
    fn add_up(&mut self) {
        (self.duration_nanos, self.cpu_nanos) = (Some(0), Some(0.0));
        for measured in &self.measured {
            self.total = self.total.saturating_add(measured.total);
            self.gross = self.gross.saturating_add(measured.gross);
            self.whole = self.whole.saturating_add(measured.whole);
            self.duration_nanos = self.duration_nanos.zip(measured.duration_nanos).map(|(sum, nanos)| sum.saturating_add(nanos));
            self.cpu_nanos = self.cpu_nanos.zip(measured.cpu_nanos).map(|(sum, nanos)| sum + nanos);
        }
        self.duration_nanos = self.duration_nanos.filter(|&nanos| nanos > 0);
        self.cpu_nanos = self.cpu_nanos.filter(|&nanos| nanos > 0.0);
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
    /// True where 100 % is what the filters leave, see [`Filter::of_filtered`].
    pub of_filtered: bool,
}

/// The captures of one side: rows of the slice of profiles given to [`compare`]. Both sides may be parts of one capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SideInput {
    /// Rows of the profiles.
    pub captures: Vec<usize>,
    /// What part of each of them counts.
    pub part: Part,
}

impl SideInput {
    /// Whole captures.
    pub fn whole(captures: impl IntoIterator<Item = usize>) -> Self {
        Self { captures: captures.into_iter().collect(), part: Part::WHOLE }
    }
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
    /// A capture has not the part that its side is made of: why.
    NoSuchPart(String),
    /// The work of a side cannot be counted: why.
    NoWork(String),
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
            Self::NoSuchPart(why) => write!(f, "a side cannot be made: {why}"),
            Self::NoWork(why) => write!(f, "the work of a side cannot be counted: {why}"),
        }
    }
}

impl std::error::Error for CompareError {}

/// Sample types that all captures have, by the first one's name and in its order, with the finest unit that one of them has, see
/// [`Profile::comparable_column`].
pub fn common_sample_types(captures: &[Arc<Profile>]) -> Vec<(String, String)> {
    let Some((first, rest)) = captures.split_first() else { return Vec::new() };
    let mut seen = FxHashSet::default();
    first
        .sample_types
        .iter()
        // Equally named columns of damaged files cannot be told apart: the first stands for all.
        .filter(|kind| seen.insert((kind.name.as_str(), kind.unit.as_str())))
        .filter(|kind| rest.iter().all(|profile| profile.comparable_column(&kind.name, &kind.unit).is_some()))
        .map(|kind| (kind.name.clone(), finest_of(captures, &kind.name, &kind.unit).0))
        .collect()
}

/// The finest unit in which one of the captures has that sample type, and the decimals with which all of them have whole numbers of it:
/// text formats give each file as many decimals as it needs, and writers of pprof choose the unit.
pub fn finest_of(captures: &[Arc<Profile>], name: &str, unit: &str) -> (String, u8) {
    finest(captures.iter().filter_map(|profile| profile.sample_types.get(profile.comparable_column(name, unit)?)), unit)
}

/// The same of sample types that compare with each other.
pub fn finest<'k>(kinds: impl IntoIterator<Item = &'k SampleType>, unit: &str) -> (String, u8) {
    kinds.into_iter().fold((unit.to_owned(), 0), |(unit, decimals), kind| {
        let finer = Unit::parse(&unit).per(&Unit::parse(&kind.unit)).is_some_and(|per| per > 1.0);
        (if finer { kind.unit.clone() } else { unit }, decimals.max(kind.decimals))
    })
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
    // Without this 31.2 and 31.23 would be 312 and 3123, and a millisecond as much as a microsecond.
    let (unit, decimals) = finest_of(captures, name, unit);
    let sample_type = (name, unit.as_str());
    let weighing =
        Weighing { shape: &shape, captures, sample_type, decimals, filter, normalization: &normalization, is_compared: sides.len() > 1 };
    let mut made = match sides {
        [before, after] => {
            let (before, after) = both(shape.tree.len(), || weighing.side(0, before, ticket), || weighing.side(1, after, ticket));
            vec![before?, after?]
        }
        _ => sides.iter().enumerate().map(|(at, input)| weighing.side(at, input, ticket)).collect::<Result<_, _>>()?,
    };
    if made.iter().any(|side| side.slices.is_none()) {
        for side in &mut made {
            side.slices = None;
        }
    }
    let of_filtered = filter.of_filtered && !filter.is_empty();
    Ok(Comparison { shape, sides: made, sample_type: name.to_owned(), unit, decimals, normalization, of_filtered })
}

/// How the sides of a comparison are weighed.
struct Weighing<'a> {
    shape: &'a Shape,
    captures: &'a [Arc<Profile>],
    /// Name and unit.
    sample_type: (&'a str, &'a str),
    decimals: u8,
    filter: &'a Filter,
    normalization: &'a Normalization,
    /// True where there is another side, which makes evidence and blocks of time worth having.
    is_compared: bool,
}

impl Weighing<'_> {
    /// The side with the number `at`.
    fn side(&self, at: usize, input: &SideInput, ticket: &Ticket) -> Result<Side, CompareError> {
        let tree = &self.shape.tree;
        let mut side = Unfinished::new(Side { rows: input.captures.clone(), part: input.part.clone(), ..Side::default() });
        let mut counted = Amount { amount: 0.0, events: f64::INFINITY };
        for &row in &input.captures {
            let (Some(profile), Some(nodes)) = (self.captures.get(row), self.shape.nodes.get(row)) else { continue };
            let column = self.column(profile)?;
            let part = Filter { all_frames: self.filter.all_frames, ..input.part.filter(profile).map_err(CompareError::NoSuchPart)? };
            let (chosen, of_part) = (Chosen::new(profile, &[self.filter, &part]), Chosen::new(profile, &[&part]));
            let chosen = chosen.of_stacks(self.shape.samples_of(row));
            let mut weights = Unfinished::new(weigh(tree, nodes, profile, column, &chosen, ticket)?);
            ticket.advance(1)?;
            let finer = profile.sample_types.get(column).and_then(|kind| kind.steps(self.sample_type.1, self.decimals)).unwrap_or(1);
            if finer > 1 {
                weights.multiply(tree, finer);
            }
            if self.is_compared {
                let mut evidence = Unfinished::new(evidence(tree, nodes, profile, column, &chosen, ticket)?);
                if finer > 1 {
                    evidence.multiply_values(finer as f64);
                }
                side.evidence.add(evidence.keep());
            }
            if let Normalization::PerRequest(Work::Counted { count }) = self.normalization {
                counted.add(count.count(profile, &input.part, &of_part, column).map_err(CompareError::NoWork)?);
            }
            if self.is_compared && input.captures.len() == 1 {
                side.slices = slices((tree, nodes), (profile.as_ref(), &input.part), (column, finer), &chosen, ticket)?.map(Arc::new);
            }
            let mut measured = measure(profile, column, &input.part, &of_part, finer);
            if self.filter.of_filtered {
                measured.whole = gross(profile, column, &chosen).saturating_mul(finer);
            }
            side.measured.push(measured);
            let weights = Arc::new(weights.keep());
            if side.captures.is_empty() {
                side.weights = Arc::clone(&weights);
            } else {
                Arc::make_mut(&mut side.weights).add(&weights);
            }
            side.captures.push(weights);
        }
        side.add_up();
        side.work = match self.normalization {
            Normalization::PerRequest(Work::Given(numbers)) => numbers.sides().get(at).map(|&amount| Amount { amount, ..counted }),
            Normalization::PerRequest(Work::Throughput { throughput }) => side
                .duration_nanos
                .zip(throughput.sides().get(at))
                .map(|(nanos, rate)| Amount { amount: rate * nanos as f64 / 1e9, ..counted }),
            Normalization::PerRequest(Work::Counted { .. }) => Some(counted),
            _ => None,
        };
        Ok(side.keep())
    }

    /// The row of the sample type in a capture.
    fn column(&self, profile: &Profile) -> Result<usize, CompareError> {
        let (name, unit) = self.sample_type;
        let column = profile.comparable_column(name, unit);
        column.ok_or_else(|| CompareError::NoSuchSampleType {
            wanted: format!("{name}/{unit}"),
            found: profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)).collect(),
        })
    }
}

/// Sum of chosen samples without their signs.
fn gross(profile: &Profile, column: usize, chosen: &Chosen<'_>) -> u64 {
    let values = profile.samples.values(column).iter().enumerate().checked();
    values.filter(|&(row, &value)| value != 0 && chosen.has(row)).fold(0, |sum, (_, value)| sum.saturating_add(value.unsigned_abs()))
}

/// What the part of a capture holds; `finer` units of the comparison are one of its stored integers.
fn measure(profile: &Profile, column: usize, part: &Part, of_part: &Chosen<'_>, finer: u64) -> Measured {
    let base = if part.is_whole() { profile.base_gross_total(column) } else { None };
    let (total, gross, records, cpu_nanos) = if part.is_whole() {
        let records = profile.sample_types.get(column).map_or(0, |kind| kind.records);
        (profile.total(column), base.unwrap_or_else(|| profile.gross_total(column)), records, cpu_nanos(profile))
    } else {
        let (mut total, mut gross, mut records) = (0_i64, 0_u64, 0);
        let values = profile.samples.values(column).iter().enumerate().checked();
        for (_, &value) in values.filter(|&(row, &value)| value != 0 && of_part.has(row)) {
            total = total.saturating_add(value);
            gross = gross.saturating_add(value.unsigned_abs());
            records += 1;
        }
        let cpu = cpu_column(profile).map(|(row, factor)| {
            let values = profile.samples.values(row).iter().enumerate().checked();
            let stored: f64 = values.filter(|&(row, &value)| value != 0 && of_part.has(row)).map(|(_, &value)| value as f64).sum();
            profile.sample_types.get(row).map_or(0.0, |kind| kind.in_unit(stored)) * factor
        });
        (total, gross, records, cpu)
    };
    Measured {
        total: total.saturating_mul(i64::try_from(finer).unwrap_or(i64::MAX)),
        gross: gross.saturating_mul(finer),
        whole: gross.saturating_mul(finer),
        is_of_base: base.is_some(),
        records,
        duration_nanos: part.duration_nanos(profile),
        cpu_nanos,
    }
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
    let (row, factor) = cpu_column(profile)?;
    let kind = profile.sample_types.get(row)?;
    Some(kind.in_unit(profile.total(row) as f64) * factor)
}

/// The row of the sample type that is processor time, and nanoseconds per unit.
fn cpu_column(profile: &Profile) -> Option<(usize, f64)> {
    profile.sample_types.iter().enumerate().find_map(|(row, kind)| match Unit::parse(&kind.unit) {
        Unit::Time(factor) if counts_cpu(&kind.name) => Some((row, factor)),
        _ => None,
    })
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
    pub fn effective_normalization(&self) -> &Normalization {
        let known = match &self.normalization {
            Normalization::PerSecond => self.sides.iter().all(|side| side.duration_nanos.is_some()),
            Normalization::PerCpuSecond => self.sides.iter().all(|side| side.cpu_nanos.is_some()),
            // The work of a lone capture says nothing: two numbers were given for two sides.
            Normalization::PerRequest(_) => self.sides.len() == 2 && self.sides.iter().all(|side| side.work.is_some()),
            Normalization::Share | Normalization::Absolute => true,
        };
        if known { &self.normalization } else { &Normalization::Share }
    }

    /// What a value of a side is multiplied by: gives shares of 1, units per second, or units per capture.
    pub fn factor(&self, side: &Side) -> f64 {
        let per = match self.effective_normalization() {
            Normalization::Share => side.denominator(),
            Normalization::PerSecond => side.duration_nanos.map_or(0.0, |nanos| nanos as f64 / 1e9) * self.stored_per_unit(),
            Normalization::PerCpuSecond => side.cpu_nanos.map_or(0.0, |nanos| nanos / 1e9) * self.stored_per_unit(),
            Normalization::PerRequest(_) => side.work.map_or(0.0, |work| work.amount) * self.stored_per_unit(),
            // Repeats are averaged, so that three runs against one do not look like three times the cost.
            Normalization::Absolute => side.captures.len() as f64 * self.stored_per_unit(),
        };
        if per > 0.0 { 1.0 / per } else { 0.0 }
    }

    /// The same for one capture of a side alone; requests are taken to be spread evenly over the captures.
    pub fn factor_of_capture(&self, side: &Side, at: usize) -> f64 {
        let Some(measured) = side.measured.get(at) else { return 0.0 };
        let alone = Side {
            whole: measured.whole,
            duration_nanos: measured.duration_nanos,
            cpu_nanos: measured.cpu_nanos,
            work: side.work.map(|work| Amount { amount: work.amount / side.measured.len() as f64, ..work }),
            captures: vec![Arc::default()],
            ..Side::default()
        };
        self.factor(&alone)
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

    /// How two columns of stored values beside each other, not normalised, are written; `largest` is the largest of each.
    pub fn value_scale(&self, largest: [i64; 2]) -> Scale {
        let [first, second] = largest.map(|stored| self.in_unit(stored as f64));
        Scale::of_both(first, second, &self.unit, 1.0 / self.stored_per_unit())
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
        let left = if self.of_filtered { " that the filters leave" } else { "" };
        let whole = |side: &Side| format!("{}{left}", human_of(self.in_unit(side.denominator()), &self.unit, &self.sample_type));
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
            (Some((before, after)), Normalization::PerRequest(work)) => Self::work_text(work, before, after),
            (Some((before, after)), Normalization::Absolute) => match (before.captures.len(), after.captures.len()) {
                (1, 1) => "absolute values".to_owned(),
                (before, after) => format!("mean of the captures of a side (Before {before}, After {after})"),
            },
        }
    }

    /// The work of both sides and where it comes from.
    fn work_text(work: &Work, before: &Side, after: &Side) -> String {
        let [old, new] = [before, after].map(|side| plain(side.work.map_or(0.0, |work| work.amount)));
        match work {
            Work::Given(_) => format!("per request (Before {old}, After {new}, as entered)"),
            Work::Throughput { throughput } => {
                let [slow, fast] = throughput.sides().map(plain);
                let length = |side: &Side| side.duration_nanos.map_or_else(String::new, |nanos| human(nanos as f64, "ns"));
                let (first, second) = (length(before), length(after));
                format!("per request (Before {slow}/s × {first} = {old}, After {fast}/s × {second} = {new})")
            }
            Work::Counted { count } => format!("per request (Before {old}, After {new}: {})", count.words()),
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

/// An amount as it was entered; without the digits that dividing leaves, which nobody entered.
fn plain(amount: f64) -> String {
    let step = if amount >= 1e4 { 1.0 } else { 1e6 };
    let rounded = (amount * step).round() / step;
    rounded.to_string()
}

/// A share of 1 as text with three significant digits: `12.3 %`, `0.0420 %`, `−20.0 %`.
pub fn percent(share: f64) -> String {
    if share < 0.0 {
        return match percent(-share).strip_prefix("over ") {
            Some(most) => format!("over −{most}"),
            None => format!("−{}", percent(-share)),
        };
    }
    let percent = share * 100.0;
    let size = percent.abs();
    let rest = 100.0 - size;
    if rest > 1e-9 && rest < 0.05 {
        // What is nearly everything, or nearly gone, is not so much that nothing is left: one digit of the rest, as far as anybody reads.
        let digits = (-rest.log10().floor()) as usize;
        if digits > 4 { "over 99.9999 %".to_owned() } else { format!("{:.digits$} %", 100.0 - rest) }
    } else if size >= 99.95 {
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
    fn equally_named_sample_types_are_one_to_choose_and_percent_keep_what_is_left() {
        let capture = Arc::new(crate::model::Builder::new([("t", "count"), ("t", "count"), ("t", "bytes")]).finish());
        let kinds = common_sample_types(&[capture]);
        assert_eq!(kinds.iter().map(|(_, unit)| unit.as_str()).collect::<Vec<_>>(), ["count", "bytes"]);
        assert_eq!([1.0, 0.9999, 0.9995, 0.9949, 1.0002, 3.0].map(percent), ["100 %", "99.99 %", "99.95 %", "99.5 %", "100 %", "300 %"]);
        assert_eq!([0.999_98, 0.999_999_98, -0.999_999_98].map(percent), ["99.998 %", "over 99.9999 %", "over −99.9999 %"]);
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
        let sides = [SideInput::whole([0]), SideInput::whole([1])];
        let work = Work::new(400.0, 500.0).unwrap();
        for (normalization, expected, words) in [
            (Normalization::Share, [1.0, 1.0], "100 % = 8 s cpu of Before, 12 s cpu of After"),
            (Normalization::PerSecond, [8e8, 6e8], "per second of capture (Before 10 s, After 20 s)"),
            (Normalization::PerCpuSecond, [1e9, 1e9], "per second of processor time (Before 8 s, After 12 s)"),
            (Normalization::PerRequest(work), [2e7, 2.4e7], "per request (Before 400, After 500, as entered)"),
            (
                Normalization::PerRequest(Work::throughput(40.0, 25.0).unwrap()),
                [2e7, 2.4e7],
                "per request (Before 40/s × 10 s = 400, After 25/s × 20 s = 500)",
            ),
            (Normalization::Absolute, [8e9, 12e9], "absolute values"),
        ] {
            let made =
                compare(Arc::clone(&shape), &captures, &sides, ("cpu", "nanoseconds"), &none, normalization.clone(), &ticket).unwrap();
            let found: Vec<f64> = made.sides.iter().map(|side| made.factor(side) * side.denominator()).collect();
            assert!(
                found.iter().zip(expected).all(|(found, expected)| (found / expected - 1.0).abs() < 1e-12),
                "{normalization:?}: {found:?}"
            );
            assert_eq!(made.denominator_text(), words);
            assert!((made.exposure() - made.factor(&made.sides[0]) / made.factor(&made.sides[1])).abs() < 1e-12);
        }
    }
}
