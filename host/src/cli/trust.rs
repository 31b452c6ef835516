//! `postern trust`: whose skills this host takes.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Subcommand;
use postern_policy::Act;
use serde_json::json;

use super::{
    Context, output,
    output::{out, words},
    skill::{
        registry,
        sign::{password, public_key},
    },
};
use crate::{
    clock::{Clock as _, SystemClock},
    redaction,
    registry::Installed,
    trust::{self, Edit, KeyId, PublicKey, Revoke, Trust as Trusted},
};

/// Whose skills this host takes, and what must not run any more.
#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Make a key that signs skills. Needs no data folder.
    ///
    /// Writes NAME.key, which nobody else may see, and NAME.pub, which operators get.
    /// minisign can use both. The key is locked with a password, which is asked for or
    /// taken from POSTERN_SIGNING_PASSWORD.
    Keygen {
        /// The files' name, without .key and .pub.
        #[arg(default_value = "postern-signing")]
        name: PathBuf,
        /// A file with the password.
        #[arg(long, value_name = "FILE", conflicts_with = "no_password")]
        password_file: Option<PathBuf>,
        /// Lock the key with no password: whoever reads the file can sign.
        #[arg(long)]
        no_password: bool,
    },
    /// Take skills of a publisher that are signed with this key.
    ///
    /// Get the key over another way than the skill, or compare it with the publisher: from
    /// now on, whoever has it can offer skills and upgrades in this publisher's name.
    Add {
        /// The publisher, exactly as its manifests name it.
        publisher: String,
        /// The public key: its text (RW…) or its file (.pub).
        key: String,
    },
    /// Show the keys that count, and what is revoked.
    List,
    /// Take no more skills that are signed with this key. What is installed goes on.
    Remove {
        /// The key's id.
        key: KeyId,
    },
    /// Stop a component, or all that a key signed, on this host: at once, and for good.
    Revoke {
        /// A digest (sha256:…) or a key's id.
        what: Revoke,
        /// Why. It is shown wherever somebody is refused.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take a revocation back. A key has to be added again before it counts.
    Unrevoke {
        /// A digest (sha256:…) or a key's id.
        what: Revoke,
        /// Why. It is kept in the audit log.
        #[arg(long)]
        reason: String,
    },
}

impl Trust {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Keygen { name, password_file, no_password } => {
                keygen(context, &name, password_file.as_deref(), no_password)
            }
            Self::List => {
                context.require_folder()?;
                list(context, &Trusted::load(&context.data)?)
            }
            Self::Add { publisher, key } => {
                let key = public_key(&key)?;
                let mut edit = begin(context)?;
                edit.add(&publisher, key.clone(), SystemClock.now())?;
                let on = format!("key {}", key.id());
                save(context, edit, "trust:add", on, format!("publisher: {publisher}")).await?;
                let shown = words(&publisher);
                let id = key.id().to_string();
                done(context, &format!("Key {id} counts for {shown}"), &id)
            }
            Self::Remove { key } => {
                let mut edit = begin(context)?;
                let publisher = edit.remove(key)?;
                let on = format!("key {key}");
                save(context, edit, "trust:remove", on, format!("publisher: {publisher}")).await?;
                let shown = words(&publisher);
                done(context, &format!("Key {key} counts no more for {shown}"), &key.to_string())
            }
            Self::Revoke { what: Revoke(what), reason } => {
                let mut edit = begin(context)?;
                let detail = reason.clone().unwrap_or_default();
                let key = edit.trust().keys().len();
                edit.revoke(what.clone(), reason, SystemClock.now())?;
                let key = edit.trust().keys().len() < key;
                let only = edit.trust().only_revoked(&what);
                save(context, edit, "trust:revoke", what.to_string(), detail).await?;
                revoked(context, &what.to_string(), &only, key)
            }
            Self::Unrevoke { what: Revoke(what), reason } => {
                anyhow::ensure!(!reason.trim().is_empty(), "--reason must say why");
                let mut edit = begin(context)?;
                edit.unrevoke(&what)?;
                save(context, edit, "trust:unrevoke", what.to_string(), reason).await?;
                done(context, &format!("{what} is not revoked any more"), &what.to_string())
            }
        }
    }
}

fn begin(context: &Context) -> anyhow::Result<Edit> {
    context.require_folder()?;
    Ok(Edit::begin(&context.data)?)
}

/// Writes down who changed it, and then changes it: what is not recorded must not be done.
async fn save(
    context: &Context,
    edit: Edit,
    action: &str,
    on: String,
    detail: String,
) -> anyhow::Result<()> {
    let store = context.store().await?;
    context.record(&store, Act::ChangeSkills, action, on, detail).await?;
    Ok(edit.save()?)
}

