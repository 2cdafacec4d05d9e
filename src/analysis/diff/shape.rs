//! How groups of nodes are made up: how much of the noise of single functions and of whole subtrees is left in their sum.
//!
//! Noise of single functions averages out in a large group, noise of a subtree (another mix of requests) does not. Follows from the
//! pooled cost of both sides, which says nothing about their difference. In large trees, where the groups of all functions have billions of nodes
//! together, the parts of functions are sketched: random signs for functions add up to the root of the sum of squares (Alon, Matias, Szegedy 1996),
//! and sums of signs are added up from callees to callers as costs are. Start reading at [`Shapes::of_place`].

use std::cell::RefCell;
use std::hash::BuildHasher as _;
use std::ops::Range;

use rustc_hash::FxBuildHasher;

use super::ground::Sums;
use super::{Measure, NodesOf};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::place::{PlaceId, Places};
use crate::base::ticket::Checked as _;

/// A subtree with more of the whole than this is divided into those of its callees.
const DIVIDED: f64 = 0.5;

/// A group of more nodes than this is looked at in points at equal distances of their cost.
const MANY: usize = 4096;

/// How many points: what comes out is within a tenth or so of the sums over all nodes, and what it weighs is known to some tens of percent.
const POINTS: u32 = 256;

/// Where the totals of all places have more nodes than this together, they are sketched; a few milliseconds of adding up.
const EXACT: usize = 1 << 21;

/// But for groups of fewer nodes.
const FEW: usize = 256;

/// Signs of a function: the sum of squares is right to a part of the root of 2 / 64, and the more so where one function has most of it.
const SIGNS: usize = 64;

/// What is left of noise in a group: sums of squared parts, 1 = all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mix {
    /// Of noise that functions have each for themselves.
    pub(crate) functions: f64,
    /// Of noise that subtrees have each for themselves.
    pub(crate) subtrees: f64,
}

impl Mix {
    /// One function in one subtree.
    pub(crate) const ONE: Self = Self { functions: 1.0, subtrees: 1.0 };
}

/// Pooled cost per node, and which subtree each node belongs to.
pub(crate) struct Shapes {
    pooled: Vec<f64>,
    /// Cost of all nodes before each, and at last of all.
    before: Vec<f64>,
    place: Vec<u32>,
    subtree: Vec<u32>,
    /// First node of each subtree; the first subtree is what divided ones have of their own.
    roots: Vec<u32>,
    subtrees: Vec<Mix>,
    /// Self and total by place.
    places: [Vec<Mix>; 2],
    /// Sums of squared parts of functions by node, where they are sketched.
    sketched: Vec<f32>,
    scratch: RefCell<Scratch>,
}

/// Sums by function and by subtree, cleared after each use.
#[derive(Default)]
struct Scratch {
    by_place: Vec<f64>,
    by_subtree: Vec<f64>,
    places: Vec<u32>,
    subtrees: Vec<u32>,
}

impl Shapes {
    /// `nodes` are the sums of the nodes' own cost.
    pub(crate) fn new(comparison: &Comparison, nodes: &[Sums], outermost: &[bool], nodes_of: &NodesOf) -> Self {
        let (tree, places) = (comparison.tree(), comparison.places());
        let exposure = comparison.exposure().max(f64::MIN_POSITIVE);
        let pooled: Vec<f64> = nodes.iter().checked().map(|sums| sums.pooled(exposure)).collect();
        let mut sum = 0.0;
        let before = std::iter::once(0.0).chain(pooled.iter().checked().map(|cost| {
            sum += cost.max(0.0);
            sum
        }));
        let before: Vec<f64> = before.collect();
        let whole = before.last().copied().unwrap_or(0.0);
        let total = |row: usize| before[tree.subtree_ends()[row] as usize] - before[row];
        // 0 = what a divided subtree has of its own.
        let mut subtree = vec![0_u32; tree.len()];
        let mut roots = Vec::new();
        let mut row = 1;
        while row < tree.len() {
            if total(row) > whole * DIVIDED {
                row += 1;
                continue;
            }
            let end = tree.subtree_ends()[row] as usize;
            roots.push(row as u32);
            subtree[row..end].fill(roots.len() as u32);
            row = end;
        }
        let place = tree.places().iter().checked().map(|place| place.row() as u32).collect();
        let scratch = Scratch { by_place: vec![0.0; places.len()], by_subtree: vec![0.0; roots.len() + 1], ..Scratch::default() };
        let mut made = Self {
            pooled,
            before,
            place,
            subtree,
            roots,
            subtrees: Vec::new(),
            places: [Vec::new(), Vec::new()],
            sketched: Vec::new(),
            scratch: RefCell::new(scratch),
        };
        let ends = tree.subtree_ends();
        let size = |row: usize| if outermost[row] { ends[row] as usize - row } else { 0 };
        let visits: usize = (1..tree.len()).checked().map(size).sum();
        let sketches = (visits > EXACT).then(|| made.sketch(tree, places, outermost));
        made.subtrees = std::iter::once(Mix::ONE)
            .chain(made.roots.iter().filter_map(|&row| NodeId::from_row(row as usize)).map(|node| made.of_subtree(tree, node)))
            .checked()
            .collect();
        let mut of_places = [Vec::with_capacity(places.len()), Vec::with_capacity(places.len())];
        for place in places.ids().checked() {
            of_places[0].push(made.of_self(nodes_of.of(place)));
            let rows = nodes_of.of(place).filter(|&row| outermost[row]);
            let sketch = sketches.as_ref().and_then(|sketches| sketches.get(place.row()));
            of_places[1].push(match sketch {
                Some(sketch) if nodes_of.of(place).map(size).sum::<usize>() > FEW => {
                    let own: f64 = nodes_of.of(place).map(|row| made.pooled[row]).sum();
                    Mix { functions: sketch.part(own), subtrees: made.subtrees_of(tree, rows) }
                }
                _ => made.mix(rows.map(|row| row..ends[row] as usize)),
            });
        }
        made.places = of_places;
        made
    }

