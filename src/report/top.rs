//! The flat table as data: rows of self and total behind `emberlens top`, as JSON, text, CSV and Markdown.
//!
//! Deliberately absent: choosing and weighing samples (the caller hands over a [`Comparison`]). Start reading at [`TopReport::new`].

use serde::Serialize;

use super::head::Head;
use super::info::{NoteInfo, notes};
use super::number::Number;
use super::page::Page;
use super::table::{Align, Table, markdown_escape, printable, push_line};
use crate::analysis::comparison::percent;
use crate::analysis::{CallTree, Comparison, Filter, Granularity, top};
use crate::model::{Profile, Scale, counted, human};

/// By what rows are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopOrder {
    /// Largest self first (pprof `-flat`).
    #[default]
    SelfValue,
    /// Largest total first (pprof `-cum`).
    Total,
}

/// What a table shows beside the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopSpec<'a> {
    /// The capture's path as the user gave it.
    pub file: &'a str,
    /// What a row stands for.
    pub by: Granularity,
    /// Order of the rows.
    pub order: TopOrder,
    /// How many rows; 0 = all.
    pub limit: usize,
    /// Decimals of the sample type's stored integers.
    pub decimals: u8,
    /// What the comparison was weighed with.
    pub filter: &'a Filter,
}

/// Everything that `top --json` prints; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopReport {
    #[serde(flatten)]
    head: Head,
    #[serde(skip)]
    is_of_base: bool,
    /// Percentages are of what the filters let through.
    #[serde(skip)]
    of_filtered: bool,
    /// Sum over the samples that the filters let through.
    selected: Number,
    /// Part of `selected` that belongs to no row: samples without a (shown) frame.
    no_stack: Number,
    /// Samples that are shown without frames that the capture itself asks to drop.
    dropped_frames_samples: u64,
    /// Rows there are; `rows` may hold fewer.
    row_count: usize,
    rows: Vec<TopReportRow>,
    /// What was lost, repaired or guessed while the capture was read.
    notes: Vec<NoteInfo>,
}

/// One place.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TopReportRow {
    name: String,
    #[serde(rename = "self")]
    self_: Number,
    total: Number,
    file: Option<String>,
    line: Option<u32>,
    package: Option<String>,
    module: Option<String>,
    inlined: bool,
}

impl TopReport {
    /// The table of a comparison's last side over a top-down tree.
    pub fn new(comparison: &Comparison, spec: &TopSpec<'_>) -> Self {
        let number = |stored: i64| Number::new(stored, spec.decimals);
        let Some(side) = comparison.last() else { return Self::empty(comparison, spec) };
        let mut rows = top(comparison.tree(), comparison.places(), &side.weights).rows;
        if spec.order == TopOrder::Total {
            rows.sort_by_key(|row| (std::cmp::Reverse(row.total.unsigned_abs()), std::cmp::Reverse(row.self_.unsigned_abs())));
        }
        let row_count = rows.len();
        if spec.limit > 0 {
            rows.truncate(spec.limit);
        }
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let rows = rows.into_iter().map(|row| {
            let place = comparison.places().get(row.place);
            TopReportRow {
                name: place.name.clone(),
                self_: number(row.self_),
                total: number(row.total),
                file: some(&place.file),
                line: (place.line > 0).then_some(place.line),
                package: some(&place.package),
                module: some(place.only_module()),
                inlined: place.inlined,
            }
        });
        let rows = rows.collect();
        Self {
            is_of_base: side.measured.iter().any(|measured| measured.is_of_base),
            of_filtered: comparison.of_filtered,
            selected: number(side.weights.total()),
            no_stack: number(side.weights.self_of(CallTree::ROOT)),
            dropped_frames_samples: side.rows.iter().filter_map(|&row| comparison.shape.dropped_samples.get(row)).sum(),
            row_count,
            rows,
            ..Self::empty(comparison, spec)
        }
    }

