//! How much of a sample type each thread and each value of a label holds: what the menus that choose samples say beside their rows.
//!
//! Each list is added up without its own condition, so a thread that is not chosen still says what it would bring. Start reading at
//! [`facets`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::comparison::SideInput;
use super::filter::{Chosen, Filter, texts, thread_label};
use super::transform::by_names;
use crate::base::ticket::{Cancelled, Checked as _, Ticket};
use crate::model::Profile;

/// One row of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Facet {
    /// The thread or the label's value; empty = samples without the label.
    pub name: String,
    /// Part of 1 of everything that each side recorded, before first.
    pub shares: Vec<f64>,
}

/// Threads and labels, those with the largest parts first, then by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facets {
    /// Threads by display name.
    pub threads: Vec<Facet>,
    /// Labels by key, with their values.
    pub labels: Vec<(String, Vec<Facet>)>,
}

/// Sums by name, one entry a side.
type Sums = BTreeMap<String, Vec<f64>>;

/// Adds up the captures of some sides for a sample type; a capture that lacks it or its side's part adds nothing.
///
/// # Errors
/// Where the ticket was cancelled.
pub fn facets(
    captures: &[Arc<Profile>],
    sides: &[SideInput],
    (name, unit): (&str, &str),
    filter: &Filter,
    ticket: &Ticket,
) -> Result<Facets, Cancelled> {
    let (mut threads, mut labels) = (Sums::new(), BTreeMap::<String, Sums>::new());
    let mut whole = vec![0.0; sides.len()];
    let without_labels = Filter { labels: Vec::new(), tag_focus: Vec::new(), tag_ignore: Vec::new(), ..filter.clone() };
    let free = [Filter { threads: Vec::new(), ..filter.clone() }, without_labels];
    for (at, side) in sides.iter().enumerate() {
        for profile in side.captures.iter().filter_map(|&row| captures.get(row)) {
            let (Some(column), Ok(of_part)) = (profile.comparable_column(name, unit), side.part.filter(profile)) else { continue };
            let of_part = Filter { all_frames: filter.all_frames, ..of_part };
            let transformed = by_names(profile, filter);
            let left = transformed.as_ref().and_then(|transformed| transformed.samples.as_deref());
            let [by_thread, by_label] = free.each_ref().map(|filter| Chosen::new(profile, &[filter, &of_part]).of_stacks(left));
            let part = Chosen::new(profile, &[&of_part]);
            let samples = &profile.samples;
            let mut of_threads = vec![0.0; profile.threads.len()];
            // The last one is that of samples without labels.
            let mut of_sets = vec![0.0; profile.label_sets.len() + 1];
            let kind = profile.sample_types.get(column);
            let per = kind.and_then(|kind| kind.steps(unit, kind.decimals)).unwrap_or(1) as f64;
            for (row, &value) in samples.values(column).iter().enumerate() {
                if row % (1 << 16) == 0 {
                    ticket.check()?;
                }
                if value == 0 || !part.has(row) {
                    continue;
                }
                let value = kind.map_or(value as f64, |kind| kind.in_unit(value as f64)) * per;
                if let Some(sum) = whole.get_mut(at) {
                    *sum += value.abs();
                }
                let thread = samples.threads().get(row).copied().flatten();
                if let Some(sum) = thread.and_then(|thread| of_threads.get_mut(thread.row())).filter(|_| by_thread.has(row)) {
                    *sum += value;
                }
                let set = samples.labels().get(row).copied().flatten().map_or(profile.label_sets.len(), crate::model::LabelSetId::row);
                if let Some(sum) = of_sets.get_mut(set).filter(|_| by_label.has(row)) {
                    *sum += value;
                }
            }
            for (id, sum) in profile.threads.ids().zip(of_threads) {
                add(&mut threads, thread_label(profile, id), at, sides.len(), sum);
            }
            add_labels(&mut labels, profile, &of_sets, (at, sides.len()));
        }
    }
    let rows = |sums: Sums| {
        let share = |(at, sum): (usize, f64)| whole.get(at).filter(|&&whole| whole > 0.0).map_or(0.0, |whole| sum / whole);
        let row = |(name, sums): (String, Vec<f64>)| Facet { name, shares: sums.into_iter().enumerate().map(share).collect() };
        let mut rows: Vec<Facet> = sums.into_iter().map(row).collect();
        let size = |row: &Facet| row.shares.iter().map(|share| share.abs()).fold(0.0, f64::max);
        // They are in name order, which decides between equals.
        rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
        rows
    };
    Ok(Facets { threads: rows(threads), labels: labels.into_iter().map(|(key, sums)| (key, rows(sums))).collect() })
}

