//! The tables that all profiles of a file share.

use super::super::pprof::wire::{Value, Wire};
use super::{NAME, broken};
use crate::base::ticket::Ticket;
use crate::format::ReadError;
use crate::model::{Builder, Frame, FrameId, Function, FunctionId, Label, LabelValue, Mapping, MappingId, StackId, StringId, kind};

/// An attribute, or one end of a link.
pub(super) struct Attribute {
    pub(super) key: String,
    pub(super) label: Label,
    /// The value as text.
    pub(super) text: String,
}

/// All tables; row 0 of each means "none".
#[derive(Default)]
pub(super) struct Dictionary {
    strings: Vec<StringId>,
    mappings: Vec<Option<MappingId>>,
    functions: Vec<Option<FunctionId>>,
    /// Frames of each location, outermost first.
    locations: Vec<Vec<FrameId>>,
    pub(super) stacks: Vec<Option<StackId>>,
    /// `None` for the attribute without a key.
    pub(super) attributes: Vec<Option<Attribute>>,
    pub(super) links: Vec<Vec<Label>>,
}

/// Bodies of one table's messages.
type Rows<'a> = Vec<Wire<'a>>;

impl Dictionary {
    /// Reads the dictionary, which may come in several pieces.
    pub(super) fn read(pieces: &[Wire<'_>], builder: &mut Builder, ticket: &Ticket) -> Result<Self, ReadError> {
        let fail = broken("the dictionary");
        let mut tables: [Rows<'_>; 8] = Default::default();
        for &piece in pieces {
            let mut fields = piece;
            while let Some(found) = fields.field().map_err(&fail)? {
                let row = usize::try_from(found.number).ok().and_then(|number| tables.get_mut(number));
                if let Some(rows) = row {
                    rows.push(found.message().map_err(&fail)?);
                }
            }
        }
        let [_, mappings, locations, functions, links, strings, attributes, stacks] = &tables;
        let mut dictionary = Self::default();
        let mut invalid = 0;
        for (number, text) in strings.iter().enumerate() {
            if number.is_multiple_of(4096) {
                ticket.check()?;
            }
            let text = crate::format::text::lossy(text.bytes(), &mut invalid);
            dictionary.strings.push(builder.string(&text));
        }
        if invalid > 0 {
            builder.notes.add(kind::INVALID_UTF8, "names that are not UTF-8 were read with replacement characters", invalid, None);
        }
        for (number, &row) in attributes.iter().enumerate() {
            if number.is_multiple_of(4096) {
                ticket.check()?;
            }
            let attribute = dictionary.attribute(row, builder)?;
            dictionary.attributes.push(attribute);
        }
        for &row in links {
            let link = link(row, builder)?;
            dictionary.links.push(link);
        }
        for &row in mappings {
            let mapping = dictionary.mapping(row, builder)?;
            dictionary.mappings.push(mapping);
        }
        for (number, &row) in functions.iter().enumerate() {
            if number.is_multiple_of(4096) {
                ticket.check()?;
            }
            let function = dictionary.function(row, builder)?;
            dictionary.functions.push(function);
        }
        for (number, &row) in locations.iter().enumerate() {
            if number.is_multiple_of(4096) {
                ticket.check()?;
            }
            let frames = dictionary.location(number, row, builder)?;
            dictionary.locations.push(frames);
        }
        for (number, &row) in stacks.iter().enumerate() {
            if number.is_multiple_of(4096) {
                ticket.check()?;
            }
            // In the oldest layout this table holds units of attributes, whose numbers are no lists.
            let stack = dictionary.stack_row(number, row, builder)?;
            dictionary.stacks.push(stack);
        }
        Ok(dictionary)
    }

    /// The text of a row; empty for 0 and for rows that do not exist (the second is a broken file, but names decide nothing).
    pub(super) fn string(&self, row: u64) -> Option<StringId> {
        usize::try_from(row).ok().filter(|&row| row > 0).and_then(|row| self.strings.get(row)).copied()
    }

    fn attribute(&self, row: Wire<'_>, builder: &mut Builder) -> Result<Option<Attribute>, ReadError> {
        let fail = broken("an attribute");
        let (mut key, mut value, mut unit) = (None, None, None);
        let mut fields = row;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                (1, Value::Int(row)) => key = self.string(row),
                // The key itself, before keys were in the list of strings.
                (1, Value::Bytes(text)) => {
                    key = Some(builder.string(&String::from_utf8_lossy(text.bytes()))).filter(|_| !text.bytes().is_empty());
                }
                (2, Value::Bytes(body)) => value = Some(body),
                (3, Value::Int(row)) => unit = self.string(row),
                _ => {}
            }
        }
        let Some(key) = key else { return Ok(None) };
        let value = value.map_or(Ok(None), |value| self.any_value(value, builder, 0)).map_err(broken("the value of an attribute"))?;
        let (label, text) = match value {
            Some(Any::Number(number)) => (LabelValue::Number(number, unit), number.to_string()),
            Some(Any::Text(text)) => (LabelValue::Text(builder.string(&text)), text),
            None => (LabelValue::Text(builder.string("")), String::new()),
        };
        Ok(Some(Attribute { key: builder.strings.get(key).to_owned(), label: Label { key, value: label }, text }))
    }

