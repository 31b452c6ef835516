//! How the console answers: pages in one frame, errors, parts of lists.

use std::sync::LazyLock;

use askama::Template;
use axum::{
    body::Bytes,
    extract::{FromRequestParts, Query, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use postern_store::{Page, StoreError};
use serde::{Deserialize, de::DeserializeOwned};

use super::{NAME, is_for_machines};
use crate::{
    channels::{ErrorCode, error_reply, error_reply_saying},
    http::{self, source_of},
    operators::ActError,
};

const STYLE: &str = include_str!("../../assets/console.css");

/// A page shows its own style and sends its own forms; it runs no script.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src {}; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
        source_of(STYLE),
    )
});

/// What stands around every page.
pub(super) struct Frame {
    /// The page's name.
    pub(super) title: String,
    /// The entry of the menu to which it belongs.
    pub(super) section: &'static str,
    /// Whether there is a menu.
    pub(super) inside: bool,
    pub(super) style: &'static str,
}

impl Frame {
    /// The frame of a page for operators.
    pub(super) fn of(section: &'static str, title: impl Into<String>) -> Self {
        Self { title: title.into(), section, inside: true, style: STYLE }
    }

    /// The frame of a page for anybody.
    pub(super) fn outside(title: &str) -> Self {
        Self { title: title.to_owned(), section: "", inside: false, style: STYLE }
    }
}

/// A page with its headers.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    http::page(status, template, &POLICY)
}

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Failure {
    /// The address makes no sense.
    Unreadable,
    /// There is nothing at the address.
    NotFound,
    /// It is not done: a name for machines, and why.
    Refused {
        /// Whether rules are why, and not how things stand.
        by_rules: bool,
        /// For machines.
        code: &'static str,
        /// With the next step.
        reason: String,
    },
    /// The store does not answer.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ActError> for Failure {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused { .. } => {
                Self::Refused { by_rules: true, code: "role", reason: error.to_string() }
            }
            ActError::Store(error) => Self::Store(error),
        }
    }
}

/// The answer to a request that failed before a handler had it.
pub(super) fn failed(uri: &Uri, failure: Failure) -> Response {
    if is_for_machines(uri) {
        ApiError(failure).into_response()
    } else {
        PageError(failure).into_response()
    }
}

impl Failure {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Unreadable => ErrorCode::BadRequest,
            Self::NotFound => ErrorCode::NotFound,
            Self::Refused { by_rules: true, .. } => ErrorCode::Forbidden,
            Self::Refused { by_rules: false, .. } => ErrorCode::Conflict,
            Self::Store(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "the console cannot read");
                ErrorCode::Unavailable
            }
        }
    }
}

/// A failure as JSON.
pub(super) struct ApiError(pub(super) Failure);

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self(Failure::Store(error))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self.0 {
            Failure::Refused { code, reason, .. } => {
                error_reply_saying(NAME, self.0.code(), code, reason)
            }
            Failure::Unreadable | Failure::NotFound | Failure::Store(_) => {
                error_reply(NAME, self.0.code())
            }
        }
    }
}

/// A failure as a page.
pub(super) struct PageError(pub(super) Failure);

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self(Failure::Store(error))
    }
}

#[derive(Template)]
#[template(path = "console/message.html")]
struct Message {
    frame: Frame,
    text: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        // Logs the failure; its status and headers are the page's.
        let status = error_reply(NAME, self.0.code()).status();
        let (title, text) = match &self.0 {
            Failure::Unreadable => ("Not readable", "The address has a part that makes no sense."),
            Failure::NotFound => ("Not found", "There is nothing at this address."),
            Failure::Refused { by_rules: true, reason, .. } => ("Not allowed", reason.as_str()),
            Failure::Refused { by_rules: false, reason, .. } => ("Not done", reason.as_str()),
            Failure::Store(_) => {
                ("Not available", "The store does not answer; the host's log says why. Try again.")
            }
        };
        page(status, &Message { frame: Frame::of("", title), text: text.to_owned() })
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

/// The query of an address, refused as `E` if it makes no sense.
pub(super) struct Asked<T, E>(pub(super) T, pub(super) std::marker::PhantomData<E>);

impl<S, T, E> FromRequestParts<S> for Asked<T, E>
where
    S: Send + Sync,
    T: DeserializeOwned,
    E: From<Failure> + IntoResponse,
{
    type Rejection = E;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, E> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked, std::marker::PhantomData)),
            Err(_) => Err(E::from(Failure::Unreadable)),
        }
    }
}

/// What a body of JSON says. Another type is refused: a form of another page could send
/// it.
pub(super) fn json_of<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Failure> {
    let body = body.map_err(|_| Failure::Unreadable)?;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Failure::Unreadable);
    }
    serde_json::from_slice(&body).map_err(|_| Failure::Unreadable)
}

/// What a field of a form says. The first field of a name counts.
pub(super) fn form_field(body: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(body)
        .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Part {
    limit: Option<u32>,
    offset: u32,
}

/// Entries of a list that are shown unless the address says otherwise.
pub(super) const ENTRIES: u32 = 50;
/// Entries that are shown at once.
const MOST_ENTRIES: u32 = 200;
/// How far back a list goes.
const MOST_OFFSET: u32 = 1_000_000;

impl Part {
    /// The part, if it is within bounds.
    pub(super) fn page(&self) -> Result<Page, Failure> {
        bounded(self.limit.unwrap_or(ENTRIES), self.offset)
    }
}

/// A part of a list, if it is within bounds.
pub(super) fn bounded(limit: u32, offset: u32) -> Result<Page, Failure> {
    if (1..=MOST_ENTRIES).contains(&limit) && offset <= MOST_OFFSET {
        Ok(Page { limit, offset })
    } else {
        Err(Failure::Unreadable)
    }
}

/// One part of a list, and where the others are.
pub(super) struct Entries<T> {
    pub(super) entries: Vec<T>,
    pub(super) newer: Option<u32>,
    pub(super) older: Option<u32>,
    pub(super) limit: u32,
}

/// What to ask the store for: one entry more, which tells that there are others.
pub(super) fn one_more(page: Page) -> Page {
    Page { limit: page.limit + 1, ..page }
}

impl<T> Entries<T> {
    /// The part that the store gave for [`one_more`].
    pub(super) fn new(page: Page, mut entries: Vec<T>) -> Self {
        let more = entries.len() > page.limit as usize;
        entries.truncate(page.limit as usize);
        Self {
            entries,
            newer: (page.offset > 0).then(|| page.offset.saturating_sub(page.limit)),
            older: more.then(|| page.offset + page.limit),
            limit: page.limit,
        }
    }
}
