//! Keys: the one place where they become commands, and the sheet that lists them.
//!
//! Deliberately absent: which keys there are; see `app::KINDS`. Keys inside a picture (arrows) belong to its widget.

use egui::{Event, Id, Key, Modifiers, PointerButton, text_selection::LabelSelectionState};

use super::cx::{Cx, Outbox};
use super::theme::{fonts, size};
use crate::app::{App, Command, CommandKind, KINDS, Keys, Menu, command};

/// egui's key of a name in [`Keys`]; digits are `Num4` there, as egui's variants are called, and `4` to egui's own parser.
fn egui_key(name: &str) -> Option<Key> {
    Key::from_name(name.strip_prefix("Num").unwrap_or(name))
}

/// True where the typed key is the one of `keys`.
fn matches(keys: Keys, key: Key, modifiers: Modifiers) -> bool {
    // A sign may need Shift on one keyboard and none on another: what counts is the sign.
    let is_sign = matches!(keys.key, "Plus" | "Minus" | "Equals" | "Slash" | "Questionmark" | "Period" | "Comma");
    egui_key(keys.key) == Some(key)
        && modifiers.command == keys.command
        && modifiers.alt == keys.alt
        && (is_sign || modifiers.shift == keys.shift)
}

/// Takes the keys of this frame that mean a command out of the input and sends the commands.
///
/// Call it before anything is drawn, so that a key acts once. Keys that would be typed act only while no text field has the keyboard.
pub(crate) fn handle(ctx: &egui::Context, app: &App, out: &mut Outbox) {
    let typing = ctx.text_edit_focused();
    // Space and Enter press the button that has the keyboard; a picture has nothing to press.
    let picture = ctx.data(|data| data.get_temp::<Id>(picture_id()));
    let focused = ctx.memory(|memory| memory.focused().is_some_and(|id| picture != Some(id))) || egui::Popup::is_any_open(ctx);
    let left_field = leaves_field(ctx, app, typing);
    let text_selected = ctx.plugin_or_default::<LabelSelectionState>().lock().has_selection();
    let dragging = holds_escape(ctx);
    let (mut typed, mut taken) = (false, false);
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            if matches!(event, Event::Key { pressed: true, .. }) {
                typed = false;
            }
            let command = match event {
                // The letter of a key that meant a command follows it: it must not reach the field that the command opened.
                Event::Text(_) if std::mem::take(&mut typed) => return false,
                // A slow frame has what was typed after it too, which belongs to that field.
                _ if taken => return true,
                // Escape gives up what is being dragged, and nothing else.
                Event::Key { key: Key::Escape, pressed: true, .. } if dragging => return true,
                Event::Key { key, pressed: true, modifiers, repeat, .. } => {
                    if left_field && *key == Key::Escape {
                        // A menu that the field stands in closes by it.
                        return focused;
                    }
                    if focused && matches!(key, Key::Space | Key::Enter | Key::Escape) {
                        return true;
                    }
                    // A held key zooms on and steps on, but does not switch back and forth.
                    let stepped = presenter_step(app, *key, *modifiers, typing).and_then(|name| named(app, name));
                    stepped.or_else(|| command_of(app, *key, *modifiers, typing)).filter(|(kind, _)| !repeat || kind.checked.is_none())
                }
                // Back and forward of a mouse do what they do in browsers.
                Event::PointerButton { button: PointerButton::Extra1, pressed: true, .. } => named(app, "undo"),
                Event::PointerButton { button: PointerButton::Extra2, pressed: true, .. } => named(app, "redo"),
                // The system's copy keys arrive as an event of their own.
                Event::Copy if !typing && !text_selected => command_of(app, Key::C, Modifiers::COMMAND, typing),
                _ => None,
            };
            let Some((_, command)) = command else { return true };
            typed = matches!(event, Event::Key { modifiers, .. } if !modifiers.command && !modifiers.alt);
            taken = command.takes_keyboard();
            out.send(command);
            false
        });
    });
}

/// True where Escape, should it be pressed in this frame, takes the keyboard from a text field: that is all it does then, and what was found
/// stays selected. egui has taken the keyboard away already when commands are looked for, so the last frame is asked. In a dialog Escape closes
/// the dialog, wherever the keyboard is.
fn leaves_field(ctx: &egui::Context, app: &App, typing: bool) -> bool {
    let id = Id::unique("a text field had the keyboard");
    let was_typing = ctx.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default::<bool>(id), typing));
    // A field that got the keyboard while the last frame was drawn had it at its end.
    let was_searching = ctx.memory(|memory| memory.had_focus_last_frame(super::toolbar::search_id()));
    app.dialog().is_none() && (was_typing || was_searching)
}

