//! Command scripts: one command a line, `#` begins a comment, empty lines are skipped.
//!
//! The same text drives the app without a window (`emberlens run`), the window in demos, bug reports and tests. Two more words exist
//! in scripts: `wait` lets all work come to its end, `print` shows what is in front as text.

use super::command::Command;
use super::effect::Effect;
use super::{App, CaptureState};
use crate::report::table::push_line;

/// One line of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A command.
    Do(Command),
    /// Wait until nothing is being worked on.
    Wait,
    /// Show what is in front as text.
    Print,
}

/// Reads a script; an error names the line.
pub fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        match line {
            "" => {}
            _ if line.starts_with('#') => {}
            "wait" => lines.push(Line::Wait),
            "print" => lines.push(Line::Print),
            _ => lines.push(Line::Do(Command::from_line(line).map_err(|why| format!("line {}: {why}", number + 1))?)),
        }
    }
    Ok(lines)
}

/// Runs a script on an app without a window: after each command all work is waited for. `effect` gets what only a window can do, and
/// `print` the text of `print` lines.
pub fn run(
    app: &mut App,
    lines: &[Line],
    effect: &mut dyn FnMut(&App, Effect) -> Result<(), String>,
    print: &mut dyn FnMut(&str),
) -> Result<(), String> {
    for line in lines {
        match line {
            Line::Do(command) => {
                let effects = app.apply(command.clone());
                app.settle();
                for wish in effects {
                    effect(app, wish)?;
                }
                let broken = app.captures().iter().find_map(|capture| match &capture.state {
                    CaptureState::Failed(why) => Some(why.clone()),
                    _ => None,
                });
                if let Some(why) = broken {
                    return Err(why);
                }
                if let Some(message) = app.messages().iter().find(|message| message.is_error) {
                    return Err(message.text.clone());
                }
            }
            Line::Wait => app.settle(),
            Line::Print => print(&summary(app)),
        }
    }
    Ok(())
}

/// What is in front, as text: captures, the view, the first rows of the table and the findings.
pub fn summary(app: &App) -> String {
    let mut text = String::new();
    match app.shown_names().as_slice() {
        [before, after] => push_line(&mut text, format_args!("comparison: before {before}, after {after}")),
        names => push_line(&mut text, format_args!("capture: {}", names.first().map_or("-", String::as_str))),
    }
    if let Some((kind, unit)) = app.sample_type() {
        push_line(&mut text, format_args!("sample type: {kind}/{unit}"));
    }
    if let Some(comparison) = app.table().ready() {
        push_line(&mut text, format_args!("{}", comparison.denominator_text()));
        if let Some(top) = app.top().ready() {
            for row in top.rows.iter().take(10) {
                push_line(&mut text, format_args!("{:>16} {:>16}  {}", row.self_, row.total, comparison.places().name(row.place)));
            }
        }
        if let Some(report) = app.diff_report() {
            text.push_str(&report.text());
        }
    }
    if let Some(matches) = app.matches().ready() {
        push_line(
            &mut text,
            format_args!("search: {} functions, {} boxes, {} together", matches.places.len(), matches.nodes, matches.total()),
        );
    }
    text
}
