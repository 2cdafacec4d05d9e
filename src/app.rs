//! app

pub mod load;
