//! How an outcome and a failure are told, to audit and to people.

use postern_domain::{LogLevel, LogLine, Outcome, SkillFailure};

use crate::{effects, privacy::Hider, redaction};

/// The longest failure that people are told, in characters.
const FAILURE_CHARACTERS: usize = 200;

/// An outcome with placeholders for the values that the skill has written itself, or
/// knew from elsewhere: what is kept of it, and what people see, has none.
pub(super) fn in_placeholders(outcome: Outcome, hider: &mut Hider<'_>) -> Outcome {
    let mut hidden = |text: String| hider.text(&text).unwrap_or(text);
    match outcome {
        Outcome::Reply { text } => Outcome::Reply { text: hidden(text) },
        Outcome::Ask { entity, text } => {
            let entity = redaction::clean(&entity).into_owned();
            Outcome::Ask { entity, text: hidden(text) }
        }
        Outcome::HandOver { reason, severity, text } => {
            let reason = redaction::clean(&reason).into_owned();
            Outcome::HandOver { reason, severity, text: hidden(text) }
        }
        Outcome::Done => Outcome::Done,
    }
}

/// An outcome in audit and in the line about a stage.
pub(super) fn name_of(result: &Result<Outcome, SkillFailure>) -> String {
    match result {
        Ok(Outcome::Reply { .. }) => "reply".to_owned(),
        Ok(Outcome::Ask { entity, .. }) => format!("ask {entity}"),
        Ok(Outcome::HandOver { reason, .. }) => format!("hand over: {reason}"),
        Ok(Outcome::Done) => "done".to_owned(),
        Err(failure) => kind_of(failure),
    }
}

/// A failure without what the skill said about it: nobody knows what a skill puts
/// into its words. Limits and traps are the host's own.
pub(super) fn kind_of(failure: &SkillFailure) -> String {
    match failure {
        SkillFailure::Limit { .. } | SkillFailure::Trap { .. } => failure.to_string(),
        SkillFailure::InvalidArguments { .. }
        | SkillFailure::Denied { .. }
        | SkillFailure::Unavailable { .. }
        | SkillFailure::Internal { .. } => format!("failed: {}", failure.code()),
    }
}

/// A failure for the person who looks after it, with everything personal masked.
pub(in crate::pipeline) fn told(failure: &SkillFailure) -> String {
    let line = LogLine { level: LogLevel::Error, message: failure.to_string(), fields: vec![] };
    effects::masked(&line).message.chars().take(FAILURE_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use postern_policy::personal::Detector;

    use super::*;
    use crate::privacy::Vault;

    fn check(failure: SkillFailure, audited: &str, wanted: &str) {
        assert_eq!(told(&failure), wanted);
        assert_eq!(name_of(&Err(failure)), audited);
    }

    #[test]
    fn what_a_skill_has_written_itself_is_kept_in_placeholders() {
        let mut vault = Vault::new("k3f9", vec![]);
        let detector = Detector::standard();
        let said = "We wrote to <EMAIL_1.k3f9> and jane.doe@example.com.";
        let outcome = Outcome::Reply { text: said.to_owned() };
        let kept = in_placeholders(outcome, &mut Hider::new(&detector, &mut vault));
        let Outcome::Reply { text } = &kept else { panic!("{kept:?}") };
        assert!(!text.contains("jane") && text.contains("<EMAIL_1.k3f9>"), "{text}");
        assert!(vault.restore(text).contains("jane.doe@example.com"), "the customer is told");
        let ask = Outcome::Ask { entity: "jane.doe@example.com".to_owned(), text: String::new() };
        let asked = in_placeholders(ask, &mut Hider::new(&detector, &mut vault));
        assert_eq!(name_of(&Ok(asked)), "ask [EMAIL]", "what it asks for is told everywhere");
        let again = in_placeholders(kept.clone(), &mut Hider::new(&detector, &mut vault));
        assert_eq!(again, kept);
    }

    #[test]
    fn words_of_a_skill_are_not_in_audit_and_masked_elsewhere() {
        let personal = || "write to jane.doe@example.com".to_owned();
        check(
            SkillFailure::Internal { message: personal() },
            "failed: internal",
            "the skill failed: write to [EMAIL]",
        );
        check(
            SkillFailure::Denied { message: personal() },
            "failed: denied",
            "refused: write to [EMAIL]",
        );
        let long = SkillFailure::Unavailable { message: "é".repeat(1_000) };
        assert_eq!(told(&long).chars().count(), FAILURE_CHARACTERS);
    }

    #[test]
    fn what_the_host_says_is_told_in_full() {
        let limit = SkillFailure::Limit {
            skill: None,
            limit: "cpu_time".to_owned(),
            value: "20 ms".to_owned(),
        };
        let text = "limit cpu_time of 20 ms reached";
        check(limit, text, text);
        let trap = SkillFailure::Trap { message: "wasm trap: unreachable".to_owned() };
        check(trap, "trapped: wasm trap: unreachable", "trapped: wasm trap: unreachable");
    }
}
