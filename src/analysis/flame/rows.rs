//! Rows of boxes and their level-of-detail pyramid.
//!
//! Level k of a row holds every box at least 2^k units wide, and runs of narrower neighbours with gaps below 2^k. A frame reads the
//! coarsest level that is finer than its pixels, so its cost follows the pixels and not the nodes. Start reading at [`Rows::visit`].

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::{BySize, FlameBox};
use crate::analysis::call_tree::NodeId;
use crate::base::ticket::{Cancelled, Ticket};

/// A run ends at this many pixels: longer ones would show one colour where many boxes are.
const RUN_PIXELS: i64 = 8;

/// A level is kept only when it has less than this part of the items of the level below it. This holds the pyramid near the size of
/// its base (measured over a million nodes: 1.1 times, against 7 times with all levels kept).
const KEEP_BELOW: f64 = 0.6;

/// Rows with fewer items are drawn from their base; the small rows of property tests are to have levels too.
const MIN_ITEMS: usize = if cfg!(test) { 2 } else { 64 };

/// Boxes are cut off this many pixels outside the view, where `f32` is still exact to a small part of a pixel.
const OUTSIDE_PIXELS: f64 = 4.0;

/// One box or one run of boxes, in units of the layout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Item {
    /// Left edge.
    pub(super) start: i64,
    /// Right edge, right of `start`.
    pub(super) end: i64,
    /// The node; of a run its widest one.
    pub(super) node: NodeId,
    /// Width of the widest node of a run; 0 marks an item that is one node.
    widest: f32,
}

impl Item {
    pub(super) const fn node(start: i64, end: i64, node: NodeId) -> Self {
        Self { start, end, node, widest: 0.0 }
    }

    pub(super) const fn width(&self) -> i64 {
        self.end - self.start
    }

    fn is_run(&self) -> bool {
        self.widest > 0.0
    }

    fn widest(&self) -> f32 {
        if self.is_run() { self.widest } else { self.width() as f32 }
    }

    /// Grows to the right over `next`; true where that one is wider than all before it.
    fn absorb(&mut self, next: &Self) -> bool {
        let (mine, other) = (self.widest(), next.widest());
        self.end = next.end;
        self.widest = mine.max(other);
        if other > mine {
            self.node = next.node;
        }
        other > mine
    }
}

#[derive(Clone, Debug)]
struct Level {
    exponent: u32,
    items: Range<usize>,
}

#[derive(Clone, Debug, Default)]
struct Row {
    base: Vec<Item>,
    coarse: Vec<Item>,
    levels: Vec<Level>,
}

/// One value per item of a pyramid, in the order in which frames read them.
#[derive(Clone, Debug, Default)]
pub(super) struct Column<T> {
    /// Of each row: values of the base, and of all levels above it.
    rows: Vec<[Vec<T>; 2]>,
}

impl<T: Copy> Column<T> {
    /// Values of the items that [`Row::level`] gives.
    pub(super) fn level(&self, depth: usize, coarse: Option<usize>) -> impl Fn(usize) -> Option<T> + '_ {
        let values: &[T] = match (self.rows.get(depth), coarse) {
            (Some([_, values]), Some(from)) => values.get(from..).unwrap_or_default(),
            (Some([values, _]), None) => values,
            (None, _) => &[],
        };
        |at| values.get(at).copied()
    }
}

/// All rows of a layout. Items of a row ascend by start, by end and by node (or by its place in the order of nodes), and do not overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    total: i64,
    rows: Vec<Row>,
    /// The order of nodes from left to right, where that is not their own.
    by_size: Option<Arc<BySize>>,
}

impl Rows {
    /// Builds the pyramids, rows in parallel.
    pub(super) fn build(total: i64, base: Vec<Vec<Item>>, by_size: Option<Arc<BySize>>, ticket: &Ticket) -> Result<Self, Cancelled> {
        ticket.stage("building detail levels", base.len() as u64)?;
        let rows: Result<Vec<Row>, Cancelled> = base
            .into_par_iter()
            .map(|base| {
                ticket.advance(1)?;
                Ok(Row::build(base))
            })
            .collect();
        Ok(Self { total, rows: rows?, by_size })
    }

