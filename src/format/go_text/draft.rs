//! A profile of bare addresses in the making: what all older forms but goroutine dumps have in common.
//!
//! Names and the memory map may stand behind the samples, so addresses wait here until both are known. Addresses are kept as pprof's
//! reader keeps them: moved into the call where they are return addresses, so that tables and files that both write are equal.
//! Deliberately absent: any form's grammar. Start reading at [`Draft`].

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::maps::{self, Region};
use super::names::Names;
use super::scan::Source;
use super::symbols::Symbols;
use super::{GO_TEXT, patterns, scan};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::format::pprof::quality;
use crate::model::{Builder, Frame, FrameId, LabelSetId, Mapping, MappingId, Profile, Sample, Tally, ThreadId, kind};

/// Most value columns of any of the forms.
pub(super) const TYPES: usize = 4;

/// Addresses between two looks at the ticket.
const POLL_ADDRESSES: usize = 1 << 15;

/// See the module.
pub(super) struct Draft<'a> {
    /// Takes sample types, facts, strings and notes; samples come at the end.
    pub(super) builder: Builder,
    /// Names so far.
    pub(super) names: Names,
    /// Names that were not UTF-8.
    pub(super) invalid: u64,
    ticket: &'a Ticket,
    addresses: Vec<u64>,
    /// Where the addresses of the sample in the making begin.
    open: usize,
    rows: Vec<Row>,
    /// Records that could not be used.
    skipped: u64,
    /// The innermost address of stacks was moved as those of callers are.
    is_leaf_moved: bool,
}

struct Row {
    /// Place of its first address. Rows with equal stacks may share a place.
    start: usize,
    /// Behind its last address.
    end: usize,
    labels: Option<LabelSetId>,
    thread: Option<ThreadId>,
    values: [i64; TYPES],
    offset: u64,
}

impl<'a> Draft<'a> {
    /// An empty profile; the last sample type is shown first, as pprof does.
    pub(super) fn new(format: &str, types: &[(&str, &str)], ticket: &'a Ticket) -> Self {
        let mut builder = Builder::new(types.iter().copied());
        builder.default_sample_type = types.len().saturating_sub(1);
        format.clone_into(&mut builder.info.format);
        Self {
            builder,
            names: Names::default(),
            invalid: 0,
            ticket,
            addresses: Vec::new(),
            open: 0,
            rows: Vec::new(),
            skipped: 0,
            is_leaf_moved: false,
        }
    }

    /// Number of samples so far.
    pub(super) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Puts an address, moved into the call already, at the outer end of the stack that the next sample gets.
    pub(super) fn address(&mut self, address: u64) -> Result<(), ReadError> {
        if self.addresses.len().is_multiple_of(POLL_ADDRESSES) {
            self.ticket.check()?;
        }
        self.addresses.push(address);
        Ok(())
    }

    /// All `0x…` of a text as return addresses, innermost first; false where one exceeds 64 bits.
    pub(super) fn return_addresses(&mut self, text: &[u8]) -> Result<bool, ReadError> {
        self.is_leaf_moved = true;
        // Zero wraps around, as it does in pprof.
        let fits = self.addresses_by(text, |address| address.wrapping_sub(1))?;
        self.names.stack(self.addresses.get(self.open..).unwrap_or_default());
        Ok(fits)
    }

    /// All `0x…` of a text, changed by `change`.
    pub(super) fn addresses_by(&mut self, text: &[u8], change: impl Fn(u64) -> u64) -> Result<bool, ReadError> {
        for found in scan::addresses(text) {
            let Some(address) = found else { return Ok(false) };
            self.address(change(address))?;
        }
        Ok(true)
    }

    /// Whether the sample in the making has no address yet.
    pub(super) const fn stack_is_empty(&self) -> bool {
        self.addresses.len() == self.open
    }

    /// Ends a sample: it has the addresses since the last one. `sample.stack` is not looked at.
    pub(super) fn sample(&mut self, sample: Sample, values: &[i64], offset: u64) {
        let mut row =
            Row { start: self.open, end: self.addresses.len(), labels: sample.labels, thread: sample.thread, values: [0; TYPES], offset };
        for (place, value) in row.values.iter_mut().zip(values) {
            *place = *value;
        }
        self.open = row.end;
        self.rows.push(row);
    }

