//! Debug information that look-ups would not survive: inlined functions nested without end, one long list of ranges for every function.
//!
//! `addr2line` reads inlined functions by recursion, and each level takes some of the thread's stack; it keeps every range of every function.
//! Compilers nest a hundred deep at most and write a list for each function, a made-up file nests as deep as it has bytes. So the units that
//! addresses lead into are gone through before. Deliberately absent: names and lines (`dwarf`). Start reading at [`Deep::find`].

use std::ops::Range;

use gimli::{
    DW_AT_ranges, DW_TAG_inlined_subroutine, DW_TAG_subprogram, Dwarf, RangeListsOffset, Reader as _, Section as _, Unit, UnitType,
};
use rustc_hash::FxHashMap;

use super::dwarf::Slice;
use crate::base::ticket::{Cancelled, Ticket};

/// Most levels of inlined functions that are read. In a debug build so many take a quarter of a thread's stack of 2 MiB.
const MAX_LEVELS: usize = 1000;

/// Most ranges of code of all units. `addr2line` keeps them, and each unit may name one long list again.
const MAX_RANGES: usize = 1 << 24;

/// Where code belongs to units that must not be read.
#[derive(Debug, Default)]
pub(super) struct Deep {
    ranges: Vec<Range<u64>>,
    /// One of them does not say where its code is, or there are too many ranges.
    is_anywhere: bool,
}

impl Deep {
    /// Looks at the units that `addresses` may lead into.
    pub(super) fn find(dwarf: &Dwarf<Slice<'_>>, mut addresses: Vec<u64>, ticket: &Ticket) -> Result<Self, Cancelled> {
        addresses.sort_unstable();
        let listed = listed_ranges(dwarf, ticket)?;
        let is_wanted = |range: &Range<u64>| {
            let after = addresses.partition_point(|address| *address < range.start);
            addresses.get(after).is_some_and(|address| *address < range.end)
        };
        let (mut deep, mut count) = (Self::default(), 0);
        let mut units = dwarf.units();
        while let Ok(Some(header)) = units.next() {
            ticket.check()?;
            if matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. }) {
                continue;
            }
            let listed = header.debug_info_offset().and_then(|offset| listed.get(&offset.0)).map_or(&[][..], Vec::as_slice);
            let Ok(unit) = dwarf.unit(header) else { continue };
            let mut ranges = own_ranges(dwarf, &unit, MAX_RANGES.saturating_sub(count));
            ranges.extend(listed.iter().cloned());
            count += ranges.len();
            if count >= MAX_RANGES {
                return Ok(Self { ranges: Vec::new(), is_anywhere: true });
            }
            // What a unit does not say is found by its lines, which are not read here.
            let is_open = ranges.is_empty();
            if (is_open || ranges.iter().any(is_wanted)) && !is_sound(dwarf, &unit, ticket)? {
                deep.is_anywhere |= is_open;
                deep.ranges.extend(ranges);
            }
        }
        Ok(deep)
    }

    /// True where no unit may be read.
    pub(super) const fn is_anywhere(&self) -> bool {
        self.is_anywhere
    }

    /// True for an address whose unit must not be read.
    pub(super) fn holds(&self, address: u64) -> bool {
        // The end of the address after it is out of numbers.
        self.is_anywhere || address == u64::MAX || self.ranges.iter().any(|range| range.contains(&address))
    }
}

/// True where every unit of a file with few units may be read.
pub(super) fn are_sound(dwarf: &Dwarf<Slice<'_>>) -> bool {
    let mut units = dwarf.units();
    while let Ok(Some(header)) = units.next() {
        if let Ok(unit) = dwarf.unit(header)
            && !is_sound(dwarf, &unit, &Ticket::new()).unwrap_or(false)
        {
            return false;
        }
    }
    true
}

/// Ranges of code by the offset of their unit, from `.debug_aranges`.
fn listed_ranges(dwarf: &Dwarf<Slice<'_>>, ticket: &Ticket) -> Result<FxHashMap<usize, Vec<Range<u64>>>, Cancelled> {
    let mut listed = FxHashMap::<usize, Vec<Range<u64>>>::default();
    let mut headers = dwarf.debug_aranges.headers();
    while let Ok(Some(header)) = headers.next() {
        ticket.check()?;
        let ranges = listed.entry(header.debug_info_offset().0).or_default();
        let mut entries = header.entries();
        // Entries that are no range are passed over, as in addr2line.
        while let Some(entry) = entries.next().transpose() {
            ranges.extend(entry.ok().map(|entry| entry.range().begin..entry.range().end));
        }
    }
    Ok(listed)
}