    /// Rows of the nodes whose subtrees are divided, the root among them.
    pub(crate) fn divided(&self) -> impl Iterator<Item = usize> + '_ {
        let mut row = 0;
        let mut next = 0;
        std::iter::from_fn(move || {
            // Subtrees are ranges, so only what lies between them is looked at.
            while let Some(&root) = self.roots.get(next)
                && root as usize == row
            {
                let of = self.subtree[row];
                row += self.subtree[row..].iter().take_while(|&&subtree| subtree == of).count();
                next += 1;
            }
            let found = (row < self.subtree.len()).then_some(row);
            row += 1;
            found
        })
    }

    /// First nodes of the other disjoint subtrees, in the order of their numbers from 1.
    pub(crate) fn roots(&self) -> impl Iterator<Item = usize> + '_ {
        self.roots.iter().map(|&row| row as usize)
    }

    /// How a subtree is made up, by its number.
    pub(crate) fn subtree_mix(&self, subtree: usize) -> Mix {
        self.subtrees.get(subtree).copied().unwrap_or(Mix::ONE)
    }

    /// How a place's self or total is made up.
    pub(crate) fn of_place(&self, place: PlaceId, measure: Measure) -> Mix {
        self.places[measure as usize].get(place.row()).copied().unwrap_or(Mix::ONE)
    }

    /// How a node's total is made up.
    pub(crate) fn of_subtree(&self, tree: &CallTree, node: NodeId) -> Mix {
        let range = node.row()..tree.subtree_end(node);
        match self.sketched.get(node.row()) {
            Some(&functions) if range.len() > FEW => {
                Mix { functions: f64::from(functions), subtrees: self.subtrees_of(tree, std::iter::once(node.row())) }
            }
            _ => self.mix(std::iter::once(range)),
        }
    }

    /// How the own cost of nodes of one function is made up.
    fn of_self(&self, rows: impl Iterator<Item = usize>) -> Mix {
        let mut scratch = self.scratch.borrow_mut();
        let mut whole = 0.0;
        for row in rows {
            let cost = self.pooled[row];
            if cost > 0.0 {
                whole += cost;
                scratch.add_subtree(self.subtree[row], cost);
            }
        }
        let subtrees = scratch.take_subtrees(|sum| sum * sum);
        if whole > 0.0 { Mix { functions: 1.0, subtrees: subtrees / (whole * whole) } } else { Mix::ONE }
    }

    /// Sum of the squared parts of subtrees in the totals of nodes that are disjoint.
    fn subtrees_of(&self, tree: &CallTree, rows: impl Iterator<Item = usize>) -> f64 {
        let mut scratch = self.scratch.borrow_mut();
        let mut whole = 0.0;
        for row in rows {
            let end = tree.subtree_ends()[row] as usize;
            whole += self.before[end] - self.before[row];
            if self.subtree[row] > 0 {
                scratch.add_subtree(self.subtree[row], self.before[end] - self.before[row]);
                continue;
            }
            // A divided one: what lies below, and between.
            let mut at = row;
            let mut next = self.roots.partition_point(|&root| (root as usize) < row);
            while at < end {
                let root = self.roots.get(next).map_or(end, |&root| end.min(root as usize));
                scratch.add_subtree(0, self.before[root] - self.before[at]);
                if root < end {
                    at = tree.subtree_ends()[root] as usize;
                    scratch.add_subtree(self.subtree[root], self.before[at] - self.before[root]);
                    next += 1;
                } else {
                    at = end;
                }
            }
        }
        let squares = scratch.take_subtrees(|sum| sum * sum);
        if whole > 0.0 { squares / (whole * whole) } else { 1.0 }
    }

    /// Sketches of the places' totals; those of nodes go into `sketched`.
    fn sketch(&mut self, tree: &CallTree, places: &Places, outermost: &[bool]) -> Vec<Sketch> {
        // By name: numbers of places follow from the order of the captures, and swapped sides say the same.
        let signs: Vec<u64> = places.iter_ids().checked().map(|(_, place)| signs(&place.name)).collect();
        let mut of_places = vec![Sketch::default(); places.len()];
        let mut sketched = vec![1.0_f32; tree.len()];
        // The callers of the node that is looked at, each with where its subtree ends.
        let mut open: Vec<(usize, usize, Sketch)> = Vec::new();
        let mut close = |open: &mut Vec<(usize, usize, Sketch)>, before: usize| {
            while open.last().is_some_and(|(_, end, _)| *end <= before) {
                let Some((row, _, sketch)) = open.pop() else { break };
                sketched[row] = sketch.part(self.pooled[row]) as f32;
                if outermost[row] {
                    of_places[self.place[row] as usize].add(&sketch);
                }
                if let Some((_, _, above)) = open.last_mut() {
                    above.add(&sketch);
                }
            }
        };
        for row in (0..tree.len()).checked() {
            close(&mut open, row);
            let mut sketch = Sketch::default();
            sketch.sign(self.pooled[row] as f32, signs[self.place[row] as usize]);
            open.push((row, tree.subtree_ends()[row] as usize, sketch));
        }
        close(&mut open, tree.len());
        self.sketched = sketched;
        of_places
    }

    /// How a group is made up, given as ranges of nodes.
    pub(crate) fn mix(&self, ranges: impl Iterator<Item = Range<usize>>) -> Mix {
        let ranges: Vec<Range<usize>> = ranges.checked().collect();
        if ranges.iter().map(Range::len).sum::<usize>() > MANY {
            return self.mix_of_points(&ranges);
        }
        let mut scratch = self.scratch.borrow_mut();
        let mut whole = 0.0;
        for row in ranges.into_iter().flatten() {
            let cost = self.pooled[row];
            if cost > 0.0 {
                whole += cost;
                scratch.add(self.place[row], self.subtree[row], cost);
            }
        }
        let [functions, subtrees] = scratch.take(|sum| sum * sum);
        if whole > 0.0 { Mix { functions: functions / (whole * whole), subtrees: subtrees / (whole * whole) } } else { Mix::ONE }
    }

    /// The same from where points at equal distances of cost fall: the chance that two of them fall on the same function, or into the same subtree.
    fn mix_of_points(&self, ranges: &[Range<usize>]) -> Mix {
        let cost = |range: &Range<usize>| self.before[range.end] - self.before[range.start];
        let distance = ranges.iter().map(cost).sum::<f64>() / f64::from(POINTS);
        if distance <= 0.0 {
            return Mix::ONE;
        }
        let mut scratch = self.scratch.borrow_mut();
        let mut found = 0.0_f64;
        let mut next = distance / 2.0;
        for range in ranges.iter().checked() {
            let mut row = range.start;
            while next < cost(range) {
                row = self.row_at(row, range.end, self.before[range.start] + next);
                scratch.add(self.place[row], self.subtree[row], 1.0);
                found += 1.0;
                next += distance;
            }
            next -= cost(range);
        }
        let pairs = (found * (found - 1.0)).max(1.0);
        let [functions, subtrees] = scratch.take(|count| count * (count - 1.0));
        Mix { functions: functions / pairs, subtrees: subtrees / pairs }
    }

    /// The node between `from` and `end` in which a cost from the first node on is reached: doubling steps, since the next point is near.
    fn row_at(&self, from: usize, end: usize, cost: f64) -> usize {
        let is_before = |row: usize| self.before[row + 1] <= cost;
        let (mut low, mut step) = (from, 1);
        while low + step < end && is_before(low + step) {
            low += step;
            step *= 2;
        }
        let high = (low + step).min(end - 1);
        low + self.before[low + 1..=high].partition_point(|sum| *sum <= cost)
    }
}

