//! Results as data, text, JSON, CSV, Markdown, HTML and SVG.
//!
//! Each report is a plain struct made from a profile or a comparison; its JSON keys are its field names and are stable within one
//! [`SCHEMA`] (documented in `src/report/README.md`). Deliberately absent: reading, weighing, files and the terminal. Start reading at
//! [`info`], the smallest.

pub mod captures;
pub mod color;
pub mod diff;
mod head;
pub mod info;
pub mod labels;
pub mod list;
mod matching;
pub mod merged;
pub mod number;
mod page;
pub mod part;
pub mod peek;
pub mod remarks;
pub mod review;
pub mod stacks;
pub mod svg;
pub mod table;
pub mod top;
pub mod tree;

pub use captures::Captures;
pub use color::PictureTheme;
pub use diff::{DiffInput, DiffReport};
pub use info::Info;
pub use list::ListReport;
pub use number::Number;
pub use review::Review;
pub use svg::{FlameSvg, SvgSpec};
pub use top::{TopOrder, TopReport, TopSpec};
pub use tree::TreeReport;

/// Version of the keys and meanings of all JSON output. It grows when a key changes its meaning or goes away, not when one is added.
pub const SCHEMA: u32 = 1;

/// A report as JSON text with a line end.
pub fn json(report: &impl serde::Serialize) -> String {
    // Reports hold no maps with keys that are not text, the one thing that could fail.
    serde_json::to_string_pretty(report).map_or_else(|_| "null\n".to_owned(), |text| text + "\n")
}
