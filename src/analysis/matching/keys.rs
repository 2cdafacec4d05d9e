//! Spellings under which a name of one build is that of another, from the narrow to the wide.
//!
//! Each rule takes away one thing that compilers, linkers and package managers change between builds of the same source; a wider rule works on
//! what the narrower ones left. Deliberately absent: which names are put together (see `matching`). Start reading at [`Rule`].

use std::borrow::Cow;

use super::numbered::{Kind, Numbered, places_as_numbers};
use crate::analysis::names::{decode, is_version, without_versions};
use crate::analysis::place::Granularity;
use crate::model::base_name;

/// What two spellings of one function differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// The user said that they are one.
    Accepted,
    /// Escaped bytes, blanks between closing angles, inline namespaces of the standard library, marks of calling conventions.
    Spelling,
    /// Marks of the tier in which V8 ran a function (`~`, `^`, `+`, `*`), and its words for what it is (`LazyCompile:`, `JS:`).
    Tier,
    /// Suffixes of clones (`.isra.0`, `.cold`, `.llvm.123`), of symbols of other modules (`@plt`) and of method values (`-fm`).
    Clone,
    /// Hashes of the Rust compiler and of BPF programs, numbers of the classes that a JVM makes while it runs.
    Hash,
    /// Lines in a name (`main (report.py:72)`, `f app.js:10:3`): code above it was added or taken away.
    Line,
    /// Go's type arguments: shapes, names or `[...]`.
    TypeArguments,
    /// Version of a module in its path, vendoring, version of a library's symbol.
    Version,
    /// Numbers of closures and lambdas under one parent.
    Closure,
    /// A closure that moved with a function that is inlined in one build and not in the other.
    InlinedClosure,
    /// C++ template arguments and parameters, Rust type arguments.
    Template,
    /// The path of a package, where several functions changed the same part of theirs.
    Package,
    /// Folder of a source file or binary.
    Folder,
    /// Addresses without a name: by 4 KiB of their module, or all of those without a module together.
    Address,
}

impl Rule {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 14] = [
        Self::Accepted,
        Self::Spelling,
        Self::Tier,
        Self::Clone,
        Self::Hash,
        Self::Line,
        Self::TypeArguments,
        Self::Version,
        Self::Closure,
        Self::InlinedClosure,
        Self::Template,
        Self::Package,
        Self::Folder,
        Self::Address,
    ];

    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Spelling => "spelling",
            Self::Tier => "tier",
            Self::Hash => "hash",
            Self::Line => "line",
            Self::TypeArguments => "type-arguments",
            Self::Version => "version",
            Self::Clone => "clone",
            Self::Closure => "closure",
            Self::InlinedClosure => "inlined-closure",
            Self::Template => "template",
            Self::Package => "package",
            Self::Folder => "folder",
            Self::Address => "address",
        }
    }

    /// Words for a person: what the spellings differ in.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted by you",
            Self::Spelling => "another spelling",
            Self::Tier => "another tier of optimisation",
            Self::Hash => "another hash",
            Self::Line => "another line",
            Self::TypeArguments => "other type arguments",
            Self::Version => "another module version",
            Self::Clone => "another compiler clone",
            Self::Closure => "another closure number",
            Self::InlinedClosure => "closure of an inlined function",
            Self::Template => "other template arguments",
            Self::Package => "another path of its package",
            Self::Folder => "another folder",
            Self::Address => "addresses without a name",
        }
    }

    /// The rules that make sense for what places stand for, in order.
    pub(super) const fn of(granularity: Granularity) -> &'static [Self] {
        match granularity {
            Granularity::Function => &[
                Self::Spelling,
                Self::Tier,
                Self::Clone,
                Self::Hash,
                Self::Line,
                Self::TypeArguments,
                Self::Version,
                Self::Closure,
                Self::InlinedClosure,
                Self::Template,
                Self::Address,
            ],
            Granularity::Line => &[
                Self::Spelling,
                Self::Tier,
                Self::Clone,
                Self::Hash,
                Self::TypeArguments,
                Self::Version,
                Self::Closure,
                Self::InlinedClosure,
                Self::Template,
                Self::Address,
            ],
            Granularity::Package => &[Self::Spelling, Self::Hash, Self::Version],
            Granularity::File | Granularity::Module => &[Self::Version, Self::Folder],
            Granularity::Address => &[],
        }
    }

    /// True where what the rule takes away has no meaning from one build to the next, so that all names of one key are one function. Otherwise
    /// only a name that stands alone on each side may be put together.
    pub(super) const fn takes_many(self) -> bool {
        matches!(self, Self::Spelling | Self::Tier | Self::Hash | Self::Line | Self::Address)
    }

    /// The rule under which two names have one key; `None` where they have none.
    pub(super) fn between(one: &str, other: &str) -> Option<Self> {
        let (mut one, mut other) = (one.to_owned(), other.to_owned());
        Self::of(Granularity::Function).iter().copied().find(|rule| {
            one = rule.apply(&one, Granularity::Function).into_owned();
            other = rule.apply(&other, Granularity::Function).into_owned();
            one == other
        })
    }

    /// What is left of a name, of which narrower rules took their part.
    pub(super) fn apply(self, name: &str, granularity: Granularity) -> Cow<'_, str> {
        let is_path = matches!(granularity, Granularity::File | Granularity::Module);
        match self {
            Self::Spelling => spelling(name),
            Self::Tier => Cow::Owned(tier(name).unwrap_or_else(|| name.to_owned())),
            Self::Hash => without_numbers(name, Kind::Arbitrary),
            Self::Line => without_lines(name),
            Self::TypeArguments => type_arguments(name),
            Self::Version if is_path => path_versions(name),
            Self::Version => versions(name),
            Self::Clone => Cow::Borrowed(without_clone(name)),
            Self::Closure => closure(name),
            // The second has two readings, see [`inlined_closure`].
            Self::Accepted | Self::InlinedClosure | Self::Package => Cow::Borrowed(name),
            Self::Template => template(name),
            Self::Folder => Cow::Borrowed(base_name(name)),
            Self::Address => address(name).map_or(Cow::Borrowed(name), Cow::Owned),
        }
    }
}

