//! Recordings that are written here, field by field: layouts, several chunks, losses, damage.

use super::*;
use crate::format::{Input, ReadCx};
use crate::model::check;

/// Writes values as a JVM does, packed or not.
#[derive(Clone, Default)]
struct Writer {
    bytes: Vec<u8>,
    packed: bool,
}

impl Writer {
    fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    fn number(&mut self, value: i64, width: usize) -> &mut Self {
        if !self.packed {
            self.bytes.extend_from_slice(&value.to_be_bytes()[8 - width..]);
            return self;
        }
        let bits = if width == 4 { u64::from(value as u32) } else { value as u64 };
        let mut left = bits;
        for _ in 0..8 {
            if left < 0x80 {
                self.bytes.push(left as u8);
                return self;
            }
            self.bytes.push(left as u8 | 0x80);
            left >>= 7;
        }
        self.bytes.push(left as u8);
        self
    }

    fn long(&mut self, value: i64) -> &mut Self {
        self.number(value, 8)
    }

    fn int(&mut self, value: i64) -> &mut Self {
        self.number(value, 4)
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.byte(3).int(text.len() as i64);
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// An event of a type, with its size before it.
    fn event(&mut self, id: i64, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self { bytes: Vec::new(), packed: self.packed };
        inner.long(id);
        fill(&mut inner);
        let mut size = inner.bytes.len() + 4;
        if self.packed {
            // The size counts its own bytes.
            size = inner.bytes.len() + 1;
            size += usize::from(size >= 0x80) + usize::from(size >= 0x4000);
        }
        self.int(size as i64);
        self.bytes.extend_from_slice(&inner.bytes);
        self
    }
}

/// A field: name, class, is a list, is a constant, unit of time.
type Field = (&'static str, i64, bool, bool, Option<&'static str>);

const LONG: i64 = 1;
const INT: i64 = 2;
const BOOLEAN: i64 = 3;
const TEXT: i64 = 4;
const CLASS: i64 = 5;
const SYMBOL: i64 = 6;
const METHOD: i64 = 7;
const FRAME: i64 = 8;
const STACK: i64 = 9;
const THREAD: i64 = 10;
const KIND: i64 = 11;
const TIMESTAMP: i64 = 12;
const TIMESPAN: i64 = 13;
const SAMPLE: i64 = 101;
const PARK: i64 = 102;
const SETTING: i64 = 103;
const LOSS: i64 = 104;
const THROW: i64 = 105;

fn classes() -> Vec<(&'static str, i64, Vec<Field>)> {
    let plain = |name, class| (name, class, false, false, None);
    let constant = |name, class| (name, class, false, true, None);
    let start = ("startTime", LONG, false, false, Some("TICKS"));
    let took = ("duration", LONG, false, false, Some("TICKS"));
    let (thread, stack) = (constant("eventThread", THREAD), constant("stackTrace", STACK));
    vec![
        ("long", LONG, vec![]),
        ("int", INT, vec![]),
        ("boolean", BOOLEAN, vec![]),
        ("java.lang.String", TEXT, vec![]),
        ("java.lang.Class", CLASS, vec![constant("name", SYMBOL)]),
        ("jdk.types.Symbol", SYMBOL, vec![plain("string", TEXT)]),
        ("jdk.types.Method", METHOD, vec![constant("type", CLASS), constant("name", SYMBOL), constant("descriptor", SYMBOL)]),
        ("jdk.types.StackFrame", FRAME, vec![constant("method", METHOD), plain("lineNumber", INT), constant("type", KIND)]),
        ("jdk.types.StackTrace", STACK, vec![plain("truncated", BOOLEAN), ("frames", FRAME, true, false, None)]),
        ("java.lang.Thread", THREAD, vec![plain("osName", TEXT), plain("osThreadId", LONG), plain("javaName", TEXT)]),
        ("jdk.types.FrameType", KIND, vec![plain("description", TEXT)]),
        ("jdk.jfr.Timestamp", TIMESTAMP, vec![]),
        ("jdk.jfr.Timespan", TIMESPAN, vec![]),
        ("jdk.ExecutionSample", SAMPLE, vec![start, constant("sampledThread", THREAD), stack]),
        ("jdk.ThreadPark", PARK, vec![start, took, thread, stack, constant("parkedClass", CLASS)]),
        ("jdk.ActiveSetting", SETTING, vec![start, plain("id", LONG), plain("name", TEXT), plain("value", TEXT), stack]),
        ("jdk.DataLoss", LOSS, vec![start, plain("amount", LONG)]),
        ("jdk.JavaExceptionThrow", THROW, vec![start, took, thread, stack]),
    ]
}

fn metadata(writer: &mut Writer, classes: &[(&'static str, i64, Vec<Field>)]) {
    let mut texts: Vec<String> = Vec::new();
    let mut body = Writer { bytes: Vec::new(), packed: writer.packed };
    let mut named = |body: &mut Writer, text: &str| {
        let row = texts.iter().position(|known| known == text).unwrap_or_else(|| {
            texts.push(text.to_owned());
            texts.len() - 1
        });
        body.int(row as i64);
    };
    let mut element = |body: &mut Writer, name: &str, attributes: &[(&str, &str)], inner: usize| {
        named(body, name);
        body.int(attributes.len() as i64);
        for (key, value) in attributes {
            named(body, key);
            named(body, value);
        }
        body.int(inner as i64);
    };
    element(&mut body, "root", &[], 1);
    element(&mut body, "metadata", &[], classes.len());
    for (name, id, fields) in classes {
        element(&mut body, "class", &[("name", name), ("id", &id.to_string())], fields.len());
        for (name, class, is_list, is_constant, unit) in fields {
            let class = class.to_string();
            let mut attributes = vec![("name", *name), ("class", class.as_str())];
            attributes.extend(is_list.then_some(("dimension", "1")));
            attributes.extend(is_constant.then_some(("constantPool", "true")));
            element(&mut body, "field", &attributes, usize::from(unit.is_some()));
            if let Some(unit) = unit {
                let class = if *name == "startTime" { TIMESTAMP } else { TIMESPAN };
                element(&mut body, "annotation", &[("class", &class.to_string()), ("value", unit)], 0);
            }
        }
    }
    writer.event(METADATA, |event| {
        event.long(0).long(0).long(1).int(texts.len() as i64);
        for text in &texts {
            event.text(text);
        }
        event.bytes.extend_from_slice(&body.bytes);
    });
}

/// Stack 1 is `app.Main.run` calling `app.Main.work`, stack 2 the same with its outermost frames cut off.
fn constants(writer: &mut Writer) {
    writer.event(CHECKPOINT, |event| {
        event.long(0).long(0).long(0).byte(1).int(6);
        event.long(SYMBOL).int(4);
        for (key, text) in [(1, "app/Main"), (2, "run"), (3, "work"), (4, "()V")] {
            event.long(key).text(text);
        }
        event.long(CLASS).int(1).long(7).long(1);
        event.long(METHOD).int(2).long(20).long(7).long(2).long(4).long(21).long(7).long(3).long(4);
        event.long(KIND).int(2).long(1).text("Interpreted").long(2).text("Inlined");
        event.long(THREAD).int(1).long(5).text("worker").long(77).byte(0);
        event.long(STACK).int(2);
        for (key, cut) in [(1, 0), (2, 1)] {
            event.long(key).byte(cut).int(2);
            event.long(21).int(-1).long(2).long(20).int(12).long(1);
        }
    });
}

/// A chunk that begins at tick 1000 and second 100, with 1000 ticks a second.
fn chunk(packed: bool, classes: &[(&'static str, i64, Vec<Field>)], events: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut body = Writer { bytes: Vec::new(), packed };
    events(&mut body);
    constants(&mut body);
    let at = HEADER + body.bytes.len();
    metadata(&mut body, classes);
    let mut header = Writer::default();
    header.bytes.extend_from_slice(b"FLR\0\0\x02\0\x01");
    header.long((HEADER + body.bytes.len()) as i64).long(0).long(at as i64);
    header.long(100_000_000_000).long(2_000_000_000).long(1000).long(1000).int(i64::from(packed));
    header.bytes.extend_from_slice(&body.bytes);
    header.bytes
}

fn events(body: &mut Writer) {
    body.event(SETTING, |event| {
        event.long(1000).long(SAMPLE).text("period").text("20 ms").long(0);
    });
    for (ticks, stack) in [(1100, 1), (1200, 2), (1300, 1)] {
        body.event(SAMPLE, |event| {
            event.long(ticks).long(5).long(stack);
        });
    }
    body.event(PARK, |event| {
        event.long(1400).long(500).long(5).long(1).long(7);
    });
    body.event(THROW, |event| {
        event.long(1500).long(0).long(5).long(1);
    });
    body.event(999, |event| {
        event.long(1).long(2);
    });
}

fn read_bytes(bytes: &[u8]) -> Result<Profile, ReadError> {
    let ticket = Ticket::new();
    ticket.run(|| Jfr.read(&Input { bytes, name: "x" }, &ReadCx::new(&ticket))).expect("not cancelled")
}

fn totals(profile: &Profile) -> Vec<(&str, &str, i64)> {
    let types = profile.sample_types.iter().enumerate();
    types.map(|(row, kind)| (kind.name.as_str(), kind.unit.as_str(), profile.total(row))).collect()
}

#[test]
fn events_with_a_stack_are_samples_of_their_own_types() {
    let profile = read_bytes(&chunk(true, &classes(), events)).unwrap();
    assert_eq!(check(&profile), []);
    let wanted = [
        ("samples", "count", 3),
        ("cpu", "nanoseconds", 60_000_000),
        ("thread-park", "nanoseconds", 500_000_000),
        ("java-exception-throw", "count", 1),
    ];
    assert_eq!(totals(&profile), wanted);
    assert_eq!(profile.default_sample_type, 1);
    assert_eq!(profile.samples.time(0), Some(100_100_000_000));
    assert_eq!(profile.info.duration_nanos, Some(2_000_000_000));
    assert_eq!((profile.info.tally.used, profile.info.tally.skipped), (5, 0));
    let names = |row: usize| -> Vec<String> {
        let up = std::iter::successors(profile.samples.stacks()[row], |&stack| profile.stacks.parent(stack));
        up.map(|stack| profile.frame_name(profile.stacks.frame(stack))).collect()
    };
    assert_eq!(names(0), ["app.Main.work", "app.Main.run"]);
    assert_eq!(names(1), ["app.Main.work", "app.Main.run", "[truncated stack]"]);
    let frame = |row: usize| profile.frames.at(profile.stacks.frame(profile.samples.stacks()[row].unwrap()));
    assert_eq!((frame(0).line, frame(0).inlined), (0, true), "a line below 0 is none");
    let thread = profile.threads[profile.samples.threads()[0].unwrap()];
    assert_eq!((thread.tid, profile.strings.get(thread.name)), (Some(77), "worker"));
}

#[test]
fn packed_and_plain_numbers_say_the_same() {
    assert_eq!(read_bytes(&chunk(false, &classes(), events)), read_bytes(&chunk(true, &classes(), events)));
}

#[test]
fn chunks_add_up_and_each_has_its_own_constants() {
    let one = chunk(true, &classes(), events);
    let mut reversed = classes();
    reversed.reverse();
    let two = [one.clone(), chunk(false, &reversed, events)].concat();
    let (once, twice) = (read_bytes(&one).unwrap(), read_bytes(&two).unwrap());
    assert_eq!(twice.samples.len(), 2 * once.samples.len());
    for (row, (name, _, total)) in totals(&once).into_iter().enumerate() {
        assert_eq!(twice.total(row), 2 * total, "{name}");
    }
    assert_eq!(twice.stacks.len(), once.stacks.len());
    // What stands behind is no chunk.
    let behind = read_bytes(&[&one[..], b"something else"].concat()).unwrap();
    assert_eq!((behind.samples.len(), behind.notes.count(kind::NOT_UNDERSTOOD)), (5, 14));
}

#[test]
fn any_number_of_threads_reads_the_same() {
    let mut reversed = classes();
    reversed.reverse();
    let one = |n: i64| {
        let classes = if n % 3 == 0 { &reversed } else { &classes() };
        chunk(n % 2 == 0, classes, |body| {
            if n % 4 == 1 {
                body.event(SETTING, |event| {
                    event.long(1000).long(SAMPLE).text("period").text(&format!("{n} ms")).long(0);
                });
            }
            for at in 0..n {
                body.event(if at % 5 == 4 { THROW } else { SAMPLE }, |event| {
                    event.long(1100 + at).long(5).long(at % 4).long(1);
                });
            }
            if n > 9 {
                events(body);
            }
        })
    };
    let mut chunks: Vec<Vec<u8>> = (1..20).map(one).collect();
    // One of them does not say what its events are.
    chunks[7][HEADER..].fill(0);
    let bytes = chunks.concat();
    let read = |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| read_bytes(&bytes));
    let whole = read(1).unwrap();
    assert_eq!(check(&whole), []);
    assert!(whole.samples.len() > 100 && whole.notes.count(kind::NOT_UNDERSTOOD) > 0, "{:?}", whole.notes);
    for threads in [2, 3, 8] {
        assert_eq!(read(threads).as_ref(), Ok(&whole), "{threads} threads");
    }
}

#[test]
fn a_read_ends_at_the_check_that_cancels_it_and_tells_all_bytes() {
    let bytes = (0..6).flat_map(|_| chunk(true, &classes(), events)).collect::<Vec<u8>>();
    let ticket = Ticket::new();
    read(&bytes, &ticket).unwrap();
    assert_eq!(ticket.progress().done, bytes.len() as u64);
    for last in 1..=ticket.checks() {
        assert!(read(&bytes, &Ticket::cancelled_at_check(last)).is_err_and(|error| error.is_cancelled()), "check {last}");
    }
}

#[test]
fn what_is_missing_is_counted() {
    let bytes = chunk(true, &classes(), |body| {
        events(body);
        body.event(SAMPLE, |event| {
            event.long(1600).long(5).long(44);
        });
        body.event(SAMPLE, |event| {
            event.long(1600).long(0).long(0);
        });
        body.event(LOSS, |event| {
            event.long(1700).long(4096);
        });
        // Its stack is not there any more.
        body.event(SAMPLE, |event| {
            event.long(1600);
        });
    });
    let profile = read_bytes(&bytes).unwrap();
    assert_eq!(profile.total(0), 5);
    assert_eq!(profile.notes.count(kind::NO_STACK), 2);
    assert_eq!(profile.notes.count(kind::LOST_EVENTS), 1);
    assert_eq!(profile.notes.count(kind::NOT_UNDERSTOOD), 2, "a stack and an event");
    assert_eq!((profile.info.tally.samples, profile.info.tally.skipped), (8, 1));
}

#[test]
fn broken_recordings_say_what_is_wrong_and_where() {
    let whole = chunk(true, &classes(), events);
    let error = |bytes: &[u8]| read_bytes(bytes).expect_err("it is broken").to_string();
    let mut old = whole.clone();
    old[5] = 0;
    assert!(error(&old).contains("version 1 or 2, found 0.1: files of JDK 8") && error(&old).contains("0x4"), "{}", error(&old));
    assert!(error(&whole[..40]).contains("header of a chunk"), "{}", error(&whole[..40]));
    assert!(error(&whole[..HEADER + 30]).contains("no metadata"), "{}", error(&whole[..HEADER + 30]));
    let mut circle = classes();
    circle.push(("app.Circle", 200, vec![("inner", 200, false, false, None)]));
    assert!(error(&chunk(true, &circle, events)).contains("holds itself"));
    let mut unknown = classes();
    unknown.push(("app.Unknown", 200, vec![("inner", 4711, false, false, None)]));
    assert!(error(&chunk(true, &unknown, events)).contains("no class that is known"));
    // A last chunk that is still written has no size.
    let mut unfinished = whole.clone();
    unfinished[8..16].fill(0);
    let profile = read_bytes(&unfinished).unwrap();
    assert_eq!((profile.samples.len(), profile.notes.count(kind::TRUNCATED)), (5, 1));
}

#[test]
fn damage_ends_in_a_result_or_an_error() {
    for packed in [true, false] {
        let whole = [chunk(packed, &classes(), events), chunk(packed, &classes(), events)].concat();
        for end in 0..whole.len() {
            drop(read_bytes(&whole[..end]).map(|profile| assert_eq!(check(&profile), [])));
        }
        let mut seed = 5_u64;
        let mut below = |limit: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % limit
        };
        for _ in 0..2000 {
            let mut damaged = whole.clone();
            for _ in 0..=below(4) {
                let at = below(damaged.len());
                damaged[at] = [0, 0xff, 0x7f, 0x80, below(256) as u8][below(5)];
            }
            drop(read_bytes(&damaged).map(|profile| assert_eq!(check(&profile), [])));
        }
    }
}

/// Structures without fields take no bytes, so any number of them fits anywhere: they are not gone through one by one.
#[test]
fn endless_lists_of_nothing_take_no_time() {
    let mut hollow = classes();
    hollow.push(("app.Nothing", 200, vec![]));
    hollow.push(("app.Lists", 201, vec![("lists", 200, true, false, None); 8]));
    hollow.push(("app.Event", 202, vec![("all", 201, true, false, None)]));
    let bytes = chunk(true, &hollow, |body| {
        events(body);
        body.event(202, |event| {
            event.int(1000);
            for _ in 0..8000 {
                event.int(i64::from(i32::MAX));
            }
        });
        // And one with a stack, so that its fields are looked at.
        events(body);
    });
    assert_eq!(read_bytes(&bytes).unwrap().total(0), 6);
    let mut stacked = hollow;
    stacked.push(("app.Stacked", 203, vec![("all", 201, true, false, None), ("stackTrace", STACK, false, true, None)]));
    let bytes = chunk(true, &stacked, |body| {
        body.event(203, |event| {
            event.int(1000);
            for _ in 0..8000 {
                event.int(i64::from(i32::MAX));
            }
            event.long(1);
        });
    });
    let profile = read_bytes(&bytes).unwrap();
    assert_eq!(totals(&profile), [("stacked", "count", 1)]);
}

const STATE: i64 = 14;
const RECORDING: i64 = 106;

/// Classes with a state in the profiler's samples, and these.
fn classes_with(more: &[(&'static str, i64, Vec<Field>)]) -> Vec<(&'static str, i64, Vec<Field>)> {
    let mut all = classes();
    for (_, id, fields) in &mut all {
        if *id == SAMPLE {
            fields.push(("state", STATE, false, true, None));
        }
    }
    all.push(("jdk.types.ThreadState", STATE, vec![("name", TEXT, false, false, None)]));
    all.push(("jdk.ActiveRecording", RECORDING, vec![]));
    all.extend_from_slice(more);
    all
}

/// Constants beside the usual ones: states, and threads with these keys.
fn more_constants(body: &mut Writer, threads: &[i64]) {
    body.event(CHECKPOINT, |event| {
        event.long(0).long(0).long(0).byte(1).int(2);
        event.long(STATE).int(2).long(1).text("STATE_RUNNABLE").long(2).text("STATE_SLEEPING");
        event.long(THREAD).int(threads.len() as i64);
        for &key in threads {
            event.long(key).text(&format!("thread {key}")).long(key).byte(0);
        }
    });
}

fn setting(body: &mut Writer, of: i64, name: &str, value: &str) {
    body.event(SETTING, |event| {
        event.long(1000).long(of).text(name).text(value).long(0);
    });
}

/// One sample of the profiler: tick, thread, state.
fn look(body: &mut Writer, ticks: i64, thread: i64, state: i64) {
    body.event(SAMPLE, |event| {
        event.long(ticks).long(thread).long(1).long(state);
    });
}

/// JDK 17 does not write the size of old objects; how long each event took is how long the search for all of them did.
#[test]
fn old_objects_without_a_size_are_counted() {
    let start = ("startTime", LONG, false, false, Some("TICKS"));
    let took = ("duration", LONG, false, false, Some("TICKS"));
    let (thread, stack) = (("eventThread", THREAD, false, true, None), ("stackTrace", STACK, false, true, None));
    let size = ("objectSize", LONG, false, false, None);
    let old = |size: Option<Field>| {
        let fields = [start, took, thread, stack].into_iter().chain(size).collect();
        let classes = classes_with(&[("jdk.OldObjectSample", 300, fields)]);
        read_bytes(&chunk(true, &classes, |body| {
            for ticks in [1100, 1100] {
                body.event(300, |event| {
                    event.long(ticks).long(23).long(5).long(1);
                    if size.is_some() {
                        event.long(64);
                    }
                });
            }
        }))
        .unwrap()
    };
    assert_eq!(totals(&old(None)), [("old-object-sample", "count", 2)]);
    assert_eq!(totals(&old(Some(size))), [("old-object-sample", "bytes", 128)]);
}

/// async-profiler's settings: `event` of the recording, `interval` of the samples (`writeSettings` in `flightRecorder.cpp`).
#[test]
fn samples_by_the_clock_on_the_wall_are_no_time_of_a_processor() {
    let recording = |event: &str, states: [i64; 3]| {
        chunk(true, &classes_with(&[]), |body| {
            setting(body, RECORDING, "event", event);
            setting(body, SAMPLE, "interval", "10000000");
            more_constants(body, &[]);
            for (at, state) in states.into_iter().enumerate() {
                look(body, 1100 + at as i64, 5, state);
            }
        })
    };
    let wall = read_bytes(&recording("wall", [1, 2, 2])).unwrap();
    assert_eq!(totals(&wall), [("samples", "count", 3), ("wall", "nanoseconds", 30_000_000)]);
    assert_eq!((wall.default_sample_type, wall.info.period.as_ref().map(|period| period.0.as_str())), (1, Some("wall")));
    assert_eq!(totals(&read_bytes(&recording("wall", [1, 1, 1])).unwrap())[1].0, "wall", "all of them ran");
    // Who sleeps uses no processor, whatever the settings say.
    assert_eq!(totals(&read_bytes(&recording("itimer", [1, 1, 2])).unwrap())[1].0, "wall");
    let cpu = recording("itimer", [1, 1, 1]);
    assert_eq!(totals(&read_bytes(&cpu).unwrap())[1], ("cpu", "nanoseconds", 30_000_000));
    let both = read_bytes(&[cpu, recording("wall", [2, 2, 2])].concat()).unwrap();
    assert_eq!(totals(&both), [("samples", "count", 6), ("cpu", "nanoseconds", 30_000_000), ("wall", "nanoseconds", 30_000_000)]);
}

/// async-profiler 4 has events of their own for the clock on the wall: each stands for as many looks as it says, and may stand beside those of the
/// processor, with an interval of its own (`-e cpu --wall 50ms`).
#[test]
fn events_of_the_clock_on_the_wall_are_a_sample_type_of_their_own() {
    const WALL: i64 = 107;
    const MALLOC: i64 = 108;
    let start = ("startTime", LONG, false, false, Some("TICKS"));
    let constant = |name, class| (name, class, false, true, None);
    let plain = |name, class| (name, class, false, false, None);
    let span = ("timeSpan", LONG, false, false, Some("TICKS"));
    let thread = constant("sampledThread", THREAD);
    let wall = vec![start, thread, constant("stackTrace", STACK), constant("state", STATE), plain("samples", INT), span];
    let malloc = vec![start, constant("eventThread", THREAD), constant("stackTrace", STACK), plain("address", LONG), plain("size", LONG)];
    let more = [("profiler.WallClockSample", WALL, wall), ("profiler.Malloc", MALLOC, malloc)];
    let recording = |event: &str, settings: &[(&str, &str)], looks: &[i64]| {
        let bytes = chunk(true, &classes_with(&more), |body| {
            setting(body, RECORDING, "event", event);
            for (name, value) in settings {
                setting(body, SAMPLE, name, value);
            }
            more_constants(body, &[]);
            for (at, state) in looks.iter().enumerate() {
                look(body, 1100 + at as i64, 5, *state);
            }
            for (ticks, state, samples) in [(1100, 1, 1), (1200, 2, 40)] {
                body.event(WALL, |event| {
                    event.long(ticks).long(5).long(1).long(state).int(samples).long(300);
                });
            }
            body.event(MALLOC, |event| {
                event.long(1150).long(5).long(1).long(0x7f00).long(4096);
            });
        });
        let profile = read_bytes(&bytes).unwrap();
        assert_eq!(check(&profile), []);
        profile
    };
    let alone = recording("wall", &[("interval", "20000000")], &[]);
    let malloc = ("malloc", "bytes", 4096);
    assert_eq!(totals(&alone), [("wall-samples", "count", 41), ("wall", "nanoseconds", 820_000_000), malloc]);
    assert_eq!((alone.default_sample_type, &alone.info.period), (1, &Some(("wall".to_owned(), "nanoseconds".to_owned(), 20_000_000))));
    assert_eq!(alone.sample_types[1].records, 2);
    let both = recording("cpu", &[("interval", "10000000"), ("wall", "50000000")], &[1, 1, 1]);
    let cpu = [("samples", "count", 3), ("cpu", "nanoseconds", 30_000_000)];
    let wall = [("wall-samples", "count", 41), ("wall", "nanoseconds", 2_050_000_000)];
    assert_eq!(totals(&both), [&cpu[..], &wall[..], &[malloc]].concat());
    assert_eq!((both.default_sample_type, both.info.period.as_ref().map(|period| period.2)), (1, Some(10_000_000)));
    // Without an interval they are counted: a guess would be worse.
    let without = recording("cpu", &[("interval", "10000000")], &[1]);
    assert_eq!(totals(&without)[2..], [("wall-samples", "count", 41), malloc]);
}

/// `jdk.CPUTimeSample` of JDK 25: off unless asked for, and each says its own period, which other events have none of.
#[test]
fn samples_by_time_on_the_processor_are_shown_first() {
    const CPU_TIME: i64 = 109;
    let start = ("startTime", LONG, false, false, Some("TICKS"));
    let constant = |name, class| (name, class, false, true, None);
    let period = ("samplingPeriod", LONG, false, false, Some("TICKS"));
    let fields =
        vec![start, constant("stackTrace", STACK), constant("eventThread", THREAD), ("failed", BOOLEAN, false, false, None), period];
    let bytes = chunk(true, &classes_with(&[("jdk.CPUTimeSample", CPU_TIME, fields)]), |body| {
        setting(body, SAMPLE, "period", "20 ms");
        more_constants(body, &[]);
        for ticks in [1100, 1200, 1300] {
            look(body, ticks, 5, 1);
        }
        for (ticks, stack, period) in [(1100, 1, 300), (1200, 0, 500)] {
            body.event(CPU_TIME, |event| {
                event.long(ticks).long(stack).long(5).byte(u8::from(stack == 0)).long(period);
            });
        }
    });
    let profile = read_bytes(&bytes).unwrap();
    assert_eq!(check(&profile), []);
    let all = totals(&profile);
    assert_eq!(all[..2], [("samples", "count", 3), ("cpu", "nanoseconds", 60_000_000)]);
    assert_eq!((all[2].0, all[2].1, profile.default_sample_type), ("cpu-time-sample", "nanoseconds", 2));
    assert_eq!((profile.sample_types[2].records, profile.notes.count(kind::NO_STACK), &profile.info.period), (2, 1, &None));
}

#[test]
fn stacks_in_the_part_that_was_cut_off_are_said_to_be_there() {
    let mut body = Writer { bytes: Vec::new(), packed: true };
    metadata(&mut body, &classes());
    events(&mut body);
    let cut = HEADER + body.bytes.len();
    constants(&mut body);
    let mut header = Writer::default();
    header.bytes.extend_from_slice(b"FLR\0\0\x02\0\x01");
    header.long((HEADER + body.bytes.len()) as i64).long(0).long(HEADER as i64);
    header.long(100_000_000_000).long(2_000_000_000).long(1000).long(1000).int(1);
    header.bytes.extend_from_slice(&body.bytes);
    let profile = read_bytes(&header.bytes[..cut]).unwrap();
    assert_eq!(totals(&profile)[0], ("samples", "count", 3));
    assert_eq!((profile.notes.count(kind::SKIPPED), profile.notes.count(kind::NO_STACK)), (0, 0));
    let note = profile.notes.iter().find(|note| note.text.contains("cut off")).unwrap();
    assert_eq!((note.kind, note.count), (kind::TRUNCATED, 5));
}

#[test]
fn threads_run_at_once_where_their_times_overlap_and_only_samples_of_the_profiler_are_meant() {
    let threads: Vec<i64> = (30..37).collect();
    let recording = |threads: &[i64], ticks: fn(usize) -> [i64; 2]| {
        chunk(true, &classes_with(&[]), |body| {
            setting(body, SAMPLE, "period", "20 ms");
            more_constants(body, threads);
            for (row, &thread) in threads.iter().enumerate() {
                for ticks in ticks(row) {
                    look(body, ticks, thread, 1);
                }
            }
            body.event(PARK, |event| {
                event.long(1400).long(500).long(5).long(1).long(7);
            });
        })
    };
    let count = |bytes: &[u8]| read_bytes(bytes).unwrap().notes.count(kind::GUESSED);
    assert_eq!(count(&recording(&threads, |_| [1100, 1200])), 14, "seven threads, each seen twice, and a park that is not meant");
    assert_eq!(count(&recording(&threads, |row| [1100 + 10 * row as i64, 1105 + 10 * row as i64])), 0, "one after the other");
    let two = [recording(&threads[..4], |_| [1100, 1200]), recording(&threads[4..], |_| [1100, 1200])].concat();
    assert_eq!(count(&two), 0, "two recordings of three and four threads");
}

#[test]
fn runs_of_capitals_in_names_of_events_are_words() {
    let start = ("startTime", LONG, false, false, Some("TICKS"));
    let stack = ("stackTrace", STACK, false, true, None);
    let names = ["jdk.ObjectAllocationOutsideTLAB", "jdk.SystemGC", "jdk.GCPhasePauseLevel1", "app.My2ndURLLoader"];
    let more: Vec<_> = names.into_iter().zip(300..).map(|(name, id)| (name, id, vec![start, stack])).collect();
    let profile = read_bytes(&chunk(true, &classes_with(&more), |body| {
        for id in 300..304 {
            body.event(id, |event| {
                event.long(1100).long(1);
            });
        }
    }))
    .unwrap();
    let names: Vec<_> = totals(&profile).iter().map(|kind| kind.0).collect();
    assert_eq!(names, ["object-allocation-outside-tlab", "system-gc", "gc-phase-pause-level1", "my2nd-url-loader"]);
}
