//! Paths of several captures become one tree in preorder, without any look-up: whatever reaches the same path meets there.
//!
//! A walk from the root takes the rows that stand at one path, in whichever captures, puts all that follow them in the order of the places, and goes
//! on with the rows of each place. Of a large tree it leaves the smaller subtrees to walks of their own, side by side, and
//! [`graft`](super::graft) puts them together. What follows a row is what it calls ([`callees`](super::callees)) or, in a bottom-up tree, what called it
//! ([`callers`](super::callers)). Deliberately absent: weights, and what a row's place is. Start reading at [`Rows`], then [`merge`].

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::graft::{Branch, Grafted};
use super::{CallTree, StackNodes};
use crate::analysis::place::{PlaceId, Places};
use crate::base::discard::{Unfinished, discard};
use crate::base::ticket::{Cancelled, Checked as _, Ticket};

/// How often the long loops look at the ticket, in rows.
pub(super) const CHECK_ROWS: usize = 1 << 16;

/// Subtrees of fewer rows than this are not worth a walk of their own.
const BRANCH_ROWS: u64 = 1 << 12;

/// So many subtrees for each thread make their ends meet.
const BRANCHES_PER_THREAD: u64 = 16;

/// More rows than this are put in order by counting, which can be left in the middle.
const COUNTED_ROWS: usize = 1 << 14;

/// The rows of one capture as it has them. A row stands behind its caller, as everywhere.
pub(super) struct Chains<'a, I, P> {
    /// The caller of each row.
    pub parents: &'a [Option<I>],
    /// The place of a row; `None` leaves it out, and what it calls hangs on its caller.
    pub place: P,
}

/// Rows of all captures in one numbering, and what follows each on the way from the root. A number is called a position.
pub(super) trait Rows: Sync {
    /// Where the walk begins.
    fn roots(&self) -> &[Row];
    /// Numbers of positions end here.
    fn positions(&self) -> usize;
    /// How many rows a walk from here on comes by, this one included: may be wrong, then the parts of the work are not alike.
    fn size(&self, row: Row) -> u64;
    /// The position that has its node where this row stands, if one has.
    fn seated(&self, row: Row) -> Option<u32>;
    /// Adds what follows the row.
    fn follow(&self, row: Row, following: &mut Vec<Row>);
    /// Loads what [`Rows::follow`] is going to need, so that waiting for many rows is one wait.
    fn touch(&self, row: Row) -> u32;
    /// The position of a row of a capture.
    fn position(&self, capture: usize, row: usize) -> usize;
}

/// A row on its way into the tree: all that is needed there, so that finding it is one wait for memory.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// The row of its place.
    pub(super) place: u32,
    pub(super) position: u32,
    /// Where what follows begins and ends, as the kind of rows has it.
    pub(super) begin: u32,
    pub(super) end: u32,
}

impl Row {
    /// Plain numbers: a table of them comes zeroed from the system, page by page when it is written.
    pub(super) const fn packed(self) -> [u32; 4] {
        [self.place, self.position, self.begin, self.end]
    }

    pub(super) const fn of(packed: [u32; 4]) -> Self {
        let [place, position, begin, end] = packed;
        Self { place, position, begin, end }
    }
}