fn replaced<'a>(name: Cow<'a, str>, from: &str, to: &str) -> Cow<'a, str> {
    if name.contains(from) { Cow::Owned(name.replace(from, to)) } else { name }
}

/// `gopkg.in/yaml%2ev3.F` → `gopkg.in/yaml.v3.F`; `a<b<c> >` → `a<b<c>>`; `std::__cxx11::string` → `std::string`; `runtime.goexit.abi0` →
/// `runtime.goexit`.
fn spelling(name: &str) -> Cow<'_, str> {
    let mut made = if name.contains('%') { Cow::Owned(decode(name)) } else { Cow::Borrowed(name) };
    for (from, to) in [("> >", ">>"), ("std::__cxx11::", "std::"), ("std::__1::", "std::"), ("[abi:cxx11]", "")] {
        while made.contains(from) {
            made = replaced(made, from, to);
        }
    }
    // Marks of flame graph scripts, and of Go's calling conventions, which only the symbol table of a program tells that was not stripped.
    for annotation in ["_[k]", "_[j]", "_[i]", "_[w]", ".abi0", ".abiinternal"] {
        if let Some(rest) = made.strip_suffix(annotation) {
            made = Cow::Owned(rest.to_owned());
        }
    }
    made
}

/// The name without numbers of one kind: closures lose theirs (`.func2.1`, `{closure#2}`, `{lambda(int)#3}`), or hashes and classes made at run time.
fn without_numbers(name: &str, kind: Kind) -> Cow<'_, str> {
    Numbered::parse(name).map_or(Cow::Borrowed(name), |made| Cow::Owned(made.without(|of| of == kind)))
}

/// Without numbers of closures, and without places of lambdas that have those instead: where they are inlined, debug information has no numbers.
/// `{lambda(int)#1}` and `{lambda(int) at m.cpp:30:5}` → `{lambda(int)#}`.
fn closure(name: &str) -> Cow<'_, str> {
    match places_as_numbers(name) {
        Cow::Borrowed(name) => without_numbers(name, Kind::Ordinal),
        Cow::Owned(name) => Cow::Owned(without_numbers(&name, Kind::Ordinal).into_owned()),
    }
}

