//! What the readers of JSON share: a reader that is asked for one value after the other.
//!
//! It goes over the bytes once, copies only text with escapes, knows the offset of everything, looks at the cancel switch, and keeps
//! no state per level of nesting, so neither memory nor the stack grows with a hostile file. A part may be passed over and read later
//! (formats put tables behind their users). Deliberately absent: a tree of values, and a check of what is passed over beyond its
//! brackets and texts. Start reading at [`Json::key`].

use std::borrow::Cow;

use super::ReadError;
use crate::base::ticket::Ticket;
use crate::model::{Notes, kind};

/// Bytes between two looks at the cancel switch.
const CHECK_BYTES: usize = 64 << 10;

/// What kind of value comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    Number,
    Bool,
    Null,
}

impl Kind {
    const fn words(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "a list",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Null => "null",
        }
    }
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Number<'a>(&'a str);

/// Decimals that are kept of numbers which count things.
pub(super) const MAX_DECIMALS: u8 = 6;

impl Number<'_> {
    /// The nearest floating-point number; infinite where it is beyond.
    pub(super) fn float(self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// The nearest integer, held at the limits of 64 bits.
    pub(super) fn integer(self) -> i64 {
        // A conversion from floating point saturates.
        self.0.parse().unwrap_or_else(|_| self.float().round() as i64)
    }

    /// How many decimals it needs, at most [`MAX_DECIMALS`].
    pub(super) fn decimals(self) -> u8 {
        self.all_decimals().min(usize::from(MAX_DECIMALS)) as u8
    }

    /// How many decimals it needs; of a number with an exponent only that they are many.
    pub(super) fn all_decimals(self) -> usize {
        if self.0.contains(['e', 'E']) {
            return if self.float().fract() == 0.0 { 0 } else { usize::MAX };
        }
        self.0.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len())
    }

    /// The number times `factor`, to the nearest integer; exact where it is written as an integer and fits 64 bits.
    pub(super) fn times(self, factor: i64) -> i64 {
        match self.0.parse::<i64>() {
            Ok(whole) => whole.saturating_mul(factor),
            Err(_) => (self.float() * factor as f64).round() as i64,
        }
    }
}

/// A place in JSON text.
pub(super) struct Json<'a> {
    /// Name of the format, for errors.
    format: &'static str,
    bytes: &'a [u8],
    at: usize,
    /// True after the opening bracket of an object or list, until its first entry.
    fresh: bool,
    ticket: &'a Ticket,
    /// How far progress was told.
    told: usize,
    /// Where the reading went on after the last look at the cancel switch, or after the last jump.
    from: usize,
    /// Bytes between that look and that jump.
    passed: usize,
    /// Texts that were not UTF-8 or held half a character.
    invalid: u64,
    first_invalid: usize,
    /// The bytes ended where more was wanted.
    cut: bool,
}

impl<'a> Json<'a> {
    /// The text in `bytes`; a byte order mark is passed over.
    pub(super) fn new(format: &'static str, bytes: &'a [u8], ticket: &'a Ticket) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { format, bytes, at, fresh: false, ticket, told: 0, from: 0, passed: 0, invalid: 0, first_invalid: 0, cut: false }
    }

