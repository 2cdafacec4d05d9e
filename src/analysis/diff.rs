//! Two sides beside each other: for every place and every node the values, the change, and how sure it is.
//!
//! Every row keeps its numbers, also where chance explains them: what is highlighted is decided here, what is named first in
//! `regress`. Start reading at [`diff`].

pub(crate) mod background;
mod churn;
pub(crate) mod ground;
mod halves;
pub(crate) mod left;
mod nodes;
pub(crate) mod noise;
mod repeats;
pub(crate) mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::Weights;
use super::call_tree::{CallTree, NodeId};
use super::comparison::{Comparison, Side};
use super::events::Basis;
use super::place::PlaceId;
use super::stats::{Doubt, Needed, Test, doubtful_width, false_discovery, minimum_detectable_at, needed, power_width};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Here, both};
use ground::{Added, Ground, Scale, Sums, Tables};
pub use halves::nodes_of_halves;
use left::NodeSet;
use nodes::node_diff;
pub use noise::Noise;
use noise::{Known, Model};
pub(crate) use repeats::Repeated;
use repeats::Repeats;
use shape::{Mix, Scratch, Shapes};

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

/// What every judgement of a comparison starts from.
pub(crate) struct Base {
    pub(crate) ground: Ground,
    pub(crate) outermost: Vec<bool>,
    pub(crate) shapes: Shapes,
    /// Sums of every node's total.
    pub(crate) totals: Unfinished<Vec<Sums>>,
    /// Sums of every place's self and total.
    pub(crate) places: [Vec<Sums>; 2],
    /// Cost of both sides without its sign.
    pub(crate) absolute: [f64; 2],
    nodes_of: NodesOf,
    /// What repeats say, where there are any.
    repeats: Option<Arc<Repeats>>,
    /// The sums as captured, where `ground` has some nodes put together.
    captured: Option<Captured>,
    /// Rows of nodes with cost of their own that only interrupts their callers.
    interrupts: Vec<usize>,
}

/// What stood in the place of sums that were changed.
struct Captured {
    nodes: Unfinished<Vec<Sums>>,
    totals: Unfinished<Vec<Sums>>,
    places: [Vec<Sums>; 2],
    shapes: Shapes,
}

/// Compares the two sides of a comparison; `None` unless it has two.
///
/// In a bottom-up tree the place tables would be those of the reversed stacks: pass the top-down one.
pub fn diff(comparison: &Comparison, spec: &Spec) -> Option<Diff> {
    let base = Base::new(comparison)?;
    let model = Model::estimate(&base.known(comparison, spec), base.tables(), None, None);
    Some(base.judge(comparison, &model, spec, None, &NodeSet::default()))
}

/// The nodes of each place.
#[derive(Debug)]
pub(crate) struct NodesOf {
    /// `rows[start[place]..start[place + 1]]`, ascending.
    start: Vec<u32>,
    rows: Vec<u32>,
}

impl NodesOf {
    fn new(tree: &CallTree, places: usize) -> Self {
        let mut start = vec![0_u32; places + 1];
        for place in tree.places().iter().checked() {
            start[place.row() + 1] += 1;
        }
        for place in 0..places {
            start[place + 1] += start[place];
        }
        let mut fill = start.clone();
        let mut rows = vec![0_u32; tree.len()];
        for (row, place) in tree.places().iter().enumerate().checked() {
            let at = &mut fill[place.row()];
            rows[*at as usize] = row as u32;
            *at += 1;
        }
        Self { start, rows }
    }

    /// Rows of the nodes of a place, ascending.
    pub(crate) fn of(&self, place: PlaceId) -> impl Iterator<Item = usize> + '_ {
        let range = self.start[place.row()] as usize..self.start[place.row() + 1] as usize;
        self.rows[range].iter().map(|&row| row as usize)
    }
}

