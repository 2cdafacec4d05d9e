//! Small pieces of text that several panels show the same way.

use std::borrow::Cow;

use egui::{Color32, RichText, Ui};

use crate::analysis::{NodeId, Place, names};
pub(crate) use crate::report::number::{change, ratio};

use crate::analysis::comparison::{Comparison, percent};
use crate::analysis::diff::{NodeDiff, Verdict};
use crate::analysis::regress::{Findings, one_in};
use crate::model::grouped;
use crate::ui::theme::{Theme, fonts};

/// Width of what scrolls, the same with a scroll bar beside it and without one: nothing wraps anew when the bar comes.
pub(crate) fn width_beside_bar(ui: &Ui) -> f32 {
    ui.available_width() - ui.spacing().scroll.allocated_width()
}

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

/// A label of at most so many letters, as [`names::short`] makes it; where a name has no form that is short enough, its beginning and its end, which say
/// more than the beginning alone.
pub(crate) fn cut(name: &str, letters: usize) -> String {
    let short = names::short(name, letters);
    if !short.ends_with('…') || letters < 3 {
        return short;
    }
    let (head, tail) = (letters / 2, letters - letters / 2 - 1);
    let rest = name.chars().count().saturating_sub(tail);
    name.chars().take(head).chain(['…']).chain(name.chars().skip(rest)).map(names::in_line).collect()
}

/// A stored value in its unit, not normalised.
pub(crate) fn value(comparison: &Comparison, stored: i64) -> String {
    comparison.value_text(stored)
}

/// `value` as a part of `of`; nothing where there is no whole.
pub(crate) fn share(value: f64, of: f64) -> String {
    if of == 0.0 { "–".to_owned() } else { percent(value / of) }
}

/// The ends of an interval of ratios, both in one measure: `+8.0 % to +14 %`, `×2.5 to ×6.4`.
pub(crate) fn ratios(lo: f64, hi: f64) -> String {
    let lowest = if lo >= 1.0 && (3.0..f64::INFINITY).contains(&hi) { format!("×{lo:.1}") } else { ratio(lo) };
    format!("{lowest} to {}", ratio(hi))
}

/// Logarithm of two ratios from which on a reader who divides the numbers on the screen finds another one than is written.
const TWO_RATIOS: f64 = 0.01;

/// Why `ratio` is not `after` divided by `before`: `×7.0 as measured; ×6.6 against unchanged code, which has after / before = 1.057`. Nothing
/// where the two are one. `unchanged` is after / before of unchanged code, in the same normalised values.
pub(crate) fn against_unchanged(before: f64, after: f64, ratio_: f64, unchanged: f64) -> Option<String> {
    let measured = after / before;
    let apart = (measured / ratio_).ln().abs();
    if !apart.is_finite() || apart < TWO_RATIOS {
        return None;
    }
    let [as_measured, against] = [measured, ratio_].map(factor);
    // What structure put together (renamed, moved) has other values than those that stand beside it.
    let explains = (measured / ratio_ / unchanged).ln().abs() < TWO_RATIOS;
    let rest = if explains { format!("unchanged code, which has after / before = {unchanged:.3}") } else { "the rest".to_owned() };
    Some(format!("{as_measured} as measured; {against} against {rest}"))
}

/// True where ratios are held against unchanged code that has another value after than before: they are not what the numbers on the screen give.
pub(crate) fn is_adjusted(unchanged: f64) -> bool {
    unchanged.ln().abs() >= TWO_RATIOS
}

/// The head of a column of intervals, which are those of adjusted ratios where there is something to adjust.
pub(crate) const fn interval_head(is_adjusted: bool) -> &'static str {
    if is_adjusted { "95 % adjusted" } else { "95 %" }
}

/// A ratio as a factor with three digits, so that two of them compare: `×6.96`, `×0.995`.
fn factor(ratio: f64) -> String {
    match ratio {
        100.0.. => format!("×{ratio:.0}"),
        10.0.. => format!("×{ratio:.1}"),
        1.0.. => format!("×{ratio:.2}"),
        _ => format!("×{ratio:.3}"),
    }
}

