//! Samples of the whole system that stand beside the events: the list `samples`, and the dictionary `stackFrames` with their stacks.
//!
//! Each name of samples (`cycles:HG`) is a sample type of its own. Deliberately absent: stacks of single events (`sf` and `stack` of slices). Start
//! reading at [`Sampled::add`].
//!
//! Rules follow "StackFrames Dictionary" and "Global Samples" of the "Trace Event Format" document.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Watch};
use crate::format::ReadError;
use crate::format::json::{Json, Kind};
use crate::model::{Builder, Frame, FrameId, Label, LabelValue, Mapping, Sample, StackId, ThreadId, kind};

/// Most names of samples: each is a column of all rows.
const MAX_TYPES: usize = 64;

/// Where the two stand in the file. The dictionary may stand behind its users.
#[derive(Default)]
pub(super) struct Sampled {
    pub(super) frames_at: Option<usize>,
    pub(super) samples_at: Option<usize>,
}

/// One frame of the dictionary.
struct Row {
    frame: FrameId,
    /// Id of its caller.
    parent: Option<String>,
}

/// One sample as it stands in the file.
struct Found {
    column: usize,
    stack: Option<StackId>,
    tid: Option<i64>,
    cpu: Option<i64>,
    /// Nanoseconds.
    time: i64,
    weight: i64,
}

/// The stack of each frame, by id.
type Stacks = Unfinished<HashMap<String, Option<StackId>>>;

impl Sampled {
    /// True where there is a list of samples that is not empty.
    pub(super) fn has_samples(&self, json: &mut Json<'_>) -> Result<bool, ReadError> {
        let Some(at) = self.samples_at else { return Ok(false) };
        let after = json.offset();
        json.go_to(at);
        json.list()?;
        let has = json.item()?;
        json.go_to(after);
        Ok(has)
    }

    /// Adds the samples; `thread` gives the thread of a number. Gives how many were left out.
    pub(super) fn add(
        &self,
        json: &mut Json<'_>,
        builder: &mut Builder,
        thread: impl Fn(i64, &mut Builder) -> ThreadId,
    ) -> Result<u64, ReadError> {
        let Some(at) = self.samples_at else { return Ok(0) };
        let stacks = self.stacks(json, builder)?;
        let (mut found, mut skipped) = (Unfinished::<Vec<Found>>::default(), 0);
        json.go_to(at);
        json.list()?;
        while json.item()? {
            json.kind()?;
            let offset = json.offset() as u64;
            match read_sample(json, builder, &stacks, offset)? {
                Some(sample) => found.push(sample),
                None => skipped += 1,
            }
        }
        let watch = Watch::new();
        found.sort_by_key(|sample| {
            watch.step();
            sample.time
        });
        if let (Some(first), Some(last)) = (found.first(), found.last()) {
            builder.covers(first.time, last.time);
        }
        let key = builder.string("cpu");
        let mut threads = FxHashMap::default();
        for sample in found.iter().checked() {
            let label = sample.cpu.map(|cpu| Label { key, value: LabelValue::Number(cpu, None) });
            let labels = builder.rows.label_set(label.as_slice());
            let thread = sample.tid.map(|tid| *threads.entry(tid).or_insert_with(|| thread(tid, builder)));
            let row = Sample { stack: sample.stack, thread, labels, time: Some(sample.time) };
            builder.rows.event(row, sample.column, sample.weight);
        }
        Ok(skipped)
    }

