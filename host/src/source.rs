//! Where skills come from and go to: web servers and OCI registries.
//!
//! Nothing that a server says is believed: sizes are counted, digests are made anew, and
//! redirects stay on TLS. What is fetched is in memory until all of it is proven, so a
//! failure leaves nothing behind.

mod credentials;
mod error;
mod https;
mod location;
mod oci;
mod reference;
mod web;

use std::time::Duration;

use postern_domain::{Digest, Manifest};

pub use self::{
    error::{Announced, SourceError},
    location::Location,
    reference::Reference,
};
use self::{
    location::{is_loopback, shown},
    web::Web,
};
use crate::registry;

/// Bytes of a signature.
const MOST_SIGNATURE: u64 = crate::trust::MOST_SIGNATURE_BYTES as u64;

/// Bounds of one fetch or push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// Bytes of a component.
    pub bytes: u64,
    /// From the first byte to the last, over all requests.
    pub wall: Duration,
    /// Until a connection stands.
    pub connect: Duration,
    /// Without a single byte.
    pub idle: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            bytes: 256 * 1024 * 1024,
            wall: Duration::from_secs(300),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
        }
    }
}

/// A component that was fetched, whole and as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The component.
    pub bytes: Vec<u8>,
    /// The signature that lies beside it, unproven.
    pub signature: Option<String>,
    /// What it was built from (CycloneDX), if the registry says so.
    pub sbom: Option<serde_json::Value>,
    /// Where it came from.
    pub source: registry::Source,
}

/// Fetches from a remote location; a path is the caller's to read. For a web address
/// `sha256` is mandatory; for a registry it is compared if it is given. Nothing is left
/// behind on failure.
///
/// # Errors
/// Nobody answers, or not with exactly one whole component within the limits; the error
/// says which and what to do.
pub async fn fetch(
    location: &Location,
    sha256: Option<Digest>,
    limits: &FetchLimits,
) -> Result<Fetched, SourceError> {
    let web = Web::new(limits)?;
    let fetched = async {
        match location {
            Location::Path(path) => {
                Err(SourceError::NotRemote { path: path.display().to_string() })
            }
            Location::Https(url) => https::fetch(&web, url, sha256, limits).await,
            Location::Oci(reference) => oci::fetch(&web, reference, sha256, limits).await,
        }
    };
    within(limits.wall, &location.to_string(), fetched).await
}

/// Pushes a packed component to the tag of a reference, and what it was built from, if it
/// says so. Returns the digest of its manifest, by which it is fetched from then on.
///
/// # Errors
/// As [`fetch`]; what was uploaded before stays in the registry without a name.
pub async fn push(
    reference: &Reference,
    package: &[u8],
    manifest: &Manifest,
    signature: Option<&str>,
    limits: &FetchLimits,
) -> Result<Digest, SourceError> {
    let web = Web::new(limits)?;
    let pushed = oci::push(&web, reference, package, manifest, signature);
    within(limits.wall, &reference.to_string(), pushed).await
}

async fn within<T>(
    after: Duration,
    what: &str,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    let late = |_| SourceError::Timeout { what: what.to_owned(), after };
    tokio::time::timeout(after, work).await.map_err(late)?
}
