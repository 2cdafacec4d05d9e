//! What every panel gets: the app to read, the theme, the time; and the box for the commands it sends.

use super::theme::Theme;
use crate::app::{App, Command};

/// The read-only context of one frame.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The product; panels read it and change nothing.
    pub app: &'a App,
    /// Colours, sizes, fonts.
    pub theme: &'a Theme,
    /// Seconds on the window's clock; panels read no other.
    pub now: f64,
    /// The calendar at this frame, in seconds since 1970.
    pub unix_seconds: i64,
    /// Hides the few texts that differ from run to run (times, progress).
    pub is_test: bool,
}

/// Commands that a frame's panels send, in order.
#[derive(Debug, Default)]
pub struct Outbox(Vec<Command>);

impl Outbox {
    /// Sends a command; it is done after the frame.
    pub fn send(&mut self, command: Command) {
        self.0.push(command);
    }

    /// Takes all commands out.
    pub fn take(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.0)
    }
}
