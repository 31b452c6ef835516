//! The audit log's checkpoints: made, signed and verified.

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

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
fn is_signed_by(checkpoint: &Checkpoint, public_key: &str) -> bool {
    let (Ok(key), Ok(signature)) = (hex::decode(public_key), hex::decode(&checkpoint.signature))
    else {
        return false;
    };
    let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
    checkpoint.public_key == public_key
        && key.verify(checkpoint.statement().as_bytes(), &signature).is_ok()
}

/// The last checkpoint, kept outside of the database: whoever can write there
/// alone cannot make the log forget that it was signed.
const LAST_FILE: &str = "keys/last-checkpoint.json";

/// Why a checkpoint was not made, or could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file of the last checkpoint cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The checkpoints in the database are not those that were made.
    #[error(
        "the checkpoints do not go on from checkpoint {last} in {path}; \
         `postern audit verify` tells more"
    )]
    Forgotten {
        /// The last checkpoint that was made.
        last: u64,
        /// The file that remembers it.
        path: String,
    },
}

fn at_file(path: &Path) -> impl FnOnce(std::io::Error) -> AuditError {
    let path = path.display().to_string();
    move |source| AuditError::File { path, source }
}

/// The last checkpoint as the data folder remembers it. A file that is no
/// checkpoint is like none: only a signed one counts.
///
/// # Errors
/// The file cannot be read.
pub fn remembered(data: &Path) -> Result<Option<Checkpoint>, AuditError> {
    let path = data.join(LAST_FILE);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at_file(&path)(error)),
    }
}

fn remember(data: &Path, checkpoint: &Checkpoint) -> Result<(), AuditError> {
    let path = data.join(LAST_FILE);
    let staged = path.with_extension(format!("{}.new", std::process::id()));
    let text = serde_json::to_vec(checkpoint).expect("a checkpoint serializes to JSON");
    let write = || {
        let mut file = std::fs::File::create(&staged)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&staged, &path)
    };
    write().map_err(at_file(&path))
}

/// Makes and keeps a checkpoint of where the chains stand; none if they stand
/// where the last one saw them. Never signs over a log whose checkpoints were
/// taken away.
///
/// # Errors
/// The store or the file of the last checkpoint fails, or the checkpoints in the
/// store are not those that were made.
pub async fn make_checkpoint(
    store: &dyn Store,
    signer: &Signer,
    data: &Path,
    now: Timestamp,
) -> Result<Option<Checkpoint>, AuditError> {
    let made = store.checkpoints().await?;
    if let Some(last) = remembered(data)?
        && is_signed_by(&last, &signer.public_key())
        && !made.contains(&last)
    {
        let path = data.join(LAST_FILE).display().to_string();
        return Err(AuditError::Forgotten { last: last.number, path });
    }
    let last = made.last();
    let (heads, _) = store.audit_heads().await?;
    if heads.is_empty() || last.is_some_and(|last| last.heads == heads) {
        return Ok(None);
    }
    let (number, previous) =
        last.map_or((1, Digest::ZERO), |last| (last.number + 1, last.digest()));
    let checkpoint = signer.checkpoint(number, previous, heads, now);
    store.add_checkpoint(&checkpoint).await?;
    remember(data, &checkpoint)?;
    Ok(Some(checkpoint))
}

/// Looks at every row and checkpoint of the store. `kept` are checkpoints that
/// were kept elsewhere: what they saw must still be there. A serving host goes on
/// writing; rows that come meanwhile are not looked at.
///
/// # Errors
/// The store fails.
pub async fn verify(
    store: &dyn Store,
    public_key: &str,
    kept: &[Checkpoint],
) -> Result<AuditReport, StoreError> {
    let mut checkpoints = store.checkpoints().await?;
    for kept in kept {
        if !checkpoints.contains(kept) {
            checkpoints.push(kept.clone());
        }
    }
    let mut verifier =
        AuditVerifier::new(&checkpoints, |checkpoint| is_signed_by(checkpoint, public_key));
    let (heads, last) = store.audit_heads().await?;
    let mut after = i64::MIN;
    loop {
        let rows = store.audit_scan(after, PAGE).await?;
        for row in rows.iter().filter(|row| row.seq <= last) {
            verifier.row(row);
        }
        match rows.last() {
            Some(row) if row.seq < last => after = row.seq,
            Some(_) | None => return Ok(verifier.finish(heads)),
        }
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
        match make_checkpoint(&*app.store, &signer, &app.config.data, app.clock.now()).await {
            Ok(Some(made)) => tracing::debug!(checkpoint = made.number, "audit checkpoint"),
            Ok(None) => {}
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "no audit checkpoint; it is tried again"
            ),
        }
    }
}