impl Base {
    pub(crate) fn new(comparison: &Comparison) -> Option<Self> {
        let (before, after) = comparison.pair()?;
        let (tree, places) = (comparison.tree(), comparison.places());
        let (mut ground, (outermost, nodes_of)) = both(
            tree.len(),
            || Ground::new(comparison, before, after, &background::nodes(tree, places)),
            || (tree.outermost(places), NodesOf::new(tree, places.len())),
        );
        if let Some(part) = repeats::too_large(comparison, ground.basis, &ground.nodes) {
            for sums in ground.nodes.iter_mut().checked() {
                sums.squares = sums.squares.map(|square| square * part);
            }
        }
        let (shapes, Added { totals, places: sums, absolute }) = both(
            tree.len(),
            || Shapes::new(comparison, &ground.nodes, &outermost, &nodes_of),
            || Added::new(&ground.nodes, tree, places, &outermost),
        );
        let scale = Scale { exposure: comparison.exposure(), event_cost: ground.event_cost };
        let run_noise = ground.basis.run_noise(comparison.sample_type.starts_with("inuse"));
        let repeats = Repeats::new(comparison, &sums[0], &scale, run_noise).map(Arc::new);
        let mut interrupts = background::interrupts(tree, places);
        interrupts.retain(|&row| !ground.nodes[row].is_nothing());
        Some(Self { ground, outermost, shapes, totals, places: sums, absolute, nodes_of, repeats, captured: None, interrupts })
    }

    /// Sums of a group of nodes where what interrupts a function counts as that function's; `None` where that changes nothing.
    pub(crate) fn uninterrupted(&self, comparison: &Comparison, nodes: &NodeSet, whole: &Sums) -> Option<Sums> {
        let mut made = None;
        for &row in &self.interrupts {
            let parent = comparison.tree().parents()[row].map(NodeId::row);
            let sums = match (nodes.contains(row), parent.is_some_and(|parent| nodes.contains(parent))) {
                (false, true) => (Sums::default(), self.ground.nodes[row]),
                (true, false) => (self.ground.nodes[row], Sums::default()),
                _ => continue,
            };
            made.get_or_insert(*whole).replace(&sums.0, &sums.1);
        }
        made
    }

    /// Calls a change of own cost a move where it is none with what only interrupts the function.
    fn know_interrupts(&self, comparison: &Comparison, sums: &[Sums], doubts: &[Doubt], own: &mut Table, scale: &Scale, spec: &Spec) {
        let mut whole: BTreeMap<PlaceId, Sums> = BTreeMap::new();
        let (captured, tree) = (self.captured(), comparison.tree());
        for &row in &self.interrupts {
            let place = tree.places()[row];
            let above = tree.parents()[row].map_or(place, |parent| tree.places()[parent.row()]);
            whole.entry(place).or_insert(sums[place.row()]).replace(captured.own(row), &Sums::default());
            whole.entry(above).or_insert(sums[above.row()]).add(captured.own(row));
        }
        for (place, whole) in whole {
            let row = place.row();
            let test = scale.counts(&whole).map_or(Test::NONE, |counts| counts.test(doubts[row]));
            if own.verdict[row].is_change() && test.p > spec.level {
                own.verdict[row] = Verdict::Shift;
            }
        }
    }

    /// Puts nodes' own cost where it belongs: each row of `moves` to its node, in their order.
    pub(crate) fn put_together(&mut self, comparison: &Comparison, moves: impl IntoIterator<Item = (usize, NodeId)>) {
        let (tree, places) = (comparison.tree(), comparison.places());
        let mut nodes = Unfinished::copy(&self.ground.nodes);
        for (from, to) in moves.into_iter().checked() {
            let sums = std::mem::take(&mut nodes[from]);
            nodes[to.row()].add(&sums);
        }
        let (shapes, Added { totals, places: of_places, absolute }) = both(
            tree.len(),
            || Shapes::new(comparison, &nodes, &self.outermost, &self.nodes_of),
            || Added::new(&nodes, tree, places, &self.outermost),
        );
        self.absolute = absolute;
        let replaced = Captured {
            shapes: std::mem::replace(&mut self.shapes, shapes),
            nodes: std::mem::replace(&mut self.ground.nodes, nodes),
            totals: std::mem::replace(&mut self.totals, totals),
            places: std::mem::replace(&mut self.places, of_places),
        };
        // What was changed twice was captured before the first time.
        self.captured.get_or_insert(replaced);
    }

