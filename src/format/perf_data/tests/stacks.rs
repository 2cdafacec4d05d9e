//! Stacks that are not simply written down: chains that come later, calls that the processor kept, copied stacks with the unwind
//! information of small modules written by hand.

use std::sync::Arc;

use super::*;
use crate::base::binaries::{Binaries, Bytes};

const KERNEL: u64 = -128_i64 as u64;
const USER: u64 = -512_i64 as u64;
const USER_DEFERRED: u64 = -640_i64 as u64;
const CALL_STACK: u64 = 1 << 11;
const HW_INDEX: u64 = 1 << 17;
const COMMON: u64 = bit::IP | bit::TID | bit::TIME | bit::CALLCHAIN;

/// A capture with one event; trailers hold pid, tid and time.
fn capture(sample_type: u64, flags: u64, branch_type: u64, regs: u64, body: impl FnOnce(&mut Writer)) -> Vec<u8> {
    pipe(false, |out| {
        out.record(records::HEADER_ATTR, 0, |out| {
            out.u32(1);
            out.u32(112);
            for word in [0, 1, sample_type, 0, 1 << SAMPLE_ID_ALL | 1 << EXCLUDE_GUEST | flags, 0, 0, 0, branch_type, regs, 0, 0] {
                out.u64(word);
            }
        });
        body(out);
    })
}

fn words(out: &mut Writer, words: &[u64]) {
    for word in words {
        out.u64(*word);
    }
}

fn thread(out: &mut Writer, tid: u32) {
    out.u32(5);
    out.u32(tid);
}

/// A sample of process 5, in the kernel where `misc` is 1.
fn sample(out: &mut Writer, misc: u16, (ip, tid, time): (u64, u32, u64), rest: &[u64]) {
    out.record(records::SAMPLE, misc, |out| {
        out.u64(ip);
        thread(out, tid);
        out.u64(time);
        words(out, rest);
    });
}

fn mapped(out: &mut Writer, misc: u16, start: u64, file: &str) {
    out.record(records::MMAP, misc, |out| {
        thread(out, 5);
        words(out, &[start, 0x1000, 0]);
        out.text(file);
        thread(out, 5);
        out.u64(0);
    });
}

/// Addresses of a sample with whether each is a return address, leaf first.
fn addresses(profile: &Profile, row: usize) -> Vec<(u64, bool)> {
    let frames = profile.stack_frames(profile.samples.stacks()[row]).map(|frame| profile.frames.at(frame));
    frames.map(|frame| (frame.address.unwrap(), frame.caller)).collect()
}

#[test]
fn chains_that_come_later_are_joined_by_thread_and_cookie() {
    let (callchain, output) = (1 << 38, 1 << 39);
    let bytes = capture(COMMON, callchain | output, 0, 0, |out| {
        // Two samples wait for one chain, one of another thread has the same cookie, one waits in vain.
        for (tid, time, cookie) in [(5, 10, 7), (5, 20, 7), (6, 30, 7), (5, 40, 8)] {
            sample(out, 1, (0x10, tid, time), &[5, KERNEL, 0x10, 0x20, USER_DEFERRED, cookie]);
        }
        for (tid, address) in [(5_u32, 0x1000), (6, 0x2000)] {
            out.record(records::CALLCHAIN_DEFERRED, 2, |out| {
                words(out, &[7, 3, USER, address, address + 0x10]);
                thread(out, tid);
                out.u64(50);
            });
        }
    });
    let profile = read(&bytes);
    let kernel = [(0x10, false), (0x20, true)];
    let with = |address: u64| [&kernel[..], &[(address, false), (address + 0x10, true)]].concat();
    let found: Vec<_> = (0..4).map(|row| addresses(&profile, row)).collect();
    assert_eq!(found, [with(0x1000), with(0x1000), with(0x2000), kernel.to_vec()]);
    assert_eq!((profile.notes.count(kind::CUT_STACKS), profile.notes.count(kind::SKIPPED)), (1, 0), "{:?}", profile.notes);
}

