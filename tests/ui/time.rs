//! Ranges of time chosen with the pointer: on the strip, and on the trend over time.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, pos2};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::analysis::Measure;
use emberlens::analysis::span::Span;
use emberlens::app::Command;
use emberlens::app::view::{Selection, Side, Tab};
use emberlens::ui::shell::Shell;

use crate::stage::{apply, dark, one, sample, two};

/// 437 samples in 3.498160384 s.
const PERF: &str = "perf-data/6.1.187/indexer-before.perf.data";
const PERF_AFTER: &str = "perf-data/6.1.187/indexer-after.perf.data";
const SECONDS: f32 = 3.498_160_4;

fn perf() -> Harness<'static, Shell> {
    dark(&(Command::Open(vec![sample(PERF)]).to_line() + "\n"))
}

fn perf_pair() -> Harness<'static, Shell> {
    dark(&(Command::OpenComparison(sample(PERF), sample(PERF_AFTER)).to_line() + "\n"))
}

fn lane(harness: &Harness<'_, Shell>, name: &str) -> Rect {
    harness.get_by_role_and_label(Role::Canvas, name).rect()
}

fn button(harness: &mut Harness<'_, Shell>, at: Pos2, pressed: bool) {
    harness.event(Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
    harness.step();
}

/// Presses at one point and moves to another, which is still held.
fn drag(harness: &mut Harness<'_, Shell>, from: Pos2, to: Pos2) {
    harness.event(Event::PointerMoved(from));
    harness.step();
    button(harness, from, true);
    for part in [0.3, 0.7, 1.0] {
        harness.event(Event::PointerMoved(from + (to - from) * part));
        harness.step();
    }
}

fn release(harness: &mut Harness<'_, Shell>, at: Pos2) {
    button(harness, at, false);
    harness.run();
}

/// The point of a lane at so many seconds of the capture.
fn at(lane: Rect, seconds: f32) -> Pos2 {
    pos2(lane.left() + lane.width() * seconds / SECONDS, lane.center().y)
}

fn time(harness: &Harness<'_, Shell>, side: Side) -> Option<String> {
    harness.state().app().time_of(side).map(Span::words)
}

fn samples_shown(harness: &Harness<'_, Shell>) -> Vec<u64> {
    harness.state().app().table().ready().expect("a table").sides.iter().map(|side| side.weights.samples()).collect()
}

#[test]
fn a_drag_over_the_strip_chooses_a_range_that_all_views_follow_and_undo_takes_back() {
    let mut harness = perf();
    let strip = lane(&harness, "Timeline");
    let whole = samples_shown(&harness);
    harness.get_by_label("Search").focus();
    harness.run();
    drag(&mut harness, at(strip, 1.2), at(strip, 2.85));
    assert!(!harness.get_by_label("Search").is_focused(), "what is typed now are commands");
    assert_eq!(time(&harness, Side::After), None, "nothing happens before the button is let go");
    release(&mut harness, at(strip, 2.85));
    assert_eq!(time(&harness, Side::After).as_deref(), Some("1.2 s to 2.85 s"));
    harness.get_by_label("Remove filter time 1.2 s to 2.85 s");
    let inside = samples_shown(&harness);
    assert!(inside[0] > 0 && inside[0] < whole[0], "{inside:?} of {whole:?}");
    assert_eq!(harness.state().app().undo_label(), Some("time 1.2 s to 2.85 s"));
    apply(&mut harness, Command::Undo);
    assert_eq!((time(&harness, Side::After), samples_shown(&harness)), (None, whole));
}

#[test]
fn escape_gives_a_drag_up_and_nothing_else() {
    let mut harness = perf();
    apply(&mut harness, Command::Search("sift".to_owned()));
    let strip = lane(&harness, "Timeline");
    drag(&mut harness, at(strip, 1.2), at(strip, 2.85));
    harness.key_press(Key::Escape);
    harness.step();
    harness.event(Event::PointerMoved(at(strip, 3.0)));
    harness.step();
    release(&mut harness, at(strip, 3.0));
    assert_eq!(time(&harness, Side::After), None);
    assert_eq!(harness.state().app().view().search, "sift", "the key belonged to the gesture");
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().app().view().search, "", "and belongs to the commands again");
}

