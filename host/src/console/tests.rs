//! What operators see, and what others do not.

mod approvals;
mod story;

use axum::http::StatusCode;

use crate::http::fixture::{Answer, TOKEN, TestHost, request};

const PAGES: [&str; 8] =
    ["/", "/conversations", "/tickets", "/approvals", "/skills", "/rules", "/audit", "/me"];
const API: [&str; 6] = [
    "/api/conversations",
    "/api/tickets",
    "/api/approvals",
    "/api/skills",
    "/api/rules",
    "/api/audit",
];

async fn get(host: &TestHost, path: &str) -> Answer {
    let token = format!("Bearer {TOKEN}");
    host.operator(request("GET", path, &[("authorization", &token)], "")).await
}

async fn get_with_cookie(host: &TestHost, path: &str, cookie: &str) -> StatusCode {
    host.operator(request("GET", path, &[("cookie", cookie)], "")).await.status
}

async fn sign_in(host: &TestHost, origin: &str, body: &str) -> Answer {
    host.operator(request("POST", "/login", &[("origin", origin)], body)).await
}

const OWN: &str = "http://127.0.0.1:8080";

#[tokio::test]
async fn nothing_is_shown_without_the_token() {
    let host = TestHost::new().await;
    for path in PAGES.iter().chain(&["/conversations/x", "/nowhere"]) {
        for headers in [
            vec![],
            vec![("authorization", "Bearer wrong")],
            vec![("cookie", "postern_operator=1.2")],
        ] {
            let answer = host.operator(request("GET", path, &headers, "")).await;
            assert_eq!(answer.status, 401, "{path}");
            assert!(answer.text.contains("name=\"token\""), "{path}");
            assert!(!answer.text.contains("<nav"), "{path}");
        }
    }
    for path in API.iter().chain(&["/api", "/api/nowhere"]) {
        let answer = host.operator(request("GET", path, &[], "")).await;
        answer.assert_refused(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn everything_opens_with_the_token_and_strict_headers() {
    let host = TestHost::new().await;
    for path in PAGES {
        let answer = get(&host, path).await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
    }
    for path in API {
        let answer = get(&host, path).await;
        assert_eq!((answer.status.as_u16(), answer.json().is_array()), (200, true), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn figures_are_for_whoever_has_the_token() {
    let host = TestHost::new().await;
    let looper = "looper".parse().unwrap();
    host.app.metrics.breaker_opened(&looper);
    let answer = host.operator(request("GET", "/metrics", &[], "")).await;
    answer.assert_refused(401, "unauthorized");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    let answer = get(&host, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let counted = "postern_skill_breaker_opened_total{skill=\"looper\"} 1\n";
    assert!(answer.text.contains(counted), "{}", answer.text);
    let token = format!("Bearer {TOKEN}");
    let posted = request("POST", "/metrics", &[("authorization", &token)], "");
    host.operator(posted).await.assert_refused(405, "method_not_allowed");
}

#[tokio::test]
async fn another_host_name_is_refused_even_with_the_token() {
    let host = TestHost::new().await;
    let token = format!("Bearer {TOKEN}");
    let request = axum::http::Request::builder()
        .uri("/")
        .header("host", "rebound.example:8081")
        .header("authorization", token)
        .body(axum::body::Body::empty())
        .unwrap();
    host.operator(request).await.assert_refused(403, "forbidden");
}

#[tokio::test]
async fn the_cookie_of_a_sign_in_lasts_a_day_of_work_and_hides_the_token() {
    let host = TestHost::new().await;
    let answer = sign_in(&host, OWN, &format!("token={TOKEN}&next=%2Ftickets%3Foffset%3D50")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/tickets?offset=50");
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN));
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(get_with_cookie(&host, "/", pair).await, 200);
    assert_eq!(get_with_cookie(&host, "/api/skills", pair).await, 200);
    let later = pair.replacen("=1", "=2", 1);
    assert_eq!(get_with_cookie(&host, "/", &later).await, 401, "the time is signed");
    host.clock.advance_ms(12 * 60 * 60 * 1_000);
    assert_eq!(get_with_cookie(&host, "/", pair).await, 401);
}

#[tokio::test]
async fn a_wrong_token_or_a_foreign_form_signs_nobody_in() {
    let host = TestHost::new().await;
    for body in ["", "token=", "token=wrong", "next=%2F", &format!("Token={TOKEN}")] {
        let answer = sign_in(&host, OWN, body).await;
        assert_eq!(answer.status, 401, "{body}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let good = format!("token={TOKEN}");
    sign_in(&host, "https://evil.example", &good).await.assert_refused(403, "forbidden");
    sign_in(&host, OWN, &format!("{good}&next={}", "x".repeat(5_000)))
        .await
        .assert_refused(413, "too_large");
    let away = sign_in(&host, OWN, &format!("{good}&next=%2F%2Fevil.example")).await;
    assert_eq!(away.header("location"), "/");
    let out = host.operator(request("POST", "/logout", &[("origin", OWN)], "")).await;
    assert!(out.header("set-cookie").starts_with("postern_operator=; Path=/; Max-Age=0"));
}

#[tokio::test]
async fn lists_only_read() {
    let host = TestHost::new().await;
    let token = format!("Bearer {TOKEN}");
    for path in PAGES.iter().chain(&API) {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer =
                host.operator(request(method, path, &[("authorization", &token)], "")).await;
            answer.assert_refused(405, "method_not_allowed");
        }
    }
}

#[tokio::test]
async fn parts_of_lists_are_bounded() {
    let host = TestHost::new().await;
    for query in ["limit=0", "limit=201", "limit=x", "offset=1000001", "offset=-1", "page=2"] {
        for list in ["conversations", "tickets"] {
            assert_eq!(get(&host, &format!("/{list}?{query}")).await.status, 400, "{query}");
            let api = get(&host, &format!("/api/{list}?{query}")).await;
            api.assert_refused(400, "bad_request");
        }
    }
    for query in ["limit=0", "limit=501", "conversation=tkt_1", "x=1"] {
        assert_eq!(get(&host, &format!("/audit?{query}")).await.status, 400, "{query}");
        get(&host, &format!("/api/audit?{query}")).await.assert_refused(400, "bad_request");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let host = TestHost::new().await;
    let (conversation, ticket) = ("cnv_000000000000000000000000", "tkt_000000000000000000000000");
    for path in [
        format!("/conversations/{conversation}"),
        format!("/tickets/{ticket}"),
        format!("/tickets/{conversation}"),
        "/conversations/..%2f..".to_owned(),
        "/nowhere".to_owned(),
    ] {
        let page = get(&host, &path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.contains("Not found"), "{path}");
        get(&host, &format!("/api{path}")).await.assert_refused(404, "not_found");
    }
}
