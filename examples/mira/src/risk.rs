//! What may go wrong with a project, told from its brief.

use serde::{Deserialize, Serialize};

use crate::Brief;
use crate::date::WORKING_DAYS;
use crate::plan::{Breakdown, is_vague, names_outside};

/// Something that may go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Risk {
    /// Which it is.
    pub id: RiskId,
    /// What may happen, in a few words.
    pub title: String,
    /// How likely it is: 1 (hardly) to 5 (nearly certain).
    pub probability: u8,
    /// How much it would hurt: 1 (hardly) to 5 (the project fails).
    pub impact: u8,
    /// Probability times impact: 1 to 25.
    pub score: u8,
    /// What in the brief it follows from.
    pub reason: String,
    /// What can be done about it.
    pub mitigation: String,
}

/// The risks that are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RiskId {
    /// The longest chain of tasks takes much of the time, or more. Always assessed.
    TightSchedule,
    /// The work takes much of the team's time, or more. Always assessed.
    TeamCapacity,
    /// Fewer than three people work on it.
    SmallTeam,
    /// No goals at all.
    NoGoals,
    /// Goals of which nobody could tell when they are reached.
    VagueGoals,
    /// More goals than can be kept in view.
    ManyGoals,
    /// Goals that need people, systems or rules outside.
    OutsideDependencies,
    /// So long that the ground will move.
    LongSpan,
    /// Nothing but a name.
    MissingDescription,
}

/// The risks of a project, the greatest first. The same brief always has the same risks.
///
/// Less time never lowers the score of [`RiskId::TightSchedule`], and more people never raise that
/// of [`RiskId::TeamCapacity`].
pub fn assess(brief: &Brief) -> Vec<Risk> {
    let breakdown = Breakdown::of(brief);
    let mut risks: Vec<Risk> = [
        Some(tight_schedule(brief, &breakdown)),
        Some(team_capacity(brief, &breakdown)),
        small_team(brief),
        goals(brief),
        many_goals(brief),
        outside_dependencies(brief),
        long_span(brief),
        missing_description(brief),
    ]
    .into_iter()
    .flatten()
    .collect();
    risks.sort_by_key(|risk| (std::cmp::Reverse(risk.score), risk.id));
    risks
}

fn risk(
    id: RiskId,
    (probability, impact): (u8, u8),
    title: &str,
    reason: String,
    mitigation: &str,
) -> Risk {
    Risk {
        id,
        title: title.into(),
        probability,
        impact,
        score: probability * impact,
        reason,
        mitigation: mitigation.into(),
    }
}

/// How likely it is that what needs this part of what there is does not fit.
fn pressure(part: f64) -> u8 {
    match part {
        part if part <= 0.5 => 1,
        part if part <= 0.75 => 2,
        part if part <= 1.0 => 3,
        part if part <= 1.5 => 4,
        _ => 5,
    }
}

fn working_days(brief: &Brief) -> f64 {
    f64::from(u32::from(brief.duration_weeks) * WORKING_DAYS)
}

fn tight_schedule(brief: &Brief, breakdown: &Breakdown) -> Risk {
    let (needed, days) = (breakdown.longest_chain_days(), working_days(brief));
    risk(
        RiskId::TightSchedule,
        (pressure(needed / days), 4),
        "The time may not be enough",
        format!("the longest chain of tasks takes {needed:.1} of {days} working days"),
        "Take goals out, or give it more weeks; more people do not shorten a chain of tasks.",
    )
}

fn team_capacity(brief: &Brief, breakdown: &Breakdown) -> Risk {
    let effort = breakdown.effort_days();
    let percent: u32 = brief.workers().map(crate::brief::Member::percent).sum();
    let (probability, reason) = if percent == 0 {
        (5, format!("{effort:.1} days of work, and nobody in the team to do it"))
    } else {
        let capacity = f64::from(percent) / 100.0 * working_days(brief);
        (
            pressure(effort / capacity),
            format!("{effort:.1} days of work, and {capacity:.1} days that the team has for it"),
        )
    };
    risk(
        RiskId::TeamCapacity,
        (probability, 4),
        "The team may have too little time",
        reason,
        "Add people or raise their availability, or take goals out.",
    )
}

