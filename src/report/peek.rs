//! Functions with what calls them and what they call, one step each way, as JSON and text: what `go tool pprof -peek` prints.
//!
//! Deliberately absent: choosing and weighing samples (the caller hands over a [`Comparison`]). Start reading at [`PeekReport::new`].

use serde::Serialize;

use super::head::Head;
use super::number::Number;
use super::table::{Align, Table, push_line};
use super::top::TopSpec;
use crate::analysis::edges::edges;
use crate::analysis::filter::matching_names;
use crate::analysis::{Comparison, PlaceId, top};
use crate::model::{Scale, counted};

/// Everything that `peek --json` prints; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeekReport {
    #[serde(flatten)]
    head: Head,
    /// Functions that match; `functions` may hold fewer.
    function_count: usize,
    functions: Vec<Peeked>,
}

/// One function.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Peeked {
    name: String,
    #[serde(rename = "self")]
    self_: Number,
    total: Number,
    callers: Vec<Neighbour>,
    callees: Vec<Neighbour>,
}

/// A caller or a callee, with the value of the samples that have such a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Neighbour {
    name: String,
    value: Number,
}

impl PeekReport {
    /// The functions of a comparison's last side whose names match, those with the largest totals first; `None` where there is none.
    pub fn new(comparison: &Comparison, pattern: &str, spec: &TopSpec<'_>) -> Option<Self> {
        let side = comparison.last()?;
        let places = comparison.places();
        let number = |stored: i64| Number::new(stored, spec.decimals);
        let found = matching_names(places, pattern);
        let mut rows = top(comparison.tree(), places, &side.weights).rows;
        rows.retain(|row| found.contains(&row.place));
        rows.sort_by_key(|row| (std::cmp::Reverse(row.total.unsigned_abs()), row.place));
        let function_count = rows.len();
        if spec.limit > 0 {
            rows.truncate(spec.limit);
        }
        let of: Vec<PlaceId> = rows.iter().map(|row| row.place).collect();
        let edges = edges(comparison.tree(), &side.weights, &of);
        let neighbours = |found: Vec<(PlaceId, i64)>| -> Vec<Neighbour> {
            found.into_iter().map(|(place, value)| Neighbour { name: places.name(place).to_owned(), value: number(value) }).collect()
        };
        let functions = rows.into_iter().zip(edges).map(|(row, edges)| Peeked {
            name: places.name(row.place).to_owned(),
            self_: number(row.self_),
            total: number(row.total),
            callers: neighbours(edges.callers),
            callees: neighbours(edges.callees),
        });
        let functions: Vec<Peeked> = functions.collect();
        (function_count > 0).then(|| Self {
            head: Head::new(comparison, spec.file, Some(spec.by), spec.filter, spec.decimals),
            function_count,
            functions,
        })
    }

    /// For people: each function between its callers and its callees, as pprof orders them.
    pub fn text(&self) -> String {
        let mut text = self.head.text(self.head.by.unwrap_or_default());
        for function in &self.functions {
            push_line(&mut text, format_args!("\n{}", self.table(function).text().trim_end()));
        }
        let more = self.function_count.saturating_sub(self.functions.len());
        if more > 0 {
            let matches = counted(more as u64, "function matches", "functions match");
            push_line(&mut text, format_args!("\n{matches} too, with smaller totals; -n 0 shows all"));
        }
        text
    }

    fn table(&self, function: &Peeked) -> Table {
        let (own, total) = (function.self_.as_f64(), function.total.as_f64());
        let step = if matches!(function.total, Number::Whole(_)) { 1.0 } else { 0.0 };
        let scale = Scale::of_both(own.abs(), total.abs(), &self.head.unit, step);
        let head = |name: &str| if scale.unit().is_empty() { name.to_owned() } else { format!("{name} ({})", scale.unit()) };
        let heads = [head("self"), head("total"), head("call")];
        let columns = [&heads[0], "self %", &heads[1], "total %", &heads[2], "call %"].map(|name| (name, Align::Right));
        let mut table = Table::new(columns.into_iter().chain([("called by, name, calls", Align::Left)]));
        let part = |value: f64, of: f64| if of == 0.0 { "-".to_owned() } else { Scale::percent().text(value / of) };
        let empty = || std::iter::repeat_n(String::new(), 4);
        let neighbour = |row: &Neighbour| {
            let value = row.value.as_f64();
            empty().chain([scale.text(value), part(value, total), format!("|   {}", row.name)]).collect::<Vec<_>>()
        };
        for row in &function.callers {
            table.row(neighbour(row));
        }
        let whole = self.head.denominator.as_f64();
        let own = [scale.text(own), part(own, whole), scale.text(total), part(total, whole), String::new(), String::new()];
        table.row(own.into_iter().chain([format!("| {}", function.name)]));
        for row in &function.callees {
            table.row(neighbour(row));
        }
        table
    }

    /// What a percentage of a call is of.
    pub const HINT: &str = "call % are of the function's total (100 %); a call counts once a sample";
}
