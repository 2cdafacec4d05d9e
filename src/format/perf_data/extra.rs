//! What a sample holds beside its stack: the tracepoint's own bytes, its cgroup, page sizes.
//!
//! Walks all fields of varying size in the order of `perf_event.h` (`PERF_RECORD_SAMPLE`), so that what stands behind a field that nothing
//! here uses is found as well. Deliberately absent: call chains and copied stacks (`samples`). Start reading at [`extra`].

use super::attr::{Attr, bit};
use super::container::Event;
use super::samples::counters;
use crate::base::cursor::{Cursor, Short};

/// Fields behind the call chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extra<'a> {
    /// The bytes of a tracepoint.
    pub(super) raw: Option<&'a [u8]>,
    /// The number of the cgroup.
    pub(super) cgroup: Option<u64>,
    /// Size of the page of the data address, in bytes.
    pub(super) data_page: Option<u64>,
    /// Size of the page of the code, in bytes.
    pub(super) code_page: Option<u64>,
}

/// The fields of [`Extra`] that an event records.
pub(super) const EXTRA_BITS: u64 = bit::RAW | bit::CGROUP | bit::DATA_PAGE_SIZE | bit::CODE_PAGE_SIZE;

/// Fields that are recorded and shown nowhere: bit, name.
pub(super) const UNUSED: [(u64, &str); 6] = [
    (bit::WEIGHT, "weight"),
    (bit::WEIGHT_STRUCT, "weight"),
    (bit::DATA_SRC, "data source"),
    (bit::TRANSACTION, "transaction"),
    (bit::PHYS_ADDR, "physical address"),
    (bit::AUX, "hardware trace"),
];

/// Reads a sample's body up to the last field that is of use.
pub(super) fn extra<'a>(body: Cursor<'a>, event: &Event) -> Result<Extra<'a>, Short> {
    let attr = &event.attr;
    let mut found = Extra::default();
    let mut cursor = body;
    cursor.skip(event.layout.variable)?;
    if attr.has(bit::READ) {
        counters(&mut cursor, attr, |_, _| ())?;
    }
    if attr.has(bit::CALLCHAIN) {
        let count = cursor.u64()?;
        skip_many(&mut cursor, count, 8)?;
    }
    if attr.has(bit::RAW) {
        let size = cursor.u32()?;
        found.raw = Some(cursor.take(size as usize)?);
    }
    if attr.sample_type & (EXTRA_BITS & !bit::RAW) == 0 {
        return Ok(found);
    }
    skip_stack(&mut cursor, attr)?;
    for bit in [bit::WEIGHT | bit::WEIGHT_STRUCT, bit::DATA_SRC, bit::TRANSACTION] {
        if attr.has(bit) {
            cursor.skip(8)?;
        }
    }
    if attr.has(bit::REGS_INTR) && cursor.u64()? != 0 {
        skip_many(&mut cursor, u64::from(attr.regs_intr.count_ones()), 8)?;
    }
    if attr.has(bit::PHYS_ADDR) {
        cursor.skip(8)?;
    }
    for (bit, field) in
        [(bit::CGROUP, &mut found.cgroup), (bit::DATA_PAGE_SIZE, &mut found.data_page), (bit::CODE_PAGE_SIZE, &mut found.code_page)]
    {
        if attr.has(bit) {
            *field = Some(cursor.u64()?);
        }
    }
    Ok(found)
}

/// Passes over branches, user registers and copied stack.
fn skip_stack(cursor: &mut Cursor<'_>, attr: &Attr) -> Result<(), Short> {
    const HW_INDEX: u64 = 1 << 17;
    const COUNTERS: u64 = 1 << 19;
    if attr.has(bit::BRANCH_STACK) {
        let count = cursor.u64()?;
        if attr.branch_sample_type & HW_INDEX != 0 {
            cursor.skip(8)?;
        }
        skip_many(cursor, count, if attr.branch_sample_type & COUNTERS != 0 { 32 } else { 24 })?;
    }
    if attr.has(bit::REGS_USER) && cursor.u64()? != 0 {
        skip_many(cursor, u64::from(attr.regs_user.count_ones()), 8)?;
    }
    if attr.has(bit::STACK_USER) {
        let size = cursor.u64()?;
        skip_many(cursor, size, 1)?;
        if size > 0 {
            cursor.skip(8)?;
        }
    }
    Ok(())
}

fn skip_many(cursor: &mut Cursor<'_>, count: u64, each: u64) -> Result<(), Short> {
    cursor.skip(usize::try_from(count.saturating_mul(each)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field that the kernel may write before the page sizes, in its order.
    #[test]
    fn every_field_before_the_wanted_ones_is_passed_over() {
        let mut attr = Attr {
            sample_type: bit::IP | bit::CALLCHAIN | bit::RAW | bit::BRANCH_STACK | bit::REGS_USER | bit::STACK_USER | bit::WEIGHT_STRUCT,
            branch_sample_type: 1 << 17 | 1 << 19,
            regs_user: 0b111,
            regs_intr: 0b11,
            ..Attr::default()
        };
        attr.sample_type |= bit::DATA_SRC | bit::TRANSACTION | bit::REGS_INTR | bit::PHYS_ADDR | bit::CGROUP | bit::DATA_PAGE_SIZE;
        attr.sample_type |= bit::CODE_PAGE_SIZE | bit::AUX;
        let mut bytes = Vec::new();
        let mut words = |words: &[u64]| bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        words(&[0x1010, 2, 1, 2]);
        // Raw: a size of four bytes, then the bytes.
        words(&[0xaabb_ccdd_0000_0004]);
        // Two branches of 32 bytes behind a hardware index; registers; 16 bytes of stack, all of them used.
        words(&[2, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 5, 6, 7, 16, 0, 0, 16]);
        // Weight, source, transaction, registers, physical address; then what is wanted.
        words(&[1, 2, 3, 2, 8, 9, 4, 77, 4096, 2 << 20, 0]);
        let found = extra(Cursor::new(&bytes), &Event::new(attr)).unwrap();
        let raw: &[u8] = &[0xdd, 0xcc, 0xbb, 0xaa];
        assert_eq!(found, Extra { raw: Some(raw), cgroup: Some(77), data_page: Some(4096), code_page: Some(2 << 20) });
    }
}
