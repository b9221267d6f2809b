use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ReadError;
use crate::Settings;
use crate::key::{Key, Segment};

/// A larger table is not searched for the member at fault: each is a reading of the whole.
const MAX_MEMBERS: usize = 64;

/// What is left of the settings after their wrong parts were taken out.
pub(super) struct Remainder<'v> {
    value: Cow<'v, Value>,
    /// The elements that lists have lost, by the keys and numbers under which they were written.
    lost: BTreeMap<Key, BTreeSet<usize>>,
}

impl<'v> Remainder<'v> {
    pub(super) fn new(whole: &'v Value) -> Self {
        Self { value: Cow::Borrowed(whole), lost: BTreeMap::new() }
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    /// Under which key something was written that stands at another now, because lists moved up.
    pub(super) fn written(&self, key: &Key) -> Key {
        key.segments().iter().fold(Key::root(), |above, segment| match segment {
            Segment::Name(name) => above.name(name),
            Segment::Index(index) => {
                let lost = self.lost.get(&above).into_iter().flatten();
                let index = lost.fold(*index, |index, lost| index + usize::from(*lost <= index));
                above.index(index)
            }
        })
    }

    /// Where something stands now; `None` if it, or the element that holds it, is gone.
    fn current(&self, key: &Key) -> Option<Key> {
        let mut above = Key::root();
        key.segments().iter().try_fold(Key::root(), |current, segment| {
            let current = match segment {
                Segment::Name(name) => current.name(name),
                Segment::Index(index) => {
                    let lost = self.lost.get(&above);
                    if lost.is_some_and(|lost| lost.contains(index)) {
                        return None;
                    }
                    let before = lost.map_or(0, |lost| lost.range(..index).count());
                    current.index(index - before)
                }
            };
            above = above.with(segment.clone());
            Some(current)
        })
    }

    /// Takes out what was written at a key. Whether anything was there.
    pub(super) fn take_out(&mut self, key: &Key) -> bool {
        let removed = self.current(key).and_then(|current| current.remove(self.value.to_mut()));
        if let (Some(_), Some(Segment::Index(index)), Some(list)) =
            (&removed, key.segments().last(), key.parent())
        {
            self.lost.entry(list).or_default().insert(*index);
        }
        removed.is_some()
    }

    /// The member of a table without which its error is gone. Flattened and tagged types tell of
    /// the table alone; a tag is not at fault, though no error is the same without it.
    pub(super) fn member_at_fault<T: Settings>(
        &mut self,
        error: &ReadError,
        is_tag: &dyn Fn(&Key) -> bool,
    ) -> Option<Key> {
        let table = error.key.get(&self.value)?.as_object()?;
        let names: Vec<String> = table.keys().cloned().collect();
        if names.len() > MAX_MEMBERS {
            return None;
        }
        names.iter().find_map(|name| {
            let key = error.key.name(name);
            if is_tag(&self.written(&key)) {
                return None;
            }
            let member = key.remove(self.value.to_mut())?;
            let is_at_fault =
                T::read(&self.value).err().is_none_or(|other| other.message != error.message);
            if let Some(Value::Object(table)) = error.key.get_mut(self.value.to_mut()) {
                table.insert(name.clone(), member);
            }
            is_at_fault.then(|| self.written(&key))
        })
    }
}
