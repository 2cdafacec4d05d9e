//! What a user sets once, and the files opened lately. Kept as JSON in the platform's configuration folder.
//!
//! Written to a new file that replaces the old one, so a crash never leaves half a file. Fields that are missing or not understood have their defaults, and those
//! of a later version stay in the file. Several windows share it (`keeper`).

mod keeper;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(in crate::app) use keeper::Keeper;

use super::remarks::KeptRemarks;
use super::save;
use super::source::SourceSpec;

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeChoice {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A file opened before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// Where it is.
    pub path: PathBuf,
    /// Format and what it holds, for the welcome page.
    pub summary: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was opened, seconds since 1970.
    pub opened_unix: i64,
}

/// A comparison opened before: the files of its sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentComparison {
    /// Files before.
    pub before: Vec<PathBuf>,
    /// Files after.
    pub after: Vec<PathBuf>,
    /// When it was opened, seconds since 1970.
    pub opened_unix: i64,
}

/// How many recent files are kept, and how many comparisons.
const RECENT_LIMIT: usize = 20;

/// Of how many comparisons and captures remarks are kept.
const REMARKS_LIMIT: usize = 200;

/// The file in the folder.
const FILE: &str = "settings.json";

/// Everything that outlives a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// Colours.
    pub theme: ThemeChoice,
    /// Root on top (icicle) or at the bottom (flame).
    pub icicle: bool,
    /// Height of a flame box in points, 14 to 28.
    pub flame_row_points: f32,
    /// True where nothing should move by itself.
    pub reduced_motion: bool,
    /// Right side visible.
    pub side_panel: bool,
    /// What part of its height the details of the selection have, 0 to 1.
    pub details_share: f32,
    /// Strip of the captures' time visible.
    pub timeline: bool,
    /// Folders in which binaries are looked for, each with the path of the capture's machine below it.
    pub symbol_roots: Vec<PathBuf>,
    /// Whether looked-up symbols are kept in the platform's cache folder.
    pub symbol_cache: bool,
    /// Whether debuginfod servers are asked for debug files. Off until the user wants it: it tells them which programs ran.
    pub debuginfod: bool,
    /// The servers, separated by blanks; empty = those of `DEBUGINFOD_URLS`.
    pub debuginfod_servers: String,
    /// Where source files are looked for.
    pub source: SourceSpec,
    /// Files opened lately, newest first.
    pub recent: Vec<Recent>,
    /// Comparisons opened lately, newest first.
    pub recent_comparisons: Vec<RecentComparison>,
    /// What was written about captures and comparisons, newest first.
    pub remarks: Vec<KeptRemarks>,
    /// What a later version keeps here.
    #[serde(flatten)]
    pub later: Map<String, Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            icicle: true,
            flame_row_points: 18.0,
            reduced_motion: false,
            side_panel: true,
            details_share: 0.42,
            timeline: true,
            symbol_roots: Vec::new(),
            symbol_cache: true,
            debuginfod: false,
            debuginfod_servers: String::new(),
            source: SourceSpec::default(),
            recent: Vec::new(),
            recent_comparisons: Vec::new(),
            remarks: Vec::new(),
            later: Map::new(),
        }
    }
}

impl Settings {
    /// The folder of this user's settings, where the platform has one.
    pub fn folder() -> Option<PathBuf> {
        directories::ProjectDirs::from("io.github", "emberlens", "emberlens").map(|dirs| dirs.config_dir().to_owned())
    }

    /// Reads the settings of a folder; defaults where there are none.
    pub fn read(folder: &Path) -> Self {
        Self::read_with_problems(folder).0.unwrap_or_default()
    }

    /// The same, `None` where there is no file or nothing in it was understood, and what was not: names of fields, or why it is no JSON.
    fn read_with_problems(folder: &Path) -> (Option<Self>, Vec<String>) {
        let Ok(bytes) = fs::read(folder.join(FILE)) else { return (None, Vec::new()) };
        let fields = match serde_json::from_slice::<Map<String, Value>>(&bytes) {
            Ok(fields) => fields,
            Err(error) => return (None, vec![error.to_string()]),
        };
        let alone = |name: &String, value: &Value| Self::of_fields(std::iter::once((name.clone(), value.clone())).collect()).is_some();
        let (understood, others): (Map<_, _>, Map<_, _>) = fields.into_iter().partition(|(name, value)| alone(name, value));
        (Self::of_fields(understood), others.into_iter().map(|(name, _)| name).collect())
    }

    fn of_fields(fields: Map<String, Value>) -> Option<Self> {
        serde_json::from_value(Value::Object(fields)).ok()
    }

    /// [`read`](Self::read), and what was not understood in words for the user; `None` where all was.
    pub(in crate::app) fn read_and_say(folder: &Path) -> (Self, Option<String>) {
        let (found, problems) = Self::read_with_problems(folder);
        let what = (!problems.is_empty()).then(|| problems.join(", "));
        let said = what
            .map(|what| format!("Not understood in the settings, which are as at first there: {what}\n{}", folder.join(FILE).display()));
        (found.unwrap_or_default(), said)
    }

    /// Writes the settings into a folder.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        save::write(&folder.join(FILE), &serde_json::to_vec_pretty(self)?)
    }

    /// Leaves out the oldest of what is too much.
    fn shorten(&mut self) {
        self.recent.truncate(RECENT_LIMIT);
        self.recent_comparisons.truncate(RECENT_LIMIT);
        self.remarks.truncate(REMARKS_LIMIT);
    }

    /// Keeps what was written about files, before all others.
    pub(super) fn keep_remarks(&mut self, kept: KeptRemarks) {
        self.remarks.retain(|old| old.files != kept.files);
        // JSON has no names of files that are no text.
        if kept.files.iter().all(|file| file.to_str().is_some()) {
            self.remarks.insert(0, kept);
        }
        self.shorten();
    }

    /// Puts a file to the front of the recent ones.
    pub fn remember(&mut self, recent: Recent) {
        if recent.path.to_str().is_some() {
            self.recent.retain(|old| old.path != recent.path);
            self.recent.insert(0, recent);
        }
        self.shorten();
    }

    /// Puts a comparison to the front of the recent ones.
    pub fn remember_comparison(&mut self, recent: RecentComparison) {
        if recent.before.iter().chain(&recent.after).all(|path| path.to_str().is_some()) {
            self.recent_comparisons.retain(|old| (&old.before, &old.after) != (&recent.before, &recent.after));
            self.recent_comparisons.insert(0, recent);
        }
        self.shorten();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_a_restart_and_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings { icicle: false, ..Settings::default() };
        for n in 0..30 {
            settings.remember(Recent { path: format!("{n}.pb.gz").into(), summary: String::new(), bytes: n, opened_unix: 0 });
        }
        settings.write(folder.path()).unwrap();
        let read = Settings::read(folder.path());
        assert_eq!(read, settings);
        assert_eq!((read.recent.len(), read.recent[0].bytes), (RECENT_LIMIT, 29));
        fs::write(folder.path().join("settings.json"), b"{ half").unwrap();
        assert_eq!(Settings::read(folder.path()), Settings::default());
    }
}
