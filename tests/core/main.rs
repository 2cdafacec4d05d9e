//! Tests of everything below the window: layers, formats, laws, the command line.

mod corpus;
mod corpus_pprof;
mod laws;
mod layers;
mod naive;
