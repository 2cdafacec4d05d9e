//! The product without a window, driven by command scripts on our sample captures.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use emberlens::analysis::call_tree::CallTree;
use emberlens::app::findings::{FindingKind, Thresholds};
use emberlens::app::view::{CaptureId, FlameWindow, Selection, Side, ViewState};
use emberlens::app::{App, Command, FolderList, Options, script};
use emberlens::base::discard::discard;
use emberlens::model::Profile;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles").join(name)
}

fn app() -> App {
    App::new(Options { inline: true, ..Options::default() })
}

const BEFORE: &str = "pprof/go1.27.3/orders-cpu-before.pb.gz";
const BEFORE_AGAIN: &str = "pprof/go1.27.3/orders-cpu-before-2.pb.gz";
const AFTER: &str = "pprof/go1.27.3/orders-cpu-after.pb.gz";

fn compared() -> App {
    let mut app = app();
    app.apply(Command::OpenComparison(sample(BEFORE), sample(AFTER)));
    app.settle();
    app
}

#[test]
fn opening_a_capture_makes_everything_that_its_view_wants() {
    let mut app = app();
    app.apply(Command::Open(vec![sample(BEFORE)]));
    app.settle();
    assert!(app.failure().is_none(), "{:?}", app.failure());
    assert_eq!(app.sample_type(), Some(("cpu".to_owned(), "nanoseconds".to_owned())));
    let comparison = app.comparison().ready().expect("the comparison is ready");
    let total = app.profiles()[0].total(1);
    assert!(total > 0, "the sample has a cpu total");
    assert_eq!(comparison.sides[0].weights.total(), total);
    assert!(app.top().ready().is_some_and(|top| top.rows.len() > 50), "the table has rows");
    assert!(app.flame().ready().is_some_and(|flame| flame.total() == total as u64), "the flame graph is as wide as the total");
}

#[test]
fn the_sample_pair_is_there_without_any_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let samples = folder.path().join("new");
    let mut app = App::new(Options { inline: true, samples_folder: Some(samples.clone()), ..Options::default() });
    for _ in 0..2 {
        app.apply(Command::OpenSample);
        app.settle();
        assert!(app.failure().is_none() && app.view().is_comparison());
        let first = &app.findings().ready().expect("findings").rows[0];
        assert_eq!(first.func, "orders/internal/pricing.(*Engine).Discount");
        // Half a file is written anew.
        app.apply(Command::CloseAll);
        std::fs::write(samples.join("orders-cpu-after.pb.gz"), b"half").expect("a file");
    }
    std::fs::write(folder.path().join("file"), b"").expect("a file");
    let mut app = App::new(Options { inline: true, samples_folder: Some(folder.path().join("file")), ..Options::default() });
    app.apply(Command::OpenSample);
    assert!(app.messages()[0].is_error && app.messages()[0].text.contains("could not be written"), "{:?}", app.messages());
}

#[test]
fn undo_and_redo_of_any_command_are_the_identity() {
    let mut app = compared();
    let start = app.view().clone();
    let commands = [
        Command::Search("json".to_owned()),
        Command::SwapSides,
        Command::SetWindow(FlameWindow { left: 0.1, right: 0.3, scroll_rows: 2.0 }),
        Command::Focus("pricing".to_owned()),
        Command::SetNormalization(Some(emberlens::analysis::Normalization::Share)),
        Command::Select(Some(Selection { place: "runtime.mallocgc".to_owned(), path: Vec::new() })),
        Command::LeaveComparison,
    ];
    let mut views = vec![start];
    for command in commands {
        app.apply(command);
        views.push(app.view().clone());
    }
    for view in views.iter().rev().skip(1) {
        app.apply(Command::Undo);
        assert_eq!(app.view(), view);
    }
    for view in views.iter().skip(1) {
        app.apply(Command::Redo);
        assert_eq!(app.view(), view);
    }
}

