//! Names of two builds: which of them are one function, by which rule, and what is left over.
//!
//! Names with numbers come first: closures, hashes, positions in a file. A number of one build may be that of another function in the other, so
//! equal ones are assigned too, with what their neighbours and their cost say (`assign`); a place whose name is two functions is taken apart. All
//! other equal names are never touched. Of the names on one side only, those that have one key under a [`Rule`] are put together, the narrowest
//! rule first; a rule that takes something away that may tell two functions apart needs one name on each side. Renamed functions are
//! found by their context in `regress`, and only proposed: a user accepts one by an alias. Start reading at `join`, then [`Matching`].

mod assign;
mod evidence;
mod keys;
mod numbered;
mod packages;
mod renumbered;
mod tally;

use std::borrow::Cow;
use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::comparison::SideInput;
use super::place::{FramePlaces, Granularity, PlaceId, Places};
use crate::base::ticket::Checked as _;
use crate::model::Profile;

pub use keys::Rule;
pub(super) use keys::without_clone;
pub use tally::{Class, ClassSum, MatchRow, Tally, tally};

/// What the user decided about names; the default lets all rules work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Naming {
    /// Only equal names are one function, and nothing is proposed.
    pub exact: bool,
    /// Names before and after that are one function, as the user says.
    pub aliases: BTreeSet<(String, String)>,
    /// Names that no rule puts together with another, and for which none is proposed.
    pub apart: BTreeSet<String>,
}

impl Naming {
    /// Makes two names one function.
    pub fn accept(&mut self, before: String, after: String) {
        self.apart.remove(&before);
        self.apart.remove(&after);
        self.aliases.retain(|(old, new)| *old != before && *new != after);
        self.aliases.insert((before, after));
    }

    /// Takes back what was decided about a name.
    pub fn forget(&mut self, name: &str) {
        self.apart.remove(name);
        self.aliases.retain(|(before, after)| before != name && after != name);
    }

    /// Takes a name out of every match, whether a rule or the user made it.
    pub fn keep_apart(&mut self, name: String) {
        self.aliases.retain(|(before, after)| *before != name && *after != name);
        self.apart.insert(name);
    }
}

/// Names that were put together into one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The place that stands for all of them.
    pub place: PlaceId,
    /// Why.
    pub rule: Rule,
    /// Spellings of the side before, in name order.
    pub before: Vec<String>,
    /// Spellings of the side after, in name order.
    pub after: Vec<String>,
}

/// What was put together in a shape.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// In order of their places.
    rows: Vec<Match>,
    row_of: FxHashMap<PlaceId, usize>,
    apart: FxHashSet<PlaceId>,
    exact: bool,
}

impl Matching {
    /// All matches that are no equal names, in name order.
    pub fn rows(&self) -> &[Match] {
        &self.rows
    }

    /// The match that a place stands for; `None` for a place with one spelling.
    pub fn of(&self, place: PlaceId) -> Option<&Match> {
        self.rows.get(*self.row_of.get(&place)?)
    }

    /// True where renamed functions may be proposed for a place.
    pub(crate) fn may_propose(&self, place: PlaceId) -> bool {
        !self.exact && !self.apart.contains(&place)
    }

    /// True where the user keeps a place apart.
    pub fn is_apart(&self, place: PlaceId) -> bool {
        self.apart.contains(&place)
    }

    /// A place with all of its spellings: `new (before: old, another closure number)`; the name alone where it has one.
    pub fn spelled(&self, places: &Places, place: PlaceId) -> String {
        let name = places.name(place);
        self.of(place).map_or_else(|| name.to_owned(), |row| format!("{name} ({})", row.words(name)))
    }
}

impl Match {
    /// The other spellings and the reason: `before: old; another closure number`.
    pub fn words(&self, shown: &str) -> String {
        let side = |word: &str, names: &[String]| {
            let others: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != shown).collect();
            match others.as_slice() {
                [] => None,
                [one] => Some(format!("{word}: {one}")),
                [one, rest @ ..] => Some(format!("{word}: {one} and {} more", rest.len())),
            }
        };
        let sides = [side("before", &self.before), side("after", &self.after)];
        let mut parts: Vec<String> = sides.into_iter().flatten().collect();
        parts.push(self.rule.label().to_owned());
        parts.join("; ")
    }
}