#[test]
fn calls_that_the_processor_kept_are_the_users_stack() {
    let rest = [4, KERNEL, 0x10, USER, 0x305, 2, 99, 0x210, 0x300, 0, 0x110, 0x200, 0];
    let check = |branch_type, expected: &[(u64, bool)], skipped| {
        let bytes = capture(COMMON | bit::BRANCH_STACK, 0, branch_type, 0, |out| sample(out, 1, (0x10, 5, 10), &rest));
        let profile = read(&bytes);
        assert_eq!(addresses(&profile, 0), expected);
        assert_eq!(profile.notes.count(kind::SKIPPED), skipped);
    };
    check(HW_INDEX | CALL_STACK, &[(0x10, false), (0x305, false), (0x210, false), (0x110, false)], 0);
    check(HW_INDEX, &[(0x10, false), (0x305, false)], 2);
}

/// A machine with one module.
struct Machine(Vec<u8>);

impl Binaries for Machine {
    fn candidates(&self, file: &str, _: Option<&str>) -> Vec<Bytes> {
        if file == "/bin/tool" { vec![Arc::new(self.0.clone())] } else { Vec::new() }
    }
    fn hostname(&self) -> Option<String> {
        None
    }
}

/// Where the module's first byte wants to be, and where its code begins behind that.
const BASE: u64 = 0x1_0000;
const CODE: u64 = 0x100;
/// Every function is so long.
const FUNCTION: u64 = 0x40;

/// Where the sections stand in the file.
const HEADER: u64 = 0x380;
const FRAMES: u64 = 0x400;

/// The forms of unwind information: with the linker's index (followed by framehop), without, and that of debug files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Indexed,
    Plain,
    Debug,
}

const FORMS: [Form; 3] = [Form::Indexed, Form::Plain, Form::Debug];

/// A file of 64 bits with one segment and sections of unwind information for functions that stand one behind the other. `start` holds
/// the rules in force at their first instruction; `step` is the length of an instruction, data is counted in steps of -8.
fn elf(machine: u16, form: Form, step: u8, return_register: u8, start: &[u8], functions: &[&[u8]]) -> Vec<u8> {
    let (section, header) = frames(form, step, return_register, start, functions);
    let mut out = Writer { bytes: b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(), is_big: false };
    let name = if form == Form::Debug { ".debug_frame" } else { ".eh_frame" };
    let index = if form == Form::Indexed { ".eh_frame_hdr" } else { ".nothing" };
    let names = format!("\0{name}\0{index}\0.names\0");
    let names_at = FRAMES + section.len().next_multiple_of(8) as u64;
    let headers_at = (names_at + names.len() as u64).next_multiple_of(8);
    for half in [3, machine, 1, 0] {
        out.u16(half);
    }
    words(&mut out, &[0, 64, headers_at]);
    out.u32(0);
    for half in [64, 56, 1, 64, 4, 3] {
        out.u16(half);
    }
    out.u32(1);
    out.u32(5);
    words(&mut out, &[0, BASE, BASE, 0x1000, 0x1000, 0x1000]);
    for (at, bytes) in [(HEADER, &header[..]), (FRAMES, &section), (names_at, names.as_bytes())] {
        out.bytes.resize(at as usize, 0);
        out.bytes.extend(bytes);
    }
    out.bytes.resize(headers_at as usize + 64, 0);
    let index_name = 2 + name.len() as u32;
    let sections = [
        (1, BASE + FRAMES, FRAMES, section.len() as u64),
        (index_name, BASE + HEADER, HEADER, header.len() as u64),
        (index_name + 1 + index.len() as u32, 0, names_at, names.len() as u64),
    ];
    for (name, address, at, size) in sections {
        out.u32(name);
        out.u32(1);
        words(&mut out, &[2, address, at, size, 0, 1, 0]);
    }
    out.bytes.resize(0x1000, 0);
    out.bytes
}

