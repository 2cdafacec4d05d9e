//! Menus, palette and search box: what is in them, and why something cannot be done.

use egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use emberlens::app::Command;
use emberlens::ui::shell::Shell;

use crate::stage::{AFTER, BEFORE, apply, dark, one, sample};

/// A click of the pointer where the only label of this text stands.
fn click(harness: &mut Harness<'_, Shell>, label: &str) {
    let at = harness.get_by_label(label).rect().center();
    harness.event(Event::PointerMoved(at));
    harness.step();
    for pressed in [true, false] {
        harness.event(Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
        harness.step();
    }
    harness.run();
}

#[test]
fn typing_after_find_takes_the_place_of_the_last_search() {
    let mut harness = dark(&one());
    for (key, modifiers) in [(Key::Slash, Modifiers::NONE), (Key::F, Modifiers::COMMAND)] {
        apply(&mut harness, Command::Search("encoding".to_owned()));
        harness.key_press_modifiers(modifiers, key);
        harness.run();
        harness.event(Event::Text("json".to_owned()));
        harness.run();
        assert_eq!(harness.state().app().view().search, "json");
        harness.key_press(Key::Escape);
        harness.run();
    }
}

#[test]
fn a_wrong_expression_says_that_it_was_taken_as_text() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::Search("/(/".to_owned()));
    harness.get_by_label_contains("taken as plain text; no regular expression");
    apply(&mut harness, Command::Search("/(qqq/".to_owned()));
    harness.get_by_label_contains("no match as plain text; no regular expression");
}

#[test]
fn the_keys_for_larger_text_act_once() {
    let mut harness = dark(&one());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    harness.run();
    let zoom = harness.ctx.zoom_factor();
    assert!((zoom - 1.1).abs() < 0.01, "{zoom}");
    apply(&mut harness, Command::from_line("set-text-size normal").unwrap());
    let zoom = harness.ctx.zoom_factor();
    assert!((zoom - 1.0).abs() < 0.01, "{zoom}");
}

#[test]
fn the_list_of_the_palette_is_as_high_after_a_search_without_a_match() {
    let mut harness = dark(&one());
    let open = |harness: &mut Harness<'_, Shell>, text: &str| {
        apply(harness, Command::Palette);
        harness.event(Event::Text(text.to_owned()));
        harness.run();
    };
    open(&mut harness, "qqqq");
    harness.get_by_label_contains("No command has these letters");
    apply(&mut harness, Command::CloseDialog);
    apply(&mut harness, Command::Palette);
    // The seventh row can be clicked: it is on view.
    click(&mut harness, "Close all captures");
    assert!(harness.state().app().captures().is_empty());
}

#[test]
fn what_is_grey_says_why() {
    let mut harness = dark(&one());
    harness.get_by_label("Findings").click();
    harness.run();
    harness.hover_at(harness.get_by_label("Next finding").rect().center());
    harness.run();
    harness.get_by_label_contains("Not now: it needs two captures, one before and one after");
}

#[test]
fn the_longest_menu_is_whole_in_the_smallest_window() {
    let mut harness = dark(&one());
    harness.get_by_label("View").click();
    harness.run();
    // Further down it would have to be scrolled to.
    let last = harness.get_by_label("Theme").rect();
    assert!(last.bottom() < 684.0, "{last}");
    click(&mut harness, "Theme");
    let last = harness.get_by_label("Theme of the system").rect();
    assert!(last.bottom() < 715.0, "{last}");
    click(&mut harness, "Theme of the system");
    assert!(harness.query_by_label("Theme of the system").is_none(), "it was there to be clicked");
}

#[test]
fn captures_that_measure_other_things_cannot_be_compared() {
    let heap = sample("pprof/go1.27.3/orders-heap-before.pb.gz");
    let mut harness = dark(&(one() + &Command::Open(vec![sample(AFTER), heap]).to_line() + "\nshow 1\n"));
    click(&mut harness, "Capture: orders-cpu-before.pb.gz");
    let is_off = |name: &str| harness.get_by_label(name).accesskit_node().is_disabled();
    assert!(!is_off("Compare with orders-cpu-after.pb.gz as before"));
    assert!(is_off("Compare with orders-heap-before.pb.gz as before"));
}

#[test]
fn captures_of_one_name_have_their_folders_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = |name: &str, to: &str| {
        let path = folder.path().join(to).join("cpu.pprof");
        std::fs::create_dir_all(folder.path().join(to)).expect("a folder");
        std::fs::copy(sample(name), &path).expect("a copy");
        path
    };
    let harness = dark(&Command::OpenComparison(copy(BEFORE, "run-1"), copy(AFTER, "run-2")).to_line());
    harness.get_by_label("Before: run-1/cpu.pprof");
    harness.get_by_label("After: run-2/cpu.pprof");
    assert_eq!(harness.state().app().shown_names(), ["run-1/cpu.pprof", "run-2/cpu.pprof"]);
}
