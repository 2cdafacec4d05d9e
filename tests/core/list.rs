//! The lines of functions against `go tool pprof -list`: a golden table, and every line of every function where Go is here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::{failure, json, sample, stdout};
use crate::go_pprof::{go, run};

const CPU: [&str; 2] = ["pprof/go1.27.3/orders-cpu-before.pb.gz", "pprof/go1.27.3/orders-cpu-after.pb.gz"];
const DISCOUNT: &str = "pricing..\\*Engine..Discount$";

fn sources() -> String {
    sample("src")
}

/// Self and total by (function, file, line), each as after minus before where there are two sides; only lines with a value.
type Costs = BTreeMap<(String, String, u64), (i64, i64)>;

fn ours(report: &Value) -> Costs {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let change = |value: &Value| {
        let values: Vec<i64> = list(value).iter().filter_map(Value::as_i64).collect();
        values.last().copied().unwrap_or(0) - if values.len() == 2 { values[0] } else { 0 }
    };
    let mut costs = Costs::new();
    for function in list(&report["functions"]) {
        for file in list(&function["files"]) {
            for line in list(&file["lines"]) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let cost = (change(&line["self"]), change(&line["total"]));
                if cost != (0, 0) {
                    costs.insert((text(&function["name"]), text(&file["file"]), line["line"].as_u64().unwrap_or(0)), cost);
                }
            }
        }
    }
    costs
}

/// The text of every listed line by (file, line).
fn texts(report: &Value) -> BTreeMap<(String, u64), String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut texts = BTreeMap::new();
    for file in list(&report["functions"]).iter().flat_map(|function| list(&function["files"])) {
        for line in list(&file["lines"]) {
            if let (Some(at), Some(text)) = (line["line"].as_u64(), line["text"].as_str()) {
                texts.insert((file["file"].as_str().unwrap_or_default().to_owned(), at), text.to_owned());
            }
        }
    }
    texts
}

/// The first line of functions by (function, file).
fn starts(report: &Value) -> BTreeMap<(String, String), u64> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut starts = BTreeMap::new();
    for function in list(&report["functions"]) {
        for file in list(&function["files"]) {
            starts.insert((text(&function["name"]), text(&file["file"])), file["start_line"].as_u64().unwrap_or(0));
        }
    }
    starts
}

/// The same two of what pprof prints with `-unit` of one letter or two.
fn theirs(text: &str) -> (Costs, BTreeMap<(String, u64), String>) {
    let (mut costs, mut texts) = (Costs::new(), BTreeMap::new());
    let mut of = None;
    let number =
        |text: &str| if text == "." { Some(0) } else { text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<i64>().ok() };
    for line in text.lines() {
        if let Some((name, file)) = line.strip_prefix("ROUTINE ======================== ").and_then(|rest| rest.rsplit_once(" in ")) {
            of = Some((name.to_owned(), file.to_owned()));
            continue;
        }
        let Some((head, text)) = line.split_once(':') else { continue };
        let words: Vec<&str> = head.split_whitespace().collect();
        let ([self_, total, at], Some((name, file))) = (words.as_slice(), &of) else { continue };
        let (Some(self_), Some(total), Ok(at)) = (number(self_), number(total), at.parse::<u64>()) else { continue };
        texts.insert((file.clone(), at), text.to_owned());
        if (self_, total) != (0, 0) {
            costs.insert((name.clone(), file.clone(), at), (self_, total));
        }
    }
    (costs, texts)
}

/// `go tool pprof -list 'Engine..Discount$' -unit=ms` of Go 1.27.3.
const GOLDEN: [(u64, i64, i64); 11] = [
    (102, 0, 20),
    (105, 0, 290),
    (112, 0, 150),
    (113, 450, 460),
    (114, 80, 80),
    (115, 1490, 1510),
    (118, 90, 100),
    (120, 0, 480),
    (128, 10, 10),
    (131, 10, 70),
    (132, 0, 40),
];

#[test]
fn a_line_costs_what_pprof_says() {
    let report = json(&["list", DISCOUNT, &sample(CPU[1]), "--json", "--source-path", &sources()]);
    let found: Vec<(u64, i64, i64)> =
        ours(&report).into_iter().map(|((_, _, line), (self_, total))| (line, self_ / 1_000_000, total / 1_000_000)).collect();
    assert_eq!(found, GOLDEN);
    let file = &report["functions"][0]["files"][0];
    assert_eq!((&file["file"], &file["start_line"]), (&"orders/internal/pricing/engine.go".into(), &101.into()));
    assert_eq!(file["lines"][0]["text"], "func (e *Engine) Discount(line Line) Quote {");
    assert_eq!(
        file["lines"].as_array().map(Vec::len),
        Some(137 - 101 + 1),
        "from the first line to five lines after the last one with a value"
    );
}

