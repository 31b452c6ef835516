//! What an operator's types, patterns and lists find.

use std::{collections::BTreeSet, ops::Range};

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::{
    super::{DataKind, Finding, Folded},
    Action,
};

/// Bytes that one expression may take when it is compiled.
const COMPILED: usize = 1 << 20;
/// Bytes before and after a match in which words about it count.
const BEFORE: usize = 48;
const AFTER: usize = 24;
/// How sure a pattern is whose words are missing: under every threshold that comes with
/// Postern.
const UNSURE: u8 = 30;
/// Bytes after the beginning of a match up to which the end is always seen. Without a bound,
/// `x[^y]*y|x` reads the rest of a text once for each `x`.
const LONGEST_MATCH: usize = 1024;
/// Bytes of a placeholder on either side of a part of it.
const PLACEHOLDER: usize = 40;

/// An operator's own type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct OwnType {
    pub(super) name: String,
    pub(super) action: Action,
    pub(super) replacement: Option<String>,
}

/// Everything of an operator's own.
#[derive(Debug, Default)]
pub(in super::super) struct Own {
    types: Vec<OwnType>,
    patterns: Vec<Pattern>,
    lists: Lists,
}

/// An expression for a type.
#[derive(Debug)]
pub(super) struct Pattern {
    kind: DataKind,
    regex: Regex,
    confidence: u8,
    context: Option<AhoCorasick>,
    not_context: Option<AhoCorasick>,
}

/// Words that are always found, and values that never are.
#[derive(Debug, Default)]
pub(super) struct Lists {
    denied: Option<(AhoCorasick, Vec<DataKind>)>,
    allowed: Allowed,
}

/// Values that are never found.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    values: BTreeSet<String>,
    patterns: Option<RegexSet>,
}

impl Own {
    pub(super) fn new(types: Vec<OwnType>, patterns: Vec<Pattern>, lists: Lists) -> Self {
        Self { types, patterns, lists }
    }

    /// The name of an own type.
    pub(in super::super) fn name(&self, kind: DataKind) -> &str {
        self.own(kind).map_or(kind.as_str(), |own| own.name.as_str())
    }

    /// The own type of this name.
    pub(in super::super) fn named(&self, name: &str) -> Option<DataKind> {
        let place = self.types.iter().position(|own| own.name == name)?;
        u16::try_from(place).ok().map(DataKind::Custom)
    }

    /// What an operator wants done with a type.
    pub(in super::super) fn action(&self, kind: DataKind) -> Action {
        self.own(kind).map_or(Action::Placeholder, |own| own.action)
    }

    /// What stands for a value that was taken out for good.
    pub(in super::super) fn replacement(&self, kind: DataKind) -> Option<&str> {
        self.own(kind)?.replacement.as_deref()
    }

    fn own(&self, kind: DataKind) -> Option<&OwnType> {
        let DataKind::Custom(place) = kind else { return None };
        self.types.get(usize::from(place))
    }

    /// Adds what the operator's patterns and words find in folded text, and takes out what
    /// the operator allows.
    pub(in super::super) fn find(&self, text: &str, out: &mut Vec<Finding>) {
        for pattern in &self.patterns {
            pattern.spans(text, |span| {
                if !is_placeholder(text, &span) {
                    out.extend(pattern.finding(text, span));
                }
            });
        }
        if let Some((words, kinds)) = &self.lists.denied {
            // A word can stand where a longer one only begins: `Ann` and `Ann Lee` in `Ann Leeds`.
            for found in words.find_overlapping_iter(text) {
                let span = found.range();
                if is_whole(text, &span) && !is_placeholder(text, &span) {
                    let kind = kinds[found.pattern().as_usize()];
                    out.push(Finding { span, kind, confidence: 100 });
                }
            }
        }
        let allowed = &self.lists.allowed;
        if !allowed.values.is_empty() || allowed.patterns.is_some() {
            out.retain(|one| !allowed.has(&text[one.span.clone()]));
        }
    }

    /// For each pattern, why redacting twice would change what was redacted once.
    pub(super) fn unstable(&self) -> impl Iterator<Item = Option<String>> {
        let names = DataKind::ALL.iter().map(|kind| kind.as_str());
        let names = names.chain(self.types.iter().map(|own| own.name.as_str()));
        let marks = names.map(|name| format!("[{name}]"));
        let marks: Vec<String> =
            marks.chain(self.types.iter().filter_map(|own| own.replacement.clone())).collect();
        self.patterns.iter().map(move |pattern| {
            let mark = marks.iter().find(|mark| pattern.regex.is_match(mark))?;
            Some(format!(
                "it matches {mark}, which stands where something was taken out: say more of what \
                 it begins with"
            ))
        })
    }
}

impl Pattern {
    pub(super) fn new(
        kind: DataKind,
        regex: &str,
        confidence: u8,
        context: &[String],
        not_context: &[String],
    ) -> Result<Self, String> {
        let regex = RegexBuilder::new(regex)
            .size_limit(COMPILED)
            .dfa_size_limit(COMPILED)
            .build()
            .map_err(|error| told(&error))?;
        if regex.is_match("") {
            return Err("the expression matches the empty text: write `+` for `*`".to_owned());
        }
        let (context, not_context) = (words_of(context)?, words_of(not_context)?);
        Ok(Self { kind, regex, confidence, context, not_context })
    }

