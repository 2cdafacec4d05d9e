//! Reads a gzip file while it is inflated: one thread inflates the next pieces while another decodes the last ones.
//!
//! The uncompressed bytes of samples are never held together, only those of the tables. Deliberately absent: errors and repairs. Whatever
//! is not exactly right (damage, a cut, a field in an unusual place, a number that names nothing) ends in `None`, and the caller reads the
//! file as a whole, which says what is wrong and where. Start reading at [`read`].

use std::sync::mpsc;

use super::decode::{assemble, check_types, start};
use super::field;
use super::layout::{Chunk, Layout};
use super::samples::Reader;
use super::wire::{Fault, What, Wire};
use crate::base::gzip::{Gzip, Stop, WINDOW_BYTES};
use crate::base::ticket::Ticket;
use crate::format::{ReadCx, ReadError};
use crate::model::Profile;

/// Uncompressed bytes that are inflated at a time.
const PIECE_BYTES: usize = 2 << 20;

/// Pieces that are handed over together. A thread that is woken begins on the processor of the one that woke it, so it needs some work before
/// it is worth moving it to an idle one; pieces that were handed over one by one were inflated and decoded on one of two processors.
const HANDED: usize = 4;

/// Hands that may wait for being decoded.
const AHEAD: usize = 2;

/// A field longer than this is left to the reader of whole files.
const LONGEST_FIELD_BYTES: usize = 64 << 20;

/// The profile in a gzip file, or `None` where it has to be read as a whole.
pub(super) fn read(packed: &[u8], cx: &ReadCx<'_>) -> Result<Option<Profile>, ReadError> {
    read_pieces(packed, PIECE_BYTES, cx)
}

fn read_pieces(packed: &[u8], piece_bytes: usize, cx: &ReadCx<'_>) -> Result<Option<Profile>, ReadError> {
    let ticket = cx.ticket;
    // The size of the last member, which mostly is the only one: progress only.
    let size = packed.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size)) as usize;
    ticket.stage("decoding", if size > packed.len() { size as u64 } else { 0 })?;
    let (hand, hands) = mpsc::sync_channel(AHEAD);
    let (give_back, spare) = mpsc::sync_channel(HANDED * (AHEAD + 2));
    let source = Source::new(packed, piece_bytes, cx.max_bytes, spare);
    let read = std::thread::scope(|scope| {
        // Without a thread there is the reader of whole files.
        let inflating = std::thread::Builder::new().spawn_scoped(scope, move || source.run(&hand, cx)).ok()?;
        let reader = decode_all(hands, &give_back, ticket);
        let source = inflating.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Some((reader, source))
    });
    let Some((reader, source)) = read else { return Ok(None) };
    let samples = match reader {
        Ok(reader) => reader.finish(),
        Err(Stop::Cancelled) => return Err(ReadError::cancelled()),
        Err(Stop::Irregular) => return Ok(None),
    };
    let (types, others) = (source.types, source.others);
    let Some(layout) = others.layout(samples.samples()) else { return Ok(None) };
    let result = start(&layout, ticket).and_then(|(builder, tables)| {
        check_types(&layout, types)?;
        assemble(&layout, builder, &tables, samples, ticket)
    });
    match result {
        Ok(profile) => Ok(Some(profile)),
        Err(error) if error.is_cancelled() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Pieces on their way, or why there are no more.
type Hand = Result<Vec<Piece>, Stop>;

/// Decodes all pieces that come. When it returns early, whoever inflates finds nobody to hand on to and stops as well.
fn decode_all(hands: mpsc::Receiver<Hand>, give_back: &mpsc::SyncSender<Vec<u8>>, ticket: &Ticket) -> Result<Reader, Stop> {
    let mut reader = None::<Reader>;
    for hand in hands {
        for piece in hand? {
            if piece.samples > 0 {
                let reader = reader.get_or_insert_with(|| Reader::new(piece.types));
                reader
                    .read(&piece.chunk(), ticket)
                    .map_err(|error| if error.is_cancelled() { Stop::Cancelled } else { Stop::Irregular })?;
            }
            // Nobody takes it any more once the end was inflated.
            drop(give_back.try_send(piece.bytes));
        }
    }
    Ok(reader.unwrap_or_default())
}

/// Uncompressed bytes, some of them whole fields.
struct Piece {
    bytes: Vec<u8>,
    /// Where the first whole field begins, and where the last one ends.
    fields: (usize, usize),
    /// Offset in the file of the first whole field.
    offset: u64,
    /// Number of samples before.
    first_sample: u64,
    samples: u64,
    /// Number of sample types so far, all of which stand before the first sample.
    types: usize,
}

impl Piece {
    fn chunk(&self) -> Chunk<'_> {
        let bytes = self.bytes.get(self.fields.0..self.fields.1).unwrap_or(&[]);
        Chunk { fields: Wire::new(bytes, self.offset), first_sample: self.first_sample }
    }
}

