//! Colours that carry data: boxes by package, changes by size and certainty.
//!
//! No meaning is ever in the colour alone (a name, a sign or an outline goes with it), and it deliberately takes plain
//! names and numbers, not frames or findings. Start at [`Palette::package`] and [`Palette::change`].

use super::oklch::{Oklch, Rgb, contrast, mix};
use super::{Palette, PictureTheme};
use crate::analysis::names::CodeKind;

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

impl Palette {
    /// The colour of a box of `package`. The same name has the same colour in every run, capture and view.
    pub fn package(&self, package: &str, kind: CodeKind) -> Rgb {
        self.package_of_hash(hash(package), kind)
    }

    /// [`Self::package`] for a name that was hashed before; the caller's hash must not depend on the run.
    pub fn package_of_hash(&self, hash: u64, kind: CodeKind) -> Rgb {
        let Range { start, width, chroma, lift } = range(kind);
        // Neighbouring hashes (numbers, short names) must not give neighbouring hues: multiply by the golden ratio first.
        let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let along = ((spread >> 40) as f32) / ((1_u32 << 24) as f32);
        // Three steps of lightness tell apart packages whose hues happen to be close.
        let step = ((spread >> 20) % 3) as f32 - 1.0;
        let (base, spread_l) = match self.theme {
            PictureTheme::Dark => (0.69, 0.028),
            PictureTheme::Light => (0.83, 0.025),
        };
        Oklch { l: base + lift + step * spread_l, c: chroma, h: start + width * along }.rgb()
    }

    /// The fill of a changed box.
    ///
    /// `effect` is the change, -1 (much better) to 1 (much worse), and decides hue and strength; `certainty`, 0 (could be
    /// noise) to 1 (sure), fades the result to [`Self::unchanged`]. Values outside are clamped, NaN counts as no change.
    pub fn change(&self, effect: f32, certainty: f32) -> Rgb {
        if effect.is_nan() || certainty.is_nan() {
            return self.unchanged;
        }
        let effect = effect.clamp(-1.0, 1.0);
        // The square root shows small changes: with a straight scale everything but the largest box would be grey.
        let strength = effect.abs().sqrt() * certainty.clamp(0.0, 1.0);
        mix(self.unchanged, self.change_end(effect > 0.0), strength)
    }

    /// True where a fill is so close to the ground that a box is hardly seen on it, and needs an edge in [`Self::strong_line`]: unchanged ones in
    /// the light palette, where what chance explains would be a blank page.
    ///
    /// Squares stand for the exact curve of luminance: this is asked for every box.
    pub fn needs_edge(&self, fill: Rgb) -> bool {
        const SEEN: f32 = 2.0;
        let luminance = |color: Rgb| {
            let [r, g, b] = color.map(|part| f32::from(part) / 255.0);
            0.2126 * r * r + 0.7152 * g * g + 0.0722 * b * b + 0.05
        };
        let (fill, ground) = (luminance(fill), luminance(self.background));
        fill.max(ground) < SEEN * fill.min(ground)
    }

    /// The strongest colour of the change scale.
    const fn change_end(&self, worse: bool) -> Rgb {
        match (self.theme, worse) {
            (PictureTheme::Dark, true) => [0xe4, 0x6a, 0x14],
            (PictureTheme::Dark, false) => [0x2e, 0x8f, 0xd0],
            (PictureTheme::Light, true) => [0xd5, 0x5e, 0x00],
            (PictureTheme::Light, false) => [0x00, 0x72, 0xb2],
        }
    }

    /// Black or white, whichever reads better on `ground`; at least 4.5:1 on any colour.
    pub fn text_on(ground: Rgb) -> Rgb {
        if contrast([0; 3], ground) >= contrast([255; 3], ground) { [0; 3] } else { [255; 3] }
    }
}

