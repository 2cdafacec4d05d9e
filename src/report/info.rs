//! What one capture holds: the data behind `emberlens info`.
//!
//! Deliberately absent: functions and stacks (see [`top`](super::top)). Start reading at [`Info::new`].

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::SCHEMA;
use super::number::Number;
use super::page::Page;
use super::remarks::{Remarks, is_remark};
use super::table::{Align, Table, printable, push, push_line};
use crate::analysis::filter;
use crate::base::inflate::Container;
use crate::model::{Note, Profile, Unnamed, counted, grouped, human, human_duration, kind, note_words};

/// How many values of one label, and how many threads, the text form lists.
const LISTED: usize = 8;

/// How many values of one label the JSON form lists: request ids would fill pages.
const LISTED_VALUES: usize = 100;

/// Everything that `info --json` prints; the field names are its keys (see `src/report/README.md`).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Info {
    schema: u32,
    file: String,
    format: String,
    container: &'static str,
    samples: usize,
    stacks: usize,
    functions: usize,
    frames_without_name: usize,
    threads: usize,
    duration_ns: Option<i64>,
    start_unix_ns: Option<i64>,
    default_sample_type: Option<String>,
    sample_types: Vec<SampleTypeInfo>,
    period: Option<Period>,
    labels: Vec<LabelInfo>,
    thread_list: Vec<ThreadInfo>,
    tally: TallyInfo,
    notes: Vec<NoteInfo>,
    unnamed_modules: Vec<UnnamedInfo>,
    facts: Facts,
    comments: Vec<String>,
    doc_url: Option<String>,
    /// The same where it may be shown as a page.
    #[serde(skip)]
    page: Option<String>,
    /// Row of the default among `sample_types`: names may be there twice.
    #[serde(skip)]
    default_row: usize,
    /// The file ends too soon or is damaged, so nobody knows how many records it had.
    #[serde(skip)]
    is_cut: bool,
}

/// One value column.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct SampleTypeInfo {
    #[serde(rename = "type")]
    name: String,
    unit: String,
    total: Number,
    /// Sum of absolute values: differs from `total` where values are negative.
    gross: Number,
    samples: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Period {
    #[serde(rename = "type")]
    name: String,
    unit: String,
    value: i64,
}

/// One key of labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct LabelInfo {
    key: String,
    /// Samples with this key.
    samples: u64,
    /// Different values.
    distinct: usize,
    /// The most frequent values.
    values: Vec<LabelValueInfo>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct LabelValueInfo {
    value: String,
    samples: u64,
}

/// One thread under one name.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ThreadInfo {
    name: String,
    pid: Option<i32>,
    tid: Option<i32>,
    samples: u64,
}

/// What became of the sample records of the file: `samples` = `used` + `skipped`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TallyInfo {
    samples: u64,
    used: u64,
    skipped: u64,
    made: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct NoteInfo {
    kind: &'static str,
    count: u64,
    first_offset: Option<u64>,
    text: String,
}

/// All notes of a capture.
pub(super) fn notes(profile: &Profile) -> Vec<NoteInfo> {
    profile.notes.iter().map(NoteInfo::new).collect()
}

/// What is missing in a capture, a line each; of one without any sample all that was noted about it, and how many records were left out.
pub fn losses(profile: &Profile) -> Vec<String> {
    let is_empty = profile.samples.is_empty();
    let tally = profile.info.tally;
    let records = counted(tally.samples, "sample record", "sample records");
    let left_out = is_empty.then(|| format!("no sample: of {records} in the file {} skipped", counted(tally.skipped, "was", "were")));
    let notes = profile.notes.iter().filter(|note| is_empty || note.is_loss());
    left_out.into_iter().chain(notes.map(|note| printable(&NoteInfo::new(note).words()))).collect()
}

impl NoteInfo {
    fn new(note: &Note) -> Self {
        Self { kind: note.kind, count: note.count, first_offset: note.first_offset, text: note.text.clone() }
    }

    fn words(&self) -> String {
        let at = self.first_offset.map_or_else(String::new, |offset| format!(", first at byte {offset:#x}"));
        format!("{} [{}{at}]", note_words(self.count, &self.text), self.kind)
    }
}

