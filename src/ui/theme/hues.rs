//! Colours that carry data in the window: those of reports, lanes by number, and what becomes of a colour that is searched for or pointed at.
//!
//! Start at [`Theme::package_color`] and [`Theme::delta_color`]; the colours themselves are made in `report/color`, so that exported pictures have them too.

use super::{Mode, Theme, color, rgb_of};
use crate::analysis::names::CodeKind;
use crate::report::color::oklch::{Oklch, mix};
use egui::Color32;

impl Theme {
    /// The colour of a box of `package`. The same name has the same colour in every run, capture and view.
    pub fn package_color(&self, package: &str, kind: CodeKind) -> Color32 {
        color(self.palette().package(package, kind))
    }

    /// [`Self::package_color`] for a name that was hashed before; the caller's hash must not depend on the run.
    pub fn package_color_of_hash(&self, hash: u64, kind: CodeKind) -> Color32 {
        color(self.palette().package_of_hash(hash, kind))
    }

    /// The fill of a changed box, see [`Palette::change`](crate::report::color::Palette::change).
    pub fn delta_color(&self, effect: f32, certainty: f32) -> Color32 {
        color(self.palette().change(effect, certainty))
    }

    /// True where a fill is so close to the ground that a box is hardly seen on it, and needs an edge in [`Self::strong_line`].
    pub fn needs_edge(&self, fill: Color32) -> bool {
        self.palette().needs_edge(rgb_of(fill))
    }

    /// Text or line about a change of the sign of `effect`; [`Self::muted`] for none.
    pub fn delta_text(&self, effect: f32) -> Color32 {
        if effect > 0.0 {
            self.worse
        } else if effect < 0.0 {
            self.better
        } else {
            self.muted
        }
    }

    /// Colour of the `index`-th lane, curve or thread of a chart: eight hues that stay apart for most kinds of colour
    /// blindness by their lightness too; then they repeat.
    pub fn series(&self, index: usize) -> Color32 {
        // Hues in an order that puts neighbours far apart.
        const HUES: [f32; 8] = [245.0, 65.0, 160.0, 330.0, 200.0, 30.0, 100.0, 290.0];
        let slot = index % HUES.len();
        let step = if slot.is_multiple_of(2) { -0.05 } else { 0.05 };
        let base = match self.mode {
            Mode::Dark => 0.72,
            Mode::Light => 0.56,
        };
        color(Oklch { l: base + step, c: 0.12, h: HUES[slot] }.rgb())
    }

    /// Search matches among boxes that are coloured by change: neither of the two hues that mean dearer and cheaper.
    pub fn found_among_changes(&self) -> Color32 {
        let l = match self.mode {
            Mode::Dark => 0.72,
            Mode::Light => 0.5,
        };
        color(Oklch { l, c: 0.15, h: 310.0 }.rgb())
    }

    /// A box while something else is searched for or selected: close to the ground but still there.
    pub fn dimmed(&self, color: Color32) -> Color32 {
        between(self.background, color, 0.28)
    }

    /// A bar behind a number, in the hue of `color`: faint enough that text on it reads as on the ground.
    pub fn bar(&self, color: Color32) -> Color32 {
        between(self.background, color, 0.24)
    }

    /// A box under the pointer: one step towards the text colour.
    pub fn hovered(&self, color: Color32) -> Color32 {
        between(color, Color32::WHITE, 0.22)
    }

    /// The outline of a box that only the capture before has (a ghost: no fill).
    pub fn ghost(&self) -> Color32 {
        self.strong_line
    }
}

fn between(from: Color32, to: Color32, t: f32) -> Color32 {
    color(mix(rgb_of(from), rgb_of(to), t))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::color::oklch::contrast;

    #[test]
    fn text_is_readable_on_every_colour_we_make() {
        let check = |ground: Color32, what: &str| {
            let found = contrast(rgb_of(Theme::text_on(ground)), rgb_of(ground));
            assert!(found >= 4.5, "{what} {ground:?}: {found:.2}");
        };
        for theme in [Theme::dark(), Theme::light()] {
            for kind in CodeKind::ALL {
                for name in (0..200).map(|i| format!("example.org/pkg{i}")) {
                    let color = theme.package_color(&name, kind);
                    check(theme.dimmed(color), "dimmed");
                    check(theme.hovered(color), "hovered");
                }
            }
            (0..16).for_each(|i| check(theme.series(i), "series"));
        }
    }
}