fn add(sums: &mut Sums, name: String, at: usize, sides: usize, value: f64) {
    if let Some(sum) = sums.entry(name).or_insert_with(|| vec![0.0; sides]).get_mut(at) {
        *sum += value;
    }
}

/// Adds the sums of a capture's label sets to the values of their labels; what a key is not in belongs to the empty value.
fn add_labels(labels: &mut BTreeMap<String, Sums>, profile: &Profile, of_sets: &[f64], (at, sides): (usize, usize)) {
    let all: f64 = of_sets.iter().sum();
    let mut with: BTreeMap<String, f64> = BTreeMap::new();
    for (set, &sum) in profile.label_sets.iter().zip(of_sets).checked() {
        let mut pairs = texts(profile, set);
        // A key may stand in a set several times, also with one value.
        pairs.sort_unstable();
        pairs.dedup();
        let mut last: Option<String> = None;
        for (key, value) in pairs {
            if last.as_ref() != Some(&key) {
                *with.entry(key.clone()).or_default() += sum;
                last = Some(key.clone());
            }
            add(labels.entry(key).or_default(), value, at, sides, sum);
        }
    }
    for (key, with) in with {
        // Sums of fractions leave a rest where there is none.
        let rest = all - with;
        let rest = if rest.abs() <= all.abs() * 1e-12 { 0.0 } else { rest };
        add(labels.entry(key).or_default(), String::new(), at, sides, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Label, LabelValue, Sample, Thread};

    /// Samples of (thread, endpoint, value).
    fn capture(rows: &[(&str, &str, i64)]) -> Arc<Profile> {
        let mut builder = Builder::new([("cpu", "nanoseconds")]);
        let key = builder.string("endpoint");
        for &(thread, endpoint, value) in rows {
            let name = builder.string(thread);
            let thread = Some(builder.thread(Thread { name, pid: None, tid: None }));
            let labels = (!endpoint.is_empty()).then(|| {
                let value = LabelValue::Text(builder.string(endpoint));
                builder.rows.label_set(&[Label { key, value }])
            });
            builder.rows.sample(Sample { thread, labels: labels.flatten(), ..Sample::default() }, &[value]);
        }
        Arc::new(builder.finish())
    }

    fn text(captures: &[Arc<Profile>], filter: &Filter) -> String {
        let sides: Vec<SideInput> = (0..captures.len()).map(|row| SideInput::whole([row])).collect();
        let made = facets(captures, &sides, ("cpu", "nanoseconds"), filter, &Ticket::new()).unwrap();
        let row = |row: &Facet| {
            let shares: Vec<String> = row.shares.iter().map(|share| format!("{:.0}", share * 100.0)).collect();
            format!("{}={}", row.name, shares.join("|"))
        };
        let rows = |rows: &[Facet]| rows.iter().map(row).collect::<Vec<_>>().join(" ");
        let labels = made.labels.iter().map(|(key, values)| format!("; {key}: {}", rows(values)));
        rows(&made.threads) + &labels.collect::<String>()
    }

    #[test]
    fn each_row_says_what_part_of_its_side_it_holds() {
        let before = capture(&[("a", "/x", 30), ("b", "/y", 60), ("b", "", 10)]);
        let after = capture(&[("b", "/x", 50), ("c", "/x", 50)]);
        assert_eq!(text(std::slice::from_ref(&before), &Filter::default()), "b=70 a=30; endpoint: /y=60 /x=30 =10");
        assert_eq!(text(&[before, after], &Filter::default()), "b=70|50 c=0|50 a=30|0; endpoint: /x=30|100 /y=60|0 =10|0");
    }

    #[test]
    fn a_list_is_not_narrowed_by_what_is_chosen_in_it() {
        let captures = [capture(&[("a", "/x", 30), ("b", "/y", 60), ("b", "", 10)])];
        let filter = Filter { threads: vec!["b".to_owned()], ..Filter::default() };
        assert_eq!(text(&captures, &filter), "b=70 a=30; endpoint: /y=60 =10 /x=0");
        let filter = Filter { labels: vec![("endpoint".to_owned(), "/x".to_owned())], ..Filter::default() };
        assert_eq!(text(&captures, &filter), "a=30 b=0; endpoint: /y=60 /x=30 =10");
    }
}
