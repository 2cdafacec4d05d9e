//! What each command does, one function per group, and what each event of a job changes.

mod copy;
mod files;
mod look;
mod pick;
mod sides;

pub(super) use files::remember_comparison;

use super::command::Command;
use super::derived::Key;
use super::effect::{Dialog, Effect};
use super::event::Event;
use super::{App, CaptureState};
use crate::base::jobs::JobId;

/// Does a command.
pub(super) fn apply(app: &mut App, command: Command) -> Vec<Effect> {
    use Command as C;
    if let Some(dialog) = command.dialog() {
        if dialog == Dialog::Messages {
            app.missed.clear();
        }
        app.dialog = Some(dialog);
        return Vec::new();
    }
    match command {
        C::Open(..) | C::OpenSample | C::Drop(..) | C::Reload(..) | C::Close(..) | C::CloseAll | C::ClearRecent | C::Export(..) => {
            files::apply(app, command)
        }
        C::OpenComparison(..)
        | C::OpenSides(..)
        | C::AddFiles(..)
        | C::Show(..)
        | C::SetBefore(..)
        | C::SetAfter(..)
        | C::AddToSide(..)
        | C::RemoveFromSide(..)
        | C::CompareParts(..)
        | C::SetTimeRange(..)
        | C::SetSideTime(..)
        | C::SwapSides
        | C::LeaveComparison => {
            sides::apply(app, command);
            Vec::new()
        }
        C::Select(..)
        | C::NextMatch
        | C::PreviousMatch
        | C::SelectFinding(..)
        | C::NextFinding
        | C::PreviousFinding
        | C::Present(..)
        | C::SetUnfolded(..)
        | C::UnfoldHeaviest
        | C::UnfoldAll
        | C::Reveal
        | C::FoldAll
        | C::SetWindow(..)
        | C::Sandwich(..)
        | C::SelectInSandwich(..)
        | C::SetSandwichWindow(..)
        | C::ResetZoom
        | C::ZoomToSelection
        | C::ZoomIn
        | C::ZoomOut => {
            pick::apply(app, command);
            Vec::new()
        }
        C::CopyName
        | C::CopyStack
        | C::CopyTable
        | C::CopySource
        | C::CopyFindings
        | C::CopyFindingsMarkdown
        | C::CopyFindingsCsv
        | C::CopyScript => {
            let text = copy::apply(app, &command);
            if let Some(text) = &text {
                app.say(copy::done(&command, text), false);
            }
            text.map(Effect::CopyText).into_iter().collect()
        }
        C::CancelJob(number) => {
            cancel(app, JobId::from_number(number));
            Vec::new()
        }
        C::Dismiss(id) => {
            app.put_away(id, false);
            Vec::new()
        }
        C::Expire(id) => {
            app.put_away(id, true);
            Vec::new()
        }
        C::CloseDialog => {
            if let Some(Dialog::WhichMember(archive, _)) = app.dialog.take() {
                files::leave_archive(app, archive);
            }
            Vec::new()
        }
        C::ChooseFiles => vec![Effect::ChooseFiles],
        C::ChooseComparison => vec![Effect::ChooseComparison],
        C::ChooseForSide(side) => vec![Effect::ChooseForSide(side)],
        C::ChooseFolder(list) => vec![Effect::ChooseFolder(list)],
        C::ChooseExport => vec![Effect::ChooseExport(files::export_name(app, "svg"))],
        C::ChooseReview => vec![Effect::ChooseExport(files::export_name(app, "html"))],
        C::FocusSearch => vec![Effect::FocusSearch],
        C::Remark(text) => {
            app.write_remark(None, &text);
            Vec::new()
        }
        C::RemarkOn(function, text) => {
            app.write_remark(Some(&function), &text);
            Vec::new()
        }
        C::WriteRemark => {
            // The field stands on the right side.
            app.settings.side_panel = true;
            vec![Effect::FocusRemark]
        }
        C::SetTextSize(size) => vec![Effect::TextSize(size)],
        C::ToggleFullScreen => vec![Effect::ToggleFullScreen],
        C::Quit => vec![Effect::Quit],
        other => {
            look::apply(app, other);
            Vec::new()
        }
    }
}

fn cancel(app: &mut App, job: JobId) {
    app.jobs.cancel(job);
    app.memo.forget_job(job, "cancelled");
    for capture in &mut app.captures {
        match &mut capture.state {
            CaptureState::Loading(loading) if *loading == job => capture.state = CaptureState::Failed("reading was cancelled".to_owned()),
            CaptureState::Ready { symbols, .. } if *symbols == Some(job) => *symbols = None,
            _ => {}
        }
    }
}

/// Takes in the end of a job.
pub(super) fn receive(app: &mut App, job: JobId, event: Event) {
    match event {
        Event::Loaded(id, on_disk, result) => files::loaded(app, id, on_disk, result),
        Event::Symbolized(id, profile) => files::symbolized(app, id, profile),
        Event::Derived(key, result) => {
            if let (Err(why), false) = (&result, matches!(*key, Key::Comparison(_) | Key::Sandwich(..))) {
                app.say(format!("{} failed: {why}", key.job_name()), true);
            }
            app.memo.set(*key, result);
        }
        Event::Exported(path, written) => app.exported(&path, written),
        Event::Samples(written) => files::sample_written(app, written),
        Event::Panicked(what) => {
            app.memo.forget_job(job, "internal error");
            app.say(format!("Internal error in a job: {what}"), true);
        }
    }
}
