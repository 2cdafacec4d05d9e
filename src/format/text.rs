//! What the readers of text share: encodings, line ends, chunks of whole lines, names that are not UTF-8.
//!
//! Deliberately absent: any grammar. Start reading at [`decode`].

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::ReadError;
use crate::base::ticket::Ticket;
use crate::model::{Notes, Profile, kind};

/// Text in UTF-8 (or nearly) with `\n` or `\r\n` at the end of lines and without zero bytes.
pub(super) struct Text<'a> {
    /// The text. Borrowed from the input in the usual case.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Offset in the input of the first byte; offsets after a change of encoding count bytes of UTF-8.
    pub(super) base: u64,
    /// What had to be repaired.
    pub(super) notes: Notes,
}

/// UTF-16 as UTF-8; `None` for any other bytes.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<Text<'_>> {
    let is_utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || utf16_without_mark(bytes).is_some();
    is_utf16.then(|| decode(bytes))
}

/// How many bytes tell the encoding and the line ends.
const PROBE_BYTES: usize = 4096;

/// Makes the text readable line by line: byte order marks, UTF-16, Mac line ends and zero bytes are dealt with here.
pub(super) fn decode(bytes: &[u8]) -> Text<'_> {
    let mut text = decode_but_zeros(bytes);
    if let Some(first) = first_zero(&text.bytes) {
        let zeros = memchr::memchr_iter(0, &text.bytes).count();
        text.notes.add(kind::REPAIRED, "zero bytes in the text were read as spaces", zeros as u64, Some(text.base + first as u64));
        replace(text.bytes.to_mut(), 0, b' ');
    }
    text
}

/// Reads a text of which parts are read side by side with `read`, which asks of each whether it is [`plain`]. Looking for zero bytes in all of the text
/// before would be one more way through memory, and hardly any text has them: one that does, and for which there was an error, is read again.
pub(super) fn read_decoded<'a>(
    bytes: &'a [u8],
    ticket: &Ticket,
    read: impl Fn(Text<'a>) -> Result<Profile, ReadError>,
) -> Result<Profile, ReadError> {
    match read(decode_but_zeros(bytes)) {
        Err(error) if !error.is_cancelled() && first_zero(bytes).is_some() => {
            ticket.stage("decoding", bytes.len() as u64)?;
            read(decode(bytes))
        }
        result => result,
    }
}

/// An error for a part with zero bytes; see [`read_decoded`].
pub(super) fn plain(part: &[u8], offset: u64) -> Result<(), ReadError> {
    match memchr::memchr(0, part) {
        Some(at) => Err(ReadError::new("text", offset + at as u64, "reading lines", "a zero byte")),
        None => Ok(()),
    }
}

fn decode_but_zeros(bytes: &[u8]) -> Text<'_> {
    let mut notes = Notes::default();
    let mut base = 0;
    let mut text = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            base = 3;
            Cow::Borrowed(rest)
        }
        [0xff, 0xfe, rest @ ..] => Cow::Owned(units(rest, u16::from_le_bytes, &mut notes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(units(rest, u16::from_be_bytes, &mut notes)),
        _ => match utf16_without_mark(bytes) {
            Some(unit) => Cow::Owned(units(bytes, unit, &mut notes)),
            None => Cow::Borrowed(bytes),
        },
    };
    let probe = text.get(..PROBE_BYTES).unwrap_or(&text);
    if memchr::memchr(b'\n', probe).is_none() && memchr::memchr(b'\r', probe).is_some() && memchr::memchr(b'\n', &text).is_none() {
        replace(text.to_mut(), b'\r', b'\n');
    }
    Text { bytes: text, base, notes }
}

/// Where the first zero byte stands. All threads look: the pages of a mapped file come in side by side too.
fn first_zero(bytes: &[u8]) -> Option<usize> {
    let parts = bytes.par_chunks(CHUNK_BYTES).enumerate();
    parts.find_map_first(|(part, bytes)| memchr::memchr(0, bytes).map(|at| part * CHUNK_BYTES + at))
}

