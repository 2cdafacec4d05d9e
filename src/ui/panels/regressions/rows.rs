//! One finding: three short lines on the side; columns in the view, with the reason on a second line where one line has no room for it.

use egui::{Align, Label, Layout, Rect, Response, RichText, Sense, Ui, UiBuilder, vec2};

use super::{List, text};
use crate::analysis::comparison::{Comparison, percent};
use crate::analysis::diff::Verdict;
use crate::analysis::names;
use crate::analysis::regress::{Cause, Finding, Findings, part_of_change};
use crate::app::findings::FindingKind;
use crate::ui::cx::Cx;
use crate::ui::panels::words;
use crate::ui::theme::{fonts, size};
use crate::ui::widgets::interval_bar;

/// Height of a finding's row in one line, in two and in three.
const ONE_LINE: f32 = 22.0;
const TWO_LINES: f32 = 38.0;
const THREE_LINES: f32 = 56.0;
/// Height of one of two lines.
const LINE: f32 = 18.0;
/// From this width on there is room for how often chance alone gives such a finding; where it is less, the pointer says it.
const CARD_WITH_CHANCE: f32 = 400.0;
/// Width of a letter of the table's face.
const LETTER: f32 = 7.3;
/// The least width of the function's name in a row of one line.
const NAME_MIN: f32 = 170.0;

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Rank,
    Verdict,
    Name,
    Measure,
    Before,
    After,
    Delta,
    Ratio,
    Interval,
    Chance,
    Explains,
    Together,
    Why,
}

/// Head, meaning, and width in a row of one line (0 = the rest).
const PARTS: [(Part, &str, &str, f32); 13] = [
    (Part::Rank, "#", "Rank, by certainty and size", 22.0),
    (Part::Verdict, "verdict", "What it is", 84.0),
    (Part::Name, "function", "The place that carries the change", 0.0),
    (Part::Measure, "of", "What the numbers are: self is the cost of the function alone, total is that with what it calls", 30.0),
    (Part::Before, "before", "Cost before, as normalised", 80.0),
    (Part::After, "after", "Cost after, as normalised", 80.0),
    (Part::Delta, "change", "After minus before", 88.0),
    (
        Part::Ratio,
        "ratio",
        "Of a finding: after against before per unit of unchanged work. Of everything else: after divided by before",
        66.0,
    ),
    (Part::Interval, "95 %", "Interval of the ratio against unchanged, on a scale from a quarter to four times", 92.0),
    (Part::Chance, "by chance", "How often a search of all places finds such a change where there is none", 88.0),
    (Part::Explains, "explains", "Part of the total change that lies here", 58.0),
    (Part::Together, "together", "Part of the total change that this finding and those before it explain", 68.0),
    (Part::Why, "why", "Where the change comes from", 160.0),
];

/// What a row of two lines has no column for: the reason stands below the function, the ratio below its interval, and what findings
/// explain together is said by the pointer.
const BELOW: [Part; 3] = [Part::Ratio, Part::Together, Part::Why];

/// How a finding is laid out: columns from left to right with their widths; none for three short lines.
pub(super) struct Columns {
    shown: Vec<(Part, f32)>,
    lines: usize,
}

impl Columns {
    /// The least width at which a row of two lines has all its columns and a name that can be read.
    pub(super) fn least_width() -> f32 {
        Self::fixed(2) + NAME_MIN
    }

    pub(super) const fn narrow() -> Self {
        Self { shown: Vec::new(), lines: 3 }
    }

    /// One line where all columns leave the name its room, two elsewhere: nothing that a finding says is left out.
    pub(super) fn wide(width: f32) -> Self {
        let lines = if width >= Self::fixed(1) + NAME_MIN { 1 } else { 2 };
        let rest = (width - Self::fixed(lines)).max(NAME_MIN);
        // A very long line is hard to follow: what the name cannot use goes to the reason.
        let name = if lines == 1 { rest.min(620.0) } else { rest };
        let widths = Self::parts(lines).map(|(part, width)| match part {
            Part::Name => (part, name),
            Part::Why => (part, width + rest - name),
            _ => (part, width),
        });
        Self { shown: widths.collect(), lines }
    }

