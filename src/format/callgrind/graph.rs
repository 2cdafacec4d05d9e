//! The file's lines as a graph: functions with the costs of their lines, and calls with what they cost.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::NAME;
use super::signed::{Event, unit};
use crate::base::discard::Unfinished;
use crate::base::table::RowTable;
use crate::base::ticket::{Checked as _, Ticket, Watch};
use crate::format::ReadError;
use crate::format::text::{self, Lines};
use crate::model::{Builder, StringId, ThreadId, kind};

/// Lines between two looks at the cancel switch.
const LINES_PER_CHECK: usize = 4096;

/// Most event types, positions and the like in one line.
const MAX_NUMBERS: usize = 64;

/// Which function: thread, object, file, name.
type Key = (Option<ThreadId>, Option<StringId>, Option<StringId>, StringId);

/// A function.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) thread: Option<ThreadId>,
    pub(super) object: Option<StringId>,
    pub(super) file: Option<StringId>,
    pub(super) name: StringId,
}

/// What one place of a function costs by itself.
pub(super) struct Line {
    pub(super) file: Option<StringId>,
    pub(super) line: u32,
    pub(super) address: Option<u64>,
    /// Row of [`Graph::line_costs`].
    pub(super) costs: usize,
}

/// Calls from one line of a function to another.
pub(super) struct Call {
    pub(super) callee: usize,
    pub(super) line: u32,
    /// Row of [`Graph::call_costs`]: inclusive.
    pub(super) costs: usize,
}

/// All of a file. Large tables of small rows instead of lists in lists, so that a cancelled reader is gone at once.
pub(super) struct Graph {
    pub(super) builder: Builder,
    pub(super) nodes: Unfinished<Vec<Node>>,
    /// Lines of each function.
    pub(super) lines: Grouped<Line>,
    /// Calls out of each function.
    pub(super) calls: Grouped<Call>,
    pub(super) line_costs: Costs,
    pub(super) call_costs: Costs,
    /// Columns of each event.
    pub(super) events: Vec<Event>,
    /// Cost lines in the file.
    pub(super) cost_lines: u64,
}

/// Numbers by row and event, or column of an event (see [`Event`]).
#[derive(Clone, Default)]
pub(super) struct Table<T: Send + 'static> {
    events: usize,
    cells: Unfinished<Vec<T>>,
}

/// Costs as the file says them.
pub(super) type Costs = Table<u64>;

impl<T: Copy + Default + Send + 'static> Table<T> {
    /// So many rows of zeros.
    pub(super) fn zeros(rows: usize, events: usize) -> Self {
        Self { events, cells: Unfinished::new(vec![T::default(); rows * events]) }
    }

    /// The numbers of a row, by event.
    pub(super) fn row(&self, row: usize) -> &[T] {
        self.cells.get(row * self.events..(row + 1) * self.events).unwrap_or(&[])
    }

    /// The same to be changed.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [T] {
        self.cells.get_mut(row * self.events..(row + 1) * self.events).unwrap_or(&mut [])
    }

    /// Number of columns.
    pub(super) const fn events(&self) -> usize {
        self.events
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        self.cells.len().checked_div(self.events).unwrap_or(0)
    }

    fn push(&mut self) -> usize {
        let row = self.rows();
        let cells = self.cells.len() + self.events;
        self.cells.resize(cells, T::default());
        row
    }

    /// Adds columns of zeros: a later part of a file may count more.
    fn widen(&mut self, events: usize) {
        if events > self.events && !self.cells.is_empty() {
            let mut wide = Vec::with_capacity(self.cells.len() / self.events * events);
            for row in self.cells.chunks(self.events) {
                wide.extend_from_slice(row);
                wide.resize(wide.len() + events - self.events, T::default());
            }
            *self.cells = wide;
        }
        self.events = self.events.max(events);
    }
}

