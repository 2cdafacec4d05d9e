//! First pass: hops over the top-level fields and notes where everything stands.
//!
//! Samples are not looked into, only divided into chunks for the second pass, which may begin with a chunk as soon as it was found. Start
//! reading at [`Layout::find`].

use super::wire::{Fault, Field, What, Wire};
use super::{NAME, field};
use crate::format::{ReadCx, ReadError};

/// Bytes of samples in one chunk: so few that what the first pass went over is still near the processor when the second one comes to it.
pub(super) const CHUNK_BYTES: u64 = 512 << 10;

/// A cut file may claim this much more than it holds; a longer claim is damage and no cut.
const PLAUSIBLE_BYTES: u64 = 1 << 20;

/// Where everything stands.
#[derive(Default)]
pub(super) struct Layout<'a> {
    pub(super) sample_types: Vec<Wire<'a>>,
    pub(super) chunks: Vec<Chunk<'a>>,
    pub(super) mappings: Vec<Wire<'a>>,
    pub(super) locations: Vec<Wire<'a>>,
    pub(super) functions: Vec<Wire<'a>>,
    pub(super) strings: Vec<Wire<'a>>,
    pub(super) period_type: Option<Wire<'a>>,
    /// String indices.
    pub(super) comments: Vec<u64>,
    pub(super) drop_frames: u64,
    pub(super) keep_frames: u64,
    pub(super) default_sample_type: u64,
    pub(super) doc_url: u64,
    pub(super) time_nanos: Option<i64>,
    pub(super) duration_nanos: i64,
    pub(super) period: i64,
    /// Number of samples.
    pub(super) samples: u64,
    /// Where the input ends in the middle of a field.
    pub(super) cut: Option<Fault>,
}

/// Top-level fields, some of which are samples.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) fields: Wire<'a>,
    /// Number of samples before this chunk.
    pub(super) first_sample: u64,
}

/// A chunk that still grows.
struct Open<'a> {
    start: Wire<'a>,
    end: Wire<'a>,
    first_sample: u64,
    sample_bytes: u64,
}

impl<'a> Layout<'a> {
    /// The layout of a whole input, with its samples in chunks of about `chunk_bytes`. `heard` is told of each chunk as soon
    /// as it was found, with the number of sample types before its end.
    pub(super) fn find(
        bytes: &'a [u8],
        chunk_bytes: u64,
        cx: &ReadCx<'_>,
        mut heard: impl FnMut(Chunk<'a>, usize),
    ) -> Result<Self, ReadError> {
        let mut layout = Self::default();
        let mut open = None::<Open<'a>>;
        let mut wire = Wire::new(bytes, 0);
        let mut fields = 0_u32;
        loop {
            let start = wire;
            let found = match wire.field() {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(fault) if is_cut(fault, bytes.len() as u64) => {
                    layout.cut = Some(fault);
                    break;
                }
                Err(fault) => return Err(ReadError::new(NAME, fault.offset, "the fields of the profile", fault.what.to_string())),
            };
            fields = fields.wrapping_add(1);
            if fields.is_multiple_of(1 << 16) {
                cx.ticket.check()?;
            }
            if found.number == field::SAMPLE {
                let body = found.message().map_err(|fault| wrong(fault, "the samples"))?;
                let chunk = open.get_or_insert(Open { start, end: wire, first_sample: layout.samples, sample_bytes: 0 });
                chunk.end = wire;
                chunk.sample_bytes += body.bytes().len() as u64;
                layout.samples += 1;
                if chunk.sample_bytes >= chunk_bytes {
                    layout.close(open.take(), &mut heard);
                }
            } else {
                if found.number == field::TIME_NANOS && layout.time_nanos.is_some() {
                    // Protobuf would merge the two messages, and the string indices of the second would name strings of the first.
                    let what = "a second start time: two uncompressed profiles were joined into one file; split them";
                    return Err(ReadError::new(NAME, found.offset, "the fields of the profile", what));
                }
                layout.other(&found).map_err(|fault| wrong(fault, "the fields of the profile"))?;
            }
        }
        layout.close(open, &mut heard);
        Ok(layout)
    }

    /// Offset of the list of locations of a sample.
    pub(super) fn locations_offset(&self, sample: u64) -> u64 {
        let chunk = self.chunks.iter().rev().find(|chunk| chunk.first_sample <= sample);
        let Some(mut fields) = chunk.map(|chunk| chunk.fields) else { return 0 };
        let mut number = chunk.map_or(0, |chunk| chunk.first_sample);
        while let Ok(Some(found)) = fields.field() {
            let (field::SAMPLE, Ok(mut body)) = (found.number, found.message()) else { continue };
            if number == sample {
                while let Ok(Some(found)) = body.field() {
                    if found.number == 1 {
                        return found.offset;
                    }
                }
                return found.offset;
            }
            number += 1;
        }
        0
    }

    fn close(&mut self, open: Option<Open<'a>>, heard: &mut impl FnMut(Chunk<'a>, usize)) {
        let Some(open) = open else { return };
        let chunk = Chunk { fields: open.start.up_to(&open.end), first_sample: open.first_sample };
        self.chunks.push(chunk);
        heard(chunk, self.sample_types.len());
    }

    /// Takes a field that is no sample.
    pub(super) fn other(&mut self, found: &Field<'a>) -> Result<(), Fault> {
        match found.number {
            field::SAMPLE_TYPE => self.sample_types.push(found.message()?),
            field::MAPPING => self.mappings.push(found.message()?),
            field::LOCATION => self.locations.push(found.message()?),
            field::FUNCTION => self.functions.push(found.message()?),
            field::STRING_TABLE => self.strings.push(found.message()?),
            field::PERIOD_TYPE => self.period_type = Some(found.message()?),
            field::COMMENT => found.ints(&mut self.comments, |index| index)?,
            field::DROP_FRAMES => self.drop_frames = found.int()?,
            field::KEEP_FRAMES => self.keep_frames = found.int()?,
            field::DEFAULT_SAMPLE_TYPE => self.default_sample_type = found.int()?,
            field::DOC_URL => self.doc_url = found.int()?,
            field::DURATION_NANOS => self.duration_nanos = found.int()? as i64,
            field::PERIOD => self.period = found.int()? as i64,
            field::TIME_NANOS => self.time_nanos = Some(found.int()? as i64),
            // Unknown fields belong to a future version.
            _ => {}
        }
        Ok(())
    }
}

fn wrong(fault: Fault, doing: &'static str) -> ReadError {
    ReadError::new(NAME, fault.offset, doing, fault.what.to_string())
}

fn is_cut(fault: Fault, input: u64) -> bool {
    matches!(fault.what, What::Short { wanted, .. } if wanted <= PLAUSIBLE_BYTES.max(input.saturating_mul(2)))
}
