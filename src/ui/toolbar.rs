//! The chips of the two bars: captures and search above, then what is shown and how.
//!
//! Every chip shows its value and opens a menu of the others; nothing that is often changed needs a dialog. Deliberately absent:
//! threads, labels and patterns, see `filters`.

use std::sync::Arc;

use egui::text::{CCursor, CCursorRange};
use egui::{Align, Button, Color32, Id, Layout, RichText, Stroke, TextEdit, TextWrapMode, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::memory::{self, Kept};
use super::theme::{fonts, size};
use super::{filters, menus, shortcuts, words, work};
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::{Comparison, Normalization, Work, common_sample_types};
use crate::analysis::part::Part;
use crate::analysis::place::Granularity;
use crate::analysis::search::Matches;
use crate::app::command::kind;
use crate::app::view::{CaptureId, Side, Tab};
use crate::app::{Capture, Command, Keys};
use crate::model::{counted, grouped, human, human_duration};

/// Names the search box, for [`crate::app::Effect::FocusSearch`].
pub(super) fn search_id() -> Id {
    Id::unique("search")
}

/// Puts the keyboard into the search box. What was searched for last is selected: typing takes its place.
pub(super) fn focus_search(ctx: &egui::Context, text: &str) {
    let mut state = egui::TextEdit::load_state(ctx, search_id()).unwrap_or_default();
    let all = CCursorRange::two(CCursor::default(), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(all));
    state.store(ctx, search_id());
    ctx.memory_mut(|memory| memory.request_focus(search_id()));
}

/// Width of the search box in points.
const SEARCH_WIDTH: f32 = 200.0;

/// Draws captures and search into what the menus left of the upper bar.
pub(super) fn upper_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if cx.app.view().after.is_some() {
            search_ui(ui, cx, out);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            // In a small window, or with large text, chips end where the search begins.
            ui.set_clip_rect(ui.clip_rect().intersect(ui.max_rect().expand2(vec2(0.0, size::PAD))));
            captures_ui(ui, cx, out);
        });
    });
}

fn captures_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let (before, after) = (cx.app.view().before, cx.app.view().after);
    let Some(after) = after.and_then(|id| cx.app.capture(id)) else { return };
    ui.add_space(size::PAD);
    let Some(before) = before.and_then(|id| cx.app.capture(id)) else {
        let width = ui.available_width() - 120.0;
        capture_chip(ui, cx, out, (after, &Part::WHOLE, ""), Role::Alone, width);
        if ui.button("Compare with…").on_hover_text("Choose the capture to compare with this one").clicked() {
            out.send(Command::ChooseComparison);
        }
        return;
    };
    let width = (ui.available_width() - 60.0) / 2.0;
    let ([old, new], names) = (&cx.app.view().parts, [before, after].map(|capture| cx.app.name_of(capture)));
    capture_chip(ui, cx, out, (before, old, &names[1]), Role::Before, width);
    if ui.button("⇄").on_hover_text("Swap before and after (X)").accessible_name("Swap before and after").clicked() {
        out.send(Command::SwapSides);
    }
    capture_chip(ui, cx, out, (after, new, &names[0]), Role::After, width);
}

/// What a capture is in the view.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Alone,
    Before,
    After,
}

impl Role {
    const fn words(self) -> &'static str {
        match self {
            Self::Alone => "Capture",
            Self::Before => "Before",
            Self::After => "After",
        }
    }

    const fn side(self) -> Side {
        match self {
            Self::Before => Side::Before,
            Self::Alone | Self::After => Side::After,
        }
    }

    const fn put(self, id: CaptureId) -> Command {
        match self {
            Self::Alone => Command::Show(id),
            Self::Before => Command::SetBefore(id),
            Self::After => Command::SetAfter(id),
        }
    }
}

