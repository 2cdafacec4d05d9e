//! Commands that say which captures are shown, and on which side of a comparison.

use std::path::{Path, PathBuf};

use crate::analysis::part::Part;
use crate::analysis::span::Span;
use crate::app::App;
use crate::app::command::Command;
use crate::app::view::{CaptureId, FlameWindow, Side};

pub(super) fn apply(app: &mut App, command: Command) {
    let known = |app: &App, id: CaptureId| app.capture(id).is_some();
    match command {
        Command::OpenComparison(before, after) => open_sides(app, &[before], &[after]),
        Command::OpenSides(before, after) => open_sides(app, &before, &after),
        Command::AddFiles(side, paths) => add_files(app, side, &paths),
        Command::CompareParts(parts) => compare_parts(app, *parts),
        Command::SetTimeRange(span) => set_time(app, &Side::BOTH, span),
        Command::SetSideTime(side, span) => set_time(app, &[side], span),
        Command::Show(id) if known(app, id) => show(app, Vec::new(), vec![id]),
        Command::SetBefore(id) if known(app, id) => put_alone(app, Side::Before, id),
        Command::SetAfter(id) if known(app, id) => put_alone(app, Side::After, id),
        Command::AddToSide(side, id) if known(app, id) => add(app, side, &[id]),
        Command::RemoveFromSide(side, id) => remove(app, side, id),
        Command::SwapSides => {
            if app.view.is_comparison() {
                let [before, after] = Side::BOTH.map(|side| app.view.side(side));
                app.view.set_sides(after, before);
                app.view.parts.reverse();
            }
        }
        Command::LeaveComparison => {
            let after = app.view.side(Side::After);
            app.view.set_sides(Vec::new(), after);
            app.view.parts = [Part::WHOLE; 2];
        }
        _ => app.say("there is no such capture", true),
    }
}

/// Shows captures; the parts of the view that belong to the old ones go.
pub(super) fn show(app: &mut App, before: Vec<CaptureId>, after: Vec<CaptureId>) {
    app.view.set_sides(before, after);
    app.view.window = FlameWindow::default();
    app.view.filter.time = None;
    app.view.parts = [Part::WHOLE; 2];
}

/// The capture of a path: the open one, so that comparing with what is shown does not read it twice, else a new one.
fn open_once(app: &mut App, path: &Path) -> CaptureId {
    let open = app.captures.iter().find(|capture| capture.path == path && capture.error().is_none()).map(|capture| capture.id);
    if let Some(id) = open { id } else { app.open(path) }
}

fn open_sides(app: &mut App, before: &[PathBuf], after: &[PathBuf]) {
    app.dialog = None;
    let before = before.iter().map(|path| open_once(app, path)).collect();
    let after = after.iter().map(|path| open_once(app, path)).collect();
    show(app, before, after);
}

fn add_files(app: &mut App, side: Side, paths: &[PathBuf]) {
    app.dialog = None;
    let ids: Vec<CaptureId> = paths.iter().map(|path| open_once(app, path)).collect();
    add(app, side, &ids);
}

/// Captures join a side and leave the other one, unless that would be empty: parts of one capture may stand on both.
fn add(app: &mut App, side: Side, ids: &[CaptureId]) {
    let mut mine = app.view.side(side);
    if ids.iter().all(|id| mine.contains(id)) {
        return;
    }
    mine.extend(ids);
    let mut other = app.view.side(side.other());
    if other.iter().any(|id| !ids.contains(id)) {
        other.retain(|id| !ids.contains(id));
    } else if other == ids {
        // The only capture of the other side: what is here takes its place.
        other = mine.iter().copied().filter(|id| !ids.contains(id)).collect();
        mine.retain(|id| ids.contains(id));
    }
    put(app, side, mine, other);
}

