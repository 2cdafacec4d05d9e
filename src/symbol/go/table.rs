//! The table's header, functions, names and lines.
//!
//! Every number is an offset that the file gives, so every read can fail. Deliberately absent: addresses outside of the table. Start
//! reading at [`PcLine`].

use memchr::memchr;
use memchr::memmem::Finder;

use super::moduledata::Image;
use crate::symbol::elf::Parsed;

/// Form of the table, by its first four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Go12,
    Go116,
    Go118,
    Go120,
}

const MAGICS: [(u32, Version); 4] =
    [(0xffff_fffb, Version::Go12), (0xffff_fffa, Version::Go116), (0xffff_fff0, Version::Go118), (0xffff_fff1, Version::Go120)];

/// The parts of a table.
#[derive(Clone, Copy)]
pub(super) struct PcLine<'a> {
    pub(super) version: Version,
    is_little: bool,
    /// Bytes of an address, 4 or 8.
    pub(super) pointer: usize,
    /// Smallest instruction, the unit of distances between lines.
    quantum: u64,
    /// Number of functions.
    functions: usize,
    names: &'a [u8],
    /// Offset of `names` from the header.
    pub(super) names_offset: u64,
    units: &'a [u8],
    files: &'a [u8],
    lines: &'a [u8],
    /// Begins with the list of functions, in address order.
    funcs: &'a [u8],
}

/// The table's address and the table: by the section's name; where there are no sections by its first bytes anywhere in the data.
pub(super) fn find<'a>(file: &Parsed<'a>, image: &Image<'a>) -> Option<(u64, PcLine<'a>)> {
    let named = file.sections().find(|(name, _)| matches!(name.as_str(), ".gopclntab" | ".data.rel.ro.gopclntab" | "__gopclntab"));
    if let Some((_, address)) = named
        && let Some(table) = image.from(address).and_then(PcLine::new)
    {
        return Some((address, table));
    }
    if file.sections().next().is_some() {
        return None;
    }
    for (start, bytes) in file.loaded() {
        for (magic, _) in MAGICS {
            for magic in [magic.to_le_bytes(), magic.to_be_bytes()] {
                for at in Finder::new(&magic).find_iter(bytes) {
                    let table = bytes.get(at..).and_then(PcLine::new);
                    // Chance matches of four bytes fail at the header's other fields, at the latest at the order of functions.
                    if let Some(table) = table.filter(|table| at % table.pointer == 0 && table.is_in_order()) {
                        return Some((start.checked_add(at as u64)?, table));
                    }
                }
            }
        }
    }
    None
}

