//! Tests of everything below the window: layers, formats, laws, the command line.

mod corpus;
mod laws;
mod layers;
mod naive;
