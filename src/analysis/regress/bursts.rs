//! Single runs: changes, or functions that come in bursts?
//!
//! A function's cost in one run may be far from its mean for no reason that a profile shows, and one capture a side does not say which functions do so.
//! Bursts are of single functions, wherever they are called from; so what changed on one path alone, or with many functions at once, is none. What looks
//! like a burst is held against the bulk of the functions and against how many others do. Start reading at [`could_be_burst`].

use super::Finding;
use super::groups::Groups;
use super::search::{Found, Search};
use crate::analysis::diff::ground::Sums;
use crate::analysis::diff::noise::Model;
use crate::analysis::diff::{Diff, Table};
use crate::analysis::place::PlaceId;
use crate::analysis::stats::bulk::{Cell, burst_evidence};

/// Logarithm of the likelihood ratio from which on single runs are taken as bursty. Measured (rows R3, R7 and R10 of the bench): at 3 another fiftieth of
/// the pairs that do come in bursts would alarm, and of five changes one in two hundred fewer would wait for confirmation.
const BURSTY: f64 = 2.5;
/// Fewer functions than this are no bulk: they do not tell calm ones from bursty ones (nor prove the absence of noise, see `stats::bulk::dispersion`).
const BULK: usize = 30;
/// A group is mostly one function where the squares of its functions' parts add up to more than this.
const ALONE: f64 = 0.5;
/// A function with at least as many events on one side, and none on the other, came or went.
const ONE_SIDED: f64 = 100.0;
/// With more findings than this that could be bursts, in both directions, one capture a side cannot tell them from changes.
const RESTLESS: usize = 5;
/// Standard deviations by which a function's other paths stayed behind one that changed …
const BEHIND: f64 = 3.0;
/// … where they are known to this variance of ln(after / before).
const KNOWN: f64 = 1.0;
/// The logarithm of the number of places that a change could have been at counts up to this (1,800 of them): programs of a thousand functions have no more
/// changes to choose from than those of two hundred. Measured (`--shapes` of the bench): with all places a tenth of five changes among 600 functions
/// would wait for confirmation, beside functions that are calm.
const PLACES: f64 = 7.5;

/// True for a function that one side has not at all and the other in many events: however much it varies, it would have been there.
pub(super) fn is_one_sided(totals: &Table, place: PlaceId, events: [f64; 2]) -> bool {
    let has = |side: usize| totals.raw[side].get(place.row()).is_some_and(|value| *value != 0.0);
    has(0) != has(1) && events[0].max(events[1]) >= ONE_SIDED
}

/// True for an explanation that is mostly one function, everywhere: neither on one side alone, nor on one path beside others that stayed as they were.
pub(super) fn could_be_burst(search: &Search<'_>, model: &Model, diff: &Diff, found: &Found) -> bool {
    let Search { comparison, base, spec, .. } = search;
    let scope = found.group.scope;
    if found.group.detail(comparison, base, spec).mix.functions <= ALONE || is_one_sided(&diff.total, scope.place, found.sums.events) {
        return false;
    }
    let elsewhere = || -> Option<Cell> {
        scope.node?;
        let mut rest = *base.places[scope.measure as usize].get(scope.place.row())?;
        rest.replace(&found.sums, &Sums::default());
        model.cell(&rest).filter(|rest| rest.variance < KNOWN)
    };
    let stayed = |here: Cell| {
        elsewhere().is_some_and(|rest| (here.effect - rest.effect).powi(2) > BEHIND * BEHIND * (here.variance + rest.variance))
    };
    !model.cell(&found.sums).is_some_and(stayed)
}

/// True where functions that come in bursts are likelier than the explanations among `apart` that could be, see [`burst_evidence`]. Repeats tell.
pub(super) fn are_likelier<'a>(model: &Model, apart: impl Iterator<Item = &'a Found>, groups: &Groups) -> bool {
    if model.has_runs() || model.bulk().len() < BULK {
        return false;
    }
    let apart: Vec<Cell> = apart.filter_map(|found| model.cell(&found.sums)).collect();
    burst_evidence(model.bulk(), &apart, (groups.rows.len().max(1) as f64).ln().min(PLACES)) > BURSTY
}

/// True where so many of the findings that could be bursts rise, and so many fall, that they may as well be some. Repeats tell, and so do blocks of time.
pub(super) fn are_too_many<'a>(model: &Model, findings: impl Iterator<Item = &'a Finding>) -> bool {
    let rises: Vec<bool> = findings.map(|finding| finding.delta_of_total > 0.0).collect();
    let (moving, rising) = (rises.len(), rises.iter().filter(|rises| **rises).count());
    model.repeats.is_none() && moving > RESTLESS && rising.min(moving - rising) * 5 >= moving
}
