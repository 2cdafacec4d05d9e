//! Colours by how they look: OKLCH to sRGB, and the contrast measure of WCAG.
//!
//! Formulas: Björn Ottosson, "A perceptual color space for image processing" (2020); WCAG 2.2, "relative luminance".
//! It deliberately has no palette. Start at [`Oklch::rgb`].

/// Red, green and blue of sRGB.
pub type Rgb = [u8; 3];

/// A colour as lightness, chroma and hue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Oklch {
    /// Perceived lightness, 0 (black) to 1 (white).
    pub l: f32,
    /// Chroma, 0 (grey) to about 0.32 (the most a screen shows).
    pub c: f32,
    /// Hue in degrees: 29 red, 110 yellow, 142 green, 264 blue.
    pub h: f32,
}

impl Oklch {
    /// The nearest colour of the screen with the same lightness and hue: chroma is reduced until it fits.
    pub fn rgb(self) -> Rgb {
        let l = self.l.clamp(0.0, 1.0);
        let fits = |c: f32| {
            let channels = to_linear(lab(l, c, self.h));
            channels.iter().all(|v| (-1e-4..=1.0001).contains(v)).then_some(channels)
        };
        let c = self.c.max(0.0);
        let channels = fits(c).unwrap_or_else(|| {
            // Twelve halvings leave an error far below one step of eight bits.
            let (mut low, mut high) = (0.0, c);
            for _ in 0..12 {
                let middle = f32::midpoint(low, high);
                if fits(middle).is_some() { low = middle } else { high = middle }
            }
            to_linear(lab(l, low, self.h))
        });
        channels.map(encode)
    }

    /// The lightness, chroma and hue of a colour.
    pub fn of(color: Rgb) -> Self {
        let [l, a, b] = to_lab(color);
        Self { l, c: a.hypot(b), h: b.atan2(a).to_degrees().rem_euclid(360.0) }
    }
}

/// The colour between two, mixed by how they look: `t` = 0 gives `from`, 1 gives `to`.
pub fn mix(from: Rgb, to: Rgb, t: f32) -> Rgb {
    let (a, b) = (to_lab(from), to_lab(to));
    let t = t.clamp(0.0, 1.0);
    let between = [0, 1, 2].map(|i: usize| a[i] + (b[i] - a[i]) * t);
    to_linear(between).map(encode)
}

/// How far apart two colours look: the distance in OKLab. 0.02 is just visible, 1 is black to white.
pub fn distance(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (to_lab(a), to_lab(b));
    ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
}

/// The contrast of WCAG 2 between two colours, 1 (the same) to 21 (black on white).
pub fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The relative luminance of a colour, 0 to 1.
pub fn luminance(color: Rgb) -> f32 {
    let [r, g, b] = linear(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn lab(l: f32, c: f32, h: f32) -> [f32; 3] {
    let (sin, cos) = h.to_radians().sin_cos();
    [l, c * cos, c * sin]
}

fn to_linear([l, a, b]: [f32; 3]) -> [f32; 3] {
    let long = (l + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let medium = (l - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let short = (l - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * long - 3.307_711_6 * medium + 0.230_969_94 * short,
        -1.268_438 * long + 2.609_757_4 * medium - 0.341_319_4 * short,
        -0.004_196_086 * long - 0.703_418_6 * medium + 1.707_614_7 * short,
    ]
}

fn to_lab(color: Rgb) -> [f32; 3] {
    let [r, g, b] = linear(color);
    let long = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let medium = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let short = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * long + 0.793_617_8 * medium - 0.004_072_047 * short,
        1.977_998_5 * long - 2.428_592_2 * medium + 0.450_593_7 * short,
        0.025_904_037 * long + 0.782_771_77 * medium - 0.808_675_77 * short,
    ]
}

/// The channels as light, 0 to 1.
pub fn linear(color: Rgb) -> [f32; 3] {
    color.map(|byte| {
        let v = f32::from(byte) / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    })
}

/// One channel of light, 0 to 1, as an sRGB byte.
pub fn encode(light: f32) -> u8 {
    let light = light.clamp(0.0, 1.0);
    let v = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    (v * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the CSS Color 4 specification and of its sample conversions.
    const KNOWN: [(Rgb, f32, f32, f32); 5] = [
        ([255, 0, 0], 0.627_96, 0.257_68, 29.234),
        ([0, 255, 0], 0.866_44, 0.294_83, 142.495),
        ([0, 0, 255], 0.452_01, 0.313_21, 264.052),
        ([255, 255, 0], 0.967_98, 0.211_01, 109.769),
        ([0, 128, 0], 0.519_75, 0.176_86, 142.495),
    ];

    #[test]
    fn known_colours_convert_both_ways() {
        for (color, l, c, h) in KNOWN {
            let found = Oklch::of(color);
            assert!((found.l - l).abs() < 1e-3, "{color:?} lightness {}", found.l);
            assert!((found.c - c).abs() < 1e-3, "{color:?} chroma {}", found.c);
            assert!((found.h - h).abs() < 0.1, "{color:?} hue {}", found.h);
            let back = Oklch { l, c, h }.rgb();
            let off = back.into_iter().zip(color).map(|(a, b)| a.abs_diff(b)).max();
            assert!(off <= Some(1), "{back:?} is not {color:?}");
        }
    }

    #[test]
    fn grey_has_no_chroma_and_white_is_one() {
        let white = Oklch::of([255; 3]);
        assert!((white.l - 1.0).abs() < 1e-3 && white.c < 1e-3);
        assert_eq!(Oklch { l: 0.0, c: 0.0, h: 0.0 }.rgb(), [0; 3]);
        assert!(Oklch::of([120; 3]).c < 1e-3);
    }

    #[test]
    fn too_much_chroma_keeps_lightness_and_hue() {
        for h in (0..360).step_by(15) {
            let wanted = Oklch { l: 0.7, c: 0.4, h: h as f32 };
            let found = Oklch::of(wanted.rgb());
            assert!((found.l - 0.7).abs() < 0.01, "hue {h}: lightness {}", found.l);
            let turn = (found.h - wanted.h + 180.0).rem_euclid(360.0) - 180.0;
            assert!(turn.abs() < 2.0, "hue {h} became {}", found.h);
        }
    }

    #[test]
    fn contrast_follows_wcag() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
        // The example every checker agrees on: #767676 on white is the lightest grey that passes.
        assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01);
    }

    #[test]
    fn mixing_ends_at_its_ends() {
        let (a, b) = ([213, 94, 0], [0, 114, 178]);
        assert_eq!(mix(a, b, 0.0), a);
        assert_eq!(mix(a, b, 1.0), b);
        let half = mix(a, b, 0.5);
        assert!((distance(a, half) - distance(half, b)).abs() < 0.02);
    }
}