/// A group of old rows that become one place.
struct Group {
    rule: Rule,
    name: String,
    rows: Vec<usize>,
}

/// Puts the places of two sides together that are one function in two builds; changes the places of `frames` with them. Fewer than two sides
/// have nothing to match.
pub(super) fn join(
    mut places: Places,
    frames: &mut [FramePlaces],
    profiles: &[&Profile],
    sides: &[SideInput],
    naming: &Naming,
    granularity: Granularity,
) -> (Places, Matching) {
    let [before, after] = sides else { return (places, Matching::default()) };
    let mut on = [present(before, &places, frames, profiles), present(after, &places, frames, profiles)];
    let mut groups = Vec::new();
    let mut alone = Vec::new();
    let is_one_build = before.captures.iter().any(|capture| after.captures.contains(capture));
    if !naming.exact && !is_one_build && granularity == Granularity::Function {
        let said: FxHashSet<PlaceId> =
            accepted(&places, naming, &on[1]).iter().flat_map(|group| group.rows.clone()).filter_map(PlaceId::from_row).collect();
        let is_free = |id: PlaceId| !said.contains(&id) && !naming.apart.contains(places.name(id));
        let made = renumbered::renumbered(&places, &on, frames, profiles, [before, after], is_free);
        if !made.split.is_empty() {
            let is_after: Vec<bool> = (0..frames.len()).map(|capture| after.captures.contains(&capture)).collect();
            places = places.split(&made.split, frames, &is_after);
            on = [present(before, &places, frames, profiles), present(after, &places, frames, profiles)];
        }
        (groups, alone) = (made.groups, made.alone);
    }
    let assigned: FxHashSet<usize> = groups.iter().flat_map(|group| group.rows.iter().copied()).chain(alone.iter().copied()).collect();
    groups.extend(accepted(&places, naming, &on[1]));
    if !naming.exact {
        let taken: FxHashSet<usize> = groups.iter().flat_map(|group| group.rows.iter().copied()).chain(assigned).collect();
        let pool = (1..places.len())
            .checked()
            .filter(|row| on[0][*row] != on[1][*row] && !taken.contains(row))
            .filter(|row| PlaceId::from_row(*row).is_some_and(|id| !naming.apart.contains(places.name(id))))
            .collect();
        let names = groups.iter().map(|group| group.name.clone()).collect();
        groups.extend(by_rules(&places, &on, pool, granularity, names));
    }
    let spellings: Vec<(Rule, [Vec<String>; 2])> = groups
        .iter()
        .map(|group| {
            let names = |side: usize| {
                let rows = group.rows.iter().filter(|row| on[side][**row]);
                rows.filter_map(|&row| PlaceId::from_row(row)).map(|id| places.name(id).to_owned()).collect()
            };
            (group.rule, [names(0), names(1)])
        })
        .collect();
    // The name that these had is that of another function after.
    let alone = alone.into_iter().filter_map(|row| Some((format!("{} (before)", places.name(PlaceId::from_row(row)?)), vec![row])));
    let named = groups.into_iter().map(|group| (group.name, group.rows)).chain(alone).collect();
    let (places, new_rows) = places.joined(named, frames);
    let mut rows: Vec<Match> =
        spellings.into_iter().zip(new_rows).map(|((rule, [before, after]), place)| Match { place, rule, before, after }).collect();
    rows.sort_by_key(|row| row.place);
    let row_of = rows.iter().enumerate().map(|(at, row)| (row.place, at)).collect();
    let apart = naming.apart.iter().filter_map(|name| places.find(name)).collect();
    (places, Matching { rows, row_of, apart, exact: naming.exact })
}

/// Which places stand in a stack of a side's captures.
fn present(side: &SideInput, places: &Places, frames: &[FramePlaces], profiles: &[&Profile]) -> Vec<bool> {
    let mut found = vec![false; places.len()];
    for &row in &side.captures {
        let (Some(profile), Some(frames)) = (profiles.get(row), frames.get(row)) else { continue };
        for frame in profile.stacks.frames().iter().checked() {
            if let Some(found) = frames.get(frame.row()).and_then(|place| found.get_mut(place.row())) {
                *found = true;
            }
        }
    }
    found
}

