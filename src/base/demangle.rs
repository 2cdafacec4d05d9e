//! Names as binaries hold them to names as people read them. Start reading at [`readable`].

use cpp_demangle::DemangleOptions;

/// The readable form of a mangled name; `None` where the name is readable as it is.
///
/// Rust names lose their hash. C++ names lose their parameters, as in perf and pprof.
pub fn readable(name: &str) -> Option<String> {
    // The compiler and linker append what it did: `.llvm.1234`, `.part.0`, `.cold`; the demanglers know most of it.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return Some(format!("{rust:#}"));
    }
    if !name.starts_with("_Z") {
        return None;
    }
    let symbol = cpp_demangle::Symbol::new(name).ok()?;
    let options = DemangleOptions::new().no_params().no_return_type();
    let mut out = Bounded(String::new());
    symbol.structured_demangle(&mut out, &options).ok().filter(|()| !out.0.is_empty())?;
    Some(as_usual(&out.0))
}

/// Text up to a length.
///
/// A mangled name says "the third part again", so one of 200 bytes can stand for gigabytes: such a name stays as it is.
struct Bounded(String);

/// Longest readable name in bytes. Those of deep template libraries have some thousand.
const MAX_BYTES: usize = 1 << 16;

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > MAX_BYTES {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// C++ names as binutils, perf and pprof write them, so that a capture of raw addresses and the text of another tool have the same names.
fn as_usual(text: &str) -> String {
    // An empty pack of template arguments leaves its comma, and a method without parameters its qualifiers.
    let mut text = text.replace(", >", ">").replace("_GLOBAL__N_1", "(anonymous namespace)");
    for qualifier in [" &&", " &", " const"] {
        if text.ends_with(qualifier) {
            text.truncate(text.len() - qualifier.len());
        }
    }
    for (cast, suffix) in LITERALS {
        while let Some(at) = literal(&text, cast) {
            let number = at + cast.len();
            let digits = text[number..].bytes().skip(1).take_while(u8::is_ascii_digit).count() + 1;
            text.insert_str(number + digits, suffix);
            text.replace_range(at..number, "");
        }
    }
    text
}

/// Numbers among template arguments have their type before them, and usually a suffix.
const LITERALS: [(&str, &str); 5] =
    [("(unsigned int)", "u"), ("(unsigned long)", "ul"), ("(long)", "l"), ("(unsigned long long)", "ull"), ("(long long)", "ll")];

/// Where a type stands before a number.
fn literal(text: &str, cast: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(cast)?;
        let mut after = text[at + cast.len()..].bytes();
        let is_number = match after.next()? {
            b'-' => after.next().is_some_and(|digit| digit.is_ascii_digit()),
            digit => digit.is_ascii_digit(),
        };
        if is_number {
            return Some(at);
        }
        from = at + cast.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_their_language_writes_them() {
        for (name, expected) in [
            ("_ZN5hexyl21Printer$LT$Writer$GT$10print_byte17h0123456789abcdefE", Some("hexyl::Printer<Writer>::print_byte")),
            ("_RNvCs1234_7mycrate3foo", Some("mycrate::foo")),
            ("_ZNSt6vectorIiSaIiEE9push_backERKi", Some("std::vector<int, std::allocator<int> >::push_back")),
            ("_ZN3foo3barEv", Some("foo::bar")),
            ("_ZNK3foo3barEv", Some("foo::bar")),
            ("_Z1fIiJEEvv", Some("f<int>")),
            ("_ZN12_GLOBAL__N_14work3runEv", Some("(anonymous namespace)::work::run")),
            ("_ZN12FormatBufferILm16EEC1EPKcz", Some("FormatBuffer<16ul>::FormatBuffer")),
            ("_Z1fILj7ELln3EEvv", Some("f<7u, -3l>")),
            ("_ZNKR3foo3barEv", Some("foo::bar")),
            ("_ZNO3foo3barEv", Some("foo::bar")),
            ("main", None),
            ("runtime.mallocgc", None),
            ("_Zbroken", None),
        ] {
            assert_eq!(readable(name).as_deref(), expected, "{name}");
        }
    }

    /// `f<pair<int, int>, pair<T, T>, …>`, where each `T` is the argument before: every one doubles the text.
    #[test]
    fn a_name_that_stands_for_gigabytes_stays_as_it_is() {
        let doubled = |times: u8| {
            let back = |n: u8| if n < 10 { char::from(b'0' + n) } else { char::from(b'A' + n - 10) };
            let parts: Vec<String> = (1..=times).map(|n| format!("S0_IS{0}_S{0}_E", back(n))).collect();
            readable(&format!("_Z1fISt4pairIiiE{}EvT_", parts.concat()))
        };
        assert_eq!(doubled(1).as_deref(), Some("f<std::pair<int, int>, std::pair<std::pair<int, int>, std::pair<int, int> > >"));
        assert!(doubled(6).is_some_and(|text| text.len() > 1000));
        assert_eq!(doubled(30), None);
    }
}
