use std::sync::Arc;

use super::*;
use crate::analysis::call_tree::Direction;
use crate::analysis::comparison::{Comparison, Normalization, Shape, compare};
use crate::analysis::diff::{Spec, Verdict};
use crate::analysis::filter::Filter;
use crate::analysis::regress::{Findings, findings};
use crate::base::ticket::Ticket;
use crate::model::{Builder, Frame, Sample};

/// A capture of stacks, outermost first, with their samples: `main.main;main.f 20`.
fn capture(stacks: &[&str]) -> Arc<Profile> {
    let mut builder = Builder::new([("samples", "count")]);
    for line in stacks {
        let (names, count) = line.rsplit_once(' ').unwrap();
        let mut stack = None;
        for name in names.split(';') {
            let function = Some(builder.function_named(name));
            let frame = builder.frame(Frame { function, ..Frame::default() });
            stack = Some(builder.stack(stack, frame));
        }
        builder.rows.sample(Sample { stack, ..Sample::default() }, &[count.parse().unwrap()]);
    }
    Arc::new(builder.finish())
}

pub(in crate::analysis) fn compared(before: &[&str], after: &[&str], naming: &Naming) -> Comparison {
    let captures = [capture(before), capture(after)];
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let (filter, ticket) = (Filter::default(), Ticket::new());
    let shape = Shape::build_matched(&captures, &sides, naming, Granularity::Function, Direction::TopDown, &filter, &ticket).unwrap();
    compare(Arc::new(shape), &captures, &sides, ("samples", "count"), &filter, Normalization::Absolute, &ticket).unwrap()
}

fn found(comparison: &Comparison) -> Findings {
    findings(comparison, &[], &Spec::default()).unwrap()
}

/// The matches of two sides, with the names of places that are nobody's other name.
fn matched(before: &[&str], after: &[&str], naming: &Naming) -> Vec<String> {
    let made = compared(before, after, naming);
    let rows = made.shape.matching.rows().iter();
    rows.map(|row| format!("{} = {} as {}", row.before.join(" + "), row.after.join(" + "), made.places().name(row.place))).collect()
}

/// Two closures, and one inserted in front of them.
const BEFORE: [&str; 3] = ["main.main;main.f;main.f.func1;a.Read 400", "main.main;main.f;main.f.func2;b.Write 300", "main.main;rest 500"];
const AFTER: [&str; 4] = [
    "main.main;main.f;main.f.func1;c.New 150",
    "main.main;main.f;main.f.func2;a.Read 400",
    "main.main;main.f;main.f.func3;b.Write 300",
    "main.main;rest 500",
];

#[test]
fn an_inserted_closure_is_the_only_new_one() {
    let expected = ["main.f.func1 = main.f.func2 as main.f.func2", "main.f.func2 = main.f.func3 as main.f.func3"];
    assert_eq!(matched(&BEFORE, &AFTER, &Naming::default()), expected);
    let made = found(&compared(&BEFORE, &AFTER, &Naming::default()));
    assert!(!made.rows.is_empty(), "what was inserted is found");
    let is_of_it = |name: &str| ["main.f.func1", "c.New", "main.f"].contains(&name);
    assert!(made.rows.iter().all(|row| is_of_it(&row.func)), "{:?}", made.rows);
    let classes: Vec<(&str, usize)> = made.matching.classes.iter().map(|sum| (sum.class.name(), sum.functions)).collect();
    assert_eq!(classes, [("exact", 5), ("closure", 2), ("only-after", 2)]);
    // Taken away again, it is gone, and its name is that of another function.
    let rows = matched(&AFTER, &BEFORE, &Naming::default());
    assert_eq!(rows, ["main.f.func2 = main.f.func1 as main.f.func1", "main.f.func3 = main.f.func2 as main.f.func2"]);
    let made = compared(&AFTER, &BEFORE, &Naming::default());
    let alone = made.places().find("main.f.func1 (before)").unwrap();
    let values: Vec<i64> = made.by_place().iter().map(|(_, total)| total[alone.row()]).collect();
    assert_eq!(values, [150, 0]);
}

#[test]
fn equal_numbers_stay_together_where_nothing_speaks_against_them() {
    for (before, after) in [
        // One of them costs three times as much.
        (&["main;f;f.func1 100", "main;f;f.func2 300"][..], &["main;f;f.func1 300", "main;f;f.func2 300"][..]),
        // The second was not sampled.
        (&["main;f;f.func1;a 100", "main;f;f.func2;b 3"], &["main;f;f.func1;a 104"]),
        // It calls something else now, and no other function is what it was.
        (&["main;p.f;p.f.func1;a 100", "main;p.f;p.f.func2;b 100"], &["main;p.f;p.f.func1;c 100", "main;p.f;p.f.func2;b 100"]),
    ] {
        assert_eq!(matched(before, after, &Naming::default()), Vec::<String>::new(), "{before:?} and {after:?}");
    }
}

