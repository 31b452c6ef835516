//! What names an artifact of an OCI registry.

use std::{fmt, str::FromStr};

use postern_domain::Digest;
use url::Url;

use super::SourceError;

/// Bytes of a whole reference.
const LONGEST: usize = 512;
/// Bytes of a tag (OCI distribution specification 1.1, "Pulling manifests").
const LONGEST_TAG: usize = 128;
/// Where Docker Hub answers; everybody calls it `docker.io`.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// `oci://registry/repository:tag` or `oci://registry/repository@sha256:…`.
///
/// The registry is always named: nothing is looked for at a place that nobody chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    version: Version,
}

/// Which of the artifacts of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Tag(String),
    Digest(Digest),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => f.write_str(tag),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

impl Reference {
    /// The registry: a host, with its port if one was given.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, unless a digest was given.
    pub fn tag(&self) -> Option<&str> {
        match &self.version {
            Version::Tag(tag) => Some(tag),
            Version::Digest(_) => None,
        }
    }

    /// The digest of the manifest, if one was given.
    pub fn digest(&self) -> Option<Digest> {
        match self.version {
            Version::Tag(_) => None,
            Version::Digest(digest) => Some(digest),
        }
    }

    /// The same repository, at exactly this manifest.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { version: Version::Digest(digest), ..self.clone() }
    }

    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// Where the registry answers: over TLS, unless it is on this machine.
    pub(super) fn origin(&self) -> Result<Url, SourceError> {
        let host = if self.registry == "docker.io" { DOCKER_HUB } else { &self.registry };
        let wrong = |_| self.wrong("its registry is not a host with an optional port");
        let url = Url::parse(&format!("https://{host}/")).map_err(wrong)?;
        if super::is_loopback(&url) {
            return Url::parse(&format!("http://{host}/")).map_err(wrong);
        }
        Ok(url)
    }

    fn wrong(&self, reason: &'static str) -> SourceError {
        SourceError::Location { given: self.to_string(), reason }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.registry, self.repository)?;
        match &self.version {
            Version::Tag(tag) => write!(f, ":{tag}"),
            Version::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

impl FromStr for Reference {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = |reason| SourceError::Location { given: super::shown(text), reason };
        if text.len() > LONGEST {
            return Err(wrong("it is longer than 512 bytes"));
        }
        let rest = text.strip_prefix("oci://").ok_or_else(|| wrong("it must begin with oci://"))?;
        let (registry, rest) =
            rest.split_once('/').ok_or_else(|| wrong("a repository must follow the registry"))?;
        if !is_registry(registry) {
            return Err(wrong("its registry is not a host with an optional port"));
        }
        let (named, digest) = match rest.split_once('@') {
            Some((named, digest)) => {
                let digest = digest.parse();
                (named, Some(digest.map_err(|_| wrong("after @ comes sha256: and 64 digits"))?))
            }
            None => (rest, None),
        };
        let (repository, tag) = match named.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (named, None),
        };
        if !is_repository(repository) {
            return Err(wrong(
                "its repository is not lower-case letters, digits and single . _ - between them, in parts with / between",
            ));
        }
        let version = match (digest, tag) {
            // The digest says which it is; a tag beside it is for people.
            (Some(digest), tag) if tag.is_none_or(is_tag) => Version::Digest(digest),
            (None, Some(tag)) if is_tag(tag) => Version::Tag(tag.to_owned()),
            (None, None) => return Err(wrong("a tag (:1.0.0) or a digest (@sha256:…) is missing")),
            _ => return Err(wrong("its tag is not up to 128 letters, digits, dots, _ and -")),
        };
        Ok(Self { registry: registry.to_owned(), repository: repository.to_owned(), version })
    }
}

/// `host`, `host:port` or `[address]:port`; no credentials, no path.
fn is_registry(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !text.is_empty()
        && text.chars().all(plain)
        && Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.has_host())
}

/// OCI distribution specification 1.1, "Pulling manifests".
fn is_repository(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_part)
}

/// Runs of letters and digits with one separator between: `.`, `_`, `__` or dashes.
fn is_part(part: &str) -> bool {
    let outer = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(outer).filter(|between| !between.is_empty());
    part.starts_with(outer)
        && part.ends_with(outer)
        && separators
            .into_iter()
            .all(|s| matches!(s, "." | "_" | "__") || s.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !tag.is_empty()
        && tag.len() <= LONGEST_TAG
        && !tag.starts_with(['.', '-'])
        && tag.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";

    #[test]
    fn references_name_registry_repository_and_version() {
        let reference: Reference =
            "oci://registry.example/acme/skills/orders:1.2.0".parse().unwrap();
        assert_eq!(reference.registry(), "registry.example");
        assert_eq!(reference.repository(), "acme/skills/orders");
        assert_eq!(reference.tag(), Some("1.2.0"));
        assert_eq!(reference.digest(), None);
        assert_eq!(reference.to_string(), "oci://registry.example/acme/skills/orders:1.2.0");

        let exact = reference.at(format!("sha256:{DIGITS}").parse().unwrap());
        assert_eq!(
            exact.to_string(),
            format!("oci://registry.example/acme/skills/orders@sha256:{DIGITS}")
        );
        assert_eq!(exact.to_string().parse::<Reference>().unwrap(), exact);
        let both: Reference = format!("oci://[::1]:5000/a:1@sha256:{DIGITS}").parse().unwrap();
        assert_eq!((both.registry(), both.tag()), ("[::1]:5000", None));
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_reason() {
        let cases = [
            ("registry.example/acme/orders:1", "begin with oci://"),
            ("oci://registry.example", "a repository must follow"),
            ("oci:///acme:1", "its registry"),
            ("oci://user:password@registry.example/acme:1", "its registry"),
            ("oci://registry.example:port/acme:1", "its registry"),
            ("oci://registry.example/acme/orders", "a tag (:1.0.0) or a digest"),
            ("oci://registry.example/Acme:1", "its repository"),
            ("oci://registry.example/a..b:1", "its repository"),
            ("oci://registry.example/../etc:1", "its repository"),
            ("oci://registry.example/a//b:1", "its repository"),
            ("oci://registry.example/acme:", "its tag"),
            ("oci://registry.example/acme:.1", "its tag"),
            ("oci://registry.example/acme:1?x", "its tag"),
            ("oci://registry.example/acme@sha256:12", "after @"),
            ("oci://registry.example/acme@sha512:12", "after @"),
        ];
        for (text, reason) in cases {
            let refused = text.parse::<Reference>().unwrap_err().to_string();
            assert!(refused.contains(reason), "{text}: {refused}");
            assert!(!refused.contains("password"), "{refused}");
        }
        assert!(format!("oci://a/{}:1", "b".repeat(600)).parse::<Reference>().is_err());
    }

    #[test]
    fn only_registries_on_this_machine_are_asked_without_tls() {
        let origin = |text: &str| text.parse::<Reference>().unwrap().origin().unwrap().to_string();
        assert_eq!(origin("oci://registry.example/a:1"), "https://registry.example/");
        assert_eq!(origin("oci://docker.io/library/a:1"), "https://registry-1.docker.io/");
        assert_eq!(origin("oci://127.0.0.1:5000/a:1"), "http://127.0.0.1:5000/");
        assert_eq!(origin("oci://localhost/a:1"), "http://localhost/");
        assert_eq!(origin("oci://[::1]:5000/a:1"), "http://[::1]:5000/");
        assert_eq!(origin("oci://127.0.0.1.example.com/a:1"), "https://127.0.0.1.example.com/");
        assert_eq!(origin("oci://10.0.0.1/a:1"), "https://10.0.0.1/");
    }
}
