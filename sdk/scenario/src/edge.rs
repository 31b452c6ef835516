//! The world of a scenario, as far as HTTP goes.

use serde_json::Value;

use crate::{Answer, HttpAnswer, fits};

/// A request, as it would go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, in capital letters.
    pub method: String,
    /// The host, with its port if it is not the usual one.
    pub host: String,
    /// The path.
    pub path: String,
    /// Names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Method, host, path and query, for people.
    pub fn line(&self) -> String {
        let query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        format!("{} {}{}{query}", self.method, self.host, self.path)
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Met {
    /// One of the given answers.
    Answer(Answer),
    /// Nothing that is given fits.
    Nothing(Nearest),
}

/// The given answer that comes nearest to a request, and what does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// In words, for people.
    pub why: String,
}

/// Answers requests as a scenario says, and remembers them.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    answers: Vec<(HttpAnswer, u32)>,
    requests: Vec<Request>,
    unanswered: Vec<(Request, Nearest)>,
}

impl Edge {
    /// With these answers.
    pub fn new(answers: &[HttpAnswer]) -> Self {
        let answers = answers.iter().map(|answer| (answer.clone(), 0)).collect();
        Self { answers, ..Self::default() }
    }

    /// The answer to a request.
    pub fn ask(&mut self, request: &Request) -> Met {
        self.requests.push(request.clone());
        let fitting = self.answers.iter_mut().find(|(answer, used)| {
            answer.times.is_none_or(|times| *used < times) && misfit(answer, request).is_none()
        });
        if let Some((answer, used)) = fitting {
            *used += 1;
            return Met::Answer(answer.answer.clone());
        }
        let nearest = self.nearest(request);
        self.unanswered.push((request.clone(), nearest.clone()));
        Met::Nothing(nearest)
    }

    /// All requests so far, in their order.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Those that nothing given fitted.
    pub fn unanswered(&self) -> &[(Request, Nearest)] {
        &self.unanswered
    }

    /// Given answers that were not asked for, or not as often as they say.
    pub fn unused(&self) -> Vec<String> {
        let left = |(answer, used): &&(HttpAnswer, u32)| *used < answer.times.unwrap_or(1);
        self.answers
            .iter()
            .filter(left)
            .map(|(answer, used)| {
                let of = answer.times.map_or(String::new(), |times| format!(" of {times} times"));
                format!("{} (asked for {used}{of})", place(answer))
            })
            .collect()
    }

    fn nearest(&self, request: &Request) -> Nearest {
        let misfits = self.answers.iter().map(|(answer, used)| {
            let misfit = misfit(answer, request).unwrap_or_else(|| Misfit {
                depth: usize::MAX,
                what: format!("it is used up after {used} times"),
            });
            (misfit, answer)
        });
        let why = match misfits.max_by_key(|(misfit, _)| misfit.depth) {
            None => "no answers are given: add [[given.http]]".to_owned(),
            Some((misfit, answer)) => {
                format!("nearest is {}: {}", place(answer), misfit.what)
            }
        };
        Nearest { why }
    }
}

fn place(answer: &HttpAnswer) -> String {
    let method = answer.method.as_deref().unwrap_or("*");
    format!("{method} {}{}", answer.host.as_deref().unwrap_or("*"), answer.path)
}

/// What does not fit, and how much fitted before.
struct Misfit {
    depth: usize,
    what: String,
}

fn misfit(answer: &HttpAnswer, request: &Request) -> Option<Misfit> {
    let wrong = |depth, what| Some(Misfit { depth, what });
    if let Some(host) = &answer.host
        && !host.eq_ignore_ascii_case(&request.host)
    {
        return wrong(0, format!("the host is {}", request.host));
    }
    if !fits::path_fits(&answer.path, &request.path) {
        return wrong(1, format!("the path is {}", request.path));
    }
    if answer.method.as_ref().is_some_and(|method| *method != request.method) {
        return wrong(2, format!("the method is {}", request.method));
    }
    if let Some(what) = pairs_misfit("parameter", &answer.query, &request.query, false) {
        return wrong(3, what);
    }
    if let Some(what) = pairs_misfit("header", &answer.headers, &request.headers, true) {
        return wrong(4, what);
    }
    let wanted = answer.body.as_ref()?;
    match request.json() {
        Some(given) if fits::value_fits(wanted, &given) => None,
        Some(given) => wrong(5, format!("the body is {}", bounded(&given.to_string()))),
        None => wrong(5, "the body is not JSON".to_owned()),
    }
}

