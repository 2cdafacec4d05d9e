//! Names of code: one spelling for matching, a short one for labels, and whose code it is.
//!
//! Deliberately absent: renaming of places in a shape (that keeps the names of the capture). Start reading at [`canonical`] and
//! [`code_kinds`].

mod kinds;

pub use kinds::{CodeKind, code_kinds, is_go};

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

/// The spelling under which a function is the same in two builds: escapes decoded, vendoring and major version left out, type arguments
/// as `[...]`, numbers of closures and wrappers left out, Rust's hashes and compilers' clone suffixes cut.
pub fn canonical(name: &str) -> String {
    let mut name = decode(name);
    if let Some(at) = name.find("/vendor/") {
        name.drain(..at + "/vendor/".len());
    }
    let rust = strip_rust_hash(&name);
    if rust.len() < name.len() {
        return rust.to_owned();
    }
    if let Some(cut) = clone_suffix(&name) {
        name.truncate(cut);
    }
    if name.contains("::") {
        return name;
    }
    let name = type_arguments(&name);
    let name = without_versions(&name);
    let name = name.strip_suffix("-fm").unwrap_or(&name);
    closures(name)
}

/// `core::ptr::drop_in_place::h0123456789abcdef` without the hash.
fn strip_rust_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((head, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => head,
        _ => name,
    }
}

/// Where the suffixes of clones start that GCC and LLVM make (`.isra.0`, `.cold`, `.llvm.123`).
fn clone_suffix(name: &str) -> Option<usize> {
    [".isra.", ".part.", ".constprop.", ".cold", ".llvm.", ".lto_priv."].iter().filter_map(|suffix| name.find(suffix)).min()
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
fn is_version(element: &str) -> bool {
    element.strip_prefix('v').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `repo/v2/pkg.F` → `repo/pkg.F`; `repo/v2.F` → `repo.F`; `yaml.v3.F` → `yaml.F`.
fn without_versions(name: &str) -> String {
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
                made.push('.');
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

/// Closures and wrappers are numbered in the order of the source: `.func2.1` and `.gowrap3` become `.func` and `.gowrap`.
fn closures(name: &str) -> String {
    let mut made: Vec<&str> = Vec::new();
    let mut inside = false;
    for part in name.split('.') {
        let stem = ["func", "gowrap", "deferwrap"].into_iter().find(|stem| {
            part.strip_prefix(stem).is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let number = inside && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if number {
            continue;
        }
        inside |= stem.is_some();
        made.push(stem.unwrap_or(part));
    }
    made.join(".")
}

/// A label of at most `max_chars` characters: the path first, then type arguments, then outer namespaces or the receiver are left out;
/// what is still too long ends in `…`. Whole names are kept where they fit.
///
/// `github.com/org/repo/v2/pkg.(*T).M` → `pkg.(*T).M` → `(*T).M` → `M`; `a::b::<T>::c` → `b::<T>::c` → `c`.
pub fn short(name: &str, max_chars: usize) -> String {
    let name = decode(name);
    let fits = |text: &str| text.chars().count() <= max_chars;
    if fits(&name) {
        return name;
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
    if max_chars == 0 {
        return String::new();
    }
    let mut cut: String = best.chars().take(max_chars - 1).collect();
    cut.push('…');
    cut
}

/// Ever shorter forms of a name.
fn forms(name: &str) -> Vec<String> {
    let mut made = Vec::new();
    if name.contains("::") {
        let plain = without_angles(name);
        made.push(plain.clone());
        let parts: Vec<&str> = plain.split("::").filter(|part| !part.is_empty()).collect();
        made.extend((1..parts.len()).map(|skip| parts[skip..].join("::")));
        return made;
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
    fn one_function_has_one_spelling_in_two_builds() {
        for (one, other) in [
            ("gopkg.in/yaml%2ev3.(*decoder).unmarshal", "gopkg.in/yaml.v3.(*decoder).unmarshal"),
            ("main.main.func1", "main.main.func3"),
            ("main.main.func2.1", "main.main.func1.2"),
            ("main.(*Server).Serve.gowrap1", "main.(*Server).Serve.gowrap2"),
            ("github.com/org/repo/v2/pkg.F", "github.com/org/repo/v3/pkg.F"),
            ("github.com/org/repo/v2.(*T).M", "github.com/org/repo.(*T).M"),
            ("slices.Sort[go.shape.int]", "slices.Sort[...]"),
            ("pkg.(*List[go.shape.string,a/b.C]).Push", "pkg.(*List[...]).Push"),
            ("a/vendor/golang.org/x/net/http2.F", "golang.org/x/net/http2.F"),
            ("core::fmt::write::h0123456789abcdef", "core::fmt::write::hfedcba9876543210"),
            ("sort_pages.isra.0", "sort_pages"),
            ("main.(*T).M-fm", "main.(*T).M"),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one} and {other}");
        }
        for (one, other) in [("main.f", "main.g"), ("a::f", "b::f"), ("pkg.(*A).M", "pkg.(*B).M"), ("lib/v2/a.F", "lib/v2/b.F")] {
            assert_ne!(canonical(one), canonical(other), "{one} and {other}");
        }
        for plain in ["main.main", "[kernel.kallsyms]", "0xffff", "remember (report.py:26)", "find_term", "a::b<c>::d", "100%", "é%zz"] {
            assert_eq!(canonical(plain), plain);
        }
    }

    #[test]
    fn labels_lose_what_matters_least_first() {
        for (name, chars, label) in [
            ("github.com/org/repo/v2/pkg.(*T).M", 80, "github.com/org/repo/v2/pkg.(*T).M"),
            ("github.com/org/repo/v2/pkg.(*T).M", 20, "pkg.(*T).M"),
            ("github.com/org/repo/v2/pkg.(*T).M", 8, "(*T).M"),
            ("github.com/org/repo/v2/pkg.(*T).M", 3, "M"),
            ("github.com/org/repo/v2.(*T).M", 12, "repo.(*T).M"),
            ("slices.pdqsortCmpFunc[go.shape.struct { a/b.X int }]", 30, "slices.pdqsortCmpFunc[...]"),
            ("alloc::vec::Vec<T,A>::push", 20, "vec::Vec<…>::push"),
            ("alloc::vec::Vec<T,A>::push", 6, "push"),
            ("a_very_long_c_function", 8, "a_very_…"),
            ("gopkg.in/yaml%2ev3.F", 40, "gopkg.in/yaml.v3.F"),
            ("x", 0, ""),
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
