//! Two sides beside each other: for every place and every node the values, the change, and how sure it is.
//!
//! Every row keeps its numbers, also where chance explains them: what is highlighted is decided here, what is named first in
//! `regress`. Start reading at [`diff`].

pub(crate) mod ground;
mod noise;

use rayon::prelude::*;

use super::comparison::{Comparison, Side};
use super::events::Basis;
use super::place::PlaceId;
use super::stats::{Test, certainty, false_discovery, minimum_detectable_at, power_width};
use ground::{Ground, Scale, Sums};
pub use noise::Noise;

/// What a person decides about the test.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Spec {
    /// False discovery rate up to which a change is highlighted, and the error level of findings.
    pub level: f64,
    /// Changes surely below this part of the larger total are too small to name.
    pub min_share: f64,
    /// Changes whose ratio lies surely within 1 ± this are too small to name.
    pub min_ratio: f64,
    /// Rows with fewer effective events on both sides together are not tested.
    pub min_events: f64,
    /// Work of after over work of before.
    pub exposure: Exposure,
    /// Coefficient of variation from run to run of unchanged code; `None` = from the kind of profile and from the captures.
    pub run_noise: Option<f64>,
    /// The same for background work of a runtime (garbage collection, scheduler).
    pub background_noise: f64,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            level: 0.05,
            min_share: 0.001,
            min_ratio: 0.02,
            min_events: 8.0,
            exposure: Exposure::Normalization,
            run_noise: None,
            background_noise: 0.5,
        }
    }
}

/// Where the ratio of work comes from, against which every place is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposure {
    /// The comparison's normalisation: share of total, per second, absolute.
    #[default]
    Normalization,
    /// Estimated from the bulk of the functions, which is taken as unchanged.
    Robust,
    /// Given: work done after over work done before, such as numbers of requests.
    Work(f64),
}

/// What a row says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Costs more.
    Regression,
    /// Costs more, and was not there before.
    New,
    /// Costs less.
    Improvement,
    /// Costs nothing any more.
    Gone,
    /// Changed, but another finding explains it.
    Explained,
    /// Only its share of the total changed, because something else grew or shrank.
    Diluted,
    /// Changed surely, but by less than the minimum effect.
    Small,
    /// The difference is within noise.
    #[default]
    Noise,
    /// Too few events to tell: even a doubling could be missed.
    TooFew,
}

impl Verdict {
    /// All, in the order of a legend.
    pub const ALL: [Self; 9] = [
        Self::Regression,
        Self::New,
        Self::Improvement,
        Self::Gone,
        Self::Explained,
        Self::Diluted,
        Self::Small,
        Self::Noise,
        Self::TooFew,
    ];

    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::New => "new",
            Self::Improvement => "improvement",
            Self::Gone => "gone",
            Self::Explained => "explained",
            Self::Diluted => "diluted",
            Self::Small => "small",
            Self::Noise => "noise",
            Self::TooFew => "too-few",
        }
    }

    /// Words for a person.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Regression => "Regression",
            Self::New => "New",
            Self::Improvement => "Improvement",
            Self::Gone => "Gone",
            Self::Explained => "Explained by another",
            Self::Diluted => "Share only",
            Self::Small => "Below minimum effect",
            Self::Noise => "Within noise",
            Self::TooFew => "Too few samples",
        }
    }

    /// True where the row is named as a change of its own.
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Regression | Self::New | Self::Improvement | Self::Gone)
    }

    /// True for more cost.
    pub const fn is_worse(self) -> bool {
        matches!(self, Self::Regression | Self::New)
    }
}

/// Self or total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Without callees (flat).
    #[serde(rename = "self")]
    Self_,
    /// With callees (cum).
    #[default]
    Total,
}

impl Measure {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Self_, Self::Total];

    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Self_ => "self",
            Self::Total => "total",
        }
    }
}