#[test]
fn each_zoom_is_a_place_to_go_back_to_and_looking_around_is_one() {
    let mut app = compared();
    let window = |left, right, scroll_rows| FlameWindow { left, right, scroll_rows };
    let (first, second) = (window(0.1, 0.5, 0.0), window(0.2, 0.3, 0.0));
    app.apply(Command::SetWindow(first));
    app.apply(Command::SetWindow(second));
    app.apply(Command::SetWindow(window(0.25, 0.35, 1.0)));
    app.apply(Command::SetWindow(window(0.4, 0.5, 2.0)));
    app.apply(Command::ResetZoom);
    app.apply(Command::ZoomIn);
    for (label, expected) in [
        ("zoom", FlameWindow::default()),
        ("zoom", window(0.4, 0.5, 2.0)),
        ("scroll", second),
        ("zoom", first),
        ("zoom", FlameWindow::default()),
    ] {
        assert_eq!(app.undo_label(), Some(label));
        app.apply(Command::Undo);
        assert_eq!(app.view().window, expected);
    }
}

#[test]
fn escape_takes_away_selection_search_and_zoom_one_by_one() {
    let mut app = compared();
    let window = FlameWindow { left: 0.1, right: 0.3, scroll_rows: 2.0 };
    app.apply(Command::SetWindow(window));
    app.apply(Command::Search("json".to_owned()));
    app.apply(Command::Select(Some(Selection { place: "runtime.mallocgc".to_owned(), path: Vec::new() })));
    let escape = |app: &mut App| {
        let kind = emberlens::app::command::kind("clear-selection").expect("a kind");
        kind.available(app).map(|command| app.apply(command)).is_some()
    };
    assert!(escape(&mut app) && app.view().selection.is_none() && app.view().search == "json");
    assert!(escape(&mut app) && app.view().search.is_empty() && app.view().window == window);
    assert!(escape(&mut app) && app.view().window == FlameWindow::default());
    assert!(!escape(&mut app), "nothing is left to take away");
}

#[test]
fn swapping_sides_exchanges_the_weights() {
    let mut app = compared();
    let (before, after) = {
        let comparison = app.table().ready().expect("ready");
        (comparison.sides[0].weights.total(), comparison.sides[1].weights.total())
    };
    app.apply(Command::SwapSides);
    app.settle();
    let comparison = app.table().ready().expect("ready");
    assert_eq!((comparison.sides[1].weights.total(), comparison.sides[0].weights.total()), (before, after));
}

/// `go tool pprof -top -cum -tagroot=endpoint` says the same of these endpoints; samples without one it calls `<unknown>`.
#[test]
fn stacks_begin_with_what_samples_are_grouped_by() {
    let mut app = compared();
    let whole = app.table().ready().expect("ready").sides[0].weights.total();
    app.apply(Command::GroupBy(vec!["endpoint".to_owned()]));
    app.settle();
    let outermost = |app: &App| -> Vec<(String, i64)> {
        let comparison = app.comparison().ready().expect("ready");
        let tree = comparison.tree();
        let nodes = tree.children(CallTree::ROOT);
        let named = nodes.map(|node| (comparison.places().name(tree.place(node)).to_owned(), comparison.sides[0].weights.total_of(node)));
        named.filter(|(_, total)| *total != 0).collect()
    };
    let milliseconds = [
        ("(no endpoint)", 2300),
        ("endpoint: bestsellers", 280),
        ("endpoint: place-order", 1430),
        ("endpoint: recent-orders", 30),
        ("endpoint: search", 400),
    ];
    let wanted: Vec<(String, i64)> = milliseconds.iter().map(|(name, value)| ((*name).to_owned(), value * 1_000_000)).collect();
    assert_eq!(outermost(&app), wanted);
    assert_eq!(app.table().ready().expect("ready").sides[0].weights.total(), whole);
    assert_eq!(app.findings().ready().expect("ready").rows[0].func, "orders/internal/pricing.(*Engine).Discount");
    // Patterns know the new frames, as pprof's do.
    app.apply(Command::Focus("endpoint: search".to_owned()));
    app.settle();
    assert_eq!(outermost(&app), [wanted[4].clone()]);
    app.apply(Command::ClearFilters);
    app.settle();
    assert_eq!(outermost(&app), wanted, "groups are no choice of samples");
    app.apply(Command::Undo);
    app.apply(Command::Undo);
    app.apply(Command::Undo);
    app.settle();
    assert!(app.view().filter.group_by.is_empty() && outermost(&app).iter().all(|(name, _)| !name.contains("endpoint")));
}

