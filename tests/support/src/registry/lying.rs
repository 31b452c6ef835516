//! A server that has one component, as a web server and as a registry, and lies about it.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::{StreamExt as _, stream};
use postern_domain::Digest;
use serde_json::{Value, json};

use crate::{SupportError, server::Loopback};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// More than anybody fetches.
const HUGE: u64 = 300 * 1024 * 1024;

/// What is wrong with what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Nothing.
    None,
    /// One bit of the component.
    Tampered,
    /// The header that says which digest the manifest has.
    DigestHeader,
    /// The manifest: it is another one than its digest says.
    Manifest,
    /// The component's size is said to be beyond all bounds.
    DeclaredHuge,
    /// The manifest says that the component's size is beyond all bounds.
    DescribedHuge,
    /// The component does not end, and nothing says how long it is.
    Endless,
    /// The connection closes in the middle of the component.
    Truncated,
    /// The registry has less of the component than the manifest says, and says so.
    Short,
    /// After the beginning of the component nothing more comes.
    Stalls,
    /// The component is elsewhere, on a machine that nothing proves.
    Elsewhere,
    /// The component is at an address that sends on to itself.
    Circle,
    /// A page comes in place of the component.
    Page,
    /// Whoever wants the component must say who they are, to somebody without TLS.
    Realm,
    /// The server fails.
    Broken,
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Lying {
    server: Loopback,
    component: Digest,
    manifest: Digest,
}

struct Kept {
    lie: Lie,
    component: Vec<u8>,
    manifest: Vec<u8>,
}

impl Lying {
    /// Serves a component on loopback: as `/skill.wasm`, and as `acme/skill:1.0.0`.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(component: Vec<u8>, lie: Lie) -> Result<Self, SupportError> {
        let digest = Digest::of_bytes(&component);
        let said = described(&component, digest, lie).to_string().into_bytes();
        let manifest = Digest::of_bytes(&said);
        let kept = Arc::new(Kept { lie, component, manifest: said });
        let router = Router::new()
            .route("/skill.wasm", get(component_of))
            .route("/again", get(component_of))
            .route("/v2/acme/skill/manifests/{version}", get(manifest_of))
            .route("/v2/acme/skill/blobs/{digest}", get(component_of))
            .with_state(kept);
        let server = Loopback::start(router).await;
        let server = server
            .map_err(|source| SupportError::Start { what: "a lying server".to_owned(), source })?;
        Ok(Self { server, component: digest, manifest })
    }

    /// The component over the web.
    pub fn url(&self) -> String {
        format!("{}/skill.wasm", self.server.url())
    }

    /// The component in the registry.
    pub fn reference(&self) -> String {
        format!("{}:1.0.0", self.repository())
    }

    /// The same by the digest of its manifest.
    pub fn exact(&self) -> String {
        format!("{}@{}", self.repository(), self.manifest)
    }

    /// The component's true digest.
    pub fn digest(&self) -> Digest {
        self.component
    }

    fn repository(&self) -> String {
        format!("oci://{}/acme/skill", self.server.url().replace("http://", ""))
    }
}

fn described(component: &[u8], digest: Digest, lie: Lie) -> Value {
    let size = if lie == Lie::DescribedHuge { HUGE } else { component.len() as u64 };
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.wasm.config.v0+json",
            "digest": Digest::of_bytes(b"{}"),
            "size": 2,
        },
        "layers": [{ "mediaType": "application/wasm", "digest": digest, "size": size }],
    })
}

async fn manifest_of(State(kept): State<Arc<Kept>>, Path(version): Path<String>) -> Response {
    let digest = Digest::of_bytes(&kept.manifest).to_string();
    if version != "1.0.0" && version != digest {
        return StatusCode::NOT_FOUND.into_response();
    }
    let said = match kept.lie {
        Lie::DigestHeader => Digest::ZERO.to_string(),
        _ => digest,
    };
    let mut bytes = kept.manifest.clone();
    if kept.lie == Lie::Manifest {
        bytes.push(b' ');
    }
    let headers = [("content-type", MANIFEST.to_owned()), ("docker-content-digest", said)];
    (headers, bytes).into_response()
}

async fn component_of(State(kept): State<Arc<Kept>>) -> Response {
    let whole = kept.component.clone();
    let length = whole.len() as u64;
    let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    let first = stream::iter([Ok::<_, io::Error>(half.clone())]);
    let sized =
        |length: u64, body: Body| ([(header::CONTENT_LENGTH, length)], body).into_response();
    let sent_on =
        |to: &str| (StatusCode::FOUND, [(header::LOCATION, to.to_owned())]).into_response();
    match kept.lie {
        Lie::Tampered => {
            let mut changed = whole;
            if let Some(last) = changed.last_mut() {
                *last ^= 1;
            }
            changed.into_response()
        }
        Lie::DeclaredHuge => sized(HUGE, Body::from_stream(first.chain(stream::pending()))),
        Lie::Endless => {
            let zeros = Bytes::from(vec![0; 256 * 1024]);
            let endless = stream::repeat_with(move || Ok(zeros.clone()));
            Body::from_stream(first.chain(endless)).into_response()
        }
        Lie::Truncated => {
            // What was sent before is sent only if something has to be waited for.
            let gone = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::other("gone on purpose"))
            });
            sized(length, Body::from_stream(first.chain(gone)))
        }
        Lie::Short => half.into_response(),
        Lie::Stalls => sized(length, Body::from_stream(first.chain(stream::pending()))),
        Lie::Elsewhere => sent_on("http://elsewhere.example/skill.wasm"),
        Lie::Circle => sent_on("/again"),
        Lie::Page => "<!doctype html><title>Sign in</title>".into_response(),
        Lie::Realm => {
            let challenge = "Bearer realm=\"http://elsewhere.example/token\",service=\"x\"";
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
        }
        Lie::Broken => {
            let told = json!({ "errors": [{ "code": "UNKNOWN", "message": "\u{1b}[2J" }] });
            (StatusCode::BAD_GATEWAY, axum::Json(told)).into_response()
        }
        Lie::None | Lie::DigestHeader | Lie::Manifest | Lie::DescribedHuge => whole.into_response(),
    }
}
