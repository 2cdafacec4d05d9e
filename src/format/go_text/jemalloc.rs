//! jemalloc's heap profile (`heap_v2/RATE`), which pprof refuses and jeprof reads.
//!
//! Each stack has a line `t*: objects: bytes [allocated objects: bytes]` for all threads and one for each thread. Samples are kept by
//! thread where the threads add up. What the sampling left out is scaled up as jeprof does it: by the mean size of a stack's objects.
//! Deliberately absent: the form of versions before 4.0, which is gperftools' own. Start reading at [`read`].

use super::draft::{Draft, unsampled};
use super::scan::{Line, Scan, Source};
use super::{JEMALLOC, maps};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Label, LabelValue, Profile, Sample, kind};

/// Whether a text begins with such a profile.
pub(super) fn is_first_line(line: &[u8]) -> bool {
    rate(line).is_some()
}

fn rate(line: &[u8]) -> Option<i64> {
    let mut scan = Scan(line.trim_ascii().strip_prefix(b"heap_v2/")?);
    scan.int().filter(|rate| *rate >= 0 && scan.0.is_empty())
}

/// Live objects and bytes, allocated objects and bytes.
type Counts = [i64; 4];

/// A stack whose counts are being read.
#[derive(Default)]
struct Record {
    offset: u64,
    all: Counts,
    threads: Vec<(i64, Counts)>,
}

impl Record {
    fn add(&mut self, (thread, counts): (Option<i64>, Counts)) {
        match thread {
            None => self.all = counts,
            Some(thread) => self.threads.push((thread, counts)),
        }
    }
}

/// Reads jemalloc's heap profile.
pub(super) fn read(source: &mut Source<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    let Some(rate) = source.next_filled()?.and_then(|line| rate(line.text)) else { return Err(super::empty(JEMALLOC)) };
    let (head, mut line) = read_head(source)?;
    // Allocated objects are counted only with `prof_accum`.
    let has_allocated = head.all[..2] != [0, 0];
    let types = [("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"), ("inuse_space", "bytes")];
    let mut draft = Draft::new(JEMALLOC, if has_allocated { &types } else { &types[2..] }, ticket);
    draft.builder.info.period = Some(("space".to_owned(), "bytes".to_owned(), rate));
    let mut record: Option<Record> = None;
    let mut sums = Sums { rate, has_allocated, ..Sums::default() };
    let mut is_heading_read = false;
    while let Some(Line { offset, text }) = line {
        let text = text.trim_ascii();
        if maps::is_heading(text) {
            is_heading_read = true;
            break;
        }
        if let Some(addresses) = text.strip_prefix(b"@") {
            close(record.take(), &mut sums, &mut draft);
            if draft.return_addresses(addresses)? {
                record = Some(Record { offset, ..Record::default() });
            } else {
                draft.skip("stacks with an address of more than 64 bits", offset);
            }
        } else if let Some((counts, record)) = counts(text).zip(record.as_mut()) {
            record.add(counts);
        } else {
            draft.builder.notes.add(kind::NOT_UNDERSTOOD, "lines that are no count of a stack", 1, Some(offset));
        }
        line = source.next_filled()?;
    }
    close(record, &mut sums, &mut draft);
    note_head(&head, &sums, &mut draft);
    draft.finish_with_map(source, is_heading_read)
}

/// The counts before the first stack, and the line behind them.
fn read_head<'a>(source: &mut Source<'a>) -> Result<(Record, Option<Line<'a>>), ReadError> {
    let mut head = Record::default();
    loop {
        let line = source.next_filled()?;
        match line.and_then(|line| counts(line.text.trim_ascii())) {
            Some(counts) => head.add(counts),
            None => return Ok((head, line)),
        }
    }
}

/// `t*: 1: 82704 [0: 0]`, `t3: 1: 82704 [0: 0] name`; the thread is `None` for the sum of all.
fn counts(line: &[u8]) -> Option<(Option<i64>, Counts)> {
    let mut scan = Scan(line);
    scan.eat(b"t").then_some(())?;
    let thread = if scan.eat(b"*") { None } else { Some(scan.int()?) };
    scan.eat(b":").then_some(())?;
    let live = (scan.blanks().int()?, scan.eat(b":"), scan.blanks().int()?);
    scan.blanks().eat(b"[").then_some(())?;
    let allocated = (scan.blanks().int()?, scan.eat(b":"), scan.blanks().int()?);
    let closed = scan.blanks().eat(b"]") && live.1 && allocated.1;
    closed.then_some((thread, [allocated.0, allocated.2, live.0, live.2]))
}