/// One measure of all places, in columns with one entry per place row.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Values of before and after as captured, sums over a side's captures.
    pub raw: [Vec<f64>; 2],
    /// Normalised values, see [`Comparison::factor`].
    pub value: [Vec<f64>; 2],
    /// Normalised after − before.
    pub delta: Vec<f64>,
    /// After / before per unit of work: 1 = unchanged, infinite = new. NaN where both are 0.
    pub ratio: Vec<f64>,
    /// Lower end of the 95 % interval of `ratio`.
    pub lo: Vec<f64>,
    /// Upper end of the 95 % interval of `ratio`.
    pub hi: Vec<f64>,
    /// Signed evidence in standard deviations.
    pub z: Vec<f64>,
    /// Two-sided p value of no change.
    pub p: Vec<f64>,
    /// False discovery rate at which the row would just be reported, over all rows of both measures that could be tested.
    pub q: Vec<f64>,
    /// Raw events of before and after.
    pub events: [Vec<f64>; 2],
    /// Smallest growth that the search over all places would find with 80 % power: 0.25 = +25 %.
    pub minimum_detectable: Vec<f64>,
    /// Variance of ln(ratio) beyond sampling that was allowed for.
    pub extra: Vec<f64>,
    /// What the row says by itself, before findings explain each other.
    pub verdict: Vec<Verdict>,
}

impl Table {
    /// Row of a place: its verdict, [`Verdict::Noise`] for a place that does not exist.
    pub fn verdict_of(&self, place: PlaceId) -> Verdict {
        self.verdict.get(place.row()).copied().unwrap_or_default()
    }
}

/// Marks of a node.
pub mod mark {
    /// The node has a value only after.
    pub const NEW: u8 = 1;
    /// The node has a value only before.
    pub const GONE: u8 = 2;
}

/// The light form for drawing, one entry per node of the tree, about totals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeDiff {
    /// (after − before) / (after + before) per unit of work: −1 = gone, 0 = unchanged, ⅓ = doubled, 1 = new.
    pub effect: Vec<f32>,
    /// 0 = chance explains it or there are too few events, 1 = certain.
    pub certainty: Vec<f32>,
    /// See [`mark`].
    pub marks: Vec<u8>,
}

/// Everything about two sides that does not depend on which findings explain which.
#[derive(Clone, Debug)]
pub struct Diff {
    /// Places without callees.
    pub self_: Table,
    /// Places with callees.
    pub total: Table,
    /// Nodes.
    pub nodes: NodeDiff,
    /// Work after / work before used: unchanged code has this raw ratio.
    pub exposure: f64,
    /// The same as estimated from the bulk of the functions, with its 95 % interval; `None` where too few functions could be compared.
    pub unchanged: Option<Interval>,
    /// Noise beyond sampling that was allowed for.
    pub noise: Noise,
    /// Number of (place, measure) rows tested.
    pub tests: usize,
    /// Where the numbers of events come from.
    pub basis: Basis,
}

/// A number with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Estimate.
    pub ratio: f64,
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Diff {
    /// The table of a measure.
    pub const fn table(&self, measure: Measure) -> &Table {
        match measure {
            Measure::Self_ => &self.self_,
            Measure::Total => &self.total,
        }
    }
}

/// What `regress` goes on with.
pub(crate) struct Worked {
    pub(crate) diff: Diff,
    pub(crate) ground: Ground,
    pub(crate) scale: Scale,
    pub(crate) outermost: Vec<bool>,
    /// Self and total sums per place.
    pub(crate) places: [Vec<Sums>; 2],
}

/// Compares the two sides of a comparison; `None` unless it has two.
///
/// In a bottom-up tree the place tables would be those of the reversed stacks: pass the top-down one.
pub fn diff(comparison: &Comparison, spec: &Spec) -> Option<Diff> {
    work(comparison, spec).map(|worked| worked.diff)
}

pub(crate) fn work(comparison: &Comparison, spec: &Spec) -> Option<Worked> {
    let (before, after) = comparison.pair()?;
    let (tree, places) = (comparison.tree(), comparison.places());
    let background = noise::background_nodes(tree, places);
    let ground = Ground::new(comparison, before, after, &background);
    let totals = ground.totals(tree);
    let outermost = tree.outermost(places);
    let by_place = ground.by_place(tree, places, &totals, &outermost);
    let base = Scale { exposure: comparison.exposure(), event_cost: ground.event_cost };
    let cells = noise::cells(&by_place[0], &base, spec);
    let noise = Noise::estimate(comparison, &ground, &totals, &cells, &base, spec);
    let unchanged = noise::unchanged(&cells, &noise, base.exposure);
    let exposure = match spec.exposure {
        Exposure::Robust => unchanged.map_or(base.exposure, |interval| interval.ratio),
        Exposure::Work(ratio) if ratio > 0.0 && ratio.is_finite() => ratio,
        Exposure::Normalization | Exposure::Work(_) => base.exposure,
    };
    let scale = Scale { exposure, ..base };
    let extra = noise.by_place(comparison, &by_place, &scale);
    let mut tables = [Table::default(), Table::default()];
    for ((table, sums), extra) in tables.iter_mut().zip(&by_place).zip(extra) {
        *table = table_of(comparison, sums, extra, &scale, spec);
    }
    let tests = judge(comparison, &mut tables, &by_place, &scale, spec);
    let nodes = node_diff(tree.places(), &totals, &tables[1].extra, &scale, spec);
    let [self_, total] = tables;
    let basis = ground.basis;
    let diff = Diff { self_, total, nodes, exposure, unchanged, noise, tests, basis };
    Some(Worked { diff, ground, scale, outermost, places: by_place })
}