    /// The sums with what structure changes put together.
    pub(crate) fn tables(&self) -> Tables<'_> {
        Tables::new(&self.ground.nodes, &self.totals, &self.places)
    }

    /// The sums as captured.
    pub(crate) fn captured(&self) -> Tables<'_> {
        match &self.captured {
            Some(Captured { nodes, totals, places, .. }) => Tables::new(nodes, totals, places),
            None => self.tables(),
        }
    }

    pub(crate) fn known<'a>(&'a self, comparison: &'a Comparison, spec: &'a Spec) -> Known<'a> {
        Known { comparison, ground: &self.ground, shapes: &self.shapes, spec, repeats: &self.repeats, totals: &self.totals }
    }

    /// The nodes of a place.
    pub(crate) fn nodes_of(&self, place: PlaceId) -> impl Iterator<Item = usize> + '_ {
        self.nodes_of.of(place)
    }

    /// Sums of nodes.
    pub(crate) fn sums_of(&self, comparison: &Comparison, nodes: &NodeSet) -> Sums {
        sums_in(&self.tables(), comparison, nodes)
    }

    /// The same as captured.
    pub(crate) fn captured_sums_of(&self, comparison: &Comparison, nodes: &NodeSet) -> Sums {
        sums_in(&self.captured(), comparison, nodes)
    }

    /// The nodes of a place's self or total as disjoint ranges.
    pub(crate) fn ranges<'a>(
        &'a self,
        comparison: &'a Comparison,
        place: PlaceId,
        measure: Measure,
    ) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
        let ends = comparison.tree().subtree_ends();
        self.nodes_of(place).filter(move |&row| measure == Measure::Self_ || self.outermost[row]).map(move |row| match measure {
            Measure::Self_ => row..row + 1,
            Measure::Total => row..ends[row] as usize,
        })
    }

    /// The tables of all places and nodes, with what is not known of unchanged code. `weight` gives the part of the error level that the search
    /// spends on a place's self or total; without it all have the same. `explained` are the nodes that findings hold.
    pub(crate) fn judge(
        &self,
        comparison: &Comparison,
        model: &Model,
        spec: &Spec,
        weight: Option<&dyn Fn(Measure, PlaceId) -> Option<f64>>,
        explained: &NodeSet,
    ) -> Diff {
        let tree = comparison.tree();
        let (all, sums) = match &self.captured {
            Some(Captured { totals, places, .. }) => (totals, places),
            None => (&self.totals, &self.places),
        };
        let doubts = Measure::ALL.map(|measure| self.doubts(comparison, model, measure, &sums[measure as usize], explained));
        let (nodes, ([self_, total], tests)) = both(
            tree.len(),
            || {
                let mut nodes = node_diff(tree.places(), all, &doubts[1], &model.scale, spec);
                churn::mark(&mut nodes, tree, all, model.scale.exposure);
                nodes
            },
            || {
                let table = |row: usize| table_of(comparison, &sums[row], &doubts[row], &model.scale, spec);
                let mut tables = [table(0), table(1)];
                let tests = decide(comparison, &mut tables, sums, &model.scale, spec, weight);
                self.know_interrupts(comparison, &sums[0], &doubts[0], &mut tables[0], &model.scale, spec);
                (tables, tests)
            },
        );
        let (exposure, unchanged, noise, basis) = (model.scale.exposure, model.unchanged, model.noise, self.ground.basis);
        Diff { self_, total, nodes, exposure, unchanged, noise, tests, basis }
    }

    /// How much more (or less) a group varies between repeats than modelled, with the degrees of freedom; of the nodes as `shapes` has them, which
    /// `scratch` belongs to.
    pub(crate) fn repeated(
        &self,
        comparison: &Comparison,
        (place, measure, node): (PlaceId, Measure, Option<NodeId>),
        (sums, mix): (&Sums, Mix),
        background_noise: f64,
        (shapes, scratch): (&Shapes, &mut Scratch),
    ) -> Option<Repeated> {
        let repeats = self.repeats.as_ref()?;
        let background = sums.background_part(comparison.exposure().max(f64::MIN_POSITIVE));
        let inside = self.inside(comparison, repeats, (place, measure, node), (shapes, scratch));
        let known = repeats.known(mix.functions, inside, background, background_noise);
        let Some(node) = node else { return Some(repeats.factor_of(measure as usize, place.row(), sums, &known)) };
        Some(repeats.factor_of_values(in_captures(comparison, measure, &[node]), sums, &known))
    }

    /// The same of several nodes together, of which none is below another.
    pub(crate) fn repeated_together(
        &self,
        comparison: &Comparison,
        (measure, nodes): (Measure, &[NodeId]),
        (sums, mix): (&Sums, Mix),
        background_noise: f64,
    ) -> Option<Repeated> {
        let repeats = self.repeats.as_ref()?;
        let background = sums.background_part(comparison.exposure().max(f64::MIN_POSITIVE));
        let known = repeats.known(mix.functions, None, background, background_noise);
        Some(repeats.factor_of_values(in_captures(comparison, measure, nodes), sums, &known))
    }

    fn doubts(&self, comparison: &Comparison, model: &Model, measure: Measure, sums: &[Sums], explained: &NodeSet) -> Vec<Doubt> {
        let exposure = model.scale.exposure;
        let whole = (self.absolute[0] + self.absolute[1] / exposure).max(f64::MIN_POSITIVE);
        let (nodes, shapes) =
            self.captured.as_ref().map_or((&self.ground.nodes, &self.shapes), |captured| (&captured.nodes, &captured.shapes));
        let held = if explained.len() > 0 { self.held(comparison, nodes, measure, exposure, explained) } else { Vec::new() };
        let here = Here::new();
        let doubt = |scratch: &mut Scratch, (row, sums): (usize, &Sums)| {
            let Some(place) = PlaceId::from_row(row) else { return Doubt::NONE };
            here.checkpoint();
            let mix = if sums.pooled(1.0) > 0.0 { shapes.of_place(place, measure) } else { Mix::ONE };
            let repeated = self.repeated(comparison, (place, measure, None), (sums, mix), model.noise.background, (shapes, scratch));
            let own = sums.pooled(exposure);
            // What a finding holds is not part of the control group.
            let held = held.get(row).copied().unwrap_or(0.0);
            let inside = if own > 0.0 { (own - held).max(0.0).powi(2) / own / whole } else { 0.0 };
            model.doubt(sums, mix, repeated, inside)
        };
        // Few pieces: each has sums for all places of its own.
        let pieces = 2 * rayon::current_num_threads();
        let scratch = || shapes.scratch(comparison.places().len());
        sums.par_iter().enumerate().with_min_len((sums.len() / pieces).max(1 << 6)).map_init(scratch, doubt).collect()
    }

    /// Explained cost of both sides in every place's self or total.
    fn held(&self, comparison: &Comparison, nodes: &[Sums], measure: Measure, exposure: f64, explained: &NodeSet) -> Vec<f64> {
        let tree = comparison.tree();
        let mut made = vec![0.0; comparison.places().len()];
        if measure == Measure::Self_ {
            for row in explained.rows() {
                made[tree.places()[row].row()] += nodes[row].pooled(exposure);
            }
            return made;
        }
        // Of all nodes before each.
        let mut before = vec![0.0; nodes.len() + 1];
        for row in explained.rows() {
            before[row + 1] = nodes[row].pooled(exposure);
        }
        for row in (1..before.len()).checked() {
            before[row] += before[row - 1];
        }
        for (row, (place, &end)) in tree.places().iter().zip(tree.subtree_ends()).enumerate().checked() {
            if self.outermost[row] {
                made[place.row()] += before[end as usize] - before[row];
            }
        }
        made
    }
}

