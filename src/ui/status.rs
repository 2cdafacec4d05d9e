//! The status line: how much there is, what was lost, what 100 % is, and the jobs that run.

use egui::accesskit::Role;
use egui::{Align, Layout, RichText, Sense, Ui, WidgetInfo, vec2};

use super::cx::{Cx, Outbox};
use super::panels::flame::shown_part;
use super::theme::{fonts, size};
use crate::analysis::comparison::{Comparison, Normalization, Side};
use crate::app::Command;
use crate::app::view::Tab;
use crate::base::jobs::Running;
use crate::base::ticket::Progress;
use crate::model::{Profile, counted, grouped, human, human_duration};

/// Jobs younger than this are not shown: they would only flicker.
const QUIET_SECONDS: f32 = 0.1;

/// Draws the line.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ui.style_mut().override_font_id = Some(fonts::small());
    ui.spacing_mut().interact_size.y = 18.0;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        jobs_ui(ui, cx, out);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| facts_ui(ui, cx, out));
    });
}

fn facts_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let profiles = cx.app.profiles();
    if profiles.is_empty() {
        if cx.app.running().is_empty() {
            ui.label(muted(cx, "Nothing is shown"));
        }
        return;
    }
    let made = cx.app.shown_comparison().map_or(&[][..], |(comparison, _)| comparison.sides.as_slice());
    let sides = cx.app.view().sides();
    let mut rest = profiles.as_slice();
    for (at, ids) in sides.iter().enumerate() {
        let Some((own, others)) = rest.split_at_checked(ids.len()) else { break };
        rest = others;
        if sides.len() > 1 {
            let (mark, color) = if at == 0 { ("B", cx.theme.before) } else { ("A", cx.theme.after) };
            ui.label(RichText::new(mark).color(color));
        }
        let text = match (own, made.get(at).filter(|side| side.captures.len() == own.len())) {
            ([_], Some(side)) => part_text(side),
            ([only], None) => size_text(only),
            (several, Some(side)) => format!("{}, {}", counted(several.len() as u64, "capture", "captures"), part_text(side)),
            (several, None) => counted(several.len() as u64, "capture", "captures"),
        };
        ui.label(text);
    }
    let notes: usize = profiles.iter().map(|profile| profile.notes.len()).sum();
    if notes > 0 {
        ui.separator();
        let text = RichText::new(format!("⚠ {}", counted(notes as u64, "note", "notes"))).color(cx.theme.warning);
        let hover = "What was lost or guessed while reading; shown under Capture info";
        if ui.add(egui::Button::new(text).frame(false)).on_hover_text(hover).clicked() {
            out.send(Command::SetTab(Tab::Info));
        }
    }
    let missed = cx.app.missed_failures();
    if missed > 0 {
        ui.separator();
        let text = RichText::new(format!("⚠ {}", counted(missed as u64, "failure", "failures"))).color(cx.theme.error);
        if ui.add(egui::Button::new(text).frame(false)).on_hover_text("What failed; shown under Last messages").clicked() {
            out.send(Command::Messages);
        }
    }
    if let Some((comparison, _)) = cx.app.shown_comparison() {
        ui.separator();
        let mut text = whole_text(comparison).map_or_else(String::new, |whole| format!("{whole}, ")) + &comparison.denominator_text();
        if let Some(part) = shown_part(cx, comparison) {
            text = format!("{text}; {part}");
        }
        ui.add(egui::Label::new(muted(cx, &text)).truncate()).on_hover_text("What the shown numbers are a part of");
    }
}

/// `100 % = 222 ms/s → 348 ms/s`: what each side has as a whole, where the columns of a comparison are no shares of it.
fn whole_text(comparison: &Comparison) -> Option<String> {
    let (before, after) = comparison.pair().filter(|_| *comparison.effective_normalization() != Normalization::Share)?;
    let [before, after] = [before, after].map(|side| comparison.text(side.denominator() * comparison.factor(side)));
    let what = if comparison.of_filtered { " that the filters leave" } else { "" };
    Some(format!("100 % = {before} → {after}{what}"))
}

