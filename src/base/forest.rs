//! Chains of callers without duplicates: each row is an item and the row of its parent.
//!
//! Row numbers follow the order of first use. Most rows have one child, added right after them: that child stands in the next row and is
//! found there without a hash, so long chains are added and walked in order of memory. Only further children are in a hash table: one
//! entry for each place where a chain leaves the others.
//!
//! A large forest does not fit the caches of a processor, and walking one chain waits for memory again and again. So chains are walked
//! together ([`Forest::follow`], [`Forest::join`]): what all of them need next is loaded first, and the waits become one. Deliberately absent:
//! removal and locking. Start reading at [`Forest::child`].

use std::hash::Hash;

use crate::base::index::{Column, Index};
use crate::base::table::{RowTable, TOGETHER};
use crate::base::ticket::Cancelled;

/// Distinct (parent, item) rows.
#[derive(Clone)]
pub struct Forest<I, T> {
    parents: Column<I, Option<I>>,
    items: Column<I, T>,
    marks: Marks,
    /// Rows that do not stand right after their parent.
    further: RowTable,
}

/// A chain on its way into a forest.
#[derive(Clone, Copy, Debug)]
pub struct Lane<'c, I, T> {
    /// The row that is reached; `None` above the roots.
    pub at: Option<I>,
    /// The items below it, innermost first: the next one is the last.
    pub rest: &'c [T],
}

/// Rows between two looks at the cancel switch.
const ROWS_PER_CHECK: usize = 1 << 14;

impl<I: Index, T: Copy + Eq + Hash> Forest<I, T> {
    /// No rows.
    pub fn new() -> Self {
        Self { parents: Column::new(), items: Column::new(), marks: Marks(Vec::new()), further: RowTable::new() }
    }

    /// The row of `item` under `parent` (`None` = a root), which is added if it is new; `None` when the table is full (2³²−1 rows).
    ///
    /// `parent` has to be a row of this forest.
    #[inline]
    pub fn child(&mut self, parent: Option<I>, item: T) -> Option<I> {
        let next = below(parent);
        match self.items.as_slice().get(next) {
            Some(&known) if known == item && self.marks.follows(next) => I::from_row(next),
            // The parent is the last row, so it has no child yet.
            None => {
                self.marks.set(next, FOLLOWS);
                self.push(parent, item)
            }
            _ => self.further_child(parent, item),
        }
    }

    fn push(&mut self, parent: Option<I>, item: T) -> Option<I> {
        self.parents.push(parent)?;
        self.items.push(item)
    }

    fn further_child(&mut self, parent: Option<I>, item: T) -> Option<I> {
        if let Some(known) = self.find_further(parent, item) {
            return Some(known);
        }
        let id = self.push(parent, item)?;
        self.marks.set(below(parent), BRANCHED);
        self.further.insert(self.further.hash((below(parent), item)), id.row());
        Some(id)
    }

    #[inline]
    fn find_further(&self, parent: Option<I>, item: T) -> Option<I> {
        let next = below(parent);
        if !self.marks.branched(next) {
            return None;
        }
        let (parents, items) = (self.parents.as_slice(), self.items.as_slice());
        let same = |row: usize| items.get(row) == Some(&item) && parents.get(row) == Some(&parent);
        self.further.find(self.further.hash((next, item)), same).and_then(I::from_row)
    }

