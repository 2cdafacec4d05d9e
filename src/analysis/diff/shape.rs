//! How groups of nodes are made up: how much of the noise of single functions and of whole subtrees is left in their sum.
//!
//! Noise of single functions averages out in a large group, noise of a subtree (another mix of requests) does not. Follows from the
//! pooled cost of both sides, which says nothing about their difference. Groups of many nodes are looked at in points at equal distances of their
//! cost instead of node by node: in a deep tree of a million nodes the groups of all functions have billions of nodes together. Start reading at
//! [`Shapes::mix`].

use std::cell::RefCell;
use std::ops::Range;

use super::ground::Sums;
use crate::analysis::call_tree::CallTree;
use crate::base::ticket::Checked as _;

/// A subtree with more of the whole than this is divided into those of its callees.
const DIVIDED: f64 = 0.5;

/// A group of more nodes than this is looked at in points.
const MANY: usize = 4096;

/// How many points: what comes out is within a tenth or so of the sums over all nodes, and what it weighs is known to some tens of percent.
const POINTS: u32 = 256;

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
    subtrees: Vec<Mix>,
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
    pub(crate) fn new(tree: &CallTree, nodes: &[Sums], places: usize, exposure: f64) -> Self {
        let pooled: Vec<f64> = nodes.iter().checked().map(|sums| sums.pooled(exposure)).collect();
        let mut totals = pooled.clone();
        for (row, parent) in tree.parents().iter().enumerate().rev().checked() {
            if let Some(parent) = parent {
                totals[parent.row()] += totals[row];
            }
        }
        let whole = totals.first().copied().unwrap_or(0.0);
        // 0 = what a divided subtree has of its own.
        let mut subtree = vec![0_u32; tree.len()];
        let mut count = 1_u32;
        let mut row = 1;
        while row < tree.len() {
            if totals[row] > whole * DIVIDED {
                row += 1;
                continue;
            }
            let end = tree.subtree_ends()[row] as usize;
            subtree[row..end].fill(count);
            count += 1;
            row = end;
        }
        let place = tree.places().iter().checked().map(|place| place.row() as u32).collect();
        let scratch = Scratch { by_place: vec![0.0; places], by_subtree: vec![0.0; count as usize], ..Scratch::default() };
        let mut sum = 0.0;
        let before = std::iter::once(0.0).chain(pooled.iter().checked().map(|cost| {
            sum += cost.max(0.0);
            sum
        }));
        let before = before.collect();
        let mut made = Self { pooled, before, place, subtree, subtrees: Vec::new(), scratch: RefCell::new(scratch) };
        let mut mixes = vec![Mix::ONE; count as usize];
        let mut row = 1;
        while row < tree.len() {
            let of = made.subtree[row] as usize;
            let end = if of == 0 { row + 1 } else { tree.subtree_ends()[row] as usize };
            if of > 0 {
                mixes[of] = made.mix(std::iter::once(row..end));
            }
            row = end;
        }
        made.subtrees = mixes;
        made
    }

    /// Number of disjoint subtrees, the rest included as the first.
    pub(crate) const fn subtrees(&self) -> usize {
        self.subtrees.len()
    }

    /// The subtree of a node.
    pub(crate) fn subtree_of(&self, row: usize) -> usize {
        self.subtree.get(row).map_or(0, |&subtree| subtree as usize)
    }

    /// How a subtree is made up.
    pub(crate) fn subtree_mix(&self, subtree: usize) -> Mix {
        self.subtrees.get(subtree).copied().unwrap_or(Mix::ONE)
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
        let sum = &mut self.by_subtree[subtree as usize];
        if *sum == 0.0 {
            self.subtrees.push(subtree);
        }
        *sum += amount;
    }

    /// Sums of `weigh` over what was added up, by place and by subtree, which begin anew.
    fn take(&mut self, weigh: impl Fn(f64) -> f64) -> [f64; 2] {
        let Self { by_place, by_subtree, places, subtrees } = self;
        let sum =
            |touched: &mut Vec<u32>, sums: &mut [f64]| touched.drain(..).map(|at| weigh(std::mem::take(&mut sums[at as usize]))).sum();
        [sum(places, by_place), sum(subtrees, by_subtree)]
    }
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
        Shapes { pooled, before, place, subtree, subtrees: Vec::new(), scratch: RefCell::new(scratch) }
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
