//! Chains of callers without duplicates: each row is an item and the row of its parent.
//!
//! Row numbers follow the order of first use. Most rows have one child, added right after them: that child stands in the next row and is
//! found there without a hash, so long chains are added and walked in order of memory. Only further children are in a hash table: one
//! entry for each place where a chain leaves the others. Deliberately absent: removal and locking. Start reading at [`Forest::child`].

use std::hash::{BuildHasher as _, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::base::index::{Column, Index};

/// Distinct (parent, item) rows.
#[derive(Clone)]
pub struct Forest<I, T> {
    parents: Column<I, Option<I>>,
    items: Column<I, T>,
    /// By row: it is the child of the row before it (row 0: a root), so finding it does not look at the parents.
    follows: Bits,
    /// By row + 1 (0 is for the roots): it has children in `further`.
    branched: Bits,
    /// Rows that do not follow their parent directly, with the parent: its row stays untouched while looking. Many tables instead of one,
    /// so that no insertion takes longer than moving one of them to a larger place.
    further: Vec<HashTable<(Option<I>, u32)>>,
}

impl<I: Index, T: Copy + Eq + Hash> Forest<I, T> {
    /// No rows.
    pub const fn new() -> Self {
        Self { parents: Column::new(), items: Column::new(), follows: Bits::new(), branched: Bits::new(), further: Vec::new() }
    }

    /// The row of `item` under `parent` (`None` = a root), which is added if it is new; `None` when the table is full (2³²−1 rows).
    ///
    /// `parent` has to be a row of this forest.
    #[inline]
    pub fn child(&mut self, parent: Option<I>, item: T) -> Option<I> {
        let next = parent.map_or(0, |parent| parent.row() + 1);
        match self.items.as_slice().get(next) {
            Some(&known) if known == item && self.follows.get(next) => I::from_row(next),
            // The parent is the last row, so it has no child yet.
            None => {
                self.follows.set(next);
                self.push(parent, item)
            }
            _ => self.further_child(next, parent, item),
        }
    }

    fn push(&mut self, parent: Option<I>, item: T) -> Option<I> {
        self.parents.push(parent)?;
        self.items.push(item)
    }

    fn further_child(&mut self, bit: usize, parent: Option<I>, item: T) -> Option<I> {
        let hash = FxBuildHasher.hash_one((bit, item));
        if self.branched.get(bit) {
            let items = self.items.as_slice();
            let same = |&(its_parent, row): &(Option<I>, u32)| its_parent == parent && items.get(row as usize) == Some(&item);
            if let Some(&(_, row)) = self.further.get(table_of(hash)).and_then(|table| table.find(hash, same)) {
                return I::from_row(row as usize);
            }
        }
        let id = self.push(parent, item)?;
        self.branched.set(bit);
        if self.further.is_empty() {
            self.further.resize_with(TABLES, HashTable::new);
        }
        let items = self.items.as_slice();
        if let Some(table) = self.further.get_mut(table_of(hash)) {
            // `from_row` gave an id, so the row fits.
            table.insert_unique(hash, (parent, id.row() as u32), |&(parent, row)| {
                let bit = parent.map_or(0, |parent| parent.row() + 1);
                items.get(row as usize).map_or(0, |&item| FxBuildHasher.hash_one((bit, item)))
            });
        }
        Some(id)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Parents, one per row; a parent stands before its children.
    pub const fn parents(&self) -> &Column<I, Option<I>> {
        &self.parents
    }

    /// Items, one per row.
    pub const fn items(&self) -> &Column<I, T> {
        &self.items
    }

    /// Both columns, without what only finding needs.
    pub fn into_columns(self) -> (Column<I, Option<I>>, Column<I, T>) {
        (self.parents, self.items)
    }
}

impl<I: Index, T: Copy + Eq + Hash> Default for Forest<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Number of hash tables; a power of two.
const TABLES: usize = 64;

/// By bits that a table itself does not use before it is very large.
const fn table_of(hash: u64) -> usize {
    (hash >> 40) as usize % TABLES
}

/// A growing row of bits, 0 where none was set.
#[derive(Clone, Default)]
struct Bits(Vec<u64>);

impl Bits {
    const fn new() -> Self {
        Self(Vec::new())
    }

    #[inline]
    fn get(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    #[inline]
    fn set(&mut self, at: usize) {
        if at / 64 >= self.0.len() {
            self.0.resize(at / 64 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::intern::{Interner, StringId as RowId};

    #[test]
    fn rows_equal_those_of_a_plain_interner() {
        let mut seed = 1_u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        for items in [1, 2, 3, 50] {
            let mut forest = Forest::<RowId, u32>::new();
            let mut plain = Interner::<RowId, (Option<RowId>, u32)>::new();
            let mut at = None;
            for _ in 0..20_000 {
                // Downwards mostly, now and then back to a root or to any row.
                at = match below(20) {
                    0 => None,
                    1 if !forest.is_empty() => RowId::from_row(below(forest.len() as u64) as usize),
                    _ => at,
                };
                let item = below(items) as u32;
                let id = forest.child(at, item);
                assert_eq!(id, plain.intern((at, item)));
                at = id;
            }
            let rows: Vec<_> = forest.parents().iter().copied().zip(forest.items().iter().copied()).collect();
            assert_eq!(rows, plain.rows().as_slice());
        }
    }
}
