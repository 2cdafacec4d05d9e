//! One finding: in three short lines on the side, in one long line with columns in the view.

use egui::{Align, Label, Layout, Rect, Response, RichText, Sense, Ui, UiBuilder, vec2};

use super::List;
use crate::analysis::comparison::{Comparison, percent};
use crate::analysis::diff::Verdict;
use crate::analysis::names;
use crate::analysis::regress::{Cause, Finding, part_of_change};
use crate::model::grouped;
use crate::ui::cx::Cx;
use crate::ui::panels::words;
use crate::ui::theme::{fonts, size};
use crate::ui::widgets::interval_bar;

/// Height of a finding's row in one line and in three.
const ONE_LINE: f32 = 22.0;
const THREE_LINES: f32 = 56.0;
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

/// Head, meaning, width, and which go first where there is no room (0 = never).
const PARTS: [(Part, &str, &str, f32, u8); 12] = [
    (Part::Rank, "#", "Rank, by certainty and size", 26.0, 0),
    (Part::Verdict, "verdict", "What it is", 96.0, 0),
    (Part::Name, "function", "The place that carries the change", 0.0, 0),
    (Part::Before, "before", "Cost before, as normalised", 92.0, 6),
    (Part::After, "after", "Cost after, as normalised", 92.0, 7),
    (Part::Delta, "change", "After minus before", 96.0, 3),
    (Part::Ratio, "ratio", "After against before per unit of unchanged work", 66.0, 9),
    (Part::Interval, "95 %", "Interval of the ratio against unchanged, on a scale from a quarter to four times", 84.0, 8),
    (Part::Chance, "by chance", "How often a search of all places finds such a change where there is none", 126.0, 2),
    (Part::Explains, "explains", "Part of the total change that lies here", 64.0, 5),
    (Part::Together, "together", "Part of the total change that this finding and those before it explain", 68.0, 1),
    (Part::Why, "why", "Where the change comes from", 160.0, 4),
];

/// Columns from left to right with their widths; none for rows of three lines.
pub(super) struct Columns(Vec<(Part, f32)>);

impl Columns {
    pub(super) const fn narrow() -> Self {
        Self(Vec::new())
    }

    /// As many columns as leave the name its room.
    pub(super) fn wide(width: f32) -> Self {
        let mut shown: Vec<(Part, f32, u8)> = PARTS.iter().map(|&(part, _, _, width, leaves)| (part, width, leaves)).collect();
        let fixed = |shown: &[(Part, f32, u8)]| shown.iter().map(|column| column.1 + size::PAD).sum::<f32>();
        while width - fixed(&shown) < NAME_MIN {
            let Some(first) = shown.iter().filter(|column| column.2 > 0).map(|column| column.2).min() else { break };
            shown.retain(|column| column.2 != first);
        }
        let rest = (width - fixed(&shown)).max(NAME_MIN);
        // A very long line is hard to follow: what the name cannot use goes to the reason.
        let name = rest.min(620.0);
        let widths = shown.into_iter().map(|(part, width, _)| match part {
            Part::Name => (part, name),
            Part::Why => (part, width + rest - name),
            _ => (part, width),
        });
        Self(widths.collect())
    }

    pub(super) const fn is_narrow(&self) -> bool {
        self.0.is_empty()
    }
}

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

/// Heads of the columns.
pub(super) fn heads_ui(ui: &mut Ui, cx: &Cx<'_>, columns: &Columns, comparison: &Comparison) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ONE_LINE), Sense::hover());
    let mut left = rect.left();
    for &(part, width) in &columns.0 {
        let Some((_, title, tip, ..)) = PARTS.iter().find(|row| row.0 == part) else { continue };
        let color = match part {
            Part::Before => cx.theme.before,
            Part::After => cx.theme.after,
            _ => cx.theme.muted,
        };
        cell_ui(ui, Rect::from_x_y_ranges(left..=left + width, rect.y_range()), is_number(part), |ui| {
            let label = Label::new(RichText::new(*title).color(color).font(fonts::small())).selectable(false);
            ui.add(label).on_hover_text(format!("{tip}\n{}", comparison.denominator_text()));
        });
        left += width + size::PAD;
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
        let part = if explains > 0.0 { format!("{count}, explaining {} of the rise", part_of_change(explains)) } else { count.to_string() };
        ui.add(Label::new(RichText::new(part).font(fonts::small()).color(cx.theme.muted)).truncate().selectable(false));
    });
}

