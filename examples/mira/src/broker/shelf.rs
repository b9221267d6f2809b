use std::collections::{HashMap, VecDeque};

use tokio::time::Instant;

use super::settings::Store;

/// Things by name, bounded by age, number, and bytes. What is over a bound goes, the oldest first.
#[derive(Debug)]
pub(super) struct Shelf<T> {
    limits: Store,
    things: HashMap<String, Thing<T>>,
    /// Names in the order in which they came.
    order: VecDeque<(Instant, String)>,
    bytes: usize,
}

#[derive(Debug)]
struct Thing<T> {
    value: T,
    size: usize,
}

impl<T> Shelf<T> {
    pub(super) fn new(limits: Store) -> Self {
        Self { limits, things: HashMap::new(), order: VecDeque::new(), bytes: 0 }
    }

    /// Puts a thing of so many bytes there. One of the same name is replaced, and keeps its age.
    pub(super) fn put(&mut self, name: &str, value: T, size: usize) {
        self.sweep();
        match self.things.insert(name.to_owned(), Thing { value, size }) {
            Some(before) => self.bytes -= before.size,
            None => self.order.push_back((Instant::now(), name.to_owned())),
        }
        self.bytes += size;
        while self.is_over() {
            self.drop_oldest();
        }
    }

    pub(super) fn get(&mut self, name: &str) -> Option<&T> {
        self.sweep();
        self.things.get(name).map(|thing| &thing.value)
    }

    fn is_over(&self) -> bool {
        let max_bytes = usize::try_from(self.limits.max_bytes.bytes()).unwrap_or(usize::MAX);
        let max_count = usize::try_from(self.limits.max_count).unwrap_or(usize::MAX);
        self.things.len() > max_count || self.bytes > max_bytes
    }

    fn sweep(&mut self) {
        let max_age = self.limits.max_age.get();
        while self.order.front().is_some_and(|(since, _)| since.elapsed() >= max_age) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, name)) = self.order.pop_front() {
            self.bytes -= self.things.remove(&name).map_or(0, |thing| thing.size);
        }
    }
}

#[cfg(test)]
mod tests;
