//! The rows of many parts in one table without duplicates, put together by all threads.
//!
//! Ids follow the order of first use, part after part, as if one [`Interner`](super::intern::Interner) had been asked for every row. But one table
//! for all of them does not fit the caches of a processor, and one thread would have to ask. So the rows of each part are dealt to as many small
//! tables as [`RowTable`](super::table::RowTable) has, by their hashes ([`Distinct::deal`]), and tables are looked through side by side, each for all
//! parts at once ([`Distinct::add`]). Rows are told apart by their hashes alone, so that nothing but one small table is read at random and little is
//! kept of each: two rows of one hash would get one id. The caller, who has the rows, looks whether what got an id is the row that has it. Deliberately
//! absent: the rows themselves. Start reading at [`Distinct::add`].

use rayon::prelude::*;

use super::index::Index;
use super::table::{RowHash, Slots, TABLES, folded, random_key};
use super::ticket::{Cancelled, Ticket};

/// What is known of the rows so far.
pub struct Distinct<I> {
    tables: Vec<Table<I>>,
    rows: usize,
    key: u64,
}

/// The rows of one table.
struct Table<I> {
    slots: Slots,
    /// Lower half of the hash, by the row of this table; slots have the upper one.
    lower: Vec<u32>,
    ids: Vec<I>,
    /// The part and the row there of what was added last, which has no id yet.
    fresh: Vec<(u32, u32)>,
}

/// The rows of a part, by table.
pub struct Dealt {
    /// Both halves of the hash, the upper one first, and the row of the part.
    rows: Vec<(u32, u32, u32)>,
    /// Where those of each table end.
    ends: [usize; TABLES],
}

/// What became of the rows of a part.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed<I> {
    /// The id of each row.
    pub ids: Vec<I>,
    /// Rows whose hash came here first, ascending: their ids follow each other, also from one part to the next.
    pub first: Vec<u32>,
}

/// Marks, in the lowest bit, the row of a table that was added for it.
const FIRST: u32 = 1;

impl<I: Index + Send + Sync> Distinct<I> {
    /// No rows.
    pub fn new() -> Self {
        let table = || Table { slots: Slots::default(), lower: Vec::new(), ids: Vec::new(), fresh: Vec::new() };
        Self { tables: std::iter::repeat_with(table).take(TABLES).collect(), rows: 0, key: random_key() }
    }

    /// Number of distinct rows.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// True without rows.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// A hash of many values, from that of those before and the next one. Only this table makes it, and no file can choose two of one hash.
    #[inline]
    pub const fn mix(&self, hash: u64, value: u64) -> u64 {
        folded(hash.wrapping_add(value.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)), self.key)
    }

    /// Deals the rows of a part to the tables, by hashes that [`mix`](Self::mix) made. A part has less than 2³² rows.
    pub fn deal(hashes: &[u64]) -> Dealt {
        let mut ends = [0; TABLES];
        for hash in hashes.iter().copied().map(RowHash::from_bits) {
            ends.get_mut(hash.table()).into_iter().for_each(|count| *count += 1);
        }
        let mut starts = [0; TABLES];
        let mut before = 0;
        for (start, end) in starts.iter_mut().zip(&mut ends) {
            *start = before;
            before += *end;
            *end = before;
        }
        // By table, and by row in each.
        let mut rows = vec![(0, 0, 0); hashes.len()];
        for (row, &bits) in hashes.iter().enumerate() {
            let hash = RowHash::from_bits(bits);
            if let Some(start) = starts.get_mut(hash.table()) {
                rows.get_mut(*start).into_iter().for_each(|place| *place = (hash.upper(), bits as u32, row as u32));
                *start += 1;
            }
        }
        Dealt { rows, ends }
    }

    /// Takes in parts, in their order.
    pub fn add(&mut self, parts: &[Dealt], ticket: &Ticket) -> Result<Vec<Placed<I>>, Cancelled> {
        // For each table, what became of its rows of all parts.
        let found = self.tables.par_iter_mut().enumerate().map(|(at, table)| {
            ticket.check()?;
            Ok(table.add(at, parts))
        });
        let found: Vec<Vec<u32>> = found.collect::<Result<_, Cancelled>>()?;
        // Where the rows of a part stand in there.
        let mut reached = [0; TABLES];
        let starts: Vec<[usize; TABLES]> = parts
            .iter()
            .map(|part| {
                let starts = reached;
                for (at, reached) in reached.iter_mut().enumerate() {
                    *reached += part.of(at).len();
                }
                starts
            })
            .collect();
        let nothing = I::from_row(0).unwrap_or_else(|| unreachable!("every table has a first row"));
        let mut placed: Vec<Placed<I>> = parts
            .par_iter()
            .zip(&starts)
            .map(|(part, starts)| {
                let mut is_first = vec![false; part.rows.len()];
                part.each(&found, starts, |_, row, found| {
                    is_first.get_mut(row as usize).into_iter().for_each(|place| *place = found & FIRST > 0);
                });
                let first = is_first.iter().enumerate().filter(|(_, is_first)| **is_first).map(|(row, _)| row as u32).collect();
                Placed { ids: vec![nothing; part.rows.len()], first }
            })
            .collect();
        ticket.check()?;
        let before: Vec<usize> = placed
            .iter()
            .map(|part| {
                self.rows += part.first.len();
                self.rows - part.first.len()
            })
            .collect();
        placed.par_iter_mut().zip(&before).for_each(|(part, before)| {
            for (rank, &row) in part.first.iter().enumerate() {
                let id = I::from_row(before + rank).unwrap_or_else(|| unreachable!("more than 2^32-2 distinct rows"));
                part.ids.get_mut(row as usize).into_iter().for_each(|place| *place = id);
            }
        });
        self.tables.par_iter_mut().for_each(|table| {
            let id = |(part, row): (u32, u32)| placed.get(part as usize)?.ids.get(row as usize).copied();
            table.ids.extend(table.fresh.drain(..).filter_map(id));
        });
        ticket.check()?;
        let tables = &self.tables;
        placed.par_iter_mut().zip(parts).zip(&starts).for_each(|((placed, part), starts)| {
            let ids = &mut placed.ids;
            part.each(&found, starts, |at, row, found| {
                let id = tables.get(at).and_then(|table| table.ids.get((found / 2) as usize));
                ids.get_mut(row as usize).zip(id).into_iter().for_each(|(place, id)| *place = *id);
            });
        });
        Ok(placed)
    }
}