fn table_of(comparison: &Comparison, sums: &[Sums], extra: Vec<f64>, scale: &Scale, spec: &Spec) -> Table {
    let factor = |side: usize| comparison.sides.get(side).map_or(0.0, |side: &Side| comparison.factor(side));
    let factors = [factor(0), factor(1)];
    let side_of = |side: usize| -> Vec<f64> { sums.iter().map(|sums| sums.value[side]).collect() };
    let raw = [side_of(0), side_of(1)];
    let value = [0, 1].map(|side| raw[side].iter().map(|value| value * factors[side]).collect::<Vec<f64>>());
    let delta = value[0].iter().zip(&value[1]).map(|(before, after)| after - before).collect();
    let tested: Vec<(Test, (f64, f64))> = sums
        .par_iter()
        .zip(&extra)
        .map(|(sums, &extra)| match scale.counts(sums) {
            Some(counts) if counts.both() >= spec.min_events => (counts.test(extra), counts.interval(extra, 0.95)),
            Some(counts) => (Test::NONE, counts.interval(extra, 0.95)),
            None => (Test::NONE, (0.0, f64::INFINITY)),
        })
        .collect();
    Table {
        ratio: sums.iter().map(|sums| sums.value[1] / sums.value[0] / scale.exposure).collect(),
        lo: tested.iter().map(|row| row.1.0).collect(),
        hi: tested.iter().map(|row| row.1.1).collect(),
        z: tested.iter().map(|row| row.0.z).collect(),
        p: tested.iter().map(|row| row.0.p).collect(),
        q: vec![1.0; sums.len()],
        events: [0, 1].map(|side| sums.iter().map(|sums| sums.events[side]).collect()),
        minimum_detectable: vec![f64::INFINITY; sums.len()],
        verdict: vec![Verdict::Noise; sums.len()],
        raw,
        value,
        delta,
        extra,
    }
}

/// False discovery rates over both tables together, and every row's own verdict; gives the number of tests.
fn judge(comparison: &Comparison, tables: &mut [Table; 2], sums: &[Vec<Sums>; 2], scale: &Scale, spec: &Spec) -> usize {
    // A test is possible or not by the sum of both sides, which says nothing about their difference: leaving rows out costs nothing.
    let testable = |sums: &Sums| scale.counts(sums).is_some_and(|counts| counts.both() >= spec.min_events);
    let rows: Vec<(usize, usize)> = (0..2)
        .flat_map(|measure| sums[measure].iter().enumerate().skip(1).filter(|(_, sums)| testable(sums)).map(move |(row, _)| (measure, row)))
        .collect();
    let p: Vec<f64> = rows.iter().map(|&(measure, row)| tables[measure].p[row]).collect();
    for (&(measure, row), q) in rows.iter().zip(false_discovery(&p)) {
        tables[measure].q[row] = q;
    }
    let tests = rows.len();
    let (searched, alone) = (power_width(spec.level / tests.max(1) as f64), power_width(spec.level));
    let largest = largest_total(comparison);
    for (table, sums) in tables.iter_mut().zip(sums) {
        for (row, sums) in sums.iter().enumerate() {
            let counts = scale.counts(sums);
            let detectable =
                |width: f64| counts.map_or(f64::INFINITY, |c| minimum_detectable_at(c.before, c.exposure, table.extra[row], width));
            table.minimum_detectable[row] = detectable(searched);
            let enough = counts.is_some_and(|counts| counts.both() >= spec.min_events);
            table.verdict[row] = if enough && table.q[row] <= spec.level {
                let small = is_small([table.value[0][row], table.value[1][row]], [table.lo[row], table.hi[row]], largest, spec);
                if small { Verdict::Small } else { verdict_of_sides(table.raw[0][row], table.raw[1][row], table.z[row]) }
            } else if !enough || detectable(alone) > 1.0 {
                Verdict::TooFew
            } else {
                Verdict::Noise
            };
        }
    }
    tests
}

