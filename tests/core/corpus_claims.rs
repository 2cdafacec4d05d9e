//! Every file of the corpus is somebody's: read and compared by a test, or left out for a reason that is written down here.
//!
//! A file that is added to the corpus and that nobody claims fails this test.

use std::collections::BTreeSet;

use emberlens::app::load::{LoadOptions, load};
use emberlens::base::ticket::Ticket;
use serde_json::Value;

use crate::{corpus, corpus_go_text, corpus_pprof};

/// Inputs of formats that are compared as a whole: the test walks all of them and says itself which it excepts.
const WHOLE_FORMATS: [(&str, &str); 3] = [
    ("perf-data", "corpus_perf_data::every_capture_says_what_perf_says"),
    ("perf-script", "corpus_text::perf_script_files_equal_the_programs_that_fold_them"),
    ("folded", "corpus_text::folded_files_equal_plain_sums"),
];

/// Inputs of further formats (by the end of their name) and the test that compares them.
const NEIGHBOURS: [(&str, &str); 14] = [
    ("sig-profiling/profile.otlp", "corpus_neighbours::a_profile_of_an_older_layout_of_opentelemetry_reads_as_its_bytes_say"),
    ("profiler/processed-3.json", "corpus_neighbours::firefox_profiles_of_the_corpus_have_the_samples_of_their_threads"),
    ("samply/ls-profile.json", "corpus_neighbours::firefox_profiles_of_the_corpus_have_the_samples_of_their_threads"),
    ("profiler/hello.cjs-20231120T211435.cpuprofile", "corpus_neighbours::v8_profiles_have_the_times_between_their_samples"),
    ("speedscope/simple.cpuprofile", "corpus_neighbours::v8_profiles_have_the_times_between_their_samples"),
    ("v8/tsc.cpuprofile", "corpus_neighbours::v8_profiles_have_the_times_between_their_samples"),
    ("speedscope/simple.speedscope.json", "corpus_neighbours::sampled_speedscope_profiles_have_the_weights_of_the_file"),
    ("speedscope/two-sampled.speedscope.json", "corpus_neighbours::sampled_speedscope_profiles_have_the_weights_of_the_file"),
    ("pyspy/compileall.speedscope.json", "corpus_neighbours::sampled_speedscope_profiles_have_the_weights_of_the_file"),
    ("speedscope/callgrind.example.log", "corpus_neighbours::names_with_and_without_numbers_read_the_same"),
    ("speedscope/callgrind.name-compression.log", "corpus_neighbours::names_with_and_without_numbers_read_the_same"),
    ("speedscope/simple.json", "corpus_neighbours::slices_of_a_trace_cover_the_time_of_their_union"),
    ("pyroscope/dump1.jfr.gz", "java::recordings_of_async_profiler_say_what_the_tool_of_the_jdk_says"),
    ("hotspot/test-multi-files.tar", "corpus_claims::an_archive_without_a_capture_says_what_it_holds"),
];

/// Inputs that no reader is for, and what the error must say so that people know where they are.
const NOT_READ: [(&str, &str); 10] = [
    ("profiler/simpleperf-cpu-clock.trace.gz", "simpleperf"),
    ("profiler/dhat.json.gz", "DHAT"),
    ("speedscope/simple-cpu-stackprof.json", "stackprof"),
    ("speedscope/simple.txt", "pmcstat"),
    ("speedscope/simple.prof", "GHC"),
    ("speedscope/simple-time-profile-deep-copy.txt", "Instruments"),
    ("inferno/java.txt", "DTrace"),
    ("inferno/sample.txt", "sample"),
    ("inferno/vtune.csv", "VTune"),
    ("inferno/utf8.prof", "GHC"),
];

/// Files beside the inputs that no test of formats reads, by format, and why.
const COMPANIONS: [(&str, &str); 4] = [
    ("go-bench", "text of the benchmark, no profile: which side is slower by another measure"),
    ("load-report", "text of the load generator, no profile"),
    ("perf-map", "read by corpus_symbols beside its capture"),
    ("binary", "read by corpus_symbols and unwind as the module of its captures"),
];

/// What other tools made of inputs, kept by their projects: the truths of the inputs were checked against them when they were made.
const GOLDENS: [&str; 4] = ["pprof", "perf-script", "folded", "perf-data"];

fn ends(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(end, _)| name.ends_with(end))
}

#[test]
fn every_file_of_the_corpus_is_claimed() {
    let Some(folder) = corpus::folder() else { return };
    let text = std::fs::read_to_string(folder.join("MANIFEST.json")).expect("the corpus has a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    let compared: BTreeSet<String> = corpus_pprof::compared().chain(corpus_go_text::compared()).collect();
    let bad = std::fs::read_to_string(folder.join("bad/BAD.json")).expect("the bad files have a list");
    let bad: Value = serde_json::from_str(&bad).expect("the list is JSON");
    let bad: BTreeSet<String> =
        bad["files"].as_array().expect("a list").iter().map(|file| format!("bad/{}", file["file"].as_str().expect("a name"))).collect();
    let (mut files, mut unclaimed) = (0, Vec::new());
    for file in manifest["files"].as_array().expect("the manifest lists files") {
        let text = |key: &str| file[key].as_str().unwrap_or_default();
        let (name, format) = (text("file"), text("format"));
        files += 1;
        let claimed = match text("kind") {
            "bad" => bad.contains(name),
            "companion" => COMPANIONS.iter().any(|(known, _)| *known == format),
            "golden" => GOLDENS.contains(&format) && !file["of"].is_null(),
            "input" => match format {
                "pprof" | "go-text" => compared.contains(name),
                "other" => ends(&NEIGHBOURS, name) || ends(&NOT_READ, name),
                _ => WHOLE_FORMATS.iter().any(|(known, _)| *known == format) && !file["truth"].is_null(),
            },
            _ => false,
        };
        if !claimed {
            unclaimed.push(format!("{} {format} {name}", text("kind")));
        }
    }
    assert!(unclaimed.is_empty(), "{} of {files} files are nobody's:\n{}", unclaimed.len(), unclaimed.join("\n"));
    println!("{files} files, all claimed");
}

/// The tests named above exist: a test that goes must not take its claim with it in silence.
#[test]
fn the_tests_that_claim_files_exist() {
    for (_, test) in WHOLE_FORMATS.iter().chain(&NEIGHBOURS) {
        let (module, name) = test.split_once("::").expect("module and name");
        let path = format!("{}/tests/core/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect("a test's source is readable");
        assert!(text.contains(&format!("#[test]\nfn {name}(")), "{test} is gone");
    }
}

#[test]
fn what_is_not_read_is_an_error_that_names_it() {
    let mut wrong = Vec::new();
    for entry in corpus::inputs("other").iter().filter(|entry| ends(&NOT_READ, &entry.name)) {
        let words = NOT_READ.iter().find(|(end, _)| entry.name.ends_with(end)).expect("it is in the list").1;
        match load(&entry.path, &LoadOptions::default(), &Ticket::new()) {
            Ok(profile) => wrong.push(format!("{}: read as {} with {} samples", entry.name, profile.info.format, profile.samples.len())),
            Err(error) if !error.reason().contains(words) => wrong.push(format!("{}: {}", entry.name, error.reason())),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_archive_without_a_capture_says_what_it_holds() {
    let Some(folder) = corpus::folder() else { return };
    let path = folder.join("third-party/other/hotspot/test-multi-files.tar");
    let error = load(&path, &LoadOptions::default(), &Ticket::new()).expect_err("there is no capture in it").reason();
    println!("{error}");
    assert!(error.contains("archive") || error.contains("tar"), "{error}");
}
