//! The command palette: every kind by fuzzy search. Deliberately absent: the commands themselves, see `app::KINDS`.

use egui::{Id, Key, Modifiers, RichText, TextEdit, Ui};

use super::cx::{Cx, Outbox};
use super::menus::explained;
use super::theme::{fonts, size};
use crate::app::{Command, CommandKind, KINDS, Keys};

/// Height of the list, where there is enough to list.
const LIST: f32 = 360.0;

/// Half-typed text and the chosen row; gone when the palette closes.
#[derive(Clone, Default)]
struct Memory {
    text: String,
    row: usize,
}

/// Draws the text field and the list.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let id = Id::unique("palette");
    let mut memory: Memory = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let step = ui.input_mut(|input| {
        isize::from(input.consume_key(Modifiers::NONE, Key::ArrowDown)) - isize::from(input.consume_key(Modifiers::NONE, Key::ArrowUp))
    });
    let chosen = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    ui.set_width(520.0);
    // Before it is drawn: what was typed in the frame that opened the palette belongs to it.
    let name = id.with("text");
    ui.memory_mut(|memory| memory.request_focus(name));
    let field = TextEdit::singleline(&mut memory.text).id(name).hint_text("Type a command").desired_width(f32::INFINITY);
    let field = ui.add(field).accessible_name("Command");
    if field.changed() {
        memory.row = 0;
    }
    let found = found(cx, &memory.text);
    let last = found.len().saturating_sub(1);
    memory.row = memory.row.saturating_add_signed(step).min(last);
    let mut wanted = chosen.then(|| found.get(memory.row)).flatten().copied();
    ui.add_space(size::GAP);
    // As high as it may be however little the last search left: an area keeps the size of what is in it.
    egui::ScrollArea::vertical().max_height(LIST).min_scrolled_height(LIST).auto_shrink([false, true]).show(ui, |ui| {
        if found.is_empty() {
            ui.label(RichText::new("No command has these letters in this order").color(cx.theme.muted));
        }
        for (row, kind) in found.iter().enumerate() {
            let response = row_ui(ui, cx, kind, row == memory.row);
            if row == memory.row && step != 0 {
                response.scroll_to_me(None);
            }
            if response.clicked() {
                wanted = Some(kind);
            }
        }
    });
    let command = wanted.and_then(|kind| (kind.resolve)(cx.app).ok());
    if command.is_some() {
        ui.data_mut(|data| data.remove::<Memory>(id));
    } else {
        ui.data_mut(|data| data.insert_temp(id, memory));
    }
    if let Some(command) = command {
        out.send(Command::CloseDialog);
        out.send(command);
    }
}

/// Forgets what was typed, for when the palette is closed in another way.
pub(super) fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| data.remove::<Memory>(Id::unique("palette")));
}

fn row_ui(ui: &mut Ui, cx: &Cx<'_>, kind: &CommandKind, is_chosen: bool) -> egui::Response {
    let can = can_be_done(cx, kind);
    let text = RichText::new(kind.title).color(if can { cx.theme.text } else { cx.theme.muted });
    let menu = RichText::new(kind.menu.label()).font(fonts::small()).color(cx.theme.muted);
    let keys = kind.keys.first().map(Keys::text).unwrap_or_default();
    let button = egui::Button::new((text, menu))
        .shortcut_text(RichText::new(keys).font(fonts::small()))
        .frame_when_inactive(is_chosen)
        .selected(is_chosen)
        .min_size(egui::vec2(ui.available_width(), 24.0));
    let response = ui.add_enabled(can, button);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, can, kind.title));
    explained(response, kind, cx)
}

/// What could be done if the palette were not in the way.
fn can_be_done(cx: &Cx<'_>, kind: &CommandKind) -> bool {
    kind.makes_sense(cx.app)
}

