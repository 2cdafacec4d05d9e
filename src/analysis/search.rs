//! Finding places by name, and what the matches weigh together.

use rustc_hash::FxHashSet;

use super::call_tree::CallTree;
use super::filter::matching;
use super::place::{PlaceId, Places};
use super::weigh::Weights;
use crate::base::ticket::Checked as _;

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// The places.
    pub places: FxHashSet<PlaceId>,
    /// Number of nodes with such a place.
    pub nodes: usize,
    /// Their value, each sample counted once: nodes below another match add nothing.
    pub total: i64,
}

/// All places that match the pattern (see [`compile`](super::filter::compile)); a comma means that both parts must match.
pub fn search(tree: &CallTree, places: &Places, weights: &Weights, pattern: &str) -> Matches {
    let mut parts = pattern.split(',').map(str::trim).filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return Matches::default() };
    let mut found = matching(places, first);
    for part in parts {
        let also = matching(places, part);
        found.retain(|place| also.contains(place));
    }
    let (mut nodes, mut total, mut covered_until) = (0, 0_i64, 0);
    for node in tree.nodes().skip(1).checked().filter(|&node| found.contains(&tree.place(node))) {
        nodes += 1;
        if node.row() >= covered_until {
            total = total.saturating_add(weights.total_of(node));
            covered_until = tree.subtree_end(node);
        }
    }
    Matches { places: found, nodes, total }
}
