//! A host without skills and workers, for tests of what its listeners answer.

use std::{path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::{HeaderMap, Request, StatusCode, header},
    response::Response,
};
use futures_util::StreamExt as _;
use postern_domain::{StoredMessage, Timestamp};
use postern_store::{Change, Commit};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{
    app::{self, App},
    channels,
    clock::ManualClock,
    config::{self, Config},
    console,
    keys::{MasterKey, write_private},
    policies,
    registry::Compiler,
};

/// The operator's token of every host made here.
pub(crate) const TOKEN: &str = "a-token-of-the-operator";
/// The origin that the site's configuration lists.
pub(crate) const LISTED: &str = "https://shop.example";

/// A host in a folder of its own, at a time that stands still.
pub(crate) struct TestHost {
    pub(crate) app: Arc<App>,
    pub(crate) clock: ManualClock,
    public: Router,
    operator: Router,
    _folder: TempDir,
}

impl TestHost {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A host whose configuration differs from the default in more than its place.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        for part in ["keys", "secrets"] {
            std::fs::create_dir(data.join(part)).unwrap();
        }
        MasterKey::generate().unwrap().write_new(&data.join(app::KEY_FILE)).unwrap();
        write_private(&data.join("secrets/operator-token"), TOKEN.as_bytes()).unwrap();
        let mut config = Config::parse(data, config::FILE_NAME, config::DEFAULT).unwrap();
        config.policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
        config.web.get_mut("main").unwrap().origins = vec![LISTED.to_owned()];
        let shipped = config.policies.clone();
        change(&mut config);
        let first = Config { policies: shipped, ..config.clone() };
        policies::first(&first, "operator:cli", Timestamp::from_millis(0)).unwrap();
        let clock = ManualClock::at(Timestamp::from_millis(1_700_000_000_000));
        let store = app::open_store(data).await.unwrap();
        // Nothing is installed here, so nothing is ever compiled.
        let compiler = Compiler::program(Path::new("no-program"));
        let app =
            App::assemble(config, Arc::new(store), Arc::new(clock.clone()), compiler).unwrap();
        Self {
            public: channels::router(Arc::clone(&app)),
            operator: console::router(Arc::clone(&app)),
            app,
            clock,
            _folder: folder,
        }
    }

    /// What the public listener answers.
    pub(crate) async fn public(&self, request: Request<Body>) -> Answer {
        Answer::of(self.public.clone().oneshot(request).await.unwrap()).await
    }

    /// What the operator listener answers.
    pub(crate) async fn operator(&self, request: Request<Body>) -> Answer {
        Answer::of(self.operator.clone().oneshot(request).await.unwrap()).await
    }

    /// The events that the public listener sends.
    pub(crate) async fn events(&self, request: Request<Body>) -> Events {
        let response = self.public.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        Events(response.into_body().into_data_stream())
    }

    /// Keeps changes as the pipeline does, and says so.
    pub(crate) async fn commit(&self, changes: Vec<Change>) {
        let conversation = changes.iter().find_map(|change| match change {
            Change::Message(StoredMessage { conversation, .. }) => Some(conversation.clone()),
            _ => None,
        });
        self.app.store.commit(Commit { changes, ..Commit::default() }).await.unwrap();
        if let Some(conversation) = conversation {
            self.app.events.changed(&conversation);
        }
    }
}

/// A request with these headers.
pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Body> {
    let mut request =
        Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Self { status: head.status, headers: head.headers, text }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether it is a refusal in JSON: code and request id, and nothing else.
    pub(crate) fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        let error = self.json()["error"].clone();
        assert_eq!(error["code"], code);
        assert!(error["request_id"].as_str().unwrap().starts_with("req_"), "{error}");
        assert_eq!(error.as_object().unwrap().len(), 3, "{error}");
    }
}

/// Server-sent events, one after the other.
pub(crate) struct Events(BodyDataStream);

impl Events {
    /// The next one, as it is on the wire; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let next = tokio::time::timeout(Duration::from_secs(10), self.0.next()).await;
        let bytes = next.expect("an event comes").transpose().unwrap()?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The next message's sequence number, author and text.
    pub(crate) async fn message(&mut self) -> (i64, String, String) {
        loop {
            let event = self.next().await.expect("the stream goes on");
            let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) else {
                continue;
            };
            if event.contains("event: message") {
                let data: Value = serde_json::from_str(data).unwrap();
                let seq = data["seq"].as_i64().unwrap();
                assert!(event.contains(&format!("id: {seq}\n")), "{event}");
                let text = |name: &str| data[name].as_str().unwrap().to_owned();
                return (seq, text("author"), text("text"));
            }
        }
    }

    /// Reads until the stream says that the client has everything.
    pub(crate) async fn caught_up(&mut self) {
        while !self.next().await.expect("the stream goes on").contains("event: ready") {}
    }
}
