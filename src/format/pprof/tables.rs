//! Strings, functions, mappings and locations: everything that samples refer to.
//!
//! All strings of the file are kept in the file's order, so that writing a profile gives the same rows again. Start reading at
//! [`Tables::decode`].

use super::ids::Ids;
use super::layout::Layout;
use super::wire::{Fault, Wire};
use super::{NAME, field};
use crate::base::demangle::readable;
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Builder, Frame, FrameId, Function, FunctionId, Mapping, MappingId, StringId, kind};

/// How many rows are read between two looks at the cancel switch.
const ROWS_PER_CHECK: usize = 4096;

/// What samples refer to.
pub(super) struct Tables {
    pub(super) strings: Texts,
    pub(super) locations: Ids,
    frames: Vec<FrameId>,
    /// End of each location's frames; its start is the end before it.
    ends: Vec<u32>,
}

/// String table of the file: file index to row.
pub(super) struct Texts {
    rows: Vec<StringId>,
    empty: StringId,
    /// The table may lack its end, because the file does.
    cut: bool,
}

impl Texts {
    /// The row of a string index, `what` for the error (`function 3`, `sample 17`). The error's offset is `offset`.
    pub(super) fn get(&self, index: u64, offset: u64, what: impl FnOnce() -> String) -> Result<StringId, ReadError> {
        if let Some(&row) = usize::try_from(index).ok().and_then(|index| self.rows.get(index)) {
            return Ok(row);
        }
        let (shown, len) = (index as i64, self.rows.len());
        if self.cut && shown > 0 {
            return Ok(self.empty);
        }
        Err(ReadError::new(NAME, offset, what(), format!("names string {shown}, but there are only {len}")))
    }

    /// Like [`get`](Self::get), with `None` for the empty string.
    pub(super) fn some(&self, index: u64, offset: u64, what: impl FnOnce() -> String) -> Result<Option<StringId>, ReadError> {
        if index == 0 {
            return Ok(None);
        }
        self.get(index, offset, what).map(|row| (row != self.empty).then_some(row))
    }

    /// The row of the empty string.
    pub(super) const fn empty(&self) -> StringId {
        self.empty
    }
}

impl Tables {
    /// Reads all tables into `builder`.
    pub(super) fn decode(layout: &Layout<'_>, builder: &mut Builder, ticket: &Ticket) -> Result<Self, ReadError> {
        let strings = texts(layout, builder, ticket)?;
        let (functions, function_ids) = functions(layout, builder, &strings, ticket)?;
        let (mappings, mapping_ids) = mappings(layout, builder, &strings)?;
        let mut tables = Self { strings, locations: Ids::Sequence(0), frames: Vec::new(), ends: Vec::new() };
        let known = Known { functions, function_ids, mappings, mapping_ids };
        tables.decode_locations(layout, builder, &known, ticket)?;
        Ok(tables)
    }

    /// Frames of a location, innermost first.
    pub(super) fn frames(&self, location: usize) -> &[FrameId] {
        let start = if location == 0 { 0 } else { self.ends.get(location - 1).copied().unwrap_or(0) };
        let end = self.ends.get(location).copied().unwrap_or(start);
        self.frames.get(start as usize..end as usize).unwrap_or(&[])
    }

    /// True where every location has one frame, and no other has the same.
    pub(super) fn is_one_frame_each(&self) -> bool {
        let rows = self.frames.iter().zip(&self.ends).enumerate();
        self.frames.len() == self.ends.len() && rows.into_iter().all(|(row, (frame, &end))| frame.row() == row && end as usize == row + 1)
    }

