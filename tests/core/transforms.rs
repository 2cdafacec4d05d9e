//! Transforms of stacks against the slowest obvious way, on every sample: merging and collapsing lose nothing, and tree, bottom-up tree and
//! written profile say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use emberlens::analysis::call_tree::Direction;
use emberlens::analysis::comparison::{Normalization, Shape, SideInput, compare};
use emberlens::analysis::filter::exactly;
use emberlens::analysis::{CallTree, Comparison, Filter, Granularity};
use emberlens::app::App;
use emberlens::base::ticket::Ticket;
use emberlens::model::{Profile, check};
use emberlens::report::part::filtered;
use proptest::prelude::*;

use crate::cli::{failure, json, run, sample, stdout};
use crate::formats::{read_named, samples};
use crate::laws::{profile_of, stacks};

/// What is done to the names of a stack, outermost first; `None` drops the sample.
#[derive(Clone, Debug)]
enum Transform {
    Merge(String),
    Collapse(String),
    PruneFrom(String),
    /// Of one function, or of all.
    Recursion(Option<String>),
    DirectRecursion(Option<String>),
    Begin(String),
    Subtree(Vec<String>),
}

impl Transform {
    fn filter(&self) -> Filter {
        let exact = |name: &String| exactly(std::slice::from_ref(name));
        let all = |name: &Option<String>| Some(name.as_ref().map_or_else(|| ".".to_owned(), exact));
        let none = Filter { all_frames: true, ..Filter::default() };
        match self {
            Self::Merge(name) => Filter { hide: Some(exact(name)), ..none },
            Self::Collapse(name) => Filter { collapse: Some(exact(name)), ..none },
            Self::PruneFrom(name) => Filter { prune_from: Some(exact(name)), ..none },
            Self::Recursion(name) => Filter { recursion: all(name), ..none },
            Self::DirectRecursion(name) => Filter { direct_recursion: all(name), ..none },
            Self::Begin(name) => Filter { show_from: Some(exact(name)), ..none },
            Self::Subtree(path) => Filter { subtree: path.iter().map(exact).collect(), ..none },
        }
    }

    const fn keeps_all(&self) -> bool {
        !matches!(self, Self::Begin(_) | Self::Subtree(_))
    }

    fn apply(&self, names: &[String]) -> Option<Vec<String>> {
        let at = |name: &String| names.iter().position(|other| other == name);
        let is = |chosen: &Option<String>, name: &String| chosen.as_ref().is_none_or(|chosen| chosen == name);
        Some(match self {
            Self::Merge(name) => names.iter().filter(|other| *other != name).cloned().collect(),
            Self::Collapse(name) => names[..at(name).map_or(names.len(), |at| at + 1)].to_vec(),
            Self::PruneFrom(name) => names[..names.iter().rposition(|other| other == name).map_or(names.len(), |at| at + 1)].to_vec(),
            Self::Begin(name) => names[at(name)?..].to_vec(),
            Self::Subtree(path) => names.starts_with(path).then(|| names[path.len() - 1..].to_vec())?,
            Self::DirectRecursion(chosen) => {
                let mut kept = names.to_vec();
                kept.dedup_by(|a, b| a == b && is(chosen, a));
                kept
            }
            Self::Recursion(chosen) => {
                let (mut kept, mut at) = (Vec::new(), 0);
                while let Some(name) = names.get(at) {
                    kept.push(name.clone());
                    let last = names.iter().rposition(|other| other == name).unwrap_or(at);
                    at = if is(chosen, name) { last + 1 } else { at + 1 };
                }
                kept
            }
        })
    }
}

/// Values by path.
type Paths = BTreeMap<Vec<String>, i128>;

fn names_of_samples(profile: &Profile, column: usize) -> Vec<(Vec<String>, i128)> {
    let samples = profile.samples.stacks().iter().zip(profile.samples.values(column));
    let names = |stack| profile.stack_frames(stack).map(|frame| profile.frame_name(frame)).collect::<Vec<_>>();
    let outermost_first = |stack| names(stack).into_iter().rev().collect();
    samples.map(|(&stack, &value)| (outermost_first(stack), i128::from(value))).collect()
}

fn summed(samples: impl IntoIterator<Item = (Vec<String>, i128)>) -> Paths {
    let mut made = Paths::new();
    for (names, value) in samples {
        *made.entry(names).or_default() += value;
    }
    made.retain(|_, value| *value != 0);
    made
}

