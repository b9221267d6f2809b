//! What the words of a goal tell about the work.

/// Words that make a goal something that can be measured, besides numbers.
const MEASURES: &[&str] = &[
    "all", "below", "between", "double", "each", "every", "half", "least", "less", "more", "most",
    "no", "none", "per", "percent", "than", "twice", "under", "until", "within", "without", "zero",
];

/// Stems of words that tell of people, systems or rules outside of the project.
const OUTSIDE: &[&str] = &[
    "audit", "complian", "external", "gdpr", "hipaa", "integrat", "legacy", "legal", "licen",
    "migrat", "partner", "regulat", "supplier", "third", "upstream", "vendor",
];

/// Stems of words that tell of work that comes after what was built.
const FINISHING: &[&str] = &[
    "announce", "deploy", "document", "handover", "launch", "live", "migrat", "publish", "releas",
    "rollout", "ship", "train",
];

/// Fewer words than this name a thing, and no goal.
const FEW_WORDS: usize = 3;

fn words(goal: &str) -> impl Iterator<Item = String> {
    goal.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

fn has_stem(goal: &str, stems: &[&str]) -> bool {
    words(goal).any(|word| stems.iter().any(|stem| word.starts_with(stem)))
}

/// Whether nobody could tell from the goal alone when it is reached.
pub(crate) fn is_vague(goal: &str) -> bool {
    let is_measure =
        |word: String| MEASURES.contains(&word.as_str()) || word.chars().any(char::is_numeric);
    words(goal).count() < FEW_WORDS || !words(goal).any(is_measure)
}

/// Whether it names people, systems or rules outside of the project.
pub(crate) fn names_outside(goal: &str) -> bool {
    has_stem(goal, OUTSIDE)
}

/// Whether it can be reached only when the goals named before it are.
pub(crate) fn is_finishing(goal: &str) -> bool {
    has_stem(goal, FINISHING)
}

/// Hours it takes to reach: three days, more for what is said about it, half as much again where
/// others must move too.
pub(crate) fn build_hours(goal: &str) -> u32 {
    let said = u32::try_from(words(goal).take(24).count()).expect("at most 24");
    let hours = 24 + said;
    if names_outside(goal) { hours + hours / 2 } else { hours }
}