#[test]
fn closures_that_were_not_put_together_are_not_by_what_a_wider_rule_left_of_their_names() {
    for (before, after) in [
        (&["main;p.f;p.f.func4;p.a 100", "main;x 300"][..], &["main;p.f;p.f.func2;p.b 100", "main;x 300"][..]),
        (&["main;p.g;p.f.func4;p.a 100", "main;p.b 302"], &["main;p.h;p.f.func2;p.b 100", "main;x;p.a 300", "main;p.g 3"]),
    ] {
        assert_eq!(matched(before, after, &Naming::default()), Vec::<String>::new(), "{before:?} and {after:?}");
    }
    let names = ["main;std::map<int>::find 100", "main;std::map<long>::find 100"];
    assert_eq!(matched(&names[..1], &names[1..], &Naming::default()).len(), 1, "template arguments still do");
}

#[test]
fn what_the_user_keeps_apart_keeps_its_own_name() {
    let naming = Naming { apart: ["main.f.func1".to_owned()].into(), ..Naming::default() };
    let rows = matched(&BEFORE, &AFTER, &naming);
    assert!(rows.iter().all(|row| !row.contains("func1")), "{rows:?}");
    let made = compared(&BEFORE, &AFTER, &naming);
    let place = made.places().find("main.f.func1").unwrap();
    let values: Vec<i64> = made.by_place().iter().map(|(_, total)| total[place.row()]).collect();
    assert_eq!(values, [400, 150]);
    let exact = Naming { exact: true, ..Naming::default() };
    assert_eq!(matched(&BEFORE, &AFTER, &exact), Vec::<String>::new());
}

#[test]
fn accessors_are_known_by_what_they_call() {
    let before = ["main;r.GeneratedMethodAccessor1.invoke;a.A.get 300", "main;r.GeneratedMethodAccessor2.invoke;b.B.get 200"];
    let after = ["main;r.GeneratedMethodAccessor1.invoke;b.B.get 210", "main;r.GeneratedMethodAccessor2.invoke;a.A.get 290"];
    let naming = Naming::default();
    let rows = matched(&before, &after, &naming);
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(found(&compared(&before, &after, &naming)).rows.is_empty());
}

#[test]
fn a_tier_is_no_function() {
    let before = ["main;LazyCompile:~f /a.js:10:5 40", "main;LazyCompile:*f /a.js:10:5 300", "main;JS:*g /a.js:50:3 200"];
    let after = ["main;LazyCompile:*f /a.js:10:5 340", "main;JS:^g /a.js:52:3 200"];
    let rows = matched(&before, &after, &Naming::default());
    let expected = [
        "JS:*g /a.js:50:3 = JS:^g /a.js:52:3 as JS:^g /a.js:52:3",
        "LazyCompile:*f /a.js:10:5 + LazyCompile:~f /a.js:10:5 = LazyCompile:*f /a.js:10:5 as f /a.js:10:5",
    ];
    assert_eq!(rows, expected);
    // Where both ran it in both, more time in one of them is a change of the program.
    let both = [&before[..], &after[..1], &["main;LazyCompile:~f /a.js:10:5 9"]].concat();
    assert_eq!(matched(&both, &both, &Naming::default()), Vec::<String>::new());
}

/// The matches of two sides with one function each name, as `rule: before = after`.
fn matches(before: &[&str], after: &[&str], naming: &Naming) -> Vec<String> {
    let stacks = |names: &[&str]| -> Vec<String> { names.iter().map(|name| format!("main.main;{name} 10")).collect() };
    let (before, after) = (stacks(before), stacks(after));
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let after: Vec<&str> = after.iter().map(String::as_str).collect();
    let made = compared(&before, &after, naming);
    made.shape
        .matching
        .rows()
        .iter()
        .map(|row| {
            format!("{}: {} = {} as {}", row.rule.name(), row.before.join(" + "), row.after.join(" + "), made.places().name(row.place))
        })
        .collect()
}

