//! Names and the addresses to which they lead.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use postern_domain::FailureKind;

use super::{
    super::{LOOKUPS, Names},
    fixture::*,
};

/// A server of two requests, each on a connection of its own.
async fn closing() -> Server {
    Server::answering(answer("204 No Content", &["connection: close"], "")).await
}

fn named(port: u16) -> (String, String) {
    let url = format!("http://carrier.example:{port}/v1/x");
    (endpoint(&format!("http://carrier.example:{port}/"), "timeout_ms = 2000"), url)
}

#[tokio::test]
async fn a_name_that_changes_its_address_between_two_requests_is_checked_again() {
    let server = closing().await;
    let (text, url) = named(server.port);
    // 127.0.0.1 was named, 127.0.0.2 was not.
    let names = Script::new(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.1"]]);
    let client = client_with(&text, names.clone());
    assert_eq!(send(&client, get(&*url)).await.unwrap().status, 204);
    let failure = send(&client, get(&*url)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Denied);
    assert!(failure.message.contains("not public"), "{}", failure.message);
    assert!(!failure.message.contains("127.0.0"), "{}", failure.message);
    assert_eq!(send(&client, get(&*url)).await.unwrap().status, 204);
    // Once for each: there is no second answer that nobody checked.
    assert_eq!(names.asked(), ["carrier.example"; 3]);
    assert_eq!(server.by_connection(), [1, 1]);
}

#[tokio::test]
async fn one_bad_address_spoils_all() {
    let server = closing().await;
    let (text, url) = named(server.port);
    for answer in [&["127.0.0.1", "10.0.0.1"][..], &["::1", "127.0.0.1"], &["127.0.0.1", "0.0.0.0"]]
    {
        let client = client_with(&text, Script::new(&[answer]));
        assert_eq!(send(&client, get(&*url)).await.unwrap_err().kind, FailureKind::Denied);
    }
    assert!(server.by_connection().is_empty());
}

#[tokio::test]
async fn a_public_endpoint_never_leads_inside() {
    let text = "[endpoints.carrier]\nurl = \"https://carrier.example/\"\n\
                [endpoints.carrier.grants.tester]\n";
    for inside in [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "0.0.0.0",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fd00:ec2::254",
        "fe80::1",
        "2002:7f00:1::",
    ] {
        let client = client_with(text, Script::new(&[&[inside]]));
        let failure = send(&client, get("https://carrier.example/x")).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Denied, "{inside}: {}", failure.message);
    }
}

#[tokio::test]
async fn plain_http_stays_in_the_named_networks() {
    let server = closing().await;
    let (text, url) = named(server.port);
    let client = client_with(&text, Script::new(&[&["1.1.1.1"]]));
    assert_eq!(send(&client, get(&*url)).await.unwrap_err().kind, FailureKind::Denied);
}

#[tokio::test]
async fn a_name_without_an_address_is_nowhere() {
    let server = closing().await;
    let (text, url) = named(server.port);
    for names in [Script::new(&[]), Script::new(&[&[]])] {
        let failure = send(&client_with(&text, names), get(&*url)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unavailable);
        assert!(failure.message.contains("cannot be reached"), "{}", failure.message);
    }
}

/// A server of names that does not answer.
#[derive(Default)]
struct Mute {
    asked: AtomicUsize,
}

#[async_trait]
impl Names for Mute {
    async fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[tokio::test]
async fn lookups_that_nobody_waits_for_any_more_still_count() {
    let text = "[endpoints.carrier]\nurl = \"https://carrier.example/\"\n\
                [endpoints.carrier.grants.tester]\ntimeout_ms = 100\n\
                [endpoints.carrier.grants.other]\ntimeout_ms = 100\n";
    let names = Arc::new(Mute::default());
    let client = client_with(text, names.clone());
    for skill in ["tester", "other"].into_iter().cycle().take(LOOKUPS + 2) {
        let skill = skill.parse().unwrap();
        let sent = send_as(&client, get("https://carrier.example/x"), &skill);
        assert_eq!(sent.await.unwrap_err().kind, FailureKind::Unavailable);
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), LOOKUPS);
}