#[test]
fn a_range_is_moved_changed_and_cleared() {
    let mut harness = perf();
    let strip = lane(&harness, "Timeline");
    apply(&mut harness, Command::SetTimeRange(Some(Span::parse("1s..2s").unwrap())));
    drag(&mut harness, at(strip, 1.5), at(strip, 2.0));
    release(&mut harness, at(strip, 2.0));
    assert_eq!(time(&harness, Side::After).as_deref(), Some("1.5 s to 2.5 s"));
    drag(&mut harness, at(strip, 2.5), at(strip, 3.0));
    release(&mut harness, at(strip, 3.0));
    assert_eq!(time(&harness, Side::After).as_deref(), Some("1.5 s to 3 s"));
    for (seconds, left) in [(2.0, Some("1.5 s to 3 s")), (0.5, None)] {
        button(&mut harness, at(strip, seconds), true);
        release(&mut harness, at(strip, seconds));
        assert_eq!(time(&harness, Side::After).as_deref(), left, "a click at {seconds} s");
    }
}

#[test]
fn the_sides_of_a_comparison_have_a_range_each() {
    let mut harness = perf_pair();
    let [before, after] = ["Timeline of before", "Timeline of after"].map(|name| lane(&harness, name));
    assert!(before.bottom() <= after.top(), "one above the other");
    let whole = samples_shown(&harness);
    drag(&mut harness, at(before, 1.0), at(before, 2.0));
    release(&mut harness, at(before, 2.0));
    let now = samples_shown(&harness);
    assert!(now[0] < whole[0] && now[1] == whole[1], "{now:?} of {whole:?}");
    assert!(time(&harness, Side::Before).is_some() && time(&harness, Side::After).is_none());
    harness.get_by_label_contains("Before: indexer-before.perf.data [");
    harness.get_by_label("All of the time").click();
    harness.run();
    assert_eq!(samples_shown(&harness), whole);
}

#[test]
fn a_range_is_compared_with_the_rest_of_its_capture() {
    let mut harness = perf();
    let whole = samples_shown(&harness)[0];
    apply(&mut harness, Command::SetTimeRange(Some(Span::parse("1s..2s").unwrap())));
    harness.get_by_label("Compare with the rest").click();
    harness.run();
    assert!(harness.state().app().view().is_comparison());
    assert_eq!(time(&harness, Side::Before).as_deref(), Some("all but 1 s to 2 s"));
    assert_eq!(time(&harness, Side::After).as_deref(), Some("1 s to 2 s"));
    let sides = samples_shown(&harness);
    assert!(sides[0] + sides[1] == whole && sides.iter().all(|&side| side > 0), "{sides:?} of {whole}");
    let durations: Vec<i64> = harness.state().app().table().ready().unwrap().sides.iter().filter_map(|side| side.duration_nanos).collect();
    assert_eq!(durations, [2_498_160_384, 1_000_000_000]);
}

#[test]
fn captures_without_times_have_no_strip() {
    let harness = dark(&one());
    assert!(harness.query_by_label("Timeline").is_none());
    let harness = perf();
    harness.get_by_label_contains("CPU use over time, at most 1.05 s/s");
}

#[test]
fn the_strip_is_made_once_for_all_ranges_and_asks_for_no_frames() {
    let mut harness = perf();
    let made = |harness: &Harness<'_, Shell>| std::sync::Arc::as_ptr(harness.state().app().shown_timeline().expect("a strip").0).addr();
    let first = made(&harness);
    apply(&mut harness, Command::SetTimeRange(Some(Span::parse("1s..2s").unwrap())));
    assert_eq!(made(&harness), first);
    for _ in 0..3 {
        harness.step();
    }
    let delay = harness.output().viewport_output[&egui::ViewportId::ROOT].repaint_delay;
    assert!(delay > std::time::Duration::from_hours(1), "{delay:?}");
    apply(&mut harness, Command::SetTimeline(false));
    assert!(harness.query_by_label("Timeline").is_none());
}

#[test]
fn the_trend_over_time_takes_drags_too() {
    let mut harness = perf();
    apply(&mut harness, Command::SetTab(Tab::Trend));
    harness.get_by_label_contains("cpu-clock:u per second, by seconds since the first sample");
    harness.get_by_label_contains("value: mean 838 ms/s");
    let from = pos2(400.0, 330.0);
    drag(&mut harness, from, from + egui::vec2(200.0, 0.0));
    release(&mut harness, from + egui::vec2(200.0, 0.0));
    assert!(time(&harness, Side::After).is_some(), "a range was chosen");
    harness.get_by_label_contains("Remove filter time ");
}

