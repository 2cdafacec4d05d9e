//! Files that are dropped or pasted on the window.

use std::path::{Path, PathBuf};

use egui::{Align2, Event, Id, LayerId, Order};

use super::cx::{Cx, Outbox};
use super::disk::Disk;
use super::theme::{fonts, size};
use crate::app::Command;

/// Sends what was dropped or pasted in this frame.
pub(super) fn handle(ctx: &egui::Context, disk: &Disk, out: &mut Outbox) {
    let dropped: Vec<PathBuf> = ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
    if !dropped.is_empty() {
        out.send(Command::Drop(dropped));
    }
    if !ctx.text_edit_focused() {
        let pasted = ctx.input(|input| {
            input.events.iter().find_map(|event| match event {
                Event::Paste(text) => Some(paths(text).into_iter().take(MOST_PASTED).collect::<Vec<_>>()),
                _ => None,
            })
        });
        if let Some(paths) = pasted.filter(|paths| !paths.is_empty()) {
            let until = ctx.input(|input| input.time) + PASTED_SECONDS;
            ctx.data_mut(|data| data.insert_temp(pasted_id(), Pasted { paths, until }));
        }
    }
    open_pasted(ctx, disk, out);
}

/// A text of more lines is no list of files.
const MOST_PASTED: usize = 64;
/// What the disk says nothing about for so long is not opened: by then the user does something else.
const PASTED_SECONDS: f64 = 10.0;

/// Pasted text, until the disk said which of its lines are files.
#[derive(Clone)]
struct Pasted {
    paths: Vec<PathBuf>,
    until: f64,
}

fn pasted_id() -> Id {
    Id::unique("paths that were pasted")
}

fn open_pasted(ctx: &egui::Context, disk: &Disk, out: &mut Outbox) {
    let Some(pasted) = ctx.data(|data| data.get_temp::<Pasted>(pasted_id())) else { return };
    // All of them are asked about, whatever the first ones are.
    let known: Vec<Option<bool>> = pasted.paths.iter().map(|path| Some(disk.of(path, out)?.is_capture)).collect();
    let is_late = ctx.input(|input| input.time) > pasted.until;
    if known.contains(&None) && !is_late {
        return;
    }
    ctx.data_mut(|data| data.remove::<Pasted>(pasted_id()));
    let found = pasted.paths.into_iter().zip(known);
    let files: Vec<PathBuf> = found.filter_map(|(path, is_capture)| (is_capture == Some(true)).then_some(path)).collect();
    if !files.is_empty() {
        out.send(Command::Drop(files));
    }
}

/// Says over the whole window what dropping does, while files hang over it.
pub(super) fn hover_ui(ctx: &egui::Context, cx: &Cx<'_>) {
    let count = ctx.input(|input| input.raw.hovered_files.len());
    if count == 0 {
        return;
    }
    let text = match count {
        1 => "Drop to open",
        2 => "Drop to compare both",
        _ => "Drop to compare several captures a side, or to open all",
    };
    let (painter, window) = (ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop"))), ctx.content_rect());
    painter.rect_filled(window, 0.0, cx.theme.background.gamma_multiply(0.85));
    let frame = egui::Stroke::new(size::OUTLINE, cx.theme.accent);
    painter.rect_stroke(window.shrink(size::PAD), f32::from(size::CORNER_WINDOW), frame, egui::StrokeKind::Inside);
    painter.text(window.center(), Align2::CENTER_CENTER, text, fonts::title(), cx.theme.text);
}

/// The paths of a text: one a line, plain, quoted or as `file:` address, as file managers and shells copy them.
pub(super) fn paths(text: &str) -> Vec<PathBuf> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(path).collect()
}

fn path(line: &str) -> PathBuf {
    if let Some(rest) = line.strip_prefix("file://") {
        // What stands before the first slash is a host: none, or this one.
        let path = rest.find('/').map_or(rest, |at| &rest[at..]);
        return PathBuf::from(percent_decoded(path));
    }
    let bare = |quote: char| line.strip_prefix(quote).and_then(|line| line.strip_suffix(quote));
    let line = bare('"').or_else(|| bare('\'')).unwrap_or(line);
    match line.strip_prefix("~/").zip(directories::BaseDirs::new()) {
        Some((rest, dirs)) => dirs.home_dir().join(rest),
        None => Path::new(line).to_owned(),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = (first == b'%').then(|| tail.get(..2)).flatten().and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(first));
        rest = if decoded.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_understood_as_programs_copy_them() {
        let check = |text: &str, wanted: &[&str]| assert_eq!(paths(text), wanted.iter().map(PathBuf::from).collect::<Vec<_>>(), "{text}");
        check("/a/b.pb.gz", &["/a/b.pb.gz"]);
        check("file:///a/b%20c.pb.gz\r\nfile://host/d\r\n", &["/a/b c.pb.gz", "/d"]);
        check("'/a b'\n\"/c d\"\n", &["/a b", "/c d"]);
        check("100%\n", &["100%"]);
        check("# copied\n\n", &[]);
    }
}