/// Words of V8 and of the tools around it in front of the names of scripts' functions, and what is kept of them: the code of a whole file is no
/// function of it.
const SCRIPT_KINDS: [(&str, &str); 7] = [
    ("LazyCompile:", ""),
    ("InterpretedFunction:", ""),
    ("Function:", ""),
    ("JavaScript:", ""),
    ("JS:", ""),
    ("Script:", "Script:"),
    ("Eval:", "Eval:"),
];

/// What is kept of the word that says that a name is one of V8's, and the rest of the name.
pub(super) fn kind_of_script(name: &str) -> Option<(&'static str, &str)> {
    SCRIPT_KINDS.iter().find_map(|(word, kept)| Some((*kept, name.strip_prefix(word)?)))
}

/// `LazyCompile:*f app.js:10:3` → `f app.js:10:3`; `None` for names that are none of V8's. Its marks are those of `CodeKindToMarker` (`~` interpreter, `^`
/// baseline, `+` and `*` optimised, with `'` for one context); without a word in front `~f` is one only where a position in a file follows.
pub(super) fn tier(name: &str) -> Option<String> {
    let (kept, rest) = match kind_of_script(name) {
        Some((kept, rest)) => (kept, rest.trim_start()),
        None => ("", name.starts_with(['~', '^', '+', '*']).then_some(name).filter(|name| without_lines(name).len() < name.len())?),
    };
    let rest = rest.strip_prefix(['~', '^', '+', '*']).map_or(rest, |rest| rest.strip_prefix('\'').unwrap_or(rest));
    Some(format!("{kept}{rest}"))
}

/// Everything between the outermost brackets of a Go name as `...`.
fn type_arguments(name: &str) -> Cow<'_, str> {
    match (name.find('['), name.rfind(']')) {
        // Methods of instances are `pkg.(*T[...]).M`; kernel names like `[kernel]` start with the bracket; C++ and Rust have arrays.
        (Some(open), Some(close)) if open > 0 && open < close && !name.contains("::") => {
            Cow::Owned(format!("{}[...]{}", &name[..open], &name[close + 1..]))
        }
        _ => Cow::Borrowed(name),
    }
}

/// True where a name says that it was written without its type arguments.
pub(super) fn leaves_arguments_out(name: &str) -> bool {
    name.contains("[...]")
}

/// Packages of Go itself that were moved as they were between Go 1.22 and 1.26, and where they are now (the folders of Go 1.27). What was
/// written anew has other functions, and is not here: maps, the collector.
const MOVED: [(&str, &str); 9] = [
    ("runtime/internal/atomic", "internal/runtime/atomic"),
    ("runtime/internal/math", "internal/runtime/math"),
    ("runtime/internal/sys", "internal/runtime/sys"),
    ("runtime/internal/syscall", "internal/runtime/syscall"),
    ("internal/runtime/syscall/linux", "internal/runtime/syscall"),
    ("crypto/internal/alias", "crypto/internal/fips140/alias"),
    ("crypto/internal/bigmod", "crypto/internal/fips140/bigmod"),
    ("crypto/internal/edwards25519", "crypto/internal/fips140/edwards25519"),
    ("crypto/internal/nistec", "crypto/internal/fips140/nistec"),
];

/// `a/vendor/b.F` → `b.F`; `repo/v2/pkg.F` → `repo/pkg.F`; `repo/v2.F` → `repo.F`; `yaml.v3.F` → `yaml.F`; `memcpy@@GLIBC_2.14` → `memcpy`;
/// packages as well as functions.
fn versions(name: &str) -> Cow<'_, str> {
    if let Some((symbol, version)) = name.split_once('@')
        && !symbol.is_empty()
        && !name.contains('/')
        && version.trim_start_matches('@').starts_with(|first: char| first.is_ascii_uppercase())
    {
        return Cow::Borrowed(symbol);
    }
    if !name.contains('/') || name.contains("::") {
        return Cow::Borrowed(name);
    }
    if let Some((old, new)) =
        MOVED.iter().find(|(old, _)| name.strip_prefix(old).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/'])))
    {
        return Cow::Owned(format!("{new}{}", name.get(old.len()..).unwrap_or_default()));
    }
    let name = name.find("/vendor/").map_or(name, |at| &name[at + "/vendor/".len()..]);
    Cow::Owned(without_versions(name))
}

