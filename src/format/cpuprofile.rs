//! What V8 writes: `.cpuprofile` (Node.js `--cpu-prof`, Chrome DevTools), its older nested form, and `.heapprofile`.
//!
//! Three sample types: `cpu` (time between samples but for those in `(idle)`), `wall` (all of it) and `samples`. A sample stands for
//! the time until the next one, as DevTools shows it. The frame `(root)` is left out. Deliberately absent: lines inside functions
//! (`positionTicks` says how many samples hit a line, but not which). Start reading at [`CpuProfile`].
//!
//! Rules follow the `Profiler` domain of the Chrome DevTools Protocol; for the older form, what DevTools makes of it.

mod nodes;

pub(super) use nodes::Nodes;

use super::json::{Json, Kind, looks_like};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::discard::Unfinished;
use crate::base::ticket::{Checked as _, Ticket, Watch};
use crate::model::counted;
use crate::model::{Builder, Profile, Sample, StackId, Tally, ThreadId, kind};

/// The reader of V8 profiles.
pub(super) struct CpuProfile;

const NAME: &str = "cpuprofile";

/// Most objects around a profile: the message of the protocol and its answer.
const MOST_AROUND: usize = 2;

/// Sample types of V8's CPU profiles: time of samples that are not idle, of all, and their number.
pub(super) const TYPES: [(&str, &str); 3] = [("cpu", "nanoseconds"), ("wall", "nanoseconds"), ("samples", "count")];

impl Format for CpuProfile {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "V8 profiles (Node.js --cpu-prof and --heap-prof, Chrome DevTools .cpuprofile)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["cpuprofile", "heapprofile"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        let has = |marks: &[&str]| looks_like(head, marks);
        // A trace of Chrome holds the same nodes inside its events.
        if has(&["\"ph\":"]) || has(&["\"traceEvents\""]) {
            Sniff::No
        } else if has(&["\"nodes\"", "\"callFrame\""])
            || has(&["\"head\"", "\"callFrame\""])
            || has(&["\"head\"", "\"functionName\"", "\"children\""])
        {
            Sniff::Yes
        } else if has(&["\"timeDeltas\""]) {
            Sniff::Maybe
        } else {
            Sniff::No
        }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input.bytes, cx.ticket)
    }
}

/// Samples as they stand in the file.
#[derive(Default)]
pub(super) struct Times {
    /// Id of the node of each sample.
    pub(super) samples: Vec<i64>,
    /// Microseconds since the sample before (the first: since the start).
    pub(super) deltas: Vec<i64>,
    /// Where the lists stand, for errors and notes.
    pub(super) samples_at: usize,
    pub(super) deltas_at: usize,
    /// Start in microseconds.
    pub(super) start: i64,
    /// End in microseconds.
    pub(super) end: Option<i64>,
}

impl Times {
    /// The list `samples`, or a further piece of it: ids of nodes.
    pub(super) fn read_samples(&mut self, json: &mut Json<'_>) -> Result<(), ReadError> {
        json.kind()?;
        self.samples_at = json.offset();
        json.list()?;
        while json.item()? {
            // Heap profiles have objects here, whose sizes the nodes hold as well.
            if json.kind()? == Kind::Number {
                self.samples.push(json.number()?.integer());
            } else {
                json.skip()?;
            }
        }
        Ok(())
    }

    /// The list `timeDeltas`, or a further piece of it.
    pub(super) fn read_deltas(&mut self, json: &mut Json<'_>) -> Result<(), ReadError> {
        json.kind()?;
        self.deltas_at = json.offset();
        read_numbers(json, &mut self.deltas)
    }

