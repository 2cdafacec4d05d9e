//! Frames that belong to the profiler and not to the program: the patterns that pprof gives a profile of an older form.
//!
//! They are data, equal to those of pprof's reader (`profile/legacy_profile.go` of google/pprof, Apache-2.0), so that a profile shows
//! the same rows here and there and keeps them when it is written as protobuf. Deliberately absent: what is done with them.
//! Start reading at [`of`].

use crate::model::SampleType;

/// (frames to drop, frames to keep) for profiles of these sample types.
pub(super) fn of(types: &[SampleType]) -> (String, Option<String>) {
    let names: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
    match names.as_slice() {
        ["objects", "space"]
        | ["inuse_objects", "inuse_space"]
        | ["alloc_objects", "alloc_space"]
        | ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"] => (ALLOCATORS.join("|"), Some(RUNTIME_KEPT.join("|"))),
        ["contentions", "delay"] => (LOCKS.join("|"), None),
        _ => (HANDLERS.join("|"), None),
    }
}

/// Allocators of C, C++, macOS and Go.
const ALLOCATORS: &[&str] = &[
    "calloc",
    "cfree",
    "malloc",
    "free",
    "memalign",
    "do_memalign",
    "(__)?posix_memalign",
    "pvalloc",
    "valloc",
    "realloc",
    r"tcmalloc::.*",
    "tc_calloc",
    "tc_cfree",
    "tc_malloc",
    "tc_free",
    "tc_memalign",
    "tc_posix_memalign",
    "tc_pvalloc",
    "tc_valloc",
    "tc_realloc",
    "tc_new",
    "tc_delete",
    "tc_newarray",
    "tc_deletearray",
    "tc_new_nothrow",
    "tc_newarray_nothrow",
    "malloc_zone_malloc",
    "malloc_zone_calloc",
    "malloc_zone_valloc",
    "malloc_zone_realloc",
    "malloc_zone_memalign",
    "malloc_zone_free",
    r"runtime\..*",
    r"BaseArena::.*",
    "(::)?do_malloc_no_errno",
    "(::)?do_malloc_pages",
    "(::)?do_malloc",
    "DoSampledAllocation",
    "MallocedMemBlock::MallocedMemBlock",
    "_M_allocate",
    "__builtin_(vec_)?delete",
    "__builtin_(vec_)?new",
    "__gnu_cxx::new_allocator::allocate",
    "__libc_malloc",
    "__malloc_alloc_template::allocate",
    "allocate",
    "cpp_alloc",
    r"operator new(\[\])?",
    "simple_alloc::allocate",
];

/// Functions of Go's runtime that call the program and not the other way round.
const RUNTIME_KEPT: &[&str] = &[r"runtime\.panic", r"runtime\.reflectcall", r"runtime\.call[0-9]*"];

/// Signal handlers of CPU profilers.
const HANDLERS: &[&str] =
    &["ProfileData::Add", "ProfileData::prof_handler", "CpuProfiler::prof_handler", "__pthread_sighandler", "__restore"];

/// Locks that report who waited for them.
const LOCKS: &[&str] = &[
    "RecordLockProfileData",
    r"(base::)?RecordLockProfileData.*",
    r"(base::)?SubmitMutexProfileData.*",
    r"(base::)?SubmitSpinLockProfileData.*",
    r"(base::Mutex::)?AwaitCommon.*",
    r"(base::Mutex::)?Unlock.*",
    r"(base::Mutex::)?UnlockSlow.*",
    r"(base::Mutex::)?ReaderUnlock.*",
    r"(base::MutexLock::)?~MutexLock.*",
    r"(Mutex::)?AwaitCommon.*",
    r"(Mutex::)?Unlock.*",
    r"(Mutex::)?UnlockSlow.*",
    r"(Mutex::)?ReaderUnlock.*",
    r"(MutexLock::)?~MutexLock.*",
    r"(SpinLock::)?Unlock.*",
    r"(SpinLock::)?SlowUnlock.*",
    r"(SpinLockHolder::)?~SpinLockHolder.*",
];
