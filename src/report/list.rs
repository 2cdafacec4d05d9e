//! Annotated source: the lines of functions with self and total beside their text, behind `emberlens list` and the window's source view.
//!
//! Deliberately absent: adding up lines ([`analysis::lines`](crate::analysis::lines)) and reading source files, which come as a
//! [`SourceText`] or as the reason why there is none. Start reading at [`Listed`].

use serde::Serialize;

use super::SCHEMA;
use super::number::Number;
use super::table::{Align, Table, printable, push_line};
use crate::analysis::Comparison;
use crate::analysis::comparison::{Side, percent};
use crate::analysis::lines::{Cost, FileLines, Lines};
use crate::model::{Scale, counted, type_name};

/// A part of a source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceText {
    /// Where it was read from.
    pub path: String,
    /// The lines that are shown by their numbers from 1, without their ends.
    pub lines: Vec<(u32, String)>,
    /// Lines of the whole file.
    pub line_count: u32,
    /// What makes one doubt that it is the source of the capture.
    pub doubts: Vec<String>,
}

/// A file with the lines of a place and their text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// The lines with a value.
    pub lines: FileLines,
    /// Their text, or why there is none.
    pub source: Result<SourceText, String>,
    /// What is shown: every line of the text, and those with a value that the text does not have.
    pub rows: Vec<ListedRow>,
    /// What a reader has to know of the lines.
    pub notes: Vec<String>,
}

/// One line as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedRow {
    /// Number; 0 = the capture does not say which.
    pub line: u32,
    /// Row of [`FileLines::lines`], where the line has a value.
    pub at: Option<usize>,
    /// Row of [`SourceText::lines`].
    pub text: Option<usize>,
}

impl ListedFile {
    /// Puts lines beside their text.
    pub fn new(lines: FileLines, source: Result<SourceText, String>) -> Self {
        let mut rows: Vec<ListedRow> = Vec::new();
        let mut notes = Vec::new();
        let mut next = lines.lines.iter().enumerate().peekable();
        let mut without_text = |rows: &mut Vec<ListedRow>, until: u32| {
            while let Some((at, line)) = next.next_if(|(_, line)| line.line < until) {
                rows.push(ListedRow { line: line.line, at: Some(at), text: None });
            }
            next.next_if(|(_, line)| line.line == until).map(|(at, _)| at)
        };
        if let Ok(source) = &source {
            for (text, &(line, _)) in source.lines.iter().enumerate() {
                let at = without_text(&mut rows, line);
                rows.push(ListedRow { line, at, text: Some(text) });
            }
            notes.extend(source.doubts.iter().cloned());
            if lines.last_line() > source.line_count {
                notes.push(format!(
                    "the capture names line {}, and the file ends at line {}: it is another version of it",
                    lines.last_line(),
                    source.line_count
                ));
            }
        }
        if let Some(at) = without_text(&mut rows, u32::MAX) {
            rows.push(ListedRow { line: u32::MAX, at: Some(at), text: None });
        }
        match lines.moved {
            0 => {}
            moved => notes.push(format!(
                "the function begins {} further {} after than before; lines of before are moved by that",
                counted(moved.unsigned_abs(), "line", "lines"),
                if moved > 0 { "down" } else { "up" }
            )),
        }
        Self { lines, source, rows, notes }
    }

    /// What a row costs, one entry per side; empty where it has no value.
    pub fn costs(&self, row: ListedRow) -> &[Cost] {
        row.at.and_then(|at| self.lines.lines.get(at)).map_or(&[], |line| &line.costs)
    }

    /// The text of a row, tabs as blanks.
    pub fn text(&self, row: ListedRow) -> Option<String> {
        let source = self.source.as_ref().ok()?;
        source.lines.get(row.text?).map(|(_, text)| expand_tabs(text))
    }

    /// The path as the capture has it, in words.
    pub fn name(&self) -> &str {
        if self.lines.file.is_empty() { "file not known" } else { &self.lines.file }
    }
}

/// Columns between two tab stops.
const TAB: usize = 4;

