//! A module's file, as far as unwinding needs it: where its bytes were loaded and what its sections say about frames.
//!
//! A file counts only with the build id of the capture; without one only on the machine that recorded. Deliberately absent: symbols and
//! lines (`crate::symbol`), formats other than ELF. Start reading at [`Binary::find`].

use std::sync::Arc;

use framehop::{ExplicitModuleSectionInfo, Module};
use gimli::BaseAddresses;
use object::{CompressionFormat, Object as _, ObjectSection as _, ObjectSegment as _, SectionKind};

use super::super::features::hex;
use super::table::{Form, Section, Table};
use crate::base::binaries::{Binaries, Bytes};
use crate::base::ticket::{Cancelled, Ticket};

/// Largest section of unwind information that is inflated, in bytes.
const SECTION_CAP_BYTES: u64 = 1 << 30;

/// The unwind information of a module.
pub(super) struct Binary {
    /// Offset in the file, size, address of every loaded segment.
    segments: Vec<(u64, u64, u64)>,
    /// The sections with unwind information, each with framehop's view of it; an address is looked up in one after the other. None in
    /// programs that rely on frame pointers.
    pub(super) tables: Vec<(Table, Module<Section>)>,
}

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

/// A section and its address.
fn section(bytes: &Bytes, object: &object::File<'_>, name: &str) -> Option<(Section, u64)> {
    let section = object.section_by_name(name)?;
    // In debug files the sections that are loaded have a size and no bytes.
    if section.kind() == SectionKind::UninitializedData {
        return None;
    }
    let data = section.compressed_data().ok()?;
    if data.data.is_empty() || data.uncompressed_size > SECTION_CAP_BYTES {
        return None;
    }
    let address = section.address();
    if data.format == CompressionFormat::None {
        let (at, size) = section.file_range()?;
        let start = usize::try_from(at).ok()?;
        let range = start..start.checked_add(usize::try_from(size).ok()?)?;
        return Some((Section { bytes: Arc::clone(bytes), range }, address));
    }
    let mut out = Vec::new();
    match data.format {
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
    let range = 0..out.len();
    Some((Section { bytes: Arc::new(out), range }, address))
}

fn tables(bytes: &Bytes, object: &object::File<'_>, ticket: &Ticket) -> Result<Vec<(Table, Module<Section>)>, Cancelled> {
    let address = |name: &str| object.section_by_name(name).map(|section| section.address());
    // framehop counts in 32 bits from here: only files that lie far up need another start than 0.
    let highest = object.segments().map(|segment| segment.address().saturating_add(segment.size())).max().unwrap_or(0);
    let lowest = object.segments().map(|segment| segment.address()).min().unwrap_or(0);
    let base = if highest > u64::from(u32::MAX) { lowest } else { 0 };
    let info = || ExplicitModuleSectionInfo {
        base_svma: base,
        text_svma: object.section_by_name(".text").map(|text| text.address()..text.address().saturating_add(text.size())),
        got_svma: object.section_by_name(".got").map(|got| got.address()..got.address().saturating_add(got.size())),
        ..ExplicitModuleSectionInfo::default()
    };
    let module = |info| Module::new(String::new(), base..u64::MAX, base, info);
    let mut bases = BaseAddresses::default().set_text(address(".text").unwrap_or(0)).set_got(address(".got").unwrap_or(0));
    let mut tables = Vec::new();
    if let Some((data, at)) = section(bytes, object, ".eh_frame") {
        let header = section(bytes, object, ".eh_frame_hdr");
        bases = bases.set_eh_frame(at);
        if let Some((_, at)) = &header {
            bases = bases.set_eh_frame_hdr(*at);
        }
        let info = ExplicitModuleSectionInfo {
            eh_frame_svma: Some(at..at.saturating_add(data.len() as u64)),
            eh_frame: Some(data.clone()),
            eh_frame_hdr_svma: header.as_ref().map(|(header, at)| *at..at.saturating_add(header.len() as u64)),
            eh_frame_hdr: header.as_ref().map(|(header, _)| header.clone()),
            ..info()
        };
        let table = Table::new(Form::EhFrame, data, bases.clone(), header.map(|(header, _)| (header, at)), ticket)?;
        tables.push((table, module(info)));
    }
    if let Some((data, _)) = section(bytes, object, ".debug_frame") {
        let info = ExplicitModuleSectionInfo { debug_frame: Some(data.clone()), ..info() };
        tables.push((Table::new(Form::DebugFrame, data, bases, None, ticket)?, module(info)));
    }
    Ok(tables)
}
