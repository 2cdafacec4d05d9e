use std::sync::Arc;

use super::*;
use crate::base::intern::StringId;
use crate::symbol::Bytes;

/// Writes numbers as the machine of the table would.
#[derive(Clone, Copy)]
struct Machine {
    is_little: bool,
    pointer: usize,
}

impl Machine {
    fn u32(self, out: &mut Vec<u8>, value: u32) {
        out.extend(if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() });
    }

    fn word(self, out: &mut Vec<u8>, value: u64) {
        if self.pointer == 4 {
            return self.u32(out, value as u32);
        }
        out.extend(if self.is_little { value.to_le_bytes() } else { value.to_be_bytes() });
    }
}

/// Steps of (value, up to here), each one byte: values are counted from −1, changes in zigzag form.
fn steps(steps: &[(i64, u8)]) -> Vec<u8> {
    let (mut value, mut end, mut out) = (-1_i64, 0, Vec::new());
    for (next, until) in steps {
        let change = next - value;
        out.extend([((change << 1) ^ (change >> 63)) as u8, until - end]);
        (value, end) = (*next, *until);
    }
    out.push(0);
    out
}

const TEXT: u64 = 0x40_1000;
const MAGICS: [(u32, Version); 4] =
    [(0xffff_fffb, Version::Go12), (0xffff_fffa, Version::Go116), (0xffff_fff0, Version::Go118), (0xffff_fff1, Version::Go120)];

/// Two functions of 32 bytes each, as the linker of that version lays them out: `main.main`, into which `main.small` was put at bytes 8
/// to 16 (and `main.tiny` into that at 12 to 16), and `main.last`. Gives the table and the lists of inlined calls.
fn made(machine: Machine, magic: u32, version: Version) -> (Vec<u8>, Vec<u8>) {
    let names = b"\0main.main\0main.last\0main.small\0main.tiny\0";
    let (main, last, small, tiny) = (1, 11, 21, 32);
    let files = b"a.go\0b.go\0";
    // Tables of main: files 0 and 1, lines, inlined calls. The first byte is unused, since offset 0 stands for "none".
    let mut lines = vec![0];
    let mut add = |bytes: Vec<u8>| {
        let at = lines.len() as u32;
        lines.extend(bytes);
        at
    };
    let first = i64::from(version == Version::Go12);
    let main_files = add(steps(&[(first, 8), (first + 1, 16), (first, 32)]));
    let main_lines = add(steps(&[(10, 8), (3, 12), (7, 16), (11, 32)]));
    let main_calls = add(steps(&[(-1, 8), (0, 12), (1, 16), (-1, 32)]));
    let last_files = add(steps(&[(first + 1, 32)]));
    let last_lines = add(steps(&[(20, 32)]));
    let is_new = version >= Version::Go118;
    let func = |entry: u64, name: u32, tables: [u32; 2], calls: Option<u32>, start_line: u32, base: u32| {
        let mut out = Vec::new();
        if is_new {
            machine.u32(&mut out, entry as u32);
        } else {
            machine.word(&mut out, entry + TEXT);
        }
        for value in [base + name, 0, 0, 0, base + tables[0], base + tables[1], 3] {
            machine.u32(&mut out, value);
        }
        if version >= Version::Go116 {
            machine.u32(&mut out, 0);
        }
        if version >= Version::Go120 {
            machine.u32(&mut out, start_line);
        }
        out.extend([0, 0, 0, 4]);
        for value in [0, 0, calls.unwrap_or(0), u32::MAX, u32::MAX, u32::MAX, calls.map_or(u32::MAX, |_| 4)] {
            machine.u32(&mut out, value);
        }
        out
    };
    let funcs = |offset: u64, base: u32| {
        let functions =
            [func(0, main, [main_files, main_lines], Some(main_calls), 9, base), func(32, last, [last_files, last_lines], None, 19, base)];
        let cell = if is_new { 4 } else { machine.pointer } as u64;
        let mut out = Vec::new();
        let mut at = offset + 5 * cell + if version == Version::Go12 { 4 } else { 0 };
        let number = |out: &mut Vec<u8>, value: u64| if is_new { machine.u32(out, value as u32) } else { machine.word(out, value) };
        for (entry, function) in [0, 32].into_iter().zip(&functions) {
            number(&mut out, if is_new { entry } else { entry + TEXT });
            number(&mut out, at);
            at += function.len() as u64;
        }
        number(&mut out, if is_new { 64 } else { 64 + TEXT });
        if version == Version::Go12 {
            machine.u32(&mut out, at as u32);
        }
        out.extend(functions.concat());
        out
    };
    let mut table = Vec::new();
    machine.u32(&mut table, magic);
    table.extend([0, 0, 1, machine.pointer as u8]);
    machine.word(&mut table, 2);
    if version == Version::Go12 {
        // One piece: functions, the list of files, then all texts and tables, counted from the header.
        let head = table.len() as u64;
        let list = 12;
        let size = funcs(head, 0).len() as u64 + head;
        let base = (size + list) as u32;
        table.extend(funcs(head, base));
        machine.u32(&mut table, 3);
        let files_at = base + (names.len() + lines.len()) as u32;
        machine.u32(&mut table, files_at);
        machine.u32(&mut table, files_at + 5);
        table.extend([names.as_slice(), &lines, files].concat());
        // Names and steps are counted from the header too, so each offset above has `base` in it.
        let shift = base + names.len() as u32;
        return (patched(table, machine, base, shift, &[main_files, main_lines, main_calls, last_files, last_lines]), Vec::new());
    }
    let mut units = Vec::new();
    machine.u32(&mut units, 0);
    machine.u32(&mut units, 5);
    machine.word(&mut table, 2);
    if is_new {
        machine.word(&mut table, TEXT);
    }
    let mut at = table.len() as u64 + 5 * machine.pointer as u64;
    for part in [names.len(), units.len(), files.len(), lines.len(), 0] {
        machine.word(&mut table, at);
        at += part as u64;
    }
    table.extend([names.as_slice(), &units, files, &lines].concat());
    table.extend(funcs(0, 0));
    let mut calls = vec![0; 4];
    for (name, parent, start) in [(small, 2, 2), (tiny, 9, 6)] {
        let words: &[u32] = if version >= Version::Go120 { &[0, name, parent, start] } else { &[0, 0, 0, name, parent] };
        for word in words {
            machine.u32(&mut calls, *word);
        }
    }
    (table, calls)
}

