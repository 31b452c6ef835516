//! Talking to one repository: addresses, and who we are to it.

use http_auth::ChallengeRef;
use postern_domain::Digest;
use reqwest::{
    Method, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE},
};
use serde::Deserialize;
use url::Url;

use super::artifact::{ACCEPTED, Descriptor, MOST_MANIFEST};
use crate::source::{
    Announced, Reference, SourceError,
    credentials::{self, Credentials},
    web::{Kind, Proof, Request, Web},
};

/// Bytes of an answer with a token.
const MOST_TOKEN: u64 = 256 * 1024;
/// Challenges of one answer that are looked at.
const MOST_CHALLENGES: usize = 8;

/// What we want to do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Pull,
    Push,
}

/// A repository, and what proves who we are to it.
pub(super) struct Session<'s> {
    web: &'s Web,
    reference: &'s Reference,
    home: Url,
    wish: Wish,
    proof: Option<Proof>,
    /// Whether the registry asked, and whether there were credentials.
    asked: bool,
    known: bool,
}

/// A manifest as it came.
pub(super) struct Raw {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) content_type: String,
}

impl<'s> Session<'s> {
    pub(super) fn new(
        web: &'s Web,
        reference: &'s Reference,
        wish: Wish,
    ) -> Result<Self, SourceError> {
        let home = reference.origin()?;
        Ok(Self { web, reference, home, wish, proof: None, asked: false, known: false })
    }

