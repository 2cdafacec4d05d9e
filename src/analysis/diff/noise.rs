//! How much unchanged code varies beyond sampling, and by how much the amount of work differs: from the captures themselves, from
//! repeats, and from what is known of runtimes.
//!
//! The bulk of the functions is the control group. Deliberately absent: which change explains which (`regress`), which tells this
//! module what is explained already. Start reading at [`Model::estimate`].

use std::sync::Arc;

use super::background;
use super::ground::{Counts, Ground, Scale, Sums, Tables};
use super::left::NodeSet;
use super::repeats::{Repeated, Repeats};
use super::shape::{Mix, Shapes};
use super::{Exposure, Interval, Spec};
use crate::analysis::comparison::{Comparison, Normalization};
use crate::analysis::stats::bulk::{Cell, Spread, biweight, dispersion, spread_or_changes};
use crate::analysis::stats::{Doubt, student_from_normal};
use crate::analysis::work::Amount;
use crate::base::ticket::Checked as _;

/// Prior knowledge counts as this many functions.
const PRIOR_CELLS: f64 = 4.0;
/// Functions with at least this many effective events on both sides together are cells of their own; smaller ones share one.
const CELL_EVENTS: f64 = 40.0;
/// With fewer cells than this the bulk does not say how much work was done: the normalisation does.
pub(crate) const MIN_CELLS: usize = 8;
/// Fewer subtrees than this say nothing about their spread.
const MIN_SUBTREES: usize = 5;
/// From this many on they may say that they vary by more than twice what is known of such profiles.
const MANY_SUBTREES: usize = 10;
/// An explanation with more than this part of a subtree is one of the subtree itself.
const MOST_OF_SUBTREE: f64 = 0.5;
/// How sure a normalisation is of the ratio of work, as a standard deviation of its logarithm.
const SURE: f64 = 0.03;
const UNSURE: f64 = 0.3;

/// Noise beyond sampling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Coefficient of variation of ln(after / before) of single functions.
    pub function: f64,
    /// The same for whole subtrees: what does not average out over the functions inside, such as a different mix of requests.
    pub shared: f64,
    /// Coefficient of variation of a runtime's background work from run to run.
    pub background: f64,
    /// Number of functions that served as the control group.
    pub cells: usize,
    /// Captures of the side with fewer.
    pub repeats: usize,
    /// True where repeats say how much each place varies: of fewer than five captures of both sides together the functions say more.
    pub is_from_repeats: bool,
    /// Where single captures have times: blocks of time of the side with fewer, and the length of one in nanoseconds. They say how much each
    /// place comes in bursts.
    pub slices: Option<(usize, i64)>,
}

/// Work after over work before where it is known, as numbers of requests, and the variance of its logarithm where it was sampled.
pub(crate) fn given_work(comparison: &Comparison, spec: &Spec) -> Option<(f64, f64)> {
    let given = spec.exposure == Exposure::Normalization && matches!(comparison.effective_normalization(), Normalization::PerRequest(_));
    let ratio = given.then(|| comparison.exposure()).filter(|ratio| *ratio > 0.0 && ratio.is_finite())?;
    Some((ratio, comparison.sides.iter().filter_map(|side| side.work).map(Amount::variance).sum()))
}

/// What is known of unchanged code once some changes are explained.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) noise: Noise,
    /// With the ratio of work that findings are held against.
    pub(crate) scale: Scale,
    /// Variance of its logarithm.
    pub(crate) work: f64,
    /// What of that comes from subtrees that vary together.
    work_shared: f64,
    /// Variance of that logarithm where the ratio is what all that nothing explains did: tests hold everything against it, so it is no doubt of theirs.
    pub(crate) rest: f64,
    /// The ratio of work as the bulk says, where it can.
    pub(crate) unchanged: Option<Interval>,
    function: Spread,
    shared: Spread,
    pub(crate) repeats: Option<Arc<Repeats>>,
    bulk: Bulk,
}

/// What stays the same while changes are explained.
pub(crate) struct Known<'a> {
    pub(crate) comparison: &'a Comparison,
    pub(crate) ground: &'a Ground,
    pub(crate) shapes: &'a Shapes,
    pub(crate) spec: &'a Spec,
    pub(crate) repeats: &'a Option<Arc<Repeats>>,
    /// Sums of every node's total with nothing explained.
    pub(crate) totals: &'a [Sums],
}