    fn decode_locations(&mut self, layout: &Layout<'_>, builder: &mut Builder, known: &Known, ticket: &Ticket) -> Result<(), ReadError> {
        let mut ids = Vec::with_capacity(layout.locations.len());
        let mut lines = Vec::new();
        let mut counts = Counts::default();
        for (row, &body) in layout.locations.iter().enumerate() {
            if row.is_multiple_of(ROWS_PER_CHECK) {
                ticket.check()?;
            }
            let location = RawLocation::decode(body, &mut lines).map_err(|fault| broken(fault, "location", row))?;
            if location.id == 0 {
                return Err(reserved(body.offset(), "location", row));
            }
            ids.push(location.id);
            let mapping = known.mapping(&location, &mut counts, body.offset());
            counts.folded += u64::from(location.is_folded);
            let address = Some(location.address).filter(|&address| address != 0);
            let caller = location.is_return_address;
            let frame = Frame { mapping, address, caller, folded: location.is_folded, ..Frame::default() };
            if lines.is_empty() {
                counts.unnamed(body.offset());
                self.frames.push(builder.frame(frame));
            }
            let last = lines.len().saturating_sub(1);
            for (at, line) in lines.iter().enumerate() {
                let function = known.function(line, &mut counts, || format!("location {}", location.id))?;
                let (line_number, column) = (counts.line(line.line, line.offset), counts.line(line.column, line.offset));
                self.frames.push(builder.frame(Frame { function, line: line_number, column, inlined: at < last, ..frame }));
            }
            // More than 2^32 frames would need an input of more than 8 GiB of lines.
            self.ends.push(u32::try_from(self.frames.len()).unwrap_or(u32::MAX));
        }
        self.locations = Ids::new(&ids).map_err(|row| twice(layout.locations.get(row), "location", ids.get(row)))?;
        counts.note(builder);
        Ok(())
    }
}

/// The tables that locations refer to.
struct Known {
    functions: Vec<FunctionId>,
    function_ids: Ids,
    mappings: Vec<MappingId>,
    mapping_ids: Ids,
}

impl Known {
    fn function(&self, line: &RawLine, counts: &mut Counts, what: impl FnOnce() -> String) -> Result<Option<FunctionId>, ReadError> {
        if let Some(&id) = self.function_ids.row(line.function).and_then(|row| self.functions.get(row)) {
            return Ok(Some(id));
        }
        if line.function == 0 {
            counts.lines_without_function += 1;
            counts.first_line_without_function.get_or_insert(line.offset);
            return Ok(None);
        }
        let text = format!("names function {}, which is not among the {}", line.function, self.functions.len());
        Err(ReadError::new(NAME, line.offset, what(), text))
    }

    fn mapping(&self, location: &RawLocation, counts: &mut Counts, offset: u64) -> Option<MappingId> {
        let found = self.mapping_ids.row(location.mapping).and_then(|row| self.mappings.get(row)).copied();
        if found.is_none() && location.mapping != 0 {
            counts.missing_mappings += 1;
            counts.first_missing_mapping.get_or_insert(offset);
        }
        found
    }
}

/// What is worth a note.
#[derive(Default)]
struct Counts {
    missing_mappings: u64,
    first_missing_mapping: Option<u64>,
    lines_without_function: u64,
    first_line_without_function: Option<u64>,
    odd_lines: u64,
    first_odd_line: Option<u64>,
    unnamed: u64,
    first_unnamed: Option<u64>,
    folded: u64,
}

impl Counts {
    fn unnamed(&mut self, offset: u64) {
        self.unnamed += 1;
        self.first_unnamed.get_or_insert(offset);
    }

    fn line(&mut self, line: i64, offset: u64) -> u32 {
        u32::try_from(line).unwrap_or_else(|_| {
            self.odd_lines += 1;
            self.first_odd_line.get_or_insert(offset);
            0
        })
    }

    fn note(&self, builder: &mut Builder) {
        for (kind, count, first, text) in [
            (kind::NO_SYMBOLS, self.unnamed, self.first_unnamed, "locations without a line"),
            (
                kind::REPAIRED,
                self.missing_mappings,
                self.first_missing_mapping,
                "locations name a mapping that does not exist; read without it",
            ),
            (kind::REPAIRED, self.lines_without_function, self.first_line_without_function, "lines without a function"),
            (kind::REPAIRED, self.odd_lines, self.first_odd_line, "line numbers outside 0 to 2^32-1, read as unknown"),
            (
                kind::GUESSED,
                self.folded,
                None,
                "locations of identical code folding: the linker merged several functions, and the name is one of theirs",
            ),
        ] {
            if count > 0 {
                builder.notes.add(kind, text, count, first);
            }
        }
    }
}

