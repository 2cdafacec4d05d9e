//! Commands that put text on the clipboard.

use std::sync::Arc;

use crate::analysis::comparison::{Comparison, Normalization};
use crate::analysis::flat::{self, Flat, Measure};
use crate::app::App;
use crate::app::command::Command;
use crate::app::view::{Half, Tab};
use crate::model::{Scale, counted, grouped};
use crate::report::table::push_line;

pub(super) fn apply(app: &App, command: &Command) -> Option<String> {
    match command {
        Command::CopyName => Some(app.view.selection.as_ref()?.place.clone()),
        Command::CopyStack => stack(app),
        Command::CopyTable => table(app),
        Command::CopySource => Some(app.list_report()?.text()),
        Command::CopyFindings => Some(app.diff_report()?.text()),
        Command::CopyFindingsMarkdown => Some(app.diff_report()?.markdown()),
        Command::CopyFindingsCsv => Some(app.diff_report()?.findings_csv()),
        Command::CopyScript => Some(app.log.iter().rev().take(50).rev().fold(String::new(), |text, line| text + line + "\n")),
        _ => None,
    }
}

/// What the window says once it is done.
pub(super) fn done(command: &Command, text: &str) -> String {
    let lines = text.lines().count() as u64;
    match command {
        Command::CopyName => format!("Copied the name: {text}"),
        Command::CopyStack => format!("Copied the stack of {}", counted(lines, "frame", "frames")),
        Command::CopyTable => format!("Copied the table of {}", counted(lines.saturating_sub(1), "row", "rows")),
        Command::CopySource => "Copied the source with what its lines cost".to_owned(),
        Command::CopyFindings => "Copied the findings".to_owned(),
        Command::CopyFindingsMarkdown => "Copied the findings as Markdown".to_owned(),
        Command::CopyFindingsCsv => "Copied the findings as CSV".to_owned(),
        _ => format!("Copied the last {} commands", grouped(lines)),
    }
}

fn stack(app: &App) -> Option<String> {
    // Of a box of the sandwich what is known of its stacks: the way from the function to it.
    if let Some(pinned) = app.view.sandwich.pinned.as_ref().filter(|_| app.view.tab == Tab::Sandwich) {
        let path = || pinned.path.iter().map(String::as_str);
        let names: Vec<&str> = match pinned.half {
            Half::Callers => path().rev().chain([pinned.of.as_str()]).collect(),
            Half::Callees => std::iter::once(pinned.of.as_str()).chain(path()).collect(),
        };
        return Some(names.join("\n"));
    }
    let comparison = app.comparison().ready()?;
    let node = app.selected_node(comparison)?;
    Some(App::names_of(comparison, node).join("\n"))
}

/// Tab-separated, as spreadsheets want it: the rows of the top table that its filter lets through, in its order. A single capture has raw
/// values; those of a comparison are normalised and in the unit that the table has, with their changes.
fn table(app: &App) -> Option<String> {
    let comparison = app.table().ready()?;
    // The table that is shown, or would be: it is made anew where another view is in front.
    let flat = app.flat().ready().map_or_else(|| Arc::new(flat::flat(comparison)), Arc::clone);
    let rows = app.rows().ready().map_or_else(|| Arc::new(flat::rows(comparison, &flat, &app.rows_spec())), Arc::clone);
    let mut text = String::new();
    match flat.sides.as_slice() {
        [only] => {
            push_line(&mut text, format_args!("name\tself ({unit})\ttotal ({unit})", unit = comparison.unit));
            for &place in &rows.places {
                let (self_, total) = (only.value(Measure::Self_, place), only.value(Measure::Total, place));
                push_line(&mut text, format_args!("{}\t{self_}\t{total}", comparison.places().name(place)));
            }
        }
        [_, _] => {
            let numbers = Numbers::new(comparison, &flat, app.view().measure);
            let head: Vec<String> = Measure::ALL
                .iter()
                .flat_map(|measure| ["before", "after", "change"].map(|side| format!("{} {side}{}", measure.name(), numbers.unit)))
                .collect();
            push_line(&mut text, format_args!("name\t{}", head.join("\t")));
            for &place in &rows.places {
                let values: Vec<String> = Measure::ALL
                    .iter()
                    .flat_map(|&measure| {
                        let change = flat::change(comparison, &flat, measure, place);
                        [change.before, change.after, change.delta()].map(|value| numbers.text(value))
                    })
                    .collect();
                push_line(&mut text, format_args!("{}\t{}", comparison.places().name(place), values.join("\t")));
            }
        }
        _ => {}
    }
    Some(text)
}

