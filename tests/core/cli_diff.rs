//! `emberlens diff` on the sample pairs, whose planted regressions are known.

use std::path::Path;

use serde_json::Value;

use crate::cli::{assert_keys, export, failure, json, pairs, run, sample, stdout};

fn arguments(pair: &Value) -> Vec<String> {
    let side = |key: &str| sample(pair[key].as_str().unwrap());
    let mut arguments = vec!["diff".to_owned(), side("before"), side("after"), "--symbols".to_owned(), sample("sysroot")];
    // Formats that do not name their values have one sample type, whatever the table calls it.
    if let Some(name) = pair["sample_type"].as_str().filter(|_| !pair["before"].as_str().unwrap().starts_with("folded")) {
        arguments.extend(["--sample-type".to_owned(), name.to_owned()]);
    }
    arguments
}

fn diff(pair: &Value) -> Value {
    let arguments = arguments(pair);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--json"]).collect();
    json(&arguments)
}

#[test]
fn the_planted_function_comes_first_in_every_pair() {
    let mut wrong = Vec::new();
    for pair in pairs().iter().filter(|pair| pair["direction"] == "up") {
        let found = diff(pair);
        let first = &found["findings"][0];
        if first["func"] != pair["function"] || first["verdict"] != "regression" {
            wrong.push(format!("{}: first is {} ({}), {}", pair["name"], first["func"], first["verdict"], found["summary"]));
        }
        for row in found["findings"].as_array().unwrap() {
            let (low, high) = (row["ratio_lo"].as_f64(), row["ratio_hi"].as_f64());
            // Corrected for selection, the interval of what only just passed the level ends at no change.
            let is_clear = row["q"].as_f64().is_some_and(|q| q < 0.005);
            if low.is_some_and(|low| low <= 1.0) && high.is_none_or(|high| high >= 1.0) && is_clear && row["verdict"] != "shift" {
                wrong.push(format!("{}: {} is a finding, but its interval holds no change", pair["name"], row["func"]));
            }
        }
        // One regression was planted, and nothing else: most of what rose lies there.
        let explains = first["explains"].as_f64().unwrap();
        if explains < 0.5 {
            wrong.push(format!("{}: {explains} of the change is explained, {}", pair["name"], found["summary"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn equal_programs_have_no_regression() {
    let equal: Vec<Value> = pairs().into_iter().filter(|pair| pair["direction"] == "none").collect();
    assert!(equal.len() >= 4, "only {} pairs of equal programs", equal.len());
    for pair in equal {
        let found = diff(&pair);
        let worse: Vec<&Value> = found["findings"].as_array().unwrap().iter().filter(|row| row["verdict"] == "regression").collect();
        assert!(worse.is_empty(), "{}: {worse:?}", pair["name"]);
    }
}

#[test]
fn the_json_has_the_documented_keys_and_the_numbers_of_independent_tools() {
    for pair in pairs().iter().filter(|pair| pair["direction"] == "up") {
        let found = diff(pair);
        assert_keys(
            &found,
            &["summary", "normalization", "before", "after", "exposure", "findings", "intervals", "notes", "sample_type", "unit"],
        );
        for side in ["before", "after"] {
            assert_keys(&found[side], &["files", "total", "duration_ns", "scale", "samples"]);
            let path = sample(pair[side].as_str().unwrap());
            assert_eq!(found[side]["files"], Value::from(vec![path]));
        }
        let rows = found["findings"].as_array().unwrap().iter().chain(found["others"].as_array().unwrap());
        let rows: Vec<&Value> = rows.collect();
        for (at, row) in found["findings"].as_array().unwrap().iter().enumerate() {
            assert_keys(
                row,
                &[
                    "rank",
                    "verdict",
                    "func",
                    "measure",
                    "path",
                    "before",
                    "after",
                    "change",
                    "delta",
                    "ratio",
                    "ratio_lo",
                    "ratio_hi",
                    "p",
                    "q",
                    "events",
                    "explains",
                    "minimum_detectable",
                ],
            );
            assert_eq!(row["rank"], at + 1);
            let number = |key: &str| row[key].as_f64().unwrap();
            assert!(
                (number("after") - number("before") - number("change")).abs() <= 1e-9 * number("after").abs().max(number("before").abs())
            );
            // In units of the total before, per unit of unchanged work.
            let raw = |side: usize| row["raw"][side].as_f64().unwrap();
            let work = found["exposure"]["ratio"].as_f64().unwrap();
            let delta = (raw(1) / work - raw(0)) / found["before"]["gross"].as_f64().unwrap();
            assert!((delta - number("delta")).abs() < 1e-6, "{row}");
            let scaled = row["raw"][1].as_f64().unwrap() * found["after"]["scale"].as_f64().unwrap();
            assert!((scaled - number("after")).abs() <= 1e-9 * scaled.abs(), "{row}");
            if let Some(path) = row["path"].as_array() {
                assert_eq!(path.last(), Some(&row["func"]));
            }
        }
        let planted = rows.iter().find(|row| row["func"] == pair["function"] && row["measure"] == pair["measure"]);
        if let Some(row) = planted {
            assert_eq!((&row["raw"][0], &row["raw"][1]), (&pair["before_value"], &pair["after_value"]), "{}", pair["name"]);
        }
    }
}

#[test]
fn exit_code_3_only_when_asked_and_only_for_regressions() {
    let pairs = pairs();
    let named = |name: &str| arguments(pairs.iter().find(|pair| pair["name"] == name).unwrap());
    let code = |mut arguments: Vec<String>, more: &[&str]| {
        arguments.extend(more.iter().map(|&text| text.to_owned()));
        run(&arguments).status.code()
    };
    assert_eq!(code(named("orders-cpu-cpu"), &[]), Some(0));
    assert_eq!(code(named("orders-cpu-cpu"), &["--fail-on-regression"]), Some(3));
    assert_eq!(code(named("orders-cpu-cpu-no-change"), &["--fail-on-regression"]), Some(0));
    // All of it became slower alike: no place is to blame, and a request surely costs more.
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, factor: u64| {
        let stacks: String = (1..=40).map(|at| format!("main;handle{};step{at} {}\n", at % 10, at * 50 * factor / 10)).collect();
        let path = folder.path().join(name);
        std::fs::write(&path, stacks).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (before, slower) = (file("before.folded", 10), file("after.folded", 14));
    let whole = |files: [&String; 2], requests: &str| {
        let options = ["--fail-on-regression", "--requests-before", "1000", "--requests-after", requests];
        code(vec!["diff".to_owned(), files[0].clone(), files[1].clone()], &options)
    };
    assert_eq!((whole([&before, &slower], "1000"), whole([&before, &slower], "1400")), (Some(3), Some(0)));
    assert_eq!(whole([&slower, &before], "1000"), Some(0));
}

#[test]
fn what_cannot_be_meant_is_refused_and_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let [full, empty] = [file("full.folded", "main;work 70\nmain;Rest 30\n"), file("empty.folded", "main;work 0\nmain;Rest 0\n")];
    let refused = |arguments: &[&str], code: i32, word: &str| {
        let (found, text) = failure(arguments);
        assert!(found == code && text.contains(word), "{arguments:?}: exit code {found}, {text}");
    };
    // A capture that holds nothing is no improvement, whichever side it is.
    refused(&["diff", &full, &empty, "--fail-on-regression"], 1, "after holds nothing");
    refused(&["diff", &empty, &full], 1, "before holds nothing");
    let freed = file("freed.txt", "heap profile: 0: 0 [5: 5120] @ heap/524288\n0: 0 [5: 5120] @ 0x401000 0x402000\n");
    refused(&["diff", &freed, &freed, "-t", "inuse_space"], 1, "nothing to compare; -t compares others: alloc_objects, alloc_space");
    refused(&["diff", &full, &full, "--after-where", "focus=nobody"], 1, "after (with /nobody/) holds nothing");
    // Expressions are pprof's: of either case, with slashes, and broken ones are errors.
    refused(&["top", &full, "--focus", "("], 2, "unclosed group");
    refused(&["diff", &full, &full, "--after-where", "focus=("], 2, "unclosed group");
    refused(&["diff", &full, &full, "--work", "frame=("], 2, "unclosed group");
    let shown = |focus: &str| stdout(&["top", &full, "--focus", focus]);
    assert!(shown("Rest").contains("main") && !shown("Rest").contains("work"));
    refused(&["top", &full, "--focus", "rest"], 1, "--focus=rest matches no");
    // No name has slashes.
    refused(&["top", &full, "--focus", "/Rest/"], 1, "no sample passes the filters");
    // Numbers and names that would have no effect.
    refused(&["diff", &full, &full, "--throughput-before", "10", "--throughput-after", "20"], 1, "per request");
    refused(&["diff", &full, &full, "--alias", "nope=work"], 1, "nope");
    refused(&["diff", &full, &full, "--no-alias", "zap"], 1, "zap");
    refused(&["diff", "-", "-"], 2, "standard input");
    refused(&["diff", "--before", &full, &full, "--after", &full], 2, "twice");
    refused(&["top", &full, "--label", "nope=1"], 1, "no sample has a label nope");
    // Captures are never changed.
    refused(&["export", &full, "-o", &full, "--as", "folded"], 1, "never changed");
    assert_eq!(std::fs::read_to_string(&full).unwrap(), "main;work 70\nmain;Rest 30\n");
}

#[test]
fn events_of_another_precision_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let capture = |name: &str, event: &str, samples: usize| {
        let text: String = (0..samples)
            .map(|at| format!("app 7 [000] 1.{at:06}: 1000 page-faults: \n\t 10 a (/app)\n\napp 7 [000] 1.{at:06}: 250000 {event}: \n\t 20 work (/app)\n\n"))
            .collect();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let [old, new] = [capture("old.txt", "cycles:ppp", 400), capture("new.txt", "cycles:P", 800)];
    let found = json(&["diff", &old, &new, "--normalize", "absolute", "--json"]);
    assert_eq!((&found["sample_type"], &found["unit"]), (&"cycles:ppp".into(), &"count".into()), "by the name of the first");
    assert_eq!((&found["before"]["total"], &found["after"]["total"]), (&100_000_000.into(), &200_000_000.into()));
    let named = json(&["diff", &old, &new, "--sample-type", "cycles:P", "--json"]);
    assert_eq!(named["sample_type"], found["sample_type"]);
}

#[test]
fn repeats_are_given_by_side() {
    let (before, again, after) = (sample(BEFORE), sample("pprof/go1.27.3/orders-cpu-before-2.pb.gz"), sample(AFTER));
    let found = json(&["diff", "--json", "--before", &before, &again, "--after", &after]);
    assert_eq!(found["before"]["files"], Value::from(vec![before.clone(), again]));
    assert_eq!(found["before"]["captures"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["findings"][0]["func"], "orders/internal/pricing.(*Engine).Discount");
    for wrong in [vec!["diff", &before], vec!["diff", "--before", &before], vec!["diff", &before, &after, "--requests-before", "5"]] {
        assert_eq!(failure(&wrong).0, 2, "{wrong:?}");
    }
}

const BEFORE: &str = "pprof/go1.27.3/orders-cpu-before.pb.gz";
const AFTER: &str = "pprof/go1.27.3/orders-cpu-after.pb.gz";

#[test]
fn every_normalisation_says_its_denominator() {
    for (name, words) in [
        ("share", "100 % = 4.44 s cpu of Before"),
        ("per-second", "per second of capture (Before 20.0 s, After 20.0 s)"),
        ("absolute", "absolute values"),
    ] {
        let found = json(&["diff", &sample(BEFORE), &sample(AFTER), "--json", "--normalize", name]);
        assert_eq!(found["normalization"], name);
        assert!(found["denominator"].as_str().unwrap().contains(words), "{}", found["denominator"]);
    }
    let asked = json(&["diff", &sample(BEFORE), &sample(AFTER), "--json", "--requests-before", "40000", "--requests-after", "80000"]);
    assert_eq!(asked["exposure"]["ratio"], 2.0);
    assert_eq!(
        (&asked["normalization"], &asked["denominator"]),
        (&"per-request".into(), &"per request (Before 40000, After 80000, as entered)".into())
    );
}

/// What is printed of a finding is what the capture says, also where it says halves.
#[test]
fn fractional_values_are_those_of_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("a.folded"), "main;a 100.5\nmain;b 500.25\nmain;c 400\n").unwrap();
    std::fs::write(path("b.folded"), "main;a 402\nmain;b 500\nmain;c 400.75\n").unwrap();
    let (before, after) = (path("a.folded"), path("b.folded"));
    let found = json(&["diff", &before, &after, "--normalize", "absolute", "--json"]);
    let first = &found["findings"][0];
    let numbers = ["before", "after", "change"].map(|key| first[key].as_f64().unwrap());
    assert_eq!((first["func"].as_str(), numbers), (Some("a"), [100.5, 402.0, 301.5]), "{first}");
    assert_eq!(first["raw"], serde_json::json!([100.5, 402.0]));
    let per_request = ["--requests-before", "10", "--requests-after", "10"];
    let text = stdout(&[&["diff", &before, &after][..], &per_request].concat());
    assert!(text.contains("10.1/request") && text.contains("40.2/request"), "{text}");
}

/// A function that grows out of little is found, however much of the cost it holds in the end.
#[test]
fn growth_is_found_however_large_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    // Forty functions with the noise of counting: the square of a golden step as a spread of signs.
    let rest = |salt: usize| -> String {
        let of = |at: usize| {
            let mean = 60.0 + 17.0 * (at % 11) as f64;
            let noise = (((at * 7 + salt * 13) % 19) as f64 - 9.0) / 5.5;
            format!("main;h{};f{at} {}\n", at % 5, (mean + noise * mean.sqrt()).round())
        };
        (0..40).map(of).collect()
    };
    std::fs::write(path("a"), format!("{}main;h1;hot 100\n", rest(0))).unwrap();
    for times in [3, 30, 100, 300, 1000] {
        std::fs::write(path("b"), format!("{}main;h1;hot {}\n", rest(1), 100 * times)).unwrap();
        for how in ["absolute", "share"] {
            for (sides, verdict) in [(["a", "b"], "regression"), (["b", "a"], "improvement")] {
                let found = json(&["diff", &path(sides[0]), &path(sides[1]), "--normalize", how, "--json"]);
                let rows: Vec<_> = found["findings"].as_array().unwrap().iter().map(|row| [&row["func"], &row["verdict"]]).collect();
                assert_eq!(rows, [["hot", verdict]], "{times} times, {how}: {}", found["summary"]);
            }
        }
    }
}

#[test]
fn shares_of_few_functions_do_not_turn_a_regression_round() {
    let [before, after] = ["before", "after"].map(|side| sample(&format!("pprof/go1.27.3/orders-mutex-{side}.pb.gz")));
    let found = json(&["diff", &before, &after, "--normalize", "share", "--json"]);
    let first = &found["findings"][0];
    assert!(
        first["func"].as_str().unwrap().ends_with("pricing.(*Engine).Discount") && first["verdict"] == "regression",
        "{}",
        found["summary"]
    );
}

/// What unchanged code did is an estimate where it is what nothing explains, and has an interval.
#[test]
fn the_ratio_of_work_of_shares_has_an_interval() {
    let [before, after] = ["before", "after"].map(|side| sample(&format!("folded/py-spy-0.4.3/report-{side}.folded")));
    let found = json(&["diff", &before, &after, "--normalize", "share", "--json"]);
    let [ratio, lo, hi] = ["ratio", "lo", "hi"].map(|key| found["exposure"][key].as_f64().unwrap());
    assert!(lo < ratio * 0.97 && hi > ratio * 1.03, "{ratio} ({lo} to {hi})");
}

/// One function has one value a side, whatever is said of it.
#[test]
fn findings_of_one_function_agree() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/captured/pprof/gobench");
    let [before, after] = ["json-go1.19", "json-go1.22"].map(|folder| root.join(folder).join("cpu.pprof").display().to_string());
    if !std::path::Path::new(&before).exists() {
        println!("skipped: no corpus");
        return;
    }
    let found = json(&["diff", &before, &after, "--json"]);
    let rows = found["findings"].as_array().unwrap();
    for (at, row) in rows.iter().enumerate() {
        for other in &rows[at + 1..] {
            let same = [&row["func"], &row["measure"], &row["path"]] == [&other["func"], &other["measure"], &other["path"]];
            assert!(!same || row["raw"] == other["raw"], "{row}\n{other}");
        }
    }
    // Equal by definition: no interval.
    let per_cpu = json(&["diff", &before, &after, "--normalize", "per-cpu-second", "--json"]);
    assert!(per_cpu["total"].is_null(), "{}", per_cpu["total"]);
}

/// What changed most is told, whichever side comes first.
#[test]
fn the_largest_change_is_in_the_summary() {
    let [before, after] = ["before", "after"].map(|side| sample(&format!("speedscope/py-spy-0.4.3/report-{side}.speedscope.json")));
    for sides in [[&before, &after], [&after, &before]] {
        let found = json(&["diff", sides[0], sides[1], "--json"]);
        assert!(found["summary"].as_str().unwrap().contains("remember"), "{}", found["summary"]);
    }
}

/// Of shares the growth of one function is the fall of all others, whichever side comes first: one finding, and not as many as there are others.
#[test]
fn shares_name_the_one_function_that_grew() {
    let [before, after] = ["before", "after"].map(|side| sample(&format!("jfr/openjdk-17/orders-{side}.jfr.gz")));
    for (sides, verdict) in [([&before, &after], "regression"), ([&after, &before], "improvement")] {
        let found = json(&["diff", sides[0], sides[1], "--sample-type", "cpu", "--normalize", "share", "--json"]);
        let rows: Vec<_> = found["findings"].as_array().unwrap().iter().map(|row| [&row["func"], &row["verdict"]]).collect();
        assert_eq!(rows, [["Orders.price", verdict]], "{}", found["summary"]);
    }
}

#[test]
fn captures_without_a_common_sample_type_are_refused() {
    let (code, text) = failure(&["diff", &sample(BEFORE), &sample("pprof/go1.27.3/orders-heap-after.pb.gz")]);
    assert_eq!(code, 1);
    assert!(text.contains("cpu/nanoseconds") && text.contains("inuse_space/bytes"), "{text}");
}

#[test]
fn text_and_markdown_name_the_finding_and_both_sides() {
    let (before, after) = (sample(BEFORE), sample(AFTER));
    for form in [vec![], vec!["--markdown"]] {
        let all: Vec<&str> = ["diff", &before, &after].into_iter().chain(form.iter().copied()).collect();
        let text = stdout(&all);
        assert!(text.contains("Discount") && text.contains("regression"), "{text}");
        assert!(text.contains("4.44 s") && text.contains("6.96 s"), "{text}");
    }
}

#[test]
fn a_pair_as_csv_has_the_values_of_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    let csv = String::from_utf8(export(Path::new(folder.path()), "x.csv", &["--diff", &sample(BEFORE), &sample(AFTER)])).unwrap();
    let row = csv.lines().find(|line| line.starts_with("orders/internal/pricing.(*Engine).Discount,")).expect("the planted function");
    let cells: Vec<&str> = row.split(',').collect();
    assert_eq!(cells[1..5], ["290000000", "2130000000", "460000000", "3210000000"]);
    assert_eq!(cells[13], "1");
    assert_eq!(csv.lines().next().unwrap().split(',').count(), cells.len());
}

#[test]
fn a_saved_comparison_is_one_again() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = ["before", "after"].map(|side| sample(&format!("pprof/go1.27.3/orders-heap-{side}.pb.gz")));
    export(folder.path(), "saved.pb.gz", &["--diff", &before, &after]);
    let saved = folder.path().join("saved.pb.gz").display().to_string();
    let head = |arguments: &[&str]| {
        let found = json(arguments);
        let first = &found["findings"][0];
        (first["func"].clone(), first["verdict"].clone(), found["before"]["total"].clone(), found["after"]["total"].clone())
    };
    for kind in ["alloc_space", "inuse_space"] {
        assert_eq!(head(&["diff", &saved, "-t", kind, "--json"]), head(&["diff", &before, &after, "-t", kind, "--json"]), "{kind}");
    }
    let said = stdout(&["info", &saved]);
    assert!(said.contains("saved-comparison"), "{said}");
    assert!(stdout(&["top", &saved]).starts_with("a saved comparison"));
    // A filtered export holds what the filter lets through, and opens again.
    export(folder.path(), "focused.pb.gz", &[&after, "--focus", "pricing"]);
    let focused = folder.path().join("focused.pb.gz").display().to_string();
    let total = |found: Value, key: &str| found[key].clone();
    let whole = json(&["top", &after, "--focus", "pricing", "--json"]);
    assert_eq!(total(json(&["top", &focused, "--json"]), "total"), total(whole, "selected"));
    assert_eq!(failure(&["diff", &after]).0, 2);
}

/// Two builds of one program: a closure has another number, a module another version, a function another name.
fn two_builds(folder: &Path) -> [String; 2] {
    let before = "main;lib/v2/codec.Decode;main.loop.func1 300\nmain;decodeRow;parse 420\nmain;same 280\n";
    let after = "main;lib/v3/codec.Decode;main.loop.func2 310\nmain;decodeRowFast;parse 410\nmain;same 280\n";
    [("before", before), ("after", after)].map(|(name, text)| {
        let path = folder.join(format!("{name}.folded"));
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    })
}

/// How each function of two builds was matched, as `by: before = after`.
fn matched(arguments: &[&str]) -> Vec<String> {
    let found = json(arguments);
    let text = |value: &Value| value[0].as_str().unwrap().to_owned();
    let rows = found["matching"]["matches"].as_array().unwrap();
    let mut made: Vec<String> =
        rows.iter().map(|row| format!("{}: {} = {}", row["by"].as_str().unwrap(), text(&row["before"]), text(&row["after"]))).collect();
    made.sort();
    made
}

#[test]
fn names_of_two_builds_are_matched_proposed_accepted_and_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let [before, after] = two_builds(folder.path());
    let diff = |more: &[&str]| -> Vec<String> { matched(&[&["diff", &before, &after, "--json"], more].concat()) };
    let closure = "closure: main.loop.func1 = main.loop.func2";
    let version = "version: lib/v2/codec.Decode = lib/v3/codec.Decode";
    assert_eq!(diff(&[]), [closure, "proposed: decodeRow = decodeRowFast", version]);
    assert_eq!(diff(&["--alias", "decodeRow=decodeRowFast"]), ["accepted: decodeRow = decodeRowFast", closure, version]);
    assert_eq!(diff(&["--no-alias", "decodeRow", "--no-alias", "main.loop.func2"]), [version]);
    assert_eq!(diff(&["--no-aliases"]), Vec::<String>::new());
    assert_eq!(diff(&["--no-aliases", "--alias", "decodeRow => decodeRowFast"]), ["accepted: decodeRow = decodeRowFast"]);
    // Own costs of all classes are the whole of each side.
    let found = json(&["diff", &before, &after, "--json"]);
    for side in 0..2 {
        let whole: f64 = found["matching"]["classes"].as_array().unwrap().iter().map(|class| class["share"][side].as_f64().unwrap()).sum();
        assert!((whole - 1.0).abs() < 1e-9, "{whole}");
    }
    // No silent merges: both spellings stand in every form.
    for form in [&[][..], &["--markdown"]] {
        let text = stdout(&[&["diff", &before, &after], form].concat());
        for name in ["main.loop.func1", "main.loop.func2", "another closure number", "decodeRowFast", "proposed"] {
            assert!(text.contains(name), "{name} is missing: {text}");
        }
    }
    assert_eq!(failure(&["diff", &before, &after, "--alias", "nothing"]).0, 2);
}
