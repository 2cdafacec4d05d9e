//! The source of the selected function, or of the selected file, with what each line costs.
//!
//! Values of a single capture are as captured; those of a comparison are normalised, as in the top table. Deliberately absent: finding and
//! reading files, which is a job of the app. Start at [`ui`].

use std::sync::Arc;

use egui::{Button, Color32, Id, Label, RichText, Ui};

use super::choose::{self, Choice};
use super::{rows, words};
use crate::analysis::Measure;
use crate::analysis::comparison::{Comparison, Side};
use crate::analysis::lines::Cost;
use crate::app::derived::State;
use crate::app::view::{Selection, Tab};
use crate::app::{Command, FolderList, ShownListing, command};
use crate::model::{Scale, counted, grouped};
use crate::report::list::{Listed, ListedFile, ListedRow};
use crate::ui::cx::{Cx, Outbox};
use crate::ui::memory::{self, Kept};
use crate::ui::theme::{fonts, size};
use crate::ui::widgets::table::{Cell, Head, Rows, Sorting, Spec, Width, table};

const CHOICE: Choice = Choice {
    what: "Its source shows what each of its lines costs",
    label: "Source of",
    command: |place| Command::Select(Some(Selection { place, path: Vec::new() })),
};

/// What is older than the view while the next is made.
const OLD_OPACITY: f32 = 0.6;

/// Draws the panel.
pub(crate) fn ui(ui: &mut Ui, cx: &Cx<'_>, out: &mut Outbox) {
    if !cx.app.view().granularity.has_lines() {
        rows::working_ui(ui, cx, "A package or module has no lines: choose functions, lines or files above");
        return;
    }
    let Some(selection) = &cx.app.view().selection else {
        choose::ui(ui, cx, &CHOICE, None, out);
        return;
    };
    match (cx.app.table(), cx.app.listing()) {
        (State::Ready(_), State::Unwanted) => {
            choose::ui(ui, cx, &CHOICE, Some(&selection.place), out);
            return;
        }
        (_, State::Failed(why)) => {
            rows::working_ui(ui, cx, why);
            return;
        }
        _ => {}
    }
    let Some((shown, is_old)) = cx.app.shown_listing() else {
        rows::working_ui(ui, cx, "Reading the source…");
        return;
    };
    let display = memory::keep(ui, "rows of the source", memory::key(&Arc::as_ptr(&shown.listed).addr()), || {
        Kept::new(Display::new(&shown.listed), Arc::clone(&shown.listed))
    });
    if is_old {
        ui.multiply_opacity(OLD_OPACITY);
    }
    rows::bar_ui(ui, cx, |ui| bar_ui(ui, cx, shown, out));
    notes_ui(ui, cx, &shown.listed, out);
    rows::footer_ui(ui, cx, &footer(cx, shown));
    let mut source = SourceRows::new(cx, shown, &display, out);
    let heads: Vec<Head> = source.columns.iter().map(|column| source.head(*column)).collect();
    let id = Id::unique("source");
    let key = memory::key(&Arc::as_ptr(&shown.listed).addr());
    // The row that is pointed at is nothing that anybody misses: each source begins at its hottest line.
    let chosen: Option<(u64, usize)> = ui.data(|data| data.get_temp(id.with("row")));
    let selected = chosen.filter(|(of, _)| *of == key).map(|(_, row)| row).or(source.hottest());
    let spec =
        Spec { id, name: "Source", heads: &heads, selected, reveal: key, takes_idle_keys: true, rule: None, empty: "No line has a value" };
    let response = table(ui, cx.theme, &spec, &mut source);
    if let Some(row) = response.select {
        ui.data_mut(|data| data.insert_temp(id.with("row"), (key, row)));
    }
}

/// The function's name; the switch between self and total of a comparison.
fn bar_ui(ui: &mut Ui, cx: &Cx<'_>, shown: &ShownListing, out: &mut Outbox) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        for name in ["choose-source", "copy-source"] {
            let Some(kind) = command::kind(name) else { continue };
            let wanted = kind.available(cx.app);
            if ui.add_enabled(wanted.is_some(), Button::new(kind.title)).on_hover_text(kind.tooltip).clicked()
                && let Some(wanted) = wanted
            {
                out.send(wanted);
            }
        }
        if shown.comparison.pair().is_some() {
            ui.add_space(size::PAD);
            for (measure, text) in [(Measure::Total, "Total"), (Measure::Self_, "Self")] {
                if ui.selectable_label(cx.app.view().measure == measure, text).clicked() {
                    out.send(Command::SetMeasure(measure));
                }
            }
            ui.add_space(size::PAD);
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            let name = words::whole(&shown.listed.name);
            ui.add(Label::new(RichText::new(name.as_ref()).font(fonts::table()).strong()).truncate()).on_hover_text(name.as_ref());
        });
    });
}