/// FNV-1a, 64 bit: the same on every machine and in every version, unlike the hashers for tables.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::color::oklch::{distance, encode, linear};

    const BOTH: [Palette; 2] = [Palette::DARK, Palette::LIGHT];

    fn names() -> impl Iterator<Item = String> {
        (0..200).map(|i| format!("example.org/pkg{i}"))
    }

    #[test]
    fn every_box_of_a_comparison_stands_out_by_its_fill_or_by_its_edge() {
        for theme in BOTH {
            for (effect, certainty) in (-20..=20).flat_map(|step| [0.0, 0.3, 1.0].map(|certainty| (step as f32 / 20.0, certainty))) {
                let fill = theme.change(effect, certainty);
                let found = contrast(fill, theme.background);
                assert!(found >= 1.9 || theme.needs_edge(fill), "{:?} {effect} {certainty}: {found:.2}", theme.theme);
            }
            assert!(contrast(theme.strong_line, theme.background) >= 3.0, "an edge is seen");
        }
        assert!(Palette::LIGHT.needs_edge(Palette::LIGHT.unchanged) && !Palette::DARK.needs_edge(Palette::DARK.unchanged));
    }

    #[test]
    fn text_is_readable_on_every_colour_we_make() {
        let check = |ground: Rgb, what: &str| {
            let found = contrast(Palette::text_on(ground), ground);
            assert!(found >= 4.5, "{what} {ground:?}: {found:.2}");
        };
        for theme in BOTH {
            for kind in CodeKind::ALL {
                for name in names() {
                    let color = theme.package(&name, kind);
                    check(color, "package");
                }
            }
            for effect in -20..=20 {
                for certainty in 0..=10 {
                    check(theme.change(effect as f32 / 20.0, certainty as f32 / 10.0), "delta");
                }
            }
        }
        // And on every grey, which is where black and white change places.
        (0..=255).for_each(|level| check([level; 3], "grey"));
    }

    #[test]
    fn own_code_is_warmer_and_the_runtime_greyer_than_libraries() {
        for theme in BOTH {
            let mean = |kind, pick: fn(Oklch) -> f32| names().map(|name| pick(Oklch::of(theme.package(&name, kind)))).sum::<f32>() / 200.0;
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
        let theme = Palette::DARK;
        let color = |name: &str| theme.package(name, CodeKind::Library);
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
                    let found = Oklch::of(theme.package(&name, kind));
                    assert!(found.c <= 0.1, "chroma {}", found.c);
                    let wanted = if theme.theme == PictureTheme::Dark { 0.60..=0.74 } else { 0.74..=0.88 };
                    assert!(wanted.contains(&found.l), "lightness {}", found.l);
                }
            }
        }
    }

    #[test]
    fn change_is_grey_when_nothing_changed_or_nothing_is_sure() {
        for theme in BOTH {
            assert_eq!(theme.change(0.0, 1.0), theme.unchanged);
            assert_eq!(theme.change(1.0, 0.0), theme.unchanged);
            assert_eq!(theme.change(f32::NAN, 1.0), theme.unchanged);
            assert_eq!(theme.change(7.0, 2.0), theme.change(1.0, 1.0));
        }
    }

    #[test]
    fn a_larger_or_surer_change_is_further_from_grey() {
        for theme in BOTH {
            for sign in [-1.0, 1.0] {
                let far = |effect: f32, certainty: f32| distance(theme.unchanged, theme.change(sign * effect, certainty));
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

    fn seen(color: Rgb, matrix: [[f32; 3]; 3]) -> Rgb {
        let light = linear(color);
        matrix.map(|row| encode(row.iter().zip(light).map(|(weight, v)| weight * v).sum::<f32>()))
    }

    #[test]
    fn worse_better_and_unchanged_stay_apart_for_colour_blind_people() {
        for theme in BOTH {
            let pairs = [
                (theme.change(1.0, 1.0), theme.change(-1.0, 1.0), 0.15),
                (theme.change(0.3, 1.0), theme.change(-0.3, 1.0), 0.10),
                (theme.change(1.0, 1.0), theme.unchanged, 0.10),
                (theme.change(-1.0, 1.0), theme.unchanged, 0.10),
                (theme.worse, theme.better, 0.15),
                (theme.before, theme.after, 0.15),
            ];
            for (a, b, least) in pairs {
                for (name, matrix) in BLIND {
                    let found = distance(seen(a, matrix), seen(b, matrix));
                    assert!(found >= least, "{:?} {name}: {a:?} and {b:?} are {found:.3} apart", theme.theme);
                }
            }
        }
    }
}
