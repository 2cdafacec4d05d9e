//! The groups of nodes among which an explanation is searched: self and total of functions and of single paths.
//!
//! Groups of the same nodes are one group (a chain of callers without cost of their own). Each group has a part of the error level: less is
//! spent on the many small ones, and a group that nearly coincides with a larger one costs little (Hunter's bound on the union of nested
//! events, where others draw random nulls). Start reading at [`Groups::new`].

use std::cell::OnceCell;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::analysis::call_tree::NodeId;
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::ground::{Counts, ROUNDING, Scale, Sums, Tables};
use crate::analysis::diff::shape::Mix;
use crate::analysis::diff::{Base, Measure, Repeated, Spec};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::special::{normal_quantile, normal_tail_ln};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, both};

/// Where a change may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) place: PlaceId,
    pub(super) measure: Measure,
    /// One path; `None` for all.
    pub(super) node: Option<NodeId>,
}

/// One group of nodes.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) scope: Scope,
    /// Part of the error level.
    pub(super) weight: f64,
    /// Logarithm of the number of groups of its kind.
    pub(super) ln_kind: f64,
    /// Steps from the root of its deepest node.
    pub(super) depth: u32,
    /// See [`Group::detail`].
    detail: OnceCell<Detail>,
}

/// What noise beyond sampling depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail {
    /// How the group is made up.
    pub(super) mix: Mix,
    /// How much more its repeats vary than modelled.
    pub(super) repeated: Option<Repeated>,
}

impl Scope {
    /// Its sums.
    pub(super) fn sums<'a>(&self, of: &Tables<'a>) -> &'a Sums {
        match (self.node, self.measure) {
            (Some(node), Measure::Self_) => of.own(node.row()),
            (Some(node), Measure::Total) => of.total(node.row()),
            (None, measure) => &of.places[measure as usize][self.place.row()],
        }
    }
}

impl Group {
    /// Made when it is asked for: most groups have so little evidence that it is not.
    pub(super) fn detail(&self, comparison: &Comparison, base: &Base, spec: &Spec) -> Detail {
        *self.detail.get_or_init(|| {
            let (shapes, scope) = (&base.shapes, &self.scope);
            let mut scratch = shapes.scratch(comparison.places().len());
            let mix = match scope.node {
                Some(node) if scope.measure == Measure::Total => shapes.of_subtree(comparison.tree(), node, &mut scratch),
                Some(_) => Mix::ONE,
                None => shapes.of_place(scope.place, scope.measure),
            };
            let sums = scope.sums(&base.tables());
            let repeated = base.repeated(
                comparison,
                (scope.place, scope.measure, scope.node),
                (sums, mix),
                spec.background_noise,
                (shapes, &mut scratch),
            );
            Detail { mix, repeated }
        })
    }
}

/// All groups with enough events.
pub(super) struct Groups {
    pub(super) rows: Vec<Group>,
    /// Group of each place's self and total, merged ones included; [`NO_GROUP`] where it has too few events.
    by_place: [Vec<u32>; 2],
}

const NO_GROUP: u32 = u32::MAX;

/// At most this many paths are groups, self and total.
const MOST_PATHS: usize = 10_000;
/// Size classes: part of the whole from which on, and part of the error level.
const CLASSES: [(f64, f64); 3] = [(0.01, 0.5), (0.001, 0.3), (0.0, 0.2)];

/// A draft: scope, hash of its nodes, events and cost.
struct Draft {
    scope: Scope,
    hash: u64,
    events: f64,
    cost: f64,
}

impl Groups {
    /// Every group with enough events, merged and weighed.
    pub(super) fn new(comparison: &Comparison, base: &Base, scale: &Scale, spec: &Spec) -> Self {
        let tree = comparison.tree();
        let sums = base.tables();
        let enough = |sums: &Sums| scale.counts(sums).filter(|counts| counts.are_enough(spec)).map(Counts::both);
        let (hashes, paths) = both(tree.len(), || Hashes::new(comparison, base), || largest_paths(comparison, base, enough));
        let mut drafts: Vec<Draft> = Vec::new();
        for place in comparison.places().ids().skip(1).checked() {
            for measure in Measure::ALL {
                let scope = Scope { place, measure, node: None };
                let own = scope.sums(&sums);
                if let Some(events) = enough(own) {
                    let hash = hashes.places[measure as usize][place.row()];
                    drafts.push(Draft { scope, hash, events, cost: own.pooled(scale.exposure) });
                }
            }
        }
        for (node, measure, events) in paths {
            let scope = Scope { place: tree.place(node), measure, node: Some(node) };
            let hash = if measure == Measure::Self_ { hashes.selfs[node.row()] } else { hashes.totals[node.row()] };
            drafts.push(Draft { scope, hash, events, cost: scope.sums(&sums).pooled(scale.exposure) });
        }
        let mut made = Self { rows: Vec::new(), by_place: [0, 1].map(|_| vec![NO_GROUP; comparison.places().len()]) };
        let whole = sums.all().map_or(0.0, |sums| sums.pooled(scale.exposure));
        let merged = made.merge(comparison, drafts);
        made.weigh(comparison, &merged, whole);
        made
    }

