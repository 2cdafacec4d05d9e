//! Goroutine dumps: `goroutine?debug=2`, what a Go program prints when it panics or gets SIGQUIT, and `runtime.Stack`.
//!
//! Each goroutine is one sample with its state, how long it waits, its id, who created it, and its pprof labels as labels. Arguments
//! are dropped; frames are named as in profiles, inlined ones are marked. pprof reads none of this. Text around the dump is kept as
//! comments. Deliberately absent: a verdict about leaks. Start reading at [`read`].

use super::GO_TEXT;
use super::quoted::Pairs;
use super::scan::{Line, Scan, Source};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::text::lossy;
use crate::model::{Builder, Frame, FrameId, Function, Label, LabelValue, Profile, Sample, StackId, Tally, kind};

/// Lines around a dump that are kept, and how much of each.
const COMMENT_LINES: usize = 40;
const COMMENT_BYTES: usize = 1000;

/// A line that begins a goroutine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heading<'a> {
    id: i64,
    /// What stands between the brackets.
    status: &'a [u8],
    /// What stands behind them: labels in braces, or nothing.
    labels: &'a [u8],
}

/// `goroutine 7 gp=0xc0001 m=nil [chan receive, 5 minutes, locked to thread] {key: value}:`
fn heading(line: &[u8]) -> Option<Heading<'_>> {
    let mut scan = Scan(line.trim_ascii_end());
    scan.eat(b"goroutine ").then_some(())?;
    let id = scan.int().filter(|id| *id >= 0)?;
    while scan.eat(b" ") && !scan.0.starts_with(b"[") {
        // gp=…, m=…, mp=…: addresses inside the runtime.
        let word = scan.word();
        memchr::memchr(b'=', word).filter(|at| *at > 0)?;
    }
    let rest = scan.0.strip_prefix(b"[")?.strip_suffix(b":")?;
    let (status, labels) = rest.split_at_checked(memchr::memchr(b']', rest)?)?;
    let labels = labels.get(1..)?.trim_ascii();
    (!status.is_empty() && (labels.is_empty() || labels.starts_with(b"{"))).then_some(Heading { id, status, labels })
}

/// Whether a line begins a goroutine.
pub(super) fn is_heading(line: &[u8]) -> bool {
    heading(line).is_some()
}

/// Whether a line begins a goroutine in a way that is not known: an id, a state, a colon, and more.
fn is_unknown_heading(line: &[u8]) -> bool {
    let mut scan = Scan(line.trim_ascii_end());
    scan.eat(b"goroutine ") && scan.int().is_some() && scan.0.contains(&b'[') && scan.0.ends_with(b":") && !is_heading(line)
}

/// A goroutine whose frames are being read.
struct Open {
    labels: Vec<Label>,
    /// Innermost first.
    frames: Vec<FrameId>,
    /// The function whose place stands in the next line, whether it is inlined.
    function: Option<(String, bool)>,
    /// Whether the next place is that of the `go` statement.
    in_creator: bool,
    offset: u64,
}

struct Reader {
    builder: Builder,
    invalid: u64,
    goroutines: u64,
}

/// Reads a dump.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let mut builder = Builder::new([("goroutine", "count")]);
    GO_TEXT.clone_into(&mut builder.info.format);
    builder.info.period = Some(("goroutine".to_owned(), "count".to_owned(), 1));
    let mut reader = Reader { builder, invalid: 0, goroutines: 0 };
    let mut open: Option<Open> = None;
    // Goroutines that are left out, and whether the lines are those of one.
    let (mut skipped, mut passes) = (0, false);
    while let Some(line) = source.next()? {
        if is_unknown_heading(line.text) {
            reader.close(open.take(), ticket)?;
            let text = "goroutines whose first line is not understood were left out";
            reader.builder.notes.add(kind::SKIPPED, text, 1, Some(line.offset));
            (skipped, passes) = (skipped + 1, true);
            continue;
        }
        passes &= !line.text.trim_ascii().is_empty() && !is_heading(line.text);
        if passes {
            continue;
        }
        if let Some(heading) = heading(line.text) {
            reader.close(open.take(), ticket)?;
            open = Some(reader.open(heading, line.offset));
        } else if line.text.trim_ascii().is_empty() {
            reader.close(open.take(), ticket)?;
        } else if let Some(open) = &mut open {
            reader.line(line, open);
        } else {
            reader.around(line);
        }
    }
    reader.close(open, ticket)?;
    let mut builder = reader.builder;
    if reader.invalid > 0 {
        let text = "names that are not UTF-8 were read with replacement characters";
        builder.notes.add(kind::INVALID_UTF8, text, reader.invalid, None);
    }
    builder.info.tally = Tally::new(reader.goroutines, skipped);
    Ok(builder.finish())
}

