//! Typed row numbers and the columns they index.
//!
//! A row number is a type of its own, so a frame can never index the functions; `Option<Id>` is as small as the id (4 bytes).
//! Deliberately absent: −1, `u32::MAX` or any other magic row. Start reading at [`Index`].

use std::marker::PhantomData;

/// A typed row number: row 0 is the first row of its table. Made by the [`index!`](crate::index) macro.
pub trait Index: Copy + Eq + Ord + std::hash::Hash + std::fmt::Debug {
    /// The id of the given row, or `None` past row 2³²−2.
    fn from_row(row: usize) -> Option<Self>;
    /// The row that this id names.
    fn row(self) -> usize;
}

/// Declares a typed row number over `NonZeroU32`: 4 bytes, also inside `Option`.
#[macro_export]
macro_rules! index {
    ($(#[$meta:meta])* $Name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(std::num::NonZeroU32);

        impl $Name {
            /// The id of row 0.
            pub const FIRST: Self = Self(std::num::NonZeroU32::MIN);

            /// The id of the given row, or `None` past row 2³²−2.
            pub fn from_row(row: usize) -> Option<Self> {
                u32::try_from(row).ok()?.checked_add(1).and_then(std::num::NonZeroU32::new).map(Self)
            }

            /// The row that this id names.
            pub const fn row(self) -> usize {
                (self.0.get() - 1) as usize
            }
        }

        impl $crate::base::index::Index for $Name {
            fn from_row(row: usize) -> Option<Self> {
                Self::from_row(row)
            }
            fn row(self) -> usize {
                self.row()
            }
        }

        impl std::fmt::Debug for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}#{}", stringify!($Name), self.row())
            }
        }
    };
}

/// A column whose rows are named by `I`.
#[derive(Clone, PartialEq, Eq)]
pub struct Column<I, T> {
    rows: Vec<T>,
    index: PhantomData<fn(I)>,
}

impl<I: Index, T> Column<I, T> {
    /// An empty column.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), index: PhantomData }
    }

    /// A column over rows that stand already in order.
    pub const fn from_vec(rows: Vec<T>) -> Self {
        Self { rows, index: PhantomData }
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, additional: usize) {
        self.rows.reserve(additional);
    }

    /// Appends a row and gives its id; `None` when the table is full (2³²−1 rows).
    pub fn push(&mut self, value: T) -> Option<I> {
        let id = I::from_row(self.rows.len())?;
        self.rows.push(value);
        Some(id)
    }

    /// The row, or `None` where the id names no row of this column.
    pub fn get(&self, id: I) -> Option<&T> {
        self.rows.get(id.row())
    }

    /// The row for writing.
    pub fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.rows.get_mut(id.row())
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows, first row first.
    pub fn as_slice(&self) -> &[T] {
        &self.rows
    }

    /// All rows for writing.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.rows
    }

    /// The rows as a plain vector.
    pub fn into_vec(self) -> Vec<T> {
        self.rows
    }

    /// Values in row order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// Ids in row order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.rows.len()).map(|row| I::from_row(row).unwrap_or_else(|| unreachable!("a column never outgrows its ids")))
    }

    /// Ids with their values, in row order.
    pub fn iter_ids(&self) -> impl Iterator<Item = (I, &T)> {
        self.ids().zip(self.rows.iter())
    }
}

impl<I: Index, T> Default for Column<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Index, T: std::fmt::Debug> std::fmt::Debug for Column<I, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}

/// Indexing is for ids that came from the same profile or tree: their tables hold them by invariant (`model::check`).
impl<I: Index, T> std::ops::Index<I> for Column<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.rows[id.row()]
    }
}

impl<I: Index, T> std::ops::IndexMut<I> for Column<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.row()]
    }
}

impl<'a, I: Index, T> IntoIterator for &'a Column<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro makes public types")]
mod tests {
    use super::*;

    index!(
        /// Test rows.
        RowId
    );

    #[test]
    fn optional_ids_take_four_bytes() {
        assert_eq!(size_of::<Option<RowId>>(), 4);
    }

    #[test]
    fn row_numbers_round_trip_up_to_the_last_one() {
        assert_eq!(RowId::FIRST.row(), 0);
        for row in [0, 1, 77, u32::MAX as usize - 1] {
            assert_eq!(RowId::from_row(row).unwrap().row(), row);
        }
        assert_eq!(RowId::from_row(u32::MAX as usize), None);
        assert_eq!(RowId::from_row(usize::MAX), None);
    }

    #[test]
    fn push_gives_ids_in_order() {
        let mut column = Column::<RowId, char>::new();
        let a = column.push('a').unwrap();
        let b = column.push('b').unwrap();
        assert_eq!((column[a], column[b]), ('a', 'b'));
        assert_eq!(column.ids().collect::<Vec<_>>(), [a, b]);
        assert_eq!(column.get(RowId::from_row(2).unwrap()), None);
    }
}