/// Ranges of code by what the unit itself says, `most` of them.
fn own_ranges(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>, most: usize) -> Vec<Range<u64>> {
    let mut found = Vec::new();
    let Ok(mut ranges) = dwarf.unit_ranges(unit) else { return found };
    while let Ok(Some(range)) = ranges.next()
        && found.len() < most
    {
        found.push(range.begin..range.end);
    }
    found
}

/// True where inlined functions of a unit nest no deeper than [`MAX_LEVELS`] and its functions have no more ranges than there are lists for.
fn is_sound(dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>, ticket: &Ticket) -> Result<bool, Cancelled> {
    /// Entries between two looks at the ticket.
    const PER_CHECK: usize = 1 << 16;
    let Ok(mut entries) = unit.header.entries_raw(&unit.abbreviations, None) else { return Ok(true) };
    // Depths of the inlined functions around the entry.
    let mut around = Vec::new();
    let mut ranges = Budget::new(dwarf);
    for n in 1_usize.. {
        if n.is_multiple_of(PER_CHECK) {
            ticket.check()?;
        }
        let depth = entries.next_depth();
        // Behind damage nothing is read by others either.
        let Ok(entry) = entries.read_abbreviation() else { break };
        let Some(abbreviation) = entry else {
            if entries.is_empty() {
                break;
            }
            continue;
        };
        while around.last().is_some_and(|outer| *outer >= depth) {
            around.pop();
        }
        if abbreviation.tag() == DW_TAG_inlined_subroutine {
            around.push(depth);
            if around.len() > MAX_LEVELS {
                return Ok(false);
            }
        }
        let is_function = [DW_TAG_inlined_subroutine, DW_TAG_subprogram].contains(&abbreviation.tag());
        let attributes = abbreviation.attributes();
        if !is_function || attributes.iter().all(|attribute| attribute.name() != DW_AT_ranges) {
            if entries.skip_attributes(attributes).is_err() {
                break;
            }
            continue;
        }
        for attribute in attributes {
            let Ok(read) = entries.read_attribute(*attribute) else { return Ok(true) };
            let list = dwarf.attr_ranges_offset(unit, read.value()).ok().flatten().filter(|_| read.name() == DW_AT_ranges);
            if list.is_some_and(|list| !ranges.take(dwarf, unit, list)) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// How many ranges the functions of a unit may have.
struct Budget {
    left: usize,
    /// Length of each list.
    lengths: FxHashMap<usize, usize>,
}

impl Budget {
    /// A few times as many as the sections have room for: copies of a function may share a list.
    fn new(dwarf: &Dwarf<Slice<'_>>) -> Self {
        const SHARED: usize = 4;
        const FEW: usize = 1 << 16;
        // Two addresses of 4 or 8 bytes; since DWARF 5 a kind and two numbers.
        let (old, new) = (dwarf.ranges.debug_ranges().reader().len() / 8, dwarf.ranges.debug_rnglists().reader().len() / 3);
        Self { left: FEW + SHARED * (old + new), lengths: FxHashMap::default() }
    }

    /// Takes the ranges of a list; false where there are too many.
    fn take(&mut self, dwarf: &Dwarf<Slice<'_>>, unit: &Unit<Slice<'_>>, list: RangeListsOffset<usize>) -> bool {
        let most = self.left;
        let count = *self.lengths.entry(list.0).or_insert_with(|| {
            let Ok(mut ranges) = dwarf.ranges(unit, list) else { return 0 };
            let mut count = 0;
            while count <= most && matches!(ranges.next_raw(), Ok(Some(_))) {
                count += 1;
            }
            count
        });
        self.left = self.left.saturating_sub(count);
        count <= most
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use gimli::{DwarfSections, EndianSlice, RunTimeEndian, SectionId};

    use super::*;

    /// A unit with a function from 0x1000 to 0x2000 in which `levels` functions are inlined into each other; `says_where` gives the unit a
    /// range, too.
    fn nested(levels: usize, says_where: bool) -> DwarfSections<Cow<'static, [u8]>> {
        // Number, tag, has children, then pairs of attribute and form: begin of code as an address, size of code in 8 bytes.
        let range = [0x11, 0x01, 0x12, 0x07];
        let abbreviation = |number: u8, tag: u8, attributes: &[u8]| [&[number, tag, 1], attributes, &[0, 0]].concat();
        let (unit, function, inlined) = (0x11, 0x2e, 0x1d);
        let place: &[u8] = if says_where { &range } else { &[] };
        let abbrev = [abbreviation(1, unit, place), abbreviation(2, function, &range), abbreviation(3, inlined, &range), vec![0]].concat();
        let code = [0x1000_u64.to_le_bytes(), 0x1000_u64.to_le_bytes()].concat();
        // Version 4, place of the abbreviations, bytes of an address.
        let mut body = vec![4, 0, 0, 0, 0, 0, 8, 1];
        body.extend(if says_where { code.as_slice() } else { &[] });
        for number in std::iter::once(2).chain(std::iter::repeat_n(3, levels)) {
            body.push(number);
            body.extend(&code);
        }
        body.resize(body.len() + levels + 2, 0);
        let info = [&(body.len() as u32).to_le_bytes()[..], &body].concat();
        let section = |id: SectionId| match id {
            SectionId::DebugInfo => Cow::Owned(info.clone()),
            SectionId::DebugAbbrev => Cow::Owned(abbrev.clone()),
            _ => Cow::default(),
        };
        DwarfSections::load(|id| Ok::<_, gimli::Error>(section(id))).unwrap()
    }

    fn deep(levels: usize, says_where: bool, addresses: &[u64]) -> [bool; 2] {
        let sections = nested(levels, says_where);
        let dwarf = sections.borrow(|section| EndianSlice::new(section, RunTimeEndian::Little));
        let found = Deep::find(&dwarf, addresses.to_vec(), &Ticket::new()).unwrap();
        assert_eq!(are_sound(&dwarf), levels <= MAX_LEVELS);
        [0x1800, 0x2000].map(|address| found.holds(address))
    }

    #[test]
    fn units_that_nest_without_end_are_known_before_they_are_read() {
        assert_eq!(deep(3, true, &[0x1000]), [false, false]);
        assert_eq!(deep(MAX_LEVELS, true, &[0x1000]), [false, false]);
        assert_eq!(deep(100_000, true, &[0x1fff, 0x500]), [true, false]);
        // Nobody asks for what is in there.
        assert_eq!(deep(100_000, true, &[0x2000, 0xfff]), [false, false]);
        // A unit that does not say where its code is may be asked for anything.
        assert_eq!(deep(100_000, false, &[0x2000]), [true, true]);
        assert_eq!(deep(3, false, &[0x2000]), [false, false]);
    }

    /// A unit whose `functions` all have the one list of `ranges`.
    #[test]
    fn functions_that_all_name_one_long_list_are_known_before_they_are_read() {
        let sound = |functions: usize, ranges: u64| {
            // A unit with its range; a function with its list as an offset of 4 bytes.
            let abbrev = [1, 0x11, 1, 0x11, 0x01, 0x12, 0x07, 0, 0, 2, 0x2e, 0, 0x55, 0x17, 0, 0, 0];
            let mut body = vec![4, 0, 0, 0, 0, 0, 8, 1];
            body.extend([0x1000_u64.to_le_bytes(), 0x1000_u64.to_le_bytes()].concat());
            body.extend([2, 0, 0, 0, 0].repeat(functions));
            body.push(0);
            let info = [&(body.len() as u32).to_le_bytes()[..], &body].concat();
            let list: Vec<u8> = (0..ranges).flat_map(|n| [2 * n, 2 * n + 1]).chain([0, 0]).flat_map(u64::to_le_bytes).collect();
            let section = |id: SectionId| match id {
                SectionId::DebugInfo => Cow::Owned(info.clone()),
                SectionId::DebugAbbrev => Cow::Owned(abbrev.to_vec()),
                SectionId::DebugRanges => Cow::Owned(list.clone()),
                _ => Cow::default(),
            };
            let sections = DwarfSections::load(|id| Ok::<_, gimli::Error>(section(id))).unwrap();
            are_sound(&sections.borrow(|section| EndianSlice::new(section, RunTimeEndian::Little)))
        };
        assert!(sound(5, 1000), "copies of a function may share a list");
        assert!(sound(60_000, 1), "and many may have a short one");
        assert!(!sound(3000, 3000));
    }
}
