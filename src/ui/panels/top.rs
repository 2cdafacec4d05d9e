//! The flat table: self and total of every place, or before and after of a comparison.
//!
//! Values of a single capture are as captured; those of a comparison are normalised, and their heads say to what. Deliberately absent:
//! sorting and filtering, which are derived results of the app. Start at [`ui`].

use std::sync::Arc;

use egui::{Color32, Id, RichText, Ui};
use rustc_hash::FxHashMap;

use super::flame::all_self_words;
use super::{rows, words};
use crate::analysis::comparison::Normalization;
use crate::analysis::diff::{Measure, Table, Verdict};
use crate::analysis::flat::{self, Change, FlatSide, OrderBy};
use crate::analysis::regress::Findings;
use crate::analysis::search::Matches;
use crate::analysis::{Place, PlaceId, names};
use crate::app::view::{Selection, Sort, SortBy, Tab};
use crate::app::{Command, ShownRows};
use crate::model::{Scale, grouped};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::fonts;
use crate::ui::widgets::table::{Cell, Head, Rows, Sorting, Spec, Width, table};

/// Draws the panel.
pub fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    let id = Id::unique("top table");
    rows::bar_ui(ui, cx, |ui| bar_ui(ui, cx, out, id));
    let Some((shown, is_old)) = cx.app.shown_rows() else {
        rows::working_ui(ui, cx, "Making the table…");
        return;
    };
    rows::footer_ui(ui, cx, &footer(cx, shown));
    let mut top = TopRows::new(ui, cx, shown, Evidence::new(ui, cx, shown), out);
    let heads: Vec<Head> = top.columns.iter().map(|column| top.head(*column)).collect();
    let selection = cx.app.view().selection.as_ref();
    let is_filtered = !cx.app.view().top_filter.is_empty();
    let empty = if is_filtered { "Nothing matches".to_owned() } else { super::flame::empty_words(cx, &shown.comparison) };
    let spec = Spec {
        id,
        name: "Top table",
        heads: &heads,
        selected: selected_row(ui, shown, selection),
        reveal: selection.map_or(0, |selection| memory::key(&selection.place)),
        takes_idle_keys: true,
        rule: rule_after(cx, shown),
        empty: &empty,
    };
    if is_old {
        ui.multiply_opacity(OLD_OPACITY);
    }
    let response = table(ui, cx.theme, &spec, &mut top);
    let name = |row: usize| top.place(row).map(|place| place.name.clone());
    if let Some(place) = response.activate.and_then(name) {
        rows::zoom_to(top.out, Selection { place, path: Vec::new() });
    } else if let Some(place) = response.select.and_then(name) {
        top.out.send(Command::Select(Some(Selection { place, path: Vec::new() })));
    }
    if let Some(by) = response.sort.and_then(|at| top.columns.get(at)).and_then(|column| column.sort_by(cx)) {
        top.out.send(Command::SetSort(next_sort(cx, by)));
    }
}

/// Results that are older than the view while the next ones are made.
const OLD_OPACITY: f32 = 0.6;

fn bar_ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox, table: Id) {
    let mut text = cx.app.view().top_filter.clone();
    let field = egui::TextEdit::singleline(&mut text).hint_text("Filter names, files, modules…").desired_width(240.0);
    let field = ui.add(field);
    field.widget_info(|| egui::WidgetInfo::labeled(egui::Role::TextInput, true, "Filter the table"));
    if field.changed() {
        out.send(Command::FilterTop(text.clone()));
    }
    // From the filter straight into what it found.
    if field.has_focus() && ui.input(|input| input.key_pressed(egui::Key::ArrowDown))
        || field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
    {
        ui.memory_mut(|memory| memory.request_focus(table));
    }
    if !text.is_empty() && ui.small_button("✕").on_hover_text("Clear the filter").clicked() {
        out.send(Command::FilterTop(String::new()));
    }
    if cx.app.view().is_comparison() {
        ui.separator();
        ui.label(RichText::new("Compare").color(cx.theme.muted));
        for measure in Measure::ALL {
            let (words, tooltip) = match measure {
                Measure::Self_ => ("Self", "Values without callees (flat)"),
                Measure::Total => ("Total", "Values with callees (cum)"),
            };
            if ui.selectable_label(cx.app.view().measure == measure, words).on_hover_text(tooltip).clicked() {
                out.send(Command::SetMeasure(measure));
            }
        }
    }
}

