//! Parts of captures against what `perf report --time` and `pprof -tags` say of them, and the work that is counted in captures.

use std::sync::Arc;

use emberlens::analysis::comparison::{Comparison, Marker, Normalization, Shape, SideInput, Work, compare};
use emberlens::analysis::diff::{Spec, diff};
use emberlens::analysis::{Direction, Filter, Granularity, Part};
use emberlens::app::load::{LoadOptions, load};
use emberlens::base::ticket::Ticket;
use emberlens::model::Profile;
use serde_json::Value;

use crate::cli::{failure, json, sample, stdout};

const PERF: &str = "perf-data/6.1.187/indexer-before.perf.data";
const EVENTS: &str = "perf-data/6.1.187/indexer-before-events.perf.data";
const ORDERS: &str = "pprof/go1.27.3/orders-cpu-before.pb.gz";

fn parts(file: &str, before: &str, after: &str, more: &[&str]) -> Value {
    let path = sample(file);
    let mut arguments = vec!["diff", &path, "--before-where", before, "--after-where", after, "--json"];
    arguments.extend(more);
    json(&arguments)
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

/// Golden: `perf report --time 5973.022957918,5974.022957917` (the first second) and `--time 5974.022957918,` of perf 6.1.187.
#[test]
fn time_ranges_hold_what_perf_reports_for_them() {
    let found = parts(PERF, "time=0s..1s", "time=1s..", &[]);
    let sides = ["before", "after"].map(|side| &found[side]);
    assert_eq!(sides.map(|side| number(&side["samples"])), [128, 309]);
    assert_eq!(sides.map(|side| number(&side["total"])), [859_060_352, 2_073_825_381]);
    // The second range ends with the last sample, 3.498160384 s after the first.
    assert_eq!(sides.map(|side| number(&side["duration_ns"])), [1_000_000_000, 2_498_160_384]);
    assert_eq!(sides.map(|side| side["part"][0].as_str().unwrap()), ["time=0s..1s", "time=1s.."]);
    assert_eq!(found["normalization"], "per-second", "a range of a whole run is no run");
}

/// Golden: `go tool pprof -tags -unit=ns` of Go 1.27.3, the values of `endpoint`.
#[test]
fn label_values_hold_what_pprof_shows_for_them() {
    let found = parts(ORDERS, "label=endpoint:place-order", "label=endpoint:search", &[]);
    let sides = ["before", "after"].map(|side| &found[side]);
    assert_eq!(sides.map(|side| number(&side["total"])), [1_430_000_000, 400_000_000]);
    assert_eq!(sides[0]["duration_ns"], sides[1]["duration_ns"], "labels are as long as the capture");
    let rows: Vec<&Value> = ["findings", "others"].into_iter().flat_map(|list| found[list].as_array().unwrap()).collect();
    assert!(!rows.is_empty());
    let difference = found["comparability"].as_array().unwrap().iter().find(|row| row["what"] == "part").expect("parts differ");
    assert_eq!(difference["before"], "label=endpoint:place-order");
}

#[test]
fn a_part_that_is_not_there_is_refused_with_what_is_there() {
    for (before, words) in [
        ("label=endpoint:nowhere", "bestsellers, place-order, recent-orders, search"),
        ("label=route:x", "the labels are endpoint"),
        ("time=0s..1s", "no times"),
        ("colour=red", "wanted time=FROM..TO"),
    ] {
        let (_, text) = failure(&["diff", &sample(ORDERS), "--before-where", before, "--after-where", "label=endpoint:search"]);
        assert!(text.contains(words), "{before}: {text}");
    }
    let (_, text) = failure(&["diff", &sample(ORDERS)]);
    assert!(text.contains("--before-where"), "{text}");
}

#[test]
fn the_text_says_which_part_each_side_is() {
    let text = stdout(&["diff", &sample(PERF), "--before-where", "time=0s..1s", "--after-where", "time=1s..2s"]);
    assert!(text.contains("[time=0s..1s]") && text.contains("[time=1s..2s]"), "{text}");
    assert!(text.contains("per second of capture (Before 1 s, After 1 s)"), "{text}");
}

fn capture(file: &str) -> Arc<Profile> {
    let options = LoadOptions { symbols: false, ..LoadOptions::default() };
    Arc::new(load(sample(file).as_ref(), &options, &Ticket::new()).unwrap())
}

fn compared(captures: &[Arc<Profile>], kind: (&str, &str), parts: [&str; 2], normalization: Normalization) -> Comparison {
    let ticket = Ticket::new();
    let shape = Shape::build(captures, Granularity::Function, Direction::TopDown, &Filter::default(), &ticket).unwrap();
    let rows = [0, captures.len() - 1];
    let sides: Vec<SideInput> =
        parts.iter().zip(rows).map(|(part, row)| SideInput { captures: vec![row], part: Part::parse_line(part).unwrap() }).collect();
    compare(Arc::new(shape), captures, &sides, kind, &Filter::default(), normalization, &ticket).unwrap()
}

/// Golden: `perf report --stdio` of perf 6.1.187: 11 page faults and 478 samples of cpu-clock, 3,208,053,691 ns together.
#[test]
fn work_is_the_count_of_another_event() {
    let found = json(&["diff", &sample(EVENTS), &sample(EVENTS), "-t", "cpu-clock", "--work", "event=page-faults", "--json"]);
    let faults = found["before"]["work"].as_f64().unwrap();
    assert!((faults - 811_025.0).abs() < 0.5, "{faults}");
    assert_eq!(found["normalization"], "per-request");
    let words = found["denominator"].as_str().unwrap();
    assert!(words.contains("occurrences of page-faults"), "{words}");
}

/// Two parts that together are the whole add up to it, for every node.
#[test]
fn parts_that_make_up_the_whole_add_up_to_it() {
    for (file, kind, parts) in [
        (PERF, ("cpu-clock:u", "nanoseconds"), ["time=..1700ms", "time=1700ms.."]),
        (PERF, ("cpu-clock:u", "nanoseconds"), ["time=!1s..2s", "time=1s..2s"]),
        (ORDERS, ("cpu", "nanoseconds"), ["focus=runtime", "ignore=runtime"]),
    ] {
        let profile = capture(file);
        let captures = [profile];
        let whole = compared(&captures, kind, ["", ""], Normalization::Share);
        let cut = compared(&captures, kind, parts, Normalization::Share);
        let sum: Vec<i64> = cut.sides[0].weights.selfs().iter().zip(cut.sides[1].weights.selfs()).map(|(a, b)| a + b).collect();
        assert_eq!(sum, whole.sides[0].weights.selfs(), "{file}");
        assert_eq!(cut.sides[0].total + cut.sides[1].total, whole.sides[0].total);
        assert!(cut.sides.iter().all(|side| side.total > 0), "{file}: a side is empty");
    }
}

/// A part compared with itself has no difference at all, whatever is divided by.
#[test]
fn a_part_beside_itself_is_unchanged() {
    let profile = capture(PERF);
    for normalization in [
        Normalization::PerSecond,
        Normalization::Share,
        Normalization::PerRequest(Work::Counted { count: Marker::Frame("indexer".to_owned()) }),
    ] {
        let same = compared(&[Arc::clone(&profile)], ("cpu-clock:u", "nanoseconds"), ["time=1s..2s"; 2], normalization);
        let made = diff(&same, &Spec::default()).unwrap();
        assert!((same.exposure() - 1.0).abs() < 1e-12);
        assert!(made.total.z.iter().all(|z| z.abs() < 1e-9));
    }
}

/// `go tool pprof -top -focus=encoding` says `Total samples = 6.96s`, with `-relative_percentages` `890ms total` and 6.74 % for 60 ms.
#[test]
fn percentages_are_of_all_or_of_what_filters_leave() {
    let path = sample("pprof/go1.27.3/orders-cpu-after.pb.gz");
    let top = |more: &[&str]| json(&[&["top", &path, "--focus", "encoding", "--json"], more].concat());
    let value = |report: &serde_json::Value, key: &str| report[key].as_f64().unwrap();
    let (all, left) = (top(&[]), top(&["--relative-percentages"]));
    assert_eq!((value(&all, "total"), value(&all, "denominator"), value(&all, "selected")), (6.96e9, 6.96e9, 8.9e8));
    assert_eq!((value(&left, "total"), value(&left, "denominator"), value(&left, "selected")), (6.96e9, 8.9e8, 8.9e8));
    assert_eq!(all["rows"], left["rows"]);
    let text = stdout(&["top", &path, "--focus", "encoding", "--relative-percentages"]);
    assert!(text.contains("let through 890 ms of 6.96 s, 12.8 %; percentages are of what they let through"), "{text}");
    assert!(text.contains("100 % = 890 ms cpu") && text.contains("60.00    6.74   6.74"), "{text}");
    // Of both sides of a comparison too: shares are then of what is left of each.
    let before = sample("pprof/go1.27.3/orders-cpu-before.pb.gz");
    let diff = stdout(&["diff", &before, &path, "--normalize", "share", "--focus", "encoding", "--relative-percentages"]);
    assert!(diff.contains("890 ms cpu that the filters leave of After"), "{diff}");
}