/// `3,000 sample records, 30.0 s`: what the file holds, while nothing is made of it yet.
fn size_text(profile: &Profile) -> String {
    let samples = counted(profile.samples.len() as u64, "sample record", "sample records");
    match profile.info.duration_nanos {
        Some(nanos) if nanos > 0 => format!("{samples}, {}", human_duration(nanos)),
        _ => samples,
    }
}

/// The records of a side that count for the sample type, and its time.
fn part_text(side: &Side) -> String {
    let samples = counted(side.measured.iter().map(|measured| measured.records).sum(), "sample record", "sample records");
    side.duration_nanos.map_or_else(|| samples.clone(), |nanos| format!("{samples}, {}", human_duration(nanos)))
}

fn jobs_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let shown = |job: &&Running| !cx.is_test && job.age().as_secs_f32() >= QUIET_SECONDS;
    let jobs: Vec<&Running> = cx.app.running().iter().filter(shown).collect();
    if !cx.is_test && !cx.app.running().is_empty() {
        ui.ctx().request_repaint_after_secs(QUIET_SECONDS);
    }
    let Some(job) = jobs.first() else { return };
    if ui.small_button("✕").on_hover_text("Stop this").accessible_name(format!("Stop {}", job.name)).clicked() {
        out.send(Command::CancelJob(job.id.number()));
    }
    let progress = job.progress();
    progress_bar_ui(ui, cx, &progress, 140.0);
    ui.label(muted(cx, &work_text(job)));
    ui.label(&job.name);
    if jobs.len() > 1 {
        ui.label(muted(cx, &format!("+{}", grouped(jobs.len() as u64 - 1)))).on_hover_ui(|ui| {
            for job in jobs.iter().skip(1) {
                ui.label(&job.name);
            }
        });
    }
}

/// A bar of a job; without a known end it is empty and says nothing false.
pub(super) fn progress_bar_ui(ui: &mut Ui, cx: &Cx<'_>, progress: &Progress, width: f32) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, size::PAD), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, size::PAD / 2.0, cx.theme.hover);
    let done = progress.fraction().unwrap_or(0.0);
    // Cut off and not rounded at its end: nothing done is nothing seen.
    let part = rect.with_max_x(egui::lerp(rect.x_range(), done));
    painter.with_clip_rect(part.intersect(painter.clip_rect())).rect_filled(rect, size::PAD / 2.0, cx.theme.accent);
    response.widget_info(|| WidgetInfo {
        value: progress.fraction().map(f64::from),
        ..WidgetInfo::labeled(Role::ProgressIndicator, true, "Progress")
    });
}

/// `decoding, 12 MiB of 80 MiB`; work that is not counted in bytes shows percent.
fn progress_text(progress: &Progress) -> String {
    let bytes = |count: u64| human(count as f64, "bytes");
    // Reading counts bytes; everything else counts rows, which nobody wants to see.
    let is_bytes = matches!(progress.stage, "reading" | "inflating" | "decoding" | "scanning");
    let stage = if progress.stage.is_empty() { String::new() } else { format!("{}, ", progress.stage) };
    match (progress.fraction(), is_bytes) {
        (Some(_), true) => format!("{stage}{} of {}", bytes(progress.done.min(progress.total)), bytes(progress.total)),
        (Some(part), false) => format!("{stage}{:.0} %", part * 100.0),
        (None, true) if progress.done > 0 => format!("{stage}{}", bytes(progress.done)),
        (None, _) => progress.stage.to_owned(),
    }
}

/// The same of a running job; where nobody knows its end, how long it has been going on tells that it lives.
pub(super) fn work_text(job: &Running) -> String {
    /// Shorter work needs no clock.
    const SECONDS: u64 = 2;
    let (progress, seconds) = (job.progress(), job.age().as_secs());
    let text = progress_text(&progress);
    if progress.fraction().is_some() || seconds < SECONDS {
        return text;
    }
    format!("{text}{}{seconds} s", if text.is_empty() { "" } else { ", " })
}

fn muted(cx: &Cx<'_>, text: &str) -> RichText {
    RichText::new(text).color(cx.theme.muted)
}