fn ratio_text(finding: &Finding) -> String {
    match finding.verdict {
        Verdict::New => "new".to_owned(),
        Verdict::Gone => "gone".to_owned(),
        _ => words::ratio(finding.ratio),
    }
}

fn delta_text(comparison: &Comparison, delta: f64) -> String {
    if delta >= 0.0 { format!("+{}", comparison.text(delta)) } else { format!("−{}", comparison.text(-delta)) }
}

/// `1 in 4,000`; nothing where cost only stands elsewhere.
fn chance_text(finding: &Finding) -> String {
    if finding.verdict.is_structure() || finding.q >= 1.0 {
        "–".to_owned()
    } else if finding.q < 1e-6 {
        "< 1 in a million".to_owned()
    } else {
        format!("1 in {}", grouped((1.0 / finding.q).round() as u64))
    }
}

fn explains_text(part: f64) -> String {
    if part > 0.0 { part_of_change(part) } else { "–".to_owned() }
}

/// One finding.
pub(super) fn finding_ui(
    ui: &mut Ui,
    cx: &Cx<'_>,
    comparison: &Comparison,
    finding: &Finding,
    columns: &Columns,
    together: f64,
    selected: bool,
) -> Response {
    let theme = cx.theme;
    let height = if columns.is_narrow() { THREE_LINES } else { ONE_LINE };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    let said = format!("{} {}: {} {}", finding.rank, finding.verdict.label(), finding.func, words::ratio(finding.ratio));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, said.clone()));
    if !ui.is_rect_visible(rect) {
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
    ui.painter().rect_filled(rect, if columns.is_narrow() { size::CORNER } else { 0 }, fill);
    let color = if finding.verdict.is_structure() { theme.text } else { theme.delta_text(if finding.delta >= 0.0 { 1.0 } else { -1.0 }) };
    if columns.is_narrow() {
        // A strip in the colour of the verdict; its word stands beside it.
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), size::CORNER, color);
        three_lines_ui(ui, cx, comparison, finding, rect.shrink2(vec2(8.0, 3.0)), color);
        ui.add_space(2.0);
    } else {
        let mut left = rect.left();
        for &(part, width) in &columns.0 {
            let cell = Rect::from_x_y_ranges(left..=left + width, rect.y_range());
            cell_ui(ui, cell, is_number(part), |ui| part_ui(ui, cx, comparison, finding, part, width, together, color));
            left += width + size::PAD;
        }
    }
    response.on_hover_ui(|ui| tooltip_ui(ui, finding, together))
}

fn tooltip_ui(ui: &mut Ui, finding: &Finding, together: f64) {
    let detectable = if finding.minimum_detectable.is_finite() {
        format!("\nsmallest growth that could be seen: +{}", percent(finding.minimum_detectable))
    } else {
        String::new()
    };
    ui.label(words::number(&finding.func));
    ui.label(format!(
        "{}\n95 %: {}\np {:.3e}, q {:.3e}\nevents {:.0} → {:.0}\nexplains {} of the change, {} together with those before it{detectable}",
        finding.why,
        words::ratios(finding.ratio_lo, finding.ratio_hi),
        finding.p,
        finding.q,
        finding.events[0],
        finding.events[1],
        explains_text(finding.explains),
        explains_text(together),
    ));
}