fn compared(profile: &Arc<Profile>, column: usize, direction: Direction, filter: &Filter) -> Comparison {
    let (captures, ticket, kind) = ([Arc::clone(profile)], Ticket::new(), &profile.sample_types[column]);
    let shape = Shape::build(&captures, Granularity::Function, direction, filter, &ticket).unwrap();
    let of = (kind.name.as_str(), kind.unit.as_str());
    compare(Arc::new(shape), &captures, &[SideInput::whole([0])], of, filter, Normalization::Absolute, &ticket).unwrap()
}

fn holds(profile: &Arc<Profile>, column: usize, transform: &Transform) {
    let (filter, samples) = (transform.filter(), names_of_samples(profile, column));
    let expected = summed(samples.iter().filter_map(|(names, value)| Some((transform.apply(names)?, *value))));
    let down = compared(profile, column, Direction::TopDown, &filter);
    let weights = &down.sides[0].weights;
    let of_tree = |node| (App::names_of(&down, node), i128::from(weights.self_of(node)));
    assert_eq!(summed(down.tree().nodes().map(of_tree)), expected, "{transform:?}");
    if transform.keeps_all() {
        assert_eq!(weights.total(), profile.total(column), "{transform:?} loses nothing");
    }
    let up = compared(profile, column, Direction::BottomUp, &filter);
    let of_tree = |node| (App::names_of(&up, node).into_iter().rev().collect(), i128::from(up.sides[0].weights.self_of(node)));
    assert_eq!(summed(up.tree().nodes().map(of_tree)), expected, "{transform:?} bottom-up");
    let written = filtered(profile, &filter);
    assert_eq!(check(&written), [], "{transform:?}");
    let row = written.find_sample_type(&profile.sample_types[column].name);
    assert_eq!(row.map_or_else(Paths::new, |row| summed(names_of_samples(&written, row))), expected, "{transform:?} written");
}

/// Transforms about the functions that hold most, and about those that recur.
fn transforms(profile: &Profile, column: usize) -> Vec<Transform> {
    let samples = names_of_samples(profile, column);
    let mut total: BTreeMap<&String, i128> = BTreeMap::new();
    let mut again: BTreeMap<&String, i128> = BTreeMap::new();
    for (names, value) in &samples {
        for (at, name) in names.iter().enumerate() {
            let map = if names[..at].contains(name) { &mut again } else { &mut total };
            *map.entry(name).or_default() += value.abs();
        }
    }
    let first = |map: BTreeMap<&String, i128>, count: usize| {
        let mut names: Vec<_> = map.into_iter().collect();
        names.sort_by_key(|(name, value)| (std::cmp::Reverse(*value), (*name).clone()));
        names.into_iter().take(count).map(|(name, _)| name.clone()).collect::<Vec<String>>()
    };
    let recurring = first(again, 2);
    let mut made = vec![Transform::Recursion(None), Transform::DirectRecursion(None)];
    for name in first(total, 6).into_iter().chain(recurring.clone()) {
        made.extend([
            Transform::Merge(name.clone()),
            Transform::Collapse(name.clone()),
            Transform::PruneFrom(name.clone()),
            Transform::Begin(name),
        ]);
    }
    for name in recurring {
        made.extend([Transform::Recursion(Some(name.clone())), Transform::DirectRecursion(Some(name))]);
    }
    let longest = samples.iter().map(|(names, _)| names).max_by_key(|names| names.len());
    made.extend(longest.filter(|names| names.len() > 1).map(|names| Transform::Subtree(names[..names.len().div_ceil(2)].to_vec())));
    made
}

