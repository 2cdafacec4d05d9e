//! The open captures, and where those shown come from: facts, sample types, labels, and what was lost; side by side, differing rows marked.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};

use super::captures;
use crate::analysis::filter::texts;
use crate::app::view::Side;
use crate::app::{Capture, Command, FolderList};
use crate::model::{Profile, Unit, base_name, counted, grouped, human, human_duration};
use crate::report::remarks::is_remark;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::{fonts, size};
use crate::ui::words::date;

/// Most values of a label key that are named.
const VALUES: usize = 6;

/// Most modules without symbols that are listed per capture.
const UNNAMED: usize = 20;

/// Widths of the columns for the reason and, where there is room, for the advice, in points.
const WHY_WIDTH: f32 = 240.0;
const FIX_WIDTH: f32 = 420.0;
/// Longest line of a note in points.
const NOTE_WIDTH: f32 = 900.0;

/// One row: what it is, and its text for each capture.
type Row = (String, Vec<String>);

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let view = cx.app.view();
    let loaded: Vec<(&Capture, &Arc<Profile>)> = view
        .captures()
        .into_iter()
        .filter_map(|id| {
            let capture = cx.app.capture(id)?;
            Some((capture, capture.profile()?))
        })
        .collect();
    if loaded.is_empty() {
        return;
    }
    let shown: Vec<(&Capture, &Profile)> = loaded.iter().map(|(capture, profile)| (*capture, profile.as_ref())).collect();
    // These go through all samples, too much for every frame.
    let sources: Vec<Arc<Profile>> = loaded.iter().map(|(_, profile)| Arc::clone(profile)).collect();
    let key = memory::key(&sources.iter().map(|profile| Arc::as_ptr(profile).addr()).collect::<Vec<_>>());
    let sums = memory::keep(ui, "sums of the captures", key, || {
        let profiles: Vec<&Profile> = sources.iter().map(AsRef::as_ref).collect();
        let nameless: Vec<usize> = profiles.iter().map(|profile| nameless(profile)).collect();
        let made = (sample_types(&profiles), labels(&profiles), nameless);
        Kept::new(made, sources.clone())
    });
    ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        egui::Frame::new().inner_margin(size::PAD * 1.5).show(ui, |ui| {
            ui.style_mut().interaction.selectable_labels = true;
            // Rows of text, not of buttons.
            ui.spacing_mut().interact_size.y = 16.0;
            captures::ui(ui, cx, out);
            table_ui(ui, cx, "Capture", &facts(cx, &shown, &sums.2));
            table_ui(ui, cx, "Sample types", &sums.0);
            table_ui(ui, cx, "Labels", &sums.1);
            unnamed_ui(ui, cx, &shown, out);
            notes_ui(ui, cx, &shown);
        });
    });
}

fn table_ui(ui: &mut Ui, cx: &Cx<'_>, title: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let columns = rows.first().map_or(1, |(_, texts)| texts.len());
    let width = ((ui.available_width() - 220.0) / columns as f32).clamp(160.0, 640.0);
    let sides = columns_of(cx);
    ui.label(RichText::new(title).font(fonts::strong()));
    egui::Grid::new(title).num_columns(columns + 2).min_col_width(12.0).spacing([12.0, 3.0]).show(ui, |ui| {
        if cx.app.view().is_comparison() {
            ui.label("");
            ui.label("");
            for (at, (_, color)) in sides.iter().enumerate() {
                let before = sides.iter().filter(|(side, _)| *side == Side::Before).count();
                let (word, number, of) = if at < before { ("Before", at, before) } else { ("After", at - before, sides.len() - before) };
                let text = if of > 1 { format!("{word} {}", number + 1) } else { word.to_owned() };
                ui.label(RichText::new(text).font(fonts::small()).color(*color));
            }
            ui.end_row();
        }
        for (name, texts) in rows {
            let differs = texts.iter().any(|text| Some(text) != texts.first());
            // Beside the first of several lines, where reading begins.
            ui.vertical(|ui| {
                let mark = RichText::new(if differs { "≠" } else { " " }).color(cx.theme.warning);
                ui.add(egui::Label::new(mark).extend()).on_hover_text_at_pointer("differs");
            });
            ui.vertical(|ui| ui.add(egui::Label::new(RichText::new(name).color(cx.theme.muted)).extend()));
            for text in texts {
                ui.scope(|ui| {
                    ui.set_max_width(width);
                    let text = if text.is_empty() { RichText::new("–").color(cx.theme.muted) } else { RichText::new(text) };
                    ui.add(egui::Label::new(text.font(fonts::table())).wrap());
                });
            }
            ui.end_row();
        }
    });
    ui.add_space(size::PAD * 2.0);
}

