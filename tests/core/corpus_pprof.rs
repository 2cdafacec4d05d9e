//! Real pprof files against what the reference parser and `pprof -top` say about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, ReadError, pprof, read};
use emberlens::model::{FrameId, Label, LabelSetId, LabelValue, Profile};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::corpus::{Entry, inputs};

/// Files of the older forms: the reference takes no names from text, so where its truth has none, ours are compared by address.
const LEGACY: &[&str] = &[
    "pprof/cppbench.cpu",
    "pprof/cppbench.heap",
    "pprof/go.crc32.cpu",
    "pprof/gobench.heap",
    "pprof/java.contention",
    "pprof/java.cpu",
    "pprof/cppbench.thread.all",
    "pprof/go.godoc.thread",
    "pprof/driver.cppbench.small.contention",
    "compile/go1.22.heap-debug1.txt.gz",
    "gperftools/xz.cpu.prof",
    "gperftools/sqlite.0001.heap",
    "gperftools/sqlite.0004.heap",
];

/// The reference refuses these; the truth has jeprof's totals, which `jemalloc_totals_equal_jeprofs` compares.
const JEMALLOC: &[&str] = &["jemalloc/sqlite.heap", "pprofutils/jemalloc.heap"];

/// The reference joins threads with equal stacks into one sample; here each thread is one, with its name. All sums are compared.
const THREADS: &str = "pprof/cppbench.thread.all";

/// Inputs of a Go fuzz test, kept as Go source text: no profile as they stand.
const FUZZ_TEXT: &str = "dd-trace-go/fuzzdelta-";

/// The reference refuses the file ("found function with reserved ID=0"); its writer leaves out all ids of functions. We number them.
const WITHOUT_FUNCTION_IDS: &str = "convert/dotnet-pprof-3.pb.gz";

/// Fewer compared files than this mean that the corpus or this test broke.
const AT_LEAST_FILES: usize = 150;

fn open(entry: &Entry) -> Result<Profile, ReadError> {
    let bytes = std::fs::read(&entry.path).expect("a corpus file is readable");
    read(&Input { bytes: &bytes, name: &entry.name }, &ReadCx::new(&Ticket::new()))
}

fn is_legacy(name: &str) -> bool {
    name.contains("go-text/") || LEGACY.iter().any(|ending| name.ends_with(ending))
}

/// The files that the reference reads, with their profiles and truths, read once for all tests.
fn profiles() -> &'static [(String, Profile, Value)] {
    static PROFILES: OnceLock<Vec<(String, Profile, Value)>> = OnceLock::new();
    let skipped = |name: &str| {
        name.contains(FUZZ_TEXT) || name.ends_with(WITHOUT_FUNCTION_IDS) || JEMALLOC.iter().any(|ending| name.ends_with(ending))
    };
    PROFILES.get_or_init(|| {
        let mut profiles = Vec::new();
        for entry in inputs("pprof").into_iter().chain(inputs("go-text")).filter(|entry| !skipped(&entry.name)) {
            let mut truth = entry.truth.clone().expect("every pprof file has a truth");
            let mut truth = if truth["go_text"].is_null() { truth["pprof"].take() } else { truth["go_text"]["pprof"].take() };
            // `corpus_go_text` compares what the reference refuses: dumps, and threadcreate with an empty stack.
            if entry.name.contains("go-text/") && truth["reference_parser"] == "error" {
                continue;
            }
            let profile = open(&entry).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
            if is_legacy(&entry.name) {
                truth["legacy"] = true.into();
                truth["by_address"] = (truth["functions"] == 0).into();
            }
            profiles.push((entry.name, profile, truth));
        }
        profiles
    })
}

/// Names of all files that a test here compares or holds to what they are instead.
pub(crate) fn compared() -> impl Iterator<Item = String> {
    let own = |name: &str| {
        name.contains(FUZZ_TEXT) || name.ends_with(WITHOUT_FUNCTION_IDS) || JEMALLOC.iter().any(|ending| name.ends_with(ending))
    };
    let others = inputs("pprof").into_iter().map(|entry| entry.name).filter(move |name| own(name));
    profiles().iter().map(|(name, ..)| name.clone()).chain(others)
}

