mod made_elf;

use std::sync::Arc;

use super::*;
use crate::model::{Builder, Sample, Thread, check, kind};

/// A machine made of texts.
#[derive(Default)]
struct Machine {
    files: Vec<(String, Vec<u8>)>,
    map: Option<String>,
    dump: Option<Vec<u8>>,
    kernels: Vec<Kernel>,
    hostname: Option<String>,
    is_replaced: bool,
    saved: Option<&'static str>,
}

impl ModuleSource for Machine {
    fn candidates(&self, file: &str, _: Option<&str>) -> Vec<Bytes> {
        let found = self.files.iter().filter(|(name, _)| name == file);
        found.map(|(_, bytes)| Arc::new(bytes.clone()) as Bytes).collect()
    }
    fn perf_map(&self, _: i32, _: bool) -> Option<Bytes> {
        self.map.clone().map(|text| Arc::new(text.into_bytes()) as Bytes)
    }
    fn jit_dumps(&self, _: i32, _: Option<&str>, _: bool) -> Vec<Bytes> {
        self.dump.iter().map(|bytes| Arc::new(bytes.clone()) as Bytes).collect()
    }
    fn kernels(&self, _: Option<&str>, _: Option<&str>) -> Vec<Kernel> {
        self.kernels.clone()
    }
    fn hostname(&self) -> Option<String> {
        self.hostname.clone()
    }
    fn is_replaced(&self, _: &str, _: FileId) -> bool {
        self.is_replaced
    }
    fn saved_symbols(&self) -> Option<Bytes> {
        self.saved.map(|text| Arc::new(text.as_bytes().to_vec()) as Bytes)
    }
}

/// A profile of one sample whose stack has these (mapping, address, is caller) frames, root first.
fn profile(release: &str, frames: &[(Mapping, &str, u64, bool)]) -> Profile {
    let mut builder = Builder::new([("cycles", "count")]);
    builder.info.facts = vec![("osrelease".to_owned(), release.to_owned()), ("hostname".to_owned(), "here".to_owned())];
    let mut stack = None;
    for (mapping, file, address, caller) in frames {
        let file = Some(builder.string(file));
        let mapping = Some(builder.mapping(Mapping { file, ..*mapping }));
        let frame = builder.frame(Frame { mapping, address: Some(*address), caller: *caller, ..Frame::default() });
        stack = Some(builder.stack(stack, frame));
    }
    let name = builder.string("comm");
    let thread = Some(builder.thread(Thread { pid: Some(1), tid: Some(1), name }));
    builder.rows.event(Sample { stack, thread, time: Some(7), labels: None }, 0, 5);
    builder.rows.event(Sample { stack: None, thread, time: Some(8), labels: None }, 0, 0);
    builder.finish()
}

fn names(profile: &Profile) -> Vec<String> {
    profile.stack_frames(profile.samples.stacks()[0]).map(|frame| profile.frame_name(frame)).collect()
}

fn named(profile: &Profile, machine: &Machine) -> Profile {
    let named = symbolize(profile, machine, &Ticket::new()).unwrap();
    assert_eq!(check(&named), []);
    assert_eq!(named.samples.len(), profile.samples.len());
    assert_eq!((named.total(0), named.sample_types.clone()), (profile.total(0), profile.sample_types.clone()));
    assert_eq!(named.samples.threads(), profile.samples.threads());
    assert_eq!(named.samples.time_range(), profile.samples.time_range());
    let info = crate::model::Info { unnamed: named.info.unnamed.clone(), ..profile.info.clone() };
    assert_eq!((&named.info, &named.threads), (&info, &profile.threads));
    named
}

const KERNEL: &str = "ffffffff81000000 T _text\nffffffff81000100 T entry\nffffffff81000200 T leaf\nffffffff81000300 T end\nffffffffc0000000 t in_module\t[m]\n";

fn kernel(release: &str, symbols: &str) -> Kernel {
    let symbols = symbols.as_bytes().to_vec();
    let symbols: Lazy = Arc::new(move || Some(Arc::new(symbols.clone()) as Bytes));
    Kernel { release: Some(release.to_owned()), build_id: None, is_of_capture: false, stamp: None, symbols }
}

fn kernel_profile() -> Profile {
    let mapping = Mapping { start: 0xffff_ffff_8100_0000, limit: u64::MAX, offset: 0xffff_ffff_8100_0000, ..Mapping::default() };
    // The return address is the first byte of the next function: the call was the last thing that `entry` does.
    profile(
        "6.1",
        &[(mapping, "[kernel.kallsyms]", 0xffff_ffff_8100_0200, true), (mapping, "[kernel.kallsyms]", 0xffff_ffff_8100_0200, false)],
    )
}

