//! Tests of everything below the window: layers, formats, laws, the command line.

mod app;
mod bad_perf_data;
mod bad_pprof;
mod bad_text;
mod cli;
mod cli_diff;
mod corpus;
mod corpus_perf_data;
mod corpus_pprof;
mod corpus_symbols;
mod corpus_text;
mod formats;
mod laws;
mod layers;
mod naive;
mod regressions;
mod samples;
mod tables;
