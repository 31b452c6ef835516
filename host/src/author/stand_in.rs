//! Stand-ins for the servers that a skill asks, while its author tries it.
//!
//! They answer on loopback as `dev/answers.toml` says, in the words of scenarios.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use postern_scenario::{Answer, Edge, HttpAnswer, Met};
use serde::Deserialize;
use tokio::{net::TcpListener, task::JoinSet};

use super::{AuthorError, Server, World};
use crate::registry::{MOST_MANIFEST_BYTES, read_file};

/// What the stand-ins answer, in the skill's folder.
const ANSWERS: &str = "dev/answers.toml";
/// Bytes of a request's body.
const MOST_BODY: usize = 1024 * 1024;
/// Requests after which it is forgotten which answers are used up.
const MOST_REQUESTS: usize = 10_000;

/// Stand-ins that answer until this is dropped.
#[derive(Debug, Default)]
pub struct StandIns {
    /// Ended with this.
    tasks: JoinSet<()>,
    /// Who stands in for whom.
    pub ports: Vec<(Server, u16)>,
}

impl StandIns {
    /// If a data folder is one for trying a skill, lets stand-ins listen for its servers
    /// and writes the folder's configuration so that they are found. Otherwise nothing
    /// happens.
    ///
    /// # Errors
    /// The skill's files cannot be used, or no port can be had.
    pub async fn start(data: &Path) -> Result<Option<Self>, AuthorError> {
        let Some(world) = World::of(data)? else { return Ok(None) };
        let file = world.skill.join(ANSWERS);
        // A mistake in it is said at the start rather than in an answer.
        Answers::read(&file)?;
        let mut stand_ins = Self::default();
        for server in world.servers()? {
            let cannot = |source| AuthorError::Start { program: "a stand-in".to_owned(), source };
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(cannot)?;
            let port = listener.local_addr().map_err(cannot)?.port();
            let stand_in = StandIn {
                host: server.host.clone(),
                file: file.clone(),
                answers: Mutex::default(),
            };
            let router = Router::new().fallback(answer).with_state(Arc::new(stand_in));
            stand_ins.tasks.spawn(async move {
                // It ends with the program, and whoever asks it meanwhile gets no answer.
                let _ended = axum::serve(listener, router).await;
            });
            stand_ins.ports.push((server, port));
        }
        world.configure(&stand_ins.ports)?;
        Ok(Some(stand_ins))
    }
}

/// One stand-in.
struct StandIn {
    host: String,
    file: PathBuf,
    answers: Mutex<Answers>,
}

/// What is answered, as the file said when it was read.
#[derive(Default)]
struct Answers {
    written: Option<SystemTime>,
    edge: Edge,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswersFile {
    #[serde(default)]
    http: Vec<HttpAnswer>,
}

impl Answers {
    /// The file, which need not be there.
    fn read(file: &Path) -> Result<Self, AuthorError> {
        let written = file.metadata().and_then(|about| about.modified()).ok();
        if written.is_none() {
            return Ok(Self::default());
        }
        let wrong = |reason: String| AuthorError::Config { file: file.to_owned(), reason };
        let bytes = read_file(file, MOST_MANIFEST_BYTES as u64)?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned()))?;
        let AnswersFile { http } =
            toml::from_str(&text).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
        Ok(Self { written, edge: Edge::new(&http) })
    }

    /// Reads the file again if it changed.
    fn refresh(&mut self, file: &Path) -> Result<(), AuthorError> {
        let written = file.metadata().and_then(|about| about.modified()).ok();
        if written != self.written || self.edge.requests().len() >= MOST_REQUESTS {
            *self = Self::read(file)?;
        }
        Ok(())
    }
}

impl StandIn {
    fn meet(&self, request: &postern_scenario::Request) -> Result<Met, AuthorError> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.refresh(&self.file)?;
        Ok(answers.edge.ask(request))
    }
}

async fn answer(State(stand_in): State<Arc<StandIn>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let headers = head.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let asked = postern_scenario::Request {
        method: head.method.as_str().to_owned(),
        host: stand_in.host.clone(),
        path: head.uri.path().to_owned(),
        query: query.into_owned().collect(),
        headers: headers.collect(),
        body: body.to_vec(),
    };
    match stand_in.meet(&asked) {
        Ok(Met::Answer(Answer::Response { status, headers, body })) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut response = (status, body).into_response();
            // A type that nobody named would be the library's own.
            response.headers_mut().clear();
            for (name, value) in headers {
                let name = HeaderName::from_bytes(name.as_bytes());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        // Whoever asked gives up when their time is over.
        Ok(Met::Answer(Answer::Lost)) => std::future::pending().await,
        Ok(Met::Nothing(nearest)) => {
            tracing::warn!(
                target: "skill", request = asked.line(), nearest = nearest.why,
                "nothing in dev/answers.toml fits a request"
            );
            (StatusCode::NOT_FOUND, nearest.why).into_response()
        }
        Err(error) => {
            tracing::error!(target: "skill", "{error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
