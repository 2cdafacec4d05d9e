//! What a box says when the pointer is on it: its name, its values, and what they are a part of.

use egui::{Grid, RichText, Ui};

use super::graph::{Graph, Meaning};
use crate::analysis::comparison::percent;
use crate::analysis::diff::mark;
use crate::analysis::{CallTree, NodeId};
use crate::model::counted;
use crate::ui::cx::Cx;
use crate::ui::panels::{rows, words};
use crate::ui::theme::fonts;

/// Draws the words.
pub(super) fn ui(ui: &mut Ui, cx: &Cx<'_>, graph: &Graph<'_>, node: NodeId) {
    let comparison = &**graph.comparison;
    let tree = comparison.tree();
    let place = comparison.places().get(tree.place(node));
    ui.set_max_width(520.0);
    // Lines of a tooltip stand close: nothing in it is pressed.
    ui.spacing_mut().interact_size.y = 0.0;
    ui.spacing_mut().item_spacing.y = 3.0;
    let name: &str = if node == CallTree::ROOT { "all samples" } else { &place.name };
    ui.label(RichText::new(words::whole(name)).font(fonts::table()).strong().color(cx.theme.text));
    if let Some(matched) = comparison.shape.matching.of(tree.place(node)) {
        ui.label(RichText::new(matched.words(name)).color(cx.theme.muted).font(fonts::small()));
    }
    let sides = rows::of_sides(ui, cx, graph.comparison, tree.place(node), "place in the tooltip on each side");
    words::origin_ui(ui, cx.theme, place, &sides);
    let parent = tree.parent(node).unwrap_or(CallTree::ROOT);
    let (first, above) = match graph.meaning {
        Meaning::Total | Meaning::Callee => ("total", "caller"),
        Meaning::SelfValue => ("self", "callee"),
        Meaning::Caller => ("on this path", "callee"),
    };
    // A box that is on the way to where the cost is has none of its own.
    let has_self = matches!(graph.meaning, Meaning::Total | Meaning::Callee);
    // The root of a sandwich holds what has nothing to do with its function.
    let has_parent = !(parent == CallTree::ROOT && matches!(graph.meaning, Meaning::Caller | Meaning::Callee));
    Grid::new("values").num_columns(4).spacing([16.0, 2.0]).show(ui, |ui| match comparison.pair() {
        None => {
            let Some(side) = comparison.last() else { return };
            let of = side.denominator();
            let total = side.weights.total_of(node);
            let values = [(first, total, above, side.weights.total_of(parent)), ("self", side.weights.self_of(node), "its total", total)];
            for (title, value, whole, of_whole) in values.into_iter().take(if has_self { 2 } else { 1 }) {
                ui.label(RichText::new(title).color(cx.theme.muted));
                ui.label(words::number(&words::value(comparison, value)));
                ui.label(words::number(&words::share(value as f64, of)));
                if has_parent || whole != above {
                    ui.label(RichText::new(format!("{} of {whole}", words::share(value as f64, of_whole as f64))).color(cx.theme.muted));
                }
                ui.end_row();
            }
        }
        Some((before, after)) => {
            words::head_row(ui, cx.theme);
            let (b, a) = (comparison.total_of(before, node), comparison.total_of(after, node));
            let self_ = ("self", comparison.self_of(before, node), comparison.self_of(after, node));
            let values = if has_self { vec![(first, b, a), self_] } else { vec![(first, b, a)] };
            // As the box itself: what is said below to be within noise has no colour above.
            let sure = graph.changes.as_ref().is_none_or(|(nodes, _)| words::is_certain(nodes, node));
            for (title, b, a) in values {
                words::value_row(ui, cx.theme, comparison, title, [b, a], sure);
            }
        }
    });
    if let Some((nodes, _)) = &graph.changes
        && let (Some(&certainty), Some(&effect)) = (nodes.certainty.get(node.row()), nodes.effect.get(node.row()))
    {
        let text = if effect.abs() < 1e-6 {
            "unchanged".to_owned()
        } else if !words::is_certain(nodes, node) {
            "within noise, or too few samples to tell".to_owned()
        } else {
            // No sample is proof: what rounds to all of it is more than what is said.
            let certain = if certainty >= 0.999 { "over 99.9 %".to_owned() } else { percent(f64::from(certainty)) };
            format!("certainty of a change: {certain}")
        };
        ui.label(RichText::new(text).color(cx.theme.muted));
        if nodes.marks.get(node.row()).is_some_and(|marks| marks & mark::CHURN != 0) {
            ui.label(RichText::new("Below it, rises and falls cancel each other").color(cx.theme.text));
        }
    }
    let below = tree.subtree_end(node) - node.row() - 1;
    if graph.layout.total() > 0 && below > 0 {
        let (one, many) =
            if graph.meaning == Meaning::Caller { ("caller further out", "callers further out") } else { ("box below", "boxes below") };
        ui.label(RichText::new(counted(below as u64, one, many)).color(cx.theme.muted).font(fonts::small()));
    }
    ui.label(RichText::new(comparison.denominator_text()).color(cx.theme.muted).font(fonts::small()));
}
