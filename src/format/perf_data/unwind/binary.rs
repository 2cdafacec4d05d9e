//! A module's file, as far as unwinding needs it: where its bytes were loaded and what its sections say about frames.
//!
//! A file counts only with the build id of the capture; without one only on the machine that recorded. Deliberately absent: symbols and
//! lines (`crate::symbol`), formats other than ELF. Start reading at [`Binary::find`].

use std::io::Read;
use std::sync::Arc;

use framehop::{ExplicitModuleSectionInfo, Module};
use gimli::BaseAddresses;
use object::{CompressionFormat, Object as _, ObjectSection as _, ObjectSegment as _, SectionKind};

use super::super::features::hex;
use super::table::{Form, Section, Table};
use crate::base::binaries::{Binaries, Bytes};
use crate::base::inflate::section_cap;
use crate::base::ticket::{Cancelled, Ticket};

/// Largest section of unwind information that is inflated, in bytes.
const SECTION_CAP_BYTES: u64 = 1 << 30;

/// The unwind information of a module.
pub(super) struct Binary {
    /// Offset in the file, size, address of every loaded segment.
    segments: Vec<(u64, u64, u64)>,
    /// The sections with unwind information, with framehop's view of those that have an index; an address is looked up in one after the other. None in
    /// programs that rely on frame pointers.
    pub(super) tables: Vec<Tables>,
}

/// A section, and framehop's view of it.
pub(super) type Tables = (Table, Option<Module<Section>>);

impl Binary {
    /// The unwind information of `file`, or why there is none.
    pub(super) fn find(
        binaries: &dyn Binaries,
        file: &str,
        build_id: Option<&str>,
        is_local: bool,
        ticket: &Ticket,
    ) -> Result<Result<Self, String>, Cancelled> {
        let candidates = binaries.candidates(file, build_id);
        if candidates.is_empty() {
            return Ok(Err("the file is not on this machine".to_owned()));
        }
        if build_id.is_none() && !is_local {
            // Without a build id only the path says that it is the same file: that is no proof on another machine.
            return Ok(Err("the capture has no build id for it and was taken on another machine".to_owned()));
        }
        let (mut others, mut found) = (0_u64, None);
        // A debug file has the right build id and no code, so one candidate may have what another lacks.
        for bytes in &candidates {
            let Ok(object) = object::File::parse(&***bytes) else { continue };
            if build_id.is_some() && object.build_id().ok().flatten().map(hex).as_deref() != build_id {
                others += 1;
                continue;
            }
            let tables = tables(bytes, &object, ticket)?;
            let binary = Self { segments: segments(&object), tables };
            if !binary.tables.is_empty() {
                return Ok(Ok(binary));
            }
            found.get_or_insert(binary);
        }
        Ok(match (found, others) {
            // Programs without unwind information keep frame pointers, like Go's.
            (Some(binary), _) => Ok(binary),
            (None, 0) => Err("the file is no program or library".to_owned()),
            (None, 1..) => Err(format!("{others} files of that name have another build id")),
        })
    }

    /// Address in the module's own numbering of a byte of its file.
    pub(super) fn address_of(&self, offset: u64) -> u64 {
        let past = |(at, size, _): &&(u64, u64, u64)| offset.checked_sub(*at).is_some_and(|past| past < *size);
        let found = self.segments.iter().find(past);
        found.map_or(offset, |(at, _, address)| (offset - at).wrapping_add(*address))
    }
}

fn segments(object: &object::File<'_>) -> Vec<(u64, u64, u64)> {
    let loaded = object.segments().map(|segment| (segment.file_range(), segment.address()));
    loaded.filter(|((_, size), _)| *size > 0).map(|((at, size), address)| (at, size, address)).collect()
}

