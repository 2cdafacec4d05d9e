//! Tables without duplicates: strings in one arena, and rows of any small key.
//!
//! Row numbers follow the order of first use, so they do not depend on hashing or on threads. Deliberately absent: removal and
//! locking; parallel readers fill private tables and merge them in order. Start reading at [`Strings`].

use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::Range;

use crate::base::index::{Column, Index};
use crate::base::spread::{Fields, Spread};
use crate::base::table::{RowHash, RowTable, TOGETHER};
use crate::index;

index!(
    /// A row of [`Strings`].
    StringId
);

/// Distinct strings in one arena: 4 bytes a row beside the text, and what finding them takes.
#[derive(Clone, Default)]
pub struct Strings {
    text: String,
    ends: Ends,
    rows: RowTable,
}

/// End of each string in the text; its start is the end before it.
#[derive(Clone, Default, PartialEq, Eq)]
struct Ends {
    /// The lower halves.
    lower: Vec<u32>,
    /// The first row of each further 4 GiB.
    upper: Vec<u32>,
}

impl Ends {
    fn push(&mut self, end: usize) {
        while end >> 32 > self.upper.len() {
            self.upper.push(self.lower.len() as u32);
        }
        self.lower.push(end as u32);
    }

    #[inline]
    fn get(&self, row: usize) -> Option<usize> {
        let lower = *self.lower.get(row)? as usize;
        Some(lower + (self.upper.partition_point(|&first| first as usize <= row) << 32))
    }

    /// Where the string of a row stands; nowhere for a row that does not exist.
    #[inline]
    fn span(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).and_then(|before| self.get(before)).unwrap_or(0);
        start..self.get(row).unwrap_or(start)
    }
}

impl Strings {
    /// The id of `text`, which is added if it is new.
    ///
    /// Past 2³²−2 distinct strings the last id is given again; no reader gets there below 64 GiB of names.
    pub fn intern(&mut self, text: &str) -> StringId {
        self.intern_hashed(self.rows.hash(text), text)
    }

    /// The ids of many texts, as if each were interned after those before it. Much faster where the table is large.
    pub fn intern_all<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> Vec<StringId> {
        let mut ids = Vec::with_capacity(texts.size_hint().0);
        together(texts, |part| {
            let hashes: Vec<RowHash> = part.iter().map(|text| self.rows.hash(*text)).collect();
            self.rows.touch(hashes.iter().copied(), |row| {
                let Range { start, end } = self.ends.span(row);
                let byte = |at: usize| u64::from(self.text.as_bytes().get(at).copied().unwrap_or(0));
                byte(start).wrapping_add(byte(end))
            });
            ids.extend(part.iter().zip(hashes).map(|(text, hash)| self.intern_hashed(hash, text)));
        });
        ids
    }

    /// Adds a text for which nobody will look: [`intern`](Self::intern) does not find it, and it may stand there twice.
    pub fn add(&mut self, text: &str) -> StringId {
        let row = self.len();
        self.text.push_str(text);
        self.ends.push(self.text.len());
        id(row)
    }

    fn intern_hashed(&mut self, hash: RowHash, text: &str) -> StringId {
        let known = self.rows.find(hash, |row| slice(&self.text, &self.ends, row) == text);
        let row = known.unwrap_or_else(|| {
            let row = self.add(text).row();
            self.rows.insert(hash, row);
            row
        });
        id(row)
    }

    /// The id of `text` if it is in the table.
    pub fn find(&self, text: &str) -> Option<StringId> {
        let row = self.rows.find(self.rows.hash(text), |row| slice(&self.text, &self.ends, row) == text)?;
        StringId::from_row(row)
    }

    /// The text of a row; empty for an id of another table that is too large for this one.
    pub fn get(&self, id: StringId) -> &str {
        slice(&self.text, &self.ends, id.row())
    }

    /// Number of distinct strings.
    pub fn len(&self) -> usize {
        self.ends.lower.len()
    }