    /// Keeps the best scope of each set of nodes: all paths before one, self before total, the one nearest to the leaf.
    fn merge(&mut self, comparison: &Comparison, drafts: Vec<Draft>) -> Vec<Draft> {
        let tree = comparison.tree();
        let depth = depths(comparison);
        let key = |scope: &Scope| {
            let depth = scope.node.map_or_else(|| depth[scope.place.row()], |node| tree.depth(node));
            (scope.node.is_none(), scope.measure == Measure::Self_, depth, std::cmp::Reverse(scope.place))
        };
        let mut by_hash: FxHashMap<u64, u32> = FxHashMap::default();
        let mut kept: Vec<Draft> = Vec::with_capacity(drafts.len());
        for draft in drafts.into_iter().checked() {
            let at = *by_hash.entry(draft.hash).or_insert(kept.len() as u32);
            if draft.scope.node.is_none() {
                self.by_place[draft.scope.measure as usize][draft.scope.place.row()] = at;
            }
            match kept.get_mut(at as usize) {
                Some(known) if key(&draft.scope) > key(&known.scope) => *known = draft,
                Some(_) => {}
                None => kept.push(draft),
            }
        }
        kept
    }

    /// Weights by size class, less what nested groups have in common.
    fn weigh(&mut self, comparison: &Comparison, drafts: &[Draft], whole: f64) {
        let kind = |scope: &Scope| 2 * usize::from(scope.node.is_some()) + scope.measure as usize;
        let class = |draft: &Draft| {
            CLASSES.iter().position(|(least, _)| draft.cost >= *least * whole * (1.0 - ROUNDING)).unwrap_or(CLASSES.len() - 1)
        };
        let mut kinds = [0_usize; 4];
        for draft in drafts {
            kinds[kind(&draft.scope)] += 1;
        }
        let alone = alone(comparison, drafts);
        let mut counts = [0.0; CLASSES.len()];
        for (draft, alone) in drafts.iter().zip(&alone) {
            counts[class(draft)] += alone;
        }
        let used: f64 = CLASSES.iter().zip(counts).filter(|(_, count)| *count > 0.0).map(|((_, part), _)| part).sum();
        let depth = depths(comparison);
        self.rows = drafts
            .iter()
            .checked()
            .map(|draft| {
                let class = class(draft);
                Group {
                    scope: draft.scope,
                    weight: (CLASSES[class].1 / used / counts[class].max(1.0)).min(1.0),
                    depth: draft.scope.node.map_or_else(|| depth[draft.scope.place.row()], |node| comparison.tree().depth(node)),
                    ln_kind: (kinds[kind(&draft.scope)].max(1) as f64).ln(),
                    detail: OnceCell::new(),
                }
            })
            .collect();
    }

    /// The group of all nodes of a place's self or total; it may go by another scope of the same nodes.
    pub(super) fn of_place(&self, measure: Measure, place: PlaceId) -> Option<&Group> {
        let row = *self.by_place[measure as usize].get(place.row())?;
        self.rows.get(row as usize)
    }

    /// Part of the error level that is spent on a place's self or total.
    pub(super) fn weight_of(&self, measure: Measure, place: PlaceId) -> Option<f64> {
        self.of_place(measure, place).map(|group| group.weight)
    }
}

/// Steps from the root of each place's deepest node.
fn depths(comparison: &Comparison) -> Vec<u32> {
    let tree = comparison.tree();
    let mut depth = vec![0_u32; comparison.places().len()];
    for node in tree.nodes().checked() {
        let deepest = &mut depth[tree.place(node).row()];
        *deepest = tree.depth(node).max(*deepest);
    }
    depth
}

/// Self and total of the nodes with the most events, callers first: of very many paths the largest are searched, and the sum of both sides says
/// nothing about their difference.
fn largest_paths(comparison: &Comparison, base: &Base, enough: impl Fn(&Sums) -> Option<f64>) -> Vec<(NodeId, Measure, f64)> {
    let sums = base.tables();
    let mut made: Vec<(NodeId, Measure, f64)> = Vec::new();
    // No more than this many stay, and those with just as many events go too.
    let mut least = 0.0_f64;
    let keep = |made: &mut Vec<(NodeId, Measure, f64)>, least: &mut f64| {
        let mut events: Vec<f64> = made.iter().map(|row| row.2).collect();
        if events.len() > MOST_PATHS {
            *least = *events.select_nth_unstable_by(MOST_PATHS, |a, b| b.total_cmp(a)).1;
            made.retain(|row| row.2 > *least);
        }
    };
    for node in comparison.tree().nodes().skip(1).checked() {
        for (measure, sums) in [(Measure::Self_, sums.own(node.row())), (Measure::Total, sums.total(node.row()))] {
            made.extend(enough(sums).filter(|events| *events > least).map(|events| (node, measure, events)));
        }
        if made.len() >= 4 * MOST_PATHS {
            keep(&mut made, &mut least);
        }
    }
    keep(&mut made, &mut least);
    made
}