impl Known<'_> {
    /// Exposure by normalisation, and how sure it is.
    fn normalized(&self) -> (f64, f64) {
        let sure = match self.comparison.effective_normalization() {
            Normalization::Absolute => SURE,
            _ => UNSURE,
        };
        (self.comparison.exposure(), sure)
    }

    /// Coefficient of variation of unchanged code from run to run, as far as it is known of such profiles.
    fn prior(&self) -> f64 {
        let in_use = self.comparison.sample_type.starts_with("inuse");
        self.spec.run_noise.unwrap_or_else(|| self.ground.basis.run_noise(in_use))
    }
}

/// The control group, before anything is said about subtrees.
#[derive(Clone, Debug)]
struct Bulk {
    /// The ratio of work as it says, and the variance of its logarithm.
    exposure: f64,
    work: f64,
    /// Beside what is explained, with all that is known of their variances; see [`Control::even`].
    cells: Vec<Cell>,
    /// They do not say how much work was done.
    is_few: bool,
}

/// A cell with the nodes' sums it was made of and the part of the noise per function that is left in it.
struct Control {
    cell: Cell,
    counts: Counts,
    left: f64,
    /// A function alone, and not several together.
    single: Option<usize>,
}

impl Control {
    /// The effect on a scale on which chance is as normal as it gets. ln(after / before) of few events has a long tail to the side that expects fewer: of
    /// a capture that is ten times as long as the other, hundreds of calm functions would look as if some came in bursts.
    fn even(&self) -> f64 {
        self.counts.quick_z(0.0) * self.cell.variance.sqrt()
    }
}

impl Model {
    /// True where runs of the same code say how much it varies, and not only one run of each side.
    pub(crate) fn has_runs(&self) -> bool {
        self.repeats.as_ref().is_some_and(|repeats| !repeats.is_slices)
    }

    /// Estimates from what is left unexplained: sums with explained changes taken out. `rest` is the ratio
    /// of values of the nodes that nothing explained, for closed systems with few functions. `settled` are the nodes of all explanations once no more are
    /// searched: then those of whole subtrees are held against subtrees that vary.
    pub(crate) fn estimate(known: &Known<'_>, left: Tables<'_>, settled: Option<&[&NodeSet]>, rest: Option<f64>) -> Self {
        let (comparison, spec) = (known.comparison, known.spec);
        let selfs = &left.places[0];
        let (normalized, sure) = known.normalized();
        let base = Scale { exposure: normalized, event_cost: known.ground.event_cost };
        let mut controls = controls(selfs, &base);
        let few = controls.len() < MIN_CELLS;
        let prior = known.prior();
        // What is new or gone says nothing about how much unchanged code varies.
        let lasting = |control: &&Control| control.single.is_some() && control.counts.before > 0.0 && control.counts.after > 0.0;
        let repeats = known.repeats.clone();
        // What comes in bursts is known to, and does not make the others uncertain.
        let bursts = |control: &Control| match control.single.zip(repeats.as_ref().filter(|repeats| repeats.is_slices)) {
            Some((place, repeats)) => repeats.bursts(repeats.factor_of_self(place).0, control.cell.variance, control.left),
            None => 0.0,
        };
        let widen = |control: &Control| Cell { variance: control.cell.variance + bursts(control), ..control.cell };
        let singles: Vec<Cell> = controls.iter().filter(lasting).map(widen).collect();
        let mut function = dispersion(&singles, None, prior * prior, PRIOR_CELLS);
        if few {
            // Among so few functions a change is as much of the control group as what is unchanged.
            function.variance = function.variance.min(2.0 * prior * prior);
        }
        let runs = repeats.as_ref().filter(|repeats| !repeats.is_slices);
        if let Some(repeats) = runs {
            function = repeats.function_spread();
        }
        let widened = |controls: &[Control]| -> Vec<Cell> {
            controls
                .iter()
                .map(|control| {
                    let model = control.cell.variance + function.variance * control.left;
                    let by = control.single.zip(runs).map_or(1.0, |(place, repeats)| repeats.factor_of_self(place).0);
                    Cell { variance: model * by + bursts(control), ..control.cell }
                })
                .collect()
        };
        let (mut exposure, mut work) = (normalized, 0.0);
        // The variances of cells assume the ratio that comes out: twice is enough.
        for _ in 0..2 {
            let mut cells = widened(&controls);
            if spec.exposure == Exposure::Normalization && !few {
                cells.push(Cell { effect: (normalized / exposure).ln(), variance: sure * sure });
            }
            let Some((centre, variance)) = biweight(&cells, 0.0).filter(|_| !few) else { break };
            exposure *= centre.exp();
            work = variance;
            controls = self::controls(selfs, &Scale { exposure, ..base });
        }
        let noise = Noise {
            function: function.variance.sqrt(),
            shared: 0.0,
            background: spec.background_noise,
            cells: controls.len(),
            repeats: comparison.sides.iter().map(|side| side.captures.len()).min().unwrap_or(0),
            is_from_repeats: runs.is_some(),
            slices: repeats.as_ref().filter(|repeats| repeats.is_slices).and_then(|_| {
                let slices = comparison.sides.iter().filter_map(|side| side.slices.as_ref());
                slices.map(|slices| (slices.blocks.round() as usize, slices.length_nanos)).min()
            }),
        };
        let cells = controls.iter().zip(widened(&controls)).map(|(control, cell)| Cell { effect: control.even(), ..cell }).collect();
        let bulk = Bulk { exposure, work, cells, is_few: few };
        let calm = Spread { variance: 0.0, freedom: f64::INFINITY };
        let scale = Scale { exposure, ..base };
        let made = Self { noise, scale, work, work_shared: 0.0, rest: 0.0, unchanged: None, function, shared: calm, repeats, bulk };
        made.with_subtrees(known, left, settled, rest)
    }

