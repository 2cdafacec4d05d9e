//! The contract that every reader keeps, over every sample capture and every real one beside the checkout: a new file is a new test.
//!
//! The sample captures have golden texts as well, under `tests/snapshots/formats/`; `EMBERLENS_UPDATE=1` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use emberlens::base::inflate::{DEFAULT_CAP_BYTES, peel};
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, FORMATS, HEAD_BYTES, Input, ReadCx, Sniff, pprof};
use emberlens::model::{Profile, check};
use rayon::ThreadPoolBuilder;

use crate::{corpus, naive};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All captures below the sample folders; what else lies there (sources, binaries, texts) is no capture.
pub(crate) fn samples() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("sample-profiles")).expect("the sample folder is readable") {
        let folder = entry.expect("an entry is readable").path();
        // What was captured, and the binaries that were: no captures. The series are archives of many like those beside them.
        if folder.is_dir() && !["src", "sysroot", "series"].iter().any(|name| folder.ends_with(name)) {
            walk(&folder, &mut found);
        }
    }
    found.retain(|path| path.extension().is_none_or(|ending| ending != "md"));
    found.sort();
    assert!(found.len() >= 25, "only {} sample captures were found", found.len());
    found
}

pub(crate) fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a sample folder is readable") {
        let path = entry.expect("an entry is readable").path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

pub(crate) fn read_named(bytes: &[u8], name: &str) -> Result<Profile, format::ReadError> {
    let ticket = Ticket::new();
    format::read(&Input { bytes, name }, &ReadCx::new(&ticket))
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool starts").install(work)
}

/// Shape, totals and notes of a profile as text.
fn describe(profile: &Profile) -> String {
    let mut text = String::new();
    let info = &profile.info;
    let _ = writeln!(text, "format {} in {}", info.format, info.container.name());
    let _ = writeln!(
        text,
        "{} samples, {} stack rows, {} frames, {} functions",
        profile.samples.len(),
        profile.stacks.len(),
        profile.frames.len(),
        profile.functions.len()
    );
    let _ =
        writeln!(text, "{} threads, {} label sets, duration {:?}", profile.threads.len(), profile.label_sets.len(), info.duration_nanos);
    for (row, kind) in profile.sample_types.iter().enumerate() {
        let mark = if row == profile.default_sample_type { " (default)" } else { "" };
        let _ = writeln!(text, "{}/{}{mark}: total {}, {} records", kind.name, kind.unit, profile.total(row), kind.records);
        let mut top: Vec<_> = naive::top(profile, row).into_iter().collect();
        top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        for (name, (self_, total)) in top.into_iter().take(5) {
            let _ = writeln!(text, "  {self_} {total} {name}");
        }
    }
    for note in profile.notes.iter() {
        let _ = writeln!(text, "note {} x{} at {:?}: {}", note.kind, note.count, note.first_offset, note.text);
    }
    text
}

