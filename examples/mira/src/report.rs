//! How a project stands.

use serde::{Deserialize, Serialize};

use crate::risk::RiskId;
use crate::{Date, Plan, Risk};

/// Risks that a report names at most.
const TOP_RISKS: usize = 3;
/// From this score on, a risk puts a project at risk: likely enough, and it would hurt.
const SERIOUS: u8 = 12;

/// A status report.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Report {
    /// The plan it is about.
    pub plan_id: String,
    /// The day it was written on.
    pub as_of: Date,
    /// The whole in one word.
    pub state: State,
    /// The whole in a few sentences.
    pub summary: String,
    /// The whole in numbers.
    pub counts: Counts,
    /// Ids of the longest chain of tasks: a day lost there is a day lost.
    pub critical_path: Vec<String>,
    /// Ends of phases still to come, the next one first.
    pub next_milestones: Vec<Milestone>,
    /// The greatest risks, at most three.
    pub top_risks: Vec<Risk>,
}

/// How a project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing speaks against the plan.
    OnTrack,
    /// It may work; what speaks against it is among the risks.
    AtRisk,
    /// It cannot work as it stands: the tasks do not fit the time or the team.
    OffTrack,
}

impl State {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OnTrack => "on_track",
            Self::AtRisk => "at_risk",
            Self::OffTrack => "off_track",
        }
    }
}

/// A project in numbers. Tasks are counted by their dates: nobody tells yet what is really done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counts {
    /// Goals that have tasks of their own.
    pub goals: usize,
    /// All tasks.
    pub tasks: usize,
    /// Tasks that should be done.
    pub due: usize,
    /// Tasks that should have begun, and not be done.
    pub under_way: usize,
    /// Tasks that should not have begun.
    pub to_come: usize,
    /// People who have tasks.
    pub owners: usize,
    /// All risks.
    pub risks: usize,
    /// Risks with a score of 12 or more.
    pub serious_risks: usize,
}

/// The end of a phase.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Milestone {
    /// What is reached.
    pub name: String,
    /// When.
    pub date: Date,
}

impl Report {
    /// Reports on a plan as it should stand on a day.
    pub fn write(plan: &Plan, risks: &[Risk], as_of: Date) -> Self {
        let counts = count(plan, risks, as_of);
        let state = state(risks, counts);
        let critical_path = critical_path(plan);
        let next_milestones: Vec<Milestone> = plan
            .phases
            .iter()
            .filter(|phase| phase.end_date > as_of)
            .map(|phase| Milestone {
                name: format!("{} done", phase.name.as_str()),
                date: phase.end_date,
            })
            .collect();
        let summary = summary(plan, risks, state, counts, next_milestones.first(), as_of);
        Self {
            plan_id: plan.plan_id.clone(),
            as_of,
            state,
            summary,
            counts,
            critical_path,
            next_milestones,
            top_risks: risks.iter().take(TOP_RISKS).cloned().collect(),
        }
    }
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> usize {
    values.collect::<std::collections::BTreeSet<T>>().len()
}

fn count(plan: &Plan, risks: &[Risk], as_of: Date) -> Counts {
    let due = plan.tasks.iter().filter(|task| task.end_date <= as_of).count();
    let to_come = plan.tasks.iter().filter(|task| task.start_date > as_of).count();
    Counts {
        goals: distinct(plan.tasks.iter().filter_map(|task| task.goal.as_deref())),
        tasks: plan.tasks.len(),
        due,
        under_way: plan.tasks.len() - due - to_come,
        to_come,
        owners: distinct(plan.tasks.iter().filter_map(|task| task.owner.as_deref())),
        risks: risks.len(),
        serious_risks: risks.iter().filter(|risk| risk.score >= SERIOUS).count(),
    }
}

fn state(risks: &[Risk], counts: Counts) -> State {
    let probability =
        |id: RiskId| risks.iter().find(|risk| risk.id == id).map_or(0, |risk| risk.probability);
    // More than the time there is, or more than half as much again as the team can do.
    let does_not_fit = probability(RiskId::TightSchedule) >= 4
        || (counts.owners > 0 && probability(RiskId::TeamCapacity) >= 5);
    if does_not_fit {
        State::OffTrack
    } else if counts.serious_risks > 0 {
        State::AtRisk
    } else {
        State::OnTrack
    }
}

/// The chain of dependent tasks with the most work in it.
fn critical_path(plan: &Plan) -> Vec<String> {
    let place = |id: &String| plan.tasks.iter().position(|task| task.id == *id);
    // Work up to the end of each task, and the task before it on that chain.
    let mut chains: Vec<(f64, Option<usize>)> = Vec::with_capacity(plan.tasks.len());
    for task in &plan.tasks {
        let before = task
            .depends_on
            .iter()
            .filter_map(place)
            .filter(|before| *before < chains.len())
            .max_by(|a, b| chains[*a].0.total_cmp(&chains[*b].0));
        let days = before.map_or(0.0, |before| chains[before].0);
        chains.push((days + task.estimate_days, before));
    }
    let last = (0..chains.len()).max_by(|a, b| chains[*a].0.total_cmp(&chains[*b].0));
    let path = std::iter::successors(last, |task| chains[*task].1);
    let mut path: Vec<String> = path.map(|task| plan.tasks[task].id.clone()).collect();
    path.reverse();
    path
}

fn summary(
    plan: &Plan,
    risks: &[Risk],
    state: State,
    counts: Counts,
    next: Option<&Milestone>,
    as_of: Date,
) -> String {
    let state = match state {
        State::OnTrack => "is on track",
        State::AtRisk => "is at risk",
        State::OffTrack => "does not fit its time or its team",
    };
    let passed = plan.start_date.days_until(as_of).clamp(0, 7 * i64::from(plan.duration_weeks));
    let percent = passed * 100 / (7 * i64::from(plan.duration_weeks));
    let mut text = format!(
        "“{}” {state}. {percent}% of its {} weeks have passed; by plan {} of {} tasks are done and {} under way.",
        plan.name, plan.duration_weeks, counts.due, counts.tasks, counts.under_way
    );
    if let Some(next) = next {
        text += &format!(" Next: {} on {}.", next.name, next.date);
    }
    if let Some(top) = risks.first() {
        text += &format!(" Greatest risk ({} of 25): {}.", top.score, top.reason);
    }
    text
}
