//! Names against the text that `perf script` printed with symbols: own captures, as far as this machine has the same files.
//!
//! Binaries count only with the build id of the capture, so on another machine fewer frames are compared, never other ones.

use emberlens::app::modules::LocalModules;
use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::{Profile, base_name, check};
use emberlens::symbol::symbolize;

use crate::corpus;

/// The capture with names, and the paragraphs of perf's text.
fn named(entry: &corpus::Entry, roots: &[std::path::PathBuf]) -> (Profile, Profile) {
    let bytes = std::fs::read(&entry.path).expect("a readable capture");
    let ticket = Ticket::new();
    let raw = format::read(&Input { bytes: &bytes, name: "unknown" }, &ReadCx::new(&ticket)).expect("a sound capture");
    let named = symbolize(&raw, &LocalModules::for_capture(&entry.path, roots), &ticket).expect("nobody cancels");
    assert_eq!(check(&named), [], "{}", entry.name);
    assert_eq!(named.samples.len(), raw.samples.len());
    for column in 0..raw.sample_types.len() {
        assert_eq!(named.samples.values(column), raw.samples.values(column), "{}", entry.name);
    }
    (raw, named)
}

/// Frames compared and frames with another name than perf's, with examples.
fn compare(entry: &corpus::Entry, profile: &Profile) -> (usize, Vec<String>) {
    let text = entry.path.with_file_name(format!("{}.perf-script.txt.gz", base_name(&entry.name)));
    let packed = std::fs::read(text).expect("a readable text");
    let peeled = emberlens::base::inflate::peel(&packed, u64::MAX, &Ticket::new()).expect("a sound gzip");
    let text = String::from_utf8_lossy(&peeled.bytes);
    let mut samples: Vec<Vec<&str>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match (line.starts_with('\t'), samples.last_mut()) {
            (true, Some(sample)) => sample.push(line),
            _ => samples.push(Vec::new()),
        }
    }
    assert_eq!(samples.len(), profile.samples.len(), "{}", entry.name);
    let (mut compared, mut wrong) = (0, Vec::new());
    for (row, lines) in samples.iter().enumerate() {
        let frames = profile.stack_frames(profile.samples.stacks()[row]).filter(|frame| !profile.frames.at(*frame).inlined);
        for (frame, line) in frames.zip(lines) {
            let Some((_, rest)) = line.trim_start().split_once(' ') else { continue };
            let Some((symbol, module)) = rest.rsplit_once(" (") else { continue };
            let theirs = symbol.rsplit_once("+0x").map_or(symbol, |(name, _)| name);
            // A return address at the start of a function: perf names that function, we the one that called.
            let is_after_call = profile.frames.at(frame).caller && symbol.ends_with("+0x0");
            if theirs == "[unknown]" || is_after_call || profile.frames.at(frame).function.is_none() {
                continue;
            }
            compared += 1;
            let ours = profile.frame_name(frame);
            if ours != theirs {
                wrong.push(format!("{}: ours {ours}, perf {theirs} ({module}", entry.name));
            }
        }
    }
    (compared, wrong)
}

/// Part of the frames that may differ. The reasons found: perf looks callers up at the return address itself and so names the next
/// function where a call is the last thing a function does; it settles some aliases by the order of its tree (`__libc_openat64` for
/// `__GI___openat64`, `__pi_memset` for `memset`); overlapping rows of a perf map (code compiled again) can be taken either way; and
/// its C++ demangler writes `0u` for `(unsigned int)0`.
const OTHER_NAMES: f64 = 0.01;

#[test]
fn names_are_those_that_perf_prints() {
    let folder = tempfile::tempdir().expect("a folder for a binary");
    let mut found = 0;
    for entry in corpus::inputs("perf-data") {
        let text = entry.path.with_file_name(format!("{}.perf-script.txt.gz", base_name(&entry.name)));
        if !text.is_file() || entry.path.is_dir() || entry.name.contains("dwarf") {
            continue;
        }
        // The one binary that the corpus keeps is packed; without `xz` on this machine its frames stay addresses.
        let packed = entry.path.with_file_name("hexyl.xz");
        let binary = folder.path().join("hexyl");
        if !binary.exists()
            && let Ok(output) = std::process::Command::new("xz").arg("-dc").arg(packed).output()
        {
            std::fs::write(&binary, output.stdout).expect("a writable folder");
        }
        let (_, profile) = named(&entry, &[folder.path().to_owned()]);
        let (compared, wrong) = compare(&entry, &profile);
        found += compared;
        println!("{}: {compared} frames compared, {} differ", entry.name, wrong.len());
        for note in profile.notes.iter().filter(|note| note.kind == emberlens::model::kind::NO_SYMBOLS) {
            println!("    {} {}", note.count, note.text);
        }
        let allowed = (compared as f64 * OTHER_NAMES) as usize;
        assert!(
            wrong.len() <= allowed,
            "{} of {compared} differ:\n{}",
            wrong.len(),
            wrong.into_iter().take(20).collect::<Vec<_>>().join("\n")
        );
    }
    println!("{found} frames compared");
}
