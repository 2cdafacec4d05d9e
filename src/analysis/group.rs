//! Call trees by thread, process or label: stacks begin with frames that say whose samples they are.
//!
//! What pprof's `-tagroot` does: each key gives a frame `endpoint: /cart` before the outermost one, and samples without such a label one `(no endpoint)`. Keys of
//! leaves give one behind the innermost one, as its `-tagleaf` does. It is done to a capture before anything else looks at it, so that trees, tables, comparisons and exports need not know. The words `thread` and `process` are keys of
//! every sample whose labels have none of that name: threads by their name without numbers, which are others in each run, and processes by that of their first
//! thread. Values and totals stay as they are. Start reading at [`grouped`].

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::filter::texts;
use crate::base::forest::Forest;
use crate::base::ticket::{Cancelled, ITEMS_PER_CHECK, Ticket};
use crate::model::{Frame, FrameId, Function, LabelSetId, Profile, StackId, StackTable, StringId, ThreadId};

/// The key for threads.
pub const THREAD: &str = "thread";
/// The key for processes.
pub const PROCESS: &str = "process";

/// The keys that samples of a capture can be grouped by, in the order of a menu.
pub fn keys(profile: &Profile) -> Vec<String> {
    let of_labels: BTreeSet<StringId> = profile.label_sets.iter().flatten().map(|label| label.key).collect();
    let mut of_labels: Vec<String> = of_labels.into_iter().map(|key| profile.strings[key].to_owned()).collect();
    of_labels.sort_unstable();
    let has_pids = profile.threads.iter().any(|thread| thread.pid.is_some());
    let own = [(PROCESS, has_pids), (THREAD, !profile.threads.is_empty())];
    let own = own.into_iter().filter(|(key, is_known)| *is_known && !of_labels.iter().any(|label| label == key));
    let own: Vec<String> = own.map(|(key, _)| key.to_owned()).collect();
    own.into_iter().chain(of_labels).collect()
}

/// What samples are grouped by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Groups {
    /// Keys whose values stacks begin with, the first one outermost.
    pub roots: Vec<String>,
    /// Keys whose values stacks end with, the last one innermost.
    pub leaves: Vec<String>,
}

impl Groups {
    /// True where samples are not grouped.
    pub const fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.leaves.is_empty()
    }

    /// As options of the command line, each with its value.
    pub fn options(&self) -> Vec<String> {
        let of = |option: &'static str, keys: &[String]| keys.iter().map(|key| format!("--{option}={key}")).collect::<Vec<_>>();
        [of("group-by", &self.roots), of("tagleaf", &self.leaves)].concat()
    }
}

/// A stack row that has no new one yet.
const NONE: u32 = u32::MAX;

/// The capture with a frame for each key before the outermost frame of every stack and behind its innermost one.
///
/// # Errors
/// Where the ticket was cancelled.
pub fn grouped(profile: &Profile, by: &Groups, ticket: &Ticket) -> Result<Profile, Cancelled> {
    let mut made = profile.clone();
    let processes = process_names(profile);
    // Samples of one thread with one set of labels begin alike.
    let mut groups: FxHashMap<(Option<ThreadId>, Option<LabelSetId>), u32> = FxHashMap::default();
    let mut chains: FxHashMap<[Vec<String>; 2], u32> = FxHashMap::default();
    let mut by_chain: Vec<([Vec<String>; 2], Vec<u32>)> = Vec::new();
    let samples = &profile.samples;
    for (row, key) in samples.threads().iter().copied().zip(samples.labels().iter().copied()).enumerate() {
        if row.is_multiple_of(ITEMS_PER_CHECK as usize) {
            ticket.check()?;
        }
        let group = *groups.entry(key).or_insert_with(|| {
            let names = [&by.roots, &by.leaves].map(|keys| names(profile, &processes, keys, key));
            *chains.entry(names.clone()).or_insert_with(|| {
                by_chain.push((names, Vec::new()));
                by_chain.len() as u32 - 1
            })
        });
        if let Some((_, rows)) = by_chain.get_mut(group as usize) {
            rows.push(row as u32);
        }
    }
    let mut forest = Forest::<StackId, FrameId>::new();
    forest.reserve(profile.stacks.len() + by_chain.len());
    let mut stacks: Vec<Option<StackId>> = vec![None; samples.len()];
    // The new row of each old one within the group at hand, and the rows of a stack that have none yet.
    let mut moved: Vec<u32> = vec![NONE; profile.stacks.len()];
    let (mut touched, mut missing) = (Vec::new(), Vec::new());
    let mut of_names: FxHashMap<String, FrameId> = FxHashMap::default();
    for (names, rows) in by_chain {
        let mut frames = |name| *of_names.entry(name).or_insert_with_key(|name| frame_named(&mut made, name));
        let [roots, leaves] = names.map(|names| names.into_iter().map(&mut frames).collect::<Vec<FrameId>>());
        let root = roots.into_iter().fold(None, |root, frame| forest.child(root, frame));
        for (at, row) in rows.into_iter().enumerate() {
            if at.is_multiple_of(ITEMS_PER_CHECK as usize) {
                ticket.check()?;
            }
            let Some(place) = stacks.get_mut(row as usize) else { continue };
            let mut next = samples.stacks().get(row as usize).copied().flatten();
            while let Some(stack) = next.filter(|stack| moved.get(stack.row()) == Some(&NONE)) {
                missing.push(stack);
                next = profile.stacks.parent(stack);
            }
            let mut parent = next.and_then(|stack| StackId::from_row(*moved.get(stack.row())? as usize)).or(root);
            while let Some(stack) = missing.pop() {
                parent = forest.child(parent, profile.stacks.frame(stack));
                if let (Some(parent), Some(place)) = (parent, moved.get_mut(stack.row())) {
                    *place = parent.row() as u32;
                    touched.push(stack);
                }
            }
            *place = leaves.iter().fold(parent, |parent, &frame| forest.child(parent, frame));
        }
        for stack in touched.drain(..) {
            if let Some(place) = moved.get_mut(StackId::row(stack)) {
                *place = NONE;
            }
        }
    }
    made.stacks = StackTable::from_columns(forest.into_columns());
    made.samples = samples.with_stack_rows(stacks);
    Ok(made)
}