    /// True without strings.
    pub fn is_empty(&self) -> bool {
        self.ends.lower.is_empty()
    }

    /// All strings, in row order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|row| slice(&self.text, &self.ends, row))
    }

    /// Bytes held, hash table included.
    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.lower.capacity() * size_of::<u32>() + self.rows.bytes()
    }
}

fn id(row: usize) -> StringId {
    StringId::from_row(row).unwrap_or_else(|| unreachable!("more than 2^32-2 distinct strings"))
}

#[inline]
fn slice<'a>(text: &'a str, ends: &Ends, row: usize) -> &'a str {
    text.get(ends.span(row)).unwrap_or("")
}

/// Calls `each` with so many of the items at a time as are worth looking up together.
fn together<T>(items: impl Iterator<Item = T>, mut each: impl FnMut(&[T])) {
    let mut part = Vec::with_capacity(TOGETHER);
    for item in items {
        part.push(item);
        if part.len() == TOGETHER {
            each(&part);
            part.clear();
        }
    }
    each(&part);
}

impl std::ops::Index<StringId> for Strings {
    type Output = str;
    fn index(&self, id: StringId) -> &str {
        self.get(id)
    }
}

impl PartialEq for Strings {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ends == other.ends
    }
}

impl std::fmt::Debug for Strings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Where an [`Interner`] keeps its rows.
pub trait Keep<I, T>: Default {
    /// Appends a row; `None` when the table is full.
    fn push(&mut self, row: T) -> Option<I>;
    /// True where that row stands at that place.
    fn has(&self, at: usize, row: &T) -> bool;
    /// Makes room for so many more rows.
    fn reserve(&mut self, additional: usize);
}

impl<I: Index, T: Eq> Keep<I, T> for Column<I, T> {
    fn push(&mut self, row: T) -> Option<I> {
        self.push(row)
    }
    #[inline]
    fn has(&self, at: usize, row: &T) -> bool {
        self.as_slice().get(at) == Some(row)
    }
    fn reserve(&mut self, additional: usize) {
        self.reserve(additional);
    }
}

impl<I: Index, T: Fields> Keep<I, T> for Spread<I, T> {
    fn push(&mut self, row: T) -> Option<I> {
        self.push(row)
    }
    #[inline]
    fn has(&self, at: usize, row: &T) -> bool {
        self.has(at, row)
    }
    fn reserve(&mut self, additional: usize) {
        self.reserve(additional);
    }
}

/// Distinct rows of a small key type, found again by hash.
#[derive(Clone)]
pub struct Interner<I, T, R = Column<I, T>> {
    rows: R,
    table: RowTable,
    row: PhantomData<fn(T) -> I>,
}

impl<I: Index, T: Hash + Eq, R: Keep<I, T>> Interner<I, T, R> {
    /// An empty table.
    pub fn new() -> Self {
        Self { rows: R::default(), table: RowTable::new(), row: PhantomData }
    }

    /// The id of `row`, which is added if it is new; `None` when the table is full (2³²−1 rows).
    pub fn intern(&mut self, row: T) -> Option<I> {
        self.intern_hashed(self.table.hash(&row), row)
    }

    /// The ids of many rows, as if each were interned after those before it. Much faster where the table is large.
    pub fn intern_all(&mut self, rows: impl Iterator<Item = T>) -> Vec<Option<I>>
    where
        T: Copy,
    {
        let mut ids = Vec::with_capacity(rows.size_hint().0);
        together(rows, |part| {
            let hashes: Vec<RowHash> = part.iter().map(|row| self.table.hash(row)).collect();
            let has = |at| part.first().is_some_and(|row| self.rows.has(at, row));
            self.table.touch(hashes.iter().copied(), |at| u64::from(has(at)));
            ids.extend(part.iter().zip(hashes).map(|(&row, hash)| self.intern_hashed(hash, row)));
        });
        ids
    }