/// Name and ratio; verdict, numbers and interval; reason and share.
fn three_lines_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, finding: &Finding, rect: Rect, color: egui::Color32) {
    let theme = cx.theme;
    let height = rect.height() / 3.0;
    let line = |at: f32| Rect::from_min_size(rect.min + vec2(0.0, at * height), vec2(rect.width(), height));
    let small = |text: String, color: egui::Color32| Label::new(RichText::new(text).font(fonts::small()).color(color)).selectable(false);
    cell_ui(ui, line(0.0), true, |ui| {
        if finding.is_against_rest() {
            ui.add(small("vs rest".to_owned(), theme.muted));
        }
        ui.add(Label::new(words::number(&ratio_text(finding)).strong().color(color)).selectable(false));
        let rest = ui.available_rect_before_wrap();
        cell_ui(ui, rest, false, |ui| {
            ui.add(small(finding.rank.to_string(), theme.muted));
            let letters = (ui.available_width() / LETTER - 1.0).max(8.0) as usize;
            let name = names::short(&finding.func, letters);
            ui.add(Label::new(words::number(&name).color(theme.text)).truncate().selectable(false));
        });
    });
    cell_ui(ui, line(1.0), true, |ui| {
        interval_bar::ui(ui, theme, finding.ratio, finding.ratio_lo, finding.ratio_hi, 64.0);
        let rest = ui.available_rect_before_wrap();
        cell_ui(ui, rest, false, |ui| {
            ui.add(Label::new(RichText::new(finding.verdict.label()).color(color).font(fonts::small()).strong()).selectable(false));
            let values = format!(
                "{} → {} ({})",
                comparison.text(finding.before),
                comparison.text(finding.after),
                delta_text(comparison, finding.delta)
            );
            ui.add(Label::new(RichText::new(values).color(theme.text).font(fonts::small())).truncate().selectable(false));
        });
    });
    cell_ui(ui, line(2.0), true, |ui| {
        if finding.explains > 0.0 {
            ui.add(small(format!("{} of change", part_of_change(finding.explains)), theme.muted));
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
        Part::Verdict => Label::new(RichText::new(finding.verdict.label()).color(color).font(fonts::small())).truncate().selectable(false),
        Part::Name => text(names::short(&finding.func, letters), if finding.rank > 0 { theme.text } else { theme.muted }),
        Part::Before => text(comparison.text(finding.before), theme.muted),
        Part::After => text(comparison.text(finding.after), if finding.rank > 0 { theme.text } else { theme.muted }),
        Part::Delta => text(delta_text(comparison, finding.delta), color),
        Part::Ratio => text(ratio_text(finding), color),
        Part::Interval => {
            interval_bar::ui(ui, theme, finding.ratio, finding.ratio_lo, finding.ratio_hi, width);
            return;
        }
        Part::Chance => text(if finding.rank > 0 { chance_text(finding) } else { String::new() }, theme.muted),
        Part::Explains => text(if finding.rank > 0 { explains_text(finding.explains) } else { String::new() }, theme.text),
        Part::Together => {
            text(if finding.rank > 0 && finding.verdict.is_change() { explains_text(together) } else { String::new() }, theme.muted)
        }
        Part::Why => {
            let why = if finding.rank > 0 { finding.because.clone() } else { finding.why.clone() };
            Label::new(RichText::new(why).color(theme.muted).font(fonts::small())).truncate().selectable(false)
        }
    };
    ui.add(label);
}

/// A row that is no finding: grey, with its number.
pub(super) fn other_ui(ui: &mut Ui, cx: &Cx<'_>, comparison: &Comparison, row: &Finding, columns: &Columns) -> Response {
    let theme = cx.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::TABLE_ROW), Sense::click());
    let said = format!("{}: {} {}", row.verdict.label(), row.func, words::ratio(row.ratio));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, said.clone()));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    if response.hovered() {
        ui.painter().rect_filled(rect, 0.0, theme.hover);
    }
    if columns.is_narrow() {
        cell_ui(ui, rect, false, |ui| {
            ui.add(Label::new(words::number(&format!("{:>8}", words::ratio(row.ratio))).color(theme.muted)).selectable(false));
            let letters = (ui.available_width() / LETTER - 1.0).max(8.0) as usize;
            let name = RichText::new(names::short(&row.func, letters)).font(fonts::table()).color(theme.muted);
            ui.add(Label::new(name).truncate().selectable(false));
        });
    } else {
        let mut left = rect.left();
        for &(part, width) in &columns.0 {
            let cell = Rect::from_x_y_ranges(left..=left + width, rect.y_range());
            cell_ui(ui, cell, is_number(part), |ui| part_ui(ui, cx, comparison, row, part, width, 0.0, theme.muted));
            left += width + size::PAD;
        }
    }
    let tip =
        format!("{}\n{} → {}\n{}: {}", row.func, comparison.text(row.before), comparison.text(row.after), row.verdict.label(), row.why);
    response.on_hover_text(tip)
}
