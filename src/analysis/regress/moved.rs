//! Functions whose calls moved to other callers. Found before the search, and taken back for it.
//!
//! Such a function has paths with cost on one side only (but for a few samples of the other build, see `sided`), too much of it for chance, before as well as after, and they add up to the same with the
//! same callees. Left to the search its old paths would be improvements, its new ones regressions, and the many changes in both directions would look
//! like unrest. So the cost of all those paths is put under one of them; where it is not the same there, that is for the search to find.
//! Deliberately absent: functions on one side only (see `structure`), and cost that moved in part (see `shift`). Start reading at [`detect`].

use rustc_hash::FxHashSet;

use super::sided;
use super::structure::{Fate, Structure, costs_the_same, neighbours};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::Base;
use crate::analysis::diff::ground::{Scale, Sums};
use crate::analysis::diff::left::NodeSet;
use crate::analysis::place::PlaceId;
use crate::base::ticket::Here;

/// How alike the callees on the paths of both sides must be (cosine).
const CALLEES: f64 = 0.8;
/// Logarithm of how many times its cost what moved may cost after it.
const MOST_CHANGED: f64 = 1.0;
/// At most this many functions are looked at closely, and none with more nodes than this below it.
const MOST: usize = 200;
const MOST_NODES: usize = 20_000;

/// What was found: functions that cost what they did, and the nodes under which the cost of paths of both sides was put.
pub(super) struct Moved {
    pub(super) structures: Vec<Structure>,
    pub(super) homes: NodeSet,
    /// Each function that moved with those of its paths that did.
    pub(super) paths: Vec<(PlaceId, Vec<NodeId>)>,
}

/// Finds functions whose calls moved, and puts the cost of their paths of both sides together.
pub(super) fn detect(comparison: &Comparison, base: &mut Base, scale: &Scale) -> Moved {
    let search = Paths::new(comparison.tree(), base, scale);
    let mut candidates: Vec<Candidate> = search.unlikely().filter_map(|place| search.candidate(place, &[])).collect();
    // A function moves with all that it calls: those have no more of the moved cost, and stand behind it.
    candidates.sort_by(|a, b| b.cost.total_cmp(&a.cost).then(a.first().cmp(&b.first())));
    candidates.truncate(MOST);
    let mut taken: Vec<bool> = vec![false; if candidates.is_empty() { 0 } else { comparison.tree().len() }];
    let (mut structures, mut homes, mut paths, mut moves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Candidate { place, .. } in candidates {
        let Some(candidate) = search.candidate(place, &taken) else { continue };
        let Some(same_cost) = search.moved(&candidate) else { continue };
        for node in candidate.nodes() {
            taken[node.row()..search.tree.subtree_end(node)].fill(true);
        }
        // What costs more or less now is left to the search, which finds it in one place.
        if same_cost {
            structures.push(Structure { place, fate: Fate::Moved, sums: candidate.sums, strays: candidate.strays });
        }
        let Some(home) = candidate.home(search.tree) else { continue };
        paths.push((place, candidate.nodes().collect()));
        homes.push(home.row()..search.tree.subtree_end(home));
        moves.extend(candidate.nodes().filter(|&node| node != home).flat_map(|node| together(search.tree, node, home)));
    }
    if !moves.is_empty() {
        base.put_together(comparison, moves);
    }
    Moved { structures, homes: NodeSet::new(homes.into_iter()), paths }
}

/// The paths of a function that moved, where it has cost on other ones too.
pub(super) fn paths_beside(comparison: &Comparison, base: &Base, moved: &[(PlaceId, Vec<NodeId>)], place: PlaceId) -> Vec<Vec<PlaceId>> {
    let Some((_, nodes)) = moved.iter().find(|(of, _)| *of == place) else { return Vec::new() };
    let (tree, captured) = (comparison.tree(), base.captured());
    let rows: FxHashSet<usize> = nodes.iter().map(|node| node.row()).collect();
    let mut all = base.nodes_of(place).filter(|&row| base.outermost[row] && !captured.total(row).is_nothing());
    if all.all(|row| rows.contains(&row)) { Vec::new() } else { nodes.iter().map(|&node| tree.path(node)).collect() }
}

/// A function with paths that have cost on one side only.
struct Candidate {
    place: PlaceId,
    /// Those before and those after.
    nodes: [Vec<NodeId>; 2],
    /// Their sums, of both sides.
    sums: Sums,
    /// What they cost together.
    cost: f64,
    /// Events of paths on the side where these are not.
    strays: f64,
}

impl Candidate {
    fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().flatten().copied()
    }

    fn first(&self) -> Option<NodeId> {
        self.nodes().min()
    }

    /// The path with the most nodes below it, which the others have their counterparts in.
    fn home(&self, tree: &CallTree) -> Option<NodeId> {
        self.nodes().max_by_key(|node| (tree.subtree_end(*node) - node.row(), std::cmp::Reverse(*node)))
    }
}

