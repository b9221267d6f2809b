//! Keys that have other names by now, or are about to go.

use std::collections::BTreeMap;

use crate::node::{Kind, Node};
use crate::schema::View;
use crate::{Key, Problem};

/// Gives the keys of a layer their present names, and warns of those and of what is deprecated.
pub(crate) fn settle(node: &mut Node, view: &View<'_>, key: &Key, warnings: &mut Vec<Problem>) {
    match &mut node.kind {
        Kind::Table(entries) => {
            rename(entries, view, key, warnings);
            for (name, entry) in entries {
                let Some(member) = view.member(name) else { continue };
                let key = key.name(name);
                if let Some(advice) = member.deprecated() {
                    let origin = Some(entry.origin.clone());
                    warnings.push(Problem::at(&key, origin, format!("is deprecated: {advice}")));
                }
                settle(entry, &member, &key, warnings);
            }
        }
        Kind::List(list) => {
            for (index, item) in list.iter_mut().enumerate() {
                if let Some(view) = view.item(index) {
                    settle(item, &view, &key.index(index), warnings);
                }
            }
        }
        _ => {}
    }
}

fn rename(
    entries: &mut BTreeMap<String, Node>,
    view: &View<'_>,
    key: &Key,
    warnings: &mut Vec<Problem>,
) {
    for (name, member) in view.members() {
        for former in member.former_names() {
            let Some(entry) = entries.remove(former) else { continue };
            let message = format!("is now called `{}`, and will be refused", key.name(name));
            let origin = Some(entry.origin.clone());
            warnings.push(Problem::at(&key.name(former), origin, message));
            // Where both are written, the present name is the one that was meant.
            entries.entry((*name).to_owned()).or_insert(entry);
        }
    }
}
