//! What a caller says of a project.

mod read;

use serde::{Deserialize, Serialize};

use crate::Date;

pub(crate) use self::read::{FIELDS, read};

/// Weeks of a project that says nothing of them: a quarter of a year.
pub const DEFAULT_WEEKS: u16 = 12;
/// The longest project, in weeks: five years. What is longer is a programme of projects.
pub const MAX_WEEKS: u16 = 260;
/// Characters of a project's or a member's name.
pub const MAX_NAME: usize = 200;
/// Characters of a description.
pub const MAX_DESCRIPTION: usize = 10_000;
/// Goals of one project.
pub const MAX_GOALS: usize = 50;
/// Characters of a goal.
pub const MAX_GOAL: usize = 500;
/// People in a team.
pub const MAX_TEAM: usize = 100;
/// Characters of a role.
pub const MAX_ROLE: usize = 100;

/// A project as it is asked for, checked and complete.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Brief {
    /// What it is called: 1 to [`MAX_NAME`] characters on one line.
    pub name: String,
    /// What it is about. May be empty.
    pub description: String,
    /// What is to be reached. May be empty.
    pub goals: Vec<String>,
    /// How long it takes: 1 to [`MAX_WEEKS`].
    pub duration_weeks: u16,
    /// Who works on it. Each name once. May be empty.
    pub team: Vec<Member>,
    /// Its first day.
    pub start_date: Date,
}

impl Brief {
    /// A project of which only the name is known.
    pub(crate) fn named(name: String, start_date: Date) -> Self {
        Self {
            name,
            description: String::new(),
            goals: Vec::new(),
            duration_weeks: DEFAULT_WEEKS,
            team: Vec::new(),
            start_date,
        }
    }

    /// The members who have any time for the project.
    pub fn workers(&self) -> impl Iterator<Item = &Member> {
        self.team.iter().filter(|member| member.percent() > 0)
    }
}

/// One person of a team.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Member {
    /// What the person is called.
    pub name: String,
    /// What the person does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The part of the working time that is given to the project: 0 to 1.
    pub availability: f64,
}

impl Member {
    pub(crate) fn full_time(name: String) -> Self {
        Self { name, role: None, availability: 1.0 }
    }

    /// The availability in whole percent, rounded up, so that only none is 0.
    pub(crate) fn percent(&self) -> u32 {
        (0..100).find(|percent| f64::from(*percent) >= self.availability * 100.0).unwrap_or(100)
    }
}
