//! The audit log's checkpoints: made, signed and verified.

use std::{sync::Arc, time::Duration};

use postern_domain::{AuditHead, AuditReport, AuditVerifier, Checkpoint, Digest, Timestamp};
use postern_store::{Store, StoreError};
use ring::signature::{self, Ed25519KeyPair, KeyPair as _};
use tokio::sync::watch;

use crate::{app::App, keys::MasterKey};

/// Rows that are read at a time.
const PAGE: u32 = 2_000;

/// Signs checkpoints with a key that follows from the master key.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// The host's own signer.
    pub fn new(key: &MasterKey) -> Self {
        let seed = key.derive("audit-checkpoints", &[]);
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        Self(pair.expect("32 bytes are a seed"))
    }

    /// The public half, as 64 hexadecimal digits.
    pub fn public_key(&self) -> String {
        hex::encode(self.0.public_key())
    }

    fn checkpoint(
        &self,
        number: u64,
        previous: Digest,
        heads: Vec<AuditHead>,
        at: Timestamp,
    ) -> Checkpoint {
        let (public_key, signature) = (self.public_key(), String::new());
        let mut checkpoint = Checkpoint { number, at, heads, previous, public_key, signature };
        let statement = checkpoint.statement();
        checkpoint.signature = hex::encode(self.0.sign(statement.as_bytes()));
        checkpoint
    }
}

/// Whether a checkpoint is signed with this public key.
pub fn is_signed_by(checkpoint: &Checkpoint, public_key: &str) -> bool {
    let (Ok(key), Ok(signature)) = (hex::decode(public_key), hex::decode(&checkpoint.signature))
    else {
        return false;
    };
    let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
    checkpoint.public_key == public_key
        && key.verify(checkpoint.statement().as_bytes(), &signature).is_ok()
}

/// Makes and keeps a checkpoint of where the chains stand; none if they stand
/// where the last one saw them.
///
/// # Errors
/// The store fails.
pub async fn make_checkpoint(
    store: &dyn Store,
    signer: &Signer,
    now: Timestamp,
) -> Result<Option<Checkpoint>, StoreError> {
    let last = store.checkpoints().await?.pop();
    let heads = store.audit_heads().await?;
    if heads.is_empty() || last.as_ref().is_some_and(|last| last.heads == heads) {
        return Ok(None);
    }
    let (number, previous) =
        last.map_or((1, Digest::ZERO), |last| (last.number + 1, last.digest()));
    let checkpoint = signer.checkpoint(number, previous, heads, now);
    store.add_checkpoint(&checkpoint).await?;
    Ok(Some(checkpoint))
}

/// Looks at every row and checkpoint of the store. `kept` is a checkpoint that
/// somebody kept elsewhere: what it saw must still be there.
///
/// # Errors
/// The store fails.
pub async fn verify(
    store: &dyn Store,
    public_key: &str,
    kept: Option<&Checkpoint>,
) -> Result<AuditReport, StoreError> {
    let mut checkpoints = store.checkpoints().await?;
    if let Some(kept) = kept
        && checkpoints.iter().all(|checkpoint| checkpoint != kept)
    {
        checkpoints.push(kept.clone());
    }
    let mut verifier =
        AuditVerifier::new(&checkpoints, |checkpoint| is_signed_by(checkpoint, public_key));
    let mut after = 0;
    feed(store, &mut verifier, &mut after).await?;
    // A serving host goes on writing. The ends fit the rows once no row has come
    // between looking at the one and at the other.
    loop {
        let heads = store.audit_heads().await?;
        if feed(store, &mut verifier, &mut after).await? == 0 {
            return Ok(verifier.finish(heads));
        }
    }
}

/// Looks at all rows behind a place, and says how many there were.
async fn feed(
    store: &dyn Store,
    verifier: &mut AuditVerifier,
    after: &mut i64,
) -> Result<u64, StoreError> {
    let mut count = 0;
    loop {
        let rows = store.audit_scan(*after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(count) };
        *after = last.seq;
        count += rows.len() as u64;
        rows.iter().for_each(|row| verifier.row(row));
    }
}

/// Makes checkpoints until `stop` changes, and a last one then.
pub(crate) async fn keep_checkpoints(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let signer = Signer::new(&app.key);
    let every = Duration::from_secs(u64::from(app.config.audit.checkpoint_minutes) * 60);
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut over = false;
    while !over {
        tokio::select! {
            _ = stop.changed() => over = true,
            _ = tick.tick() => {}
        }
        match make_checkpoint(&*app.store, &signer, app.clock.now()).await {
            Ok(Some(made)) => tracing::debug!(checkpoint = made.number, "audit checkpoint"),
            Ok(None) => {}
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "no audit checkpoint; it is tried again"
            ),
        }
    }
}
