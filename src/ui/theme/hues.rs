//! Colours that carry data: boxes by package, changes by size and certainty, lanes by number.
//!
//! No meaning is ever in the colour alone (a name, a sign or an outline goes with it), and it deliberately takes plain
//! names and numbers, not frames or findings. Start at [`Theme::package_color`] and [`Theme::delta_color`].

use super::{
    Mode, Theme,
    oklch::{Oklch, mix},
};
use crate::analysis::names::CodeKind;
use egui::Color32;

/// Where the hues of a kind of code lie and how strong they are.
struct Range {
    /// First hue in degrees.
    start: f32,
    /// How many degrees the packages of this kind spread over.
    width: f32,
    chroma: f32,
    /// Added to the lightness of the mode.
    lift: f32,
}

const fn range(kind: CodeKind) -> Range {
    match kind {
        CodeKind::Own => Range { start: 25.0, width: 75.0, chroma: 0.095, lift: 0.01 },
        CodeKind::Library => Range { start: 135.0, width: 195.0, chroma: 0.068, lift: 0.0 },
        CodeKind::Std => Range { start: 185.0, width: 80.0, chroma: 0.034, lift: 0.0 },
        CodeKind::Runtime => Range { start: 60.0, width: 200.0, chroma: 0.010, lift: -0.01 },
        CodeKind::Kernel => Range { start: 275.0, width: 40.0, chroma: 0.040, lift: -0.05 },
        CodeKind::Unknown => Range { start: 0.0, width: 0.0, chroma: 0.0, lift: -0.06 },
    }
}

impl Theme {
    /// The colour of a box of `package`. The same name has the same colour in every run, capture and view.
    pub fn package_color(&self, package: &str, kind: CodeKind) -> Color32 {
        self.package_color_of_hash(hash(package), kind)
    }

    /// [`Self::package_color`] for a name that was hashed before; the caller's hash must not depend on the run.
    pub fn package_color_of_hash(&self, hash: u64, kind: CodeKind) -> Color32 {
        let Range { start, width, chroma, lift } = range(kind);
        // Neighbouring hashes (numbers, short names) must not give neighbouring hues: multiply by the golden ratio first.
        let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let along = ((spread >> 40) as f32) / ((1_u32 << 24) as f32);
        // Three steps of lightness tell apart packages whose hues happen to be close.
        let step = ((spread >> 20) % 3) as f32 - 1.0;
        let (base, spread_l) = match self.mode {
            Mode::Dark => (0.69, 0.028),
            Mode::Light => (0.83, 0.025),
        };
        Oklch { l: base + lift + step * spread_l, c: chroma, h: start + width * along }.color()
    }

    /// The fill of a changed box.
    ///
    /// `effect` is the change, -1 (much better) to 1 (much worse), and decides hue and strength; `certainty`, 0 (could be
    /// noise) to 1 (sure), fades the result to [`Self::unchanged`]. Values outside are clamped, NaN counts as no change.
    pub fn delta_color(&self, effect: f32, certainty: f32) -> Color32 {
        if effect.is_nan() || certainty.is_nan() {
            return self.unchanged;
        }
        let effect = effect.clamp(-1.0, 1.0);
        // The square root shows small changes: with a straight scale everything but the largest box would be grey.
        let strength = effect.abs().sqrt() * certainty.clamp(0.0, 1.0);
        mix(self.unchanged, self.delta_end(effect > 0.0), strength)
    }

    /// True where a fill is so close to the ground that a box is hardly seen on it, and needs an edge in [`Self::strong_line`]: unchanged ones in
    /// the light palette, where what chance explains would be a blank page.
    ///
    /// Squares stand for the exact curve of luminance: this is asked for every box.
    pub fn needs_edge(&self, fill: Color32) -> bool {
        const SEEN: f32 = 2.0;
        let luminance = |color: Color32| {
            let [r, g, b, _] = color.to_array().map(|part| f32::from(part) / 255.0);
            0.2126 * r * r + 0.7152 * g * g + 0.0722 * b * b + 0.05
        };
        let (fill, ground) = (luminance(fill), luminance(self.background));
        fill.max(ground) < SEEN * fill.min(ground)
    }