fn replace(bytes: &mut [u8], from: u8, to: u8) {
    for byte in bytes.iter_mut().filter(|byte| **byte == from) {
        *byte = to;
    }
}

/// The byte order of UTF-16 that came without a mark: nearly all of the text is ASCII then, and every second byte zero.
fn utf16_without_mark(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let (pairs, _) = bytes.get(..PROBE_BYTES).unwrap_or(bytes).as_chunks::<2>();
    let count = |matches: fn(&[u8; 2]) -> bool| pairs.iter().filter(|pair| matches(pair)).count();
    let enough = |found: usize| pairs.len() >= 4 && found * 10 >= pairs.len() * 9;
    if enough(count(|pair| pair[1] == 0 && pair[0] != 0)) {
        return Some(u16::from_le_bytes);
    }
    enough(count(|pair| pair[0] == 0 && pair[1] != 0)).then_some(u16::from_be_bytes as fn([u8; 2]) -> u16)
}

fn units(bytes: &[u8], unit: fn([u8; 2]) -> u16, notes: &mut Notes) -> Vec<u8> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    let mut broken = 0;
    for unit in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        text.push(unit.unwrap_or_else(|_| {
            broken += 1;
            char::REPLACEMENT_CHARACTER
        }));
    }
    if broken > 0 {
        notes.add(kind::INVALID_UTF8, "broken UTF-16 was read with replacement characters", broken, None);
    }
    if !rest.is_empty() {
        notes.add(kind::TRUNCATED, "UTF-16 text ends in the middle of a character", 1, Some(bytes.len() as u64 - 1));
    }
    text.into_bytes()
}

/// Length of the whole lines of a text that was cut; all of it where no line is whole.
pub(super) fn whole_lines(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)
}

/// Length of the whole paragraphs of a text that was cut: up to the last empty line. Its whole lines where there is no such line.
pub(super) fn whole_paragraphs(bytes: &[u8]) -> usize {
    let ends = memchr::memmem::rfind(bytes, b"\n\n").max(memchr::memmem::rfind(bytes, b"\n\r\n").map(|at| at + 1));
    ends.map_or_else(|| whole_lines(bytes), |at| at + 2)
}

/// The lines of a text with their offsets in it, without line ends.
#[derive(Clone)]
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest);
        self.at = start + end.map_or(rest.len(), |end| end + 1);
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
        Some((start, line.strip_suffix(b"\r").unwrap_or(line)))
    }
}

/// The first bytes of a text, without the line that `limit` cuts: half a line says something else than the whole of it. With that line
/// where it is the only one.
pub(super) fn first_lines(text: &[u8], limit: usize) -> &[u8] {
    let Some(head) = text.get(..limit) else { return text };
    memchr::memrchr(b'\n', head).and_then(|end| head.get(..=end)).unwrap_or(head)
}

/// Bytes of text that one task reads: what it finds fits the caches of a processor, and a cancelled read stops at once. Larger chunks
/// merge less but miss the caches more; 1 MiB measured best.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// Cuts a text into chunks of at least `size` bytes (but for the last). A chunk starts at the start of a line for which `starts`
/// says yes; chunks depend on the text and `size` only, never on the number of threads.
pub(super) fn chunks(text: &[u8], size: usize, starts: impl Fn(&[u8]) -> bool) -> Vec<(usize, &[u8])> {
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = start.saturating_add(size.max(1));
        end = text.get(end..).and_then(|rest| memchr::memchr(b'\n', rest)).map_or(text.len(), |at| end + at + 1);
        let rest = text.get(end..).unwrap_or(&[]);
        end += Lines::new(rest).find(|(_, line)| starts(line)).map_or(rest.len(), |(at, _)| at);
        chunks.push((start, text.get(start..end).unwrap_or(&[])));
        start = end;
    }
    chunks
}

/// Parts for each thread that may be ahead of what was taken.
const PARTS_PER_THREAD: usize = 3;

