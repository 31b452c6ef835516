//! Whatever workers and crashes do, each message is processed once, and in order
//! but for those that are parked.

use std::collections::{BTreeMap, BTreeSet};

use postern_domain::{ConversationId, InboundMessage, MessageId};
use postern_store::{Accepted, Change, Lease, Store, StoreError, UnknownSend};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{Engine, data::*};

const CHATS: [&str; 3] = ["a", "b", "c"];
const TTL_MS: i64 = 100;

#[derive(Clone, Debug)]
enum Step {
    /// Deliveries arrive, some of them again.
    Accept(Vec<(usize, u8)>),
    /// A worker looks for a conversation, forgetting the one it had.
    Lease(usize),
    /// A worker takes up the next message of its conversation.
    TakeUp(usize),
    /// A worker commits the message that it took up, however long ago.
    Finish(usize),
    /// A worker puts the message off that it took up.
    PutOff(usize),
    /// A worker parks the message that it took up.
    Park(usize),
    /// Somebody decides what a message waits for, if it does.
    Wake(usize, u8),
    /// A worker gives its lease back.
    Release(usize),
    /// Time passes.
    Wait(i64),
    /// The host dies and starts again; its workers still believe in their leases.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let worker = 0..3_usize;
    let step = prop_oneof![
        3 => vec((0..CHATS.len(), 0..12_u8), 1..4).prop_map(Step::Accept),
        4 => worker.clone().prop_map(Step::Lease),
        6 => worker.clone().prop_map(Step::TakeUp),
        6 => worker.clone().prop_map(Step::Finish),
        1 => worker.clone().prop_map(Step::PutOff),
        2 => worker.clone().prop_map(Step::Park),
        2 => (0..CHATS.len(), 0..12_u8).prop_map(|(chat, n)| Step::Wake(chat, n)),
        1 => worker.prop_map(Step::Release),
        3 => (20..200_i64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..80)
}

#[derive(Default)]
struct Model {
    now: i64,
    leases: [Option<Lease>; 3],
    taken_up: [Option<MessageId>; 3],
    /// The fence of each conversation's lease that was not given back.
    held: BTreeMap<ConversationId, i64>,
    accepted: BTreeMap<ConversationId, Vec<MessageId>>,
    processed: BTreeMap<ConversationId, Vec<MessageId>>,
    parked: BTreeSet<MessageId>,
    /// Woken while they were not parked.
    woken: BTreeSet<MessageId>,
    put_off: BTreeMap<MessageId, i64>,
}

/// Delivery `n` in a chat.
fn delivery(chat: usize, n: u8, ms: i64) -> InboundMessage {
    inbound(CHATS[chat], &format!("{chat}-{n}"), ms)
}

impl Model {
    async fn step(&mut self, store: &impl Store, step: Step) {
        match step {
            Step::Accept(deliveries) => {
                let messages: Vec<_> =
                    deliveries.iter().map(|(chat, n)| delivery(*chat, *n, self.now)).collect();
                for (message, answer) in messages.iter().zip(accept(store, &messages).await) {
                    let known = self.accepted.entry(message.conversation_id()).or_default();
                    let expected = !known.contains(&message.id());
                    assert_eq!(answer == Accepted::New, expected);
                    if expected {
                        known.push(message.id());
                    }
                }
            }
            Step::Lease(worker) => {
                let name = worker.to_string();
                let lease = store.lease_next(&name, at(self.now), TTL_MS).await.unwrap();
                if let Some(lease) = &lease {
                    self.held.insert(lease.conversation.clone(), lease.fence);
                }
                self.leases[worker] = lease;
                self.taken_up[worker] = None;
            }
            Step::TakeUp(worker) => {
                if let Some(lease) = &self.leases[worker] {
                    self.taken_up[worker] = match store.work(lease, at(self.now)).await {
                        Ok(work) => {
                            let found = work.map(|work| work.message.id());
                            assert_eq!(found, self.next(&lease.conversation));
                            found
                        }
                        Err(StoreError::Fenced { .. }) => None,
                        Err(error) => panic!("{error}"),
                    };
                }
            }
            Step::Finish(worker) => {
                let done = self.settle(store, worker, Change::InboxDone).await;
                if let Some((conversation, id)) = done {
                    self.processed.entry(conversation).or_default().push(id);
                }
            }
            Step::PutOff(worker) => {
                let later = self.now + 50;
                let retry =
                    |message| Change::InboxRetry { message, at: at(later), reason: "busy".into() };
                if let Some((_, id)) = self.settle(store, worker, retry).await {
                    self.put_off.insert(id, later);
                }
            }
            Step::Park(worker) => {
                let done = self.settle(store, worker, Change::Park).await;
                if let Some((_, id)) = done
                    && !self.woken.remove(&id)
                {
                    self.parked.insert(id);
                }
            }
            Step::Wake(chat, n) => {
                let id = delivery(chat, n, 0).id();
                store.commit(changes([Change::Wake(id.clone())])).await.unwrap();
                if self.parked.remove(&id) {
                    self.put_off.remove(&id);
                } else if self.accepted.values().flatten().any(|known| *known == id) {
                    self.woken.insert(id);
                }
            }
            Step::Release(worker) => {
                if let Some(lease) = self.leases[worker].take() {
                    store.release(&lease).await.unwrap();
                    self.held
                        .retain(|id, fence| (id, *fence) != (&lease.conversation, lease.fence));
                }
            }
            Step::Wait(ms) => self.now += ms,
            Step::Restart => {
                self.held.clear();
                store.recover(UnknownSend::Resend, at(self.now)).await.unwrap();
            }
        }
    }