/// A number for each set of nodes with a value: equal sets have equal numbers.
struct Hashes {
    selfs: Unfinished<Vec<u64>>,
    totals: Unfinished<Vec<u64>>,
    places: [Vec<u64>; 2],
}

impl Hashes {
    fn new(comparison: &Comparison, base: &Base) -> Self {
        let tree = comparison.tree();
        let of = |(row, sums): (usize, &Sums)| {
            if sums.value[0] == 0.0 && sums.value[1] == 0.0 {
                return 0;
            }
            let mut z = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let selfs: Unfinished<Vec<u64>> = base.ground.nodes.iter().enumerate().checked().map(of).collect();
        let mut totals = Unfinished::copy(&selfs);
        for (row, parent) in tree.parents().iter().enumerate().rev().checked() {
            if let Some(parent) = parent {
                totals[parent.row()] = totals[parent.row()].wrapping_add(totals[row]);
            }
        }
        let mut places = [0, 1].map(|_| vec![0_u64; comparison.places().len()]);
        for (row, place) in tree.places().iter().enumerate().skip(1).checked() {
            let [own, total] = &mut places;
            own[place.row()] = own[place.row()].wrapping_add(selfs[row]);
            if base.outermost[row] {
                total[place.row()] = total[place.row()].wrapping_add(totals[row]);
            }
        }
        Self { selfs, totals, places }
    }
}

/// For each group the part of its false alarms that no larger group raises at the same time.
///
/// The chance that any of several events happens is at most the sum of their chances less that of pairs along any tree between them
/// (Hunter 1976). Here each group is paired with one that contains it: their statistics correlate by the root of the ratio of their events.
fn alone(comparison: &Comparison, drafts: &[Draft]) -> Vec<f64> {
    let tree = comparison.tree();
    let at: FxHashMap<(Measure, Option<NodeId>, PlaceId), usize> =
        drafts.iter().enumerate().map(|(row, draft)| ((draft.scope.measure, draft.scope.node, draft.scope.place), row)).collect();
    static TABLE: OnceLock<Alone> = OnceLock::new();
    let table = TABLE.get_or_init(Alone::new);
    drafts
        .iter()
        .checked()
        .map(|draft| {
            let Scope { place, measure, node } = draft.scope;
            let mut larger = vec![(Measure::Total, None, place), (measure, None, place)];
            if let Some(node) = node {
                larger.push((Measure::Total, Some(node), place));
                // Some callers are merged into groups of their callees: the first that stands for itself.
                larger.extend(tree.path_up(node).skip(1).take(4).map(|above| (Measure::Total, Some(above), tree.place(above))));
            }
            let events = larger
                .iter()
                .filter_map(|key| at.get(key))
                .map(|&row| drafts[row].events)
                .filter(|&events| events > draft.events * (1.0 + ROUNDING));
            draft.events / events.fold(f64::INFINITY, f64::min)
        })
        .map(|overlap| table.at(overlap))
        .collect()
}

/// P(no alarm of the larger group | alarm of the smaller) by their overlap, at the threshold of a search over some hundred groups.
struct Alone {
    rows: [f64; Self::STEPS + 1],
}

impl Alone {
    const STEPS: usize = 64;
    const Z: f64 = 4.0;

    fn new() -> Self {
        let above = |z: f64| if z >= 0.0 { normal_tail_ln(z).exp() } else { 1.0 - normal_tail_ln(-z).exp() };
        let tail = above(Self::Z);
        let rows = std::array::from_fn(|step| {
            let overlap = step as f64 / Self::STEPS as f64;
            if step == Self::STEPS {
                return 0.0;
            }
            let (along, across) = (overlap.sqrt(), (1.0 - overlap).sqrt());
            // The mean over the smaller group's alarms, by its quantiles.
            const POINTS: usize = 40;
            let both: f64 = (0..POINTS)
                .map(|point| {
                    let z = -normal_quantile(tail * (point as f64 + 0.5) / POINTS as f64);
                    above((Self::Z - along * z) / across)
                })
                .sum();
            1.0 - both / POINTS as f64
        });
        Self { rows }
    }

    fn at(&self, overlap: f64) -> f64 {
        let step = (overlap.clamp(0.0, 1.0) * Self::STEPS as f64 + ROUNDING).floor() as usize;
        self.rows[step.min(Self::STEPS)].max(0.05)
    }
}
