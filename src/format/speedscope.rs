//! speedscope's own JSON: one table of frames, several profiles of samples with weights or of open and close events.
//!
//! Every profile becomes a thread of that name. Times become nanoseconds; a profile of events becomes one sample for each stretch of
//! time in which the stack did not change, so totals are those that speedscope shows. Deliberately absent: the other formats that the
//! speedscope viewer opens. Start reading at [`Speedscope`].
//!
//! Rules follow `src/lib/file-format-spec.ts` of jlfwong/speedscope.

use super::json::{Json, Number, looks_like};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::discard::Unfinished;
use crate::base::ticket::Ticket;
use crate::model::counted;
use crate::model::{Builder, Frame, FrameId, Function, Profile, Sample, StackId, Thread, ThreadId, kind};

/// The reader of speedscope files.
pub(super) struct Speedscope;

const NAME: &str = "speedscope";

impl Format for Speedscope {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "speedscope JSON (speedscope, py-spy, rbspy and others)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["speedscope.json", "speedscope"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        if looks_like(head, &["\"$schema\"", "speedscope.app/file-format-schema"]) {
            Sniff::Yes
        } else if looks_like(head, &["\"profiles\"", "\"type\"", "\"unit\"", "\"startValue\""]) {
            Sniff::Maybe
        } else {
            Sniff::No
        }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input.bytes, cx.ticket)
    }
}

fn read(bytes: &[u8], ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut json = Json::new(NAME, bytes, ticket);
    let mut builder = Builder::default();
    NAME.clone_into(&mut builder.info.format);
    let (mut frames, mut profiles) = (Vec::new(), Vec::new());
    let mut list = None;
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "shared" => frames = read_shared(&mut json, &mut builder)?,
            "profiles" => {
                list = Some(json.offset());
                read_profiles(&mut json, &mut profiles)?;
            }
            "exporter" | "name" => {
                let fact = if key == "name" { "title" } else { "exporter" };
                builder.info.facts.extend(json.maybe_text()?.map(|text| (fact.to_owned(), text.into_owned())));
            }
            _ => drop(json.skip()?),
        }
    }
    json.end()?;
    if profiles.is_empty() {
        let what = if list.is_some() { "the list is empty" } else { "there is no such list" };
        return Err(json.error(list.unwrap_or(0), "the list `profiles`", what));
    }
    let (decimals, nano_decimals) = decimals(&mut json, &profiles, &mut builder)?;
    let mut columns = Columns { decimals, nano_decimals, ..Columns::default() };
    for (number, profile) in profiles.iter().enumerate() {
        let thread = (!profile.name.is_empty()).then(|| {
            let name = builder.string(&profile.name);
            builder.thread(Thread { pid: None, tid: None, name })
        });
        let mut reader =
            Reader { json: &mut json, builder: &mut builder, frames: &frames, profile, number, thread, steps: columns.steps() };
        reader.read(&mut columns)?;
    }
    json.note(&mut builder.notes);
    Ok(builder.finish())
}

/// The table of frames: one row for each entry.
fn read_shared(json: &mut Json<'_>, builder: &mut Builder) -> Result<Vec<FrameId>, ReadError> {
    let mut frames = Vec::new();
    json.object()?;
    while let Some(key) = json.key()? {
        if key != "frames" {
            json.skip()?;
            continue;
        }
        json.list()?;
        while json.item()? {
            frames.push(read_frame(json, builder)?);
        }
    }
    Ok(frames)
}

fn read_frame(json: &mut Json<'_>, builder: &mut Builder) -> Result<FrameId, ReadError> {
    let (mut name, mut file, mut line, mut column) = (None, None, 0, 0);
    json.object()?;
    while let Some(key) = json.key()? {
        match &*key {
            "name" => name = json.maybe_text()?,
            "file" => file = json.maybe_text()?.filter(|file| !file.is_empty()),
            "line" => line = json.maybe_line()?,
            "col" => column = json.maybe_line()?,
            _ => drop(json.skip()?),
        }
    }
    let (name, file) = (builder.string(&name.unwrap_or_default()), file.map(|file| builder.string(&file)));
    let function = builder.function(Function { name, system_name: None, file, start_line: 0 });
    Ok(builder.frame(Frame { function: Some(function), line, column, ..Frame::default() }))
}

