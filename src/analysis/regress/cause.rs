//! Where a finding's change comes from: its own cost, calls from one place, one callee, or cost that stood elsewhere.
//!
//! Read off the same nodes as the finding's numbers: which part of them, callers above or callees below, has most of the change while the rest
//! stayed. Samples do not count calls: "calls from" means cost on calls from there. Start reading at [`explain`].

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::Finding;
use crate::analysis::call_tree::{CallTree, NodeId};
use crate::analysis::comparison::Comparison;
use crate::analysis::diff::background::is_collector;
use crate::analysis::diff::{Base, Measure, Verdict};
use crate::analysis::names::{CodeKind, short};
use crate::analysis::place::{PlaceId, Places};
use crate::base::ticket::Checked as _;
use crate::model::counted;

/// What findings are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Code that was not there before, or is not there any more.
    NewCode,
    /// Cost on calls from one place.
    Calls,
    /// The function's own instructions.
    SelfTime,
    /// One callee.
    Callee,
    /// The runtime's own work: garbage collection, allocation, scheduling.
    Runtime,
    /// None of these has most of it.
    #[default]
    Spread,
    /// Cost that stood elsewhere before.
    Moved,
    /// Another name, or a frame more or less, at the same cost.
    Renamed,
}

impl Cause {
    /// All, in the order of groups.
    pub const ALL: [Self; 8] =
        [Self::NewCode, Self::Calls, Self::SelfTime, Self::Callee, Self::Spread, Self::Runtime, Self::Moved, Self::Renamed];

    /// Stable name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewCode => "new-code",
            Self::Calls => "calls",
            Self::SelfTime => "self-time",
            Self::Callee => "callee",
            Self::Runtime => "runtime",
            Self::Spread => "spread",
            Self::Moved => "moved",
            Self::Renamed => "renamed",
        }
    }

    /// Words over a group.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NewCode => "New or gone code",
            Self::Calls => "Calls from one place",
            Self::SelfTime => "Own cost of a function",
            Self::Callee => "Through one callee",
            Self::Runtime => "Garbage collection and runtime",
            Self::Spread => "Many callers and callees",
            Self::Moved => "Moved, not more",
            Self::Renamed => "Another name or frame",
        }
    }
}

/// A part has most of a change from here on.
const MOST: f64 = 0.6;
/// A caller stands out where it has this much more of the change than it had of the cost.
const OUT: f64 = 0.3;
/// What moved from somewhere fell by at least this part of what came.
const COUNTERPART: f64 = 0.4;
/// Longest name in the words, in characters.
const NAME: usize = 48;

/// Change by place: cost before, and what it became per unit of unchanged work.
type Parts = BTreeMap<PlaceId, [f64; 2]>;

/// Sets cause and words of every finding.
pub(super) fn explain(comparison: &Comparison, base: &Base, kinds: &[CodeKind], exposure: f64, rows: &mut [Finding]) {
    let looker = Looker { comparison, base, kinds, exposure };
    for row in rows {
        (row.cause, row.because) = looker.cause(row);
        row.asked_by = looker.asked_by(row).map(|place| comparison.places().name(place).to_owned());
        // Unless the words say it already.
        if let Some(own) = row.asked_by.as_ref().map(|own| short(own, NAME)).filter(|own| !row.because.contains(own)) {
            row.because.push_str(", for ");
            row.because.push_str(&own);
        }
    }
}

struct Looker<'a> {
    comparison: &'a Comparison,
    base: &'a Base,
    /// Of every place.
    kinds: &'a [CodeKind],
    exposure: f64,
}

