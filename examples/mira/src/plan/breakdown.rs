use super::goal::{build_hours, is_finishing};
use super::{HOURS_OF_A_DAY, Phase};
use crate::Brief;

/// Characters of a goal in the title of a task. The whole goal stands beside it.
const MAX_TITLE: usize = 80;

/// The work of a project, before anybody or any day is found for it.
#[derive(Debug)]
pub(crate) struct Breakdown {
    /// Each task stands after those that it depends on, so there is no circle.
    pub(crate) tasks: Vec<Work>,
}

/// One piece of work.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) phase: Phase,
    pub(crate) title: String,
    /// Which goal it serves; none if it serves all.
    pub(crate) goal: Option<usize>,
    pub(crate) hours: u32,
    /// Indices of the tasks that must end before. Each phase begins after the one before is done.
    pub(crate) after: Vec<usize>,
}

impl Breakdown {
    /// What must be done for a brief. It depends on the goals alone.
    pub(crate) fn of(brief: &Brief) -> Self {
        let mut tasks = Tasks(Vec::new());
        let goals = u32::try_from(brief.goals.len()).unwrap_or(u32::MAX);
        // A project without goals has one: itself.
        let subjects: Vec<(Option<usize>, &str)> = match &brief.goals[..] {
            [] => vec![(None, brief.name.as_str())],
            goals => goals.iter().enumerate().map(|(i, goal)| (Some(i), goal.as_str())).collect(),
        };

        let scope = tasks.add(Phase::Initiation, "Agree on scope and success criteria", 8, &[]);
        let people = tasks.add(Phase::Initiation, "Agree on roles and ways of working", 4, &[]);
        let start = tasks.add(Phase::Initiation, "Kick off", 4, &[scope, people]);

        let specified: Vec<usize> = subjects
            .iter()
            .map(|(goal, text)| tasks.serve(*goal, Phase::Planning, "Specify", text, 4, &[start]))
            .collect();
        let risks = tasks.add(Phase::Planning, "Set up the risk register", 4, &[start]);
        let design = tasks.add(Phase::Planning, "Design the solution", 8 + 2 * goals, &specified);
        let ready = tasks.add(Phase::Planning, "Agree on the plan", 2, &[design, risks]);

        let mut built: Vec<(bool, usize)> = Vec::new();
        let mut checked = Vec::new();
        for (goal, text) in &subjects {
            let is_finishing = is_finishing(text);
            let mut after = vec![ready];
            if is_finishing {
                after.extend(built.iter().filter(|(last, _)| !last).map(|(_, task)| *task));
            }
            let hours = build_hours(text);
            let build = tasks.serve(*goal, Phase::Execution, "Carry out", text, hours, &after);
            let check = tasks.serve(*goal, Phase::Execution, "Check", text, hours / 4, &[build]);
            built.push((is_finishing, build));
            checked.push(check);
        }

        let verify =
            tasks.add(Phase::Closing, "Verify the whole against its goals", 8 + goals, &checked);
        let correct = tasks.add(Phase::Closing, "Correct what was found", 8, &[verify]);
        tasks.add(Phase::Closing, "Hand over and close", 8, &[correct]);
        Self { tasks: tasks.0 }
    }

    /// Days of work of one person, in all.
    pub(crate) fn effort_days(&self) -> f64 {
        f64::from(self.tasks.iter().map(|work| work.hours).sum::<u32>()) / f64::from(HOURS_OF_A_DAY)
    }

    /// Days that the longest chain of dependent tasks takes, however many people there are.
    pub(crate) fn longest_chain_days(&self) -> f64 {
        let longest = self.hours_from().into_iter().max().unwrap_or(0);
        f64::from(longest) / f64::from(HOURS_OF_A_DAY)
    }

    /// For each task the hours from its start to the end of all that depends on it.
    pub(crate) fn hours_from(&self) -> Vec<u32> {
        let mut hours: Vec<u32> = vec![0; self.tasks.len()];
        for (index, work) in self.tasks.iter().enumerate().rev() {
            // What depends on it stands behind it and has added itself already.
            hours[index] += work.hours;
            for before in &work.after {
                hours[*before] = hours[*before].max(hours[index]);
            }
        }
        hours
    }
}

struct Tasks(Vec<Work>);

impl Tasks {
    fn add(&mut self, phase: Phase, title: &str, hours: u32, after: &[usize]) -> usize {
        self.push(Work { phase, title: title.into(), goal: None, hours, after: after.into() })
    }

    fn serve(
        &mut self,
        goal: Option<usize>,
        phase: Phase,
        verb: &str,
        subject: &str,
        hours: u32,
        after: &[usize],
    ) -> usize {
        let mut title: String = format!("{verb}: {subject}").chars().take(MAX_TITLE).collect();
        if title.len() < verb.len() + 2 + subject.len() {
            title.push('…');
        }
        self.push(Work { phase, title, goal, hours, after: after.into() })
    }

    fn push(&mut self, work: Work) -> usize {
        self.0.push(work);
        self.0.len() - 1
    }
}