/// Two captures of the unchanged program against one of the slower one.
fn repeated() -> App {
    let mut app = app();
    app.apply(Command::OpenSides(vec![sample(BEFORE), sample(BEFORE_AGAIN)], vec![sample(AFTER)]));
    app.settle();
    app
}

#[test]
fn the_captures_of_a_side_are_summed_and_kept_apart_for_their_noise() {
    let app = repeated();
    let comparison = app.table().ready().expect("ready");
    let totals: Vec<i64> = app.profiles().iter().map(|profile| profile.total(1)).collect();
    let [before, after] = comparison.sides.as_slice() else { panic!("two sides") };
    assert_eq!((before.weights.total(), after.weights.total()), (totals[0] + totals[1], totals[2]));
    assert_eq!((before.captures.len(), after.captures.len()), (2, 1));
    assert_eq!(app.shown_names(), ["orders-cpu-before.pb.gz + 1 more", "orders-cpu-after.pb.gz"]);
    let report = app.diff_report().expect("findings").text();
    assert!(report.contains("orders-cpu-before-2.pb.gz"), "{report}");
}

#[test]
fn the_slices_of_a_capture_have_its_rate_as_their_mean() {
    let mut app = app();
    let perf = |name: &str| sample("perf-data/6.1.187").join(name);
    app.apply(Command::OpenComparison(perf("indexer-before.perf.data"), perf("indexer-after.perf.data")));
    app.settle();
    assert!(app.trend().ready().is_none(), "nothing is followed that nobody looks at");
    app.apply(Command::SetTab(emberlens::app::view::Tab::Trend));
    let mut means = Vec::new();
    for selected in [None, Some(Selection { place: "find_term".to_owned(), path: Vec::new() })] {
        app.apply(Command::Select(selected));
        app.settle();
        let trend = app.trend().ready().expect("a trend");
        let comparison = app.table().ready().expect("a comparison");
        for ((whole, slices), (side, profile)) in trend.captures.iter().zip(&trend.slices).zip(comparison.sides.iter().zip(app.profiles()))
        {
            assert_eq!((whole.points.len(), slices.points.len(), whole.interval), (1, 24, None));
            let (first, last) = profile.samples.time_range().expect("times");
            // The time of the samples, to which the last one belongs.
            let rate = whole.mean / comparison.factor(side) / ((last - first + 1) as f64 / 1e9);
            assert!(whole.mean > 0.0 && (slices.mean / rate - 1.0).abs() < 1e-9, "{} {rate}", slices.mean);
            means.push(whole.mean);
        }
    }
    // Without a selection it is everything.
    let comparison = app.table().ready().expect("a comparison");
    for (side, mean) in comparison.sides.iter().zip(means) {
        assert!((side.weights.total() as f64 * comparison.factor(side) / mean - 1.0).abs() < 1e-12);
    }
}

/// A range and its rest are the whole, of a capture alone and of each side of a comparison, whose captures have clocks of their own.
#[test]
fn a_range_of_time_and_its_rest_add_up_to_the_whole() {
    let perf = |name: &str| sample("perf-data/6.1.187").join(name);
    let [one, other] = ["indexer-before.perf.data", "indexer-after.perf.data"].map(perf);
    for opened in [Command::Open(vec![one.clone()]), Command::OpenComparison(one.clone(), other)] {
        let mut app = app();
        app.apply(opened);
        let mut totals = |line: &str| -> Vec<i64> {
            app.apply(Command::from_line(line).expect("a command"));
            app.settle();
            assert!(app.messages().is_empty(), "{line}: {:?}", app.messages());
            app.table().ready().expect("a table").sides.iter().map(|side| side.weights.total()).collect()
        };
        let whole = totals("set-time-range");
        let (range, rest) = (totals("set-time-range 1s..2.5s"), totals("set-time-range !1s..2.5s"));
        let sums: Vec<i64> = range.iter().zip(&rest).map(|(range, rest)| range + rest).collect();
        assert_eq!(sums, whole, "{range:?} and {rest:?}");
        assert!(range.iter().chain(&rest).all(|&total| total > 0), "{range:?} and {rest:?}");
        assert_eq!(totals("undo"), range, "each is one step");
    }
}