/// What a profile counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Time; how many nanoseconds one is.
    Time(i64),
    Bytes,
    None,
}

/// One entry of `profiles`, with the places of its lists.
struct Part<'a> {
    name: String,
    unit: Unit,
    evented: bool,
    offset: usize,
    start: Option<Number<'a>>,
    end: Option<Number<'a>>,
    events: Option<usize>,
    samples: Option<usize>,
    weights: Option<usize>,
}

fn read_profiles<'a>(json: &mut Json<'a>, profiles: &mut Vec<Part<'a>>) -> Result<(), ReadError> {
    json.list()?;
    while json.item()? {
        json.kind()?;
        let offset = json.offset();
        let mut part = Part {
            name: String::new(),
            unit: Unit::None,
            evented: false,
            offset,
            start: None,
            end: None,
            events: None,
            samples: None,
            weights: None,
        };
        json.object()?;
        while let Some(key) = json.key()? {
            match &*key {
                "type" => {
                    json.kind()?;
                    let at = json.offset();
                    part.evented = match &*json.text()? {
                        "evented" => true,
                        "sampled" => false,
                        other => return Err(json.error(at, "the type of a profile", format!("wanted evented or sampled, found {other}"))),
                    }
                }
                "name" => part.name = json.maybe_text()?.unwrap_or_default().into_owned(),
                "unit" => {
                    json.kind()?;
                    let at = json.offset();
                    let unit = json.text()?;
                    part.unit = unit_of(&unit).ok_or_else(|| json.error(at, "the unit of a profile", format!("{unit} is not known")))?;
                }
                "startValue" => part.start = json.maybe_number()?,
                "endValue" => part.end = json.maybe_number()?,
                "events" => part.events = Some(json.skip()?),
                "samples" => part.samples = Some(json.skip()?),
                "weights" => part.weights = Some(json.skip()?),
                _ => drop(json.skip()?),
            }
        }
        profiles.push(part);
    }
    Ok(())
}

fn unit_of(name: &str) -> Option<Unit> {
    Some(match name {
        "nanoseconds" => Unit::Time(1),
        "microseconds" => Unit::Time(1_000),
        "milliseconds" => Unit::Time(1_000_000),
        "seconds" => Unit::Time(1_000_000_000),
        "bytes" => Unit::Bytes,
        "none" => Unit::None,
        _ => return None,
    })
}

/// Most that stored times may be, far from the end of 64 bits.
const MAX_STORED: f64 = 4e18;

/// How many decimals the numbers need that are no times, and those that are nanoseconds; longer units are rounded to nanoseconds.
fn decimals(json: &mut Json<'_>, profiles: &[Part<'_>], builder: &mut Builder) -> Result<(u8, u8), ReadError> {
    let (mut other, mut nanos) = (0, 0);
    let mut rounded = (0, None);
    // The latest time of all, in nanoseconds.
    let mut latest = 0.0_f64;
    for part in profiles {
        let (mut most, mut last, mut sum) = (0, 0.0_f64, 0.0);
        // Digits behind the point that are whole nanoseconds; every one is kept where nanoseconds or no times are counted.
        let kept = match part.unit {
            Unit::Time(length) if length > 1 => length.ilog10() as usize,
            _ => usize::MAX,
        };
        let mut see = |number: Number<'_>| {
            most = number.decimals().max(most);
            if number.all_decimals() > kept {
                rounded = (rounded.0 + 1, rounded.1.or(Some(part.offset as u64)));
            }
            last = number.float().abs().max(last);
            sum += number.float().abs();
        };
        if let Some(weights) = part.weights.filter(|_| !part.evented) {
            json.go_to(weights);
            json.list()?;
            while json.item()? {
                json.maybe_number()?.into_iter().for_each(&mut see);
            }
        }
        if let Some(events) = part.events.filter(|_| part.evented) {
            json.go_to(events);
            json.list()?;
            while json.item()? {
                json.object()?;
                while let Some(key) = json.key()? {
                    if key == "at" {
                        see(json.number()?);
                    } else {
                        json.skip()?;
                    }
                }
            }
        }
        part.start.into_iter().chain(part.end).for_each(&mut see);
        match part.unit {
            Unit::Time(length) => {
                latest = latest.max((if part.evented { last } else { sum }) * length as f64);
                nanos = if length == 1 { nanos.max(most) } else { nanos };
            }
            Unit::Bytes | Unit::None => other = other.max(most),
        }
    }
    if rounded.0 > 0 {
        builder.notes.add(
            kind::REPAIRED,
            "times with parts of a nanosecond, in a longer unit, were rounded to nanoseconds",
            rounded.0,
            rounded.1,
        );
    }
    while nanos > 0 && latest * 10_f64.powi(i32::from(nanos)) > MAX_STORED {
        nanos -= 1;
    }
    Ok((other, nanos))
}