/// A capture or a part of it; `other` is the name of the capture beside it.
fn capture_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, (capture, part, other): (&Capture, &Part, &str), role: Role, width: f32) {
    let (mark, color) = match role {
        Role::Alone => ("", cx.theme.strong_line),
        Role::Before => ("B", cx.theme.before),
        Role::After => ("A", cx.theme.after),
    };
    // A name that does not fit loses its middle: the beginning says which program, the end which run.
    let letters = ((width - 52.0) / 6.8).clamp(LEAST_LETTERS, 60.0) as usize;
    // Which part it is counts for more than the name, which both sides may have.
    let part_words = shortened(&part.words(), (letters * 2 / 3).max(LEAST_LETTERS as usize));
    let part_letters = if part.is_whole() { 0 } else { part_words.chars().count() + 3 };
    let repeats = cx.app.view().side(role.side()).len().saturating_sub(1);
    let more = if repeats > 0 { format!(" + {repeats}") } else { String::new() };
    let part_letters = part_letters + more.len();
    let name = told_apart(&cx.app.name_of(capture), other, letters.saturating_sub(part_letters).max(LEAST_LETTERS as usize));
    let name = if part.is_whole() { format!("{name}{more}") } else { format!("{name}{more} [{part_words}]") };
    let mark = RichText::new(mark).font(fonts::strong()).color(color);
    let arrow = RichText::new("▾").color(cx.theme.muted);
    let atoms = if role == Role::Alone { egui::Atoms::new((name, arrow)) } else { egui::Atoms::new((mark, name, arrow)) };
    let button = Button::new(atoms).fill(cx.theme.raised).stroke(Stroke::new(size::HAIRLINE, color)).wrap_mode(TextWrapMode::Extend);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| captures_menu_ui(ui, cx, out, capture, role));
    let words = format!("{}: {}{more}", role.words(), cx.app.name_of_part(capture, part));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, words.clone()));
    let which = if part.is_whole() { String::new() } else { format!("\nOnly {}", part.line()) };
    let paths = cx.app.view().side(role.side()).into_iter().filter_map(|id| Some(cx.app.capture(id)?.path.display().to_string()));
    response.on_hover_text(format!("{}\n{}{which}", role.words(), paths.collect::<Vec<_>>().join("\n")));
}

/// Fewer letters of a name say nothing.
const LEAST_LETTERS: f32 = 5.0;

/// Lines below the list in the menu of a capture.
const CAPTURE_COMMANDS: f32 = 10.0;

fn captures_menu_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, shown: &Capture, role: Role) {
    ui.set_min_width(280.0);
    let side = cx.app.view().side(role.side());
    // The list scrolls, however many captures are open; the commands below it stay in reach.
    let line = ui.spacing().interact_size.y + ui.spacing().item_spacing.y;
    menus::scrolled_ui(ui, CAPTURE_COMMANDS * line, |ui| {
        for capture in cx.app.captures() {
            let name = cx.app.name_of(capture);
            let text = match (capture.error(), capture.profile()) {
                (Some(_), _) => format!("{name} (not readable)"),
                (None, Some(_)) => name,
                (None, None) => format!("{name} (being read)"),
            };
            if choice_ui(ui, side.contains(&capture.id), &text).on_hover_text(capture.path.display().to_string()).clicked() {
                out.send(role.put(capture.id));
            }
        }
        if role == Role::Alone {
            others_ui(ui, cx, shown, out);
        }
    });
    ui.separator();
    let mut entry = |ui: &mut Ui, text: &str, command: Command| {
        if ui.button(text).clicked() {
            out.send(command);
        }
    };
    if role == Role::Alone {
        entry(ui, "Compare with another file…", Command::ChooseComparison);
        for name in ["choose-parts", "compare-halves"] {
            if let Some((kind, todo)) = kind(name).and_then(|kind| Some((kind, kind.available(cx.app)?))) {
                entry(ui, kind.title, todo);
            }
        }
    } else {
        for name in ["choose-parts", "compare-whole"] {
            if let Some((kind, todo)) = kind(name).and_then(|kind| Some((kind, kind.available(cx.app)?))) {
                entry(ui, kind.title, todo);
            }
        }
        entry(ui, "Swap before and after", Command::SwapSides);
        entry(ui, "Show this capture alone", Command::Show(shown.id));
    }
    entry(ui, "Add captures to this side…", Command::ChooseForSide(role.side()));
    entry(ui, "All captures and their sides", Command::SetTab(Tab::Info));
    ui.separator();
    entry(ui, "Open…", Command::ChooseFiles);
    entry(ui, "Reload", Command::Reload(shown.id));
    entry(ui, "Close", Command::Close(shown.id));
}

