//! The page without a capture: open, compare, the samples; then the files opened lately.

use std::path::{Path, PathBuf};

use egui::{Align2, RichText, ScrollArea, Sense, Ui, pos2, vec2};

use crate::app::Command;
use crate::app::capture_names::short;
use crate::app::settings::{Recent, RecentComparison};
use crate::model::human;
use crate::ui::cx::{Cx, Outbox};
use crate::ui::theme::{fonts, size};
use crate::ui::waiting::middle_ui;
use crate::ui::words::ago;

/// Comparisons that are listed.
const COMPARED: usize = 4;
/// Width of the page in points.
const PAGE: f32 = 760.0;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        middle_ui(ui, PAGE, 0.12, |ui| {
            page_ui(ui, cx, ui.available_width(), out);
            ui.add_space(size::WIDE);
        });
    });
}

fn page_ui(ui: &mut Ui, cx: &Cx<'_>, width: f32, out: &mut Outbox) {
    ui.label(RichText::new("See where the time and the memory go, and what got worse").font(fonts::title()));
    ui.label(RichText::new("pprof, perf, Go profiles, folded stacks. Drop files anywhere in this window.").color(cx.theme.muted));
    ui.add_space(size::WIDE);
    let samples = samples_folder(cx, out);
    let card_width = (width - 2.0 * size::PAD - 1.0) / 3.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = size::PAD;
        if card_ui(ui, cx, card_width, "Open…", "One capture: flame graph, call tree, hottest functions", "Ctrl+O").clicked() {
            out.send(Command::ChooseFiles);
        }
        if card_ui(ui, cx, card_width, "Compare two…", "Before and after: what got worse, and what is only noise", "Ctrl+D").clicked() {
            out.send(Command::ChooseComparison);
        }
        match &samples {
            Some(samples) => {
                if card_ui(ui, cx, card_width, "Open the sample pair", SAMPLE, "").clicked() {
                    out.send(Command::OpenComparison(samples.join(PAIR[0]), samples.join(PAIR[1])));
                }
            }
            None if cx.app.has_sample() => {
                if card_ui(ui, cx, card_width, "Open the sample pair", SAMPLE, "").clicked() {
                    out.send(Command::OpenSample);
                }
            }
            None => {
                if card_ui(ui, cx, card_width, "Type a path…", "Where no file dialog exists, or to paste one", "Ctrl+L").clicked() {
                    out.send(Command::TypePath(String::new()));
                }
            }
        }
    });
    if let Some(samples) = &samples {
        more_samples_ui(ui, cx, samples, out);
    }
    let compared = &cx.app.settings().recent_comparisons;
    if !compared.is_empty() {
        ui.add_space(size::WIDE);
        ui.label(RichText::new("Compared lately").font(fonts::strong()));
        ui.add_space(size::GAP);
        let compared = compared.get(..COMPARED).unwrap_or(compared);
        for (comparison, words) in compared.iter().zip(compared_words(compared)) {
            compared_ui(ui, cx, comparison, &words, out);
        }
    }
    let recent = &cx.app.settings().recent;
    if !recent.is_empty() {
        ui.add_space(size::WIDE);
        ui.label(RichText::new("Opened lately").font(fonts::strong()));
        ui.add_space(size::GAP);
        for file in recent.iter().take(12) {
            recent_ui(ui, cx, file, out);
        }
    }
}

/// A big button of three lines.
fn card_ui(ui: &mut Ui, cx: &Cx<'_>, width: f32, title: &str, text: &str, keys: &str) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 92.0), Sense::click());
    let visuals = *ui.style().interact(&response);
    ui.painter().rect(rect, f32::from(size::CORNER_WINDOW), visuals.bg_fill, visuals.bg_stroke, egui::StrokeKind::Inside);
    let inner = rect.shrink(12.0);
    let painter = ui.painter();
    painter.text(inner.left_top(), egui::Align2::LEFT_TOP, title, fonts::strong(), cx.theme.text);
    painter.text(inner.right_top(), egui::Align2::RIGHT_TOP, keys, fonts::small(), cx.theme.muted);
    let galley = painter.layout(text.to_owned(), fonts::body(), cx.theme.muted, inner.width());
    painter.galley(inner.left_top() + vec2(0.0, 24.0), galley, cx.theme.muted);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, title));
    response
}