/// After / before that unchanged code has, as normalised.
pub(crate) fn unchanged_ratio(comparison: &Comparison, findings: &Findings) -> f64 {
    findings.exposure.ratio / comparison.exposure()
}

/// True where chance explains a change, nobody can tell, or it is too small to be named: its number is grey in every view.
pub(crate) const fn is_quiet(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Noise | Verdict::TooFew | Verdict::Small)
}

/// True where a box changed by more than chance explains, in the words of its tooltip.
pub(crate) fn is_certain(nodes: &NodeDiff, node: NodeId) -> bool {
    nodes.certainty.get(node.row()).is_none_or(|&certainty| certainty >= 0.5)
}

/// Text of a change of this sign; grey where it is not `sure`.
pub(crate) fn change_color(theme: &Theme, delta: f64, sure: bool) -> Color32 {
    if sure { theme.delta_text(delta as f32) } else { theme.muted }
}

/// How often chance alone gives such a finding: `1 in 4,000`.
pub(crate) fn chance(q: f64) -> String {
    if q < 1e-6 { "< 1 in a million".to_owned() } else { one_in(q) }
}

/// What is said of a place that may be another function, see [`Place::folded`].
pub(crate) const FOLDED: &str = "one of several functions with the same code";

/// Where numbers will stand that are still being made.
pub(crate) fn adding_up_ui(ui: &mut Ui, theme: &Theme) {
    ui.label(RichText::new("Adding up the samples…").color(theme.muted));
}

/// The heads of the columns of [`value_row`].
pub(crate) fn head_row(ui: &mut Ui, theme: &Theme) {
    for title in ["", "before", "after", "change"] {
        ui.label(RichText::new(title).color(theme.muted));
    }
    ui.end_row();
}

/// Normalised values of both sides; the change is grey where it is not `sure`.
pub(crate) fn value_row(ui: &mut Ui, theme: &Theme, comparison: &Comparison, title: &str, [b, a]: [f64; 2], sure: bool) {
    ui.label(RichText::new(title).color(theme.muted));
    ui.label(number(&comparison.text(b)));
    ui.label(number(&comparison.text(a)));
    ui.label(number(&change(b, a)).color(change_color(theme, a - b, sure)));
    ui.end_row();
}

/// Where a place comes from: file and line, module, inlined, merged with others. `sides`: what it says of itself on each side of a comparison.
pub(crate) fn origin_ui(ui: &mut Ui, theme: &Theme, place: &Place, sides: &[Option<Place>]) {
    for line in origins(place, sides) {
        ui.label(RichText::new(line).color(theme.muted).font(fonts::small()));
    }
}

/// What a place says of itself: once, or where the sides say different things, for each of them.
pub(crate) fn on_sides(place: &Place, sides: &[Option<Place>], text: fn(&Place) -> String) -> Vec<String> {
    let known = |side: &Option<Place>| side.as_ref().map(text).filter(|text| !text.is_empty());
    match sides.iter().map(known).collect::<Vec<_>>().as_slice() {
        [Some(before), Some(after)] if before != after => vec![format!("before {before}"), format!("after {after}")],
        known => vec![known.iter().flatten().next().cloned().unwrap_or_else(|| text(place))],
    }
}

fn origins(place: &Place, sides: &[Option<Place>]) -> Vec<String> {
    let mut lines: Vec<String> = [file, module].into_iter().flat_map(|text| on_sides(place, sides, text)).collect();
    lines.extend([(place.inlined, "inlined"), (place.folded, FOLDED)].into_iter().filter(|(is, _)| *is).map(|(_, text)| text.to_owned()));
    lines.retain(|line| !line.is_empty());
    lines
}

/// File and line of a place.
pub(crate) fn file(place: &Place) -> String {
    if place.line > 0 && !place.file.is_empty() { format!("{}:{}", place.file, place.line) } else { place.file.to_string() }
}

