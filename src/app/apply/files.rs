//! Commands that open, close and export captures, and what happens when they are read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sides;
use crate::analysis::filter::Filter;
use crate::analysis::part::Part;
use crate::analysis::sandwich::Half;
use crate::app::command::Command;
use crate::app::effect::{Dialog, Effect};
use crate::app::event::Event;
use crate::app::load::{LoadError, OnDisk};
use crate::app::settings::{Recent, RecentComparison};
use crate::app::view::{CaptureId, FlameWindow, Half as HalfName, SandwichView, Side, Tab, ViewState};
use crate::app::{App, Capture, CaptureState};
use crate::app::{export, samples, save};
use crate::base::discard::discard;
use crate::model::{Profile, counted, human_of, kind};
use crate::report::merged::split_pair;

pub(super) fn apply(app: &mut App, command: Command) -> Vec<Effect> {
    match command {
        Command::Open(paths) => open(app, &paths),
        Command::Drop(paths) => match paths.as_slice() {
            [] | [_] => open(app, &paths),
            [first, second] => app.dialog = Some(Dialog::WhichIsBefore(first.clone(), second.clone())),
            _ => app.dialog = Some(Dialog::WhichSide(paths)),
        },
        Command::OpenSample => open_sample(app),
        Command::Reload(id) => reload(app, id),
        Command::Close(id) => close(app, id),
        Command::CloseAll => {
            while let Some(capture) = app.captures.first() {
                close(app, capture.id);
            }
        }
        Command::ClearRecent => {
            app.settings.recent.clear();
            app.settings.recent_comparisons.clear();
            app.save_settings();
        }
        Command::Export(path) => return export(app, path),
        _ => {}
    }
    Vec::new()
}

fn open(app: &mut App, paths: &[PathBuf]) {
    app.dialog = None;
    let ids: Vec<CaptureId> = paths.iter().map(|path| app.open(path)).collect();
    if let Some(&first) = ids.first() {
        sides::show(app, Vec::new(), vec![first]);
    }
}

fn open_sample(app: &mut App) {
    let Some(folder) = app.options.samples_folder.clone() else { return };
    app.jobs.start("Writing the sample pair", move |_| {
        Event::Samples(samples::write_pair(&folder).map_err(|error| format!("{error}\n{}", folder.display())))
    });
}

/// The sample pair is compared once it is there; undo brings back what was shown until then.
pub(super) fn sample_written(app: &mut App, written: Result<[PathBuf; 2], String>) {
    match written {
        Ok([before, after]) => {
            let (old, command) = (app.view.clone(), Command::OpenComparison(before, after));
            let label = command.undo_label(&old);
            sides::apply(app, command);
            app.follow_selection(&old);
            if old.after.is_some() {
                app.undo.push(label, old, false);
            }
        }
        Err(why) => app.say(format!("The sample pair could not be written: {why}"), true),
    }
}

fn reload(app: &mut App, id: CaptureId) {
    let Some(path) = app.capture(id).map(|capture| capture.path.clone()) else { return };
    let job = app.start_reading(id, &path);
    if let Some(capture) = app.captures.iter_mut().find(|capture| capture.id == id) {
        // What is still being looked up is about what was read before.
        if let CaptureState::Loading(old) | CaptureState::Ready { symbols: Some(old), .. } = capture.state {
            app.jobs.cancel(old);
        }
        capture.set_state(CaptureState::Loading(job));
    }
}

fn close(app: &mut App, id: CaptureId) {
    let Some(at) = app.captures.iter().position(|capture| capture.id == id) else { return };
    let capture = app.captures.remove(at);
    match capture.state {
        CaptureState::Loading(job) | CaptureState::Ready { symbols: Some(job), .. } => app.jobs.cancel(job),
        _ => {}
    }
    discard(capture);
    app.memo.forget(id);
    app.view.remarks.retain(|(ids, _)| !ids.contains(&id));
    // Undo must not bring back a view of a capture that is gone.
    app.undo.clear();
    let old = app.view.sides();
    let left = Side::BOTH.map(|side| app.view.side(side).into_iter().filter(|&other| other != id).collect::<Vec<_>>());
    let [before, mut after] = left;
    if before.is_empty() && after.is_empty() {
        after.extend(app.captures.last().map(|capture| capture.id));
    }
    if before.is_empty() && after.is_empty() {
        // What was looked for in captures that are gone is not looked for in the next ones.
        let (filter, selection) = (Filter::default(), None);
        let (search, top_filter, unfolded) = (String::new(), String::new(), BTreeSet::new());
        app.view = ViewState {
            filter,
            selection,
            search,
            top_filter,
            unfolded,
            sandwich: SandwichView::default(),
            ..std::mem::take(&mut app.view)
        };
    }
    app.view.set_sides(before, after);
    if app.view.sides() != old {
        app.view.window = FlameWindow::default();
        if !app.view.is_comparison() {
            app.view.parts = [Part::WHOLE; 2];
        }
    }
    app.remember_shown();
}

