//! What `diff` says about what it compared: filters, net and gross values, captures that do not compare, losses, saved comparisons.

use std::path::Path;

use emberlens::app::load::{self, LoadOptions};
use emberlens::base::ticket::Ticket;
use emberlens::format::pprof;
use emberlens::model::{Builder, Frame, Sample, kind};

use crate::cli::{failure, json, run, sample, stdout};

/// Writes a pprof file of stacks `main;f 20`, 10 s long, one sample each 10 ms where `period` is 1.
fn capture(folder: &Path, name: &str, stacks: &[(&str, i64)], edit: impl FnOnce(&mut Builder)) -> String {
    let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
    builder.info.duration_nanos = Some(10_000_000_000);
    builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), 10_000_000));
    for (names, count) in stacks {
        let mut stack = None;
        for name in names.split(';') {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[*count, count * 10_000_000]);
    }
    edit(&mut builder);
    write(folder, name, &pprof::write(&builder.finish()))
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn filters_are_named_and_let_something_through() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] =
        [("a.pb", 300), ("b.pb", 310)].map(|(name, count)| capture(folder.path(), name, &[("main;f", count), ("main;g", 200)], |_| {}));
    let report = json(&["diff", &before, &after, "--focus", "^f$", "--json"]);
    assert_eq!(report["filters"], serde_json::json!(["--focus=^f$"]));
    assert_eq!(json(&["diff", &before, &after, "--json"])["filters"], serde_json::json!([]));
    for form in [&[][..], &["--markdown"]] {
        let text = stdout(&[&["diff", &before, &after, "--focus", "Q|f"], form].concat());
        assert!(text.contains("by function, --focus=Q") && text.contains("sample records"), "{text}");
    }
    let (code, error) = failure(&["diff", &before, &after, "--focus", "zzz"]);
    assert!(code == 1 && error.contains("in before passes the filters") && error.contains("--focus=zzz"), "{code}: {error}");
}

#[test]
fn net_and_gross_values_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] =
        [("a.pb", -20), ("b.pb", -60)].map(|(name, count)| capture(folder.path(), name, &[("main;f", 50), ("main;g", count)], |_| {}));
    let text = stdout(&["diff", &before, &after, "-t", "cpu"]);
    for wanted in ["net 300 ms cpu, gross 700 ms", "net −100 ms cpu, gross 1.10 s", "30 ms/s → −10 ms/s"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains(" -"), "one sign for what is below nothing: {text}");
}

#[test]
fn no_change_is_not_said_where_the_whole_changed_or_places_wait() {
    let folder = tempfile::tempdir().unwrap();
    let many = |count: u64| (0..60).map(|n| format!("main;f{n} {count}\n")).collect::<String>();
    let [before, after] = [("a.folded", 100), ("b.folded", 113)].map(|(name, count)| write(folder.path(), name, many(count).as_bytes()));
    let report = json(&["diff", &before, &after, "--normalize", "absolute", "--json"]);
    let summary = report["summary"].as_str().unwrap();
    let surely = report["total"]["lo"].as_f64().unwrap() > 1.0;
    let unconfirmed = report["others"].as_array().unwrap().iter().filter(|row| row["verdict"] == "unconfirmed").count();
    if report["findings"].as_array().unwrap().is_empty() && (surely || unconfirmed > 0) {
        assert!(!summary.contains("No change"), "{summary}");
    }
    let same = json(&["diff", &before, &before, "--normalize", "absolute", "--json"]);
    assert!(same["summary"].as_str().unwrap().ends_with("in the place that shows most."), "{}", same["summary"]);
}

#[test]
fn captures_that_do_not_compare_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [one, copy] = ["a.pb", "copy.pb"].map(|name| capture(folder, name, &[("main", 300)], |_| {}));
    let other = capture(folder, "b.pb", &[("a;b", 120), ("a;c", 90), ("d", 57)], |_| {});
    let what = |arguments: &[&str]| -> Vec<String> {
        let report = json(&[&["diff", "--json"], arguments].concat());
        report["comparability"].as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(what(&[&one, &copy]), ["same capture"]);
    assert_eq!(what(&[&one, &other]), ["names"]);
    assert!(what(&["--before", &other, "--after", &one, &copy]).contains(&"repeats".to_owned()));
    assert!(stdout(&["diff", &one, &copy]).contains("warning: same capture: 1 of 1 on both sides: "));
}

