//! Functions whose cost is their callers' on the other side: inlined ones, those that are inlined no longer, and wrappers.
//!
//! Both readings are held against the counts of the nodes that would take the cost over: its callers' own, and their callees of the same names as its
//! own. New cost leaves them as they are; folded cost makes them fall short of the other side by just as much. Start reading at [`detect`].

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::moved::together;
use super::sided;
use super::structure::{Fate, MOST_NODES, OneSided, Own, Structure};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::{Comparison, Normalization};
use crate::analysis::diff::ground::{Ground, Scale, Sums};
use crate::analysis::diff::noise::MIN_CELLS;
use crate::analysis::diff::{Base, Verdict, background};
use crate::analysis::place::{PlaceId, Places};
use crate::analysis::stats::bulk::{Cell, biweight};
use crate::base::ticket::{Checked as _, Here};

/// Evidence by which folding must fit better than new or vanished cost.
const BETTER: f64 = 3.0;
/// The same for some of a function's callers: of those there are many more.
const BETTER_AT_CALLERS: f64 = 6.0;
/// At most this many functions are looked at whose calls at some callers stand on one side.
const MOST_CALLS: usize = 200;
/// Functions inlined into each other up to this depth.
const DEPTH: usize = 3;
/// A wrapper has less than this part of its total of its own: nearly nothing.
const WRAPPER: f64 = 0.05;
/// From so many functions on that may have been folded they are asked together what the ratio of work is.
const MANY: usize = 4;
/// This part of them makes the others likely.
const LIKELY: f64 = 0.75;
/// Functions with at least this many events on both sides together say what the ratio of work is.
const CELL_EVENTS: f64 = 40.0;
/// What single functions vary by from run to run, as a coefficient of variation.
const VARIES: f64 = 0.05;
/// A function is at most so far from unchanged, as a chi-square of one degree of freedom: how much what changed did so tells nothing of the others.
const FAR: f64 = 9.0;
/// What explains a change leaves less of its misfit than this part.
const MOST_LEFT: f64 = 0.5;

/// A function on one side only (or those of its paths that are) with what would take its cost over.
struct Candidate {
    place: PlaceId,
    /// Its total.
    sums: Sums,
    /// Its own cost on both sides together.
    own: f64,
    /// Events on the side where it is not.
    strays: f64,
    /// Nodes below it, and itself, with the nodes that would take their own cost over.
    moves: Vec<(usize, NodeId)>,
    /// Evidence by which folding must fit better.
    better: f64,
}

/// The functions on one side only whose cost fits better into their callers.
pub(super) fn detect<'a>(
    comparison: &Comparison,
    base: &Base,
    one_sided: impl Iterator<Item = &'a OneSided>,
    scale: &Scale,
) -> Vec<Structure> {
    let candidates: Vec<Candidate> = one_sided.filter_map(|row| Candidate::of_function(comparison.tree(), row)).collect();
    best(comparison, base, &candidates, scale).into_iter().map(|(_, structure)| structure).collect()
}

/// Functions that are inlined into some of their callers on one side only, as optimisation by profiles does it: each with the nodes that are.
pub(super) fn at_callers(comparison: &Comparison, base: &mut Base, known: &[Structure], scale: &Scale) -> Vec<(Structure, Vec<NodeId>)> {
    let known: Vec<PlaceId> = known.iter().flat_map(|row| row.pair().map_or(vec![row.place], Vec::from)).collect();
    let mut made: Vec<(Structure, Vec<NodeId>)> = Vec::new();
    // What was inlined into a function that was inlined itself is seen once that is folded.
    for _ in 0..DEPTH {
        let taken: Vec<PlaceId> = known.iter().copied().chain(made.iter().map(|row| row.0.place)).collect();
        let groups = Calls::one_sided(comparison, base, &taken, scale);
        let candidates: Vec<Candidate> =
            groups.iter().filter_map(|group| Candidate::of_calls(comparison.tree(), base, group, scale)).collect();
        let found = best(comparison, base, &candidates, scale);
        if found.is_empty() {
            break;
        }
        base.put_together(comparison, found.iter().flat_map(|(at, _)| candidates[*at].moves.iter().copied()));
        let nodes_of = |place: PlaceId| groups.iter().find(|group| group.place == place).map(|group| group.nodes.clone());
        made.extend(found.into_iter().map(|(_, structure)| (structure, nodes_of(structure.place).unwrap_or_default())));
    }
    made
}

