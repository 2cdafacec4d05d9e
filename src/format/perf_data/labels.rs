//! Labels of samples: processor, control group with pod and container, namespaces, page sizes, fields of tracepoints, why a thread waited.
//!
//! Numbers of distinct values are bounded: a field that is different in nearly every sample (an address, a time) is left out with a note, for
//! each value would be kept once per sample and no view could group by it. Deliberately absent: the stacks. Start reading at [`label`].

use rustc_hash::{FxHashMap, FxHashSet};

use super::attr::{Attr, bit};
use super::cgroups;
use super::container::{Capture, Event};
use super::extra::{self, EXTRA_BITS, Extra};
use super::ids::NamespaceId;
use super::namespaces::{self, Namespaces};
use super::samples::Row;
use super::tracepoints::{Field, Tracepoint, Value, task_state};
use crate::base::cursor::Cursor;
use crate::base::ticket::Cancelled;
use crate::format::ReadCx;
use crate::model::{Builder, Label, LabelSetId, LabelValue, StringId, kind};

/// Most distinct values of one field of a tracepoint that become labels.
const MAX_VALUES: usize = 4096;
/// Most distinct sets of labels of one capture; later ones are left out.
const MAX_SETS: usize = 1 << 16;

/// Why a thread did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wait {
    /// It went to sleep.
    Slept,
    /// It could have run on.
    Preempted,
}

/// What one sample is labelled with, but for the fields of a tracepoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Plain {
    cpu: Option<u32>,
    cgroup: Option<u64>,
    data_page: Option<u64>,
    code_page: Option<u64>,
    wait: Option<Wait>,
    namespaces: Option<NamespaceId>,
}

/// What the numbers of records stand for.
pub(super) struct Names<'a> {
    /// Paths of control groups.
    pub(super) cgroups: &'a FxHashMap<u64, String>,
    pub(super) namespaces: &'a Namespaces,
}

/// The fields of one event's tracepoint that become labels, with the ids of their names.
type Kept<'a> = FxHashMap<usize, Vec<(&'a Field, StringId)>>;

/// The labels of every row, in their order; empty where no row has any.
pub(super) fn label(
    capture: &Capture<'_>,
    rows: &[Row],
    names: &Names<'_>,
    builder: &mut Builder,
    cx: &ReadCx<'_>,
) -> Result<Vec<Option<LabelSetId>>, Cancelled> {
    let is_labelled = |attr: &Attr| attr.sample_type & (EXTRA_BITS | bit::CPU) != 0;
    let used: FxHashSet<NamespaceId> = rows.iter().filter_map(|row| row.namespaces).collect();
    let kinds = names.namespaces.differing(&used);
    let is_bare = |row: &Row| row.wait.is_none() && kinds.is_empty();
    if !capture.events.iter().any(|event| is_labelled(&event.attr)) && rows.iter().all(is_bare) {
        return Ok(Vec::new());
    }
    let kept = kept_fields(capture, rows, builder, cx)?;
    let mut plain_sets = FxHashMap::<Plain, Vec<Label>>::default();
    // Most samples have no tracepoint: their set is found by what they have, without building it again.
    let mut known = FxHashMap::<Plain, Option<LabelSetId>>::default();
    let mut values = FxHashMap::<(usize, usize, &[u8]), Label>::default();
    let mut sets = Vec::with_capacity(rows.len());
    let mut labels = Vec::new();
    for (n, row) in rows.iter().enumerate() {
        if n % 4096 == 0 {
            cx.ticket.check()?;
        }
        capture.pass(rows, n, |row| row.at, cx);
        let sample = sample_of(capture, row);
        let Extra { raw, cgroup, data_page, code_page } = sample.map(|(event, body)| extra_of(body, event)).unwrap_or_default();
        let cpu = sample.and_then(|(event, body)| at(body, event.layout.cpu?)?.u32().ok());
        let plain = Plain { cpu, cgroup, data_page, code_page, wait: row.wait, namespaces: row.namespaces.filter(|_| !kinds.is_empty()) };
        let fields = kept.get(&row.layout.row()).zip(raw);
        if let (None, Some(set)) = (fields, known.get(&plain)) {
            sets.push(*set);
            continue;
        }
        if builder.rows.label_sets() >= MAX_SETS && !plain_sets.contains_key(&plain) {
            let text = "samples whose labels were left out: there are too many different ones";
            builder.notes.add(kind::SKIPPED, text, 1, Some(capture.file_offset(row.at)));
            sets.push(None);
            continue;
        }
        let common = plain_sets.entry(plain).or_insert_with(|| plain_labels(plain, names, &kinds, builder));
        labels.clone_from(common);
        if let Some((fields, raw)) = fields.filter(|_| builder.rows.label_sets() < MAX_SETS) {
            for (place, (field, key)) in fields.iter().enumerate() {
                let Some(bytes) = field.bytes(raw, capture.endian) else { continue };
                let label = values.entry((row.layout.row(), place, bytes)).or_insert_with(|| {
                    let value = match field.value_of(bytes, capture.endian) {
                        Value::Number(state) if field.name == "prev_state" => LabelValue::Text(builder.string(&task_state(state))),
                        Value::Number(number) => LabelValue::Number(number, None),
                        Value::Text(text) => LabelValue::Text(builder.string(&text)),
                    };
                    Label { key: *key, value }
                });
                labels.push(*label);
            }
        } else if fields.is_some() {
            let text = "samples whose tracepoint fields were left out: there are too many different ones";
            builder.notes.add(kind::SKIPPED, text, 1, Some(capture.file_offset(row.at)));
        }
        let set = builder.rows.label_set(&labels);
        if fields.is_none() {
            known.insert(plain, set);
        }
        sets.push(set);
    }
    Ok(sets)
}