/// Value columns so far: each kind of profile has its own.
#[derive(Default)]
struct Columns {
    decimals: u8,
    /// Decimals of nanoseconds.
    nano_decimals: u8,
    time: Option<usize>,
    bytes: Option<usize>,
    weight: Option<usize>,
    samples: Option<usize>,
}

impl Columns {
    /// The column for values of a unit.
    fn of(&mut self, unit: Unit, builder: &mut Builder) -> usize {
        let (column, name, unit, decimals) = match unit {
            Unit::Time(_) => (&mut self.time, "time", "nanoseconds", self.nano_decimals),
            Unit::Bytes => (&mut self.bytes, "space", "bytes", self.decimals),
            Unit::None => (&mut self.weight, "weight", "count", self.decimals),
        };
        *column.get_or_insert_with(|| {
            let row = builder.add_sample_type(name, unit);
            if let Some(kind) = builder.sample_types.get_mut(row) {
                kind.decimals = decimals;
            }
            row
        })
    }

    /// The column that counts samples.
    fn samples(&mut self, builder: &mut Builder) -> usize {
        *self.samples.get_or_insert_with(|| builder.add_sample_type("samples", "count"))
    }

    /// How many stored times are one nanosecond.
    const fn steps(&self) -> i64 {
        10_i64.pow(self.nano_decimals as u32)
    }

    /// How many stored integers are one of the unit.
    const fn factor(&self, unit: Unit) -> i64 {
        match unit {
            Unit::Time(nanos) => nanos.saturating_mul(self.steps()),
            _ => 10_i64.pow(self.decimals as u32),
        }
    }
}

struct Reader<'r, 'a> {
    json: &'r mut Json<'a>,
    builder: &'r mut Builder,
    frames: &'r [FrameId],
    profile: &'r Part<'a>,
    number: usize,
    thread: Option<ThreadId>,
    /// How many stored times are one nanosecond.
    steps: i64,
}

impl Reader<'_, '_> {
    fn read(&mut self, columns: &mut Columns) -> Result<(), ReadError> {
        let column = columns.of(self.profile.unit, self.builder);
        let factor = columns.factor(self.profile.unit);
        if self.profile.evented {
            return self.evented(column, factor);
        }
        let counter = columns.samples(self.builder);
        self.sampled(column, counter, factor)
    }

    fn error(&self, offset: usize, what: impl Into<String>) -> ReadError {
        self.json.error(offset, format!("profile {}", self.number), what)
    }

    /// The time at which the profile starts, in stored steps; `None` where its values are no times.
    fn start(&self, factor: i64) -> Option<i64> {
        matches!(self.profile.unit, Unit::Time(_)).then(|| self.profile.start.map_or(0, |start| start.times(factor)))
    }

    fn frame(&mut self) -> Result<FrameId, ReadError> {
        self.json.kind()?;
        let at = self.json.offset();
        let row = self.json.number()?.integer();
        let frame = usize::try_from(row).ok().and_then(|row| self.frames.get(row));
        frame.copied().ok_or_else(|| {
            self.error(at, format!("names frame {row}, but the list has {}", counted(self.frames.len() as u64, "frame", "frames")))
        })
    }