    /// Gives samples without any time one each, evenly from the start to the end; false where they have times, or start and end are not known. Profiles of
    /// the years before V8 wrote times are read so by DevTools (`CPUProfileDataModel`).
    fn spread(&mut self) -> bool {
        let Some(length) = self.end.and_then(|end| end.checked_sub(self.start)).filter(|&length| length > 0) else { return false };
        if self.samples.is_empty() || !self.deltas.is_empty() {
            return false;
        }
        let count = self.samples.len() as i128;
        // A part of the length, so it fits.
        let time = |row: i128| (i128::from(length) * row / count) as i64;
        self.deltas = (0..count).checked().map(|row| time(row) - time((row - 1).max(0))).collect();
        true
    }

    /// An error unless there are as many times as samples.
    pub(super) fn check(&self, json: &Json<'_>) -> Result<(), ReadError> {
        let (samples, deltas) = (self.samples.len() as u64, self.deltas.len());
        if self.samples.len() == deltas {
            return Ok(());
        }
        let (are, samples) = (if samples == 1 { "is" } else { "are" }, counted(samples, "sample", "samples"));
        let at = if self.deltas_at > 0 { self.deltas_at } else { self.samples_at };
        Err(json.error(
            at,
            "the lists `samples` and `timeDeltas`",
            format!("there {are} {samples}, but the times between samples are {deltas}"),
        ))
    }
}

fn read(bytes: &[u8], ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut json = Json::new(NAME, bytes, ticket);
    let mut builder = Builder::default();
    NAME.clone_into(&mut builder.info.format);
    let (mut nodes, mut times) = (Unfinished::<Nodes>::default(), Unfinished::<Times>::default());
    let (mut start, mut end, mut timestamps) = (None, None, Unfinished::<Vec<i64>>::default());
    let (mut found, mut around) = (false, 0_usize);
    json.object()?;
    loop {
        let Some(key) = json.key()? else {
            if around == 0 {
                break;
            }
            around -= 1;
            continue;
        };
        match &*key {
            // What `Profiler.stop` answers, alone or in the message that brings it, as programs save it.
            "profile" | "result" if !found && around < MOST_AROUND && json.kind()? == Kind::Object => {
                json.object()?;
                around += 1;
            }
            "nodes" => {
                nodes.read_list(&mut json, &mut builder)?;
                found = true;
            }
            "head" => {
                nodes.read_nested(&mut json, &mut builder)?;
                found = true;
            }
            "samples" => times.read_samples(&mut json)?,
            "timeDeltas" => times.read_deltas(&mut json)?,
            "timestamps" => read_numbers(&mut json, &mut timestamps)?,
            "startTime" => start = json.maybe_number()?,
            "endTime" => end = json.maybe_number()?,
            "title" => builder.info.facts.extend(json.maybe_text()?.map(|text| ("title".to_owned(), text.into_owned()))),
            _ => drop(json.skip()?),
        }
    }
    json.end()?;
    if !found {
        return Err(json.error(0, "the profile", "there is neither `nodes` nor `head`"));
    }
    // The older form has its times in seconds and its samples in microseconds.
    let factor = if nodes.nested { 1_000_000 } else { 1 };
    times.start = start.map_or(0, |start| start.times(factor));
    times.end = end.map(|end| end.times(factor));
    if times.deltas.is_empty() && !timestamps.is_empty() {
        let mut last = timestamps.first().copied().unwrap_or(0);
        times.start = last;
        times.deltas = timestamps.iter().map(|&time| time.saturating_sub(std::mem::replace(&mut last, time))).collect();
    }
    if times.spread() {
        let cause = "samples without times: they were spread evenly from the start of the profile to its end, as DevTools does";
        builder.notes.add(kind::GUESSED, cause, times.samples.len() as u64, Some(times.samples_at as u64));
    }
    let stacks = nodes.stacks(&json, &mut builder)?;
    if nodes.has_sizes {
        add_sizes(&nodes, &stacks, &mut builder);
    } else if times.samples.is_empty() {
        add_hits(&nodes, &stacks, &mut builder);
    } else {
        times.check(&json)?;
        for (name, unit) in TYPES {
            builder.add_sample_type(name, unit);
        }
        builder.info.duration_nanos = times.end.and_then(|end| end.checked_sub(times.start)?.checked_mul(1000)).filter(|&nanos| nanos > 0);
        let skipped = add_samples(&nodes, &stacks, &times, None, &mut builder, ticket)?;
        builder.info.tally = Tally::new(builder.rows.len() as u64, skipped);
    }
    if nodes.ticks > 0 {
        builder.notes.add(kind::SKIPPED, "functions with counts by line, which say nothing about callers", nodes.ticks, None);
    }
    json.note(&mut builder.notes);
    Ok(builder.finish())
}