    fn empty(comparison: &Comparison, spec: &TopSpec<'_>) -> Self {
        let zero = Number::new(0, spec.decimals);
        Self {
            head: Head::new(comparison, spec.file, Some(spec.by), spec.filter, spec.decimals),
            is_of_base: false,
            of_filtered: false,
            selected: zero,
            no_stack: zero,
            dropped_frames_samples: 0,
            row_count: 0,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The same with the notes of the capture, for its JSON form.
    #[must_use]
    pub fn with_notes(self, profile: &Profile) -> Self {
        Self { notes: notes(profile), ..self }
    }

    /// The table for people: what is shown of what, then rows in the order of `go tool pprof -top`.
    pub fn text(&self) -> String {
        let whole = self.head.denominator.as_f64();
        let share = |value: f64| if whole > 0.0 { percent(value / whole) } else { "-".to_owned() };
        let say = |value: f64| human(value, &self.head.unit);
        let mut text = format!("{} by {}\n", self.head.what(), self.head.by.unwrap_or_default());
        // The sum of no numbers is −0.
        let shown = self.rows.iter().map(|row| row.self_.as_f64()).sum::<f64>() + 0.0;
        push_line(
            &mut text,
            format_args!(
                "{} of {}, which {} {} self, {} of {}",
                self.rows.len(),
                counted(self.row_count as u64, "row", "rows"),
                if self.rows.len() == 1 { "holds" } else { "hold" },
                say(shown),
                share(shown),
                say(whole)
            ),
        );
        self.remarks().into_iter().for_each(|line| push_line(&mut text, format_args!("{line}")));
        push_line(&mut text, format_args!("{}\n", self.head.whole()));
        text.push_str(&self.table(true).text());
        text
    }

    /// What the rows alone do not say: what is not in them, and what percentages are of.
    fn remarks(&self) -> Vec<String> {
        let whole = self.head.denominator.as_f64();
        let share = |value: f64| if whole > 0.0 { percent(value / whole) } else { "-".to_owned() };
        let say = |value: f64| human(value, &self.head.unit);
        let mut said = Vec::new();
        if self.head.total != self.head.denominator && !self.of_filtered {
            said.push(format!(
                "some values are negative: percentages are of the sum of absolute values{}, the net sum is {}",
                if self.is_of_base { " of the side before" } else { "" },
                say(self.head.total.as_f64())
            ));
        }
        let mut groups: Vec<String> = self.head.filters.iter().map(|filter| printable(filter)).collect();
        let filters = groups.split_off(self.head.groups.min(groups.len()));
        if !groups.is_empty() {
            said.push(format!("frames say the groups of samples ({})", groups.join(" ")));
        }
        if self.selected != self.head.total || !filters.is_empty() {
            let by = if filters.is_empty() { String::new() } else { format!(" ({})", filters.join(" ")) };
            said.push(if self.of_filtered {
                let (part, all) = (self.selected.as_f64(), self.head.total.as_f64());
                let share = if all > 0.0 { format!(", {}", percent(part / all)) } else { String::new() };
                format!("the filters{by} let through {} of {}{share}; percentages are of what they let through", say(part), say(all))
            } else {
                format!("the filters{by} let through {}, {}", say(self.selected.as_f64()), share(self.selected.as_f64()))
            });
        }
        if self.dropped_frames_samples > 0 {
            said.push(format!(
                "{} shown without the frames that the capture asks to drop (drop_frames); --all-frames shows them",
                counted(self.dropped_frames_samples, "sample is", "samples are")
            ));
        }
        if self.no_stack.as_f64() != 0.0 {
            let (value, part) = (say(self.no_stack.as_f64()), share(self.no_stack.as_f64()));
            said.push(format!("{value}, {part}, belong to samples without a frame, which have no row"));
        }
        said
    }

    /// Rows of numbers with their unit in the head of the column; `sum` adds the sum of self so far.
    fn table(&self, sum: bool) -> Table {
        let whole = self.head.denominator.as_f64();
        let percents = Scale::percent();
        let share = |value: f64| if whole > 0.0 { percents.text(value / whole) } else { "-".to_owned() };
        let largest = |of: fn(&TopReportRow) -> Number| self.rows.iter().map(|row| of(row).as_f64().abs()).fold(0.0, f64::max);
        let largest = [largest(|row| row.self_), largest(|row| row.total)];
        let step = match self.head.denominator {
            Number::Whole(_) => 1.0,
            Number::Fraction(_) => 0.0,
        };
        let scale = Scale::of_both(largest[0], largest[1], &self.head.unit, step);
        let head = |name: &str, scale: &Scale| if scale.unit().is_empty() { name.to_owned() } else { format!("{name} ({})", scale.unit()) };
        let heads = [head("self", &scale), head("total", &scale)];
        let all = [
            (heads[0].as_str(), Align::Right),
            ("self %", Align::Right),
            ("sum %", Align::Right),
            (heads[1].as_str(), Align::Right),
            ("total %", Align::Right),
            ("name", Align::Left),
        ];
        let is_shown = |at: usize| sum || at != 2;
        let mut table = Table::new(all.into_iter().enumerate().filter(|(at, _)| is_shown(*at)).map(|(_, head)| head));
        let mut above = 0.0;
        for row in &self.rows {
            let (self_, total) = (row.self_.as_f64(), row.total.as_f64());
            above += self_;
            let cells = [scale.text(self_), share(self_), share(above), scale.text(total), share(total), row.name.clone()];
            table.row(cells.into_iter().enumerate().filter(|(at, _)| is_shown(*at)).map(|(_, cell)| cell));
        }
        table
    }

    /// One line per row with plain numbers in the sample type's unit.
    pub fn csv(&self) -> String {
        let mut table = Table::new(["name", "self", "total", "file", "line", "package", "module"].map(|name| (name, Align::Left)));
        for row in &self.rows {
            table.row([
                row.name.clone(),
                row.self_.to_string(),
                row.total.to_string(),
                row.file.clone().unwrap_or_default(),
                row.line.map_or_else(String::new, |line| line.to_string()),
                row.package.clone().unwrap_or_default(),
                row.module.clone().unwrap_or_default(),
            ]);
        }
        table.csv()
    }

    /// The table as Markdown, with the denominator above it.
    pub fn markdown(&self) -> String {
        let mut text = self.denominator_text();
        self.remarks().iter().for_each(|line| push_line(&mut text, format_args!("\n\n{}", markdown_escape(line))));
        format!("{}\n\n{}", text.trim_end(), self.table(false).markdown())
    }

    /// The table as a part of a page, with the denominator above it.
    pub(super) fn put(&self, page: &mut Page) {
        page.aside(&self.denominator_text());
        self.remarks().iter().for_each(|line| page.aside(line));
        page.table(&self.table(true));
    }

    fn denominator_text(&self) -> String {
        format!("{}; {} of {}", self.head.whole(), self.rows.len(), counted(self.row_count as u64, "row", "rows"))
    }
}