    /// Ends a sample that has the stack of the one before, whatever addresses stand there since.
    pub(super) fn sample_like_last(&mut self, sample: Sample, values: &[i64], offset: u64) {
        let stack = self.rows.last().map(|row| (row.start, row.end));
        self.addresses.truncate(self.open);
        self.sample(sample, values, offset);
        if let (Some((start, end)), Some(row)) = (stack, self.rows.last_mut()) {
            (row.start, row.end) = (start, end);
        }
    }

    /// Drops the addresses since the last sample: their record cannot be used.
    pub(super) fn skip(&mut self, cause: &str, offset: u64) {
        self.addresses.truncate(self.open);
        self.skipped = self.skipped.saturating_add(1);
        self.builder.notes.add(kind::NOT_UNDERSTOOD, cause, 1, Some(offset));
    }

    /// Whether nothing could be used although there was something.
    pub(super) const fn only_skipped(&self) -> bool {
        self.rows.is_empty() && self.skipped > 0
    }

    /// Lets `edit` change the addresses of every sample.
    pub(super) fn edit_stacks(&mut self, mut edit: impl FnMut(&mut Vec<u64>)) -> Result<(), ReadError> {
        let mut stack = Vec::new();
        let (mut last, mut kept) = ((0, 0), Vec::with_capacity(self.addresses.len()));
        let mut place = (0, 0);
        for (at, row) in self.rows.iter_mut().enumerate() {
            if at.is_multiple_of(1024) {
                self.ticket.check()?;
            }
            if at == 0 || last != (row.start, row.end) {
                last = (row.start, row.end);
                stack.clear();
                stack.extend_from_slice(self.addresses.get(row.start..row.end).unwrap_or(&[]));
                edit(&mut stack);
                place.0 = kept.len();
                kept.extend_from_slice(&stack);
                place.1 = kept.len();
            }
            (row.start, row.end) = place;
        }
        self.open = kept.len();
        self.addresses = kept;
        Ok(())
    }

