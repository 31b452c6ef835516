//! Why a skill was not fetched or pushed.

use std::time::Duration;

use postern_domain::Digest;

/// Why a skill was not fetched or pushed. Nothing was kept of it. Addresses in errors are
/// without queries and credentials.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A text that names no place.
    #[error("{given:?} names no place of a skill: {reason}")]
    Location {
        /// What was given.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A path, which is not fetched.
    #[error("{path} is a path: it is read, not fetched")]
    NotRemote {
        /// The path.
        path: String,
    },
    /// A web address without the digest of what must lie there.
    #[error("{url}: what lies at an address can change; say what you expect with --sha256 DIGEST")]
    NoDigest {
        /// The address.
        url: String,
    },
    /// Plain http to another machine.
    #[error("{url}: nothing proves who answers over http; use https (http is only for 127.0.0.1)")]
    Insecure {
        /// The address.
        url: String,
    },
    /// A redirect that is not followed.
    #[error("{what}: the server sends us on to {to}, {reason}")]
    Redirect {
        /// What was asked for.
        what: String,
        /// Where to.
        to: String,
        /// Why it is not followed.
        reason: &'static str,
    },
    /// More than may be fetched.
    #[error("{what} is too big: more than {most} bytes")]
    TooBig {
        /// What was fetched.
        what: String,
        /// So many are allowed.
        most: u64,
    },
    /// The connection ended before the end.
    #[error("{what} is truncated: {received} of {expected} bytes came; try again")]
    Truncated {
        /// What was fetched.
        what: String,
        /// So many were announced.
        expected: Announced,
        /// So many came.
        received: u64,
    },
    /// The bytes are not those that were expected.
    #[error(
        "{what} is not what was expected: its digest is {found}, not {expected}; \
         do not use it, and ask its publisher"
    )]
    WrongDigest {
        /// What was fetched.
        what: String,
        /// The digest that it must have.
        expected: Digest,
        /// The digest that it has.
        found: Digest,
    },
    /// There is nothing.
    #[error("{what} is not there; look for a slip in its name")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// We may not have it.
    #[error("{what}: {server} refuses us {}", credentials(*.known))]
    Unauthorized {
        /// What was asked for.
        what: String,
        /// Who refuses.
        server: String,
        /// Whether there were credentials.
        known: bool,
    },
    /// A web server gives it only to those whom it knows.
    #[error(
        "{what} is not for everybody, and Postern has no credentials for web servers; \
         download it yourself and install the file"
    )]
    Private {
        /// The address.
        what: String,
    },
    /// The server answers with another failure.
    #[error("{what}: the server answers {status}{told}; try again later, or ask who runs it")]
    Status {
        /// What was asked for.
        what: String,
        /// The status of HTTP.
        status: u16,
        /// The error codes of the registry, with a space and brackets, or nothing.
        told: String,
    },
    /// Nobody answers.
    #[error("{what}: no connection to {server}; check its name, the network and the proxy")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// Who does not answer.
        server: String,
        /// What the connection said.
        #[source]
        source: reqwest::Error,
    },
    /// It took too long.
    #[error("{what} did not come within {} s; try again, or fetch it with `postern skill pull` and a \
         longer --timeout first", .after.as_secs_f32())]
    Timeout {
        /// What was asked for.
        what: String,
        /// So long was waited.
        after: Duration,
    },
    /// Something else than WebAssembly.
    #[error("{what} is not WebAssembly; is the address that of a page about it?")]
    NotWasm {
        /// What was fetched.
        what: String,
    },
    /// An artifact of another kind.
    #[error("{what} is not a Wasm artifact: {reason}")]
    NotAnArtifact {
        /// The reference.
        what: String,
        /// What it is instead.
        reason: String,
    },
    /// What the server says is against the protocol.
    #[error("{what}: the answer of {server} makes no sense: {reason}")]
    Protocol {
        /// What was asked for.
        what: String,
        /// Who answers.
        server: String,
        /// What is wrong.
        reason: String,
    },
    /// The file of credentials, or a program that keeps them, fails.
    #[error("the credentials for {registry} cannot be read: {reason}")]
    Credentials {
        /// The registry.
        registry: String,
        /// Which file or program, and what is wrong; never what it says.
        reason: String,
    },
    /// A push to a digest: what is pushed has a digest of its own.
    #[error("{reference}: push to a tag; the digest is what comes out")]
    PushToDigest {
        /// The reference.
        reference: String,
    },
    /// What was to be pushed cannot be read.
    #[error(transparent)]
    Package(#[from] crate::package::PackageError),
    /// No connections can be made at all.
    #[error("connections over TLS cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// How many bytes a server announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    /// So many.
    Bytes(u64),
    /// It did not say.
    Unknown,
}

impl std::fmt::Display for Announced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(bytes) => bytes.fmt(f),
            Self::Unknown => f.write_str("an unknown number of"),
        }
    }
}

fn credentials(known: bool) -> &'static str {
    if known {
        "with the credentials that the docker configuration has for it; renew them with `docker login`"
    } else {
        "without credentials; write them into the docker configuration, for example with `docker login`"
    }
}