/// Sums over all stacks.
#[derive(Default)]
struct Sums {
    rate: i64,
    has_allocated: bool,
    /// As recorded.
    recorded: Counts,
    /// Scaled, before rounding.
    scaled: [f64; 4],
    /// Handed out to samples so far.
    given: Counts,
}

impl Sums {
    /// Integers for `share` of what `all` stands for. What rounding leaves goes to the next sample, so that totals are those of exact
    /// sums cut to integers, as jeprof prints them.
    fn scale(&mut self, share: &Counts, all: &Counts) -> Vec<i64> {
        let mut values = [0; 4];
        for at in [0, 2] {
            let [count, bytes] = [all[at], all[at + 1]];
            let factor = if count > 0 && bytes > 0 { unsampled(count, bytes, self.rate).0 / count as f64 } else { 1.0 };
            for at in [at, at + 1] {
                self.recorded[at] = self.recorded[at].saturating_add(share[at]);
                self.scaled[at] += share[at] as f64 * factor;
                values[at] = (self.scaled[at] as i64).saturating_sub(self.given[at]);
                self.given[at] = self.given[at].saturating_add(values[at]);
            }
        }
        values.iter().skip(if self.has_allocated { 0 } else { 2 }).copied().collect()
    }
}

fn close(record: Option<Record>, sums: &mut Sums, draft: &mut Draft<'_>) {
    let Some(record) = record else { return };
    let by_thread = record.threads.iter().fold([0; 4], |mut sum: Counts, (_, counts)| {
        sum.iter_mut().zip(counts).for_each(|(sum, value)| *sum = sum.saturating_add(*value));
        sum
    });
    // Threads that ended are in no line of their own in some versions.
    if by_thread != record.all || record.threads.is_empty() {
        let values = sums.scale(&record.all, &record.all);
        draft.sample(Sample::default(), &values, record.offset);
        return;
    }
    for (at, (thread, counts)) in record.threads.iter().enumerate() {
        let key = draft.builder.string("thread");
        let labels = draft.builder.rows.label_set(&[Label { key, value: LabelValue::Number(*thread, None) }]);
        let values = sums.scale(counts, &record.all);
        let sample = Sample { labels, ..Sample::default() };
        if at == 0 {
            draft.sample(sample, &values, record.offset);
        } else {
            draft.sample_like_last(sample, &values, record.offset);
        }
    }
}

/// The head counts all stacks.
fn note_head(head: &Record, sums: &Sums, draft: &mut Draft<'_>) {
    if head.all[2] > sums.recorded[2] || head.all[3] > sums.recorded[3] {
        let text = format!(
            "the head counts {} live objects of {} bytes, the stacks only {} of {}: the rest is missing",
            head.all[2], head.all[3], sums.recorded[2], sums.recorded[3]
        );
        draft.builder.notes.add(kind::TRUNCATED, &text, 1, Some(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::go_text::tests::{labels, stacks, values, with};

    #[test]
    fn threads_share_the_scaled_values_of_their_stack() {
        let text = "heap_v2/1000\n  t*: 5: 4000 [0: 0]\n  t1: 5: 4000 [0: 0]\n@ 0x11 0x21\n  t*: 3: 3000 [0: 0]\n  t1: 1: 1000 [0: 0]\n  \
                    t2: 2: 2000 [0: 0] worker\n@ 0x31\n  t*: 1: 1 [0: 0]\n\nMAPPED_LIBRARIES:\n10-40 r-xp 00000000 00:00 1 /bin/p\n";
        let profile = with(read, text);
        // 1000 / (1 - 1/e) = 1581.98; 1 / (1 - exp(-1/1000)) = 1000.5.
        assert_eq!(values(&profile), [[1, 1581], [3, 3164], [1001, 1001]]);
        assert_eq!(stacks(&profile), ["p+0x10;p+0x0", "p+0x10;p+0x0", "p+0x20"]);
        assert_eq!((labels(&profile, 1), labels(&profile, 2).len()), (vec!["thread=2".to_owned()], 0));
        assert_eq!(profile.notes.count(kind::TRUNCATED), 1, "999 bytes are missing");
    }

    #[test]
    fn only_real_heads_count() {
        for line in ["heap_v2/", "heap_v2/x", "heap_v2/-1", "heap_v3/5"] {
            assert!(!is_first_line(line.as_bytes()), "{line}");
        }
    }
}
