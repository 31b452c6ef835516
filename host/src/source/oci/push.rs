//! A component into a registry.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern_domain::{Digest, Manifest};
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::json;

use super::{
    artifact::{self, CONFIG, Descriptor, LAYER, MANIFEST, SIGNATURE},
    bill,
    session::{Session, Wish},
};
use crate::{
    package,
    source::{
        Reference, SourceError,
        web::{Request, Web},
    },
};

/// When an artifact says that it was made: the same component has the same digest
/// whenever it is pushed.
const CREATED: &str = "1970-01-01T00:00:00Z";

pub(in crate::source) async fn push(
    web: &Web,
    reference: &Reference,
    component: &[u8],
    manifest: &Manifest,
    signature: Option<&str>,
) -> Result<Digest, SourceError> {
    let Some(tag) = reference.tag() else {
        return Err(SourceError::PushToDigest { reference: reference.to_string() });
    };
    let sbom = package::sbom(component)?;
    let mut session = Session::new(web, reference, Wish::Push)?;
    let mut layer = blob(&mut session, LAYER, component).await?;
    let config = blob(&mut session, CONFIG, &config(component, manifest, layer.digest)).await?;
    let title = format!("{}.wasm", manifest.skill.id);
    layer.annotations.insert("org.opencontainers.image.title".to_owned(), title);
    let whole = artifact::Manifest {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        artifact_type: None,
        config,
        layers: vec![layer],
        subject: None,
        annotations: annotations(manifest, signature),
    };
    let json = serde_json::to_vec(&whole).expect("a manifest serializes to JSON");
    let pushed = Descriptor::of(MANIFEST, &json);
    let response = self::manifest(&mut session, tag, MANIFEST, json).await?;
    let digest = pushed.digest;
    let kept = response.headers().get("docker-content-digest");
    if kept.is_some_and(|kept| kept.as_bytes() != digest.to_string().as_bytes()) {
        return Err(session.nonsense("it keeps another manifest than it was given"));
    }
    if let Some(sbom) = sbom {
        bill::attach(&mut session, pushed, &sbom).await?;
    }
    Ok(digest)
}

/// OCI image specification 1.1, "Pre-Defined Annotation Keys".
fn annotations(manifest: &Manifest, signature: Option<&str>) -> BTreeMap<String, String> {
    let about = &manifest.skill;
    let named = |name: &str, value: String| (format!("org.opencontainers.image.{name}"), value);
    let mut annotations = BTreeMap::from([
        named("title", about.id.to_string()),
        named("version", about.version.to_string()),
        named("description", about.description.clone()),
        named("vendor", about.publisher.clone()),
    ]);
    if let Some(signature) = signature {
        annotations.insert(SIGNATURE.to_owned(), STANDARD.encode(signature));
    }
    annotations
}

/// The configuration of the Wasm OCI artifact.
fn config(component: &[u8], manifest: &Manifest, layer: Digest) -> Vec<u8> {
    let (imports, exports) = names(component);
    let config = json!({
        "created": CREATED,
        "author": manifest.skill.publisher,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer],
        "component": { "exports": exports, "imports": imports, "target": null },
    });
    config.to_string().into_bytes()
}

/// What a component imports and exports by name, as far as it can be read: registries
/// show it, and nobody relies on it.
fn names(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        match payload {
            Ok(wasmparser::Payload::Version { .. }) => depth += 1,
            Ok(wasmparser::Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(wasmparser::Payload::ComponentImportSection(section)) if depth == 1 => {
                let names = section.into_iter().flatten();
                imports.extend(names.map(|import| import.name.name.to_owned()));
            }
            Ok(wasmparser::Payload::ComponentExportSection(section)) if depth == 1 => {
                let names = section.into_iter().flatten();
                exports.extend(names.map(|export| export.name.name.to_owned()));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    (imports, exports)
}

/// Uploads a part, unless the registry has it: in one piece (OCI distribution
/// specification 1.1, "POST then PUT").
pub(super) async fn blob(
    session: &mut Session<'_>,
    media_type: &str,
    bytes: &[u8],
) -> Result<Descriptor, SourceError> {
    let part = Descriptor::of(media_type, bytes);
    let what = session.reference().to_string();
    let url = session.url(&format!("blobs/{}", part.digest))?;
    if session.send(&Request::new(Method::HEAD, url, &what)).await?.status() == StatusCode::OK {
        return Ok(part);
    }
    let url = session.url("blobs/uploads/")?;
    let begun = session.must(&Request::new(Method::POST, url, &what)).await?;
    let mut url = session.next(&begun)?;
    url.query_pairs_mut().append_pair("digest", &part.digest.to_string());
    let mut request = Request::new(Method::PUT, url, &what);
    let octets = HeaderValue::from_static("application/octet-stream");
    request.headers.insert(CONTENT_TYPE, octets);
    request.body = Some(bytes.to_vec().into());
    session.must(&request).await?;
    Ok(part)
}

/// Names a manifest, or keeps it under its digest.
pub(super) async fn manifest(
    session: &mut Session<'_>,
    name: &str,
    media_type: &'static str,
    json: Vec<u8>,
) -> Result<Response, SourceError> {
    let url = session.url(&format!("manifests/{name}"))?;
    let mut request = Request::new(Method::PUT, url, session.reference().to_string());
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    request.body = Some(json.into());
    session.must(&request).await
}
