//! What the user writes about what is shown: which remarks those are, and where they are kept.
//!
//! Remarks belong to the captures that are shown together, on whichever side each stands. They are part of the view, so that undo and scripts cover them;
//! the settings keep them by the files for the next time, and a saved comparison brings its own along. Deliberately absent: how they are written in reports
//! (`report::remarks`). Start reading at [`App::remarks`].

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::App;
use super::view::CaptureId;
use crate::report::remarks::Remarks;

/// Remarks on captures that were shown together, for the next time that their files are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRemarks {
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// What was written.
    pub remarks: Remarks,
}

/// Remarks from elsewhere than this session (kept with the files, or in them), and what they were looked up for.
#[derive(Default)]
pub(super) struct Found {
    /// The captures shown, each with the number of times it was replaced.
    of: Vec<(CaptureId, u32)>,
    remarks: Remarks,
}

impl App {
    /// The remarks on what is shown: those of this session, else those that were kept of these files, else those in the files.
    pub fn remarks(&self) -> &Remarks {
        let shown = self.shown_together();
        let written = self.view.remarks.iter().find(|(ids, _)| *ids == shown);
        written.map_or(&self.found_remarks.remarks, |(_, remarks)| remarks)
    }

    /// Looks up what was kept of the files shown, or stands in them, once for each choice of captures: panels ask for remarks in every frame.
    pub(super) fn find_remarks(&mut self) {
        let shown = self.shown_together();
        let of: Vec<_> = shown.iter().filter_map(|&id| self.capture(id)).map(|capture| (capture.id, capture.generation)).collect();
        if of == self.found_remarks.of {
            return;
        }
        let files = if self.kept_remarks.is_empty() { Vec::new() } else { self.files_of(&shown) };
        let kept = self.kept_remarks.iter().find(|kept| kept.files == files).map(|kept| kept.remarks.clone());
        let in_files = || Remarks::of(shown.iter().filter_map(|id| self.capture(*id)?.profile().map(Arc::clone)));
        let remarks = kept.unwrap_or_else(in_files);
        self.found_remarks = Found { of, remarks };
    }

    /// Writes a remark on a function, or on all that is shown.
    pub(super) fn write_remark(&mut self, function: Option<&str>, text: &str) {
        let shown = self.shown_together();
        if shown.is_empty() {
            return;
        }
        let mut remarks = self.remarks().clone();
        remarks.set(function, text);
        self.view.remarks.retain(|(ids, _)| *ids != shown);
        self.view.remarks.push((shown, remarks));
    }

    /// Keeps the remarks on what is shown for the next time, where they are others than those that are kept.
    pub(super) fn keep_remarks(&mut self) {
        let shown = self.shown_together();
        if shown.is_empty() {
            return;
        }
        // Undo may have brought other captures back.
        self.find_remarks();
        let (files, remarks) = (self.files_of(&shown), self.remarks().clone());
        let known = self.settings.remarks.iter().find(|kept| kept.files == files).map(|kept| &kept.remarks);
        if known.map_or(remarks.is_empty(), |known| *known == remarks) {
            return;
        }
        // What was taken away stays taken away, also where the file itself brings a remark along.
        self.settings.keep_remarks(KeptRemarks { files, remarks });
        self.save_settings();
    }

    /// The captures shown, in the order of their numbers: before and after may change places.
    fn shown_together(&self) -> Vec<CaptureId> {
        let mut shown = self.view.captures();
        shown.sort_unstable();
        shown.dedup();
        shown
    }

    fn files_of(&self, shown: &[CaptureId]) -> Vec<PathBuf> {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let mut files: Vec<PathBuf> = shown.iter().filter_map(|id| Some(absolute(&self.capture(*id)?.path))).collect();
        files.sort_unstable();
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, Options};

