//! Go's text profiles and the older forms of pprof's family: heap, contention, counted and dumped goroutines, threads, CPU.
//!
//! | Reader | Forms |
//! |---|---|
//! | `go-text` | `debug=1` of heap, allocs, mutex, block, goroutine, threadcreate and profiles of a program's own; goroutine dumps (`debug=2`, panics) |
//! | `gperftools` | binary CPU profiles, heapprofile, heapz, growthz, fragmentationz, contentionz, threadz; Java's heapz, contentionz and CPU |
//! | `jemalloc` | `heap_v2` |
//!
//! Names may stand before any of them (`symbols`).
//!
//! Numbers are those of pprof's own reader (`profile/legacy_profile.go` of google/pprof) wherever that reads a form, and jeprof's for
//! jemalloc. Beyond it names in comments are used, labels are kept, and files that are damaged or that it refuses (threadcreate of
//! real servers, dumps) are read with notes. Deliberately absent: writing these forms, and names from the program's file. Start
//! reading at [`form`], then the module of a form.

mod contention;
mod count;
mod cpu;
mod draft;
mod dump;
mod heap;
mod java;
mod jemalloc;
mod maps;
mod names;
mod patterns;
mod quoted;
mod scan;
mod symbols;
mod threads;

use self::scan::{Source, says_nothing};
use self::symbols::Symbols;
use super::text::{self, Lines};
use super::{Format, Input, ReadCx, ReadError, Sniff};
use crate::base::ticket::Ticket;
use crate::model::{Profile, kind};

/// Go's text profiles.
pub(super) struct GoText;

/// What gperftools writes, and Java in its forms.
pub(super) struct Gperftools;

/// jemalloc's heap profiles.
pub(super) struct Jemalloc;

const GO_TEXT: &str = "go-text";
const GPERFTOOLS: &str = "gperftools";
const JEMALLOC: &str = "jemalloc";

/// A form that one module reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    Heap,
    Contention,
    Count,
    Dump,
    Threads,
    Java,
    Jemalloc,
    Cpu,
    /// Any of the others behind names.
    Named,
}

/// The form of the first bytes of a file, the reader whose business it is, and whether that is certain.
fn form(head: &[u8]) -> Option<(Form, &'static str, Sniff)> {
    if head.trim_ascii_start().starts_with(b"--- symbol") && Lines::new(head).any(|(_, line)| symbols::is_first_line(line)) {
        let profile = Symbols::read(head).and_then(|symbols| head.get(symbols.end..)).filter(|rest| !rest.is_empty());
        // The names may be longer than the head.
        let reader = profile.and_then(form_of_profile).map_or(GPERFTOOLS, |(_, reader, _)| reader);
        return Some((Form::Named, reader, Sniff::Yes));
    }
    form_of_profile(head)
}

/// The same where no names stand before the profile.
fn form_of_profile(head: &[u8]) -> Option<(Form, &'static str, Sniff)> {
    if cpu::is_head(head) {
        return Some((Form::Cpu, GPERFTOOLS, Sniff::Yes));
    }
    let text = text::decode(head);
    let mut lines = Lines::new(&text.bytes);
    let first = lines.by_ref().map(|(_, line)| line).find(|line| !says_nothing(line))?;
    let attributes = lines.clone().take(8).map(|(_, line)| line);
    let sure = |form, reader| Some((form, reader, Sniff::Yes));
    if heap::is_first_line(first) {
        return sure(Form::Heap, heap::reader_of(first));
    }
    if jemalloc::is_first_line(first) {
        return sure(Form::Jemalloc, JEMALLOC);
    }
    if count::first_line(first).is_some() {
        return sure(Form::Count, GO_TEXT);
    }
    if java::is_head(first, attributes) {
        return sure(Form::Java, GPERFTOOLS);
    }
    if contention::is_first_line(first) {
        return sure(Form::Contention, contention::reader_of(first));
    }
    if threads::is_first_line(first) {
        return sure(Form::Threads, GPERFTOOLS);
    }
    if dump::is_heading(first) {
        return sure(Form::Dump, GO_TEXT);
    }
    // A panic prints its reason first; logs hold dumps among other lines.
    lines.any(|(_, line)| dump::is_heading(line)).then_some((Form::Dump, GO_TEXT, Sniff::Maybe))
}

fn sniff(head: &[u8], reader: &str) -> Sniff {
    form(head).filter(|found| found.1 == reader).map_or(Sniff::No, |found| found.2)
}

