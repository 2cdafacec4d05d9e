//! Keeps the settings on the disk: one write at a time, on a thread, together with what other windows of this user wrote meanwhile.
//!
//! Every window begins with what the file held when it was opened, and writes back what was changed in it: two windows that just wrote
//! all they have would take each other's remarks away. Deliberately absent: a window that learns what another one changed before it is
//! started again. Start reading at [`Keeper::keep`] and [`together`].

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde_json::{Map, Value};

use super::{FILE, Recent, RecentComparison, Settings};
use crate::app::remarks::KeptRemarks;
use crate::base::jobs::Jobs;
use crate::report::remarks::Remarks;

/// What a file is called that could not be understood as a whole, beside the one that takes its place.
const NOT_UNDERSTOOD: &str = "settings.not-understood.json";

/// Settings of one window on their way to the disk.
pub(in crate::app) struct Keeper {
    /// Where; `None` = nowhere.
    folder: Option<PathBuf>,
    /// As this window last read or wrote them: what differs from it was changed here.
    base: Settings,
    /// What is being written, and what is wanted since.
    writing: Option<Settings>,
    wanted: Option<Settings>,
    jobs: Jobs<Result<(), String>>,
}

impl Keeper {
    /// Settings that were read from `folder`; `inline` writes within [`Keeper::keep`].
    pub(in crate::app) fn new(folder: Option<PathBuf>, base: Settings, inline: bool) -> Self {
        let jobs = if inline { Jobs::inline(Err) } else { Jobs::threads(|| {}, Err) };
        Self { folder, base, writing: None, wanted: None, jobs }
    }

    /// Sets what wakes the window when something was written.
    pub(in crate::app) fn set_wake(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        self.jobs.set_wake(wake);
    }

    /// Writes the settings, after what is being written.
    pub(in crate::app) fn keep(&mut self, settings: &Settings) {
        if self.folder.is_some() {
            self.wanted = Some(settings.clone());
            self.go_on();
        }
    }

    /// Takes in what was written; why it could not be, in words.
    pub(in crate::app) fn take_in(&mut self) -> Option<String> {
        let (_, written) = self.jobs.next_event()?;
        self.written(written)
    }

    /// Waits until all is written, but not longer than `limit`: the window is about to be gone.
    pub(in crate::app) fn finish(&mut self, limit: Duration) {
        let until = Instant::now() + limit;
        while self.writing.is_some() {
            let Some((_, written)) = self.jobs.wait_event(until.saturating_duration_since(Instant::now())) else { return };
            self.written(written);
        }
    }

    fn go_on(&mut self) {
        if self.writing.is_some() {
            return;
        }
        let (Some(folder), Some(ours)) = (self.folder.clone(), self.wanted.take()) else { return };
        let base = self.base.clone();
        self.writing = Some(ours.clone());
        self.jobs.start("Writing the settings", move |_| {
            write(&folder, &base, &ours).map_err(|error| format!("the settings could not be saved: {error}\n{}", folder.display()))
        });
    }

    fn written(&mut self, written: Result<(), String>) -> Option<String> {
        let ours = self.writing.take();
        if written.is_ok() {
            self.base = ours.unwrap_or_default();
        }
        self.go_on();
        written.err()
    }
}

/// Writes what was changed since `base` over what the file holds by now.
fn write(folder: &Path, base: &Settings, ours: &Settings) -> io::Result<()> {
    let (found, not_understood) = Settings::read_with_problems(folder);
    if !not_understood.is_empty() {
        fs::copy(folder.join(FILE), folder.join(NOT_UNDERSTOOD))?;
    }
    match found {
        Some(theirs) => together(base, ours, &theirs)?.write(folder),
        None => ours.write(folder),
    }
}

/// The settings of `theirs`, with everything that differs between `base` and `ours`.
fn together(base: &Settings, ours: &Settings, theirs: &Settings) -> io::Result<Settings> {
    let (old, new, mut made) = (fields(base)?, fields(ours)?, fields(theirs)?);
    made.extend(new.into_iter().filter(|(name, value)| old.get(name) != Some(value)));
    let mut made: Settings = serde_json::from_value(Value::Object(made))?;
    made.recent = rows(&base.recent, &ours.recent, &theirs.recent);
    made.recent.sort_by_key(|row| Reverse(row.opened_unix));
    made.recent_comparisons = rows(&base.recent_comparisons, &ours.recent_comparisons, &theirs.recent_comparisons);
    made.recent_comparisons.sort_by_key(|row| Reverse(row.opened_unix));
    made.remarks = rows(&base.remarks, &ours.remarks, &theirs.remarks);
    made.shorten();
    Ok(made)
}

fn fields(settings: &Settings) -> io::Result<Map<String, Value>> {
    match serde_json::to_value(settings)? {
        Value::Object(fields) => Ok(fields),
        _ => Err(io::Error::other("settings are no object")),
    }
}

/// An entry of a list.
trait Row: Clone + PartialEq {
    /// True where both are about the same.
    fn is_same(&self, other: &Self) -> bool;

    /// What is kept where both were changed since `base`.
    fn both(_base: Option<&Self>, ours: &Self, _theirs: &Self) -> Self {
        ours.clone()
    }
}

