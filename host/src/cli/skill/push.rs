//! `postern skill push`

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use postern_domain::Digest;
use serde_json::json;

use crate::{
    cli::{Context, output, output::out},
    package, redaction,
    registry::read_file,
    source::{FetchLimits, Reference, push},
    trust::MOST_SIGNATURE_BYTES,
};

/// Arguments of `postern skill push`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Push {
    /// The packed component (.wasm), as `postern skill pack` makes it.
    file: PathBuf,
    /// `oci://registry/repository:tag`
    reference: Reference,
    /// Its signature; by default the file's name with .minisig, if that is there.
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Seconds that it may take altogether.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

impl Push {
    pub(in crate::cli) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let limits = FetchLimits { wall: Duration::from_secs(self.timeout), ..Default::default() };
        let bytes = read_file(&self.file, limits.bytes)?;
        let shown = self.file.display();
        let package = package::unpack(&bytes).with_context(|| shown.to_string())?;
        let package = package.with_context(|| {
            format!("{shown} carries no manifest; pack it first: postern skill pack")
        })?;
        let signature = self.signature()?;
        if !context.json {
            redaction::tell(&format!("· pushing {shown} to {}", self.reference));
        }
        let about = &package.manifest.skill;
        let manifest = &package.manifest;
        let pushed = push(&self.reference, &bytes, manifest, signature.as_deref(), &limits).await?;
        let exact = self.reference.at(pushed).to_string();
        if context.json {
            return output::json(&json!({
                "reference": exact,
                "tag": self.reference.tag(),
                "digest": Digest::of_bytes(&bytes),
                "skill": about.id,
                "version": about.version,
                "signed": signature.is_some(),
            }));
        }
        let signed = if signature.is_some() { "signed" } else { "not signed" };
        out!("Pushed {}@{} ({signed}) to {}", about.id, about.version, self.reference);
        out!("{exact}");
        Ok(())
    }

    fn signature(&self) -> anyhow::Result<Option<String>> {
        let beside = || {
            let mut path = self.file.as_os_str().to_owned();
            path.push(".minisig");
            Some(PathBuf::from(path)).filter(|path| path.is_file())
        };
        let Some(path) = self.signature.clone().or_else(beside) else { return Ok(None) };
        let text = String::from_utf8(read_file(&path, MOST_SIGNATURE_BYTES as u64)?).ok();
        let text = text.filter(|text| text.starts_with("untrusted comment:"));
        let text = text.with_context(|| {
            format!("{} is no minisign signature; make one: postern skill sign", path.display())
        })?;
        Ok(Some(text))
    }
}
