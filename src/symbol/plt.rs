//! Stubs by which a binary calls functions of other binaries (`malloc@plt`). No symbol table names them.
//!
//! A stub jumps through a slot, and a relocation says whose address the slot gets. So the stub's instructions are read and not its
//! place counted: that works for `.plt`, `.plt.sec` and `.plt.got` alike, and in any order. x86-64 and 64-bit ARM; on other machines
//! the section `.plt` is named as a whole. Start reading at [`stubs`].

use object::Architecture;
use rustc_hash::FxHashMap;

use super::elf::Parsed;
use super::table::{Binding, Name, Symbol};
use crate::base::cursor::{Cursor, Short};

/// Most bytes of stubs: the largest programs have a hundredth. Damaged files may say of each of many sections that it is the whole file.
const CAP_BYTES: usize = 64 << 20;

/// A piece of code that jumps through a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stub {
    start: u64,
    /// Address of the slot.
    slot: u64,
}

/// What a slot gets when the program is loaded.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// The address of a function, by its row in `.dynsym`.
    Row(u64),
    /// What the function at an address chooses (`STT_GNU_IFUNC`).
    Chosen(u64),
}

/// The stubs of a binary, named by what they call. `functions` are those of the module: some slots are filled by one of them.
pub(super) fn stubs<'a>(file: &Parsed<'a>, functions: &[Symbol<'a>]) -> Vec<Symbol<'a>> {
    let named = |start, size, name| Symbol { start, size, name, binding: Binding::Local, is_typed: true };
    let mut symbols = Vec::new();
    let mut stubs = Vec::new();
    let mut read = 0;
    for (name, range, bytes) in file.code() {
        if name == ".plt" {
            // What no stub covers: the code at the section's start that has the linker look a function up.
            symbols.push(named(range.start, 0, Name::Text(".plt")));
        }
        if !name.starts_with(".plt") && name != ".iplt" {
            continue;
        }
        read += bytes.len();
        if read > CAP_BYTES {
            break;
        }
        let (found, longest) = match file.architecture() {
            Architecture::X86_64 => (x86_64(bytes, range.start), 16),
            Architecture::Aarch64 => (aarch64(bytes, range.start), 24),
            _ => continue,
        };
        for (n, stub) in found.iter().enumerate() {
            let next = found.get(n + 1).map_or(range.end, |next| next.start);
            stubs.push((*stub, next.saturating_sub(stub.start).min(longest)));
        }
    }
    // Also 32-bit programs of 64-bit machines have other relocations.
    if stubs.is_empty() || !file.is_64() || !file.is_little_endian() {
        return symbols;
    }
    let mut targets: FxHashMap<u64, Option<Target>> = stubs.iter().map(|(stub, _)| (stub.slot, None)).collect();
    for section in [".rela.plt", ".rela.iplt", ".rela.dyn"] {
        if let Some(bytes) = file.plain_section(section) {
            // A table that ends in the middle gives the relocations before.
            read_relocations(Cursor::new(bytes), file.architecture(), &mut targets).ok();
        }
    }
    let imported = Imported { rows: file.plain_section(".dynsym").unwrap_or(&[]), names: file.plain_section(".dynstr").unwrap_or(&[]) };
    let choosers = choosers(&targets, functions);
    for (stub, size) in stubs {
        let name = match targets.get(&stub.slot).copied().flatten() {
            Some(Target::Row(row)) => imported.name(row),
            // Full symbol tables add versions (`memcpy@@GLIBC_2.14`), of which the stub knows nothing.
            Some(Target::Chosen(by)) => {
                choosers.get(&by).and_then(|symbol| symbol.as_ref()?.name.open()?.split(|byte| matches!(byte, 0 | b'@')).next())
            }
            None => None,
        };
        if let Some(name) = name {
            symbols.push(named(stub.start, size, Name::Stub(name)));
        }
    }
    symbols
}

/// The best symbol at each address of a function that fills a slot.
fn choosers<'a>(targets: &FxHashMap<u64, Option<Target>>, functions: &[Symbol<'a>]) -> FxHashMap<u64, Option<Symbol<'a>>> {
    let by = |target: &Option<Target>| if let Some(Target::Chosen(by)) = target { Some((*by, None)) } else { None };
    let mut choosers: FxHashMap<u64, Option<Symbol<'a>>> = targets.values().filter_map(by).collect();
    if !choosers.is_empty() {
        for symbol in functions {
            if let Some(best) = choosers.get_mut(&symbol.start)
                && best.is_none_or(|best| symbol.is_better_than(&best))
            {
                *best = Some(*symbol);
            }
        }
    }
    choosers
}

/// Enters what the slots in `targets` get (`Elf64_Rela` of the ELF specification).
fn read_relocations(mut table: Cursor<'_>, machine: Architecture, targets: &mut FxHashMap<u64, Option<Target>>) -> Result<(), Short> {
    /// `R_X86_64_IRELATIVE`, `R_AARCH64_IRELATIVE`.
    const CHOSEN: (u64, u64) = (37, 1032);
    let chosen = if machine == Architecture::X86_64 { CHOSEN.0 } else { CHOSEN.1 };
    while !table.is_empty() {
        let (slot, info, addend) = (table.u64()?, table.u64()?, table.u64()?);
        let target = match (info >> 32, info & 0xffff_ffff) {
            (0, kind) if kind == chosen => Target::Chosen(addend),
            (0, _) => continue,
            (row, _) => Target::Row(row),
        };
        if let Some(place) = targets.get_mut(&slot) {
            place.get_or_insert(target);
        }
    }
    Ok(())
}

/// The dynamic linker's symbols by their row.
struct Imported<'a> {
    rows: &'a [u8],
    names: &'a [u8],
}

