//! Project plans: what is to be done, by whom, and when.

mod breakdown;
mod goal;
mod schedule;

use serde::{Deserialize, Serialize};

pub(crate) use self::breakdown::Breakdown;
pub(crate) use self::goal::{is_vague, names_outside};
use self::schedule::Schedule;
use crate::date::WorkingDays;
use crate::{Brief, Date};

/// Hours of a working day.
pub(crate) const HOURS_OF_A_DAY: u32 = 8;

/// A plan. Every date is a day; what ends on a day ends before that day begins, so that what
/// follows may start on the same date.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Plan {
    /// What it is known by.
    pub plan_id: String,
    /// What the project is called.
    pub name: String,
    /// The first day.
    pub start_date: Date,
    /// The first day after: `duration_weeks` after the start.
    pub end_date: Date,
    /// How long it takes.
    pub duration_weeks: u16,
    /// Its phases. Each starts where the one before ends; together they are the span.
    pub phases: Vec<PhaseSpan>,
    /// Its tasks, each after those that it depends on.
    pub tasks: Vec<Task>,
}

/// A phase with its place in time.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct PhaseSpan {
    /// Which it is.
    pub name: Phase,
    /// The first day.
    pub start_date: Date,
    /// The first day after.
    pub end_date: Date,
}

/// The part of a project that a task belongs to, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// What is to be done, and by whom?
    Initiation,
    /// How is it to be done?
    Planning,
    /// It is done.
    Execution,
    /// Is it done? Then it is handed over.
    Closing,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Initiation, Self::Planning, Self::Execution, Self::Closing];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initiation => "initiation",
            Self::Planning => "planning",
            Self::Execution => "execution",
            Self::Closing => "closing",
        }
    }
}

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Task {
    /// What it is known by in its plan: `T001`.
    pub id: String,
    /// What is done.
    pub title: String,
    /// The phase it belongs to.
    pub phase: Phase,
    /// The goal that it serves, as it was given; `null` if it serves all.
    pub goal: Option<String>,
    /// Who does it; `null` if nobody in the team has time, or there is no team.
    pub owner: Option<String>,
    /// The work in it, in days of one person. The dates may give it less time, or more.
    pub estimate_days: f64,
    /// Ids of the tasks that must end before it starts.
    pub depends_on: Vec<String>,
    /// The first day.
    pub start_date: Date,
    /// The first day after; the same day if it takes less than one.
    pub end_date: Date,
}

/// A plan with the brief that it was made of, as the broker keeps it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Project {
    /// What was asked for.
    pub brief: Brief,
    /// What came of it.
    pub plan: Plan,
}

impl Project {
    /// Makes the plan of a brief. The same brief and id always give the same plan.
    ///
    /// The work follows from the goals; it is given to the team so that nobody has two tasks at
    /// once; and it is stretched or pressed to fill the span exactly. Whether it was pressed is told
    /// by the risks.
    pub fn plan(brief: Brief, plan_id: String) -> Self {
        let breakdown = Breakdown::of(&brief);
        let schedule = Schedule::of(&breakdown, &brief);
        let days = WorkingDays::new(brief.start_date, brief.duration_weeks.into());
        let bounds = schedule.phase_bounds(days.count);
        let phases = Phase::ALL.iter().zip(bounds.windows(2)).map(|(name, bound)| PhaseSpan {
            name: *name,
            start_date: days.day(bound[0]),
            end_date: days.day(bound[1]),
        });
        let id = |index: &usize| format!("T{:03}", index + 1);
        let tasks = breakdown.tasks.iter().enumerate().map(|(index, work)| {
            let (start, end) = schedule.days_of(index, work.phase, &bounds);
            Task {
                id: id(&index),
                title: work.title.clone(),
                phase: work.phase,
                goal: work.goal.map(|goal| brief.goals[goal].clone()),
                owner: schedule.owner(index).map(|owner| brief.team[owner].name.clone()),
                estimate_days: f64::from(work.hours) / f64::from(HOURS_OF_A_DAY),
                depends_on: work.after.iter().map(id).collect(),
                start_date: days.day(start),
                end_date: days.day(end),
            }
        });
        let plan = Plan {
            plan_id,
            name: brief.name.clone(),
            start_date: days.start,
            end_date: days.end,
            duration_weeks: brief.duration_weeks,
            phases: phases.collect(),
            tasks: tasks.collect(),
        };
        Self { brief, plan }
    }
}
