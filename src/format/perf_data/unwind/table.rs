//! Unwind information of one section: from an address to the rule that finds the caller's registers.
//!
//! The rule is looked up here, once per address, and most are then followed by framehop. What framehop has no rule for (expressions,
//! frames that hang on another register) is kept as written and evaluated by `walk`. Deliberately absent: following a rule.
//! Start reading at [`Table::rule`].

use std::ops::{Deref, Range};
use std::sync::Arc;

use gimli::{
    BaseAddresses, CfaRule, CieOrFde, DebugFrame, EhFrame, EhFrameHdr, Encoding, EndianSlice, LittleEndian, Register, RegisterRule,
    UnwindContext, UnwindOffset, UnwindSection, UnwindTableRow,
};

use super::arch::Arch;
use crate::base::binaries::Bytes;
use crate::base::ticket::{Cancelled, Ticket};

/// Slices as `gimli` reads them; framehop knows little-endian machines only.
pub(super) type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// A part of a file that stays alive as long as it is needed.
#[derive(Clone)]
pub(super) struct Section {
    pub(super) bytes: Bytes,
    pub(super) range: Range<usize>,
}

impl Default for Section {
    fn default() -> Self {
        Self { bytes: Arc::new(Vec::new()), range: 0..0 }
    }
}

impl Deref for Section {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or(&[])
    }
}

/// Which of the two forms of unwind information a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    EhFrame,
    DebugFrame,
}

/// The unwind information of one section with an index by address.
pub(super) struct Table {
    form: Form,
    data: Section,
    bases: BaseAddresses,
    index: Index,
}

enum Index {
    /// The linker's own, and the address of `.eh_frame`.
    Header(Section, u64),
    /// First address and place of every function, sorted.
    Own(Vec<(u64, usize)>),
}

/// How to get from a function's registers to those of its caller.
pub(super) enum Rule {
    /// framehop follows it. It restores neither of the registers here, which stand so many bytes from the frame's address: rules of
    /// outer functions may need them.
    Plain(Box<[(Register, i64)]>),
    /// To be evaluated as it is written.
    Written(Box<Written>),
}

/// A row of the table.
pub(super) struct Written {
    pub(super) cfa: CfaRule<usize>,
    pub(super) registers: Vec<(Register, RegisterRule<usize>)>,
    pub(super) return_register: Register,
    pub(super) encoding: Encoding,
    /// The caller was interrupted by a signal: its address is that of an instruction, not a return address.
    pub(super) is_signal: bool,
}

impl Table {
    /// The table of a section. `header` is `.eh_frame_hdr` with the address of `.eh_frame`; without one all entries are read once.
    pub(super) fn new(
        form: Form,
        data: Section,
        bases: BaseAddresses,
        header: Option<(Section, u64)>,
        ticket: &Ticket,
    ) -> Result<Self, Cancelled> {
        let index = match header {
            Some((header, address)) if has_lookup(&header, &bases, address) => Index::Header(header, address),
            _ => Index::Own(match form {
                Form::EhFrame => starts(&eh_frame(&data), &bases, ticket)?,
                Form::DebugFrame => starts(&debug_frame(&data), &bases, ticket)?,
            }),
        };
        Ok(Self { form, data, bases, index })
    }

    /// True where framehop can look addresses up, too: without the linker's index it would read all entries once more.
    pub(super) const fn has_header(&self) -> bool {
        matches!(self.index, Index::Header(..))
    }

    /// The rule at an address in the module's own numbering; `None` where no function is known.
    pub(super) fn rule<A: Arch>(&self, address: u64, context: &mut UnwindContext<usize>) -> Option<Rule> {
        let place = self.place(address)?;
        match self.form {
            Form::EhFrame => self.rule_at::<A, _>(&eh_frame(&self.data), place, address, context),
            Form::DebugFrame => self.rule_at::<A, _>(&debug_frame(&self.data), place, address, context),
        }
    }

