//! Ingest and classify: from a customer's raw words to a text in placeholders
//! and its meaning.

use std::ops::Range;

use postern_domain::{Conversation, InboundKind, InboundMessage};

use crate::{
    brain::{Brain, Mention, Understanding},
    privacy::{Vault, without_forged_placeholders},
    understand,
};

/// What was read.
pub(super) struct Read {
    /// The text in placeholders.
    pub(super) text: String,
    /// What it means.
    pub(super) understanding: Understanding,
}

/// Reads a message. From here on nothing but the vault knows personal values.
pub(super) fn read(
    brain: &Brain,
    vault: &mut Vault,
    conversation: &Conversation,
    message: &InboundMessage,
) -> Read {
    if message.kind == InboundKind::Unsupported {
        let understanding =
            Understanding { ranked: vec![], in_scope: false, entities: vec![] };
        return Read { text: "(not a text)".to_owned(), understanding };
    }
    let text = without_forged_placeholders(&message.text);
    let (ranked, in_scope) = brain.classify(&text);
    let mut spans: Vec<(Range<usize>, &str)> = understand::personal_spans(&text)
        .into_iter()
        .map(|span| (span.start..span.end, span.kind.as_str()))
        .collect();
    let mut entities = Vec::new();
    for found in brain.extract(&text) {
        let declared_by = found.declared_by().to_vec();
        let value = match found.name.as_str() {
            "email" => vault.placeholder("EMAIL", &found.value),
            _ => found.value,
        };
        entities.push(Mention { name: found.name, value, declared_by });
    }
    // Names and postcodes look like anything else, so they are looked for only
    // in an answer to the question for them.
    let asked = conversation.state.awaiting.as_ref().is_some_and(|a| a.entity == "email");
    if let (true, Some(details)) = (asked, understand::extract_details(&text)) {
        for (name, kind, part) in [
            ("first_name", "FIRST_NAME", details.first_name),
            ("last_name", "LAST_NAME", details.last_name),
            ("postcode", "POSTCODE", details.postcode),
        ] {
            if let Some(part) = part {
                entities.push(Mention {
                    name: name.to_owned(),
                    value: vault.placeholder(kind, &part.value),
                    declared_by: vec![],
                });
                spans.push((part.start..part.end, kind));
            }
        }
    }
    spans.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut end = 0;
    spans.retain(|(span, _)| {
        let free = span.start >= end;
        if free {
            end = span.end;
        }
        free
    });
    let text = vault.replace_spans(&text, &spans);
    Read { text, understanding: Understanding { ranked, in_scope, entities } }
}
