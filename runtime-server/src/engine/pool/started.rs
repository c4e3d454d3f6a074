//! The calls that a VM was given and that have no answer yet.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use serde_json::value::RawValue;

use super::group::{Part, Queued};
use super::job::Answer;
use crate::engine::{Answered, CallError, MOST_CALLS, Outcome};

/// The calls of a VM that have started, by their numbers.
#[derive(Default)]
pub(super) struct Started {
    single: FxHashMap<u64, Single>,
    /// By the numbers of their groups' first calls.
    groups: BTreeMap<u64, Open>,
}

struct Single {
    answer: Answer,
    until: Option<Instant>,
}

/// A group of which some calls have no answer yet.
struct Open {
    queued: Arc<Queued>,
    places: Places,
}

/// Places in a group, a bit for each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Places(u64);

const _: () = assert!(MOST_CALLS <= u64::BITS as usize, "each call of a group has a bit");

/// Calls that are to be answered: they are not among those that have started any more.
pub(super) enum Ended {
    Single(u64, Answer),
    Grouped(Arc<Queued>, Places),
}

impl Started {
    pub(super) fn add(&mut self, id: u64, answer: Answer, until: Option<Instant>) {
        self.single.insert(id, Single { answer, until });
    }

    /// All calls of a part of a group.
    pub(super) fn add_part(&mut self, part: &Part) {
        self.add_places(&part.queued, Places::all(&part.which));
    }

    /// One call of a group.
    pub(super) fn add_grouped(&mut self, queued: &Arc<Queued>, id: u64) {
        let place = queued.place(id);
        self.add_places(queued, Places::all(&(place..place + 1)));
    }

    fn add_places(&mut self, queued: &Arc<Queued>, places: Places) {
        let new = || Open { queued: Arc::clone(queued), places: Places(0) };
        self.groups.entry(queued.first).or_insert_with(new).places.0 |= places.0;
    }

    /// Takes the calls that have not been answered among those of the numbers `ids`, as far as they are of one group or one
    /// call. Gives them with how many numbers these were.
    pub(super) fn end(&mut self, ids: Range<u64>) -> (Option<Ended>, usize) {
        let first = ids.start;
        if let Some((_, open)) = self.groups.range_mut(..=first).next_back()
            && first < open.queued.end()
        {
            let from = open.queued.place(first);
            let to = open.queued.place(ids.end.min(open.queued.end()));
            let asked = Places::all(&(from..to));
            let places = Places(open.places.0 & asked.0);
            open.places.0 &= !asked.0;
            let queued = if open.places.0 == 0 {
                let key = open.queued.first;
                self.groups.remove(&key).expect("it was found").queued
            } else {
                Arc::clone(&open.queued)
            };
            return (Some(Ended::Grouped(queued, places)), to - from);
        }
        (self.single.remove(&first).map(|single| Ended::Single(first, single.answer)), 1)
    }

    /// Takes a single call, which is to wait again.
    pub(super) fn take(&mut self, id: u64) -> Option<(Answer, Option<Instant>)> {
        self.single.remove(&id).map(|Single { answer, until }| (answer, until))
    }

    /// Takes the calls of a part, which are to wait again, when all of them are there: their time is up together.
    pub(super) fn take_part(&mut self, part: &Part) -> bool {
        let Some(open) = self.groups.get_mut(&part.queued.first) else { return false };
        let places = Places::all(&part.which);
        if open.places.0 & places.0 != places.0 {
            return false;
        }
        open.places.0 &= !places.0;
        if open.places.0 == 0 {
            self.groups.remove(&part.queued.first);
        }
        true
    }

    /// Takes all of them.
    pub(super) fn end_all(&mut self) -> Vec<Ended> {
        let single = self.single.drain().map(|(id, single)| Ended::Single(id, single.answer));
        let groups = std::mem::take(&mut self.groups).into_values();
        single.chain(groups.map(|open| Ended::Grouped(open.queued, open.places))).collect()
    }

    /// Takes those whose time is up.
    pub(super) fn end_late(&mut self, now: Instant) -> Vec<Ended> {
        let single = self.single.extract_if(|_, single| single.until.is_some_and(|until| until <= now));
        let single = single.map(|(id, single)| Ended::Single(id, single.answer));
        let groups = self.groups.extract_if(.., |_, open| open.queued.until <= now);
        single.chain(groups.map(|(_, open)| Ended::Grouped(open.queued, open.places))).collect()
    }
}

impl Ended {
    /// Their numbers.
    pub(super) fn ids(&self) -> Vec<u64> {
        match self {
            Self::Single(id, _) => vec![*id],
            Self::Grouped(queued, places) => places.iter().map(|place| queued.first + place as u64).collect(),
        }
    }

