//! Messages with content that people look after: what the customer is told at once, who
//! is asked, and what is kept of it. None of the customer's words is repeated anywhere.

use postern_domain::{AuditKind, Severity, TicketEventKind, Timestamp};
use postern_policy::{
    personal::Finding,
    restricted::{Category, Restricted, Tools},
};
use postern_store::StoreError;
use serde::{Deserialize, Serialize};

use super::{
    answer::{Told, answer},
    plan::{self, Action, Plan},
    texts,
};
use crate::{
    app::App,
    ledger::{Ledger, Wish},
    understand,
};

/// What is done about a message with restricted content, as it was decided with the
/// turn's plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concern {
    /// What was found, the gravest first.
    pub found: Vec<Found>,
    /// Whether no tool is called.
    pub stops: bool,
    /// How soon a person should look.
    pub severity: Severity,
    /// The queue of those who look after it, if it is not that of escalations.
    pub queue: Option<String>,
    /// What the customer is told at once.
    pub text: String,
}

/// A category that a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its name.
    pub category: String,
    /// How sure that is, in percent.
    pub confidence: u8,
}

impl Concern {
    /// What follows from a message and the personal data in it, if anything does.
    /// `language` is that of the conversation.
    pub(super) fn of(
        restricted: &Restricted,
        text: &str,
        findings: &[Finding],
        language: &str,
    ) -> Option<Self> {
        let mut hits = restricted.find(text, findings);
        hits.sort_by_key(|hit| gravity(hit.category));
        let gravest = hits.first()?.category;
        let categories: Vec<Category> = hits.iter().map(|hit| hit.category).collect();
        let language = Language::of(text, language);
        let found = |hit: &postern_policy::restricted::Hit| Found {
            category: restricted.name(hit.category).to_owned(),
            confidence: hit.confidence,
        };
        let team = |category: &Category| restricted.rule(*category)?.team.clone();
        Some(Self {
            found: hits.iter().map(found).collect(),
            stops: categories.iter().any(|it| restricted.tools(*it) == Tools::Stop),
            severity: severity(gravest),
            queue: categories.iter().find_map(team),
            text: said(restricted, &categories, &language),
        })
    }

    /// The reason under which people are asked: `restricted: self_harm, health`.
    fn reason(&self) -> String {
        let names: Vec<&str> = self.found.iter().map(|it| it.category.as_str()).collect();
        format!("restricted: {}", names.join(", "))
    }

    /// What the turn's explanation says of it.
    pub(super) fn line(&self) -> String {
        let named = |it: &Found| format!("{} ({} %)", it.category, it.confidence);
        let names: Vec<String> = self.found.iter().map(named).collect();
        let tools = if self.stops { "no tool is called" } else { "tools are called as ever" };
        format!("restricted content: {}; {tools}", names.join(", "))
    }

    /// Why a person was asked at once, as a stage says it.
    pub(super) fn why(&self) -> String {
        format!("{} ({})", self.reason(), self.severity.as_str())
    }

    /// The ticket's subject if nothing else gives it one.
    fn subject(&self) -> String {
        self.found.first().map_or_else(String::new, |it| plan::label(&it.category))
    }
}

impl Plan {
    /// The plan for a message with this content. Whoever wrote it is told what the content
    /// needs; where tools stop, nothing else comes of the message.
    pub(super) fn under(self, concern: Option<Concern>) -> Self {
        let Some(concern) = concern else { return self };
        // On its own, what was sent is nothing that could be understood.
        let is_all = match &self.action {
            Action::Say { .. } | Action::Escalate { .. } => self.understanding.intent().is_none(),
            Action::Call { .. }
            | Action::Ask { .. }
            | Action::Decide { .. }
            | Action::Refuse { .. } => false,
        };
        let (action, subject) = match concern.stops || is_all {
            true => {
                let silent = Action::Escalate { reason: concern.reason(), text: String::new() };
                (silent, Some(concern.subject()))
            }
            false => (self.action, self.subject),
        };
        Self { action, subject, restricted: Some(concern), ..self }
    }

    /// How soon a person should look, if the plan asks for one.
    pub(super) fn severity(&self) -> Severity {
        self.restricted.as_ref().map_or(Severity::Normal, |concern| concern.severity)
    }
}

/// Hands the conversation over before anything else is done: the ticket names the
/// categories, and the customer is told.
///
/// # Errors
/// The store fails.
pub(super) async fn hand_over(
    app: &App,
    ledger: &mut Ledger,
    concern: &Concern,
    now: Timestamp,
) -> Result<(), StoreError> {
    let wish = Wish {
        reason: concern.reason(),
        priority: concern.severity.priority(),
        queue: concern.queue.clone().unwrap_or_else(|| app.config.pipeline.queue.clone()),
    };
    ledger.escalate("restricted", &concern.subject(), wish, "host", now);
    for found in &concern.found {
        app.metrics.restricted(&found.category);
        // The ticket takes events: it was escalated just now.
        let tag = found.category.clone();
        let _taken = ledger.ticket_event(TicketEventKind::Tagged { tag }, "host", now);
    }
    ledger.audit_host(now, AuditKind::Turn, "turn:restricted", concern.line());
    // Nothing of it is a skill's, so it is not withheld.
    answer(app, ledger, Told { text: &concern.text, by_skills: "" }, "restricted", now).await?;
    Ok(())
}