#[test]
fn names_alone_on_their_side_are_matched_by_rule() {
    for (before, after, expected) in [
        (&["main.f.func1"][..], &["main.f.func2"][..], &["closure: main.f.func1 = main.f.func2 as main.f.func2"][..]),
        // Equal names come first, so the other one is new.
        (&["main.f.func1"], &["main.f.func1", "main.f.func2"], &[]),
        // They have an order, and one insertion is likelier than two.
        (
            &["main.f.func1", "main.f.func2"],
            &["main.f.func3", "main.f.func4"],
            &["closure: main.f.func1 = main.f.func3 as main.f.func3", "closure: main.f.func2 = main.f.func4 as main.f.func4"],
        ),
        (&["main.f.func1", "main.f.func2"], &["main.f.func3"], &["closure: main.f.func2 = main.f.func3 as main.f.func3"]),
        // What the exact names leave over is alone.
        (&["main.f.func1", "main.f.func2"], &["main.f.func1", "main.f.func3"], &["closure: main.f.func2 = main.f.func3 as main.f.func3"]),
        (&["main.f.func1"], &["main.g.func1"], &[]),
        // Without arguments written out, all instances of the other side are meant.
        (
            &["pkg.F[go.shape.int]", "pkg.F[go.shape.string]"],
            &["pkg.F[...]"],
            &["type-arguments: pkg.F[go.shape.int] + pkg.F[go.shape.string] = pkg.F[...] as pkg.F[...]"],
        ),
        (&["pkg.F[int]", "pkg.F[string]"], &["pkg.F[bool]", "pkg.F[byte]"], &[]),
        (&["pkg.F[int]", "pkg.F[string]"], &["pkg.F[int]", "pkg.F[bool]"], &["type-arguments: pkg.F[string] = pkg.F[bool] as pkg.F[bool]"]),
        // Hashes mean nothing in another build.
        (
            &["a::f::h0000000000000001", "a::f::h0000000000000002"],
            &["a::f::h0000000000000003", "a::f::h0000000000000004"],
            &[
                "hash: a::f::h0000000000000001 = a::f::h0000000000000003 as a::f::h0000000000000001",
                "hash: a::f::h0000000000000002 = a::f::h0000000000000004 as a::f::h0000000000000002",
            ],
        ),
        (
            &["a::f::h0000000000000001", "a::f::h0000000000000002"],
            &["a::f"],
            &["hash: a::f::h0000000000000001 + a::f::h0000000000000002 = a::f as a::f"],
        ),
        (&["0x7f01", "0x7f02"], &["0x9901"], &["address: 0x7f01 + 0x7f02 = 0x9901 as 0x…"]),
        (
            &["github.com/a/b/v2.F", "github.com/a/b/v2.G"],
            &["github.com/a/b/v3.F", "github.com/a/b/v3.G"],
            &[
                "version: github.com/a/b/v2.F = github.com/a/b/v3.F as github.com/a/b/v3.F",
                "version: github.com/a/b/v2.G = github.com/a/b/v3.G as github.com/a/b/v3.G",
            ],
        ),
        // A function has as many names as lines were sampled; those with equal names are one already.
        (
            &["main (a.py:1)", "f (a.py:7)", "f (a.py:9)"],
            &["main (a.py:1)", "f (a.py:8)", "f (a.py:10)", "f (a.py:12)"],
            &["line: f (a.py:7) + f (a.py:9) = f (a.py:10) + f (a.py:12) + f (a.py:8) as f (a.py)"],
        ),
        (&["f (a.py:7)", "f (a.py)"], &["f (a.py:8)"], &[]),
        (
            &["(anonymous) a.js:7:1", "(anonymous) a.js:9:1"],
            &["(anonymous) a.js:8:1", "(anonymous) a.js:10:1"],
            &[
                "line: (anonymous) a.js:9:1 = (anonymous) a.js:10:1 as (anonymous) a.js:10:1",
                "line: (anonymous) a.js:7:1 = (anonymous) a.js:8:1 as (anonymous) a.js:8:1",
            ],
        ),
        (
            &["(anonymous) a.js:7:1"],
            &["(anonymous) a.js:8:1"],
            &["line: (anonymous) a.js:7:1 = (anonymous) a.js:8:1 as (anonymous) a.js:8:1"],
        ),
        // A narrower rule goes first: the version differs, the closure's number does not.
        (
            &["github.com/a/b/v2.F.func1", "github.com/a/b/v2.F.func2"],
            &["github.com/a/b/v3.F.func1"],
            &["version: github.com/a/b/v2.F.func1 = github.com/a/b/v3.F.func1 as github.com/a/b/v3.F.func1"],
        ),
        (&["a/b.load"], &["a/b.load[...]"], &["template: a/b.load = a/b.load[...] as a/b.load[...]"]),
        (&["a/b.load"], &["a/b.load[go.shape.int]"], &["template: a/b.load = a/b.load[go.shape.int] as a/b.load[go.shape.int]"]),
        (&["main.main.func1"], &["main.main.f.func1"], &["inlined-closure: main.main.func1 = main.main.f.func1 as main.main.f.func1"]),
        (&["main.main.g.func1"], &["main.main.f.func1"], &[]),
    ] {
        assert_eq!(matches(before, after, &Naming::default()), expected, "{before:?} and {after:?}");
        assert_eq!(matches(before, after, &Naming { exact: true, ..Naming::default() }), Vec::<String>::new());
    }
}