impl Looker<'_> {
    fn name(&self, place: PlaceId) -> String {
        if place == Places::root() { "the start of the stack".to_owned() } else { short(self.comparison.places().name(place), NAME) }
    }

    fn total(&self, node: NodeId) -> [f64; 2] {
        self.values(|weights| weights.total_of(node))
    }

    fn own(&self, node: NodeId) -> [f64; 2] {
        self.values(|weights| weights.self_of(node))
    }

    fn values(&self, of: impl Fn(&crate::analysis::Weights) -> i64) -> [f64; 2] {
        let value = |side: usize| self.comparison.sides.get(side).map_or(0.0, |side| of(&side.weights) as f64);
        [value(0), value(1) / self.exposure]
    }

    /// The outermost nodes of a finding: of some paths, or all of its place.
    fn nodes(&self, row: &Finding) -> Vec<NodeId> {
        if !row.is_of_paths() {
            return self.all(row);
        }
        let tree = self.comparison.tree();
        row.told_paths().filter_map(|path| tree.find_path(path.iter().copied())).collect()
    }

    /// The outermost nodes of all paths of a finding's place.
    fn all(&self, row: &Finding) -> Vec<NodeId> {
        let is_one = |row_of: &usize| row.measure == Measure::Self_ || self.base.outermost[*row_of];
        self.base.nodes_of(row.place).checked().filter(is_one).filter_map(NodeId::from_row).collect()
    }

    /// Self or total of a node, as the finding is about.
    fn value(&self, row: &Finding, node: NodeId) -> [f64; 2] {
        if row.measure == Measure::Self_ { self.own(node) } else { self.total(node) }
    }

    fn kind(&self, place: PlaceId) -> CodeKind {
        self.kinds.get(place.row()).copied().unwrap_or_default()
    }

    /// The callers of a kind that stand nearest to a finding's nodes.
    fn nearest(&self, row: &Finding, nodes: &[NodeId], is_one: impl Fn(CodeKind) -> bool) -> Parts {
        let tree = self.comparison.tree();
        let mut parts = Parts::new();
        for &node in nodes.iter().checked() {
            let found = tree.path_up(node).skip(1).map(|above| tree.place(above)).find(|&place| is_one(self.kind(place)));
            add(parts.entry(found.unwrap_or(Places::root())).or_default(), self.value(row, node));
        }
        parts
    }

    /// The program's own function that most of a change of other code was for.
    fn asked_by(&self, row: &Finding) -> Option<PlaceId> {
        let is_other = matches!(self.kind(row.place), CodeKind::Library | CodeKind::Std | CodeKind::Runtime | CodeKind::Kernel);
        let nodes = if row.verdict.is_change() && is_other { self.nodes(row) } else { return None };
        let delta = nodes.iter().map(|&node| change(self.value(row, node))).sum();
        let own = most(&self.nearest(row, &nodes, |kind| kind == CodeKind::Own), delta);
        own.filter(|(place, part)| *part >= MOST && *place != Places::root()).map(|(place, _)| place)
    }

    fn cause(&self, row: &Finding) -> (Cause, String) {
        let nodes = self.nodes(row);
        let tree = self.comparison.tree();
        let (mut own, mut callers, mut callees) = ([0.0; 2], Parts::new(), Parts::new());
        for &node in &nodes {
            let caller = tree.parent(node).map_or(Places::root(), |parent| tree.place(parent));
            add(callers.entry(caller).or_default(), self.value(row, node));
            add(&mut own, self.own(node));
            if row.measure == Measure::Total {
                for child in tree.children(node) {
                    // What only interrupts a function is its own cost.
                    let interrupts = if self.base.is_interrupt(child) { self.own(child) } else { [0.0; 2] };
                    add(&mut own, interrupts);
                    let called = [0, 1].map(|side| self.total(child)[side] - interrupts[side]);
                    if called.iter().any(|&value| value != 0.0) {
                        add(callees.entry(tree.place(child)).or_default(), called);
                    }
                }
            }
        }
        let whole = callers.values().fold([0.0; 2], |mut sum, part| {
            add(&mut sum, *part);
            sum
        });
        let delta = change(whole);
        let caller = most(&callers, delta);
        let one_of = |words: &str, callers: &Parts| match most(callers, delta) {
            Some((place, part)) if part >= MOST => format!("{words} {}", self.name(place)),
            _ => format!("{words} {}", counted(callers.len() as u64, "function", "functions")),
        };
        let called_by = |words: &str| one_of(words, &callers);
        match row.verdict {
            Verdict::Renamed => {
                return (
                    Cause::Renamed,
                    format!("proposed: now {}", row.new.as_deref().map_or_else(String::new, |name| short(name, NAME))),
                );
            }
            Verdict::Inlined => {
                return (Cause::Renamed, if row.is_of_after() { "no longer inlined" } else { "inlined into its callers" }.to_owned());
            }
            Verdict::Wrapper => {
                return (
                    Cause::Renamed,
                    if row.is_of_after() { "a new frame around unchanged calls" } else { "its frame is gone, its calls are not" }
                        .to_owned(),
                );
            }
            _ if let Some(new) = &row.new => return (Cause::NewCode, format!("in its place now: {}", short(new, NAME))),
            Verdict::Shift if row.is_move => return (Cause::Moved, self.calls_moved(&callers)),
            Verdict::Shift => return (Cause::Moved, self.moved(row, &nodes, delta)),
            _ if self.kind(row.place) == CodeKind::Runtime || is_collector(&row.func) => {
                // What in the runtime calls it is no news.
                let (work, callers) = (runtime_work(&row.func), self.nearest(row, &nodes, |kind| kind != CodeKind::Runtime));
                let is_alone = most(&callers, delta).is_some_and(|(place, part)| place == Places::root() && part >= MOST);
                let words = if is_alone { work.to_owned() } else { one_of(&format!("{work}, below"), &callers) };
                return (Cause::Runtime, words);
            }
            // The code was there, on other paths.
            Verdict::New | Verdict::Gone if row.is_of_paths() && self.stands_elsewhere(row, &nodes) => {
                return (Cause::Calls, called_by(if row.verdict == Verdict::New { "new caller:" } else { "no longer called by" }));
            }
            Verdict::New => return (Cause::NewCode, called_by("new, called by")),
            Verdict::Gone => return (Cause::NewCode, called_by("gone, was called by")),
            _ => {}
        }
        if let Some((place, part)) = caller {
            let before = callers.get(&place).map_or(0.0, |part| part[0]);
            let had = if whole[0] > 0.0 { before / whole[0] } else { 0.0 };
            if callers.len() > 1 && part >= MOST && part - had >= OUT {
                let words = if before == 0.0 { "new caller:" } else { "calls from" };
                return (Cause::Calls, format!("{words} {}", self.name(place)));
            }
        }
        if let Some(caller) = self.apart(row, &nodes, delta) {
            return (Cause::Calls, format!("only on calls through {}", self.name(caller)));
        }
        if row.measure == Measure::Self_ || change(own) / delta >= MOST {
            // Bytes, objects and goroutines are no time.
            let kind = self.comparison.sample_type.as_str();
            let is_time = self.comparison.unit != "bytes" && !kind.ends_with("objects") && !matches!(kind, "goroutine" | "contentions");
            let words = if is_time { "self time" } else { "self" };
            return (Cause::SelfTime, format!("{words}{}", self.on_one_path(row, &nodes)));
        }
        if let Some((place, part)) = most(&callees, delta).filter(|(_, part)| *part >= MOST) {
            let before = callees.get(&place).map_or(0.0, |part| part[0]);
            let words = if before == 0.0 { "new callee:" } else { "through" };
            let path = self.on_one_path(row, &nodes);
            return (Cause::Callee, format!("{words} {} ({:.0} % of it){path}", self.name(place), 100.0 * part.min(1.0)));
        }
        let counted = |parts: &Parts, one: &str, many: &str| counted(parts.len() as u64, one, many);
        let [above, below] = [counted(&callers, "caller", "callers"), counted(&callees, "callee", "callees")];
        (Cause::Spread, format!("{above} and {below}{}", self.on_one_path(row, &nodes)))
    }

    /// Says that the numbers of a finding are those of some paths, where the function has cost on others too.
    fn on_one_path(&self, row: &Finding, nodes: &[NodeId]) -> String {
        if !row.is_of_paths() {
            return String::new();
        }
        let others =
            self.all(row).iter().filter(|node| !nodes.contains(node) && self.value(row, **node).iter().any(|part| *part != 0.0)).count();
        let own = row.told_paths().count();
        match others {
            0 => String::new(),
            _ if own == 1 => format!(", on one of {} paths", others + 1),
            _ => format!(", on {own} of {} paths", others + own),
        }
    }

    /// True where a finding's place has cost on other paths too, on the side on which the finding has none.
    fn stands_elsewhere(&self, row: &Finding, nodes: &[NodeId]) -> bool {
        let all = self.all(row);
        let side = usize::from(row.verdict == Verdict::Gone);
        all.iter().any(|node| !nodes.contains(node) && self.total(*node)[side] > 0.0)
    }

    /// The nearest caller on a finding's one path that most of the place's other cost does not come through; `None` where the other paths
    /// changed as well.
    fn apart(&self, row: &Finding, nodes: &[NodeId], delta: f64) -> Option<PlaceId> {
        let (tree, node) = (self.comparison.tree(), *nodes.first()?);
        row.path.as_ref()?;
        let all = self.all(row);
        let whole: f64 = all.iter().map(|&node| change(self.value(row, node))).sum();
        let others: Vec<NodeId> = all.into_iter().filter(|other| *other != node).collect();
        if others.is_empty() || delta / whole < MOST {
            return None;
        }
        let cost = |node: NodeId| self.value(row, node).iter().map(|part| part.abs()).sum::<f64>();
        let rest: f64 = others.iter().map(|&node| cost(node)).sum();
        let mut through: FxHashMap<PlaceId, f64> = tree.path_up(node).skip(1).map(|above| (tree.place(above), 0.0)).collect();
        for &other in others.iter().checked() {
            // Each place of a path once.
            for above in tree.path_up(other).skip(1).filter(|above| self.base.outermost[above.row()]) {
                if let Some(sum) = through.get_mut(&tree.place(above)) {
                    *sum += cost(other);
                }
            }
        }
        let callers = tree.path_up(node).skip(1).map(|above| tree.place(above));
        callers.into_iter().find(|caller| through.get(caller).is_some_and(|&sum| sum <= rest / 2.0))
    }

    /// The callers that a function's calls came from and went to, the largest of each by its name.
    fn calls_moved(&self, callers: &Parts) -> String {
        let name = |sign: f64| {
            let (place, _) = most(callers, sign)?;
            // Calls that stayed where they are differ by chance.
            let changed = |part: &&[f64; 2]| change(**part) * sign > part[0].max(part[1]) / 2.0;
            let others = callers.values().filter(changed).count().saturating_sub(1);
            let more = if others == 0 { String::new() } else { format!(" and {others} more") };
            Some(format!("{}{more}", self.name(place)))
        };
        match (name(-1.0), name(1.0)) {
            (Some(from), Some(to)) => format!("calls moved from {from} to {to}"),
            _ => "calls moved".to_owned(),
        }
    }

    /// Where cost came from, or where it went.
    fn moved(&self, row: &Finding, nodes: &[NodeId], delta: f64) -> String {
        let tree = self.comparison.tree();
        let word = if delta >= 0.0 { "moved from" } else { "moved to" };
        // Other callers of the same function first: its cost is called from elsewhere.
        if row.is_of_paths() {
            let others = self.all(row);
            let mut callers = Parts::new();
            for &node in others.iter().filter(|node| !nodes.contains(node)) {
                let parent = tree.parent(node).map_or(Places::root(), |parent| tree.place(parent));
                add(callers.entry(parent).or_default(), self.total(node));
            }
            if let Some((place, _)) = most(&callers, -delta).filter(|(_, part)| *part >= COUNTERPART) {
                return format!("{word} calls from {}", self.name(place));
            }
        }
        // Then what stands beside it, then what stands below it.
        let (mut beside, mut below) = (Parts::new(), Parts::new());
        for &node in nodes {
            let parent = tree.parent(node).unwrap_or(CallTree::ROOT);
            for child in tree.children(parent).filter(|child| tree.place(*child) != row.place) {
                add(beside.entry(tree.place(child)).or_default(), self.total(child));
            }
            add(beside.entry(tree.place(parent)).or_default(), self.own(parent));
            if row.measure == Measure::Self_ {
                for child in tree.children(node) {
                    add(below.entry(tree.place(child)).or_default(), self.total(child));
                }
            }
        }
        let found = [below, beside].iter().find_map(|parts| most(parts, -delta).filter(|(_, part)| *part >= COUNTERPART));
        found.map_or_else(|| "moved; its surroundings cost what they did".to_owned(), |(place, _)| format!("{word} {}", self.name(place)))
    }
}