/// The order in which categories decide what is said and how soon a person looks.
const fn gravity(category: Category) -> u8 {
    match category {
        Category::SelfHarm => 0,
        Category::Minors => 1,
        Category::Health => 2,
        Category::LegalThreat => 3,
        Category::Custom(_) => 4,
        Category::PaymentCard => 5,
        Category::IdDocument => 6,
    }
}

const fn severity(category: Category) -> Severity {
    match category {
        Category::SelfHarm => Severity::Critical,
        Category::Minors | Category::Health | Category::LegalThreat => Severity::High,
        Category::Custom(_) | Category::PaymentCard | Category::IdDocument => Severity::Normal,
    }
}

/// In which languages a customer can be answered, the best first.
struct Language<'l> {
    chinese: bool,
    own: &'l str,
}

impl<'l> Language<'l> {
    /// That of the message counts, as far as it can be told.
    fn of(text: &str, conversation: &'l str) -> Self {
        let own = conversation.split(['-', '_']).next().unwrap_or_default();
        Self { chinese: understand::language(text) == "zh", own }
    }

    /// The text of an operator that fits best.
    fn best<'t>(&self, texts: &'t std::collections::BTreeMap<String, String>) -> Option<&'t str> {
        let order = match self.chinese {
            true => ["zh", self.own, "en"],
            // Only Chinese is told by its letters.
            false if self.own == "zh" => ["en", "en", "zh"],
            false => [self.own, "en", "zh"],
        };
        order.iter().find_map(|language| texts.get(*language)).map(String::as_str)
    }

    fn host<'t>(&self, [english, chinese]: [&'t str; 2]) -> &'t str {
        if self.chinese { chinese } else { english }
    }
}

/// What the customer is told: the operator's words or the host's for each category, where
/// help is to be had at once, and that a person takes over.
fn said(restricted: &Restricted, categories: &[Category], language: &Language<'_>) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut closes = true;
    for category in categories {
        let rule = restricted.rule(*category);
        let part = match rule.and_then(|rule| language.best(&rule.answer)) {
            Some(own) => {
                closes = false;
                own
            }
            None => language.host(texts::restricted(*category)),
        };
        let emergency = rule.and_then(|rule| language.best(&rule.emergency));
        for part in [Some(part), emergency].into_iter().flatten() {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
    }
    if closes {
        parts.push(language.host(texts::PERSON_TAKES_OVER));
    }
    parts.join(if language.chinese { "" } else { " " })
}

#[cfg(test)]
mod tests {
    use postern_policy::personal::{Detector, Purpose};

    use super::*;

    fn concern(rules: &str, text: &str, language: &str) -> Option<Concern> {
        let restricted = Restricted::new(&toml::from_str(rules).unwrap()).unwrap();
        let findings = Detector::standard().find_for(text, Purpose::Placeholders);
        Concern::of(&restricted, text, &findings, language)
    }

    #[test]
    fn an_ordinary_message_needs_nothing() {
        assert_eq!(concern("", "where is my order?", "en"), None);
    }

    #[test]
    fn the_gravest_decides_and_nothing_is_repeated() {
        let text = "charge 4242 4242 4242 4242, my lawyer says, or I will kill myself";
        let concern = concern("", text, "en").unwrap();
        assert_eq!(concern.reason(), "restricted: self_harm, legal_threat, payment_card");
        assert_eq!(concern.severity, Severity::Critical);
        assert!(concern.stops);
        let kept = serde_json::to_string(&concern).unwrap();
        for word in ["4242", "lawyer", "kill"] {
            assert!(!kept.contains(word), "{kept}");
        }
        assert!(concern.text.contains("card numbers"), "{}", concern.text);
        assert!(concern.text.ends_with(texts::PERSON_TAKES_OVER[0]), "{}", concern.text);
    }

    #[test]
    fn a_card_leaves_the_request_to_the_tools() {
        let concern = concern("", "cvv 123, where is my order?", "en").unwrap();
        assert!(!concern.stops);
        assert_eq!(
            concern.line(),
            "restricted content: payment_card (80 %); tools are called as ever"
        );
        let careful =
            super::tests::concern("[payment_card]\ntools = \"stop\"", "cvv 123", "en").unwrap();
        assert!(careful.stops);
    }

    #[test]
    fn the_operators_words_in_the_customers_language() {
        let rules = r#"
            [self_harm]
            team = "crisis"
            emergency = { en = "Call 000.", zh = "请拨打000。", de = "Bitte 000 anrufen." }
            [health]
            answer = { en = "Our nurse answers.", de = "Unsere Pflege antwortet." }
        "#;
        let text = |message: &str, language: &str| concern(rules, message, language).unwrap().text;
        let care = text("我不想活了", "en");
        assert!(
            care.contains("请拨打000。") && care.ends_with(texts::PERSON_TAKES_OVER[1]),
            "{care}"
        );
        assert!(text("I want to die", "zh-CN").contains("Call 000."));
        assert!(text("I want to die", "de").contains("Bitte 000 anrufen."));
        assert_eq!(text("I am diabetic", "en"), "Our nurse answers.");
        assert_eq!(text("I am diabetic", "de-AT"), "Unsere Pflege antwortet.");
        assert_eq!(concern(rules, "I want to die", "en").unwrap().queue.as_deref(), Some("crisis"));
    }
}
