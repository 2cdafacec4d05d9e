//! Flame graph geometry: where each node of a tree stands, and which boxes of it are worth drawing at a given zoom.
//!
//! A layout gets its widths from the caller (self, before, after, the larger of both …), so one layout serves single captures, diffs and ghosts.
//! Deliberately absent: colours, text, pixels of a screen beyond their number, recursion. Start reading at [`FlameLayout::build`],
//! then [`FlameLayout::visit`]; the level-of-detail pyramid is in `rows.rs`, the order of siblings in `order.rs`, zoom and pan arithmetic in `view.rs`, widths of captures and of
//! comparisons in `widths.rs`.

mod order;
mod rows;
#[cfg(test)]
mod tests;
mod view;
mod widths;

pub use order::{BySize, SiblingOrder};
pub use view::FlameView;
pub use widths::{FlameShape, self_sizes, self_widths};

use std::ops::Range;
use std::sync::Arc;

use crate::analysis::call_tree::{CallTree, NodeId};
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use rows::{Item, Rows};

/// The part of a tree that its layout depends on, one entry per node in preorder: callers stand before callees, subtrees are
/// contiguous.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// Caller of each node; `None` for roots.
    pub parents: &'a [Option<NodeId>],
    /// Distance from the root, 0 for roots.
    pub depths: &'a [u32],
}

impl<'a> From<&'a CallTree> for Shape<'a> {
    fn from(tree: &'a CallTree) -> Self {
        Self { parents: tree.parents(), depths: tree.depths() }
    }
}

/// One box to draw: a node, or a run of neighbours too narrow to be told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlameBox {
    /// Row, 0 for roots.
    pub depth: u32,
    /// Left edge in pixels of the asked range, cut off a little outside of it.
    pub x0: f32,
    /// Right edge; never left of `x0`, may be nearer than a pixel to it.
    pub x1: f32,
    /// The node; of a run its widest one.
    pub node: NodeId,
    /// True for a run of several nodes.
    pub merged: bool,
}

/// A move of the selection from one box to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The box that holds this one, a row nearer to the root.
    Parent,
    /// The widest box that this one holds.
    Child,
    /// The next box to the left in the same row.
    Left,
    /// The next box to the right in the same row.
    Right,
}

/// Positions of all nodes of a tree that have a width.
///
/// Children are packed to the left inside their parent, in tree order or by size; what the parent spends itself is its right end. 24 bytes a
/// node, and about as much again for the pyramid.
#[derive(Clone, Debug, Default)]
pub struct FlameLayout {
    rows: Rows,
}

/// One value per box that a [`FlameLayout`] can give, such as its colour: made once per rule, then read in drawing order. (A column by
/// node would be read all over: measured over a million nodes, that doubled the time of a frame.)
#[derive(Clone, Debug, Default)]
pub struct FlameColumn<T> {
    values: rows::Column<T>,
}

/// Chosen nodes of a [`FlameLayout`] at the same positions, for drawing search matches however narrow they are.
#[derive(Clone, Debug, Default)]
pub struct FlameSubset {
    rows: Rows,
}

impl FlameLayout {
    /// Lays out `shape`. `self_width` has one entry per node: the width that the node adds to those of its children.
    ///
    /// Sums beyond 2⁶² are scaled down by a power of two; nodes that come out with no width stand in no row.
    pub fn build(shape: Shape<'_>, self_width: &[u64], ticket: &Ticket) -> Result<Self, Cancelled> {
        Self::build_from(shape, 0, self_width, None, ticket)
    }

    /// The same without the rows of nodes nearer to the root than `depth`: row 0 holds those that are so far from it. The whole stays the
    /// width of the roots, so layouts of several rows of one tree have one scale.
    /// Siblings stand in the order of `by_size`, which is one of this tree, else as in the tree.
    pub fn build_from(
        shape: Shape<'_>,
        depth: u32,
        self_width: &[u64],
        by_size: Option<&Arc<BySize>>,
        ticket: &Ticket,
    ) -> Result<Self, Cancelled> {
        let nodes = shape.parents.len().min(shape.depths.len()).min(self_width.len());
        ticket.stage("laying out", nodes as u64)?;
        let sum: u128 = self_width.iter().checked().map(|&width| u128::from(width)).sum();
        let shift = (128 - sum.leading_zeros()).saturating_sub(62);
        // Backward: a callee adds itself to its caller after all of its own callees did.
        let mut total: Vec<i64> = self_width[..nodes].iter().map(|&width| (u128::from(width) >> shift) as i64).collect();
        for (row, parent) in shape.parents[..nodes].iter().enumerate().rev().checked() {
            if let Some(parent) = parent {
                total[parent.row()] += total[row];
            }
        }
        ticket.check()?;
        let row_of = |row: usize| shape.depths[row].checked_sub(depth).map(|row| row as usize);
        let mut counts: Vec<usize> = Vec::new();
        for row in (0..nodes).checked().filter(|&row| total[row] > 0) {
            let Some(depth) = row_of(row) else { continue };
            if depth >= counts.len() {
                counts.resize(depth + 1, 0);
            }
            counts[depth] += 1;
        }
        let mut base: Vec<Vec<Item>> = counts.into_iter().map(Vec::with_capacity).collect();
        // Forward: `next` is where the next callee of a node starts. Preorder makes every row ascend by itself.
        let mut next: Vec<i64> = vec![0; nodes];
        let mut next_root = 0;
        let order = by_size.map(|order| order.nodes());
        for at in (0..nodes).checked() {
            let row = order.map_or(at, |order| order.get(at).map_or(at, |node| node.row()));
            let width = total[row];
            if width == 0 {
                continue;
            }
            let cursor = shape.parents[row].map_or(&mut next_root, |parent| &mut next[parent.row()]);
            let start = *cursor;
            *cursor += width;
            next[row] = start;
            if let (Some(node), Some(depth)) = (NodeId::from_row(row), row_of(row)) {
                base[depth].push(Item::node(start, start + width, node));
            }
        }
        ticket.advance(nodes as u64)?;
        Ok(Self { rows: Rows::build(next_root, base, by_size.map(Arc::clone), ticket)? })
    }

