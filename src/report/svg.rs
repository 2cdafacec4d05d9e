//! A flame graph as an SVG with search and zoom inside: inferno draws it, with the widths, colours and order of the window.
//!
//! Inferno lays stacks out and brings the script; it knows one value a stack and one colour a name. So it gets the widths as values, and the boxes that it
//! wrote get the look and the words of their nodes afterwards. Deliberately absent: what a width or a look is (see
//! [`self_widths`] and [`BoxLook`]). Start reading at [`FlameSvg::draw`].

use inferno::flamegraph::color::{BackgroundColor, Color};
use inferno::flamegraph::{self, Direction, Options};
use rustc_hash::FxHashMap;

use super::color::{BoxLook, ColorBy, Palette, PictureTheme, Rgb, mark};
use super::number::change;
use super::page::escape;
use super::table::{printable, push};
use crate::analysis::comparison::percent;
use crate::analysis::diff::NodeDiff;
use crate::analysis::flame::{BySize, FlameShape, self_widths};
use crate::analysis::{CallTree, Comparison, NodeId};
use crate::base::ticket::Checked as _;
use crate::model::type_name;

/// Boxes of less than this part of the width are not drawn.
const NARROWEST: f64 = 1e-4;

/// Widths add up to less than two to the power of this, which the script's numbers hold exactly.
const BITS: u32 = 52;

/// What an SVG flame graph is drawn with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvgSpec {
    /// The words on top: what was captured.
    pub title: String,
    /// Width in pixels; the height follows from the depth.
    pub width: Option<u32>,
    /// Light or dark.
    pub theme: PictureTheme,
    /// Which side gives the widths, where there are two.
    pub shape: FlameShape,
    /// What gives the boxes their colours; `None` = what fits.
    pub color_by: Option<ColorBy>,
    /// Filters that the values went through, as options of the command line.
    pub filters: Vec<String>,
}

/// Why no SVG could be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingToDraw(String);

impl std::fmt::Display for NothingToDraw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "drawing the flame graph: {}", self.0)
    }
}

impl std::error::Error for NothingToDraw {}

/// A flame graph and what it is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct FlameSvg<'a> {
    /// The tree and its values.
    pub comparison: &'a Comparison,
    /// How each node changed, where there are two sides; without it their boxes have no colour.
    pub changes: Option<&'a NodeDiff>,
    /// The width of each node that its callees do not have, where it is another one than the comparison's own.
    pub widths: Option<&'a [u64]>,
    /// The order of siblings, where that is not the tree's own.
    pub by_size: Option<&'a BySize>,
}

/// A box that inferno is to draw: what stands at a depth and a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drawn {
    Node(NodeId),
    /// Samples without a stack.
    NoStack,
}

/// Stacks as inferno reads them, and the boxes that it will make of them by depth and start.
struct Lines {
    lines: Vec<String>,
    boxes: FxHashMap<(usize, u64), Drawn>,
}

