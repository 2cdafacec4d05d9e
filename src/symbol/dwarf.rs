//! Lines and inlined functions from DWARF.
//!
//! Split units (`.dwo`, `.dwp`) count only with the number that the binary names. Sections are inflated side by side; a file that several debug files share (`dwz`) is used beside its own. Deliberately absent:
//! which file has the DWARF. Start reading at [`Debug`].

use std::borrow::Cow;
use std::sync::Arc;

use addr2line::{Context, LookupContinuation as _, LookupResult};
use gimli::{Dwarf, DwarfPackageSections, DwarfSections, DwoId, EndianSlice, RunTimeEndian, SectionId, UnitRef};
use rayon::prelude::*;

use super::answer::{Answer, Source};
use super::elf::Parsed;
use super::nesting::{Deep, are_sound};
use super::qualified::{Qualified, SymbolAt, is_cpp};
use crate::base::ticket::{Cancelled, Ticket};

/// The debug sections of one file, and of the file that it shares with others.
pub(super) struct Debug<'a> {
    endian: RunTimeEndian,
    own: DwarfSections<Cow<'a, [u8]>>,
    shared: Option<DwarfSections<Cow<'a, [u8]>>>,
}

pub(super) type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// Sections that lookups read.
const SECTIONS: [SectionId; 11] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
    SectionId::DebugTypes,
];

fn sections<'a>(file: &Parsed<'a>) -> Option<DwarfSections<Cow<'a, [u8]>>> {
    let mut loaded: Vec<(SectionId, Option<Cow<'a, [u8]>>)> = SECTIONS.into_par_iter().map(|id| (id, file.section(id.name()))).collect();
    DwarfSections::load(|id| {
        let found = loaded.iter_mut().find(|(known, _)| *known == id).and_then(|(_, bytes)| bytes.take());
        Ok::<_, gimli::Error>(found.unwrap_or_default())
    })
    .ok()
}

impl<'a> Debug<'a> {
    /// The DWARF of a file that has some.
    pub(super) fn new(file: &Parsed<'a>, shared: Option<&Parsed<'a>>) -> Option<Self> {
        let endian = if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        Some(Self { endian, own: sections(file)?, shared: shared.and_then(sections) })
    }

    /// The units that look-ups of addresses must keep out of.
    pub(super) fn deep(&self, addresses: impl Iterator<Item = u64>, ticket: &Ticket) -> Result<Deep, Cancelled> {
        Deep::find(&self.own(), addresses.collect(), ticket)
    }

    fn own(&self) -> Dwarf<Slice<'_>> {
        self.own.borrow(|section| EndianSlice::new(section, self.endian))
    }

    /// What lookups go through; it cannot be shared between threads.
    pub(super) fn context(&self) -> Option<Context<Slice<'_>>> {
        let mut dwarf = self.own();
        if let Some(shared) = &self.shared {
            dwarf.set_sup(shared.borrow(|section| EndianSlice::new(section, self.endian)));
        }
        Context::from_dwarf(dwarf).ok()
    }
}

/// A unit whose debug information lies in a file of its own (split DWARF).
pub(super) struct SplitUnit {
    id: DwoId,
    /// Its `.dwo` file as the compiler named it.
    pub(super) path: String,
}

/// The units of which some of the addresses need split debug information, by their number.
pub(super) fn split_units(context: &Context<Slice<'_>>, addresses: impl Iterator<Item = u64>) -> Vec<SplitUnit> {
    let mut units: Vec<SplitUnit> = Vec::new();
    for address in addresses {
        for (load, _) in context.preload_units(address) {
            if units.last().is_some_and(|unit| unit.id == load.dwo_id) {
                continue;
            }
            let text = |part: Option<Slice<'_>>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
            let (folder, path) = (text(load.comp_dir), text(load.path));
            let path = if path.starts_with('/') || folder.is_empty() { path } else { format!("{folder}/{path}") };
            units.push(SplitUnit { id: load.dwo_id, path });
        }
    }
    units.sort_by_key(|unit| unit.id.0);
    units.dedup_by_key(|unit| unit.id);
    units
}

/// The debug information of split units, as far as it was found.
#[derive(Default)]
pub(super) struct Split<'a> {
    endian: RunTimeEndian,
    /// `.dwo` files: one unit each.
    units: Vec<(DwoId, DwarfSections<Cow<'a, [u8]>>)>,
    /// A `.dwp` file: all units of a program.
    package: Option<DwarfPackageSections<Cow<'a, [u8]>>>,
}