/// What the third card opens.
const SAMPLE: &str = "A Go service before and after a change that made it slower";
/// Its files, where samples are on the disk.
const PAIR: [&str; 2] = ["pprof/go1.27.3/orders-cpu-before.pb.gz", "pprof/go1.27.3/orders-cpu-after.pb.gz"];

/// Further samples: words, before, after (the same file twice = one capture alone).
const MORE: [(&str, &str, &str); 5] = [
    ("Go CPU profile", PAIR[0], PAIR[0]),
    ("Go heap pair", "pprof/go1.27.3/orders-heap-before.pb.gz", "pprof/go1.27.3/orders-heap-after.pb.gz"),
    ("perf.data pair", "perf-data/6.1.187/indexer-before.perf.data", "perf-data/6.1.187/indexer-after.perf.data"),
    ("perf script pair", "perf-script/6.1.187/indexer-before.txt", "perf-script/6.1.187/indexer-after.txt"),
    ("Folded pair (py-spy)", "folded/py-spy-0.4.3/report-before.folded", "folded/py-spy-0.4.3/report-after.folded"),
];

fn more_samples_ui(ui: &mut Ui, cx: &Cx<'_>, samples: &Path, out: &mut Outbox) {
    ui.add_space(size::PAD);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("More samples").color(cx.theme.muted));
        for (words, before, after) in MORE {
            let (before, after) = (samples.join(before), samples.join(after));
            if [&before, &after].map(|path| is_there(cx, path, out)) != [true; 2] {
                continue;
            }
            if ui.button(words).on_hover_text(after.display().to_string()).clicked() {
                out.send(if before == after { Command::Open(vec![before]) } else { Command::OpenComparison(before, after) });
            }
        }
    });
}

/// The folder of the samples: beside the program, where packages put it, in the current folder, in the sources.
fn samples_folder(cx: &Cx<'_>, out: &mut Outbox) -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let name = "sample-profiles";
    let candidates = [
        beside.map(|folder| folder.join(name)),
        beside.map(|folder| folder.join("../share/emberlens").join(name)),
        Some(PathBuf::from(name)),
        // `target/debug/emberlens` in a clone.
        beside.map(|folder| folder.join("../..").join(name)),
    ];
    // All of them are asked about at once.
    let found: Vec<PathBuf> =
        candidates.into_iter().flatten().filter(|folder| PAIR.map(|name| is_there(cx, &folder.join(name), out)) == [true; 2]).collect();
    found.into_iter().next()
}

fn is_there(cx: &Cx<'_>, path: &Path, out: &mut Outbox) -> bool {
    cx.disk.of(path, out).is_some_and(|found| found.is_capture)
}

