//! Going through the findings: every view shows where one is.

use egui::{Event, Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use emberlens::analysis::diff::{Measure, Verdict};
use emberlens::app::Command;
use emberlens::app::view::{FlameWindow, Selection};
use emberlens::ui::shell::Shell;

use crate::stage::{apply, dark, two};

/// Script of a comparison in which twelve functions got worse: each a sliver far below the root of something large that stayed.
fn slivers() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, count: u64, step: u64| {
        // What stayed varies a little, or it would be known too well.
        let steady = (0..400).map(|at| format!("main;group_{};steady_{at} {}\n", at / 40, 2000 + at * 7919 % 31 * step));
        let slivers = (0..12).map(|at| {
            let callers: Vec<String> = (0..3 + at * 5).map(|level| format!("caller_{at}_{level}")).collect();
            format!("main;group_{};{};sliver_{at} {count}\n", at % 10, callers.join(";"))
        });
        let text: String = steady.chain(slivers).collect();
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let script = Command::OpenComparison(write("before.folded", 300, 1), write("after.folded", 1500, 2)).to_line() + "\n";
    (folder, script)
}

fn window(harness: &Harness<'_, Shell>) -> FlameWindow {
    harness.state().app().view().window
}

/// Left and right end of the selected box as parts of the window's width, and its row less those scrolled away.
fn selected(harness: &Harness<'_, Shell>) -> (f64, f64, f32) {
    let app = harness.state().app();
    let (layout, comparison, _) = app.shown_flame().expect("a flame graph");
    let node = app.selected_node(comparison).expect("a selection");
    let (span, row, window) = (layout.node_span(node).expect("a box"), layout.node_row(node).expect("a row"), window(harness));
    let part = |at: f64| (at - window.left) / (window.right - window.left);
    (part(span.start), part(span.end), row as f32 - window.scroll_rows)
}

#[test]
fn going_to_a_finding_brings_its_box_into_view() {
    let (_folder, script) = slivers();
    let mut harness = dark(&script);
    let canvas = harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Flame graph").rect();
    let count = harness.state().app().findings().ready().expect("findings").rows.len();
    assert_eq!(count, 12);
    let mut zooms = 0;
    for at in 0..count {
        let before = window(&harness);
        harness.key_press(Key::Period);
        harness.run();
        let (left, right, row) = selected(&harness);
        let width = (right.min(1.0) - left.max(0.0)) * f64::from(canvas.width());
        assert!(width >= 79.0, "finding {at} is {width} points wide");
        let top = row * harness.state().app().settings().flame_row_points;
        assert!(top >= 0.0 && top < canvas.height(), "finding {at} is in row {row}");
        if window(&harness) != before {
            zooms += 1;
            apply(&mut harness, Command::Undo);
            assert_eq!(window(&harness), before, "a zoom is one step of undo");
            apply(&mut harness, Command::Redo);
            assert_ne!(window(&harness), before);
        }
    }
    assert!(zooms >= 10, "only {zooms} of them had to be looked for");
}

#[test]
fn going_to_a_match_of_the_search_brings_its_box_into_view() {
    let (_folder, script) = slivers();
    let mut harness = dark(&script);
    let canvas = harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Flame graph").rect();
    apply(&mut harness, Command::Search("sliver_".to_owned()));
    for (at, command) in [Command::NextMatch, Command::NextMatch, Command::PreviousMatch, Command::NextMatch].into_iter().enumerate() {
        apply(&mut harness, command);
        let (left, right, row) = selected(&harness);
        let width = (right.min(1.0) - left.max(0.0)) * f64::from(canvas.width());
        assert!(width >= 79.0, "match {at} is {width} points wide");
        let top = row * harness.state().app().settings().flame_row_points;
        assert!(top >= 0.0 && top < canvas.height(), "match {at} is in row {row}");
    }
}

#[test]
fn walking_by_arrows_moves_the_picture_along_and_does_not_zoom() {
    let (_folder, script) = slivers();
    let mut harness = dark(&script);
    let canvas = harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Flame graph").rect();
    apply(&mut harness, Command::Search("caller_11_0".to_owned()));
    apply(&mut harness, Command::NextMatch);
    let (first, mut rows) = (window(&harness), 0.0_f32);
    for _ in 0..57 {
        harness.key_press(Key::ArrowDown);
        harness.run();
        let (left, right, row) = selected(&harness);
        assert!(right > 0.0 && left < 1.0, "{left} to {right}");
        let bottom = (row + 1.0) * harness.state().app().settings().flame_row_points;
        assert!(row >= 0.0 && bottom <= canvas.height() + 0.5, "row {row} ends at {bottom} of {}", canvas.height());
        rows = rows.max(window(&harness).scroll_rows);
    }
    assert!(rows > 10.0, "the deepest box was far below the edge");
    assert_eq!((window(&harness).left, window(&harness).right), (first.left, first.right));
}

#[test]
fn walking_by_arrows_moves_a_sandwich_along() {
    let (_folder, script) = slivers();
    let mut harness = dark(&script);
    apply(&mut harness, Command::Sandwich("caller_11_0".to_owned()));
    for at in 1..=57 {
        harness.key_press(Key::ArrowDown);
        harness.run();
        let app = harness.state().app();
        let (shown, _) = app.shown_sandwich().expect("a sandwich");
        let pinned = app.view().sandwich.pinned.as_ref().expect("a box below the function");
        assert_eq!(pinned.path.len(), at);
        let node = shown.sandwich.callees.find(&pinned.path).expect("a callee");
        let row = shown.flame.callees.node_row(node).expect("a row") as f32 - app.view().sandwich.window.scroll_rows[1];
        let canvas = harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Callees").rect();
        let bottom = (row + 1.0) * app.settings().flame_row_points;
        assert!(row >= 0.0 && bottom <= canvas.height() + 0.5, "row {row} ends at {bottom} of {}", canvas.height());
    }
}

#[test]
fn a_box_that_can_be_read_stays_where_it_is_and_undo_does_not_zoom_in_again() {
    let (_folder, script) = slivers();
    let mut harness = dark(&script);
    apply(&mut harness, Command::SelectFinding(1));
    let there = window(&harness);
    apply(&mut harness, Command::SelectFinding(1));
    assert_eq!(window(&harness), there);
    apply(&mut harness, Command::SelectFinding(3));
    let steps = harness.state().app().undo_label().map(str::to_owned);
    while harness.state().app().undo_label().is_some() {
        apply(&mut harness, Command::Undo);
    }
    assert_eq!(window(&harness), FlameWindow::default(), "after {steps:?}");
}

#[test]
fn the_list_follows_quick_steps() {
    let (_folder, script) = slivers();
    let mut harness = dark(&script);
    let count = harness.state().app().findings().ready().expect("findings").rows.len();
    let rank = |harness: &Harness<'_, Shell>| harness.state().app().selected_finding().expect("a finding");
    for step in 0..2 * count {
        // Several keys in one frame, and frames in between.
        for _ in 0..=step % 3 {
            harness.event(Event::Key { key: Key::Period, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE });
        }
        if step % 2 == 0 {
            harness.step();
            continue;
        }
        harness.run();
        let row = &harness.state().app().findings().ready().unwrap().rows[rank(&harness)];
        let name = format!("{} {}: {}", row.rank, row.verdict.label(), row.func);
        let rect = harness.get_by_label_contains(&name).rect();
        let below = harness.get_by_label("Regressions").rect().bottom();
        let details = harness.get_by_label("Zoom to selection").rect().top();
        assert!(rect.top() >= below - 1.0 && rect.bottom() <= details, "{name} at {rect} between {below} and {details}");
    }
}

/// Pixels with a colour among the values of the details.
fn coloured(harness: &mut Harness<'_, Shell>) -> usize {
    let (top, list) = (harness.get_by_label("Zoom to selection").rect(), harness.get_by_label("Called by").rect());
    let values = egui::Rect::from_min_max(egui::pos2(top.left(), top.bottom() + 30.0), egui::pos2(1270.0, list.top()));
    let picture = harness.render().expect("a picture");
    let is_coloured = |pixel: &image::Rgba<u8>| {
        let [r, g, b, _] = pixel.0;
        r.max(g).max(b) - r.min(g).min(b) > 60
    };
    let inside = |x: u32, y: u32| values.contains(egui::pos2(x as f32, y as f32));
    picture.enumerate_pixels().filter(|(x, y, pixel)| inside(*x, *y) && is_coloured(pixel)).count()
}

#[test]
fn what_chance_explains_is_grey_in_the_details() {
    let mut harness = dark(&two());
    let findings = std::sync::Arc::clone(harness.state().app().findings().ready().expect("findings"));
    let select = |place: &str| Command::Select(Some(Selection { place: place.to_owned(), path: Vec::new() }));
    apply(&mut harness, select(&findings.rows[0].func));
    assert!(coloured(&mut harness) > 20, "a finding has its colour");
    let is_noise = |func: &str| {
        let verdicts = |measure| findings.others.iter().chain(&findings.rows).find(|row| row.func == func && row.measure == measure);
        Measure::ALL.into_iter().all(|measure| verdicts(measure).is_none_or(|row| row.verdict == Verdict::Noise))
    };
    let noise = findings.others.iter().find(|row| row.verdict == Verdict::Noise && row.delta.abs() > 0.0 && is_noise(&row.func));
    let noise = noise.expect("something changed within noise").func.clone();
    apply(&mut harness, select(&noise));
    harness.get_by_label_contains("Within noise");
    assert_eq!(coloured(&mut harness), 0, "{noise}");
}