/// `/go/pkg/mod/lib@v1.2.3/a.go` → `/go/pkg/mod/lib/a.go`; `libc.so.6` → `libc.so`; `libc-2.31.so` → `libc.so`; `a/vendor/b/c.go` → `b/c.go`.
fn path_versions(path: &str) -> Cow<'_, str> {
    let path = path.find("/vendor/").map_or(path, |at| &path[at + "/vendor/".len()..]);
    let mut made: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element.split_once('@') {
            _ if is_version(element) => {}
            Some((name, version)) if version.starts_with('v') => made.push(name),
            _ => made.push(element),
        }
    }
    let mut made = made.join("/");
    if let Some(at) = made.rfind(".so.") {
        made.truncate(at + ".so".len());
    } else if let Some(stem) = made.strip_suffix(".so")
        && let Some((name, version)) = stem.rsplit_once('-')
        && version.starts_with(|first: char| first.is_ascii_digit())
    {
        made = format!("{name}.so");
    }
    Cow::Owned(made)
}

/// `sort_pages.isra.0` → `sort_pages`; `main.(*T).M-fm` → `main.(*T).M`.
pub(in crate::analysis) fn without_clone(name: &str) -> &str {
    let mut name = name.strip_suffix("-fm").unwrap_or(name);
    // The jump to a function of another module.
    name = name.strip_suffix("@plt").or_else(|| name.strip_suffix("*plt")).filter(|name| !name.is_empty()).unwrap_or(name);
    while let Some(function) = cloned(name) {
        name = function;
    }
    name
}

/// The name in front of the last suffix of a clone; `None` without one. GCC and LLVM write words of their own, nearly all with a number, and demanglers
/// keep them as `f(int) [clone .isra.0]` and `f(int) (.llvm.123)`. A function `store.coldRead` has none.
fn cloned(name: &str) -> Option<&str> {
    let bracket = name.find(" [clone ").or_else(|| name.rfind(" (.").filter(|_| name.ends_with(')')));
    if let Some(at) = bracket {
        return Some(name[..at].trim_end()).filter(|function| !function.is_empty());
    }
    let (mut head, mut is_numbered) = (name, false);
    while let Some((shorter, number)) = head.rsplit_once('.')
        && all_digits(number)
    {
        (head, is_numbered) = (shorter, true);
    }
    let (function, word) = head.rsplit_once('.')?;
    let is_clone = match word {
        "cold" | "localalias" => true,
        "isra" | "part" | "constprop" | "llvm" | "lto_priv" | "clone" | "__uniq" => is_numbered,
        _ => false,
    };
    (is_clone && !function.is_empty()).then_some(function)
}

/// `main (report.py:72)` → `main (report.py)`, `f app.js:10:3` → `f app.js`: samplers of scripts write the line into the name.
fn without_lines(name: &str) -> Cow<'_, str> {
    let place = match name.strip_suffix(')') {
        Some(inside) => inside.rfind('(').map(|at| (&inside[..=at], &inside[at + 1..], ")")),
        None => name.rfind(' ').map(|at| (&name[..=at], &name[at + 1..], "")),
    };
    let Some((function, place, end)) = place.filter(|(function, ..)| function.len() > 1) else { return Cow::Borrowed(name) };
    let mut file = place;
    // A line, or a line and a column.
    for _ in 0..2 {
        file = file.rsplit_once(':').filter(|(_, number)| all_digits(number)).map_or(file, |(file, _)| file);
    }
    let is_file = file.len() < place.len() && file.contains(['.', '/', '<']);
    if is_file { Cow::Owned(format!("{function}{file}{end}")) } else { Cow::Borrowed(name) }
}