/// Puts all rows into one tree; gives it and, for captures with so many rows, the node of each.
pub(super) fn merge(rows: &impl Rows, captures: &[usize], ticket: &Ticket) -> Result<(CallTree, Vec<StackNodes>), Cancelled> {
    let seats: Unfinished<Vec<AtomicU64>> = std::iter::repeat_with(AtomicU64::default).take(rows.positions()).checked().collect();
    let all: u64 = rows.roots().iter().map(|&root| rows.size(root)).sum();
    let small = BRANCH_ROWS.max(all / (BRANCHES_PER_THREAD * rayon::current_num_threads() as u64));
    let is_large = all > BRANCHES_PER_THREAD * BRANCH_ROWS;
    let walk = Walk { rows, seats: &seats, branch: 0, small: if is_large { small } else { 0 } };
    let mut aside = Vec::new();
    let top = Unfinished::new(walk.from(Start { place: Places::root(), depth: 0, rows: rows.roots().to_vec() }, &mut aside, ticket)?);
    let stands: Vec<usize> = aside.iter().map(|(row, _)| *row).collect();
    let branch = |(at, (_, start)): (usize, (usize, Start))| {
        if ticket.is_cancelled() {
            return Err(Cancelled);
        }
        let walk = Walk { rows, seats: &seats, branch: at as u32 + 1, small: 0 };
        walk.from(start, &mut Vec::new(), ticket)
    };
    // All of them, also where one was cancelled: the others end at once, and what is there is given back by nobody who is waited for.
    let below: Vec<Result<Branch, Cancelled>> = aside.into_par_iter().enumerate().map(branch).collect();
    if below.iter().any(Result::is_err) {
        discard(below);
        return Err(Cancelled);
    }
    let below = stands.into_iter().zip(below.into_iter().flatten()).collect();
    let grafted = Unfinished::new(Grafted::new(top.keep(), below));
    let nodes = |(capture, &count): (usize, &usize)| {
        let mut nodes = Vec::with_capacity(count);
        for row in 0..count {
            if row.is_multiple_of(CHECK_ROWS) {
                ticket.check()?;
            }
            let seat = seats[rows.position(capture, row)].load(Ordering::Relaxed);
            nodes.push(grafted.node((seat >> 32) as usize, seat as u32 as usize));
        }
        Ok(nodes)
    };
    let nodes = captures.par_iter().enumerate().map(nodes).collect::<Result<_, _>>()?;
    Ok((grafted.tree(ticket)?, nodes))
}

/// Where a walk begins: a node, and the rows that meet there.
struct Start {
    place: PlaceId,
    depth: u32,
    rows: Vec<Row>,
}

/// A node that is to come.
struct Open {
    place: PlaceId,
    parent: Option<u32>,
    depth: u32,
    /// Where the rows that meet in it begin.
    first: usize,
}

/// How a walk goes.
struct Walk<'a, R> {
    rows: &'a R,
    /// Where each position is seated: the number of a branch in the upper half, a row of it in the lower one. Each has one writer.
    seats: &'a [AtomicU64],
    /// The number of this branch.
    branch: u32,
    /// Subtrees of at most so many rows are put aside.
    small: u64,
}

impl<R: Rows> Walk<'_, R> {
    /// The branch from a node on; what is put aside stands there as a node without callees.
    fn from(&self, start: Start, aside: &mut Vec<(usize, Start)>, ticket: &Ticket) -> Result<Branch, Cancelled> {
        let mut branch = Branch::default();
        let walked = self.walk(start, &mut branch, aside, ticket);
        if walked.is_err() {
            discard((branch, std::mem::take(aside)));
            return Err(Cancelled);
        }
        branch.close();
        Ok(branch)
    }

    fn walk(&self, start: Start, branch: &mut Branch, aside: &mut Vec<(usize, Start)>, ticket: &Ticket) -> Result<(), Cancelled> {
        // Nodes to come, the next one last, and the rows that meet in each, one node's after the other's.
        let mut open = vec![Open { place: start.place, parent: None, depth: start.depth, first: 0 }];
        let mut meeting = start.rows;
        let mut following: Vec<Row> = Vec::new();
        let mut sorted = Vec::new();
        let mut walked = 0;
        while let Some(Open { place, parent, depth, first }) = open.pop() {
            if walked >= CHECK_ROWS {
                ticket.advance(std::mem::take(&mut walked) as u64)?;
            }
            let node = branch.push(place, parent, depth);
            let rows = meeting.get(first..).unwrap_or_default();
            walked += rows.len();
            if self.small > 0 && rows.iter().map(|&row| self.rows.size(row)).sum::<u64>() <= self.small {
                aside.push((node as usize, Start { place, depth, rows: meeting.split_off(first) }));
                continue;
            }
            following.clear();
            for row in meeting.drain(first..) {
                if let Some(position) = self.rows.seated(row) {
                    self.seats[position as usize].store(u64::from(self.branch) << 32 | u64::from(node), Ordering::Relaxed);
                }
                self.rows.follow(row, &mut following);
            }
            // Descending, since the last one is the next.
            if following.len() > COUNTED_ROWS {
                descending(&mut following, &mut sorted, ticket)?;
            } else if following.len() > 1 {
                following.sort_unstable_by_key(|row| std::cmp::Reverse(row.place));
            }
            let mut last = None;
            for (first, row) in (meeting.len()..).zip(&following) {
                if last.replace(row.place) != Some(row.place) {
                    let place = PlaceId::from_row(row.place as usize).unwrap_or_else(Places::root);
                    open.push(Open { place, parent: Some(node), depth: depth + 1, first });
                }
            }
            meeting.extend_from_slice(&following);
            let next = following.iter().map(|&row| self.rows.touch(row));
            std::hint::black_box(next.fold(0, u32::wrapping_add));
        }
        ticket.advance(walked as u64)
    }
}

