//! A pass over every number of every sample, of which nothing is kept.
//!
//! What it costs is the least that reading can cost, so benches hold the reader against it; what it counts is what a profile has to hold, so
//! tests hold the model against it. Deliberately absent: everything that is no sample. Start reading at [`pass`].

use std::sync::{Mutex, PoisonError};

use super::field;
use super::layout::{CHUNK_BYTES, Chunk, Layout};
use super::samples::broken;
use super::wire::{Fault, Wire};
use crate::format::{ReadCx, ReadError};

/// What all samples of a file say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Number of samples.
    pub samples: u64,
    /// Locations in all their stacks.
    pub locations: u64,
    /// Sum of the numbers of these locations, which may wrap around.
    pub location_sum: u64,
    /// Sum of all values of all types, which may wrap around.
    pub value_sum: i64,
    /// Number of labels.
    pub labels: u64,
}

/// Decodes the samples in `bytes`, an uncompressed profile, on all threads of the pool, each chunk as soon as it was found.
///
/// # Errors
///
/// Bytes that are no protobuf; whether numbers name anything is not looked at.
pub fn pass(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Pass, ReadError> {
    let sums = Mutex::new(Ok(Pass::default()));
    let take = |chunk: Chunk<'_>| {
        let part = chunk_pass(&chunk).and_then(|part| Ok(cx.ticket.advance(chunk.fields.bytes().len() as u64).map(|()| part)?));
        let mut sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
        *sums = match (std::mem::replace(&mut *sums, Ok(Pass::default())), part) {
            (Ok(sum), Ok(part)) => Ok(sum.and(part)),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
    };
    if rayon::current_num_threads() > 1 {
        rayon::scope(|scope| Layout::find(bytes, CHUNK_BYTES, cx, |chunk, _| scope.spawn(move |_| take(chunk))).map(drop))?;
    } else {
        Layout::find(bytes, CHUNK_BYTES, cx, |chunk, _| take(chunk))?;
    }
    sums.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Pass {
    const fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            locations: self.locations + other.locations,
            location_sum: self.location_sum.wrapping_add(other.location_sum),
            value_sum: self.value_sum.wrapping_add(other.value_sum),
            labels: self.labels + other.labels,
        }
    }
}

fn chunk_pass(chunk: &Chunk<'_>) -> Result<Pass, ReadError> {
    let mut sums = Pass::default();
    let mut fields = chunk.fields;
    while let Ok(Some(found)) = fields.field() {
        if let (field::SAMPLE, Ok(body)) = (found.number, found.message()) {
            sample(body, &mut sums).map_err(|fault| broken(fault, chunk.first_sample + sums.samples))?;
            sums.samples += 1;
        }
    }
    Ok(sums)
}

/// Decodes one sample.
fn sample(mut body: Wire<'_>, sums: &mut Pass) -> Result<(), Fault> {
    while let Some(found) = body.field()? {
        match found.number {
            1 => found.numbers(|some| {
                sums.locations += some.len() as u64;
                sums.location_sum = some.iter().fold(sums.location_sum, |sum, id| sum.wrapping_add(*id));
            })?,
            2 => found.numbers(|some| sums.value_sum = some.iter().fold(sums.value_sum, |sum, &value| sum.wrapping_add(value as i64)))?,
            3 => {
                let mut label = found.message()?;
                while label.field()?.is_some() {}
                sums.labels += 1;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ticket::Ticket;
    use crate::format::Input;
    use crate::format::pprof::decode::{read, tests::mixed};

    #[test]
    fn the_model_holds_what_a_plain_pass_counts() {
        let (bytes, ticket) = (mixed(), Ticket::new());
        let cx = ReadCx::new(&ticket);
        let found = pass(&bytes, &cx).unwrap();
        let profile = read(&Input { bytes: &bytes, name: "x" }, &cx).unwrap();
        let depth: usize = profile.samples.stacks().iter().map(|stack| profile.stack_frames(*stack).count()).sum();
        let values: i64 = (0..profile.sample_types.len()).flat_map(|row| profile.samples.values(row)).sum();
        let labels = profile.samples.labels().iter().flatten().count();
        assert!(depth > 1000 && labels > 300, "the profile is worth the test");
        assert_eq!((found.samples, found.locations), (profile.samples.len() as u64, depth as u64));
        assert_eq!((found.value_sum, found.labels), (values, labels as u64));
    }

    #[test]
    fn a_broken_sample_is_named() {
        let ticket = Ticket::new();
        let error = pass(&[0x12, 2, 0x0a, 9], &ReadCx::new(&ticket)).unwrap_err();
        assert!(error.to_string().contains("sample 1"), "{error}");
    }
}
