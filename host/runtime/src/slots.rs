//! How many calls run at the same time: of one skill, and of all.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use postern_domain::SkillId;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use crate::limits::Limit;

/// A number of places, some of them taken.
#[derive(Debug)]
struct Places {
    number: u32,
    free: Semaphore,
}

impl Places {
    fn new(number: u32) -> Self {
        let number = number.max(1);
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        Self { number, free: Semaphore::new(number.min(most) as usize) }
    }

    /// A place, in the order of asking, if one becomes free in time.
    async fn take(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        let place = timeout_at(deadline, self.free.acquire()).await.ok()?;
        Some(place.expect("nobody closes the semaphore"))
    }
}

/// The places of a runtime, and those of each loaded skill.
#[derive(Debug)]
pub(crate) struct Slots {
    all: Arc<Places>,
    /// By the skill and the number of its places: generations that differ in that
    /// number may be loaded side by side.
    skills: Mutex<BTreeMap<(SkillId, u32), Weak<SkillSlots>>>,
}

impl Slots {
    pub(crate) fn new(concurrent_calls: u32) -> Self {
        Self { all: Arc::new(Places::new(concurrent_calls)), skills: Mutex::default() }
    }

    /// Places of the pool that are free.
    pub(crate) fn free(&self) -> usize {
        self.all.free.available_permits()
    }

    /// The places of a skill. A skill that is loaded again shares those that it
    /// had under the same number of places, in whatever order it is loaded.
    pub(crate) fn of_skill(&self, skill: &SkillId, skill_calls: u32) -> Arc<SkillSlots> {
        let own = Places::new(skill_calls);
        let mut skills = self.skills.lock().unwrap_or_else(PoisonError::into_inner);
        skills.retain(|_, slots| slots.strong_count() > 0);
        let key = (skill.clone(), own.number);
        if let Some(slots) = skills.get(&key).and_then(Weak::upgrade) {
            return slots;
        }
        let slots = Arc::new(SkillSlots { all: Arc::clone(&self.all), own });
        skills.insert(key, Arc::downgrade(&slots));
        slots
    }
}

/// Where a skill's calls find a place.
#[derive(Debug)]
pub(crate) struct SkillSlots {
    all: Arc<Places>,
    own: Places,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
#[must_use = "the place is given back at once"]
pub(crate) struct Slot<'a> {
    _own: SemaphorePermit<'a>,
    _all: SemaphorePermit<'a>,
}

impl SkillSlots {
    /// Waits for a place, first among the skill's own calls: so a skill that calls
    /// too much keeps none of the others' places while it waits.
    pub(crate) async fn take(&self, deadline: Instant) -> Result<Slot<'_>, Limit> {
        let own = self.own.take(deadline).await.ok_or(Limit::SkillCalls)?;
        let all = self.all.take(deadline).await.ok_or(Limit::ConcurrentCalls(self.all.number))?;
        Ok(Slot { _own: own, _all: all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(name: &str) -> SkillId {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn a_skill_has_places_of_its_own_within_those_of_all() {
        let slots = Slots::new(3);
        let (greedy, modest) = (slots.of_skill(&skill("a"), 2), slots.of_skill(&skill("b"), 2));
        let now = Instant::now();
        let first = greedy.take(now).await.unwrap();
        let second = greedy.take(now).await.unwrap();
        assert_eq!(greedy.take(now).await.unwrap_err(), Limit::SkillCalls);
        assert_eq!(slots.free(), 1);
        let third = modest.take(now).await.unwrap();
        assert_eq!(modest.take(now).await.unwrap_err(), Limit::ConcurrentCalls(3));
        drop(second);
        let fourth = modest.take(now).await.unwrap();
        drop((first, third, fourth));
        assert_eq!(slots.free(), 3);
    }

    #[tokio::test]
    async fn a_skill_that_is_loaded_again_shares_its_places() {
        let slots = Slots::new(8);
        let before = slots.of_skill(&skill("a"), 1);
        let after = slots.of_skill(&skill("a"), 1);
        let now = Instant::now();
        let _place = before.take(now).await.unwrap();
        assert_eq!(after.take(now).await.unwrap_err(), Limit::SkillCalls);
        // With another number of places, the skill has these beside the others, and
        // takes nothing away from the sharing.
        let other = slots.of_skill(&skill("a"), 2);
        assert!(other.take(now).await.is_ok());
        let again = slots.of_skill(&skill("a"), 1);
        assert_eq!(again.take(now).await.unwrap_err(), Limit::SkillCalls);
    }
}
