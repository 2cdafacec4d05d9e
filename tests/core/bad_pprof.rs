//! Broken and hostile pprof inputs: what the corpus expects of each, and bytes turned at random.

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, pprof, read};
use emberlens::model::{Builder, Frame, Label, LabelValue, Mapping, Profile, Sample, check};
use proptest::prelude::*;
use serde_json::Value;

use crate::corpus::folder;

/// Files of other formats among the bad ones: their readers' tests look at them.
const OTHERS: [&str; 7] = ["perf-", "script-", "folded-", "perfdata-named", "cyclic.", "empty.perf", "pprof-named.perf.data.truth"];

fn open(bytes: &[u8], name: &str, ticket: &Ticket) -> Result<Profile, ReadError> {
    read(&Input { bytes, name }, &ReadCx::new(ticket))
}

/// (file, its entry in BAD.json, its bytes)
fn bad_files() -> Vec<(String, Value, Vec<u8>)> {
    let Some(folder) = folder() else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join("bad/BAD.json")).expect("the bad files have a list");
    let list: Value = serde_json::from_str(&text).expect("the list is JSON");
    let files = list["files"].as_array().expect("a list of files");
    let ours = files.iter().filter(|file| !OTHERS.iter().any(|other| file["file"].as_str().is_some_and(|name| name.starts_with(other))));
    let found: Vec<_> = ours
        .map(|file| {
            let name = file["file"].as_str().expect("a name").to_owned();
            let bytes = std::fs::read(folder.join("bad").join(&name)).expect("a bad file is readable");
            (name, file.clone(), bytes)
        })
        .collect();
    assert!(found.len() >= 60, "only {} bad files", found.len());
    found
}