/// go1.2: tables lie behind the names, so their offsets move by more than those of names.
fn patched(mut table: Vec<u8>, machine: Machine, base: u32, shift: u32, tables: &[u32]) -> Vec<u8> {
    let head = 8 + machine.pointer;
    let mut at = head;
    while at + 4 <= base as usize - 12 {
        let array: [u8; 4] = table[at..at + 4].try_into().unwrap();
        let value = if machine.is_little { u32::from_le_bytes(array) } else { u32::from_be_bytes(array) };
        // Fields 4 and 5 of a function hold these; nothing else there has such values.
        if let Some(offset) = tables.iter().find(|offset| base + **offset == value)
            && is_step_field(at, head, machine)
        {
            let moved = shift + offset;
            table[at..at + 4].copy_from_slice(&if machine.is_little { moved.to_le_bytes() } else { moved.to_be_bytes() });
        }
        at += 4;
    }
    table
}

fn is_step_field(at: usize, head: usize, machine: Machine) -> bool {
    let functions = head + 5 * machine.pointer + 4;
    let size = machine.pointer + 7 * 4 + 4 + 7 * 4;
    let inside = at.checked_sub(functions).map(|past| past % size);
    inside.is_some_and(|past| past == machine.pointer + 16 || past == machine.pointer + 20)
}

fn named(go: &GoTable<'_>, address: u64) -> Vec<String> {
    let mut answer = Answer::default();
    go.levels(address, &mut Walked::default(), &mut answer);
    answer.close();
    answer.names(0)
}

fn machines() -> impl Iterator<Item = Machine> {
    [true, false].into_iter().flat_map(|is_little| [4, 8].map(|pointer| Machine { is_little, pointer }))
}

