//! URLs, names of hosts that stand for one, and who signs in by them.

use super::{Scan, Token, after, before, top_level};
use crate::personal::DataKind;

/// Bytes of a URL that are read as one.
const LONGEST: usize = 2048;
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Bytes of a user with a password and of the host.
const LONGEST_USER: usize = 512;

/// A user alone that is a token rather than the name of one.
const TOKEN: usize = 16;

/// Reads a URL whose scheme is this token.
pub(super) fn at_scheme(scan: &mut Scan<'_>, scheme: Token) {
    if scheme.start < scan.read.url {
        return;
    }
    let authority = scheme.end + 3;
    let end = end_of(scan.text, authority);
    let of_web = ["http", "https", "ftp", "ftps", "ws", "wss"];
    let name = &scan.text[scheme.start..scheme.end];
    let is_of_web = of_web.iter().any(|known| known.eq_ignore_ascii_case(name));
    let rest = &scan.text[authority..end];
    let width = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let plain = rest[..width].rsplit_once('@').unwrap_or(("", &rest[..width]));
    let (user, host) = odd_user(&scan.text[authority..], plain, is_of_web).unwrap_or(plain);
    let end = end.max(authority + user.len());
    let is_secret = match user.split_once(':') {
        Some((_, password)) => !password.is_empty(),
        None => is_of_web && user.len() >= TOKEN,
    };
    scan.read.url = end;
    if is_secret && !user.starts_with(['[', '<']) {
        scan.push(DataKind::Secret, authority..authority + user.len(), 97);
    }
    if is_of_web && is_host(host) {
        scan.push(DataKind::Url, scheme.start..end, 95);
    }
}

/// Who signs in with a password in which signs stand that RFC 3986 wants escaped, and the
/// host: up to the last `@`. A port and a path with an `@` in it are no password.
fn odd_user<'t>(
    text: &'t str,
    (user, host): (&str, &str),
    is_of_web: bool,
) -> Option<(&'t str, &'t str)> {
    let is_end =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '`');
    let text = &text[..text.floor_char_boundary(LONGEST_USER)];
    let width = text.find(is_end).unwrap_or(text.len());
    let (name, _) = text[..width].split_once(':')?;
    let (odd, rest) = text[..width].rsplit_once('@')?;
    let is_port = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = match user.is_empty() {
        true => is_of_web && host.rsplit_once(':').is_none_or(|(_, part)| is_port(part)),
        false => is_of_web && is_host(host),
    };
    let is_name = !name.contains(['/', '?', '#']);
    let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    (is_name && !is_whole && odd.len() > user.len()).then_some((odd, host))
}

/// Reads a name without a scheme, of which this token is a label: `shop.example.com/x`.
pub(super) fn at_name(scan: &mut Scan<'_>, label: Token) {
    if label.start < scan.read.name {
        return;
    }
    let text = scan.text;
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let floor = scan.read.name.max(label.start.saturating_sub(LONGEST_LABEL));
    let back = bytes[floor..label.start].iter().rev().take_while(|byte| is_part(byte)).count();
    let start = label.start - back;
    let run = &bytes[start..];
    let width = run.iter().position(|byte| !is_part(byte) && *byte != b'.').unwrap_or(run.len());
    scan.read.name = start + width;
    let name = text[start..start + width].trim_end_matches(['.', '-']);
    let end = start + name.len();
    let cut = name.len() < width;
    // The first bytes of letters with accents and of other alphabets: the name is longer.
    let is_letter = |byte: u8| (0xc3..0xe0).contains(&byte);
    let comes_from = |byte: u8| matches!(byte, b'@' | b'.' | b'/' | b'\\' | b'_' | b'-' | b'%');
    let goes_on = |byte: u8| matches!(byte, b'@' | b'_' | b'(' | b'\\') || is_letter(byte);
    let next = after(text, end).filter(|_| !cut);
    if before(text, start).is_some_and(comes_from) || next.is_some_and(goes_on) {
        return;
    }
    let has_path = next == Some(b'/');
    if name.len() > LONGEST_NAME || !top_level::is_name(name, has_path) {
        return;
    }
    let with_port = end + port(&bytes[end..]);
    let end = match after(text, with_port).filter(|_| !cut) {
        Some(b'/' | b'?' | b'#') => end_of(text, with_port),
        Some(_) | None => with_port,
    };
    scan.read.url = end;
    scan.push(DataKind::Url, start..end, 80);
}

