//! Names with numbers in them that mean nothing in another build: closures, hashes, classes made at run time, positions in a file.
//!
//! One scanner and one table of marks cut a name into [`Piece`]s: fixed text and the number behind it. What two builds have in common is the text; which
//! number is which is not decided here (see `assign`). Start reading at [`Numbered::parse`], then [`MARKS`].

use std::borrow::Cow;

use crate::analysis::names::hidden_class;

/// What a number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The place in the order of the source, under one parent.
    Ordinal,
    /// Line and column of the function in its file: an order too.
    Position,
    /// A hash, or a number of one run: no order.
    Arbitrary,
}

/// A number in a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Number {
    pub(super) kind: Kind,
    /// Where it stands among others of its text; 0 without an order.
    pub(super) order: u64,
    /// As written.
    pub(super) text: String,
}

/// Fixed text with the number behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) number: Number,
}

/// A name in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    /// At least one.
    pub(super) pieces: Vec<Piece>,
    /// The text behind the last number.
    pub(super) tail: String,
}

/// How the number behind a mark is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    /// At least one decimal digit.
    Decimal,
    /// None or more.
    MaybeDecimal,
    /// From so many to so many hexadecimal digits.
    Hex(usize, usize),
    /// Letters and digits, so many at least.
    Word(usize),
}

/// What a number stands behind, and what may follow it.
struct Mark {
    before: &'static str,
    digits: Digits,
    kind: Kind,
    /// First letters of what may stand behind it; the end of the name always may.
    then: &'static str,
}

const fn mark(before: &'static str, digits: Digits, kind: Kind, then: &'static str) -> Mark {
    Mark { before, digits, kind, then }
}

/// Marks that stand in names, the longest of those that begin alike first.
///
/// Go's are those of `closureName` in `cmd/compile/internal/ir/func.go`; C++'s those of the Itanium demanglers (`{lambda(int)#1}` GNU, `'lambda0'` LLVM) and of
/// clang's and MSVC's own symbols; Rust's those of `rustc-demangle`; Java's those of `javac`, HotSpot's reflection and method handles, CGLIB, Byte Buddy.
const MARKS: &[Mark] = &[
    // Package variables' closures, and several `init` functions of a package: `pkg.init.func1`, `pkg.init.0`.
    mark(".init.", Digits::Decimal, Kind::Ordinal, "."),
    mark(".func", Digits::Decimal, Kind::Ordinal, ".-"),
    mark(".gowrap", Digits::Decimal, Kind::Ordinal, ".-"),
    mark(".deferwrap", Digits::Decimal, Kind::Ordinal, ".-"),
    mark("-range", Digits::Decimal, Kind::Ordinal, ".-"),
    mark(")#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{lambda#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{closure#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{closure_env#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{async_fn#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{async_fn_env#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{async_block#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{async_block_env#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("{unnamed type#", Digits::Decimal, Kind::Ordinal, "}"),
    mark("'lambda", Digits::MaybeDecimal, Kind::Ordinal, "'"),
    mark("'unnamed", Digits::MaybeDecimal, Kind::Ordinal, "'"),
    mark("$_", Digits::Decimal, Kind::Ordinal, ":(<. "),
    mark("<lambda_", Digits::Decimal, Kind::Ordinal, ">"),
    mark("<lambda_", Digits::Hex(16, 32), Kind::Arbitrary, ">"),
    mark("GeneratedMethodAccessor", Digits::Decimal, Kind::Arbitrary, ".:"),
    mark("GeneratedConstructorAccessor", Digits::Decimal, Kind::Arbitrary, ".:"),
    mark("GeneratedSerializationConstructorAccessor", Digits::Decimal, Kind::Arbitrary, ".:"),
    // The package of a proxy has a number of its own.
    mark("jdk.proxy", Digits::Decimal, Kind::Arbitrary, "."),
    mark("$Proxy", Digits::Decimal, Kind::Arbitrary, ".:$"),
    mark("LambdaForm$MH/", Digits::Decimal, Kind::Arbitrary, ".:"),
    mark("LambdaForm$DMH/", Digits::Decimal, Kind::Arbitrary, ".:"),
    mark("LambdaForm$MH", Digits::Decimal, Kind::Arbitrary, ".:/"),
    mark("LambdaForm$DMH", Digits::Decimal, Kind::Arbitrary, ".:/"),
    mark("LambdaForm$BMH", Digits::Decimal, Kind::Arbitrary, ".:/"),
    mark("$$Lambda$", Digits::Decimal, Kind::Arbitrary, ".:/+"),
    mark("CGLIB$$", Digits::Word(1), Kind::Arbitrary, ".:$"),
    mark("$ByteBuddy$", Digits::Word(6), Kind::Arbitrary, ".:$"),
    mark("$HibernateProxy$", Digits::Word(6), Kind::Arbitrary, ".:$"),
    mark("$auxiliary$", Digits::Word(6), Kind::Arbitrary, ".:$"),
    mark("$MockitoMock$", Digits::Decimal, Kind::Arbitrary, ".:$"),
    // Rust's legacy hashes. Disambiguators of crates have up to 16 digits, and stand between a crate and what is in it.
    mark("::h", Digits::Hex(16, 16), Kind::Arbitrary, ""),
    mark("bpf_prog_", Digits::Hex(16, 16), Kind::Arbitrary, "_"),
];

/// What a number or its mark begins with.
struct Beginnings([bool; 256]);

static BEGINNINGS: Beginnings = Beginnings::new();

impl Beginnings {
    #[expect(clippy::indexing_slicing, reason = "of a table, while compiling")]
    const fn new() -> Self {
        let mut made = [false; 256];
        made[b'.' as usize] = true;
        made[b'[' as usize] = true;
        made[b'$' as usize] = true;
        let mut row = 0;
        while row < MARKS.len() {
            made[MARKS[row].before.as_bytes()[0] as usize] = true;
            row += 1;
        }
        Self(made)
    }

    fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)) == Some(&true)
    }
}

