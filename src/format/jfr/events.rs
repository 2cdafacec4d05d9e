//! The events of a chunk: those with a stack become samples, some others say what the recording is of.
//!
//! Start reading at [`Events::read`].

use rustc_hash::FxHashMap;

use super::pools::Pools;
use super::types::{Got, Tick, Types, Wanted};
use super::values::{Bad, Values};
use super::{Chunk, Draft, Row};
use crate::base::intern::StringId;
use crate::model::{Frame, FrameId, Function, Label, LabelSetId, LabelValue, Mapping, StackId, Thread, ThreadId, Unit, parse_human};

/// Name of what stands at the root of stacks of which the outermost frames were not recorded.
const CUT: &str = "[truncated stack]";

/// Objects that were still there at the end.
const OLD_OBJECT: &str = "jdk.OldObjectSample";

/// State of threads that wait, as async-profiler names it. It looks at those only by the clock on the wall.
const SLEEPING: &str = "STATE_SLEEPING";

/// Fields that say how much a sample stands for, the first one that a class has, with the unit.
const WEIGHTS: [(&str, &str); 6] = [
    ("samplingPeriod", "nanoseconds"),
    ("samples", "count"),
    ("weight", "bytes"),
    ("tlabSize", "bytes"),
    ("allocationSize", "bytes"),
    ("objectSize", "bytes"),
];

/// Fields that are kept as labels beside those that name a class, with the label's key.
const LABELS: [(&str, &str); 3] = [("state", "state"), ("path", "path"), ("host", "host")];

/// Fields of events with a stack; the last one is that which weighs the event, see [`WEIGHTS`].
const FIELDS: [&str; 13] = [
    "startTime",
    "duration",
    "eventThread",
    "sampledThread",
    "stackTrace",
    "state",
    "path",
    "host",
    "objectClass",
    "monitorClass",
    "parkedClass",
    "thrownClass",
    "",
];

