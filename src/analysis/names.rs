//! Names of code: a short form for labels, and whose code it is.
//!
//! Deliberately absent: names that are one function in two builds (see [`matching`](super::matching)). Start reading at [`short`] and
//! [`code_kinds`].

mod kinds;

pub use kinds::{CodeKind, code_kinds, is_go};

use super::matching::without_clone;

/// Undoes Go's escapes of dots and other bytes in the last element of an import path: `gopkg.in/yaml%2ev3.(*decoder)` →
/// `gopkg.in/yaml.v3.(*decoder)`.
pub fn decode(name: &str) -> String {
    let mut made = Vec::with_capacity(name.len());
    let bytes = name.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| name.get(at + 1..at + 3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        made.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    // An escape may break a character in two: then the text stays as it was.
    String::from_utf8(made).unwrap_or_else(|_| name.to_owned())
}

/// A letter as one line of text shows it: line breaks and other control characters, which names of damaged files have, are blanks.
pub fn in_line(letter: char) -> char {
    if letter.is_control() { ' ' } else { letter }
}

/// Everything between the outermost brackets as `...`.
fn type_arguments(name: &str) -> String {
    match (name.find('['), name.rfind(']')) {
        // Methods of instances are `pkg.(*T[...]).M`; kernel names like `[kernel]` start with the bracket.
        (Some(open), Some(close)) if open > 0 && open < close => format!("{}[...]{}", &name[..open], &name[close + 1..]),
        _ => name.to_owned(),
    }
}

/// True for `v2`, `v10`.
pub(super) fn is_version(element: &str) -> bool {
    element.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `repo/v2/pkg.F` → `repo/pkg.F`; `repo/v2.F` → `repo.F`; `yaml.v3.F` → `yaml.F`.
pub(super) fn without_versions(name: &str) -> String {
    let end = name.find(['(', '[']).unwrap_or(name.len());
    let (path, rest) = name.split_at(end);
    let mut made = String::with_capacity(name.len());
    let elements = path.split('/').count();
    for (at, element) in path.split('/').enumerate() {
        if at > 0 && at + 1 < elements && is_version(element) {
            continue;
        }
        if at > 0 && at + 1 == elements {
            let (head, tail) = element.split_once('.').map_or((element, ""), |(head, tail)| (head, tail));
            if is_version(head) {
                // A package alone has no dot: `repo/v2` → `repo`.
                if element.contains('.') {
                    made.push('.');
                }
                made.push_str(tail);
                continue;
            }
            let mut parts = tail.splitn(2, '.');
            if let (Some(version), Some(function)) = (parts.next().filter(|part| is_version(part)), parts.next()) {
                debug_assert!(is_version(version), "checked by the filter");
                made.push('/');
                made.push_str(head);
                made.push('.');
                made.push_str(function);
                continue;
            }
        }
        if at > 0 {
            made.push('/');
        }
        made.push_str(element);
    }
    made + rest
}

/// A label of at most `max_chars` characters: the path first, then type arguments, then outer namespaces or the receiver are left out;
/// what is still too long ends in `…`. Whole names are kept where they fit, as [one line](in_line).
///
/// `github.com/org/repo/v2/pkg.(*T).M` → `pkg.(*T).M` → `(*T).M` → `M`; `a::b::<T>::c` → `b::<T>::c` → `c`.
pub fn short(name: &str, max_chars: usize) -> String {
    let name = decode(name);
    let name = if name.contains(char::is_control) { name.chars().map(in_line).collect() } else { name };
    let fits = |text: &str| text.chars().count() <= max_chars;
    if fits(&name) {
        return name;
    }
    if let Some((module, offset)) = address_of(&name) {
        // Without its offset it is any place of the module; less than that is cut like any name.
        let room = max_chars.saturating_sub(offset.len() + 1);
        if room > 1 {
            return module.chars().take(room).chain(['…']).chain(offset.chars()).collect();
        }
        return if fits(offset) { offset.to_owned() } else { cut(offset, max_chars) };
    }
    if let Some(value) = super::group::value_of(&name) {
        return if fits(value) { value.to_owned() } else { cut(value, max_chars) };
    }
    let mut best = name.clone();
    for form in forms(&name) {
        if fits(&form) {
            return form;
        }
        if form.chars().count() < best.chars().count() {
            best = form;
        }
    }
    cut(&best, max_chars)
}

/// The first letters and `…`, `max_chars` in all.
fn cut(text: &str, max_chars: usize) -> String {
    if max_chars == 0 {
        return String::new();
    }
    text.chars().take(max_chars - 1).chain(['…']).collect()
}

/// The part of a name that a JVM gives its hidden classes, anew in each run: `Main$$Lambda$88+0x00007fdf20007a08/2013559698.run` has
/// `+0x00007fdf20007a08/2013559698`, `Main$$Lambda/0x000001e2f4001000.run` (async-profiler: `Main$$Lambda.0x000001e2f4001000.run`) the address.
pub(super) fn hidden_class(name: &str) -> Option<std::ops::Range<usize>> {
    let at = ["+0x", "/0x", ".0x"].iter().find_map(|mark| name.find(mark)).filter(|&at| at > 0)?;
    let digits = |text: &str, is_digit: fn(&u8) -> bool| text.bytes().take_while(is_digit).count();
    let hex = digits(name.get(at + 3..)?, u8::is_ascii_hexdigit);
    let mut end = Some(at + 3 + hex).filter(|_| hex >= 8)?;
    if let Some(number) = name.get(end..)?.strip_prefix('/') {
        end += 1 + digits(number, u8::is_ascii_digit);
    }
    // An address in a module has nothing behind it.
    name.get(end..)?.starts_with(['.', ':', ';']).then_some(at..end)
}

/// A name without what a JVM gives its hidden classes.
pub fn without_hidden_class(name: &str) -> Option<String> {
    let hidden = hidden_class(name)?;
    Some(format!("{}{}", name.get(..hidden.start)?, name.get(hidden.end..)?))
}

/// Ever shorter forms of a name.
fn forms(name: &str) -> Vec<String> {
    if let Some(named) = without_hidden_class(name) {
        // Its slash and dots are no path.
        let rest = forms(&named);
        return std::iter::once(named).chain(rest).collect();
    }
    let mut made = Vec::new();
    if name.contains("::") {
        let plain = without_angles(name);
        made.push(plain.clone());
        let parts: Vec<&str> = plain.split("::").filter(|part| !part.is_empty()).collect();
        made.extend((1..parts.len()).map(|skip| parts[skip..].join("::")));
        return made;
    }
    if let Some((function, line)) = function_and_line(name) {
        // The file by its name, then ever less of the function, which says more than the path.
        let file = line.rsplit(['/', '\\']).next().unwrap_or(line);
        let functions = forms(function).into_iter().map(|form| format!("{form} {file}"));
        return std::iter::once(format!("{function} {file}")).chain(functions).collect();
    }
    // Dots of a symbol's version and of a compiler's clones are no package's.
    let symbol = name.split_once('@').map_or(name, |(symbol, _)| symbol);
    let symbol = Some(without_clone(symbol)).filter(|symbol| symbol.len() < name.len() && !symbol.is_empty() && is_symbol(symbol));
    if let Some(symbol) = symbol {
        return vec![symbol.to_owned()];
    }
    let versionless = without_versions(name);
    let end = versionless.find(['(', '[']).unwrap_or(versionless.len());
    let slash = versionless[..end].rfind('/').map_or(0, |at| at + 1);
    let local = versionless[slash..].to_owned();
    made.push(local.clone());
    let local = type_arguments(&local);
    made.push(local.clone());
    if let Some((_, inner)) = local.split_once('.') {
        made.push(inner.to_owned());
        // `(*T).M` → `M`; closures keep the function they stand in.
        if let Some((_, method)) = inner.split_once(").") {
            made.push(method.to_owned());
        }
    }
    made
}

/// The function and the place of a name that ends in one: `main.f /src/main.go:12`, `f app.js:10:3`.
fn function_and_line(name: &str) -> Option<(&str, &str)> {
    let (function, place) = name.rsplit_once(' ')?;
    let (file, line) = place.rsplit_once(':')?;
    (!function.is_empty() && !file.is_empty() && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some((function, place))
}

/// True for a name of C: letters, digits and low lines.
fn is_symbol(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Module and offset (from `+` on) of an address that has no name: `libc.so.6+0x2a1c4`, `[kernel.kallsyms]+0xffffffff81000000`.
fn address_of(name: &str) -> Option<(&str, &str)> {
    let at = name.rfind("+0x")?;
    let (module, offset) = name.split_at_checked(at)?;
    let digits = offset.get(3..)?;
    let is_address = !module.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_address.then_some((module, offset))
}

/// Template and type arguments as `<…>`; `<T as Trait>::f` keeps what stands in its leading angles.
fn without_angles(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, letter) in name.char_indices() {
        match letter {
            '<' if at > 0 => {
                if depth == 0 {
                    made.push_str("<…");
                }
                depth += 1;
            }
            '>' if depth > 0 && before != '-' => {
                depth -= 1;
                if depth == 0 {
                    made.push('>');
                }
            }
            _ if depth == 0 => made.push(letter),
            _ => {}
        }
        before = letter;
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_one_line() {
        assert_eq!([short("two\nlines\tand\u{7}bell", 80), short("a/b%0ac.F", 80)], ["two lines and bell", "a/b c.F"]);
        assert_eq!(short("first\nsecond", 8), "first s…");
    }

    #[test]
    fn labels_lose_what_matters_least_first() {
        for (name, chars, label) in [
            ("github.com/org/repo/v2/pkg.(*T).M", 80, "github.com/org/repo/v2/pkg.(*T).M"),
            ("github.com/org/repo/v2/pkg.(*T).M", 20, "pkg.(*T).M"),
            ("github.com/org/repo/v2/pkg.(*T).M", 8, "(*T).M"),
            ("github.com/org/repo/v2/pkg.(*T).M", 3, "M"),
            ("github.com/org/repo/v2.(*T).M", 12, "repo.(*T).M"),
            ("vector_static_gcc_v9.1.0+0x5a1d3", 40, "vector_static_gcc_v9.1.0+0x5a1d3"),
            ("vector_static_gcc_v9.1.0+0x5a1d3", 16, "vector_…+0x5a1d3"),
            ("libc.so.6+0x2a1c4", 8, "+0x2a1c4"),
            ("[kernel.kallsyms]+0xffffffff81000000", 26, "[kerne…+0xffffffff81000000"),
            ("slices.pdqsortCmpFunc[go.shape.struct { a/b.X int }]", 30, "slices.pdqsortCmpFunc[...]"),
            ("alloc::vec::Vec<T,A>::push", 20, "vec::Vec<…>::push"),
            ("alloc::vec::Vec<T,A>::push", 6, "push"),
            ("a_very_long_c_function", 8, "a_very_…"),
            ("gopkg.in/yaml%2ev3.F", 40, "gopkg.in/yaml.v3.F"),
            ("x", 0, ""),
            (
                "runtime/pprof.(*Profile).WriteTo /usr/lib/go/src/runtime/pprof/pprof.go:405",
                48,
                "runtime/pprof.(*Profile).WriteTo pprof.go:405",
            ),
            ("runtime/pprof.(*Profile).WriteTo /usr/lib/go/src/runtime/pprof/pprof.go:405", 24, "WriteTo pprof.go:405"),
            ("main.main /src/a.go:5", 17, "main.main a.go:5"),
            ("run C:\\src\\a.c:5", 9, "run a.c:5"),
            ("cfree@GLIBC_2.2.5", 10, "cfree"),
            ("cfree@@GLIBC_2.2.5", 4, "cfr…"),
            ("sort_pages.isra.0", 12, "sort_pages"),
            ("sort_pages.constprop.0.cold", 6, "sort_…"),
            ("store.coldRead", 9, "coldRead"),
            ("Report$$Lambda$14+0x00007fdf20007a08/2024918163.run", 60, "Report$$Lambda$14+0x00007fdf20007a08/2024918163.run"),
            ("Report$$Lambda$14+0x00007fdf20007a08/2024918163.run", 30, "Report$$Lambda$14.run"),
            ("shop.Report$$Lambda/0x000001e2f4001000.run", 30, "shop.Report$$Lambda.run"),
        ] {
            assert_eq!(short(name, chars), label, "{name} in {chars}");
        }
    }

    #[test]
    fn a_label_is_never_longer_than_asked() {
        for name in ["a/b.(*T[x]).M", "a::b<c<d>>::e", "—é—é—é", "", "....", "[[]]", "%2e%2e%e9", "<A as B>::c", "/v2.", "a/v2"] {
            for chars in 0..20 {
                assert!(short(name, chars).chars().count() <= chars, "{name} in {chars}");
            }
        }
    }
}
