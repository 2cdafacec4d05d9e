//! Tables in both shapes: an object of columns (processed form), or a schema and a list of rows (raw form).

use crate::base::discard::Unfinished;
use crate::format::ReadError;
use crate::format::json::{Json, Kind};

/// The wanted columns of one table. Cells that are no numbers (null, text, lists) are NaN.
pub(super) struct Table {
    columns: Unfinished<Vec<Vec<f64>>>,
    /// Number of rows.
    pub(super) rows: usize,
    /// Number of rows that the table says it has; 0 where it does not say.
    pub(super) length: usize,
    /// The column `weightType`, which is one text for the whole table.
    pub(super) weight_type: Option<String>,
}

impl Table {
    /// A table without rows.
    pub(super) const fn empty() -> Self {
        Self { columns: Unfinished::new(Vec::new()), rows: 0, length: 0, weight_type: None }
    }

    /// Reads the table at `offset`; columns come in the order of `wanted`.
    pub(super) fn read(json: &mut Json<'_>, offset: usize, wanted: &[&str]) -> Result<Self, ReadError> {
        let mut table = Self { columns: Unfinished::new(vec![Vec::new(); wanted.len()]), rows: 0, length: 0, weight_type: None };
        let (mut data, mut schema) = (None, None);
        json.go_to(offset);
        json.object()?;
        while let Some(key) = json.key()? {
            match &*key {
                "schema" => schema = Some(read_schema(json, wanted)?),
                "data" if json.kind()? == Kind::Array => data = Some(json.skip()?),
                "weightType" => table.weight_type = json.maybe_text()?.map(std::borrow::Cow::into_owned),
                "length" => {
                    if let Some(length) = json.maybe_number()? {
                        table.length = usize::try_from(length.integer()).unwrap_or(0);
                    }
                }
                key => match wanted.iter().position(|name| *name == key).and_then(|at| table.columns.get_mut(at)) {
                    Some(column) if json.kind()? == Kind::Array => {
                        json.list()?;
                        while json.item()? {
                            column.push(cell(json)?);
                        }
                    }
                    _ => drop(json.skip()?),
                },
            }
        }
        if let (Some(schema), Some(data)) = (schema, data) {
            table.read_rows(json, data, &schema)?;
        } else {
            // The length is a promise of the writer; the columns are what is there.
            table.rows = table.columns.iter().map(Vec::len).max().unwrap_or(0).max(if wanted.is_empty() { table.length } else { 0 });
        }
        Ok(table)
    }

    fn read_rows(&mut self, json: &mut Json<'_>, data: usize, schema: &[Option<usize>]) -> Result<(), ReadError> {
        self.rows = 0;
        json.go_to(data);
        json.list()?;
        while json.item()? {
            self.rows += 1;
            json.list()?;
            let mut place = 0;
            while json.item()? {
                let column = schema.get(place).copied().flatten().and_then(|at| self.columns.get_mut(at));
                if let Some(column) = column {
                    // Writers leave out cells at the end of a row, not in the middle.
                    column.resize(self.rows - 1, f64::NAN);
                    column.push(cell(json)?);
                } else {
                    json.skip()?;
                }
                place += 1;
            }
        }
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            column.resize(self.rows, f64::NAN);
        }
        Ok(())
    }

    /// The cells of a column; empty where the table has none of that name.
    pub(super) fn column(&self, at: usize) -> &[f64] {
        self.columns.get(at).map_or(&[], Vec::as_slice)
    }

    /// A number; `None` where there is none.
    pub(super) fn number(&self, at: usize, row: usize) -> Option<f64> {
        self.column(at).get(row).copied().filter(|number| !number.is_nan())
    }

    /// A row of another table; `None` for null and −1.
    pub(super) fn index(&self, at: usize, row: usize) -> Option<usize> {
        // No larger than what a float counts exactly, so the conversion is exact or out of every table.
        self.number(at, row).filter(|index| *index >= 0.0).map(|index| index as usize)
    }

    /// A line or column of a source; 0 where there is none.
    pub(super) fn line(&self, at: usize, row: usize) -> u32 {
        // Saturates.
        self.number(at, row).map_or(0, |line| line as u32)
    }
}

/// For each place of a row, which wanted column stands there.
fn read_schema(json: &mut Json<'_>, wanted: &[&str]) -> Result<Vec<Option<usize>>, ReadError> {
    let mut places = Vec::new();
    json.object()?;
    while let Some(key) = json.key()? {
        let place = json.maybe_number()?.and_then(|place| usize::try_from(place.integer()).ok());
        let column = wanted.iter().position(|name| *name == key);
        // No table has as many columns; larger places are not taken at their word.
        if let (Some(place), Some(column)) = (place.filter(|place| *place < 256), column) {
            places.resize(places.len().max(place + 1), None);
            places.get_mut(place).into_iter().for_each(|at| *at = Some(column));
        }
    }
    Ok(places)
}

fn cell(json: &mut Json<'_>) -> Result<f64, ReadError> {
    if json.kind()? == Kind::Number {
        return Ok(json.number()?.float());
    }
    json.skip()?;
    Ok(f64::NAN)
}