    /// Tells of each match. A text is read in windows that overlap by half, so that each byte
    /// is read a bounded number of times; a match ends with the window at the latest.
    fn spans(&self, text: &str, mut tell: impl FnMut(Range<usize>)) {
        let mut at = 0;
        while at < text.len() {
            let turn = text.floor_char_boundary(at + LONGEST_MATCH);
            let window = &text[..text.floor_char_boundary(turn + LONGEST_MATCH)];
            while let Some(found) = self.regex.find_at(window, at)
                && (found.start() < turn || turn == text.len())
            {
                if found.is_empty() {
                    // An assertion alone is no value.
                    at = text.ceil_char_boundary(found.end() + 1);
                } else {
                    at = found.end();
                    tell(found.range());
                }
                if at >= turn {
                    break;
                }
            }
            at = at.max(turn);
        }
    }

    fn finding(&self, text: &str, span: Range<usize>) -> Option<Finding> {
        let near = |words: &AhoCorasick| {
            let before = floor(text, span.start.saturating_sub(BEFORE))..span.start;
            let after = span.end..floor(text, text.len().min(span.end + AFTER));
            words.is_match(&text[before]) || words.is_match(&text[after])
        };
        if self.not_context.as_ref().is_some_and(near) {
            return None;
        }
        let is_sure = self.context.as_ref().is_none_or(near);
        let confidence = if is_sure { self.confidence } else { self.confidence.min(UNSURE) };
        Some(Finding { span, kind: self.kind, confidence })
    }
}

impl Lists {
    pub(super) fn new(denied: Vec<(String, DataKind)>, allowed: Allowed) -> Result<Self, String> {
        let (words, kinds): (Vec<String>, Vec<DataKind>) = denied.into_iter().unzip();
        let words = words_of(&words)?;
        Ok(Self { denied: words.map(|words| (words, kinds)), allowed })
    }

    /// Reads the values and expressions that are never found.
    pub(super) fn allowed(values: &[String], patterns: &[String]) -> Result<Allowed, String> {
        let whole = patterns.iter().map(|pattern| format!("^(?:{pattern})$"));
        let set = RegexSetBuilder::new(whole)
            .size_limit(COMPILED)
            .dfa_size_limit(COMPILED)
            .build()
            .map_err(|error| told(&error))?;
        let values = values.iter().map(|value| plain(Folded::new(value).text())).collect();
        Ok(Allowed { values, patterns: (!set.is_empty()).then_some(set) })
    }
}

impl Allowed {
    fn has(&self, value: &str) -> bool {
        self.values.contains(&plain(value))
            || self.patterns.as_ref().is_some_and(|patterns| patterns.is_match(value))
    }
}

/// What is the same in all spellings of a value: numbers are grouped in many ways, and a
/// country is called with `+` or `00`, perhaps with the `(0)` of calls within it.
fn plain(value: &str) -> String {
    let is_group = |c: &char| matches!(c, ' ' | '-' | '(' | ')' | '.' | '/');
    if value.contains(|c: char| c.is_alphabetic() || c == '@') {
        let is_group = |c: &char| !value.contains('@') && is_group(c);
        return value.chars().filter(|c| !is_group(c)).flat_map(char::to_lowercase).collect();
    }
    let plain: String = value.replace("(0)", "").chars().filter(|c| !is_group(c)).collect();
    plain.strip_prefix("00").map_or(plain.clone(), |rest| format!("+{rest}"))
}

/// A finder of words, which are folded like the text; none of no words.
fn words_of(words: &[String]) -> Result<Option<AhoCorasick>, String> {
    if words.is_empty() {
        return Ok(None);
    }
    let words = words.iter().map(|word| Folded::new(word.trim()).text().to_owned());
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(words)
        .map(Some)
        .map_err(|error| format!("the words cannot be compiled, {error}: write fewer"))
}

/// What is wrong with an expression, on one line without the expression itself.
fn told(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            format!("the expression takes more than {COMPILED} bytes: bound its repetitions")
        }
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("the expression is none, {last}: mend it there")
        }
    }
}

/// Whether no ASCII letter or digit goes on from one that the part has at its edge.
fn is_whole(text: &str, span: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let is_word = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let begins = span.start == 0 || !is_word(span.start - 1) || !is_word(span.start);
    begins && !(is_word(span.end) && is_word(span.end - 1))
}

/// Whether this is a part of a placeholder: `1.k3f9` of `<EMAIL_1.k3f9>`.
fn is_placeholder(text: &str, span: &Range<usize>) -> bool {
    let bytes = text.as_bytes();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let before = bytes[..span.start].iter().rev().take(PLACEHOLDER).find(|byte| !is_part(byte));
    let after = bytes[span.end..].iter().take(PLACEHOLDER).find(|byte| !is_part(byte));
    before == Some(&b'<') && after == Some(&b'>')
}

/// The last border between characters up to a place.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