    /// Whether there are none, since all of them were answered before.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Grouped(_, Places(0)))
    }

    /// Fails all of them.
    pub(super) fn fail(self, error: &CallError) {
        match self {
            Self::Single(_, answer) => answer(Err(error.clone())),
            Self::Grouped(queued, places) => queued.fail(places.iter(), error),
        }
    }

    /// Answers those that follow each other from `first` on.
    pub(super) fn answer_run(self, first: u64, answers: &mut dyn Iterator<Item = Answered<'_>>) {
        match self {
            Self::Single(_, answer) => answer(outcome(answers.next().expect("each call has its answer"))),
            Self::Grouped(queued, places) => {
                let from = queued.place(first);
                let answers = answers.enumerate().map(|(i, answered)| (from + i, answered));
                queued.answer(&mut answers.filter(|(place, _)| places.has(*place)));
            }
        }
    }
}

fn outcome(answered: Answered<'_>) -> Outcome {
    answered.map(|value| value.map(|value| RawValue::from_string(value.to_owned()).expect("it was read as JSON")))
}

impl Places {
    fn all(which: &Range<usize>) -> Self {
        let count = which.len();
        let ones = if count == MOST_CALLS { u64::MAX } else { (1 << count) - 1 };
        Self(if ones == 0 { 0 } else { ones << which.start })
    }

    fn has(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let place = left.trailing_zeros() as usize;
                left &= left - 1;
                place
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use parking_lot::Mutex;

    use super::*;
    use crate::engine::stacks::Stacks;
    use crate::engine::{Calls, ErrorCode, Grouped, Waits};

    /// What was answered: the client's number of each call, and its value.
    #[derive(Default)]
    struct Told(Mutex<Vec<(u64, String)>>);

    impl Waits for Told {
        fn answered(&self, ended: &mut dyn Iterator<Item = (Grouped, Answered<'_>)>) {
            self.0.lock().extend(ended.map(|(call, answered)| {
                let value = answered.map_or_else(|error| error.code.as_str(), |value| value.unwrap_or("undefined"));
                (call.number, value.to_owned())
            }));
        }
    }

    /// Calls from `first` on, whose clients' numbers are a hundred more.
    fn part(told: &Arc<Told>, first: u64, count: u64) -> Part {
        let mut calls = Calls::default();
        (first..first + count).for_each(|id| calls.push(id + 100, 0, "[]", Some(0)));
        let group = calls.group(None, "[null,null]".to_owned(), 1, Arc::clone(told) as Arc<dyn Waits>);
        let stacks = Arc::new(Stacks::new("server.js", None));
        Part::all(Queued::new(group, first, Instant::now() + Duration::from_secs(60), stacks))
    }

    fn answer(started: &mut Started, mut first: u64, count: u64) {
        let last = first + count;
        while first < last {
            let (ended, numbers) = started.end(first..last);
            let values: Vec<String> = (first..last).take(numbers).map(|id| id.to_string()).collect();
            if let Some(ended) = ended {
                ended.answer_run(first, &mut values.iter().map(|value| Ok(Some(value.as_str()))));
            }
            first += numbers as u64;
        }
    }

    #[test]
    fn each_call_is_answered_once_in_whatever_runs_the_answers_come() {
        let mut seed = 1_u64;
        let mut random = move |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..500 {
            let told = Arc::new(Told::default());
            let mut started = Started::default();
            let (mut next, mut known) = (1, BTreeSet::new());
            for _ in 0..1 + random(4) {
                let count = 1 + random(MOST_CALLS as u64);
                started.add_part(&part(&told, next, count));
                known.extend(next..next + count);
                // Numbers that belong to nobody.
                next += count + random(3);
            }
            let mut answered = BTreeSet::new();
            for _ in 0..random(20) {
                let (first, count) = (1 + random(next), 1 + random(80));
                answer(&mut started, first, count);
                answered.extend((first..first + count).filter(|id| known.contains(id)));
            }
            let ids = |told: &Told| told.0.lock().iter().map(|(number, _)| number - 100).collect::<Vec<_>>();
            let mut now = ids(&told);
            assert!(told.0.lock().iter().all(|(number, value)| *value == (number - 100).to_string()));
            now.sort_unstable();
            assert_eq!(now, answered.iter().copied().collect::<Vec<_>>(), "each of them, and once");
            let error = CallError::new(ErrorCode::EngineLost, "gone");
            started.end_all().into_iter().for_each(|ended| ended.fail(&error));
            let mut all = ids(&told);
            all.sort_unstable();
            assert_eq!(all, known.into_iter().collect::<Vec<_>>(), "nobody is forgotten");
        }
    }

    #[test]
    fn calls_that_wait_again_are_all_there_or_stay_away() {
        let told = Arc::new(Told::default());
        let mut started = Started::default();
        let [whole, begun] = [part(&told, 1, 3), part(&told, 4, 3)];
        started.add_part(&whole);
        started.add_part(&begun);
        answer(&mut started, 5, 1);
        assert!(started.take_part(&whole) && !started.take_part(&whole));
        assert!(!started.take_part(&begun), "one of them is answered");
        started.add_part(&whole);
        answer(&mut started, 1, 3);
        assert_eq!(told.0.lock().iter().map(|(number, _)| *number).collect::<Vec<_>>(), [105, 101, 102, 103]);
        let left: Vec<_> = started.end_all().iter().flat_map(Ended::ids).collect();
        assert_eq!(left, [4, 6], "they are there to be told that their engine is gone");
    }
}
