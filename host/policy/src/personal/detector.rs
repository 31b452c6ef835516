//! Finds personal data and takes it out.

use std::{
    borrow::Cow,
    ops::Range,
    sync::{Arc, LazyLock},
};

use super::{
    Action, DataKind, Folded, PrivacyRules, numbers,
    resolve::{covering, disjoint},
    rules::Own,
    token,
    uses::Uses,
    words,
};

/// A datum in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands, in bytes of the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: DataKind,
    /// How sure that is, in percent.
    pub confidence: u8,
}

/// What findings are for. Each type has its own use: an order's date stays in what a
/// skill sees, and a log needs no phone number that is only likely to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To stand for it in what skills and models see, and in what is kept.
    Placeholders,
    /// To take it out of logs, traces, metrics, errors and audit.
    Logs,
}

/// The least confidence at which a type is reported within a longer text.
const REPORTED: u8 = 40;

/// How often a text is looked through until nothing is found any more. Two glued values can
/// be too long for either: with one of them gone, the other shows.
const MOST_ROUNDS: usize = 4;

/// Finds personal data and secrets. Linear in the length of the text, whatever it is.
#[derive(Debug)]
pub struct Detector {
    uses: Uses,
    own: Arc<Own>,
}

static STANDARD: LazyLock<Arc<Detector>> =
    LazyLock::new(|| Arc::new(Detector::new(&PrivacyRules::default())));

impl Detector {
    /// The detector with an operator's own types, lists and thresholds.
    pub fn new(rules: &PrivacyRules) -> Self {
        Self { uses: rules.uses.clone(), own: Arc::clone(&rules.own) }
    }

    /// The detector without an operator's own types, lists and thresholds.
    pub fn standard() -> Arc<Self> {
        Arc::clone(&STANDARD)
    }

    /// The name of a type in placeholders and rules.
    pub fn name(&self, kind: DataKind) -> &str {
        self.own.name(kind)
    }

    /// The type of this name, which can be an operator's own.
    pub fn named(&self, name: &str) -> Option<DataKind> {
        DataKind::named(name).or_else(|| self.own.named(name))
    }

    /// What is done with a type. Of those that come with Postern all become placeholders.
    pub fn action(&self, kind: DataKind) -> Action {
        self.own.action(kind)
    }

    /// What stands where a value was taken out for good: `[EMAIL]`, or what the operator
    /// wants there.
    pub fn replacement(&self, kind: DataKind) -> Cow<'_, str> {
        match self.own.replacement(kind) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(format!("[{}]", self.name(kind))),
        }
    }

    /// Everything that is found, in order, however unsure; findings can overlap where a
    /// text can be read in several ways.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        let folded = Folded::new(text);
        numbers::find(folded.text(), &mut found);
        words::find(folded.text(), &mut found);
        self.own.find(folded.text(), &mut found);
        for one in &mut found {
            one.span = folded.origin(one.span.clone());
        }
        found.sort_by_key(|one| (one.span.start, one.span.end, one.kind));
        found
    }

    /// What has to be taken out for a purpose: in order, without overlap.
    pub fn find_for(&self, text: &str, purpose: Purpose) -> Vec<Finding> {
        let mut found = self.find_once(text, purpose);
        let mut blank: Option<String> = None;
        for _ in 1..MOST_ROUNDS {
            if !found.iter().any(|one| is_glued(text, &one.span)) {
                break;
            }
            let rest = blanked(blank.as_deref().unwrap_or(text), &found);
            let known = found.len();
            let more = self.find_once(&rest, purpose);
            found.extend(
                more.into_iter().filter(|one| is_outside(one, &found[..known])).collect::<Vec<_>>(),
            );
            if found.len() == known {
                break;
            }
            found.sort_by_key(|one| one.span.start);
            blank = Some(rest);
        }
        found
    }

    fn find_once(&self, text: &str, purpose: Purpose) -> Vec<Finding> {
        let mut found = self.find(text);
        found.retain(|one| self.uses.takes(one.kind, purpose, one.confidence));
        covering(found, text)
    }

    /// What an evaluation compares with labels: each type for itself without overlap, what
    /// is likely in any text, and every reading of a text that is nothing but the value.
    pub fn report(&self, text: &str) -> Vec<Finding> {
        let alone = text.len() - text.trim_start().len()..text.trim_end().len();
        let mut found = self.find(text);
        found.retain(|one| one.confidence >= REPORTED || one.span == alone);
        found.sort_by_key(|one| one.kind);
        let mut reported: Vec<Finding> = found
            .chunk_by(|one, next| one.kind == next.kind)
            .flat_map(|same| disjoint(same.to_vec()))
            .collect();
        reported.sort_by_key(|one| (one.span.start, one.span.end, one.kind));
        reported
    }

    /// The text with `[KIND]` in place of everything that the purpose needs out. Doing it
    /// again changes nothing.
    pub fn redact<'t>(&self, text: &'t str, purpose: Purpose) -> Cow<'t, str> {
        let mut redacted = Cow::Borrowed(text);
        for _ in 0..MOST_ROUNDS {
            let found = self.find_for(&redacted, purpose);
            if found.is_empty() {
                break;
            }
            redacted = Cow::Owned(self.without(&redacted, &found));
        }
        redacted
    }

    fn without(&self, text: &str, found: &[Finding]) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for Finding { span, kind, .. } in found {
            out.push_str(&text[at..span.start]);
            out.push_str(&self.replacement(*kind));
            at = span.end;
        }
        out.push_str(&text[at..]);
        out
    }
}

/// Whether something touches a finding, or a sign joins it: both can be too long for either
/// together.
fn is_glued(text: &str, span: &Range<usize>) -> bool {
    let is_value = |byte: &u8| byte.is_ascii_alphanumeric();
    let is_sign = |byte: &u8| b"-_./:,@#+".contains(byte);
    let joins = |one: Option<&u8>, next: Option<&u8>| match one {
        Some(b' ' | b'(' | b')') => next.is_some_and(u8::is_ascii_digit),
        Some(sign) if is_sign(sign) => next.is_some_and(|next| is_value(next) || is_sign(next)),
        one => one.is_some_and(is_value),
    };
    let mut before = text.as_bytes()[..span.start].iter().rev();
    let mut after = text.as_bytes()[span.end..].iter();
    joins(before.next(), before.next()) || joins(after.next(), after.next())
}

/// The text with as many bytes as before, in which tokens stand for what was found.
fn blanked(text: &str, found: &[Finding]) -> String {
    let mut out = String::with_capacity(text.len());
    for Finding { span, .. } in found {
        out.push_str(&text[out.len()..span.start]);
        token::push(&mut out, span.len());
    }
    out.push_str(&text[out.len()..]);
    out
}

/// Whether none of what is known already, in order, overlaps a finding.
fn is_outside(one: &Finding, known: &[Finding]) -> bool {
    let next = known.partition_point(|other| other.span.end <= one.span.start);
    known.get(next).is_none_or(|other| one.span.end <= other.span.start)
}
