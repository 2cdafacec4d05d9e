//! The laws of the layout, against a layout made the slow way.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A tree as preorder depths and the width that each node adds.
#[derive(Clone, Debug)]
struct Tree {
    depths: Vec<u32>,
    parents: Vec<Option<NodeId>>,
    self_width: Vec<u64>,
}

fn node(row: usize) -> NodeId {
    NodeId::from_row(row).unwrap()
}

impl Tree {
    /// Preorder depths; a depth too large for its place is lowered to one below its predecessor.
    fn new(depths: impl IntoIterator<Item = u32>, self_width: Vec<u64>) -> Self {
        let mut path: Vec<usize> = Vec::new();
        let mut tree = Self { depths: Vec::new(), parents: Vec::new(), self_width };
        for (row, depth) in depths.into_iter().enumerate() {
            path.truncate(depth as usize);
            tree.parents.push(path.last().map(|&row| node(row)));
            tree.depths.push(path.len() as u32);
            path.push(row);
        }
        tree.self_width.resize(tree.depths.len(), 0);
        tree
    }

    fn layout(&self) -> FlameLayout {
        FlameLayout::build(Shape { parents: &self.parents, depths: &self.depths }, &self.self_width, &Ticket::new()).unwrap()
    }

    /// Start and end of every node, straight from the definition.
    fn spans(&self) -> Vec<(u64, u64)> {
        let total = |row: usize| -> u64 {
            let inside = |at: usize| std::iter::successors(Some(node(at)), |at| self.parents[at.row()]).any(|up| up == node(row));
            (0..self.depths.len()).filter(|&at| inside(at)).map(|at| self.self_width[at]).sum()
        };
        let mut spans: Vec<(u64, u64)> = Vec::new();
        for row in 0..self.depths.len() {
            let before = (0..row).rfind(|&other| self.parents[other] == self.parents[row]);
            let start = match (before, self.parents[row]) {
                (Some(sibling), _) => spans[sibling].1,
                (None, Some(parent)) => spans[parent.row()].0,
                (None, None) => 0,
            };
            spans.push((start, start + total(row)));
        }
        spans
    }
}

fn trees(nodes: usize, widest: u64) -> impl Strategy<Value = Tree> {
    let width = prop_oneof![3 => Just(0), 6 => 0..8_u64, 1 => 0..widest];
    (prop::collection::vec(0..6_u32, 1..nodes), prop::collection::vec(width, nodes)).prop_map(|(depths, widths)| {
        let rest = depths.into_iter().skip(1).map(|depth| depth + 1);
        Tree::new(std::iter::once(0).chain(rest), widths)
    })
}