/// All captures that the one shown can be compared with: first those that measure the same.
fn others_ui(ui: &mut Ui, cx: &Cx<'_>, shown: &Capture, out: &mut Outbox) {
    let mut others: Vec<&Capture> =
        cx.app.captures().iter().filter(|capture| capture.id != shown.id && capture.error().is_none()).collect();
    if others.is_empty() {
        return;
    }
    let is_like = |other: &Capture| match (shown.profile(), other.profile()) {
        (Some(one), Some(two)) => !common_sample_types(&[Arc::clone(one), Arc::clone(two)]).is_empty(),
        _ => false,
    };
    others.sort_by_cached_key(|other| !is_like(other));
    ui.separator();
    for other in others {
        // What is still being read may turn out to fit.
        let can = other.profile().is_none() || is_like(other);
        let button = Button::new(format!("Compare with {} as before", shortened(&cx.app.name_of(other), 32)));
        let response = ui.add_enabled(can, button).on_disabled_hover_text("The two have no sample type in common");
        if response.on_hover_text(other.path.display().to_string()).clicked() {
            out.send(Command::SetBefore(other.id));
        }
    }
}

/// A line of a menu that chooses one of several.
pub(super) fn choice_ui(ui: &mut Ui, is_chosen: bool, text: &str) -> egui::Response {
    let mark = RichText::new(if is_chosen { "●" } else { " " }).font(fonts::table());
    let response = ui.add(Button::new((mark, text)).wrap_mode(TextWrapMode::Extend));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, text));
    // A click closes the menu by itself, Enter does not.
    if response.clicked() {
        ui.close();
    }
    response
}

/// `name` with at most `letters`: where it is too long, what it shares with `other` goes first, then its middle.
fn told_apart(name: &str, other: &str, letters: usize) -> String {
    if name == other || name.chars().count() <= letters {
        return shortened(name, letters);
    }
    // Whole words only: of `before` and `more` the common end says nothing.
    let equal = |(one, two): &(char, char)| one == two;
    let start: usize = name.chars().zip(other.chars()).take_while(equal).map(|(letter, _)| letter.len_utf8()).sum();
    let is_sign = |(_, letter): &(usize, char)| !letter.is_alphanumeric();
    let cut = name.char_indices().take_while(|&(at, _)| at < start).filter(is_sign).last().map_or(0, |(at, sign)| at + sign.len_utf8());
    let (head, rest) = name.split_at_checked(cut).unwrap_or(("", name));
    let other_rest = other.get(head.len()..).unwrap_or_default();
    let end: usize = rest.chars().rev().zip(other_rest.chars().rev()).take_while(equal).map(|(letter, _)| letter.len_utf8()).sum();
    let end = rest.len() - end;
    let own = rest.char_indices().skip_while(|&(at, _)| at < end).find(is_sign).and_then(|(at, _)| rest.get(..at)).unwrap_or(rest);
    let mark = if head.is_empty() { "" } else { "…" };
    let fitting = [format!("{mark}{rest}"), format!("{mark}{own}…")].into_iter().find(|text| text.chars().count() <= letters);
    fitting.unwrap_or_else(|| shortened(if own.is_empty() { name } else { own }, letters))
}

/// `text` with at most `letters`, the middle left out.
fn shortened(text: &str, letters: usize) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= letters || letters < 3 {
        return text.to_owned();
    }
    let (head, tail) = ((letters - 1) / 2, (letters - 1).div_ceil(2));
    let part = |range: &[char]| range.iter().collect::<String>();
    format!("{}…{}", part(all.get(..head).unwrap_or_default()), part(all.get(all.len() - tail..).unwrap_or_default()))
}

