//! Damaged and odd text: what the list of hostile inputs expects, and how much of each is still read.

use std::collections::BTreeMap;
use std::io::Write as _;

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, read};
use emberlens::model::{Profile, check, kind};
use serde_json::Value;

use crate::corpus::folder;

fn open(bytes: &[u8], name: &str) -> Result<Profile, ReadError> {
    read(&Input { bytes, name }, &ReadCx::new(&Ticket::new()))
}

/// Bytes of one of the hostile files; `None` without the corpus.
fn bytes(name: &str) -> Option<Vec<u8>> {
    Some(std::fs::read(folder()?.join("bad").join(name)).expect("a corpus file is readable"))
}

/// The list of hostile inputs: (name, expectation).
fn listed() -> Vec<(String, String)> {
    let Some(folder) = folder() else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join("bad/BAD.json")).expect("the list is readable");
    let list: Value = serde_json::from_str(&text).expect("the list is JSON");
    let list = list.as_array().or_else(|| list["files"].as_array()).expect("the list is a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    list.iter().map(|entry| (text(&entry["file"]), text(&entry["expect"]))).collect()
}

#[test]
fn hostile_texts_meet_their_expectation() {
    let mut seen = 0;
    for (name, expected) in listed() {
        let is_text = name.starts_with("script-") || name.starts_with("folded-");
        let Some(bytes) = bytes(&name).filter(|_| is_text) else { continue };
        seen += 1;
        let result = open(&bytes, &name);
        if let Ok(profile) = &result {
            assert_eq!(check(profile), [], "{name}");
            assert!(!profile.samples.is_empty(), "{name}");
        }
        match (expected.as_str(), &result) {
            ("ok", Ok(_)) | ("error", Err(_)) | ("either", _) => {}
            ("partial", Ok(profile)) => assert!(profile.notes.count(kind::TRUNCATED) > 0, "{name}: {:?}", profile.notes),
            _ => panic!("{name}: wanted {expected}, found {:?}", result.map(|profile| profile.samples.len())),
        }
    }
    assert!(seen >= 20 || folder().is_none(), "only {seen} hostile texts");
}

/// What is no text of ours is not taken for it, whatever its name is.
#[test]
fn other_hostile_files_are_no_text() {
    for (name, expected) in listed() {
        if name.starts_with("script-") || name.starts_with("folded-") {
            continue;
        }
        let Some(bytes) = bytes(&name) else { continue };
        for name in [name.as_str(), "x.folded", "x.perf", "x.txt"] {
            let result = open(&bytes, name);
            let taken = result.as_ref().is_ok_and(|profile| matches!(profile.info.format.as_str(), "folded" | "perf-script"));
            assert!(!taken, "{name} ({expected})");
        }
    }
}

/// All of these hold the same capture, in other encodings and with other line ends.
#[test]
fn encodings_and_line_ends_do_not_change_what_is_read() {
    let Some(crlf) = bytes("script-crlf.txt") else { return };
    let plain = open(&crlf, "script-crlf.txt").expect("readable");
    assert_eq!((plain.total(0), plain.samples.len()), (294_589_176, 147));
    for name in ["script-cr-only.txt", "script-mixed-eol.txt", "script-utf16le.txt", "script-utf8-bom.txt"] {
        let profile = open(&bytes(name).expect("there"), name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(profile == plain, "{name}");
    }
    // Zero bytes stand for blanks in the one, commas for all points (in names too) in the other.
    for (name, repaired) in [("script-nul.txt", true), ("script-locale-comma.txt", false)] {
        let profile = open(&bytes(name).expect("there"), name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(profile.samples == plain.samples, "{name}");
        assert_eq!(profile.notes.count(kind::REPAIRED) > 0, repaired, "{name}");
    }
    // Without blank lines and without call chains the first lines still tell the samples apart.
    for name in ["script-no-blank-lines.txt", "script-headers-only.txt"] {
        let profile = open(&bytes(name).expect("there"), name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((profile.total(0), profile.samples.len()), (plain.total(0), plain.samples.len()), "{name}");
    }
    let without = open(&bytes("script-headers-only.txt").expect("there"), "x").expect("readable");
    assert_eq!(without.notes.count(kind::NO_STACK), plain.samples.len() as u64);
}

#[test]
fn a_cancelled_read_of_a_large_text_stops() {
    let line = b"cc1  4347  2440.176139:    2004008 cpu-clock:ppp: \n\t            4970 call_init+0x20 (/usr/lib/ld.so)\n\n";
    for bytes in [line.repeat(40_000), b"main;f;g 12\n".repeat(400_000)] {
        let ticket = Ticket::new();
        ticket.cancel();
        let result = read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&ticket));
        assert!(result.is_err_and(|error| error.is_cancelled()));
        // Early, whatever the machine does besides: a read that goes on to its end asks many times more often.
        let whole = Ticket::new();
        assert!(read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&whole)).is_ok());
        assert!(ticket.checks() * 4 <= whole.checks(), "{} of {} checks", ticket.checks(), whole.checks());
    }
}

/// Value of every stack, outermost frame first.
fn by_stack(profile: &Profile) -> BTreeMap<String, Vec<i64>> {
    let mut found = BTreeMap::<String, Vec<i64>>::new();
    for row in 0..profile.samples.len() {
        let mut names: Vec<_> =
            profile.stack_frames(profile.samples.stacks()[row]).map(|frame| profile.frame_name(frame).clone()).collect();
        names.reverse();
        let values = found.entry(names.join(";")).or_default();
        values.extend((0..profile.sample_types.len()).map(|column| profile.samples.values(column)[row]).filter(|&value| value != 0));
    }
    found
}

#[test]
fn text_out_of_a_cut_gzip_file_holds_nothing_that_the_whole_does_not() {
    let folded: String = (0..400).map(|row| format!("main;f{};g{row} {}\n", row % 7, 100_000 + row * 7919)).collect();
    let script: String = (0..200)
        .map(|row| {
            format!(
                "app {0} [001] 7.{0:06}: {0} cycles: \n\tffff{0:04x} inner{0}+0x1 (/bin/app)\n\tffee{0:04x} outer{0}+0x1 (/bin/app)\n\n",
                1000 + row
            )
        })
        .collect();
    let heap: String = (0..200)
        .map(|row| format!("{0}: {1} [{0}: {1}] @ 0x{1:x}\n#\t0x{1:x}\tmain.f{0}+0x1\t/a.go:{0}\n\n", row + 1, (row + 1) * 4096))
        .collect();
    let heap = format!("heap profile: 200: 82329600 [200: 82329600] @ heap/1\n{heap}");
    for (name, text) in [("a.folded", folded), ("a.script", script), ("a.heap.txt", heap)] {
        let whole = by_stack(&open(text.as_bytes(), name).unwrap());
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        let (mut read, mut cut) = (0, 0);
        for end in (packed.len() / 3..packed.len() - 8).step_by(13) {
            let Ok(profile) = open(&packed[..end], name) else { continue };
            read += 1;
            cut += profile.notes.count(kind::TRUNCATED);
            for (stack, values) in by_stack(&profile) {
                let all = whole.get(&stack).unwrap_or_else(|| panic!("{name} cut at {end}: {stack} {values:?}"));
                assert!(values.iter().all(|value| all.contains(value)), "{name} cut at {end}: {stack} {values:?} of {all:?}");
            }
        }
        assert!(read > 10 && cut > 10, "{name}: {read} were read, {cut} say that a record was cut");
    }
}