/// Runs `check` on every file; what it says is wrong fails the test, all files together.
fn for_every_profile(mut check: impl FnMut(&str, &Profile, &Value) -> Vec<String>) {
    let (mut compared, mut wrong) = (0, Vec::new());
    for (name, profile, truth) in profiles() {
        compared += 1;
        assert_eq!(truth["reference_parser"], "accepted", "{name}");
        wrong.extend(check(name, profile, truth).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= AT_LEAST_FILES || crate::corpus::folder().is_none(), "only {compared} files were compared");
}

fn expect<T: PartialEq + std::fmt::Debug>(wrong: &mut Vec<String>, what: &str, found: T, wanted: T) {
    if found != wanted {
        wrong.push(format!("{what}: found {found:?}, wanted {wanted:?}"));
    }
}

/// The reference's name of a frame: the function's, or the bare address.
fn name(profile: &Profile, truth: &Value, frame: FrameId) -> String {
    let frame = profile.frames.at(frame);
    match frame.function.filter(|_| truth["by_address"] != true) {
        Some(function) => profile.function_name(function).to_owned(),
        None => format!("{:#x}", frame.address.unwrap_or(0)),
    }
}

/// (type, unit) as the truth writes it, and its row.
fn types(truth: &Value) -> impl Iterator<Item = (usize, String, &Value)> {
    truth["types"].as_array().into_iter().flatten().enumerate().map(|(row, kind)| {
        let text = |key: &str| kind[key].as_str().unwrap_or_default().to_owned();
        (row, format!("{}/{}", text("type"), text("unit")), kind)
    })
}

/// The end of the mapping that the reference invents.
const EVERYTHING: &str = "0xffffffffffffffff";

/// File, start and end of each mapping.
fn mapping_list(truth: &Value) -> impl Iterator<Item = (&str, &str, &str)> {
    truth["mapping_list"].as_array().into_iter().flatten().map(|mapping| {
        let text = |key: &str| mapping[key].as_str().unwrap();
        (text("file"), text("start"), text("limit"))
    })
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("wanted an integer, found {value}"))
}

#[test]
fn counts_types_totals_and_head_equal_the_reference() {
    for_every_profile(|file, profile, truth| {
        let mut wrong = Vec::new();
        let kinds: Vec<String> = profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)).collect();
        let wanted: Vec<String> = truth["sample_types"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_owned()).collect();
        expect(&mut wrong, "sample types", kinds, wanted);
        if !file.ends_with(THREADS) {
            expect(&mut wrong, "samples", profile.samples.len() as i64, int(&truth["samples"]));
        }
        let without = profile.samples.stacks().iter().filter(|stack| stack.is_none()).count();
        expect(&mut wrong, "samples without a stack", without as i64, int(&truth["samples_without_location"]));
        // Rows of equal content are one row here: one file was merged from runs of a program, the other has a function for each use.
        let mut merged = if file.ends_with("pprof/large.cpu") { 2 } else { 0 };
        // The reference invents a mapping around all addresses that have none.
        merged += i64::from(truth["legacy"] == true && mapping_list(truth).any(|(file, _, limit)| file.is_empty() && limit == EVERYTHING));
        expect(&mut wrong, "mappings", profile.mappings.len() as i64 + merged, int(&truth["mappings"]));
        let merged = if file.ends_with("pprofutils/folded.in.pprof") { 3 } else { 0 };
        if truth["by_address"] != true {
            expect(&mut wrong, "functions", profile.functions.len() as i64 + merged, int(&truth["functions"]));
        }
        let depth = profile.samples.stacks().iter().map(|stack| profile.stack_frames(*stack).count()).max().unwrap_or(0);
        expect(&mut wrong, "depth", depth as i64, int(&truth["max_frames_in_a_stack"]));

        let by_name = |name: &str| profile.sample_types.iter().position(|kind| kind.name == name);
        let default = by_name(truth["default_sample_type"].as_str().unwrap()).unwrap_or(profile.sample_types.len().saturating_sub(1));
        expect(&mut wrong, "default", profile.default_sample_type, default);

        let info = &profile.info;
        let period = info.period.clone().unwrap_or_default();
        expect(&mut wrong, "period", period.2, int(&truth["period"]));
        expect(&mut wrong, "period type", format!("{}/{}", period.0, period.1), truth["period_type"].as_str().unwrap_or("/").to_owned());
        expect(&mut wrong, "start", info.start_unix_nanos.unwrap_or(0), int(&truth["time_nanos"]));
        expect(&mut wrong, "duration", info.duration_nanos.unwrap_or(0), int(&truth["duration_nanos"]));
        expect(&mut wrong, "drop", info.drop_frames.clone().unwrap_or_default(), truth["drop_frames"].as_str().unwrap().to_owned());
        expect(&mut wrong, "keep", info.keep_frames.clone().unwrap_or_default(), truth["keep_frames"].as_str().unwrap().to_owned());
        let comments: Vec<&str> = truth["comments"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        expect(&mut wrong, "comments", info.comments.iter().map(String::as_str).collect(), comments);

        let mappings: Vec<(&str, String, String)> = profile
            .mappings
            .iter_ids()
            .map(|(id, row)| (profile.mapping_file(id), format!("{:#x}", row.start), format!("{:#x}", row.limit)))
            .collect();
        for (file, start, limit) in mapping_list(truth).filter(|(_, _, limit)| *limit != EVERYTHING) {
            let wanted = (file, start.to_owned(), limit.to_owned());
            expect(&mut wrong, &format!("mapping {wanted:?}"), mappings.contains(&wanted), true);
        }
        for (row, kind, wanted) in types(truth) {
            let values = profile.samples.values(row);
            expect(&mut wrong, &kind, profile.total(row), int(&wanted["total"]));
            expect(&mut wrong, &kind, profile.gross_total(row), wanted["total_abs"].as_u64().unwrap());
            expect(&mut wrong, &kind, values.iter().filter(|&&value| value < 0).count() as i64, int(&wanted["negative_samples"]));
            if !file.ends_with(THREADS) {
                expect(&mut wrong, &kind, profile.sample_types[row].records as i64, int(&wanted["nonzero_samples"]));
            }
        }
        wrong
    });
}

