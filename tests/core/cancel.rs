//! Work that is cancelled in the middle stops there. No test looks at a clock: a ticket that cancels itself at its n-th check stands for
//! any moment, and how often work of a known size checks says that no two moments are far apart.

use std::fmt::Write as _;
use std::sync::Arc;

use emberlens::analysis::call_tree::{self, Direction};
use emberlens::analysis::comparison::{Comparison, Normalization, Shape, SideInput, compare};
use emberlens::analysis::diff::{self, Measure, Spec};
use emberlens::analysis::flame::{self, FlameLayout};
use emberlens::analysis::flat::{self, OrderBy, RowsSpec};
use emberlens::analysis::matching::Naming;
use emberlens::analysis::{Filter, Granularity, regress, search, top};
use emberlens::base::ticket::{ITEMS_PER_CHECK, Ticket};
use emberlens::format::{self, Input, ReadCx};
use emberlens::model::Profile;

/// Further checks that threads which run beside the one that is stopped first may make, each once for what they have begun.
const BESIDE: u64 = 64;

/// Holds that `work` (false = cancelled) checks once in `every` of `size` items at least, and stops at whichever check cancels it.
fn holds(name: &str, size: usize, every: u32, work: impl Fn(&Ticket) -> bool) {
    let whole = Ticket::new();
    assert!(work(&whole), "{name} ends without a cancel");
    let checks = whole.checks();
    assert!(checks >= size as u64 / u64::from(every), "{name} checks {checks} times for {size} items");
    for part in 0..8 {
        // Threads that run in another order may check a few times less often: the last moment is not the last check.
        let at = 1 + part * checks * 3 / 32;
        let ticket = Ticket::cancelled_at_check(at);
        assert!(!work(&ticket), "{name} goes on to its end after it was cancelled at check {at} of {checks}");
        assert!(ticket.checks() <= at + BESIDE, "{name} makes {} checks after check {at} cancelled it", ticket.checks() - at);
    }
}

/// Two captures of 20,000 stacks each, in one function in ten of which the second spends more; some names are on one side only.
fn captures() -> [Arc<Profile>; 2] {
    [1, 2].map(|side| {
        let mut text = String::new();
        for row in 0..20_000_u32 {
            let (a, b, c) = (row % 40, row / 40, row % 997);
            let lib = if c % 50 == 0 { format!("lib{side}") } else { "lib".to_owned() };
            writeln!(text, "main;a{a};b{b};{lib}::c{c} {}", 20 + row % 13 + if a % 10 == 0 { side * 9 } else { 0 }).unwrap();
        }
        let ticket = Ticket::new();
        Arc::new(format::read(&Input { bytes: text.as_bytes(), name: "a.folded" }, &ReadCx::new(&ticket)).unwrap())
    })
}

fn shape(captures: &[Arc<Profile>], direction: Direction, ticket: &Ticket) -> Option<Shape> {
    let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
    let none = Filter::default();
    ticket
        .run(|| Shape::build_matched(captures, &sides, &Naming::default(), Granularity::Function, direction, &none, ticket).ok())
        .ok()
        .flatten()
}

fn weighed(shape: &Arc<Shape>, captures: &[Arc<Profile>], filter: &Filter, ticket: &Ticket) -> Option<Comparison> {
    let sides = [SideInput::whole([0]), SideInput::whole([1])];
    let kind = captures.first().and_then(|profile| profile.sample_types.first()).expect("folded stacks have a sample type");
    let kind = (kind.name.as_str(), kind.unit.as_str());
    ticket.run(|| compare(Arc::clone(shape), captures, &sides, kind, filter, Normalization::Absolute, ticket).ok()).ok().flatten()
}

#[test]
fn every_analysis_stops_at_the_check_that_cancels_it() {
    let captures = captures();
    let rows = captures.iter().map(|profile| profile.stacks.len()).sum::<usize>();
    for direction in [Direction::TopDown, Direction::BottomUp] {
        holds("the tree", rows, ITEMS_PER_CHECK, |ticket| shape(&captures, direction, ticket).is_some());
    }
    let whole = Arc::new(shape(&captures, Direction::TopDown, &Ticket::new()).unwrap());
    let nodes = whole.tree.len();
    assert!(nodes > 40_000, "{nodes}");
    let none = Filter::default();
    let focus = Filter { focus: Some("b1".to_owned()), ..Filter::default() };
    for filter in [&none, &focus] {
        holds("weighing", 2 * nodes, ITEMS_PER_CHECK, |ticket| weighed(&whole, &captures, filter, ticket).is_some());
    }
    let comparison = weighed(&whole, &captures, &none, &Ticket::new()).unwrap();
    tables(&comparison, &captures, nodes);
    let (tree, widths) = (comparison.tree(), vec![1_u64; nodes]);
    let shape = flame::Shape { parents: tree.parents(), depths: tree.depths() };
    holds("the layout", nodes, ITEMS_PER_CHECK, |ticket| {
        ticket.run(|| FlameLayout::build(shape, &widths, ticket)).is_ok_and(|layout| layout.is_ok())
    });
}

fn tables(comparison: &Comparison, captures: &[Arc<Profile>; 2], nodes: usize) {
    let (tree, places) = (comparison.tree(), comparison.places());
    let weights = &comparison.sides[0].weights;
    let table = flat::flat(comparison);
    let spec = RowsSpec { by: OrderBy::Delta(Measure::Total), ascending: false, pattern: "c".to_owned() };
    let every = ITEMS_PER_CHECK;
    holds("the top table", nodes, every, |ticket| ticket.run(|| top::top(tree, places, weights)).is_ok());
    holds("the flat table", nodes, every, |ticket| ticket.run(|| flat::flat(comparison)).is_ok());
    holds("its rows", places.len(), every, |ticket| ticket.run(|| flat::rows(comparison, &table, &spec)).is_ok());
    holds("a search", nodes, every, |ticket| ticket.run(|| search::search(comparison, "c1")).is_ok());
    holds("the diff", 10 * nodes, every, |ticket| ticket.run(|| diff::diff(comparison, &Spec::default())).is_ok());
    holds("findings", 10 * nodes, every, |ticket| ticket.run(|| regress::findings(comparison, captures, &Spec::default())).is_ok());
}

#[test]
fn an_analysis_that_is_stopped_and_started_again_gives_the_same() {
    let captures = captures();
    let whole = shape(&captures, Direction::TopDown, &Ticket::new()).unwrap();
    assert!(shape(&captures, Direction::TopDown, &Ticket::cancelled_at_check(20)).is_none());
    let again = shape(&captures, Direction::TopDown, &Ticket::new()).unwrap();
    assert_eq!((again.tree, again.nodes), (whole.tree, whole.nodes));
    // Without a run there is no ticket to ask: the functions are as pure as they look.
    let (places, frames) = emberlens::analysis::Places::build(&[&captures[0]], Granularity::Function);
    let tree = call_tree::build(&[(&captures[0], &frames[0])], Direction::TopDown, &Ticket::new());
    assert!(tree.is_ok_and(|(tree, _)| tree.len() > 1 && places.len() > 1));
}

#[test]
fn every_reader_stops_at_the_check_that_cancels_it() {
    for (name, bytes) in crate::inputs::texts(1 << 20) {
        holds(&name, bytes.len(), 1 << 19, |ticket| match format::read(&Input { bytes: &bytes, name: "bench" }, &ReadCx::new(ticket)) {
            Ok(_) => true,
            Err(error) => {
                assert!(error.is_cancelled(), "{name}: {error}");
                false
            }
        });
    }
}