impl Reader {
    fn text_label(&mut self, key: &str, value: &[u8]) -> Label {
        let value = lossy(value, &mut self.invalid);
        Label { key: self.builder.string(key), value: LabelValue::Text(self.builder.string(&value)) }
    }

    fn number_label(&mut self, key: &str, value: i64, unit: Option<&str>) -> Label {
        let unit = unit.map(|unit| self.builder.string(unit));
        Label { key: self.builder.string(key), value: LabelValue::Number(value, unit) }
    }

    fn open(&mut self, heading: Heading<'_>, offset: u64) -> Open {
        let mut labels = vec![self.number_label("goroutine", heading.id, None)];
        let mut items = heading.status.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        let mut state = items.next().unwrap_or_default();
        // Marks that say more about the same state.
        for mark in ["scan", "durable", "leaked"] {
            if let Some(rest) = state.strip_suffix(format!(" ({mark})").as_bytes()) {
                labels.push(self.text_label(mark, b"true"));
                state = rest;
            }
        }
        labels.push(self.text_label("state", state));
        for item in items {
            let mut scan = Scan(item);
            let minutes = scan.int().filter(|_| scan.0 == b" minutes");
            if let Some(minutes) = minutes {
                labels.push(self.number_label("wait", minutes, Some("minutes")));
            } else if let Some(bubble) = item.strip_prefix(b"synctest bubble ").and_then(super::scan::whole_number) {
                labels.push(self.number_label("synctest bubble", bubble, None));
            } else {
                // `locked to thread`, and what later versions add.
                let key = lossy(item, &mut self.invalid).into_owned();
                labels.push(self.text_label(&key, b"true"));
            }
        }
        for pair in Pairs::new(&lossy(heading.labels, &mut self.invalid)) {
            match pair {
                Some((key, value)) => labels.push(self.text_label(&key, value.as_bytes())),
                None => self.builder.notes.add(kind::NOT_UNDERSTOOD, "labels that break their form", 1, Some(offset)),
            }
        }
        Open { labels, frames: Vec::new(), function: None, in_creator: false, offset }
    }

    /// A line inside a goroutine.
    fn line(&mut self, line: Line<'_>, open: &mut Open) {
        let text = line.text;
        if let Some(place) = text.strip_prefix(b"\t") {
            self.place(place, open, line.offset);
        } else if let Some(creator) = text.strip_prefix(b"created by ") {
            let (name, parent) = match memchr::memmem::rfind(creator, b" in goroutine ") {
                Some(at) => (creator.get(..at).unwrap_or(creator), creator.get(at + 14..).and_then(super::scan::whole_number)),
                None => (creator, None),
            };
            self.flush(open);
            open.labels.push(self.text_label("created by", name));
            if let Some(parent) = parent {
                open.labels.push(self.number_label("created by goroutine", parent, None));
            }
            open.in_creator = true;
        } else if text.starts_with(b"...") {
            self.builder.notes.add(kind::CUT_STACKS, "goroutines of which Go left out frames in the middle", 1, Some(line.offset));
        } else if text.starts_with(b"[originating from goroutine ") {
            // Frames of C end here; Go's follow.
        } else if let Some((name, inlined)) = call(text) {
            self.flush(open);
            open.function = Some((lossy(name, &mut self.invalid).into_owned(), inlined));
        } else {
            self.builder.notes.add(kind::NOT_UNDERSTOOD, "lines inside goroutines that are no frame", 1, Some(line.offset));
        }
    }