/// What the user said, where both names are there.
fn accepted(places: &Places, naming: &Naming, on_after: &[bool]) -> Vec<Group> {
    let mut taken: FxHashSet<PlaceId> = FxHashSet::default();
    let mut groups = Vec::new();
    for (before, after) in &naming.aliases {
        let (Some(old), Some(new)) = (places.find(before), places.find(after)) else { continue };
        if old != new && !taken.contains(&old) && !taken.contains(&new) {
            taken.extend([old, new]);
            // Shown by the name that after has, also where the sides were swapped since the user decided.
            let is_on = |place: PlaceId| on_after.get(place.row()).copied().unwrap_or(false);
            let name = if is_on(old) && !is_on(new) { before } else { after };
            groups.push(Group { rule: Rule::Accepted, name: name.clone(), rows: vec![old.row(), new.row()] });
        }
    }
    groups
}

/// Goes through the rules from the narrow to the wide with the names that are still alone.
///
/// `names` are taken.
fn by_rules(places: &Places, on: &[Vec<bool>; 2], pool: Vec<usize>, granularity: Granularity, mut names: FxHashSet<String>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut keys: Vec<Key> =
        pool.into_iter().checked().filter_map(|row| Some(Key::new(places, PlaceId::from_row(row)?, on[1][row], granularity))).collect();
    for &rule in Rule::of(granularity) {
        if keys.iter().all(|key| key.is_after) || !keys.iter().any(|key| key.is_after) {
            break;
        }
        for key in keys.iter_mut().checked() {
            key.narrow(rule, granularity);
        }
        // One reading of a key each; only closures of inlined functions have two.
        let readings: &[Reading] = match rule {
            Rule::InlinedClosure => &[Reading::Outer, Reading::Inner],
            // Numbers of functions were assigned already, with more than the names to go by.
            Rule::Closure if granularity == Granularity::Function => &[],
            _ => &[Reading::Plain],
        };
        for &reading in readings {
            let mut taken = FxHashSet::default();
            for mut group in grouped(places, &keys, (rule, reading), granularity) {
                taken.extend(group.rows.iter().copied());
                // A name that stands for others already, or for itself, is no name for these.
                let stands = places.find(&group.name).is_some_and(|id| !group.rows.contains(&id.row()));
                if stands || names.contains(&group.name) {
                    let last = group.rows.last().and_then(|&row| PlaceId::from_row(row));
                    group.name = last.map_or_else(String::new, |id| places.name(id).to_owned());
                }
                names.insert(group.name.clone());
                groups.push(group);
            }
            keys.retain(|key| !taken.contains(&key.row));
        }
    }
    if granularity == Granularity::Function {
        // By their names as they are: what rules took away is equal in packages that moved as they were.
        let left = |is_after: bool| -> Vec<(usize, &str)> {
            let rows = keys.iter().filter(|key| key.is_after == is_after).map(|key| key.row);
            rows.filter_map(|row| Some((row, places.name(PlaceId::from_row(row)?)))).collect()
        };
        groups.extend(packages::moved(&left(false), &left(true)).into_iter().filter_map(|[old, new]| {
            let name = places.name(PlaceId::from_row(new)?).to_owned();
            names.insert(name.clone()).then(|| Group { rule: Rule::Package, name, rows: vec![old, new] })
        }));
    }
    groups
}