#[test]
fn time_that_a_capture_does_not_have_is_refused_and_the_view_stays() {
    let mut app = app();
    app.apply(Command::Open(vec![sample("perf-data/6.1.187/indexer-before.perf.data")]));
    app.settle();
    app.apply(Command::from_line("set-time-range 100s..").expect("a command"));
    assert!(
        app.messages().iter().any(|message| message.is_error && message.text.contains("end after 3.498160384s")),
        "{:?}",
        app.messages()
    );
    assert_eq!(app.view().filter.time, None);
}

#[test]
fn captures_move_between_sides_and_undo_brings_them_back() {
    let mut app = repeated();
    let ids: Vec<CaptureId> = app.captures().iter().map(|capture| capture.id).collect();
    let sides = |app: &App| Side::BOTH.map(|side| app.view().side(side));
    let mut done = |command: Command, expected: [&[usize]; 2]| {
        app.apply(command.clone());
        app.settle();
        let wanted = expected.map(|rows| rows.iter().map(|&row| ids[row]).collect::<Vec<_>>());
        assert_eq!(sides(&app), wanted, "{command:?}");
        let text = serde_json::to_string(app.view()).expect("a view can be written");
        assert_eq!(&serde_json::from_str::<ViewState>(&text).expect("and read"), app.view());
        assert!(app.failure().is_none() && app.table().ready().is_some(), "{command:?}");
    };
    done(Command::AddToSide(Side::After, ids[1]), [&[0], &[2, 1]]);
    done(Command::SwapSides, [&[2, 1], &[0]]);
    done(Command::AddToSide(Side::Before, ids[0]), [&[0], &[2, 1]]);
    done(Command::RemoveFromSide(Side::After, ids[2]), [&[0], &[1]]);
    done(Command::RemoveFromSide(Side::Before, ids[0]), [&[], &[1]]);
    done(Command::AddToSide(Side::After, ids[0]), [&[], &[1, 0]]);
    done(Command::Undo, [&[], &[1]]);
    done(Command::Undo, [&[0], &[1]]);
    done(Command::AddFiles(Side::Before, vec![sample(AFTER)]), [&[0, 2], &[1]]);
    done(Command::Show(ids[2]), [&[], &[2]]);
    done(Command::Undo, [&[0, 2], &[1]]);
    done(Command::Close(ids[0]), [&[2], &[1]]);
}

#[test]
fn a_broken_file_is_said_and_does_not_disturb_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.pb.gz");
    std::fs::write(&path, "<html>404</html>").unwrap();
    let mut app = app();
    app.apply(Command::Open(vec![sample(BEFORE)]));
    app.apply(Command::Open(vec![path.clone()]));
    app.settle();
    let (_, why) = app.failure().expect("the broken file is in front");
    assert!(why.contains("web page") && why.ends_with(&path.display().to_string()), "{why}");
    let first = app.captures()[0].id;
    app.apply(Command::Show(first));
    app.settle();
    assert!(app.failure().is_none() && app.top().ready().is_some(), "the first capture is still there");
}

#[test]
fn a_closed_capture_leaves_no_view_behind() {
    let mut app = compared();
    let after = app.view().after.expect("after");
    app.apply(Command::Close(after));
    app.settle();
    assert!(!app.view().is_comparison() && app.view().after.is_some(), "before stays alone");
    app.apply(Command::CloseAll);
    app.settle();
    assert!(app.captures().is_empty() && app.wants().is_empty(), "nothing is left");
    assert!(app.apply(Command::Undo).is_empty() && app.view().after.is_none(), "undo does not bring it back");
}