    /// Moves all lanes along rows that are there, each as far as it can go.
    pub fn follow(&self, lanes: &mut [Lane<'_, I, T>]) {
        let mut open: Vec<usize> = (0..lanes.len()).collect();
        while !open.is_empty() {
            self.touch(open.iter().filter_map(|&lane| lanes.get(lane)).filter_map(|lane| Some((lane.at, *lane.rest.last()?))));
            open.retain(|&lane| lanes.get_mut(lane).is_some_and(|lane| self.step(lane)));
        }
    }

    /// Moves a lane by one row, and further while the rows follow each other. False where it cannot go on.
    #[inline]
    fn step(&self, lane: &mut Lane<'_, I, T>) -> bool {
        let items = self.items.as_slice();
        let mut rest = lane.rest;
        let mut at = lane.at;
        let mut is_first = true;
        while let Some((&item, inner)) = rest.split_last() {
            let next = below(at);
            if items.get(next) == Some(&item) && self.marks.follows(next) {
                at = I::from_row(next);
            } else if !is_first {
                // Its row is not loaded yet: the next round, if there is one at all.
                (lane.at, lane.rest) = (at, rest);
                return self.marks.branched(next);
            } else if let Some(known) = self.find_further(at, item) {
                at = Some(known);
            } else {
                break;
            }
            rest = inner;
            is_first = false;
        }
        (lane.at, lane.rest) = (at, rest);
        false
    }

    /// The row of a lane's innermost item: what is missing is added. `None` for a chain without items, or when the table is full.
    pub fn add(&mut self, lane: Lane<'_, I, T>) -> Option<I> {
        let mut items = lane.rest.iter().rev();
        items.try_fold(lane.at, |at, &item| self.child(at, item).map(Some)).flatten()
    }

    /// Loads what finding these children is going to need.
    #[inline]
    fn touch(&self, children: impl Iterator<Item = (Option<I>, T)> + Clone) {
        let (parents, items) = (self.parents.as_slice(), self.items.as_slice());
        let at = |next: usize, item: T| u64::from(items.get(next) == Some(&item)).wrapping_add(self.marks.at(next));
        // The rows below; then the slots, and the rows that the slots name with those below them.
        let near = children.clone().fold(0_u64, |sum, (parent, item)| sum.wrapping_add(at(below(parent), item)));
        std::hint::black_box(near);
        let hashes = children.map(|(parent, item)| self.further.hash((below(parent), item)));
        self.further.touch(hashes, |row| {
            let parent = parents.get(row).copied().flatten();
            (below(parent) as u64).wrapping_add(
                items
                    .get(row)
                    .zip(items.get(row + 1))
                    .map_or(0, |(&item, &below)| at(row + 1, item).wrapping_add(u64::from(item == below))),
            )
        });
    }

    /// The rows of another forest in this one, by row; what is missing is added, in the order of the other's rows.
    ///
    /// `parents` is the other's column; `items` gives what takes the place of a row here, outermost first: the children of a row that becomes
    /// nothing hang on its parent. `told` hears of so many rows at a time, before they are moved. Where the table is full (2³²−1 rows), rows
    /// become their parents.
    pub fn join<J: Index, Items: IntoIterator<Item = T>>(
        &mut self,
        parents: &[Option<J>],
        items: impl Fn(usize) -> Items,
        mut told: impl FnMut(u64) -> Result<(), Cancelled>,
    ) -> Result<Vec<Option<I>>, Cancelled> {
        let mut moved: Vec<Option<I>> = Vec::with_capacity(parents.len());
        let mut window: Vec<(Option<I>, T)> = Vec::with_capacity(TOGETHER);
        for (at, part) in parents.chunks(TOGETHER).enumerate() {
            let first = at * TOGETHER;
            if first.is_multiple_of(ROWS_PER_CHECK) {
                told((parents.len() - first).min(ROWS_PER_CHECK) as u64)?;
            }
            window.clear();
            // Rows below others of this window are near to what is loaded for those.
            let known = |parent: &Option<J>| parent.map_or(Some(None), |parent| moved.get(parent.row()).copied());
            window
                .extend(part.iter().enumerate().filter_map(|(row, parent)| Some((known(parent)?, items(first + row).into_iter().next()?))));
            self.touch(window.iter().copied());
            for (row, parent) in part.iter().enumerate() {
                let parent = parent.and_then(|parent| moved.get(parent.row()).copied().flatten());
                moved.push(items(first + row).into_iter().fold(parent, |at, item| self.child(at, item).or(at)));
            }
        }
        Ok(moved)
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, additional: usize) {
        self.parents.reserve(additional);
        self.items.reserve(additional);
    }

    /// Makes room for finding so many more rows that do not stand right after their parent.
    pub fn reserve_further(&mut self, additional: usize) {
        self.further.reserve(additional);
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

/// The row after a parent, where its child stands if one was added right after it.
#[inline]
fn below<I: Index>(parent: Option<I>) -> usize {
    parent.map_or(0, |parent| parent.row() + 1)
}

/// Two bits for each row + 1, in one word, since both are wanted at the same time.
#[derive(Clone)]
struct Marks(Vec<u64>);

/// The row with this number is the child of the row before it (row 0: a root), so finding it does not look at the parents.
const FOLLOWS: u64 = 1;
/// The row before this number (0: the place above the roots) has children in the tables.
const BRANCHED: u64 = 2;

impl Marks {
    #[inline]
    fn at(&self, next: usize) -> u64 {
        self.0.get(next / 32).map_or(0, |word| word >> (next % 32 * 2))
    }

    #[inline]
    fn follows(&self, next: usize) -> bool {
        self.at(next) & FOLLOWS != 0
    }

    #[inline]
    fn branched(&self, next: usize) -> bool {
        self.at(next) & BRANCHED != 0
    }

    #[inline]
    fn set(&mut self, next: usize, mark: u64) {
        if next / 32 >= self.0.len() {
            self.0.resize(next / 32 + 1, 0);
        }
        if let Some(word) = self.0.get_mut(next / 32) {
            *word |= mark << (next % 32 * 2);
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
