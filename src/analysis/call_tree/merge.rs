//! Chains of callers of several captures become one tree in preorder, without any look-up: whatever reaches the same path meets there.
//!
//! Each capture's rows are sorted by their callers, side by side. Then a walk from the root takes the rows that stand at one path, in whichever
//! captures, puts all that they call in the order of the places, and goes on with the rows of each place. Of a large tree it leaves the smaller
//! subtrees to walks of their own, side by side, and [`graft`](super::graft) puts them together. Deliberately absent: weights, and what a
//! row's place is. Start reading at [`merge`].

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::graft::{Branch, Grafted};
use super::{CallTree, StackNodes};
use crate::analysis::place::{PlaceId, Places};
use crate::base::discard::Unfinished;
use crate::base::index::Index;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};

/// How often the long loops look at the ticket, in rows.
const CHECK_ROWS: usize = 1 << 16;

/// Subtrees of fewer rows than this are not worth a walk of their own.
const BRANCH_ROWS: usize = 1 << 12;

/// So many subtrees for each thread make their ends meet.
const BRANCHES_PER_THREAD: usize = 16;

/// The rows of one capture. A row stands behind its caller, as everywhere.
pub(super) struct Chains<'a, I, P> {
    /// The caller of each row.
    pub parents: &'a [Option<I>],
    /// The place of a row; `None` leaves it out, and what it calls hangs on its caller.
    pub place: P,
}