#[test]
fn every_transform_of_every_sample_is_what_it_does_to_names() {
    for path in samples() {
        let profile = Arc::new(read_named(&std::fs::read(&path).unwrap(), "sample").unwrap());
        let column = profile.default_sample_type;
        for transform in transforms(&profile, column) {
            holds(&profile, column, &transform);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_transform_is_what_it_does_to_names(stacks in stacks()) {
        let profile = profile_of(&stacks);
        for transform in transforms(&profile, 0) {
            holds(&profile, 0, &transform);
        }
    }

    #[test]
    fn repeating_a_transform_changes_nothing(stacks in stacks()) {
        let profile = profile_of(&stacks);
        for transform in transforms(&profile, 0).into_iter().filter(|transform| !matches!(transform, Transform::Subtree(_))) {
            let once = Arc::new(filtered(&profile, &transform.filter()));
            let twice = filtered(&once, &transform.filter());
            prop_assert_eq!(summed(names_of_samples(&once, 0)), summed(names_of_samples(&twice, 0)));
        }
    }
}

#[test]
fn what_is_left_of_a_comparison_is_judged_as_before() {
    let profile = profile_of(&[(vec!["main".to_owned(), "f".to_owned()], 10), (vec!["main".to_owned()], 5)]);
    let filter = Filter { show_from: Some("^f$".to_owned()), ..Filter::default() };
    let comparison = compared(&profile, 0, Direction::TopDown, &filter);
    let side = &comparison.sides[0];
    assert_eq!((side.weights.total(), side.total), (10, 15), "shares are of the whole capture");
    assert_eq!(side.weights.self_of(CallTree::ROOT), 0);
}

#[test]
fn the_command_line_has_every_transform() {
    let path = sample("pprof/go1.27.3/orders-cpu-after.pb.gz");
    let top = |options: &[&str]| {
        let all = json(&[&["top", path.as_str(), "--json", "-n", "0"][..], options].concat());
        let rows = all["rows"].as_array().expect("rows").clone();
        let slice = rows.iter().find(|row| row["name"] == "sort.Slice").map(|row| (row["self"].as_i64(), row["total"].as_i64()));
        (slice, rows.iter().filter_map(|row| row["self"].as_i64()).sum::<i64>())
    };
    let (slice, whole) = top(&[]);
    let total = slice.and_then(|(_, total)| total);
    assert!(slice.is_some_and(|(own, total)| own != total));
    for option in ["--collapse", "--prune-from"] {
        let (collapsed, sum) = top(&[option, r"^sort\.Slice$"]);
        assert_eq!((collapsed, sum), (Some((total, total)), whole), "{option}");
    }
    // Several of one kind are alternatives, under whatever name they are given.
    let several = top(&["--hide", r"^sort\.Slice$", "--merge", r"^sort\.insertion", "--hide", "(?i)PDQ"]);
    assert_eq!(several, top(&["--hide", r"^sort\.Slice$|^sort\.insertion|(?i:PDQ)"]));
    assert_eq!(top(&["--focus", "sort", "--focus", "net/http"]), top(&["--focus", "sort|net/http"]));
    for option in ["--hide", "--merge"] {
        assert_eq!(top(&[option, r"^sort\.Slice$"]), (None, whole), "{option}");
    }
    for options in [&["--collapse-recursion"][..], &["--collapse-direct-recursion=json"]] {
        assert_eq!(top(options).1, whole, "{options:?}");
    }
    let (begun, sum) = top(&["--show-from", r"^sort\.Slice$"]);
    assert_eq!((begun.and_then(|(_, total)| total), Some(sum)), (total, total));
    let (_, below) = top(&["--subtree", "net/http.(*conn).serve;net/http.serverHandler.ServeHTTP"]);
    assert!(below > 0 && below < whole);
    let (code, why) = failure(&["top", &path, "--subtree", "a;;b"]);
    assert!(code == 2 && why.contains("between semicolons"), "{code} {why}");
}

/// The rows that `go tool pprof -top -prune_from=json` prints: what a stack ends with is its INNERMOST frame that matches, and files do not count.
#[test]
fn stacks_are_pruned_from_where_pprof_prunes_them() {
    let path = sample("pprof/go1.27.3/orders-cpu-before.pb.gz");
    let folder = tempfile::tempdir().unwrap();
    let (pruned, again) =
        (folder.path().join("pruned.pb.gz").display().to_string(), folder.path().join("again.folded").display().to_string());
    assert_eq!(stdout(&["export", &path, "--prune-from", "json", "-o", &pruned]), "");
    assert_eq!(stdout(&["export", &path, "--prune-from", "json", "-o", &again]), "");
    for arguments in [&["top", path.as_str(), "--json", "-n", "5", "--prune-from", "json"][..], &["top", &pruned, "--json", "-n", "5"]] {
        let report = json(arguments);
        let row = |row: &serde_json::Value| {
            let ms = |key: &str| row[key].as_i64().map(|value| value / 1_000_000);
            (row["name"].as_str().unwrap_or_default().to_owned(), ms("self"), ms("total"))
        };
        let found: Vec<_> = report["rows"].as_array().expect("rows").iter().map(row).collect();
        let wanted = [
            ("internal/runtime/syscall/linux.Syscall6", 760, 760),
            ("orders/internal/pricing.(*Engine).Discount", 290, 460),
            ("runtime.futex", 290, 290),
            ("memeqbody", 140, 140),
            ("encoding/json/v2.makeString", 110, 110),
        ];
        assert_eq!(found, wanted.map(|(name, own, total)| (name.to_owned(), Some(own), Some(total))), "{arguments:?}");
    }
    let top_of = |path: &str| json(&["top", path, "--json", "-n", "0", "-t", "cpu"])["row_count"].clone();
    assert_eq!(json(&["top", &again, "--json", "-n", "0"])["row_count"], top_of(&pruned), "folded stacks end there too");
}

/// A typing error is no answer: what of a filter finds nothing is said, and where nothing is left that is an error, as with grep.
#[test]
fn what_of_a_filter_finds_nothing_is_said() {
    let path = sample("pprof/go1.27.3/orders-cpu-before.pb.gz");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.pb.gz").display().to_string();
    for command in [
        &["top", path.as_str()][..],
        &["top", &path, "--json"],
        &["list", ".", &path],
        &["export", &path, "-o", &out],
        &["export", &path, "--as", "folded", "-o", "-"],
    ] {
        for (options, names) in [
            (&["--focus", "nowhere"][..], "--focus=nowhere matches no function, file or module"),
            (&["--show-from", "nowhere", "--hide", "json"], "--show-from=nowhere matches no"),
            (&["--subtree", "main.main;nowhere"], "--subtree=main.main;nowhere matches no"),
            // Each finds something.
            (&["--focus", "json", "--ignore", "runtime|."], "--ignore=runtime|."),
        ] {
            let (code, why) = failure(&[command, options].concat());
            assert!(
                code == 1 && why.contains("no sample passes the filters") && why.contains(names),
                "{command:?} {options:?}: {code} {why}"
            );
        }
    }
    assert!(!std::path::Path::new(&out).exists(), "nothing is written");
    for option in ["--ignore", "--hide", "--collapse", "--prune-from", "--collapse-recursion"] {
        let output = run(["top", &path, &format!("{option}=nowhere")]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && said == format!("note: {option}=nowhere matches no function, file or module\n"),
            "{option}: {said}"
        );
        assert!(!output.stdout.is_empty());
    }
    // A row may have a name that no frame has.
    assert!(stdout(&["top", &path, "--by", "package", "--hide", "^orders/internal/pricing$"]).contains("let through"));
}

/// What a row of a table is does not change what a pattern finds: frames match by function, file and module, as in pprof.
#[test]
fn patterns_match_frames_whatever_the_rows_are() {
    let cpu = sample("pprof/go1.27.3/orders-cpu-before.pb.gz");
    let total = |arguments: &[&str]| {
        let report = json(&[&["top", &cpu, "--json", "-n", "0"], arguments].concat());
        let rows = report["rows"].as_array().expect("rows").iter();
        rows.map(|row| row["self"].as_i64().expect("a number")).sum::<i64>()
    };
    for by in ["function", "file", "package", "module", "line", "address"] {
        // As `go tool pprof -files -show_from=Discount` says.
        assert_eq!(total(&["--by", by, "--show-from", "Discount"]), 460_000_000, "{by}");
        assert_eq!(total(&["--by", by, "--show-from", r"\.Discount$"]), total(&["--show-from", r"\.Discount$"]), "{by}");
    }
    let rows = |arguments: &[&str]| {
        let report = json(&[&["top", &cpu, "--json", "-n", "0", "--by", "package"], arguments].concat());
        report["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| (row["name"].to_string(), row["self"].as_i64()))
            .collect::<BTreeMap<_, _>>()
    };
    let pricing = "\"orders/internal/pricing\"";
    let (all, hidden) = (rows(&[]), rows(&["--hide", r"\.Discount$"]));
    assert!(hidden[pricing] < all[pricing], "its own cost goes to its callers: {hidden:?}");
}

/// One name, of two versions of a library: a file is the frame's own, and not that of the row.
#[test]
fn files_of_one_name_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = emberlens::model::Builder::new([("samples", "count")]);
    for (version, count) in [("v1.2.3", 30), ("v1.3.0", 50)] {
        let (name, file) = (builder.string("lib.F"), builder.string(&format!("/mod/lib@{version}/f.go")));
        let function = Some(builder.function(emberlens::model::Function { name, system_name: None, file: Some(file), start_line: 1 }));
        let main = Some(builder.function_named("main.main"));
        let [main, frame] = [main, function].map(|function| builder.frame(emberlens::model::Frame { function, ..Default::default() }));
        let root = builder.stack(None, main);
        let stack = Some(builder.stack(Some(root), frame));
        builder.rows.sample(emberlens::model::Sample { stack, ..Default::default() }, &[count]);
    }
    let path = folder.path().join("two.pb.gz").display().to_string();
    std::fs::write(&path, emberlens::format::pprof::write(&builder.finish())).unwrap();
    for (pattern, wanted) in [(r"lib@v1\.2", 30), (r"lib@v1\.3", 50), ("lib@v1", 80)] {
        let report = json(&["top", &path, "--json", "-n", "0", "--show-from", pattern]);
        let sum: i64 = report["rows"].as_array().expect("rows").iter().map(|row| row["self"].as_i64().expect("a number")).sum();
        assert_eq!(sum, wanted, "{pattern}");
    }
}