impl Numbered {
    /// Cuts a name into pieces; `None` for a name without such a number.
    pub(super) fn parse(name: &str) -> Option<Self> {
        // Nearly all names end here.
        if !name.bytes().any(|byte| byte.is_ascii_digit() || byte == b'\'' || byte == b'$') {
            return None;
        }
        // Package variables' closures were `pkg.glob..func1` and are `pkg.init.func1` since Go 1.21.
        let name = if name.contains(".glob..func") { Cow::Owned(name.replace(".glob..func", ".init.func")) } else { Cow::Borrowed(name) };
        let name = name.as_ref();
        let hidden = hidden_class(name);
        let mut pieces: Vec<Piece> = Vec::new();
        // Where the text of the next piece begins.
        let mut start = 0;
        let mut add = |from: usize, end: usize, number: Number| {
            pieces.push(Piece { text: name.get(start..from).unwrap_or_default().to_owned(), number });
            start = end;
        };
        let position = position(name);
        let mut at = 0;
        let mut last_end = 0;
        let begins =
            |at: usize| hidden.as_ref().is_some_and(|range| range.start == at) || position.as_ref().is_some_and(|(from, _)| *from == at);
        while let Some(rest) = name.get(at..).filter(|rest| !rest.is_empty()) {
            // Most bytes are none of these, which are all ASCII: so no character is cut.
            let next = rest.bytes().enumerate().find(|(ahead, byte)| BEGINNINGS.contains(*byte) || begins(at + ahead));
            let Some(rest) = next.and_then(|(ahead, _)| rest.get(ahead..)) else { break };
            at = name.len() - rest.len();
            let found = match (&hidden, &position) {
                (Some(hidden), _) if hidden.start == at => Some((at, hidden.end, arbitrary(name.get(hidden.clone()).unwrap_or_default()))),
                (_, Some((from, number))) if *from == at => Some((at, at + number.text.len(), number.clone())),
                _ => number_at(name, at, rest, last_end > 0 && last_end == at),
            };
            match found {
                Some((from, end, number)) => {
                    add(from, end, number);
                    (at, last_end) = (end, end);
                }
                None => at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        let tail = name.get(start..).unwrap_or_default().to_owned();
        (!pieces.is_empty()).then_some(Self { pieces, tail })
    }

    /// The name with those numbers left out that `drops` says.
    pub(super) fn without(&self, drops: impl Fn(Kind) -> bool) -> String {
        let mut made = String::new();
        for piece in &self.pieces {
            made.push_str(&piece.text);
            if !drops(piece.number.kind) {
                made.push_str(&piece.number.text);
            }
        }
        // A disambiguator leaves its brackets, a hash its mark.
        let made = made + &self.tail;
        let made = if made.contains("[]::") { made.replace("[]::", "::") } else { made };
        made.strip_suffix("::h").map(str::to_owned).unwrap_or(made)
    }
}

fn arbitrary(text: &str) -> Number {
    Number { kind: Kind::Arbitrary, order: 0, text: text.to_owned() }
}

/// The number that begins at a place of a name, or behind a mark there: where it begins and ends. `follows` says that another ended here.
fn number_at(name: &str, at: usize, rest: &str, follows: bool) -> Option<(usize, usize, Number)> {
    let first = rest.bytes().next()?;
    // A closure in a closure has its number alone: `F.func2.1`.
    if first == b'.'
        && follows
        && is_go(name, at)
        && let Some(digits) = length(rest.get(1..)?, Digits::Decimal)
        && ends(name, at + 1 + digits, ".-")
    {
        let end = at + 1 + digits;
        return Some((at + 1, end, numbered(name.get(at + 1..end)?, Kind::Ordinal)));
    }
    if first == b'{'
        && let Some((from, end)) = declared_at(name, at)
    {
        let order = order(name.get(from..end)?)?;
        return Some((from, end, Number { kind: Kind::Position, order, text: name.get(from..end)?.to_owned() }));
    }
    if first == b'[' {
        // Nothing else begins with a bracket.
        let digits = length(rest.get(1..)?, Digits::Hex(1, 16))?;
        let (from, end) = (at + 1, at + 1 + digits);
        // `foo[1a2b3c]::bar`, `<foo[1a2b3c] as …>`; not `[u8; 4]`, nor `[4]` of C++.
        let is_crate = at > 0 && name.get(end..)?.starts_with("]::");
        return is_crate.then(|| Some((from, end, arbitrary(name.get(from..end)?)))).flatten();
    }
    if first == b'$' && is_java(name) {
        // `lambda$main$0`, anonymous classes `Service$1`, Scala's `$anonfun$main$1`.
        if let Some(digits) = length(rest.get(1..)?, Digits::Decimal)
            && ends(name, at + 1 + digits, ".:$(;")
        {
            // Spring numbers the classes that it makes, in the order in which it comes to them.
            let kind =
                if name.get(..at)?.ends_with("CGLIB$") || name.get(..at)?.ends_with("$$Lambda") { Kind::Arbitrary } else { Kind::Ordinal };
            let text = name.get(at + 1..at + 1 + digits)?;
            let (end, number) = class_number(name, at + 1 + digits, text, kind);
            return Some((at + 1, end, number));
        }
    }
    MARKS.iter().filter(|mark| mark.before.as_bytes().first() == Some(&first) && rest.starts_with(mark.before)).find_map(|mark| {
        let from = at + mark.before.len();
        let end = from + length(name.get(from..)?, mark.digits)?;
        // An empty mark before the end stands for any end that is no letter or digit.
        let is_end = if mark.then.is_empty() {
            !name.get(end..)?.starts_with(|next: char| next.is_alphanumeric())
        } else {
            ends(name, end, mark.then)
        };
        let is_of = match mark.before.as_bytes().first()? {
            b'.' | b'-' => is_go(name, at) && at > 0,
            _ => true,
        };
        let text = name.get(from..end)?;
        let (end, number) = class_number(name, end, text, mark.kind);
        (is_end && is_of).then_some((from, end, number))
    })
}

/// Line and column of what is inlined and has no other number, which begins at a place of a name: `{lambda(int) at m.cpp:30:5}`, `{unnamed type at m.cpp:30}`.
fn declared_at(name: &str, at: usize) -> Option<(usize, usize)> {
    let rest = name.get(at..).filter(|rest| rest.starts_with("{lambda") || rest.starts_with("{unnamed type at "))?;
    let mut depth = 0_usize;
    let close = rest.bytes().position(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    let place = rest.get(..close)?.rfind(" at ")? + " at ".len();
    let (file, last) = rest.get(place..close)?.rsplit_once(':')?;
    let file = file.rsplit_once(':').filter(|(_, line)| order(line).is_some()).map_or(file, |(file, _)| file);
    order(last)?;
    Some((at + place + file.len() + 1, at + close))
}

/// A name whose lambdas have their places instead of numbers as one with numbers: `{lambda(int) at m.cpp:30:5}` → `{lambda(int)#30}`.
pub(super) fn places_as_numbers(name: &str) -> Cow<'_, str> {
    let mut made = Cow::Borrowed(name);
    let mut at = 0;
    while let Some(next) = made.get(at..).and_then(|rest| rest.find('{')) {
        at += next;
        if let Some((from, end)) = declared_at(&made, at)
            && let Some(head) = made.get(..from).and_then(|head| head.rsplit_once(" at "))
            && let (Some(place), Some(tail)) = (made.get(from..end), made.get(end..))
        {
            let line = place.split(':').next().unwrap_or(place);
            made = Cow::Owned(format!("{}#{line}{tail}", head.0));
        }
        at += 1;
    }
    made
}

/// Where a line, or a line and a column, stands among others.
fn order(place: &str) -> Option<u64> {
    let (line, column) = place.split_once(':').unwrap_or((place, "0"));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    // Columns are far below a million, but for files in one line.
    number(line)?.checked_mul(1 << 20)?.checked_add(number(column)?.min((1 << 20) - 1))
}

/// The number of a class that a virtual machine made, with what it adds: `14/0x0000000800c22a28`, `14/1616974404`.
fn class_number(name: &str, end: usize, text: &str, kind: Kind) -> (usize, Number) {
    let more = name.get(end..).unwrap_or_default();
    if kind == Kind::Arbitrary && more.starts_with(['/', '+', '.']) {
        let digits = more.get(1..).unwrap_or_default();
        let hex = digits.strip_prefix("0x").map(|hex| 2 + hex.bytes().take_while(u8::is_ascii_hexdigit).count());
        let decimal = digits.bytes().take_while(u8::is_ascii_digit).count();
        let mut taken = hex
            .filter(|taken| *taken > 9)
            .or(Some(decimal).filter(|taken| *taken > 5 && more.starts_with('/')))
            .map_or(0, |taken| taken + 1);
        if let Some(rest) = more.get(taken..).and_then(|rest| rest.strip_prefix('/')).filter(|_| taken > 0) {
            taken += 1 + rest.bytes().take_while(u8::is_ascii_digit).count();
        }
        if let Some(whole) = name.get(end - text.len()..end + taken) {
            return (end + taken, arbitrary(whole));
        }
    }
    (end, numbered(text, kind))
}

fn numbered(text: &str, kind: Kind) -> Number {
    // LLVM leaves the number of the first out, and gives the second 0.
    let order = if text.is_empty() { 0 } else { text.parse::<u64>().map_or(0, |order| order.saturating_add(1)) };
    Number { kind, order: if kind == Kind::Arbitrary { 0 } else { order }, text: text.to_owned() }
}

/// How many bytes the number has that a text begins with.
fn length(text: &str, digits: Digits) -> Option<usize> {
    let count = |is_digit: fn(&u8) -> bool| text.bytes().take_while(is_digit).count();
    match digits {
        Digits::Decimal => Some(count(u8::is_ascii_digit)).filter(|len| *len > 0),
        Digits::MaybeDecimal => Some(count(u8::is_ascii_digit)),
        Digits::Hex(least, most) => Some(count(u8::is_ascii_hexdigit)).filter(|len| (least..=most).contains(len)),
        Digits::Word(least) => Some(count(u8::is_ascii_alphanumeric)).filter(|len| *len >= least),
    }
}

/// True where a name ends at a place, or goes on with one of some letters.
fn ends(name: &str, at: usize, letters: &str) -> bool {
    name.get(at..).is_some_and(|rest| rest.chars().next().is_none_or(|next| letters.contains(next)))
}

/// True where a name up to a place may be one of Go: other languages put `::` between their parts.
fn is_go(name: &str, at: usize) -> bool {
    !name.get(..at).unwrap_or(name).contains("::")
}

/// True for names with dots between packages: elsewhere `$1` is what bundlers of scripts put behind equal names.
fn is_java(name: &str) -> bool {
    name.contains('.') && !name.contains("::") && !name.contains([' ', '/']) || name.contains("$$Lambda") || name.contains("CGLIB")
}

/// Where a name ends in line and column of a file, and what they say: `f app.js:10:3`. A line alone is one of many of a function (see `Rule::Line`),
/// unless the name has a [tier](super::keys::tier): V8 writes where a function begins.
fn position(name: &str) -> Option<(usize, Number)> {
    let (head, last) = name.rsplit_once(':')?;
    let last: u64 = last.parse().ok()?;
    let (file, line, column, from) = match head.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u64>().ok()?))) {
        Some((file, line)) => (file, line, last, file.len() + 1),
        None if super::keys::kind_of_script(name).is_some() => (head, last, 0, head.len() + 1),
        None => return None,
    };
    let place = file.rsplit_once([' ', '(']).map_or(file, |(_, place)| place);
    let is_file = place.contains(['.', '/', '<']) && place.len() < file.len();
    // Columns are far below a million, but for files in one line.
    let order = line.checked_mul(1 << 20)?.checked_add(column.min((1 << 20) - 1))?;
    is_file.then(|| Some((from, Number { kind: Kind::Position, order, text: name.get(from..)?.to_owned() }))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_names() {
        for (name, without) in [
            ("main.F.func1", "main.F.func"),
            ("main.F.func12.3", "main.F.func."),
            ("main.F.func2.gowrap1", "main.F.func.gowrap"),
            ("main.F-range1", "main.F-range"),
            ("main.F.func1-range2", "main.F.func-range"),
            ("main.F[...].func1", "main.F[...].func"),
            ("a/b.(*T).M.deferwrap2", "a/b.(*T).M.deferwrap"),
            ("main.init.0", "main.init."),
            ("main.glob..func3", "main.init.func"),
            ("a::f::{closure#0}::{closure#12}", "a::f::{closure#}::{closure#}"),
            ("a::f::{closure_env#1}<u8>", "a::f::{closure_env#}<u8>"),
            ("ns::run(int)::{lambda(int)#1}::operator()(int) const", "ns::run(int)::{lambda(int)#}::operator()(int) const"),
            ("ns::run(int)::{lambda(int) at m.cpp:30:5}::operator()", "ns::run(int)::{lambda(int) at m.cpp:}::operator()"),
            (
                "run::{lambda at a.h:3}::operator()::{lambda(f<{lambda()#2}>) at b.h:4:1}::g",
                "run::{lambda at a.h:}::operator()::{lambda(f<{lambda()#2}>) at b.h:}::g",
            ),
            ("ns::{unnamed type at m.cpp:7:1}::run", "ns::{unnamed type at m.cpp:}::run"),
            ("ns::run()::$_12::operator()() const", "ns::run()::$_::operator()() const"),
            ("ns::run()::'lambda'(int)::operator()(int)", "ns::run()::'lambda'(int)::operator()(int)"),
            ("ns::run()::'lambda0'(int)::operator()(int)", "ns::run()::'lambda'(int)::operator()(int)"),
            ("com.acme.Main.lambda$main$3", "com.acme.Main.lambda$main$"),
            ("com.acme.Main$1.run", "com.acme.Main$.run"),
            ("com.acme.Main$$Lambda$14/0x0000000800c22a28.run", "com.acme.Main$$Lambda$.run"),
            ("com.acme.Main$$Lambda$14/1616974404.run", "com.acme.Main$$Lambda$.run"),
            ("com.acme.Main$$Lambda/0x0000000800c22a28.run", "com.acme.Main$$Lambda.run"),
            ("java.lang.invoke.LambdaForm$MH/0x0000000800c22a28.invoke", "java.lang.invoke.LambdaForm$MH.invoke"),
            ("java.lang.invoke.LambdaForm$DMH/1616974404.invokeStatic_L", "java.lang.invoke.LambdaForm$DMH/.invokeStatic_L"),
            ("jdk.internal.reflect.GeneratedMethodAccessor12.invoke", "jdk.internal.reflect.GeneratedMethodAccessor.invoke"),
            ("jdk.internal.reflect.DirectMethodHandle$Holder.invoke", "jdk.internal.reflect.DirectMethodHandle$Holder.invoke"),
            ("jdk.proxy2.$Proxy12.get", "jdk.proxy.$Proxy.get"),
            ("com.acme.Foo$$EnhancerBySpringCGLIB$$1a2b3c.get", "com.acme.Foo$$EnhancerBySpringCGLIB$$.get"),
            ("com.acme.Foo$$FastClassBySpringCGLIB$$9f8e7d6c.invoke", "com.acme.Foo$$FastClassBySpringCGLIB$$.invoke"),
            ("com.acme.Foo$$SpringCGLIB$$0.get", "com.acme.Foo$$SpringCGLIB$$.get"),
            ("com.acme.Foo$ByteBuddy$AbCd12Ef.get", "com.acme.Foo$ByteBuddy$.get"),
            ("core::fmt::write::h0123456789abcdef", "core::fmt::write"),
            ("foo[1a2b3c]::bar", "foo::bar"),
            ("<foo[1a2b3c]::T as core[99]::fmt::Debug>::fmt", "<foo::T as core::fmt::Debug>::fmt"),
            ("bpf_prog_0123456789abcdef_filter", "bpf_prog__filter"),
            ("handle /srv/app.js:10:5", "handle /srv/app.js:"),
            ("LazyCompile:~handle /srv/app.js:10", "LazyCompile:~handle /srv/app.js:"),
        ] {
            let made = Numbered::parse(name).map_or_else(|| name.to_owned(), |made| made.without(|_| true));
            assert_eq!(made, without, "{name}");
        }
    }

    #[test]
    fn places_of_lambdas_become_numbers() {
        for (name, made) in [
            ("f(int)::{lambda(int) at m.cpp:30:5}::operator()", "f(int)::{lambda(int)#30}::operator()"),
            ("f::{lambda at m.cpp:3}::operator()() const::{lambda() at n.cpp:4}::g", "f::{lambda#3}::operator()() const::{lambda()#4}::g"),
            ("f::{lambda(int)#1}::operator()", "f::{lambda(int)#1}::operator()"),
            ("f::{lambda(int) at m.cpp}::operator()", "f::{lambda(int) at m.cpp}::operator()"),
            ("{", "{"),
        ] {
            assert_eq!(places_as_numbers(name), made, "{name}");
        }
    }

    #[test]
    fn numbers_that_are_part_of_a_name_stay() {
        for name in [
            "main.F",
            "func1",
            "main.func2x",
            "main.F.function1",
            "crypto/sha256.block",
            "std::array<int, 4>::at",
            "<[u8; 4] as core::fmt::Debug>::fmt",
            "f(int [4])",
            "foo$1 /srv/app.js",
            "main (report.py:72)",
            "phase 12:30",
            "libfoo.so+0x12345678",
            "ip4.ntop.1",
            "f::{lambda(int) at m.cpp}::operator()2",
            "é'lambd",
        ] {
            assert_eq!(Numbered::parse(name), None, "{name}");
        }
    }
}