    /// The same functions beside subtrees that vary, see [`Model::estimate`]: for a model of the same explanations.
    pub(crate) fn with_subtrees(mut self, known: &Known<'_>, left: Tables<'_>, settled: Option<&[&NodeSet]>, rest: Option<f64>) -> Self {
        let (comparison, spec) = (known.comparison, known.spec);
        let Bulk { mut exposure, mut work, is_few, .. } = self.bulk;
        let scale = Scale { exposure, ..self.scale };
        let runs = self.repeats.clone().filter(|repeats| !repeats.is_slices);
        let (normalized, sure) = known.normalized();
        let spread = subtrees(known, left, settled.unwrap_or_default(), &scale, self.function.variance);
        let shared = if spread.cells.len() >= MIN_SUBTREES && runs.is_none() && !is_few {
            // While changes are searched, what lies far out may be one of them.
            let seen = match settled {
                Some(_) => spread_or_changes(&spread.cells, (2.0 * left.places[0].len() as f64).ln()),
                None => dispersion(&spread.cells, Some(0.0), 0.0, 0.0),
            };
            // Among few subtrees those that changed are as much of the control group as the others.
            let prior = known.prior();
            let most = if spread.cells.len() < MANY_SUBTREES { 4.0 * prior * prior } else { f64::INFINITY };
            Spread { variance: seen.variance.min(most), ..seen }
        } else {
            Spread { variance: 0.0, freedom: f64::INFINITY }
        };
        // Whole subtrees that vary together leave less that is independent than there are functions.
        let mut work_shared = shared.variance * spread.concentration;
        work += work_shared;
        if let Some(repeats) = &runs {
            work = work.max(repeats.wander);
        }
        if is_few {
            if rest.is_some() || *comparison.effective_normalization() == Normalization::Share {
                self.rest = rest_variance(left, &scale, self.function.variance);
            }
            let unsure = if sure < UNSURE { SURE * SURE / 4.0 } else { 0.0 };
            (exposure, work) = (rest.unwrap_or(normalized), unsure + runs.as_ref().map_or(0.0, |repeats| repeats.common));
        } else {
            let unsure = work_shared.powi(2) / shared.freedom.max(2.0);
            let half = student_from_normal(1.96, if unsure > 0.0 { work * work / unsure } else { f64::INFINITY }) * work.sqrt();
            self.unchanged = Some(Interval { ratio: exposure, lo: exposure * (-half).exp(), hi: exposure * half.exp() });
        }
        if let Some(given) = given_work(comparison, spec) {
            (exposure, work, work_shared) = (given.0, given.1, 0.0);
            self.rest = 0.0;
            // The work is known, not what a unit of it costs from run to run.
            work += runs.as_ref().map_or(0.0, |repeats| repeats.common);
        }
        self.noise.shared = shared.variance.sqrt();
        self.scale.exposure = exposure;
        (self.work, self.work_shared, self.shared) = (work, work_shared, shared);
        self
    }

