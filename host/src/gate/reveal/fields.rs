//! Fields of forms and URLs, which keep their writing but for what is put in.

use std::borrow::Cow;

use url::form_urlencoded::{byte_serialize, parse};

use super::Put;

/// A form or query with values in it. `before` stands before the names of its fields.
pub(super) fn of_form(text: &str, before: &str, put: &mut Put<'_>) -> String {
    let pairs = text.split('&').map(|pair| {
        let Some((name, value)) = pair.split_once('=') else { return Cow::Borrowed(pair) };
        let field = format!("{before}{}", decoded(name));
        let written = decoded(value);
        let mut said = written.clone();
        put(&field, &mut said);
        if said == written {
            Cow::Borrowed(pair)
        } else {
            Cow::Owned(format!("{name}={}", encoded(&said)))
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A URL with values in its path and query; none if it has neither.
pub(super) fn of_url(url: &str, put: &mut Put<'_>) -> Option<String> {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let path = address.find("://")? + 3;
    let path = path + address[path..].find('/').unwrap_or(address.len() - path);
    let segments = address[path..].split('/').enumerate().map(|(place, segment)| {
        // A plus sign is itself here.
        let written = decoded(&segment.replace('+', "%2B"));
        let mut said = written.clone();
        put(&format!("path.{place}"), &mut said);
        if said == written {
            segment.to_owned()
        } else {
            encoded(&said).replace('+', "%20").replace("%7E", "~")
        }
    });
    let mut out = format!("{}{}", &address[..path], segments.collect::<Vec<_>>().join("/"));
    if let Some(query) = query {
        out.push('?');
        out.push_str(&of_form(query, "query.", put));
    }
    Some(out)
}

/// A text as it is written in a form.
pub(super) fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

fn decoded(text: &str) -> String {
    let text = text.replace('&', "%26").replace('=', "%3D");
    parse(format!("v={text}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a value in the place of each placeholder of an allowed field.
    fn put(allowed: &[&str], value: &str) -> impl FnMut(&str, &mut String) -> Option<()> {
        let allowed: Vec<String> = allowed.iter().map(|&field| field.to_owned()).collect();
        let value = value.to_owned();
        move |field, text| {
            if text == "<EMAIL_1.k3f9>" && allowed.iter().any(|known| known == field) {
                value.clone_into(text);
            }
            Some(())
        }
    }

    #[test]
    fn whole_values_of_named_fields_are_put_in_and_nothing_else_changes() {
        let of_form =
            |text, allowed: &[&str]| of_form(text, "", &mut put(allowed, "a+b@c.example"));
        let asked = "to=%3CEMAIL_1.k3f9%3E&cc=<EMAIL_1.k3f9>&x=%3cEMAIL_1.k3f9%3e+1&y&z=%7E";
        assert_eq!(
            of_form(asked, &["to", "x", "y"]),
            "to=a%2Bb%40c.example&cc=<EMAIL_1.k3f9>&x=%3cEMAIL_1.k3f9%3e+1&y&z=%7E"
        );
        assert_eq!(of_form(asked, &[]), asked);
    }

    #[test]
    fn a_url_takes_values_in_its_path_and_query() {
        let of_url = |url, allowed: &[&str]| of_url(url, &mut put(allowed, "a~b c@d.example"));
        let url = "https://a.example/v1/%3CEMAIL_1.k3f9%3E/x+y?q=%3CEMAIL_1.k3f9%3E&r=1";
        assert_eq!(
            of_url(url, &["path.2"]).unwrap(),
            "https://a.example/v1/a~b%20c%40d.example/x+y?q=%3CEMAIL_1.k3f9%3E&r=1"
        );
        assert_eq!(
            of_url(url, &["query.q"]).unwrap(),
            "https://a.example/v1/%3CEMAIL_1.k3f9%3E/x+y?q=a%7Eb+c%40d.example&r=1"
        );
        assert_eq!(of_url(url, &["q", "path.1", "path.3"]).unwrap(), url);
        assert_eq!(of_url("https://a.example", &["path.1"]).unwrap(), "https://a.example");
    }
}
