use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Mistakes, quoted};

/// Reads a body as JSON. A name that stands twice in an object is a mistake: readers of JSON differ
/// in which of the two counts (RFC 8259, section 4), so nobody can know what was meant.
pub(crate) fn json(mistakes: &mut Mistakes, body: &[u8]) -> Option<Value> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let place = Place { mistakes, path: &mut String::new() };
    let value = place.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| mistakes.add("", format!("is not JSON: {error}"))).ok()
}

/// Where a value stands.
struct Place<'m> {
    mistakes: &'m mut Mistakes,
    /// Grows and shrinks on the way, so that a place costs no more than its own name.
    path: &'m mut String,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (mut list, above) = (Vec::new(), self.path.len());
        loop {
            self.path.push_str(&format!("[{}]", list.len()));
            let place = Place { mistakes: self.mistakes, path: self.path };
            let Some(value) = entries.next_element_seed(place)? else { break };
            self.path.truncate(above);
            list.push(value);
        }
        self.path.truncate(above);
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut object, above) = (Map::new(), self.path.len());
        while let Some(name) = members.next_key::<String>()? {
            self.path.push_str(if above == 0 { "" } else { "." });
            self.path.push_str(&quoted(&name));
            if object.contains_key(&name) {
                self.mistakes.add(self.path, "stands there more than once");
            }
            let place = Place { mistakes: self.mistakes, path: self.path };
            let value = members.next_value_seed(place)?;
            self.path.truncate(above);
            object.insert(name, value);
        }
        Ok(object.into())
    }
}
