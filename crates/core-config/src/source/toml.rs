use std::ops::Range;
use std::path::Path;

use serde_json::Number;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::lines::Lines;
use crate::node::{Kind, Node};
use crate::{Origin, Problem};

pub(super) fn parse(text: &str, path: &Path) -> Result<Node, Problem> {
    let lines = Lines::new(text, path);
    let at = |offset: usize| lines.at(offset);
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Problem::of(at(offset), format!("not valid TOML: {}", error.message()))
    })?;
    Ok(Node::new(at(0), table_of(table.get_ref(), &at)?))
}

fn table_of(table: &DeTable<'_>, at: &dyn Fn(usize) -> Origin) -> Result<Kind, Problem> {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        Ok((name.to_string(), node_of(value, &key.span(), at)?))
    };
    table.iter().map(entry).collect::<Result<_, _>>().map(Kind::Table)
}

fn node_of(
    value: &Spanned<DeValue<'_>>,
    key: &Range<usize>,
    at: &dyn Fn(usize) -> Origin,
) -> Result<Node, Problem> {
    let origin = at(value.span().start);
    let refuse = |message: &str| Err(Problem::of(origin.clone(), message));
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Integer(integer) => {
            let (digits, radix) = (integer.as_str(), integer.radix());
            let signed = i64::from_str_radix(digits, radix).map(Number::from);
            match signed.or_else(|_| u64::from_str_radix(digits, radix).map(Number::from)) {
                Ok(number) => Kind::Number(number),
                Err(_) => return refuse("the number is out of range"),
            }
        }
        DeValue::Float(float) => match float.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Kind::Number(number),
            None => return refuse("the number is not finite"),
        },
        DeValue::Datetime(datetime) => Kind::Text(datetime.to_string()),
        DeValue::Array(list) => {
            let item = |value: &Spanned<_>| node_of(value, &value.span(), at);
            Kind::List(list.iter().map(item).collect::<Result<_, _>>()?)
        }
        // A table's own place is where its name stands.
        DeValue::Table(table) => return Ok(Node::new(at(key.start), table_of(table, at)?)),
    };
    Ok(Node::new(origin, kind))
}