    /// The strongest colour of the change scale.
    fn delta_end(&self, worse: bool) -> Color32 {
        match (self.mode, worse) {
            (Mode::Dark, true) => super::rgb(0xe4_6a14),
            (Mode::Dark, false) => super::rgb(0x2e_8fd0),
            (Mode::Light, true) => super::rgb(0xd5_5e00),
            (Mode::Light, false) => super::rgb(0x00_72b2),
        }
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
        Oklch { l: base + step, c: 0.12, h: HUES[slot] }.color()
    }

    /// Search matches among boxes that are coloured by change: neither of the two hues that mean dearer and cheaper.
    pub fn found_among_changes(&self) -> Color32 {
        let l = match self.mode {
            Mode::Dark => 0.72,
            Mode::Light => 0.5,
        };
        Oklch { l, c: 0.15, h: 310.0 }.color()
    }

    /// A box while something else is searched for or selected: close to the ground but still there.
    pub fn dimmed(&self, color: Color32) -> Color32 {
        mix(self.background, color, 0.28)
    }

    /// A bar behind a number, in the hue of `color`: faint enough that text on it reads as on the ground.
    pub fn bar(&self, color: Color32) -> Color32 {
        mix(self.background, color, 0.24)
    }

    /// A box under the pointer: one step towards the text colour.
    pub fn hovered(&self, color: Color32) -> Color32 {
        mix(color, Color32::WHITE, 0.22)
    }

    /// The outline of a box that only the capture before has (a ghost: no fill).
    pub fn ghost(&self) -> Color32 {
        self.strong_line
    }
}

