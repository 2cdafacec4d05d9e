//! Contention text: Go's `mutex?debug=1` and `block?debug=1`, and gperftools' contentionz of C++ programs.
//!
//! brpc writes the latter with a first line of its own and its memory map without a heading.
//!
//! A first line, attributes (`cycles/second=…`, `sampling period=…`), then `cycles count @ addresses` for each stack. Cycles become
//! nanoseconds, and both columns are multiplied by the sampling period, as pprof does it. Deliberately absent: Java's form of the same
//! name, which has its own columns. Start reading at [`read`].

use super::draft::Draft;
use super::scan::{Line, Scan, Source, says_nothing, whole_number};
use super::{GO_TEXT, GPERFTOOLS, maps};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Profile, Sample, kind};

/// Whether a text begins with such a profile.
pub(super) fn is_first_line(line: &[u8]) -> bool {
    [&b"--- contentionz "[..], b"--- mutex:", b"--- contention:"].iter().any(|start| line.starts_with(start)) || is_brpc(line)
}

/// `ContentionProfiler` of brpc's `bthread/mutex.cpp`, and programs after its example.
fn is_brpc(line: &[u8]) -> bool {
    line.trim_ascii_end() == b"--- contention"
}

/// Which reader's business a first line is.
pub(super) fn reader_of(line: &[u8]) -> &'static str {
    if line.starts_with(b"--- contentionz") || is_brpc(line) { GPERFTOOLS } else { GO_TEXT }
}

/// What the attributes say.
#[derive(Default)]
struct Attributes {
    cycles_per_second: i64,
    period: Option<i64>,
    milliseconds: Option<i64>,
}

impl Attributes {
    /// One line; false where its name or number is not known.
    fn set(&mut self, key: &[u8], value: &[u8]) -> bool {
        let number = whole_number(value);
        match (key.trim_ascii(), number) {
            (b"cycles/second", Some(number)) => self.cycles_per_second = number,
            (b"sampling period", Some(number)) => self.period = Some(number),
            (b"ms since reset", Some(number)) => self.milliseconds = Some(number),
            (b"discarded samples", _) => {}
            _ => return false,
        }
        true
    }

    /// (contentions, nanoseconds). Without a period nothing is scaled.
    fn scaled(&self, cycles: i64, count: i64) -> [i64; 2] {
        let period = self.period.unwrap_or(1);
        if period <= 0 {
            return [count, cycles];
        }
        let gigahertz = self.cycles_per_second as f64 / 1e9;
        let delay = if gigahertz > 0.0 { (cycles as f64 * period as f64 / gigahertz) as i64 } else { cycles };
        [count.saturating_mul(period), delay]
    }
}

/// Reads contention text.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let Some(first) = source.next_filled()? else { return Err(super::empty(GPERFTOOLS)) };
    let reader = reader_of(first.text);
    let mut draft = Draft::new(reader, &[("contentions", "count"), ("delay", "nanoseconds")], ticket);
    let mut attributes = Attributes::default();
    let mut is_heading_read = false;
    let mut in_head = true;
    while let Some(line) = source.next()? {
        if says_nothing(line.text) {
            draft.names.line(line.text, &mut draft.builder, &mut draft.invalid);
            continue;
        }
        if line.text.trim_ascii_start().starts_with(b"---") || maps::is_heading(line.text) {
            is_heading_read = maps::is_heading(line.text);
            break;
        }
        if maps::is_region(line.text) {
            source.put_back(line);
            is_heading_read = true;
            break;
        }
        let equals = memchr::memchr(b'=', line.text).and_then(|at| line.text.split_at_checked(at));
        if let Some((key, value)) = equals.filter(|_| in_head) {
            if !attributes.set(key, value.get(1..).unwrap_or_default()) {
                let name = String::from_utf8_lossy(key.trim_ascii()).into_owned();
                draft.builder.notes.add(kind::NOT_UNDERSTOOD, &format!("the attribute {name:?}"), 1, Some(line.offset));
            }
        } else {
            in_head = false;
            sample(line, &attributes, &mut draft)?;
        }
    }
    if draft.only_skipped() {
        return Err(ReadError::new(reader, 0, "reading stacks", "no line is a stack with its delay and count"));
    }
    let period = attributes.period.unwrap_or(1);
    draft.builder.info.period = Some(("contentions".to_owned(), "count".to_owned(), period));
    draft.builder.info.duration_nanos = attributes.milliseconds.map(|ms| ms.saturating_mul(1_000_000)).filter(|&nanos| nanos > 0);
    if first.text.starts_with(b"--- mutex:") && period > 1 && draft.len() > 0 {
        let text = format!(
            "values were multiplied by the sampling period {period}, as pprof does; newer versions of Go write them multiplied already, and \
             then both columns are {period} times too large here and there (the protobuf form has no such doubt)"
        );
        draft.builder.notes.add(kind::GUESSED, &text, draft.len() as u64, None);
    }
    draft.finish_with_map(source, is_heading_read)
}

