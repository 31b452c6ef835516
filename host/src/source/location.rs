//! Where a skill is fetched from.

use std::{fmt, path::PathBuf, str::FromStr};

use url::{Host, Url};

use super::{Reference, SourceError};

/// Bytes of an address.
const LONGEST: usize = 2048;
/// How much of what was given stands in an error.
const SHOWN: usize = 200;

/// A place where a skill lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file or folder of this machine.
    Path(PathBuf),
    /// A web server. Plain http only on this machine itself.
    Https(Url),
    /// An OCI registry.
    Oci(Reference),
}

impl FromStr for Location {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = |reason| SourceError::Location { given: shown(text), reason };
        let Some((scheme, _)) = text.split_once("://") else {
            if text.is_empty() {
                return Err(wrong("it is empty"));
            }
            return Ok(Self::Path(PathBuf::from(text)));
        };
        match scheme {
            "oci" => Ok(Self::Oci(text.parse()?)),
            "https" | "http" => {
                if text.len() > LONGEST {
                    return Err(wrong("it is longer than 2048 bytes"));
                }
                let url = Url::parse(text).map_err(|_| wrong("it is not a URL"))?;
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(wrong("credentials do not belong into an address"));
                }
                if !is_safe(&url) {
                    return Err(SourceError::Insecure { url: address(&url) });
                }
                Ok(Self::Https(url))
            }
            _ => Err(wrong("skills come from paths, https:// and oci://")),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Https(url) => f.write_str(&address(url)),
            Self::Oci(reference) => reference.fmt(f),
        }
    }
}

/// An address as it may be shown and kept: a query often holds credentials.
pub(super) fn address(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses without a host cannot have this set, and they have nothing to hide.
    let _set = url.set_username("").and_then(|()| url.set_password(None));
    url.into()
}

/// What was given, fit for an error: short, and without what stands before an @ in
/// the place of a host.
pub(super) fn shown(text: &str) -> String {
    let hidden = match text.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            let path = path.split(['?', '#']).next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => text.to_owned(),
    };
    match hidden.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &hidden[..end]),
        None => hidden,
    }
}

/// Whether an address is of this machine by what it says itself, without asking anybody.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Over TLS, or without leaving the machine.
pub(super) fn is_safe(url: &Url) -> bool {
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn locations_are_told_apart_by_how_they_begin() {
        let is = |text: &str| text.parse::<Location>().unwrap();
        assert_eq!(is("orders.wasm"), Location::Path(Path::new("orders.wasm").into()));
        assert_eq!(is("skills/a:b"), Location::Path(Path::new("skills/a:b").into()));
        assert!(matches!(is("https://example.com/a.wasm"), Location::Https(_)));
        assert!(matches!(is("http://127.0.0.1:80/a.wasm"), Location::Https(_)));
        assert!(matches!(is("oci://example.com/a:1"), Location::Oci(_)));
    }

    #[test]
    fn what_is_neither_is_refused_and_hides_its_secrets() {
        let refused = |text: &str| text.parse::<Location>().unwrap_err().to_string();
        assert!(refused("").contains("empty"));
        assert!(refused("ftp://example.com/a").contains("paths, https:// and oci://"));
        assert!(refused("http://example.com/a").contains("nothing proves"));
        assert!(refused("http://localhost.example.com/a").contains("nothing proves"));
        let told = refused("https://me:geheim@example.com/a?token=geheim");
        assert!(told.contains("credentials do not belong"), "{told}");
        assert!(told.contains("https://example.com/a") && !told.contains("geheim"), "{told}");
        assert!(refused(&format!("x://{}", "é".repeat(5000))).chars().count() < 400);
    }

    #[test]
    fn an_address_is_kept_without_what_may_be_secret() {
        let url = Url::parse("https://example.com/a.wasm?signature=secret#x").unwrap();
        assert_eq!(Location::Https(url).to_string(), "https://example.com/a.wasm");
    }
}