/// Frames without a name.
fn nameless(profile: &Profile) -> usize {
    profile.frames.iter().filter(|frame| frame.function.is_none()).count()
}

fn facts(cx: &Cx<'_>, shown: &[(&Capture, &Profile)], nameless: &[usize]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    rows.push(("file".to_owned(), shown.iter().map(|(capture, _)| cx.app.name_of(capture)).collect()));
    let parts = &cx.app.view().parts;
    if cx.app.view().is_comparison() && parts.iter().any(|part| !part.is_whole()) {
        let lines = columns_of(cx).into_iter().map(|(side, _)| parts[side as usize].line());
        rows.push(("compared part".to_owned(), lines.collect()));
    }
    let mut row = |name: &str, text: &dyn Fn(&Capture, &Profile) -> String| {
        let texts: Vec<String> = shown.iter().map(|(capture, profile)| text(capture, profile)).collect();
        if texts.iter().any(|text| !text.is_empty()) {
            rows.push((name.to_owned(), texts));
        }
    };
    if !cx.is_test {
        row("folder", &|capture, _| {
            let path = std::path::absolute(&capture.path).unwrap_or_else(|_| capture.path.clone());
            path.parent().map(|folder| folder.display().to_string()).unwrap_or_default()
        });
        row("started", &|_, profile| profile.info.start_unix_nanos.map(date).unwrap_or_default());
    }
    row("format", &|_, profile| profile.info.format.clone());
    row("compression", &|_, profile| profile.info.container.name().to_owned());
    row("size", &|capture, _| {
        let bytes = capture.on_disk.bytes;
        if bytes > 0 { human(bytes as f64, "bytes") } else { String::new() }
    });
    row("length", &|_, profile| profile.info.duration_nanos.map(human_duration).unwrap_or_default());
    row("period", &|_, profile| {
        let period = profile.info.period.as_ref();
        period.map(|(kind, unit, every)| format!("{kind}: every {}", human(*every as f64, unit))).unwrap_or_default()
    });
    row("sample records", &|_, profile| grouped(profile.samples.len() as u64));
    row("call paths", &|_, profile| grouped(profile.stacks.len() as u64));
    row("functions", &|_, profile| grouped(profile.functions.len() as u64));
    row("frames without a name", &|capture, _| {
        let at = shown.iter().position(|(other, _)| other.id == capture.id);
        let nameless = at.and_then(|at| nameless.get(at)).copied().unwrap_or(0);
        if nameless > 0 { grouped(nameless as u64) } else { String::new() }
    });
    row("threads", &|_, profile| if profile.threads.is_empty() { String::new() } else { grouped(profile.threads.len() as u64) });
    row("frames dropped", &|_, profile| profile.info.drop_frames.clone().unwrap_or_default());
    row("without those", &|capture, _| {
        let at = shown.iter().position(|(other, _)| other.id == capture.id);
        let shape = cx.app.table().ready().map(|comparison| &comparison.shape);
        let samples = at.zip(shape).and_then(|(at, shape)| shape.dropped_samples.get(at)).copied().unwrap_or(0);
        if samples > 0 { counted(samples, "sample record", "sample records") } else { String::new() }
    });
    row("frames kept", &|_, profile| profile.info.keep_frames.clone().unwrap_or_default());
    row("page", &|_, profile| profile.info.page().unwrap_or_default().to_owned());
    row("comments", &|_, profile| {
        let comments = profile.info.comments.iter().filter(|comment| !is_remark(comment));
        comments.map(String::as_str).collect::<Vec<_>>().join("\n")
    });
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in shown.iter().flat_map(|(_, profile)| &profile.info.facts) {
        if !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    for key in keys {
        // A key may stand several times: perf names each event.
        row(key, &|_, profile| {
            let facts = profile.info.facts.iter().filter(|(name, _)| name == key);
            facts.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
        });
    }
    rows
}

fn sample_types(profiles: &[&Profile]) -> Vec<Row> {
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for kind in profiles.iter().flat_map(|profile| &profile.sample_types) {
        let kind = (kind.name.as_str(), kind.unit.as_str());
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let text = |profile: &Profile, (name, unit): (&str, &str)| {
        let at = profile.sample_types.iter().position(|kind| kind.name == name && kind.unit == unit)?;
        let kind = profile.sample_types.get(at)?;
        let total = match u64::try_from(profile.total(at)) {
            Ok(count) if kind.decimals == 0 && Unit::parse(unit) == Unit::Count => grouped(count),
            _ => human(kind.in_unit(profile.total(at) as f64), unit),
        };
        // Each record has all sample types of a pprof file, and one of those of a perf capture with several events.
        let of_all = kind.records == profile.samples.len() as u64;
        Some(if of_all { total } else { format!("{total} in {}", counted(kind.records, "record", "records")) })
    };
    let row = |kind: (&str, &str)| {
        let texts = profiles.iter().map(|profile| text(profile, kind).unwrap_or_default()).collect();
        (format!("{} / {}", kind.0, kind.1), texts)
    };
    kinds.into_iter().map(row).collect()
}

fn labels(profiles: &[&Profile]) -> Vec<Row> {
    let mut keys: BTreeMap<String, Vec<BTreeMap<String, u64>>> = BTreeMap::new();
    for (at, profile) in profiles.iter().enumerate() {
        let mut counts = vec![0_u64; profile.label_sets.len()];
        for set in profile.samples.labels().iter().flatten() {
            if let Some(count) = counts.get_mut(set.row()) {
                *count += 1;
            }
        }
        for (set, count) in profile.label_sets.iter().zip(counts) {
            for (key, value) in texts(profile, set) {
                let sides = keys.entry(key).or_insert_with(|| vec![BTreeMap::new(); profiles.len()]);
                if let Some(side) = sides.get_mut(at) {
                    *side.entry(value).or_default() += count;
                }
            }
        }
    }
    keys.into_iter().map(|(key, sides)| (key, sides.iter().map(values_text).collect())).collect()
}

/// The most frequent values with their samples.
fn values_text(values: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, &u64)> = values.iter().collect();
    sorted.sort_by_key(|(value, count)| (std::cmp::Reverse(**count), value.as_str()));
    let mut texts: Vec<String> =
        sorted.iter().take(VALUES).map(|(value, count)| format!("{value} ({})", counted(**count, "record", "records"))).collect();
    if sorted.len() > VALUES {
        texts.push(format!("{} more", grouped((sorted.len() - VALUES) as u64)));
    }
    texts.join("\n")
}

/// Modules without symbols, and what would help.
fn unnamed_ui(ui: &mut Ui, cx: &Cx<'_>, shown: &[(&Capture, &Profile)], out: &mut Outbox) {
    if shown.iter().all(|(_, profile)| profile.info.unnamed.is_empty()) {
        return;
    }
    ui.label(RichText::new("Without symbols").font(fonts::strong()));
    let right = ui.max_rect().right();
    egui::Grid::new("without symbols").num_columns(6).spacing([12.0, 3.0]).show(ui, |ui| {
        for head in ["", "module", "samples", "addresses", "why", "what would help"] {
            ui.label(RichText::new(head).font(fonts::small()).color(cx.theme.muted));
        }
        ui.end_row();
        for (at, (_, profile)) in shown.iter().enumerate() {
            let (mark, color) = side_mark(cx, at);
            for row in profile.info.unnamed.iter().take(UNNAMED) {
                ui.label(RichText::new(mark).color(color));
                let module = ui.label(RichText::new(base_name(&row.module)).font(fonts::table()));
                module.on_hover_text(format!("{}\n{}", row.module, row.build_id.as_deref().unwrap_or("no build id")));
                for count in [row.samples, row.addresses] {
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        ui.label(RichText::new(grouped(count)).font(fonts::table()));
                    });
                }
                ui.scope(|ui| {
                    ui.set_max_width(WHY_WIDTH);
                    ui.add(egui::Label::new(&row.why).wrap());
                });
                rest_ui(ui, right, FIX_WIDTH, RichText::new(&row.fix).color(cx.theme.muted));
                ui.end_row();
            }
            if profile.info.unnamed.len() > UNNAMED {
                ui.label(RichText::new(mark).color(color));
                ui.label(RichText::new(format!("{} more", grouped((profile.info.unnamed.len() - UNNAMED) as u64))).color(cx.theme.muted));
                ui.end_row();
            }
        }
    });
    if ui.button("Say where binaries are…").clicked() {
        out.send(Command::EditFolders(FolderList::Symbols, String::new()));
    }
    ui.add_space(size::PAD * 2.0);
}