/// Unwind information and the linker's index of it.
fn frames(form: Form, step: u8, return_register: u8, start: &[u8], functions: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let mut section = Vec::new();
    let mut entry = |body: Vec<u8>| {
        let mut body = body;
        body.resize(body.len().next_multiple_of(8) + 4, 0);
        section.extend((body.len() as u32).to_le_bytes());
        section.extend(body);
        section.len()
    };
    let is_debug = form == Form::Debug;
    let id = if is_debug { u32::MAX } else { 0 };
    let head: &[u8] =
        if is_debug { &[1, 0, step, 0x78, return_register] } else { &[1, b'z', b'R', 0, step, 0x78, return_register, 1, 0x1b] };
    let mut at = entry([&id.to_le_bytes(), head, start].concat());
    // The index: version, ways of writing its numbers (relative to themselves, plain, relative to the index), place of the section.
    let mut index = vec![1, 0x1b, 0x03, 0x3b];
    index.extend(((FRAMES - HEADER) as u32 - 4).to_le_bytes());
    index.extend((functions.len() as u32).to_le_bytes());
    for (n, rules) in (0..).zip(functions) {
        let address = BASE + CODE + n * FUNCTION;
        for place in [address, BASE + FRAMES + at as u64] {
            index.extend((place.wrapping_sub(BASE + HEADER) as u32).to_le_bytes());
        }
        let body = if is_debug {
            [&0_u32.to_le_bytes()[..], &address.to_le_bytes(), &FUNCTION.to_le_bytes(), rules].concat()
        } else {
            // Places are counted from where they are written.
            let (back, here) = (at as u32 + 4, BASE + FRAMES + at as u64 + 8);
            let place = address.wrapping_sub(here) as u32;
            [&back.to_le_bytes()[..], &place.to_le_bytes(), &(FUNCTION as u32).to_le_bytes(), &[0], rules].concat()
        };
        at = entry(body);
    }
    (section, index)
}

/// Where the module was loaded.
const LOADED: u64 = 0x5500_0000_0000;
const STACK: u64 = 0x7ff0_0000_0000;
const DATA: u64 = 0x7000_0000;

/// An address in function `n` of the loaded module.
fn code(n: u64, past: u64) -> u64 {
    LOADED + CODE + n * FUNCTION + past
}

/// The stack of one sample whose registers (by number) and stack are given.
fn unwound(module: Vec<u8>, regs: &[(u32, u64)], mask: u64, stack: &[u64], room: u64) -> (Profile, Vec<(u64, bool)>) {
    let bytes = capture(COMMON | bit::REGS_USER | bit::STACK_USER, 0, 0, mask, |out| {
        mapped(out, 2, LOADED, "/bin/tool");
        // Memory that holds no code.
        mapped(out, 2 | 1 << 13, DATA, "//anon");
        let mut rest = vec![0, 2];
        rest.extend((0..64).filter(|n| mask >> n & 1 == 1).map(|n| regs.iter().find(|(at, _)| *at == n).map_or(0, |(_, value)| *value)));
        rest.push(room);
        rest.extend(stack);
        rest.resize(rest.len() + (room as usize / 8 - stack.len()), 0xdead);
        rest.push(stack.len() as u64 * 8);
        sample(out, 2, (0, 5, 10), &rest);
    });
    let ticket = Ticket::new();
    let machine = Machine(module);
    let cx = ReadCx { binaries: Some(&machine), ..ReadCx::new(&ticket) };
    let profile = PerfData.read(&Input { bytes: &bytes, name: "test" }, &cx).unwrap();
    let frames = profile.stack_frames(profile.samples.stacks()[0]).map(|frame| profile.frames.at(frame));
    let addresses = frames.filter_map(|frame| Some((frame.address?, frame.caller))).collect();
    (profile, addresses)
}

const X64_REGS: u64 = 0xff_0fff;
const ARM64_REGS: u64 = (1 << 33) - 1;

/// Function 0 keeps its caller's `rbx`, 1 has its frame on `rbx`, 2 was called by nobody.
fn x64(form: Form) -> Vec<u8> {
    let functions: [&[u8]; 3] = [&[0x0c, 7, 24, 0x83, 2], &[0x0c, 3, 32], &[0x07, 16]];
    elf(62, form, 1, 16, &[0x0c, 7, 8, 0x90, 1], &functions)
}

#[test]
fn frames_on_a_register_that_an_inner_function_saved() {
    let mut stack = [0; 14];
    (stack[1], stack[2], stack[11]) = (STACK + 0x40, code(1, 8), code(2, 8));
    for form in FORMS {
        let (profile, found) = unwound(x64(form), &[(7, STACK), (8, code(0, 4)), (1, 0x666)], X64_REGS, &stack, 0x80);
        assert_eq!(found, [(code(0, 4), false), (code(1, 8), true), (code(2, 8), true)], "{form:?}");
        assert!(profile.notes.is_empty(), "{:?}", profile.notes);
    }
}

