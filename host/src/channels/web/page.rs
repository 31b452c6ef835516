//! `GET /chat/{site}`: the page.

use std::sync::{Arc, LazyLock};

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{Chat, refuse};
use crate::{
    channels::ErrorCode,
    http::{page, source_of},
};

const STYLE: &str = include_str!("../../../assets/chat.css");
const SCRIPT: &str = include_str!("../../../assets/chat.js");

/// The page runs its own script, uses its own style, talks to its own host, and
/// stands in nobody's frame.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        source_of(SCRIPT),
        source_of(STYLE),
    )
});

#[derive(Template)]
#[template(path = "chat.html")]
struct ChatPage<'a> {
    title: &'a str,
    style: &'static str,
    script: &'static str,
}

pub(super) async fn show(State(chat): State<Arc<Chat>>, Path(site): Path<String>) -> Response {
    let Some(site) = chat.app.config.web.get(&site) else { return refuse(ErrorCode::NotFound) };
    let template = ChatPage { title: &site.title, style: STYLE, script: SCRIPT };
    page(StatusCode::OK, &template, &POLICY)
}