/// True where a name without its line may be that of several functions of one file.
pub(super) fn is_anonymous(name: &str) -> bool {
    name.starts_with([' ', '(']) || ["anonymous", "lambda", "comp>", "genexpr>", "closure"].iter().any(|word| name.contains(word))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The two other names that a numberless closure may have had: `pkg.Outer.inner.func` was `pkg.Outer.func` where the compiler named closures by
/// what they were inlined into, and is `pkg.inner.func` where `inner` is not inlined.
pub(super) fn inlined_closure(name: &str, outer: bool) -> Option<String> {
    let (head, closure) = name.find(".func").map(|at| name.split_at(at))?;
    let slash = head.rfind('/').map_or(0, |at| at + 1);
    let package = slash + head.get(slash..)?.find('.')?;
    let inside = head.get(package + 1..)?;
    // `(*T).Outer.inner`: the receiver belongs to the function behind it.
    let receiver = if inside.starts_with('(') { inside.find(").")? + 2 } else { 0 };
    let (first, second) = inside.get(receiver..)?.split_once('.')?;
    Some(if outer {
        format!("{}.{}{first}{closure}", &head[..package], &inside[..receiver])
    } else {
        format!("{}.{second}{closure}", &head[..package])
    })
}

/// C++ and Rust names without type arguments and parameters; `operator<` and `<T as Trait>::f` keep theirs. Go's as if the function had never become
/// generic.
fn template(name: &str) -> Cow<'_, str> {
    let native = name.contains("::") || name.contains('<') && !name.starts_with('<');
    if !native {
        return replaced(Cow::Borrowed(name), "[...]", "");
    }
    let mut made = String::with_capacity(name.len());
    let (mut angles, mut rounds) = (0_usize, 0_usize);
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        if angles == 0 && rounds == 0 && rest.starts_with("operator") {
            // `operator<<`, `operator()`, `operator->`: signs that are no brackets.
            let signs = rest["operator".len()..].find(|sign: char| !"<>=()-&|+*!^%~[],/".contains(sign));
            let end = "operator".len() + signs.unwrap_or(rest.len() - "operator".len()).min(operator_signs(&rest["operator".len()..]));
            made.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let after_dash = rest.starts_with("->");
        match letter {
            '<' if !made.is_empty() || angles > 0 => angles += 1,
            '>' if angles > 0 => angles -= 1,
            '(' if angles == 0 && !rest.starts_with("(anonymous") && !made.is_empty() && rounds == 0 && !made.ends_with("::") => {
                rounds += 1;
            }
            '(' if rounds > 0 => rounds += 1,
            ')' if rounds > 0 => rounds -= 1,
            _ if angles == 0 && rounds == 0 => made.push(letter),
            _ => {}
        }
        let step = if after_dash { 2 } else { letter.len_utf8() };
        if after_dash && angles == 0 && rounds == 0 {
            made.push('>');
        }
        rest = &rest[step..];
    }
    let cut = made.strip_suffix(" const").map_or(made.len(), str::len);
    made.truncate(cut);
    Cow::Owned(made)
}