fn read_numbers(json: &mut Json<'_>, list: &mut Vec<i64>) -> Result<(), ReadError> {
    json.list()?;
    while json.item()? {
        list.push(json.number()?.integer());
    }
    Ok(())
}

/// Adds samples in the order of time and gives the number of those that were left out.
pub(super) fn add_samples(
    nodes: &Nodes,
    stacks: &[Option<StackId>],
    times: &Times,
    thread: Option<ThreadId>,
    builder: &mut Builder,
    ticket: &Ticket,
) -> Result<u64, ReadError> {
    let mut time = times.start;
    let in_file = times.samples.iter().zip(&times.deltas).map(|(&node, &delta)| {
        time = time.saturating_add(delta);
        (time, node)
    });
    let backwards = times.deltas.iter().take(times.samples.len()).skip(1).checked().filter(|&&delta| delta < 0).count();
    // All columns would grow at the same sample, each by a copy.
    builder.rows.reserve(times.samples.len(), 0);
    let (end, offset) = (times.end, Some(times.samples_at as u64));
    let mut adder = Adder { nodes, stacks, end, offset, thread, builder, ticket, skipped: 0 };
    if backwards == 0 {
        adder.add(in_file)?;
    } else {
        let mut in_order: Unfinished<Vec<(i64, i64)>> = in_file.checked().collect();
        let watch = Watch::new();
        in_order.sort_by_key(|(time, _)| {
            watch.step();
            *time
        });
        let cause = "samples with a time before the one before them were put in order";
        adder.builder.notes.add(kind::REPAIRED, cause, backwards as u64, Some(times.deltas_at as u64));
        adder.add(in_order.iter().copied())?;
    }
    Ok(adder.skipped)
}

struct Adder<'a> {
    nodes: &'a Nodes,
    stacks: &'a [Option<StackId>],
    /// End of the last sample, where it is known.
    end: Option<i64>,
    /// Where the list of samples stands.
    offset: Option<u64>,
    thread: Option<ThreadId>,
    builder: &'a mut Builder,
    ticket: &'a Ticket,
    skipped: u64,
}

impl Adder<'_> {
    /// Adds samples in the order of time, each (time in microseconds, id of its node).
    fn add(&mut self, samples: impl Iterator<Item = (i64, i64)>) -> Result<(), ReadError> {
        let mut samples = samples.enumerate().peekable();
        while let Some((row, (time, id))) = samples.next() {
            if row % 4096 == 0 {
                self.ticket.check()?;
            }
            let Some(node) = self.nodes.row(id) else {
                self.builder.notes.add(kind::SKIPPED, "samples of a node that does not exist", 1, self.offset);
                self.skipped += 1;
                continue;
            };
            let until = samples.peek().map(|(_, (next, _))| *next).or(self.end).unwrap_or(time);
            let wall = until.saturating_sub(time).max(0).saturating_mul(1000);
            let cpu = if self.nodes.is_idle(node) { 0 } else { wall };
            let stack = self.stacks.get(node as usize).copied().flatten();
            if stack.is_none() {
                self.builder.notes.add(kind::NO_STACK, "samples of the root", 1, self.offset);
            }
            let sample = Sample { stack, thread: self.thread, time: Some(time.saturating_mul(1000)), ..Sample::default() };
            self.builder.rows.sample(sample, &[cpu, wall, 1]);
        }
        Ok(())
    }
}