    /// `/path/file.go:12 +0x9f fp=0x… sp=0x… pc=0x…` under a function, or words about the whole goroutine.
    fn place(&mut self, text: &[u8], open: &mut Open, offset: u64) {
        let Some((file, line, pc)) = file_line(text) else {
            if memchr::memmem::find(text, b"stack unavailable").is_none() {
                self.builder.notes.add(kind::NOT_UNDERSTOOD, "places that are no file and line", 1, Some(offset));
            }
            return;
        };
        let file = lossy(file, &mut self.invalid);
        if let Some((name, inlined)) = open.function.take() {
            self.frame(&name, inlined, Some(&file), line, pc, open);
        } else if open.in_creator {
            open.labels.push(self.text_label("created at", format!("{file}:{line}").as_bytes()));
            open.in_creator = false;
        }
    }

    /// A function whose place did not follow is a frame all the same.
    fn flush(&mut self, open: &mut Open) {
        if let Some((name, inlined)) = open.function.take() {
            self.frame(&name, inlined, None, 0, None, open);
        }
    }

    fn frame(&mut self, name: &str, inlined: bool, file: Option<&str>, line: u32, address: Option<u64>, open: &mut Open) {
        let name = self.builder.string(name);
        let file = file.map(|file| self.builder.string(file));
        let function = Some(self.builder.function(Function { name, system_name: None, file, start_line: 0 }));
        // All but the innermost address are return addresses; profiles hold them moved into the call.
        let address = address.map(|address| if open.frames.is_empty() { address } else { address.wrapping_sub(1) });
        open.frames.push(self.builder.frame(Frame { function, address, line, inlined, ..Frame::default() }));
    }

    fn close(&mut self, open: Option<Open>, ticket: &Ticket) -> Result<(), ReadError> {
        let Some(mut open) = open else { return Ok(()) };
        ticket.check()?;
        self.flush(&mut open);
        let mut stack: Option<StackId> = None;
        for frame in open.frames.iter().rev() {
            stack = Some(self.builder.stack(stack, *frame));
        }
        if stack.is_none() {
            self.builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(open.offset));
        }
        let labels = self.builder.rows.label_set(&open.labels);
        self.builder.rows.sample(Sample { stack, labels, ..Sample::default() }, &[1]);
        self.goroutines += 1;
        Ok(())
    }

    /// A line outside of goroutines: why the program stopped, registers, or a log.
    fn around(&mut self, line: Line<'_>) {
        if self.builder.info.comments.len() < COMMENT_LINES {
            let text = line.text.get(..COMMENT_BYTES).unwrap_or(line.text);
            let text = lossy(text.trim_ascii_end(), &mut self.invalid).into_owned();
            self.builder.info.comments.push(text);
        } else {
            self.builder.notes.add(kind::SKIPPED, "lines of text outside of goroutines", 1, Some(line.offset));
        }
    }
}

/// Name of `pkg.(*T).f(0x1, {0x2, ...})`, and whether it is inlined: its arguments are `...` alone then.
fn call(text: &[u8]) -> Option<(&[u8], bool)> {
    let text = text.trim_ascii_end();
    let open = memchr::memrchr(b'(', text).filter(|_| text.ends_with(b")"))?;
    let (name, arguments) = text.split_at_checked(open)?;
    (!name.is_empty()).then_some((name, arguments == b"(...)"))
}

