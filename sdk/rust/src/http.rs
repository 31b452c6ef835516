//! Requests to servers that the operator allowed.
//!
//! ```
//! use postern_sdk::{Result, http::Request};
//!
//! # #[derive(serde::Deserialize)] struct Parcel {}
//! fn parcel(url: &str) -> Result<Option<Parcel>> {
//!     let response = Request::get(url).secret("carrier-token").send()?;
//!     if response.status == 404 { Ok(None) } else { response.json().map(Some) }
//! }
//! ```

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, host, json};

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Names of secrets that the host puts in.
    pub secrets: Vec<String>,
    /// Whether performing the request twice does no harm.
    pub idempotent: bool,
}

impl Request {
    /// A request without headers and body. GET, HEAD, PUT and DELETE count as
    /// idempotent, as in RFC 9110 section 9.2.2, until said otherwise.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let idempotent = match method {
            Method::Get | Method::Head | Method::Put | Method::Delete => true,
            Method::Post | Method::Patch => false,
        };
        let (headers, body, secrets) = (Vec::new(), Vec::new(), Vec::new());
        Self { method, url: url.into(), headers, body, secrets, idempotent }
    }

    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::Get, url)
    }

    /// A POST request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(Method::Post, url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Asks the host to put in the secret of this name, where and for which
    /// server the operator's configuration says.
    #[must_use]
    pub fn secret(mut self, name: impl Into<String>) -> Self {
        self.secrets.push(name.into());
        self
    }

    /// Says whether performing the request twice does no harm.
    #[must_use]
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body and its content type.
    ///
    /// # Errors
    /// The value cannot be written as JSON.
    pub fn json(mut self, value: &impl Serialize) -> Result<Self> {
        self.body = serde_json::to_vec(value).map_err(|_| Error::Data {
            what: "request body".to_owned(),
            reason: "cannot be written as JSON; map keys must be strings".to_owned(),
        })?;
        Ok(self.header("content-type", "application/json"))
    }

    /// Sends the request. Any status is a response; redirects are not followed.
    ///
    /// # Errors
    /// The host refused the request, or the server did not answer.
    pub fn send(&self) -> Result<Response> {
        Ok(host::http_send(self)?)
    }
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status is 200 to 299.
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// The body is not JSON or has another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json::read(&self.body)
            .map_err(|reason| Error::Data { what: "response body".to_owned(), reason })
    }
}