/// Length of the signs behind `operator` that belong to its name.
fn operator_signs(text: &str) -> usize {
    let known = ["<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "()", "[]", "<", ">"];
    known.iter().find(|signs| text.starts_with(**signs)).map_or(0, |signs| signs.len())
}

/// Where an address without a name lies, coarsely; `None` for names.
///
/// `0x7f12…` has no module: all of a half of the address space are one. `libfoo.so+0x12345` is known to its 4 KiB. Memory that a program wrote its
/// code into at run time has no fixed offsets: all of it is one.
fn address(name: &str) -> Option<String> {
    let hex =
        |text: &str| text.strip_prefix("0x").filter(|digits| !digits.is_empty()).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    if let Some(address) = hex(name) {
        return Some(if address >> 63 == 1 { "0x… (kernel)" } else { "0x…" }.to_owned());
    }
    let (module, offset) = name.rsplit_once("+0x")?;
    let offset = u64::from_str_radix(offset, 16).ok()?;
    // Without pids and numbers: `perf-4711.map`, `[JIT] tid 4711`, `jitted-4711-3.so`, `memfd:doublemapper (deleted)`.
    let stem: String = module.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let written = ["perf-.map", "[JIT] tid", "jitted-", "//anon", "anon_inode", "memfd:", "[anon", "[heap]", "[stack]"];
    if written.iter().any(|start| stem.starts_with(start)) {
        return Some(format!("{}+0x…", stem.trim()));
    }
    Some(format!("{module}+{:#x}…", offset >> 12 << 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first rule under which two names have one key.
    fn rule_of(one: &str, other: &str, granularity: Granularity) -> Option<Rule> {
        let (mut one, mut other) = (one.to_owned(), other.to_owned());
        for &rule in Rule::of(granularity) {
            if rule == Rule::InlinedClosure {
                let keys = |name: &str| [Some(name.to_owned()), inlined_closure(name, true), inlined_closure(name, false)];
                if keys(&one).iter().flatten().any(|key| keys(&other).iter().flatten().any(|of| of == key)) {
                    return Some(rule);
                }
                continue;
            }
            one = rule.apply(&one, granularity).into_owned();
            other = rule.apply(&other, granularity).into_owned();
            if one == other {
                return Some(rule);
            }
        }
        None
    }

    #[test]
    fn one_function_has_one_key_in_two_builds() {
        for (one, other, rule) in [
            ("runtime.goexit.abi0", "runtime.goexit", Rule::Spelling),
            ("gopkg.in/yaml%2ev3.(*decoder).unmarshal", "gopkg.in/yaml.v3.(*decoder).unmarshal", Rule::Spelling),
            ("std::vector<std::vector<int> >::push_back", "std::vector<std::vector<int>>::push_back", Rule::Spelling),
            ("std::__cxx11::basic_string<char>::append", "std::basic_string<char>::append", Rule::Spelling),
            ("core::fmt::write::h0123456789abcdef", "core::fmt::write::hfedcba9876543210", Rule::Hash),
            ("mycrate[0123456789abcdef]::parse", "mycrate[fedcba9876543210]::parse", Rule::Hash),
            ("a.Main$$Lambda$8+0x00007fdf20007a08/2013559698.run", "a.Main$$Lambda$8+0x00007f0000001000/1616974404.run", Rule::Hash),
            ("a.Main$$Lambda/0x000001e2f4001000.run", "a.Main$$Lambda/0x000001e2f4002000.run", Rule::Hash),
            ("Main$$Lambda$75.0x0000000800c22a28.run", "Main$$Lambda$75.0x0000000800c22e58.run", Rule::Hash),
            ("Main$$Lambda$75+0x0000000800c22a28.run", "Main$$Lambda$76+0x0000000800c22e58.run", Rule::Hash),
            ("Main.lambda$serve$0", "Main.lambda$serve$12", Rule::Closure),
            (
                "<mycrate[0123456789abcdef]::T as core[11223344556677]::fmt::Debug>::fmt",
                "<mycrate::T as core::fmt::Debug>::fmt",
                Rule::Hash,
            ),
            ("bpf_prog_6deef7357e7b4530_sd_fw_egress", "bpf_prog_ee0e253c78993a24_sd_fw_egress", Rule::Hash),
            ("slices.Sort[go.shape.int]", "slices.Sort[...]", Rule::TypeArguments),
            ("pkg.(*List[go.shape.string,a/b.C]).Push", "pkg.(*List[...]).Push", Rule::TypeArguments),
            ("github.com/org/repo/v2/pkg.F", "github.com/org/repo/v3/pkg.F", Rule::Version),
            ("github.com/org/repo/v2.(*T).M", "github.com/org/repo.(*T).M", Rule::Version),
            ("gopkg.in/yaml.v2.F", "gopkg.in/yaml.v3.F", Rule::Version),
            ("a/vendor/golang.org/x/net/http2.F", "golang.org/x/net/http2.F", Rule::Version),
            ("memcpy@@GLIBC_2.14", "memcpy", Rule::Version),
            ("main (report.py:72)", "main (report.py:69)", Rule::Line),
            ("~f /app/x.js:10:3", "~f /app/x.js:14:3", Rule::Line),
            ("f app.js:10", "f app.js:9", Rule::Line),
            ("_find_and_load (<frozen importlib._bootstrap>:1176)", "_find_and_load (<frozen importlib._bootstrap>:1178)", Rule::Line),
            ("LazyCompile:~f /app/x.js:10:3", "LazyCompile:*f /app/x.js:10:3", Rule::Tier),
            ("LazyCompile: *f /app/x.js:10:3", "JS:^f /app/x.js:10:3", Rule::Tier),
            ("Function:+'f /app/x.js:10:3", "f /app/x.js:10:3", Rule::Tier),
            ("~f /app/x.js:10:3", "*f /app/x.js:10:3", Rule::Tier),
            ("Script:~ /app/x.js:1:1", "Script:^ /app/x.js:1:1", Rule::Tier),
            ("LazyCompile:~f /app/x.js:10:3", "JS:*f /app/x.js:14:3", Rule::Line),
            ("memcpy@plt", "memcpy", Rule::Clone),
            ("core::fmt::write::h0123456789abcdef.llvm.12", "core::fmt::write::hfedcba9876543210", Rule::Hash),
            ("foo[1a2b3c]::bar", "foo[99]::bar", Rule::Hash),
            ("reflect.GeneratedMethodAccessor1.invoke", "reflect.GeneratedMethodAccessor23.invoke", Rule::Hash),
            ("jdk.proxy2.$Proxy12.get", "jdk.proxy3.$Proxy7.get", Rule::Hash),
            ("a.Foo$$EnhancerBySpringCGLIB$$1a2b3c.get", "a.Foo$$EnhancerBySpringCGLIB$$ffe012.get", Rule::Hash),
            ("a.Foo$$SpringCGLIB$$0.get", "a.Foo$$SpringCGLIB$$1.get", Rule::Hash),
            ("a.Foo$ByteBuddy$AbCd12Ef.get", "a.Foo$ByteBuddy$Zz9y8x7w.get", Rule::Hash),
            ("runtime/internal/atomic.Xadd", "internal/runtime/atomic.Xadd", Rule::Version),
            ("runtime/internal/syscall.Syscall6", "internal/runtime/syscall/linux.Syscall6", Rule::Version),
            ("github.com/a/b/v2.F.func1", "github.com/a/b/v3.F.func2", Rule::Closure),
            ("sort_pages.isra.0", "sort_pages", Rule::Clone),
            ("sort_pages.isra.0.cold", "sort_pages.constprop.12", Rule::Clone),
            ("sort_pages.localalias", "sort_pages.localalias.3", Rule::Clone),
            ("ns::f(int) [clone .part.0]", "ns::f(int)", Rule::Clone),
            ("ns::f(int) (.llvm.123)", "ns::f(int) (.llvm.45)", Rule::Clone),
            ("a::b::c.llvm.123456", "a::b::c.llvm.654321", Rule::Clone),
            ("main.(*T).M-fm", "main.(*T).M", Rule::Clone),
            ("main.main.func1", "main.main.func3", Rule::Closure),
            ("main.main.func2.1", "main.main.func1.2", Rule::Closure),
            ("main.(*Server).Serve.gowrap1", "main.(*Server).Serve.gowrap2", Rule::Closure),
            ("main.f-range1", "main.f-range2", Rule::Closure),
            ("main.glob..func1", "main.init.func4", Rule::Closure),
            ("main.init.0", "main.init.1", Rule::Closure),
            ("a::f::{closure#0}", "a::f::{closure#2}", Rule::Closure),
            ("ns::run(int)::{lambda(int)#1}::operator()", "ns::run(int)::{lambda(int)#2}::operator()", Rule::Closure),
            // Inlined in one build and not in the other.
            ("ns::run(int)::{lambda(int)#1}::operator()", "ns::run(int)::{lambda(int) at m.cpp:30:5}::operator()", Rule::Closure),
            ("run::{lambda at m.cpp:3:9}::operator()", "run::{lambda at m.cpp:30:5}::operator()", Rule::Closure),
            ("ns::run::$_0::operator()", "ns::run::$_12::operator()", Rule::Closure),
            ("main.main.f.func1", "main.main.func2", Rule::InlinedClosure),
            ("main.main.f.func1", "main.f.func1", Rule::InlinedClosure),
            ("a/b.(*T).Serve.parse.func1", "a/b.(*T).Serve.func3", Rule::InlinedClosure),
            ("std::map<int, A>::find", "std::map<long, B>::find", Rule::Template),
            ("ns::Table::find(int, char*) const", "ns::Table::find(long)", Rule::Template),
            ("alloc::vec::Vec<T>::push", "alloc::vec::Vec<T,A>::push", Rule::Template),
            ("0x7f0012340000", "0x7f9900001234", Rule::Address),
            ("libfoo.so+0x12345", "libfoo.so+0x12fff", Rule::Address),
            ("perf-4711.map+0x7f001234", "perf-99.map+0x10", Rule::Address),
            ("[JIT] tid 12+0x44", "[JIT] tid 13+0x7744", Rule::Address),
        ] {
            assert_eq!(rule_of(one, other, Granularity::Function), Some(rule), "{one} and {other}");
            assert_eq!(rule_of(other, one, Granularity::Function), Some(rule), "{other} and {one}");
        }
    }

    #[test]
    fn two_functions_have_two_keys() {
        for (one, other) in [
            ("main.f", "main.g"),
            ("app/store.coldRead", "app/store.coldWrite"),
            ("cache.(*Store).coldRead", "cache.(*Store).coldScan"),
            ("app.cold.Evict", "app.cold.Load"),
            ("disk.part.Read", "disk.part.Write"),
            ("render.coldpath", "render.coldstart"),
            ("disk.part", "disk.clone"),
            ("main (report.py:72)", "main (other.py:72)"),
            ("f app.js:10", "g app.js:10"),
            ("phase 12:30", "phase 12:40"),
            ("a::f", "b::f"),
            ("pkg.(*A).M", "pkg.(*B).M"),
            ("lib/v2/a.F", "lib/v2/b.F"),
            ("main.f.func1", "main.g.func1"),
            ("ns::operator<", "ns::operator<<"),
            ("<A as T>::f", "<B as T>::f"),
            ("Foo::~Foo", "Foo::Foo"),
            ("runtime.mapaccess1_faststr", "internal/runtime/maps.mapaccess1_faststr"),
            ("runtime.scanobject", "runtime.scanObject"),
            ("Script:~ /app/x.js:1:1", "LazyCompile:~ /app/x.js:1:1"),
            ("ns::operator()", "ns::operator[]"),
            ("<A as T>::f", "<B as T>::f"),
            ("(anonymous namespace)::f", "(anonymous namespace)::g"),
            ("libfoo.so+0x12345", "libfoo.so+0x14345"),
            ("0x7f0012340000", "0xffffffff81000000"),
            ("[kernel.kallsyms]", "[vdso]"),
            ("func1", "func2"),
        ] {
            assert_eq!(rule_of(one, other, Granularity::Function), None, "{one} and {other}");
        }
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        for plain in ["main.main", "[kernel.kallsyms]", "remember (report.py)", "find_term", "100%", "é%zz", "a::b::d", ""] {
            for &rule in Rule::of(Granularity::Function) {
                assert_eq!(rule.apply(plain, Granularity::Function), plain, "{rule:?}");
            }
        }
    }

    #[test]
    fn paths_lose_versions_and_then_folders() {
        for (one, other, granularity, rule) in [
            ("/go/pkg/mod/github.com/a/lib@v1.2.3/x.go", "/go/pkg/mod/github.com/a/lib@v1.3.0/x.go", Granularity::File, Rule::Version),
            ("/src/a/vendor/github.com/b/c.go", "github.com/b/c.go", Granularity::File, Rule::Version),
            ("/usr/local/go/src/runtime/mprof.go", "/opt/go1.21/src/runtime/mprof.go", Granularity::File, Rule::Folder),
            ("/lib/libc-2.31.so", "/lib/libc-2.36.so", Granularity::Module, Rule::Version),
            ("/lib/libc.so.6", "/lib/libc.so", Granularity::Module, Rule::Version),
            ("/srv/a/server", "/srv/b/server", Granularity::Module, Rule::Folder),
            ("github.com/x/lib/v2", "github.com/x/lib/v3", Granularity::Package, Rule::Version),
        ] {
            assert_eq!(rule_of(one, other, granularity), Some(rule), "{one} and {other}");
        }
    }

    #[test]
    fn hostile_names_do_no_harm() {
        for name in [
            "<",
            ">",
            "((",
            "))",
            "operator",
            "::operator<",
            "a::<<>>(",
            "{{closure}}",
            "#",
            "$_",
            "'lambda",
            "[",
            "]",
            "a[",
            "%",
            "->",
            "é::<",
            "::h",
            ".func",
            "a.func",
            "a.(b.func1",
            "+0x",
            "0x",
            "@",
            "a@@",
            "/vendor/",
            "v1/",
            "-fm",
            ".cold",
            ".0",
            ".cold.1",
            ":1",
            "(:1)",
            " a.b:",
            ")",
            "a (.",
            " [clone ",
        ] {
            for granularity in Granularity::ALL {
                let mut name = name.to_owned();
                for &rule in Rule::of(granularity) {
                    name = rule.apply(&name, granularity).into_owned();
                }
            }
            assert_eq!((inlined_closure(name, true).is_some(), inlined_closure(name, false).is_some()), (false, false), "{name}");
        }
    }
}