/// Many rows by their places, the last one first, by counting.
fn descending(rows: &mut Vec<Row>, sorted: &mut Vec<Row>, ticket: &Ticket) -> Result<(), Cancelled> {
    let places = rows.iter().map(|row| row.place as usize + 1).max().unwrap_or(0);
    let mut ends = vec![0_usize; places];
    for part in rows.chunks(CHECK_ROWS) {
        ticket.check()?;
        for row in part {
            ends[row.place as usize] += 1;
        }
    }
    let mut end = 0;
    for count in ends.iter_mut().rev() {
        end += *count;
        *count = end;
    }
    sorted.clear();
    sorted.resize(rows.len(), Row::of([0; 4]));
    for part in rows.chunks(CHECK_ROWS) {
        ticket.check()?;
        for row in part {
            let end = &mut ends[row.place as usize];
            *end -= 1;
            sorted[*end] = *row;
        }
    }
    std::mem::swap(rows, sorted);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::analysis::call_tree::NodeId;
    use crate::analysis::call_tree::callees::Callees;
    use crate::analysis::call_tree::callers::Callers;

    /// Chains of one capture: for each row its caller, and its place unless it is left out.
    type Plain = Vec<(Option<NodeId>, Option<PlaceId>)>;

    /// Chains with few places, so that many rows of all captures meet; `wide` ones branch near the root, the others go deep.
    fn chains(rows: usize, captures: usize, wide: bool) -> Vec<Plain> {
        let mut seed = 5_u64;
        let mut below = |limit: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % limit
        };
        let capture = |_| {
            let chain = |row: usize| {
                let back = if wide { below(row.max(1)) } else { below(40) };
                let caller = (below(50) > 0).then(|| row.checked_sub(back + 1)).flatten().and_then(NodeId::from_row);
                let place = (below(12) > 0).then(|| PlaceId::from_row(1 + below(7))).flatten();
                (caller, place)
            };
            (0..rows).map(chain).collect()
        };
        (0..captures).map(capture).collect()
    }

    /// Each path of places with its node, by the way of one map for all of them.
    #[test]
    fn rows_meet_where_their_paths_are_equal() {
        for (rows, captures, wide) in [(0, 1, true), (1, 2, true), (500, 1, false), (500, 3, true), (50_000, 3, true), (50_000, 3, false)] {
            let plain = chains(rows, captures, wide);
            let parents: Vec<Vec<Option<NodeId>>> = plain.iter().map(|rows| rows.iter().map(|row| row.0).collect()).collect();
            let chains = parents.iter().zip(&plain).map(|(parents, plain)| Chains { parents, place: |row: usize| plain[row].1 });
            let chains: Vec<_> = chains.collect();
            let ticket = Ticket::new();
            let (tree, nodes) = merge(&Callees::new(&chains, &ticket).unwrap(), &vec![rows; captures], &ticket).unwrap();
            // The tree is what it has to be: in preorder, siblings in order, ends and depths as the parents say.
            let mut met = vec![false; tree.len()];
            for (node, inner) in tree.nodes().zip(tree.nodes().skip(1)) {
                let parent = tree.parent(inner).unwrap();
                assert_eq!(tree.depth(inner), tree.depth(parent) + 1);
                assert!(tree.contains(parent, node) && tree.subtree_end(inner) <= tree.subtree_end(parent));
                assert!(tree.children(parent).zip(tree.children(parent).skip(1)).all(|(a, b)| tree.place(a) < tree.place(b)));
                if rows > 500 && inner.row() > 2_000 {
                    break;
                }
            }
            // Every row stands where its caller's node and its place say.
            let mut known: BTreeMap<(NodeId, PlaceId), NodeId> = BTreeMap::new();
            for (plain, nodes) in plain.iter().zip(&nodes) {
                assert_eq!(nodes.len(), plain.len());
                for ((caller, place), &node) in plain.iter().zip(nodes) {
                    let caller = caller.map_or(CallTree::ROOT, |caller| nodes[caller.row()]);
                    met[node.row()] = true;
                    match place {
                        None => assert_eq!(node, caller),
                        Some(place) => {
                            assert_eq!((tree.parent(node), tree.place(node)), (Some(caller), *place));
                            assert_eq!(*known.entry((caller, *place)).or_insert(node), node);
                        }
                    }
                }
            }
            assert!(known.len() + 1 == tree.len() && met.iter().skip(1).all(|met| *met), "no node without a row");
        }
    }

    #[test]
    fn what_called_a_row_stands_below_it() {
        for (rows, captures, wide) in [(0, 1, true), (1, 2, true), (500, 1, false), (500, 3, true), (20_000, 3, true), (20_000, 2, false)] {
            let plain = chains(rows, captures, wide);
            let parents: Vec<Vec<Option<NodeId>>> = plain.iter().map(|rows| rows.iter().map(|row| row.0).collect()).collect();
            let chains = parents.iter().zip(&plain).map(|(parents, plain)| Chains { parents, place: |row: usize| plain[row].1 });
            let chains: Vec<_> = chains.collect();
            // Every other row, some twice, and some samples without a stack.
            let sampled: Vec<Vec<Option<NodeId>>> =
                vec![(0..rows + rows / 3).map(|row| NodeId::from_row((2 * row) % rows.max(1)).filter(|_| row % 7 > 0)).collect(); captures];
            let named: Vec<&[Option<NodeId>]> = sampled.iter().map(Vec::as_slice).collect();
            let ticket = Ticket::new();
            let (tree, nodes) = merge(&Callers::new(&chains, &named, &ticket).unwrap(), &vec![rows; captures], &ticket).unwrap();
            assert!(
                tree.nodes().all(|node| tree.children(node).zip(tree.children(node).skip(1)).all(|(a, b)| tree.place(a) < tree.place(b)))
            );
            let mut met = vec![false; tree.len()];
            for ((plain, nodes), sampled) in plain.iter().zip(&nodes).zip(&sampled) {
                assert_eq!(nodes.len(), plain.len());
                let mut is_named = vec![false; rows];
                sampled.iter().flatten().for_each(|row| is_named[row.row()] = true);
                for (row, &node) in nodes.iter().enumerate() {
                    let path = std::iter::successors(NodeId::from_row(row), |&row| plain[row.row()].0);
                    let path: Vec<PlaceId> = path.filter_map(|row| plain[row.row()].1).filter(|_| is_named[row]).collect();
                    assert_eq!(tree.path(node), path, "row {row}");
                    tree.path_up(node).for_each(|node| met[node.row()] = true);
                }
            }
            assert!(met.iter().skip(1).all(|met| *met), "no node without a row");
        }
    }

    #[test]
    fn counting_orders_as_sorting_does() {
        let mut rows: Vec<Row> = (0..200_000_u32).map(|row| Row::of([row.wrapping_mul(2_654_435_761) % 977, row, 0, 0])).collect();
        let mut wanted: Vec<u32> = rows.iter().map(|row| row.place).collect();
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        let mut positions: Vec<u32> = rows.iter().map(|row| row.position).collect();
        descending(&mut rows, &mut Vec::new(), &Ticket::new()).unwrap();
        assert_eq!(rows.iter().map(|row| row.place).collect::<Vec<u32>>(), wanted);
        let mut found: Vec<u32> = rows.iter().map(|row| row.position).collect();
        positions.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, positions, "each row once");
        assert!(descending(&mut rows, &mut Vec::new(), &Ticket::cancelled_at_check(2)).is_err());
    }
}