/// Whether Enter was pressed in this frame, and whether with Shift; by the event, as the modifiers of a frame are those at its end.
pub(super) fn enter(ui: &egui::Ui) -> Option<bool> {
    ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            Event::Key { key: Key::Enter, pressed: true, modifiers, .. } => Some(modifiers.shift),
            _ => None,
        })
    })
}

/// Says that a widget leaves Space, Enter and Escape to the commands while it has the keyboard.
pub(crate) fn leave_keys(ctx: &egui::Context, widget: Id) {
    ctx.data_mut(|data| data.insert_temp(picture_id(), widget));
}

/// Says that Escape belongs to a gesture until the next frame is drawn.
pub(super) fn hold_escape(ctx: &egui::Context) {
    let pass = ctx.cumulative_pass_nr();
    ctx.data_mut(|data| data.insert_temp(escape_id(), pass));
}

fn holds_escape(ctx: &egui::Context) -> bool {
    let pass = ctx.cumulative_pass_nr();
    ctx.data(|data| data.get_temp::<u64>(escape_id())).is_some_and(|held| pass.saturating_sub(held) <= 1)
}

fn escape_id() -> Id {
    Id::unique("gesture that Escape gives up")
}

fn picture_id() -> Id {
    Id::unique("picture that leaves keys to the commands")
}

/// The command of a kind as things stand.
fn named(app: &App, name: &str) -> Option<(&'static CommandKind, Command)> {
    let kind = command::kind(name)?;
    kind.available(app).map(|command| (kind, command))
}

/// What the two buttons of a presenter's remote control do, which are these keys: in a presentation they go through the findings.
fn presenter_step(app: &App, key: Key, modifiers: Modifiers, typing: bool) -> Option<&'static str> {
    let steps = app.view().is_presented() && app.view().is_comparison() && !typing && modifiers.is_none();
    match key {
        Key::PageDown if steps => Some("next-finding"),
        Key::PageUp if steps => Some("previous-finding"),
        _ => None,
    }
}

/// The command of a key as things stand.
fn command_of(app: &App, key: Key, modifiers: Modifiers, typing: bool) -> Option<(&'static CommandKind, Command)> {
    let means = |kind: &&CommandKind| kind.keys.iter().any(|&keys| matches(keys, key, modifiers) && !(typing && keys.is_text()));
    let kind = KINDS.iter().find(means)?;
    kind.available(app).map(|command| (kind, command))
}

/// Draws the sheet of all keys, by menu.
pub(super) fn sheet_ui(ui: &mut egui::Ui, cx: &Cx<'_>) {
    let with_keys = |menu: Menu| KINDS.iter().filter(move |kind| kind.menu == menu && !kind.keys.is_empty());
    let height = ui.ctx().content_rect().height() - 120.0;
    egui::ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
        ui.spacing_mut().item_spacing = egui::vec2(size::WIDE, 0.0);
        ui.horizontal_top(|ui| {
            for column in [&[Menu::File, Menu::Edit, Menu::Compare][..], &[Menu::View, Menu::Findings, Menu::Help], &[Menu::Samples]] {
                ui.vertical(|ui| {
                    ui.set_width(280.0);
                    for &menu in column {
                        ui.label(egui::RichText::new(menu.label()).font(fonts::strong()));
                        ui.add_space(size::GAP);
                        for kind in with_keys(menu) {
                            key_row_ui(ui, cx, kind.title, &texts(kind));
                        }
                        ui.add_space(size::PAD * 2.0);
                    }
                    if column.contains(&Menu::Compare) {
                        ui.label(egui::RichText::new("In a call tree").font(fonts::strong()));
                        ui.add_space(size::GAP);
                        for (title, keys) in TREE_KEYS {
                            key_row_ui(ui, cx, title, keys);
                        }
                    }
                    if column.contains(&Menu::Findings) {
                        ui.label(egui::RichText::new("In a presentation").font(fonts::strong()));
                        ui.add_space(size::GAP);
                        for (title, keys) in PRESENTATION_KEYS {
                            key_row_ui(ui, cx, title, keys);
                        }
                        ui.add_space(size::PAD * 2.0);
                    }
                    if column.contains(&Menu::View) {
                        ui.label(egui::RichText::new("In the timeline").font(fonts::strong()));
                        ui.add_space(size::GAP);
                        for (title, gesture) in TIME_GESTURES {
                            key_row_ui(ui, cx, title, gesture);
                        }
                    }
                    if column.contains(&Menu::Samples) {
                        ui.label(egui::RichText::new("In a flame graph").font(fonts::strong()));
                        ui.add_space(size::GAP);
                        for (title, gesture) in gestures() {
                            key_row_ui(ui, cx, title, &gesture);
                        }
                    }
                });
            }
        });
    });
}