/// Notes that are shown; more are counted.
const NOTES: usize = 3;

/// What there is to know before a line is believed: files that are not there, or that are another version.
fn notes_ui(ui: &mut Ui, cx: &Cx<'_>, listed: &Listed, out: &mut Outbox) {
    let missing = listed.files.iter().filter_map(|file| Some(format!("{}: {}", file.name(), file.source.as_ref().err()?)));
    let several = listed.files.len() > 1;
    let noted = listed
        .files
        .iter()
        .flat_map(|file| file.notes.iter().map(move |note| if several { format!("{}: {note}", file.name()) } else { note.clone() }));
    // Files of a test were changed at another time on every machine.
    let noted = noted.filter(|note| !(cx.is_test && note.contains("(UTC)")));
    let notes: Vec<String> = missing.chain(noted).collect();
    if notes.is_empty() {
        return;
    }
    let can_help = listed.files.iter().any(|file| !file.lines.file.is_empty() && file.source.is_err());
    let margin = egui::Margin::symmetric(size::PAD as i8, size::GAP as i8);
    egui::Panel::top(ui.scope_id().with("notes")).frame(egui::Frame::new().fill(cx.theme.surface).inner_margin(margin)).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for note in notes.iter().take(NOTES) {
            ui.add(Label::new(RichText::new(note).color(cx.theme.warning).font(fonts::small())).wrap());
        }
        if let Some(rest) = notes.get(NOTES..).filter(|rest| !rest.is_empty()) {
            let text = RichText::new(format!("and {} more", grouped(rest.len() as u64))).color(cx.theme.muted).font(fonts::small());
            ui.label(text).on_hover_text(rest.join("\n"));
        }
        if can_help && ui.button("Say where source files are…").clicked() {
            out.send(Command::EditFolders(FolderList::Source, String::new()));
        }
    });
}

fn footer(cx: &Cx<'_>, shown: &ShownListing) -> Vec<String> {
    let (comparison, listed) = (&shown.comparison, &shown.listed);
    let values = |word: &str, of: fn(&Cost) -> i64| {
        let stored = |at: usize| listed.costs.get(at).map_or(0, of);
        if let Some((before, after)) = comparison.pair() {
            let [b, a] = [(before, 0), (after, 1)].map(|(side, at)| stored(at) as f64 * comparison.factor(side));
            return format!("{word} {} → {} ({})", comparison.text(b), comparison.text(a), words::change(b, a));
        }
        let whole = comparison.last().map_or(0.0, Side::denominator);
        format!("{word} {} ({})", comparison.value_text(stored(0)), words::share(stored(0) as f64, whole))
    };
    let mut parts = vec![values("self", |cost| cost.self_), values("total", |cost| cost.total)];
    if let [only] = listed.files.as_slice()
        && let Ok(source) = &only.source
        // The path of a test is another one on every machine.
        && !cx.is_test
    {
        parts.push(format!("{}, {}", source.path, counted(u64::from(source.line_count), "line", "lines")));
    }
    parts
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// The head of a file.
    File(usize),
    /// Lines are left out.
    Gap,
    /// A line of a file.
    Line(usize, ListedRow),
}

/// The rows of a source.
struct Display {
    rows: Vec<Shown>,
    /// Those with a value.
    valued: Vec<usize>,
}

