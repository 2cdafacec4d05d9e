//! Rows whose fields stand in columns of their own.
//!
//! Most fields of most rows say nothing: text has no columns of lines, folded stacks have no addresses. In a column of its own such a field takes no
//! memory ([`Sparse`]). So rows are values that are put together when they are asked for ([`Spread::get`]), and cannot be borrowed. Deliberately
//! absent: changing a row. Start reading at [`Spread`].

use std::marker::PhantomData;

use super::index::Index;

/// A column that ends with the last row that says something: whatever stands behind it is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse<T> {
    rows: Vec<T>,
}

impl<T: Copy + Default + Eq> Sparse<T> {
    /// The field of a row.
    #[inline]
    pub fn get(&self, row: usize) -> T {
        self.rows.get(row).copied().unwrap_or_default()
    }

    /// Gives a row, behind all that have one, its field.
    #[inline]
    pub fn put(&mut self, row: usize, value: T) {
        if value != T::default() {
            if self.rows.len() < row {
                self.rows.resize(row, T::default());
            }
            self.rows.push(value);
        }
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, additional: usize) {
        self.rows.reserve(additional);
    }
}

/// A row that can be taken apart.
pub trait Fields: Copy + Eq {
    /// A column for each field, or for several that are small.
    type Columns: Clone + std::fmt::Debug + Default + Eq + Send + Sync + 'static;
    /// Puts the fields behind those of all rows before.
    fn put(self, columns: &mut Self::Columns, row: usize);
    /// The row of which the fields stand there.
    fn get(columns: &Self::Columns, row: usize) -> Self;
    /// True where the fields of this row stand there. Loads all of them, whatever the first one says.
    fn stands_at(&self, columns: &Self::Columns, row: usize) -> bool;
    /// Makes room for so many more rows, in columns that are used by most.
    fn reserve(columns: &mut Self::Columns, additional: usize);
}

/// A table of rows that are named by `I`, field by field.
#[derive(Clone)]
pub struct Spread<I, T: Fields> {
    columns: T::Columns,
    len: usize,
    index: PhantomData<fn(I)>,
}

impl<I: Index, T: Fields> Spread<I, T> {
    /// No rows.
    pub fn new() -> Self {
        Self { columns: T::Columns::default(), len: 0, index: PhantomData }
    }

    /// Makes room for so many more rows.
    pub fn reserve(&mut self, additional: usize) {
        T::reserve(&mut self.columns, additional);
    }

    /// Appends a row and gives its id; `None` when the table is full (2³²−1 rows).
    #[inline]
    pub fn push(&mut self, row: T) -> Option<I> {
        let id = I::from_row(self.len)?;
        row.put(&mut self.columns, self.len);
        self.len += 1;
        Some(id)
    }

    /// The row, or `None` where the id names no row of this table.
    #[inline]
    pub fn get(&self, id: I) -> Option<T> {
        (id.row() < self.len).then(|| T::get(&self.columns, id.row()))
    }

    /// The row of an id that came from the same profile: its tables hold it by invariant (`model::check`).
    ///
    /// # Panics
    /// Where the id names no row of this table.
    #[inline]
    pub fn at(&self, id: I) -> T {
        assert!(id.row() < self.len, "a table of {} rows has no {id:?}", self.len);
        T::get(&self.columns, id.row())
    }

    /// True where the table has that row at that place.
    #[inline]
    pub(super) fn has(&self, at: usize, row: &T) -> bool {
        at < self.len && row.stands_at(&self.columns, at)
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True without rows.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All rows, first row first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + Clone {
        (0..self.len).map(|row| T::get(&self.columns, row))
    }

    /// Ids in row order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.len).map(|row| I::from_row(row).unwrap_or_else(|| unreachable!("a table never outgrows its ids")))
    }

    /// Ids with their rows, in row order.
    pub fn iter_ids(&self) -> impl Iterator<Item = (I, T)> {
        self.ids().zip(self.iter())
    }
}

impl<I: Index, T: Fields> Default for Spread<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Equal rows stand in equal columns: none of them ends with what says nothing.
impl<I, T: Fields> PartialEq for Spread<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.columns == other.columns
    }
}

impl<I, T: Fields> Eq for Spread<I, T> {}

impl<I: Index, T: Fields + std::fmt::Debug> std::fmt::Debug for Spread<I, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::intern::StringId as RowId;

    impl Fields for (u32, u8) {
        type Columns = (Sparse<u32>, Sparse<u8>);
        fn put(self, columns: &mut Self::Columns, row: usize) {
            columns.0.put(row, self.0);
            columns.1.put(row, self.1);
        }
        fn get(columns: &Self::Columns, row: usize) -> Self {
            (columns.0.get(row), columns.1.get(row))
        }
        fn stands_at(&self, columns: &Self::Columns, row: usize) -> bool {
            Self::get(columns, row) == *self
        }
        fn reserve(_: &mut Self::Columns, _: usize) {}
    }

    #[test]
    fn rows_come_back_whatever_their_fields_leave_out() {
        let rows = [(0, 0), (7, 0), (0, 0), (0, 3), (9, 4), (0, 0), (0, 0)];
        let mut table = Spread::<RowId, (u32, u8)>::new();
        for (at, row) in rows.into_iter().enumerate() {
            assert_eq!(table.push(row).map(RowId::row), Some(at));
            // A table of fewer rows is another one, also where what is missing says nothing.
            let shorter = rows[..at].iter().fold(Spread::new(), |mut shorter, row| {
                shorter.push(*row);
                shorter
            });
            assert_ne!(table, shorter);
        }
        assert_eq!(table.iter().collect::<Vec<_>>(), rows);
        assert_eq!(table.iter_ids().map(|(id, row)| (id.row(), row)).collect::<Vec<_>>(), rows.into_iter().enumerate().collect::<Vec<_>>());
        for (at, row) in rows.into_iter().enumerate() {
            let id = RowId::from_row(at).unwrap();
            assert_eq!((table.get(id), table.at(id), table.has(at, &row), table.has(at, &(1, 1))), (Some(row), row, true, false));
        }
        assert_eq!((table.get(RowId::from_row(7).unwrap()), table.has(7, &(0, 0)), table.len()), (None, false, 7));
        assert_eq!((table.columns.0.rows.len(), table.columns.1.rows.len()), (5, 5), "what says nothing at the end is not kept");
    }

    #[test]
    #[should_panic(expected = "has no")]
    fn an_id_of_another_table_is_found_out() {
        Spread::<RowId, (u32, u8)>::new().at(RowId::FIRST);
    }
}