/// A module with addresses that have no name.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct UnnamedInfo {
    module: String,
    build_id: Option<String>,
    samples: u64,
    addresses: u64,
    why: String,
    fix: String,
}

impl UnnamedInfo {
    fn new(unnamed: &Unnamed) -> Self {
        let Unnamed { module, build_id, addresses, samples, why, fix } = unnamed.clone();
        Self { module, build_id, samples, addresses, why, fix }
    }
}

/// Facts in the order of the file, as one JSON object. A key that stands there twice has its texts on lines.
#[derive(Clone, Debug, PartialEq)]
struct Facts(Vec<(String, String)>);

impl Facts {
    fn new(facts: &[(String, String)]) -> Self {
        let mut made: Vec<(String, String)> = Vec::with_capacity(facts.len());
        for (key, text) in facts {
            match made.iter_mut().find(|(known, _)| known == key) {
                Some((_, lines)) => lines.extend(["\n", text.as_str()]),
                None => made.push((key.clone(), text.clone())),
            }
        }
        Self(made)
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, text)| (key, text)))
    }
}

impl Info {
    /// Describes a capture that was read from `file` (the path as the user gave it).
    pub fn new(file: &str, profile: &Profile) -> Self {
        let samples = &profile.samples;
        let mut is_used = vec![false; profile.stacks.len()];
        for stack in samples.stacks().iter().flatten() {
            if let Some(is_used) = is_used.get_mut(stack.row()) {
                *is_used = true;
            }
        }
        let column = |(at, kind): (usize, &crate::model::SampleType)| SampleTypeInfo {
            name: kind.name.clone(),
            unit: kind.unit.clone(),
            total: Number::new(profile.total(at), kind.decimals),
            gross: Number::new(i64::try_from(profile.gross_total(at)).unwrap_or(i64::MAX), kind.decimals),
            samples: kind.records,
        };
        let info = &profile.info;
        Self {
            schema: SCHEMA,
            file: file.to_owned(),
            format: info.format.clone(),
            container: info.container.name(),
            samples: samples.len(),
            stacks: is_used.iter().filter(|&&is_used| is_used).count(),
            functions: profile.functions.len(),
            frames_without_name: profile.frames.iter().filter(|frame| frame.function.is_none()).count(),
            threads: profile.threads.len(),
            duration_ns: info.duration_nanos,
            start_unix_ns: info.start_unix_nanos,
            default_sample_type: profile.sample_types.get(profile.default_sample_type).map(|kind| kind.name.clone()),
            sample_types: profile.sample_types.iter().enumerate().map(column).collect(),
            period: info.period.clone().map(|(name, unit, value)| Period { name, unit, value }),
            labels: labels(profile),
            thread_list: threads(profile),
            tally: TallyInfo { samples: info.tally.samples, used: info.tally.used, skipped: info.tally.skipped, made: info.tally.made },
            notes: notes(profile),
            unnamed_modules: info.unnamed.iter().map(UnnamedInfo::new).collect(),
            facts: Facts::new(&info.facts),
            comments: info.comments.clone(),
            doc_url: info.doc_url.clone(),
            page: info.page().map(str::to_owned),
            default_row: profile.default_sample_type,
            is_cut: [kind::TRUNCATED, kind::CONTAINER_DAMAGED].iter().any(|kind| profile.notes.count(kind) > 0),
        }
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", printable(&self.file));
        for (key, value) in self.lines() {
            push_line(&mut text, format_args!("  {key:<13} {}", printable(&value)));
        }
        text.push('\n');
        text.push_str(&self.sample_types_table().text());
        for label in &self.labels {
            let shown: Vec<String> =
                label.values.iter().take(LISTED).map(|value| format!("{} ({})", printable(&value.value), value.samples)).collect();
            let more = label.distinct.saturating_sub(shown.len());
            let more = if more > 0 { format!(", {more} more") } else { String::new() };
            push_line(
                &mut text,
                format_args!(
                    "\nlabel {} on {}: {}{more}",
                    printable(&label.key),
                    counted(label.samples, "sample", "samples"),
                    shown.join(", ")
                ),
            );
        }
        if !self.thread_list.is_empty() {
            let mut table = Table::new([("samples", Align::Right), ("pid", Align::Right), ("tid", Align::Right), ("thread", Align::Left)]);
            let id = |id: Option<i32>| id.map_or_else(String::new, |id| id.to_string());
            for thread in self.thread_list.iter().take(LISTED) {
                table.row([thread.samples.to_string(), id(thread.pid), id(thread.tid), thread.name.clone()]);
            }
            push(&mut text, format_args!("\n{}", table.text()));
            if self.thread_list.len() > LISTED {
                push_line(
                    &mut text,
                    format_args!("{}, see --json", counted((self.thread_list.len() - LISTED) as u64, "more thread", "more threads")),
                );
            }
        }
        push(&mut text, format_args!("{}", self.unnamed_text()));
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            push_line(&mut text, format_args!("note: {}", printable(&note.words())));
        }
        text
    }

    /// What the capture is: keys and values, in order.
    fn lines(&self) -> Vec<(String, String)> {
        let mut lines: Vec<(String, String)> = Vec::new();
        let mut line = |key: &str, value: &str| lines.push((key.to_owned(), value.to_owned()));
        let container = if self.container == Container::None.name() { String::new() } else { format!(", {}", self.container) };
        line("format", &format!("{}{container}", self.format));
        let count = |count: usize, one: &str, many: &str| counted(count as u64, one, many);
        let threads = if self.threads == 0 { String::new() } else { format!(", {}", count(self.threads, "thread", "threads")) };
        let (stacks, functions) = (count(self.stacks, "stack", "stacks"), count(self.functions, "function", "functions"));
        let nameless = match self.frames_without_name {
            0 => String::new(),
            frames => format!(", {}", count(frames, "frame without a name", "frames without a name")),
        };
        line("holds", &format!("{}, {stacks}, {functions}{nameless}{threads}", count(self.samples, "sample", "samples")));
        let TallyInfo { samples, used, skipped, made } = self.tally;
        let rows = (self.samples as u64).saturating_sub(made);
        let rows = if used == rows { String::new() } else { format!(" (as {})", counted(rows, "row", "rows")) };
        let made = if made == 0 { String::new() } else { format!("; {} made of other records", grouped(made)) };
        line(
            "import",
            &format!(
                "{} in {} = {} used{rows} + {} skipped{made}",
                counted(samples, "sample record", "sample records"),
                if self.is_cut { "what could be read of the file" } else { "the file" },
                grouped(used),
                grouped(skipped)
            ),
        );
        if let Some(start) = self.start_unix_ns.and_then(|nanos| jiff::Timestamp::from_nanosecond(i128::from(nanos)).ok()) {
            line("start", &format!("{start:.0}"));
        }
        if let Some(nanos) = self.duration_ns {
            line("duration", &human_duration(nanos));
        }
        if let Some(period) = &self.period {
            line("period", &format!("{} of {}", human(period.value as f64, &period.unit), period.name));
        }
        for (key, fact) in &self.facts.0 {
            line(key, &fact.replace('\n', "; "));
        }
        for comment in self.comments.iter().filter(|comment| !is_remark(comment)) {
            line("comment", comment);
        }
        let remarks = Remarks::of_comments(&self.comments);
        let whole = Some(remarks.on(None)).filter(|text| !text.is_empty()).map(str::to_owned);
        for remark in whole.into_iter().chain(remarks.functions().map(|(name, text)| format!("{name}: {text}"))) {
            line("remark", &remark.replace('\n', " "));
        }
        if let Some(url) = &self.page {
            line("page", url);
        }
        lines
    }

    /// The parts of a page about a capture: what it is, its sample types, and what was not used.
    pub(super) fn put(&self, page: &mut Page) {
        let mut table = Table::new([("", Align::Left), ("", Align::Left)]);
        for (key, value) in self.lines() {
            table.row([key, value]);
        }
        page.table(&table);
        page.table(&self.sample_types_table());
        for row in self.unnamed_modules.iter().take(LISTED) {
            page.paragraph(&format!(
                "Without names: {}, in {}: {}. {}",
                row.module,
                counted(row.samples, "sample", "samples"),
                row.why,
                row.fix
            ));
        }
        let notes: Vec<String> = self.notes.iter().map(NoteInfo::words).collect();
        page.list(notes.iter().map(String::as_str));
    }

    /// Modules without symbols and what would help, empty where there are none.
    fn unnamed_text(&self) -> String {
        if self.unnamed_modules.is_empty() {
            return String::new();
        }
        let mut table = Table::new([
            ("samples", Align::Right),
            ("addresses", Align::Right),
            ("without names", Align::Left),
            ("build id", Align::Left),
            ("why", Align::Left),
        ]);
        for row in self.unnamed_modules.iter().take(LISTED) {
            let build_id = row.build_id.clone().unwrap_or_default();
            table.row([row.samples.to_string(), row.addresses.to_string(), row.module.clone(), build_id, row.why.clone()]);
        }
        let mut text = format!("\n{}", table.text());
        if self.unnamed_modules.len() > LISTED {
            push_line(
                &mut text,
                format_args!("{}, see --json", counted((self.unnamed_modules.len() - LISTED) as u64, "more module", "more modules")),
            );
        }
        // The same advice for several modules stands once.
        let mut said: Vec<&str> = Vec::new();
        for row in self.unnamed_modules.iter().take(LISTED) {
            if !said.contains(&row.fix.as_str()) {
                push_line(&mut text, format_args!("{}: {}", printable(&row.module), printable(&row.fix)));
                said.push(&row.fix);
            }
        }
        text
    }

    fn sample_types_table(&self) -> Table {
        let mut table = Table::new([
            ("sample type", Align::Left),
            ("unit", Align::Left),
            ("total", Align::Right),
            ("", Align::Right),
            ("samples", Align::Right),
            ("", Align::Left),
        ]);
        for (row, kind) in self.sample_types.iter().enumerate() {
            let is_default = row == self.default_row;
            table.row([
                kind.name.clone(),
                kind.unit.clone(),
                kind.total.to_string(),
                human(kind.total.as_f64(), &kind.unit),
                kind.samples.to_string(),
                if is_default { "default".to_owned() } else { String::new() },
            ]);
        }
        table
    }
}

