//! The wordings that come with Postern.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use super::Category;

/// How a category is told.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wordings {
    /// Regular expressions on canonical text, between borders of words.
    pub(super) patterns: Vec<String>,
    /// Parts of a text that tell nothing.
    #[serde(default)]
    pub(super) not: Vec<String>,
    /// Parts of expressions: `{NAME}` stands for one.
    #[serde(default)]
    parts: BTreeMap<String, String>,
}

static HEALTH: LazyLock<Wordings> = LazyLock::new(|| read(include_str!("lexicon/health.toml")));
static LEGAL_THREAT: LazyLock<Wordings> =
    LazyLock::new(|| read(include_str!("lexicon/legal_threat.toml")));
static SELF_HARM: LazyLock<Wordings> =
    LazyLock::new(|| read(include_str!("lexicon/self_harm.toml")));
static MINORS: LazyLock<Wordings> = LazyLock::new(|| read(include_str!("lexicon/minors.toml")));
static NONE: Wordings = Wordings { patterns: Vec::new(), not: Vec::new(), parts: BTreeMap::new() };

/// The wordings of a category. Values tell cards and documents, and an operator's own
/// category has wordings of its own.
pub(super) fn of(category: Category) -> &'static Wordings {
    match category {
        Category::Health => &HEALTH,
        Category::LegalThreat => &LEGAL_THREAT,
        Category::SelfHarm => &SELF_HARM,
        Category::Minors => &MINORS,
        Category::PaymentCard | Category::IdDocument | Category::Custom(_) => &NONE,
    }
}

fn read(text: &str) -> Wordings {
    let mut all: Wordings = toml::from_str(text).expect("the file is compiled in and tested");
    let parts = std::mem::take(&mut all.parts);
    for pattern in all.patterns.iter_mut().chain(&mut all.not) {
        // A part may have parts of its own, which have none.
        for _ in 0..2 {
            for (name, part) in &parts {
                *pattern = pattern.replace(&format!("{{{name}}}"), &format!("(?:{part})"));
            }
        }
    }
    all
}
