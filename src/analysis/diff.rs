//! Two sides beside each other: for every place and every node the values, the change, and how sure it is.
//!
//! Every row keeps its numbers, also where chance explains them: what is highlighted is decided here, what is named first in
//! `regress`. Start reading at [`diff`].

pub(crate) mod background;
mod base;
mod churn;
pub(crate) mod ground;
mod halves;
pub(crate) mod left;
mod nodes;
pub(crate) mod noise;
mod repeats;
pub(crate) mod shape;
mod tables;

use super::comparison::Comparison;
use super::events::Basis;
use super::place::PlaceId;
use super::stats::Needed;
pub(crate) use base::{Base, NodesOf};
pub use halves::nodes_of_halves;
use left::NodeSet;
use noise::Model;
pub use noise::Noise;
pub(crate) use repeats::Repeated;
pub(crate) use tables::{is_small, largest_total, verdict_of_sides};

/// What a person decides about the test.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Spec {
    /// False discovery rate up to which a change is highlighted, and the error level of findings.
    pub level: f64,
    /// Changes surely below this part of the larger total are too small to name, if their ratio is too.
    pub min_share: f64,
    /// Changes whose ratio lies surely within 1 ± this are too small to name, if their part of the total is too.
    pub min_ratio: f64,
    /// Rows with fewer effective events on both sides together are not tested.
    pub min_events: f64,
    /// Growth that is not to be missed: of a place in which it could have been, nothing can be told.
    pub growth: f64,
    /// Work of after over work of before.
    pub exposure: Exposure,
    /// Coefficient of variation from run to run of unchanged code; `None` = from the kind of profile and from the captures.
    pub run_noise: Option<f64>,
    /// Coefficient of variation from run to run of background work of a runtime (garbage collection, scheduler); the ratio of two
    /// runs varies by the square root of 2 times as much.
    pub background_noise: f64,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            level: 0.05,
            min_share: 0.001,
            min_ratio: 0.02,
            min_events: 8.0,
            growth: 0.1,
            exposure: Exposure::Normalization,
            run_noise: None,
            background_noise: 0.5,
        }
    }
}

/// Where the ratio of work comes from, against which every place is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposure {
    /// Estimated from the bulk of the functions, which is taken as unchanged, with the normalisation as a first guess; the normalisation
    /// (share of total, per second, absolute) where there are too few functions to tell.
    #[default]
    Normalization,
    /// The same without a first guess.
    Robust,
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
    /// Its cost moved to or from its callers, callees or other paths; together they cost what they did.
    Shift,
    /// It has another name.
    Renamed,
    /// Its frames are part of its callers', or stand for themselves where they were not; the cost is the same.
    Inlined,
    /// A frame that was put around (or taken from around) unchanged calls.
    Wrapper,
    /// Differs by more than its samples explain, but runs of unchanged code may differ like that: needs repeats.
    Unconfirmed,
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
    pub const ALL: [Self; 14] = [
        Self::Regression,
        Self::New,
        Self::Improvement,
        Self::Gone,
        Self::Shift,
        Self::Renamed,
        Self::Inlined,
        Self::Wrapper,
        Self::Unconfirmed,
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
            Self::Shift => "shift",
            Self::Renamed => "renamed",
            Self::Inlined => "inlined",
            Self::Wrapper => "wrapper",
            Self::Unconfirmed => "unconfirmed",
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
            Self::Shift => "Moved",
            Self::Renamed => "Renamed?",
            Self::Inlined => "Inlined",
            Self::Wrapper => "Wrapper",
            Self::Unconfirmed => "Unconfirmed: needs repeats",
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

    /// True where cost only stands elsewhere.
    pub const fn is_structure(self) -> bool {
        matches!(self, Self::Shift | Self::Renamed | Self::Inlined | Self::Wrapper)
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
    /// What would be needed to find [`Spec::growth`].
    pub needed: Vec<Needed>,
    /// Variance of ln(ratio) beyond sampling that was allowed for.
    pub extra: Vec<f64>,
    /// Degrees of freedom with which the variance is known: infinite where only sampling counts.
    pub freedom: Vec<f64>,
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
    /// The node's own change is nil, but sure rises and falls below it cancel.
    pub const CHURN: u8 = 4;
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

/// The ends of a 95 % interval as quantiles of a normal.
pub(crate) const ENDS: [f64; 2] = [-1.959_964, 1.959_964];

/// Compares the two sides of a comparison; `None` unless it has two.
///
/// In a bottom-up tree the place tables would be those of the reversed stacks: pass the top-down one.
pub fn diff(comparison: &Comparison, spec: &Spec) -> Option<Diff> {
    let base = Base::new(comparison)?;
    let model = Model::estimate(&base.known(comparison, spec), base.tables(), None, None);
    Some(base.judge(comparison, &model, spec, None, &NodeSet::default()))
}