/// The nodes of a function below some of its callers that are on one side only.
struct Calls {
    place: PlaceId,
    side: usize,
    sums: Sums,
    nodes: Vec<NodeId>,
}

impl Calls {
    /// Those of functions that both sides have, too large to stand on one side by chance; the largest of each function.
    fn one_sided(comparison: &Comparison, base: &Base, taken: &[PlaceId], scale: &Scale) -> Vec<Self> {
        let tree = comparison.tree();
        let least = sided::least(tree);
        let side_of = |sums: &Sums| sided::told(sums, scale).filter(|(_, evidence)| *evidence >= least).map(|(side, _)| side);
        let both = |place: PlaceId| scale.counts(&base.places[1][place.row()]).is_some_and(|counts| sided::side(counts).is_none());
        let mut pairs: Vec<(PlaceId, PlaceId)> = Vec::new();
        for (node, _) in sided::unlikely(tree, base, scale) {
            let (place, caller) = (tree.place(node), tree.parent(node).map(|caller| tree.place(caller)));
            if background::is_interrupt(comparison.places().name(place)) {
                continue;
            }
            pairs.extend(caller.filter(|caller| *caller != place && *caller != Places::root()).map(|caller| (place, caller)));
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs.retain(|(place, _)| !taken.contains(place) && both(*place));
        let mut made: Vec<Self> = Vec::new();
        for (place, caller) in pairs.into_iter().checked() {
            let is_called = |node: &NodeId| tree.parent(*node).is_some_and(|above| tree.place(above) == caller);
            let nodes: Vec<NodeId> =
                base.nodes_of(place).filter(|&row| base.outermost[row]).filter_map(NodeId::from_row).filter(is_called).collect();
            let mut sums = Sums::default();
            for node in &nodes {
                sums.add(&base.totals[node.row()]);
            }
            let Some(side) = side_of(&sums) else { continue };
            match made.last_mut().filter(|last| last.place == place) {
                Some(last) if last.side == side => {
                    last.sums.add(&sums);
                    last.nodes.extend(nodes);
                }
                Some(last) if last.sums.pooled(scale.exposure) >= sums.pooled(scale.exposure) => {}
                Some(last) => *last = Self { place, side, sums, nodes },
                None => made.push(Self { place, side, sums, nodes }),
            }
        }
        made.sort_by(|a, b| b.sums.pooled(scale.exposure).total_cmp(&a.sums.pooled(scale.exposure)).then(a.place.cmp(&b.place)));
        made.truncate(MOST_CALLS);
        made
    }
}

/// The candidates whose cost fits better into their callers, by their places in the list.
fn best(comparison: &Comparison, base: &Base, candidates: &[Candidate], scale: &Scale) -> Vec<(usize, Structure)> {
    let tree = comparison.tree();
    let fold = |scale: &Scale| -> Vec<(usize, Structure)> {
        let fold = |is_likely| {
            candidates.iter().enumerate().filter_map(move |(at, row)| Some((at, row.folded(tree, &base.ground, scale, is_likely)?)))
        };
        let made: Vec<(usize, Structure)> = fold(false).collect();
        // Where nearly all were, the others most likely were too, unless their callers say otherwise.
        let nearly_all = |count: usize, least: usize| candidates.len() >= least && count as f64 >= LIKELY * candidates.len() as f64;
        let is_likely = nearly_all(made.len(), MANY) || {
            // Many small ones say together what none says alone.
            let better = |row: &Candidate| {
                let [callees, own] = row.fits(tree, &base.ground, scale);
                callees.with(&own).better(scale)
            };
            let better: Vec<f64> = candidates.iter().map(better).collect();
            nearly_all(better.iter().filter(|better| **better > 0.0).count(), 2 * MANY) && better.iter().sum::<f64>() >= 2.0 * BETTER
        };
        if is_likely { fold(true).collect() } else { made }
    };
    let made = fold(scale);
    let is_given = matches!(comparison.effective_normalization(), Normalization::PerRequest(_));
    if candidates.len() < MANY || is_given {
        return made;
    }
    // Where many functions were inlined, their callers are much of what says how much work was done.
    let together = own_costs(tree, base, candidates.iter());
    let Some(other) = exposure(&together, scale).map(|exposure| Scale { exposure, ..*scale }) else { return made };
    let others = fold(&other);
    let left = |made: &[(usize, Structure)], scale: &Scale| {
        let folded = made.iter().map(|(at, _)| &candidates[*at]);
        own_costs(tree, base, folded).iter().map(|sums| misfit(sums, scale).min(FAR)).sum::<f64>()
    };
    if left(&others, &other) < left(&made, scale) { others } else { made }
}

/// Every place's own cost with that of some candidates where it would go.
fn own_costs<'a>(tree: &CallTree, base: &Base, folded: impl Iterator<Item = &'a Candidate>) -> Vec<Sums> {
    let mut made = base.places[0].clone();
    for &(from, to) in folded.flat_map(|candidate| &candidate.moves).checked() {
        let (sums, places) = (base.ground.nodes[from], tree.places());
        if places[from] != tree.place(to) {
            made[places[from].row()].replace(&sums, &Sums::default());
            made[tree.place(to).row()].add(&sums);
        }
    }
    made
}

