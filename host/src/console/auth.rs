//! Who may see the console and act there: whoever has an operator's token, from a
//! browser that knows which host it is talking to, as far as rules let them.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use askama::Template;
use axum::{
    body::Bytes,
    extract::{Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use postern_domain::{Digest, Timestamp};
use postern_policy::Act;
use postern_store::StoreError;
use subtle::ConstantTimeEq as _;

use super::{Console, NAME, is_for_machines, reply};
use crate::{
    channels::{ErrorCode, error_reply},
    http::{REFERRER, bearer, cookie, is_own, origin},
    operators::{self, Actor, ROOT},
};

const COOKIE: &str = "postern_operator";
/// How long a browser stays signed in, in seconds: a working day.
const LIFE_S: i64 = 12 * 60 * 60;
/// Characters of a path to which the browser returns.
const MOST_NEXT: usize = 500;

/// Serves only requests that name this host by its address or as `localhost`.
/// A page that makes its own name resolve to this address (DNS rebinding) sends
/// that name.
pub(super) async fn require_own_host(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let own = host.is_some_and(|host| is_this_host(host, console.app.config.server.operator));
    let mut response = if own {
        next.run(request).await
    } else {
        tracing::warn!("the operator page was asked for under another name; use its address");
        error_reply(NAME, ErrorCode::Forbidden)
    };
    // JSON and redirects get these as well; pages have more.
    let headers: [(HeaderName, &str); 3] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, REFERRER),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a `Host` names the listener: `localhost`, a loopback address, or the
/// address to which it is bound.
fn is_this_host(host: &str, bound: SocketAddr) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match name.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ip == bound.ip() || bound.ip().is_unspecified(),
        Err(_) => false,
    }
}

/// Lets a request pass with the token of an operator whom rules let look, or with
/// the cookie that the sign-in page gave for it. Others get that page, or an error
/// in JSON. Handlers find the [`Actor`] among the request's extensions.
pub(super) async fn require_operator(
    State(console): State<Arc<Console>>,
    mut request: Request,
    next: Next,
) -> Response {
    let actor = match actor_of(&console, request.headers()).await {
        Ok(Some(actor)) => actor,
        Ok(None) => return unknown(&request),
        Err(error) => return reply::failed(request.uri(), reply::Failure::Store(error)),
    };
    let by_cookie = bearer(request.headers()).is_none();
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    // Browsers name the origin of every form; whoever has a token in hand is none.
    if by_cookie && changes && !is_surely_from_here(request.headers()) {
        return error_reply(NAME, ErrorCode::Forbidden);
    }
    let rules = console.app.policy.current();
    let (desk, uri) = (console.desk(&rules, &actor), request.uri());
    if let Err(error) = desk.allow(act_of(uri), "console:look", area(uri)).await {
        return reply::failed(uri, error.into());
    }
    request.extensions_mut().insert(actor);
    next.run(request).await
}

fn unknown(request: &Request) -> Response {
    if is_for_machines(request.uri()) {
        let mut response = error_reply(NAME, ErrorCode::Unauthorized);
        let challenge = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    let next = request.uri().path_and_query().map_or("/", |path| path.as_str());
    sign_in(StatusCode::UNAUTHORIZED, next, false)
}

/// The first part of an address after `/api`, which names no customer.
fn area(uri: &Uri) -> &'static str {
    const AREAS: [&str; 9] = [
        "conversations",
        "tickets",
        "skills",
        "rules",
        "audit",
        "metrics",
        "approvals",
        "me",
        "api",
    ];
    let path = uri.path().strip_prefix("/api").unwrap_or(uri.path());
    let first = path.split('/').nth(1).unwrap_or_default();
    AREAS.into_iter().find(|area| *area == first).unwrap_or("home")
}

fn act_of(uri: &Uri) -> Act {
    if area(uri) == "audit" { Act::ReadAudit } else { Act::View }
}

/// Who sends a request, if it is an operator.
async fn actor_of(console: &Console, headers: &HeaderMap) -> Result<Option<Actor>, StoreError> {
    let app = &console.app;
    match (bearer(headers), cookie(headers, COOKIE)) {
        (Some(token), _) => {
            let configured = &app.config.server.operator_token;
            operators::sign_in(&*app.store, configured, token, app.clock.now()).await
        }
        (None, Some(value)) => signed_in(console, value).await,
        (None, None) => Ok(None),
    }
}

/// The signature of a cookie: its time in milliseconds, and by whose token. It
/// depends on the token, so that a new one ends all sessions, and does not show it.
fn signed(console: &Console, issued: &str, holder: &str) -> [u8; 32] {
    let app = &console.app;
    let token = if holder == ROOT { app.config.server.operator_token.expose() } else { "" };
    app.key.derive("operator-session", &[token, issued, holder])
}