impl Display {
    fn new(listed: &Listed) -> Self {
        let (mut rows, mut valued) = (Vec::new(), Vec::new());
        for (at, file) in listed.files.iter().enumerate() {
            rows.push(Shown::File(at));
            let mut last: Option<u32> = None;
            for &row in &file.rows {
                // Without a text every number stands alone.
                if file.source.is_ok() && last.is_some_and(|last| row.line > last.saturating_add(1)) {
                    rows.push(Shown::Gap);
                }
                if row.at.is_some() {
                    valued.push(rows.len());
                }
                rows.push(Shown::Line(at, row));
                last = Some(row.line).filter(|&line| line > 0);
            }
        }
        Self { rows, valued }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Value(Measure),
    Side(usize),
    Delta,
    Line,
    Text,
}

impl Column {
    const SINGLE: [Self; 4] = [Self::Value(Measure::Self_), Self::Value(Measure::Total), Self::Line, Self::Text];
    const COMPARISON: [Self; 5] = [Self::Side(0), Self::Side(1), Self::Delta, Self::Line, Self::Text];
}

struct SourceRows<'a> {
    cx: &'a Cx<'a>,
    comparison: &'a Arc<Comparison>,
    listed: &'a Listed,
    display: &'a Display,
    columns: &'static [Column],
    measure: Measure,
    /// Of self and total of a single capture, or of both sides.
    scales: [Scale; 2],
    /// What a full bar is: the largest value of a line, of self and total.
    largest: [f64; 2],
    out: &'a mut Outbox,
}

const fn of(measure: Measure, cost: &Cost) -> i64 {
    match measure {
        Measure::Self_ => cost.self_,
        Measure::Total => cost.total,
    }
}

impl<'a> SourceRows<'a> {
    fn new(cx: &'a Cx<'a>, shown: &'a ShownListing, display: &'a Display, out: &'a mut Outbox) -> Self {
        let (comparison, listed) = (&shown.comparison, shown.listed.as_ref());
        let factor = |at: usize| comparison.sides.get(at).map_or(0.0, |side| comparison.factor(side));
        let costs = || listed.files.iter().flat_map(|file| file.lines.lines.iter()).flat_map(|line| line.costs.iter().enumerate());
        let is_pair = comparison.pair().is_some();
        let largest = Measure::ALL.map(|measure| {
            costs().map(|(at, cost)| (of(measure, cost) as f64 * if is_pair { factor(at) } else { 1.0 }).abs()).fold(0.0, f64::max)
        });
        let scales = if is_pair {
            largest.map(|largest| comparison.scale(largest))
        } else {
            let scale = comparison.value_scale(largest.map(|largest| largest as i64));
            [scale.clone(), scale]
        };
        let columns: &[Column] = if is_pair { &Column::COMPARISON } else { &Column::SINGLE };
        Self { cx, comparison, listed, display, columns, measure: cx.app.view().measure, scales, largest, out }
    }

