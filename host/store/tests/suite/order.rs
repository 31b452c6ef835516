//! Whatever workers and crashes do, each message is processed once and in order.

use std::collections::BTreeMap;

use postern_domain::{ConversationId, MessageId};
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
}

impl Model {
    async fn step(&mut self, store: &impl Store, step: Step) {
        match step {
            Step::Accept(deliveries) => {
                let messages: Vec<_> = deliveries
                    .iter()
                    .map(|(chat, n)| inbound(CHATS[*chat], &format!("{chat}-{n}"), self.now))
                    .collect();
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
                        Ok(work) => work.map(|work| work.message.id()),
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
                let later = at(self.now + 50);
                let retry =
                    |message| Change::InboxRetry { message, at: later, reason: "busy".into() };
                self.settle(store, worker, retry).await;
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
        loop {
            self.step(store, Step::Lease(0)).await;
            if self.leases[0].is_none() {
                break;
            }
            self.step(store, Step::TakeUp(0)).await;
            self.step(store, Step::Finish(0)).await;
            self.step(store, Step::Release(0)).await;
        }
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
