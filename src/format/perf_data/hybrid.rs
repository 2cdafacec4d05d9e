//! Machines with two kinds of cores: `cpu_core/cycles/` and `cpu_atom/cycles/` are one event counted by two units.
//!
//! Each stays a sample type of its own; a further one holds the values of both, since every event is counted by exactly one of them: by that of
//! the core on which it happened. Deliberately absent: a weighting of the cores against each other. Start reading at [`join`].

use crate::model::Builder;

/// Adds the joined sample types, and shows one first where a part of it was.
pub(super) fn join(builder: &mut Builder) {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (column, kind) in builder.sample_types.iter().enumerate() {
        let Some((_, event)) = parts(&kind.name) else { continue };
        match groups.iter_mut().find(|(name, of)| *name == event && of.first().is_some_and(|&at| same_unit(builder, at, column))) {
            Some((_, columns)) => columns.push(column),
            None => groups.push((event, vec![column])),
        }
    }
    for (event, columns) in groups.into_iter().filter(|(_, columns)| columns.len() > 1) {
        let kinds = || columns.iter().filter_map(|&column| builder.sample_types.get(column));
        let units: Vec<&str> = kinds().filter_map(|kind| parts(&kind.name)).map(|(unit, _)| unit).collect();
        let Some(unit) = kinds().next().map(|kind| kind.unit.clone()) else { continue };
        let name = format!("{event} ({})", units.join(" + "));
        let joined = builder.add_sum(&name, &unit, &columns);
        if columns.contains(&builder.default_sample_type) {
            builder.default_sample_type = joined;
        }
    }
}

fn same_unit(builder: &Builder, a: usize, b: usize) -> bool {
    builder.sample_types.get(a).map(|kind| &kind.unit) == builder.sample_types.get(b).map(|kind| &kind.unit)
}

/// The measuring unit of the cores and the event with its modifiers: `cpu_core`, `cycles:u` of `cpu_core/cycles/u`.
fn parts(name: &str) -> Option<(&str, String)> {
    let (unit, rest) = name.split_once('/')?;
    let (event, modifiers) = rest.rsplit_once('/')?;
    // Intel's names; Arm's are `armv8_cortex_a55`, `armv9_cortex_x4` and the like.
    let is_core = unit.starts_with("cpu_") || (unit.starts_with("armv") && unit.contains("cortex"));
    // A raw number means another event on another unit.
    let is_common = !event.is_empty() && !event.contains("config=") && !event.contains("event=");
    let modifiers = modifiers.trim_start_matches(':');
    (is_core && is_common).then(|| (unit, if modifiers.is_empty() { event.to_owned() } else { format!("{event}:{modifiers}") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Sample, check};

    #[test]
    fn the_same_event_on_two_kinds_of_cores_gets_a_joined_type() {
        let mut builder = Builder::new([
            ("cpu_atom/cycles/P", "count"),
            ("cpu_core/cycles/P", "count"),
            ("cpu_core/instructions/", "count"),
            ("cpu_core/config=0x3c/", "count"),
            ("cpu_atom/config=0x3c/", "count"),
            ("page-faults", "count"),
        ]);
        for (column, value) in [(0, 5), (1, 7), (2, 11), (1, 0)] {
            builder.rows.event(Sample::default(), column, value);
        }
        join(&mut builder);
        let profile = builder.finish();
        assert_eq!(check(&profile), []);
        let joined = &profile.sample_types[profile.default_sample_type];
        assert_eq!((profile.sample_types.len(), joined.name.as_str(), joined.records), (7, "cycles:P (cpu_atom + cpu_core)", 3));
        assert_eq!(profile.samples.values(6), [5, 7, 0, 0]);
    }
}
