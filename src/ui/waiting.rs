//! What stands where the picture would while there is none: the reading of a capture, or why it cannot be read.

use egui::{Button, Frame, RichText, ScrollArea, TextEdit, Ui};

use super::cx::{Cx, Outbox};
use super::status::{progress_bar_ui, work_text};
use super::theme::{fonts, size};
use crate::app::view::{CaptureId, Side, Tab};
use crate::app::{Capture, CaptureState, Command};
use crate::base::jobs::Running;

/// Reading that takes less time than this shows nothing: small files must not flicker.
const QUIET_SECONDS: f32 = 0.1;
/// Making the picture may take longer before it is spoken of in the middle: the status line shows it from the beginning.
const PATIENT_SECONDS: f32 = 0.5;

/// Draws the captures being read, or the failure, and is true then; false where the picture can stand.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) -> bool {
    // Of captures that can be read there is something to know also where they do not compare.
    let knows_something = |capture: &Option<CaptureId>| capture.is_none() && cx.app.view().tab == Tab::Info;
    if let Some((capture, why)) = cx.app.failure().filter(|(capture, _)| !knows_something(capture)) {
        failure_ui(ui, cx, capture, &why, out);
        return true;
    }
    let loading: Vec<(&Capture, &Running)> = cx.app.view().captures().into_iter().filter_map(|id| reading(cx, id)).collect();
    if loading.is_empty() {
        return making_ui(ui, cx, out);
    }
    let is_young = loading.iter().all(|(_, job)| job.age().as_secs_f32() < QUIET_SECONDS);
    if is_young && !cx.is_test {
        ui.ctx().request_repaint_after_secs(QUIET_SECONDS);
        // The old picture, if there is one, stays for this moment.
        return cx.app.shown_comparison().is_none();
    }
    middle_ui(ui, 640.0, 0.22, |ui| {
        for (capture, job) in loading {
            reading_ui(ui, cx, capture, job, out);
        }
    });
    true
}

/// Draws what is being made of captures that are read already, while there is no older picture to look at; false where nothing is.
fn making_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) -> bool {
    let is_empty = if cx.app.view().tab == Tab::Flame { cx.app.shown_flame().is_none() } else { cx.app.shown_table().is_none() };
    let job = cx.app.running().iter().max_by(|a, b| a.age().cmp(&b.age()));
    let Some(job) = job.filter(|job| is_empty && cx.app.view().tab != Tab::Info && job.age().as_secs_f32() >= PATIENT_SECONDS) else {
        return false;
    };
    middle_ui(ui, 640.0, 0.22, |ui| job_ui(ui, cx, &job.name, job, out));
    true
}

fn reading<'a>(cx: &Cx<'a>, id: CaptureId) -> Option<(&'a Capture, &'a Running)> {
    let capture = cx.app.capture(id)?;
    let CaptureState::Loading(job) = capture.state else { return None };
    Some((capture, cx.app.running().iter().find(|running| running.id == job)?))
}

/// A column in the middle of what is left, of at most that width, under that part of the height.
pub(super) fn middle_ui(ui: &mut Ui, most: f32, above: f32, content: impl FnOnce(&mut Ui)) {
    let width = most.min(ui.available_width() - 2.0 * size::WIDE);
    let space = ui.available_size();
    ui.horizontal_top(|ui| {
        ui.add_space((space.x - width) / 2.0);
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.add_space((space.y * above).max(size::WIDE));
            content(ui);
        });
    });
}

fn reading_ui(ui: &mut Ui, cx: &Cx<'_>, capture: &Capture, job: &Running, out: &mut Outbox) {
    job_ui(ui, cx, &format!("Reading {}", cx.app.name_of(capture)), job, out);
}

/// A job with its progress and the button that stops it.
fn job_ui(ui: &mut Ui, cx: &Cx<'_>, title: &str, job: &Running, out: &mut Outbox) {
    ui.label(RichText::new(title).font(fonts::title()));
    let progress = job.progress();
    if !cx.is_test {
        progress_bar_ui(ui, cx, &progress, ui.available_width());
        ui.ctx().request_repaint_after_secs(QUIET_SECONDS);
    }
    ui.horizontal(|ui| {
        if ui.button("Stop").accessible_name(format!("Stop: {title}")).clicked() {
            out.send(Command::CancelJob(job.id.number()));
        }
        if !cx.is_test {
            ui.label(RichText::new(work_text(job)).color(cx.theme.muted));
        }
    });
    ui.add_space(size::WIDE);
}

