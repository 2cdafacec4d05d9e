//! What was zoomed to stays in the picture when filters or another sample type lay the picture out anew.
//!
//! The part of a flame graph that is on screen is a range of its width, which means another part of the program in another layout. So it is held by the
//! box around it until the new layout is there. Deliberately absent: undo, which brings back a view with the range that belongs to it.
//! Start reading at [`Anchor`].

use std::sync::Arc;

use super::App;
use super::derived::Key;
use super::view::{FlameWindow, ViewState};
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::flame::FlameLayout;

/// The box around what is on screen, and where in it that is.
pub(super) struct Anchor {
    /// Names from the root to the box.
    path: Vec<String>,
    /// Edges of the window as parts of the box.
    left: f64,
    right: f64,
    /// Rows of the window beyond that of the box.
    scroll_rows: f32,
}

/// What a command may lay out anew: the key of the picture, and the picture where it is there.
pub(super) struct Before {
    key: Option<Key>,
    drawn: Option<(Arc<FlameLayout>, Arc<Comparison>)>,
}

impl Anchor {
    /// Of several boxes around the window the narrowest counts, of those of one width the nearest to the root, unless the selected one is among them.
    ///
    /// Boxes lie within those of their callers, so it is found on one path down from the root.
    fn new(layout: &FlameLayout, comparison: &Comparison, selected: Option<NodeId>, window: FlameWindow) -> Option<Self> {
        let (slack, tree) = (1e-9, comparison.tree());
        let around =
            |node: NodeId| layout.node_span(node).filter(|span| span.start <= window.left + slack && span.end >= window.right - slack);
        let width = |node: NodeId| around(node).map_or(f64::INFINITY, |span| span.end - span.start);
        let (mut narrowest, mut inner) = (CallTree::ROOT, Some(CallTree::ROOT));
        while let Some(node) = inner {
            narrowest = if width(node) < width(narrowest) { node } else { narrowest };
            inner = tree.children(node).find(|&callee| around(callee).is_some());
        }
        let node = selected.filter(|&node| width(node) <= width(narrowest) + slack).unwrap_or(narrowest);
        let span = around(node)?;
        let part = |at: f64| ((at - span.start) / (span.end - span.start)).clamp(0.0, 1.0);
        let row = layout.node_row(node)? as f32;
        Some(Self {
            path: App::names_of(comparison, node),
            left: part(window.left),
            right: part(window.right),
            scroll_rows: window.scroll_rows - row,
        })
    }

    /// The same part of the box in another layout; of its caller where the box is not in it.
    fn window(&self, layout: &FlameLayout, comparison: &Comparison) -> FlameWindow {
        let places: Vec<_> = self.path.iter().map_while(|name| comparison.places().find(name)).collect();
        let found = (1..=places.len()).rev().find_map(|length| {
            let node = comparison.tree().find_path(places.iter().take(length).copied())?;
            let (span, row) = (layout.node_span(node)?, layout.node_row(node)?);
            (span.end > span.start).then_some((length == self.path.len(), span, row))
        });
        let Some((is_whole_path, span, row)) = found else { return FlameWindow::default() };
        let (left, right) = if is_whole_path { (self.left, self.right) } else { (0.0, 1.0) };
        let at = |part: f64| span.start + part * (span.end - span.start);
        FlameWindow { left: at(left), right: at(right), scroll_rows: (self.scroll_rows + row as f32).max(0.0) }
    }
}

impl App {
    /// The picture before a command, where a part of it is on screen.
    pub(super) fn before_command(&self) -> Option<Before> {
        let is_zoomed = self.view.window != FlameWindow::default();
        is_zoomed.then(|| Before { key: self.flame_key(), drawn: self.flame().ready().cloned().zip(self.comparison().ready().cloned()) })
    }