#[test]
fn a_closed_capture_and_its_results_are_held_by_nothing() {
    let mut app = compared();
    let profiles: Vec<Weak<Profile>> = app.profiles().iter().map(Arc::downgrade).collect();
    let comparison = app.table().ready().map(Arc::downgrade).expect("a comparison");
    let layout = app.flame().ready().map(Arc::downgrade).expect("a flame graph");
    let is_held = |profile: &Weak<Profile>| profile.strong_count() > 0;
    assert!(profiles.len() == 2 && profiles.iter().all(is_held));
    app.apply(Command::CloseAll);
    app.settle();
    // Another thread drops them one after the other, and at last what this one waits for.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a thread")]
    let (sender, dropped) = std::sync::mpsc::channel::<()>();
    discard(sender);
    assert!(dropped.recv().is_err(), "nothing is sent");
    assert!(!profiles.iter().any(is_held));
    assert_eq!((comparison.strong_count(), layout.strong_count()), (0, 0));
}

#[test]
fn scripts_run_and_print() {
    let text = format!("# demo\nopen-comparison [{:?}, {:?}]\nsearch pricing\nset-tab top\nprint\n", sample(BEFORE), sample(AFTER));
    let lines = script::parse(&text).unwrap();
    let (mut app, mut printed) = (app(), String::new());
    script::run(&mut app, &lines, &mut |_, effect| Err(format!("{effect:?}")), &mut |text| printed.push_str(text)).unwrap();
    assert!(printed.contains("before orders-cpu-before.pb.gz") && printed.contains("sample type: cpu/nanoseconds"), "{printed}");
    let wrong = script::parse("undo\nfly away\n").unwrap_err();
    assert!(wrong.starts_with("line 2: `fly`"), "{wrong}");
}

#[test]
fn symbols_arrive_after_the_first_picture_and_replace_it() {
    let load = emberlens::app::load::LoadOptions { symbol_roots: vec![sample("sysroot")], ..Default::default() };
    let mut app = App::new(Options { inline: true, load, ..Options::default() });
    app.apply(Command::Open(vec![sample("perf-data/6.1.187/indexer-after.perf.data")]));
    app.settle();
    let comparison = app.table().ready().expect("the comparison is ready");
    let top = app.top().ready().expect("the table is ready");
    let row = top.rows.iter().find(|row| comparison.places().name(row.place) == "find_term").expect("the function has a name now");
    // As `perf script` says with symbols: see sample-profiles/expected.json.
    assert_eq!(row.self_, 1_402_684_481);
    assert_eq!(app.captures()[0].generation, 2, "read, then named");
}

#[test]
fn folders_of_binaries_that_are_added_name_and_unwind_what_is_open() {
    let folder = tempfile::tempdir().unwrap();
    for (capture, generation) in [("indexer-after", 2), ("stacks-dwarf", 3)] {
        let path = folder.path().join("a.perf.data");
        std::fs::copy(sample(&format!("perf-data/6.1.187/{capture}.perf.data")), &path).unwrap();
        let mut app = app();
        app.apply(Command::Open(vec![path]));
        app.settle();
        let missing = |app: &App| {
            let profile = app.captures()[0].profile().expect("it was read");
            let of = |row: &&emberlens::model::Unnamed| row.module.starts_with("/opt/");
            (
                profile.info.unnamed.iter().filter(of).map(|row| row.addresses).sum::<u64>(),
                profile.notes.count(emberlens::model::kind::NOT_UNWOUND),
            )
        };
        let before = missing(&app);
        if std::path::Path::new("/opt/emberlens-samples").exists() {
            continue; // Where the programs are installed, nothing is missing.
        }
        assert_eq!((before.0 > 0, before.1 > 0), (true, capture.ends_with("dwarf")), "{capture}");
        app.apply(Command::AddFolder(FolderList::Symbols, sample("sysroot")));
        app.apply(Command::AddFolder(FolderList::Symbols, sample("sysroot")));
        app.settle();
        assert_eq!(app.symbol_roots(), [sample("sysroot")], "once");
        let after = missing(&app);
        // One address of the second is covered by no symbol.
        assert!(after.0 < before.0 && after.0 < 2 && after.1 == 0, "{capture}: {before:?} {after:?}");
        assert!(app.captures()[0].generation >= generation, "{capture}");
    }
}

