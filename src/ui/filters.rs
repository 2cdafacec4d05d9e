//! Chips and menus that choose samples and frames: threads, labels, patterns.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{Id, IntoAtoms, Key, PopupCloseBehavior, RichText, ScrollArea, TextEdit, TextWrapMode, Ui};

use super::cx::{Cx, Outbox};
use super::theme::fonts;
use super::toolbar::filter_chip;
use crate::analysis::comparison::percent;
use crate::analysis::facets::{Facet, Facets};
use crate::analysis::filter::{Filter, names_of};
use crate::analysis::group;
use crate::analysis::names;
use crate::analysis::part::Part;
use crate::analysis::span::Span;
use crate::analysis::tags::Tags;
use crate::app::{Command, is_everything};
use crate::model::{Profile, counted};

/// Most rows that one list of threads or values shows; the rest is reached by typing.
const ROWS: usize = 200;

/// Draws the chips.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let profiles = cx.app.profiles();
    if profiles.iter().any(|profile| profile.threads.len() > 1) {
        threads_chip(ui, cx, out);
    }
    if profiles.iter().any(|profile| !profile.label_sets.is_empty()) {
        labels_chip(ui, cx, out);
    }
    group_chip(ui, cx, &profiles, out);
    menu_button(ui, cx, "+ Filter", "Add filter", |ui| add_ui(ui, cx, out));
    active_ui(ui, cx, out);
}

/// A button whose menu stays open while things in it are clicked.
fn menu_button<'a>(ui: &mut Ui, cx: &Cx<'_>, words: impl IntoAtoms<'a>, name: &str, menu: impl FnOnce(&mut Ui)) {
    let button = egui::Button::new(words).fill(cx.theme.raised).stroke(egui::Stroke::NONE).wrap_mode(TextWrapMode::Extend);
    // The style of menus takes the frames away, which fields and boxes need.
    let config = egui::containers::menu::MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let config = config.style(egui::style::StyleModifier::default());
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).config(config).ui(ui, |ui| {
        // Boxes to tick have to stand out from the menu.
        ui.visuals_mut().widgets.inactive.bg_stroke.color = cx.theme.strong_line;
        menu(ui);
    });
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
}

/// True in the first frame of a menu: what is typed then goes to its field, and is no key of a command.
fn is_opening(ui: &Ui, menu: &str) -> bool {
    let (id, now) = (Id::unique("menu was open in pass").with(menu), ui.ctx().cumulative_pass_nr());
    let last = ui.data_mut(|data| data.get_temp_mut_or_default::<Option<u64>>(id).replace(now));
    last.is_none_or(|last| now > last + 1)
}

/// The mark of a chip that has a value and opens a menu of the others.
fn arrow(cx: &Cx<'_>) -> RichText {
    RichText::new("▾").color(cx.theme.muted)
}

fn threads_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let chosen = &cx.app.view().filter.threads;
    let text = match chosen.as_slice() {
        [] => "Threads: all".to_owned(),
        [one] => format!("Thread: {one}"),
        several => format!("Threads: {}", several.len()),
    };
    menu_button(ui, cx, (text, arrow(cx)), "Threads", |ui| {
        ui.set_min_width(280.0);
        let typed = typed_ui(ui, "threads", "Thread");
        if ui.add_enabled(!chosen.is_empty(), egui::Button::new("All threads")).clicked() {
            out.send(Command::SetThreads(Vec::new()));
        }
        ui.separator();
        let part = |name: &String| Part { threads: vec![name.clone()], ..Part::WHOLE };
        let Some(facets) = facets_of(ui, cx) else { return };
        list_ui(ui, cx, facets.threads.iter().filter(|row| contains(&row.name, &typed)), |ui, row| {
            let name = &row.name;
            let mut is_on = chosen.contains(name);
            let ticked = ui.horizontal(|ui| {
                shares_ui(ui, cx, row);
                let others = facets.threads.iter().map(|row| &row.name).filter(|other| *other != name);
                compare_ui(ui, name, part(name), other_of(chosen.iter().filter(|other| *other != name), others).map(part), out);
                ui.checkbox(&mut is_on, name).changed()
            });
            if ticked.inner {
                let mut threads: Vec<String> = chosen.iter().filter(|other| *other != name).cloned().collect();
                threads.extend(is_on.then(|| name.clone()));
                out.send(Command::SetThreads(threads));
            }
        });
    });
}