    pub(super) fn subset(&self, keep: impl Fn(NodeId) -> bool + Sync, ticket: &Ticket) -> Result<Self, Cancelled> {
        ticket.stage("marking", self.rows.len() as u64)?;
        let rows: Result<Vec<Row>, Cancelled> = self
            .rows
            .par_iter()
            .map(|row| {
                ticket.advance(1)?;
                Ok(Row::build(row.base.iter().filter(|item| keep(item.node)).copied().collect()))
            })
            .collect();
        let mut rows = rows?;
        let used = rows.iter().rposition(|row| !row.base.is_empty()).map_or(0, |last| last + 1);
        rows.truncate(used);
        Ok(Self { total: self.total, rows, by_size: self.by_size.clone() })
    }

    pub(super) const fn total(&self) -> i64 {
        self.total
    }

    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// One item per node of a row; nothing past the last row.
    pub(super) fn base(&self, depth: usize) -> &[Item] {
        self.rows.get(depth).map_or(&[], |row| &row.base)
    }

    /// The row and place of a node. A search in every row (microseconds), because a column of slots would cost 4 bytes a node for
    /// something asked once per click.
    pub(super) fn find(&self, node: NodeId) -> Option<(usize, &Item)> {
        self.rows.iter().enumerate().find_map(|(depth, row)| {
            let at = match &self.by_size {
                Some(order) => row.base.binary_search_by_key(&order.place(node), |item| order.place(item.node)),
                None => row.base.binary_search_by_key(&node, |item| item.node),
            };
            let at = at.ok()?;
            row.base.get(at).map(|item| (depth, item))
        })
    }

    /// The value of each item: that of its node, or of the widest node of its run.
    pub(super) fn column<T: Copy + Send>(&self, value: impl Fn(NodeId) -> T + Sync) -> Column<T> {
        let values = |items: &[Item]| items.iter().map(|item| value(item.node)).collect();
        Column { rows: self.rows.par_iter().map(|row| [values(&row.base), values(&row.coarse)]).collect() }
    }

    /// See [`super::FlameLayout::visit_with`]. `values` is asked once a row: it gets the row and where in the items above its base the
    /// chosen level begins (`None` for the base), and gives the value of each item of that level.
    #[inline]
    pub(super) fn visit<T, V: Fn(usize) -> Option<T>>(
        &self,
        values: impl Fn(usize, Option<usize>) -> V,
        range: &Range<f64>,
        rows: Range<usize>,
        pixels: f64,
        mut each: impl FnMut(FlameBox, T),
    ) {
        let total = self.total as f64;
        let (from, to) = (range.start * total, range.end * total);
        let units = (to - from) / pixels;
        if !(units.is_finite() && units > 0.0) {
            return;
        }
        let scale = units.recip();
        let exponent = if units >= 1.0 { units.log2() as u32 } else { 0 };
        let (first, last) = (from.floor() as i64, to.ceil() as i64);
        // A box of exactly one pixel stays a box, also where rounding makes the pixel a hair wider than a whole number of units.
        let one = (units * (1.0 - 1e-12)).ceil() as i64;
        let cap = (units * RUN_PIXELS as f64) as i64;
        let rightmost = pixels + OUTSIDE_PIXELS;
        // Positions relative to the view before they become `f32`: exact at any zoom.
        let pixel = |at: i64| ((at as f64 - from) * scale).max(-OUTSIDE_PIXELS).min(rightmost) as f32;
        for depth in rows.start..rows.end.min(self.rows.len()) {
            let (items, coarse) = self.rows[depth].level(exponent);
            let value = values(depth, coarse);
            let begin = items.partition_point(|item| item.end <= first);
            let end = begin + items[begin..].partition_point(|item| item.start < last);
            merge_narrow(&items[begin..end], one, cap, |item, at| {
                if let Some(value) = value(begin + at) {
                    let (x0, x1) = (pixel(item.start), pixel(item.end));
                    each(FlameBox { depth: depth as u32, x0, x1, node: item.node, merged: item.is_run() }, value);
                }
            });
        }
    }