/// Clicking the column again turns the order round; a new one starts with its largest, names with their first.
fn next_sort(cx: &Cx<'_>, by: SortBy) -> Sort {
    let sort = cx.app.view().sort;
    let is_same = order_of(cx, by) == cx.app.rows_spec().by;
    Sort { by, ascending: if is_same { !sort.ascending } else { by == SortBy::Name } }
}

/// What a column stands for, as the app understands it.
fn order_of(cx: &Cx<'_>, by: SortBy) -> OrderBy {
    let measure = cx.app.view().measure;
    match (cx.app.view().is_comparison(), by) {
        (_, SortBy::Name) => OrderBy::Name,
        (false, SortBy::Total) => OrderBy::Value { side: 0, measure: Measure::Total },
        (false, _) => OrderBy::Value { side: 0, measure: Measure::Self_ },
        (true, SortBy::Before) => OrderBy::Value { side: 0, measure },
        (true, SortBy::After) => OrderBy::Value { side: 1, measure },
        (true, SortBy::Ratio) => OrderBy::Ratio(measure),
        (true, _) => OrderBy::Delta(measure),
    }
}

fn is_by_self(cx: &Cx<'_>) -> bool {
    let spec = cx.app.rows_spec();
    spec.by == OrderBy::Value { side: 0, measure: Measure::Self_ } && !spec.ascending
}

/// What the rows down to each have together, as parts of the whole of a lone capture; only in the order of self values.
fn sums(ui: &Ui, cx: &Cx<'_>, shown: &ShownRows) -> Option<Arc<Vec<f64>>> {
    let (side, flat) = (shown.comparison.last()?, shown.flat.sides.last()?);
    if shown.comparison.pair().is_some() || !is_by_self(cx) {
        return None;
    }
    Some(memory::keep(ui, "sums of the top table", memory::key(&Arc::as_ptr(&shown.rows).addr()), || {
        let mut sum = 0_i64;
        let add = |&place: &PlaceId| {
            sum = sum.saturating_add(flat.value(Measure::Self_, place));
            rows::share(side, sum)
        };
        Kept::new(shown.rows.places.iter().map(add).collect(), Arc::clone(&shown.rows))
    }))
}

/// The line under the places that make up most of the self values: only where the table is in that order.
fn rule_after(cx: &Cx<'_>, shown: &ShownRows) -> Option<usize> {
    let by_self = is_by_self(cx) && cx.app.rows_spec().pattern.is_empty();
    shown.flat.most.filter(|&most| by_self && most < shown.rows.places.len())
}

fn footer(cx: &Cx<'_>, shown: &ShownRows) -> Vec<String> {
    let (comparison, flat) = (&shown.comparison, &shown.flat);
    let places = rows::places_word(cx.app.view().granularity, flat.places.len());
    let count = format!("{} of {} {places}", grouped(shown.rows.places.len() as u64), grouped(flat.places.len() as u64));
    let sums = comparison.sides.iter().zip(&shown.rows.sum_self).enumerate().map(|(at, (side, &sum))| {
        let words = match (comparison.sides.len(), at) {
            (2, 0) => "self before",
            (2, _) => "self after",
            _ => "self",
        };
        let share = crate::analysis::comparison::percent(rows::share(side, sum));
        // In the columns' unit. Shares are their own part of the total.
        match (comparison.pair(), comparison.effective_normalization()) {
            (None, _) => format!("{words} {} ({share})", comparison.value_text(sum)),
            (_, Normalization::Share) => format!("{words} {share}"),
            _ => format!("{words} {} ({share})", comparison.text(sum as f64 * comparison.factor(side))),
        }
    });
    let most = most_words(cx, shown);
    std::iter::once(count).chain(sums).chain([most]).collect()
}

/// How few places hold most of the self values; nothing where nobody asked for all places, or where all together do not hold so much.
fn most_words(cx: &Cx<'_>, shown: &ShownRows) -> String {
    let Some(most) = shown.flat.most.filter(|_| shown.rows.places.len() == shown.flat.places.len()) else { return String::new() };
    let after = if shown.comparison.pair().is_some() { " after" } else { "" };
    let signs = if shown.flat.sides.last().is_some_and(FlatSide::has_both_signs) { ", signs left out" } else { "" };
    let of = all_self_words(cx, &shown.comparison);
    format!("80 % of {of}{after} in {} {}{signs}", grouped(most as u64), rows::places_word(cx.app.view().granularity, most))
}