/// Text with blanks up to the next tab stop in place of tabs, and no other character that moves the cursor.
pub fn expand_tabs(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        let width = if c == '\t' { TAB - column % TAB } else { 1 };
        if c == '\t' {
            made.extend(std::iter::repeat_n(' ', width));
        } else {
            made.push(if c.is_control() { '·' } else { c });
        }
        column += width;
    }
    made
}

/// A function with its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Self and total, one entry per side.
    pub costs: Vec<Cost>,
    /// The files that it stands in, that with the largest values first.
    pub files: Vec<ListedFile>,
}

impl Listed {
    /// Reads the text of every file with `read`.
    pub fn new<E>(name: &str, lines: Lines, mut read: impl FnMut(&FileLines) -> Result<Result<SourceText, String>, E>) -> Result<Self, E> {
        let files = lines.files.into_iter().map(|file| {
            let source = read(&file)?;
            Ok(ListedFile::new(file, source))
        });
        Ok(Self { name: name.to_owned(), costs: lines.costs, files: files.collect::<Result<_, E>>()? })
    }
}

/// Everything that `list --json` prints; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListReport {
    schema: u32,
    sample_type: String,
    unit: String,
    /// The capture, or before and after.
    sides: Vec<ListSide>,
    functions: Vec<ListFunction>,
    /// What the numbers of the text forms are of.
    #[serde(skip)]
    of: String,
    /// What each side's values are multiplied by in the text forms of a comparison.
    #[serde(skip)]
    factors: Vec<f64>,
    #[serde(skip)]
    scale: ListScale,
}

