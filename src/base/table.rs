//! Rows found again by a hash of what stands in them.
//!
//! The rows themselves belong to the caller: the table keeps 32 bits of the hash and the row, so that growing reads no row. A table that
//! does not fit the caches of a processor costs one wait for memory a look-up, and the row found costs another; both can be asked for ahead
//! of time for many look-ups together ([`RowTable::touch`]), and then they wait once. Deliberately absent: removal. Start reading at
//! [`RowTable::find`].

use std::hash::{BuildHasher as _, Hash, RandomState};

use rustc_hash::FxBuildHasher;

/// Row numbers by hash.
#[derive(Clone)]
pub struct RowTable {
    /// Many tables instead of one, so that no insertion takes longer than moving one of them to a larger place.
    tables: Vec<Slots>,
    /// Odd. Drawn at random, so that no file can choose hashes.
    key: u64,
}

/// Number of tables; a power of two.
pub(super) const TABLES: usize = 64;

/// An odd number that no file can know.
pub(super) fn random_key() -> u64 {
    RandomState::new().hash_one(TABLES) | 1
}

/// All bits of a product in 64 of them.
#[inline]
pub(super) const fn folded(value: u64, key: u64) -> u64 {
    let product = value as u128 * key as u128;
    (product >> 64) as u64 ^ product as u64
}

/// Slots of the smallest table; a power of two.
const SMALLEST: usize = 16;

/// How many look-ups are worth asking for together: more than a processor waits for at a time, few enough for its nearest cache.
pub const TOGETHER: usize = 32;

/// Open addressing: a row stands in the first free slot from its hash's own on.
#[derive(Clone, Default)]
pub(super) struct Slots {
    /// A power of two of them, at most three quarters taken: upper half of the hash, and row + 1 (0 = free).
    slots: Vec<(u32, u32)>,
    taken: usize,
}

/// A hash of this table's making: lower bits say which of its tables, the upper half is kept.
#[derive(Clone, Copy, Debug)]
pub struct RowHash(u64);

impl RowTable {
    /// No rows.
    pub fn new() -> Self {
        Self { tables: Vec::new(), key: random_key() }
    }

    /// The hash of what stands in a row, for this table only.
    #[inline]
    pub fn hash(&self, row: impl Hash) -> RowHash {
        RowHash(folded(FxBuildHasher.hash_one(row), self.key))
    }

    /// The row with this hash for which `same` says yes.
    #[inline]
    pub fn find(&self, hash: RowHash, same: impl Fn(usize) -> bool) -> Option<usize> {
        self.slots(hash)?.find(hash.upper(), same)
    }

    /// Adds a row that is not there yet; it has to be less than 2³²−1.
    #[inline]
    pub fn insert(&mut self, hash: RowHash, row: usize) {
        if self.tables.is_empty() {
            self.tables.resize_with(TABLES, Slots::default);
        }
        if let Some(slots) = self.tables.get_mut(hash.table()) {
            slots.insert(hash.upper(), row as u32 + 1);
        }
    }

    /// Loads what finding rows of these hashes is going to need; `load` loads what stands in a row and gives any number.
    #[inline]
    pub fn touch(&self, hashes: impl Iterator<Item = RowHash> + Clone, load: impl Fn(usize) -> u64) {
        // First all slots, then all rows: none of them waits for another.
        let first = |hash| self.slots(hash).and_then(|slots| slots.slots.get(slots.home(hash))).map_or(0, |slot| u64::from(slot.1));
        std::hint::black_box(hashes.clone().fold(0_u64, |sum, hash| sum.wrapping_add(first(hash))));
        let row = |hash| self.find(hash, |_| true).map_or(0, &load);
        std::hint::black_box(hashes.fold(0_u64, |sum, hash| sum.wrapping_add(row(hash))));
    }

