//! What makes a text look hostile, in words for people.

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

/// Marks of roles in the text as it stands.
pub(super) fn of_markup(text: &str) -> Vec<Signal> {
    if text.contains("<|im_start|>") { vec![Signal::Markup] } else { Vec::new() }
}