/// The row of the selection, kept until rows or selection are others: looking through a million rows takes longer than a frame has.
fn selected_row(ui: &Ui, shown: &ShownRows, selection: Option<&Selection>) -> Option<usize> {
    let place = shown.comparison.places().find(&selection?.place)?;
    let key = memory::key(&(Arc::as_ptr(&shown.rows).addr(), place));
    *memory::keep(ui, "selected row of the top table", key, || {
        Kept::new(shown.rows.places.iter().position(|&other| other == place), Arc::clone(&shown.rows))
    })
}

/// What a comparison says of its places, after findings explained each other.
struct Evidence {
    findings: Arc<Findings>,
    /// Verdicts of the rows that findings speak of.
    named: Arc<FxHashMap<(PlaceId, Measure), Verdict>>,
}

impl Evidence {
    /// `None` for a single capture and while findings are made.
    fn new(ui: &Ui, cx: &Cx<'_>, shown: &ShownRows) -> Option<Self> {
        let same = cx.app.table().ready().is_some_and(|table| Arc::ptr_eq(table, &shown.comparison));
        let findings = cx.app.findings().ready().filter(|_| same)?;
        let named = memory::keep(ui, "verdicts of the top table", memory::key(&Arc::as_ptr(findings).addr()), || {
            let all = findings.others.iter().chain(&findings.rows);
            let named = all.map(|finding| ((finding.place, finding.measure), finding.verdict)).collect();
            Kept::new(named, Arc::clone(findings))
        });
        Some(Self { findings: Arc::clone(findings), named })
    }

    fn table(&self, measure: Measure) -> &Table {
        self.findings.diff.table(measure)
    }

    fn verdict(&self, measure: Measure, place: PlaceId) -> Verdict {
        if let Some(&named) = self.named.get(&(place, measure)) {
            return named;
        }
        let alone = self.table(measure).verdict_of(place);
        let other = if measure == Measure::Self_ { Measure::Total } else { Measure::Self_ };
        // What is said of a place by its other measure holds for it: a part of a finding is none, and what waits for repeats waits.
        match self.named.get(&(place, other)) {
            Some(other) if alone.is_change() && other.is_change() => Verdict::Explained,
            Some(&other @ (Verdict::Explained | Verdict::Unconfirmed | Verdict::Shift)) if alone.is_change() => other,
            _ => alone,
        }
    }

    /// The 95 % interval of the ratio; empty where nothing is known.
    fn interval_text(&self, measure: Measure, place: PlaceId) -> String {
        let table = self.table(measure);
        let (Some(&lo), Some(&hi)) = (table.lo.get(place.row()), table.hi.get(place.row())) else { return String::new() };
        let text = |ratio: f64| match ratio {
            ratio if ratio.is_infinite() => "∞".to_owned(),
            ratio if ratio >= 100.0 => format!("{ratio:.0}"),
            ratio if ratio >= 10.0 => format!("{ratio:.1}"),
            ratio => format!("{ratio:.2}"),
        };
        if lo <= 0.0 && hi.is_infinite() { String::new() } else { format!("{}–{}", text(lo), text(hi)) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Value(Measure),
    Share(Measure),
    /// What the rows down to this one have together, in the order of self values.
    Sum,
    Side(usize),
    Delta,
    Ratio,
    Interval,
    Verdict,
    Name,
    Package,
    Location,
}

impl Column {
    const SINGLE: [Self; 8] = [
        Self::Value(Measure::Self_),
        Self::Share(Measure::Self_),
        Self::Sum,
        Self::Value(Measure::Total),
        Self::Share(Measure::Total),
        Self::Name,
        Self::Package,
        Self::Location,
    ];
    const COMPARISON: [Self; 9] =
        [Self::Side(0), Self::Side(1), Self::Delta, Self::Ratio, Self::Interval, Self::Verdict, Self::Name, Self::Package, Self::Location];

    fn sort_by(self, cx: &Cx<'_>) -> Option<SortBy> {
        Some(match self {
            Self::Value(Measure::Self_) | Self::Share(Measure::Self_) => SortBy::SelfValue,
            Self::Value(Measure::Total) | Self::Share(Measure::Total) => SortBy::Total,
            Self::Side(0) => SortBy::Before,
            Self::Side(_) => SortBy::After,
            Self::Delta => SortBy::Delta,
            Self::Ratio => SortBy::Ratio,
            Self::Name => SortBy::Name,
            Self::Sum | Self::Interval | Self::Verdict | Self::Package | Self::Location => return None,
        })
        .filter(|_| cx.app.shown_rows().is_some())
    }
}

struct TopRows<'a> {
    cx: &'a Cx<'a>,
    shown: &'a ShownRows,
    matches: Option<&'a Matches>,
    measure: Measure,
    evidence: Option<Evidence>,
    columns: &'static [Column],
    /// How values are written: of self and total of a single capture, or of both sides and their difference.
    scale: Scale,
    /// Parts of the whole that the rows down to each have together; `None` in another order than that of self values.
    sums: Option<Arc<Vec<f64>>>,
    /// What a full bar is: the largest value of either side.
    largest: f64,
    out: &'a mut Outbox,
}

impl<'a> TopRows<'a> {
    fn new(ui: &Ui, cx: &'a Cx<'a>, shown: &'a ShownRows, evidence: Option<Evidence>, out: &'a mut Outbox) -> Self {
        let (comparison, flat) = (&shown.comparison, &shown.flat);
        let measure = cx.app.view().measure;
        let is_pair = comparison.pair().is_some();
        let sides = || comparison.sides.iter().zip(&flat.sides);
        let largest = sides().map(|(side, flat)| flat.largest(measure) as f64 * comparison.factor(side)).fold(0.0, f64::max);
        let scale = if is_pair {
            comparison.scale(largest)
        } else {
            comparison.value_scale(Measure::ALL.map(|measure| flat.sides.iter().map(|side| side.largest(measure)).max().unwrap_or(0)))
        };
        let columns: &[Column] = if is_pair { &Column::COMPARISON } else { &Column::SINGLE };
        let matches = cx.app.matches().ready().map(AsRef::as_ref);
        Self { cx, shown, matches, measure, evidence, columns, scale, sums: sums(ui, cx, shown), largest, out }
    }