    fn file(&self, row: usize) -> Option<&'a ListedFile> {
        match self.display.rows.get(row)? {
            Shown::File(at) | Shown::Line(at, _) => self.listed.files.get(*at),
            Shown::Gap => None,
        }
    }

    fn line(&self, row: usize) -> Option<(&'a ListedFile, ListedRow)> {
        match self.display.rows.get(row)? {
            Shown::Line(at, line) => Some((self.listed.files.get(*at)?, *line)),
            _ => None,
        }
    }

    fn index(measure: Measure) -> usize {
        usize::from(measure == Measure::Total)
    }

    /// Value of a line on a side, normalised in a comparison.
    fn value(&self, row: usize, measure: Measure, side: usize) -> f64 {
        let stored = self.line(row).and_then(|(file, line)| file.costs(line).get(side)).map_or(0.0, |cost| of(measure, cost) as f64);
        match self.comparison.pair() {
            Some((before, after)) => stored * self.comparison.factor(if side == 0 { before } else { after }),
            None => stored,
        }
    }

    fn change(&self, row: usize, measure: Measure) -> f64 {
        self.value(row, measure, 1) - self.value(row, measure, 0)
    }

    /// The line to begin with: of a comparison the one that changed most, else the one with the largest self value, or total.
    fn hottest(&self) -> Option<usize> {
        let size = |row: usize, measure: Measure| match self.comparison.pair() {
            Some(_) => self.change(row, measure).abs(),
            None => self.value(row, measure, 0).abs(),
        };
        let by = |measure: Measure| {
            let rows = self.display.valued.iter().map(|&row| (row, size(row, measure))).filter(|(_, size)| *size > 0.0);
            // The first of equals.
            rows.reduce(|best, row| if row.1 > best.1 { row } else { best }).map(|(row, _)| row)
        };
        let first = if self.comparison.pair().is_some() { self.measure } else { Measure::Self_ };
        let other = if first == Measure::Self_ { Measure::Total } else { Measure::Self_ };
        by(first).or_else(|| by(other))
    }

    fn scale(&self, measure: Measure) -> &Scale {
        let [self_, total] = &self.scales;
        if measure == Measure::Self_ { self_ } else { total }
    }

    fn head(&self, column: Column) -> Head {
        let what = match self.measure {
            Measure::Self_ => "without callees (flat)",
            Measure::Total => "with callees (cum)",
        };
        let unit = |measure| self.scale(measure).unit().to_owned();
        let (title, unit, width, tooltip): (&'static str, String, f32, String) = match column {
            Column::Value(Measure::Self_) => ("Self", unit(Measure::Self_), 80.0, "Samples that end on the line (flat)".to_owned()),
            Column::Value(Measure::Total) => {
                ("Total", unit(Measure::Total), 80.0, "Samples with the line anywhere in their stack, each counted once (cum)".to_owned())
            }
            Column::Side(0) => ("Before", unit(self.measure), 84.0, format!("Value of the line before {what}")),
            Column::Side(_) => ("After", unit(self.measure), 84.0, format!("Value of the line after {what}")),
            Column::Delta => {
                ("Delta", unit(self.measure), 84.0, "After minus before; single lines are not tested against chance".to_owned())
            }
            Column::Line => ("Line", String::new(), 56.0, "Number of the line; ? where the capture does not say it".to_owned()),
            Column::Text => ("Source", String::new(), 260.0, "The line as it stands in the file".to_owned()),
        };
        Head {
            title: title.into(),
            unit,
            tooltip: tooltip.into(),
            width: if column == Column::Text { Width::Rest(width) } else { Width::Points(width) },
            right: column != Column::Text,
            color: match column {
                Column::Side(0) => Some(self.cx.theme.before),
                Column::Side(_) => Some(self.cx.theme.after),
                _ => None,
            },
            sorting: Sorting::No,
            leaves: u8::from(column == Column::Side(0)),
        }
    }

    /// A number with a bar; nothing where there is none, so that the eye finds what is there.
    fn number(&self, text: String, value: f64, measure: Measure, color: Color32) -> Cell<'static> {
        if value == 0.0 {
            return Cell::default();
        }
        let largest = self.largest.get(Self::index(measure)).copied().unwrap_or(0.0);
        let part = if largest > 0.0 { (value.abs() / largest) as f32 } else { 0.0 };
        Cell { text: text.into(), bar: Some((part, self.cx.theme.bar(color))), ..Cell::default() }
    }

    /// `file.go:12`, as editors take it.
    fn place_of(&self, row: usize) -> Option<String> {
        let (file, line) = self.line(row)?;
        let path = file.source.as_ref().map_or_else(|_| file.lines.file.as_str(), |source| source.path.as_str());
        (line.line > 0 && !path.is_empty()).then(|| format!("{path}:{}", line.line))
    }
}

