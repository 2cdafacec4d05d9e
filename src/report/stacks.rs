//! The stacks of a comparison as folded text, and as the SVG flame graph that inferno draws from it.
//!
//! Deliberately absent: reading (see the folded format's reader). Start reading at [`folded`].

use inferno::flamegraph::color::{BackgroundColor, BasicPalette, Color, Palette};
use inferno::flamegraph::{self, Direction, Options};

use super::number::Number;
use super::table::printable;
use crate::analysis::{CallTree, Comparison};
use crate::model::{counted, human, type_name};

/// Colours of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureTheme {
    /// Dark text on a light ground.
    #[default]
    Light,
    /// Light text on a dark ground.
    Dark,
}

/// How an SVG flame graph looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SvgSpec {
    /// The words on top: what was captured.
    pub title: String,
    /// Width in pixels; the height follows from the depth.
    pub width: Option<u32>,
    /// Light or dark.
    pub theme: PictureTheme,
    /// Decimals of the sample type's stored integers.
    pub decimals: u8,
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

/// One line for each path with a value, outermost first, sorted by bytes: `main;work 7`. `;` in names is written `:`, line ends as `\n`;
/// samples without a frame are `(no stack)`.
///
/// Of a comparison with two sides the lines have two numbers, before and after, as inferno-diff-folded writes them.
pub fn folded(comparison: &Comparison, decimals: u8) -> String {
    let mut lines: Vec<String> = lines(
        comparison,
        |name| name.replace(';', ":").replace('\n', "\\n").replace('\r', "\\r"),
        |values| {
            values.iter().any(|&value| value != 0).then(|| {
                let numbers: Vec<String> = values.iter().map(|&value| Number::new(value, decimals).to_string()).collect();
                numbers.join(" ")
            })
        },
    );
    lines.sort_unstable();
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A flame graph as SVG with search and zoom inside. Two sides give a differential one: widths are after, red is more and blue less
/// self value than before, where before is scaled to the work of after (see [`Comparison::exposure`]).
///
/// Negative values have no width and are left out, which the picture says.
pub fn svg(comparison: &Comparison, spec: &SvgSpec) -> Result<String, NothingToDraw> {
    let exposure = comparison.exposure();
    let (mut left_out, mut width) = (0_usize, 0_i128);
    let lines = lines(comparison, svg_name, |values| {
        width += i128::from(values.last().copied().unwrap_or(0).max(0));
        svg_values(values, exposure, &mut left_out)
    });
    if width == 0 {
        return Err(NothingToDraw(format!("no stack has a value above 0 in {}", type_name(&comparison.sample_type))));
    }
    // Inferno adds without looking at the limits of its integers.
    if i64::try_from(width).is_err() {
        return Err(NothingToDraw(format!("the values add up to {width}, which is more than a flame graph can hold")));
    }
    let two_sides = comparison.pair().is_some();
    let mut options = Options::default();
    options.title = printable(&spec.title);
    let mut subtitle = vec![comparison.denominator_text()];
    if two_sides {
        subtitle.push(format!("widths: after; colour: change of self, before × {exposure:.4}"));
    }
    if left_out > 0 {
        let left_out = counted(left_out as u64, "stack with a negative value is", "stacks with negative values are");
        subtitle.push(format!("{left_out} not drawn"));
    }
    options.subtitle = Some(subtitle.join("; "));
    options.count_name.clone_from(&comparison.unit);
    options.factor = 10_f64.powi(-i32::from(spec.decimals));
    options.image_width = spec.width.map(|width| width as usize);
    options.direction = Direction::Inverted;
    // The same name has the same colour in every picture.
    options.deterministic = true;
    options.colors = Palette::Basic(match human(0.0, &comparison.unit).as_str() {
        "0 B" => BasicPalette::Green,
        _ => BasicPalette::Hot,
    });
    let ground = |r, g, b| Some(BackgroundColor::Flat(Color { r, g, b }));
    options.bgcolors = match spec.theme {
        PictureTheme::Light => ground(250, 250, 250),
        PictureTheme::Dark => ground(24, 24, 27),
    };
    if spec.theme == PictureTheme::Dark {
        options.uicolor = Color { r: 228, g: 228, b: 231 };
    }
    let mut bytes = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut bytes).map_err(|error| NothingToDraw(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| NothingToDraw(error.to_string()))?;
    let mut style = String::new();
    if two_sides {
        // Unchanged boxes are as pale as the ground, and inferno's own lines are as wide as the narrowest boxes.
        style.push_str("#frames rect { stroke: rgb(154,161,173); stroke-width: 0.5; }\n");
    }
    if spec.theme == PictureTheme::Dark {
        // Inferno gives the subtitle no colour: it is black.
        style.push_str("#subtitle { fill: rgb(228,228,231); }\n");
    }
    Ok(text.replacen("</style>", &(style + "</style>"), 1))
}

/// The number or numbers behind a path; negative values are counted and left out.
fn svg_values(values: &[i64], exposure: f64, left_out: &mut usize) -> Option<String> {
    *left_out += values.iter().filter(|value| **value < 0).count();
    match *values {
        [before, after] => {
            let scaled = (before as f64 * exposure).round().clamp(0.0, i64::MAX as f64) as i64;
            (before > 0 || after > 0).then(|| format!("{scaled} {}", after.max(0)))
        }
        [value] if value > 0 => Some(value.to_string()),
        _ => None,
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

/// `path values` for each node that has some, in tree order.
fn lines(comparison: &Comparison, name: impl Fn(&str) -> String, mut values: impl FnMut(&[i64]) -> Option<String>) -> Vec<String> {
    let (tree, places) = (comparison.tree(), comparison.places());
    let names: Vec<String> = places.iter_ids().map(|(_, place)| name(&place.name)).collect();
    let mut lines = Vec::new();
    // The path to the node at hand, and its length before each level.
    let (mut path, mut ends) = (String::new(), Vec::<usize>::new());
    for node in tree.nodes() {
        if node != CallTree::ROOT {
            let depth = tree.depth(node) as usize;
            ends.truncate(depth - 1);
            path.truncate(ends.last().copied().unwrap_or(0));
            if !path.is_empty() {
                path.push(';');
            }
            path.push_str(names.get(tree.place(node).row()).map_or("", String::as_str));
            ends.push(path.len());
        }
        let selfs: Vec<i64> = comparison.sides.iter().map(|side| side.weights.self_of(node)).collect();
        if let Some(numbers) = values(&selfs) {
            let path = if node == CallTree::ROOT { "(no stack)" } else { path.as_str() };
            lines.push(format!("{path} {numbers}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
