//! Ingest and classify: from a customer's raw words to a text in placeholders
//! and its meaning.

use std::ops::Range;

use postern_domain::{Conversation, InboundKind, InboundMessage};
use postern_policy::{
    personal::{Detector, Finding, Purpose},
    restricted::{Restricted, announced_documents, without_codes},
};

use super::restricted::Concern;
use crate::{
    brain::{Brain, Mention, Understanding},
    privacy::{Vault, without_forged_placeholders},
    redaction::{self, Found, Hidden},
    understand,
};

/// A part of a message that becomes a placeholder, what it is, and what it says if it is
/// encoded.
type Span<'d> = (Range<usize>, &'d str, Option<String>);

/// What was read.
pub(super) struct Read {
    /// The text in placeholders.
    pub(super) text: String,
    /// What it means.
    pub(super) understanding: Understanding,
    /// What its restricted content asks for, if it has any.
    pub(super) restricted: Option<Concern>,
}

/// Reads a message. From here on nothing but the vault knows personal values.
pub(super) fn read(
    brain: &Brain,
    (detector, restricted): (&Detector, &Restricted),
    vault: &mut Vault,
    conversation: &Conversation,
    message: &InboundMessage,
) -> Read {
    if message.kind == InboundKind::Unsupported {
        let understanding = Understanding { ranked: vec![], in_scope: false, entities: vec![] };
        let text = "(not a text)".to_owned();
        return Read { text, understanding, restricted: None };
    }
    let said = without_forged_placeholders(&message.text);
    let text = without_codes(&said);
    let text = detector.strike(&text);
    let (ranked, in_scope) = brain.classify(&text);
    let found = redaction::find_values(&text, detector, Purpose::Placeholders);
    let sent = redaction::find(&said, detector, Purpose::Placeholders);
    let restricted = Concern::of(restricted, &said, &sent, &conversation.language);
    let findings: Vec<Finding> = found.iter().map(|found| found.finding.clone()).collect();
    let documents = announced_documents(&text, &findings);
    let mut spans: Vec<Span<'_>> = found
        .into_iter()
        .map(|Found { finding, hidden }| {
            let decoded = match <[Hidden; 1]>::try_from(hidden) {
                Ok([only]) if only.is_all => Some(only.value),
                Ok(_) | Err(_) => None,
            };
            (finding.span, detector.name(finding.kind), decoded)
        })
        .collect();
    spans.extend(documents.into_iter().map(|span| (span, "ID_DOCUMENT", None)));
    // Names and postcodes look like anything else, so they are looked for only
    // in an answer to the question for them.
    let mut told = Vec::new();
    let asked = conversation.state.awaiting.as_ref().is_some_and(|a| a.entity == "email");
    if let (true, Some(details)) = (asked, understand::extract_details(&text)) {
        for (name, kind, part) in [
            ("first_name", "FIRST_NAME", details.first_name),
            ("last_name", "LAST_NAME", details.last_name),
            ("postcode", "POSTCODE", details.postcode),
        ] {
            if let Some(part) = part {
                told.push(Mention {
                    name: name.to_owned(),
                    value: vault.placeholder(kind, &part.value),
                    declared_by: vec![],
                });
                spans.push((part.start..part.end, kind, None));
            }
        }
    }
    let mut entities = Vec::new();
    for found in brain.extract(&text) {
        let declared_by = found.declared_by().to_vec();
        // A skill's own pattern does not make a personal value less personal.
        let personal = spans
            .iter()
            .find(|(span, ..)| span.start < found.end && found.start < span.end)
            .filter(|_| !declared_by.is_empty());
        let value = match (found.name.as_str(), personal) {
            ("email", _) => vault.placeholder("EMAIL", &found.value),
            (_, Some((_, kind, _))) => vault.placeholder(kind, &found.value),
            (_, None) => found.value,
        };
        entities.push(Mention { name: found.name, value, declared_by });
    }
    entities.append(&mut told);
    spans.sort_by_key(|(span, ..)| (span.start, std::cmp::Reverse(span.end)));
    let mut end = 0;
    spans.retain(|(span, ..)| {
        let free = span.start >= end;
        if free {
            end = span.end;
        }
        free
    });
    let text = vault.replace_spans(&text, &spans);
    Read { text, understanding: Understanding { ranked, in_scope, entities }, restricted }
}

#[cfg(test)]
mod tests {
    use postern_domain::{Channel, ConversationState, Customer, Timestamp};
    use postern_policy::{PolicySource, personal::PrivacyRules};

    use super::*;
    use crate::registry::parse_manifest;

