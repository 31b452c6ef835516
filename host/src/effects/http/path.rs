//! Paths that everybody reads in the same way, and patterns for them.

use std::fmt;

use postern_domain::CallFailure;
use unicode_normalization::UnicodeNormalization as _;
use url::Url;

/// Bytes of a URL.
const MOST_URL_BYTES: usize = 2_048;
/// Bytes of a pattern.
const MOST_PATTERN_BYTES: usize = 200;

/// Reads a URL whose path has one meaning only.
///
/// What is judged here is read again by proxies and by the server. So a path
/// must already stand in the form into which parsing would bring it, and without
/// anything that a server might take for a delimiter or a way up: `..` in any
/// spelling, encoded slashes, backslashes, parameters after `;`, encoded
/// percent signs.
pub(super) fn plain_url(text: &str) -> Result<Url, CallFailure> {
    let wrong = |reason: &str| Err(CallFailure::invalid(format!("the URL {reason}")));
    if text.len() > MOST_URL_BYTES {
        return wrong(&format!("has more than {MOST_URL_BYTES} bytes"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("must be percent-encoded: no spaces, control or other characters");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return wrong(&format!("is not valid: {error}")),
    };
    let after_scheme = text.split_once("://").map(|(_, rest)| rest);
    let (true, Some(rest), true) =
        (matches!(url.scheme(), "http" | "https"), after_scheme, url.has_host())
    else {
        return wrong("must be absolute and start with https:// (or http://)");
    };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return wrong("must not carry a user or password");
    }
    if url.fragment().is_some() {
        return wrong("must not have a fragment");
    }
    let given = &tail[..tail.find('?').unwrap_or(tail.len())];
    if given != url.path() && !(given.is_empty() && url.path() == "/") {
        return wrong(&format!("has a path that can be read in more than one way: {DOTS}"));
    }
    match PathPattern::plain(url.path()) {
        Ok(()) => Ok(url),
        Err(reason) => {
            wrong(&format!("has a path that can be read in more than one way: {reason}"))
        }
    }
}

const DOTS: &str = "leave out `.` and `..`, backslashes, and percent-encode the rest";
const ENCODED: &str = "encode only what needs it, as %XX with capital letters";
const HIDDEN: &str = "no encoded slashes, dots, percent signs or control characters";

/// Paths below an endpoint's URL: a path without its leading slash, in which `*`
/// stands for any characters, slashes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is empty or too long, starts with a slash, or holds what no path that
    /// it could match may hold.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.len() > MOST_PATTERN_BYTES {
            return Err(format!("a pattern has 1 to {MOST_PATTERN_BYTES} bytes"));
        }
        if text.starts_with('/') {
            return Err("is below the endpoint's URL: leave out the leading slash".to_owned());
        }
        Self::plain(&format!("/{}", text.replace('*', "x")))?;
        Ok(Self(text.to_owned()))
    }

    /// Whether a path has one meaning only.
    pub(crate) fn plain(path: &str) -> Result<(), String> {
        let decoded = decoded(path)?;
        let segments: Vec<&str> = decoded.split('/').collect();
        let (last, inner) = segments.split_last().map_or(("", &[][..]), |(l, i)| (*l, i));
        // Some servers take off dots and spaces at the end, others merge slashes.
        let is_hollow = |segment: &str| segment.trim_matches(['.', ' ']).is_empty();
        if inner.iter().skip(1).any(|segment| is_hollow(segment))
            || (!last.is_empty() && is_hollow(last))
        {
            return Err("no empty parts and no parts of dots alone".to_owned());
        }
        let hides = |c: char| {
            !c.is_ascii()
                && std::iter::once(c).nfkc().any(|c| is_delimiter(c) || c == '.' || c.is_control())
        };
        if decoded.chars().any(hides) {
            return Err("no characters that stand for slashes or dots".to_owned());
        }
        Ok(())
    }

    /// Whether a path below the endpoint's URL, without its leading slash, fits.
    pub fn matches(&self, path: &str) -> bool {
        let (pattern, path) = (self.0.as_bytes(), path.as_bytes());
        let (mut at, mut to) = (0, 0);
        // Where the last `*` stands, and how much of the path it takes so far.
        let mut star: Option<(usize, usize)> = None;
        while to < path.len() {
            if pattern.get(at) == Some(&b'*') {
                star = Some((at, to));
                at += 1;
            } else if pattern.get(at) == Some(&path[to]) {
                (at, to) = (at + 1, to + 1);
            } else if let Some((place, taken)) = star {
                star = Some((place, taken + 1));
                (at, to) = (place + 1, taken + 1);
            } else {
                return false;
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A character that servers split at, decode again or take for a slash.
const fn is_delimiter(c: char) -> bool {
    matches!(c, '/' | '\\' | ';' | '%' | '?' | '#')
}

/// A path with its escapes undone, if each of them is needed and harmless.
fn decoded(path: &str) -> Result<String, String> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'%' => {
                let (Some((digits, tail)),) = (tail.split_first_chunk::<2>(),) else {
                    return Err(ENCODED.to_owned());
                };
                rest = tail;
                let value = capital_hex(digits[0]).zip(capital_hex(digits[1]));
                let Some(byte) = value.map(|(high, low)| high * 16 + low) else {
                    return Err(ENCODED.to_owned());
                };
                if byte == b'.' || byte.is_ascii_control() || is_delimiter(char::from(byte)) {
                    return Err(HIDDEN.to_owned());
                }
                if is_unreserved(byte) {
                    return Err(ENCODED.to_owned());
                }
                decoded.push(byte);
            }
            b'/' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':'
            | b'@' => decoded.push(*byte),
            byte if is_unreserved(*byte) => decoded.push(*byte),
            _ => {
                return Err(
                    "percent-encode everything but letters, digits and -._~!$&'()*+,=:@".to_owned()
                );
            }
        }
    }
    String::from_utf8(decoded).map_err(|_| "what is percent-encoded must be UTF-8".to_owned())
}

