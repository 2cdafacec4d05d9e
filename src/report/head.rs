//! What stands at the head of every table of one capture: of which file and sample type it is, what was filtered, what percentages are of.
//!
//! Start reading at [`Head::new`].

use serde::Serialize;

use super::SCHEMA;
use super::number::Number;
use super::table::{printable, push_line};
use crate::analysis::{Comparison, Filter, Granularity};
use crate::model::{human_of, type_name};

/// The first keys of such a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Head {
    pub(super) schema: u32,
    pub(super) file: String,
    pub(super) sample_type: String,
    pub(super) unit: String,
    /// What a row stands for, where rows are places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<&'static str>,
    /// Filters, as options of the command line.
    pub(super) filters: Vec<String>,
    /// How many of them, the first ones, are groups, which let everything through.
    #[serde(skip)]
    pub(super) groups: usize,
    /// Sum over all samples, without any filter.
    pub(super) total: Number,
    /// What percentages are of: the sum of absolute values, which is `total` where none is negative; of a saved comparison that of its side
    /// before; or of what the filters leave.
    pub(super) denominator: Number,
}

impl Head {
    /// Of a comparison's last side. `decimals` are those of the sample type's stored integers.
    pub(super) fn new(comparison: &Comparison, file: &str, by: Option<Granularity>, filter: &Filter, decimals: u8) -> Self {
        let side = comparison.last();
        let whole = side.map_or(0, |side| i64::try_from(side.whole).unwrap_or(i64::MAX));
        Self {
            schema: SCHEMA,
            file: file.to_owned(),
            sample_type: comparison.sample_type.clone(),
            unit: comparison.unit.clone(),
            by: by.map(Granularity::name),
            filters: filter.options(),
            groups: filter.groups().options().len(),
            total: Number::new(side.map_or(0, |side| side.total), decimals),
            denominator: Number::new(whole, decimals),
        }
    }

    /// `cpu, nanoseconds`.
    pub(super) fn what(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(", {}", self.unit) };
        format!("{}{unit}", type_name(&self.sample_type))
    }

    /// `100 % = 24.3 s cpu`.
    pub(super) fn whole(&self) -> String {
        format!("100 % = {}", human_of(self.denominator.as_f64(), &self.unit, &self.sample_type))
    }

    /// The lines above tables: what they are of, `by` what, filters, what percentages are of.
    pub(super) fn text(&self, by: &str) -> String {
        let mut text = format!("{} by {by}\n", self.what());
        if !self.filters.is_empty() {
            push_line(&mut text, format_args!("filters: {}", printable(&self.filters.join(" "))));
        }
        push_line(&mut text, format_args!("{}", self.whole()));
        text
    }
}