fn labels_chip(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let chosen = &cx.app.view().filter.labels;
    let text = if chosen.is_empty() { "Labels: all".to_owned() } else { format!("Labels: {}", chosen.len()) };
    menu_button(ui, cx, (text, arrow(cx)), "Labels", |ui| {
        ui.set_min_width(280.0);
        let typed = typed_ui(ui, "labels", "Label");
        if ui.add_enabled(!chosen.is_empty(), egui::Button::new("All samples")).clicked() {
            out.send(Command::SetLabels(Vec::new()));
        }
        let Some(facets) = facets_of(ui, cx) else { return };
        for (key, rows) in &facets.labels {
            ui.separator();
            ui.label(RichText::new(key).font(fonts::strong()));
            let part = |value: &String| Part { labels: vec![(key.clone(), value.clone())], ..Part::WHOLE };
            // The empty value stands for samples without this label.
            let listed = rows.iter().filter(|row| contains(&row.name, &typed) || contains(key, &typed));
            list_ui(ui, cx, listed, |ui, row| {
                let value = &row.name;
                let label = (key.clone(), value.clone());
                let mut is_on = chosen.contains(&label);
                let words = if value.is_empty() { format!("(no {key})") } else { value.clone() };
                let ticked = ui.horizontal(|ui| {
                    shares_ui(ui, cx, row);
                    let ticked_others = chosen.iter().filter(|(other, text)| other == key && text != value).map(|(_, text)| text);
                    let others = rows.iter().map(|row| &row.name).filter(|other| !other.is_empty() && *other != value);
                    compare_ui(ui, &words, part(value), other_of(ticked_others, others).map(part), out);
                    drop_ui(ui, cx, (key, value), &words, out);
                    ui.checkbox(&mut is_on, &words).changed()
                });
                if ticked.inner {
                    let mut labels: Vec<(String, String)> = chosen.iter().filter(|other| **other != label).cloned().collect();
                    labels.extend(is_on.then_some(label));
                    out.send(Command::SetLabels(labels));
                }
            });
        }
    });
}

/// What stacks begin and end with: one key below the other, in the order in which they were ticked.
fn group_chip(ui: &mut Ui, cx: &Cx<'_>, profiles: &[Arc<Profile>], out: &mut Outbox) {
    let groups = cx.app.view().filter.groups();
    let is_grouped = !groups.is_empty();
    if !is_grouped && profiles.iter().all(|profile| profile.threads.len() < 2 && profile.label_sets.is_empty()) {
        return;
    }
    let chosen: Vec<String> = groups.roots.iter().cloned().chain(groups.leaves.iter().map(|key| format!("leaves by {key}"))).collect();
    let text = if is_grouped { format!("Group: {}", chosen.join(", ")) } else { "Group: none".to_owned() };
    menu_button(ui, cx, (text, arrow(cx)), "Group by", |ui| {
        ui.set_min_width(220.0);
        let known: Vec<String> = profiles.iter().flat_map(|profile| group::keys(profile)).collect();
        type GroupTo = fn(Vec<String>) -> Command;
        let ends = [
            ("Stacks begin with", "begin with", &groups.roots, Command::GroupBy as GroupTo),
            ("Stacks end with", "end with", &groups.leaves, Command::GroupLeaves as GroupTo),
        ];
        for (title, name, chosen, command) in ends {
            ui.label(RichText::new(title).font(fonts::strong()));
            let mut seen = BTreeSet::new();
            for key in known.iter().chain(chosen).filter(|key| seen.insert(*key)) {
                let mut is_on = chosen.contains(key);
                if ui.checkbox(&mut is_on, key).accessible_name(format!("{name} {key}")).changed() {
                    let mut groups: Vec<String> = chosen.iter().filter(|other| *other != key).cloned().collect();
                    groups.extend(is_on.then(|| key.clone()));
                    out.send(command(groups));
                }
            }
            ui.separator();
        }
        if ui.add_enabled(is_grouped, egui::Button::new("No groups")).clicked() {
            out.send(Command::GroupBy(Vec::new()));
            out.send(Command::GroupLeaves(Vec::new()));
        }
    });
}