/// Normalised values in the unit of the table, with more digits than a person reads, and signs that a spreadsheet knows.
struct Numbers {
    /// ` (ms/s)`; empty for plain counts.
    unit: String,
    /// `None` for shares, which are percent.
    scale: Option<Scale>,
}

impl Numbers {
    /// Digits below the largest value of the table.
    const DIGITS: f64 = 1e-6;

    fn new(comparison: &Comparison, flat: &Flat, measure: Measure) -> Self {
        // The unit follows the measure that the table shows.
        let sides = comparison.sides.iter().zip(&flat.sides);
        let largest = sides.map(|(side, flat)| flat.largest(measure) as f64 * comparison.factor(side)).fold(0.0, f64::max);
        let unit = match comparison.scale(largest).unit() {
            "" => String::new(),
            unit => format!(" ({unit})"),
        };
        let is_share = *comparison.effective_normalization() == Normalization::Share;
        // Beside the largest value a small one has its unit, with its own decimals.
        let scale = (!is_share).then(|| Scale::beside(largest * Self::DIGITS, largest, &comparison.unit, 0.0));
        Self { unit, scale }
    }

    fn text(&self, value: f64) -> String {
        let text = match &self.scale {
            // What is smaller than the last digit is written as if it were that digit.
            Some(scale) => scale.text(value).replace('−', "-").replace('<', ""),
            None => format!("{:.6}", value * 100.0),
        };
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        // Nothing has no sign.
        if short == "-0" { "0".to_owned() } else { short.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::app::Options;

    fn copied(commands: &[Command]) -> String {
        let sample = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-profiles/pprof/go1.27.3").join(name);
        let mut app = App::new(Options { inline: true, ..Options::default() });
        app.apply(Command::OpenComparison(sample("orders-cpu-before.pb.gz"), sample("orders-cpu-after.pb.gz")));
        for command in commands {
            app.apply(command.clone());
        }
        app.settle();
        table(&app).expect("a table")
    }

    #[test]
    fn the_table_of_a_comparison_has_its_rows_its_order_its_unit_and_the_changes() {
        let text = copied(&[Command::FilterTop("pricing".to_owned()), Command::SetMeasure(Measure::Total)]);
        let mut lines = text.lines();
        let head =
            "name\tself before (ms/s)\tself after (ms/s)\tself change (ms/s)\ttotal before (ms/s)\ttotal after (ms/s)\ttotal change (ms/s)";
        assert_eq!(lines.next(), Some(head));
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
        assert!(rows.len() > 2 && rows.iter().all(|row| row.len() == 7 && row[0].contains("pricing")), "{rows:?}");
        assert_eq!(
            rows[0],
            ["orders/internal/pricing.(*Engine).Discount", "14.499548", "106.497843", "91.998295", "22.999283", "160.496749", "137.497466"]
        );
        let changes: Vec<f64> = rows.iter().map(|row| row[6].parse().expect("a number that a spreadsheet reads")).collect();
        assert!(changes.is_sorted_by(|a, b| a >= b), "largest change first, as shown: {changes:?}");
    }

    #[test]
    fn another_view_in_front_copies_the_same_table() {
        let there = copied(&[Command::FilterTop("pricing".to_owned()), Command::SetTab(crate::app::view::Tab::Top)]);
        assert_eq!(copied(&[Command::FilterTop("pricing".to_owned())]), there);
    }
}
