//! Damaged and odd text: what the list of hostile inputs expects, and how much of each is still read.

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
