//! Things that a panel would make again in every frame, kept while what they are made of stays the same.
//!
//! They live in egui's memory: nobody misses them after a restart. A key is made of the addresses of the shared results that a thing
//! depends on; those results are kept with it, so that an address cannot come to mean another result.

use std::any::Any;
use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;

use egui::{Id, Ui};
use rustc_hash::FxBuildHasher;

use super::cx::Cx;
use crate::analysis::NodeId;
use crate::analysis::comparison::Comparison;
use crate::base::discard::discard;

/// A thing and what it was made of.
pub(crate) struct Kept<T> {
    thing: Arc<T>,
    sources: Arc<dyn Any + Send + Sync>,
}

impl<T> Kept<T> {
    /// `sources` are the shared results whose addresses are in the key.
    pub(crate) fn new(thing: T, sources: impl Any + Send + Sync) -> Self {
        Self { thing: Arc::new(thing), sources: Arc::new(sources) }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { thing: Arc::clone(&self.thing), sources: Arc::clone(&self.sources) }
    }
}

/// One number for everything that a thing depends on.
pub(crate) fn key(parts: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(parts)
}

/// The thing under `name`, made anew when `key` is another one than last time.
pub(crate) fn keep<T: Send + Sync + 'static>(ui: &Ui, name: &str, key: u64, make: impl FnOnce() -> Kept<T>) -> Arc<T> {
    let id = Id::unique(("kept", name));
    let known = ui.data(|data| data.get_temp::<(u64, Kept<T>)>(id));
    if let Some((_, kept)) = known.as_ref().filter(|(known, _)| *known == key) {
        return Arc::clone(&kept.thing);
    }
    let made = make();
    ui.data_mut(|data| data.insert_temp(id, (key, made.clone())));
    // Its sources may be the last share of a capture that was closed.
    discard(known);
    made.thing
}

/// The node of the selection in a comparison's tree; looked up once per selection and tree.
pub(crate) fn selected_node(ui: &Ui, cx: &Cx<'_>, comparison: &Arc<Comparison>) -> Option<NodeId> {
    let selection = cx.app.view().selection.as_ref()?;
    let key = key(&(Arc::as_ptr(comparison).addr(), selection));
    *keep(ui, "selected node", key, || Kept::new(cx.app.selected_node(comparison), Arc::clone(comparison)))
}