/// Says what a revocation stopped. It counts, whatever can be said of it.
fn revoked(context: &Context, what: &str, only: &Trusted, was_trusted: bool) -> anyhow::Result<()> {
    let stopped = stopped(context, only);
    if context.json {
        return output::json(&json!({
            "done": format!("Revoked {what}"), "on": what, "stopped": stopped.as_ref().ok(),
        }));
    }
    out!("Revoked {what}");
    match stopped {
        Ok(skills) if !skills.is_empty() => out!("It stops {}", skills.join(", ")),
        Ok(_) if was_trusted => out!("No installed skill is signed with it"),
        Ok(_) => redaction::tell(
            "postern: no installed skill has this digest or is signed with this key, and the key \
             is not trusted; if you meant one that is, compare it with `postern skill list --json` \
             and `postern trust list`",
        ),
        Err(error) => redaction::tell(&format!(
            "postern: it is revoked, but what it stops cannot be said: {}",
            words(&error.to_string())
        )),
    }
    Ok(())
}

/// The installed skills that this revokes.
fn stopped(context: &Context, only: &Trusted) -> anyhow::Result<Vec<String>> {
    let generation = registry(context)?.current()?;
    let tried = generation.canaries.values().map(|canary| &canary.installed);
    let installed = generation.skills.values().chain(tried);
    let stopped = installed.filter(|it| only.revoked(it.digest, it.signed_by.as_ref()).is_some());
    let name = |it: &Installed| format!("{}@{}", it.manifest.skill.id, it.manifest.skill.version);
    Ok(stopped.map(name).collect())
}

fn done(context: &Context, what: &str, on: &str) -> anyhow::Result<()> {
    if context.json {
        return output::json(&json!({ "done": what, "on": on }));
    }
    out!("{what}");
    Ok(())
}

fn keygen(
    context: &Context,
    name: &Path,
    password_file: Option<&Path>,
    no_password: bool,
) -> anyhow::Result<()> {
    let [secret, public] = ["key", "pub"].map(|end| {
        let mut path = name.as_os_str().to_owned();
        path.push(format!(".{end}"));
        PathBuf::from(path)
    });
    for path in [&secret, &public] {
        anyhow::ensure!(!path.exists(), "{} is there already; choose another name", path.display());
    }
    let password = if no_password {
        None
    } else {
        let given = password(password_file, true)?.context(
            "a key needs a password: give one with --password-file, or run this in a terminal; \
             --no-password makes a key that is not locked",
        )?;
        anyhow::ensure!(!given.is_empty(), "the password is empty; use --no-password for none");
        Some(given)
    };
    let keys = trust::generate(password)?;
    write_new(&secret, &keys.secret, 0o600)?;
    write_new(&public, &keys.public, 0o644)?;
    let key: PublicKey = keys.public.parse()?;
    if context.json {
        let (secret, public) = (secret.display().to_string(), public.display().to_string());
        return output::json(&json!({
            "key": key.id().to_string(), "public_key": key.to_string(),
            "secret_file": secret, "public_file": public,
        }));
    }
    out!("Key {}: {key}", key.id());
    out!("Keep {} to yourself; give {} to operators.", secret.display(), public.display());
    Ok(())
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _unused = mode;
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| path.display().to_string())
}

fn list(context: &Context, trust: &Trusted) -> anyhow::Result<()> {
    if context.json {
        let keys: Vec<_> = trust
            .keys()
            .iter()
            .map(|trusted| {
                json!({
                    "publisher": trusted.publisher,
                    "key": trusted.key.id().to_string(),
                    "public_key": trusted.key.to_string(),
                    "added": trusted.added.to_string(),
                })
            })
            .collect();
        let revoked: Vec<_> = trust
            .revocations()
            .iter()
            .map(|revocation| {
                json!({
                    "what": revocation.what.to_string(),
                    "reason": revocation.reason,
                    "at": revocation.at.to_string(),
                })
            })
            .collect();
        return output::json(&json!({ "keys": keys, "revoked": revoked }));
    }
    if trust.keys().is_empty() {
        out!("Nobody is trusted; `postern trust add PUBLISHER KEY` changes that");
    } else {
        let rows: Vec<_> = trust
            .keys()
            .iter()
            .map(|trusted| {
                vec![
                    trusted.key.id().to_string(),
                    trusted.added.to_string(),
                    words(&trusted.publisher),
                ]
            })
            .collect();
        output::table(&["key", "since", "publisher"], &rows)?;
    }
    if !trust.revocations().is_empty() {
        out!("");
        let rows: Vec<_> = trust
            .revocations()
            .iter()
            .map(|revocation| {
                vec![
                    revocation.what.to_string(),
                    revocation.at.to_string(),
                    words(revocation.reason.as_deref().unwrap_or_default()),
                ]
            })
            .collect();
        output::table(&["revoked", "since", "reason"], &rows)?;
    }
    Ok(())
}