    fn id(&self, row: usize) -> Option<PlaceId> {
        self.shown.rows.places.get(row).copied()
    }

    fn place(&self, row: usize) -> Option<&Place> {
        self.id(row).map(|id| self.shown.comparison.places().get(id))
    }

    fn change(&self, place: PlaceId) -> Change {
        flat::change(&self.shown.comparison, &self.shown.flat, self.measure, place)
    }

    fn value(&self, measure: Measure, place: PlaceId) -> i64 {
        self.shown.flat.sides.last().map_or(0, |side| side.value(measure, place))
    }

    fn share(&self, measure: Measure, place: PlaceId) -> f64 {
        self.shown.comparison.last().map_or(0.0, |side| rows::share(side, self.value(measure, place)))
    }

    fn sorting(&self, column: Column) -> Sorting {
        let Some(by) = column.sort_by(self.cx) else { return Sorting::No };
        let spec = self.cx.app.rows_spec();
        // Of two columns with one order the value has the mark, not its share.
        match (order_of(self.cx, by) == spec.by && !matches!(column, Column::Share(_)), spec.ascending) {
            (false, _) => Sorting::Can,
            (true, true) => Sorting::Ascending,
            (true, false) => Sorting::Descending,
        }
    }

    fn head(&self, column: Column) -> Head {
        let theme = self.cx.theme;
        let (value, delta) = (self.scale.unit(), self.scale.unit());
        let what = match self.measure {
            Measure::Self_ => "without callees (flat)",
            Measure::Total => "with callees (cum); recursion is counted once",
        };
        let per = match self.shown.comparison.effective_normalization() {
            Normalization::Share => "as a part of all of its side",
            Normalization::PerSecond => "per second of its capture",
            Normalization::PerCpuSecond => "per second of processor time of its side",
            Normalization::PerRequest(_) => "per request of its side",
            Normalization::Absolute => "as captured",
        };
        let (title, unit, width, tooltip): (&'static str, &str, f32, String) = match column {
            Column::Value(Measure::Self_) => ("Self", self.scale.unit(), 76.0, "Value without callees (flat)".to_owned()),
            Column::Value(Measure::Total) => {
                ("Total", self.scale.unit(), 76.0, "Value with callees (cum); recursion is counted once".to_owned())
            }
            Column::Share(Measure::Self_) => ("Self", "%", 72.0, "Self value as a part of the whole capture".to_owned()),
            Column::Share(Measure::Total) => ("Total", "%", 72.0, "Total as a part of the whole capture".to_owned()),
            Column::Sum => {
                ("Sum", "%", 64.0, "Self values of all rows down to this one, in the order of self values (pprof's sum %)".to_owned())
            }
            Column::Side(0) => ("Before", value, 84.0, format!("Value of before {what}, {per}")),
            Column::Side(_) => ("After", value, 84.0, format!("Value of after {what}, {per}")),
            Column::Delta => ("Delta", delta, 80.0, format!("After minus before, {per}")),
            Column::Ratio => ("Ratio", "", 64.0, "After divided by before, as measured".to_owned()),
            Column::Interval => (words::interval_head(self.adjusted().is_some()), "", 92.0, self.interval_tip()),
            Column::Verdict => ("Verdict", "", 156.0, "What can be said of the change; grey where it is within noise".to_owned()),
            Column::Name => ("Name", "", 260.0, "Click to sort by name".to_owned()),
            Column::Package => ("Package", "", 150.0, "Package, namespace or crate; the module where there is none".to_owned()),
            Column::Location => ("File and line", "", 132.0, "Where the code starts".to_owned()),
        };
        let color = match column {
            Column::Side(0) => Some(theme.before),
            Column::Side(_) => Some(theme.after),
            _ => None,
        };
        Head {
            title: title.into(),
            unit: unit.to_owned(),
            tooltip: tooltip.into(),
            width: if column == Column::Name { Width::Rest(width) } else { Width::Points(width) },
            right: !matches!(column, Column::Verdict | Column::Name | Column::Package | Column::Location),
            color,
            sorting: self.sorting(column),
            leaves: match column {
                Column::Location => 1,
                Column::Package => 2,
                Column::Interval => 3,
                Column::Verdict | Column::Sum => 4,
                _ => 0,
            },
        }
    }