    fn sample(name: &str) -> PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name)
    }

    fn pair() -> Command {
        Command::OpenComparison(sample("orders-cpu-before.pb.gz"), sample("orders-cpu-after.pb.gz"))
    }

    fn app(folder: &std::path::Path, commands: impl IntoIterator<Item = Command>) -> App {
        let mut app = App::new(Options { inline: true, settings_folder: Some(folder.to_owned()), ..Options::default() });
        for command in commands {
            app.apply(command);
            app.settle();
        }
        app
    }

    const NAME: &str = "orders/internal/pricing.(*Engine).Discount";

    #[test]
    fn a_remark_is_undone_belongs_to_what_is_shown_and_is_there_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let write = || [Command::Remark("Slower since the rules moved".to_owned()), Command::RemarkOn(NAME.to_owned(), "a map".to_owned())];
        let mut made = app(folder.path(), std::iter::once(pair()).chain(write()));
        let said = |app: &App| (app.remarks().on(None).to_owned(), app.remarks().on(Some(NAME)).to_owned());
        let both = ("Slower since the rules moved".to_owned(), "a map".to_owned());
        assert_eq!(said(&made), both);
        made.apply(Command::SwapSides);
        assert_eq!(said(&made), both, "whichever side is before");
        made.apply(Command::Undo);
        let after = made.view().after.unwrap();
        made.apply(Command::Show(after));
        assert!(made.remarks().is_empty(), "one of them alone is another subject");
        made.apply(Command::Undo);
        made.apply(Command::Undo);
        assert_eq!(said(&made), (both.0.clone(), String::new()), "undone");
        assert_eq!(said(&app(folder.path(), [pair()])), (both.0.clone(), String::new()), "what was undone is not kept");
        made.apply(Command::Redo);
        assert_eq!(said(&app(folder.path(), [pair()])), both);
        assert!(app(folder.path(), [Command::Open(vec![sample("orders-cpu-after.pb.gz")])]).remarks().is_empty());
        let gone = app(folder.path(), [pair(), Command::Remark(String::new()), Command::RemarkOn(NAME.to_owned(), " ".to_owned())]);
        assert!(gone.remarks().is_empty() && app(folder.path(), [pair()]).remarks().is_empty(), "taken away");
    }

    #[test]
    fn remarks_in_a_file_follow_the_file_and_are_looked_up_once() {
        let (folder, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("one.pb.gz");
        let write = |text: &str| {
            let elsewhere = tempfile::tempdir().unwrap();
            let open = Command::Open(vec![sample("orders-cpu-after.pb.gz")]);
            drop(app(elsewhere.path(), [open, Command::Remark(text.to_owned()), Command::Export(folder.path().join("new.pb.gz"))]));
            std::fs::rename(folder.path().join("new.pb.gz"), &path).unwrap();
        };
        write("the first");
        let mut read = app(kept.path(), [Command::Open(vec![path.clone()])]);
        assert_eq!(read.remarks().on(None), "the first");
        let (id, found) = (read.captures()[0].id, std::ptr::from_ref(read.remarks()));
        read.pump();
        assert!(std::ptr::eq(found, read.remarks()) && read.found_remarks.of == [(id, 1)]);
        write("the second");
        read.apply(Command::Reload(id));
        read.settle();
        assert_eq!(read.remarks().on(None), "the second", "read again");
        read.apply(Command::Close(id));
        assert!(read.remarks().is_empty());
    }

    #[test]
    fn a_saved_comparison_and_its_reports_have_the_remarks() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = |name: &str| folder.path().join(name);
        let write = [Command::Remark("Known & accepted".to_owned()), Command::RemarkOn(NAME.to_owned(), "a map".to_owned())];
        let files = ["saved.pb.gz", "review.html", "findings.md", "saved.json"];
        let exports = files.map(|name| Command::Export(path(name)));
        let made = app(other.path(), std::iter::once(pair()).chain(write).chain(exports));
        for (name, words) in files.into_iter().zip(["", "Known &amp; accepted", "Known &amp; accepted", "\"a map\""]) {
            let bytes = std::fs::read(path(name)).unwrap();
            assert!(words.is_empty() || String::from_utf8_lossy(&bytes).contains(words), "{name}");
        }
        // On a machine that has seen none of it.
        let fresh = tempfile::tempdir().unwrap();
        let read = app(fresh.path(), [Command::Open(vec![path("saved.pb.gz")])]);
        assert!(read.view().is_comparison());
        assert_eq!(read.remarks(), made.remarks());
        assert!(read.profiles().iter().all(|profile| profile.info.comments.len() <= 2), "those of the file, once");
    }
}