    fn parts(lines: usize) -> impl Iterator<Item = (Part, f32)> {
        PARTS.iter().map(|&(part, _, _, width)| (part, width)).filter(move |(part, _)| lines == 1 || !BELOW.contains(part))
    }

    /// What all columns but the name's take.
    fn fixed(lines: usize) -> f32 {
        Self::parts(lines).map(|(_, width)| width + size::PAD).sum()
    }

    pub(super) const fn is_narrow(&self) -> bool {
        self.shown.is_empty()
    }

    const fn height(&self) -> f32 {
        match self.lines {
            1 => ONE_LINE,
            2 => TWO_LINES,
            _ => THREE_LINES,
        }
    }

    /// The columns' places in a row.
    fn cells(&self, rect: Rect) -> impl Iterator<Item = (Part, Rect)> {
        let mut left = rect.left();
        self.shown.iter().map(move |&(part, width)| {
            let cell = Rect::from_x_y_ranges(left..=left + width, rect.y_range());
            left += width + size::PAD;
            (part, cell)
        })
    }
}

/// What the column of chances is called where the rows that are no findings, and so have no chance, have their change in it.
const CHANCE_OR_CHANGE: (&str, &str) = (
    "chance / change",
    "Of a finding: how often a search of all places finds such a change where there is none. Of everything else: after divided by before",
);

const fn is_number(part: Part) -> bool {
    matches!(part, Part::Rank | Part::Before | Part::After | Part::Delta | Part::Ratio | Part::Chance | Part::Explains | Part::Together)
}

fn cell_ui(ui: &mut Ui, rect: Rect, right: bool, add: impl FnOnce(&mut Ui)) {
    let layout = if right { Layout::right_to_left(Align::Center) } else { Layout::left_to_right(Align::Center) };
    // A child and no scope: the row has its room already.
    let mut ui = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
    ui.set_clip_rect(ui.clip_rect().intersect(rect));
    ui.spacing_mut().item_spacing.x = 6.0;
    add(&mut ui);
}

/// Heads of the columns. They say whether rows that are no findings stand in them too, and whether ratios are held against unchanged code that has
/// another value after than before.
pub(super) fn heads_ui(ui: &mut Ui, cx: &Cx<'_>, columns: &Columns, list: &List<'_>) {
    let has_others = !list.others.is_empty() && !cx.app.view().findings.hidden.contains(&FindingKind::Others);
    let adjusted = words::is_adjusted(words::unchanged_ratio(list.comparison, list.findings));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ONE_LINE), Sense::hover());
    for (part, cell) in columns.cells(rect) {
        let Some(&(_, title, tip, _)) = PARTS.iter().find(|row| row.0 == part) else { continue };
        let color = match part {
            Part::Before => cx.theme.before,
            Part::After => cx.theme.after,
            _ => cx.theme.muted,
        };
        let (title, tip) = match part {
            Part::Name if columns.lines == 2 => ("function, why", tip),
            Part::Chance if columns.lines == 2 && has_others => CHANCE_OR_CHANGE,
            Part::Ratio if adjusted => ("adjusted", tip),
            Part::Interval => (words::interval_head(adjusted), tip),
            _ => (title, tip),
        };
        cell_ui(ui, cell, is_number(part), |ui| {
            if part == Part::Interval {
                ui.add_space(size::PAD);
            }
            let label = Label::new(RichText::new(title).color(color).font(fonts::small())).selectable(false);
            ui.add(label).on_hover_text(format!("{tip}\n{}", list.comparison.denominator_text()));
        });
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), egui::Stroke::new(size::HAIRLINE, cx.theme.line));
}

/// The head of a group: its cause, how many findings it has, and what they explain.
pub(super) fn group_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, cause: Cause) {
    let rows = list.order.iter().filter_map(|&at| list.findings.rows.get(at)).filter(|row| row.cause == cause);
    let (count, explains) =
        rows.fold((0, 0.0), |(count, sum), row| (count + 1, sum + if row.verdict.is_worse() { row.explains } else { 0.0 }));
    ui.add_space(size::GAP);
    ui.horizontal(|ui| {
        ui.add(Label::new(RichText::new(cause.label()).font(fonts::strong()).color(cx.theme.text)).selectable(false));
        // All that got worse has one whole: there is one net change, which need not be that of the total.
        let whole = |first: &Finding| match list.findings.is_per_work(first) {
            true if ui.available_width() < 400.0 => list.findings.whole_of_briefly(first),
            true => list.findings.whole_of(first),
            false => "the rise",
        };
        let first = list.findings.rows.iter().find(|row| row.cause == cause && row.verdict.is_worse() && row.explains > 0.0);
        let part = match first {
            Some(first) => format!("{count}, explaining {} of {}", part_of_change(explains), whole(first)),
            None => count.to_string(),
        };
        ui.add(Label::new(RichText::new(part).font(fonts::small()).color(cx.theme.muted)).truncate().selectable(false));
    });
}

