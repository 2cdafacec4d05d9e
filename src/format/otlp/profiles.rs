//! Resources, profiles and samples.

use super::super::pprof::wire::{Value, Wire};
use super::dictionary::Dictionary;
use super::{NAME, broken};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Builder, Label, LabelSetId, LabelValue, Profile, Sample, StackId, Tally, Thread, ThreadId, kind};

/// Where the fields of a sample stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layout {
    /// Releases 1.5 and 1.6: a range of the profile's locations.
    Ranges,
    /// Releases 1.7 and 1.8: a stack, then values, attributes, link.
    Values2,
    /// Since 1.9: a stack, then attributes, link, values.
    Values4,
}

/// A profile that waits for the dictionary.
struct Part<'a> {
    resource: usize,
    /// What describes the tool that made it.
    scope: Option<Wire<'a>>,
    body: Wire<'a>,
}

/// What describes some profiles or where they come from: (key, text).
type Described = Vec<(String, String)>;

/// One export: profiles with their dictionary.
pub(super) struct Export {
    pub(super) builder: Builder,
    /// End of its last profile, nanoseconds since 1970.
    end: Option<i64>,
}

impl Export {
    /// Adds what another export says, which stands behind this one.
    pub(super) fn absorb(&mut self, later: Self) {
        let info = &mut self.builder.info;
        let theirs = &later.builder.info;
        info.tally = Tally::new(info.tally.used + theirs.tally.used, info.tally.skipped + theirs.tally.skipped);
        info.start_unix_nanos = [info.start_unix_nanos, theirs.start_unix_nanos].into_iter().flatten().min();
        if info.period.is_none() {
            info.period.clone_from(&theirs.period);
        }
        self.end = self.end.max(later.end);
        self.builder.absorb(later.builder);
    }

    pub(super) fn finish(mut self) -> Profile {
        let info = &mut self.builder.info;
        info.duration_nanos = self.end.zip(info.start_unix_nanos).map(|(end, start)| end.saturating_sub(start)).filter(|&nanos| nanos > 0);
        self.builder.finish()
    }
}

/// Reads one export. `is_one_of_several` says that the file holds others, whose resources may be others.
pub(super) fn read(bytes: &[u8], is_one_of_several: bool, ticket: &Ticket) -> Result<Export, ReadError> {
    let fail = broken("the file");
    let mut builder = Builder::default();
    NAME.clone_into(&mut builder.info.format);
    let (mut parts, mut attributes, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
    let mut fields = Wire::new(bytes, 0);
    while let Some(found) = fields.field().map_err(&fail)? {
        match (found.number, found.value) {
            (1, Value::Bytes(body)) => read_resource(body, &mut attributes, &mut parts)?,
            (2, Value::Bytes(body)) => pieces.push(body),
            _ => {}
        }
    }
    if pieces.is_empty() && !parts.is_empty() {
        let what = "there is none; files from before release 1.5 of opentelemetry-proto are not read";
        return Err(ReadError::new(NAME, 0, "the dictionary", what));
    }
    let dictionary = Dictionary::read(&pieces, &mut builder, ticket)?;
    let resources = attributes.iter().map(|pairs| resource(pairs, &dictionary, &builder)).collect::<Result<Vec<Described>, ReadError>>()?;
    let layout = layout(&parts)?;
    // With one resource its attributes are facts of the capture, else they tell samples apart.
    let tell_apart = is_one_of_several || resources.len() > 1;
    let facts: &[_] = if tell_apart { &[] } else { resources.first().map_or(&[], Vec::as_slice) };
    builder.info.facts.extend(facts.iter().map(|(key, text)| (key.to_lowercase(), text.clone())));
    let mut own = parts.iter().map(|part| told(part, layout, &dictionary, &mut builder)).collect::<Result<Vec<Described>, ReadError>>()?;
    let is_common = !is_one_of_several && own.iter().all(|pairs| own.first() == Some(pairs));
    if is_common {
        let facts = own.first_mut().map(std::mem::take).unwrap_or_default();
        builder.info.facts.extend(facts.into_iter().map(|(key, text)| (key.to_lowercase(), text)));
        own.clear();
    }
    let mut reader = Reader { dictionary: &dictionary, builder: &mut builder, layout, end: None, samples: 0, skipped: 0 };
    for (row, part) in parts.iter().enumerate() {
        ticket.advance(part.body.bytes().len() as u64)?;
        let resource = resources.get(part.resource).filter(|_| tell_apart);
        let labels: Described = resource.into_iter().chain(own.get(row)).flatten().cloned().collect();
        reader.profile(part.body, &labels, ticket)?;
    }
    let (samples, skipped, end) = (reader.samples, reader.skipped, reader.end);
    choose_default(&parts, &dictionary, &mut builder)?;
    builder.info.tally = Tally::new(samples - skipped, skipped);
    Ok(Export { builder, end })
}

/// The pairs that describe a resource, as they stand: the list of strings may come later.
type Pairs<'a> = Vec<Wire<'a>>;

fn read_resource<'a>(body: Wire<'a>, resources: &mut Vec<Pairs<'a>>, parts: &mut Vec<Part<'a>>) -> Result<(), ReadError> {
    let fail = broken("the profiles of a resource");
    let mut pairs = Pairs::new();
    let number = resources.len();
    let mut fields = body;
    while let Some(found) = fields.field().map_err(&fail)? {
        match (found.number, found.value) {
            (1, Value::Bytes(body)) => {
                let mut attributes = body;
                while let Some(found) = attributes.field().map_err(&fail)? {
                    if let (1, Value::Bytes(pair)) = (found.number, found.value) {
                        pairs.push(pair);
                    }
                }
            }
            (2, Value::Bytes(body)) => {
                let (mut scope, first) = (None, parts.len());
                let mut fields = body;
                while let Some(found) = fields.field().map_err(&fail)? {
                    match (found.number, found.value) {
                        (1, Value::Bytes(body)) => scope = Some(body),
                        (2, Value::Bytes(body)) => parts.push(Part { resource: number, scope: None, body }),
                        _ => {}
                    }
                }
                parts.iter_mut().skip(first).for_each(|part| part.scope = scope);
            }
            _ => {}
        }
    }
    resources.push(pairs);
    Ok(())
}