    /// The second address of every sample that has one.
    pub(super) fn second_addresses(&self) -> impl Iterator<Item = u64> + '_ {
        let long = self.rows.iter().filter(|row| row.end > row.start + 1);
        long.filter_map(|row| self.addresses.get(row.start + 1).copied())
    }

    /// The finished profile. The rest of the input is searched for a memory map first.
    pub(super) fn finish_with_map(mut self, source: &mut Source<'_>, is_heading_read: bool) -> Result<Profile, ReadError> {
        if !is_heading_read {
            maps::seek(source)?;
        }
        let (regions, left) = maps::read(source)?;
        if left > 0 {
            self.builder.notes.add(kind::NOT_UNDERSTOOD, "names in the memory map with values that are too long", left, None);
        }
        self.finish(maps::tidy(regions), source.symbols.filter(|symbols| !symbols.is_empty()))
    }

    /// The finished profile of a form whose addresses are only keys to names: named frames have none then.
    pub(super) fn finish_with_names(mut self) -> Result<Profile, ReadError> {
        self.names.forget_addresses();
        self.finish(Vec::new(), None)
    }

    /// Whether names of callers stand at their return addresses: all of those have one.
    fn names_return_addresses(&self, symbols: &Symbols<'_>) -> bool {
        let stacks = self.rows.iter().filter_map(|row| self.addresses.get(row.start + 1..row.end));
        stacks.flatten().all(|address| symbols.has(address.wrapping_add(1)))
    }

    /// The finished profile.
    fn finish(mut self, mut regions: Vec<Region>, symbols: Option<&Symbols<'_>>) -> Result<Profile, ReadError> {
        self.names.next_stack();
        if self.builder.info.format == GO_TEXT {
            let hidden = self.names.name_hidden(&mut self.builder);
            if hidden > 0 {
                let text = "addresses of Go's runtime that the text does not name";
                self.builder.notes.add(kind::NO_SYMBOLS, text, hidden, None);
            }
        }
        let mut distinct = self.addresses.clone();
        distinct.sort_unstable();
        distinct.dedup();
        self.ticket.check()?;
        let placed = maps::place(&mut regions, distinct);
        let mappings: Vec<MappingId> = regions.iter().map(|region| mapping(&mut self.builder, region)).collect();
        let mapping_of = |address: u64| {
            let row = placed.binary_search_by_key(&address, |placed| placed.0).ok().and_then(|at| placed.get(at));
            row.and_then(|&(_, region)| mappings.get(region).copied())
        };
        let is_numbered = symbols.is_some_and(Symbols::is_numbered);
        let at_return = is_numbered || symbols.is_some_and(|symbols| self.names_return_addresses(symbols));
        let mut frames: HashMap<(u64, bool), Vec<FrameId>, FxBuildHasher> = HashMap::default();
        let (mut last, mut stack) = ((0, 0), None);
        for (at, row) in self.rows.iter().enumerate() {
            if at.is_multiple_of(1024) {
                self.ticket.check()?;
            }
            if last != (row.start, row.end) {
                last = (row.start, row.end);
                stack = None;
                for (at, &address) in self.addresses.get(row.start..row.end).unwrap_or(&[]).iter().enumerate().rev() {
                    if at.is_multiple_of(POLL_ADDRESSES) {
                        self.ticket.check()?;
                    }
                    let (names, builder, invalid) = (&self.names, &mut self.builder, &mut self.invalid);
                    let is_leaf = at == 0 && symbols.is_some();
                    let found = frames.entry((address, is_leaf)).or_insert_with(|| {
                        let is_named_as_written = if is_leaf { self.is_leaf_moved } else { at_return };
                        let before = [address, address.wrapping_add(1)];
                        let [first, second] = if is_named_as_written { [before[1], before[0]] } else { before };
                        let functions = symbols.map(|symbols| if symbols.has(first) { (symbols, first) } else { (symbols, second) });
                        let functions = functions.map(|(symbols, key)| symbols.functions(key, builder, invalid)).unwrap_or_default();
                        let bare = names.frame(address, mapping_of(address));
                        if functions.is_empty() {
                            return vec![builder.frame(bare)];
                        }
                        let bare = Frame { address: bare.address.filter(|_| !is_numbered), ..bare };
                        let named = functions.into_iter().enumerate();
                        named
                            .map(|(depth, function)| builder.frame(Frame { function: Some(function), inlined: depth > 0, ..bare }))
                            .collect()
                    });
                    for &frame in &*found {
                        stack = Some(self.builder.stack(stack, frame));
                    }
                }
            }
            if stack.is_none() {
                self.builder.notes.add(kind::NO_STACK, "samples without a stack", 1, Some(row.offset));
            }
            let types = self.builder.sample_types.len();
            let sample = Sample { stack, labels: row.labels, thread: row.thread, time: None };
            self.builder.rows.sample(sample, row.values.get(..types).unwrap_or(&row.values));
        }
        if self.invalid > 0 {
            let text = "names that are not UTF-8 were read with replacement characters";
            self.builder.notes.add(kind::INVALID_UTF8, text, self.invalid, None);
        }
        let (drop, keep) = patterns::of(&self.builder.sample_types);
        self.builder.info.drop_frames = Some(drop);
        self.builder.info.keep_frames = keep;
        self.builder.info.tally = Tally::new(self.rows.len() as u64, self.skipped);
        let mut profile = self.builder.finish();
        if profile.info.format == GO_TEXT {
            quality::note(&mut profile);
        }
        Ok(profile)
    }
}

fn mapping(builder: &mut Builder, region: &Region) -> MappingId {
    let mut text = |text: &str| (!text.is_empty()).then(|| builder.string(text));
    let (file, build_id) = (text(&region.file), text(&region.build_id));
    builder.mapping(Mapping { file, build_id, start: region.start, limit: region.limit, offset: region.offset, ..Mapping::default() })
}

/// How many events or bytes stand behind what a sampling allocator recorded: the recorder keeps an allocation of `size / count` bytes
/// with probability `1 - exp(-size / count / rate)`. Rates up to 1 mean that everything was kept.
pub(super) fn unsampled(count: i64, size: i64, rate: i64) -> (f64, f64) {
    let (count, size) = (count as f64, size as f64);
    if count == 0.0 || size == 0.0 {
        return (0.0, 0.0);
    }
    if rate <= 1 {
        return (count, size);
    }
    let scale = 1.0 / (1.0 - (-(size / count) / rate as f64).exp());
    (count * scale, size * scale)
}
