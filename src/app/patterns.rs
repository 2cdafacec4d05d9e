//! The patterns of filters that mean what is selected: exactly its names, whatever stands in them.
//!
//! Deliberately absent: what a pattern does; see `analysis::filter`.

use super::App;
use super::view::Tab;
use crate::analysis::call_tree::Direction;
use crate::analysis::filter::{exactly, or};

/// A pattern that every name matches.
pub const EVERYTHING: &str = ".";

/// True where a pattern means every name, as a key or as the command line writes it.
pub fn is_everything(pattern: &str) -> bool {
    matches!(pattern, EVERYTHING | "/./")
}

impl App {
    /// A pattern that matches exactly the selected place, by all names that it has.
    pub fn selected_pattern(&self) -> Option<String> {
        self.view.selection.as_ref().map(|selection| self.pattern_of(&selection.place))
    }

    /// The same for a place by name.
    fn pattern_of(&self, name: &str) -> String {
        let mut names = vec![name.to_owned()];
        if let Some(table) = self.table().ready()
            && let Some(matched) = table.places().find(name).and_then(|place| table.shape.matching.of(place))
        {
            names = matched.before.iter().chain(&matched.after).cloned().collect();
            names.sort_unstable();
            names.dedup();
        }
        exactly(&names)
    }

    /// The selected place beside what a pattern matches already.
    pub(super) fn selected_beside(&self, old: Option<&str>) -> Option<String> {
        let new = self.selected_pattern()?;
        Some(old.map_or_else(|| new.clone(), |old| or(old, &new)))
    }

    /// The functions whose recursion is collapsed once the selected one's is, or, without a selection, that of all.
    pub(super) fn recursion_of_selected(&self, old: Option<&str>) -> Option<String> {
        self.view.after?;
        Some(self.selected_beside(old.filter(|old| !is_everything(old))).unwrap_or_else(|| EVERYTHING.to_owned()))
    }

    /// The path to the selected box as patterns, from the outermost frame of all samples on.
    pub(super) fn selected_subtree(&self) -> Option<Vec<String>> {
        let is_tree = matches!(self.view.tab, Tab::Flame | Tab::CallTree) && self.view.direction == Direction::TopDown;
        let selection = self.view.selection.as_ref().filter(|_| is_tree)?;
        let table = self.table().ready()?;
        // The box itself, and not the heaviest of its function.
        let places: Vec<_> = selection.path.iter().map(|name| table.places().find(name)).collect::<Option<_>>()?;
        table.tree().find_path(places).filter(|_| !selection.path.is_empty())?;
        // What is shown begins with the last frame of the path that was chosen before.
        let known = self.view.filter.subtree.split_last().map_or(&[][..], |(_, above)| above);
        Some(known.iter().cloned().chain(selection.path.iter().map(|name| self.pattern_of(name))).collect())
    }
}