impl Costs {
    /// Adds to the numbers of a row.
    pub(super) fn add(&mut self, row: usize, costs: &[u64]) {
        for (sum, &cost) in self.row_mut(row).iter_mut().zip(costs) {
            *sum = sum.saturating_add(cost);
        }
    }
}

/// Rows of each function, one after the other.
pub(super) struct Grouped<T: Send + 'static> {
    rows: Unfinished<Vec<T>>,
    /// Where the rows of each function end.
    ends: Unfinished<Vec<usize>>,
}

impl<T: Send + 'static> Grouped<T> {
    /// Rows, each with its function, by function and in an order in it.
    pub(super) fn new(mut found: Unfinished<Vec<(usize, T)>>, nodes: usize, order: impl Fn(&T, &T) -> Ordering) -> Self {
        let mut ends = Unfinished::new(vec![0; nodes]);
        for (node, _) in found.iter().checked() {
            ends.get_mut(*node).into_iter().for_each(|count| *count += 1);
        }
        let mut before = 0;
        for end in ends.iter_mut() {
            before += *end;
            *end = before;
        }
        let watch = Watch::new();
        found.sort_by(|one, other| {
            watch.step();
            one.0.cmp(&other.0).then_with(|| order(&one.1, &other.1))
        });
        Self { rows: found.keep().into_iter().checked().map(|row| row.1).collect(), ends }
    }

    /// The rows of a function.
    pub(super) fn of(&self, node: usize) -> &[T] {
        let start = node.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(node).and_then(|&end| self.rows.get(start..end)).unwrap_or(&[])
    }

    /// Number of all rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Number of functions, or of what else the rows belong to.
    pub(super) fn groups(&self) -> usize {
        self.ends.len()
    }
}

/// Reads the text.
pub(super) fn read(bytes: &[u8], ticket: &Ticket) -> Result<Graph, ReadError> {
    let text = text::decode(bytes);
    let mut reader = Reader::new(text.base);
    reader.builder.notes.absorb(&text.notes);
    let mut counted = 0;
    for (number, (at, line)) in Lines::new(&text.bytes).enumerate() {
        if number.is_multiple_of(LINES_PER_CHECK) {
            ticket.advance((at - counted) as u64)?;
            counted = at;
        }
        reader.line(at, line)?;
    }
    reader.finish()
}

/// Names that were given a number, by kind of name.
#[derive(Default)]
struct Names(FxHashMap<u64, StringId>);

/// Which place a name is for.
#[derive(Clone, Copy)]
enum Position {
    Object,
    File,
    /// A file inside a function: code that was inlined, or the way back from it.
    Part,
    Function,
    CalledObject,
    CalledFile,
    CalledFunction,
    /// Where a jump leads to. Not used, but what is named first there is only a number later.
    JumpObject,
    JumpFile,
    JumpFunction,
}

/// The object or the file of what is called next.
#[derive(Clone, Copy, Default)]
enum Callee {
    /// The file says nothing: that of the caller.
    #[default]
    AsCaller,
    /// What the file says, `None` for `???`.
    Said(Option<StringId>),
}

