//! From the registers and the copied stack of one sample to the addresses of its callers.
//!
//! Each step asks the module that holds the address for its rule. Rules belong to files, not to processes: a library that a thousand
//! processes loaded is looked up once, and what was mapped when is the question that samples ask anyway. Deliberately absent: memory
//! outside the copied stack. Start reading at [`Walk::stack`].

use framehop::{Error, FrameAddress, Unwinder as _};
use gimli::{CfaRule, Evaluation, EvaluationResult, Location, RegisterRule, UnwindContext, UnwindExpression, Value};
use rustc_hash::FxHashMap;

use super::arch::Arch;
use super::binary::{Binary, Tables};
use super::table::{Rule, Table, Written};
use super::{End, Files, Lost, Raw};
use crate::base::ticket::Cancelled;
use crate::format::perf_data::maps::{Tasks, View};
use crate::format::perf_data::records::Mode;

/// Frames of one stack at most. perf itself keeps 127 and the kernel's limit for its own chains is 127, too; copied stacks hold at
/// most 64 KiB, in which only runaway recursion has more than this.
const MAX_FRAMES: usize = 1024;

/// A frame further than this behind the end of a copied stack is no frame of it, in bytes. Threads get 8 MiB of stack by default.
const STACK_BYTES: u64 = 64 << 20;

/// No program has code below this address.
const FIRST_ADDRESS: u64 = 4096;

/// Operations of one expression at most; those that compilers write have under ten.
const MAX_OPERATIONS: u32 = 1000;

/// Rules that are remembered at most; so many take some 50 MB, and real captures have a few thousand.
const MAX_RULES: usize = 1 << 18;

/// Unwinds stacks of one kind of processor; remembers the rules it met.
pub(super) struct Walk<'a, A: Arch> {
    files: &'a Files<'a>,
    /// By file and address in its numbering: which table of the file knows the address, and what it says.
    rules: FxHashMap<(u32, u64), Option<(usize, Rule)>>,
    /// framehop's unwinders by file, one for each table.
    unwinders: FxHashMap<u32, Vec<Hop<A>>>,
    context: UnwindContext<usize>,
    /// Knows no module, so it follows frame pointers.
    pointers: Hop<A>,
}

/// framehop's unwinder and what it remembers.
type Hop<A> = (<A as Arch>::Unwinder, <A as Arch>::Cache);

/// What one step led to.
enum Went {
    /// To a return address.
    To(u64),
    /// To the instruction that a signal interrupted.
    ToInterrupted(u64),
    /// To a return address that frame pointers gave, and that lies in a module.
    Guessed(u64),
    /// Nowhere: this was the outermost function.
    Root,
    /// Nowhere.
    Lost,
}

/// The copied part of a stack.
struct Stack<'a> {
    bytes: &'a [u8],
    start: u64,
    /// Something behind the end was wanted.
    is_past: bool,
    /// Something outside was wanted.
    is_outside: bool,
}

impl Stack<'_> {
    fn read(&mut self, address: u64) -> Result<u64, ()> {
        let at = address.checked_sub(self.start);
        let start = at.and_then(|at| usize::try_from(at).ok());
        let word = start.and_then(|at| self.bytes.get(at..at.checked_add(8)?)).and_then(|word| word.try_into().ok());
        self.is_outside |= word.is_none();
        self.is_past |= word.is_none() && at.is_some_and(|at| at.saturating_sub(self.bytes.len() as u64) < STACK_BYTES);
        word.map(u64::from_le_bytes).ok_or(())
    }

    /// What was wanted outside until now was not needed.
    fn forget(&mut self) {
        (self.is_past, self.is_outside) = (false, false);
    }
}

impl<'a, A: Arch> Walk<'a, A> {
    pub(super) fn new(files: &'a Files<'a>) -> Self {
        Self {
            files,
            rules: FxHashMap::default(),
            unwinders: FxHashMap::default(),
            context: UnwindContext::new(),
            pointers: Default::default(),
        }
    }