/// A row of two lines, one text left and one right in each, the lower ones muted.
fn row_ui(ui: &mut Ui, cx: &Cx<'_>, name: &str, [left, right]: [[&str; 2]; 2]) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::click());
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(size::CORNER), cx.theme.hover);
    }
    let painter = ui.painter().with_clip_rect(rect);
    let fonts = [(fonts::table(), cx.theme.text), (fonts::small(), cx.theme.muted)];
    for ((at, (font, color)), (left, right)) in [12.0, 29.0].into_iter().zip(fonts).zip(left.into_iter().zip(right)) {
        let y = rect.top() + at;
        let taken = painter.text(pos2(rect.right() - size::PAD, y), Align2::RIGHT_CENTER, right, fonts::small(), cx.theme.muted);
        let place = egui::Rect::from_min_max(rect.min, pos2(taken.left() - size::PAD, rect.bottom()));
        painter.with_clip_rect(place).text(pos2(rect.left() + size::PAD, y), Align2::LEFT_CENTER, left, font, color);
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Open {name}")));
    response
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn folder_of(path: &Path) -> String {
    path.parent().map(|folder| folder.display().to_string()).unwrap_or_default()
}

fn age(cx: &Cx<'_>, opened_unix: i64) -> String {
    if cx.is_test { String::new() } else { ago(opened_unix, cx.unix_seconds) }
}

/// `run-1/cpu.pprof → run-2/cpu.pprof`: two files of one name have their folders. Of several of a side the first `shown` are named.
fn compared_name(recent: &RecentComparison, shown: usize) -> String {
    let side = |files: &[PathBuf], others: &[PathBuf]| {
        let name = |file: &PathBuf| short(file, others.iter().map(PathBuf::as_path));
        let named = files.iter().take(shown).map(name).collect::<Vec<_>>().join(", ");
        let more = files.len().saturating_sub(shown);
        if more > 0 { format!("{named} + {more} more") } else { named }
    };
    format!("{} → {}", side(&recent.before, &recent.after), side(&recent.after, &recent.before))
}

/// The folders of both sides.
fn compared_folders(recent: &RecentComparison) -> String {
    let mut folders: Vec<String> = recent.before.iter().chain(&recent.after).map(|path| folder_of(path)).collect();
    folders.dedup();
    folders.join(", ")
}

/// Name and folders of each comparison: the first file of a side is enough, unless another one begins with the same files.
fn compared_words(recent: &[RecentComparison]) -> Vec<[String; 2]> {
    let words = |shown: usize| recent.iter().map(move |one| [compared_name(one, shown), compared_folders(one)]).collect::<Vec<_>>();
    let (short, long) = (words(1), words(usize::MAX));
    let is_alone = |words: &[String; 2]| short.iter().filter(|other| *other == words).count() == 1;
    short.iter().zip(long).map(|(short, long)| if is_alone(short) { short.clone() } else { long }).collect()
}

fn compared_ui(ui: &mut Ui, cx: &Cx<'_>, recent: &RecentComparison, [name, folders]: &[String; 2], out: &mut Outbox) {
    let all = recent.before.iter().chain(&recent.after);
    let hover = all.map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n");
    if row_ui(ui, cx, name, [[name, folders], [&age(cx, recent.opened_unix), ""]]).on_hover_text(hover).clicked() {
        out.send(Command::OpenSides(recent.before.clone(), recent.after.clone()));
    }
}

fn recent_ui(ui: &mut Ui, cx: &Cx<'_>, file: &Recent, out: &mut Outbox) {
    let name = file_name(&file.path);
    let facts = format!("{}, {}", file.summary, human(file.bytes as f64, "bytes"));
    let response = row_ui(ui, cx, &name, [[&name, &folder_of(&file.path)], [&age(cx, file.opened_unix), &facts]]);
    if response.on_hover_text(file.path.display().to_string()).clicked() {
        out.send(Command::Open(vec![file.path.clone()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(before: &[&str], after: &[&str]) -> RecentComparison {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        RecentComparison { before: paths(before), after: paths(after), opened_unix: 0 }
    }

    #[test]
    fn compared_files_of_one_name_are_told_apart() {
        let name = |before: &[&str], after: &[&str]| compared_name(&recent(before, after), 1);
        assert_eq!(name(&["/a/old.pb.gz"], &["/a/new.pb.gz"]), "old.pb.gz → new.pb.gz");
        assert_eq!(name(&["/p1/cpu.pprof"], &["/p2/cpu.pprof"]), "p1/cpu.pprof → p2/cpu.pprof");
        assert_eq!(name(&["/a/1", "/a/2"], &["/a/3"]), "1 + 1 more → 3");
    }

    #[test]
    fn comparisons_of_several_captures_say_what_tells_them_apart() {
        let listed = [
            recent(&["/r/old-1", "/r/old-2"], &["/r/new-1", "/r/new-2"]),
            recent(&["/r/main-1", "/r/main-2"], &["/r/new-1", "/r/new-2"]),
            recent(&["/r/old-1", "/r/old-2"], &["/r/new-1", "/r/new-3"]),
            recent(&["/r/x"], &["/r/y"]),
        ];
        let words = compared_words(&listed);
        assert!(words.iter().all(|[_, folder]| folder == "/r"), "{words:?}");
        let names: Vec<&str> = words.iter().map(|[name, _]| name.as_str()).collect();
        assert_eq!(
            names,
            ["old-1, old-2 → new-1, new-2", "main-1 + 1 more → new-1 + 1 more", "old-1, old-2 → new-1, new-3", "x → y"],
            "those that begin with the same files name all of them"
        );
    }
}
