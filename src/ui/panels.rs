//! One panel a file; each is a function of the context that sends commands and owns nothing.

pub(crate) mod call_tree;
pub(crate) mod details;
pub(crate) mod flame;
pub(crate) mod hot_paths;
pub(crate) mod info;
pub(crate) mod regressions;
pub(crate) mod top;
pub(crate) mod welcome;
mod words;