/// What nodes have together, by side and capture.
fn in_captures(comparison: &Comparison, measure: Measure, nodes: &[NodeId]) -> impl Fn(usize, usize) -> f64 {
    move |side, capture| {
        let weights = comparison.sides.get(side).and_then(|side| side.repeats().0.get(capture));
        let value = |weights: &Weights, node: NodeId| match measure {
            Measure::Self_ => weights.self_of(node),
            Measure::Total => weights.total_of(node),
        };
        weights.map_or(0.0, |weights| nodes.iter().map(|&node| value(weights, node) as f64).sum())
    }
}

fn sums_in(tables: &Tables<'_>, comparison: &Comparison, nodes: &NodeSet) -> Sums {
    let ends = comparison.tree().subtree_ends();
    let mut made = Sums::default();
    for range in nodes.ranges().iter().checked() {
        let mut row = range.start;
        while row < range.end {
            // Whole subtrees are added up already.
            let end = ends[row] as usize;
            let whole = end <= range.end;
            made.add(if whole { tables.total(row) } else { tables.own(row) });
            row = if whole { end } else { row + 1 };
        }
    }
    made
}

/// The ends of a 95 % interval as quantiles of a normal.
pub(crate) const ENDS: [f64; 2] = [-1.959_964, 1.959_964];