fn texts(layout: &Layout<'_>, builder: &mut Builder, ticket: &Ticket) -> Result<Texts, ReadError> {
    let Some(first) = layout.strings.first() else {
        return Err(match layout.cut {
            Some(cut) => {
                let what = format!("missing: the file is cut ({}), and pprof writes names last", cut.what);
                ReadError::new(NAME, cut.offset, "the string table", what)
            }
            None => ReadError::new(NAME, 0, "the string table", "missing: there is not even the empty string that must come first"),
        });
    };
    if !first.bytes().is_empty() {
        let shown: String = String::from_utf8_lossy(first.bytes()).chars().take(40).collect();
        return Err(ReadError::new(NAME, first.offset(), "the string table", format!("string 0 must be empty, found {shown:?}")));
    }
    let empty = builder.strings.intern("");
    let mut rows = Vec::with_capacity(layout.strings.len());
    for (row, text) in layout.strings.iter().enumerate() {
        if row.is_multiple_of(ROWS_PER_CHECK) {
            ticket.check()?;
        }
        rows.push(if let Ok(text) = std::str::from_utf8(text.bytes()) {
            builder.strings.intern(text)
        } else {
            builder.notes.add(kind::INVALID_UTF8, "strings that are not UTF-8, read with replacement characters", 1, Some(text.offset()));
            builder.strings.intern(&String::from_utf8_lossy(text.bytes()))
        });
    }
    Ok(Texts { rows, empty, cut: layout.cut.is_some() })
}

/// The readable form of a name that a compiler made of it.
fn made_readable(name: &str) -> Option<String> {
    // Names of other languages are not even looked at.
    if name.starts_with('_') { readable(name) } else { None }
}

fn functions(layout: &Layout<'_>, builder: &mut Builder, strings: &Texts, ticket: &Ticket) -> Result<(Vec<FunctionId>, Ids), ReadError> {
    let mut ids = Vec::with_capacity(layout.functions.len());
    let mut rows = Vec::with_capacity(layout.functions.len());
    for (row, &body) in layout.functions.iter().enumerate() {
        if row.is_multiple_of(ROWS_PER_CHECK) {
            ticket.check()?;
        }
        let raw = RawFunction::decode(body).map_err(|fault| broken(fault, "function", row))?;
        ids.push(raw.id);
        let at = body.offset();
        let what = || format!("function {}", raw.id);
        let name = strings.get(raw.name, at, what)?;
        let system_name = strings.some(raw.system_name, at, what)?;
        let file = strings.some(raw.file, at, what)?;
        // Without a readable name the one of the binary is the name. pprof makes that readable, and leaves all other names as they are
        // (`Demangle` of `internal/symbolizer/symbolizer.go`).
        let name = match system_name.filter(|&system| name == strings.empty() || name == system) {
            Some(system) => made_readable(builder.strings.get(system)).map_or(system, |readable| builder.string(&readable)),
            None => name,
        };
        let start_line = u32::try_from(raw.start_line).unwrap_or(0);
        rows.push(builder.function(Function { name, system_name: system_name.filter(|&system| system != name), file, start_line }));
    }
    if !ids.is_empty() && ids.iter().all(|&id| id == 0) {
        // A .NET writer leaves all ids out and counts on the position.
        let text = "functions without an id, numbered by their position";
        builder.notes.add(kind::REPAIRED, text, ids.len() as u64, layout.functions.first().map(Wire::offset));
        return Ok((rows, Ids::Sequence(ids.len())));
    }
    if let Some(row) = ids.iter().position(|&id| id == 0) {
        return Err(reserved(layout.functions.get(row).map_or(0, Wire::offset), "function", row));
    }
    let map = Ids::new(&ids).map_err(|row| twice(layout.functions.get(row), "function", ids.get(row)))?;
    Ok((rows, map))
}

fn mappings(layout: &Layout<'_>, builder: &mut Builder, strings: &Texts) -> Result<(Vec<MappingId>, Ids), ReadError> {
    let mut ids = Vec::with_capacity(layout.mappings.len());
    let mut rows = Vec::with_capacity(layout.mappings.len());
    for (row, &body) in layout.mappings.iter().enumerate() {
        let raw = RawMapping::decode(body).map_err(|fault| broken(fault, "mapping", row))?;
        if raw.id == 0 {
            return Err(reserved(body.offset(), "mapping", row));
        }
        ids.push(raw.id);
        let what = || format!("mapping {}", raw.id);
        let file = strings.some(raw.file, body.offset(), what)?;
        let build_id = strings.some(raw.build_id, body.offset(), what)?;
        rows.push(builder.mapping(Mapping {
            file,
            build_id,
            start: raw.start,
            limit: raw.limit,
            offset: raw.offset,
            from_base: raw.is_from_base,
            ..Mapping::default()
        }));
    }
    let map = Ids::new(&ids).map_err(|row| twice(layout.mappings.get(row), "mapping", ids.get(row)))?;
    Ok((rows, map))
}

