//! Ranges of addresses, of which what was put last hides what it covers of the others.
//!
//! Code that a program makes while it runs, and files that it maps, come to lie where others lay before. Deliberately absent: when that was.
//! Start reading at [`Layers::put`].

use std::collections::BTreeMap;

/// Disjoint ranges with a value each.
#[derive(Clone, Debug)]
pub struct Layers<T> {
    /// End and value by start.
    ranges: BTreeMap<u64, (u64, T)>,
}

impl<T> Default for Layers<T> {
    fn default() -> Self {
        Self { ranges: BTreeMap::new() }
    }
}

impl<T: Copy> Layers<T> {
    /// Puts a value at the addresses from `start` up to `end`, over whatever is there. An empty range is nothing.
    pub fn put(&mut self, start: u64, end: u64, value: T) {
        if start >= end {
            return;
        }
        while let Some((&old, &(old_end, old_value))) = self.ranges.range(..end).next_back().filter(|(_, (old_end, _))| *old_end > start) {
            self.ranges.remove(&old);
            if old < start {
                self.ranges.insert(old, (start, old_value));
            }
            if old_end > end {
                self.ranges.insert(end, (old_end, old_value));
            }
        }
        self.ranges.insert(start, (end, value));
    }

    /// Start, end and value of what is there between two addresses.
    pub fn between(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64, T)> {
        let first = self.ranges.range(..start).next_back().filter(move |(_, (first_end, _))| *first_end > start && start < end);
        let others = self.ranges.range(start..end.max(start));
        first.into_iter().chain(others).map(move |(at, (to, value))| (*at.max(&start), *to.min(&end), *value))
    }

    /// The value at an address.
    pub fn at(&self, address: u64) -> Option<T> {
        let (_, (end, value)) = self.ranges.range(..=address).next_back()?;
        (address < *end).then_some(*value)
    }

    /// Start, end and value of each range, by address. What was covered in the middle is two ranges.
    pub fn into_ranges(self) -> impl Iterator<Item = (u64, u64, T)> {
        self.ranges.into_iter().map(|(start, (end, value))| (start, end, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the slowest way: the last one that covers the address.
    #[test]
    fn the_last_range_that_covers_an_address_has_it() {
        let (mut layers, mut history, mut state) = (Layers::default(), Vec::new(), 7_u64);
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for n in 0..500 {
            let start = random(1000);
            let end = start + random(100);
            layers.put(start, end, n);
            history.push(start..end);
            let address = random(1100);
            assert_eq!(layers.at(address), history.iter().rposition(|range| range.contains(&address)));
        }
        let ranges: Vec<_> = layers.clone().into_ranges().collect();
        assert!(ranges.iter().all(|(start, end, _)| start < end) && ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        let cut: Vec<_> = layers.between(100, 200).collect();
        let inside = |(start, end, value): &(u64, u64, usize)| Some((*start.max(&100), *end.min(&200), *value)).filter(|cut| cut.0 < cut.1);
        assert_eq!(cut, ranges.iter().filter_map(inside).collect::<Vec<_>>());
        assert_eq!(layers.between(200, 100).count(), 0);
        layers.put(5, u64::MAX, 0);
        assert_eq!((layers.at(u64::MAX - 1), layers.at(u64::MAX)), (Some(0), None));
    }
}
