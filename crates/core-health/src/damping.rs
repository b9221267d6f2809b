use core_types::Status;

#[cfg(test)]
mod tests;

const LEVELS: [Status; 3] = [Status::Healthy, Status::Degraded, Status::Unhealthy];

/// Turns a run of results into a status that does not flap.
///
/// The status worsens to the mildest of the last `fall` results if all of them were worse than it,
/// and betters to the worst of the last `rise` results if all of them were better. Not knowing is
/// no state worth keeping: from there one unhealthy result is enough, and `rise` others are.
pub(crate) struct Damping {
    rise: u32,
    fall: u32,
    status: Option<Status>,
    /// How many of the latest results in a row were at least as bad as each level.
    at_least: [u32; 3],
    /// How many of the latest results in a row were at most as bad as each level.
    at_most: [u32; 3],
}

impl Damping {
    pub(crate) fn new(rise: u32, fall: u32) -> Self {
        Self { rise, fall, status: None, at_least: [0; 3], at_most: [0; 3] }
    }

    pub(crate) fn status(&self) -> Option<Status> {
        self.status
    }

    /// Back to not knowing.
    pub(crate) fn forget(&mut self) {
        *self = Self::new(self.rise, self.fall);
    }

    pub(crate) fn observe(&mut self, result: Status) {
        for (level, status) in LEVELS.into_iter().enumerate() {
            let count =
                |count: u32, goes_on: bool| if goes_on { count.saturating_add(1) } else { 0 };
            self.at_least[level] = count(self.at_least[level], result >= status);
            self.at_most[level] = count(self.at_most[level], result <= status);
        }
        let with = |counts: [u32; 3], needed: u32| {
            LEVELS
                .into_iter()
                .zip(counts)
                .filter(move |&(_, count)| count >= needed)
                .map(|(s, _)| s)
        };
        let risen = with(self.at_most, self.rise).next();
        let fallen = with(self.at_least, self.fall).next_back();
        self.status = match self.status {
            None if result == Status::Unhealthy => Some(result),
            None => risen,
            Some(status) => risen
                .filter(|&risen| risen < status)
                .or_else(|| fallen.filter(|&fallen| fallen > status))
                .or(Some(status)),
        };
    }
}
