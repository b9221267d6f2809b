use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::entry::Entry;

/// Enough for ten thousand paths with ten in a bucket, and 8 KiB when there are few.
const BUCKETS: usize = 1024;

/// With the hash of the path beside it, so that others of the bucket are not even looked at.
type Bucket = Vec<(u64, Arc<Entry>)>;

/// Every path that was asked for: looked up without a lock, and never removed.
pub(crate) struct Table {
    hasher: RandomState,
    /// Replaced as a whole when a path is added, so that a reader waits for nobody.
    buckets: Box<[ArcSwapOption<Bucket>]>,
    /// In the order in which they were asked for.
    all: Mutex<Vec<Arc<Entry>>>,
    count: watch::Sender<usize>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            buckets: (0..BUCKETS).map(|_| ArcSwapOption::empty()).collect(),
            all: Mutex::default(),
            count: watch::Sender::new(0),
        }
    }

    /// Looks at the entry of a path.
    pub(crate) fn with<R>(&self, path: &str, look: impl FnOnce(&Arc<Entry>) -> R) -> Option<R> {
        let hash = self.hasher.hash_one(path);
        let bucket = self.bucket(hash).load();
        let mut entries = bucket.as_ref()?.iter();
        let found = entries.find(|(of, entry)| *of == hash && *entry.path == *path);
        found.map(|(_, entry)| look(entry))
    }

    /// The entry of a path, made if there is none.
    pub(crate) fn entry(&self, path: &str, make: impl FnOnce() -> Entry) -> Arc<Entry> {
        if let Some(entry) = self.with(path, Arc::clone) {
            return entry;
        }
        let mut all = self.all.lock().expect("no panic while it is held");
        if let Some(entry) = self.with(path, Arc::clone) {
            return entry;
        }
        let entry = Arc::new(make());
        let hash = self.hasher.hash_one(path);
        let bucket = self.bucket(hash);
        let mut entries = bucket.load().as_deref().cloned().unwrap_or_default();
        entries.push((hash, Arc::clone(&entry)));
        bucket.store(Some(Arc::new(entries)));
        all.push(Arc::clone(&entry));
        self.count.send_replace(all.len());
        entry
    }

    /// The entries from a position on, in the order in which they were asked for.
    pub(crate) fn from(&self, position: usize) -> Vec<Arc<Entry>> {
        self.all.lock().expect("no panic while it is held")[position..].to_vec()
    }

    /// Tells when entries are added.
    pub(crate) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    fn bucket(&self, hash: u64) -> &ArcSwapOption<Bucket> {
        &self.buckets[usize::try_from(hash % BUCKETS as u64).expect("below 1024")]
    }
}
