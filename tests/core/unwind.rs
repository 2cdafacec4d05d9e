//! Copied stacks against what `perf script` (libunwind) made of the same captures, and what becomes of them with other binaries or none.
//!
//! The sample `stacks-dwarf` has its program beside it, so it says the same on every machine. Captures of the corpus are compared where
//! this machine has the same binaries.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use emberlens::app::modules::LocalModules;
use emberlens::base::binaries::{Binaries, Bytes};
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::{Profile, base_name, check, kind};

use crate::corpus;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles")
}

fn sample() -> PathBuf {
    samples().join("perf-data/6.1.187/stacks-dwarf.perf.data")
}

/// The program of the sample.
fn program() -> Vec<u8> {
    fs::read(samples().join("sysroot/opt/emberlens-samples/stacks/stacks")).expect("the sample's program")
}

/// A machine on which every module is the same file.
struct One(Vec<u8>);

impl Binaries for One {
    fn candidates(&self, _: &str, _: Option<&str>) -> Vec<Bytes> {
        vec![Arc::new(self.0.clone())]
    }
    fn hostname(&self) -> Option<String> {
        None
    }
}

fn read(path: &Path, binaries: Option<&dyn Binaries>) -> Profile {
    let bytes = fs::read(path).expect("a readable capture");
    let ticket = Ticket::new();
    let cx = ReadCx { binaries, ..ReadCx::new(&ticket) };
    let profile = format::read(&Input { bytes: &bytes, name: "unknown" }, &cx).expect("a sound capture");
    assert_eq!(check(&profile), [], "{}", path.display());
    profile
}

/// `binary` with the first place of `old` replaced.
fn patched(mut binary: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = binary.windows(old.len()).position(|window| window == old).expect("the bytes to replace");
    binary[at..at + new.len()].copy_from_slice(new);
    binary
}

/// The outermost frame of a sample.
fn root_name(profile: &Profile, row: usize) -> String {
    profile.stack_frames(profile.samples.stacks()[row]).last().map_or_else(String::new, |frame| profile.frame_name(frame))
}

/// Frames of a sample as perf prints them: file and address, leaf first. perf shows callers at the byte before their return address.
fn ours(profile: &Profile, row: usize) -> Vec<(String, u64)> {
    let frames = profile.stack_frames(profile.samples.stacks()[row]);
    let shown = frames.filter_map(|frame| {
        let frame = profile.frames.at(frame);
        let mapping = frame.mapping.map(|mapping| profile.mappings[mapping]);
        // The mark of a cut stack has no address.
        let address = frame.address?;
        let in_user_code = mapping.is_none_or(|mapping| mapping.pid.is_some());
        let file = mapping.and_then(|mapping| mapping.file).map_or("[unknown]", |file| profile.strings.get(file));
        let address = address - u64::from(frame.caller && in_user_code);
        let shown =
            mapping.filter(|_| in_user_code && !file.starts_with("//anon")).map_or(address, |mapping| mapping.file_address(address));
        Some((file.to_owned(), shown))
    });
    shown.take(127).collect()
}

/// Frames of each sample in perf's text. A last line of ones is a return address of 0 that perf read where the copy had ended.
fn theirs(text: &str) -> Vec<Vec<(String, u64)>> {
    let mut samples: Vec<Vec<(String, u64)>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (line.starts_with('\t'), samples.last_mut()) {
            (true, Some(sample)) => {
                let hex = line.split_whitespace().next().unwrap_or("");
                let address = u64::from_str_radix(hex, 16).expect("an address");
                let file = line.rsplit_once('(').map_or("", |(_, file)| file.trim_end_matches(')'));
                if !line.ends_with("(inlined)") && address != u64::MAX {
                    sample.push((file.to_owned(), address));
                }
            }
            _ => samples.push(Vec::new()),
        }
    }
    samples
}

