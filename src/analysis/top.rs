//! The flat table: self and total of every place.

use super::call_tree::CallTree;
use super::place::{PlaceId, Places};
use super::weigh::Weights;
use crate::base::ticket::{Checked as _, Watch};

/// Self and total of one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopRow {
    /// The place.
    pub place: PlaceId,
    /// Value without callees (flat).
    pub self_: i64,
    /// Value with callees (cum); recursion counted once per sample.
    pub total: i64,
}

/// All places that have a value, largest self first (then total, then name): the order of `go tool pprof -top`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Top {
    /// The rows.
    pub rows: Vec<TopRow>,
}

/// Self and total per place row of one weighing, the root excluded. In a bottom-up tree self values stand at the roots' level: pass
/// the top-down tree.
pub fn by_place(tree: &CallTree, places: &Places, weights: &Weights) -> (Vec<i64>, Vec<i64>) {
    let (mut self_, mut total) = (vec![0_i64; places.len()], vec![0_i64; places.len()]);
    for (node, outermost) in tree.nodes().zip(tree.outermost(places)).skip(1).checked() {
        let row = tree.place(node).row();
        self_[row] = self_[row].saturating_add(weights.self_of(node));
        if outermost {
            total[row] = total[row].saturating_add(weights.total_of(node));
        }
    }
    (self_, total)
}

/// The flat table of one weighing.
pub fn top(tree: &CallTree, places: &Places, weights: &Weights) -> Top {
    let (self_, total) = by_place(tree, places, weights);
    let mut rows: Vec<TopRow> = places
        .ids()
        .skip(1)
        .checked()
        .map(|place| TopRow { place, self_: self_[place.row()], total: total[place.row()] })
        .filter(|row| row.self_ != 0 || row.total != 0)
        .collect();
    // Places are in name order already, so a stable sort keeps names ascending among equals.
    let watch = Watch::new();
    rows.sort_by_key(|row| {
        watch.step();
        (std::cmp::Reverse(row.self_.unsigned_abs()), std::cmp::Reverse(row.total.unsigned_abs()))
    });
    Top { rows }
}