    /// Makes room for so many more rows at once.
    pub fn reserve(&mut self, additional: usize) {
        if self.tables.is_empty() {
            self.tables.resize_with(TABLES, Slots::default);
        }
        // Hashes spread evenly over the tables, but not exactly.
        let each = additional / TABLES + additional / (4 * TABLES);
        for slots in &mut self.tables {
            slots.reserve(each);
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(|slots| slots.slots.capacity() * size_of::<(u32, u32)>()).sum()
    }

    #[inline]
    fn slots(&self, hash: RowHash) -> Option<&Slots> {
        self.tables.get(hash.table()).filter(|slots| !slots.slots.is_empty())
    }
}

impl Default for RowTable {
    fn default() -> Self {
        Self::new()
    }
}

impl RowHash {
    /// A hash of the caller's making, of which all bits are good.
    #[inline]
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Which of the tables.
    #[inline]
    pub(super) const fn table(self) -> usize {
        self.0 as usize % TABLES
    }

    /// What is kept of it.
    #[inline]
    pub(super) const fn upper(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl Slots {
    /// The slot of a hash: its highest bits, so that a table of twice the size is filled in the order of memory.
    #[inline]
    fn home(&self, hash: RowHash) -> usize {
        self.home_of(hash.upper())
    }

    #[inline]
    fn home_of(&self, upper: u32) -> usize {
        (u64::from(upper) >> (32 - self.slots.len().trailing_zeros().min(32))) as usize
    }

    /// The row with this half of a hash for which `same` says yes.
    #[inline]
    pub(super) fn find(&self, upper: u32, same: impl Fn(usize) -> bool) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.home_of(upper);
        loop {
            let &(its_upper, row) = self.slots.get(at)?;
            let row = row.checked_sub(1)? as usize;
            if its_upper == upper && same(row) {
                return Some(row);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds row − 1 under this half of its hash.
    pub(super) fn insert(&mut self, upper: u32, row: u32) {
        if (self.taken + 1) * 4 > self.slots.len() * 3 {
            self.resize((self.slots.len() * 2).max(SMALLEST));
        }
        self.place(upper, row);
        self.taken += 1;
    }

    /// Makes room for so many more rows.
    fn reserve(&mut self, additional: usize) {
        let least = (self.taken + additional) * 4 / 3 + 1;
        if least > self.slots.len() {
            self.resize(least.next_power_of_two().max(SMALLEST));
        }
    }

    fn resize(&mut self, slots: usize) {
        for (upper, row) in std::mem::replace(&mut self.slots, vec![(0, 0); slots]) {
            if row > 0 {
                self.place(upper, row);
            }
        }
    }

    fn place(&mut self, upper: u32, row: u32) {
        let mut at = self.home_of(upper);
        while self.slots.get(at).is_some_and(|slot| slot.1 > 0) {
            at = (at + 1) & (self.slots.len() - 1);
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = (upper, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_what_stands_in_them() {
        let mut table = RowTable::new();
        let text = |row: usize| format!("{}", row * 7919);
        let find = |table: &RowTable, wanted: &str| table.find(table.hash(wanted), |row| text(row) == wanted);
        assert_eq!(find(&table, "0"), None);
        for row in 0..20_000 {
            table.insert(table.hash(text(row).as_str()), row);
        }
        table.reserve(50_000);
        let hashes = (0..20_000).map(|row| table.hash(text(row).as_str()));
        table.touch(hashes, |row| row as u64);
        for row in 0..20_000 {
            assert_eq!(find(&table, &text(row)), Some(row));
        }
        assert_eq!((find(&table, "1"), find(&table, "")), (None, None));
    }

    #[test]
    fn equal_hashes_are_told_apart_by_their_rows() {
        let mut table = RowTable::new();
        for row in 0..500 {
            table.insert(RowHash(77), row);
        }
        for wanted in 0..500 {
            assert_eq!(table.find(RowHash(77), |row| row == wanted), Some(wanted));
        }
        assert_eq!(table.find(RowHash(77), |_| false), None);
    }
}