fn add(sum: &mut [f64; 2], part: [f64; 2]) {
    sum[0] += part[0];
    sum[1] += part[1];
}

fn change(part: [f64; 2]) -> f64 {
    part[1] - part[0]
}

/// The place with most of a change, and its part of it.
fn most(parts: &Parts, delta: f64) -> Option<(PlaceId, f64)> {
    let part = |part: &[f64; 2]| change(*part) / delta;
    let found = parts.iter().max_by(|a, b| part(a.1).total_cmp(&part(b.1)).then(b.0.cmp(a.0)))?;
    Some((*found.0, part(found.1))).filter(|(_, part)| part.is_finite() && *part > 0.0)
}

/// What a function of the runtime is for.
fn runtime_work(name: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is_collector(name) || has(&["sweep", "scavenge", "wbBuf", "findObject"]) {
        "garbage collection"
    } else if has(&["malloc", "newobject", "makeslice", "growslice", "nextFree", "(*mcache)", "(*mcentral)", "(*mheap)"]) {
        "allocation"
    } else if has(&["schedule", "findRunnable", "findrunnable", "park", "ready", "futex", "netpoll", "mcall", "stealWork"]) {
        "scheduling"
    } else {
        "runtime work"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::diff::Spec;
    use crate::analysis::matching::tests::compared;
    use crate::analysis::{Naming, regress};

    /// Cause and words of the first finding.
    fn first(before: &[&str], after: &[&str]) -> (Cause, String) {
        let comparison = compared(before, after, &Naming::default());
        let found = regress::findings(&comparison, &[], &Spec::default()).unwrap();
        let row = found.rows.first().unwrap_or_else(|| panic!("nothing found: {}", found.summary));
        (row.cause, row.because.clone())
    }

    #[test]
    fn the_cause_is_where_most_of_the_change_lies() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000"];
        let with = |more: &[&'static str]| -> Vec<&'static str> { rest.iter().chain(more).copied().collect() };
        for (before, after, cause, words) in [
            (&["main;f 500"][..], &["main;f 1500"][..], Cause::SelfTime, "self time"),
            (&[], &["main;f 900"], Cause::NewCode, "new, called by main"),
            (&["main;f 900"], &[], Cause::NewCode, "gone, was called by main"),
            (&["main;a;f;g 500", "main;b;f;g 500"], &["main;a;f;g 500", "main;b;f;g 1700"], Cause::Calls, "only on calls through b"),
            (&["main;a;f 500"], &["main;a;f 500", "main;b;f 900"], Cause::Calls, "new caller: b"),
            (&["main;runtime.mallocgc 500"], &["main;runtime.mallocgc 1500"], Cause::Runtime, "allocation, below main"),
            (
                &["main.main;shop/cart.Add;strings.Repeat;runtime.makeslice;runtime.mallocgc 500", "main.main;shop/cart.Add 3000"],
                &["main.main;shop/cart.Add;strings.Repeat;runtime.makeslice;runtime.mallocgc 1500", "main.main;shop/cart.Add 3000"],
                Cause::Runtime,
                "allocation, below strings.Repeat, for shop/cart.Add",
            ),
        ] {
            let (found, said) = first(&with(before), &with(after));
            assert_eq!(found, cause, "{before:?} and {after:?}: {said}");
            assert!(said.contains(words), "{before:?} and {after:?}: {said}");
        }
    }

    #[test]
    fn numbers_of_one_path_are_said_to_be() {
        let rest = ["main;a;x 2000", "main;b;y 2000", "main;c;z 2000", "main;d;w 2000"];
        let with = |more: [&'static str; 2]| -> Vec<&'static str> { rest.iter().copied().chain(more).collect() };
        let (before, after) = (with(["main;a;f;g 500", "main;b;f;g 500"]), with(["main;a;f;g 500", "main;b;f;g 1700"]));
        let comparison = compared(&before, &after, &Naming::default());
        let found = regress::findings(&comparison, &[], &Spec::default()).unwrap();
        let row = found.rows.first().unwrap();
        let base = Base::new(&comparison).unwrap();
        let looker = Looker { comparison: &comparison, base: &base, kinds: &[], exposure: found.diff.exposure };
        assert!(row.path.is_some() && row.raw[0] < 501.0, "{row:?}");
        assert_eq!(looker.on_one_path(row, &looker.nodes(row)), ", on one of 2 paths");
        let all = Finding { path: None, ..row.clone() };
        assert_eq!(looker.on_one_path(&all, &looker.nodes(&all)), "");
    }
}
