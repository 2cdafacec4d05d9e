//! Symbols, lines and inlined functions of ELF files (and whatever else `object` reads).
//!
//! Symbols of all files with the right build id are joined, so a stripped binary and its separate debug file make one module.
//! Deliberately absent: where files lie, split DWARF. Start reading at [`look_up`].

use std::borrow::Cow;

use addr2line::Context;
use gimli::{EndianSlice, RunTimeEndian};
use object::{CompressionFormat, Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _, SymbolKind};

use super::table::{Binding, Symbol, Table};
use super::{Bytes, Level, Levels};
use crate::base::ticket::{Cancelled, Ticket};

/// Largest debug section that is inflated, in bytes.
const SECTION_CAP_BYTES: u64 = 4 << 30;

/// What stands at each address, given as offsets in the file, or why nothing is known.
///
/// `more` gives further files for the build id that the binary turned out to have (separate debug files).
pub(super) fn look_up(
    candidates: &[Bytes],
    build_id: Option<&str>,
    is_local: bool,
    more: impl Fn(&str) -> Vec<Bytes>,
    addresses: &[u64],
    ticket: &Ticket,
) -> Result<Result<Vec<Levels>, String>, Cancelled> {
    let mut files: Vec<Parsed<'_>> = candidates.iter().filter_map(Parsed::new).collect();
    if files.is_empty() {
        let reason = if candidates.is_empty() { "the file is not on this machine" } else { "the file is no program or library" };
        return Ok(Err(reason.to_owned()));
    }
    let found = files.len();
    match build_id {
        Some(wanted) => files.retain(|file| file.build_id.as_deref() == Some(wanted)),
        // Without a build id only the path says that it is the same file: that is no proof on another machine.
        None if !is_local => return Ok(Err("the capture has no build id for it and was taken on another machine".to_owned())),
        None => files.truncate(1),
    }
    if files.is_empty() {
        return Ok(Err(format!("{found} files of that name have another build id")));
    }
    let own = files.first().and_then(|file| file.build_id.clone()).filter(|_| build_id.is_none());
    let further = own.as_deref().map(&more).unwrap_or_default();
    let further = further.iter().filter_map(Parsed::new).filter(|file| file.build_id == own);
    files.extend(further);

    let table = Table::new(files.iter().flat_map(Parsed::symbols).collect());
    let sections = files.iter().map(Parsed::dwarf_sections).find(|sections| !sections.is_empty()).unwrap_or_default();
    let lines = sections.context();
    if table.is_empty() && lines.is_none() {
        return Ok(Err("the file has no symbols (stripped)".to_owned()));
    }
    let segments = files.iter().map(|file| file.segments.as_slice()).find(|segments| !segments.is_empty()).unwrap_or(&[]);
    let mut all = Vec::with_capacity(addresses.len());
    for (n, &offset) in addresses.iter().enumerate() {
        if n % 64 == 0 {
            ticket.check()?;
        }
        let address = address_of(segments, offset);
        let mut levels = lines.as_ref().map(|context| inlined(context, address)).unwrap_or_default();
        if let Some(symbol) = table.find(address) {
            // The symbol is the name that other tools show; the lines know what was inlined into it.
            match levels.last_mut() {
                Some(outermost) => outermost.name.clone_from(&symbol.name),
                None => levels = vec![Level { name: symbol.name.clone(), ..Level::default() }],
            }
        }
        levels.retain(|level| !level.name.is_empty());
        all.push(levels);
    }
    Ok(Ok(all))
}