/// `1 in 4,000`; nothing where cost only stands elsewhere.
fn chance_text(finding: &Finding) -> String {
    if finding.verdict.is_structure() || finding.q >= 1.0 { "–".to_owned() } else { words::chance(finding.q) }
}

/// One finding: `together` is what it and those before it explain, `unchanged` is after / before of unchanged code.
pub(super) fn finding_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    list: &List<'_>,
    finding: &Finding,
    columns: &Columns,
    (together, unchanged): (f64, f64),
    selected: bool,
) -> Response {
    let theme = cx.theme;
    let remark = list.remarks.on(Some(&finding.func));
    let below = if remark.is_empty() { 0.0 } else { LINE };
    let (whole, response) = ui.allocate_exact_size(vec2(ui.available_width(), columns.height() + below), Sense::click());
    let rect = whole.with_max_y(whole.bottom() - below);
    let said = format!("{} {}: {} {}", finding.rank, finding.verdict.label(), finding.func, words::ratio(finding.ratio));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, said.clone()));
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    if !ui.is_rect_visible(whole) {
        return response;
    }
    let fill = if selected {
        theme.selection
    } else if response.hovered() {
        theme.hover
    } else if columns.is_narrow() {
        theme.raised
    } else {
        theme.background
    };
    ui.painter().rect_filled(whole, if columns.is_narrow() { size::CORNER } else { 0 }, fill);
    if !remark.is_empty() {
        let left = columns.cells(whole).find(|(part, _)| *part == Part::Name).map_or(whole.left() + 8.0, |(_, cell)| cell.left());
        let line = Rect::from_min_max(egui::pos2(left, rect.bottom() - 3.0), whole.max - vec2(8.0, 3.0));
        cell_ui(ui, line, false, |ui| {
            let first = remark.lines().next().unwrap_or_default();
            ui.add(Label::new(RichText::new(format!("“{first}”")).font(fonts::small()).color(theme.text)).truncate().selectable(false));
        });
    }
    let color = text::finding_color(theme, finding);
    if columns.is_narrow() {
        // A strip in the colour of the verdict; its word stands beside it.
        ui.painter().rect_filled(Rect::from_min_size(whole.min, vec2(3.0, whole.height())), size::CORNER, color);
        three_lines_ui(ui, cx, list, finding, rect.shrink2(vec2(8.0, 3.0)), color);
        ui.add_space(2.0);
    } else {
        row_ui(ui, cx, list.comparison, finding, columns, together, color, rect);
    }
    response.on_hover_ui(|ui| {
        tooltip_ui(ui, list.findings, finding, together, unchanged);
        if !remark.is_empty() {
            ui.label(format!("“{remark}”"));
        }
    })
}

/// The words of a verdict, where the column has room for one or two of them; the pointer says the rest.
const fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::TooFew => "Too few",
        Verdict::Small => "Below minimum",
        Verdict::Explained => "Explained",
        Verdict::Unconfirmed => "Unconfirmed",
        other => other.label(),
    }
}

/// The word for what a finding is.
fn verdict(text: &str, color: egui::Color32) -> Label {
    Label::new(RichText::new(text).color(color).font(fonts::small())).truncate().selectable(false)
}

