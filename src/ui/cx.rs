//! What every panel gets: the app to read, the theme, the time; and the box for the commands it sends.

use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::theme::Theme;
use crate::app::{App, Command};

/// The read-only context of one frame.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The product; panels read it and change nothing.
    pub app: &'a App,
    /// Colours, sizes, fonts.
    pub theme: &'a Theme,
    /// What the disk said of paths that panels asked about.
    pub disk: &'a Disk,
    /// Seconds on the window's clock; panels read no other.
    pub now: f64,
    /// The calendar at this frame, in seconds since 1970.
    pub unix_seconds: i64,
    /// Hides the few texts that differ from run to run (times, progress).
    pub is_test: bool,
}

/// Commands that a frame's panels send, in order, and the paths that they ask the disk about.
#[derive(Debug, Default)]
pub struct Outbox {
    commands: Vec<Command>,
    paths: Vec<PathBuf>,
}

impl Outbox {
    /// Sends a command; it is done after the frame.
    pub fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Takes all commands out.
    pub fn take(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Asks what stands under a path; see [`Disk::of`].
    pub(super) fn ask(&mut self, path: &Path) {
        if !self.paths.iter().any(|asked| asked == path) {
            self.paths.push(path.to_owned());
        }
    }

    /// Takes out what the disk shall be asked about.
    pub(super) fn paths(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.paths)
    }
}
