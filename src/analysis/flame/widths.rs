//! How wide the boxes of a flame graph are: values of one capture, or of two sides in one measure.

use serde::{Deserialize, Serialize};

use crate::analysis::comparison::{Comparison, Side};
use crate::base::ticket::Checked as _;

/// Which side gives the widths of a differential flame graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlameShape {
    /// Widths of before: what vanished has its width, what is new has none.
    Before,
    /// Widths of after: what is new has its width, what vanished has none.
    After,
    /// The larger of both for every self value: everything is visible.
    #[default]
    Both,
}

impl FlameShape {
    /// All, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::Before, Self::Both, Self::After];

    /// Words on the switch.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Before => "Before",
            Self::After => "After",
            Self::Both => "Both",
        }
    }

    /// The other side's widths, to blink between them; from both to before.
    pub const fn other(self) -> Self {
        match self {
            Self::Before => Self::After,
            Self::After | Self::Both => Self::Before,
        }
    }
}

/// The size of each node's self value that siblings are ordered by, whatever the shape: the sum of both sides.
pub fn self_sizes(comparison: &Comparison) -> Vec<u64> {
    if comparison.pair().is_none() {
        return self_widths(comparison, FlameShape::Both);
    }
    let mut sizes = self_widths(comparison, FlameShape::Before);
    for (size, after) in sizes.iter_mut().zip(self_widths(comparison, FlameShape::After)).checked() {
        *size = size.saturating_add(after);
    }
    sizes
}

/// The width that each node's self value adds to a flame graph: absolute values, so that negative ones are visible; in a comparison
/// both sides in the same normalised measure.
pub fn self_widths(comparison: &Comparison, shape: FlameShape) -> Vec<u64> {
    let Some((before, after)) = comparison.pair() else {
        let weights = comparison.last().map_or(&[][..], |side| side.weights.selfs());
        return weights.iter().checked().map(|value| value.unsigned_abs()).collect();
    };
    // Widths are integers: normalised values are blown up so that the whole keeps 2^50 steps, which loses nothing on any screen.
    let whole = |side: &Side| side.weights.selfs().iter().map(|value| value.unsigned_abs() as f64).sum::<f64>() * comparison.factor(side);
    let unit = whole(before).max(whole(after));
    let scale = if unit > 0.0 { (1_u64 << 50) as f64 / unit } else { 0.0 };
    let width = |side: &Side, value: i64| (value.unsigned_abs() as f64 * comparison.factor(side) * scale).round() as u64;
    before
        .weights
        .selfs()
        .iter()
        .zip(after.weights.selfs())
        .checked()
        .map(|(&b, &a)| match shape {
            FlameShape::Before => width(before, b),
            FlameShape::After => width(after, a),
            FlameShape::Both => width(before, b).max(width(after, a)),
        })
        .collect()
}