#[test]
fn comparing_with_an_open_capture_does_not_read_it_again() {
    let mut app = app();
    app.apply(Command::Open(vec![sample(AFTER)]));
    app.apply(Command::OpenComparison(sample(BEFORE), sample(AFTER)));
    app.settle();
    assert_eq!(app.captures().len(), 2, "the shown capture is used as it is");
    assert_eq!((app.view().before, app.view().after), (Some(app.captures()[1].id), Some(app.captures()[0].id)));
    app.apply(Command::OpenComparison(sample(BEFORE), sample(BEFORE)));
    app.settle();
    assert!(app.failure().is_none(), "a capture can be compared with itself");
}

/// A comparison of two folded captures, written into a folder.
fn folded(folder: &Path, before: &str, after: &str) -> App {
    let [before, after] = [("before.folded", before), ("after.folded", after)].map(|(name, text)| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    });
    let mut app = app();
    app.apply(Command::OpenComparison(before, after));
    app.settle();
    app
}

#[test]
fn a_proposed_name_is_accepted_kept_apart_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = folded(folder.path(), "main;decodeRow;parse 420\nmain;same 580\n", "main;decodeRowFast;parse 410\nmain;same 590\n");
    let classes =
        |app: &App| -> Vec<&'static str> { app.findings().ready().unwrap().matching.classes.iter().map(|sum| sum.class.name()).collect() };
    assert_eq!(classes(&app), ["exact", "proposed"]);
    app.apply(Command::SelectFinding(1));
    let pair = ("decodeRow".to_owned(), "decodeRowFast".to_owned());
    assert_eq!(app.proposed_name(), Some(pair.clone()));
    app.apply(Command::AcceptMatch(pair.0.clone(), pair.1.clone()));
    app.settle();
    assert_eq!(classes(&app), ["exact", "accepted"]);
    let table = app.table().ready().unwrap();
    assert_eq!(table.places().find("decodeRow"), table.places().find("decodeRowFast"), "both names are the one place");
    assert_eq!(app.selected_pattern().as_deref(), Some("^(decodeRow|decodeRowFast)$"), "focus finds it on both sides");
    app.apply(Command::Undo);
    app.settle();
    assert_eq!(classes(&app), ["exact", "proposed"]);
    app.apply(Command::KeepApart(pair.0.clone()));
    app.settle();
    assert_eq!(classes(&app), ["exact", "only-before", "only-after"]);
    app.apply(Command::ForgetMatch(pair.0));
    app.settle();
    assert_eq!(classes(&app), ["exact", "proposed"]);
}

#[test]
fn stepping_through_findings_follows_the_filter() {
    let folder = tempfile::tempdir().unwrap();
    // Enough that stays as it was to tell changes from it.
    let rest: String = (0..14).map(|at| format!("main;same{at} {}\n", 3000 + at)).collect();
    let (before, after) = (format!("{rest}main;a 3000\nmain;b 3000\n"), format!("{rest}main;a 9000\nmain;b 400\nmain;fresh 2500\n"));
    let mut app = folded(folder.path(), &before, &after);
    let mut steps = |commands: Vec<Command>| -> Vec<String> {
        for command in commands {
            app.apply(command);
        }
        app.settle();
        let count = app.finding_order().len();
        app.apply(Command::Select(None));
        (0..count)
            .map(|_| {
                app.apply(Command::NextFinding);
                app.view().selection.as_ref().unwrap().place.clone()
            })
            .collect()
    };
    let all = steps(vec![Command::GroupFindings(false)]);
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(steps(vec![Command::ShowFindings(FindingKind::Worse, false)]), ["b"]);
    assert_eq!(steps(vec![Command::ShowFindings(FindingKind::Worse, true), Command::FilterFindings("fre".to_owned())]), ["fresh"]);
    let wide = Thresholds { min_ratio: 5.0, min_share: 0.5, ..Thresholds::default() };
    let none = steps(vec![Command::FilterFindings(String::new()), Command::SetThresholds(wide)]);
    assert!(none.len() < all.len(), "a minimum effect above all changes names fewer: {none:?}");
}