/// Kinds whose words contain the typed letters in order, best first: titles with a word that begins with the text, then the others; within these
/// those that can be done before those that cannot. Otherwise Enter would do something else than what was typed.
fn found(cx: &Cx<'_>, text: &str) -> Vec<&'static CommandKind> {
    let mut found: Vec<((bool, bool, u32), &CommandKind)> = KINDS
        .iter()
        .filter(|kind| kind.name != "palette")
        .filter_map(|kind| Some(((!begins_word(text, kind.title), !can_be_done(cx, kind), cost(text, kind)?), kind)))
        .collect();
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().map(|(_, kind)| kind).collect()
}

/// True where the text, as it is but for case, stands at the beginning of a word.
fn begins_word(text: &str, words: &str) -> bool {
    let (text, words) = (text.trim().to_lowercase(), words.to_lowercase());
    words.match_indices(&text).any(|(at, _)| !words[..at].ends_with(char::is_alphanumeric))
}

/// How badly a kind fits; `None` where it does not.
fn cost(text: &str, kind: &CommandKind) -> Option<u32> {
    if text.trim().is_empty() {
        // Nothing is asked for: the order of the menus.
        return Some(0);
    }
    let title = fuzzy(text, kind.title);
    // The menu's name and the longer words fit too, after titles.
    title.or_else(|| fuzzy(text, &format!("{} {}", kind.menu.label(), kind.title)).map(|cost| cost + 100)).or_else(|| {
        let (known, wanted) = (format!("{} {}", kind.title, kind.tooltip).to_lowercase(), text.to_lowercase());
        wanted.split_whitespace().all(|word| known.contains(word)).then_some(1000)
    })
}

/// Letters of `text` in order inside `words`, any case: letters skipped inside words cost, a skip to the beginning of a word is
/// free. Blanks are ignored.
fn fuzzy(text: &str, words: &str) -> Option<u32> {
    let words: Vec<char> = words.to_lowercase().chars().collect();
    let (mut at, mut cost) = (0, 0);
    for wanted in text.to_lowercase().chars().filter(|letter| !letter.is_whitespace()) {
        let starts_word = |i: &usize| *i == 0 || words.get(i - 1).is_some_and(|before| !before.is_alphanumeric());
        let rest = || (at..words.len()).filter(|&i| words.get(i) == Some(&wanted));
        let found = rest().find(|&i| i == at).or_else(|| rest().find(starts_word)).or_else(|| rest().next())?;
        cost += match found {
            found if starts_word(&found) || (found == at && at > 0) => 0,
            // Few people begin in the middle of a word.
            _ if at == 0 => 6,
            found => 1 + (found - at).min(3) as u32,
        };
        at = found + 1;
    }
    Some(cost * 10 + words.len() as u32 / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{App, Options};
    use crate::ui::theme::Theme;

    #[test]
    fn letters_in_order_find_a_command_and_the_best_stands_first() {
        let (app, theme) = (App::new(Options::default()), Theme::dark());
        let disk = crate::ui::disk::Disk::inline();
        let cx = Cx { app: &app, theme: &theme, disk: &disk, now: 0.0, unix_seconds: 0, is_test: true };
        let first = |text: &str| found(&cx, text).first().map(|kind| kind.name);
        assert_eq!(first("opa"), Some("type-path"));
        assert_eq!(first("about"), Some("about"));
        assert_eq!(first("cmp"), Some("choose-comparison"));
        assert_eq!(first("qwertz"), None);
        assert_eq!([first("foc"), first("Focus on")], [Some("focus"); 2], "also where it cannot be done, before letters of other words");
        for words in ["text size", "larger", "zoom the window", "projector", "window zoom"] {
            let found: Vec<&str> = found(&cx, words).iter().map(|kind| kind.name).collect();
            assert!(found.contains(&"larger-text") && found.contains(&"normal-text"), "{words}: {found:?}");
        }
        let all = found(&cx, "");
        assert_eq!(all.len(), KINDS.len() - 1, "all without text");
        let can = KINDS.iter().filter(|kind| kind.name != "palette" && kind.makes_sense(&app)).map(|kind| kind.name);
        assert!(all.iter().map(|kind| kind.name).zip(can).all(|(found, can)| found == can), "in the order of the menus");
    }

    #[test]
    fn beginnings_of_words_are_cheaper_than_letters_inside() {
        assert!(fuzzy("zs", "Zoom to selection") < fuzzy("zs", "Zoom across"));
        assert_eq!(fuzzy("flame", "Call tree"), None);
    }
}
