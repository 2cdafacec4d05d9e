//! Tests of everything below the window: layers, formats, laws, the command line.

#![expect(clippy::print_stdout, reason = "tests say what they skipped and what they compared")]
#![expect(clippy::unwrap_used, reason = "a helper of a test panics like the test itself")]
#![expect(clippy::let_underscore_must_use, clippy::format_collect, clippy::needless_pass_by_value, reason = "no test is slow for these")]

mod app;
mod bad_all;
mod bad_perf_data;
mod bad_pprof;
mod bad_text;
mod builds;
mod bursts;
mod cancel;
mod census;
mod cli;
mod cli_archives;
mod cli_diff;
mod corpus;
mod corpus_aa;
mod corpus_claims;
mod corpus_comparable;
mod corpus_diff;
mod corpus_go_text;
mod corpus_neighbours;
mod corpus_perf_data;
mod corpus_pprof;
mod corpus_symbols;
mod corpus_text;
mod cpp_names;
mod debug_files;
mod debuginfod;
mod dialects;
mod formats;
mod go_pprof;
mod go_symbols;
#[path = "../bench/cancel/inputs.rs"]
mod inputs;
mod invariance;
mod java;
mod kernel_files;
mod laws;
mod layers;
mod list;
mod naive;
mod noise;
mod parts;
mod peek;
mod perf_diff;
mod pprof_rules;
mod regressions;
mod review;
mod samples;
mod sandwich;
mod series;
mod structure;
mod tables;
mod transforms;
mod traps;
mod units;
mod unwind;
mod wording;
mod words_of_diff;
