//! What differs between the processors whose stacks can be unwound: registers, their numbers, and which rules framehop follows.
//!
//! Numbers of registers in samples are those of `arch/*/include/uapi/asm/perf_regs.h`, in unwind information those of the processor's
//! DWARF binding. Deliberately absent: 32-bit processes, big-endian machines and all other processors. Start reading at [`Arch`].

use framehop::aarch64::{CacheAarch64, PtrAuthMask, UnwindRegsAarch64, UnwinderAarch64};
use framehop::x86_64::{CacheX86_64, Reg, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{Module, Unwinder};
use gimli::{AArch64, CfaRule, Register, RegisterRule, UnwindTableRow, X86_64};

use super::table::Section;

/// A processor.
pub(super) trait Arch {
    /// The registers of one frame.
    type Regs: Copy;
    /// framehop's rules that were looked up before.
    type Cache: Default;
    /// framehop's unwinder over modules.
    type Unwinder: Unwinder<UnwindRegs = Self::Regs, Cache = Self::Cache, Module = Module<Section>> + Default;
    /// Registers that functions preserve and framehop does not restore, by their number in unwind information.
    const OTHERS: &'static [u16];

    /// The instruction pointer and the registers of a sample; `word` gives the one of a number.
    fn start(word: impl Fn(u32) -> Option<u64>) -> Option<(u64, Self::Regs)>;

    /// True where framehop follows a rule exactly as it is written.
    fn is_plain(row: &UnwindTableRow<usize>) -> bool;

    /// The stack pointer.
    fn stack_pointer(regs: &Self::Regs) -> u64;

    /// A register by its number in unwind information.
    fn get(regs: &Self::Regs, register: Register) -> Option<u64>;

    /// Sets a register; unknown ones are let alone.
    fn set(regs: &mut Self::Regs, register: Register, value: u64);

    /// Sets the stack pointer and the instruction pointer of the caller.
    fn enter(regs: &mut Self::Regs, stack_pointer: u64, address: u64);

    /// Bits of a return address that are address: the others may hold a signature.
    const ADDRESS_BITS: u64;

    /// True where a call leaves the return address in a register, so that functions need not save it.
    const RETURNS_BY_REGISTER: bool;

    /// Number of the stack pointer in unwind information.
    const STACK_POINTER: Register;

    /// Goes to the caller as from the very first instruction of a function.
    fn just_return(regs: &mut Self::Regs, read: impl FnMut(u64) -> Result<u64, ()>) -> Option<u64>;
}

/// `x86_64`.
pub(super) struct X64;

/// DWARF numbers 0 to 15.
const X64_REGS: [Reg; 16] = [
    Reg::RAX,
    Reg::RDX,
    Reg::RCX,
    Reg::RBX,
    Reg::RSI,
    Reg::RDI,
    Reg::RBP,
    Reg::RSP,
    Reg::R8,
    Reg::R9,
    Reg::R10,
    Reg::R11,
    Reg::R12,
    Reg::R13,
    Reg::R14,
    Reg::R15,
];

/// perf's numbers of the registers 0 to 15 of DWARF.
const X64_IN_SAMPLES: [u32; 16] = [0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

impl Arch for X64 {
    type Regs = UnwindRegsX86_64;
    type Cache = CacheX86_64;
    type Unwinder = UnwinderX86_64<Section>;
    /// `rbx` and `r12` to `r15`; `rbp` is framehop's.
    const OTHERS: &'static [u16] = &[3, 12, 13, 14, 15];
    const ADDRESS_BITS: u64 = u64::MAX;
    const STACK_POINTER: Register = X86_64::RSP;
    const RETURNS_BY_REGISTER: bool = false;

    fn start(word: impl Fn(u32) -> Option<u64>) -> Option<(u64, Self::Regs)> {
        const IP: u32 = 8;
        let ip = word(IP)?;
        let mut regs = UnwindRegsX86_64::new(ip, word(7)?, word(6).unwrap_or(0));
        for (reg, number) in X64_REGS.into_iter().zip(X64_IN_SAMPLES) {
            if let Some(value) = word(number) {
                regs.set(reg, value);
            }
        }
        Some((ip, regs))
    }

    fn is_plain(row: &UnwindTableRow<usize>) -> bool {
        use RegisterRule::{Offset, SameValue, Undefined};
        let rbp = row.register(X86_64::RBP);
        match row.register(X86_64::RA) {
            // The outermost function.
            None | Some(Undefined) => return true,
            Some(Offset(-8)) => {}
            _ => return false,
        }
        match *row.cfa() {
            // framehop counts in words of 8 bytes, with 16 bits.
            CfaRule::RegisterAndOffset { register: X86_64::RSP, offset } => {
                let fits = |offset: i64| (0..1 << 18).contains(&offset) && offset % 8 == 0;
                let is_saved_near = |at: i64| offset.checked_add(at).is_some_and(|at| at % 8 == 0 && (-1 << 17..1 << 17).contains(&at));
                fits(offset)
                    && rbp.is_none_or(|rule| matches!(rule, Undefined | SameValue) || matches!(rule, Offset(at) if is_saved_near(at)))
            }
            CfaRule::RegisterAndOffset { register: X86_64::RBP, offset: 16 } => rbp == Some(Offset(-16)),
            _ => false,
        }
    }

    fn stack_pointer(regs: &Self::Regs) -> u64 {
        regs.sp()
    }

    fn get(regs: &Self::Regs, register: Register) -> Option<u64> {
        match register {
            X86_64::RA => Some(regs.ip()),
            Register(number) => X64_REGS.get(usize::from(number)).map(|reg| regs.get(*reg)),
        }
    }

    fn set(regs: &mut Self::Regs, register: Register, value: u64) {
        if let Some(reg) = X64_REGS.get(usize::from(register.0)) {
            regs.set(*reg, value);
        }
    }

    fn enter(regs: &mut Self::Regs, stack_pointer: u64, address: u64) {
        regs.set_sp(stack_pointer);
        regs.set_ip(address);
    }

    fn just_return(regs: &mut Self::Regs, mut read: impl FnMut(u64) -> Result<u64, ()>) -> Option<u64> {
        let sp = regs.sp();
        let address = read(sp).ok()?;
        Self::enter(regs, sp.checked_add(8)?, address);
        Some(address)
    }
}

/// `aarch64`.
pub(super) struct Arm64;

impl Arch for Arm64 {
    type Regs = UnwindRegsAarch64;
    type Cache = CacheAarch64;
    type Unwinder = UnwinderAarch64<Section>;
    /// framehop keeps no other registers here.
    const OTHERS: &'static [u16] = &[];
    /// Programs get addresses of 48 bits unless they ask for more; signatures of return addresses stand above.
    const ADDRESS_BITS: u64 = (1 << 48) - 1;
    const STACK_POINTER: Register = AArch64::SP;
    const RETURNS_BY_REGISTER: bool = true;

    fn start(word: impl Fn(u32) -> Option<u64>) -> Option<(u64, Self::Regs)> {
        let (fp, lr, sp, pc) = (word(29)?, word(30)?, word(31)?, word(32)?);
        Some((pc, UnwindRegsAarch64::new_with_ptr_auth_mask(PtrAuthMask(Self::ADDRESS_BITS), lr, sp, fp)))
    }

    fn is_plain(row: &UnwindTableRow<usize>) -> bool {
        use RegisterRule::{Offset, SameValue, Undefined};
        let (fp, lr) = (row.register(AArch64::X29), row.register(AArch64::X30));
        let near = |at: i64| at % 8 == 0 && (-1 << 17..1 << 17).contains(&at);
        let CfaRule::RegisterAndOffset { register, offset } = *row.cfa() else { return false };
        let saved = |rule: &Option<RegisterRule<usize>>| match rule {
            Some(Offset(at)) => offset.checked_add(*at).filter(|at| near(*at)).map(|_| true),
            None | Some(Undefined | SameValue) => Some(false),
            Some(_) => None,
        };
        // framehop counts in steps of 16 bytes from the stack pointer, of 8 from the frame pointer.
        match (register, saved(&fp), saved(&lr)) {
            (AArch64::SP, Some(fp), Some(lr)) => (0..1 << 19).contains(&offset) && offset % 16 == 0 && (lr || !fp),
            (AArch64::X29, Some(true), Some(true)) => (0..1 << 18).contains(&offset) && offset % 8 == 0,
            _ => false,
        }
    }

    fn stack_pointer(regs: &Self::Regs) -> u64 {
        regs.sp()
    }

    fn get(regs: &Self::Regs, register: Register) -> Option<u64> {
        match register {
            AArch64::X29 => Some(regs.fp()),
            AArch64::X30 => Some(regs.lr()),
            AArch64::SP => Some(regs.sp()),
            _ => None,
        }
    }

    fn set(regs: &mut Self::Regs, register: Register, value: u64) {
        match register {
            AArch64::X29 => regs.set_fp(value),
            AArch64::X30 => regs.set_lr(value),
            AArch64::SP => regs.set_sp(value),
            _ => {}
        }
    }

    fn enter(regs: &mut Self::Regs, stack_pointer: u64, _address: u64) {
        regs.set_sp(stack_pointer);
    }

    fn just_return(regs: &mut Self::Regs, _read: impl FnMut(u64) -> Result<u64, ()>) -> Option<u64> {
        Some(regs.lr())
    }
}
