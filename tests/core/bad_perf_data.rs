//! Broken and hostile `perf.data`: what the corpus expects of each, cuts and turned bytes, cancel, and the number of threads.

use emberlens::base::ticket::Ticket;
use emberlens::format::{self, Input, ReadCx, ReadError};
use emberlens::model::{Profile, check, kind};
use proptest::prelude::*;
use serde_json::Value;

use crate::corpus::folder;

fn open(bytes: &[u8]) -> Result<Profile, ReadError> {
    let ticket = Ticket::new();
    // Nothing here needs more: a lie about sizes would.
    format::read(&Input { bytes, name: "unknown" }, &ReadCx { max_bytes: 64 << 20, ..ReadCx::new(&ticket) })
}

/// Small captures of the corpus: a file, a pipe, compressed records, copied stacks.
fn small() -> Vec<Vec<u8>> {
    let Some(folder) = folder() else { return Vec::new() };
    let names = [
        "captured/perf-data/xz-level1-fp.perf.data",
        "third-party/perf-data/perf_data_converter/perf.data.piped.header_features-4.16",
        "third-party/perf-data/linux-perf-data/sleep.compressed.pipe.data",
        "third-party/perf-data/perfparser/contentsize.data",
    ];
    names.iter().map(|name| std::fs::read(folder.join(name)).expect("a file of the corpus is readable")).collect()
}

#[test]
fn bad_captures_are_refused_or_read_as_the_corpus_expects() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("bad/BAD.json")).expect("the bad files have a list");
    let list: Value = serde_json::from_str(&text).expect("the list is JSON");
    let mut seen = 0;
    for entry in list["files"].as_array().expect("a list") {
        let name = entry["file"].as_str().expect("a name");
        if !(name.starts_with("perf-") || name.starts_with("perfdata-") || name == "empty.perf.data") {
            continue;
        }
        seen += 1;
        let result = open(&std::fs::read(folder.join("bad").join(name)).expect("a bad file is readable"));
        match (entry["expect"].as_str().expect("an expectation"), &result) {
            ("error" | "either", Err(error)) => println!("{name}: {error}"),
            ("ok" | "partial" | "either", Ok(profile)) => {
                assert_eq!(check(profile), [], "{name}");
                let notes: Vec<&str> = profile.notes.iter().map(|note| note.text.as_str()).collect();
                println!("{name}: {} samples, {notes:?}", profile.samples.len());
            }
            (expect, result) => panic!("{name}: {expect} was expected, not {:?}", result.as_ref().map(|profile| profile.samples.len())),
        }
        // The capture behind all of these has 238 samples; each count is what stands before the damage.
        let samples = result.map_or(0, |profile| profile.samples.len());
        match name {
            "perf-data-size-zero.perf.data" | "perf-cut-tail.perf.data" | "perf-data-size-huge.perf.data" => {
                assert_eq!(samples, 238, "{name}");
            }
            "perf-cut-half.perf.data" => assert!((50..238).contains(&samples), "{name}: {samples}"),
            _ => {}
        }
    }
    assert!(seen >= 15, "only {seen} bad captures");
}

#[test]
fn a_cut_capture_gives_the_samples_before_the_cut() {
    for bytes in small() {
        let whole = open(&bytes).expect("a sound capture").samples.len();
        for step in 0..64 {
            let cut = bytes.len() * step / 64;
            if let Ok(profile) = open(&bytes[..cut]) {
                assert_eq!(check(&profile), []);
                assert!(profile.samples.len() <= whole);
            }
        }
        let almost = open(&bytes[..bytes.len() - 1]).expect("one byte less is no reason to refuse");
        assert!(almost.samples.len() + 1 >= whole || almost.notes.count(kind::TRUNCATED) > 0);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let Some(folder) = folder() else { return };
    for name in
        ["captured/perf-data/xz-threads-fp.perf.data", "third-party/perf-data/perf_data_converter/multi-event-single-process.perf.data"]
    {
        let bytes = std::fs::read(folder.join(name)).expect("a file of the corpus is readable");
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| open(&bytes).expect("a sound capture"))
        };
        let one = with(1);
        for threads in [2, 3, 8] {
            assert!(with(threads) == one, "{name} with {threads} threads");
        }
    }
}

#[test]
fn a_cancelled_ticket_stops_the_reading() {
    for bytes in small() {
        let ticket = Ticket::new();
        ticket.cancel();
        let error = format::read(&Input { bytes: &bytes, name: "unknown" }, &ReadCx::new(&ticket)).expect_err("it was cancelled");
        assert!(error.is_cancelled(), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_turned_capture_never_panics(which in 0_usize..4, turns in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40)) {
        if let Some(mut bytes) = small().into_iter().nth(which) {
            for (at, value) in turns {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Ok(profile) = open(&bytes) {
                prop_assert_eq!(check(&profile), []);
            }
        }
    }

    #[test]
    fn random_bytes_behind_the_magic_never_panic(is_pipe in any::<bool>(), tail in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut bytes = b"PERFILE2".to_vec();
        bytes.extend(if is_pipe { 16_u64 } else { 104 }.to_le_bytes());
        bytes.extend(tail);
        if let Ok(profile) = open(&bytes) {
            prop_assert_eq!(check(&profile), []);
        }
    }
}
