//! From paths and options to profiles and comparisons: what all subcommands do first.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use super::args::View;
use super::progress::with_progress;
use super::{Failure, output};
use crate::analysis::comparison::{CompareError, Shape, common_sample_types};
use crate::analysis::group;
use crate::analysis::part::threads_of;
use crate::analysis::unmatched::{drops_all, unmatched};
use crate::analysis::{Comparison, Direction, Filter, Naming, Normalization, Part, SideInput, compare};
use crate::app::load::{LoadError, LoadOptions, load};
use crate::base::ticket::Cancelled;
use crate::model::{Profile, base_name};

/// Reads one capture, grouped as the user asked for.
pub(super) fn capture(path: &Path, options: &LoadOptions, view: &View) -> Result<Arc<Profile>, Failure> {
    let capture = load_capture(path, options)?;
    Ok(grouped(std::slice::from_ref(&capture), view)?.pop().unwrap_or(capture))
}

/// Reads captures, grouped as the user asked for; of several errors the first path's is given.
pub(super) fn captures(paths: &[&Path], options: &LoadOptions, view: &View) -> Result<Vec<Arc<Profile>>, Failure> {
    grouped(&captures_alone(paths, options)?, view)
}

/// Captures whose stacks begin and end with what the user groups by; an error where no capture has such a key.
pub(super) fn grouped(captures: &[Arc<Profile>], view: &View) -> Result<Vec<Arc<Profile>>, Failure> {
    let groups = view.filter().groups();
    if groups.is_empty() {
        return Ok(captures.to_vec());
    }
    let known: BTreeSet<String> = captures.iter().flat_map(|capture| group::keys(capture)).collect();
    if let Some(key) = groups.roots.iter().chain(&groups.leaves).find(|key| !known.contains(*key)) {
        let known: Vec<String> = known.into_iter().collect();
        let known =
            if known.is_empty() { "samples have neither threads nor labels".to_owned() } else { format!("there are {}", known.join(", ")) };
        return Err(Failure::Failed(format!("no sample has a {key} to group by; {known}")));
    }
    let grouped = |capture: &Arc<Profile>| with_progress("grouping", |ticket| group::grouped(capture, &groups, ticket)).map(Arc::new);
    captures.iter().map(grouped).collect::<Result<_, _>>().map_err(|_cancelled: Cancelled| Failure::Cancelled)
}