impl<'a> PcLine<'a> {
    /// The table at the start of `bytes`, which may go on behind it; `None` where its header is none.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let magic: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
        let of = |value: u32| MAGICS.iter().find(|(magic, _)| *magic == value).map(|(_, version)| *version);
        let (is_little, version) =
            of(u32::from_le_bytes(magic)).map(|version| (true, version)).or_else(|| Some((false, of(u32::from_be_bytes(magic))?)))?;
        let &[0, 0, quantum @ (1 | 2 | 4), pointer @ (4 | 8)] = bytes.get(4..8)? else { return None };
        let pointer = usize::from(pointer);
        let mut table = Self {
            version,
            is_little,
            pointer,
            quantum: u64::from(quantum),
            functions: 0,
            names: bytes,
            names_offset: 0,
            units: &[],
            files: &[],
            lines: bytes,
            funcs: bytes,
        };
        let header = table;
        let word = |n: usize| header.word(bytes, 8 + n * pointer);
        table.functions = usize::try_from(word(0)?).ok()?;
        let part = |offset: u64| bytes.get(usize::try_from(offset).ok()?..);
        match version {
            Version::Go12 => {
                table.funcs = bytes.get(8 + pointer..)?;
                let row = 2 * pointer;
                let files = table.u32(table.funcs, table.functions.checked_mul(row)?.checked_add(pointer)?)?;
                table.files = part(u64::from(files))?;
            }
            Version::Go116 | Version::Go118 | Version::Go120 => {
                // Number of functions, of files, since 1.18 the start of code, then the five parts.
                let first = if version == Version::Go116 { 2 } else { 3 };
                let [names, units, files, lines, funcs] = [0, 1, 2, 3, 4].map(|n| word(first + n));
                table.names_offset = names?;
                // Each part ends where the next begins: a broken offset must not walk into another part.
                let between = |from: Option<u64>, to: Option<u64>| bytes.get(usize::try_from(from?).ok()?..usize::try_from(to?).ok()?);
                table.names = between(names, units)?;
                table.units = between(units, files)?;
                table.files = between(files, lines)?;
                table.lines = between(lines, funcs)?;
                table.funcs = part(funcs?)?;
            }
        }
        // The list of functions must lie in the bytes, which also bounds every loop over it.
        let list = table.functions.checked_mul(2)?.checked_add(1)?.checked_mul(table.cell())?;
        (table.functions > 0 && list <= table.funcs.len()).then_some(table)
    }

    /// Number of functions.
    pub(super) const fn len(&self) -> usize {
        self.functions
    }

    /// Offset in the header of the field for the start of code.
    pub(super) const fn header_text_offset(&self) -> u64 {
        8 + 2 * self.pointer as u64
    }

    /// Bytes of an entry's address and of its offset.
    fn cell(&self) -> usize {
        if self.version >= Version::Go118 { 4 } else { self.pointer }
    }

    /// An address-sized number.
    pub(super) fn word(&self, bytes: &[u8], at: usize) -> Option<u64> {
        if self.pointer == 4 {
            return self.u32(bytes, at).map(u64::from);
        }
        let array: [u8; 8] = bytes.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(if self.is_little { u64::from_le_bytes(array) } else { u64::from_be_bytes(array) })
    }

    /// Four bytes.
    pub(super) fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let array: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_little { u32::from_le_bytes(array) } else { u32::from_be_bytes(array) })
    }

    fn list(&self, cell: usize) -> Option<u64> {
        let at = cell.checked_mul(self.cell())?;
        if self.cell() == 4 { self.u32(self.funcs, at).map(u64::from) } else { self.word(self.funcs, at) }
    }

    /// Address of a function; the row after the last is the end of code.
    pub(super) fn entry(&self, row: usize, text: u64) -> Option<u64> {
        if row > self.functions {
            return None;
        }
        self.list(row.checked_mul(2)?).map(|entry| entry.wrapping_add(text))
    }

    /// Bytes of code of a function.
    pub(super) fn size(&self, row: usize) -> Option<u64> {
        self.entry(row.checked_add(1)?, 0)?.checked_sub(self.entry(row, 0)?)
    }

    /// True where functions stand in address order, as they must.
    fn is_in_order(&self) -> bool {
        (0..self.functions).all(|row| self.size(row).is_some())
    }

    /// The function that holds an address.
    pub(super) fn func(&self, address: u64, text: u64) -> Option<Func> {
        let (mut low, mut high) = (0, self.functions);
        if address < self.entry(0, text)? || address >= self.entry(self.functions, text)? {
            return None;
        }
        while low + 1 < high {
            let middle = low.midpoint(high);
            if self.entry(middle, text)? <= address { low = middle } else { high = middle }
        }
        self.func_at(low, text)
    }

    fn func_at(&self, row: usize, text: u64) -> Option<Func> {
        let offset = usize::try_from(self.list(row.checked_mul(2)?.checked_add(1)?)?).ok()?;
        // Before 1.16 all offsets count from the header.
        let bytes = if self.version == Version::Go12 { self.names } else { self.funcs };
        // `runtime._func`: the entry, then numbers of four bytes.
        let start = if self.version >= Version::Go118 { 4 } else { self.pointer };
        let word = |n: usize| self.u32(bytes, offset.checked_add(start)?.checked_add(4 * n)?);
        let has_unit = self.version >= Version::Go116;
        let has_start_line = self.version >= Version::Go120;
        // funcID, flag, an unused byte, number of funcdata entries: one more word, as bytes.
        let last = 7 + usize::from(has_unit) + usize::from(has_start_line);
        let arrays = offset.checked_add(start)?.checked_add(4 * (last + 1))?;
        Some(Func {
            entry: self.entry(row, text)?,
            name: word(0)?,
            files: word(4)?,
            lines: word(5)?,
            pcdata: word(6)?,
            unit: if has_unit { word(7)? } else { 0 },
            start_line: if has_start_line { word(8)? } else { 0 },
            funcdata: bytes.get(arrays.checked_sub(1)?).copied()?,
            arrays,
        })
    }

    /// The text at an offset of the names.
    pub(super) fn name(&self, offset: u32) -> Option<&'a str> {
        text(self.names, offset)
    }

    /// True where a name begins at the offset.
    pub(super) fn is_start_of_name(&self, offset: u32) -> bool {
        let before = (offset as usize).checked_sub(1);
        before.is_none_or(|before| self.names.get(before) == Some(&0)) && self.name(offset).is_some_and(|name| !name.is_empty())
    }

    fn file(&self, unit: u32, number: u32) -> Option<&'a str> {
        if self.version == Version::Go12 {
            return text(self.names, self.u32(self.files, (number as usize).checked_mul(4)?)?);
        }
        let at = (unit as usize).checked_add(number as usize)?.checked_mul(4)?;
        let offset = self.u32(self.units, at)?;
        text(self.files, offset)
    }

    /// The value of a table of (value, up to here) steps at a distance from the function's start. The first value is counted from −1.
    fn value(&self, offset: u32, past: u64, walked: &mut Walked<'a>) -> Option<u32> {
        let at = walked.0.iter().position(|table| table.offset == offset).unwrap_or_else(|| {
            if walked.0.len() == Walked::TABLES {
                walked.0.remove(0);
            }
            walked.0.push(WalkedTable { offset, known: Vec::new(), rest: self.steps(offset) });
            walked.0.len() - 1
        });
        let table = walked.0.get_mut(at)?;
        while table.known.last().is_none_or(|(_, end)| *end <= past) {
            if table.known.len() == Walked::STEPS {
                return number(self.steps(offset).find(|(_, end)| past < *end)?.0);
            }
            table.known.push(table.rest.next()?);
        }
        number(table.known.get(table.known.partition_point(|(_, end)| *end <= past))?.0)
    }

    /// The steps of such a table: each value with the distance at which it ends.
    fn steps(&self, offset: u32) -> Steps<'a> {
        // Offset 0 says that there is no table.
        let bytes = if offset == 0 { &[] } else { self.lines.get(offset as usize..).unwrap_or(&[]) };
        Steps { bytes, value: -1, end: 0, is_first: true, quantum: self.quantum }
    }
}

