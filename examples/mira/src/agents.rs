//! Those who do the work: four agents, each with an id that its log lines carry.

use core_types::Scope;
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::message::MessageType;
use crate::webhook::Event;
use crate::{Brief, Message, Plan, Project, Report, Risk, risk};

/// Makes plans of briefs.
pub const PROJECT_PLAN: &str = "project-plan-agent";
/// Tells what may go wrong.
pub const RISK_ASSESSMENT: &str = "risk-assessment-agent";
/// Tells how a project stands.
pub const STATUS_REPORT: &str = "status-report-agent";
/// Has the others do their part, one after the other.
pub const ORCHESTRATOR: &str = "orchestrator-agent";

/// All of them.
pub const ALL: [&str; 4] = [PROJECT_PLAN, RISK_ASSESSMENT, STATUS_REPORT, ORCHESTRATOR];

/// What came of a message. Which parts there are goes by the message type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Outcome {
    /// The plan that was made or asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// What may go wrong, the greatest risk first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risks: Option<Vec<Risk>>,
    /// How the project stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
    /// The event that it began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
}

/// What the agents made of a message.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) outcome: Outcome,
    /// A plan that was not there before, to be kept for later messages.
    pub(crate) made: Option<Project>,
}

/// What a message is about, with everything that the agents need to know of it.
#[derive(Debug)]
pub(crate) enum Subject {
    Brief(Brief),
    Project(Project),
    Event(Event),
}

/// The scope of a message's work: every line inside it says who works on what, and for whom.
pub(crate) fn scope(message: &Message) -> Scope {
    message
        .origin
        .refine(Scope::new(message.correlation_id.clone()))
        .with_workflow_id(message.message_id.as_str())
        .with_task_id(format!("{}/{}", message.message_id, message.message_type.as_str()))
        .with_agent_id(message.message_type.agent())
}

/// Does a message, inside its [`scope`].
///
/// The same message always gives the same outcome, so that it may be done twice.
pub(crate) fn work(message: &Message, subject: Subject) -> Work {
    let agents = Agents { message };
    match subject {
        Subject::Brief(brief) if message.message_type == MessageType::AssessRisks => Work {
            outcome: Outcome { risks: Some(agents.assess(&brief)), ..Outcome::default() },
            made: None,
        },
        Subject::Brief(brief) => {
            let project = agents.plan(brief);
            Work { outcome: agents.outcome(&project), made: Some(project) }
        }
        Subject::Project(project) => Work { outcome: agents.outcome(&project), made: None },
        Subject::Event(event) => agents.look_at(event),
    }
}

struct Agents<'m> {
    message: &'m Message,
}

impl Agents<'_> {
    /// An agent's turn, in a scope of its own.
    fn turn<T>(&self, agent: &'static str, task: &str, work: impl FnOnce() -> T) -> T {
        Scope::child()
            .with_agent_id(agent)
            .with_task_id(format!("{}/{task}", self.message.message_id))
            .run(work)
    }

    /// The plan's id follows from the message's, so that doing it twice makes one plan.
    fn plan(&self, brief: Brief) -> Project {
        self.turn(PROJECT_PLAN, "plan", || {
            let project = Project::plan(brief, format!("plan-{}", self.message.message_id));
            let plan = &project.plan;
            info!(plan_id = plan.plan_id, tasks = plan.tasks.len(), "Plan made");
            project
        })
    }

    fn assess(&self, brief: &Brief) -> Vec<Risk> {
        self.turn(RISK_ASSESSMENT, "risks", || {
            let risks = risk::assess(brief);
            info!(risks = risks.len(), "Risks assessed");
            risks
        })
    }

    fn report(&self, plan: &Plan, risks: &[Risk]) -> Report {
        self.turn(STATUS_REPORT, "report", || {
            let report = Report::write(plan, risks, self.message.received_on());
            info!(plan_id = plan.plan_id, state = report.state.as_str(), "Report written");
            report
        })
    }

    /// The parts that the message type asks for.
    fn outcome(&self, project: &Project) -> Outcome {
        let risks = self.assess(&project.brief);
        let message_type = self.message.message_type;
        if message_type == MessageType::AssessRisks {
            return Outcome { risks: Some(risks), ..Outcome::default() };
        }
        let report = self.report(&project.plan, &risks);
        let risks = (message_type != MessageType::GenerateReport).then_some(risks);
        Outcome { plan: Some(project.plan.clone()), risks, report: Some(report), event: None }
    }

    /// An event that tells of a project is planned; any other is recorded.
    fn look_at(&self, mut event: Event) -> Work {
        self.turn(ORCHESTRATOR, "event", || {
            let brief = event.brief.take();
            info!(event = event.name, is_planned = brief.is_some(), "Event looked at");
            match brief.map(|brief| self.plan(brief)) {
                None => Work {
                    outcome: Outcome { event: Some(event), ..Outcome::default() },
                    made: None,
                },
                Some(project) => Work {
                    outcome: Outcome { event: Some(event), ..self.outcome(&project) },
                    made: Some(project),
                },
            }
        })
    }
}
