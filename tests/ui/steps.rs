//! Small steps that have to be told: what was copied, which match is selected, what one undo takes back, where a dialog leaves one.

use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, TouchPhase, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::analysis::comparison::percent;
use emberlens::app::view::FlameWindow;
use emberlens::app::{Command, Dialog};
use emberlens::ui::shell::Shell;

use crate::stage::{apply, archive, dark, one, two};

const SELECT: &str = "select {\"place\": \"orders/internal/pricing.(*Engine).Discount\", \"path\": []}\n";

fn flame(harness: &Harness<'_, Shell>) -> FlameWindow {
    harness.state().app().view().window
}

#[test]
fn copying_says_what_was_copied() {
    let mut harness = dark(&(one() + SELECT));
    for (command, words) in [
        (Command::CopyName, "Copied the name: orders/internal/pricing.(*Engine).Discount"),
        (Command::CopyStack, "Copied the stack of "),
        (Command::CopyTable, "Copied the table of "),
    ] {
        apply(&mut harness, command);
        harness.get_by_label_contains(words);
    }
    apply(&mut harness, Command::Select(None));
    let before = harness.state().app().messages().len();
    apply(&mut harness, Command::CopyName);
    assert_eq!(harness.state().app().messages().len(), before, "nothing was copied");
}

#[test]
fn stepping_through_matches_says_which_of_them_is_selected() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::Search("Discount".to_owned()));
    assert!(harness.query_by_label_contains("1 of ").is_none(), "none is selected");
    let found = harness.state().app().matches().ready().expect("a search").nodes;
    assert!(found > 1, "{found}");
    for at in (1..=found).chain([1]) {
        apply(&mut harness, Command::NextMatch);
        harness.get_by_label(&format!("{at} of {found}"));
    }
}

#[test]
fn a_search_in_a_comparison_says_the_share_of_both_sides() {
    let mut harness = dark(&two());
    apply(&mut harness, Command::Search("Discount".to_owned()));
    let app = harness.state().app();
    let sides = &app.comparison().ready().expect("a comparison").sides;
    let shares = app.matches().ready().expect("a search").shares(sides);
    assert!(shares[0] < shares[1] && shares[0] > 0.0, "{shares:?}");
    let [before, after] = [shares[0], shares[1]].map(percent);
    harness.get_by_label_contains(&format!("{before} → {after} of what is shown"));
}

/// A notch of the wheel at a point, until it has come to rest or not.
fn wheel(harness: &mut Harness<'_, Shell>, at: Pos2, modifiers: Modifiers) {
    harness.event(Event::PointerMoved(at));
    harness.step();
    let (unit, phase, source) = (MouseWheelUnit::Line, TouchPhase::Move, MouseWheelSource::Unknown);
    harness.event_modifiers(Event::MouseWheel { unit, delta: vec2(0.0, 3.0), phase, source, modifiers }, modifiers);
    harness.step();
    harness.step();
}

fn button(harness: &mut Harness<'_, Shell>, at: Pos2, pressed: bool) {
    harness.event(Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
    harness.step();
}

#[test]
fn a_zoom_and_a_pan_right_after_it_are_two_steps() {
    let mut harness = dark(&one());
    let whole = flame(&harness);
    let at = pos2(400.0, 300.0);
    wheel(&mut harness, at, Modifiers::COMMAND);
    assert_eq!(flame(&harness), whole, "the wheel has not come to rest yet");
    button(&mut harness, at, true);
    for x in [390.0, 360.0, 300.0] {
        harness.event(Event::PointerMoved(pos2(x, at.y)));
        harness.step();
    }
    // A hand that holds still in between does not let the picture slip back.
    for _ in 0..20 {
        harness.step();
    }
    button(&mut harness, pos2(300.0, at.y), false);
    harness.run();
    let panned = flame(&harness);
    let width = |window: FlameWindow| window.right - window.left;
    assert!(width(panned) < width(whole), "{panned:?}");
    apply(&mut harness, Command::Undo);
    let zoomed = flame(&harness);
    assert!((width(zoomed) - width(panned)).abs() < 1e-9 && zoomed.left < panned.left, "{zoomed:?} before {panned:?}");
    apply(&mut harness, Command::Undo);
    assert_eq!(flame(&harness), whole);
}

#[test]
fn escape_from_the_choice_of_an_archive_leads_back() {
    let (_folder, path) = archive();
    let mut harness = dark("");
    apply(&mut harness, Command::Open(vec![path.clone()]));
    harness.key_press(Key::Escape);
    harness.run();
    harness.get_by_label("Open the sample pair");
    let mut harness = dark(&two());
    let sides = harness.state().app().view().sides();
    apply(&mut harness, Command::Open(vec![path]));
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().app().view().sides(), sides, "the comparison is shown again");
    assert_eq!(harness.state().app().captures().len(), 2, "nothing of the archive is left");
}

#[test]
fn a_click_beside_a_choice_does_not_lose_it() {
    let (_folder, path) = archive();
    let mut harness = dark("");
    let click = |harness: &mut Harness<'_, Shell>| {
        let at = pos2(20.0, 600.0);
        harness.event(Event::PointerMoved(at));
        harness.step();
        button(harness, at, true);
        button(harness, at, false);
        harness.run();
    };
    apply(&mut harness, Command::Open(vec![path]));
    click(&mut harness);
    assert!(matches!(harness.state().app().dialog(), Some(Dialog::WhichMember(..))));
    harness.key_press(Key::Escape);
    harness.run();
    apply(&mut harness, Command::About);
    click(&mut harness);
    assert_eq!(harness.state().app().dialog(), None, "what only shows something closes");
}