/// Without samples there is only how often each node was hit.
fn add_hits(nodes: &Nodes, stacks: &[Option<StackId>], builder: &mut Builder) {
    let column = builder.add_sample_type("samples", "count");
    for (node, &stack) in nodes.iter().zip(stacks).filter(|(node, _)| node.hits != 0) {
        builder.rows.event(Sample { stack, ..Sample::default() }, column, node.hits);
    }
}

/// Heap profiles: bytes by node.
fn add_sizes(nodes: &Nodes, stacks: &[Option<StackId>], builder: &mut Builder) {
    let column = builder.add_sample_type("space", "bytes");
    for (node, &stack) in nodes.iter().zip(stacks).filter(|(node, _)| node.size != 0) {
        builder.rows.event(Sample { stack, ..Sample::default() }, column, node.size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check;

    fn profile(text: &str) -> Result<Profile, ReadError> {
        read(text.as_bytes(), &Ticket::new())
    }

    fn node(id: u32, name: &str, children: &str) -> String {
        format!(
            r#"{{"id":{id},"callFrame":{{"functionName":"{name}","url":"x.js","lineNumber":4,"columnNumber":1}},"children":[{children}]}}"#
        )
    }

    #[test]
    fn a_sample_lasts_until_the_next_and_idle_is_no_cpu_time() {
        let nodes = [node(1, "(root)", "2,3"), node(2, "main", "4"), node(3, "(idle)", ""), node(4, "f", "")].join(",");
        let text = format!(r#"{{"nodes":[{nodes}],"startTime":100,"endTime":160,"samples":[2,4,3,4],"timeDeltas":[10,5,15,-10]}}"#);
        let profile = profile(&text).unwrap();
        assert_eq!(check(&profile), []);
        // In order of time: main at 110, f at 115, f at 120, (idle) at 130 to the end at 160.
        assert_eq!((0..4).map(|row| profile.samples.time(row).unwrap() / 1000).collect::<Vec<_>>(), [110, 115, 120, 130]);
        assert_eq!(profile.samples.values(1), [5000, 5000, 10_000, 30_000]);
        assert_eq!(profile.samples.values(0), [5000, 5000, 10_000, 0]);
        assert_eq!(profile.notes.count(kind::REPAIRED), 1);
        let frames: Vec<_> = profile.stack_frames(profile.samples.stacks()[1]).map(|frame| profile.frame_name(frame)).collect();
        assert_eq!(frames, ["f", "main"]);
        assert_eq!(profile.functions.iter().map(|function| function.start_line).max(), Some(5), "V8 counts lines from 0");
    }

    #[test]
    fn the_nested_form_is_read_without_recursion() {
        let depth = 200_000;
        let open = |id: usize| format!(r#"{{"functionName":"f","url":"","lineNumber":3,"id":{id},"hitCount":1,"children":["#);
        let text: String = (0..depth).map(open).collect();
        let text = format!(r#"{{"head":{text}{},"startTime":1,"endTime":2}}"#, "]}".repeat(depth));
        let profile = profile(&text).unwrap();
        assert_eq!((profile.total(0), profile.samples.len()), (depth as i64, depth));
        assert_eq!(profile.stack_frames(profile.samples.stacks().last().copied().flatten()).count(), depth);
    }

    #[test]
    fn the_nested_form_keeps_samples_and_their_order() {
        let text = r#"{"head":{"functionName":"(root)","id":1,"children":[
            {"functionName":"a","id":2,"children":[{"functionName":"c","id":4,"children":[]}],"url":"u.js","lineNumber":7},
            {"functionName":"b","id":3,"children":[]}]},
            "startTime":1.5,"endTime":1.6,"samples":[4,3],"timestamps":[1500000,1540000]}"#;
        let profile = profile(text).unwrap();
        assert_eq!(profile.samples.values(0), [40_000_000, 60_000_000]);
        let frames: Vec<_> = profile.stack_frames(profile.samples.stacks()[0]).map(|frame| profile.frame_name(frame)).collect();
        assert_eq!(frames, ["c", "a"]);
    }

    #[test]
    fn heap_profiles_keep_their_bytes() {
        let text = r#"{"head":{"callFrame":{"functionName":"(root)"},"selfSize":0,"id":1,"children":[
            {"callFrame":{"functionName":"a"},"selfSize":24,"id":2,"children":[]}]},"samples":[{"size":24,"nodeId":2,"ordinal":1}]}"#;
        let profile = profile(text).unwrap();
        assert_eq!((profile.sample_types[0].unit.as_str(), profile.total(0)), ("bytes", 24));
    }

    #[test]
    fn a_node_above_itself_is_an_error() {
        for nodes in [[node(1, "a", "2"), node(2, "b", "1")].join(","), node(1, "a", "1")] {
            let text = format!(r#"{{"nodes":[{nodes}],"samples":[1],"timeDeltas":[1]}}"#);
            let error = profile(&text).unwrap_err();
            assert!(error.to_string().contains("is its own caller"), "{error}");
            assert_eq!(error.offset(), text.find(r#"{"id":1"#).unwrap() as u64, "{error}");
        }
    }

    #[test]
    fn a_missing_time_is_an_error_that_names_the_list_and_lost_samples_say_where() {
        let text = format!(r#"{{"nodes":[{}],"samples":[1],"timeDeltas":[1,1]}}"#, node(1, "a", "9"));
        let error = profile(&text).unwrap_err();
        assert!(error.to_string().contains("there is 1 sample, but the times between samples are 2"), "{error}");
        assert_eq!(error.offset(), text.find("[1,1]").unwrap() as u64);
        let text = text.replace("[1]", "[1,7]");
        let found = profile(&text).unwrap();
        let offset = |cause: &str| found.notes.iter().find(|note| note.text.contains(cause)).and_then(|note| note.first_offset);
        assert_eq!(offset("callees"), text.find(r#"{"id":1"#).map(|at| at as u64));
        assert_eq!(offset("node that does not exist"), text.find("[1,7]").map(|at| at as u64));
    }

    #[test]
    fn samples_without_times_are_spread_evenly() {
        let text = format!(r#"{{"nodes":[{}],"startTime":100,"endTime":110,"samples":[1,1,1]}}"#, node(1, "a", ""));
        let found = profile(&text).unwrap();
        assert_eq!(check(&found), []);
        assert_eq!((0..3).map(|row| found.samples.time(row).unwrap()).collect::<Vec<_>>(), [100_000, 103_000, 106_000]);
        assert_eq!(found.samples.values(1), [3000, 3000, 4000]);
        assert_eq!(found.notes.count(kind::GUESSED), 3);
        // Without an end nothing says how long they lasted.
        assert!(profile(&text.replace(r#","endTime":110"#, "")).is_err());
    }

    /// What `Profiler.stop` of the DevTools protocol answers, saved as it came: alone, or as the message that holds it.
    #[test]
    fn an_answer_of_the_protocol_is_the_profile_inside_it() {
        let inner = format!(r#"{{"nodes":[{}],"startTime":1,"endTime":9,"samples":[1],"timeDeltas":[3]}}"#, node(1, "a", ""));
        let plain = profile(&inner).unwrap();
        assert_eq!(plain.total(1), 5000);
        for text in [format!(r#"{{"profile":{inner}}}"#), format!(r#"{{"id":4,"result":{{"profile":{inner}}}}}"#)] {
            assert_eq!(profile(&text).as_ref(), Ok(&plain));
        }
        let heap = r#"{"profile":{"head":{"callFrame":{"functionName":"a"},"selfSize":24,"id":1,"children":[]}}}"#;
        assert_eq!(profile(heap).unwrap().total(0), 24);
        let error = profile(r#"{"other":{"nodes":[]}}"#).unwrap_err().to_string();
        assert!(error.contains("neither `nodes` nor `head`"), "{error}");
    }
}
