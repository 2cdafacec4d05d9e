//! Looked-up symbols on disk: one file per module in the platform's cache folder.
//!
//! Files are written beside their place and renamed into it, so that programs that run at the same time see whole files only. When all
//! together grow past the limit, those unused for longest go. Deliberately absent: what is in the files (`crate::symbol` writes and
//! checks them). Start reading at [`SymbolCache`].

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::symbol::Bytes;

/// Bytes that all entries together may take.
pub const LIMIT_BYTES: u64 = 512 << 20;

/// Name ending of an entry and of one that is being written.
const ENTRY: &str = "symbols";
const DRAFT: &str = "draft";

/// A use is noted in the file's time only when the last one is older: it orders entries by use, exact to this.
const NOTED_AFTER: Duration = Duration::from_mins(1);

/// A draft that nobody finished.
const STALE_AFTER: Duration = Duration::from_hours(1);

/// A folder of entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolCache {
    folder: PathBuf,
    limit_bytes: u64,
}

/// One entry on disk.
struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl SymbolCache {
    /// The folder of this user, where the platform has one.
    pub fn default_folder() -> Option<PathBuf> {
        directories::ProjectDirs::from("io.github", "emberlens", "emberlens").map(|dirs| dirs.cache_dir().join("symbols"))
    }

    /// The cache in a folder, which need not exist.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), limit_bytes: LIMIT_BYTES }
    }

    /// The same with another limit in bytes.
    pub fn with_limit(self, limit_bytes: u64) -> Self {
        Self { limit_bytes, ..self }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        // Parts of a key come from captures: nothing else may become a file name.
        let is_plain = !key.is_empty() && key.len() < 200 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        is_plain.then(|| self.folder.join(format!("{key}.{ENTRY}")))
    }

    /// The entry of a key.
    pub fn recall(&self, key: &str) -> Option<Bytes> {
        let path = self.path(key)?;
        let metadata = path.metadata().ok().filter(fs::Metadata::is_file)?;
        let is_old = metadata.modified().ok().and_then(|used| used.elapsed().ok()).is_none_or(|since| since > NOTED_AFTER);
        if is_old && let Ok(file) = fs::File::options().append(true).open(&path) {
            // Where the time cannot be set, the entry merely counts as unused.
            file.set_modified(SystemTime::now()).ok();
        }
        // Read and not mapped: another program may replace it.
        let bytes = fs::read(path).ok()?;
        Some(Arc::new(bytes) as Bytes)
    }

    /// Writes the entry of a key. Whatever goes wrong only costs the entry.
    pub fn keep(&self, key: &str, bytes: &[u8]) {
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let Some(path) = self.path(key).filter(|_| bytes.len() as u64 <= self.limit_bytes / 4) else { return };
        let draft = self.folder.join(format!("{}-{}.{DRAFT}", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
        let write = || {
            fs::create_dir_all(&self.folder)?;
            fs::File::create(&draft)?.write_all(bytes)?;
            fs::rename(&draft, &path)
        };
        if write().is_err() {
            fs::remove_file(&draft).ok();
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let Ok(listed) = fs::read_dir(&self.folder) else { return Vec::new() };
        listed
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let path = entry.path();
                let ending = path.extension()?.to_str()?;
                let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                let used = metadata.modified().ok()?;
                let is_stale = ending == DRAFT && used.elapsed().is_ok_and(|since| since > STALE_AFTER);
                if is_stale {
                    fs::remove_file(&path).ok();
                }
                (ending == ENTRY).then_some(Entry { path, bytes: metadata.len(), used })
            })
            .collect()
    }

    /// Number of entries and their bytes.
    pub fn size(&self) -> (usize, u64) {
        let entries = self.entries();
        (entries.len(), entries.iter().map(|entry| entry.bytes).sum())
    }

    /// Removes entries, unused for longest first, until the rest is below the limit.
    pub fn trim(&self) {
        let mut entries = self.entries();
        let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
        if bytes <= self.limit_bytes {
            return;
        }
        entries.sort_by(|a, b| a.used.cmp(&b.used).then_with(|| a.path.cmp(&b.path)));
        for entry in entries {
            if bytes <= self.limit_bytes {
                break;
            }
            // Another program may have removed it already.
            fs::remove_file(&entry.path).ok();
            bytes -= entry.bytes;
        }
    }

    /// Removes all entries; gives how many and their bytes.
    pub fn clear(&self) -> std::io::Result<(usize, u64)> {
        let mut removed = (0, 0);
        for entry in self.entries() {
            match fs::remove_file(&entry.path) {
                Ok(()) => removed = (removed.0 + 1, removed.1 + entry.bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(cache: &SymbolCache, key: &str, minutes: u64) {
        let file = fs::File::options().append(true).open(cache.path(key).unwrap()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(minutes)).unwrap();
    }

    #[test]
    fn entries_unused_for_longest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = SymbolCache::new(&folder.path().join("deep/symbols")).with_limit(4000);
        for key in ["id-a", "id-b", "id-c", "id-d", "id-e"] {
            cache.keep(key, &[7; 1000]);
        }
        for (key, minutes) in [("id-a", 50), ("id-b", 40), ("id-c", 30), ("id-d", 20), ("id-e", 10)] {
            age(&cache, key, minutes);
        }
        // Reading is a use.
        assert_eq!(cache.recall("id-a").unwrap().len(), 1000);
        assert_eq!(cache.size(), (5, 5000));
        cache.trim();
        assert_eq!(cache.size(), (4, 4000));
        assert!(cache.recall("id-b").is_none() && cache.recall("id-a").is_some());
        assert_eq!(cache.clear().unwrap(), (4, 4000));
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn keys_never_lead_out_of_the_folder_and_no_draft_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = SymbolCache::new(&folder.path().join("symbols"));
        for key in ["../out", "a/b", "", "a\\b", "a b"] {
            cache.keep(key, b"x");
            assert!(cache.recall(key).is_none(), "{key}");
        }
        cache.keep("id-1", b"old");
        cache.keep("id-1", b"new");
        assert_eq!(cache.recall("id-1").unwrap().to_vec(), b"new");
        assert_eq!(fs::read_dir(cache.folder()).unwrap().count(), 1);
        // A folder that cannot be made costs the entry, nothing else.
        fs::write(folder.path().join("file"), b"").unwrap();
        let broken = SymbolCache::new(&folder.path().join("file/symbols"));
        broken.keep("id-1", b"x");
        assert!(broken.recall("id-1").is_none());
    }

    #[test]
    fn programs_that_write_at_the_same_time_leave_one_whole_entry() {
        let folder = tempfile::tempdir().unwrap();
        let cache = SymbolCache::new(folder.path());
        std::thread::scope(|scope| {
            for n in 0..4_u8 {
                let cache = &cache;
                scope.spawn(move || {
                    for _ in 0..50 {
                        cache.keep("id-1", &[n; 5000]);
                        let bytes = cache.recall("id-1").unwrap();
                        assert!(bytes.len() == 5000 && bytes.iter().all(|byte| *byte == bytes[0]));
                    }
                });
            }
        });
    }
}
