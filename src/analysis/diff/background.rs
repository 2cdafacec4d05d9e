//! Work that a runtime does when it likes, whatever the program asks of it: garbage collection, sweeping, the scheduler, preemption, its own
//! profiler. From run to run it varies far more than its samples say, and its parts more than the whole: which of them does the work follows from
//! when a collection happens to begin and from which thread happens to be free. Start reading at [`nodes`], then [`variance`].

use crate::analysis::call_tree::CallTree;
use crate::analysis::place::{PlaceId, Places};
use crate::base::ticket::Checked as _;

/// Prefixes of decoded names of such work: here of garbage collection, in [`OTHERS`] of all else. Much of it stands below the program's own code, whichever
/// goroutine happens to be there when the collector or the scheduler wants something. Not here is what a program pays for what it does (`mallocgc`,
/// `memmove`, maps, locks, system calls).
const COLLECTORS: [&str; 45] = [
    // Go: marking.
    "runtime.gc",
    "runtime._GC",
    "runtime.markroot",
    "runtime.scan",
    "runtime.greyobject",
    "runtime.tryDeferToSpanScan",
    "runtime.wbBufFlush",
    "runtime.(*gc",
    "runtime.(*spanInlineMarkBits)",
    "runtime.(*spanQueue)",
    "runtime.(*localSpanQueue)",
    "runtime.(*mspan).moveInlineMarks",
    "runtime.(*mspan).mergeInlineMarks",
    // Go: sweeping, giving memory back.
    "runtime.bgsweep",
    "runtime.bgscavenge",
    "runtime.sweepone",
    "runtime.deductSweepCredit",
    "runtime.(*sweepLocked)",
    "runtime.(*mheap).freeSpan",
    "runtime.(*scavenge",
    "runtime.(*pageAlloc).scavenge",
    "runtime.runFinalizers",
    "runtime.runCleanups",
    // Java (HotSpot's native frames).
    "GCTaskThread::",
    "GangWorker::",
    "ConcurrentGCThread::",
    "ConcurrentMarkSweepThread::",
    "G1CMTask::",
    "G1CollectedHeap::do_collection",
    "G1Concurrent",
    "G1EvacuateRegions",
    "G1FullGC",
    "G1Par",
    "ParallelCompactData::",
    "PSParallelCompact",
    "PSPromotionManager::",
    "ShenandoahConcurrent",
    "ShenandoahControlThread::",
    "ZDriver",
    "ZMark::",
    "ZRelocate::",
    "ZWorker",
    // .NET.
    "SVR::gc_heap::",
    "WKS::gc_heap::",
    // V8.
    "(garbage collector)",
];

const OTHERS: [&str; 30] = [
    // Go: scheduling, preemption.
    "runtime.mcall",
    "runtime.mstart",
    "runtime.schedule",
    "runtime.findRunnable",
    "runtime.findrunnable",
    "runtime.sysmon",
    "runtime.asyncPreempt",
    "runtime.preempt",
    "runtime.gopreempt_m",
    "runtime.wakep",
    "runtime.startm",
    "runtime.stopm",
    "runtime.note",
    // Go: its own profiler.
    "runtime.sigprof",
    "runtime.sigtramp",
    "runtime.tracebackPCs",
    "runtime.(*profBuf)",
    // Linux: what interrupts whatever runs, and the switch to another thread: how often follows from what else the machine does.
    "asm_sysvec_",
    "sysvec_",
    "asm_common_interrupt",
    "common_interrupt",
    "irqentry_exit_to_user_mode",
    "finish_task_switch",
    // … on ARM.
    "el0_interrupt",
    "el1_interrupt",
    "el0t_64_irq",
    "el1h_64_irq",
    "el0_irq",
    "el1_irq",
    // V8.
    "(idle)",
];

/// How much more single functions of the background work vary than the whole of it, as a factor on the coefficient of variation: with 0.5 for the whole,
/// one function of two unchanged runs does up to some thirty times what it did. Measured on `sample-profiles/series`: parts of
/// Go 1.27's collector rise from 2 to 94 samples and preemption falls from 31 to 0 while the whole varies by a quarter.
const PARTS: f64 = 2.0;

