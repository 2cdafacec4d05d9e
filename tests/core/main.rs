//! Tests of everything below the window: layers, formats, laws, the command line.

mod bad_pprof;
mod cli;
mod corpus;
mod corpus_perf_data;
mod corpus_pprof;
mod laws;
mod layers;
mod naive;