fn search_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let mut text = cx.app.view().search.clone();
    let keys = kind("focus-search").and_then(|kind| kind.keys.first()).map(Keys::text).unwrap_or_default();
    let field = TextEdit::singleline(&mut text)
        .id(search_id())
        .hint_text(format!("Search ({keys})"))
        .desired_width(SEARCH_WIDTH.min(ui.available_width() * 0.3));
    let field = ui.add(field).accessible_name("Search").on_hover_text("Names, as regular expression; Enter: next, Shift+Enter: previous");
    if field.changed() {
        if let Some(rest) = text.strip_prefix('>') {
            out.send(Command::Search(rest.to_owned()));
            out.send(Command::Palette);
        } else {
            out.send(Command::Search(text.clone()));
        }
    }
    if let Some(backwards) = shortcuts::enter(ui).filter(|_| field.lost_focus()) {
        out.send(if backwards { Command::PreviousMatch } else { Command::NextMatch });
        field.request_focus();
    }
    if cx.app.view().search.is_empty() {
        return;
    }
    position_ui(ui, cx, field.rect);
    if ui.button("✕").on_hover_text("Clear the search").accessible_name("Clear search").clicked() {
        out.send(Command::Search(String::new()));
    }
    // The flame graph has its own words for it, which count boxes.
    if cx.app.view().tab == Tab::Flame {
        return;
    }
    if let (Some(matches), Some(comparison)) = (cx.app.matches().ready(), cx.app.comparison().ready()) {
        let found = counted(matches.places.len() as u64, "name", "names");
        if problem_ui(ui, cx, matches) {
            return;
        }
        let text = if matches.nodes == 0 {
            "no match".to_owned()
        } else {
            format!("{found}, {}", words::shares(&matches.shares(&comparison.sides)))
        };
        let color = if matches.nodes == 0 { cx.theme.warning } else { cx.theme.muted };
        ui.label(RichText::new(text).font(fonts::small()).color(color)).on_hover_text(format!(
            "{}; samples with a match, each counted once: {}",
            counted(matches.nodes as u64, "box", "boxes"),
            comparison.value_text(matches.total())
        ));
    }
}

/// Says that what was typed is no expression, and why; true where that is so.
pub(super) fn problem_ui(ui: &mut Ui, cx: &Cx<'_>, matches: &Matches) -> bool {
    let Some(problem) = &matches.problem else { return false };
    let reason = problem.split_once("` is ").map_or(problem.as_str(), |(_, reason)| reason);
    let tip = format!("{problem}; it was taken as plain text");
    let found = if matches.places.is_empty() { "no match as plain text" } else { "taken as plain text" };
    let text = format!("{found}; {reason}");
    ui.add(egui::Label::new(RichText::new(text).font(fonts::small()).color(cx.theme.warning)).truncate()).on_hover_text(tip);
    true
}

/// Which match is selected, inside the field's right end: there it moves nothing.
fn position_ui(ui: &mut Ui, cx: &Cx<'_>, field: egui::Rect) {
    let (Some(matches), Some(comparison)) = (cx.app.matches().ready().cloned(), cx.app.comparison().ready().cloned()) else { return };
    let key = memory::key(&(Arc::as_ptr(&matches).addr(), Arc::as_ptr(&comparison).addr(), &cx.app.view().selection));
    let position = memory::keep(ui, "position among matches", key, || Kept::new(cx.app.match_position(), (matches, comparison)));
    let Some((at, of)) = *position else { return };
    let builder = egui::UiBuilder::new().max_rect(field.shrink2(vec2(size::GAP, 0.0))).layout(Layout::right_to_left(Align::Center));
    let text = RichText::new(format!("{} of {}", grouped(at as u64), grouped(of as u64))).font(fonts::small()).color(cx.theme.muted);
    let next = kind("next-match").map(|kind| kind.keys.iter().map(Keys::text).collect::<Vec<_>>().join(" or ")).unwrap_or_default();
    let label = egui::Label::new(text.background_color(cx.theme.background)).selectable(false);
    ui.new_child(builder).add(label).on_hover_text(format!("The selected box among those found; {next}: next"));
}