/// Label keys in name order, each with its most frequent values.
fn labels(profile: &Profile) -> Vec<LabelInfo> {
    let mut uses = vec![0_u64; profile.label_sets.len()];
    for set in profile.samples.labels().iter().flatten() {
        if let Some(count) = uses.get_mut(set.row()) {
            *count += 1;
        }
    }
    let mut keys: BTreeMap<String, (u64, BTreeMap<String, u64>)> = BTreeMap::new();
    for (set, &count) in profile.label_sets.iter().zip(&uses) {
        let mut last_key = None;
        for (key, value) in filter::texts(profile, set) {
            let (samples, values) = keys.entry(key.clone()).or_default();
            // Equal keys stand together in a set: a sample with two values of one key is one sample with the key.
            if last_key.as_ref() != Some(&key) {
                *samples += count;
            }
            *values.entry(value).or_default() += count;
            last_key = Some(key);
        }
    }
    keys.into_iter()
        .map(|(key, (samples, values))| {
            let distinct = values.len();
            let mut values: Vec<LabelValueInfo> = values.into_iter().map(|(value, samples)| LabelValueInfo { value, samples }).collect();
            values.sort_by_key(|value| std::cmp::Reverse(value.samples));
            values.truncate(LISTED_VALUES);
            LabelInfo { key, samples, distinct, values }
        })
        .collect()
}

/// Threads, the busiest first.
fn threads(profile: &Profile) -> Vec<ThreadInfo> {
    let mut samples = vec![0_u64; profile.threads.len()];
    for thread in profile.samples.threads().iter().flatten() {
        if let Some(count) = samples.get_mut(thread.row()) {
            *count += 1;
        }
    }
    let rows = profile.threads.as_slice().iter().zip(samples);
    let mut list: Vec<ThreadInfo> = rows
        .map(|(thread, samples)| ThreadInfo {
            name: profile.strings.get(thread.name).to_owned(),
            pid: thread.pid,
            tid: thread.tid,
            samples,
        })
        .collect();
    list.sort_by_key(|thread| std::cmp::Reverse(thread.samples));
    list
}