#[test]
fn a_stack_that_goes_on_behind_a_full_copy_is_marked_and_behind_a_short_one_lost() {
    let start = [(7, STACK), (8, code(0, 4))];
    let stack = [0, STACK + 0x40, code(1, 8)];
    for (room, cut, lost) in [(24, 1, 0), (32, 0, 1)] {
        let (profile, found) = unwound(x64(Form::Indexed), &start, X64_REGS, &stack, room);
        assert_eq!(found, [(code(0, 4), false), (code(1, 8), true)]);
        assert_eq!((profile.notes.count(kind::CUT_STACKS), profile.notes.count(kind::NOT_UNWOUND)), (cut, lost), "{:?}", profile.notes);
        let root = profile.stack_frames(profile.samples.stacks()[0]).last().unwrap();
        assert_eq!(profile.frame_name(root) == "[truncated stack]", cut == 1);
    }
}

/// A leaf without a frame, callers with frames, the last return address signed (`-mbranch-protection=pac-ret`).
#[test]
fn stacks_of_aarch64() {
    let functions: [&[u8]; 4] = [&[], &[0x0e, 32, 0x9d, 4, 0x9e, 3], &[0x0e, 16, 0x9d, 2, 0x9e, 1], &[0x07, 30]];
    let signed = 0x00aa_0000_0000_0000 | code(3, 8);
    let stack = [STACK + 0x20, code(2, 8), 0, 0, 0, signed, 0, 0];
    let start = [(29, STACK), (30, code(1, 12)), (31, STACK), (32, code(0, 4))];
    for form in FORMS {
        let module = elf(183, form, 4, 30, &[0x0c, 31, 0], &functions);
        let (profile, found) = unwound(module, &start, ARM64_REGS, &stack, 0x40);
        assert_eq!(found, [(code(0, 4), false), (code(1, 12), true), (code(2, 8), true), (code(3, 8), true)], "{form:?}");
        assert!(profile.notes.is_empty(), "{:?}", profile.notes);
    }
}

/// Code made at run time has no unwind information: frame pointers lead on where they lead to code, and nowhere else.
#[test]
fn code_without_a_file_is_left_by_frame_pointers_into_code() {
    let jit = 0x6000_0000;
    for (caller, expected) in [(code(2, 8), 2), (0x1234, 1), (DATA + 8, 1)] {
        let stack = [0, 0, 0, caller];
        let (profile, found) = unwound(x64(Form::Indexed), &[(6, STACK + 16), (7, STACK), (8, jit)], X64_REGS, &stack, 0x40);
        assert_eq!(found.len(), expected, "{found:x?}");
        assert_eq!(profile.notes.count(kind::GUESSED) + 1, expected as u64);
        assert_eq!(profile.notes.count(kind::NOT_UNWOUND), 2 - expected as u64);
    }
}

/// A rule may be wrong (Go's for the way from one stack to another): what is no code called nobody.
#[test]
fn a_rule_that_leads_to_data_ends_the_stack() {
    let (profile, found) = unwound(x64(Form::Indexed), &[(7, STACK), (8, code(0, 4))], X64_REGS, &[0, 0, DATA + 8, 0], 0x40);
    assert_eq!((found, profile.notes.count(kind::NOT_UNWOUND)), (vec![(code(0, 4), false)], 1));
    let (profile, found) = unwound(x64(Form::Indexed), &[(7, STACK), (8, code(0, 4))], X64_REGS, &[0, 0, 1, 0], 0x40);
    assert_eq!((found, profile.notes.is_empty()), (vec![(code(0, 4), false)], true));
}

#[test]
fn stacks_of_32_bit_processes_and_other_processors_are_counted() {
    let (profile, found) = unwound(x64(Form::Indexed), &[(7, STACK)], 0xffff, &[0; 3], 24);
    // The sampled address stands alone.
    assert_eq!((found, profile.notes.count(kind::NOT_UNWOUND)), (vec![(0, false)], 1));
}
