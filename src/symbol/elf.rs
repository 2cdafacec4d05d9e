//! One file read as a binary: build id, segments, symbols, sections.
//!
//! ELF first; whatever else `object` reads works as far as it has the same things. Deliberately absent: which files make a module
//! (see [`module`](super::module)), DWARF. Start reading at [`Parsed`].

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use object::{
    Architecture, BinaryFormat, CompressionFormat, Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _, SectionFlags,
    SectionKind, SymbolKind, elf,
};

use super::Bytes;
use super::table::{Binding, Name, Symbol};
use crate::base::cursor::{Cursor, Endian, Short};
use crate::base::inflate::section_cap;

/// Largest section that is inflated, in bytes.
const SECTION_CAP_BYTES: u64 = 4 << 30;

/// A symbol as `object` lists it, at an address; `None` where it is no function with a name and code of its own.
pub(super) fn function<'a>(symbol: &object::Symbol<'a, '_>, start: u64) -> Option<Symbol<'a>> {
    let binding = match (symbol.is_weak(), symbol.is_global()) {
        (true, _) => Binding::Weak,
        (false, true) => Binding::Global,
        (false, false) => Binding::Local,
    };
    let is_code = symbol.kind() == SymbolKind::Text && symbol.is_definition();
    let name = symbol.name().ok().filter(|name| is_code && !name.is_empty())?;
    Some(Symbol { start, size: symbol.size(), name: Name::Text(name), binding, is_typed: true })
}

/// A file that could be read as a binary.
pub(super) struct Parsed<'a> {
    object: object::File<'a>,
    /// In lower-case hex.
    pub(super) build_id: Option<String>,
}

impl<'a> Parsed<'a> {
    /// `None` where the bytes are no binary.
    pub(super) fn new(bytes: &'a Bytes) -> Option<Self> {
        let object = object::File::parse(&***bytes).ok()?;
        let build_id = object.build_id().ok().flatten().map(hex);
        Some(Self { object, build_id })
    }

    /// True for files of debug information alone: their code is left out, so their segments say nothing about offsets in the binary.
    fn is_debug_only(&self) -> bool {
        self.object.section_by_name(".text").is_some_and(|text| text.kind() == SectionKind::UninitializedData)
    }

    /// How offsets in the file become addresses. `None` where the file cannot say.
    pub(super) fn segments(&self) -> Option<Segments> {
        if self.is_debug_only() {
            return None;
        }
        let segments: Vec<Segment> = self
            .object
            .segments()
            .map(|segment| (segment.file_range(), segment.address()))
            .filter(|((_, size), _)| *size > 0)
            .map(|((offset, size), address)| Segment { offset, size, address })
            .collect();
        (!segments.is_empty()).then_some(Segments(segments))
    }

    /// The first address that is loaded.
    pub(super) fn base(&self) -> Option<u64> {
        // macOS keeps the lowest pages free by a segment that nothing may touch.
        let loaded = self.object.segments().filter(|segment| segment.permissions().readable() || segment.permissions().executable());
        // Addresses of Windows count from an address that the head of the file names.
        let named = Some(self.object.relative_address_base()).filter(|&base| base > 0);
        named.or_else(|| loaded.map(|segment| segment.address()).min())
    }

    /// How offsets become addresses of a file whose code is left out, where its only piece of code was mapped from `offset` of the binary.
    pub(super) fn segments_by_mapping(&self, offset: u64) -> Option<Segments> {
        let mut code = self.object.segments().filter(|segment| segment.permissions().executable());
        let (only, None) = (code.next()?, code.next()) else { return None };
        // Mappings start at pages.
        let address = only.address() & !0xfff;
        Some(Segments(vec![Segment { offset, size: only.size().checked_add(only.address() - address)?, address }]))
    }