/// Names of processes by number: that of the thread with the same number, else of the first one that is known.
fn process_names(profile: &Profile) -> FxHashMap<i32, String> {
    let mut names: FxHashMap<i32, (bool, String)> = FxHashMap::default();
    for thread in &profile.threads {
        let Some(pid) = thread.pid else { continue };
        let is_first = thread.tid.is_none_or(|tid| tid == pid);
        // Later names are those after an exec.
        if is_first || !names.contains_key(&pid) {
            names.insert(pid, (is_first, profile.strings[thread.name].to_owned()));
        }
    }
    names.into_iter().map(|(pid, (_, name))| (pid, name)).collect()
}

/// What the frames before a sample's stack are called.
fn names(
    profile: &Profile,
    processes: &FxHashMap<i32, String>,
    keys: &[String],
    (thread, labels): (Option<ThreadId>, Option<LabelSetId>),
) -> Vec<String> {
    let labels = labels.map_or_else(Vec::new, |set| texts(profile, profile.label_sets.get(set)));
    let thread = thread.and_then(|thread| profile.threads.get(thread));
    keys.iter()
        .map(|key| {
            let mut values: Vec<&str> = labels.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect();
            values.sort_unstable();
            values.dedup();
            let of_thread = || match key.as_str() {
                THREAD => thread.map(|thread| profile.strings[thread.name].to_owned()),
                PROCESS => thread.and_then(|thread| processes.get(&thread.pid?)).cloned(),
                _ => None,
            };
            let value = if values.is_empty() { of_thread() } else { Some(values.join(", ")) };
            value.map_or_else(|| format!("(no {key})"), |value| format!("{key}: {value}"))
        })
        .collect()
}

/// The value in the name of a group: `/cart` of `endpoint: /cart`. Names of functions have no word with a colon and a blank before them.
pub(super) fn value_of(name: &str) -> Option<&str> {
    let (key, value) = name.split_once(": ")?;
    let is_key = !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "_-./".contains(letter));
    (is_key && !value.is_empty()).then_some(value)
}

/// The value that a group's function stands for, by which patterns find it as well: in pprof it is the whole name.
pub(super) fn value_of_function<'a>(profile: &'a Profile, function: &Function) -> Option<&'a str> {
    let value = function.system_name.filter(|_| function.file.is_none()).map(|value| &profile.strings[value])?;
    (value_of(&profile.strings[function.name]) == Some(value)).then_some(value)
}