/// The text of a row's last column, in lines that end with the window, at most `most` points long.
fn rest_ui(ui: &mut Ui, right: f32, most: f32, text: RichText) {
    ui.scope(|ui| {
        ui.set_max_width((right - ui.next_widget_position().x).clamp(WHY_WIDTH, most));
        ui.add(egui::Label::new(text).wrap());
    });
}

/// Side and colour of each capture shown.
fn columns_of(cx: &Cx<'_>) -> Vec<(Side, egui::Color32)> {
    let colors = [cx.theme.before, cx.theme.after];
    let of = |side: Side| cx.app.view().side(side).into_iter().map(move |_| (side, colors[side as usize]));
    Side::BOTH.into_iter().flat_map(of).collect()
}

/// Letter and colour of a capture's side.
fn side_mark(cx: &Cx<'_>, at: usize) -> (&'static str, egui::Color32) {
    match columns_of(cx).get(at) {
        Some((Side::Before, color)) => ("B", *color),
        Some((Side::After, color)) if cx.app.view().is_comparison() => ("A", *color),
        _ => (" ", cx.theme.muted),
    }
}

fn notes_ui(ui: &mut Ui, cx: &Cx<'_>, shown: &[(&Capture, &Profile)]) {
    ui.label(RichText::new("Import report").font(fonts::strong()));
    for (capture, profile) in shown {
        let tally = profile.info.tally;
        let records = counted(tally.samples, "sample record", "sample records");
        let name = if shown.len() > 1 { format!("{}: ", cx.app.name_of(capture)) } else { String::new() };
        // Of few formats: times off the processor, which perf's context switches say.
        let made = if tally.made == 0 {
            String::new()
        } else {
            format!("; {} from other records beside them", counted(tally.made, "row made", "rows made"))
        };
        ui.label(format!("{name}{records} in the file = {} used + {} skipped{made}", grouped(tally.used), grouped(tally.skipped)));
    }
    if shown.iter().all(|(_, profile)| profile.notes.is_empty()) {
        ui.label(RichText::new("Everything in the file was understood; nothing was lost or guessed").color(cx.theme.muted));
        return;
    }
    let right = ui.max_rect().right();
    egui::Grid::new("notes").num_columns(5).spacing([12.0, 3.0]).show(ui, |ui| {
        for head in ["", "kind", "count", "first at byte", "what"] {
            ui.label(RichText::new(head).font(fonts::small()).color(cx.theme.muted));
        }
        ui.end_row();
        for (at, (_, profile)) in shown.iter().enumerate() {
            let (mark, color) = side_mark(cx, at);
            for note in profile.notes.iter() {
                ui.label(RichText::new(mark).color(color));
                ui.label(RichText::new(note.kind).font(fonts::table()).color(cx.theme.warning));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.label(RichText::new(grouped(note.count)).font(fonts::table()));
                });
                let offset = note.first_offset.map_or_else(|| "–".to_owned(), |offset| format!("{offset:#x}"));
                ui.label(RichText::new(offset).font(fonts::table()));
                rest_ui(ui, right, NOTE_WIDTH, RichText::new(&note.text));
                ui.end_row();
            }
        }
    });
}