/// The columns of a row, and what stands below them in a row of two lines.
#[expect(clippy::too_many_arguments, reason = "one row, drawn from plain values")]
fn row_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    comparison: &Comparison,
    finding: &Finding,
    columns: &Columns,
    together: f64,
    color: egui::Color32,
    rect: Rect,
) {
    let two = columns.lines == 2;
    let line = if two { rect.with_max_y(rect.top() + LINE + 2.0) } else { rect };
    for (part, cell) in columns.cells(line) {
        let width = cell.width();
        if two && part == Part::Verdict {
            cell_ui(ui, cell, false, |ui| drop(ui.add(verdict(finding.verdict.label().split(": ").next().unwrap_or_default(), color))));
        } else {
            cell_ui(ui, cell, is_number(part), |ui| part_ui(ui, cx, comparison, finding, part, width, together, color));
        }
    }
    if !two {
        return;
    }
    let below = rect.with_min_y(rect.bottom() - LINE);
    let place = |of: Part| columns.cells(below).find(|(part, _)| *part == of).map(|(_, cell)| cell);
    let (Some(first), Some(name), Some(interval)) = (place(Part::Verdict), place(Part::Name), place(Part::Interval)) else { return };
    if let Some((_, condition)) = finding.verdict.label().split_once(": ") {
        cell_ui(ui, first, false, |ui| drop(ui.add(verdict(condition, color))));
    }
    let why = name.with_max_x(interval.left() - size::PAD);
    cell_ui(ui, why, false, |ui| part_ui(ui, cx, comparison, finding, Part::Why, why.width(), together, color));
    cell_ui(ui, interval, true, |ui| part_ui(ui, cx, comparison, finding, Part::Ratio, interval.width(), together, color));
}

fn tooltip_ui(ui: &mut Ui, findings: &Findings, finding: &Finding, together: f64, unchanged: f64) {
    let detectable = if finding.minimum_detectable.is_finite() {
        format!("\nsmallest growth that could be seen: +{}", percent(finding.minimum_detectable))
    } else {
        String::new()
    };
    let against = words::against_unchanged(finding.before, finding.after, finding.ratio, unchanged);
    let against = against.map_or_else(String::new, |text| format!("\n{text}"));
    ui.label(words::number(&words::whole(&finding.func)));
    ui.label(format!(
        "{}: {}\n{} 95 %: {}{against}\np {:.3e}, q {:.3e}\nevents {:.0} → {:.0}\nexplains {} of {}, {} together with those before it{detectable}",
        finding.verdict.label(),
        finding.why,
        finding.measure.name(),
        words::ratios(finding.ratio_lo, finding.ratio_hi),
        finding.p,
        finding.q,
        finding.events[0],
        finding.events[1],
        text::explains(finding.explains),
        findings.whole_of(finding),
        text::explains(together),
    ));
}

/// Name and ratio; verdict, numbers and interval; reason and share.
fn three_lines_ui(ui: &mut Ui, cx: &Cx<'_>, list: &List<'_>, finding: &Finding, rect: Rect, color: egui::Color32) {
    let (theme, comparison) = (cx.theme, list.comparison);
    let height = rect.height() / 3.0;
    let line = |at: f32| Rect::from_min_size(rect.min + vec2(0.0, at * height), vec2(rect.width(), height));
    let small = |text: String, color: egui::Color32| Label::new(RichText::new(text).font(fonts::small()).color(color)).selectable(false);
    cell_ui(ui, line(0.0), true, |ui| {
        let said = text::ratios(finding);
        if let Some(aside) = said.aside {
            ui.add(small(if said.is_turned { aside } else { format!("({aside})") }, theme.muted));
        } else if finding.is_against_rest() {
            ui.add(small(text::against(finding).to_owned(), theme.muted));
        }
        ui.add(Label::new(words::number(&said.first).strong().color(color)).selectable(false));
        let rest = ui.available_rect_before_wrap();
        cell_ui(ui, rest, false, |ui| {
            ui.add(small(finding.rank.to_string(), theme.muted));
            let letters = (ui.available_width() / LETTER - 1.0).max(8.0) as usize;
            let name = names::short(&finding.func, letters);
            ui.add(Label::new(words::number(&name).color(theme.text)).truncate().selectable(false));
        });
    });
    // The numbers beside it come first where there is little room.
    let bar = (rect.width() * 0.16).clamp(40.0, 64.0);
    cell_ui(ui, line(1.0), true, |ui| {
        interval_bar::ui(ui, theme, finding.ratio, finding.ratio_lo, finding.ratio_hi, bar);
        let rest = ui.available_rect_before_wrap();
        cell_ui(ui, rest, false, |ui| {
            ui.add(Label::new(RichText::new(finding.verdict.label()).color(color).font(fonts::small()).strong()).selectable(false));
            let values = text::values(comparison, finding);
            // Numbers of self and of total look alike, and the reason below may speak of the other one.
            ui.add(small(finding.measure.name().to_owned(), theme.muted));
            ui.add(Label::new(RichText::new(values).color(theme.text).font(fonts::small())).truncate().selectable(false));
        });
    });
    cell_ui(ui, line(2.0), true, |ui| {
        if finding.explains > 0.0 {
            let whole = list.findings.whole_of_briefly(finding);
            ui.add(small(format!("{} of {whole}", part_of_change(finding.explains)), theme.muted));
        }
        if rect.width() >= CARD_WITH_CHANCE && !finding.verdict.is_structure() && finding.q < 1.0 {
            ui.add(small(format!("by chance {} ·", chance_text(finding)), theme.muted));
        }
        let rest = ui.available_rect_before_wrap();
        cell_ui(ui, rest, false, |ui| {
            ui.add(small(finding.because.clone(), theme.muted).truncate());
        });
    });
}