/// The groups of one rule: names of one key with at least one name on each side.
fn grouped(places: &Places, keys: &[Key], (rule, reading): (Rule, Reading), granularity: Granularity) -> Vec<Group> {
    let mut by_key: FxHashMap<String, [Vec<&Key>; 2]> = FxHashMap::default();
    for key in keys.iter().checked() {
        if let Some(text) = key.text(reading) {
            by_key.entry(text).or_default()[usize::from(key.is_after)].push(key);
        }
    }
    let name = |key: &Key| PlaceId::from_row(key.row).map_or("", |id| places.name(id));
    let mut made: Vec<Group> = by_key
        .into_iter()
        .checked()
        .filter_map(|(text, [before, after])| {
            let bare = |keys: &[&Key]| matches!(keys, [one] if keys::leaves_arguments_out(name(one)));
            // Hashes of functions were assigned; what is left is a name that was written without one.
            if rule == Rule::Hash && granularity == Granularity::Function {
                let hashless = |keys: &[&Key]| matches!(keys, [one] if one.narrowed_by != Some(Rule::Hash));
                let fits = !before.is_empty() && !after.is_empty() && (hashless(&before) || hashless(&after));
                return fits.then(|| Group { rule, name: text, rows: before.iter().chain(&after).map(|key| key.row).collect() });
            }
            // Several names of a side are one only if it is this rule that took away what told them apart.
            let lost = |keys: &[&Key]| keys.len() == 1 || keys.iter().all(|key| key.narrowed_by == Some(rule));
            // Two names are one by this rule only if it is this rule that took something away: numbers of closures that were looked at and not put
            // together are gone from both. What is taken from the file of a line is not counted.
            let is_plain = reading == Reading::Plain && granularity != Granularity::Line;
            let narrowed = !is_plain || before.iter().chain(&after).any(|key| key.narrowed_by == Some(rule));
            let fits = match (before.as_slice(), after.as_slice()) {
                ([], _) | (_, []) => false,
                _ if !narrowed => false,
                // Where both sides inlined, into one function, they are closures of two functions.
                ([old], [new]) => reading == Reading::Plain || old.name != new.name && (old.name == text || new.name == text),
                // Which lambda is which cannot be told without its line.
                _ if rule == Rule::Line && keys::is_anonymous(&text) => false,
                (old, new) => rule.takes_many() && lost(old) && lost(new) || rule == Rule::TypeArguments && (bare(old) || bare(new)),
            };
            if !fits {
                return None;
            }
            // One name on the side after is what the code is called now; several have what they share. An address or a hash of one build or run is no
            // part of what it is called.
            let shown = match after.as_slice() {
                [one] if !matches!(rule, Rule::Address | Rule::Hash) => name(one).to_owned(),
                _ => text,
            };
            Some(Group { rule, name: shown, rows: before.iter().chain(&after).map(|key| key.row).collect() })
        })
        .collect();
    made.sort_by_key(|group| group.rows[0]);
    made
}

/// How a key is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// As it is.
    Plain,
    /// A closure that is named by what its function was inlined into: as if it were that one's own.
    Outer,
    /// The same as if its function were not inlined.
    Inner,
}

/// A name on its way through the rules.
struct Key {
    row: usize,
    is_after: bool,
    name: String,
    /// The last rule that took something away.
    narrowed_by: Option<Rule>,
    /// File and line behind the name of a place that is a line.
    line: Option<(String, u32)>,
}

impl Key {
    fn new(places: &Places, id: PlaceId, is_after: bool, granularity: Granularity) -> Self {
        let place = places.get(id);
        let line = Some((place.file.to_string(), place.line)).filter(|_| granularity == Granularity::Line && !place.file.is_empty());
        let end = line.as_ref().map(|(file, line)| format!(" {file}:{line}")).unwrap_or_default();
        let name = place.name.strip_suffix(&end).unwrap_or(&place.name).to_owned();
        Self { row: id.row(), is_after, name, narrowed_by: None, line }
    }

    /// Takes away what a rule says.
    fn narrow(&mut self, rule: Rule, granularity: Granularity) {
        let narrowed = match rule.apply(&self.name, granularity) {
            Cow::Owned(name) => Some(name),
            Cow::Borrowed(name) => (name.len() < self.name.len()).then(|| name.to_owned()),
        };
        if let Some(name) = narrowed {
            self.narrowed_by = Some(rule).filter(|_| name != self.name).or(self.narrowed_by);
            self.name = name;
        }
        if let Some((file, _)) = self.line.as_mut().filter(|_| rule == Rule::Version) {
            for rule in Rule::of(Granularity::File) {
                *file = rule.apply(file, Granularity::File).into_owned();
            }
        }
    }

    /// What names are compared by; `None` where the reading does not apply.
    fn text(&self, reading: Reading) -> Option<String> {
        if reading != Reading::Plain {
            let closure = self.line.is_none() && self.name.contains(".func");
            let other = || keys::inlined_closure(&self.name, reading == Reading::Outer);
            return closure.then(|| other().unwrap_or_else(|| self.name.clone()));
        }
        Some(self.line.as_ref().map_or_else(|| self.name.clone(), |(file, line)| format!("{} {file}:{line}", self.name)))
    }
}

#[cfg(test)]
pub(super) mod tests;
