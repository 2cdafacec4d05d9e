//! What every judgement of two sides starts from: the sums of nodes and places, and what is known beside them.
//!
//! Deliberately absent: what unchanged code varies by ([`noise`](super::noise)) and which rows are changes ([`tables`](super::tables)).
//! Start reading at [`Base::new`], then [`Base::judge`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::ground::{Added, Ground, Scale, Sums, Tables};
use super::left::NodeSet;
use super::nodes::node_diff;
use super::noise::{Known, Model};
use super::repeats::{self, Repeated, Repeats};
use super::shape::{Mix, Scratch, Shapes};
use super::tables::{decide, table_of};
use super::{Diff, Measure, Spec, Table, Verdict, background, churn};
use crate::analysis::Weights;
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::place::PlaceId;
use crate::analysis::stats::{Doubt, Test};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Here, both};

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
    /// Those of which that cost was put together with their callers'.
    folded: Vec<usize>,
}

/// What stood in the place of sums that were changed.
pub(super) struct Captured {
    nodes: Unfinished<Vec<Sums>>,
    totals: Unfinished<Vec<Sums>>,
    places: [Vec<Sums>; 2],
    shapes: Shapes,
}

/// The nodes of each place.
#[derive(Debug)]
pub(crate) struct NodesOf {
    /// `rows[start[place]..start[place + 1]]`, ascending.
    start: Vec<u32>,
    rows: Vec<u32>,
}

impl NodesOf {
    pub(super) fn new(tree: &CallTree, places: usize) -> Self {
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

/// Of the nodes that interrupt their callers those whose cost is surely their callers', see [`background::interrupts_doubt`]: of what a function has there
/// only a part stays background work.
fn trusted(nodes: &mut [Sums], tree: &CallTree, interrupts: &[usize]) -> Vec<usize> {
    /// Beyond this nothing is known.
    const DOUBTED: f64 = 0.5;
    let caller = |row: usize| tree.parents()[row].map(NodeId::row);
    // Events of each interrupted function: its own, and those of its interruptions.
    let mut functions: BTreeMap<PlaceId, [[f64; 2]; 2]> = BTreeMap::new();
    let mut callers: Vec<usize> = interrupts.iter().filter_map(|&row| caller(row)).collect();
    callers.sort_unstable();
    callers.dedup();
    let interrupted = interrupts.iter().filter_map(|&row| Some((caller(row)?, nodes[row].events, 1)));
    for (caller, events, kind) in callers.iter().map(|&row| (row, nodes[row].events, 0)).chain(interrupted) {
        let sums = functions.entry(tree.places()[caller]).or_default();
        (0..2).for_each(|side| sums[kind][side] += events[side]);
    }
    let mut trusted = Vec::new();
    for &row in interrupts {
        let function = caller(row).and_then(|caller| functions.get(&tree.places()[caller]));
        let doubt = function.map_or(1.0, |[own, interrupted]| background::interrupts_doubt(*own, *interrupted));
        if doubt < DOUBTED {
            // What a function has in all varies with the product of both: of what varies, and of how much of it stands there.
            nodes[row].background = nodes[row].background.map(|part| part * doubt * doubt);
            trusted.push(row);
        }
    }
    trusted
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
        let mut interrupts = background::interrupts(tree, places);
        interrupts.retain(|&row| !ground.nodes[row].is_nothing());
        let folded = trusted(&mut ground.nodes, tree, &interrupts);
        let (shapes, Added { totals, places: sums, absolute }) = both(
            tree.len(),
            || Shapes::new(comparison, &ground.nodes, &outermost, &nodes_of),
            || Added::new(&ground.nodes, tree, places, &outermost),
        );
        let scale = Scale { exposure: comparison.exposure(), event_cost: ground.event_cost };
        let run_noise = ground.basis.run_noise(comparison.sample_type.starts_with("inuse"));
        let repeats = Repeats::new(comparison, &sums[0], &scale, run_noise).map(Arc::new);
        let moves: Vec<(usize, NodeId)> = folded.iter().filter_map(|&row| Some((row, tree.parents()[row]?))).collect();
        let (places, captured) = (sums, None);
        let mut base = Self { ground, outermost, shapes, totals, places, absolute, nodes_of, repeats, captured, interrupts, folded };
        if !moves.is_empty() {
            base.put_together(comparison, moves);
        }
        Some(base)
    }

    /// True for a node whose own cost was put together with that of its caller.
    pub(crate) fn is_interrupt(&self, node: NodeId) -> bool {
        self.folded.binary_search(&node.row()).is_ok()
    }

    /// True where some of what is a place's own by the search, on all paths or at a node, was counted at what only interrupts it.
    pub(crate) fn is_interrupted(&self, comparison: &Comparison, place: PlaceId, node: Option<NodeId>) -> bool {
        let tree = comparison.tree();
        let is_of = |parent: NodeId| node.map_or(tree.place(parent) == place, |node| node == parent);
        self.folded.iter().any(|&row| tree.parents()[row].is_some_and(is_of))
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

    /// Calls a change of own cost a move where it is none with what only interrupts the function, and any change of what interrupts.
    pub(super) fn know_interrupts(
        &self,
        comparison: &Comparison,
        sums: &[Sums],
        doubts: &[Doubt],
        [own, total]: &mut [Table; 2],
        scale: &Scale,
        spec: &Spec,
    ) {
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
        for place in self.folded.iter().map(|&row| tree.places()[row].row()) {
            if total.verdict[place].is_change() {
                total.verdict[place] = Verdict::Shift;
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
    ) -> impl Iterator<Item = Range<usize>> + 'a {
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
                // How much of a function's cost stands there is chance.
                self.folded.iter().for_each(|&row| nodes.certainty[row] = 0.0);
                nodes
            },
            || {
                let table = |row: usize| table_of(comparison, &sums[row], &doubts[row], &model.scale, spec);
                let mut tables = [table(0), table(1)];
                let tests = decide(comparison, &mut tables, sums, &model.scale, spec, weight);
                self.know_interrupts(comparison, &sums[0], &doubts[0], &mut tables, &model.scale, spec);
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

    pub(super) fn doubts(
        &self,
        comparison: &Comparison,
        model: &Model,
        measure: Measure,
        sums: &[Sums],
        explained: &NodeSet,
    ) -> Vec<Doubt> {
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
    pub(super) fn held(&self, comparison: &Comparison, nodes: &[Sums], measure: Measure, exposure: f64, explained: &NodeSet) -> Vec<f64> {
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
pub(super) fn in_captures(comparison: &Comparison, measure: Measure, nodes: &[NodeId]) -> impl Fn(usize, usize) -> f64 {
    move |side, capture| {
        let weights = comparison.sides.get(side).and_then(|side| side.repeats().0.get(capture));
        let value = |weights: &Weights, node: NodeId| match measure {
            Measure::Self_ => weights.self_of(node),
            Measure::Total => weights.total_of(node),
        };
        weights.map_or(0.0, |weights| nodes.iter().map(|&node| value(weights, node) as f64).sum())
    }
}

pub(super) fn sums_in(tables: &Tables<'_>, comparison: &Comparison, nodes: &NodeSet) -> Sums {
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