#[test]
fn return_addresses_are_looked_up_before_themselves() {
    let machine = Machine { kernels: vec![kernel("6.1", KERNEL)], ..Machine::default() };
    let named = named(&kernel_profile(), &machine);
    assert_eq!(names(&named), ["leaf", "entry"]);
    assert!(named.notes.is_empty());
}

#[test]
fn kernel_symbols_of_another_kernel_are_not_used() {
    let moved = kernel("6.1", &KERNEL.replace("81000000", "80000000"));
    let hidden = kernel("6.1", "0000000000000000 T _text\n");
    for (kernels, reason) in [
        (vec![kernel("6.2", KERNEL)], "recorded under kernel 6.1, this machine runs 6.2"),
        (vec![moved], "started again since"),
        (vec![hidden], "kptr_restrict"),
        (vec![], "shows no kernel symbols"),
    ] {
        let named = named(&kernel_profile(), &Machine { kernels, ..Machine::default() });
        assert!(names(&named).iter().all(|name| name.contains("0x")), "{:?}", names(&named));
        let note = named.notes.iter().next().unwrap();
        assert!(note.kind == kind::NO_SYMBOLS && note.count == 2 && note.text.contains(reason), "{note:?}");
    }
}

#[test]
fn a_kernel_of_the_same_build_is_used_wherever_it_lies() {
    let mut profile = kernel_profile();
    let id = profile.strings.intern("ab01");
    for mapping in profile.mappings.as_mut_slice() {
        mapping.build_id = Some(id);
    }
    let moved = KERNEL.replace("ffffffff81", "ffffffff93");
    let same = Kernel { build_id: Some("ab01".to_owned()), ..kernel("6.1", &moved) };
    let other = Kernel { build_id: Some("cd02".to_owned()), ..kernel("6.1", KERNEL) };
    let machine = Machine { kernels: vec![other.clone(), same], ..Machine::default() };
    assert_eq!(names(&named(&profile, &machine)), ["leaf", "entry"]);
    let without = named(&profile, &Machine { kernels: vec![other], ..Machine::default() });
    assert!(without.info.unnamed[0].why.contains("another build"), "{:?}", without.info.unnamed);
}

#[test]
fn symbols_saved_with_the_capture_need_no_other_proof() {
    let saved = Kernel { release: None, is_of_capture: true, ..kernel("", KERNEL) };
    let machine = Machine { kernels: vec![saved.clone()], ..Machine::default() };
    assert_eq!(names(&named(&kernel_profile(), &machine)), ["leaf", "entry"]);
    // Unless the kernel lay elsewhere: then they are of another start.
    let moved = Kernel { symbols: kernel("", &KERNEL.replace("81000000 T _text", "80000000 T _text")).symbols, ..saved };
    assert_eq!(named(&kernel_profile(), &Machine { kernels: vec![moved], ..Machine::default() }).notes.count(kind::NO_SYMBOLS), 2);
}

#[test]
fn code_compiled_at_run_time_is_named_by_its_map() {
    let mapping = Mapping { start: 0x1000, limit: 0x9000, offset: 0, pid: Some(1), ..Mapping::default() };
    let profile = profile("6.1", &[(mapping, "//anon", 0x2010, false)]);
    let machine = Machine { map: Some("2000 20 LazyCompile:*f a.js:1\n".to_owned()), ..Machine::default() };
    assert_eq!(names(&named(&profile, &machine)), ["LazyCompile:*f a.js:1"]);
    let without = named(&profile, &Machine::default());
    assert_eq!(without.notes.count(kind::NO_SYMBOLS), 1);
}