impl Scratch {
    fn add(&mut self, place: u32, subtree: u32, amount: f64) {
        let sum = &mut self.by_place[place as usize];
        if *sum == 0.0 {
            self.places.push(place);
        }
        *sum += amount;
        self.add_subtree(subtree, amount);
    }

    fn add_subtree(&mut self, subtree: u32, amount: f64) {
        let sum = &mut self.by_subtree[subtree as usize];
        if *sum == 0.0 {
            self.subtrees.push(subtree);
        }
        *sum += amount;
    }

    /// Sums of `weigh` over what was added up, by place and by subtree, which begin anew.
    fn take(&mut self, weigh: impl Fn(f64) -> f64) -> [f64; 2] {
        let Self { by_place, places, .. } = self;
        let functions = places.drain(..).map(|at| weigh(std::mem::take(&mut by_place[at as usize]))).sum();
        [functions, self.take_subtrees(weigh)]
    }

    fn take_subtrees(&mut self, weigh: impl Fn(f64) -> f64) -> f64 {
        let Self { by_subtree, subtrees, .. } = self;
        subtrees.drain(..).map(|at| weigh(std::mem::take(&mut by_subtree[at as usize]))).sum()
    }
}

/// Sums of cost with random signs by function.
#[derive(Clone, Copy, Debug)]
struct Sketch {
    sums: [f32; SIGNS],
    whole: f64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { sums: [0.0; SIGNS], whole: 0.0 }
    }
}

