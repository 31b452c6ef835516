//! HTTP requests against what was expected of them.

use crate::{
    Difference, Request, RequestExpected,
    edge::{bounded, pairs_misfit},
    fits,
};

/// Compares them one by one: requests are few, and their order is what matters.
pub(super) fn check(
    wanted: &[RequestExpected],
    got: &[Request],
    differences: &mut Vec<Difference>,
) {
    for (i, wanted) in wanted.iter().enumerate() {
        let what = format!("request {}", i + 1);
        match got.get(i) {
            None => differences.push(Difference::new(what, told(wanted), "no such request")),
            Some(got) => {
                if let Some(misfit) = misfit(wanted, got) {
                    differences.push(Difference::new(what, told(wanted), got.line()).hint(misfit));
                }
            }
        }
    }
    for request in got.iter().skip(wanted.len()) {
        let got = request.line();
        differences.push(Difference::new("unexpected request", "no such request", got));
    }
}

fn misfit(wanted: &RequestExpected, got: &Request) -> Option<String> {
    let RequestExpected { method, host, path, query, headers, body } = wanted;
    if let Some(method) = method
        && !method.eq_ignore_ascii_case(&got.method)
    {
        return Some(format!("the method is {}", got.method));
    }
    if let Some(host) = host
        && !host.eq_ignore_ascii_case(&got.host)
    {
        return Some(format!("the host is {}", got.host));
    }
    if let Some(path) = path
        && !fits::path_fits(path, &got.path)
    {
        return Some(format!("the path is {}", got.path));
    }
    if let Some(misfit) = pairs_misfit("parameter", query, &got.query, false) {
        return Some(misfit);
    }
    if let Some(misfit) = pairs_misfit("header", headers, &got.headers, true) {
        return Some(misfit);
    }
    let wanted = body.as_ref()?;
    match got.json() {
        Some(given) if fits::value_fits(wanted, &given) => None,
        Some(given) => Some(format!("the body is {}", bounded(&given.to_string()))),
        None => Some("the body is not JSON".to_owned()),
    }
}

fn told(wanted: &RequestExpected) -> String {
    let RequestExpected { method, host, path, query, headers, body } = wanted;
    let any = |text: &Option<String>| text.clone().unwrap_or_else(|| "*".to_owned());
    let host = host.clone().unwrap_or_default();
    let mut told = format!("{} {host}{}", any(method), any(path));
    for (what, pairs) in [("query", query), ("headers", headers)] {
        if !pairs.is_empty() {
            told += &format!(" with {what} {pairs:?}");
        }
    }
    if let Some(body) = body {
        told += &format!(" with {}", bounded(&body.to_string()));
    }
    told
}
