use std::marker::PhantomData;
use std::slice;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use super::{Schema, same, shapes_of};

/// How many references and alternatives may stand inside each other at one place.
const MAX_DEPTH: usize = 16;

type Part<'s> = &'s Map<String, Value>;
type Shape = Vec<Part<'static>>;

/// One place of a schema, with references followed. Cheap to clone: what was found out once about
/// a place is kept.
#[derive(Clone, Debug)]
pub(crate) struct View<'s> {
    place: Arc<Place>,
    schema: PhantomData<&'s Schema>,
}

#[derive(Debug)]
struct Place {
    root: &'static Value,
    /// What may stand here, one shape for each alternative. A shape is all that holds of it: the
    /// place itself, what it refers to, and the alternative. Nearest first.
    shapes: Vec<Shape>,
    marks: Marks,
    members: OnceLock<Vec<(&'static str, View<'static>)>>,
    values: OnceLock<Option<View<'static>>>,
    /// What may stand in a list whose positions are alike.
    items: OnceLock<Option<View<'static>>>,
    /// What is left where only some of the shapes can have been meant.
    narrowed: Mutex<Vec<(Vec<usize>, View<'static>)>>,
}

/// What holds of everything below the place that says it.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    is_secret: bool,
    needs_restart: bool,
}

impl<'s> View<'s> {
    pub(super) fn new(root: &'static Value) -> Self {
        Self::of(root, [root], Marks::default())
    }

    /// What may stand at one of several places.
    fn of(
        root: &'static Value,
        places: impl IntoIterator<Item = &'static Value>,
        above: Marks,
    ) -> Self {
        let shapes: Vec<_> =
            places.into_iter().flat_map(|place| shapes_of(root, place, MAX_DEPTH)).collect();
        // One alternative that is a secret is enough: it may be the one that was chosen.
        let says = |name| shapes.iter().flatten().any(|part| part.get(name) == Some(&true.into()));
        let marks = Marks {
            is_secret: above.is_secret || says("writeOnly"),
            needs_restart: above.needs_restart || says("x-restart"),
        };
        Self::made_of(root, shapes, marks)
    }

    fn made_of(root: &'static Value, shapes: Vec<Shape>, marks: Marks) -> Self {
        let place = Place {
            root,
            shapes,
            marks,
            members: OnceLock::new(),
            values: OnceLock::new(),
            items: OnceLock::new(),
            narrowed: Mutex::default(),
        };
        Self { place: Arc::new(place), schema: PhantomData }
    }

    /// What may stand below this.
    fn below(&self, places: Vec<&'static Value>) -> Option<View<'static>> {
        (!places.is_empty()).then(|| View::of(self.place.root, places, self.place.marks))
    }

    /// Every part of every shape, each once.
    fn parts(&self) -> Vec<Part<'static>> {
        let mut parts: Vec<Part<'static>> = Vec::new();
        for part in self.place.shapes.iter().flatten() {
            if !parts.iter().any(|known| same(known, part)) {
                parts.push(part);
            }
        }
        parts
    }

