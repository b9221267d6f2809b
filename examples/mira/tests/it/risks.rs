use mira::Brief;
use mira::plan::Project;
use mira::report::{Report, State};
use mira::risk::{self, RiskId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{any_brief, brief, today};

fn score(brief: &Brief, id: RiskId) -> u8 {
    risk::assess(brief).iter().find(|risk| risk.id == id).map_or(0, |risk| risk.score)
}

fn scores(data: &Value) -> Vec<(RiskId, u8)> {
    risk::assess(&brief(data)).iter().map(|risk| (risk.id, risk.score)).collect()
}

proptest! {
    #[test]
    fn half_the_time_never_lowers_the_schedule_risk(brief in any_brief()) {
        let mut shorter = brief.clone();
        shorter.duration_weeks = (brief.duration_weeks / 2).max(1);
        let id = RiskId::TightSchedule;
        prop_assert!(score(&shorter, id) >= score(&brief, id));
        prop_assert!(score(&shorter, RiskId::TeamCapacity) >= score(&brief, RiskId::TeamCapacity));
        prop_assert!(score(&shorter, RiskId::LongSpan) <= score(&brief, RiskId::LongSpan));
    }

    #[test]
    fn more_people_never_raise_the_capacity_risk(brief in any_brief(), percent in 0u32..=100) {
        let mut more = brief.clone();
        more.team.push(mira::brief::Member {
            name: "One more".into(),
            role: None,
            availability: f64::from(percent) / 100.0,
        });
        for id in [RiskId::TeamCapacity, RiskId::SmallTeam, RiskId::TightSchedule] {
            prop_assert!(score(&more, id) <= score(&brief, id), "{id:?}");
        }
    }

    #[test]
    fn more_goals_never_lower_what_the_work_weighs(brief in any_brief(), goal in "[a-z ]{0,40}[a-z]") {
        prop_assume!(brief.goals.len() < 50);
        let mut more = brief.clone();
        more.goals.push(goal);
        // A project without goals has itself as its only one, of other length.
        prop_assume!(!brief.goals.is_empty());
        for id in [RiskId::TightSchedule, RiskId::TeamCapacity, RiskId::ManyGoals] {
            prop_assert!(score(&more, id) >= score(&brief, id), "{id:?}");
        }
    }

    #[test]
    fn risks_are_ranked_and_whole(brief in any_brief()) {
        let risks = risk::assess(&brief);
        prop_assert!(risks.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for risk in &risks {
            prop_assert_eq!(risk.score, risk.probability * risk.impact);
            prop_assert!((1..=5).contains(&risk.probability) && (1..=5).contains(&risk.impact));
            prop_assert!(!risk.reason.is_empty() && !risk.mitigation.is_empty());
            prop_assert_eq!(risks.iter().filter(|other| other.id == risk.id).count(), 1);
        }
    }
}

#[test]
fn risks_follow_from_the_brief() {
    let sound = json!({
        "name": "Shop",
        "description": "Sell what we make.",
        "goals": ["Serve 100 customers per day", "Answer within 2 seconds"],
        "duration_weeks": 16,
        "team": ["Ada", "Grace", "Edsger"],
    });
    let with = |change: Value| {
        let mut data = sound.clone();
        data.as_object_mut().expect("a table").extend(change.as_object().expect("one").clone());
        scores(&data)
    };
    let none = with(json!({}));
    assert_eq!(none, [(RiskId::TightSchedule, 4), (RiskId::TeamCapacity, 4)]);

    let raised = |change: Value| -> Vec<RiskId> {
        let score = |id| none.iter().find(|(known, _)| *known == id).map_or(0, |(_, score)| *score);
        with(change).into_iter().filter(|(id, now)| *now > score(*id)).map(|(id, _)| id).collect()
    };
    assert_eq!(
        raised(json!({ "duration_weeks": 1 })),
        [RiskId::TightSchedule, RiskId::TeamCapacity]
    );
    assert_eq!(raised(json!({ "team": ["Ada"] })), [RiskId::SmallTeam]);
    assert_eq!(raised(json!({ "team": ["Ada", "Grace"] })), [RiskId::SmallTeam]);
    assert_eq!(raised(json!({ "team": [] })), [RiskId::TeamCapacity, RiskId::SmallTeam]);
    assert_eq!(raised(json!({ "goals": ["Be better", "Grow"] })), [RiskId::VagueGoals]);
    assert_eq!(raised(json!({ "goals": [] })), [RiskId::NoGoals]);
    assert_eq!(
        raised(json!({ "goals": ["Integrate 2 payment vendors"] })),
        [RiskId::OutsideDependencies]
    );
    assert_eq!(raised(json!({ "duration_weeks": 60 })), [RiskId::LongSpan]);
    assert_eq!(raised(json!({ "description": "" })), [RiskId::MissingDescription]);
    let many: Vec<String> = (0..9).map(|i| format!("Reach {i} of them")).collect();
    assert!(raised(json!({ "goals": many })).contains(&RiskId::ManyGoals));
}

#[test]
fn a_report_says_what_does_not_fit() {
    let state = |data: Value| {
        let project = Project::plan(brief(&data), "plan-1".into());
        Report::write(&project.plan, &risk::assess(&project.brief), today()).state
    };
    let goals: Vec<String> = (0..4).map(|i| format!("Reach {i} of all 4")).collect();
    let data = |weeks: u16, people: usize| {
        let team: Vec<String> = (0..people).map(|i| format!("P{i}")).collect();
        json!({ "name": "x", "description": "y", "goals": goals, "duration_weeks": weeks, "team": team })
    };
    assert_eq!(state(data(26, 4)), State::OnTrack);
    assert_eq!(state(data(26, 0)), State::AtRisk);
    assert_eq!(state(data(1, 4)), State::OffTrack, "the chain of tasks is longer than a week");
    assert_eq!(state(data(3, 1)), State::OffTrack, "one person cannot do it in three weeks");
}
