//! What lies in a registry: manifests, their parts, and what they are called.

use std::collections::BTreeMap;

use postern_domain::Digest;
use serde::{Deserialize, Serialize};

use crate::config::bounded;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// CNCF TAG Runtime, Wasm OCI artifact.
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub(super) const LAYER: &str = "application/wasm";
/// OCI image specification 1.1, "Guidance for an empty descriptor".
pub(super) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub(super) const CYCLONEDX: &str = "application/vnd.cyclonedx+json";
/// Our minisign signature in base64, as an annotation of the manifest.
pub(super) const SIGNATURE: &str = "dev.postern.signature";
/// All that we know by name, so that a registry gives it to us and we can say what it is.
pub(super) const ACCEPTED: [&str; 4] = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_LIST];
/// Bytes of a manifest: what registries accept at least, and most at most (OCI
/// distribution specification 1.1, "Pushing manifests").
pub(super) const MOST_MANIFEST: u64 = 4 * 1024 * 1024;

/// A part by its digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of_bytes(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// An image manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: u8,
    pub(super) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// A list of manifests: what refers to another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub(super) schema_version: u8,
    pub(super) media_type: String,
    pub(super) manifests: Vec<Descriptor>,
}

/// What tells manifests apart, before one is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
    config: Option<Named>,
    layers: Option<Vec<Named>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    media_type: String,
}

/// The one component of a manifest; `Err` says what it is instead.
pub(super) fn component_of(bytes: &[u8], content_type: &str) -> Result<Manifest, String> {
    let shape: Shape = serde_json::from_slice(bytes).map_err(none)?;
    // A registry may not call one thing by two names: what reads it differently would see
    // another content under the same digest (CVE-2021-41190).
    let named = shape.media_type.as_deref().unwrap_or(content_type);
    if shape.manifests.is_some() || named == INDEX || named == DOCKER_LIST {
        return Err("it is an index of several; name one of them by its digest".to_owned());
    }
    if named != MANIFEST || content_type != named {
        return Err(format!("its manifest is {}, not {MANIFEST}", quoted(named, content_type)));
    }
    let config = shape.config.map(|config| config.media_type).unwrap_or_default();
    if config != CONFIG {
        return Err(format!("its configuration is {}, not {CONFIG:?}", shown(&config)));
    }
    let layers = shape.layers.unwrap_or_default();
    let [layer] = layers.as_slice() else {
        return Err(format!("it has {} layers, not one", layers.len()));
    };
    if layer.media_type != LAYER {
        return Err(format!("its layer is {}, not {LAYER:?}", shown(&layer.media_type)));
    }
    serde_json::from_slice(bytes).map_err(none)
}

/// The error may repeat what the registry wrote.
fn none(error: serde_json::Error) -> String {
    format!("its manifest is none ({})", bounded(&error.to_string()))
}

/// What a registry wrote, as text in quotation marks.
fn shown(text: &str) -> String {
    bounded(&format!("{text:?}"))
}

fn quoted(named: &str, content_type: &str) -> String {
    if named == content_type {
        shown(named)
    } else {
        let (named, content_type) = (shown(named), shown(content_type));
        format!("{named} by its own word and {content_type} by the registry's")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn whole() -> Value {
        json!({ "schemaVersion": 2, "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "digest": Digest::ZERO, "size": 2 },
            "layers": [{ "mediaType": LAYER, "digest": Digest::ZERO, "size": 8 }] })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut manifest = whole();
        change(&mut manifest);
        let named = manifest["mediaType"].as_str().unwrap_or(MANIFEST).to_owned();
        component_of(manifest.to_string().as_bytes(), &named).unwrap_err()
    }

    #[test]
    fn exactly_one_component_is_taken() {
        let manifest = component_of(whole().to_string().as_bytes(), MANIFEST).unwrap();
        assert_eq!((manifest.layers.len(), manifest.layers[0].size), (1, 8));
    }

    #[test]
    fn everything_else_is_named() {
        assert!(refused(|m| m["manifests"] = json!([])).contains("an index"));
        assert!(refused(|m| m["mediaType"] = json!(INDEX)).contains("an index"));
        assert!(refused(|m| m["mediaType"] = json!(DOCKER_MANIFEST)).contains("its manifest is"));
        let image = "application/vnd.oci.image.config.v1+json";
        assert!(refused(|m| m["config"]["mediaType"] = json!(image)).contains("configuration"));
        assert!(refused(|m| m["layers"] = json!([])).contains("0 layers"));
        let two = |m: &mut Value| m["layers"] = json!([m["layers"][0], m["layers"][0]]);
        assert!(refused(two).contains("2 layers"));
        let gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
        assert!(refused(|m| m["layers"][0]["mediaType"] = json!(gzip)).contains("its layer is"));
        assert!(refused(|m| m["layers"][0]["digest"] = json!("sha512:00")).contains("digest"));
        assert!(component_of(b"<html>", MANIFEST).unwrap_err().contains("its manifest is none"));
        let long = "\u{1b}[2J".repeat(100_000);
        assert!(refused(|m| m["config"]["mediaType"] = json!(long)).len() < 2_000);
        assert!(refused(|m| m["layers"][0]["digest"] = json!(long)).len() < 2_000);
        let two_names = component_of(whole().to_string().as_bytes(), "application/json");
        assert!(two_names.unwrap_err().contains("by the registry's"));
    }
}
