//! What decides which requests leave the host: whatever passes goes exactly where
//! the operator said, in a form that everybody reads alike, and carries no secret.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{bail, ensure};
use arbitrary::Unstructured;
use fastrand::Rng;
use postern::{
    config::{EgressSecret, Endpoint, HttpGrant},
    effects::http::{Checked, Filter, MediaPattern, PathPattern},
    keys::Secret,
};
use postern_domain::{HttpMethod, HttpRequest, SkillId};
use url::Url;

use crate::{
    mutate::{mutate, noise},
    runner::{Ending, Target},
    values,
};

const SECRET: &str = "s3cr3t-of-the-carrier-0123456789";
const QUERY: &str = "needle-in-the-query";

/// Headers that only the host may set.
const FRAMING: [&str; 7] =
    ["host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "authorization"];

/// The parts of a URL that passes, and of another one.
const CARRIER: [&str; 6] = ["https://", "", "api.example.com", "", "/v1/track/1", ""];
const INSIDE: [&str; 6] = ["http://", "", "10.1.2.3", "", "/in/track/1", ""];

const SCHEMES: [&str; 8] =
    ["https://", "http://", "HTTPS://", "https:/", "https:", "//", "file://", "https:\\\\"];

const USERS: [&str; 6] = ["", "", "", "user@", "user:pass@", "api.example.com@"];

const HOSTS: [&str; 26] = [
    "api.example.com",
    "api.example.com",
    "api.example.com",
    "API.EXAMPLE.COM",
    "api.example.com.",
    "api.example.com.evil.test",
    "evil.test",
    "10.1.2.3",
    "10.1.2.3",
    "10.1.2.4",
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.1.2.3]",
    "[64:ff9b::a01:203]",
    "169.254.169.254",
    "localhost",
    "api。example。com",
    "ａｐｉ.example.com",
    "api.example.com%00.evil.test",
    "api.exa\u{ad}mple.com",
    "xn--api.example.com",
];

const PORTS: [&str; 8] = ["", "", "", ":443", ":8443", ":80", ":0443", ":99999"];

const PATHS: [&str; 26] = [
    "/v1/track/1",
    "/v1/track/1",
    "/v1/track/",
    "/v1/track/../admin",
    "/v1/track/%2e%2e/admin",
    "/v1/track/%2E%2E%2Fadmin",
    "/v1/track/..%2fadmin",
    "/v1/track/%252e%252e/admin",
    "/v1/track/..;/admin",
    "/v1/track/\\..\\admin",
    "/v1/track/.%2e/admin",
    "/v1/track//x",
    "/v1/track/a%00b",
    "/v1/track/a%0d%0ab",
    "/v1//track/1",
    "/v1/./track/1",
    "/V1/track/1",
    "/v1/admin",
    "/v1",
    "/v1x/track/1",
    "/",
    "",
    "/v1/track/%c0%ae%c0%ae/admin",
    "/v1/track/．．/admin",
    "/v1/track/%ef%bc%8e%ef%bc%8e/admin",
    "/in/track/1",
];

const TAILS: [&str; 8] =
    ["", "", "?q=needle-in-the-query", "?a=b&c=d", "#fragment", "?x#y", "?\r\nX: y", "? "];

const HEADERS: [(&str, &str); 20] = [
    ("accept", "application/json"),
    ("content-type", "application/json"),
    ("x-client-version", "1"),
    ("if-none-match", "\"1\""),
    ("Host", "evil.test"),
    ("content-length", "0"),
    ("Transfer-Encoding", "chunked"),
    ("connection", "keep-alive, x"),
    ("authorization", "Bearer x"),
    ("x-key", "mine"),
    ("proxy-authorization", "x"),
    ("accept", "a\r\nX-Injected: 1"),
    ("accept\r\nX-Injected", "1"),
    ("accept ", "x"),
    ("accept:", "x"),
    ("accept", "\u{0}"),
    ("accept", "ü"),
    ("", "x"),
    ("x-client-version", SECRET),
    ("x-forwarded-for", "127.0.0.1"),
];