/// Work after over work before as the bulk of the functions says.
fn exposure(selfs: &[Sums], scale: &Scale) -> Option<f64> {
    let mut exposure = scale.exposure;
    for _ in 0..2 {
        let scale = Scale { exposure, ..*scale };
        let cell = |sums: &Sums| {
            let counts = scale.counts(sums).filter(|counts| counts.both() >= CELL_EVENTS)?;
            let variance = counts.sampling_unchanged() + 2.0 * VARIES * VARIES;
            (sums.background_part(exposure) <= 0.5).then(|| Cell { effect: counts.effect(), variance })
        };
        let cells: Vec<Cell> = selfs.iter().skip(1).checked().filter_map(cell).collect();
        if cells.len() < MIN_CELLS {
            return None;
        }
        exposure *= biweight(&cells, 0.0)?.0.exp();
    }
    Some(exposure)
}

impl Candidate {
    fn of_function(tree: &CallTree, row: &OneSided) -> Option<Self> {
        let size: usize = row.nodes.iter().map(|&node| tree.subtree_end(node) - node.row()).sum();
        if size > MOST_NODES {
            return None;
        }
        let mut moves = Vec::new();
        let here = Here::new();
        for &node in &row.nodes {
            for at in node.row()..tree.subtree_end(node) {
                // A path is long to find where callers have thousands of callees.
                here.checkpoint();
                moves.extend(counterpart(tree, NodeId::from_row(at)?, row.place).map(|to| (at, to)));
            }
        }
        Some(Self { place: row.place, sums: row.sums, own: row.self_, strays: row.strays(), moves, better: BETTER })
    }

    /// Below the callers that inlined it, what a function calls stands at its caller's callee of that name, or is inlined too.
    fn of_calls(tree: &CallTree, base: &Base, calls: &Calls, scale: &Scale) -> Option<Self> {
        let size: usize = calls.nodes.iter().map(|&node| tree.subtree_end(node) - node.row()).sum();
        if size > MOST_NODES {
            return None;
        }
        let (mut moves, mut own, mut all, mut elsewhere) = (Vec::new(), 0.0, 0.0, 0.0);
        for &node in &calls.nodes {
            own += base.ground.nodes[node.row()].pooled(scale.exposure);
            all += base.totals[node.row()].value[calls.side];
            let caller = tree.parent(node)?;
            let of_node = together(tree, node, caller);
            for callee in tree.children(node) {
                // The caller's own callee of that name, or the caller where it has none.
                let (_, to) = of_node[callee.row() - node.row()];
                if to == caller || base.totals[to.row()].value[1 - calls.side] == 0.0 {
                    elsewhere += base.totals[callee.row()].value[calls.side];
                }
            }
            moves.extend(of_node);
        }
        // Its caller would call that by itself: what it calls came along from somewhere else.
        if elsewhere * 2.0 > all {
            return None;
        }
        let strays = calls.sums.events[1 - calls.side];
        Some(Self { place: calls.place, sums: calls.sums, own, strays, moves, better: BETTER_AT_CALLERS })
    }

