//! Undo and redo as snapshots of the view with the words of what changed it.

use super::view::ViewState;

/// How many steps are kept.
const LIMIT: usize = 200;

/// Earlier and later views.
#[derive(Clone, Debug, Default)]
pub(super) struct Undo {
    past: Vec<(String, ViewState)>,
    future: Vec<(String, ViewState)>,
}

impl Undo {
    /// Keeps `old`, the view before `label` changed it. Steps of one label in a row that are `merged` (typing, scrolling) stay one.
    pub(super) fn push(&mut self, label: String, old: ViewState, merged: bool) {
        self.future.clear();
        if merged && self.past.last().is_some_and(|(last, _)| *last == label) {
            return;
        }
        if self.past.len() == LIMIT {
            self.past.remove(0);
        }
        self.past.push((label, old));
    }

    /// What the next undo takes back.
    pub(super) fn undo_label(&self) -> Option<&str> {
        self.past.last().map(|(label, _)| label.as_str())
    }

    /// What the next redo does again.
    pub(super) fn redo_label(&self) -> Option<&str> {
        self.future.last().map(|(label, _)| label.as_str())
    }

    /// The view before the last change; it stays where it is.
    pub(super) fn last(&self) -> Option<&ViewState> {
        self.past.last().map(|(_, view)| view)
    }

    /// The view before the last change.
    pub(super) fn undo(&mut self, now: ViewState) -> Option<ViewState> {
        let (label, view) = self.past.pop()?;
        self.future.push((label, now));
        Some(view)
    }

    /// The view that the last undo left.
    pub(super) fn redo(&mut self, now: ViewState) -> Option<ViewState> {
        let (label, view) = self.future.pop()?;
        self.past.push((label, now));
        Some(view)
    }

    /// Forgets everything, for when captures are closed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
