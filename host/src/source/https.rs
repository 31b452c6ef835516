//! A component from a web server: worth as much as the digest that it was asked for with.

use postern_domain::Digest;
use url::Url;

use super::{
    FetchLimits, Fetched, SourceError,
    web::{Kind, Request, Web, beside, told},
};
use crate::registry::Source;

/// How a minisign signature begins.
const SIGNATURE: &str = "untrusted comment:";

pub(super) async fn fetch(
    web: &Web,
    url: &Url,
    sha256: Option<Digest>,
    limits: &FetchLimits,
) -> Result<Fetched, SourceError> {
    let what = told(url);
    let expected = sha256.ok_or_else(|| SourceError::NoDigest { url: what.clone() })?;
    let response = web.send(&Request::get(url.clone(), &what), url, None).await?;
    let response = match web.good(response, &what, false).await {
        Err(SourceError::Unauthorized { what, .. }) => return Err(SourceError::Private { what }),
        other => other?,
    };
    let bytes = web.body(response, &what, limits.bytes, Kind::Wasm).await?;
    let found = Digest::of_bytes(&bytes);
    if found != expected {
        return Err(SourceError::WrongDigest { what, expected, found });
    }
    let signature = signature(web, url).await.unwrap_or_else(|error| {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "the signature cannot be fetched, so there is none");
        None
    });
    Ok(Fetched { bytes, signature, sbom: None, source: Source::Https { url: what } })
}

/// The signature beside the component, as minisign names it. Many servers answer with a
/// page whatever they are asked for: what does not look like a signature is none. Nor is a
/// failure the component's: whether it needs a signature is judged later.
async fn signature(web: &Web, url: &Url) -> Result<Option<String>, SourceError> {
    let url = beside(url, ".minisig");
    let what = told(&url);
    let response = web.send(&Request::get(url.clone(), &what), &url, None).await?;
    let response = match web.good(response, &what, false).await {
        Ok(response) => response,
        Err(SourceError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let bytes = match web.body(response, &what, super::MOST_SIGNATURE, Kind::Text).await {
        Ok(bytes) => bytes,
        Err(SourceError::TooBig { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(String::from_utf8(bytes).ok().filter(|text| text.starts_with(SIGNATURE)))
}
