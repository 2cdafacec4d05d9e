//! Samples and allocations of one thread.

use super::NAME;
use super::document::{Meta, Places, thread_row};
use super::frames::{Frames, ROWS_PER_CHECK};
use super::table::Table;
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Ticket};
use crate::format::ReadError;
use crate::format::json::{Json, MAX_DECIMALS};
use crate::model::{Builder, Label, LabelSetId, LabelValue, Sample, StackId, ThreadId, kind};

/// One thread.
#[derive(Default)]
pub(super) struct Thread {
    pub(super) name: String,
    pub(super) process: String,
    pub(super) pid: Option<i32>,
    pub(super) tid: Option<i32>,
    /// Milliseconds from the start of the capture to the start of the thread's process.
    pub(super) later: f64,
}

/// Value columns so far, by name.
#[derive(Default)]
pub(super) struct Columns(Vec<(&'static str, usize)>);

impl Columns {
    fn of(&mut self, name: &'static str, unit: &str, builder: &mut Builder) -> usize {
        if let Some((_, row)) = self.0.iter().find(|(known, _)| *known == name) {
            return *row;
        }
        let row = builder.add_sample_type(name, unit);
        self.0.push((name, row));
        row
    }
}

const NANOS_PER_MILLI: f64 = 1e6;

/// Adds what a thread recorded.
pub(super) fn add_thread(
    json: &mut Json<'_>,
    places: &Places,
    thread: &Thread,
    frames: &Frames,
    meta: &Meta,
    columns: &mut Columns,
    builder: &mut Builder,
) -> Result<(), ReadError> {
    let mut adder = Adder { frames, meta, later: thread.later, thread: None, labels: Vec::new(), ticket: json.ticket() };
    if let Some(&place) = places.get("samples") {
        let table = Table::read(json, place, &["stack", "time", "timeDeltas", "weight", "threadCPUDelta"])?;
        if table.rows > 0 {
            adder.thread = Some(thread_row(thread, builder));
            adder.add_samples(&table, place, columns, builder)?;
        }
    }
    for (name, positive, negative) in [("nativeAllocations", "native_alloc", "native_free"), ("jsAllocations", "js_alloc", "js_free")] {
        let Some(&place) = places.get(name) else { continue };
        let table = Table::read(json, place, &["stack", "time", "timeDeltas", "weight"])?;
        if table.rows > 0 {
            adder.thread = Some(thread_row(thread, builder));
            adder.add_allocations(&table, place, (positive, negative), columns, builder)?;
        }
    }
    Ok(())
}

struct Adder<'a> {
    frames: &'a Frames,
    meta: &'a Meta,
    later: f64,
    thread: Option<ThreadId>,
    /// Label sets by category.
    labels: Vec<Option<LabelSetId>>,
    ticket: &'a Ticket,
}

/// The times of a table's rows in milliseconds: as they stand, or from deltas.
fn times(table: &Table) -> impl Fn(usize) -> Option<f64> + '_ {
    let mut sum = 0.0;
    let deltas: Unfinished<Vec<f64>> = table
        .column(2)
        .iter()
        .checked()
        .map(|delta| {
            sum += if delta.is_nan() { 0.0 } else { *delta };
            sum
        })
        .collect();
    move |row| table.number(1, row).or_else(|| deltas.get(row).copied())
}

/// Weights of samples may be fractions (averages of several files).
fn set_decimals(table: &Table, weight: Option<usize>, counter: usize, builder: &mut Builder) {
    let fractions = weight.is_none() && table.column(3).iter().checked().any(|weight| weight.fract() != 0.0 && !weight.is_nan());
    let before = builder.rows.len();
    if let Some(kind) = builder.sample_types.get_mut(counter).filter(|kind| fractions && kind.decimals == 0) {
        if before == 0 {
            kind.decimals = MAX_DECIMALS;
        } else {
            builder.notes.add(kind::REPAIRED, "weights of samples with decimals were rounded", table.rows as u64, None);
        }
    }
}