#[test]
fn numbers_of_samples_at_two_rates_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let faster = |builder: &mut Builder| builder.info.period = Some(("cpu".to_owned(), "nanoseconds".to_owned(), 5_000_000));
    let before = capture(folder.path(), "a.pb", &[("main;f", 300)], |_| {});
    let after = capture(folder.path(), "b.pb", &[("main;f", 600)], faster);
    let (code, error) = failure(&["diff", &before, &after, "-t", "samples"]);
    assert!(code == 1 && error.contains("each 10 ms before and each 5 ms after"), "{code}: {error}");
    assert!(stdout(&["diff", &before, &after, "-t", "samples", "--normalize", "share"]).contains("warning: period: "));
}

#[test]
fn a_saved_comparison_gives_its_answer_back() {
    let folder = tempfile::tempdir().unwrap();
    let stacks = |count| [("main;f", 300), ("main;g", count), ("main;h", 400)];
    let [before, after] = [("a.pb", 300), ("b.pb", 900)].map(|(name, count)| capture(folder.path(), name, &stacks(count), |_| {}));
    let saved = |name: &str| {
        let path = folder.path().join(name).display().to_string();
        assert_eq!(stdout(&["export", "-d", &before, &after, "-o", &path]), "");
        path
    };
    let ours = saved("ours.pb.gz");
    let head = |arguments: &[&str]| {
        let report = json(arguments);
        (report["summary"].clone(), report["normalization"].clone(), report["findings"][0]["before"].clone())
    };
    assert_eq!(head(&["diff", &ours, "--json"]), head(&["diff", &before, &after, "--json"]), "with the time that each side took");
    // As other tools save it: one time for both.
    let mut profile = load::read(Path::new(&ours), &LoadOptions::default(), &Ticket::new()).unwrap();
    profile.info.comments.clear();
    let theirs = write(folder.path(), "d.pb.gz", &pprof::write_gz(&profile));
    assert!(stdout(&["diff", &theirs]).contains("A saved comparison does not say how long each side took, so shares are compared"));
    let (code, error) = failure(&["diff", &theirs, "--normalize", "per-second"]);
    assert!(code == 1 && error.contains("cannot be compared per-second: a saved comparison"), "{code}: {error}");
    for path in [&theirs, &ours, &saved("d.folded")] {
        let report = json(&["diff", path, "--json", "--normalize", "absolute"]);
        let first = &report["findings"][0];
        assert_eq!((&first["func"], first["ratio"].as_f64()), (&"g".into(), Some(3.0)), "{path}: {}", report["summary"]);
        assert_eq!(report["before"]["samples"], 3);
    }
}

#[test]
fn what_is_missing_in_a_capture_is_said_beside_its_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(sample("perf-data/6.1.187/indexer-before.perf.data")).unwrap();
    let cut = write(folder.path(), "cut.perf.data", &bytes[..bytes.len() / 2]);
    let output = run(["top", &cut, "--no-symbols"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && error.starts_with("note: ") && error.contains("cut.perf.data: "), "{error}");
    let report = json(&["top", &cut, "--no-symbols", "--json"]);
    assert!(report["notes"].as_array().unwrap().iter().any(|note| note["kind"] == kind::TRUNCATED), "{}", report["notes"]);
    let report = json(&["diff", &cut, &cut, "--no-symbols", "--json"]);
    assert_eq!(report["before"]["captures"][0]["notes"].as_array().map(Vec::is_empty), Some(false));
    let whole = json(&["top", &sample("perf-data/6.1.187/indexer-before.perf.data"), "--json"]);
    assert!(whole["notes"].is_array());
}