#[test]
fn sample_captures_read_as_they_always_did() {
    let update = std::env::var_os("EMBERLENS_UPDATE").is_some();
    let mut wrong = Vec::new();
    for path in samples() {
        let relative = path.strip_prefix(root().join("sample-profiles")).expect("a sample lies in the sample folder");
        let profile = read_named(&fs::read(&path).expect("a sample is readable"), "sample")
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let golden = root().join("tests/snapshots/formats").join(relative).with_added_extension("txt");
        let text = describe(&profile);
        if update {
            fs::create_dir_all(golden.parent().expect("a golden text has a folder")).expect("the folder can be made");
            fs::write(&golden, &text).expect("the golden text can be written");
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(&text) {
            wrong.push(format!("{}:\n{text}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "these differ from their golden texts (EMBERLENS_UPDATE=1 accepts them):\n{}", wrong.join("\n"));
}

#[test]
fn content_decides_and_names_do_not() {
    for path in samples() {
        let bytes = fs::read(&path).expect("a sample is readable");
        let expected = read_named(&bytes, "unknown").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for name in ["x.pb.gz", "perf.data", "profile.txt", "a.folded", ""] {
            assert_eq!(read_named(&bytes, name).as_ref(), Ok(&expected), "{} under the name {name}", path.display());
        }
    }
}

#[test]
fn at_most_one_format_is_sure() {
    let mut all = samples();
    for format in ["pprof", "go-text", "perf-script", "perf-data", "folded"] {
        all.extend(corpus::inputs(format).into_iter().map(|entry| entry.path).filter(|path| path.is_file()));
    }
    for path in all {
        let bytes = fs::read(&path).expect("a capture is readable");
        let Ok(peeled) = peel(&bytes, DEFAULT_CAP_BYTES, &Ticket::new()) else { continue };
        let head = peeled.bytes.get(..HEAD_BYTES).unwrap_or(&peeled.bytes);
        let sure: Vec<&str> = FORMATS.iter().filter(|format| format.sniff(head) == Sniff::Yes).map(|format| format.name()).collect();
        assert!(sure.len() <= 1, "{}: {sure:?} are all sure", path.display());
    }
}

#[test]
fn one_thread_and_many_read_the_same() {
    let mut all = samples();
    for format in ["pprof", "go-text", "perf-script", "perf-data", "folded"] {
        all.extend(corpus::inputs(format).into_iter().map(|entry| entry.path).filter(|path| path.is_file()));
    }
    for path in all {
        let bytes = fs::read(&path).expect("a capture is readable");
        let one = on_threads(1, || read_named(&bytes, "x"));
        let many = on_threads(5, || read_named(&bytes, "x"));
        assert!(one == many, "{}", path.display());
        if let Ok(profile) = one {
            assert_eq!(check(&profile), [], "{}", path.display());
        }
    }
}

#[test]
fn what_is_written_as_pprof_reads_back_with_equal_values() {
    for path in samples() {
        let profile = read_named(&fs::read(&path).expect("a sample is readable"), "x").expect("a sample can be read");
        let again = read_named(&pprof::write_gz(&profile), "x").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(again.samples.len(), profile.samples.len(), "{}", path.display());
        for (row, kind) in profile.sample_types.iter().enumerate() {
            assert_eq!(again.total(row), profile.total(row), "{} {}", path.display(), kind.name);
            if profile.frames.iter().all(|frame| frame.function.is_some()) {
                assert_eq!(naive::folded(&again, row), naive::folded(&profile, row), "{} {}", path.display(), kind.name);
            }
        }
    }
}

/// A fixed sequence of numbers (xorshift64).
fn numbers(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    }
}

#[test]
fn cut_and_flipped_captures_give_an_error_or_notes_and_never_a_panic() {
    for path in samples() {
        let compressed = fs::read(&path).expect("a sample is readable");
        let peeled = peel(&compressed, DEFAULT_CAP_BYTES, &Ticket::new()).expect("a sample can be peeled");
        let ticket = Ticket::new();
        let cx = ReadCx { max_bytes: 64 << 20, ..ReadCx::new(&ticket) };
        let mut number = numbers(0x5eed ^ peeled.bytes.len() as u64);
        for input in [&compressed[..], &peeled.bytes] {
            for at in 0..64 {
                let cut = &input[..input.len() * at / 64];
                drop(format::read(&Input { bytes: cut, name: "x" }, &cx));
                let mut flipped = input.to_vec();
                let place = number(flipped.len());
                flipped[place] ^= 1 << number(8);
                if let Ok(profile) = format::read(&Input { bytes: &flipped, name: "x" }, &cx) {
                    assert_eq!(check(&profile), [], "{} flipped at {place}", path.display());
                }
            }
        }
    }
}

#[test]
fn a_cancelled_reader_says_so_and_nothing_else() {
    for path in samples() {
        let bytes = fs::read(&path).expect("a sample is readable");
        let ticket = Ticket::new();
        ticket.cancel();
        let error =
            format::read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&ticket)).expect_err("a cancelled reader gives no profile");
        assert!(error.is_cancelled(), "{}: {error}", path.display());
    }
}