impl<I: Index + Send + Sync> Default for Distinct<I> {
    fn default() -> Self {
        Self::new()
    }
}

impl Dealt {
    /// The rows of a table.
    fn of(&self, table: usize) -> &[(u32, u32, u32)] {
        let start = table.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(table).and_then(|&end| self.rows.get(start..end)).unwrap_or(&[])
    }

    /// For each row: its table, itself, and what was found there. Those of a table begin at `starts` in what it found.
    fn each(&self, found: &[Vec<u32>], starts: &[usize; TABLES], mut each: impl FnMut(usize, u32, u32)) {
        for (at, (found, &start)) in found.iter().zip(starts).enumerate() {
            for (&(_, _, row), &found) in self.of(at).iter().zip(found.get(start..).unwrap_or(&[])) {
                each(at, row, found);
            }
        }
    }
}

impl<I> Table<I> {
    /// The row here of each row of the parts, doubled, and whether it was added for it.
    fn add(&mut self, at: usize, parts: &[Dealt]) -> Vec<u32> {
        let mut found = Vec::with_capacity(parts.iter().map(|part| part.of(at).len()).sum());
        for (number, part) in parts.iter().enumerate() {
            for &(upper, lower, row) in part.of(at) {
                let known = self.slots.find(upper, |known| self.lower.get(known) == Some(&lower));
                found.push(known.map_or_else(
                    || {
                        let new = self.lower.len() as u32;
                        self.lower.push(lower);
                        self.slots.insert(upper, new + 1);
                        self.fresh.push((number as u32, row));
                        new * 2 + FIRST
                    },
                    |known| known as u32 * 2,
                ));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::intern::{Interner, StringId as RowId};

    #[test]
    fn ids_are_those_of_one_interner_asked_part_after_part() {
        let mut seed = 7_u64;
        let mut random = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        for keys in [1, 40, 5000] {
            let (mut all, mut plain) = (Distinct::<RowId>::new(), Interner::<RowId, u64>::new());
            for round in 0..3 {
                let parts: Vec<Vec<u64>> = (0..7 * round).map(|_| (0..random(900)).map(|_| all.mix(0, random(keys))).collect()).collect();
                let dealt: Vec<_> = parts.iter().map(|part| Distinct::<RowId>::deal(part)).collect();
                let placed = all.add(&dealt, &Ticket::new()).unwrap();
                assert_eq!(placed.len(), parts.len());
                for (part, placed) in parts.iter().zip(placed) {
                    let mut first = Vec::new();
                    let ids: Vec<RowId> = part
                        .iter()
                        .enumerate()
                        .map(|(row, key)| {
                            let before = plain.rows().len();
                            let id = plain.intern(*key).unwrap();
                            first.extend((plain.rows().len() > before).then_some(row as u32));
                            id
                        })
                        .collect();
                    assert_eq!(placed, Placed { ids, first });
                }
                assert_eq!((all.len(), all.is_empty()), (plain.rows().len(), round == 0));
            }
        }
    }

    #[test]
    fn a_cancelled_ticket_stops_it() {
        let mut all = Distinct::<RowId>::new();
        let dealt = [Distinct::<RowId>::deal(&[1, 2, 3].map(|value| all.mix(0, value)))];
        let ticket = Ticket::cancelled_at_check(5);
        assert_eq!(all.add(&dealt, &ticket).map(|placed| placed.len()), Err(Cancelled));
    }
}
