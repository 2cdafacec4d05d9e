//! The pprof reader on profiles that are built right and then damaged: ids, indices, lengths and kinds of fields.
#![no_main]

use arbitrary::Arbitrary;

/// A profile before it is bytes; every number may point to a row that exists, or not.
#[derive(Arbitrary, Debug)]
struct Profile {
    types: Vec<(u8, u8)>,
    samples: Vec<Sample>,
    mappings: Vec<Mapping>,
    locations: Vec<Location>,
    functions: Vec<Function>,
    strings: Vec<Vec<u8>>,
    /// Fields of the profile itself: number, value.
    head: Vec<(u8, i64)>,
    /// Order in which the tables stand.
    order: u8,
    damage: Vec<Damage>,
    /// Packed as gzip, in so many members.
    members: u8,
}

#[derive(Arbitrary, Debug)]
struct Sample {
    locations: Vec<u8>,
    values: Vec<i64>,
    labels: Vec<[i16; 4]>,
    is_packed: bool,
}

#[derive(Arbitrary, Debug)]
struct Mapping {
    id: u8,
    start: u32,
    size: u32,
    file: u8,
}

#[derive(Arbitrary, Debug)]
struct Location {
    id: u8,
    mapping: u8,
    address: u32,
    lines: Vec<(u8, i16, u8)>,
    is_folded: bool,
}

#[derive(Arbitrary, Debug)]
struct Function {
    id: u8,
    names: [u8; 3],
    start: i32,
}

#[derive(Arbitrary, Debug)]
enum Damage {
    Byte(u32, u8),
    /// A tag with another kind of field.
    WireType(u32, u8),
    /// A length or number that is far too large.
    Huge(u32),
    Cut(u32),
    Insert(u32, Vec<u8>),
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend(value);
}

fn numbers(out: &mut Vec<u8>, field: u64, values: impl Iterator<Item = u64>, is_packed: bool) {
    if !is_packed {
        return values.for_each(|value| number(out, field, value));
    }
    let mut list = Vec::new();
    values.for_each(|value| varint(&mut list, value));
    bytes(out, field, &list);
}

/// Ids are most often those of the row, so that most profiles are sound.
fn id(own: u8, row: usize) -> u64 {
    if own < 250 { row as u64 + 1 } else { u64::from(own) }
}

fn sample(sample: &Sample, locations: usize, types: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let at = |row: &u8| if *row < 250 && locations > 0 { u64::from(*row) % locations as u64 + 1 } else { u64::from(*row) };
    numbers(&mut out, 1, sample.locations.iter().take(40).map(at), sample.is_packed);
    // As many values as there are types, unless the first says otherwise.
    let count = if sample.values.first() == Some(&77) { sample.values.len() } else { types };
    let values = sample.values.iter().copied().chain(std::iter::repeat(1)).take(count.min(64));
    numbers(&mut out, 2, values.map(|value| value as u64), sample.is_packed);
    for label in sample.labels.iter().take(6) {
        let mut body = Vec::new();
        for (field, value) in (1..).zip(label) {
            if *value != 0 {
                number(&mut body, field, i64::from(*value) as u64);
            }
        }
        bytes(&mut out, 3, &body);
    }
    out
}

fn build(profile: &Profile) -> Vec<u8> {
    let mut tables: Vec<Vec<u8>> = Vec::new();
    let mut types = Vec::new();
    for (name, unit) in profile.types.iter().take(8) {
        let mut body = Vec::new();
        number(&mut body, 1, u64::from(*name));
        number(&mut body, 2, u64::from(*unit));
        bytes(&mut types, 1, &body);
    }
    tables.push(types);
    let mut samples = Vec::new();
    for one in profile.samples.iter().take(60) {
        bytes(&mut samples, 2, &sample(one, profile.locations.len(), profile.types.len().min(8)));
    }
    tables.push(samples);
    let mut mappings = Vec::new();
    for (row, mapping) in profile.mappings.iter().take(20).enumerate() {
        let mut body = Vec::new();
        number(&mut body, 1, id(mapping.id, row));
        number(&mut body, 2, u64::from(mapping.start));
        number(&mut body, 3, u64::from(mapping.start) + u64::from(mapping.size));
        number(&mut body, 5, u64::from(mapping.file));
        bytes(&mut mappings, 3, &body);
    }
    tables.push(mappings);
    let mut locations = Vec::new();
    for (row, location) in profile.locations.iter().take(60).enumerate() {
        let mut body = Vec::new();
        number(&mut body, 1, id(location.id, row));
        number(&mut body, 2, u64::from(location.mapping));
        number(&mut body, 3, u64::from(location.address));
        for (function, line, column) in location.lines.iter().take(8) {
            let mut inner = Vec::new();
            number(&mut inner, 1, u64::from(*function));
            number(&mut inner, 2, i64::from(*line) as u64);
            number(&mut inner, 3, u64::from(*column));
            bytes(&mut body, 4, &inner);
        }
        number(&mut body, 5, u64::from(location.is_folded));
        bytes(&mut locations, 4, &body);
    }
    tables.push(locations);
    let mut functions = Vec::new();
    for (row, function) in profile.functions.iter().take(60).enumerate() {
        let mut body = Vec::new();
        number(&mut body, 1, id(function.id, row));
        for (field, name) in (2..).zip(function.names) {
            number(&mut body, field, u64::from(name));
        }
        number(&mut body, 5, i64::from(function.start) as u64);
        bytes(&mut functions, 5, &body);
    }
    tables.push(functions);
    let mut strings = Vec::new();
    bytes(&mut strings, 6, b"");
    profile.strings.iter().take(60).for_each(|text| bytes(&mut strings, 6, &text[..text.len().min(100)]));
    tables.push(strings);
    let mut head = Vec::new();
    for (field, value) in profile.head.iter().take(12) {
        number(&mut head, 7 + u64::from(*field) % 10, *value as u64);
    }
    tables.push(head);
    let len = tables.len();
    tables.rotate_left(usize::from(profile.order) % len);
    tables.concat()
}

fn damage(bytes: &mut Vec<u8>, damage: &Damage) {
    let place = |at: u32, len: usize| at as usize % len.max(1);
    let len = bytes.len();
    match damage {
        Damage::Byte(at, value) => bytes.iter_mut().skip(place(*at, len)).take(1).for_each(|byte| *byte = *value),
        Damage::WireType(at, kind) => bytes.iter_mut().skip(place(*at, len)).take(1).for_each(|byte| *byte = *byte & !7 | kind & 7),
        Damage::Huge(at) => {
            let at = place(*at, len);
            bytes.splice(at..(at + 1).min(len), [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        }
        Damage::Cut(at) => bytes.truncate(place(*at, len)),
        Damage::Insert(at, more) => {
            let at = place(*at, len);
            bytes.splice(at..at, more.iter().take(64).copied());
        }
    }
}

libfuzzer_sys::fuzz_target!(|profile: Profile| {
    let mut bytes = build(&profile);
    for one in profile.damage.iter().take(8) {
        damage(&mut bytes, one);
    }
    emberlens_fuzz::read_as("pprof", &bytes);
    if profile.members > 0 && !bytes.is_empty() {
        // The same in pieces: a gzip of several members is one profile.
        let size = bytes.len().div_ceil(usize::from(profile.members % 4) + 1);
        let packed: Vec<u8> = bytes.chunks(size).flat_map(emberlens_fuzz::gzip).collect();
        emberlens_fuzz::read_any(&packed);
    }
});