    /// Remembers what was on screen, where the command left the window as it was and the picture will be another one.
    pub(super) fn hold_window(&mut self, before: Option<Before>, old: &ViewState, is_history: bool) {
        if is_history || self.view.window != old.window {
            self.anchor = None;
            return;
        }
        let Some(before) = before.filter(|before| before.key.is_some() && before.key != self.flame_key()) else { return };
        // What is held already belongs to a picture that never came.
        if let (Some((layout, comparison)), None) = (before.drawn, &self.anchor) {
            let selected = old.selection.as_ref().and_then(|selection| {
                let path: Option<Vec<_>> = selection.path.iter().map(|name| comparison.places().find(name)).collect();
                path.filter(|path| !path.is_empty()).and_then(|path| comparison.tree().find_path(path))
            });
            self.anchor = Anchor::new(&layout, &comparison, selected, old.window);
        }
    }

    /// Puts the window where what was held is, once the new picture is there.
    pub(super) fn set_held_window(&mut self) {
        if self.anchor.is_none() {
            return;
        }
        let Some((layout, comparison)) = self.flame().ready().cloned().zip(self.comparison().ready().cloned()) else { return };
        if let Some(anchor) = self.anchor.take() {
            self.view.window = anchor.window(&layout, &comparison);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{Command, Options};

    fn app(name: &str) -> App {
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let mut app = App::new(Options { inline: true, ..Options::default() });
        app.apply(Command::Open(vec![sample]));
        app.settle();
        app
    }

    fn apply(app: &mut App, command: Command) -> FlameWindow {
        app.apply(command);
        app.settle();
        app.view().window
    }

    /// Selects the widest box of a function and fits it.
    fn zoom_to(app: &mut App, name: &str) -> FlameWindow {
        let (node, comparison) = {
            let comparison = app.comparison().ready().expect("a comparison").clone();
            let place = comparison.places().find(name).expect("a place");
            let nodes = comparison.tree().nodes().filter(|&node| comparison.tree().place(node) == place);
            (nodes.max_by(|&a, &b| comparison.weight_of(a).total_cmp(&comparison.weight_of(b))).expect("a node"), comparison)
        };
        let path = App::names_of(&comparison, node);
        apply(app, Command::Select(Some(crate::app::view::Selection { place: name.to_owned(), path })));
        apply(app, Command::ZoomToSelection)
    }

    fn span(app: &App) -> (f64, f64) {
        let (layout, comparison) = (app.flame().ready().expect("boxes"), app.comparison().ready().expect("a comparison"));
        let span = layout.node_span(app.selected_node(comparison).expect("it is selected")).expect("it has a width");
        (span.start, span.end)
    }

    const NAME: &str = "orders/internal/pricing.(*Engine).Discount";

    #[test]
    fn what_was_zoomed_to_stays_on_screen_under_filters_and_undo_brings_both_back() {
        let mut app = app("orders-cpu-after.pb.gz");
        let zoomed = zoom_to(&mut app, NAME);
        assert!(zoomed.right - zoomed.left < 0.5, "{zoomed:?}");
        let focused = apply(&mut app, Command::Focus("Discount".to_owned()));
        assert_eq!((focused.left, focused.right), span(&app), "the box still fills the picture");
        assert_ne!(focused, zoomed);
        assert_eq!(apply(&mut app, Command::Undo), zoomed);
        assert_eq!((zoomed.left, zoomed.right), span(&app));
        assert_eq!(apply(&mut app, Command::Redo), focused);
        let other = apply(&mut app, Command::SetLabels(vec![("endpoint".to_owned(), "place-order".to_owned())]));
        assert_eq!((other.left, other.right), span(&app));
        let gone = apply(&mut app, Command::SetLabels(vec![("endpoint".to_owned(), "search".to_owned())]));
        assert!(gone.right - gone.left > 0.5, "nothing of it is left, and what called it is wide: {gone:?}");
    }

    #[test]
    fn another_sample_type_shows_the_same_function() {
        let mut app = app("orders-heap-after.pb.gz");
        let zoomed = zoom_to(&mut app, NAME);
        assert_ne!(zoomed, FlameWindow::default());
        let other = apply(&mut app, Command::SetSampleType("alloc_objects".to_owned(), "count".to_owned()));
        assert_eq!((other.left, other.right), span(&app));
        assert_ne!(other, zoomed);
    }
}