/// A section and its address; `None` where it is missing, empty or damaged.
fn section(bytes: &Bytes, object: &object::File<'_>, name: &str, ticket: &Ticket) -> Result<Option<(Section, u64)>, Cancelled> {
    let found = object.section_by_name(name);
    // In debug files the sections that are loaded have a size and no bytes.
    let found = found.filter(|section| section.kind() != SectionKind::UninitializedData);
    let Some((section, data)) = found.and_then(|section| section.compressed_data().ok().map(|data| (section, data))) else {
        return Ok(None);
    };
    let is_packed = data.format != CompressionFormat::None;
    let is_too_large = || is_packed && data.uncompressed_size > section_cap(data.data.len(), SECTION_CAP_BYTES);
    if data.data.is_empty() || is_too_large() {
        return Ok(None);
    }
    let whole = |bytes: Vec<u8>| Section { range: 0..bytes.len(), bytes: Arc::new(bytes) };
    let part = |(at, size): (u64, u64)| {
        let start = usize::try_from(at).ok()?;
        Some(Section { bytes: Arc::clone(bytes), range: start..start.checked_add(usize::try_from(size).ok()?)? })
    };
    let read = match data.format {
        CompressionFormat::None => section.file_range().and_then(part),
        CompressionFormat::Zlib => inflated(flate2::read::ZlibDecoder::new(data.data), data.uncompressed_size, ticket)?.map(whole),
        CompressionFormat::Zstandard => match zstd::Decoder::new(data.data) {
            Ok(input) => inflated(input, data.uncompressed_size, ticket)?.map(whole),
            Err(_) => None,
        },
        _ => None,
    };
    Ok(read.map(|read| (read, section.address())))
}

/// At most `size` bytes; `None` where they are damaged.
fn inflated(input: impl Read, size: u64, ticket: &Ticket) -> Result<Option<Vec<u8>>, Cancelled> {
    const STEP: u64 = 1 << 20;
    let (mut input, mut out) = (input.take(size), Vec::new());
    loop {
        ticket.check()?;
        match input.by_ref().take(STEP).read_to_end(&mut out) {
            Ok(0) => return Ok(Some(out)),
            Ok(_) => {}
            Err(_) => return Ok(None),
        }
    }
}

fn tables(bytes: &Bytes, object: &object::File<'_>, ticket: &Ticket) -> Result<Vec<Tables>, Cancelled> {
    let range = |name: &str| {
        let found = object.section_by_name(name);
        found.map(|section| section.address()..section.address().saturating_add(section.size()))
    };
    let start = |name: &str| range(name).map_or(0, |range| range.start);
    let mut bases = BaseAddresses::default().set_text(start(".text")).set_got(start(".got"));
    let mut tables = Vec::new();
    if let Some((data, at)) = section(bytes, object, ".eh_frame", ticket)? {
        let header = section(bytes, object, ".eh_frame_hdr", ticket)?;
        bases = bases.set_eh_frame(at);
        if let Some((_, at)) = &header {
            bases = bases.set_eh_frame_hdr(*at);
        }
        let lookup = header.as_ref().map(|(header, _)| (header.clone(), at));
        let table = Table::new(Form::EhFrame, data.clone(), bases.clone(), lookup, ticket)?;
        // framehop counts in 32 bits from here: only files that lie far up need another start than 0.
        let highest = object.segments().map(|segment| segment.address().saturating_add(segment.size())).max().unwrap_or(0);
        let lowest = object.segments().map(|segment| segment.address()).min().unwrap_or(0);
        let base = if highest > u64::from(u32::MAX) { lowest } else { 0 };
        let module = table.has_header().then(|| {
            let info = ExplicitModuleSectionInfo {
                base_svma: base,
                text_svma: range(".text"),
                got_svma: range(".got"),
                eh_frame_svma: range(".eh_frame"),
                eh_frame: Some(data),
                eh_frame_hdr_svma: range(".eh_frame_hdr"),
                eh_frame_hdr: header.map(|(header, _)| header),
                ..ExplicitModuleSectionInfo::default()
            };
            Module::new(String::new(), base..u64::MAX, base, info)
        });
        tables.push((table, module));
    }
    if let Some((data, _)) = section(bytes, object, ".debug_frame", ticket)? {
        tables.push((Table::new(Form::DebugFrame, data, bases, None, ticket)?, None));
    }
    Ok(tables)
}