    /// The parts that give tables their names: what tells one type from another.
    pub(super) fn tables(&self) -> Vec<Part<'static>> {
        self.parts().into_iter().filter(|part| part.contains_key("properties")).collect()
    }

    /// The shapes that a value can have been meant for, by its JSON type, by the names that a shape
    /// requires, and by the texts that tell shapes apart.
    pub(crate) fn narrow(&self, value: &Value) -> Self {
        let all = &self.place.shapes;
        if all.len() == 1 {
            return self.clone();
        }
        let json_type = type_of(value);
        let keep = |shapes: Vec<usize>, fits: &dyn Fn(&[Part<'_>]) -> bool| {
            let kept: Vec<usize> = shapes.iter().copied().filter(|at| fits(&all[*at])).collect();
            if kept.is_empty() { shapes } else { kept }
        };
        let mut shapes = keep((0..all.len()).collect(), &|shape| allows(shape, json_type));
        if let Value::Object(table) = value {
            shapes = keep(shapes, &|shape| {
                properties(shape).all(|(name, place)| match (place.get("const"), table.get(name)) {
                    (Some(tag), Some(written)) => tag == written,
                    _ => true,
                })
            });
            shapes = keep(shapes, &|shape| required(shape).all(|name| table.contains_key(name)));
        }
        if shapes.len() == all.len() {
            return self.clone();
        }
        let mut narrowed = self.place.narrowed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = narrowed.iter().find(|(kept, _)| *kept == shapes) {
            return known.clone();
        }
        let kept = shapes.iter().map(|at| all[*at].clone()).collect();
        let view = View::made_of(self.place.root, kept, self.place.marks);
        narrowed.push((shapes, view.clone()));
        view
    }

    /// The nearest value of a keyword.
    fn keyword(&self, name: &str) -> Option<&'static Value> {
        self.place.shapes.iter().flatten().find_map(|part| part.get(name))
    }

    /// The texts of a keyword that is a list.
    fn texts(&self, name: &str) -> impl Iterator<Item = &'s str> {
        self.keyword(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The JSON types that may stand here; empty if any may.
    pub(crate) fn types(&self) -> Vec<&'s str> {
        let mut types: Vec<&str> = Vec::new();
        for shape in &self.place.shapes {
            let mut of_shape = types_of(shape).peekable();
            if of_shape.peek().is_none() {
                return Vec::new();
            }
            types.extend(of_shape);
        }
        types.sort_unstable();
        types.dedup();
        types
    }

    pub(crate) fn allows(&self, json_type: &str) -> bool {
        self.place.shapes.iter().any(|shape| allows(shape, json_type))
    }

    /// Whether a value is of a type that may stand here.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        let json_type = type_of(value);
        self.allows(json_type) || (json_type == "integer" && self.allows("number"))
    }

    /// The names of a table with fixed names, each with what may stand there.
    pub(crate) fn members(&self) -> &[(&'static str, View<'static>)] {
        self.place.members.get_or_init(|| {
            let mut places: Vec<(&str, Vec<&Value>)> = Vec::new();
            for part in self.tables() {
                for (name, place) in properties(&[part]) {
                    match places.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, others)) => others.push(place),
                        None => places.push((name, vec![place])),
                    }
                }
            }
            let view = |(name, places)| Some((name, self.below(places)?));
            places.into_iter().filter_map(view).collect()
        })
    }

    /// What may stand under a name: a fixed one, or any name of a map.
    pub(crate) fn member(&self, name: &str) -> Option<View<'s>> {
        let fixed = self.members().iter().find(|(known, _)| *known == name);
        fixed.map(|(_, view)| view.clone()).or_else(|| self.values())
    }

    /// What may stand under any name, if this is a map.
    pub(crate) fn values(&self) -> Option<View<'s>> {
        let of_part = |part: Part<'static>| {
            let any = part.get("additionalProperties").filter(|any| **any != Value::Bool(false));
            // How maps with numbers for names are described.
            let patterns = part.get("patternProperties").and_then(Value::as_object);
            any.into_iter().chain(patterns.into_iter().flat_map(Map::values))
        };
        let values = || self.below(self.parts().into_iter().flat_map(of_part).collect());
        self.place.values.get_or_init(values).clone()
    }

    /// What may stand at a position of the list, if this is one.
    pub(crate) fn item(&self, index: usize) -> Option<View<'s>> {
        let of_part = |part: Part<'static>| {
            let fixed = part.get("prefixItems").and_then(|places| places.get(index));
            fixed.or_else(|| part.get("items"))
        };
        let item = || self.below(self.parts().into_iter().filter_map(of_part).collect());
        if self.keyword("prefixItems").is_some() {
            return item();
        }
        self.place.items.get_or_init(item).clone()
    }

    /// Whether a name that is not among the members is a mistake.
    pub(crate) fn is_closed(&self) -> bool {
        !self.is_union() && self.values().is_none() && !self.tables().is_empty()
    }

    /// Whether names cannot be checked, for the table has several shapes.
    pub(crate) fn is_union(&self) -> bool {
        let is_table = |shape: &&Vec<Part<'_>>| properties(shape).next().is_some();
        self.place.shapes.iter().filter(is_table).count() > 1
    }

    /// The names that must be written, because the type has no default for them.
    pub(crate) fn required(&self) -> Vec<&'s str> {
        match &*self.place.shapes {
            [shape] => required(shape).collect(),
            _ => Vec::new(),
        }
    }

    /// The default, where the type says one.
    pub(crate) fn default(&self) -> Option<&'s Value> {
        self.keyword("default")
    }

    /// Whether this is a secret by its type, or part of one.
    pub(crate) fn is_secret(&self) -> bool {
        self.place.marks.is_secret
    }

    /// Whether a change counts only after a restart.
    pub(crate) fn needs_restart(&self) -> bool {
        self.place.marks.needs_restart
    }

    /// What the settings type's documentation says, one paragraph a line.
    pub(crate) fn description(&self) -> &'s str {
        self.keyword("description").and_then(Value::as_str).unwrap_or_default()
    }

    /// A value as it may be written, for one that has no default.
    pub(crate) fn example(&self) -> Value {
        if self.is_secret() {
            return "secret://name:key".into();
        }
        let given = self.keyword("examples").and_then(|examples| examples.get(0)).cloned();
        let choice = || self.choices().first().map(|choice| Value::from(*choice));
        given.or_else(choice).unwrap_or_else(|| match self.types().iter().find(|t| **t != "null") {
            Some(&"boolean") => true.into(),
            Some(&"integer" | &"number") => self.keyword("minimum").cloned().unwrap_or(1.into()),
            Some(&"array") => Value::Array(Vec::new()),
            Some(&"object") => Value::Object(Map::new()),
            _ => "text".into(),
        })
    }

    /// What to do instead of writing this key, if it is about to go.
    pub(crate) fn deprecated(&self) -> Option<&'s str> {
        let advice = self.keyword("x-deprecated").and_then(Value::as_str);
        let is_marked = self.keyword("deprecated") == Some(&true.into());
        advice.or(is_marked.then_some("it will go"))
    }

    /// Names that this key had, and that are still read.
    pub(crate) fn former_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-former")
    }

    /// Names that this key had, and that are refused by now.
    pub(crate) fn refused_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-refused")
    }

    /// Short names, behind the prefix, of the environment variable.
    pub(crate) fn short_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-short")
    }

    /// Whole names of environment variables.
    pub(crate) fn variable_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-env")
    }

    /// Whole names of environment variables that count only where no other source says anything.
    pub(crate) fn fallback_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-env-default")
    }

    /// The texts that may stand here, if they are a fixed few.
    pub(crate) fn choices(&self) -> Vec<&'s str> {
        let parts = self.parts();
        let consts = parts.iter().filter_map(|part| part.get("const")).filter_map(Value::as_str);
        let enums = parts.iter().filter_map(|part| part.get("enum").and_then(Value::as_array));
        consts.chain(enums.flatten().filter_map(Value::as_str)).collect()
    }

    /// Whether this tells alternatives apart, each of which has a text of its own here.
    pub(crate) fn is_tag(&self) -> bool {
        self.place.shapes.iter().all(|shape| shape.iter().any(|part| part.contains_key("const")))
    }

    /// Whether a number is within the bounds of a shape.
    pub(crate) fn admits(&self, number: f64) -> bool {
        let bound =
            |shape: &[Part<'_>], name| shape.iter().find_map(|part| part.get(name)?.as_f64());
        self.place.shapes.iter().any(|shape| {
            bound(shape, "minimum").is_none_or(|least| number >= least)
                && bound(shape, "maximum").is_none_or(|greatest| number <= greatest)
        })
    }

    /// What is expected here, in the words of the settings type itself.
    pub(crate) fn explicit(&self) -> Option<&'s str> {
        self.keyword("x-expected").and_then(Value::as_str)
    }

    /// What is expected here, in words.
    pub(crate) fn expected(&self) -> String {
        if let Some(format) = self.keyword("format").and_then(Value::as_str) {
            match format {
                "duration-text" => {
                    return "a duration such as `30s`, or a number of seconds".into();
                }
                "byte-size" => return "a size such as `10MiB`, or a number of bytes".into(),
                _ => {}
            }
        }
        if let Some(expected) = self.explicit() {
            return expected.into();
        }
        let mut expected: Vec<String> =
            self.choices().iter().map(|choice| format!("`{choice}`")).collect();
        if !expected.is_empty() {
            // Of an enum, some variants may be tables.
            if self.types().contains(&"object") {
                expected.push(type_name("object").into());
            }
            return format!("one of {}", expected.join(", "));
        }
        let types = self.types();
        let names: Vec<&str> =
            types.iter().filter(|name| **name != "null").map(|name| type_name(name)).collect();
        let mut text = if names.is_empty() { "another value".into() } else { names.join(" or ") };
        match (self.keyword("minimum"), self.keyword("maximum")) {
            (Some(least), Some(greatest)) => text += &format!(" from {least} to {greatest}"),
            (Some(least), None) => text += &format!(" from {least} up"),
            (None, Some(greatest)) => text += &format!(" up to {greatest}"),
            (None, None) => {}
        }
        text
    }
}

