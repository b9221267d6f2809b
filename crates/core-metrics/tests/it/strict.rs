//! A strict reader of the Prometheus text format 0.0.4, by its specification
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>), and stricter: families are
//! whole and in order, HELP and TYPE stand once and in front, nothing stands twice.

use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;
/// What follows the name of a histogram, the bound of a bucket, and the value.
type Part<'a> = (&'a str, Option<f64>, f64);

#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    /// Sample name, labels, value.
    pub(crate) samples: Vec<(String, Labels, f64)>,
}

impl Family {
    pub(crate) fn series(&self) -> usize {
        let whole = |labels: &Labels| {
            let mut labels = labels.clone();
            labels.remove("le");
            labels
        };
        self.samples.iter().map(|(_, labels, _)| whole(labels)).collect::<BTreeSet<_>>().len()
    }
}

/// Every family by name.
#[track_caller]
pub(crate) fn read(text: &str) -> BTreeMap<String, Family> {
    try_read(text).unwrap_or_else(|problem| panic!("{problem}\nin\n{text}"))
}

fn try_read(text: &str) -> Result<BTreeMap<String, Family>, String> {
    let text = text.strip_suffix('\n').ok_or("the last line does not end")?;
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    for line in text.split('\n') {
        let fail = |what: &str| format!("{what}: {line:?}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or_else(|| fail("no help text"))?;
            let help = unescape(help, false).ok_or_else(|| fail("bad escape"))?;
            if !is_name(name, true) || families.contains_key(name) {
                return Err(fail("bad name, or a second family of that name"));
            }
            name.clone_into(&mut current);
            families.insert(current.clone(), Family { help, ..Family::default() });
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| fail("no type"))?;
            let family = families.get_mut(name).ok_or_else(|| fail("TYPE without HELP"))?;
            let known = ["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind);
            if name != current || !family.kind.is_empty() || !known {
                return Err(fail("TYPE out of place"));
            }
            kind.clone_into(&mut family.kind);
        } else {
            let (name, labels, value) = sample(line).ok_or_else(|| fail("no sample"))?;
            let family = families.get_mut(&current).ok_or_else(|| fail("no family"))?;
            let suffix = name.strip_prefix(&current).ok_or_else(|| fail("of no family"))?;
            let fits = match family.kind.as_str() {
                "counter" | "gauge" => suffix.is_empty() && !labels.contains_key("le"),
                "histogram" if suffix == "_bucket" => labels.contains_key("le"),
                "histogram" => matches!(suffix, "_sum" | "_count"),
                _ => false,
            };
            if !fits {
                return Err(fail("does not fit its family"));
            }
            family.samples.push((name, labels, value));
        }
    }
    for (name, family) in &families {
        check(name, family).map_err(|problem| format!("{name}: {problem}"))?;
    }
    Ok(families)
}

fn check(name: &str, family: &Family) -> Result<(), String> {
    if family.samples.is_empty() {
        return Err("no samples".into());
    }
    let distinct: BTreeSet<_> = family.samples.iter().map(|(n, labels, _)| (n, labels)).collect();
    if distinct.len() != family.samples.len() {
        return Err("a series stands twice".into());
    }
    let label_names: BTreeSet<Vec<_>> = family
        .samples
        .iter()
        .map(|(_, labels, _)| labels.keys().filter(|label| *label != "le").collect())
        .collect();
    if label_names.len() != 1 {
        return Err("series have different labels".into());
    }
    if family.kind == "histogram" { check_histogram(name, family) } else { Ok(()) }
}

fn check_histogram(name: &str, family: &Family) -> Result<(), String> {
    let mut groups: BTreeMap<Labels, Vec<Part<'_>>> = BTreeMap::new();
    for (sample, labels, value) in &family.samples {
        let mut labels = labels.clone();
        let bound = labels.remove("le").map(|bound| number(&bound).ok_or("bad bound"));
        let suffix = &sample[name.len()..];
        groups.entry(labels).or_default().push((suffix, bound.transpose()?, *value));
    }
    for group in groups.into_values() {
        let [buckets @ .., ("_sum", None, _), ("_count", None, count)] = group.as_slice() else {
            return Err("not buckets, sum and count".into());
        };
        let rises = |a: &Part<'_>, b: &Part<'_>| a.1 < b.1 && a.2 <= b.2;
        if !buckets.is_sorted_by(rises) {
            return Err("buckets do not rise".into());
        }
        let Some(("_bucket", Some(f64::INFINITY), all)) = buckets.last() else {
            return Err("no bucket +Inf".into());
        };
        if all != count {
            return Err("bucket +Inf is not the count".into());
        }
    }
    Ok(())
}

fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let (head, value) = line.rsplit_once(' ')?;
    let value = number(value)?;
    let Some((name, mut rest)) = head.split_once('{') else {
        return is_name(head, true).then(|| (head.to_owned(), Labels::new(), value));
    };
    let mut labels = Labels::new();
    loop {
        let (label, quoted) = rest.split_once("=\"")?;
        let end = closing_quote(quoted)?;
        let is_new = labels.insert(label.to_owned(), unescape(&quoted[..end], true)?).is_none();
        if !is_new || !is_name(label, false) {
            return None;
        }
        rest = &quoted[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    (rest == "}" && is_name(name, true)).then(|| (name.to_owned(), labels, value))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescape(text: &str, quoted: bool) -> Option<String> {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(match c {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                '"' if quoted => '"',
                _ => return None,
            },
            '"' if quoted => return None,
            c => c,
        });
    }
    Some(plain)
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        _ if text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => text.parse().ok(),
        _ => None,
    }
}

fn is_name(name: &str, is_metric: bool) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (is_metric && b == b':');
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.bytes().all(allowed)
}

#[test]
fn what_is_wrong_is_noticed() {
    let wrong = |text: &str| assert!(try_read(text).is_err(), "{text}");
    let head = "# HELP x h\n# TYPE x gauge\n";
    let histogram = "# HELP x h\n# TYPE x histogram\n";
    assert!(try_read(&format!("{head}x{{a=\"\\\"\\\\\\n,}}\"}} +Inf\n")).is_ok());
    assert!(
        try_read(&format!(
            "{histogram}x_bucket{{le=\"1\"}} 1\nx_bucket{{le=\"+Inf\"}} 2\nx_sum 1\nx_count 2\n"
        ))
        .is_ok()
    );
    wrong("x 1\n");
    wrong(&format!("{head}x 1"));
    wrong(&format!("{head}{head}x 1\n"));
    wrong(&format!("{head}x 1\nx 1\n"));
    wrong(&format!("{head}y 1\n"));
    wrong(&format!("{head}x inf\n"));
    wrong(&format!("{head}x{{a=\"\\t\"}} 1\n"));
    wrong(&format!("{head}x{{a=\"1\",a=\"2\"}} 1\n"));
    wrong(&format!("{head}x{{le=\"1\"}} 1\n"));
    wrong(&format!("{head}x{{a=\"1\"}} 1\nx 2\n"));
    wrong(&format!("{histogram}x_bucket{{le=\"+Inf\"}} 1\nx_sum 1\nx_count 2\n"));
    wrong(&format!("{histogram}x_bucket{{le=\"1\"}} 1\nx_sum 1\nx_count 1\n"));
    wrong(&format!(
        "{histogram}x_bucket{{le=\"1\"}} 3\nx_bucket{{le=\"+Inf\"}} 2\nx_sum 1\nx_count 2\n"
    ));
}
