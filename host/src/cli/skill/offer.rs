//! What is offered to be installed: fetched or read, checked, and its signature judged.
//! Nothing of it is compiled here, and nothing is kept.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use postern_domain::Digest;

use super::registry;
use crate::{
    cli::Context,
    config::Config,
    redaction,
    registry::{Candidate, Origin, Source, read_file, read_folder_or_file},
    source::{self, FetchLimits, Location},
    trust::{MOST_SIGNATURE_BYTES, Statement, Trust, TrustError},
};

/// What is to be installed, and what is known of it.
#[derive(Debug, Args)]
pub(super) struct Offer {
    /// A file (.wasm), a skill's folder, https://…, or oci://registry/repository:tag or
    /// @sha256:….
    #[arg(value_name = "SOURCE")]
    pub(super) source: String,
    /// The SHA-256 digest that it must have; needed for https://.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    sha256: Option<Digest>,
    /// The manifest of a component that carries none; by default skill.toml beside it.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The signature; by default the file that ends in .minisig beside the component, or
    /// what the registry has.
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Take it although nobody signed it whom you trust. Revoked stays revoked.
    #[arg(long)]
    allow_unsigned: bool,
}

/// 64 hexadecimal digits, with or without `sha256:` before them.
fn digest(text: &str) -> Result<Digest, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    format!("sha256:{digits}")
        .parse()
        .map_err(|error: postern_domain::DigestError| error.to_string())
}

impl Offer {
    /// Fetches or reads it, checks it, and judges who signed it.
    pub(super) async fn take(
        &self,
        context: &Context,
        config: &Config,
    ) -> anyhow::Result<(Candidate, Origin)> {
        let bounds = config.bounds();
        let location: Location = self.source.parse()?;
        let (candidate, beside, source, built_from) = match &location {
            Location::Path(path) => {
                let candidate = read_folder_or_file(path, self.manifest.as_deref(), &bounds)?;
                if let Some(wanted) = self.sha256 {
                    let is = candidate.digest();
                    anyhow::ensure!(
                        is == wanted,
                        "{}: it has {is}, not {wanted}; get it again from where the digest is from",
                        path.display()
                    );
                }
                let beside = beside(path, &candidate)?;
                (candidate, beside, Source::Path { path: self.source.clone() }, None)
            }
            Location::Https(_) | Location::Oci(_) => {
                if !context.json {
                    redaction::tell(&format!("· fetching {location}"));
                }
                let limits =
                    FetchLimits { bytes: bounds.component_bytes, ..FetchLimits::default() };
                let fetched = source::fetch(&location, self.sha256, &limits).await?;
                let shown = location.to_string();
                let candidate = match &self.manifest {
                    Some(file) => {
                        let manifest = crate::registry::read_manifest(file)?;
                        let assets = crate::registry::read_assets(
                            file.parent().unwrap_or_else(|| Path::new(".")),
                        )?;
                        Candidate::of_parts(&bounds, &shown, &fetched.bytes, manifest, assets)?
                    }
                    None => Candidate::of_package(&bounds, &shown, fetched.bytes)?.with_context(
                        || {
                            format!(
                                "{shown} carries no manifest; its publisher can add it with \
                                 `postern skill pack`, or name one with --manifest"
                            )
                        },
                    )?,
                };
                (candidate, fetched.signature, fetched.source, fetched.sbom)
            }
        };
        let signature = match &self.signature {
            Some(file) => Some(text(file)?),
            None => beside,
        };
        let signed_by = self.judge(context, &candidate, signature.as_deref())?;
        Ok((candidate, Origin { source: Some(source), signed_by, built_from }))
    }

    /// Who signed it. With `--allow-unsigned`, nobody need have; what is revoked, forged or
    /// somebody else's is refused all the same.
    fn judge(
        &self,
        context: &Context,
        candidate: &Candidate,
        signature: Option<&str>,
    ) -> anyhow::Result<Option<crate::registry::SignedBy>> {
        let manifest = &candidate.manifest;
        let trust = Trust::load(&context.data)?;
        let statement = Statement::of(manifest, candidate.digest());
        match trust.judge(&manifest.skill.publisher, &statement, signature) {
            Ok(by) => Ok(Some(by)),
            Err(TrustError::Unsigned { .. } | TrustError::UnknownKey { .. })
                if self.allow_unsigned =>
            {
                known_to_be_revoked(context, &trust, &statement)?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Refuses what was installed here before with a signature of a key that is revoked since:
/// it is no other skill without its signature.
fn known_to_be_revoked(
    context: &Context,
    trust: &Trust,
    statement: &Statement,
) -> anyhow::Result<()> {
    // A generation that is damaged says nothing; it refuses nothing else either.
    let kept = registry(context)?.history()?;
    for generation in kept.into_iter().filter_map(|(_, generation)| generation.ok()) {
        let tried = generation.canaries.values().map(|canary| &canary.installed);
        let known = generation.skills.values().chain(tried);
        let revoked = known
            .filter(|known| known.digest == statement.digest)
            .find_map(|known| trust.revoked(known.digest, known.signed_by.as_ref()));
        if let Some(revocation) = revoked {
            let skill = format!("{}@{}", statement.id, statement.version);
            return Err(TrustError::RevokedKey { skill, revocation: Box::new(revocation) }.into());
        }
    }
    Ok(())
}

/// The signature that lies beside a component on this machine.
fn beside(path: &Path, candidate: &Candidate) -> anyhow::Result<Option<String>> {
    let component = if path.is_dir() {
        path.join("target/skill").join(format!("{}.wasm", candidate.manifest.skill.id))
    } else {
        path.to_owned()
    };
    let mut file = component.into_os_string();
    file.push(".minisig");
    let file = PathBuf::from(file);
    if file.is_file() { text(&file).map(Some) } else { Ok(None) }
}

fn text(file: &Path) -> anyhow::Result<String> {
    let bytes = read_file(file, MOST_SIGNATURE_BYTES as u64)?;
    String::from_utf8(bytes).with_context(|| format!("{}: no signature file", file.display()))
}
