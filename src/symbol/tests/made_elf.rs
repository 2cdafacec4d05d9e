//! Names of code that symbol tables say little of, in a program made here: labels of assembly, symbols without a size, stubs.

use super::*;

const ALLOC: u64 = 2;
const CODE: u64 = ALLOC | 4;
const PROGRAM: u32 = 1;
const SYMBOLS: u32 = 2;
const NAMES: u32 = 3;
const RELOCATIONS: u32 = 4;
const DYNAMIC_SYMBOLS: u32 = 11;

const NO_TYPE: u8 = 0x10;
const FUNCTION: u8 = 0x12;

/// A section; those that are loaded lie at their address in the file, too.
struct Section {
    name: &'static str,
    kind: u32,
    flags: u64,
    address: u64,
    bytes: Vec<u8>,
    /// Number of the section with the names.
    link: u32,
}

fn code(name: &'static str, address: u64, bytes: Vec<u8>) -> Section {
    Section { name, kind: PROGRAM, flags: CODE, address, bytes, link: 0 }
}

/// Names with their places in the table of names.
fn names(all: &[&str]) -> (Vec<u8>, Vec<u32>) {
    let (mut bytes, mut places) = (vec![0], Vec::new());
    for name in all {
        places.push(bytes.len() as u32);
        bytes.extend(name.as_bytes());
        bytes.push(0);
    }
    (bytes, places)
}

/// A symbol table and its names, of (name, info, other, section, address, size).
fn symbols(rows: &[(&str, u8, u8, u16, u64, u64)]) -> (Vec<u8>, Vec<u8>) {
    let (names, places) = names(&rows.iter().map(|row| row.0).collect::<Vec<_>>());
    let mut table = vec![0; 24];
    for ((_, info, other, section, address, size), name) in rows.iter().zip(places) {
        table.extend(name.to_le_bytes());
        table.extend([*info, *other]);
        table.extend(section.to_le_bytes());
        table.extend(address.to_le_bytes());
        table.extend(size.to_le_bytes());
    }
    (table, names)
}