    /// After / before of unchanged code, where intervals are held against that.
    fn adjusted(&self) -> Option<f64> {
        let findings = &self.evidence.as_ref()?.findings;
        Some(words::unchanged_ratio(&self.shown.comparison, findings)).filter(|&unchanged| words::is_adjusted(unchanged))
    }

    fn interval_tip(&self) -> String {
        let tip = "Interval that holds the true ratio with 95 % probability";
        match self.adjusted() {
            Some(unchanged) => {
                format!("{tip}, against unchanged code, which has after / before = {unchanged:.3}; the ratio beside it is as measured")
            }
            None => tip.to_owned(),
        }
    }

    /// Zeros step back, so that the eye finds what is there.
    fn quiet(&self, is_zero: bool) -> Option<Color32> {
        is_zero.then_some(self.cx.theme.muted)
    }

    fn verdict(&self, place: PlaceId) -> Option<Verdict> {
        self.evidence.as_ref().map(|evidence| evidence.verdict(self.measure, place))
    }

    /// Grey where nobody can say that anything changed; the numbers stay.
    fn delta_color(&self, place: PlaceId, change: Change) -> Color32 {
        words::change_color(self.cx.theme, change.delta(), !self.verdict(place).is_some_and(words::is_quiet))
    }
}

impl Rows for TopRows<'_> {
    fn len(&self) -> usize {
        self.shown.rows.places.len()
    }