/// A dump of one function `dumped` at 0x2000 to 0x2020, written by process `pid`.
fn dump(pid: u32) -> Vec<u8> {
    let mut bytes: Vec<u8> = [0x4a69_5444_u32, 1, 40, 62, 0, pid].iter().flat_map(|value| value.to_le_bytes()).collect();
    bytes.extend([0; 16]);
    bytes.extend([0_u32, 16 + 40 + 7].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([0; 16]);
    bytes.extend([0x2000_u64, 0x2000, 0x20, 1].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend(b"dumped\0");
    bytes
}

#[test]
fn a_dump_of_compiled_code_comes_before_the_map_and_must_be_of_the_process() {
    let mapping = Mapping { start: 0x1000, limit: 0x9000, offset: 0, pid: Some(1), ..Mapping::default() };
    let profile = profile("6.1", &[(mapping, "//anon", 0x2010, false), (mapping, "//anon", 0x3000, false)]);
    let map = Some("2000 20 mapped\n3000 10 only_in_the_map\n".to_owned());
    let machine = |pid| Machine { map: map.clone(), dump: Some(dump(pid)), ..Machine::default() };
    assert_eq!(names(&named(&profile, &machine(1))), ["only_in_the_map", "dumped"]);
    assert_eq!(names(&named(&profile, &machine(2))), ["only_in_the_map", "mapped"]);
}

#[test]
fn the_kernels_page_in_a_process_is_named_as_a_whole() {
    let mapping = Mapping { start: 0x7000, limit: 0x9000, offset: 0, pid: Some(1), ..Mapping::default() };
    let named = named(&profile("6.1", &[(mapping, "[vdso]", 0x7010, false)]), &Machine::default());
    assert_eq!(names(&named), ["[vdso]"]);
    assert!(named.notes.is_empty() && named.info.unnamed.is_empty());
}

#[test]
fn a_profile_with_all_names_stays_equal() {
    let profile = profile("6.1", &[]);
    assert!(!has_unnamed(&profile));
    assert_eq!(named(&profile, &Machine::default()), profile);
}

#[test]
fn a_file_that_is_no_binary_is_said() {
    let mapping = Mapping { start: 0x1000, limit: 0x9000, offset: 0, pid: Some(1), ..Mapping::default() };
    let profile = profile("6.1", &[(mapping, "/bin/tool", 0x2010, false)]);
    for (files, reason) in [(vec![], "not on this machine"), (vec![("/bin/tool".to_owned(), b"#!/bin/sh".to_vec())], "no program")] {
        let named = named(&profile, &Machine { files, ..Machine::default() });
        let note = named.notes.iter().next().unwrap();
        assert!(note.text.contains(reason), "{note:?}");
    }
}

/// This test program knows its own functions: their addresses come from the running code, their names from its file.
#[cfg(target_os = "linux")]
mod own_binary {
    use super::*;

    #[inline(never)]
    fn a_function_of_this_test() -> usize {
        std::hint::black_box(line!()) as usize
    }

    /// The mapping of this program that holds an address.
    fn own_mapping(address: u64) -> (Mapping, String) {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let hex = |text: &str| u64::from_str_radix(text, 16).unwrap();
        maps.lines()
            .find_map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let (start, limit) = words[0].split_once('-').unwrap();
                let mapping = Mapping { start: hex(start), limit: hex(limit), offset: hex(words[2]), pid: Some(1), ..Mapping::default() };
                (mapping.start..mapping.limit).contains(&address).then(|| (mapping, words[5].to_owned()))
            })
            .unwrap()
    }

    fn machine(hostname: &str) -> Machine {
        let path = std::env::current_exe().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let files = vec![(path.to_string_lossy().into_owned(), bytes)];
        Machine { files, hostname: Some(hostname.to_owned()), ..Machine::default() }
    }

    #[test]
    fn a_function_of_this_program_gets_its_name_file_and_line() {
        a_function_of_this_test();
        let address = a_function_of_this_test as *const () as u64;
        let (mapping, file) = own_mapping(address);
        let profile = profile("6.1", &[(mapping, &file, address, false)]);
        let named = named(&profile, &machine("here"));
        let leaf = named.stack_frames(named.samples.stacks()[0]).last().unwrap();
        assert!(named.frame_name(leaf).ends_with("own_binary::a_function_of_this_test"), "{}", named.frame_name(leaf));
        let frame = named.frames.at(leaf);
        let function = named.functions.at(frame.function.unwrap());
        assert!(named.strings.get(function.file.unwrap()).ends_with("src/symbol/tests.rs"));
        let line = frame.line as usize;
        let here = a_function_of_this_test();
        assert!(line > 0 && (line <= here && here - line < 3), "line {line} against {here}");
        assert_eq!((frame.address, frame.mapping), (Some(address), profile.frames.iter().next().unwrap().mapping));
    }

    /// Profilers that walk stacks in the kernel know the program's own addresses, viewers count from where a library was loaded; neither says where it lay.
    #[test]
    fn addresses_may_be_the_programs_own_or_count_from_where_it_was_loaded() {
        let address = a_function_of_this_test as *const () as u64;
        let (mapping, file) = own_mapping(address);
        let machine = machine("here");
        let bytes = machine.candidates(&file, None).remove(0);
        let parsed = elf::Parsed::new(&bytes).unwrap();
        let own = parsed.segments().unwrap().address_of(mapping.file_address(address));
        let from_base = Mapping { from_base: true, ..Mapping::default() };
        for (mapping, address) in
            [(Mapping::default(), own), (Mapping { limit: u64::MAX, ..Mapping::default() }, own), (from_base, own - parsed.base().unwrap())]
        {
            let named = named(&profile("6.1", &[(mapping, &file, address, false)]), &machine);
            assert!(names(&named)[0].ends_with("own_binary::a_function_of_this_test"), "{mapping:?} {:?}", names(&named));
        }
    }

    #[test]
    fn a_binary_is_trusted_by_its_build_id_or_on_the_machine_of_the_capture() {
        let address = a_function_of_this_test as *const () as u64;
        let (mapping, file) = own_mapping(address);
        let elsewhere = named(&profile("6.1", &[(mapping, &file, address, false)]), &machine("elsewhere"));
        assert!(names(&elsewhere)[0].contains("+0x"), "{:?}", names(&elsewhere));
        assert!(elsewhere.notes.iter().next().unwrap().text.contains("another machine"));
        let known = Mapping { file_id: Some(FileId::default()), ..mapping };
        let replaced = Machine { is_replaced: true, ..machine("here") };
        let replaced = named(&profile("6.1", &[(known, &file, address, false)]), &replaced);
        assert!(names(&replaced)[0].contains("+0x"), "{:?}", names(&replaced));
        assert!(replaced.info.unnamed[0].why.contains("another file lies at its path"), "{:?}", replaced.info.unnamed);
        let mut builder = Builder::new([("cycles", "count")]);
        let (path, wrong) = (builder.string(&file), builder.string("00112233"));
        let mapping = builder.mapping(Mapping { file: Some(path), build_id: Some(wrong), ..mapping });
        let frame = builder.frame(Frame { mapping: Some(mapping), address: Some(address), ..Frame::default() });
        let stack = Some(builder.stack(None, frame));
        builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
        let other_build = named(&builder.finish(), &machine("here"));
        assert!(other_build.notes.iter().next().unwrap().text.contains("another build id"), "{:?}", other_build.notes);
    }
}