/// Rows of a table that one thread looks at before it asks, since all threads ask the same ticket.
const ROWS_AT_ONCE: usize = 1 << 6;

fn check_rows(here: &Here, row: usize) {
    if row.is_multiple_of(ROWS_AT_ONCE) {
        here.checkpoint();
    }
}

fn table_of(comparison: &Comparison, sums: &[Sums], doubts: &[Doubt], scale: &Scale, spec: &Spec) -> Table {
    let factor = |side: usize| comparison.sides.get(side).map_or(0.0, |side: &Side| comparison.factor(side));
    let factors = [factor(0), factor(1)];
    let side_of = |side: usize| -> Vec<f64> { sums.iter().map(|sums| sums.value[side]).collect() };
    let raw = [side_of(0), side_of(1)];
    let value = [0, 1].map(|side| raw[side].iter().map(|value| value * factors[side]).collect::<Vec<f64>>());
    let delta = value[0].iter().zip(&value[1]).map(|(before, after)| after - before).collect();
    let here = Here::new();
    let tested: Vec<(Test, (f64, f64))> = sums
        .par_iter()
        .zip(doubts)
        .enumerate()
        // Once cancelled, each piece ends by unwinding.
        .with_min_len(ROWS_AT_ONCE)
        .inspect(|(row, _)| check_rows(&here, *row))
        .map(|(_, (sums, &doubt))| match scale.counts(sums) {
            Some(counts) if counts.are_enough(spec) => (counts.test(doubt), counts.interval(doubt, ENDS)),
            Some(counts) => (Test::NONE, counts.interval(doubt, ENDS)),
            None => (Test::NONE, (0.0, f64::INFINITY)),
        })
        .collect();
    let ratio: Vec<f64> = sums.iter().map(|sums| sums.value[1] / sums.value[0] / scale.exposure).collect();
    // Intervals are made from counts and a half, which one event with nearly all of the cost can leave far from the estimate.
    let held = tested.iter().zip(&ratio).map(|(row, ratio)| (row.1.0.min(*ratio), row.1.1.max(*ratio)));
    let (lo, hi) = held.unzip();
    Table {
        ratio,
        lo,
        hi,
        z: tested.iter().map(|row| row.0.z).collect(),
        p: tested.iter().map(|row| row.0.p).collect(),
        q: vec![1.0; sums.len()],
        events: [0, 1].map(|side| sums.iter().map(|sums| sums.events[side]).collect()),
        minimum_detectable: Vec::new(),
        needed: Vec::new(),
        verdict: Vec::new(),
        raw,
        value,
        delta,
        extra: doubts.iter().map(|doubt| doubt.extra).collect(),
        freedom: doubts.iter().map(|doubt| if doubt.extra > 0.0 { doubt.freedom } else { f64::INFINITY }).collect(),
    }
}

