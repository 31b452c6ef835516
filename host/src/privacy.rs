//! Placeholders: personal values leave the text before anybody works with it,
//! and return only at the very edge.
//!
//! A placeholder is `<KIND_n.mark>`; the mark belongs to one session of one
//! conversation, so a placeholder of another conversation, of an earlier session
//! (in which somebody else may have written), or one that a customer makes up,
//! stands for nothing here.

mod blind;
mod hide;
pub(crate) mod json;
mod outbound;
mod vault;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use postern_domain::{Conversation, stable_id};
use regex::{Captures, Regex};
use unicode_normalization::UnicodeNormalization as _;

pub use blind::Blind;
pub(crate) use hide::Hider;
pub(crate) use outbound::foreign;
pub use vault::{Vault, Whose};

static GRAMMAR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<([A-Z][A-Z_]{0,23})_([0-9]{1,6})\.([0-9a-z]{4})>").expect("a valid expression")
});

/// What replaces a forged placeholder at intake.
const FORGED: &str = "[…]";

/// What replaces a placeholder whose value is not for the reader.
const MASK: &str = "•••";

/// What stands where a value of this kind was taken out.
pub fn redacted(kind: &str) -> String {
    format!("[{kind}]")
}

/// A text without the placeholders of some kinds.
pub fn without_kinds<'t>(text: &'t str, is_unwanted: impl Fn(&str) -> bool) -> Cow<'t, str> {
    GRAMMAR.replace_all(text, |found: &Captures<'_>| {
        if is_unwanted(&found[1]) { redacted(&found[1]) } else { found[0].to_owned() }
    })
}

/// A text with a space in place of every placeholder: what it says besides.
pub fn without_placeholders(text: &str) -> Cow<'_, str> {
    GRAMMAR.replace_all(text, " ")
}

/// The placeholders of a text, in order.
pub fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    GRAMMAR.find_iter(text).map(|found| found.as_str())
}

/// Where the placeholders of a text stand, in order.
pub(crate) fn placed(text: &str) -> impl Iterator<Item = Range<usize>> {
    GRAMMAR.find_iter(text).map(|found| found.range())
}

/// What kind of datum a placeholder stands for, if the text is one.
pub fn kind_of(placeholder: &str) -> Option<&str> {
    let found = GRAMMAR.captures(placeholder)?;
    let whole = found.get(0)?;
    (whole.as_str() == placeholder).then(|| found.get(1).map(|kind| kind.as_str()))?
}

/// The mark of a conversation's current session.
pub fn mark_of(conversation: &Conversation) -> String {
    mark_in(conversation, conversation.state.session)
}

/// The mark of one of a conversation's sessions.
pub fn mark_in(conversation: &Conversation, session: u32) -> String {
    match session {
        0 => conversation.nonce.clone(),
        session => {
            let mut mark = stable_id(&[&conversation.nonce, &session.to_string()]);
            mark.truncate(4);
            mark
        }
    }
}

/// A customer's text with everything that looks like a placeholder taken out,
/// so that nobody can forge one. Compatibility forms (full-width brackets and
/// letters) count as what they look like.
pub fn without_forged_placeholders(text: &str) -> Cow<'_, str> {
    let plain: String = text.nfkc().collect();
    if !GRAMMAR.is_match(&plain) {
        return Cow::Borrowed(text);
    }
    if GRAMMAR.is_match(text) {
        let cleaned = GRAMMAR.replace_all(text, FORGED).into_owned();
        return Cow::Owned(without_forged_placeholders(&cleaned).into_owned());
    }
    Cow::Owned(GRAMMAR.replace_all(&plain, FORGED).into_owned())
}