/// Puts the chains of all captures into one tree; gives it and, per capture, the node of each row.
pub(super) fn merge<I, P>(captures: &[Chains<'_, I, P>], ticket: &Ticket) -> Result<(CallTree, Vec<StackNodes>), Cancelled>
where
    I: Index + Sync,
    P: Fn(usize) -> Option<PlaceId> + Sync,
{
    let sorted = Sorted::new(captures, ticket)?;
    let positions = sorted.stands_for.len();
    let seats: Unfinished<Vec<AtomicU64>> = std::iter::repeat_with(AtomicU64::default).take(positions).checked().collect();
    let small = BRANCH_ROWS.max(positions / (BRANCHES_PER_THREAD * rayon::current_num_threads()));
    let is_large = positions > BRANCHES_PER_THREAD * BRANCH_ROWS;
    let walk = Walk { sorted: &sorted, seats: &seats, branch: 0, small: if is_large { small as u32 } else { 0 } };
    let mut aside = Vec::new();
    let top = Unfinished::new(walk.from(Start { place: Places::root(), depth: 0, rows: sorted.roots.clone() }, &mut aside, ticket)?);
    let rows: Vec<usize> = aside.iter().map(|(row, _)| *row).collect();
    let branch = |(at, (_, start)): (usize, (usize, Start))| {
        let walk = Walk { branch: at as u32 + 1, small: 0, ..walk };
        walk.from(start, &mut Vec::new(), ticket)
    };
    let below: Vec<Branch> = aside.into_par_iter().enumerate().map(branch).collect::<Result<_, _>>()?;
    let grafted = Unfinished::new(Grafted::new(top.keep(), rows.into_iter().zip(below).collect()));
    let nodes = |(capture, root): (&Chains<'_, I, P>, &Row)| {
        let rows = sorted.stands_for.iter().skip(root.position as usize + 1).take(capture.parents.len());
        let mut nodes = Vec::with_capacity(capture.parents.len());
        for (at, &position) in rows.enumerate() {
            if at.is_multiple_of(CHECK_ROWS) {
                ticket.check()?;
            }
            let seat = seats[position as usize].load(Ordering::Relaxed);
            nodes.push(grafted.node((seat >> 32) as usize, seat as u32 as usize));
        }
        Ok(nodes)
    };
    let nodes = captures.par_iter().zip(&sorted.roots).map(nodes).collect::<Result<_, _>>()?;
    Ok((grafted.tree(ticket)?, nodes))
}

/// The rows of all captures in one numbering: each capture's root and then its rows. A number is called a position.
struct Sorted {
    /// The roots of all captures.
    roots: Vec<Row>,
    /// For each position the one that it counts for: itself, or that of its nearest caller which is not left out.
    stands_for: Unfinished<Vec<u32>>,
    /// Positions that stand for themselves, with those below them and themselves; not told of the others.
    sizes: Unfinished<Vec<u32>>,
    /// What each position calls, one position's after the other's, as [`Row::packed`] has it.
    callees: Unfinished<Vec<[u32; 4]>>,
}

/// A row on its way into the tree: all that is needed there, so that finding it is one wait for memory.
#[derive(Clone, Copy)]
struct Row {
    /// The row of its place.
    place: u32,
    position: u32,
    /// Where its callees begin and end.
    begin: u32,
    end: u32,
}

impl Row {
    /// Plain numbers: a table of them comes zeroed from the system, page by page when it is written.
    const fn packed(self) -> [u32; 4] {
        [self.place, self.position, self.begin, self.end]
    }

    const fn of(packed: [u32; 4]) -> Self {
        let [place, position, begin, end] = packed;
        Self { place, position, begin, end }
    }
}

impl Sorted {
    fn new<I, P>(captures: &[Chains<'_, I, P>], ticket: &Ticket) -> Result<Self, Cancelled>
    where
        I: Index + Sync,
        P: Fn(usize) -> Option<PlaceId> + Sync,
    {
        let rows: usize = captures.iter().map(|capture| capture.parents.len()).sum();
        let zeros = || Unfinished::new(vec![0; rows + captures.len()]);
        let (mut stands_for, mut sizes) = (zeros(), zeros());
        let mut callees = Unfinished::new(vec![[0; 4]; rows]);
        let mut parts = Vec::with_capacity(captures.len());
        let (mut free_stands_for, mut free_sizes, mut free_callees) = (&mut **stands_for, &mut **sizes, &mut **callees);
        let mut root = 0;
        for (at, chains) in captures.iter().enumerate() {
            let rows = chains.parents.len();
            parts.push(Part {
                chains,
                root,
                first_callee: root - at,
                stands_for: free_stands_for.split_off_mut(..=rows).unwrap_or_default(),
                sizes: free_sizes.split_off_mut(..=rows).unwrap_or_default(),
                callees: free_callees.split_off_mut(..rows).unwrap_or_default(),
            });
            root += rows + 1;
        }
        let roots = parts.into_par_iter().map(|part| part.sort(ticket)).collect::<Result<_, _>>()?;
        Ok(Self { roots, stands_for, sizes, callees })
    }
}

/// What one thread sorts.
struct Part<'a, 'c, I, P> {
    chains: &'a Chains<'c, I, P>,
    /// Position of the capture's root.
    root: usize,
    /// Where its callees begin among those of all captures.
    first_callee: usize,
    stands_for: &'a mut [u32],
    sizes: &'a mut [u32],
    callees: &'a mut [[u32; 4]],
}

impl<I: Index, P: Fn(usize) -> Option<PlaceId>> Part<'_, '_, I, P> {
    /// Sorts the rows by their callers, by counting; gives the root.
    fn sort(self, ticket: &Ticket) -> Result<Row, Cancelled> {
        let Self { chains, root, first_callee, stands_for, sizes, callees } = self;
        let before = |parent: &Option<I>| parent.map_or(0, |parent| parent.row() + 1);
        let each_row = || chains.parents.chunks(CHECK_ROWS).enumerate().map(|(at, part)| (at * CHECK_ROWS, part));
        if let Some(own) = stands_for.first_mut() {
            *own = root as u32;
        }
        // Numbers of callees first, then where they begin, and one more for where the last ones end.
        let mut begins = vec![0_u32; stands_for.len() + 1];
        for (first, part) in each_row() {
            ticket.check()?;
            for (row, parent) in (first..).zip(part) {
                let caller = stands_for[before(parent)];
                // Positions end at 2³²: rows behind that are left out, as by a table that is full.
                let own = (chains.place)(row).and_then(|_| u32::try_from(root + row + 1).ok());
                begins[caller as usize - root] += u32::from(own.is_some());
                stands_for[row + 1] = own.unwrap_or(caller);
            }
        }
        let mut begin = first_callee as u32;
        for part in begins.chunks_mut(CHECK_ROWS) {
            ticket.check()?;
            for first in part {
                begin += std::mem::replace(first, begin);
            }
        }
        let span = |begins: &[u32], at: usize| (begins[at], begins[at + 1]);
        let (begin, end) = span(&begins, 0);
        for (first, part) in each_row() {
            ticket.advance(part.len() as u64)?;
            for (row, parent) in (first..).zip(part) {
                let position = stands_for[row + 1];
                let is_kept = position as usize == root + row + 1;
                if let Some(place) = (chains.place)(row).filter(|_| is_kept) {
                    // Its own callees come later, so where they begin and end stands here still.
                    let (begin, end) = span(&begins, row + 1);
                    let next = &mut begins[stands_for[before(parent)] as usize - root];
                    callees[*next as usize - first_callee] = Row { place: place.row() as u32, position, begin, end }.packed();
                    *next += 1;
                    sizes[row + 1] = 1;
                }
            }
        }
        for (first, part) in each_row().rev() {
            ticket.check()?;
            for (row, parent) in (first..first + part.len()).zip(part).rev() {
                sizes[stands_for[before(parent)] as usize - root] += sizes[row + 1];
            }
        }
        Ok(Row { place: Places::root().row() as u32, position: root as u32, begin, end })
    }
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
#[derive(Clone, Copy)]
struct Walk<'a> {
    sorted: &'a Sorted,
    /// Where each position is seated: the number of a branch in the upper half, a row of it in the lower one. Each has one writer.
    seats: &'a [AtomicU64],
    /// The number of this branch.
    branch: u32,
    /// Subtrees of at most so many rows are put aside.
    small: u32,
}

impl Walk<'_> {
    /// The branch from a node on; what is put aside stands there as a node without callees.
    fn from(&self, start: Start, aside: &mut Vec<(usize, Start)>, ticket: &Ticket) -> Result<Branch, Cancelled> {
        let mut branch = Branch::default();
        // Nodes to come, the next one last, and the rows that meet in each, one node's after the other's.
        let mut open = vec![Open { place: start.place, parent: None, depth: start.depth, first: 0 }];
        let mut meeting = start.rows;
        let mut callees: Vec<Row> = Vec::new();
        let mut told = 0;
        while let Some(Open { place, parent, depth, first }) = open.pop() {
            if branch.len() - told == CHECK_ROWS {
                ticket.advance(CHECK_ROWS as u64)?;
                told = branch.len();
            }
            let node = branch.push(place, parent, depth);
            let rows = meeting.get(first..).unwrap_or_default();
            if self.small > 0 && rows.iter().map(|row| self.sorted.sizes[row.position as usize]).sum::<u32>() <= self.small {
                aside.push((node as usize, Start { place, depth, rows: meeting.split_off(first) }));
                continue;
            }
            callees.clear();
            for row in meeting.drain(first..) {
                self.seats[row.position as usize].store(u64::from(self.branch) << 32 | u64::from(node), Ordering::Relaxed);
                callees.extend(self.sorted.callees[row.begin as usize..row.end as usize].iter().copied().map(Row::of));
            }
            // Descending, since the last one is the next.
            if callees.len() > 1 {
                callees.sort_unstable_by_key(|callee| std::cmp::Reverse(callee.place));
            }
            let mut last = None;
            for (first, callee) in (meeting.len()..).zip(&callees) {
                if last.replace(callee.place) != Some(callee.place) {
                    let place = PlaceId::from_row(callee.place as usize).unwrap_or_else(Places::root);
                    open.push(Open { place, parent: Some(node), depth: depth + 1, first });
                }
            }
            meeting.extend_from_slice(&callees);
            // Waiting for what these call is one wait for all of them, and not one for each when its turn has come.
            let next = callees.iter().map(|row| self.sorted.callees.get(row.begin as usize).map_or(0, |row| row[0]));
            std::hint::black_box(next.fold(0, u32::wrapping_add));
        }
        ticket.advance((branch.len() - told) as u64)?;
        branch.close();
        Ok(branch)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::analysis::call_tree::NodeId;

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
            let (tree, nodes) = merge(&chains.collect::<Vec<_>>(), &Ticket::new()).unwrap();
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
}
