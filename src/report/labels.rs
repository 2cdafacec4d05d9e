//! The labels of a capture with what each of their values holds, as JSON and text: what `go tool pprof -tags` prints.
//!
//! Start reading at [`LabelsReport::new`].

use serde::Serialize;

use super::head::Head;
use super::number::Number;
use super::table::{Align, Table, printable, push_line};
use crate::analysis::comparison::percent;
use crate::analysis::filter::compile;
use crate::analysis::labels::label_sums;
use crate::analysis::{Comparison, Filter};
use crate::model::{Profile, Scale, human};

/// Everything that `labels --json` prints; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelsReport {
    #[serde(flatten)]
    head: Head,
    labels: Vec<Label>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Label {
    key: String,
    /// Sum over the samples that have it.
    total: Number,
    /// Sum over the samples that pass the filters and do not have it.
    without: Number,
    values: Vec<Value>,
}

/// One value of a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Value {
    value: String,
    total: Number,
}

impl LabelsReport {
    /// The labels of the capture that a comparison weighed, of those keys that match: keys by name, values with the largest sums first.
    pub fn new(comparison: &Comparison, profile: &Profile, (file, keys, filter): (&str, Option<&str>, &Filter)) -> Self {
        let number = |stored: i64| Number::new(stored, comparison.decimals);
        let column = profile.comparable_column(&comparison.sample_type, &comparison.unit);
        let (sums, all) = column.map(|column| label_sums(profile, column, filter)).unwrap_or_default();
        let pattern = keys.map(compile);
        let sums = sums.into_iter().filter(|(key, _)| pattern.as_ref().is_none_or(|pattern| pattern.is_match(key)));
        let labels = sums.map(|(key, sums)| {
            let mut values: Vec<(String, i64)> = sums.values.into_iter().collect();
            // They are in name order, which decides between equals.
            values.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.unsigned_abs()));
            Label {
                key,
                total: number(sums.total),
                without: number(all.saturating_sub(sums.total)),
                values: values.into_iter().map(|(value, sum)| Value { value, total: number(sum) }).collect(),
            }
        });
        Self { head: Head::new(comparison, file, None, filter, comparison.decimals), labels: labels.collect() }
    }

    /// True where no sample has a label whose key matches.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// For people: a table for each key.
    pub fn text(&self) -> String {
        let whole = self.head.denominator.as_f64();
        let share = |value: f64| if whole > 0.0 { percent(value / whole) } else { "-".to_owned() };
        let mut text = self.head.text("label");
        for label in &self.labels {
            let total = label.total.as_f64();
            push_line(&mut text, format_args!("\n{}: {}, {}", printable(&label.key), human(total, &self.head.unit), share(total)));
            let step = if matches!(label.total, Number::Whole(_)) { 1.0 } else { 0.0 };
            let scale = Scale::of_both(total.abs(), label.without.as_f64().abs(), &self.head.unit, step);
            let head = if scale.unit().is_empty() { "total".to_owned() } else { format!("total ({})", scale.unit()) };
            let mut table = Table::new([(head.as_str(), Align::Right), ("total %", Align::Right), ("value", Align::Left)]);
            let part = |value: f64| if whole > 0.0 { Scale::percent().text(value / whole) } else { "-".to_owned() };
            for row in &label.values {
                let value = row.total.as_f64();
                table.row([scale.text(value), part(value), row.value.clone()]);
            }
            let without = label.without.as_f64();
            if without != 0.0 {
                table.row([scale.text(without), part(without), "(without)".to_owned()]);
            }
            text.push_str(&table.text());
        }
        text
    }
}
