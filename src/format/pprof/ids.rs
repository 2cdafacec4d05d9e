//! From the ids that a file gives to rows: by position, by table, or by hash.
//!
//! A table is never larger than a few times the number of ids, whatever ids the file makes up.

use std::collections::HashMap;

/// Row of each id.
pub(super) enum Ids {
    /// Row n has id n + 1, as nearly every writer does.
    Sequence(usize),
    /// By id: row + 1, or 0 for none.
    Dense(Vec<u32>),
    /// Any ids. The standard hasher, because the file chooses the keys.
    Sparse(HashMap<u64, u32>),
}

impl Ids {
    /// The rows of `ids`; an error names the row of the first id that stands twice.
    pub(super) fn new(ids: &[u64]) -> Result<Self, usize> {
        if ids.iter().enumerate().all(|(row, &id)| id == row as u64 + 1) {
            return Ok(Self::Sequence(ids.len()));
        }
        let largest = ids.iter().copied().max().unwrap_or(0);
        if largest <= ids.len() as u64 * 4 + 1024 {
            let mut table = vec![0_u32; largest as usize + 1];
            for (row, &id) in ids.iter().enumerate() {
                match table.get_mut(id as usize) {
                    Some(place @ 0) => *place = row as u32 + 1,
                    _ => return Err(row),
                }
            }
            return Ok(Self::Dense(table));
        }
        let mut map = HashMap::with_capacity(ids.len());
        for (row, &id) in ids.iter().enumerate() {
            if map.insert(id, row as u32).is_some() {
                return Err(row);
            }
        }
        Ok(Self::Sparse(map))
    }

    /// For the error about an id that is not there.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Sequence(len) => format!("but there are only {len}"),
            Self::Dense(table) => format!("which is not among the {}", table.iter().filter(|&&row| row != 0).count()),
            Self::Sparse(map) => format!("which is not among the {}", map.len()),
        }
    }

    /// The row of an id.
    #[inline]
    pub(super) fn row(&self, id: u64) -> Option<usize> {
        match self {
            Self::Sequence(len) => usize::try_from(id.wrapping_sub(1)).ok().filter(|row| row < len),
            Self::Dense(table) => table.get(usize::try_from(id).ok()?)?.checked_sub(1).map(|row| row as usize),
            Self::Sparse(map) => map.get(&id).map(|&row| row as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_finds_its_rows_and_no_others() {
        for ids in [vec![1, 2, 3], vec![3, 1, 7], vec![5, u64::MAX, 1 << 40], vec![]] {
            let map = Ids::new(&ids).unwrap();
            for (row, &id) in ids.iter().enumerate() {
                assert_eq!(map.row(id), Some(row), "{ids:?}");
            }
            for absent in [0, 4, 99, u64::MAX - 1] {
                assert_eq!(map.row(absent), None, "{ids:?}");
            }
        }
    }

    #[test]
    fn an_id_that_stands_twice_is_named_by_its_row() {
        assert_eq!(Ids::new(&[2, 1, 2]).err(), Some(2));
        assert_eq!(Ids::new(&[1 << 50, 1, 1 << 50]).err(), Some(2));
    }
}
