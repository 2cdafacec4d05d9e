//! Labels as Go prints them: `{"key":"value", "key":"value"}` and, in goroutine dumps, `{key: value, "odd key": value}`.
//!
//! Quoted texts use Go's escapes. Deliberately absent: anything nested. Start reading at [`Pairs`].

/// The pairs of a list in braces; an item `None` ends a list that breaks its form.
pub(super) struct Pairs<'a> {
    rest: &'a str,
    done: bool,
}

impl<'a> Pairs<'a> {
    /// Of a text that begins with the brace.
    pub(super) fn new(text: &'a str) -> Self {
        let rest = text.trim().strip_prefix('{');
        Self { rest: rest.unwrap_or(""), done: rest.is_none_or(|rest| rest.trim() == "}") }
    }

    fn pair(&mut self) -> Option<(String, String)> {
        let key = self.text(&[':'])?;
        self.rest = self.rest.strip_prefix(':')?.trim_start();
        let value = self.text(&[',', '}'])?;
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest.trim_start();
        } else {
            self.rest.strip_prefix('}')?;
            self.done = true;
        }
        Some((key, value))
    }

    /// A quoted text, or one up to one of `ends`.
    fn text(&mut self, ends: &[char]) -> Option<String> {
        if let Some(rest) = self.rest.strip_prefix('"') {
            let (text, length) = unquote(rest)?;
            self.rest = rest.get(length..)?;
            return Some(text);
        }
        let end = self.rest.find(ends)?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(text.trim_end().to_owned())
    }
}

impl Iterator for Pairs<'_> {
    type Item = Option<(String, String)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let pair = self.pair();
        self.done |= pair.is_none();
        Some(pair)
    }
}

/// Text up to the closing quote, and how many bytes it took with the quote.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.as_bytes().get(at..)?;
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        found.extend_from_slice(rest.get(..plain)?);
        at += plain + 1;
        if rest.get(plain) == Some(&b'"') {
            return Some((String::from_utf8_lossy(&found).into_owned(), at));
        }
        at += escape(text.as_bytes().get(at..)?, &mut found)?;
    }
}

/// One escape without its backslash; gives how many bytes it took.
fn escape(text: &[u8], found: &mut Vec<u8>) -> Option<usize> {
    let number = |from: usize, to: usize, radix: u32| {
        let digits = std::str::from_utf8(text.get(from..to)?).ok()?;
        digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, radix).ok()).flatten()
    };
    let mut rune = |length: usize| {
        let rune = char::from_u32(number(1, 1 + length, 16)?)?;
        found.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
        Some(1 + length)
    };
    let byte = match *text.first()? {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        other @ (b'\\' | b'"' | b'\'') => other,
        b'u' => return rune(4),
        b'U' => return rune(8),
        b'x' => {
            found.push(number(1, 3, 16)? as u8);
            return Some(3);
        }
        b'0'..=b'7' => {
            found.push(u8::try_from(number(0, 3, 8)?).ok()?);
            return Some(3);
        }
        _ => return None,
    };
    found.push(byte);
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<Option<(String, String)>> {
        Pairs::new(text).collect()
    }

    fn found(wanted: &[(&str, &str)]) -> Vec<Option<(String, String)>> {
        wanted.iter().map(|(key, value)| Some(((*key).to_owned(), (*value).to_owned()))).collect()
    }

    #[test]
    fn both_forms_are_read() {
        let escaped = r#"{"a":"1", "b, c":"x\"\n\u00e9\xc3\xa9\303\251\\"}"#;
        assert_eq!(pairs(escaped), found(&[("a", "1"), ("b, c", "x\"\nééé\\")]));
        assert_eq!(pairs("{a: 1, \"b: c\": \"{x}\", d: }"), found(&[("a", "1"), ("b: c", "{x}"), ("d", "")]));
        assert_eq!(pairs("{}"), found(&[]));
    }

    #[test]
    fn broken_lists_end_with_nothing() {
        for text in ["{", "{a", "{a: b", "{\"a", "{\"a\"}", "{\"a\":\"\\q\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\", "{a: b, "] {
            assert_eq!(pairs(text).last(), Some(&None), "{text}");
        }
        assert_eq!(pairs("no list"), []);
    }
}