impl Sketch {
    /// The cost of one node.
    fn sign(&mut self, cost: f32, signs: u64) {
        self.whole = f64::from(cost);
        for (half, sums) in self.sums.chunks_exact_mut(32).enumerate() {
            let signs = (signs >> (32 * half)) as u32;
            for (at, sum) in sums.iter_mut().enumerate() {
                let sign = if signs & (1 << at) == 0 { 0 } else { 1_u32 << 31 };
                *sum = f32::from_bits(cost.to_bits() ^ sign);
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        for (sum, other) in self.sums.iter_mut().zip(&other.sums) {
            *sum += other;
        }
    }

    /// Sum of the squared parts of functions, of which one has at least `own`.
    fn part(&self, own: f64) -> f64 {
        if self.whole <= 0.0 {
            return 1.0;
        }
        let squares: f64 = self.sums.iter().map(|&sum| f64::from(sum).powi(2)).sum::<f64>() / SIGNS as f64;
        (squares / self.whole.powi(2)).max((own / self.whole).powi(2)).min(1.0)
    }
}

/// Random signs of a function, as bits.
fn signs(name: &str) -> u64 {
    let mut z = FxBuildHasher.hash_one(name).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes of some functions with heavy tails of cost, a tenth of them without any, in subtrees of a hundred.
    fn shapes(nodes: usize, functions: u32) -> Shapes {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as f64 / f64::from(1_u32 << 31)
        };
        let place: Vec<u32> = (0..nodes).map(|_| (next().powi(3) * f64::from(functions)) as u32).collect();
        let pooled: Vec<f64> = (0..nodes).map(|_| if next() < 0.1 { 0.0 } else { next().powi(-2).min(1e4) }).collect();
        let before = (0..=nodes).map(|row| pooled[..row].iter().sum()).collect();
        let subtree: Vec<u32> = (0..nodes).map(|row| row as u32 / 100).collect();
        let scratch = Scratch { by_place: vec![0.0; functions as usize], by_subtree: vec![0.0; nodes / 100 + 1], ..Scratch::default() };
        Shapes {
            pooled,
            before,
            place,
            subtree,
            roots: Vec::new(),
            subtrees: Vec::new(),
            places: [Vec::new(), Vec::new()],
            sketched: Vec::new(),
            scratch: RefCell::new(scratch),
        }
    }

    #[test]
    fn points_say_what_all_nodes_say() {
        for functions in [1, 5, 300] {
            let shapes = shapes(8000, functions);
            for ranges in
                [vec![0..7900, 7900..8000], vec![5..4000, 4100..4101, 6000..8000], (0..4000).map(|row| row * 2..row * 2 + 1).collect()]
            {
                let exact = shapes.mix(ranges.iter().cloned());
                let found = shapes.mix_of_points(&ranges);
                let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.25;
                assert!(near(found.functions, exact.functions), "{functions} functions: {found:?}, exactly {exact:?}");
                assert!(near(found.subtrees, exact.subtrees), "{functions} functions: {found:?}, exactly {exact:?}");
                assert_eq!(shapes.mix(ranges.iter().cloned()), exact, "nothing is left behind");
            }
        }
    }

    #[test]
    fn a_point_falls_on_the_node_that_holds_its_cost() {
        let shapes = shapes(500, 7);
        for from in [0, 3, 250] {
            for row in from..500 {
                let middle = f64::midpoint(shapes.before[row], shapes.before[row + 1]);
                if shapes.pooled[row] > 0.0 {
                    assert_eq!(shapes.row_at(from, 500, middle), row);
                }
            }
        }
    }
}