    fn mapping(&self, row: Wire<'_>, builder: &mut Builder) -> Result<Option<MappingId>, ReadError> {
        let fail = broken("a mapping");
        let mut mapping = Mapping::default();
        let mut attributes = Vec::new();
        let mut fields = row;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                (1, Value::Int(start)) => mapping.start = start,
                (2, Value::Int(limit)) => mapping.limit = limit,
                (3, Value::Int(offset)) => mapping.offset = offset,
                (4, Value::Int(row)) => mapping.file = self.string(row),
                (5, _) => found.ints(&mut attributes, |row| row).map_err(&fail)?,
                _ => {}
            }
        }
        let build_id = |key: &str| self.attributes_of(&attributes).find(|known| known.key == key).map(|known| known.text.clone());
        let build_id = build_id("process.executable.build_id.gnu").or_else(|| build_id("process.executable.build_id.go"));
        mapping.build_id = build_id.filter(|id| !id.is_empty()).map(|id| builder.string(&id));
        Ok((mapping != Mapping::default()).then(|| builder.mapping(mapping)))
    }

    /// The attributes of a list of rows; those that do not exist are passed over.
    pub(super) fn attributes_of<'s>(&'s self, rows: &'s [u64]) -> impl Iterator<Item = &'s Attribute> {
        rows.iter().filter_map(|&row| usize::try_from(row).ok().and_then(|row| self.attributes.get(row)).and_then(Option::as_ref))
    }

    fn function(&self, row: Wire<'_>, builder: &mut Builder) -> Result<Option<FunctionId>, ReadError> {
        let fail = broken("a function");
        let (mut name, mut system_name, mut file, mut start_line) = (None, None, None, 0);
        let mut fields = row;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                (1, Value::Int(row)) => name = self.string(row),
                (2, Value::Int(row)) => system_name = self.string(row),
                (3, Value::Int(row)) => file = self.string(row),
                (4, Value::Int(line)) => start_line = u32::try_from(line).unwrap_or(0),
                _ => {}
            }
        }
        let Some(name) = name.or(system_name) else { return Ok(None) };
        let system_name = system_name.filter(|&other| other != name);
        Ok(Some(builder.function(Function { name, system_name, file, start_line })))
    }

    fn location(&self, number: usize, row: Wire<'_>, builder: &mut Builder) -> Result<Vec<FrameId>, ReadError> {
        let fail = broken("a location");
        let (mut mapping, mut address) = (None, None);
        let mut lines = Vec::new();
        let mut fields = row;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                (1, Value::Int(0)) => {}
                (1, Value::Int(row)) => {
                    let known = usize::try_from(row).ok().and_then(|row| self.mappings.get(row));
                    mapping = *known.ok_or_else(|| {
                        let what = format!("names mapping {row}, but there are only {}", self.mappings.len());
                        ReadError::new(NAME, found.offset, format!("location {number}"), what)
                    })?;
                }
                (2, Value::Int(at)) => address = Some(at),
                (3, Value::Bytes(line)) => lines.push(self.line(number, line)?),
                _ => {}
            }
        }
        if lines.is_empty() {
            // Row 0 is "none"; every other location without lines is an address.
            let known = mapping.is_some() || address.is_some();
            let bare = Frame { mapping, address, ..Frame::default() };
            return Ok(if known || number > 0 { vec![builder.frame(bare)] } else { Vec::new() });
        }
        let innermost = lines.len() - 1;
        // The file has the innermost first.
        let frame = |(at, (function, line, column)): (usize, (Option<FunctionId>, u32, u32))| {
            builder.frame(Frame { function, mapping, address, line, column, inlined: at < innermost, ..Frame::default() })
        };
        Ok(lines.into_iter().enumerate().rev().map(frame).collect())
    }

    fn line(&self, location: usize, row: Wire<'_>) -> Result<(Option<FunctionId>, u32, u32), ReadError> {
        let fail = broken("a line");
        let (mut function, mut line, mut column) = (None, 0, 0);
        let mut fields = row;
        while let Some(found) = fields.field().map_err(&fail)? {
            match (found.number, found.value) {
                (1, Value::Int(row)) => {
                    let known = usize::try_from(row).ok().and_then(|row| self.functions.get(row));
                    function = *known.ok_or_else(|| {
                        let what = format!("names function {row}, but there are only {}", self.functions.len());
                        ReadError::new(NAME, found.offset, format!("location {location}"), what)
                    })?;
                }
                (2, Value::Int(number)) => line = u32::try_from(number).unwrap_or(0),
                (3, Value::Int(number)) => column = u32::try_from(number).unwrap_or(0),
                _ => {}
            }
        }
        Ok((function, line, column))
    }

    fn stack_row(&self, number: usize, row: Wire<'_>, builder: &mut Builder) -> Result<Option<StackId>, ReadError> {
        let fail = broken("a stack");
        let mut locations = Vec::new();
        let mut fields = row;
        while let Some(found) = fields.field().map_err(&fail)? {
            if let (1, Value::Bytes(_)) = (found.number, found.value) {
                found.ints(&mut locations, |row| row).map_err(&fail)?;
            }
        }
        self.stack(&locations, row.offset(), &format!("stack {number}"), builder)
    }

    /// The stack of a list of locations, innermost first.
    pub(super) fn stack(&self, locations: &[u64], offset: u64, doing: &str, builder: &mut Builder) -> Result<Option<StackId>, ReadError> {
        let mut stack = None;
        for &row in locations.iter().rev() {
            let Some(frames) = usize::try_from(row).ok().and_then(|row| self.locations.get(row)) else {
                let what = format!("names location {row}, but there are only {}", self.locations.len());
                return Err(ReadError::new(NAME, offset, doing.to_owned(), what));
            };
            for &frame in frames {
                stack = Some(builder.stack(stack, frame));
            }
        }
        Ok(stack)
    }

    /// A pair of `common.proto`; `None` without a key. Since release 1.10 key and value may be rows of the list of strings.
    pub(super) fn key_value(&self, body: Wire<'_>, builder: &Builder) -> Result<Option<(String, Any)>, super::Fault> {
        self.pair(body, builder, 0)
    }

    fn pair(&self, body: Wire<'_>, builder: &Builder, depth: usize) -> Result<Option<(String, Any)>, super::Fault> {
        let (mut key, mut value) = (String::new(), None);
        let mut fields = body;
        while let Some(found) = fields.field()? {
            match (found.number, found.value) {
                (1, Value::Bytes(text)) => key = String::from_utf8_lossy(text.bytes()).into_owned(),
                (2, Value::Bytes(body)) => value = self.any_value(body, builder, depth)?,
                (3, Value::Int(row)) => key = self.text(row, builder),
                _ => {}
            }
        }
        Ok(value.filter(|_| !key.is_empty()).map(|value| (key, value)))
    }

    fn text(&self, row: u64, builder: &Builder) -> String {
        self.string(row).map_or("", |id| builder.strings.get(id)).to_owned()
    }

    /// `AnyValue` of `common.proto`: text, bool, integer, float, bytes in hexadecimal digits; lists and pairs as text.
    fn any_value(&self, body: Wire<'_>, builder: &Builder, depth: usize) -> Result<Option<Any>, super::Fault> {
        let mut value = None;
        let mut fields = body;
        while let Some(found) = fields.field()? {
            value = match (found.number, found.value) {
                (1, Value::Bytes(text)) => Some(Any::Text(String::from_utf8_lossy(text.bytes()).into_owned())),
                (2, Value::Int(flag)) => Some(Any::Text((if flag == 0 { "false" } else { "true" }).to_owned())),
                (3, Value::Int(number)) => Some(Any::Number(number as i64)),
                (4, Value::Fixed(bits)) => Some(Any::Text(f64::from_bits(bits).to_string())),
                (5 | 6, Value::Bytes(list)) if depth < MAX_DEPTH => {
                    let mut parts = Vec::new();
                    let mut entries = list;
                    while let Some(entry) = entries.field()? {
                        let Value::Bytes(entry) = entry.value else { continue };
                        if found.number == 5 {
                            parts.push(self.any_value(entry, builder, depth + 1)?.map_or_else(String::new, Any::into_text));
                        } else if let Some((key, value)) = self.pair(entry, builder, depth + 1)? {
                            parts.push(format!("{key}={}", value.into_text()));
                        }
                    }
                    Some(Any::Text(parts.join(", ")))
                }
                (7, Value::Bytes(bytes)) => Some(Any::Text(digits(bytes.bytes()))),
                (8, Value::Int(row)) => Some(Any::Text(self.text(row, builder))),
                _ => value,
            };
        }
        Ok(value)
    }
}

/// Trace and span of a link as labels.
fn link(row: Wire<'_>, builder: &mut Builder) -> Result<Vec<Label>, ReadError> {
    let fail = broken("a link");
    let mut labels = Vec::new();
    let mut fields = row;
    while let Some(found) = fields.field().map_err(&fail)? {
        if let (1 | 2, Value::Bytes(id)) = (found.number, found.value)
            && id.bytes().iter().any(|&byte| byte != 0)
        {
            let text = digits(id.bytes().get(..16).unwrap_or(id.bytes()));
            let key = builder.string(if found.number == 1 { "trace_id" } else { "span_id" });
            labels.push(Label { key, value: LabelValue::Text(builder.string(&text)) });
        }
    }
    Ok(labels)
}

/// Bytes as hexadecimal digits.
fn digits(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

/// A value of an attribute.
pub(super) enum Any {
    Number(i64),
    Text(String),
}

/// How deep lists in lists are written out.
const MAX_DEPTH: usize = 4;

impl Any {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}