    /// The message that a conversation goes on with, if it is due.
    fn next(&self, conversation: &ConversationId) -> Option<MessageId> {
        let processed = self.processed.get(conversation);
        let next = self.accepted[conversation].iter().find(|id| {
            !self.parked.contains(id) && !processed.is_some_and(|done| done.contains(id))
        })?;
        let due = self.put_off.get(next).is_none_or(|later| *later <= self.now);
        due.then(|| next.clone())
    }

    /// Lets a worker settle the message that it took up; none if it has none or
    /// lost its lease.
    async fn settle(
        &mut self,
        store: &impl Store,
        worker: usize,
        change: impl FnOnce(MessageId) -> Change,
    ) -> Option<(ConversationId, MessageId)> {
        let lease = self.leases[worker].clone()?;
        let id = self.taken_up[worker].take()?;
        let commit = under(&lease, [change(id.clone())]);
        match store.commit(commit).await {
            Ok(_) => {
                assert_eq!(self.held.get(&lease.conversation), Some(&lease.fence));
                Some((lease.conversation, id))
            }
            Err(StoreError::Fenced { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn finish(&mut self, store: &impl Store) {
        self.now += 1_000;
        self.step(store, Step::Restart).await;
        for id in std::mem::take(&mut self.parked) {
            store.commit(changes([Change::Wake(id.clone())])).await.unwrap();
            self.put_off.remove(&id);
        }
        loop {
            self.step(store, Step::Lease(0)).await;
            if self.leases[0].is_none() {
                break;
            }
            self.step(store, Step::TakeUp(0)).await;
            self.step(store, Step::Finish(0)).await;
            self.step(store, Step::Release(0)).await;
        }
        // That it was in order was seen whenever a message was taken up.
        self.processed.values_mut().for_each(|ids| ids.sort());
        self.accepted.values_mut().for_each(|ids| ids.sort());
        assert_eq!(self.processed, self.accepted);
        assert_eq!(store.backlog().await.unwrap(), (0, 0));
        assert_eq!(store.next_due().await.unwrap(), None);
    }
}

pub(crate) fn holds<E: Engine>() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config {
        cases: 32,
        failure_persistence: None,
        // Each try opens a database.
        max_shrink_iters: 200,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let engine = E::new();
            let store = engine.open().await;
            let mut model = Model::default();
            for step in steps {
                model.step(&store, step).await;
            }
            model.finish(&store).await;
        });
        Ok(())
    });
    result.unwrap();
}