#[test]
fn the_user_has_the_last_word() {
    let mut naming = Naming::default();
    naming.keep_apart("main.f.func1".to_owned());
    assert_eq!(matches(&["main.f.func1"], &["main.f.func2"], &naming), Vec::<String>::new());
    naming.accept("main.f.func1".to_owned(), "other.name".to_owned());
    assert_eq!(matches(&["main.f.func1"], &["other.name"], &naming), ["accepted: main.f.func1 = other.name as other.name"]);
    // Shown by what after has, also where the sides are the other way round.
    assert_eq!(matches(&["other.name"], &["main.f.func1"], &naming), ["accepted: other.name = main.f.func1 as main.f.func1"]);
    // Also where no rule may work.
    naming.exact = true;
    assert_eq!(matches(&["main.f.func1"], &["other.name"], &naming).len(), 1);
    naming.keep_apart("other.name".to_owned());
    assert_eq!(matches(&["main.f.func1"], &["other.name"], &naming), Vec::<String>::new());
}

#[test]
fn matched_functions_are_one_row_and_no_change() {
    let before = ["main.main;lib/v2.F;lib/v2.F.func1 300", "main.main;lib/v2.F 200", "main.main;main.same 500"];
    let after = ["main.main;lib/v3.F;lib/v3.F.func2 310", "main.main;lib/v3.F 190", "main.main;main.same 500"];
    let made = compared(&before, &after, &Naming::default());
    let closure = made.places().find("lib/v2.F.func1").unwrap();
    assert_eq!(made.places().find("lib/v3.F.func2"), Some(closure));
    let values: Vec<i64> = made.by_place().iter().map(|(self_, _)| self_[closure.row()]).collect();
    assert_eq!(values, [300, 310]);
    assert!(found(&made).rows.is_empty(), "{:?}", found(&made).summary);
    // Kept exact, the same samples are four changes of name.
    let exact = found(&compared(&before, &after, &Naming { exact: true, ..Naming::default() }));
    assert!(!exact.rows.is_empty());
    assert!(exact.rows.iter().all(|row| row.verdict != Verdict::Renamed), "nothing is proposed: {:?}", exact.rows);
}

#[test]
fn the_tally_holds_every_function_once() {
    let before = ["main.main;main.decode 400", "main.main;lib/v2.F 300", "main.main;main.same 290", "main.main;main.old 10"];
    let after = ["main.main;main.decodeFast 402", "main.main;lib/v3.F 290", "main.main;main.same 300", "main.main;main.new;main.deep 8"];
    let made = compared(&before, &after, &Naming::default());
    let all = found(&made);
    let classes: Vec<(&str, usize)> = all.matching.classes.iter().map(|sum| (sum.class.name(), sum.functions)).collect();
    assert_eq!(classes, [("exact", 2), ("version", 1), ("proposed", 1), ("only-before", 1), ("only-after", 2)]);
    for side in 0..2 {
        let whole: f64 = all.matching.classes.iter().map(|sum| sum.share[side]).sum();
        assert!((whole - 1.0).abs() < 1e-12, "own costs add up to the whole: {whole}");
    }
    let first = &all.matching.rows[0];
    assert_eq!(
        (first.class, first.before.as_slice(), first.after.as_slice()),
        (Class::Proposed, &["main.decode".to_owned()][..], &["main.decodeFast".to_owned()][..])
    );
    // Accepted, it is one place, and the proposal is gone.
    let mut naming = Naming::default();
    naming.accept("main.decode".to_owned(), "main.decodeFast".to_owned());
    let accepted = found(&compared(&before, &after, &naming));
    assert_eq!(accepted.matching.of(Class::Rule(Rule::Accepted)).map(|sum| sum.functions), Some(1));
    assert_eq!(accepted.matching.of(Class::Proposed), None);
    // Kept apart, it is new and gone.
    let mut naming = Naming::default();
    naming.keep_apart("main.decode".to_owned());
    let apart = found(&compared(&before, &after, &naming));
    let verdict = |name: &str| apart.rows.iter().find(|row| row.func == name).map(|row| row.verdict);
    assert_eq!((verdict("main.decode"), verdict("main.decodeFast")), (Some(Verdict::Gone), Some(Verdict::New)));
}
