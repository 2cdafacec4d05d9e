//! Lines and inlined functions from DWARF.
//!
//! Sections are inflated side by side; a file that several debug files share (`dwz`) is used beside its own. Deliberately absent:
//! which file has the DWARF. Start reading at [`Debug`].

use std::borrow::Cow;

use addr2line::Context;
use gimli::{DwarfSections, EndianSlice, RunTimeEndian, SectionId};
use rayon::prelude::*;

use super::answer::{Answer, Source};
use super::elf::Parsed;

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

    /// What lookups go through; it cannot be shared between threads.
    pub(super) fn context(&self) -> Option<Context<Slice<'_>>> {
        let mut dwarf = self.own.borrow(|section| EndianSlice::new(section, self.endian));
        if let Some(shared) = &self.shared {
            dwarf.set_sup(shared.borrow(|section| EndianSlice::new(section, self.endian)));
        }
        Context::from_dwarf(dwarf).ok()
    }
}

/// Adds the functions at an address, innermost first. What DWARF does not know, or knows only through files that are not here, adds
/// nothing.
pub(super) fn levels(context: &Context<Slice<'_>>, address: u64, answer: &mut Answer) {
    let Ok(mut frames) = context.find_frames(address).skip_all_loads() else { return };
    while let Ok(Some(frame)) = frames.next() {
        let name = frame.function.as_ref().and_then(|function| function.raw_name().ok()).unwrap_or_default();
        let source = frame.location.as_ref().map_or_else(Source::default, |location| Source {
            file: location.file,
            line: location.line.unwrap_or(0),
            column: location.column.unwrap_or(0),
            start_line: 0,
        });
        answer.push(&name, source);
    }
}
