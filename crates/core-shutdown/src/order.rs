/// In which order callbacks of one priority run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// The first registered runs first, one after the other. What was built first is usually what
    /// takes work in.
    #[default]
    Registration,
    /// The last registered runs first, one after the other: as scopes end.
    Reverse,
    /// All at once: the slowest of them is what they take.
    Together,
}