impl Adder<'_> {
    fn add_samples(&mut self, table: &Table, place: usize, columns: &mut Columns, builder: &mut Builder) -> Result<(), ReadError> {
        let counter = columns.of("samples", "count", builder);
        let (weight, factor) = match table.weight_type.as_deref() {
            Some("tracing-ms") => (Some(columns.of("time", "nanoseconds", builder)), NANOS_PER_MILLI),
            Some("bytes") => (Some(columns.of("space", "bytes", builder)), 1.0),
            other => {
                if let Some(other) = other.filter(|other| *other != "samples") {
                    let text = format!("weights of a kind that is not known ({other}): taken for numbers of samples");
                    builder.notes.add(kind::GUESSED, &text, table.rows as u64, Some(place as u64));
                }
                (None, 1.0)
            }
        };
        if let Some(missing @ 1..) = table.length.checked_sub(table.rows) {
            let text = "samples that the length of a table counts and its columns do not hold";
            builder.notes.add(kind::TRUNCATED, text, missing as u64, Some(place as u64));
        }
        let cpu = if table.column(4).iter().checked().any(|delta| !delta.is_nan()) {
            Some(match self.meta.cpu_unit.as_deref() {
                Some("ns") | None => (columns.of("cpu", "nanoseconds", builder), 1.0),
                Some("µs" | "us") => (columns.of("cpu", "nanoseconds", builder), 1000.0),
                Some(_) => (columns.of("cycles", "count", builder), 1.0),
            })
        } else {
            None
        };
        // A viewer's first column for files of traces and sizes, whose rows count nothing.
        if let Some(weight) = weight {
            builder.default_sample_type = weight;
        }
        set_decimals(table, weight, counter, builder);
        builder.rows.reserve(table.rows, 0);
        let time = times(table);
        let mut values = vec![0; builder.sample_types.len()];
        for row in 0..table.rows {
            let (stack, labels) = self.stack(table, row, place, builder)?;
            values.fill(0);
            let mut set = |column: usize, value: f64| values.get_mut(column).into_iter().for_each(|place| *place = value.round() as i64);
            let scale = |column: usize, builder: &Builder| {
                builder.sample_types.get(column).map_or(1.0, |kind| 10_f64.powi(i32::from(kind.decimals)))
            };
            match weight {
                Some(column) => {
                    set(column, table.number(3, row).unwrap_or(0.0) * factor);
                    set(counter, scale(counter, builder));
                }
                None => set(counter, table.number(3, row).unwrap_or(1.0) * scale(counter, builder)),
            }
            // The first value counts from before the recording.
            if let Some((column, factor)) = cpu.filter(|_| row > 0) {
                set(column, table.number(4, row).unwrap_or(0.0) * factor);
            }
            builder.rows.sample(Sample { stack, thread: self.thread, labels, time: self.nanos(time(row)) }, &values);
        }
        Ok(())
    }

    fn add_allocations(
        &mut self,
        table: &Table,
        place: usize,
        (positive, negative): (&'static str, &'static str),
        columns: &mut Columns,
        builder: &mut Builder,
    ) -> Result<(), ReadError> {
        let time = times(table);
        for row in 0..table.rows {
            let (stack, labels) = self.stack(table, row, place, builder)?;
            let bytes = table.number(3, row).unwrap_or(0.0);
            let column = columns.of(if bytes < 0.0 { negative } else { positive }, "bytes", builder);
            let sample = Sample { stack, thread: self.thread, labels, time: self.nanos(time(row)) };
            builder.rows.event(sample, column, bytes.abs() as i64);
        }
        Ok(())
    }

    fn nanos(&self, millis: Option<f64>) -> Option<i64> {
        millis.map(|millis| ((millis + self.later) * NANOS_PER_MILLI).round() as i64)
    }

    /// The stack of a record and its labels.
    fn stack(
        &mut self,
        table: &Table,
        row: usize,
        place: usize,
        builder: &mut Builder,
    ) -> Result<(Option<StackId>, Option<LabelSetId>), ReadError> {
        if row.is_multiple_of(ROWS_PER_CHECK) {
            self.ticket.check()?;
        }
        let Some(stack) = table.index(0, row) else {
            builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(place as u64));
            return Ok((None, None));
        };
        let (stack, category) = self.frames.sampled(stack, builder).map_err(|stacks| {
            let what = format!("names stack {stack}, but there are only {stacks}");
            ReadError::new(NAME, place as u64, format!("sample {row}"), what)
        })?;
        Ok((Some(stack), category.and_then(|category| self.label(category as usize, builder))))
    }

    /// The label of a category, made once for each thread.
    fn label(&mut self, category: usize, builder: &mut Builder) -> Option<LabelSetId> {
        let name = self.meta.categories.get(category)?;
        self.labels.resize(self.labels.len().max(category + 1), None);
        let known = self.labels.get_mut(category)?;
        if known.is_none() {
            let label = Label { key: builder.string("category"), value: LabelValue::Text(builder.string(name)) };
            *known = builder.rows.label_set(&[label]);
        }
        *known
    }
}
