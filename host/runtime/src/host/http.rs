//! `postern:http`

use postern_domain::{HostCall, HostReply, HttpMethod, HttpRequest};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::http::client::{Failure, Host, Method, Request, Response},
    state::State,
};

impl Host for State {
    async fn send(&mut self, request: Request) -> Answer<Response, Failure> {
        answer!(self.ask(Http, weigh(&request), send(request)), HostReply::Http { response } => Response {
            status: response.status,
            headers: response.headers,
            body: response.body,
        })
    }
}

fn weigh(request: &Request) -> u64 {
    let Request { method: _, url, headers, body, secrets, idempotent: _ } = request;
    let headers = headers.iter().flat_map(|(name, value)| [name, value]);
    weight::of_texts([url].into_iter().chain(headers).chain(secrets)) + body.len() as u64
}

/// Holds what makes a request well formed. Which servers, headers and secrets are
/// allowed is for the gate to say.
fn send(request: Request) -> Checked<HostCall> {
    let Request { method, url, headers, body, secrets, idempotent } = request;
    check::length("url", url.len(), 1, 2_048)?;
    let is_plain = url.bytes().all(|b| b.is_ascii_graphic());
    check::ensure(
        is_plain,
        "url",
        "must be percent-encoded: no spaces, control or other characters",
    )?;
    check::count("headers", headers.len(), 0, 64)?;
    for (name, value) in &headers {
        check::token("headers", name, 100)?;
        check::line("headers", value, 0, 4_096)?;
    }
    check::length("body", body.len(), 0, 1 << 20)?;
    check::count("secrets", secrets.len(), 0, 8)?;
    for secret in &secrets {
        check::name("secrets", secret, "_-.", 64)?;
    }
    let method = match method {
        Method::Get => HttpMethod::Get,
        Method::Head => HttpMethod::Head,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Patch => HttpMethod::Patch,
        Method::Delete => HttpMethod::Delete,
    };
    let request = HttpRequest { method, url, headers, body, secrets, idempotent };
    Ok(HostCall::HttpSend { request })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, header: (&str, &str), wanted: bool) {
        let request = Request {
            method: Method::Get,
            url: url.into(),
            headers: vec![(header.0.into(), header.1.into())],
            body: vec![],
            secrets: vec![],
            idempotent: true,
        };
        assert_eq!(send(request).is_ok(), wanted, "{url:?} {header:?}");
    }

    #[test]
    fn requests_cannot_be_smuggled() {
        check("https://carrier.example/t/1?q=%20", ("accept", "text/html"), true);
        check("https://carrier.example/ HTTP/1.1\r\nHost: x", ("accept", "a"), false);
        check("https://cärrier.example/", ("accept", "a"), false);
        check("", ("accept", "a"), false);
        check("https://carrier.example/", ("accept", "a\r\nx: y"), false);
        check("https://carrier.example/", ("acc ept", "a"), false);
        check("https://carrier.example/", ("", "a"), false);
    }
}