impl Callee {
    /// Whose it is; what follows is as its caller again.
    const fn take(&mut self, callers: Option<StringId>) -> Option<StringId> {
        match std::mem::replace(self, Self::AsCaller) {
            Self::AsCaller => callers,
            Self::Said(said) => said,
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each says what lines of the part look like")]
struct Reader {
    builder: Builder,
    nodes: Unfinished<Vec<Node>>,
    /// Rows of `nodes`.
    known: Unfinished<RowTable>,
    /// Rows of `lines` and of `calls`, which are those of `line_costs` and of `call_costs`.
    known_lines: Unfinished<RowTable>,
    known_calls: Unfinished<RowTable>,
    /// In the order of the file, each with its function.
    lines: Unfinished<Vec<(usize, Line)>>,
    calls: Unfinished<Vec<(usize, Call)>>,
    line_costs: Costs,
    call_costs: Costs,
    names: [Names; 3],
    /// Each event of the current part, and what its numbers are multiplied by.
    columns: Vec<(usize, u64)>,
    events: Vec<Event>,
    /// Number of columns of all events.
    width: usize,
    /// Cost lines with a negative cost.
    negative: u64,
    /// Whether cost lines begin with an address, and with a line.
    has_address: bool,
    has_line: bool,
    other_positions: usize,
    thread: Option<ThreadId>,
    pid: Option<i32>,
    object: Option<StringId>,
    /// File of the function, and of the lines that follow.
    file: Option<StringId>,
    part: Option<StringId>,
    function: Option<usize>,
    called_object: Callee,
    called_file: Callee,
    called: Option<StringId>,
    /// The next cost line is that of a call.
    is_call: bool,
    last: [u64; 3],
    cost_lines: u64,
    /// Sums of the cost lines, and those that the file states.
    sums: Vec<i128>,
    stated: Vec<i128>,
    /// What the part says at its beginning or end (`summary:`), by event; empty once its last line (`totals:`) says it exactly.
    summary: Vec<i128>,
    /// True where a part has a summary alone.
    is_summary: bool,
    base: u64,
    invalid: u64,
}

impl Reader {
    fn new(base: u64) -> Self {
        let mut builder = Builder::default();
        NAME.clone_into(&mut builder.info.format);
        Self {
            builder,
            nodes: Unfinished::default(),
            known: Unfinished::default(),
            known_lines: Unfinished::default(),
            known_calls: Unfinished::default(),
            lines: Unfinished::default(),
            calls: Unfinished::default(),
            line_costs: Costs::default(),
            call_costs: Costs::default(),
            names: Default::default(),
            columns: Vec::new(),
            events: Vec::new(),
            width: 0,
            negative: 0,
            has_address: false,
            has_line: true,
            other_positions: 0,
            thread: None,
            pid: None,
            object: None,
            file: None,
            part: None,
            function: None,
            called_object: Callee::AsCaller,
            called_file: Callee::AsCaller,
            called: None,
            is_call: false,
            last: [0; 3],
            cost_lines: 0,
            sums: Vec::new(),
            stated: Vec::new(),
            summary: Vec::new(),
            is_summary: false,
            base,
            invalid: 0,
        }
    }

    fn error(&self, at: usize, doing: &'static str, what: impl Into<String>) -> ReadError {
        ReadError::new(NAME, self.base + at as u64, doing, what)
    }

    fn line(&mut self, at: usize, line: &[u8]) -> Result<(), ReadError> {
        let line = line.trim_ascii();
        match line.first() {
            None | Some(b'#') => Ok(()),
            Some(b'0'..=b'9' | b'+' | b'-' | b'*') => self.costs(at, line),
            Some(_) => {
                let split = memchr::memchr2(b'=', b':', line);
                let Some((key, value)) = split.and_then(|split| Some((line.get(..split)?, line.get(split + 1..)?))) else {
                    self.not_understood(at);
                    return Ok(());
                };
                if line.get(key.len()) == Some(&b':') {
                    self.header(at, key, value.trim_ascii())
                } else {
                    self.position(at, key, value.trim_ascii())
                }
            }
        }
    }

    fn not_understood(&mut self, at: usize) {
        self.builder.notes.add(kind::NOT_UNDERSTOOD, "lines that are no part of the format", 1, Some(self.base + at as u64));
    }

    fn header(&mut self, at: usize, key: &[u8], value: &[u8]) -> Result<(), ReadError> {
        let text = String::from_utf8_lossy(value);
        let fact = |name: &str| Some((name.to_owned(), text.clone().into_owned()));
        let fact = match key {
            b"creator" => fact("tool"),
            b"cmd" => fact("command"),
            b"event" | b"desc" => fact(if key == b"event" { "event" } else { "description" }),
            b"pid" => {
                self.pid = text.parse().ok();
                fact("pid")
            }
            b"thread" => {
                let name = self.builder.string(&format!("thread {text}"));
                self.thread = Some(self.builder.thread(crate::model::Thread { pid: self.pid, tid: text.parse().ok(), name }));
                None
            }
            b"positions" => {
                let words: Vec<&str> = text.split_ascii_whitespace().take(MAX_NUMBERS).collect();
                self.has_address = words.contains(&"instr");
                self.has_line = words.contains(&"line");
                self.other_positions = words.iter().filter(|word| !["instr", "line"].contains(word)).count();
                None
            }
            b"events" => {
                // A part that ended without its totals counted what stood here before.
                if !self.columns.is_empty() {
                    self.take_summary();
                }
                self.columns.clear();
                for name in text.split_ascii_whitespace().take(MAX_NUMBERS) {
                    let (name, unit, factor) = unit(name);
                    let row = self.builder.sample_types.iter().position(|known| known.name == name && known.unit == unit);
                    let row = row.unwrap_or_else(|| {
                        let taken = self.add_column();
                        self.events.push(Event { taken, given_back: None });
                        self.builder.add_sample_type(name, unit)
                    });
                    self.columns.push((row, factor));
                }
                self.sums.resize(self.events.len(), 0);
                self.stated.resize(self.events.len(), 0);
                None
            }
            b"totals" => {
                self.summary.clear();
                self.state(&numbers(&text));
                None
            }
            b"summary" => {
                self.take_summary();
                self.summary = numbers(&text);
                None
            }
            b"version" if text.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_some_and(|major| major > 1) => {
                return Err(self.error(at, "the version", format!("wanted 0 or 1, found {text}")));
            }
            b"version" | b"part" => None,
            _ => {
                self.not_understood(at);
                None
            }
        };
        self.builder.info.facts.extend(fact.filter(|(_, text)| !text.is_empty()));
        Ok(())
    }

    fn add_column(&mut self) -> usize {
        self.width += 1;
        self.line_costs.widen(self.width);
        self.call_costs.widen(self.width);
        self.width - 1
    }

    /// Adds what a part says that its costs are in all.
    fn state(&mut self, numbers: &[i128]) {
        for (&(event, factor), number) in self.columns.iter().zip(numbers) {
            let number = number.saturating_mul(i128::from(factor));
            self.stated.get_mut(event).into_iter().for_each(|sum| *sum = sum.saturating_add(number));
        }
    }

    /// The summary of a part that ended without its totals.
    fn take_summary(&mut self) {
        let summary = std::mem::take(&mut self.summary);
        self.is_summary |= !summary.is_empty();
        self.state(&summary);
    }

    fn position(&mut self, at: usize, key: &[u8], value: &[u8]) -> Result<(), ReadError> {
        let position = match key {
            b"ob" => Position::Object,
            b"fl" => Position::File,
            b"fi" | b"fe" => Position::Part,
            b"fn" => Position::Function,
            b"cob" => Position::CalledObject,
            b"cfi" | b"cfl" => Position::CalledFile,
            b"cfn" => Position::CalledFunction,
            b"job" => Position::JumpObject,
            b"jfi" => Position::JumpFile,
            b"jfn" => Position::JumpFunction,
            b"calls" => {
                self.is_call = true;
                return Ok(());
            }
            // What follows is a position without costs.
            b"jump" | b"jcnd" => return Ok(()),
            _ => {
                self.not_understood(at);
                return Ok(());
            }
        };
        let name = self.name(at, position, value)?;
        match position {
            Position::Object => self.object = name,
            Position::File => (self.file, self.part) = (name, name),
            Position::Part => self.part = name,
            Position::Function => {
                // A new function is in the file that was named last.
                self.part = self.file;
                let name = name.unwrap_or_else(|| self.builder.string("???"));
                self.function = Some(self.node((self.thread, self.object, self.file, name)));
            }
            Position::CalledObject => self.called_object = Callee::Said(name),
            Position::CalledFile => self.called_file = Callee::Said(name),
            Position::CalledFunction => self.called = name,
            Position::JumpObject | Position::JumpFile | Position::JumpFunction => {}
        }
        Ok(())
    }

    /// A name as it is, one that gets a number, or the number of one. `None` for what is not known (`???`).
    fn name(&mut self, at: usize, position: Position, value: &[u8]) -> Result<Option<StringId>, ReadError> {
        let family = match position {
            Position::Object | Position::CalledObject | Position::JumpObject => 0,
            Position::File | Position::Part | Position::CalledFile | Position::JumpFile => 1,
            Position::Function | Position::CalledFunction | Position::JumpFunction => 2,
        };
        let number = value.strip_prefix(b"(").filter(|rest| rest.first().is_some_and(u8::is_ascii_digit)).and_then(|rest| {
            let end = memchr::memchr(b')', rest)?;
            Some((number(rest.get(..end)?)?, rest.get(end + 1..)?.trim_ascii()))
        });
        let (number, text) = number.map_or((None, value), |(number, text)| (Some(number), text));
        let names = self.names.get_mut(family).map(|names| &mut names.0);
        let id = match (number, text) {
            (Some(number), b"") => {
                let known = names.and_then(|names| names.get(&number)).copied();
                known.ok_or_else(|| self.error(at, "a name", format!("number {number} stands for no name so far")))?
            }
            (number, text) => {
                let id = self.builder.string(&text::lossy(text, &mut self.invalid));
                if let Some((number, names)) = number.zip(names) {
                    names.insert(number, id);
                }
                id
            }
        };
        let known = !matches!(self.builder.strings.get(id), "" | "???");
        Ok(Some(id).filter(|_| known || family == 2))
    }

    fn node(&mut self, key: Key) -> usize {
        let (thread, object, file, name) = key;
        let (hash, nodes) = (self.known.hash(key), &self.nodes);
        let same = |row: usize| nodes.get(row).is_some_and(|node| (node.thread, node.object, node.file, node.name) == key);
        self.known.find(hash, same).unwrap_or_else(|| {
            self.known.insert(hash, self.nodes.len());
            self.nodes.push(Node { thread, object, file, name });
            self.nodes.len() - 1
        })
    }

    /// A line of positions and costs: of the function itself, or after `calls=` of the call.
    fn costs(&mut self, at: usize, line: &[u8]) -> Result<(), ReadError> {
        if self.columns.is_empty() {
            return Err(self.error(at, "a cost line", "there is no line `events:` before it"));
        }
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let positions = [self.has_address, self.other_positions > 0, self.has_line];
        for (place, is_there) in positions.into_iter().enumerate() {
            let several = if place == 1 { self.other_positions } else { usize::from(is_there) };
            for _ in 0..several {
                let word = words.next().unwrap_or(b"");
                let last = self.last.get(place).copied().unwrap_or(0);
                let value = subposition(word, last).ok_or_else(|| {
                    self.error(
                        at,
                        "a cost line",
                        format!("wanted a position, found `{}`", String::from_utf8_lossy(word.get(..40).unwrap_or(word))),
                    )
                })?;
                self.last.get_mut(place).into_iter().for_each(|last| *last = value);
            }
        }
        let mut costs = vec![0; self.width];
        let mut is_negative = false;
        for (column, word) in words.enumerate() {
            let Some(&(event, factor)) = self.columns.get(column) else { break };
            let digits = word.strip_prefix(b"-");
            let cost = number(digits.unwrap_or(word)).ok_or_else(|| {
                self.error(at, "a cost line", format!("wanted a cost, found `{}`", String::from_utf8_lossy(word.get(..40).unwrap_or(word))))
            })?;
            let place = if digits.is_some() && cost > 0 {
                is_negative = true;
                self.given_back(event)
            } else {
                self.events.get(event).map_or(0, |event| event.taken)
            };
            costs.resize(self.width, 0);
            costs.get_mut(place).into_iter().for_each(|place| *place = cost.saturating_mul(factor));
        }
        self.negative += u64::from(is_negative);
        let Some(function) = self.function else {
            return Err(self.error(at, "a cost line", "there is no line `fn=` before it"));
        };
        let source = if self.has_line { u32::try_from(self.last[2]).unwrap_or(0) } else { 0 };
        if std::mem::take(&mut self.is_call) {
            self.call(at, function, source, &costs)
        } else {
            self.own(function, source, &costs);
            Ok(())
        }
    }

    /// The column of what lines give back of an event.
    fn given_back(&mut self, event: usize) -> usize {
        if let Some(column) = self.events.get(event).and_then(|event| event.given_back) {
            return column;
        }
        let column = self.add_column();
        self.events.get_mut(event).into_iter().for_each(|event| event.given_back = Some(column));
        column
    }

    fn own(&mut self, function: usize, line: u32, costs: &[u64]) {
        if costs.iter().all(|&cost| cost == 0) {
            // Where a jump starts, or code that ran without any of the counted events.
            return;
        }
        self.cost_lines += 1;
        for (sum, event) in self.sums.iter_mut().zip(&self.events) {
            *sum = sum.saturating_add(event.value(costs));
        }
        let address = self.has_address.then_some(self.last[0]);
        let key = (function, self.part, line, address);
        let (hash, lines) = (self.known_lines.hash(key), &self.lines);
        let same = |row: usize| lines.get(row).is_some_and(|(function, line)| (*function, line.file, line.line, line.address) == key);
        let row = self.known_lines.find(hash, same).unwrap_or_else(|| {
            self.known_lines.insert(hash, self.lines.len());
            let costs = self.line_costs.push();
            self.lines.push((function, Line { file: self.part, line, address, costs }));
            costs
        });
        self.line_costs.add(row, costs);
    }

    fn call(&mut self, at: usize, caller: usize, line: u32, costs: &[u64]) -> Result<(), ReadError> {
        let Some(name) = self.called.take() else {
            return Err(self.error(at, "the cost of a call", "there is no line `cfn=` before it"));
        };
        let (object, file) = (self.called_object.take(self.object), self.called_file.take(self.part));
        let callee = self.node((self.thread, object, file, name));
        let key = (caller, callee, line);
        let (hash, calls) = (self.known_calls.hash(key), &self.calls);
        let same = |row: usize| calls.get(row).is_some_and(|(caller, call)| (*caller, call.callee, call.line) == key);
        let row = self.known_calls.find(hash, same).unwrap_or_else(|| {
            self.known_calls.insert(hash, self.calls.len());
            let costs = self.call_costs.push();
            self.calls.push((caller, Call { callee, line, costs }));
            costs
        });
        self.call_costs.add(row, costs);
        Ok(())
    }

    fn finish(mut self) -> Result<Graph, ReadError> {
        if self.columns.is_empty() {
            return Err(self.error(0, "the header", "there is no line `events:`"));
        }
        self.take_summary();
        let is_xdebug = self.builder.info.fact("tool").is_some_and(|tool| tool.starts_with("xdebug"));
        for ((sum, stated), kind) in self.sums.iter().zip(&self.stated).zip(&self.builder.sample_types) {
            // Xdebug's summary of the memory is its peak (`zend_memory_peak_usage`).
            let is_sum = *stated != 0 && !(is_xdebug && kind.name == "Memory");
            if is_sum && sum != stated {
                let mut cause = format!("the cost lines of {} add up to {sum}, but the file says {stated} in all", kind.name);
                // With simulated caches Valgrind's summary is some counts above what the lines add up to.
                let is_far = sum.saturating_add(stated / 1000) < *stated;
                if self.is_summary && is_far {
                    cause.push_str(": its end is missing");
                } else if self.is_summary {
                    cause.push_str(" in its summary, which may be some counts off; the line `totals:` is missing");
                }
                let kind = if self.is_summary && is_far { kind::TRUNCATED } else { kind::REPAIRED };
                self.builder.notes.add(kind, &cause, 1, None);
            }
        }
        if self.invalid > 0 {
            let cause = "names that are not UTF-8 were read with replacement characters";
            self.builder.notes.add(kind::INVALID_UTF8, cause, self.invalid, None);
        }
        if self.negative > 0 {
            self.note_negative();
        }
        let Self { builder, nodes, mut lines, mut calls, line_costs, call_costs, events, cost_lines, .. } = self;
        let (nodes, rows) = by_name(&nodes, &builder);
        let row = |old: usize| rows.get(old).copied().unwrap_or(old);
        lines.iter_mut().checked().for_each(|(node, _)| *node = row(*node));
        calls.iter_mut().checked().for_each(|(caller, call)| (*caller, call.callee) = (row(*caller), row(call.callee)));
        let text = |id: Option<StringId>| id.map(|id| builder.strings.get(id));
        let lines = Grouped::new(lines, nodes.len(), |one, other| {
            (one.line, one.address).cmp(&(other.line, other.address)).then_with(|| text(one.file).cmp(&text(other.file)))
        });
        let calls = Grouped::new(calls, nodes.len(), |one, other| (one.line, one.callee).cmp(&(other.line, other.callee)));
        Ok(Graph { builder, nodes, lines, calls, line_costs, call_costs, events, cost_lines })
    }

    fn note_negative(&mut self) {
        let names = |is_negative: bool| {
            let events =
                self.builder.sample_types.iter().zip(&self.events).filter(move |(_, event)| event.given_back.is_some() == is_negative);
            events.map(|(kind, _)| kind.name.as_str())
        };
        let by = names(false).next().map_or_else(|| "in equal parts".to_owned(), |name| format!("as {name} is"));
        let cause = format!(
            "cost lines give back {}: self costs are exact, but what calls cost of it cannot be split by itself, so callers get their parts {by}",
            names(true).collect::<Vec<_>>().join(" or ")
        );
        self.builder.notes.add(kind::GUESSED, &cause, self.negative, None);
    }
}

/// The functions in the order of their names, and where each of them went: how costs are split must not depend on the order in the file.
fn by_name(nodes: &[Node], builder: &Builder) -> (Unfinished<Vec<Node>>, Unfinished<Vec<usize>>) {
    let text = |id: Option<StringId>| id.map(|id| builder.strings.get(id));
    let key = |node: &Node| (node.thread, builder.strings.get(node.name), text(node.file), text(node.object));
    let mut sorted: Unfinished<Vec<(usize, Node)>> = nodes.iter().copied().enumerate().checked().collect();
    let watch = Watch::new();
    sorted.sort_by(|(_, one), (_, other)| {
        watch.step();
        key(one).cmp(&key(other))
    });
    let mut rows = Unfinished::new(vec![0; nodes.len()]);
    for (new, (old, _)) in sorted.iter().enumerate().checked() {
        rows.get_mut(*old).into_iter().for_each(|row| *row = new);
    }
    (sorted.keep().into_iter().checked().map(|(_, node)| node).collect(), rows)
}

/// The numbers of a line of sums.
fn numbers(text: &str) -> Vec<i128> {
    text.split_ascii_whitespace().take(MAX_NUMBERS).filter_map(|word| word.parse().ok()).collect()
}

/// Decimal, or hexadecimal after `0x`.
fn number(word: &[u8]) -> Option<u64> {
    let text = str::from_utf8(word).ok()?;
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok().filter(|_| text.starts_with(|first: char| first.is_ascii_digit())),
    }
}

/// A position: absolute, or relative to that of the line before.
fn subposition(word: &[u8], last: u64) -> Option<u64> {
    match word {
        b"*" => Some(last),
        [b'+', rest @ ..] => number(rest).map(|by| last.wrapping_add(by)),
        [b'-', rest @ ..] => number(rest).map(|by| last.wrapping_sub(by)),
        word => number(word),
    }
}