/// Draws the lower bar: sample type, normalisation, granularity, direction, filters.
pub(super) fn lower_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.spacing_mut().item_spacing = vec2(size::GAP + 2.0, size::GAP);
    ui.spacing_mut().interact_size.y = 22.0;
    ui.horizontal_wrapped(|ui| {
        sample_type_chip(ui, cx, out);
        if cx.app.view().is_comparison() {
            normalization_chip(ui, cx, out);
        }
        granularity_chip(ui, cx, out);
        direction_chip(ui, cx, out);
        filters::ui(ui, cx, out);
    });
}

/// A chip that opens a menu; `name` says what it chooses.
pub(super) fn chip_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, value: &str, hover: &str, menu: impl FnOnce(&mut Ui)) {
    let arrow = RichText::new("▾").color(cx.theme.muted);
    let button = Button::new((value, arrow)).fill(cx.theme.raised).stroke(Stroke::NONE).wrap_mode(TextWrapMode::Extend);
    // Under the chip, which stands a bar further down than the menus: a higher one would open beside it.
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| menus::scrolled_ui(ui, size::MENU_BAR, menu));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("{name}: {value}")));
    if !hover.is_empty() {
        response.on_hover_text(hover);
    }
}

fn sample_type_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let (types, Some(shown)) = (cx.app.sample_types(), cx.app.sample_type()) else { return };
    let words = |(name, unit): &(String, String)| format!("{name} / {unit}");
    chip_ui(ui, cx, "Sample type", &words(&shown), "What is counted (T: next)", |ui| {
        for kind in &types {
            if choice_ui(ui, *kind == shown, &words(kind)).clicked() {
                out.send(Command::SetSampleType(kind.0.clone(), kind.1.clone()));
            }
        }
    });
}

fn normalization_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let shown = cx.app.normalization();
    let comparison = cx.app.shown_comparison().map(|(comparison, _)| comparison);
    let words = |normalization: &Normalization| match comparison.map(|comparison| denominators(comparison, normalization)) {
        Some(Some(by)) => format!("{} ({by})", normalization.label()),
        _ => normalization.label().to_owned(),
    };
    chip_ui(ui, cx, "Made comparable by", &words(&shown), "What before and after are divided by", |ui| {
        for normalization in Normalization::ALL {
            let can = match normalization {
                Normalization::PerSecond => cx.app.durations_known(),
                Normalization::PerCpuSecond => cx.app.cpu_known(),
                _ => true,
            };
            ui.add_enabled_ui(can, |ui| {
                if choice_ui(ui, normalization == shown, &words(&normalization)).clicked() {
                    out.send(Command::SetNormalization(Some(normalization)));
                }
            });
        }
        ui.separator();
        work::ui(ui, cx, out, &shown);
        ui.separator();
        if let Some((robust, todo)) = kind("toggle-robust").and_then(|robust| Some((robust, robust.available(cx.app)?))) {
            let is_on = robust.checked.is_some_and(|checked| checked(cx.app));
            if choice_ui(ui, is_on, robust.title).on_hover_text(robust.tooltip).clicked() {
                out.send(todo);
            }
        }
        ui.separator();
        if choice_ui(ui, cx.app.view().normalization.is_none(), "What fits the sample type").clicked() {
            out.send(Command::SetNormalization(None));
        }
    });
}

/// What each side is divided by: `24.3 s, 25.1 s`.
fn denominators(comparison: &Comparison, normalization: &Normalization) -> Option<String> {
    let (before, after) = comparison.pair()?;
    let texts = match normalization {
        Normalization::Share => [before, after].map(|side| Some(human(side.denominator(), &comparison.unit))),
        Normalization::PerSecond => [before, after].map(|side| side.duration_nanos.map(human_duration)),
        Normalization::PerCpuSecond => [before, after].map(|side| side.cpu_nanos.map(|nanos| human(nanos, "ns"))),
        Normalization::PerRequest(Work::Given(numbers)) => numbers.sides().map(|requests| Some(requests.to_string())),
        Normalization::PerRequest(_) => [before, after].map(|side| side.work.map(|work| human(work.amount, "count"))),
        Normalization::Absolute => return None,
    };
    let [before, after] = texts;
    Some(format!("{}, {}", before?, after?))
}

