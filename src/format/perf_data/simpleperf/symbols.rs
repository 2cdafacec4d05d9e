//! Symbol tables that Android's recorder copied into the file: the device is rarely at hand when the capture is read.
//!
//! Two forms: messages of protobuf (section FILE2, `record_file.proto`) and, before Android 13, plain fields (section FILE,
//! `record_file_format.h`). How an address becomes one of the table follows simpleperf's `dso.cpp`, `IpToVaddrInFile`. Deliberately
//! absent: lines and inlined functions, which it does not keep. Start reading at [`SymbolFiles::find`].

use rustc_hash::FxHashMap;

use crate::base::cursor::{Cursor, Short};
use crate::format::pprof::wire::{Value, Wire};
use crate::model::Mapping;

/// What a table is about (`DsoType`).
const KERNEL_MODULE: u64 = 1;
const ELF: u64 = 2;
const DEX: u64 = 3;

/// A symbol. Its name is bytes `name` to `name_end` of the texts.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    start: u64,
    /// 0 = up to the next symbol.
    size: u64,
    name: u32,
    name_end: u32,
}

/// The symbols of one file.
#[derive(Debug, Default)]
struct Table {
    kind: u64,
    /// Lowest address of code in the file, and where that stands: in the file for ELF, in memory for modules of the kernel.
    min_address: u64,
    offset: Option<u64>,
    /// Sorted by start.
    symbols: Vec<Symbol>,
}

impl Table {
    fn address(&self, mapping: &Mapping, address: u64) -> u64 {
        let inside = address.wrapping_sub(mapping.start);
        match (self.kind, self.offset) {
            (ELF, Some(offset)) => inside.wrapping_add(mapping.offset).wrapping_sub(offset).wrapping_add(self.min_address),
            (ELF, None) => inside.wrapping_add(self.min_address),
            (KERNEL_MODULE, offset) => inside.wrapping_sub(offset.unwrap_or(0)).wrapping_add(self.min_address),
            (DEX, _) => inside.wrapping_add(mapping.offset),
            // The kernel, and code that was compiled at run time.
            _ => address,
        }
    }

    fn find(&self, address: u64) -> Option<&Symbol> {
        let after = self.symbols.partition_point(|symbol| symbol.start <= address);
        let symbol = self.symbols.get(after.checked_sub(1)?)?;
        (address - symbol.start < symbol.size).then_some(symbol)
    }

    /// Sorts, and ends symbols without a size at the next one.
    fn finish(mut self) -> Self {
        self.symbols.sort_by_key(|symbol| symbol.start);
        let starts: Vec<u64> = self.symbols.iter().skip(1).map(|symbol| symbol.start).chain([u64::MAX]).collect();
        for (symbol, next) in self.symbols.iter_mut().zip(starts) {
            if symbol.size == 0 {
                symbol.size = next - symbol.start;
            }
        }
        self
    }
}

/// All tables of a capture.
#[derive(Debug, Default)]
pub(in super::super) struct SymbolFiles {
    tables: FxHashMap<String, Table>,
    /// Names, one behind the other.
    texts: String,
}

impl SymbolFiles {
    /// True without tables.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Number of tables and of their symbols.
    pub(in super::super) fn size(&self) -> (usize, usize) {
        (self.tables.len(), self.tables.values().map(|table| table.symbols.len()).sum())
    }

    /// The name, as the binary has it, of the function at an address that lies in the mapping of `file`.
    pub(in super::super) fn find(&self, file: &str, mapping: &Mapping, address: u64) -> Option<&str> {
        let table = self.tables.get(file)?;
        let symbol = table.find(table.address(mapping, address))?;
        self.texts.get(symbol.name as usize..symbol.name_end as usize).filter(|name| !name.is_empty())
    }

    fn symbol(&mut self, start: u64, size: u64, name: &[u8]) -> Option<Symbol> {
        let from = u32::try_from(self.texts.len()).ok()?;
        self.texts.push_str(&String::from_utf8_lossy(name));
        let name_end = u32::try_from(self.texts.len()).ok()?;
        Some(Symbol { start, size, name: from, name_end })
    }

    /// Reads the section FILE2: sizes, each with a message of so many bytes.
    pub(in super::super) fn messages(&mut self, mut body: Cursor<'_>) -> Result<(), Short> {
        while !body.is_empty() {
            let size = body.u32()? as usize;
            let offset = body.offset();
            let message = body.take(size)?;
            // The message's own damage ends its table, not the others.
            let mut table = Table::default();
            let path = self.message(Wire::new(message, offset), &mut table);
            self.add(path, table);
        }
        Ok(())
    }

    fn message(&mut self, mut fields: Wire<'_>, table: &mut Table) -> String {
        let mut path = String::new();
        while let Ok(Some(found)) = fields.field() {
            match (found.number, found.value) {
                (1, Value::Bytes(text)) => path = String::from_utf8_lossy(text.bytes()).into_owned(),
                (2, Value::Int(kind)) => table.kind = kind,
                (3, Value::Int(address)) => table.min_address = address,
                (4, Value::Bytes(symbol)) => {
                    let symbol = self.symbol_message(symbol);
                    table.symbols.extend(symbol);
                }
                // What belongs to one kind: where the lowest address stands. A field that is 0 is left out.
                (6 | 7, Value::Bytes(mut own)) => {
                    let mut offset = 0;
                    while let Ok(Some(found)) = own.field() {
                        if let (1, Value::Int(number)) = (found.number, found.value) {
                            offset = number;
                        }
                    }
                    table.offset = Some(offset).filter(|&offset| offset != u64::MAX);
                }
                _ => {}
            }
        }
        path
    }

    fn symbol_message(&mut self, mut fields: Wire<'_>) -> Option<Symbol> {
        let (mut start, mut size, mut name) = (0, 0, &b""[..]);
        while let Ok(Some(found)) = fields.field() {
            match (found.number, found.value) {
                (1, Value::Int(address)) => start = address,
                (2, Value::Int(len)) => size = len,
                (3, Value::Bytes(text)) => name = text.bytes(),
                _ => {}
            }
        }
        self.symbol(start, size, name)
    }

    /// Reads the section FILE: sizes, each with plain fields.
    pub(in super::super) fn fields(&mut self, mut body: Cursor<'_>) -> Result<(), Short> {
        while !body.is_empty() {
            let size = body.u32()? as usize;
            let mut file = body.sub(size)?;
            let path = String::from_utf8_lossy(file.c_str()).into_owned();
            let mut table = Table { kind: u64::from(file.u32()?), min_address: file.u64()?, ..Table::default() };
            for _ in 0..file.u32()? {
                let (start, size) = (file.u64()?, u64::from(file.u32()?));
                let name = file.c_str();
                let symbol = self.symbol(start, size, name);
                table.symbols.extend(symbol);
            }
            if matches!(table.kind, ELF | KERNEL_MODULE) {
                // Older files do not say.
                table.offset = file.u64().ok().filter(|&offset| offset != u64::MAX);
            }
            self.add(path, table);
        }
        Ok(())
    }

    fn add(&mut self, path: String, table: Table) {
        if !table.symbols.is_empty() {
            self.tables.insert(path, table.finish());
        }
    }
}
