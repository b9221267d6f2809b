use super::{Breakdown, Phase};
use crate::Brief;

/// When each task is done, in hours of work from the start, and by whom.
///
/// Hours are those that the work takes; the days of a plan are stretched or pressed to them.
#[derive(Debug)]
pub(crate) struct Schedule {
    slots: Vec<Slot>,
    /// The hour at which each phase ends.
    phase_ends: [u64; Phase::ALL.len()],
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    start: u64,
    end: u64,
    owner: Option<usize>,
}

/// Somebody with time for the project.
struct Worker {
    /// Place in the team.
    member: usize,
    percent: u64,
    /// The hour from which on there is nothing to do.
    free: u64,
    /// Hours of work taken on.
    load: u64,
}

impl Schedule {
    /// Gives the tasks to the team, the ones that most depends on first.
    ///
    /// Each task goes to whoever has it done soonest, among equals to whoever has done least. Without
    /// anybody, tasks wait for those that they depend on, and for nothing else.
    pub(crate) fn of(breakdown: &Breakdown, brief: &Brief) -> Self {
        let urgency = breakdown.hours_from();
        let mut workers: Vec<Worker> = (0..)
            .zip(&brief.team)
            .map(|(member, person)| (member, u64::from(person.percent())))
            .filter(|(_, percent)| *percent > 0)
            .map(|(member, percent)| Worker { member, percent, free: 0, load: 0 })
            .collect();
        let mut slots: Vec<Option<Slot>> = vec![None; breakdown.tasks.len()];
        for _ in 0..slots.len() {
            let is_ready = |index: &usize| {
                slots[*index].is_none()
                    && breakdown.tasks[*index].after.iter().all(|before| slots[*before].is_some())
            };
            let next = (0..slots.len())
                .filter(is_ready)
                .min_by_key(|index| (std::cmp::Reverse(urgency[*index]), *index))
                .expect("tasks stand behind what they depend on, so one is always ready");
            let work = &breakdown.tasks[next];
            let ready = work.after.iter().filter_map(|before| slots[*before]).map(|slot| slot.end);
            let ready = ready.max().unwrap_or(0);
            slots[next] = Some(take(&mut workers, ready, u64::from(work.hours)));
        }
        let slots: Vec<Slot> = slots.into_iter().flatten().collect();
        let phase_ends = Phase::ALL.map(|phase| {
            let tasks = breakdown.tasks.iter().zip(&slots).filter(|(work, _)| work.phase == phase);
            tasks.map(|(_, slot)| slot.end).max().expect("each phase has tasks")
        });
        Self { slots, phase_ends }
    }

    pub(crate) fn owner(&self, task: usize) -> Option<usize> {
        self.slots[task].owner
    }

    /// Divides so many working days among the phases by their hours, at least one day each. The
    /// first bound is 0, the last is `days`.
    pub(crate) fn phase_bounds(&self, days: u32) -> [u32; Phase::ALL.len() + 1] {
        let phases = u32::try_from(Phase::ALL.len()).expect("a few");
        let mut bounds = [0; Phase::ALL.len() + 1];
        let total = self.phase_ends[Phase::ALL.len() - 1];
        for (phase, end) in (1..).zip(self.phase_ends) {
            let share = (end * u64::from(days) + total / 2) / total;
            let share = u32::try_from(share).expect("no more than all days");
            let place = usize::try_from(phase).expect("a few");
            bounds[place] = share.clamp(bounds[place - 1] + 1, days - (phases - phase));
        }
        bounds
    }

    /// The working days at which a task starts and ends, between the bounds of its phase.
    ///
    /// The same steady function gives all of them, so what is in order by the hour is in order by
    /// the day.
    pub(crate) fn days_of(&self, task: usize, phase: Phase, bounds: &[u32]) -> (u32, u32) {
        let place = Phase::ALL.iter().position(|known| *known == phase).expect("all are there");
        let first = if place == 0 { 0 } else { self.phase_ends[place - 1] };
        let hours = self.phase_ends[place] - first;
        let (from, to) = (u64::from(bounds[place]), u64::from(bounds[place + 1]));
        let day = |hour: u64| {
            let day = from + (hour - first) * (to - from) / hours;
            u32::try_from(day).expect("within the bounds")
        };
        let slot = self.slots[task];
        (day(slot.start), day(slot.end))
    }
}

fn take(workers: &mut [Worker], ready: u64, hours: u64) -> Slot {
    let start = |worker: &Worker| ready.max(worker.free);
    let end = |worker: &Worker| start(worker) + (hours * 100).div_ceil(worker.percent);
    match workers.iter_mut().min_by_key(|worker| (end(worker), worker.load, worker.member)) {
        None => Slot { start: ready, end: ready + hours, owner: None },
        Some(worker) => {
            let slot = Slot { start: start(worker), end: end(worker), owner: Some(worker.member) };
            worker.free = slot.end;
            worker.load += hours;
            slot
        }
    }
}