    /// The dictionary: `id: {"category": module, "name": function, "parent": id}`.
    fn stacks(&self, json: &mut Json<'_>, builder: &mut Builder) -> Result<Stacks, ReadError> {
        let (mut rows, mut by_id) = (Unfinished::<Vec<Row>>::default(), HashMap::<String, usize>::new());
        if let Some(at) = self.frames_at {
            json.go_to(at);
            json.object()?;
            while let Some(id) = json.key()? {
                by_id.insert(id.into_owned(), rows.len());
                rows.push(read_frame(json, builder)?);
            }
        }
        let mut stacks: Vec<Option<StackId>> = vec![None; rows.len()];
        // What is not looked at yet, and which frames wait for their callers.
        let (mut is_new, mut path) = (vec![true; rows.len()], Vec::new());
        for row in (0..rows.len()).checked() {
            let mut at = Some(row);
            while let Some(row) = at.filter(|&row| is_new.get(row) == Some(&true)) {
                is_new.get_mut(row).into_iter().for_each(|is_new| *is_new = false);
                path.push(row);
                let parent = rows.get(row).and_then(|row| row.parent.as_ref());
                at = parent.and_then(|id| by_id.get(id).copied());
                if parent.is_some() && at.is_none() {
                    builder.notes.add(kind::SKIPPED, "callers that do not exist", 1, self.frames_at.map(|at| at as u64));
                }
            }
            if at.is_some_and(|at| path.contains(&at)) {
                let cause = "chains of callers that run in a circle were cut";
                builder.notes.add(kind::REPAIRED, cause, 1, self.frames_at.map(|at| at as u64));
                at = None;
            }
            let mut stack = at.and_then(|row| stacks.get(row).copied().flatten());
            while let Some(row) = path.pop() {
                if let Some(found) = rows.get(row) {
                    stack = Some(builder.stack(stack, found.frame));
                }
                stacks.get_mut(row).into_iter().for_each(|place| *place = stack);
            }
        }
        Ok(Unfinished::new(by_id.into_iter().map(|(id, row)| (id, stacks.get(row).copied().flatten())).collect()))
    }
}

/// An id, which is a number or a text.
fn id(json: &mut Json<'_>) -> Result<Option<String>, ReadError> {
    Ok(match json.kind()? {
        Kind::Number => Some(json.number()?.integer().to_string()),
        _ => json.maybe_text()?.map(std::borrow::Cow::into_owned),
    })
}

/// A number, or `None` for a value of any other kind.
fn integer(json: &mut Json<'_>) -> Result<Option<i64>, ReadError> {
    if json.kind()? == Kind::Number {
        return Ok(Some(json.number()?.integer()));
    }
    json.skip()?;
    Ok(None)
}

fn read_frame(json: &mut Json<'_>, builder: &mut Builder) -> Result<Row, ReadError> {
    let (mut name, mut module, mut parent) = (None, None, None);
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "name" => name = json.maybe_text()?,
            // The library, as the document's example has it.
            "category" => module = json.maybe_text()?.filter(|module| !module.is_empty()),
            "parent" => parent = id(json)?,
            _ => drop(json.skip()?),
        }
    }
    let function = Some(builder.function_named(name.as_deref().unwrap_or("[unknown]")));
    let mapping = module.map(|module| {
        let file = Some(builder.string(&module));
        builder.mapping(Mapping { file, ..Mapping::default() })
    });
    Ok(Row { frame: builder.frame(Frame { function, mapping, ..Frame::default() }), parent })
}

/// One sample; `None` where it was left out, which is noted.
fn read_sample(json: &mut Json<'_>, builder: &mut Builder, stacks: &Stacks, offset: u64) -> Result<Option<Found>, ReadError> {
    let (mut name, mut frame, mut time) = (None, None, None);
    let mut found = Found { column: 0, stack: None, tid: None, cpu: None, time: 0, weight: 1 };
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "name" => name = json.maybe_text()?,
            "sf" => frame = id(json)?,
            "ts" => time = super::micros(json)?,
            "tid" => found.tid = integer(json)?,
            "cpu" => found.cpu = integer(json)?,
            "weight" => found.weight = integer(json)?.unwrap_or(1),
            _ => drop(json.skip()?),
        }
    }
    let name = name.filter(|name| !name.is_empty()).unwrap_or(std::borrow::Cow::Borrowed("samples"));
    let known = builder.sample_types.iter().position(|kind| kind.name == name);
    if known.is_none() && builder.sample_types.len() >= MAX_TYPES {
        builder.notes.add(kind::SKIPPED, &format!("samples of other names than the first {MAX_TYPES}"), 1, Some(offset));
        return Ok(None);
    }
    let Some(time) = time else {
        builder.notes.add(kind::SKIPPED, "samples without a time", 1, Some(offset));
        return Ok(None);
    };
    found.time = time;
    found.column = known.unwrap_or_else(|| builder.add_sample_type(&name, "count"));
    found.stack = frame.and_then(|id| stacks.get(&id).copied().flatten());
    if found.stack.is_none() {
        builder.notes.add(kind::NO_STACK, "samples without a stack in the dictionary", 1, Some(offset));
    }
    Ok(Some(found))
}
