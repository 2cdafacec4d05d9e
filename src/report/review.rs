//! One file for a design review: the answer, the findings, the flame graph, and everything that the numbers rest on, as a page that opens in any
//! browser and asks no server for anything.
//!
//! Deliberately absent: judging and weighing (the caller hands both over). Start reading at [`Review::html`].

use std::sync::Arc;

use super::page::Page;
use super::remarks::Remarks;
use super::{DiffReport, FlameSvg, Info, PictureTheme, SvgSpec, TopOrder, TopReport, TopSpec};
use crate::analysis::diff::NodeDiff;
use crate::analysis::flame::{BySize, FlameShape};
use crate::analysis::{Comparison, Filter, Granularity};
use crate::model::{Profile, base_name, type_name};

/// Rows of the table of functions.
const ROWS: usize = 50;

/// What a page is made of.
#[derive(Clone, Copy, Debug)]
pub struct Review<'a> {
    /// The tree with the values of one or two sides.
    pub comparison: &'a Comparison,
    /// The captures, before first, each with the path as the user gave it.
    pub captures: &'a [(String, Arc<Profile>)],
    /// What got worse, where there are two sides.
    pub diff: Option<&'a DiffReport>,
    /// How each node changed, where there are two sides.
    pub changes: Option<&'a NodeDiff>,
    /// The order of boxes with one caller, where that is not by name.
    pub by_size: Option<&'a BySize>,
    /// What a row stands for.
    pub by: Granularity,
    /// What the comparison was weighed with.
    pub filter: &'a Filter,
    /// What people wrote about it; that of a comparison is in its report.
    pub remarks: &'a Remarks,
    /// Decimals of the sample type's stored integers.
    pub decimals: u8,
    /// Light or dark.
    pub theme: PictureTheme,
    /// The command that writes the same page again, where there is one.
    pub command: Option<&'a str>,
}

impl Review<'_> {
    /// The page. A flame graph that cannot be drawn is said to be missing, with the reason.
    pub fn html(&self) -> String {
        let Self { comparison, captures, diff, changes, by_size, by, filter, remarks, decimals, theme, command } = *self;
        let kind = type_name(&comparison.sample_type);
        let sides: Vec<String> = comparison.sides.iter().map(|side| self.names(&side.rows)).collect();
        let title = format!("{} ({kind})", sides.join(" → "));
        let mut page = Page::new(&title, theme);
        if let Some(diff) = diff {
            diff.put_answer(&mut page);
            diff.put_findings(&mut page);
        } else {
            page.aside(&comparison.denominator_text());
            remarks.put(&mut page);
        }
        page.heading(if diff.is_some() { "Flame graph of the change" } else { "Flame graph" });
        let spec = SvgSpec { title: title.clone(), width: None, theme, shape: FlameShape::Both, color_by: None, filters: filter.options() };
        match (FlameSvg { comparison, changes, widths: None, by_size }).draw(&spec) {
            Ok(svg) => {
                page.picture(&svg, height_of(&svg), &format!("Flame graph: {title}"));
                page.aside("A click fits a box, Search (or Ctrl+F in the picture) marks names. Boxes of less than 0.01 % of the width are not drawn.");
            }
            Err(error) => page.paragraph(&error.to_string()),
        }
        if let Some(diff) = diff {
            diff.put_grounds(&mut page);
        } else {
            page.heading(&format!("By {}, most self first", by.name()));
            let file = captures.first().map_or("", |(name, _)| name);
            TopReport::new(comparison, &TopSpec { file, by, order: TopOrder::SelfValue, limit: ROWS, decimals, filter }).put(&mut page);
        }
        for (at, (name, profile)) in captures.iter().enumerate() {
            let side = comparison.sides.iter().position(|side| side.rows.contains(&at));
            let side = match (diff, side) {
                (Some(_), Some(0)) => "Before: ",
                (Some(_), Some(_)) => "After: ",
                _ => "Capture: ",
            };
            page.heading(&format!("{side}{}", base_name(name)));
            Info::new(name, profile).put(&mut page);
        }
        if let Some(command) = command {
            page.heading("The same again");
            page.code(command);
        }
        page.raw(&format!("<footer>Written by Emberlens {}.</footer>\n", env!("CARGO_PKG_VERSION")));
        page.finish()
    }

    /// Names of a side's captures.
    fn names(&self, rows: &[usize]) -> String {
        let names: Vec<&str> = rows.iter().filter_map(|&row| self.captures.get(row)).map(|(name, _)| base_name(name)).collect();
        match names.as_slice() {
            [one, second, rest @ ..] if !rest.is_empty() => format!("{one} + {second} + {} more", rest.len()),
            names => names.join(" + "),
        }
    }
}

/// The height that the picture says it has.
fn height_of(svg: &str) -> u32 {
    let height = svg.split(" height=\"").nth(1).and_then(|rest| rest.split('"').next()).and_then(|height| height.parse().ok());
    // Room for a scroll bar where the window is narrow.
    height.unwrap_or(600) + 20
}