/// A small button that drops the samples of a label, or takes them in again.
fn drop_ui(ui: &mut Ui, cx: &Cx<'_>, (key, value): (&str, &str), words: &str, out: &mut Outbox) {
    let filter = &cx.app.view().filter;
    // Samples without the label are dropped by asking for those with it.
    let is_without = value.is_empty();
    let (known, condition) =
        if is_without { (&filter.tag_focus, Tags::any_of(key)) } else { (&filter.tag_ignore, Tags::exactly(key, value)) };
    let is_dropped = known.contains(&condition);
    let hover = if is_dropped { format!("Take in samples with {words} again") } else { format!("Drop samples with {words}") };
    let button = egui::Button::new("−").small().selected(is_dropped);
    if ui.add(button).on_hover_text(&hover).accessible_name(hover).clicked() {
        let mut conditions: Vec<String> = known.iter().filter(|other| **other != condition).cloned().collect();
        conditions.extend((!is_dropped).then_some(condition));
        out.send(if is_without { Command::TagFocus(conditions) } else { Command::TagIgnore(conditions) });
    }
}

/// What a row of a list is compared with: the one other row that is ticked, else the one other that there is.
fn other_of<'a>(ticked: impl Iterator<Item = &'a String>, others: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let only = |mut rows: Box<dyn Iterator<Item = &'a String> + '_>| rows.next().filter(|_| rows.next().is_none());
    only(Box::new(ticked)).or_else(|| only(Box::new(others)))
}

/// A small button that compares the samples of a row with those of another; which, where it is not clear, is asked.
fn compare_ui(ui: &mut Ui, name: &str, part: Part, other: Option<Part>, out: &mut Outbox) {
    let hover = other.as_ref().map_or_else(|| format!("Compare {name} with…"), |other| format!("Compare {name} with {}", other.words()));
    if ui.small_button("⇄").on_hover_text(&hover).accessible_name(format!("Compare {name} with")).clicked() {
        out.send(match other {
            Some(other) => Command::CompareParts(Box::new([part, other])),
            None => Command::ChooseParts(Box::new([part, Part::WHOLE])),
        });
        ui.close();
    }
}

/// A field that narrows a list; gives what is typed.
fn typed_ui(ui: &mut Ui, list: &str, name: &str) -> String {
    let id = Id::unique("typed to narrow").with(list);
    let mut typed: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
    let field = TextEdit::singleline(&mut typed).hint_text("Type to narrow").desired_width(260.0);
    let field = ui.add(field).accessible_name(format!("{name} name"));
    if is_opening(ui, list) {
        field.request_focus();
    }
    if field.changed() {
        ui.data_mut(|data| data.insert_temp(id, typed.clone()));
    }
    typed
}

fn contains(text: &str, typed: &str) -> bool {
    text.to_lowercase().contains(&typed.trim().to_lowercase())
}

/// What the rows of the lists are; words in their place while they are added up.
fn facets_of<'a>(ui: &mut Ui, cx: &'a Cx<'_>) -> Option<&'a Facets> {
    let facets = cx.app.facets().ready();
    if facets.is_none() {
        ui.label(RichText::new("Adding up the samples…").color(cx.theme.muted));
    }
    facets.map(AsRef::as_ref)
}

/// How much a row holds, before its name: names are of any length.
fn shares_ui(ui: &mut Ui, cx: &Cx<'_>, row: &Facet) {
    let part = |share: &f64| if *share == 0.0 { "–".to_owned() } else { percent(*share) };
    // Padded, so that all of a list stand below each other: `0.0042 %` is the longest.
    let text = row.shares.iter().map(|share| format!("{:>8}", part(share))).collect::<Vec<_>>().join(" →");
    let hover = if row.shares.len() > 1 { "Part of all that each side recorded" } else { "Part of all that was recorded" };
    ui.label(RichText::new(text).font(fonts::table()).color(cx.theme.muted)).on_hover_text(hover);
}

fn list_ui<'a>(ui: &mut Ui, cx: &Cx<'_>, rows: impl Iterator<Item = &'a Facet>, mut row_ui: impl FnMut(&mut Ui, &Facet)) {
    let rows: Vec<&Facet> = rows.collect();
    ScrollArea::vertical().id_salt(ui.next_auto_id()).max_height(280.0).show(ui, |ui| {
        for row in rows.iter().take(ROWS) {
            row_ui(ui, row);
        }
        if rows.len() > ROWS {
            let more = counted((rows.len() - ROWS) as u64, "more; type to narrow", "more; type to narrow");
            ui.label(RichText::new(more).color(cx.theme.muted));
        }
    });
}

/// One kind of pattern.
struct Pattern {
    /// In the menu; in chips with a small letter.
    name: &'static str,
    /// What it does.
    hint: &'static str,
    of: fn(&Filter) -> Option<&str>,
    command: fn(String) -> Command,
}

