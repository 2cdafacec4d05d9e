//! Rows with what they call: for trees from where threads start.
//!
//! Each capture's rows are sorted by their callers, side by side. Start reading at [`Callees::new`].

use rayon::prelude::*;

use super::merge::{CHECK_ROWS, Chains, Row, Rows};
use crate::analysis::place::{PlaceId, Places};
use crate::base::discard::Unfinished;
use crate::base::index::Index;
use crate::base::ticket::{Cancelled, Ticket};

/// Positions are each capture's root and then its rows.
pub(super) struct Callees {
    /// The roots of all captures.
    roots: Vec<Row>,
    /// For each position the one that it counts for: itself, or that of its nearest caller which is not left out.
    stands_for: Unfinished<Vec<u32>>,
    /// Positions that stand for themselves, with those below them and themselves; not told of the others.
    sizes: Unfinished<Vec<u32>>,
    /// What each position calls, one position's after the other's, as [`Row::packed`] has it.
    callees: Unfinished<Vec<[u32; 4]>>,
}

impl Callees {
    /// Sorts the rows of all captures.
    pub(super) fn new<I, P>(captures: &[Chains<'_, I, P>], ticket: &Ticket) -> Result<Self, Cancelled>
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

impl Rows for Callees {
    fn roots(&self) -> &[Row] {
        &self.roots
    }

    fn positions(&self) -> usize {
        self.stands_for.len()
    }

    fn size(&self, row: Row) -> u64 {
        u64::from(self.sizes[row.position as usize])
    }

    fn seated(&self, row: Row) -> Option<u32> {
        Some(row.position)
    }

    fn follow(&self, row: Row, following: &mut Vec<Row>) {
        following.extend(self.callees[row.begin as usize..row.end as usize].iter().copied().map(Row::of));
    }

    fn touch(&self, row: Row) -> u32 {
        self.callees.get(row.begin as usize).map_or(0, |callee| callee[0])
    }

    fn position(&self, capture: usize, row: usize) -> usize {
        self.stands_for[self.roots[capture].position as usize + row + 1] as usize
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
