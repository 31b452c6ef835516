//! A component out of a registry.

use base64::{Engine as _, engine::general_purpose::STANDARD};
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
    let signature = manifest.annotations.get(SIGNATURE).map(|text| signature_of(text, &what));
    let signature = signature.transpose()?;
    let bytes = session.blob(layer, limits.bytes, Kind::Wasm).await?;
    let sbom = bill::find(&mut session, raw.digest).await;
    let source = Source::Oci { reference: what, manifest: raw.digest };
    Ok(Fetched { bytes, signature, sbom, source })
}

/// A signature is text of several lines, in base64 because some tools write annotations
/// with bare line breaks, which are not JSON. Who wrote it as it is meant the same.
fn signature_of(text: &str, reference: &str) -> Result<String, SourceError> {
    let what = format!("the signature of {reference}");
    if text.len() as u64 > 2 * MOST_SIGNATURE {
        return Err(SourceError::TooBig { what, most: MOST_SIGNATURE });
    }
    let bytes = STANDARD.decode(text.trim()).ok();
    let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let signature = decoded.unwrap_or_else(|| text.to_owned());
    if signature.len() as u64 > MOST_SIGNATURE {
        return Err(SourceError::TooBig { what, most: MOST_SIGNATURE });
    }
    Ok(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read_in_base64_and_as_they_are() {
        let text = "untrusted comment: x\nRUQ=\n";
        assert_eq!(signature_of(&STANDARD.encode(text), "r").unwrap(), text);
        assert_eq!(signature_of(text, "r").unwrap(), text);
        let long = "a".repeat(MOST_SIGNATURE as usize + 1);
        assert!(signature_of(&STANDARD.encode(&long), "r").is_err());
        assert!(signature_of(&long.repeat(9), "r").is_err());
    }
}