fn number(value: i64) -> Option<u32> {
    u32::try_from(value).ok()
}

/// See [`PcLine::steps`].
struct Steps<'a> {
    bytes: &'a [u8],
    value: i64,
    end: u64,
    is_first: bool,
    quantum: u64,
}

impl Iterator for Steps<'_> {
    type Item = (i64, u64);

    fn next(&mut self) -> Option<(i64, u64)> {
        let change = varint(&mut self.bytes)?;
        if change == 0 && !self.is_first {
            self.bytes = &[];
            return None;
        }
        self.is_first = false;
        let change = i64::from(change >> 1) ^ -i64::from(change & 1);
        self.value = self.value.wrapping_add(change);
        self.end = self.end.wrapping_add(u64::from(varint(&mut self.bytes)?).wrapping_mul(self.quantum));
        Some((self.value, self.end))
    }
}

/// The tables that were walked last, as far as they were: addresses come in order, so many are of one function.
#[derive(Default)]
pub(in crate::symbol) struct Walked<'a>(Vec<WalkedTable<'a>>);

struct WalkedTable<'a> {
    offset: u32,
    known: Vec<(i64, u64)>,
    rest: Steps<'a>,
}

impl Walked<'_> {
    /// A function has three: files, lines, inlined calls.
    const TABLES: usize = 4;
    /// Steps of one table that are remembered: no more than that are in a function, but a broken file may say anything.
    const STEPS: usize = 1 << 16;
}

/// The zero-terminated text at an offset.
fn text(bytes: &[u8], offset: u32) -> Option<&str> {
    let bytes = bytes.get(offset as usize..)?;
    std::str::from_utf8(bytes.get(..memchr(0, bytes)?)?).ok()
}

/// Seven bits a byte, lowest first; at most 32 bits.
fn varint(bytes: &mut &[u8]) -> Option<u32> {
    let mut value = 0_u32;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u32::from(byte & 0x7f).wrapping_shl(shift);
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// What the table says of one function.
pub(super) struct Func {
    /// Its address.
    pub(super) entry: u64,
    /// Offset of its name.
    pub(super) name: u32,
    files: u32,
    lines: u32,
    /// Number of pcdata entries.
    pcdata: u32,
    unit: u32,
    /// From 1; 0 = unknown.
    pub(super) start_line: u32,
    /// Number of funcdata entries.
    funcdata: u8,
    /// Where the pcdata entries begin.
    arrays: usize,
}

/// `PCDATA_InlTreeIndex` and `FUNCDATA_InlTree` (`internal/abi/symtab.go`).
const INLINED_INDEX: u32 = 2;
const INLINED_TREE: u8 = 3;

impl Func {
    /// File and line at a distance from the function's start.
    pub(super) fn line<'a>(&self, table: &PcLine<'a>, past: u64, walked: &mut Walked<'a>) -> (Option<&'a str>, u32) {
        let file = table.value(self.files, past, walked).and_then(|number| table.file(self.unit, number));
        // A line without its file would be read as one of another file.
        let line = if file.is_some() { table.value(self.lines, past, walked).unwrap_or(0) } else { 0 };
        (file.filter(|file| !file.is_empty()), line)
    }

    /// Where the function's inlined calls are listed.
    pub(super) fn inlined_tree(&self, table: &PcLine<'_>) -> Option<u32> {
        if table.version < Version::Go118 || self.funcdata <= INLINED_TREE {
            return None;
        }
        let at = (self.pcdata as usize).checked_add(usize::from(INLINED_TREE))?.checked_mul(4)?.checked_add(self.arrays)?;
        table.u32(table.funcs, at).filter(|&offset| offset != u32::MAX)
    }

    fn inlined_steps(&self, table: &PcLine<'_>) -> Option<u32> {
        if self.pcdata <= INLINED_INDEX {
            return None;
        }
        table.u32(table.funcs, self.arrays.checked_add(4 * INLINED_INDEX as usize)?)
    }

    /// The inlined call at a distance from the function's start.
    pub(super) fn inlined_index<'a>(&self, table: &PcLine<'a>, past: u64, walked: &mut Walked<'a>) -> Option<u32> {
        table.value(self.inlined_steps(table)?, past, walked)
    }

    /// The largest inlined call that the function's code names.
    pub(super) fn last_inlined(&self, table: &PcLine<'_>) -> Option<u32> {
        let steps = table.steps(self.inlined_steps(table)?);
        steps.map(|(value, _)| value).max().and_then(|value| u32::try_from(value).ok())
    }
}