/// All kinds, in the order of the menu and of chips.
const PATTERNS: [Pattern; 9] = [
    Pattern { name: "Focus", hint: "Keep samples with a matching frame", of: |filter| filter.focus.as_deref(), command: Command::Focus },
    Pattern { name: "Drop", hint: "Drop samples with a matching frame", of: |filter| filter.ignore.as_deref(), command: Command::Ignore },
    Pattern {
        name: "Begin",
        hint: "Stacks begin at a matching frame",
        of: |filter| filter.show_from.as_deref(),
        command: Command::ShowFrom,
    },
    Pattern { name: "Merge", hint: "Merge matching frames into callers", of: |filter| filter.hide.as_deref(), command: Command::Hide },
    Pattern {
        name: "Show only",
        hint: "Merge all other frames into callers",
        of: |filter| filter.show.as_deref(),
        command: Command::ShowOnly,
    },
    Pattern {
        name: "Collapse",
        hint: "Callees become self of matching frames",
        of: |filter| filter.collapse.as_deref(),
        command: Command::Collapse,
    },
    Pattern {
        name: "Prune from",
        hint: "Callees become self of the innermost match",
        of: |filter| filter.prune_from.as_deref(),
        command: Command::PruneFrom,
    },
    Pattern {
        name: "Recursion",
        hint: "One frame for a recursive function",
        of: |filter| filter.recursion.as_deref(),
        command: Command::CollapseRecursion,
    },
    Pattern {
        name: "Direct recursion",
        hint: "One frame where it calls itself at once",
        of: |filter| filter.direct_recursion.as_deref(),
        command: Command::CollapseDirectRecursion,
    },
];

fn add_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.set_min_width(300.0);
    let filter = &cx.app.view().filter;
    let mut first = is_opening(ui, "patterns");
    for Pattern { name, hint, of, command } in PATTERNS {
        let now = || of(filter).unwrap_or_default().to_owned();
        let field = typed_command_ui(ui, cx, (name, hint, &format!("{name}: {hint}")), now, out, |text| Ok(command(text.to_owned())));
        if std::mem::take(&mut first) {
            field.request_focus();
        }
    }
    if cx.app.profiles().iter().any(|profile| !profile.label_sets.is_empty()) {
        for (name, hint, conditions, command) in tag_kinds(filter) {
            tag_field_ui(ui, cx, (name, hint, conditions, command), out);
        }
    }
    if cx.app.has_times() && !cx.app.view().is_comparison() {
        time_field_ui(ui, cx, out);
    }
    for words in ["Patterns are regular expressions; Enter applies", "They act in the order merge, recursion, begin, collapse, prune"] {
        ui.add(egui::Label::new(RichText::new(words).font(fonts::small()).color(cx.theme.muted)).wrap());
    }
}

/// A field with its name before it, all of a menu below each other.
fn named_field_ui(ui: &mut Ui, name: &str, hint: &str, text: &mut String) -> egui::Response {
    const NAMES: f32 = 116.0;
    let row = ui.horizontal(|ui| {
        let start = ui.cursor().left();
        ui.label(RichText::new(name).font(fonts::strong()));
        ui.add_space((start + NAMES - ui.cursor().left()).max(0.0));
        ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(290.0))
    });
    row.inner
}

/// A kind of condition on labels: its name, what it does, those in effect, and the command that has them.
type TagKind<'a> = (&'static str, &'static str, &'a [String], fn(Vec<String>) -> Command);

fn tag_kinds(filter: &Filter) -> [TagKind<'_>; 2] {
    [
        ("Label", "Keep samples: endpoint=^/cart", &filter.tag_focus, Command::TagFocus),
        ("Drop label", "Drop samples: bytes=4kb:64kb", &filter.tag_ignore, Command::TagIgnore),
    ]
}

/// One more condition on labels, typed.
fn tag_field_ui(ui: &mut Ui, cx: &Cx<'_>, (name, hint, conditions, command): TagKind<'_>, out: &mut Outbox) {
    let accessible = format!("{name}: {hint}");
    typed_command_ui(ui, cx, (name, hint, &accessible), String::new, out, |text| {
        let text = text.trim();
        Tags::parse(text)?;
        let known = conditions.iter().filter(|other| *other != text).cloned();
        Ok(command(known.chain((!text.is_empty()).then(|| text.to_owned())).collect()))
    });
}

