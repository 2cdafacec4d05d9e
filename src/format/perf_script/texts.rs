//! Something for each distinct text of a file, found again by its bytes.
//!
//! The bytes stay in the file. A text that comes again is compared with the place where it stood last, which is still near to the processor, and not
//! with the first one, which may be gigabytes away. Hashes are of
//! [`FxBuildHasher`]. Start reading at [`Texts::rows`].

use std::hash::BuildHasher as _;

use rustc_hash::FxBuildHasher;

use crate::base::table::{RowHash, RowTable, TOGETHER};

/// Rows of texts with what belongs to each.
pub(super) struct Texts<'a, T> {
    /// Where each text stood last, and what belongs to it.
    rows: Vec<(&'a [u8], T)>,
    table: RowTable,
}

impl<T> Default for Texts<'_, T> {
    fn default() -> Self {
        Self { rows: Vec::new(), table: RowTable::new() }
    }
}

impl<'a, T: Default> Texts<'a, T> {
    /// The rows of many texts, each after its hash; new ones are added. They are looked up many together: then their waits for memory are one.
    pub(super) fn rows(&mut self, mut texts: impl Iterator<Item = (u64, &'a [u8])>) -> Vec<usize> {
        let mut rows = Vec::with_capacity(texts.size_hint().0);
        let mut part: Vec<(RowHash, &[u8])> = Vec::with_capacity(TOGETHER);
        loop {
            part.clear();
            part.extend(texts.by_ref().take(TOGETHER).map(|(hash, text)| (self.table.hash(hash), text)));
            if part.is_empty() {
                return rows;
            }
            let byte = |byte: Option<&u8>| byte.map_or(0, |&byte| u64::from(byte));
            self.table.touch(part.iter().map(|(hash, _)| *hash), |row| {
                self.rows.get(row).map_or(0, |(text, _)| byte(text.first()).wrapping_add(byte(text.last())))
            });
            rows.extend(part.iter().map(|(hash, text)| self.row_hashed(text, *hash)));
        }
    }

    /// The row of a text, which is added if it is new.
    pub(super) fn row(&mut self, text: &'a [u8]) -> usize {
        self.row_hashed(text, self.table.hash(FxBuildHasher.hash_one(text)))
    }

    fn row_hashed(&mut self, text: &'a [u8], hash: RowHash) -> usize {
        let found = self.table.find(hash, |row| self.rows.get(row).is_some_and(|(known, _)| *known == text));
        if let Some((row, place)) = found.and_then(|row| Some((row, self.rows.get_mut(row)?))) {
            place.0 = text;
            return row;
        }
        self.rows.push((text, T::default()));
        self.table.insert(hash, self.rows.len() - 1);
        self.rows.len() - 1
    }

    /// What belongs to a text.
    pub(super) fn get_mut(&mut self, row: usize) -> Option<&mut T> {
        self.rows.get_mut(row).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_a_row_wherever_they_stand() {
        let texts: Vec<Vec<u8>> = (0..10_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_string().into_bytes()).collect();
        let (mut one, mut all) = (Texts::<u32>::default(), Texts::<u32>::default());
        let rows: Vec<usize> = texts.iter().map(|text| one.row(text)).collect();
        assert_eq!(all.rows(texts.iter().map(|text| (FxBuildHasher.hash_one(text.as_slice()), text.as_slice()))), rows);
        for (text, row) in texts.iter().zip(rows) {
            assert_eq!(all.rows.get(row).map(|(known, _)| *known), Some(text.as_slice()));
            *all.get_mut(row).unwrap() += 1;
        }
        assert_eq!(all.rows.iter().map(|(_, count)| count).sum::<u32>(), 10_000);
        assert!(all.rows.len() < 4096 + 1 && all.get_mut(4097).is_none());
    }
}