    /// Width of everything, in the caller's unit (see [`build`](Self::build) for sums beyond 2⁶²).
    pub fn total(&self) -> u64 {
        self.rows.total().unsigned_abs()
    }

    /// Number of rows that hold a box.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of nodes that have a width.
    pub fn boxes_in_all(&self) -> usize {
        (0..self.rows.len()).map(|depth| self.rows.base(depth).len()).sum()
    }

    /// Start and end of a node as parts of the total; `None` for a node without width.
    pub fn node_span(&self, node: NodeId) -> Option<Range<f64>> {
        let (_, item) = self.rows.find(node)?;
        let total = self.rows.total() as f64;
        Some(item.start as f64 / total..item.end as f64 / total)
    }

    /// The row of a node; `None` for a node without width.
    pub fn node_row(&self, node: NodeId) -> Option<usize> {
        self.rows.find(node).map(|(depth, _)| depth)
    }

    /// The node at `x` (part of the total) in a row, or the nearest one at most `slack` away.
    pub fn hit(&self, row: usize, x: f64, slack: f64) -> Option<NodeId> {
        let items = self.rows.base(row);
        let total = self.rows.total() as f64;
        let (x, slack) = (x * total, slack * total);
        let at = items.partition_point(|item| item.end as f64 <= x);
        // The first box that ends right of `x` holds `x` or starts right of it; the one before it ends left of `x`.
        let right = items.get(at).map(|item| (item.start as f64 - x, item.node));
        if let Some((distance, node)) = right
            && distance <= 0.0
        {
            return Some(node);
        }
        let left = at.checked_sub(1).and_then(|at| items.get(at)).map(|item| (x - item.end as f64, item.node));
        let near = [left, right].into_iter().flatten().filter(|&(distance, _)| distance < slack);
        near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, node)| node)
    }

    /// The box that a step leads to; `None` at the edge.
    pub fn step(&self, from: NodeId, step: Step) -> Option<NodeId> {
        let (depth, item) = self.rows.find(from)?;
        match step {
            Step::Parent => {
                let row = self.rows.base(depth.checked_sub(1)?);
                row.get(row.partition_point(|other| other.end <= item.start)).map(|other| other.node)
            }
            Step::Child => {
                let row = self.rows.base(depth + 1);
                let first = row.partition_point(|other| other.end <= item.start);
                let inside = row[first..].iter().take_while(|other| other.end <= item.end);
                let widest = inside.reduce(|best, other| if other.width() > best.width() { other } else { best });
                widest.map(|other| other.node)
            }
            Step::Left | Step::Right => {
                let row = self.rows.base(depth);
                let at = row.partition_point(|other| other.start < item.start);
                let to = if step == Step::Left { at.checked_sub(1)? } else { at + 1 };
                row.get(to).map(|other| other.node)
            }
        }
    }

    /// Calls `each` for every box of `rows` that touches `range` (parts of the total), spread over `pixels`: top row first, each row
    /// from left to right.
    ///
    /// Neighbours narrower than a pixel come as merged runs. Taken as whole pixels, the boxes of a row cover exactly the pixels that
    /// its nodes touch.
    pub fn visit(&self, range: &Range<f64>, rows: Range<usize>, pixels: f64, each: impl FnMut(FlameBox)) {
        self.rows.visit_boxes(range, rows, pixels, each);
    }

    /// As [`visit`](Self::visit), with the value of each box: that of its node, or of a run's widest node. `column` must have been made
    /// by this layout; boxes that it does not know are left out.
    pub fn visit_with<T: Copy + Send>(
        &self,
        column: &FlameColumn<T>,
        range: &Range<f64>,
        rows: Range<usize>,
        pixels: f64,
        each: impl FnMut(FlameBox, T),
    ) {
        self.rows.visit(|depth, coarse| column.values.level(depth, coarse), range, rows, pixels, each);
    }

    /// A value for every box, from the values of nodes. Runs on all cores.
    pub fn column<T: Copy + Send>(&self, value: impl Fn(NodeId) -> T + Sync) -> FlameColumn<T> {
        FlameColumn { values: self.rows.column(value) }
    }

    /// The boxes of [`visit`](Self::visit), appended to `out`.
    pub fn boxes(&self, range: &Range<f64>, rows: Range<usize>, pixels: f64, out: &mut Vec<FlameBox>) {
        self.rows.visit_boxes(range, rows, pixels, |found| out.push(found));
    }

    /// The nodes for which `keep` is true, at their places.
    pub fn subset(&self, keep: impl Fn(NodeId) -> bool + Sync, ticket: &Ticket) -> Result<FlameSubset, Cancelled> {
        Ok(FlameSubset { rows: self.rows.subset(keep, ticket)? })
    }
}

impl FlameSubset {
    /// As [`FlameLayout::visit`], over the chosen nodes.
    pub fn visit(&self, range: &Range<f64>, rows: Range<usize>, pixels: f64, each: impl FnMut(FlameBox)) {
        self.rows.visit_boxes(range, rows, pixels, each);
    }

    /// True without a chosen node that has a width.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }
}