    /// Hands the addresses of a stack to `found`, innermost first, with whether each is a return address. Gives how it ended and how
    /// many frames are guesses; `None` where the registers do not hold what is needed.
    pub(super) fn stack(
        &mut self,
        tasks: &Tasks,
        view: View,
        raw: &Raw<'_>,
        mut found: impl FnMut(u64, bool),
    ) -> Result<Option<(End, u64)>, Cancelled> {
        let Some((ip, mut regs)) = A::start(|number| raw.word(number)) else { return Ok(None) };
        if self.rules.len() > MAX_RULES {
            self.rules.clear();
        }
        let mut stack = Stack { bytes: raw.stack, start: A::stack_pointer(&regs), is_past: false, is_outside: false };
        let (mut address, mut is_caller, mut guessed, mut last_file) = (ip, false, 0, None);
        for n in 0..MAX_FRAMES {
            let looked_up = if is_caller { address.wrapping_sub(1) } else { address };
            let map = tasks.find(view, Mode::User, looked_up);
            if n > 0 && map.is_some_and(|map| tasks.is_data(map)) {
                return Ok(Some((End::Lost(Lost { file: last_file, is_elsewhere: false }), guessed)));
            }
            found(address, is_caller);
            let file = map.and_then(|map| self.files.of(map));
            let before = A::stack_pointer(&regs);
            let (binary, may_guess) = match file {
                Some(file) => {
                    self.files.binary(file)?.as_ref().map_or((None, self.files.keeps_frames(file)), |found| (Some((file, found)), true))
                }
                None => (None, true),
            };
            let offset = map.and_then(|map| tasks.maps.get(map)).map_or(0, |mapping| mapping.file_address(looked_up));
            let step =
                binary.and_then(|(file, binary)| self.step(file, binary, binary.address_of(offset), is_caller, &mut regs, &mut stack));
            let is_start = !is_caller && binary.is_some_and(|(_, binary)| !binary.tables.is_empty());
            let is_code = |address: u64| tasks.find(view, Mode::User, address.wrapping_sub(1)).is_some_and(|map| !tasks.is_data(map));
            let went = step.unwrap_or_else(|| if may_guess { self.guess(is_start, &mut regs, &mut stack, is_code) } else { Went::Lost });
            (address, is_caller) = match went {
                // Nothing is ever mapped there: the outermost function of some programs says nothing about its caller.
                Went::To(address) if address < FIRST_ADDRESS => return Ok(Some((End::Root, guessed))),
                Went::To(address) => (address & A::ADDRESS_BITS, true),
                Went::Guessed(address) => {
                    guessed += 1;
                    (address & A::ADDRESS_BITS, true)
                }
                Went::ToInterrupted(address) => (address, false),
                Went::Root => return Ok(Some((End::Root, guessed))),
                Went::Lost if stack.is_past && raw.is_full => return Ok(Some((End::Cut, guessed))),
                Went::Lost => return Ok(Some((End::Lost(Lost { file, is_elsewhere: stack.is_outside }), guessed))),
            };
            // Callers lie further up, but for the first function of a processor that keeps return addresses in a register, and for
            // handlers of signals that have a stack of their own.
            let after = A::stack_pointer(&regs);
            if is_caller && (after < before || (after == before && n > 0)) {
                return Ok(Some((End::Lost(Lost { file, is_elsewhere: false }), guessed)));
            }
            last_file = file;
        }
        Ok(Some((End::Deep, guessed)))
    }

    /// Follows what a file says about an address; `None` where it says nothing.
    fn step(&mut self, file: u32, binary: &Binary, at: u64, is_caller: bool, regs: &mut A::Regs, stack: &mut Stack<'_>) -> Option<Went> {
        let context = &mut self.context;
        let rule = self.rules.entry((file, at)).or_insert_with(|| {
            let by_table = |(n, (table, _)): (usize, &(Table, _))| Some((n, table.rule::<A>(at, context)?));
            binary.tables.iter().enumerate().find_map(by_table)
        });
        let (n, rule) = rule.as_ref()?;
        match rule {
            Rule::Plain(saved) => {
                let unwinders = self.unwinders.entry(file).or_insert_with(|| {
                    let of_module = |(_, module): &Tables| {
                        let mut unwinder = A::Unwinder::default();
                        if let Some(module) = module {
                            unwinder.add_module(module.clone());
                        }
                        (unwinder, A::Cache::default())
                    };
                    binary.tables.iter().map(of_module).collect()
                });
                let (unwinder, cache) = unwinders.get_mut(*n)?;
                let address = if is_caller {
                    FrameAddress::from_return_address(at.wrapping_add(1))?
                } else {
                    FrameAddress::from_instruction_pointer(at)
                };
                let went = match unwinder.unwind_frame(address, regs, cache, &mut |at| stack.read(at)) {
                    Ok(Some(address)) => Went::To(address),
                    Ok(None) | Err(Error::ReturnAddressIsNull) => Went::Root,
                    Err(_) => Went::Lost,
                };
                if matches!(went, Went::To(_)) {
                    // The frame's address is the stack pointer of the caller.
                    let frame = A::stack_pointer(regs);
                    for (register, offset) in saved {
                        if let Ok(value) = stack.read(frame.wrapping_add_signed(*offset)) {
                            A::set(regs, *register, value);
                        }
                    }
                    stack.forget();
                }
                Some(went)
            }
            Rule::Written(written) => {
                let (table, _) = binary.tables.get(*n)?;
                Some(written_step::<A>(table, written, is_caller, regs, stack).unwrap_or(Went::Lost))
            }
        }
    }