    /// Functions of both symbol tables.
    pub(super) fn symbols(&self) -> Vec<Symbol<'a>> {
        let mut symbols = Vec::new();
        let code = self.ends_of_code();
        for (table, names) in [(".symtab", ".strtab"), (".dynsym", ".dynstr")] {
            if let (Some(table), Some(names), BinaryFormat::Elf) =
                (self.plain_section(table), self.plain_section(names), self.object.format())
            {
                let endian = if self.is_little_endian() { Endian::Little } else { Endian::Big };
                // A table that ends in the middle gives the symbols before.
                read_symbols(Cursor::at(table, 0, endian), names, self.is_64(), &code, &mut symbols).ok();
            }
        }
        if symbols.is_empty() && self.object.format() != BinaryFormat::Elf { self.other_symbols() } else { symbols }
    }

    /// The same for files that are no ELF.
    fn other_symbols(&self) -> Vec<Symbol<'a>> {
        let listed = self.object.symbols().chain(self.object.dynamic_symbols());
        listed.filter_map(|symbol| function(&symbol, symbol.address())).collect()
    }

    /// Name, addresses and bytes of each section of code; files of debug information alone have no bytes of it. ELF only.
    pub(super) fn code(&self) -> impl Iterator<Item = (String, Range<u64>, &'a [u8])> {
        self.object
            .sections()
            .filter(is_code)
            .filter_map(|section| Some((section.name().ok()?.to_owned(), addresses_of(&section), section.data().unwrap_or_default())))
    }

    /// Where each section of code ends, by the section's number; 0 = no code.
    fn ends_of_code(&self) -> Vec<u64> {
        let mut ends = Vec::new();
        for section in self.object.sections().filter(is_code) {
            let number = section.index().0;
            if ends.len() <= number {
                ends.resize(number + 1, 0);
            }
            if let Some(end) = ends.get_mut(number) {
                *end = addresses_of(&section).end;
            }
        }
        ends
    }

    /// The machine whose code it is.
    pub(super) fn architecture(&self) -> Architecture {
        self.object.architecture()
    }

    /// True with a full symbol table, not only that of the dynamic linker.
    pub(super) fn has_symbol_table(&self) -> bool {
        self.object.symbol_table().is_some()
    }

    /// The address of a symbol of any kind.
    pub(super) fn address_of_symbol(&self, name: &str) -> Option<u64> {
        self.object.symbols().find(|symbol| symbol.name() == Ok(name)).map(|symbol| symbol.address())
    }

    /// True with DWARF.
    pub(super) fn has_debug_info(&self) -> bool {
        self.object.section_by_name(".debug_info").is_some_and(|section| section.size() > 0)
    }

    /// Name and checksum of the separate debug file.
    pub(super) fn debug_link(&self) -> Option<(String, u32)> {
        let (name, crc) = self.object.gnu_debuglink().ok().flatten()?;
        Some((String::from_utf8_lossy(name).into_owned(), crc))
    }

    /// Path and build id of the file that several debug files share (made by `dwz`).
    pub(super) fn supplement_link(&self) -> Option<(String, String)> {
        let (path, id) = self.object.gnu_debugaltlink().ok().flatten()?;
        Some((String::from_utf8_lossy(path).into_owned(), hex(id)))
    }

    /// The small symbol table that some distributions pack into stripped binaries (`.gnu_debugdata`, an ELF file inside xz).
    pub(super) fn packed_symbols(&self) -> Option<Bytes> {
        /// Its uncompressed size: names of functions alone.
        const CAP_BYTES: u64 = 256 << 20;
        let packed = self.section(".gnu_debugdata")?;
        let mut out = Vec::new();
        let mut input = std::io::Read::take(liblzma::read::XzDecoder::new(&*packed), CAP_BYTES);
        std::io::Read::read_to_end(&mut input, &mut out).ok()?;
        Some(Arc::new(out))
    }

    /// Byte order.
    pub(super) fn is_little_endian(&self) -> bool {
        self.object.is_little_endian()
    }

    /// True for 64-bit addresses.
    pub(super) fn is_64(&self) -> bool {
        self.object.is_64()
    }

    /// Names and addresses of all sections.
    pub(super) fn sections(&self) -> impl Iterator<Item = (String, u64)> {
        self.object.sections().filter_map(|section| Some((section.name().ok()?.to_owned(), section.address())))
    }

    /// Addresses and bytes of the loaded segments.
    pub(super) fn loaded(&self) -> impl Iterator<Item = (u64, &'a [u8])> {
        self.object.segments().filter_map(|segment| Some((segment.address(), segment.data().ok()?)))
    }

    /// True where code may stand.
    pub(super) fn is_code(&self, address: u64) -> bool {
        let mut code = self.object.segments().filter(|segment| segment.permissions().executable());
        code.any(|segment| address.checked_sub(segment.address()).is_some_and(|past| past < segment.size()))
    }

    /// A section's bytes, where they are not compressed.
    pub(super) fn plain_section(&self, name: &str) -> Option<&'a [u8]> {
        match self.section(name) {
            Some(Cow::Borrowed(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// A section's bytes, inflated where they are compressed.
    pub(super) fn section(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        let section = self.object.section_by_name(name)?;
        let data = section.compressed_data().ok()?;
        if data.format != CompressionFormat::None && data.uncompressed_size > section_cap(data.data.len(), SECTION_CAP_BYTES) {
            return None;
        }
        let mut out = Vec::new();
        match data.format {
            CompressionFormat::None => return Some(Cow::Borrowed(data.data)),
            CompressionFormat::Zlib => {
                // Deflate packs at most 1032 to 1: a larger size is a lie, for which nothing is allocated.
                let most = (data.data.len() as u64).saturating_mul(1032);
                out.resize(usize::try_from(data.uncompressed_size).ok().filter(|&size| size as u64 <= most)?, 0);
                let made = libdeflater::Decompressor::new().zlib_decompress(data.data, &mut out).ok()?;
                out.truncate(made);
            }
            CompressionFormat::Zstandard => {
                let mut input = std::io::Read::take(zstd::Decoder::new(data.data).ok()?, data.uncompressed_size);
                std::io::Read::read_to_end(&mut input, &mut out).ok()?;
            }
            _ => return None,
        }
        Some(Cow::Owned(out))
    }
}

/// True for an ELF section that holds code.
fn is_code<'a>(section: &impl object::ObjectSection<'a>) -> bool {
    let code = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags & code == code)
}

