//! One panel a file; each is a function of the context that sends commands and owns nothing.

pub mod call_tree;
pub(crate) mod details;
pub(crate) mod flame;
pub(crate) mod hot_paths;
pub(crate) mod info;
pub(crate) mod regressions;
mod rows;
pub mod top;
pub(crate) mod welcome;
mod words;
