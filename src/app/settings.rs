//! What a user sets once, and the files opened lately. Kept as JSON in the platform's configuration folder.
//!
//! Written to a new file that replaces the old one, so a crash never leaves half a file; unknown fields are kept out of the way by
//! defaults, an unreadable file counts as none.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
        fs::read(folder.join("settings.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes the settings into a folder.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        save::write(&folder.join("settings.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// Puts a file to the front of the recent ones.
    pub fn remember(&mut self, recent: Recent) {
        self.recent.retain(|old| old.path != recent.path);
        self.recent.insert(0, recent);
        self.recent.truncate(RECENT_LIMIT);
    }

    /// Puts a comparison to the front of the recent ones.
    pub fn remember_comparison(&mut self, recent: RecentComparison) {
        self.recent_comparisons.retain(|old| (&old.before, &old.after) != (&recent.before, &recent.after));
        self.recent_comparisons.insert(0, recent);
        self.recent_comparisons.truncate(RECENT_LIMIT);
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