/// The types of one shape; empty if it takes any.
fn types_of<'s>(shape: &[Part<'s>]) -> impl Iterator<Item = &'s str> {
    let types = shape.iter().find_map(|part| part.get("type"));
    let types = types.map(|one| one.as_array().map_or(slice::from_ref(one), Vec::as_slice));
    types.unwrap_or_default().iter().filter_map(Value::as_str)
}

fn allows(shape: &[Part<'_>], json_type: &str) -> bool {
    let mut types = types_of(shape).peekable();
    types.peek().is_none() || types.any(|name| name == json_type)
}

fn properties<'s>(shape: &[Part<'s>]) -> impl Iterator<Item = (&'s str, &'s Value)> {
    let tables = shape.iter().filter_map(|part| part.get("properties")?.as_object());
    tables.flatten().map(|(name, place)| (name.as_str(), place))
}

fn required<'s>(shape: &[Part<'s>]) -> impl Iterator<Item = &'s str> {
    let lists = shape.iter().filter_map(|part| part.get("required")?.as_array());
    lists.flatten().filter_map(Value::as_str)
}

/// The JSON type of a value.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A JSON type as people call it.
pub(crate) fn type_name(json_type: &str) -> &str {
    match json_type {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a table",
        "null" => "nothing",
        other => other,
    }
}