#[test]
fn every_form_gives_names_lines_and_inlined_calls() {
    for (magic, version) in MAGICS {
        for machine in machines() {
            let (table, calls) = made(machine, magic, version);
            let table = PcLine::new(&table).unwrap_or_else(|| panic!("{version:?} {}", machine.pointer));
            let text = if version >= Version::Go118 { TEXT } else { 0 };
            let go = GoTable { table, text, inlined: Some(&calls) };
            assert_eq!(named(&go, TEXT + 3), ["main.main a.go:10"], "{version:?}");
            assert_eq!(named(&go, TEXT + 31), ["main.main a.go:11"], "{version:?}");
            assert_eq!(named(&go, TEXT + 32), ["main.last b.go:20"], "{version:?}");
            assert_eq!(named(&go, TEXT + 64), Vec::<String>::new(), "behind the end");
            assert_eq!(named(&go, TEXT - 1), Vec::<String>::new(), "before the start");
            if version >= Version::Go118 {
                assert!(go.are_inlined(&calls));
                assert!(!go.are_inlined(&calls[4..]), "a wrong base must be seen");
                assert_eq!(named(&go, TEXT + 9), ["main.small b.go:3", "main.main a.go:10"], "{version:?}");
                let chain = ["main.tiny b.go:7", "main.small b.go:3", "main.main a.go:10"];
                assert_eq!(named(&go, TEXT + 13), chain, "{version:?}");
            } else {
                assert_eq!(named(&go, TEXT + 9), ["main.main b.go:3"], "{version:?}");
            }
        }
    }
}

#[test]
fn tables_that_were_walked_before_give_the_same() {
    let machine = Machine { is_little: true, pointer: 8 };
    let (table, calls) = made(machine, 0xffff_fff1, Version::Go120);
    let go = GoTable { table: PcLine::new(&table).unwrap(), text: TEXT, inlined: Some(&calls) };
    let mut walked = Walked::default();
    for past in (0..70).chain((0..70).rev()).chain([31, 3, 32, 13, 9]) {
        let mut answer = Answer::default();
        go.levels(TEXT + past, &mut walked, &mut answer);
        answer.close();
        assert_eq!(answer.names(0), named(&go, TEXT + past), "{past}");
    }
}

#[test]
fn start_lines_are_those_of_each_function() {
    let machine = Machine { is_little: true, pointer: 8 };
    let (table, calls) = made(machine, 0xffff_fff1, Version::Go120);
    let go = GoTable { table: PcLine::new(&table).unwrap(), text: TEXT, inlined: Some(&calls) };
    let mut answer = Answer::default();
    go.levels(TEXT + 13, &mut Walked::default(), &mut answer);
    answer.close();
    assert_eq!(answer.levels(0).iter().map(|level| level.start_line).collect::<Vec<_>>(), [6, 2, 9]);
    assert_eq!(answer.levels(0)[0].name, StringId::FIRST);
}

#[test]
fn damaged_tables_end_without_a_panic() {
    for (magic, version) in MAGICS {
        for machine in machines() {
            let (whole, calls) = made(machine, magic, version);
            let look = |bytes: &[u8], calls: &[u8]| {
                let Some(table) = PcLine::new(bytes) else { return };
                let go = GoTable { table, text: TEXT, inlined: Some(calls) };
                go.are_inlined(calls);
                for address in (TEXT - 4..TEXT + 80).step_by(13).chain([0, u64::MAX]) {
                    named(&go, address);
                    go.table.func(address, 0);
                }
            };
            for len in 0..whole.len() {
                look(&whole[..len], &calls);
            }
            for at in 4..whole.len() {
                for value in [0, 0x80, 0xff] {
                    let mut bytes = whole.clone();
                    bytes[at] = value;
                    look(&bytes, &calls);
                }
            }
            for at in 0..calls.len() {
                let mut calls = calls.clone();
                calls[at] = 0xff;
                look(&whole, &calls);
            }
        }
    }
}

#[test]
fn what_is_no_go_binary_has_no_table() {
    let own: Bytes = Arc::new(std::fs::read(std::env::current_exe().unwrap()).unwrap());
    if let Some(parsed) = Parsed::new(&own) {
        assert!(GoTable::new(&parsed).is_none());
    }
}