/// Who has this cookie, if their token counts now: the session of a token that was
/// revoked, or of an operator who was removed, is over.
async fn signed_in(console: &Console, value: &str) -> Result<Option<Actor>, StoreError> {
    let mut parts = value.split('.');
    let (Some(issued), Some(holder), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Ok(None);
    };
    let mut given = [0; 32];
    if hex::decode_to_slice(signature, &mut given).is_err() {
        return Ok(None);
    }
    let genuine: bool = signed(console, issued, holder).ct_eq(&given).into();
    let now = console.app.clock.now();
    let fresh = issued
        .parse()
        .is_ok_and(|issued| now.millis_since(Timestamp::from_millis(issued)) < LIFE_S * 1_000);
    if !(genuine && fresh) {
        return Ok(None);
    }
    if holder == ROOT {
        return Ok(Some(Actor::root()));
    }
    let Ok(digest) = format!("sha256:{holder}").parse::<Digest>() else { return Ok(None) };
    operators::still_signed_in(&*console.app.store, digest, now).await
}

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn<'a> {
    frame: reply::Frame,
    next: &'a str,
    failed: bool,
}

fn sign_in(status: StatusCode, next: &str, failed: bool) -> Response {
    let frame = reply::Frame::outside("Sign in");
    reply::page(status, &SignIn { frame, next: local(next), failed })
}

/// A path of this listener, or its first page: never another host.
fn local(next: &str) -> &str {
    let fits = next.starts_with('/')
        && !next.starts_with("//")
        && next.len() <= MOST_NEXT
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if fits { next } else { "/" }
}

/// `POST /login`: the token from the form, for a cookie.
pub(super) async fn login(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !is_from_here(&headers) {
        return error_reply(NAME, ErrorCode::Forbidden);
    }
    let Ok(body) = body else { return error_reply(NAME, ErrorCode::TooLarge) };
    let next = reply::form_field(&body, "next").unwrap_or_default();
    // A token has at least 16 characters, so that trying them out is hopeless
    // without counting attempts, and nobody can lock an operator out.
    let (app, token) = (&console.app, reply::form_field(&body, "token").unwrap_or_default());
    let (configured, now) = (&app.config.server.operator_token, app.clock.now());
    let actor = match operators::sign_in(&*app.store, configured, &token, now).await {
        Ok(Some(actor)) => actor,
        Ok(None) => {
            tracing::warn!("a sign-in to the operator page with a wrong token");
            return sign_in(StatusCode::UNAUTHORIZED, &next, true);
        }
        Err(error) => return reply::PageError(error.into()).into_response(),
    };
    let issued = now.millis().to_string();
    let holder = actor.token().map_or_else(|| ROOT.to_owned(), |digest| digest.hex());
    let signature = hex::encode(signed(&console, &issued, &holder));
    let value = format!("{issued}.{holder}.{signature}");
    see_other(local(&next), &set_cookie(&headers, &value, LIFE_S))
}

/// `POST /logout`: takes the cookie away.
pub(super) async fn logout(headers: HeaderMap) -> Response {
    if !is_from_here(&headers) {
        return error_reply(NAME, ErrorCode::Forbidden);
    }
    see_other("/", &set_cookie(&headers, "", 0))
}

/// Forms of other pages are refused.
fn is_from_here(headers: &HeaderMap) -> bool {
    match origin(headers) {
        Ok(None) => true,
        Ok(Some(origin)) => is_own(origin, headers),
        Err(()) => false,
    }
}

/// Whether a request surely comes from a page of this listener.
fn is_surely_from_here(headers: &HeaderMap) -> bool {
    matches!(origin(headers), Ok(Some(origin)) if is_own(origin, headers))
}

fn set_cookie(headers: &HeaderMap, value: &str, age_s: i64) -> String {
    let secure = matches!(origin(headers), Ok(Some(origin)) if origin.starts_with("https://"));
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}")
}

fn see_other(to: &str, cookie: &str) -> Response {
    let headers = [(header::LOCATION, to), (header::SET_COOKIE, cookie)];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_listener_are_this_host() {
        let check = |bound: &str, host: &str, own: bool| {
            assert_eq!(is_this_host(host, bound.parse().unwrap()), own, "{host} at {bound}");
        };
        for host in ["localhost", "LocalHost:8081", "127.0.0.1:8081", "[::1]:8081", "[::1]"] {
            check("127.0.0.1:8081", host, true);
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example:8081",
            "localhost.evil.example",
            "10.0.0.7",
        ] {
            check("127.0.0.1:8081", host, false);
        }
        check("10.0.0.7:8081", "10.0.0.7:8081", true);
        check("10.0.0.7:8081", "10.0.0.8:8081", false);
        check("0.0.0.0:8081", "10.0.0.8:8081", true);
        check("0.0.0.0:8081", "evil.example", false);
    }

    #[test]
    fn a_browser_returns_only_to_paths_of_this_listener() {
        for path in ["/", "/conversations?offset=50", "/tickets/tkt_1"] {
            assert_eq!(local(path), path);
        }
        for path in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/a b"]
        {
            assert_eq!(local(path), "/", "{path}");
        }
        assert_eq!(local(&format!("/{}", "x".repeat(MOST_NEXT))), "/");
    }
}