/// FNV-1a, 64 bit: the same on every machine and in every version, unlike the hashers for tables.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::oklch::{contrast, distance, encode, linear};

    const BOTH: [Theme; 2] = [Theme::dark(), Theme::light()];

    fn names() -> impl Iterator<Item = String> {
        (0..200).map(|i| format!("example.org/pkg{i}"))
    }

    #[test]
    fn every_box_of_a_comparison_stands_out_by_its_fill_or_by_its_edge() {
        for theme in [Theme::dark(), Theme::light()] {
            for (effect, certainty) in (-20..=20).flat_map(|step| [0.0, 0.3, 1.0].map(|certainty| (step as f32 / 20.0, certainty))) {
                let fill = theme.delta_color(effect, certainty);
                let found = contrast(fill, theme.background);
                assert!(found >= 1.9 || theme.needs_edge(fill), "{:?} {effect} {certainty}: {found:.2}", theme.mode);
            }
            assert!(contrast(theme.strong_line, theme.background) >= 3.0, "an edge is seen");
        }
        assert!(Theme::light().needs_edge(Theme::light().unchanged) && !Theme::dark().needs_edge(Theme::dark().unchanged));
    }

    #[test]
    fn text_is_readable_on_every_colour_we_make() {
        let check = |ground: Color32, what: &str| {
            let found = contrast(Theme::text_on(ground), ground);
            assert!(found >= 4.5, "{what} {ground:?}: {found:.2}");
        };
        for theme in BOTH {
            for kind in CodeKind::ALL {
                for name in names() {
                    let color = theme.package_color(&name, kind);
                    check(color, "package");
                    check(theme.dimmed(color), "dimmed");
                    check(theme.hovered(color), "hovered");
                }
            }
            for effect in -20..=20 {
                for certainty in 0..=10 {
                    check(theme.delta_color(effect as f32 / 20.0, certainty as f32 / 10.0), "delta");
                }
            }
            (0..16).for_each(|i| check(theme.series(i), "series"));
        }
        // And on every grey, which is where black and white change places.
        (0..=255).for_each(|level| check(Color32::from_gray(level), "grey"));
    }

    #[test]
    fn own_code_is_warmer_and_the_runtime_greyer_than_libraries() {
        for theme in BOTH {
            let mean =
                |kind, pick: fn(Oklch) -> f32| names().map(|name| pick(Oklch::of(theme.package_color(&name, kind)))).sum::<f32>() / 200.0;
            // b of OKLab: yellow is positive, blue negative.
            let warmth = |kind| mean(kind, |o| o.c * o.h.to_radians().sin());
            let chroma = |kind| mean(kind, |o| o.c);
            assert!(warmth(CodeKind::Own) > 0.03);
            assert!(warmth(CodeKind::Own) > warmth(CodeKind::Library) + 0.04);
            assert!(chroma(CodeKind::Runtime) < 0.015);
            assert!(chroma(CodeKind::Own) > chroma(CodeKind::Library));
            assert!(chroma(CodeKind::Library) > chroma(CodeKind::Std));
            assert!(chroma(CodeKind::Std) > chroma(CodeKind::Runtime));
        }
    }

    #[test]
    fn a_package_keeps_its_colour_and_most_packages_differ() {
        let theme = Theme::dark();
        let color = |name: &str| theme.package_color(name, CodeKind::Library);
        assert_eq!(color("encoding/json"), color("encoding/json"));
        let all: Vec<_> = names().take(12).map(|name| color(&name)).collect();
        let close = (0..12).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| distance(all[i], all[j]) < 0.02).count();
        assert!(close < 12, "{close} of 66 pairs look the same");
    }

    #[test]
    fn no_box_shouts() {
        for theme in BOTH {
            for kind in CodeKind::ALL {
                for name in names() {
                    let found = Oklch::of(theme.package_color(&name, kind));
                    assert!(found.c <= 0.1, "chroma {}", found.c);
                    let wanted = if theme.mode == Mode::Dark { 0.60..=0.74 } else { 0.74..=0.88 };
                    assert!(wanted.contains(&found.l), "lightness {}", found.l);
                }
            }
        }
    }

    #[test]
    fn change_is_grey_when_nothing_changed_or_nothing_is_sure() {
        for theme in BOTH {
            assert_eq!(theme.delta_color(0.0, 1.0), theme.unchanged);
            assert_eq!(theme.delta_color(1.0, 0.0), theme.unchanged);
            assert_eq!(theme.delta_color(f32::NAN, 1.0), theme.unchanged);
            assert_eq!(theme.delta_color(7.0, 2.0), theme.delta_color(1.0, 1.0));
        }
    }

    #[test]
    fn a_larger_or_surer_change_is_further_from_grey() {
        for theme in BOTH {
            for sign in [-1.0, 1.0] {
                let far = |effect: f32, certainty: f32| distance(theme.unchanged, theme.delta_color(sign * effect, certainty));
                assert!(far(0.2, 1.0) < far(0.6, 1.0) && far(0.6, 1.0) < far(1.0, 1.0));
                assert!(far(1.0, 0.3) < far(1.0, 0.7) && far(1.0, 0.7) < far(1.0, 1.0));
            }
        }
    }

    /// Machado, Oliveira, Fernandes 2009, severity 1: what people without one kind of cone see.
    const BLIND: [(&str, [[f32; 3]; 3]); 3] = [
        ("protanopia", [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]]),
        ("deuteranopia", [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]]),
        ("tritanopia", [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]]),
    ];

    fn seen(color: Color32, matrix: [[f32; 3]; 3]) -> Color32 {
        let light = linear(color);
        let [r, g, b] = matrix.map(|row| encode(row.iter().zip(light).map(|(weight, v)| weight * v).sum::<f32>()));
        Color32::from_rgb(r, g, b)
    }

    #[test]
    fn worse_better_and_unchanged_stay_apart_for_colour_blind_people() {
        for theme in BOTH {
            let pairs = [
                (theme.delta_color(1.0, 1.0), theme.delta_color(-1.0, 1.0), 0.15),
                (theme.delta_color(0.3, 1.0), theme.delta_color(-0.3, 1.0), 0.10),
                (theme.delta_color(1.0, 1.0), theme.unchanged, 0.10),
                (theme.delta_color(-1.0, 1.0), theme.unchanged, 0.10),
                (theme.worse, theme.better, 0.15),
                (theme.before, theme.after, 0.15),
            ];
            for (a, b, least) in pairs {
                for (name, matrix) in BLIND {
                    let found = distance(seen(a, matrix), seen(b, matrix));
                    assert!(found >= least, "{:?} {name}: {a:?} and {b:?} are {found:.3} apart", theme.mode);
                }
            }
        }
    }
}