impl FlameSvg<'_> {
    /// The picture. Negative values are as wide as positive ones.
    pub fn draw(&self, spec: &SvgSpec) -> Result<String, NothingToDraw> {
        let comparison = self.comparison;
        let own;
        let widths = if let Some(widths) = self.widths {
            widths
        } else {
            own = self_widths(comparison, spec.shape);
            &own
        };
        let Lines { mut lines, boxes } = lines(comparison, widths, self.by_size);
        if boxes.is_empty() {
            return Err(NothingToDraw(format!("no stack has a value in {}", type_name(&comparison.sample_type))));
        }
        let palette = Palette::of(spec.theme);
        let by = ColorBy::fitting(spec.color_by, comparison);
        let mut options = Options::default();
        options.title = printable(&spec.title);
        options.subtitle = Some(self.subtitle(spec, by));
        options.image_width = spec.width.map(|width| width as usize);
        options.direction = Direction::Inverted;
        options.min_width = NARROWEST * 100.0;
        options.deterministic = true;
        let [r, g, b] = palette.background;
        options.bgcolors = Some(BackgroundColor::Flat(Color { r, g, b }));
        let [r, g, b] = palette.text;
        options.uicolor = Color { r, g, b };
        // Stacks stay in the order in which they are given, for which they have to come from the end.
        options.flame_chart = true;
        lines.reverse();
        let height = options.frame_height as f64;
        let mut bytes = Vec::new();
        flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut bytes)
            .map_err(|error| NothingToDraw(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| NothingToDraw(error.to_string()))?;
        let painted = self
            .paint(&text, &boxes, height, (&palette, by))
            .ok_or_else(|| NothingToDraw("the boxes are not where they should be".to_owned()))?;
        // Inferno gives the subtitle no colour: it is black. What searches is hardly seen.
        let style = format!("#subtitle {{ fill: {}; }}\n#search {{ opacity: 0.7; }}\n</style>", css(palette.muted));
        Ok(painted.replacen("</style>", &style, 1))
    }

    fn subtitle(&self, spec: &SvgSpec, by: ColorBy) -> String {
        let mut said = vec![self.comparison.denominator_text()];
        said.extend((!spec.filters.is_empty()).then(|| format!("only {}", printable(&spec.filters.join(" ")))));
        if self.comparison.pair().is_some() {
            said.push(
                match spec.shape {
                    FlameShape::Before => "widths: before",
                    FlameShape::Both => "widths: the larger of before and after",
                    FlameShape::After => "widths: after",
                }
                .to_owned(),
            );
            if by == ColorBy::Delta {
                said.push(match self.changes {
                    Some(_) => "orange: more, blue: less, pale: not sure, dashed: gone, outlined: new".to_owned(),
                    None => "colours: none".to_owned(),
                });
            }
        }
        said.join("; ")
    }

    /// Gives the boxes that inferno wrote, in rows of a height, the looks and words of their nodes; `None` where they are not written as expected.
    fn paint(&self, svg: &str, boxes: &FxHashMap<(usize, u64), Drawn>, height: f64, (palette, by): (&Palette, ColorBy)) -> Option<String> {
        let comparison = self.comparison;
        let fills = if by == ColorBy::Delta { Vec::new() } else { palette.place_fills(comparison, by) };
        let look = |drawn: Drawn| match (drawn, by, self.changes) {
            (Drawn::NoStack, ..) => BoxLook::plain(palette.raised),
            (Drawn::Node(node), ColorBy::Delta, Some(changes)) => BoxLook::of_change(palette, changes, node),
            (Drawn::Node(_), ColorBy::Delta, None) => BoxLook::unknown_change(palette),
            (Drawn::Node(node), ..) => BoxLook::plain(fills[comparison.tree().place(node).row()]),
        };
        let at = svg.find("<svg id=\"frames\"")?;
        let (head, frames) = svg.split_at(at);
        let mut made = String::with_capacity(svg.len() * 5 / 4);
        made.push_str(head);
        // The first row is the root's.
        let root = frames.split("<rect ").skip(1).filter_map(|rect| attribute(rect, "y")?.parse().ok()).reduce(f64::min)?;
        let mut rest = frames;
        while let Some(at) = rest.find("<title>") {
            let (before, group) = rest.split_at(at);
            made.push_str(before);
            let (_, group) = group.split_once("</title>")?;
            let (between, group) = group.split_once("<rect ")?;
            let (rect, group) = group.split_once("/>")?;
            let depth = ((attribute(rect, "y")?.parse::<f64>().ok()? - root) / height).round() as usize;
            let drawn = *boxes.get(&(depth, attribute(rect, "fg:x")?.parse().ok()?))?;
            let look = look(drawn);
            let fill = if look.has(mark::GHOST) { palette.background } else { look.fill };
            let rect = rect.replacen(&format!("fill=\"{}\"", attribute(rect, "fill")?), &format!("fill=\"{}\"", css(fill)), 1);
            let stroke = if look.has(mark::GHOST) {
                format!(" style=\"stroke:{};stroke-width:0.75;stroke-dasharray:3 2\"", css(look.fill))
            } else if look.has(mark::NEW) && !look.has(mark::UNCERTAIN) {
                format!(" style=\"stroke:{}\"", css(palette.text))
            } else if look.has(mark::CHURN) {
                format!(" style=\"stroke:{};stroke-dasharray:1 2\"", css(palette.text))
            } else if look.has(mark::EDGE) {
                format!(" style=\"stroke:{};stroke-width:0.5\"", css(palette.strong_line))
            } else {
                String::new()
            };
            push(&mut made, format_args!("<title>{}</title>{between}<rect {rect}{stroke}/>", escape(&self.words(drawn))));
            // Letters are dark unless that is hard to read.
            let text = css(Palette::text_on(fill));
            let (head, tail) = group.split_once("<text ")?;
            push(&mut made, format_args!("{head}<text style=\"fill:{text}\" "));
            rest = tail;
        }
        made.push_str(rest);
        Some(made)
    }

    /// What a box says: its name, and in the last parentheses, which the script cuts off for the label, its values.
    fn words(&self, drawn: Drawn) -> String {
        let comparison = self.comparison;
        let (name, node) = match drawn {
            Drawn::NoStack => ("(no stack)".to_owned(), CallTree::ROOT),
            Drawn::Node(CallTree::ROOT) => return format!("all ({})", flat(&comparison.denominator_text())),
            Drawn::Node(node) => (printable(comparison.places().name(comparison.tree().place(node))), node),
        };
        let is_all = drawn != Drawn::NoStack;
        let mut said = Vec::new();
        match comparison.pair() {
            None => {
                let Some(side) = comparison.last() else { return name };
                let text = |value: i64| {
                    let of = side.denominator();
                    let share = if of > 0.0 { format!(", {}", percent(value as f64 / of)) } else { String::new() };
                    format!("{}{share}", comparison.value_text(value))
                };
                let (total, own) = (side.weights.total_of(node), side.weights.self_of(node));
                said.extend(is_all.then(|| text(total)));
                said.extend((own != 0 && (own != total || !is_all)).then(|| format!("self {}", text(own))));
            }
            Some((before, after)) => {
                let text = |b: f64, a: f64| format!("{} → {}, {}", comparison.text(b), comparison.text(a), change(b, a));
                let total = (comparison.total_of(before, node), comparison.total_of(after, node));
                let own = (comparison.self_of(before, node), comparison.self_of(after, node));
                said.extend(is_all.then(|| text(total.0, total.1)));
                said.extend((own != (0.0, 0.0) && (own != total || !is_all)).then(|| format!("self {}", text(own.0, own.1))));
                let certainty = self.changes.filter(|_| is_all).and_then(|changes| changes.certainty.get(node.row()));
                said.extend(certainty.filter(|&&certainty| certainty < 0.5).map(|_| "within noise, or too few samples to tell".to_owned()));
            }
        }
        format!("{name} ({})", flat(&said.join("; ")))
    }
}