fn addresses_of<'a>(section: &impl object::ObjectSection<'a>) -> Range<u64> {
    section.address()..section.address().saturating_add(section.size())
}

/// True for a symbol without a type that may name a function: hand-written assembly often says no more. As perf does, without what
/// only the linker or the assembler knows of: `.L…` and `$x` (which kind of code or data begins, on ARM and RISC-V), numbered labels
/// (they hold control characters).
fn may_be_function(name: &[u8]) -> bool {
    let name = name.split(|byte| *byte == 0).next().unwrap_or(name);
    !name.starts_with(b".") && !name.starts_with(b"$") && !name.iter().any(|byte| *byte < b' ')
}

/// The functions of an ELF symbol table (`Elf32_Sym`, `Elf64_Sym` of the ELF specification), where `code` has the ends of sections of
/// code by their number. By hand, since reading each name and
/// checking each entry's kind by way of `object` takes several times as long, and a large binary has a million.
fn read_symbols<'a>(mut table: Cursor<'_>, names: &'a [u8], is_64: bool, code: &[u64], symbols: &mut Vec<Symbol<'a>>) -> Result<(), Short> {
    const NO_TYPE: u8 = 0;
    const FUNCTION: u8 = 2;
    const CHOSEN_WHEN_LOADED: u8 = 10;
    const UNDEFINED: u16 = 0;
    while !table.rest().is_empty() {
        let name = table.u32()?;
        let (info, other, section, start, size);
        if is_64 {
            (info, other) = (table.u8()?, table.u8()?);
            section = table.u16()?;
            (start, size) = (table.u64()?, table.u64()?);
        } else {
            (start, size) = (u64::from(table.u32()?), u64::from(table.u32()?));
            (info, other) = (table.u8()?, table.u8()?);
            section = table.u16()?;
        }
        let is_typed = matches!(info & 15, FUNCTION | CHOSEN_WHEN_LOADED);
        // Marks of a section's end (`etext`) name no code.
        let is_label = || info & 15 == NO_TYPE && !is_hidden(other) && code.get(usize::from(section)).is_some_and(|end| start < *end);
        let is_function = section != UNDEFINED && (is_typed || is_label());
        let binding = match info >> 4 {
            0 => Binding::Local,
            2 => Binding::Weak,
            _ => Binding::Global,
        };
        if !is_function {
            continue;
        }
        let name = names.get(name as usize..).filter(|name| name.first().is_some_and(|byte| *byte != 0));
        if let Some(name) = name.filter(|name| is_typed || may_be_function(name)) {
            symbols.push(Symbol { start, size, name: Name::Open(name), binding, is_typed });
        }
    }
    Ok(())
}

/// `STV_HIDDEN`, `STV_INTERNAL`: marks of tools (`.annobin…`), which perf leaves out, too.
const fn is_hidden(other: u8) -> bool {
    matches!(other & 3, 1 | 2)
}

/// A stretch of a file that is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    offset: u64,
    size: u64,
    address: u64,
}

/// Where the bytes of a file are loaded, in the program's own numbering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segments(Vec<Segment>);

impl Segments {
    /// For places that count from `base`.
    pub(super) fn from_base(base: u64) -> Self {
        Self(vec![Segment { offset: 0, size: u64::MAX, address: base }])
    }

    /// Address of a byte of the file.
    pub(super) fn address_of(&self, offset: u64) -> u64 {
        let inside = self.0.iter().find(|segment| offset.checked_sub(segment.offset).is_some_and(|past| past < segment.size));
        // Whole pages are mapped, so an address may lie a little outside of its segment.
        let near = || self.0.iter().rev().find(|segment| segment.offset & !0xfff <= offset);
        inside.or_else(near).map_or(offset, |segment| offset.wrapping_sub(segment.offset).wrapping_add(segment.address))
    }
}

/// Bytes as lower-case hex.
fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_become_addresses_by_segment() {
        let segment = |offset, size, address| Segment { offset, size, address };
        let segments = Segments(vec![segment(0, 0x500, 0x40_0000), segment(0x1200, 0x300, 0x40_2200)]);
        assert_eq!(segments.address_of(0x10), 0x40_0010);
        assert_eq!(segments.address_of(0x1234), 0x40_2234);
        // The page that holds the segment's start is mapped as a whole.
        assert_eq!(segments.address_of(0x1100), 0x40_2100);
        assert_eq!(Segments::default().address_of(0x77), 0x77);
        assert_eq!(Segments::from_base(0x40_0000).address_of(0x1136), 0x40_1136);
        assert_eq!(Segments::from_base(0).address_of(u64::MAX), u64::MAX);
    }
}
