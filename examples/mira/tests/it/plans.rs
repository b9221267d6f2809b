use std::collections::HashMap;

use mira::plan::{Phase, Plan, Project, Task};
use mira::report::Report;
use mira::{Date, risk};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{any_brief, brief, today};

fn plan(data: &serde_json::Value) -> Plan {
    Project::plan(brief(data), "plan-1".into()).plan
}

fn by_id(plan: &Plan) -> HashMap<&str, &Task> {
    let tasks: HashMap<&str, &Task> = plan.tasks.iter().map(|task| (&*task.id, task)).collect();
    assert_eq!(tasks.len(), plan.tasks.len(), "each id is there once");
    tasks
}

/// Takes out tasks that depend on nothing left, until none is left; fails if there is a circle.
fn assert_acyclic(plan: &Plan) {
    let mut left: Vec<&Task> = plan.tasks.iter().collect();
    while !left.is_empty() {
        let is_left = |id: &String| left.iter().any(|task| task.id == *id);
        let (waiting, free): (Vec<&Task>, Vec<&Task>) =
            left.iter().partition(|task| task.depends_on.iter().any(is_left));
        assert!(!free.is_empty(), "a circle among {:?}", waiting.iter().map(|t| &t.id));
        left = waiting;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tasks_form_no_circle_and_dates_respect_it(brief in any_brief()) {
        let plan = Project::plan(brief, "plan-1".into()).plan;
        assert_acyclic(&plan);
        let tasks = by_id(&plan);
        for task in &plan.tasks {
            prop_assert!(task.start_date <= task.end_date);
            prop_assert!(task.estimate_days > 0.0);
            for before in &task.depends_on {
                prop_assert!(tasks[&**before].end_date <= task.start_date, "{} {before}", task.id);
                prop_assert!(tasks[&**before].phase <= task.phase);
            }
        }
    }

    #[test]
    fn the_span_is_exactly_what_was_asked_for(brief in any_brief()) {
        let (start, weeks) = (brief.start_date, brief.duration_weeks);
        let plan = Project::plan(brief, "plan-1".into()).plan;
        prop_assert_eq!((plan.start_date, plan.duration_weeks), (start, weeks));
        prop_assert_eq!(plan.end_date, start.plus_days(7 * u32::from(weeks)));
        prop_assert_eq!(plan.tasks.iter().map(|task| task.start_date).min(), Some(start));
        prop_assert_eq!(plan.tasks.iter().map(|task| task.end_date).max(), Some(plan.end_date));
        prop_assert_eq!(plan.tasks.last().map(|task| task.end_date), Some(plan.end_date));
        // The phases tile it.
        let names: Vec<Phase> = plan.phases.iter().map(|phase| phase.name).collect();
        prop_assert_eq!(&names[..], &Phase::ALL);
        let mut at = start;
        for phase in &plan.phases {
            prop_assert_eq!(phase.start_date, at);
            prop_assert!(phase.end_date > at, "each phase has a day");
            at = phase.end_date;
        }
        prop_assert_eq!(at, plan.end_date);
        for task in &plan.tasks {
            let phase = plan.phases.iter().find(|phase| phase.name == task.phase).expect("its phase");
            prop_assert!(phase.start_date <= task.start_date && task.end_date <= phase.end_date);
        }
    }

    #[test]
    fn each_goal_has_tasks_and_owners_are_in_the_team(brief in any_brief()) {
        let plan = Project::plan(brief.clone(), "plan-1".into()).plan;
        for goal in &brief.goals {
            prop_assert!(plan.tasks.iter().any(|task| task.goal.as_ref() == Some(goal)), "{goal}");
        }
        let names: Vec<&str> = brief.workers().map(|member| &*member.name).collect();
        for task in &plan.tasks {
            match &task.owner {
                Some(owner) => prop_assert!(names.contains(&owner.as_str())),
                None => prop_assert!(names.is_empty()),
            }
        }
    }

    #[test]
    fn nobody_has_two_tasks_at_once(brief in any_brief()) {
        let plan = Project::plan(brief, "plan-1".into()).plan;
        for (i, one) in plan.tasks.iter().enumerate().filter(|(_, task)| task.owner.is_some()) {
            for other in plan.tasks[i + 1..].iter().filter(|other| other.owner == one.owner) {
                let overlap = one.start_date < other.end_date && other.start_date < one.end_date;
                prop_assert!(!overlap, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_same_brief_gives_the_same_plan_and_it_survives_json(brief in any_brief()) {
        let project = Project::plan(brief.clone(), "plan-1".into());
        prop_assert_eq!(&project, &Project::plan(brief, "plan-1".into()));
        let text = serde_json::to_string(&project).expect("JSON");
        prop_assert!(text.len() < 512 * 1024, "{} bytes", text.len());
        prop_assert_eq!(project, serde_json::from_str::<Project>(&text).expect("a project"));
    }

    #[test]
    fn a_report_counts_what_the_plan_has(brief in any_brief(), day in 0u32..2_000) {
        let project = Project::plan(brief, "plan-1".into());
        let risks = risk::assess(&project.brief);
        let as_of = project.plan.start_date.plus_days(day);
        let report = Report::write(&project.plan, &risks, as_of);
        let counts = report.counts;
        prop_assert_eq!(counts.due + counts.under_way + counts.to_come, counts.tasks);
        prop_assert_eq!(counts.tasks, project.plan.tasks.len());
        // The critical path is a chain from a task without to one that is last.
        let tasks = by_id(&project.plan);
        for pair in report.critical_path.windows(2) {
            prop_assert!(tasks[&*pair[1]].depends_on.contains(&pair[0]));
        }
        prop_assert!(tasks[&*report.critical_path[0]].depends_on.is_empty());
        let last = report.critical_path.last().and_then(|id| tasks.get(&**id)).expect("a last");
        prop_assert_eq!(last.end_date, project.plan.end_date);
        for milestone in &report.next_milestones {
            prop_assert!(milestone.date > as_of);
        }
    }
}

#[test]
fn a_plan_of_a_small_team_can_be_followed_by_hand() {
    let plan = plan(&json!({
        "name": "Shop",
        "goals": ["Sell 100 articles", "Launch by May 1"],
        "duration_weeks": 8,
        "team": ["Ada", { "name": "Grace", "availability": 0.5 }, { "name": "Sponsor", "availability": 0 }],
    }));
    let rows: Vec<String> = plan
        .tasks
        .iter()
        .map(|task| {
            let (id, title, after) = (&task.id, &task.title, task.depends_on.join(" "));
            let owner = task.owner.as_deref().unwrap_or("nobody");
            format!("{id} {}..{} {owner}: {title} ({after})", task.start_date, task.end_date)
        })
        .collect();
    assert_eq!(
        rows,
        [
            "T001 2026-01-05..2026-01-07 Ada: Agree on scope and success criteria ()",
            "T002 2026-01-05..2026-01-07 Grace: Agree on roles and ways of working ()",
            "T003 2026-01-07..2026-01-09 Ada: Kick off (T001 T002)",
            "T004 2026-01-09..2026-01-12 Ada: Specify: Sell 100 articles (T003)",
            "T005 2026-01-09..2026-01-13 Grace: Specify: Launch by May 1 (T003)",
            "T006 2026-01-13..2026-01-16 Grace: Set up the risk register (T003)",
            "T007 2026-01-13..2026-01-19 Ada: Design the solution (T004 T005)",
            "T008 2026-01-19..2026-01-20 Ada: Agree on the plan (T007 T006)",
            "T009 2026-01-20..2026-01-30 Ada: Carry out: Sell 100 articles (T008)",
            "T010 2026-01-30..2026-02-05 Grace: Check: Sell 100 articles (T009)",
            "T011 2026-01-30..2026-02-12 Ada: Carry out: Launch by May 1 (T008 T009)",
            "T012 2026-02-12..2026-02-17 Ada: Check: Launch by May 1 (T011)",
            "T013 2026-02-17..2026-02-20 Ada: Verify the whole against its goals (T010 T012)",
            "T014 2026-02-20..2026-02-25 Ada: Correct what was found (T013)",
            "T015 2026-02-25..2026-03-02 Ada: Hand over and close (T014)",
        ]
    );
}

#[test]
fn what_finishes_comes_after_what_is_built() {
    let plan =
        plan(&json!({ "name": "x", "goals": ["Build 1 thing", "Deploy it", "Build 2 more"] }));
    let carry_out = |goal: &str| {
        let serves = |task: &&Task| {
            task.goal.as_deref() == Some(goal) && task.title.starts_with("Carry out")
        };
        plan.tasks.iter().find(serves).expect("one").clone()
    };
    let (built, deployed, later) =
        (carry_out("Build 1 thing"), carry_out("Deploy it"), carry_out("Build 2 more"));
    assert!(deployed.depends_on.contains(&built.id));
    assert!(!deployed.depends_on.contains(&later.id));
}

#[test]
fn only_a_name_is_needed() {
    let plan = plan(&json!({ "name": "Shop" }));
    assert_eq!((plan.start_date, plan.duration_weeks), (today(), 12));
    assert_eq!(plan.end_date, "2026-03-30".parse::<Date>().expect("a day"));
    assert!(plan.tasks.iter().all(|task| task.goal.is_none() && task.owner.is_none()));
    assert!(plan.tasks.iter().any(|task| task.title == "Carry out: Shop"));
}

/// The longest brief that is allowed gives a result that NATS takes (1 MiB).
#[test]
fn the_longest_brief_gives_a_result_that_fits() {
    let wide = |n: usize| "\u{10000}".repeat(n);
    let plan = Project::plan(
        brief(&json!({
            "name": wide(200),
            "description": wide(10_000),
            "goals": (0..50).map(|i| format!("{i:02}{}", wide(498))).collect::<Vec<_>>(),
            "team": (0..100).map(|i| format!("{i:03}{}", wide(197))).collect::<Vec<_>>(),
        })),
        "plan-1".into(),
    );
    let bytes = serde_json::to_vec(&plan).expect("JSON").len();
    assert!(bytes < 900 * 1024, "{bytes} bytes");
}