struct Paths<'a> {
    tree: &'a CallTree,
    base: &'a Base,
    scale: &'a Scale,
    /// Evidence, as a logarithm, that one of all paths has by chance once in a hundred times.
    least: f64,
}

impl<'a> Paths<'a> {
    fn new(tree: &'a CallTree, base: &'a Base, scale: &'a Scale) -> Self {
        Self { tree, base, scale, least: sided::least(tree) }
    }

    /// The functions that have a path on either side which chance does not explain: few, and found in one pass over the tree.
    fn unlikely(&self) -> impl Iterator<Item = PlaceId> {
        let mut found = vec![[false; 2]; self.base.places[0].len()];
        for (node, side) in sided::unlikely(self.tree, self.base, self.scale) {
            found[self.tree.place(node).row()][side] = true;
        }
        found.into_iter().enumerate().filter(|(_, sides)| *sides == [true; 2]).filter_map(|(row, _)| PlaceId::from_row(row))
    }

    /// The one-sided paths of a function that have none of the nodes that are `taken`; `None` where chance explains them, or where they are too many.
    fn candidate(&self, place: PlaceId, taken: &[bool]) -> Option<Candidate> {
        let mut made = Candidate { place, nodes: [Vec::new(), Vec::new()], sums: Sums::default(), cost: 0.0, strays: 0.0 };
        let mut is_sure = [false; 2];
        let ends = self.tree.subtree_ends();
        let is_free = |row: usize| !taken.get(row..ends[row] as usize).is_some_and(|taken| taken.contains(&true));
        for row in self.base.nodes_of(place).filter(|&row| self.base.outermost[row] && is_free(row)) {
            let sums = self.base.totals[row];
            let Some((side, evidence)) = sided::told(&sums, self.scale) else { continue };
            // A small path that lies mostly on one side does so by chance.
            if evidence < self.least && sums.value[1 - side] > 0.0 {
                continue;
            }
            is_sure[side] |= evidence >= self.least;
            made.sums.add(&sums);
            made.strays += sums.events[1 - side];
            made.nodes[side].push(NodeId::from_row(row)?);
        }
        let size: usize = made.nodes().map(|node| self.tree.subtree_end(node) - node.row()).sum();
        made.cost = made.sums.pooled(self.scale.exposure);
        (is_sure == [true; 2] && size <= MOST_NODES).then_some(made)
    }

    /// Whether the paths of both sides cost the same; `None` where they do not have the same callees, or nothing like the same cost.
    fn moved(&self, candidate: &Candidate) -> Option<bool> {
        let counts = self.scale.counts(&candidate.sums)?;
        let callees = |side: usize| neighbours(self.tree, self.base.tables(), (&candidate.nodes[side], side), false);
        let is_moved = counts.effect().abs() < MOST_CHANGED && callees(0).cosine(&callees(1)) >= CALLEES;
        is_moved.then(|| costs_the_same(counts))
    }
}

/// Where the nodes of a moved function's path go: to the same path below `home`, and where there is no such path to the nearest caller there.
pub(super) fn together(tree: &CallTree, node: NodeId, home: NodeId) -> Vec<(usize, NodeId)> {
    let mut target = vec![home];
    let mut made = vec![(node.row(), home)];
    let here = Here::new();
    for at in (node.row() + 1..tree.subtree_end(node)).filter_map(NodeId::from_row) {
        // A path is long to find where callers have thousands of callees.
        here.checkpoint();
        let above = tree.parent(at).and_then(|parent| target.get(parent.row() - node.row())).copied().unwrap_or(home);
        let to = tree.children(above).find(|&child| tree.place(child) == tree.place(at)).unwrap_or(above);
        target.push(to);
        made.push((at.row(), to));
    }
    made
}