/// Units of the text forms.
#[derive(Clone, Debug, PartialEq)]
enum ListScale {
    /// Of self and total, not normalised.
    Single(Scale),
    /// Of all columns, normalised.
    Pair(Scale),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ListSide {
    files: Vec<String>,
    total: Number,
    denominator: Number,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ListFunction {
    name: String,
    #[serde(rename = "self")]
    self_: Vec<Number>,
    total: Vec<Number>,
    files: Vec<ListFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ListFile {
    file: Option<String>,
    source: Option<String>,
    no_source: Option<String>,
    start_line: Option<u32>,
    moved: i64,
    notes: Vec<String>,
    lines: Vec<ListLine>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ListLine {
    line: Option<u32>,
    line_before: Option<u32>,
    #[serde(rename = "self")]
    self_: Vec<Number>,
    total: Vec<Number>,
    text: Option<String>,
}

impl ListReport {
    /// The report of functions over a comparison of one or two sides; `files` are the paths of each side's captures.
    pub fn new(comparison: &Comparison, files: &[Vec<String>], functions: &[Listed]) -> Self {
        let number = |stored: i64| Number::new(stored, comparison.decimals);
        let side = |(side, files): (&Side, &Vec<String>)| ListSide {
            files: files.clone(),
            total: number(side.total),
            denominator: number(i64::try_from(side.whole).unwrap_or(i64::MAX)),
        };
        let sides = comparison.sides.len();
        let numbers =
            |costs: &[Cost], of: fn(&Cost) -> i64| -> Vec<Number> { (0..sides).map(|at| number(costs.get(at).map_or(0, of))).collect() };
        let line = |file: &ListedFile, row: &ListedRow| {
            let costs = file.costs(*row);
            let before = row.at.and_then(|at| file.lines.lines.get(at)).map(|line| line.line_before);
            ListLine {
                line: (row.line > 0).then_some(row.line),
                line_before: before.filter(|&before| before > 0 && before != row.line),
                self_: numbers(costs, |cost| cost.self_),
                total: numbers(costs, |cost| cost.total),
                text: file.source.as_ref().ok().and_then(|source| Some(source.lines.get(row.text?)?.1.clone())),
            }
        };
        let file = |file: &ListedFile| ListFile {
            file: Some(file.lines.file.clone()).filter(|file| !file.is_empty()),
            source: file.source.as_ref().ok().map(|source| source.path.clone()),
            no_source: file.source.as_ref().err().cloned(),
            start_line: file.lines.start_line,
            moved: file.lines.moved,
            notes: file.notes.clone(),
            lines: file.rows.iter().map(|row| line(file, row)).collect(),
        };
        let function = |listed: &Listed| ListFunction {
            name: listed.name.clone(),
            self_: numbers(&listed.costs, |cost| cost.self_),
            total: numbers(&listed.costs, |cost| cost.total),
            files: listed.files.iter().map(file).collect(),
        };
        Self {
            schema: SCHEMA,
            sample_type: comparison.sample_type.clone(),
            unit: comparison.unit.clone(),
            sides: comparison.sides.iter().zip(files).map(side).collect(),
            functions: functions.iter().map(function).collect(),
            of: comparison.denominator_text(),
            factors: comparison.sides.iter().map(|side| comparison.factor(side)).collect(),
            scale: ListScale::of(comparison, functions),
        }
    }

    /// Listings for people: numbers before the lines, `.` for none, as `go tool pprof -list` has them.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.head());
        for function in &self.functions {
            push_line(&mut text, format_args!("\n{}\n{}", printable(&function.name), self.values_text(function)));
            for file in &function.files {
                for line in Self::file_head(file) {
                    push_line(&mut text, format_args!("{}", printable(&line)));
                }
                text.push_str(&self.table(file).text());
            }
        }
        text
    }

    /// The same as Markdown: a heading for each function, and its lines in a block of code.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n", self.head());
        for function in &self.functions {
            let name = super::table::markdown_escape(&function.name);
            push_line(&mut text, format_args!("\n### {name}\n\n{}", self.values_text(function)));
            for file in &function.files {
                let head: Vec<String> = Self::file_head(file).iter().map(|line| super::table::markdown_escape(line)).collect();
                let table = self.table(file).text();
                // A line of the source may hold such a fence itself.
                let fence = "`".repeat(longest_run(&table, '`').max(2) + 1);
                push_line(&mut text, format_args!("\n{}\n\n{fence}\n{table}{fence}", head.join("  \n")));
            }
        }
        text
    }

    fn head(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(", {}", self.unit) };
        let count = counted(self.functions.len() as u64, "function", "functions");
        format!("{}{unit}, lines of {count}; {}", type_name(&self.sample_type), self.of)
    }

    /// Self and total of a function in words.
    fn values_text(&self, function: &ListFunction) -> String {
        match &self.scale {
            ListScale::Single(scale) => {
                let whole = self.sides.first().map_or(0.0, |side| side.denominator.as_f64());
                let parts = [("self", &function.self_), ("total", &function.total)].into_iter().map(|(what, of)| {
                    let value = of.first().map_or(0.0, |number| number.as_f64());
                    let share = if whole > 0.0 { format!(" ({})", percent(value / whole)) } else { String::new() };
                    format!("{what} {}{share}", with_unit(scale.text(value), scale.unit()))
                });
                parts.collect::<Vec<_>>().join(", ")
            }
            ListScale::Pair(scale) => {
                let parts = [("self", &function.self_), ("total", &function.total)].into_iter().map(|(what, of)| {
                    let [before, after] = self.normalized(of);
                    format!(
                        "{what} {} → {} ({})",
                        scale.text(before),
                        with_unit(scale.text(after), scale.unit()),
                        scale.delta(after - before)
                    )
                });
                parts.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Where the lines are from, and what there is to know of that.
    fn file_head(file: &ListFile) -> Vec<String> {
        let name = file.file.as_deref().unwrap_or("file not known");
        let first = match (&file.source, &file.no_source) {
            (Some(source), _) if source == name => name.to_owned(),
            (Some(source), _) => format!("{name}, read from {source}"),
            (None, Some(why)) => format!("{name}: {why}"),
            (None, None) => name.to_owned(),
        };
        std::iter::once(first).chain(file.notes.iter().map(|note| format!("note: {note}"))).collect()
    }

    fn normalized(&self, of: &[Number]) -> [f64; 2] {
        [0, 1].map(|at| of.get(at).map_or(0.0, |number| number.as_f64()) * self.factors.get(at).copied().unwrap_or(0.0))
    }

    fn table(&self, file: &ListFile) -> Table {
        let unit = |scale: &Scale| if scale.unit().is_empty() { String::new() } else { format!(" ({})", scale.unit()) };
        let heads: Vec<String> = match &self.scale {
            ListScale::Single(scale) => ["self", "total"].iter().map(|name| format!("{name}{}", unit(scale))).collect(),
            ListScale::Pair(scale) => {
                let of = |name: &str| [format!("{name} before{}", unit(scale)), format!("{name} after"), format!("{name} change")];
                [of("self"), of("total")].concat()
            }
        };
        let columns = heads.iter().map(|head| (head.as_str(), Align::Right)).chain([("line", Align::Right), ("", Align::Left)]);
        let mut table = Table::new(columns);
        for line in &file.lines {
            let mut cells = self.cells(line);
            cells.push(line.line.map_or_else(|| "?".to_owned(), |line| line.to_string()));
            cells.push(line.text.as_deref().map(expand_tabs).unwrap_or_default());
            table.row(cells);
        }
        table
    }

    /// The numbers of a line.
    fn cells(&self, line: &ListLine) -> Vec<String> {
        let none = || ".".to_owned();
        match &self.scale {
            ListScale::Single(scale) => {
                let cell = |of: &Vec<Number>| match of.first().map_or(0.0, |number| number.as_f64()) {
                    0.0 => none(),
                    value => scale.text(value),
                };
                [&line.self_, &line.total].into_iter().map(cell).collect()
            }
            ListScale::Pair(scale) => {
                let cells = |of: &[Number]| match self.normalized(of) {
                    [0.0, 0.0] => [none(), none(), none()],
                    [before, after] => {
                        let value = |value: f64| if value == 0.0 { none() } else { scale.text(value) };
                        [value(before), value(after), scale.delta(after - before)]
                    }
                };
                [cells(&line.self_), cells(&line.total)].concat()
            }
        }
    }
}

impl ListScale {
    fn of(comparison: &Comparison, functions: &[Listed]) -> Self {
        let costs = || functions.iter().flat_map(|function| function.costs.iter().enumerate());
        let largest = |of: fn(&Cost) -> i64| costs().map(|(_, cost)| of(cost).saturating_abs()).max().unwrap_or(0);
        if comparison.pair().is_none() {
            return Self::Single(comparison.value_scale([largest(|cost| cost.self_), largest(|cost| cost.total)]));
        }
        let factor = |at: usize| comparison.sides.get(at).map_or(0.0, |side| comparison.factor(side));
        Self::Pair(comparison.scale(costs().map(|(at, cost)| (cost.total as f64 * factor(at)).abs()).fold(0.0, f64::max)))
    }
}

fn with_unit(text: String, unit: &str) -> String {
    if unit.is_empty() { text } else { format!("{text} {unit}") }
}

/// Length of the longest run of a character.
fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::lines::Line;

    fn lines(numbers: &[u32]) -> FileLines {
        let line = |&line: &u32| Line { line, line_before: line, costs: vec![Cost { self_: 1, total: 2 }] };
        FileLines { file: "a.go".to_owned(), lines: numbers.iter().map(line).collect(), ..FileLines::default() }
    }

    fn rows(numbers: &[u32], source: Result<SourceText, String>) -> String {
        let file = ListedFile::new(lines(numbers), source);
        let row =
            |row: &ListedRow| format!("{}{}{}", row.line, if row.at.is_some() { "*" } else { "" }, file.text(*row).unwrap_or_default());
        file.rows.iter().map(row).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_line_with_a_value_is_shown_with_text_or_without() {
        let text =
            || SourceText { lines: (11..).zip(["a", "b", "c"].map(str::to_owned)).collect(), line_count: 13, ..SourceText::default() };
        assert_eq!(rows(&[12, 13], Ok(text())), "11a 12*b 13*c");
        assert_eq!(rows(&[0, 9, 12, 40], Ok(text())), "0* 9* 11a 12*b 13c 40*");
        assert_eq!(rows(&[0, 9, u32::MAX], Err("not there".to_owned())), "0* 9* 4294967295*");
        let file = ListedFile::new(lines(&[40]), Ok(text()));
        assert_eq!(file.notes, ["the capture names line 40, and the file ends at line 13: it is another version of it"]);
    }

    #[test]
    fn tabs_go_to_the_next_stop() {
        assert_eq!(expand_tabs("\ta\tb\u{1b}[0m"), "    a   b·[0m");
    }
}
