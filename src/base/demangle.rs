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
    let symbol = cpp_demangle::Symbol::new(name).ok().or_else(|| without_signature(name))?;
    let options = DemangleOptions::new().no_params().no_return_type();
    Some(as_usual(&written(&symbol, options)?))
}

/// The readable form of a mangled C++ function as a scope of what is in it: with parameters and qualifiers, as in `ns::run(int) const`.
pub fn readable_scope(function: &str) -> Option<String> {
    // A made-up name inside of it: functions are written so there, without what they return.
    let inside = format!("_ZZ{}E1x", function.strip_prefix("_Z")?);
    let text = written(&cpp_demangle::Symbol::new(&inside).ok()?, DemangleOptions::new().no_return_type())?;
    text.strip_suffix("::x").map(spelled)
}

fn written<T: AsRef<[u8]>>(symbol: &cpp_demangle::Symbol<T>, options: DemangleOptions) -> Option<String> {
    let mut out = Bounded(String::new());
    symbol.structured_demangle(&mut out, &options).ok().filter(|()| !out.0.is_empty())?;
    Some(out.0)
}

/// The name alone of a function whose result or parameters the demangler does not understand: they are not shown.
///
/// `std::swap<int>` of GCC's library returns `enable_if<and<…>::value>`, whose `srSt4and_…` (the member of a template of `std`) is in no grammar of the
/// C++ ABI, yet compilers write it.
fn without_signature(name: &str) -> Option<cpp_demangle::Symbol<&str>> {
    /// Ends of a name that are looked at: those of its scopes and of the arguments of its templates come first.
    const MOST_ENDS: usize = 64;
    // Only functions of templates have a result in their names, so the name before it ends as arguments and scopes do.
    let ends = memchr::memchr_iter(b'E', name.as_bytes()).map(|at| at + 1);
    // A name that goes on with arguments of its template or with tags is no whole one.
    let whole = |end: &usize| !matches!(name.as_bytes().get(*end), Some(b'I' | b'B'));
    ends.filter(whole).take(MOST_ENDS).find_map(|end| cpp_demangle::Symbol::new(name.get(..end)?).ok())
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
    let mut text = spelled(text);
    // A method without parameters leaves its qualifiers.
    for qualifier in [" &&", " &", " const"] {
        if text.ends_with(qualifier) {
            text.truncate(text.len() - qualifier.len());
        }
    }
    text
}

fn spelled(text: &str) -> String {
    // An empty pack of template arguments leaves its comma.
    let mut text = text.replace(", >", ">").replace("_GLOBAL__N_1", "(anonymous namespace)");
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
            // Results that the demangler does not know. What `c++filt -p` writes.
            (
                "_ZSt4swapIiENSt9enable_ifIXsrSt6__and_IJSt6__not_ISt15__is_tuple_likeIT_EESt21is_move_constructibleIS4_ESt18is_move_assignableIS4_EEE5valueEvE4typeERS4_SE_",
                Some("std::swap<int>"),
            ),
            ("_ZN2ns1A3runIiEENSt9enable_ifIXsrSt6__and_IJT_EE5valueEvE4typeES3_", Some("ns::A::run<int>")),
            // One whose name itself is not understood stays.
            ("_Z1fIXsrSt6__and_IJiEE5valueEEvv", None),
            ("main", None),
            ("runtime.mallocgc", None),
            ("_Zbroken", None),
        ] {
            assert_eq!(readable(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn functions_around_others_have_parameters_and_qualifiers() {
        for (name, expected) in [
            ("_ZN2ns3runEi", Some("ns::run(int)")),
            ("_ZNK2ns1A3runEPKc", Some("ns::A::run(char const*) const")),
            ("_ZZ4mainENKUlPKciE_clES0_i", Some("main::{lambda(char const*, int)#1}::operator()(char const*, int) const")),
            (
                "_ZNSt8__detail18__to_chars_10_implIjEEvPcjT_",
                Some("std::__detail::__to_chars_10_impl<unsigned int>(char*, unsigned int, unsigned int)"),
            ),
            ("main", None),
            ("_Zbroken", None),
        ] {
            assert_eq!(readable_scope(name).as_deref(), expected, "{name}");
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
