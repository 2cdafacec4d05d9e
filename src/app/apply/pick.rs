//! Commands that select, zoom and unfold.

use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::unfold;
use crate::app::App;
use crate::app::command::Command;
use crate::app::view::{FlameWindow, Half, Pinned, SandwichWindow, Selection, Tab};

pub(super) fn apply(app: &mut App, command: Command) {
    match command {
        Command::Select(selection) => {
            app.view.selection = selection;
            app.view.sandwich.pinned = None;
        }
        Command::Sandwich(place) => {
            app.view.selection = Some(Selection { place, path: Vec::new() });
            app.view.sandwich.pinned = None;
            app.view.tab = Tab::Sandwich;
        }
        Command::SelectInSandwich(half, path) => select_in_sandwich(app, half, path),
        Command::SetSandwichWindow(window) => app.view.sandwich.window = sane_sandwich(window),
        Command::NextMatch => step_match(app, 1),
        Command::PreviousMatch => step_match(app, -1),
        Command::SelectFinding(rank) => app.select_finding(rank.saturating_sub(1)),
        Command::NextFinding => step_finding(app, 1),
        Command::PreviousFinding => step_finding(app, -1),
        Command::Present(on) => app.view.presenting = on && app.view.after.is_some(),
        Command::SetUnfolded(path, true) => {
            app.view.unfolded.insert(path);
        }
        Command::SetUnfolded(path, false) => {
            app.view.unfolded.remove(&path);
        }
        Command::FoldAll => app.view.unfolded.clear(),
        Command::UnfoldHeaviest => unfold_heaviest(app),
        Command::UnfoldAll => unfold_all(app),
        Command::Reveal => {
            reveal(app);
        }
        Command::SetWindow(window) => app.view.window = sane(window),
        Command::ResetZoom if app.view.tab == Tab::Sandwich => app.view.sandwich.window = SandwichWindow::default(),
        Command::ResetZoom => app.view.window = FlameWindow::default(),
        Command::ZoomIn => zoom(app, 0.5),
        Command::ZoomOut => zoom(app, 2.0),
        Command::ZoomToSelection => zoom_to_selection(app),
        _ => {}
    }
}

fn sane(window: FlameWindow) -> FlameWindow {
    let left = if window.left.is_finite() { window.left.clamp(0.0, 1.0) } else { 0.0 };
    let right = if window.right.is_finite() { window.right.clamp(0.0, 1.0) } else { 1.0 };
    let scroll_rows = if window.scroll_rows.is_finite() { window.scroll_rows.max(0.0) } else { 0.0 };
    if right > left { FlameWindow { left, right, scroll_rows } } else { FlameWindow { scroll_rows, ..FlameWindow::default() } }
}

fn sane_sandwich(window: SandwichWindow) -> SandwichWindow {
    let [callers, callees] = [Half::Callers, Half::Callees].map(|half| sane(window.of(half)));
    SandwichWindow { scroll_rows: [callers.scroll_rows, callees.scroll_rows], left: callees.left, right: callees.right }
}

/// Selects a box of the sandwich in front, which stays what it is. The function itself is a selection like any other.
fn select_in_sandwich(app: &mut App, half: Half, path: Vec<String>) {
    let Some(of) = app.view.sandwich_of().map(str::to_owned) else { return };
    let place = path.last().unwrap_or(&of).clone();
    app.view.selection = Some(Selection { place, path: Vec::new() });
    app.view.sandwich.pinned = (!path.is_empty()).then_some(Pinned { of, half, path });
}

fn zoom(app: &mut App, factor: f64) {
    if app.view.tab == Tab::Sandwich {
        let window = app.view.sandwich.window;
        app.view.sandwich.window = window.with(Half::Callees, zoomed(window.of(Half::Callees), factor));
    } else {
        app.view.window = zoomed(app.view.window, factor);
    }
}

fn zoomed(window: FlameWindow, factor: f64) -> FlameWindow {
    let (middle, half) = (f64::midpoint(window.left, window.right), (window.right - window.left) * factor / 2.0);
    // Shifted back inside where an edge would leave the picture.
    let half = half.clamp(1e-12, 0.5);
    let left = (middle - half).clamp(0.0, 1.0 - 2.0 * half);
    sane(FlameWindow { left, right: left + 2.0 * half, ..window })
}

fn zoom_to_selection(app: &mut App) {
    if app.view.tab == Tab::Sandwich {
        zoom_to_pinned(app);
        return;
    }
    let Some((layout, comparison, _)) = app.shown_flame() else { return };
    let Some(node) = app.selected_node(comparison) else { return };
    let Some(span) = layout.node_span(node) else { return };
    let scroll_rows = app.view.window.scroll_rows.min(comparison.tree().depth(node) as f32);
    app.view.window = sane(FlameWindow { left: span.start, right: span.end, scroll_rows });
}

