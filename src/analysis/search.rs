//! Finding places by name, and what the matches weigh together.

use rustc_hash::FxHashSet;

use super::call_tree::NodeId;
use super::comparison::{Comparison, Side};
use super::filter::{expression_error, matching};
use super::place::PlaceId;
use super::unfold::has_value;
use crate::base::ticket::Checked as _;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// The places, those of nodes without a value too: the pattern does match them.
    pub places: FxHashSet<PlaceId>,
    /// Number of nodes with such a place. Nodes that have no value on any side, as filters and ranges of time leave them, are not counted.
    pub nodes: usize,
    /// Their value on each side, before first, each sample counted once: nodes below another match add nothing.
    pub totals: Vec<i64>,
    /// What is wrong with a pattern that is written as an expression and is none; it was taken as plain text then.
    pub problem: Option<String>,
}

impl Matches {
    /// The value of the capture shown, of after in a comparison.
    pub fn total(&self) -> i64 {
        self.totals.last().copied().unwrap_or(0)
    }

    /// What part of what is shown on each side the matches are, 0 to 1; 0 of a side that shows nothing.
    pub fn shares(&self, sides: &[Side]) -> Vec<f64> {
        let share = |(side, &total): (&Side, &i64)| match side.weights.total() {
            0 => 0.0,
            whole => total as f64 / whole.unsigned_abs() as f64,
        };
        sides.iter().zip(&self.totals).map(share).collect()
    }

    /// The nodes that were found in the tree of a comparison, callers before callees.
    pub fn nodes_of<'a>(&'a self, comparison: &'a Comparison) -> impl DoubleEndedIterator<Item = NodeId> + 'a {
        let tree = comparison.tree();
        tree.nodes().skip(1).filter(|&node| self.places.contains(&tree.place(node)) && has_value(comparison, node))
    }
}

/// All places that match the pattern (see [`compile`](super::filter::compile)); a comma means that both parts must match.
pub fn search(comparison: &Comparison, pattern: &str) -> Matches {
    let (tree, places) = (comparison.tree(), comparison.places());
    let mut parts = pattern.split(',').map(str::trim).filter(|part| !part.is_empty());
    let problem = parts.clone().find_map(expression_error);
    let Some(first) = parts.next() else { return Matches::default() };
    let mut found = matching(places, first);
    for part in parts {
        let also = matching(places, part);
        found.retain(|place| also.contains(place));
    }
    let (mut nodes, mut totals, mut covered_until) = (0, vec![0_i64; comparison.sides.len()], 0);
    for node in tree.nodes().skip(1).checked().filter(|&node| found.contains(&tree.place(node)) && has_value(comparison, node)) {
        nodes += 1;
        if node.row() >= covered_until {
            for (total, side) in totals.iter_mut().zip(&comparison.sides) {
                *total = total.saturating_add(side.weights.total_of(node));
            }
            covered_until = tree.subtree_end(node);
        }
    }
    Matches { places: found, nodes, totals, problem }
}