#[test]
fn bad_files_are_refused_or_read_as_the_corpus_expects() {
    let mut wrong = Vec::new();
    for (name, entry, bytes) in bad_files() {
        let result = open(&bytes, &name, &Ticket::new());
        // A file that the reference accepts may have no visible damage: a bit of a name, an address.
        let reference_accepts = entry["reference"]["pprof_parser"] == "accepted";
        // Only the container is odd there; the profile in it is whole.
        let is_whole = ["gz-in-gz", "zlib-not-gzip"].iter().any(|start| name.starts_with(start));
        match (entry["expect"].as_str().expect("an expectation"), &result) {
            ("error" | "either", Err(_)) | ("ok", Ok(_)) => {}
            ("either" | "partial", Ok(profile)) if !profile.notes.is_empty() || reference_accepts || is_whole => {}
            (expect, Ok(profile)) => wrong.push(format!("{name}: {expect} was expected, {} samples came", profile.samples.len())),
            (expect, Err(error)) => wrong.push(format!("{name}: {expect} was expected, not `{error}`")),
        }
        if let (Ok(profile), true, Some(totals)) = (&result, reference_accepts, entry["reference"]["totals"].as_object()) {
            assert_eq!(check(profile), [], "{name}");
            // The sum of these two does not fit 64 bits: the reference's total wraps around, ours is held at the limit with a note.
            let overflows = name.starts_with("overflow-sum");
            let ours: Vec<(&str, i64)> =
                profile.sample_types.iter().enumerate().map(|(row, kind)| (kind.name.as_str(), profile.total(row))).collect();
            if overflows {
                assert_eq!((ours[0].1, profile.notes.count("overflow")), (i64::MAX, 1), "{name}");
            } else if !ours.iter().all(|(kind, total)| totals.get(*kind).and_then(Value::as_i64) == Some(*total)) {
                wrong.push(format!("{name}: totals {ours:?}, wanted {totals:?}"));
            }
        }
        if let Err(error) = &result {
            println!("{name}: {error}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cancelled_ticket_stops_every_read() {
    for (name, _, bytes) in bad_files() {
        let ticket = Ticket::new();
        ticket.cancel();
        let error = open(&bytes, &name, &ticket).expect_err("nothing is read under a cancelled ticket");
        // Files that are no profile at all are refused before anything is asked.
        assert!(error.is_cancelled() || open(&bytes, &name, &Ticket::new()).is_err(), "{name}: {error}");
    }
}

#[test]
fn errors_say_what_was_found_and_where() {
    for (name, wanted) in [
        ("location-missing.pb.gz", "sample 1: names location 99, but there are only 2 (at byte 0x8)"),
        ("value-count-mismatch.pb.gz", "holds 2 values, but there are 1 sample types"),
        ("string-index-negative.pb.gz", "names string -1"),
        ("string-length-huge.pprof", "wanted 2147483648 bytes, only 3 are left (at byte 0x88)"),
        ("varint-too-long.pprof", "ten bytes without its end"),
        ("no-strings.pb.gz", "the string table: missing"),
        ("proto-cut-half.pprof", "the file is cut"),
    ] {
        let Some((_, _, bytes)) = bad_files().into_iter().find(|file| file.0 == name) else { continue };
        let error = open(&bytes, name, &Ticket::new()).expect_err(name).to_string();
        assert!(error.contains(wanted), "{name}: `{error}` does not say `{wanted}`");
    }
}

/// A small profile with everything in it: inlined frames, bare addresses, labels of each kind, two types, an empty stack.
fn small() -> Profile {
    let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
    builder.string("");
    let file = Some(builder.string("/bin/app"));
    let mapping = Some(builder.mapping(Mapping { file, start: 0x1000, limit: 0x9000, ..Mapping::default() }));
    let (main, inner) = (Some(builder.function_named("main")), Some(builder.function_named("inner")));
    let at = Frame { mapping, address: Some(0x1234), line: 7, ..Frame::default() };
    let inlined = builder.frame(Frame { function: inner, inlined: true, ..at });
    let holder = builder.frame(Frame { function: main, ..at });
    let bare = builder.frame(Frame { mapping, address: Some(0x4321), ..Frame::default() });
    let root = builder.stack(None, bare);
    let root = builder.stack(Some(root), holder);
    let leaf = builder.stack(Some(root), inlined);
    let (key, text, unit) = (builder.string("key"), builder.string("text"), builder.string("bytes"));
    let labels =
        builder.rows.label_set(&[Label { key, value: LabelValue::Text(text) }, Label { key, value: LabelValue::Number(300, Some(unit)) }]);
    for (stack, labels) in [(Some(leaf), labels), (None, None), (Some(leaf), None)] {
        builder.rows.sample(Sample { stack, labels, ..Sample::default() }, &[1, 10_000_000]);
    }
    "pprof".clone_into(&mut builder.info.format);
    builder.info.comments.push("a comment".to_owned());
    builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), 10_000_000));
    builder.default_sample_type = 1;
    builder.finish()
}

#[test]
fn cut_anywhere_a_profile_is_refused_or_read_with_a_note() {
    let bytes = pprof::write(&small());
    let whole = open(&bytes, "unknown", &Ticket::new()).expect("the whole profile is read");
    let mut partial = 0;
    for len in 1..bytes.len() {
        if let Ok(profile) = open(&bytes[..len], "unknown", &Ticket::new()) {
            // A cut between two fields cannot be seen: protobuf has no end mark.
            assert!(!profile.notes.is_empty() || profile.samples.len() < whole.samples.len(), "cut at {len}");
            assert!(profile.total(0) <= whole.total(0));
            partial += 1;
        }
    }
    assert!(partial > 10, "tables stand before samples, so cuts among the samples leave a profile: {partial}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _: Result<_, _> = open(&bytes, "unknown.pprof", &Ticket::new());
    }

    #[test]
    fn a_turned_profile_never_panics(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = pprof::write(&small());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(profile) = open(&bytes, "unknown", &Ticket::new()) {
            prop_assert_eq!(check(&profile), []);
            let again = open(&pprof::write(&profile), "unknown", &Ticket::new());
            prop_assert!(again.is_ok() || profile.sample_types.is_empty(), "{:?}", again);
        }
    }
}
