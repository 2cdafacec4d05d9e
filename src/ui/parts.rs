//! The dialog that chooses which parts of captures are compared: two lines, each written by hand or taken from a list.
//!
//! Deliberately absent: what a part is, see [`Part`].

use std::sync::Arc;

use egui::{Button, Id, Key, RichText, TextEdit, TextWrapMode, Ui, vec2};

use super::cx::{Cx, Outbox};
use super::dialogs;
use super::memory::{self, Kept};
use super::theme::{fonts, size};
use crate::analysis::filter::{texts, thread_label};
use crate::analysis::part::{Part, Span};
use crate::app::Command;
use crate::app::view::Side;
use crate::model::Profile;

/// Most threads or values of one label that a list shows; the rest is written by hand.
const LISTED: usize = 60;

/// Names the text of a side.
fn text_id(side: usize) -> Id {
    Id::unique("part of a side").with(side)
}

/// Half-typed text does not outlive the dialog.
pub(super) fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| (0..2).for_each(|side| data.remove::<String>(text_id(side))));
}

/// Draws the dialog, which begins with these parts.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, proposal: &[Part; 2], out: &mut Outbox) {
    ui.set_width(620.0);
    let (Some(before), Some(after)) = (cx.app.first_of(Side::Before), cx.app.first_of(Side::After)) else { return };
    let mut parts = Vec::new();
    let sides = [("Before", cx.theme.before, before), ("After", cx.theme.after, after)];
    for (side, ((name, color, profile), proposal)) in sides.into_iter().zip(proposal).enumerate() {
        let mut text: String = ui.data(|data| data.get_temp(text_id(side))).unwrap_or_else(|| proposal.line());
        let old = text.clone();
        ui.horizontal(|ui| {
            ui.add_sized(vec2(52.0, 20.0), egui::Label::new(RichText::new(name).font(fonts::strong()).color(color)));
            let field = TextEdit::singleline(&mut text).font(fonts::table()).hint_text("the whole capture").desired_width(440.0);
            ui.add(field).accessible_name(format!("Part {}", name.to_lowercase()));
            choices_ui(ui, cx, name, profile, &mut text);
        });
        if text != old {
            ui.data_mut(|data| data.insert_temp(text_id(side), text.clone()));
        }
        let checked = checked(ui, side, &text, profile);
        let words = match &*checked {
            Ok(_) => RichText::new(" ").font(fonts::small()),
            Err(why) => RichText::new(why).font(fonts::small()).color(cx.theme.warning),
        };
        ui.horizontal_wrapped(|ui| {
            ui.add_space(size::PAD);
            ui.label(words);
        });
        parts.push(checked);
    }
    let help = "time=0s..10s since the first sample, thread=NAME, label=KEY:VALUE, focus=REGEX, ignore=REGEX; several with ; between them";
    ui.add(egui::Label::new(RichText::new(help).font(fonts::small()).color(cx.theme.muted)).wrap());
    ui.add_space(size::PAD);
    let chosen =
        parts.first().zip(parts.last()).and_then(|(before, after)| before.as_ref().as_ref().ok().zip(after.as_ref().as_ref().ok()));
    let is_same = Arc::ptr_eq(before, after);
    let can = chosen.filter(|(before, after)| !is_same || before != after);
    let entered = ui.input(|input| input.key_pressed(Key::Enter));
    if (ui.add_enabled(can.is_some(), dialogs::primary(cx, "Compare")).clicked() || entered)
        && let Some((before, after)) = can
    {
        out.send(Command::CloseDialog);
        out.send(Command::CompareParts(Box::new([before.clone(), after.clone()])));
    }
}

/// The part that a text means, or why there is none in this capture; made anew when the text changes.
fn checked(ui: &Ui, side: usize, text: &str, profile: &Arc<Profile>) -> Arc<Result<Part, String>> {
    let name = if side == 0 { "part before" } else { "part after" };
    memory::keep(ui, name, memory::key(&(text, Arc::as_ptr(profile).addr())), || {
        let part = Part::parse_line(text).and_then(|part| part.filter(profile).map(|_| part));
        Kept::new(part, Arc::clone(profile))
    })
}

/// What a capture offers: halves and quarters of its time, threads, values of labels.
struct Offer {
    spans: Vec<Part>,
    threads: Vec<Part>,
    labels: Vec<(String, Vec<Part>)>,
}

impl Offer {
    fn of(profile: &Profile) -> Self {
        let thread = |id| Part { threads: vec![thread_label(profile, id)], ..Part::WHOLE };
        let mut threads: Vec<Part> = profile.threads.ids().map(thread).collect();
        threads.sort_by(|a, b| a.threads.cmp(&b.threads));
        threads.dedup();
        let mut labels: std::collections::BTreeMap<String, std::collections::BTreeSet<String>> = std::collections::BTreeMap::new();
        for (key, value) in profile.label_sets.iter().flat_map(|set| texts(profile, set)) {
            labels.entry(key).or_default().insert(value);
        }
        let label = |key: &String, value| Part { labels: vec![(key.clone(), value)], ..Part::WHOLE };
        let labels = labels.into_iter().map(|(key, values)| {
            let values = values.into_iter().chain([String::new()]).map(|value| label(&key, value)).collect();
            (key, values)
        });
        Self { spans: spans(profile), threads: if threads.len() > 1 { threads } else { Vec::new() }, labels: labels.collect() }
    }
}

/// Halves and quarters.
fn spans(profile: &Profile) -> Vec<Part> {
    let Some((first, last)) = profile.samples.time_range() else { return Vec::new() };
    let whole = last.saturating_sub(first);
    let cut = |part: i64, of: i64| if part == of { None } else { Some(whole / of * part) };
    let spans = [(0, 1, 2), (1, 2, 2), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 4, 4)];
    let span = |(from, to, of)| Part::of_time(Span::new(cut(from, of), cut(to, of)));
    if whole > 0 { spans.map(span).to_vec() } else { Vec::new() }
}

fn choices_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, profile: &Arc<Profile>, text: &mut String) {
    let offer =
        memory::keep(ui, if name == "Before" { "offer before" } else { "offer after" }, memory::key(&Arc::as_ptr(profile).addr()), || {
            Kept::new(Offer::of(profile), Arc::clone(profile))
        });
    let arrow = RichText::new("▾").color(cx.theme.muted);
    let button = Button::new(("Choose", arrow)).fill(cx.theme.raised).wrap_mode(TextWrapMode::Extend);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        ui.set_min_width(220.0);
        egui::ScrollArea::vertical().max_height(360.0).show(ui, |ui| {
            let mut list = |ui: &mut Ui, head: &str, parts: &[Part]| {
                if parts.is_empty() {
                    return;
                }
                ui.label(RichText::new(head).font(fonts::small()).color(cx.theme.muted));
                for part in parts.iter().take(LISTED) {
                    if ui.add(Button::new(part.words()).wrap_mode(TextWrapMode::Extend)).clicked() {
                        *text = part.line();
                        ui.close();
                    }
                }
            };
            list(ui, "Time", &offer.spans);
            for (key, values) in &offer.labels {
                list(ui, key, values);
            }
            list(ui, "Threads", &offer.threads);
            if ui.button("The whole capture").clicked() {
                text.clear();
                ui.close();
            }
        });
    });
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Choose part {}", name.to_lowercase())));
}