    fn intern_hashed(&mut self, hash: RowHash, row: T) -> Option<I> {
        if let Some(known) = self.table.find(hash, |at| self.rows.has(at, &row)) {
            return I::from_row(known);
        }
        let id = self.rows.push(row)?;
        self.table.insert(hash, id.row());
        Some(id)
    }

    /// Adds a row that is known to be new and that nobody will look for: [`intern`](Self::intern) does not find it.
    pub fn add(&mut self, row: T) -> Option<I> {
        self.rows.push(row)
    }

    /// Makes room for so many more rows at once: growing step by step moves every row several times.
    pub fn reserve(&mut self, additional: usize) {
        self.table.reserve(additional);
    }

    /// Makes room for so many more rows, but not for finding them, which costs memory at once.
    pub fn expect(&mut self, additional: usize) {
        self.rows.reserve(additional);
    }

    /// The rows so far, in order of first use.
    pub const fn rows(&self) -> &R {
        &self.rows
    }

    /// The rows without the hash table.
    pub fn into_rows(self) -> R {
        self.rows
    }
}

impl<I: Index, T: Hash + Eq, R: Keep<I, T>> Default for Interner<I, T, R> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_may_end_behind_4_gib() {
        let all = [3, 3, (1 << 32) - 1, 1 << 32, (1 << 32) + 7, (3 << 32) + 1, (3 << 32) + 1, 4 << 32];
        let mut ends = Ends::default();
        for end in all {
            ends.push(end);
        }
        assert_eq!((0..9).map(|row| ends.get(row)).collect::<Vec<_>>(), all.into_iter().map(Some).chain([None]).collect::<Vec<_>>());
        assert_eq!((ends.span(0), ends.span(3), ends.span(5)), (0..3, (1 << 32) - 1..1 << 32, (1 << 32) + 7..(3 << 32) + 1));
    }

    #[test]
    fn equal_strings_share_a_row_and_rows_follow_first_use() {
        let mut strings = Strings::default();
        let (a, empty, b) = (strings.intern("main"), strings.intern(""), strings.intern("α;β"));
        assert_eq!([a.row(), empty.row(), b.row()], [0, 1, 2]);
        assert_eq!(strings.intern("main"), a);
        assert_eq!((&strings[a], &strings[empty], &strings[b]), ("main", "", "α;β"));
        assert_eq!(strings.find("α;β"), Some(b));
        assert_eq!(strings.find("nope"), None);
    }

    #[test]
    fn many_rows_stay_distinct() {
        let mut strings = Strings::default();
        for n in 0..10_000 {
            assert_eq!(strings.intern(&n.to_string()).row(), n);
        }
        for n in 0..10_000 {
            assert_eq!(strings.intern(&n.to_string()).row(), n);
        }
        assert_eq!(strings.len(), 10_000);
    }

    #[test]
    fn many_together_are_as_one_after_the_other() {
        let texts: Vec<String> = (0..5000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_string()).collect();
        let (mut one, mut all) = (Strings::default(), Strings::default());
        let ids: Vec<StringId> = texts.iter().map(|text| one.intern(text)).collect();
        assert_eq!(all.intern_all(texts.iter().map(String::as_str)), ids);
        assert_eq!(all, one);
        let (mut one, mut all) = (Interner::<StringId, usize>::new(), Interner::<StringId, usize>::new());
        let ids: Vec<Option<StringId>> = texts.iter().map(|text| one.intern(text.len() * 100 + text.len() % 7)).collect();
        assert_eq!(all.intern_all(texts.iter().map(|text| text.len() * 100 + text.len() % 7)), ids);
        assert_eq!(all.rows(), one.rows());
    }

    #[test]
    fn interner_finds_rows_again() {
        let mut rows = Interner::<StringId, (u32, u32)>::new();
        let a = rows.intern((1, 2)).unwrap();
        let b = rows.intern((2, 1)).unwrap();
        assert_ne!(a, b);
        assert_eq!(rows.intern((1, 2)), Some(a));
        assert_eq!(rows.rows().len(), 2);
    }
}