#[test]
fn stacks_equal_the_reference_by_digest() {
    for_every_profile(|file, profile, truth| {
        let mut wrong = Vec::new();
        for (row, kind, wanted) in types(truth) {
            let mut stacks = BTreeMap::<Vec<u8>, i128>::new();
            for (stack, &value) in profile.samples.stacks().iter().zip(profile.samples.values(row)).filter(|(_, value)| **value != 0) {
                let mut names: Vec<String> =
                    profile.stack_frames(*stack).map(|frame| name(profile, truth, frame).replace(';', ":")).collect();
                names.reverse();
                *stacks.entry(names.join(";").into_bytes()).or_default() += i128::from(value);
            }
            expect(&mut wrong, &kind, stacks.len() as i64, int(&wanted["unique_nonzero_stacks"]));
            let mut lines: Vec<Vec<u8>> = stacks.iter().map(|(stack, value)| [stack, format!(" {value}\n").as_bytes()].concat()).collect();
            lines.sort_unstable();
            let digest = Sha256::digest(lines.concat()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            // The reference's digest is over the raw bytes of names; ours are text, with replacement characters.
            if file.ends_with("convert/invalid_utf8.pb.gz") {
                assert!(profile.notes.count(emberlens::model::kind::INVALID_UTF8) > 0, "the note is missing");
                continue;
            }
            expect(&mut wrong, &kind, digest.as_str(), wanted["folded_sha256"].as_str().unwrap());
        }
        wrong
    });
}

/// Self and total by name; recursion counts once per sample.
fn top(profile: &Profile, truth: &Value, row: usize) -> BTreeMap<String, (i128, i128)> {
    let mut rows = BTreeMap::<String, (i128, i128)>::new();
    for (stack, &value) in profile.samples.stacks().iter().zip(profile.samples.values(row)) {
        let names: Vec<String> = profile.stack_frames(*stack).map(|frame| name(profile, truth, frame)).collect();
        if let Some(leaf) = names.first() {
            rows.entry(leaf.clone()).or_default().0 += i128::from(value);
        }
        for name in names.into_iter().collect::<BTreeSet<_>>() {
            rows.entry(name).or_default().1 += i128::from(value);
        }
    }
    rows
}

#[test]
fn top_rows_equal_the_reference_and_pprof_top() {
    let mut shown_rows = 0;
    for_every_profile(|_, profile, truth| {
        let mut wrong = Vec::new();
        for (row, kind, wanted) in types(truth) {
            let ours = top(profile, truth, row);
            let compare = |wrong: &mut Vec<String>, list: &Value, may_lack: bool| {
                for line in list.as_array().into_iter().flatten() {
                    let name = line["name"].as_str().unwrap();
                    let wanted = (i128::from(int(&line["flat"])), i128::from(int(&line["cum"])));
                    match ours.get(name) {
                        None if may_lack => {}
                        found => expect(wrong, &format!("{kind} {name}"), found.copied(), Some(wanted)),
                    }
                }
            };
            compare(&mut wrong, &wanted["top_flat"], false);
            compare(&mut wrong, &wanted["top_cum"], false);
            expect(&mut wrong, &kind, ours.values().filter(|row| row.1 != 0).count() as i64, int(&wanted["functions_with_nonzero_cum"]));
            // Where all rows of pprof -top equal the reference's, the truth holds only their number. The other lists stand in it: there
            // pprof shows all addresses without a name in one row `[module]`, which is not among ours.
            let shown = &truth["as_shown_by_pprof_top"][&kind];
            let may_lack = int(&truth["locations_without_lines"]) > 0;
            compare(&mut wrong, &shown["top_flat"], may_lack);
            compare(&mut wrong, &shown["top_cum"], may_lack);
            expect(&mut wrong, &format!("{kind} of pprof -top"), profile.gross_total(row), shown["total"].as_u64().unwrap_or(0));
            shown_rows += shown["rows_equal_to_ours"].as_u64().unwrap_or(0);
        }
        wrong
    });
    assert!(shown_rows > 10_000 || crate::corpus::folder().is_none(), "only {shown_rows} rows of pprof -top were compared");
}

#[test]
fn labels_equal_the_reference() {
    for_every_profile(|file, profile, truth| {
        let mut wrong = Vec::new();
        for (group, wants_text) in [("string_labels", true), ("numeric_labels", false)] {
            // The reference passes over the labels of goroutine text; `corpus_go_text` compares them.
            if file.contains("go-profiler-notes") && file.contains("go-text/") && wants_text {
                continue;
            }
            let mut keys = BTreeMap::<&str, (i64, BTreeMap<String, i64>)>::new();
            for set in profile.samples.labels().iter().flatten() {
                let mut seen = BTreeSet::new();
                for label in profile.label_sets.get(*set) {
                    let value = match label.value {
                        LabelValue::Text(text) => profile.strings.get(text).to_owned(),
                        LabelValue::Number(number, _) => number.to_string(),
                    };
                    if matches!(label.value, LabelValue::Text(_)) == wants_text {
                        let key = keys.entry(profile.strings.get(label.key)).or_default();
                        *key.1.entry(value).or_default() += 1;
                        key.0 += i64::from(seen.insert(label.key));
                    }
                }
            }
            let wanted = truth[group].as_object().unwrap();
            expect(&mut wrong, group, keys.keys().copied().collect::<Vec<_>>(), wanted.keys().map(String::as_str).collect());
            for (key, wanted) in wanted {
                let Some((samples, values)) = keys.get(key.as_str()) else { continue };
                expect(&mut wrong, key, *samples, int(&wanted["samples_with_key"]));
                expect(&mut wrong, key, values.len() as i64, int(&wanted["distinct_values"]));
                for (value, count) in wanted["top_values"].as_object().unwrap() {
                    expect(&mut wrong, &format!("{key}:{value}"), values.get(value).copied(), Some(int(count)));
                }
            }
        }
        wrong
    });
}

#[test]
fn every_older_form_is_compared() {
    let seen = profiles().iter().filter(|(name, ..)| LEGACY.iter().any(|ending| name.ends_with(ending))).count();
    let go_text = profiles().iter().filter(|(name, ..)| name.contains("go-text/")).count();
    assert!((seen, go_text) == (LEGACY.len(), 27) || crate::corpus::folder().is_none(), "{seen} older forms, {go_text} of Go's texts");
    for entry in inputs("pprof").iter().filter(|entry| entry.name.contains(FUZZ_TEXT)) {
        assert!(open(entry).is_err(), "{}", entry.name);
    }
}

#[test]
fn jemalloc_totals_equal_jeprofs() {
    let mut seen = 0;
    for entry in inputs("pprof").iter().filter(|entry| JEMALLOC.iter().any(|ending| entry.name.ends_with(ending))) {
        let profile = open(entry).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
        let truth = &entry.truth.as_ref().expect("a truth")["pprof"]["jeprof_totals"];
        for name in ["inuse_objects", "inuse_space"] {
            let row = profile.find_sample_type(name).expect("a heap has these types");
            assert_eq!(profile.total(row).to_string(), truth[name].as_str().expect("a number"), "{} {name}", entry.name);
        }
        seen += 1;
    }
    assert!(seen == JEMALLOC.len() || crate::corpus::folder().is_none(), "{seen} files");
}

#[test]
fn functions_without_ids_are_numbered_with_a_note() {
    let Some(entry) = inputs("pprof").into_iter().find(|entry| entry.name.ends_with(WITHOUT_FUNCTION_IDS)) else { return };
    let profile = open(&entry).expect("the file is read");
    // Counted in the file by hand with a generic protobuf decoder.
    assert_eq!((profile.samples.len(), profile.functions.len(), profile.sample_types.len()), (579, 41, 6));
    assert_eq!(profile.notes.count(emberlens::model::kind::REPAIRED), 41);
}

#[test]
fn writing_and_reading_again_changes_nothing() {
    for_every_profile(|_, profile, truth| {
        let mut wrong = Vec::new();
        for (container, bytes) in [("none", pprof::write(profile)), ("gzip", pprof::write_gz(profile))] {
            let mut again =
                read(&Input { bytes: &bytes, name: "unknown" }, &ReadCx::new(&Ticket::new())).expect("what we write can be read");
            expect(&mut wrong, "container", again.info.container.name(), container);
            // Notes speak about the file that was read.
            again.info.container = profile.info.container;
            again.notes = profile.notes.clone();
            if truth["legacy"] == true {
                wrong.extend(legacy_difference(profile, again));
                continue;
            }
            if again != *profile {
                wrong.push(format!("another profile came back: {}", difference(profile, &again)));
            }
        }
        wrong
    });
}

/// What the protobuf form cannot hold of the older ones: the facts, threads, and which frame is inlined into one of another address.
fn legacy_difference(profile: &Profile, mut again: Profile) -> Option<String> {
    again.info.format.clone_from(&profile.info.format);
    again.info.facts.clone_from(&profile.info.facts);
    let stacks = |profile: &Profile| -> Vec<String> {
        let stacks = profile.samples.stacks().iter();
        stacks.map(|stack| profile.stack_frames(*stack).map(|frame| profile.frame_name(frame)).collect::<Vec<_>>().join(";")).collect()
    };
    let values = |profile: &Profile| (0..profile.sample_types.len()).map(|row| profile.samples.values(row).to_vec()).collect::<Vec<_>>();
    let same = stacks(profile) == stacks(&again)
        && values(profile) == values(&again)
        && profile.info == again.info
        && (label_texts(profile) == label_texts(&again) || !profile.threads.is_empty());
    (!same).then(|| format!("another profile came back: {}", difference(profile, &again)))
}

/// The labels of each sample as sorted text.
fn label_texts(profile: &Profile) -> Vec<Vec<String>> {
    let text = |label: &Label| match label.value {
        LabelValue::Text(value) => format!("{}={}", profile.strings.get(label.key), profile.strings.get(value)),
        LabelValue::Number(number, unit) => {
            format!("{}={number} {:?}", profile.strings.get(label.key), unit.map(|unit| profile.strings.get(unit)))
        }
    };
    let set = |set: &Option<LabelSetId>| {
        let mut texts: Vec<String> = set.map(|set| profile.label_sets.get(set)).unwrap_or_default().iter().map(text).collect();
        texts.sort_unstable();
        texts
    };
    profile.samples.labels().iter().map(set).collect()
}

/// Names the first table that differs.
fn difference(a: &Profile, b: &Profile) -> String {
    let tables = [
        ("strings", a.strings == b.strings),
        ("functions", a.functions == b.functions),
        ("mappings", a.mappings == b.mappings),
        ("frames", a.frames == b.frames),
        ("stacks", a.stacks == b.stacks),
        ("labels", a.label_sets == b.label_sets),
        ("samples", a.samples == b.samples),
        ("types", a.sample_types == b.sample_types && a.default_sample_type == b.default_sample_type),
        ("info", a.info == b.info),
    ];
    tables.iter().filter(|table| !table.1).map(|table| table.0).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let (one, three) = (pool(1), pool(3));
    for entry in inputs("pprof").iter().filter(|entry| entry.name.contains("pprof/large.cpu") || entry.name.contains("stress-failure")) {
        assert_eq!(one.install(|| open(entry)), three.install(|| open(entry)), "{}", entry.name);
    }
}