    pub(super) fn reference(&self) -> &'s Reference {
        self.reference
    }

    /// An address within the repository. All parts were checked: none leads out of it.
    pub(super) fn url(&self, rest: &str) -> Result<Url, SourceError> {
        let path = format!("v2/{}/{rest}", self.reference.repository());
        self.home.join(&path).map_err(|_| self.nonsense("an address cannot be made"))
    }

    /// The address that a registry gives for what comes next.
    pub(super) fn next(&self, response: &Response) -> Result<Url, SourceError> {
        let location = response.headers().get(reqwest::header::LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        let next = location.and_then(|location| response.url().join(location).ok());
        // What is pushed goes where the operator said.
        next.filter(|next| next.origin() == self.home.origin())
            .ok_or_else(|| self.nonsense("it takes no uploads at its own address"))
    }

    /// Sends a request, twice if the registry wants to know who we are.
    pub(super) async fn send(&mut self, request: &Request) -> Result<Response, SourceError> {
        let response = self.web.send(request, &self.home, self.proof.as_ref()).await?;
        let challenged = response.status() == StatusCode::UNAUTHORIZED
            && response.url().origin() == self.home.origin();
        if !challenged || self.asked {
            return Ok(response);
        }
        self.asked = true;
        self.proof = self.answer(response.headers(), &request.what).await?;
        if self.proof.is_none() {
            return Ok(response);
        }
        self.web.send(request, &self.home, self.proof.as_ref()).await
    }

    /// Sends a request that must succeed.
    pub(super) async fn must(&mut self, request: &Request) -> Result<Response, SourceError> {
        let response = self.send(request).await?;
        self.web.good(response, &request.what, self.known).await
    }

    /// A manifest by tag or digest, with the digest that its bytes have.
    pub(super) async fn manifest(
        &mut self,
        version: &str,
        expected: Option<Digest>,
    ) -> Result<Raw, SourceError> {
        let what = self.reference.to_string();
        let url = self.url(&format!("manifests/{version}"))?;
        let mut request = Request::get(url, &what);
        for accepted in ACCEPTED {
            request.headers.append(ACCEPT, HeaderValue::from_static(accepted));
        }
        let response = self.must(&request).await?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let said = header("docker-content-digest").and_then(|digest| digest.parse().ok());
        let content_type = header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = self.web.body(response, &what, MOST_MANIFEST, Kind::Text).await?;
        let digest = Digest::of_bytes(&bytes);
        let wrong = [expected, said].into_iter().flatten().find(|expected| *expected != digest);
        match wrong {
            Some(expected) => Err(SourceError::WrongDigest { what, expected, found: digest }),
            None => Ok(Raw { bytes, digest, content_type }),
        }
    }

    /// A part by its descriptor: exactly these bytes.
    pub(super) async fn blob(
        &mut self,
        part: &Descriptor,
        most: u64,
        kind: Kind,
    ) -> Result<Vec<u8>, SourceError> {
        let what = self.reference.to_string();
        if part.size > most {
            return Err(SourceError::TooBig { what, most });
        }
        let url = self.url(&format!("blobs/{}", part.digest))?;
        let response = self.must(&Request::get(url, &what)).await?;
        let bytes = self.web.body(response, &what, part.size, kind).await?;
        let received = bytes.len() as u64;
        if received < part.size {
            let expected = Announced::Bytes(part.size);
            return Err(SourceError::Truncated { what, expected, received });
        }
        let found = Digest::of_bytes(&bytes);
        if found != part.digest {
            return Err(SourceError::WrongDigest { what, expected: part.digest, found });
        }
        Ok(bytes)
    }

    /// A small body.
    pub(super) async fn body(
        &self,
        response: Response,
        what: &str,
        most: u64,
    ) -> Result<Vec<u8>, SourceError> {
        self.web.body(response, what, most, Kind::Text).await
    }

    pub(super) fn nonsense(&self, reason: impl Into<String>) -> SourceError {
        SourceError::Protocol {
            what: self.reference.to_string(),
            server: self.reference.registry().to_owned(),
            reason: reason.into(),
        }
    }

    /// What the registry asks for: a password, or a token from where it says.
    async fn answer(
        &mut self,
        headers: &HeaderMap,
        what: &str,
    ) -> Result<Option<Proof>, SourceError> {
        let found = credentials::find(self.reference.registry()).await?;
        self.known = found.is_some();
        let texts = headers.get_all(WWW_AUTHENTICATE).iter();
        let texts: Vec<&str> =
            texts.take(MOST_CHALLENGES).filter_map(|text| text.to_str().ok()).collect();
        let challenges: Vec<ChallengeRef<'_>> = texts
            .iter()
            .filter_map(|text| http_auth::parse_challenges(text).ok())
            .flatten()
            .take(MOST_CHALLENGES)
            .collect();
        let scheme = |name: &str| challenges.iter().find(|c| c.scheme.eq_ignore_ascii_case(name));
        if let Some(challenge) = scheme("bearer") {
            return self.token(challenge, found, what).await.map(Some);
        }
        match (scheme("basic"), found) {
            (Some(_), Some(Credentials::Password { user, password })) => {
                Ok(Some(Proof::Basic(user, password)))
            }
            _ => Ok(None),
        }
    }

    /// Docker's token authentication (distribution, "Token Authentication
    /// Specification"): with the password for a token, or with a token for another.
    async fn token(
        &self,
        challenge: &ChallengeRef<'_>,
        found: Option<Credentials>,
        what: &str,
    ) -> Result<Proof, SourceError> {
        let parameter = |name: &str| {
            let mut all = challenge.params.iter();
            all.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_unescaped())
        };
        let realm = parameter("realm").and_then(|realm| Url::parse(&realm).ok());
        let realm = realm.ok_or_else(|| self.nonsense("it does not say where tokens are made"))?;
        self.trusted(&realm)?;
        let actions = if self.wish == Wish::Push { "pull,push" } else { "pull" };
        let scope = format!("repository:{}:{actions}", self.reference.repository());
        let service = parameter("service").unwrap_or_default();
        let mut fields = vec![("service", service.as_str()), ("scope", scope.as_str())];
        let mut url = realm.clone();
        let (request, proof) = match found {
            Some(Credentials::Identity(token)) => {
                fields.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", "postern"),
                    ("refresh_token", token.as_str()),
                ]);
                let mut request = Request::new(Method::POST, url, what);
                let form = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&fields)
                    .finish();
                let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers.insert(CONTENT_TYPE, kind);
                request.body = Some(form.into());
                (request, None)
            }
            other => {
                url.query_pairs_mut().extend_pairs(&fields);
                let proof = other.and_then(|credentials| match credentials {
                    Credentials::Password { user, password } => Some(Proof::Basic(user, password)),
                    Credentials::Identity(_) => None,
                });
                (Request::get(url, what), proof)
            }
        };
        let response = self.web.send(&request, &realm, proof.as_ref()).await?;
        let response = self.web.good(response, what, self.known).await?;
        let body = self.web.body(response, what, MOST_TOKEN, Kind::Text).await?;
        let token: Token = serde_json::from_slice(&body)
            .map_err(|_| self.nonsense("where tokens are made, something else came"))?;
        let token = token.token.or(token.access_token).filter(|token| !token.is_empty());
        Ok(Proof::Bearer(token.ok_or_else(|| self.nonsense("the token is empty"))?))
    }

    /// A registry of another machine does not send our password to this one, nor to
    /// anybody without TLS.
    fn trusted(&self, realm: &Url) -> Result<(), SourceError> {
        use crate::source::location::{is_loopback, is_safe};
        if is_safe(realm) && (!is_loopback(realm) || is_loopback(&self.home)) {
            return Ok(());
        }
        Err(self.nonsense("it wants credentials sent to where nothing proves who answers"))
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}
