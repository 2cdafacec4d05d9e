//! The parts of a comparison's page: the answer, the findings with their intervals, and what the numbers rest on.

use super::{Concern, DiffReport, FindingReport, ratio_text};
use crate::analysis::diff::Measure;
use crate::analysis::regress::{one_in, part_of_change};
use crate::report::number::change;
use crate::report::page::{Page, escape};
use crate::report::table::{Align, Table};

/// Ratios from one over this to this have room in the picture of an interval.
const WIDEST: f64 = 8.0;
/// Width and height of that picture in pixels.
const BAR: [f64; 2] = [168.0, 18.0];

impl DiffReport {
    /// What it is about, and the answer.
    pub(in crate::report) fn put_answer(&self, page: &mut Page) {
        for (name, side) in [("Before", &self.before), ("After", &self.after)] {
            page.aside(&format!("{name}: {}", self.side_text(side)));
        }
        page.aside(&self.scale_text());
        page.lead(&self.summary);
        self.remarks.put(page);
    }

    /// The findings in order.
    pub(in crate::report) fn put_findings(&self, page: &mut Page) {
        page.heading("Findings");
        if self.findings.is_empty() {
            page.paragraph("None.");
        } else {
            page.raw(&self.findings_html());
            self.legend().into_iter().for_each(|line| page.aside(&line));
            page.aside(
                "The bar is the 95 % interval of after / before per unit of unchanged work, on a scale of doublings (from an eighth to 8 times); the line in its \
                 middle is no change. By chance: how often unchanged code would show such a change in a search of all places.",
            );
        }
        let others = self.others_text();
        page.aside(others.trim_end());
    }

    /// What cannot be told, in what the sides differ, how names were matched, and notes.
    pub(in crate::report) fn put_grounds(&self, page: &mut Page) {
        if let Some(open) = self.open_table() {
            page.heading("What cannot be told");
            page.paragraph(&self.open_text());
            page.table(&open);
        }
        if !self.comparability.is_empty() {
            page.heading("In what the captures differ");
            let mut table = Table::new(["what", "before", "after", "concern", "what that means"].map(|name| (name, Align::Left)));
            for row in &self.comparability {
                let cells = [row.what.to_owned(), row.before.clone(), row.after.clone(), row.concern.to_owned(), row.text.clone()];
                table.row(cells);
            }
            page.table(&table);
            if self.comparability.iter().any(|row| row.concern != Concern::Info.name()) {
                page.aside("Scaled: the numbers above allow for it. Warning: they may be about something else than the code.");
            }
        }
        page.heading("Names of both sides");
        page.paragraph(self.matching.summary());
        if let Some(table) = self.matching.matches() {
            page.table(&table);
        }
        page.heading("How to read the numbers");
        page.list(self.notes.iter().map(String::as_str));
    }

    /// What was written about a function, under its name.
    fn remark_html(&self, function: &str) -> String {
        let lines = self.remarks.on(Some(function)).lines().map(|line| format!("<br><span class=\"said\">{}</span>", escape(line)));
        lines.collect()
    }

    fn findings_html(&self) -> String {
        let mut html = String::from(
            "<div class=\"scroll\"><table>\n<thead><tr><th class=\"n\">#</th><th>verdict</th><th>function</th><th class=\"n\">before</th>\
             <th class=\"n\">after</th><th class=\"n\">delta</th><th class=\"n\">change</th><th class=\"n\">adjusted</th><th>95 % of it</th><th>by chance</th>\
             <th class=\"n\">explains</th><th>why</th></tr></thead>\n<tbody>\n",
        );
        for row in &self.findings {
            let class = match row.verdict {
                verdict if verdict.is_worse() => "worse",
                verdict if verdict.is_change() => "better",
                _ => "muted",
            };
            let measure = if row.measure == Measure::Self_.name() { "own cost" } else { "with callees" };
            let path = row.path_text().map(|path| format!("on {}", escape(&path)));
            let new = row.new.as_ref().map(|new| format!("now {}", escape(new)));
            let under: Vec<String> = std::iter::once(measure.to_owned()).chain(new).chain(path).collect();
            let cells = [
                ("n", row.rank.map_or_else(String::new, |rank| rank.to_string())),
                (class, row.verdict.label().to_owned()),
                ("c", format!("{}<br><span class=\"muted\">{}</span>{}", escape(&row.func), under.join("; "), self.remark_html(&row.func))),
                ("n", escape(&self.scale.text(row.before)).into_owned()),
                ("n", escape(&self.scale.text(row.after)).into_owned()),
                ("n", escape(&self.scale.delta(row.delta)).into_owned()),
                ("n", change(row.before, row.after)),
                ("n", ratio_text(row.ratio)),
                ("t", interval_html(row)),
                ("t", by_chance(row)),
                ("n", if row.verdict.is_change() { part_of_change(row.explains) } else { String::new() }),
                ("t", escape(&row.because).into_owned()),
            ];
            let cells = cells.map(|(class, cell)| format!("<td class=\"{class}\">{cell}</td>"));
            html.extend(["<tr>", &cells.concat(), "</tr>\n"]);
        }
        html.push_str("</tbody>\n</table></div>\n");
        html
    }
}

fn by_chance(row: &FindingReport) -> String {
    match row.q {
        _ if row.verdict.is_structure() => String::new(),
        q if q < 1e-6 => "less than 1 in a million".to_owned(),
        q if q < 1.0 => one_in(q),
        _ => String::new(),
    }
}

/// The interval as a bar against no change, with its ends in words behind it.
fn interval_html(row: &FindingReport) -> String {
    let [width, height] = BAR;
    let at = |ratio: f64| {
        let doublings = if ratio > 0.0 { (ratio.log2() / WIDEST.log2()).clamp(-1.0, 1.0) } else { -1.0 };
        width / 2.0 * (1.0 + doublings)
    };
    let (low, high) = (at(row.ratio_lo), at(row.ratio_hi));
    let words = format!("{} to {}", ratio_text(row.ratio_lo), ratio_text(row.ratio_hi));
    let color = if row.ratio > 1.0 { "worse" } else { "better" };
    // Both ends beyond the scale still leave a mark at its end.
    let (start, length) = (low.min(width - 3.0), (high - low).max(3.0));
    let (middle, dot) = (height / 2.0, at(row.ratio).clamp(2.5, width - 2.5));
    format!(
        "<svg class=\"interval\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{words}\">\
         <rect x=\"0\" y=\"{y}\" width=\"{width}\" height=\"1\" fill=\"var(--line)\"/>\
         <rect x=\"{zero}\" y=\"1\" width=\"1\" height=\"{tall}\" fill=\"var(--muted)\"/>\
         <rect x=\"{start:.1}\" y=\"{top}\" width=\"{length:.1}\" height=\"6\" rx=\"2\" fill=\"var(--{color})\" fill-opacity=\"0.45\"/>\
         <circle cx=\"{dot:.1}\" cy=\"{middle}\" r=\"3\" fill=\"var(--{color})\"/></svg><span class=\"muted\">{words}</span>",
        y = middle - 0.5,
        zero = width / 2.0 - 0.5,
        tall = height - 2.0,
        top = middle - 3.0,
    )
}
