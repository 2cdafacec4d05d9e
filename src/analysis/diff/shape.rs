//! How groups of nodes are made up: how much of the noise of single functions and of whole subtrees is left in their sum.
//!
//! Noise of single functions averages out in a large group, noise of a subtree (another mix of requests) does not. Follows from the
//! pooled cost of both sides, which says nothing about their difference. Start reading at [`Shapes::mix`].

use std::cell::RefCell;
use std::ops::Range;

use super::ground::Sums;
use crate::analysis::call_tree::CallTree;
use crate::base::ticket::Checked as _;

/// A subtree with more of the whole than this is divided into those of its callees.
const DIVIDED: f64 = 0.5;

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
        let mut made = Self { pooled, place, subtree, subtrees: Vec::new(), scratch: RefCell::new(scratch) };
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
        let mut scratch = self.scratch.borrow_mut();
        let Scratch { by_place, by_subtree, places, subtrees } = &mut *scratch;
        let mut whole = 0.0;
        for row in ranges.flatten().checked() {
            let cost = self.pooled[row];
            if cost <= 0.0 {
                continue;
            }
            whole += cost;
            let (place, subtree) = (self.place[row], self.subtree[row]);
            if by_place[place as usize] == 0.0 {
                places.push(place);
            }
            by_place[place as usize] += cost;
            if by_subtree[subtree as usize] == 0.0 {
                subtrees.push(subtree);
            }
            by_subtree[subtree as usize] += cost;
        }
        let squares = |touched: &mut Vec<u32>, sums: &mut [f64]| -> f64 {
            touched.drain(..).map(|at| std::mem::take(&mut sums[at as usize]).powi(2)).sum()
        };
        let (functions, subtrees) = (squares(places, by_place), squares(subtrees, by_subtree));
        if whole > 0.0 { Mix { functions: functions / (whole * whole), subtrees: subtrees / (whole * whole) } } else { Mix::ONE }
    }
}