/// Text without the parenthesis at which the script ends a name.
fn flat(text: &str) -> String {
    text.replace('(', "[").replace(')', "]")
}

fn css([r, g, b]: Rgb) -> String {
    format!("rgb({r},{g},{b})")
}

/// The value of an attribute in the text of a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let at = from + tag.get(from..)?.find(name)?;
        let is_whole = at == 0 || tag.as_bytes().get(at - 1) == Some(&b' ');
        match tag[at + name.len()..].strip_prefix("=\"") {
            Some(value) if is_whole => return value.split('"').next(),
            _ => from = at + name.len(),
        }
    }
}

/// A name that neither the folded form nor XML takes for something else.
fn svg_name(name: &str) -> String {
    let name = printable(name).replace(';', ":");
    let name = name.trim();
    // `read 5` before a value would be read as two values, and `# x` as a comment: a hard space keeps them together.
    match name.rsplit_once(' ') {
        Some((head, tail)) if tail.parse::<f64>().is_ok() || head == "#" => format!("{head}\u{a0}{tail}"),
        _ if name.is_empty() => "(no name)".to_owned(),
        _ => name.replacen("# ", "#\u{a0}", usize::from(name.starts_with("# "))),
    }
}

/// The boxes of a tree from left to right: what a node has for itself is its right end, and what is too narrow to be drawn is its caller's.
fn lines(comparison: &Comparison, widths: &[u64], by_size: Option<&BySize>) -> Lines {
    let (tree, places) = (comparison.tree(), comparison.places());
    // From left to right, callers before callees: which node comes, and how many are up to the end of a node that comes there.
    let node_at = |at: usize| by_size.map_or_else(|| NodeId::from_row(at), |order| order.nodes().get(at).copied());
    let end_of = |at: usize, node: NodeId| at + (tree.subtree_end(node) - node.row());
    let sum: u128 = widths.iter().checked().map(|&width| u128::from(width)).sum();
    let shift = (128 - sum.leading_zeros()).saturating_sub(BITS);
    let mut totals: Vec<u64> = widths.iter().map(|&width| width >> shift).collect();
    totals.resize(tree.len(), 0);
    let own = totals.clone();
    for (row, parent) in tree.parents().iter().enumerate().rev().checked() {
        if let Some(parent) = parent {
            totals[parent.row()] += totals[row];
        }
    }
    let mut made = Lines { lines: Vec::new(), boxes: FxHashMap::default() };
    let least = (totals.first().copied().unwrap_or(0) as f64 * NARROWEST).max(1.0);
    let mut names: FxHashMap<usize, String> = FxHashMap::default();
    // The nodes on the way to the one at hand: where their subtrees end, how long the path to them is, and which name the last callee has.
    let mut open: Vec<(NodeId, usize, usize, Option<String>)> = Vec::new();
    let (mut path, mut start, mut at, mut narrows) = (String::new(), 0_u64, 0, 0_u32);
    loop {
        while let Some((node, _, length, _)) = open.pop_if(|(_, end, ..)| *end <= at) {
            let width = own[node.row()];
            if width > 0 {
                let stack = if node == CallTree::ROOT {
                    made.boxes.insert((1, start), Drawn::NoStack);
                    "(no stack)"
                } else {
                    &path[..length]
                };
                made.lines.push(format!("{stack} {width}"));
            }
            start += width;
            path.truncate(open.last().map_or(0, |(_, _, length, _)| *length));
        }
        let Some(node) = node_at(at).filter(|_| at < tree.len()) else { break };
        let row = node.row();
        if (totals[row] as f64) < least {
            if totals[row] > 0 {
                // What is narrow below the root has no box to be a part of; neighbours with one name would become a wide one.
                narrows += 1;
                let narrow = if narrows % 2 == 0 { "…" } else { "…\u{200b}" };
                made.lines.push(format!("{} {}", if path.is_empty() { narrow } else { &path }, totals[row]));
            }
            start += totals[row];
            at = end_of(at, node);
            continue;
        }
        made.boxes.insert((tree.depth(node) as usize, start), Drawn::Node(node));
        if node != CallTree::ROOT {
            let place = tree.place(node);
            let mut name = names.entry(place.row()).or_insert_with(|| svg_name(places.name(place))).clone();
            if let Some((.., last)) = open.last_mut() {
                // Two functions of one name beside each other (of two modules) would become one box.
                if last.as_ref() == Some(&name) {
                    name.push('\u{200b}');
                }
                *last = Some(name.clone());
            }
            if !path.is_empty() {
                path.push(';');
            }
            path.push_str(&name);
        }
        open.push((node, end_of(at, node), path.len(), None));
        at += 1;
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::diff::{Spec, diff};
    use std::sync::Arc;

    use crate::analysis::flame::{FlameLayout, self_sizes};
    use crate::analysis::sandwich::tests::compared;
    use crate::base::ticket::Ticket;

    /// Of every box: its row, start and end as parts of the whole, its fill, and its words.
    fn boxes(svg: &str) -> Vec<(usize, [f64; 2], String, String)> {
        let frames = &svg[svg.find("id=\"frames\"").unwrap()..];
        let whole: f64 = attribute(frames, "total_samples").unwrap().parse().unwrap();
        let group = |group: &str| {
            let (title, rest) = group.split_once("</title>").unwrap();
            let rect = rest.split_once("<rect ").unwrap().1;
            let number = |name: &str| attribute(rect, name).unwrap().parse::<f64>().unwrap();
            let start = number("fg:x") / whole;
            (number("y") as usize, [start, start + number("fg:w") / whole], attribute(rect, "fill").unwrap().to_owned(), title.to_owned())
        };
        let mut made: Vec<_> = frames.split("<title>").skip(1).map(group).collect();
        let top = made.iter().map(|row| row.0).min().unwrap();
        for row in &mut made {
            row.0 = (row.0 - top) / 16;
        }
        made
    }

    fn spec(shape: FlameShape) -> SvgSpec {
        SvgSpec { title: "t".to_owned(), width: None, theme: PictureTheme::Light, shape, color_by: None, filters: Vec::new() }
    }

    #[test]
    fn boxes_stand_where_the_window_draws_them_in_its_colours() {
        let before = "main;b;x 400\nmain;b 50\nmain;a;y 300\nmain;a;gone 80\nmain;narrow 1\nrare;r 2";
        let after = "main;b;x 800\nmain;b 50\nmain;a;y 310\nmain;a;new 90\nmain;c 40000\nrare2;s 3\nrare3;s 3";
        let neighbours = "main;read 5 7\nmain;read 5\nmain 3\n# x;-- 4";
        let palette = Palette::LIGHT;
        for (captures, shapes) in
            [(vec![before, after], &FlameShape::ALL[..]), (vec![after], &FlameShape::ALL[..1]), (vec![neighbours], &FlameShape::ALL[..1])]
        {
            let comparison = compared(&captures);
            let changes = diff(&comparison, &Spec::default()).map(|diff| diff.nodes);
            let by_size = Arc::new(BySize::new(comparison.tree().into(), &self_sizes(&comparison)));
            let orders = [None, Some(&by_size)];
            for (&shape, order) in shapes.iter().flat_map(|shape| orders.map(|order| (shape, order))) {
                let by_size = order.map(|order| &**order);
                let svg = FlameSvg { comparison: &comparison, changes: changes.as_ref(), widths: None, by_size };
                let drawn = boxes(&svg.draw(&spec(shape)).unwrap());
                let tree = comparison.tree();
                let widths = self_widths(&comparison, shape);
                let layout = FlameLayout::build_from(tree.into(), 0, &widths, order, &Ticket::new()).unwrap();
                let fills = palette.place_fills(&comparison, ColorBy::Package);
                let mut found = 0;
                for node in tree.nodes() {
                    let Some(span) = layout.node_span(node).filter(|span| span.end - span.start > 2.0 * NARROWEST) else { continue };
                    let is_it = |row: &&(usize, [f64; 2], String, String)| {
                        row.0 == tree.depth(node) as usize && (row.1[0] - span.start).abs() < 1e-9 && (row.1[1] - span.end).abs() < 1e-9
                    };
                    let words = svg.words(Drawn::Node(node));
                    let row = drawn.iter().find(is_it).unwrap_or_else(|| panic!("{shape:?}: no {words} at {span:?} in {drawn:?}"));
                    assert_eq!(row.3, escape(&words), "{shape:?}");
                    let look = match &changes {
                        Some(changes) => BoxLook::of_change(&palette, changes, node),
                        None => BoxLook::plain(fills[tree.place(node).row()]),
                    };
                    assert_eq!(row.2, css(if look.has(mark::GHOST) { palette.background } else { look.fill }), "{words}");
                    found += 1;
                }
                assert_eq!(found, drawn.len(), "{shape:?}: nothing else is drawn: {drawn:?}");
            }
        }
    }

    #[test]
    fn words_of_a_box_give_both_sides_and_what_is_its_own() {
        let comparison = compared(&["main;work 40\nmain 10", "main;work 60\nmain 10\nmain;new 5"]);
        let svg = FlameSvg { comparison: &comparison, changes: None, widths: None, by_size: None };
        let said: Vec<String> = comparison.tree().nodes().map(|node| svg.words(Drawn::Node(node))).collect();
        assert_eq!(said[1..], ["main (50 → 75, +50 %; self 10 → 10, ±0 %)", "new (0 → 5, new)", "work (40 → 60, +50 %)"]);
    }

    #[test]
    fn without_values_there_is_no_picture() {
        let comparison = compared(&["main 0"]);
        let svg = FlameSvg { comparison: &comparison, changes: None, widths: None, by_size: None };
        assert!(svg.draw(&spec(FlameShape::Both)).is_err());
    }

    #[test]
    fn names_cannot_be_taken_for_values_or_comments() {
        for (name, expected) in [
            ("read 5", "read\u{a0}5"),
            ("# x y", "#\u{a0}x y"),
            ("a;b", "a:b"),
            ("a\u{1}b\n", "a·b·"),
            (" ", "(no name)"),
            ("operator new", "operator new"),
        ] {
            assert_eq!(svg_name(name), expected);
        }
    }

    #[test]
    fn attributes_are_found_by_their_whole_names() {
        let tag = "xy=\"1\" y=\"37\" fill=\"rgb(1,2,3)\" fg:x=\"0\"";
        assert_eq!(attribute(tag, "y"), Some("37"));
        assert_eq!(attribute(tag, "x"), None, "a part of other names only");
        assert_eq!(attribute(tag, "fg:x"), Some("0"));
    }
}