/// Reads whichever form it is.
fn read(input: &Input<'_>, reader: &'static str, ticket: &Ticket) -> Result<Profile, ReadError> {
    let head = head(input.bytes);
    let Some((form, _, _)) = form(head) else { return Err(empty(reader)) };
    if form == Form::Named { read_named(input.bytes, reader, ticket) } else { read_form(input.bytes, form, &Symbols::default(), ticket) }
}

fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..super::HEAD_BYTES).unwrap_or(bytes)
}

/// Reads names and the profile behind them.
fn read_named(bytes: &[u8], reader: &'static str, ticket: &Ticket) -> Result<Profile, ReadError> {
    let symbols = Symbols::read(bytes);
    let end = symbols.as_ref().map_or(bytes.len(), |symbols| symbols.end);
    let rest = bytes.get(end..).unwrap_or_default();
    ticket.advance(end as u64)?;
    let wanted = |what: &str| ReadError::new(reader, end as u64, "the profile behind the names", what.to_owned());
    let symbols = symbols.filter(|_| !rest.is_empty()).ok_or_else(|| wanted("the file ends before it"))?;
    let form = if cpu::is_head_behind_names(rest) { Some(Form::Cpu) } else { form_of_profile(head(rest)).map(|(form, ..)| form) };
    let form = form.ok_or_else(|| wanted("it is of no form that is known"))?;
    let moved = |offset: u64| offset.saturating_add(end as u64);
    let mut profile = read_form(rest, form, &symbols, ticket).map_err(|error| {
        let offset = moved(error.offset());
        error.at(offset)
    })?;
    profile.notes.move_offsets(moved);
    if let Some((first, count)) = symbols.odd {
        profile.notes.add(kind::NOT_UNDERSTOOD, "lines between the names that are none", count, Some(first));
    }
    profile.info.facts.extend(symbols.program.map(|path| ("program".to_owned(), String::from_utf8_lossy(path).into_owned())));
    Ok(profile)
}

fn read_form(bytes: &[u8], form: Form, symbols: &Symbols<'_>, ticket: &Ticket) -> Result<Profile, ReadError> {
    if form == Form::Cpu {
        return cpu::read(bytes, symbols, ticket);
    }
    let text = text::decode(bytes);
    let mut source = Source::new(&text.bytes, text.base, ticket).with_symbols(symbols);
    let mut profile = match form {
        Form::Heap => heap::read(&mut source, ticket),
        Form::Contention => contention::read(&mut source, ticket),
        Form::Count => count::read(&mut source, ticket),
        Form::Dump => dump::read(&mut source, ticket),
        Form::Threads => threads::read(&mut source, ticket),
        Form::Java => java::read(&mut source, ticket),
        Form::Jemalloc | Form::Cpu | Form::Named => jemalloc::read(&mut source, ticket),
    }?;
    profile.notes.absorb(&text.notes);
    Ok(profile)
}

/// A file that holds nothing of the form it was taken for.
fn empty(reader: &'static str) -> ReadError {
    ReadError::new(reader, 0, "the first line", "wanted the head of a profile, found none")
}

impl Format for GoText {
    fn name(&self) -> &'static str {
        GO_TEXT
    }

    fn summary(&self) -> &'static str {
        "Go profiles as text (debug=1: heap, mutex, block, goroutine, threads; debug=2 and panics: goroutine dumps)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["txt"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        sniff(head, GO_TEXT)
    }

    fn whole(&self, bytes: &[u8]) -> usize {
        // Dumps of goroutines have a paragraph each, the others a line, and below it one for each frame.
        text::whole_paragraphs(bytes)
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input, GO_TEXT, cx.ticket)
    }
}

impl Format for Gperftools {
    fn name(&self) -> &'static str {
        GPERFTOOLS
    }

    fn summary(&self) -> &'static str {
        "gperftools and Java: binary CPU profiles, heap, growth, contention and thread text"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["prof", "heap"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        sniff(head, GPERFTOOLS)
    }

    fn whole(&self, bytes: &[u8]) -> usize {
        // CPU profiles are words of numbers; the first is 0.
        if bytes.first() == Some(&0) { bytes.len() } else { text::whole_lines(bytes) }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input, GPERFTOOLS, cx.ticket)
    }
}

impl Format for Jemalloc {
    fn name(&self) -> &'static str {
        JEMALLOC
    }

    fn summary(&self) -> &'static str {
        "jemalloc heap profiles (heap_v2)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["heap"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        sniff(head, JEMALLOC)
    }

    fn whole(&self, bytes: &[u8]) -> usize {
        text::whole_lines(bytes)
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        read(input, JEMALLOC, cx.ticket)
    }
}

#[cfg(test)]
mod tests;
