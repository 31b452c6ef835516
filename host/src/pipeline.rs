//! From an accepted message to an answer on its way out.
//!
//! Workers lease conversations and run one turn for each message: ingest →
//! classify → retrieve → respond → ticket → route → escalate. What a turn
//! changes commits together with its answer; [`deliver`] sends it.

pub(crate) mod agent;
mod answer;
pub mod deliver;
mod explain;
mod give_up;
mod heard;
mod hold;
mod lines;
mod meanwhile;
mod plan;
mod read;
mod respond;
mod restricted;
mod texts;
mod turn;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use postern_domain::{ConversationId, InboundMessage, MessageId, RequestId, Timestamp};
use postern_store::{Accepted, Change, Commit, Lease, Store, StoreError, Work};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub use agent::{Came, Refusal, RefusalKind};
pub use explain::{Stage, StageRecord, Summary};
pub use plan::{Action, Plan, PlanFile, Word};
pub use restricted::{Concern, Found};
pub use turn::TurnError;

use crate::{app::App, keys::MasterKey};

/// Messages that one transaction accepts at most.
const BATCH: usize = 64;
/// Messages that wait for a transaction at most; beyond it intake refuses.
const QUEUE: usize = 1024;
/// Turns that a worker runs on one conversation before others get their share.
const TURNS_PER_LEASE: u32 = 16;
/// Longest sleep of a worker that nobody wakes.
const IDLE: Duration = Duration::from_secs(30);
/// First pause before a failed turn is tried again; it doubles each time.
const RETRY_MS: i64 = 1_000;

/// Why a message was not accepted. It is not kept, and the sender should try
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// Too many messages wait to be stored.
    #[error("too many messages wait to be stored; try again")]
    Full,
    /// The store failed.
    #[error("the store does not take messages; try again")]
    Store,
}

type Request = (InboundMessage, oneshot::Sender<Result<Accepted, IntakeError>>);

/// Where channels put verified messages.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Request>,
}

impl Intake {
    /// An intake whose messages are kept in `store`; `wake` is rung when there
    /// is something to work on. The task ends when the intake is dropped.
    pub fn start(store: Arc<dyn Store>, key: MasterKey, wake: Bell) -> Self {
        let (queue, requests) = mpsc::channel(QUEUE);
        tokio::spawn(accept_in_batches(store, key, wake, requests));
        Self { queue }
    }

    /// Keeps a message; on return it is durable.
    ///
    /// # Errors
    /// It was not kept.
    pub async fn accept(&self, message: InboundMessage) -> Result<Accepted, IntakeError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send((message, answer)).map_err(|_| IntakeError::Full)?;
        answered.await.unwrap_or(Err(IntakeError::Store))
    }
}

/// Commits whatever has arrived since the last commit in one transaction, so
/// that many senders share the cost of one write to disk.
async fn accept_in_batches(
    store: Arc<dyn Store>,
    key: MasterKey,
    wake: Bell,
    mut requests: mpsc::Receiver<Request>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let (messages, answers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let marks: Vec<_> = messages.iter().map(|message| mark(&key, message)).collect();
        crate::fault::point("intake.before");
        match store.accept(&messages, &marks).await {
            Ok(accepted) => {
                crate::fault::point("intake.kept");
                for ((message, answer), accepted) in messages.iter().zip(answers).zip(accepted) {
                    let request = RequestId::of_message(&message.id());
                    tracing::debug!(request.id = request.as_str(), ?accepted, "message kept");
                    // A sender that has gone away gets the same answer next time.
                    let _gone = answer.send(Ok(accepted));
                }
                wake.ring();
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "intake failed");
                for answer in answers {
                    let _gone = answer.send(Err(IntakeError::Store));
                }
            }
        }
    }
}

/// Four characters that mark the placeholders of a message's conversation.
pub(crate) fn mark(key: &MasterKey, message: &InboundMessage) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bytes = key.derive("placeholder-mark", &[message.conversation_id().as_str()]);
    bytes[..4].iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Wakes whoever waits; ringing before somebody waits is not lost.
#[derive(Clone)]
pub struct Bell(watch::Sender<u64>);

impl Default for Bell {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Bell {
    /// Wakes everybody who listens.
    pub fn ring(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// A listener that hears every ring from now on.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Tells which conversations have changed, until it ends.
#[derive(Clone)]
pub struct Events(Arc<RwLock<Option<broadcast::Sender<ConversationId>>>>);

impl Default for Events {
    fn default() -> Self {
        Self(Arc::new(RwLock::new(Some(broadcast::Sender::new(256)))))
    }
}

impl Events {
    /// Hears of every change from now on, or that there will be none; whoever
    /// lags reads the store again.
    pub fn subscribe(&self) -> broadcast::Receiver<ConversationId> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            Some(sender) => sender.subscribe(),
            // Without a sender, it is closed from the start.
            None => broadcast::channel(1).1,
        }
    }

    /// Says that a conversation has changed.
    pub fn changed(&self, conversation: &ConversationId) {
        if let Some(sender) = &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            // Without listeners there is nobody to tell.
            let _nobody = sender.send(conversation.clone());
        }
    }