pub(crate) struct Requests {
    filter: Filter,
    skill: SkillId,
}

impl Requests {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let skill: SkillId = "tracking".parse()?;
        let grant = HttpGrant {
            methods: vec![HttpMethod::Get, HttpMethod::Post],
            paths: vec![PathPattern::parse("track/*").map_err(anyhow::Error::msg)?],
            headers: vec!["x-client-version".parse()?],
            content_types: vec![
                MediaPattern::parse("application/json").map_err(anyhow::Error::msg)?,
            ],
            secrets: vec!["carrier".to_owned()],
            amount: None,
            irreversible: false,
            timeout: Duration::from_secs(1),
            response_bytes: 1_000,
        };
        let endpoint = |url: &str, private: &[&str]| -> anyhow::Result<Endpoint> {
            Ok(Endpoint {
                url: Url::parse(url)?,
                private: private.iter().map(|net| net.parse()).collect::<Result<_, _>>()?,
                grants: BTreeMap::from([(skill.clone(), grant.clone())]),
            })
        };
        let endpoints = BTreeMap::from([
            ("carrier".to_owned(), endpoint("https://api.example.com/v1/", &[])?),
            ("inside".to_owned(), endpoint("http://10.1.2.3/in/", &["10.1.2.0/24"])?),
            // A mistake of the operator's: nobody said that it is private.
            ("mistake".to_owned(), endpoint("https://127.0.0.1/v1/", &[])?),
        ]);
        let secret = EgressSecret {
            value: Secret::new(SECRET),
            endpoint: "carrier".to_owned(),
            header: "x-key".to_owned(),
            prefix: "Key ".to_owned(),
        };
        let secrets = BTreeMap::from([("carrier".to_owned(), secret)]);
        Ok(Self { filter: Filter::new(endpoints, secrets)?, skill })
    }
}

/// A request that tries something.
fn request(u: &mut Unstructured<'_>) -> arbitrary::Result<HttpRequest> {
    let mut url = String::new();
    let parts = [&SCHEMES[..], &USERS, &HOSTS, &PORTS, &PATHS, &TAILS];
    let honest = if u.ratio(3, 4)? { &CARRIER } else { &INSIDE };
    for (parts, honest) in parts.into_iter().zip(honest) {
        // Most parts are honest ones, so that one trick stands alone.
        let part = if u.ratio(9, 10)? { honest } else { u.choose(parts)? };
        url.push_str(part);
    }
    if u.ratio(1, 4)? {
        let mut bytes = url.into_bytes();
        let mut random = Rng::with_seed(u.arbitrary()?);
        mutate(&mut random, &mut bytes, b"%2e%2f%5c;\\@:?#\0\r\n\t [](){}", &[b"..", b"%25"]);
        url = String::from_utf8_lossy(&bytes).into_owned();
    }
    if u.ratio(1, 20)? {
        url.push_str(&hidden(u)?);
    }
    let mut request = values::request(u, url)?;
    if u.ratio(3, 4)? {
        request.headers.clear();
    }
    for _ in 0..u.int_in_range(0..=2)? {
        let (name, value) = u.choose(&HEADERS)?;
        request.headers.push(((*name).to_owned(), (*value).to_owned()));
    }
    request.secrets = match u.int_in_range(0..=3)? {
        0 => request.secrets,
        1 => vec!["carrier".to_owned()],
        _ => Vec::new(),
    };
    if request.method.is_safe() && u.ratio(7, 8)? {
        request.body.clear();
    }
    if u.ratio(1, 10)? {
        request.body.extend(hidden(u)?.into_bytes());
    }
    Ok(request)
}

/// The secret in one of the usual writings.
fn hidden(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let write = |one: &dyn Fn(u8) -> String| SECRET.bytes().map(one).collect::<String>();
    Ok(match u.int_in_range(0..=4)? {
        0 => SECRET.to_owned(),
        1 => write(&|byte| format!("{byte:02x}")),
        2 => write(&|byte| format!("{byte:02X}")),
        3 => write(&|byte| format!("%{byte:02X}")),
        _ => write(&|byte| format!("\\u{byte:04x}")),
    })
}