    /// [`visit`](Self::visit) without values.
    #[inline]
    pub(super) fn visit_boxes(&self, range: &Range<f64>, rows: Range<usize>, pixels: f64, mut each: impl FnMut(FlameBox)) {
        self.visit(|_, _| |_| Some(()), range, rows, pixels, |found, ()| each(found));
    }
}

impl Row {
    fn build(base: Vec<Item>) -> Self {
        let mut coarse: Vec<Item> = Vec::new();
        let mut levels: Vec<Level> = Vec::new();
        let mut scratch: Vec<Item> = Vec::new();
        let last_exponent = base.last().map_or(0, |last| bits(last.end)).min(58);
        let mut exponent = 1;
        while exponent <= last_exponent {
            let source: &[Item] = levels.last().map_or(&base, |level| &coarse[level.items.clone()]);
            let limit = (source.len() as f64 * KEEP_BELOW) as usize;
            if source.len() < MIN_ITEMS {
                break;
            }
            exponent = exponent.max(first_useful(source, source.len() - limit));
            while exponent <= last_exponent {
                scratch.clear();
                merge_narrow(source, 1 << exponent, RUN_PIXELS << exponent, |item, _| scratch.push(item));
                if scratch.len() < limit {
                    break;
                }
                exponent += 1;
            }
            if exponent > last_exponent {
                break;
            }
            let start = coarse.len();
            coarse.extend_from_slice(&scratch);
            levels.push(Level { exponent, items: start..coarse.len() });
            exponent += 1;
        }
        coarse.shrink_to_fit();
        Self { base, coarse, levels }
    }

    /// The coarsest items whose runs are narrower than pixels of 2^`exponent` units, and where in `coarse` they begin; `None` for the
    /// base.
    fn level(&self, exponent: u32) -> (&[Item], Option<usize>) {
        let at = self.levels.partition_point(|level| level.exponent <= exponent);
        match at.checked_sub(1).and_then(|at| self.levels.get(at)) {
            Some(level) => (&self.coarse[level.items.clone()], Some(level.items.start)),
            None => (&self.base, None),
        }
    }
}

/// Number of bits of a non-negative number: `value < 2^k` exactly when `bits(value) <= k`.
const fn bits(value: i64) -> u32 {
    64 - value.leading_zeros()
}

/// The first exponent at which more than `wanted` neighbours can merge: both narrow, and the gap between them too. One scan instead
/// of a trial merge for each exponent.
fn first_useful(items: &[Item], wanted: usize) -> u32 {
    let mut pairs = [0_usize; 65];
    for pair in items.windows(2) {
        let [a, b] = pair else { continue };
        pairs[bits(a.width() | b.width() | (b.start - a.end)) as usize] += 1;
    }
    let mut sum = 0;
    let enough = pairs.iter().position(|&count| {
        sum += count;
        sum > wanted
    });
    enough.map_or(u32::MAX, |exponent| exponent as u32)
}

/// Gives the items at least `one` wide as they are, and narrower neighbours (gap below `one`) as runs at most `cap` long; with the place
/// in `items` of the item or of the run's widest one.
///
/// A pixel of `one` units or more that lies inside such a run is touched by one of its items: none fits into a gap.
#[inline]
fn merge_narrow(items: &[Item], one: i64, cap: i64, mut each: impl FnMut(Item, usize)) {
    let mut next = 0;
    while let Some(&(mut item)) = items.get(next) {
        let mut widest = next;
        next += 1;
        if item.width() < one {
            while let Some(other) = items.get(next)
                && other.width() < one
                && other.start - item.end < one
                && other.end - item.start <= cap
            {
                if item.absorb(other) {
                    widest = next;
                }
                next += 1;
            }
        }
        // The only call: `each` is large in the frame loop, and is made part of this loop only where it stands once.
        each(item, widest);
    }
}

#[cfg(test)]
impl Rows {
    /// Items of all levels above the base, for tests of their size.
    pub(super) fn coarse_items(&self) -> usize {
        self.rows.iter().map(|row| row.coarse.len()).sum()
    }
}