    fn sampled(&mut self, column: usize, counter: usize, factor: i64) -> Result<(), ReadError> {
        let (Some(samples), Some(list)) = (self.profile.samples, self.profile.weights) else {
            return Err(self.error(self.profile.offset, "a sampled profile needs the lists `samples` and `weights`"));
        };
        let mut weights = Unfinished::<Vec<i64>>::default();
        self.json.go_to(list);
        self.json.list()?;
        while self.json.item()? {
            weights.push(self.json.number()?.times(factor));
        }
        self.builder.rows.reserve(weights.len(), 0);
        let mut time = self.start(factor);
        let (mut count, mut values) = (0_usize, vec![0; column.max(counter) + 1]);
        self.json.go_to(samples);
        self.json.list()?;
        while self.json.item()? {
            self.json.kind()?;
            let at = self.json.offset();
            let mut stack = None;
            self.json.list()?;
            while self.json.item()? {
                let frame = self.frame()?;
                stack = Some(self.builder.stack(stack, frame));
            }
            if stack.is_none() {
                self.builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(at as u64));
            }
            let Some(&weight) = weights.get(count) else {
                return Err(self.error(list, format!("there are more samples than weights, which are {}", weights.len())));
            };
            values.fill(0);
            values.get_mut(column).into_iter().for_each(|value| *value = weight);
            values.get_mut(counter).into_iter().for_each(|value| *value = 1);
            let nanos = time.map(|time| time.div_euclid(self.steps));
            self.builder.rows.sample(Sample { stack, thread: self.thread, time: nanos, ..Sample::default() }, &values);
            time = time.map(|time| time.saturating_add(weight));
            count += 1;
        }
        if count != weights.len() {
            return Err(self.error(
                list,
                format!(
                    "there {} {}, but the weights are {}",
                    if count == 1 { "is" } else { "are" },
                    counted(count as u64, "sample", "samples"),
                    weights.len()
                ),
            ));
        }
        self.covers(factor, self.start(factor), time);
        Ok(())
    }

    /// Says how long the profile is, where its values are times: as it says itself, and at least from the first to the end of the last sample.
    fn covers(&mut self, factor: i64, first: Option<i64>, last: Option<i64>) {
        if let (Unit::Time(_), Some(first), Some(last)) = (self.profile.unit, first, last) {
            let said = |number: Option<Number<'_>>, or: i64| number.map_or(or, |number| number.times(factor));
            let (first, last) = (first.min(said(self.profile.start, first)), last.max(said(self.profile.end, last)));
            self.builder.covers(first.div_euclid(self.steps), last.div_euclid(self.steps));
        }
    }

    fn evented(&mut self, column: usize, factor: i64) -> Result<(), ReadError> {
        let Some(events) = self.profile.events else {
            return Err(self.error(self.profile.offset, "an evented profile needs the list `events`"));
        };
        let mut open: Vec<(FrameId, StackId)> = Vec::new();
        let (mut first, mut last) = (None::<i64>, None::<i64>);
        self.json.go_to(events);
        self.json.list()?;
        while self.json.item()? {
            self.json.kind()?;
            let offset = self.json.offset();
            let (mut opens, mut frame, mut at) = (None, None, None);
            self.json.object()?;
            while let Some(key) = self.json.key()? {
                match &*key {
                    "type" => {
                        opens = match &*self.json.text()? {
                            "O" => Some(true),
                            "C" => Some(false),
                            _ => None,
                        };
                    }
                    "frame" => frame = Some(self.frame()?),
                    "at" => at = Some(self.json.number()?.times(factor)),
                    _ => drop(self.json.skip()?),
                }
            }
            let (Some(opens), Some(frame), Some(at)) = (opens, frame, at) else {
                return Err(self.error(offset, "an event needs `type` (O or C), `frame` and `at`"));
            };
            if last.is_some_and(|last| at < last) {
                self.builder.notes.add(kind::REPAIRED, "events before the one before them were moved behind it", 1, Some(offset as u64));
            }
            self.stretch(column, &open, last, at);
            first.get_or_insert(at);
            last = Some(last.map_or(at, |last| last.max(at)));
            if opens {
                let stack = self.builder.stack(open.last().map(|(_, stack)| *stack), frame);
                open.push((frame, stack));
            } else if let Some(found) = open.iter().rposition(|(known, _)| *known == frame) {
                if found + 1 < open.len() {
                    self.builder.notes.add(kind::REPAIRED, "frames closed while their callees were open", 1, Some(offset as u64));
                }
                open.truncate(found);
            } else {
                self.builder.notes.add(kind::SKIPPED, "events that close a frame which is not open", 1, Some(offset as u64));
            }
        }
        if let Some(end) = self.profile.end.filter(|_| !open.is_empty()) {
            self.builder.notes.add(kind::REPAIRED, "frames open at the end were closed there", open.len() as u64, None);
            self.stretch(column, &open, last, end.times(factor));
        }
        self.covers(factor, first, last);
        Ok(())
    }

    /// A sample for the time in which the open frames did not change.
    fn stretch(&mut self, column: usize, open: &[(FrameId, StackId)], from: Option<i64>, to: i64) {
        let (Some(from), Some(&(_, stack))) = (from, open.last()) else { return };
        let length = to.saturating_sub(from);
        if length > 0 {
            let time = matches!(self.profile.unit, Unit::Time(_)).then(|| from.div_euclid(self.steps));
            let sample = Sample { stack: Some(stack), thread: self.thread, time, ..Sample::default() };
            self.builder.rows.event(sample, column, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check;

    fn profile(text: &str) -> Result<Profile, ReadError> {
        read(text.as_bytes(), &Ticket::new())
    }

    const FRAMES: &str = r#""shared":{"frames":[{"name":"a","file":"x.py","line":3},{"name":"b"},{"name":"c"}]}"#;

    #[test]
    fn a_profile_is_as_long_as_it_says_or_as_its_samples_are() {
        let nanos = |text: &str| profile(&format!("{{{FRAMES},\"profiles\":[{text}]}}")).unwrap().info.duration_nanos;
        let sampled = r#"{"type":"sampled","name":"","unit":"seconds","samples":[[0],[1],[0]],"weights":[2,2,2]}"#;
        assert_eq!(nanos(sampled), Some(6_000_000_000), "the last sample has a length too");
        let said = sampled.replace("\"samples\"", "\"startValue\":1,\"endValue\":10,\"samples\"");
        assert_eq!(nanos(&said), Some(9_000_000_000));
        let short = sampled.replace("\"samples\"", "\"startValue\":1,\"endValue\":2,\"samples\"");
        assert_eq!(nanos(&short), Some(6_000_000_000), "an end before the samples' is none");
        let events = r#""events":[{"type":"O","frame":0,"at":2},{"type":"C","frame":0,"at":5}]}"#;
        let evented = |ends: &str| nanos(&format!(r#"{{"type":"evented","name":"","unit":"milliseconds",{ends}{events}"#));
        assert_eq!(evented(""), Some(3_000_000));
        assert_eq!(evented(r#""startValue":0,"endValue":8,"#), Some(8_000_000));
        let bytes = r#"{"type":"sampled","name":"","unit":"bytes","startValue":0,"endValue":8,"samples":[[0]],"weights":[8]}"#;
        assert_eq!(nanos(bytes), None, "bytes are no time");
    }

    #[test]
    fn profiles_of_every_unit_are_threads_with_their_own_columns() {
        let text = format!(
            r#"{{"profiles":[
              {{"type":"sampled","name":"one","unit":"seconds","startValue":1,"endValue":3,"samples":[[0,1],[0],[]],"weights":[0.5,1,0.25]}},
              {{"type":"sampled","name":"two","unit":"bytes","startValue":0,"endValue":9,"samples":[[2]],"weights":[9]}},
              {{"type":"evented","name":"three","unit":"none","startValue":0,"endValue":4,"events":[
                {{"type":"O","frame":0,"at":0}},{{"type":"O","frame":1,"at":1.5}},{{"type":"C","frame":1,"at":2}},{{"type":"C","frame":0,"at":4}}]}}
            ],{FRAMES}}}"#
        );
        let profile = profile(&text).unwrap();
        assert_eq!(check(&profile), []);
        let totals: Vec<_> = profile
            .sample_types
            .iter()
            .enumerate()
            .map(|(row, kind)| (kind.name.as_str(), kind.in_unit(profile.total(row) as f64)))
            .collect();
        assert_eq!(totals, [("time", 1.75e9), ("samples", 4.0), ("space", 9.0), ("weight", 4.0)]);
        assert_eq!(profile.threads.len(), 3);
        assert_eq!((0..3).map(|row| profile.samples.time(row)).collect::<Vec<_>>(), [1e9, 1.5e9, 2.5e9].map(|time| Some(time as i64)));
        assert_eq!(profile.notes.count(kind::NO_STACK), 1);
        assert_eq!(profile.info.tally.used, 7, "four samples and three stretches without a change");
    }

    #[test]
    fn fractions_of_nanoseconds_are_kept() {
        let lists = format!("\"samples\":[{}[0]],\"weights\":[{}0.4]", "[0],".repeat(999), "0.4,".repeat(999));
        let text = format!(
            r#"{{{FRAMES},"profiles":[{{"type":"sampled","name":"","unit":"nanoseconds","startValue":0,"endValue":400,{lists}}}]}}"#
        );
        let found = profile(&text).unwrap();
        assert_eq!((found.sample_types[0].in_unit(found.total(0) as f64), found.info.duration_nanos), (400.0, Some(400)));
        assert_eq!(found.samples.time(999), Some(399), "in whole nanoseconds");
        let late = text.replace("\"startValue\":0", "\"startValue\":1700000000000000000");
        assert_eq!(profile(&late).unwrap().samples.time(999).map(|time| time / 1_000_000), Some(1_700_000_000_000));
    }

    #[test]
    fn what_is_rounded_is_counted() {
        let weights = |unit: &str, weights: &str| {
            let text = format!(
                r#"{{{FRAMES},"profiles":[{{"type":"sampled","name":"","unit":"{unit}","startValue":0,"endValue":9,"samples":[[0],[1]],"weights":[{weights}]}}]}}"#
            );
            let found = profile(&text).unwrap();
            (found.total(0), found.notes.count(kind::REPAIRED))
        };
        assert_eq!(weights("milliseconds", "1.000001,2.500"), (3_500_001, 0));
        assert_eq!(weights("milliseconds", "1.0000014,2.5"), (3_500_001, 1));
        assert_eq!(weights("seconds", "0.0000000016,1e-10"), (2, 2));
        assert_eq!(weights("none", "0.25,0.5"), (75, 0), "in hundredths");
    }

    #[test]
    fn broken_files_say_what_is_wrong_and_where() {
        for (lists, what) in [
            (r#""samples":[[7]],"weights":[1]"#, "names frame 7, but the list has 3 frames"),
            (r#""samples":[[0],[1]],"weights":[1]"#, "there are more samples than weights, which are 1"),
            (r#""samples":[[0]],"weights":[1,2]"#, "there is 1 sample, but the weights are 2"),
            (r#""samples":[[0]]"#, "needs the lists"),
        ] {
            let text = format!(r#"{{{FRAMES},"profiles":[{{"type":"sampled","name":"","unit":"none",{lists}}}]}}"#);
            let error = profile(&text).unwrap_err().to_string();
            assert!(error.contains(what) && error.starts_with("speedscope: profile 0"), "{error}");
        }
        assert!(profile(&format!(r#"{{{FRAMES},"profiles":[]}}"#)).unwrap_err().to_string().contains("the list is empty"));
    }

    #[test]
    fn events_out_of_order_are_mended_and_counted() {
        let text = format!(
            r#"{{{FRAMES},"profiles":[{{"type":"evented","name":"","unit":"milliseconds","startValue":0,"endValue":10,"events":[
              {{"type":"O","frame":0,"at":0}},{{"type":"C","frame":2,"at":1}},{{"type":"O","frame":1,"at":2}},{{"type":"C","frame":0,"at":1}},
              {{"type":"O","frame":2,"at":5}}]}}]}}"#
        );
        let profile = profile(&text).unwrap();
        assert_eq!(profile.total(0), 7_000_000, "2 ms in a, 5 ms in c up to the end");
        assert_eq!((profile.notes.count(kind::SKIPPED), profile.notes.count(kind::REPAIRED)), (1, 3));
    }
}