/// The record of a row, where it is a sample.
fn sample_of<'a>(capture: &'a Capture<'_>, row: &Row) -> Option<(&'a Event, Cursor<'a>)> {
    let record = capture.record(row.at)?;
    (record.kind == super::records::SAMPLE).then_some((capture.events.get(row.layout)?, record.body))
}

fn extra_of<'a>(body: Cursor<'a>, event: &Event) -> Extra<'a> {
    if event.attr.sample_type & EXTRA_BITS == 0 {
        return Extra::default();
    }
    // The stack's decoder notes what is damaged.
    extra::extra(body, event).unwrap_or_default()
}

fn at(body: Cursor<'_>, place: usize) -> Option<Cursor<'_>> {
    let mut cursor = body;
    cursor.skip(place).ok().map(|()| cursor)
}

/// `kinds` are those of the namespaces that become labels.
fn plain_labels(plain: Plain, names: &Names<'_>, kinds: &[usize], builder: &mut Builder) -> Vec<Label> {
    let mut labels = Vec::new();
    let mut text = |builder: &mut Builder, key: &str, value: &str| {
        labels.push(Label { key: builder.string(key), value: LabelValue::Text(builder.string(value)) });
    };
    if let Some(id) = plain.cgroup {
        match names.cgroups.get(&id) {
            Some(path) => {
                text(builder, "cgroup", path);
                if let Some(pod) = cgroups::pod(path) {
                    text(builder, "pod", &pod);
                }
                if let Some(container) = cgroups::container(path) {
                    text(builder, "container", container);
                }
            }
            None => text(builder, "cgroup", &format!("number {id}")),
        }
    }
    let set = plain.namespaces.and_then(|id| names.namespaces.get(id));
    for (name, number) in kinds.iter().filter_map(|&kind| namespaces::KINDS.get(kind).zip(set?.get(kind))) {
        text(builder, &format!("{name} namespace"), &number.to_string());
    }
    match plain.wait {
        Some(Wait::Slept) => text(builder, "waited", "slept"),
        Some(Wait::Preempted) => text(builder, "waited", "preempted"),
        None => {}
    }
    let mut number = |key: &str, value: i64, unit: Option<&str>| {
        let key = builder.string(key);
        let unit = unit.map(|unit| builder.string(unit));
        labels.push(Label { key, value: LabelValue::Number(value, unit) });
    };
    if let Some(cpu) = plain.cpu {
        number("cpu", i64::from(cpu), None);
    }
    for (key, size) in [("data page", plain.data_page), ("code page", plain.code_page)] {
        // 0 = the kernel could not tell.
        if let Some(size) = size.and_then(|size| i64::try_from(size).ok()).filter(|&size| size > 0) {
            number(key, size, Some("bytes"));
        }
    }
    labels
}

/// The tracepoint of an event.
pub(super) fn tracepoint<'a>(capture: &'a Capture<'_>, attr: &Attr) -> Option<&'a Tracepoint> {
    const TRACEPOINT: u32 = 2;
    capture.features.tracepoints.get(&attr.config).filter(|_| attr.kind == TRACEPOINT && attr.has(bit::RAW))
}

/// Looks at all samples of tracepoints once and keeps the fields with few enough different values.
fn kept_fields<'a>(capture: &'a Capture<'_>, rows: &[Row], builder: &mut Builder, cx: &ReadCx<'_>) -> Result<Kept<'a>, Cancelled> {
    let mut seen = FxHashMap::<usize, Vec<FxHashSet<&[u8]>>>::default();
    let mut wanted = FxHashMap::<usize, &Tracepoint>::default();
    for (id, event) in capture.events.iter_ids() {
        if let Some(tracepoint) = tracepoint(capture, &event.attr) {
            wanted.insert(id.row(), tracepoint);
            seen.insert(id.row(), vec![FxHashSet::default(); tracepoint.fields.len()]);
        } else if event.attr.kind == 2 && event.attr.has(bit::RAW) && rows.iter().any(|row| row.layout == id) {
            builder.notes.add(kind::SKIPPED, "tracepoints without a format in the capture: their fields cannot be read", 1, None);
        }
    }
    if wanted.is_empty() {
        return Ok(Kept::default());
    }
    for (n, row) in rows.iter().enumerate() {
        if n % 4096 == 0 {
            cx.ticket.check()?;
        }
        capture.pass(rows, n, |row| row.at, cx);
        let (Some(tracepoint), Some(seen)) = (wanted.get(&row.layout.row()), seen.get_mut(&row.layout.row())) else { continue };
        let Some(raw) = sample_of(capture, row).and_then(|(event, body)| extra_of(body, event).raw) else { continue };
        for (field, values) in tracepoint.fields.iter().zip(seen) {
            if let Some(bytes) = field.bytes(raw, capture.endian).filter(|_| values.len() <= MAX_VALUES) {
                values.insert(bytes);
            }
        }
    }
    let mut kept = Kept::default();
    for (id, _) in capture.events.iter_ids() {
        let (Some(tracepoint), Some(seen)) = (wanted.get(&id.row()), seen.get(&id.row())) else { continue };
        let mut fields = Vec::new();
        for (field, values) in tracepoint.fields.iter().zip(seen) {
            if values.len() > MAX_VALUES {
                let text = format!(
                    "the field {} of {} has more than {MAX_VALUES} different values: not kept as a label",
                    field.name, tracepoint.name
                );
                builder.notes.add(kind::SKIPPED, &text, 1, None);
            } else {
                fields.push((field, builder.string(&field.name)));
            }
        }
        kept.insert(id.row(), fields);
    }
    Ok(kept)
}