/// The range of time, typed: what the timeline does for the pointer.
fn time_field_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let now = || cx.app.view().filter.time.map(Span::text).unwrap_or_default();
    let names = ("Time", "1.2s..2.85s, since the first sample", "Time: only this range");
    typed_command_ui(ui, cx, names, now, out, |text| {
        let text = text.trim();
        let span = if text.is_empty() { Ok(None) } else { Span::parse(text).map(Some) };
        span.map(Command::SetTimeRange)
    });
}

/// A field whose text is a command once Enter is pressed, and why it is none as long as it is not. Its name, what it is to hold, and its name for those who
/// cannot see what stands above it; `now` is what it begins with.
fn typed_command_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    (name, hint, accessible): (&str, &str, &str),
    now: impl FnOnce() -> String,
    out: &mut Outbox,
    parse: impl FnOnce(&str) -> Result<Command, String>,
) -> egui::Response {
    let id = Id::unique("typed command").with(name);
    let mut text: String = ui.data(|data| data.get_temp(id)).unwrap_or_else(now);
    let field = named_field_ui(ui, name, hint, &mut text);
    if field.clone().accessible_name(accessible).changed() {
        ui.data_mut(|data| data.insert_temp(id, text.clone()));
    }
    match parse(&text) {
        Ok(command) if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) => {
            ui.data_mut(|data| data.remove::<String>(id));
            out.send(command);
            ui.close();
        }
        Ok(_) => {}
        Err(why) => drop(ui.label(RichText::new(why).font(fonts::small()).color(cx.theme.warning))),
    }
    field
}

/// Letters of a name in a chip.
const CHIP: usize = 34;

/// The names of one function, the first of several with how many more there are.
fn names_text(names: &[String]) -> String {
    let first = names.first().map(|name| short_name(name)).unwrap_or_default();
    match names.len() {
        0 | 1 => first,
        several => format!("{first} + {}", several - 1),
    }
}

/// A name without the path of its package, as boxes have it where there is room for no more.
fn short_name(name: &str) -> String {
    let named = names::without_hidden_class(name);
    let short = names::short(named.as_deref().unwrap_or(name), CHIP);
    // The path says little that the last package does not, also where it would fit.
    let end = short.find(['(', '[', '<', ' ']).unwrap_or(short.len());
    let is_path = !short.contains("::");
    let start = short.get(..end).and_then(|head| head.rfind('/')).filter(|_| is_path).map_or(0, |at| at + 1);
    short.get(start..).filter(|rest| !rest.is_empty()).map_or_else(|| short.clone(), str::to_owned)
}

/// A pattern between the signs of an expression.
fn delimited(pattern: &str) -> String {
    if pattern.starts_with('/') { pattern.to_owned() } else { format!("/{pattern}/") }
}

/// A pattern after the word for what it does. Of one that was made from a selection the name is what was chosen, and how it is matched
/// stands in the tooltip.
pub(super) fn pattern_text(word: &str, pattern: &str) -> String {
    let text = match names_of(pattern) {
        Some(names) => names_text(&names),
        None if is_everything(pattern) => "all".to_owned(),
        None => delimited(pattern),
    };
    if word.is_empty() { text } else { format!("{word}: {text}") }
}

/// A condition on labels in a chip; one that the list of labels made is said in its words.
fn tag_text(name: &str, condition: &str) -> String {
    let names = |values: &str| names_of(values).and_then(|names| <[String; 1]>::try_from(names).ok());
    let said = condition.split_once('=').and_then(|(key, values)| match values {
        "" => Some(format!("any {key}")),
        values => names(values).map(|[value]| format!("{key}: {value}")),
    });
    format!("{} {}", name.to_lowercase(), said.as_deref().unwrap_or(condition))
}

/// What is said where inlined frames are left out.
const NO_INLINES: &str = "no inlined frames";

/// The filters in effect as texts, for pictures.
pub(super) fn texts_of(filter: &Filter) -> Vec<String> {
    let patterns = PATTERNS.iter().filter_map(|kind| Some(pattern_text(&kind.name.to_lowercase(), (kind.of)(filter)?)));
    let tags = tag_kinds(filter).map(|(name, _, conditions, _)| conditions.iter().map(|text| tag_text(name, text)).collect::<Vec<_>>());
    let inlines = filter.no_inlines.then(|| NO_INLINES.to_owned());
    patterns.chain(filter.subtree.last().map(|last| pattern_text("subtree", last))).chain(tags.concat()).chain(inlines).collect()
}

