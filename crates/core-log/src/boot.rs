use std::collections::VecDeque;

use crate::record::Record;

/// More lines than these are not written by a service that has not read its configuration yet.
const MAX_RECORDS: usize = 1000;

/// Lines from before the configuration is known: neither their form nor their level is decided.
#[derive(Default)]
pub(crate) struct Boot {
    records: VecDeque<Record>,
    dropped: u64,
}

impl Boot {
    /// Keeps a line; of too many, the last ones, for they tell why the start failed.
    pub(crate) fn keep(&mut self, record: Record) {
        if self.records.len() == MAX_RECORDS {
            self.records.pop_front();
            self.dropped += 1;
        }
        self.records.push_back(record);
    }

    /// The lines that were kept, and how many were not.
    pub(crate) fn into_records(self) -> (impl Iterator<Item = Record>, u64) {
        (self.records.into_iter(), self.dropped)
    }
}
