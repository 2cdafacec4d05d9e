//! OpenTelemetry profiles: the protobuf message `ProfilesData` (or an export request, which is laid out alike) with its dictionary, as
//! bytes or as JSON.
//!
//! All profiles of the file become one capture: each sample type a column, each timestamp a sample, attributes and links labels, thread
//! and process attributes threads. JSON may hold several exports, one behind the other (the collector's file exporter writes a line for each). The
//! signal is in development and has changed the numbers of its fields; three layouts are told apart by what stands in the fields (releases 1.5
//! to 1.6, 1.7 to 1.8, since 1.9 of opentelemetry-proto). Deliberately absent: the layout before dictionaries, and the original payload that a
//! profile may carry. Start reading at [`Otlp`], then `profiles`; JSON is turned into the same bytes (`transcode`).
//!
//! Rules follow `opentelemetry/proto/profiles/v1development/profiles.proto`.

mod dictionary;
mod profiles;
mod transcode;

use self::profiles::Export;
use self::transcode::Transcoded;
use super::json::Json;
use super::pprof::wire::{Fault, Value, What, Wire};
use super::{Format, HEAD_BYTES, Input, ReadCx, ReadError, Sniff};
use crate::model::{Profile, kind};

/// The reader of OpenTelemetry profiles.
pub(super) struct Otlp;

const NAME: &str = "otlp";

impl Format for Otlp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn summary(&self) -> &'static str {
        "OpenTelemetry profiles (OTLP ProfilesData, protobuf or JSON)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["otlp", "otlp.json"]
    }

    fn sniff(&self, head: &[u8]) -> Sniff {
        if transcode::is_export(head) { Sniff::Yes } else { sniff(head) }
    }

    fn read(&self, input: &Input<'_>, cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
        let head = input.bytes.get(..HEAD_BYTES).unwrap_or(input.bytes);
        // The keys that tell it may stand behind the head.
        if transcode::is_export(head) || sniff(head) == Sniff::No {
            return read_json(input.bytes, cx);
        }
        profiles::read(input.bytes, false, cx.ticket).map(Export::finish)
    }
}

/// Exports as JSON, one behind the other.
fn read_json(bytes: &[u8], cx: &ReadCx<'_>) -> Result<Profile, ReadError> {
    let mut json = Json::new(NAME, bytes, cx.ticket);
    let is_old = transcode::is_old(bytes);
    let first = transcode::transcode(&mut json, is_old)?;
    let mut is_more = json.is_more()?;
    let mut whole = read_export(&first, is_more, cx)?;
    while is_more {
        let start = json.offset();
        match transcode::transcode(&mut json, is_old) {
            Ok(next) => {
                is_more = json.is_more()?;
                whole.absorb(read_export(&next, true, cx)?);
            }
            // The program that wrote the file still does, or was killed.
            Err(error) if json.is_cut() && !error.is_cancelled() => {
                let text = "the last export has no end; those before it were read";
                whole.builder.notes.add(kind::TRUNCATED, text, 1, Some(start as u64));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let mut profile = whole.finish();
    json.note(&mut profile.notes);
    Ok(profile)
}

/// Errors and notes with the offsets of the JSON text.
fn read_export(made: &Transcoded, is_one_of_several: bool, cx: &ReadCx<'_>) -> Result<Export, ReadError> {
    let mut export = profiles::read(&made.bytes, is_one_of_several, cx.ticket).map_err(|error| {
        let place = made.place(error.offset());
        error.at(place)
    })?;
    export.builder.notes.move_offsets(|offset| made.place(offset));
    Ok(export)
}

fn broken(doing: &'static str) -> impl Fn(Fault) -> ReadError {
    move |fault| ReadError::new(NAME, fault.offset, doing, fault.what.to_string())
}

/// A file is nothing but fields 1 (a resource's profiles) and 2 (the dictionary), and those hold nothing but messages and text, where
/// pprof has numbers.
fn sniff(head: &[u8]) -> Sniff {
    let mut wire = Wire::new(head, 0);
    let (mut resources, mut dictionary) = (0, false);
    loop {
        match wire.field() {
            Ok(Some(found)) => match (found.number, found.value) {
                (1, Value::Bytes(body)) if holds(body, &[1, 2, 3, 1000]) => resources += usize::from(!body.bytes().is_empty()),
                (2, Value::Bytes(body)) if holds(body, &[1, 2, 3, 4, 5, 6, 7]) => dictionary |= has_strings(body),
                _ => return Sniff::No,
            },
            Ok(None) => break,
            // The head ends inside the last field: its beginning tells what it is.
            Err(Fault { what: What::Short { .. }, offset }) => {
                let rest = usize::try_from(offset).ok().and_then(|at| head.get(at..)).unwrap_or(&[]);
                let start = rest.iter().skip(1).position(|byte| *byte < 0x80).map_or(rest.len(), |length| length + 2);
                let body = Wire::new(rest.get(start..).unwrap_or(&[]), 0);
                match rest.first() {
                    Some(0x0a) if holds(body, &[1, 2, 3, 1000]) && !body.bytes().is_empty() => resources += 1,
                    Some(0x12) if holds(body, &[1, 2, 3, 4, 5, 6, 7]) => dictionary |= resources > 0 || has_strings(body),
                    _ => return Sniff::No,
                }
                break;
            }
            Err(_) => return Sniff::No,
        }
    }
    if resources > 0 || dictionary { Sniff::Yes } else { Sniff::No }
}

/// True where all fields of a message have one of these numbers and hold bytes. The last may be cut.
fn holds(mut body: Wire<'_>, numbers: &[u64]) -> bool {
    loop {
        match body.field() {
            Ok(Some(found)) if numbers.contains(&found.number) && matches!(found.value, Value::Bytes(_)) => {}
            Ok(None) | Err(Fault { what: What::Short { .. }, .. }) => return true,
            _ => return false,
        }
    }
}

/// A dictionary has tables that a sample of pprof has not.
fn has_strings(mut body: Wire<'_>) -> bool {
    while let Ok(Some(found)) = body.field() {
        if found.number > 3 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