/// Inflates, and divides what comes into whole fields.
struct Source<'a> {
    packed: &'a [u8],
    gzip: Gzip<'a>,
    piece_bytes: usize,
    /// Largest number of uncompressed bytes.
    cap: u64,
    /// End of the last piece: what copies may reach, and the field that was not whole.
    tail: Vec<u8>,
    /// Length of the field that was not whole.
    part: usize,
    made: u64,
    ended: bool,
    samples: u64,
    types: usize,
    others: Others,
    /// Buffers to use again: fresh pages cost as much as a third of the inflating.
    spare: mpsc::Receiver<Vec<u8>>,
}

impl<'a> Source<'a> {
    fn new(packed: &'a [u8], piece_bytes: usize, cap: u64, spare: mpsc::Receiver<Vec<u8>>) -> Self {
        Self {
            packed,
            gzip: Gzip::new(packed),
            piece_bytes,
            cap,
            tail: Vec::new(),
            part: 0,
            made: 0,
            ended: false,
            samples: 0,
            types: 0,
            others: Others::default(),
            spare,
        }
    }

    /// Inflates all and hands it on; gives what was no sample.
    fn run(mut self, hand: &mpsc::SyncSender<Hand>, cx: &ReadCx<'_>) -> Self {
        let mut released = 0;
        loop {
            let pieces: Hand = std::iter::from_fn(|| self.next(cx.ticket).transpose()).take(HANDED).collect();
            let is_last = !matches!(&pieces, Ok(pieces) if pieces.len() == HANDED);
            // Whoever has to read the file as a whole after all finds the same bytes again.
            cx.done_with(self.packed.get(released..self.gzip.consumed()).unwrap_or(&[]));
            released = self.gzip.consumed();
            if hand.send(pieces).is_err() || is_last {
                return self;
            }
        }
    }

    fn next(&mut self, ticket: &Ticket) -> Result<Option<Piece>, Stop> {
        if self.ended {
            return Ok(None);
        }
        if self.part > LONGEST_FIELD_BYTES {
            return Err(Stop::Irregular);
        }
        let known = self.tail.len();
        // A long field is met with ever longer pieces.
        let room = self.piece_bytes.max(self.part);
        let mut bytes = self.spare.try_recv().unwrap_or_default();
        bytes.resize(known + room, 0);
        bytes.get_mut(..known).ok_or(Stop::Irregular)?.copy_from_slice(&self.tail);
        let made = self.gzip.fill(&mut bytes, known, ticket)?;
        bytes.truncate(known + made);
        self.ended = made < room;
        let (first, offset) = (known - self.part, self.made - self.part as u64);
        self.made += made as u64;
        if self.made > self.cap {
            return Err(Stop::Irregular);
        }
        let before = self.samples;
        let mut fields = Wire::new(bytes.get(first..).unwrap_or(&[]), offset);
        loop {
            let start = fields;
            match fields.field() {
                Ok(Some(found)) if found.number == field::SAMPLE && found.message().is_ok() => self.samples += 1,
                Ok(Some(found)) => self.other(found.number, start.up_to(&fields))?,
                Ok(None) => break,
                Err(Fault { what: What::Short { .. }, .. }) => {
                    fields = start;
                    break;
                }
                Err(_) => return Err(Stop::Irregular),
            }
        }
        self.part = fields.bytes().len();
        if self.ended && self.part > 0 {
            return Err(Stop::Irregular);
        }
        let keep = self.part.max(WINDOW_BYTES).min(bytes.len());
        self.tail.clear();
        self.tail.extend_from_slice(bytes.get(bytes.len() - keep..).unwrap_or(&[]));
        let fields = (first, bytes.len() - self.part);
        Ok(Some(Piece { bytes, fields, offset, first_sample: before, samples: self.samples - before, types: self.types }))
    }