impl Target for Requests {
    fn name(&self) -> &'static str {
        "http"
    }

    fn input(&mut self, random: &mut Rng, kept: &[Vec<u8>]) -> anyhow::Result<Vec<u8>> {
        if random.u8(..4) == 0 && !kept.is_empty() {
            let mut bytes = kept[random.usize(..kept.len())].clone();
            mutate(random, &mut bytes, &[], &[]);
            return Ok(bytes);
        }
        Ok(noise(random, 1_024, 4_096))
    }

    fn attempt(&mut self, input: &[u8]) -> anyhow::Result<Ending> {
        let Ok(request) = request(&mut Unstructured::new(input)) else {
            return Ok(Ending::refused("too short"));
        };
        match self.filter.check(&request, &self.skill) {
            Ok(checked) => {
                passed(&request, &checked)?;
                // A skill without a grant does not get through with the same.
                let other: SkillId = "other".parse()?;
                ensure!(self.filter.check(&request, &other).is_err(), "not granted, yet it passes");
                Ok(Ending::accepted(format!("passed to {}", checked.endpoint())))
            }
            Err(failure) => {
                let words = &failure.message;
                ensure!(words.len() <= 1_000, "a refusal of {} bytes", words.len());
                ensure!(!words.contains(SECRET), "a refusal repeats the secret");
                ensure!(!words.contains(QUERY), "a refusal repeats the query");
                ensure!(!words.contains(char::is_control), "a refusal with {words:?}");
                Ok(Ending::refused(words))
            }
        }
    }
}

/// Whether a request that passed is what the operator allowed.
fn passed(request: &HttpRequest, checked: &Checked) -> anyhow::Result<()> {
    let url = checked.url();
    let (origin, base) = match checked.endpoint() {
        "carrier" => ("https://api.example.com", "/v1/track/"),
        "inside" => ("http://10.1.2.3", "/in/track/"),
        other => bail!("it passes to {other}, {url}"),
    };
    ensure!(url.origin().ascii_serialization() == origin, "it goes to {url}");
    ensure!(url.username().is_empty() && url.password().is_none(), "it has a user: {url}");
    ensure!(url.fragment().is_none(), "it has a fragment: {url}");
    ensure!(url.path().starts_with(base), "it goes to {url}");
    ensure!(&Url::parse(url.as_str())? == url, "it is read in two ways: {url}");
    ensure!(url.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "it has odd bytes: {url:?}");
    let mut path = url.path().to_owned();
    // A server may decode more often than it should.
    for _ in 0..3 {
        let parts = path.split(['/', '\\', ';']);
        ensure!(parts.clone().all(|part| part != ".." && part != "."), "it goes up: {url}");
        ensure!(!path.contains(['\\', ';', '\0', '\r', '\n']), "it has delimiters: {url}");
        path = decoded(&path);
    }
    ensure!(
        matches!(request.method, HttpMethod::Get | HttpMethod::Post),
        "{:?} passes",
        request.method
    );
    ensure!(request.body.is_empty() || request.method == HttpMethod::Post, "GET with a body");
    let mut written = vec![url.as_str().as_bytes().to_vec(), request.body.clone()];
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        ensure!(!FRAMING.contains(&name.as_str()) && name != "x-key", "header {name} passes");
        let plain = |byte: u8| (b' '..=b'~').contains(&byte) || byte == b'\t';
        ensure!(name.bytes().all(|b| b.is_ascii_graphic()), "a header is called {name:?}");
        ensure!(value.bytes().all(plain), "a header is {value:?}");
        written.push(value.clone().into_bytes());
    }
    for bytes in written {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        let holds = text.contains(SECRET)
            || decoded(&text).contains(SECRET)
            || text.to_ascii_lowercase().contains(&hex);
        ensure!(!holds, "the secret passes: {text:?}");
    }
    Ok(())
}

/// A text with its percent signs resolved, once.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
