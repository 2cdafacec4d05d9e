//! Tables without duplicates: strings in one arena, and rows of any small key.
//!
//! Row numbers follow the order of first use, so they do not depend on hashing or on threads. Deliberately absent: removal and
//! locking; parallel readers fill private tables and merge them in order. Start reading at [`Strings`].

use std::hash::{BuildHasher as _, Hash};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::base::index::{Column, Index};
use crate::index;

index!(
    /// A row of [`Strings`].
    StringId
);

/// Distinct strings in one arena: 4 bytes a row beside the text.
#[derive(Clone, Default)]
pub struct Strings {
    text: String,
    /// End of each string in `text`; its start is the end before it.
    ends: Vec<usize>,
    rows: HashTable<u32>,
}

impl Strings {
    /// The id of `text`, which is added if it is new.
    ///
    /// Past 2³²−2 distinct strings the last id is given again; no reader gets there below 64 GiB of names.
    pub fn intern(&mut self, text: &str) -> StringId {
        let hash = FxBuildHasher.hash_one(text);
        let (arena, ends) = (&self.text, &self.ends);
        if let Some(&row) = self.rows.find(hash, |&row| slice(arena, ends, row as usize) == text) {
            return id(row as usize);
        }
        let row = self.ends.len();
        self.text.push_str(text);
        self.ends.push(self.text.len());
        let (arena, ends) = (&self.text, &self.ends);
        self.rows.insert_unique(hash, row as u32, |&row| FxBuildHasher.hash_one(slice(arena, ends, row as usize)));
        id(row)
    }

    /// The id of `text` if it is in the table.
    pub fn find(&self, text: &str) -> Option<StringId> {
        let hash = FxBuildHasher.hash_one(text);
        let row = self.rows.find(hash, |&row| slice(&self.text, &self.ends, row as usize) == text)?;
        StringId::from_row(*row as usize)
    }

    /// The text of a row; empty for an id of another table that is too large for this one.
    pub fn get(&self, id: StringId) -> &str {
        slice(&self.text, &self.ends, id.row())
    }

    /// Number of distinct strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True without strings.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All strings, in row order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|row| slice(&self.text, &self.ends, row))
    }

    /// Bytes held, hash table included.
    pub fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<usize>() + self.rows.capacity() * 5
    }
}

fn id(row: usize) -> StringId {
    StringId::from_row(row).unwrap_or_else(|| unreachable!("more than 2^32-2 distinct strings"))
}

fn slice<'a>(text: &'a str, ends: &[usize], row: usize) -> &'a str {
    let start = if row == 0 { 0 } else { ends.get(row - 1).copied().unwrap_or(0) };
    let end = ends.get(row).copied().unwrap_or(start);
    text.get(start..end).unwrap_or("")
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

/// Distinct rows of a small key type, found again by hash.
#[derive(Clone)]
pub struct Interner<I, T> {
    rows: Column<I, T>,
    table: HashTable<u32>,
}

impl<I: Index, T: Hash + Eq> Interner<I, T> {
    /// An empty table.
    pub fn new() -> Self {
        Self { rows: Column::new(), table: HashTable::new() }
    }

    /// The id of `row`, which is added if it is new; `None` when the table is full (2³²−1 rows).
    pub fn intern(&mut self, row: T) -> Option<I> {
        let hash = FxBuildHasher.hash_one(&row);
        let rows = self.rows.as_slice();
        if let Some(&found) = self.table.find(hash, |&at| rows.get(at as usize) == Some(&row)) {
            return I::from_row(found as usize);
        }
        let id = self.rows.push(row)?;
        let rows = self.rows.as_slice();
        self.table.insert_unique(hash, id.row() as u32, |&at| rows.get(at as usize).map_or(0, |row| FxBuildHasher.hash_one(row)));
        Some(id)
    }

    /// Makes room for so many more rows at once: growing step by step hashes every row several times.
    pub fn reserve(&mut self, additional: usize) {
        let rows = self.rows.as_slice();
        self.table.reserve(additional, |&at| rows.get(at as usize).map_or(0, |row| FxBuildHasher.hash_one(row)));
    }

    /// The rows so far, in order of first use.
    pub const fn rows(&self) -> &Column<I, T> {
        &self.rows
    }

    /// The rows without the hash table.
    pub fn into_rows(self) -> Column<I, T> {
        self.rows
    }
}

impl<I: Index, T: Hash + Eq> Default for Interner<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn interner_finds_rows_again() {
        let mut rows = Interner::<StringId, (u32, u32)>::new();
        let a = rows.intern((1, 2)).unwrap();
        let b = rows.intern((2, 1)).unwrap();
        assert_ne!(a, b);
        assert_eq!(rows.intern((1, 2)), Some(a));
        assert_eq!(rows.rows().len(), 2);
    }
}