/// The first wanted pair that is not among the given ones.
pub(crate) fn pairs_misfit<'w>(
    what: &str,
    wanted: impl IntoIterator<Item = (&'w String, &'w String)>,
    given: &[(String, String)],
    any_case: bool,
) -> Option<String> {
    let same = |a: &str, b: &str| if any_case { a.eq_ignore_ascii_case(b) } else { a == b };
    wanted.into_iter().find_map(|(name, value)| {
        let mut found = given.iter().filter(|(known, _)| same(known, name)).peekable();
        if found.peek().is_none() {
            return Some(format!("there is no {what} {name}"));
        }
        let values: Vec<&str> = found.map(|(_, value)| value.as_str()).collect();
        (!values.contains(&value.as_str()))
            .then(|| format!("the {what} {name} is {}", bounded(&values.join(", "))))
    })
}

/// A text short enough for a line.
pub(crate) fn bounded(text: &str) -> String {
    const MOST_CHARS: usize = 400;
    let mut short: String = text.chars().take(MOST_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Scenario;

    fn edge(http: &str) -> Edge {
        let text = format!("[scenario]\nname = \"x\"\n{http}\n[[step]]\ncustomer = \"hi\"\n");
        Edge::new(&Scenario::parse(Path::new("x.toml"), &text).unwrap().given.http)
    }

    fn request(method: &str, path: &str, body: &str) -> Request {
        Request {
            method: method.into(),
            host: "a.example".into(),
            path: path.into(),
            query: vec![("lang".into(), "en".into())],
            headers: vec![("Accept".into(), "application/json".into())],
            body: body.into(),
        }
    }

    fn why(edge: &mut Edge, request: &Request) -> String {
        match edge.ask(request) {
            Met::Nothing(nearest) => nearest.why,
            Met::Answer(answer) => panic!("{answer:?}"),
        }
    }

    #[test]
    fn the_first_that_fits_and_is_not_used_up_answers() {
        let mut edge = edge(
            "[[given.http]]\nmethod = \"get\"\npath = \"/a\"\ntimes = 1\nanswer = { status = 500 }\n\
             [[given.http]]\nmethod = \"GET\"\npath = \"/*\"\nanswer = { lost = true }\n",
        );
        let asked = request("GET", "/a", "");
        let failed = Answer::Response { status: 500, headers: vec![], body: vec![] };
        assert_eq!(edge.unused().len(), 2);
        assert_eq!(edge.ask(&asked), Met::Answer(failed));
        assert_eq!(edge.ask(&asked), Met::Answer(Answer::Lost));
        assert_eq!(edge.ask(&asked), Met::Answer(Answer::Lost));
        assert_eq!(edge.requests().len(), 3);
        assert!(edge.unused().is_empty() && edge.unanswered().is_empty());
    }

    #[test]
    fn what_does_not_fit_is_told_by_the_nearest() {
        let mut edge = edge(
            "[[given.http]]\nmethod = \"POST\"\nhost = \"A.example\"\npath = \"/pay\"\n\
             query = { lang = \"en\" }\nheaders = { accept = \"application/json\" }\n\
             body = { amount = 5 }\ntimes = 1\n\
             [[given.http]]\nmethod = \"GET\"\nhost = \"b.example\"\npath = \"/\"\n",
        );
        let nearest = "nearest is POST A.example/pay: ";
        for (asked, expected) in [
            (request("POST", "/", ""), "the path is /"),
            (request("GET", "/pay", ""), "the method is GET"),
            (request("POST", "/pay", "x"), "the body is not JSON"),
            (request("POST", "/pay", r#"{"amount":6}"#), r#"the body is {"amount":6}"#),
        ] {
            assert_eq!(why(&mut edge, &asked), format!("{nearest}{expected}"));
        }
        let mut german = request("POST", "/pay", r#"{"amount":5}"#);
        german.query[0].1 = "de".into();
        assert_eq!(why(&mut edge, &german), format!("{nearest}the parameter lang is de"));
        german.headers.clear();
        german.query[0].1 = "en".into();
        assert_eq!(why(&mut edge, &german), format!("{nearest}there is no header accept"));
        let right = request("POST", "/pay", r#"{"amount":5,"to":"x"}"#);
        assert!(matches!(edge.ask(&right), Met::Answer(_)));
        assert_eq!(why(&mut edge, &right), format!("{nearest}it is used up after 1 times"));
        assert_eq!(edge.unanswered().len(), 7);
        assert_eq!(edge.unused(), ["GET b.example/ (asked for 0)"]);
    }
}
