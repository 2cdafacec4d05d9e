//! What jobs deliver. Users cannot issue events and scripts cannot fake them.

use std::path::PathBuf;
use std::sync::Arc;

use super::derived::{Key, Value};
use super::load::{LoadError, OnDisk};
use super::view::CaptureId;
use crate::model::Profile;

/// The end of one job.
#[derive(Debug)]
pub enum Event {
    /// A capture was read, or could not be.
    Loaded(CaptureId, OnDisk, Result<Arc<Profile>, LoadError>),
    /// Symbols of a capture were looked up; `None` = cancelled.
    Symbolized(CaptureId, Option<Arc<Profile>>),
    /// A derived result, or why there is none.
    Derived(Box<Key>, Result<Value, String>),
    /// A file was written, and what is in it, or could not be.
    Exported(PathBuf, Result<&'static str, String>),
    /// The sample pair stands on the disk: before, after; or why it does not.
    Samples(Result<[PathBuf; 2], String>),
    /// A job panicked.
    Panicked(String),
}