    /// The cancel switch, for work on what was read.
    pub(super) const fn ticket(&self) -> &'a Ticket {
        self.ticket
    }

    /// Whether the last error came from the end of the bytes.
    pub(super) const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Offset of the next byte.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// True where these bytes stand at an offset.
    pub(super) fn starts_with(&self, offset: usize, text: &[u8]) -> bool {
        self.bytes.get(offset..).is_some_and(|rest| rest.starts_with(text))
    }

    /// Goes to where a value starts, as [`skip`](Self::skip) gave it.
    pub(super) const fn go_to(&mut self, offset: usize) {
        self.passed += self.at.saturating_sub(self.from);
        self.at = offset;
        self.from = offset;
        self.fresh = false;
    }

    /// An error at `offset`.
    pub(super) fn error(&self, offset: usize, doing: impl Into<Cow<'static, str>>, what: impl Into<String>) -> ReadError {
        ReadError::new(self.format, offset as u64, doing, what)
    }

    /// Notes about texts so far.
    pub(super) fn note(&self, notes: &mut Notes) {
        if self.invalid > 0 {
            let cause = "names that are not UTF-8 were read with replacement characters";
            notes.add(kind::INVALID_UTF8, cause, self.invalid, Some(self.first_invalid as u64));
        }
    }

    fn wanted(&mut self, wanted: &str) -> ReadError {
        self.cut |= self.at >= self.bytes.len();
        let found = match self.bytes.get(self.at) {
            None => "the end of the file".to_owned(),
            Some(&byte) => Kind::of(byte).map_or_else(|| format!("`{}`", byte.escape_ascii()), |kind| kind.words().to_owned()),
        };
        self.error(self.at, "the JSON text", format!("wanted {wanted}, found {found}"))
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Tells progress and gives the next byte that is no blank.
    fn next_byte(&mut self) -> Result<Option<u8>, ReadError> {
        self.blank();
        if self.passed + self.at.saturating_sub(self.from) >= CHECK_BYTES {
            self.ticket.advance(self.at.saturating_sub(self.told) as u64)?;
            self.told = self.told.max(self.at);
            (self.from, self.passed) = (self.at, 0);
        }
        Ok(self.bytes.get(self.at).copied())
    }

    /// The kind of the next value.
    pub(super) fn kind(&mut self) -> Result<Kind, ReadError> {
        let next = self.next_byte()?;
        next.and_then(Kind::of).map_or_else(|| Err(self.wanted("a value")), Ok)
    }

    /// Enters an object; [`key`](Self::key) gives its keys.
    pub(super) fn object(&mut self) -> Result<(), ReadError> {
        self.open(b'{', "an object")
    }

    /// Enters a list; [`item`](Self::item) says whether there is one more.
    pub(super) fn list(&mut self) -> Result<(), ReadError> {
        self.open(b'[', "a list")
    }

    fn open(&mut self, bracket: u8, wanted: &str) -> Result<(), ReadError> {
        if self.next_byte()? != Some(bracket) {
            return Err(self.wanted(wanted));
        }
        self.at += 1;
        self.fresh = true;
        Ok(())
    }

    /// Goes to the next entry; false behind the closing bracket.
    fn entry(&mut self, close: u8, wanted: &str) -> Result<bool, ReadError> {
        let next = self.next_byte()?;
        let fresh = std::mem::replace(&mut self.fresh, false);
        if next == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if !fresh {
            if next != Some(b',') {
                return Err(self.wanted(wanted));
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// The next key of the object; its value comes next and must be read or skipped. `None` at the end of the object.
    pub(super) fn key(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
        if !self.entry(b'}', "`,` or `}`")? {
            return Ok(None);
        }
        let key = self.text()?;
        if self.next_byte()? != Some(b':') {
            return Err(self.wanted("`:`"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// True where the list has one more value, which comes next and must be read or skipped.
    pub(super) fn item(&mut self) -> Result<bool, ReadError> {
        self.entry(b']', "`,` or `]`")
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, ReadError> {
        if self.next_byte()? != Some(b'"') {
            return Err(self.wanted("text"));
        }
        let (start, end, escaped) = self.text_end(self.at)?;
        self.at = end + 1;
        self.fresh = false;
        let raw = self.bytes.get(start..end).unwrap_or(&[]);
        if !escaped {
            return Ok(match str::from_utf8(raw) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => self.lossy(start, raw),
            });
        }
        Ok(Cow::Owned(self.unescape(start, raw)))
    }

    fn lossy(&mut self, start: usize, raw: &'a [u8]) -> Cow<'a, str> {
        self.is_invalid(start);
        String::from_utf8_lossy(raw)
    }

    fn is_invalid(&mut self, start: usize) {
        if self.invalid == 0 {
            self.first_invalid = start;
        }
        self.invalid += 1;
    }

    /// First byte, end, and whether there are escapes, of the text whose quote stands at `at`.
    fn text_end(&mut self, at: usize) -> Result<(usize, usize, bool), ReadError> {
        let start = at + 1;
        let (mut at, mut escaped) = (start, false);
        loop {
            let rest = self.bytes.get(at..).unwrap_or(&[]);
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.cut = true;
                return Err(self.error(start - 1, "the JSON text", "a text does not end"));
            };
            if rest.get(found) == Some(&b'"') {
                return Ok((start, at + found, escaped));
            }
            escaped = true;
            at += found + 2;
        }
    }

    fn unescape(&mut self, start: usize, raw: &[u8]) -> String {
        let (mut text, mut rest, mut broken) = (Vec::with_capacity(raw.len()), raw, false);
        while let Some(at) = memchr::memchr(b'\\', rest) {
            text.extend_from_slice(rest.get(..at).unwrap_or(&[]));
            let code = rest.get(at + 1).copied().unwrap_or(0);
            rest = rest.get(at + 2..).unwrap_or(&[]);
            let plain = match code {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                b'u' => {
                    let first = four_digits(&mut rest);
                    let second = first.filter(|unit| (0xd800..0xdc00).contains(unit)).and_then(|_| {
                        let mut after = rest.strip_prefix(b"\\u")?;
                        let unit = four_digits(&mut after).filter(|unit| (0xdc00..0xe000).contains(unit))?;
                        rest = after;
                        Some(unit)
                    });
                    let character = char::decode_utf16(first.into_iter().chain(second)).next().and_then(Result::ok);
                    broken |= character.is_none();
                    let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                // `"`, `\`, `/`; and leniently everything else, as itself.
                other => other,
            };
            text.push(plain);
        }
        text.extend_from_slice(rest);
        let text = String::from_utf8(text).unwrap_or_else(|error| {
            broken = true;
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        if broken {
            self.is_invalid(start);
        }
        text
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<Number<'a>, ReadError> {
        if !matches!(self.next_byte()?, Some(b'-' | b'0'..=b'9')) {
            return Err(self.wanted("a number"));
        }
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let len = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).unwrap_or(rest.len());
        let text = str::from_utf8(rest.get(..len).unwrap_or(&[])).unwrap_or("");
        if text.bytes().any(|byte| !byte.is_ascii_digit()) && text.parse::<f64>().is_err() {
            return Err(self.error(self.at, "the JSON text", format!("`{}` is no number", text.get(..40).unwrap_or(text))));
        }
        self.at += len;
        self.fresh = false;
        Ok(Number(text))
    }

    /// A number, or `None` for null.
    pub(super) fn maybe_number(&mut self) -> Result<Option<Number<'a>>, ReadError> {
        if self.kind()? == Kind::Null {
            self.skip()?;
            return Ok(None);
        }
        self.number().map(Some)
    }

    /// A text; `None` for a value of any other kind, which is passed over.
    pub(super) fn maybe_text(&mut self) -> Result<Option<Cow<'a, str>>, ReadError> {
        if self.kind()? == Kind::Text {
            return self.text().map(Some);
        }
        self.skip()?;
        Ok(None)
    }

    /// A line or column: 0 for null and for what no source text reaches.
    pub(super) fn maybe_line(&mut self) -> Result<u32, ReadError> {
        let number = if self.kind()? == Kind::Number { Some(self.number()?) } else { None };
        if number.is_none() {
            self.skip()?;
        }
        Ok(number.and_then(|number| u32::try_from(number.integer()).ok()).unwrap_or(0))
    }

    /// Passes over the next value and gives the offset at which it starts.
    pub(super) fn skip(&mut self) -> Result<usize, ReadError> {
        self.next_byte()?;
        let start = self.at;
        self.fresh = false;
        let mut depth = 0_usize;
        loop {
            match self.next_byte()? {
                Some(b'"') => self.at = self.text_end(self.at)?.1 + 1,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(byte) if Kind::of(byte).is_some() => {
                    let rest = self.bytes.get(self.at..).unwrap_or(&[]);
                    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                    self.at += rest.iter().position(|byte| !word(byte)).unwrap_or(rest.len());
                }
                _ => return Err(self.wanted("a value")),
            }
            if depth == 0 {
                return Ok(start);
            }
        }
    }

    /// True where anything but blanks follows.
    pub(super) fn is_more(&mut self) -> Result<bool, ReadError> {
        Ok(self.next_byte()?.is_some())
    }

    /// An error where anything but blanks follows.
    pub(super) fn end(&mut self) -> Result<(), ReadError> {
        if self.is_more()? { Err(self.wanted("the end of the file")) } else { Ok(()) }
    }
}

impl Kind {
    const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            b'{' => Self::Object,
            b'[' => Self::Array,
            b'"' => Self::Text,
            b'-' | b'0'..=b'9' => Self::Number,
            b't' | b'f' => Self::Bool,
            b'n' => Self::Null,
            _ => return None,
        })
    }
}

/// The unit that four hexadecimal digits say; they are taken off `rest` where they are there.
fn four_digits(rest: &mut &[u8]) -> Option<u16> {
    let digits = str::from_utf8(rest.get(..4)?).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    *rest = rest.get(4..).unwrap_or(&[]);
    Some(unit)
}

/// True where text looks like JSON and holds all of `marks` (`"stackTable"`) in what can be seen of it.
pub(super) fn looks_like(head: &[u8], marks: &[&str]) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(text.first(), Some(b'{' | b'[')) && marks.iter().all(|mark| memchr::memmem::find(text, mark.as_bytes()).is_some())
}

/// Bytes of each value that [`outline`] keeps: what a kind of file says about itself stands near its beginning.
const OUTLINE_VALUE_BYTES: usize = 8 << 10;

/// Bytes after which [`outline`] ends.
const OUTLINE_BYTES: usize = 1 << 20;

/// The keys of the outermost object with the beginning of each value, wherever they stand in the text: large tables may come before the
/// key that tells what a file is. `None` where the text is no object; text that is broken or cut is outlined as far as it goes.
///
/// Errors: cancelled.
pub(super) fn outline(bytes: &[u8], ticket: &Ticket) -> Result<Option<Vec<u8>>, ReadError> {
    if !looks_like(bytes, &[]) || bytes.trim_ascii_start().starts_with(b"[") {
        return Ok(None);
    }
    let mut json = Json::new("JSON", bytes, ticket);
    let mut outline = vec![b'{'];
    let mut walk = || -> Result<(), ReadError> {
        json.object()?;
        while let Some(key) = json.key()? {
            let value = json.kind().map(|_| json.offset())?;
            let passed = json.skip();
            let end = json.offset().min(value.saturating_add(OUTLINE_VALUE_BYTES));
            outline.extend_from_slice(b"\"");
            outline.extend_from_slice(key.as_bytes());
            outline.extend_from_slice(b"\":");
            outline.extend_from_slice(bytes.get(value..end).unwrap_or(&[]));
            outline.extend_from_slice(b",");
            passed?;
            if outline.len() > OUTLINE_BYTES {
                break;
            }
        }
        Ok(())
    };
    match walk() {
        Err(error) if error.is_cancelled() => Err(error),
        _ => Ok(Some(outline)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Reads any value as an independent parser represents it.
    fn value(json: &mut Json<'_>) -> Result<Value, ReadError> {
        Ok(match json.kind()? {
            Kind::Object => {
                let mut map = serde_json::Map::new();
                json.object()?;
                while let Some(key) = json.key()? {
                    map.insert(key.into_owned(), value(json)?);
                }
                Value::Object(map)
            }
            Kind::Array => {
                let mut list = Vec::new();
                json.list()?;
                while json.item()? {
                    list.push(value(json)?);
                }
                Value::Array(list)
            }
            Kind::Text => Value::String(json.text()?.into_owned()),
            Kind::Number => {
                let number = json.number()?;
                number.0.parse::<i64>().map_or_else(|_| Value::from(number.float()), Value::from)
            }
            Kind::Null | Kind::Bool => {
                let start = json.skip()?;
                serde_json::from_slice(&json.bytes[start..json.offset()]).unwrap_or(Value::Null)
            }
        })
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e6..1e6).prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..8).prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_an_independent_writer_wrote_reads_back(expected in any_value(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&expected) } else { serde_json::to_string(&expected) }.unwrap();
            let ticket = Ticket::new();
            let mut json = Json::new("test", text.as_bytes(), &ticket);
            prop_assert_eq!(value(&mut json).unwrap(), expected);
            prop_assert!(json.end().is_ok());
            let mut json = Json::new("test", text.as_bytes(), &ticket);
            json.skip().unwrap();
            prop_assert!(json.end().is_ok(), "passing over ends where reading ends");
        }

        #[test]
        fn what_is_cut_is_an_error(expected in any_value(), at in 0.0..1.0) {
            // A cut number may still be one.
            let text = format!("[{expected}]");
            let cut = (text.len() as f64 * at) as usize;
            let ticket = Ticket::new();
            prop_assert!(value(&mut Json::new("test", &text.as_bytes()[..cut], &ticket)).is_err());
            prop_assert!(Json::new("test", &text.as_bytes()[..cut], &ticket).skip().is_err());
        }
    }

    #[test]
    fn escapes_mean_what_the_standard_says() {
        let ticket = Ticket::new();
        let read = |text: &str| {
            let mut json = Json::new("test", text.as_bytes(), &ticket);
            let read = json.text().unwrap().into_owned();
            (read, json.invalid)
        };
        assert_eq!(read(r#""a\n\t\"\\\/\u00e9\ud83d\ude00""#), ("a\n\t\"\\/é😀".to_owned(), 0));
        assert_eq!(read(r#""\ud83d!""#), ("\u{fffd}!".to_owned(), 1), "half a character is replaced and counted");
        assert_eq!(read(r#""\u12""#), ("\u{fffd}12".to_owned(), 1));
    }

    #[test]
    fn numbers_keep_what_they_say() {
        let ticket = Ticket::new();
        let number = |text: &'static str| Json::new("test", text.as_bytes(), &ticket).number().unwrap();
        assert_eq!(number("9223372036854775807").times(1), i64::MAX);
        assert_eq!(number("0.005").times(1_000_000_000), 5_000_000);
        assert_eq!((number("1e-5").decimals(), number("2.50").decimals(), number("1e3").decimals()), (6, 1, 0));
        assert_eq!(number("1e300").integer(), i64::MAX);
        let ticket = Ticket::new();
        for text in ["1.2.3", "--1", "1e", "-"] {
            assert!(Json::new("test", text.as_bytes(), &ticket).number().is_err(), "{text}");
        }
    }

    #[test]
    fn an_outline_has_all_outermost_keys_and_the_beginnings_of_their_values() {
        let ticket = Ticket::new();
        let outlined = |text: &str| outline(text.as_bytes(), &ticket).unwrap().map(|outline| String::from_utf8(outline).unwrap());
        let long = format!("[{}0]", "{\"no\": 1}, ".repeat(20_000));
        let short = &long[..OUTLINE_VALUE_BYTES];
        assert_eq!(outlined(&format!("{{\"a\": {long}, \"b\": {{\"c\": 1}}}}")), Some(format!("{{\"a\":{short},\"b\":{{\"c\": 1}},")));
        assert_eq!(outlined(&format!(" {{\"a\": {}", &long[..100])), Some(format!("{{\"a\":{},", &long[..100])), "cut in a value");
        assert_eq!((outlined("[1, 2]"), outlined("a;b 1")), (None, None));
        ticket.cancel();
        assert!(outline(format!("{{\"a\": {long}}}").as_bytes(), &ticket).is_err_and(|error| error.is_cancelled()));
    }

    #[test]
    fn deep_nests_are_passed_over_without_a_stack() {
        let ticket = Ticket::new();
        let text = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        let mut json = Json::new("test", text.as_bytes(), &ticket);
        assert_eq!(json.skip(), Ok(0));
        assert!(json.end().is_ok());
    }

    #[test]
    fn jumps_back_and_forth_do_not_keep_it_from_looking_at_the_ticket() {
        let text = format!("[{}0]", "{\"args\": [1, 2, 3], \"id\": 7}, ".repeat(20_000));
        let ticket = Ticket::new();
        let mut json = Json::new("test", text.as_bytes(), &ticket);
        json.list().unwrap();
        while json.item().unwrap() && json.kind().unwrap() == Kind::Object {
            let entry = json.skip().unwrap();
            let after = json.offset();
            json.go_to(entry);
            json.skip().unwrap();
            assert_eq!(json.offset(), after);
            json.go_to(after);
        }
        let wanted = text.len() / CHECK_BYTES;
        assert!(ticket.checks() >= wanted as u64, "{} looks in {} bytes", ticket.checks(), text.len());
    }

    #[test]
    fn a_cancelled_ticket_stops_in_the_middle() {
        let ticket = Ticket::new();
        ticket.cancel();
        let text = format!("[{}1]", "1,".repeat(CHECK_BYTES));
        assert!(Json::new("test", text.as_bytes(), &ticket).skip().unwrap_err().is_cancelled());
    }

    #[test]
    fn errors_say_what_was_wanted_and_where() {
        let ticket = Ticket::new();
        let mut json = Json::new("test", b"{\"a\" 1}", &ticket);
        json.object().unwrap();
        assert_eq!(json.key().unwrap_err().to_string(), "test: the JSON text: wanted `:`, found a number (at byte 0x5)");
    }
}