    fn other(&mut self, number: u64, field: Wire<'_>) -> Result<(), Stop> {
        match number {
            // A sample of another wire type, a type after samples that were read without it, a second start.
            field::SAMPLE => return Err(Stop::Irregular),
            field::SAMPLE_TYPE if self.samples > 0 => return Err(Stop::Irregular),
            field::TIME_NANOS if self.others.times > 0 => return Err(Stop::Irregular),
            field::SAMPLE_TYPE => self.types += 1,
            field::TIME_NANOS => self.others.times += 1,
            // Fields of a future version.
            0 | 16.. => return Ok(()),
            _ => {}
        }
        self.others.push(field);
        Ok(())
    }
}

/// All fields that are no samples.
#[derive(Default)]
struct Others {
    bytes: Vec<u8>,
    /// Fields that stand together in the file: end among the bytes, offset of the first one.
    runs: Vec<(usize, u64)>,
    /// Number of start times.
    times: u32,
    /// Offset in the file after the last field.
    end: u64,
}

impl Others {
    fn push(&mut self, field: Wire<'_>) {
        self.bytes.extend_from_slice(field.bytes());
        match self.runs.last_mut() {
            Some(run) if self.end == field.offset() => run.0 = self.bytes.len(),
            _ => self.runs.push((self.bytes.len(), field.offset())),
        }
        self.end = field.offset() + field.bytes().len() as u64;
    }

    fn layout(&self, samples: u64) -> Option<Layout<'_>> {
        let mut layout = Layout { samples, ..Layout::default() };
        let mut start = 0;
        for &(end, offset) in &self.runs {
            let mut fields = Wire::new(self.bytes.get(start..end)?, offset);
            while let Some(found) = fields.field().ok()? {
                layout.other(&found).ok()?;
            }
            start = end;
        }
        Some(layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::packed::gz;
    use crate::format::pprof::decode::tests::mixed;
    use crate::format::{Input, read as read_any, text};

    /// So small that fields are cut in every way.
    const PIECE: usize = 300;

    fn streamed(packed: &[u8]) -> Option<Profile> {
        read_pieces(packed, PIECE, &ReadCx::new(&Ticket::new())).unwrap()
    }

    #[test]
    fn a_stream_gives_the_profile_that_the_whole_file_gives() {
        let raw = mixed();
        let ticket = Ticket::new();
        let whole = read_any(&Input { bytes: &raw, name: "x" }, &ReadCx::new(&ticket)).unwrap();
        assert!(raw.len() > 10 * PIECE && whole.samples.len() == 500, "the profile is worth the test");
        assert_eq!(streamed(&gz(&raw)), Some(whole.clone()));
        let members: Vec<u8> = raw.chunks(raw.len() / 3).flat_map(gz).collect();
        assert_eq!(streamed(&members), Some(whole));
    }

    #[test]
    fn compressed_bytes_are_given_back_once_each_in_their_order() {
        let packed = gz(&mixed());
        let heard = text::given_back(|cx| assert!(read_pieces(&packed, PIECE, cx).unwrap().is_some()));
        assert_eq!(heard, packed);
    }

    #[test]
    fn what_is_not_exactly_right_is_left_to_the_reader_of_whole_files() {
        let raw = mixed();
        let packed = gz(&raw);
        assert_eq!(streamed(&packed[..packed.len() / 2]), None, "a cut container");
        assert_eq!(streamed(&gz(&raw[..raw.len() - 3])), None, "a cut profile");
        assert_eq!(streamed(&gz(&[&raw[..], &[0x48, 1, 0x48, 1]].concat())), None, "two start times");
        assert_eq!(streamed(&gz(&[&raw[..], &[0x0a, 0]].concat())), None, "a sample type after the samples");
        assert_eq!(streamed(&gz(&[&raw[..], &[0x12, 5, 0x08, 0x7f, 0x12, 1, 1]].concat())), None, "a location that is not there");
        let ticket = Ticket::new();
        let small = ReadCx { max_bytes: 1000, ..ReadCx::new(&ticket) };
        assert_eq!(read_pieces(&packed, PIECE, &small).unwrap(), None, "more than the limit");
        ticket.cancel();
        assert!(read_pieces(&packed, PIECE, &ReadCx::new(&ticket)).is_err_and(|error| error.is_cancelled()));
    }
}