/// A side that loses its last capture ends the comparison; the other one is what is shown then.
fn remove(app: &mut App, side: Side, id: CaptureId) {
    let mut mine = app.view.side(side);
    mine.retain(|&other| other != id);
    let other = app.view.side(side.other());
    if mine.is_empty() && other.is_empty() {
        app.say("this is the only capture shown", false);
        return;
    }
    if mine.is_empty() {
        app.view.parts = [Part::WHOLE; 2];
    }
    put(app, side, mine, other);
}

/// One capture is a side; the capture that is taken away from the other role goes back to where this one stood: a swap.
fn put_alone(app: &mut App, side: Side, id: CaptureId) {
    let without = |ids: Vec<CaptureId>| ids.into_iter().filter(|&other| other != id).collect::<Vec<_>>();
    let (mine, other) = (app.view.side(side), app.view.side(side.other()));
    let had_other = !other.is_empty();
    let mut other = without(other);
    if other.is_empty() && had_other {
        other = without(mine);
        if other.is_empty() {
            app.say("choose the capture to compare with as after", false);
            return;
        }
    }
    app.view.parts = [Part::WHOLE; 2];
    app.view.filter.time = None;
    put(app, side, vec![id], other);
}

fn put(app: &mut App, side: Side, mine: Vec<CaptureId>, other: Vec<CaptureId>) {
    match side {
        Side::Before => app.view.set_sides(mine, other),
        Side::After => app.view.set_sides(other, mine),
    }
    app.view.window = FlameWindow::default();
}

/// Compares parts of what is shown; without a side before, both sides are parts of one.
fn compare_parts(app: &mut App, parts: [Part; 2]) {
    app.dialog = None;
    let after = app.view.side(Side::After);
    if after.is_empty() {
        app.say("open the capture whose parts are to be compared", true);
        return;
    }
    let before = Some(app.view.side(Side::Before)).filter(|ids| !ids.is_empty()).unwrap_or_else(|| after.clone());
    if is_possible(app, [&before, &after], &parts) {
        show(app, before, after);
        app.view.parts = parts;
    }
}

/// Whether the sides differ and have these parts; says why where not. What a capture does not have is said here and not where the picture
/// would be.
fn is_possible(app: &mut App, sides: [&Vec<CaptureId>; 2], parts: &[Part; 2]) -> bool {
    if sides[0] == sides[1] && parts[0] == parts[1] {
        app.say("both sides are the same part of the same capture", false);
        return false;
    }
    let refused = sides.into_iter().zip(parts).find_map(|(ids, part)| {
        let profiles = ids.iter().filter_map(|&id| app.capture(id)?.profile());
        profiles.map(|profile| part.filter(profile)).find_map(Result::err)
    });
    if let Some(why) = &refused {
        app.say(format!("These parts cannot be compared: {why}"), true);
    }
    refused.is_none()
}

/// Each side of a comparison has a time range of its own, as its captures have a clock of their own; of a capture alone it is a filter.
fn set_time(app: &mut App, wanted: &[Side], span: Option<Span>) {
    if app.view.is_comparison() {
        let [before, after] = Side::BOTH.map(|side| app.view.side(side));
        let has_times =
            |ids: &[CaptureId]| ids.iter().filter_map(|&id| app.capture(id)?.profile()).all(|profile| profile.samples.has_times());
        let can = [has_times(&before), has_times(&after)];
        let mut parts = app.view.parts.clone();
        for ((side, part), can) in Side::BOTH.iter().zip(&mut parts).zip(can) {
            // A range of both sides is one of those that have times.
            if wanted.contains(side) && (can || wanted.len() == 1 || span.is_none()) {
                part.time = span;
            }
        }
        if parts != app.view.parts && is_possible(app, [&before, &after], &parts) {
            app.view.parts = parts;
        }
        return;
    }
    let shown = app.view.side(Side::After);
    let refused = span.and_then(|span| {
        let mut profiles = shown.iter().filter_map(|&id| app.capture(id)?.profile());
        profiles.find_map(|profile| span.check(profile).err())
    });
    match refused {
        Some(why) => app.say(format!("This time range cannot be shown: {why}"), true),
        None => app.view.filter.time = span,
    }
}