/// A relocation of `slot`.
fn relocation(slot: u64, kind: u64, row: u64, addend: u64) -> Vec<u8> {
    [slot, row << 32 | kind, addend].iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A 64-bit ELF program for x86-64 with one segment that is loaded at 0.
fn program(mut sections: Vec<Section>) -> Vec<u8> {
    sections.insert(0, Section { kind: 0, flags: 0, ..code("", 0, Vec::new()) });
    sections.push(Section { kind: NAMES, flags: 0, ..code(".shstrtab", 0, Vec::new()) });
    let (bytes, places) = names(&sections.iter().map(|section| section.name).collect::<Vec<_>>());
    sections.last_mut().unwrap().bytes = bytes;
    let mut file = vec![0; 0x2000];
    let mut headers = Vec::new();
    for (section, name) in sections.iter().zip(places) {
        let offset = if section.flags & ALLOC == 0 { file.len() } else { section.address as usize };
        file.resize(file.len().max(offset + section.bytes.len()), 0);
        file[offset..offset + section.bytes.len()].copy_from_slice(&section.bytes);
        headers.extend([name, section.kind].iter().flat_map(|value| value.to_le_bytes()));
        let len = section.bytes.len() as u64;
        headers.extend([section.flags, section.address, offset as u64, len].iter().flat_map(|value| value.to_le_bytes()));
        headers.extend([section.link, 0].iter().flat_map(|value| value.to_le_bytes()));
        let entry = if matches!(section.kind, SYMBOLS | RELOCATIONS | DYNAMIC_SYMBOLS) { 24 } else { 0 };
        headers.extend([1_u64, entry].iter().flat_map(|value| value.to_le_bytes()));
    }
    let at = file.len() as u64;
    file.extend(headers);
    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    head.extend([3_u16, 62].iter().flat_map(|value| value.to_le_bytes()));
    head.extend(1_u32.to_le_bytes());
    head.extend([0, 64, at].iter().flat_map(|value| value.to_le_bytes()));
    head.extend(0_u32.to_le_bytes());
    let count = sections.len() as u16;
    head.extend([64, 56, 1, 64, count, count - 1].iter().flat_map(|value| value.to_le_bytes()));
    head.extend([1_u32, 5].iter().flat_map(|value| value.to_le_bytes()));
    head.extend([0, 0, 0, 0x2000, 0x2000, 0x1000_u64].iter().flat_map(|value| value.to_le_bytes()));
    file[..head.len()].copy_from_slice(&head);
    file
}

/// `jmp *SLOT(%rip)` at an address.
fn jump(at: u64, slot: u64) -> Vec<u8> {
    let mut bytes = vec![0xff, 0x25];
    bytes.extend((slot.wrapping_sub(at + 6) as u32).to_le_bytes());
    bytes
}

/// A program as compilers and linkers make it, with or without its full symbol table.
fn made(is_stripped: bool) -> Vec<u8> {
    let head = vec![0xff, 0x35, 0, 0, 0, 0, 0xff, 0x25, 0, 0, 0, 0, 0, 0, 0, 0];
    let tail = vec![0x68, 0, 0, 0, 0, 0xe9, 0, 0, 0, 0];
    let plt = [head, jump(0x1030, 0x4000), tail.clone(), jump(0x1040, 0x4008), tail.clone(), jump(0x1050, 0x4010), tail].concat();
    let mut marked = [vec![0xf3, 0x0f, 0x1e, 0xfa, 0xf2], jump(0x1065, 0x4018)].concat();
    marked.resize(16, 0x90);
    let got = [jump(0x1070, 0x3ff0), vec![0x66, 0x90]].concat();
    let calls = ["malloc", "_ZN3foo3barEv", "sin", "__cxa_finalize"];
    let (dynamic, dynamic_names) = symbols(&calls.map(|name| (name, FUNCTION, 0, 0, 0, 0)));
    let lazy = [relocation(0x4000, 7, 1, 0), relocation(0x4008, 37, 0, 0x10c0), relocation(0x4018, 7, 2, 0)].concat();
    let early = [relocation(0x3dc0, 8, 0, 0x1000), relocation(0x3ff0, 6, 4, 0)].concat();
    let table = |name, kind, bytes, link| Section { name, kind, flags: 0, address: 0, bytes, link };
    let mut sections = vec![
        code(".init", 0x1000, vec![0x90; 0x17]),
        code(".plt", 0x1020, plt),
        code(".plt.sec", 0x1060, marked),
        code(".plt.got", 0x1070, got),
        code(".text", 0x1080, vec![0x90; 0x100]),
        table(".dynsym", DYNAMIC_SYMBOLS, dynamic, 7),
        table(".dynstr", NAMES, dynamic_names, 0),
        table(".rela.plt", RELOCATIONS, lazy, 6),
        table(".rela.dyn", RELOCATIONS, early, 6),
        Section { flags: ALLOC, ..code(".rodata", 0x1200, vec![0; 0x20]) },
    ];
    if !is_stripped {
        let (full, full_names) = symbols(&[
            ("_init", FUNCTION, 0, 1, 0x1000, 0),
            ("label", NO_TYPE, 0, 5, 0x1080, 0),
            ("function", 0x02, 0, 5, 0x1090, 0x20),
            ("a_longer_label", NO_TYPE, 0, 5, 0x1090, 0x40),
            ("inside", NO_TYPE, 0, 5, 0x1098, 0),
            ("choose@@V_2", 0x1a, 0, 5, 0x10c0, 0x10),
            ("last", NO_TYPE, 0, 5, 0x10d0, 0),
            (".Lmark", NO_TYPE, 0, 5, 0x10d8, 0),
            ("$x", NO_TYPE, 0, 5, 0x10dc, 0),
            ("L0\u{1}", NO_TYPE, 0, 5, 0x10e0, 0),
            ("hidden", NO_TYPE, 2, 5, 0x10e4, 0),
            ("elsewhere", NO_TYPE, 0, 0xfff1, 0x10e8, 0),
            ("etext", NO_TYPE, 0, 5, 0x1180, 0),
            ("constants", NO_TYPE, 0, 10, 0x1200, 0),
        ]);
        sections.push(table(".symtab", SYMBOLS, full, 12));
        sections.push(table(".strtab", NAMES, full_names, 0));
    }
    program(sections)
}

/// The profile of one stack of these addresses, with names, and the names root first.
fn at(addresses: &[u64], file: Vec<u8>) -> (Profile, Vec<String>) {
    let mapping = Mapping { start: 0x10_0000, limit: 0x11_0000, offset: 0, pid: Some(1), ..Mapping::default() };
    let frames: Vec<_> = addresses.iter().map(|address| (mapping, "/made", 0x10_0000 + address, false)).collect();
    let machine = Machine { files: vec![("/made".to_owned(), file)], hostname: Some("here".to_owned()), ..Machine::default() };
    let named = named(&profile("6.1", &frames), &machine);
    let mut names = super::names(&named);
    names.reverse();
    (named, names)
}

#[test]
fn labels_stubs_and_symbols_without_a_size_reach_as_far_as_their_code() {
    let expected = [
        (0x1000, "_init"),
        (0x1016, "_init"),
        (0x1017, "made+0x1017"),
        (0x1020, ".plt"),
        (0x1030, "malloc@plt"),
        (0x103f, "malloc@plt"),
        (0x1040, "choose@plt"),
        // Nothing says what fills this slot.
        (0x1050, "made+0x1050"),
        (0x1060, "foo::bar@plt"),
        (0x106f, "foo::bar@plt"),
        (0x1070, "__cxa_finalize@plt"),
        (0x1077, "__cxa_finalize@plt"),
        (0x1078, "made+0x1078"),
        (0x1080, "label"),
        (0x108f, "label"),
        (0x1090, "function"),
        (0x1098, "function"),
        (0x10af, "function"),
        (0x10b0, "made+0x10b0"),
        (0x10c0, "choose@@V_2"),
        (0x10d0, "last"),
        (0x10e8, "last"),
        (0x117f, "last"),
        (0x1180, "made+0x1180"),
        (0x1200, "made+0x1200"),
    ];
    let addresses = expected.map(|(address, _)| address);
    let (_, names) = at(&addresses, made(false));
    let found: Vec<_> = addresses.into_iter().zip(names.iter().map(String::as_str)).collect();
    assert_eq!(found, expected);
}

#[test]
fn stubs_of_a_stripped_program_have_names_and_it_still_counts_as_stripped() {
    let (profile, names) = at(&[0x1000, 0x1030, 0x1060, 0x1070, 0x1080], made(true));
    assert_eq!(names, ["made+0x1000", "malloc@plt", "foo::bar@plt", "__cxa_finalize@plt", "made+0x1080"]);
    assert_eq!(profile.info.unnamed.len(), 1);
    let unnamed = &profile.info.unnamed[0];
    assert_eq!(unnamed.addresses, 2);
    assert!(unnamed.why.contains("stripped"), "{unnamed:?}");
}

#[test]
fn a_damaged_program_ends_without_a_panic() {
    let whole = made(false);
    let addresses: Vec<u64> = (0x1000..0x1200).step_by(16).collect();
    for at_byte in (0x2000..whole.len()).chain(0..0x78).chain(0x1020..0x1080) {
        for value in [0, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at_byte] = value;
            drop(at(&addresses, bytes));
        }
    }
    for len in (0..whole.len()).step_by(7) {
        drop(at(&addresses, whole[..len].to_vec()));
    }
}