/// Fits the selected box of the sandwich; without one it is the function itself, which is as wide as all.
fn zoom_to_pinned(app: &mut App) {
    let window = app.view.sandwich.window;
    let fitted = app.view.sandwich.pinned.as_ref().and_then(|pinned| {
        let (shown, _) = app.shown_sandwich()?;
        let (tree, layout) = match pinned.half {
            Half::Callers => (&shown.sandwich.callers, &shown.flame.callers),
            Half::Callees => (&shown.sandwich.callees, &shown.flame.callees),
        };
        let node = tree.find(&pinned.path)?;
        let (span, row) = (layout.node_span(node)?, layout.node_row(node)?);
        let shown = window.of(pinned.half);
        let scroll_rows = shown.scroll_rows.min(row as f32);
        Some(window.with(pinned.half, sane(FlameWindow { left: span.start, right: span.end, scroll_rows })))
    });
    app.view.sandwich.window = fitted.unwrap_or(SandwichWindow { left: 0.0, right: 1.0, ..window });
}

fn selection_of(comparison: &Comparison, node: NodeId) -> Selection {
    Selection { place: comparison.places().name(comparison.tree().place(node)).to_owned(), path: App::names_of(comparison, node) }
}

/// Selects the next or previous node whose place matches the search, in tree order, around the ends.
fn step_match(app: &mut App, step: isize) {
    let (Some(matches), Some(comparison)) = (app.matches().ready(), app.comparison().ready()) else { return };
    let found: Vec<NodeId> = matches.nodes_of(comparison).collect();
    let at = app.selected_node(comparison);
    let next = if step > 0 {
        found.iter().find(|&&node| at.is_none_or(|at| node > at)).or_else(|| found.first())
    } else {
        found.iter().rev().find(|&&node| at.is_none_or(|at| node < at)).or_else(|| found.last())
    };
    let selection = next.map(|&node| selection_of(comparison, node));
    if selection.is_some() {
        app.view.selection = selection;
        app.steps_taken += 1;
    }
}

/// Goes through the findings as they stand on screen, around the ends. In a presentation the summary with all of the picture stands between the last
/// and the first one.
fn step_finding(app: &mut App, step: isize) {
    let order = app.finding_order();
    if order.is_empty() {
        return;
    }
    let at = app.selected_finding().and_then(|row| order.iter().position(|&other| other == row));
    let at_end = if step > 0 { at == Some(order.len() - 1) } else { at == Some(0) };
    if at_end && app.view.is_presented() {
        app.view.selection = None;
        app.view.window = FlameWindow::default();
        return;
    }
    let next = match at {
        Some(at) => (at as isize + step).rem_euclid(order.len() as isize) as usize,
        None if step > 0 => 0,
        None => order.len() - 1,
    };
    app.select_finding(order[next]);
}

fn unfold_heaviest(app: &mut App) {
    let Some(comparison) = app.comparison().ready().cloned() else { return };
    let mut at = reveal(app).unwrap_or(CallTree::ROOT);
    let mut path = App::names_of(&comparison, at);
    while let Some(&heaviest) = unfold::children(&comparison, at).first() {
        if at != CallTree::ROOT {
            app.view.unfolded.insert(path.clone());
        }
        path.push(comparison.places().name(comparison.tree().place(heaviest)).to_owned());
        at = heaviest;
    }
}

/// How many nodes one command unfolds: more rows than anyone reads, few enough to be saved and undone.
const UNFOLD_LIMIT: usize = 1000;

fn unfold_all(app: &mut App) {
    let Some(comparison) = app.comparison().ready().cloned() else { return };
    let at = reveal(app).unwrap_or(CallTree::ROOT);
    let (nodes, complete) = unfold::all_below(&comparison, at, UNFOLD_LIMIT);
    app.view.unfolded.extend(nodes.into_iter().map(|node| App::names_of(&comparison, node)));
    if !complete {
        app.say(format!("Only the {UNFOLD_LIMIT} heaviest nodes were unfolded; select one further down to go on"), false);
    }
}

/// Unfolds the callers of the selected node and gives it.
fn reveal(app: &mut App) -> Option<NodeId> {
    let comparison = app.comparison().ready()?;
    let node = app.selected_node(comparison)?;
    let path = App::names_of(comparison, node);
    app.view.unfolded.extend((1..path.len()).filter_map(|end| path.get(..end)).map(<[String]>::to_vec));
    Some(node)
}