    /// How well the cost of its callees and its own fit into its callers.
    fn fits(&self, tree: &CallTree, ground: &Ground, scale: &Scale) -> [Fit; 2] {
        // By whether it is the function's own cost that they would take over.
        let mut takers: [FxHashMap<NodeId, Sums>; 2] = [FxHashMap::default(), FxHashMap::default()];
        for &(from, to) in &self.moves {
            let is_own = tree.places()[from] == self.place;
            takers[usize::from(is_own)].entry(to).or_default().add(&ground.nodes[from]);
        }
        takers.map(|takers| fit(takers, ground, scale))
    }

    /// What became of it, if its cost fits better into its callers.
    fn folded(&self, tree: &CallTree, ground: &Ground, scale: &Scale, is_likely: bool) -> Option<Structure> {
        // Of many functions a few fall on one side by chance, and some of their callers changed by chance as well.
        let is_sided = || sided::told(&self.sums, scale).is_some_and(|(_, evidence)| evidence >= sided::least(tree));
        if !is_likely && !is_sided() {
            return None;
        }
        let [least, least_own] = if is_likely { [-self.better; 2] } else { [self.better, 0.0] };
        let [callees, own] = self.fits(tree, ground, scale);
        let total = self.sums.pooled(scale.exposure);
        let is_of_function = self.better <= BETTER;
        let (kept, fit, whole) = if is_of_function && self.own > 0.0 && own.better(scale) <= least_own {
            (Own::Kept, callees, total - self.own)
        } else {
            (Own::Folded, callees.with(&own), total)
        };
        if whole <= 0.0 || fit.held < 0.5 * whole || fit.better(scale) < least || !is_likely && fit.together > fit.apart {
            return None;
        }
        let wraps = is_of_function && (kept == Own::Kept || self.own < WRAPPER * whole);
        let verdict = if wraps { Verdict::Wrapper } else { Verdict::Inlined };
        Some(Structure { place: self.place, fate: Fate::Folded(verdict, kept), sums: self.sums, strays: self.strays })
    }
}

/// Says which functions' own cost folded functions explain: those of whose change they are the larger part. `folded` are these functions with the ranks of
/// their rows, `own` every place's own cost before and after as captured.
pub(super) fn explain_takers(
    tree: &CallTree,
    base: &Base,
    folded: &[(PlaceId, Vec<NodeId>, usize)],
    own: &[Vec<f64>; 2],
    exposure: f64,
    explained_by: &mut FxHashMap<PlaceId, usize>,
) {
    let captured = base.captured();
    // Of each caller: what it took over (in the units of before), and the row that it took most from.
    let mut parts: BTreeMap<PlaceId, (f64, f64, usize)> = BTreeMap::new();
    for (place, nodes, rank) in folded {
        let (place, rank) = (*place, *rank);
        for &node in nodes.iter().checked() {
            let caller = tree.path_up(node).map(|above| tree.place(above)).find(|above| *above != place);
            let Some(caller) = caller else { continue };
            let value = captured.own(node.row()).value;
            let part = value[0] - value[1] / exposure;
            let (sum, most, by) = parts.entry(caller).or_insert((0.0, 0.0, rank));
            *sum += part;
            if part.abs() > *most {
                (*most, *by) = (part.abs(), rank);
            }
        }
    }
    for (place, (part, _, rank)) in parts {
        let whole = own[1][place.row()] / exposure - own[0][place.row()];
        if part / whole > 0.5 {
            explained_by.entry(place).or_insert(rank);
        }
    }
}