    /// The bytes of an expression in this section.
    pub(super) fn expression(&self, expression: gimli::UnwindExpression<usize>) -> Option<Slice<'_>> {
        let bytes = self.data.get(expression.offset..expression.offset.checked_add(expression.length)?)?;
        Some(EndianSlice::new(bytes, LittleEndian))
    }

    /// Offset of the entry of the function at `address`, or of one near it.
    fn place(&self, address: u64) -> Option<usize> {
        match &self.index {
            Index::Header(header, start) => {
                let header = EhFrameHdr::new(header, LittleEndian).parse(&self.bases, 8).ok()?;
                let pointer = header.table()?.lookup(address, &self.bases).ok()?;
                usize::try_from(pointer.direct().ok()?.checked_sub(*start)?).ok()
            }
            Index::Own(starts) => {
                let after = starts.partition_point(|(start, _)| *start <= address);
                starts.get(after.checked_sub(1)?).map(|(_, place)| *place)
            }
        }
    }

    fn rule_at<'a, A: Arch, S: UnwindSection<Slice<'a>>>(
        &self,
        section: &S,
        place: usize,
        address: u64,
        context: &mut UnwindContext<usize>,
    ) -> Option<Rule>
    where
        S::Offset: UnwindOffset<usize>,
    {
        let fde = section.fde_from_offset(&self.bases, S::Offset::from(place), S::cie_from_offset).ok()?;
        if !fde.contains(address) {
            return None;
        }
        let row = fde.unwind_info_for_address(section, &self.bases, context, address).ok()?;
        if self.has_header() && A::is_plain(row) && !fde.is_signal_trampoline() {
            return Some(Rule::Plain(saved(row, A::OTHERS)));
        }
        Some(Rule::Written(Box::new(Written {
            cfa: row.cfa().clone(),
            registers: row.registers().cloned().collect(),
            return_register: fde.cie().return_address_register(),
            encoding: fde.cie().encoding(),
            is_signal: fde.is_signal_trampoline(),
        })))
    }
}

fn eh_frame(data: &[u8]) -> EhFrame<Slice<'_>> {
    let mut section = EhFrame::new(data, LittleEndian);
    section.set_address_size(8);
    section
}

fn debug_frame(data: &[u8]) -> DebugFrame<Slice<'_>> {
    let mut section = DebugFrame::new(data, LittleEndian);
    section.set_address_size(8);
    section
}

/// True where the linker wrote a sorted table of functions in the section at `address`, in the only form that linkers write and as long
/// as it says. framehop takes the header's own word for the section's place, so that it must be true.
fn has_lookup(header: &[u8], bases: &BaseAddresses, address: u64) -> bool {
    // Version 1; the section's place relative to itself, the number of rows plain, rows relative to the header; 4 bytes each.
    const FORM: [u8; 4] = [1, 0x1b, 0x03, 0x3b];
    let rows = header.get(8..12).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
    if !header.starts_with(&FORM) || (header.len() as u64) < 12 + u64::from(rows) * 8 {
        return false;
    }
    let parsed = EhFrameHdr::new(header, LittleEndian).parse(bases, 8);
    parsed.is_ok_and(|header| header.table().is_some() && header.eh_frame_ptr().direct() == Ok(address))
}

fn starts<'a, S: UnwindSection<Slice<'a>>>(section: &S, bases: &BaseAddresses, ticket: &Ticket) -> Result<Vec<(u64, usize)>, Cancelled> {
    let mut starts = Vec::new();
    let mut entries = section.entries(bases);
    let mut n = 0_u32;
    // What stands before a damaged entry is as good as any.
    while let Ok(Some(entry)) = entries.next() {
        n = n.wrapping_add(1);
        if n.is_multiple_of(4096) {
            ticket.check()?;
        }
        if let CieOrFde::Fde(partial) = entry
            && let Ok(fde) = partial.parse(S::cie_from_offset)
        {
            starts.push((fde.initial_address(), fde.offset()));
        }
    }
    starts.sort_unstable();
    Ok(starts)
}

/// Which of `others` a function saved, and where.
fn saved(row: &UnwindTableRow<usize>, others: &[u16]) -> Box<[(Register, i64)]> {
    let kept = |(register, rule): &(Register, RegisterRule<usize>)| match rule {
        RegisterRule::Offset(offset) if others.contains(&register.0) => Some((*register, *offset)),
        _ => None,
    };
    row.registers().filter_map(kept).collect()
}
