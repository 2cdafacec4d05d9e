//! OpenTelemetry profiles as JSON: the same messages by the names of their fields, turned into the bytes that the reader of protobuf takes.
//!
//! One schema says which name stands for which field, so there is one reader for both forms. Names are those of protobuf's JSON mapping
//! (`stackIndex`) or of the definition itself (`stack_index`); integers may be texts, as the mapping writes those of 64 bits; bytes are
//! hexadecimal (OTLP's own rule for ids) or base64 (protobuf's). Unknown names are passed over. Offsets in errors and notes are those of
//! the JSON text. Deliberately absent: what stands behind an export, since each has a dictionary of its own. Start reading at [`transcode`].

use crate::format::ReadError;
use crate::format::json::{Json, Kind};

/// What a field holds.
#[derive(Clone, Copy)]
enum Holds {
    /// A message or a list of them.
    Message(&'static [Field]),
    Text,
    /// Bytes that are an id.
    Id,
    /// An integer, or a list of them.
    Int,
    /// An integer of eight bytes, or a list of them.
    Fixed,
    Float,
    Bool,
}

/// A field by its name in JSON.
struct Field {
    name: &'static str,
    number: u64,
    holds: Holds,
}

const fn field(name: &'static str, number: u64, holds: Holds) -> Field {
    Field { name, number, holds }
}

use Holds::{Bool, Fixed, Float, Id, Int, Message, Text};

static ANY_VALUE: [Field; 8] = [
    field("stringValue", 1, Text),
    field("boolValue", 2, Bool),
    field("intValue", 3, Int),
    field("doubleValue", 4, Float),
    field("arrayValue", 5, Message(&ARRAY_VALUE)),
    field("kvlistValue", 6, Message(&KEY_VALUES)),
    field("bytesValue", 7, Id),
    field("stringValueStrindex", 8, Int),
];
static ARRAY_VALUE: [Field; 1] = [field("values", 1, Message(&ANY_VALUE))];
static KEY_VALUES: [Field; 1] = [field("values", 1, Message(&KEY_VALUE))];
static KEY_VALUE: [Field; 3] = [field("key", 1, Text), field("value", 2, Message(&ANY_VALUE)), field("keyStrindex", 3, Int)];
static RESOURCE: [Field; 1] = [field("attributes", 1, Message(&KEY_VALUE))];
static VALUE_TYPE: [Field; 2] = [field("typeStrindex", 1, Int), field("unitStrindex", 2, Int)];
static MAPPING: [Field; 5] = [
    field("memoryStart", 1, Int),
    field("memoryLimit", 2, Int),
    field("fileOffset", 3, Int),
    field("filenameStrindex", 4, Int),
    field("attributeIndices", 5, Int),
];
static LINE: [Field; 3] = [field("functionIndex", 1, Int), field("line", 2, Int), field("column", 3, Int)];
static LOCATION: [Field; 4] =
    [field("mappingIndex", 1, Int), field("address", 2, Int), field("lines", 3, Message(&LINE)), field("line", 3, Message(&LINE))];
static FUNCTION: [Field; 4] =
    [field("nameStrindex", 1, Int), field("systemNameStrindex", 2, Int), field("filenameStrindex", 3, Int), field("startLine", 4, Int)];
static LINK: [Field; 2] = [field("traceId", 1, Id), field("spanId", 2, Id)];
static ATTRIBUTE: [Field; 4] =
    [field("keyStrindex", 1, Int), field("key", 1, Text), field("value", 2, Message(&ANY_VALUE)), field("unitStrindex", 3, Int)];
static STACK: [Field; 1] = [field("locationIndices", 1, Int)];
static DICTIONARY: [Field; 7] = [
    field("mappingTable", 1, Message(&MAPPING)),
    field("locationTable", 2, Message(&LOCATION)),
    field("functionTable", 3, Message(&FUNCTION)),
    field("linkTable", 4, Message(&LINK)),
    field("stringTable", 5, Text),
    field("attributeTable", 6, Message(&ATTRIBUTE)),
    field("stackTable", 7, Message(&STACK)),
];
/// Since release 1.7 samples name a stack. The numbers of later fields are those of 1.9: names tell them whatever the release was.
static SAMPLE: [Field; 6] = [
    field("stackIndex", 1, Int),
    field("attributeIndices", 2, Int),
    field("linkIndex", 3, Int),
    field("values", 4, Int),
    field("value", 4, Int),
    field("timestampsUnixNano", 5, Fixed),
];
static PROFILE: [Field; 10] = [
    field("sampleType", 1, Message(&VALUE_TYPE)),
    field("samples", 2, Message(&SAMPLE)),
    field("sample", 2, Message(&SAMPLE)),
    field("timeUnixNano", 3, Fixed),
    field("timeNanos", 3, Fixed),
    field("durationNano", 4, Int),
    field("durationNanos", 4, Int),
    field("periodType", 5, Message(&VALUE_TYPE)),
    field("period", 6, Int),
    field("attributeIndices", 11, Int),
];
static SCOPE: [Field; 3] = [field("name", 1, Text), field("version", 2, Text), field("attributes", 3, Message(&KEY_VALUE))];
static SCOPE_PROFILES: [Field; 2] = [field("scope", 1, Message(&SCOPE)), field("profiles", 2, Message(&PROFILE))];
static RESOURCE_PROFILES: [Field; 2] = [field("resource", 1, Message(&RESOURCE)), field("scopeProfiles", 2, Message(&SCOPE_PROFILES))];
static DATA: [Field; 2] = [field("resourceProfiles", 1, Message(&RESOURCE_PROFILES)), field("dictionary", 2, Message(&DICTIONARY))];

/// Releases 1.5 and 1.6: samples name a range of the profile's own list.
static RANGE_SAMPLE: [Field; 6] = [
    field("locationsStartIndex", 1, Int),
    field("locationsLength", 2, Int),
    field("value", 3, Int),
    field("attributeIndices", 4, Int),
    field("linkIndex", 5, Int),
    field("timestampsUnixNano", 6, Int),
];
static RANGE_PROFILE: [Field; 9] = [
    field("sampleType", 1, Message(&VALUE_TYPE)),
    field("sample", 2, Message(&RANGE_SAMPLE)),
    field("locationIndices", 3, Int),
    field("timeNanos", 4, Int),
    field("durationNanos", 5, Int),
    field("periodType", 6, Message(&VALUE_TYPE)),
    field("period", 7, Int),
    field("commentStrindices", 8, Int),
    field("attributeIndices", 14, Int),
];
static RANGE_SCOPE: [Field; 2] = [field("scope", 1, Message(&SCOPE)), field("profiles", 2, Message(&RANGE_PROFILE))];
static RANGE_RESOURCE: [Field; 2] = [field("resource", 1, Message(&RESOURCE)), field("scopeProfiles", 2, Message(&RANGE_SCOPE))];
static RANGE_DATA: [Field; 2] = [field("resourceProfiles", 1, Message(&RANGE_RESOURCE)), field("dictionary", 2, Message(&DICTIONARY))];

/// Messages in messages: the schema is nine deep, values of attributes may hold lists of values.
const MAX_DEPTH: usize = 24;

/// The bytes of protobuf, and where in the JSON text each message of them comes from.
#[derive(Debug, Default)]
pub(super) struct Transcoded {
    pub(super) bytes: Vec<u8>,
    /// Offset in `bytes`, offset in the text; ascending.
    places: Vec<(u64, u64)>,
}

impl Transcoded {
    /// The place in the text of a place in the bytes: where the message starts that holds it.
    pub(super) fn place(&self, offset: u64) -> u64 {
        let after = self.places.partition_point(|(own, _)| *own <= offset);
        after.checked_sub(1).and_then(|at| self.places.get(at)).map_or(0, |(_, text)| *text)
    }
}

/// Turns the next export into bytes of protobuf. `is_old` says that samples name ranges of locations.
pub(super) fn transcode(json: &mut Json<'_>, is_old: bool) -> Result<Transcoded, ReadError> {
    let mut out = Transcoded::default();
    message(json, if is_old { &RANGE_DATA } else { &DATA }, &mut out, 0)?;
    Ok(out)
}

fn message(json: &mut Json<'_>, fields: &'static [Field], out: &mut Transcoded, depth: usize) -> Result<(), ReadError> {
    json.object()?;
    while let Some(key) = json.key()? {
        let known = fields.iter().find(|field| is_name(field.name, &key));
        match known.filter(|_| depth < MAX_DEPTH) {
            Some(field) if json.kind()? != Kind::Null => value(json, field, out, depth)?,
            _ => {
                json.skip()?;
            }
        }
    }
    Ok(())
}

/// True where a key is the name, or its form with underscores.
fn is_name(name: &str, key: &str) -> bool {
    let mut rest = key.bytes();
    let same = name.bytes().all(|byte| match rest.next() {
        Some(b'_') => rest.next().is_some_and(|next| next.to_ascii_uppercase() == byte && byte.is_ascii_uppercase()),
        next => next == Some(byte),
    });
    same && rest.next().is_none()
}

fn value(json: &mut Json<'_>, field: &Field, out: &mut Transcoded, depth: usize) -> Result<(), ReadError> {
    let is_list = json.kind()? == Kind::Array;
    match field.holds {
        Int | Fixed if is_list => {
            let is_fixed = matches!(field.holds, Fixed);
            return delimited(json, field.number, out, |json, out| {
                json.list()?;
                while json.item()? {
                    let number = integer(json)?;
                    if is_fixed { out.bytes.extend(number.to_le_bytes()) } else { varint(&mut out.bytes, number) }
                }
                Ok(())
            });
        }
        _ if is_list => {
            json.list()?;
            while json.item()? {
                single(json, field, out, depth)?;
            }
        }
        _ => single(json, field, out, depth)?,
    }
    Ok(())
}

fn single(json: &mut Json<'_>, field: &Field, out: &mut Transcoded, depth: usize) -> Result<(), ReadError> {
    match field.holds {
        Message(fields) => delimited(json, field.number, out, |json, out| message(json, fields, out, depth + 1))?,
        Text => {
            let text = json.text()?;
            bytes(&mut out.bytes, field.number, text.as_bytes());
        }
        Id => {
            let text = json.text()?;
            bytes(&mut out.bytes, field.number, &id(&text));
        }
        Int => {
            let number = integer(json)?;
            tag(&mut out.bytes, field.number, 0);
            varint(&mut out.bytes, number);
        }
        Fixed => {
            let number = integer(json)?;
            tag(&mut out.bytes, field.number, 1);
            out.bytes.extend(number.to_le_bytes());
        }
        Float => {
            // "NaN" and "Infinity" are texts.
            let number = if json.kind()? == Kind::Text { json.text()?.parse().unwrap_or(f64::NAN) } else { json.number()?.float() };
            tag(&mut out.bytes, field.number, 1);
            out.bytes.extend(number.to_le_bytes());
        }
        Bool => {
            let start = json.skip()?;
            tag(&mut out.bytes, field.number, 0);
            out.bytes.push(u8::from(json.starts_with(start, b"true")));
        }
    }
    Ok(())
}

/// Bytes with their length before them, which is known only afterwards: so it takes five bytes always.
fn delimited(
    json: &mut Json<'_>,
    number: u64,
    out: &mut Transcoded,
    content: impl FnOnce(&mut Json<'_>, &mut Transcoded) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    const LENGTH_BYTES: usize = 5;
    json.kind()?;
    out.places.push((out.bytes.len() as u64, json.offset() as u64));
    tag(&mut out.bytes, number, 2);
    let start = out.bytes.len();
    out.bytes.resize(start + LENGTH_BYTES, 0);
    content(json, out)?;
    let mut length = out.bytes.len() - start - LENGTH_BYTES;
    for (at, byte) in out.bytes.iter_mut().skip(start).take(LENGTH_BYTES).enumerate() {
        // A byte with the highest bit set is followed by another one, also where that adds nothing.
        *byte = (length & 0x7f) as u8 | if at + 1 < LENGTH_BYTES { 0x80 } else { 0 };
        length >>= 7;
    }
    if length > 0 {
        return Err(json.error(json.offset(), "the export", "a message of more than 32 GiB"));
    }
    Ok(())
}

/// An integer, which may be written as text. Negative ones are those of 64 bits.
fn integer(json: &mut Json<'_>) -> Result<u64, ReadError> {
    if json.kind()? != Kind::Text {
        return Ok(json.number()?.integer() as u64);
    }
    let start = json.offset();
    let text = json.text()?;
    let number = text.parse::<u64>().ok().or_else(|| text.parse::<i64>().ok().map(|number| number as u64));
    number.ok_or_else(|| json.error(start, "the JSON text", format!("wanted an integer, found {text:?}")))
}

/// Bytes of an id: hexadecimal where it is nothing else, else base64.
fn id(text: &str) -> Vec<u8> {
    let digits: Option<Vec<u8>> = text.bytes().map(|byte| char::from(byte).to_digit(16).map(|digit| digit as u8)).collect();
    // Ids have 8 or 16 bytes; as base64 those are 12 or 24 letters.
    if let Some(digits) = digits.filter(|digits| digits.len() % 16 == 0) {
        let (pairs, _) = digits.as_chunks::<2>();
        return pairs.iter().map(|[high, low]| high << 4 | low).collect();
    }
    let (mut out, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

fn tag(out: &mut Vec<u8>, number: u64, wire_type: u64) {
    varint(out, number << 3 | wire_type);
}

fn bytes(out: &mut Vec<u8>, number: u64, value: &[u8]) {
    tag(out, number, 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// True for the beginning of JSON that holds such an export.
pub(super) fn is_export(head: &[u8]) -> bool {
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let has = |name: &str| memchr::memmem::find(start, name.as_bytes()).is_some();
    let any = |names: &[&str]| names.iter().any(|name| has(name));
    let tables = ["\"stringTable\"", "\"string_table\"", "\"mappingTable\"", "\"mapping_table\"", "\"stackTable\"", "\"locationTable\""];
    start.starts_with(b"{") && (any(&["\"resourceProfiles\"", "\"resource_profiles\""]) || (has("\"dictionary\"") && any(&tables)))
}

/// True where samples name ranges of their profile's locations (releases 1.5 and 1.6).
pub(super) fn is_old(text: &[u8]) -> bool {
    ["locationsLength\"", "locations_length\""].iter().any(|name| memchr::memmem::find(text, name.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ticket::Ticket;

    #[test]
    fn names_are_known_in_both_spellings() {
        for (name, key, is_same) in [
            ("timestampsUnixNano", "timestampsUnixNano", true),
            ("timestampsUnixNano", "timestamps_unix_nano", true),
            ("timestampsUnixNano", "timestampsunixnano", false),
            ("line", "line_", false),
            ("line", "lin", false),
            ("line", "_line", false),
        ] {
            assert_eq!(is_name(name, key), is_same, "{key}");
        }
    }

    #[test]
    fn ids_are_hexadecimal_or_base64() {
        let wanted: Vec<u8> = (0..16).collect();
        assert_eq!(id("000102030405060708090a0b0c0d0e0f"), wanted);
        assert_eq!(id("AAECAwQFBgcICQoLDA0ODw=="), wanted);
        assert_eq!(id("AAECAwQFBgc="), wanted[..8]);
        assert_eq!(id("0001020304050607"), wanted[..8]);
    }

    #[test]
    fn nested_values_end_at_a_depth_and_not_in_the_stack() {
        let deep = format!("{}{}{}", r#"{"arrayValue":{"values":["#.repeat(20_000), r#"{"stringValue":"x"}"#, "]}}".repeat(20_000));
        let text = format!(r#"{{"resourceProfiles":[{{"resource":{{"attributes":[{{"key":"k","value":{deep}}}]}}}}]}}"#);
        let ticket = Ticket::new();
        let mut json = Json::new("otlp", text.as_bytes(), &ticket);
        assert!(transcode(&mut json, false).unwrap().bytes.len() < 1000);
    }
}
