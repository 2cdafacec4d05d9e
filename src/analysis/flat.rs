//! The flat table over all sides, and its rows in an order and with a pattern.
//!
//! [`Flat`] is what a comparison weighs by place; [`rows`] only sorts and filters it, so that a click on a column head costs no
//! second walk over the tree. Deliberately absent: text. Start reading at [`flat`].

use rayon::prelude::*;

use super::call_tree::CallTree;
use super::comparison::{Comparison, Side};
pub use super::diff::Measure;
use super::filter::matching;
use super::place::PlaceId;
use crate::base::ticket::{Checked as _, checkpoint};

/// The values of one side by place row, as stored (not normalised).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlatSide {
    self_: Vec<i64>,
    total: Vec<i64>,
    largest: [i64; 2],
    sum_self: i64,
    gross_self: u64,
}

impl FlatSide {
    /// The value of a place.
    pub fn value(&self, measure: Measure, place: PlaceId) -> i64 {
        let column = match measure {
            Measure::Self_ => &self.self_,
            Measure::Total => &self.total,
        };
        column.get(place.row()).copied().unwrap_or(0)
    }

    /// The largest absolute value of all places.
    pub const fn largest(&self, measure: Measure) -> i64 {
        match measure {
            Measure::Self_ => self.largest[0],
            Measure::Total => self.largest[1],
        }
    }

    /// Sum of the self values of all places: all samples that have a stack.
    pub const fn sum_self(&self) -> i64 {
        self.sum_self
    }

    /// True where self values of either sign cancel each other: parts of them are of the values without signs.
    pub const fn has_both_signs(&self) -> bool {
        self.gross_self != self.sum_self.unsigned_abs()
    }
}

/// Self and total of every place on every side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flat {
    /// Before and after, or the one side.
    pub sides: Vec<FlatSide>,
    /// Places with a value on some side, in name order.
    pub places: Vec<PlaceId>,
    /// How many places, those with the largest self values on the last side, make up [`MOST`] of it; see [`places_of_most`].
    pub most: Option<usize>,
}

/// The part of all self values, those of samples without a stack among them, that [`Flat::most`] places have together.
pub const MOST: f64 = 0.8;

/// Adds up a comparison by place.
pub fn flat(comparison: &Comparison) -> Flat {
    let largest = |column: &[i64]| column.iter().map(|value| value.saturating_abs()).max().unwrap_or(0);
    let sides: Vec<FlatSide> = comparison
        .by_place()
        .into_iter()
        .map(|(self_, total)| FlatSide {
            largest: [largest(&self_), largest(&total)],
            gross_self: self_.iter().fold(0, |sum, &value| sum.saturating_add(value.unsigned_abs())),
            sum_self: self_.iter().fold(0, |sum, &value| sum.saturating_add(value)),
            self_,
            total,
        })
        .collect();
    let has_value = |place: &PlaceId| {
        let row = place.row();
        sides.iter().any(|side| side.self_[row] != 0 || side.total[row] != 0)
    };
    let places = comparison.places().ids().skip(1).checked().filter(has_value).collect();
    let most = sides.last().zip(comparison.last()).and_then(|(flat, side)| {
        let mut sizes: Vec<u64> = flat.self_.iter().map(|value| value.unsigned_abs()).collect();
        sizes.par_sort_unstable_by_key(|&size| std::cmp::Reverse(size));
        checkpoint();
        places_of_most(sizes.iter().copied(), side.weights.self_of(CallTree::ROOT).unsigned_abs())
    });
    Flat { sides, places, most }
}

/// How many places make up [`MOST`] of all self values: `sizes` are theirs without sign, largest first, `stackless` is what samples without a stack
/// have. `None` where all places together do not, or where there is nothing.
pub fn places_of_most(sizes: impl Iterator<Item = u64> + Clone, stackless: u64) -> Option<usize> {
    let whole = sizes.clone().map(|size| size as f64).sum::<f64>() + stackless as f64;
    let mut sum = 0.0;
    let needed = sizes.take_while(|&size| size > 0).position(|size| {
        sum += size as f64;
        sum >= MOST * whole
    });
    needed.map(|at| at + 1)
}

/// What the rows are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderBy {
    /// The name.
    Name,
    /// The size of a value, without sign.
    Value {
        /// Row of [`Flat::sides`].
        side: usize,
        /// Self or total.
        measure: Measure,
    },
    /// After minus before, normalised, with its sign.
    Delta(Measure),
    /// After divided by before, normalised; what is new is largest.
    Ratio(Measure),
}