/// Bytes of a port with its colon.
fn port(rest: &[u8]) -> usize {
    let [b':', digits @ ..] = rest else { return 0 };
    let count = digits.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=5).contains(&count) { count + 1 } else { 0 }
}

/// Where a URL ends that is open at a place. Other scripts than Latin are no part of it:
/// Chinese text follows without a space.
fn end_of(text: &str, from: usize) -> usize {
    let is_end = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '"' | '<' | '>' | '`' | '{' | '}' | '|' | '^' | '\\')
            || c >= '\u{2000}'
    };
    let rest = &text[from..];
    let width = rest
        .char_indices()
        .find(|(at, c)| *at >= LONGEST || is_end(*c))
        .map_or(rest.len(), |(at, _)| at);
    let mut url = &rest[..width];
    // What closes a sentence or a bracket that was opened before is no part of it.
    let (mut round, mut square) = (depth(url, '(', ')'), depth(url, '[', ']'));
    loop {
        match url.as_bytes().last() {
            Some(b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*') => {}
            Some(b')') if round < 0 => round += 1,
            Some(b']') if square < 0 => square += 1,
            Some(_) | None => break,
        }
        url = &url[..url.len() - 1];
    }
    from + url.len()
}

fn depth(url: &str, open: char, close: char) -> isize {
    url.chars().fold(0, |depth, c| depth + isize::from(c == open) - isize::from(c == close))
}

/// A name with a point in it, an address, or this machine.
fn is_host(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    host.starts_with('[')
        || name.eq_ignore_ascii_case("localhost")
        || name.split('.').count() > 1 && name.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::words::tests::check;

    const URL: DataKind = DataKind::Url;

    #[test]
    fn urls_end_where_the_text_goes_on() {
        let path = "https://shop.example/a?b=c,d#e";
        check(&format!("see {path}."), &[(URL, path)]);
        check(&format!("(see {path})"), &[(URL, path)]);
        check(&format!("打开{path}看看"), &[(URL, path)]);
        check(&format!("打开{path}，看看"), &[(URL, path)]);
        check("http://x.example/a_(b)", &[(URL, "http://x.example/a_(b)")]);
        check("http://a.webcam", &[(URL, "http://a.webcam")]);
        check("HTTPS://Bücher.example/x", &[(URL, "HTTPS://Bücher.example/x")]);
        check("http:// x https://x https://..", &[]);
    }

    #[test]
    fn names_of_hosts_stand_for_urls() {
        check("it is on amazon.com!", &[(URL, "amazon.com")]);
        check("www.bbc.co.uk:8080/news, yes", &[(URL, "www.bbc.co.uk:8080/news")]);
        check("上12306.cn买的", &[(URL, "12306.cn")]);
        check("my-shop.example.de?", &[(URL, "my-shop.example.de")]);
        check("youtu.be/abc", &[(URL, "youtu.be/abc")]);
        for text in [
            "report.pdf e.g. i.e. Mr.Smith 1.2.3 v1.2 main.rs node.js README.md",
            "It arrived.Is it so.My order, end.It at 5 p.m. or 10.30am U.S.A. No.5",
            "src/site.com foo.com() a@b www.microsoft 3.5kg 12.50 std.io.x",
        ] {
            check(text, &[]);
        }
        check("ann@mail.example.com", &[(DataKind::Email, "ann@mail.example.com")]);
    }

    #[test]
    fn who_signs_in_by_a_url_is_a_secret() {
        check("redis://app:hunter2@cache:6379/0", &[(DataKind::Secret, "app:hunter2")]);
        let url = "https://ghx1234567890abcdef@git/x https://app:hunter2@git.example.";
        check(
            url,
            &[
                (DataKind::Secret, "ghx1234567890abcdef"),
                (URL, "https://app:hunter2@git.example"),
                (DataKind::Secret, "app:hunter2"),
                (DataKind::Email, "hunter2@git.example"),
            ],
        );
        for user in ["u:p/ss123", "u:p#s?s", "u:p@s/1", "u:p^ss{1}"] {
            let mut found = Vec::new();
            crate::personal::words::find(&format!("at postgres://{user}@db.example/x"), &mut found);
            let span = 14..14 + user.len();
            assert!(
                found.iter().any(|one| one.kind == DataKind::Secret && one.span == span),
                "{user}"
            );
        }
        check("https://a.example:8080/x@2x", &[(URL, "https://a.example:8080/x@2x")]);
        check("ssh://git@host redis://[SECRET]@cache", &[]);
    }
}
