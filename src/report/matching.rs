//! Which names of two builds were taken as one function, as JSON, text and Markdown.
//!
//! Deliberately absent: how they were matched (see [`matching`](crate::analysis::matching)). Start reading at [`MatchingReport::new`].

use serde::Serialize;

use super::table::{Align, Table, markdown_escape, push_line};
use crate::analysis::comparison::percent;
use crate::analysis::matching::{Class, MatchRow, Tally};
use crate::model::counted;

/// Most matches that the text forms list; JSON has all.
const LISTED: usize = 20;

/// What was matched; the field names are keys of `diff --json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct MatchingReport {
    summary: String,
    classes: Vec<ClassReport>,
    matches: Vec<PairReport>,
    unmatched: Vec<UnmatchedReport>,
    unmatched_left_out: usize,
}

#[derive(Clone, Debug, Serialize)]
struct ClassReport {
    by: &'static str,
    functions: usize,
    /// Own cost as a part of the total of before and after.
    share: [f64; 2],
}

#[derive(Clone, Debug, Serialize)]
struct PairReport {
    by: &'static str,
    before: Vec<String>,
    after: Vec<String>,
    /// Cost with callees as a part of the total of before and after.
    share: [f64; 2],
    #[serde(skip)]
    label: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct UnmatchedReport {
    func: String,
    side: &'static str,
    share: f64,
    apart: bool,
}

impl MatchingReport {
    pub(super) fn new(tally: &Tally) -> Self {
        let is_pair = |row: &&MatchRow| !matches!(row.class, Class::OnlyBefore | Class::OnlyAfter);
        let unmatched = |row: &MatchRow| {
            let is_before = row.class == Class::OnlyBefore;
            let names = if is_before { &row.before } else { &row.after };
            UnmatchedReport {
                func: names.first().cloned().unwrap_or_default(),
                side: if is_before { "before" } else { "after" },
                share: row.share[usize::from(!is_before)],
                apart: row.is_apart,
            }
        };
        let pair = |row: &MatchRow| PairReport {
            by: row.class.name(),
            before: row.before.clone(),
            after: row.after.clone(),
            share: row.share,
            label: row.class.label(),
        };
        let class =
            |sum: &crate::analysis::matching::ClassSum| ClassReport { by: sum.class.name(), functions: sum.functions, share: sum.share };
        Self {
            summary: tally.sentence(),
            classes: tally.classes.iter().map(class).collect(),
            matches: tally.rows.iter().filter(is_pair).map(pair).collect(),
            unmatched: tally.rows.iter().filter(|row| !is_pair(row)).map(unmatched).collect(),
            unmatched_left_out: tally.left_out,
        }
    }

    /// The sentence.
    pub(super) fn summary(&self) -> &str {
        &self.summary
    }

    /// The matches that are no equal names, as many as the text forms list; `None` where there are none.
    pub(super) fn matches(&self) -> Option<Table> {
        (!self.matches.is_empty()).then(|| self.table())
    }

    /// A sentence, then every match that is no equal name.
    pub(super) fn text(&self) -> String {
        let mut text = format!("names: {}\n", self.summary);
        if !self.matches.is_empty() {
            for line in self.table().text().lines() {
                push_line(&mut text, format_args!("  {line}"));
            }
        }
        push_more(&mut text, self.matches.len());
        text
    }

    /// The same as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("\n> names: {}\n", markdown_escape(&self.summary));
        if !self.matches.is_empty() {
            push_line(&mut text, format_args!("\n{}", self.table().markdown().trim_end()));
        }
        push_more(&mut text, self.matches.len());
        text
    }

    fn table(&self) -> Table {
        let columns = [
            ("matched by", Align::Left),
            ("of before", Align::Right),
            ("of after", Align::Right),
            ("name before", Align::Left),
            ("name after", Align::Left),
        ];
        let mut table = Table::new(columns);
        for row in self.matches.iter().take(LISTED) {
            let [before, after] = row.share.map(percent);
            table.row([row.label.to_owned(), before, after, names(&row.before), names(&row.after)]);
        }
        table
    }
}

/// `a`, `a and 2 more`.
fn names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

fn push_more(text: &mut String, count: usize) {
    if count > LISTED {
        let further = counted((count - LISTED) as u64, "further match stands", "further matches stand");
        push_line(text, format_args!("\n{further} in the JSON form"));
    }
}