const fn granularity_words(granularity: Granularity) -> (&'static str, &'static str) {
    match granularity {
        Granularity::Function => ("By function", "Lines, addresses and inlining do not matter"),
        Granularity::Line => ("By line", "Function, file and line"),
        Granularity::File => ("By file", "Source file"),
        Granularity::Package => ("By package", "Package, namespace or crate"),
        Granularity::Module => ("By module", "Binary or library"),
        Granularity::Address => ("By address", "Address in its module"),
    }
}

fn granularity_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let shown = cx.app.view().granularity;
    chip_ui(ui, cx, "Frames are told apart", granularity_words(shown).0, "What one box or row stands for", |ui| {
        for granularity in Granularity::ALL {
            let (words, hover) = granularity_words(granularity);
            if choice_ui(ui, granularity == shown, words).on_hover_text(hover).clicked() {
                out.send(Command::SetGranularity(granularity));
            }
        }
    });
}

fn direction_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let words = |direction| match direction {
        Direction::TopDown => ("Top-down", "Callers above callees: where the cost comes from"),
        Direction::BottomUp => ("Bottom-up", "Callees above callers: where the cost falls"),
    };
    let shown = cx.app.view().direction;
    chip_ui(ui, cx, "Direction", words(shown).0, "Direction of flame graph and call tree (I)", |ui| {
        for direction in [Direction::TopDown, Direction::BottomUp] {
            let (text, hover) = words(direction);
            if choice_ui(ui, direction == shown, text).on_hover_text(hover).clicked() {
                out.send(Command::SetDirection(direction));
            }
        }
    });
}

/// A chip with a cross that takes a filter away.
pub(super) fn filter_chip(ui: &mut Ui, cx: &Cx<'_>, text: &str, hover: &str) -> bool {
    let cross = RichText::new("✕").font(fonts::small()).color(cx.theme.muted);
    let button = Button::new((shortened(text, 48), cross))
        .fill(Color32::TRANSPARENT)
        .stroke(Stroke::new(size::HAIRLINE, cx.theme.accent))
        .wrap_mode(TextWrapMode::Extend);
    let response = ui.add(button);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Remove filter {text}")));
    response.on_hover_text(format!("{hover}\n{text}\nClick to remove")).clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_beginning_and_end() {
        assert_eq!(shortened("cpu.pb.gz", 9), "cpu.pb.gz");
        assert_eq!(shortened("orders-cpu-before.pb.gz", 11), "order…pb.gz");
        assert_eq!(shortened("äöüäöüäöü", 5), "äö…öü");
    }

    #[test]
    fn two_names_lose_first_what_they_have_in_common() {
        let both = |one: &str, two: &str, letters: usize| [told_apart(one, two, letters), told_apart(two, one, letters)];
        let (before, after) = ("orders-cpu-before.pb.gz", "orders-cpu-after.pb.gz");
        assert_eq!(both(before, after, 30), [before, after]);
        assert_eq!(both(before, after, 13), ["…before.pb.gz", "…after.pb.gz"]);
        assert_eq!(both(before, after, 8), ["…before…", "…after…"]);
        assert_eq!(both(before, after, 5), ["be…re", "after"]);
        assert_eq!(both("before.pb", "more.pb", 7), ["before…", "more.pb"]);
        assert_eq!(both("same-name.pb", "same-name.pb", 8), ["sam…e.pb", "sam…e.pb"]);
        assert_eq!(both("run-1-ärger.pb", "run-1-öl.pb", 7), ["…ärger…", "…öl.pb"]);
    }
}
