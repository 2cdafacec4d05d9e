//! Names as binaries hold them to names as people read them.

use cpp_demangle::DemangleOptions;

/// The readable form of a mangled name; `None` where the name is readable as it is.
///
/// Rust names lose their hash. C++ names lose their parameters, as in perf and pprof.
pub(super) fn readable(name: &str) -> Option<String> {
    // The compiler and linker append what it did: `.llvm.1234`, `.part.0`, `.cold`; the demanglers know most of it.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return Some(format!("{rust:#}"));
    }
    if !name.starts_with("_Z") {
        return None;
    }
    let symbol = cpp_demangle::Symbol::new(name).ok()?;
    let options = DemangleOptions::new().no_params().no_return_type();
    let text = symbol.demangle_with_options(&options).ok().filter(|text| !text.is_empty())?;
    // An empty pack of template arguments leaves its comma, and a method without parameters its qualifier.
    let text = text.replace(", >", ">");
    Some(text.strip_suffix(" const").map_or_else(|| text.clone(), str::to_owned))
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
            ("main", None),
            ("runtime.mallocgc", None),
            ("_Zbroken", None),
        ] {
            assert_eq!(readable(name).as_deref(), expected, "{name}");
        }
    }
}