#[expect(clippy::too_many_arguments, reason = "one cell of one row, drawn from plain values")]
fn part_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    comparison: &Comparison,
    finding: &Finding,
    part: Part,
    width: f32,
    together: f64,
    color: egui::Color32,
) {
    let theme = cx.theme;
    let letters = (width / LETTER).max(6.0) as usize;
    let text = |text: String, color: egui::Color32| Label::new(words::number(&text).color(color)).truncate().selectable(false);
    let label = match part {
        Part::Rank => text(if finding.rank > 0 { finding.rank.to_string() } else { String::new() }, theme.muted),
        Part::Verdict => verdict(verdict_text(finding.verdict), color),
        Part::Name => text(names::short(&finding.func, letters), if finding.rank > 0 { theme.text } else { theme.muted }),
        Part::Measure => {
            Label::new(RichText::new(finding.measure.name()).color(theme.muted).font(fonts::small())).truncate().selectable(false)
        }
        Part::Before => text(comparison.text(finding.before), theme.muted),
        Part::After => text(comparison.text(finding.after), if finding.rank > 0 { theme.text } else { theme.muted }),
        // A rise in the colour of an improvement would be a riddle.
        Part::Delta => text(text::delta(comparison, finding.delta), if text::is_against_measured(finding) { theme.muted } else { color }),
        // A row that is no finding has its own change, which agrees with the numbers beside it; a finding is held against unchanged code.
        Part::Ratio if finding.rank == 0 => text(words::change(finding.before, finding.after), color),
        Part::Ratio => text(text::ratio(finding), color),
        Part::Interval => {
            // Apart from the number before it.
            ui.add_space(size::PAD);
            interval_bar::ui(ui, theme, finding.ratio, finding.ratio_lo, finding.ratio_hi, width - 2.0 * size::PAD);
            return;
        }
        Part::Chance => {
            let chance = if finding.rank > 0 { chance_text(finding) } else { String::new() };
            Label::new(RichText::new(chance).color(theme.muted).font(fonts::small())).truncate().selectable(false)
        }
        Part::Explains => text(if finding.rank > 0 { text::explains(finding.explains) } else { String::new() }, theme.text),
        Part::Together => {
            text(if finding.rank > 0 && finding.verdict.is_change() { text::explains(together) } else { String::new() }, theme.muted)
        }
        Part::Why => {
            let why = if finding.rank > 0 { finding.because.clone() } else { finding.why.clone() };
            Label::new(RichText::new(why).color(theme.muted).font(fonts::small())).truncate().selectable(false)
        }
    };
    ui.add(label);
}