fn small_team(brief: &Brief) -> Option<Risk> {
    let workers = brief.workers().count();
    let (probability, reason) = match workers {
        0 => (5, "nobody is named who works on it"),
        1 => (4, "one person works on it; if that person is away, nothing moves"),
        2 => (2, "two people work on it; if one is away, half of the knowledge is"),
        _ => return None,
    };
    Some(risk(
        RiskId::SmallTeam,
        (probability, 3),
        "Too much rests on too few",
        reason.into(),
        "Name a second person for each task, and write down what only one knows.",
    ))
}

fn goals(brief: &Brief) -> Option<Risk> {
    if brief.goals.is_empty() {
        return Some(risk(
            RiskId::NoGoals,
            (4, 3),
            "Nobody can tell when it is done",
            "no goals are named".into(),
            "Name the goals, each with a number or a date to know it by.",
        ));
    }
    let vague: Vec<&str> = brief.goals.iter().map(String::as_str).filter(|g| is_vague(g)).collect();
    let first = vague.first()?;
    let probability = match (vague.len() * 2, brief.goals.len()) {
        (_, all) if vague.len() == all => 4,
        (twice, all) if twice >= all => 3,
        _ => 2,
    };
    Some(risk(
        RiskId::VagueGoals,
        (probability, 3),
        "Goals may be understood differently",
        format!(
            "{} of {} goals have nothing to be measured by, such as “{}”",
            vague.len(),
            brief.goals.len(),
            first.chars().take(80).collect::<String>()
        ),
        "Say for each goal by which number or date it is known to be reached.",
    ))
}

fn many_goals(brief: &Brief) -> Option<Risk> {
    let goals = brief.goals.len();
    let probability = match goals {
        0..=8 => return None,
        9..=15 => 3,
        16..=30 => 4,
        _ => 5,
    };
    Some(risk(
        RiskId::ManyGoals,
        (probability, 3),
        "The goals may compete with each other",
        format!("{goals} goals are to be reached at once"),
        "Rank the goals, and move the last third to a project of its own.",
    ))
}

fn outside_dependencies(brief: &Brief) -> Option<Risk> {
    let outside: Vec<&String> = brief.goals.iter().filter(|goal| names_outside(goal)).collect();
    let first = outside.first()?;
    let probability = match outside.len() {
        1 => 2,
        2..=3 => 3,
        _ => 4,
    };
    Some(risk(
        RiskId::OutsideDependencies,
        (probability, 4),
        "Others may not move in time",
        format!(
            "{} of {} goals need people, systems or rules outside, such as “{}”",
            outside.len(),
            brief.goals.len(),
            first.chars().take(80).collect::<String>()
        ),
        "Agree on dates with those others during planning, and check them every week.",
    ))
}

fn long_span(brief: &Brief) -> Option<Risk> {
    let weeks = brief.duration_weeks;
    let probability = match weeks {
        0..=26 => return None,
        27..=52 => 2,
        53..=104 => 3,
        _ => 4,
    };
    Some(risk(
        RiskId::LongSpan,
        (probability, 3),
        "The ground may move under the plan",
        format!("it takes {weeks} weeks"),
        "Deliver in steps of at most a quarter of a year, and plan anew after each.",
    ))
}

fn missing_description(brief: &Brief) -> Option<Risk> {
    brief.description.is_empty().then(|| {
        risk(
            RiskId::MissingDescription,
            (3, 2),
            "The purpose may be misunderstood",
            "the brief has no description".into(),
            "Write down in a few sentences whom it is for, and why now.",
        )
    })
}
