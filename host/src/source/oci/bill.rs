//! What a component was built from, as an artifact that refers to it (OCI distribution
//! specification 1.1, "Listing Referrers"), by the registry's list or by the tag that
//! stands for it where the registry keeps none.

use std::{collections::BTreeMap, time::Duration};

use postern_domain::Digest;
use reqwest::{
    Response,
    header::{ACCEPT, HeaderValue},
};

use super::{
    artifact::{self, CYCLONEDX, Descriptor, EMPTY, INDEX, MANIFEST, Manifest},
    push,
    session::Session,
};
use crate::{
    config::bounded,
    source::{
        SourceError,
        web::{Kind, Request},
        within,
    },
};

/// Bytes of one.
const MOST_BILL: u64 = 16 * 1024 * 1024;
/// Those that are tried: anybody who may push can add more.
const MOST_TRIED: usize = 4;
/// How long the list of them is waited for, and then each of them: the component is there
/// already, and its own time must not run out over this.
const LONGEST: Duration = Duration::from_secs(10);

/// The first whole one. None is no reason not to have the component: it is for people to
/// read, and nothing is decided by it.
pub(super) async fn find(session: &mut Session<'_>, subject: Digest) -> Option<serde_json::Value> {
    let what = format!("what refers to {}", session.reference());
    let listed = match within(LONGEST, &what, list(session, subject)).await {
        Ok(listed) => listed.map(|index| index.manifests).unwrap_or_default(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "referrers cannot be read");
            return None;
        }
    };
    let ours = |one: &&Descriptor| one.artifact_type.as_deref() == Some(CYCLONEDX);
    for one in listed.iter().filter(ours).take(MOST_TRIED) {
        match within(LONGEST, &what, read(session, one, subject)).await {
            Ok(bill) => return Some(bill),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "an SBOM cannot be read");
            }
        }
    }
    None
}

/// What refers to a manifest; none if nothing does.
async fn list(
    session: &mut Session<'_>,
    subject: Digest,
) -> Result<Option<artifact::Index>, SourceError> {
    let mut url = session.url(&format!("referrers/{subject}"))?;
    url.query_pairs_mut().append_pair("artifactType", CYCLONEDX);
    match index(session, url).await? {
        Some(listed) => Ok(Some(listed)),
        None => {
            let url = session.url(&format!("manifests/{}", fallback(subject)))?;
            index(session, url).await
        }
    }
}

async fn index(
    session: &mut Session<'_>,
    url: url::Url,
) -> Result<Option<artifact::Index>, SourceError> {
    let what = format!("what refers to {}", session.reference());
    let mut request = Request::get(url, what);
    request.headers.insert(ACCEPT, HeaderValue::from_static(INDEX));
    let response = match session.must(&request).await {
        Ok(response) => response,
        // Registries without such lists say so in several ways.
        Err(SourceError::NotFound { .. } | SourceError::Status { status: 400..500, .. }) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let bytes = session.body(response, &request.what, artifact::MOST_MANIFEST).await?;
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|error| {
        session.nonsense(format!("its list of referrers: {}", bounded(&error.to_string())))
    })
}

async fn read(
    session: &mut Session<'_>,
    one: &Descriptor,
    subject: Digest,
) -> Result<serde_json::Value, SourceError> {
    let raw = session.manifest(&one.digest.to_string(), Some(one.digest)).await?;
    let manifest: Manifest = serde_json::from_slice(&raw.bytes).map_err(|error| {
        session.nonsense(format!("the manifest of an SBOM: {}", bounded(&error.to_string())))
    })?;
    let refers = manifest.subject.as_ref().is_some_and(|of| of.digest == subject);
    let [layer] = manifest.layers.as_slice() else {
        return Err(session.nonsense("an SBOM has not one layer"));
    };
    if !refers {
        return Err(session.nonsense("an SBOM is of something else"));
    }
    let bytes = session.blob(layer, MOST_BILL, Kind::Text).await?;
    serde_json::from_slice(&bytes).map_err(|_| session.nonsense("an SBOM is not JSON"))
}

/// The tag of the list of referrers, where the registry does not keep it itself.
fn fallback(subject: Digest) -> String {
    format!("sha256-{}", subject.hex())
}

/// Adds one to a manifest that was pushed.
pub(super) async fn attach(
    session: &mut Session<'_>,
    subject: Descriptor,
    bill: &serde_json::Value,
) -> Result<(), SourceError> {
    let bytes = bill.to_string().into_bytes();
    let digest = subject.digest;
    let layer = push::blob(session, CYCLONEDX, &bytes).await?;
    let config = push::blob(session, EMPTY, b"{}").await?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        artifact_type: Some(CYCLONEDX.to_owned()),
        config,
        layers: vec![layer],
        subject: Some(subject),
        annotations: BTreeMap::new(),
    };
    let json = serde_json::to_vec(&manifest).expect("a manifest serializes to JSON");
    let mut one = Descriptor::of(MANIFEST, &json);
    one.artifact_type = manifest.artifact_type;
    let response = push::manifest(session, &one.digest.to_string(), MANIFEST, json).await?;
    if keeps_referrers(&response) {
        return Ok(());
    }
    let url = session.url(&format!("manifests/{}", fallback(digest)))?;
    let listed = index(session, url).await?;
    let mut manifests = listed.map(|index| index.manifests).unwrap_or_default();
    if manifests.iter().any(|listed| listed.digest == one.digest) {
        return Ok(());
    }
    manifests.push(one);
    let index = artifact::Index { schema_version: 2, media_type: INDEX.to_owned(), manifests };
    let json = serde_json::to_vec(&index).expect("an index serializes to JSON");
    push::manifest(session, &fallback(digest), INDEX, json).await?;
    Ok(())
}

/// A registry that keeps the list says so (OCI distribution specification 1.1, "Pushing
/// Manifests with Subject").
fn keeps_referrers(response: &Response) -> bool {
    response.headers().contains_key("oci-subject")
}