fn key_row_ui(ui: &mut egui::Ui, cx: &Cx<'_>, title: &str, keys: &str) {
    ui.horizontal(|ui| {
        ui.set_height(size::TABLE_ROW);
        ui.label(title);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(egui::RichText::new(keys).font(fonts::table()).color(cx.theme.muted));
        });
    });
}

/// All keys of a kind; a sign that is reached with Shift on some keyboards and without on others stands once.
fn texts(kind: &CommandKind) -> String {
    let mut texts: Vec<String> = Vec::new();
    for keys in kind.keys {
        let text = keys.text();
        match texts.iter_mut().find(|known| **known == format!("Shift+{text}")) {
            Some(known) => *known = text,
            None => texts.push(text),
        }
    }
    texts.join(", ")
}

const COMMAND: &str = if cfg!(target_os = "macos") { "Cmd" } else { "Ctrl" };

/// What the pointer does in a flame graph, and the keys that only act there.
fn gestures() -> [(&'static str, String); 8] {
    [
        ("Caller, callee, neighbours", "arrows".to_owned()),
        ("Fit a box", "double-click".to_owned()),
        ("Its sandwich, in a sandwich", "double-click".to_owned()),
        ("Pan", "drag, wheel".to_owned()),
        ("Pan sideways", "Shift+wheel".to_owned()),
        ("Zoom at the pointer", format!("{COMMAND}+wheel")),
        ("Zoom to a range", "Shift+drag".to_owned()),
        ("What can be done with a box", "right click".to_owned()),
    ]
}

/// What keys do with the rows of a call tree; those of other tables are the same without the folding.
const TREE_KEYS: [(&str, &str); 7] = [
    ("Row above, below", "↑, ↓"),
    ("A page up, down", "PageUp, PageDown"),
    ("First, last row", "Home, End"),
    ("Unfold; fold, then its caller", "→; ←"),
    ("Unfold all below", "*"),
    ("Unfold or fold", "click on the mark"),
    ("Show in flame graph", "Enter, double-click"),
];

/// What keys do while one presents; those of the findings do the same.
const PRESENTATION_KEYS: [(&str, &str); 3] = [("Next finding", "PageDown"), ("Previous finding", "PageUp"), ("End", "Escape")];

/// What the pointer does in the timeline, and in the trend over time.
const TIME_GESTURES: [(&str, &str); 6] = [
    ("Choose a range", "drag"),
    ("Move the range", "drag inside"),
    ("Change an end of it", "drag the end"),
    ("Another range inside of it", "Shift+drag"),
    ("All of the time", "double-click"),
    ("Give a drag up", "Escape"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_name_is_a_key_of_egui() {
        for kind in KINDS {
            for keys in kind.keys {
                assert!(egui_key(keys.key).is_some(), "{}: {}", kind.name, keys.key);
            }
        }
    }

    #[test]
    fn letters_need_their_shift_and_signs_do_not() {
        let plain = |key| Keys { key, command: false, shift: false, alt: false };
        assert!(matches(plain("Plus"), Key::Plus, Modifiers::SHIFT) && matches(plain("Plus"), Key::Plus, Modifiers::NONE));
        assert!(matches(plain("Slash"), Key::Slash, Modifiers::SHIFT), "7 on a German keyboard");
        assert!(!matches(plain("H"), Key::H, Modifiers::SHIFT));
        assert!(!matches(plain("Num1"), Key::Num1, Modifiers::ALT) && !matches(plain("F3"), Key::F3, Modifiers::SHIFT));
        assert!(!matches(plain("Escape"), Key::Escape, Modifiers::SHIFT) && !matches(plain("Home"), Key::Home, Modifiers::SHIFT));
    }

    #[test]
    fn no_two_available_commands_share_a_key() {
        for (at, kind) in KINDS.iter().enumerate() {
            for keys in kind.keys {
                let key = egui_key(keys.key).expect("a key");
                let modifiers = Modifiers { alt: keys.alt, ctrl: keys.command, shift: keys.shift, mac_cmd: false, command: keys.command };
                let first = KINDS.iter().position(|kind| kind.keys.iter().any(|keys| matches(*keys, key, modifiers)));
                assert_eq!(first, Some(at), "{} at {}", kind.name, keys.text());
            }
        }
    }
}