/// A row that is no finding: grey, with its number.
pub(super) fn other_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, row: &Finding, columns: &Columns, unchanged: f64) -> Response {
    let theme = cx.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::TABLE_ROW), Sense::click());
    let change = words::change(row.before, row.after);
    let said = format!("{}: {} {change}", row.verdict.label(), row.func);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, said.clone()));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    if response.hovered() {
        ui.painter().rect_filled(rect, 0.0, theme.hover);
    }
    if columns.is_narrow() {
        cell_ui(ui, rect, false, |ui| {
            ui.add(Label::new(words::number(&format!("{change:>8}")).color(theme.muted)).selectable(false));
            let letters = (ui.available_width() / LETTER - 1.0).max(8.0) as usize;
            let name = RichText::new(names::short(&row.func, letters)).font(fonts::table()).color(theme.muted);
            ui.add(Label::new(name).truncate().selectable(false));
        });
    } else {
        for (part, cell) in columns.cells(rect) {
            // One line: what is no finding has no chance to name, and its change stands there where it has no column.
            let part = if columns.lines == 2 && part == Part::Chance { Part::Ratio } else { part };
            cell_ui(ui, cell, is_number(part), |ui| part_ui(ui, cx, comparison, row, part, cell.width(), 0.0, theme.muted));
        }
    }
    let against = words::against_unchanged(row.before, row.after, row.ratio, unchanged);
    let against = against.map_or_else(String::new, |text| format!("\n{text}"));
    let tip = format!(
        "{}\n{} {} → {}{against}\n{}: {}",
        words::whole(&row.func),
        row.measure.name(),
        comparison.text(row.before),
        comparison.text(row.after),
        row.verdict.label(),
        row.why
    );
    response.on_hover_text(tip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::diff::Interval;
    use crate::analysis::regress::Whole;
    use crate::app::{App, Command, Options};
    use crate::ui::theme::Theme;

    fn findings() -> Findings {
        let sample = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let mut app = App::new(Options { inline: true, ..Options::default() });
        app.apply(Command::OpenComparison(sample("orders-cpu-before.pb.gz"), sample("orders-cpu-after.pb.gz")));
        app.settle();
        Findings::clone(app.findings().ready().expect("findings"))
    }

    #[test]
    fn the_colour_is_that_of_the_verdict_and_not_of_the_measured_change() {
        let (theme, mut finding) = (Theme::dark(), findings().rows.remove(0));
        assert_eq!((text::finding_color(&theme, &finding), text::is_against_measured(&finding)), (theme.worse, false));
        (finding.verdict, finding.delta, finding.ratio) = (Verdict::Improvement, 7.1, 0.31);
        assert_eq!((text::finding_color(&theme, &finding), text::is_against_measured(&finding)), (theme.better, true));
        finding.verdict = Verdict::Unconfirmed;
        assert_eq!((text::finding_color(&theme, &finding), text::is_against_measured(&finding)), (theme.better, false));
    }

    #[test]
    fn a_part_says_what_it_is_a_part_of() {
        let mut findings = findings();
        let row = findings.rows[0].clone();
        let total = findings.total.expect("rates have a total");
        let said = |findings: &Findings, row: &Finding| [findings.whole_of(row), findings.whole_of_briefly(row)];
        assert_eq!(said(&findings, &row), ["the change", "change"]);
        findings.total = Some(Interval { ratio: 0.97, lo: 0.96, hi: 0.98 });
        assert_eq!(said(&findings, &row), ["the change per unit of unchanged work", "change per work"], "the total fell");
        findings.total = Some(Interval { ratio: 1.01, lo: 0.99, hi: 1.03 });
        assert!(findings.is_per_work(&row), "the total may have stayed");
        findings.total = Some(total);
        let of = |explains_of| Finding { explains_of, ..row.clone() };
        assert_eq!(said(&findings, &of(Whole::Rises)), ["what rose", "rises"]);
        assert_eq!(said(&findings, &of(Whole::Falls)), ["what fell", "falls"]);
    }

    #[test]
    fn no_width_loses_what_a_finding_says() {
        for width in [Columns::least_width(), 924.0, 1279.0, 1300.0, 2500.0] {
            let columns = Columns::wide(width);
            let rect = Rect::from_min_size(egui::Pos2::ZERO, vec2(width, ONE_LINE));
            for (part, ..) in PARTS {
                let cell = columns.cells(rect).find(|(shown, _)| *shown == part).map(|(_, cell)| cell);
                assert!(cell.is_some() || (columns.lines == 2 && BELOW.contains(&part)), "{part:?} at {width}");
                assert!(cell.is_none_or(|cell| cell.right() <= width + 0.5), "{part:?} ends behind {width}");
            }
        }
    }
}