/// Pixels touched by `[start, end)` of `units` a pixel, counted from `from`.
fn touched(start: u64, end: u64, from: u64, units: u64, pixels: u64, into: &mut BTreeSet<u64>) {
    let (start, end) = (start.max(from) - from, end.max(from) - from);
    into.extend((start / units..end.div_ceil(units)).filter(|&pixel| pixel < pixels));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_node_stands_where_the_definition_puts_it(tree in trees(60, 1000)) {
        let layout = tree.layout();
        let spans = tree.spans();
        let total: u64 = tree.self_width.iter().sum();
        prop_assert_eq!(layout.total(), total);
        for (row, &(start, end)) in spans.iter().enumerate() {
            let expected = (end > start).then(|| start as f64 / total as f64..end as f64 / total as f64);
            prop_assert_eq!(layout.node_span(node(row)), expected);
        }
        prop_assert_eq!(layout.boxes_in_all(), spans.iter().filter(|(start, end)| end > start).count());
    }

    #[test]
    fn hit_finds_the_node_whose_span_holds_the_point(tree in trees(60, 1000)) {
        let layout = tree.layout();
        let spans = tree.spans();
        let total = layout.total();
        for at in (0..total).step_by(1 + total as usize / 50) {
            let x = (at as f64 + 0.5) / total as f64;
            for depth in 0..8 {
                let expected = (0..spans.len()).find(|&row| tree.depths[row] == depth && (spans[row].0..spans[row].1).contains(&at));
                prop_assert_eq!(layout.hit(depth as usize, x, 0.0), expected.map(node));
            }
        }
    }

    /// Whatever level is chosen: as whole pixels, the boxes of a row cover what its nodes touch, no more and no less; they ascend; and
    /// a box of a pixel or more is never merged away.
    #[test]
    fn boxes_cover_exactly_the_pixels_that_nodes_touch(tree in trees(400, 3000), units in 1..200_u64, left in 0.0..1.0_f64, pixels in 1..300_u64) {
        let layout = tree.layout();
        let total = layout.total();
        prop_assume!(total > 0);
        let from = (left * total as f64) as u64;
        let range = from as f64 / total as f64..(from + units * pixels) as f64 / total as f64;
        let spans = tree.spans();
        let named = layout.column(|node| node);
        for depth in 0..layout.rows() {
            let mut boxes = Vec::new();
            layout.visit_with(&named, &range, depth..depth + 1, pixels as f64, |found, node| {
                assert_eq!(found.node, node, "the value of a box is that of its node");
                boxes.push(found);
            });
            prop_assert!(boxes.windows(2).all(|pair| pair[0].x1 <= pair[1].x0 + 1e-3 && pair[0].x0 <= pair[0].x1));
            let mut drawn = BTreeSet::new();
            for found in &boxes {
                // Edges stand on multiples of 1/units of a pixel: half of that takes the rounding of f32 and f64 away.
                let slack = 0.4 / units as f32;
                drawn.extend(((found.x0 + slack).floor() as i64..(found.x1 - slack).ceil() as i64).filter(|&at| at >= 0 && at < pixels as i64));
            }
            let mut expected = BTreeSet::new();
            for (row, &(start, end)) in spans.iter().enumerate().filter(|&(row, span)| tree.depths[row] as usize == depth && span.1 > span.0) {
                touched(start, end, from, units, pixels, &mut expected);
                if end - start >= units && end > from && start < from + units * pixels {
                    prop_assert!(boxes.iter().any(|found| found.node == node(row) && !found.merged), "node {row} has its own box");
                }
            }
            prop_assert_eq!(drawn, expected.into_iter().map(|at| at as i64).collect::<BTreeSet<_>>());
        }
    }

    #[test]
    fn a_subset_covers_exactly_the_pixels_of_its_nodes(tree in trees(300, 500), units in 1..50_u64, every in 1..9_usize) {
        let layout = tree.layout();
        let total = layout.total();
        prop_assume!(total > 0);
        let pixels = total.div_ceil(units);
        let subset = layout.subset(|node| node.row() % every == 0, &Ticket::new()).unwrap();
        let (mut drawn, mut expected) = (BTreeSet::new(), BTreeSet::new());
        subset.visit(&(0.0..(units * pixels) as f64 / total as f64), 0..layout.rows(), pixels as f64, |found| {
            let slack = 0.4 / units as f32;
            drawn.extend(((found.x0 + slack).floor() as u64..(found.x1 - slack).ceil() as u64).map(|at| (found.depth, at)));
        });
        for (row, (start, end)) in tree.spans().into_iter().enumerate().filter(|(row, span)| row % every == 0 && span.1 > span.0) {
            let mut pixels_of_node = BTreeSet::new();
            touched(start, end, 0, units, pixels, &mut pixels_of_node);
            expected.extend(pixels_of_node.into_iter().map(|at| (tree.depths[row], at)));
        }
        prop_assert_eq!(drawn, expected);
    }

    #[test]
    fn by_size_siblings_descend_and_keep_their_widths_and_callers(tree in trees(60, 1000), sizes in proptest::collection::vec(0..50_u64, 60)) {
        let shape = Shape { parents: &tree.parents, depths: &tree.depths };
        let own: Vec<u64> = sizes.into_iter().chain(std::iter::repeat(0)).take(tree.depths.len()).collect();
        let order = Arc::new(BySize::new(shape, &own));
        let by_size = FlameLayout::build_from(shape, 0, &tree.self_width, Some(&order), &Ticket::new()).unwrap();
        let by_name = tree.layout();
        let mut size: Vec<u64> = own;
        for (row, parent) in tree.parents.iter().enumerate().rev() {
            if let Some(parent) = parent {
                size[parent.row()] += size[row];
            }
        }
        let width = |span: Range<f64>| span.end - span.start;
        for row in 0..tree.depths.len() {
            prop_assert_eq!(order.nodes()[order.place(node(row))], node(row));
            let (here, there) = (by_size.node_span(node(row)), by_name.node_span(node(row)));
            prop_assert_eq!(here.is_some(), there.is_some());
            let (Some(here), Some(there)) = (here, there) else { continue };
            prop_assert!((width(here.clone()) - width(there)).abs() < 1e-9);
            prop_assert_eq!(by_size.node_row(node(row)), by_name.node_row(node(row)));
            if let Some(parent) = tree.parents[row].and_then(|parent| by_size.node_span(parent)) {
                prop_assert!(here.start >= parent.start - 1e-9 && here.end <= parent.end + 1e-9);
            }
            if let Some(next) = by_size.step(node(row), Step::Right) {
                prop_assert_eq!(by_size.step(next, Step::Left), Some(node(row)));
                prop_assert!(by_size.node_span(next).unwrap().start >= here.end - 1e-9);
                if tree.parents[next.row()] == tree.parents[row] {
                    prop_assert!(size[next.row()] <= size[row], "{} before {}", size[row], size[next.row()]);
                }
            }
            let middle = here.start.midpoint(here.end);
            prop_assert_eq!(by_size.hit(tree.depths[row] as usize, middle, 0.0), Some(node(row)));
        }
    }

    #[test]
    fn steps_lead_to_what_stands_there(tree in trees(60, 1000)) {
        let layout = tree.layout();
        let spans = tree.spans();
        let wide = |row: usize| spans[row].1 - spans[row].0;
        for row in (0..spans.len()).filter(|&row| wide(row) > 0) {
            prop_assert_eq!(layout.step(node(row), Step::Parent), tree.parents[row]);
            let widest = (0..spans.len()).filter(|&at| tree.parents[at] == Some(node(row)) && wide(at) > 0).rev().max_by_key(|&at| wide(at));
            prop_assert_eq!(layout.step(node(row), Step::Child), widest.map(node));
            let next = (row + 1..spans.len()).find(|&at| tree.depths[at] == tree.depths[row] && wide(at) > 0);
            prop_assert_eq!(layout.step(node(row), Step::Right), next.map(node));
            if let Some(next) = next {
                prop_assert_eq!(layout.step(node(next), Step::Left), Some(node(row)));
            }
        }
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer(start in 0.0..0.5_f64, width in 0.01..0.5_f64, screen in 0.0..1.0_f64, factor in 0.5..1.0_f64) {
        let view = FlameView { x: start..start + width, ..FlameView::default() };
        let zoomed = view.zoomed(factor, screen, 1e-9);
        prop_assert!((zoomed.at(screen) - view.at(screen)).abs() < 1e-12);
        prop_assert!((zoomed.width() - width * factor).abs() < 1e-12);
    }
}

/// Many narrow siblings: the case that the pyramid is for.
fn comb(count: usize) -> Tree {
    Tree::new((0..=count).map(|row| u32::from(row > 0)), (0..=count).map(|row| 1 + (row as u64 * 7919) % 13).collect())
}

#[test]
fn a_row_far_wider_than_the_screen_comes_as_few_boxes() {
    let layout = comb(200_000).layout();
    let mut boxes = Vec::new();
    layout.boxes(&(0.0..1.0), 1..2, 1000.0, &mut boxes);
    assert!(boxes.len() <= 1000, "{} boxes on 1000 pixels", boxes.len());
    assert!(layout.rows.coarse_items() < 400_000, "{} items in the pyramid", layout.rows.coarse_items());
}

#[test]
fn deep_zoom_shows_single_nodes_exactly() {
    let tree = comb(200_000);
    let layout = tree.layout();
    let span = layout.node_span(node(123_456)).unwrap();
    let mut boxes = Vec::new();
    layout.boxes(&span, 1..2, 1920.0, &mut boxes);
    let own = boxes.iter().find(|found| found.node == node(123_456)).unwrap();
    assert!(own.x0.abs() < 0.01 && (own.x1 - 1920.0).abs() < 0.01, "{own:?}");
}

#[test]
fn sums_beyond_62_bits_keep_their_proportions() {
    let layout = Tree::new([0, 1, 1], vec![0, u64::MAX, u64::MAX]).layout();
    let middle = layout.node_span(node(1)).unwrap().end;
    assert!((middle - 0.5).abs() < 1e-9, "{middle}");
}

#[test]
fn nothing_to_lay_out_has_no_rows() {
    assert_eq!(Tree::new([0, 1], vec![0, 0]).layout().rows(), 0);
    let empty = Tree::new([], vec![]).layout();
    assert_eq!((empty.rows(), empty.total()), (0, 0));
    empty.visit(&(0.0..1.0), 0..5, 100.0, |found| panic!("{found:?}"));
}

#[test]
fn a_cancelled_layout_stops() {
    let ticket = Ticket::new();
    ticket.cancel();
    let tree = comb(10);
    assert!(FlameLayout::build(Shape { parents: &tree.parents, depths: &tree.depths }, &tree.self_width, &ticket).is_err());
}

#[test]
fn hit_takes_the_nearest_box_within_the_slack() {
    // Root of 10: one callee at 0..4, then self.
    let layout = Tree::new([0, 1], vec![6, 4]).layout();
    assert_eq!(layout.hit(1, 0.45, 0.0), None);
    assert_eq!(layout.hit(1, 0.45, 0.06), Some(node(1)));
    assert_eq!(layout.hit(1, 0.45, 0.04), None);
    assert_eq!(layout.hit(0, 0.45, 0.0), Some(node(0)));
}

#[test]
fn a_view_scrolls_just_far_enough_to_show_a_row() {
    let view = FlameView { scroll_rows: 10.0, ..FlameView::default() };
    for (row, expected) in [(12, 10.0), (3, 3.0), (30, 21.0), (19, 10.0)] {
        let shown = view.showing_row(row, 10.0).scroll_rows;
        assert!((shown - expected).abs() < 1e-6, "row {row}: {shown}");
    }
}

#[test]
fn a_view_follows_a_box_without_zooming_and_only_where_it_must() {
    let view = FlameView { x: 0.2..0.4, scroll_rows: 3.0, icicle: true };
    for (span, row, expected) in [
        // On screen: as a whole, a part of it, wider than the screen.
        (0.25..0.26, 4, (0.2, 3.0)),
        (0.1..0.23, 4, (0.2, 3.0)),
        (0.0..0.9, 4, (0.2, 3.0)),
        // Beside the screen, at the end of the picture, and in other rows.
        (0.6..0.61, 4, (0.505, 3.0)),
        (0.1..0.201, 4, (0.0505, 3.0)),
        (0.999..1.0, 4, (0.8, 3.0)),
        (0.25..0.26, 1, (0.2, 1.0)),
        (0.25..0.26, 20, (0.2, 11.0)),
    ] {
        let moved = view.following(&span, row, 10.0);
        assert!((moved.width() - view.width()).abs() < 1e-12, "{span:?}");
        assert!(
            (moved.x.start - expected.0).abs() < 1e-9 && (moved.scroll_rows - expected.1).abs() < 1e-6,
            "{span:?} in row {row}: {moved:?}"
        );
    }
}
