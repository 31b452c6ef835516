//! Content that people look after: payment cards and identity documents that were sent,
//! health, threats of legal steps, self-harm, minors.
//!
//! What was sent as a value follows from the [`Finding`]s of the detector; the rest is
//! told by wordings in English and Chinese on a copy in which spellings are one (see
//! [`canonical`]). An operator's section of `privacy.toml` adds to each category, or
//! names one of its own. A hit never holds any of the text.

mod canonical;
mod category;
mod codes;
mod documents;
mod evaluate;
mod lexicon;
mod matcher;
mod rules;
mod traditional;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use self::matcher::Matcher;
pub use self::{
    canonical::canonical,
    category::Category,
    codes::without_codes,
    documents::announced_documents,
    evaluate::{Evaluation, NamedHit, Prediction, Row, Score, evaluate},
    rules::{RestrictedError, RestrictedRule, RestrictedRules, Tools},
};
use crate::personal::{DataKind, Finding};

/// How sure one wording makes, in percent.
const ONE_WORDING: u8 = 80;
/// How sure two wordings make.
const TWO_WORDINGS: u8 = 95;

/// A category that a text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which.
    pub category: Category,
    /// How sure that is, in percent.
    pub confidence: u8,
}

/// Finds restricted content. Linear in the length of the text, whatever it is.
#[derive(Debug)]
pub struct Restricted {
    sections: Vec<Section>,
}

/// A category as it is looked for and answered.
#[derive(Debug)]
struct Section {
    category: Category,
    name: String,
    matcher: Matcher,
    rule: RestrictedRule,
}

static STANDARD: LazyLock<Arc<Restricted>> = LazyLock::new(|| {
    let rules = RestrictedRules::default();
    Arc::new(Restricted::new(&rules).expect("the wordings that come with Postern are tested"))
});

impl Restricted {
    /// The categories that come with Postern, without an operator's sections.
    pub fn standard() -> Arc<Self> {
        Arc::clone(&STANDARD)
    }

    /// The categories under an operator's sections.
    ///
    /// # Errors
    /// Everything that is wrong with the sections.
    pub fn new(rules: &RestrictedRules) -> Result<Self, Vec<RestrictedError>> {
        let mut errors = Vec::new();
        let mut sections = Vec::new();
        for (category, name, rule) in rules.sections(&mut errors) {
            match Matcher::new(lexicon::of(category), &rule) {
                Ok(matcher) if rule.enabled => {
                    sections.push(Section { category, name, matcher, rule });
                }
                Ok(_) => {}
                Err(found) => errors.extend(found.into_iter().map(|error| error.of(&name))),
            }
        }
        if errors.is_empty() { Ok(Self { sections }) } else { Err(errors) }
    }

    /// The categories that a text belongs to, each once. `findings` are the personal data
    /// that were found in it.
    pub fn find(&self, text: &str, findings: &[Finding]) -> Vec<Hit> {
        let canonical = canonical(text);
        let hit = |section: &Section| {
            let value = value(text, findings, section.category);
            let told = match section.matcher.wordings(&canonical) {
                0 => None,
                1 => Some(ONE_WORDING),
                _ => Some(TWO_WORDINGS),
            };
            let confidence = value.max(told)?;
            Some(Hit { category: section.category, confidence })
        };
        self.sections.iter().filter_map(hit).collect()
    }

    /// The name of a category: `self_harm`.
    pub fn name(&self, category: Category) -> &str {
        self.section(category).map_or(category.as_str(), |section| section.name.as_str())
    }

    /// How an operator wants a category answered. None if it is not looked for.
    pub fn rule(&self, category: Category) -> Option<&RestrictedRule> {
        self.section(category).map(|section| &section.rule)
    }

    /// Whether tools are called for a message with content of this category.
    pub fn tools(&self, category: Category) -> Tools {
        let own = self.rule(category).and_then(|rule| rule.tools);
        own.unwrap_or(category.standard_tools())
    }

    /// The categories that are looked for, with their names.
    pub fn categories(&self) -> impl Iterator<Item = (Category, &str)> {
        self.sections.iter().map(|section| (section.category, section.name.as_str()))
    }

    fn section(&self, category: Category) -> Option<&Section> {
        self.sections.iter().find(|section| section.category == category)
    }
}

/// How sure it is that a value of this category was sent.
fn value(text: &str, findings: &[Finding], category: Category) -> Option<u8> {
    let found = findings
        .iter()
        .filter(|finding| category_of(finding.kind) == Some(category))
        .filter(|finding| finding.kind != DataKind::Card || documents::is_card(text, finding))
        .map(|finding| finding.confidence)
        .max();
    let told = !documents::told(text, category).is_empty()
        || (category == Category::PaymentCard && !codes::codes(text).is_empty());
    found.max(told.then_some(ONE_WORDING))
}

/// The category of a value that was sent. Words about it ("my passport was stolen") are
/// no such value.
fn category_of(kind: DataKind) -> Option<Category> {
    match kind {
        DataKind::Card => Some(Category::PaymentCard),
        DataKind::IdCard
        | DataKind::UsSsn
        | DataKind::UkNhs
        | DataKind::Passport
        | DataKind::DriverLicense => Some(Category::IdDocument),
        DataKind::Email
        | DataKind::Phone
        | DataKind::Iban
        | DataKind::BankAccount
        | DataKind::IpAddress
        | DataKind::MacAddress
        | DataKind::Url
        | DataKind::Crypto
        | DataKind::Secret
        | DataKind::DateTime
        | DataKind::BirthDate
        | DataKind::Name
        | DataKind::Address
        | DataKind::Custom(_) => None,
    }
}