/// The box that a step leads to is one that changed, and not the largest of the function.
#[test]
fn a_finding_on_several_paths_leads_to_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let of = |more: u32| -> String {
        let rest = (0..40).map(|at| format!("main;handle{};step{at} {}\n", at % 10, 1000 + at));
        let printed = (4..9).map(|at| format!("main;handle{at};log.Print 9000\n"));
        let changed = (0..4).map(|at| format!("main;handle{at};pkg.Do 4000\nmain;handle{at};pkg.Do;log.Print {more}\n"));
        rest.chain(printed).chain(changed).collect()
    };
    let mut app = folded(folder.path(), &of(0), &of(3000));
    app.apply(Command::NextFinding);
    let selected = app.view().selection.clone().unwrap();
    assert_eq!((selected.place.as_str(), selected.path.len()), ("log.Print", 4), "{selected:?}");
    assert_eq!(selected.path[2], "pkg.Do");
}

#[test]
fn the_largest_first_is_one_order_for_both_sides_and_every_shape() {
    let folder = tempfile::tempdir().expect("a folder");
    // Of both sides together d > b > c > a > e; of each side alone it is another order.
    let (before, after) = ("main;a 50\nmain;b 60\nmain;c 400\nmain;d 300\nmain;e 1\n", "main;a 60\nmain;b 600\nmain;c 20\nmain;d 500\n");
    let mut app = folded(folder.path(), before, after);
    let boxes = |app: &App| -> Vec<String> {
        let (layout, comparison, _) = app.shown_flame().expect("a flame graph");
        let children = comparison.tree().nodes().filter(|&node| comparison.tree().depth(node) == 2);
        let mut found: Vec<(f64, String)> = children
            .filter_map(|node| Some((layout.node_span(node)?.start, comparison.places().name(comparison.tree().place(node)).to_owned())))
            .collect();
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.into_iter().map(|(_, name)| name).collect()
    };
    assert_eq!(boxes(&app), ["a", "b", "c", "d", "e"]);
    app.apply(Command::from_line("set-sibling-order size").expect("a command"));
    for (shape, expected) in [("both", "dbcae"), ("before", "dbcae"), ("after", "dbca")] {
        app.apply(Command::from_line(&format!("set-flame-shape {shape}")).expect("a command"));
        app.settle();
        assert_eq!(boxes(&app).concat(), expected, "{shape}");
    }
    app.apply(Command::SwapSides);
    app.settle();
    assert_eq!(boxes(&app).concat(), "dbcae", "before is after now");
    app.apply(Command::Sandwich("main".to_owned()));
    app.settle();
    let (shown, _) = app.shown_sandwich().expect("a sandwich");
    let (tree, layout) = (&shown.sandwich.callees, &shown.flame.callees);
    let start = |name: &str| layout.node_span(tree.find(&[name.to_owned()]).expect("a callee")).expect("a box").start;
    assert!(["d", "b", "c", "a"].map(start).is_sorted(), "the sandwich has the same order");
    let svg = folder.path().join("flame.svg");
    app.apply(Command::SetTab(emberlens::app::view::Tab::Flame));
    app.apply(Command::Export(svg.clone()));
    app.settle();
    let text = std::fs::read_to_string(svg).expect("a picture");
    let frame = |name: &str| {
        let group = text.split_once(&format!("<title>{name} (")).expect("a box").1;
        let x = group.split_once("fg:x=\"").expect("a place").1.split('"').next().expect("a number");
        x.parse::<u64>().expect("a number")
    };
    assert!(["d", "b", "c", "a"].map(frame).is_sorted(), "so has the picture that is written");
    while app.undo_label().is_some() {
        app.apply(Command::Undo);
    }
    app.settle();
    assert_eq!(boxes(&app), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_presentation_goes_from_the_summary_through_the_findings_and_round() {
    let folder = tempfile::tempdir().expect("a folder");
    let rest: String = (0..14).map(|at| format!("main;same{at} {}\n", 3000 + at)).collect();
    let mut app =
        folded(folder.path(), &format!("{rest}main;a 3000\nmain;b 3000\n"), &format!("{rest}main;a 9000\nmain;b 400\nmain;fresh 2500\n"));
    let count = app.findings().ready().expect("findings").rows.len();
    assert_eq!(count, 3);
    app.apply(Command::Select(Some(Selection { place: "same3".to_owned(), path: Vec::new() })));
    app.apply(Command::from_line("present true").expect("a command"));
    assert!(app.view().is_presented());
    app.apply(Command::Select(None));
    let stops = |app: &mut App, step: &Command| -> Vec<Option<usize>> {
        let mut next = |_| {
            app.apply(step.clone());
            app.selected_finding()
        };
        (0..count + 2).map(&mut next).collect()
    };
    let order = app.finding_order();
    let mut ring: Vec<Option<usize>> = order.into_iter().map(Some).chain([None]).collect();
    let expected: Vec<Option<usize>> = ring.iter().copied().cycle().take(count + 2).collect();
    assert_eq!(stops(&mut app, &Command::NextFinding), expected);
    assert_eq!(app.view().window, FlameWindow::default());
    app.apply(Command::Select(None));
    ring.pop();
    ring.reverse();
    let back: Vec<Option<usize>> = ring.into_iter().chain([None]).cycle().take(count + 2).collect();
    assert_eq!(stops(&mut app, &Command::PreviousFinding), back);
    app.apply(Command::Present(false));
    app.apply(Command::Undo);
    assert!(app.view().is_presented(), "undo brings it back");
    app.apply(Command::CloseAll);
    app.apply(Command::Open(vec![sample(BEFORE)]));
    assert!(!app.view().is_presented(), "what is opened later is not presented");
    app.apply(Command::CloseAll);
    app.apply(Command::Present(true));
    assert!(!app.view().presenting, "there is nothing to present");
}

/// pprof files that Emberlens writes have no times: the side that has some gets the range.
#[test]
fn a_range_of_both_sides_is_one_of_those_that_have_times() {
    let perf = sample("perf-data/6.1.187/indexer-before.perf.data");
    let folder = tempfile::tempdir().expect("a folder");
    let timeless = folder.path().join("indexer.pb.gz");
    let mut app = app();
    app.apply(Command::Open(vec![perf.clone()]));
    app.settle();
    app.apply(Command::Export(timeless.clone()));
    app.settle();
    app.apply(Command::OpenComparison(perf, timeless));
    app.settle();
    let lanes = |app: &App| app.shown_timeline().expect("a strip").0.lanes.iter().map(Option::is_some).collect::<Vec<bool>>();
    assert_eq!(lanes(&app), [true, false]);
    let range = Command::from_line("set-time-range 1s..2s").expect("a command");
    app.apply(range);
    app.settle();
    assert_eq!(Side::BOTH.map(|side| app.time_of(side).is_some()), [true, false]);
    let sides = &app.table().ready().expect("a table").sides;
    assert!(sides[0].weights.total() < sides[1].weights.total() / 2, "only a part of the one, all of the other");
    app.apply(Command::from_line("set-side-time [\"after\", \"1s..2s\"]").expect("a command"));
    assert!(app.messages().iter().any(|message| message.is_error && message.text.contains("no times")), "{:?}", app.messages());
}

#[test]
fn folders_of_the_command_line_hold_for_one_run_and_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let source = emberlens::app::source::SourceSpec { folders: vec!["/there".into()], trims: Vec::new() };
    let load = emberlens::app::load::LoadOptions { symbol_roots: vec!["/sys".into()], source: source.clone(), ..Default::default() };
    let options = Options { inline: true, settings_folder: Some(folder.path().to_owned()), load, ..Options::default() };
    let mut app = App::new(options);
    assert_eq!(app.source_spec(), &source);
    app.apply(Command::SetIcicle(false));
    let kept = emberlens::app::settings::Settings::read(folder.path());
    assert!(!kept.icicle && kept.symbol_roots.is_empty() && kept.source.folders.is_empty(), "{kept:?}");
    // What is set in the window counts from then on.
    let other = emberlens::app::source::SourceSpec { folders: vec!["/elsewhere".into()], trims: Vec::new() };
    app.apply(Command::SetSource(other.clone()));
    assert_eq!(app.source_spec(), &other);
}
