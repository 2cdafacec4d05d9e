//! Where the bytes of programs and libraries come from, for whoever needs more of a module than its name.
//!
//! Two layers that may not know each other ask for the same files: readers unwind copied stacks with them, the symbol layer names
//! addresses. Deliberately absent: where files lie (`crate::app::modules`), and trust: whoever asks compares build ids.

use std::ops::Deref;
use std::sync::Arc;

/// The bytes of a file, shared and unchanging.
pub type Bytes = Arc<dyn Deref<Target = [u8]> + Send + Sync>;

/// The files of the machine that reads a capture.
pub trait Binaries: Sync {
    /// Files that may be the module `file`, or hold its debug information, best first. With a build id (lower-case hex) also files
    /// that are found by it alone. Nothing may be trusted before its build id is compared.
    fn candidates(&self, file: &str, build_id: Option<&str>) -> Vec<Bytes>;

    /// True where what lies at the path `file` of this machine is surely another file than one with this number of a file (`device` =
    /// major and minor number): it came in its place.
    fn is_replaced(&self, file: &str, device: (u32, u32), inode: u64) -> bool {
        let _ = (file, device, inode);
        false
    }

    /// Name of this machine: without a build id a file counts only on the machine that recorded.
    fn hostname(&self) -> Option<String>;
}