/// What is done with the events of a class.
enum Plan {
    Sample {
        column: usize,
        wanted: Wanted<13>,
        /// What the field that weighs it is in.
        weight: Tick,
        duration: Tick,
    },
    /// Texts that become facts: for each the key and the field.
    Facts(Vec<(&'static str, Wanted<1>)>),
    Setting(Wanted<3>),
    Loss(Wanted<1>),
    Nothing,
}

/// Facts about the machine and the program: event, field, key.
const FACTS: [(&str, &str, &str); 6] = [
    ("jdk.JVMInformation", "jvmName", "jvm"),
    ("jdk.JVMInformation", "jvmVersion", "jvm version"),
    ("jdk.JVMInformation", "javaArguments", "command"),
    ("jdk.OSInformation", "osVersion", "os"),
    ("jdk.CPUInformation", "description", "cpu"),
    ("jdk.CPUInformation", "hwThreads", "cpus"),
];

/// The stack that an event names.
#[derive(Clone, Copy, Default)]
struct Named {
    stack: Option<StackId>,
    /// The file does not hold it, or not whole.
    is_lost: bool,
}

/// Reads events of one chunk.
pub(super) struct Events<'c, 'a> {
    chunk: &'c Chunk<'a>,
    types: &'c Types,
    pools: &'c Pools<'a>,
    plans: FxHashMap<i64, Plan>,
    stacks: FxHashMap<i64, Named>,
    frames: FxHashMap<(i64, i64, i64), FrameId>,
    threads: FxHashMap<i64, Option<ThreadId>>,
    class_labels: FxHashMap<i64, Option<Label>>,
    /// Class of stacks, and how their frames are read.
    stack: Option<(usize, Wanted<3>)>,
    /// Scratch: frames of the stack at hand, the innermost first.
    found: Vec<FrameId>,
    labels: Vec<Label>,
}

impl<'c, 'a> Events<'c, 'a> {
    pub(super) fn new(chunk: &'c Chunk<'a>, types: &'c Types, pools: &'c Pools<'a>) -> Self {
        let frames = |class: usize| types.class(class)?.fields.iter().find(|field| field.name == "frames").map(|field| field.class);
        let wanted = |class: usize| Some((class, types.wanted(frames(class)?, ["method", "lineNumber", "type"])));
        Self {
            stack: pools.stack_class.and_then(wanted),
            class_labels: FxHashMap::default(),
            chunk,
            types,
            pools,
            plans: FxHashMap::default(),
            stacks: FxHashMap::default(),
            frames: FxHashMap::default(),
            threads: FxHashMap::default(),
            found: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Takes in one event, behind its size and its type.
    pub(super) fn read(&mut self, id: i64, values: &mut Values<'a>, draft: &mut Draft) -> Result<(), Bad> {
        if !self.plans.contains_key(&id) {
            let plan = self.plan(id, draft);
            self.plans.insert(id, plan);
        }
        match self.plans.get(&id) {
            Some(Plan::Sample { column, wanted, weight, duration }) => {
                let (column, ticks) = (*column, [*weight, *duration]);
                let got = self.types.get(wanted, values)?;
                self.sample(column, got, ticks, draft);
            }
            Some(Plan::Facts(facts)) => {
                for (key, wanted) in facts {
                    let [got] = self.types.get(wanted, &mut values.clone())?;
                    let text = match &got {
                        Got::Text(text) => self.pools.text(text).map(fact),
                        Got::Number(number) => Some(number.to_string()),
                        _ => None,
                    };
                    draft.fact(key, text.unwrap_or_default());
                }
            }
            Some(Plan::Setting(wanted)) => {
                let [event, name, value] = self.types.get(wanted, values)?;
                if let (Some(event), Got::Text(name), Got::Text(value)) = (number(&event), &name, &value) {
                    let (name, value) = (self.pools.text(name), self.pools.text(value));
                    self.setting(event, name.unwrap_or_default(), value.unwrap_or_default(), draft);
                }
            }
            Some(Plan::Loss(wanted)) => {
                let [amount] = self.types.get(wanted, values)?;
                draft.lost.0 += 1;
                draft.lost.1 = draft.lost.1.saturating_add(number(&amount).and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0));
            }
            Some(Plan::Nothing) | None => {}
        }
        Ok(())
    }

    /// True where events of that class are samples.
    pub(super) fn is_sample(&self, id: i64) -> bool {
        matches!(self.plans.get(&id), Some(Plan::Sample { .. }))
    }

    fn plan(&self, id: i64, draft: &mut Draft) -> Plan {
        let Some(row) = self.types.row(id) else { return Plan::Nothing };
        let Some(class) = self.types.class(row) else { return Plan::Nothing };
        match class.name.as_str() {
            "jdk.ActiveSetting" => return Plan::Setting(self.types.wanted(row, ["id", "name", "value"])),
            "jdk.DataLoss" => return Plan::Loss(self.types.wanted(row, ["amount"])),
            _ => {}
        }
        let facts = FACTS.iter().filter(|(event, ..)| *event == class.name);
        let facts: Vec<_> = facts.map(|(_, field, key)| (*key, self.types.wanted(row, [*field]))).collect();
        if !facts.is_empty() {
            return Plan::Facts(facts);
        }
        let field = |name: &str| class.fields.iter().find(|field| field.name == name);
        if field("stackTrace").is_some_and(|field| field.is_constant) {
            let weight = WEIGHTS.iter().find_map(|(name, unit)| Some((field(name)?, *name, *unit)));
            // Native memory of async-profiler; a size of other events is that of something else.
            let size = field("size").filter(|_| class.name == "profiler.Malloc").map(|field| (field, "size", "bytes"));
            let weight = weight.or(size);
            // An old object has no length: it is that of the search that found all of them, the same in each (`ObjectSampleCheckpoint` of the JVM).
            let duration = field("duration").filter(|_| class.name != OLD_OBJECT).map_or(Tick::None, |field| field.tick);
            let unit = match weight {
                Some((_, _, unit)) => unit,
                None if duration == Tick::None => "count",
                None => "nanoseconds",
            };
            let column = draft.column(&class.name, unit);
            let is_span = weight.is_none() && duration != Tick::None;
            if let Some(column) = draft.columns.get_mut(column) {
                column.is_span = is_span;
            }
            let mut fields = FIELDS;
            let [.., last] = &mut fields;
            *last = weight.map_or("", |(_, name, _)| name);
            let weight = weight.map_or(Tick::None, |(field, ..)| field.tick);
            return Plan::Sample { column, wanted: self.types.wanted(row, fields), weight, duration };
        }
        Plan::Nothing
    }

    /// How often the program is looked at: `period` of the JVM (`20 ms`), `interval` and `wall` of async-profiler (nanoseconds); and by which clock, which
    /// async-profiler says as the `event` of the recording (`writeSettings` in `flightRecorder.cpp`).
    fn setting(&self, event: i64, name: &str, value: &str, draft: &mut Draft) {
        let class = self.types.row(event).and_then(|row| self.types.class(row)).map(|class| class.name.as_str());
        if class == Some("jdk.ActiveRecording") && name == "event" {
            draft.is_wall = Some(value == "wall");
        }
        let is_of_wall = class == Some(super::WALL_CLOCK) || name == "wall";
        if class != Some(super::EXECUTION) && !is_of_wall {
            return;
        }
        let nanos = match (name, parse_human(value)) {
            ("period" | "interval", Some((nanos, Unit::Time(_)))) => nanos,
            ("interval" | "wall", Some((nanos, _))) if value.bytes().all(|byte| byte.is_ascii_digit()) => nanos,
            _ => return,
        };
        if nanos >= 1.0 && is_of_wall {
            draft.wall_interval = Some(nanos as i64);
        } else if nanos >= 1.0 {
            draft.interval = Some(nanos as i64);
            if name == "period" {
                draft.is_of_jvm = true;
                // Unless async-profiler records beside it (`--jfrsync`).
                draft.is_wall.get_or_insert(false);
            }
        }
    }

    fn sample(&mut self, column: usize, got: [Got<'a>; 13], [weight, duration]: [Tick; 2], draft: &mut Draft) {
        let [start, took, thread, sampled, stack, state, path, host, classes @ .., weighed] = got;
        let value = match (number(&weighed), number(&took)) {
            (Some(value), _) => self.chunk.clock.nanos(value, weight),
            (None, Some(took)) if duration != Tick::None => self.chunk.clock.nanos(took, duration),
            _ => 1,
        };
        let thread = [sampled, thread].into_iter().find_map(|got| if let Got::Constant(_, key) = got { Some(key) } else { None });
        let stack = match stack {
            Got::Constant(_, key) if key != 0 => self.stack(key, draft),
            _ => Named::default(),
        };
        self.labels.clear();
        for (got, (_, key)) in [state, path, host].iter().zip(LABELS) {
            let text = match got {
                Got::Constant(class, key) => self.pools.constant_text(*class, *key),
                Got::Text(text) => self.pools.text(text),
                _ => None,
            };
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                draft.sleeps |= text == SLEEPING && draft.columns.get(column).is_some_and(|column| column.event == super::EXECUTION);
                self.labels.push(label(draft, key, text));
            }
        }
        for class in classes {
            if let Got::Constant(_, key) = class {
                let pools = self.pools;
                let known = self.class_labels.entry(key);
                self.labels.extend(*known.or_insert_with(|| pools.class_name(key).map(|name| label(draft, "class", &name))));
            }
        }
        let labels: Option<LabelSetId> = draft.builder.rows.label_set(&self.labels);
        let thread = thread.and_then(|key| self.thread(key, draft));
        let time = number(&start).map(|ticks| self.chunk.clock.time(ticks));
        draft.rows.push(Row { column, stack: stack.stack, is_lost: stack.is_lost, thread, labels, time, value });
    }

    fn thread(&mut self, key: i64, draft: &mut Draft) -> Option<ThreadId> {
        if let Some(&known) = self.threads.get(&key) {
            return known;
        }
        let made = self.pools.thread(key).map(|thread| {
            let [system, java] = thread.numbers;
            let name = thread.names.iter().flatten().find(|name| !name.is_empty());
            let name = name.map_or_else(|| format!("thread {java}"), |name| name.clone().into_owned());
            let name = draft.builder.string(&name);
            draft.builder.thread(Thread { pid: None, tid: i32::try_from(system).ok().filter(|tid| *tid > 0), name })
        });
        self.threads.insert(key, made);
        made
    }

    /// The stack of that key. Those that are not there are counted.
    fn stack(&mut self, key: i64, draft: &mut Draft) -> Named {
        if let Some(&known) = self.stacks.get(&key) {
            return known;
        }
        let made = if let Some(Ok(stack)) = self.pools.stack(key).map(|mut values| self.read_stack(&mut values, draft)) {
            Named { stack, is_lost: false }
        } else {
            draft.missing_stacks += 1;
            Named { stack: None, is_lost: true }
        };
        self.stacks.insert(key, made);
        made
    }

    fn read_stack(&mut self, values: &mut Values<'a>, draft: &mut Draft) -> Result<Option<StackId>, Bad> {
        let Some((class, wanted)) = self.stack.take() else { return Ok(None) };
        let mut is_cut = false;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let types = self.types;
        let cut = |field: &super::types::Field, got: Got<'a>| is_cut |= field.name == "truncated" && number(&got) == Some(1);
        let result = types.list((class, "frames"), values, cut, |values| {
            let [method, line, kind] = types.get(&wanted, values)?;
            found.push(self.frame(&method, number(&line).unwrap_or(0), &kind, draft));
            Ok(())
        });
        let mut stack = None;
        if is_cut {
            let function = draft.builder.function_named(CUT);
            let frame = draft.builder.frame(Frame { function: Some(function), ..Frame::default() });
            stack = Some(draft.builder.stack(None, frame));
        }
        for &frame in found.iter().rev() {
            stack = Some(draft.builder.stack(stack, frame));
        }
        self.found = found;
        self.stack = Some((class, wanted));
        result.map(|()| stack)
    }

    fn frame(&mut self, method: &Got<'_>, line: i64, kind: &Got<'_>, draft: &mut Draft) -> FrameId {
        let key = |got: &Got<'_>| if let Got::Constant(_, key) = got { *key } else { 0 };
        let keys = (key(method), line, key(kind));
        if let Some(&known) = self.frames.get(&keys) {
            return known;
        }
        let kind = if let Got::Constant(class, key) = kind { self.pools.constant_text(*class, *key) } else { None }.unwrap_or_default();
        let method = self.pools.method(keys.0).unwrap_or_default();
        let name = method.name.and_then(|key| self.pools.symbol(key));
        let class = method.class.and_then(|key| self.pools.class_name(key)).filter(|class| !class.is_empty());
        let (text, system) = match (class, name) {
            (Some(class), Some(name)) => {
                let descriptor = method.descriptor.and_then(|key| self.pools.symbol(key)).filter(|text| !text.is_empty());
                (format!("{class}.{name}"), descriptor.map(|descriptor| format!("{class}.{name}{descriptor}")))
            }
            (Some(class), None) => (class, None),
            (None, Some(name)) => (name.to_owned(), None),
            (None, None) => {
                draft.missing_methods += 1;
                ("[unknown]".to_owned(), None)
            }
        };
        let builder = &mut draft.builder;
        let system_name: Option<StringId> = system.map(|system| builder.string(&system));
        let name = builder.string(&text);
        let function = builder.function(Function { name, system_name, file: None, start_line: 0 });
        let mapping = (kind == "Kernel").then(|| {
            let file = Some(builder.string("[kernel]"));
            builder.mapping(Mapping { file, ..Mapping::default() })
        });
        let line = u32::try_from(line).unwrap_or(0);
        let made = builder.frame(Frame { function: Some(function), mapping, line, inlined: kind == "Inlined", ..Frame::default() });
        self.frames.insert(keys, made);
        made
    }
}

/// What a person wants of a description: `Debian GNU/Linux 12 (bookworm)`, `Intel(R) Xeon(R) Processor`; its first line where it is none of those.
fn fact(text: &str) -> String {
    let between = |from: &str, to: char| text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(inside, _)| inside);
    let found = between("PRETTY_NAME=\"", '"').or_else(|| between("Brand: ", ','));
    found.unwrap_or_else(|| text.lines().next().unwrap_or_default()).trim().to_owned()
}

fn number(got: &Got<'_>) -> Option<i64> {
    if let Got::Number(number) = got { Some(*number) } else { None }
}

fn label(draft: &mut Draft, key: &str, text: &str) -> Label {
    let key = draft.builder.string(key);
    Label { key, value: LabelValue::Text(draft.builder.string(text)) }
}