#[test]
fn modules_without_symbols_are_listed_by_samples_with_what_helps() {
    let mut builder = Builder::new([("cycles", "count")]);
    let mut at = |file: &str, address: u64| {
        let file = Some(builder.string(file));
        let mapping = Mapping { file, start: 0x1000, limit: 0x9000, pid: Some(1), ..Mapping::default() };
        let mapping = Some(builder.mapping(mapping));
        builder.frame(Frame { mapping, address: Some(address), ..Frame::default() })
    };
    let (a, b, other_b, jit) = (at("/a", 0x2000), at("/b", 0x2000), at("/b", 0x2010), at("//anon", 0x3000));
    for frames in [&[a, b][..], &[b, other_b], &[b], &[jit, b], &[]] {
        let mut stack = None;
        for frame in frames {
            stack = Some(builder.stack(stack, *frame));
        }
        builder.rows.event(Sample { stack, ..Sample::default() }, 0, 1);
    }
    let named = named(&builder.finish(), &Machine::default());
    let rows: Vec<_> = named.info.unnamed.iter().map(|row| (row.module.as_str(), row.addresses, row.samples)).collect();
    // Two addresses of one module in one stack are one sample.
    assert_eq!(rows, [("/b", 2, 4), ("code compiled at run time in process 1", 1, 1), ("/a", 1, 1)]);
    assert!(named.info.unnamed.iter().all(|row| !row.why.is_empty() && !row.fix.is_empty()));
    let note = named.notes.iter().next().unwrap();
    assert_eq!((named.notes.len(), note.kind, note.count), (1, kind::NO_SYMBOLS, 4));
}