/// Reads parts side by side, and gives what they say to `take` in the order of the text while further parts are read: so what was taken leaves
/// memory, and nobody waits for `take` or for the slowest part. One thread takes each part while it is near to the processor.
///
/// The error is the first one in the order of the text. `take` must not wait for other threads of the pool, which may wait for it.
pub(super) fn in_order<P: Sync, R: Send>(
    parts: &[P],
    read: impl Fn(&P) -> Result<R, ReadError> + Sync,
    mut take: impl FnMut(R) -> Result<(), ReadError> + Send,
) -> Result<(), ReadError> {
    let threads = rayon::current_num_threads();
    if threads == 1 || parts.len() == 1 {
        return parts.iter().try_for_each(|part| take(read(part)?));
    }
    let queue = Queue {
        next: AtomicUsize::new(0),
        taken: AtomicUsize::new(0),
        read: Mutex::new(parts.iter().map(|_| None).collect()),
        taker: Mutex::new((take, Ok(()))),
    };
    rayon::scope(|scope| {
        for _ in 0..threads.min(parts.len()) {
            scope.spawn(|_| queue.work(parts, &read, threads * PARTS_PER_THREAD));
        }
    });
    // What was read while the last one to take anything was about to leave.
    queue.take_ready(&mut lock(&queue.taker));
    queue.taker.into_inner().unwrap_or_else(PoisonError::into_inner).1
}

/// Far behind the last part, and far from where numbers begin anew.
const ENDED: usize = usize::MAX / 2;

/// Nobody waits for a part that will never come.
struct EndOnPanic<'a>(&'a AtomicUsize);

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(ENDED, Ordering::Relaxed);
        }
    }
}

/// Parts that are read in any order and taken in theirs.
struct Queue<R, T> {
    /// The next part to read; [`ENDED`] or more once there was an error.
    next: AtomicUsize,
    /// Number of parts that were taken.
    taken: AtomicUsize,
    /// What was read and not yet taken, by part.
    read: Mutex<Vec<Option<Result<R, ReadError>>>>,
    /// Who holds this takes parts.
    taker: Mutex<(T, Result<(), ReadError>)>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Send, T: FnMut(R) -> Result<(), ReadError> + Send> Queue<R, T> {
    fn work<P>(&self, parts: &[P], read: &impl Fn(&P) -> Result<R, ReadError>, most: usize) {
        let _end = EndOnPanic(&self.next);
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(at) else { return };
            while at >= self.taken.load(Ordering::Relaxed) + most && self.next.load(Ordering::Relaxed) < ENDED {
                // Taking is slower than reading, or somebody still reads a part that takes long.
                self.take_ready(&mut lock(&self.taker));
                std::thread::yield_now();
            }
            let result = read(part);
            if let Some(place) = lock(&self.read).get_mut(at) {
                *place = Some(result);
            }
            if let Ok(mut taker) = self.taker.try_lock() {
                self.take_ready(&mut taker);
            }
        }
    }

    /// Takes all parts that were read and whose turn it is.
    fn take_ready(&self, (take, result): &mut (T, Result<(), ReadError>)) {
        while result.is_ok() {
            let taken = self.taken.load(Ordering::Relaxed);
            let Some(part) = lock(&self.read).get_mut(taken).and_then(Option::take) else { return };
            *result = part.and_then(&mut *take);
            self.taken.store(taken + 1, Ordering::Relaxed);
        }
        self.next.store(ENDED, Ordering::Relaxed);
    }
}

/// Bytes as text; counts in `invalid` where it was not UTF-8 (replacement characters then).
pub(super) fn lossy<'a>(bytes: &'a [u8], invalid: &mut u64) -> Cow<'a, str> {
    // Much faster than the search for broken bytes, and nearly always enough.
    std::str::from_utf8(bytes).map_or_else(
        |_| {
            *invalid += 1;
            String::from_utf8_lossy(bytes)
        },
        Cow::Borrowed,
    )
}

