//! Go's own table of functions and lines (`.gopclntab`), which stays in every Go binary, also in stripped ones.
//!
//! All four forms are read: go1.2, 1.16, 1.18, 1.20; 32 and 64 bit, both byte orders. The table is found by its section's name or by
//! its first bytes. Where code begins and where inlined calls are listed stands in the runtime's `moduledata`; it is found by its
//! pointers into the table and believed only as far as it can be checked. Inlined calls are read since 1.18; before, the list
//! has another form in each version. Deliberately absent: Go's DWARF. Start reading at [`GoTable`].
//!
//! Source of the forms: `runtime/symtab.go`, `runtime/symtabinl.go` and `debug/gosym/pclntab.go` of the Go releases.

mod moduledata;
mod table;

use self::moduledata::{Image, ModuleData};
pub(super) use self::table::Walked;
use self::table::{Func, PcLine, Version};
use super::answer::{Answer, Source};
use super::elf::Parsed;

/// Longest chain of inlined calls that is followed; the compiler's own limit on nesting is far below.
const INLINED_MAX: usize = 64;

/// The functions of a Go binary.
pub(super) struct GoTable<'a> {
    table: PcLine<'a>,
    /// Address of the first function.
    text: u64,
    /// Where the lists of inlined calls are counted from, and the bytes from there.
    inlined: Option<&'a [u8]>,
}

impl<'a> GoTable<'a> {
    /// The table of a binary; `None` where there is none that holds together.
    pub(super) fn new(file: &Parsed<'a>) -> Option<Self> {
        let image = Image::new(file);
        let (address, table) = table::find(file, &image)?;
        let image = image.with_relocations(file);
        let data = moduledata::find(&image, &table, address);
        let text = text_start(file, &image, &table, data.as_ref(), address)?;
        let go = Self { table, text, inlined: None };
        // A table whose first function is no code belongs to something else.
        let first = go.table.entry(0, text)?;
        if !file.is_code(first) {
            return None;
        }
        let inlined = data.and_then(|data| data.find_inlined(&image, |bytes| go.are_inlined(bytes)));
        Some(Self { inlined, ..go })
    }

    /// Adds what stands at an address, innermost first; false where no function of the table does. `walked` remembers tables of this
    /// binary.
    pub(super) fn levels(&self, address: u64, walked: &mut Walked<'a>, answer: &mut Answer) -> bool {
        let Some(func) = self.table.func(address, self.text) else { return false };
        let Some(past) = address.checked_sub(func.entry) else { return false };
        let mut past = past;
        let tree = self.tree(&func);
        for _ in 0..INLINED_MAX {
            let call = tree.and_then(|tree| tree.call(&self.table, func.inlined_index(&self.table, past, walked)?));
            let Some(call) = call else { break };
            let Some(name) = self.table.name(call.name) else { break };
            answer.push(name, self.source(&func, past, call.start_line, walked));
            past = u64::from(call.parent);
        }
        let Some(name) = self.table.name(func.name) else {
            answer.clear_open();
            return false;
        };
        answer.push(name, self.source(&func, past, func.start_line, walked));
        true
    }

    fn source(&self, func: &Func, past: u64, start_line: u32, walked: &mut Walked<'a>) -> Source<'a> {
        let (file, line) = func.line(&self.table, past, walked);
        Source { file, line, column: 0, start_line }
    }

    fn tree(&self, func: &Func) -> Option<Tree<'a>> {
        let at = func.inlined_tree(&self.table)?;
        self.inlined?.get(at as usize..).map(|bytes| Tree { bytes })
    }

    /// True where `bytes` hold the lists of inlined calls of this table's functions.
    fn are_inlined(&self, bytes: &'a [u8]) -> bool {
        /// Functions looked at: a wrong place fails at the first, nearly always.
        const LOOKED_AT: usize = 64;
        let mut seen = 0;
        for row in 0..self.table.len() {
            let Some(func) = self.table.entry(row, self.text).and_then(|entry| self.table.func(entry, self.text)) else { continue };
            let (Some(at), Some(size)) = (func.inlined_tree(&self.table), self.table.size(row)) else { continue };
            let Some(last) = func.last_inlined(&self.table) else { continue };
            let Some(tree) = bytes.get(at as usize..).map(|bytes| Tree { bytes }) else { return false };
            let is_sound = (0..=last).all(|index| {
                tree.call(&self.table, index).is_some_and(|call| u64::from(call.parent) < size && self.table.is_start_of_name(call.name))
            });
            if !is_sound {
                return false;
            }
            seen += 1;
            if seen == LOOKED_AT {
                break;
            }
        }
        seen > 0
    }
}

/// Where code begins: by the table itself, the runtime's data, or the linker's symbol.
fn text_start(file: &Parsed<'_>, image: &Image<'_>, table: &PcLine<'_>, data: Option<&ModuleData>, address: u64) -> Option<u64> {
    if table.version < Version::Go118 {
        // Entries are whole addresses.
        return Some(0);
    }
    let from_data = data.and_then(|data| data.text);
    // Since go1.26 the field is left empty; in position-independent binaries it is filled in when loading.
    let from_header = || image.relocated(address + table.header_text_offset(), table).filter(|text| *text > 0);
    from_data.or_else(from_header).or_else(|| file.address_of_symbol("runtime.text"))
}

/// The inlined calls of one function.
#[derive(Clone, Copy)]
struct Tree<'a> {
    bytes: &'a [u8],
}

/// A function that was put into another.
struct Call {
    /// Offset of its name.
    name: u32,
    /// Where it was called, counted from the function's start.
    parent: u32,
    start_line: u32,
}

impl Tree<'_> {
    /// `runtime.inlinedCall`: since 1.20 `funcID u8, 3 unused bytes, nameOff, parentPc, startLine`; before that `parent i16, funcID u8, unused,
    /// file, line, func, parentPc`.
    fn call(&self, table: &PcLine<'_>, index: u32) -> Option<Call> {
        let index = index as usize;
        if table.version >= Version::Go120 {
            let at = index.checked_mul(16)?;
            let word = |n: usize| table.u32(self.bytes, at.checked_add(n)?);
            return Some(Call { name: word(4)?, parent: word(8)?, start_line: word(12)? });
        }
        let at = index.checked_mul(20)?;
        let word = |n: usize| table.u32(self.bytes, at.checked_add(n)?);
        Some(Call { name: word(12)?, parent: word(16)?, start_line: 0 })
    }
}

#[cfg(test)]
mod tests;
