//! Events whose costs may be negative: Xdebug's `Memory` is what a function holds more at its end than at its start.
//!
//! All sums of the graph are of whole numbers, so such an event is two columns: what lines took, and what they gave back. What a call cost as a whole
//! cannot be told apart so; callers get their parts of both as they do of the first event that is never negative. Start reading at [`Event`].

use std::borrow::Cow;

use super::graph::{Call, Costs, Grouped};
use crate::base::ticket::Checked as _;
use crate::model::Unit;

/// The columns of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) taken: usize,
    pub(super) given_back: Option<usize>,
}

impl Event {
    /// What a row says of the event.
    pub(super) fn value(self, row: &[u64]) -> i128 {
        let cell = |column: usize| i128::from(row.get(column).copied().unwrap_or(0));
        cell(self.taken) - self.given_back.map_or(0, cell)
    }
}

/// For each column whether the file's sums of calls say how it is split.
pub(super) fn told(events: &[Event], columns: usize) -> Vec<bool> {
    let mut told = vec![true; columns];
    for event in events {
        for column in event.given_back.into_iter().chain(event.given_back.map(|_| event.taken)) {
            told.get_mut(column).into_iter().for_each(|told| *told = false);
        }
    }
    told
}

/// Costs up to which shares of a function's callers are kept as they are: sums over many functions still fit.
const MAX_EXACT: u128 = 1 << 50;

/// The costs of calls with those of negative events by the first event that is told: each function's callers ask for all that there is of an event, and
/// are given what the function has, in the proportion of what they asked for. Calls inside a group of functions that call each other ask for nothing.
pub(super) fn spread<'c>(
    costs: &'c Costs,
    lines: &Costs,
    events: &[Event],
    calls: &Grouped<Call>,
    is_inside: impl Fn(usize, &Call) -> bool,
) -> Cow<'c, Costs> {
    let told = told(events, costs.events());
    if told.iter().all(|&told| told) {
        return Cow::Borrowed(costs);
    }
    let reference = events.iter().find(|event| event.given_back.is_none()).map(|event| event.taken);
    let weight = |call: &Call| reference.and_then(|column| costs.row(call.costs).get(column).copied()).unwrap_or(1);
    // What each function's callers cost by the reference, and how many calls there are.
    let mut asked = vec![(0_u128, 0_u128); calls.groups()];
    for caller in (0..calls.groups()).checked() {
        for call in calls.of(caller).iter().filter(|call| !is_inside(caller, call)) {
            if let Some((sum, count)) = asked.get_mut(call.callee) {
                (*sum, *count) = (*sum + u128::from(weight(call)), *count + 1);
            }
        }
    }
    let mut all = vec![0_u128; costs.events()];
    for row in (0..lines.rows()).checked() {
        for (sum, &cost) in all.iter_mut().zip(lines.row(row)) {
            *sum += u128::from(cost);
        }
    }
    let mut spread = costs.clone();
    for caller in (0..calls.groups()).checked() {
        for call in calls.of(caller) {
            let (sum, count) = asked.get(call.callee).copied().unwrap_or_default();
            // Where no caller costs anything all get the same.
            let (part, whole) = if sum == 0 { (1, count) } else { (u128::from(weight(call)), sum) };
            for (column, cell) in spread.row_mut(call.costs).iter_mut().enumerate().filter(|(column, _)| told.get(*column) == Some(&false))
            {
                let all = all.get(column).copied().unwrap_or(0);
                let share = if is_inside(caller, call) {
                    0
                } else if whole.saturating_mul(all) <= MAX_EXACT {
                    part * all
                } else {
                    part.saturating_mul(all).div_ceil(whole.max(1))
                };
                *cell = u64::try_from(share).unwrap_or(u64::MAX);
            }
        }
    }
    Cow::Owned(spread)
}

/// Name, unit and factor of an event as it is named in a file: `Time_(10ns)` and `Memory_(bytes)` of Xdebug, `cpu(ms)` of pprof's `-callgrind`. Anything
/// else is a name, and counted.
pub(super) fn unit(text: &str) -> (&str, &'static str, u64) {
    let whole = (text, "count", 1);
    let Some((name, unit)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) else { return whole };
    let name = name.strip_suffix('_').unwrap_or(name);
    let digits = unit.bytes().take_while(u8::is_ascii_digit).count();
    let Some((number, unit)) = unit.split_at_checked(digits).filter(|(_, unit)| !unit.is_empty() && !name.is_empty()) else { return whole };
    let number: f64 = if number.is_empty() { 1.0 } else { number.parse().unwrap_or(0.0) };
    let (unit, factor) = match Unit::parse(unit) {
        Unit::Time(nanos) => ("nanoseconds", nanos * number),
        Unit::Memory(bytes) => ("bytes", bytes * number),
        Unit::Count => ("count", number),
        Unit::Other(_) => return whole,
    };
    if (1.0..1e15).contains(&factor) { (name, unit, factor as u64) } else { whole }
}