/// Reads captures as they are, as many side by side as there are processors; of several errors the first path's is given.
pub(super) fn captures_alone(paths: &[&Path], options: &LoadOptions) -> Result<Vec<Arc<Profile>>, Failure> {
    let together = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut read = Vec::with_capacity(paths.len());
    for paths in paths.chunks(together) {
        // Not on threads of the pool, which readers give work to and wait for.
        let done: Vec<Result<Arc<Profile>, Failure>> = std::thread::scope(|scope| {
            let threads: Vec<_> = paths.iter().map(|path| scope.spawn(|| Ok(load_capture(path, options)?))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        for capture in done {
            read.push(capture?);
        }
    }
    Ok(read)
}

/// Reads one capture; the error says which captures an archive holds.
pub(super) fn load_capture(path: &Path, options: &LoadOptions) -> Result<Arc<Profile>, LoadError> {
    let name = path.to_string_lossy();
    with_progress(base_name(&name), |ticket| load(path, options, ticket)).map(Arc::new)
}

/// Weighs the sides over one tree by what the user asked for, `names` are the captures' paths; without a normalisation the one that fits the sample type is taken.
pub(super) fn comparison(
    captures: &[Arc<Profile>],
    names: &[&str],
    sides: &[SideInput],
    view: &View,
    naming: &Naming,
    normalization: Option<Normalization>,
) -> Result<Weighed, Failure> {
    let (name, unit) = sample_type(captures, names, view.sample_type.as_deref())?;
    let filter = filter(captures, view)?;
    let parts = sides.iter().flat_map(|side| side.captures.iter().filter_map(|&row| Some((captures.get(row)?.as_ref(), &side.part))));
    let normalization = normalization.unwrap_or_else(|| Normalization::fitting_parts(&name, parts));
    let comparison = with_progress("analysing", |ticket| {
        let shape = Shape::build_matched(captures, sides, naming, view.by(), Direction::TopDown, &filter, ticket)?;
        compare(Arc::new(shape), captures, sides, (&name, &unit), &filter, normalization, ticket)
    });
    let comparison = comparison.map_err(|error| match error {
        CompareError::Cancelled => Failure::Cancelled,
        error => Failure::Failed(error.to_string()),
    })?;
    finds_something(captures, &filter, Some(&comparison.shape))?;
    Ok(Weighed { decimals: comparison.decimals, comparison })
}

/// The user's filter with the labels of threads that captures know.
pub(super) fn filter(captures: &[Arc<Profile>], view: &View) -> Result<Filter, Failure> {
    let filter = view.filter();
    labels(captures, &filter.labels)?;
    Ok(Filter { threads: threads(captures, &view.thread)?, ..filter })
}

/// The same for what is written without a tree.
pub(super) fn checked_filter(captures: &[Arc<Profile>], view: &View) -> Result<Filter, Failure> {
    let filter = filter(captures, view)?;
    finds_something(captures, &filter, None)?;
    Ok(filter)
}

/// What of a filter matches nothing is said, as pprof does. Where no sample is left, that is an error, as with grep: an empty table looks like an answer.
fn finds_something(captures: &[Arc<Profile>], filter: &Filter, shape: Option<&Shape>) -> Result<(), Failure> {
    let unmatched = unmatched(filter, captures, shape);
    if drops_all(filter, captures, shape) {
        let why = if unmatched.is_empty() { filter.options() } else { unmatched };
        return Err(Failure::Failed(format!("no sample passes the filters, so there is nothing to show\n{}", why.join("\n"))));
    }
    for text in &unmatched {
        output::say(text);
    }
    Ok(())
}

/// A comparison and how its integers are read.
pub(super) struct Weighed {
    pub(super) comparison: Comparison,
    /// Decimals of the stored integers.
    pub(super) decimals: u8,
}

/// The capture alone, by what the user asked for.
pub(super) fn single(capture: &Arc<Profile>, view: &View) -> Result<Weighed, Failure> {
    comparison(&[Arc::clone(capture)], &[], &[SideInput::whole([0])], view, &Naming::default(), Some(Normalization::Share))
}

/// The sample type of that name, or the first capture's default; all captures must have it.
pub(super) fn sample_type(captures: &[Arc<Profile>], names: &[&str], wanted: Option<&str>) -> Result<(String, String), Failure> {
    let Some(first) = captures.first() else { return Err(Failure::Usage("no capture was given".to_owned())) };
    let common = common_sample_types(captures);
    let list = |types: &mut dyn Iterator<Item = String>| match types.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    };
    let own = |profile: &Profile| list(&mut profile.sample_types.iter().map(|kind| format!("{}/{}", kind.name, kind.unit)));
    let row = match wanted {
        Some(name) => captures.iter().find_map(|profile| profile.find_sample_type(name).map(|row| (profile, row))).ok_or_else(|| {
            Failure::Failed(format!(
                "there is no sample type {name}; there are {}",
                list(&mut common.iter().map(|(name, unit)| format!("{name}/{unit}")))
            ))
        })?,
        None => (first, first.default_sample_type),
    };
    let Some(kind) = row.0.sample_types.get(row.1) else {
        return Err(Failure::Failed("the capture has no sample type, so there is nothing to show".to_owned()));
    };
    let chosen = (kind.name.clone(), kind.unit.clone());
    if let Some(known) =
        common.iter().find(|known| **known == chosen).or_else(|| common.iter().find(|known| kind.compares_with(&known.0, &known.1)))
    {
        return Ok(known.clone());
    }
    if wanted.is_none()
        && let Some(other) = common.last()
    {
        return Ok(other.clone());
    }
    let name = |at: usize| names.get(at).map_or_else(|| format!("capture {}", at + 1), |name| (*name).to_owned());
    let each: Vec<String> = captures.iter().enumerate().map(|(at, profile)| format!("{} has {}", name(at), own(profile))).collect();
    Err(Failure::Failed(format!("{}/{} is not in all captures:\n{}", chosen.0, chosen.1, each.join("\n"))))
}

/// Labels that the user named have to be in a capture: a typing error would leave nothing, as if nothing had been sampled.
fn labels(captures: &[Arc<Profile>], wanted: &[(String, String)]) -> Result<(), Failure> {
    for label in wanted {
        let part = Part { labels: vec![label.clone()], ..Part::WHOLE };
        in_any(captures, |profile| part.filter(profile))?;
    }
    Ok(())
}

/// The threads that the user named by name, number or full label, as labels of
/// [`thread_label`](crate::analysis::filter::thread_label).
pub(super) fn threads(captures: &[Arc<Profile>], wanted: &[String]) -> Result<Vec<String>, Failure> {
    let mut labels = Vec::new();
    for name in wanted {
        let found = in_any(captures, |profile| threads_of(profile, std::slice::from_ref(name)))?;
        labels.extend(found.into_iter().flatten());
    }
    Ok(labels)
}

/// What the captures have of something, of which one side alone is a choice too: an error only where no capture has it.
fn in_any<T>(captures: &[Arc<Profile>], find: impl Fn(&Profile) -> Result<T, String>) -> Result<Vec<T>, Failure> {
    let (mut found, mut why) = (Vec::new(), None);
    for profile in captures {
        match find(profile) {
            Ok(one) => found.push(one),
            Err(error) => why = why.or(Some(error)),
        }
    }
    if found.is_empty() { Err(Failure::Failed(why.unwrap_or_else(|| "no capture was given".to_owned()))) } else { Ok(found) }
}