    /// Says that no change will be told any more, so that streams end and do
    /// not keep a host from stopping.
    pub fn end(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Works on messages until `stop` changes. A turn that has begun is finished.
pub async fn work(app: Arc<App>, number: u32, mut stop: watch::Receiver<bool>) {
    let owner = format!("worker-{number}");
    let mut bell = app.inbox_bell.listen();
    while !*stop.borrow() {
        bell.mark_unchanged();
        let lease_ms = i64::try_from(app.config.pipeline.lease.as_millis()).unwrap_or(i64::MAX);
        match app.store.lease_next(&owner, app.clock.now(), lease_ms).await {
            Ok(Some(lease)) => serve(&app, lease, lease_ms, &stop).await,
            Ok(None) => {
                let wait = until_due(&app).await;
                tokio::select! {
                    _ = bell.changed() => {}
                    _ = stop.changed() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no lease");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// How long nothing is due.
pub(crate) async fn until_due(app: &App) -> Duration {
    match app.store.next_due().await {
        Ok(Some(at)) => {
            // What is due and still not to be had is held by somebody who rings the
            // bell afterwards; this is for the case that they cannot.
            let ms = at.millis_since(app.clock.now()).clamp(50, 30_000);
            Duration::from_millis(ms.unsigned_abs()).min(IDLE)
        }
        Ok(None) => IDLE,
        Err(_) => Duration::from_secs(1),
    }
}

/// Runs one turn here and now, for somebody who holds the conversation's lease.
///
/// # Errors
/// It did not come to its end.
pub(crate) async fn turn_now(app: &Arc<App>, lease: &Lease, work: Work) -> Result<(), TurnError> {
    turn::run(Arc::clone(app), lease.clone(), work).await
}

/// Runs the turns of a leased conversation.
async fn serve(app: &Arc<App>, lease: Lease, lease_ms: i64, stop: &watch::Receiver<bool>) {
    crate::fault::point("lease.taken");
    for _ in 0..TURNS_PER_LEASE {
        if *stop.borrow() {
            break;
        }
        match app.store.work(&lease, app.clock.now()).await {
            Ok(Some(work)) => {
                if !one(app, &lease, lease_ms, work).await {
                    return;
                }
            }
            Ok(None) => break,
            Err(error) => {
                // The lease is left to end by itself: given back, the conversation
                // would be the next one again at once.
                tracing::error!(error = &error as &dyn std::error::Error, "no work");
                return;
            }
        }
    }
    crate::fault::point("lease.done");
    if let Err(error) = app.store.release(&lease).await {
        tracing::error!(error = &error as &dyn std::error::Error, "lease not given back");
    }
    crate::fault::point("lease.released");
    // Others may have waited for this conversation.
    app.inbox_bell.ring();
}

/// Runs one turn, keeping the lease alive. Answers whether the lease is still
/// ours.
async fn one(app: &Arc<App>, lease: &Lease, lease_ms: i64, work: Work) -> bool {
    let (message, attempts) = (work.message.id(), work.attempts);
    let mut turn = tokio::spawn(turn::run(Arc::clone(app), lease.clone(), work));
    let mut beat = tokio::time::interval(app.config.pipeline.lease / 3);
    beat.tick().await;
    let ended = loop {
        tokio::select! {
            ended = &mut turn => break ended,
            _ = beat.tick() => {
                if let Err(error) = app.store.renew(lease, app.clock.now(), lease_ms).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "lease not renewed");
                }
            }
        }
    };
    let error = match ended {
        Ok(Ok(())) => {
            app.events.changed(&lease.conversation);
            app.outbox_bell.ring();
            return true;
        }
        Ok(Err(TurnError::Store(StoreError::Fenced { .. }))) => return false,
        Ok(Err(error)) => error,
        Err(error) => TurnError::Panicked(error),
    };
    tracing::error!(
        error = &error as &dyn std::error::Error,
        message.id = message.as_str(),
        attempts,
        "turn failed"
    );
    match put_back(app, lease, &message, attempts, &error).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "message not put back");
            false
        }
    }
}

/// Lets a message wait for its next try, or gives it up.
async fn put_back(
    app: &Arc<App>,
    lease: &Lease,
    message: &MessageId,
    attempts: u32,
    error: &TurnError,
) -> Result<(), TurnError> {
    let now = app.clock.now();
    if attempts + 1 >= app.config.pipeline.turn_attempts {
        return give_up::give_up(app, lease, message, &error.to_string(), now).await;
    }
    let at = now.plus_millis(backoff(attempts));
    let reason = error.to_string();
    let change = Change::InboxRetry { message: message.clone(), at, reason };
    let commit = Commit { lease: Some(lease.clone()), changes: vec![change], audit: vec![] };
    app.store.commit(commit).await?;
    Ok(())
}

/// The pause before attempt number `attempts` + 1, in milliseconds.
fn backoff(attempts: u32) -> i64 {
    RETRY_MS << attempts.min(8)
}

/// A time as far after `now` as `duration`.
pub(crate) fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.plus_millis(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_are_bounded() {
        assert_eq!(backoff(0), 1_000);
        assert_eq!(backoff(3), 8_000);
        assert_eq!(backoff(u32::MAX), 256_000);
    }
}
