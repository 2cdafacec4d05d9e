//! Where the keyboard is: a ring around what has it, and the way back from menus that were opened with it.
//!
//! One ring for all widgets, also for those without a frame of their own. Deliberately absent: which widget comes next, which is egui's.

use egui::{Context, Event, Id, Key, Popup, Stroke, StrokeKind};

use super::theme::{Theme, size};

/// What the last frame left.
#[derive(Clone, Copy, Default)]
struct Memory {
    /// The keyboard was moved by keys and not by a click: only then a ring says something new.
    by_keys: bool,
    focused: Option<Id>,
    /// A menu is open.
    open: bool,
    /// What had the keyboard when it was opened.
    opener: Option<Id>,
}

/// A ring stands so far outside of what is in it.
const GAP: f32 = 2.0;
/// Around what is higher than this (pictures, tables) it stands inside, where nothing cuts it off.
const HIGH: f32 = 100.0;

/// Draws the ring, after everything else of the frame.
pub(super) fn ui(ctx: &Context, theme: &Theme) {
    let id = Id::unique("where the keyboard is");
    let old: Memory = ctx.data(|data| data.get_temp(id)).unwrap_or_default();
    let focused = ctx.memory(egui::Memory::focused);
    let pressed = |keys: &[Key]| {
        let is_one = |event: &Event| matches!(event, Event::Key { key, pressed: true, .. } if keys.contains(key));
        ctx.input(|input| input.raw.events.iter().any(is_one))
    };
    let arrows = [Key::ArrowUp, Key::ArrowDown, Key::ArrowLeft, Key::ArrowRight];
    let mut now = Memory { focused, open: Popup::is_any_open(ctx), ..old };
    if ctx.input(|input| input.pointer.any_pressed()) {
        now.by_keys = false;
    } else if pressed(&[Key::Tab]) || focused != old.focused && pressed(&arrows) {
        now.by_keys = true;
    }
    if now.open && !old.open {
        now.opener = focused.or(old.focused);
    }
    // Without this the next Tab would begin at the first menu again.
    if old.open
        && !now.open
        && now.by_keys
        && let Some(opener) = now.opener
    {
        ctx.memory_mut(|memory| memory.request_focus(opener));
        now.focused = Some(opener);
    }
    ctx.data_mut(|data| data.insert_temp(id, now));
    // Text fields have a frame and a cursor.
    if now.by_keys && !ctx.text_edit_focused() {
        ring_ui(ctx, theme, now.focused);
    }
}

fn ring_ui(ctx: &Context, theme: &Theme, focused: Option<Id>) {
    let Some(response) = focused.and_then(|id| ctx.read_response(id)) else { return };
    let (whole, shown) = (response.rect, response.interact_rect);
    if !shown.is_positive() {
        return;
    }
    let fits = whole.height() < HIGH && shown.contains_rect(whole);
    let ring = if fits { shown.expand(GAP) } else { shown.shrink(size::HAIRLINE) };
    let painter = ctx.layer_painter(response.layer_id);
    painter.rect_stroke(ring, size::CORNER, Stroke::new(size::OUTLINE, theme.accent), StrokeKind::Inside);
}