/// File, line and program counter.
fn file_line(text: &[u8]) -> Option<(&[u8], u32, Option<u64>)> {
    let text = text.trim_ascii();
    let end = [&b" +0x"[..], b" fp=0x", b" pc=0x"].iter().filter_map(|mark| memchr::memmem::rfind(text, mark)).min().unwrap_or(text.len());
    let place = text.get(..end)?;
    let colon = memchr::memrchr(b':', place)?;
    let line = super::scan::whole_number(place.get(colon + 1..)?).and_then(|line| u32::try_from(line).ok())?;
    let pc = memchr::memmem::rfind(text, b" pc=0x").and_then(|at| Scan(text.get(at + 4..)?).hex());
    place.get(..colon).filter(|file| !file.is_empty()).map(|file| (file, line, pc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{labels, stacks, values, with};

    #[test]
    fn headings_of_all_versions() {
        let of = |line: &'static str| {
            let text = |bytes| std::str::from_utf8(bytes).unwrap();
            heading(line.as_bytes()).map(|found| (found.id, text(found.status), text(found.labels)))
        };
        assert_eq!(of("goroutine 1 [running]:"), Some((1, "running", "")));
        assert_eq!(of("goroutine 7 gp=0xc01 m=nil [select (no cases), 5 minutes]:\r"), Some((7, "select (no cases), 5 minutes", "")));
        assert_eq!(of("goroutine 7 [sleep] {a: b, \"c]\": d}:"), Some((7, "sleep", "{a: b, \"c]\": d}")));
        for line in
            ["goroutine profile: total 5", "goroutine 1 [running]", "goroutine x [running]:", "goroutine 1 []:", "goroutine 1 a [b]:"]
        {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn a_goroutine_with_an_unknown_first_line_is_counted() {
        let text = "goroutine 1 [running]:\nmain.main()\n\t/x/a.go:10 +0x1d\n\ngoroutine 7 [chan receive] (new mark):\nmain.f()\n\t/x/a.go:20 +0x2d\n\n\
                    goroutine 8 [running] (new mark):\nmain.f()\ngoroutine 9 [running]:\nmain.g()\n\t/x/a.go:30 +0x1d\n";
        let profile = with(read, text);
        assert_eq!(stacks(&profile), ["main.main", "main.g"]);
        assert_eq!((profile.info.tally, profile.notes.count(kind::SKIPPED)), (Tally::new(2, 2), 2));
        assert!(profile.info.comments.is_empty());
    }

    #[test]
    fn a_dump_with_everything() {
        let text = "panic: no\nmore\n\ngoroutine 18 [chan receive (nil chan) (durable), 12 minutes, locked to thread, synctest bubble 3] {a: b}:\n\
                    main.(*T[...]).f(0x1, {0x2, 0x3}, ...)\n\t/src/a b.go:12 +0x9f fp=0x1 sp=0x2 pc=0x4010\n\
                    main.inl(...)\n\t/src/m.go:7\n...additional frames elided...\nmain.main()\n\tC:/m.go:70 +0x1 fp=0x1 sp=0x2 pc=0x4020\n\
                    created by main.start.func1 in goroutine 1\n\t/src/m.go:9 +0x25\n\n\
                    goroutine 19 [runnable]:\n\tgoroutine running on other thread; stack unavailable\ncreated by main.start\n\t/src/m.go:8 +0x1\n\n\
                    goroutine 20 [syscall]:\nmain.lonely(0x1)\nmain.g()\n\tnonsense\n\nexit status 2\n";
        let profile = with(read, text);
        assert_eq!(values(&profile).len(), 3);
        assert_eq!(stacks(&profile), ["main.main;main.inl;main.(*T[...]).f", "", "main.g;main.lonely"]);
        assert_eq!(
            labels(&profile, 0),
            [
                "a=b",
                "created at=/src/m.go:9",
                "created by goroutine=1",
                "created by=main.start.func1",
                "durable=true",
                "goroutine=18",
                "locked to thread=true",
                "state=chan receive (nil chan)",
                "synctest bubble=3",
                "wait=12 minutes"
            ]
        );
        assert_eq!(labels(&profile, 1), ["created at=/src/m.go:8", "created by=main.start", "goroutine=19", "state=runnable"]);
        let frames: Vec<_> = profile.frames.iter().map(|frame| (frame.line, frame.inlined, frame.address)).collect();
        assert_eq!(&frames[..3], [(12, false, Some(0x4010)), (7, true, None), (70, false, Some(0x401f))]);
        assert_eq!(profile.info.comments, ["panic: no", "more", "exit status 2"]);
        let counts = [kind::CUT_STACKS, kind::NO_STACK, kind::NOT_UNDERSTOOD].map(|kind| profile.notes.count(kind));
        assert_eq!(counts, [1, 1, 1]);
    }
}
