//! Functions that were renamed, inlined, wrapped or called from elsewhere: what is said of them, also where a capture holds some samples of the other build.

use emberlens::analysis::comparison::Normalization;
use emberlens::analysis::diff::Verdict;
use emberlens::analysis::regress::Findings;

use crate::noise::{judged, said, service, with};

type Stacks = [(&'static str, u64)];

/// Both sides with more stacks than the service has, and the same with sides swapped.
fn both(before: &Stacks, after: &Stacks) -> [Findings; 2] {
    let [before, after] = [before, after].map(|more| vec![with(service(|_| 5.0), more)]);
    [judged(&before, &after, Normalization::PerSecond), judged(&after, &before, Normalization::PerSecond)]
}

/// Stacks of one build, and the same of the other.
const CHANGES: [(Verdict, &Stacks, &Stacks); 4] = [
    (
        Verdict::Renamed,
        &[("main.main;main.handle2;main.encode", 300), ("main.main;main.handle2;main.encode;main.escape", 400)],
        &[("main.main;main.handle2;json.marshal", 310), ("main.main;main.handle2;json.marshal;main.escape", 390)],
    ),
    (
        Verdict::Wrapper,
        &[("main.main;main.handle2;main.encode", 600), ("main.main;main.handle2;main.encode;main.escape", 800)],
        &[("main.main;main.handle2;trace.Do;main.encode", 610), ("main.main;main.handle2;trace.Do;main.encode;main.escape", 790)],
    ),
    (
        Verdict::Inlined,
        &[("main.main;main.handle2;main.page;main.length", 900), ("main.main;main.handle2;main.page", 300)],
        &[("main.main;main.handle2;main.page", 1210)],
    ),
    (
        Verdict::Shift,
        &[("main.main;main.handle2;main.encode;main.escape", 900), ("main.main;main.handle7;main.encode;main.escape", 500)],
        &[("main.main;main.handle4;main.encode;main.escape", 900), ("main.main;main.handle7;main.encode;main.escape", 500)],
    ),
];

/// `part` of 100 of the stacks of the other build too: one sample, or as much as a rolling deployment leaves.
fn mixed(own: &'static Stacks, other: &'static Stacks, part: u64) -> Vec<(&'static str, u64)> {
    let some = other.iter().enumerate().map(|(at, (stack, samples))| {
        let one = u64::from(at == 0);
        (*stack, if part == 0 { one } else { samples * part / 100 })
    });
    own.iter().copied().chain(some).filter(|(_, samples)| *samples > 0).collect()
}

#[test]
fn samples_of_the_other_build_hide_no_change_of_structure() {
    for (verdict, before, after) in CHANGES {
        for (found, way) in both(before, after).into_iter().zip(["there", "back"]) {
            let verdicts: Vec<_> = found.rows.iter().map(|row| row.verdict).collect();
            assert_eq!(verdicts, [verdict], "{way}: {} {:?}", found.summary, said(&found));
            assert!(found.rows[0].strays == 0.0 && !found.rows[0].why.contains("other side"), "{:?}", found.rows[0]);
        }
        for part in [0, 2] {
            let sides = [mixed(before, after, part), mixed(after, before, part)];
            for (found, way) in both(&sides[0], &sides[1]).into_iter().zip(["there", "back"]) {
                let verdicts: Vec<_> = found.rows.iter().map(|row| row.verdict).collect();
                assert_eq!(verdicts, [verdict], "{part} % {way}: {} {:?}", found.summary, said(&found));
                let row = &found.rows[0];
                assert!(row.strays >= 1.0 && row.why.contains("on the other side"), "{part} % {way}: {row:?}");
            }
        }
    }
}

/// What fell to a fifth did not vanish, and what another function costs is no new name of it.
#[test]
fn what_only_fell_is_not_renamed() {
    let before = [("main.main;main.handle2;main.encode", 800), ("main.main;main.handle2;json.marshal", 0)];
    let after = [("main.main;main.handle2;main.encode", 160), ("main.main;main.handle2;json.marshal", 640)];
    for found in both(&before, &after) {
        assert!(found.rows.iter().all(|row| row.verdict != Verdict::Renamed), "{:?}", said(&found));
    }
}

/// The numbers of a move are those of the paths that it is about, which are named where the function has others.
#[test]
fn numbers_of_a_move_are_those_of_its_paths() {
    let (_, before, after) = CHANGES[3];
    for found in both(before, after) {
        let row = &found.rows[0];
        assert!(row.is_move && row.path.is_none(), "{row:?}");
        assert_eq!((row.func.as_str(), row.paths.len(), row.raw, row.events), ("main.encode", 2, [9e9, 9e9], [900.0, 900.0]), "{row:?}");
    }
    // Without other paths they are those of the function.
    for found in both(&before[..1], &after[..1]) {
        assert_eq!((found.rows[0].is_move, found.rows[0].paths.len(), found.rows[0].raw), (true, 0, [9e9, 9e9]), "{:?}", found.rows[0]);
    }
}

/// Ten functions with a helper each; `inlined` says whether a helper is part of its function, and `cost` what both cost together.
fn helpers(inlined: impl Fn(u64) -> bool, cost: impl Fn(u64) -> u64) -> Vec<(String, u64)> {
    let of = |at: u64| {
        let (path, cost) = (format!("main.main;main.handle{at};main.work{at}"), cost(at));
        if inlined(at) { vec![(path, cost)] } else { vec![(path.clone(), cost / 2), (format!("{path};main.help{at}"), cost - cost / 2)] }
    };
    (0..10).flat_map(of).collect()
}

fn against(before: &[(String, u64)], after: &[(String, u64)]) -> Findings {
    let of = |stacks: &[(String, u64)]| vec![with(service(|_| 1.0), &stacks.iter().map(|row| (row.0.as_str(), row.1)).collect::<Vec<_>>())];
    judged(&of(before), &of(after), Normalization::PerSecond)
}

/// A build that inlines all over changes the own cost of half of the functions: they say nothing of how much work was done, and nothing got worse.
#[test]
fn other_decisions_about_inlining_all_over_are_told_as_that() {
    let cost = |at: u64| 400 + 37 * at;
    let (apart, inlined) = (helpers(|_| false, cost), helpers(|_| true, cost));
    for (before, after) in [(&apart, &inlined), (&inlined, &apart)] {
        let found = against(before, after);
        assert_eq!(found.rows.len(), 10, "{} {:?}", found.summary, said(&found));
        assert!(found.rows.iter().all(|row| row.verdict == Verdict::Inlined), "{:?}", said(&found));
        assert!(found.summary.contains("10 functions are inlined on one side only"), "{}", found.summary);
        // What took the cost over is no place of its own.
        assert!(found.others.iter().all(|row| row.verdict != Verdict::Unconfirmed), "{}", found.summary);
    }
    // Beside it a change is still one, and helpers that are gone are no inlined ones.
    let slower = helpers(|_| true, |at| if at == 3 { 2 * cost(at) } else { cost(at) });
    let found = against(&apart, &slower);
    let changes: Vec<_> = found.rows.iter().filter(|row| row.verdict.is_change()).map(|row| (row.verdict, row.func.as_str())).collect();
    assert_eq!(changes, [(Verdict::Regression, "main.work3")], "{}", found.summary);
    let gone: Vec<_> = apart.iter().filter(|row| !row.0.contains("help")).cloned().collect();
    let found = against(&apart, &gone);
    assert!(found.rows.iter().all(|row| row.verdict != Verdict::Inlined), "{:?} {}", said(&found), found.summary);
}

/// A function that only some of its callers inline is told with the paths on which they do.
#[test]
fn what_some_callers_inline_is_told_with_these() {
    let of = |is_inlined: bool| {
        let mut all: Vec<(String, u64)> = (4..8).map(|at| (format!("main.main;main.handle{at};main.parse"), 300)).collect();
        for at in 0..3 {
            let path = format!("main.main;main.handle{at};main.read");
            if is_inlined {
                all.push((path.clone(), 700));
                all.push((format!("{path};main.skip"), 200));
            } else {
                all.push((path.clone(), 300));
                all.push((format!("{path};main.parse"), 400));
                all.push((format!("{path};main.parse;main.skip"), 200));
            }
        }
        all
    };
    for (before, after) in [(of(false), of(true)), (of(true), of(false))] {
        let found = against(&before, &after);
        assert_eq!(said(&found), [(Verdict::Inlined, "main.parse")], "{}", found.summary);
        assert_eq!(found.rows[0].paths.len(), 3, "{:?}", found.rows[0]);
        let of = |name: &str| found.others.iter().find(|row| row.func == name).map(|row| row.verdict);
        assert_eq!(of("main.read"), Some(Verdict::Explained), "{:?}", found.others);
    }
}

/// Half of a function's calls take another one that costs a third more: where one of the two is a change the other is too, since together they grew.
#[test]
fn a_rise_and_a_fall_that_make_up_for_each_other_have_one_kind_of_verdict() {
    for (old, new) in [(2000, 700), (2000, 1000), (2000, 1150), (2000, 1300), (2000, 1450), (2000, 1700), (20_000, 13_000)] {
        let before = [("main.main;main.handle2;main.check", old), ("main.main;main.handle2", 20 * old)];
        let after = [
            ("main.main;main.handle2;main.check", old / 2),
            ("main.main;main.handle2;main.checkNew", new),
            ("main.main;main.handle2", 20 * old),
        ];
        for found in both(&before, &after) {
            let kinds: Vec<bool> = found.rows.iter().map(|row| row.verdict.is_structure()).collect();
            assert!(kinds.len() == 2 && kinds[0] == kinds[1], "{old} {new}: {:?} {}", said(&found), found.summary);
        }
    }
}

/// A caller that came to cost three times as much fits a little better with any cost on the side before: ten events of a callee that stand there by
/// chance are no reason to take that for inlined.
#[test]
fn a_caller_that_changed_by_itself_inlines_nothing() {
    for events in [8, 9, 11] {
        let before = [("main.main;main.handle2;main.page", 1000), ("main.main;main.handle2;main.page;main.length", events)];
        let after = [("main.main;main.handle2;main.page", 3000), ("main.main;main.handle2;main.page;main.length", 1)];
        let sides = [before, after].map(|more| vec![with(service(|_| 5.0), &more)]);
        for [before, after] in [[0, 1], [1, 0]] {
            let found = judged(&sides[before], &sides[after], Normalization::PerSecond);
            let names: Vec<_> = found.rows.iter().map(|row| (row.verdict.is_structure(), row.func.as_str())).collect();
            assert!(names.contains(&(false, "main.page")) && names.iter().all(|row| !row.0), "{names:?}: {}", found.summary);
        }
    }
}