/// Address in the program's own numbering of a byte of its file.
fn address_of(segments: &[(u64, u64, u64)], offset: u64) -> u64 {
    let inside = segments.iter().find(|(at, size, _)| offset.checked_sub(*at).is_some_and(|past| past < *size));
    // Whole pages are mapped, so an address may lie a little outside of its segment.
    let near = || segments.iter().rev().find(|(at, _, _)| *at & !0xfff <= offset);
    inside.or_else(near).map_or(offset, |(at, _, address)| offset.wrapping_sub(*at).wrapping_add(*address))
}

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// The functions at an address, innermost first. What DWARF does not know, or knows only through files that are not here, is empty.
fn inlined(context: &Context<Slice<'_>>, address: u64) -> Levels {
    let mut levels = Levels::new();
    let Ok(mut frames) = context.find_frames(address).skip_all_loads() else { return levels };
    while let Ok(Some(frame)) = frames.next() {
        let name = frame.function.as_ref().and_then(|function| function.raw_name().ok()).map(Cow::into_owned).unwrap_or_default();
        let location = frame.location.as_ref();
        levels.push(Level {
            name,
            file: location.and_then(|location| location.file).map(str::to_owned),
            line: location.and_then(|location| location.line).unwrap_or(0),
            column: location.and_then(|location| location.column).unwrap_or(0),
        });
    }
    levels
}

/// A file that could be read as a binary.
struct Parsed<'a> {
    object: object::File<'a>,
    build_id: Option<String>,
    /// Offset in the file, size, address of every loaded segment that has bytes.
    segments: Vec<(u64, u64, u64)>,
}

impl<'a> Parsed<'a> {
    fn new(bytes: &'a Bytes) -> Option<Self> {
        let object = object::File::parse(&***bytes).ok()?;
        let build_id = object.build_id().ok().flatten().map(hex);
        let segments = object
            .segments()
            .map(|segment| (segment.file_range(), segment.address()))
            .filter(|((_, size), _)| *size > 0)
            .map(|((at, size), address)| (at, size, address))
            .collect();
        Some(Self { object, build_id, segments })
    }

    fn symbols(&self) -> Vec<Symbol> {
        let listed = self.object.symbols().chain(self.object.dynamic_symbols());
        listed
            .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition())
            .filter_map(|symbol| {
                let binding = match (symbol.is_weak(), symbol.is_global()) {
                    (true, _) => Binding::Weak,
                    (false, true) => Binding::Global,
                    (false, false) => Binding::Local,
                };
                let name = symbol.name().ok().filter(|name| !name.is_empty())?.to_owned();
                Some(Symbol { start: symbol.address(), size: symbol.size(), name, binding })
            })
            .collect()
    }

    fn dwarf_sections(&self) -> Sections<'a> {
        let endian = if self.object.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let section = |id: gimli::SectionId| Ok::<_, gimli::Error>(self.section(id.name()).unwrap_or_default());
        let has_info = self.object.section_by_name(".debug_info").is_some();
        Sections { endian, dwarf: gimli::DwarfSections::load(section).ok().filter(|_| has_info) }
    }

    /// A section's bytes, inflated where they are compressed.
    fn section(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        let section = self.object.section_by_name(name)?;
        let data = section.compressed_data().ok()?;
        if data.uncompressed_size > SECTION_CAP_BYTES {
            return None;
        }
        let mut out = Vec::new();
        match data.format {
            CompressionFormat::None => return Some(Cow::Borrowed(data.data)),
            CompressionFormat::Zlib => {
                let mut input = std::io::Read::take(flate2::read::ZlibDecoder::new(data.data), data.uncompressed_size);
                std::io::Read::read_to_end(&mut input, &mut out).ok()?;
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

/// The debug sections of one file.
#[derive(Default)]
struct Sections<'a> {
    endian: RunTimeEndian,
    /// `None` without `.debug_info`.
    dwarf: Option<gimli::DwarfSections<Cow<'a, [u8]>>>,
}

impl Sections<'_> {
    fn is_empty(&self) -> bool {
        self.dwarf.is_none()
    }

    fn context(&self) -> Option<Context<Slice<'_>>> {
        let dwarf = self.dwarf.as_ref()?;
        Context::from_dwarf(dwarf.borrow(|section| EndianSlice::new(section, self.endian))).ok()
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
        let segments = [(0, 0x500, 0x40_0000), (0x1200, 0x300, 0x40_2200)];
        assert_eq!(address_of(&segments, 0x10), 0x40_0010);
        assert_eq!(address_of(&segments, 0x1234), 0x40_2234);
        // The page that holds the segment's start is mapped as a whole.
        assert_eq!(address_of(&segments, 0x1100), 0x40_2100);
        assert_eq!(address_of(&[], 0x77), 0x77);
    }
}