#[test]
fn a_function_that_is_zero_everywhere_has_no_axis() {
    let select = "select {\"place\": \"main\", \"path\": []}\nset-tab trend\nset-measure self\n";
    let mut harness = dark(&(Command::Open(vec![sample(PERF)]).to_line() + "\n" + select));
    harness.run();
    assert_eq!(harness.get_all_by_label("Its self value is zero everywhere").count(), 1);
    assert!(harness.query_by_label_contains("ns/s").is_none());
    harness.get_by_label("Show its total").click();
    harness.run();
    assert!(harness.query_by_label_contains("zero everywhere").is_none());
}

#[test]
fn the_trend_begins_with_the_value_that_there_is_something_of() {
    let select = |place: &str| Command::Select(Some(Selection { place: place.to_owned(), path: Vec::new() }));
    let is_self = |harness: &Harness<'_, Shell>| harness.state().app().trend_measure() == Measure::Self_;
    let mut harness = perf();
    apply(&mut harness, select("main"));
    apply(&mut harness, Command::SetTab(Tab::Trend));
    assert!(!is_self(&harness), "it only calls others");
    assert!(harness.query_by_label_contains("zero everywhere").is_none());
    assert_eq!(harness.state().app().view().measure, Measure::Self_, "tables go on comparing what they did");
    harness.get_by_label("Self").click();
    harness.run();
    harness.get_by_label("Its self value is zero everywhere");
    // What was chosen is meant for this function.
    let table = harness.state().app().table().ready().expect("a table").clone();
    let top = harness.state().app().top().ready().expect("rows").clone();
    let hot = table.places().name(top.rows[0].place);
    apply(&mut harness, select(hot));
    assert!(is_self(&harness), "{hot} spends its time itself");
    apply(&mut harness, select("main"));
    assert!(!is_self(&harness));
    // A finding is about one of the two.
    let discount = "orders/internal/pricing.(*Engine).Discount";
    let mut harness = dark(&two());
    apply(&mut harness, select(discount));
    apply(&mut harness, Command::SetTab(Tab::Trend));
    let findings = harness.state().app().findings().ready().expect("findings").rows.clone();
    let measure = findings.iter().find(|finding| finding.func == discount).expect("a finding").measure;
    assert_eq!(harness.state().app().trend_measure(), measure);
}

#[test]
fn hot_paths_say_what_their_part_is_of() {
    let mut harness = perf();
    harness.get_by_label_contains("up 80 % of self");
    apply(&mut harness, Command::SetTimeRange(Some(Span::parse("0s..1s").unwrap())));
    harness.get_by_label_contains("up 80 % of what is shown");
    assert!(harness.query_by_label_contains("80 % of self").is_none(), "the percentages below are of the whole capture");
    apply(&mut harness, Command::SetTab(Tab::Top));
    harness.get_by_label_contains("80 % of what is shown in ");
    // Now the percentages are of the range too.
    apply(&mut harness, Command::RelativePercentages(true));
    harness.get_by_label_contains("up 80 % of self");
}

#[test]
fn percentages_are_of_all_or_of_the_range_and_the_window_says_which() {
    let mut harness = perf();
    assert!(harness.query_by_label("What percentages are of").is_none(), "without a filter both are the same");
    apply(&mut harness, Command::SetTimeRange(Some(Span::parse("0s..1s").unwrap())));
    let whole = |harness: &Harness<'_, Shell>| harness.state().app().table().ready().expect("a table").sides[0].denominator();
    // Golden: `perf report` of the capture and of its first second.
    assert!((whole(&harness) - 2_932_885_733.0).abs() < 0.5, "{}", whole(&harness));
    harness.key_press(Key::P);
    harness.run();
    assert!((whole(&harness) - 859_060_352.0).abs() < 0.5, "{}", whole(&harness));
    harness.get_by_label_contains("that the filters leave");
    harness.get_by_label("What percentages are of").click();
    harness.run();
    assert!(!harness.state().app().view().filter.of_filtered);
    assert_eq!(harness.state().app().undo_label(), Some("percentages of all"));
}