/// Nothing of an archive was chosen: what was shown before it was opened is shown again.
pub(super) fn leave_archive(app: &mut App, archive: CaptureId) {
    if app.view.captures().contains(&archive)
        && let Some(old) = app.undo.last().filter(|old| !old.captures().contains(&archive)).cloned()
    {
        app.view = old;
    }
    close(app, archive);
}

pub(super) fn loaded(app: &mut App, id: CaptureId, on_disk: OnDisk, result: Result<Arc<Profile>, LoadError>) {
    let Some(capture) = app.captures.iter_mut().find(|capture| capture.id == id) else { return };
    capture.generation += 1;
    capture.on_disk = on_disk;
    match result {
        Ok(profile) => {
            let path = capture.path.clone();
            let (profile, before) = match split_pair(&profile) {
                Some((before, after)) => (Arc::new(after), Some(Arc::new(before))),
                None => (profile, None),
            };
            capture.set_state(CaptureState::Ready { profile: Arc::clone(&profile), symbols: None });
            remember(app, &path, on_disk.bytes, &profile);
            let job = app.start_symbols(id, &profile);
            if let Some(CaptureState::Ready { symbols, .. }) =
                app.captures.iter_mut().find(|capture| capture.id == id).map(|capture| &mut capture.state)
            {
                *symbols = job;
            }
            if let Some(before) = before {
                show_saved_side(app, id, &path, before);
            }
        }
        Err(error) => {
            capture.state = CaptureState::Failed(error.to_string());
            let choice = error.choice();
            if !choice.is_empty() && app.dialog.is_none() {
                app.dialog = Some(Dialog::WhichMember(id, choice));
            }
        }
    }
}

/// A file that holds a saved comparison opens as one: the side before becomes a capture of its own.
fn show_saved_side(app: &mut App, after: CaptureId, path: &Path, before: Arc<Profile>) {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(" (before)");
    let path = path.with_file_name(name);
    // Reading the file again replaces both sides.
    let known = app.captures.iter_mut().find(|capture| capture.path == path);
    let id = if let Some(capture) = known {
        capture.generation += 1;
        capture.set_state(CaptureState::Ready { profile: before, symbols: None });
        capture.id
    } else {
        app.insert(&path, before)
    };
    if app.view.sides() == [[after]] {
        app.view.before = Some(id);
    }
}

/// Looks up symbols once more in all captures that lack some.
pub(super) fn look_again(app: &mut App) {
    let ready: Vec<_> = app.captures.iter().filter_map(|capture| Some((capture.id, Arc::clone(capture.profile()?)))).collect();
    for (id, profile) in ready {
        let job = app.start_symbols(id, &profile);
        let capture = app.captures.iter_mut().find(|capture| capture.id == id);
        if let Some(CaptureState::Ready { symbols, .. }) = capture.map(|capture| &mut capture.state)
            && let Some(old) = std::mem::replace(symbols, job)
        {
            app.jobs.cancel(old);
        }
    }
}

/// The same where binaries may have come: copied stacks were unwound by them while the capture was read, so such captures are read again.
pub(super) fn read_or_look_again(app: &mut App) {
    let not_unwound = |capture: &&Capture| capture.profile().is_some_and(|profile| profile.notes.count(kind::NOT_UNWOUND) > 0);
    let again: Vec<CaptureId> = app.captures.iter().filter(not_unwound).map(|capture| capture.id).collect();
    for id in again {
        reload(app, id);
    }
    // Of those that are read again there is nothing to look up yet.
    look_again(app);
}

pub(super) fn symbolized(app: &mut App, id: CaptureId, found: Option<Arc<Profile>>) {
    let Some(capture) = app.captures.iter_mut().find(|capture| capture.id == id) else { return };
    if let CaptureState::Ready { profile, symbols } = &mut capture.state {
        *symbols = None;
        if let Some(found) = found {
            discard(std::mem::replace(profile, found));
            capture.generation += 1;
        }
    }
}

fn remember(app: &mut App, path: &Path, bytes: u64, profile: &Profile) {
    let kind = profile.sample_types.get(profile.default_sample_type);
    let total = kind.map_or_else(String::new, |kind| {
        let total = profile.total(profile.default_sample_type) as f64 / 10_f64.powi(i32::from(kind.decimals));
        format!(", {}", human_of(total, &kind.unit, &kind.name))
    });
    let records = counted(profile.samples.len() as u64, "sample record", "sample records");
    let summary = format!("{}{total}, {records}", profile.info.format);
    let opened_unix = jiff::Timestamp::now().as_second();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    app.settings.remember(Recent { path, summary, bytes, opened_unix });
    app.save_settings();
}

