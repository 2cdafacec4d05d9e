//! Small pieces of text that several panels show the same way.

use std::borrow::Cow;

use egui::{RichText, Ui};

use crate::analysis::Place;
use crate::analysis::comparison::{Comparison, percent};
use crate::model::grouped;
use crate::ui::theme::{Theme, fonts};

/// A number in the table face.
pub(crate) fn number(text: &str) -> RichText {
    RichText::new(text).font(fonts::table())
}

/// Most letters of a name in a tooltip: longer ones (of C++ templates, or damaged files) would fill the screen and take long to lay out.
const LETTERS: usize = 600;

/// A whole name; of an endless one the beginning and the end, and how much that is. Copying it copies all of it.
pub(crate) fn whole(name: &str) -> Cow<'_, str> {
    // A letter has at most four bytes, so short names need no counting.
    if name.len() <= LETTERS || name.chars().count() <= LETTERS {
        return Cow::Borrowed(name);
    }
    let count = name.chars().count();
    let (head, tail) = (LETTERS * 3 / 4, LETTERS / 4);
    let begin: String = name.chars().take(head).collect();
    let end: String = name.chars().skip(count - tail).collect();
    Cow::Owned(format!("{begin} … {end} ({} letters)", grouped(count as u64)))
}

/// A stored value in its unit, not normalised.
pub(crate) fn value(comparison: &Comparison, stored: i64) -> String {
    comparison.value_text(stored)
}

/// `value` as a part of `of`; nothing where there is no whole.
pub(crate) fn share(value: f64, of: f64) -> String {
    if of == 0.0 { "–".to_owned() } else { percent(value / of) }
}

/// A change in words: `+31.0 %`, `×4.20`, `new`, `gone`, `±0`.
pub(crate) fn change(before: f64, after: f64) -> String {
    match (before == 0.0, after == 0.0) {
        (true, true) => "–".to_owned(),
        (true, false) => "new".to_owned(),
        (false, true) => "gone".to_owned(),
        _ => ratio(after / before),
    }
}

/// A ratio of after to before: small changes as percent, large ones as a factor.
pub(crate) fn ratio(ratio: f64) -> String {
    if ratio.is_nan() {
        "–".to_owned()
    } else if ratio.is_infinite() {
        "new".to_owned()
    } else if ratio <= 0.0 {
        "gone".to_owned()
    } else if ratio >= 3.0 {
        format!("×{}", if ratio >= 100.0 { format!("{ratio:.0}") } else { format!("{ratio:.1}") })
    } else if (ratio - 1.0).abs() < 5e-5 {
        "±0 %".to_owned()
    } else {
        let percent = (ratio - 1.0) * 100.0;
        let digits = usize::from(percent.abs() < 10.0);
        format!("{}{:.digits$} %", if percent > 0.0 { "+" } else { "−" }, percent.abs())
    }
}

/// The ends of an interval of ratios, both in one measure: `+8.0 % to +14 %`, `×2.5 to ×6.4`.
pub(crate) fn ratios(lo: f64, hi: f64) -> String {
    let lowest = if lo >= 1.0 && (3.0..f64::INFINITY).contains(&hi) { format!("×{lo:.1}") } else { ratio(lo) };
    format!("{lowest} to {}", ratio(hi))
}

/// What is said of a place that may be another function, see [`Place::folded`].
pub(crate) const FOLDED: &str = "one of several functions with the same code";

/// Where a place comes from: file and line, module, inlined, merged with others.
pub(crate) fn origin_ui(ui: &mut Ui, theme: &Theme, place: &Place) {
    let mut parts = Vec::new();
    if !place.file.is_empty() {
        parts.push(if place.line > 0 { format!("{}:{}", place.file, place.line) } else { place.file.to_string() });
    }
    if !place.module.is_empty() {
        parts.push(place.module.to_string());
    }
    if place.inlined {
        parts.push("inlined".to_owned());
    }
    if place.folded {
        parts.push(FOLDED.to_owned());
    }
    for part in parts {
        ui.label(RichText::new(part).color(theme.muted).font(fonts::small()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_names_keep_beginning_and_end() {
        assert_eq!(whole("main.(*Engine).Discount"), "main.(*Engine).Discount");
        let long = format!("begin{}end", "é".repeat(100_000));
        let text = whole(&long);
        assert!(text.starts_with("beginé") && text.ends_with("éend (100,008 letters)") && text.chars().count() < 640, "{text}");
    }

    #[test]
    fn both_ends_of_an_interval_have_one_measure() {
        assert_eq!([ratios(1.08, 1.14), ratios(2.47, 6.4), ratios(0.5, 4.0)], ["+8.0 % to +14 %", "×2.5 to ×6.4", "−50 % to ×4.0"]);
    }

    #[test]
    fn changes_always_have_a_sign_or_a_word() {
        for (before, after, text) in [
            (0.0, 0.0, "–"),
            (0.0, 1.0, "new"),
            (1.0, 0.0, "gone"),
            (100.0, 131.0, "+31 %"),
            (100.0, 96.5, "−3.5 %"),
            (1.0, 4.2, "×4.2"),
            (1.0, 1.0, "±0 %"),
        ] {
            assert_eq!(change(before, after), text);
        }
    }
}
