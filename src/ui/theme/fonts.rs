//! The bundled fonts and the text styles made of them.
//!
//! Inter for words, JetBrains Mono for names and numbers, a symbol font behind both, so that pictures are the same on
//! every machine. Where the files come from and how they were cut is in `assets/THIRD-PARTY.md`. It deliberately leaves
//! other scripts (Han, Hebrew, …) to the fonts of the system, which the window adds and exports do not.

use super::size;
use egui::{FontData, FontDefinitions, FontFamily, FontId, TextStyle};
use std::{collections::BTreeMap, sync::Arc};

/// Every character outside ASCII that labels, buttons and formatted numbers use; a test holds that we can draw them all.
pub const UI_GLYPHS: &str = "←→↑↓↔⇄↩↪▸▾▴◂▶◀▲▼△▽Δ±−×÷·•…–—‘’“”≥≤≠≈∞∑√µμσ‰½²³°✓✕✗⚠ℹ⌕★☆●○■□◆◇⊕⊖⊞⊟⚙☰⋮⋯⟳↻↺⏎⌘⌥⇧⧉✎‹›«»▁▂▃▄▅▆▇█░▒▓│─└├";

const SANS: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.ttf");
const SANS_STRONG: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf");
const MONO: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf");
const SYMBOLS: &[u8] = include_bytes!("../../../assets/fonts/EmberlensSymbols.ttf");

/// Running text, buttons, menus.
pub fn body() -> FontId {
    FontId::new(size::TEXT_BODY, FontFamily::Proportional)
}

/// Running text that must be seen first: names of captures, sums, verdicts.
pub fn strong() -> FontId {
    FontId::new(size::TEXT_BODY, strong_family())
}

/// Titles.
pub fn title() -> FontId {
    FontId::new(size::TEXT_TITLE, strong_family())
}

/// What a presentation says first.
pub fn headline() -> FontId {
    FontId::new(size::TEXT_HEADLINE, strong_family())
}

/// The name that it is about.
pub fn headline_name() -> FontId {
    FontId::new(size::TEXT_HEADLINE, FontFamily::Monospace)
}

/// Hints, axis labels, the status line.
pub fn small() -> FontId {
    FontId::new(size::TEXT_SMALL, FontFamily::Proportional)
}

/// Names and numbers in tables; all digits are equally wide.
pub fn table() -> FontId {
    FontId::new(size::TEXT_TABLE, FontFamily::Monospace)
}

/// Names in flame boxes.
pub fn flame() -> FontId {
    FontId::new(size::TEXT_SMALL, FontFamily::Monospace)
}

fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// egui's text styles, from the functions above.
pub(super) fn text_styles() -> BTreeMap<TextStyle, FontId> {
    BTreeMap::from([
        (TextStyle::Body, body()),
        (TextStyle::Button, body()),
        (TextStyle::Small, small()),
        (TextStyle::Heading, title()),
        (TextStyle::Monospace, table()),
    ])
}

/// Our fonts instead of egui's.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    fonts.font_data = [("sans", SANS), ("sans strong", SANS_STRONG), ("mono", MONO), ("symbols", SYMBOLS)]
        .map(|(name, bytes)| (name.to_owned(), Arc::new(FontData::from_static(bytes))))
        .into();
    let chain = |first: &str| [first, "symbols", "mono", "sans"].map(str::to_owned).to_vec();
    fonts.families = BTreeMap::from([
        (FontFamily::Proportional, chain("sans")),
        (strong_family(), chain("sans strong")),
        (FontFamily::Monospace, ["mono", "symbols", "sans"].map(str::to_owned).to_vec()),
    ]);
    fonts
}

/// Sets [`definitions`] once per context: egui compares whole font files otherwise.
pub(super) fn install(ctx: &egui::Context) {
    let mark = egui::Id::unique("emberlens fonts are set");
    if !ctx.data(|data| data.get_temp(mark).unwrap_or(false)) {
        ctx.set_fonts(definitions());
        ctx.data_mut(|data| data.insert_temp(mark, true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_fonts(check: impl Fn(&mut egui::epaint::FontsView<'_>)) {
        let ctx = egui::Context::default();
        install(&ctx);
        let mut output = ctx.run_ui(egui::RawInput::default(), |ui| ui.fonts_mut(|fonts| check(fonts)));
        output.textures_delta.clear();
    }

    #[test]
    fn every_glyph_of_the_interface_can_be_drawn_in_every_face() {
        with_fonts(|fonts| {
            for font in [body(), strong(), title(), small(), table(), flame()] {
                for glyph in UI_GLYPHS.chars().chain(' '..='~') {
                    assert!(fonts.has_glyph(&font, glyph), "{glyph:?} (U+{:04X}) in {font:?}", glyph as u32);
                }
            }
            // The check can fail: no bundled font has Han.
            assert!(!fonts.has_glyph(&body(), '火'));
        });
    }

    #[test]
    fn digits_are_equally_wide_in_every_face() {
        with_fonts(|fonts| {
            for font in [body(), strong(), small(), table()] {
                let widths: Vec<f32> = ('0'..='9').map(|digit| fonts.glyph_width(&font, digit)).collect();
                assert!(widths.iter().all(|w| (w - widths[0]).abs() < 1e-3), "{font:?}: {widths:?}");
            }
        });
    }

    #[test]
    fn code_is_shown_letter_for_letter() {
        // A face with one of these features would draw `->` as an arrow or join `::`; egui always applies them.
        for face in [SANS, SANS_STRONG, MONO] {
            for feature in [b"calt", b"liga", b"clig"] {
                assert!(!face.windows(4).any(|tag| tag == feature), "{}", feature.escape_ascii());
            }
        }
        with_fonts(|fonts| {
            let width = |fonts: &mut egui::epaint::FontsView<'_>, text: &str| {
                fonts.layout_no_wrap(text.to_owned(), table(), egui::Color32::WHITE).size().x
            };
            assert!((width(fonts, "operator->") - width(fonts, "0123456789")).abs() < 0.01);
        });
    }

    #[test]
    fn the_bundle_stays_small() {
        let bytes = SANS.len() + SANS_STRONG.len() + MONO.len() + SYMBOLS.len();
        assert!(bytes < 2_500_000, "{bytes} bytes of fonts");
    }
}