/// Counted from 1, as the writers count.
fn broken(fault: Fault, what: &str, row: usize) -> ReadError {
    ReadError::new(NAME, fault.offset, format!("{what} number {}", row + 1), fault.what.to_string())
}

fn reserved(offset: u64, what: &str, row: usize) -> ReadError {
    ReadError::new(NAME, offset, format!("{what} number {}", row + 1), "has the id 0, which stands for none")
}

fn twice(body: Option<&Wire<'_>>, what: &str, id: Option<&u64>) -> ReadError {
    let id = id.copied().unwrap_or_default();
    ReadError::new(NAME, body.map_or(0, Wire::offset), format!("{what} {id}"), format!("a second {what} has the same id"))
}

#[derive(Default)]
struct RawFunction {
    id: u64,
    name: u64,
    system_name: u64,
    file: u64,
    start_line: i64,
}

impl RawFunction {
    fn decode(mut body: Wire<'_>) -> Result<Self, Fault> {
        let mut raw = Self::default();
        while let Some(found) = body.field()? {
            match found.number {
                1 => raw.id = found.int()?,
                2 => raw.name = found.int()?,
                3 => raw.system_name = found.int()?,
                4 => raw.file = found.int()?,
                5 => raw.start_line = found.int()? as i64,
                _ => {}
            }
        }
        Ok(raw)
    }
}

#[derive(Default)]
struct RawMapping {
    id: u64,
    start: u64,
    limit: u64,
    offset: u64,
    file: u64,
    build_id: u64,
    is_from_base: bool,
}

impl RawMapping {
    /// Fields 7 to 10, the has_ flags, are not looked at: Go sets only one of them although all of it is there.
    fn decode(mut body: Wire<'_>) -> Result<Self, Fault> {
        let mut raw = Self::default();
        while let Some(found) = body.field()? {
            match found.number {
                1 => raw.id = found.int()?,
                2 => raw.start = found.int()?,
                3 => raw.limit = found.int()?,
                4 => raw.offset = found.int()?,
                5 => raw.file = found.int()?,
                6 => raw.build_id = found.int()?,
                field::IS_FROM_BASE => raw.is_from_base = found.int()? == 1,
                _ => {}
            }
        }
        Ok(raw)
    }
}

#[derive(Default)]
struct RawLocation {
    id: u64,
    mapping: u64,
    address: u64,
    is_folded: bool,
    is_return_address: bool,
}

#[derive(Default)]
struct RawLine {
    function: u64,
    line: i64,
    column: i64,
    offset: u64,
}

impl RawLocation {
    /// The location, and its lines (innermost first) in `lines`.
    fn decode(mut body: Wire<'_>, lines: &mut Vec<RawLine>) -> Result<Self, Fault> {
        lines.clear();
        let mut raw = Self::default();
        while let Some(found) = body.field()? {
            match found.number {
                1 => raw.id = found.int()?,
                2 => raw.mapping = found.int()?,
                3 => raw.address = found.int()?,
                4 => lines.push(RawLine::decode(found.message()?)?),
                5 => raw.is_folded = found.int()? != 0,
                field::IS_RETURN_ADDRESS => raw.is_return_address = found.int()? == 1,
                _ => {}
            }
        }
        // The address inside the call stands there for other readers.
        raw.is_return_address &= raw.address != 0;
        raw.address = raw.address.wrapping_add(u64::from(raw.is_return_address));
        Ok(raw)
    }
}

impl RawLine {
    fn decode(mut body: Wire<'_>) -> Result<Self, Fault> {
        let mut raw = Self { offset: body.offset(), ..Self::default() };
        while let Some(found) = body.field()? {
            match found.number {
                1 => raw.function = found.int()?,
                2 => raw.line = found.int()? as i64,
                3 => raw.column = found.int()? as i64,
                _ => {}
            }
        }
        Ok(raw)
    }
}