fn is_one(roots: &[&str], name: &str) -> bool {
    roots.iter().any(|root| name.starts_with(root))
}

fn marked(places: &Places, is_such: impl Fn(&str) -> bool) -> Vec<bool> {
    places.iter_ids().checked().map(|(_, place)| is_such(&place.name)).collect()
}

/// True for what garbage collection runs as.
pub(crate) fn is_collector(name: &str) -> bool {
    is_one(&COLLECTORS, name)
}

/// Rows of the outermost nodes of garbage collection.
pub(crate) fn collectors(tree: &CallTree, places: &Places) -> Vec<usize> {
    let marked = marked(places, is_collector);
    if !marked.contains(&true) {
        return Vec::new();
    }
    let mut end = 0;
    let mut made = Vec::new();
    for (row, place) in tree.places().iter().enumerate().checked() {
        if row >= end && marked[place.row()] {
            end = tree.subtree_ends()[row] as usize;
            made.push(row);
        }
    }
    made
}

/// For each node: is it below the root of background work? Empty where there is none.
pub(crate) fn nodes(tree: &CallTree, places: &Places) -> Vec<bool> {
    let marked = marked(places, |name| is_collector(name) || is_one(&OTHERS, name));
    if !marked.contains(&true) {
        return Vec::new();
    }
    let mut nodes: Vec<bool> = Vec::with_capacity(tree.len());
    for (place, parent) in tree.places().iter().zip(tree.parents()).checked() {
        let above = parent.is_some_and(|parent| nodes[parent.row()]);
        nodes.push(above || marked[place.row()]);
    }
    nodes
}

/// Where Go's runtime interrupts whatever runs for too long. A processor that gets both signals at once counts the sample there instead of in the
/// code that ran, so its own cost is its caller's: how much of it there is follows from how timers happen to lie. Loops on a busy machine have half of
/// their samples there. See [`interrupts_doubt`].
const INTERRUPTS: &str = "runtime.asyncPreempt";

/// Also with a line, an address or the like behind the name, but not `runtime.asyncPreempt2`, which does work.
pub(crate) fn is_interrupt(name: &str) -> bool {
    name.strip_prefix(INTERRUPTS).is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
}

/// Rows of the nodes that only interrupt their callers.
pub(crate) fn interrupts(tree: &CallTree, places: &Places) -> Vec<usize> {
    let such: Vec<PlaceId> = places.iter_ids().checked().filter(|(_, place)| is_interrupt(&place.name)).map(|(id, _)| id).collect();
    if such.is_empty() {
        return Vec::new();
    }
    tree.places().iter().enumerate().checked().filter(|(_, place)| such.contains(place)).map(|(row, _)| row).collect()
}

/// What part of the cost of a function's interruptions is work of which nothing is known for sure, 0 to 1. Code that cannot be interrupted (assembly, the
/// runtime) passes its interruptions on to what comes next, so they are no fair sample of what ran; where the function has surely the same part of its events
/// there on both sides, both have that error alike, and what it has with its interruptions compares. `own` and `interrupted` are events of before and after.
pub(super) fn interrupts_doubt(own: [f64; 2], interrupted: [f64; 2]) -> f64 {
    let counts = [own[0], own[1], interrupted[0], interrupted[1]].map(|events| events + 0.5);
    let [own_before, own_after, before, after] = counts;
    let difference = (after / own_after / (before / own_before)).ln().abs();
    let error = counts.iter().map(|events| 1.0 / events).sum::<f64>().sqrt();
    // All of it once it may be twice as much on one side.
    (difference.hypot(error) / std::f64::consts::LN_2).min(1.0)
}

/// Variance of the logarithm of a group's cost in one run by background work: `noise` is the coefficient of variation of the whole of that
/// work, `part` how much of the group it is, `functions` the sum of the squared parts of its functions.
pub(super) fn variance(noise: f64, part: f64, functions: f64) -> f64 {
    (noise * part).powi(2) * (1.0 + PARTS * PARTS * functions)
}
