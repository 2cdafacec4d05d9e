//! Where the keyboard is, as far as one sees it.

use egui::{Color32, Event, Key, Modifiers, PointerButton, Rect};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use emberlens::ui::shell::Shell;
use emberlens::ui::theme::Theme;

use crate::stage::{one, two, window};

fn press(harness: &mut Harness<'_, Shell>, key: Key) {
    harness.key_press(key);
    harness.run();
}

/// What has the keyboard: its words and where it stands.
fn focused(harness: &Harness<'_, Shell>) -> Option<(String, Rect)> {
    let node = harness.query_by(|node| node.is_focused() && node.label().is_some())?;
    Some((node.accesskit_node().label().unwrap_or_default(), node.rect()))
}

/// How many pixels around a rectangle have the colour, in a frame three points wide on both sides of its edge.
fn ring(harness: &mut Harness<'_, Shell>, rect: Rect, color: Color32) -> usize {
    let picture = harness.render().expect("a picture");
    let (outer, inner) = (rect.expand(3.0), rect.shrink(4.0));
    let pixels = picture.enumerate_pixels().filter(|(x, y, pixel)| {
        let at = egui::pos2(*x as f32 + 0.5, *y as f32 + 0.5);
        outer.contains(at) && !inner.contains(at) && pixel.0[..3] == [color.r(), color.g(), color.b()]
    });
    pixels.count()
}

#[test]
fn whatever_has_the_keyboard_has_a_ring() {
    for (script, theme) in [(two(), Theme::dark()), (one(), Theme::light())] {
        let mut harness = window(&script, &theme);
        let mut seen = Vec::new();
        for _ in 0..45 {
            press(&mut harness, Key::Tab);
            let Some((name, rect)) = focused(&harness) else { continue };
            let is_field = harness.ctx.text_edit_focused();
            let around = 2.0 * (rect.width() + rect.height());
            let found = ring(&mut harness, rect, theme.accent) as f32;
            assert!(is_field || found > 0.8 * around.min(600.0), "{name} at {rect}: {found} of {around}");
            seen.push(name);
        }
        assert!(seen.iter().any(|name| name.starts_with("Sample type: ")) && seen.iter().any(|name| name == "Call tree"), "{seen:?}");
    }
}

#[test]
fn a_click_leaves_no_ring() {
    let theme = Theme::dark();
    let mut harness = window(&one(), &theme);
    press(&mut harness, Key::Tab);
    let canvas = harness.get_by_role_and_label(egui::accesskit::Role::Canvas, "Flame graph").rect();
    let at = canvas.center();
    for pressed in [true, false] {
        harness.event(Event::PointerMoved(at));
        harness.event(Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE });
        harness.step();
    }
    harness.run();
    assert_eq!(ring(&mut harness, canvas, theme.accent), 0);
}

#[test]
fn closing_a_menu_leaves_the_keyboard_where_it_was() {
    let mut harness = window(&two(), &Theme::dark());
    let name = |harness: &Harness<'_, Shell>| focused(harness).map(|(name, _)| name).unwrap_or_default();
    for _ in 0..30 {
        press(&mut harness, Key::Tab);
        if name(&harness).starts_with("Frames are told apart") {
            break;
        }
    }
    assert_eq!(name(&harness), "Frames are told apart: By function");
    press(&mut harness, Key::Enter);
    assert!(harness.query_by_label("By module").is_some(), "its menu is open");
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_label("By module").is_none(), "and closed");
    press(&mut harness, Key::Tab);
    assert_eq!(name(&harness), "Direction: Top-down");
    harness.key_press_modifiers(Modifiers::SHIFT, Key::Tab);
    harness.run();
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Tab);
    assert_eq!(name(&harness), "Direction: Top-down", "after a choice too");
}
