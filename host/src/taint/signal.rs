//! What makes a text look hostile, in words for people.

use std::sync::LazyLock;

use super::concepts::{Concept, Concepts, Meaning};

/// Something hostile in a text. The sentence of each is fixed, so that it can
/// be shown and recorded without a word of the customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Tells the reader to ignore or replace its instructions.
    Override,
    /// Gives the reader another role, or one without rules.
    Role,
    /// Claims to be somebody whose word counts, or that somebody agreed.
    Authority,
    /// Asks for instructions, passwords, keys or how checks work.
    Secrets,
    /// Asks for data of other people, or to send data elsewhere.
    Exfiltration,
    /// Contains a command, a query or a call of a tool.
    Command,
    /// Contains the marks by which a model tells who speaks.
    Markup,
    /// Addresses the machine that reads, not the people.
    Reader,
    /// Dictates what the answer has to say.
    Dictation,
    /// Contains text in an encoding that has to be undone to be read.
    Encoded,
    /// Contains text that people do not see.
    Invisible,
    /// Writes words so that people read them and machines do not.
    Disguised,
    /// Resembles known attacks without a single sign.
    Resemblance,
}

impl Signal {
    /// All signals, in their order.
    pub const ALL: [Self; 13] = [
        Self::Override,
        Self::Role,
        Self::Authority,
        Self::Secrets,
        Self::Exfiltration,
        Self::Command,
        Self::Markup,
        Self::Reader,
        Self::Dictation,
        Self::Encoded,
        Self::Invisible,
        Self::Disguised,
        Self::Resemblance,
    ];

    /// What people read.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Override => "It tells the reader to ignore or replace its instructions.",
            Self::Role => "It gives the reader another role, or one without rules.",
            Self::Authority => "It claims an authority, or that somebody agreed already.",
            Self::Secrets => "It asks for instructions, secrets or how checks work.",
            Self::Exfiltration => "It asks for other people's data, or to send data elsewhere.",
            Self::Command => "It contains a command, a query or a call of a tool.",
            Self::Markup => "It contains marks by which a model tells who speaks.",
            Self::Reader => "It addresses the machine that reads it, not people.",
            Self::Dictation => "It dictates what the answer has to say.",
            Self::Encoded => "It contains text in an encoding that was undone to read it.",
            Self::Invisible => "It contains characters that people do not see.",
            Self::Disguised => "It writes words so that people read them and machines do not.",
            Self::Resemblance => "It resembles known attacks as a whole.",
        }
    }

    /// The name in output for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Role => "role",
            Self::Authority => "authority",
            Self::Secrets => "secrets",
            Self::Exfiltration => "exfiltration",
            Self::Command => "command",
            Self::Markup => "markup",
            Self::Reader => "reader",
            Self::Dictation => "dictation",
            Self::Encoded => "encoded",
            Self::Invisible => "invisible",
            Self::Disguised => "disguised",
            Self::Resemblance => "resemblance",
        }
    }
}

/// What speaks for each signal: two concepts of which the second comes soon
/// after the first, or one alone.
const SIGNS: [(Signal, &[(&str, &str)]); 9] = [
    (
        Signal::Override,
        &[
            ("ignore", "rules"),
            ("rules", "ignore"),
            ("ignore", "previous"),
            ("previous", "ignore"),
            ("ignore", "prompt"),
            ("unrestricted", "rules"),
        ],
    ),
    (Signal::Role, &[("role", ""), ("unrestricted", ""), ("mode", "")]),
    (
        Signal::Authority,
        &[
            ("authority", "approve"),
            ("authority", "reveal"),
            ("authority", "secret"),
            ("authority", "money"),
            ("authority", "verify"),
            ("approve", "verify"),
            ("unrestricted", "verify"),
        ],
    ),
    (
        Signal::Secrets,
        &[
            ("reveal", "prompt"),
            ("prompt", "reveal"),
            ("reveal", "secret"),
            ("secret", "reveal"),
            ("reveal", "password"),
            ("password", "reveal"),
            ("yours", "password"),
        ],
    ),
    (
        Signal::Exfiltration,
        &[
            ("others", "data"),
            ("data", "others"),
            ("reveal", "others"),
            ("others", "reveal"),
            ("send", "others"),
            ("send", "data"),
            ("data", "send"),
        ],
    ),
    (
        Signal::Command,
        &[("command", "tool"), ("tool", "command"), ("command", "data"), ("command", "others")],
    ),
    (Signal::Markup, &[("template", ""), ("markup", "")]),
    (Signal::Reader, &[("reader", "")]),
    (Signal::Dictation, &[("dictate", "")]),
];

/// The signals that concepts make.
pub(super) fn signals(meaning: &Meaning) -> impl Iterator<Item = Signal> {
    type Signs = Vec<(Signal, Concept, Option<Concept>)>;
    static KNOWN: LazyLock<Signs> = LazyLock::new(|| {
        let concept = |name: &str| Concepts::get().named(name);
        SIGNS
            .iter()
            .flat_map(|(signal, signs)| signs.iter().map(move |sign| (*signal, *sign)))
            .filter_map(|(signal, (first, second))| {
                Some((signal, concept(first)?, concept(second)))
            })
            .collect()
    });
    KNOWN.iter().filter_map(|(signal, first, second)| {
        let seen = match second {
            Some(second) => meaning.pairs.contains(&(*first, *second)),
            None => meaning.single.contains(first),
        };
        seen.then_some(*signal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_made_of_concepts_that_are_known() {
        for (signal, signs) in SIGNS {
            for (first, second) in signs {
                assert!(Concepts::get().named(first).is_some(), "{signal:?}: {first}");
                let known = second.is_empty() || Concepts::get().named(second).is_some();
                assert!(known, "{signal:?}: {second}");
            }
        }
    }

    #[test]
    fn names_and_sentences_differ() {
        for (i, signal) in Signal::ALL.iter().enumerate() {
            for other in &Signal::ALL[..i] {
                assert!(other < signal);
                assert_ne!(other.as_str(), signal.as_str());
                assert_ne!(other.sentence(), signal.sentence());
            }
        }
    }
}
