//! The versioned JSON in which our own types are kept.

use std::borrow::Cow;

use postern_domain::{
    Approval, AuditEntry, CallRecord, Checkpoint, ConversationState, InboundMessage, Outcome,
    SkillFailure, TicketEventKind,
};
use serde::{Deserialize, Serialize};

/// A type that is kept as JSON. What was written by an older version of Postern
/// stays readable: a new shape becomes a new variant of the type's form.
pub(crate) trait Form: Sized {
    /// The newest form.
    fn to_form(&self) -> String;
    /// The value, whichever version its form has.
    fn from_form(json: &str) -> Result<Self, Unreadable>;
}

/// Why a JSON text could not be read. The parser's own message is left out: it
/// may quote the text, and with it personal data.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the JSON is {problem} at line {line} column {column}")]
pub(crate) struct Unreadable {
    problem: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let problem = match error.classify() {
            Category::Syntax => "malformed",
            Category::Eof => "cut off",
            Category::Data => "of another shape",
            Category::Io => "not readable",
        };
        Self { problem, line: error.line(), column: error.column() }
    }
}

macro_rules! forms {
    ($($form:ident: $type:ty;)*) => {$(
        #[derive(Serialize, Deserialize)]
        #[serde(tag = "v", content = "body")]
        enum $form<'a> {
            #[serde(rename = "1")]
            V1(Cow<'a, $type>),
        }

        impl Form for $type {
            fn to_form(&self) -> String {
                write(&$form::V1(Cow::Borrowed(self)))
            }

            fn from_form(json: &str) -> Result<Self, Unreadable> {
                match serde_json::from_str(json)? {
                    $form::V1(value) => Ok(value.into_owned()),
                }
            }
        }
    )*};
}

forms! {
    InboundForm: InboundMessage;
    StateForm: ConversationState;
    CallForm: CallRecord;
    ResultForm: Result<Outcome, SkillFailure>;
    TicketEventForm: TicketEventKind;
    AuditForm: AuditEntry;
    CheckpointForm: Checkpoint;
    ApprovalForm: Approval;
}

/// JSON of a value that is JSON by nature or of a list of texts.
pub(crate) fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("our types serialize to JSON")
}

#[cfg(test)]
mod tests {
    use postern_domain::Timestamp;

    use super::*;

    fn check<T: Form + PartialEq + std::fmt::Debug>(value: &T) {
        let json = value.to_form();
        assert!(json.starts_with(r#"{"v":"1","body":"#), "{json}");
        assert_eq!(T::from_form(&json).as_ref(), Ok(value));
    }

    #[test]
    fn forms_round_trip() {
        check(&ConversationState { last_active: Timestamp::from_millis(7), ..Default::default() });
        check(&Ok::<_, SkillFailure>(Outcome::Done));
        check(&Ok::<_, SkillFailure>(Outcome::Reply { text: "yes".into() }));
        check(&Err::<Outcome, _>(SkillFailure::Trap { message: "unreachable".into() }));
        check(&TicketEventKind::Tagged { tag: "refund".into() });
        check(&TicketEventKind::Opened);
    }

    #[test]
    fn an_unreadable_form_is_described_without_its_content() {
        for json in [
            r#"{"v":"1","body":{"event":"anna@example.com"}}"#,
            r#"{"v":"9","body":{"event":"anna@example.com"}}"#,
            r#"{"v":"1","body":anna@example.com"#,
            r#"{"v":"1","body":"anna@example.com"#,
        ] {
            let error = TicketEventKind::from_form(json).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("anna"), "{error}");
        }
    }
}