impl<'a> Split<'a> {
    /// The units in `files`; only those with the right number count.
    pub(super) fn new(wanted: &[SplitUnit], package: Option<&Parsed<'a>>, files: &[Parsed<'a>]) -> Self {
        let load = |file: &Parsed<'a>, id: SectionId| -> Result<Cow<'a, [u8]>, gimli::Error> {
            Ok(id.dwo_name().and_then(|name| file.section(name)).unwrap_or_default())
        };
        let endian_of = |file: &Parsed<'_>| if file.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big };
        let endian = package.or_else(|| files.first()).map(endian_of).unwrap_or_default();
        let package = package.and_then(|file| DwarfPackageSections::load(|id| load(file, id)).ok());
        let units = files.iter().filter_map(|file| {
            let sections = DwarfSections::load(|id| load(file, id)).ok()?;
            let id = number(&sections, endian)?;
            wanted.iter().any(|unit| unit.id == id).then_some((id, sections))
        });
        Self { endian, units: units.collect(), package }
    }

    fn find<'s>(&'s self, id: DwoId, parent: &Dwarf<Slice<'s>>) -> Option<Arc<Dwarf<Slice<'s>>>> {
        let slice = |section: &'s Cow<'a, [u8]>| EndianSlice::new(section, self.endian);
        if let Some((_, sections)) = self.units.iter().find(|(known, _)| *known == id) {
            let mut unit = sections.borrow(slice);
            unit.make_dwo(parent);
            return Some(unit).filter(are_sound).map(Arc::new);
        }
        let package = self.package.as_ref()?.borrow(slice, EndianSlice::new(&[], self.endian)).ok()?;
        package.find_cu(id, parent).ok().flatten().filter(are_sound).map(Arc::new)
    }
}

/// The number of the first unit of a `.dwo` file.
fn number(sections: &DwarfSections<Cow<'_, [u8]>>, endian: RunTimeEndian) -> Option<DwoId> {
    let mut dwarf = sections.borrow(|section| EndianSlice::new(section, endian));
    dwarf.file_type = gimli::DwarfFileType::Dwo;
    let header = dwarf.units().next().ok().flatten()?;
    dwarf.unit(header).ok()?.dwo_id
}

/// What a module knows beside its DWARF, for the names of functions.
pub(super) struct Names<'a> {
    /// The symbol that begins at an address.
    pub(super) symbol_at: SymbolAt<'a>,
    /// A symbol names the outermost function.
    pub(super) has_outermost: bool,
}

/// Adds the functions at an address, innermost first. What DWARF does not know, or knows only through files that are not here, adds
/// nothing.
pub(super) fn levels<'s>(
    context: &Context<Slice<'s>>,
    split: &'s Split<'_>,
    qualified: &mut Qualified<'s>,
    names: &Names<'_>,
    address: u64,
    answer: &mut Answer,
) {
    let mut found = context.find_frames(address);
    let frames = loop {
        match found {
            LookupResult::Output(frames) => break frames,
            LookupResult::Load { load, continuation } => found = continuation.resume(split.find(load.dwo_id, &load.parent)),
        }
    };
    let Ok(mut frames) = frames else { return };
    let mut unit = None;
    let mut next = frames.next().ok().flatten();
    while let Some(frame) = next {
        next = frames.next().ok().flatten();
        let name = frame.function.as_ref().and_then(|function| function.raw_name().ok()).unwrap_or_default();
        let source = frame.location.as_ref().map_or_else(Source::default, |location| Source {
            file: location.file,
            line: location.line.unwrap_or(0),
            column: location.column.unwrap_or(0),
            start_line: 0,
        });
        let is_named = name.starts_with("_Z") || next.is_none() && names.has_outermost;
        // The language of a unit that lies in a file of its own is known there.
        let may_be_cpp = frame.function.as_ref().is_some_and(|of| of.language.is_none_or(is_cpp));
        let die = frame.dw_die_offset.filter(|_| !is_named && may_be_cpp);
        let full = die.and_then(|die| {
            let unit = (*unit.get_or_insert_with(|| unit_at(context, split, address)))?;
            qualified.name(unit, die, names.symbol_at)
        });
        answer.push(full.as_deref().unwrap_or(&name), source);
    }
}

/// The unit that has the functions at an address.
fn unit_at<'c, 's>(context: &'c Context<Slice<'s>>, split: &'s Split<'_>, address: u64) -> Option<UnitRef<'c, Slice<'s>>> {
    let mut found = context.find_dwarf_and_unit(address);
    loop {
        match found {
            LookupResult::Output(unit) => return unit,
            LookupResult::Load { load, continuation } => found = continuation.resume(split.find(load.dwo_id, &load.parent)),
        }
    }
}