fn sample(line: Line<'_>, attributes: &Attributes, draft: &mut Draft<'_>) -> Result<(), ReadError> {
    draft.names.next_stack();
    let mut scan = Scan(line.text);
    let cycles = scan.blanks().int().filter(|cycles| *cycles >= 0);
    let count = scan.blanks().int().filter(|count| *count >= 0);
    let (Some(cycles), Some(count), true) = (cycles, count, scan.blanks().eat(b"@")) else {
        draft.skip("lines that are no stack with its delay and count", line.offset);
        return Ok(());
    };
    if draft.return_addresses(scan.0)? {
        draft.sample(Sample::default(), &attributes.scaled(cycles, count), line.offset);
    } else {
        draft.skip("stacks with an address of more than 64 bits", line.offset);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{stacks, values, with};

    #[test]
    fn cycles_become_nanoseconds_times_the_period() {
        let text = "--- contentionz 1 ---\ncycles/second = 2000000000\nsampling period = 100\nms since reset = 7\n  100  10 @ 0x11\n";
        let profile = with(read, text);
        assert_eq!((values(&profile), profile.info.duration_nanos), (vec![vec![1000, 5000]], Some(7_000_000)));
        // Go's block profile has no period; a mutex profile that was switched off has 0.
        assert_eq!(values(&with(read, "--- contention:\ncycles/second=500000000\n100 3 @ 0x11 0x21\n")), [[3, 200]]);
        assert_eq!(values(&with(read, "--- mutex:\ncycles/second=5\nsampling period=0\n100 3 @ 0x11\n")), [[3, 100]]);
    }

    #[test]
    fn a_memory_map_needs_no_heading() {
        let text = "--- contention\ncycles/second=1000000000\n100 3 @ 0x401137 0x401201\n0 5 @\n00400000-00402000 r-xp 00000000 08:01 12 /bin/a b\n\
                    7f00-7f01 rw-p 00000000 00:00 0\n";
        let profile = with(read, text);
        assert_eq!(
            (values(&profile), stacks(&profile)),
            (vec![vec![3, 100], vec![5, 0]], vec!["a b+0x1200;a b+0x1136".to_owned(), String::new()])
        );
        assert_eq!((profile.info.format.as_str(), profile.notes.count(kind::NOT_UNDERSTOOD)), ("gperftools", 0));
    }

    #[test]
    fn a_period_of_a_mutex_profile_is_doubtful() {
        let text =
            "--- mutex:\ncycles/second=1000000000\nsampling period=5\n100 3 @ 0x11 0x21\n#\t0x10\tsync.(*Mutex).Unlock+0x4\ts/m.go:1\n";
        let profile = with(read, text);
        assert_eq!((values(&profile), profile.notes.count(kind::GUESSED)), (vec![vec![15, 500]], 1));
        assert_eq!(stacks(&profile), ["runtime.goexit;sync.(*Mutex).Unlock"]);
    }

    #[test]
    fn damage_is_counted() {
        let profile = with(read, "--- mutex:\ncolour=red\n1 2 @ 0x11\n1 @ 0x11\n-1 2 @ 0x11\n1 99999999999999999999 @ 0x1\n");
        assert_eq!((values(&profile), profile.notes.count(kind::NOT_UNDERSTOOD)), (vec![vec![2, 1]], 4));
    }
}