#[test]
fn every_line_of_every_function_is_as_pprof_has_it() {
    let Some(go) = go() else { return };
    let root = std::process::Command::new(&go).args(["env", "GOROOT"]).output().expect("go starts");
    let standard = PathBuf::from(String::from_utf8_lossy(&root.stdout).trim()).join("src");
    let path = std::env::join_paths([PathBuf::from(sources()), standard.clone()]).expect("no path has a separator in it");
    let path = format!("-source_path={}", path.to_string_lossy());
    let mut compared = 0;
    let heaps = ["pprof/go1.27.3/orders-heap-before.pb.gz", "pprof/go1.27.3/orders-heap-after.pb.gz"];
    for (kind, unit, files) in [
        ("cpu", "ns", &CPU[..1]),
        ("cpu", "ns", &CPU[1..]),
        ("cpu", "ns", &CPU[..]),
        ("inuse_space", "B", &heaps[1..]),
        ("inuse_space", "B", &heaps[..]),
        ("alloc_objects", "count", &heaps[..1]),
        ("delay", "ns", &["pprof/go1.27.3/orders-mutex-after.pb.gz"][..]),
        ("goroutine", "count", &["pprof/go1.27.3/orders-goroutine-after.pb.gz"][..]),
    ] {
        let files: Vec<String> = files.iter().map(|file| sample(file)).collect();
        let index = format!("-sample_index={kind}");
        let unit = format!("-unit={unit}");
        let mut arguments = vec!["-list=.", &path, &index, &unit, "-nodefraction=0", "-edgefraction=0"];
        if files.len() == 2 {
            arguments.extend(["-diff_base", &files[0]]);
        }
        let printed = run(&go, &arguments, &[Path::new(files.last().expect("one at least"))]);
        let (costs, lines) = theirs(&printed);
        let folders = [sources(), standard.to_string_lossy().into_owned()];
        let mut arguments = vec!["list", ".", "--json"];
        arguments.extend(files.iter().map(String::as_str));
        arguments.extend(["-n", "0", "-t", kind, "--source-path", &folders[0], "--source-path", &folders[1]]);
        let report = json(&arguments);
        let (our_costs, our_lines) = (ours(&report), texts(&report));
        for (key, cost) in &costs {
            assert_eq!(our_costs.get(key), Some(cost), "{files:?} {key:?}");
        }
        for (key, text) in lines.iter().filter(|(key, _)| our_lines.contains_key(key)) {
            assert_eq!(our_lines.get(key), Some(text), "{key:?}");
        }
        // pprof leaves out lines of a function that stand before it in its file (of code put into it), and says nothing of files that it does
        // not find.
        let starts = starts(&report);
        let is_left_out = |key: &(String, String, u64)| starts.get(&(key.0.clone(), key.1.clone())).is_some_and(|&start| key.2 < start);
        let shown = |key: &&(String, String, u64)| our_lines.contains_key(&(key.1.clone(), key.2)) && !is_left_out(key);
        let unseen: Vec<&(String, String, u64)> = our_costs.keys().filter(|key| !costs.contains_key(*key)).filter(shown).collect();
        assert_eq!(unseen, Vec::<&(String, String, u64)>::new(), "{files:?}: lines that pprof has no value for");
        compared += costs.len();
    }
    assert!(compared > 2500, "only {compared} lines were compared");
}

#[test]
fn lines_without_a_file_are_listed_by_number_and_say_why() {
    let text = stdout(&["list", DISCOUNT, &sample(CPU[1])]);
    assert!(text.contains("orders/internal/pricing/engine.go: the file is not on this machine"), "{text}");
    assert!(text.contains("1.49       1.51   115\n") && !text.contains("116"), "{text}");
    assert!(text.contains("--source-path"), "what helps is said: {text}");
}

#[test]
fn both_sides_stand_beside_each_other() {
    let text = stdout(&["list", DISCOUNT, &sample(CPU[0]), &sample(CPU[1]), "--normalize", "absolute", "--source-path", &sources()]);
    assert!(text.contains("self 0.29 → 2.13 s (+1.84), total 0.46 → 3.21 s (+2.75)"), "{text}");
    assert!(
        text.contains("0.22        1.49        +1.27              0.22         1.51         +1.29   115          if r.segments"),
        "{text}"
    );
    let markdown = stdout(&["list", DISCOUNT, &sample(CPU[0]), &sample(CPU[1]), "--markdown"]);
    assert!(
        markdown.contains("\n### orders/internal/pricing.(\\*Engine).Discount\n") && markdown.matches("\n```\n").count() == 2,
        "{markdown}"
    );
}

#[test]
fn a_function_that_is_not_there_is_an_error() {
    let (code, text) = failure(&["list", "NoSuchThing", &sample(CPU[0])]);
    assert_eq!(code, 1);
    assert!(text.contains("NoSuchThing"), "{text}");
    assert_eq!(failure(&["list", "(", &sample(CPU[0])]).0, 2);
    assert_eq!(failure(&["list", "x", "--by", "line", &sample(CPU[0])]).0, 2);
}

#[test]
fn the_window_copies_what_the_program_prints() {
    use emberlens::app::view::{Selection, Tab};
    use emberlens::app::{App, Command, Effect, Options};
    let mut app = App::new(Options { inline: true, ..Options::default() });
    app.apply(Command::Open(vec![sample(CPU[1]).into()]));
    app.apply(Command::Select(Some(Selection { place: "orders/internal/pricing.(*Engine).Discount".to_owned(), path: Vec::new() })));
    app.apply(Command::SetTab(Tab::Source));
    app.settle();
    let effects = app.apply(Command::CopySource);
    let [Effect::CopyText(text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(stdout(&["list", DISCOUNT, &sample(CPU[1])]).starts_with(text.as_str()), "{text}");
}