#[test]
fn copied_stacks_unwind_to_what_perf_found() {
    let folder = tempfile::tempdir().expect("a folder for a binary");
    for entry in corpus::inputs("perf-data") {
        let text = entry.path.with_file_name(format!("{}.perf-script.txt.gz", base_name(&entry.name)));
        if !text.is_file() || !entry.name.contains("dwarf") {
            continue;
        }
        // The one binary that the corpus keeps is packed; without `xz` on this machine its stacks are not compared.
        let packed = entry.path.with_file_name("hexyl.xz");
        if let Ok(output) = std::process::Command::new("xz").arg("-dc").arg(packed).output() {
            fs::write(folder.path().join("hexyl"), output.stdout).expect("a writable folder");
        }
        let binaries = LocalModules::for_capture(&entry.path, &[folder.path().to_owned()]);
        let profile = read(&entry.path, Some(&binaries));
        for note in profile.notes.iter() {
            println!("{}: {} {} {}", entry.name, note.kind, note.count, note.text);
        }
        let packed = fs::read(text).expect("a readable text");
        let peeled = emberlens::base::inflate::peel(&packed, u64::MAX, &Ticket::new()).expect("a sound gzip");
        let theirs = theirs(&String::from_utf8_lossy(&peeled.bytes));
        assert_eq!(theirs.len(), profile.samples.len(), "{}", entry.name);
        let mut wrong = Vec::new();
        for (row, theirs) in theirs.iter().enumerate() {
            let ours = ours(&profile, row);
            if ours != *theirs {
                wrong.push(format!("{} sample {row}\nours {ours:x?}\nperf {theirs:x?}", entry.name));
            }
        }
        println!("{}: {} of {} stacks are those of perf", entry.name, theirs.len() - wrong.len(), theirs.len());
        if profile.notes.count(kind::NOT_UNWOUND) > 0 {
            println!("{}: not compared, this machine has other binaries", entry.name);
            continue;
        }
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), theirs.len(), wrong.join("\n"));
    }
}

/// Frames on the stack pointer, a frame that only an expression describes, a signal handler, and more stack than was copied.
#[test]
fn every_kind_of_frame_of_the_sample_unwinds_as_in_perf() {
    let text = fs::read_to_string(samples().join("perf-script/6.1.187/stacks-dwarf.txt")).expect("perf's text of the sample");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let theirs = theirs(&lines.join("\n"));
    let binaries = LocalModules::for_capture(&sample(), &[]);
    let profile = read(&sample(), Some(&binaries));
    assert_eq!(theirs.len(), profile.samples.len());
    for (row, theirs) in theirs.iter().enumerate() {
        let mut ours = ours(&profile, row);
        // libunwind gives up on a frame whose saved registers were not copied, even where the return address was.
        let is_cut = root_name(&profile, row) == "[truncated stack]";
        if is_cut && ours.len() == theirs.len() + 1 {
            ours.pop();
        }
        assert_eq!(ours, *theirs, "sample {row}");
    }
    // perf ends such stacks in a line of ones, here a frame at their root says it.
    let cut = text.matches("ffffffffffffffff").count();
    let marked = (0..profile.samples.len()).filter(|row| root_name(&profile, *row) == "[truncated stack]").count();
    assert!(cut > 0, "the sample has stacks that were cut");
    assert_eq!((marked, profile.notes.count(kind::CUT_STACKS)), (cut, cut as u64));
    assert_eq!((profile.notes.count(kind::NOT_UNWOUND), profile.notes.count(kind::GUESSED)), (0, 0));
}

