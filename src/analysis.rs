//! Pure functions from profiles to the tables behind the views.
//!
//! A lone capture is a comparison of one side: flame graph, tables, search and export all take the same [`Comparison`]. Deliberately
//! absent: formats, files, the clock, colours. Start reading at [`Comparison`], then [`call_tree`] and [`weigh`](mod@weigh).

pub mod call_tree;
pub mod comparable;
pub mod comparison;
pub mod diff;
pub mod edges;
pub mod events;
pub mod facets;
pub mod filter;
pub mod flame;
pub mod flat;
pub mod group;
pub mod labels;
pub mod lines;
pub mod matching;
pub mod names;
pub mod normalize;
pub mod part;
pub mod place;
pub mod prune;
pub mod regress;
pub mod sandwich;
pub mod search;
pub mod slices;
pub mod span;
pub mod stats;
pub mod tags;
pub mod timeline;
pub mod top;
pub mod transform;
pub mod trend;
pub mod unfold;
pub mod unmatched;
pub mod weigh;
pub mod work;

pub use call_tree::{CallTree, Direction, NodeId};
pub use comparison::{CompareError, Comparison, Normalization, SideInput, compare};
pub use filter::Filter;
pub use flame::{FlameLayout, FlameView};
pub use flat::{Flat, Measure};
pub use matching::Naming;
pub use part::Part;
pub use place::{Granularity, Place, PlaceId, Places};
pub use span::Span;
pub use top::{Top, TopRow, top};
pub use weigh::Weights;