/// A frame of a function of that name, in no file and no module.
fn frame_named(profile: &mut Profile, name: &str) -> FrameId {
    // No other function has the end of its name as its name in a program.
    let value = value_of(name).map(|value| profile.strings.intern(value));
    let function = Function { name: profile.strings.intern(name), system_name: value, file: None, start_line: 0 };
    let known = profile.functions.iter_ids().find(|(_, known)| *known == function).map(|(id, _)| id);
    let function = known.or_else(|| profile.functions.push(function));
    let frame = Frame { function, ..Frame::default() };
    let known = profile.frames.iter_ids().find(|(_, known)| *known == frame).map(|(id, _)| id);
    known.or_else(|| profile.frames.push(frame)).unwrap_or(FrameId::FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Label, LabelValue, Sample, Thread, check};

    /// Two processes of two threads each, samples with and without an endpoint and a stack.
    fn capture() -> Profile {
        let mut builder = Builder::new([("samples", "count"), ("cpu", "nanoseconds")]);
        let threads: Vec<_> = [(1, 1, "web"), (1, 2, "pool-1"), (7, 7, "db"), (7, 9, "pool-1")]
            .into_iter()
            .map(|(pid, tid, name)| {
                let name = builder.string(name);
                builder.thread(Thread { pid: Some(pid), tid: Some(tid), name })
            })
            .collect();
        let (key, other) = (builder.string("endpoint"), builder.string("bytes"));
        let endpoints: Vec<_> = ["/cart", "/buy"]
            .into_iter()
            .map(|value| {
                let value = LabelValue::Text(builder.string(value));
                builder.rows.label_set(&[Label { key, value }, Label { key: other, value: LabelValue::Number(64, None) }])
            })
            .collect();
        let stacks: Vec<_> =
            ["main;serve;read", "main;serve;write", "start;loop", "thread: web"].map(|stack| builder.stack_named(stack)).into();
        for row in 0..40_usize {
            let sample = Sample {
                stack: stacks.get(row % 5).copied().flatten(),
                thread: threads.get(row % 5).copied(),
                labels: endpoints.get(row % 3).copied().flatten(),
                ..Sample::default()
            };
            builder.rows.sample(sample, &[1, row as i64 * 10]);
        }
        builder.finish()
    }

    /// A sample's stack, outermost first.
    fn stack(profile: &Profile, row: usize) -> Vec<String> {
        let mut names: Vec<String> = std::iter::successors(profile.samples.stacks()[row], |&at| profile.stacks.parent(at))
            .map(|at| profile.frame_name(profile.stacks.frame(at)))
            .collect();
        names.reverse();
        names
    }

    #[test]
    fn where_there_is_little_room_a_group_is_its_value() {
        use crate::analysis::names::short;
        let short = |name: &str| [30, 12, 7].map(|room| short(name, room));
        assert_eq!(short("endpoint: /api/v1/cart"), ["endpoint: /api/v1/cart", "/api/v1/cart", "/api/v…"]);
        assert_eq!(short("app.kubernetes.io/name: web")[1..], ["web", "web"]);
        assert_eq!(value_of("std::map<int, int>::at"), None);
        assert_eq!(value_of("(no endpoint)"), None);
    }

    #[test]
    fn stacks_begin_with_what_their_samples_say_and_stay_what_they_are() {
        let profile = capture();
        assert_eq!(keys(&profile), ["process", "thread", "bytes", "endpoint"]);
        for by in [&["thread"][..], &["endpoint"], &["process", "thread"], &["endpoint", "bytes", "process"], &["nothing"]] {
            let by: Vec<String> = by.iter().map(|key| (*key).to_owned()).collect();
            let groups = Groups { roots: by.clone(), leaves: by.iter().rev().cloned().collect() };
            let made = grouped(&profile, &groups, &Ticket::new()).unwrap();
            assert_eq!(check(&made), []);
            assert_eq!(made.samples.values(1), profile.samples.values(1));
            for row in 0..profile.samples.len() {
                let (old, new) = (stack(&profile, row), stack(&made, row));
                assert_eq!(new[by.len()..new.len() - by.len()], old);
                assert!(new.iter().take(by.len()).eq(new.iter().rev().take(by.len())));
                let labels = profile.samples.labels()[row].map_or_else(Vec::new, |set| texts(&profile, profile.label_sets.get(set)));
                for (key, name) in by.iter().zip(&new) {
                    let thread = profile.samples.threads()[row].map(|thread| profile.threads[thread]);
                    let value = match key.as_str() {
                        "thread" => thread.map(|thread| profile.strings[thread.name].to_owned()),
                        "process" => thread.map(|thread| if thread.pid == Some(1) { "web" } else { "db" }.to_owned()),
                        key => labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()),
                    };
                    assert_eq!(*name, value.map_or(format!("(no {key})"), |value| format!("{key}: {value}")));
                }
            }
            // Prefixes are rows once each, and no row is without a sample below it.
            let paths: std::collections::BTreeSet<Vec<String>> = (0..made.samples.len())
                .flat_map(|row| (1..=stack(&made, row).len()).map(move |end| (row, end)))
                .map(|(row, end)| stack(&made, row)[..end].to_vec())
                .collect();
            assert_eq!(made.stacks.len(), paths.len());
        }
        assert_eq!(grouped(&profile, &Groups::default(), &Ticket::new()).unwrap().samples.stacks().len(), profile.samples.len());
        let cancelled = Ticket::new();
        cancelled.cancel();
        assert!(grouped(&profile, &Groups { roots: vec!["thread".to_owned()], ..Groups::default() }, &cancelled).is_err());
    }
}