/// How well cost fits into the nodes that would take it over.
struct Fit {
    /// Cost that has such a node.
    held: f64,
    /// Misfit of these nodes without and with it, added up.
    apart: f64,
    together: f64,
    /// The nodes' sums without and with it.
    summed: [Sums; 2],
}

impl Fit {
    /// By how much less misfit there is with it. Most of the takers' cost may lie in few of them: added up, noise of many small ones would hide what
    /// the large ones say.
    fn better(&self, scale: &Scale) -> f64 {
        let [without, with] = self.summed.each_ref().map(|sums| misfit(sums, scale));
        (self.apart - self.together).max(without - with)
    }

    /// That of both costs.
    fn with(mut self, other: &Self) -> Self {
        self.held += other.held;
        self.apart += other.apart;
        self.together += other.together;
        self.summed.iter_mut().zip(&other.summed).for_each(|(sum, other)| sum.add(other));
        self
    }
}

/// How far sums lie from unchanged cost, as a chi-square of one degree of freedom.
fn misfit(sums: &Sums, scale: &Scale) -> f64 {
    scale.counts(sums).map_or(0.0, |counts| counts.quick_z(0.0).powi(2))
}

/// True where a node changed far more than functions vary by, and still did once it has cost that it may have taken over: any cost on the side where it
/// has less would fit it a little better, also the few events that a small function has on one side by chance.
fn changed_by_itself(own: &Sums, both: &Sums, scale: &Scale) -> bool {
    let far = |sums: &Sums| scale.counts(sums).map_or(0.0, |counts| counts.quick_z(2.0 * VARIES * VARIES).powi(2));
    let [without, with] = [own, both].map(far);
    with > FAR && with < without && with > without * MOST_LEFT
}

fn fit(takers: FxHashMap<NodeId, Sums>, ground: &Ground, scale: &Scale) -> Fit {
    let mut takers: Vec<(NodeId, Sums)> = takers.into_iter().collect();
    takers.sort_by_key(|(node, _)| *node);
    let held = takers.iter().map(|(_, sums)| sums.pooled(scale.exposure)).sum();
    let (mut apart, mut together) = (0.0, 0.0);
    let mut summed = [Sums::default(); 2];
    for (node, sums) in &takers {
        let own = ground.nodes[node.row()];
        let mut both = own;
        both.add(sums);
        if changed_by_itself(&own, &both, scale) {
            continue;
        }
        apart += misfit(&own, scale);
        together += misfit(&both, scale);
        summed[0].add(&own);
        summed[1].add(&both);
    }
    Fit { held, apart, together, summed }
}

/// The node that a path has when every frame of `left_out` is left out of it; `None` where there is no such node.
fn counterpart(tree: &CallTree, node: NodeId, left_out: PlaceId) -> Option<NodeId> {
    tree.find_path(tree.path(node).into_iter().filter(|place| *place != left_out)).filter(|&found| found != node)
}

#[cfg(test)]
mod tests {
    use crate::analysis::diff::{Spec, Verdict};
    use crate::analysis::matching::tests::compared;
    use crate::analysis::{Naming, regress};

    #[test]
    fn a_few_events_on_one_side_are_not_inlined_into_a_caller_that_grew() {
        let verdicts = |lines: [&[&str]; 2]| -> Vec<Verdict> {
            let others: Vec<String> = (0..40).map(|at| format!("main;f{at} 500")).collect();
            let sides = lines.map(|lines| others.iter().map(String::as_str).chain(lines.iter().copied()).collect::<Vec<_>>());
            let [before, after] = &sides;
            let found = regress::findings(&compared(before, after, &Naming::default()), &[], &Spec::default()).unwrap();
            found.rows.iter().map(|row| row.verdict).collect()
        };
        // One of so many functions has all of its eleven events on one side by chance.
        let chance = verdicts([&["main;caller 100", "main;caller;few 11"], &["main;caller 140"]]);
        assert!(!chance.contains(&Verdict::Inlined), "{chance:?}");
        let inlined = verdicts([&["main;caller 100", "main;caller;few 60"], &["main;caller 160"]]);
        assert_eq!(inlined, [Verdict::Inlined]);
    }
}
