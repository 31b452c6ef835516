//! `postern skill sign` and `postern skill verify`.

use std::{
    ffi::OsString,
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;

use super::pack::{read, write};
use crate::{
    cli::{Context, output, output::out},
    registry::read_file,
    trust::{self, MOST_SIGNATURE_BYTES, PublicKey, Statement, Trust},
};

/// The environment variable of the password of a signing key.
pub(in crate::cli) const PASSWORD_VARIABLE: &str = "POSTERN_SIGNING_PASSWORD";

/// Bytes of a key's file, and of a password's.
const MOST_KEY_BYTES: u64 = 4 * 1024;

/// Arguments of `postern skill sign`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Sign {
    /// The packed skill (.wasm), or a folder or component that is packed in the same way.
    skill: PathBuf,
    /// The secret key, as `postern trust keygen` or minisign makes it. Its password is asked
    /// for, or taken from POSTERN_SIGNING_PASSWORD.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A file with the password of the key.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The manifest, if the component carries none and none lies beside it.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The signature; by default beside the skill, with .minisig behind its name.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write the text that is signed, for `minisign -V -m FILE`.
    #[arg(long, value_name = "FILE")]
    statement_out: Option<PathBuf>,
}

impl Sign {
    pub(in crate::cli) fn run(self, context: &Context) -> anyhow::Result<()> {
        let skill = read(context, &self.skill, self.manifest.as_deref())?;
        let statement = Statement::of(&skill.manifest, skill.digest());
        let secret = text(&self.key, MOST_KEY_BYTES)?;
        let mut asked = Ok(None);
        let signed = trust::sign(&statement, &secret, || {
            asked = password(self.password_file.as_deref(), false);
            asked.as_ref().ok().cloned().flatten()
        });
        asked?;
        let signature = signed.with_context(|| self.key.display().to_string())?;
        let out = match self.out {
            Some(out) => out,
            None => beside(&self.skill, &format!("target/skill/{}.wasm", statement.id)),
        };
        if let Some(path) = &self.statement_out {
            write(path, statement.text().as_bytes())?;
        }
        write(&out, signature.as_bytes())?;
        let Statement { id, version, digest } = &statement;
        if context.json {
            return output::json(&serde_json::json!({
                "id": id, "version": version, "digest": digest, "signature": out,
            }));
        }
        out!("Signed {id}@{version} {digest}: {}", out.display());
        Ok(())
    }
}

/// Arguments of `postern skill verify`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// The packed skill (.wasm), or a folder or component that is packed in the same way.
    skill: PathBuf,
    /// The signature; by default beside the skill, with .minisig behind its name.
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// The manifest, if the component carries none and none lies beside it.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// Ask for this public key (its text or its file), whatever the data folder trusts.
    #[arg(long, value_name = "KEY|FILE")]
    key: Option<String>,
}

impl Verify {
    pub(in crate::cli) fn run(self, context: &Context) -> anyhow::Result<()> {
        let skill = read(context, &self.skill, self.manifest.as_deref())?;
        let statement = Statement::of(&skill.manifest, skill.digest());
        let about = &skill.manifest.skill;
        let beside = beside(&self.skill, &format!("target/skill/{}.wasm", about.id));
        let signature = match self.signature {
            Some(path) => Some(text(&path, MOST_SIGNATURE_BYTES as u64)?),
            None if beside.is_file() => Some(text(&beside, MOST_SIGNATURE_BYTES as u64)?),
            None => None,
        };
        let trust = match &self.key {
            Some(key) => Trust::only(&about.publisher, public_key(key)?),
            None => {
                context.require_folder()?;
                Trust::load(&context.data)?
            }
        };
        let signed = trust.judge(&about.publisher, &statement, signature.as_deref())?;
        if context.json {
            return output::json(&serde_json::json!({
                "id": about.id,
                "version": about.version,
                "digest": statement.digest,
                "signed_by": signed,
            }));
        }
        let publisher = output::words(&signed.publisher);
        out!("{}@{} {}", about.id, about.version, statement.digest);
        out!("signed by {publisher} with key {}", signed.key);
        Ok(())
    }
}

/// Where the signature of a skill lies if nothing else is said.
fn beside(skill: &Path, built: &str) -> PathBuf {
    let file = if skill.is_dir() { skill.join(built) } else { skill.to_owned() };
    let mut name = OsString::from(file);
    name.push(".minisig");
    name.into()
}

/// A public key from its text, or from the file of this name.
pub(in crate::cli) fn public_key(given: &str) -> anyhow::Result<PublicKey> {
    let path = Path::new(given);
    if path.is_file() {
        return text(path, MOST_KEY_BYTES)?.parse().with_context(|| given.to_owned());
    }
    Ok(given.parse()?)
}

fn text(path: &Path, most: u64) -> anyhow::Result<String> {
    let bytes = read_file(path, most)?;
    // The text may be a secret: what is wrong with it is not repeated.
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{}: this is no text", path.display()))
}

/// The password of a key: from a file, the environment, or whoever sits there; none if
/// nobody does. A new one is asked for twice.
pub(in crate::cli) fn password(
    file: Option<&Path>,
    is_new: bool,
) -> anyhow::Result<Option<String>> {
    if let Some(path) = file {
        let text = text(path, MOST_KEY_BYTES)?;
        return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    if let Some(password) = std::env::var_os(PASSWORD_VARIABLE) {
        let password = password.into_string();
        return password
            .map(Some)
            .map_err(|_| anyhow::anyhow!("{PASSWORD_VARIABLE} must be UTF-8"));
    }
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let ask = |prompt: &str| rpassword::prompt_password(prompt).context("the password is not read");
    let password = ask("Password of the key: ")?;
    if is_new {
        anyhow::ensure!(
            ask("Once more: ")? == password,
            "the two passwords differ; nothing was made"
        );
    }
    Ok(Some(password))
}