/// The filters in effect, each removed by a click.
fn active_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let filter = &cx.app.view().filter;
    for Pattern { name, hint, of, command } in PATTERNS {
        let Some(pattern) = of(filter) else { continue };
        if filter_chip(ui, cx, &pattern_text(&name.to_lowercase(), pattern), &format!("{hint}: {}", delimited(pattern))) {
            out.send(command(String::new()));
        }
    }
    if let Some(last) = filter.subtree.last() {
        let path: Vec<String> = filter.subtree.iter().map(|pattern| pattern_text("", pattern)).collect();
        if filter_chip(ui, cx, &pattern_text("subtree", last), &format!("Only samples on this path: {}", path.join(" › "))) {
            out.send(Command::FocusSubtree(Vec::new()));
        }
    }
    if !filter.threads.is_empty() && filter_chip(ui, cx, &format!("threads: {}", filter.threads.join(", ")), "Only these threads") {
        out.send(Command::SetThreads(Vec::new()));
    }
    for label in &filter.labels {
        let (key, value) = label;
        let text = if value.is_empty() { format!("no {key}") } else { format!("{key}: {value}") };
        if filter_chip(ui, cx, &text, "Only samples with this label") {
            out.send(Command::SetLabels(filter.labels.iter().filter(|other| *other != label).cloned().collect()));
        }
    }
    for (name, _, conditions, command) in tag_kinds(filter) {
        for condition in conditions {
            if filter_chip(ui, cx, &tag_text(name, condition), "Labels are looked at as pprof's tagfocus and tagignore do") {
                out.send(command(conditions.iter().filter(|other| *other != condition).cloned().collect()));
            }
        }
    }
    if filter.no_inlines && filter_chip(ui, cx, NO_INLINES, "Functions that the compiler put into their callers are part of these") {
        out.send(Command::NoInlines(false));
    }
    if let Some(span) = filter.time {
        let hint = "Only samples of this time, counted from the first one; drag over the timeline for another";
        if filter_chip(ui, cx, &format!("time {}", span.words()), hint) {
            out.send(Command::SetTimeRange(None));
        }
    }
    if !filter.is_empty() {
        let text = if filter.of_filtered { "% of filtered" } else { "% of all" };
        let button =
            egui::Button::new(RichText::new(text).color(cx.theme.muted)).fill(egui::Color32::TRANSPARENT).stroke(egui::Stroke::NONE);
        let hint = "What percentages are of: all that was recorded, or what the filters leave (P)";
        if ui.add(button).on_hover_text(hint).accessible_name("What percentages are of").clicked() {
            out.send(Command::RelativePercentages(!filter.of_filtered));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_the_list_of_labels_are_said_in_its_words() {
        let text = |condition: &str| tag_text("Drop label", condition);
        assert_eq!(text(&Tags::exactly("endpoint", "/a.b")), "drop label endpoint: /a.b");
        assert_eq!(text(&Tags::any_of("endpoint")), "drop label any endpoint");
        assert_eq!(text("bytes=4kb:"), "drop label bytes=4kb:");
        assert_eq!(text("endpoint=^(a|b)$"), "drop label endpoint=^(a|b)$");
    }

    #[test]
    fn a_pattern_of_a_selection_is_shown_as_its_name() {
        let shown = |pattern: &str| names_of(pattern).map(|names| names_text(&names));
        let go = format!("^{}$", regex::escape("orders/internal/pricing.(*Engine).Discount"));
        assert_eq!(shown(&go).as_deref(), Some("pricing.(*Engine).Discount"));
        let c = format!("^{}$", regex::escape("std::vector<int, 2>::at(int) const"));
        assert_eq!(shown(&c).as_deref(), Some("std::vector<int, 2>::at(int) const"));
        let java = format!("^{}$", regex::escape("a.M$$Lambda/0x000001e2f4001000.run"));
        assert_eq!(shown(&java).as_deref(), Some("a.M$$Lambda.run"), "a hidden class has no path");
        let both = format!("^({}|{})$", regex::escape("a/b.New"), regex::escape("a/b.Old"));
        assert_eq!(shown(&both).as_deref(), Some("b.New + 1"));
        assert_eq!(shown(&format!("^{}$", regex::escape("(inlined) f(a|b)"))).as_deref(), Some("(inlined) f(a|b)"));
        for typed in ["pricing", "^json", "^json.*$", "^a.b$", "^\\d$", "^(a|.*)$", "^$", "^a\\$"] {
            assert_eq!(shown(typed), None, "{typed}");
        }
    }
}