/// The parts of an input of which a reader says that it does not need them for now, one behind the other.
#[cfg(test)]
pub(super) fn given_back(read: impl FnOnce(&super::ReadCx<'_>)) -> Vec<u8> {
    let (ticket, heard) = (crate::base::ticket::Ticket::new(), Mutex::new(Vec::new()));
    let hear = |part: &[u8]| lock(&heard).extend_from_slice(part);
    read(&super::ReadCx { read_once: Some(&hear), ..super::ReadCx::new(&ticket) });
    heard.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn all_encodings_give_the_same_text() {
        let text = "main;größe 3\na;b 4\n";
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", utf16(text, u16::to_le_bytes).as_slice()].concat(),
            [b"\xfe\xff", utf16(text, u16::to_be_bytes).as_slice()].concat(),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
            text.replace('\n', "\r").into_bytes(),
        ] {
            let decoded = decode(&bytes);
            assert_eq!((&*decoded.bytes, decoded.notes.len()), (text.as_bytes(), 0), "{bytes:?}");
        }
    }

    #[test]
    fn zero_bytes_become_spaces_and_are_counted() {
        let decoded = decode(b"main\x001\n a lot of text that is not UTF-16");
        assert_eq!(&decoded.bytes[..7], b"main 1\n");
        assert_eq!(decoded.notes.count(kind::REPAIRED), 1);
    }

    #[test]
    fn lines_end_with_lf_or_crlf_or_the_text() {
        let lines: Vec<_> = Lines::new(b"a\r\n\nb\nc").collect();
        assert_eq!(lines, [(0, &b"a"[..]), (3, b""), (4, b"b"), (6, b"c")]);
    }

    #[test]
    fn parts_are_taken_in_order_and_an_error_ends_both_sides() {
        let parts: Vec<usize> = (0..1000).collect();
        let error = || ReadError::new("text", 0, "testing", "stop");
        for stop in [usize::MAX, 0, 500, 999] {
            let (mut read, mut both) = (Vec::new(), Vec::new());
            let broken = in_order(
                &parts,
                |&part| if part == stop { Err(error()) } else { Ok(part) },
                |part| {
                    read.push(part);
                    Ok(())
                },
            );
            assert_eq!((broken.is_err(), read == parts[..read.len()]), (stop < 1000, true));
            assert!(stop < 1000 || read.len() == 1000);
            let broken = in_order(
                &parts,
                |&part| Ok(part),
                |part| {
                    both.push(part);
                    if part == stop { Err(error()) } else { Ok(()) }
                },
            );
            assert_eq!((broken.is_err(), both.len()), (stop < 1000, stop.saturating_add(1).min(1000)));
        }
    }

    #[test]
    fn what_waits_for_a_slow_part_is_taken_after_it_and_little_waits() {
        let parts: Vec<usize> = (0..300).collect();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let waiting = AtomicUsize::new(0);
            let (mut order, mut most) = (Vec::new(), 0);
            let read = |&part: &usize| {
                // Every seventh is as slow as a thousand turns of the others.
                (0..if part % 7 == 0 { 1000 } else { 1 }).for_each(|_| std::thread::yield_now());
                waiting.fetch_add(1, Ordering::Relaxed);
                Ok(part)
            };
            let take = |part: usize| {
                most = most.max(waiting.fetch_sub(1, Ordering::Relaxed));
                order.push(part);
                Ok(())
            };
            pool.install(|| in_order(&parts, read, take)).unwrap();
            assert_eq!(order, parts, "{threads} threads");
            assert!(most <= threads * PARTS_PER_THREAD, "{most} parts waited at once with {threads} threads");
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_nobody_waits_for_its_part() {
        let parts: Vec<usize> = (0..100).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let read = |&part: &usize| if part == 20 { std::panic::resume_unwind(Box::new("part 20")) } else { Ok(part) };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pool.install(|| in_order(&parts, read, |_| Ok(())))));
        assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"part 20"));
    }

    #[test]
    fn chunks_join_to_the_text_and_start_where_asked() {
        let text = b"x1\ny\ny\nx2\ny\nx3\n";
        for size in 0..20 {
            let chunks = chunks(text, size, |line| line.starts_with(b"x"));
            assert_eq!(chunks.iter().flat_map(|(_, chunk)| chunk.iter().copied()).collect::<Vec<u8>>(), text);
            assert!(chunks.iter().all(|(at, chunk)| chunk.starts_with(b"x") && text[*at..].starts_with(chunk)), "{size}");
        }
    }
}