    /// Goes to the caller by frame pointers, where there are no rules: code made at run time, functions and programs without unwind
    /// information. Not where the file is missing: it may well have rules, and frame pointers of other functions would skip callers.
    /// A caller counts only where `is_code` knows the address before it.
    fn guess(&mut self, is_start: bool, regs: &mut A::Regs, stack: &mut Stack<'_>, is_code: impl Fn(u64) -> bool) -> Went {
        // In a module with rules, functions without any are small ones in assembly: they have no frame.
        if is_start {
            let mut caller = *regs;
            if let Some(address) = A::just_return(&mut caller, |at| stack.read(at)).filter(|address| is_code(address & A::ADDRESS_BITS)) {
                *regs = caller;
                return Went::Guessed(address);
            }
        }
        let (unwinder, cache) = &mut self.pointers;
        // Without modules the address does not matter, and 1 is as good as any.
        let start = FrameAddress::from_instruction_pointer(1);
        let went = match unwinder.unwind_frame(start, regs, cache, &mut |at| stack.read(at)) {
            Ok(Some(address)) if is_code(address & A::ADDRESS_BITS) => Went::Guessed(address),
            Ok(None) => Went::Root,
            Ok(Some(_)) | Err(_) => Went::Lost,
        };
        // A number in the frame pointer that is none says nothing about where the copied stack ends.
        stack.forget();
        went
    }
}

/// Goes to the caller by a rule as it is written.
fn written_step<A: Arch>(table: &Table, written: &Written, is_caller: bool, regs: &mut A::Regs, stack: &mut Stack<'_>) -> Option<Went> {
    let now = *regs;
    let frame = match &written.cfa {
        CfaRule::RegisterAndOffset { register, offset } => A::get(&now, *register)?.wrapping_add_signed(*offset),
        CfaRule::Expression(expression) => evaluate::<A>(table, written, *expression, None, &now, stack)?,
    };
    let (mut return_address, mut stack_pointer) = (None, frame);
    for (register, rule) in &written.registers {
        let value = match rule {
            RegisterRule::Undefined | RegisterRule::Architectural => None,
            RegisterRule::SameValue => A::get(&now, *register),
            RegisterRule::Offset(offset) => stack.read(frame.wrapping_add_signed(*offset)).ok(),
            RegisterRule::ValOffset(offset) => Some(frame.wrapping_add_signed(*offset)),
            RegisterRule::Register(other) => A::get(&now, *other),
            RegisterRule::Constant(value) => Some(*value),
            RegisterRule::Expression(expression) => {
                let at = evaluate::<A>(table, written, *expression, Some(frame), &now, stack);
                at.and_then(|at| stack.read(at).ok())
            }
            RegisterRule::ValExpression(expression) => evaluate::<A>(table, written, *expression, Some(frame), &now, stack),
        };
        if *register == written.return_register {
            if matches!(rule, RegisterRule::Undefined) {
                return Some(Went::Root);
            }
            return_address = Some(value?);
        } else if *register == A::STACK_POINTER {
            stack_pointer = value?;
        }
        if let Some(value) = value {
            A::set(regs, *register, value);
        }
    }
    // An innermost function that calls nothing has saved nothing.
    let kept = || A::get(&now, written.return_register).filter(|_| A::RETURNS_BY_REGISTER && !is_caller);
    let Some(address) = return_address.or_else(kept).filter(|address| *address != 0) else { return Some(Went::Root) };
    A::enter(regs, stack_pointer, address);
    stack.forget();
    Some(if written.is_signal { Went::ToInterrupted(address) } else { Went::To(address) })
}

/// The value of an expression.
fn evaluate<A: Arch>(
    table: &Table,
    written: &Written,
    expression: UnwindExpression<usize>,
    start: Option<u64>,
    regs: &A::Regs,
    stack: &mut Stack<'_>,
) -> Option<u64> {
    let mut evaluation = Evaluation::new(table.expression(expression)?, written.encoding);
    // An expression may jump backwards, also for ever.
    evaluation.set_max_iterations(MAX_OPERATIONS);
    if let Some(start) = start {
        evaluation.set_initial_value(start);
    }
    let mut result = evaluation.evaluate().ok()?;
    loop {
        result = match result {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRegister { register, .. } => {
                evaluation.resume_with_register(Value::Generic(A::get(regs, register)?)).ok()?
            }
            EvaluationResult::RequiresMemory { address, size, .. } => {
                let word = stack.read(address).ok()?;
                let bits = u32::from(size.min(8)) * 8;
                let value = if bits >= 64 { word } else { word & ((1 << bits) - 1) };
                evaluation.resume_with_memory(Value::Generic(value)).ok()?
            }
            _ => return None,
        };
    }
    match evaluation.as_result().last()?.location {
        Location::Address { address } => Some(address),
        _ => None,
    }
}
