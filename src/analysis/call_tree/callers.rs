//! Rows with what called them: for bottom-up trees, from where cost falls.
//!
//! There every stack that a sample names is a chain of its own, from the innermost row outwards. Chains are not made: a row on its way
//! knows which stack it came from and which row of it it has reached. Start reading at [`Callers::new`].

use rayon::prelude::*;

use super::merge::{CHECK_ROWS, Chains, Row, Rows};
use crate::analysis::place::{PlaceId, Places};
use crate::base::discard::Unfinished;
use crate::base::index::Index;
use crate::base::ticket::{Cancelled, Ticket};

/// No row.
const NONE: u32 = u32::MAX;

/// Positions are the rows of each capture. Rows on their way have the row that they have reached as their beginning, and in the place of an
/// end how many are left, that one included; roots have their capture as position, and where its innermost rows begin and end.
pub(super) struct Callers {
    roots: Vec<Row>,
    /// Position of the first row of each capture.
    firsts: Vec<usize>,
    /// Rows of all chains, by capture.
    steps: Vec<u64>,
    /// For each position its nearest caller that is not left out, and that one's place.
    links: Unfinished<Vec<[u32; 2]>>,
    /// Where the sampled stacks of all captures begin.
    innermost: Unfinished<Vec<Row>>,
}

impl Callers {
    /// `sampled` are the stack rows that samples name, capture by capture; the same more than once is fine.
    pub(super) fn new<I, P>(captures: &[Chains<'_, I, P>], sampled: &[&[Option<I>]], ticket: &Ticket) -> Result<Self, Cancelled>
    where
        I: Index + Sync,
        P: Fn(usize) -> Option<PlaceId> + Sync,
    {
        let rows: usize = captures.iter().map(|capture| capture.parents.len()).sum();
        let mut links = Unfinished::new(vec![[0; 2]; rows]);
        let mut free = &mut **links;
        let mut firsts = Vec::with_capacity(captures.len());
        let mut parts = Vec::with_capacity(captures.len());
        let mut first = 0;
        for (chains, sampled) in captures.iter().zip(sampled) {
            let rows = chains.parents.len();
            parts.push(Part { chains, sampled, first, links: free.split_off_mut(..rows).unwrap_or_default() });
            firsts.push(first);
            first += rows;
        }
        let done: Vec<Linked> = parts.into_par_iter().map(|part| part.link(ticket)).collect::<Result<_, _>>()?;
        let mut innermost = Unfinished::new(Vec::with_capacity(done.iter().map(|linked| linked.innermost.len()).sum()));
        let (mut roots, mut steps) = (Vec::with_capacity(captures.len()), Vec::with_capacity(captures.len()));
        for (capture, linked) in done.into_iter().enumerate() {
            let begin = innermost.len() as u32;
            for rows in linked.innermost.chunks(CHECK_ROWS) {
                ticket.check()?;
                innermost.extend_from_slice(rows);
            }
            let place = Places::root().row() as u32;
            roots.push(Row { place, position: capture as u32, begin, end: innermost.len() as u32 });
            steps.push(linked.steps);
        }
        ticket.stage("building the tree", steps.iter().sum())?;
        Ok(Self { roots, firsts, steps, links, innermost })
    }
}

fn is_root(row: Row) -> bool {
    row.place == Places::root().row() as u32
}

impl Rows for Callers {
    fn roots(&self) -> &[Row] {
        &self.roots
    }

    fn positions(&self) -> usize {
        self.links.len()
    }

    fn size(&self, row: Row) -> u64 {
        if is_root(row) { self.steps[row.position as usize] } else { u64::from(row.end) }
    }

    fn seated(&self, row: Row) -> Option<u32> {
        (row.end == 1 && !is_root(row)).then_some(row.position)
    }

    fn follow(&self, row: Row, following: &mut Vec<Row>) {
        if is_root(row) {
            following.extend_from_slice(&self.innermost[row.begin as usize..row.end as usize]);
        } else if row.end > 1 {
            let [begin, place] = self.links[row.begin as usize];
            following.push(Row { place, begin, end: row.end - 1, ..row });
        }
    }

    fn touch(&self, row: Row) -> u32 {
        self.links.get(row.begin as usize).map_or(0, |link| link[0])
    }

    fn position(&self, capture: usize, row: usize) -> usize {
        self.firsts[capture] + row
    }
}

/// What is known of one capture once its rows are linked.
struct Linked {
    /// The innermost row of each sampled stack that has any.
    innermost: Unfinished<Vec<Row>>,
    /// How many rows they all come by.
    steps: u64,
}

/// What one thread looks at.
struct Part<'a, 'c, I, P> {
    chains: &'a Chains<'c, I, P>,
    sampled: &'a [Option<I>],
    /// Position of the first row.
    first: usize,
    links: &'a mut [[u32; 2]],
}

impl<I: Index, P: Fn(usize) -> Option<PlaceId>> Part<'_, '_, I, P> {
    /// Links the rows.
    fn link(self, ticket: &Ticket) -> Result<Linked, Cancelled> {
        let Self { chains, sampled, first, links } = self;
        // For each row the one that it counts for and that one's place: itself, or its nearest caller that is not left out. And how many
        // rows there are from there outwards.
        let mut stands_for = Unfinished::new(vec![[NONE; 2]; links.len()]);
        let mut depths = Unfinished::new(vec![0_u32; links.len()]);
        for (at, parents) in chains.parents.chunks(CHECK_ROWS).enumerate() {
            ticket.advance(parents.len() as u64)?;
            for (row, parent) in (at * CHECK_ROWS..).zip(parents) {
                let (caller, depth) = parent.map_or(([NONE; 2], 0), |parent| (stands_for[parent.row()], depths[parent.row()]));
                links[row] = caller;
                // Positions end at 2³²: rows behind that are left out, as by a table that is full.
                let position = u32::try_from(first + row).ok().filter(|&position| position != NONE);
                let own = (chains.place)(row).zip(position);
                stands_for[row] = own.map_or(caller, |(place, position)| [position, place.row() as u32]);
                depths[row] = depth + u32::from(own.is_some());
            }
        }
        let mut innermost = Unfinished::new(Vec::new());
        let mut steps = 0;
        for sampled in sampled.chunks(CHECK_ROWS) {
            ticket.advance(sampled.len() as u64)?;
            for row in sampled.iter().flatten().map(|row| row.row()) {
                let ([begin, place], end) = (stands_for[row], std::mem::take(&mut depths[row]));
                let position = u32::try_from(first + row).ok().filter(|_| end > 0);
                if let Some(position) = position {
                    innermost.push(Row { place, position, begin, end });
                    steps += u64::from(end);
                }
            }
        }
        Ok(Linked { innermost, steps })
    }
}