fn failure_ui(ui: &mut Ui, cx: &Cx<'_>, capture: Option<CaptureId>, why: &str, out: &mut Outbox) {
    let name = capture.and_then(|id| cx.app.capture(id)).map(|capture| cx.app.name_of(capture));
    // An archive is fine; only nobody has said which of its captures is meant.
    let trouble = if why.contains("choosing a capture") { "holds several captures" } else { "cannot be read" };
    let title = name.map_or_else(|| "This cannot be shown".to_owned(), |name| format!("{name} {trouble}"));
    middle_ui(ui, 640.0, 0.22, |ui| {
        ui.label(RichText::new(title).font(fonts::title()));
        ui.add_space(size::PAD);
        Frame::new().fill(cx.theme.surface).stroke(egui::Stroke::new(size::HAIRLINE, cx.theme.line)).inner_margin(12).show(ui, |ui| {
            ScrollArea::vertical().max_height(220.0).show(ui, |ui| {
                // A text field that is not written back: every part of it can be marked and copied.
                let mut text = why;
                let field = TextEdit::multiline(&mut text).font(fonts::table()).frame(Frame::NONE).desired_rows(1);
                ui.add(field.desired_width(f32::INFINITY)).accessible_name("Error");
            });
        });
        ui.add_space(size::PAD);
        ui.label(RichText::new("What to try").font(fonts::strong()));
        for advice in advice(why) {
            ui.label(format!("• {advice}"));
        }
        ui.add_space(12.0);
        ui.horizontal(|ui| {
            if ui.button("Copy details").clicked() {
                ui.ctx().copy_text(format!("Emberlens {}\n{why}", crate::version()));
            }
            if let Some(id) = capture {
                let view = cx.app.view();
                // One of several captures of a side can be done without.
                let repeated = Side::BOTH.into_iter().find(|&side| view.side(side).len() > 1 && view.side(side).contains(&id));
                let leave_out = repeated.map(|side| ("Leave it out", Command::RemoveFromSide(side, id)));
                for (text, command) in [("Try again", Command::Reload(id)), ("Close", Command::Close(id))].into_iter().chain(leave_out) {
                    if ui.add(Button::new(text)).clicked() {
                        out.send(command);
                    }
                }
            }
            if ui.button("Open another…").clicked() {
                out.send(Command::ChooseFiles);
            }
            if capture.is_none() && ui.button("Capture info").clicked() {
                out.send(Command::SetTab(Tab::Info));
            }
        });
    });
}

/// What helps against an error, from its words.
fn advice(why: &str) -> Vec<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
    let mut advice = Vec::new();
    if has(&["no such file"]) {
        advice.push("Check the path; the file may have been moved or deleted");
    }
    if has(&["not permitted"]) {
        advice.push("perf.data is often written by root: sudo chown $USER perf.data");
    }
    if has(&["web page", "html"]) {
        advice.push("The download is the page of an error or a login: fetch the profile itself, for instance with curl -O and the address that ends in /debug/pprof/profile");
    }
    if has(&["is cut", "damaged", "truncated"]) {
        advice.push("Copy or download the file again; compare its size and checksum with the original");
        advice.push("If it was just recorded, wait until the recorder has ended");
    }
    if has(&["choosing a capture"]) {
        advice.push("Try again lists them; or open one by its name: archive.zip!folder/cpu.pb.gz");
    }
    if has(&["is a folder"]) {
        advice.push("Choose a file in it; several files can be opened at once");
    }
    if has(&["empty"]) {
        advice.push("The recording was stopped before anything was written: record again, for longer");
    }
    if has(&["sample type"]) {
        advice.push("Compare captures of one kind: two CPU profiles, or two heap profiles");
    }
    if has(&["limit", "larger than"]) {
        advice.push("Start with a higher limit: emberlens --max-bytes 16GB FILE");
    }
    if has(&["cancelled"]) {
        advice.push("Try again reads it from the beginning");
    }
    if advice.is_empty() {
        advice.push("What can be read: pprof, perf.data, perf script, Go's text profiles, folded stacks, speedscope, V8, Firefox, OTLP, callgrind; plain, compressed, or in a zip or tar");
        advice.push("If this is one of them, please report it with the details; the file itself is not needed");
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_fits_the_error() {
        for (why, word) in [
            ("pprof: the file is cut (wanted 18 bytes)", "again"),
            ("cannot open: this is a folder; wanted a file", "in it"),
            ("nobody knows", "What can be read"),
        ] {
            assert!(advice(why).iter().any(|line| line.contains(word)), "{why}: {:?}", advice(why));
        }
        assert!(
            advice("this is a folder").iter().all(|line| !line.contains("What can")),
            "general advice only where there is no better one"
        );
    }
}