    /// The control group beside what is explained, with all that is known of its variances.
    pub(crate) fn bulk(&self) -> &[Cell] {
        &self.bulk.cells
    }

    /// Variance of ln(after / before) that whole subtrees have in common.
    pub(crate) const fn shared(&self) -> f64 {
        self.shared.variance
    }

    /// A group beside the control group: of one function, as it varies from run to run too.
    pub(crate) fn cell(&self, sums: &Sums) -> Option<Cell> {
        let counts = self.scale.counts(sums)?;
        Some(Cell { effect: counts.effect(), variance: counts.sampling_unchanged() + self.function.variance })
    }

    /// What is not known of a group: its variance beyond sampling and how well that is known. `repeated` is what its repeats say. `inside` is the part of
    /// the control group that the group itself is: it is compared with the rest, so what it shares with the ratio of work is not counted.
    pub(crate) fn doubt(&self, sums: &Sums, mix: Mix, repeated: Option<Repeated>, inside: f64) -> Doubt {
        let background = sums.background_part(self.scale.exposure);
        let calm = (1.0 - background) * (1.0 - background);
        let function = self.function.variance * mix.functions * calm;
        let shared = self.shared.variance * mix.subtrees * calm;
        let runtime = background::variance(self.noise.background, background, mix.functions);
        let repeats = self.repeats.as_ref().zip(repeated);
        if let Some((repeats, Repeated { factor, freedom, functions })) = repeats.filter(|(repeats, _)| !repeats.is_slices) {
            let sampling = self.scale.counts(sums).map_or(0.0, Counts::sampling_unchanged);
            let own = ((sampling + (functions + runtime) * repeats.averaged) * factor).max(sampling);
            return Doubt { extra: self.beside(own, sampling, inside) - sampling, freedom };
        }
        let sampling = self.scale.counts(sums).map_or(0.0, Counts::sampling);
        // Of both runs: the noise is that of one.
        let by_runtime = 2.0 * runtime;
        let (bursts, known) = repeats.map_or((0.0, f64::INFINITY), |(repeats, Repeated { factor, freedom, .. })| {
            let unchanged = self.scale.counts(sums).map_or(0.0, Counts::sampling_unchanged);
            // Samples that come together are fewer events, also where a side has none: variance grows by the same factor on both.
            let thinned = if unchanged > 0.0 { repeats.bursts(factor, unchanged, mix.functions) / unchanged } else { 0.0 };
            (thinned * sampling, freedom)
        });
        let extra = self.beside(sampling + function + shared + by_runtime + bursts, sampling, inside) - sampling;
        // Satterthwaite: how well the sum is known, from how well its parts are.
        let part = |variance: f64, freedom: f64| if freedom.is_finite() && freedom > 0.0 { variance * variance / freedom } else { 0.0 };
        let unsure = part(function, self.function.freedom.max(3.0))
            + part(shared + self.work_shared, self.shared.freedom.max(3.0))
            + part(bursts, known);
        let freedom = if unsure > 0.0 { (sampling + extra).powi(2) / unsure } else { f64::INFINITY };
        Doubt { extra, freedom }
    }
}

impl Model {
    /// Variance of a group beside the ratio of work, from its own. By sampling a group counts in the ratio of work as much as it is of the control
    /// group, and sampling·inside is their covariance; more than half of it is not a part any more.
    fn beside(&self, own: f64, sampling: f64, inside: f64) -> f64 {
        // Where the ratio of work was not taken from the functions, no group has a part in it.
        let inside = if self.unchanged.is_some() && self.work > 0.0 { inside.min(0.5) } else { 0.0 };
        own - 2.0 * sampling * inside + self.work
    }
}