/// Keeps which files are compared for the welcome page, once all of them are read.
pub(in crate::app) fn remember_comparison(app: &mut App) {
    if !app.view.is_comparison() || app.view.sides() == app.compared {
        return;
    }
    let sides = Side::BOTH.map(|side| app.view.side(side));
    if sides.iter().flatten().any(|id| app.capture(*id).is_some_and(|capture| matches!(capture.state, CaptureState::Loading(_)))) {
        return;
    }
    // A side that was saved within the file of the other is no file.
    let path = |id: &CaptureId| {
        let capture = app.capture(*id).filter(|capture| capture.profile().is_some())?;
        capture.on_disk.is_there.then(|| std::path::absolute(&capture.path).ok()).flatten()
    };
    let files = sides.each_ref().map(|side| side.iter().map(path).collect::<Option<Vec<PathBuf>>>());
    app.compared = app.view.sides();
    if let [Some(before), Some(after)] = files
        && before != after
    {
        let opened_unix = jiff::Timestamp::now().as_second();
        app.settings.remember_comparison(RecentComparison { before, after, opened_unix });
        app.save_settings();
    }
}

/// What a flame graph of a sandwich in front shows: what the function calls, or with a selected box among the callers what calls it; in words, and for
/// the name of a file; 0 = callers, 1 = callees.
fn half_in_front(app: &App) -> Option<(usize, &Half, String, String)> {
    let sandwich = app.sandwich().ready()?;
    let name = app.table().ready()?.places().name(sandwich.place);
    // The last part says which function it is, and has no signs that a file name cannot have.
    let word: String = name
        .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
        .find(|part| !part.is_empty())
        .unwrap_or("function")
        .chars()
        .take(40)
        .collect();
    Some(match app.view.sandwich.pinned.as_ref().map(|pinned| pinned.half) {
        Some(HalfName::Callers) => (0, &sandwich.callers, format!("what calls {name}"), format!("callers-of-{word}")),
        _ => (1, &sandwich.callees, format!("what {name} calls"), format!("callees-of-{word}")),
    })
}

/// A proposal for the name of an export.
pub(super) fn export_name(app: &App, ending: &str) -> String {
    let firsts = [app.view.before, app.view.after];
    // Captures of one name have their folders in it: `run-1-cpu-to-run-2-cpu`.
    let name = |capture: &Capture| {
        let shown = app.name_of(capture);
        let folders =
            shown.rsplit_once('/').map_or_else(String::new, |(folders, _)| format!("{}-", folders.replace("/…", "").replace('/', "-")));
        format!("{folders}{}", stem(&capture.path))
    };
    let names: Vec<String> = firsts.into_iter().flatten().filter_map(|id| app.capture(id)).map(name).collect();
    match names.as_slice() {
        [] => format!("profile.{ending}"),
        names => {
            // A page for a review is about all of it.
            let half = half_in_front(app).filter(|_| ending != "html").map(|(.., half)| format!("-{half}")).unwrap_or_default();
            format!("{}{half}.{ending}", names.join("-to-"))
        }
    }
}

fn stem(path: &Path) -> String {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let cut =
        [".pb.gz", ".gz", ".perf.data", ".data", ".folded", ".txt", ".pprof", ".prof"].iter().find_map(|ending| name.strip_suffix(ending));
    cut.unwrap_or(&name).to_owned()
}