/// Order and choice of rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowsSpec {
    /// What comes first.
    pub by: OrderBy,
    /// Smallest value first. Names are in alphabetical order where this is true.
    pub ascending: bool,
    /// Only places that match, see [`matching`]; empty = all.
    pub pattern: String,
}

/// The rows of a flat table as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The places, first row first.
    pub places: Vec<PlaceId>,
    /// Sum of the self values of these rows, one per side, as stored.
    pub sum_self: Vec<i64>,
}

/// Sorts and filters. Equal rows are ordered by what else tells large from small, then by name.
pub fn rows(comparison: &Comparison, flat: &Flat, spec: &RowsSpec) -> Rows {
    let mut places = flat.places.clone();
    if !spec.pattern.is_empty() {
        let found = matching(comparison.places(), &spec.pattern);
        places.retain(|place| found.contains(place));
    }
    if spec.by == OrderBy::Name {
        if !spec.ascending {
            places.reverse();
        }
    } else {
        let sign = if spec.ascending { -1.0 } else { 1.0 };
        let mut keyed: Vec<(f64, f64, PlaceId)> = places
            .iter()
            .checked()
            .map(|&place| {
                let (first, second) = keys(comparison, flat, spec.by, place);
                (sign * first, second, place)
            })
            .collect();
        keyed.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.total_cmp(&a.1)).then_with(|| a.2.cmp(&b.2)));
        checkpoint();
        places = keyed.into_iter().map(|(_, _, place)| place).collect();
    }
    let sum = |side: &FlatSide| places.iter().fold(0_i64, |sum, &place| sum.saturating_add(side.value(Measure::Self_, place)));
    let sum_self = flat.sides.iter().map(sum).collect();
    Rows { places, sum_self }
}

/// What a place is sorted by, and what decides between equals.
fn keys(comparison: &Comparison, flat: &Flat, by: OrderBy, place: PlaceId) -> (f64, f64) {
    let size = |side: usize, measure| flat.sides.get(side).map_or(0.0, |side| side.value(measure, place).unsigned_abs() as f64);
    match by {
        OrderBy::Name => (0.0, 0.0),
        OrderBy::Value { side, measure: Measure::Self_ } => (size(side, Measure::Self_), size(side, Measure::Total)),
        OrderBy::Value { side, measure: Measure::Total } => (size(side, Measure::Total), size(side, Measure::Self_)),
        OrderBy::Delta(measure) => {
            let change = change(comparison, flat, measure, place);
            (change.delta(), change.before.abs().max(change.after.abs()))
        }
        OrderBy::Ratio(measure) => {
            let change = change(comparison, flat, measure, place);
            (change.ratio().unwrap_or(1.0), change.delta().abs())
        }
    }
}

/// The normalised values of one place on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Value of before.
    pub before: f64,
    /// Value of after.
    pub after: f64,
}

impl Change {
    /// After minus before.
    pub fn delta(self) -> f64 {
        self.after - self.before
    }

    /// After divided by before; infinite for what is new, `None` where both are 0.
    pub fn ratio(self) -> Option<f64> {
        match (self.before == 0.0, self.after == 0.0) {
            (true, true) => None,
            (true, false) => Some(f64::INFINITY),
            _ => Some(self.after / self.before),
        }
    }

    /// The ratio as people read it: `×1.31`, `new`, `gone`; empty where both sides are 0.
    pub fn ratio_text(self) -> String {
        match self.ratio() {
            None => String::new(),
            Some(ratio) if ratio.is_infinite() => "new".to_owned(),
            Some(0.0) => "gone".to_owned(),
            Some(ratio) if ratio.abs() >= 100.0 => format!("×{ratio:.0}"),
            Some(ratio) if ratio.abs() >= 10.0 => format!("×{ratio:.1}"),
            Some(ratio) => format!("×{ratio:.2}"),
        }
    }
}

/// Before and after of a place, normalised; both 0 where there is only one side.
pub fn change(comparison: &Comparison, flat: &Flat, measure: Measure, place: PlaceId) -> Change {
    let (Some((before, after)), [flat_before, flat_after]) = (comparison.pair(), flat.sides.as_slice()) else {
        return Change::default();
    };
    let value = |side: &Side, flat: &FlatSide| flat.value(measure, place) as f64 * comparison.factor(side);
    Change { before: value(before, flat_before), after: value(after, flat_after) }
}
