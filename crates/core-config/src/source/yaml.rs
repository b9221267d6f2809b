use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::Number;

use super::place;
use crate::Problem;
use crate::node::{Kind, Node};

/// Deeper nesting is no configuration.
const MAX_DEPTH: usize = 64;
/// More parts are no configuration either, but aliases that multiply each other.
const MAX_NODES: usize = 100_000;

pub(super) fn parse(text: &str, path: &Path) -> Result<Node, Problem> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        path: path.into(),
        anchors: HashMap::new(),
        nodes: 0,
    };
    reader.document()
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    path: Arc<Path>,
    /// What an alias stands for.
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
}

/// A part that has a name, and what it costs to repeat it.
struct Anchor {
    node: Node,
    depth: usize,
    nodes: usize,
}

impl Anchor {
    fn new(node: Node) -> Self {
        let (depth, nodes) = extent(&node);
        Self { node, depth, nodes }
    }
}

/// How many levels stand below a node, and how many nodes there are with itself.
fn extent(node: &Node) -> (usize, usize) {
    let below: Vec<(usize, usize)> = match &node.kind {
        Kind::List(list) => list.iter().map(extent).collect(),
        Kind::Table(entries) => entries.values().map(extent).collect(),
        _ => Vec::new(),
    };
    below.iter().fold((0, 1), |(depth, nodes), below| (depth.max(below.0 + 1), nodes + below.1))
}

type Spanned<'t> = (Event<'t>, Span);

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Node, Problem> {
        let mut document = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                Event::StreamEnd => break,
                _ if document.is_some() => {
                    return Err(self.refuse(&span.start, "expected a single document"));
                }
                _ => {
                    let first = self.next_of((event, span))?;
                    document = Some(self.node(first, 0)?);
                }
            }
        }
        Ok(document.unwrap_or_else(|| Node::new(place(&self.path, 1, 1), Kind::Null)))
    }

    /// Counts a part, so that aliases cannot multiply without end.
    fn next_of(&mut self, event: Spanned<'t>) -> Result<Spanned<'t>, Problem> {
        self.count(1, &event.1.start)?;
        Ok(event)
    }

    fn count(&mut self, nodes: usize, at: &Marker) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(self.refuse(at, "has too many parts")) } else { Ok(()) }
    }

    fn next(&mut self) -> Result<Spanned<'t>, Problem> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.invalid(&error)),
            None => Ok((Event::StreamEnd, Span::empty(Marker::new(0, 1, 0)))),
        }
    }

    fn node(&mut self, (event, span): Spanned<'t>, depth: usize) -> Result<Node, Problem> {
        let at = span.start;
        if depth > MAX_DEPTH {
            return Err(self.refuse(&at, "is nested too deeply"));
        }
        let (anchor, kind) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(text, style, tag.as_deref(), &at)?)
            }
            Event::SequenceStart(anchor, tag) => {
                self.no_tag(tag.as_deref(), &at)?;
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        event => {
                            let event = self.next_of(event)?;
                            list.push(self.node(event, depth + 1)?);
                        }
                    }
                }
                (anchor, Kind::List(list))
            }
            Event::MappingStart(anchor, tag) => {
                self.no_tag(tag.as_deref(), &at)?;
                (anchor, self.table(depth)?)
            }
            Event::Alias(anchor) => {
                let Some(anchor) = self.anchors.get(&anchor) else {
                    return Err(self.refuse(&at, "refers to an anchor that is not complete here"));
                };
                if depth + anchor.depth > MAX_DEPTH {
                    return Err(self.refuse(&at, "is nested too deeply"));
                }
                let (node, nodes) = (anchor.node.clone(), anchor.nodes);
                self.count(nodes, &at)?;
                return Ok(node);
            }
            _ => return Err(self.refuse(&at, "not valid YAML")),
        };
        let node = Node::new(place(&self.path, at.line(), at.col() + 1), kind);
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::new(node.clone()));
        }
        Ok(node)
    }

    fn table(&mut self, depth: usize) -> Result<Kind, Problem> {
        let mut entries = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(Kind::Table(entries)),
                Event::Scalar(name, ScalarStyle::Plain, ..) if name == "<<" => {
                    let message = "merging with `<<` is not understood; write the keys out";
                    return Err(self.refuse(&span.start, message));
                }
                Event::Scalar(name, ..) => name.into_owned(),
                _ => return Err(self.refuse(&span.start, "a key must be a text")),
            };
            if entries.contains_key(&name) {
                return Err(
                    self.refuse(&span.start, &format!("the key `{name}` stands here twice"))
                );
            }
            let value = self.next()?;
            let value = self.next_of(value)?;
            let mut node = self.node(value, depth + 1)?;
            // A table's own place is where its name stands.
            if matches!(node.kind, Kind::Table(_) | Kind::Null) {
                node.origin = place(&self.path, span.start.line(), span.start.col() + 1);
            }
            entries.insert(name, node);
        }
    }

    /// Plain scalars by the core schema of YAML 1.2: `yes` and `no` are texts.
    fn scalar(
        &self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: &Marker,
    ) -> Result<Kind, Problem> {
        let is_tagged = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        if !is_tagged {
            self.no_tag(tag, at)?;
        }
        if is_tagged || style != ScalarStyle::Plain {
            return Ok(Kind::Text(text.into_owned()));
        }
        let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok();
        let integer = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
            (Some(digits), _) => radix(digits, 16).map(Number::from),
            (_, Some(digits)) => radix(digits, 8).map(Number::from),
            _ => text
                .parse::<i64>()
                .map(Number::from)
                .or_else(|_| text.parse::<u64>().map(Number::from))
                .ok(),
        };
        Ok(match &*text {
            "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
            "true" | "True" | "TRUE" => Kind::Bool(true),
            "false" | "False" | "FALSE" => Kind::Bool(false),
            ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "-.inf" | "+.inf" => {
                return Err(self.refuse(at, "the number is not finite"));
            }
            _ => match integer.or_else(|| float(&text)) {
                Some(number) => Kind::Number(number),
                None => Kind::Text(text.into_owned()),
            },
        })
    }

    /// A tag that is passed over would change what a person meant.
    fn no_tag(&self, tag: Option<&Tag>, at: &Marker) -> Result<(), Problem> {
        match tag {
            Some(_) => Err(self.refuse(at, "tags other than `!!str` are not understood")),
            None => Ok(()),
        }
    }

    fn invalid(&self, error: &ScanError) -> Problem {
        self.refuse(error.marker(), &format!("not valid YAML: {}", error.info()))
    }

    fn refuse(&self, at: &Marker, message: &str) -> Problem {
        Problem::of(place(&self.path, at.line().max(1), at.col() + 1), message)
    }
}

/// `1.5`, `-2e3`; not `inf`, `nan` or `1.2.3`, which `parse` or a person may take for a number.
fn float(text: &str) -> Option<Number> {
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    is_number.then(|| text.parse().ok().and_then(Number::from_f64)).flatten()
}
