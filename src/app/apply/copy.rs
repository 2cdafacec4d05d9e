//! Commands that put text on the clipboard.

use crate::app::App;
use crate::app::command::Command;
use crate::report::table::push_line;

pub(super) fn apply(app: &App, command: &Command) -> Option<String> {
    match command {
        Command::CopyName => Some(app.view.selection.as_ref()?.place.clone()),
        Command::CopyStack => stack(app),
        Command::CopyTable => table(app),
        Command::CopyFindings => Some(app.diff_report()?.text()),
        Command::CopyFindingsMarkdown => Some(app.diff_report()?.markdown()),
        Command::CopyFindingsCsv => Some(app.diff_report()?.findings_csv()),
        Command::CopyScript => Some(app.log.iter().rev().take(50).rev().fold(String::new(), |text, line| text + line + "\n")),
        _ => None,
    }
}

fn stack(app: &App) -> Option<String> {
    let comparison = app.comparison().ready()?;
    let node = app.selected_node(comparison)?;
    Some(App::names_of(comparison, node).join("\n"))
}

/// Tab-separated with raw values, as spreadsheets want it.
fn table(app: &App) -> Option<String> {
    let comparison = app.table().ready()?;
    let mut text = String::new();
    let sides = comparison.by_place();
    match sides.as_slice() {
        [(self_, total)] => {
            push_line(&mut text, format_args!("name\tself ({unit})\ttotal ({unit})", unit = comparison.unit));
            for row in &app.top().ready()?.rows {
                let at = row.place.row();
                push_line(&mut text, format_args!("{}\t{}\t{}", comparison.places().name(row.place), self_[at], total[at]));
            }
        }
        [before, after] => {
            let unit = &comparison.unit;
            push_line(
                &mut text,
                format_args!("name\tself before ({unit})\tself after ({unit})\ttotal before ({unit})\ttotal after ({unit})"),
            );
            for (place, row) in comparison.places().iter_ids().skip(1) {
                let at = place.row();
                push_line(&mut text, format_args!("{}\t{}\t{}\t{}\t{}", row.name, before.0[at], after.0[at], before.1[at], after.1[at]));
            }
        }
        _ => {}
    }
    Some(text)
}