    fn cell(&self, row: usize, column: usize, max_chars: usize) -> Cell<'_> {
        let (Some(id), Some(column)) = (self.id(row), self.columns.get(column)) else { return Cell::default() };
        let theme = self.cx.theme;
        let place = self.shown.comparison.places().get(id);
        let plain = |text: String| Cell { text: text.into(), ..Cell::default() };
        match *column {
            Column::Value(measure) => {
                let value = self.value(measure, id);
                Cell { color: self.quiet(value == 0), ..plain(self.scale.text(self.shown.comparison.in_unit(value as f64))) }
            }
            Column::Share(measure) => {
                let share = self.share(measure, id);
                Cell {
                    bar: Some((share.abs() as f32, theme.bar(theme.muted))),
                    color: self.quiet(share == 0.0),
                    ..plain(Scale::percent().fine(share))
                }
            }
            Column::Sum => {
                let sum = self.sums.as_ref().and_then(|sums| sums.get(row)).map_or("–".to_owned(), |&sum| Scale::percent().text(sum));
                Cell { color: Some(theme.muted), ..plain(sum) }
            }
            Column::Side(side) => {
                let change = self.change(id);
                let (value, color) = if side == 0 { (change.before, theme.before) } else { (change.after, theme.after) };
                let part = if self.largest > 0.0 { (value.abs() / self.largest) as f32 } else { 0.0 };
                Cell { bar: Some((part, theme.bar(color))), color: self.quiet(value == 0.0), ..plain(self.scale.fine(value)) }
            }
            Column::Delta => {
                let change = self.change(id);
                Cell { color: Some(self.delta_color(id, change)), ..plain(self.scale.delta(change.delta())) }
            }
            Column::Ratio => {
                let change = self.change(id);
                Cell { color: Some(self.delta_color(id, change)), ..plain(change.ratio_text()) }
            }
            Column::Interval => {
                let text = self.evidence.as_ref().map(|evidence| evidence.interval_text(self.measure, id));
                Cell { color: Some(theme.muted), ..plain(text.unwrap_or_default()) }
            }
            Column::Verdict => {
                let Some(verdict) = self.verdict(id) else { return Cell::default() };
                let color = if verdict.is_change() { self.delta_color(id, self.change(id)) } else { theme.muted };
                Cell { text: rows::cut_end(verdict.label(), max_chars), color: Some(color), ..Cell::default() }
            }
            Column::Name => {
                let found = self.matches.map(|matches| matches.places.contains(&id));
                let color = if found == Some(false) { Some(theme.muted) } else { None };
                Cell { text: names::short(&place.name, max_chars).into(), color, found: found == Some(true), bar: None }
            }
            Column::Package => {
                Cell { text: rows::cut_start(rows::package_text(place), max_chars).into(), color: Some(theme.muted), ..Cell::default() }
            }
            Column::Location => Cell { color: Some(theme.muted), ..plain(rows::location_text(place, max_chars)) },
        }
    }

    fn label(&self, row: usize) -> String {
        let Some(id) = self.id(row) else { return String::new() };
        let name = self.shown.comparison.places().name(id);
        let comparison = &self.shown.comparison;
        if comparison.pair().is_some() {
            let change = self.change(id);
            let scale = &self.scale;
            let (before, after) = (comparison.text(change.before), comparison.text(change.after));
            let delta = format!("{} {}", scale.delta(change.delta()), scale.unit());
            let verdict = self.verdict(id).map_or_else(String::new, |verdict| format!(", {}", verdict.label()));
            let ratio = change.ratio_text();
            return format!("{name}, before {before}, after {after}, {} {ratio}{verdict}", delta.trim_end());
        }
        let part = |measure| {
            let value = comparison.value_text(self.value(measure, id));
            format!("{value} {}", crate::analysis::comparison::percent(self.share(measure, id)))
        };
        let sum = self.sums.as_ref().and_then(|sums| sums.get(row));
        let sum = sum.map_or_else(String::new, |&sum| format!(", down to it {} %", Scale::percent().text(sum)));
        format!("{name}, self {}, total {}{sum}", part(Measure::Self_), part(Measure::Total))
    }

    fn tooltip(&self, ui: &mut Ui, row: usize) {
        let Some(id) = self.id(row) else { return };
        rows::place_ui(ui, self.cx, &self.shown.comparison, id);
        let of = |measure| self.shown.flat.sides.iter().map(|side| side.value(measure, id)).collect();
        rows::values_ui(ui, self.cx, &self.shown.comparison, &[("self", of(Measure::Self_)), ("total", of(Measure::Total))]);
        if self.shown.comparison.pair().is_some() {
            let change = self.change(id);
            let scale = &self.scale;
            let delta = format!("{} {}", scale.delta(change.delta()), scale.unit());
            let interval = self.evidence.as_ref().map(|evidence| evidence.interval_text(self.measure, id)).unwrap_or_default();
            let interval =
                if interval.is_empty() { interval } else { format!("({}: {interval})", words::interval_head(self.adjusted().is_some())) };
            let verdict = self.verdict(id).map_or("", Verdict::label);
            ui.label(
                RichText::new(format!("{} {} {interval}", delta.trim_end(), change.ratio_text()))
                    .font(fonts::table())
                    .color(self.delta_color(id, change)),
            );
            ui.label(RichText::new(verdict).font(fonts::small()).color(self.cx.theme.muted));
        }
    }

    fn menu(&mut self, ui: &mut Ui, row: usize) {
        let cells: Vec<String> = (0..self.columns.len()).map(|column| self.cell(row, column, usize::MAX).text.into_owned()).collect();
        rows::menu_ui(ui, self.cx, self.out, Tab::Top, || cells.join("\t"));
    }
}
