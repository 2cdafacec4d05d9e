//! One panel a file; each is a function of the context that sends commands and owns nothing.

pub mod call_tree;
mod captures;
mod choose;
pub(crate) mod details;
pub(crate) mod flame;
pub(crate) mod hot_paths;
pub(crate) mod info;
pub(crate) mod matching;
pub(crate) mod present;
pub(crate) mod regressions;
pub(super) mod remarks;
mod rows;
pub(crate) mod sandwich;
pub(crate) mod source;
pub mod top;
pub(crate) mod trend;
pub(crate) mod welcome;
mod words;

use super::cx::{Cx, Outbox};

/// A panel as the picture tests see it.
pub struct Panel {
    /// Stable name: that of its file.
    pub name: &'static str,
    /// Draws it.
    pub ui: fn(&mut egui::Ui, &Cx<'_>, &mut Outbox),
}

/// All panels.
pub static PANELS: &[Panel] = &[
    Panel { name: "call_tree", ui: call_tree::ui },
    Panel { name: "details", ui: details::ui },
    Panel { name: "flame", ui: flame::ui },
    Panel { name: "hot_paths", ui: hot_paths::ui },
    Panel { name: "info", ui: info::ui },
    Panel { name: "matching", ui: matching::ui },
    Panel { name: "present", ui: present::ui },
    Panel { name: "regressions", ui: regressions::ui },
    Panel { name: "sandwich", ui: sandwich::ui },
    Panel { name: "source", ui: source::ui },
    Panel { name: "top", ui: top::ui },
    Panel { name: "trend", ui: trend::ui },
    Panel { name: "welcome", ui: welcome::ui },
];
