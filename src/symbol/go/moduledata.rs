//! The runtime's `moduledata`: where code begins and where inlined calls are listed.
//!
//! Its fields move with every release, so it is found by what it points to, and the one field whose place is not known is tried and
//! checked. Position-independent binaries hold the pointers as relocations. Deliberately absent: all other fields. Start reading at
//! [`find`].

use rustc_hash::FxHashMap;

use super::table::{PcLine, Version};
use crate::symbol::elf::Parsed;

/// The binary as it would lie in memory.
pub(super) struct Image<'a> {
    segments: Vec<(u64, &'a [u8])>,
    /// Pointers that are filled in when the binary is loaded: by the address of the pointer.
    relocations: FxHashMap<u64, u64>,
}

impl<'a> Image<'a> {
    pub(super) fn new(file: &Parsed<'a>) -> Self {
        Self { segments: file.loaded().collect(), relocations: FxHashMap::default() }
    }

    /// The same with the pointers that are filled in when the binary is loaded. Apart, since other programs have a million of them.
    pub(super) fn with_relocations(self, file: &Parsed<'a>) -> Self {
        Self { relocations: relocations(file), ..self }
    }

    /// The loaded bytes from an address on.
    pub(super) fn from(&self, address: u64) -> Option<&'a [u8]> {
        self.segments.iter().find_map(|(start, bytes)| bytes.get(usize::try_from(address.checked_sub(*start)?).ok()?..))
    }

    /// The pointer at an address, after loading.
    pub(super) fn relocated(&self, address: u64, table: &PcLine<'_>) -> Option<u64> {
        self.relocations.get(&address).copied().or_else(|| table.word(self.from(address)?, 0))
    }

    /// Addresses at which a pointer to `target` lies.
    fn pointers_to(&self, target: u64, table: &PcLine<'_>) -> Vec<u64> {
        let mut found: Vec<u64> = self.relocations.iter().filter(|(_, value)| **value == target).map(|(address, _)| *address).collect();
        for (start, bytes) in &self.segments {
            // Pointers are aligned in memory, which the start of a segment need not be.
            let skipped = start.wrapping_neg() % table.pointer as u64;
            let words = bytes.get(skipped as usize..).unwrap_or(&[]).chunks_exact(table.pointer);
            let hits = words.enumerate().filter(|(_, word)| table.word(word, 0) == Some(target));
            found.extend(hits.map(|(n, _)| start + skipped + (n * table.pointer) as u64));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Relocations against no symbol: the addend is the address. (32-bit `REL` entries hold it in place, as `relocated` reads it.)
fn relocations(file: &Parsed<'_>) -> FxHashMap<u64, u64> {
    let mut found = FxHashMap::default();
    let names: Vec<String> = file.sections().map(|(name, _)| name).filter(|name| name.starts_with(".rela")).collect();
    for name in names {
        let Some(bytes) = file.section(&name) else { continue };
        let is_little = file.is_little_endian();
        let word = |bytes: &[u8]| -> Option<u64> {
            if let Ok(array) = <[u8; 8]>::try_from(bytes) {
                return Some(if is_little { u64::from_le_bytes(array) } else { u64::from_be_bytes(array) });
            }
            let array = <[u8; 4]>::try_from(bytes).ok()?;
            Some(u64::from(if is_little { u32::from_le_bytes(array) } else { u32::from_be_bytes(array) }))
        };
        let (size, symbol_shift) = if file.is_64() { (8, 32) } else { (4, 8) };
        for entry in bytes.chunks_exact(3 * size) {
            let mut words = entry.chunks_exact(size).filter_map(word);
            if let (Some(at), Some(info), Some(addend)) = (words.next(), words.next(), words.next())
                && info >> symbol_shift == 0
            {
                found.insert(at, addend);
            }
        }
    }
    found
}

/// What is known of the runtime's data.
pub(super) struct ModuleData {
    /// Where code begins.
    pub(super) text: Option<u64>,
    /// Pointers among which the base of the lists of inlined calls is.
    candidates: Vec<u64>,
}

/// Words before the first field whose place differs between releases: the header's pointer, six slices, `findfunctab`, `minpc`,
/// `maxpc`, `text`, `etext` (since 1.16).
const TEXT: u64 = 22;
/// The field `gofunc` stood at word 38 (1.18), 40 (1.20) and 42 (1.26); some room for what comes.
const CANDIDATES: std::ops::Range<u64> = 32..64;

/// The `moduledata` of a table at `address`.
pub(super) fn find(image: &Image<'_>, table: &PcLine<'_>, address: u64) -> Option<ModuleData> {
    if table.version < Version::Go118 {
        return None;
    }
    let size = table.pointer as u64;
    let names = address.checked_add(table.names_offset)?;
    // First the header, then the names: no other data does that.
    let at = image.pointers_to(address, table).into_iter().find(|at| image.relocated(at + size, table) == Some(names))?;
    let word = |n: u64| image.relocated(at.checked_add(n * size)?, table);
    let text = word(TEXT).filter(|text| *text > 0);
    Some(ModuleData { text, candidates: CANDIDATES.filter_map(word).filter(|pointer| *pointer > 0).collect() })
}

impl ModuleData {
    /// The bytes from the base of the lists of inlined calls on: the first candidate that holds what it should.
    pub(super) fn find_inlined<'a>(&self, image: &Image<'a>, is_it: impl Fn(&'a [u8]) -> bool) -> Option<&'a [u8]> {
        self.candidates.iter().filter_map(|pointer| image.from(*pointer)).find(|bytes| is_it(bytes))
    }
}