fn export(app: &mut App, path: PathBuf) -> Vec<Effect> {
    app.dialog = None;
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        return vec![Effect::SavePicture(path)];
    }
    let Some(table) = app.table().ready().cloned() else {
        app.say("there is nothing to export yet", true);
        return Vec::new();
    };
    let half = half_in_front(app);
    let changes = match half {
        Some((at, ..)) => {
            app.sandwich_diff().ready().map_or(export::Changes::Unknown, |halves| export::Changes::Half(Arc::clone(halves), at))
        }
        None => app.diff().ready().map_or(export::Changes::Unknown, |diff| export::Changes::Whole(Arc::clone(diff))),
    };
    let request = export::Request {
        flame: export::Flame {
            comparison: app.comparison().ready().cloned().unwrap_or_else(|| Arc::clone(&table)),
            shape: app.view.flame_shape,
            order: app.view.sibling_order,
            color_by: app.view.color_by,
            changes,
        },
        comparison: table,
        captures: app.named_profiles(),
        half: half.map(|(_, half, words, _)| (half.clone(), words)),
        listing: app.listed(),
        lists_findings: app.view.tab == Tab::Findings,
        findings: app.findings().ready().cloned(),
        granularity: app.view.granularity,
        decimals: app.decimals(),
        filter: app.view.filter.clone(),
        remarks: app.remarks().clone(),
        parts: app.parts_of_captures(),
    };
    let open = app.open_paths();
    app.start_writing("Exporting", path, move |path| {
        export::bytes(path, &request).and_then(|(bytes, what)| save::export(path, &bytes, &open).map(|()| what))
    });
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Options;
    use crate::app::view::SiblingOrder;

    #[test]
    fn what_is_exported_is_the_table_in_front_and_the_message_says_which() {
        let sample = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let (before, after) = (sample("orders-cpu-before.pb.gz"), sample("orders-cpu-after.pb.gz"));
        let folder = tempfile::tempdir().unwrap();
        let mut app = App::new(Options { inline: true, ..Options::default() });
        app.apply(Command::OpenComparison(before, after));
        app.settle();
        let mut export = |tab: Tab, name: &str| {
            app.apply(Command::SetTab(tab));
            app.settle();
            let path = folder.path().join(name);
            app.apply(Command::Export(path.clone()));
            app.settle();
            let said = app.messages().last().map(|message| message.text.clone()).unwrap_or_default();
            (std::fs::read_to_string(path).unwrap(), said)
        };
        for (tab, name, begins, what) in [
            (Tab::Flame, "a.csv", "name,self_before,", "the table of functions"),
            (Tab::Findings, "b.csv", "rank,verdict,function,", "the findings"),
            (Tab::Flame, "c.md", "cpu per second rose", "the findings"),
        ] {
            let (text, said) = export(tab, name);
            assert!(text.starts_with(begins), "{tab:?} {name}: {}", text.lines().next().unwrap_or_default());
            assert!(said.starts_with(&format!("Written: {what}\n")), "{said}");
        }
    }

    #[test]
    fn what_was_looked_for_in_captures_that_are_gone_is_not_looked_for_in_the_next() {
        let sample = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let mut app = App::new(Options { inline: true, ..Options::default() });
        for command in [
            Command::Open(vec![sample("orders-cpu-after.pb.gz")]),
            Command::Focus("Discount".to_owned()),
            Command::Search("map".to_owned()),
            Command::Sandwich("runtime.mallocgc".to_owned()),
            Command::CloseAll,
            Command::Open(vec![sample("orders-goroutine-after.pb.gz")]),
        ] {
            app.apply(command);
            app.settle();
        }
        let view = app.view();
        assert!(view.filter.is_empty() && view.search.is_empty() && view.selection.is_none(), "{view:?}");
    }

    #[test]
    fn a_review_draws_its_flame_graph_in_the_order_of_the_window() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3/orders-cpu-after.pb.gz");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("review.html");
        let mut app = App::new(Options { inline: true, ..Options::default() });
        app.apply(Command::Open(vec![sample]));
        app.settle();
        let mut left_of_two = |order: SiblingOrder| {
            app.apply(Command::SetSiblingOrder(order));
            app.apply(Command::Export(path.clone()));
            app.settle();
            let text = std::fs::read_to_string(&path).unwrap();
            let at = |name: &str| {
                let rest = &text[text.find(&format!("{name} (")).unwrap_or_else(|| panic!("{name} is drawn"))..];
                rest.split_once(" x=%22").and_then(|(_, x)| x.split('%').next()?.parse::<f64>().ok()).unwrap()
            };
            at("runtime.mcall") < at("net/http.(*connReader).backgroundRead")
        };
        assert!(left_of_two(SiblingOrder::Size) && !left_of_two(SiblingOrder::Name), "the larger one is left, or the first by name");
    }

    #[test]
    fn compared_files_are_kept_once_each_pair_and_no_parts_of_one_file() {
        let sample = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let (before, after) = (sample("orders-cpu-before.pb.gz"), sample("orders-cpu-after.pb.gz"));
        let mut app = App::new(Options { inline: true, ..Options::default() });
        let known = |app: &App| {
            let rows = app.settings().recent_comparisons.iter();
            rows.map(|row| (row.before.clone(), row.after.clone())).collect::<Vec<_>>()
        };
        app.apply(Command::Open(vec![after.clone()]));
        app.settle();
        assert_eq!(known(&app), []);
        app.apply(Command::OpenComparison(before.clone(), after.clone()));
        app.settle();
        assert_eq!(known(&app), [(vec![before.clone()], vec![after.clone()])]);
        app.apply(Command::SwapSides);
        app.apply(Command::SwapSides);
        app.settle();
        let pairs = [(vec![before.clone()], vec![after.clone()]), (vec![after], vec![before.clone()])];
        assert_eq!(known(&app), pairs, "the newest first, each once");
        app.apply(Command::OpenComparison(before.clone(), before.clone()));
        app.apply(Command::OpenComparison(before.clone(), before.with_file_name("missing.pb.gz")));
        app.settle();
        assert_eq!(known(&app), pairs, "neither a file against itself nor what could not be read");
        app.apply(Command::ClearRecent);
        assert_eq!(known(&app), []);
    }
}
