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
    assert!(code == 1 && error.contains("no sample passes the filters") && error.contains("--focus=zzz"), "{code}: {error}");
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
    let delta = capture(folder, "delta.pb", &[("main", 300), ("main;f", -30)], |_| {});
    assert!(stdout(&["diff", &one, &delta]).contains("warning: values below zero: none before, 9.09 % of all after: "));
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

/// A service of three handlers with forty functions each, counts with the noise of sampling; `handleA` also calls what is given.
fn service(seed: u64, more: Means<'_>) -> Vec<(String, i64)> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut normal = || {
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    };
    let calm = ["A", "B", "C"].into_iter().flat_map(|handler| {
        (0..40).map(move |function| {
            (format!("main;serve;handle{handler};pkg{handler}.f{function}"), 20.0 + f64::from(function * function) / 8.0)
        })
    });
    let changed = more.iter().map(|(stack, count)| (format!("main;serve;handleA;{stack}"), *count));
    calm.chain(changed).map(|(stack, mean)| (stack, (mean + normal() * mean.sqrt()).round().max(0.0) as i64)).collect()
}

/// Stacks with their mean counts.
type Means<'a> = &'a [(&'a str, f64)];

#[test]
fn what_costs_more_than_what_it_replaced_did_not_only_move() {
    let folder = tempfile::tempdir().unwrap();
    let pairs: [(Means<'_>, Means<'_>, &str); 3] = [
        (&[("json.Marshal", 500.0)], &[("sonic.Encode", 1000.0)], "json.Marshal"),
        (&[("db.query", 400.0), ("json.encode", 1000.0)], &[("db.query", 1200.0), ("json.encode", 600.0)], "db.query"),
        (&[("db.query", 400.0), ("db.query;db.cache", 600.0)], &[("db.query", 1200.0), ("db.query;db.cache", 150.0)], "db.query"),
    ];
    for (before, after, grew) in pairs {
        // By chance the rest may look like nothing; not often.
        let mut moved = Vec::new();
        for seed in 0..8 {
            let side = |name: &str, seed: u64, more| {
                let stacks = service(seed, more);
                let stacks: Vec<(&str, i64)> = stacks.iter().map(|(stack, count)| (stack.as_str(), *count)).collect();
                capture(folder.path(), name, &stacks, |_| {})
            };
            let report = json(&["diff", &side("a.pb", 2 * seed + 1, before), &side("b.pb", 2 * seed + 2, after), "--json"]);
            let found = report["findings"].as_array().unwrap().iter().find(|row| row["func"] == grew);
            assert!(found.is_none_or(|row| grew != "json.Marshal" || row["new"] == "sonic.Encode"), "{found:?}");
            let verdict = found.map_or("none", |row| row["verdict"].as_str().unwrap());
            if !["regression", "new"].contains(&verdict) {
                moved.push(format!("seed {seed}: {verdict}; {}", report["summary"]));
            }
        }
        assert!(moved.len() <= 1, "{grew}: {moved:?}");
    }
}

#[test]
fn a_part_is_one_of_the_change_as_measured_or_says_of_what() {
    let folder = tempfile::tempdir().unwrap();
    let side = |name: &str, load: f64, leaf: f64| {
        let stacks: Vec<(String, i64)> =
            service(7, &[("pkg.leaf", leaf)]).into_iter().map(|(stack, count)| (stack, (count as f64 * load) as i64)).collect();
        let stacks: Vec<(&str, i64)> = stacks.iter().map(|(stack, count)| (stack.as_str(), *count)).collect();
        capture(folder.path(), name, &stacks, |_| {})
    };
    let before = side("a.pb", 1.0, 800.0);
    let summary = |after: &str| json(&["diff", &before, after, "--json"])["summary"].as_str().unwrap().to_owned();
    let grew = summary(&side("b.pb", 1.0, 1600.0));
    assert!(grew.contains("of it is explained by pkg.leaf"), "{grew}");
    // Most of what rose is load.
    let loaded = summary(&side("c.pb", 1.5, 1600.0));
    assert!(loaded.contains("per unit of unchanged work is explained by pkg.leaf"), "{loaded}");
}