/// The control group: functions with enough events alone, all smaller ones in bunches, in name order. Which is which follows from both sides
/// together and says nothing about their difference.
fn controls(selfs: &[Sums], scale: &Scale) -> Vec<Control> {
    let mut made = Vec::new();
    let (mut bunch, mut squares) = (Sums::default(), 0.0);
    let control = |sums: &Sums, left: f64, single: Option<usize>| -> Option<Control> {
        let counts = scale.counts(sums)?;
        Some(Control { cell: Cell { effect: counts.effect(), variance: counts.sampling_unchanged() }, counts, left, single })
    };
    for (row, sums) in selfs.iter().enumerate().skip(1).checked() {
        let pooled = sums.pooled(scale.exposure);
        if sums.background_part(scale.exposure) > 0.5 {
            continue;
        }
        let Some(counts) = scale.counts(sums) else { continue };
        if counts.both() >= CELL_EVENTS {
            made.extend(control(sums, 1.0, Some(row)));
            continue;
        }
        bunch.add(sums);
        squares += pooled * pooled;
        if scale.counts(&bunch).is_some_and(|counts| counts.both() >= CELL_EVENTS) {
            let whole = bunch.pooled(scale.exposure);
            made.extend(control(&bunch, squares / (whole * whole), None));
            (bunch, squares) = (Sums::default(), 0.0);
        }
    }
    made.retain(|control| control.counts.both() > 0.0);
    made
}

/// Variance of the logarithm of what is left after over what is left before: by sampling, and by what functions vary by each for itself.
fn rest_variance(left: Tables<'_>, scale: &Scale, function: f64) -> f64 {
    let sampling = left.all().and_then(|all| scale.counts(all)).map_or(0.0, Counts::sampling);
    let parts = left.places[0].iter().skip(1).map(|sums| sums.pooled(scale.exposure));
    let (whole, squares) = parts.fold((0.0, 0.0), |(whole, squares), part| (whole + part, squares + part * part));
    sampling + if whole > 0.0 { function * squares / (whole * whole) } else { 0.0 }
}

/// Disjoint large subtrees as cells, and the sum of their squared parts of the whole.
struct Subtrees {
    cells: Vec<Cell>,
    concentration: f64,
}

fn subtrees(known: &Known<'_>, left: Tables<'_>, explained: &[&NodeSet], scale: &Scale, function: f64) -> Subtrees {
    let shapes = known.shapes;
    let mut whole_explained = vec![false; shapes.roots().count() + 1];
    for set in explained {
        for (subtree, part) in shapes.parts(known.comparison.tree(), set.ranges()) {
            whole_explained[subtree] |= part > MOST_OF_SUBTREE;
        }
    }
    let mut rest = Sums::default();
    for row in shapes.divided() {
        rest.add(left.own(row));
    }
    let of_root = |(at, row): (usize, usize)| if whole_explained[at + 1] { known.totals[row] } else { *left.total(row) };
    let sums: Vec<Sums> = std::iter::once(rest).chain(shapes.roots().enumerate().map(of_root)).checked().collect();
    let whole: f64 = sums.iter().map(|sums| sums.pooled(scale.exposure)).sum();
    let part = |sums: &Sums| sums.pooled(scale.exposure) / whole;
    let concentration: f64 = sums.iter().map(|sums| part(sums).powi(2)).sum();
    let cell = |(row, sums): (usize, &Sums)| -> Option<Cell> {
        let counts = scale.counts(sums).filter(|counts| counts.both() >= CELL_EVENTS)?;
        let background = sums.background_part(scale.exposure) > 0.5;
        // The whole itself lies where they lie on average: each is held against the others.
        let own = (1.0 - part(sums)).powi(2).max(0.01);
        let variance = (counts.sampling_unchanged() + function * shapes.subtree_mix(row).functions) * own;
        // Of what they vary by each for itself, beside an average that varies by their squared parts of it.
        let shared = (1.0 - 2.0 * part(sums) + concentration).max(0.01);
        (!background && row > 0).then_some(Cell { effect: counts.effect() / shared.sqrt(), variance: variance / shared })
    };
    Subtrees { cells: sums.iter().enumerate().filter_map(cell).collect(), concentration }
}