/// The larger of both sides' normalised totals: what minimum effects are a part of.
pub(crate) fn largest_total(comparison: &Comparison) -> f64 {
    comparison.sides.iter().map(|side| side.denominator() * comparison.factor(side)).fold(0.0, f64::max)
}

pub(crate) fn verdict_of_sides(before: f64, after: f64, z: f64) -> Verdict {
    match (before > 0.0, after > 0.0, z > 0.0) {
        (false, true, _) => Verdict::New,
        (true, false, _) => Verdict::Gone,
        (_, _, true) => Verdict::Regression,
        _ => Verdict::Improvement,
    }
}

/// True where the interval's end towards no change is within the minimum effect.
pub(crate) fn is_small(value: [f64; 2], interval: [f64; 2], largest: f64, spec: &Spec) -> bool {
    let [before, after] = value;
    let [lo, hi] = interval;
    if lo > 1.0 {
        // At least this much of after is more than before: after·(1 − 1/ratio), which holds for new places too.
        lo < 1.0 + spec.min_ratio || after * (1.0 - 1.0 / lo) < spec.min_share * largest
    } else if hi < 1.0 {
        hi > 1.0 / (1.0 + spec.min_ratio) || before * (1.0 - hi) < spec.min_share * largest
    } else {
        true
    }
}

fn node_diff(places: &[PlaceId], totals: &[Sums], extra: &[f64], scale: &Scale, spec: &Spec) -> NodeDiff {
    let rows: Vec<(f32, f64, u8)> = totals
        .par_iter()
        .zip(places)
        .with_min_len(1 << 12)
        .map(|(sums, place)| {
            let [before, after] = [sums.value[0], sums.value[1] / scale.exposure];
            let both = before.abs() + after.abs();
            let effect = if both > 0.0 { ((after - before) / both).clamp(-1.0, 1.0) } else { 0.0 };
            let marks = if before == 0.0 && after != 0.0 {
                mark::NEW
            } else if before != 0.0 && after == 0.0 {
                mark::GONE
            } else {
                0
            };
            let counts = scale.counts(sums).filter(|counts| counts.both() >= spec.min_events);
            // NaN = not tested.
            let p = counts.map_or(f64::NAN, |counts| counts.quick_test(extra.get(place.row()).copied().unwrap_or(0.0)).p);
            (effect as f32, p, marks)
        })
        .collect();
    let q = Ranks::new(rows.iter().map(|row| row.1));
    NodeDiff {
        effect: rows.iter().map(|row| row.0).collect(),
        certainty: rows.iter().map(|row| q.certainty(row.1)).collect(),
        marks: rows.iter().map(|row| row.2).collect(),
    }
}

/// Benjamini–Hochberg over very many p values: by counting into bins of ln p instead of sorting.
struct Ranks {
    /// False discovery rate of each bin, smallest p last.
    q: Vec<f64>,
}

impl Ranks {
    const BINS: usize = 2048;
    /// Bins per unit of −ln p: the last bin holds everything below e^−100.
    const PER_UNIT: f64 = Self::BINS as f64 / 100.0;

    fn bin(p: f64) -> usize {
        ((-p.max(f64::MIN_POSITIVE).ln() * Self::PER_UNIT) as usize).min(Self::BINS - 1)
    }

    fn new(p: impl Iterator<Item = f64>) -> Self {
        let mut count = vec![0_usize; Self::BINS];
        for p in p.filter(|p| p.is_finite()) {
            count[Self::bin(p)] += 1;
        }
        let all: usize = count.iter().sum();
        // Rows with a p at most that of the bin's upper edge: the bin and all after it.
        let mut below = all;
        let mut least = 1.0_f64;
        let q = count
            .iter()
            .enumerate()
            .map(|(bin, &rows)| {
                let edge = (-(bin as f64) / Self::PER_UNIT).exp();
                if below > 0 {
                    least = least.min(edge * all as f64 / below as f64);
                }
                below -= rows;
                least
            })
            .collect();
        Self { q }
    }

    fn certainty(&self, p: f64) -> f32 {
        if p.is_nan() { 0.0 } else { certainty(self.q.get(Self::bin(p)).copied().unwrap_or(1.0), 1.0) as f32 }
    }
}
