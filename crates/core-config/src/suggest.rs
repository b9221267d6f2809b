/// The name nearest to a mistyped one, if any is near enough to be what was meant.
pub(crate) fn nearest<'n>(
    typed: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let distance = |name: &str| strsim::damerau_levenshtein(typed, name);
    names
        .into_iter()
        .map(|name| (distance(name), name))
        // A third of the letters wrong, at most: beyond, a hint misleads.
        .filter(|(distance, name)| *distance * 3 <= name.len().max(typed.len()))
        .min()
        .map(|(_, name)| name)
}