/// False discovery rates over both tables together, and every row's own verdict; gives the number of tests.
fn decide(
    comparison: &Comparison,
    tables: &mut [Table; 2],
    sums: &[Vec<Sums>; 2],
    scale: &Scale,
    spec: &Spec,
    weight: Option<&dyn Fn(Measure, PlaceId) -> Option<f64>>,
) -> usize {
    // A test is possible or not by the sum of both sides, which says nothing about their difference: leaving rows out costs nothing.
    let testable = |sums: &Sums| scale.counts(sums).is_some_and(|counts| counts.are_enough(spec));
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
    // There are few different weights.
    let mut widths: FxHashMap<u64, f64> = FxHashMap::default();
    let mut width_of = |measure: Measure, place: PlaceId| match weight.and_then(|weight| weight(measure, place)) {
        Some(weight) => *widths.entry(weight.to_bits()).or_insert_with(|| power_width(spec.level * weight)),
        None => searched,
    };
    let here = Here::new();
    for ((measure, table), sums) in Measure::ALL.into_iter().zip(tables.iter_mut()).zip(sums) {
        let widths: Vec<f64> = comparison.places().ids().checked().map(|place| width_of(measure, place)).collect();
        let say = |(row, (sums, &width)): (usize, (&Sums, &f64))| -> (f64, Needed, Verdict) {
            let counts = scale.counts(sums);
            let (extra, freedom) = (table.extra[row], table.freedom[row]);
            let detectable = |width: f64| {
                counts.map_or(f64::INFINITY, |c| minimum_detectable_at(c.before, c.exposure, extra, doubtful_width(width, freedom)))
            };
            let needed =
                counts.map_or(Needed::UNKNOWN, |c| needed(c.before, c.exposure, extra, doubtful_width(width, freedom), spec.growth));
            let enough = counts.is_some_and(|counts| counts.are_enough(spec));
            let verdict = if enough && table.q[row] <= spec.level {
                let small = is_small([table.value[0][row], table.value[1][row]], [table.lo[row], table.hi[row]], largest, spec);
                if small { Verdict::Small } else { verdict_of_sides(table.raw[0][row], table.raw[1][row], table.z[row]) }
            } else if !enough || detectable(alone) > 1.0 {
                Verdict::TooFew
            } else {
                Verdict::Noise
            };
            (detectable(width), needed, verdict)
        };
        let rows = sums.par_iter().zip(&widths).enumerate().with_min_len(ROWS_AT_ONCE).inspect(|(row, _)| check_rows(&here, *row));
        let said: Vec<(f64, Needed, Verdict)> = rows.map(say).collect();
        table.minimum_detectable = said.iter().map(|row| row.0).collect();
        table.needed = said.iter().map(|row| row.1).collect();
        table.verdict = said.iter().map(|row| row.2).collect();
    }
    tests
}

/// The larger of both sides' normalised totals: what minimum effects are a part of.
pub(crate) fn largest_total(comparison: &Comparison) -> f64 {
    comparison.sides.iter().map(|side| side.denominator() * comparison.factor(side)).fold(0.0, f64::max)
}

pub(crate) fn verdict_of_sides(before: f64, after: f64, z: f64) -> Verdict {
    match (before == 0.0, after == 0.0, z > 0.0) {
        (true, false, _) => Verdict::New,
        (false, true, _) => Verdict::Gone,
        (_, _, true) => Verdict::Regression,
        _ => Verdict::Improvement,
    }
}

/// True where the change is surely below the minimum effect: the interval of its ratio lies within 1 ± the minimum, and the largest change in it
/// is below the minimum part of the total.
pub(crate) fn is_small(value: [f64; 2], interval: [f64; 2], largest: f64, spec: &Spec) -> bool {
    let [before, after] = value;
    let [lo, hi] = interval;
    let within = lo > 1.0 / (1.0 + spec.min_ratio) && hi < 1.0 + spec.min_ratio;
    // From either side alike, so that swapped sides say the same.
    within && before.max(after) * (hi - 1.0).max(1.0 / lo - 1.0) < spec.min_share * largest
}