/// The module of a place, and that it stands in others too where it does.
pub(crate) fn module(place: &Place) -> String {
    if place.several_modules { format!("{}, and in other modules", place.module) } else { place.module.to_string() }
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
    fn names_without_a_short_form_are_cut_in_the_middle() {
        for (name, letters, text) in [
            ("std::map<int, std::pair<int, int>>::lower_bound", 26, "std::map<…>::lower_bound"),
            ("_ZN3appEverythingInOneWord5parse", 16, "_ZN3appE…d5parse"),
            ("short", 5, "short"),
        ] {
            assert_eq!(cut(name, letters), text);
        }
    }

    #[test]
    fn a_place_of_several_modules_is_not_said_to_be_of_one() {
        let place = |several_modules| Place { module: "/lib/libc.so.6".into(), several_modules, ..Place::default() };
        assert_eq!([false, true].map(|several| module(&place(several))), ["/lib/libc.so.6", "/lib/libc.so.6, and in other modules"]);
    }

    #[test]
    fn what_differs_between_the_sides_is_said_of_both() {
        let place = |module: &str, line| Some(Place { module: module.into(), file: "main.go".into(), line, ..Place::default() });
        let said = |before: Option<Place>, after: Option<Place>| origins(&place("/old/app", 7).unwrap(), &[before, after]);
        assert_eq!(said(place("/old/app", 7), place("/new/app", 7)), ["main.go:7", "before /old/app", "after /new/app"]);
        assert_eq!(said(place("/app", 7), place("/app", 9)), ["before main.go:7", "after main.go:9", "/app"]);
        assert_eq!(said(None, place("/new/app", 9)), ["main.go:9", "/new/app"], "it is on one side only");
        assert_eq!(said(place("/old/app", 7), place("", 7)), ["main.go:7", "/old/app"], "what one side does not say is no difference");
    }

    #[test]
    fn both_ends_of_an_interval_have_one_measure() {
        assert_eq!([ratios(1.08, 1.14), ratios(2.47, 6.4), ratios(0.5, 4.0)], ["+8.0 % to +14 %", "×2.5 to ×6.4", "−50 % to ×4.0"]);
        assert_eq!([ratios(0.0004, 0.02), ratios(0.0, 0.02)], ["−99.96 % to −98.0 %", "gone to −98.0 %"]);
    }

    #[test]
    fn a_ratio_that_is_not_after_by_before_says_what_it_is_held_against() {
        let text = against_unchanged(23.0, 160.0, 160.0 / 23.0 / 1.057, 1.057);
        assert_eq!(text.as_deref(), Some("×6.96 as measured; ×6.58 against unchanged code, which has after / before = 1.057"));
        let text = against_unchanged(971.0, 965.0, 1.025, 1.2);
        assert_eq!(text.as_deref(), Some("×0.994 as measured; ×1.02 against the rest"), "another number than unchanged code explains");
        for (before, after, ratio) in [(10.0, 20.0, 2.0), (0.0, 20.0, f64::INFINITY), (10.0, 0.0, 0.0), (0.0, 0.0, f64::NAN)] {
            assert_eq!(against_unchanged(before, after, ratio, 1.057), None, "{before} {after}");
        }
    }

    #[test]
    fn changes_always_have_a_sign_or_a_word() {
        for (before, after, text) in [
            (0.0, 0.0, "–"),
            (0.0, 1.0, "new"),
            (1.0, 0.0, "gone"),
            (100.0, 131.0, "+31 %"),
            (100.0, 96.5, "−3.5 %"),
            (100.0, 6.0, "−94 %"),
            (53.4 * 1024.0, 256.0, "−99.5 %"),
            (1e6, 3.0, "−99.9997 %"),
            (1.0, 4.2, "×4.2"),
            (1.0, 1.0, "±0 %"),
        ] {
            assert_eq!(change(before, after), text);
        }
    }
}