impl Rows for SourceRows<'_> {
    fn len(&self) -> usize {
        self.display.rows.len()
    }

    fn cell(&self, row: usize, column: usize, max_chars: usize) -> Cell<'_> {
        let (Some(shown), Some(&column)) = (self.display.rows.get(row), self.columns.get(column)) else { return Cell::default() };
        let theme = self.cx.theme;
        let muted = |text: String| Cell { text: text.into(), color: Some(theme.muted), ..Cell::default() };
        match (*shown, column) {
            (Shown::File(at), Column::Text) => {
                let name = self.listed.files.get(at).map_or("", ListedFile::name);
                Cell { text: rows::cut_start(name.to_owned(), max_chars).into(), color: Some(theme.link), ..Cell::default() }
            }
            (Shown::Gap, Column::Text) => muted("⋯".to_owned()),
            (Shown::File(_) | Shown::Gap, _) => Cell::default(),
            (Shown::Line(..), Column::Value(measure)) => {
                let value = self.value(row, measure, 0);
                self.number(self.scale(measure).text(self.comparison.in_unit(value)), value, measure, theme.muted)
            }
            (Shown::Line(..), Column::Side(side)) => {
                let value = self.value(row, self.measure, side);
                let color = if side == 0 { theme.before } else { theme.after };
                self.number(self.scale(self.measure).text(value), value, self.measure, color)
            }
            (Shown::Line(..), Column::Delta) => {
                let (delta, has_value) =
                    (self.change(row, self.measure), [0, 1].iter().any(|&side| self.value(row, self.measure, side) != 0.0));
                if !has_value {
                    return Cell::default();
                }
                Cell { text: self.scale(self.measure).delta(delta).into(), color: Some(theme.delta_text(delta as f32)), ..Cell::default() }
            }
            (Shown::Line(_, line), Column::Line) => muted(if line.line == 0 { "?".to_owned() } else { line.line.to_string() }),
            (Shown::Line(at, line), Column::Text) => {
                let text = self.listed.files.get(at).and_then(|file| file.text(line)).unwrap_or_default();
                // Lines without a value step back.
                let color = line.at.is_none().then_some(theme.muted);
                let cut = text
                    .char_indices()
                    .nth(max_chars)
                    .map(|_| text.chars().take(max_chars.saturating_sub(1)).chain(['…']).collect::<String>());
                Cell { text: cut.unwrap_or(text).into(), color, ..Cell::default() }
            }
        }
    }

    fn label(&self, row: usize) -> String {
        let Some((file, line)) = self.line(row) else {
            return self.file(row).map_or_else(|| "lines left out".to_owned(), |file| file.name().to_owned());
        };
        let text = file.text(line).unwrap_or_default();
        let number = if line.line == 0 { "line not known".to_owned() } else { format!("line {}", line.line) };
        if line.at.is_none() {
            return format!("{number}, {}", text.trim());
        }
        let values = if self.comparison.pair().is_some() {
            let [before, after] = [0, 1].map(|side| self.comparison.text(self.value(row, self.measure, side)));
            format!("{} before {before}, after {after}", self.measure.name())
        } else {
            let [self_, total] = Measure::ALL.map(|measure| self.comparison.value_text(self.value(row, measure, 0) as i64));
            format!("self {self_}, total {total}")
        };
        format!("{number}, {values}, {}", text.trim())
    }

    fn tooltip(&self, ui: &mut Ui, row: usize) {
        let Some(file) = self.file(row) else { return };
        ui.spacing_mut().interact_size.y = 0.0;
        let small = |ui: &mut Ui, text: String| ui.label(RichText::new(text).font(fonts::small()).color(self.cx.theme.muted));
        let Some((_, line)) = self.line(row) else {
            ui.label(RichText::new(words::whole(file.name())).font(fonts::table()));
            if let Ok(source) = &file.source
                && source.path != file.lines.file
            {
                small(ui, format!("read from {}", source.path));
            }
            return;
        };
        ui.label(RichText::new(format!("{}:{}", file.name(), line.line)).font(fonts::table()).strong());
        if let Some(before) =
            line.at.and_then(|at| file.lines.lines.get(at)).map(|line| line.line_before).filter(|&before| before > 0 && before != line.line)
        {
            small(ui, format!("line {before} before"));
        }
        if line.at.is_none() {
            small(ui, "no sample is on this line".to_owned());
            return;
        }
        let stored = |measure| file.costs(line).iter().map(|cost| of(measure, cost)).collect();
        rows::values_ui(ui, self.cx, self.comparison, &[("self", stored(Measure::Self_)), ("total", stored(Measure::Total))]);
    }

    fn menu(&mut self, ui: &mut Ui, row: usize) {
        let cells: Vec<String> = (0..self.columns.len()).map(|column| self.cell(row, column, usize::MAX).text.into_owned()).collect();
        if ui.button("Copy line").clicked() {
            ui.copy_text(cells.join("\t"));
            ui.close();
        }
        let place = self.place_of(row);
        if ui.add_enabled(place.is_some(), Button::new("Copy file and line")).on_hover_text("As editors take it: path:12").clicked() {
            ui.copy_text(place.unwrap_or_default());
            ui.close();
        }
        rows::kind_ui(ui, self.cx, self.out, "copy-source");
        ui.separator();
        rows::kind_ui(ui, self.cx, self.out, "choose-source");
        rows::kind_ui(ui, self.cx, self.out, "reload");
        ui.separator();
        rows::elsewhere_ui(ui, self.cx, self.out, Tab::Source);
    }
}
