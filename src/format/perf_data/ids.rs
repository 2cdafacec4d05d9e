//! Row numbers of the reader's own tables.
#![expect(unreachable_pub, dead_code, reason = "`index!` makes public types with all their functions")]

use crate::index;

index!(
    /// A row of `Capture::events`: events in the order of the header.
    EventId
);
index!(
    /// A row of `Tasks::maps`: modules in the order in which they were mapped.
    MapId
);
index!(
    /// A row of the address spaces.
    SpaceId
);
index!(
    /// A row of the sets of namespaces.
    NamespaceId
);