impl<'a> Imported<'a> {
    /// Bytes from the name on.
    fn name(&self, row: u64) -> Option<&'a [u8]> {
        /// Size of `Elf64_Sym`, which begins with the place of the name.
        const ROW_BYTES: usize = 24;
        let at = usize::try_from(row).ok()?.checked_mul(ROW_BYTES)?;
        let name = u32::from_le_bytes(*self.rows.get(at..)?.first_chunk::<4>()?);
        self.names.get(name as usize..).filter(|name| name.first().is_some_and(|byte| *byte != 0))
    }
}

/// `jmp *offset(%rip)`, in newer programs after a mark for allowed jump targets (`endbr64`) and with a prefix (`bnd`).
fn x86_64(code: &[u8], base: u64) -> Vec<Stub> {
    let mut stubs = Vec::new();
    // Stubs have 8 or 16 bytes and begin at multiples of that. The second half of a long one is no jump, or its slot no slot.
    for at in (0..code.len()).step_by(8) {
        let rest = code.get(at..).unwrap_or(&[]);
        let unmarked = rest.strip_prefix(&[0xf3, 0x0f, 0x1e, 0xfa]).unwrap_or(rest);
        let jump = unmarked.strip_prefix(&[0xf2]).unwrap_or(unmarked);
        let Some(offset) = jump.strip_prefix(&[0xff, 0x25]).and_then(|bytes| bytes.first_chunk::<4>()) else { continue };
        let start = base.wrapping_add(at as u64);
        // Offsets count from the end of the instruction of six bytes.
        let end = start.wrapping_add((rest.len() - jump.len()) as u64 + 6);
        stubs.push(Stub { start, slot: end.wrapping_add_signed(i64::from(i32::from_le_bytes(*offset))) });
    }
    stubs
}

/// `adrp x16, PAGE; ldr x17, [x16, #OFFSET]; …; br x17`, in newer programs after a mark for allowed jump targets (`bti c`).
fn aarch64(code: &[u8], base: u64) -> Vec<Stub> {
    const MARK: u32 = 0xd503_245f;
    let (words, _) = code.as_chunks::<4>();
    let mut stubs = Vec::new();
    let mut before = None;
    for (n, pair) in words.windows(2).enumerate() {
        let [page, load] = pair else { continue };
        let (page, load) = (u32::from_le_bytes(*page), u32::from_le_bytes(*load));
        if page & 0x9f00_001f == 0x9000_0010 && load & 0xffc0_03ff == 0xf940_0211 {
            let at = base.wrapping_add(n as u64 * 4);
            // 21 bits with a sign, in pages: the lowest two stand apart.
            let pages = (page >> 5 & 0x7_ffff) << 2 | page >> 29 & 3;
            let pages = i64::from((pages << 11).cast_signed() >> 11);
            let slot = (at & !0xfff).wrapping_add_signed(pages << 12).wrapping_add(u64::from(load >> 10 & 0xfff) * 8);
            stubs.push(Stub { start: if before == Some(MARK) { at.wrapping_sub(4) } else { at }, slot });
        }
        before = Some(page);
    }
    stubs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_of_x86_64_name_their_slots_in_all_forms() {
        // Taken from `objdump -d`: the head and a stub of `.plt`, a stub of `.plt.sec`, one of `.plt.got`.
        let head = [0xff, 0x35, 0xca, 0x2f, 0, 0, 0xff, 0x25, 0xcc, 0x2f, 0, 0, 0x0f, 0x1f, 0x40, 0];
        let lazy = [0xff, 0x25, 0xca, 0x2f, 0, 0, 0x68, 0, 0, 0, 0, 0xe9, 0xe0, 0xff, 0xff, 0xff];
        let marked = [0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0xca, 0x2f, 0, 0, 0x0f, 0x1f, 0x44, 0, 0];
        let short = [0xff, 0x25, 0xfa, 0xff, 0xff, 0xff, 0x66, 0x90];
        let code = [&head[..], &lazy, &marked, &short, &short].concat();
        let stub = |start, slot| Stub { start, slot };
        let expected = [stub(0x1030, 0x4000), stub(0x1040, 0x4015), stub(0x1050, 0x1050), stub(0x1058, 0x1058)];
        assert_eq!(x86_64(&code, 0x1020), expected);
        for len in 0..code.len() {
            assert!(x86_64(&code[..len], 0x1020).len() <= 4);
        }
    }

    #[test]
    fn stubs_of_64_bit_arm_name_their_slots_with_and_without_a_mark() {
        let words = [
            // stp x16, x30, [sp, #-16]!; adrp x16, 0x20000; ldr x17, [x16, #0xff8]; add x16, x16, #0xff8; br x17; nop; nop; nop
            0xa9bf_7bf0,
            0xf000_00f0,
            0xf947_fe11,
            0x913f_e210,
            0xd61f_0220,
            0xd503_201f,
            0xd503_201f,
            0xd503_201f,
            // adrp x16, 0x21000; ldr x17, [x16]; add x16, x16, #0; br x17
            0x9000_0110_u32,
            0xf940_0211,
            0x9100_0210,
            0xd61f_0220,
            // bti c; adrp x16, 0 (the page before); ldr x17, [x16, #8]; add x16, x16, #8; br x17; nop
            0xd503_245f,
            0xf0ff_fff0,
            0xf940_0611,
            0x9100_2210,
            0xd61f_0220,
            0xd503_201f,
        ];
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let stub = |start, slot| Stub { start, slot };
        assert_eq!(aarch64(&code, 0x1580), [stub(0x1584, 0x2_0ff8), stub(0x15a0, 0x2_1000), stub(0x15b0, 8)]);
        for len in 0..code.len() {
            assert!(aarch64(&code[..len], 0x1580).len() <= 3);
        }
    }
}