    fn said(text: &str) -> (InboundMessage, Conversation) {
        let message = InboundMessage {
            channel: Channel::Web,
            account: "main".into(),
            dedupe_key: "1".into(),
            chat: "c".into(),
            sender: "c".into(),
            external_id: "1".into(),
            private: true,
            kind: InboundKind::Text,
            text: text.into(),
            language: None,
            received_at: Timestamp::from_millis(1),
        };
        let conversation = Conversation {
            id: message.conversation_id(),
            channel: message.channel,
            account: message.account.clone(),
            chat: message.chat.clone(),
            sender: message.sender.clone(),
            private: true,
            nonce: "k3f9".into(),
            language: "en".into(),
            customer: Customer::default(),
            state: ConversationState::default(),
            ticket: None,
            created_at: Timestamp::from_millis(1),
        };
        (message, conversation)
    }

    #[test]
    fn a_skills_own_pattern_does_not_get_at_personal_values() {
        let manifest = include_str!("../../../skills/refund-check/skill.toml");
        let mut manifest = parse_manifest("skill.toml", manifest).unwrap();
        manifest.entities[0].pattern = r"\+?[0-9 ]{10,}".to_owned();
        manifest.entities[0].normal = "$0".to_owned();
        let brain = Brain::learn(&[&manifest]).unwrap();
        let (message, conversation) = said("please call me at +44 20 7946 0018 thanks");
        let mut vault = Vault::new("k3f9", vec![]);
        let (detector, restricted) = (Detector::standard(), Restricted::standard());
        let finders = (&*detector, &*restricted);
        let read = read(&brain, finders, &mut vault, &conversation, &message);
        assert!(!read.text.contains("7946"), "{}", read.text);
        let [mention] = &read.understanding.entities[..] else { panic!("one mention") };
        assert!(vault.resolve(&mention.value).is_some(), "the number is shown: {}", mention.value);
    }

    #[test]
    fn an_encoded_value_is_kept_as_what_it_says() {
        let (message, conversation) = said("my mail is ann%40shop.example please");
        let mut vault = Vault::new("k3f9", vec![]);
        let (detector, restricted) = (Detector::standard(), Restricted::standard());
        let finders = (&*detector, &*restricted);
        let brain = Brain::learn(&[]).unwrap();
        let read = read(&brain, finders, &mut vault, &conversation, &message);
        assert_eq!(read.text, "my mail is <EMAIL_1.k3f9> please");
        assert_eq!(vault.resolve("<EMAIL_1.k3f9>").unwrap().value, "ann@shop.example");
    }

    #[test]
    fn an_encoded_card_gets_a_person_like_any_other() {
        let (message, conversation) = said("take NDExMSAxMTExIDExMTEgMTExMQ== for it");
        let mut vault = Vault::new("k3f9", vec![]);
        let (detector, restricted) = (Detector::standard(), Restricted::standard());
        let finders = (&*detector, &*restricted);
        let brain = Brain::learn(&[]).unwrap();
        let read = read(&brain, finders, &mut vault, &conversation, &message);
        assert_eq!(read.text, "take <CARD_1.k3f9> for it");
        let found = read.restricted.unwrap().found;
        assert_eq!(found.first().unwrap().category, "payment_card");
    }

    #[test]
    fn a_document_that_only_words_tell_gets_a_placeholder() {
        let text = "cvv 482, my national insurance number is QQ 12 34 56 C, ann@example.com";
        let (message, conversation) = said(text);
        let mut vault = Vault::new("k3f9", vec![]);
        let (detector, restricted) = (Detector::standard(), Restricted::standard());
        let finders = (&*detector, &*restricted);
        let brain = Brain::learn(&[]).unwrap();
        let read = read(&brain, finders, &mut vault, &conversation, &message);
        assert_eq!(
            read.text,
            "cvv [CARD_CODE], my national insurance number is <ID_DOCUMENT_1.k3f9>, <EMAIL_1.k3f9>"
        );
        let names: Vec<String> =
            read.restricted.unwrap().found.into_iter().map(|it| it.category).collect();
        assert_eq!(names, ["payment_card", "id_document"]);
    }

    #[test]
    fn what_an_operator_wants_out_for_good_gets_no_placeholder() {
        let file = "privacy.toml".to_owned();
        let text = "[[deny]]\ntype = \"PROJECT\"\nwords = [\"Bluebird\"]\naction = \"redact\"";
        let rules = PrivacyRules::read(&PolicySource { file, text: text.to_owned() }).unwrap();
        let (message, conversation) = said("about bluebird, write to ann@example.com");
        let mut vault = Vault::new("k3f9", vec![]);
        let (detector, restricted) = (Detector::new(&rules), Restricted::standard());
        let finders = (&detector, &*restricted);
        let brain = Brain::learn(&[]).unwrap();
        let read = read(&brain, finders, &mut vault, &conversation, &message);
        assert_eq!(read.text, "about [PROJECT], write to <EMAIL_1.k3f9>");
    }
}
