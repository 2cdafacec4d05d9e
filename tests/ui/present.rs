//! Presenting to an audience: what is on the screen then, what goes on, and how the window is afterwards.

use egui::{Key, Modifiers, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use emberlens::app::Command;
use emberlens::ui::shell::Shell;
use emberlens::ui::theme::Theme;

use crate::stage::{apply, dark, one, two, window};

fn press(harness: &mut Harness<'_, Shell>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

fn is_there(harness: &Harness<'_, Shell>, label: &str) -> bool {
    harness.query_by_label(label).is_some()
}

#[test]
fn a_presentation_has_no_bars_and_gives_the_window_back_as_it_was() {
    let mut harness = dark(&two());
    apply(&mut harness, Command::from_line("set-text-size larger").unwrap());
    let zoom = harness.ctx.zoom_factor();
    for _ in 0..2 {
        press(&mut harness, Modifiers::SHIFT, Key::F5);
        assert!(harness.state().app().view().is_presented());
        assert!((harness.ctx.zoom_factor() / zoom - 1.5).abs() < 0.01, "{}", harness.ctx.zoom_factor());
        for bar in ["File", "Regressions", "Sandwich", "Widths"] {
            assert!(!is_there(&harness, bar), "{bar}");
        }
        harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Flame graph");
        harness.get_by_label_contains("cpu per second rose by");
        harness.get_by_label("dearer");
        press(&mut harness, Modifiers::NONE, Key::Escape);
        assert!(!harness.state().app().view().is_presented());
        assert!((harness.ctx.zoom_factor() - zoom).abs() < 0.01, "{}", harness.ctx.zoom_factor());
        assert!(is_there(&harness, "File") && is_there(&harness, "Regressions"));
    }
}

#[test]
fn the_size_that_a_presentation_had_is_that_of_the_next_one() {
    let mut harness = dark(&two());
    apply(&mut harness, Command::Present(true));
    press(&mut harness, Modifiers::COMMAND, Key::Plus);
    let large = harness.ctx.zoom_factor();
    assert!(large > 1.55, "{large}");
    apply(&mut harness, Command::Present(false));
    assert!((harness.ctx.zoom_factor() - 1.0).abs() < 0.01);
    apply(&mut harness, Command::Present(true));
    assert!((harness.ctx.zoom_factor() - large).abs() < 0.01);
}

#[test]
fn the_keys_of_a_remote_control_go_through_the_findings_and_the_summary() {
    let mut harness = dark(&two());
    let count = harness.state().app().findings().ready().expect("findings").rows.len();
    assert_eq!(count, 1);
    apply(&mut harness, Command::Present(true));
    press(&mut harness, Modifiers::NONE, Key::PageDown);
    harness.get_by_label("1 of 1");
    harness.get_by_label("Regression");
    harness.get_by_label("pricing.(*Engine).Discount");
    harness.get_by_label("23.0 → 160 ms/s (+137)");
    press(&mut harness, Modifiers::NONE, Key::PageDown);
    harness.get_by_label_contains("cpu per second rose by");
    press(&mut harness, Modifiers::NONE, Key::PageUp);
    harness.get_by_label("1 of 1");
    apply(&mut harness, Command::Undo);
    harness.get_by_label_contains("cpu per second rose by");
}

#[test]
fn a_lone_capture_is_presented_with_the_numbers_of_what_is_selected() {
    let mut harness = dark(&one());
    apply(&mut harness, Command::Present(true));
    harness.get_by_label("orders-cpu-before.pb.gz");
    assert!(!is_there(&harness, "Next finding"));
    let select = Command::from_line("select {\"place\": \"orders/internal/pricing.(*Engine).Discount\", \"path\": []}").unwrap();
    apply(&mut harness, select);
    harness.get_by_label("orders/internal/pricing.(*Engine).Discount");
    harness.get_by_label("460 ms");
    harness.get_by_label("290 ms");
    apply(&mut harness, Command::CloseAll);
    assert!(is_there(&harness, "File"), "there is nothing to present");
}

#[test]
fn a_presentation_fits_a_small_projector() {
    for size in [vec2(640.0, 400.0), vec2(853.0, 480.0), vec2(1024.0, 768.0)] {
        let mut harness = window(&two(), &Theme::light());
        harness.set_size(size);
        harness.run();
        apply(&mut harness, Command::Present(true));
        for step in [Command::NextFinding, Command::NextFinding] {
            let canvas = harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Flame graph").rect();
            let all = harness.ctx.content_rect();
            assert!(canvas.height() > all.height() * 0.35, "{canvas} of {all}");
            let end = harness.get_by_label("End the presentation");
            assert!(end.rect().right() <= all.right() && !end.accesskit_node().is_disabled(), "{}", end.rect());
            apply(&mut harness, step);
        }
    }
}