/// RFC 3986, 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986, 2.1: capital letters are the normal form.
const fn capital_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_everybody_reads_alike_pass() {
        for (text, path) in [
            ("https://a.example", "/"),
            ("https://a.example?q=%2f..%2F", "/"),
            ("https://a.example/v1/", "/v1/"),
            ("https://a.example/v1/a%20b/caf%C3%A9?x=../y'z", "/v1/a%20b/caf%C3%A9"),
            ("https://A.example:443/v1/x@y:z", "/v1/x@y:z"),
            ("http://127.1/..a/b..c", "/..a/b..c"),
        ] {
            assert_eq!(plain_url(text).unwrap().path(), path, "{text}");
        }
    }

    #[test]
    fn what_a_server_could_read_differently_is_refused() {
        for path in [
            "/v1/../admin",
            "/v1/./x",
            "/v1/%2e%2e/admin",
            "/v1/.%2E/admin",
            "/v1/..%2fadmin",
            "/v1/..%2Fadmin",
            "/v1/%2E%2E%2Fadmin",
            "/v1/%252e%252e/admin",
            "/v1/%25252e/admin",
            "/v1/..\\admin",
            "/v1/..%5Cadmin",
            "\\v1\\admin",
            "/v1/..;/admin",
            "/v1/x;jsessionid=1",
            "/v1/..%3B/admin",
            "/v1//admin",
            "//admin",
            "/v1/.../admin",
            "/v1/..%20/admin",
            "/v1/..",
            "/v1/%20",
            "/v1/%00",
            "/v1/%0D%0AHost:x",
            "/v1/%7F",
            "/v1/%3Fx",
            "/v1/%23x",
            "/v1/%61dmin",
            "/v1/caf%c3%a9",
            "/v1/%C0%AF",
            "/v1/%C0%AE%C0%AE/admin",
            "/v1/%FF",
            "/v1/%u002e",
            "/v1/%2",
            "/v1/%",
            "/v1/%EF%BC%8F",
            "/v1/%E2%80%A5/x",
            "/v1/%EF%BC%8E%EF%BC%8E/x",
            "/v1/a|b",
            "/v1/a[b]",
            "/v1/x#y",
        ] {
            assert!(plain_url(&format!("https://a.example{path}")).is_err(), "{path}");
        }
        for text in [
            "",
            "a.example",
            "//a.example/",
            "https:a.example/",
            "https:/a.example/",
            "https:///a.example/",
            "https:\\\\a.example/",
            "https://user@a.example/",
            "https://:pw@a.example/",
            "https://@a.example/",
            "https://a.example\\@b.example/",
            "https://a.example/ HTTP/1.1",
            "https://a.example/\r\nHost: b",
            "https://a.example/\tv1",
            "https://ä.example/",
            "file:///etc/passwd",
            "ftp://a.example/",
            "data:text/plain,x",
        ] {
            assert!(plain_url(text).is_err(), "{text}");
        }
        assert!(plain_url(&format!("https://a.example/{}", "a".repeat(2_048))).is_err());
    }

    #[test]
    fn a_pattern_is_the_path_with_stars() {
        let matches =
            |pattern: &str, path: &str| PathPattern::parse(pattern).unwrap().matches(path);
        for (pattern, path) in [
            ("*", ""),
            ("*", "a/b/c"),
            ("track/*", "track/"),
            ("track/*", "track/1/2"),
            ("track", "track"),
            ("a*c*e", "abcde"),
            ("a*c*e", "acccce/e"),
            ("**", "x"),
            ("*/status", "1/2/status"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("track/*", "track"),
            ("track/*", "trackx/1"),
            ("track", "track/"),
            ("track", "Track"),
            ("a*c", "abcd"),
            ("*/status", "status"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        for bad in ["", "/track", "a/../b", "a//b", "a b", "%2e", "a;b", &"a".repeat(201)] {
            assert!(PathPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