#[test]
fn without_the_right_binary_a_stack_is_the_sampled_address_and_a_note_says_why() {
    let whole = read(&sample(), Some(&One(program())));
    let build_id = [0xe8, 0x49, 0xc0, 0x3d];
    let mut other = build_id;
    other[0] ^= 1;
    let other = One(patched(program(), &build_id, &other));
    let text = One(b"no program".to_vec());
    for (binaries, reason) in [
        (None, "no binaries were given to the reader"),
        (Some(&other as &dyn Binaries), "1 files of that name have another build id"),
        (Some(&text), "the file is no program or library"),
    ] {
        let profile = read(&sample(), binaries);
        assert_eq!(profile.total(0), whole.total(0));
        for (row, (one, all)) in profile.samples.stacks().iter().zip(whole.samples.stacks()).enumerate() {
            let (one, all) = (profile.stack_frames(*one).collect::<Vec<_>>(), whole.stack_frames(*all).next());
            let address = all.map(|frame| whole.frames.at(frame).address);
            assert_eq!(
                one.iter().map(|frame| profile.frames.at(*frame).address).collect::<Vec<_>>(),
                Vec::from_iter(address),
                "sample {row}"
            );
        }
        let note = profile.notes.iter().find(|note| note.kind == kind::NOT_UNWOUND).expect("a note");
        assert_eq!(note.count, profile.samples.len() as u64);
        assert!(note.text.ends_with(&format!("/opt/emberlens-samples/stacks/stacks: {reason}")), "{}", note.text);
    }
}

#[test]
fn a_binary_without_the_linkers_index_gives_the_same_stacks() {
    let with = read(&sample(), Some(&One(program())));
    let without = read(&sample(), Some(&One(patched(program(), b".eh_frame_hdr", b".eh_frame_xxx"))));
    assert_eq!(with, without);
}

/// Numbers of an index that no linker writes: a section elsewhere, more rows than there are, rows of 8 bytes.
#[test]
fn an_index_that_is_wrong_is_not_followed() {
    let form = b"\x01\x1b\x03\x3b";
    let program = program();
    let whole = read(&sample(), Some(&One(program.clone())));
    let at = program.windows(4).position(|window| window == form).expect("the linker's index");
    for (from, bytes) in [(4, &[0xff, 0xff, 0xff, 0x7f][..]), (8, &[0xff; 4]), (2, &[4, 0x3c])] {
        let mut damaged = program.clone();
        damaged[at + from..at + from + bytes.len()].copy_from_slice(bytes);
        assert_eq!(read(&sample(), Some(&One(damaged))), whole, "{bytes:x?} at {from}");
    }
}

#[test]
fn unwinding_does_not_depend_on_the_number_of_threads() {
    let binaries = One(program());
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| read(&sample(), Some(&binaries)))
    };
    assert_eq!(on(1), on(4));
}

/// An expression that jumps back to its own start for ever: those of the signal handler's frame, whose bytes stand in the program.
#[test]
fn an_endless_expression_ends_the_stack_and_not_the_program() {
    let (fetch, jump) = ([0x0f, 4, 0x77, 0xa0, 1, 6], [0x0f, 4, 0x2f, 0xfd, 0xff, 0x06]);
    let binary = One(patched(program(), &fetch, &jump));
    let profile = read(&sample(), Some(&binary));
    let lost = profile.notes.count(kind::NOT_UNWOUND);
    let handled = |row: &usize| root_name(&profile, *row).ends_with("+0x181");
    assert!(lost > 0, "the sample has samples in a signal handler");
    assert_eq!((0..profile.samples.len()).filter(handled).count() as u64, lost);
}

/// Whatever a file with the right build id says, reading ends, every sample keeps its weight and no stack grows without end.
#[test]
fn damaged_unwind_information_costs_frames_and_nothing_else() {
    let program = program();
    let whole = read(&sample(), Some(&One(program.clone())));
    let frames = program.windows(4).position(|window| window == b"\x14\0\0\0").expect("the first entry of .eh_frame");
    let mut state = 7_u64;
    for _ in 0..200 {
        let mut damaged = program.clone();
        for _ in 0..4 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = frames + (state >> 33) as usize % (damaged.len() - frames);
            damaged[at] = (state >> 24) as u8;
        }
        let profile = read(&sample(), Some(&One(damaged)));
        assert_eq!((profile.total(0), profile.samples.len()), (whole.total(0), whole.samples.len()));
        let deepest = profile.samples.stacks().iter().map(|stack| profile.stack_frames(*stack).count()).max();
        assert!(deepest <= Some(1024 + 1), "{deepest:?} frames");
    }
}
