//! A component out of a registry.

use postern_domain::Digest;

use super::{
    artifact::{self, SIGNATURE},
    bill,
    session::{Session, Wish},
};
use crate::{
    registry::Source,
    source::{
        FetchLimits, Fetched, MOST_SIGNATURE, Reference, SourceError,
        web::{Kind, Web},
    },
};

/// Resolves the reference once, to the digest of the bytes that came; all that follows is
/// asked for by digest.
pub(in crate::source) async fn fetch(
    web: &Web,
    reference: &Reference,
    sha256: Option<Digest>,
    limits: &FetchLimits,
) -> Result<Fetched, SourceError> {
    let mut session = Session::new(web, reference, Wish::Pull)?;
    let version = reference.version().to_string();
    let raw = session.manifest(&version, reference.digest()).await?;
    let what = reference.to_string();
    let not = |reason| SourceError::NotAnArtifact { what: what.clone(), reason };
    let manifest = artifact::component_of(&raw.bytes, &raw.content_type).map_err(not)?;
    let layer = manifest.layers.first().ok_or_else(|| not("it has no layer".to_owned()))?;
    if let Some(expected) = sha256.filter(|expected| *expected != layer.digest) {
        return Err(SourceError::WrongDigest { what, expected, found: layer.digest });
    }
    let signature = manifest.annotations.get(SIGNATURE).cloned();
    if signature.as_ref().is_some_and(|text| text.len() as u64 > MOST_SIGNATURE) {
        return Err(SourceError::TooBig {
            what: format!("the signature of {what}"),
            most: MOST_SIGNATURE,
        });
    }
    let bytes = session.blob(layer, limits.bytes, Kind::Wasm).await?;
    let sbom = bill::find(&mut session, raw.digest).await;
    let source = Source::Oci { reference: what, manifest: raw.digest };
    Ok(Fetched { bytes, signature, sbom, source })
}
