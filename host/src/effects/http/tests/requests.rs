//! What leaves, and what does not.

use postern_domain::{FailureKind, HttpMethod};

use super::fixture::*;

fn header(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(name.into(), value.into())]
}

#[tokio::test]
async fn a_granted_request_leaves_with_the_secret_and_nothing_else_of_ours() {
    let server = Server::answering(json("{}")).await;
    let client = client_of(&server, "secrets = [\"token\"]");
    let mut request = get(format!("http://127.0.0.1:{}/v1/track/7?q=a%2Fb", server.port));
    request.headers = header("Accept", "application/json");
    request.secrets = vec!["token".into()];
    assert_eq!(send(&client, request).await.unwrap().status, 200);
    let seen = server.only();
    let (line, headers) = seen.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /v1/track/7?q=a%2Fb HTTP/1.1");
    let mut names: Vec<_> = headers.lines().filter_map(|l| Some(l.split_once(": ")?.0)).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent", "x-key"]);
    assert!(headers.contains(&format!("x-key: Key {TOKEN}\r\n")), "{headers}");
    assert!(headers.contains("accept-encoding: identity\r\n"), "{headers}");
}

#[tokio::test]
async fn a_write_carries_its_key_and_its_body() {
    let server = Server::answering(answer("204 No Content", &[], "")).await;
    let client = client_of(&server, "methods = [\"POST\"]");
    let mut request = post(format!("http://127.0.0.1:{}/v1/pay", server.port), "{\"a\": 1}");
    request.headers = header("content-type", "application/json");
    assert_eq!(send(&client, request).await.unwrap().status, 204);
    let seen = server.only();
    assert!(seen.starts_with("POST /v1/pay HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("idempotency-key: key-1\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\n{\"a\": 1}"), "{seen}");
}

#[test]
fn without_endpoint_or_grant_nothing_leaves_and_the_next_step_is_told() {
    let client = client(&endpoint("https://carrier.example/v1/", "paths = [\"track/*\"]"));
    let denied = |url: &str, skill: &str| {
        let failure = client.filter.check(&get(url), &skill.parse().unwrap()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{url}");
        failure.message
    };
    let url = "https://carrier.example/v1/track/1?email=ann%40shop.example";
    assert!(client.filter.check(&get(url), &tester()).is_ok());
    let message = denied(url, "other");
    assert!(message.contains("endpoint carrier is not granted to other"), "{message}");
    assert!(message.contains("[endpoints.carrier.grants.other]"), "{message}");
    for (url, reason) in [
        ("https://elsewhere.example/v1/track/1?x=ann", "no endpoint covers the URL"),
        ("http://carrier.example/v1/track/1?x=ann", "no endpoint covers"),
        ("https://carrier.example:8443/v1/track/1?x=ann", "no endpoint covers"),
        ("https://carrier.example./v1/track/1?x=ann", "no endpoint covers"),
        ("https://carrier.example.evil.example/v1/track/1", "no endpoint covers"),
        ("https://carrier.example/v2/track/1?x=ann", "no endpoint covers"),
        ("https://carrier.example/v1x/track/1?x=ann", "no endpoint covers"),
        ("https://carrier.example/v1/admin?x=ann", "only track/*"),
        ("https://carrier.example/v1/track?x=ann", "only track/*"),
        ("https://carrier.example/v1?x=ann", "only track/*"),
    ] {
        let message = denied(url, "tester");
        assert!(message.contains(reason), "{url}: {message}");
        assert!(!message.contains("ann") && !message.contains("elsewhere"), "{url}: {message}");
    }
    let mut request = get("https://carrier.example/v1/track/1");
    request.method = HttpMethod::Delete;
    let message = client.filter.check(&request, &tester()).unwrap_err().message;
    assert!(
        message.contains("DELETE is not granted") && message.contains("`methods`"),
        "{message}"
    );
    let mut request = get("https://carrier.example/v1/track/1");
    request.body = b"x".to_vec();
    assert_eq!(client.filter.check(&request, &tester()).unwrap_err().kind, FailureKind::Invalid);
}

#[test]
fn the_closest_endpoint_decides() {
    let text = endpoint("https://carrier.example/v1/", "")
        + "[endpoints.inner]\nurl = \"https://carrier.example/v1/admin/\"\n\
           [endpoints.inner.grants.admin]\n";
    let client = client(&text);
    let inner = get("https://carrier.example/v1/admin/x");
    let message = client.filter.check(&inner, &tester()).unwrap_err().message;
    assert!(message.contains("endpoint inner is not granted to tester"), "{message}");
    assert_eq!(client.filter.check(&inner, &"admin".parse().unwrap()).unwrap().endpoint(), "inner");
    let outer = get("https://carrier.example/v1/adminx");
    assert_eq!(client.filter.check(&outer, &tester()).unwrap().endpoint(), "carrier");
}

#[test]
fn an_address_in_any_spelling_is_the_address() {
    let text = "[endpoints.here]\nurl = \"https://127.0.0.1/\"\nprivate = [\"127.0.0.0/8\"]\n\
                [endpoints.here.grants.tester]\n";
    let client = client(text);
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://127.0.0.1./",
    ] {
        assert_eq!(
            client.filter.check(&get(url), &tester()).unwrap().url().host_str(),
            Some("127.0.0.1")
        );
    }
    // None of them reaches an endpoint that has a name, or one that nobody named.
    for url in [
        "https://10.0.0.1/",
        "https://167772161/",
        "https://012.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/",
        "https://localhost/",
        "https://0/",
    ] {
        assert_eq!(
            client.filter.check(&get(url), &tester()).unwrap_err().kind,
            FailureKind::Denied,
            "{url}"
        );
    }
}

#[test]
fn the_value_of_a_secret_does_not_leave_by_the_skills_own_hand() {
    let client = client(&endpoint("https://carrier.example/", "methods = [\"POST\"]"));
    let base = || post("https://carrier.example/x", "");
    let message = |request: &postern_domain::HttpRequest| {
        let failure = client.filter.check(request, &tester()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied);
        assert!(failure.message.contains("name the secret instead"), "{}", failure.message);
        assert!(!failure.message.contains("tok"), "{}", failure.message);
    };
    assert!(client.filter.check(&base(), &tester()).is_ok());
    for url in ["?q=tok/en+1234", "?q=tok%2Fen%2B1234", "?q=746f6b2F656e2b31323334", "tok/en+1234"]
    {
        let mut request = base();
        request.url += url;
        message(&request);
    }
    for body in
        ["tok/en+1234", "\"tok\\/en\\u002b1234\"", "x=dG9rL2VuKzEyMzQ=", "\u{e9}tok/en+1234"]
    {
        message(&post("https://carrier.example/x", body));
    }
    let mut request = base();
    request.headers = header("accept", "tok/en+1234");
    message(&request);
    let mut request = base();
    request.headers = header("x-key", "mine");
    let failure = client.filter.check(&request, &tester()).unwrap_err();
    assert!(failure.message.contains("x-key is for a secret"), "{}", failure.message);
}

#[test]
fn secrets_go_only_where_they_are_meant_to() {
    let text = endpoint("https://carrier.example/", "secrets = [\"token\", \"second\"]")
        + "[endpoints.carrier.grants.other]\n\
           [endpoints.other]\nurl = \"https://other.example/\"\n[endpoints.other.grants.tester]\n\
           [secrets.second]\nvalue = { file = \"secrets/operator-token\" }\nendpoint = \"carrier\"\n\
           header = \"x-key\"\n\
           [secrets.third]\nvalue = { file = \"secrets/operator-token\" }\nendpoint = \"carrier\"\n\
           header = \"x-third\"\n";
    let client = client(&text);
    let refused = |url: &str, skill: &str, secrets: &[&str]| {
        let mut request = get(url);
        request.secrets = secrets.iter().map(|name| (*name).to_owned()).collect();
        client.filter.check(&request, &skill.parse().unwrap()).unwrap_err().message
    };
    let carrier = "https://carrier.example/";
    let uniform = refused(carrier, "tester", &["nothing"]);
    assert!(uniform.contains("`secrets` of [endpoints.carrier.grants.tester]"), "{uniform}");
    // Of the same endpoint, but not granted: the skill cannot tell the difference.
    assert_eq!(refused(carrier, "tester", &["third"]), uniform);
    assert_eq!(refused(carrier, "tester", &["token", "third"]), uniform);
    let other = "https://other.example/";
    assert_eq!(refused(other, "tester", &["token"]), refused(other, "tester", &["nothing"]));
    assert_eq!(refused(carrier, "other", &["token"]), refused(carrier, "other", &["nothing"]));
    let twice = refused(carrier, "tester", &["token", "second"]);
    assert!(twice.contains("two secrets for header x-key"), "{twice}");
    let many = refused(carrier, "tester", &["token"; 9]);
    assert!(many.contains("at most 8 secrets"), "{many}");
}

#[tokio::test]
async fn nobody_looks_for_secrets_where_nothing_is_granted() {
    let client = client(&endpoint("https://carrier.example/v1/", "methods = [\"POST\"]"));
    for (url, skill, kept) in [
        ("https://carrier.example/v1/tok/en+1234", "other", "https://carrier.example/v1/"),
        ("https://elsewhere.example/tok/en+1234", "tester", "(no endpoint)"),
        ("tok/en+1234", "tester", "(no endpoint)"),
    ] {
        let mut request = post(url, TOKEN);
        request.headers = header("accept", TOKEN);
        let skill = skill.parse().unwrap();
        let refusal = client.check(&request, &skill).await.unwrap_err();
        // It is no way to find out whether something is a secret's value.
        assert!(!refusal.failure.message.contains("secret"), "{}", refusal.failure.message);
        let request = refusal.kept.unwrap();
        assert_eq!((&*request.url, request.headers.len(), request.body.len()), (kept, 0, 0));
    }
}

#[tokio::test]
async fn a_secret_in_a_large_request_is_found_and_masked() {
    let client = client(&endpoint("https://carrier.example/v1/", "methods = [\"POST\"]"));
    let filler = "x".repeat(100_000);
    let fine = post("https://carrier.example/v1/x", &filler);
    assert!(client.check(&fine, &tester()).await.is_ok());
    let mut request = post("https://carrier.example/v1/x?k=tok/en%2B1234", "");
    request.body = format!("{filler}{TOKEN}").into_bytes();
    let refusal = client.check(&request, &tester()).await.unwrap_err();
    assert!(refusal.failure.message.contains("name the secret"), "{}", refusal.failure.message);
    let kept = refusal.kept.unwrap();
    assert_eq!(kept.url, "https://carrier.example/v1/");
    assert_eq!(kept.body, format!("{filler}[redacted]").into_bytes());
}

#[test]
fn what_is_written_down_of_a_request_are_the_operators_words() {
    let client = client(&endpoint("https://carrier.example/v1/", "paths = [\"track/*\"]"));
    let resource = |url: &str, skill: &str| client.resource(&get(url), &skill.parse().unwrap());
    let url = "https://carrier.example/v1/track/ann?x=ann";
    assert_eq!(resource(url, "tester"), "GET carrier track/*");
    assert_eq!(resource(url, "other"), "GET carrier");
    assert_eq!(resource("https://carrier.example/v1/ann", "tester"), "GET carrier");
    assert_eq!(resource("https://ann.example/v1/track/1", "tester"), "GET (no endpoint)");
    assert_eq!(resource("ann", "tester"), "GET (no endpoint)");
}

#[tokio::test]
async fn skills_share_no_connection() {
    let server = Server::answering(json("{}")).await;
    let text = format!(
        "{}[endpoints.carrier.grants.other]\n",
        endpoint(&format!("http://127.0.0.1:{}/", server.port), "")
    );
    let client = client(&text);
    let url = format!("http://127.0.0.1:{}/x", server.port);
    for skill in ["tester", "tester", "other", "other", "tester"] {
        send_as(&client, get(&*url), &skill.parse().unwrap()).await.unwrap();
    }
    let mut counts = server.by_connection();
    counts.sort_unstable();
    assert_eq!(counts, [2, 3], "each skill keeps a connection of its own");
}