fn resource(pairs: &[Wire<'_>], dictionary: &Dictionary, builder: &Builder) -> Result<Described, ReadError> {
    let mut resource = Described::new();
    for &pair in pairs {
        let pair = dictionary.key_value(pair, builder).map_err(broken("an attribute of a resource"))?;
        resource.extend(pair.map(|(key, value)| (key, value.into_text())));
    }
    Ok(resource)
}

/// Attributes of pprof files that are no facts but have places of their own in a capture: `pprof.profile.drop_frames` by the conventions, without
/// the prefix in the first files.
const PPROF: &str = "pprof.profile.";

/// Longest list of a profile's own attributes, in bytes.
const MAX_ROWS_BYTES: usize = 1 << 16;

/// What a profile says of itself: its attributes, and the tool and its release (`scope`). What pprof files have takes its place in the capture, and
/// is no part of the answer.
fn told(part: &Part<'_>, layout: Layout, dictionary: &Dictionary, builder: &mut Builder) -> Result<Described, ReadError> {
    let fail = broken("a profile");
    let (attributes_at, comments_at) = if layout == Layout::Ranges { (14, Some(8)) } else { (11, None) };
    let (mut rows, mut comments) = (Vec::new(), Vec::new());
    let mut fields = part.body;
    while let Some(found) = fields.field().map_err(&fail)? {
        let list = match found.number {
            number if number == attributes_at => &mut rows,
            number if Some(number) == comments_at => &mut comments,
            _ => continue,
        };
        let is_long = matches!(found.value, Value::Bytes(body) if body.bytes().len() > MAX_ROWS_BYTES);
        if is_long || found.ints(list, |row| row).is_err() {
            list.clear();
        }
    }
    // Releases in between have a payload of bytes at this number: only a list of rows that there are is one.
    if rows.iter().any(|&row| usize::try_from(row).is_ok_and(|row| row >= dictionary.attributes.len())) {
        rows.clear();
    }
    let comments = comments.iter().filter_map(|&row| dictionary.string(row));
    let mut comments: Vec<String> = comments.map(|id| builder.strings.get(id).to_owned()).collect();
    let info = &mut builder.info;
    let mut told = Described::new();
    for known in dictionary.attributes_of(&rows) {
        let name = known.key.strip_prefix(PPROF).unwrap_or(&known.key);
        let place = match name {
            _ if known.key.starts_with(PPROF) && name.split('.').next() == Some("comment") => {
                comments.push(known.text.clone());
                continue;
            }
            "drop_frames" => &mut info.drop_frames,
            "keep_frames" => &mut info.keep_frames,
            "doc_url" => &mut info.doc_url,
            _ => {
                told.push((known.key.clone(), known.text.clone()));
                continue;
            }
        };
        if place.is_none() && !known.text.is_empty() {
            *place = Some(known.text.clone());
        }
    }
    for comment in comments {
        // Every sample type is a profile of its own, with the same comments.
        if !comment.is_empty() && !info.comments.contains(&comment) {
            info.comments.push(comment);
        }
    }
    let (mut tool, mut release) = (String::new(), String::new());
    let mut scope = part.scope.unwrap_or_else(|| Wire::new(&[], 0));
    while let Some(found) = scope.field().map_err(broken("a scope"))? {
        match (found.number, found.value) {
            (1, Value::Bytes(text)) => tool = String::from_utf8_lossy(text.bytes()).into_owned(),
            (2, Value::Bytes(text)) => release = String::from_utf8_lossy(text.bytes()).into_owned(),
            _ => {}
        }
    }
    if !tool.is_empty() {
        told.push(("scope".to_owned(), format!("{tool} {release}").trim_end().to_owned()));
    }
    Ok(told)
}

/// The sample type that a pprof file showed by itself, where the capture was made of one.
fn choose_default(parts: &[Part<'_>], dictionary: &Dictionary, builder: &mut Builder) -> Result<(), ReadError> {
    let fail = broken("a scope");
    let Some(mut scope) = parts.first().and_then(|part| part.scope) else { return Ok(()) };
    while let Some(found) = scope.field().map_err(&fail)? {
        let (3, Value::Bytes(pair)) = (found.number, found.value) else { continue };
        let Some((key, value)) = dictionary.key_value(pair, builder).map_err(&fail)? else { continue };
        if key == "pprof.scope.default_sample_type" {
            let name = value.into_text();
            let wanted = builder.sample_types.iter().position(|column| column.name == name);
            builder.default_sample_type = wanted.unwrap_or(builder.default_sample_type);
        }
    }
    Ok(())
}

/// Which layout the file has, by the first sample that shows it: the layouts differ in which fields are numbers and which are lists.
fn layout(parts: &[Part<'_>]) -> Result<Layout, ReadError> {
    let fail = broken("a sample");
    let mut found_stacks = false;
    for part in parts {
        let mut fields = part.body;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                // `location_indices`, which moved into stacks.
                (3, Value::Bytes(_)) => return Ok(Layout::Ranges),
                (3, Value::Fixed(_)) => found_stacks = true,
                (2, Value::Bytes(body)) => {
                    let mut sample = body;
                    while let Some(field) = sample.field().map_err(&fail)? {
                        match (field.number, field.value) {
                            (2, Value::Int(_)) if !found_stacks => return Ok(Layout::Ranges),
                            (3, Value::Bytes(_)) | (4, Value::Int(_)) => return Ok(Layout::Values2),
                            (3, Value::Int(_)) | (4, Value::Bytes(_)) => return Ok(Layout::Values4),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    Ok(Layout::Values4)
}

struct Reader<'r> {
    dictionary: &'r Dictionary,
    builder: &'r mut Builder,
    layout: Layout,
    /// End of the last profile, nanoseconds since 1970.
    end: Option<i64>,
    /// Sample messages so far, and those of them that were left out.
    samples: u64,
    skipped: u64,
}

/// One profile's own tables.
#[derive(Default)]
struct Header {
    /// Value columns.
    columns: Vec<usize>,
    locations: Vec<u64>,
}

impl Reader<'_> {
    fn profile(&mut self, body: Wire<'_>, resource: &[(String, String)], ticket: &Ticket) -> Result<(), ReadError> {
        let header = self.header(body)?;
        let mut scratch = Record::default();
        let mut fields = body;
        let fail = broken("a profile");
        while let Some(found) = fields.field().map_err(&fail)? {
            if let (2, Value::Bytes(sample)) = (found.number, found.value) {
                if self.samples.is_multiple_of(1024) {
                    ticket.check()?;
                }
                self.sample(sample, &header, resource, &mut scratch)?;
                self.samples += 1;
            }
        }
        Ok(())
    }

    /// Everything of a profile but its samples.
    fn header(&mut self, body: Wire<'_>) -> Result<Header, ReadError> {
        let fail = broken("a profile");
        // In the oldest layout the list of locations stands at 3, and all later fields one further.
        let moved = u64::from(self.layout == Layout::Ranges);
        let mut header = Header::default();
        let (mut start, mut duration, mut period_type, mut period) = (None, None, None, 0);
        let mut fields = body;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                (1, Value::Bytes(body)) => {
                    let (name, unit) = self.value_type(body)?;
                    header.columns.push(self.column(&name, &unit));
                }
                (3, _) if moved == 1 => found.ints(&mut header.locations, |row| row).map_err(&fail)?,
                (number, Value::Fixed(time) | Value::Int(time)) if number == 3 + moved => start = i64::try_from(time).ok(),
                (number, Value::Int(nanos)) if number == 4 + moved => duration = i64::try_from(nanos).ok(),
                (number, Value::Bytes(body)) if number == 5 + moved => period_type = Some(self.value_type(body)?),
                (number, Value::Int(number_of)) if number == 6 + moved => period = number_of as i64,
                _ => {}
            }
        }
        if header.columns.is_empty() {
            // A type without name and unit is written as an empty message or not at all.
            header.columns.push(self.column("samples", "count"));
        }
        let info = &mut self.builder.info;
        if let Some(start) = start.filter(|&start| start > 0) {
            info.start_unix_nanos = Some(info.start_unix_nanos.map_or(start, |known| known.min(start)));
            let end = start.saturating_add(duration.unwrap_or(0));
            self.end = Some(self.end.map_or(end, |known| known.max(end)));
        }
        if let Some((name, unit)) = period_type.filter(|(name, _)| info.period.is_none() && period > 0 && !name.is_empty()) {
            info.period = Some((name, unit, period));
        }
        Ok(header)
    }

    fn value_type(&self, body: Wire<'_>) -> Result<(String, String), ReadError> {
        let fail = broken("a type of values");
        let (mut name, mut unit) = (String::new(), String::new());
        let mut fields = body;
        while let Some(found) = fields.field().map_err(&fail)? {
            let text = |row| self.dictionary.string(row).map_or("", |id| self.builder.strings.get(id)).to_owned();
            match (found.number, found.value) {
                (1, Value::Int(row)) => name = text(row),
                (2, Value::Int(row)) => unit = text(row),
                _ => {}
            }
        }
        Ok((name, unit))
    }

    fn column(&mut self, name: &str, unit: &str) -> usize {
        let name = if name.is_empty() { "samples" } else { name };
        let known = self.builder.sample_types.iter().position(|known| known.name == name && known.unit == unit);
        known.unwrap_or_else(|| self.builder.add_sample_type(name, unit))
    }

    fn sample(&mut self, body: Wire<'_>, header: &Header, resource: &[(String, String)], record: &mut Record) -> Result<(), ReadError> {
        record.read(body, self.layout).map_err(broken("a sample"))?;
        let doing = || format!("sample {}", self.samples);
        let stack = if self.layout == Layout::Ranges {
            let range = usize::try_from(record.first).ok().zip(usize::try_from(record.second).ok());
            let rows = range.and_then(|(start, length)| header.locations.get(start..start.checked_add(length)?));
            let rows = rows.ok_or_else(|| {
                let what =
                    format!("names {} locations from {}, but there are only {}", record.second, record.first, header.locations.len());
                ReadError::new(NAME, body.offset(), doing(), what)
            })?;
            self.dictionary.stack(rows, body.offset(), &doing(), self.builder)?
        } else {
            let known = usize::try_from(record.first).ok().and_then(|row| self.dictionary.stacks.get(row).copied());
            match known {
                Some(stack) => stack,
                None if record.first == 0 => None,
                None => {
                    let what = format!("names stack {}, but there are only {}", record.first, self.dictionary.stacks.len());
                    return Err(ReadError::new(NAME, body.offset(), doing(), what));
                }
            }
        };
        if stack.is_none() {
            self.builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(body.offset()));
        }
        let thread = self.thread(record);
        let labels = self.labels(record, resource);
        self.rows(stack, thread, labels, header, record, body.offset())
    }

    /// The rows of a sample: one for each value or time.
    fn rows(
        &mut self,
        stack: Option<StackId>,
        thread: Option<ThreadId>,
        labels: Option<LabelSetId>,
        header: &Header,
        record: &Record,
        offset: u64,
    ) -> Result<(), ReadError> {
        let (values, times) = (&record.values, &record.times);
        let sample = |time: Option<&u64>| Sample { stack, thread, labels, time: time.and_then(|&time| i64::try_from(time).ok()) };
        if let [column] = *header.columns.as_slice() {
            if values.is_empty() && times.is_empty() {
                self.builder.notes.add(kind::SKIPPED, "samples without values and times", 1, Some(offset));
                self.skipped += 1;
            } else if values.is_empty() {
                for time in times {
                    self.builder.rows.event(sample(Some(time)), column, 1);
                }
            } else if times.is_empty() || times.len() == values.len() {
                for (at, &value) in values.iter().enumerate() {
                    self.builder.rows.event(sample(times.get(at)), column, value);
                }
            } else if let [value] = **values {
                // Before release 1.7 a value was the sum over all times.
                self.builder.notes.add(kind::REPAIRED, "samples with one value for several times were kept without them", 1, Some(offset));
                self.builder.rows.event(sample(None), column, value);
            } else {
                let what = format!("holds {} values, but {} times", values.len(), times.len());
                return Err(ReadError::new(NAME, offset, format!("sample {}", self.samples), what));
            }
            return Ok(());
        }
        if values.len() != header.columns.len() {
            let what = format!("holds {} values, but there are {} sample types", values.len(), header.columns.len());
            return Err(ReadError::new(NAME, offset, format!("sample {}", self.samples), what));
        }
        let mut row = vec![0; self.builder.sample_types.len()];
        for (&column, &value) in header.columns.iter().zip(values) {
            row.get_mut(column).into_iter().for_each(|place| *place = value);
        }
        self.builder.rows.sample(sample(times.first()), &row);
        Ok(())
    }

    /// Process and thread, from the attributes that name them (semantic conventions for `process.*` and `thread.*`).
    fn thread(&mut self, record: &Record) -> Option<ThreadId> {
        let of =
            |key: &str| self.dictionary.attributes_of(&record.attributes).find(|known| known.key == key).map(|known| known.text.as_str());
        let (pid, tid) = (of("process.pid").and_then(|pid| pid.parse().ok()), of("thread.id").and_then(|tid| tid.parse().ok()));
        let name = of("thread.name").or_else(|| of("process.executable.name"));
        if pid.is_none() && tid.is_none() && name.is_none() {
            return None;
        }
        let name = self.builder.string(name.unwrap_or_default());
        Some(self.builder.thread(Thread { pid, tid, name }))
    }

    fn labels(&mut self, record: &Record, resource: &[(String, String)]) -> Option<LabelSetId> {
        let of_thread = ["process.pid", "thread.id", "thread.name"];
        let attributes = self.dictionary.attributes_of(&record.attributes).filter(|known| !of_thread.contains(&known.key.as_str()));
        let mut labels: Vec<Label> = attributes.map(|known| known.label).collect();
        let link = usize::try_from(record.link).ok().and_then(|row| self.dictionary.links.get(row));
        labels.extend(link.into_iter().flatten());
        for (key, text) in resource {
            labels.push(Label { key: self.builder.string(key), value: LabelValue::Text(self.builder.string(text)) });
        }
        self.builder.rows.label_set(&labels)
    }
}

/// The fields of one sample message.
#[derive(Default)]
struct Record {
    /// A stack, or the first of the profile's locations.
    first: u64,
    /// How many locations.
    second: u64,
    values: Vec<i64>,
    attributes: Vec<u64>,
    link: u64,
    times: Vec<u64>,
}

impl Record {
    fn read(&mut self, body: Wire<'_>, layout: Layout) -> Result<(), super::Fault> {
        (self.first, self.second, self.link) = (0, 0, 0);
        self.values.clear();
        self.attributes.clear();
        self.times.clear();
        let [values, attributes, link, times] = match layout {
            Layout::Ranges => [3, 4, 5, 6],
            Layout::Values2 => [2, 3, 4, 5],
            Layout::Values4 => [4, 2, 3, 5],
        };
        let mut fields = body;
        while let Some(found) = fields.field()? {
            match found.number {
                1 => self.first = found.int()?,
                2 if layout == Layout::Ranges => self.second = found.int()?,
                number if number == values => found.ints(&mut self.values, |value| value as i64)?,
                number if number == attributes => found.ints(&mut self.attributes, |row| row)?,
                number if number == link => self.link = found.int()?,
                number if number == times => match found.value {
                    Value::Fixed(time) => self.times.push(time),
                    Value::Bytes(list) if layout != Layout::Ranges => {
                        let (words, _) = list.bytes().as_chunks::<8>();
                        self.times.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
                    }
                    _ => found.ints(&mut self.times, |time| time)?,
                },
                _ => {}
            }
        }
        Ok(())
    }
}