impl Row for Recent {
    fn is_same(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Row for RecentComparison {
    fn is_same(&self, other: &Self) -> bool {
        (&self.before, &self.after) == (&other.before, &other.after)
    }
}

impl Row for KeptRemarks {
    fn is_same(&self, other: &Self) -> bool {
        self.files == other.files
    }

    fn both(base: Option<&Self>, ours: &Self, theirs: &Self) -> Self {
        let none = Remarks::default();
        let base = base.map_or(&none, |base| &base.remarks);
        Self { files: ours.files.clone(), remarks: Remarks::together(base, &ours.remarks, &theirs.remarks) }
    }
}

/// Entries of a list that two have changed since `base`: first what was changed here, then theirs but for what was taken away here. A list that was emptied here
/// is empty.
fn rows<T: Row>(base: &[T], ours: &[T], theirs: &[T]) -> Vec<T> {
    if ours.is_empty() && !base.is_empty() {
        return Vec::new();
    }
    let find = |rows: &[T], row: &T| rows.iter().position(|other| other.is_same(row));
    let in_base = |row: &T| find(base, row).and_then(|at| base.get(at));
    let changed = ours.iter().filter(|row| in_base(row) != Some(row));
    let mut made: Vec<T> = changed
        .map(|row| match find(theirs, row).and_then(|at| theirs.get(at)).filter(|theirs| in_base(row) != Some(theirs)) {
            Some(theirs) => T::both(in_base(row), row, theirs),
            None => row.clone(),
        })
        .collect();
    let rest = theirs.iter().filter(|row| find(&made, row).is_none() && (find(ours, row).is_some() || in_base(row) != Some(row)));
    let rest: Vec<T> = rest.cloned().collect();
    made.extend(rest);
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::ThemeChoice;

    fn recent(path: &str, opened_unix: i64) -> Recent {
        Recent { path: path.into(), summary: String::new(), bytes: 1, opened_unix }
    }

    fn remark(file: &str, on: &[(Option<&str>, &str)]) -> KeptRemarks {
        let mut remarks = Remarks::default();
        for (function, text) in on {
            remarks.set(*function, text);
        }
        KeptRemarks { files: vec![file.into()], remarks }
    }

    fn window(folder: &Path) -> (Settings, Keeper) {
        let settings = Settings::read(folder);
        (settings.clone(), Keeper::new(Some(folder.to_owned()), settings, true))
    }

    #[test]
    fn two_windows_take_nothing_from_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut before = Settings { remarks: vec![remark("a", &[(None, "old"), (Some("f"), "slow")])], ..Settings::default() };
        before.remember(recent("a", 1));
        before.write(folder.path()).unwrap();
        let ((mut one, mut first), (mut other, mut second)) = (window(folder.path()), window(folder.path()));
        one.theme = ThemeChoice::Dark;
        one.remember(recent("b", 3));
        one.remarks = vec![remark("b", &[(None, "on b")]), remark("a", &[(None, "new"), (Some("f"), "slow"), (Some("g"), "one's")])];
        first.keep(&one);
        assert!(first.take_in().is_none());
        other.flame_row_points = 22.0;
        other.remember(recent("c", 2));
        other.remarks = vec![remark("a", &[(None, "old"), (Some("h"), "other's")])];
        second.keep(&other);
        assert!(second.take_in().is_none());
        let kept = Settings::read(folder.path());
        assert_eq!((kept.theme, kept.flame_row_points), (ThemeChoice::Dark, 22.0));
        assert_eq!(kept.recent.iter().map(|row| row.path.to_str().unwrap()).collect::<Vec<_>>(), ["b", "c", "a"]);
        let both = remark("a", &[(None, "new"), (Some("g"), "one's"), (Some("h"), "other's")]);
        assert_eq!(kept.remarks, [both, remark("b", &[(None, "on b")])]);
        // What did not change since is not written again over what another window did.
        one.theme = ThemeChoice::Light;
        first.keep(&one);
        assert!(first.take_in().is_none());
        let kept = Settings::read(folder.path());
        assert_eq!((kept.theme, kept.flame_row_points, kept.remarks.len(), kept.recent.len()), (ThemeChoice::Light, 22.0, 2, 3));
        one.recent.clear();
        first.keep(&one);
        assert!(first.take_in().is_none());
        assert_eq!(Settings::read(folder.path()).recent, [], "emptied is empty");
    }

    #[test]
    fn what_is_not_understood_is_kept_beside() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        for (text, understood) in [("{ half", false), (r#"{"theme":"sepia","icicle":false,"later":[1]}"#, true)] {
            fs::write(&file, text).unwrap();
            let (mut settings, mut keeper) = window(folder.path());
            assert_eq!(settings.icicle, !understood);
            settings.side_panel = false;
            keeper.keep(&settings);
            assert_eq!(fs::read_to_string(folder.path().join(NOT_UNDERSTOOD)).unwrap(), text);
            let kept = Settings::read(folder.path());
            assert_eq!((kept.side_panel, kept.icicle), (false, !understood));
            assert_eq!(fs::read_to_string(&file).unwrap().contains("\"later\""), understood, "fields of a later version stay");
        }
    }

    #[test]
    fn a_folder_that_takes_nothing_is_said_and_what_was_changed_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("settings");
        fs::write(&place, b"a file").unwrap();
        let (mut settings, mut keeper) = window(&place);
        settings.icicle = false;
        keeper.keep(&settings);
        assert!(keeper.take_in().unwrap().contains("could not be saved"));
        fs::remove_file(&place).unwrap();
        settings.side_panel = false;
        keeper.keep(&settings);
        assert!(keeper.take_in().is_none());
        assert_eq!(Settings::read(&place), settings);
    }

    #[test]
    fn the_last_wish_is_written_before_the_window_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Keeper::new(Some(folder.path().to_owned()), Settings::default(), false);
        let mut settings = Settings::default();
        for points in 14..28 {
            settings.flame_row_points = points as f32;
            keeper.keep(&settings);
        }
        keeper.finish(Duration::from_mins(1));
        assert_eq!(Settings::read(folder.path()), settings);
    }
}