/// Advice fits what the addresses are and what wrote the capture.
#[test]
fn what_would_help_depends_on_the_format_and_the_kind_of_module() {
    let mapping = |pid| Mapping { start: 0x1000, limit: 0x2000, pid, ..Mapping::default() };
    for (format, file, pid, module, fix) in [
        ("perf-data", "", None, "no known module", "broken frame pointers"),
        ("pprof", "", None, "no known module", "nothing: only what wrote the capture"),
        ("perf-data", "//anon", Some(7), "code compiled at run time in process 7", "let the run-time compiler write perf-7.map"),
        ("perf-data", "/memfd:lib (deleted)", Some(7), "memfd:lib (deleted) in process 7", "it lay in memory alone (memfd)"),
    ] {
        let mut profile = profile("6.1", &[(mapping(pid), file, 0x1010, false)]);
        profile.info.format = format.to_owned();
        let named = named(&profile, &Machine::default());
        let [unnamed] = named.info.unnamed.as_slice() else { panic!("{:?}", named.info.unnamed) };
        assert_eq!(unnamed.module, module);
        assert!(unnamed.fix.starts_with(fix), "{format} {file}: {}", unnamed.fix);
    }
    // What a run-time compiler put there has its names.
    let profile = profile("6.1", &[(mapping(Some(7)), "/memfd:doublemapper (deleted)", 0x1010, false)]);
    let machine = Machine { map: Some("1000 100 compiled\n".to_owned()), ..Machine::default() };
    assert_eq!(names(&named(&profile, &machine)), ["compiled"]);
}

#[test]
fn who_has_the_names_depends_on_path_build_id_and_process() {
    for (file, pid, has_id, expected) in [
        ("/memfd:doublemapper (deleted)", Some(7), false, Owner::MemoryFile(7, "/memfd:doublemapper (deleted)")),
        // A program that runs from a copy of itself in memory.
        ("/memfd:tool (deleted)", Some(7), true, Owner::File("/memfd:tool (deleted)", Some("abcd"), Numbering::Own)),
        ("//anon", Some(7), false, Owner::Compiled(7)),
        ("/tree/jit-7.dump", Some(7), false, Owner::Compiled(7)),
        ("/tree/net.ko.xz", None, false, Owner::Kernel),
        ("/tree/net.ko", None, true, Owner::Kernel),
        ("/opt/org.kotlin/tool", None, false, Owner::File("/opt/org.kotlin/tool", None, Numbering::Own)),
        ("/usr/lib/libko.kon.so", None, false, Owner::File("/usr/lib/libko.kon.so", None, Numbering::Own)),
    ] {
        let mut builder = Builder::new([("cycles", "count")]);
        let build_id = has_id.then(|| builder.string("abcd"));
        let mapping = Mapping { file: Some(builder.string(file)), build_id, pid, ..Mapping::default() };
        assert_eq!(owner(&builder.finish(), &mapping), expected, "{file}");
    }
}

#[test]
fn names_of_code_that_took_the_place_of_other_code_are_said_to_be_guesses() {
    let mapping = Mapping { start: 0x1000, limit: 0x2000, pid: Some(7), ..Mapping::default() };
    let profile = profile("6.1", &[(mapping, "//anon", 0x1010, false), (mapping, "//anon", 0x1110, false)]);
    for (map, guesses) in [("1000 100 a\n1000 80 b\n1100 80 c\n", 1), ("1000 100 a\n1000 80 a\n1100 80 c\n", 0)] {
        let named = named(&profile, &Machine { map: Some(map.to_owned()), ..Machine::default() });
        assert_eq!(named.notes.count(kind::GUESSED), guesses, "{map}");
    }
}

#[test]
fn what_samply_saved_names_what_no_program_here_does() {
    let from_base = Mapping { from_base: true, ..Mapping::default() };
    let mut made =
        profile("6.1", &[(from_base, "/opt/app", 4101, false), (from_base, "/opt/app", 8200, false), (from_base, "/opt/app", 7, false)]);
    let id = made.strings.intern("abcd");
    for mapping in made.mappings.as_mut_slice() {
        mapping.build_id = Some(id);
    }
    let machine = Machine { saved: Some(saved::EXAMPLE), ..Machine::default() };
    let found = named(&made, &machine);
    assert_eq!(names(&found)[1..], ["read<T>", "serve"]);
    assert!(names(&found)[0].contains("0x7"), "{:?}", names(&found));
    assert_eq!(found.info.unnamed.iter().map(|row| row.addresses).sum::<u64>(), 1);
    // Addresses of a memory map are none that the file knows.
    let mapped = Mapping { start: 0, limit: 1 << 20, ..Mapping::default() };
    let other = profile("6.1", &[(mapped, "/opt/app", 4101, false)]);
    assert!(names(&named(&other, &machine))[0].contains("0x"));
    let damaged = named(&made, &Machine { saved: Some("{"), ..Machine::default() });
    assert!(damaged.notes.iter().any(|note| note.text.contains("samply saved cannot be read: EOF")), "{:?}", damaged.notes);
}
